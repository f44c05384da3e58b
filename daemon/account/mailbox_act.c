/*
 * Doing what was planned: one operation at a time, each for one action of
 * one message or, where the actions are equal, of up to MAILBOX_GROUP_MAX
 * messages in one command.
 */
#include <assert.h>

#include "daemon/account/mailbox_private.h"
#include "daemon/base/digest.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/forward_guard.h"

/* Waits after a refusal that may pass (over quota, in use). */
static const usec_t retry_ladder[] = {
    USEC_MINUTE, 5 * USEC_MINUTE, 15 * USEC_MINUTE, USEC_HOUR};
#define LADDER_LEN (sizeof(retry_ladder) / sizeof(retry_ladder[0]))

/* ---- jobs ---- */

static void
destroy_job(struct mailbox *mb, struct job *job)
{
	list_remove(&job->link);
	mb->job_count--;
	for (size_t i = 0; i < job->count; i++)
		action_done(&job->actions[i].action);
	free(job->actions);
	free(job->message_id);
	free(job->from);
	free(job->subject);
	free(job);
}

void
mailbox_job_free(struct mailbox *mb, struct job *job)
{
	destroy_job(mb, job);
}

void
mailbox_jobs_clear(struct mailbox *mb)
{
	LIST_EACH(pos, &mb->jobs)
	destroy_job(mb, LIST_ITEM(pos, struct job, link));
}

struct job *
mailbox_job_add(struct mailbox *mb, uint32_t uidvalidity, uint32_t uid)
{
	struct job *job = NEW(struct job);

	job->key = (struct store_key){.account = mb->config.account,
	    .mailbox = mb->config.name,
	    .uidvalidity = uidvalidity,
	    .uid = uid};
	list_add(&mb->jobs, &job->link);
	mb->job_count++;
	return job;
}

struct job *
mailbox_job_find(struct mailbox *mb, uint32_t uidvalidity, uint32_t uid)
{
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (job->key.uid == uid && job->key.uidvalidity == uidvalidity)
			return job;
	}
	return NULL;
}

struct job_action *
mailbox_job_add_action(struct job *job)
{
	job->actions = xreallocarray(
	    job->actions, job->count + 1, sizeof(*job->actions));
	struct job_action *action = &job->actions[job->count];
	*action = (struct job_action){.seq = (unsigned)job->count};
	job->count++;
	return action;
}

static struct job_action *
current(struct job *job)
{
	assert(job->next < job->count);
	return &job->actions[job->next];
}

/* ---- outcomes ---- */

static bool
is_destructive(enum action_kind kind)
{
	return kind >= ACTION_MOVE && kind <= ACTION_DELETE;
}

static void
record(struct mailbox *mb, const struct job *job,
    const struct job_action *action, const char *detail, usec_t now)
{
	if (mb->outcomes == NULL)
		mb->outcomes = store_batch_new();
	store_batch_set_effect(mb->outcomes, &job->key, action->seq,
	    action->state, action->attempts, detail, mailbox_unix(mb, now));
}

static void
report_outcome(struct mailbox *mb, const struct job *job,
    const struct job_action *action, const char *detail)
{
	BUF_AUTO what = BUF_INIT;

	action_describe(&what, &action->action);
	if (action->state == EFFECT_DONE)
		mailbox_report(mb, REPORT_DONE, job->key.uid, "%s%s%s",
		    buf_str(&what), detail[0] != '\0' ? ": " : "", detail);
	else
		mailbox_report(mb, REPORT_REFUSED, job->key.uid,
		    "%s: %s: %s", buf_str(&what),
		    effect_state_name(action->state), detail);
}

static void
settle_one(struct mailbox *mb, struct job *job, struct job_action *action,
    enum effect_state state, const char *detail, usec_t now)
{
	action->state = state;
	record(mb, job, action, detail, now);
	report_outcome(mb, job, action, detail);
}

/* The copy or forward that should have come first is not there: what would
 * take the message away is not done, now or after a restart. */
static void
keep_message(struct mailbox *mb, struct job *job,
    const struct job_action *failed, usec_t now)
{
	BUF_AUTO why = BUF_INIT;

	buf_addf(&why, "the message stays, because %s failed",
	    action_name(failed->action.kind));
	for (size_t i = job->next + 1; i < job->count; i++)
		if (is_destructive(job->actions[i].action.kind))
			settle_one(mb, job, &job->actions[i], EFFECT_SKIPPED,
			    buf_str(&why), now);
}

static bool
is_open(enum effect_state state)
{
	return state == EFFECT_PLANNED || state == EFFECT_STARTED;
}

static void
advance(struct job *job)
{
	do
		job->next++;
	while (job->next < job->count &&
	    !is_open(job->actions[job->next].state));
}

void
mailbox_settle(struct mailbox *mb, struct job *job, struct job_action *action,
    enum effect_state state, const char *detail, usec_t now)
{
	enum action_kind kind = action->action.kind;

	assert(action == current(job));
	settle_one(mb, job, action, state, detail, now);
	if (state == EFFECT_FAILED &&
	    (kind == ACTION_COPY || kind == ACTION_FORWARD))
		keep_message(mb, job, action, now);
	job->running = false;
	advance(job);
}

/* A refusal that may pass: the intent goes back to PLANNED and waits. */
static void
postpone(struct mailbox *mb, struct job *job, const char *detail, usec_t now)
{
	struct job_action *action = current(job);
	size_t step = action->attempts < LADDER_LEN ? action->attempts :
	                                              LADDER_LEN - 1;

	action->attempts++;
	if (action->attempts >= MAILBOX_TRIES_MAX) {
		mailbox_settle(mb, job, action, EFFECT_FAILED, detail, now);
		return;
	}
	action->state = EFFECT_PLANNED;
	record(mb, job, action, detail, now);
	job->not_before = usec_add(
	    now, random_jitter(&mb->random, retry_ladder[step], 20));
	if (action->attempts == 1)
		mailbox_report(mb, REPORT_WARNING, job->key.uid,
		    "%s is tried again later: %s",
		    action_name(action->action.kind), detail);
}

/* ---- the group that the operation serves ---- */

static bool
is_in_group(const struct mailbox *mb, const struct job *job)
{
	return job->key.uidvalidity == mb->uidvalidity &&
	    job->next < job->count &&
	    imap_seqset_has(&mb->op.uids, job->key.uid);
}

static struct job *
only_job(struct mailbox *mb)
{
	assert(mb->op.uids.count == 1);
	return mailbox_job_find(
	    mb, mb->uidvalidity, mb->op.uids.ranges[0].first);
}

static void
free_finished(struct mailbox *mb)
{
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (job->next >= job->count)
			destroy_job(mb, job);
	}
}

void
mailbox_op_reset(struct mailbox *mb)
{
	struct op *op = &mb->op;

	action_done(&op->action);
	imap_seqset_done(&op->uids);
	imap_seqset_done(&op->seen);
	imap_seqset_done(&op->moved);
	buf_done(&op->target);
	buf_done(&op->content);
	buf_done(&op->refusal);
	*op = (struct op){0};
}

static void
finish_op(struct mailbox *mb, usec_t now)
{
	mailbox_op_reset(mb);
	free_finished(mb);
	mailbox_go_on(mb, now);
}

static void
settle_group(struct mailbox *mb, enum effect_state state, const char *detail,
    usec_t now)
{
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (is_in_group(mb, job))
			mailbox_settle(
			    mb, job, current(job), state, detail, now);
	}
	finish_op(mb, now);
}

static void
postpone_group(struct mailbox *mb, const char *detail, usec_t now)
{
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (is_in_group(mb, job))
			postpone(mb, job, detail, now);
	}
	finish_op(mb, now);
}

/* Codes (RFC 5530) of refusals that time may cure. */
static bool
is_for_now(const struct imap_response *response)
{
	static const char *const codes[] = {"OVERQUOTA", "LIMIT", "INUSE",
	    "UNAVAILABLE", "SERVERBUG", "CORRUPTION", "EXPUNGEISSUED"};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (span_is_nocase(response->code, codes[i]))
			return true;
	return false;
}

static void
refusal_words(const struct imap_response *response, struct buf *words)
{
	buf_add_str(words, "the server says: ");
	str_sanitize(words, response->text, 300);
}

static void
refuse_group(struct mailbox *mb, const struct imap_response *response,
    usec_t now)
{
	BUF_AUTO words = BUF_INIT;
	bool for_now = is_for_now(response);

	refusal_words(response, &words);
	if (for_now)
		postpone_group(mb, buf_str(&words), now);
	else
		settle_group(mb, EFFECT_FAILED, buf_str(&words), now);
}

/* ---- steps: sending ---- */

static void
send_uids(struct mailbox *mb, enum op_step step, const char *name,
    const char *items, usec_t now)
{
	struct imap_command command;

	mb->op.step = step;
	mailbox_begin_command(mb, &command, name);
	imap_command_seqset(&command, &mb->op.uids);
	if (items != NULL)
		imap_command_raw(&command, items);
	mailbox_send(mb, &command, now);
}

static void
send_to_target(struct mailbox *mb, enum op_step step, const char *name,
    usec_t now)
{
	struct imap_command command;

	mb->op.step = step;
	mailbox_begin_command(mb, &command, name);
	imap_command_seqset(&command, &mb->op.uids);
	imap_command_mailbox(&command, buf_span(&mb->op.target));
	mailbox_send(mb, &command, now);
}

static void
send_target(struct mailbox *mb, enum op_step step, const char *name,
    usec_t now)
{
	struct imap_command command;

	mb->op.step = step;
	mailbox_begin_command(mb, &command, name);
	imap_command_mailbox(&command, buf_span(&mb->op.target));
	mailbox_send(mb, &command, now);
}

static bool
can(const struct mailbox *mb, uint32_t capability)
{
	return (imap_session_capabilities(mb->session) & capability) != 0;
}

static void
send_fetch(struct mailbox *mb, usec_t now)
{
	bool whole = mb->op.action.kind == ACTION_FORWARD ||
	    mb->op.action.stdin_message;

	imap_session_set_literal_max(
	    mb->session, whole ? MAILBOX_MESSAGE_MAX : MAILBOX_HEADER_MAX);
	send_uids(mb, OP_FETCH, "UID FETCH",
	    whole ? "(UID BODY.PEEK[])" : "(UID BODY.PEEK[HEADER])", now);
}

static void
send_look(struct mailbox *mb, usec_t now)
{
	imap_seqset_done(&mb->op.seen);
	send_uids(mb, OP_LOOK, "UID FETCH", "(UID)", now);
}

static void
send_deleted(struct mailbox *mb, usec_t now)
{
	send_uids(mb, OP_DELETED, "UID STORE", "+FLAGS.SILENT (\\Deleted)",
	    now);
}

/* Only flags that this mailbox keeps (RFC 9051 PERMANENTFLAGS). */
static void
keep_permanent(const struct mailbox *mb, const struct strv *flags,
    struct strv *kept, struct buf *lost)
{
	for (size_t i = 0; i < flags->len; i++) {
		const char *flag = flags->items[i];
		bool keyword = flag[0] != '\\';
		if (!mb->has_permanent_flags ||
		    (keyword && mb->any_keyword) ||
		    strv_has_nocase(
		        &mb->permanent_flags, span_from_str(flag)))
			strv_add(kept, flag);
		else
			buf_addf(lost, "%s%s", lost->len > 0 ? ", " : "", flag);
	}
}

/* False when no flag was left to send. */
static bool
send_flags(struct mailbox *mb, enum op_step step, const char *items,
    const struct strv *flags, usec_t now)
{
	struct imap_command command;
	STRV_AUTO kept = STRV_INIT;

	keep_permanent(mb, flags, &kept, &mb->op.refusal);
	if (kept.len == 0)
		return false;
	mb->op.step = step;
	mailbox_begin_command(mb, &command, "UID STORE");
	imap_command_seqset(&command, &mb->op.uids);
	imap_command_raw(&command, items);
	imap_command_flags(&command, &kept);
	mailbox_send(mb, &command, now);
	return true;
}

static void
finish_mark(struct mailbox *mb, usec_t now)
{
	BUF_AUTO words = BUF_INIT;

	if (mb->op.refusal.len > 0) {
		buf_addf(&words, "this mailbox does not keep %s",
		    buf_str(&mb->op.refusal));
		settle_group(mb,
		    mb->op.found ? EFFECT_DONE : EFFECT_FAILED,
		    buf_str(&words), now);
		return;
	}
	settle_group(mb, EFFECT_DONE, "", now);
}

static void
send_unstore(struct mailbox *mb, usec_t now)
{
	if (mb->op.action.remove.len == 0 ||
	    !send_flags(mb, OP_UNSTORE, "-FLAGS.SILENT",
	        &mb->op.action.remove, now))
		finish_mark(mb, now);
}

static void
send_store(struct mailbox *mb, usec_t now)
{
	if (mb->op.action.add.len == 0 ||
	    !send_flags(
	        mb, OP_STORE, "+FLAGS.SILENT", &mb->op.action.add, now))
		send_unstore(mb, now);
}

/* ---- intents ---- */

static void
commit_intent(struct mailbox *mb, struct store_batch *batch, usec_t now)
{
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (!is_in_group(mb, job))
			continue;
		struct job_action *action = current(job);
		action->state = EFFECT_STARTED;
		store_batch_set_effect(batch, &job->key, action->seq,
		    EFFECT_STARTED, action->attempts, "",
		    mailbox_unix(mb, now));
	}
	mb->op.step = OP_INTENT;
	mailbox_commit(mb, COMMIT_STARTED, batch);
}

/* ---- exec ---- */

static void
add_environment(struct strv *environment, const char *name, const char *value)
{
	BUF_AUTO clean = BUF_INIT;

	str_sanitize(&clean, span_from_str(value), 1000);
	strv_take(environment, xasprintf("BELFRY_%s=%s", name, buf_str(&clean)));
}

static struct mailbox_task *
make_task(struct mailbox *mb, const struct job *job,
    const struct job_action *action)
{
	struct mailbox_task *task = NEW(struct mailbox_task);

	(void)mb;
	task->uidvalidity = job->key.uidvalidity;
	task->uid = job->key.uid;
	task->seq = action->seq;
	action_init(&task->action, action->action.kind);
	action_done(&task->action);
	action_copy(&task->action, &action->action);
	task->from = xstrdup(job->from);
	task->subject = xstrdup(job->subject);
	task->message_id = xstrdup(job->message_id);
	return task;
}

static void
hand_out_task(struct mailbox *mb, struct mailbox_task *task,
    enum mailbox_event_kind kind)
{
	struct task *known = NEW(struct task);

	known->uidvalidity = task->uidvalidity;
	known->uid = task->uid;
	known->seq = task->seq;
	list_add(&mb->tasks, &known->link);
	mailbox_emit(mb, (struct mailbox_event){.kind = kind, .task = task});
}

static void
start_exec(struct mailbox *mb, usec_t now)
{
	struct job *job = only_job(mb);
	struct job_action *action = current(job);
	struct mailbox_task *task = make_task(mb, job, action);
	STR_AUTO uid = xasprintf("%u", job->key.uid);

	buf_add_span(&task->input, buf_span(&mb->op.content));
	add_environment(&task->environment, "ACCOUNT", mb->config.account);
	add_environment(&task->environment, "MAILBOX", mb->config.name);
	add_environment(&task->environment, "UID", uid);
	add_environment(&task->environment, "RULE", action->action.rule);
	add_environment(&task->environment, "FROM", job->from);
	add_environment(&task->environment, "SUBJECT", job->subject);
	add_environment(&task->environment, "MESSAGE_ID", job->message_id);
	job->running = true;
	hand_out_task(mb, task, MAILBOX_EXEC);
	finish_op(mb, now);
}

/* ---- forward ---- */

/* What identifies the forward: the message, the target, the mode; not the
 * UID, so that a rebuilt or second mailbox forwards nothing twice. */
static void
forward_key(const struct mailbox *mb, const struct job *job, struct buf *key)
{
	STR_AUTO facts = xasprintf("%llu %lld", (unsigned long long)job->size,
	    (long long)job->received_unix);
	STR_AUTO mode = xasprintf("%d", mb->op.action.mode);
	const struct span pieces[] = {span_from_str(mb->config.account),
	    span_from_str(job->message_id), span_from_str(facts),
	    span_from_str(job->from), span_from_str(job->subject),
	    span_from_str(mb->op.action.target), span_from_str(mode)};

	digest_key(key, pieces, sizeof(pieces) / sizeof(pieces[0]));
}

static bool
is_under_cap(const struct mailbox *mb, int64_t now_unix)
{
	STR_AUTO name = xasprintf("@forward %s", mb->config.account);

	return (mb->config.forwards_hour == 0 ||
	           limits_allow(mb->limits, name, mb->config.forwards_hour,
	               USEC_HOUR, now_unix)) &&
	    (mb->config.forwards_day == 0 ||
	        limits_allow(mb->limits, name, mb->config.forwards_day,
	            USEC_DAY, now_unix));
}

static const char *const unknown_names[] = {
    [UNKNOWN_RESEND] = "resend",
    [UNKNOWN_HOLD] = "hold",
    [UNKNOWN_DROP] = "drop",
};

static void
enqueue(struct mailbox *mb, struct job *job, usec_t now)
{
	struct store_batch *batch = store_batch_new();
	STR_AUTO hit = xasprintf("@forward %s", mb->config.account);
	int64_t now_unix = mailbox_unix(mb, now);
	const char *at = strchr(mb->config.email, '@');
	BUF_AUTO key = BUF_INIT;

	forward_key(mb, job, &key);
	STR_AUTO id = xasprintf(
	    "<belfry.%.32s%s>", buf_str(&key), at != NULL ? at : "@localhost");
	const struct store_queue_item item = {
	    .key = buf_str(&key),
	    .source = job->key,
	    .seq = current(job)->seq,
	    .account = mb->config.account,
	    .rule = mb->op.action.rule,
	    .target = mb->op.action.target,
	    .mode = "attach",
	    .unknown = unknown_names[mb->op.action.unknown],
	    .message_id = id,
	    .subject = job->subject,
	    .queued_unix = now_unix,
	    .original = buf_span(&mb->op.content),
	    .state = QUEUE_WAITING,
	    .next_try_unix = now_unix,
	    .reply = "",
	};
	limits_note(mb->limits, hit, now_unix);
	store_batch_add_hit(batch, hit, now_unix);
	/* The state first: the store may settle it while enqueueing. */
	struct job_action *action = current(job);
	action->state = EFFECT_STARTED;
	store_batch_set_effect(batch, &job->key, action->seq, EFFECT_STARTED,
	    action->attempts, "in the forward queue", now_unix);
	store_batch_enqueue(batch, &item);
	mb->op.step = OP_INTENT;
	mailbox_commit(mb, COMMIT_STARTED, batch);
}

static void
begin_forward(struct mailbox *mb, usec_t now)
{
	struct job *job = only_job(mb);
	struct message *message = message_new(buf_span(&mb->op.content));
	const struct forward_guard_config guard = {
	    .target = mb->op.action.target,
	    .identities = mb->config.identities,
	    .allow_list = mb->op.action.allow_list,
	    .allow_auto = mb->op.action.allow_auto,
	};
	BUF_AUTO why = BUF_INIT;
	bool allowed = forward_guard_allows(&guard, message, &why);

	message_free(&message);
	if (allowed && is_under_cap(mb, mailbox_unix(mb, now))) {
		enqueue(mb, job, now);
		return;
	}
	if (allowed)
		buf_add_str(&why,
		    "the account's forward_limit is used up for now");
	settle_group(mb, EFFECT_SKIPPED, buf_str(&why), now);
}

static void
forward_queued(struct mailbox *mb, usec_t now)
{
	struct job *job = only_job(mb);

	mailbox_report(mb, REPORT_DONE, job->key.uid,
	    "queue the forward to %s", mb->op.action.target);
	advance(job);
	mailbox_emit(mb, (struct mailbox_event){.kind = MAILBOX_QUEUED});
	finish_op(mb, now);
}

/* ---- steps: what came back ---- */

static void
note_uid(struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct imap_fetch fetch;

	(void)now;
	if (imap_fetch_parse(response, &fetch) && fetch.uid != 0 &&
	    imap_seqset_has(&mb->op.uids, fetch.uid))
		imap_seqset_add(&mb->op.seen, fetch.uid);
}

static void
note_content(struct mailbox *mb, const struct imap_response *response,
    usec_t now)
{
	struct imap_fetch fetch;

	(void)now;
	if (!imap_fetch_parse(response, &fetch) ||
	    !imap_seqset_has(&mb->op.uids, fetch.uid))
		return;
	if (!fetch.has_body && !fetch.has_header)
		return;
	struct span bytes = fetch.has_body ? fetch.body : fetch.header;
	if (bytes.len == 0)
		return;
	buf_clear(&mb->op.content);
	buf_add_span(&mb->op.content, bytes);
	mb->op.found = true;
}

static void
fetch_done(struct mailbox *mb, const struct imap_response *response,
    usec_t now)
{
	imap_session_set_literal_max(mb->session, MAILBOX_HEADER_MAX);
	if (response->status != IMAP_OK) {
		refuse_group(mb, response, now);
		return;
	}
	if (!mb->op.found) {
		struct job *job = only_job(mb);
		while (job->next < job->count)
			mailbox_settle(mb, job, current(job), EFFECT_SKIPPED,
			    "the message is gone", now);
		finish_op(mb, now);
		return;
	}
	if (mb->op.action.kind == ACTION_FORWARD)
		begin_forward(mb, now);
	else
		commit_intent(mb, store_batch_new(), now);
}

static void
note_copyuid(struct mailbox *mb, const struct imap_response *response,
    usec_t now)
{
	struct imap_copyuid copyuid;

	(void)now;
	if (!imap_copyuid_parse(response, &copyuid))
		return;
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		uint32_t uid = imap_copyuid_lookup(&copyuid, job->key.uid);
		if (is_in_group(mb, job) && uid != 0) {
			imap_seqset_add(&mb->op.moved, job->key.uid);
			current(job)->new_uid = uid;
		}
	}
}

static bool
wants_create(const struct mailbox *mb, const struct imap_response *response)
{
	return response->status == IMAP_NO && mb->op.action.create &&
	    !mb->op.created && !is_for_now(response);
}

static void
target_missing(struct mailbox *mb, const struct imap_response *response,
    usec_t now)
{
	BUF_AUTO words = BUF_INIT;

	if (wants_create(mb, response)) {
		mb->op.created = true;
		send_target(mb, OP_CREATE, "CREATE", now);
		return;
	}
	if (span_is_nocase(response->code, "TRYCREATE") ||
	    span_is_nocase(response->code, "NONEXISTENT")) {
		buf_addf(&words,
		    "there is no folder %s: make it, or write create = yes "
		    "in the rule",
		    mb->op.action.target);
		settle_group(mb, EFFECT_FAILED, buf_str(&words), now);
		return;
	}
	refuse_group(mb, response, now);
}

static void
settle_with_new_uid(struct mailbox *mb, struct job *job, usec_t now)
{
	BUF_AUTO detail = BUF_INIT;

	if (current(job)->new_uid != 0)
		buf_addf(&detail, "UID %u there", current(job)->new_uid);
	mailbox_settle(
	    mb, job, current(job), EFFECT_DONE, buf_str(&detail), now);
}

static void
settle_moved(struct mailbox *mb, usec_t now)
{
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (is_in_group(mb, job))
			settle_with_new_uid(mb, job, now);
	}
	finish_op(mb, now);
}

static void
copy_done(struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (response->status != IMAP_OK) {
		target_missing(mb, response, now);
		return;
	}
	note_copyuid(mb, response, now);
	if (mb->op.action.kind == ACTION_COPY) {
		settle_moved(mb, now);
		return;
	}
	/* UIDPLUS names what was copied; a message without a name was gone
	 * before the copy, and must not be deleted on a guess. */
	if (mb->op.moved.count == 0) {
		mb->op.unproven = true;
		send_look(mb, now);
		return;
	}
	send_deleted(mb, now);
}

/* After a COPY without COPYUID: what is still here was here to be copied;
 * what is not had gone before. */
static void
delete_seen(struct mailbox *mb, usec_t now)
{
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (is_in_group(mb, job) &&
		    !imap_seqset_has(&mb->op.seen, job->key.uid))
			mailbox_settle(mb, job, current(job), EFFECT_SKIPPED,
			    "the message is gone", now);
	}
	imap_seqset_done(&mb->op.uids);
	mb->op.uids = mb->op.seen;
	mb->op.seen = (struct imap_seqset)IMAP_SEQSET_INIT;
	mb->op.unproven = false;
	if (mb->op.uids.count == 0)
		finish_op(mb, now);
	else
		send_deleted(mb, now);
}

static void
create_done(struct mailbox *mb, const struct imap_response *response,
    usec_t now)
{
	/* NO may mean that it is there already: the retry decides. */
	(void)response;
	if (mb->op.action.kind != ACTION_COPY && can(mb, IMAP_CAP_MOVE))
		send_to_target(mb, OP_MOVE, "UID MOVE", now);
	else
		send_to_target(mb, OP_COPY, "UID COPY", now);
}

static void
move_done(struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (response->status == IMAP_OK) {
		note_copyuid(mb, response, now);
		if (imap_seqset_size(&mb->op.moved) ==
		    imap_seqset_size(&mb->op.uids)) {
			settle_moved(mb, now);
			return;
		}
	} else if (wants_create(mb, response) ||
	    span_is_nocase(response->code, "TRYCREATE")) {
		target_missing(mb, response, now);
		return;
	} else {
		buf_clear(&mb->op.refusal);
		refusal_words(response, &mb->op.refusal);
		mb->op.refused_for_now = is_for_now(response);
	}
	/* OK without COPYUID proves nothing; after NO some may be gone. */
	send_look(mb, now);
}

/* One message of which a MOVE was in doubt: is it still here? */
static void
look_at(struct mailbox *mb, struct job *job, usec_t now)
{
	const char *refusal = mb->op.refusal.len > 0 ?
	    buf_str(&mb->op.refusal) :
	    "the server said OK, but the message is still here";

	if (!imap_seqset_has(&mb->op.seen, job->key.uid))
		settle_with_new_uid(mb, job, now);
	else if (mb->op.refusal.len > 0 && !mb->op.refused_for_now)
		mailbox_settle(
		    mb, job, current(job), EFFECT_FAILED, refusal, now);
	else
		postpone(mb, job, refusal, now);
}

/* Verifying a move of an earlier life: present means that it was not done,
 * or, without MOVE, that the copy may be there and the original too. */
static void
verify_looked(struct mailbox *mb, usec_t now)
{
	struct job *job = only_job(mb);

	if (!imap_seqset_has(&mb->op.seen, job->key.uid)) {
		mailbox_settle(mb, job, current(job), EFFECT_DONE,
		    "was done before the interruption", now);
		finish_op(mb, now);
		return;
	}
	if (can(mb, IMAP_CAP_MOVE)) {
		current(job)->verify = false;
		finish_op(mb, now);
		return;
	}
	mb->op.elsewhere = true;
	send_target(mb, OP_EXAMINE, "EXAMINE", now);
}

static void
look_done(struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (response->status != IMAP_OK) {
		refuse_group(mb, response, now);
		return;
	}
	if (mb->op.verify) {
		verify_looked(mb, now);
		return;
	}
	if (mb->op.unproven) {
		delete_seen(mb, now);
		return;
	}
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (is_in_group(mb, job))
			look_at(mb, job, now);
	}
	finish_op(mb, now);
}

static void
store_done(struct mailbox *mb, const struct imap_response *response,
    usec_t now)
{
	if (response->status != IMAP_OK) {
		refuse_group(mb, response, now);
		return;
	}
	mb->op.found = true;
	if (mb->op.step == OP_STORE)
		send_unstore(mb, now);
	else
		finish_mark(mb, now);
}

static void
deleted_done(struct mailbox *mb, const struct imap_response *response,
    usec_t now)
{
	if (response->status != IMAP_OK) {
		refuse_group(mb, response, now);
		return;
	}
	if (can(mb, IMAP_CAP_UIDPLUS)) {
		send_uids(mb, OP_EXPUNGE, "UID EXPUNGE", NULL, now);
		return;
	}
	settle_group(mb, EFFECT_DONE,
	    "marked as deleted; this server (no UIDPLUS) cannot remove "
	    "single messages, so it stays until the folder is expunged",
	    now);
}

static void
expunge_done(struct mailbox *mb, const struct imap_response *response,
    usec_t now)
{
	if (response->status != IMAP_OK)
		refuse_group(mb, response, now);
	else
		settle_moved(mb, now);
}

/* ---- looking for a copy of an earlier life ---- */

/* RFC 9051 section 6.4.4: exact size, and the Message-ID if there is one. */
static void
send_search(struct mailbox *mb, usec_t now)
{
	struct job *job = only_job(mb);
	struct imap_command command;

	mb->op.step = OP_SEARCH;
	mailbox_begin_command(mb, &command, "UID SEARCH");
	imap_command_raw(&command, "LARGER");
	imap_command_number(&command, job->size > 0 ? job->size - 1 : 0);
	imap_command_raw(&command, "SMALLER");
	imap_command_number(&command, job->size + 1);
	if (job->message_id[0] != '\0') {
		imap_command_raw(&command, "HEADER Message-ID");
		imap_command_string(
		    &command, span_from_str(job->message_id));
	}
	mailbox_send(mb, &command, now);
}

static void
come_back(struct mailbox *mb, usec_t now)
{
	mb->op.step = OP_RESELECT;
	mailbox_select(mb, now);
}

static void
examine_done(struct mailbox *mb, const struct imap_response *response,
    usec_t now)
{
	if (response->status == IMAP_OK)
		send_search(mb, now);
	else
		come_back(mb, now); /* no such folder: no copy in it */
}

static void
note_found(struct mailbox *mb, const struct imap_response *response,
    usec_t now)
{
	(void)now;
	if (span_is_nocase(response->name, "SEARCH") && response->count > 0)
		mb->op.found = true;
}

static void
search_done(struct mailbox *mb, const struct imap_response *response,
    usec_t now)
{
	(void)response;
	come_back(mb, now);
}

static void
reselect_untagged(struct mailbox *mb, const struct imap_response *response,
    usec_t now)
{
	(void)now;
	mailbox_read_select(mb, response);
	if (response->has_number && span_is_nocase(response->name, "EXISTS"))
		mb->exists = response->number;
}

static void
reselect_done(struct mailbox *mb, const struct imap_response *response,
    usec_t now)
{
	struct job *job;

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
	job = only_job(mb);
	current(job)->verify = false;
	if (mb->op.found && mb->op.action.kind == ACTION_COPY)
		mailbox_settle(mb, job, current(job), EFFECT_DONE,
		    "was done before the interruption", now);
	else if (mb->op.found)
		current(job)->copied = true;
	finish_op(mb, now);
}

/* ---- the table of steps ---- */

static const struct {
	void (*untagged)(struct mailbox *, const struct imap_response *,
	    usec_t);
	void (*done)(struct mailbox *, const struct imap_response *, usec_t);
} steps[OP_STEPS] = {
    [OP_FETCH] = {note_content, fetch_done},
    [OP_COPY] = {note_copyuid, copy_done},
    [OP_CREATE] = {NULL, create_done},
    [OP_MOVE] = {note_copyuid, move_done},
    [OP_STORE] = {NULL, store_done},
    [OP_UNSTORE] = {NULL, store_done},
    [OP_DELETED] = {NULL, deleted_done},
    [OP_EXPUNGE] = {NULL, expunge_done},
    [OP_LOOK] = {note_uid, look_done},
    [OP_EXAMINE] = {NULL, examine_done},
    [OP_SEARCH] = {note_found, search_done},
    [OP_RESELECT] = {reselect_untagged, reselect_done},
};

void
mailbox_act_untagged(struct mailbox *mb, const struct imap_response *response,
    usec_t now)
{
	if (steps[mb->op.step].untagged != NULL)
		steps[mb->op.step].untagged(mb, response, now);
}

void
mailbox_act_done(struct mailbox *mb, const struct imap_response *response,
    usec_t now)
{
	if (steps[mb->op.step].done != NULL)
		steps[mb->op.step].done(mb, response, now);
}

/* ---- beginning an operation ---- */

static void
begin_take_away(struct mailbox *mb, usec_t now)
{
	if (mb->op.copied)
		send_deleted(mb, now);
	else if (can(mb, IMAP_CAP_MOVE))
		send_to_target(mb, OP_MOVE, "UID MOVE", now);
	else
		send_to_target(mb, OP_COPY, "UID COPY", now);
}

static void
begin_copy(struct mailbox *mb, usec_t now)
{
	send_to_target(mb, OP_COPY, "UID COPY", now);
}

static void
begin_with_intent(struct mailbox *mb, usec_t now)
{
	commit_intent(mb, store_batch_new(), now);
}

static void
begin_verify(struct mailbox *mb, usec_t now)
{
	mb->op.verify = true;
	if (mb->op.action.kind == ACTION_COPY) {
		mb->op.elsewhere = true;
		send_target(mb, OP_EXAMINE, "EXAMINE", now);
	} else {
		send_look(mb, now);
	}
}

/* How each kind of action begins, what follows its intent, and what it is
 * aimed at when the rule names no folder. */
static const struct {
	void (*begin)(struct mailbox *, usec_t);
	void (*started)(struct mailbox *, usec_t);
	const char *target; /* special use; "" : the action's own */
	bool grouped;
} kinds[ACTION_KINDS] = {
    [ACTION_COPY] = {begin_with_intent, begin_copy, "", true},
    [ACTION_FORWARD] = {send_fetch, forward_queued, NULL, false},
    [ACTION_EXEC] = {send_fetch, start_exec, NULL, false},
    [ACTION_MARK] = {send_store, NULL, NULL, true},
    [ACTION_MOVE] = {begin_with_intent, begin_take_away, "", true},
    [ACTION_ARCHIVE] =
        {begin_with_intent, begin_take_away, "\\Archive", true},
    [ACTION_TRASH] = {begin_with_intent, begin_take_away, "\\Trash", true},
    [ACTION_JUNK] = {begin_with_intent, begin_take_away, "\\Junk", true},
    [ACTION_DELETE] = {begin_with_intent, send_deleted, NULL, true},
};

void
mailbox_act_committed(struct mailbox *mb, usec_t now)
{
	if (mb->state == MAILBOX_ACTING && mb->op.step == OP_INTENT)
		kinds[mb->op.action.kind].started(mb, now);
}

static bool
is_runnable(const struct mailbox *mb, const struct job *job, usec_t now)
{
	return job->key.uidvalidity == mb->uidvalidity &&
	    job->next < job->count && !job->running && job->not_before <= now;
}

/* Notifications are handed over and do not hold the job. */
static void
hand_over_notifications(struct mailbox *mb, struct job *job)
{
	while (job->next < job->count &&
	    current(job)->action.kind == ACTION_NOTIFY) {
		hand_out_task(
		    mb, make_task(mb, job, current(job)), MAILBOX_NOTIFY);
		advance(job);
	}
}

static struct job *
first_runnable(struct mailbox *mb, usec_t now)
{
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (!is_runnable(mb, job, now))
			continue;
		hand_over_notifications(mb, job);
		if (job->next < job->count)
			return job;
		destroy_job(mb, job);
	}
	return NULL;
}

/* Messages with the same action next, for one command. */
static void
gather_group(struct mailbox *mb, const struct job *first, usec_t now)
{
	imap_seqset_add(&mb->op.uids, first->key.uid);
	const struct job_action *model = &first->actions[first->next];
	if (!kinds[model->action.kind].grouped || model->verify ||
	    model->copied)
		return;
	size_t count = 1;
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (job == first || !is_runnable(mb, job, now) ||
		    count >= MAILBOX_GROUP_MAX)
			continue;
		const struct job_action *action = current(job);
		if (action->verify || action->copied ||
		    !action_equal(&action->action, &model->action))
			continue;
		imap_seqset_add(&mb->op.uids, job->key.uid);
		count++;
	}
}

/*
 * The wire name of what the operation is aimed at. False: it was settled,
 * because there is no such folder, or because the message is there already.
 */
static bool
find_target(struct mailbox *mb, usec_t now)
{
	const char *special = kinds[mb->op.action.kind].target;
	struct error error = ERROR_INIT;

	if (special == NULL)
		return true;
	const char *name = special[0] != '\0' ? special : mb->op.action.target;
	if (!folders_wire_name(&mb->folders, name, &mb->op.target, &error)) {
		settle_group(mb, EFFECT_FAILED, error.text, now);
		return false;
	}
	if (special[0] != '\0' && mb->op.action.target == NULL)
		mb->op.action.target = xstrdup(name);
	if (span_equal(buf_span(&mb->op.target), buf_span(&mb->wire))) {
		settle_group(mb, EFFECT_DONE, "it is there already", now);
		return false;
	}
	return true;
}

bool
mailbox_act_begin(struct mailbox *mb, usec_t now)
{
	struct job *job = first_runnable(mb, now);

	if (job == NULL)
		return false;
	mailbox_enter(mb, MAILBOX_ACTING, now);
	mailbox_op_reset(mb);
	gather_group(mb, job, now);
	action_copy(&mb->op.action, &current(job)->action);
	mb->op.copied = current(job)->copied;
	if (kinds[mb->op.action.kind].begin == NULL) {
		settle_group(mb, EFFECT_FAILED,
		    "this action is not supported here", now);
		return true;
	}
	if (!find_target(mb, now))
		return true;
	if (current(job)->verify)
		begin_verify(mb, now);
	else
		kinds[mb->op.action.kind].begin(mb, now);
	return true;
}

usec_t
mailbox_act_deadline(const struct mailbox *mb)
{
	usec_t first = USEC_NEVER;

	LIST_EACH(pos, &mb->jobs)
	{
		const struct job *job = LIST_ITEM(pos, struct job, link);
		if (!job->running && job->next < job->count)
			first = usec_min(first, job->not_before);
	}
	return first;
}

bool
mailbox_act_is_due(const struct mailbox *mb, usec_t now)
{
	return (mb->state == MAILBOX_IDLE || mb->state == MAILBOX_POLLING) &&
	    mailbox_act_deadline(mb) <= now;
}

/* ---- answers from outside ---- */

static void
exec_failed(struct mailbox *mb, struct job *job, const char *detail,
    usec_t now)
{
	struct job_action *action = current(job);

	if (action->attempts >= action->action.retry) {
		mailbox_settle(mb, job, action, EFFECT_FAILED, detail, now);
		return;
	}
	job->running = false;
	postpone(mb, job, detail, now);
}

void
mailbox_act_task_done(struct mailbox *mb, uint32_t uidvalidity, uint32_t uid,
    unsigned seq, enum effect_state state, const char *detail, usec_t now)
{
	struct job *job = mailbox_job_find(mb, uidvalidity, uid);

	if (job != NULL && job->running && current(job)->seq == seq) {
		if (state == EFFECT_FAILED)
			exec_failed(mb, job, detail, now);
		else
			mailbox_settle(
			    mb, job, current(job), state, detail, now);
		free_finished(mb);
		return;
	}
	/* A notification, or a command whose job is not loaded just now. */
	const struct store_key key = {.account = mb->config.account,
	    .mailbox = mb->config.name,
	    .uidvalidity = uidvalidity,
	    .uid = uid};
	if (mb->outcomes == NULL)
		mb->outcomes = store_batch_new();
	store_batch_set_effect(mb->outcomes, &key, seq, state, 1, detail,
	    mailbox_unix(mb, now));
	mailbox_report(mb,
	    state == EFFECT_DONE ? REPORT_DONE : REPORT_REFUSED, uid, "%s",
	    detail);
}

/* ---- open effects of an earlier life ---- */

static struct job *
job_of_effect(struct mailbox *mb, const struct store_effect *effect,
    const struct store_message *message)
{
	struct job *job = mailbox_job_find(
	    mb, effect->key.uidvalidity, effect->key.uid);

	if (job != NULL)
		return job;
	job = mailbox_job_add(mb, effect->key.uidvalidity, effect->key.uid);
	job->message_id = xstrdup(message->message_id);
	job->from = xstrdup(message->from);
	job->subject = xstrdup(message->subject);
	job->size = message->size;
	job->received_unix = message->received_unix;
	return job;
}

/* A command that was started and never heard of again. */
static bool
is_lost_exec(const struct action *action, enum effect_state state)
{
	return action->kind == ACTION_EXEC && state == EFFECT_STARTED &&
	    !action->repeat_safe;
}

void
mailbox_load_effect(struct mailbox *mb, const struct store_effect *effect,
    const struct store_message *message)
{
	struct action action;
	bool outside = mailbox_has_task(
	    mb, effect->key.uidvalidity, effect->key.uid, effect->seq);

	if (mb->config.dry_run ||
	    !action_parse(span_from_str(effect->action), &action))
		return;
	if ((action.kind == ACTION_FORWARD &&
	        effect->state == EFFECT_STARTED) || /* the outbox has it */
	    (action.kind == ACTION_NOTIFY && outside)) {
		action_done(&action);
		return;
	}
	struct job *job = job_of_effect(mb, effect, message);
	bool first = job->count == 0;
	struct job_action *added = mailbox_job_add_action(job);
	added->action = action;
	added->seq = effect->seq;
	added->attempts = effect->attempts;
	added->state = effect->state;
	if (outside && first)
		job->running = true;
	else if (is_lost_exec(&action, effect->state))
		added->lost = true;
	else if (effect->state == EFFECT_STARTED)
		added->verify = action.kind == ACTION_COPY ||
		    (is_destructive(action.kind) &&
		        action.kind != ACTION_DELETE);
}

/* Commands that were under way when the daemon died: shown, not repeated. */
void
mailbox_act_give_up_lost(struct mailbox *mb, usec_t now)
{
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		while (job->next < job->count && current(job)->lost)
			mailbox_settle(mb, job, current(job), EFFECT_UNKNOWN,
			    "the daemon ended while the command ran; it is "
			    "not repeated (repeat = safe would)",
			    now);
		if (job->next >= job->count)
			destroy_job(mb, job);
	}
	mailbox_flush_outcomes(mb);
}
