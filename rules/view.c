#include "rules/view.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"

#define SLOTS_FIRST 32 /* a power of two */
#define VALUES_KEPT 64 /* of one slot, from message to message */

void
slots_done(struct slots *slots)
{
	for (size_t i = 0; i < slots->count; i++)
		free(slots->items[i].argument);
	free(slots->items);
	free(slots->table);
	*slots = (struct slots){0};
}

static bool
is_slot(const struct slot *slot, const struct field *field,
    enum address_part part, struct span argument)
{
	return slot->field == field && slot->part == part &&
	       span_equal_nocase(span_from_str(slot->argument), argument);
}

/* Where the slot is in the table, or the free place where it belongs. */
static size_t *
find_place(const struct slots *slots, const struct field *field,
    enum address_part part, struct span argument)
{
	size_t hash = message_name_hash(argument);
	size_t *place;

	hash += (size_t)(field - field_table) * PART_COUNT + part;
	for (;; hash++) {
		place = &slots->table[hash & (slots->table_size - 1)];
		if (*place == 0 ||
		    is_slot(&slots->items[*place - 1], field, part, argument))
			return place;
	}
}

/* At most half of the table is taken. */
static void
grow_table(struct slots *slots)
{
	slots->table_size =
	    slots->table_size == 0 ? SLOTS_FIRST : 2 * slots->table_size;
	free(slots->table);
	slots->table = xcalloc(slots->table_size, sizeof(*slots->table));
	for (size_t i = 0; i < slots->count; i++) {
		const struct slot *slot = &slots->items[i];

		*find_place(slots, slot->field, slot->part,
		    span_from_str(slot->argument)) = i + 1;
	}
}

size_t
slots_add(struct slots *slots, const struct field *field,
    enum address_part part, struct span argument)
{
	struct slot *slot;
	size_t *place;

	if (2 * (slots->count + 1) > slots->table_size)
		grow_table(slots);
	place = find_place(slots, field, part, argument);
	if (*place != 0)
		return *place - 1;
	if (slots->count == slots->cap) {
		slots->cap = slots->cap == 0 ? 16 : 2 * slots->cap;
		slots->items = xreallocarray(
		    slots->items, slots->cap, sizeof(*slots->items));
	}
	slot = &slots->items[slots->count];
	slot->field = field;
	slot->part = part;
	slot->argument = argument.len > 0 ? xstrdup_span(argument) : NULL;
	*place = ++slots->count;
	return slots->count - 1;
}

void
view_init(
    struct view *view, const struct slots *slots, const struct facts *facts)
{
	*view = (struct view){.facts = facts,
	    .slots = slots,
	    .count = slots->count,
	    .values = xcalloc(slots->count + 1, sizeof(*view->values)),
	    .used = xcalloc(slots->count + 1, sizeof(*view->used))};
}

void
view_done(struct view *view)
{
	for (size_t i = 0; i < view->count; i++)
		free(view->values[i].items);
	free(view->values);
	free(view->used);
	strv_done(&view->kept);
	*view = (struct view){0};
}

void
view_begin(
    struct view *view, const struct slots *slots, const struct facts *facts)
{
	if (view->slots != slots || view->count != slots->count) {
		view_done(view);
		view_init(view, slots, facts);
	}
	view->facts = facts;
}

/* A message with 10,000 recipients is rare: its memory is given back. */
static void
clear_values(struct values *values)
{
	struct values empty = {0};

	if (values->cap > VALUES_KEPT)
		free(values->items);
	else
		empty =
		    (struct values){.items = values->items, .cap = values->cap};
	*values = empty;
}

void
view_clear(struct view *view)
{
	for (size_t i = 0; i < view->used_count; i++)
		clear_values(&view->values[view->used[i]]);
	view->used_count = 0;
	strv_done(&view->kept);
	view->facts = NULL;
}

unsigned
view_lacks(const struct view *view, unsigned wants)
{
	if (view->facts->structure != NULL)
		wants &= ~(unsigned)PLAN_WANTS_STRUCTURE;
	if (view->facts->body.data != NULL)
		wants &= ~(unsigned)PLAN_WANTS_BODY;
	return wants;
}

unsigned
view_missing(const struct view *view, size_t slot)
{
	assert(slot < view->count);
	return view_lacks(view, view->slots->items[slot].field->wants);
}

const struct values *
view_get(struct view *view, size_t slot)
{
	struct values *values;
	const struct slot *asked;

	assert(slot < view->count);
	values = &view->values[slot];
	if (!values->is_ready) {
		asked = &view->slots->items[slot];
		asked->field->get(view, asked, values);
		values->is_ready = true;
		view->used[view->used_count++] = slot;
	}
	return values;
}

void
values_add_valid(struct values *values, struct span text)
{
	if (values->count == values->cap) {
		values->cap = values->cap == 0 ? 4 : 2 * values->cap;
		values->items = xreallocarray(
		    values->items, values->cap, sizeof(*values->items));
	}
	values->items[values->count++] = text;
}

void
values_add_copy(struct view *view, struct values *values, struct span text)
{
	struct buf valid = BUF_INIT;
	size_t len;

	utf8_add_valid(&valid, text);
	len = valid.len;
	strv_take(&view->kept, buf_take_str(&valid));
	values_add_valid(
	    values, span_from(view->kept.items[view->kept.len - 1], len));
}

void
values_add(struct view *view, struct values *values, struct span text)
{
	if (utf8_is_valid(text))
		values_add_valid(values, text);
	else
		values_add_copy(view, values, text);
}

void
values_add_number(struct values *values, int64_t number)
{
	assert(values->count == 0);
	values->number = number;
	snprintf(values->digits, sizeof(values->digits), "%" PRId64, number);
	values_add_valid(values, span_from_str(values->digits));
}
