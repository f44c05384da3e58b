/*
 * Catch-up: what is new above the cursor is fetched in windows, judged as it
 * comes in, and committed with the new cursor in one transaction.
 */
#include <assert.h>

#include "daemon/account/mailbox_private.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

/* Over a gap in the UIDs the window grows up to this many UIDs. */
#define WINDOW_GROWN_MAX 1000000
/* Messages that one SEARCH asks for, and several together. */
#define SEARCH_WINDOW 5000
#define SEARCH_MOST UINT64_C(10000000)

/* Ranges that one FETCH names: of ten digits each, and what else it says. */
#define FETCH_RANGES_MAX 300
#define FETCH_RANGE_SIZE 22
#define FETCH_ITEMS_SIZE (RULES_HEADER_NAMES_MAX + 200)
_Static_assert(FETCH_RANGES_MAX *FETCH_RANGE_SIZE + FETCH_ITEMS_SIZE <
		   IMAP_COMMAND_LINE_MAX,
    "the command can be written");
_Static_assert(MAILBOX_GROUP_MAX *FETCH_RANGE_SIZE / 2 + FETCH_ITEMS_SIZE <
		   IMAP_COMMAND_LINE_MAX,
    "and that of a group, of which a range has two at least");

#define SEARCH_UID_SIZE 11 /* of an answer: a blank and ten digits */
_Static_assert((SEARCH_WINDOW + 1) * SEARCH_UID_SIZE < IMAP_LINE_MAX,
    "the lexer takes the answer");

/* ---- comparing cursor and mailbox ---- */

/* Of a mailbox that was rebuilt the cursor is written when all of it was
 * compared and judged. */
static void
commit_window(struct mailbox *mb, struct store_batch *batch, bool moves_cursor,
    usec_t now)
{
	mailbox_enter(mb, MAILBOX_COMMITTING, now);
	if (mb->config->dry_run) {
		mailbox_know_senders(mb, batch);
		store_batch_free(&batch);
		mailbox_sweep_committed(mb, now);
		return;
	}
	if (moves_cursor)
		mailbox_chunk_end(mb, batch);
	mailbox_twin_write(mb, batch);
	mailbox_commit(mb, COMMIT_PLAN, batch);
}

void
mailbox_sweep_commit(struct mailbox *mb, struct store_batch *batch, usec_t now)
{
	commit_window(mb, batch, true, now);
}

/* A message came between UIDNEXT and the end of SELECT. (A server that says
 * UIDNEXT before EXISTS is asked once in vain.) */
static bool
has_grown(const struct mailbox *mb)
{
	return mb->exists > mb->exists_at_uidnext;
}

void
mailbox_sweep_reset(struct mailbox *mb)
{
	mb->has_cursor = true;
	mb->cursor_validity = mb->uidvalidity;
	mb->cursor = mb->uidnext;
	mb->dirty = has_grown(mb);
	mb->swept_exists = mb->exists_at_uidnext;
	mailbox_chunk_begin(mb, NULL);
}

static void
reset_cursor(struct mailbox *mb, usec_t now)
{
	mailbox_sweep_reset(mb);
	mailbox_sweep_commit(mb, store_batch_new(), now);
}

/* With the first cursor: when that was (account/recall.h). */
static struct store_batch *
first_batch(struct mailbox *mb, int64_t since_unix, usec_t now)
{
	STR_AUTO name = xasprintf(RECALL_CONTACT_FACT " %s", mb->name);
	STR_AUTO value = xasprintf("%lld", (long long)since_unix);
	struct store_batch *batch = store_batch_new();

	store_batch_set_fact(batch, mb->config->account, name, value);
	mailbox_audit_begin_at_cursor(mb, batch, now);
	return batch;
}

/* What was planned in another life of the mailbox can never be done. */
static void
give_up(struct mailbox *mb, uint32_t but, const char *why, usec_t now)
{
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (but != 0 && job->key.uidvalidity == but)
			continue;
		while (job->next < job->count)
			mailbox_settle(mb, job, &job->actions[job->next],
			    EFFECT_FAILED, why, now);
		mailbox_job_free(mb, job);
	}
}

/* ---- a mailbox that is younger than our watch ---- */

/*
 * What is in it came after the folders were listed the last time, and is news;
 * but it may have been another mailbox before, with old mail: then only what
 * is younger counts. SEARCH compares days, in whatever zone the server thinks
 * them.
 */
static int64_t
early_day(const struct mailbox *mb)
{
	return mb->early_unix - 24 * 60 * 60;
}

static void
search_early(struct mailbox *mb, usec_t now)
{
	mb->highest = 0;
	mailbox_enter(mb, MAILBOX_DATING, now);
	mailbox_sweep_search_since(mb, early_day(mb), now);
}

/* What is new comes last, so numbers only fall: from the top down no message is
 * left out when others are expunged meanwhile. */
static void
add_search_window(struct mailbox *mb, struct buf *text)
{
	uint32_t last = mb->search_rest;

	if (last > mb->exists)
		last = (uint32_t)mb->exists;
	mb->search_rest = last > SEARCH_WINDOW ? last - SEARCH_WINDOW : 0;
	if (mb->search_rest > 0 || last < mb->exists)
		buf_addf(text, " %u:%u", mb->search_rest + 1, last);
}

static void
send_search(struct mailbox *mb, int64_t day_unix, usec_t now)
{
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct imap_command command;
	struct unix_parts parts;

	unix_split(day_unix > 0 ? day_unix : 0, &parts);
	mailbox_begin_command(mb, &command, "UID SEARCH");
	add_search_window(mb, &command.text);
	buf_addf(&command.text, " SINCE %d-%s-%04d", parts.day,
	    months[parts.month - 1], parts.year);
	mailbox_send(mb, &command, now);
}

void
mailbox_sweep_search_since(struct mailbox *mb, int64_t day_unix, usec_t now)
{
	mb->search_rest =
	    mb->exists < UINT32_MAX ? (uint32_t)mb->exists : UINT32_MAX;
	send_search(mb, day_unix, now);
}

bool
mailbox_sweep_search_goes_on(struct mailbox *mb,
    const struct imap_response *response, int64_t day_unix, usec_t now)
{
	if (response->status != IMAP_OK || mb->search_rest == 0 ||
	    mb->exists == 0 || mb->exists > mb->search_rest + SEARCH_MOST)
		return false;
	send_search(mb, day_unix, now);
	return true;
}

/* The lowest of them; mb->highest is free until the end of this. */
void
mailbox_early_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	(void)now;
	if (!span_is_nocase(response->name, "SEARCH"))
		return;
	for (size_t i = 0; i < response->count; i++) {
		uint64_t uid = imap_value_number(&response->values[i]);
		if (uid > 0 && uid < mb->uidnext &&
		    (mb->highest == 0 || uid < mb->highest))
			mb->highest = (uint32_t)uid;
	}
}

/* A server that does not search: all of it is news. */
void
mailbox_early_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	uint32_t first = mb->highest != 0 ? mb->highest : mb->uidnext;

	if (mailbox_sweep_search_goes_on(mb, response, early_day(mb), now))
		return;
	if (response->status != IMAP_OK)
		first = 1;
	mailbox_report(mb, REPORT_FIRST_CONTACT, 0,
	    "a new mailbox: its messages are judged from UID %u on", first);
	mb->has_cursor = true;
	mb->cursor_validity = mb->uidvalidity;
	mb->cursor = first;
	mb->dirty = true;
	mailbox_chunk_begin(mb, NULL);
	mailbox_sweep_commit(mb, first_batch(mb, mb->early_unix, now), now);
}

/* What an earlier session planned or left behind has no name any more. */
static void
begin_anew(struct mailbox *mb, usec_t now)
{
	if (!told_before(&mb->told, SPAN("[UIDNOTSTICKY]"), now))
		mailbox_report(mb, REPORT_WARNING, 0,
		    "the server forgets its UIDs with each connection "
		    "(UIDNOTSTICKY): mail that comes between two of them is "
		    "not judged, but by belfryctl apply");
	give_up(mb, 0, "the server does not know its messages again", now);
	reset_cursor(mb, now);
}

void
mailbox_give_up_old(struct mailbox *mb, usec_t now)
{
	give_up(mb, mb->uidvalidity,
	    "the server rebuilt the mailbox (UIDVALIDITY changed)", now);
}

static void
compare_known(struct mailbox *mb, usec_t now)
{
	if (mb->uids_pass) {
		begin_anew(mb, now);
		return;
	}
	bool is_rebuilt = mb->cursor_validity != mb->uidvalidity;
	if (is_rebuilt && mb->early_unix == 0) {
		mailbox_rebuilt_begin(mb, now);
		return;
	}
	/* Also where the cursor knows already: the daemon died between. */
	mailbox_give_up_old(mb, now);
	if (is_rebuilt) {
		search_early(mb, now);
		return;
	}
	mb->early_unix = 0;
	if (mb->uidnext < mb->cursor) {
		if (!told_before(&mb->told, SPAN("[UIDNEXT]"), now))
			mailbox_report(mb, REPORT_WARNING, 0,
			    "the server's UIDNEXT went back from %u to %u: "
			    "watching from there, nothing is judged twice",
			    mb->cursor, mb->uidnext);
		reset_cursor(mb, now);
		return;
	}
	mb->dirty = mb->uidnext > mb->cursor || has_grown(mb);
	if (!mb->dirty)
		mb->swept_exists = mb->exists;
	mailbox_go_on(mb, now);
}

static void
ask_highest(struct mailbox *mb, usec_t now)
{
	struct imap_command command;

	mailbox_enter(mb, MAILBOX_HIGHEST, now);
	mb->highest = 0;
	mb->exists_at_uidnext = mb->exists;
	mb->newer = false;
	mailbox_begin_command(mb, &command, "UID FETCH");
	imap_command_raw(&command, "* (UID)");
	mailbox_send(mb, &command, now);
}

void
mailbox_compare(struct mailbox *mb, usec_t now)
{
	mailbox_assume_validity(mb);
	mailbox_resync_selected(mb, now);
	mb->looked = now;
	mb->fresh = true;
	if (mb->uidnext == 0) {
		ask_highest(mb, now); /* Courier, NetEase */
		return;
	}
	mb->fresh = false;
	mailbox_reopen_selected(mb, now);
	if (mb->visit != VISIT_NONE) {
		mb->cursor_validity = mb->uidvalidity;
		mailbox_give_up_old(mb, now);
		mailbox_go_on(mb, now);
		return;
	}
	if (mb->has_cursor) {
		compare_known(mb, now);
		return;
	}
	if (mb->early_unix != 0) {
		search_early(mb, now);
		return;
	}
	mailbox_report(mb, REPORT_FIRST_CONTACT, 0,
	    "first contact: the %llu messages in it stay as they are, new "
	    "ones are judged from UID %u on",
	    (unsigned long long)mb->exists, mb->uidnext);
	mailbox_sweep_reset(mb);
	mailbox_sweep_commit(
	    mb, first_batch(mb, mailbox_unix(mb, now), now), now);
}

void
mailbox_highest_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct imap_fetch fetch;

	(void)now;
	if (imap_fetch_parse(response, &fetch) && fetch.uid > mb->highest)
		mb->highest = fetch.uid;
}

/* An empty mailbox answers nothing, or NO or BAD: then the cursor stands. */
void
mailbox_highest_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	(void)response;
	uint32_t next =
	    mb->highest == UINT32_MAX ? mb->highest : mb->highest + 1;
	/* The last message may have gone: that is no way back. */
	if (mb->has_cursor && mb->cursor_validity == mb->uidvalidity &&
	    next < mb->cursor)
		next = mb->cursor;
	mb->uidnext = next;
	if (mb->fresh) {
		mailbox_compare(mb, now);
		return;
	}
	if (mb->far >= next)
		mailbox_report(mb, REPORT_WARNING, mb->far,
		    "the server told of this message, which it does not have: "
		    "its last one is UID %u",
		    mb->highest);
	mb->far = 0;
	mb->dirty = mb->uidnext > mb->cursor;
	if (!mb->dirty)
		mb->swept_exists = mb->exists;
	mailbox_go_on(mb, now);
}

/* ---- asking ---- */

bool
mailbox_sweep_is_due(const struct mailbox *mb)
{
	return (mb->dirty || mb->audit.late.count > 0) && mb->has_cursor &&
	       !mailbox_jobs_are_full(mb);
}

void
mailbox_add_fetch_items(struct mailbox *mb, struct imap_command *command)
{
	mb->dropped = imap_session_dropped(mb->session);
	imap_command_raw(command, "(UID FLAGS INTERNALDATE RFC822.SIZE");
	if (mailbox_has_modseq(mb))
		imap_command_raw(command, "MODSEQ");
	if (mb->state == MAILBOX_SWEEPING)
		mailbox_twin_add_items(mb, command);
	if (mb->needs.structure && !mb->bare)
		imap_command_raw(command, "BODYSTRUCTURE");
	if (mb->needs.all_headers ||
	    (mb->whole && mb->state == MAILBOX_SWEEPING)) {
		imap_command_raw(command, "BODY.PEEK[HEADER])");
	} else {
		imap_command_raw(command, "BODY.PEEK[HEADER.FIELDS");
		imap_command_header_fields(command, mb->needs.headers);
		buf_add_str(&command->text, "])");
	}
}

/* It is the structure that makes an answer too large, or malformed. */
bool
mailbox_fetch_bare(struct mailbox *mb)
{
	if (!mb->needs.structure || mb->bare ||
	    mb->dropped == imap_session_dropped(mb->session))
		return false;
	mb->bare = true;
	return true;
}

static void
send_fetch(struct mailbox *mb, usec_t now)
{
	struct imap_command command;

	mailbox_begin_command(mb, &command, "UID FETCH");
	if (mb->retry.count > FETCH_RANGES_MAX)
		/* Too long for a line: what lies between is not taken. */
		buf_addf(&command.text, " %u:%u", mb->retry.ranges[0].first,
		    mb->retry.ranges[mb->retry.count - 1].last);
	else if (mb->retry.count > 0)
		imap_command_seqset(&command, &mb->retry);
	else if (mb->window_end != 0)
		buf_addf(&command.text, " %u:%u", mb->cursor, mb->window_end);
	else
		buf_addf(&command.text, " %u:*", mb->cursor);
	mailbox_add_fetch_items(mb, &command);
	mailbox_send(mb, &command, now);
}

static uint32_t
window_most(const struct mailbox *mb)
{
	return mb->window_most != 0 ? mb->window_most : MAILBOX_WINDOW;
}

/* What was fetched of this window is lost: a smaller one may get through. */
static void
shrink_window(struct mailbox *mb)
{
	uint32_t half = window_most(mb) / 2;

	mb->window_most = half > MAILBOX_WINDOW_MIN ? half : MAILBOX_WINDOW_MIN;
	mb->window_size = mb->window_most;
}

/* After a burst the end is asked for first, so that it comes in windows. */
static bool
is_burst(const struct mailbox *mb)
{
	return mb->uidnext <= mb->cursor &&
	       mb->exists > mb->swept_exists + window_most(mb);
}

/* `n:*` above the last UID hangs (Yahoo): ask what is the last. */
static bool
must_know_end(const struct mailbox *mb)
{
	return mb->config->ask_end_first && mb->uidnext <= mb->cursor;
}

bool
mailbox_sweep_asks_end(const struct mailbox *mb)
{
	return is_burst(mb) || mb->far != 0 || must_know_end(mb);
}

static bool
are_few(const struct mailbox *mb)
{
	if (mb->window_end != 0)
		return mb->window_end - mb->cursor < MAILBOX_FEW;
	return mb->exists <= mb->swept_exists + MAILBOX_FEW;
}

void
mailbox_forget_first_half(struct mailbox *mb)
{
	if (mb->first_half == NULL)
		return;
	strv_done(&mb->first_half->flags);
	free(mb->first_half);
	mb->first_half = NULL;
}

static void
clear_window(struct mailbox *mb)
{
	mb->ignored = mb->judged_max = mb->known_max = mb->cut = 0;
	mb->judged = mb->unwritten = 0;
	mb->stale = mb->is_late = false;
	mb->bare = mb->no_structure;
	mb->answered = 0;
	mb->answered_dropped = imap_session_dropped(mb->session);
	imap_seqset_done(&mb->window_seen);
	imap_seqset_done(&mb->retry);
	mailbox_forget_first_half(mb);
	mailbox_forget_met(mb);
	mailbox_body_clear(mb);
	mailbox_drop_batch(mb, &mb->plan);
	mb->plan = store_batch_new();
}

/* Those that mailbox_audit.c found: the cursor stays, and so do news. */
static void
sweep_late(struct mailbox *mb, usec_t now)
{
	mailbox_enter(mb, MAILBOX_SWEEPING, now);
	clear_window(mb);
	mb->is_late = true;
	mb->whole = false;
	mb->retry = mb->audit.late;
	mb->audit.late = (struct imap_seqset)IMAP_SEQSET_INIT;
	mailbox_rebuilt_give_batch(mb);
	send_fetch(mb, now);
}

void
mailbox_sweep_begin(struct mailbox *mb, usec_t now)
{
	if (mb->audit.late.count > 0) {
		sweep_late(mb, now);
		return;
	}
	mb->looked = now;
	if (mailbox_sweep_asks_end(mb)) {
		ask_highest(mb, now);
		return;
	}
	if (mb->window_size < window_most(mb))
		mb->window_size = window_most(mb);
	mailbox_enter(mb, MAILBOX_SWEEPING, now);
	mb->window_end = 0;
	if (mb->uidnext > mb->cursor) {
		uint32_t last = mb->uidnext - 1;
		mb->window_end = last - mb->cursor < mb->window_size
				     ? last
				     : mb->cursor + mb->window_size - 1;
	}
	mb->whole = (mb->needs.command || (mb->config->notes_headers != NULL &&
					      *mb->config->notes_headers)) &&
		    are_few(mb);
	/* What came behind UIDNEXT is not in a window that ends there. */
	mb->dirty = mb->newer = mb->window_end != 0 && mb->newer;
	clear_window(mb);
	send_fetch(mb, now);
}

/* ---- reading ---- */

static void
note_answered(struct mailbox *mb, uint64_t number)
{
	if (number < mb->exists)
		number = mb->exists;
	if (number > mb->answered)
		mb->answered = number;
	mb->answered_dropped = imap_session_dropped(mb->session);
}

/* What was dropped came before this, when so many were known of. */
void
mailbox_sweep_heard(struct mailbox *mb, const struct imap_response *response)
{
	bool tells = span_is_nocase(response->name, "FETCH");

	if (mb->bare || mb->window_end != 0)
		return;
	if (mb->answered_dropped != imap_session_dropped(mb->session))
		note_answered(mb, 0);
	if (tells)
		note_answered(mb, response->number);
}

/* It came while a window without an end was asked for once more, with less: it
 * is to be asked for with all. */
static bool
came_meanwhile(const struct mailbox *mb, uint64_t number)
{
	return mb->bare && !mb->no_structure && !mb->is_late &&
	       mb->window_end == 0 && mb->retry.count == 0 &&
	       number > mb->answered;
}

/* n:* gives the last message even below n. */
static bool
is_asked_for(const struct mailbox *mb, uint32_t uid)
{
	if ((uid < mb->cursor && !mb->is_late) || uid == UINT32_MAX ||
	    imap_seqset_has(&mb->window_seen, uid))
		return false;
	if (mb->retry.count > 0)
		return imap_seqset_has(&mb->retry, uid);
	return mb->window_end == 0 || uid <= mb->window_end;
}

/* With an open end, one wrong number would carry the cursor away over all mail
 * to come. */
static bool
is_far(const struct mailbox *mb, uint32_t uid)
{
	return mb->window_end == 0 && !mb->is_late &&
	       uid - mb->cursor > WINDOW_GROWN_MAX;
}

/* Full, or asked for what other rules need: what lies above all that was
 * judged waits for the next round, so that nothing judged is ever met again. */
static bool
must_ignore(const struct mailbox *mb, uint32_t uid, bool full)
{
	return uid > mb->judged_max && (full || mb->stale || mb->ignored != 0 ||
					   mb->judged >= window_most(mb));
}

static void
ignore(struct mailbox *mb, uint32_t uid)
{
	if (mb->ignored == 0 || uid < mb->ignored)
		mb->ignored = uid;
}

static void
note_judged(struct mailbox *mb, uint32_t uid)
{
	imap_seqset_add(&mb->window_seen, uid);
	mailbox_rebuilt_note_judged(mb, uid);
	mb->judged++;
	mb->proof.found += !mb->is_late;
	mailbox_reopen_found(mb);
	if (uid > mb->judged_max)
		mb->judged_max = uid;
}

/* It was judged before the interruption. */
static void
note_known(struct mailbox *mb, uint32_t uid)
{
	imap_seqset_add(&mb->window_seen, uid);
	if (uid > mb->known_max)
		mb->known_max = uid;
}

/* Another mailbox has it, and is to judge it first. */
static void
let_wait(struct mailbox *mb, uint32_t uid)
{
	if (!mailbox_twin_wait(mb, uid) && must_ignore(mb, uid, true)) {
		ignore(mb, uid);
		return;
	}
	mailbox_chunk_pass(mb, uid);
	note_judged(mb, uid);
}

/* Judges it, or lets it wait for its text. */
static void
take(struct mailbox *mb, struct candidate **candidate, usec_t now)
{
	uint32_t uid = (*candidate)->uid;

	if (!mailbox_twin_begin(mb, *candidate, now)) {
		let_wait(mb, uid);
		return;
	}
	mailbox_meet_sender(mb, *candidate);
	if (mailbox_body_judge(mb, *candidate, now)) {
		note_judged(mb, uid);
		return;
	}
	bool full = !mailbox_body_has_room(mb, *candidate);
	if (must_ignore(mb, uid, full)) {
		ignore(mb, uid);
		return;
	}
	note_judged(mb, uid);
	if (full) /* a server that does not go upwards */
		mailbox_body_judge_without(mb, *candidate, now);
	else
		mailbox_body_wait(mb, candidate);
}

/*
 * RFC 9051 section 7.5.2 does not say that one response tells all that was
 * asked for: some servers give flags in one of their own. Without them a
 * message would pass for unread.
 */
static void
note_first_half(struct mailbox *mb, const struct imap_fetch *fetch)
{
	struct first_half *half;

	if (!fetch->has_flags || fetch->uid == 0)
		return;
	mailbox_forget_first_half(mb);
	half = mb->first_half = NEW(struct first_half);
	half->uid = fetch->uid;
	half->modseq = fetch->modseq;
	for (size_t i = 0; i < fetch->flag_count; i++)
		strv_add_span(&half->flags, fetch->flags[i].text);
}

static void
add_first_half(const struct mailbox *mb, const struct imap_fetch *fetch,
    struct candidate *candidate)
{
	const struct first_half *half = mb->first_half;

	if (fetch->has_flags || half == NULL || half->uid != fetch->uid)
		return;
	strv_copy(&candidate->flags, &half->flags);
	if (candidate->modseq == 0)
		candidate->modseq = half->modseq;
}

void
mailbox_sweep_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct imap_fetch fetch;

	if (!imap_fetch_parse(response, &fetch))
		return;
	if (!fetch.has_header) {
		note_first_half(mb, &fetch);
		return; /* news about flags, or not for us */
	}
	if (!is_asked_for(mb, fetch.uid))
		return;
	if (!mb->is_late && mailbox_chunk_has(mb, fetch.uid)) {
		note_known(mb, fetch.uid);
		return;
	}
	if (is_far(mb, fetch.uid)) {
		mb->far = fetch.uid;
		return;
	}
	if (must_ignore(mb, fetch.uid, came_meanwhile(mb, response->number))) {
		ignore(mb, fetch.uid);
		return;
	}
	struct candidate *candidate = mailbox_candidate_new(&fetch);
	add_first_half(mb, &fetch, candidate);
	candidate->has_home = mailbox_twin_has_home(mb, &fetch);
	if (mb->whole && fetch.header.len <= MAILBOX_KEPT_HEADER_MAX)
		buf_add_span(&candidate->header, fetch.header);
	take(mb, &candidate, now);
	mailbox_candidate_free(&candidate);
}

/* Where the cursor may go: behind the window, or in front of the first
 * message that did not fit. */
static uint32_t
new_cursor(const struct mailbox *mb)
{
	uint32_t cursor = mb->cursor;

	if (mb->ignored != 0)
		return mb->ignored;
	if (mb->window_end != 0)
		cursor = mb->window_end + 1;
	if (mb->judged_max >= cursor)
		cursor = mb->judged_max + 1;
	if (mb->known_max >= cursor)
		cursor = mb->known_max + 1;
	return cursor;
}

/* Who did not fit is found by the next look. */
static void
finish_late(struct mailbox *mb, usec_t now)
{
	struct store_batch *batch = mb->plan;

	mb->plan = NULL;
	mailbox_twin_window_ends(mb, now);
	mailbox_twin_write(mb, batch);
	if (mb->rebuilt == NULL && store_batch_is_empty(batch)) {
		store_batch_free(&batch);
		mailbox_go_on(mb, now);
		return;
	}
	commit_window(mb, batch, mailbox_rebuilt_is_over(mb), now);
}

static void
finish_window(struct mailbox *mb, usec_t now)
{
	mailbox_audit_note(mb, &mb->window_seen);
	if (mb->is_late) {
		finish_late(mb, now);
		return;
	}
	uint32_t cursor = new_cursor(mb);

	mb->window_size = mb->judged > 0 || mb->window_size >= WINDOW_GROWN_MAX
			      ? window_most(mb)
			      : mb->window_size * 2;
	if (mb->judged >= window_most(mb))
		mb->window_most = 0;
	if (mb->ignored != 0 || mb->far != 0 || cursor < mb->uidnext) {
		mb->dirty = true;
		if (mb->ignored != 0 && mb->uidnext < mb->ignored + 1)
			mb->uidnext = mb->ignored + 1;
	} else {
		mb->swept_exists = mb->exists;
	}
	mailbox_twin_window_ends(mb, now);
	if (mb->judged > 0)
		mb->echo_at = mb->echo_wait = 0;
	struct store_batch *batch = mb->plan;
	mb->plan = NULL;
	if (cursor == mb->cursor && store_batch_is_empty(batch)) {
		store_batch_free(&batch);
		mailbox_go_on(mb, now);
		return;
	}
	mb->cursor = cursor;
	mailbox_task_add_early(mb, batch, now);
	mailbox_sweep_commit(mb, batch, now);
	if (mb->state == MAILBOX_COMMITTING)
		mailbox_task_prepare(mb);
}

/* The rules changed while messages waited for their text: what the new ones
 * need of these is asked for. */
static void
fetch_again(struct mailbox *mb, usec_t now)
{
	struct imap_seqset judged = IMAP_SEQSET_INIT;

	imap_seqset_done(&mb->retry);
	LIST_EACH(pos, &mb->reading->waiting)
	{
		struct candidate *candidate =
		    LIST_ITEM(pos, struct candidate, link);
		imap_seqset_add(&mb->retry, candidate->uid);
		mailbox_unmeet_sender(mb, candidate);
	}
	mailbox_body_clear(mb);
	/* The others are judged. */
	mailbox_add_uids(&judged, &mb->window_seen, &mb->retry, 1, UINT32_MAX);
	mailbox_audit_note(mb, &judged);
	imap_seqset_done(&judged);
	imap_seqset_done(&mb->window_seen);
	mb->bare = mb->no_structure;
	mb->stale = false;
	mailbox_enter(mb, MAILBOX_SWEEPING, now);
	send_fetch(mb, now);
}

static bool
forgo_identity(struct mailbox *mb)
{
	if (mb->no_identity || mb->config->arrivals == NULL ||
	    !(mailbox_can(mb, IMAP_CAP_OBJECTID) ||
		mailbox_can(mb, IMAP_CAP_X_GM_EXT_1)))
		return false;
	mb->no_identity = true;
	return true;
}

bool
mailbox_fetch_less(struct mailbox *mb)
{
	if (mb->state == MAILBOX_SWEEPING && forgo_identity(mb))
		return true;
	if (mailbox_has_modseq(mb)) {
		mb->modseq = 0;
		return true;
	}
	if (!mb->needs.structure || mb->bare)
		return false;
	mb->bare = mb->no_structure = true;
	return true;
}

static void
report_dropped(struct mailbox *mb)
{
	unsigned count = imap_session_dropped(mb->session) - mb->dropped;

	if (count == 0 || mb->told_dropped)
		return;
	mb->told_dropped = true;
	mailbox_report(mb, REPORT_WARNING, 0,
	    "%u of the server's answers about new messages could not "
	    "be read; belfryctl apply asks for the messages once more",
	    count);
}

/* Else the next connection would end in the same way. */
void
mailbox_sweep_lost(struct mailbox *mb)
{
	bool fetching =
	    mb->state == MAILBOX_SWEEPING || mb->state == MAILBOX_REVIEWING;

	if (mb->state == MAILBOX_SWEEPING && mb->judged >= MAILBOX_WINDOW_MIN)
		shrink_window(mb);
	mb->rush_losses += mb->is_rushed && mb->judged == 0;
	mb->audit.is_doubtful |= mb->plan != NULL;

	if (fetching && mb->session != NULL && mb->needs.structure &&
	    !mb->bare &&
	    imap_session_dropped(mb->session) - mb->dropped >
		IMAP_MALFORMED_MAX)
		mb->shy = true;
}

/* [MESSAGELIMIT n uid] (RFC 9738); 0: the answer was not cut. */
static uint32_t
cut_at(const struct mailbox *mb, const struct imap_response *response)
{
	uint64_t uid;

	if (!span_is_nocase(response->code, "MESSAGELIMIT") ||
	    response->code_count < 2 || mb->window_seen.count == 0)
		return 0;
	uid = imap_value_number(&response->code_values[1]);
	return uid < mb->cursor || uid >= UINT32_MAX ? 0 : (uint32_t)uid;
}

/*
 * From the highest UID down, as it should be: true, the rest is asked for
 * before the cursor goes on. From the lowest up, or where nobody can tell: the
 * next round begins above.
 */
static bool
is_cut(struct mailbox *mb, const struct imap_response *response)
{
	uint32_t uid = cut_at(mb, response);
	BUF_AUTO rest = BUF_INIT;

	if (uid == 0)
		return false;
	if (mb->window_seen.ranges[0].first < uid || uid == mb->cursor) {
		ignore(mb, (mb->judged_max > uid ? mb->judged_max : uid) + 1);
		return false;
	}
	if (mb->cut != 0 && uid >= mb->cut)
		return false;
	mb->cut = uid;
	imap_seqset_done(&mb->retry);
	buf_addf(&rest, "%u:%u", mb->cursor, uid - 1);
	return imap_seqset_parse(buf_span(&rest), &mb->retry);
}

/* The server did not take it together with DONE. */
static bool
was_too_soon(struct mailbox *mb, const struct imap_response *response)
{
	bool was_rushed = mb->is_rushed;

	mb->is_rushed = false;
	if (!was_rushed)
		return false;
	if (response->status == IMAP_BAD)
		mb->is_alone = true;
	else
		mb->rush_losses = 0;
	return response->status == IMAP_BAD;
}

/* BAD is about the words. NO may be about this moment: who asked for less now
 * would judge, as long as the connection lasts, without what rules need. */
static bool
is_worth_another(struct mailbox *mb, const struct imap_response *response)
{
	bool was_second = mb->is_second_try;

	mb->is_second_try = response->status == IMAP_NO && !was_second;
	return mb->is_second_try;
}

void
mailbox_sweep_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct error error = ERROR_INIT;
	BUF_AUTO text = BUF_INIT;

	if (mailbox_put_off(mb, response, false, now))
		return;
	if (was_too_soon(mb, response)) {
		send_fetch(mb, now);
		return;
	}
	if (is_worth_another(mb, response) ||
	    (response->status != IMAP_OK && mailbox_fetch_less(mb))) {
		send_fetch(mb, now);
		return;
	}
	if (response->status != IMAP_OK) {
		str_sanitize(&text, response->text, 200);
		error_set(&error, FAULT_PEER,
		    "the server refused the new messages: %s", buf_str(&text));
		mailbox_login_note(mb, response);
		mailbox_fail(mb, &error, now);
		return;
	}
	if (!mb->bare &&
	    mb->answered_dropped != imap_session_dropped(mb->session))
		note_answered(mb, 0);
	if (mailbox_fetch_bare(mb)) {
		send_fetch(mb, now);
		return;
	}
	if (is_cut(mb, response)) {
		send_fetch(mb, now);
		return;
	}
	report_dropped(mb);
	mailbox_body_begin(mb, finish_window, fetch_again, now);
}

void
mailbox_sweep_committed(struct mailbox *mb, usec_t now)
{
	/* It may have been a chunk, and the last one is still to come. */
	if (mb->state == MAILBOX_COMMITTING &&
	    mb->plans_written == mb->plans_made)
		mailbox_go_on(mb, now);
}
