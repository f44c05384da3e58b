/*
 * Is a message here, by its Message-ID? For the outbox, which does not know
 * whether a forward was taken, and for undo. Nothing is changed.
 *
 * The search is a substring's (RFC 9051 section 6.4.4), of a whole id in its
 * brackets. A redirected message has ours as Resent-Message-ID. Microsoft's
 * servers write a Message-ID of their own and keep the old one in a field
 * beside it.
 */
#include "daemon/account/mailbox_private.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

#define KEPT_ID_FIELD "X-Microsoft-Original-Message-ID"

struct finds {
	char *ids[MAILBOX_FINDS_MAX]; /* owned; the first is next */
	size_t count;
	bool plainly;		     /* the server takes no OR */
	struct mailbox_found *found; /* FINDING: what came */
};

void
mailbox_found_free(struct mailbox_found **found)
{
	struct mailbox_found *old = *found;

	if (old == NULL)
		return;
	*found = NULL;
	free(old->message_id);
	free(old);
}

bool
mailbox_is_asked(const struct mailbox *mb)
{
	return mb->question_count > 0 ||
	       (mb->finds != NULL && mb->finds->count > 0);
}

bool
mailbox_find(struct mailbox *mb, const char *message_id, usec_t now)
{
	if (mb->finds == NULL)
		mb->finds = NEW(struct finds);
	for (size_t i = 0; i < mb->finds->count; i++)
		if (strcmp(mb->finds->ids[i], message_id) == 0)
			return true; /* one answer is enough */
	if (mb->finds->count == MAILBOX_FINDS_MAX)
		return false;
	mb->finds->ids[mb->finds->count++] = xstrdup(message_id);
	mailbox_wake(mb, now);
	return true;
}

/* The first of those that were asked for. */
static struct mailbox_found *
take_next(struct mailbox *mb)
{
	struct mailbox_found *found = NEW(struct mailbox_found);
	struct finds *finds = mb->finds;

	found->message_id = finds->ids[0];
	finds->count--;
	memmove(&finds->ids[0], &finds->ids[1],
	    finds->count * sizeof(finds->ids[0]));
	return found;
}

void
mailbox_find_free(struct mailbox *mb)
{
	if (mb->finds == NULL)
		return;
	mailbox_found_free(&mb->finds->found);
	while (mb->finds->count > 0)
		free(mb->finds->ids[--mb->finds->count]);
	free(mb->finds);
	mb->finds = NULL;
}

static void
answer(struct mailbox *mb, struct mailbox_found *found)
{
	mailbox_emit(
	    mb, (struct mailbox_event){.kind = MAILBOX_FOUND, .found = found});
}

void
mailbox_find_fail(struct mailbox *mb, const struct error *error)
{
	while (mb->finds != NULL && mb->finds->count > 0) {
		struct mailbox_found *found = take_next(mb);
		found->error = *error;
		answer(mb, found);
	}
}

/* ---- the search ---- */

static void
send_search(struct mailbox *mb, usec_t now)
{
	struct span id = span_from_str(mb->finds->ids[0]);
	struct imap_command command;

	mailbox_begin_command(mb, &command, "UID SEARCH");
	if (!mb->finds->plainly) {
		imap_command_raw(&command, "OR HEADER " KEPT_ID_FIELD);
		imap_command_string(&command, id);
		imap_command_raw(&command, "OR HEADER Resent-Message-ID");
		imap_command_string(&command, id);
	}
	imap_command_raw(&command, "HEADER Message-ID");
	imap_command_string(&command, id);
	mailbox_send(mb, &command, now);
}

bool
mailbox_find_begin(struct mailbox *mb, usec_t now)
{
	if (mb->finds == NULL || mb->finds->count == 0)
		return false;
	mailbox_enter(mb, MAILBOX_FINDING, now);
	mailbox_found_free(&mb->finds->found);
	mb->finds->found = NEW(struct mailbox_found);
	send_search(mb, now);
	return true;
}

void
mailbox_find_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	(void)now;
	if (!span_is_nocase(response->name, "SEARCH"))
		return;
	for (size_t i = 0; i < response->count; i++) {
		uint64_t uid = imap_value_number(&response->values[i]);
		if (uid == 0 || uid > UINT32_MAX)
			continue;
		mb->finds->found->count++;
		if (uid > mb->finds->found->uid)
			mb->finds->found->uid = (uint32_t)uid;
	}
}

void
mailbox_find_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct mailbox_found *found;
	BUF_AUTO text = BUF_INIT;

	if (response->status == IMAP_BAD && !mb->finds->plainly) {
		mb->finds->plainly = true;
		send_search(mb, now);
		return;
	}
	found = take_next(mb);
	if (response->status == IMAP_OK) {
		found->uidvalidity = mb->uidvalidity;
		found->count = mb->finds->found->count;
		found->uid = mb->finds->found->uid;
	} else {
		str_sanitize(&text, response->text, 200);
		error_set(&found->error, FAULT_PEER,
		    "the server refused the search: %s", buf_str(&text));
	}
	mailbox_found_free(&mb->finds->found);
	answer(mb, found);
	mailbox_go_on(mb, now);
}
