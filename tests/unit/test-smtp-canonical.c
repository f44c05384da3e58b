/*
 * Canonical text and dot-stuffing: what goes out is one message to every
 * receiver, however it reads line ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/wire/smtp/canonical.h"
#include "tests/lib/splitter.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *name;
	struct span input;
	struct span canonical;
	struct span stuffed;
} cases[] = {
    {"empty", SPAN_INIT(""), SPAN_INIT(""), SPAN_INIT("")},
    {"no line end", SPAN_INIT("a"), SPAN_INIT("a\r\n"), SPAN_INIT("a\r\n")},
    {"canonical", SPAN_INIT("a\r\nb\r\n"), SPAN_INIT("a\r\nb\r\n"),
	SPAN_INIT("a\r\nb\r\n")},
    {"LF", SPAN_INIT("a\nb\n"), SPAN_INIT("a\r\nb\r\n"),
	SPAN_INIT("a\r\nb\r\n")},
    {"CR", SPAN_INIT("a\rb\r"), SPAN_INIT("a\r\nb\r\n"),
	SPAN_INIT("a\r\nb\r\n")},
    {"LF.LF", SPAN_INIT("a\n.\nb"), SPAN_INIT("a\r\n.\r\nb\r\n"),
	SPAN_INIT("a\r\n..\r\nb\r\n")},
    {"LF.CRLF", SPAN_INIT("a\n.\r\nb"), SPAN_INIT("a\r\n.\r\nb\r\n"),
	SPAN_INIT("a\r\n..\r\nb\r\n")},
    {"CRLF.LF", SPAN_INIT("a\r\n.\nb"), SPAN_INIT("a\r\n.\r\nb\r\n"),
	SPAN_INIT("a\r\n..\r\nb\r\n")},
    {"CR.CR", SPAN_INIT("a\r.\rb"), SPAN_INIT("a\r\n.\r\nb\r\n"),
	SPAN_INIT("a\r\n..\r\nb\r\n")},
    {"CR.CRLF", SPAN_INIT("a\r.\r\nb"), SPAN_INIT("a\r\n.\r\nb\r\n"),
	SPAN_INIT("a\r\n..\r\nb\r\n")},
    {"LF.CR", SPAN_INIT("a\n.\rb"), SPAN_INIT("a\r\n.\r\nb\r\n"),
	SPAN_INIT("a\r\n..\r\nb\r\n")},
    {"CRLF.CRLF", SPAN_INIT("a\r\n.\r\nb"), SPAN_INIT("a\r\n.\r\nb\r\n"),
	SPAN_INIT("a\r\n..\r\nb\r\n")},
    {"CRCRLF.CRCRLF", SPAN_INIT("a\r\r\n.\r\r\nb"),
	SPAN_INIT("a\r\n\r\n.\r\n\r\nb\r\n"),
	SPAN_INIT("a\r\n\r\n..\r\n\r\nb\r\n")},
    {"LFCR.LFCR", SPAN_INIT("a\n\r.\n\rb"),
	SPAN_INIT("a\r\n\r\n.\r\n\r\nb\r\n"),
	SPAN_INIT("a\r\n\r\n..\r\n\r\nb\r\n")},
    {"dot first", SPAN_INIT(".a"), SPAN_INIT(".a\r\n"), SPAN_INIT("..a\r\n")},
    {"dot only", SPAN_INIT("."), SPAN_INIT(".\r\n"), SPAN_INIT("..\r\n")},
    {"dots only", SPAN_INIT("...\r\n"), SPAN_INIT("...\r\n"),
	SPAN_INIT("....\r\n")},
    {"dot inside", SPAN_INIT("a.b\r\n"), SPAN_INIT("a.b\r\n"),
	SPAN_INIT("a.b\r\n")},
    {"CR at the end", SPAN_INIT("a\r"), SPAN_INIT("a\r\n"), SPAN_INIT("a\r\n")},
    {"line ends only", SPAN_INIT("\r\n\n\r"), SPAN_INIT("\r\n\r\n\r\n"),
	SPAN_INIT("\r\n\r\n\r\n")},
};

static void
play(void *ctx, const struct span *chunks, size_t count, struct buf *trace)
{
	struct canonical c;

	canonical_init(&c, *(bool *)ctx);
	for (size_t i = 0; i < count; i++)
		canonical_add(&c, chunks[i], trace);
	canonical_finish(&c, trace);
}

static bool
check(size_t i, bool stuff)
{
	BUF_AUTO out = BUF_INIT;
	struct span want = stuff ? cases[i].stuffed : cases[i].canonical;

	play(&stuff, &cases[i].input, 1, &out);
	return span_equal(buf_span(&out), want) &&
	       split_run(cases[i].name, cases[i].input, 3, play, &stuff);
}

static void
test_cases(void **state)
{
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct canonical_facts f = canonical_measure(cases[i].input);

		if (!check(i, false) || !check(i, true) ||
		    f.size != cases[i].canonical.len) {
			print_error("%s\n", cases[i].name);
			failures++;
		}
	}
	assert_int_equal(failures, 0);
}

static void
test_facts(void **state)
{
	struct canonical_facts f;

	(void)state;
	f = canonical_measure(SPAN("a\r\nb\n\r\xc3\xa4"));
	assert_int_equal(f.rewritten, 2);
	assert_true(f.has_8bit);
	assert_false(f.has_nul);
	f = canonical_measure(SPAN("a\0b"));
	assert_true(f.has_nul);
	assert_false(f.has_8bit);
}

/* Every text of six characters out of the dangerous ones: what is sent ends
 * lines with CRLF alone, and holds no lone dot between any two line ends. */
static bool
is_one_message(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		bool cr = s.data[i] == '\r', lf = s.data[i] == '\n';

		if (cr && (i + 1 == s.len || s.data[i + 1] != '\n'))
			return false;
		if (lf && (i == 0 || s.data[i - 1] != '\r'))
			return false;
		if (s.data[i] == '.' && (i == 0 || s.data[i - 1] == '\n') &&
		    (i + 1 == s.len || s.data[i + 1] == '\r'))
			return false;
	}
	return true;
}

static void
test_exhaustive(void **state)
{
	static const char alphabet[] = "\r\n.a";
	char text[6];
	struct canonical c;

	(void)state;
	for (unsigned n = 0; n < 4096; n++) {
		BUF_AUTO out = BUF_INIT;

		for (unsigned i = 0, rest = n; i < 6; i++, rest /= 4)
			text[i] = alphabet[rest % 4];
		canonical_init(&c, true);
		canonical_add(&c, span_from(text, 6), &out);
		canonical_finish(&c, &out);
		if (!is_one_message(buf_span(&out)))
			fail_msg("text %u", n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cases),
	    cmocka_unit_test(test_facts),
	    cmocka_unit_test(test_exhaustive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
