/*
 * SMTP replies: the grammar with its limits, and what they mean.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/wire/smtp/reply.h"
#include "tests/lib/splitter.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
trace_reply(const struct smtp_reply *reply, struct buf *trace)
{
	buf_addf(trace, "%u %u.%u.%u x%u ", reply->code, reply->enhanced.class,
	    reply->enhanced.subject, reply->enhanced.detail, reply->lines);
	smtp_reply_format(reply, trace, 100);
	buf_addf(trace, " [%s%s]\n", smtp_class_name(smtp_reply_class(reply)),
	    smtp_reply_is_slow(reply) ? " slow" : "");
}

static void
play(void *ctx, const struct span *chunks, size_t count, struct buf *trace)
{
	struct smtp_parser parser;
	struct smtp_reply reply;
	struct error error;
	int result = 0;

	(void)ctx;
	smtp_parser_init(&parser);
	for (size_t i = 0; i < count && result >= 0; i++) {
		smtp_parser_feed(&parser, chunks[i]);
		while ((result = smtp_parser_next(&parser, &reply, &error)) > 0)
			trace_reply(&reply, trace);
		if (result < 0)
			buf_addf(trace, "%s: %s\n", fault_name(error.fault),
			    error.text);
	}
	if (smtp_parser_has_rest(&parser))
		buf_add_str(trace, "rest\n");
	smtp_parser_done(&parser);
}

static const struct {
	const char *name;
	struct span input;
	const char *expected;
} parse_cases[] = {
    {"one line", SPAN_INIT("250 ok\r\n"), "250 0.0.0 x1 ok [accepted]\n"},
    {"bare LF", SPAN_INIT("250 ok\n"), "250 0.0.0 x1 ok [accepted]\n"},
    {"no text", SPAN_INIT("250\r\n"), "250 0.0.0 x1  [accepted]\n"},
    {"blank only", SPAN_INIT("250 \r\n"), "250 0.0.0 x1  [accepted]\n"},
    {"enhanced", SPAN_INIT("550 5.7.26 no\r\n"),
	"550 5.7.26 x1 5.7.26 no [refused]\n"},
    {"enhanced alone", SPAN_INIT("250 2.0.0\r\n"),
	"250 2.0.0 x1 2.0.0 [accepted]\n"},
    {"an enhanced code of another class is text", SPAN_INIT("550 4.7.0 no\r\n"),
	"550 0.0.0 x1 4.7.0 no [refused]\n"},
    {"four digits are no enhanced code", SPAN_INIT("550 5.7.1234 no\r\n"),
	"550 0.0.0 x1 5.7.1234 no [refused]\n"},
    {"an address is no enhanced code", SPAN_INIT("550 5.7.1.9 no\r\n"),
	"550 0.0.0 x1 5.7.1.9 no [refused]\n"},
    {"several lines",
	SPAN_INIT("550-5.1.1 a\r\n550-5.1.1 b\r\n550 5.1.1 c\r\n"),
	"550 5.1.1 x3 5.1.1 a b c [refused]\n"},
    {"two replies", SPAN_INIT("250 a\r\n354 b\r\n"),
	"250 0.0.0 x1 a [accepted]\n354 0.0.0 x1 b [accepted]\n"},
    {"a rest", SPAN_INIT("220 go\r\n250"),
	"220 0.0.0 x1 go [accepted]\nrest\n"},
    {"half a reply", SPAN_INIT("250-a\r\n"), "rest\n"},
    {"8-bit and controls", SPAN_INIT("550 a\xff\x1b[31mb\tc\r\n"),
	"550 0.0.0 x1 a\xef\xbf\xbd[31mb c [refused]\n"},
    {"CR inside", SPAN_INIT("250 a\rb\r\n"), "250 0.0.0 x1 a b [accepted]\n"},
    {"NUL", SPAN_INIT("250 a\0b\r\n"),
	"peer: malformed reply from the mail server\n"},
    {"two digits", SPAN_INIT("25\r\n"),
	"peer: malformed reply from the mail server\n"},
    {"four digits", SPAN_INIT("2500 ok\r\n"),
	"peer: malformed reply from the mail server\n"},
    {"dash only", SPAN_INIT("-\r\n"),
	"peer: malformed reply from the mail server\n"},
    {"empty line", SPAN_INIT("\r\n"),
	"peer: malformed reply from the mail server\n"},
    {"code 1xx", SPAN_INIT("150 hm\r\n"),
	"peer: malformed reply from the mail server\n"},
    {"code 600", SPAN_INIT("600 hm\r\n"),
	"peer: malformed reply from the mail server\n"},
    {"blank in front", SPAN_INIT(" 250 ok\r\n"),
	"peer: malformed reply from the mail server\n"},
    {"tab behind the code", SPAN_INIT("250\tok\r\n"),
	"peer: malformed reply from the mail server\n"},
    {"HTTP", SPAN_INIT("HTTP/1.1 400 Bad Request\r\n"),
	"peer: malformed reply from the mail server\n"},
    {"the code changes", SPAN_INIT("250-a\r\n550 b\r\n"),
	"peer: the code changes inside one reply\n"},
};

static void
test_parse(void **state)
{
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(parse_cases); i++) {
		BUF_AUTO trace = BUF_INIT;

		play(NULL, &parse_cases[i].input, 1, &trace);
		if (strcmp(buf_str(&trace), parse_cases[i].expected) != 0) {
			print_error("%s: got\n%s", parse_cases[i].name,
			    buf_str(&trace));
			failures++;
		}
		if (!split_run(parse_cases[i].name, parse_cases[i].input, 5,
			play, NULL))
			failures++;
	}
	assert_int_equal(failures, 0);
}

static void
test_limits(void **state)
{
	BUF_AUTO input = BUF_INIT;
	BUF_AUTO trace = BUF_INIT;
	struct span whole;

	(void)state;
	/* A line that fits exactly, then one that never ends. */
	buf_add_str(&input, "250 ");
	while (input.len < SMTP_LINE_MAX - 1)
		buf_add_char(&input, 'a');
	buf_add_str(&input, "\r\n");
	whole = buf_span(&input);
	play(NULL, &whole, 1, &trace);
	assert_non_null(strstr(buf_str(&trace), "[accepted]"));

	buf_clear(&input);
	buf_clear(&trace);
	while (input.len <= SMTP_LINE_MAX)
		buf_add_char(&input, '2');
	assert_true(split_run("endless line", buf_span(&input), 3, play, NULL));
	whole = buf_span(&input);
	play(NULL, &whole, 1, &trace);
	assert_string_equal(
	    buf_str(&trace), "limit: a reply line is too long\n");

	buf_clear(&input);
	buf_clear(&trace);
	for (int i = 0; i <= SMTP_REPLY_LINES_MAX; i++)
		buf_add_str(&input, "250-x\r\n");
	whole = buf_span(&input);
	play(NULL, &whole, 1, &trace);
	assert_string_equal(
	    buf_str(&trace), "limit: a reply has too many lines\n");
	assert_true(split_run("many lines", whole, 3, play, NULL));
}

static const struct {
	const char *reply;
	enum smtp_class class;
	bool slow;
	enum fault fault;
} class_cases[] = {
    {"250 ok", SMTP_ACCEPTED, false, FAULT_PEER},
    {"354 go", SMTP_ACCEPTED, false, FAULT_PEER},
    {"421 bye", SMTP_DEFERRED, false, FAULT_RETRY},
    {"421 4.7.0 slow down", SMTP_DEFERRED, true, FAULT_LIMIT},
    {"421 4.7.28 rate", SMTP_DEFERRED, true, FAULT_LIMIT},
    {"432 4.3.2 concurrent connections", SMTP_DEFERRED, true, FAULT_LIMIT},
    {"432 4.7.12 password transition", SMTP_CREDENTIALS, false, FAULT_AUTH},
    {"450 4.2.1 later", SMTP_DEFERRED, false, FAULT_RETRY},
    {"450 4.7.0 later", SMTP_DEFERRED, true, FAULT_LIMIT},
    {"451 4.3.0 oops", SMTP_DEFERRED, false, FAULT_RETRY},
    {"452 4.2.2 full", SMTP_DEFERRED, false, FAULT_RETRY},
    {"454 4.7.0 login", SMTP_CREDENTIALS, true, FAULT_AUTH},
    {"454 TLS not available", SMTP_DEFERRED, false, FAULT_RETRY},
    {"500 what", SMTP_DEFERRED, false, FAULT_PEER},
    {"501 must equal authorized user", SMTP_REFUSED, false, FAULT_PEER},
    {"502 no", SMTP_DEFERRED, false, FAULT_PEER},
    {"503 5.5.1 sequence", SMTP_DEFERRED, false, FAULT_PEER},
    {"504 no", SMTP_REFUSED, false, FAULT_PEER},
    {"530 5.7.0 must authenticate", SMTP_CREDENTIALS, false, FAULT_AUTH},
    {"534 5.7.9 app password", SMTP_CREDENTIALS, false, FAULT_AUTH},
    {"535 5.7.139 disabled", SMTP_CREDENTIALS, false, FAULT_AUTH},
    {"535 no", SMTP_CREDENTIALS, false, FAULT_AUTH},
    {"538 encrypt", SMTP_CREDENTIALS, false, FAULT_AUTH},
    {"550 5.1.1 unknown", SMTP_REFUSED, false, FAULT_PEER},
    {"550 5.4.5 Daily user sending limit", SMTP_PAUSED, false, FAULT_LIMIT},
    {"550 5.7.1 Message Quota exceeded", SMTP_PAUSED, false, FAULT_LIMIT},
    {"550 5.7.60 SendAsDenied", SMTP_REFUSED, false, FAULT_PEER},
    {"550 5.7.30 basic auth off", SMTP_CREDENTIALS, false, FAULT_AUTH},
    {"552 5.3.4 too big", SMTP_REFUSED, false, FAULT_PEER},
    {"553 5.7.1 not owned by user", SMTP_REFUSED, false, FAULT_PEER},
    {"554 5.2.0 STOREDRV; SubmissionQuotaExceededException", SMTP_PAUSED, false,
	FAULT_LIMIT},
    {"554 5.2.0 OutboundSpamException", SMTP_PAUSED, false, FAULT_LIMIT},
    {"554 5.2.252 SendAsDenied", SMTP_REFUSED, false, FAULT_PEER},
    {"556 nobody here", SMTP_REFUSED, false, FAULT_PEER},
};

static bool
class_is_right(size_t i)
{
	struct smtp_parser parser;
	struct smtp_reply reply;
	bool right;

	smtp_parser_init(&parser);
	smtp_parser_feed(&parser, span_from_str(class_cases[i].reply));
	smtp_parser_feed(&parser, SPAN("\r\n"));
	right = smtp_parser_next(&parser, &reply, NULL) == 1 &&
		smtp_reply_class(&reply) == class_cases[i].class &&
		smtp_reply_is_slow(&reply) == class_cases[i].slow &&
		smtp_reply_fault(&reply) == class_cases[i].fault;
	smtp_parser_done(&parser);
	return right;
}

static void
test_classes(void **state)
{
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(class_cases); i++)
		if (!class_is_right(i)) {
			print_error("wrong class: %s\n", class_cases[i].reply);
			failures++;
		}
	assert_int_equal(failures, 0);
}

/*
 * What providers really say, and what the person reads of it: who refuses the
 * sender, the login, the amount, the size, the receiver.
 */
#define OWN_ONLY                                                               \
	"the server takes mail from the account's own address only: as = "     \
	"attach, the default, is from it"

/* clang-format off */
static const struct {
	const char *provider, *reply;
	enum smtp_class class;
	bool about_sender;
	const char *advice;
} refusals[] = {
	/* From is somebody else's. */
	{"Postfix with its own words", "553 5.7.1 <bob@example.net>: Sender "
	    "address rejected: this is not yours", SMTP_REFUSED, true,
	    OWN_ONLY},
	{"too large, by the code alone", "554 5.3.4 no", SMTP_REFUSED, false,
	    "the message is too large for the server"},
	{"Microsoft 365", "550 5.7.60 SMTP; Client does not have permissions "
	    "to send as this sender", SMTP_REFUSED, true, OWN_ONLY},
	{"Outlook.com", "554 5.2.252 SendAsDenied; ann@outlook.com not allowed "
	    "to send as bob@example.net; STOREDRV.Submission.Exception:"
	    "SendAsDeniedException.MapiExceptionSendAsDenied", SMTP_REFUSED,
	    true, OWN_ONLY},
	{"Exchange", "554 5.2.0 STOREDRV.Submission.Exception:"
	    "SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process "
	    "message due to a permanent exception", SMTP_REFUSED, true,
	    OWN_ONLY},
	{"iCloud", "550 5.7.0 From address is not one of your addresses",
	    SMTP_REFUSED, true, OWN_ONLY},
	{"Yahoo", "550 Request failed; Mailbox unavailable", SMTP_REFUSED,
	    false, NULL},
	{"Fastmail", "551 5.7.1 Not authorised to send from this header "
	    "address", SMTP_REFUSED, true, OWN_ONLY},
	{"GMX", "554 Transaction failed Reject due to policy restrictions.",
	    SMTP_REFUSED, false, NULL},
	{"Yandex", "553 5.7.1 Sender address rejected: not owned by auth user.",
	    SMTP_REFUSED, true, OWN_ONLY},
	{"Yandex, elsewhere", "550 5.7.1 Sender address rejected: not owned by "
	    "auth user.", SMTP_REFUSED, true, OWN_ONLY},
	{"QQ", "501 mail from address must be same as authorization user",
	    SMTP_REFUSED, true, OWN_ONLY},
	{"NetEase", "553 Mail from must equal authorized user", SMTP_REFUSED,
	    true, OWN_ONLY},
	{"Purelymail", "530 5.7.1 Sender address not allowed", SMTP_REFUSED,
	    true, OWN_ONLY},
	{"Postfix", "553 5.7.1 <bob@example.net>: Sender address rejected: not "
	    "owned by user ann@example.org", SMTP_REFUSED, true, OWN_ONLY},
	{"Zoho", "553 Relaying disallowed as bob@example.net", SMTP_REFUSED,
	    true, OWN_ONLY},
	{"Mail.ru", "550 not local sender over smtp", SMTP_REFUSED, true,
	    OWN_ONLY},
	{"Proton Bridge", "451 4.0.0 backend: invalid return path: not owned by "
	    "user", SMTP_REFUSED, true, OWN_ONLY},
	{"Proton Bridge", "554 5.0.0 Error: transaction failed: invalid return "
	    "path", SMTP_REFUSED, true, OWN_ONLY},
	{"Proton, hydroxide", "554 5.0.0 Error: transaction failed: unknown "
	    "sender address", SMTP_REFUSED, true, OWN_ONLY},
	/* The login. */
	{"Microsoft 365", "535 5.7.139 Authentication unsuccessful, "
	    "SmtpClientAuthentication is disabled for the Tenant.",
	    SMTP_CREDENTIALS, false, "the provider has switched off sending "
	    "with a password for this mailbox"},
	{"Microsoft 365", "550 5.7.30 Basic authentication is not supported "
	    "for Client Submission.", SMTP_CREDENTIALS, false,
	    "the provider takes no passwords any more: use auth = oauth2"},
	{"Gmail", "534 5.7.9 Application-specific password required.",
	    SMTP_CREDENTIALS, false,
	    "the provider wants a password made for this program"},
	{"Gmail", "535 5.7.8 Username and Password not accepted.",
	    SMTP_CREDENTIALS, false, "the server does not take this user name "
	    "with this password or token"},
	{"Exchange", "530 5.7.1 Client was not authenticated",
	    SMTP_CREDENTIALS, false, "the server does not take this user name "
	    "with this password or token"},
	{"Exchange", "454 4.7.0 Temporary authentication failure",
	    SMTP_CREDENTIALS, false, NULL},
	{"Zoho", "535 Authentication Failed", SMTP_CREDENTIALS, false,
	    "the server does not take this user name with this password or "
	    "token"},
	{"Mail.ru", "535 5.7.0 NEOBHODIM parol prilozheniya https://help.mail."
	    "ru/mail/security/protection/external / Application password is "
	    "REQUIRED", SMTP_CREDENTIALS, false,
	    "the provider wants a password made for this program"},
	{"Proton Bridge", "454 4.7.0 Invalid username or password",
	    SMTP_CREDENTIALS, false, NULL},
	/* The amount. */
	{"Zoho", "550 5.4.6 Unusual sending activity detected. Please try "
	    "after sometime.", SMTP_PAUSED, false,
	    "the provider's limit for sending is used up"},
	{"a loop, by the same code", "554 5.4.6 Too many hops", SMTP_REFUSED,
	    false, NULL},
	{"Mail.ru", "451 Ratelimit exceeded for mailbox ann@mail.ru. Try again "
	    "later.", SMTP_DEFERRED, false, NULL},
	{"Proton Bridge", "451 4.0.0 backend: the API is not there",
	    SMTP_DEFERRED, false, NULL},
	{"Gmail", "550 5.4.5 Daily user sending limit exceeded.", SMTP_PAUSED,
	    false, "the provider's limit for sending is used up"},
	{"Outlook.com", "554 5.2.0 STOREDRV.Submission.Exception:"
	    "OutboundSpamException; Failed to process message due to a "
	    "permanent exception with message WASCL UserAction verdict is not "
	    "None.", SMTP_PAUSED, false, "the provider takes the account for "
	    "a sender of spam: log in on its web page"},
	{"Outlook.com", "554 5.2.0 STOREDRV.Submission.Exception:"
	    "SubmissionQuotaExceededException", SMTP_PAUSED, false,
	    "the provider's limit for sending is used up"},
	{"Microsoft 365", "432 4.3.2 Concurrent connections limit exceeded.",
	    SMTP_DEFERRED, false, NULL},
	{"Gmail", "421 4.7.28 Our system has detected an unusual rate of "
	    "unsolicited mail.", SMTP_DEFERRED, false, NULL},
	/* The message, and who is to get it. */
	{"Postfix", "552 5.3.4 Message size exceeds fixed limit", SMTP_REFUSED,
	    false, "the message is too large for the server"},
	{"Gmail", "552 5.2.3 Your message exceeded Google's message size "
	    "limits.", SMTP_REFUSED, false,
	    "the message is too large for the receiver"},
	{"Mail.ru", "552 Message size exceeds fixed maximum message size",
	    SMTP_REFUSED, false, "the message is too large for the server"},
	{"Mail.ru", "550 spam message rejected. Please visit "
	    "http://help.mail.ru/notspam-support/id", SMTP_REFUSED, false,
	    NULL},
	{"Postfix", "550 5.1.1 <x@example.net>: Recipient address rejected: "
	    "User unknown in local recipient table", SMTP_REFUSED, false,
	    "there is no such address"},
	{"Gmail", "550 5.7.26 Unauthenticated email from example.net is not "
	    "accepted due to domain's DMARC policy.", SMTP_REFUSED, false,
	    "the receiver cannot verify who it is from: as = attach helps"},
	{"Dovecot", "552 5.2.2 Quota exceeded (mailbox for user is full)",
	    SMTP_REFUSED, false, "the receiver's mailbox is full"},
};
/* clang-format on */

static bool
same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
refusal_is_right(size_t i)
{
	struct smtp_parser parser;
	struct smtp_reply reply;
	bool right;

	smtp_parser_init(&parser);
	smtp_parser_feed(&parser, span_from_str(refusals[i].reply));
	smtp_parser_feed(&parser, SPAN("\r\n"));
	right =
	    smtp_parser_next(&parser, &reply, NULL) == 1 &&
	    smtp_reply_class(&reply) == refusals[i].class &&
	    smtp_reply_is_about_sender(&reply) == refusals[i].about_sender &&
	    same(smtp_reply_advice(&reply), refusals[i].advice);
	smtp_parser_done(&parser);
	return right;
}

static void
test_refusals_of_providers(void **state)
{
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++)
		if (!refusal_is_right(i)) {
			print_error("%s: wrong: %s\n", refusals[i].provider,
			    refusals[i].reply);
			failures++;
		}
	assert_int_equal(failures, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_classes),
	    cmocka_unit_test(test_refusals_of_providers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
