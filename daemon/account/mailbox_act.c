/*
 * Doing what was planned: operations, each for one action of one message or,
 * where the actions are equal, of up to MAILBOX_GROUP_MAX messages in one
 * command; several at once, up to MAILBOX_IN_FLIGHT_MAX.
 */
#include <assert.h>

#include "daemon/account/mailbox_private.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

/* ---- refusals ---- */

bool
mailbox_is_for_now(const struct imap_response *response)
{
	enum imap_refusal_kind kind = imap_refusal_read(response, false).kind;

	return kind == IMAP_REFUSAL_QUOTA || kind == IMAP_REFUSAL_LIMIT ||
	       kind == IMAP_REFUSAL_UNAVAILABLE ||
	       kind == IMAP_REFUSAL_SERVER || kind == IMAP_REFUSAL_STATE;
}

void
mailbox_refusal_words(const struct imap_response *response, struct buf *words)
{
	buf_add_str(words, "the server says: ");
	str_sanitize(words, response->text, 300);
}

/* The action as the rule has it; the operation's copy may know more. */
const struct action *
mailbox_op_own_action(struct mailbox *mb)
{
	return mb->op->count > 0 ? &mailbox_job_current(mb->op->jobs[0])->action
				 : &mb->op->action;
}

void
mailbox_op_note_refusal(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	BUF_AUTO words = BUF_INIT;

	mb->op->why = imap_refusal_read(response, false);
	mailbox_refusal_words(response, &words);
	/* What is missing may be the message. */
	if (mb->op->why.kind != IMAP_REFUSAL_MISSING)
		mailbox_suspend(mb, mailbox_op_own_action(mb), mb->op->why.kind,
		    buf_str(&words), now);
}

/* RFC 5530: after [EXPUNGEISSUED] the client asks what went. */
static void
send_noop(struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct imap_command command;

	buf_clear(&mb->op->refusal);
	mailbox_refusal_words(response, &mb->op->refusal);
	mb->op->step = OP_NOOP;
	mailbox_begin_command(mb, &command, "NOOP");
	mailbox_send(mb, &command, now);
}

static void
noop_done(struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	BUF_AUTO words = BUF_INIT;

	(void)response;
	buf_add_span(&words, buf_span(&mb->op->refusal));
	mailbox_op_postpone(mb, buf_str(&words), now);
}

/* Its copy is in the target, or may be: what is refused now is the rest of it,
 * and it is neither done nor undone. */
static bool
is_under_way(const struct op *op)
{
	return op->copied || op->verify || op->step == OP_LOOK;
}

/* Where it was done to some in spite of the refusal, it may be done again. */
static bool
is_repeatable(const struct op *op)
{
	return op->step == OP_STORE || op->step == OP_UNSTORE ||
	       op->step == OP_LABEL;
}

void
mailbox_op_refuse(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	BUF_AUTO words = BUF_INIT;

	mailbox_op_note_refusal(mb, response, now);
	mailbox_refusal_words(response, &words);
	if (mb->op->why.kind == IMAP_REFUSAL_STATE)
		send_noop(mb, response, now);
	else if (mailbox_is_for_now(response) || is_under_way(mb->op))
		mailbox_op_postpone(mb, buf_str(&words), now);
	else if (!is_repeatable(mb->op) ||
		 !mailbox_op_part(mb, buf_str(&words), now))
		mailbox_op_settle(mb, EFFECT_FAILED, buf_str(&words), now);
}

/* ---- steps: sending ---- */

void
mailbox_op_send_uids(struct mailbox *mb, enum op_step step, const char *name,
    const char *items, usec_t now)
{
	struct imap_command command;

	mb->op->step = step;
	mailbox_begin_command(mb, &command, name);
	imap_command_seqset(&command, &mb->op->uids);
	if (items != NULL)
		imap_command_raw(&command, items);
	mailbox_send(mb, &command, now);
}

void
mailbox_op_send_to_target(
    struct mailbox *mb, enum op_step step, const char *name, usec_t now)
{
	struct imap_command command;

	mb->op->step = step;
	mailbox_begin_command(mb, &command, name);
	imap_command_seqset(&command, &mb->op->uids);
	imap_command_mailbox(&command, buf_span(&mb->op->target));
	mailbox_send(mb, &command, now);
}

void
mailbox_op_send_target(
    struct mailbox *mb, enum op_step step, const char *name, usec_t now)
{
	struct imap_command command;

	mb->op->step = step;
	mailbox_begin_command(mb, &command, name);
	imap_command_mailbox(&command, buf_span(&mb->op->target));
	mailbox_send(mb, &command, now);
}

bool
mailbox_can(const struct mailbox *mb, uint64_t capability)
{
	uint64_t announced = imap_session_capabilities(mb->session);

	if (mb->no_move)
		announced &= ~(uint64_t)IMAP_CAP_MOVE;
	return (announced & capability) != 0;
}

/* ---- the table of steps ---- */

static const struct {
	mailbox_response_fn *untagged, *done;
} steps[OP_STEPS] = {
    [OP_STATUS] = {mailbox_move_note_status, mailbox_move_status_done},
    [OP_FETCH] = {mailbox_task_note_content, mailbox_task_fetch_done},
    [OP_COPY] = {mailbox_move_note_copyuid, mailbox_move_copy_done},
    [OP_CREATE] = {NULL, mailbox_move_create_done},
    [OP_SUBSCRIBE] = {NULL, mailbox_move_subscribe_done},
    [OP_MOVE] = {mailbox_move_note_copyuid, mailbox_move_done},
    [OP_STORE] = {mailbox_guard_note_store, mailbox_mark_done},
    [OP_UNSTORE] = {mailbox_guard_note_store, mailbox_mark_done},
    [OP_LABEL] = {mailbox_guard_note_store, mailbox_label_done},
    [OP_DELETED] = {NULL, mailbox_move_deleted_done},
    [OP_EXPUNGE] = {NULL, mailbox_move_expunge_done},
    [OP_LOOK] = {mailbox_move_note_uid, mailbox_move_look_done},
    [OP_EXAMINE] = {mailbox_verify_note_target, mailbox_verify_examine_done},
    [OP_SEARCH] = {mailbox_verify_note_found, mailbox_verify_search_done},
    [OP_SIZES] = {mailbox_verify_note_size, mailbox_verify_sizes_done},
    [OP_COMPARE] = {mailbox_verify_note_header, mailbox_verify_compare_done},
    [OP_RESELECT] = {mailbox_verify_reselect_untagged,
	mailbox_verify_reselect_done},
    [OP_NOOP] = {NULL, noop_done},
    [OP_CLAIM_FETCH] = {mailbox_claim_note_message, mailbox_claim_done},
    [OP_CLAIM_STORE] = {NULL, mailbox_claim_done},
    [OP_CLAIM_MARK] = {NULL, mailbox_claim_mark_done},
    [OP_COPY_MARK] = {NULL, mailbox_move_copy_marked},
    [OP_CHORE] = {NULL, mailbox_claim_chore_done},
    [OP_CHORE_SELECT] = {NULL, mailbox_claim_chore_selected},
    [OP_CHORE_STORE] = {NULL, mailbox_claim_chore_stored},
    [OP_CHORE_BACK] = {mailbox_verify_reselect_untagged,
	mailbox_claim_chore_back},
    [OP_FORWARD_SENDING] = {NULL, mailbox_forward_stored},
    [OP_FORWARD_UNSENDING] = {NULL, mailbox_forward_stored},
    [OP_SEEK_STATUS] = {mailbox_seek_note_status, mailbox_seek_status_done},
    [OP_SEEK_CREATE] = {NULL, mailbox_seek_created},
    [OP_SEEK_SELECT] = {mailbox_seek_note_select, mailbox_seek_selected},
    [OP_SEEK_READ] = {mailbox_seek_note_record, mailbox_seek_read_done},
    [OP_SEEK_APPEND] = {NULL, mailbox_seek_appended},
    [OP_SEEK_DELETE] = {NULL, mailbox_seek_deleted},
    [OP_SEEK_EXPUNGE] = {NULL, mailbox_seek_expunged},
    [OP_SEEK_PROVE] = {mailbox_seek_note_proof, mailbox_seek_proof_done},
    [OP_SEEK_AGAIN] = {NULL, mailbox_seek_again_done},
    [OP_SEEK_LOG] = {NULL, mailbox_seek_logged},
    [OP_SEEK_RELOG] = {mailbox_log_note_select, mailbox_seek_relogged},
    [OP_SEEK_RELOOK] = {mailbox_log_note_entry, mailbox_seek_relooked},
    [OP_LOG_SELECT] = {mailbox_log_note_select, mailbox_log_selected},
    [OP_LOG_READ] = {mailbox_log_note_entry, mailbox_log_read_done},
    [OP_LOG_BACK] = {mailbox_verify_reselect_untagged, mailbox_log_back},
    [OP_LOG_PRESENT] = {mailbox_log_note_present, mailbox_log_present_done},
    [OP_SEEK_BACK] = {mailbox_verify_reselect_untagged, mailbox_seek_back},
};

/*
 * It may be that the server lost its way among several commands: from now on
 * it gets one at a time. BAD says that nothing was done; what is not
 * idempotent is looked for all the same, as after a broken link.
 */
static void
begin_alone(struct mailbox *mb, usec_t now)
{
	mb->is_alone = true;
	for (size_t i = 0; i < mb->op->count; i++) {
		struct job *job = mb->op->jobs[i];
		struct job_action *action = mailbox_job_current(job);
		job->op = NULL;
		action->verify = action->state == EFFECT_STARTED &&
				 mailbox_is_verified(action->action.kind);
	}
	mailbox_op_finish(mb, now);
}

void
mailbox_act_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	LIST_EACH(pos, &mb->ops)
	{
		struct op *op = LIST_ITEM(pos, struct op, link);
		if (op->command == 0 || steps[op->step].untagged == NULL)
			continue;
		mb->op = op;
		steps[op->step].untagged(mb, response, now);
		mb->op = NULL;
	}
}

static struct op *
find_command(struct mailbox *mb, unsigned id)
{
	LIST_EACH(pos, &mb->ops)
	{
		struct op *op = LIST_ITEM(pos, struct op, link);
		if (op->command == id)
			return op;
	}
	return NULL;
}

static void
op_done(struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	mailbox_op_note_limit(mb, response);
	steps[mb->op->step].done(mb, response, now);
}

bool
mailbox_act_done(struct mailbox *mb, unsigned id,
    const struct imap_response *response, usec_t now)
{
	struct op *op = find_command(mb, id);

	if (op == NULL)
		return false;
	mb->op = op;
	op->command = 0;
	bool is_crowded = op->is_crowded || mb->op_count > 1;
	if (response->status == IMAP_BAD && is_crowded && !mb->is_alone)
		begin_alone(mb, now);
	else
		op_done(mb, response, now);
	mb->op = NULL;
	return true;
}

/* ---- beginning an operation ---- */

/* How each kind of action begins, what follows its intent, and what it is
 * aimed at when the rule names no folder. */
static const struct {
	mailbox_begin_fn *begin, *started;
	const char *target; /* special use; "" : the action's own */
	bool grouped;
} kinds[ACTION_KINDS] = {
    [ACTION_COPY] = {mailbox_move_send_status, mailbox_move_copy, "", true},
    [ACTION_FORWARD] = {mailbox_task_begin, mailbox_task_forward_queued, NULL,
	false},
    [ACTION_EXEC] = {mailbox_task_begin, mailbox_task_start_exec, NULL, false},
    [ACTION_MARK] = {mailbox_mark_begin, NULL, NULL, true},
    [ACTION_LABEL] = {mailbox_label_begin, NULL, NULL, true},
    [ACTION_MOVE] = {mailbox_move_begin, mailbox_move_take_away, "", true},
    [ACTION_ARCHIVE] = {mailbox_move_begin, mailbox_move_take_away, "\\Archive",
	true},
    [ACTION_TRASH] = {mailbox_move_begin, mailbox_move_take_away, "\\Trash",
	true},
    [ACTION_JUNK] = {mailbox_move_begin, mailbox_move_take_away, "\\Junk",
	true},
    [ACTION_DELETE] = {mailbox_move_begin_delete, mailbox_move_delete, NULL,
	true},
};

void
mailbox_op_begin(struct mailbox *mb, usec_t now)
{
	kinds[mb->op->action.kind].begin(mb, now);
}

void
mailbox_op_started(struct mailbox *mb, usec_t now)
{
	if (!mailbox_claim_mark_first(mb, now))
		kinds[mb->op->action.kind].started(mb, now);
}

static struct op *
find_started(struct mailbox *mb)
{
	LIST_EACH(pos, &mb->ops)
	{
		struct op *op = LIST_ITEM(pos, struct op, link);
		if (op->step == OP_INTENT && op->intent == mb->intents_written)
			return op;
	}
	return NULL;
}

void
mailbox_act_committed(struct mailbox *mb, usec_t now)
{
	while ((mb->op = find_started(mb)) != NULL)
		mailbox_op_started(mb, now);
}

/* Commands wait here for their turn, where they cost no memory and a killed
 * daemon knows that they never ran. */
static bool
has_room_for_commands(const struct mailbox *mb)
{
	size_t running = 0;

	LIST_EACH(pos, &mb->jobs)
	running += LIST_ITEM(pos, struct job, link)->running;
	return running < MAILBOX_COMMANDS_MAX;
}

static bool
is_held_back(const struct job *job, bool room)
{
	return !room && job->actions[job->next].action.kind == ACTION_EXEC;
}

static usec_t
ready_at(const struct mailbox *mb, const struct job *job)
{
	usec_t until =
	    mailbox_suspended_until(mb, &job->actions[job->next].action);
	usec_t held = mailbox_verify_held_until(mb, job);

	if (mailbox_job_is_ahead(mb, job))
		return USEC_NEVER;
	until = until > held ? until : held;
	return job->not_before > until ? job->not_before : until;
}

static bool
is_runnable(const struct mailbox *mb, const struct job *job, usec_t now)
{
	return job->key.uidvalidity == mb->uidvalidity &&
	       job->next < job->count && !job->running && job->op == NULL &&
	       mailbox_is_written(mb, job) &&
	       !mailbox_resync_must_look(mb, job) && ready_at(mb, job) <= now;
}

/* Notifications are handed over and do not hold the job. */
static void
hand_over_notifications(struct mailbox *mb, struct job *job, usec_t now)
{
	while (job->next < job->count &&
	       mailbox_job_current(job)->action.kind == ACTION_NOTIFY) {
		if (job->is_read && !job->read_by_rule &&
		    mailbox_job_current(job)->while_unread) {
			mailbox_settle(mb, job, mailbox_job_current(job),
			    EFFECT_DONE, "not shown: the message was read",
			    now);
			continue;
		}
		mailbox_task_hand_out(mb,
		    mailbox_task_make(mb, job, mailbox_job_current(job)),
		    MAILBOX_NOTIFY);
		mailbox_follow(mb, job, now);
		mailbox_job_advance(job);
	}
}

/* What holds nobody up, until there is something to be done. */
static void
pass_by(struct mailbox *mb, struct job *job, usec_t now)
{
	size_t before;

	do {
		before = job->next;
		hand_over_notifications(mb, job, now);
		mailbox_job_settle_lost(mb, job, now);
	} while (job->next != before);
}

/* Intents of an earlier life come first, all of them: what is copied now must
 * not be taken for what they are looking for. */
static struct job *
first_to_verify(struct mailbox *mb, usec_t now)
{
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (is_runnable(mb, job, now) &&
		    mailbox_job_current(job)->verify)
			return job;
	}
	return NULL;
}

static struct job *
first_runnable(struct mailbox *mb, usec_t now)
{
	bool room = has_room_for_commands(mb);

	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (!is_runnable(mb, job, now))
			continue;
		pass_by(mb, job, now);
		if (job->next >= job->count)
			mailbox_job_free(mb, job);
		else if (!job->running && !is_held_back(job, room))
			return job;
	}
	return NULL;
}

/* With MOVE all moves of an earlier life are looked for together, whatever
 * their targets: their UIDs tell, and no target is asked for. */
static bool
is_looked_for(const struct mailbox *mb, const struct job_action *action)
{
	return action->verify && action->action.kind != ACTION_COPY &&
	       mailbox_verify_by_uid(mb, action);
}

static bool
is_same(const struct mailbox *mb, const struct job_action *action,
    const struct job_action *model)
{
	if (model->verify)
		return is_looked_for(mb, action);
	return !action->verify && !action->copied &&
	       action->left == model->left &&
	       action->by_person == model->by_person &&
	       action_equal(&action->action, &model->action);
}

/* Messages with the same action next, for one command. */
static void
gather_group(struct mailbox *mb, struct job *first, usec_t now)
{
	mailbox_op_add(mb, first);
	const struct job_action *model = &first->actions[first->next];
	if (!kinds[model->action.kind].grouped || model->copied ||
	    first->alone || (model->verify && !is_looked_for(mb, model)))
		return;
	size_t max = mb->group_max != 0 ? mb->group_max : MAILBOX_GROUP_MAX;
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (mb->op->count >= max)
			return;
		if (is_runnable(mb, job, now) && !job->alone &&
		    job->guard == first->guard &&
		    is_same(mb, mailbox_job_current(job), model))
			mailbox_op_add(mb, job);
	}
}

/* RFC 9051 section 7.3.1: \Noselect holds folders only; CREATE may make a real
 * one of it. It may have become one since it was listed, which is done again
 * soon. */
static bool
holds_messages(struct mailbox *mb, usec_t now)
{
	const struct folder *folder =
	    folders_find(&mb->folders, buf_span(&mb->op->target));
	BUF_AUTO words = BUF_INIT;

	if (folder == NULL || folder->selectable || mb->op->action.create ||
	    mailbox_job_current(mb->op->jobs[0])->verify)
		return true;
	buf_addf(&words,
	    "the folder %s holds only folders, and no messages: name another "
	    "one, or write create = yes in the rule",
	    folder->display);
	mb->lists = true;
	mailbox_suspend(mb, mailbox_op_own_action(mb), IMAP_REFUSAL_MISSING,
	    buf_str(&words), now);
	mailbox_op_settle(mb, EFFECT_FAILED, buf_str(&words), now);
	return false;
}

/*
 * The wire name of what the operation is aimed at. False: it was settled,
 * because there is no such folder, or because the message is there already.
 */
static bool
find_target(struct mailbox *mb, usec_t now)
{
	const char *special = kinds[mb->op->action.kind].target;
	struct error error = ERROR_INIT;

	if (special == NULL)
		return true;
	const char *name = special[0] != '\0' ? special : mb->op->action.target;
	if (!folders_wire_name(&mb->folders, name, &mb->op->target, &error)) {
		mailbox_op_settle(mb, EFFECT_FAILED, error.text, now);
		return false;
	}
	if (special[0] != '\0' && mb->op->action.target == NULL)
		mb->op->action.target = xstrdup(name);
	if (span_equal(buf_span(&mb->op->target), buf_span(&mb->wire))) {
		mailbox_op_settle(mb, EFFECT_DONE, "it is there already", now);
		return false;
	}
	return holds_messages(mb, now);
}

static bool
changes_mailbox(enum action_kind kind)
{
	return kind == ACTION_MARK || kind == ACTION_LABEL ||
	       (kind >= ACTION_MOVE && kind <= ACTION_DELETE);
}

/* True: the group was settled, as the server would only say no. */
static bool
is_forbidden(struct mailbox *mb, struct job *job, usec_t now)
{
	const struct job_action *action = mailbox_job_current(job);
	const char *words = mailbox_forbidden(mb, &action->action, now);
	BUF_AUTO why = BUF_INIT;

	if (action->verify)
		return false;
	if (words != NULL)
		buf_addf(&why, "not tried: %s", words);
	else if (mb->read_only && changes_mailbox(action->action.kind))
		buf_add_str(&why, "the server lets this mailbox only be read");
	if (why.len == 0)
		return false;
	mailbox_op_settle(mb, EFFECT_FAILED, buf_str(&why), now);
	return true;
}

/* ---- several at once ---- */

/*
 * RFC 9051 section 5.5: commands that name messages by UID, and never by
 * number, may be under way together. Not so what is fetched whole, what opens
 * another mailbox, and what looks for a copy.
 */
static bool
must_be_alone(const struct mailbox *mb, const struct job *job, usec_t now)
{
	const struct job_action *action = &job->actions[job->next];

	if (action->verify)
		return !is_looked_for(mb, action);
	return mailbox_claim_must_be_alone(mb, job, now) ||
	       action->action.kind == ACTION_FORWARD ||
	       (action->action.kind == ACTION_EXEC &&
		   (job->header.len == 0 || action->action.stdin_message));
}

static bool
is_anyone_alone(const struct mailbox *mb)
{
	LIST_EACH(pos, &mb->ops)
	{
		const struct op *op = LIST_ITEM(pos, struct op, link);
		if (op->is_alone)
			return true;
	}
	return false;
}

static bool
is_anyone_verifying(const struct mailbox *mb)
{
	LIST_EACH(pos, &mb->ops)
	{
		const struct op *op = LIST_ITEM(pos, struct op, link);
		if (op->verify)
			return true;
	}
	return false;
}

static struct job *
next_job(struct mailbox *mb, usec_t now)
{
	struct job *job = first_to_verify(mb, now);

	if (mb->op_count > 0 &&
	    (mb->is_alone || mailbox_forward_deadline(mb) <= now ||
		mb->config->one_at_a_time ||
		mb->op_count >= MAILBOX_IN_FLIGHT_MAX || is_anyone_alone(mb)))
		return NULL;
	if (job == NULL && !is_anyone_verifying(mb))
		job = first_runnable(mb, now);
	return job != NULL && mb->op_count > 0 && must_be_alone(mb, job, now)
		   ? NULL
		   : job;
}

static void
begin_op(struct mailbox *mb, struct job *job, usec_t now)
{
	mb->op->is_alone = must_be_alone(mb, job, now);
	gather_group(mb, job, now);
	action_copy(&mb->op->action, &mailbox_job_current(job)->action);
	mb->op->copied = mailbox_job_current(job)->copied;
	mb->op->guard = job->guard;
	if (kinds[mb->op->action.kind].begin == NULL) {
		mailbox_op_settle(mb, EFFECT_FAILED,
		    "this action is not supported here", now);
		return;
	}
	if (mailbox_job_current(job)->left) {
		mailbox_claim_begin(mb, now);
		return;
	}
	if (is_forbidden(mb, job, now) ||
	    (!is_looked_for(mb, mailbox_job_current(job)) &&
		!find_target(mb, now)))
		return;
	if (mailbox_job_current(job)->verify)
		mailbox_verify_begin(mb, now);
	else
		mailbox_claim_begin(mb, now);
}

bool
mailbox_act_begin(struct mailbox *mb, usec_t now)
{
	struct job *job;

	assert(!mb->is_filling);
	mb->is_filling = true;
	mailbox_forward_note_ends(mb);
	if (mb->op_count == 0)
		mailbox_claim_mark(mb, now);
	while (mb->session != NULL && mb->op_count == 0 &&
	       mailbox_forward_begin(mb, now))
		;
	while (mb->session != NULL && (job = next_job(mb, now)) != NULL) {
		mailbox_op_new(mb);
		begin_op(mb, job, now);
		mb->op = NULL;
	}
	if (mb->session != NULL && mb->op_count == 0)
		mailbox_claim_tidy(mb, now);
	mb->is_filling = false;
	if (mb->session != NULL)
		mailbox_write_intents(mb, now);
	return mb->op_count > 0;
}

usec_t
mailbox_act_deadline(const struct mailbox *mb)
{
	usec_t first =
	    usec_min(mailbox_forward_deadline(mb), mailbox_chores_deadline(mb));
	bool room = has_room_for_commands(mb);

	LIST_EACH(pos, &mb->jobs)
	{
		const struct job *job = LIST_ITEM(pos, struct job, link);
		if (job->running || job->next >= job->count)
			continue;
		usec_t ready = ready_at(mb, job);
		if (ready < first && !is_held_back(job, room))
			first = ready;
	}
	return first;
}

bool
mailbox_act_is_due(const struct mailbox *mb, usec_t now)
{
	return (mb->state == MAILBOX_IDLE || mb->state == MAILBOX_POLLING) &&
	       mailbox_act_deadline(mb) <= now;
}
