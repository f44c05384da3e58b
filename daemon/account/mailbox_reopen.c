/*
 * Mailboxes that are deleted and made again while they are open. Servers let
 * the old one live on for who has it open, and each says something else:
 * Dovecot "* NO Internal error occurred" with every command and in IDLE, and
 * STATUS tells of the old one; Cyrus nothing at all; Courier EXISTS, and the
 * UIDs are those of the new one. Only SELECT tells the truth everywhere, so it
 * is repeated, on the same connection:
 *
 *   - when IDLE is renewed, or the server is asked for news, and the last one
 *     was REOPEN_USEC ago;
 *   - at once after an untagged NO while nothing is asked for. It can mean
 *     anything, and some servers say it over and over: when nothing was behind
 *     it, the next ones are believed less and less often;
 *   - at once when another connection of the account was told that there is
 *     another mailbox by this name (account_rove.c).
 *
 * A server may not tell of new mail at all while a mailbox is open, neither in
 * IDLE nor with NOOP (GNU Mailutils' imap4d with Maildir). When the repeated
 * SELECT alone has found messages BLIND_FINDS times in a row, it is repeated as
 * often as a server is asked that has no IDLE.
 *
 * Not where UIDs pass with the SELECT (UIDNOTSTICKY): it would lose more than
 * it finds.
 */
#include "daemon/account/mailbox_private.h"

#define REOPEN_USEC (20 * USEC_MINUTE)
/* After an untagged NO that meant nothing. */
#define REOPEN_FIRST_USEC (15 * USEC_SEC)
#define BLIND_FINDS 2

bool
mailbox_is_blind(const struct mailbox *mb)
{
	return mb->reopen.finds >= BLIND_FINDS;
}

/* SELECT was answered. */
void
mailbox_reopen_selected(struct mailbox *mb, usec_t now)
{
	struct reopen *reopen = &mb->reopen;

	if (mb->has_cursor && mb->uidvalidity != mb->cursor_validity)
		reopen->wait = 0;
	reopen->is_due = reopen->repeats = false;
	reopen->next = usec_add(
	    now, mailbox_is_blind(mb) ? mailbox_poll(mb) : REOPEN_USEC);
}

/* EXISTS grew while it was open. */
void
mailbox_reopen_told(struct mailbox *mb)
{
	mb->reopen.told = true;
	mb->reopen.finds = 0;
}

/* A message was judged. */
void
mailbox_reopen_found(struct mailbox *mb)
{
	if (mb->reopen.looks)
		mb->reopen.found = true;
}

static void
say_blind(struct mailbox *mb)
{
	BUF_AUTO poll = BUF_INIT;

	usec_format(&poll, mailbox_poll(mb));
	mailbox_report(mb, REPORT_WARNING, 0,
	    "the server shows new mail only when the mailbox is opened anew: "
	    "that is done every %s",
	    buf_str(&poll));
}

/* All that it had is judged. */
void
mailbox_reopen_rests(struct mailbox *mb, usec_t now)
{
	struct reopen *reopen = &mb->reopen;

	if (!reopen->looks)
		return;
	if (reopen->found && !reopen->told && !mailbox_is_blind(mb) &&
	    ++reopen->finds == BLIND_FINDS) {
		reopen->next = usec_add(now, mailbox_poll(mb));
		say_blind(mb);
	}
	reopen->looks = reopen->told = reopen->found = false;
}

/* It looks for news, unasked. */
void
mailbox_reopen_looks(struct mailbox *mb, usec_t now)
{
	if (now >= mb->reopen.next)
		mb->reopen.is_due = true;
}

/* What the server says while a mailbox is watched. */
void
mailbox_reopen_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct reopen *reopen = &mb->reopen;
	bool watches = mb->state == MAILBOX_IDLE ||
		       mb->state == MAILBOX_IDLE_END ||
		       mb->state == MAILBOX_NOOP;

	if (response->status != IMAP_NO || !watches || now < reopen->believe)
		return;
	reopen->wait = reopen->wait == 0
			   ? REOPEN_FIRST_USEC
			   : usec_min(2 * reopen->wait, mailbox_renew(mb));
	reopen->believe = usec_add(now, reopen->wait);
	reopen->is_due = true;
	mailbox_wake(mb, now);
}

void
mailbox_told_open(
    struct mailbox *mb, const struct mailbox_news *news, usec_t now)
{
	if (!mailbox_is_at_rest(mb) || news->refused ||
	    news->uidvalidity == 0 || news->uidvalidity == mb->uidvalidity)
		return;
	mb->reopen.is_due = true;
	mailbox_wake(mb, now);
}

bool
mailbox_reopen_begin(struct mailbox *mb, usec_t now)
{
	if (!mb->reopen.is_due || mb->op_count > 0 || mb->uids_pass ||
	    mb->visit != VISIT_NONE || mb->rebuilt != NULL)
		return false;
	mb->is_open = false;
	mb->reopen.repeats = mb->reopen.looks = true;
	mb->reopen.found = false;
	mailbox_open_visit(mb, now);
	return true;
}
