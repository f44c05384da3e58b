/*
 * Intents of an earlier life: was it done before the link broke or the daemon
 * died? A MOVE is answered by the UID: gone or still here. A copy has to be
 * found in its target.
 *
 * A server may go on with a COPY whose connection is gone, and copy while the
 * next connection looks for it. Where nothing is found it is looked for again,
 * until so much time has passed since that connection was made that no server
 * still works at it; the other messages go on meanwhile. When the copy was
 * begun does not help: what was sent may have arrived much later, and clocks
 * change. A look that the server refuses is none: it is put off like any other
 * action, and what was begun stays so. One that only SEARCH is refused for is
 * made by FETCH. A mailbox that shares its connection does not begin anew with
 * each visit.
 */
#include "daemon/account/mailbox_private.h"

#include <stdlib.h>

#include "daemon/base/xalloc.h"

/* Waits before the second look and the third, which is the last: what is not
 * there then is finished, or will not be ... */
static const usec_t look_waits[] = {5 * USEC_SEC, 25 * USEC_SEC};
#define LOOKS_AGAIN (sizeof(look_waits) / sizeof(look_waits[0]))
/* ... and of a group, so much later for each message in it. */
#define SURE_EACH_USEC (100 * USEC_MSEC)

/* By what the journal says of it: a server that has MOVE now may have had, or
 * shown, none when it was begun. */
bool
mailbox_verify_by_uid(const struct mailbox *mb, const struct job_action *action)
{
	return action->target_next == 0 && mailbox_can(mb, IMAP_CAP_MOVE);
}

static void
looked_at(struct mailbox *mb, struct job *job, usec_t now)
{
	struct job_action *action = mailbox_job_current(job);

	job->checked = imap_seqset_has(&mb->op->seen, job->key.uid);
	if (!job->checked) {
		mailbox_settle(mb, job, action, EFFECT_DONE,
		    "was done before the interruption", now);
	} else if (mailbox_verify_by_uid(mb, action)) {
		action->verify = false;
		action->state = EFFECT_PLANNED;
	} else {
		mb->op->found = true;
	}
}

/* Verifying moves of an earlier life: present means that it was not done, or,
 * without MOVE, that the copy may be there and the original too. */
void
mailbox_verify_looked(struct mailbox *mb, usec_t now)
{
	mb->op->found = false;
	for (size_t i = 0; i < mb->op->count; i++) {
		struct job *job = mb->op->jobs[i];
		if (mailbox_op_has(mb, job))
			looked_at(mb, job, now);
	}
	if (!mb->op->found) {
		mailbox_op_finish(mb, now);
		return;
	}
	mb->op->found = false;
	mb->op->elsewhere = true;
	mailbox_op_send_target(mb, OP_EXAMINE, "EXAMINE", now);
}

/* ---- looking for a copy of an earlier life ---- */

/* Messages of the same size that are looked at: the last ones. */
#define CANDIDATES_MAX 50
/* A target with so many messages is searched as a whole for just this size: one
 * line of UIDs must fit into IMAP_LINE_MAX. */
#define WIDE_MAX 5000

/*
 * RFC 9051 section 6.4.4: about the same size, and no UID that the target had
 * before the copy was begun (`n:*` may give the last message though it is below
 * n: note_found looks again).
 *
 * Courier compares what LARGER and SMALLER say with the bytes of its file,
 * where lines may end without CR: half of a message at most. The size that it
 * tells is exact.
 *
 * Where it is not known what the target had before, about this size may be all
 * of it, years of mail: then it is just this size. (Courier tells UIDNEXT.) One
 * whose size is not known either is looked for among the last messages.
 */
static bool
is_wide(const struct op *op)
{
	return op->target_next > 1 ||
	       (op->target_count > 0 && op->target_count <= WIDE_MAX);
}

static void
add_sizes(struct imap_command *command, uint64_t size, bool is_wide)
{
	if (size == 0) {
		imap_command_raw(command, "ALL");
		return;
	}
	imap_command_raw(command, "LARGER");
	imap_command_number(command, is_wide ? (size - 1) / 2 : size - 1);
	imap_command_raw(command, "SMALLER");
	imap_command_number(command, size + 1);
}

static void
send_search(struct mailbox *mb, usec_t now)
{
	struct job *job = mailbox_op_only(mb);
	struct imap_command command;

	mb->op->step = OP_SEARCH;
	mb->op->target_next = mailbox_job_current(job)->target_next;
	mb->op->around = (struct imap_range){UINT32_MAX, 0};
	imap_seqset_done(&mb->op->seen);
	mailbox_begin_command(mb, &command, "UID SEARCH");
	if (mb->op->target_next > 1)
		buf_addf(&command.text, " UID %u:*", mb->op->target_next);
	else if (job->size == 0 && mb->op->target_count > WIDE_MAX)
		buf_addf(&command.text, " %llu:*",
		    (unsigned long long)mb->op->target_count - WIDE_MAX + 1);
	add_sizes(&command, job->size, is_wide(mb->op));
	mailbox_send(mb, &command, now);
}

static void
come_back(struct mailbox *mb, usec_t now)
{
	mb->op->step = OP_RESELECT;
	mailbox_select(mb, now);
}

void
mailbox_verify_note_target(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	(void)now;
	if (response->has_number && span_is_nocase(response->name, "EXISTS"))
		mb->op->target_count = response->number;
}

/* Who may not look has not seen that there is nothing. */
static void
cannot_look(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	mb->op->blind = true;
	buf_clear(&mb->op->refusal);
	mailbox_refusal_words(response, &mb->op->refusal);
	come_back(mb, now);
}

void
mailbox_verify_examine_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (response->status == IMAP_OK) {
		send_search(mb, now);
	} else if (mailbox_is_for_now(response)) {
		cannot_look(mb, response, now);
	} else {
		/* No such folder: no copy in it. */
		mb->op->absent = true;
		come_back(mb, now);
	}
}

static void
add_candidate(struct imap_seqset *set, uint32_t uid)
{
	imap_seqset_add(set, uid);
	if (imap_seqset_size(set) > CANDIDATES_MAX)
		imap_seqset_drop_below(set, set->ranges[0].first + 1);
}

/* However many are told of, few are kept. */
static void
note_found(struct op *op, uint32_t uid)
{
	if (uid < op->around.first)
		op->around.first = uid;
	if (uid > op->around.last)
		op->around.last = uid;
	add_candidate(&op->seen, uid);
}

void
mailbox_verify_note_found(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	(void)now;
	if (!span_is_nocase(response->name, "SEARCH"))
		return;
	for (size_t i = 0; i < response->count; i++) {
		uint64_t uid = imap_value_number(&response->values[i]);
		if (uid >= mb->op->target_next && uid > 0 && uid < UINT32_MAX)
			note_found(mb->op, (uint32_t)uid);
	}
}

static void
ask_sizes(struct mailbox *mb, usec_t now)
{
	struct imap_command command;

	mb->op->step = OP_SIZES;
	mailbox_begin_command(mb, &command, "UID FETCH");
	buf_addf(
	    &command.text, " %u:%u", mb->op->around.first, mb->op->around.last);
	imap_command_raw(&command, "(UID RFC822.SIZE)");
	mailbox_send(mb, &command, now);
	imap_seqset_done(&mb->op->seen);
}

/* A server that does not search tells the sizes of the last messages: one line
 * each. By their numbers, as `n:*` above the last UID hangs at some (Yahoo). */
static void
ask_last_sizes(struct mailbox *mb, usec_t now)
{
	uint64_t count = mb->op->target_count;
	struct imap_command command;

	imap_seqset_done(&mb->op->seen);
	if (count == 0) {
		come_back(mb, now);
		return;
	}
	mb->op->step = OP_SIZES;
	mailbox_begin_command(mb, &command, "FETCH");
	buf_addf(&command.text, " %llu:*",
	    (unsigned long long)(count > WIDE_MAX ? count - WIDE_MAX + 1 : 1));
	imap_command_raw(&command, "(UID RFC822.SIZE)");
	mailbox_send(mb, &command, now);
}

/* Of the same size: is it the same message? */
static void
compare(struct mailbox *mb, usec_t now)
{
	struct imap_command command;

	if (mb->op->seen.count == 0) {
		come_back(mb, now);
		return;
	}
	mb->op->step = OP_COMPARE;
	mailbox_begin_command(mb, &command, "UID FETCH");
	imap_command_seqset(&command, &mb->op->seen);
	imap_command_raw(&command,
	    "(UID FLAGS "
	    "BODY.PEEK[HEADER.FIELDS (From Subject Message-ID)])");
	mailbox_send(mb, &command, now);
}

void
mailbox_verify_search_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (response->status != IMAP_OK)
		ask_last_sizes(mb, now);
	else if (mb->op->seen.count > 0 && is_wide(mb->op))
		ask_sizes(mb, now);
	else
		compare(mb, now);
}

/* A size that cannot be read (mail.ru: 9.37e+06) tells nothing. */
static bool
has_its_size(const struct job *job, const struct imap_fetch *fetch)
{
	return job->size == 0 || !fetch->has_size || fetch->size == job->size;
}

void
mailbox_verify_note_size(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct imap_fetch fetch;

	(void)now;
	if (imap_fetch_parse(response, &fetch) && fetch.uid != 0 &&
	    fetch.uid >= mb->op->target_next &&
	    has_its_size(mailbox_op_only(mb), &fetch))
		add_candidate(&mb->op->seen, fetch.uid);
}

void
mailbox_verify_sizes_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (response->status != IMAP_OK)
		cannot_look(mb, response, now);
	else
		compare(mb, now);
}

static bool
is_same(const struct job *job, struct message *message)
{
	STR_AUTO from = mailbox_sender(message);
	STR_AUTO clear = NULL;
	STR_AUTO subject = mailbox_subject(message, &clear);

	return span_is(mailbox_message_id(message), job->message_id) &&
	       strcmp(from, job->from) == 0 &&
	       strcmp(subject, job->subject) == 0;
}

void
mailbox_verify_note_header(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct imap_fetch fetch;

	(void)now;
	if (!imap_fetch_parse(response, &fetch) || !fetch.has_header ||
	    !imap_seqset_has(&mb->op->seen, fetch.uid))
		return;
	struct message *message = message_new(fetch.header);
	if (is_same(mailbox_op_only(mb), message)) {
		mb->op->found = true;
		mailbox_claim_note_copy(mb, &fetch);
	}
	message_free(&message);
}

void
mailbox_verify_compare_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (response->status != IMAP_OK && !mb->op->found)
		cannot_look(mb, response, now);
	else
		come_back(mb, now);
}

void
mailbox_verify_reselect_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	(void)now;
	mailbox_read_select(mb, response);
	if (response->has_number && span_is_nocase(response->name, "EXISTS"))
		mb->exists = response->number;
}

/* ---- looking again ---- */

/* Intents that were written down with this one, about. */
static size_t
count_group(const struct mailbox *mb, const struct action *action)
{
	size_t count = 0;

	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		count +=
		    job->next < job->count &&
		    mailbox_job_current(job)->verify &&
		    action_equal(&mailbox_job_current(job)->action, action);
	}
	return count;
}

/* Nothing was found: true, if that may be because it is too early. */
static bool
look_again(struct mailbox *mb, struct job *job, usec_t now)
{
	struct job_action *action = mailbox_job_current(job);
	usec_t each = count_group(mb, &action->action) * SURE_EACH_USEC;

	if (mb->op->absent || action->looks >= LOOKS_AGAIN)
		return false;
	job->not_before = usec_add(now, look_waits[action->looks] + each);
	action->looks++;
	mb->looks_again = true;
	return true;
}

/* Jobs that wait for their next look. */
struct late_looks {
	size_t count;
	struct late_look {
		uint32_t uidvalidity, uid;
		unsigned seq, looks, attempts;
		usec_t not_before;
	} items[MAILBOX_JOBS_MAX];
};

void
mailbox_verify_forget_looks(struct mailbox *mb)
{
	free(mb->late_looks);
	mb->late_looks = NULL;
}

static void
keep_look(struct mailbox *mb, const struct job *job)
{
	const struct job_action *action = &job->actions[job->next];

	if (mb->late_looks == NULL)
		mb->late_looks = NEW(struct late_looks);
	if (mb->late_looks->count == MAILBOX_JOBS_MAX)
		return; /* it begins anew */
	mb->late_looks->items[mb->late_looks->count++] = (struct late_look){
	    .uidvalidity = job->key.uidvalidity,
	    .uid = job->key.uid,
	    .seq = action->seq,
	    .looks = action->looks,
	    .attempts = action->attempts,
	    .not_before = job->not_before,
	};
}

void
mailbox_verify_keep_looks(struct mailbox *mb)
{
	mailbox_verify_forget_looks(mb);
	if (!mb->looks_again)
		return;
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (job->next < job->count && mailbox_job_current(job)->verify)
			keep_look(mb, job);
	}
}

void
mailbox_verify_resume_look(
    struct mailbox *mb, struct job *job, struct job_action *action)
{
	if (mb->late_looks == NULL)
		return;
	for (size_t i = 0; i < mb->late_looks->count; i++) {
		const struct late_look *late = &mb->late_looks->items[i];
		if (late->uid != job->key.uid || late->seq != action->seq ||
		    late->uidvalidity != job->key.uidvalidity)
			continue;
		action->looks = late->looks;
		action->attempts = late->attempts;
		job->not_before = late->not_before;
		mb->looks_again = true;
	}
}

/* It stays begun, and others of the same message wait for it. */
static void
look_later(struct mailbox *mb, struct job *job, usec_t now)
{
	mb->looks_again = true;
	mailbox_job_postpone(mb, job, NULL, buf_str(&mb->op->refusal), now);
	mailbox_op_finish(mb, now);
}

static bool
makes_copy(enum action_kind kind)
{
	return kind == ACTION_COPY ||
	       (kind >= ACTION_MOVE && kind < ACTION_DELETE);
}

usec_t
mailbox_verify_held_until(const struct mailbox *mb, const struct job *job)
{
	const struct job_action *action = &job->actions[job->next];
	usec_t until = 0;

	if (!mb->looks_again || action->verify ||
	    !makes_copy(action->action.kind))
		return 0;
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *other = LIST_ITEM(pos, struct job, link);
		if (other != job && other->next < other->count &&
		    mailbox_job_current(other)->verify &&
		    other->size == job->size && other->not_before > until &&
		    strcmp(other->message_id, job->message_id) == 0)
			until = other->not_before;
	}
	return until;
}

bool
mailbox_verify_is_back(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	mailbox_read_select(mb, response);
	mailbox_assume_validity(mb);
	if (response->status != IMAP_OK ||
	    mb->uidvalidity != mb->cursor_validity) {
		struct error error = ERROR_INIT;
		error_set(&error, FAULT_PEER,
		    "mailbox %s changed while it was out of sight", mb->name);
		mailbox_fail(mb, &error, now);
		return false;
	}
	mb->op->elsewhere = false;
	mb->dirty = mb->newer = true;
	/* Nobody told us what was read meanwhile. */
	mailbox_follow_compare(mb, now);
	return true;
}

void
mailbox_verify_reselect_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct job *job;

	if (!mailbox_verify_is_back(mb, response, now))
		return;
	job = mailbox_op_only(mb);
	if (mb->op->blind) {
		look_later(mb, job, now);
		return;
	}
	if (!mb->op->found && look_again(mb, job, now)) {
		mailbox_op_finish(mb, now);
		return;
	}
	mailbox_job_current(job)->verify = false;
	if (mb->op->found && mailbox_left_is_copy(mailbox_job_current(job)))
		mailbox_job_current(job)->left = true;
	else if (mb->op->found && mb->op->action.kind == ACTION_COPY)
		mailbox_settle(mb, job, mailbox_job_current(job), EFFECT_DONE,
		    "was done before the interruption", now);
	else if (mb->op->found)
		mailbox_job_current(job)->copied = true;
	mailbox_op_finish(mb, now);
}

void
mailbox_verify_begin(struct mailbox *mb, usec_t now)
{
	mb->op->verify = true;
	if (mb->op->action.kind == ACTION_COPY) {
		mb->op->elsewhere = true;
		mailbox_op_send_target(mb, OP_EXAMINE, "EXAMINE", now);
	} else {
		mailbox_move_send_look(mb, now);
	}
}
