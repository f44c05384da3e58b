/*
 * Following: what becomes of messages that the person was notified of. When
 * one is read, moved or deleted elsewhere, its notification has no use any
 * more.
 *
 * A server tells of flags and of messages that go by sequence numbers, and
 * only while it pleases. So its words are hints, but for those that name a
 * UID (with QRESYNC all do); what counts is a comparison, which asks for the
 * flags of all that are followed, or where the server counts changes (RFC
 * 7162) of what changed since the last one:
 *
 *   UID FETCH 7,12,15:17 (UID FLAGS)
 *   UID FETCH 7,12,15:17 (UID FLAGS) (CHANGEDSINCE 715 VANISHED)   ; QRESYNC
 *   UID FETCH 7,12,15:17 (UID FLAGS) (CHANGEDSINCE 715)            ; CONDSTORE
 *   UID SEARCH UID 7,12,15:17                                  ; what is there
 *
 * It is made after each SELECT (but where that has told everything: QRESYNC),
 * also when the connection was in another mailbox for a while,
 * after hints (with a pause, as they come in swarms: a person reads), and with
 * each renewal of IDLE and each poll.
 *
 * Not followed is what a rule took away or marked as read itself; what a later
 * run (`belfryctl apply`) marks as read is followed no more, and keeps its
 * notification: no person has read it. Where the connection ended meanwhile,
 * and it is still unread, it is followed as before. Of what an
 * earlier life judged nobody knows that: there the first look only finds out
 * how it is, unless somebody waits for the message to be read: then no rule
 * has done it.
 */
#include "daemon/account/mailbox_private.h"
#include "daemon/base/xalloc.h"

/* From a hint to the comparison. Of one that comes with the answer to a
 * comparison nobody knows whether it belongs to it: each in a row doubles the
 * pause, as some servers would be asked for ever otherwise. */
#define PAUSE_USEC USEC_SEC
#define PAUSE_MOST_USEC (5 * USEC_MINUTE)

static size_t
find(const struct follow *follow, uint32_t uid)
{
	size_t from = 0, to = follow->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (follow->items[middle].uid < uid)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static bool
has(const struct follow *follow, size_t index, uint32_t uid)
{
	return index < follow->count && follow->items[index].uid == uid;
}

static void
remove_at(struct follow *follow, size_t index)
{
	follow->count--;
	memmove(&follow->items[index], &follow->items[index + 1],
	    (follow->count - index) * sizeof(*follow->items));
	if (follow->count > 0)
		return;
	free(follow->items);
	follow->items = NULL;
	follow->cap = 0;
	follow->due = USEC_NEVER;
}

static void
end_comparison(struct follow *follow)
{
	struct comparison *old = follow->comparison;

	if (old == NULL)
		return;
	follow->comparison = NULL;
	imap_seqset_done(&old->asked);
	imap_seqset_done(&old->seen);
	free(old);
}

void
mailbox_follow_clear(struct mailbox *mb)
{
	struct follow *follow = &mb->follow;

	end_comparison(follow);
	free(follow->items);
	*follow = (struct follow){.due = USEC_NEVER};
}

size_t
mailbox_follow_unread(const struct mailbox *mb)
{
	size_t count = 0;

	for (size_t i = 0; i < mb->follow.count; i++)
		count += mb->follow.items[i].is_unread;
	return count;
}

/* ---- whom to follow ---- */

static void
add(struct follow *follow, uint32_t uid, bool is_unread)
{
	/* The oldest gives way. */
	if (follow->count == MAILBOX_FOLLOWED_MAX)
		remove_at(follow, 0);
	size_t index = find(follow, uid);
	if (has(follow, index, uid)) {
		follow->items[index].is_unread |= is_unread;
		return;
	}
	if (follow->count == follow->cap) {
		follow->cap = follow->cap == 0 ? 8 : follow->cap * 2;
		follow->items = xreallocarray(
		    follow->items, follow->cap, sizeof(*follow->items));
	}
	memmove(&follow->items[index + 1], &follow->items[index],
	    (follow->count - index) * sizeof(*follow->items));
	follow->items[index] =
	    (struct followed){.uid = uid, .is_unread = is_unread};
	follow->count++;
}

static bool
takes_away(const struct job_action *action)
{
	return action->action.kind >= ACTION_MOVE &&
	       action->action.kind <= ACTION_DELETE &&
	       (action->by_other || (action->state != EFFECT_FAILED &&
					action->state != EFFECT_SKIPPED));
}

static bool
marks_read(const struct job_action *action)
{
	return action->action.kind == ACTION_MARK &&
	       strv_has_nocase(&action->action.add, SPAN("\\Seen"));
}

static bool
is_worth_it(const struct mailbox *mb, const struct job *job)
{
	if (job->key.uidvalidity != mb->uidvalidity ||
	    mb->visit != VISIT_NONE || (job->is_fresh && !job->unread))
		return false;
	for (size_t i = 0; i < job->count; i++)
		if (takes_away(&job->actions[i]) ||
		    marks_read(&job->actions[i]))
			return false;
	return true;
}

/* What the journal says of a notification, before it is handed over. */
#define WHILE_UNREAD "while unread"

void
mailbox_unread_detail(const struct mailbox *mb, const struct job *job,
    const struct action *action, struct buf *detail)
{
	if (action->kind == ACTION_NOTIFY && action->after == 0 &&
	    is_worth_it(mb, job))
		buf_add_str(detail, WHILE_UNREAD);
}

bool
mailbox_is_while_unread(enum action_kind kind, const char *detail)
{
	return kind == ACTION_NOTIFY && strcmp(detail, WHILE_UNREAD) == 0;
}

/* An escalation is still to come (rules/settle.c), or the notification was in
 * an earlier life. */
static bool
waits_for_reader(const struct job *job)
{
	for (size_t i = 0; i < job->count; i++)
		if (job->actions[i].action.unless_read ||
		    job->actions[i].while_unread)
			return true;
	return false;
}

void
mailbox_follow(struct mailbox *mb, const struct job *job, usec_t now)
{
	if (!is_worth_it(mb, job))
		return;
	if (mb->follow.validity != mb->uidvalidity)
		mailbox_follow_clear(mb);
	/* It was judged on this connection. */
	if (mb->follow.count == 0)
		mb->follow.modseq = mailbox_has_modseq(mb) ? mb->modseq : 0;
	mb->follow.validity = mb->uidvalidity;
	add(&mb->follow, job->key.uid, job->unread || waits_for_reader(job));
	if (job->is_fresh)
		return;
	mb->follow.items[find(&mb->follow, job->key.uid)].by_us =
	    job->read_by_rule;
	mb->follow.modseq = 0;
	mailbox_follow_compare(mb, now);
}

void
mailbox_load_shown(
    struct mailbox *mb, uint32_t uidvalidity, uint32_t uid, bool by_rule)
{
	struct follow *follow = &mb->follow;

	if (mb->visit != VISIT_NONE)
		return;
	if (follow->validity != uidvalidity)
		mailbox_follow_clear(mb);
	follow->validity = uidvalidity;
	bool is_new = !has(follow, find(follow, uid), uid);
	if (is_new)
		follow->modseq = 0;
	add(follow, uid, true);
	if (is_new)
		follow->items[find(follow, uid)].by_us = by_rule;
}

bool
mailbox_wants_rung(const struct mailbox *mb)
{
	return mb->visit == VISIT_NONE && !mb->has_loaded_rung &&
	       mb->follow.items == NULL;
}

bool
mailbox_load_rung(struct mailbox *mb, uint32_t uidvalidity, uint32_t uid)
{
	struct follow *follow = &mb->follow;

	follow->validity = uidvalidity;
	follow->modseq = 0;
	add(follow, uid, false);
	return follow->count < MAILBOX_FOLLOWED_MAX;
}

void
mailbox_follow_add_uids(const struct mailbox *mb, struct imap_seqset *uids)
{
	for (size_t i = 0; i < mb->follow.count; i++)
		imap_seqset_add(uids, mb->follow.items[i].uid);
}

/* ---- what becomes of them ---- */

static void
drop(struct mailbox *mb, size_t index, enum mailbox_change change)
{
	struct followed item = mb->follow.items[index];

	remove_at(&mb->follow, index);
	if (item.is_unread)
		mailbox_emit(mb, (struct mailbox_event){
				     .kind = MAILBOX_CHANGED,
				     .change = change,
				     .uidvalidity = mb->follow.validity,
				     .uid = item.uid,
				 });
}

static bool
is_read(const struct imap_fetch *fetch)
{
	for (size_t i = 0; i < fetch->flag_count; i++)
		if (imap_value_is(&fetch->flags[i], "\\Seen"))
			return true;
	return false;
}

/* The server may not have come to it yet. */
static bool
is_being_marked(const struct mailbox *mb, uint32_t uid)
{
	LIST_EACH(pos, &mb->ops)
	{
		const struct op *op = LIST_ITEM(pos, struct op, link);
		if (op->action.kind == ACTION_MARK &&
		    imap_seqset_has(&op->uids, uid))
			return true;
	}
	return false;
}

/* Unread: what a rule did about it is undone, or was never done. */
static void
note_flags(struct mailbox *mb, const struct imap_fetch *fetch)
{
	size_t index = find(&mb->follow, fetch->uid);
	struct followed *item = &mb->follow.items[index];

	if (!has(&mb->follow, index, fetch->uid))
		return;
	if (!is_read(fetch)) {
		item->is_unread = true;
		item->by_us &= is_being_marked(mb, fetch->uid);
	} else if (item->by_us) {
		remove_at(&mb->follow, index);
	} else {
		drop(mb, index, CHANGE_READ);
	}
}

void
mailbox_follow_mark(
    struct mailbox *mb, const struct imap_seqset *uids, bool by_us)
{
	struct follow *follow = &mb->follow;

	if (follow->validity != mb->uidvalidity)
		return;
	for (size_t i = 0; i < follow->count; i++)
		if (imap_seqset_has(uids, follow->items[i].uid))
			follow->items[i].by_us = by_us;
}

void
mailbox_follow_interrupted(struct mailbox *mb)
{
	struct follow *follow = &mb->follow;

	for (size_t i = 0; i < follow->count; i++)
		if (follow->items[i].by_us)
			follow->modseq = 0;
}

void
mailbox_follow_hint(struct mailbox *mb, usec_t now)
{
	struct follow *follow = &mb->follow;
	usec_t pause = PAUSE_USEC;

	if (follow->count == 0)
		return;
	if (follow->comparison != NULL) {
		pause = follow->pause != 0 ? follow->pause : PAUSE_USEC;
		follow->comparison->is_hinted = true;
	}
	follow->due = usec_min(follow->due, usec_add(now, pause));
}

void
mailbox_follow_vanished(struct mailbox *mb, const struct imap_seqset *uids)
{
	size_t i = 0;

	while (i < mb->follow.count)
		if (imap_seqset_has(uids, mb->follow.items[i].uid))
			drop(mb, i, CHANGE_GONE);
		else
			i++;
}

void
mailbox_follow_news(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (mb->follow.count == 0 || !response->has_number)
		return;

	struct imap_fetch fetch;
	if (span_is_nocase(response->name, "EXPUNGE")) {
		mailbox_follow_hint(mb, now);
	} else if (imap_fetch_parse(response, &fetch) && fetch.has_flags) {
		if (fetch.uid != 0)
			note_flags(mb, &fetch);
		else
			mailbox_follow_hint(mb, now);
	}
}

/* ---- comparing ---- */

void
mailbox_follow_compare(struct mailbox *mb, usec_t now)
{
	if (mb->follow.count > 0)
		mb->follow.due = now;
}

void
mailbox_look_after(struct mailbox *mb, usec_t now)
{
	mailbox_follow_compare(mb, now);
}

usec_t
mailbox_follow_deadline(const struct mailbox *mb)
{
	return mb->follow.count > 0 && mb->is_open ? mb->follow.due
						   : USEC_NEVER;
}

/* Everything up to there is known. */
static bool
is_in_sync(const struct mailbox *mb)
{
	return mb->follow.validity == mb->uidvalidity &&
	       mb->follow.modseq != 0 && mb->resync.since != 0 &&
	       mb->resync.since <= mb->follow.modseq;
}

void
mailbox_follow_selected(struct mailbox *mb, usec_t now)
{
	bool counts = mailbox_has_modseq(mb);

	if (counts && is_in_sync(mb)) {
		mb->follow.modseq = mb->modseq;
		mb->follow.due = USEC_NEVER;
		return;
	}
	if (!counts)
		mb->follow.modseq = 0;
	mailbox_follow_compare(mb, now);
}

static void
send_flags(struct mailbox *mb, usec_t now)
{
	const struct follow *follow = &mb->follow;
	const struct comparison *comparison = follow->comparison;
	struct imap_command command;

	mailbox_begin_command(mb, &command, "UID FETCH");
	imap_command_seqset(&command, &comparison->asked);
	imap_command_raw(&command, "(UID FLAGS)");
	if (comparison->way != FOLLOW_PLAIN) {
		imap_command_raw(&command, "(CHANGEDSINCE");
		imap_command_number(&command, follow->modseq);
		imap_command_raw(&command,
		    comparison->way == FOLLOW_QRESYNC ? "VANISHED)" : ")");
	}
	mailbox_send(mb, &command, now);
}

static enum follow_way
first_way(const struct mailbox *mb)
{
	if (!mailbox_has_modseq(mb) || mb->follow.modseq == 0)
		return FOLLOW_PLAIN;
	return imap_session_enabled(mb->session) & IMAP_CAP_QRESYNC
		   ? FOLLOW_QRESYNC
		   : FOLLOW_CHANGED;
}

static void
ask(struct mailbox *mb, usec_t now)
{
	struct follow *follow = &mb->follow;
	struct comparison *comparison = follow->comparison;

	imap_seqset_done(&comparison->asked);
	imap_seqset_done(&comparison->seen);
	for (size_t i = find(follow, comparison->next), n = 0;
	     i < follow->count && n < MAILBOX_GROUP_MAX; i++, n++)
		imap_seqset_add(&comparison->asked, follow->items[i].uid);
	comparison->way = first_way(mb);
	mailbox_enter(mb, MAILBOX_FOLLOWING, now);
	send_flags(mb, now);
}

static void
begin(struct mailbox *mb, usec_t now)
{
	mb->follow.due = USEC_NEVER;
	end_comparison(&mb->follow);
	mb->follow.comparison = NEW(struct comparison);
	mb->follow.comparison->top = mb->modseq;
	ask(mb, now);
}

bool
mailbox_follow_begin(struct mailbox *mb, usec_t now)
{
	if (mailbox_follow_deadline(mb) > now)
		return false;
	if (mb->follow.validity != mb->uidvalidity) {
		mailbox_follow_clear(mb);
		return false;
	}
	begin(mb, now);
	return true;
}

void
mailbox_follow_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct comparison *comparison = mb->follow.comparison;
	struct imap_fetch fetch;

	(void)now;
	if (comparison->way == FOLLOW_SEARCH) {
		imap_search_parse(response, &comparison->seen);
		return;
	}
	if (!imap_fetch_parse(response, &fetch) || fetch.uid == 0)
		return;
	imap_seqset_add(&comparison->seen, fetch.uid);
	if (fetch.modseq > comparison->top)
		comparison->top = fetch.modseq;
}

/* What was asked for and not answered is not there any more. */
static void
drop_gone(struct mailbox *mb)
{
	struct follow *follow = &mb->follow;
	const struct comparison *comparison = follow->comparison;
	size_t i = find(follow, comparison->next);

	while (i < follow->count) {
		uint32_t uid = follow->items[i].uid;
		if (imap_seqset_has(&comparison->asked, uid) &&
		    !imap_seqset_has(&comparison->seen, uid))
			drop(mb, i, CHANGE_GONE);
		else
			i++;
	}
}

static void
search(struct mailbox *mb, usec_t now)
{
	struct comparison *comparison = mb->follow.comparison;

	comparison->way = FOLLOW_SEARCH;
	imap_seqset_done(&comparison->seen);
	mailbox_enter(mb, MAILBOX_FOLLOWING, now);
	mailbox_resync_search(mb, &comparison->asked, now);
}

/* The next comparison will tell; at once, when it is made in another way. */
static void
refused(struct mailbox *mb, usec_t now)
{
	if (mb->follow.comparison->way == FOLLOW_PLAIN) {
		end_comparison(&mb->follow);
		mailbox_go_on(mb, now);
		return;
	}
	mb->modseq = mb->follow.modseq = 0;
	begin(mb, now);
}

static void
finish(struct mailbox *mb, usec_t now)
{
	struct follow *follow = &mb->follow;
	usec_t longer =
	    usec_min(follow->pause != 0 ? 2 * follow->pause : 2 * PAUSE_USEC,
		PAUSE_MOST_USEC);

	if (mailbox_has_modseq(mb))
		follow->modseq = follow->comparison->top;
	follow->pause = follow->comparison->is_hinted ? longer : 0;
	end_comparison(follow);
	mailbox_go_on(mb, now);
}

void
mailbox_follow_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct follow *follow = &mb->follow;
	struct comparison *comparison = follow->comparison;

	if (response->status != IMAP_OK) {
		refused(mb, now);
		return;
	}
	if (comparison->way == FOLLOW_CHANGED) {
		search(mb, now);
		return;
	}
	if (comparison->way != FOLLOW_QRESYNC)
		drop_gone(mb);
	comparison->next =
	    comparison->asked.ranges[comparison->asked.count - 1].last + 1;
	if (find(follow, comparison->next) < follow->count)
		ask(mb, now);
	else
		finish(mb, now);
}
