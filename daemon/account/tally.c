#include "daemon/account/tally.h"

#include "daemon/base/xalloc.h"

#define ROOM_MIN 8

void
tally_done(struct tally *tally)
{
	free(tally->rows);
	*tally = (struct tally)TALLY_INIT;
}

const struct tally_row *
tally_find(const struct tally *tally, const char *rule)
{
	for (size_t i = 0; i < tally->count; i++)
		if (strcmp(tally->rows[i].rule, rule) == 0)
			return &tally->rows[i];
	return NULL;
}

static struct tally_row *
row_of(struct tally *tally, const char *rule)
{
	const struct tally_row *found = tally_find(tally, rule);

	if (found != NULL)
		return &tally->rows[found - tally->rows];
	if (tally->count == tally->cap) {
		tally->cap = tally->cap > 0 ? tally->cap * 2 : ROOM_MIN;
		tally->rows = xreallocarray(
		    tally->rows, tally->cap, sizeof(*tally->rows));
	}
	struct tally_row *row = &tally->rows[tally->count++];
	*row = (struct tally_row){0};
	struct span id = span_slice(span_from_str(rule), 0, RULE_ID_MAX);
	if (id.len > 0)
		memcpy(row->rule, id.data, id.len);
	return row;
}

void
tally_add(struct tally *tally, const struct plan *plan, bool notify)
{
	for (size_t i = 0; i < plan->matched.len; i++)
		row_of(tally, plan->matched.items[i])->matched++;
	for (size_t i = 0; i < plan->observed.len; i++)
		row_of(tally, plan->observed.items[i])->observed++;
	for (size_t i = 0; i < plan->over_limit.len; i++)
		row_of(tally, plan->over_limit.items[i])->over_limit++;
	for (size_t i = 0; i < plan->count; i++) {
		const struct action *action = &plan->actions[i];
		if (action->kind != ACTION_NOTIFY || notify)
			row_of(tally, action->rule)->actions[action->kind]++;
	}
}
