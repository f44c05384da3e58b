/*
 * wiring/journal: what is to be written, by one thread, all that waits at once.
 *
 * The engines give a batch at a time and wait for the answer; while the disk
 * syncs one group, the batches of other mailboxes and of the forward queue
 * gather and go together (store_commit_many: none fails for another's sake).
 * From journal_new to journal_free nobody else writes to the store; it is read
 * from the loop's thread, and a reader sees whatever was answered.
 *
 * A batch is borrowed until its answer. Batches of one owner are written in
 * the order in which they were given.
 */
#ifndef BELFRY_WIRING_JOURNAL_H
#define BELFRY_WIRING_JOURNAL_H

#include "daemon/loop/loop.h"
#include "daemon/store/store.h"

/* A batch that is not written after so long: the disk hangs. */
#define JOURNAL_STUCK_USEC USEC_MINUTE

struct journal;

struct journal *journal_new(struct loop *loop, struct store *store);
enum journal_health {
	JOURNAL_WELL,
	JOURNAL_UNEASY,	 /* all was written, but see store_trouble */
	JOURNAL_FAILING, /* the last batch could not be written */
};
/* Told when it becomes another; not of the batches whose owner has gone. The
 * words, borrowed, say what is wrong; "": nothing. */
typedef void journal_health_fn(
    void *ctx, enum journal_health health, const char *words);
void journal_on_health(
    struct journal *journal, journal_health_fn *tell, void *ctx);
/* What is wrong at the moment; "": nothing. */
const char *journal_trouble(const struct journal *journal);
/* Writes what waits, and answers nobody. NULL-safe. */
void journal_free(struct journal **journal);

/* The answer; the error is borrowed, and empty if `ok`. */
typedef void journal_fn(void *owner, bool ok, const struct error *error);
void journal_commit(struct journal *journal, const struct store_batch *batch,
    journal_fn *fn, void *owner);
/* Takes the batch; nobody is told whether it could be written. */
void journal_note(struct journal *journal, struct store_batch *batch);
/* Waits for it, and so does everything else: for what a person asks for. */
bool journal_commit_now(struct journal *journal,
    const struct store_batch *batch, struct error *error_r);
/* store_prune, when its turn comes. */
void journal_prune(struct journal *journal, int64_t before_unix);

/* The owner goes, and its batches: waits until they are written, and does not
 * answer. Who comes after it reads what it wrote. */
void journal_forget(struct journal *journal, void *owner);
/* Waits until everybody is answered, also what follows from the answers. */
void journal_drain(struct journal *journal);
/* Somebody waits for an answer. */
bool journal_is_busy(const struct journal *journal);
/* ... for JOURNAL_STUCK_USEC already. */
bool journal_is_stuck(const struct journal *journal, usec_t now);

#endif
