/*
 * How other mailboxes are, asked for over a connection that rests in its own.
 *
 *   STATUS "A" (UIDNEXT UIDVALIDITY MESSAGES)
 *
 * for each, or all at once where LIST can tell it (RFC 5819 with RFC 5258):
 *
 *   LIST "" ("A" "B") RETURN (STATUS (UIDNEXT UIDVALIDITY MESSAGES))
 *
 * The names stand for patterns there: those with a wildcard are asked for by
 * STATUS. Servers that refuse LIST in this form, or answer without STATUS, are
 * asked in the old way for as long as the connection lasts.
 *
 * HIGHESTMODSEQ is asked for, too, where changes are counted (RFC 7162): it
 * tells that a followed message may have been read.
 */
#include "daemon/account/mailbox_private.h"

#include <assert.h>

#include "daemon/base/xalloc.h"

/* Bytes of all names together: the command is one line. */
#define NAMES_MAX 4000

void
mailbox_ask_tell(struct mailbox *mb, const char *name, struct mailbox_news news)
{
	mailbox_emit(
	    mb, (struct mailbox_event){
		    .kind = MAILBOX_TOLD, .name = xstrdup(name), .news = news});
}

void
mailbox_ask(struct mailbox *mb, const struct strv *names, usec_t now)
{
	struct round *round = mailbox_round_of(mb);

	assert(mailbox_is_at_rest(mb));
	strv_done(&round->names);
	strv_copy(&round->names, names);
	round->next = 0;
	mailbox_wake(mb, now);
}

bool
mailbox_ask_has_questions(const struct mailbox *mb)
{
	return mb->round != NULL && mb->round->next < mb->round->names.len;
}

void
mailbox_ask_clear(struct round *round)
{
	strv_done(&round->wires);
	free(round->answers);
	round->answers = NULL;
	round->wanted = round->answered = 0;
}

/* ---- asking ---- */

static void
add_items(struct mailbox *mb, struct imap_command *command)
{
	bool counts =
	    (imap_session_enabled(mb->session) & IMAP_CAP_CONDSTORE) != 0 &&
	    !mb->round->no_modseq;

	imap_command_raw(command, "(UIDNEXT UIDVALIDITY MESSAGES");
	imap_command_raw(command, counts ? "HIGHESTMODSEQ)" : ")");
}

static void
send_status(struct mailbox *mb, usec_t now)
{
	struct round *round = mb->round;
	struct imap_command command;

	mailbox_begin_command(mb, &command, "STATUS");
	imap_command_mailbox(&command, span_from_str(round->wires.items[0]));
	add_items(mb, &command);
	mailbox_send(mb, &command, now);
}

static void
send_list(struct mailbox *mb, usec_t now)
{
	struct round *round = mb->round;
	struct imap_command command;

	mailbox_begin_command(mb, &command, "LIST");
	imap_command_string(&command, SPAN(""));
	imap_command_raw(&command, "(");
	for (size_t i = 0; i < round->wires.len; i++) {
		struct span wire = span_from_str(round->wires.items[i]);
		if (wire.len > 0)
			imap_command_mailbox(&command, wire);
	}
	imap_command_raw(&command, ") RETURN (STATUS");
	add_items(mb, &command);
	imap_command_raw(&command, ")");
	mailbox_send(mb, &command, now);
}

/* ---- which of them at once ---- */

static bool
can_list(const struct mailbox *mb)
{
	return !mb->round->no_list && !mb->lists_plainly &&
	       mailbox_can(mb, IMAP_CAP_LIST_STATUS) &&
	       mailbox_can(mb, IMAP_CAP_LIST_EXTENDED);
}

/* A pattern that means nothing but itself, in a quoted string. */
static bool
is_plain(struct span wire)
{
	for (size_t i = 0; i < wire.len; i++) {
		unsigned char c = (unsigned char)wire.data[i];
		if (c == '%' || c == '*' || c < ' ' || c > '~')
			return false;
	}
	return true;
}

/* A name without a folder is answered at once. */
static void
add_name(struct mailbox *mb, const char *name, struct span wire)
{
	struct round *round = mb->round;

	strv_add_span(&round->wires, wire);
	round->answers = xreallocarray(
	    round->answers, round->wires.len, sizeof(*round->answers));
	round->answers[round->wires.len - 1] =
	    (struct mailbox_news){.refused = true};
	if (wire.len == 0)
		mailbox_ask_tell(
		    mb, name, (struct mailbox_news){.refused = true});
	else
		round->wanted++;
}

/* The next ones, from round->next on; one, where it must be alone. */
static void
gather(struct mailbox *mb)
{
	struct round *round = mb->round;
	bool lists = can_list(mb);
	size_t bytes = 0;

	mailbox_ask_clear(round);
	for (size_t i = round->next; i < round->names.len; i++) {
		struct error error = ERROR_INIT;
		const char *name = round->names.items[i];
		BUF_AUTO wire = BUF_INIT;
		if (!folders_wire_name(&mb->folders, name, &wire, &error))
			buf_clear(&wire);
		bool alone = !lists || !is_plain(buf_span(&wire));
		bytes += wire.len + 4;
		if (round->wanted > 0 && (alone || bytes > NAMES_MAX))
			return;
		add_name(mb, name, buf_span(&wire));
		if (round->wanted > 0 && alone)
			return;
	}
}

/* STATUS is of the last one: those before it have no folder. */
static void
keep_last(struct round *round)
{
	size_t last = 0;

	for (size_t i = 0; i < round->wires.len; i++)
		if (round->wires.items[i][0] != '\0')
			last = i;
	round->next += last;
	STR_AUTO wire = xstrdup(round->wires.items[last]);
	mailbox_ask_clear(round);
	strv_add(&round->wires, wire);
	round->answers = NEW(struct mailbox_news);
	round->answers[0].refused = true;
	round->wanted = 1;
}

bool
mailbox_ask_next(struct mailbox *mb, usec_t now)
{
	struct round *round = mb->round;

	gather(mb);
	if (round->wanted == 0) {
		round->next = round->names.len;
		mailbox_ask_clear(round);
		return false;
	}
	mailbox_enter(mb, MAILBOX_ASKING, now);
	if (round->wanted > 1) {
		send_list(mb, now);
		return true;
	}
	keep_last(round);
	send_status(mb, now);
	return true;
}

/* ---- what the server says ---- */

bool
mailbox_is_same_name(struct span a, struct span b)
{
	return span_equal(a, b) ||
	       (span_is_nocase(a, "INBOX") && span_is_nocase(b, "INBOX"));
}

void
mailbox_ask_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct round *round = mb->round;
	struct imap_mailbox_status status;

	(void)now;
	if (!imap_status_parse(response, &status))
		return;
	for (size_t i = 0; i < round->wires.len; i++) {
		if (!mailbox_is_same_name(
			status.name, span_from_str(round->wires.items[i])))
			continue;
		round->answered++;
		round->answers[i] = (struct mailbox_news){
		    .uidvalidity = status.uidvalidity,
		    .uidnext = status.uidnext,
		    .modseq = status.highestmodseq,
		};
	}
}

/* Whether to ask for the same again, in another way. */
static bool
falls_back(struct mailbox *mb, const struct imap_response *response)
{
	struct round *round = mb->round;
	bool is_list = round->wanted > 1;

	if (is_list && (response->status != IMAP_OK || round->answered == 0)) {
		round->no_list = true;
		return true;
	}
	if (response->status != IMAP_BAD || round->no_modseq)
		return false;
	round->no_modseq = true;
	return (imap_session_enabled(mb->session) & IMAP_CAP_CONDSTORE) != 0;
}

/* OK without an answer (NetEase): only SELECT will tell. */
static void
tell_answers(struct mailbox *mb, bool ok)
{
	struct round *round = mb->round;

	for (size_t i = 0; i < round->wires.len; i++) {
		const char *name = round->names.items[round->next + i];
		if (round->wires.items[i][0] == '\0')
			continue;
		round->answers[i].refused |= !ok;
		mailbox_ask_tell(mb, name, round->answers[i]);
	}
	round->next += round->wires.len;
}

void
mailbox_ask_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (!falls_back(mb, response))
		tell_answers(mb, response->status == IMAP_OK);
	if (mb->stopping || !mailbox_ask_next(mb, now))
		mailbox_go_on(mb, now);
}
