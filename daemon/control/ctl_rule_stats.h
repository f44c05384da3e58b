/*
 * ctl_rule_stats: what the store knows of rules, read beside a daemon or
 * without one.
 */
#ifndef BELFRY_CONTROL_CTL_RULE_STATS_H
#define BELFRY_CONTROL_CTL_RULE_STATS_H

#include "daemon/control/ctl.h"
#include "daemon/store/store.h"

/* A rule that did nothing for so long is called unused. */
#define CTL_UNUSED_DAYS 90

struct ctl_rule_stats {
	struct store_rule_stat *items; /* owned, by rule */
	size_t count;
	uint64_t nanoseconds; /* of all of them */
	struct error error;   /* why there are none */
	bool is_read;
};

/* From the state directory that the configuration names. Without a store there
 * are none, and `error` says why. */
void ctl_rule_stats_read(
    struct ctl_rule_stats *stats, const struct config *config);
void ctl_rule_stats_done(struct ctl_rule_stats *stats);
/* NULL: the daemon has not heard of it yet. */
const struct store_rule_stat *ctl_rule_stats_find(
    const struct ctl_rule_stats *stats, const char *rule);
/* For people: one line, without its end. */
void ctl_rule_stats_add(const struct ctl_rule_stats *stats, const char *rule,
    int64_t now_unix, struct buf *out);
struct json *ctl_rule_stats_json(
    const struct ctl_rule_stats *stats, const char *rule, int64_t now_unix);

#endif
