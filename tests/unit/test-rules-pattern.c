/* The door to PCRE2: flags, limits, what patterns cannot do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "daemon/base/fold.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"
#include "rules/pattern.h"
#include "rules/rules.h"

#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *pattern;
	unsigned flags;
	const char *subject;
	enum pattern_result result;
} cases[] = {
    {"abc", 0, "xABCx", PATTERN_YES},
    {"abc", PATTERN_CASE, "xABCx", PATTERN_NO},
    {"\xc3\xa4", 0, "\xc3\x84", PATTERN_YES},
    {"^\\w$", 0, "\xc3\x84", PATTERN_YES}, /* UCP */
    {"^.$", 0, "\xc3\x84", PATTERN_YES},   /* UTF */
    {"a.b", 0, "a\nb", PATTERN_NO},
    {"a.b", PATTERN_DOTALL, "a\nb", PATTERN_YES},
    {"^b", 0, "a\nb", PATTERN_NO},
    {"^b", PATTERN_LINES, "a\nb", PATTERN_YES},
    {"a b # c", PATTERN_EXTENDED, "ab", PATTERN_YES},
    {"", 0, "", PATTERN_YES},
    /* The limits hold, whatever the pattern asks for. */
    {"^(([a-z])+.)+[A-Z]([a-z])+$", PATTERN_CASE, A50, PATTERN_LIMIT},
    {"(*LIMIT_MATCH=999999999)^(([a-z])+.)+[A-Z]([a-z])+$", PATTERN_CASE, A50,
	PATTERN_LIMIT},
    {"(*NO_JIT)^(([a-z])+.)+[A-Z]([a-z])+$", PATTERN_CASE, A50, PATTERN_LIMIT},
    {"(*NO_JIT)(*LIMIT_DEPTH=999999999)(*LIMIT_HEAP=99999999)^(a|aa)+\\d$", 0,
	A50, PATTERN_LIMIT},
    /* More steps than the limit, fewer than the library's own. */
    {"(*NO_JIT)^(([a-z])+.)+[A-Z]([a-z])+$", PATTERN_CASE,
	"aaaaaaaaaaaaaaaaaaaaa", PATTERN_LIMIT},
    {"(*LIMIT_MATCH=1)(a|aa)+\\d", 0, A50, PATTERN_LIMIT},
    /* A callout calls nobody. */
    {"a(?C1)b", 0, "ab", PATTERN_YES},
};

static const char *const refused[] = {
    "(", "\\C", "a{2,1}", "[z-a]", "\xff", "(?<1>a)", "(?<=a+)b", "\\"};

static void
test_match(void **state)
{
	struct pattern_room *room = pattern_room_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t offset;
		struct pattern *pattern =
		    pattern_compile(span_from_str(cases[i].pattern),
			cases[i].flags, &offset, NULL);
		enum pattern_result result;

		assert_non_null(pattern);
		result = pattern_match(
		    pattern, room, span_from_str(cases[i].subject));
		if (result != cases[i].result)
			fail_msg("%s: %d", cases[i].pattern, (int)result);
		pattern_free(&pattern);
	}
	pattern_room_free(&room);
}

static void
test_refused(void **state)
{
	BUF_AUTO big = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		struct error error = ERROR_INIT;
		size_t offset = SIZE_MAX;

		if (pattern_compile(
			span_from_str(refused[i]), 0, &offset, &error) != NULL)
			fail_msg("%s is taken", refused[i]);
		assert_true(offset <= strlen(refused[i]));
		assert_true(error.text[0] != '\0');
	}
	for (size_t i = 0; i <= RULE_PATTERN_MAX; i++)
		buf_add_char(&big, 'a');
	{
		struct error error = ERROR_INIT;
		size_t offset;

		assert_null(
		    pattern_compile(buf_span(&big), 0, &offset, &error));
		assert_int_equal(error.fault, FAULT_LIMIT);
	}
}

static void
test_names(void **state)
{
	struct pattern_room *room = pattern_room_new();
	struct pattern *pattern;
	struct span subject = SPAN("key=value"), value;
	size_t offset;

	(void)state;
	pattern = pattern_compile(
	    SPAN("(?<k>\\w+)=(?<v>\\w+)(?<z>!)?"), 0, &offset, NULL);
	assert_int_equal(pattern_name_count(pattern), 3);
	assert_string_equal(pattern_name(pattern, 0), "k");
	assert_int_equal(pattern_match(pattern, room, subject), PATTERN_YES);
	assert_true(pattern_get(pattern, room, subject, 0, &value));
	assert_true(span_is(value, "key"));
	assert_true(pattern_get(pattern, room, subject, 1, &value));
	assert_true(span_is(value, "value"));
	assert_false(pattern_get(pattern, room, subject, 2, &value));
	pattern_free(&pattern);
	pattern_room_free(&room);
}

/* What is too long to be seen whole is never a silent no. */
static void
test_long(void **state)
{
	struct pattern_room *room = pattern_room_new();
	BUF_AUTO subject = BUF_INIT;
	struct pattern *pattern;
	size_t offset;

	(void)state;
	buf_add_str(&subject, "begin ");
	while (subject.len < PATTERN_SUBJECT_JIT_MAX + 10)
		buf_add_str(&subject, "\xc3\xa4");
	buf_add_str(&subject, "end");
	pattern = pattern_compile(SPAN("^begin"), 0, &offset, NULL);
	assert_int_equal(
	    pattern_match(pattern, room, buf_span(&subject)), PATTERN_YES);
	pattern_free(&pattern);
	pattern = pattern_compile(SPAN("end$"), 0, &offset, NULL);
	assert_int_equal(
	    pattern_match(pattern, room, buf_span(&subject)), PATTERN_LIMIT);
	pattern_free(&pattern);
	/* The end of what is seen is not the end of the value. */
	pattern = pattern_compile(SPAN("\xc3\xa4$"), 0, &offset, NULL);
	assert_int_equal(
	    pattern_match(pattern, room, buf_span(&subject)), PATTERN_LIMIT);
	pattern_free(&pattern);
	/* More than the machine code's stack holds: the interpreter sees
	 * less. */
	pattern = pattern_compile(SPAN("^(.|\\n)*zz$"), 0, &offset, NULL);
	assert_int_equal(
	    pattern_match(pattern, room, buf_span(&subject)), PATTERN_LIMIT);
	pattern_free(&pattern);
	pattern_room_free(&room);
}

static void
test_literal(void **state)
{
	struct pattern_room *room = pattern_room_new();
	struct pattern *has =
	    pattern_compile_literal(SPAN("(\xc3\xa4)"), false);
	struct pattern *is = pattern_compile_literal(SPAN("(\xc3\xa4)"), true);

	(void)state;
	assert_int_equal(
	    pattern_match(has, room, SPAN("x(\xc3\x84)y")), PATTERN_YES);
	assert_int_equal(
	    pattern_match(has, room, SPAN("\xc3\x84")), PATTERN_NO);
	assert_int_equal(
	    pattern_match(is, room, SPAN("(\xc3\x84)")), PATTERN_YES);
	assert_int_equal(
	    pattern_match(is, room, SPAN("(\xc3\x84)\n")), PATTERN_NO);
	pattern_free(&has);
	pattern_free(&is);
	pattern_room_free(&room);
}

/* Lists compare folded texts, `is` compares by PCRE2: to both a letter is the
 * same in any case. */
static void
test_case_of_lists(void **state)
{
	struct pattern_room *room = pattern_room_new();

	(void)state;
	for (uint32_t code = 0x80; code < 0x20000; code++) {
		BUF_AUTO one = BUF_INIT;
		BUF_AUTO other = BUF_INIT;
		struct pattern *pattern;

		if (fold_code(code) == code)
			continue;
		utf8_add(&one, code);
		utf8_add(&other, fold_code(code));
		pattern = pattern_compile_literal(buf_span(&one), true);
		if (pattern_match(pattern, room, buf_span(&other)) !=
		    PATTERN_YES)
			fail_msg("U+%04X", code);
		pattern_free(&pattern);
	}
	pattern_room_free(&room);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_match),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_long),
	    cmocka_unit_test(test_literal),
	    cmocka_unit_test(test_case_of_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
