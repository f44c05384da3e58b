/*
 * Forwards in the queue that were claimed: the claim is held until the outbox
 * knows what became of them, and asked about before each try.
 *
 *   queued  -> the claim stays, and is renewed when a third of it is over
 *   asked   -> (looking for others) -> claimed again, if a third is over
 *           -> +belfry-s -> "ours until ..."
 *   settled -> +mark, then the claim is removed (mailbox_claim.c)
 *
 * So a machine that dies with forwards in its queue is succeeded when its lease
 * is over; and when it comes back with the old queue it finds the mark, or the
 * claim of another, before it sends anything.
 *
 * A message that is gone tells nothing: a person may have moved it, or another
 * machine that has forwarded it. As long as the lease lasts it cannot have been
 * another machine; after that nobody can tell.
 *
 * What would take the message away waits for its forwards.
 */
#include "daemon/account/mailbox_private.h"
#include "daemon/base/xalloc.h"

/* Another mailbox of the account looks for other machines. */
#define LOOKING_USEC (200 * USEC_MSEC)
/* It could not be found out whose it is. */
#define UNCERTAIN_USEC (30 * USEC_SEC)
/* Answers are good for no shorter wait. */
#define AGAIN_MIN_USEC USEC_SEC
/* What is to be taken away looks again, should nobody wake it. */
#define HELD_BACK_USEC USEC_MINUTE

struct forward {
	struct list_link link;
	char *rule, *target; /* owned */
	uint32_t uidvalidity, uid;
	unsigned seq;
	int64_t queued_unix;
	bool resends;

	int64_t asked;	 /* by the item with this id; 0: nobody asks */
	usec_t due;	 /* to be looked at; USEC_NEVER: when it is asked */
	bool busy;	 /* of the operation under way */
	bool is_sending; /* CLAIM_SENDING may be on it */
	bool unsends;	 /* ... and is to be removed */
	bool is_gone;	 /* and was ours when it went */
	bool is_over;
};

/* ---- the list ---- */

static void
forward_free(struct forward *forward)
{
	list_remove(&forward->link);
	free(forward->rule);
	free(forward->target);
	free(forward);
}

void
mailbox_forward_clear(struct mailbox *mb)
{
	LIST_EACH(pos, &mb->forwards)
	forward_free(LIST_ITEM(pos, struct forward, link));
}

static struct forward *
find(const struct mailbox *mb, uint32_t uidvalidity, uint32_t uid, unsigned seq)
{
	LIST_EACH(pos, &mb->forwards)
	{
		struct forward *f = LIST_ITEM(pos, struct forward, link);
		if (f->uidvalidity == uidvalidity && f->uid == uid &&
		    f->seq == seq)
			return f;
	}
	return NULL;
}

static struct forward *
find_or_add(struct mailbox *mb, const struct mailbox_forward *forward)
{
	struct forward *f =
	    find(mb, forward->uidvalidity, forward->uid, forward->seq);

	if (f != NULL)
		return f;
	f = NEW(struct forward);
	f->rule = xstrdup(forward->rule);
	f->target = xstrdup(forward->target);
	f->uidvalidity = forward->uidvalidity;
	f->uid = forward->uid;
	f->seq = forward->seq;
	f->queued_unix = forward->queued_unix;
	f->resends = forward->resends;
	f->due = USEC_NEVER;
	list_add(&mb->forwards, &f->link);
	return f;
}

bool
mailbox_forward_has(const struct mailbox *mb, uint32_t uid)
{
	LIST_EACH(pos, &mb->forwards)
	{
		const struct forward *f = LIST_ITEM(pos, struct forward, link);
		if (!f->is_over && f->uid == uid &&
		    f->uidvalidity == mb->uidvalidity)
			return true;
	}
	return false;
}

static void
mark_of(const struct forward *f, struct buf *mark)
{
	claims_mark(f->rule, action_name(ACTION_FORWARD), f->target, mark);
}

/* When its claim is to be renewed: not while it is still young, or that would
 * be for ever. */
static usec_t
renew_at(const struct mailbox *mb, uint32_t uid, usec_t now)
{
	usec_t until =
	    mb->claim != NULL ? claim_fresh_until(mb->claim, uid) : 0;

	return usec_add(until > now ? until : now, AGAIN_MIN_USEC);
}

/* ---- queued ---- */

bool
mailbox_forward_is_claimed(const struct mailbox *mb, const struct job *job)
{
	return mb->claim != NULL && mb->visit == VISIT_NONE &&
	       claim_verdict(mb->claim, job->key.uid) == CLAIM_WON;
}

/* A visitor does not stay for it: it is marked at once. */
void
mailbox_forward_queued(struct mailbox *mb, struct job *job, usec_t now)
{
	struct job_action *action = mailbox_job_current(job);
	struct mailbox_event event = {.kind = MAILBOX_QUEUED};

	if (!mailbox_forward_is_claimed(mb, job)) {
		mailbox_claim_settled(mb, job, action, EFFECT_DONE);
		mailbox_emit(mb, event);
		return;
	}
	const struct mailbox_forward forward = {
	    .rule = action->action.rule,
	    .target = action->action.target,
	    .uidvalidity = job->key.uidvalidity,
	    .uid = job->key.uid,
	    .seq = action->seq,
	    .queued_unix = mailbox_unix(mb, now),
	    .resends = action->action.unknown == UNKNOWN_RESEND,
	};
	struct forward *f = find_or_add(mb, &forward);
	/* The outbox may have seen it in the store, and asked, before this. */
	if (f->asked == 0)
		f->due = renew_at(mb, forward.uid, now);
	event.uidvalidity = forward.uidvalidity;
	event.uid = forward.uid;
	event.seq = forward.seq;
	mailbox_emit(mb, event);
}

void
mailbox_load_forward(struct mailbox *mb, const struct mailbox_forward *forward,
    bool is_over, usec_t now)
{
	struct forward *f;

	if (mb->config->claims == NULL || mb->visit != VISIT_NONE ||
	    mb->config->dry_run ||
	    find(mb, forward->uidvalidity, forward->uid, forward->seq) != NULL)
		return;
	f = find_or_add(mb, forward);
	f->is_over = is_over;
	f->due = now;
	mb->says_sending = true; /* in its other life */
	if (mb->state == MAILBOX_PARKED)
		mb->jobs_due = 0;
}

/* ---- settled ---- */

/* What waited for it goes on. */
static void
wake_jobs(struct mailbox *mb, uint32_t uid)
{
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (job->key.uid == uid &&
		    job->key.uidvalidity == mb->uidvalidity &&
		    job->next < job->count &&
		    mailbox_is_destructive(
			mailbox_job_current(job)->action.kind))
			job->not_before = 0;
	}
}

/* Of this mailbox as it is now: else there is nothing to mark. */
static void
finish(struct mailbox *mb, struct forward *f)
{
	uint32_t uid = f->uid;
	bool is_here = f->uidvalidity == mb->uidvalidity && !f->is_gone;
	BUF_AUTO mark = BUF_INIT;

	mark_of(f, &mark);
	forward_free(f);
	if (!is_here || mb->config->claims == NULL)
		return;
	mailbox_claim_note_done(mb, uid, buf_str(&mark));
	wake_jobs(mb, uid);
}

void
mailbox_forward_note_ends(struct mailbox *mb)
{
	LIST_EACH(pos, &mb->forwards)
	{
		struct forward *f = LIST_ITEM(pos, struct forward, link);
		if (f->is_over && !f->busy)
			finish(mb, f);
	}
}

static void
wake(struct mailbox *mb, usec_t now)
{
	if (mb->state == MAILBOX_PARKED || mb->state == MAILBOX_IDLE ||
	    mb->state == MAILBOX_POLLING)
		mailbox_wake(mb, now);
}

void
mailbox_forward_settled(struct mailbox *mb, uint32_t uidvalidity, uint32_t uid,
    unsigned seq, enum forward_end end, usec_t now)
{
	struct forward *f = find(mb, uidvalidity, uid, seq);

	if (f == NULL)
		return;
	f->asked = 0;
	if (end == FORWARD_OVER) {
		f->is_over = true;
		f->due = now;
	} else if (end == FORWARD_AGAIN && f->is_sending) {
		f->unsends = true;
		f->due = now;
	}
	if (f->due <= now)
		wake(mb, now);
}

/* ---- asked ---- */

static void
answer(struct mailbox *mb, struct forward *f, enum forward_answer answer,
    usec_t wait)
{
	if (f->asked == 0)
		return;
	if (answer == FORWARD_OTHERS && wait < AGAIN_MIN_USEC)
		wait = AGAIN_MIN_USEC;
	mailbox_emit(mb, (struct mailbox_event){.kind = MAILBOX_FORWARD,
			     .id = f->asked,
			     .answer = answer,
			     .wait = wait});
	f->asked = 0;
}

/* On its way to be open, or it will be soon. */
static bool
is_coming(const struct mailbox *mb)
{
	return mb->state != MAILBOX_RESTING && mb->state != MAILBOX_WAITING &&
	       mb->state != MAILBOX_LOGOUT && !mb->stopping;
}

void
mailbox_ask_forward(
    struct mailbox *mb, const struct mailbox_forward *forward, usec_t now)
{
	struct forward *f = find_or_add(mb, forward);

	f->asked = forward->id;
	if (f->is_gone) {
		answer(mb, f, FORWARD_OURS, USEC_NEVER);
	} else if (!is_coming(mb)) {
		answer(mb, f, FORWARD_OTHERS, UNCERTAIN_USEC);
	} else {
		f->unsends = false;
		f->due = now;
		wake(mb, now);
	}
}

/* ---- looking at it ---- */

usec_t
mailbox_forward_deadline(const struct mailbox *mb)
{
	usec_t first = USEC_NEVER;

	LIST_EACH(pos, &mb->forwards)
	{
		const struct forward *f = LIST_ITEM(pos, struct forward, link);
		if (!f->busy)
			first = usec_min(first, f->due);
	}
	return first;
}

void
mailbox_forward_interrupt(struct mailbox *mb)
{
	LIST_EACH(pos, &mb->forwards)
	LIST_ITEM(pos, struct forward, link)->busy = false;
}

/* Whose turn it is: first of those that are waited for. */
static struct forward *
next_due(struct mailbox *mb, usec_t now)
{
	struct forward *first = NULL;

	LIST_EACH(pos, &mb->forwards)
	{
		struct forward *f = LIST_ITEM(pos, struct forward, link);
		if (f->due > now || f->busy || f->is_over)
			continue;
		if (first == NULL || (f->asked != 0 && first->asked == 0))
			first = f;
	}
	return first;
}

static bool
is_group(const struct forward *f, const struct forward *first)
{
	return strcmp(f->rule, first->rule) == 0 &&
	       strcmp(f->target, first->target) == 0 &&
	       f->resends == first->resends && !f->unsends && !f->is_gone;
}

/* The same mark, to be renewed at the same time. */
static void
gather(struct mailbox *mb, struct forward *first, usec_t now)
{
	first->busy = true;
	imap_seqset_add(&mb->op->uids, first->uid);
	if (first->unsends)
		return;
	LIST_EACH(pos, &mb->forwards)
	{
		struct forward *f = LIST_ITEM(pos, struct forward, link);
		if (f->busy || f->is_over || f->due > now || f->asked != 0 ||
		    f->uidvalidity != first->uidvalidity ||
		    !is_group(f, first) ||
		    mb->op->uids.count >= MAILBOX_GROUP_MAX)
			continue;
		f->busy = true;
		imap_seqset_add(&mb->op->uids, f->uid);
	}
}

static struct forward *
next_busy(const struct mailbox *mb)
{
	LIST_EACH(pos, &mb->forwards)
	{
		struct forward *f = LIST_ITEM(pos, struct forward, link);
		if (f->busy)
			return f;
	}
	return NULL;
}

static struct forward *
busy_and_asked(const struct mailbox *mb)
{
	LIST_EACH(pos, &mb->forwards)
	{
		struct forward *f = LIST_ITEM(pos, struct forward, link);
		if (f->busy && f->asked != 0)
			return f;
	}
	return NULL;
}

/* All of the operation: it ends, and they are due again then. */
static void
end_all(struct mailbox *mb, enum forward_answer words, usec_t wait, usec_t due,
    usec_t now)
{
	struct forward *f;

	while ((f = next_busy(mb)) != NULL) {
		f->busy = false;
		f->due = due;
		answer(mb, f, words, wait);
	}
	mailbox_op_finish(mb, now);
}

static void
send_sending(struct mailbox *mb, struct forward *f, bool add, usec_t now)
{
	struct imap_seqset uids = IMAP_SEQSET_INIT;

	imap_seqset_add(&uids, f->uid);
	if (add)
		f->is_sending = mb->says_sending = true;
	mailbox_claim_store(mb, add ? OP_FORWARD_SENDING : OP_FORWARD_UNSENDING,
	    &(struct claim_command){
		.uids = &uids, .add = add, .keywords = CLAIM_SENDING},
	    now);
	imap_seqset_done(&uids);
}

void
mailbox_forward_stored(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	bool is_added = mb->op->step == OP_FORWARD_SENDING;
	struct forward *f = next_busy(mb);
	usec_t until =
	    mb->claim != NULL ? claim_fresh_until(mb->claim, f->uid) : 0;

	f->busy = false;
	/* Asked about while CLAIM_SENDING was taken away: once more. */
	f->due = !is_added && f->asked != 0 ? now : renew_at(mb, f->uid, now);
	if (!is_added)
		f->unsends = f->is_sending = false;
	else if (response->status == IMAP_OK)
		answer(mb, f, FORWARD_OURS, until);
	else
		answer(mb, f, FORWARD_OTHERS, UNCERTAIN_USEC);
	mailbox_op_finish(mb, now);
}

/* As it was claimed just before it was queued. */
static bool
is_young(const struct mailbox *mb, const struct forward *f, usec_t now)
{
	int64_t age = mailbox_unix(mb, now) - f->queued_unix;

	return age >= 0 && age < (int64_t)(CLAIM_LEASE_USEC / 3 / USEC_SEC);
}

static void
note_gone(struct mailbox *mb, struct forward *f, usec_t now)
{
	f->is_gone = is_young(mb, f, now) ||
		     (mb->claim != NULL && f->uidvalidity == mb->uidvalidity &&
			 claim_has_lease(mb->claim, f->uid, now));
	if (f->is_gone)
		answer(mb, f, FORWARD_OURS, USEC_NEVER);
	else
		answer(mb, f, FORWARD_UNSURE, 0);
}

/* The claim is decided, and it is not ours, or nobody asks. */
static void
note_verdict(struct mailbox *mb, struct forward *f, usec_t now)
{
	usec_t until = claim_until(mb->claim, f->uid);

	switch (claim_verdict(mb->claim, f->uid)) {
	case CLAIM_WON:
		f->due = renew_at(mb, f->uid, now);
		break;
	case CLAIM_DONE:
		answer(mb, f, FORWARD_DONE, 0);
		break;
	case CLAIM_GONE:
		note_gone(mb, f, now);
		break;
	case CLAIM_UNSURE:
		answer(mb, f, FORWARD_UNSURE, 0);
		break;
	default:
		answer(mb, f, FORWARD_OTHERS, usec_since(now, until));
		break;
	}
}

void
mailbox_forward_share_out(struct mailbox *mb, usec_t now)
{
	struct forward *asked = busy_and_asked(mb), *f;
	bool sends =
	    asked != NULL && claim_verdict(mb->claim, asked->uid) == CLAIM_WON;

	if (sends)
		asked->busy = false;
	while ((f = next_busy(mb)) != NULL) {
		f->busy = false;
		f->due = USEC_NEVER;
		note_verdict(mb, f, now);
	}
	if (sends) {
		asked->busy = true;
		send_sending(mb, asked, true, now);
		return;
	}
	mailbox_op_finish(mb, now);
}

/* Not asked for anew while nobody else can have it: but it says that it may
 * be sent. */
static void
claim_again(struct mailbox *mb, usec_t now)
{
	struct forward *first = next_busy(mb), *asked = busy_and_asked(mb);
	BUF_AUTO mark = BUF_INIT;

	if (asked != NULL && mb->claim != NULL &&
	    mb->claim_validity == mb->uidvalidity &&
	    claim_is_fresh(mb->claim, asked->uid, now)) {
		while ((first = next_busy(mb)) != NULL)
			first->busy = false;
		asked->busy = true;
		send_sending(mb, asked, true, now);
		return;
	}
	mark_of(first, &mark);
	if (!mailbox_claim_run(mb, buf_str(&mark), !first->resends, now))
		end_all(mb, FORWARD_OTHERS, UNCERTAIN_USEC, USEC_NEVER, now);
}

static void
look_for_others(struct mailbox *mb, usec_t now)
{
	struct forward *f;

	if (mb->op->sought) { /* nothing came of it */
		end_all(mb, FORWARD_OTHERS, UNCERTAIN_USEC,
		    usec_add(now, USEC_MINUTE), now);
		return;
	}
	if (claims_lock(mb->config->claims, mb)) {
		mailbox_seek_begin(mb, now);
		return;
	}
	while ((f = next_busy(mb)) != NULL) {
		f->busy = false;
		f->due = usec_add(now, LOOKING_USEC);
	}
	mailbox_op_finish(mb, now);
}

void
mailbox_forward_go_on(struct mailbox *mb, usec_t now)
{
	switch (mailbox_claim_ask(mb, now)) {
	case CLAIMS_SHARED:
		claim_again(mb, now);
		break;
	case CLAIMS_ASK:
		look_for_others(mb, now);
		break;
	case CLAIMS_JOINING:
		end_all(mb, FORWARD_OTHERS,
		    claims_join_wait(
			mb->config->claims, mailbox_unix(mb, now), now),
		    USEC_NEVER, now);
		break;
	case CLAIMS_FREE:
	case CLAIMS_STANDS_BY:
		end_all(mb, FORWARD_OURS, USEC_NEVER, USEC_NEVER, now);
		break;
	}
}

bool
mailbox_forward_begin(struct mailbox *mb, usec_t now)
{
	struct forward *first = next_due(mb, now);

	if (first == NULL)
		return false;
	if (first->uidvalidity != mb->uidvalidity || mb->read_only) {
		first->due = USEC_NEVER;
		if (mb->read_only)
			answer(mb, first, FORWARD_OTHERS, UNCERTAIN_USEC);
		else
			note_gone(mb, first, now);
		return true;
	}
	mailbox_op_new(mb);
	mb->op->is_alone = mb->op->is_forward = true;
	gather(mb, first, now);
	if (first->unsends)
		send_sending(mb, first, false, now);
	else
		mailbox_forward_go_on(mb, now);
	mb->op = NULL;
	return true;
}

/* ---- what would take the message away ---- */

bool
mailbox_forward_hold_back(struct mailbox *mb, usec_t now)
{
	struct imap_seqset left = IMAP_SEQSET_INIT;

	if (!mailbox_is_destructive(mb->op->action.kind))
		return true;
	for (size_t i = 0; i < mb->op->count; i++) {
		struct job *job = mb->op->jobs[i];
		if (!mailbox_forward_has(mb, job->key.uid)) {
			imap_seqset_add(&left, job->key.uid);
			continue;
		}
		job->not_before = usec_add(now, HELD_BACK_USEC);
		job->waits = true;
		job->op = NULL;
	}
	imap_seqset_done(&mb->op->uids);
	mb->op->uids = left;
	mailbox_op_narrow(mb);
	if (mb->op->count > 0)
		return true;
	mailbox_op_finish(mb, now);
	return false;
}
