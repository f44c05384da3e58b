/*
 * Several machines, one mailbox: what must be done once is claimed first.
 *
 * An operation whose action is of that kind goes through mailbox_claim_begin:
 * it goes on at once where no other machine watches the account; else its
 * group is claimed on the server (claim.h), and only the messages that were
 * won stay in it. What stays in the mailbox afterwards is marked as done. A
 * command is marked before it runs, so that it never runs twice; a copy after
 * it was made, so that it is never missing.
 *
 * What has to be stored besides are chores: mailbox_chore.c.
 */
#include "daemon/account/mailbox_private.h"
#include "daemon/account/undo.h"
#include "daemon/base/xalloc.h"

/* Another mailbox of the account looks for other machines. */
#define LOOKING_USEC (200 * USEC_MSEC)
/* It could not be found out whether there are others. */
#define UNCERTAIN_USEC USEC_MINUTE

/* ---- which actions ---- */

bool
mailbox_claim_is_once(enum action_kind kind)
{
	return kind == ACTION_COPY || kind == ACTION_FORWARD ||
	       kind == ACTION_EXEC ||
	       (kind >= ACTION_MOVE && kind <= ACTION_DELETE);
}

enum claims_answer
mailbox_claim_ask(const struct mailbox *mb, usec_t now)
{
	return mb->config->claims == NULL
		   ? CLAIMS_FREE
		   : claims_ask(mb->config->claims, mailbox_unix(mb, now), now);
}

bool
mailbox_claim_is_free(
    const struct mailbox *mb, enum action_kind kind, usec_t now)
{
	return !mailbox_claim_is_once(kind) ||
	       mailbox_claim_ask(mb, now) == CLAIMS_FREE;
}

/* A command that is tried again was ours, and is marked by us. */
static bool
is_ours_already(const struct job_action *action)
{
	return action->copied || action->early || action->verify ||
	       action->by_person ||
	       (action->action.kind == ACTION_EXEC && action->attempts > 0);
}

bool
mailbox_claim_must_be_alone(
    const struct mailbox *mb, const struct job *job, usec_t now)
{
	const struct job_action *action = &job->actions[job->next];

	return action->left ||
	       (!is_ours_already(action) &&
		   !mailbox_claim_is_free(mb, action->action.kind, now));
}

void
mailbox_claim_mark_of(const struct action *action, struct buf *mark)
{
	claims_mark(action->kind == ACTION_COPY ? "" : action->rule,
	    action_name(action->kind), action->target, mark);
}

/* ---- the command's mark, before it runs ---- */

/* What a person takes back would be news for the other machines. */
static bool
is_undone_move(const struct action *action)
{
	return action->kind == ACTION_MOVE &&
	       strcmp(action->rule, UNDO_RULE) == 0;
}

bool
mailbox_claim_mark_first(struct mailbox *mb, usec_t now)
{
	const struct action *action = &mb->op->action;
	bool is_undone = is_undone_move(action) && !mailbox_log_is_used(mb);
	BUF_AUTO mark = BUF_INIT;

	if ((action->kind != ACTION_EXEC && !is_undone) || mb->claim == NULL ||
	    mb->op->step == OP_CLAIM_MARK ||
	    claim_verdict(mb->claim, mb->op->jobs[0]->key.uid) != CLAIM_WON)
		return false;
	if (is_undone)
		buf_add_str(&mark, CLAIM_UNDONE);
	else
		mailbox_claim_mark_of(action, &mark);
	mailbox_claim_store(mb, OP_CLAIM_MARK,
	    &(struct claim_command){
		.uids = &mb->op->uids, .add = true, .keywords = buf_str(&mark)},
	    now);
	return true;
}

bool
mailbox_claim_mark_copies(struct mailbox *mb, usec_t now)
{
	BUF_AUTO mark = BUF_INIT;

	if (mb->claim == NULL ||
	    claim_verdict(mb->claim, mb->op->jobs[0]->key.uid) != CLAIM_WON)
		return false;
	mailbox_claim_mark_of(&mb->op->action, &mark);
	mailbox_claim_store(mb, OP_COPY_MARK,
	    &(struct claim_command){.uids = mb->op->moved.count > 0
						? &mb->op->moved
						: &mb->op->uids,
		.add = true,
		.keywords = buf_str(&mark)},
	    now);
	return true;
}

/* It did not run; but it may be marked. */
void
mailbox_claim_take_back(struct mailbox *mb, struct job *job, usec_t now)
{
	struct job_action *action = mailbox_job_current(job);

	action->mine = true;
	action->state = EFFECT_PLANNED;
	mailbox_job_record(mb, job, action, MAILBOX_MINE, now);
}

void
mailbox_claim_mark_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (response->status == IMAP_OK || mb->op->action.kind != ACTION_EXEC) {
		mailbox_op_started(mb, now);
		return;
	}
	mailbox_claim_take_back(mb, mailbox_op_only(mb), now);
	mailbox_op_refuse(mb, response, now);
}

/* ---- the claim ---- */

/* All of the group come again after this; nothing is said of it. */
static void
all_wait(struct mailbox *mb, usec_t wait, usec_t now)
{
	for (size_t i = 0; i < mb->op->count; i++)
		mb->op->jobs[i]->not_before = usec_add(now, wait);
	mailbox_op_finish(mb, now);
}

/* Its intent went to disk with the plan, but it is not begun. */
static void
wait_until(struct mailbox *mb, struct job *job, usec_t until, usec_t now)
{
	struct job_action *action = mailbox_job_current(job);

	job->not_before = until;
	job->waits = true;
	job->op = NULL;
	if (!action->early)
		return;
	action->early = false;
	action->state = EFFECT_PLANNED;
	mailbox_job_record(mb, job, action, "", now);
}

/* A thousand forwards that another machine holds leave us time for more than
 * to look at them. */
static usec_t
next_look(const struct mailbox *mb, const struct job *job, usec_t now)
{
	enum action_kind kind = job->actions[job->next].action.kind;
	usec_t until = claim_until(mb->claim, job->key.uid);
	usec_t turn =
	    usec_add(now, mailbox_jobs_waiting(mb) * MAILBOX_LOOK_EACH_USEC);

	if (kind != ACTION_FORWARD && kind != ACTION_EXEC)
		return until;
	return turn > until ? turn : until;
}

/* Another machine may have sent it, and did not come back. Who has to ask in
 * such a case is told; who gives up then does. */
static void
settle_unsure(struct mailbox *mb, struct job *job, usec_t now)
{
	struct job_action *action = mailbox_job_current(job);
	bool asks = action->action.unknown == UNKNOWN_HOLD;

	if (asks)
		mailbox_report_to_person(mb,
		    "did the forward of \"%s\" to %s arrive? Another machine "
		    "may have sent it, and did not come back",
		    job->subject, action->action.target);
	mailbox_settle(mb, job, action, asks ? EFFECT_UNKNOWN : EFFECT_SKIPPED,
	    "another machine may have sent it, and did not come back", now);
}

static void
share_out_one(
    struct mailbox *mb, struct job *job, struct imap_seqset *won, usec_t now)
{
	uint32_t uid = job->key.uid;
	enum claim_verdict verdict = claim_verdict(mb->claim, uid);

	if (verdict == CLAIM_WON) {
		imap_seqset_add(won, uid);
		job->guard = 0; /* the claim has changed it */
		return;
	}
	if (verdict == CLAIM_WAIT || verdict == CLAIM_UNKNOWN) {
		wait_until(mb, job, next_look(mb, job, now), now);
		return;
	}
	if (verdict == CLAIM_UNSURE) {
		settle_unsure(mb, job, now);
		return;
	}
	claim_forget(mb->claim, uid);
	mailbox_job_current(job)->by_other = verdict == CLAIM_GONE;
	if (verdict == CLAIM_DONE && mailbox_job_current(job)->mine)
		mailbox_settle(mb, job, mailbox_job_current(job),
		    EFFECT_UNKNOWN,
		    "another machine took over while this one was away", now);
	else
		mailbox_settle(mb, job, mailbox_job_current(job),
		    EFFECT_SKIPPED,
		    verdict == CLAIM_DONE ? "another machine did it"
					  : "the message is gone",
		    now);
}

/* The claim is decided: what was won goes on. */
void
mailbox_claim_share_out(struct mailbox *mb, usec_t now)
{
	struct imap_seqset won = IMAP_SEQSET_INIT;

	if (mb->op->is_forward) {
		mailbox_forward_share_out(mb, now);
		return;
	}
	if (mailbox_job_current(mb->op->jobs[0])->left) {
		mailbox_left_share_out(mb, now);
		return;
	}
	for (size_t i = 0; i < mb->op->count; i++)
		share_out_one(mb, mb->op->jobs[i], &won, now);
	if (claim_refusals(mb->claim) > 2 &&
	    !told_before(&mb->told, SPAN("[claim]"), now))
		mailbox_report(mb, REPORT_WARNING, 0,
		    "the server does not take the keywords of claims; what "
		    "other machines might do, too, waits; if that lasts, write "
		    "claim = leader for one of them and claim = standby for "
		    "the others");
	imap_seqset_done(&mb->op->uids);
	mb->op->uids = won;
	mailbox_op_narrow(mb);
	if (won.count > 0)
		mailbox_op_begin(mb, now);
	else
		mailbox_op_finish(mb, now);
}

static void
send_fetch(struct mailbox *mb, const struct claim_command *wanted, usec_t now)
{
	struct imap_command command;

	/* So that the server looks at what other connections did. */
	mailbox_begin_command(mb, &command, "NOOP");
	mailbox_send(mb, &command, now);
	mb->op->step = OP_CLAIM_FETCH;
	mailbox_begin_command(mb, &command, "UID FETCH");
	imap_command_seqset(&command, wanted->uids);
	imap_command_raw(&command,
	    mailbox_has_modseq(mb) ? "(UID FLAGS MODSEQ)" : "(UID FLAGS)");
	mailbox_send(mb, &command, now);
}

void
mailbox_claim_store(struct mailbox *mb, enum op_step step,
    const struct claim_command *wanted, usec_t now)
{
	struct imap_command command;

	if (mailbox_log_is_used(mb)) {
		mailbox_log_store(mb, step, wanted, now);
		return;
	}
	mb->op->step = step;
	mailbox_begin_command(mb, &command, "UID STORE");
	imap_command_seqset(&command, wanted->uids);
	if (wanted->unchanged_since != 0)
		buf_addf(&command.text, " (UNCHANGEDSINCE %llu)",
		    (unsigned long long)wanted->unchanged_since);
	imap_command_raw(
	    &command, wanted->add ? "+FLAGS.SILENT (" : "-FLAGS.SILENT (");
	imap_command_raw(&command, wanted->keywords);
	imap_command_raw(&command, ")");
	mailbox_send(mb, &command, now);
}

static void
go_on(struct mailbox *mb, usec_t now)
{
	struct claim_command wanted;

	if (!claim_command(mb->claim, &wanted, now)) {
		if (mb->op->elsewhere)
			mailbox_log_leave(mb, now);
		else
			mailbox_claim_share_out(mb, now);
	} else if (wanted.is_store)
		mailbox_claim_store(mb, OP_CLAIM_STORE, &wanted, now);
	else if (mailbox_log_is_used(mb))
		mailbox_log_fetch(mb, now);
	else
		send_fetch(mb, &wanted, now);
}

/* Where a server can neither move nor remove single messages, what was moved
 * stays behind, marked as deleted: for who wants to take it away it is gone. */
bool
mailbox_claim_is_taken(const struct mailbox *mb, const struct imap_fetch *fetch)
{
	if (!mailbox_is_destructive(mb->op->action.kind))
		return false;
	for (size_t i = 0; i < fetch->flag_count; i++)
		if (imap_value_is(&fetch->flags[i], "\\Deleted"))
			return true;
	return false;
}

void
mailbox_claim_note_message(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct span flags[IMAP_FLAGS_MAX];
	struct imap_fetch fetch;

	(void)now;
	if (!imap_fetch_parse(response, &fetch) || fetch.uid == 0 ||
	    !fetch.has_flags)
		return;
	if (mailbox_claim_is_taken(mb, &fetch))
		return;
	for (size_t i = 0; i < fetch.flag_count && i < IMAP_FLAGS_MAX; i++)
		flags[i] = fetch.flags[i].text;
	claim_on_message(mb->claim, fetch.uid, fetch.modseq, flags,
	    fetch.flag_count < IMAP_FLAGS_MAX ? fetch.flag_count
					      : IMAP_FLAGS_MAX);
}

/* [MODIFIED 7,9], with OK or NO (RFC 7162 section 3.1.3). */
static bool
note_modified(struct mailbox *mb, const struct imap_response *response)
{
	struct imap_seqset uids;

	if (!span_is_nocase(response->code, "MODIFIED") ||
	    response->code_count == 0 ||
	    !imap_seqset_parse(response->code_values[0].text, &uids))
		return false;
	claim_on_modified(mb->claim, &uids);
	imap_seqset_done(&uids);
	return true;
}

void
mailbox_claim_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	bool ok = response->status == IMAP_OK;

	if (mb->op->step == OP_CLAIM_STORE && note_modified(mb, response))
		ok = true;
	claim_on_done(mb->claim, ok, now);
	go_on(mb, now);
}

void
mailbox_claim_log_read(struct mailbox *mb, bool ok, usec_t now)
{
	claim_on_done(mb->claim, ok, now);
	go_on(mb, now);
}

static bool
has_keyword(const struct mailbox *mb)
{
	struct span flags = span_from_str(mb->permanent_flags), flag;

	while (span_split(&flags, ' ', &flag))
		if (flag.len > 0 && flag.data[0] != '\\')
			return true;
	return mb->any_keyword;
}

/*
 * Also where only this mailbox keeps none, as all machines see. One that keeps
 * those it has, and takes no more, is another matter: who opened it before may
 * still claim by them, and does not look into the log.
 */
static bool
claims_by_log(const struct mailbox *mb)
{
	enum claims_ladder ladder = claims_ladder(mb->config->claims);

	return ladder == LADDER_LOG ||
	       (ladder != LADDER_UNPROVEN && ladder != LADDER_FIRST &&
		   mb->permanent_flags != NULL && !has_keyword(mb));
}

/* The step of the ladder that this mailbox can stand on: false, none. */
static bool
can_claim(struct mailbox *mb, enum claim_step *step_r)
{
	if (claims_by_log(mb)) {
		*step_r = CLAIM_BY_MODSEQ; /* an entry's UID is as good */
		return true;
	}
	if (mb->permanent_flags != NULL && !mb->any_keyword)
		return false;
	*step_r = claims_ladder(mb->config->claims) == LADDER_MODSEQ &&
			  mailbox_has_modseq(mb)
		      ? CLAIM_BY_MODSEQ
		      : CLAIM_BY_KEYWORD;
	return true;
}

bool
mailbox_claim_keeps_marks(struct mailbox *mb)
{
	enum claim_step step;

	return can_claim(mb, &step) && step == CLAIM_BY_MODSEQ;
}

static void
prepare(struct mailbox *mb, enum claim_step step)
{
	bool by_log = claims_by_log(mb);
	BUF_AUTO keyword = BUF_INIT;

	if (mb->claim != NULL && (mb->claim_validity != mb->uidvalidity ||
				     mb->claims_by_log != by_log))
		claim_free(&mb->claim);
	mb->claims_by_log = by_log;
	if (mb->claim != NULL) {
		claim_set_step(mb->claim, step);
		return;
	}
	claims_keyword(mb->config->claims, buf_span(&mb->wire), &keyword);
	mb->claim =
	    claim_new(&(struct claim_config){.keyword = buf_str(&keyword),
		.step = step,
		.seed = random_next(&mb->random)});
	mb->claim_validity = mb->uidvalidity;
}

bool
mailbox_claim_run(
    struct mailbox *mb, const char *mark, bool holds_unsure, usec_t now)
{
	enum claim_step step;

	if (!can_claim(mb, &step)) {
		if (!told_before(&mb->told, SPAN("[claims]"), now))
			mailbox_report(mb, REPORT_WARNING, 0,
			    "this mailbox takes no new keywords, so machines "
			    "cannot agree who acts: write claim = leader for "
			    "one of them and claim = standby for the others");
		return false;
	}
	prepare(mb, step);
	claim_begin(mb->claim, &mb->op->uids, mark, now);
	if (holds_unsure)
		claim_hold_unsure(mb->claim);
	if (mb->op->count > 0 && mailbox_job_current(mb->op->jobs[0])->left)
		claim_only_look(mb->claim);
	else if (mb->op->count > 0 &&
		 mailbox_job_current(mb->op->jobs[0])->mine)
		claim_expect_mark(mb->claim);
	go_on(mb, now);
	return true;
}

static void
claim_group(struct mailbox *mb, usec_t now)
{
	const struct action *action = &mb->op->action;
	bool holds =
	    action->kind == ACTION_FORWARD && action->unknown != UNKNOWN_RESEND;
	BUF_AUTO mark = BUF_INIT;

	if (action->kind < ACTION_MOVE)
		mailbox_claim_mark_of(action, &mark);
	if (!mailbox_claim_run(mb, buf_str(&mark), holds, now))
		all_wait(mb, UNCERTAIN_USEC, now);
}

static void
look_for_others(struct mailbox *mb, usec_t now)
{
	if (mb->op->sought) /* nothing came of it */
		all_wait(mb, UNCERTAIN_USEC, now);
	else if (claims_lock(mb->config->claims, mb))
		mailbox_seek_begin(mb, now);
	else
		all_wait(mb, LOOKING_USEC, now);
}

/* What others may have done without a mark, not knowing of us. False: nothing
 * else was in the group. */
static bool
leave_to_others(struct mailbox *mb, usec_t now)
{
	const struct claims *claims = mb->config->claims;
	struct imap_seqset left = IMAP_SEQSET_INIT;

	if (mb->op->action.kind >= ACTION_MOVE)
		return true;
	for (size_t i = 0; i < mb->op->count; i++) {
		struct job *job = mb->op->jobs[i];
		if (claims_is_others(
			claims, job->judged_unix, job->received_unix))
			mailbox_settle(mb, job, mailbox_job_current(job),
			    EFFECT_SKIPPED,
			    "this machine was new here: another one acts", now);
		else
			imap_seqset_add(&left, job->key.uid);
	}
	imap_seqset_done(&mb->op->uids);
	mb->op->uids = left;
	mailbox_op_narrow(mb);
	if (mb->op->count > 0)
		return true;
	mailbox_op_finish(mb, now);
	return false;
}

static void
join(struct mailbox *mb, usec_t now)
{
	if (leave_to_others(mb, now))
		all_wait(mb,
		    claims_join_wait(
			mb->config->claims, mailbox_unix(mb, now), now),
		    now);
}

/* What an earlier life left: it is looked at before it is settled. */
static void
begin_left(struct mailbox *mb, usec_t now)
{
	BUF_AUTO mark = BUF_INIT;

	mailbox_claim_mark_of(&mb->op->action, &mark);
	switch (mailbox_claim_ask(mb, now)) {
	case CLAIMS_ASK:
		look_for_others(mb, now);
		break;
	case CLAIMS_SHARED:
	case CLAIMS_JOINING:
		if (!mailbox_claim_run(mb, buf_str(&mark), false, now))
			mailbox_left_settle(mb, now);
		break;
	default:
		mailbox_left_settle(mb, now);
		break;
	}
}

void
mailbox_claim_begin(struct mailbox *mb, usec_t now)
{
	const struct job_action *action;

	if (mb->op->is_forward) {
		mailbox_forward_go_on(mb, now);
		return;
	}
	/* It tells for all of the group: they are equal. */
	action = mailbox_job_current(mb->op->jobs[0]);
	if (action->left) {
		begin_left(mb, now);
		return;
	}
	if (!mailbox_claim_is_once(mb->op->action.kind) ||
	    is_ours_already(action)) {
		mailbox_op_begin(mb, now);
		return;
	}
	switch (mailbox_claim_ask(mb, now)) {
	case CLAIMS_FREE:
		mailbox_op_begin(mb, now);
		break;
	case CLAIMS_SHARED:
		if (leave_to_others(mb, now) &&
		    mailbox_forward_hold_back(mb, now))
			claim_group(mb, now);
		break;
	case CLAIMS_ASK:
		look_for_others(mb, now);
		break;
	case CLAIMS_JOINING:
		join(mb, now);
		break;
	case CLAIMS_STANDS_BY:
		mailbox_op_settle(mb, EFFECT_SKIPPED,
		    "this machine stands by: another one acts", now);
		break;
	}
}

void
mailbox_claim_clear(struct mailbox *mb)
{
	mailbox_chores_clear(mb);
	mailbox_forward_clear(mb);
	claim_free(&mb->claim);
}

void
mailbox_claim_interrupt(struct mailbox *mb)
{
	if (mb->claim != NULL)
		claim_interrupt(mb->claim);
	mailbox_chores_interrupt(mb);
	mailbox_forward_interrupt(mb);
	if (mb->config->claims != NULL)
		claims_unlock(mb->config->claims, mb);
}
