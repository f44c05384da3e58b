/*
 * ctl_trace: a judgement, shown: each rule, each condition that was looked
 * at, and what would be done.
 */
#ifndef BELFRY_CONTROL_CTL_TRACE_H
#define BELFRY_CONTROL_CTL_TRACE_H

#include "daemon/control/ctl.h"
#include "daemon/control/ctl_judge.h"

struct ctl_verdict {
	const struct ctl_judgement *judgement;
	bool is_brief;	  /* without the rules: there is no trace */
	bool is_verbose;  /* all conditions of all rules; not in JSON */
	bool is_expected; /* else it says so */
};

/* Rules that did not match take one line, unless verbose: the condition that
 * decided. */
void ctl_trace_print(
    const struct ctl *ctl, const struct ctl_verdict *verdict, struct buf *out);
/* belfryctl(1) has the names. */
struct json *ctl_trace_json(const struct ctl_verdict *verdict);

#endif
