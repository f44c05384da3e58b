/*
 * Commits, one at a time and in their order; the store is read only when all
 * of them are written.
 */
#include <assert.h>

#include "daemon/account/mailbox_private.h"
#include "daemon/base/xalloc.h"

/* Of a visitor that leaves: how often a write that fails is tried. */
#define LAST_TRIES 5

static struct mailbox_commit *
first_commit(struct mailbox *mb)
{
	return LIST_ITEM(mb->commits.next, struct mailbox_commit, link);
}

static void
free_commit(struct mailbox_commit *commit)
{
	list_remove(&commit->link);
	store_batch_free(&commit->batch);
	free(commit);
}

static void
free_first(struct mailbox *mb)
{
	free_commit(LIST_ITEM(
	    list_take_first(&mb->commits), struct mailbox_commit, link));
}

static bool
take_back_hit(void *ctx, const char *rule, int64_t when_unix)
{
	limits_take_back(ctx, rule, when_unix);
	return true;
}

/* They were noted when they were planned, so that the next message of the
 * same batch counts on them. */
void
mailbox_drop_batch(struct mailbox *mb, struct store_batch **batch)
{
	if (*batch != NULL && mb->limits != NULL)
		store_batch_each_hit(*batch, take_back_hit, mb->limits);
	if (*batch != NULL && mb->config->arrivals != NULL)
		arrivals_drop(mb->config->arrivals, *batch);
	store_batch_free(batch);
}

static void
drop_commit(struct mailbox *mb, struct mailbox_commit *commit)
{
	mb->audit.is_doubtful |= commit->purpose == COMMIT_PLAN ||
				 commit->purpose == COMMIT_FORGOTTEN;
	mailbox_drop_batch(mb, &commit->batch);
	free_commit(commit);
}

/* Hands out the first commit of the queue, if none is under way. */
static void
hand_out_commit(struct mailbox *mb)
{
	if (mb->commit_pending || list_is_empty(&mb->commits))
		return;
	mailbox_emit(mb, (struct mailbox_event){.kind = MAILBOX_COMMIT,
			     .batch = first_commit(mb)->batch});
	mb->commit_pending = true;
}

void
mailbox_commit(
    struct mailbox *mb, enum commit_purpose purpose, struct store_batch *batch)
{
	struct mailbox_commit *commit = NEW(struct mailbox_commit);

	commit->purpose = purpose;
	commit->batch = batch;
	mb->plans_made += purpose == COMMIT_PLAN;
	mb->intents_made += purpose == COMMIT_STARTED;
	list_add(&mb->commits, &commit->link);
	hand_out_commit(mb);
}

/* Plans are written in their order. */
bool
mailbox_is_written(const struct mailbox *mb, const struct job *job)
{
	return job->plan <= mb->plans_written;
}

bool
mailbox_may_be_written(const struct mailbox *mb, const struct job *job)
{
	if (mailbox_is_written(mb, job))
		return true;
	return mb->commit_pending && job->plan == mb->plans_written + 1 &&
	       LIST_ITEM(mb->commits.next, struct mailbox_commit, link)
		       ->purpose == COMMIT_PLAN;
}

bool
mailbox_has_many_outcomes(const struct mailbox *mb)
{
	return mb->outcomes != NULL &&
	       store_batch_count(mb->outcomes) >= MAILBOX_OUTCOMES_MAX;
}

/* All that may be found out again (store.h); who adds what may not says so. */
struct store_batch *
mailbox_outcomes(struct mailbox *mb)
{
	if (mb->outcomes == NULL) {
		mb->outcomes = store_batch_new();
		store_batch_set_lazy(mb->outcomes, true);
	}
	return mb->outcomes;
}

void
mailbox_flush_outcomes(struct mailbox *mb)
{
	if (mb->outcomes == NULL)
		return;
	mailbox_commit(mb, COMMIT_OUTCOME, mb->outcomes);
	mb->outcomes = NULL;
	mb->outcomes_wait = false;
}

/* A thousand notifications end at once: those that come while one is written
 * are one transaction, and one sync of the disk. */
void
mailbox_flush_outcomes_together(struct mailbox *mb)
{
	mb->outcomes_wait = mb->commit_pending && !mb->leaves;
	if (!mb->outcomes_wait)
		mailbox_flush_outcomes(mb);
}

static void
flush_waiting_outcomes(struct mailbox *mb)
{
	if (mb->outcomes_wait && !mb->commit_pending)
		mailbox_flush_outcomes(mb);
}

/* Plans and intents that were not handed out yet are forgotten; one that was
 * will be answered, and its answer means nothing any more. Outcomes stay:
 * what was done was done. */
void
mailbox_forget_commits(struct mailbox *mb)
{
	LIST_EACH(pos, &mb->commits)
	{
		struct mailbox_commit *commit =
		    LIST_ITEM(pos, struct mailbox_commit, link);
		if (commit->purpose == COMMIT_OUTCOME)
			continue;
		if (mb->commit_pending && commit == first_commit(mb))
			commit->purpose = COMMIT_FORGOTTEN;
		else
			drop_commit(mb, commit);
	}
	mailbox_drop_batch(mb, &mb->plan);
	mb->plans_made = mb->plans_written = 0;
	mb->intents_made = mb->intents_written = 0;
}

/* The store is read only when everything that was on its way is there. */
static void
ask_to_load(struct mailbox *mb)
{
	if (mb->state == MAILBOX_LOADING && !mb->load_asked &&
	    list_is_empty(&mb->commits)) {
		mb->load_asked = true;
		mailbox_emit_need(mb, MAILBOX_LOAD);
	}
}

void
mailbox_begin_load(struct mailbox *mb, usec_t now)
{
	mailbox_enter(mb, MAILBOX_LOADING, now);
	mailbox_login_anew(mb);
	mb->load_asked = false;
	hand_out_commit(mb); /* an outcome that could not be written */
	ask_to_load(mb);
}

static bool
know_sender(void *ctx, const char *address, int64_t last_unix)
{
	senders_add(ctx, span_from_str(address), last_unix);
	return true;
}

/* Also of a plan whose connection has ended: its messages are not judged
 * again. */
void
mailbox_know_senders(struct mailbox *mb, const struct store_batch *batch)
{
	if (mb->config->arrivals != NULL)
		arrivals_note(mb->config->arrivals, batch);
	if (mb->config->senders != NULL)
		store_batch_each_sender(
		    batch, know_sender, mb->config->senders);
}

/* The intent or plan is not on disk: nothing of it may happen. An outcome is
 * tried again at the next begin_load. */
static void
commit_failed(struct mailbox *mb, const struct error *error, usec_t now)
{
	struct error failure = ERROR_INIT;

	if (first_commit(mb)->purpose != COMMIT_OUTCOME)
		drop_commit(mb, first_commit(mb));
	error_set(&failure, FAULT_LOCAL, "journal: %s", error->text);
	mailbox_fail(mb, &failure, now);
}

/* Not before what runs for it has ended, and is written. */
static void
leave_if_done(struct mailbox *mb)
{
	if (!list_is_empty(&mb->commits) || !list_is_empty(&mb->tasks) ||
	    mb->has_left)
		return;
	mb->has_left = true;
	mailbox_emit_need(mb, MAILBOX_LEFT);
}

void
mailbox_say_left(struct mailbox *mb)
{
	mb->leaves = true;
	hand_out_commit(mb); /* an outcome that could not be written */
	leave_if_done(mb);
}

/* An outcome that cannot be written, though it is tried again, is found out by
 * looking, by whoever comes here next: so the end of the run behind it is not
 * written, either, else nobody would come. */
static void
write_last(struct mailbox *mb, bool ok)
{
	if (ok) {
		mailbox_know_senders(mb, first_commit(mb)->batch);
		free_first(mb);
	} else if (++mb->last_tries >= LAST_TRIES) {
		mailbox_drop_commits(mb);
	}
	hand_out_commit(mb);
	mailbox_backlog_written(mb);
	leave_if_done(mb);
}

void
mailbox_committed(
    struct mailbox *mb, bool ok, const struct error *error, usec_t now)
{
	assert(mb->commit_pending && !list_is_empty(&mb->commits));
	enum commit_purpose purpose = first_commit(mb)->purpose;

	mb->commit_pending = false;
	if (mb->leaves) {
		write_last(mb, ok);
		return;
	}
	if (!ok) {
		commit_failed(mb, error, now);
		return;
	}
	mailbox_know_senders(mb, first_commit(mb)->batch);
	free_first(mb);
	mb->plans_written += purpose == COMMIT_PLAN;
	mb->intents_written += purpose == COMMIT_STARTED;
	if (purpose == COMMIT_PLAN)
		mb->put_off = 0;
	if (purpose == COMMIT_PLAN)
		mailbox_sweep_committed(mb, now);
	else if (purpose == COMMIT_STARTED)
		mailbox_act_committed(mb, now);
	else if (purpose == COMMIT_FORGOTTEN)
		mailbox_emit_need(
		    mb, MAILBOX_QUEUED); /* it may have been a forward */
	hand_out_commit(mb);
	flush_waiting_outcomes(mb);
	mailbox_backlog_written(mb);
	ask_to_load(mb);
}

void
mailbox_drop_commits(struct mailbox *mb)
{
	while (!list_is_empty(&mb->commits))
		drop_commit(mb, LIST_ITEM(list_take_first(&mb->commits),
				    struct mailbox_commit, link));
}
