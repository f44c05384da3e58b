/*
 * ctl_summary: how many messages each rule matched, and what would be done.
 */
#ifndef BELFRY_CONTROL_CTL_SUMMARY_H
#define BELFRY_CONTROL_CTL_SUMMARY_H

#include "daemon/control/ctl.h"

#define CTL_OUTCOMES (TRACE_UNDECIDED + 1)

struct ctl_summary {
	const struct rules *rules;
	uint64_t messages, unreadable, unexpected;
	uint64_t (*outcomes)[CTL_OUTCOMES]; /* by rule; owned */
	uint64_t actions[ACTION_KINDS];
};

void ctl_summary_init(struct ctl_summary *summary, const struct rules *rules);
void ctl_summary_done(struct ctl_summary *summary);
/* One message: the outcome of each rule, and the plan. */
void ctl_summary_count(struct ctl_summary *summary,
    const enum trace_outcome *outcomes, const struct plan *plan);
void ctl_summary_print(const struct ctl_summary *summary, struct buf *out);
struct json *ctl_summary_json(const struct ctl_summary *summary);

#endif
