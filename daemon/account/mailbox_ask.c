/*
 * How other mailboxes are, asked for over a connection that rests in its own.
 *
 *   STATUS "A" (UIDNEXT UIDVALIDITY MESSAGES)
 *
 * for each, MAILBOX_STATUS_MAX of them under way together, or all at once where
 * LIST can tell it (RFC 5819 with RFC 5258):
 *
 *   LIST "" ("A" "B") RETURN (STATUS (UIDNEXT UIDVALIDITY MESSAGES))
 *
 * The names stand for patterns there: those with a wildcard are asked for by
 * STATUS. Servers that refuse LIST in this form, or answer without STATUS, are
 * asked in the old way for as long as the connection lasts.
 *
 * HIGHESTMODSEQ is asked for, too, where changes are counted (RFC 7162): it
 * tells that a followed message may have been read.
 *
 * News of the mailbox that is open are seen to first: the others wait until the
 * connection rests again.
 */
#include "daemon/account/mailbox_private.h"

#include <assert.h>

#include "daemon/base/xalloc.h"

/*
 * Bytes of all names together: the command is one line. News of the mailbox
 * that is open wait for its answer, and how long that takes nobody knows
 * before: so it begins small, is doubled while the server is quick, and is
 * halved when it is not.
 */
#define NAMES_FIRST 1000
#define NAMES_MIN 60
#define NAMES_MAX 4000
#define QUICK_USEC (250 * USEC_MSEC)
#define LONG_USEC USEC_SEC

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
	free(round->ids);
	round->answers = NULL;
	round->ids = NULL;
	round->wanted = round->answered = round->pending = 0;
	round->lists = round->was_refused = round->was_bad = false;
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

/* What was sent last is the question of wires[i] (of all, in LIST). */
static void
note_sent(struct mailbox *mb, size_t i)
{
	if (mb->session == NULL)
		return; /* it could not be sent */
	mb->round->ids[i] = mb->command;
	mb->round->pending++;
	mb->command = 0;
}

static void
send_status(struct mailbox *mb, size_t i, usec_t now)
{
	struct imap_command command;

	mailbox_begin_command(mb, &command, "STATUS");
	imap_command_mailbox(
	    &command, span_from_str(mb->round->wires.items[i]));
	add_items(mb, &command);
	mailbox_send(mb, &command, now);
	note_sent(mb, i);
}

static void
send_all(struct mailbox *mb, usec_t now)
{
	for (size_t i = 0; mb->session != NULL && i < mb->round->wires.len; i++)
		if (mb->round->wires.items[i][0] != '\0')
			send_status(mb, i, now);
}

static size_t
names_most(const struct round *round)
{
	return round->names_most != 0 ? round->names_most : NAMES_FIRST;
}

static void
note_list(struct round *round, usec_t now)
{
	usec_t took = usec_since(round->listed, now);
	size_t most = names_most(round);

	if (took > LONG_USEC)
		most = most / 2 > NAMES_MIN ? most / 2 : NAMES_MIN;
	else if (took < QUICK_USEC)
		most = most * 2 < NAMES_MAX ? most * 2 : NAMES_MAX;
	round->names_most = most;
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
	round->listed = now;
	mailbox_send(mb, &command, now);
	note_sent(mb, 0);
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
	round->ids =
	    xreallocarray(round->ids, round->wires.len, sizeof(*round->ids));
	round->ids[round->wires.len - 1] = 0;
	if (wire.len == 0)
		mailbox_ask_tell(
		    mb, name, (struct mailbox_news){.refused = true});
	else
		round->wanted++;
}

static size_t
status_limit(const struct mailbox *mb)
{
	bool alone =
	    mb->config->one_at_a_time || mb->is_alone || mb->round->no_several;

	return alone ? 1 : MAILBOX_STATUS_MAX;
}

/* Whether `wire` can be asked for together with those gathered: all are in one
 * LIST, which is asked for two at least, or each has its STATUS. */
static bool
fits(const struct mailbox *mb, struct span wire, bool lists, size_t bytes)
{
	const struct round *round = mb->round;

	if (round->wanted == 0 || wire.len == 0)
		return true;
	if (lists != round->lists)
		return false;
	return lists ? bytes <= names_most(round)
		     : round->wanted < status_limit(mb);
}

/* The next ones, from round->next on. */
static void
gather(struct mailbox *mb)
{
	struct round *round = mb->round;
	bool can = can_list(mb);
	size_t bytes = 0;

	mailbox_ask_clear(round);
	for (size_t i = round->next; i < round->names.len; i++) {
		struct error error = ERROR_INIT;
		const char *name = round->names.items[i];
		BUF_AUTO wire = BUF_INIT;
		if (!folders_wire_name(&mb->folders, name, &wire, &error))
			buf_clear(&wire);
		bool lists = can && is_plain(buf_span(&wire));
		bytes += wire.len + 4;
		if (!fits(mb, buf_span(&wire), lists, bytes))
			return;
		if (round->wanted == 0)
			round->lists = lists;
		add_name(mb, name, buf_span(&wire));
	}
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
	round->lists &= round->wanted > 1;
	if (round->lists)
		send_list(mb, now);
	else
		send_all(mb, now);
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
falls_back(struct mailbox *mb)
{
	struct round *round = mb->round;
	bool counts =
	    (imap_session_enabled(mb->session) & IMAP_CAP_CONDSTORE) != 0;

	if (round->lists && (round->was_refused || round->answered == 0))
		return round->no_list = true;
	if (!round->was_bad)
		return false;
	if (!round->no_modseq && counts)
		return round->no_modseq = true;
	/* It may have lost its way among several. */
	if (round->wanted > 1)
		return round->no_several = true;
	return false;
}

/* OK without an answer (NetEase): only SELECT will tell. */
static void
tell_answers(struct mailbox *mb)
{
	struct round *round = mb->round;

	for (size_t i = 0; i < round->wires.len; i++) {
		const char *name = round->names.items[round->next + i];
		if (round->wires.items[i][0] != '\0')
			mailbox_ask_tell(mb, name, round->answers[i]);
	}
	round->next += round->wires.len;
	mailbox_ask_clear(round);
}

static void
all_answered(struct mailbox *mb, usec_t now)
{
	if (!falls_back(mb))
		tell_answers(mb);
	if (mb->stopping || mb->dirty || !mailbox_ask_next(mb, now))
		mailbox_go_on(mb, now);
}

static bool
find_question(const struct round *round, unsigned id, size_t *i_r)
{
	for (size_t i = 0; round != NULL && i < round->wires.len; i++)
		if (round->ids[i] == id) {
			*i_r = i;
			return true;
		}
	return false;
}

bool
mailbox_ask_done(struct mailbox *mb, unsigned id,
    const struct imap_response *response, usec_t now)
{
	struct round *round = mb->round;
	size_t i;

	if (mb->state != MAILBOX_ASKING || !find_question(round, id, &i))
		return false;
	round->ids[i] = 0;
	if (round->lists)
		note_list(round, now);
	round->was_bad |= response->status == IMAP_BAD;
	if (response->status != IMAP_OK)
		round->was_refused = round->answers[i].refused = true;
	if (--round->pending == 0)
		all_answered(mb, now);
	return true;
}
