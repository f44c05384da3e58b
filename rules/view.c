#include "rules/view.h"

#include <assert.h>
#include <inttypes.h>

#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"

void
slots_done(struct slots *slots)
{
	for (size_t i = 0; i < slots->count; i++)
		free(slots->items[i].argument);
	free(slots->items);
	*slots = (struct slots){0};
}

static bool
is_slot(const struct slot *slot, const struct field *field,
    enum address_part part, struct span argument)
{
	return slot->field == field && slot->part == part &&
	       span_equal_nocase(span_from_str(slot->argument), argument);
}

size_t
slots_add(struct slots *slots, const struct field *field,
    enum address_part part, struct span argument)
{
	struct slot *slot;

	for (size_t i = 0; i < slots->count; i++)
		if (is_slot(&slots->items[i], field, part, argument))
			return i;
	if (slots->count == slots->cap) {
		slots->cap = slots->cap == 0 ? 16 : 2 * slots->cap;
		slots->items = xreallocarray(
		    slots->items, slots->cap, sizeof(*slots->items));
	}
	slot = &slots->items[slots->count];
	slot->field = field;
	slot->part = part;
	slot->argument = argument.len > 0 ? xstrdup_span(argument) : NULL;
	return slots->count++;
}

void
view_init(
    struct view *view, const struct slots *slots, const struct facts *facts)
{
	view->facts = facts;
	view->slots = slots;
	view->count = slots->count;
	view->values = xcalloc(slots->count + 1, sizeof(*view->values));
	strv_init(&view->kept);
}

void
view_done(struct view *view)
{
	for (size_t i = 0; i < view->count; i++)
		free(view->values[i].items);
	free(view->values);
	view->values = NULL;
	strv_done(&view->kept);
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
	}
	return values;
}

static void
push(struct values *values, struct span text)
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
	push(values, span_from(view->kept.items[view->kept.len - 1], len));
}

void
values_add(struct view *view, struct values *values, struct span text)
{
	if (utf8_is_valid(text))
		push(values, text);
	else
		values_add_copy(view, values, text);
}

void
values_add_number(struct view *view, struct values *values, int64_t number)
{
	STR_AUTO digits = xasprintf("%" PRId64, number);

	values->number = number;
	values_add_copy(view, values, span_from_str(digits));
}
