/*
 * SMTP sessions against a model server: good ones, each odd code at each
 * step, the link cut at each byte, and texts that try to become two messages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "daemon/base/strv.h"
#include "daemon/base/xalloc.h"
#include "tests/lib/smtp-model.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define ALL "PIPELINING|SIZE 1000000|8BITMIME|SMTPUTF8|AUTH PLAIN LOGIN"

static char *const three[] = {(char *)(uintptr_t) "a@example.net",
    (char *)(uintptr_t) "b@example.net", (char *)(uintptr_t) "c@example.net",
    NULL};
static const struct strv three_recipients = {(char **)(uintptr_t)three, 3, 3};

/* ---- dialogues ---------------------------------------------------- */

struct dialogue {
	const char *name;
	enum smtp_security security;
	enum smtp_auth auth;
	const char *offers, *tls_offers;
	const char *step;
	unsigned nth;
	const char *reply;
	bool hangs_up;
	const struct strv *recipients; /* NULL: one */
	struct span bytes;	       /* empty: a small message */
	unsigned repeat;
	/* Expected: events, and, where not NULL, commands. */
	const char *trace;
	const char *commands;
	unsigned messages;
};

#define T SMTP_SECURITY_TLS
#define S SMTP_SECURITY_STARTTLS
#define P SMTP_AUTH_PASSWORD
#define O SMTP_AUTH_OAUTH2
#define N SMTP_AUTH_NONE
#define ACCEPTED "RECIPIENT 0 accepted 250\nCOMMIT\nRESULT accepted 250\n"

/* clang-format off */
static const struct dialogue dialogues[] = {
	{"good, pipelined", T, P, ALL, NULL, NULL, 0, NULL, false, NULL,
	    {NULL, 0}, 0,
	    "SECRET\nREADY\n" ACCEPTED "CLOSED\n",
	    "EHLO client.example.org\nAUTH PLAIN AHVzZXIAcGFzcw==\n"
	    "MAIL FROM:<from@example.org> SIZE=21\nRCPT TO:<to@example.net>\n"
	    "DATA\nQUIT\n", 1},
	{"no pipelining, no SIZE", T, P, "AUTH PLAIN", NULL, NULL, 0, NULL,
	    false, &three_recipients, {NULL, 0}, 0,
	    "SECRET\nREADY\nRECIPIENT 0 accepted 250\n"
	    "RECIPIENT 1 accepted 250\nRECIPIENT 2 accepted 250\nCOMMIT\n"
	    "RESULT accepted 250\nCLOSED\n",
	    "EHLO client.example.org\nAUTH PLAIN AHVzZXIAcGFzcw==\n"
	    "MAIL FROM:<from@example.org>\nRCPT TO:<a@example.net>\n"
	    "RCPT TO:<b@example.net>\nRCPT TO:<c@example.net>\nDATA\nQUIT\n", 1},
	{"8-bit text", T, P, ALL, NULL, NULL, 0, NULL, false, NULL,
	    SPAN_INIT("\r\n\xc3\xa4\n"), 0,
	    "SECRET\nREADY\n" ACCEPTED "CLOSED\n",
	    "EHLO client.example.org\nAUTH PLAIN AHVzZXIAcGFzcw==\n"
	    "MAIL FROM:<from@example.org> SIZE=6 BODY=8BITMIME\n"
	    "RCPT TO:<to@example.net>\nDATA\nQUIT\n", 1},
	{"8-bit text, no 8BITMIME", T, P, "AUTH PLAIN", NULL, NULL, 0, NULL,
	    false, NULL, SPAN_INIT("\r\n\xc3\xa4\n"), 0,
	    "SECRET\nREADY\nREJECTED config: the message has 8-bit text and "
	    "the mail server no 8BITMIME\nCLOSED\n", NULL, 0},
	{"NUL", T, P, ALL, NULL, NULL, 0, NULL, false, NULL,
	    SPAN_INIT("\r\na\0b\n"), 0,
	    "SECRET\nREADY\nREJECTED config: the message contains a NUL "
	    "byte\nCLOSED\n", NULL, 0},
	{"too large for SIZE", T, P, "SIZE 20|AUTH PLAIN", NULL, NULL, 0, NULL,
	    false, NULL, {NULL, 0}, 0,
	    "SECRET\nREADY\nREJECTED limit: the message has 21 bytes, the "
	    "mail server takes 20\nCLOSED\n", NULL, 0},
	{"SIZE 0 is no limit", T, P, "SIZE 0|AUTH PLAIN", NULL, NULL, 0, NULL,
	    false, NULL, {NULL, 0}, 0,
	    "SECRET\nREADY\n" ACCEPTED "CLOSED\n", NULL, 1},
	{"AUTH LOGIN", T, P, "AUTH LOGIN", NULL, NULL, 0, NULL, false, NULL,
	    {NULL, 0}, 0, "SECRET\nREADY\n" ACCEPTED "CLOSED\n",
	    "EHLO client.example.org\nAUTH LOGIN\ndXNlcg==\ncGFzcw==\n"
	    "MAIL FROM:<from@example.org>\nRCPT TO:<to@example.net>\n"
	    "DATA\nQUIT\n", 1},
	{"AUTH= of old", T, P, "AUTH=PLAIN", NULL, NULL, 0, NULL, false, NULL,
	    {NULL, 0}, 0, "SECRET\nREADY\n" ACCEPTED "CLOSED\n", NULL, 1},
	{"three messages on one connection", T, P, ALL, NULL, NULL, 0, NULL,
	    false, NULL, {NULL, 0}, 3,
	    "SECRET\nREADY\n" ACCEPTED ACCEPTED ACCEPTED "CLOSED\n", NULL, 3},
	{"no login", T, N, "PIPELINING", NULL, NULL, 0, NULL, false, NULL,
	    {NULL, 0}, 0, "READY\n" ACCEPTED "CLOSED\n", NULL, 1},
	{"empty message", T, N, "", NULL, NULL, 0, NULL, false, NULL,
	    {"", 0}, 0, "READY\n" ACCEPTED "CLOSED\n", NULL, 1},
	{"accepted with 251", T, N, "", NULL, "RCPT", 1, "251 forwards\r\n",
	    false, NULL, {NULL, 0}, 0, "READY\nRECIPIENT 0 accepted 251\n"
	    "COMMIT\nRESULT accepted 250\nCLOSED\n", NULL, 1},

	/* Before TLS. */
	{"STARTTLS", S, P, "STARTTLS", "AUTH PLAIN", NULL, 0, NULL, false,
	    NULL, {NULL, 0}, 0,
	    "STARTTLS\nSECRET\nREADY\n" ACCEPTED "CLOSED\n",
	    "EHLO client.example.org\nSTARTTLS\nEHLO client.example.org\n"
	    "AUTH PLAIN AHVzZXIAcGFzcw==\nMAIL FROM:<from@example.org>\n"
	    "RCPT TO:<to@example.net>\nDATA\nQUIT\n", 1},
	{"STARTTLS not offered", S, P, "AUTH PLAIN", NULL, NULL, 0, NULL,
	    false, NULL, {NULL, 0}, 0,
	    "FAILED peer deferred: the mail server offers no STARTTLS\n",
	    "EHLO client.example.org\n", 0},
	{"EAST D_1: EHLO hidden", S, P, "STARTTLS", NULL, "EHLO", 1,
	    "500 what\r\n", false, NULL, {NULL, 0}, 0,
	    "FAILED peer deferred: EHLO: 500\n",
	    "EHLO client.example.org\n", 0},
	{"EAST O: STARTTLS refused for now", S, P, "STARTTLS|AUTH PLAIN", NULL,
	    "STARTTLS", 1, "454 4.3.0 later\r\n", false, NULL, {NULL, 0}, 0,
	    "FAILED retry deferred: STARTTLS: 454\n",
	    "EHLO client.example.org\nSTARTTLS\n", 0},
	{"STARTTLS refused for now, in the words of a login", S, P,
	    "STARTTLS|AUTH PLAIN", NULL, "STARTTLS", 1,
	    "454 4.7.0 TLS not available due to local problem\r\n", false,
	    NULL, {NULL, 0}, 0, "FAILED retry deferred: STARTTLS: 454\n",
	    "EHLO client.example.org\nSTARTTLS\n", 0},
	{"EHLO refused in the words of a login", S, P, "STARTTLS", NULL,
	    "EHLO", 1, "535 5.7.8 no\r\n", false, NULL, {NULL, 0}, 0,
	    "FAILED peer deferred: EHLO: 535\n",
	    "EHLO client.example.org\n", 0},
	{"EAST O: STARTTLS refused", S, P, "STARTTLS|AUTH PLAIN", NULL,
	    "STARTTLS", 1, "502 no\r\n", false, NULL, {NULL, 0}, 0,
	    "FAILED peer deferred: STARTTLS: 502\n",
	    "EHLO client.example.org\nSTARTTLS\n", 0},
	{"EAST O: STARTTLS answered with rubbish", S, P,
	    "STARTTLS|AUTH PLAIN", NULL, "STARTTLS", 1, "gibberish\r\n",
	    false, NULL, {NULL, 0}, 0, "FAILED peer deferred: malformed "
	    "reply from the mail server\n",
	    "EHLO client.example.org\nSTARTTLS\n", 0},
	{"EAST B_1: EHLO answer behind 220", S, P, "STARTTLS", NULL,
	    "STARTTLS", 1, "220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n", false,
	    NULL, {NULL, 0}, 0,
	    "FAILED peer deferred: data before encryption\n",
	    "EHLO client.example.org\nSTARTTLS\n", 0},
	{"half a line behind 220", S, P, "STARTTLS", NULL, "STARTTLS", 1,
	    "220 go\r\n2", false, NULL, {NULL, 0}, 0,
	    "FAILED peer deferred: data before encryption\n", NULL, 0},
	{"AUTH stripped inside TLS", S, P, "STARTTLS|AUTH PLAIN", "SIZE 1",
	    NULL, 0, NULL, false, NULL, {NULL, 0}, 0, "STARTTLS\nFAILED peer "
	    "deferred: the mail server offers no login\n", NULL, 0},
	{"offers from before TLS do not live on", S, N,
	    "STARTTLS|PIPELINING|SIZE 10", "8BITMIME", NULL, 0, NULL, false,
	    NULL, {NULL, 0}, 0, "STARTTLS\nREADY\n" ACCEPTED "CLOSED\n",
	    "EHLO client.example.org\nSTARTTLS\nEHLO client.example.org\n"
	    "MAIL FROM:<from@example.org>\nRCPT TO:<to@example.net>\nDATA\n"
	    "QUIT\n", 1},
	{"words in clear are not shown", S, P, "", NULL, "greeting", 1,
	    "554 Call +1 555 to fix your account\r\n", false, NULL, {NULL, 0},
	    0, "FAILED peer deferred: greeting: 554\n", "", 0},

	/* Login. */
	{"wrong password", T, P, "AUTH PLAIN", NULL, "AUTH", 1,
	    "535 5.7.8 no\r\n", false, NULL, {NULL, 0}, 0,
	    "SECRET\nFAILED auth deferred: login: 535 5.7.8 no\n", NULL, 0},
	{"login not now", T, P, "AUTH PLAIN", NULL, "AUTH", 1,
	    "451 4.3.0 no\r\n", false, NULL, {NULL, 0}, 0,
	    "SECRET\nFAILED retry deferred: login: 451 4.3.0 no\n", NULL, 0},
	{"login refused in general words", T, P, "AUTH PLAIN", NULL, "AUTH",
	    1, "550 no\r\n", false, NULL, {NULL, 0}, 0,
	    "SECRET\nFAILED auth deferred: login: 550 no\n", NULL, 0},
	{"no mechanism for a password", T, P, "AUTH XOAUTH2", NULL, NULL, 0,
	    NULL, false, NULL, {NULL, 0}, 0,
	    "FAILED auth deferred: the mail server takes no password\n",
	    NULL, 0},
	{"no mechanism for a token", T, O, "AUTH PLAIN LOGIN", NULL, NULL, 0,
	    NULL, false, NULL, {NULL, 0}, 0,
	    "FAILED auth deferred: the mail server takes no OAuth2 token\n",
	    NULL, 0},
	{"token refused with a challenge", T, O, "AUTH XOAUTH2", NULL, "AUTH",
	    1, "334 eyJzdGF0dXMiOiI0MDEifQ==\r\n", false, NULL, {NULL, 0}, 0,
	    "SECRET\nFAILED peer deferred: login: token status 401: 500 "
	    "5.5.2 what\n", NULL, 0},
	{"a challenge that is no base64", T, P, "AUTH PLAIN", NULL, "AUTH", 1,
	    "334 !!!\r\n", false, NULL, {NULL, 0}, 0, "SECRET\nFAILED peer "
	    "deferred: login: a challenge that is no base64\n", NULL, 0},
	{"235 before the password", T, P, "AUTH LOGIN", NULL, "AUTH", 1,
	    "235 ok\r\n", false, NULL, {NULL, 0}, 0,
	    "SECRET\nFAILED peer deferred: login: 235 ok\n", NULL, 0},
	{"a challenge PLAIN does not know", T, P, "AUTH PLAIN", NULL, "AUTH",
	    1, "334 AAAA\r\n", false, NULL, {NULL, 0}, 0, "SECRET\nFAILED "
	    "peer deferred: login: 500 5.5.2 what\n",
	    "EHLO client.example.org\nAUTH PLAIN AHVzZXIAcGFzcw==\n*\n", 0},

	/* Messages that are not accepted. */
	{"sender refused, pipelined", T, N, "PIPELINING", NULL, "MAIL", 1,
	    "550 5.7.60 no\r\n", false, &three_recipients, {NULL, 0}, 0,
	    "READY\nRESULT refused 550\nCLOSED\n",
	    "EHLO client.example.org\nMAIL FROM:<from@example.org>\n"
	    "RCPT TO:<a@example.net>\nRCPT TO:<b@example.net>\n"
	    "RCPT TO:<c@example.net>\nDATA\nRSET\nQUIT\n", 0},
	{"sender deferred", T, N, "", NULL, "MAIL", 1, "450 4.7.0 no\r\n",
	    false, NULL, {NULL, 0}, 0,
	    "READY\nRESULT deferred 450 slow\nCLOSED\n",
	    "EHLO client.example.org\nMAIL FROM:<from@example.org>\nRSET\n"
	    "QUIT\n", 0},
	{"then another message on the same connection", T, N, "", NULL,
	    "RCPT", 1, "550 5.1.1 who\r\n", false, NULL, {NULL, 0}, 2,
	    "READY\nRECIPIENT 0 refused 550\nRESULT refused 550\n" ACCEPTED
	    "CLOSED\n", NULL, 1},
	{"one recipient of three refused", T, N, "PIPELINING", NULL, "RCPT",
	    2, "550 5.1.1 who\r\n", false, &three_recipients, {NULL, 0}, 0,
	    "READY\nRECIPIENT 0 accepted 250\nRECIPIENT 1 refused 550\n"
	    "RECIPIENT 2 accepted 250\nCOMMIT\nRESULT accepted 250\nCLOSED\n",
	    NULL, 1},
	{"one recipient of three deferred", T, N, "", NULL, "RCPT", 3,
	    "452 4.5.3 many\r\n", false, &three_recipients, {NULL, 0}, 0,
	    "READY\nRECIPIENT 0 accepted 250\nRECIPIENT 1 accepted 250\n"
	    "RECIPIENT 2 deferred 452\nCOMMIT\nRESULT accepted 250\nCLOSED\n",
	    NULL, 1},
	{"daily limit", T, N, "", NULL, "RCPT", 1, "550 5.4.5 limit\r\n",
	    false, NULL, {NULL, 0}, 0, "READY\nRECIPIENT 0 paused 550\n"
	    "RESULT paused 550\nCLOSED\n", NULL, 0},
	{"DATA refused", T, N, "", NULL, "DATA", 1, "554 5.7.1 no\r\n", false,
	    NULL, {NULL, 0}, 0, "READY\nRECIPIENT 0 accepted 250\n"
	    "RESULT refused 554\nCLOSED\n",
	    "EHLO client.example.org\nMAIL FROM:<from@example.org>\n"
	    "RCPT TO:<to@example.net>\nDATA\nRSET\nQUIT\n", 0},
	{"text refused in the middle", T, N, "", NULL, "text", 1,
	    "552 5.3.4 big\r\n", true, NULL, {NULL, 0}, 0,
	    "READY\nRECIPIENT 0 accepted 250\nRESULT refused 552\n"
	    "FAILED retry deferred: a reply in the middle of the message: "
	    "552 5.3.4 big\n", NULL, 0},
	{"refused at the dot", T, N, "", NULL, "dot", 1, "550 5.7.1 spam\r\n",
	    false, NULL, {NULL, 0}, 0, "READY\nRECIPIENT 0 accepted 250\n"
	    "COMMIT\nRESULT refused 550\nCLOSED\n", NULL, 0},
	{"421 at the dot is an answer", T, N, "", NULL, "dot", 1,
	    "421 4.3.0 bye\r\n", true, NULL, {NULL, 0}, 0,
	    "READY\nRECIPIENT 0 accepted 250\nCOMMIT\nRESULT deferred 421\n"
	    "FAILED retry deferred: end of the message: 421 4.3.0 bye\n",
	    NULL, 0},
	{"no answer to the dot", T, N, "", NULL, "dot", 1, "", true, NULL,
	    {NULL, 0}, 0, "READY\nRECIPIENT 0 accepted 250\nCOMMIT\n"
	    "FAILED retry unknown: the connection was closed\n", NULL, 0},
	{"silence after the dot", T, N, "", NULL, "dot", 1, "", false, NULL,
	    {NULL, 0}, 0, "READY\nRECIPIENT 0 accepted 250\nCOMMIT\n"
	    "FAILED retry unknown: no answer in time (dot)\n", NULL, 0},
	{"half an answer to the dot", T, N, "", NULL, "dot", 1, "250-", true,
	    NULL, {NULL, 0}, 0, "READY\nRECIPIENT 0 accepted 250\nCOMMIT\n"
	    "FAILED retry unknown: the connection was closed\n", NULL, 1},
	{"rubbish after the dot", T, N, "", NULL, "dot", 1, "x50\r\n", false,
	    NULL, {NULL, 0}, 0, "READY\nRECIPIENT 0 accepted 250\nCOMMIT\n"
	    "FAILED peer unknown: malformed reply from the mail server\n",
	    NULL, 0},
	{"354 at the dot", T, N, "", NULL, "dot", 1, "354 more\r\n", false,
	    NULL, {NULL, 0}, 0, "READY\nRECIPIENT 0 accepted 250\nCOMMIT\n"
	    "FAILED peer unknown: end of the message: 354 more\n", NULL, 0},
	{"354 to MAIL", T, N, "", NULL, "MAIL", 1, "354 go\r\n", false, NULL,
	    {NULL, 0}, 0, "READY\nFAILED peer deferred: MAIL: 354 go\n",
	    NULL, 0},
	{"250 to DATA", T, N, "", NULL, "DATA", 1, "250 ok\r\n", false, NULL,
	    {NULL, 0}, 0, "READY\nRECIPIENT 0 accepted 250\n"
	    "FAILED peer deferred: DATA: 250 ok\n", NULL, 0},
	{"RSET refused", T, N, "", NULL, "R", 2, "500 no\r\n", false, NULL,
	    {NULL, 0}, 0, "READY\nRECIPIENT 0 accepted 250\nCOMMIT\n"
	    "RESULT accepted 250\nCLOSED\n", NULL, 1},
	{"two replies to one command", T, N, "", NULL, "MAIL", 1,
	    "250 ok\r\n250 ok\r\n", false, NULL, {NULL, 0}, 0,
	    "READY\nFAILED peer deferred: a reply to what was not yet said: "
	    "250 ok\n", NULL, 0},
	{"a script of answers in the greeting", T, N, "", NULL, "greeting", 1,
	    "220 hi\r\n250 hi\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n",
	    false, NULL, {NULL, 0}, 0,
	    "FAILED peer deferred: a reply to what was not yet said: 250 "
	    "hi\n", NULL, 0},
	{"421 while idle", T, N, "", NULL, "RCPT", 1,
	    "421 4.7.0 too fast\r\n", true, NULL, {NULL, 0}, 0,
	    "READY\nFAILED limit deferred: RCPT: 421 4.7.0 too fast\n",
	    NULL, 0},
	{"an endless reply", T, N, "", NULL, "MAIL", 1, "250-a\r\n", true,
	    NULL, {NULL, 0}, 0,
	    "READY\nFAILED retry deferred: the connection was closed\n",
	    NULL, 0},
	{"a reply to nothing", T, P, "AUTH PLAIN", NULL, "AUTH", 1,
	    "235 ok\r\n250 ok\r\n", false, NULL, {NULL, 0}, 0,
	    "SECRET\nREADY\nREJECTED retry: the connection to the mail server "
	    "is not ready\nFAILED peer deferred: a reply that nothing asked "
	    "for: 250 ok\n", NULL, 0},
	{"silence instead of a greeting", T, N, "", NULL, "greeting", 1, "",
	    false, NULL, {NULL, 0}, 0,
	    "FAILED retry deferred: no answer in time (greeting)\n", "", 0},
	{"QUIT unanswered", T, N, "", NULL, "QUIT", 1, "", false, NULL,
	    {NULL, 0}, 0, "READY\n" ACCEPTED "CLOSED\n", NULL, 1},
	{"QUIT answered by hanging up", T, N, "", NULL, "QUIT", 1, "", true,
	    NULL, {NULL, 0}, 0, "READY\n" ACCEPTED "CLOSED\n", NULL, 1},
};
/* clang-format on */

static void
play(const struct dialogue *c, size_t piece, struct smtp_drive *d,
    struct smtp_model *m)
{
	smtp_model_init(m, c->offers);
	m->tls_offers = c->tls_offers;
	m->step = c->step;
	m->nth = c->nth;
	m->reply = c->reply;
	m->hangs_up = c->hangs_up;
	smtp_drive_init(d);
	d->config.security = c->security;
	d->config.auth = c->auth;
	d->repeat = c->repeat;
	d->piece = piece;
	if (c->recipients != NULL)
		d->message.recipients = c->recipients;
	if (c->bytes.data != NULL)
		d->message.bytes = c->bytes;
	smtp_drive_run(d, m);
}

static unsigned
count_lines(const struct buf *trace, const char *start)
{
	struct span rest = buf_span(trace), line;
	unsigned count = 0;

	while (span_split(&rest, '\n', &line))
		count += span_starts(line, start);
	return count;
}

/* When a reply comes before its question depends on the cut, where the
 * session notices that does too; that it does not go on never depends. */
static bool
is_trace_right(const struct dialogue *c, size_t piece, const struct buf *trace)
{
	bool out_of_step = strstr(c->trace, "data before") != NULL ||
			   strstr(c->trace, "not yet said") != NULL ||
			   strstr(c->trace, "nothing asked") != NULL;

	if (piece > 0 && out_of_step)
		return count_lines(trace, "FAILED peer deferred") == 1 &&
		       count_lines(trace, "COMMIT") == 0;
	return strcmp(buf_str(trace), c->trace) == 0;
}

static bool
is_as_expected(const struct dialogue *c, size_t piece)
{
	struct smtp_drive d;
	struct smtp_model m;
	bool right;

	play(c, piece, &d, &m);
	right = is_trace_right(c, piece, &d.trace) &&
		(c->commands == NULL ||
		    strcmp(buf_str(&m.commands), c->commands) == 0) &&
		m.messages == c->messages;
	if (!right)
		print_error("%s (pieces of %zu): %u messages\n%s%s\n", c->name,
		    piece, m.messages, buf_str(&d.trace), buf_str(&m.commands));
	smtp_drive_done(&d);
	smtp_model_done(&m);
	return right;
}

static void
test_dialogues(void **state)
{
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(dialogues); i++)
		for (size_t piece = 0; piece <= 7; piece++)
			failures += !is_as_expected(&dialogues[i], piece);
	assert_int_equal(failures, 0);
}

/* ---- every odd code at every step (EAST) --------------------------- */

static const unsigned odd_codes[] = {220, 221, 235, 250, 251, 334, 354, 421,
    432, 450, 451, 452, 454, 500, 501, 502, 503, 504, 530, 534, 535, 538, 550,
    552, 553, 554, 556};

/* The good code is in brackets behind each step. */
static const struct {
	const char *step;
	unsigned good, also_good;
	bool before_tls;
} steps[] = {
    {"greeting", 220, 0, true},
    {"EHLO", 250, 0, true},
    {"STARTTLS", 220, 0, true},
    {"AUTH", 235, 0, false},
    {"MAIL", 250, 251, false},
    {"RCPT", 250, 251, false},
    {"DATA", 354, 0, false},
    {"text", 0, 0, false},
    {"dot", 250, 251, false},
};

/* What must hold whatever a server says. */
static const char *
broken_law(const struct smtp_drive *d, const struct smtp_model *m, size_t i,
    unsigned code)
{
	const char *trace = buf_str(&d->trace);
	bool good = code == steps[i].good || code == steps[i].also_good;
	bool accepted = strstr(trace, "RESULT accepted") != NULL;

	if (count_lines(&d->trace, "CLOSED") +
		count_lines(&d->trace, "FAILED") !=
	    1)
		return "exactly one end";
	if (good != accepted)
		return "accepted by the right codes only";
	if (accepted != (m->messages == 1))
		return "accepted as the server thinks";
	if (steps[i].before_tls && !good &&
	    strstr(buf_str(&m->commands), "AUTH") != NULL)
		return "no login";
	if (strstr(trace, "unknown") != NULL &&
	    (strcmp(steps[i].step, "dot") != 0 || code >= 400))
		return "unknown only behind the dot";
	if (strcmp(steps[i].step, "dot") == 0 && code >= 400 &&
	    count_lines(&d->trace, "RESULT") != 1)
		return "a refused dot has a result";
	return NULL;
}

static unsigned
try_code(size_t i, unsigned code, bool pipelining)
{
	struct smtp_drive d;
	struct smtp_model m;
	const char *law;
	char reply[64];

	snprintf(reply, sizeof(reply), "%u odd\r\n", code);
	smtp_model_init(&m, "STARTTLS");
	m.tls_offers = pipelining ? "AUTH PLAIN|PIPELINING" : "AUTH PLAIN";
	m.step = steps[i].step;
	m.reply = code == 250 && strcmp(m.step, "EHLO") == 0
		      ? "250-odd\r\n250 STARTTLS\r\n"
		      : reply;
	smtp_drive_init(&d);
	d.config.security = SMTP_SECURITY_STARTTLS;
	smtp_drive_run(&d, &m);
	law = broken_law(&d, &m, i, code);
	if (law != NULL)
		print_error("%u to %s%s: %s\n%s", code, steps[i].step,
		    pipelining ? " (pipelined)" : "", law, buf_str(&d.trace));
	smtp_drive_done(&d);
	smtp_model_done(&m);
	return law != NULL;
}

static void
test_odd_codes(void **state)
{
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(steps); i++)
		for (size_t c = 0; c < COUNT(odd_codes); c++) {
			failures += try_code(i, odd_codes[c], false);
			failures += try_code(i, odd_codes[c], true);
		}
	assert_int_equal(failures, 0);
}

/* ---- the link cut at every byte ----------------------------------- */

static unsigned
cut_once(size_t in, size_t out, bool *complete_r)
{
	struct smtp_drive d;
	struct smtp_model m;
	const char *trace, *want;
	bool right;

	smtp_model_init(&m, "STARTTLS");
	m.tls_offers = ALL;
	smtp_drive_init(&d);
	d.config.security = SMTP_SECURITY_STARTTLS;
	d.cut_in = in;
	d.cut_out = out;
	smtp_drive_run(&d, &m);
	trace = buf_str(&d.trace);
	*complete_r = strstr(trace, "CLOSED") != NULL &&
		      (in == 0 || d.bytes_in < in) &&
		      (out == 0 || d.bytes_out < out);
	want = d.finished ? "FAILED retry unknown: the connection was closed\n"
			  : "FAILED retry deferred: the connection was "
			    "closed\n";
	right = strstr(trace, "RESULT accepted") != NULL ||
		(count_lines(&d.trace, "FAILED") == 1 &&
		    strstr(trace, want) != NULL);
	/* Never said to be lost for sure when the server has it. */
	right = right && (d.finished || m.messages == 0);
	if (!right)
		print_error("cut in %zu out %zu:\n%s", in, out, trace);
	smtp_drive_done(&d);
	smtp_model_done(&m);
	return !right;
}

static void
test_cut_everywhere(void **state)
{
	unsigned failures = 0, cuts = 0;
	bool complete;

	(void)state;
	for (size_t n = 1, end = 0; !end; n++, cuts++) {
		failures += cut_once(n, 0, &complete);
		end = complete;
	}
	for (size_t n = 1, end = 0; !end; n++, cuts++) {
		failures += cut_once(0, n, &complete);
		end = complete;
	}
	assert_int_equal(failures, 0);
	assert_true(cuts > 500);
}

/* ---- smuggling ---------------------------------------------------- */

static const char *const ends[] = {
    "\r\n", "\n", "\r", "\n\r", "\r\r\n", "\r\n\n", "\n\n", "\r\r"};

/* Receivers that take other line ends for an end of the message see none. */
static bool
ends_once(struct span raw)
{
	size_t found = 0;

	for (size_t i = 0; i + 1 < raw.len; i++) {
		bool start = i == 0 || raw.data[i - 1] == '\n' ||
			     raw.data[i - 1] == '\r';
		bool end = raw.data[i + 1] == '\n' || raw.data[i + 1] == '\r';

		found += raw.data[i] == '.' && start && end;
	}
	return found == 1 && span_ends_nocase(raw, ".\r\n");
}

/* The text as it must arrive, by another way than the engine's: all line
 * ends counted one character at a time. */
static void
expect_text(struct span text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '\r') {
			buf_add_str(out, "\r\n");
			i += i + 1 < text.len && text.data[i + 1] == '\n';
		} else if (text.data[i] == '\n') {
			buf_add_str(out, "\r\n");
		} else {
			buf_add_char(out, text.data[i]);
		}
	}
	if (out->len > 0 && out->data[out->len - 1] != '\n')
		buf_add_str(out, "\r\n");
}

static unsigned
smuggle(struct span text, size_t piece)
{
	BUF_AUTO want = BUF_INIT;
	struct smtp_drive d;
	struct smtp_model m;
	bool right;

	expect_text(text, &want);
	smtp_model_init(&m, "PIPELINING");
	smtp_drive_init(&d);
	d.config.auth = SMTP_AUTH_NONE;
	d.message.bytes = text;
	d.piece = piece;
	smtp_drive_run(&d, &m);
	right = m.messages == 1 && ends_once(buf_span(&m.raw)) &&
		span_equal(buf_span(&m.message), buf_span(&want)) &&
		count_lines(&m.commands, "MAIL") == 1;
	smtp_drive_done(&d);
	smtp_model_done(&m);
	return !right;
}

static void
test_smuggling(void **state)
{
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(ends) * COUNT(ends); i++) {
		BUF_AUTO text = BUF_INIT;
		const char *first = ends[i / COUNT(ends)];
		const char *second = ends[i % COUNT(ends)];

		buf_addf(&text, "Subject: a\r\n\r\nhi%s.%sMAIL FROM:<evil@x>%s",
		    first, second, second);
		buf_addf(&text, "RCPT TO:<you@x>%sDATA%s.%s.%s.", second,
		    second, first, second);
		for (size_t piece = 0; piece < 4; piece++)
			if (smuggle(buf_span(&text), piece)) {
				print_error("smuggled by pair %zu\n", i);
				failures++;
			}
	}
	assert_int_equal(failures, 0);
}

/* Text longer than the chunks in which it is made ready, with every kind of
 * trouble lying across their edges. */
static void
test_large_text(void **state)
{
	(void)state;
	for (size_t shift = 0; shift < 5; shift++) {
		BUF_AUTO text = BUF_INIT;

		while (text.len < SMTP_CHUNK_SIZE - shift)
			buf_add_char(&text, 'a');
		buf_add_str(&text, "\r\n.\r\n.\n.");
		while (text.len < 2 * SMTP_CHUNK_SIZE - shift)
			buf_add_char(&text, 'b');
		buf_add_str(&text, "\n.\r");
		assert_int_equal(smuggle(buf_span(&text), 0), 0);
		assert_int_equal(smuggle(buf_span(&text), 1000), 0);
	}
}

/* ---- addresses ---------------------------------------------------- */

static const struct {
	const char *address;
	const char *offers;
	bool good;
} addresses[] = {
    {"a@example.net", "", true},
    {"", "", false},
    {"a@x>\r\nRCPT TO:<b@y", "", false},
    {"a\r\n", "", false},
    {"a\n@x", "", false},
    {"a b@x", "", false},
    {"a>@x", "", false},
    {"<a@x", "", false},
    {"a\x7f@x", "", false},
    {"a\t@x", "", false},
    {"\xc3\xa4@example.net", "", false},
    {"\xc3\xa4@example.net", "SMTPUTF8", true},
    {"\xff@example.net", "SMTPUTF8", false},
};

static bool
try_address(size_t i, bool as_sender)
{
	STRV_AUTO to = STRV_INIT;
	struct smtp_drive d;
	struct smtp_model m;
	bool sent;

	strv_add(&to, addresses[i].address);
	smtp_model_init(&m, addresses[i].offers);
	smtp_drive_init(&d);
	d.config.auth = SMTP_AUTH_NONE;
	if (as_sender)
		d.message.from = addresses[i].address;
	else
		d.message.recipients = &to;
	smtp_drive_run(&d, &m);
	sent = m.messages == 1;
	if (!sent && (strstr(buf_str(&d.trace), "REJECTED config") == NULL ||
			 count_lines(&m.commands, "MAIL") > 0))
		sent = !addresses[i].good; /* said too much */
	smtp_drive_done(&d);
	smtp_model_done(&m);
	return sent == addresses[i].good;
}

static void
test_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(addresses); i++)
		if (!try_address(i, true) || !try_address(i, false))
			fail_msg("address %zu", i);
}

/* ---- secrets ------------------------------------------------------ */

/* A token too long for the command line waits for the challenge. */
static void
test_long_token(void **state)
{
	BUF_AUTO token = BUF_INIT;
	struct smtp_drive d;
	struct smtp_model m;

	(void)state;
	while (token.len < 2000)
		buf_add_str(&token, "token");
	smtp_model_init(&m, "AUTH XOAUTH2 OAUTHBEARER");
	smtp_drive_init(&d);
	d.config.auth = SMTP_AUTH_OAUTH2;
	d.secret = buf_str(&token);
	smtp_drive_run(&d, &m);
	assert_int_equal(m.messages, 1);
	assert_non_null(strstr(buf_str(&m.commands), "AUTH OAUTHBEARER\n"));
	assert_null(strstr(buf_str(&d.trace), "token"));
	smtp_drive_done(&d);
	smtp_model_done(&m);
}

/* The tag the server would know: sent byte by byte over nine minutes, the
 * answer to the dot still counts (RFC 5321 section 4.5.3.2.6). */
static void
test_slow_answer(void **state)
{
	static const struct smtp_session_config config = {
	    .security = SMTP_SECURITY_TLS,
	    .auth = SMTP_AUTH_NONE,
	    .user = "u",
	    .host = "h",
	    .ehlo_name = "me",
	};
	const struct smtp_message message = {.from = "a@b",
	    .recipients = &smtp_drive_recipient,
	    .bytes = SPAN("x\r\n")};
	static const char *const replies[] = {"220 hi\r\n", "250 me\r\n"};
	static const char *const more[] = {
	    "250 a\r\n", "250 b\r\n", "354 c\r\n"};
	const char *answer = "250 ok\r\n";
	struct smtp_session *s = smtp_session_new(&config, 0);
	struct smtp_event event;
	usec_t now = 1;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		smtp_session_feed(s, span_from_str(replies[i]), now);
		smtp_session_sent(s, smtp_session_output(s).len);
	}
	assert_true(smtp_session_send(s, &message, now, NULL));
	for (size_t i = 0; i < 3; i++) {
		smtp_session_sent(s, smtp_session_output(s).len);
		smtp_session_feed(s, span_from_str(more[i]), now);
	}
	smtp_session_sent(s, smtp_session_output(s).len);
	assert_true(smtp_session_deadline(s) <= now);
	smtp_session_tick(s, now);
	smtp_session_finish(s, now);
	smtp_session_sent(s, smtp_session_output(s).len);
	for (size_t i = 0; answer[i] != '\0'; i++) {
		now += 9 * USEC_MINUTE / strlen(answer);
		smtp_session_tick(s, now);
		smtp_session_feed(s, span_from(&answer[i], 1), now);
	}
	while (smtp_session_next_event(s, &event) &&
	       event.kind != SMTP_EVENT_RESULT)
		;
	assert_int_equal(event.kind, SMTP_EVENT_RESULT);
	assert_int_equal(event.class, SMTP_ACCEPTED);
	smtp_session_free(&s);
}

/* A stuck upload fails, a slow one does not. */
static void
test_slow_upload(void **state)
{
	BUF_AUTO text = BUF_INIT;
	struct smtp_session_config config = {.security = SMTP_SECURITY_TLS,
	    .auth = SMTP_AUTH_NONE,
	    .user = "u",
	    .host = "h",
	    .port = 1,
	    .ehlo_name = "me"};
	struct smtp_message message = {
	    .from = "a@b", .recipients = &smtp_drive_recipient};
	struct smtp_session *s = smtp_session_new(&config, 0);
	static const char *const replies[] = {"220 hi\r\n", "250 me\r\n"};
	static const char *const more[] = {
	    "250 a\r\n", "250 b\r\n", "354 c\r\n"};
	usec_t now = 0;

	(void)state;
	while (text.len < 500000)
		buf_add_str(&text, "line\r\n");
	message.bytes = buf_span(&text);
	for (size_t i = 0; i < 2; i++) {
		smtp_session_feed(s, span_from_str(replies[i]), now);
		smtp_session_sent(s, smtp_session_output(s).len);
	}
	assert_true(smtp_session_send(s, &message, now, NULL));
	for (size_t i = 0; i < 3; i++) {
		smtp_session_sent(s, smtp_session_output(s).len);
		smtp_session_feed(s, span_from_str(more[i]), now);
	}
	for (int i = 0; i < 20; i++) {
		assert_true(smtp_session_output(s).len <= 2 * SMTP_CHUNK_SIZE);
		smtp_session_sent(s, 100);
		now = smtp_session_deadline(s);
		smtp_session_tick(s, now);
		assert_string_equal(smtp_session_state_name(s), "body");
	}
	smtp_session_tick(s, smtp_session_deadline(s));
	assert_string_equal(smtp_session_state_name(s), "dead");
	smtp_session_free(&s);
}

/* A chunk that is refused before its end is said: while more of it has to be
 * made ready, the connection ends; when all that is left is on its way, it is
 * said to its end, and the next message may follow. */
static void
test_chunk_refused_early(void **state)
{
	static const struct smtp_session_config config = {
	    .security = SMTP_SECURITY_TLS,
	    .auth = SMTP_AUTH_NONE,
	    .user = "u",
	    .host = "h",
	    .ehlo_name = "me",
	};
	static const char *const replies[] = {"220 hi\r\n",
	    "250-me\r\n250 CHUNKING\r\n", "250 a\r\n", "250 b\r\n"};
	BUF_AUTO text = BUF_INIT;

	(void)state;
	while (text.len < 2 * SMTP_CHUNK_SIZE)
		buf_add_char(&text, 'x');
	for (int is_late = 0; is_late < 2; is_late++) {
		const struct smtp_message message = {.from = "a@b",
		    .recipients = &smtp_drive_recipient,
		    .bytes = buf_span(&text)};
		struct smtp_session *s = smtp_session_new(&config, 0);
		struct smtp_event event;

		for (size_t i = 0; i < COUNT(replies); i++) {
			if (i == 2)
				assert_true(
				    smtp_session_send(s, &message, 0, NULL));
			smtp_session_sent(s, smtp_session_output(s).len);
			smtp_session_feed(s, span_from_str(replies[i]), 0);
			while (smtp_session_next_event(s, &event))
				;
		}
		assert_true(span_starts(smtp_session_output(s), "BDAT "));
		if (is_late) /* the second half is made ready */
			smtp_session_sent(s, smtp_session_output(s).len);
		smtp_session_sent(s, 100);
		smtp_session_feed(s, SPAN("552 5.3.4 too big\r\n"), 0);
		if (is_late) {
			struct span out = smtp_session_output(s);
			assert_true(span_equal(
			    span_skip(out, out.len - 6), SPAN("RSET\r\n")));
			assert_true(out.len > SMTP_CHUNK_SIZE - 200);
			smtp_session_sent(s, out.len);
			smtp_session_feed(s, SPAN("250 ok\r\n"), 0);
		}
		assert_true(smtp_session_next_event(s, &event));
		assert_int_equal(event.kind, SMTP_EVENT_RESULT);
		assert_int_equal(event.class, SMTP_REFUSED);
		assert_string_equal(
		    smtp_session_state_name(s), is_late ? "ready" : "dead");
		smtp_session_free(&s);
	}
}

/* One dot ends a message, whatever the owner says. */
static void
test_finish_once(void **state)
{
	static const struct smtp_session_config config = {
	    .security = SMTP_SECURITY_TLS,
	    .auth = SMTP_AUTH_NONE,
	    .user = "u",
	    .host = "h",
	    .ehlo_name = "me",
	};
	const struct smtp_message message = {.from = "a@b",
	    .recipients = &smtp_drive_recipient,
	    .bytes = SPAN("x\r\n")};
	static const char *const replies[] = {"220 hi\r\n", "250 me\r\n"};
	static const char *const more[] = {
	    "250 a\r\n", "250 b\r\n", "354 c\r\n"};
	struct smtp_session *s = smtp_session_new(&config, 0);

	(void)state;
	for (size_t i = 0; i < COUNT(replies); i++) {
		smtp_session_feed(s, span_from_str(replies[i]), 0);
		smtp_session_sent(s, smtp_session_output(s).len);
	}
	assert_true(smtp_session_send(s, &message, 0, NULL));
	smtp_session_finish(s, 0); /* too early */
	for (size_t i = 0; i < COUNT(more); i++) {
		smtp_session_sent(s, smtp_session_output(s).len);
		smtp_session_feed(s, span_from_str(more[i]), 0);
	}
	smtp_session_sent(s, smtp_session_output(s).len);
	smtp_session_tick(s, 0);
	smtp_session_finish(s, 0);
	smtp_session_finish(s, 0);
	assert_true(span_equal(smtp_session_output(s), SPAN(".\r\n")));
	smtp_session_sent(s, 3);
	smtp_session_finish(s, 0);
	assert_int_equal(smtp_session_output(s).len, 0);
	smtp_session_free(&s);
}

/* Law 5: after the end every call is accepted and does nothing. */
static void
test_dead_is_quiet(void **state)
{
	struct smtp_session_config config = {.security = SMTP_SECURITY_TLS,
	    .auth = SMTP_AUTH_PASSWORD,
	    .user = "u",
	    .host = "h",
	    .port = 1,
	    .ehlo_name = "me"};
	struct smtp_message message = {
	    .from = "a@b", .recipients = &smtp_drive_recipient};
	struct smtp_session *s = smtp_session_new(&config, 0);
	struct smtp_event event;

	(void)state;
	smtp_session_feed(s, SPAN("nonsense\r\n"), 1);
	assert_true(smtp_session_next_event(s, &event));
	assert_int_equal(event.kind, SMTP_EVENT_FAILED);
	smtp_session_feed(s, SPAN("220 hi\r\n"), 2);
	smtp_session_eof(s, 3);
	smtp_session_tick(s, USEC_DAY);
	smtp_session_secret(s, SPAN("x"), 4);
	smtp_session_tls_started(s, 5);
	smtp_session_finish(s, 6);
	smtp_session_quit(s, 7);
	assert_false(smtp_session_send(s, &message, 8, NULL));
	assert_int_equal(smtp_session_output(s).len, 0);
	smtp_session_sent(s, 0);
	assert_true(smtp_session_deadline(s) == USEC_NEVER);
	assert_false(smtp_session_next_event(s, &event));
	smtp_session_free(&s);
	smtp_session_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_dialogues),
	    cmocka_unit_test(test_odd_codes),
	    cmocka_unit_test(test_cut_everywhere),
	    cmocka_unit_test(test_smuggling),
	    cmocka_unit_test(test_large_text),
	    cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_long_token),
	    cmocka_unit_test(test_slow_answer),
	    cmocka_unit_test(test_slow_upload),
	    cmocka_unit_test(test_chunk_refused_early),
	    cmocka_unit_test(test_finish_once),
	    cmocka_unit_test(test_dead_is_quiet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
