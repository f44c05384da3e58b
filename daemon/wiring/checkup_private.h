/*
 * wiring/checkup_private: the parts of a checkup. Each part makes its findings
 * in their order; the loop runs while one of them waits for an answer.
 */
#ifndef BELFRY_WIRING_CHECKUP_PRIVATE_H
#define BELFRY_WIRING_CHECKUP_PRIVATE_H

#include "daemon/base/secret.h"
#include "daemon/loop/channel.h"
#include "daemon/loop/connect.h"
#include "daemon/loop/dns.h"
#include "daemon/loop/loop.h"
#include "daemon/wiring/checkup.h"

#define CHECKUP_TEXT_MAX 300 /* characters of a server's words */

struct checkup {
	const struct checkup_config *config;
	const struct config_account *account;
	struct doctor_report *report;
	size_t told; /* findings given to config->found */
	struct loop *loop;
	struct loop_timer *timer;
	struct secret secret;
	bool has_secret, is_refused; /* by the first server */
	/* The time as a server told it, or at least this; and which. */
	int64_t server_unix, local_unix;
	bool is_at_least;
	char *clock_source; /* owned */
};

/* ---- checkup.c ---- */

/* Runs the loop until *done, or the patience is over: false. */
bool checkup_wait(struct checkup *checkup, const bool *done);
/* As checkup_wait, and ends the waiting from a callback. */
void checkup_wake(struct checkup *checkup);
usec_t checkup_patience(const struct checkup *checkup);
/* Facts of the account, and of one of its servers. */
struct doctor_facts checkup_facts(const struct checkup *checkup,
    enum doctor_place place, enum doctor_step step);
/* A finding is whole: it is given to the owner. */
void checkup_tell(struct checkup *checkup);
void checkup_good(struct checkup *checkup, enum doctor_place place,
    enum doctor_step step, const char *tried, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void checkup_skip(struct checkup *checkup, enum doctor_place place,
    enum doctor_step step, const char *why);
/* Judged by the facts; `tried` and `got` may be NULL. */
void checkup_bad(struct checkup *checkup, const struct doctor_facts *facts,
    const char *tried, const char *got);
/* Malloc'ed: who is to be let in, for "tried". */
char *checkup_user(const char *user);
/* Malloc'ed, fit to be shown. */
char *checkup_clean(struct span text);
/* Looks for a date in what a server says. */
void checkup_look_for_time(
    struct checkup *checkup, struct span line, const char *source);

/* ---- checkup_here.c ---- */

void checkup_configuration(struct checkup *checkup);
void checkup_secret(struct checkup *checkup);
void checkup_notifications(struct checkup *checkup);
void checkup_clock(struct checkup *checkup);

/* ---- checkup_token.c ---- */

/* The step of the secret, where it is a token that is renewed here. */
bool checkup_token(struct checkup *checkup);

/* ---- checkup_link.c, checkup_talk.c ---- */

/* The way to one server: from its name to an encrypted connection, over which
 * an engine speaks. What is heard first is kept. */
struct checkup_link {
	struct checkup *checkup;
	enum doctor_place place;
	const struct config_server *server;
	struct tls *tls;
	struct resolve_result addresses;
	struct resolve_address address; /* the one that answered */
	bool is_private;		/* see doctor_facts */
	int fd;				/* -1: the channel has it, or none */
	struct channel *channel;
	/* The engine that the channel sees: it listens in between. */
	const struct engine_class *class;
	void *engine;
	struct buf heard; /* DOCTOR_VOICE_MAX bytes of the first, decrypted */
	struct buf offer; /* the same of what came since TLS began */
	struct span question;	 /* what is said without an engine */
	void (*pump)(void *ctx); /* pulls the engine's events */
	void *ctx;
	bool wants_tls, is_secure; /* TLS was asked for, and is there */
	bool told_secure;	   /* ... and the engine knows */
	bool is_quiet;		   /* what is well was told before */
	bool failed;		   /* the transport */
	bool over;		   /* the conversation, says the owner */
	bool moved;		   /* something happened since it was looked */
	struct error error;
};

struct doctor_facts checkup_link_facts(
    const struct checkup_link *link, enum doctor_step step);
bool checkup_link_is_loopback(const struct checkup_link *link);
/* Name and connection. False: told why not. */
bool checkup_link_open(struct checkup_link *link, struct checkup *checkup,
    enum doctor_place place, const struct config_server *server);
/* Connects once more, without a word. */
bool checkup_link_reopen(struct checkup_link *link);
/* `pump` is called after everything that the engine was told. */
void checkup_link_start(struct checkup_link *link,
    const struct engine_class *class, void *engine, void (*pump)(void *ctx),
    void *ctx);
void checkup_link_start_tls(struct checkup_link *link);
/* Runs the loop until *this or *that, the end of the conversation, or nothing
 * happened for as long as the patience. Whether it was *this. */
bool checkup_link_wait(
    struct checkup_link *link, const bool *this_one, const bool *that_one);
/* After a call on the engine from outside. */
void checkup_link_kick(struct checkup_link *link);
bool checkup_link_is_over(const struct checkup_link *link);
/* Hangs up; the engine may go. */
void checkup_link_stop(struct checkup_link *link);
void checkup_link_close(struct checkup_link *link);
/* The conversation ended before the login: at which step, and why. */
void checkup_link_blame(struct checkup_link *link, const struct error *error,
    enum imap_refusal_kind refusal);
/* What was heard first, one line of it; malloc'ed, fit to be shown. */
char *checkup_link_greeting(const struct checkup_link *link);
bool checkup_link_heard(const struct checkup_link *link, const char *word);

/* ---- checkup_imap.c, checkup_smtp.c ---- */

void checkup_imap(struct checkup *checkup);
void checkup_smtp(struct checkup *checkup);

#endif
