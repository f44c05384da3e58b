/*
 * program: which of many rules may match a message.
 *
 * Made once of a compiled rule set. For a message it says which rules need be
 * evaluated: those for its account and mailbox (worked out once for each
 * pair) that require nothing (rules/require.h), or of whose terms something
 * is there. The message's fields are asked for the slots that they fill, and
 * each of these is searched once for all texts that rules ask of it; so what
 * a message costs is its own size and the rules that are left, not all rules.
 *
 * It is exact in one direction: a rule that is left out would have had the
 * verdict NO. judge.c without it (rules_explain) comes to the same plan.
 */
#ifndef BELFRY_RULES_PROGRAM_H
#define BELFRY_RULES_PROGRAM_H

#include "rules/rule.h"
#include "rules/view.h"

/* Pairs of account and mailbox that are remembered. */
#define PROGRAM_PLACES_MAX 64

struct program;

/* The rules are borrowed. */
struct program *program_new(const struct rules *rules);
void program_free(struct program **program);
/* Finds the rules for the message of this view. */
void program_run(struct program *program, struct view *view);
/* The first of them from `rule` on, counted as rules are; SIZE_MAX: none.
 * Until the next program_run. */
size_t program_next(const struct program *program, size_t rule);
/* Whether the rule is for the account and mailbox of the last program_run. */
bool program_applies(const struct program *program, size_t rule);

#endif
