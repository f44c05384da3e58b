#include "rules/prover.h"

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

#define DEPTH_MAX 8	  /* of `and` in `or` in `and` */
#define CANDIDATES_MAX 64 /* values of a field that are tried */

void
prover_init(struct prover *prover, const struct rules *rules,
    const struct strv *accounts)
{
	*prover = (struct prover){.all_steps = PROVER_ALL_STEPS};
	prover->theory = (struct theory){rules, accounts, rules->room};
	exprs_init(&prover->exprs);
}

void
prover_done(struct prover *prover)
{
	exprs_done(&prover->exprs);
	free(prover->facts);
	*prover = (struct prover){0};
}

void
prover_begin(struct prover *prover, const struct rule *rule)
{
	prover->rule = rule;
	prover->count = 0;
	prover->steps = PROVER_RULE_STEPS;
}

void
prover_assume(struct prover *prover, unsigned literal, const struct cond *cond,
    enum fact_origin origin)
{
	const struct expr_node *node = expr_node(&prover->exprs, literal);

	if (literal == EXPR_TRUE)
		return;
	if (node->kid_count > 0 && !EXPR_IS_NEGATED(literal)) {
		for (size_t i = 0; i < node->kid_count; i++)
			prover_assume(prover, node->kids[i], cond, origin);
		return;
	}
	if (prover->count == prover->cap) {
		prover->cap = prover->cap == 0 ? 16 : 2 * prover->cap;
		prover->facts = xreallocarray(
		    prover->facts, prover->cap, sizeof(*prover->facts));
	}
	prover->facts[prover->count++] = (struct fact){literal, cond, origin};
}

void
prover_rewind(struct prover *prover, size_t count)
{
	if (count < prover->count)
		prover->count = count;
}

static bool
take_step(struct prover *prover)
{
	if (prover->steps == 0 || prover->all_steps == 0)
		return false;
	prover->steps--;
	prover->all_steps--;
	return true;
}

/* One literal and another. */

static bool
tests_imply(const struct prover *prover, unsigned a, unsigned b)
{
	const struct cond *one = expr_node(&prover->exprs, a)->cond;
	const struct cond *two = expr_node(&prover->exprs, b)->cond;
	const struct theory *theory = &prover->theory;

	if (one == NULL || two == NULL)
		return false;
	if (EXPR_IS_NEGATED(a) && EXPR_IS_NEGATED(b))
		return theory_implies(theory, &two->test, &one->test);
	if (EXPR_IS_NEGATED(a))
		return false;
	if (EXPR_IS_NEGATED(b))
		return theory_excludes(theory, &one->test, &two->test);
	return theory_implies(theory, &one->test, &two->test);
}

static bool literal_implies(
    struct prover *prover, unsigned a, unsigned b, unsigned depth);

/* `or`: all branches do; `and`: one part does. */
static bool
parts_imply(struct prover *prover, unsigned a, unsigned b, unsigned depth)
{
	const struct expr_node *node = expr_node(&prover->exprs, a);
	bool is_or = EXPR_IS_NEGATED(a);

	for (size_t i = 0; i < node->kid_count; i++)
		if (literal_implies(prover, node->kids[i] ^ (unsigned)is_or, b,
			depth) != is_or)
			return !is_or;
	return is_or;
}

static bool
implies_parts(struct prover *prover, unsigned a, unsigned b, unsigned depth)
{
	const struct expr_node *node = expr_node(&prover->exprs, b);
	bool is_or = EXPR_IS_NEGATED(b);

	for (size_t i = 0; i < node->kid_count; i++)
		if (literal_implies(prover, a, node->kids[i] ^ (unsigned)is_or,
			depth) == is_or)
			return is_or;
	return !is_or;
}

static bool
literal_implies(struct prover *prover, unsigned a, unsigned b, unsigned depth)
{
	const struct expr_node *one = expr_node(&prover->exprs, a);
	const struct expr_node *two = expr_node(&prover->exprs, b);

	if (a == b)
		return true;
	if (depth == 0 || !take_step(prover))
		return false;
	if (one->kid_count > 0 && parts_imply(prover, a, b, depth - 1))
		return true;
	if (two->kid_count > 0)
		return implies_parts(prover, a, b, depth - 1);
	return one->kid_count == 0 && tests_imply(prover, a, b);
}

/* Fields with one value: what all facts together leave of it. */

static bool
is_on_slot(const struct prover *prover, unsigned literal, size_t slot)
{
	const struct expr_node *node = expr_node(&prover->exprs, literal);

	return node->cond != NULL && node->cond->test.slot == slot;
}

static const struct fact *
last_on_slot(const struct prover *prover, size_t slot)
{
	for (size_t i = prover->count; i-- > 0;)
		if (is_on_slot(prover, prover->facts[i].literal, slot))
			return &prover->facts[i];
	return NULL;
}

/* False where it cannot be told. */
static bool
narrow_numbers(const struct prover *prover, const struct fact *fact,
    struct number_set *set)
{
	const struct test *test =
	    &expr_node(&prover->exprs, fact->literal)->cond->test;
	struct number_set all, passing;

	if (!theory_numbers(test, &all, &passing))
		return false;
	return EXPR_IS_NEGATED(fact->literal)
		   ? number_set_subtract(set, &passing)
		   : number_set_intersect(set, &passing);
}

static enum certainty
ask_numbers(struct prover *prover, const struct test *test)
{
	struct number_set left, passing;

	if (!theory_numbers(test, &left, &passing))
		return CERTAIN_NOT_KNOWN;
	for (size_t i = 0; i < prover->count; i++)
		if (is_on_slot(prover, prover->facts[i].literal, test->slot) &&
		    (!take_step(prover) ||
			!narrow_numbers(prover, &prover->facts[i], &left)))
			return CERTAIN_NOT_KNOWN;
	if (number_set_is_empty(&left))
		return CERTAIN_NOT_KNOWN;
	if (number_set_is_within(&left, &passing))
		return CERTAIN_YES;
	if (!number_set_intersect(&left, &passing))
		return CERTAIN_NOT_KNOWN;
	return number_set_is_empty(&left) ? CERTAIN_NO : CERTAIN_NOT_KNOWN;
}

/* The values that are tried; borrowed. */
struct candidates {
	struct span items[CANDIDATES_MAX];
	size_t count;
	bool is_scope; /* from the rule's accounts or mailboxes */
};

static bool
add_operands(struct candidates *candidates, const struct test *test)
{
	if (test->op != OP_IS || test->operand_count > CANDIDATES_MAX)
		return false;
	candidates->count = 0;
	for (size_t i = 0; i < test->operand_count; i++)
		candidates->items[candidates->count++] =
		    span_from_str(test->operands[i].text);
	return true;
}

static bool
add_names(struct candidates *candidates, const struct strv *names)
{
	if (names->len == 0 || names->len > CANDIDATES_MAX)
		return false;
	candidates->count = 0;
	for (size_t i = 0; i < names->len; i++) {
		if (strchr(names->items[i], '*') != NULL)
			return false;
		candidates->items[candidates->count++] =
		    span_from_str(names->items[i]);
	}
	candidates->is_scope = true;
	return true;
}

static const struct strv *
scope_of(const struct prover *prover, const struct test *test)
{
	static const struct strv none;

	if (prover->rule != NULL && strcmp(test->field->name, "account") == 0)
		return &prover->rule->accounts;
	if (prover->rule != NULL && strcmp(test->field->name, "mailbox") == 0)
		return &prover->rule->mailboxes;
	return &none;
}

/* A set that the value is surely in. */
static bool
find_candidates(const struct prover *prover, const struct test *test,
    struct candidates *candidates)
{
	for (size_t i = 0; i < prover->count; i++) {
		unsigned literal = prover->facts[i].literal;

		if (is_on_slot(prover, literal, test->slot) &&
		    !EXPR_IS_NEGATED(literal) &&
		    add_operands(candidates,
			&expr_node(&prover->exprs, literal)->cond->test))
			return true;
	}
	return add_names(candidates, scope_of(prover, test));
}

static enum certainty
value_of_literal(
    const struct prover *prover, unsigned literal, struct span value)
{
	enum certainty certainty = theory_value(&prover->theory,
	    &expr_node(&prover->exprs, literal)->cond->test, value);

	if (certainty == CERTAIN_NOT_KNOWN || !EXPR_IS_NEGATED(literal))
		return certainty;
	return certainty == CERTAIN_YES ? CERTAIN_NO : CERTAIN_YES;
}

/* Case is ignored: `is` does, too. */
static bool
is_in_scope(const struct strv *scope, struct span value)
{
	STR_AUTO text = xstrdup_span(value);

	for (char *c = text; *c != '\0'; c++)
		*c = char_to_lower(*c);
	for (size_t i = 0; i < scope->len; i++) {
		STR_AUTO pattern = xstrdup(scope->items[i]);

		for (char *c = pattern; *c != '\0'; c++)
			*c = char_to_lower(*c);
		if (mailbox_matches(pattern, text))
			return true;
	}
	return scope->len == 0;
}

/* No fact rules the value out. */
static bool
is_possible(struct prover *prover, const struct test *test, struct span value,
    bool *is_scope)
{
	for (size_t i = 0; i < prover->count; i++) {
		unsigned literal = prover->facts[i].literal;

		if (is_on_slot(prover, literal, test->slot) &&
		    take_step(prover) &&
		    value_of_literal(prover, literal, value) == CERTAIN_NO)
			return false;
	}
	if (is_in_scope(scope_of(prover, test), value))
		return true;
	*is_scope = true;
	return false;
}

static enum certainty
try_candidates(struct prover *prover, const struct test *test,
    const struct candidates *candidates, bool *is_scope)
{
	bool can_hold = false, can_fail = false, any = false;

	for (size_t i = 0; i < candidates->count; i++) {
		struct span value = candidates->items[i];
		enum certainty passes;

		if (!is_possible(prover, test, value, is_scope))
			continue;
		passes = theory_value(&prover->theory, test, value);
		any = true;
		can_hold |= passes != CERTAIN_NO;
		can_fail |= passes != CERTAIN_YES;
	}
	if (!any || (can_hold && can_fail))
		return CERTAIN_NOT_KNOWN;
	return can_hold ? CERTAIN_YES : CERTAIN_NO;
}

/* No value of the test itself is left. */
static bool
is_ruled_out(struct prover *prover, const struct test *test, bool *is_scope)
{
	struct candidates own = {.count = 0};

	if (!add_operands(&own, test))
		return false;
	for (size_t i = 0; i < own.count; i++)
		if (is_possible(prover, test, own.items[i], is_scope))
			return false;
	return own.count > 0;
}

static enum certainty
ask_value(struct prover *prover, const struct test *test, struct why *why)
{
	struct candidates candidates = {.count = 0};
	enum certainty certainty = CERTAIN_NOT_KNOWN;
	bool is_scope = false;

	if (test->field->type == FIELD_NUMBER)
		return ask_numbers(prover, test);
	if (find_candidates(prover, test, &candidates))
		certainty =
		    try_candidates(prover, test, &candidates, &is_scope);
	else if (is_ruled_out(prover, test, &is_scope))
		certainty = CERTAIN_NO;
	why->is_scope = is_scope || candidates.is_scope;
	return certainty;
}

/* Asking. */

static enum certainty
opposite(enum certainty certainty)
{
	if (certainty == CERTAIN_NOT_KNOWN)
		return certainty;
	return certainty == CERTAIN_YES ? CERTAIN_NO : CERTAIN_YES;
}

static enum certainty
ask_test(struct prover *prover, unsigned literal, struct why *why)
{
	struct expr_node *node = expr_node(&prover->exprs, literal);
	const struct test *test = &node->cond->test;
	enum certainty certainty = theory_alone(&prover->theory, node);

	if (certainty != CERTAIN_NOT_KNOWN) {
		why->is_alone = true;
	} else if (test->field->presence != FIELD_MANY) {
		certainty = ask_value(prover, test, why);
		why->fact =
		    why->is_scope ? NULL : last_on_slot(prover, test->slot);
	}
	return EXPR_IS_NEGATED(literal) ? opposite(certainty) : certainty;
}

static enum certainty
ask_facts(struct prover *prover, unsigned literal, struct why *why)
{
	for (size_t i = 0; i < prover->count; i++) {
		const struct fact *fact = &prover->facts[i];
		enum certainty certainty = CERTAIN_NOT_KNOWN;

		if (literal_implies(prover, fact->literal, literal, DEPTH_MAX))
			certainty = CERTAIN_YES;
		else if (literal_implies(prover, fact->literal,
			     EXPR_NOT(literal), DEPTH_MAX))
			certainty = CERTAIN_NO;
		if (certainty == CERTAIN_NOT_KNOWN)
			continue;
		why->fact = fact;
		why->is_same =
		    EXPR_NOT(fact->literal | 1u) == EXPR_NOT(literal | 1u);
		return certainty;
	}
	return CERTAIN_NOT_KNOWN;
}

static enum certainty ask(
    struct prover *prover, unsigned literal, unsigned depth, struct why *why);

/* Of an `and`: one part that never holds, or all that always do. */
static enum certainty
ask_parts(
    struct prover *prover, unsigned literal, unsigned depth, struct why *why)
{
	const struct expr_node *node = expr_node(&prover->exprs, literal);
	enum certainty all = CERTAIN_YES;

	for (size_t i = 0; i < node->kid_count; i++) {
		struct why part = {.literal = node->kids[i]};
		enum certainty one =
		    ask(prover, node->kids[i], depth - 1, &part);

		if (one == CERTAIN_NO) {
			*why = part;
			all = one;
			break;
		}
		if (one == CERTAIN_NOT_KNOWN)
			all = one;
		else if (all == CERTAIN_YES)
			*why = part;
	}
	return EXPR_IS_NEGATED(literal) ? opposite(all) : all;
}

static enum certainty
ask(struct prover *prover, unsigned literal, unsigned depth, struct why *why)
{
	enum certainty certainty;

	if (literal == EXPR_TRUE || literal == EXPR_FALSE) {
		why->is_alone = true;
		return literal == EXPR_TRUE ? CERTAIN_YES : CERTAIN_NO;
	}
	if (depth == 0 || !take_step(prover))
		return CERTAIN_NOT_KNOWN;
	certainty = ask_facts(prover, literal, why);
	if (certainty != CERTAIN_NOT_KNOWN)
		return certainty;
	if (expr_node(&prover->exprs, literal)->kid_count > 0)
		return ask_parts(prover, literal, depth, why);
	return ask_test(prover, literal, why);
}

enum certainty
prover_ask(struct prover *prover, unsigned literal, struct why *why_r)
{
	struct why why = {.literal = literal};
	enum certainty certainty = ask(prover, literal, DEPTH_MAX, &why);

	if (why_r != NULL)
		*why_r = why;
	return certainty;
}
