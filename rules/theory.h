/*
 * theory: what single tests say about each other.
 *
 * "Positive" is a test that holds. Where a field has several values a test
 * asks for one of them, so a test implies another when every value that
 * passes the first passes the second; two tests exclude each other only on
 * fields that never have two values. CERTAIN_NOT_KNOWN is always a right
 * answer.
 */
#ifndef BELFRY_RULES_THEORY_H
#define BELFRY_RULES_THEORY_H

#include "rules/expr.h"
#include "rules/number_set.h"
#include "rules/rule.h"

struct theory {
	const struct rules *rules;
	const struct strv *accounts; /* that there are; may be empty */
	struct pattern_room *room;
};

/* Whether a value, which may have any case, passes the test. */
enum certainty theory_value(
    const struct theory *theory, const struct test *test, struct span value);
/* Whether the test holds for every message, or for none. Fills in the node's
 * `alone`, `reason`, `place` and `hint`, once. */
enum certainty theory_alone(
    const struct theory *theory, struct expr_node *node);
/* Both positive. */
bool theory_implies(
    const struct theory *theory, const struct test *a, const struct test *b);
bool theory_excludes(
    const struct theory *theory, const struct test *a, const struct test *b);

/* The values that a message can have, and those of them that pass. False when
 * the test is none of numbers, or has too many. */
bool theory_numbers(const struct test *test, struct number_set *all_r,
    struct number_set *passing_r);

/* What is wrong with one value of an `is` or `has`: it can equal nothing that
 * the field has. NULL: nothing. *hint_r is then the owned hint, or NULL. */
const char *theory_operand(const struct theory *theory, const struct test *test,
    const struct operand *operand, char **hint_r);

#endif
