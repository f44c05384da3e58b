/*
 * Labels, which exist at Gmail only (its IMAP extension X-GM-EXT-1):
 *
 *   UID STORE 5,7 +X-GM-LABELS ("Work/Caf&AOk-")
 *
 * Names are written as those of mailboxes are, in modified UTF-7. Adding a
 * label that is there already changes nothing, and one that does not exist is
 * made.
 */
#include "daemon/account/mailbox_private.h"
#include "daemon/wire/imap/utf7.h"

void
mailbox_label_begin(struct mailbox *mb, usec_t now)
{
	struct imap_command command;
	BUF_AUTO name = BUF_INIT;

	if (!mailbox_can(mb, IMAP_CAP_X_GM_EXT_1)) {
		mailbox_op_settle(mb, EFFECT_FAILED,
		    "this server has no labels, only Gmail does; elsewhere "
		    "`copy` puts a message into one more folder",
		    now);
		return;
	}
	if (!imap_utf7_encode(&name, span_from_str(mb->op->action.target))) {
		mailbox_op_settle(mb, EFFECT_FAILED,
		    "the label's name cannot be written", now);
		return;
	}
	mb->op->step = OP_LABEL;
	mailbox_begin_command(mb, &command, "UID STORE");
	imap_command_seqset(&command, &mb->op->uids);
	mailbox_guard_add(mb, &command);
	imap_command_raw(&command, "+X-GM-LABELS (");
	imap_command_string(&command, buf_span(&name));
	imap_command_raw(&command, ")");
	mailbox_send(mb, &command, now);
}

void
mailbox_label_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (!mailbox_guard_settle(mb, response, now))
		mailbox_op_finish(mb, now);
	else if (response->status == IMAP_OK)
		mailbox_op_settle(mb, EFFECT_DONE, "", now);
	else
		mailbox_op_refuse(mb, response, now);
}
