/*
 * sim/world, inside: what its parts share. world.c (a run), world_mail.c (what
 * comes), world_link.c (links), world_store.c (the store), world_daemon.c (the
 * daemon's needs, its life), world_apply.c (a run over old messages),
 * world_happen.c (faults), world_time.c (steps and what must be true after
 * each), world_tries.c (how often it is tried), world_check.c (what must be
 * true in the end), world_chaos.c (what happens in chaos only).
 */
#ifndef BELFRY_SIM_WORLD_PRIVATE_H
#define BELFRY_SIM_WORLD_PRIVATE_H

#include "daemon/account/account.h"
#include "daemon/base/random.h"
#include "tests/sim/model_imap.h"
#include "tests/sim/world.h"

#define MESSAGES_PUSHED 6
#define MESSAGES_UNHEARD 4
/* Of all messages so many are kept for the end: pushed, where links are
 * forgotten, late, after tries, above those. */
#define MESSAGES_LAST (2 * MESSAGES_PUSHED + MESSAGES_UNHEARD + 4)
/* Kinds that old messages can have: the first ones; their rules have ids and
 * words of their own, so that a run by these judges nothing else. */
#define OLD_KINDS (KIND_KEEP + 1)
#define OLD_MAILBOX "Old"
#define OTHERS_MAILBOX "Elsewhere" /* where other clients move to */
#define START_USEC (100 * USEC_SEC)

/* What a kind of message is met by, and what must be true of it at the end. */
enum kind {
	KIND_PLAIN,
	KIND_MOVE,
	KIND_COPY,
	KIND_MARK,
	KIND_EXEC,
	KIND_FORWARD,
	KIND_ALL,
	KIND_CREATE,
	KIND_MISSING,
	KIND_KEEP,
	KIND_BODY,
	KIND_ATTACHED,
	KIND_STRANGER,
	KINDS
};

struct world;

struct sent_message {
	enum kind kind;
	uint32_t uidvalidity, uid;
	unsigned stranger; /* which one wrote it */
	bool touched;	   /* another client removed it: anything may be true */
	bool flagged; /* ... set a flag: after a break no other may be set */
	bool seen;    /* ... or read it: nobody need ring */
	bool removed; /* ... or removed it, for good */
	bool dealt;   /* ... any of it, before it rang: nobody may */
	unsigned executed, notified;
	bool old;      /* there before first contact */
	bool left_out; /* ... and the run says that it was not given */
};

/* One direction of a link. */
struct pipe {
	struct buf bytes;
	usec_t next; /* when the next piece arrives; USEC_NEVER: nothing */
};

struct link {
	struct mailbox *mailbox;
	struct model_session *session; /* NULL: not connected */
	struct pipe up, down;
	usec_t connect_at; /* a CONNECT is under way */
	bool silent;	   /* half-open: nothing arrives any more */
	usec_t last_connect, free_until;
	usec_t stalled_until; /* nothing moves, and nothing is lost */
	usec_t moved;	      /* a piece arrived at either end */
	usec_t doubted;	      /* a hint came and it is silent; 0: not */
};

/* A command or notification that ends later. */
struct outside {
	struct list_link link;
	struct mailbox *mailbox;
	uint32_t uidvalidity, uid;
	unsigned seq;
	usec_t at;
	bool is_exec;
};

/* A batch on its way to a slow disk. */
struct writing {
	struct list_link link;
	struct mailbox *mailbox;
	const struct store_batch *batch;
	usec_t at;
};

struct happening {
	void (*happen)(struct world *);
	unsigned weight;
};

struct weather {
	const char *name;
	const struct happening *happenings; /* to one that has no weight */
	usec_t run;			    /* so long */
	usec_t pause;	   /* the longest without anything happening */
	unsigned messages; /* at most, with those of the end */
	unsigned steps;	   /* more: something spins */
	/* Of one account whenever it dies: what is to be done, a window of
	 * messages and what is remembered of others, whatever has come. */
	size_t account_bytes;
	bool has_nights;
	bool is_bulk;	  /* most messages are plain */
	bool is_chaos;	  /* the server attacks, and the daemon stays down */
	unsigned forgets; /* in so many of a hundred silent links are lost */
};

struct world {
	struct random random;
	const struct weather *weather;
	bool verbose, faulty;
	bool slow_disk; /* commits are answered later */
	bool asks;	/* whether other machines are there */
	usec_t joins;	/* one does, and never acts; USEC_NEVER: none */
	bool is_tried;	/* this seed's daemon is tried in the end */
	usec_t now;
	struct model model;
	struct store *store;
	struct rules *rules;
	struct limits *limits;
	struct senders *senders;
	struct claims *claims; /* NULL: nobody asks for others */
	struct strv watch, identities, authserv;
	struct account_config config;
	struct mailbox_other_login other; /* where LOGIN is the way */
	struct account *account;
	struct link links[ACCOUNT_MAILBOXES_MAX];
	struct list_link outsides;     /* struct outside::link */
	struct list_link writings;     /* struct writing::link */
	struct sent_message *messages; /* of the weather: so many */
	unsigned message_count;
	bool visits; /* the old messages are where nobody watches */
	bool requested;
	usec_t next_happening, quiet_until;
	usec_t next_night;
	/* What is between forgets links that are silent for so long, and TCP's
	 * questions do not count; 0: it does not. */
	usec_t memory;
	unsigned forgotten; /* so often */
	unsigned connects;  /* tries, so far */
	usec_t down_until;  /* the server is restarted */
	usec_t full_until;  /* the disk is full */
	bool is_down;	    /* the daemon is */
	bool in_contact;
	bool immortal;	 /* this seed's daemon is never killed */
	bool is_patient; /* this seed's calm is as long as can be */
	bool was_rebuilt, run_ended;
	bool left_alone;   /* too many were not known again */
	bool rebuilds;	   /* this seed's UIDVALIDITY changes now and then */
	int64_t clock_off; /* seconds that the wall clock is wrong */
	unsigned kill_in;  /* steps until the daemon dies; 0: it lives on */
	struct world_result *result;
};

/* world.c */
/* Lets the time pass. */
void world_rest(struct world *w, usec_t time);
void world_note(struct world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void world_fail(struct world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool world_chance(struct world *w, unsigned percent);
usec_t world_delay(struct world *w);

/* world_link.c */
struct link *world_link_of(struct world *w, struct mailbox *mailbox);
void world_drop_link(struct link *link);
void world_stall_link(struct link *link, usec_t until);
void world_collect(struct world *w, struct link *link);
void world_end_link(struct world *w, struct link *link);
void world_answer_connect(struct world *w, struct link *link);
usec_t world_next_of_link(const struct link *link);
void world_serve_link(struct world *w, struct link *link);
void world_check_proofs(struct world *w);

/* world_store.c */
void world_answer_load(struct world *w, struct mailbox *mailbox);
void world_answer_recall(struct world *w, struct mailbox *mailbox);
void world_begin_commit(
    struct world *w, struct mailbox *mailbox, const struct store_batch *batch);
bool world_is_writing(const struct world *w, const struct mailbox *mailbox);
void world_leave_writings(struct world *w);
void world_serve_writings(struct world *w);

/* world_apply.c */
const char *world_old_mailbox(const struct world *w);
bool world_is_unfinished(void *ctx, const struct store_apply *apply);
void world_resume_run(struct world *w);
void world_request_run(struct world *w);

/* world_daemon.c */
int64_t world_true_unix(const struct world *w);
/* As the daemon's clock says it. */
int64_t world_now_unix(const struct world *w);
void world_be_born(struct world *w);
void world_die(struct world *w);
void world_pump(struct world *w);
void world_serve_outside(struct world *w, struct outside *outside);

/* world_mail.c */
const char *world_kind_word(enum kind kind);
struct rules *world_make_rules(void);
/* The same in another order, and some that nothing is met by. */
struct rules *world_make_other_rules(void);
void world_add_old_rules(struct buf *rules);
const char *world_wire(const struct world *w, const char *name);
const char *world_source_of(const struct world *w, unsigned id);
void world_deliver_old(struct world *w);
void world_deliver_kind(struct world *w, enum kind kind);
void world_deliver(struct world *w);
void world_let_others_act(struct world *w);
void world_deliver_late(struct world *w, uint32_t uid);

/* world_happen.c */
const struct weather *world_weather_default(void);
void world_happen(struct world *w);
void world_say_bye(struct world *w);
/* Another machine does. */
void world_join(struct world *w);
void world_become_calm(struct world *w);
/* INBOX, where this seed does such things. */
void world_make_anew(struct world *w);

/* world_time.c */
void world_step(struct world *w);

/* world_tries.c */
void world_check_tries(struct world *w);

/* world_chaos.c */
void world_choose_attacks(struct world *w, uint64_t seed);
/* Between a death and a birth. */
void world_be_down(struct world *w);
/* What was said by another client's act: before it was shown. */
void world_deal(struct world *w, unsigned id);
void world_fill_disk(struct world *w);
void world_change_rules(struct world *w);
void world_lose_days(struct world *w);

/* world_check.c */
void world_check_all(struct world *w);
/* By the history. */
bool world_was_judged(struct world *w, unsigned id);

#endif
