/*
 * test-body: the words of a text part, and the beginning of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/base64.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/body.h"
#include "daemon/mail/html.h"
#include "daemon/mail/html_entity.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
/* U+FFFD */
#define R "\xef\xbf\xbd"

static struct part
part_of(const char *type, const char *encoding, const char *charset)
{
	return (struct part){.type = (char *)(uintptr_t)type,
	    .encoding = (char *)(uintptr_t)encoding,
	    .charset = (char *)(uintptr_t)charset};
}

/* ---- Text ---- */

static const struct {
	const char *name, *encoding, *charset;
	struct span in;
	const char *out;
} texts[] = {
/* clang-format off */
#define CASE(name, encoding, charset, in, out) \
	{name, encoding, charset, SPAN_INIT(in), out}
	CASE("empty", "7bit", "", "", ""),
	CASE("plain", "7bit", "us-ascii", "a\r\nb\r\n", "a\nb\n"),
	CASE("line ends", "7bit", "", "a\nb\rc\r\nd\r\r\ne", "a\nb\nc\nd\n\ne"),
	CASE("controls", "8bit", "", "a\tb" "\x01" "c\x7f\x1b[1m",
	    "a\tb" R "c" R R "[1m"),
	CASE("NUL", "8bit", "", "a\0b", "a" R "b"),
	CASE("C1", "8bit", "utf-8", "a\xc2\x85", "a" R),
	CASE("mark", "8bit", "utf-8", "\xef\xbb\xbf" "a", "a"),
	CASE("utf-8", "8bit", "utf-8", "f\u00fcr", "f\u00fcr"),
	CASE("latin", "8bit", "iso-8859-1", "f\xfcr \x80", "f\u00fcr \u20ac"),
	CASE("no charset", "8bit", "", "f\xfcr", "f\u00fcr"),
	CASE("unknown charset", "8bit", "x-no", "f\u00fcr", "f\u00fcr"),
	CASE("utf-7", "7bit", "utf-7", "+AGE-", "+AGE-"),
	CASE("gb18030, not said", "8bit", "",
	    "\xd6\xd0\xce\xc4\xd6\xf7\xcc\xe2", "\u4e2d\u6587\u4e3b\u9898"),
	CASE("character cut", "8bit", "utf-8", "abc\xe2\x82", "abc"),
	CASE("only a cut character", "8bit", "utf-8", "\xe2\x82", "\u00e2\u201a"),
	CASE("utf-16 of one byte", "8bit", "utf-16", "a", "a"),
	CASE("utf-16", "8bit", "utf-16le", "a\0b\0", "ab"),
	CASE("qp", "quoted-printable", "utf-8", "f=C3=BCr =\r\ndich =20\r\nx",
	    "f\u00fcr dich  \nx"),
	CASE("qp, lower case", "quoted-printable", "utf-8", "=c3=bc", "\u00fc"),
	CASE("qp, soft break padded", "quoted-printable", "", "a= \t\r\nb", "ab"),
	CASE("qp, soft break of LF", "quoted-printable", "", "a=\nb", "ab"),
	CASE("qp, trailing blanks", "quoted-printable", "", "a \t\r\nb ",
	    "a\nb"),
	CASE("qp, broken", "quoted-printable", "", "a=4 =zz =\r\n==41",
	    "a=4 =zz =A"),
	CASE("qp, cut", "quoted-printable", "", "a=C", "a=C"),
	CASE("qp, cut at equals", "quoted-printable", "", "a=", "a"),
	CASE("base64", "base64", "utf-8", "ZsO8\r\ncg==\r\n", "f\u00fcr"),
	CASE("base64, no padding", "base64", "utf-8", "ZsO8cg", "f\u00fcr"),
	CASE("base64, one line", "base64", "utf-8", "ZsO8cg==", "f\u00fcr"),
	CASE("base64, cut", "base64", "utf-8", "ZsO8c", "f\u00fc"),
	CASE("base64, twice", "base64", "utf-8", "YQ==\r\nYg==", "ab"),
	CASE("base64, footer", "base64", "utf-8",
	    "SGVsbG8gd29ybGQsIGhvdyBhcmUgeW91Pw==\r\n____\r\nlist footer\r\n",
	    "Hello world, how are you?"),
	CASE("base64 that is text", "base64", "utf-8", "Hello, this is plain.",
	    "Hello, this is plain."),
	CASE("base64 of nothing", "base64", "", "====", "===="),
	CASE("unknown encoding", "x-no", "", "a=41", "a=41"),
#undef CASE
    /* clang-format on */
};

static void
check(const char *name, const char *out, const struct buf *text)
{
	if (strcmp(buf_str(text), out) == 0)
		return;
	print_error("%s: \"%s\"\n", name, buf_str(text));
	fail();
}

static void
test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(texts); i++) {
		struct part part =
		    part_of("text/plain", texts[i].encoding, texts[i].charset);
		BUF_AUTO text = BUF_INIT;

		body_add_text(&text, texts[i].in, &part);
		check(texts[i].name, texts[i].out, &text);
	}
}

/* ---- HTML ---- */

static const struct {
	const char *name, *in, *out;
} htmls[] = {
    /* clang-format off */
	{"empty", "", ""},
	{"text", "hello", "hello"},
	{"blanks", " a \r\n\t b ", "a b"},
	{"tags", "<b>a</b>b <i class=x>c</i>", "ab c"},
	{"blocks", "<div>a</div><p>b</p>c", "a\nb\nc"},
	{"blocks in blocks", "<table><tr><td>a</td><td>b</td></tr><tr><td>c",
	    "a b\nc"},
	{"break", "a<br>b<BR/>c", "a\nb\nc"},
	{"two breaks", "a<br><br>b<br><br><br>c", "a\n\nb\n\nc"},
	{"break at the ends", "<br>a<br>", "a"},
	{"list", "<ul><li>a<li>b</ul>c", "a\nb\nc"},
	{"pre", "<pre>a\nb  c</pre>\nd", "a\nb c\nd"},
	{"comment", "a<!-- <b>x</b> -->b", "ab"},
	{"empty comment", "a<!-->b", "ab"},
	{"conditional comment", "a<!--[if mso]>x<![endif]-->b<![if !mso]>c",
	    "abc"},
	{"comment without end", "a<!-- x > b", "a b"},
	{"declarations", "<!DOCTYPE html><?xml version=1?>a", "a"},
	{"style", "<style type=\"x\">p > a { b }</style>c", "c"},
	{"script", "a<SCRIPT>if (a<b) x(\"</p>\");</Script >b", "ab"},
	{"style without end", "<style>a", "a"},
	{"title", "<title>x</title>a", "a"},
	{"quotes", "<a href=\"x>y\" title='b>c'>d</a>", "d"},
	{"quotes that are none", "<a it's>b's<a\"b>c\">d", "b'sc\">d"},
	{"quote without end", "<a href=\"x>y", "y"},
	{"odd quotes", "<a href=\"x>y<b>\" z", "y\" z"},
	{"apostrophes in text", "<p>it's</p><p>isn't</p>", "it's\nisn't"},
	{"less than", "a < b <3 x<y>z", "a < b <3 xz"},
	{"tag cut", "a <a hre", "a"},
	{"data cut", "a <img src=\"data:xxxxxxxx", "a"},
	{"entities", "&lt;&gt;&amp;&quot;&apos;&nbsp;x&eacute;&euro;",
	    "<>&\"' x\u00e9\u20ac"},
	{"numbers", "&#233;&#xE9;&#xe9;&#65", "\u00e9\u00e9\u00e9A"},
	{"windows-1252 number", "&#128;&#150;", "\u20ac\u2013"},
	{"no characters", "&#0;&#x110000;&#xd800;&#99999999999999;&#27;",
	    R R R R R},
	{"no semicolon", "&eacutex &copy y &euro z", "&eacutex \u00a9 y &euro z"},
	{"in an address", "?a=1&copy=2&x", "?a=1&copy=2&x"},
	{"no entity", "& && &; &# &#; &#x; &nope; AT&T",
	    "& && &; &# &#; &#x; &nope; AT&T"},
	{"not twice", "&amp;lt;", "&lt;"},
	{"invisible", "Rech&shy;nung\u200bx\ufeff", "Rechnungx"},
	{"no-break spaces", "a\u00a0\u00a0&nbsp;b", "a b"},
	{"raw control", "a\x01", "a" R},
    /* clang-format on */
};

static void
test_html(void **state)
{
	struct part part = part_of("text/html", "8bit", "utf-8");

	(void)state;
	for (size_t i = 0; i < LENGTH(htmls); i++) {
		BUF_AUTO text = BUF_INIT;

		body_add_text(&text, span_from_str(htmls[i].in), &part);
		check(htmls[i].name, htmls[i].out, &text);
	}
}

static const struct {
	const char *in, *out;
} metas[] = {
    /* clang-format off */
	{"<meta content=\"text/html; charset=koi8-r\">\xcb\xcf\xd4",
	    "\u043a\u043e\u0442"},
	{"<META CONTENT=\"text/html; CHARSET=iso-8859-2\">zaj\xb1""c",
	    "zaj\u0105c"},
	{"<meta charset = 'iso-8859-2'>zaj\xb1""c", "zaj\u0105c"},
	{"<meta charset=x charset=\niso-8859-2 >zaj\xb1""c", "zaj\u0105c"},
	{"<meta charset=utf-16le>zaj\xc4\x85""c", "zaj\u0105c"},
    /* clang-format on */
};

static void
test_meta_charset(void **state)
{
	struct part part = part_of("text/html", "8bit", "");

	(void)state;
	for (size_t i = 0; i < LENGTH(metas); i++) {
		BUF_AUTO text = BUF_INIT;

		body_add_text(&text, span_from_str(metas[i].in), &part);
		check(metas[i].in, metas[i].out, &text);
	}
	part = part_of("text/html", "8bit", "us-ascii");
	for (size_t i = 0; i < LENGTH(metas); i++) {
		BUF_AUTO text = BUF_INIT;

		body_add_text(&text, span_from_str(metas[i].in), &part);
		check(metas[i].in, metas[i].out, &text);
	}
}

/* The table is sorted: a name that is out of place would not be found. */
static void
test_entity_names(void **state)
{
	static const char *const names[] = {"AElig", "Aacute", "Zeta", "aacute",
	    "apos", "hearts", "nbsp", "thetasym", "yuml", "zeta", "zwj",
	    "zwnj"};
	uint32_t code;

	(void)state;
	for (size_t i = 0; i < LENGTH(names); i++) {
		BUF_AUTO text = BUF_INIT;

		buf_addf(&text, "&%s;", names[i]);
		if (html_entity(buf_span(&text), &code) != text.len) {
			print_error("%s\n", names[i]);
			fail();
		}
	}
}

/* ---- Limits ---- */

static void
test_limits(void **state)
{
	static const char *const types[] = {"text/plain", "text/html"};
	static const char *const pieces[] = {"\u20ac", "a", "\r\n", "\x01", "<",
	    "&", "<a", "<!--", "<style>", "<a href=\"", "<a href='\">", "</",
	    "&#", "&#1", "<a b=c ", "<a=\">\"", "= ", "=", "-", "<br>", "&lt;"};

	(void)state;
	for (size_t i = 0; i < LENGTH(types) * LENGTH(pieces); i++) {
		struct part part =
		    part_of(types[i % 2], "quoted-printable", "utf-8");
		BUF_AUTO raw = BUF_INIT;
		BUF_AUTO text = BUF_INIT;
		BUF_AUTO words = BUF_INIT;

		while (raw.len < 1000000)
			buf_add_str(&raw, pieces[i / 2]);
		body_add_text(&text, buf_span(&raw), &part);
		assert_true(text.len <= BODY_TEXT_MAX);
		assert_true(utf8_is_valid(buf_span(&text)));
		html_add_text(&words, buf_span(&raw), raw.len);
		assert_true(utf8_is_valid(buf_span(&words)));
	}
}

static void
test_base64_line_by_line(void **state)
{
	struct part part = part_of("text/plain", "base64", "utf-8");
	BUF_AUTO plain = BUF_INIT;
	BUF_AUTO raw = BUF_INIT;
	BUF_AUTO text = BUF_INIT;

	(void)state;
	for (int i = 0; i < 1000; i++)
		buf_addf(&plain, "line %d of \u20ac\n", i);
	base64_encode_mime(&raw, buf_span(&plain));
	body_add_text(&text, buf_span(&raw), &part);
	assert_string_equal(buf_str(&text), buf_str(&plain));
	for (size_t len = 1; len < 200; len++) {
		BUF_AUTO begin = BUF_INIT;

		body_add_text(
		    &begin, span_slice(buf_span(&raw), 0, len), &part);
		assert_true(len < 2 || begin.len > 0);
	}
}

/* ---- Preview ---- */

static const struct {
	const char *name, *in, *out;
} previews[] = {
    /* clang-format off */
	{"empty", "", ""},
	{"blank", " \n\n\t", ""},
	{"one line", "hello", "hello"},
	{"lines", "a\n\n  b\tc\n", "a b c"},
	{"quote", "> old\n> older\nnew\n", "new"},
	{"introduced quote",
	    "On Mon, X wrote:\n\n> old\nnew\n", "new"},
	{"other languages", "Am Montag schrieb X:\n> alt\nneu\n", "neu"},
	{"no introduction", "Dear all:\nhello", "Dear all: hello"},
	{"only a quote", "> old", "> old"},
	{"signature", "new\n-- \nme", "new"},
	{"only a signature", "-- \nme", "-- me"},
	{"invisible", "a\u200b \u200c \u00a0 b\u3000c", "a b c"},
	{"padding", "Hi\u034f \u200c \u00ad\u200c \u2007 there", "Hi there"},
    /* clang-format on */
};

static void
test_previews(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(previews); i++) {
		BUF_AUTO text = BUF_INIT;

		body_add_preview(&text, span_from_str(previews[i].in));
		check(previews[i].name, previews[i].out, &text);
	}
}

static void
test_long_preview(void **state)
{
	BUF_AUTO text = BUF_INIT;
	BUF_AUTO preview = BUF_INIT;

	(void)state;
	for (int i = 0; i < 60000; i++)
		buf_add_str(&text, "\u20ac:\n");
	body_add_preview(&preview, buf_span(&text));
	assert_int_equal(utf8_count(buf_span(&preview)), PREVIEW_CHARS_MAX + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_texts),
	    cmocka_unit_test(test_html),
	    cmocka_unit_test(test_meta_charset),
	    cmocka_unit_test(test_entity_names),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_base64_line_by_line),
	    cmocka_unit_test(test_previews),
	    cmocka_unit_test(test_long_preview),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
