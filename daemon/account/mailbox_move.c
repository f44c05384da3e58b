/*
 * Copies, moves and deletions. A move is UID MOVE (RFC 6851) where there is
 * one; else a copy, \\Deleted, and UID EXPUNGE (RFC 4315) of just those UIDs.
 */
#include "daemon/account/mailbox_private.h"
#include "daemon/base/xalloc.h"

#define TRASH "\\Trash"

/* ---- where a copy will begin ---- */

void
mailbox_move_note_status(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct imap_mailbox_status status;

	(void)now;
	if (imap_status_parse(response, &status) && status.uidnext != 0 &&
	    span_equal(status.name, buf_span(&mb->op->target)))
		mb->op->target_next = status.uidnext;
}

/* A target that is not there yet has no messages; one that does not tell is
 * searched as a whole later. */
void
mailbox_move_status_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (response->status != IMAP_OK)
		mb->op->target_next = 1;
	mailbox_op_intent(mb, now);
}

void
mailbox_move_send_status(struct mailbox *mb, usec_t now)
{
	struct imap_command command;

	mb->op->step = OP_STATUS;
	mailbox_begin_command(mb, &command, "STATUS");
	imap_command_mailbox(&command, buf_span(&mb->op->target));
	imap_command_raw(&command, "(UIDNEXT)");
	mailbox_send(mb, &command, now);
}

/* ---- beginning ---- */

void
mailbox_move_send_deleted(struct mailbox *mb, usec_t now)
{
	mailbox_op_send_uids(
	    mb, OP_DELETED, "UID STORE", "+FLAGS.SILENT (\\Deleted)", now);
}

/* Gmail: EXPUNGE takes the label away, and the message stays in All Mail. What
 * is to be gone goes to the trash; in there, and among spam, EXPUNGE is for
 * good. */
static bool
goes_to_trash(struct mailbox *mb)
{
	const struct folder *here =
	    folders_find(&mb->folders, buf_span(&mb->wire));
	struct error error = ERROR_INIT;

	if (!mailbox_can(mb, IMAP_CAP_X_GM_EXT_1) ||
	    !mailbox_can(mb, IMAP_CAP_MOVE))
		return false;
	if (here != NULL &&
	    (here->use == FOLDER_TRASH || here->use == FOLDER_JUNK))
		return false;
	return folders_wire_name(&mb->folders, TRASH, &mb->op->target, &error);
}

void
mailbox_move_delete(struct mailbox *mb, usec_t now)
{
	if (!goes_to_trash(mb)) {
		mailbox_move_send_deleted(mb, now);
		return;
	}
	if (mb->op->action.target == NULL)
		mb->op->action.target = xstrdup(TRASH);
	mailbox_op_send_to_target(mb, OP_MOVE, "UID MOVE", now);
}

void
mailbox_move_take_away(struct mailbox *mb, usec_t now)
{
	if (mb->op->copied)
		mailbox_move_send_deleted(mb, now);
	else if (mailbox_can(mb, IMAP_CAP_MOVE))
		mailbox_op_send_to_target(mb, OP_MOVE, "UID MOVE", now);
	else
		mailbox_op_send_to_target(mb, OP_COPY, "UID COPY", now);
}

void
mailbox_move_copy(struct mailbox *mb, usec_t now)
{
	mailbox_op_send_to_target(mb, OP_COPY, "UID COPY", now);
}

void
mailbox_move_begin_delete(struct mailbox *mb, usec_t now)
{
	mailbox_op_intent(mb, now);
}

/* MOVE is looked after by the UID; a copy has to be found again. What was
 * copied is STARTED on disk, with what is needed to find it. */
void
mailbox_move_begin(struct mailbox *mb, usec_t now)
{
	if (mb->op->copied)
		mailbox_op_started(mb, now);
	else if (mailbox_can(mb, IMAP_CAP_MOVE))
		mailbox_move_begin_delete(mb, now);
	else
		mailbox_move_send_status(mb, now);
}

/* ---- what came back ---- */

void
mailbox_move_note_copyuid(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct imap_copyuid copyuid;
	struct imap_copyuid_walk walk;

	(void)now;
	if (!imap_copyuid_parse(response, &copyuid) ||
	    !imap_copyuid_touches(&copyuid, &mb->op->uids))
		return;
	imap_copyuid_begin(&copyuid, &walk);
	for (size_t i = 0; i < mb->op->count; i++) {
		struct job *job = mb->op->jobs[i];
		uint32_t uid = imap_copyuid_next(&walk, job->key.uid);
		if (uid != 0) {
			imap_seqset_add(&mb->op->moved, job->key.uid);
			mailbox_job_current(job)->new_uid = uid;
			mailbox_job_current(job)->new_validity =
			    copyuid.uidvalidity;
		}
	}
}

static bool
wants_create(const struct mailbox *mb, const struct imap_response *response)
{
	return response->status == IMAP_NO && mb->op->action.create &&
	       !mb->op->created && !mailbox_is_for_now(response);
}

/* What CREATE said tells more than what is said of the missing folder. */
static void
settle_not_made(struct mailbox *mb, usec_t now)
{
	if (mb->op->not_made_for_now)
		mailbox_op_postpone(mb, buf_str(&mb->op->not_made), now);
	else
		mailbox_op_settle(
		    mb, EFFECT_FAILED, buf_str(&mb->op->not_made), now);
}

/* By its code only: words may mean a message. */
static bool
is_told_missing(const struct imap_response *response)
{
	return span_is_nocase(response->code, "TRYCREATE") ||
	       span_is_nocase(response->code, "NONEXISTENT");
}

static void
target_missing(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	BUF_AUTO words = BUF_INIT;

	if (wants_create(mb, response)) {
		mb->op->created = true;
		mailbox_op_send_target(mb, OP_CREATE, "CREATE", now);
		return;
	}
	if (mb->op->not_made.len > 0 && !mailbox_is_for_now(response)) {
		settle_not_made(mb, now);
		return;
	}
	if (is_told_missing(response)) {
		buf_addf(&words,
		    "there is no folder %s: make it, or write create = yes "
		    "in the rule",
		    mb->op->action.target);
		mailbox_suspend(mb, mailbox_op_own_action(mb),
		    IMAP_REFUSAL_MISSING, buf_str(&words), now);
		mailbox_op_settle(mb, EFFECT_FAILED, buf_str(&words), now);
		return;
	}
	mailbox_op_refuse(mb, response, now);
}

static void
settle_with_new_uid(struct mailbox *mb, struct job *job, usec_t now)
{
	BUF_AUTO detail = BUF_INIT;

	if (mb->op->action.kind == ACTION_DELETE && mb->op->target.len > 0)
		buf_add_str(&detail, "moved to the trash, which Gmail empties");
	else if (mailbox_job_current(job)->new_uid != 0)
		buf_addf(
		    &detail, "UID %u there", mailbox_job_current(job)->new_uid);
	mailbox_settle(mb, job, mailbox_job_current(job), EFFECT_DONE,
	    buf_str(&detail), now);
}

static void
settle_moved(struct mailbox *mb, usec_t now)
{
	for (size_t i = 0; i < mb->op->count; i++) {
		struct job *job = mb->op->jobs[i];
		if (mailbox_op_has(mb, job))
			settle_with_new_uid(mb, job, now);
	}
	mailbox_op_finish(mb, now);
}

/* UIDPLUS names what was copied: what it does not name was gone before. */
static void
settle_copied(struct mailbox *mb, usec_t now)
{
	for (size_t i = 0; i < mb->op->count; i++) {
		struct job *job = mb->op->jobs[i];
		if (!mailbox_op_has(mb, job))
			continue;
		if (mb->op->moved.count > 0 &&
		    !imap_seqset_has(&mb->op->moved, job->key.uid))
			mailbox_settle(mb, job, mailbox_job_current(job),
			    EFFECT_SKIPPED, "the message is gone", now);
		else
			settle_with_new_uid(mb, job, now);
	}
	mailbox_op_finish(mb, now);
}

/* A mark that was refused is stored later. */
void
mailbox_move_copy_marked(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	mb->op->marked = response->status == IMAP_OK;
	settle_copied(mb, now);
}

void
mailbox_move_send_look(struct mailbox *mb, usec_t now)
{
	imap_seqset_done(&mb->op->seen);
	mailbox_op_send_uids(mb, OP_LOOK, "UID FETCH", "(UID)", now);
}

void
mailbox_move_note_uid(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct imap_fetch fetch;

	(void)now;
	if (imap_fetch_parse(response, &fetch) && fetch.uid != 0 &&
	    imap_seqset_has(&mb->op->uids, fetch.uid))
		imap_seqset_add(&mb->op->seen, fetch.uid);
}

/* Whatever is refused from now on, it is not copied again. */
static void
note_copied(struct mailbox *mb)
{
	mb->op->copied = true;
	for (size_t i = 0; i < mb->op->count; i++)
		if (mailbox_op_has(mb, mb->op->jobs[i]))
			mailbox_job_current(mb->op->jobs[i])->copied = true;
}

void
mailbox_move_copy_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (response->status != IMAP_OK) {
		/* Then it was not MOVE that it could not. */
		if (imap_refusal_is_of_command(response))
			mb->no_move = false;
		target_missing(mb, response, now);
		return;
	}
	mailbox_move_note_copyuid(mb, response, now);
	if (mb->op->action.kind == ACTION_COPY) {
		if (!mailbox_claim_mark_copies(mb, now))
			settle_copied(mb, now);
		return;
	}
	if (mb->op->moved.count == 0) {
		note_copied(mb);
		mb->op->unproven = true;
		mailbox_move_send_look(mb, now);
		return;
	}
	/* UIDPLUS names what was copied: a message without a name was not,
	 * whether it was gone or is still here, and must not be deleted. */
	mailbox_op_leave_out(
	    mb, &mb->op->moved, "the server did not copy it", now);
	note_copied(mb);
	mailbox_move_send_deleted(mb, now);
}

/* After a COPY without COPYUID: what is still here was here to be copied;
 * what is not had gone before. */
static void
delete_seen(struct mailbox *mb, usec_t now)
{
	for (size_t i = 0; i < mb->op->count; i++) {
		struct job *job = mb->op->jobs[i];
		if (mailbox_op_has(mb, job) &&
		    !imap_seqset_has(&mb->op->seen, job->key.uid))
			mailbox_settle(mb, job, mailbox_job_current(job),
			    EFFECT_SKIPPED, "the message is gone", now);
	}
	imap_seqset_done(&mb->op->uids);
	mb->op->uids = mb->op->seen;
	mb->op->seen = (struct imap_seqset)IMAP_SEQSET_INIT;
	mb->op->unproven = false;
	mailbox_op_narrow(mb);
	if (mb->op->uids.count == 0)
		mailbox_op_finish(mb, now);
	else
		mailbox_move_send_deleted(mb, now);
}

static void
send_once_more(struct mailbox *mb, usec_t now)
{
	if (mb->op->action.kind != ACTION_COPY &&
	    mailbox_can(mb, IMAP_CAP_MOVE))
		mailbox_op_send_to_target(mb, OP_MOVE, "UID MOVE", now);
	else
		mailbox_op_send_to_target(mb, OP_COPY, "UID COPY", now);
}

/* What matches a pattern of `watch` is watched when it is listed.
 */
static bool
is_watched_by_pattern(const struct mailbox *mb, const char *name)
{
	const struct strv *watch = mb->config->watch;

	for (size_t i = 0; watch != NULL && i < watch->len; i++)
		if (strpbrk(watch->items[i], "*%") != NULL &&
		    folder_matches(watch->items[i], name))
			return true;
	return false;
}

/* Many programs show only what is subscribed (RFC 9051 section 6.3.7). One that
 * was there already is as the person wants it. */
void
mailbox_move_create_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	/* NO may mean that it is there already: the retry decides. */
	if (response->status != IMAP_OK) {
		buf_add_str(
		    &mb->op->not_made, "the folder could not be made: ");
		mailbox_refusal_words(response, &mb->op->not_made);
		mb->op->not_made_for_now = mailbox_is_for_now(response);
		mb->op->why = imap_refusal_read(response, false);
		send_once_more(mb, now);
		return;
	}
	if (is_watched_by_pattern(mb, mb->op->action.target))
		mb->lists = true;
	mailbox_op_send_target(mb, OP_SUBSCRIBE, "SUBSCRIBE", now);
}

/* Whatever it says: the folder is there. */
void
mailbox_move_subscribe_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	(void)response;
	send_once_more(mb, now);
}

static void
note_refusal(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	mailbox_op_note_refusal(mb, response, now);
	buf_clear(&mb->op->refusal);
	mb->op->refused_for_now = mailbox_is_for_now(response);
	mb->op->is_unknown = imap_refusal_is_of_command(response);
	if (mb->op->not_made.len > 0 && !mb->op->refused_for_now) {
		buf_add_span(&mb->op->refusal, buf_span(&mb->op->not_made));
		mb->op->refused_for_now = mb->op->not_made_for_now;
	} else {
		mailbox_refusal_words(response, &mb->op->refusal);
	}
}

void
mailbox_move_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (response->status == IMAP_OK) {
		mailbox_move_note_copyuid(mb, response, now);
		if (imap_seqset_size(&mb->op->moved) ==
		    imap_seqset_size(&mb->op->uids)) {
			settle_moved(mb, now);
			return;
		}
	} else if (wants_create(mb, response) || is_told_missing(response)) {
		target_missing(mb, response, now);
		return;
	} else {
		note_refusal(mb, response, now);
	}
	/* OK without COPYUID proves nothing; after NO some may be gone. */
	mailbox_move_send_look(mb, now);
}

/* Gone after a MOVE: moved, unless COPYUID named others and not this one. */
static void
settle_gone(struct mailbox *mb, struct job *job, usec_t now)
{
	if (mb->op->moved.count > 0 &&
	    !imap_seqset_has(&mb->op->moved, job->key.uid))
		mailbox_settle(mb, job, mailbox_job_current(job),
		    EFFECT_SKIPPED, "the message is gone", now);
	else
		settle_with_new_uid(mb, job, now);
}

/* RFC 6851 section 3.3: NO after some of them were moved. */
static const struct imap_refusal at_once = {.kind = IMAP_REFUSAL_STATE};

/* The server announces MOVE, and has none: it is begun anew, by a copy, as is
 * all else as long as the link lasts. */
static void
do_without_move(struct mailbox *mb, struct job *job, usec_t now)
{
	if (mailbox_can(mb, IMAP_CAP_MOVE))
		mailbox_report(mb, REPORT_WARNING, 0,
		    "the server announces MOVE, and cannot: what is to be "
		    "moved is copied, and removed here");
	mb->no_move = true;
	mailbox_job_postpone(mb, job, &at_once, buf_str(&mb->op->refusal), now);
}

/* One message of which a MOVE was in doubt: is it still here? Where others of
 * them went, it was not the target that refused. */
static void
look_at(struct mailbox *mb, struct job *job, usec_t now)
{
	const char *refusal =
	    mb->op->refusal.len > 0
		? buf_str(&mb->op->refusal)
		: "the server said OK, but the message is still here";

	if (!imap_seqset_has(&mb->op->seen, job->key.uid))
		settle_gone(mb, job, now);
	else if (imap_seqset_size(&mb->op->seen) < mb->op->count)
		mailbox_job_postpone(mb, job, &at_once, refusal, now);
	else if (mb->op->refusal.len == 0 || mb->op->refused_for_now)
		mailbox_job_postpone(mb, job, &mb->op->why, refusal, now);
	else if (mb->op->is_unknown)
		do_without_move(mb, job, now);
	else if (!mailbox_op_part_job(mb, job, refusal, now))
		mailbox_settle(mb, job, mailbox_job_current(job), EFFECT_FAILED,
		    refusal, now);
}

void
mailbox_move_look_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (response->status != IMAP_OK) {
		mailbox_op_refuse(mb, response, now);
		return;
	}
	if (mb->op->verify) {
		mailbox_verify_looked(mb, now);
		return;
	}
	if (mb->op->unproven) {
		delete_seen(mb, now);
		return;
	}
	for (size_t i = 0; i < mb->op->count; i++) {
		struct job *job = mb->op->jobs[i];
		if (mailbox_op_has(mb, job))
			look_at(mb, job, now);
	}
	mailbox_op_finish(mb, now);
}

void
mailbox_move_deleted_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (response->status != IMAP_OK) {
		mailbox_op_refuse(mb, response, now);
		return;
	}
	if (mailbox_can(mb, IMAP_CAP_UIDPLUS)) {
		mailbox_op_send_uids(mb, OP_EXPUNGE, "UID EXPUNGE", NULL, now);
		return;
	}
	mailbox_op_settle(mb, EFFECT_DONE,
	    "marked as deleted; this server (no UIDPLUS) cannot remove "
	    "single messages, so it stays until the folder is expunged",
	    now);
}

void
mailbox_move_expunge_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (response->status != IMAP_OK)
		mailbox_op_refuse(mb, response, now);
	else
		settle_moved(mb, now);
}
