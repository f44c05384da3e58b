/*
 * imap/refusal: what servers really say, and what it is taken for. Texts of
 * Gmail, iCloud, Exchange, Yahoo, Zoho, Yandex, Dovecot, Cyrus, Courier and
 * others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/wire/imap/refusal.h"

#define NONE IMAP_REFUSAL_NONE
#define UNTOLD IMAP_REFUSAL_UNTOLD
#define CREDENTIALS IMAP_REFUSAL_CREDENTIALS
#define ACCOUNT IMAP_REFUSAL_ACCOUNT
#define UNAVAILABLE IMAP_REFUSAL_UNAVAILABLE
#define LIMIT IMAP_REFUSAL_LIMIT
#define QUOTA IMAP_REFUSAL_QUOTA
#define MISSING IMAP_REFUSAL_MISSING
#define RIGHTS IMAP_REFUSAL_RIGHTS
#define STATE IMAP_REFUSAL_STATE
#define SERVER IMAP_REFUSAL_SERVER
#define CLIENT IMAP_REFUSAL_CLIENT
#define GOODBYE IMAP_REFUSAL_GOODBYE

/* NONE: not said there. */
struct refusal_case {
	const char *line;
	enum imap_refusal_kind in_session, at_login;
	usec_t wait; /* as told, or the kind's */
};

/* clang-format off */
static const struct refusal_case cases[] = {
	/* The codes, by themselves. */
	{"b1 NO", UNTOLD, UNTOLD, 0},
	{"b1 BAD", CLIENT, UNTOLD, 0},
	{"b1 NO [UNKNOWN-CODE] no", UNTOLD, UNTOLD, 0},
	{"b1 NO no such mailbox", UNTOLD, UNTOLD, 0},
	{"b1 NO [AUTHENTICATIONFAILED] no", NONE, CREDENTIALS, 0},
	{"b1 NO [AUTHORIZATIONFAILED] no", NONE, CREDENTIALS, 0},
	{"b1 NO [EXPIRED] no", NONE, CREDENTIALS, 0},
	{"b1 NO [PRIVACYREQUIRED] no", NONE, CREDENTIALS, 0},
	{"b1 NO [CONTACTADMIN] no", NONE, CREDENTIALS, 0},
	{"b1 NO [UNAVAILABLE] no", UNAVAILABLE, UNAVAILABLE, 0},
	{"b1 NO [LIMIT] no", LIMIT, LIMIT, 0},
	{"b1 NO [INUSE] no", LIMIT, LIMIT, 0},
	{"b1 NO [OVERQUOTA] full", QUOTA, NONE, 0},
	{"b1 NO [trycreate] no", MISSING, NONE, 0},
	{"b1 NO [NONEXISTENT] no", MISSING, NONE, 0},
	{"b1 NO [NOPERM] no", RIGHTS, RIGHTS, 0},
	{"b1 NO [CANNOT] no", RIGHTS, NONE, 0},
	{"b1 NO [READ-ONLY] no", RIGHTS, NONE, 0},
	{"b1 NO [EXPUNGEISSUED] no", STATE, NONE, 0},
	{"b1 NO [MESSAGELIMIT 500] no", STATE, NONE, 0},
	{"b1 NO [SERVERBUG] no", SERVER, SERVER, 15 * USEC_MINUTE},
	{"b1 NO [CORRUPTION] no", SERVER, NONE, 15 * USEC_MINUTE},
	{"b1 BAD [CLIENTBUG] no", CLIENT, CLIENT, 0},
	{"* BYE", GOODBYE, GOODBYE, 0},
	/* Codes of single commands: who sent the command does without. */
	{"b1 NO [USEATTR] no special use", UNTOLD, NONE, 0},
	{"b1 NO [HASCHILDREN] it has", UNTOLD, NONE, 0},
	{"b1 NO [COMPRESSIONACTIVE] it is", UNTOLD, NONE, 0},
	{"b1 NO [BADCHARSET (US-ASCII UTF-8)] no", UNTOLD, NONE, 0},
	{"b1 NO [BADEVENT (MessageNew MessageExpunge)] no", UNTOLD, NONE, 0},
	/* A code is believed more than words ... */
	{"b1 NO [AUTHENTICATIONFAILED] try again later", NONE, CREDENTIALS, 0},
	{"b1 NO [OVERQUOTA] Quota limit exceeded", QUOTA, NONE, 0},
	{"b1 NO [NOPERM] too many rights are missing", RIGHTS, NONE, 0},
	/* ... but a limit, where it can be a disguise. */
	{"b1 NO [AUTHENTICATIONFAILED] TOO MANY logins", NONE, LIMIT, 0},
	/* Gmail */
	{"b1 NO [ALERT] Too many simultaneous connections. (Failure)",
	    LIMIT, LIMIT, 0},
	{"b1 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)",
	    NONE, CREDENTIALS, 0},
	{"b1 NO [ALERT] Invalid credentials (Failure)", NONE, CREDENTIALS, 0},
	{"b1 NO [ALERT] Application-specific password required: "
	 "https://support.google.com/accounts/answer/185833 (Failure)",
	    NONE, CREDENTIALS, 0},
	{"b1 NO [ALERT] Please log in via your web browser: "
	 "https://support.google.com/mail/accounts/answer/78754 (Failure)",
	    NONE, CREDENTIALS, 0},
	{"b1 NO [WEBALERT https://accounts.google.com/signin/continue] Web "
	 "login required. (Failure)", NONE, CREDENTIALS, 0},
	{"b1 NO [ALERT] Your account is not enabled for IMAP use. Please visit "
	 "your Gmail settings page and enable your account for IMAP access. "
	 "(Failure)", NONE, CREDENTIALS, 0},
	{"b1 NO [OVERQUOTA] Account exceeded command or bandwidth limits. "
	 "(Failure)", LIMIT, LIMIT, 0},
	{"b1 NO [UNAVAILABLE] Temporary System Error (Failure)",
	    UNAVAILABLE, UNAVAILABLE, 0},
	{"b1 NO System Error (Failure)", UNAVAILABLE, UNAVAILABLE, 0},
	{"* BYE Session expired, please login again.", GOODBYE, GOODBYE, 0},
	{"* BYE System Error", UNAVAILABLE, UNAVAILABLE, 0},
	/* iCloud */
	{"b1 NO [AUTHENTICATIONFAILED] Authentication Failed",
	    NONE, CREDENTIALS, 0},
	/* Exchange, Microsoft 365, Outlook.com */
	{"b1 NO LOGIN failed.", NONE, UNTOLD, 0},
	{"b1 NO AUTHENTICATE failed.", NONE, UNTOLD, 0},
	{"b1 BAD User is authenticated but not connected.",
	    ACCOUNT, ACCOUNT, 0},
	{"b1 BAD Request is throttled. Suggested Backoff Time: 92415 "
	 "milliseconds", LIMIT, LIMIT, 92415 * USEC_MSEC},
	{"b1 BAD Request is throttled. Suggested Backoff Time: 9241500 "
	 "milliseconds", LIMIT, LIMIT, 15 * USEC_MINUTE},
	{"b1 BAD Request is throttled. Suggested Backoff Time: "
	 "99999999999999999999999 milliseconds",
	    LIMIT, LIMIT, 15 * USEC_MINUTE},
	{"b1 BAD throttled. suggested backoff time: 30 seconds",
	    LIMIT, LIMIT, 30 * USEC_SEC},
	{"b1 BAD throttled. Suggested Backoff Time: soon", LIMIT, LIMIT, 0},
	{"b1 NO Request is throttled.", LIMIT, LIMIT, 0},
	{"b1 BAD Command Error. 10", LIMIT, LIMIT, 0},
	{"b1 BAD Command Argument Error. 12", CLIENT, UNTOLD, 0},
	{"b1 NO Server Unavailable. 15", UNAVAILABLE, UNAVAILABLE, 0},
	{"* BYE Connection closed. 14", GOODBYE, GOODBYE, 0},
	/* Yahoo, AOL */
	{"b1 NO [AUTHENTICATIONFAILED] LOGIN Invalid credentials",
	    NONE, CREDENTIALS, 0},
	{"b1 NO [AUTHENTICATIONFAILED] (#AUTH005) Too many failed logins",
	    NONE, LIMIT, 0},
	{"b1 NO [LIMIT] LOGIN Rate limit hit.", NONE, LIMIT, 0},
	{"b1 NO [INUSE] LOGIN failure. Server error - Please try again later",
	    NONE, LIMIT, 0},
	{"b1 NO [SERVERBUG] LOGIN Server error - Please try again later",
	    NONE, SERVER, 15 * USEC_MINUTE},
	{"b1 NO Server error - Please try again later",
	    UNAVAILABLE, UNAVAILABLE, 0},
	/* Zoho, Yandex, GMX, QQ, NetEase */
	{"b1 NO [ALERT] You are yet to enable IMAP for your account. Please "
	 "contact your administrator (Failure)", NONE, CREDENTIALS, 0},
	{"b1 NO Login failed: unusual activity detected", NONE, LIMIT, 0},
	{"b1 NO [AUTHENTICATIONFAILED] AUTHENTICATE invalid credentials or "
	 "IMAP is disabled", NONE, CREDENTIALS, 0},
	{"b1 NO [UNAVAILABLE] LOGIN internal server error",
	    NONE, UNAVAILABLE, 0},
	{"b1 NO [AUTHENTICATIONFAILED] authentication failed",
	    NONE, CREDENTIALS, 0},
	{"b1 NO SELECT Unsafe Login. Please contact kefu@188.com for help",
	    UNTOLD, NONE, 0},
	{"b1 NO Wrong password, please try again", NONE, CREDENTIALS, 0},
	{"* BYE Autologout; idle for too long", GOODBYE, GOODBYE, 0},
	/* Dovecot */
	{"b1 NO [AUTHENTICATIONFAILED] Authentication failed.",
	    NONE, CREDENTIALS, 0},
	{"b1 NO [UNAVAILABLE] Temporary authentication failure. "
	 "[mx1:2024-05-01 10:00:00]", NONE, UNAVAILABLE, 0},
	{"b1 NO [LIMIT] Maximum number of connections from user+IP exceeded "
	 "(mail_max_userip_connections=10)", NONE, LIMIT, 0},
	{"b1 NO [PRIVACYREQUIRED] Plaintext authentication disallowed on "
	 "non-secure (SSL/TLS) connections.", NONE, CREDENTIALS, 0},
	{"b1 NO [OVERQUOTA] Quota exceeded (mailbox for user is full)",
	    QUOTA, NONE, 0},
	{"b1 NO [SERVERBUG] Internal error occurred. Refer to server log for "
	 "more information.", SERVER, SERVER, 15 * USEC_MINUTE},
	{"b1 NO [INUSE] Timeout while waiting for lock", LIMIT, NONE, 0},
	{"b1 NO [NOPERM] Permission denied", RIGHTS, NONE, 0},
	{"b1 NO [CANNOT] Invalid mailbox name", RIGHTS, NONE, 0},
	{"b1 NO [TRYCREATE] Mailbox doesn't exist: B", MISSING, NONE, 0},
	{"b1 NO [NONEXISTENT] Unknown Mailbox", MISSING, NONE, 0},
	{"b1 NO [EXPUNGEISSUED] Some of the requested messages no longer "
	 "exist.", STATE, NONE, 0},
	{"* BYE Server shutting down.", GOODBYE, GOODBYE, 0},
	{"* BYE Disconnected for inactivity.", GOODBYE, GOODBYE, 0},
	{"* BYE Disconnected: Too many invalid IMAP commands.",
	    CLIENT, CLIENT, 0},
	{"* BYE [UNAVAILABLE] maintenance", UNAVAILABLE, UNAVAILABLE, 0},
	/* Cyrus has no codes for most of it. */
	{"b1 NO Login failed: authentication failure", NONE, CREDENTIALS, 0},
	{"b1 NO Login failed: user not found", NONE, CREDENTIALS, 0},
	{"b1 NO Login failed: generic failure", NONE, UNTOLD, 0},
	{"b1 NO Permission denied", RIGHTS, NONE, 0},
	{"b1 NO Mailbox does not exist", MISSING, NONE, 0},
	{"b1 NO Over quota", QUOTA, NONE, 0},
	{"b1 NO System I/O error", SERVER, NONE, 15 * USEC_MINUTE},
	{"b1 NO Mailbox has an invalid format",
	    SERVER, NONE, 15 * USEC_MINUTE},
	{"* BYE idle for too long", GOODBYE, GOODBYE, 0},
	{"* BYE Too many open connections", LIMIT, LIMIT, 0},
	/* Courier says NO where others say BAD. */
	{"b1 NO Login failed.", NONE, UNTOLD, 0},
	{"b1 NO Error in IMAP command received by server.",
	    CLIENT, UNTOLD, 0},
	{"b1 NO You exceeded your mail quota.", QUOTA, NONE, 0},
	{"b1 NO Access denied for UID COPY on A (ACL \"i\" required)",
	    RIGHTS, NONE, 0},
	{"* BYE Courier-IMAP server shutting down", GOODBYE, GOODBYE, 0},
	{"* BYE Maximum connection limit reached for ::ffff:192.0.2.1",
	    LIMIT, LIMIT, 0},
	{"* BYE Temporary problem, please try again later",
	    UNAVAILABLE, UNAVAILABLE, 0},
};
/* clang-format on */

static void
check(const struct refusal_case *c, struct imap_refusal got,
    enum imap_refusal_kind expected, const char *when)
{
	if (expected == NONE || (got.kind == expected && got.wait == c->wait))
		return;
	print_error("%s: %s: %s, wait %llu\n", c->line, when,
	    imap_refusal_name(got.kind), (unsigned long long)got.wait);
	fail();
}

static void
test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct imap_lexer *lexer = imap_lexer_new(1000);
		struct imap_response response;

		imap_lexer_feed(lexer, span_from_str(cases[i].line));
		imap_lexer_feed(lexer, SPAN("\r\n"));
		assert_int_equal(imap_lexer_next(lexer, &response, NULL), 1);
		check(&cases[i], imap_refusal_read(&response, false),
		    cases[i].in_session, "in session");
		check(&cases[i], imap_refusal_read(&response, true),
		    cases[i].at_login, "at login");
		imap_lexer_free(&lexer);
	}
}

/* Each cause has its own ladder. */
static const struct {
	const char *line;
	bool at_login;
	enum fault fault;
	enum backoff_cause cause;
} causes[] = {
    {"b1 NO", false, FAULT_RETRY, BACKOFF_NETWORK},
    {"b1 NO", true, FAULT_AUTH, BACKOFF_NETWORK},
    {"b1 NO [AUTHENTICATIONFAILED]", true, FAULT_AUTH, BACKOFF_CREDENTIALS},
    {"b1 BAD User is authenticated but not connected.", true, FAULT_RETRY,
	BACKOFF_LIMIT},
    {"b1 NO [UNAVAILABLE]", true, FAULT_RETRY, BACKOFF_SERVER},
    {"b1 NO [LIMIT]", true, FAULT_LIMIT, BACKOFF_LIMIT},
    {"b1 NO [OVERQUOTA]", false, FAULT_LIMIT, BACKOFF_LIMIT},
    {"b1 NO [NOPERM]", false, FAULT_CONFIG, BACKOFF_CREDENTIALS},
    {"b1 NO [SERVERBUG]", false, FAULT_PEER, BACKOFF_SERVER},
    {"b1 BAD", false, FAULT_PEER, BACKOFF_SERVER},
    {"* BYE", false, FAULT_RETRY, BACKOFF_NETWORK},
};

static void
test_causes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		struct imap_lexer *lexer = imap_lexer_new(1000);
		struct imap_response response;
		struct imap_refusal got;

		imap_lexer_feed(lexer, span_from_str(causes[i].line));
		imap_lexer_feed(lexer, SPAN("\r\n"));
		assert_int_equal(imap_lexer_next(lexer, &response, NULL), 1);
		got = imap_refusal_read(&response, causes[i].at_login);
		if (got.fault != causes[i].fault ||
		    got.cause != causes[i].cause) {
			print_error("%s: fault %s, cause %d\n", causes[i].line,
			    fault_name(got.fault), got.cause);
			fail();
		}
		imap_lexer_free(&lexer);
	}
}

static void
test_of_command(void **state)
{
	static const struct {
		const char *line;
		bool is;
	} commands[] = {
	    {"b1 BAD Unknown command", true},
	    {"b1 NO MOVE extension not supported", true},
	    {"b1 NO Unsupported command", true},
	    {"b1 NO [CLIENTBUG] Not in this state", true},
	    {"b1 NO Some of them could not be moved", false},
	    {"b1 NO [OVERQUOTA] not supported by your plan", false},
	    {"b1 NO [TRYCREATE] not implemented folder", false},
	    {"b1 BAD [LIMIT] slow down", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		struct imap_lexer *lexer = imap_lexer_new(1000);
		struct imap_response response;

		imap_lexer_feed(lexer, span_from_str(commands[i].line));
		imap_lexer_feed(lexer, SPAN("\r\n"));
		assert_int_equal(imap_lexer_next(lexer, &response, NULL), 1);
		if (imap_refusal_is_of_command(&response) != commands[i].is) {
			print_error("%s\n", commands[i].line);
			fail();
		}
		imap_lexer_free(&lexer);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_texts),
	    cmocka_unit_test(test_causes),
	    cmocka_unit_test(test_of_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
