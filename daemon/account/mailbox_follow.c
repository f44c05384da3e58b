/*
 * Following: what becomes of messages that the person was notified of. When
 * one is read, moved or deleted elsewhere, its notification has no use any
 * more.
 *
 * A server tells of flags and of messages that go by sequence numbers, and
 * only while it pleases. So its words are hints, but for those that name a
 * UID; what counts is a comparison, which asks for the flags of all that are
 * followed:
 *
 *   UID FETCH 7,12,15:17 (UID FLAGS)
 *
 * It is made after each SELECT, after hints (with a pause, as they come in
 * swarms: a person reads), and with each renewal of IDLE and each poll.
 *
 * Not followed is what a rule took away or marked as read itself. Of what an
 * earlier life judged nobody knows that: there the first look only finds out
 * how it is.
 */
#include "daemon/account/mailbox_private.h"
#include "daemon/base/xalloc.h"

/* From a hint to the comparison. */
#define PAUSE_USEC USEC_SEC

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
	if (follow->count == 0)
		follow->due = USEC_NEVER;
}

void
mailbox_follow_clear(struct mailbox *mb)
{
	struct follow *follow = &mb->follow;

	free(follow->items);
	imap_seqset_done(&follow->asked);
	imap_seqset_done(&follow->seen);
	*follow = (struct follow){.due = USEC_NEVER};
}

/* ---- whom to follow ---- */

static void
add(struct follow *follow, uint32_t uid, bool is_unread)
{
	if (follow->items == NULL)
		follow->items =
		    xcalloc(MAILBOX_FOLLOWED_MAX, sizeof(*follow->items));
	/* The oldest gives way. */
	if (follow->count == MAILBOX_FOLLOWED_MAX)
		remove_at(follow, 0);
	size_t index = find(follow, uid);
	if (has(follow, index, uid))
		return;
	memmove(&follow->items[index + 1], &follow->items[index],
	    (follow->count - index) * sizeof(*follow->items));
	follow->items[index] = (struct followed){uid, is_unread};
	follow->count++;
}

static bool
takes_away(const struct job_action *action)
{
	return action->action.kind >= ACTION_MOVE &&
	       action->action.kind <= ACTION_DELETE &&
	       action->state != EFFECT_FAILED &&
	       action->state != EFFECT_SKIPPED;
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
	    mb->config.visit != VISIT_NONE || (job->is_fresh && !job->unread))
		return false;
	for (size_t i = 0; i < job->count; i++)
		if (takes_away(&job->actions[i]) ||
		    marks_read(&job->actions[i]))
			return false;
	return true;
}

void
mailbox_follow(struct mailbox *mb, const struct job *job, usec_t now)
{
	if (!is_worth_it(mb, job))
		return;
	if (mb->follow.validity != mb->uidvalidity)
		mailbox_follow_clear(mb);
	mb->follow.validity = mb->uidvalidity;
	add(&mb->follow, job->key.uid, job->unread);
	if (!job->is_fresh)
		mailbox_follow_compare(mb, now);
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

static void
note_flags(struct mailbox *mb, const struct imap_fetch *fetch)
{
	size_t index = find(&mb->follow, fetch->uid);

	if (!has(&mb->follow, index, fetch->uid))
		return;
	if (is_read(fetch))
		drop(mb, index, CHANGE_READ);
	else
		mb->follow.items[index].is_unread = true;
}

static void
hint(struct mailbox *mb, usec_t now)
{
	if (mb->follow.due == USEC_NEVER)
		mb->follow.due = usec_add(now, PAUSE_USEC);
}

void
mailbox_follow_news(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct imap_fetch fetch;

	if (mb->follow.count == 0 || !response->has_number)
		return;
	if (span_is_nocase(response->name, "EXPUNGE")) {
		hint(mb, now);
	} else if (imap_fetch_parse(response, &fetch) && fetch.has_flags) {
		if (fetch.uid != 0)
			note_flags(mb, &fetch);
		else
			hint(mb, now);
	}
}

/* ---- comparing ---- */

void
mailbox_follow_compare(struct mailbox *mb, usec_t now)
{
	if (mb->follow.count > 0)
		mb->follow.due = now;
}

usec_t
mailbox_follow_deadline(const struct mailbox *mb)
{
	return mb->follow.count > 0 ? mb->follow.due : USEC_NEVER;
}

static void
ask(struct mailbox *mb, usec_t now)
{
	struct follow *follow = &mb->follow;
	struct imap_command command;

	imap_seqset_done(&follow->asked);
	imap_seqset_done(&follow->seen);
	for (size_t i = find(follow, follow->next), n = 0;
	     i < follow->count && n < MAILBOX_GROUP_MAX; i++, n++)
		imap_seqset_add(&follow->asked, follow->items[i].uid);
	mailbox_enter(mb, MAILBOX_FOLLOWING, now);
	mailbox_begin_command(mb, &command, "UID FETCH");
	imap_command_seqset(&command, &follow->asked);
	imap_command_raw(&command, "(UID FLAGS)");
	mailbox_send(mb, &command, now);
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
	mb->follow.due = USEC_NEVER;
	mb->follow.next = 0;
	ask(mb, now);
	return true;
}

void
mailbox_follow_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct imap_fetch fetch;

	(void)now;
	if (imap_fetch_parse(response, &fetch) && fetch.uid != 0)
		imap_seqset_add(&mb->follow.seen, fetch.uid);
}

/* What was asked for and not answered is not there any more. */
static void
drop_gone(struct mailbox *mb)
{
	struct follow *follow = &mb->follow;
	size_t i = find(follow, follow->next);

	while (i < follow->count) {
		uint32_t uid = follow->items[i].uid;
		if (imap_seqset_has(&follow->asked, uid) &&
		    !imap_seqset_has(&follow->seen, uid))
			drop(mb, i, CHANGE_GONE);
		else
			i++;
	}
}

void
mailbox_follow_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct follow *follow = &mb->follow;

	if (response->status != IMAP_OK) {
		mailbox_go_on(mb, now); /* the next comparison will tell */
		return;
	}
	drop_gone(mb);
	follow->next = follow->asked.ranges[follow->asked.count - 1].last + 1;
	if (find(follow, follow->next) < follow->count)
		ask(mb, now);
	else
		mailbox_go_on(mb, now);
}
