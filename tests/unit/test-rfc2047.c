/*
 * test-rfc2047: encoded words as senders write them, and as we do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/charset.h"
#include "daemon/mail/rfc2047.h"
#include "daemon/mail/text.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
/* U+FFFD */
#define R "\xef\xbf\xbd"

static const struct {
	const char *name;
	struct span in;
	struct span out;
} values[] = {
/* clang-format off */
#define CASE(name, in, out) {name, SPAN_INIT(in), SPAN_INIT(out)}
	CASE("empty", "", ""),
	CASE("plain", "hello", "hello"),
	CASE("q", "=?utf-8?q?f=C3=BCr?=", "f\u00fcr"),
	CASE("upper case", "=?UTF-8?Q?f=c3=bcr?=", "f\u00fcr"),
	CASE("underscore", "=?utf-8?q?a_b?=", "a b"),
	CASE("b", "=?utf-8?B?ZsO8cg==?=", "f\u00fcr"),
	CASE("adjacent", "=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
	CASE("adjacent, much blank", "=?utf-8?q?a?= \t  =?utf-8?q?b?=", "ab"),
	CASE("adjacent, unlike", "=?utf-8?b?YQ==?= =?latin1?q?b?=", "ab"),
	CASE("adjacent, padding",
	    "=?UTF-8?B?w5xiZXJwcsO8ZnVuZw==?= =?UTF-8?B?UmVjaG51bmc=?=",
	    "\u00dcberpr\u00fcfungRechnung"),
	CASE("text between", "=?utf-8?q?a?= x =?utf-8?q?b?=", "a x b"),
	CASE("text around", "Re: =?utf-8?q?a?= (b)", "Re: a (b)"),
	CASE("no blank before", "Re:=?utf-8?q?a?=", "Re:a"),
	CASE("no blank behind", "=?utf-8?q?a?=b", "ab"),
	CASE("no blank between", "=?utf-8?q?a?==?utf-8?q?b?=", "ab"),
	CASE("no blank, padding", "=?utf-8?b?YQ==?==?utf-8?b?Yg==?=", "ab"),
	CASE("character split", "=?utf-8?q?=C3?= =?UTF-8?B?vA==?=", "\u00fc"),
	CASE("split in three",
	    "=?utf-8?q?=E2?= =?utf-8?q?=82?= =?utf-8?q?=AC?=", "\u20ac"),
	CASE("split in euc-kr", "=?euc-kr?q?=b0?= =?euc-kr?q?=a1?=", "\uac00"),
	CASE("split, alias", "=?gb2312?q?=D6?= =?GB2312?q?=D0?=", "\u4e2d"),
	CASE("split, never joined", "=?utf-8?q?=C3?= x", R " x"),
	CASE("split, other charset", "=?utf-8?q?=C3?= =?cp1251?q?=C3?=",
	    R "\u0413"),
	CASE("cut at the end", "=?utf-8?q?a=E2=82?=", "a" R),
	CASE("padding missing", "=?utf-8?b?ZsO8cg?=", "f\u00fcr"),
	CASE("padding too short", "=?utf-8?b?ZsO8cg=?=", "f\u00fcr"),
	CASE("padding too long", "=?utf-8?b?ZsO8cg====?=", "f\u00fcr"),
	CASE("padding inside", "=?utf-8?b?YQ==Yg==?=", "ab"),
	CASE("blank in base64", "=?utf-8?b?ZsO 8cg==?=", "f\u00fcr"),
	CASE("blank in q", "=?utf-8?q?a b c?= d", "a b c d"),
	CASE("junk in base64", "=?utf-8?b?!!?=", "=?utf-8?b?!!?="),
	CASE("empty q", "a =?utf-8?q\?\?= b", "a  b"),
	CASE("empty alone", "=?utf-8?q\?\?=", ""),
	CASE("question mark", "=?utf-8?q?Really\?\?=", "Really?"),
	CASE("bad hex", "=?utf-8?q?=4?= =?utf-8?q?=XYa=?=", "=4=XYa="),
	CASE("equals at the end", "=?utf-8?q?a=?=", "a="),
	CASE("equals first", "=?utf-8?q?=41?=", "A"),
	CASE("language", "=?utf-8*en-GB?q?a?=", "a"),
	CASE("raw utf-8 inside", "=?utf-8?q?\u00fc?=", "\u00fc"),
	CASE("no end", "=?utf-8?q?abc", "=?utf-8?q?abc"),
	CASE("end lost", "=?utf-8?q?foo =?utf-8?q?bar?=", "=?utf-8?q?foo bar"),
	CASE("no encoding", "=?utf-8?abc?=", "=?utf-8?abc?="),
	CASE("wrong encoding", "=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
	CASE("no charset", "=??q?abc?=", "=??q?abc?="),
	CASE("unread between", "=?utf-8?q?a?= =?x?z?b?= =?utf-8?q?c?=",
	    "a =?x?z?b?= c"),
	CASE("unknown charset, latin", "=?x-no?q?caf=e9?=", "caf\u00e9"),
	CASE("unknown charset, utf-8", "=?x-no?q?caf=c3=a9?=", "caf\u00e9"),
	CASE("ascii that is not", "=?us-ascii?q?caf=c3=a9?=", "caf\u00e9"),
	CASE("raw gb18030", "Re: \xd6\xd0\xce\xc4\xd6\xf7\xcc\xe2",
	    "Re: \u4e2d\u6587\u4e3b\u9898"),
	CASE("raw big5", "\xb7\x7c\xc4\xb3\xb3\x71\xaa\xbe",
	    "\u6703\u8b70\u901a\u77e5"),
	CASE("raw shift_jis", "\x83\x65\x83\x58\x83\x67 x",
	    "\u30c6\u30b9\u30c8 x"),
	CASE("raw euc-jp", "\xa5\xc6\xa5\xb9\xa5\xc8",
	    "\u30c6\u30b9\u30c8"),
	CASE("raw euc-kr", "\xc7\xd1\xb1\xb9\xbe\xee \xc1\xa6\xb8\xf1\xc0\xd4",
	    "\ud55c\uad6d\uc5b4 \uc81c\ubaa9\uc785"),
	CASE("raw koi8", "\xf0\xd2\xc9\xd7\xc5\xd4",
	    "\u041f\u0440\u0438\u0432\u0435\u0442"),
	CASE("raw windows-1251", "\xcf\xf0\xe8\xe2\xe5\xf2",
	    "\u041f\u0440\u0438\u0432\u0435\u0442"),
	CASE("raw iso-2022-jp", "\x1b$B%F%9%H\x1b(B",
	    "\u30c6\u30b9\u30c8"),
	CASE("escape without return", "a\x1b$Bbcd", "a" R "$Bbcd"),
	CASE("raw beside a word", "\xcf\xf0\xe8\xe2\xe5\xf2 =?utf-8?q?=C3=BC?=",
	    "\u041f\u0440\u0438\u0432\u0435\u0442 \u00fc"),
	CASE("no gb18030: capitals", "\xc4\xd6\xdc\xe4\xf6\xfc\xdf",
	    "\u00c4\u00d6\u00dc\u00e4\u00f6\u00fc\u00df"),
	CASE("no big5: letters apart", "\xc4NDERN \xc4RGER H\xc4NDLER T\xc4T",
	    "\u00c4NDERN \u00c4RGER H\u00c4NDLER T\u00c4T"),
	CASE("no gb18030: the same again", "\xd6\xd0\xd6\xd0\xd6\xd0",
	    "\u00d6\u00d0\u00d6\u00d0\u00d6\u00d0"),
	CASE("no cyrillic: letters alone", "\xce \xc5 \xc0 \xc8 \xcd \xd2",
	    "\u00ce \u00c5 \u00c0 \u00c8 \u00cd \u00d2"),
	CASE("no koi8: letters apart", "\xc8 \xc8 \xc8 \xc8 \xc8 \xc8",
	    "\u00c8 \u00c8 \u00c8 \u00c8 \u00c8 \u00c8"),
	CASE("no euc: dashes", "\x97\x97\x97\x97\x97\x97",
	    "\u2014\u2014\u2014\u2014\u2014\u2014"),
	CASE("utf-8, cut", "\u65e5\u672c\u8a9e\xe6\x97", "\u65e5\u672c\u8a9e" R),
	CASE("utf-7, alone", "=?utf-7?q?x?=", "=?utf-7?q?x?="),
	CASE("utf-7", "a =?utf-7?q?+AGEAYg-?= b", "a =?utf-7?q?+AGEAYg-?= b"),
	CASE("utf-7, alias", "=?unicode-1-1-utf-7?q?+AGE-?=",
	    "=?unicode-1-1-utf-7?q?+AGE-?="),
	CASE("utf-8 declared, latin meant", "=?utf-8?q?caf=e9_x?=",
	    "caf\u00e9 x"),
	CASE("utf-8, one wrong", "=?utf-8?q?=c3=a9=ff?=", "\u00e9" R),
	CASE("overlong", "=?utf-8?q?=c3=a9=c0=80?=", "\u00e9" R R),
	CASE("surrogate", "=?utf-8?q?=c3=a9=ed=a0=80?=", "\u00e9" R R R),
	CASE("latin-1 is windows-1252", "=?iso-8859-1?q?=93a=94?=",
	    "\u201ca\u201d"),
	CASE("koi8-r", "=?koi8-r?q?=F0=D2=C9=D7=C5=D4?=",
	    "\u041f\u0440\u0438\u0432\u0435\u0442"),
	CASE("gb2312 is gb18030", "=?gb2312?b?1tDOxA==?=", "\u4e2d\u6587"),
	CASE("big5", "=?big5?b?pKSk5Q==?=", "\u4e2d\u6587"),
	CASE("big5, kana", "=?big5?q?=A4=A4=C7=55?=", "\u4e2d\u306e"),
	CASE("shift_jis, nec row", "=?shift_jis?b?h0CT+pZ7?=",
	    "\u2460\u65e5\u672c"),
	CASE("iso-2022-jp", "=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=",
	    "\u65e5\u672c"),
	CASE("iso-2022-jp, state not reset",
	    "=?iso-2022-jp?B?GyRCRnxLXA==?= =?iso-2022-jp?q?ab?=",
	    "\u65e5\u672c" "ab"),
	CASE("only escapes", "=?iso-2022-jp?B?GyhC?=",
	    "=?iso-2022-jp?B?GyhC?="),
	CASE("utf-16", "=?utf-16be?b?AGEA/A==?=", "a\u00fc"),
	CASE("utf-16, lone surrogate", "=?utf-16be?b?2AAAYQ==?=", R "a"),
	CASE("nul", "a=?utf-8?q?=00?=b\0c", "a" R "b" R "c"),
	CASE("line ends", "=?utf-8?q?a=0D=0Ab=0Dc=0Ad=09e?=", "a b c d e"),
	CASE("escape", "=?utf-8?q?=1B[31m?=", R "[31m"),
	CASE("c1", "=?utf-8?q?=C2=85=C2=A0?=", R "\u00a0"),
	CASE("never twice", "=?utf-8?q?=3D=3Futf-8=3Fq=3Fx=3F=3D?=",
	    "=?utf-8?q?x?="),
	CASE("never twice, joined",
	    "=?utf-8?q?=3D=3F?= =?utf-8?q?utf-8=3Fq=3Fx=3F=3D?=",
	    "=?utf-8?q?x?="),
	CASE("raw utf-8", "f\u00fcr =?utf-8?q?a?=", "f\u00fcr a"),
	CASE("raw latin", "caf\xe9", "caf\u00e9"),
	CASE("raw windows", "\x93" "a\x94 =?utf-8?q?=C3=BC?=",
	    "\u201ca\u201d \u00fc"),
	CASE("raw utf-8, cut", "\u00fc\u00e4\xc3", "\u00fc\u00e4" R),
	CASE("tab", "a\tb", "a b"),
#undef CASE
    /* clang-format on */
};

static void
check_text(const char *name, const struct buf *got, struct span want)
{
	if (!span_equal(buf_span(got), want)) {
		print_error("case: %s\n got: [%.*s]\nwant: [%.*s]\n", name,
		    SPAN_FMT(buf_span(got)), SPAN_FMT(want));
		fail();
	}
}

static void
test_decode(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(values); i++) {
		BUF_AUTO buf = BUF_INIT;

		rfc2047_decode(&buf, values[i].in);
		check_text(values[i].name, &buf, values[i].out);
	}
}

/* What stood in the buf stays. */
static void
test_appends(void **state)
{
	BUF_AUTO buf = BUF_INIT;

	(void)state;
	buf_add_str(&buf, "x");
	rfc2047_decode(&buf, SPAN("=?utf-8?q?a?="));
	check_text("appends", &buf, SPAN("xa"));
}

static const struct {
	const char *name;
	struct span text;
	size_t len;
} words[] = {
    {"word", SPAN_INIT("=?utf-8?q?a?="), 13},
    {"more behind", SPAN_INIT("=?utf-8?q?a?=b c"), 13},
    {"blank inside", SPAN_INIT("=?utf-8?q?a b?="), 0},
    {"not at the front", SPAN_INIT(" =?utf-8?q?a?="), 0},
    {"no end", SPAN_INIT("=?utf-8?q?a?"), 0},
    {"empty", SPAN_INIT(""), 0},
};

static void
test_word_length(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(words); i++) {
		size_t len = rfc2047_word_length(words[i].text);

		if (len != words[i].len) {
			print_error("case: %s: %zu\n", words[i].name, len);
			fail();
		}
	}
}

static const struct {
	const char *name;
	struct span text;
	struct span encoded;
} encodings[] = {
    {"empty", SPAN_INIT(""), SPAN_INIT("")},
    {"plain", SPAN_INIT("Hello, world"), SPAN_INIT("Hello, world")},
    {"q", SPAN_INIT("f\u00fcr alle Leute"),
	SPAN_INIT("=?utf-8?q?f=C3=BCr_alle_Leute?=")},
    {"b", SPAN_INIT("\u65e5\u672c"), SPAN_INIT("=?utf-8?b?5pel5pys?=")},
    {"looks encoded", SPAN_INIT("=?utf-8?q?x?="),
	SPAN_INIT("=?utf-8?b?PT91dGYtOD9xP3g/PQ==?=")},
    {"blank first", SPAN_INIT(" a"), SPAN_INIT("=?utf-8?q?_a?=")},
    {"line ends", SPAN_INIT("a\r\nBcc: b"), SPAN_INIT("a Bcc: b")},
    {"nul", SPAN_INIT("a\0b"), SPAN_INIT("=?utf-8?b?Ye+/vWI=?=")},
    {"folds plain",
	SPAN_INIT("aaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbb "
		  "ccccccccccccccccccccc dddd"),
	SPAN_INIT("aaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbb"
		  "\r\n ccccccccccccccccccccc dddd")},
};

static void
test_encode(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(encodings); i++) {
		BUF_AUTO buf = BUF_INIT;

		rfc2047_encode(&buf, encodings[i].text, 9);
		check_text(encodings[i].name, &buf, encodings[i].encoded);
	}
}

/* No line longer than 76, no word longer than 75, each word by itself valid:
 * it decodes without what stands around. */
static void
check_lines(const char *name, struct span encoded, size_t first_column)
{
	struct span rest = encoded, line;
	size_t column = first_column;

	while (span_split(&rest, '\n', &line)) {
		BUF_AUTO text = BUF_INIT;
		struct span words_of_line = span_trim(line);

		if (words_of_line.len > 0 &&
		    column + words_of_line.len > RFC2047_LINE_MAX) {
			print_error(
			    "%s: long line: %.*s\n", name, SPAN_FMT(line));
			fail();
		}
		rfc2047_decode(&text, words_of_line);
		assert_int_equal(
		    span_find_span(buf_span(&text), SPAN(R), 0), SIZE_MAX);
		column = 1;
	}
}

static void
check_round_trip(const char *name, struct span text, size_t first_column)
{
	BUF_AUTO encoded = BUF_INIT;
	BUF_AUTO back = BUF_INIT;

	rfc2047_encode(&encoded, text, first_column);
	check_lines(name, buf_span(&encoded), first_column);
	encoded.len = text_unfold(encoded.data, encoded.len);
	rfc2047_decode(&back, span_trim(buf_span(&encoded)));
	check_text(name, &back, text);
}

/* Every length from every column, so that every split happens. */
static void
test_round_trip(void **state)
{
	static const char *const letters[] = {
	    "a", " ", "\u00fc", "\u65e5", "\U0001f514", "ab \u00fc"};

	(void)state;
	for (size_t i = 0; i < LENGTH(letters); i++) {
		BUF_AUTO text = BUF_INIT;

		for (size_t n = 0; n < 90; n++) {
			buf_add_str(&text, letters[i]);
			check_round_trip(letters[i], buf_span(&text), 9);
			check_round_trip(letters[i], buf_span(&text), n);
		}
	}
}

static const struct {
	const char *name;
	const char *same;
} aliases[] = {
    {"UTF8", "utf-8"},
    {"Utf_8", "utf-8"},
    {"ISO_8859-1:1987", "windows-1252"},
    {"x-sjis", "Shift_JIS"},
};

static void
test_charset_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(aliases); i++)
		assert_non_null(charset_find(span_from_str(aliases[i].name)));
	assert_ptr_equal(
	    charset_find(SPAN("UTF8")), charset_find(SPAN("utf-8")));
	assert_true(charset_is_refused(charset_find(SPAN("UTF-7"))));
	assert_true(charset_is_refused(charset_find(SPAN("utf-7-imap"))));
	assert_false(charset_is_refused(charset_find(SPAN("utf-8"))));
	assert_null(charset_find(SPAN("")));
	assert_null(charset_find(SPAN("--")));
	assert_null(charset_find(SPAN("iso-2022-cn-ext")));
	assert_null(charset_find(SPAN("utf-8//TRANSLIT")));
}

/* Every row is found by the search and has a converter in this C library:
 * ASCII digits (in the charset's units) come out as they are. */
static void
test_charset_table(void **state)
{
	struct charset_decoder *decoder = charset_decoder_new();
	const struct charset *charset;
	const char *name;

	(void)state;
	for (size_t i = 0; (name = charset_name(i, &charset)) != NULL; i++) {
		BUF_AUTO out = BUF_INIT;
		static const char wide[] = "0\0\0\0000\0\0\0000";

		if (charset_find(span_from_str(name)) != charset) {
			print_error("not sorted: %s\n", name);
			fail();
		}
		if (charset_is_refused(charset))
			continue;
		charset_decode(
		    decoder, charset, &out, span_from(wide, sizeof(wide) - 1));
		if (span_find(buf_span(&out), '0') == SIZE_MAX &&
		    !span_starts(span_from_str(name), "utf")) {
			print_error("no converter: %s\n", name);
			fail();
		}
	}
	charset_decoder_free(&decoder);
}

/* Escapes without end: bounded, and done. */
static void
test_state_bomb(void **state)
{
	static const char *const bombs[] = {
	    "\x1b$B", "\x1b(J", "\x0e\x0f", "\x1b", "\xff"};
	static const char *const names[] = {"iso-2022-jp", "iso-2022-kr",
	    "iso-2022-jp-2", "gb18030", "utf-16", "euc-tw"};
	struct charset_decoder *decoder = charset_decoder_new();

	(void)state;
	for (size_t i = 0; i < LENGTH(bombs) * LENGTH(names); i++) {
		BUF_AUTO in = BUF_INIT;
		BUF_AUTO out = BUF_INIT;

		while (in.len < 60000)
			buf_add_str(&in, bombs[i % LENGTH(bombs)]);
		charset_decode(decoder,
		    charset_find(span_from_str(names[i / LENGTH(bombs)])), &out,
		    buf_span(&in));
		assert_true(out.len <= 4 * in.len + 16);
		assert_true(utf8_is_valid(buf_span(&out)));
	}
	charset_decoder_free(&decoder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_decode),
	    cmocka_unit_test(test_appends),
	    cmocka_unit_test(test_word_length),
	    cmocka_unit_test(test_encode),
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_charset_names),
	    cmocka_unit_test(test_charset_table),
	    cmocka_unit_test(test_state_bomb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
