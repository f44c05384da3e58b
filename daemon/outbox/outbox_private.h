/*
 * outbox, inside: the state, and what its files share.
 *
 *   outbox.c          events, states, time, answers, life
 *   outbox_round.c    what comes next: trouble, rest, or an item to send
 *   outbox_session.c  what the SMTP session says
 *   outbox_next.c     what goes behind the item in hand
 *   outbox_behind.c   what came before it, and is written while it is sent
 *   outbox_claim.c    whose the item in hand is to send
 *   outbox_outcome.c  what became of the item in hand
 *   outbox_secret.c   the secret, and that a refused one is not said again
 *   outbox_seek.c     is it in \Sent?
 */
#ifndef BELFRY_OUTBOX_PRIVATE_H
#define BELFRY_OUTBOX_PRIVATE_H

#include "daemon/base/digest.h"
#include "daemon/base/list.h"
#include "daemon/outbox/bans.h"
#include "daemon/outbox/outbox.h"
#include "daemon/wire/backoff.h"

#define REPLY_MAX 800 /* code, text and advice of an event, and the mark */

enum state {
	STATE_STOPPED,
	STATE_IDLE,	  /* nothing is due */
	STATE_BACKOFF,	  /* the account is in trouble */
	STATE_LOADING,	  /* is anything due? */
	STATE_CONNECTING, /* until outbox_connected */
	STATE_LOGIN,	  /* until the session is ready */
	STATE_FETCHING,	  /* the session is ready: for which item? */
	STATE_CLAIMING,	  /* whose is it to send? */
	STATE_SENDING,	  /* the session has the message */
	STATE_RENEWING,	  /* before the dot: is it still ours? */
	STATE_JOURNAL,	  /* "the dot may be said" is being written */
	STATE_DOT,	  /* the dot was said */
	STATE_SETTLING,	  /* the outcome is being written */
	STATE_CLOSING,	  /* QUIT was said */
	STATE_SEEKING,	  /* somebody looks for the item in \Sent */
	STATE_UNSEEN,	  /* until the next look */
	STATE_COUNT
};

/* Of an item whose turn has not come: what the store was told. */
enum mark {
	MARK_NONE,
	MARK_WRITING, /* "being sent" is being written */
	MARK_DONE,    /* it is SENDING in the store */
	MARK_BACK,    /* it is being made WAITING again */
};

/* An item, without its bytes. */
struct item {
	int64_t id; /* 0: none */
	char *key, *target, *mode, *unknown, *message_id;
	int64_t queued_unix;
	unsigned attempts;
	unsigned unknown_count;
	bool is_target_refused; /* by RCPT */
	bool is_claimed;
	enum mark mark;		     /* DONE: its dot may be said */
	struct outbox_source source; /* its strings owned, as the others */
};

/* What is to be written about it. */
struct outcome {
	enum queue_state state;
	unsigned attempts;
	int64_t next_try_unix;
	char reply[REPLY_MAX];
};

/* To be sent behind the item in hand. */
struct follower {
	struct list_link link;
	struct item item;
	struct buf text; /* composed; empty when the session has it */
	struct canonical_facts facts;
};

/* Was accepted; its outcome is to be written, or is being written. */
struct settled {
	struct list_link link;
	struct item item;
	struct outcome outcome;
	bool is_writing;
};

struct outbox {
	const struct outbox_config *config;
	struct random random;
	struct backoff backoff;

	enum state state;
	usec_t deadline;
	bool stopping;
	bool kicked; /* something was queued while it was busy */

	int64_t clock_unix;
	usec_t clock_at;

	struct smtp_session *session; /* NULL: not connected */
	struct error
	    transport; /* its own words, for the failure that follows */
	bool no_scram; /* the server took the password in another way only */
	bool token_renewed; /* the second login with a fresh token */
	/* The secret that was given last, as a digest; and that no login is
	 * made with it any more, but once where it was good before. */
	unsigned char secret[DIGEST_SIZE];
	bool has_secret, is_locked, was_good, is_forgiven;
	unsigned pauses; /* quotas in a row */
	usec_t wait;	 /* before the next round; 0: none */
	char trouble[ERROR_TEXT_SIZE];
	enum fault trouble_fault;
	usec_t next_hint; /* the next one counts from then on */

	struct bans bans;
	struct item item;
	/* What follows it, in this order: struct follower::link. */
	struct list_link ahead;
	unsigned ahead_count;
	bool has_next;	 /* the session has the first of them */
	bool wants_next; /* one more was asked for */
	struct outcome outcome;
	/* What came before it: struct settled::link. Their outcomes, and that
	 * the next may be sent, are written while `item` is sent; its own end
	 * waits for that, unless it is accepted, too. */
	struct list_link behind;
	unsigned behind_count;
	usec_t behind_since; /* the first of them that is not being written */
	bool writes_behind;
	usec_t write_after;	/* not before */
	struct smtp_event held; /* what the session said meanwhile */
	bool has_held;
	/* SEEKING, UNSEEN: */
	usec_t seek_since;
	unsigned seek_looks;
	usec_t seek_wait;	    /* before the next try to look */
	char seek_reply[REPLY_MAX]; /* why the outcome is unknown */
	int64_t ours;	  /* the item that was claimed last; 0: none */
	usec_t ours_till; /* its dot may be said */
	bool is_lost;	  /* the session died while the journal was written */
	struct smtp_event lost;

	struct outbox_event *events; /* owned, a queue */
	size_t event_first, event_count, event_cap;
};

/* outbox.c */
struct outbox_event *outbox_add_event(
    struct outbox *o, enum outbox_event_kind kind);
/* NULL: there are too many events, and it is not told. */
struct outbox_event *outbox_report(struct outbox *o,
    enum outbox_report_kind kind, const char *text, enum fault fault,
    usec_t retry_in);
void outbox_enter(struct outbox *o, enum state next, usec_t now);
void outbox_rest_until(
    struct outbox *o, enum state next, usec_t deadline, usec_t now);
void outbox_load(struct outbox *o, enum state next, usec_t now);
void outbox_take_item(struct outbox *o, const struct store_queue_item *item);
void outbox_drop_item(struct outbox *o);
void outbox_copy_item(struct item *item_r, const struct store_queue_item *item);
void outbox_free_item(struct item *item);
void outbox_drop_session(struct outbox *o);
int64_t outbox_unix_at(const struct outbox *o, usec_t when);
int64_t outbox_unix_after(const struct outbox *o, usec_t now, usec_t wait);

/* What the store remembers as the reply. */
void outbox_format_reply(
    const struct item *item, struct buf *out, struct span text);

/* outbox_claim.c */
/* It must be asked whose it is to send, now. */
bool outbox_must_ask(
    const struct outbox *o, const struct store_queue_item *item, usec_t now);
/* Asks; the answer begins the item's round again, or settles it. */
void outbox_ask(
    struct outbox *o, const struct store_queue_item *item, usec_t now);
/* Whether the dot of the item in hand may be said as far as claims go. */
bool outbox_is_ours(const struct outbox *o, usec_t now);
/* The session waits with the dot meanwhile. */
void outbox_ask_again(struct outbox *o, usec_t now);
/* No answer came. */
void outbox_late_claim(struct outbox *o, usec_t now);
/* The outcome of the item in hand is in the store. */
void outbox_tell_settled(struct outbox *o);

/* outbox_next.c */
/* Looks for what could go behind the item in hand. */
void outbox_want_next(struct outbox *o);
/* The answer. */
void outbox_take_next(
    struct outbox *o, const struct store_queue_item *item, usec_t now);
/* Whether what follows may be sent as soon as the item in hand is accepted. */
bool outbox_may_go_on(const struct outbox *o);
/* What the session has next is the item in hand now. False: it has none. */
bool outbox_promote_next(struct outbox *o, usec_t now);
/* The first of what follows goes to the session. */
void outbox_advance(struct outbox *o);
/* The session is gone: what follows is forgotten, but for what the store has
 * to hear of. */
void outbox_forget_ahead(struct outbox *o);
/* Forgets the rest, too: it stays in the store as it is. */
void outbox_drop_ahead(struct outbox *o);
bool outbox_has_ahead(const struct outbox *o, int64_t id);
/* The first whose mark is in the store, or may be; NULL: none. */
struct follower *outbox_find_marked(const struct outbox *o);
/* Takes it out of the list, and the item out of it. */
void outbox_take_follower(
    struct outbox *o, struct follower *follower, struct item *item_r);
/* Whether it is time to mark more of them. */
bool outbox_wants_marks(const struct outbox *o);
/* That they may be sent, or, when the session is gone, that they wait. */
void outbox_mark_ahead(struct outbox *o, struct store_batch *batch, usec_t now);
/* That was written, or not. */
void outbox_note_marks(struct outbox *o, bool ok);

/* outbox_behind.c */
/* The item in hand was accepted, and what follows may be sent at once: its
 * outcome is written meanwhile. False: not so. */
bool outbox_trail(struct outbox *o, usec_t now);
bool outbox_has_behind(const struct outbox *o, int64_t id);
void outbox_drop_behind(struct outbox *o);
/* When that has to be written; USEC_NEVER: there is nothing to write, or it
 * is being written. */
usec_t outbox_write_at(const struct outbox *o);
/* Writes it if it is time. */
void outbox_write_behind(struct outbox *o, usec_t now);
void outbox_behind_committed(
    struct outbox *o, bool ok, const struct error *error, usec_t now);
/* Whether something is written, or has to be, before the item in hand may
 * come to its end. */
bool outbox_is_behind(const struct outbox *o);
/* Whether what the session says has to wait for that. */
bool outbox_must_hold(const struct outbox *o, const struct smtp_event *event);

/* outbox_secret.c */
/* A login was refused with that answer. */
void outbox_note_refusal(struct outbox *o, const struct smtp_event *event);

/* outbox_round.c */
usec_t outbox_wait_for(struct outbox *o, enum fault fault);
void outbox_note_trouble(
    struct outbox *o, enum fault fault, const char *text, usec_t wait);
void outbox_fail_round(struct outbox *o, const struct error *error, usec_t now);
usec_t outbox_due_in(
    const struct outbox *o, const struct store_queue_item *item, usec_t now);
/* What goes out. */
bool outbox_compose(const struct outbox *o, const struct store_queue_item *item,
    struct buf *text, struct error *error_r);
/* Its envelope, into `to`, and what borrows from that and from `text`. */
void outbox_address(const struct outbox *o, const struct item *item,
    const struct buf *text, struct strv *to, struct smtp_message *message_r);
/* The item was not sent, whatever the store says. */
void outbox_put_back(struct outbox *o, usec_t now);
void outbox_close_politely(struct outbox *o, usec_t now);
void outbox_next_round(struct outbox *o, usec_t now);
void outbox_recover(
    struct outbox *o, const struct store_queue_item *item, usec_t now);
void outbox_look_at(
    struct outbox *o, const struct store_queue_item *item, usec_t now);
void outbox_fetch(
    struct outbox *o, const struct store_queue_item *item, usec_t now);

/* outbox_session.c */
/* SENDING goes to the store: then the dot. */
void outbox_commit_sending(struct outbox *o, usec_t now);
void outbox_pump(struct outbox *o, usec_t now);
void outbox_lose_item(
    struct outbox *o, const struct smtp_event *event, usec_t now);

/* outbox_outcome.c */
void outbox_conclude(struct outbox *o, enum smtp_class class,
    const struct smtp_event *event, const char *reply, usec_t now);
void outbox_refuse(struct outbox *o, const struct smtp_event *event,
    const char *reply, usec_t now);
/* Without a try: see outbox/bans.h. */
void outbox_refuse_untried(struct outbox *o, const char *reason, usec_t now);
/* Nobody can tell any more what became of it: as its rule says. */
void outbox_settle_unknown(struct outbox *o, const char *reply, usec_t now);
void outbox_settle(struct outbox *o, enum queue_state state, unsigned attempts,
    usec_t wait, const char *reply, usec_t now);
void outbox_commit_outcome(struct outbox *o, usec_t now);
/* Another machine sent it; or it may have: the person is asked, unless the
 * rule gives up then. */
void outbox_give_up_claimed(struct outbox *o, usec_t now);
void outbox_hold_unsure(struct outbox *o, usec_t now);

/* outbox_seek.c */
/* Looks for the item in hand in \Sent. */
void outbox_seek_begin(struct outbox *o, const char *reply, usec_t now);
void outbox_seek_again(struct outbox *o, usec_t now);
/* The owner did not answer. */
void outbox_seek_late(struct outbox *o, usec_t now);

#endif
