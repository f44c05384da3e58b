/*
 * lint: what is right line by line and wrong all the same.
 *
 * Warns of conditions that never hold or always do, of parts that decide
 * nothing, of rules that an earlier one leaves nothing to do, and of values
 * that are surely meant otherwise. Nothing is said that is not certain for
 * every message: a rule set without a fault has no warning. The other way
 * round nothing is promised.
 *
 * A rule set of any size is read in one pass with bounded work for each rule
 * (PROVER_RULE_STEPS, SHADOW_CANDIDATES_MAX) and for all (PROVER_ALL_STEPS);
 * what is not done within it is not looked at.
 */
#ifndef BELFRY_RULES_LINT_H
#define BELFRY_RULES_LINT_H

#include "rules/rule.h"

/* More is one warning that says so. */
#define LINT_WARNINGS_MAX 500

/* Rules that compiled; `accounts` are the names that there are. */
void lint_rules(const struct rules *rules, const struct strv *accounts,
    struct rule_problems *problems);

#endif
