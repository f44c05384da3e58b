#include "rules/meter.h"

#include <assert.h>

#include "daemon/base/xalloc.h"

struct total {
	uint64_t messages, nanoseconds;
};

struct rules_meter {
	rules_clock_fn *clock;
	void *ctx;
	unsigned every, seen;
	const struct rules *rules; /* of the totals; NULL: none yet */
	struct total *totals;	   /* owned; by the rules' index */
};

struct rules_meter *
rules_meter_new(rules_clock_fn *clock, void *ctx, unsigned every)
{
	struct rules_meter *meter = NEW(struct rules_meter);

	assert(every > 0);
	meter->clock = clock;
	meter->ctx = ctx;
	meter->every = every;
	return meter;
}

void
rules_meter_free(struct rules_meter **meter)
{
	if (*meter == NULL)
		return;
	free((*meter)->totals);
	free(*meter);
	*meter = NULL;
}

void
rules_meter_each(const struct rules_meter *meter, rules_meter_fn *fn, void *ctx)
{
	for (size_t i = 0;
	     meter->rules != NULL && i < rules_count(meter->rules); i++)
		if (meter->totals[i].messages > 0)
			fn(ctx, rules_id(meter->rules, i),
			    meter->totals[i].messages,
			    meter->totals[i].nanoseconds);
}

/* Forgets the rules, too: they may be freed before the next message. */
void
rules_meter_clear(struct rules_meter *meter)
{
	free(meter->totals);
	meter->totals = NULL;
	meter->rules = NULL;
}

struct rules_meter *
meter_begin(struct rules_meter *meter, const struct rules *rules)
{
	if (meter == NULL || meter->seen++ % meter->every != 0)
		return NULL;
	if (meter->rules != rules) {
		rules_meter_clear(meter);
		meter->rules = rules;
		meter->totals =
		    xcalloc(rules_count(rules) + 1, sizeof(*meter->totals));
	}
	return meter;
}

uint64_t
meter_now(struct rules_meter *meter)
{
	return meter != NULL ? meter->clock(meter->ctx) : 0;
}

void
meter_end(struct rules_meter *meter, size_t index, uint64_t start)
{
	if (meter == NULL)
		return;
	meter->totals[index].messages++;
	meter->totals[index].nanoseconds += meter->clock(meter->ctx) - start;
}
