/*
 * Intents of an earlier life: was it done before the link broke or the daemon
 * died? A MOVE is answered by the UID: gone or still here. A copy has to be
 * found in its target.
 */
#include "daemon/account/mailbox_private.h"
#include "daemon/base/xalloc.h"

static void
looked_at(struct mailbox *mb, struct job *job, usec_t now)
{
	struct job_action *action = mailbox_job_current(job);

	if (!imap_seqset_has(&mb->op.seen, job->key.uid)) {
		mailbox_settle(mb, job, action, EFFECT_DONE,
		    "was done before the interruption", now);
	} else if (mailbox_can(mb, IMAP_CAP_MOVE)) {
		action->verify = false;
		action->state = EFFECT_PLANNED;
	} else {
		mb->op.found = true;
	}
}

/* Verifying moves of an earlier life: present means that it was not done, or,
 * without MOVE, that the copy may be there and the original too. */
void
mailbox_verify_looked(struct mailbox *mb, usec_t now)
{
	mb->op.found = false;
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (mailbox_op_has(mb, job))
			looked_at(mb, job, now);
	}
	if (!mb->op.found) {
		mailbox_op_finish(mb, now);
		return;
	}
	mb->op.found = false;
	mb->op.elsewhere = true;
	mailbox_op_send_target(mb, OP_EXAMINE, "EXAMINE", now);
}

/* ---- looking for a copy of an earlier life ---- */

/* Messages of the same size that are looked at. */
#define CANDIDATES_MAX 50

/*
 * RFC 9051 section 6.4.4: exact size, and no UID that the target had before
 * the copy was begun (`n:*` may give the last message though it is below n:
 * note_found looks again).
 */
static void
send_search(struct mailbox *mb, usec_t now)
{
	struct job *job = mailbox_op_only(mb);
	struct imap_command command;

	mb->op.step = OP_SEARCH;
	mb->op.target_next = mailbox_job_current(job)->target_next;
	imap_seqset_done(&mb->op.seen);
	mailbox_begin_command(mb, &command, "UID SEARCH");
	if (mb->op.target_next > 1)
		buf_addf(&command.text, " UID %u:*", mb->op.target_next);
	imap_command_raw(&command, "LARGER");
	imap_command_number(&command, job->size > 0 ? job->size - 1 : 0);
	imap_command_raw(&command, "SMALLER");
	imap_command_number(&command, job->size + 1);
	mailbox_send(mb, &command, now);
}

static void
come_back(struct mailbox *mb, usec_t now)
{
	mb->op.step = OP_RESELECT;
	mailbox_select(mb, now);
}

void
mailbox_verify_examine_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (response->status == IMAP_OK)
		send_search(mb, now);
	else
		come_back(mb, now); /* no such folder: no copy in it */
}

void
mailbox_verify_note_found(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	(void)now;
	if (!span_is_nocase(response->name, "SEARCH"))
		return;
	for (size_t i = 0; i < response->count; i++) {
		uint64_t uid = imap_value_number(&response->values[i]);
		if (uid >= mb->op.target_next && uid > 0 && uid < UINT32_MAX &&
		    imap_seqset_size(&mb->op.seen) < CANDIDATES_MAX)
			imap_seqset_add(&mb->op.seen, (uint32_t)uid);
	}
}

/* Of the same size: is it the same message? */
void
mailbox_verify_search_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct imap_command command;

	(void)response;
	if (mb->op.seen.count == 0) {
		come_back(mb, now);
		return;
	}
	mb->op.step = OP_COMPARE;
	mailbox_begin_command(mb, &command, "UID FETCH");
	imap_command_seqset(&command, &mb->op.seen);
	imap_command_raw(&command,
	    "(UID BODY.PEEK[HEADER.FIELDS (From Subject Message-ID)])");
	mailbox_send(mb, &command, now);
}

static bool
is_same(const struct job *job, struct message *message)
{
	STR_AUTO from = mailbox_sender(message);
	STR_AUTO subject = mailbox_decoded(message, "Subject");

	return span_is(mailbox_message_id(message), job->message_id) &&
	       strcmp(from, job->from) == 0 &&
	       strcmp(subject, job->subject) == 0;
}

void
mailbox_verify_note_header(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct imap_fetch fetch;

	(void)now;
	if (!imap_fetch_parse(response, &fetch) || !fetch.has_header ||
	    !imap_seqset_has(&mb->op.seen, fetch.uid))
		return;
	struct message *message = message_new(fetch.header);
	if (is_same(mailbox_op_only(mb), message))
		mb->op.found = true;
	message_free(&message);
}

void
mailbox_verify_compare_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	(void)response;
	come_back(mb, now);
}

void
mailbox_verify_reselect_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	(void)now;
	mailbox_read_select(mb, response);
	if (response->has_number && span_is_nocase(response->name, "EXISTS"))
		mb->exists = response->number;
}

void
mailbox_verify_reselect_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct job *job;

	mailbox_assume_validity(mb);
	if (response->status != IMAP_OK ||
	    mb->uidvalidity != mb->cursor_validity) {
		struct error error = ERROR_INIT;
		error_set(&error, FAULT_PEER,
		    "mailbox %s changed while it was out of sight",
		    mb->config.name);
		mailbox_fail(mb, &error, now);
		return;
	}
	mb->dirty = true;
	job = mailbox_op_only(mb);
	mailbox_job_current(job)->verify = false;
	if (mb->op.found && mb->op.action.kind == ACTION_COPY)
		mailbox_settle(mb, job, mailbox_job_current(job), EFFECT_DONE,
		    "was done before the interruption", now);
	else if (mb->op.found)
		mailbox_job_current(job)->copied = true;
	mailbox_op_finish(mb, now);
}

void
mailbox_verify_begin(struct mailbox *mb, usec_t now)
{
	mb->op.verify = true;
	if (mb->op.action.kind == ACTION_COPY) {
		mb->op.elsewhere = true;
		mailbox_op_send_target(mb, OP_EXAMINE, "EXAMINE", now);
	} else {
		mailbox_move_send_look(mb, now);
	}
}
