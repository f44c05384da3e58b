/*
 * How does a message begin, or what is in it? For its notification. Nothing is
 * changed: PREVIEW (RFC 8970 section 3.1) and BODY.PEEK leave \Seen alone.
 *
 *   UID FETCH 7 (UID PREVIEW)
 *
 * or, where that is not offered, is not enough or gives nothing:
 *
 *   UID FETCH 7 (UID BODYSTRUCTURE)
 *   UID FETCH 7 (UID BODY.PEEK[1.1]<0.32768>)
 *
 * where the subject that we have hides a one-time code, before that
 *
 *   UID FETCH 7 (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])
 *
 * and for a command that gets it on standard input:
 *
 *   UID FETCH 7 (UID BODY.PEEK[HEADER])
 *   UID FETCH 7 (UID BODY.PEEK[])
 *
 * What the server refuses, or does not have any more, is a message without a
 * text: the notification does not wait for a better answer.
 *
 * A message that a rule takes away, and that the person is told of, is asked
 * before that: afterwards it would take a connection that looks into its new
 * place. That is done once, in the life that judged it, and not where it is
 * known to be in vain: what the rules say does not wait for that.
 */
#include "daemon/account/mailbox_private.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/body.h"
#include "daemon/mail/code.h"

/* Connections that were lost in a row while they asked early; then none does.
 */
#define EARLY_LOSSES_MAX 2

enum step {
	STEP_SUBJECT,
	STEP_PREVIEW,
	STEP_STRUCTURE,
	STEP_TEXT,
	STEP_CONTENT
};

struct asked {
	uint32_t uidvalidity, uid;
	enum mailbox_preview_kind kind;
};

struct previews {
	struct asked items[MAILBOX_PREVIEWS_MAX]; /* the first is next */
	size_t count;
	/* PREVIEWING: the first of them, or one of a job. */
	struct asked now;
	bool is_early; /* the latter */
	unsigned char early_losses;
	enum step step;
	struct structure *structure; /* owned; NULL: not told */
	struct buf preview, text, subject, content;
};

void
mailbox_previewed_free(struct mailbox_previewed **previewed)
{
	struct mailbox_previewed *old = *previewed;

	if (old == NULL)
		return;
	*previewed = NULL;
	free(old->preview);
	free(old->text);
	free(old->subject);
	buf_done(&old->content);
	free(old);
}

bool
mailbox_preview_is_asked(const struct mailbox *mb)
{
	return mb->previews != NULL && mb->previews->count > 0;
}

bool
mailbox_preview(struct mailbox *mb, uint32_t uidvalidity, uint32_t uid,
    enum mailbox_preview_kind kind, usec_t now)
{
	if (mb->previews == NULL)
		mb->previews = NEW(struct previews);
	if (mb->previews->count == MAILBOX_PREVIEWS_MAX)
		return false;
	mb->previews->items[mb->previews->count++] =
	    (struct asked){uidvalidity, uid, kind};
	mailbox_wake(mb, now);
	return true;
}

static void
forget(struct mailbox *mb, size_t index)
{
	struct previews *previews = mb->previews;

	previews->count--;
	memmove(&previews->items[index], &previews->items[index + 1],
	    (previews->count - index) * sizeof(previews->items[0]));
}

void
mailbox_preview_cancel(struct mailbox *mb, uint32_t uidvalidity, uint32_t uid,
    enum mailbox_preview_kind kind)
{
	struct previews *previews = mb->previews;

	for (size_t i = 0; previews != NULL && i < previews->count; i++) {
		const struct asked *item = &previews->items[i];

		if (item->uid != uid || item->uidvalidity != uidvalidity ||
		    item->kind != kind)
			continue;
		/* The one under way is answered, and nobody listens. */
		if (i > 0 || mb->state != MAILBOX_PREVIEWING ||
		    previews->is_early)
			forget(mb, i);
		return;
	}
}

static void
clear(struct previews *previews)
{
	if (previews->structure != NULL)
		structure_done(previews->structure);
	free(previews->structure);
	previews->structure = NULL;
	buf_clear(&previews->preview);
	buf_clear(&previews->text);
	buf_clear(&previews->subject);
	buf_done(&previews->content); /* it may be large */
}

void
mailbox_preview_free(struct mailbox *mb)
{
	if (mb->previews == NULL)
		return;
	clear(mb->previews);
	buf_done(&mb->previews->preview);
	buf_done(&mb->previews->text);
	buf_done(&mb->previews->subject);
	free(mb->previews);
	mb->previews = NULL;
}

/* ---- asking ---- */

static void
send_fetch(struct mailbox *mb, enum step step, const char *items, usec_t now)
{
	struct imap_command command;

	mb->previews->step = step;
	mailbox_begin_command(mb, &command, "UID FETCH");
	imap_command_number(&command, mb->previews->now.uid);
	imap_command_raw(&command, items);
	mailbox_send(mb, &command, now);
}

static struct mailbox_previewed *
take_answer(struct previews *previews)
{
	struct mailbox_previewed *made = NEW(struct mailbox_previewed);

	made->kind = previews->now.kind;
	made->uidvalidity = previews->now.uidvalidity;
	made->uid = previews->now.uid;
	made->content = previews->content;
	previews->content = (struct buf)BUF_INIT;
	if (previews->preview.len == 0)
		body_add_preview(&previews->preview, buf_span(&previews->text));
	made->preview = xstrdup(buf_str(&previews->preview));
	made->text = xstrdup_span(
	    span_slice(buf_span(&previews->text), 0, MAILBOX_PREVIEW_TEXT_MAX));
	made->subject = xstrdup(buf_str(&previews->subject));
	clear(previews);
	return made;
}

static void
keep_for_job(struct mailbox *mb, struct mailbox_previewed **previewed)
{
	struct job *job =
	    mailbox_job_find(mb, (*previewed)->uidvalidity, (*previewed)->uid);

	if (job != NULL && job->preview == NULL) {
		job->preview = (*previewed)->preview;
		job->text = (*previewed)->text;
		(*previewed)->preview = (*previewed)->text = NULL;
	}
	mailbox_previewed_free(previewed);
}

static void
answer(struct mailbox *mb)
{
	struct mailbox_previewed *made = take_answer(mb->previews);

	if (mb->previews->is_early) {
		mb->previews->early_losses = 0;
		keep_for_job(mb, &made);
		return;
	}
	forget(mb, 0);
	mailbox_emit(mb, (struct mailbox_event){
			     .kind = MAILBOX_PREVIEWED, .previewed = made});
}

static void
ask_text(struct mailbox *mb, usec_t now)
{
	const struct part *part =
	    mb->previews->structure != NULL
		? structure_find_text(mb->previews->structure)
		: NULL;
	BUF_AUTO items = BUF_INIT;

	if (part == NULL) {
		answer(mb);
		mailbox_go_on(mb, now);
		return;
	}
	buf_addf(&items, "(UID BODY.PEEK[%s]", part->section);
	if (!mb->no_partial || part->size > MAILBOX_PREVIEW_RAW_MAX)
		buf_addf(&items, "<0.%d>", MAILBOX_PREVIEW_RAW_MAX);
	buf_add_char(&items, ')');
	send_fetch(mb, STEP_TEXT, buf_str(&items), now);
}

/* The first step of each kind. */
static void
ask_first(struct mailbox *mb, usec_t now)
{
	bool says_beginning = mailbox_can(mb, IMAP_CAP_PREVIEW);

	switch (mb->previews->now.kind) {
	case PREVIEW_HEADER:
		send_fetch(mb, STEP_CONTENT, "(UID BODY.PEEK[HEADER])", now);
		return;
	case PREVIEW_MESSAGE:
		imap_session_set_literal_max(mb->session, MAILBOX_MESSAGE_MAX);
		send_fetch(mb, STEP_CONTENT, "(UID BODY.PEEK[])", now);
		return;
	case PREVIEW_BEGINNING:
		if (says_beginning) {
			send_fetch(mb, STEP_PREVIEW, "(UID PREVIEW)", now);
			return;
		}
		break;
	case PREVIEW_TEXT:
		break;
	case PREVIEW_ANEW:
		send_fetch(mb, STEP_SUBJECT,
		    "(UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])", now);
		return;
	}
	send_fetch(mb, STEP_STRUCTURE, "(UID BODYSTRUCTURE)", now);
}

static void
set_now(struct previews *previews, const struct asked *asked, bool is_early)
{
	clear(previews);
	previews->now = *asked;
	previews->is_early = is_early;
}

bool
mailbox_preview_begin(struct mailbox *mb, usec_t now)
{
	struct previews *previews = mb->previews;

	while (previews != NULL && previews->count > 0) {
		set_now(previews, &previews->items[0], false);
		if (previews->now.uidvalidity == mb->uidvalidity) {
			mailbox_enter(mb, MAILBOX_PREVIEWING, now);
			ask_first(mb, now);
			return true;
		}
		answer(mb); /* of another time: there is none */
	}
	return false;
}

/* ---- before it is taken away ---- */

static bool
tells_beginning(const struct action *action)
{
	return action->kind == ACTION_NOTIFY && action->text == NULL &&
	       action->after == 0;
}

/* Something that is not done yet takes it away, and then it is shown. */
static bool
is_about_to_go(const struct job *job)
{
	bool goes = false;

	for (size_t i = job->next; i < job->count; i++) {
		const struct action *action = &job->actions[i].action;
		if (goes && tells_beginning(action))
			return true;
		goes = goes || mailbox_is_destructive(action->kind);
	}
	return false;
}

/* Whether its answer would hold nothing up but what it is for. */
static bool
is_ready(const struct mailbox *mb, const struct job *job, usec_t now)
{
	return job->not_before <= now &&
	       mailbox_suspended_until(mb, &job->actions[job->next].action) <=
		   now;
}

static bool
wants_early(const struct mailbox *mb, const struct job *job, usec_t now)
{
	return job->is_fresh && job->first_seq == 0 && job->preview == NULL &&
	       job->key.uidvalidity == mb->uidvalidity && !job->running &&
	       job->op == NULL && mailbox_is_written(mb, job) &&
	       is_about_to_go(job) && is_ready(mb, job, now);
}

static const struct job *
find_early(const struct mailbox *mb, usec_t now)
{
	const struct job *first = NULL;
	size_t count = 0;

	LIST_EACH(pos, &mb->jobs)
	{
		const struct job *job = LIST_ITEM(pos, struct job, link);
		if (!wants_early(mb, job, now))
			continue;
		if (++count > MAILBOX_EARLY_PREVIEWS_MAX)
			return NULL;
		if (first == NULL)
			first = job;
	}
	return first;
}

static bool
may_ask_early(const struct mailbox *mb)
{
	return mb->config->notes_beginnings != NULL &&
	       *mb->config->notes_beginnings && mb->op_count == 0 &&
	       (mb->previews == NULL ||
		   mb->previews->early_losses < EARLY_LOSSES_MAX);
}

/* Where BODYSTRUCTURE is refused, or breaks the connection. */
static bool
can_be_told(const struct mailbox *mb, enum mailbox_preview_kind kind)
{
	return !mb->no_structure ||
	       (kind == PREVIEW_BEGINNING && mailbox_can(mb, IMAP_CAP_PREVIEW));
}

bool
mailbox_preview_begin_early(struct mailbox *mb, usec_t now)
{
	const struct job *job;
	struct asked asked;

	if (!may_ask_early(mb))
		return false;
	job = find_early(mb, now);
	if (job == NULL)
		return false;
	asked = (struct asked){job->key.uidvalidity, job->key.uid,
	    code_wants_text(mailbox_job_subject(job)) ? PREVIEW_TEXT
						      : PREVIEW_BEGINNING};
	if (!can_be_told(mb, asked.kind))
		return false;
	if (mb->previews == NULL)
		mb->previews = NEW(struct previews);
	set_now(mb->previews, &asked, true);
	mailbox_enter(mb, MAILBOX_PREVIEWING, now);
	ask_first(mb, now);
	return true;
}

void
mailbox_preview_lost(struct mailbox *mb)
{
	struct previews *previews = mb->previews;

	if (mb->state == MAILBOX_PREVIEWING && previews->is_early &&
	    previews->early_losses < EARLY_LOSSES_MAX)
		previews->early_losses++;
}

/* ---- answers ---- */

/* Where it was cut, no character or escape is. */
static struct span
whole_lines(struct span raw)
{
	size_t len = raw.len;

	if (len < MAILBOX_PREVIEW_RAW_MAX)
		return raw;
	raw = span_slice(raw, 0, MAILBOX_PREVIEW_RAW_MAX);
	for (len = raw.len; len > 0 && raw.data[len - 1] != '\n'; len--)
		;
	return len > 0 ? span_slice(raw, 0, len) : raw;
}

static void
note_text(struct previews *previews, const struct imap_fetch *fetch)
{
	const struct part *part = structure_find_text(previews->structure);

	if (!fetch->has_part || fetch->part_origin != 0 ||
	    !span_is(fetch->part_section, part->section))
		return;
	buf_clear(&previews->text);
	body_add_text(&previews->text, whole_lines(fetch->part), part);
}

static void
note_subject(struct previews *previews, const struct imap_fetch *fetch)
{
	struct message *message;

	if (!fetch->has_header)
		return;
	message = message_new(fetch->header);
	STR_AUTO subject = mailbox_decoded(message, "Subject");
	message_free(&message);
	buf_clear(&previews->subject);
	buf_add_str(&previews->subject, subject);
}

/* What was cut, as it is too large, is none. */
static void
note_content(struct previews *previews, const struct imap_fetch *fetch)
{
	struct span bytes = fetch->has_body ? fetch->body : fetch->header;

	if ((!fetch->has_body && !fetch->has_header) ||
	    bytes.len >= MAILBOX_MESSAGE_MAX)
		return;
	buf_clear(&previews->content);
	buf_add_span(&previews->content, bytes);
}

void
mailbox_preview_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct previews *previews = mb->previews;
	struct imap_fetch fetch;

	(void)now;
	if (!imap_fetch_parse(response, &fetch) ||
	    fetch.uid != previews->now.uid)
		return;
	if (previews->step == STEP_PREVIEW && fetch.has_preview) {
		buf_clear(&previews->preview);
		buf_clear(&previews->text);
		body_add_preview(&previews->preview, fetch.preview);
		buf_add_span(&previews->text, fetch.preview);
	} else if (previews->step == STEP_STRUCTURE &&
		   previews->structure == NULL) {
		previews->structure = mailbox_read_structure(fetch.structure);
	} else if (previews->step == STEP_SUBJECT) {
		note_subject(previews, &fetch);
	} else if (previews->step == STEP_TEXT) {
		note_text(previews, &fetch);
	} else if (previews->step == STEP_CONTENT) {
		note_content(previews, &fetch);
	}
}

void
mailbox_preview_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct previews *previews = mb->previews;

	(void)response; /* whether it was refused, or says nothing, is the same
			 */
	imap_session_set_literal_max(mb->session, MAILBOX_HEADER_MAX);
	if (previews->step == STEP_SUBJECT ||
	    (previews->step == STEP_PREVIEW && previews->preview.len == 0 &&
		!(previews->is_early && mb->no_structure))) {
		send_fetch(mb, STEP_STRUCTURE, "(UID BODYSTRUCTURE)", now);
	} else if (previews->step == STEP_STRUCTURE) {
		ask_text(mb, now);
	} else {
		answer(mb);
		mailbox_go_on(mb, now);
	}
}
