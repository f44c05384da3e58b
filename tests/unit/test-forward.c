/*
 * The forward composer and the guards in front of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/digest.h"
#include "daemon/base/random.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/body.h"
#include "daemon/mail/forward.h"
#include "daemon/mail/forward_guard.h"
#include "tests/lib/forward-check.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct forward_request request = {
    .from = "ann@example.org",
    .to = "to@example.net",
    .message_id = "<belfry.1@example.org>",
    .date_unix = 1795295959,
    .account = "ann@example.org",
    .hop = 1,
    .key = "key",
};

/* ---- attach ------------------------------------------------------- */

static void
test_attach_whole(void **state)
{
	static const struct span original =
	    SPAN_INIT("Return-Path: <bob@example.com>\r\n"
		      "From: Bob <bob@example.com>\r\nTo: ann@example.org\r\n"
		      "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
		      "Date: Sat, 21 Nov 2026 20:00:00 +0000\r\n"
		      "Message-ID: <1@example.com>\r\n\r\nhello\r\n");
	static const char expected[] =
	    "Date: Sat, 21 Nov 2026 21:19:19 +0000\r\n"
	    "From: ann@example.org\r\n"
	    "To: to@example.net\r\n"
	    "Reply-To: bob@example.com\r\n"
	    "Subject: Fwd: =?utf-8?b?R3LDvMOfZQ==?=\r\n"
	    "Message-ID: <belfry.1@example.org>\r\n"
	    "In-Reply-To: <1@example.com>\r\n"
	    "References: <1@example.com>\r\n"
	    "Auto-Submitted: auto-generated\r\n"
	    "X-Belfry-Forward: ";
	BUF_AUTO out = BUF_INIT;
	BUF_AUTO again = BUF_INIT;

	(void)state;
	assert_true(
	    forward_compose_attach(&request, original, true, &out, NULL));
	assert_int_equal(strncmp(buf_str(&out), expected, strlen(expected)), 0);
	assert_non_null(strstr(buf_str(&out), "; hop=1\r\n"));
	assert_non_null(strstr(buf_str(&out), "Content-Type: message/rfc822"));
	assert_null(forward_check(buf_span(&out), original, true));
	forward_compose_attach(&request, original, true, &again, NULL);
	assert_string_equal(buf_str(&out), buf_str(&again));
}

static const struct {
	const char *name;
	struct span original;
	bool eightbit_ok;
	const char *present, *absent; /* in the result; NULL: not looked for */
} attach_cases[] = {
    {"empty", SPAN_INIT(""), true, "Subject: Fwd: (no subject)\r\n",
	"Reply-To"},
    {"header only", SPAN_INIT("Subject: a"), true, "Subject: Fwd: a\r\n", NULL},
    {"8-bit body", SPAN_INIT("Subject: a\n\n\xe4\n"), true,
	"Content-Transfer-Encoding: 8bit", "octet-stream"},
    {"8-bit body, no 8BITMIME", SPAN_INIT("Subject: a\n\n\xe4\n"), false,
	"octet-stream", "message/rfc822"},
    {"8-bit header", SPAN_INIT("Subject: \xc3\xa4\n\na\n"), true,
	"octet-stream", "message/rfc822"},
    {"NUL", SPAN_INIT("Subject: a\n\na\0b\n"), true, "octet-stream",
	"message/rfc822"},
    {"CRLF in an encoded word",
	SPAN_INIT("Subject: =?utf-8?q?a=0D=0ABcc:_evil@x?=\n\n"), true,
	"Subject: Fwd: a Bcc: evil@x\r\n", "\nBcc"},
    {"CR in the subject", SPAN_INIT("Subject: a\rBcc: evil@x\n\n"), true,
	"Subject: Fwd: a", "Cc: "},
    {"NUL in an encoded word", SPAN_INIT("Subject: =?utf-8?b?AGE=?=\n\n"), true,
	"Subject: Fwd: ", NULL},
    {"an evil Message-ID", SPAN_INIT("Message-ID: <a>\n <b@c>\n\n"), true, NULL,
	"In-Reply-To: <a>\r\n "},
    {"a Message-ID with a blank", SPAN_INIT("Message-ID: <a b@c>\n\n"), true,
	NULL, "In-Reply-To"},
    {"an evil sender", SPAN_INIT("From: \"a\\\r\\\nBcc: x\"@example.com\n\n"),
	true, NULL, "Reply-To"},
    {"an encoded sender",
	SPAN_INIT("From: =?utf-8?q?=0ABcc:_evil@x_?= <a@b.c>\n\n"), true,
	"Reply-To: a@b.c\r\n", NULL},
    {"a boundary of somebody else",
	SPAN_INIT("Subject: a\n\n--=_belfry_\n\n--=_belfry_--\n"), true,
	"message/rfc822", NULL},
};

static bool
has(const struct buf *out, const char *text)
{
	return span_find_span(buf_span(out), span_from_str(text), 0) !=
	       SIZE_MAX;
}

static void
test_attach(void **state)
{
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(attach_cases); i++) {
		BUF_AUTO out = BUF_INIT;
		const char *wrong, *body;
		bool right;

		right =
		    forward_compose_attach(&request, attach_cases[i].original,
			attach_cases[i].eightbit_ok, &out, NULL);
		wrong = forward_check(buf_span(&out), attach_cases[i].original,
		    attach_cases[i].eightbit_ok);
		/* Without the attached original. */
		body = strstr(buf_str(&out), "eml\"\r\n\r\n");
		if (body == NULL)
			body = strstr(buf_str(&out), "attachment\r\n\r\n");
		if (body != NULL)
			buf_truncate(&out, (size_t)(body - buf_str(&out)));
		right = right && wrong == NULL &&
			(attach_cases[i].present == NULL ||
			    has(&out, attach_cases[i].present)) &&
			(attach_cases[i].absent == NULL ||
			    !has(&out, attach_cases[i].absent));
		if (!right) {
			print_error("%s: %s\n%.*s\n", attach_cases[i].name,
			    wrong != NULL ? wrong : "", (int)out.len,
			    buf_str(&out));
			failures++;
		}
	}
	assert_int_equal(failures, 0);
}

/* Addresses beyond ASCII: what goes by SMTPUTF8 anyway may carry an original
 * that needs it; what does not, does not become something that does. */
static const struct {
	const char *name, *from, *to;
	struct span original;
	bool needs_utf8;
	const char *present, *absent;
} eai_cases[] = {
    {"target", "ann@example.org", "j\xc3\xbcrgen@example.net",
	SPAN_INIT("From: b@c.de\nSubject: a\n\n\xe4\n"), true,
	"To: j\xc3\xbcrgen@example.net\r\nReply-To: b@c.de\r\n",
	"message/global"},
    {"own address", "\xc3\xa4nn@example.org", "to@example.net",
	SPAN_INIT("Subject: a\n\na\n"), true,
	"From: \xc3\xa4nn@example.org\r\n", "message/global"},
    {"original, too", "ann@example.org", "j\xc3\xbcrgen@example.net",
	SPAN_INIT("From: \xc3\xb6@c.de\nSubject: \xc3\xa4\n\n\xc3\xa4\n"), true,
	"Content-Type: message/global\r\n"
	"Content-Transfer-Encoding: 8bit\r\n",
	"octet-stream"},
    {"and its sender", "ann@example.org", "j\xc3\xbcrgen@example.net",
	SPAN_INIT("From: \xc3\xb6@c.de\nSubject: \xc3\xa4\n\n\xc3\xa4\n"), true,
	"Reply-To: \xc3\xb6@c.de\r\n", "octet-stream"},
    {"original in Latin-1", "ann@example.org", "j\xc3\xbcrgen@example.net",
	SPAN_INIT("Subject: \xe4\n\na\n"), true, "octet-stream",
	"message/global"},
    {"only the original", "ann@example.org", "to@example.net",
	SPAN_INIT("From: \xc3\xb6@c.de\nSubject: \xc3\xa4\n\n\xc3\xa4\n"),
	false, "octet-stream", "message/global"},
    {"only its sender", "ann@example.org", "to@example.net",
	SPAN_INIT("From: \xc3\xb6@c.de\n\na\n"), false, "To: to@", "Reply-To"},
};

static void
test_eai(void **state)
{
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(eai_cases); i++) {
		struct forward_request r = request;
		BUF_AUTO out = BUF_INIT;
		bool right;

		r.from = eai_cases[i].from;
		r.to = eai_cases[i].to;
		right = forward_compose_attach(
			    &r, eai_cases[i].original, true, &out, NULL) &&
			forward_needs_utf8(&r) == eai_cases[i].needs_utf8 &&
			forward_has_8bit_header(buf_span(&out)) ==
			    eai_cases[i].needs_utf8 &&
			has(&out, eai_cases[i].present) &&
			!has(&out, eai_cases[i].absent);
		if (!right) {
			print_error(
			    "%s\n%s\n", eai_cases[i].name, buf_str(&out));
			failures++;
		}
	}
	assert_int_equal(failures, 0);
}

static void
test_long_lines(void **state)
{
	(void)state;
	for (int extra = 0; extra < 2; extra++) {
		BUF_AUTO original = BUF_INIT;
		BUF_AUTO out = BUF_INIT;

		buf_add_str(&original, "Subject: a\n\n");
		for (int i = 0; i < FORWARD_LINE_MAX + extra; i++)
			buf_add_char(&original, 'x');
		assert_true(forward_compose_attach(
		    &request, buf_span(&original), true, &out, NULL));
		assert_null(
		    forward_check(buf_span(&out), buf_span(&original), true));
		assert_int_equal(
		    strstr(buf_str(&out), "octet-stream") != NULL, extra == 1);
	}
}

/* Originals made of the pieces that hurt, thousands of them. */
static void
add_hostile(struct random *random, struct buf *out)
{
	static const struct span pieces[] = {SPAN_INIT("\r\n"), SPAN_INIT("\n"),
	    SPAN_INIT("\r"), SPAN_INIT(" "), SPAN_INIT("\t"),
	    SPAN_INIT("Subject: "), SPAN_INIT("From: "), SPAN_INIT("To: "),
	    SPAN_INIT("Message-ID: "), SPAN_INIT("<"), SPAN_INIT(">"),
	    SPAN_INIT("@"), SPAN_INIT("a@b.example"), SPAN_INIT("Bcc: x@y"),
	    SPAN_INIT("=?utf-8?q?=0D=0ABcc:_x@y?="),
	    SPAN_INIT("=?utf-8?b?DQpCY2M6IHhAeQ==?="), SPAN_INIT("\0"),
	    SPAN_INIT("\xff"), SPAN_INIT("\xc3\xa4"), SPAN_INIT("\xe2\x80\xa8"),
	    SPAN_INIT("\""), SPAN_INIT("\\"), SPAN_INIT("("), SPAN_INIT(")"),
	    SPAN_INIT(","), SPAN_INIT(";"), SPAN_INIT(":"), SPAN_INIT("word"),
	    SPAN_INIT("--=_belfry_"), SPAN_INIT("=?"), SPAN_INIT("?="),
	    SPAN_INIT("Date: ")};
	uint64_t count = random_below(random, 40);

	while (count-- > 0)
		buf_add_span(out, pieces[random_below(random, COUNT(pieces))]);
}

static void
test_hostile(void **state)
{
	struct random random;

	(void)state;
	random_init(&random, 1);
	for (unsigned i = 0; i < 5000; i++) {
		BUF_AUTO original = BUF_INIT;
		BUF_AUTO out = BUF_INIT;
		const char *wrong;

		add_hostile(&random, &original);
		if (!forward_compose_attach(
			&request, buf_span(&original), i % 2 == 0, &out, NULL))
			fail_msg("original %u is refused", i);
		wrong = forward_check(
		    buf_span(&out), buf_span(&original), i % 2 == 0);
		if (wrong != NULL)
			fail_msg(
			    "original %u: %s\n%s", i, wrong, buf_str(&out));
	}
}

static void
test_boundary_collision(void **state)
{
	BUF_AUTO first = BUF_INIT;
	BUF_AUTO original = BUF_INIT;
	BUF_AUTO second = BUF_INIT;
	const char *boundary;

	(void)state;
	forward_compose_attach(
	    &request, SPAN("Subject: a\n\n"), true, &first, NULL);
	boundary = strstr(buf_str(&first), "=_belfry_");
	buf_add_str(&original, "Subject: a\n\n--");
	buf_add(&original, boundary, strlen("=_belfry_") + 32);
	buf_add_str(&original, "\nContent-Type: text/html\n\nevil\n");
	assert_true(forward_compose_attach(
	    &request, buf_span(&original), true, &second, NULL));
	assert_null(
	    forward_check(buf_span(&second), buf_span(&original), true));
}

/* Against known answers, leap days among them. */
static const struct {
	int64_t unix_seconds;
	const char *date;
} dates[] = {
    {0, "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"},
    {951782399, "Date: Mon, 28 Feb 2000 23:59:59 +0000\r\n"},
    {951782400, "Date: Tue, 29 Feb 2000 00:00:00 +0000\r\n"},
    {951868800, "Date: Wed, 01 Mar 2000 00:00:00 +0000\r\n"},
    {1709251199, "Date: Thu, 29 Feb 2024 23:59:59 +0000\r\n"},
    {4107542400, "Date: Mon, 01 Mar 2100 00:00:00 +0000\r\n"},
    {1767225599, "Date: Wed, 31 Dec 2025 23:59:59 +0000\r\n"},
    {253402300799, "Date: Fri, 31 Dec 9999 23:59:59 +0000\r\n"},
    {-1, "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"},
    {INT64_MAX, "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"},
};

static void
test_dates(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(dates); i++) {
		struct forward_request r = request;
		BUF_AUTO out = BUF_INIT;

		r.date_unix = dates[i].unix_seconds;
		assert_true(forward_compose_attach(
		    &r, SPAN("a: b\n\n"), true, &out, NULL));
		if (!span_starts(buf_span(&out), dates[i].date))
			fail_msg("%s, got %.40s", dates[i].date, buf_str(&out));
	}
}

static const struct {
	const char *from, *to, *id;
} bad_requests[] = {
    {"", "b@c", "<1@x>"},
    {"a", "b@c", "<1@x>"},
    {"a@b\r\nBcc: x@y", "b@c", "<1@x>"},
    {"a@b", "b@c, d@e", "<1@x>"},
    {"a@b", "b c@d", "<1@x>"},
    {"a@b", "<b@c>", "<1@x>"},
    {"a@b", "b@\xc3\xa4", "<1@x>"},
    {"a@b", "\xff@c", "<1@x>"},
    {"a@b", "\xe2\x80\xae@c", "<1@x>"}, /* right to left */
    {"a@b", "\xc2\xa0@c", "<1@x>"},	/* no-break space */
    {"a@b", "b@c@d", "<1@x>"},
    {"a@b", "b@", "<1@x>"},
    {"a@b", "@c", "<1@x>"},
    {"a@b", "b@c", "1@x"},
    {"a@b", "b@c", "<1@x>\r\nBcc: y"},
    {"a@b", "b@c", "<>"},
};

static void
test_bad_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad_requests); i++) {
		struct forward_request r = request;
		BUF_AUTO out = BUF_INIT;
		struct error error = ERROR_INIT;

		r.from = bad_requests[i].from;
		r.to = bad_requests[i].to;
		r.message_id = bad_requests[i].id;
		if (forward_compose_attach(
			&r, SPAN("a: b\n\n"), true, &out, &error) ||
		    forward_compose_redirect(
			&r, SPAN("a: b\n\n"), &out, NULL) ||
		    error.fault != FAULT_CONFIG || out.len > 0)
			fail_msg("request %zu", i);
	}
}

/* ---- inline ------------------------------------------------------- */

static const char inline_mixed[] =
    "From: Bob <bob@example.com>\r\nTo: ann@example.org\r\n"
    "Subject: plans\r\nDate: Sat, 21 Nov 2026 20:00:00 +0000\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n\r\n> old\r\n-- "
    "\r\nBob\r\n"
    "--b\r\nContent-Type: application/pdf\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "Content-Disposition: attachment; filename=\"a b.pdf\"\r\n\r\n"
    "AAEC\r\n"
    "--b\r\nContent-Type: text/csv; charset=iso-8859-1\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n"
    "Content-Disposition: attachment; "
    "filename=\"=?utf-8?q?..=2F=C3=A4=22=0D=0A?=\"\r\n\r\n"
    "a=E4=\r\nb\r\n"
    "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nhi\r\n"
    "--b--\r\n";

static const char inline_expected[] =
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: 7bit\r\n\r\n"
    "This message was forwarded by a rule.\r\n\r\n"
    "From: Bob <bob@example.com>\r\nTo: ann@example.org\r\n"
    "Subject: plans\r\nDate: Sat, 21 Nov 2026 20:00:00 +0000\r\n\r\n"
    "> hello\r\n>\r\n>> old\r\n> -- \r\n> Bob\r\n\r\n"
    "--B\r\nContent-Type: application/pdf\r\n"
    "Content-Disposition: attachment;\r\n filename=\"a b.pdf\"\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\nAAEC\r\n\r\n"
    "--B\r\nContent-Type: text/csv;\r\n charset=iso-8859-1\r\n"
    "Content-Disposition: attachment;\r\n"
    " filename*0*=utf-8''%2E%2E%5F%C3%A4%22\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\nYeRi\r\n\r\n"
    "--B\r\nContent-Type: message/rfc822\r\n"
    "Content-Disposition: attachment\r\n\r\n"
    "Subject: inner\r\n\r\nhi\r\n--B--\r\n";

/* With "--B" for the boundary. */
static void
test_inline_whole(void **state)
{
	BUF_AUTO out = BUF_INIT;
	BUF_AUTO body = BUF_INIT;
	BUF_AUTO again = BUF_INIT;
	struct span rest, boundary;

	(void)state;
	assert_true(
	    forward_compose_inline(&request, SPAN(inline_mixed), &out, NULL));
	assert_null(forward_check_header(buf_span(&out), &boundary, &rest));
	for (size_t at; (at = span_find_span(rest, boundary, 0)) != SIZE_MAX;
	     rest = span_skip(rest, at + boundary.len)) {
		buf_add_span(&body, span_slice(rest, 0, at));
		buf_add_char(&body, 'B');
	}
	buf_add_span(&body, rest);
	assert_true(span_starts(buf_span(&body), "--B\r\n"));
	assert_string_equal(buf_str(&body) + 5, inline_expected);
	forward_compose_inline(&request, SPAN(inline_mixed), &again, NULL);
	assert_string_equal(buf_str(&out), buf_str(&again));
}

static const struct {
	const char *name;
	struct span original;
	const char *present, *absent;
} inline_cases[] = {
    {"empty", SPAN_INIT(""), "(The message has no text.)", "attachments"},
    {"html", SPAN_INIT("Content-Type: text/html\n\n<b>a</b> &lt; b<br>c\n"),
	"> a < b\r\n> c\r\n", "<b>"},
    {"8-bit header", SPAN_INIT("Subject: \xc3\xa4\n\na\n"),
	"Subject: Fwd: =?utf-8?b?w6Q=?=", "message.eml"},
    {"NUL", SPAN_INIT("Subject: a\n\na\0b\n"), "charset=utf-8", "message.eml"},
    {"CRLF in an encoded word",
	SPAN_INIT("Subject: =?utf-8?q?a=0D=0ABcc:_evil@x?=\n\n"),
	"Subject: a Bcc: evil@x\r\n", "\nBcc"},
    {"encrypted",
	SPAN_INIT("Content-Type: multipart/encrypted; boundary=b\n\n"
		  "--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n"
		  "--b\nContent-Type: application/octet-stream\n\nx\n--b--\n"),
	"message/rfc822", "no text"},
    {"an attached message in 8bit",
	SPAN_INIT("Content-Type: message/rfc822\n\nSubject: \xe4\n\n\n"),
	"application/octet-stream", "message/rfc822"},
    {"a type that is none",
	SPAN_INIT("Content-Type: application/a\"b; name=x\n\nx\n"),
	"Content-Type: application/a\r\n", "a\"b"},
    {"a charset that is none",
	SPAN_INIT("Content-Type: text/csv; charset=\"a b\"\n"
		  "Content-Disposition: attachment\n\nx\n"),
	"Content-Type: text/csv\r\n", "charset=a"},
};

static void
test_inline(void **state)
{
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(inline_cases); i++) {
		BUF_AUTO out = BUF_INIT;
		const char *wrong;

		forward_compose_inline(
		    &request, inline_cases[i].original, &out, NULL);
		wrong = forward_check_inline(buf_span(&out));
		if (wrong != NULL || !has(&out, inline_cases[i].present) ||
		    has(&out, inline_cases[i].absent)) {
			print_error("%s: %s\n%s\n", inline_cases[i].name,
			    wrong != NULL ? wrong : "another text",
			    buf_str(&out));
			failures++;
		}
	}
	assert_int_equal(failures, 0);
}

/* What is left out is said. */
static void
test_inline_limits(void **state)
{
	BUF_AUTO original = BUF_INIT;
	BUF_AUTO out = BUF_INIT;

	(void)state;
	buf_add_str(
	    &original, "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n");
	for (size_t i = 0; i < BODY_TEXT_MAX; i++)
		buf_add_str(&original, i % 70 == 0 ? "\na" : "a");
	for (size_t i = 0; i <= FORWARD_INLINE_PARTS_MAX; i++)
		buf_add_str(
		    &original, "\n--b\nContent-Disposition: attachment\n\nx");
	buf_add_str(&original, "\n--b--\n");
	assert_true(
	    forward_compose_inline(&request, buf_span(&original), &out, NULL));
	assert_null(forward_check_inline(buf_span(&out)));
	assert_true(has(&out, "\r\n(The rest of the text is left out.)\r\n"));
	assert_true(has(&out, "\r\n(Some attachments are left out.)\r\n"));
}

/* ---- redirect ----------------------------------------------------- */

static const struct {
	const char *name;
	struct span original;
	const char *rest; /* behind the Resent fields; NULL: refused */
} redirect_cases[] = {
    {"plain", SPAN_INIT("From: a@b\r\n\r\nx\r\n"), "From: a@b\r\n\r\nx\r\n"},
    {"Bcc and Return-Path go",
	SPAN_INIT("Return-Path: <a>\nBcc: x,\n y\nFrom: a@b\nbcc : z\n\nBcc: "
		  "kept\n"),
	"From: a@b\n\nBcc: kept\n"},
    {"Bcc behind a bare CR", SPAN_INIT("From: a@b\rBcc: x\r\n\r\n"),
	"From: a@b\r\r\n"},
    {"mbox line", SPAN_INIT("From x Sat\nFrom: a@b\n\n"), "From: a@b\n\n"},
    {"no header", SPAN_INIT("\r\nbody"), "\r\nbody"},
    {"empty", SPAN_INIT(""), ""},
    {"a continuation first", SPAN_INIT(" x@y\nFrom: a\n\n"), NULL},
    {"a continuation behind the mbox line", SPAN_INIT("From x\n\ty\n\n"), NULL},
    {"NUL", SPAN_INIT("From: a\n\n\0"), NULL},
};

static void
test_redirect(void **state)
{
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(redirect_cases); i++) {
		BUF_AUTO out = BUF_INIT;
		const char *rest = redirect_cases[i].rest;
		bool done = forward_compose_redirect(
		    &request, redirect_cases[i].original, &out, NULL);
		const char *end = strstr(buf_str(&out),
		    "Resent-Message-ID: <belfry.1@example.org>\r\n");

		if (done != (rest != NULL) ||
		    (done && (end == NULL ||
				 strcmp(strstr(end, "\r\n") + 2, rest) != 0))) {
			print_error(
			    "%s:\n%s\n", redirect_cases[i].name, buf_str(&out));
			failures++;
		}
	}
	assert_int_equal(failures, 0);
}

/* RFC 5322 section 3.6.6: what stands in front, and nothing else. */
static void
test_redirect_fields(void **state)
{
	static const char expected[] =
	    "Resent-Date: Sat, 21 Nov 2026 21:19:19 +0000\r\n"
	    "Resent-From: ann@example.org\r\n"
	    "Resent-To: to@example.net\r\n"
	    "Resent-Message-ID: <belfry.1@example.org>\r\n"
	    "From: b@c\r\n\r\nhi\r\n";
	BUF_AUTO out = BUF_INIT;

	(void)state;
	assert_true(forward_compose_redirect(
	    &request, SPAN("From: b@c\r\n\r\nhi\r\n"), &out, NULL));
	assert_int_equal(strncmp(buf_str(&out), "X-Belfry-Forward: ", 18), 0);
	assert_string_equal(strstr(buf_str(&out), "\r\n") + 2, expected);
}

/* The mark names the account, so that its own mail is known again. */
static void
test_mark(void **state)
{
	const struct span account = SPAN("ann@example.org");
	BUF_AUTO out = BUF_INIT, hash = BUF_INIT, expected = BUF_INIT;

	(void)state;
	digest_key(&hash, &account, 1);
	buf_addf(&expected, "\r\nX-Belfry-Forward: %.16s; hop=1\r\n",
	    buf_str(&hash));
	assert_true(forward_compose_attach(
	    &request, SPAN("Subject: a\r\n\r\n"), true, &out, NULL));
	assert_true(has(&out, buf_str(&expected)));
}

/* What the text part says of the original. */
static void
test_summary(void **state)
{
	BUF_AUTO out = BUF_INIT;

	(void)state;
	assert_true(forward_compose_attach(&request,
	    SPAN("Date: Sat, 21 Nov 2026 20:00:00 +0000\r\nCc: c@d\r\n"
		 "Subject: plans\r\nTo: ann@example.org\r\n"
		 "From: bob@example.com\r\n\r\nhi\r\n"),
	    true, &out, NULL));
	assert_true(has(&out,
	    "The original is attached.\r\n\r\n"
	    "From: bob@example.com\r\nTo: ann@example.org\r\n"
	    "Subject: plans\r\nDate: Sat, 21 Nov 2026 20:00:00 +0000\r\n"
	    "\r\n--"));
}

/* ---- guards ------------------------------------------------------- */

static char *const me[] = {(char *)(uintptr_t) "ann@example.org",
    (char *)(uintptr_t) "ann@b\xc3\xbc"
			"cher.example",
    NULL};
static const struct strv identities = {(char **)(uintptr_t)me, 2, 2};

static const struct {
	const char *header;
	const char *target;
	bool allow_list, allow_auto;
	const char *reason; /* NULL: goes */
} guard_cases[] = {
    {"From: a@b\n", "to@x", false, false, NULL},
    {"", "to@x", false, false, NULL},
    {"x-belfry-forward: anything\n", "to@x", true, true,
	"it was forwarded by Belfry before"},
    {"Delivered-To: TO@x\n", "to@X", true, true, "it was at the target before"},
    {"Delivered-To: ann@example.org\n", "to@x", false, false, NULL},
    {"X-Forwarded-To: a@b, to@x\n", "to@x", true, true,
	"it was at the target before"},
    {"X-Forwarded-For: me@y to@x\n", "to@x", true, true,
	"it was at the target before"},
    {"X-Forwarded-For: me@y xto@x\n", "to@x", true, true, NULL},
    {"From: a@b\n", "Ann@Example.org", true, true,
	"the target is an address of yours"},
    /* One mailbox may have several names. */
    {"From: a@b\n", "ann+todo@example.org", true, true,
	"the target is an address of yours"},
    {"From: a@b\n", "Ann@XN--bcher-kva.example", true, true,
	"the target is an address of yours"},
    {"From: a@b\n",
	"ann@B\xc3\x9c"
	"cher.example",
	true, true, "the target is an address of yours"},
    {"From: a@b\n", "annabel@example.org", true, true, NULL},
    {"From: a@b\n", "ann@sub.example.org", true, true, NULL},
    {"Delivered-To: to+x@x\n", "to@x", true, true,
	"it was at the target before"},
    {"Delivered-To: to@x\n", "to+y@x", true, true,
	"it was at the target before"},
    {"Delivered-To: other@x\nDelivered-To: \"to\"@x\n", "to@x", true, true,
	"it was at the target before"},
    {"Delivered-To: to@b\xc3\xbc"
     "cher.example\n",
	"to@xn--bcher-kva.example", true, true, "it was at the target before"},
    {"X-Forwarded-For: me@y\tto@x\n", "to@x", true, true,
	"it was at the target before"},
    {"Resent-To: The Deputy <to@x>\n", "to@x", true, true,
	"it was at the target before"},
    {"Auto-Submitted: auto-replied\n", "to@x", true, false,
	"it was sent automatically (Auto-Submitted)"},
    {"Auto-Submitted: auto-replied\n", "to@x", false, true, NULL},
    {"Auto-Submitted: No (by hand)\n", "to@x", false, false, NULL},
    {"Auto-Submitted: no; x=y\n", "to@x", false, false, NULL},
    {"Auto-Submitted: no-way\n", "to@x", false, false,
	"it was sent automatically (Auto-Submitted)"},
    {"Auto-Submitted:\n", "to@x", false, false,
	"it was sent automatically (Auto-Submitted)"},
    {"Return-Path: <>\n", "to@x", false, false,
	"it has no sender to answer to (Return-Path)"},
    {"Return-Path: <>\n", "to@x", false, true, NULL},
    {"Return-Path: < > (null)\n", "to@x", false, false,
	"it has no sender to answer to (Return-Path)"},
    {"Return-Path: <a@b>\nReturn-Path: <>\n", "to@x", false, false,
	"it has no sender to answer to (Return-Path)"},
    {"Auto-Submitted: no\nAuto-Submitted: auto-generated\n", "to@x", false,
	false, "it was sent automatically (Auto-Submitted)"},
    {"Auto-Submitted: (no) auto-generated\n", "to@x", false, false,
	"it was sent automatically (Auto-Submitted)"},
    {"Content-Type: text/plain\nContent-Type: multipart/report;"
     " report-type=delivery-status\n",
	"to@x", true, true, "it is a delivery report"},
    {"Return-Path: <a@b>\n", "to@x", false, false, NULL},
    {"Content-Type: multipart/report;\n report-type=delivery-status\n", "to@x",
	true, true, "it is a delivery report"},
    {"Content-Type: Multipart/Report; boundary=x\n", "to@x", true, true,
	"it is a delivery report"},
    {"Content-Type: multipart/report; "
     "report-type=disposition-notification\n",
	"to@x", false, false, "it is an automatic report"},
    {"Content-Type: multipart/report; "
     "report-type=disposition-notification\n",
	"to@x", false, true, NULL},
    {"X-Auto-Response-Suppress: All\n", "to@x", false, false,
	"it was sent automatically (X-Auto-Response-Suppress)"},
    {"List-Id: <l.example.org>\n", "to@x", false, true,
	"it came through a mailing list"},
    {"List-Id: <l.example.org>\n", "to@x", true, false, NULL},
    {"Precedence: Bulk\n", "to@x", false, true, "it is bulk mail (Precedence)"},
    {"Precedence: junk\n", "to@x", false, true, "it is bulk mail (Precedence)"},
    {"Precedence: list\n", "to@x", false, true, "it is bulk mail (Precedence)"},
    {"Precedence: normal\n", "to@x", false, false, NULL},
};

static void
test_guards(void **state)
{
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(guard_cases); i++) {
		const struct forward_guard_config config = {
		    guard_cases[i].target, &identities,
		    guard_cases[i].allow_list, guard_cases[i].allow_auto};
		struct message *m =
		    message_new(span_from_str(guard_cases[i].header));
		const char *reason = guard_cases[i].reason;
		BUF_AUTO why = BUF_INIT;
		bool goes = forward_guard_allows(&config, m, &why);

		if (goes != (reason == NULL) ||
		    strcmp(buf_str(&why), reason != NULL ? reason : "") != 0) {
			print_error(
			    "%s: %s\n", guard_cases[i].header, buf_str(&why));
			failures++;
		}
		message_free(&m);
	}
	assert_int_equal(failures, 0);
}

static void
test_hops(void **state)
{
	(void)state;
	for (int extra = 0; extra < 2; extra++) {
		const struct forward_guard_config config = {
		    "to@x", NULL, true, true};
		BUF_AUTO header = BUF_INIT;
		BUF_AUTO why = BUF_INIT;
		struct message *m;

		for (int i = 0; i < FORWARD_RECEIVED_MAX + extra; i++)
			buf_add_str(&header, "Received: from a by b\n");
		m = message_new(buf_span(&header));
		assert_int_equal(
		    forward_guard_allows(&config, m, &why), extra == 0);
		message_free(&m);
	}
}

/* What stands against it may be behind what is kept of a header. */
static void
test_flooded_header(void **state)
{
	const struct forward_guard_config config = {"to@x", NULL, true, true};
	BUF_AUTO header = BUF_INIT;
	BUF_AUTO why = BUF_INIT;
	struct message *m;

	(void)state;
	while (header.len <= MESSAGE_HEADER_MAX)
		buf_add_str(&header, "X-Flood: nothing that means anything\n");
	buf_add_str(&header, "X-Belfry-Forward: hidden\n");
	m = message_new(buf_span(&header));
	assert_false(forward_guard_allows(&config, m, &why));
	assert_string_equal(
	    buf_str(&why), "its header is too large to be judged");
	message_free(&m);
}

/* What we send is stopped wherever a Belfry sees it again. */
static void
test_own_forward_is_stopped(void **state)
{
	const struct forward_guard_config config = {"x@y", NULL, true, true};
	static const struct span original = SPAN_INIT("From: a@b\n\nx\n");

	(void)state;
	for (int redirect = 0; redirect < 2; redirect++) {
		BUF_AUTO out = BUF_INIT;
		BUF_AUTO why = BUF_INIT;
		struct message *m;

		if (redirect)
			forward_compose_redirect(
			    &request, original, &out, NULL);
		else
			forward_compose_attach(
			    &request, original, true, &out, NULL);
		m = message_new(buf_span(&out));
		assert_false(forward_guard_allows(&config, m, &why));
		assert_string_equal(
		    buf_str(&why), "it was forwarded by Belfry before");
		message_free(&m);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_attach_whole),
	    cmocka_unit_test(test_attach),
	    cmocka_unit_test(test_eai),
	    cmocka_unit_test(test_long_lines),
	    cmocka_unit_test(test_hostile),
	    cmocka_unit_test(test_boundary_collision),
	    cmocka_unit_test(test_dates),
	    cmocka_unit_test(test_bad_requests),
	    cmocka_unit_test(test_inline_whole),
	    cmocka_unit_test(test_inline),
	    cmocka_unit_test(test_inline_limits),
	    cmocka_unit_test(test_redirect),
	    cmocka_unit_test(test_redirect_fields),
	    cmocka_unit_test(test_mark),
	    cmocka_unit_test(test_summary),
	    cmocka_unit_test(test_guards),
	    cmocka_unit_test(test_hops),
	    cmocka_unit_test(test_flooded_header),
	    cmocka_unit_test(test_own_forward_is_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
