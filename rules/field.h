/*
 * field: what a condition or a ${variable} can ask of a message.
 *
 * The table of fields is the language's vocabulary: parser, checks of
 * operators, variables and the list of header fields to fetch all read it. A
 * new field is a row here and a function in getters.c.
 */
#ifndef BELFRY_RULES_FIELD_H
#define BELFRY_RULES_FIELD_H

#include "daemon/base/span.h"

struct view;
struct slot;
struct values;

enum field_type {
	FIELD_TEXT,
	FIELD_ADDRESS, /* has the parts .name and so on */
	FIELD_WORD,    /* text out of a known set of words */
	FIELD_NUMBER,
	FIELD_FACT, /* true or false; has no values to compare */
};

enum field_unit {
	UNIT_NONE,
	UNIT_SIZE,
	UNIT_TIME,
	UNIT_HOUR,
	UNIT_WEEKDAY
};

/* How many values a message can have of a field. */
enum field_presence {
	FIELD_MANY, /* any number */
	FIELD_ONE,  /* always exactly one */
	FIELD_MAYBE /* one, or none */
};

enum address_part {
	PART_ADDR, /* also when no part is written */
	PART_NAME,
	PART_USER,
	PART_DOMAIN,
	PART_DETAIL,
	PART_COUNT
};

struct field {
	const char *name;
	enum field_type type;
	enum field_unit unit;
	enum field_presence presence;
	bool has_argument; /* header(X-Any) */
	bool is_variable_only;
	bool wants_all_headers;
	bool wants_sender;   /* facts.is_new_sender */
	bool wants_received; /* facts.received_unix */
	unsigned wants;	     /* enum plan_want: what must be known for it */
	/* Header fields it reads; ends with NULL; may be NULL. */
	const char *const *headers;
	/* FIELD_WORD: the words `is` may compare with; ends with NULL. */
	const char *const *words;
	/* Fills in the values of one message. */
	void (*get)(
	    struct view *view, const struct slot *slot, struct values *values);
};

/* Ends with a row without a name. */
extern const struct field field_table[];

/* NULL when there is none. ASCII case is ignored. */
const struct field *field_find(struct span name);
/* The same, also of "from.name", which is no row of the table: the row is
 * "from", and *part_r what stands behind its dot, or PART_ADDR. */
const struct field *field_find_part(
    struct span name, enum address_part *part_r);
/* Names as people write them, parts included, for str_nearest; ends with
 * NULL; `for_variable` adds those that only a ${variable} has. Borrowed from
 * static memory. */
const char *const *field_names(bool for_variable);
/* "addr", "name", ...; false when there is no such part. */
bool address_part_find(struct span name, enum address_part *part_r);
const char *address_part_name(enum address_part part);

#endif
