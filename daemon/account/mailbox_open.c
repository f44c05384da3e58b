/*
 * From the login to the open mailbox: capabilities, names, SELECT.
 */
#include "daemon/account/mailbox_private.h"

#include <stdlib.h>

#include "daemon/base/str.h"

/* What the server said to a command that must not fail. */
bool
mailbox_is_ok_or_fail(struct mailbox *mb, const struct imap_response *response,
    const char *what, usec_t now)
{
	struct error error = ERROR_INIT;
	BUF_AUTO text = BUF_INIT;

	if (response->status == IMAP_OK)
		return true;
	enum fault fault = imap_fault_of(response, false);
	str_sanitize(&text, response->text, 200);
	error_set(&error, fault == FAULT_AUTH ? FAULT_PEER : fault,
	    "%s was refused: %s", what, buf_str(&text));
	mailbox_login_note(mb, response);
	mailbox_fail(mb, &error, now);
	return false;
}

/* ---- after login: names ---- */

static void
send_list(struct mailbox *mb, usec_t now)
{
	uint64_t caps = imap_session_capabilities(mb->session);
	bool special = false;
	struct imap_command command;

	mailbox_enter(mb, MAILBOX_LISTING, now);
	if (mb->lists_plainly)
		caps = 0;
	special = (caps & IMAP_CAP_SPECIAL_USE) != 0;
	mailbox_begin_command(mb, &command,
	    !special && (caps & IMAP_CAP_XLIST) ? "XLIST" : "LIST");
	imap_command_string(&command, SPAN(""));
	imap_command_string(&command, SPAN("*"));
	if (special && (caps & IMAP_CAP_LIST_EXTENDED))
		imap_command_raw(&command, "RETURN (SPECIAL-USE)");
	mailbox_send(mb, &command, now);
}

/* What the server offers is told at first, and when it is not the same. */
static void
tell_connected(struct mailbox *mb)
{
	uint64_t caps = imap_session_capabilities(mb->session);
	const char *user = mailbox_login_config(mb).user;
	BUF_AUTO offer = BUF_INIT;

	/* A certificate has a user of its own. */
	if (*user == '\0')
		user = "the user of the certificate";
	if (caps != mb->told_caps) {
		buf_add_str(&offer, "; the server offers ");
		imap_capability_format(&offer, caps);
	}
	mb->told_caps = caps;
	mailbox_report(mb, REPORT_CONNECTED, 0, "logged in as %s at %s%s", user,
	    mb->config->imap.host, buf_str(&offer));
}

void
mailbox_open(struct mailbox *mb, usec_t now)
{
	struct imap_command command;

	tell_connected(mb);
	mb->no_structure = mb->shy;
	mb->no_partial = mb->no_move = mb->told_dropped = false;
	mb->is_alone = false;
	mb->no_identity = false;
	mb->group_max = mb->alone_refused = 0;
	mb->is_second_try = false;
	mb->resync.refused = false;
	folders_clear(&mb->folders);
	mb->is_listed = mb->lists = false;
	if ((imap_session_capabilities(mb->session) & IMAP_CAP_NAMESPACE) ==
	    0) {
		send_list(mb, now);
		return;
	}
	mailbox_enter(mb, MAILBOX_NAMESPACES, now);
	mailbox_begin_command(mb, &command, "NAMESPACE");
	mailbox_send(mb, &command, now);
}

void
mailbox_open_names_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	(void)now;
	folders_read(&mb->folders, response);
}

/* A server that refuses NAMESPACE is used without it. */
void
mailbox_open_namespaces_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	(void)response;
	send_list(mb, now);
}

void
mailbox_open_listing_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	/* Offered, and not understood. */
	if (response->status == IMAP_BAD && !mb->lists_plainly) {
		mb->lists_plainly = true;
		send_list(mb, now);
		return;
	}
	if (!mailbox_is_ok_or_fail(mb, response, "the list of folders", now))
		return;
	mb->folders.known = true;
	mailbox_emit_need(mb, MAILBOX_FOLDERS);
	if (mb->is_listed) {
		mb->is_listed = false;
		mailbox_go_on(mb, now);
		return;
	}
	mailbox_open_visit(mb, now);
}

void
mailbox_open_list(struct mailbox *mb, usec_t now)
{
	mb->is_listed = true;
	folders_clear(&mb->folders);
	send_list(mb, now);
}

/* A mailbox that cannot be opened is no reason to log in again, but for who
 * came for nothing else. */
static void
refused(struct mailbox *mb, struct error *error, usec_t now)
{
	error->fault = FAULT_PEER;
	if (mb->visit != VISIT_NONE)
		mailbox_fail(mb, error, now);
	else
		mailbox_rove_refused(mb, error, now);
}

/* Logged in, and what is left to do is loaded. */
void
mailbox_open_visit(struct mailbox *mb, usec_t now)
{
	struct error error = ERROR_INIT;

	mailbox_enter(mb, MAILBOX_SELECTING, now);
	buf_clear(&mb->wire);
	if (folders_wire_name(&mb->folders, mb->name, &mb->wire, &error))
		mailbox_select(mb, now);
	else
		refused(mb, &error, now);
}

/* ---- SELECT ---- */

void
mailbox_select(struct mailbox *mb, usec_t now)
{
	struct imap_command command;

	mb->uidvalidity = mb->uidnext = mb->far = 0;
	mb->modseq = 0;
	mb->read_only = mb->uids_pass = false;
	mb->exists = mb->swept_exists = mb->exists_at_uidnext = 0;
	mb->any_keyword = false;
	free(mb->permanent_flags);
	mb->permanent_flags = NULL;
	mailbox_begin_command(
	    mb, &command, mb->visit == VISIT_LOOK ? "EXAMINE" : "SELECT");
	imap_command_mailbox(&command, buf_span(&mb->wire));
	if (mb->state == MAILBOX_SELECTING)
		mailbox_resync_add_select(mb, &command);
	mailbox_send(mb, &command, now);
}

static void
read_permanent_flags(struct mailbox *mb, const struct imap_response *response)
{
	if (response->code_count == 0 ||
	    response->code_values[0].kind != IMAP_LIST)
		return;
	const struct imap_value *list = &response->code_values[0];
	BUF_AUTO flags = BUF_INIT;
	for (size_t i = 0; i < list->count && i < IMAP_FLAGS_MAX; i++) {
		mb->any_keyword |= imap_value_is(&list->items[i], "\\*");
		buf_add_span(&flags, list->items[i].text);
		buf_add_char(&flags, ' ');
	}
	free(mb->permanent_flags);
	mb->permanent_flags = buf_take_str(&flags);
}

static uint64_t
code_number64(const struct imap_response *response)
{
	return response->code_count > 0
		   ? imap_value_number(&response->code_values[0])
		   : 0;
}

static uint32_t
code_number(const struct imap_response *response)
{
	uint64_t number = code_number64(response);

	return number > UINT32_MAX ? 0 : (uint32_t)number;
}

/* What comes into existence after this is above it. */
static void
read_uidnext(struct mailbox *mb, const struct imap_response *response)
{
	mb->uidnext = code_number(response);
	mb->exists_at_uidnext = mb->exists;
	mb->newer = false;
}

void
mailbox_read_select(struct mailbox *mb, const struct imap_response *response)
{
	/* NO, as a rule (RFC 4315 section 2). */
	if (span_is_nocase(response->code, "UIDNOTSTICKY"))
		mb->uids_pass = true;
	if (span_is_nocase(response->code, "NOMODSEQ"))
		mb->modseq = 0;
	if (response->status != IMAP_OK)
		return;
	if (span_is_nocase(response->code, "READ-ONLY"))
		mb->read_only = true;
	else if (span_is_nocase(response->code, "READ-WRITE"))
		mb->read_only = false;
	else if (span_is_nocase(response->code, "UIDVALIDITY"))
		mb->uidvalidity = code_number(response);
	else if (span_is_nocase(response->code, "UIDNEXT"))
		read_uidnext(mb, response);
	else if (span_is_nocase(response->code, "HIGHESTMODSEQ"))
		mb->modseq = code_number64(response);
	else if (span_is_nocase(response->code, "PERMANENTFLAGS"))
		read_permanent_flags(mb, response);
}

void
mailbox_assume_validity(struct mailbox *mb)
{
	if (mb->uidvalidity == 0)
		mb->uidvalidity = 1;
}

void
mailbox_open_selecting_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	(void)now;
	mailbox_read_select(mb, response);
}

void
mailbox_open_selecting_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct error error = ERROR_INIT;
	BUF_AUTO text = BUF_INIT;

	mailbox_read_select(mb, response);
	if (response->status == IMAP_OK) {
		mb->is_open = true;
		mailbox_compare(mb, now);
		return;
	}
	if (mailbox_resync_retries(mb)) {
		mailbox_open_visit(mb, now);
		return;
	}
	str_sanitize(&text, response->text, 200);
	error_set(&error, FAULT_PEER,
	    "mailbox %s cannot be opened (does it exist? belfryctl mailboxes "
	    "names those that do): %s",
	    mb->name, buf_str(&text));
	mailbox_login_note(mb, response);
	refused(mb, &error, now);
}
