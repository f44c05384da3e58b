/*
 * smtp/session, inside: the state, and what its files share.
 *
 *   session.c        events, states, input, output, time
 *   session_login.c  greeting, EHLO, STARTTLS, AUTH
 *   session_check.c  what a message must be like to be sent
 *   session_mail.c   MAIL, RCPT, DATA or BDAT, the text, the dot, RSET
 */
#ifndef BELFRY_WIRE_SMTP_SESSION_PRIVATE_H
#define BELFRY_WIRE_SMTP_SESSION_PRIVATE_H

#include "daemon/base/buf.h"
#include "daemon/base/secret.h"
#include "daemon/wire/sasl/sasl.h"
#include "daemon/wire/smtp/canonical.h"
#include "daemon/wire/smtp/offers.h"
#include "daemon/wire/smtp/session.h"

/* A dot, MAIL, every RCPT and DATA may be under way together. */
#define ASKED_MAX (SMTP_RECIPIENTS_MAX + 4)

enum state {
	STATE_GREETING,
	STATE_EHLO,
	STATE_STARTTLS,
	STATE_HANDSHAKE,
	STATE_SECRET,
	STATE_AUTH,
	STATE_READY,
	STATE_MAIL,
	STATE_RCPT,
	STATE_DATA,
	STATE_BODY,
	STATE_CHUNK,
	STATE_COMMIT,
	STATE_DOT,
	STATE_EMPTY,
	STATE_RSET,
	STATE_QUIT,
	STATE_DEAD,
	STATE_COUNT
};

/* The message in hand. */
struct outgoing {
	char *from;
	struct strv recipients;
	char *bytes; /* the one copy */
	size_t len, used;
	struct canonical_facts facts;
	bool chunked;  /* by BDAT, because of its long lines */
	bool is_trial; /* nothing is sent: see smtp_session_try */
	bool utf8;
	struct canonical text;
	unsigned next;	   /* recipient whose reply is awaited */
	unsigned accepted; /* recipients */
	bool mail_refused; /* the pipelined RCPTs are still to be answered */
	bool has_verdict;
	struct smtp_event verdict; /* the RESULT, until it may be told */
};

struct smtp_session {
	enum smtp_security security;
	enum smtp_auth auth;
	char *user, *host, *ehlo_name;
	unsigned port;

	enum state state;
	usec_t deadline;
	bool secure; /* TLS is up */
	struct offers offers;
	struct smtp_parser parser;

	struct buf out;
	bool out_is_secret;
	uint64_t queued, sent; /* bytes of output, since the beginning */
	/* Where in the output the commands end that await a reply. */
	uint64_t asked[ASKED_MAX];
	size_t asked_count;
	uint64_t progress; /* `sent` when the deadline of the text was set */

	enum sasl_mechanism mechanism;
	struct secret secret;
	struct sasl_scram *scram; /* as long; NULL: there is no SCRAM */
	bool no_scram, only_scram, scram_refused;
	bool initial_pending; /* the first response waits for a 334 */
	unsigned challenges;
	char oauth_status[16];

	bool has_message, has_next;
	struct outgoing message;
	struct outgoing next; /* its commands may go behind the dot */
	bool next_said;	      /* and they did */

	struct smtp_event *events; /* owned, a queue */
	size_t event_first, event_count, event_cap;
};

/* session_check.c */
/* Copies the message; false, with words: it cannot be sent here. */
bool smtp_check_message(struct smtp_session *s,
    const struct smtp_message *message, struct outgoing *taken_r,
    struct error *error_r);

/* session.c */
struct smtp_event *smtp_add_event(
    struct smtp_session *s, enum smtp_event_kind kind);
/* The only function that assigns the state. */
void smtp_enter(struct smtp_session *s, enum state next, usec_t now);
/* Ends the session. A verdict that is known is told first. */
void smtp_fail(
    struct smtp_session *s, enum fault fault, const char *what, usec_t now);
/* The same, with the code and the words of `reply` (may be NULL). */
void smtp_fail_reply(struct smtp_session *s, enum fault fault,
    const struct smtp_reply *reply, const char *what, usec_t now);
/* The same, with the fault that the reply means. */
void smtp_unexpected(struct smtp_session *s, const struct smtp_reply *reply,
    const char *step, usec_t now);
/* Fills code, text and slow. */
void smtp_describe_reply(const struct smtp_session *s, struct smtp_event *event,
    const struct smtp_reply *reply);
/* Copies text into a field of `size` bytes, cut between characters. */
void smtp_copy_text(char *field, size_t size, struct span text);
/* Whether a secret may go out, and the server's words may be shown: not what
 * anyone on the way could have said in its name. */
bool smtp_is_trusted(const struct smtp_session *s);
void smtp_put(struct smtp_session *s, struct span bytes);
/* The output up to here is one command: a reply must come. */
void smtp_ask(struct smtp_session *s);
/* Says a line, and asks. */
void smtp_command(struct smtp_session *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void smtp_late_reply(struct smtp_session *s, usec_t now);

/* session_login.c: handlers of states. */
void smtp_on_greeting(
    struct smtp_session *s, const struct smtp_reply *reply, usec_t now);
void smtp_on_ehlo(
    struct smtp_session *s, const struct smtp_reply *reply, usec_t now);
void smtp_on_starttls(
    struct smtp_session *s, const struct smtp_reply *reply, usec_t now);
void smtp_on_auth(
    struct smtp_session *s, const struct smtp_reply *reply, usec_t now);

/* session_mail.c: handlers of states, and the message in hand. */
void smtp_on_mail(
    struct smtp_session *s, const struct smtp_reply *reply, usec_t now);
void smtp_on_rcpt(
    struct smtp_session *s, const struct smtp_reply *reply, usec_t now);
void smtp_on_data(
    struct smtp_session *s, const struct smtp_reply *reply, usec_t now);
void smtp_on_text_broken(
    struct smtp_session *s, const struct smtp_reply *reply, usec_t now);
void smtp_on_dot(
    struct smtp_session *s, const struct smtp_reply *reply, usec_t now);
void smtp_on_rset(
    struct smtp_session *s, const struct smtp_reply *reply, usec_t now);
void smtp_on_chunk(
    struct smtp_session *s, const struct smtp_reply *reply, usec_t now);
void smtp_on_empty(
    struct smtp_session *s, const struct smtp_reply *reply, usec_t now);
void smtp_late_body(struct smtp_session *s, usec_t now);
void smtp_drop_messages(struct smtp_session *s);
/* RESULT: tells the verdict and drops the message. */
void smtp_tell_verdict(struct smtp_session *s);
/* Makes the next piece of the text ready. */
void smtp_refill(struct smtp_session *s);

#endif
