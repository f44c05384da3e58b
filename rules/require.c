#include "rules/require.h"

#include "daemon/base/xalloc.h"

void
terms_done(struct terms *terms)
{
	free(terms->items);
	*terms = (struct terms){0};
}

static void
add_term(struct terms *terms, struct term term)
{
	if (terms->count == terms->cap) {
		terms->cap = terms->cap == 0 ? 4 : 2 * terms->cap;
		terms->items = xreallocarray(
		    terms->items, terms->cap, sizeof(*terms->items));
	}
	terms->items[terms->count++] = term;
}

/* ---- One test ---- */

static void
add_texts(struct terms *terms, struct term term, const struct strv *literals)
{
	for (size_t i = 0; i < literals->len; i++) {
		memcpy(term.text, literals->items[i],
		    strlen(literals->items[i]) + 1);
		add_term(terms, term);
	}
}

static void
require_pattern(const struct test *test, struct term term, struct terms *terms)
{
	term.kind = TERM_PATTERN;
	term.seen_max = pattern_subject_max(test->pattern);
	add_texts(terms, term, pattern_literals(test->pattern));
}

/* All operands must have something. */
static void
require_texts(const struct test *test, struct term term, struct terms *terms)
{
	term.kind = TERM_TEXT;
	for (size_t i = 0; i < test->operand_count; i++) {
		STRV_AUTO literals = STRV_INIT;

		literals_of_text(
		    &literals, span_from_str(test->operands[i].text));
		if (literals.len == 0) {
			terms_done(terms);
			return;
		}
		add_texts(terms, term, &literals);
	}
}

static void
require_members(const struct test *test, struct term term, struct terms *terms)
{
	term.kind = TERM_MEMBERS;
	for (size_t i = 0; i < test->operand_count; i++) {
		term.members = test->operands[i].members;
		add_term(terms, term);
	}
}

static void
require_test(const struct test *test, struct terms *terms)
{
	struct term term = {
	    .kind = TERM_ANY, .slot = test->slot, .part = test->part};

	/* Asking these costs no more than asking whether to ask. */
	if (test->field->type == FIELD_FACT ||
	    test->field->type == FIELD_NUMBER || test->op == OP_NOT_MATCH)
		return;
	if (test->op == OP_MATCH)
		require_pattern(test, term, terms);
	else if (test->op == OP_IS || test->op == OP_HAS)
		require_texts(test, term, terms);
	else if (test->op == OP_IN)
		require_members(test, term, terms);
	if (terms->count == 0 || terms->count > REQUIRE_TERMS_MAX) {
		terms_done(terms);
		add_term(terms, term);
	}
}

/* ---- The tree ---- */

static void require_cond(const struct cond *cond, struct terms *terms);

/* Runs no pattern, so it cannot fail and costs nothing of the budget. */
static bool
is_free(const struct cond *cond)
{
	if (cond->kind == COND_TEST && cond->test.pattern != NULL)
		return false;
	for (size_t i = 0;
	     cond->kind == COND_TEST && i < cond->test.operand_count; i++)
		if (cond->test.operands[i].literal != NULL)
			return false;
	for (size_t i = 0; i < cond->kid_count; i++)
		if (!is_free(cond->kids[i]))
			return false;
	return true;
}

/* The rarer what is asked for, the more; 0: nothing is. */
static size_t
score(const struct terms *terms)
{
	size_t shortest = LITERAL_MAX;

	for (size_t i = 0; i < terms->count; i++) {
		const struct term *term = &terms->items[i];
		size_t len = strlen(term->text);

		/* A member is rarer than any value. */
		if (len == 0)
			len = term->kind == TERM_MEMBERS ? 2 : 1;

		shortest = len < shortest ? len : shortest;
	}
	return terms->count > 0 ? shortest : 0;
}

static void
keep_better(struct terms *best, struct terms *other)
{
	if (score(other) > score(best)) {
		terms_done(best);
		*best = *other;
		*other = (struct terms){0};
	}
	terms_done(other);
}

/*
 * The best of those that must all hold. One that stands behind a pattern is
 * of no use: the pattern is run first, and may meet a limit.
 */
static void
require_all(struct cond *const *conds, size_t count, struct terms *terms)
{
	for (size_t i = 0; i < count; i++) {
		struct terms one = {0};

		require_cond(conds[i], &one);
		keep_better(terms, &one);
		if (!is_free(conds[i]))
			break;
	}
}

static void
require_one(struct cond *const *conds, size_t count, struct terms *terms)
{
	for (size_t i = 0; i < count; i++) {
		struct terms one = {0};

		require_cond(conds[i], &one);
		for (size_t j = 0; j < one.count; j++)
			add_term(terms, one.items[j]);
		if (one.count == 0 || terms->count > REQUIRE_TERMS_MAX) {
			terms_done(&one);
			terms_done(terms);
			return;
		}
		terms_done(&one);
	}
}

/* `terms` is empty. */
static void
require_cond(const struct cond *cond, struct terms *terms)
{
	switch (cond->kind) {
	case COND_TEST:
		require_test(&cond->test, terms);
		break;
	case COND_AND:
		require_all(cond->kids, cond->kid_count, terms);
		break;
	case COND_OR:
		require_one(cond->kids, cond->kid_count, terms);
		break;
	case COND_ALL:
	case COND_NOT:
		break;
	}
}

void
require_of_rule(const struct rule *rule, struct terms *terms_r)
{
	*terms_r = (struct terms){0};
	require_all(rule->when, rule->when_count, terms_r);
}
