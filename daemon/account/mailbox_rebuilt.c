/*
 * The server gave the mailbox another UIDVALIDITY: all that is known by UID is
 * known no more. What was judged must not be judged again, and what came since
 * the last look must not be lost.
 *
 * So the messages of that time are known again by what they are: their header,
 * and size or arrival, against the history (account/recall.h).
 *
 *   UID SEARCH SINCE 16-Nov-2026
 *   UID FETCH 4:9 (UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (...)])
 *
 * Who is in the history stays as it is; an effect that it still waits for goes
 * on under its new UID. Who is not there, and came since then, is judged like
 * any other: before the cursor of the new life is on disk, or with it, so that
 * whoever is killed in between begins anew.
 *
 * Too many are no news but a mailbox that is not known again: they stay as they
 * are, and the person is told.
 */
#include "daemon/account/mailbox_private.h"
#include "daemon/account/undo.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/date.h"

/* Messages that are compared; of more, the newest. */
#define COMPARED_MAX 20000
/* More that are not known are too many: one window. */
#define UNKNOWN_MAX MAILBOX_WINDOW
/* A message that was written so long before it came is old mail that was put
 * there anew, whatever the server says of its arrival. */
#define WRITTEN_BEFORE_SEC (7 * 24 * 60 * 60)
/* SEARCH compares days, in whatever zone. */
#define DAY_SEC (24 * 60 * 60)

void
mailbox_rebuilt_clear(struct mailbox *mb)
{
	struct rebuilt *rebuilt = mb->rebuilt;

	if (rebuilt == NULL)
		return;
	mb->rebuilt = NULL;
	recall_free(&rebuilt->recall);
	imap_seqset_done(&rebuilt->found);
	imap_seqset_done(&rebuilt->asked);
	imap_seqset_done(&rebuilt->late);
	imap_seqset_done(&rebuilt->done);
	mailbox_drop_batch(mb, &rebuilt->batch);
	free(rebuilt);
}

/* Some do it at each SELECT: the person hears of it once a day. */
static void
report_rebuilt(struct mailbox *mb, usec_t now)
{
	BUF_AUTO words = BUF_INIT;

	buf_addf(&words,
	    "the server rebuilt the mailbox (UIDVALIDITY %u, was %u): what was "
	    "judged is not judged again",
	    mb->uidvalidity, mb->cursor_validity);
	if (told_before(&mb->told, SPAN("[UIDVALIDITY]"), now))
		mailbox_warn(mb, "%s", buf_str(&words));
	else
		mailbox_report_to_person(mb, "%s", buf_str(&words));
}

void
mailbox_rebuilt_begin(struct mailbox *mb, usec_t now)
{
	report_rebuilt(mb, now);
	mailbox_left_give_up(mb, now);
	mailbox_rebuilt_clear(mb);
	mb->rebuilt = NEW(struct rebuilt);
	mb->rebuilt->batch = store_batch_new();
	mailbox_enter(mb, MAILBOX_RECALLING, now);
	mailbox_emit_need(mb, MAILBOX_RECALL);
}

/* ---- effects that wait ---- */

/* What a run planned ends with it; what runs outside has its name from the
 * old life. */
static bool
may_go_on(const struct mailbox *mb, const struct job *job)
{
	return job->key.uidvalidity != mb->uidvalidity && !job->running &&
	       job->next < job->count &&
	       job->actions[job->next].seq < STORE_APPLY_SEQ;
}

static int64_t
earliest(const struct mailbox *mb, int64_t since_unix)
{
	LIST_EACH(pos, &mb->jobs)
	{
		const struct job *job = LIST_ITEM(pos, struct job, link);
		if (may_go_on(mb, job) && job->received_unix != 0 &&
		    job->received_unix < since_unix)
			since_unix = job->received_unix;
	}
	return since_unix;
}

/* Of what came since then there may be news. */
static int64_t
since_of(const struct mailbox *mb)
{
	return earliest(mb, recall_since(mb->rebuilt->recall));
}

static bool
is_same(const struct job *job, const struct store_message *message)
{
	bool same_size = job->size == message->size;
	bool same_time = job->received_unix == message->received_unix;

	return strcmp(job->message_id, message->message_id) == 0 &&
	       strcmp(job->from, message->from) == 0 &&
	       strcmp(job->subject, message->subject) == 0 &&
	       (job->message_id[0] != '\0' ? same_size || same_time
					   : same_size && same_time);
}

static struct job *
find_job(const struct mailbox *mb, const struct store_message *message)
{
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (may_go_on(mb, job) && is_same(job, message))
			return job;
	}
	return NULL;
}

/* As it stands, but for what was told by numbers of the old life. */
static void
carry_action(struct mailbox *mb, const struct store_key *from,
    const struct job *job, const struct job_action *action, usec_t now)
{
	BUF_AUTO line = BUF_INIT, gone = BUF_INIT, detail = BUF_INIT;

	mailbox_job_format(job, &action->action, &line);
	buf_addf(&gone, "the server rebuilt the mailbox: it goes on as UID %u",
	    job->key.uid);
	mailbox_intent_detail(&detail, action->claimed, action->target_next);
	if (action->before != NULL)
		undo_format_before(&detail, action->before);
	store_batch_set_effect(mb->rebuilt->batch, from, action->seq,
	    EFFECT_SKIPPED, action->attempts, buf_str(&gone),
	    mailbox_unix(mb, now));
	store_batch_add_effect(
	    mb->rebuilt->batch, &(struct store_effect){
				    .key = job->key,
				    .seq = action->seq,
				    .rule = action->action.rule,
				    .kind = action_name(action->action.kind),
				    .action = buf_str(&line),
				    .state = action->state,
				    .attempts = action->attempts,
				    .detail = buf_str(&detail),
				    .changed_unix = mailbox_unix(mb, now),
				});
}

static void
carry(struct mailbox *mb, struct job *job, uint32_t uid, usec_t now)
{
	const struct store_key from = job->key;
	STRV_AUTO rules = STRV_INIT;

	job->key.uidvalidity = mb->uidvalidity;
	job->key.uid = uid;
	job->modseq = job->guard = 0;
	job->checked = job->gone = false;
	for (size_t i = job->next; i < job->count; i++)
		if (!strv_has(&rules, job->actions[i].action.rule))
			strv_add(&rules, job->actions[i].action.rule);
	STR_AUTO names = strv_join(&rules, " ");
	store_batch_add_message(
	    mb->rebuilt->batch, &(struct store_message){
				    .key = job->key,
				    .message_id = job->message_id,
				    .from = job->from,
				    .subject = job->subject,
				    .size = job->size,
				    .received_unix = job->received_unix,
				    .judged_unix = job->judged_unix,
				    .rules = names,
				});
	for (size_t i = job->next; i < job->count; i++)
		if (job->actions[i].state == EFFECT_PLANNED ||
		    job->actions[i].state == EFFECT_STARTED)
			carry_action(mb, &from, job, &job->actions[i], now);
}

/* ---- the end ---- */

static void
commit_empty(struct mailbox *mb, usec_t now)
{
	struct store_batch *batch = mb->rebuilt->batch;

	mb->rebuilt->batch = NULL;
	mailbox_rebuilt_clear(mb);
	mailbox_sweep_commit(mb, batch, now);
}

static void
finish(struct mailbox *mb, usec_t now)
{
	uint64_t count = imap_seqset_size(&mb->rebuilt->late);
	struct imap_seqset none = IMAP_SEQSET_INIT;

	mailbox_give_up_old(mb, now);
	mailbox_sweep_reset(mb);
	if (count > UNKNOWN_MAX) {
		mailbox_report_to_person(mb,
		    "%llu messages in it are not known, which is too many to "
		    "be news: they stay as they are, and belfryctl apply "
		    "judges them",
		    (unsigned long long)count);
		imap_seqset_done(&mb->rebuilt->late);
		count = 0;
	}
	if (count == 0) {
		commit_empty(mb, now);
		return;
	}
	mailbox_report(mb, REPORT_WARNING, 0,
	    "%llu message%s came before it was rebuilt, and %s not judged: "
	    "judged now",
	    (unsigned long long)count, count == 1 ? "" : "s",
	    count == 1 ? "was" : "were");
	imap_seqset_done(&mb->audit.late);
	mailbox_add_uids(
	    &mb->audit.late, &mb->rebuilt->late, &none, 1, UINT32_MAX);
	mailbox_sweep_begin(mb, now);
}

/* The batch of the late ones begins with what is carried over. */
void
mailbox_rebuilt_give_batch(struct mailbox *mb)
{
	if (mb->rebuilt == NULL || mb->rebuilt->batch == NULL)
		return;
	store_batch_free(&mb->plan);
	mb->plan = mb->rebuilt->batch;
	mb->rebuilt->batch = NULL;
}

void
mailbox_rebuilt_note_judged(struct mailbox *mb, uint32_t uid)
{
	if (mb->rebuilt != NULL)
		imap_seqset_add(&mb->rebuilt->done, uid);
}

/* Rules that changed meanwhile, or much text: some did not fit. */
bool
mailbox_rebuilt_is_over(struct mailbox *mb)
{
	if (mb->rebuilt == NULL)
		return true;
	if (mb->ignored != 0 && mb->judged > 0)
		mailbox_add_uids(&mb->audit.late, &mb->rebuilt->late,
		    &mb->rebuilt->done, 1, UINT32_MAX);
	if (mb->audit.late.count > 0)
		return false;
	mailbox_rebuilt_clear(mb);
	return true;
}

/* ---- comparing ---- */

static bool
is_after(const struct mailbox *mb, struct message *message, int64_t received)
{
	int64_t since = recall_since(mb->rebuilt->recall), written;

	if (since == RECALL_NEVER)
		return false;
	if (date_parse(message_raw(message, "Date", 0), &written)) {
		if (written < since - WRITTEN_BEFORE_SEC)
			return false;
		if (received == 0)
			received = written;
	}
	return received == 0 || received >= since;
}

void
mailbox_rebuilt_note_message(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct rebuilt *rebuilt = mb->rebuilt;
	struct imap_fetch fetch;

	if (!imap_fetch_parse(response, &fetch) || !fetch.has_header ||
	    !imap_seqset_has(&rebuilt->asked, fetch.uid) ||
	    imap_seqset_has(&rebuilt->done, fetch.uid))
		return;
	imap_seqset_add(&rebuilt->done, fetch.uid);
	struct message *message = message_new(fetch.header);
	STR_AUTO id = xstrdup_span(mailbox_message_id(message));
	STR_AUTO from = mailbox_sender(message);
	STR_AUTO clear = NULL;
	STR_AUTO subject = mailbox_subject(message, &clear);
	const struct store_message row = {
	    .message_id = id,
	    .from = from,
	    .subject = subject,
	    .size = fetch.size,
	    .received_unix = fetch.internaldate_unix,
	};
	struct job *job = find_job(mb, &row);
	if (job != NULL)
		carry(mb, job, fetch.uid, now);
	else if (!recall_has(rebuilt->recall, &row) &&
		 is_after(mb, message, fetch.internaldate_unix))
		imap_seqset_add(&rebuilt->late, fetch.uid);
	message_free(&message);
}

/* Moves up to MAILBOX_GROUP_MAX of them. */
static void
take_group(struct imap_seqset *from, struct imap_seqset *group)
{
	struct imap_seqset rest = IMAP_SEQSET_INIT;
	size_t count = 0;

	for (size_t i = 0; i < from->count; i++)
		for (uint64_t uid = from->ranges[i].first;
		     uid <= from->ranges[i].last; uid++)
			imap_seqset_add(
			    count++ < MAILBOX_GROUP_MAX ? group : &rest,
			    (uint32_t)uid);
	imap_seqset_done(from);
	*from = rest;
}

static void
compare_next(struct mailbox *mb, usec_t now)
{
	struct rebuilt *rebuilt = mb->rebuilt;
	struct imap_command command;

	imap_seqset_done(&rebuilt->asked);
	take_group(&rebuilt->found, &rebuilt->asked);
	if (rebuilt->asked.count == 0) {
		imap_seqset_done(&rebuilt->done);
		finish(mb, now);
		return;
	}
	mailbox_enter(mb, MAILBOX_MATCHING, now);
	mailbox_begin_command(mb, &command, "UID FETCH");
	imap_command_seqset(&command, &rebuilt->asked);
	imap_command_raw(&command,
	    "(UID INTERNALDATE RFC822.SIZE "
	    "BODY.PEEK[HEADER.FIELDS (From Subject Message-ID Date)])");
	mailbox_send(mb, &command, now);
}

/* Refused: they stay as they are, rather than that no news are heard of. */
void
mailbox_rebuilt_matched(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (response->status != IMAP_OK &&
	    mailbox_put_off(mb, response, true, now))
		return;
	if (response->status != IMAP_OK)
		mailbox_report_to_person(mb,
		    "the server refused to tell which messages came before it "
		    "was rebuilt: they stay as they are, and belfryctl apply "
		    "judges them");
	compare_next(mb, now);
}

void
mailbox_rebuilt_note_found(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	(void)now;
	imap_search_parse(response, &mb->rebuilt->found);
}

/* The newest of those that are below `end`. */
static void
take_last(struct imap_seqset *to, const struct imap_seqset *from, uint32_t end)
{
	uint64_t skip = 0;

	for (size_t i = 0; i < from->count; i++)
		skip += imap_range_size(from->ranges[i]);
	skip = skip > COMPARED_MAX ? skip - COMPARED_MAX : 0;
	for (size_t i = 0; i < from->count; i++) {
		uint64_t size = imap_range_size(from->ranges[i]);
		if (size <= skip) {
			skip -= size;
			continue;
		}
		for (uint64_t uid = from->ranges[i].first + skip;
		     uid <= from->ranges[i].last && uid < end; uid++)
			imap_seqset_add(to, (uint32_t)uid);
		skip = 0;
	}
}

/* What comes from now on has its turn by the cursor. A server that does not
 * search is asked for all. */
static void
bound_found(struct mailbox *mb, bool knows)
{
	struct imap_seqset *found = &mb->rebuilt->found;
	struct imap_seqset all = IMAP_SEQSET_INIT, last = IMAP_SEQSET_INIT;
	BUF_AUTO text = BUF_INIT;

	buf_addf(&text, "1:%u", mb->uidnext - 1);
	if (!knows && imap_seqset_parse(buf_span(&text), &all)) {
		imap_seqset_done(found);
		*found = all;
	}
	take_last(&last, found, mb->uidnext);
	imap_seqset_done(found);
	*found = last;
}

void
mailbox_rebuilt_searched(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	/* Of more, the newest. */
	if (imap_seqset_size(&mb->rebuilt->found) < COMPARED_MAX &&
	    mailbox_sweep_search_goes_on(
		mb, response, since_of(mb) - DAY_SEC, now))
		return;
	bound_found(mb, response->status == IMAP_OK);
	compare_next(mb, now);
}

void
mailbox_recalled(struct mailbox *mb, struct recall **recall, usec_t now)
{
	if (mb->state != MAILBOX_RECALLING) {
		recall_free(recall);
		return;
	}
	mb->rebuilt->recall = *recall;
	*recall = NULL;
	if (since_of(mb) == RECALL_NEVER || mb->uidnext <= 1) {
		finish(mb, now);
		return;
	}
	mailbox_enter(mb, MAILBOX_TRACING, now);
	mailbox_sweep_search_since(mb, since_of(mb) - DAY_SEC, now);
}
