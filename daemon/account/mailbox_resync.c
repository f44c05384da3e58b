/*
 * What other clients did meanwhile, to messages with something left to do
 * (RFC 7162).
 *
 * With QRESYNC the SELECT tells what vanished of those that are of interest,
 * and of those that are followed what changed:
 *
 *   SELECT INBOX (QRESYNC (1000 715 7,12,15:17))
 *
 * Everywhere, before anything of an earlier life is done, one FETCH looks at
 * its messages: what is planned for one that is gone is SKIPPED; and where it
 * tells mod-sequences, flags that anybody changed since the message was judged
 * stay as they are:
 *
 *   UID FETCH 7,12 (UID FLAGS MODSEQ)
 *   UID STORE 7,12 (UNCHANGEDSINCE 715) +FLAGS.SILENT (\Flagged)
 *
 * One number guards all that were unchanged in the same look, the highest of
 * them: whatever is changed after it has a higher one. Who was changed before
 * keeps the old number, and the server says [MODIFIED].
 *
 * A notification that still waits is not handed over again when its message
 * was read, moved or deleted meanwhile, and no rule can have done that: its
 * intent in the journal says so.
 *
 * Mod-sequences are off where the server tells none ([NOMODSEQ], 0), or where
 * they went back.
 */
#include "daemon/account/mailbox_private.h"
#include "daemon/base/xalloc.h"

bool
mailbox_has_modseq(const struct mailbox *mb)
{
	return mb->modseq != 0 && mb->session != NULL &&
	       (imap_session_enabled(mb->session) & IMAP_CAP_CONDSTORE) != 0;
}

/* ---- SELECT ---- */

static void
add_known(const struct mailbox *mb, struct imap_seqset *known)
{
	if (mb->follow.validity == mb->cursor_validity)
		mailbox_follow_add_uids(mb, known);
	LIST_EACH(pos, &mb->jobs)
	{
		const struct job *job = LIST_ITEM(pos, struct job, link);
		if (job->key.uidvalidity == mb->cursor_validity)
			imap_seqset_add(known, job->key.uid);
	}
}

static uint64_t
since_when(const struct mailbox *mb)
{
	uint64_t since = mb->cursor_modseq, followed = mb->follow.modseq;

	if (mb->follow.count > 0 && followed != 0 &&
	    (followed < since || since == 0))
		since = followed;
	return since;
}

/* Too many for a line: what lies between is told in vain. */
static void
add_uids(struct imap_command *command, const struct imap_seqset *uids)
{
	if (uids->count <= MAILBOX_GROUP_MAX)
		imap_command_seqset(command, uids);
	else
		buf_addf(&command->text, " %u:%u", uids->ranges[0].first,
		    uids->ranges[uids->count - 1].last);
}

/* RFC 7162 section 3.2.5; without known UIDs it would tell of all. */
void
mailbox_resync_add_select(struct mailbox *mb, struct imap_command *command)
{
	struct imap_seqset known = IMAP_SEQSET_INIT;
	uint64_t since = since_when(mb);

	mb->resync.since = 0;
	mb->resync.was_open = mb->has_selected;
	mb->has_selected = true;
	if ((imap_session_enabled(mb->session) & IMAP_CAP_QRESYNC) == 0 ||
	    mb->resync.refused || !mb->has_cursor || since == 0)
		return;
	add_known(mb, &known);
	if (known.count > 0) {
		mb->resync.since = since;
		imap_command_raw(command, "(QRESYNC (");
		imap_command_number(command, mb->cursor_validity);
		imap_command_number(command, since);
		add_uids(command, &known);
		imap_command_raw(command, "))");
	}
	imap_seqset_done(&known);
}

/* Refused again without it: it was not the parameter. */
bool
mailbox_resync_retries(struct mailbox *mb)
{
	mb->resync.refused = mb->resync.since != 0;
	return mb->resync.refused;
}

/* RFC 7162 section 3.1.2.1: it never falls while UIDVALIDITY stays. */
static bool
went_back(const struct mailbox *mb)
{
	return mb->has_cursor && mb->cursor_validity == mb->uidvalidity &&
	       mb->modseq != 0 &&
	       (mb->modseq < mb->cursor_modseq ||
		   mb->modseq < mb->follow.modseq);
}

void
mailbox_resync_selected(struct mailbox *mb, usec_t now)
{
	if (went_back(mb)) {
		if (!told_before(&mb->told, SPAN("[HIGHESTMODSEQ]"), now))
			mailbox_report(mb, REPORT_WARNING, 0,
			    "the server's count of changes (HIGHESTMODSEQ) "
			    "went back to %llu: it is not used",
			    (unsigned long long)mb->modseq);
		mb->modseq = 0;
	}
	mailbox_follow_selected(mb, now);
	mailbox_audit_selected(mb, now);
}

/* While the mailbox is being opened: what is said of the one before. */
static bool
is_of_another(const struct mailbox *mb)
{
	return mb->state == MAILBOX_SELECTING &&
	       (mb->resync.since == 0 || mb->resync.was_open);
}

static void
note_gone(struct mailbox *mb, const struct imap_seqset *uids)
{
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (job->key.uidvalidity == mb->cursor_validity &&
		    imap_seqset_has(uids, job->key.uid))
			job->gone = true;
	}
	mailbox_follow_vanished(mb, uids);
}

static void
note_vanished(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct imap_vanished vanished;

	if (!imap_vanished_parse(response, &vanished)) {
		mailbox_follow_hint(mb, now);
		return;
	}
	/* Never counted, or of the mailbox that was open before. */
	if (!vanished.earlier && mb->state != MAILBOX_SELECTING) {
		uint64_t size = imap_seqset_size(&vanished.uids);
		mb->exists -= size < mb->exists ? size : mb->exists;
	}
	if (vanished.earlier || mb->state != MAILBOX_SELECTING)
		note_gone(mb, &vanished.uids);
	imap_seqset_done(&vanished.uids);
}

/* Nobody else opens a mailbox here: it was deleted, or renamed. */
static void
fail_closed(struct mailbox *mb, usec_t now)
{
	struct error error = ERROR_INIT;

	error_set(
	    &error, FAULT_RETRY, "the server closed the mailbox %s", mb->name);
	mailbox_fail(mb, &error, now);
}

/* RFC 9051 section 7.1: what comes before [CLOSED] is of the mailbox that is
 * being left. */
void
mailbox_resync_news(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (span_is_nocase(response->code, "CLOSED") &&
	    mb->state != MAILBOX_SELECTING && mb->is_open) {
		fail_closed(mb, now);
		return;
	}
	if (span_is_nocase(response->code, "CLOSED"))
		mb->resync.was_open = false;
	if (is_of_another(mb))
		return;
	if (imap_is_vanished(response))
		note_vanished(mb, response, now);
	else
		mailbox_follow_news(mb, response, now);
}

/* ---- messages with something left to do ---- */

/* Also of an earlier life, where nothing but a notification is left; and an
 * escalation asks by itself. */
static bool
may_be_gone_by_us(const struct job *job)
{
	const struct job_action *next = &job->actions[job->next];

	for (size_t i = 0; i < job->next; i++)
		if (mailbox_is_destructive(job->actions[i].action.kind) &&
		    job->actions[i].state == EFFECT_DONE)
			return true;
	return next->action.kind == ACTION_NOTIFY && !next->while_unread &&
	       (job->next == 0 || next->action.after > 0);
}

/* A move or copy that was begun is verified in its own way. */
static bool
is_to_be_skipped(const struct job *job)
{
	return job->gone && !job->running && job->op == NULL &&
	       job->next < job->count && !job->actions[job->next].verify &&
	       !job->actions[job->next].lost && !may_be_gone_by_us(job);
}

/* A deletion that was begun is why. */
static void
settle_gone(struct mailbox *mb, struct job *job, usec_t now)
{
	struct job_action *action = mailbox_job_current(job);
	bool was_begun = action->state == EFFECT_STARTED && !action->early;

	mailbox_settle(mb, job, action,
	    was_begun ? EFFECT_DONE : EFFECT_SKIPPED,
	    was_begun ? "was done before the interruption"
		      : "the message is gone",
	    now);
}

static void
skip_gone(struct mailbox *mb, usec_t now)
{
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		while (is_to_be_skipped(job))
			settle_gone(mb, job, now);
	}
	mailbox_jobs_free_finished(mb);
}

bool
mailbox_job_asks_for_reader(const struct job *job)
{
	for (size_t i = job->next; i < job->count; i++)
		if (job->actions[i].while_unread)
			return true;
	return false;
}

/* What fetches the message finds out by itself, as does a copy that is
 * answered by COPYUID; and a notification says what came. */
static bool
finds_out(const struct mailbox *mb, const struct job_action *action)
{
	enum action_kind kind = action->action.kind;

	return action->verify || kind == ACTION_EXEC || kind == ACTION_NOTIFY ||
	       kind == ACTION_FORWARD ||
	       (kind == ACTION_COPY && mailbox_can(mb, IMAP_CAP_UIDPLUS));
}

bool
mailbox_resync_must_look(const struct mailbox *mb, const struct job *job)
{
	return !job->is_fresh && !job->checked && !job->running &&
	       job->key.uidvalidity == mb->uidvalidity &&
	       job->next < job->count && !mailbox_job_is_ahead(mb, job) &&
	       (mailbox_job_asks_for_reader(job) ||
		   !finds_out(mb, &job->actions[job->next]));
}

bool
mailbox_resync_begin(struct mailbox *mb, usec_t now)
{
	struct look *look;
	struct imap_command command;
	bool flags = false;
	size_t count = 0;

	skip_gone(mb, now);
	if (mb->op_count > 0)
		return false; /* they wait: mailbox_resync_must_look */
	mailbox_resync_clear(mb);
	look = mb->resync.look = NEW(struct look);
	LIST_EACH(pos, &mb->jobs)
	{
		const struct job *job = LIST_ITEM(pos, struct job, link);
		if (count == MAILBOX_GROUP_MAX ||
		    !mailbox_resync_must_look(mb, job))
			continue;
		imap_seqset_add(&look->asked, job->key.uid);
		flags = flags || mailbox_job_asks_for_reader(job);
		count++;
	}
	if (count == 0) {
		mailbox_resync_clear(mb);
		return false;
	}
	mailbox_enter(mb, MAILBOX_RESYNCING, now);
	mailbox_begin_command(mb, &command, "UID FETCH");
	imap_command_seqset(&command, &look->asked);
	imap_command_raw(&command, mailbox_has_modseq(mb) ? "(UID FLAGS MODSEQ)"
				   : flags		  ? "(UID FLAGS)"
							  : "(UID)");
	mailbox_send(mb, &command, now);
	return true;
}

static bool
has_flag(const struct imap_fetch *fetch, const char *flag)
{
	for (size_t i = 0; i < fetch->flag_count; i++)
		if (span_equal_nocase(
			fetch->flags[i].text, span_from_str(flag)))
			return true;
	return false;
}

static bool
has_claim(const struct imap_fetch *fetch)
{
	for (size_t i = 0; i < fetch->flag_count; i++)
		if (span_starts_nocase(fetch->flags[i].text, CLAIM_WORD_PREFIX))
			return true;
	return false;
}

/* Its flags are what the mark would make of them: who changed the message
 * since it was judged was this mark, and nobody heard of it. */
static bool
is_marked(const struct job *job, const struct imap_fetch *fetch)
{
	const struct action *mark = &job->actions[job->next].action;

	if (mark->kind != ACTION_MARK || !fetch->has_flags)
		return false;
	for (size_t i = 0; i < mark->add.len; i++)
		if (!has_flag(fetch, mark->add.items[i]))
			return false;
	for (size_t i = 0; i < mark->remove.len; i++)
		if (has_flag(fetch, mark->remove.items[i]))
			return false;
	return true;
}

void
mailbox_resync_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct look *look = mb->resync.look;
	struct imap_fetch fetch;
	struct job *job;

	(void)now;
	if (!imap_fetch_parse(response, &fetch) ||
	    !imap_seqset_has(&look->asked, fetch.uid))
		return;
	imap_seqset_add(&look->seen, fetch.uid);
	job = mailbox_job_find(mb, mb->uidvalidity, fetch.uid);
	if (job != NULL && fetch.has_flags)
		job->is_read = has_flag(&fetch, "\\Seen");
	if (job == NULL || fetch.modseq == 0)
		return;
	if (fetch.modseq != job->modseq && is_marked(job, &fetch))
		imap_seqset_add(&look->marked, fetch.uid);
	if (fetch.modseq == job->modseq ||
	    imap_seqset_has(&look->marked, fetch.uid))
		imap_seqset_add(&look->same, fetch.uid);
	if (has_claim(&fetch))
		imap_seqset_add(&look->claimed, fetch.uid);
	if (fetch.modseq > look->top)
		look->top = fetch.modseq;
}

/* Where several machines claim messages, a claim is a change as well; that of
 * an earlier life is seen by its words. */
static uint64_t
guard_of(const struct mailbox *mb, const struct job *job)
{
	const struct look *look = mb->resync.look;

	if (!mailbox_has_modseq(mb) || look->top == 0 || mb->claim != NULL ||
	    imap_seqset_has(&look->claimed, job->key.uid))
		return 0;
	return imap_seqset_has(&look->same, job->key.uid) ? look->top
							  : job->modseq;
}

/* A server that refuses this is asked no more, and everything is tried. */
void
mailbox_resync_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	bool knows = response->status == IMAP_OK;
	const struct look *look = mb->resync.look;

	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (!mailbox_resync_must_look(mb, job) ||
		    !imap_seqset_has(&look->asked, job->key.uid))
			continue;
		job->checked = true;
		job->gone = job->gone || (knows && !imap_seqset_has(&look->seen,
						       job->key.uid));
		job->guard = knows ? guard_of(mb, job) : 0;
		if (imap_seqset_has(&look->marked, job->key.uid))
			mailbox_settle(mb, job, mailbox_job_current(job),
			    EFFECT_DONE, "was done before the interruption",
			    now);
	}
	mailbox_resync_clear(mb);
	mailbox_jobs_free_finished(mb);
	mailbox_go_on(mb, now);
}

/* ---- guards ---- */

#define MODSEQ_DETAIL "mod-sequence "

void
mailbox_modseq_detail(struct buf *detail, uint64_t modseq)
{
	if (modseq != 0)
		buf_addf(
		    detail, MODSEQ_DETAIL "%llu", (unsigned long long)modseq);
}

uint64_t
mailbox_read_modseq(const char *detail)
{
	const char *at = strstr(detail, MODSEQ_DETAIL);
	uint64_t modseq = 0;

	if (at == NULL)
		return 0;
	struct span digits = span_from_str(at + strlen(MODSEQ_DETAIL));
	size_t len = 0;
	while (len < digits.len && digits.data[len] >= '0' &&
	       digits.data[len] <= '9')
		len++;
	span_to_u64(span_slice(digits, 0, len), &modseq);
	return modseq <= INT64_MAX ? modseq : 0;
}

void
mailbox_guard_add(const struct mailbox *mb, struct imap_command *command)
{
	if (mb->op->guard == 0)
		return;
	imap_command_raw(command, "(UNCHANGEDSINCE");
	imap_command_number(command, mb->op->guard);
	imap_command_raw(command, ")");
}

bool
mailbox_is_guarded(enum action_kind kind)
{
	return kind == ACTION_MARK || kind == ACTION_LABEL;
}

/* For the marks behind this one, should they have to be done in another
 * life: it is we who changed the message. */
static void
renew_details(struct mailbox *mb, const struct job *job, usec_t now)
{
	BUF_AUTO detail = BUF_INIT;

	mailbox_modseq_detail(&detail, job->modseq);
	for (size_t i = job->next + 1; i < job->count; i++)
		if (job->actions[i].state == EFFECT_PLANNED &&
		    mailbox_is_guarded(job->actions[i].action.kind))
			mailbox_job_record(
			    mb, job, &job->actions[i], buf_str(&detail), now);
}

void
mailbox_guard_note_store(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct imap_fetch fetch;
	struct job *job;

	if (!imap_fetch_parse(response, &fetch) || fetch.modseq == 0 ||
	    !imap_seqset_has(&mb->op->uids, fetch.uid))
		return;
	job = mailbox_job_find(mb, mb->uidvalidity, fetch.uid);
	if (job == NULL || !mailbox_op_has(mb, job) ||
	    fetch.modseq <= job->modseq)
		return;
	job->modseq = fetch.modseq;
	renew_details(mb, job, now);
	if (mb->op->guard != 0 && fetch.modseq > mb->op->guard)
		mb->op->guard = fetch.modseq;
	if (job->guard != 0)
		job->guard = fetch.modseq;
}

bool
mailbox_guard_settle(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct imap_seqset modified, left = IMAP_SEQSET_INIT;

	if (!imap_modified_parse(response, &modified))
		return true;
	for (size_t i = 0; i < mb->op->count; i++) {
		struct job *job = mb->op->jobs[i];
		if (imap_seqset_has(&modified, job->key.uid))
			mailbox_settle(mb, job, mailbox_job_current(job),
			    EFFECT_SKIPPED,
			    "its flags were changed since it was judged: they "
			    "stay as they are",
			    now);
		else
			imap_seqset_add(&left, job->key.uid);
	}
	imap_seqset_done(&modified);
	imap_seqset_done(&mb->op->uids);
	mb->op->uids = left;
	mailbox_op_narrow(mb);
	return left.count > 0;
}

/* ---- SEARCH ---- */

void
mailbox_resync_search(
    struct mailbox *mb, const struct imap_seqset *uids, usec_t now)
{
	struct imap_command command;

	mailbox_begin_command(mb, &command, "UID SEARCH");
	if (mailbox_can(mb, IMAP_CAP_ESEARCH))
		imap_command_raw(&command, "RETURN (ALL)");
	imap_command_raw(&command, "UID");
	add_uids(&command, uids);
	mailbox_send(mb, &command, now);
}

void
mailbox_resync_clear(struct mailbox *mb)
{
	struct look *look = mb->resync.look;

	if (look == NULL)
		return;
	mb->resync.look = NULL;
	imap_seqset_done(&look->asked);
	imap_seqset_done(&look->seen);
	imap_seqset_done(&look->same);
	imap_seqset_done(&look->marked);
	imap_seqset_done(&look->claimed);
	free(look);
}
