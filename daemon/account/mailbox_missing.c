/*
 * What a server leaves out of a run's group, with OK or with NO. Most of it is
 * gone, so that is asked first. What is there is fetched once more: together,
 * as long as that brings anything, and then each message alone, as one that
 * cannot be read may keep others from coming. What still does not come, and
 * is still there, is counted and named: nobody comes back for it.
 */
#include "daemon/account/mailbox_private.h"

/* Messages of one group (MAILBOX_REVIEW) that are asked for alone. */
#define MISSING_SINGLES_MAX 10
/* Of the names that are kept; what is added last may be as long as a group. */
#define MISSING_NAMES_MAX 1000

void
mailbox_missing_clear(struct backlog *run)
{
	imap_seqset_done(&run->missing.uids);
	imap_seqset_done(&run->missing.there);
	imap_seqset_done(&run->missing.one);
	run->missing = (struct missing){0};
}

const struct imap_seqset *
mailbox_missing_asked(const struct backlog *run)
{
	if (run->missing.step == MISSING_TOGETHER)
		return &run->missing.uids;
	if (run->missing.step == MISSING_ALONE)
		return &run->missing.one;
	return &run->group;
}

/* Of these, what did not come. From what is ignored on, all comes once more. */
static void
take_missing(struct backlog *run, const struct imap_seqset *from)
{
	struct imap_seqset rest = IMAP_SEQSET_INIT;

	mailbox_add_uids(&rest, from, &run->seen, 1,
	    run->ignored != 0 ? run->ignored : UINT32_MAX);
	imap_seqset_done(&run->missing.uids);
	run->missing.uids = rest;
}

/* A server that does not search is asked for their numbers alone. */
static void
send_look(struct mailbox *mb, usec_t now)
{
	struct backlog *run = mb->backlog;
	struct imap_command command;

	imap_seqset_done(&run->missing.there);
	mailbox_enter(mb, MAILBOX_MISSING, now);
	mailbox_begin_command(
	    mb, &command, run->no_search ? "UID FETCH" : "UID SEARCH UID");
	imap_command_seqset(&command, &run->missing.uids);
	if (run->no_search)
		imap_command_raw(&command, "(UID)");
	mailbox_send(mb, &command, now);
}

static void
look(struct mailbox *mb, enum missing_step step, usec_t now)
{
	mb->backlog->missing.step = step;
	send_look(mb, now);
}

static void
note(struct backlog *run, uint64_t uid)
{
	if (uid > 0 && uid < UINT32_MAX &&
	    imap_seqset_has(&run->missing.uids, (uint32_t)uid))
		imap_seqset_add(&run->missing.there, (uint32_t)uid);
}

void
mailbox_missing_note_there(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct imap_fetch fetch;

	(void)now;
	if (imap_fetch_parse(response, &fetch)) {
		note(mb->backlog, fetch.uid);
		return;
	}
	if (!span_is_nocase(response->name, "SEARCH"))
		return;
	for (size_t i = 0; i < response->count; i++)
		note(mb->backlog, imap_value_number(&response->values[i]));
}

static void
fetch_together(struct mailbox *mb, usec_t now)
{
	mb->backlog->missing.step = MISSING_TOGETHER;
	mailbox_backlog_fetch(mb, &mb->backlog->missing.uids, now);
}

/* The lowest that was not alone yet. */
static bool
fetch_next_alone(struct mailbox *mb, usec_t now)
{
	struct backlog *run = mb->backlog;
	struct missing *missing = &run->missing;
	uint32_t after =
	    missing->one.count > 0 ? missing->one.ranges[0].first : 0;
	struct imap_seqset none = IMAP_SEQSET_INIT, rest = IMAP_SEQSET_INIT;
	bool is_there;

	mailbox_add_uids(&rest, &missing->uids, &none, after + 1, UINT32_MAX);
	is_there = rest.count > 0 && missing->singles < MISSING_SINGLES_MAX;
	if (is_there) {
		imap_seqset_done(&missing->one);
		imap_seqset_add(&missing->one, rest.ranges[0].first);
		missing->singles++;
		missing->step = MISSING_ALONE;
		mailbox_backlog_fetch(mb, &missing->one, now);
	}
	imap_seqset_done(&rest);
	return is_there;
}

static void
fetch_again(struct mailbox *mb, usec_t now)
{
	if (imap_seqset_size(&mb->backlog->missing.uids) > 1)
		fetch_together(mb, now);
	else
		fetch_next_alone(mb, now);
}

/* A server that answers neither: what was found by SEARCH before is there. */
void
mailbox_missing_looked(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct backlog *run = mb->backlog;
	struct missing *missing = &run->missing;

	if (response->status == IMAP_OK || run->no_search) {
		imap_seqset_done(&missing->uids);
		missing->uids = missing->there;
		missing->there = (struct imap_seqset)IMAP_SEQSET_INIT;
	}
	if (missing->uids.count > 0 && missing->step == MISSING_LOOK)
		fetch_again(mb, now);
	else
		mailbox_backlog_group_came(mb, now);
}

void
mailbox_missing_ask(struct mailbox *mb, usec_t now)
{
	struct backlog *run = mb->backlog;
	struct missing *missing = &run->missing;
	uint64_t before = imap_seqset_size(&missing->uids);

	take_missing(run, missing->step == MISSING_UNASKED ? &run->group
							   : &missing->uids);
	if (missing->uids.count == 0)
		mailbox_backlog_group_came(mb, now);
	else if (missing->step == MISSING_UNASKED)
		look(mb, MISSING_LOOK, now);
	else if (missing->step == MISSING_TOGETHER &&
		 imap_seqset_size(&missing->uids) < before)
		fetch_again(mb, now);
	else if (!fetch_next_alone(mb, now))
		look(mb, MISSING_LAST_LOOK, now);
}

static void
add_names(struct buf *names, const struct imap_seqset *uids)
{
	if (names->len >= MISSING_NAMES_MAX)
		return;
	if (names->len > 0)
		buf_add_char(names, ',');
	imap_seqset_format(names, uids);
}

void
mailbox_missing_note_left(struct mailbox *mb)
{
	struct backlog *run = mb->backlog;
	BUF_AUTO names = BUF_INIT;

	if (run->missing.uids.count == 0)
		return;
	run->row.left_out += imap_seqset_size(&run->missing.uids);
	add_names(&run->left_uids, &run->missing.uids);
	run->row.left_uids = buf_str(&run->left_uids);
	add_names(&names, &run->missing.uids);
	mailbox_report(mb, REPORT_WARNING, 0,
	    "the server has these messages, and does not give them: rules "
	    "were not applied to UID %s; if a mail program shows them, run "
	    "belfryctl apply once more",
	    buf_str(&names));
}
