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
	VERDICT_FAILED /* a pattern met a limit: nobody knows */
};

struct evaluation {
	struct view *view;
	struct pattern_room *room;
	struct trace *trace; /* may be NULL */
	/* The values of the captures; data NULL: not set. */
	struct span captures[RULE_CAPTURES_MAX];
	bool is_vetoed; /* VERDICT_NO came from an `unless` line */
};

/* Conditions are looked at from the left to the right and no further than
 * needed; all `when` lines before the `unless` lines. */
enum verdict evaluate_rule(
    struct evaluation *evaluation, const struct rule *rule);

#endif
