/*
 * store/fields: the columns of each kind of row, as tables.
 *
 * What is stored of a struct is said once, in the order of its SQL columns:
 * the batch copies by these tables, the memory copies rows by them, SQLite
 * binds and reads by them. A new column is a row here, a column in schema.h
 * and a migration.
 */
#ifndef BELFRY_STORE_FIELDS_H
#define BELFRY_STORE_FIELDS_H

#include "daemon/store/store.h"

enum store_field_type {
	FIELD_TEXT,	/* const char * */
	FIELD_U32,	/* uint32_t */
	FIELD_UNSIGNED, /* unsigned */
	FIELD_U64,	/* uint64_t */
	FIELD_I64,	/* int64_t */
	FIELD_APPLY_STATE,
	FIELD_EFFECT_STATE,
	FIELD_QUEUE_STATE,
	FIELD_TYPES
};

/* Rows that have no struct in store.h. */
struct store_hit {
	const char *rule;
	int64_t when_unix;
};

struct store_sender {
	const char *account, *address;
	int64_t first_unix, last_unix;
};

struct store_place {
	const char *account, *mailbox;
};
struct store_fact {
	const char *account, *name, *value;
};

struct store_field {
	enum store_field_type type;
	size_t offset; /* in the struct */
};

struct store_fields {
	const struct store_field *items;
	size_t count;
};

extern const struct store_fields store_cursor_fields;
extern const struct store_fields store_apply_fields;
extern const struct store_fields store_key_fields;
extern const struct store_fields store_message_fields; /* begins with key */
extern const struct store_fields store_effect_fields;  /* the key, then seq */
/* Without id and original. */
extern const struct store_fields store_item_fields;
extern const struct store_fields store_hit_fields;
extern const struct store_fields store_place_fields;
extern const struct store_fields store_fact_fields;
extern const struct store_fields store_rule_stat_fields;
extern const struct store_fields store_sender_fields;

/* Replaces every text of `row` by a copy that is fit to be stored: valid
 * UTF-8 of at most STORE_TEXT_MAX bytes, cut between characters; NULL becomes
 * "". `copy` makes it: a C string that is never freed by itself. */
typedef const char *store_copy_fn(void *ctx, struct span text);
void store_fields_clean(const struct store_fields *fields, void *row,
    store_copy_fn *copy, void *ctx);
/* Replaces every text of `row`, which is clean, by a copy. */
void store_fields_copy(const struct store_fields *fields, void *row);
/* Frees what store_fields_copy made. */
void store_fields_free(const struct store_fields *fields, void *row);

/* The member of `row` that `field` names. */
static inline void *
store_field_at(const struct store_field *field, void *row)
{
	return (char *)row + field->offset;
}

static inline const void *
store_field_get(const struct store_field *field, const void *row)
{
	return (const char *)row + field->offset;
}

#endif
