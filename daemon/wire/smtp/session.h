/*
 * smtp/session: one submission connection (RFC 6409), an engine.
 *
 * It reads the greeting, says EHLO, requires STARTTLS where the connection
 * began in clear (and says EHLO again after it), logs in (only inside TLS),
 * and is READY: the owner gives it one message after the other.
 *
 * Per message: MAIL FROM (with SIZE, BODY=8BITMIME where offered and needed),
 * RCPT TO, DATA (together where the server has PIPELINING), the canonical,
 * dot-stuffed text up to the last CRLF. Then the event SMTP_EVENT_COMMIT:
 * nothing irrevocable has been said yet. The owner makes its journal entry
 * durable and calls smtp_session_finish, which sends the final dot. Only
 * between that call and the reply is the outcome unknown.
 *
 * Text with lines of more than CANONICAL_LINE_MAX bytes goes by BDAT where the
 * server has CHUNKING: as one chunk, COMMIT when it was agreed to, and a last
 * chunk of nothing is its final dot.
 *
 * Events: [STARTTLS], SECRET, READY, (RECIPIENT..., COMMIT, RESULT)*, then
 * CLOSED or FAILED. Injected bytes behind the STARTTLS reply: FAULT_PEER.
 *
 * Every recipient gets a RECIPIENT event. When none is accepted, or MAIL or
 * DATA is refused, the transaction is reset and RESULT says so without a
 * COMMIT; after any RESULT the session is ready for the next message, unless
 * CLOSED or FAILED follows.
 *
 * Replies are matched with what was asked. One that comes before its command
 * has left (smtp_session_sent), or that nothing asked for, ends the session;
 * a 4xx or 5xx in the middle of the text is taken as the verdict first.
 *
 * A login is tried once, and in another way with the same secret only where the
 * server says that the way is not there (504), or after SCRAM was refused.
 *
 * When the last of the text was sent, the deadline lies in the past, because
 * smtp_session_sent knows no time: the tick that follows gives COMMIT. So
 * read the deadline after sending, as wire/engine.h says.
 *
 * What a server says in clear, before a required STARTTLS, is never shown:
 * errors then have its code only.
 */
#ifndef BELFRY_WIRE_SMTP_SESSION_H
#define BELFRY_WIRE_SMTP_SESSION_H

#include "daemon/base/error.h"
#include "daemon/base/strv.h"
#include "daemon/wire/engine.h"
#include "daemon/wire/sasl/sasl.h"
#include "daemon/wire/smtp/canonical.h"
#include "daemon/wire/smtp/reply.h"

#define SMTP_GREETING_USEC (5 * USEC_MINUTE) /* RFC 5321 4.5.3.2 */
#define SMTP_COMMAND_USEC                                                      \
	(5 * USEC_MINUTE)		  /* also STARTTLS, SECRET, COMMIT     \
					   */
#define SMTP_DATA_USEC (2 * USEC_MINUTE)  /* DATA to 354 */
#define SMTP_BLOCK_USEC (3 * USEC_MINUTE) /* text without any progress */
#define SMTP_DOT_USEC (10 * USEC_MINUTE)
#define SMTP_QUIT_USEC (10 * USEC_SEC)
#define SMTP_RECIPIENTS_MAX 100
#define SMTP_COMMAND_MAX 512 /* AUTH with an initial response (RFC 4954 4) */
#define SMTP_ADDRESS_MAX 320 /* RFC 5321 4.5.3.1: 64 + 1 + 255 */
#define SMTP_MESSAGE_MAX (128 * 1024 * 1024) /* bytes of one message */
#define SMTP_CHUNK_SIZE (64 * 1024)	     /* text made ready at a time */
#define SMTP_CHALLENGES_MAX 5		     /* of one AUTH */

enum smtp_security {
	SMTP_SECURITY_TLS,
	SMTP_SECURITY_STARTTLS,
	SMTP_SECURITY_NONE, /* loopback only, asked for by the person */
};

enum smtp_auth {
	SMTP_AUTH_PASSWORD,
	SMTP_AUTH_OAUTH2,
	SMTP_AUTH_EXTERNAL, /* by the certificate of the connection */
	SMTP_AUTH_NONE
};

struct smtp_session_config {
	enum smtp_security security;
	enum smtp_auth auth;
	const char *user;
	const char *host;
	unsigned port;
	const char *ehlo_name; /* a host name or an address literal */
	bool no_scram;	       /* see smtp_session_is_scram_useless */
	bool only_scram;       /* the password is never sent */
};

enum smtp_event_kind {
	SMTP_EVENT_STARTTLS,
	SMTP_EVENT_SECRET,
	SMTP_EVENT_READY,
	SMTP_EVENT_RECIPIENT, /* one recipient's verdict */
	SMTP_EVENT_COMMIT,    /* journal, then smtp_session_finish */
	SMTP_EVENT_RESULT,    /* the message's verdict */
	SMTP_EVENT_CLOSED,
	SMTP_EVENT_FAILED,
};

struct smtp_event {
	enum smtp_event_kind kind;
	unsigned recipient;    /* index, for RECIPIENT */
	enum smtp_class class; /* RECIPIENT, RESULT; FAILED: of the message
				  in hand, DEFERRED or UNKNOWN */
	unsigned code;	       /* 250, 550, ...; 0: none */
	bool slow; /* the server asks for five minutes of patience at least */
	/* The server takes no mail from this sender: see smtp_reply. */
	bool is_about_sender;
	const char *advice; /* the reply in a person's words; NULL: none */
	char text[512];	    /* reply, sanitised, with its enhanced code */
	struct error error; /* FAILED */
};

struct smtp_message {
	const char *from; /* envelope sender, never empty */
	const struct strv *recipients;
	struct span bytes; /* any line ends; canonicalised on the way */
	bool utf8_header;  /* needs SMTPUTF8 */
	/* Of `bytes`; NULL: they are measured. */
	const struct canonical_facts *facts;
};

struct smtp_session;

extern const struct engine_class smtp_session_class;

struct smtp_session *smtp_session_new(
    const struct smtp_session_config *config, usec_t now);
void smtp_session_free(struct smtp_session **session);
void smtp_session_feed(struct smtp_session *s, struct span bytes, usec_t now);
void smtp_session_eof(struct smtp_session *s, usec_t now);
struct span smtp_session_output(const struct smtp_session *s);
void smtp_session_sent(struct smtp_session *s, size_t len);
usec_t smtp_session_deadline(const struct smtp_session *s);
void smtp_session_tick(struct smtp_session *s, usec_t now);
bool smtp_session_next_event(
    struct smtp_session *s, struct smtp_event *event_r);

void smtp_session_tls_started(struct smtp_session *s, usec_t now);
/* As imap_session_once. */
void smtp_session_once(struct smtp_session *s, const struct sasl_once *once);
/* As imap_session_is_scram_useless. */
bool smtp_session_is_scram_useless(const struct smtp_session *s);
void smtp_session_secret(
    struct smtp_session *s, struct span secret, usec_t now);
/* What the server offers; valid when READY. */
bool smtp_session_has_pipelining(const struct smtp_session *s);
bool smtp_session_has_8bitmime(const struct smtp_session *s);
uint64_t smtp_session_size_limit(const struct smtp_session *s); /* 0: none */
/*
 * Copies what it needs, the bytes once. False, with the reason, when the
 * message cannot be sent here, and the session is as before: larger than the
 * server's SIZE or a limit above (FAULT_LIMIT); a NUL, an address that is
 * empty or holds a blank, a control or an angle bracket, 8-bit text or
 * addresses without 8BITMIME or SMTPUTF8 (FAULT_CONFIG). FAULT_RETRY: the
 * session is not READY (any more); the message was not looked at.
 */
bool smtp_session_send(struct smtp_session *s,
    const struct smtp_message *message, usec_t now, struct error *error_r);
/* Asks whether mail from and to these would be taken, and takes it back: MAIL,
 * RCPT, RSET, and never DATA: nothing is sent. RECIPIENT comes when MAIL was
 * agreed to, then RESULT; READY is the state again. */
bool smtp_session_try(struct smtp_session *s, const char *from, const char *to,
    usec_t now, struct error *error_r);
/*
 * The same of the message that follows the one in hand, after smtp_session_send
 * and before its RESULT. Where the server has PIPELINING its envelope goes
 * together with the final dot; its first event comes after that RESULT, in any
 * case without another call. False, with the reasons of smtp_session_send, and
 * FAULT_RETRY when there is no message in hand, or one is waiting already.
 */
bool smtp_session_send_next(struct smtp_session *s,
    const struct smtp_message *message, struct error *error_r);
/* Whether the message can be sent here, with the reasons of smtp_session_send;
 * its place and turn are not looked at. */
bool smtp_session_fits(const struct smtp_session *s,
    const struct smtp_message *message, struct error *error_r);
/* After COMMIT: sends the final dot. Otherwise ignored. */
void smtp_session_finish(struct smtp_session *s, usec_t now);
/* READY: says QUIT; CLOSED follows within SMTP_QUIT_USEC. In any other state
 * there is nothing polite to say: the session fails as at eof. */
void smtp_session_quit(struct smtp_session *s, usec_t now);
/* "ready", "mail", ...: for logs and tests; a constant. */
const char *smtp_session_state_name(const struct smtp_session *s);

#endif
