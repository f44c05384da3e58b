/*
 * account/tally: how often each rule met a message, and what it would do or
 * did: the summary of a run over many messages.
 *
 * A rule has a row from its first time on, so there are no more than
 * RULES_MAX; the rows stand in the order of these first times.
 */
#ifndef BELFRY_ACCOUNT_TALLY_H
#define BELFRY_ACCOUNT_TALLY_H

#include "rules/plan.h"

struct tally_row {
	char rule[RULE_ID_MAX + 1];
	uint64_t matched, observed, over_limit; /* messages */
	uint64_t actions[ACTION_KINDS];
};

struct tally {
	struct tally_row *rows; /* owned */
	size_t count, cap;
};

#define TALLY_INIT                                                             \
	{                                                                      \
		NULL, 0, 0                                                     \
	}

void tally_done(struct tally *tally);
/* Counts what the plan says; of its `notify` only when that is wanted. */
void tally_add(struct tally *tally, const struct plan *plan, bool notify);
/* NULL: the rule met nothing. */
const struct tally_row *tally_find(const struct tally *tally, const char *rule);

#endif
