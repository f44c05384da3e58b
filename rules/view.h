/*
 * view: the values of the fields for one message.
 *
 * All rules of a set share one table of slots: one slot for each different
 * thing that is asked of a message ("from.name", "header(X-Spam)"). A view
 * fills a slot once, on first use, so a value is decoded once per message
 * however many rules compare it.
 */
#ifndef BELFRY_RULES_VIEW_H
#define BELFRY_RULES_VIEW_H

#include "rules/field.h"
#include "rules/rules.h"

struct slot {
	const struct field *field;
	enum address_part part;
	char *argument; /* owned; NULL without one */
};

struct slots {
	struct slot *items; /* owned */
	size_t count, cap;
	size_t *table; /* number + 1, by hash; owned; 0: free */
	size_t table_size;
};

void slots_done(struct slots *slots);
/* Adds, or finds the one that is there. `argument` may be empty. */
size_t slots_add(struct slots *slots, const struct field *field,
    enum address_part part, struct span argument);

#define VALUES_DIGITS_SIZE sizeof("-9223372036854775808")

/* What one slot has of one message. The bytes are valid UTF-8 and live as
 * long as the view. */
struct values {
	struct span *items; /* owned */
	size_t count, cap;
	int64_t number;			 /* FIELD_NUMBER with a count > 0 */
	char digits[VALUES_DIGITS_SIZE]; /* of the number: its item */
	bool is_true;			 /* FIELD_FACT */
	bool is_ready;
};

struct view {
	const struct facts *facts;
	const struct slots *slots;
	struct values *values; /* owned; one per slot there was at init */
	size_t *used;	       /* owned; slots that have been filled */
	size_t count, used_count;
	struct strv kept; /* texts that were made for this view */
};

/* Both arguments are borrowed for the life of the view. */
void view_init(
    struct view *view, const struct slots *slots, const struct facts *facts);
void view_done(struct view *view);
/* As view_init, for a view that is all zero or was cleared: what memory it
 * has is used again, so that a message costs what it asks for and not what
 * could be asked. */
void view_begin(
    struct view *view, const struct slots *slots, const struct facts *facts);
/* Forgets the values; lets go of facts. */
void view_clear(struct view *view);
/* Only for a slot that view_missing says nothing of. */
const struct values *view_get(struct view *view, size_t slot);
/* What must be known for this slot and is not: enum plan_want. */
unsigned view_missing(const struct view *view, size_t slot);
/* Of all that `wants` names, what the facts lack. */
unsigned view_lacks(const struct view *view, unsigned wants);

/* For getters. `text` must live as long as the message; it is copied only
 * where it is not valid UTF-8. An empty text is kept, too. */
void values_add(struct view *view, struct values *values, struct span text);
/* `text` is known to be valid UTF-8. */
void values_add_valid(struct values *values, struct span text);
/* Copies. */
void values_add_copy(
    struct view *view, struct values *values, struct span text);
/* The number, and its digits as a text. There is one at most. */
void values_add_number(struct values *values, int64_t number);

#endif
