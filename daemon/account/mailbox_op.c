/*
 * Operations under way: what they serve, how they end.
 */
#include <assert.h>

#include "daemon/account/mailbox_private.h"
#include "daemon/base/xalloc.h"

void
mailbox_op_new(struct mailbox *mb)
{
	struct op *op = NEW(struct op);

	assert(mb->op == NULL);
	list_add(&mb->ops, &op->link);
	mb->op_count++;
	mb->op = op;
}

void
mailbox_op_add(struct mailbox *mb, struct job *job)
{
	struct op *op = mb->op;

	assert(job->op == NULL);
	op->jobs = xreallocarray(op->jobs, op->count + 1, sizeof(struct job *));
	op->jobs[op->count++] = job;
	job->op = op;
	job->waits = false;
	imap_seqset_add(&op->uids, job->key.uid);
}

static void
op_free(struct mailbox *mb, struct op *op)
{
	for (size_t i = 0; i < op->count; i++)
		if (op->jobs[i]->op == op)
			op->jobs[i]->op = NULL;
	list_remove(&op->link);
	mb->op_count--;
	free(op->jobs);
	action_done(&op->action);
	imap_seqset_done(&op->uids);
	imap_seqset_done(&op->seen);
	imap_seqset_done(&op->moved);
	buf_done(&op->target);
	buf_done(&op->content);
	buf_done(&op->refusal);
	buf_done(&op->not_made);
	free(op);
}

void
mailbox_ops_clear(struct mailbox *mb)
{
	LIST_EACH(pos, &mb->ops)
	op_free(mb, LIST_ITEM(pos, struct op, link));
	mb->op = NULL;
}

bool
mailbox_is_elsewhere(const struct mailbox *mb)
{
	LIST_EACH(pos, &mb->ops)
	{
		if (LIST_ITEM(pos, struct op, link)->elsewhere)
			return true;
	}
	return false;
}

bool
mailbox_op_has(const struct mailbox *mb, const struct job *job)
{
	return job->op == mb->op;
}

struct job *
mailbox_op_only(struct mailbox *mb)
{
	assert(mb->op->count == 1);
	return mb->op->jobs[0];
}

void
mailbox_op_narrow(struct mailbox *mb)
{
	struct op *op = mb->op;
	size_t kept = 0;

	for (size_t i = 0; i < op->count; i++) {
		assert(imap_seqset_has(&op->uids, op->jobs[i]->key.uid) ==
		       (op->jobs[i]->op == op));
		if (op->jobs[i]->op == op)
			op->jobs[kept++] = op->jobs[i];
	}
	op->count = kept;
}

static const struct imap_refusal at_once = {.kind = IMAP_REFUSAL_STATE};

void
mailbox_op_leave_out(struct mailbox *mb, struct imap_seqset *uids,
    const char *detail, usec_t now)
{
	struct op *op = mb->op;

	for (size_t i = 0; i < op->count; i++) {
		struct job *job = op->jobs[i];
		if (!imap_seqset_has(uids, job->key.uid))
			mailbox_job_postpone(mb, job, &at_once, detail, now);
	}
	imap_seqset_done(&op->uids);
	op->uids = *uids;
	*uids = (struct imap_seqset)IMAP_SEQSET_INIT;
	mailbox_op_narrow(mb);
}

/*
 * "MESSAGELIMIT" SP nz-number [SP nz-number] (RFC 9738 section 3.1): so many
 * messages at once. COPY of more does nothing, MOVE a part of it; from now on
 * groups are no larger.
 */
void
mailbox_op_note_limit(struct mailbox *mb, const struct imap_response *response)
{
	uint64_t limit;

	if (!span_is_nocase(response->code, "MESSAGELIMIT") ||
	    response->code_count == 0)
		return;
	limit = imap_value_number(&response->code_values[0]);
	if (limit > 0 && limit < MAILBOX_GROUP_MAX) {
		mb->group_max = (unsigned)limit;
		mb->op->why = at_once;
	}
}

/* The connection goes while an intent is on its way to disk. A command was not
 * handed out: it is as if it had only been planned. */
void
mailbox_ops_take_back(struct mailbox *mb, usec_t now)
{
	mailbox_intent_take_back(mb, now);
	LIST_EACH(pos, &mb->ops)
	{
		struct op *op = LIST_ITEM(pos, struct op, link);
		if (op->step == OP_CLAIM_MARK && op->action.kind == ACTION_EXEC)
			mailbox_claim_take_back(mb, op->jobs[0], now);
		if (op->step != OP_INTENT || op->action.kind != ACTION_EXEC)
			continue;
		struct job_action *action = mailbox_job_current(op->jobs[0]);
		action->state = EFFECT_PLANNED;
		mailbox_job_record(mb, op->jobs[0], action,
		    action->mine ? MAILBOX_MINE : "", now);
	}
}

/* ---- the end of one ---- */

void
mailbox_op_finish(struct mailbox *mb, usec_t now)
{
	op_free(mb, mb->op);
	mb->op = NULL;
	mailbox_jobs_free_finished(mb);
	if (!mb->is_filling)
		mailbox_go_on(mb, now);
}

void
mailbox_op_settle(
    struct mailbox *mb, enum effect_state state, const char *detail, usec_t now)
{
	for (size_t i = 0; i < mb->op->count; i++) {
		struct job *job = mb->op->jobs[i];
		mailbox_settle(
		    mb, job, mailbox_job_current(job), state, detail, now);
	}
	mailbox_op_finish(mb, now);
}

/* What refuses one after the other refuses all. */
#define ALONE_REFUSED_MAX 5

bool
mailbox_op_part_job(
    struct mailbox *mb, struct job *job, const char *detail, usec_t now)
{
	if (mb->op->why.kind != IMAP_REFUSAL_UNTOLD)
		return false;
	if (mb->op->count == 1)
		mb->alone_refused += job->alone;
	if (mb->op->count == 1 || mb->alone_refused >= ALONE_REFUSED_MAX)
		return false;
	job->alone = true;
	mailbox_job_postpone(mb, job, &at_once, detail, now);
	return true;
}

bool
mailbox_op_part(struct mailbox *mb, const char *detail, usec_t now)
{
	bool parts = true;

	for (size_t i = 0; parts && i < mb->op->count; i++)
		parts = mailbox_op_part_job(mb, mb->op->jobs[i], detail, now);
	if (parts)
		mailbox_op_finish(mb, now);
	return parts;
}

void
mailbox_op_postpone(struct mailbox *mb, const char *detail, usec_t now)
{
	for (size_t i = 0; i < mb->op->count; i++)
		mailbox_job_postpone(
		    mb, mb->op->jobs[i], &mb->op->why, detail, now);
	mailbox_op_finish(mb, now);
}
