/*
 * Questions of people: what the rules say of one message. Nothing is changed
 * and nothing remembered.
 */
#include "daemon/account/mailbox_private.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/body.h"

void
mailbox_explained_free(struct mailbox_explained **explained)
{
	struct mailbox_explained *old = *explained;

	if (old == NULL)
		return;
	*explained = NULL;
	trace_done(&old->trace);
	plan_done(&old->plan);
	message_free(&old->message);
	strv_done(&old->flags);
	free(old);
}

bool
mailbox_explain(struct mailbox *mb, uint32_t uid, usec_t now)
{
	if (mb->questions == NULL)
		mb->questions = NEW(struct questions);
	if (mb->questions->count == MAILBOX_QUESTIONS_MAX)
		return false;
	mb->questions->uids[mb->questions->count++] = uid;
	mailbox_wake(mb, now);
	return true;
}

bool
mailbox_explain_is_asked(const struct mailbox *mb)
{
	return mb->questions != NULL && mb->questions->count > 0;
}

void
mailbox_explain_free(struct mailbox *mb)
{
	if (mb->questions != NULL)
		mailbox_candidate_free(&mb->questions->came);
	free(mb->questions);
	mb->questions = NULL;
}

static void
forget_question(struct questions *questions, size_t index)
{
	uint32_t *uids = questions->uids;

	questions->count--;
	memmove(&uids[index], &uids[index + 1],
	    (questions->count - index) * sizeof(*uids));
}

void
mailbox_explain_cancel(struct mailbox *mb, uint32_t uid)
{
	/* The one under way is answered, and nobody listens. */
	size_t first = mb->state == MAILBOX_EXPLAINING ? 1 : 0;
	struct questions *questions = mb->questions;

	for (size_t i = first; questions != NULL && i < questions->count; i++) {
		if (questions->uids[i] == uid) {
			forget_question(questions, i);
			return;
		}
	}
}

static void
answer(struct mailbox *mb, struct mailbox_explained *explained)
{
	explained->uid = mb->questions->uids[0];
	forget_question(mb->questions, 0);
	mailbox_emit(mb, (struct mailbox_event){.kind = MAILBOX_EXPLAINED,
			     .explained = explained});
}

void
mailbox_explain_fail(struct mailbox *mb, const struct error *error)
{
	while (mailbox_explain_is_asked(mb)) {
		struct mailbox_explained *explained =
		    NEW(struct mailbox_explained);
		explained->error = *error;
		answer(mb, explained);
	}
}

/* ---- the message ---- */

static void
send_fetch(struct mailbox *mb, usec_t now)
{
	struct imap_command command;

	mailbox_begin_command(mb, &command, "UID FETCH");
	imap_command_number(&command, mb->questions->uids[0]);
	mailbox_add_fetch_items(mb, &command);
	mailbox_send(mb, &command, now);
}

bool
mailbox_explain_begin(struct mailbox *mb, usec_t now)
{
	if (!mailbox_explain_is_asked(mb))
		return false;
	mailbox_enter(mb, MAILBOX_EXPLAINING, now);
	mailbox_candidate_free(&mb->questions->came);
	mb->questions->reads = false;
	mb->bare = mb->no_structure;
	send_fetch(mb, now);
	return true;
}

static void
note_text(struct candidate *candidate, const struct imap_fetch *fetch)
{
	const struct part *part = structure_find_text(candidate->structure);

	if (!fetch->has_part || fetch->part_origin != 0 ||
	    !span_is(fetch->part_section, part->section))
		return;
	body_add_text(
	    &candidate->body, span_slice(fetch->part, 0, BODY_RAW_MAX), part);
	candidate->has_body = true;
}

void
mailbox_explain_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct imap_fetch fetch;

	(void)now;
	if (!imap_fetch_parse(response, &fetch) ||
	    fetch.uid != mb->questions->uids[0])
		return;
	if (mb->questions->reads) {
		note_text(mb->questions->came, &fetch);
		return;
	}
	if (!fetch.has_header)
		return;
	mailbox_candidate_free(&mb->questions->came);
	mb->questions->came = mailbox_candidate_new(&fetch);
	mailbox_meet_sender(mb, mb->questions->came);
	mailbox_unmeet_sender(mb, mb->questions->came);
}

/* ---- the answer ---- */

static void
ask_text(struct mailbox *mb, usec_t now)
{
	const struct part *part =
	    structure_find_text(mb->questions->came->structure);
	struct imap_command command;
	BUF_AUTO item = BUF_INIT;

	mb->questions->reads = true;
	buf_addf(
	    &item, "(UID BODY.PEEK[%s]<0.%d>)", part->section, BODY_RAW_MAX);
	mailbox_begin_command(mb, &command, "UID FETCH");
	imap_command_number(&command, mb->questions->uids[0]);
	imap_command_raw(&command, buf_str(&item));
	mailbox_send(mb, &command, now);
}

/* What is wanted and not there is given, empty where nobody has it; true: its
 * text was asked for. */
static bool
fill(struct mailbox *mb, usec_t now)
{
	struct candidate *candidate = mb->questions->came;

	if (candidate->structure == NULL) {
		candidate->structure = NEW(struct structure);
		structure_init(candidate->structure);
		return false;
	}
	if (!mb->questions->reads &&
	    structure_find_text(candidate->structure) != NULL) {
		ask_text(mb, now);
		return true;
	}
	candidate->has_body = true;
	return false;
}

static void
judge(struct mailbox *mb, usec_t now)
{
	struct candidate *candidate = mb->questions->came;
	struct mailbox_explained *explained;

	for (;;) {
		const struct facts facts = mailbox_facts(mb, candidate, now);
		explained = NEW(struct mailbox_explained);
		rules_explain(
		    mb->rules, &facts, &explained->plan, &explained->trace);
		if (explained->plan.wants == 0)
			break;
		mailbox_explained_free(&explained);
		if (fill(mb, now))
			return;
	}
	explained->message = candidate->message;
	candidate->message = NULL;
	explained->size = candidate->size;
	explained->received_unix = candidate->received_unix;
	explained->flags = candidate->flags;
	candidate->flags = (struct strv)STRV_INIT;
	mailbox_candidate_free(&mb->questions->came);
	answer(mb, explained);
	mailbox_go_on(mb, now);
}

static void
refuse(struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct mailbox_explained *explained = NEW(struct mailbox_explained);
	BUF_AUTO text = BUF_INIT;

	str_sanitize(&text, response->text, 200);
	if (response->status == IMAP_OK)
		error_set(&explained->error, FAULT_PEER,
		    "there is no message with UID %u in %s",
		    mb->questions->uids[0], mb->name);
	else
		error_set(&explained->error, FAULT_PEER,
		    "the server refused the message: %s", buf_str(&text));
	answer(mb, explained);
	mailbox_go_on(mb, now);
}

void
mailbox_explain_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (mb->questions->reads && mailbox_is_for_now(response) &&
	    response->status != IMAP_OK)
		refuse(mb, response, now);
	else if (mb->questions->came != NULL)
		judge(mb, now);
	else if (mailbox_fetch_bare(mb) ||
		 (response->status == IMAP_BAD && mailbox_fetch_less(mb)))
		send_fetch(mb, now);
	else
		refuse(mb, response, now);
}
