/*
 * The second round of judging: messages about which a rule is undecided until
 * it has seen the text wait here, and their text parts are fetched, those with
 * the same section in one command:
 *
 *   UID FETCH 7,9 (UID BODY.PEEK[1.1]<0.98304>)
 *
 * Nothing of them is written before they are judged. When the link breaks
 * meanwhile, the cursor still stands in front of them, and all is asked again.
 */
#include <assert.h>

#include "daemon/account/mailbox_private.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/body.h"

/* ---- what is known without asking ---- */

static void
give_structure(struct mailbox *mb, struct candidate *candidate)
{
	candidate->structure = NEW(struct structure);
	structure_init(candidate->structure);
	if (mb->told_structure && (!mb->bare || mb->no_structure))
		return;
	mb->told_structure = true;
	mailbox_report(mb, REPORT_WARNING, candidate->uid,
	    "the server does not tell what parts this message has: rules see "
	    "no attachment and no text in it");
}

static void
give_empty_body(struct candidate *candidate)
{
	buf_done(&candidate->body);
	candidate->has_body = true;
}

/* Each round gives what was wanted, so that it is not wanted again. */
bool
mailbox_body_judge(struct mailbox *mb, struct candidate *candidate, usec_t now)
{
	while (mailbox_judge(mb, candidate, now) != 0) {
		if (candidate->structure == NULL)
			give_structure(mb, candidate);
		else if (structure_find_text(candidate->structure) != NULL)
			return false;
		else
			give_empty_body(candidate);
	}
	return true;
}

/* ---- those that wait ---- */

static struct candidate *
candidate_at(const struct list_link *pos)
{
	return LIST_ITEM(pos, struct candidate, link);
}

size_t
mailbox_body_bytes(const struct mailbox *mb)
{
	return mb->reading != NULL ? mb->reading->bytes : 0;
}

bool
mailbox_body_has_room(
    const struct mailbox *mb, const struct candidate *candidate)
{
	return mailbox_body_bytes(mb) + candidate->bytes <= MAILBOX_READING_MAX;
}

bool
mailbox_body_is_awaited(const struct mailbox *mb)
{
	return mb->reading != NULL && !list_is_empty(&mb->reading->waiting);
}

void
mailbox_body_wait(struct mailbox *mb, struct candidate **candidate)
{
	if (mb->reading == NULL) {
		mb->reading = NEW(struct reading);
		list_init(&mb->reading->waiting);
	}
	mb->reading->bytes += (*candidate)->bytes;
	list_add(&mb->reading->waiting, &(*candidate)->link);
	*candidate = NULL;
}

static void
forget(struct reading *reading, struct candidate *candidate)
{
	reading->bytes -= candidate->bytes;
	mailbox_candidate_free(&candidate);
}

static void
end_command(struct reading *reading)
{
	imap_seqset_done(&reading->asked);
	imap_seqset_done(&reading->seen);
	free(reading->section);
	reading->section = NULL;
}

void
mailbox_body_clear(struct mailbox *mb)
{
	struct reading *reading = mb->reading;

	if (reading == NULL)
		return;
	mb->reading = NULL;
	LIST_EACH(pos, &reading->waiting)
	forget(reading, candidate_at(pos));
	end_command(reading);
	free(reading);
}

static struct candidate *
find_asked(const struct reading *reading, uint32_t uid)
{
	if (!imap_seqset_has(&reading->asked, uid))
		return NULL;
	LIST_EACH(pos, &reading->waiting)
	{
		if (candidate_at(pos)->uid == uid)
			return candidate_at(pos);
	}
	return NULL;
}

/* Structure and text are there: nothing is wanted any more. */
static void
judge_at_last(struct mailbox *mb, struct candidate *candidate, usec_t now)
{
	bool judged = mailbox_body_judge(mb, candidate, now);

	assert(judged);
	(void)judged;
}

void
mailbox_body_judge_without(
    struct mailbox *mb, struct candidate *candidate, usec_t now)
{
	mailbox_report(mb, REPORT_WARNING, candidate->uid,
	    "the server did not give the text of this message: rules see none");
	give_empty_body(candidate);
	judge_at_last(mb, candidate, now);
}

/* ---- asking ---- */

static const char *
section_of(const struct candidate *candidate)
{
	return structure_find_text(candidate->structure)->section;
}

/* Of the first that waits, and all with the same section. */
static void
gather(struct mailbox *mb)
{
	struct reading *reading = mb->reading;
	size_t count = 0;

	reading->section =
	    xstrdup(section_of(candidate_at(reading->waiting.next)));
	LIST_EACH(pos, &reading->waiting)
	{
		struct candidate *candidate = candidate_at(pos);
		if (count < MAILBOX_GROUP_MAX &&
		    strcmp(section_of(candidate), reading->section) == 0) {
			imap_seqset_add(&reading->asked, candidate->uid);
			count++;
		}
	}
}

static void
send_fetch(struct mailbox *mb, usec_t now)
{
	struct imap_command command;
	BUF_AUTO item = BUF_INIT;

	gather(mb);
	buf_addf(&item, "(UID BODY.PEEK[%s]", mb->reading->section);
	if (!mb->no_partial)
		buf_addf(&item, "<0.%d>", BODY_RAW_MAX);
	buf_add_char(&item, ')');
	mailbox_begin_command(mb, &command, "UID FETCH");
	imap_command_seqset(&command, &mb->reading->asked);
	imap_command_raw(&command, buf_str(&item));
	mailbox_send(mb, &command, now);
}

static void
next(struct mailbox *mb, usec_t now)
{
	mailbox_begin_fn *done = mb->reading->done;

	end_command(mb->reading);
	if (!mailbox_body_is_awaited(mb)) {
		mailbox_body_clear(mb);
		done(mb, now);
	} else if (mb->stale) {
		mb->reading->again(mb, now);
	} else {
		send_fetch(mb, now);
	}
}

void
mailbox_body_begin(struct mailbox *mb, mailbox_begin_fn *done,
    mailbox_begin_fn *again, usec_t now)
{
	mailbox_enter(mb, MAILBOX_READING, now);
	if (!mailbox_body_is_awaited(mb)) {
		done(mb, now);
		return;
	}
	mb->reading->done = done;
	mb->reading->again = again;
	next(mb, now);
}

/* ---- answers ---- */

static bool
is_our_part(const struct reading *reading, const struct imap_fetch *fetch)
{
	return fetch->has_part && fetch->part_origin == 0 &&
	       reading->section != NULL &&
	       span_is(fetch->part_section, reading->section);
}

void
mailbox_body_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct reading *reading = mb->reading;
	struct imap_fetch fetch;

	if (!imap_fetch_parse(response, &fetch) || mb->stale)
		return;
	struct candidate *candidate = find_asked(reading, fetch.uid);
	if (candidate == NULL)
		return;
	imap_seqset_add(&reading->seen, fetch.uid);
	if (!is_our_part(reading, &fetch))
		return; /* news about flags, or all it has to say */
	body_add_text(&candidate->body, span_slice(fetch.part, 0, BODY_RAW_MAX),
	    structure_find_text(candidate->structure));
	candidate->has_body = true;
	judge_at_last(mb, candidate, now);
	forget(reading, candidate);
}

/* Those of the command that still wait: are they there at all? */
static bool
look(struct mailbox *mb, usec_t now)
{
	struct reading *reading = mb->reading;
	struct imap_command command;
	struct imap_seqset rest = IMAP_SEQSET_INIT;

	LIST_EACH(pos, &reading->waiting)
	{
		uint32_t uid = candidate_at(pos)->uid;
		if (imap_seqset_has(&reading->asked, uid) &&
		    !imap_seqset_has(&reading->seen, uid))
			imap_seqset_add(&rest, uid);
	}
	if (rest.count == 0)
		return false;
	free(reading->section);
	reading->section = NULL;
	mailbox_begin_command(mb, &command, "UID FETCH");
	imap_command_seqset(&command, &rest);
	imap_command_raw(&command, "(UID FLAGS)");
	imap_seqset_done(&rest);
	mailbox_send(mb, &command, now);
	return true;
}

/* Without their text, because the server would not give it; those that it
 * does not know any more are gone. */
static void
judge_rest(struct mailbox *mb, bool all, usec_t now)
{
	struct reading *reading = mb->reading;

	LIST_EACH(pos, &reading->waiting)
	{
		struct candidate *candidate = candidate_at(pos);
		uint32_t uid = candidate->uid;
		if (!imap_seqset_has(&reading->asked, uid))
			continue;
		if (all || imap_seqset_has(&reading->seen, uid))
			mailbox_body_judge_without(mb, candidate, now);
		forget(reading, candidate);
	}
}

/* So often in a row, for those kinds that pass. What is broken over there
 * mostly stays so, and all that is younger waits meanwhile. */
static const unsigned put_off_max[IMAP_REFUSAL_KINDS] = {
    [IMAP_REFUSAL_UNAVAILABLE] = 5,
    [IMAP_REFUSAL_LIMIT] = 5,
    [IMAP_REFUSAL_SERVER] = 1,
};

bool
mailbox_put_off(struct mailbox *mb, const struct imap_response *response,
    bool simplest, usec_t now)
{
	enum imap_refusal_kind kind = imap_refusal_read(response, false).kind;
	struct error error = ERROR_INIT;
	BUF_AUTO text = BUF_INIT;

	if (response->status == IMAP_OK || mb->put_off >= put_off_max[kind] ||
	    (kind == IMAP_REFUSAL_SERVER && !simplest))
		return false;
	mb->put_off++;
	str_sanitize(&text, response->text, 200);
	error_set(&error, FAULT_RETRY,
	    "the server cannot give new messages now: %s", buf_str(&text));
	mailbox_login_note(mb, response);
	mailbox_fail(mb, &error, now);
	return true;
}

/* Refused, or answered with nothing: some servers give whole parts only. */
static bool
is_without_parts(const struct mailbox *mb, const struct imap_response *response)
{
	const struct reading *reading = mb->reading;

	LIST_EACH(pos, &reading->waiting)
	{
		uint32_t uid = candidate_at(pos)->uid;
		if (imap_seqset_has(&reading->asked, uid) &&
		    (response->status != IMAP_OK ||
			imap_seqset_has(&reading->seen, uid)))
			return true;
	}
	return false;
}

void
mailbox_body_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	bool looked = mb->reading->section == NULL;

	if (!mb->stale &&
	    mailbox_put_off(mb, response, looked || mb->no_partial, now))
		return;
	if (!mb->stale && !looked && !mb->no_partial &&
	    is_without_parts(mb, response)) {
		mb->no_partial = true;
		next(mb, now);
		return;
	}
	if (!mb->stale) {
		if (!looked && look(mb, now))
			return;
		judge_rest(mb, looked && response->status != IMAP_OK, now);
	}
	next(mb, now);
}
