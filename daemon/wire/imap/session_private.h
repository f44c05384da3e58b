/*
 * imap/session_private: what the files of the session share.
 *
 *   session.c          engine calls, the table of states, responses
 *   session_start.c    from the greeting to READY, but for the login
 *   session_login.c    AUTHENTICATE and LOGIN
 *   session_ready.c    the owner's commands, IDLE, LOGOUT
 *   session_command.c  commands on their way: tags, literals, output
 *   session_refusal.c  what a NO, BAD or BYE means
 */
#ifndef BELFRY_WIRE_IMAP_SESSION_PRIVATE_H
#define BELFRY_WIRE_IMAP_SESSION_PRIVATE_H

#include "daemon/wire/imap/session.h"

/* One response gives at most three events (ALERT, DONE, FAILED); a call of
 * the owner or of the clock one more, and then the session is dead. */
#define SESSION_EVENTS_MAX 6
/* Characters of server text that are shown in errors and alerts. */
#define SESSION_TEXT_MAX 200
#define SESSION_ALERT_MAX 1000
/* Status of an OAuth error challenge, cut to this. */
#define SESSION_OAUTH_STATUS_SIZE 32

enum session_state {
	STATE_GREETING,
	STATE_CAPABILITY,
	STATE_STARTTLS,
	STATE_TLS,    /* waiting for imap_session_tls_started */
	STATE_SECRET, /* waiting for imap_session_secret */
	STATE_AUTHENTICATE,
	STATE_LOGIN,
	STATE_POST_CAPABILITY,
	STATE_ID,
	STATE_ENABLE,
	STATE_READY,	 /* logged in, no command in flight */
	STATE_BUSY,	 /* commands in flight */
	STATE_IDLE_WAIT, /* IDLE said, no "+" yet */
	STATE_IDLING,
	STATE_IDLE_DONE, /* DONE said */
	STATE_LOGOUT,
	STATE_DEAD,
	STATE_COUNT
};

enum session_role {
	ROLE_SESSION, /* our own */
	ROLE_OWNER,   /* its end is a DONE event */
	ROLE_IDLE,    /* as OWNER, but waits for "+" and DONE */
};

/* A command on its way. Its tag is "b" and the id. */
struct session_command {
	unsigned id;
	enum session_role role;
	struct imap_command command; /* owned; empty when finished */
	size_t written; /* bytes of its text that are in the output */
	size_t next_cut;
	bool started;	     /* its tag is in the output */
	bool waits_plus;     /* a literal, or IDLE: until "+" */
	bool finished;	     /* all of it is in the output */
	uint64_t start, end; /* where it stands in all output ever */
};

struct session_login_way;

struct imap_session {
	struct imap_session_config config; /* its strings are owned */
	enum session_state state;	   /* assigned by session_enter only */
	usec_t deadline;
	usec_t patience; /* the deadline never lies behind it */
	size_t progress; /* bytes since it was set */
	bool doubted;	 /* until the next byte */
	usec_t heard;
	bool eof;

	struct imap_lexer *lexer; /* a new one after STARTTLS */
	size_t literal_max;
	unsigned skipped;  /* malformed responses at the last good one */
	unsigned untagged; /* since the last tagged response */

	struct buf out;	    /* may hold a secret: wiped, not just freed */
	size_t out_pos;	    /* what was sent of it */
	uint64_t out_total; /* bytes ever put into out */

	/* Both grow when they must; at rest there is one command and no
	 * event. */
	struct session_command *commands; /* owned */
	size_t command_count, command_cap;
	unsigned last_id;

	struct imap_event *events; /* owned */
	size_t event_count, event_cap;
	struct buf alert;     /* text of an ALERT event */
	struct error *failed; /* owned; of a FAILED event */

	bool tls;	     /* of STARTTLS */
	bool alert_greeting; /* "* OK [ALERT]": the true one may follow */
	bool preauth;	     /* and did */
	uint64_t capabilities;
	bool capabilities_known; /* for the present part of the session */
	uint64_t asked, enabled; /* of ENABLE: bits of what it was and is */

	const struct session_login_way *way;
	unsigned ways_tried;  /* bits, by index */
	struct secret secret; /* from imap_session_secret to the login's end */
	struct sasl_scram *scram; /* as long; NULL: there is no SCRAM */
	bool scram_refused;
	bool started; /* the initial response, or first answer, was said */
	unsigned challenges;
	unsigned steps;
	const char *cancelled; /* why "*" was said; NULL: it was not */
	char oauth_status[SESSION_OAUTH_STATUS_SIZE];

	bool done_wanted;
	bool done_said;
	unsigned logout_id;
	bool was_done_said; /* ever: a late BAD for it is no surprise */
};

/* session.c */
void session_enter(
    struct imap_session *session, enum session_state state, usec_t now);
/* The state's time begins anew, all of it. */
void session_progress(struct imap_session *session, usec_t now);
/* Appends a zeroed event. */
struct imap_event *session_push(
    struct imap_session *session, enum imap_event_kind kind);
void session_fail(struct imap_session *session, enum fault fault,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Ends the session without a fault: CLOSED. */
void session_close(struct imap_session *session);
/* Whether a secret may go out, and server text may be believed: inside TLS,
 * or on a plain connection that the person asked for. */
bool session_is_private(const struct imap_session *session);

/* session_command.c */
/* A command of the session's own; no arguments yet, see session_send. */
void session_command_init(const struct imap_session *session,
    struct imap_command *command, const char *name);
/* Takes the command and writes what can be written; returns its id. */
unsigned session_send(struct imap_session *session, enum session_role role,
    struct imap_command *command);
/* Writes what may be written by now. */
void session_flush(struct imap_session *session);
/* The server said "+": goes on with the command that waits. False: none. */
bool session_continue(struct imap_session *session);
/* The command that a tagged response ends; NULL (and the session failed) when
 * there is none, or it cannot have been answered yet. */
struct session_command *session_find(
    struct imap_session *session, const struct imap_response *response);
void session_remove(
    struct imap_session *session, struct session_command *command);
void session_remove_all(struct imap_session *session);
void session_write(struct imap_session *session, struct span bytes);

/* What a response means in a state: a handler each, by file. */
typedef void session_handler(struct imap_session *session,
    const struct imap_response *response, usec_t now);

/* session_start.c */
session_handler session_on_greeting;
session_handler session_on_capability;
session_handler session_on_starttls;
session_handler session_on_post_capability;
session_handler session_on_id;
session_handler session_on_enable;
/* Asks for the capabilities; the answer comes to session_on_capability. */
void session_ask_capability(struct imap_session *session, usec_t now);
/* Logged in: forgets the secret, and goes on to READY. */
void session_after_login(struct imap_session *session, usec_t now);

/* session_login.c */
session_handler session_on_secret;
session_handler session_on_authenticate;
session_handler session_on_login;
/* Begins the login, or asks for the secret first. */
void session_choose_way(struct imap_session *session, usec_t now);
/* Whether the login that was begun is bound to this connection. */
bool session_is_bound(const struct imap_session *session);
/* Whether server text repeats the secret, in clear or in base64. */
bool session_text_leaks(const struct imap_session *session, struct span text);

/* session_ready.c */
session_handler session_on_ready;
session_handler session_on_busy;
session_handler session_on_idle_wait;
session_handler session_on_idling;
session_handler session_on_idle_done;
session_handler session_on_logout;
void session_push_done(struct imap_session *session, unsigned id,
    const struct imap_response *response);

/* session_refusal.c */
/* Fails the session for a BYE. */
void session_fail_bye(
    struct imap_session *session, const struct imap_response *response);
/* Fails the session for the refusal of the login. */
void session_fail_login(
    struct imap_session *session, const struct imap_response *response);

#endif
