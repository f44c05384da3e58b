/*
 * store/sqlite: opening, transactions, closing.
 *
 * WAL with synchronous FULL: a commit is one fdatasync, after it the batch
 * survives a power cut, and readers (belfryctl, and our own connection for
 * reading) do not wait for the writer. Lazy batches are committed with
 * synchronous NORMAL: written to the log, whose next sync is theirs, too.
 *
 * A commit that fails is rolled back; its frames in the log are written anew
 * by the next one. After a sync that failed (wal.h) nothing is committed until
 * one has worked and the database was looked through.
 *
 * Each statement is prepared once, when first used (sql.h). Binding fails
 * only without memory, which ends the process as everywhere.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/xalloc.h"
#include "daemon/store/directory.h"
#include "daemon/store/sqlite_private.h"
#include "daemon/store/wal.h"

#define BUSY_MSEC 2000	      /* a backup tool may hold the file for a moment */
#define CHECKPOINT_PAGES 1000 /* of the log; SQLite's own number */

struct sqlite *
sqlite_reader_of(struct store *store)
{
	struct sqlite *sq = sqlite_of(store);

	return sq->reader != NULL ? sq->reader : sq;
}

/* ---- transactions ---- */

bool
sqlite_begin(struct sqlite *sq, struct error *error_r)
{
	if (sq->is_readonly)
		return error_set(error_r, FAULT_LOCAL,
		    "%s was opened for reading only", sq->path);
	return sql_run_plain(sq, SQL_BEGIN, error_r);
}

/* Ends what SQL_BEGIN began. A full disk may have rolled back by itself. */
bool
sqlite_end(struct sqlite *sq, bool ok, struct error *error_r)
{
	ok = ok && sql_run_plain(sq, SQL_COMMIT, error_r);
	if (!ok && sqlite3_get_autocommit(sq->db) == 0)
		sql_run_plain(sq, SQL_ROLLBACK, NULL);
	return ok;
}

static bool
check_files(struct sqlite *sq, struct error *error_r)
{
	return directory_has_file(sq->path, &sq->database, error_r) &&
	       directory_has_file(sq->log_path, &sq->log, error_r);
}

static bool
apply_each(struct sqlite *sq, const struct store_batch *const *batches,
    size_t count, struct error *error_r)
{
	for (size_t i = 0; i < count; i++)
		if (!sqlite_apply(sq, batches[i], error_r))
			return false;
	return true;
}

static bool
are_lazy(const struct store_batch *const *batches, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!batches[i]->is_lazy)
			return false;
	return true;
}

/* Between transactions only. Such a pragma acts while it is prepared, so it
 * is no statement to keep. */
static bool
set_lazy(struct sqlite *sq, bool is_lazy, struct error *error_r)
{
	if (sq->is_lazy == is_lazy)
		return true;
	if (!sql_execute(sq,
		is_lazy ? "PRAGMA synchronous = NORMAL"
			: "PRAGMA synchronous = FULL",
		error_r))
		return false;
	sq->is_lazy = is_lazy;
	wal_set_lazy(sq->db, is_lazy);
	return true;
}

static bool
check_quickly(struct sqlite *sq, struct error *error_r)
{
	sqlite3_stmt *statement;
	bool ok, row;

	if (sqlite3_prepare_v2(sq->db, "PRAGMA quick_check(1)", -1, &statement,
		NULL) != SQLITE_OK)
		return sql_fail(sq, "check it", error_r);
	ok = sql_step(sq, statement, &row, error_r);
	if (ok && row && strcmp(sql_read_text(statement, 0), "ok") != 0)
		ok = sql_set_damaged(sq, sql_read_text(statement, 0), error_r);
	sqlite3_finalize(statement);
	return ok;
}

/* What was believed to be on the disk is there, and is what it was. */
static bool
end_doubt(struct sqlite *sq, struct error *error_r)
{
	int code = SQLITE_OK;

	if (wal_is_doubted(sq->db)) {
		sq->is_doubted = true;
		code = wal_settle(sq->db);
	}
	if (code != SQLITE_OK)
		return error_set(error_r, FAULT_LOCAL, "%s: cannot write: %s",
		    sq->path, sqlite3_errstr(code & 0xff));
	if (sq->is_doubted && !check_quickly(sq, error_r))
		return false;
	sq->is_doubted = false;
	return true;
}

static bool
sqlite_commit(struct store *store, const struct store_batch *const *batches,
    size_t count, struct error *error_r)
{
	struct sqlite *sq = sqlite_of(store);

	return check_files(sq, error_r) && end_doubt(sq, error_r) &&
	       set_lazy(sq, are_lazy(batches, count), error_r) &&
	       sqlite_begin(sq, error_r) &&
	       sqlite_end(sq,
		   apply_each(sq, batches, count, error_r) &&
		       store_can_commit(store, error_r),
		   error_r);
}

static bool
prune_all(struct sqlite *sq, int64_t before, struct error *error_r)
{
	return sql_run_number(sq, SQL_PRUNE_MESSAGES, before, error_r) &&
	       sql_run_number(sq, SQL_PRUNE_EFFECTS, before, error_r) &&
	       sql_run_number(sq, SQL_PRUNE_HITS, before, error_r) &&
	       sql_run_number(
		   sq, SQL_PRUNE_KEYS, before - STORE_KEY_KEEP_SEC, error_r) &&
	       sql_run_number(
		   sq, SQL_PRUNE_SENDERS, STORE_SENDERS_MAX, error_r);
}

/* The room that old mail and sent originals leave goes back to the disk. */
static bool
sqlite_prune(struct store *store, int64_t before_unix, struct error *error_r)
{
	struct sqlite *sq = sqlite_of(store);

	return check_files(sq, error_r) && end_doubt(sq, error_r) &&
	       set_lazy(sq, false, error_r) && sqlite_begin(sq, error_r) &&
	       sqlite_end(sq, prune_all(sq, before_unix, error_r), error_r) &&
	       sql_execute(sq, "PRAGMA incremental_vacuum", error_r);
}

/* ---- open ---- */

/*
 * After each commit: brings what is in the log into the database. What of that
 * fails stays in the log, and SQLite by itself would say nothing of it; so it
 * is done here. Another reader may be in the way: that is no trouble.
 */
static int
on_log(void *ctx, sqlite3 *db, const char *name, int pages)
{
	struct sqlite *sq = ctx;
	int code;

	if (pages < CHECKPOINT_PAGES)
		return SQLITE_OK;
	code = sqlite3_wal_checkpoint_v2(
	    db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
		return SQLITE_OK;
	sq->store.trouble = (struct error)ERROR_INIT;
	if (code != SQLITE_OK)
		sql_fail(sq, "bring its log into it", &sq->store.trouble);
	return SQLITE_OK;
}

/* Only before the first table; and no log, so that it is one file. */
#define MAKER_PRAGMAS                                                          \
	"PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = DELETE;"      \
	"PRAGMA synchronous = FULL"

static bool
set_up_new(struct sqlite *sq, struct error *error_r)
{
	int64_t version = 0;

	return sqlite_read_version(sq, &version, error_r) &&
	       sql_execute(sq, MAKER_PRAGMAS, error_r) &&
	       sqlite_migrate(sq, version, error_r);
}

/* secure_delete overwrites mail that was sent: it is gone, not only
 * unlinked. */
#define WRITER_PRAGMAS                                                         \
	"PRAGMA journal_mode = WAL;"                                           \
	"PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;"                \
	"PRAGMA journal_size_limit = 4194304; PRAGMA temp_store = MEMORY"

static bool
set_up_writer(struct sqlite *sq, struct error *error_r)
{
	int64_t version;

	sqlite3_wal_hook(sq->db, on_log, sq);
	return sqlite_read_version(sq, &version, error_r) &&
	       sql_execute(sq, WRITER_PRAGMAS, error_r) &&
	       check_quickly(sq, error_r) &&
	       sqlite_migrate(sq, version, error_r) && check_files(sq, error_r);
}

static bool
set_up_reader(struct sqlite *sq, struct error *error_r)
{
	int64_t version;

	if (!sqlite_read_version(sq, &version, error_r))
		return false;
	if (version < STORE_SCHEMA_VERSION)
		return error_set(error_r, FAULT_LOCAL,
		    "%s is of an older belfry: start belfryd once", sq->path);
	return sql_execute(
	    sq, "PRAGMA query_only = ON; PRAGMA cache_size = -512", error_r);
}

static void
close_connection(struct sqlite *sq)
{
	if (sq == NULL)
		return;
	close_connection(sq->reader);
	for (size_t i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(sq->statements[i]);
	sqlite3_close(sq->db);
	if (sq->lock >= 0)
		close(sq->lock);
	sqlite_forget_next(sq);
	buf_done(&sq->judged);
	free(sq->path);
	free(sq->log_path);
	free(sq);
}

static void
sqlite_close(struct store *store)
{
	close_connection(sqlite_of(store));
}

static const struct store_class sqlite_class = {
    .close = sqlite_close,
    .commit = sqlite_commit,
    .get_cursor = sqlite_get_cursor,
    .each_cursor = sqlite_each_cursor,
    .next_account = sqlite_next_account,
    .is_needed = sqlite_is_needed,
    .find_message = sqlite_find_message,
    .each_apply = sqlite_each_apply,
    .count_apply = sqlite_count_apply,
    .each_open_effect = sqlite_each_open_effect,
    .each_open_mailbox = sqlite_each_open_mailbox,
    .each_history = sqlite_each_history,
    .each_judged = sqlite_each_judged,
    .each_notified = sqlite_each_notified,
    .queue_next = sqlite_queue_next,
    .each_queued = sqlite_each_queued,
    .each_forward = sqlite_each_forward,
    .is_queued = sqlite_is_queued,
    .each_hit = sqlite_each_hit,
    .each_rule_stat = sqlite_each_rule_stat,
    .each_sender = sqlite_each_sender,
    .each_fact = sqlite_each_fact,
    .get_fact = sqlite_get_fact,
    .measure_queue = sqlite_measure_queue,
    .prune = sqlite_prune,
};

static bool
open_database(struct sqlite *sq, struct error *error_r)
{
	int flags =
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
	    (sq->is_readonly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);

	if (sqlite3_open_v2(sq->path, &sq->db, flags, wal_vfs()) != SQLITE_OK)
		return sql_fail(sq, "open it", error_r);
	/* SQLite takes what it can get. */
	if (!sq->is_readonly && sqlite3_db_readonly(sq->db, "main") == 1)
		return error_set(error_r, FAULT_LOCAL, "%s: cannot write: %s",
		    sq->path, sqlite3_errstr(SQLITE_READONLY));
	sqlite3_busy_timeout(sq->db, BUSY_MSEC);
	sqlite3_db_config(sq->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(sq->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	return sq->is_readonly ? set_up_reader(sq, error_r)
	       : sq->is_new    ? set_up_new(sq, error_r)
			       : set_up_writer(sq, error_r);
}

/* Takes the lock; -1: for reading. */
static struct sqlite *
open_connection(const char *directory, int lock, struct error *error_r)
{
	struct sqlite *sq = NEW(struct sqlite);

	sq->store.class = &sqlite_class;
	sq->path = xasprintf("%s/" DIRECTORY_DATABASE, directory);
	sq->log_path = xasprintf("%s-wal", sq->path);
	sq->lock = lock;
	sq->is_readonly = lock < 0;
	if (open_database(sq, error_r))
		return sq;
	close_connection(sq);
	return NULL;
}

/* At the path, with all of its tables. */
static bool
fill_database(const char *path, struct error *error_r)
{
	struct sqlite *sq = NEW(struct sqlite);
	bool ok;

	sq->path = xstrdup(path);
	sq->lock = -1;
	sq->is_new = true;
	ok = open_database(sq, error_r);
	close_connection(sq);
	return ok;
}

/* Whole or not at all: what is empty or without tables later is damaged. */
static bool
make_database(const char *directory, struct error *error_r)
{
	STR_AUTO path = directory_begin_database(directory, error_r);

	return path != NULL && fill_database(path, error_r) &&
	       directory_finish_database(directory, path, error_r);
}

static bool
find_or_make(const char *directory, bool *made_r, struct error *error_r)
{
	bool found;

	if (!directory_find_database(directory, &found, error_r) ||
	    (!found && !make_database(directory, error_r)))
		return false;
	*made_r = !found;
	return true;
}

/* The writer first: it makes the tables that are new. */
static struct store *
open_both(const char *directory, int lock, struct error *error_r)
{
	struct sqlite *sq = open_connection(directory, lock, error_r);

	if (sq == NULL)
		return NULL;
	sq->reader = open_connection(directory, -1, error_r);
	if (sq->reader != NULL)
		return &sq->store;
	close_connection(sq);
	return NULL;
}

struct store *
store_open_sqlite(const char *directory, struct error *error_r)
{
	STR_AUTO path = directory_strip(directory);
	int lock = directory_enter(path, error_r);
	struct store *store;
	bool is_made;

	if (lock < 0)
		return NULL;
	if (!find_or_make(path, &is_made, error_r)) {
		close(lock);
		return NULL;
	}
	store = open_both(path, lock, error_r);
	if (store != NULL)
		store->is_made = is_made;
	return store;
}

struct store *
store_open_sqlite_readonly(const char *directory, struct error *error_r)
{
	STR_AUTO path = directory_strip(directory);
	struct sqlite *sq;

	if (!directory_has_database(path, error_r))
		return NULL;
	sq = open_connection(path, -1, error_r);
	return sq != NULL ? &sq->store : NULL;
}
