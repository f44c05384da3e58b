/*
 * ctl_trace: a judgement, shown: each rule, each condition that was looked
 * at, and what would be done.
 */
#ifndef BELFRY_CONTROL_CTL_TRACE_H
#define BELFRY_CONTROL_CTL_TRACE_H

#include "daemon/control/ctl.h"
#include "daemon/control/ctl_messages.h"

struct ctl_verdict {
	const struct ctl_message *from;
	struct message *message;
	const char *account, *mailbox;
	const struct plan *plan;
	const struct trace *trace;
};

void ctl_trace_print(
    const struct ctl *ctl, const struct ctl_verdict *verdict, struct buf *out);
struct json *ctl_trace_json(const struct ctl_verdict *verdict);

#endif
