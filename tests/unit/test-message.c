/*
 * test-message: header blocks, well formed and not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/buf.h"
#include "daemon/mail/message.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

/* What comes out: "name=[raw]" a field, then the count of bad lines. */
static const struct {
	const char *name;
	struct span in;
	const char *out;
} blocks[] = {
/* clang-format off */
#define CASE(name, in, out) {name, SPAN_INIT(in), out}
	CASE("empty", "", "0"),
	CASE("empty line", "\r\n", "0"),
	CASE("empty line first", "\r\nSubject: x\r\n", "0"),
	CASE("one", "Subject: x\r\n\r\n", "Subject=[x] 0"),
	CASE("line feeds", "A: 1\nB: 2\n\nC: 3\n", "A=[1] B=[2] 0"),
	CASE("mixed ends", "A: 1\nB: 2\r\n\nC: 3\n", "A=[1] B=[2] 0"),
	CASE("double cr", "A: 1\r\r\n\r\r\nC: 3\n", "A=[1] 0"),
	CASE("no end", "A: 1", "A=[1] 0"),
	CASE("no empty line", "A: 1\r\nB: 2\r\n", "A=[1] B=[2] 0"),
	CASE("folded", "A: 1\r\n 2\r\n\t3\r\n", "A=[1 2\t3] 0"),
	CASE("folded at once", "A:\r\n 1\r\n", "A=[1] 0"),
	CASE("blank fold", "A: 1\r\n \r\n 2\r\n", "A=[1  2] 0"),
	CASE("no blank", "A:1\r\n", "A=[1] 0"),
	CASE("no value", "A:\r\nB: \r\n", "A=[] B=[] 0"),
	CASE("colon in value", "A: b:c\r\n", "A=[b:c] 0"),
	CASE("blank before colon", "A \t: 1\r\n", "A=[1] 0"),
	CASE("no colon", "A: 1\r\nfoo\r\nB: 2\r\n", "A=[1] B=[2] 1"),
	CASE("no colon, folded", "A: 1\r\nfoo\r\n bar: x\r\nB: 2\r\n",
	    "A=[1] B=[2] 1"),
	CASE("no name", ": 1\r\nB: 2\r\n", "B=[2] 1"),
	CASE("blank in name", "A B: 1\r\nB: 2\r\n", "B=[2] 1"),
	CASE("8-bit name", "\xc3\xa4: 1\r\nB: 2\r\n", "B=[2] 1"),
	CASE("control in name", "A\x01: 1\r\nB: 2\r\n", "B=[2] 1"),
	CASE("nul in name", "A\0: 1\r\nB: 2\r\n", "B=[2] 1"),
	CASE("fold first", " x: 1\r\nB: 2\r\n", "B=[2] 1"),
	CASE("from line", "From a@b Thu Feb 29 10:11:12 2024\nB: 2\n",
	    "B=[2] 0"),
	CASE("from line later", "B: 2\nFrom a@b Thu Feb 29 10:11:12\n",
	    "B=[2] 1"),
	CASE("from line quoted", ">From a@b Thu Feb 29 10:11:12\nB: 2\n",
	    "B=[2] 1"),
	CASE("cr alone", "A: 1\r2\r\n", "A=[1\r" "2] 0"),
#undef CASE
    /* clang-format on */
};

static void
format(struct buf *buf, const struct message *message)
{
	for (size_t i = 0; i < message_field_count(message); i++) {
		struct span name = message_field_name(message, i);
		struct span raw = message_field_raw(message, i);

		buf_addf(buf, "%.*s=[%.*s] ", SPAN_FMT(name), SPAN_FMT(raw));
	}
	buf_addf(buf, "%zu", message_bad_line_count(message));
}

static void
test_blocks(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(blocks); i++) {
		struct message *message = message_new(blocks[i].in);
		BUF_AUTO got = BUF_INIT;

		format(&got, message);
		if (strcmp(buf_str(&got), blocks[i].out) != 0 ||
		    message_is_truncated(message)) {
			print_error("case: %s: got %s\n", blocks[i].name,
			    buf_str(&got));
			fail();
		}
		message_free(&message);
		assert_null(message);
	}
}

static const char header[] =
    "Received: one\r\n"
    "received: two\r\n"
    "From: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>\r\n"
    "To: a@b,\r\n c@d\r\n"
    "SUBJECT: =?utf-8?q?f=C3=BC?=\r\n =?utf-8?q?r?= alle\r\n"
    "Subject: second\r\n"
    "Date: Thu, 29 Feb 2024 10:11:12 +0000\r\n"
    "Message-ID: (x) <id@example.org> y\r\n"
    "Empty:\r\n"
    "\r\n"
    "Body: no\r\n";

static void
test_access(void **state)
{
	struct message *message = message_new(SPAN(header));
	const struct address_list *to;
	struct span text;
	int64_t seconds;

	(void)state;
	assert_int_equal(message_field_count(message), 9);
	assert_int_equal(message_count(message, "RECEIVED"), 2);
	assert_int_equal(message_count(message, "Body"), 0);
	assert_true(span_is(message_raw(message, "received", 1), "two"));
	assert_null(message_raw(message, "received", 2).data);
	assert_null(message_text(message, "body", 0).data);
	assert_true(span_is(message_raw(message, "subject", 0),
	    "=?utf-8?q?f=C3=BC?= =?utf-8?q?r?= alle"));
	text = message_text(message, "subject", 0);
	assert_true(span_is(text, "f\u00fcr alle"));
	/* Decoded once. */
	assert_ptr_equal(message_text(message, "subject", 0).data, text.data);
	assert_ptr_equal(message_field_text(message, 4).data, text.data);
	assert_true(span_is(message_text(message, "subject", 1), "second"));
	text = message_text(message, "empty", 0);
	assert_true(text.len == 0 && text.data != NULL);
	to = message_addresses(message, "to", 0);
	assert_int_equal(to->count, 2);
	assert_string_equal(to->items[1].addr, "c@d");
	assert_ptr_equal(message_addresses(message, "to", 0), to);
	assert_int_equal(message_addresses(message, "cc", 0)->count, 0);
	assert_string_equal(
	    message_addresses(message, "from", 0)->items[0].name, "J\u00f6rg");
	assert_true(message_date(message, &seconds) && seconds == 1709201472);
	assert_true(span_is(message_id(message), "<id@example.org>"));
	assert_null(message_field_name(message, 9).data);
	message_free(&message);
}

static const struct {
	const char *name;
	struct span in;
	const char *id;
} ids[] = {
    {"none", SPAN_INIT("A: 1\n"), ""},
    {"plain", SPAN_INIT("Message-Id: <a@b>\n"), "<a@b>"},
    {"two", SPAN_INIT("Message-Id: <a@b>\nMessage-ID: <c@d>\n"), "<a@b>"},
    {"two in one", SPAN_INIT("Message-Id: <a@b> <c@d>\n"), "<a@b>"},
    {"no brackets", SPAN_INIT("Message-Id: a@b\n"), "a@b"},
    {"open", SPAN_INIT("Message-Id: <a@b\n"), "<a@b"},
    {"blank inside", SPAN_INIT("Message-Id: <a b@c>\n"), "<a b@c>"},
    {"nul inside", SPAN_INIT("Message-Id: <a\0b@c>\n"),
	"<a\xef\xbf\xbd"
	"b@c>"},
    {"not decoded", SPAN_INIT("Message-Id: <=?utf-8?q?a?=@c>\n"),
	"<=?utf-8?q?a?=@c>"},
};

static void
test_ids(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(ids); i++) {
		struct message *message = message_new(ids[i].in);

		if (!span_is(message_id(message), ids[i].id)) {
			print_error("case: %s\n", ids[i].name);
			fail();
		}
		message_free(&message);
	}
}

static void
test_no_date(void **state)
{
	struct message *message = message_new(SPAN("Date: yesterday\n"));
	int64_t seconds = 7;

	(void)state;
	assert_false(message_date(message, &seconds));
	message_free(&message);
	message = message_new(SPAN("A: b\n"));
	assert_false(message_date(message, &seconds));
	assert_true(seconds == 7);
	message_free(&message);
}

static void
test_limits(void **state)
{
	BUF_AUTO text = BUF_INIT;
	struct message *message;

	(void)state;
	for (size_t i = 0; i < MESSAGE_FIELDS_MAX; i++)
		buf_addf(&text, "A: %zu\r\n", i);
	message = message_new(buf_span(&text));
	assert_false(message_is_truncated(message));
	message_free(&message);
	buf_add_str(&text, "B: 1\r\n");
	message = message_new(buf_span(&text));
	assert_true(message_is_truncated(message));
	assert_int_equal(message_field_count(message), MESSAGE_FIELDS_MAX);
	message_free(&message);

	buf_truncate(&text, 0);
	buf_add_str(&text, "A: ");
	while (text.len < MESSAGE_HEADER_MAX)
		buf_add_char(&text, 'x');
	message = message_new(buf_span(&text));
	assert_false(message_is_truncated(message));
	message_free(&message);
	buf_add_char(&text, 'x');
	message = message_new(buf_span(&text));
	assert_true(message_is_truncated(message));
	assert_int_equal(
	    message_text(message, "A", 0).len, MESSAGE_HEADER_MAX - 3);
	message_free(&message);
}

/* A big body does not count. */
static void
test_big_body(void **state)
{
	BUF_AUTO text = BUF_INIT;
	struct message *message;

	(void)state;
	buf_add_str(&text, "A: 1\r\n\r\n");
	while (text.len < 2 * MESSAGE_HEADER_MAX)
		buf_add_str(&text, "body\r\n");
	message = message_new(buf_span(&text));
	assert_false(message_is_truncated(message));
	assert_int_equal(message_field_count(message), 1);
	message_free(&message);
}

/* What a quadratic decoder would chew on for minutes: this test would not
 * end. */
static void
test_floods(void **state)
{
	static const char *const pieces[] = {"=?", "=?a?q?",
	    "=?utf-8?q?a?= ", "=?utf-8?q?=C3?=", "=?utf-8?b?w?= ",
	    "=?iso-2022-jp?b?GyRC?= ", "=?gb2312?q?=D6?= ", "\r\n ", "\xc3",
	    "\xe2\x82", "?=", "=?koi8-r?q?a?= =?euc-kr?q?a?= ", "=?a?b?=",
	    "=?utf-8?q?\xff?=", "\x01"};

	(void)state;
	for (size_t i = 0; i < LENGTH(pieces); i++) {
		BUF_AUTO text = BUF_INIT;
		struct message *message;

		buf_add_str(&text, "A: x");
		while (text.len < MESSAGE_HEADER_MAX)
			buf_add_str(&text, pieces[i]);
		message = message_new(buf_span(&text));
		assert_true(message_text(message, "A", 0).len > 0);
		message_addresses(message, "A", 0);
		message_free(&message);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_blocks),
	    cmocka_unit_test(test_access),
	    cmocka_unit_test(test_ids),
	    cmocka_unit_test(test_no_date),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_big_body),
	    cmocka_unit_test(test_floods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
