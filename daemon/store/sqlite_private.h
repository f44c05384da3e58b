/*
 * store/sqlite, inside: what its parts share. sqlite.c (opening, transactions),
 * sqlite_schema.c (tables and their versions), sqlite_statement.c (binding,
 * reading, failures), sqlite_write.c (what a batch does), sqlite_read.c,
 * sqlite_queue.c and sqlite_history.c (what is told). These, and wal.c, are
 * the door to SQLite: nobody else includes this.
 */
#ifndef BELFRY_STORE_SQLITE_PRIVATE_H
#define BELFRY_STORE_SQLITE_PRIVATE_H

#include <sqlite3.h>

#include "daemon/base/buf.h"
#include "daemon/store/directory.h"
#include "daemon/store/sql.h"
#include "daemon/store/store_private.h"

struct sqlite {
	struct store store;		     /* the head */
	struct directory_file database, log; /* of a writer */
	char *path, *log_path;		     /* owned */
	int lock; /* holds the directory; -1: a reader */
	bool is_readonly;
	bool is_new; /* nothing is in it yet, and it has another name */
	sqlite3 *db;
	sqlite3_stmt *statements[SQL_COUNT]; /* NULL until used */
	bool is_lazy;		      /* synchronous is NORMAL at the moment */
	bool is_doubted;	      /* a sync failed, and all may have */
	struct store_queue_item next; /* what queue_next handed out: owned */
	struct buf next_bytes;
	struct buf judged;     /* what get_cursor handed out */
	struct sqlite *reader; /* the connection for reading: owned; NULL: this
				  one is for reading itself */
};

static inline struct sqlite *
sqlite_of(struct store *store)
{
	return (struct sqlite *)(void *)store;
}

/* The connection of the thread that reads. */
struct sqlite *sqlite_reader_of(struct store *store);

/*
 * sqlite_statement.c. A statement is prepared when it is first used, and kept;
 * what is bound is borrowed, and what is read is SQLite's, until sql_finish
 * (texts of a row: until the next sql_step).
 */

/* Says what SQLite says about its last failure: "cannot `doing`". False. */
bool sql_fail(
    const struct sqlite *sq, const char *doing, struct error *error_r);
/* The file is not what it should be. False. */
bool sql_set_damaged(
    const struct sqlite *sq, const char *words, struct error *error_r);
/* Ready to be bound, or NULL and an error. */
sqlite3_stmt *sql_prepare(
    struct sqlite *sq, enum sql which, struct error *error_r);
/* Lets go of what was read and bound. */
void sql_finish(sqlite3_stmt *statement);
/* Of a sqlite3_bind_ function's result: it fails only without memory. */
void sql_check_bound(int code);
/* Borrowed until sql_finish; NULL is NULL. */
void sql_bind_text(sqlite3_stmt *statement, int at, const char *text);
void sql_bind_int(sqlite3_stmt *statement, int at, int64_t value);
/* From parameter 1 on. */
void sql_bind_fields(sqlite3_stmt *statement, const struct store_fields *fields,
    const void *row);
/* The key and seq of an effect as parameters 1 to 5. */
void sql_bind_effect_key(
    sqlite3_stmt *statement, const struct store_key *key, unsigned seq);
/* "" for NULL. */
const char *sql_read_text(sqlite3_stmt *statement, int at);
/* From column `at` on. False only when a state has a name that we do not
 * know. */
bool sql_read_fields(const struct sqlite *sq, sqlite3_stmt *statement, int at,
    const struct store_fields *fields, void *row, struct error *error_r);
/* Runs a statement that yields no rows, and finishes it. */
bool sql_run(struct sqlite *sq, sqlite3_stmt *statement, struct error *error_r);
/* The next row: *row_r says whether there is one. Does not finish. */
bool sql_step(struct sqlite *sq, sqlite3_stmt *statement, bool *row_r,
    struct error *error_r);
/* Prepare, bind, run: nothing to bind, the columns of one row, a number. */
bool sql_run_plain(struct sqlite *sq, enum sql which, struct error *error_r);
bool sql_run_row(struct sqlite *sq, enum sql which,
    const struct store_fields *fields, const void *row, struct error *error_r);
bool sql_run_number(
    struct sqlite *sq, enum sql which, int64_t value, struct error *error_r);
/* Text that is no statement to keep: pragmas, tables. */
bool sql_execute(struct sqlite *sq, const char *sql, struct error *error_r);

/* sqlite.c: a transaction. sqlite_end commits if `ok`, else rolls back. */
bool sqlite_begin(struct sqlite *sq, struct error *error_r);
bool sqlite_end(struct sqlite *sq, bool ok, struct error *error_r);

/* sqlite_schema.c */
/* Looks only: a file that is not ours, or newer than us, stays as it is. */
bool sqlite_read_version(
    struct sqlite *sq, int64_t *version_r, struct error *error_r);
/* All of the tables that are missing or none, by one transaction. */
bool sqlite_migrate(struct sqlite *sq, int64_t version, struct error *error_r);

/* sqlite_write.c: all operations of the batch, inside of a transaction. */
bool sqlite_apply(
    struct sqlite *sq, const struct store_batch *batch, struct error *error_r);
/* sqlite_queue.c: those that the queue knows about. */
bool sqlite_enqueue(
    struct sqlite *sq, const struct store_op *op, struct error *error_r);
bool sqlite_set_queue(
    struct sqlite *sq, const struct store_op *op, struct error *error_r);
/* What queue_next handed out. */
void sqlite_forget_next(struct sqlite *sq);

/* sqlite_read.c. A walk over rows: `tell` reads one and calls the reader's
 * function; *more_r false ends it. */
struct walk {
	struct sqlite *sq;
	sqlite3_stmt *statement;
	union {
		store_cursor_fn *cursor;
		store_apply_fn *apply;
		store_apply_count_fn *apply_count;
		store_effect_fn *effect;
		store_open_mailbox_fn *open_mailbox;
		store_history_fn *history;
		store_uid_fn *uid;
		store_queue_fn *queue;
		store_hit_fn *hit;
		store_rule_stat_fn *rule_stat;
		store_sender_fn *sender;
		store_fact_fn *fact;
	} fn;
	void *ctx;
	const struct store_history_query *query;
	unsigned told; /* history: for the limit, with those skipped */
	uint32_t uid;  /* of notified ones: the last that was told */
};
typedef bool tell_fn(struct walk *walk, bool *more_r, struct error *error_r);
/* Finishes the statement. */
bool sqlite_walk(struct walk *walk, tell_fn *tell, struct error *error_r);

/* The readers of the class: store.h. */
bool sqlite_get_cursor(struct store *store, const char *account,
    const char *mailbox, struct store_cursor *cursor_r, bool *found_r,
    struct error *error_r);
bool sqlite_each_cursor(struct store *store, const char *account,
    store_cursor_fn *fn, void *ctx, struct error *error_r);
bool sqlite_next_account(struct store *store, const char *after,
    char **account_r, struct error *error_r);
bool sqlite_is_needed(struct store *store, const char *account,
    const char *mailbox, bool *is_r, struct error *error_r);
bool sqlite_find_message(struct store *store, const struct store_key *key,
    store_history_fn *fn, void *ctx, struct error *error_r);
bool sqlite_each_apply(struct store *store, const char *account,
    store_apply_fn *fn, void *ctx, struct error *error_r);
bool sqlite_count_apply(struct store *store, const struct store_apply *apply,
    store_apply_count_fn *fn, void *ctx, struct error *error_r);
bool sqlite_each_open_effect(struct store *store, const char *account,
    const char *mailbox, store_effect_fn *fn, void *ctx, struct error *error_r);
bool sqlite_each_open_mailbox(struct store *store, const char *account,
    store_open_mailbox_fn *fn, void *ctx, struct error *error_r);
bool sqlite_each_history(struct store *store,
    const struct store_history_query *query, store_history_fn *fn, void *ctx,
    struct error *error_r);
bool sqlite_each_judged(struct store *store, const struct store_key *from,
    store_uid_fn *fn, void *ctx, struct error *error_r);
bool sqlite_each_notified(struct store *store, const struct store_key *from,
    int64_t since_unix, store_uid_fn *fn, void *ctx, struct error *error_r);
bool sqlite_queue_next(struct store *store, const char *account,
    const struct store_but *but, struct store_queue_item *item_r, bool *found_r,
    struct error *error_r);
bool sqlite_each_queued(struct store *store, const char *account,
    store_queue_fn *fn, void *ctx, struct error *error_r);
bool sqlite_each_forward(struct store *store, const char *account,
    const char *mailbox, store_queue_fn *fn, void *ctx, struct error *error_r);
bool sqlite_is_queued(struct store *store, const struct store_key *source,
    unsigned seq, bool *is_r, struct error *error_r);
bool sqlite_each_hit(struct store *store, int64_t since_unix, store_hit_fn *fn,
    void *ctx, struct error *error_r);
bool sqlite_each_rule_stat(struct store *store, store_rule_stat_fn *fn,
    void *ctx, struct error *error_r);
bool sqlite_each_sender(struct store *store, const char *account,
    store_sender_fn *fn, void *ctx, struct error *error_r);
bool sqlite_each_fact(struct store *store, const char *account,
    store_fact_fn *fn, void *ctx, struct error *error_r);
bool sqlite_get_fact(struct store *store, const char *account, const char *name,
    char **value_r, struct error *error_r);
bool sqlite_measure_queue(struct store *store, struct store_queue_size *size_r,
    struct error *error_r);

#endif
