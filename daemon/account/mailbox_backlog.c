/*
 * A run over messages that are there already (belfryctl apply), by the same
 * path as new ones: fetched in groups, judged, plans and position committed in
 * one transaction, then acted on. News go first: between two groups
 * mailbox_go_on looks for them.
 *
 * The way is by UIDs, upwards. A window of UIDs is searched (RFC 9051 section
 * 6.4.4), so that gaps cost nothing and only the right days are fetched; the
 * answer is one line of at most BACKLOG_WINDOW numbers. INTERNALDATE decides.
 * What the server leaves out of a group is asked for again: mailbox_missing.c.
 */
#include <assert.h>

#include "daemon/account/mailbox_private.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

/* UIDs in one search: the answer must fit into IMAP_LINE_MAX. */
#define BACKLOG_WINDOW 5000
/* Open jobs above which no further group is judged: what is left of
 * MAILBOX_JOBS_MAX is for news. */
#define BACKLOG_JOBS_MAX 300
/* SEARCH compares days, in whatever zone the server thinks them. */
#define DAY_SEC (24 * 60 * 60)

/* `run` is NULL where there never was one. */
static bool
is_there(const struct backlog *run)
{
	return run != NULL && run->is_there;
}

static bool
is_unfinished(const struct backlog *run)
{
	return is_there(run) && apply_is_unfinished(run->row.state);
}

bool
mailbox_backlog_is_unfinished(const struct mailbox *mb)
{
	return is_unfinished(mb->backlog);
}

bool
mailbox_backlog_has_more(const struct mailbox *mb)
{
	const struct store_apply *row;

	if (!is_unfinished(mb->backlog))
		return false;
	row = &mb->backlog->row;
	return row->state == APPLY_RUNNING &&
	       (row->uidvalidity == 0 || row->next_uid < row->end_uid);
}

/* ---- the run ---- */

static void
forget_window(struct backlog *run)
{
	imap_seqset_done(&run->found);
	imap_seqset_done(&run->group);
	imap_seqset_done(&run->seen);
	mailbox_missing_clear(run);
	run->searched = 0;
}

static void
forget(struct backlog *run)
{
	forget_window(run);
	imap_seqset_done(&run->counted);
	tally_done(&run->tally);
	strv_done(&run->rules);
	free(run->rules_text);
	buf_done(&run->detail);
	buf_done(&run->left_uids);
	*run = (struct backlog){0};
}

void
mailbox_backlog_free(struct mailbox *mb)
{
	if (mb->backlog == NULL)
		return;
	forget(mb->backlog);
	free(mb->backlog);
	mb->backlog = NULL;
}

static void
split_rules(struct strv *rules, const char *text)
{
	struct span rest = span_from_str(text), id;

	while (span_split(&rest, ' ', &id))
		if (id.len > 0)
			strv_add_span(rules, id);
}

static void
take_left_uids(struct backlog *run, const char *text)
{
	buf_clear(&run->left_uids);
	buf_add_str(&run->left_uids, text != NULL ? text : "");
	run->row.left_uids = buf_str(&run->left_uids);
}

static void
take_row(struct mailbox *mb, const struct store_apply *apply)
{
	struct backlog *run;

	if (mb->backlog == NULL)
		mb->backlog = NEW(struct backlog);
	run = mb->backlog;
	forget(run);
	run->is_there = true;
	run->rules_text = xstrdup(apply->rules);
	split_rules(&run->rules, run->rules_text);
	run->row = *apply;
	run->row.account = mb->config->account;
	run->row.mailbox = mb->name;
	run->row.rules = run->rules_text;
	run->row.detail = "";
	take_left_uids(run, apply->left_uids);
}

bool
mailbox_apply(struct mailbox *mb, const struct store_apply *apply, bool is_dry,
    usec_t now)
{
	if (is_unfinished(mb->backlog))
		return false;
	take_row(mb, apply);
	mb->backlog->is_dry = is_dry || mb->config->dry_run;
	mailbox_wake(mb, now);
	return true;
}

/* The store's word is the truth: a plan that was under way may have been lost
 * with its connection. */
void
mailbox_load_apply(struct mailbox *mb, const struct store_apply *apply)
{
	struct backlog *run = mb->backlog;

	if (mb->state == MAILBOX_PARKED)
		mailbox_rove_note_work(mb);
	if (mb->state != MAILBOX_LOADING || mb->config->dry_run ||
	    mb->visit == VISIT_LOOK)
		return;
	if (!is_unfinished(run) || run->row.run != apply->run) {
		if (!is_unfinished(run))
			take_row(mb, apply);
		return;
	}
	if (run->is_dry)
		return;
	const struct store_apply old = run->row;
	run->row = *apply;
	run->row.account = old.account;
	run->row.mailbox = old.mailbox;
	run->row.rules = old.rules;
	run->row.detail = old.detail;
	take_left_uids(run, apply->left_uids);
	if (old.state == APPLY_CANCELLING)
		run->row.state = APPLY_CANCELLING;
}

/* The connection is lost: what was fetched of a group is not judged. */
void
mailbox_backlog_interrupted(struct mailbox *mb)
{
	struct backlog *run = mb->backlog;

	if (run == NULL)
		return;
	if (run->is_judging)
		run->row = run->before;
	run->is_judging = false;
	forget_window(run);
}

static void
write_row(struct mailbox *mb, usec_t now)
{
	struct backlog *run = mb->backlog;

	run->row.changed_unix = mailbox_unix(mb, now);
	if (run->is_dry)
		return;
	store_batch_set_apply(mailbox_outcomes(mb), &run->row);
	mailbox_flush_outcomes(mb);
}

void
mailbox_backlog_tell(struct mailbox *mb)
{
	mb->backlog->has_news = false;
	mailbox_emit_need(mb, MAILBOX_PROGRESS);
}

void
mailbox_backlog_end(
    struct mailbox *mb, enum apply_state state, const char *detail, usec_t now)
{
	struct backlog *run = mb->backlog;

	if (!is_unfinished(run))
		return;
	mailbox_backlog_interrupted(mb);
	buf_clear(&run->detail);
	buf_add_str(&run->detail, detail);
	run->row.state = state;
	run->row.detail = buf_str(&run->detail);
	run->before = run->row;
	write_row(mb, now);
	run->is_ending = true;
	mailbox_backlog_written(mb);
}

bool
mailbox_backlog_may_wait(const struct mailbox *mb)
{
	return is_unfinished(mb->backlog) && !mb->backlog->is_dry;
}

/* Who hears of the end reads in the store what became of everything. */
void
mailbox_backlog_written(struct mailbox *mb)
{
	if (mb->backlog == NULL || !mb->backlog->is_ending ||
	    !list_is_empty(&mb->commits))
		return;
	mb->backlog->is_ending = false;
	mailbox_backlog_tell(mb);
}

void
mailbox_apply_cancel(struct mailbox *mb, usec_t now)
{
	struct backlog *run = mb->backlog;

	if (!is_unfinished(run) || run->row.state == APPLY_CANCELLING)
		return;
	run->row.state = run->before.state = APPLY_CANCELLING;
	write_row(mb, now);
	if (mb->state == MAILBOX_WAITING)
		mailbox_start(mb, now); /* what is open is in the store */
	else
		mailbox_wake(mb, now);
}

/* ---- its jobs ---- */

/* A visitor has nothing else: what rules planned while somebody watched is
 * its business, too (mailbox_load_effect). */
static bool
is_seq_of_run(const struct mailbox *mb, unsigned seq)
{
	return seq / STORE_APPLY_SEQ == mb->backlog->row.run ||
	       (mb->visit == VISIT_ACT && seq < STORE_APPLY_SEQ);
}

static bool
is_of_run(const struct mailbox *mb, const struct job *job)
{
	return job->count > 0 && is_seq_of_run(mb, job->actions[0].seq);
}

bool
mailbox_backlog_has_left(
    const struct mailbox *mb, const struct store_effect *effect)
{
	return mb->visit == VISIT_ACT && is_unfinished(mb->backlog) &&
	       mb->backlog->row.uidvalidity == effect->key.uidvalidity;
}

void
mailbox_backlog_settled(
    struct mailbox *mb, const struct job *job, enum effect_state state)
{
	struct backlog *run = mb->backlog;

	if (!is_there(run) || !is_of_run(mb, job))
		return;
	if (state == EFFECT_DONE)
		run->done++;
	else
		run->failed++;
	run->has_news = true;
}

static void
count_jobs(
    const struct mailbox *mb, usec_t now, size_t *open_r, size_t *waiting_r)
{
	*open_r = *waiting_r = 0;
	LIST_EACH(pos, &mb->jobs)
	{
		const struct job *job = LIST_ITEM(pos, struct job, link);
		if (job->next >= job->count || !is_of_run(mb, job))
			continue;
		(*open_r)++;
		if (!job->running && job->not_before > now)
			(*waiting_r)++;
	}
	/* Notifications on their way: they hold no job. */
	LIST_EACH(pos, &mb->tasks)
	{
		const struct task *task = LIST_ITEM(pos, struct task, link);
		if (is_seq_of_run(mb, task->seq) &&
		    mailbox_job_find(mb, task->uidvalidity, task->uid) == NULL)
			(*open_r)++;
	}
}

bool
mailbox_get_apply(
    const struct mailbox *mb, struct mailbox_apply_status *status_r, usec_t now)
{
	const struct backlog *run = mb->backlog;

	if (!is_there(run))
		return false;
	*status_r = (struct mailbox_apply_status){
	    .apply = &run->row,
	    .is_dry = run->is_dry,
	    .is_judged =
		run->row.end_uid != 0 && run->row.next_uid >= run->row.end_uid,
	    .done = run->done,
	    .failed = run->failed,
	    .tally = &run->tally,
	};
	count_jobs(mb, now, &status_r->open, &status_r->waiting);
	return true;
}

static bool
has_open_job(const struct mailbox *mb, usec_t now)
{
	size_t open, waiting;

	count_jobs(mb, now, &open, &waiting);
	return open > 0;
}

static bool
is_only_planned(const struct job_action *action)
{
	return (action->state == EFFECT_PLANNED && !action->copied) ||
	       action->early;
}

/* What rules planned while somebody watched is no business of the run's end. */
static bool
is_own(const struct mailbox *mb, const struct job_action *action)
{
	return action->seq / STORE_APPLY_SEQ == mb->backlog->row.run;
}

/* What it only planned is not done any more. */
static void
settle_planned(
    struct mailbox *mb, enum effect_state state, const char *words, usec_t now)
{
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (job->running || job->op != NULL)
			continue;
		while (job->next < job->count &&
		       is_own(mb, mailbox_job_current(job)) &&
		       is_only_planned(mailbox_job_current(job)))
			mailbox_settle(mb, job, mailbox_job_current(job), state,
			    words, now);
	}
	mailbox_jobs_free_finished(mb);
	mailbox_flush_outcomes(mb);
}

void
mailbox_backlog_give_up(struct mailbox *mb, const char *words, usec_t now)
{
	if (is_unfinished(mb->backlog) && !mb->backlog->is_dry)
		settle_planned(mb, EFFECT_FAILED, words, now);
}

void
mailbox_backlog_heed_cancel(struct mailbox *mb, usec_t now)
{
	struct backlog *run = mb->backlog;

	if (!is_there(run) || run->row.state != APPLY_CANCELLING)
		return;
	settle_planned(mb, EFFECT_SKIPPED, "the run was cancelled", now);
	if (!has_open_job(mb, now))
		mailbox_backlog_end(mb, APPLY_CANCELLED, "", now);
}

/* ---- beginning ---- */

static bool
has_rule(const struct rules *rules, const char *id)
{
	for (size_t i = 0; i < rules_count(rules); i++)
		if (strcmp(rules_id(rules, i), id) == 0)
			return true;
	return false;
}

/* Whether it can go on at all; else it has ended. */
static bool
check_rules(struct mailbox *mb, usec_t now)
{
	const struct strv *rules = &mb->backlog->rules;

	for (size_t i = 0; i < rules->len; i++) {
		if (has_rule(mb->rules, rules->items[i]))
			continue;
		STR_AUTO words =
		    xasprintf("there is no rule %s any more", rules->items[i]);
		mailbox_backlog_end(mb, APPLY_ENDED, words, now);
		return false;
	}
	return true;
}

/* The range is what is there now: below the cursor, above which messages are
 * news. */
static void
set_range(struct mailbox *mb)
{
	struct store_apply *row = &mb->backlog->row;

	row->uidvalidity = mb->uidvalidity;
	row->first_uid = row->next_uid = 1;
	row->end_uid = mb->visit == VISIT_NONE ? mb->cursor : mb->uidnext;
	if (row->end_uid == 0)
		row->end_uid = 1;
	if (row->since_unix == 0 && row->until_unix == 0)
		row->total = mb->exists;
}

static bool
check_validity(struct mailbox *mb, usec_t now)
{
	if (mb->backlog->row.uidvalidity == 0)
		set_range(mb);
	if (mb->backlog->row.uidvalidity == mb->uidvalidity)
		return true;
	mailbox_backlog_end(mb, APPLY_ENDED,
	    "the server rebuilt the mailbox (UIDVALIDITY changed): its "
	    "messages have other numbers now",
	    now);
	return false;
}

/* ---- searching ---- */

static void
add_day(struct buf *out, const char *key, int64_t unix_seconds)
{
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct unix_parts parts;

	unix_split(unix_seconds > 0 ? unix_seconds : 0, &parts);
	buf_addf(out, " %s %d-%s-%04d", key, parts.day, months[parts.month - 1],
	    parts.year);
}

static uint32_t
window_last(const struct mailbox *mb)
{
	const struct store_apply *row = &mb->backlog->row;
	uint32_t last = row->end_uid - 1;

	if (mb->exists > BACKLOG_WINDOW &&
	    last - row->next_uid >= BACKLOG_WINDOW)
		last = row->next_uid + BACKLOG_WINDOW - 1;
	return last;
}

static void
send_search(struct mailbox *mb, usec_t now)
{
	struct backlog *run = mb->backlog;
	struct imap_command command;

	forget_window(run);
	run->searched = window_last(mb);
	mailbox_enter(mb, MAILBOX_SEARCHING, now);
	mailbox_begin_command(mb, &command, "UID SEARCH");
	buf_addf(&command.text, " UID %u:%u", run->row.next_uid, run->searched);
	if (run->row.since_unix != 0)
		add_day(&command.text, "SINCE", run->row.since_unix - DAY_SEC);
	if (run->row.until_unix != 0)
		add_day(
		    &command.text, "BEFORE", run->row.until_unix + 2 * DAY_SEC);
	mailbox_send(mb, &command, now);
}

void
mailbox_backlog_note_found(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct backlog *run = mb->backlog;

	(void)now;
	if (!span_is_nocase(response->name, "SEARCH"))
		return;
	for (size_t i = 0; i < response->count; i++) {
		uint64_t uid = imap_value_number(&response->values[i]);
		if (uid >= run->row.next_uid && uid <= run->searched &&
		    imap_seqset_size(&run->found) < IMAP_SEQSET_RANGES_MAX)
			imap_seqset_add(&run->found, (uint32_t)uid);
	}
}

void
mailbox_backlog_searched(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct backlog *run = mb->backlog;
	BUF_AUTO text = BUF_INIT;

	if (response->status != IMAP_OK) {
		str_sanitize(&text, response->text, 200);
		mailbox_report(mb, REPORT_WARNING, 0,
		    "the server would not search (%s): all messages are "
		    "fetched instead",
		    buf_str(&text));
		forget_window(run);
		run->no_search = true;
	} else if (run->found.count == 0) {
		run->row.next_uid = run->searched + 1;
	} else if (run->row.next_uid == run->row.first_uid &&
		   run->searched + 1 == run->row.end_uid) {
		run->row.total = imap_seqset_size(&run->found);
	}
	run->has_news = true;
	mailbox_go_on(mb, now);
}

/* ---- fetching ---- */

static void
add_range(struct imap_seqset *set, uint32_t first, uint32_t last)
{
	for (uint32_t uid = first; uid <= last; uid++)
		imap_seqset_add(set, uid);
}

/* Moves the lowest MAILBOX_REVIEW of what was found into the group. */
static void
take_group(struct backlog *run)
{
	struct imap_seqset rest = IMAP_SEQSET_INIT;
	uint32_t room = MAILBOX_REVIEW;

	imap_seqset_done(&run->group);
	for (size_t i = 0; i < run->found.count; i++) {
		struct imap_range range = run->found.ranges[i];
		uint64_t size = imap_range_size(range);
		uint32_t count = size < room ? (uint32_t)size : room;
		if (count > 0)
			add_range(
			    &run->group, range.first, range.first + count - 1);
		room -= count;
		if (count < size)
			add_range(&rest, range.first + count, range.last);
	}
	imap_seqset_done(&run->found);
	run->found = rest;
}

static uint32_t
last_of(const struct imap_seqset *set)
{
	return set->ranges[set->count - 1].last;
}

/* A server that does not search: whatever has the next UIDs. */
static void
take_next_uids(struct backlog *run)
{
	uint32_t last = run->row.end_uid - 1;

	if (last - run->row.next_uid >= MAILBOX_REVIEW)
		last = run->row.next_uid + MAILBOX_REVIEW - 1;
	imap_seqset_done(&run->group);
	add_range(&run->group, run->row.next_uid, last);
	run->searched = last;
}

void
mailbox_backlog_fetch(
    struct mailbox *mb, const struct imap_seqset *uids, usec_t now)
{
	struct imap_command command;

	mailbox_enter(mb, MAILBOX_REVIEWING, now);
	mailbox_begin_command(mb, &command, "UID FETCH");
	imap_command_seqset(&command, uids);
	mailbox_add_fetch_items(mb, &command);
	mailbox_send(mb, &command, now);
}

/* The same with less. */
static void
fetch_again(struct mailbox *mb, usec_t now)
{
	mailbox_backlog_fetch(mb, mailbox_missing_asked(mb->backlog), now);
}

static void
begin_group(struct mailbox *mb, usec_t now)
{
	struct backlog *run = mb->backlog;

	if (run->no_search)
		take_next_uids(run);
	else
		take_group(run);
	imap_seqset_done(&run->seen);
	mailbox_missing_clear(run);
	run->ignored = 0;
	run->before = run->row;
	run->is_judging = true;
	mailbox_forget_met(mb);
	mailbox_body_clear(mb);
	mailbox_drop_batch(mb, &mb->plan);
	mb->plan = store_batch_new();
	mb->stale = false;
	mb->bare = mb->no_structure;
	mailbox_backlog_fetch(mb, &run->group, now);
}

/* Whether the message is of the time that was asked for; one whose time the
 * server does not tell is not. */
static bool
is_in_time(const struct store_apply *row, const struct imap_fetch *fetch)
{
	int64_t when = fetch->internaldate_unix;

	if (row->since_unix == 0 && row->until_unix == 0)
		return true;
	return fetch->has_internaldate &&
	       (row->since_unix == 0 || when >= row->since_unix) &&
	       (row->until_unix == 0 || when < row->until_unix);
}

void
mailbox_backlog_note_plan(
    struct mailbox *mb, uint32_t uid, const struct plan *plan)
{
	struct backlog *run = mb->backlog;

	run->row.matched += plan->matched.len > 0;
	run->row.observed += plan->observed.len > 0;
	/* After a broken link the same group comes again. */
	if (imap_seqset_has(&run->counted, uid))
		return;
	imap_seqset_add(&run->counted, uid);
	tally_add(&run->tally, plan, run->row.notify != 0);
}

static void
review(struct mailbox *mb, const struct imap_fetch *fetch, usec_t now)
{
	struct backlog *run = mb->backlog;

	run->row.looked++;
	/* Live judging is not done with it: both at once would move it away
	 * under each other's feet. */
	if (mailbox_job_find(mb, mb->uidvalidity, fetch->uid) != NULL) {
		run->row.busy++;
		return;
	}
	struct candidate *candidate = mailbox_candidate_new(fetch);
	candidate->run = run;
	mailbox_meet_sender(mb, candidate);
	if (!mailbox_body_judge(mb, candidate, now)) {
		if (mailbox_body_has_room(mb, candidate))
			mailbox_body_wait(mb, &candidate);
		else
			mailbox_body_judge_without(mb, candidate, now);
	}
	mailbox_candidate_free(&candidate);
}

void
mailbox_backlog_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct backlog *run = mb->backlog;
	struct imap_fetch fetch;

	if (!imap_fetch_parse(response, &fetch) || !fetch.has_header ||
	    fetch.uid == 0 || !imap_seqset_has(&run->group, fetch.uid) ||
	    imap_seqset_has(&run->seen, fetch.uid))
		return;
	/* Asked for what other rules need, or no room for more that wait for
	 * their text: the rest comes once more. */
	if ((mb->stale || run->ignored != 0 ||
		mailbox_body_bytes(mb) >= MAILBOX_READING_MAX / 2) &&
	    (run->seen.count == 0 || fetch.uid > last_of(&run->seen))) {
		if (run->ignored == 0 || fetch.uid < run->ignored)
			run->ignored = fetch.uid;
		return;
	}
	imap_seqset_add(&run->seen, fetch.uid);
	if (is_in_time(&run->row, &fetch))
		review(mb, &fetch, now);
}

/* Behind the group, or in front of what has to come again. */
static uint32_t
next_uid(const struct backlog *run)
{
	if (run->ignored != 0)
		return run->ignored;
	return run->found.count > 0 ? last_of(&run->group) + 1
				    : run->searched + 1;
}

static void
commit_group(struct mailbox *mb, usec_t now)
{
	struct backlog *run = mb->backlog;
	struct store_batch *batch = mb->plan;

	mb->plan = NULL;
	run->is_judging = false;
	mailbox_missing_note_left(mb);
	run->row.next_uid = next_uid(run);
	run->row.changed_unix = mailbox_unix(mb, now);
	if (run->ignored != 0)
		forget_window(run);
	imap_seqset_done(&run->counted);
	imap_seqset_done(&run->group);
	mailbox_missing_clear(run);
	run->has_news = true;
	mailbox_enter(mb, MAILBOX_COMMITTING, now);
	if (run->is_dry) {
		mailbox_drop_batch(mb, &batch);
		mailbox_go_on(mb, now);
		return;
	}
	store_batch_set_apply(batch, &run->row);
	mailbox_commit(mb, COMMIT_PLAN, batch);
}

/* The rules changed while messages waited for their text: the whole group
 * comes once more, for the new ones. What was judged of it is forgotten, with
 * its jobs: nothing of it is on disk. */
static void
review_again(struct mailbox *mb, usec_t now)
{
	struct backlog *run = mb->backlog;

	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (is_of_run(mb, job) &&
		    imap_seqset_has(&run->seen, job->key.uid))
			mailbox_job_free(mb, job);
	}
	mailbox_drop_batch(mb, &mb->plan);
	mailbox_body_clear(mb);
	mailbox_backlog_interrupted(mb);
	mailbox_go_on(mb, now);
}

void
mailbox_backlog_group_came(struct mailbox *mb, usec_t now)
{
	mailbox_body_begin(mb, commit_group, review_again, now);
}

static void
report_refused(struct mailbox *mb, const char *words)
{
	const struct imap_seqset *asked = mailbox_missing_asked(mb->backlog);

	if (mb->backlog->missing.step == MISSING_UNASKED)
		mailbox_report(mb, REPORT_WARNING, 0,
		    "the server did not give all of UIDs %u to %u: %s",
		    asked->ranges[0].first, last_of(asked), words);
}

/* NO: some of them are gone, or cannot be read; the others came. */
void
mailbox_backlog_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	BUF_AUTO text = BUF_INIT;

	if (mailbox_put_off(mb, response, false, now))
		return;
	if (response->status == IMAP_BAD && mailbox_fetch_less(mb)) {
		fetch_again(mb, now);
		return;
	}
	str_sanitize(&text, response->text, 200);
	if (response->status == IMAP_NO)
		report_refused(mb, buf_str(&text));
	if (response->status == IMAP_BAD) {
		STR_AUTO words = xasprintf(
		    "the server refused the messages: %s", buf_str(&text));
		struct error error = ERROR_INIT;
		error_set(&error, FAULT_PEER, "%s", words);
		mailbox_backlog_end(mb, APPLY_ENDED, words, now);
		/* What was judged of them must go, too. */
		mailbox_fail(mb, &error, now);
		return;
	}
	if (mailbox_fetch_bare(mb))
		fetch_again(mb, now);
	else
		mailbox_missing_ask(mb, now);
}

/* ---- what comes next ---- */

static void
go_further(struct mailbox *mb, usec_t now)
{
	if (mb->backlog->found.count > 0 || mb->backlog->no_search)
		begin_group(mb, now);
	else
		send_search(mb, now);
}

bool
mailbox_backlog_begin(struct mailbox *mb, usec_t now)
{
	struct backlog *run = mb->backlog;

	if (!is_unfinished(run) || !check_validity(mb, now) ||
	    !check_rules(mb, now))
		return false;
	if (run->row.state == APPLY_RUNNING &&
	    run->row.next_uid < run->row.end_uid) {
		if (mb->job_count >= BACKLOG_JOBS_MAX)
			return false;
		go_further(mb, now);
		return true;
	}
	if (!has_open_job(mb, now))
		mailbox_backlog_end(mb, APPLY_DONE, "", now);
	return false;
}
