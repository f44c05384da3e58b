/*
 * test-rfc2231: fields with parameters, and the values of these, as senders
 * write them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/rfc2231.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
/* U+FFFD */
#define R "\xef\xbf\xbd"

/* ---- Fields ---- */

/* All of a field: value|subtype|name=value|... */
static const struct {
	const char *name, *in, *out;
} fields[] = {
    /* clang-format off */
	{"empty", "", "|"},
	{"value", "attachment", "attachment|"},
	{"type", "text/plain", "text|plain"},
	{"blanks", " text / plain ; a = b ", "text|plain|a=b"},
	{"quoted", "text/plain; a=\"b c\"", "text|plain|a=b c"},
	{"quoted pairs", "x; a=\"b\\\"c\\\\d\"", "x||a=b\"c\\d"},
	{"path", "x; a=\"C:\\Temp\\x.doc\"", "x||a=C:\\Temp\\x.doc"},
	{"comments", "text (c)/plain (d (e) \\) f); (g) a=b (h); c=d",
	    "text|plain|a=b|c=d"},
	{"comment without end", "text/plain (c; a=b", "text|plain"},
	{"RFC 2045", "text/plain; charset=us-ascii (Plain text)",
	    "text|plain|charset=us-ascii"},
	{"brackets in a name", "x; filename=report (1).pdf",
	    "x||filename=report (1).pdf"},
	{"bracket at the end", "x; a=b (1) ; c=d", "x||a=b|c=d"},
	{"no quotes", "x; filename=my own report.pdf; size=3",
	    "x||filename=my own report.pdf|size=3"},
	{"no end quote", "x; a=\"b c; d=e", "x||a=b c|d=e"},
	{"no end quote at all", "x; a=\"b c", "x||a=b c"},
	{"text behind the quote", "x; a=\"b\"junk; c=d", "x||a=b|c=d"},
	{"semicolons", ";;text/plain;; a=b;;c=d;", "text|plain|a=b|c=d"},
	{"semicolon lacks", "text/plain a=b c=\"d\" e=f",
	    "text|plain|a=b|c=d|e=f"},
	{"no subtype", "text; a=b", "text||a=b"},
	{"slash only", "text/", "text|"},
	{"two slashes", "text/plain/x; a=b", "text|plain|a=b"},
	{"type in quotes", "\"text/plain\"; a=b", "text|plain|a=b"},
	{"begins with a parameter", "filename=\"x.pdf\"; a=b",
	    "||filename=x.pdf|a=b"},
	{"name without value", "x; a; b=c", "x||b=c"},
	{"empty value", "x; a=; b=\"\"", "x||a=|b="},
	{"no name", "x; =a; b=c", "x||b=c"},
	{"words without quotes", "x; a==?utf-8?q?b?= =?utf-8?q?c?=; d=e",
	    "x||a==?utf-8?q?b?= =?utf-8?q?c?=|d=e"},
	{"base64 value", "x; boundary=abc==; c=d", "x||boundary=abc==|c=d"},
	{"only rubbish", "(((;=;\"\"/,,", "|"},
    /* clang-format on */
};

static void
test_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(fields); i++) {
		struct mime_field field;
		BUF_AUTO out = BUF_INIT;

		mime_field_parse(span_from_str(fields[i].in), &field);
		buf_add_span(&out, field.value);
		buf_add_char(&out, '|');
		buf_add_span(&out, field.subtype);
		for (size_t j = 0; j < field.param_count; j++) {
			buf_add_char(&out, '|');
			buf_add_span(&out, field.params[j].name);
			buf_add_char(&out, '=');
			buf_add_span(&out, field.params[j].value);
		}
		mime_field_done(&field);
		if (strcmp(buf_str(&out), fields[i].out) != 0) {
			print_error(
			    "%s: \"%s\"\n", fields[i].name, buf_str(&out));
			fail();
		}
	}
}

/* ---- Values ---- */

/* NULL: there is none. */
static const struct {
	const char *name, *in, *out;
} values[] = {
    /* clang-format off */
	{"none", "x", NULL},
	{"other", "x; filenames=a", NULL},
	{"plain", "x; filename=a", "a"},
	{"case", "x; FileName=a", "a"},
	{"empty", "x; filename=\"\"", NULL},
	{"utf-8", "x; filename*=UTF-8''f%C3%BCr%20dich.pdf",
	    "f\u00fcr dich.pdf"},
	{"language", "x; filename*=iso-8859-1'en'%A3%20rates",
	    "\u00a3 rates"},
	{"lower case hex", "x; filename*=utf-8''f%c3%bcr", "f\u00fcr"},
	{"in quotes", "x; filename*=\"utf-8''f%C3%BCr\"", "f\u00fcr"},
	{"no charset", "x; filename*=''f%C3%BCr", "f\u00fcr"},
	{"no charset, latin", "x; filename*=''f%FCr", "f\u00fcr"},
	{"no apostrophes", "x; filename*=f%C3%BCr", "f\u00fcr"},
	{"one apostrophe", "x; filename*=it's%20me", "it's me"},
	{"apostrophes behind", "x; filename*=utf-8''it's%20'me'",
	    "it's 'me'"},
	{"unknown charset", "x; filename*=x-no''f%FCr", "f\u00fcr"},
	{"utf-7", "x; filename*=utf-7''+AGE-", "+AGE-"},
	{"shift_jis", "x; filename*=shift_jis''%83e%83X%83g",
	    "\u30c6\u30b9\u30c8"},
	{"broken percent", "x; filename*=utf-8''a%4%zz%", "a%4%zz%"},
	{"percent NUL", "x; filename*=utf-8''a%00b%0D%0Ac", "a" R "b c"},
	{"cut character", "x; filename*=utf-8''a%C3", "a" R},
	{"not decoded twice", "x; filename*=utf-8''%2541", "%41"},
	{"no words in it", "x; filename*=utf-8''=?utf-8?q?a?=",
	    "=?utf-8?q?a?="},
	{"continued", "x; filename*0=abc; filename*1=def", "abcdef"},
	{"in any order", "x; filename*2=c; filename*0=a; filename*1=b", "abc"},
	{"continued, extended",
	    "x; filename*0*=utf-8''f%C3; filename*1*=%BCr; filename*2=%20x",
	    "f\u00fcr%20x"},
	{"extended later", "x; filename*0=\"a b \"; filename*1*=%C3%BC",
	    "a b \u00fc"},
	{"apostrophes later", "x; filename*0*=''a; filename*1*=b'c'd",
	    "ab'c'd"},
	{"gap", "x; filename*0=a; filename*2=c", "ac"},
	{"from one", "x; filename*1*=utf-8''%C3%BC; filename*2=.pdf",
	    "\u00fc.pdf"},
	{"duplicate", "x; filename*0=a; filename*0=b; filename*1=c", "ac"},
	{"two forms of one", "x; filename*0*=utf-8''a; filename*0=b", "a"},
	{"leading zeros", "x; filename*00=a; filename*01=b", "ab"},
	{"last segment", "x; filename*0=a; filename*63=b", "ab"},
	{"too many", "x; filename*0=a; filename*64=b", "a"},
	{"huge number", "x; filename*0=a; filename*99999999999999999999=b",
	    "a"},
	{"no number", "x; filename*x=b; filename*-1=c", NULL},
	{"beside plain", "x; filename=\"fur.pdf\"; filename*=utf-8''f%C3%BCr",
	    "f\u00fcr"},
	{"plain behind", "x; filename*=utf-8''f%C3%BCr; filename=\"fur.pdf\"",
	    "f\u00fcr"},
	{"continued beside plain", "x; filename=c; filename*0=a; filename*1=b",
	    "ab"},
	{"best is empty", "x; filename*=utf-8''; filename=a", "a"},
	{"first plain", "x; filename=a; filename=b", "a"},
	{"words in quotes", "x; filename=\"=?utf-8?q?f=C3=BCr?=\"",
	    "f\u00fcr"},
	{"words, several",
	    "x; filename=\"=?utf-8?b?ZsO8?= =?utf-8?b?cg==?=\"", "f\u00fcr"},
	{"words without quotes",
	    "x; filename==?utf-8?q?f=C3?= =?utf-8?q?=BCr?=", "f\u00fcr"},
	{"words over segments",
	    "x; filename*0=\"=?utf-8?q?f=C3\"; filename*1=\"=BCr?=\"",
	    "f\u00fcr"},
	{"raw utf-8", "x; filename=\"f\u00fcr\"", "f\u00fcr"},
	{"raw windows-1252", "x; filename=\"f\xfcr \x80\"", "f\u00fcr \u20ac"},
	{"raw gb18030", "x; filename=\"\xd6\xd0\xce\xc4\xd6\xf7\xcc\xe2.doc\"",
	    "\u4e2d\u6587\u4e3b\u9898.doc"},
	{"controls", "x; filename=\"a\tb\x1b[c\"", "a b" R "[c"},
    /* clang-format on */
};

static void
test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(values); i++) {
		struct mime_field field;
		BUF_AUTO out = BUF_INIT;
		bool is_there;

		mime_field_parse(span_from_str(values[i].in), &field);
		is_there = rfc2231_decode(
		    &out, field.params, field.param_count, "filename");
		mime_field_done(&field);
		if (is_there != (values[i].out != NULL) ||
		    strcmp(buf_str(&out), is_there ? values[i].out : "") != 0) {
			print_error(
			    "%s: \"%s\"\n", values[i].name, buf_str(&out));
			fail();
		}
	}
}

/* ---- Limits ---- */

static void
test_thousand_segments(void **state)
{
	struct mime_field field;
	BUF_AUTO in = BUF_INIT;
	BUF_AUTO out = BUF_INIT;

	(void)state;
	buf_add_char(&in, 'x');
	for (int i = 0; i < 1000; i++)
		buf_addf(&in, "; filename*%d*=%%41", i);
	mime_field_parse(buf_span(&in), &field);
	assert_true(
	    rfc2231_decode(&out, field.params, field.param_count, "filename"));
	mime_field_done(&field);
	assert_int_equal(out.len, RFC2231_SEGMENTS_MAX);
}

/* Each would take minutes if it cost more for each byte. */
static void
test_floods(void **state)
{
	static const char *const floods[] = {"(", "()", "\"", ";", "a=", "a=\"",
	    "a=\"\\", " ", "a ", "=", "a (", "a=b (c) ", "\\", "a=b "};

	(void)state;
	for (size_t i = 0; i < LENGTH(floods); i++) {
		struct mime_field field;
		BUF_AUTO in = BUF_INIT;
		BUF_AUTO out = BUF_INIT;

		buf_add_str(&in, "x; filename=a ");
		while (in.len < 1000000)
			buf_add_str(&in, floods[i]);
		mime_field_parse(buf_span(&in), &field);
		rfc2231_decode(
		    &out, field.params, field.param_count, "filename");
		assert_true(field.param_count <= MIME_PARAMS_MAX);
		mime_field_done(&field);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fields),
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_thousand_segments),
	    cmocka_unit_test(test_floods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
