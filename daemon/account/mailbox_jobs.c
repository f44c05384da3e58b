/*
 * Jobs: messages with something left to do, what became of it, and how both
 * survive a broken link or a killed daemon.
 */
#include <assert.h>
#include <stdio.h>

#include "daemon/account/deed.h"
#include "daemon/account/mailbox_private.h"
#include "daemon/account/undo.h"
#include "daemon/base/xalloc.h"

/* Waits after a refusal that may pass (over quota, in use). */
static const usec_t retry_ladder[] = {
    USEC_MINUTE, 5 * USEC_MINUTE, 15 * USEC_MINUTE, USEC_HOUR};
#define STATE_ATTEMPTS 3
#define LADDER_LEN (sizeof(retry_ladder) / sizeof(retry_ladder[0]))

/* ---- jobs ---- */

void
mailbox_job_free(struct mailbox *mb, struct job *job)
{
	list_remove(&job->link);
	mb->job_count--;
	for (size_t i = 0; i < job->count; i++) {
		action_done(&job->actions[i].action);
		free(job->actions[i].before);
	}
	free(job->actions);
	buf_done(&job->header);
	free(job->preview);
	free(job->text);
	free(job->message_id);
	free(job->from);
	free(job->subject);
	free(job->clear_subject);
	strv_done(&job->codes);
	free(job);
}

void
mailbox_jobs_clear(struct mailbox *mb)
{
	LIST_EACH(pos, &mb->jobs)
	mailbox_job_free(mb, LIST_ITEM(pos, struct job, link));
	mb->looks_again = false;
}

struct job *
mailbox_job_add(struct mailbox *mb, uint32_t uidvalidity, uint32_t uid)
{
	struct job *job = NEW(struct job);

	job->key = (struct store_key){.account = mb->config->account,
	    .mailbox = mb->name,
	    .uidvalidity = uidvalidity,
	    .uid = uid};
	list_add(&mb->jobs, &job->link);
	mb->job_count++;
	return job;
}

struct job *
mailbox_job_find(const struct mailbox *mb, uint32_t uidvalidity, uint32_t uid)
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
	job->actions =
	    xreallocarray(job->actions, job->count + 1, sizeof(*job->actions));
	struct job_action *action = &job->actions[job->count];
	*action =
	    (struct job_action){.seq = job->first_seq + (unsigned)job->count};
	job->count++;
	return action;
}

struct job_action *
mailbox_job_current(struct job *job)
{
	assert(job->next < job->count);
	return &job->actions[job->next];
}

/* ---- outcomes ---- */

bool
mailbox_is_destructive(enum action_kind kind)
{
	return kind >= ACTION_MOVE && kind <= ACTION_DELETE;
}

void
mailbox_job_record(struct mailbox *mb, const struct job *job,
    const struct job_action *action, const char *detail, usec_t now)
{
	struct store_batch *batch = mailbox_outcomes(mb);
	BUF_AUTO words = BUF_INIT;

	if (action->action.kind == ACTION_EXEC ||
	    action->action.kind == ACTION_FORWARD)
		store_batch_set_lazy(batch, false);
	buf_add_str(&words, detail);
	if (action->state == EFFECT_DONE && action->new_uid != 0)
		undo_format_place(&words, action->new_validity);
	if (action->before != NULL)
		undo_format_before(&words, action->before);
	store_batch_set_effect(batch, &job->key, action->seq, action->state,
	    action->attempts, buf_str(&words), mailbox_unix(mb, now));
}

static void
report_outcome(struct mailbox *mb, const struct job *job,
    const struct job_action *action, const char *detail)
{
	BUF_AUTO what = BUF_INIT, words = BUF_INIT;

	action_describe(&words, &action->action);
	STR_AUTO hidden = mailbox_job_hide(job, buf_str(&words));
	buf_add_str(&what, hidden);
	if (action->by_person)
		buf_addf(&what, ", by the person, \"%s\"", job->subject);
	if (action->by_person && action->state != EFFECT_DONE)
		mailbox_report_refusal(mb, job->key.uid, "%s: %s: %s",
		    buf_str(&what), effect_state_name(action->state), detail);
	else if (action->state == EFFECT_DONE)
		mailbox_report(mb, REPORT_DONE, job->key.uid, "%s%s%s",
		    buf_str(&what), detail[0] != '\0' ? ": " : "", detail);
	else
		mailbox_report(mb, REPORT_REFUSED, job->key.uid, "%s: %s: %s",
		    buf_str(&what), effect_state_name(action->state), detail);
}

static void
settle_one(struct mailbox *mb, struct job *job, struct job_action *action,
    enum effect_state state, const char *detail, usec_t now)
{
	action->state = state;
	action->early = false;
	mailbox_job_record(mb, job, action, detail, now);
	mailbox_claim_settled(mb, job, action, state);
	mailbox_backlog_settled(mb, job, state);
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
		if (mailbox_is_destructive(job->actions[i].action.kind))
			settle_one(mb, job, &job->actions[i], EFFECT_SKIPPED,
			    buf_str(&why), now);
}

static bool
is_open(enum effect_state state)
{
	return state == EFFECT_PLANNED || state == EFFECT_STARTED;
}

void
mailbox_job_advance(struct job *job)
{
	job->alone = false;
	do
		job->next++;
	while (
	    job->next < job->count && !is_open(job->actions[job->next].state));
}

void
mailbox_settle(struct mailbox *mb, struct job *job, struct job_action *action,
    enum effect_state state, const char *detail, usec_t now)
{
	enum action_kind kind = action->action.kind;

	assert(action == mailbox_job_current(job));
	settle_one(mb, job, action, state, detail, now);
	if (state == EFFECT_DONE)
		mailbox_suspension_over(mb, &action->action);
	if (state == EFFECT_DONE && job->alone)
		mb->alone_refused = 0;
	if (state == EFFECT_FAILED &&
	    (kind == ACTION_COPY || kind == ACTION_FORWARD))
		keep_message(mb, job, action, now);
	job->running = false;
	job->op = NULL;
	mailbox_job_advance(job);
}

static usec_t
ladder_wait(unsigned attempts)
{
	return retry_ladder[attempts < LADDER_LEN ? attempts : LADDER_LEN - 1];
}

/* Somebody expunged just now: at once, but not for ever. */
static usec_t
postpone_wait(
    struct mailbox *mb, const struct imap_refusal *why, unsigned attempts)
{
	usec_t wait = random_jitter(&mb->random, ladder_wait(attempts), 20);

	if (why == NULL)
		return wait;
	if (why->kind == IMAP_REFUSAL_STATE && attempts < STATE_ATTEMPTS)
		return 0;
	return wait > why->wait ? wait : why->wait;
}

/* Of the whole action, not of each message. */
static bool
is_told(const struct mailbox *mb, const struct job_action *action)
{
	return mailbox_suspended_until(mb, &action->action) != 0;
}

/* What was begun stays so in the journal: to begin it anew would do it twice.
 */
static bool
is_under_way(const struct job_action *action)
{
	return action->verify || action->copied;
}

static void
record_postponed(struct mailbox *mb, struct job *job, struct job_action *action,
    const char *detail, usec_t now)
{
	BUF_AUTO noted = BUF_INIT;

	if (is_under_way(action))
		return;
	action->state = EFFECT_PLANNED;
	buf_add_str(&noted, detail);
	if (mailbox_is_guarded(action->action.kind) && job->modseq != 0) {
		buf_add_str(&noted, "; ");
		mailbox_modseq_detail(&noted, job->modseq);
	}
	mailbox_job_record(mb, job, action, buf_str(&noted), now);
}

/* A refusal that may pass: the intent goes back to PLANNED and waits. */
void
mailbox_job_postpone(struct mailbox *mb, struct job *job,
    const struct imap_refusal *why, const char *detail, usec_t now)
{
	usec_t wait;
	struct job_action *action = mailbox_job_current(job);
	int64_t age = mailbox_unix(mb, now) - job->judged_unix;

	if (age > (int64_t)(MAILBOX_GIVE_UP_USEC / USEC_SEC) &&
	    action->attempts >= MAILBOX_GIVE_UP_TRIES) {
		mailbox_settle(mb, job, action, EFFECT_FAILED, detail, now);
		return;
	}
	wait = postpone_wait(mb, why, action->attempts);
	action->early = false;
	job->op = NULL;
	job->not_before = usec_add(now, wait);
	action->attempts++;
	record_postponed(mb, job, action, detail, now);
	if (action->attempts == 1 && wait > 0 && !is_told(mb, action))
		mailbox_report(mb, REPORT_WARNING, job->key.uid,
		    "%s is tried again later: %s",
		    action_name(action->action.kind), detail);
}

void
mailbox_jobs_free_finished(struct mailbox *mb)
{
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (job->next >= job->count)
			mailbox_job_free(mb, job);
	}
}

/* ---- how many ---- */

size_t
mailbox_jobs_waiting(const struct mailbox *mb)
{
	size_t count = 0;

	LIST_EACH(pos, &mb->jobs)
	count += LIST_ITEM(pos, struct job, link)->waits;
	return count;
}

/* What others keep us from doing must not keep us from the news. */
bool
mailbox_jobs_are_full(const struct mailbox *mb)
{
	size_t max =
	    mb->config->jobs_max != 0 ? mb->config->jobs_max : MAILBOX_JOBS_MAX;

	if (mb->job_count < max)
		return false;
	return mb->job_count >= max + MAILBOX_WAITING_MAX ||
	       mb->job_count - mailbox_jobs_waiting(mb) >= max;
}

/* ---- answers from outside ---- */

static void
exec_failed(struct mailbox *mb, struct job *job, const char *detail, usec_t now)
{
	struct job_action *action = mailbox_job_current(job);

	if (action->attempts >= action->action.retry) {
		mailbox_settle(mb, job, action, EFFECT_FAILED, detail, now);
		return;
	}
	job->running = false;
	action->lost = false;
	mailbox_job_postpone(mb, job, NULL, detail, now);
}

static struct job_action *
find_later(struct job *job, unsigned seq)
{
	for (size_t i = job->next + 1; i < job->count; i++)
		if (job->actions[i].seq == seq)
			return &job->actions[i];
	return NULL;
}

/*
 * A command of this life that was started after an action whose outcome could
 * not be written, so that this one is looked at again first. False: it is none
 * of the job's.
 */
static bool
later_task_done(struct mailbox *mb, struct job *job, unsigned seq,
    enum effect_state state, const char *detail, usec_t now)
{
	struct job_action *action = find_later(job, seq);

	if (action == NULL || action->action.kind != ACTION_EXEC ||
	    !is_open(action->state))
		return false;
	if (state != EFFECT_FAILED ||
	    action->attempts >= action->action.retry) {
		settle_one(mb, job, action, state, detail, now);
		return true;
	}
	action->state = EFFECT_PLANNED;
	action->lost = false;
	action->attempts++;
	mailbox_job_record(mb, job, action, detail, now);
	return true;
}

/* The current action is that task: it runs, or would be seen to as soon as the
 * job has its turn. */
static bool
is_outside(struct job *job, unsigned seq)
{
	const struct job_action *action;

	if (job->next >= job->count)
		return false;
	action = mailbox_job_current(job);
	return action->seq == seq &&
	       (job->running || (action->lost && job->op == NULL));
}

void
mailbox_act_task_done(struct mailbox *mb, uint32_t uidvalidity, uint32_t uid,
    unsigned seq, enum effect_state state, const char *detail, usec_t now)
{
	struct job *job = mailbox_job_find(mb, uidvalidity, uid);

	if (job != NULL && later_task_done(mb, job, seq, state, detail, now))
		return;
	if (job != NULL && is_outside(job, seq)) {
		if (state == EFFECT_FAILED)
			exec_failed(mb, job, detail, now);
		else
			mailbox_settle(mb, job, mailbox_job_current(job), state,
			    detail, now);
		mailbox_jobs_free_finished(mb);
		return;
	}
	/* A notification, or a command whose job is not loaded just now. */
	const struct store_key key = {.account = mb->config->account,
	    .mailbox = mb->name,
	    .uidvalidity = uidvalidity,
	    .uid = uid};
	struct store_batch *batch = mailbox_outcomes(mb);
	store_batch_set_lazy(batch, false);
	store_batch_set_effect(
	    batch, &key, seq, state, 1, detail, mailbox_unix(mb, now));
	mailbox_report(mb, state == EFFECT_DONE ? REPORT_DONE : REPORT_REFUSED,
	    uid, "%s", detail);
}

/* ---- open effects of an earlier life ---- */

static struct job *
job_of_effect(struct mailbox *mb, const struct store_effect *effect,
    const struct store_message *message)
{
	struct job *job =
	    mailbox_job_find(mb, effect->key.uidvalidity, effect->key.uid);

	if (job != NULL)
		return job;
	job = mailbox_job_add(mb, effect->key.uidvalidity, effect->key.uid);
	job->message_id = xstrdup(message->message_id);
	job->from = xstrdup(message->from);
	mailbox_job_keep_subject(job, message->subject);
	job->size = message->size;
	job->received_unix = message->received_unix;
	job->judged_unix = message->judged_unix;
	return job;
}

/* A command that was started and never heard of again. */
static bool
is_lost_exec(const struct action *action, enum effect_state state)
{
	return action->kind == ACTION_EXEC && state == EFFECT_STARTED &&
	       !action->repeat_safe;
}

/* Deleting twice is deleting once. */
bool
mailbox_is_verified(enum action_kind kind)
{
	return kind == ACTION_COPY ||
	       (mailbox_is_destructive(kind) && kind != ACTION_DELETE);
}

static void
add_effect(struct mailbox *mb, const struct store_effect *effect,
    const struct store_message *message)
{
	struct action action;
	bool outside = mailbox_has_task(
	    mb, effect->key.uidvalidity, effect->key.uid, effect->seq);

	if (!action_parse(span_from_str(effect->action), &action))
		return;
	if ((action.kind == ACTION_FORWARD &&
		effect->state == EFFECT_STARTED) || /* the outbox has it */
	    (action.kind == ACTION_NOTIFY && outside)) {
		action_done(&action);
		return;
	}
	if (effect->rule[0] == '@') /* no rule's: the action does not tell */
		snprintf(action.rule, sizeof(action.rule), "%s", effect->rule);
	struct job *job = job_of_effect(mb, effect, message);
	bool first = job->count == 0;
	struct job_action *added = mailbox_job_add_action(job);
	added->action = action;
	added->seq = effect->seq;
	added->attempts = effect->attempts;
	added->state = effect->state;
	added->claimed = mailbox_is_claimed(effect->detail);
	added->while_unread =
	    mailbox_is_while_unread(action.kind, effect->detail);
	added->target_next = mailbox_read_intent_detail(effect->detail);
	uint64_t modseq = mailbox_read_modseq(effect->detail);
	if (modseq > job->modseq)
		job->modseq = modseq;
	added->by_person = strcmp(effect->rule, DEED_RULE) == 0;
	added->mine = action.kind == ACTION_EXEC && added->claimed;
	if (action.kind == ACTION_MARK)
		added->before = undo_read_before(effect->detail);
	if (first && effect->attempts > 0)
		job->not_before_unix =
		    effect->changed_unix +
		    (int64_t)(ladder_wait(effect->attempts - 1) / USEC_SEC);
	if (outside && first)
		job->running = true;
	else if (is_lost_exec(&action, effect->state))
		added->lost = true;
	else if (effect->state == EFFECT_STARTED)
		added->verify = mailbox_is_verified(action.kind);
	if (added->verify && first)
		mailbox_verify_resume_look(mb, job, added);
}

void
mailbox_load_effect(struct mailbox *mb, const struct store_effect *effect,
    const struct store_message *message)
{
	/* What rules planned while somebody watched is done by a visitor whose
	 * run says of which messages it is. */
	if (mb->visit == VISIT_LOOK ||
	    (mb->visit == VISIT_ACT && effect->seq < STORE_APPLY_SEQ &&
		!mailbox_backlog_has_left(mb, effect)))
		return;
	if (mb->state == MAILBOX_PARKED)
		mailbox_rove_note_work(mb);
	/* Stopped since it asked: it would have all of it twice next time. */
	if (!mb->config->dry_run && mb->state == MAILBOX_LOADING)
		add_effect(mb, effect, message);
}

void
mailbox_give_effect(struct mailbox *mb, const struct store_effect *effect,
    const struct store_message *message)
{
	struct job *job;

	if (mb->state == MAILBOX_PARKED)
		mailbox_rove_note_work(mb);
	else if (!mb->config->dry_run && mb->visit == VISIT_NONE &&
		 mb->state > MAILBOX_LOADING) {
		add_effect(mb, effect, message);
		job = mailbox_job_find(
		    mb, effect->key.uidvalidity, effect->key.uid);
		if (job != NULL)
			job->is_given = true;
	}
}

void
mailbox_do(struct mailbox *mb, const struct store_effect *effect,
    const struct store_message *message, usec_t now)
{
	mailbox_give_effect(mb, effect, message);
	mailbox_wake(mb, now);
}

bool
mailbox_job_is_ahead(const struct mailbox *mb, const struct job *job)
{
	return job->is_given && mb->has_cursor && job->key.uid >= mb->cursor &&
	       job->key.uidvalidity == mb->cursor_validity;
}

/* A wait that an earlier life began; a clock that was set makes it no longer
 * than the longest there is. */
static void
resume_wait(struct mailbox *mb, struct job *job, usec_t now)
{
	int64_t wait = job->not_before_unix - mailbox_unix(mb, now);

	if (job->not_before_unix != 0 && wait > 0)
		job->not_before = usec_add(now,
		    usec_min((usec_t)wait * USEC_SEC, ladder_wait(LADDER_LEN)));
}

void
mailbox_act_resume(struct mailbox *mb, usec_t now)
{
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (!job->running)
			mailbox_job_settle_lost(mb, job, now);
		resume_wait(mb, job, now);
		if (job->next >= job->count)
			mailbox_job_free(mb, job);
	}
	mailbox_flush_outcomes(mb);
}
