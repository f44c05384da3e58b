/*
 * test-str: what people see, and what they may have meant.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/str.h"
#include "daemon/base/utf8.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
#define R "\xef\xbf\xbd"
#define CUT "\xe2\x80\xa6"

static const struct {
	const char *name;
	struct span text;
	size_t max_chars;
	const char *expected;
} sanitized[] = {
    {"plain", SPAN_INIT("Hello"), 80, "Hello"},
    {"empty", {NULL, 0}, 80, ""},
    {"line ends", SPAN_INIT("a\r\nb\nc\td"), 80, "a b c d"},
    {"a run is one blank", SPAN_INIT("a\r\n\r\n\t\tb"), 80, "a b"},
    {"a run over an invisible", SPAN_INIT("a\n\x01\nb"), 80, "a b"},
    {"blanks stay", SPAN_INIT("a  b"), 80, "a  b"},
    {"terminal sequence", SPAN_INIT("\x1b[31mred\x07"), 80, "[31mred"},
    {"nul", SPAN_INIT("a\0b"), 80, "ab"},
    {"delete",
	SPAN_INIT("a\x7f"
		  "b"),
	80, "ab"},
    {"vertical tab, form feed", SPAN_INIT("a\v\fb"), 80, "ab"},
    {"C1 as UTF-8",
	SPAN_INIT("a\xc2\x9b"
		  "31mb"),
	80, "a31mb"},
    {"next line (C1)",
	SPAN_INIT("a\xc2\x85"
		  "b"),
	80, "ab"},
    {"C1 as a raw byte",
	SPAN_INIT("a\x9b"
		  "31mb"),
	80, "a" R "31mb"},
    {"first kept of Latin-1", SPAN_INIT("\xc2\xa0"), 80, "\xc2\xa0"},
    {"invalid", SPAN_INIT("\xff\xc3("), 80, R R "("},
    {"line separator",
	SPAN_INIT("a\xe2\x80\xa8\xe2\x80\xa9"
		  "b"),
	80, "a b"},
    {"soft hyphen",
	SPAN_INIT("a\xc2\xad"
		  "b"),
	80, "ab"},
    {"zero-width space",
	SPAN_INIT("a\xe2\x80\x8b"
		  "b"),
	80, "ab"},
    {"joiners",
	SPAN_INIT("a\xe2\x80\x8c\xe2\x80\x8d"
		  "b"),
	80, "ab"},
    {"LRM, RLM",
	SPAN_INIT("a\xe2\x80\x8e\xe2\x80\x8f"
		  "b"),
	80, "ab"},
    {"hyphen behind them",
	SPAN_INIT("a\xe2\x80\x90"
		  "b"),
	80,
	"a\xe2\x80\x90"
	"b"},
    {"LRE to RLO",
	SPAN_INIT("a\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad"
		  "\xe2\x80\xaetxt.exe"),
	80, "atxt.exe"},
    {"narrow blank behind them", SPAN_INIT("\xe2\x80\xaf"), 80, "\xe2\x80\xaf"},
    {"isolates",
	SPAN_INIT("a\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9"
		  "b"),
	80, "ab"},
    {"word joiner",
	SPAN_INIT("a\xe2\x81\xa0"
		  "b"),
	80, "ab"},
    {"Arabic letter mark",
	SPAN_INIT("a\xd8\x9c"
		  "b"),
	80, "ab"},
    {"byte order mark",
	SPAN_INIT("\xef\xbb\xbf"
		  "a"),
	80, "a"},
    {"tag characters",
	SPAN_INIT("a\xf3\xa0\x81\xa1"
		  "b"),
	80, "ab"},
    {"real right-to-left text", SPAN_INIT("\xd7\xa9\xd7\x9c"), 80,
	"\xd7\xa9\xd7\x9c"},
    {"emoji", SPAN_INIT("\xf0\x9f\x94\x94"), 80, "\xf0\x9f\x94\x94"},
    {"exactly full", SPAN_INIT("abc"), 3, "abc"},
    {"cut", SPAN_INIT("abcd"), 3, "abc" CUT},
    {"cut counts characters", SPAN_INIT("\xc3\xa4\xc3\xb6\xc3\xbc"), 2,
	"\xc3\xa4\xc3\xb6" CUT},
    {"the invisible does not count",
	SPAN_INIT("\x01"
		  "ab\x02"
		  "c\x03"),
	3, "abc"},
    {"cut behind another",
	SPAN_INIT("ab\xc3\xa4"
		  "cde"),
	5,
	"ab\xc3\xa4"
	"cd" CUT},
    {"the invisible between counts no more",
	SPAN_INIT("ab\x01"
		  "cd\x02"
		  "ef"),
	5, "abcde" CUT},
    {"a run, then a blank", SPAN_INIT("a\t\n b\r\nc"), 80, "a  b c"},
    {"nothing kept", SPAN_INIT("a"), 0, CUT},
    {"nothing to keep", {NULL, 0}, 0, ""},
};

static void
test_sanitize(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(sanitized); i++) {
		BUF_AUTO buf = BUF_INIT;

		str_sanitize(&buf, sanitized[i].text, sanitized[i].max_chars);
		if (!span_is(buf_span(&buf), sanitized[i].expected)) {
			print_error("case: %s: got \"%s\"\n", sanitized[i].name,
			    buf_str(&buf));
			fail();
		}
	}
}

/* The header's list, code point by code point. */
static bool
must_vanish(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x61c ||
	       (code >= 0x200b && code <= 0x200f) ||
	       (code >= 0x202a && code <= 0x202e) ||
	       (code >= 0x2060 && code <= 0x2069) || code == 0xfeff;
}

static void
test_sanitize_is_stable(void **state)
{
	BUF_AUTO one = BUF_INIT;
	BUF_AUTO once = BUF_INIT;
	BUF_AUTO twice = BUF_INIT;
	uint32_t code;

	(void)state;
	for (uint32_t i = 0; i < 0x110000; i++) {
		buf_truncate(&one, 0);
		buf_truncate(&once, 0);
		buf_truncate(&twice, 0);
		utf8_add(&one, i);
		str_sanitize(&once, buf_span(&one), 80);
		str_sanitize(&twice, buf_span(&once), 80);
		assert_true(span_equal(buf_span(&once), buf_span(&twice)));
		while (utf8_next(buf_span(&once), &code, NULL) > 0) {
			assert_false(must_vanish(code));
			break;
		}
	}
}

static const char *const commands[] = {
    "status", "start", "stop", "explain", "history", "apply", "ab", NULL};

static const struct {
	const char *name;
	struct span word;
	const char *nearest;
} nearests[] = {
    {"exact", SPAN_INIT("status"), "status"},
    {"case", SPAN_INIT("STATUS"), "status"},
    {"missing letter", SPAN_INIT("statu"), "status"},
    {"extra letter", SPAN_INIT("statuss"), "status"},
    {"wrong letter", SPAN_INIT("stavus"), "status"},
    {"swapped neighbours", SPAN_INIT("stauts"), "status"},
    {"a swap is one edit", SPAN_INIT("sotp"), "stop"},
    {"two edits of six", SPAN_INIT("sttuss"), "status"},
    {"three edits of six", SPAN_INIT("stxyz"), NULL},
    {"three edits of nine", SPAN_INIT("explaiXYZ"), "explain"},
    {"four edits of many", SPAN_INIT("explainWXYZW"), NULL},
    {"a short word may have one", SPAN_INIT("a"), "ab"},
    {"and no more", SPAN_INIT("xy"), NULL},
    {"a tie: the first", SPAN_INIT("stap"), "stop"},
    {"far away", SPAN_INIT("frobnicate"), NULL},
    {"empty", {NULL, 0}, NULL},
    {"too long to compare",
	SPAN_INIT("statusstatusstatusstatusstatusstatusstatusstatusstatus"
		  "statusstatus"),
	NULL},
};

static void
test_nearest(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(nearests); i++) {
		const char *got = str_nearest(nearests[i].word, commands);

		if (!span_equal(span_from_str(got),
			span_from_str(nearests[i].nearest))) {
			print_error("case: %s: got %s\n", nearests[i].name,
			    got != NULL ? got : "nothing");
			fail();
		}
	}
}

static void
test_nearest_tie(void **state)
{
	static const char *const tied[] = {"bat", "cat", NULL};
	static const char *const none[] = {NULL};

	(void)state;
	assert_ptr_equal(str_nearest(SPAN("hat"), tied), tied[0]);
	assert_null(str_nearest(SPAN("hat"), none));
}

static const struct {
	char c;
	bool alpha, digit, blank;
	char lower, upper;
} chars[] = {
    {'a', true, false, false, 'a', 'A'},
    {'Z', true, false, false, 'z', 'Z'},
    {'@', false, false, false, '@', '@'},
    {'[', false, false, false, '[', '['},
    {'`', false, false, false, '`', '`'},
    {'{', false, false, false, '{', '{'},
    {'0', false, true, false, '0', '0'},
    {'9', false, true, false, '9', '9'},
    {'/', false, false, false, '/', '/'},
    {':', false, false, false, ':', ':'},
    {' ', false, false, true, ' ', ' '},
    {'\t', false, false, true, '\t', '\t'},
    {'\n', false, false, false, '\n', '\n'},
    {'\0', false, false, false, '\0', '\0'},
    {(char)0xe4, false, false, false, (char)0xe4, (char)0xe4},
};

static void
test_chars(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(chars); i++) {
		char c = chars[i].c;

		if (char_is_alpha(c) == chars[i].alpha &&
		    char_is_digit(c) == chars[i].digit &&
		    char_is_alnum(c) == (chars[i].alpha || chars[i].digit) &&
		    char_is_blank(c) == chars[i].blank &&
		    char_to_lower(c) == chars[i].lower &&
		    char_to_upper(c) == chars[i].upper)
			continue;
		print_error("case: character %d\n", c);
		fail();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sanitize),
	    cmocka_unit_test(test_sanitize_is_stable),
	    cmocka_unit_test(test_nearest),
	    cmocka_unit_test(test_nearest_tie),
	    cmocka_unit_test(test_chars),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
