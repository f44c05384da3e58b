/*
 * rule_keys: what each key of a [rule] section means. The table in
 * rule_keys.c is the list of keys.
 */
#ifndef BELFRY_RULES_RULE_KEYS_H
#define BELFRY_RULES_RULE_KEYS_H

#include "rules/rule.h"
#include "rules/source.h"

/* What a rule is compiled with. */
struct rule_context {
	struct rules *rules;			 /* slots and lists grow */
	const struct strv *accounts, *notifiers; /* known names */
	struct rule_problems *problems;
};

/* Fills in an empty rule with an id and a place; false after errors, all of
 * which are reported. */
bool rule_compile(struct rule *rule, const struct rule_context *context,
    const struct rule_line *lines, size_t count);

#endif
