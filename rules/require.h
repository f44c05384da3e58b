/*
 * require: what must be in a message for a rule to match it.
 *
 * A rule that lacks all of its terms has the verdict NO; nobody need evaluate
 * it, and evaluating it would not run a pattern. A rule without terms may
 * match anything.
 */
#ifndef BELFRY_RULES_REQUIRE_H
#define BELFRY_RULES_REQUIRE_H

#include "rules/literals.h"
#include "rules/rule.h"

#define REQUIRE_TERMS_MAX 64 /* of one rule; more: none */

enum term_kind {
	TERM_ANY,     /* the slot has a value */
	TERM_MEMBERS, /* one of its values is a member */
	TERM_TEXT,    /* one of its values has this text */
	TERM_PATTERN, /* the same, but a value may be too long for a pattern */
};

struct term {
	enum term_kind kind;
	size_t slot;
	enum address_part part;
	char text[LITERAL_MAX + 1];    /* TEXT, PATTERN: see literals.h */
	const struct members *members; /* MEMBERS; borrowed from the rule */
	size_t seen_max; /* PATTERN: bytes of a value that it looks at */
};

/* Any one of them will do. None: count is 0. */
struct terms {
	struct term *items; /* owned */
	size_t count, cap;
};

void terms_done(struct terms *terms);
/* terms_r is initialised by the function. */
void require_of_rule(const struct rule *rule, struct terms *terms_r);

#endif
