/*
 * What an earlier life left under a claim: a command that was begun and never
 * heard of again, and a copy that was made, and perhaps not marked.
 *
 * The other machines wait for our claim until it is old. So it is looked at as
 * soon as we are back, before anything is claimed anew (claim_only_look):
 *
 *                    command                     copy (it is in its target)
 *   marked           unknown: it may have run    done
 *   ours, unmarked   it did not run: planned     mark, release, done
 *   another's        it did not run: planned     mark, done
 *   nobody's         mark, unknown               mark, done
 *   gone             unknown                     done
 *
 * A command's mark is stored before it runs, so that without a mark it did not
 * run; but where servers write keywords over one another (claim.h, without
 * mod-sequences) a mark that is not there may have been: mark, unknown.
 */
#include "daemon/account/mailbox_private.h"

#define LOST_WORDS                                                             \
	"the daemon ended while the command ran; it is not repeated "          \
	"(repeat = safe would)"
#define DONE_WORDS "was done before the interruption"

/* Where it is found out whether a command ran. */
static bool
is_found_out(const struct mailbox *mb, const struct job *job, usec_t now)
{
	enum claims_answer answer = mailbox_claim_ask(mb, now);

	return job->actions[job->next].claimed && answer != CLAIMS_FREE &&
	       answer != CLAIMS_STANDS_BY &&
	       (mb->uidvalidity == 0 ||
		   mb->uidvalidity == job->key.uidvalidity);
}

void
mailbox_job_settle_lost(struct mailbox *mb, struct job *job, usec_t now)
{
	while (job->next < job->count && mailbox_job_current(job)->lost) {
		struct job_action *action = mailbox_job_current(job);
		job->running = mailbox_has_task(
		    mb, job->key.uidvalidity, job->key.uid, action->seq);
		if (job->running) /* of this life */
			return;
		action->left = is_found_out(mb, job, now);
		if (action->left)
			return;
		mailbox_settle(
		    mb, job, action, EFFECT_UNKNOWN, LOST_WORDS, now);
	}
}

void
mailbox_left_give_up(struct mailbox *mb, usec_t now)
{
	LIST_EACH(pos, &mb->jobs)
	mailbox_job_settle_lost(mb, LIST_ITEM(pos, struct job, link), now);
	mailbox_jobs_free_finished(mb);
}

bool
mailbox_left_is_copy(const struct job_action *action)
{
	return action->action.kind == ACTION_COPY && action->claimed;
}

/* ---- what was read ---- */

static void
settle(struct mailbox *mb, struct job *job, usec_t now)
{
	struct job_action *action = mailbox_job_current(job);
	bool is_copy = action->action.kind == ACTION_COPY;

	action->left = false;
	mailbox_settle(mb, job, action, is_copy ? EFFECT_DONE : EFFECT_UNKNOWN,
	    is_copy ? DONE_WORDS : LOST_WORDS, now);
}

static void
mark_and_settle(struct mailbox *mb, struct job *job, usec_t now)
{
	BUF_AUTO mark = BUF_INIT;

	mailbox_claim_mark_of(&mailbox_job_current(job)->action, &mark);
	mailbox_claim_note_done(mb, job->key.uid, buf_str(&mark));
	settle(mb, job, now);
}

/* It did not run. Our mark may still be on its way: from before, or from an
 * earlier look, which found no claim at all. */
static void
plan_again(struct mailbox *mb, struct job *job, usec_t now)
{
	struct job_action *action = mailbox_job_current(job);

	action->lost = action->left = false;
	action->mine = true;
	action->state = EFFECT_PLANNED;
	mailbox_job_record(mb, job, action, MAILBOX_MINE, now);
	job->op = NULL;
}

static void
share_out_one(struct mailbox *mb, struct job *job, usec_t now)
{
	enum claim_verdict verdict = claim_verdict(mb->claim, job->key.uid);
	const struct job_action *action = mailbox_job_current(job);
	bool is_certain =
	    action->action.kind == ACTION_EXEC && mailbox_claim_keeps_marks(mb);

	switch (verdict) {
	case CLAIM_DONE:
	case CLAIM_GONE:
		settle(mb, job, now);
		break;
	case CLAIM_LEFT:
	case CLAIM_FOREIGN:
		if (is_certain)
			plan_again(mb, job, now);
		else
			mark_and_settle(mb, job, now);
		break;
	case CLAIM_MISSING:
		mark_and_settle(mb, job, now);
		break;
	default: /* it could not be read */
		job->op = NULL;
		job->not_before = claim_until(mb->claim, job->key.uid);
		break;
	}
}

void
mailbox_left_share_out(struct mailbox *mb, usec_t now)
{
	for (size_t i = 0; i < mb->op->count; i++)
		share_out_one(mb, mb->op->jobs[i], now);
	mailbox_op_finish(mb, now);
}

/* No claim tells. */
void
mailbox_left_settle(struct mailbox *mb, usec_t now)
{
	for (size_t i = 0; i < mb->op->count; i++)
		settle(mb, mb->op->jobs[i], now);
	mailbox_op_finish(mb, now);
}
