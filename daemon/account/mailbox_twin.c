/*
 * The same message in several mailboxes (account/arrivals.h): which of them
 * judges it. Where the server names messages, it is asked for their names:
 *
 *   UID FETCH 7:* (UID FLAGS ... X-GM-MSGID X-GM-LABELS ...)	Gmail
 *   UID FETCH 7:* (UID FLAGS ... EMAILID ...)			RFC 8474
 *
 * Each rule is asked once. The first mailbox that judges a message asks all
 * rules that are for it; another one asks those that are for it, and not for
 * the earlier ones, when the plan of the first is durable. Until then the
 * message waits here: the cursor goes on without it, and its UID is a fact of
 * the mailbox in the store, in the transaction of the cursor.
 *
 * With labels it is known where else a message is. What a rule does with it, a
 * move above all, should not depend on whose connection was faster: it waits a
 * little for the mailbox that stands first in `watch`.
 */
#include "daemon/account/mailbox_private.h"
#include "daemon/base/xalloc.h"

/* From one look to the next, doubled each time. */
#define PAUSE_USEC (USEC_SEC / 4)
#define PAUSE_MAX_USEC (8 * USEC_SEC)
/* Somebody is at it only while his window and its commit last; but a mailbox
 * that stands before us may not come: it has no connection, or saw the message
 * before it was watched. */
#define HOME_USEC (30 * USEC_SEC)
/* They are one text in the store, of 22 bytes for each range: those that wait,
 * and as many that wait again. */
#define WAITING_RANGES_MAX (STORE_TEXT_MAX / 2 / 22 - 1)

struct twins {
	uint32_t validity;	    /* UIDVALIDITY of all */
	struct imap_seqset waiting; /* also while they are looked at ... */
	struct imap_seqset again;   /* ... and those that wait again then */
	usec_t due, pause;	    /* of the next look */
	uint32_t first;		    /* of those that wait, ... */
	usec_t since;		    /* since then */
	bool is_full;		    /* the window was cut short */
	struct buf written;	    /* as the store has it */
};

static struct twins *
need(struct mailbox *mb)
{
	if (mb->twins != NULL)
		return mb->twins;
	mb->twins = NEW(struct twins);
	mb->twins->due = USEC_NEVER;
	return mb->twins;
}

static void
forget(struct twins *twins)
{
	imap_seqset_done(&twins->waiting);
	imap_seqset_done(&twins->again);
	twins->since = 0;
	twins->due = USEC_NEVER;
	twins->is_full = false;
}

void
mailbox_twin_free(struct mailbox *mb)
{
	if (mb->twins == NULL)
		return;
	forget(mb->twins);
	buf_done(&mb->twins->written);
	free(mb->twins);
	mb->twins = NULL;
}

/* ---- asking ---- */

/* Its place among those that are watched, by the name or pattern that it is
 * watched for. */
static size_t
place_of(const struct mailbox *mb, const char *name)
{
	const struct strv *watch = mb->config->watch;
	size_t i = 0;

	while (watch != NULL && i < watch->len &&
	       !folder_matches(watch->items[i], name))
		i++;
	return i;
}

static bool
is_only_one(const struct mailbox *mb)
{
	const struct strv *watch = mb->config->watch;

	return watch == NULL ||
	       (watch->len == 1 && strpbrk(watch->items[0], "*%") == NULL);
}

void
mailbox_twin_add_items(struct mailbox *mb, struct imap_command *command)
{
	bool has_labels = mailbox_can(mb, IMAP_CAP_X_GM_EXT_1);

	if (mb->config->arrivals == NULL || mb->no_identity)
		return;
	if (has_labels)
		imap_command_raw(command, "X-GM-MSGID");
	else if (mailbox_can(mb, IMAP_CAP_OBJECTID) && !is_only_one(mb))
		imap_command_raw(command, "EMAILID");
	if (has_labels && !is_only_one(mb) && place_of(mb, mb->name) > 0)
		imap_command_raw(command, "X-GM-LABELS");
}

/* As a person writes it; Gmail's own: only INBOX is known by its label. */
static void
name_of_label(
    const struct mailbox *mb, const struct imap_value *label, struct buf *name)
{
	if (span_is_nocase(label->text, "\\Inbox"))
		buf_add_str(name, "INBOX");
	else if (!span_starts(label->text, "\\"))
		folders_display_name(&mb->folders, label->text, name);
}

/* It is in a mailbox that stands before this one. */
bool
mailbox_twin_has_home(const struct mailbox *mb, const struct imap_fetch *fetch)
{
	size_t own = place_of(mb, mb->name);

	for (size_t i = 0; own > 0 && i < fetch->label_count; i++) {
		BUF_AUTO name = BUF_INIT;
		if (fetch->labels[i].kind != IMAP_LIST)
			name_of_label(mb, &fetch->labels[i], &name);
		if (name.len > 0 && place_of(mb, buf_str(&name)) < own)
			return true;
	}
	return false;
}

/* ---- waiting ---- */

static bool
waits_for_home(
    struct mailbox *mb, const struct candidate *candidate, usec_t now)
{
	const struct twins *twins = mb->twins;

	if (!candidate->has_home ||
	    arrivals_was_judged(mb->config->arrivals, candidate->identity))
		return false;
	return twins == NULL || twins->since == 0 ||
	       now < usec_add(twins->since, HOME_USEC);
}

bool
mailbox_twin_begin(struct mailbox *mb, struct candidate *candidate, usec_t now)
{
	struct span identity = span_from_str(candidate->identity);

	if (mb->config->arrivals == NULL || identity.len == 0)
		return true;
	struct judging *judging = arrivals_judging(mb->config->arrivals);
	if (judging_is_by_other(judging, identity, mb) ||
	    (waits_for_home(mb, candidate, now) && !mb->config->dry_run))
		return false;
	judging_begin(judging, identity, mb);
	candidate->judging = judging;
	return true;
}

bool
mailbox_twin_wait(struct mailbox *mb, uint32_t uid)
{
	struct twins *twins = need(mb);

	if (twins->validity != mb->uidvalidity)
		forget(twins);
	twins->validity = mb->uidvalidity;
	struct imap_seqset *set = mb->is_late ? &twins->again : &twins->waiting;
	if (set->count >= WAITING_RANGES_MAX)
		twins->is_full = true;
	else
		imap_seqset_add(set, uid);
	return !twins->is_full;
}

/* Of a window of those that waited: who waits still. */
static void
keep_waiting(struct mailbox *mb, struct twins *twins)
{
	struct imap_seqset left = twins->again, none = IMAP_SEQSET_INIT;

	if (mb->ignored != 0)
		mailbox_add_uids(
		    &left, &twins->waiting, &none, mb->ignored, UINT32_MAX);
	imap_seqset_done(&twins->waiting);
	twins->waiting = left;
	twins->again = (struct imap_seqset)IMAP_SEQSET_INIT;
}

void
mailbox_twin_window_ends(struct mailbox *mb, usec_t now)
{
	struct twins *twins = mb->twins;

	if (twins == NULL)
		return;
	if (mb->is_late)
		keep_waiting(mb, twins);
	if (twins->waiting.count == 0) {
		forget(twins);
		return;
	}
	if (twins->since == 0 ||
	    twins->first != twins->waiting.ranges[0].first) {
		twins->first = twins->waiting.ranges[0].first;
		twins->since = now;
		twins->pause = PAUSE_USEC;
	}
	twins->due = usec_add(now, twins->pause);
	twins->pause = usec_min(2 * twins->pause, PAUSE_MAX_USEC);
	if (twins->is_full)
		mb->dirty = false; /* after the pause */
}

usec_t
mailbox_twin_due(const struct mailbox *mb)
{
	return mb->twins != NULL ? mb->twins->due : USEC_NEVER;
}

usec_t
mailbox_twin_deadline(const struct mailbox *mb)
{
	return mb->is_open ? mailbox_twin_due(mb) : USEC_NEVER;
}

void
mailbox_twin_resume(struct mailbox *mb, usec_t now)
{
	struct imap_seqset none = IMAP_SEQSET_INIT;
	struct twins *twins = mb->twins;

	if (mb->twins == NULL || mailbox_twin_deadline(mb) > now)
		return;
	if (twins->validity != mb->uidvalidity)
		forget(twins);
	mb->dirty |= twins->is_full;
	twins->is_full = false;
	twins->due = USEC_NEVER;
	mailbox_add_uids(
	    &mb->audit.late, &twins->waiting, &none, 1, UINT32_MAX);
}

/* ---- the store ---- */

static void
format(const struct twins *twins, struct buf *text)
{
	if (twins->waiting.count == 0)
		return;
	buf_addf(text, "%u ", twins->validity);
	imap_seqset_format(text, &twins->waiting);
}

void
mailbox_twin_write(struct mailbox *mb, struct store_batch *batch)
{
	STR_AUTO name = NULL;
	BUF_AUTO text = BUF_INIT;

	if (mb->twins == NULL)
		return;
	format(mb->twins, &text);
	if (span_equal(buf_span(&text), buf_span(&mb->twins->written)))
		return;
	name = xasprintf(MAILBOX_WAITING_FACT " %s", mb->name);
	if (text.len == 0)
		store_batch_forget_fact(batch, mb->config->account, name);
	else
		store_batch_set_fact(
		    batch, mb->config->account, name, buf_str(&text));
	buf_clear(&mb->twins->written);
	buf_add_span(&mb->twins->written, buf_span(&text));
}

void
mailbox_load_waiting(struct mailbox *mb, struct span text, usec_t now)
{
	struct span validity, rest = text;
	struct twins *twins;

	if (mb->twins == NULL && text.len == 0)
		return;
	twins = need(mb);
	usec_t since = twins->since, due = twins->due;
	forget(twins);
	buf_clear(&twins->written);
	buf_add_span(&twins->written, text);
	if (text.len == 0 || !span_split(&rest, ' ', &validity) ||
	    !span_to_u32(validity, &twins->validity) ||
	    !imap_seqset_parse(rest, &twins->waiting)) {
		forget(twins);
		return;
	}
	twins->since = since; /* of this life */
	twins->due = since != 0 && due != USEC_NEVER ? due : now;
}
