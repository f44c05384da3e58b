/* The door to PCRE2: flags, limits, what patterns cannot do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/fold.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"
#include "rules/pattern.h"
#include "rules/rules.h"
#include "tests/lib/no-exec.h"

#define EXIT_NOT_DENIED 77
#define EXIT_MACHINE_CODE 3
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
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

static const char *const refused[] = {"(", "\\C", "a{2,1}", "[z-a]", "\xff",
    "(?<1>a)", "(?<=a+)b", "\\", "(*FOO)a", "(*UTF)\\C", "(?C1000)", "(?1)",
    "\\g{2}(a)", "(?<n>a)(?<n>b)", "a{65536}", "(?<=a(?R))b",
    /* Small to write, large to do. */
    "((((a{999}){999}){999}){999})", "(?:(?:(?:a?){9999}){9999}){9999}"};

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
repeat(struct buf *text, const char *piece, size_t times)
{
	for (size_t i = 0; i < times; i++)
		buf_add_str(text, piece);
}

/* So many groups, side by side or within each other. */
static struct pattern *
compile_groups(size_t count, bool is_nested, struct error *error_r)
{
	BUF_AUTO text = BUF_INIT;
	size_t offset;

	repeat(&text, is_nested ? "(a" : "(a)", count);
	repeat(&text, ")", is_nested ? count : 0);
	return pattern_compile(buf_span(&text), 0, &offset, error_r);
}

static void
test_groups(void **state)
{
	struct error error = ERROR_INIT;
	struct pattern *pattern = compile_groups(RULE_GROUPS_MAX, false, NULL);

	(void)state;
	assert_non_null(pattern);
	pattern_free(&pattern);
	assert_null(compile_groups(RULE_GROUPS_MAX + 1, false, &error));
	assert_int_equal(error.fault, FAULT_LIMIT);
	assert_string_equal(error.text, "a pattern has at most 500 groups");
	assert_null(compile_groups(RULE_GROUPS_MAX, true, &error));
	assert_string_not_equal(error.text, "");
}

/* Each by machine code and by the interpreter; the value is a piece, often,
 * and an end. */
static const struct {
	const char *pattern, *piece;
	size_t times;
	const char *end;
} explosions[] = {
    {"^(a+)+$", "a", 50, "!"},
    {"^(a|aa)+$", "a", 50, "!"},
    {"^(a|a?)+$", "a", 50, "!"},
    {"^(.*)*(.*)*(.*)*z$", "a", 2000, ""},
    {"^(?:(\\w+)\\s?)+$", "word", 20, "!"},
    {"^(?=(a+)+$)b|a", "b", 1, ""},
    {"^((a?){30}){30}$", "a", 900, "!"},
    {"(a?(?R))", "a", 10, ""},
    {"^(\\((?1)*)", "(", 8000, ""},
    {"^(?:a(?=.*z))*$", "a", 5000, ""},
};

static enum pattern_result
explode(struct pattern_room *room, size_t i, const char *verb)
{
	BUF_AUTO text = BUF_INIT;
	BUF_AUTO subject = BUF_INIT;
	struct pattern *pattern;
	enum pattern_result result;
	size_t offset;

	buf_addf(&text, "%s%s", verb, explosions[i].pattern);
	repeat(&subject, explosions[i].piece, explosions[i].times);
	buf_add_str(&subject, explosions[i].end);
	pattern = pattern_compile(buf_span(&text), 0, &offset, NULL);
	if (pattern == NULL)
		fail_msg("%s is refused", buf_str(&text));
	result = pattern_match(pattern, room, buf_span(&subject));
	pattern_free(&pattern);
	return result;
}

/* None of them matches in truth, or could be found to: a limit says so. What
 * holds without the limits is in the library's own hands. */
static void
test_explosions(void **state)
{
	static const char *const verbs[] = {"", "(*NO_JIT)", "(*NO_START_OPT)",
	    "(*NO_AUTO_POSSESS)",
	    ("(*LIMIT_MATCH=4000000000)(*LIMIT_DEPTH=4000000000)"
	     "(*LIMIT_HEAP=4000000000)")};
	struct pattern_room *room = pattern_room_new();
	size_t limits = 0, rounds = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(explosions); i++)
		for (size_t k = 0; k < COUNT(verbs); k++) {
			enum pattern_result result = explode(room, i, verbs[k]);

			rounds++;
			limits += result == PATTERN_LIMIT;
			if (result == PATTERN_YES && i != 8)
				fail_msg("%s%s matches", verbs[k],
				    explosions[i].pattern);
		}
	print_message("%zu of %zu met a limit\n", limits, rounds);
	assert_true(limits > rounds / 2);
	pattern_room_free(&room);
}

/* 500 groups in each frame, and a frame for each character: more than the
 * heap may have, less than the depth. */
static void
test_heap(void **state)
{
	struct pattern_room *room = pattern_room_new();
	struct pattern *pattern;
	BUF_AUTO text = BUF_INIT;
	BUF_AUTO subject = BUF_INIT;
	size_t offset;

	(void)state;
	buf_add_str(&text, "(*NO_JIT)^(?:(a)|b)*c|z");
	repeat(&text, "(q)?", RULE_GROUPS_MAX - 1);
	repeat(&subject, "a", 1500);
	buf_add_str(&subject, "c");
	pattern = pattern_compile(buf_span(&text), 0, &offset, NULL);
	assert_non_null(pattern);
	assert_int_equal(
	    pattern_match(pattern, room, buf_span(&subject)), PATTERN_LIMIT);
	assert_int_equal(
	    pattern_match(pattern, room, SPAN("aaac")), PATTERN_YES);
	pattern_free(&pattern);
	pattern_room_free(&room);
}

/* ---- without machine code ------------------------------------------ */

static const char *const twin_patterns[] = {
    "",
    "a",
    "^(?<x>\\w+)@(?<y>[\\w.-]+)$",
    "\\[(?<x>[^\\]]+)\\]\\s*(?<y>.*)",
    "(?<x>\xc3\xa4|\xc3\xb6)+",
    "^.$",
    "^\\p{Lu}(?<x>\\p{L}*)",
    "(?<x>a|ab)(?<y>c|bcd)(d*)$",
    "(?<=\\d{3})-(?<x>\\d+)",
    "(?i)stra(?<x>\xc3\x9f|ss)",
    "(?<x>(\\((?:[^()]|(?2))*\\)))",
    "(?>a+)b|(?<x>a+c)",
    "^(?!.*spam)(?<x>.+)",
    "(?<x>.)\\1",
    "(?J)(?<x>a)|(?<x>b)",
    "\\bre:\\s*(?<x>.*)$",
    "(?<x>\\X)$",
    "(*COMMIT)b|a",
    "a(*SKIP)(*FAIL)|(?<x>.)",
    "(*UTF)(*UCP)^\\w+$",
    "(a)?(?(1)b|(?<x>c))",
    "^(?<x>a{2,5}?)(?<y>a*+)$",
};
static const char *const twin_values[] = {
    "",
    "a",
    "aaaaaa",
    "aaac",
    "abcd",
    "bob@example.org",
    "[list] Re: hello (a (b) c)",
    "STRASSE Stra\xc3\x9f",
    "\xc3\x84\xc3\xb6",
    "555-1234",
    "e\xcc\x81",
    "\xf0\x9f\x98\x80\xf0\x9f\x98\x80",
    "this is spam",
    "a\nb",
    "\t \x01",
};

/* "yes x=a", for each pattern with each value. */
static void
add_twin(struct buf *out, struct pattern_room *room,
    const struct pattern *pattern, struct span subject)
{
	enum pattern_result result = pattern_match(pattern, room, subject);
	struct span value;

	buf_addf(out, "%d", (int)result);
	if (result != PATTERN_YES)
		return;
	for (size_t i = 0; i < pattern_name_count(pattern); i++)
		if (pattern_get(pattern, room, subject, i, &value))
			buf_addf(out, " %s=%.*s", pattern_name(pattern, i),
			    SPAN_FMT(value));
}

/* A plain text at the very end of a long value. */
static void
add_literal_twin(struct buf *out, struct pattern_room *room)
{
	struct pattern *pattern =
	    pattern_compile_literal(SPAN("M\xc3\x9cLLER"), false);
	BUF_AUTO subject = BUF_INIT;

	while (subject.len < PATTERN_SUBJECT_JIT_MAX)
		buf_add_str(&subject, "Hello m\xc3\xbcll\xc3\xa9r. ");
	buf_add_str(&subject, "m\xc3\xbcller");
	buf_add_str(out, "\nliteral: ");
	add_twin(out, room, pattern, buf_span(&subject));
	pattern_free(&pattern);
}

/* Returns how many patterns became machine code. */
static size_t
match_twins(struct buf *out)
{
	struct pattern_room *room = pattern_room_new();
	size_t machine = 0, offset;

	for (size_t i = 0; i < COUNT(twin_patterns); i++) {
		struct pattern *pattern = pattern_compile(
		    span_from_str(twin_patterns[i]), 0, &offset, NULL);

		assert_non_null(pattern);
		machine += pattern_has_machine_code(pattern);
		for (size_t k = 0; k < COUNT(twin_values); k++) {
			buf_addf(out, "\n%s, %s: ", twin_patterns[i],
			    twin_values[k]);
			add_twin(
			    out, room, pattern, span_from_str(twin_values[k]));
		}
		pattern_free(&pattern);
	}
	add_literal_twin(out, room);
	assert_true(span_ends_nocase(buf_span(out), "literal: 1"));
	/* The limits are on, too. */
	for (size_t i = 0; i < 3; i++)
		buf_addf(out, "\n%d", (int)explode(room, i, ""));
	pattern_room_free(&room);
	return machine;
}

/* What this program says as `test-rules-pattern denied WAY`, a process of its
 * own: one that had machine code before may have room left for more. */
static int
match_denied(const char *way)
{
	BUF_AUTO got = BUF_INIT;

	if (!no_exec_deny(strcmp(way, "filter") == 0) || no_exec_is_allowed())
		return EXIT_NOT_DENIED;
	if (match_twins(&got) != 0)
		return EXIT_MACHINE_CODE;
	return fwrite(got.data, 1, got.len, stdout) == got.len ? EXIT_SUCCESS
							       : EXIT_FAILURE;
}

static int
run_denied(struct buf *out, const char *way)
{
	int ends[2], status = 0;
	char bytes[4096];
	ssize_t len;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		execl("/proc/self/exe", "self", "denied", way, (char *)NULL);
		_exit(EXIT_FAILURE);
	}
	close(ends[1]);
	while ((len = read(ends[0], bytes, sizeof(bytes))) > 0)
		buf_add(out, bytes, (size_t)len);
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
test_no_machine_code(void **state)
{
	static const char *const ways[] = {"kernel", "filter"};
	BUF_AUTO expected = BUF_INIT;
	size_t machine = match_twins(&expected), denied = 0;

	(void)state;
	/* There is something to lose. */
	if (machine == 0)
		print_message("no machine code on this machine at all\n");
	else
		assert_int_equal(machine, COUNT(twin_patterns));
	for (size_t i = 0; i < COUNT(ways); i++) {
		BUF_AUTO got = BUF_INIT;
		int status = run_denied(&got, ways[i]);

		if (status == EXIT_NOT_DENIED)
			continue;
		assert_int_equal(status, EXIT_SUCCESS);
		assert_string_equal(buf_str(&got), buf_str(&expected));
		denied++;
	}
	if (denied == 0)
		skip();
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
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_match),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_groups),
	    cmocka_unit_test(test_explosions),
	    cmocka_unit_test(test_heap),
	    cmocka_unit_test(test_no_machine_code),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_long),
	    cmocka_unit_test(test_literal),
	    cmocka_unit_test(test_case_of_lists),
	};

	if (argc == 3 && strcmp(argv[1], "denied") == 0)
		return match_denied(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
