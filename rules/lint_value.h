/*
 * lint_value: single values that can match nothing, or that are so unlikely
 * to be meant that it is worth a word. Quotes around a value silence the
 * latter.
 */
#ifndef BELFRY_RULES_LINT_VALUE_H
#define BELFRY_RULES_LINT_VALUE_H

#include "rules/theory.h"

struct lint_value {
	struct rule_place place;
	const char *text; /* static */
	char *hint;	  /* owned, or NULL */
};

/* Of value number `index`; behind the last stands the test as a whole. */
bool lint_value(const struct theory *theory, const struct test *test,
    size_t index, struct lint_value *value_r);

#endif
