/*
 * capture: the named groups of a rule's patterns, which its actions may use
 * as ${name}.
 *
 * Only `when` lines capture. A group below a `not` or behind `!~` never does:
 * there, a match means that the rule does not act. Several groups may have
 * one name; the first that is set has the value.
 */
#ifndef BELFRY_RULES_CAPTURE_H
#define BELFRY_RULES_CAPTURE_H

#include "rules/cond.h"
#include "rules/source.h"

struct captures {
	struct strv names; /* at most RULE_CAPTURES_MAX */
	/* By name: set whenever the rule acts. */
	bool is_certain[RULE_CAPTURES_MAX];
	/* Where the first group stands, and whether a match can do without
	 * it. */
	struct rule_place places[RULE_CAPTURES_MAX];
	bool is_optional[RULE_CAPTURES_MAX];
	bool is_incomplete; /* a line has an error: there may be more names */
	struct strv never;  /* names that only stand below a `not` */
};

void captures_done(struct captures *captures);
/* Numbers the groups of a parsed `when` line; its tests then know them.
 * False (reported) when there are too many. */
bool captures_collect(
    struct captures *captures, const struct source *source, struct cond *cond);
/* SIZE_MAX when there is none. Names compare with case, as PCRE2 has it. */
size_t captures_find(const struct captures *captures, struct span name);

#endif
