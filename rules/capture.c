#include "rules/capture.h"

#include "daemon/base/xalloc.h"

void
captures_done(struct captures *captures)
{
	strv_done(&captures->names);
	strv_done(&captures->never);
}

size_t
captures_find(const struct captures *captures, struct span name)
{
	for (size_t i = 0; i < captures->names.len; i++)
		if (span_is(name, captures->names.items[i]))
			return i;
	return SIZE_MAX;
}

static bool
add(struct captures *captures, const struct source *source, const char *name,
    bool is_certain, size_t *index_r)
{
	size_t index = captures_find(captures, span_from_str(name));

	if (index == SIZE_MAX) {
		if (captures->names.len == RULE_CAPTURES_MAX)
			return source_error(source, 0, NULL,
			    "a rule has at most %d named groups",
			    RULE_CAPTURES_MAX);
		index = captures->names.len;
		strv_add(&captures->names, name);
		captures->is_certain[index] = false;
	}
	captures->is_certain[index] |= is_certain;
	*index_r = index;
	return true;
}

static bool
collect_test(struct captures *captures, const struct source *source,
    struct test *test, bool is_certain, bool is_negated)
{
	size_t count;

	if (test->pattern == NULL)
		return true;
	count = pattern_name_count(test->pattern);
	if (is_negated || test->op == OP_NOT_MATCH) {
		for (size_t i = 0; i < count; i++)
			strv_add(
			    &captures->never, pattern_name(test->pattern, i));
		return true;
	}
	test->captures = xcalloc(count + 1, sizeof(*test->captures));
	for (size_t i = 0; i < count; i++)
		if (!add(captures, source, pattern_name(test->pattern, i),
			is_certain, &test->captures[i]))
			return false;
	return true;
}

static bool
collect(struct captures *captures, const struct source *source,
    struct cond *cond, bool is_certain, bool is_negated)
{
	if (cond->kind == COND_TEST)
		return collect_test(
		    captures, source, &cond->test, is_certain, is_negated);
	if (cond->kind == COND_OR)
		is_certain = false;
	if (cond->kind == COND_NOT)
		is_negated = true;
	for (size_t i = 0; i < cond->kid_count; i++)
		if (!collect(captures, source, cond->kids[i], is_certain,
			is_negated))
			return false;
	return true;
}

bool
captures_collect(
    struct captures *captures, const struct source *source, struct cond *cond)
{
	return collect(captures, source, cond, true, false);
}
