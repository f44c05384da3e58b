/*
 * trace: writes down what a judgement looks at. The evaluator tells it
 * everything; all calls accept a NULL trace and then do nothing, so that
 * judging and explaining are one code path.
 */
#ifndef BELFRY_RULES_TRACE_H
#define BELFRY_RULES_TRACE_H

#include "rules/rule.h"

void trace_begin(struct trace *trace, const struct rules *rules);
/* The entry of the rule that is looked at next. */
void trace_rule(struct trace *trace, const struct rule *rule);
/* `values` may be NULL where there are none to show. */
void trace_condition(struct trace *trace, const struct cond *cond,
    const struct values *values, bool result);
/* What was noted last could not be told. */
void trace_open(struct trace *trace);
/* The conditions from here on are those of `unless` lines. */
void trace_unless(struct trace *trace);
/* What was noted last settled the rule. */
void trace_decided(struct trace *trace);
void trace_outcome(struct trace *trace, const struct rule *rule,
    enum trace_outcome outcome, const struct span *captures);

#endif
