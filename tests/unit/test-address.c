/*
 * test-address: address fields as they are really written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/buf.h"
#include "daemon/base/random.h"
#include "daemon/mail/address.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
/* U+FFFD */
#define R "\xef\xbf\xbd"

/* What comes out: "name|user|domain|addr", one a line. */
static const struct {
	const char *name;
	struct span in;
	const char *out;
} fields[] = {
/* clang-format off */
#define CASE(name, in, out) {name, SPAN_INIT(in), out}
	CASE("empty", "", ""),
	CASE("bare", "a@b.org", "|a|b.org|a@b.org\n"),
	CASE("angle", "<a@b.org>", "|a|b.org|a@b.org\n"),
	CASE("name", "John Doe <a@b>", "John Doe|a|b|a@b\n"),
	CASE("quoted name", "\"Doe, John\" <a@b>", "Doe, John|a|b|a@b\n"),
	CASE("quoted pair", "\"John \\\"X\\\" Doe\" <a@b>",
	    "John \"X\" Doe|a|b|a@b\n"),
	CASE("name without blank", "John<a@b>", "John|a|b|a@b\n"),
	CASE("dots in name", "John Q. Public <a@b>",
	    "John Q. Public|a|b|a@b\n"),
	CASE("brackets in name", "[List Name] x <a@b>",
	    "[List Name] x|a|b|a@b\n"),
	CASE("address in name", "x@y <a@b>", "x@y|a|b|a@b\n"),
	CASE("address in front of name", "x@y via A List <a@b>",
	    "x@y via A List|a|b|a@b\n"),
	CASE("address inside name", "J D x@y (z) via L <a@b>",
	    "J D x@y via L|a|b|a@b\n"),
	CASE("comment as name", "a@b (John Doe)", "John Doe|a|b|a@b\n"),
	CASE("nested comment", "a@b (J (x \\) y) D)", "J (x ) y) D|a|b|a@b\n"),
	CASE("comment and name", "John (x) <a@b>", "John|a|b|a@b\n"),
	CASE("comments in addr", "a(x)@(y)b(z)", "x y z|a|b|a@b\n"),
	CASE("comment in angle", "J <a@b(x)>", "J|a|b|a@b\n"),
	CASE("encoded name", "=?utf-8?q?J=C3=B6rg?= <a@b>", "J\u00f6rg|a|b|a@b\n"),
	CASE("encoded names", "=?utf-8?q?J=C3?= =?utf-8?q?=B6rg?= X <a@b>",
	    "J\u00f6rg X|a|b|a@b\n"),
	CASE("encoded comma", "=?utf-8?q?Doe,_J?= <a@b>", "Doe, J|a|b|a@b\n"),
	CASE("encoded at", "=?utf-8?q?x@y?= <a@b>", "x@y|a|b|a@b\n"),
	CASE("encoded quoted", "\"=?utf-8?q?J=C3=B6rg?=\" <a@b>",
	    "J\u00f6rg|a|b|a@b\n"),
	CASE("encoded comment", "a@b (=?utf-8?q?J=C3=B6rg?=)",
	    "J\u00f6rg|a|b|a@b\n"),
	CASE("encoded, no blank", "=?utf-8?q?J?=<a@b>", "J|a|b|a@b\n"),
	CASE("encoded brackets", "=?utf-8?q?<x=40y>?= <a@b>",
	    "<x@y>|a|b|a@b\n"),
	CASE("encoded alone", "=?utf-8?q?J=C3=B6rg?=",
	    "J\u00f6rg|||=?utf-8?q?J=C3=B6rg?=\n"),
	CASE("encoded user", "=?utf-8?q?a?=@b",
	    "|=?utf-8?q?a?=|b|=?utf-8?q?a?=@b\n"),
	CASE("mailsploit",
	    "=?utf-8?b?cG90dXNAd2hpdGVob3VzZS5nb3Y=?==?utf-8?Q?=00?=@evil",
	    "|=?utf-8?b?cG90dXNAd2hpdGVob3VzZS5nb3Y=?==?utf-8?Q?=00?=|evil|"
	    "=?utf-8?b?cG90dXNAd2hpdGVob3VzZS5nb3Y=?==?utf-8?Q?=00?=@evil\n"),
	CASE("encoded nul", "=?utf-8?q?a=00b=0Ac?= <a@b>",
	    "a" R "b c|a|b|a@b\n"),
	CASE("nul", "a\0@b", "|a" R "|b|a" R "@b\n"),
	CASE("raw utf-8 name", "J\u00f6rg <a@b>", "J\u00f6rg|a|b|a@b\n"),
	CASE("raw latin name", "J\xf6rg <a@b>", "J\u00f6rg|a|b|a@b\n"),
	CASE("raw utf-8 addr", "j\u00f6@b\u00fc.de",
	    "|j\u00f6|b\u00fc.de|j\u00f6@b\u00fc.de\n"),
	CASE("list", "a@b, c@d,e@f", "|a|b|a@b\n|c|d|c@d\n|e|f|e@f\n"),
	CASE("empty members", ",, a@b ,,; ,c@d,", "|a|b|a@b\n|c|d|c@d\n"),
	CASE("semicolons", "a@b; c@d;", "|a|b|a@b\n|c|d|c@d\n"),
	CASE("only separators", ";;;;,,,;", ""),
	CASE("group", "Team: a@b, J <c@d>;, e@f",
	    "|a|b|a@b\nJ|c|d|c@d\n|e|f|e@f\n"),
	CASE("group, quoted", "\"A, B\": a@b;", "|a|b|a@b\n"),
	CASE("empty group", "undisclosed-recipients:;", ""),
	CASE("empty group, blank", "Undisclosed recipients: ;", ""),
	CASE("group without end", "Team: a@b", "|a|b|a@b\n"),
	CASE("route", "J <@x,@y:a@b>", "J|a|b|a@b\n"),
	CASE("route, one", "<@x:a@b>", "|a|b|a@b\n"),
	CASE("route, null member", "<,@x:a@b>", "|a|b|a@b\n"),
	CASE("mailto", "mailto:a@b", "|a|b|a@b\n"),
	CASE("mailto in angle", "<mailto:a@b>", "|a|b|a@b\n"),
	CASE("obsolete blanks", "a . b @ c . d", "|a.b|c.d|a.b@c.d\n"),
	CASE("blanks in angle", "< a @ b >", "|a|b|a@b\n"),
	CASE("quoted user", "\"a b\"@c", "|a b|c|\"a b\"@c\n"),
	CASE("quoted user, plain", "\"ab\"@c", "|ab|c|ab@c\n"),
	CASE("quoted user, lie", "\"a@b\"@c", "|a@b|c|\"a@b\"@c\n"),
	CASE("quoted user, comma", "<\"a,b\"@c>", "|a,b|c|\"a,b\"@c\n"),
	CASE("quoted user, escapes", "\"a\\\"b\\\\\"@c",
	    "|a\"b\\|c|\"a\\\"b\\\\\"@c\n"),
	CASE("odd dots", ".a..b.@c", "|.a..b.|c|.a..b.@c\n"),
	CASE("trailing dot", "a@b.org.", "|a|b.org|a@b.org\n"),
	CASE("case kept", "JoHn@EXAMPLE.org",
	    "|JoHn|EXAMPLE.org|JoHn@EXAMPLE.org\n"),
	CASE("literal", "a@[192.0.2.1]", "|a|[192.0.2.1]|a@[192.0.2.1]\n"),
	CASE("literal, six", "J <a@[IPv6:2001:db8::1]>",
	    "J|a|[IPv6:2001:db8::1]|a@[IPv6:2001:db8::1]\n"),
	CASE("address as name", "x@y <a@b>", "x@y|a|b|a@b\n"),
	CASE("quoted address as name", "\"x@y\" <a@b>", "x@y|a|b|a@b\n"),
	CASE("no brackets", "John Doe a@b", "John Doe|a|b|a@b\n"),
	CASE("name behind", "<a@b> John Doe", "John Doe|a|b|a@b\n"),
	CASE("no comma", "a@b c@d", "|a|b|a@b\n|c|d|c@d\n"),
	CASE("no comma, angles", "<a@b> <c@d>", "|a|b|a@b\n|c|d|c@d\n"),
	CASE("no comma, name", "a@b J c@d", "J|a|b|a@b\n|c|d|c@d\n"),
	CASE("angle never ends", "J <a@b", "J|a|b|a@b\n"),
	CASE("angle never ends, list", "J <a@b, c@d",
	    "J|a|b|a@b\n|c|d|c@d\n"),
	CASE("angle never begins", "a@b>, c@d", "|a|b|a@b\n|c|d|c@d\n"),
	CASE("two angles", "J <<a@b>>", "J|a|b|a@b\n"),
	CASE("quote never ends", "\"J <a@b>, c@d",
	    "\"J|a|b|a@b\n|c|d|c@d\n"),
	CASE("comment never ends", "(J <a@b>, c@d",
	    "(J|a|b|a@b\n|c|d|c@d\n"),
	CASE("comment closes alone", "J) <a@b>", "J)|a|b|a@b\n"),
	CASE("two at signs", "a@b@c", "|a@b|c|\"a@b\"@c\n"),
	CASE("no user", "@b", "||b|@b\n"),
	CASE("no domain", "a@", "|a||a@\n"),
	CASE("local user", "root", "|root||root\n"),
	CASE("local user, comment", "root (Cron)", "Cron|root||root\n"),
	CASE("local user, angle", "Cron <root>", "Cron|root||root\n"),
	CASE("name only", "John Doe", "John Doe|||John Doe\n"),
	CASE("name only, dot", "Dr. Who", "Dr. Who|||Dr. Who\n"),
	CASE("name only, quoted", "\"John\"", "John|||John\n"),
	CASE("null path", "<>", ""),
	CASE("name and null path", "John <>", "John|||\n"),
	CASE("comment only", "(John)", ""),
	CASE("junk", "\"", "\"|||\"\n"),
	CASE("fold kept as blank", "John\r\n\tDoe <a@b>",
	    "John Doe|a|b|a@b\n"),
#undef CASE
    /* clang-format on */
};

static void
format(struct buf *buf, const struct address_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct address *address = &list->items[i];

		buf_addf(buf, "%s|%s|%s|%s\n", address->name, address->user,
		    address->domain, address->addr);
	}
}

static void
test_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(fields); i++) {
		BUF_AUTO got = BUF_INIT;
		struct address_list list;

		address_list_parse(fields[i].in, &list);
		format(&got, &list);
		address_list_done(&list);
		if (strcmp(buf_str(&got), fields[i].out) != 0) {
			print_error("case: %s\ngot:\n%swant:\n%s",
			    fields[i].name, buf_str(&got), fields[i].out);
			fail();
		}
	}
}

static void
test_detail(void **state)
{
	static const char *const users[][2] = {
	    {"a", ""}, {"a+b", "b"}, {"a+b+c", "b+c"}, {"+b", "b"}, {"a+", ""}};

	(void)state;
	for (size_t i = 0; i < LENGTH(users); i++) {
		struct address_list list;
		BUF_AUTO text = BUF_INIT;

		buf_addf(&text, "%s@x", users[i][0]);
		address_list_parse(buf_span(&text), &list);
		assert_int_equal(list.count, 1);
		assert_string_equal(
		    address_detail(&list.items[0]), users[i][1]);
		address_list_done(&list);
	}
}

static void
test_limit(void **state)
{
	BUF_AUTO text = BUF_INIT;
	struct address_list list;

	(void)state;
	for (size_t i = 0; i < ADDRESS_LIST_MAX; i++)
		buf_add_str(&text, "a@b,");
	address_list_parse(buf_span(&text), &list);
	assert_int_equal(list.count, ADDRESS_LIST_MAX);
	assert_false(list.is_truncated);
	address_list_done(&list);
	buf_add_str(&text, "a@b,c@d");
	address_list_parse(buf_span(&text), &list);
	assert_int_equal(list.count, ADDRESS_LIST_MAX);
	assert_true(list.is_truncated);
	address_list_done(&list);
}

/* What a quadratic parser would chew on for minutes: this test would not
 * end. */
static void
test_floods(void **state)
{
	static const char *const pieces[] = {"(", ")", "\"", "<", ">", "@", ",",
	    ":", ";", "[", "]", "=?", "=?a?q?", "\\", ".", "a ", "(\\", "(a) ",
	    "<@a:", "a@b ", "(\"", "\"(", "[a", "?=", "@a,", "()"};

	(void)state;
	for (size_t i = 0; i < LENGTH(pieces); i++) {
		BUF_AUTO text = BUF_INIT;
		struct address_list list;

		while (text.len < 1000000)
			buf_add_str(&text, pieces[i]);
		address_list_parse(buf_span(&text), &list);
		assert_true(list.count <= ADDRESS_LIST_MAX);
		address_list_done(&list);
	}
}

/* ---- The plain case ---- */

static void
show_list(struct buf *buf, struct span text)
{
	struct address_list list;

	address_list_parse(text, &list);
	for (size_t i = 0; i < list.count; i++)
		buf_addf(buf, "[%s|%s|%s|%s]", list.items[i].name,
		    list.items[i].user, list.items[i].domain,
		    list.items[i].addr);
	address_list_done(&list);
}

/* What is added behind an open "<" is a part of it. */
static bool
has_open_angle(const char *text)
{
	const char *open = strrchr(text, '<'), *close = strrchr(text, '>');

	return open != NULL && (close == NULL || close < open);
}

/* Behind ",;" stands nobody, but the field is no plain one any more: both
 * ways to read it must come to the same. */
static void
test_plain_as_others(void **state)
{
	static const char *const pieces[] = {"ann", "Bob", "b.c", "@", "@",
	    "x.org", "<", ">", "<a@b>", "c@d.e", ",", ", ", " ", "  ", "\t",
	    ".", "=", "=?", "?=", "\\", "[", ":", "\xc3\xbc", "Dr. ", ">,", "+",
	    "-"};
	struct random random;

	(void)state;
	random_init(&random, 4);
	for (unsigned i = 0; i < 200000; i++) {
		BUF_AUTO text = BUF_INIT, plain = BUF_INIT, other = BUF_INIT;

		for (uint64_t n = random_below(&random, 9); n > 0; n--)
			buf_add_str(&text,
			    pieces[random_below(&random, LENGTH(pieces))]);
		if (has_open_angle(buf_str(&text)))
			continue;
		show_list(&plain, buf_span(&text));
		buf_add_str(&text, ",;");
		show_list(&other, buf_span(&text));
		if (strcmp(buf_str(&plain), buf_str(&other)) != 0)
			fail_msg("%s %s %s", buf_str(&text), buf_str(&plain),
			    buf_str(&other));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fields),
	    cmocka_unit_test(test_detail),
	    cmocka_unit_test(test_limit),
	    cmocka_unit_test(test_floods),
	    cmocka_unit_test(test_plain_as_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
