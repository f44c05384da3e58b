#include "daemon/wiring/journal.h"

#include <assert.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/loop/lane.h"

_Static_assert(LANE_GROUP_MAX <= STORE_GROUP_MAX, "a group is one transaction");

struct journal {
	struct store *store;
	struct lane *lane;
	struct list_link entries;   /* struct entry::link, in their order */
	size_t asked;		    /* of these: whose fn waits */
	enum journal_health health; /* after the last batch */
	char *trouble;		    /* owned; NULL: none */
	journal_health_fn *tell;    /* NULL: nobody wants to know */
	void *tell_ctx;
};

/* One batch, or one prune. */
struct entry {
	struct lane_job job; /* the head */
	struct list_link link;
	const struct store_batch *batch; /* NULL: prune */
	struct store_batch *own;	 /* the same, if it is ours */
	int64_t prune_before;
	journal_fn *fn; /* NULL: nobody waits */
	void *owner;
	bool ok;
	struct error error;
	char *trouble; /* owned: store_trouble after it; NULL: none */
};

static struct entry *
entry_of(struct lane_job *job)
{
	return LIST_ITEM(job, struct entry, job);
}

/* ---- in the thread ---- */

static void
prune(struct store *store, struct entry *entry)
{
	entry->ok = store_prune(store, entry->prune_before, &entry->error);
}

static void
commit(struct store *store, struct lane_job **jobs, size_t count)
{
	/* Most groups are of one, and 64 errors are 32 KiB to be cleared. */
	struct store_commit *commits = xcalloc(count, sizeof(*commits));

	for (size_t i = 0; i < count; i++)
		commits[i].batch = entry_of(jobs[i])->batch;
	store_commit_many(store, commits, count);
	const char *trouble = store_trouble(store);
	for (size_t i = 0; i < count; i++) {
		entry_of(jobs[i])->ok = commits[i].ok;
		entry_of(jobs[i])->error = commits[i].error;
		if (trouble[0] != '\0')
			entry_of(jobs[i])->trouble = xstrdup(trouble);
	}
	free(commits);
}

static void
run(void *ctx, struct lane_job **jobs, size_t count)
{
	const struct journal *journal = ctx;
	struct store *store = journal->store;
	size_t batches;

	for (size_t i = 0; i < count; i += batches) {
		batches = 0;
		while (i + batches < count &&
		       entry_of(jobs[i + batches])->batch != NULL)
			batches++;
		if (batches > 0) {
			commit(store, &jobs[i], batches);
			continue;
		}
		prune(store, entry_of(jobs[i]));
		batches = 1;
	}
}

/* ---- in the loop's thread ---- */

static void
free_entry(struct journal *journal, struct entry *entry)
{
	list_remove(&entry->link);
	journal->asked -= entry->fn != NULL;
	store_batch_free(&entry->own);
	free(entry->trouble);
	free(entry);
}

static void
note_health(struct journal *journal, const struct entry *entry)
{
	const char *words = !entry->ok		     ? entry->error.text
			    : entry->trouble != NULL ? entry->trouble
						     : "";
	enum journal_health health = !entry->ok		? JOURNAL_FAILING
				     : words[0] != '\0' ? JOURNAL_UNEASY
							: JOURNAL_WELL;

	if (journal->health == health)
		return;
	journal->health = health;
	free(journal->trouble);
	journal->trouble = xstrdup(words);
	if (journal->tell != NULL)
		journal->tell(journal->tell_ctx, health, journal->trouble);
}

const char *
journal_trouble(const struct journal *journal)
{
	return journal->trouble != NULL ? journal->trouble : "";
}

void
journal_on_health(struct journal *journal, journal_health_fn *tell, void *ctx)
{
	journal->tell = tell;
	journal->tell_ctx = ctx;
}

/* The entry is gone before the owner hears of it, who may give the next. */
static void
done(void *ctx, struct lane_job *job)
{
	struct journal *journal = ctx;
	const struct entry answer = *entry_of(job);

	note_health(journal, &answer);
	free_entry(journal, entry_of(job));
	if (answer.fn != NULL)
		answer.fn(answer.owner, answer.ok, &answer.error);
}

static const struct lane_class lane_class = {.run = run, .done = done};

struct journal *
journal_new(struct loop *loop, struct store *store)
{
	struct journal *journal = NEW(struct journal);

	journal->store = store;
	list_init(&journal->entries);
	journal->lane = lane_new(loop, &lane_class, journal);
	return journal;
}

static void
forget(struct journal *journal, struct entry *entry)
{
	lane_forget(journal->lane, &entry->job);
	free_entry(journal, entry);
}

void
journal_free(struct journal **journal)
{
	if (*journal == NULL)
		return;
	LIST_EACH(pos, &(*journal)->entries)
	forget(*journal, LIST_ITEM(pos, struct entry, link));
	lane_free(&(*journal)->lane);
	free((*journal)->trouble);
	free(*journal);
	*journal = NULL;
}

static struct entry *
add(struct journal *journal, const struct entry *model)
{
	struct entry *entry = NEW(struct entry);

	*entry = *model;
	list_init(&entry->job.link);
	list_add(&journal->entries, &entry->link);
	journal->asked += entry->fn != NULL;
	lane_add(journal->lane, &entry->job);
	return entry;
}

void
journal_commit(struct journal *journal, const struct store_batch *batch,
    journal_fn *fn, void *owner)
{
	assert(fn != NULL);
	add(journal,
	    &(const struct entry){.batch = batch, .fn = fn, .owner = owner});
}

void
journal_note(struct journal *journal, struct store_batch *batch)
{
	add(journal, &(const struct entry){.batch = batch, .own = batch});
}

bool
journal_commit_now(struct journal *journal, const struct store_batch *batch,
    struct error *error_r)
{
	struct entry *entry =
	    add(journal, &(const struct entry){.batch = batch});

	lane_forget(journal->lane, &entry->job);
	const bool ok = entry->ok;

	if (!ok && error_r != NULL)
		*error_r = entry->error;
	note_health(journal, entry);
	free_entry(journal, entry);
	return ok;
}

void
journal_prune(struct journal *journal, int64_t before_unix)
{
	add(journal, &(const struct entry){.prune_before = before_unix});
}

void
journal_forget(struct journal *journal, void *owner)
{
	LIST_EACH(pos, &journal->entries)
	{
		struct entry *entry = LIST_ITEM(pos, struct entry, link);
		if (entry->fn != NULL && entry->owner == owner)
			forget(journal, entry);
	}
}

void
journal_drain(struct journal *journal)
{
	lane_drain(journal->lane);
}

bool
journal_is_busy(const struct journal *journal)
{
	return journal->asked > 0;
}

bool
journal_is_stuck(const struct journal *journal, usec_t now)
{
	return lane_age(journal->lane, now) > JOURNAL_STUCK_USEC;
}
