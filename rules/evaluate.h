/*
 * evaluate: whether a rule's conditions hold for a message.
 */
#ifndef BELFRY_RULES_EVALUATE_H
#define BELFRY_RULES_EVALUATE_H

#include "rules/rule.h"
#include "rules/trace.h"

enum verdict {
	VERDICT_NO,
	VERDICT_YES,
	VERDICT_FAILED, /* a pattern met a limit: nobody knows */
	VERDICT_OPEN	/* something must be fetched first: `wants` says what */
};

struct evaluation {
	struct view *view;
	struct pattern_room *room;
	struct trace *trace; /* may be NULL */
	/* The values of the rule's captures; data NULL: not set. */
	struct span captures[RULE_CAPTURES_MAX];
	size_t capture_count;
	bool is_vetoed; /* VERDICT_NO came from an `unless` line */
	unsigned wants; /* enum plan_want, of all tests that were open */
	/* An open test has captures, so an `or` cannot do without it. */
	bool is_capture_open;
};

/* Conditions are looked at from the left to the right and no further than
 * needed; all `when` lines before the `unless` lines. What comes behind an
 * open test may still settle the rule, so that nothing is fetched in vain; a
 * limit met there does not, since with the fetched it may not be met. */
enum verdict evaluate_rule(
    struct evaluation *evaluation, const struct rule *rule);

#endif
