/*
 * prover: what must be true of a message that one rule acts on.
 *
 * Facts are assumed one by one, each with the condition that says it; then
 * the prover tells of any literal whether they settle it, and which of them
 * did. It never guesses: CERTAIN_NOT_KNOWN is the answer to what it cannot
 * tell, and to everything once its budget of steps is spent.
 */
#ifndef BELFRY_RULES_PROVER_H
#define BELFRY_RULES_PROVER_H

#include "rules/theory.h"

/* Comparisons for one rule, and for all of them. */
#define PROVER_RULE_STEPS 100000
#define PROVER_ALL_STEPS 5000000

/* Where a fact comes from. */
enum fact_origin {
	FACT_LINE,  /* a condition that must hold, or must not */
	FACT_BRANCH /* an earlier branch of an `or` did not hold */
};

struct fact {
	unsigned literal;
	const struct cond *cond; /* that says it */
	enum fact_origin origin;
};

/* Why something is certain. */
struct why {
	bool is_alone;		 /* by itself: the node has the reason */
	bool is_scope;		 /* the rule is for these accounts, mailboxes */
	bool is_same;		 /* the fact says just this */
	const struct fact *fact; /* or NULL; valid until the next change */
	unsigned literal;	 /* the part that was settled */
};

struct prover {
	struct theory theory;
	struct exprs exprs;
	const struct rule *rule; /* whose accounts and mailboxes count */
	struct fact *facts;	 /* owned */
	size_t count, cap;
	size_t steps, all_steps; /* that are left */
};

/* All are borrowed for the life of the prover. */
void prover_init(struct prover *prover, const struct rules *rules,
    const struct strv *accounts);
void prover_done(struct prover *prover);
/* Forgets all facts. */
void prover_begin(struct prover *prover, const struct rule *rule);
/* An `and` is taken apart. The caller has asked and knows that it does not
 * contradict. */
void prover_assume(struct prover *prover, unsigned literal,
    const struct cond *cond, enum fact_origin origin);
/* Facts behind the first `count` are forgotten. */
void prover_rewind(struct prover *prover, size_t count);
/* `why_r` may be NULL. */
enum certainty prover_ask(
    struct prover *prover, unsigned literal, struct why *why_r);

#endif
