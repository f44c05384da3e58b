/*
 * Intents: what is not idempotent is STARTED on disk before its first byte.
 *
 * Where nothing has to be asked first, that is in the transaction of the plan
 * itself, and the command follows at once. What was not begun when the
 * connection went is PLANNED again; what a killed daemon leaves is looked for
 * (mailbox_verify.c), and found not done.
 */
#include "daemon/account/mailbox_private.h"

/* ---- with the plan ---- */

/* It is found out by its UID alone whether it was done. */
static bool
is_found_out_by_uid(const struct mailbox *mb, enum action_kind kind)
{
	return kind == ACTION_DELETE ||
	       (mailbox_can(mb, IMAP_CAP_MOVE) && kind >= ACTION_MOVE &&
		   kind <= ACTION_JUNK);
}

/* What may stand before it: it is done soon, and cannot fail so that the
 * message stays. */
static bool
is_harmless(enum action_kind kind)
{
	return kind == ACTION_MARK || kind == ACTION_LABEL ||
	       kind == ACTION_NOTIFY;
}

void
mailbox_intent_begin_early(struct mailbox *mb, struct job *job, usec_t now)
{
	struct job_action *action;
	size_t i = 0;

	while (i < job->count && is_harmless(job->actions[i].action.kind))
		i++;
	if (i == job->count)
		return;
	action = &job->actions[i];
	if (mb->config->dry_run || mb->read_only ||
	    !is_found_out_by_uid(mb, action->action.kind) ||
	    !mailbox_claim_is_free(mb, action->action.kind, now) ||
	    mailbox_suspended_until(mb, &action->action) > now ||
	    mailbox_forbidden(mb, &action->action, now) != NULL)
		return;
	action->state = EFFECT_STARTED;
	action->early = true;
}

static void
take_back(struct mailbox *mb, struct job *job, usec_t now)
{
	for (size_t i = job->next; i < job->count; i++) {
		struct job_action *action = &job->actions[i];
		if (!action->early)
			continue;
		action->early = false;
		action->state = EFFECT_PLANNED;
		mailbox_job_record(mb, job, action, "", now);
	}
}

void
mailbox_intent_take_back(struct mailbox *mb, usec_t now)
{
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (mailbox_may_be_written(mb, job))
			take_back(mb, job, now);
	}
}

/* ---- before a command ---- */

/* What the journal says of a copy that was begun: enough to find it again
 * among messages that look the same. */
#define TARGET_NEXT "into UIDs from "

#define CLAIMED_AND MAILBOX_MINE ", "

void
mailbox_intent_detail(struct buf *detail, bool claimed, uint32_t target_next)
{
	if (claimed)
		buf_add_str(
		    detail, target_next != 0 ? CLAIMED_AND : MAILBOX_MINE);
	if (target_next != 0)
		buf_addf(detail, TARGET_NEXT "%u", target_next);
}

bool
mailbox_is_claimed(const char *detail)
{
	return strcmp(detail, MAILBOX_MINE) == 0 ||
	       span_starts(span_from_str(detail), CLAIMED_AND);
}

uint32_t
mailbox_read_intent_detail(const char *detail)
{
	struct span text = span_from_str(detail);
	uint32_t next = 0;

	if (span_starts(text, CLAIMED_AND))
		text = span_skip(text, strlen(CLAIMED_AND));
	if (span_starts(text, TARGET_NEXT))
		span_to_u32(span_skip(text, strlen(TARGET_NEXT)), &next);
	return next;
}

/*
 * What operations before this one came to goes to disk with the intent, if
 * that is handed out at once: one transaction less. Should it fail, nothing is
 * lost that the next life would not find out by looking: STARTED is verified,
 * PLANNED is done again. (Not so outcomes of commands, which wait for a commit
 * of their own.)
 */
static struct store_batch *
intent_batch(struct mailbox *mb)
{
	struct store_batch *batch = mb->outcomes;

	if (batch == NULL || mb->outcomes_wait || mb->commit_pending ||
	    !list_is_empty(&mb->commits))
		return store_batch_new();
	mb->outcomes = NULL;
	store_batch_set_lazy(batch, false);
	return batch;
}

/* False: all of the group is STARTED on disk. From here on it may be begun. */
static bool
has_unwritten(struct mailbox *mb)
{
	bool found = false;

	for (size_t i = 0; i < mb->op->count; i++) {
		struct job_action *action =
		    mailbox_job_current(mb->op->jobs[i]);
		found |= !action->early;
		action->early = false;
	}
	return found;
}

/* What a killed daemon would leave with its claim: mailbox_left.c. */
static bool
is_claimed(const struct mailbox *mb, const struct job *job)
{
	enum action_kind kind = job->actions[job->next].action.kind;

	return (kind == ACTION_EXEC || kind == ACTION_COPY) &&
	       mb->claim != NULL &&
	       claim_verdict(mb->claim, job->key.uid) == CLAIM_WON;
}

static void
add_intents(
    struct mailbox *mb, struct op *op, struct store_batch *batch, usec_t now)
{
	for (size_t i = 0; i < op->count; i++) {
		struct job *job = op->jobs[i];
		struct job_action *action = mailbox_job_current(job);
		BUF_AUTO detail = BUF_INIT;
		mailbox_intent_detail(
		    &detail, is_claimed(mb, job), op->target_next);
		action->state = EFFECT_STARTED;
		store_batch_set_effect(batch, &job->key, action->seq,
		    EFFECT_STARTED, action->attempts, buf_str(&detail),
		    mailbox_unix(mb, now));
	}
	op->intent = mb->intents_made + 1;
}

static bool
is_waiting(const struct op *op)
{
	return op->step == OP_INTENT && op->intent == 0;
}

/* How many wait to be written; 0 as long as others ask what belongs to theirs:
 * all go together. */
static size_t
count_waiting(const struct mailbox *mb)
{
	size_t count = 0;

	LIST_EACH(pos, &mb->ops)
	{
		const struct op *op = LIST_ITEM(pos, struct op, link);
		if (op->step == OP_STATUS)
			return 0;
		count += is_waiting(op);
	}
	return count;
}

void
mailbox_write_intents(struct mailbox *mb, usec_t now)
{
	if (count_waiting(mb) == 0)
		return;
	struct store_batch *batch = intent_batch(mb);
	LIST_EACH(pos, &mb->ops)
	{
		struct op *op = LIST_ITEM(pos, struct op, link);
		if (is_waiting(op))
			add_intents(mb, op, batch, now);
	}
	mailbox_commit(mb, COMMIT_STARTED, batch);
}

void
mailbox_op_intent(struct mailbox *mb, usec_t now)
{
	if (!has_unwritten(mb)) {
		mailbox_op_started(mb, now);
		return;
	}
	mb->op->step = OP_INTENT;
	mb->op->intent = 0;
	if (!mb->is_filling)
		mailbox_write_intents(mb, now);
}
