/*
 * What rules do, for `belfryctl rules`: the store hears of each rule when it
 * is loaded, and of the time that a sample of messages took.
 */
#include <time.h>

#include "daemon/base/xalloc.h"
#include "daemon/wiring/belfry.h"

#define NSEC_PER_SEC 1000000000u

/* ---- what the store knows, and what was loaded ---- */

struct comparing {
	struct strv known;  /* ids in the store */
	struct strv loaded; /* ids of `rules`, sorted */
	struct store_batch *batch;
};

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
has_sorted(const struct strv *v, const char *id)
{
	return v->len > 0 && bsearch(&id, v->items, v->len, sizeof(*v->items),
				 compare) != NULL;
}

/* Names with '@' are of counters that are no rules. */
static bool
note_known(void *ctx, const struct store_rule_stat *stat)
{
	struct comparing *c = ctx;

	if (has_sorted(&c->loaded, stat->rule))
		strv_add(&c->known, stat->rule);
	else if (stat->rule[0] != '@')
		store_batch_forget_rule(c->batch, stat->rule);
	return true;
}

static void
add_unknown(struct comparing *c, int64_t now_unix)
{
	for (size_t i = 0; i < c->loaded.len; i++)
		if (!has_sorted(&c->known, c->loaded.items[i]))
			store_batch_add_rule_stat(
			    c->batch, &(struct store_rule_stat){
					  .rule = c->loaded.items[i],
					  .since_unix = now_unix,
				      });
}

/* Statistics are no reason to stop: what cannot be written is written at the
 * next start. */
void
rule_stats_load(struct belfry *belfry)
{
	const struct rules *rules = belfry->config->rules;
	struct comparing c = {.batch = store_batch_new()};

	if (belfry->dry_run) {
		store_batch_free(&c.batch);
		return;
	}
	for (size_t i = 0; i < rules_count(rules); i++)
		strv_add(&c.loaded, rules_id(rules, i));
	if (c.loaded.len > 1)
		qsort(c.loaded.items, c.loaded.len, sizeof(*c.loaded.items),
		    compare);
	if (store_each_rule_stat(belfry->store, note_known, &c, NULL)) {
		add_unknown(&c, loop_now_unix());
		if (!store_batch_is_empty(c.batch))
			journal_commit_now(belfry->journal, c.batch, NULL);
	}
	store_batch_free(&c.batch);
	strv_done(&c.known);
	strv_done(&c.loaded);
}

/* ---- time ---- */

static uint64_t
now_nsec(void *ctx)
{
	struct timespec now;

	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

void
rule_stats_start(struct belfry *belfry)
{
	if (!belfry->dry_run)
		belfry->meter =
		    rules_meter_new(now_nsec, NULL, RULE_STATS_EVERY);
	rule_stats_load(belfry);
}

static void
add_time(void *ctx, const char *rule, uint64_t messages, uint64_t nanoseconds)
{
	store_batch_add_rule_time(
	    ctx, rule, messages, nanoseconds, loop_now_unix());
}

void
rule_stats_add_times(struct belfry *belfry, struct store_batch *batch)
{
	if (belfry->meter == NULL)
		return;
	rules_meter_each(belfry->meter, add_time, batch);
	rules_meter_clear(belfry->meter);
}

void
rule_stats_flush(struct belfry *belfry)
{
	struct store_batch *batch = store_batch_new();

	rule_stats_add_times(belfry, batch);
	store_batch_set_lazy(batch, true);
	if (!store_batch_is_empty(batch))
		journal_note(belfry->journal, batch);
	else
		store_batch_free(&batch);
}
