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
 *     it, the next ones are believed less and less often.
 *
 * Not where UIDs pass with the SELECT (UIDNOTSTICKY): it would lose more than
 * it finds.
 */
#include "daemon/account/mailbox_private.h"

#define REOPEN_USEC (20 * USEC_MINUTE)
/* After an untagged NO that meant nothing. */
#define REOPEN_FIRST_USEC (15 * USEC_SEC)

/* SELECT was answered. */
void
mailbox_reopen_selected(struct mailbox *mb, usec_t now)
{
	struct reopen *reopen = &mb->reopen;

	if (mb->has_cursor && mb->uidvalidity != mb->cursor_validity)
		reopen->wait = 0;
	reopen->is_due = reopen->repeats = false;
	reopen->next = usec_add(now, REOPEN_USEC);
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

bool
mailbox_reopen_begin(struct mailbox *mb, usec_t now)
{
	if (!mb->reopen.is_due || mb->op_count > 0 || mb->uids_pass ||
	    mb->visit != VISIT_NONE || mb->rebuilt != NULL)
		return false;
	mb->is_open = false;
	mb->reopen.repeats = true;
	mailbox_open_visit(mb, now);
	return true;
}
