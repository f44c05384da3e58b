#include "rules/cond.h"

#include "daemon/base/xalloc.h"

struct cond *
cond_new(enum cond_kind kind)
{
	struct cond *cond = NEW(struct cond);

	cond->kind = kind;
	return cond;
}

static void
test_done(struct test *test)
{
	for (size_t i = 0; i < test->operand_count; i++) {
		free(test->operands[i].text);
		pattern_free(&test->operands[i].literal);
	}
	free(test->operands);
	pattern_free(&test->pattern);
	free(test->pattern_text);
	free(test->captures);
}

/* As deep as the parser let it become: RULE_NESTING_MAX. */
void
cond_free(struct cond **cond)
{
	struct cond *c = *cond;

	if (c == NULL)
		return;
	for (size_t i = 0; i < c->kid_count; i++)
		cond_free(&c->kids[i]);
	free(c->kids);
	test_done(&c->test);
	free(c->text);
	free(c);
	*cond = NULL;
}

void
cond_add(struct cond *cond, struct cond *kid)
{
	cond->kids = xreallocarray(
	    cond->kids, cond->kid_count + 1, sizeof(struct cond *));
	cond->kids[cond->kid_count++] = kid;
}

struct operand *
test_add_operand(struct test *test)
{
	test->operands = xreallocarray(
	    test->operands, test->operand_count + 1, sizeof(*test->operands));
	test->operands[test->operand_count] = (struct operand){0};
	return &test->operands[test->operand_count++];
}
