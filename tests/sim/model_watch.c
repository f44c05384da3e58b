/*
 * sim/model_imap: what a session is told of a mailbox that it has open, and of
 * others.
 */
#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/xalloc.h"
#include "tests/sim/model_private.h"

#define OVERFLOW_EVERY 50
#define IDLE_DIES_USEC (4 * USEC_MINUTE)

size_t
model_seq_of(const struct model_session *s, uint32_t uid)
{
	size_t low = 0, high = s->view_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (s->view[middle] < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->view_count && s->view[low] == uid ? low + 1 : 0;
}

static void
tell_gone(struct model_session *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->view_count; i++) {
		if (model_has_uid(s->selected, s->view[i]))
			s->view[kept++] = s->view[i];
		else
			buf_addf(&s->output,
			    s->qresync ? "* VANISHED %zu\r\n"
				       : "* %zu EXPUNGE\r\n",
			    s->qresync ? (size_t)s->view[i] : kept + 1);
	}
	s->view_count = kept;
}

/* What other clients changed. */
static void
tell_flags(struct model_session *s)
{
	for (size_t i = 0; i < s->selected->count; i++) {
		const struct model_message *message = &s->selected->messages[i];
		size_t seq = model_seq_of(s, message->uid);
		if (message->flagged <= s->view_changes || seq == 0)
			continue;
		buf_addf(&s->output, "* %zu FETCH (", seq);
		if (s->qresync)
			buf_addf(&s->output, "UID %u MODSEQ (%u) ",
			    message->uid, message->modseq);
		model_add_flags(&s->output, &message->flags);
		buf_add_str(&s->output, ")\r\n");
	}
}

static void
add_to_view(struct model_session *s, uint32_t uid)
{
	if (s->view_count == s->view_cap) {
		s->view_cap = s->view_cap ? s->view_cap * 2 : 64;
		s->view = xreallocarray(s->view, s->view_cap, sizeof(*s->view));
	}
	s->view[s->view_count++] = uid;
}

static void
tell_new(struct model_session *s)
{
	size_t before = s->view_count;
	uint32_t last = before > 0 ? s->view[before - 1] : 0;
	uint32_t first = last >= s->floor ? last + 1 : s->floor;

	for (size_t i = model_lower_bound(s->selected, first);
	     i < s->selected->count; i++)
		add_to_view(s, s->selected->messages[i].uid);
	if (s->view_count > before)
		buf_addf(&s->output, "* %zu EXISTS\r\n* 1 RECENT\r\n",
		    s->view_count);
}

/* Rebuilt under its feet. */
static void
tell_remade(struct model_session *s)
{
	if (s->model->remade == REMADE_BYE || s->selected->is_gone) {
		model_session_bye(s);
		return;
	}
	if (s->model->remade == REMADE_NO)
		buf_add_str(&s->output, "* NO Internal error occurred.\r\n");
	s->view_changes = s->selected->changes;
}

/* Brings the client's view up to date: EXPUNGE for what went, EXISTS for
 * what came. */
void
model_tell_news(struct model_session *s)
{
	if (s->selected == NULL || s->view_changes == s->selected->changes)
		return;
	if (s->view_validity != s->selected->uidvalidity) {
		tell_remade(s);
		return;
	}
	tell_gone(s);
	tell_flags(s);
	tell_new(s);
	s->view_changes = s->selected->changes;
}

static void
push_status(struct model_session *s, const struct model_mailbox *mailbox)
{
	buf_addf(&s->output,
	    "* STATUS \"%s\" (UIDNEXT %u UIDVALIDITY %u MESSAGES %zu)\r\n",
	    mailbox->name, mailbox->uidnext, mailbox->uidvalidity,
	    mailbox->count);
	if (++s->model->pushes % OVERFLOW_EVERY == 0 && s->model->overflows) {
		s->notify = false;
		buf_add_str(
		    &s->output, "* OK [NOTIFICATIONOVERFLOW] enough\r\n");
	}
}

/* RFC 5465: what happened in mailboxes that are not open. */
static void
tell_of_others(struct model_session *s)
{
	size_t i = 0;

	if (!s->notify)
		return;
	LIST_EACH(pos, &s->model->mailboxes)
	{
		struct model_mailbox *mailbox =
		    LIST_ITEM(pos, struct model_mailbox, link);
		if (i == TOLD_MAX)
			break;
		if (i == s->told_count) { /* it was made meanwhile */
			s->told_count++;
			s->told[i].mailbox = mailbox;
			s->told[i].uidnext = mailbox->uidnext;
			buf_addf(&s->output, "* LIST () \"%c\" \"%s\"\r\n",
			    model_delimiter(s->model), mailbox->name);
		}
		if (mailbox != s->selected && !mailbox->is_gone &&
		    s->told[i].uidnext != mailbox->uidnext && s->notify)
			push_status(s, mailbox);
		s->told[i].uidnext = mailbox->uidnext;
		i++;
	}
}

/* ---- IDLE ---- */

static bool
has_news(const struct model_session *s)
{
	return s->selected != NULL && s->view_changes != s->selected->changes;
}

static bool
has_died(const struct model_session *s)
{
	return model_has(s, MODEL_IDLE_DIES) &&
	       s->model->now >= usec_add(s->idle_since, IDLE_DIES_USEC);
}

void
model_session_poll(struct model_session *s)
{
	if (!s->idle)
		return;
	if (has_died(s)) {
		s->over = true;
		return;
	}
	tell_of_others(s);
	if (model_has(s, MODEL_SILENT_IDLE) || !has_news(s))
		return;
	if (model_has(s, MODEL_STILL_HERE))
		buf_add_str(&s->output, "* OK Still here\r\n");
	if (model_has(s, MODEL_KEEPALIVE))
		buf_add_str(&s->output, "* OK\r\n*\r\n");
	model_tell_news(s);
	if (!model_has(s, MODEL_IDLE_ENDS))
		return;
	s->idle = false;
	s->idle_ended = true;
	buf_addf(&s->output, "%s OK IDLE ended by itself\r\n", s->idle_tag);
}

void
model_do_idle(struct model_session *s, const struct command *c)
{
	if (!model_has(s, MODEL_IDLE)) {
		model_refuse(s, c);
		return;
	}
	snprintf(s->idle_tag, sizeof(s->idle_tag), "%s", c->tag);
	s->idle = true;
	s->idle_since = s->model->now;
	if (model_has(s, MODEL_CHATTY | MODEL_EARLY_EXISTS))
		model_tell_news(s);
	buf_add_str(&s->output,
	    model_has(s, MODEL_KEEPALIVE) ? "+\r\n" : "+ idling\r\n");
	model_session_poll(s);
	if (s->model->hangs_up == HANGS_UP_AT_REST)
		model_session_bye(s);
}

void
model_end_idle(struct model_session *s, struct span line)
{
	s->idle = false;
	if (!span_is(line, "DONE")) {
		buf_addf(&s->output, "%s BAD expected DONE\r\n", s->idle_tag);
		return;
	}
	if (model_has(s, MODEL_CHATTY | MODEL_STILL_HERE))
		buf_add_str(&s->output, "* OK Still here\r\n");
	buf_addf(&s->output, "%s OK idle done\r\n", s->idle_tag);
}

/* ---- SELECT ---- */

static void
say_flags(struct model_session *s)
{
	buf_addf(&s->output,
	    "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n"
	    "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen "
	    "\\Draft%s)] kept\r\n",
	    model_has(s, MODEL_NO_KEYWORDS) ? "" : " \\*");
}

/* One above the last message, where it is not kept. */
static uint32_t
uidnext_of(const struct model_session *s)
{
	const struct model_mailbox *mailbox = s->selected;

	if (!model_has(s, MODEL_UIDNEXT_REWINDS))
		return mailbox->uidnext;
	return mailbox->count == 0
		   ? 1
		   : mailbox->messages[mailbox->count - 1].uid + 1;
}

static void
say_numbers(struct model_session *s)
{
	buf_addf(&s->output,
	    "* 0 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY %u] valid\r\n",
	    s->selected->uidvalidity);
	model_tell_news(s);
	if (model_has(s, MODEL_BAD_MODSEQ))
		buf_add_str(&s->output, "* OK [HIGHESTMODSEQ 0]\r\n");
	if (model_counts(s))
		buf_addf(&s->output, "* OK [HIGHESTMODSEQ %u] highest\r\n",
		    s->selected->changes + 1);
	if (model_has(s, MODEL_ODD_CODE))
		buf_add_str(
		    &s->output, "* OK [MAILBOXID (\xff\xfe\x80)] odd\r\n");
	if (!model_has(s, MODEL_NO_UIDNEXT))
		buf_addf(
		    &s->output, "* OK [UIDNEXT %u] next\r\n", uidnext_of(s));
}

/* Yahoo's "limited mode": the newest, until it is opened again. */
static void
hide_old(struct model_session *s)
{
	struct model_mailbox *mailbox = s->selected;
	size_t hidden = 0;

	s->floor = 0;
	if (model_has(s, MODEL_PARTIAL_VIEW) && s->model->view_most != 0 &&
	    mailbox->count > s->model->view_most)
		hidden = mailbox->count - s->model->view_most;
	for (size_t i = 0; i < hidden; i++)
		mailbox->messages[i].was_hidden = true;
	if (hidden > 0)
		s->floor = mailbox->messages[hidden].uid;
}

static void
open_mailbox(struct model_session *s, const struct command *c, bool read_only)
{
	const char *name = c->arguments.len > 0 ? c->arguments.items[0] : "";

	if (model_has(s, MODEL_ID_FIRST) && !s->identified) {
		model_say(s, c,
		    "NO SELECT Unsafe Login. Please contact "
		    "kefu@188.com for help");
		return;
	}
	if (c->arguments.len > 1 && !s->qresync) {
		model_say(s, c, "BAD unknown parameter");
		return;
	}
	bool was_open = s->selected != NULL;
	s->selected = model_find_open(s->model, name);
	s->read_only = read_only;
	s->view_count = 0;
	if (s->selected == NULL) {
		model_say(s, c, "NO [NONEXISTENT] no such mailbox");
		return;
	}
	s->view_validity = s->selected->uidvalidity;
	s->view_changes = s->selected->changes - 1;
	hide_old(s);
	say_flags(s);
	if (s->qresync && was_open)
		buf_add_str(&s->output, "* OK [CLOSED] the other one\r\n");
	say_numbers(s);
	if (c->arguments.len > 1)
		model_resync(s, c->arguments.items[1]);
	model_say(
	    s, c, read_only ? "OK [READ-ONLY] open" : "OK [READ-WRITE] open");
}

void
model_do_select(struct model_session *s, const struct command *c)
{
	if (s->model->hangs_up == HANGS_UP_AT_SELECT)
		model_session_bye(s);
	else
		open_mailbox(s, c, false);
}

void
model_do_examine(struct model_session *s, const struct command *c)
{
	open_mailbox(s, c, true);
}

void
model_do_noop(struct model_session *s, const struct command *c)
{
	model_tell_news(s);
	model_say(s, c, "OK done");
}

/* ---- NOTIFY ---- */

void
model_do_notify(struct model_session *s, const struct command *c)
{
	if (!s->model->notifies) {
		model_refuse(s, c);
		return;
	}
	s->notify = true;
	s->told_count = 0;
	LIST_EACH(pos, &s->model->mailboxes)
	{
		struct model_mailbox *mailbox =
		    LIST_ITEM(pos, struct model_mailbox, link);
		if (s->told_count == TOLD_MAX)
			break;
		s->told[s->told_count].mailbox = mailbox;
		s->told[s->told_count++].uidnext = mailbox->uidnext;
		if (mailbox != s->selected && !mailbox->is_gone && s->notify)
			push_status(s, mailbox);
	}
	model_say(s, c, "OK notified");
}
