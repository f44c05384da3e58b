/*
 * imap/session: one IMAP connection, from greeting to LOGOUT (an engine).
 *
 * It greets, asks for STARTTLS where the connection began in clear, learns
 * the capabilities in all three places they can stand, identifies itself
 * (ID), logs in, and is then READY: the owner sends commands one after the
 * other and pulls what comes back. Commands are queued and pipelined only
 * where the caller sends several without waiting; IDLE is alone.
 *
 * Order of calls:
 *   imap_session_new when the transport is connected (over TLS already, for
 *   IMAP_SECURITY_TLS); then the engine's calls (wire/engine.h);
 *   events in this order: [STARTTLS], SECRET, READY, then UNTAGGED / DONE /
 *   IDLING / ALERT in any mix, at last one of CLOSED or FAILED.
 *
 * Before TLS only the greeting, CAPABILITY and the reply to STARTTLS are
 * legal; anything else, and any byte behind that reply, is FAULT_PEER. A
 * secret is written in one file, whose functions assert that TLS is up (or
 * that plaintext to loopback was asked for).
 *
 * One login per session. Another way (LOGIN for AUTHENTICATE PLAIN) is tried
 * only where the server says BAD or [CANNOT], and once after SCRAM was refused:
 * servers offer it, too, for users of whom they keep a hash that it cannot
 * use. Never after another refusal of the credentials. A refused token is
 * FAULT_AUTH with the status it gave.
 *
 * PREAUTH: accepted when config.allow_preauth, else FAULT_PEER (RFC 9051
 * section 7.1.4). BYE ends the session: FAULT_RETRY, or by its code and text
 * FAULT_LIMIT and so on.
 */
#ifndef BELFRY_WIRE_IMAP_SESSION_H
#define BELFRY_WIRE_IMAP_SESSION_H

#include "daemon/base/error.h"
#include "daemon/base/secret.h"
#include "daemon/wire/engine.h"
#include "daemon/wire/imap/capability.h"
#include "daemon/wire/imap/command.h"
#include "daemon/wire/imap/refusal.h"
#include "daemon/wire/imap/response.h"
#include "daemon/wire/sasl/sasl.h"

#define IMAP_GREETING_USEC (60 * USEC_SEC)
/* Each step of the login, its challenges together; bytes do not prolong it. */
#define IMAP_LOGIN_USEC (90 * USEC_SEC)
/* A net below the handshake's own, shorter deadline. */
#define IMAP_TLS_USEC (60 * USEC_SEC)
/* A command without any byte from the server for this long is dead. */
#define IMAP_COMMAND_USEC (90 * USEC_SEC)
/* Commands without an answer for this long are dead, whatever trickles in;
 * each answer, [INPROGRESS] (RFC 9585) and IMAP_PROGRESS_BYTES begin it anew.
 */
#define IMAP_COMMAND_TOTAL_USEC (15 * USEC_MINUTE)
#define IMAP_PROGRESS_BYTES (16 * 1024)
/* From DONE to the tagged answer of IDLE, without any byte; and in all. */
#define IMAP_IDLE_DONE_USEC (15 * USEC_SEC)
#define IMAP_IDLE_DONE_TOTAL_USEC (2 * USEC_MINUTE)
/* A doubted connection must give its first byte within this. */
#define IMAP_PROOF_USEC (10 * USEC_SEC)
#define IMAP_LOGOUT_USEC (2 * USEC_SEC)
#define IMAP_COMMANDS_MAX 64	 /* queued or in flight */
#define IMAP_CHALLENGES_MAX 5	 /* of one AUTHENTICATE */
#define IMAP_UNTAGGED_MAX 200000 /* per command */
/* Malformed responses in a row, each skipped; more: FAULT_PEER. */
#define IMAP_MALFORMED_MAX 20

enum imap_security {
	IMAP_SECURITY_TLS,	/* the transport is TLS from the first byte */
	IMAP_SECURITY_STARTTLS, /* required: no STARTTLS, no session */
	IMAP_SECURITY_NONE,	/* loopback only, asked for by the person */
};

enum imap_auth {
	/* SCRAM, SASL PLAIN, the LOGIN command, SASL LOGIN */
	IMAP_AUTH_PASSWORD,
	IMAP_AUTH_OAUTH2,   /* OAUTHBEARER, XOAUTH2; never a password */
	IMAP_AUTH_EXTERNAL,
};

struct imap_session_config {
	enum imap_security security;
	enum imap_auth auth;
	const char *user;
	const char *host; /* for OAUTHBEARER */
	unsigned port;
	const char *client_version; /* for ID; NULL sends no ID */
	size_t literal_max;	    /* 0: IMAP_LITERAL_MAX */
	bool allow_preauth;
	bool id_before_select; /* NetEase: ID always after login */
	bool no_id;	       /* servers that choke on it */
	bool prefer_login;     /* LOGIN command before AUTHENTICATE PLAIN */
	bool xoauth2_only;     /* Microsoft */
	bool no_scram;	       /* see imap_session_is_scram_useless */
	bool only_scram;       /* the password is never sent */
	/* ENABLE (RFC 5161) QRESYNC, else CONDSTORE (RFC 7162), where the
	 * server offers it, so that it tells mod-sequences and the UIDs of what
	 * vanished. A tagged OK counts, with or without ENABLED; a refusal is
	 * no failure. False: neither is ever used. */
	bool enable_condstore;
};

enum imap_event_kind {
	IMAP_EVENT_STARTTLS, /* start TLS, then imap_session_tls_started */
	IMAP_EVENT_SECRET,   /* call imap_session_secret */
	IMAP_EVENT_READY,    /* logged in, capabilities known */
	IMAP_EVENT_UNTAGGED, /* response: any untagged response after READY */
	IMAP_EVENT_DONE,     /* command `id` ended with status, code, text */
	IMAP_EVENT_IDLING,   /* the server accepted IDLE */
	IMAP_EVENT_ALERT,    /* text the server wants shown (after TLS only) */
	IMAP_EVENT_CLOSED,   /* after imap_session_logout: all is said */
	IMAP_EVENT_FAILED,   /* error says what to do; the session is dead */
};

struct imap_event {
	enum imap_event_kind kind;
	unsigned id;
	/* UNTAGGED, DONE: borrowed until the next call on the session. */
	struct imap_response response;
	struct span text; /* ALERT: sanitised; borrowed as a response is */
	/* FAILED: the session's, until it is freed. Else NULL. */
	const struct error *error;
	/* FAILED because the server refused the login or said BYE: what it
	 * meant; else of kind NONE. */
	struct imap_refusal refusal;
	bool is_bye;
};

struct imap_session;

extern const struct engine_class imap_session_class;

/* Copies what it needs of `config`. */
struct imap_session *imap_session_new(
    const struct imap_session_config *config, usec_t now);
void imap_session_free(struct imap_session **session);

void imap_session_feed(
    struct imap_session *session, struct span bytes, usec_t now);
void imap_session_eof(struct imap_session *session, usec_t now);
struct span imap_session_output(const struct imap_session *session);
void imap_session_sent(struct imap_session *session, size_t len);
usec_t imap_session_deadline(const struct imap_session *session);
void imap_session_tick(struct imap_session *session, usec_t now);
/*
 * Pulls the next event; false when there is none. Responses are lexed one by
 * one as they are pulled, so an untagged response is borrowed, never copied.
 */
bool imap_session_next_event(
    struct imap_session *session, struct imap_event *event_r, usec_t now);

void imap_session_tls_started(struct imap_session *session, usec_t now);
/*
 * Borrowed for the call; the session's copy is wiped when the login ends. An
 * empty one, one with a NUL, and a token with blanks or controls is never
 * sent: FAULT_AUTH. Only after the SECRET event.
 */
void imap_session_secret(
    struct imap_session *session, struct span secret, usec_t now);

/*
 * Before imap_session_secret, for SCRAM: what is good for this login only.
 * Copied. Without it, or with what sasl_scram_new does not take, there is no
 * SCRAM. A dead session accepts and ignores it.
 */
void imap_session_once(
    struct imap_session *session, const struct sasl_once *once);
/* SCRAM was refused, and another way with the same password was not: the next
 * session should do without (no_scram), as servers count refusals. */
bool imap_session_is_scram_useless(const struct imap_session *session);

/* The rest is for READY sessions (a dead one accepts and ignores it). */
uint64_t imap_session_capabilities(const struct imap_session *session);
/* IMAP_CAP_CONDSTORE and IMAP_CAP_QRESYNC, where they may be used: CONDSTORE
 * as soon as it is offered (its commands switch it on, RFC 7162 section 3.1),
 * QRESYNC when ENABLE was answered with OK. */
uint64_t imap_session_enabled(const struct imap_session *session);
/* Raises the literal limit, for a fetch of whole messages. */
void imap_session_set_literal_max(struct imap_session *session, size_t max);
/* As imap_command_init, and tells the command what literals the server takes:
 * the way to begin a command for imap_session_send. */
void imap_session_command(const struct imap_session *session,
    struct imap_command *command, const char *name);
/*
 * Sends the command (taken: done by the session) and returns the id that its
 * DONE event will bear, never 0. Returns 0, with the command done, when it is
 * invalid or the queue is full. While IDLE is open, until DONE was said:
 * assert.
 */
unsigned imap_session_send(
    struct imap_session *session, struct imap_command *command, usec_t now);
/* IDLE (RFC 2177). Only when no command is in flight. DONE bears the id.
 * No deadline while idling: the owner renews. */
unsigned imap_session_idle(struct imap_session *session, usec_t now);
/* Says DONE once; harmless when not idling, or when said already. Before the
 * server's "+" it is remembered and said then. */
void imap_session_idle_done(struct imap_session *session, usec_t now);
/* DONE is said, and not answered yet: commands may follow it. */
bool imap_session_is_idle_done(const struct imap_session *session);
/* LOGOUT, behind what is in flight (DONE first, where IDLE is open), and then
 * CLOSED: at the answer, at the end of the stream, or after
 * IMAP_LOGOUT_USEC. Before READY: CLOSED at once. */
void imap_session_logout(struct imap_session *session, usec_t now);
/* Responses that were dropped since the login because they were too large or
 * malformed (imap/response): messages may not have been told of. */
unsigned imap_session_dropped(const struct imap_session *session);
/*
 * The connection is doubted (the machine slept, the network changed): what is
 * waited for, or else the next thing that is asked, must bring a byte within
 * IMAP_PROOF_USEC. Any byte ends the doubt. Does not say DONE.
 */
void imap_session_doubt(struct imap_session *session, usec_t now);
/* When the last byte came in: the proof of life. */
usec_t imap_session_heard(const struct imap_session *session);

#endif
