/*
 * Is a message here, by its Message-ID? For the outbox, which does not know
 * whether a forward was taken, and for undo, where the server did not say what
 * UID the message got. Nothing is changed.
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

/* How many of those that were fetched are alike. */
struct likeness {
	size_t count;
	uint32_t uid; /* the last one */
	size_t read;
};

struct finds {
	struct mailbox_wanted wanted[MAILBOX_FINDS_MAX]; /* ids owned; the
							    first is next */
	size_t count;
	bool plainly; /* the server takes no OR */

	/* FINDING: what came. */
	struct likeness named;	    /* whatever has the Message-ID */
	struct imap_seqset uids;    /* of these, at most MAILBOX_TWINS_MAX */
	bool is_comparing;	    /* they are fetched, to be compared */
	struct imap_seqset heard;   /* of these: already */
	struct likeness both, half; /* of size and date */
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
	return mailbox_explain_is_asked(mb) || mailbox_preview_is_asked(mb) ||
	       (mb->finds != NULL && mb->finds->count > 0);
}

static bool
is_same(const struct mailbox_wanted *a, const struct mailbox_wanted *b)
{
	return strcmp(a->message_id, b->message_id) == 0 &&
	       a->is_exact == b->is_exact &&
	       (!a->is_exact || (a->size == b->size &&
				    a->received_unix == b->received_unix));
}

bool
mailbox_find(
    struct mailbox *mb, const struct mailbox_wanted *wanted, usec_t now)
{
	struct mailbox_wanted *added;

	if (mb->finds == NULL)
		mb->finds = NEW(struct finds);
	for (size_t i = 0; i < mb->finds->count; i++)
		if (is_same(&mb->finds->wanted[i], wanted))
			return true; /* one answer is enough */
	if (mb->finds->count == MAILBOX_FINDS_MAX)
		return false;
	added = &mb->finds->wanted[mb->finds->count++];
	*added = *wanted;
	added->message_id = xstrdup(wanted->message_id);
	mailbox_wake(mb, now);
	return true;
}

/* The first of those that were asked for. */
static struct mailbox_found *
take_next(struct mailbox *mb)
{
	struct mailbox_found *found = NEW(struct mailbox_found);
	struct finds *finds = mb->finds;
	const struct mailbox_wanted *wanted = &finds->wanted[0];

	found->message_id = (char *)wanted->message_id;
	found->is_exact = wanted->is_exact;
	found->size = wanted->size;
	found->received_unix = wanted->received_unix;
	finds->count--;
	memmove(&finds->wanted[0], &finds->wanted[1],
	    finds->count * sizeof(finds->wanted[0]));
	return found;
}

static void
forget_found(struct finds *finds)
{
	imap_seqset_done(&finds->uids);
	imap_seqset_done(&finds->heard);
	finds->is_comparing = false;
	finds->named = finds->both = finds->half = (struct likeness){0};
}

void
mailbox_find_free(struct mailbox *mb)
{
	if (mb->finds == NULL)
		return;
	forget_found(mb->finds);
	while (mb->finds->count > 0)
		free((char *)mb->finds->wanted[--mb->finds->count].message_id);
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
	const struct mailbox_wanted *wanted = &mb->finds->wanted[0];
	struct span id = span_from_str(wanted->message_id);
	struct imap_command command;

	mailbox_begin_command(mb, &command, "UID SEARCH");
	if (!mb->finds->plainly && !wanted->is_exact) {
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
	forget_found(mb->finds);
	send_search(mb, now);
	return true;
}

static void
note_likeness(struct likeness *likeness, uint32_t uid, bool is_read)
{
	likeness->count++;
	likeness->read += is_read;
	if (uid > likeness->uid)
		likeness->uid = uid;
}

static void
note_uids(struct finds *finds, const struct imap_response *response)
{
	for (size_t i = 0; i < response->count; i++) {
		uint64_t uid = imap_value_number(&response->values[i]);
		if (uid == 0 || uid > UINT32_MAX)
			continue;
		note_likeness(&finds->named, (uint32_t)uid, false);
		if (finds->named.count <= MAILBOX_TWINS_MAX)
			imap_seqset_add(&finds->uids, (uint32_t)uid);
	}
}

/* ---- comparing ---- */

static void
send_fetch(struct mailbox *mb, usec_t now)
{
	struct imap_command command;

	mb->finds->is_comparing = true;
	mailbox_begin_command(mb, &command, "UID FETCH");
	imap_command_seqset(&command, &mb->finds->uids);
	imap_command_raw(&command, "(UID FLAGS INTERNALDATE RFC822.SIZE "
				   "BODY.PEEK[HEADER.FIELDS (Message-ID)])");
	mailbox_send(mb, &command, now);
}

static bool
has_flag(const struct imap_fetch *fetch, const char *flag)
{
	for (size_t i = 0; i < fetch->flag_count; i++)
		if (span_is_nocase(fetch->flags[i].text, flag))
			return true;
	return false;
}

static void
compare(struct finds *finds, const struct imap_fetch *fetch)
{
	const struct mailbox_wanted *wanted = &finds->wanted[0];
	struct message *message = message_new(fetch->header);
	bool has_id = span_is(mailbox_message_id(message), wanted->message_id);
	bool is_read = has_flag(fetch, "\\Seen");
	bool has_size = fetch->has_size && fetch->size == wanted->size;
	bool has_date = fetch->has_internaldate &&
			fetch->internaldate_unix == wanted->received_unix;

	message_free(&message);
	if (!has_id || has_flag(fetch, "\\Deleted"))
		return;
	if (has_size && has_date)
		note_likeness(&finds->both, fetch->uid, is_read);
	else if (has_size || has_date)
		note_likeness(&finds->half, fetch->uid, is_read);
}

void
mailbox_find_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct finds *finds = mb->finds;
	struct imap_fetch fetch;

	(void)now;
	if (!finds->is_comparing) {
		if (span_is_nocase(response->name, "SEARCH"))
			note_uids(finds, response);
	} else if (imap_fetch_parse(response, &fetch) && fetch.has_header &&
		   imap_seqset_has(&finds->uids, fetch.uid) &&
		   !imap_seqset_has(&finds->heard, fetch.uid)) {
		imap_seqset_add(&finds->heard, fetch.uid);
		compare(finds, &fetch);
	}
}

/* ---- the answer ---- */

static void
set_refused(struct mailbox_found *found, const struct imap_response *response)
{
	BUF_AUTO text = BUF_INIT;

	str_sanitize(&text, response->text, 200);
	error_set(&found->error, FAULT_PEER,
	    "the server refused the search: %s", buf_str(&text));
}

static void
set_found(const struct finds *finds, struct mailbox_found *found)
{
	const struct likeness *best = &finds->named;

	if (found->is_exact)
		best = finds->both.count > 0 ? &finds->both : &finds->half;
	found->count = best->count;
	found->uid = best->uid;
	found->read = best->read;
}

void
mailbox_find_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct finds *finds = mb->finds;
	const struct mailbox_wanted *wanted = &finds->wanted[0];
	size_t count = finds->named.count;
	struct mailbox_found *found;

	if (response->status == IMAP_BAD && !finds->is_comparing &&
	    !finds->plainly && !wanted->is_exact) {
		finds->plainly = true;
		send_search(mb, now);
		return;
	}
	if (response->status == IMAP_OK && wanted->is_exact &&
	    !finds->is_comparing && count > 0 && count <= MAILBOX_TWINS_MAX) {
		send_fetch(mb, now);
		return;
	}
	found = take_next(mb);
	found->uidvalidity = mb->uidvalidity;
	if (response->status != IMAP_OK)
		set_refused(found, response);
	else if (found->is_exact && count > MAILBOX_TWINS_MAX)
		error_set(&found->error, FAULT_LIMIT,
		    "%zu messages there have its Message-ID", count);
	else
		set_found(finds, found);
	answer(mb, found);
	mailbox_go_on(mb, now);
}
