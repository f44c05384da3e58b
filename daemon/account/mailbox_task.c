/*
 * What needs the message itself: commands (its header block or all of it on
 * standard input) and forwards (all of it into the queue).
 */
#include "daemon/account/mailbox_private.h"
#include "daemon/account/undo.h"
#include "daemon/base/digest.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/forward_guard.h"

/* NO to the message itself is believed after so many tries: some hours. */
#define READ_ATTEMPTS 6

static void
settle_too_large(struct mailbox *mb, usec_t now)
{
	BUF_AUTO words = BUF_INIT;

	buf_addf(&words, "the message has more than %d MB",
	    MAILBOX_MESSAGE_MAX / (1024 * 1024));
	mailbox_op_settle(mb, EFFECT_FAILED, buf_str(&words), now);
}

/* ---- commands whose header came with the message ---- */

static bool
has_early_command(const struct job *job)
{
	const struct job_action *next = &job->actions[job->next];

	return job->header.len > 0 && next->action.kind == ACTION_EXEC &&
	       !next->action.stdin_message && next->state == EFFECT_PLANNED;
}

void
mailbox_task_add_early(
    struct mailbox *mb, struct store_batch *batch, usec_t now)
{
	size_t room = MAILBOX_COMMANDS_MAX;

	LIST_EACH(pos, &mb->jobs)
	if (LIST_ITEM(pos, struct job, link)->running)
		room--;
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (room == 0 || !has_early_command(job) ||
		    !mailbox_claim_is_free(mb, ACTION_EXEC, now))
			continue;
		struct job_action *action = mailbox_job_current(job);
		action->state = EFFECT_STARTED;
		action->early = true;
		store_batch_set_effect(batch, &job->key, action->seq,
		    EFFECT_STARTED, 0, "", mailbox_unix(mb, now));
		room--;
	}
}

/* False: its header must be fetched. */
static bool
begin_with_header(struct mailbox *mb, struct job *job, usec_t now)
{
	if (job->header.len == 0 || mb->op->action.kind != ACTION_EXEC ||
	    mb->op->action.stdin_message)
		return false;
	mb->op->content = job->header;
	job->header = (struct buf)BUF_INIT;
	mailbox_op_intent(mb, now);
	return true;
}

void
mailbox_task_begin(struct mailbox *mb, usec_t now)
{
	bool whole = mb->op->action.kind == ACTION_FORWARD ||
		     mb->op->action.stdin_message;

	if (begin_with_header(mb, mailbox_op_only(mb), now))
		return;
	if (whole && mailbox_op_only(mb)->size >= MAILBOX_MESSAGE_MAX) {
		settle_too_large(mb, now);
		return;
	}
	imap_session_set_literal_max(
	    mb->session, whole ? MAILBOX_MESSAGE_MAX : MAILBOX_HEADER_MAX);
	mailbox_op_send_uids(mb, OP_FETCH, "UID FETCH",
	    whole ? "(UID BODY.PEEK[])" : "(UID BODY.PEEK[HEADER])", now);
}

void
mailbox_task_note_content(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct imap_fetch fetch;

	(void)now;
	if (!imap_fetch_parse(response, &fetch) ||
	    !imap_seqset_has(&mb->op->uids, fetch.uid))
		return;
	if (!fetch.has_body && !fetch.has_header)
		return;
	struct span bytes = fetch.has_body ? fetch.body : fetch.header;
	if (bytes.len == 0)
		return;
	buf_clear(&mb->op->content);
	buf_add_span(&mb->op->content, bytes);
	mb->op->found = true;
}

/* ---- exec ---- */

static void
add_environment(struct strv *environment, const char *name, const char *value)
{
	struct buf line = BUF_INIT;

	buf_reserve(&line, strlen(name) + strlen(value) + sizeof("BELFRY_="));
	buf_add_str(&line, "BELFRY_");
	buf_add_str(&line, name);
	buf_add_char(&line, '=');
	str_sanitize(&line, span_from_str(value), 1000);
	strv_take(environment, buf_take_str(&line));
}

/* What was done to the message until now. */
static void
note_deeds(struct mailbox_task *task, const struct job *job)
{
	for (size_t i = 0; i < job->next; i++) {
		const struct job_action *done = &job->actions[i];
		if (done->state != EFFECT_DONE)
			continue;
		if (mailbox_is_destructive(done->action.kind)) {
			const char *where = undo_target_of(&done->action);
			free(task->moved_to);
			task->moved_to = xstrdup(where != NULL ? where : "");
		} else if (done->action.kind == ACTION_MARK &&
			   strv_has_nocase(&done->action.add, SPAN("\\Seen"))) {
			task->is_read = true;
		}
	}
}

struct mailbox_task *
mailbox_task_make(
    struct mailbox *mb, const struct job *job, const struct job_action *action)
{
	struct mailbox_task *task = NEW(struct mailbox_task);

	(void)mb;
	note_deeds(task, job);
	task->uidvalidity = job->key.uidvalidity;
	task->uid = job->key.uid;
	task->seq = action->seq;
	action_init(&task->action, action->action.kind);
	action_done(&task->action);
	action_copy(&task->action, &action->action);
	task->from = xstrdup(job->from);
	task->subject = xstrdup(mailbox_job_subject(job));
	task->is_hidden = mailbox_job_is_hidden(job, &action->action);
	task->message_id = xstrdup(job->message_id);
	task->judged_unix = job->judged_unix;
	if (action->action.kind != ACTION_NOTIFY)
		return task;
	buf_add_span(&task->input, buf_span(&job->header));
	if (job->preview != NULL) {
		task->preview = xstrdup(job->preview);
		task->text = xstrdup(job->text);
	}
	return task;
}

static void
add_task(struct mailbox *mb, uint32_t uidvalidity, uint32_t uid, unsigned seq)
{
	struct task *task = NEW(struct task);

	task->uidvalidity = uidvalidity;
	task->uid = uid;
	task->seq = seq;
	list_add(&mb->tasks, &task->link);
}

/* As in mailbox_load_effect: not what a visitor leaves alone. */
bool
mailbox_load_task(
    struct mailbox *mb, uint32_t uidvalidity, uint32_t uid, unsigned seq)
{
	if (mb->visit == VISIT_LOOK || mb->config->dry_run ||
	    (mb->visit == VISIT_ACT && seq < STORE_APPLY_SEQ))
		return false;
	add_task(mb, uidvalidity, uid, seq);
	return true;
}

void
mailbox_task_hand_out(
    struct mailbox *mb, struct mailbox_task *task, enum mailbox_event_kind kind)
{
	add_task(mb, task->uidvalidity, task->uid, task->seq);
	mailbox_emit(mb, (struct mailbox_event){.kind = kind, .task = task});
}

static struct mailbox_task *
make_exec(struct mailbox *mb, const struct job *job,
    const struct job_action *action, struct span input)
{
	struct mailbox_task *task = mailbox_task_make(mb, job, action);
	STR_AUTO uid = xasprintf("%u", job->key.uid);

	buf_add_span(&task->input, input);
	if (task->is_hidden)
		mailbox_task_show_codes(task, input);
	add_environment(&task->environment, "ACCOUNT", mb->config->account);
	add_environment(&task->environment, "MAILBOX", mb->name);
	add_environment(&task->environment, "UID", uid);
	add_environment(&task->environment, "RULE", action->action.rule);
	add_environment(&task->environment, "FROM", job->from);
	add_environment(&task->environment, "SUBJECT", task->subject);
	add_environment(&task->environment, "MESSAGE_ID", job->message_id);
	return task;
}

void
mailbox_task_start_exec(struct mailbox *mb, usec_t now)
{
	struct job *job = mailbox_op_only(mb);
	struct mailbox_task *task = make_exec(
	    mb, job, mailbox_job_current(job), buf_span(&mb->op->content));

	job->running = true;
	mailbox_task_hand_out(mb, task, MAILBOX_EXEC);
	mailbox_op_finish(mb, now);
}

/* Of several the first, for which all the others wait. */
void
mailbox_task_prepare(struct mailbox *mb)
{
	LIST_EACH(pos, &mb->jobs)
	{
		const struct job *job = LIST_ITEM(pos, struct job, link);
		const struct job_action *next = &job->actions[job->next];
		if (job->next >= job->count || !next->early ||
		    next->action.kind != ACTION_EXEC)
			continue;
		mailbox_emit(mb, (struct mailbox_event){.kind = MAILBOX_PREPARE,
				     .task = make_exec(mb, job, next,
					 buf_span(&job->header))});
		return;
	}
}

/* ---- forward ---- */

/* What identifies the forward: the message, the target, the mode; not the
 * UID, so that a rebuilt or second mailbox forwards nothing twice. */
static void
forward_key(const struct mailbox *mb, const struct job *job, struct buf *key)
{
	STR_AUTO facts = xasprintf("%llu %lld", (unsigned long long)job->size,
	    (long long)job->received_unix);
	STR_AUTO mode = xasprintf("%d", mb->op->action.mode);
	const struct span pieces[] = {span_from_str(mb->config->account),
	    span_from_str(job->message_id), span_from_str(facts),
	    span_from_str(job->from), span_from_str(job->subject),
	    span_from_str(mb->op->action.target), span_from_str(mode)};

	digest_key(key, pieces, sizeof(pieces) / sizeof(pieces[0]));
}

static const char *const unknown_names[] = {
    [UNKNOWN_RESEND] = "resend",
    [UNKNOWN_HOLD] = "hold",
    [UNKNOWN_DROP] = "drop",
};

static const char *const mode_names[] = {
    [FORWARD_ATTACH] = "attach",
    [FORWARD_REDIRECT] = "redirect",
    [FORWARD_INLINE] = "inline",
};

static void
enqueue(struct mailbox *mb, struct job *job, usec_t now)
{
	struct store_batch *batch = store_batch_new();
	int64_t now_unix = mailbox_unix(mb, now);
	const char *at = strchr(mb->config->email, '@');
	BUF_AUTO key = BUF_INIT;

	forward_key(mb, job, &key);
	STR_AUTO id = xasprintf(
	    "<belfry.%.32s%s>", buf_str(&key), at != NULL ? at : "@localhost");
	const struct store_queue_item item = {
	    .key = buf_str(&key),
	    .source = job->key,
	    .seq = mailbox_job_current(job)->seq,
	    .account = mb->config->account,
	    .rule = mb->op->action.rule,
	    .target = mb->op->action.target,
	    .mode = mode_names[mb->op->action.mode],
	    .unknown = unknown_names[mb->op->action.unknown],
	    .message_id = id,
	    .subject = job->subject,
	    .queued_unix = now_unix,
	    .original = buf_span(&mb->op->content),
	    .state = QUEUE_WAITING,
	    .next_try_unix = now_unix,
	    .reply = mailbox_forward_is_claimed(mb, job) ? STORE_CLAIMED : "",
	};
	if (mb->config->queue != NULL) {
		mb->config->queue->count++;
		mb->config->queue->bytes += item.original.len;
	}
	mailbox_brake_note(mb, job, batch, now);
	/* The state first: the store may settle it while enqueueing. */
	struct job_action *action = mailbox_job_current(job);
	action->state = EFFECT_STARTED;
	store_batch_set_effect(batch, &job->key, action->seq, EFFECT_STARTED,
	    action->attempts, "in the forward queue", now_unix);
	store_batch_enqueue(batch, &item);
	mb->op->step = OP_INTENT;
	mb->op->intent = mb->intents_made + 1;
	mailbox_commit(mb, COMMIT_STARTED, batch);
}

/* As where a mailbox is full: one try an hour, and the person is told. */
static void
wait_for_room(struct mailbox *mb, usec_t now)
{
	static const char words[] = "the forward queue is full: belfryctl "
				    "queue shows why it is not sent";

	mb->op->why = (struct imap_refusal){.kind = IMAP_REFUSAL_QUOTA};
	mailbox_suspend(
	    mb, mailbox_op_own_action(mb), IMAP_REFUSAL_QUOTA, words, now);
	mailbox_op_postpone(mb, words, now);
}

static void
begin_forward(struct mailbox *mb, usec_t now)
{
	struct job *job = mailbox_op_only(mb);
	struct message *message = message_new(buf_span(&mb->op->content));
	const struct forward_guard_config guard = {
	    .target = mb->op->action.target,
	    .identities = mb->config->identities,
	    .allow_list = mb->op->action.allow_list,
	    .allow_auto = mb->op->action.allow_auto,
	};
	BUF_AUTO why = BUF_INIT;
	bool allowed = forward_guard_allows(&guard, message, &why) &&
		       mailbox_brake_allows(mb, job, &why, now);

	message_free(&message);
	if (!allowed)
		mailbox_op_settle(mb, EFFECT_SKIPPED, buf_str(&why), now);
	else if (mb->config->queue != NULL &&
		 !store_queue_has_room(mb->config->queue, mb->op->content.len))
		wait_for_room(mb, now);
	else
		enqueue(mb, job, now);
}

void
mailbox_task_forward_queued(struct mailbox *mb, usec_t now)
{
	struct job *job = mailbox_op_only(mb);

	mailbox_report(mb, REPORT_DONE, job->key.uid, "queue the forward to %s",
	    mb->op->action.target);
	mailbox_forward_queued(mb, job, now);
	mailbox_job_advance(job);
	mailbox_op_finish(mb, now);
}

/* To read it is no question of rights: a server that has its own trouble with
 * it may have none in a while. What it calls passing is waited for as it says.
 */
static void
fetch_refused(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	BUF_AUTO words = BUF_INIT;

	if (response->status != IMAP_NO || mailbox_is_for_now(response) ||
	    mailbox_job_current(mailbox_op_only(mb))->attempts >=
		READ_ATTEMPTS) {
		mailbox_op_refuse(mb, response, now);
		return;
	}
	mailbox_refusal_words(response, &words);
	mailbox_op_postpone(mb, buf_str(&words), now);
}

void
mailbox_task_fetch_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	imap_session_set_literal_max(mb->session, MAILBOX_HEADER_MAX);
	if (response->status != IMAP_OK) {
		fetch_refused(mb, response, now);
		return;
	}
	if (!mb->op->found) {
		struct job *job = mailbox_op_only(mb);
		while (job->next < job->count)
			mailbox_settle(mb, job, mailbox_job_current(job),
			    EFFECT_SKIPPED, "the message is gone", now);
		mailbox_op_finish(mb, now);
		return;
	}
	/* Its size was a lie, and it was cut. */
	if (mb->op->content.len >= MAILBOX_MESSAGE_MAX) {
		settle_too_large(mb, now);
		return;
	}
	if (mb->op->action.kind == ACTION_FORWARD)
		begin_forward(mb, now);
	else
		mailbox_op_intent(mb, now);
}
