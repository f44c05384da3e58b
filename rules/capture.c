#include "rules/capture.h"

#include "daemon/base/xalloc.h"
#include "rules/pattern_text.h"

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

/* Names by number, one bit each. */
_Static_assert(RULE_CAPTURES_MAX < 64, "a set of names has 64 bits");
#define ALL_NAMES UINT64_MAX

static bool
add(struct captures *captures, const struct source *source,
    const struct test *test, const char *name, size_t *index_r)
{
	const struct pattern_source pattern = {
	    test->pattern, test->pattern_text, test->pattern_flags};
	size_t index = captures_find(captures, span_from_str(name));

	if (index == SIZE_MAX) {
		if (captures->names.len == RULE_CAPTURES_MAX)
			return source_error(source, 0, NULL,
			    "a rule has at most %d named groups",
			    RULE_CAPTURES_MAX);
		index = captures->names.len;
		strv_add(&captures->names, name);
		captures->is_certain[index] = false;
		captures->places[index] = test->pattern_place;
		captures->is_optional[index] =
		    pattern_text_may_lack(&pattern, name);
	}
	*index_r = index;
	return true;
}

static void
add_never(struct captures *captures, const struct test *test)
{
	for (size_t i = 0; i < pattern_name_count(test->pattern); i++)
		strv_add(&captures->never, pattern_name(test->pattern, i));
}

/* *set_r: the names that a match sets. */
static bool
collect_test(struct captures *captures, const struct source *source,
    struct test *test, uint64_t *set_r)
{
	const struct pattern_source pattern = {
	    test->pattern, test->pattern_text, test->pattern_flags};
	size_t count = pattern_name_count(test->pattern);

	test->captures = xcalloc(count + 1, sizeof(*test->captures));
	for (size_t i = 0; i < count; i++) {
		const char *name = pattern_name(test->pattern, i);

		if (!add(captures, source, test, name, &test->captures[i]))
			return false;
		if (!pattern_text_may_lack(&pattern, name))
			*set_r |= UINT64_C(1) << test->captures[i];
	}
	return true;
}

/* *set_r: the names that are set wherever the condition holds: what one part
 * of an `and` sets, or all branches of an `or`. */
static bool
collect(struct captures *captures, const struct source *source,
    struct cond *cond, bool is_negated, uint64_t *set_r)
{
	bool is_or = cond->kind == COND_OR;

	*set_r = is_or ? ALL_NAMES : 0;
	is_negated |= cond->kind == COND_NOT;
	if (cond->test.pattern != NULL) {
		if (!is_negated && cond->test.op == OP_MATCH)
			return collect_test(
			    captures, source, &cond->test, set_r);
		add_never(captures, &cond->test);
	}
	for (size_t i = 0; i < cond->kid_count; i++) {
		uint64_t set;

		if (!collect(captures, source, cond->kids[i], is_negated, &set))
			return false;
		*set_r = is_or ? *set_r & set : *set_r | set;
	}
	return true;
}

bool
captures_collect(
    struct captures *captures, const struct source *source, struct cond *cond)
{
	uint64_t set;

	if (!collect(captures, source, cond, false, &set))
		return false;
	for (size_t i = 0; i < captures->names.len; i++)
		if ((set >> i & 1) != 0)
			captures->is_certain[i] = true;
	return true;
}
