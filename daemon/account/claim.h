/*
 * account/claim: which of several machines does what must be done once. One
 * engine for one mailbox; nothing in it knows of sockets, stores or clocks.
 *
 * Machines that watch the same mailbox agree by keywords on the messages:
 *
 *   belfry-c-NODE  this machine is about to act (the claim)
 *   belfry-t       a tick: set or removed by the owner, so that the
 *                  mod-sequence changes and others see that it lives
 *   belfry-s       a forward's final dot is about to be said
 *   belfry-f-RULE  it was done (the mark)
 *   belfry-u       a person took back what was done: nobody judges it anew
 *
 * A group of messages is claimed at once, in at most three round trips:
 *
 *   READ    FETCH (FLAGS MODSEQ). Gone, marked, another's claim, or free?
 *   STORE   UNCHANGEDSINCE m +FLAGS claim, with m the largest mod-sequence
 *           that was read: whatever changed since has a larger one (RFC 7162
 *           section 3.1). Where the server has no mod-sequences: without the
 *           condition.
 *   VERIFY  FETCH again: the own claim, no other, no mark; else WITHDRAW.
 *
 * WITHDRAW has the condition, too: a STORE that is left of a connection that is
 * gone, and comes late, must not take away what was claimed again since.
 *
 * Without mod-sequences nothing is verified at once, as a server may write the
 * keywords that a session knows over those of another (Courier does): the last
 * to store wins. So the claim is read again after CLAIM_SETTLE_USEC, when
 * everybody who read before it has also stored (L. Lamport, A Fast Mutual
 * Exclusion Algorithm, 1987, tells of M. Fischer's).
 *
 * The last reading is what counts. Each machine writes before it reads, so that
 * of two at least one sees the other; a server that lets two conditional
 * STOREs win (Dovecot, in a new mailbox) has no winner here instead of two,
 * and both come again after waits that differ.
 *
 * A claim is good for a lease from before the STORE was sent; its owner acts
 * within the first third of it, and renews it with a tick after that. Another
 * machine's claim that nobody has touched for a lease, by the clock of who
 * looks, is removed (only if still untouched). Without mod-sequences a claim
 * that was renewed looks like an old one: the lease is a day then.
 *
 * Calls: claim_begin; then, until claim_is_over, claim_command says what to
 * send, claim_on_message and claim_on_modified tell what came back, and
 * claim_on_done ends the command. Then claim_verdict of each message. When the
 * connection goes, claim_interrupt: what was held is read again before it is
 * believed.
 */
#ifndef BELFRY_ACCOUNT_CLAIM_H
#define BELFRY_ACCOUNT_CLAIM_H

#include "daemon/base/random.h"
#include "daemon/wire/imap/seqset.h"

/* How long a claim is believed that nobody renews. (Tests that must see its end
 * are built with a shorter one.) */
#ifndef CLAIM_LEASE_USEC
#define CLAIM_LEASE_USEC (45 * USEC_MINUTE)
#endif
/* The same where renewing cannot be seen. */
#define CLAIM_SLOW_LEASE_USEC USEC_DAY
/* Between storing and believing it, without mod-sequences: longer than it takes
 * anybody from reading to storing. */
#define CLAIM_SETTLE_USEC (5 * USEC_SEC)
/* ... who reads again when it could not store for so long. */
#define CLAIM_READING_USEC (3 * USEC_SEC)
/* Two wanted the same: the wait is random below this, doubled each time. */
#define CLAIM_CONTEST_USEC (50 * USEC_MSEC)
#define CLAIM_CONTEST_MAX_USEC (30 * USEC_SEC)
/* It is another's: looked at again after this, doubled each time. */
#define CLAIM_LOOK_USEC (200 * USEC_MSEC)
#define CLAIM_LOOK_MAX_USEC USEC_MINUTE
/* Keywords are shorter: servers take so much and no more. */
#define CLAIM_KEYWORD_MAX 50

/* All words that are put to a message begin so. */
#define CLAIM_WORD_PREFIX "belfry-"
#define CLAIM_PREFIX "belfry-c-"
#define CLAIM_MARK_PREFIX "belfry-f-"
#define CLAIM_TICK "belfry-t"
#define CLAIM_SENDING "belfry-s"
#define CLAIM_UNDONE "belfry-u"

enum claim_step {
	CLAIM_BY_MODSEQ,  /* keywords and mod-sequences */
	CLAIM_BY_KEYWORD, /* keywords only */
};

enum claim_verdict {
	CLAIM_UNKNOWN, /* not asked for, or forgotten */
	CLAIM_WON,     /* ours: act now */
	CLAIM_DONE,    /* marked: another machine did it */
	CLAIM_GONE,    /* not in the mailbox any more */
	CLAIM_WAIT,    /* another's, or contested: ask again later */
	CLAIM_UNSURE,  /* claim_hold_unsure: another may have sent it */
	/* claim_only_look: nobody marked it, and the claim on it is */
	CLAIM_LEFT,    /* ours, perhaps beside another's */
	CLAIM_FOREIGN, /* another's */
	CLAIM_MISSING, /* nobody's */
	CLAIM_VERDICTS
};
const char *claim_verdict_name(enum claim_verdict verdict);

struct claim_config {
	const char *keyword; /* CLAIM_PREFIX...; copied */
	enum claim_step step;
	usec_t lease, slow_lease; /* 0: as above */
	uint64_t seed;		  /* of the waits */
};

struct claim;

struct claim *claim_new(const struct claim_config *config);
void claim_free(struct claim **claim);
/* Another mailbox, or another server: forgets all. */
void claim_set_step(struct claim *claim, enum claim_step step);

/* Asks for all of `uids`; `mark` ("": none) is what a message bears for which
 * this was done. Only when claim_is_over. */
void claim_begin(struct claim *claim, const struct imap_seqset *uids,
    const char *mark, usec_t now);

/* Of this group: an old claim that says CLAIM_SENDING is not taken over, as its
 * owner may have sent it: CLAIM_UNSURE. */
void claim_hold_unsure(struct claim *claim);
/* Of this group: it may be marked by us and not be done yet. Nobody removes our
 * claim from what we marked, so the mark is ours where the claim is. */
void claim_expect_mark(struct claim *claim);

/* Of this group: what an earlier life of ours left on them is read, and nothing
 * is claimed. A claim that stands beside its mark is removed. */
void claim_only_look(struct claim *claim);

struct claim_command {
	bool is_store;			/* else NOOP, then FETCH */
	const struct imap_seqset *uids; /* borrowed until claim_on_done */
	uint64_t unchanged_since;	/* STORE; 0: unconditional */
	bool add;			/* else remove */
	const char *keywords;		/* blank-separated; borrowed */
};
/* What to send now, once for each; its answers follow. False: it is over. */
bool claim_command(
    struct claim *claim, struct claim_command *command_r, usec_t now);
/* A FETCH came with flags; one that nobody asked for does no harm. */
void claim_on_message(struct claim *claim, uint32_t uid, uint64_t modseq,
    const struct span *flags, size_t count);
/* STORE left these out: they had changed. */
void claim_on_modified(struct claim *claim, const struct imap_seqset *uids);
/* The command's tagged answer: OK or not. */
void claim_on_done(struct claim *claim, bool ok, usec_t now);
bool claim_is_over(const struct claim *claim);
/* The connection is gone, and with it the group. */
void claim_interrupt(struct claim *claim);

enum claim_verdict claim_verdict(const struct claim *claim, uint32_t uid);
/* WAIT: not before then. */
usec_t claim_until(const struct claim *claim, uint32_t uid);
/* Ours, and so young that it may be acted on without asking again. */
bool claim_is_fresh(const struct claim *claim, uint32_t uid, usec_t now);
/* ... until then; 0: it is not ours. */
usec_t claim_fresh_until(const struct claim *claim, uint32_t uid);
/* It was ours, and nobody else can have taken it over yet. */
bool claim_has_lease(const struct claim *claim, uint32_t uid, usec_t now);
/* All that are ours: to be removed when nothing is left to do with them. */
void claim_get_held(const struct claim *claim, struct imap_seqset *held);
/* Nothing is known of it any more: the claim was removed, or the message is
 * gone. */
void claim_forget(struct claim *claim, uint32_t uid);
/* It was won, or is another's, and turns out not to be in the mailbox. */
void claim_set_gone(struct claim *claim, uint32_t uid);
/* STOREs that the server refused since the last that it took. */
unsigned claim_refusals(const struct claim *claim);
/* The keyword of our claim. */
const char *claim_keyword(const struct claim *claim);

#endif
