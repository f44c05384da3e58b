/*
 * sim/model_imap: CONDSTORE and QRESYNC (RFC 7162). The count of changes of a
 * mailbox is its HIGHESTMODSEQ.
 */
#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/xalloc.h"
#include "tests/sim/model_private.h"

void
model_touch(struct model_mailbox *mailbox, struct model_message *message)
{
	message->modseq = ++mailbox->changes;
}

void
model_note_vanished(struct model_mailbox *mailbox, uint32_t uid)
{
	mailbox->vanished = xreallocarray(mailbox->vanished,
	    mailbox->vanished_count + 1, sizeof(*mailbox->vanished));
	mailbox->vanished[mailbox->vanished_count].uid = uid;
	mailbox->vanished[mailbox->vanished_count++].modseq = mailbox->changes;
}

bool
model_counts(const struct model_session *s)
{
	return model_has(s, MODEL_CONDSTORE) && !model_has(s, MODEL_BAD_MODSEQ);
}

unsigned
model_read_modifier(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at != NULL ? (unsigned)strtoul(at + strlen(name) + 1, NULL, 10)
			  : 0;
}

/* ---- what changed since ---- */

void
model_say_vanished(
    struct model_session *s, const struct model_set *known, unsigned since)
{
	const struct model_mailbox *mailbox = s->selected;
	bool any = false;

	for (size_t i = 0; i < mailbox->vanished_count; i++) {
		if (mailbox->vanished[i].modseq <= since ||
		    !model_set_has(known, mailbox->vanished[i].uid))
			continue;
		buf_addf(&s->output, any ? ",%u" : "* VANISHED (EARLIER) %u",
		    mailbox->vanished[i].uid);
		any = true;
	}
	if (any)
		buf_add_str(&s->output, "\r\n");
}

static void
say_changed(
    struct model_session *s, const struct model_set *known, unsigned since)
{
	for (size_t i = 0; i < s->selected->count; i++) {
		const struct model_message *message = &s->selected->messages[i];
		if (message->modseq <= since ||
		    !model_set_has(known, message->uid))
			continue;
		buf_addf(&s->output, "* %zu FETCH (UID %u ",
		    model_seq_of(s, message->uid), message->uid);
		model_add_flags(&s->output, &message->flags);
		buf_addf(&s->output, " MODSEQ (%u))\r\n", message->modseq);
	}
}

/* (QRESYNC (1000 715 7,12)) */
void
model_resync(struct model_session *s, const char *parameter)
{
	unsigned validity, since;
	char uids[8000];
	struct model_set known;

	if (sscanf(parameter, "(QRESYNC (%u %u %7999[0-9,:]", &validity, &since,
		uids) != 3 ||
	    validity != s->selected->uidvalidity)
		return;
	model_read_set(&known, s, uids);
	model_say_vanished(s, &known, since);
	say_changed(s, &known, since);
}

/* ---- STORE ---- */

bool
model_is_modified(const struct model_message *message, unsigned since)
{
	return since != 0 && message->modseq > since;
}

void
model_say_stored(struct model_session *s, const struct model_message *message)
{
	buf_addf(&s->output, "* %zu FETCH (UID %u MODSEQ (%u))\r\n",
	    model_seq_of(s, message->uid), message->uid, message->modseq);
}
