/*
 * outbox: the forward queue of one account, an engine over the SMTP session.
 *
 * It takes the items that are due out of the store, one after the other over
 * one connection, and sees each to its end: SENT, FAILED (a dead letter),
 * HELD, DROPPED, or WAITING for the next try. When nothing is due it hangs
 * up politely and sleeps until something is.
 *
 * Everything it needs of the world is an event that the owner answers:
 *
 *   LOAD         store_queue_next_but of the account, then outbox_item or
 *                outbox_load_failed
 *   CONNECT      outbox_connected (with TLS up, where the configuration says
 *                TLS from the first byte), or outbox_connect_failed
 *   STARTTLS     outbox_tls_started, or outbox_connect_failed
 *   SECRET       outbox_secret, or outbox_secret_failed
 *   CLAIM        is the message still this machine's to send? outbox_claimed
 *   COMMIT       make the batch durable, then outbox_committed
 *   SEEK         look for a message that was sent, then outbox_sought
 *   SETTLED      what became of a claimed item is in the store
 *   DISCONNECT   close the transport; its bytes and end do not matter now
 *   REPORT       a sentence for log and watch
 *
 * The laws of the queue:
 *
 *  1. An item is SENDING in the store before the final dot is said. A commit
 *     that fails before the dot is no reason to say it; one that fails after
 *     it is repeated until it succeeds. Where the server has PIPELINING the
 *     next item's envelope goes together with the dot, and SENDING of those
 *     that follow is written before their turn comes, if after a crash they
 *     would be sent again anyway (`unknown = resend`); what does not come to
 *     its turn, as the link breaks, is WAITING again. Outcomes are written
 *     while the next are sent, several at once, so that the server's disk and
 *     this one work at the same time, and this one seldom; what else became of
 *     an item is looked at when that is done. So a crash leaves
 *     OUTBOX_SENDING_MAX items at most whose dot was said and whose end nobody
 *     knows: those of the last OUTBOX_GROUP_USEC, and of the write under way.
 *  2. A link that breaks before the dot: WAITING, the message is not there. A
 *     link that breaks after it, or an item found SENDING: nobody can tell;
 *     the item's `unknown` decides: "resend" (the same bytes under the same
 *     Message-ID, RETRY_UNKNOWN_MAX times, then held), "hold", "drop". But
 *     where the service files what it took in \Sent (`files_sent`), it is
 *     looked for there before: outbox_seek.c. Until that is known the item
 *     stays SENDING, and no other is sent.
 *  3. Trouble of the account (network, login, quota) costs no item a try. The
 *     account waits, by cause: wire/backoff.h; outbox/retry.h for quotas.
 *     Credentials that were refused are not tried again before
 *     outbox_reload, but once where they were good before: the secret is
 *     asked for once an hour, and another one tried. An OAuth2 token is tried
 *     once more at once, with a fresh one.
 *     A server that takes no mail from others' addresses gets no further
 *     redirect, an address refused again and again nothing more, until
 *     outbox_reload: outbox/bans.h.
 *     An item that was claimed (STORE_CLAIMED) is sent only by who has the
 *     claim: that is asked before it is sent, and again before the dot, when
 *     the answer is too old by then. Meanwhile another machine may have sent
 *     it (DROPPED), or be about to (it waits).
 *  4. A refused item is FAILED; a deferred one is tried again by the ladder
 *     of outbox/retry.h and FAILED when that is over.
 *
 * Memory: no item's original is kept; it is composed from the borrowed bytes
 * while the connection is ready, into one buffer that the session copies; and
 * OUTBOX_AHEAD_MAX bytes at most of those that follow.
 */
#ifndef BELFRY_OUTBOX_OUTBOX_H
#define BELFRY_OUTBOX_OUTBOX_H

#include "daemon/outbox/retry.h"
#include "daemon/store/store.h"
#include "daemon/wire/smtp/session.h"

/* How long the owner may take for CONNECT. */
#define OUTBOX_CONNECT_USEC (120 * USEC_SEC)
/* Between two tries to commit an outcome. */
#define OUTBOX_STORE_USEC (5 * USEC_SEC)
/* Events never pulled: more reports are dropped, needs never are. */
#define OUTBOX_EVENTS_MAX 64

/* Hints in a row count once in this time. */
#define OUTBOX_HINT_USEC (20 * USEC_SEC)

/* The copy in \Sent may be late: what is not there so long after the first
 * look was not taken. */
#define OUTBOX_SENT_USEC (2 * USEC_MINUTE)
/* Where nobody can look, as when the daemon has just begun: tried again so
 * soon, then after twice as long, up to a minute, and given up after. */
#define OUTBOX_BLIND_WAIT_USEC (2 * USEC_SEC)
#define OUTBOX_BLIND_WAIT_MAX_USEC USEC_MINUTE
#define OUTBOX_BLIND_USEC (15 * USEC_MINUTE)
/* How long the owner may take for one look. */
#define OUTBOX_SEEK_USEC (2 * USEC_MINUTE)

/* How long the owner may take for CLAIM; the item waits after that. */
#define OUTBOX_CLAIM_USEC USEC_MINUTE

/* Items of an account that are SENDING in the store at the same time, at
 * most. Where each would have to be looked for in Sent after a crash: two. */
#define OUTBOX_SENDING_MAX 8
/* Outcomes are written together: so many, or when the first of them has waited
 * so long, which most servers need for one message. */
#define OUTBOX_GROUP 4
#define OUTBOX_GROUP_USEC (5 * USEC_MSEC)
/* What is made ready to follow the item in hand, and its bytes. */
#define OUTBOX_AHEAD_COUNT (OUTBOX_SENDING_MAX - 1 + OUTBOX_GROUP)
#define OUTBOX_AHEAD_MAX (1024 * 1024)

struct outbox_config {
	const char *account; /* its section's name */
	const char *from;    /* own address: From and envelope sender */
	bool files_sent;     /* the service puts what it took into \Sent */
	struct smtp_session_config smtp;
	uint64_t seed; /* of the jitter */
};

enum outbox_event_kind {
	OUTBOX_LOAD,
	OUTBOX_CONNECT,
	OUTBOX_DISCONNECT,
	OUTBOX_STARTTLS,
	OUTBOX_SECRET,
	OUTBOX_CLAIM,
	OUTBOX_COMMIT,
	OUTBOX_SEEK,
	OUTBOX_SETTLED,
	OUTBOX_REPORT,
};

/* Whose it is to send. */
enum outbox_claim {
	OUTBOX_OURS,   /* until the time given the dot may be said */
	OUTBOX_OTHERS, /* or not to be seen: look again after the time given */
	OUTBOX_DONE,   /* another machine sent it */
	OUTBOX_UNSURE, /* another machine may have sent it */
};

/* The message that a claimed item is made of. */
struct outbox_source {
	char *mailbox, *rule; /* owned */
	uint32_t uidvalidity, uid;
	unsigned seq;
	int64_t queued_unix;
};

enum outbox_report_kind {
	OUTBOX_SENT,
	OUTBOX_DEFERRED, /* retry_in: until this item's next try */
	OUTBOX_FAILED,	 /* a dead letter: tell the person */
	OUTBOX_HELD,	 /* outcome unknown, the person must decide */
	OUTBOX_DROPPED,	 /* outcome unknown, and the rule says so */
	OUTBOX_SOUGHT,	 /* outcome unknown: it is looked for in \Sent */
	OUTBOX_TROUBLE,	 /* of the account; retry_in: until the next try */
	OUTBOX_REPORT_KINDS
};
const char *outbox_report_name(enum outbox_report_kind kind);

struct outbox_event {
	enum outbox_event_kind kind;
	struct store_batch *batch;   /* COMMIT; owned */
	struct store_but but;	     /* LOAD: not these items */
	char *message_id;	     /* SEEK; owned, with brackets */
	struct outbox_source source; /* CLAIM, SETTLED; with id and target */
	bool resends;		     /* CLAIM: `unknown` is "resend" */
	/* SETTLED; WAITING: to be tried again */
	enum queue_state state;
	bool may_be_sent; /* ... though it may have arrived */
	int64_t id;	  /* of the item; 0: none */
	/* REPORT: */
	enum outbox_report_kind report;
	char *target;	  /* owned; "" when there is no item */
	char *text;	  /* owned; sanitised */
	enum fault fault; /* TROUBLE */
	usec_t retry_in;  /* USEC_NEVER: none planned */
	/* FAILED without a try, for the cause of one before: the person knows
	 */
	bool is_known;
};
/* Frees what the event owns. */
void outbox_event_done(struct outbox_event *event);

/* What was seen in \Sent. */
enum outbox_sight {
	OUTBOX_SEEN,	/* it is there */
	OUTBOX_UNSEEN,	/* it is not there now */
	OUTBOX_BLIND,	/* nobody could look now */
	OUTBOX_NOWHERE, /* and nobody will: there is no \Sent */
};

struct outbox;

extern const struct engine_class outbox_class;

/* `config` and what it points to are borrowed until outbox_free. Rests until
 * outbox_start. */
struct outbox *outbox_new(const struct outbox_config *config, usec_t now);
/* An item whose dot was said stays SENDING in the store. */
void outbox_free(struct outbox **outbox);

/* The engine's calls: wire/engine.h. */
void outbox_feed(struct outbox *o, struct span bytes, usec_t now);
void outbox_eof(struct outbox *o, usec_t now);
struct span outbox_output(const struct outbox *o);
void outbox_sent(struct outbox *o, size_t len);
usec_t outbox_deadline(const struct outbox *o);
void outbox_tick(struct outbox *o, usec_t now);
/* Events are the caller's: outbox_event_done. */
bool outbox_next_event(struct outbox *o, struct outbox_event *event_r);

/* The wall clock; before outbox_start, and whenever it may have changed. */
void outbox_set_clock(struct outbox *o, int64_t now_unix, usec_t now);
void outbox_start(struct outbox *o, usec_t now);
/* Takes nothing new. An item whose dot was said is still seen to its end;
 * outbox_is_resting says when that is done. */
void outbox_stop(struct outbox *o, usec_t now);
bool outbox_is_resting(const struct outbox *o);
/* A new item was queued. Does not cut a wait for trouble short. */
void outbox_kick(struct outbox *o, usec_t now);
/* The network changed: ends a wait that it was the cause of. */
void outbox_hint(struct outbox *o, usec_t now);
/* The configuration or a secret may have changed: ends every wait. */
void outbox_reload(struct outbox *o, usec_t now);

/* Answers; any that nothing asked for is ignored. `item`, with the original's
 * bytes, is borrowed for the call; NULL: there is none. */
void outbox_item(
    struct outbox *o, const struct store_queue_item *item, usec_t now);
void outbox_load_failed(
    struct outbox *o, const struct error *error, usec_t now);
void outbox_connected(struct outbox *o, usec_t now);
/* Also while connected: the transport's own words, instead of outbox_eof. */
void outbox_connect_failed(
    struct outbox *o, const struct error *error, usec_t now);
void outbox_tls_started(struct outbox *o, usec_t now);
/* As smtp_session_once: before outbox_secret. */
void outbox_once(struct outbox *o, const struct sasl_once *once);
void outbox_secret(struct outbox *o, struct span secret, usec_t now);
void outbox_secret_failed(
    struct outbox *o, const struct error *error, usec_t now);
void outbox_committed(
    struct outbox *o, bool ok, const struct error *error, usec_t now);

/* The answer to SEEK; `words`: why it could not be looked for, else ignored. */
void outbox_sought(struct outbox *o, const char *message_id,
    enum outbox_sight sight, const char *words, usec_t now);

/* The answer to CLAIM. `time`: see enum outbox_claim; OURS: by this clock,
 * USEC_NEVER: for good. */
void outbox_claimed(struct outbox *o, int64_t id, enum outbox_claim claim,
    usec_t time, usec_t now);

/* Whether it works on this item, whose state in the store may be about to
 * change. */
bool outbox_has_in_hand(const struct outbox *o, int64_t id);

/* The secret was refused: no login is made before there is another one, or
 * outbox_reload. */
bool outbox_wants_secret(const struct outbox *o);
/* ... and this is the one that was refused. */
bool outbox_has_refused(const struct outbox *o, struct span secret);

/* For `status`: "idle", "backoff", "dot", ...; a constant. */
const char *outbox_state_name(const struct outbox *o);
/* When an idle or waiting outbox wakes; USEC_NEVER in any other state. */
usec_t outbox_next_try(const struct outbox *o);
/* The account's last trouble, "" after a success. Borrowed until the next
 * call. */
const char *outbox_trouble(const struct outbox *o);

#endif
