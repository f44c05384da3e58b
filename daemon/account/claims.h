/*
 * account/claims: what one account knows of the other machines that watch it,
 * shared by its mailboxes. No I/O; times are given.
 *
 * Whether there are others is told by a small mailbox, CLAIMS_MAILBOX: each
 * machine keeps one message in it, whose header says
 *
 *   X-Belfry-Node: NODE RENEWED JOINED
 *
 * in Unix seconds, RENEWED by its own clock; JOINED by the server's, or 0 in
 * the first one, whose INTERNALDATE it is.
 *
 * A machine that finds only its own message acts without claims, and believes
 * that for CLAIMS_ALONE_USEC; then, before it acts again, it looks once more
 * (one STATUS). A machine that comes new writes its message first, reads then,
 * and when it finds others, waits for CLAIMS_JOIN_SEC before it acts the first
 * time: until then each of the others has looked again, or has not acted. So
 * of two that begin at the same moment at least one sees the other, and waits.
 * What came before it acts, who was there before has done, perhaps without a
 * mark: a move can be seen to be done, but a copy, a forward or a command it
 * leaves to who joined first.
 *
 * Messages are renewed every week; one that is a month older than the own one
 * is of a machine that does not come back.
 */
#ifndef BELFRY_ACCOUNT_CLAIMS_H
#define BELFRY_ACCOUNT_CLAIMS_H

#include "daemon/account/claim.h"
#include "daemon/account/claim_log.h"
#include "daemon/base/error.h"
#include "daemon/base/span.h"

#define CLAIMS_MAILBOX "belfry-claims"
#define CLAIMS_HEADER "X-Belfry-Node"
#define CLAIMS_ALONE_USEC (2 * USEC_MINUTE)
#define CLAIMS_JOIN_SEC (5 * 60)
#define CLAIMS_RENEW_SEC (7 * 24 * 60 * 60)
#define CLAIMS_DEAD_SEC (30 * 24 * 60 * 60)
/* After a refusal of the mailbox: tried again. */
#define CLAIMS_REFUSED_USEC USEC_HOUR
/* ... and said again in the same words; in others after the above. */
#define CLAIMS_TOLD_USEC USEC_DAY
#define CLAIMS_LOOKS_MAX 3
#define CLAIMS_NODES_MAX                                                       \
	16		   /* others that are told apart; more: not counted    \
			    */
#define CLAIMS_NODE_MAX 32 /* bytes of a machine's name */

enum claim_mode {
	CLAIM_NO,      /* there is no other machine */
	CLAIM_AUTO,    /* find out, and claim where there is one */
	CLAIM_LEADER,  /* there are, and this one acts */
	CLAIM_STANDBY, /* there are, and this one does not */
	CLAIM_MODES
};

enum claims_answer {
	CLAIMS_FREE,	/* act without a claim */
	CLAIMS_SHARED,	/* claim first */
	CLAIMS_ASK,	/* look into CLAIMS_MAILBOX first */
	CLAIMS_JOINING, /* others are there, and may not know of us yet */
	CLAIMS_STANDS_BY,
};

/* What the server can do, proven on the own message. */
enum claims_ladder {
	LADDER_UNPROVEN,
	LADDER_MODSEQ,	/* mod-sequences and keywords */
	LADDER_KEYWORD, /* keywords */
	LADDER_LOG,	/* no keywords, but the order of what is appended */
	LADDER_FIRST,	/* nothing: who joined first acts, the others do not */
};

struct claims;

/* `node`: this machine, the same in all its lives; copied. */
struct claims *claims_new(enum claim_mode mode, const char *node);
void claims_free(struct claims **claims);
void claims_set_mode(struct claims *claims, enum claim_mode mode);
/* The keyword of this machine's claims in one mailbox: they differ, so that a
 * claim that a move has carried along is none there. */
void claims_keyword(
    const struct claims *claims, struct span mailbox, struct buf *keyword);
/* The mark of what a rule does once. */
void claims_mark(
    const char *rule, const char *kind, const char *target, struct buf *mark);

enum claims_answer claims_ask(
    const struct claims *claims, int64_t now_unix, usec_t now);
/* No other one joined before; who acted when it was alone did. */
bool claims_is_first(const struct claims *claims);
/* A message that was judged so early that an other one may have copied or
 * forwarded it, or run its command, without a mark. Our clock says when it was
 * judged, and may have been behind; the server's says when this machine joined,
 * and when the message came (INTERNALDATE; 0: not told). */
bool claims_is_others(
    const struct claims *claims, int64_t judged_unix, int64_t received_unix);
/* JOINING: how long. */
usec_t claims_join_wait(
    const struct claims *claims, int64_t now_unix, usec_t now);

/* A look begins, and ends. False: CLAIMS_LOOKS_MAX in a row never ended, as the
 * connection was lost each time, and no other machine is known: the mailbox is
 * not to be had (claims_refuse). */
bool claims_look_begin(struct claims *claims, usec_t now);
void claims_look_end(struct claims *claims);
/* One of the account's mailboxes at a time looks; false: another does. */
bool claims_lock(struct claims *claims, const void *owner);
void claims_unlock(struct claims *claims, const void *owner);

/* STATUS of the mailbox, sent at `now`. True: nothing changed since it was
 * read, and what is known is good again. */
bool claims_note_status(struct claims *claims, uint32_t uidvalidity,
    uint32_t uidnext, uint64_t messages, usec_t now);

/* Reading: begin, each message, end. */
void claims_read_begin(struct claims *claims, usec_t now);
void claims_read(struct claims *claims, uint32_t uid, int64_t received_unix,
    struct span value);
/* True: the own message is there and needs no renewal. */
bool claims_read_end(struct claims *claims, int64_t now_unix);
/* After reading: what STATUS would say now. */
void claims_read_as(struct claims *claims, uint32_t uidvalidity,
    uint32_t uidnext, uint64_t messages);
/* The own message, for APPEND. */
void claims_compose(
    const struct claims *claims, int64_t now_unix, struct buf *message);
uint32_t claims_own_uid(const struct claims *claims); /* 0: none */
size_t claims_others(const struct claims *claims);
/* Of machines that are gone for long, and older ones of ours. */
const struct imap_seqset *claims_stale(const struct claims *claims);

/* Where there are no keywords; of all the account's mailboxes. */
struct claim_log *claims_log(struct claims *claims);
/* Entries that are old: to claims_stale. */
void claims_add_stale(struct claims *claims);
enum claims_ladder claims_ladder(const struct claims *claims);
void claims_set_ladder(struct claims *claims, enum claims_ladder ladder);
/* The mailbox is not to be had: alone, as far as can be known; but with others
 * that were there before, nothing is done until it is. True: to be told, as it
 * was not for long. */
bool claims_refuse(struct claims *claims, struct span words, usec_t now);

/* In words, for `status`. */
void claims_describe(const struct claims *claims, int64_t now_unix, usec_t now,
    struct buf *words);

#endif
