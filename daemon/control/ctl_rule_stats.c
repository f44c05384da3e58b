#include "daemon/control/ctl_rule_stats.h"

#include <inttypes.h>

#include "daemon/base/xalloc.h"
#include "daemon/config/paths.h"

#define DAY_SEC (24 * 60 * 60)

/* ---- reading ---- */

static bool
keep(void *ctx, const struct store_rule_stat *stat)
{
	struct ctl_rule_stats *stats = ctx;

	if (stat->rule[0] == '@')
		return true; /* no rule */
	stats->items = xreallocarray(
	    stats->items, stats->count + 1, sizeof(*stats->items));
	stats->items[stats->count] = *stat;
	stats->items[stats->count++].rule = xstrdup(stat->rule);
	stats->nanoseconds += stat->nanoseconds;
	return true;
}

void
ctl_rule_stats_read(struct ctl_rule_stats *stats, const struct config *config)
{
	STR_AUTO directory = config_state_directory(config);
	struct store *store;

	*stats = (struct ctl_rule_stats){.error = ERROR_INIT};
	store = store_open_sqlite_readonly(directory, &stats->error);
	stats->is_read = store != NULL && store_each_rule_stat(store, keep,
					      stats, &stats->error);
	store_close(&store);
}

void
ctl_rule_stats_done(struct ctl_rule_stats *stats)
{
	for (size_t i = 0; i < stats->count; i++)
		free((char *)stats->items[i].rule);
	free(stats->items);
	*stats = (struct ctl_rule_stats){.error = ERROR_INIT};
}

static int
compare(const void *key, const void *item)
{
	return strcmp(key, ((const struct store_rule_stat *)item)->rule);
}

const struct store_rule_stat *
ctl_rule_stats_find(const struct ctl_rule_stats *stats, const char *rule)
{
	if (stats->count == 0)
		return NULL;
	return bsearch(
	    rule, stats->items, stats->count, sizeof(*stats->items), compare);
}

/* ---- telling ---- */

static bool
is_unused(const struct store_rule_stat *stat, int64_t now_unix)
{
	int64_t since = now_unix - (int64_t)CTL_UNUSED_DAYS * DAY_SEC;

	return stat->since_unix <= since && stat->last_hit_unix <= since &&
	       stat->observed == 0;
}

static uint64_t
mean_of(const struct store_rule_stat *stat)
{
	return stat->judged > 0 ? stat->nanoseconds / stat->judged : 0;
}

/* In hundredths, rounded. */
static uint64_t
share_of(const struct ctl_rule_stats *stats, const struct store_rule_stat *stat)
{
	if (stats->nanoseconds == 0)
		return 0;
	return (uint64_t)((double)stat->nanoseconds * 100 /
			      (double)stats->nanoseconds +
			  0.5);
}

static void
add_times(struct buf *out, uint64_t count)
{
	buf_addf(out, "%" PRIu64 " time%s", count, count == 1 ? "" : "s");
}

static void
add_nanoseconds(struct buf *out, uint64_t nanoseconds)
{
	if (nanoseconds < 1000)
		buf_addf(out, "%" PRIu64 " ns", nanoseconds);
	else if (nanoseconds < 1000 * 1000)
		buf_addf(out, "%.1f \u00b5s", (double)nanoseconds / 1e3);
	else
		buf_addf(out, "%.1f ms", (double)nanoseconds / 1e6);
}

static void
add_hits(struct buf *out, const struct store_rule_stat *stat, int64_t now_unix)
{
	bool unused = is_unused(stat, now_unix);

	if (stat->hits == 0 && unused) {
		buf_addf(out, "never hit in %d days", CTL_UNUSED_DAYS);
	} else if (stat->hits == 0) {
		buf_add_str(out, "no hit since ");
		ctl_add_time(out, stat->since_unix);
	} else {
		buf_addf(out, "%" PRIu64 " hit%s, last ", stat->hits,
		    stat->hits == 1 ? "" : "s");
		ctl_add_time(out, stat->last_hit_unix);
		if (unused)
			buf_addf(out, ", none in %d days", CTL_UNUSED_DAYS);
	}
}

void
ctl_rule_stats_add(const struct ctl_rule_stats *stats, const char *rule,
    int64_t now_unix, struct buf *out)
{
	const struct store_rule_stat *stat = ctl_rule_stats_find(stats, rule);

	if (stat == NULL) {
		buf_add_str(out, "not loaded by the daemon yet");
		return;
	}
	add_hits(out, stat, now_unix);
	if (stat->observed > 0) {
		buf_add_str(out, "; only observed ");
		add_times(out, stat->observed);
	}
	if (stat->limited > 0) {
		buf_add_str(out, "; over its limit ");
		add_times(out, stat->limited);
	}
	if (stat->judged > 0) {
		buf_add_str(out, "; ");
		add_nanoseconds(out, mean_of(stat));
		buf_addf(out, " a message, %" PRIu64 "%% of the time",
		    share_of(stats, stat));
	}
}

struct json *
ctl_rule_stats_json(
    const struct ctl_rule_stats *stats, const char *rule, int64_t now_unix)
{
	const struct store_rule_stat *stat = ctl_rule_stats_find(stats, rule);
	struct json *json;

	if (stat == NULL)
		return NULL;
	json = json_new_object();
	json_set_int(json, "hits", (int64_t)stat->hits);
	json_set_time(json, "last_hit", stat->last_hit_unix);
	json_set_int(json, "observed", (int64_t)stat->observed);
	json_set_int(json, "over_limit", (int64_t)stat->limited);
	json_set_time(json, "since", stat->since_unix);
	json_set_bool(json, "unused", is_unused(stat, now_unix));
	json_set_int(json, "measured", (int64_t)stat->judged);
	json_set_int(json, "mean_ns", (int64_t)mean_of(stat));
	json_set_int(json, "share_percent", (int64_t)share_of(stats, stat));
	return json;
}
