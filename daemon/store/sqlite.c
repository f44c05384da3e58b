/*
 * The door to SQLite.
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
 * Each statement is prepared once, when first used (schema.h). Binding fails
 * only without memory, which ends the process as everywhere.
 */
#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include <sqlite3.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/store/directory.h"
#include "daemon/store/schema.h"
#include "daemon/store/store_private.h"
#include "daemon/store/wal.h"

#define BUSY_MSEC 2000 /* a backup tool may hold the file for a moment */
#define EFFECTS_ROOM_MIN 8
#define CHECKPOINT_PAGES 1000 /* of the log; SQLite's own number */
#define DAMAGE_WORDS_MAX 200

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

static struct sqlite *
sqlite_of(struct store *store)
{
	return (struct sqlite *)(void *)store;
}

/* The connection of the thread that reads. */
static struct sqlite *
reader_of(struct store *store)
{
	struct sqlite *sq = sqlite_of(store);

	return sq->reader != NULL ? sq->reader : sq;
}

/* ---- failures ---- */

static bool
is_damage(int code)
{
	return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

static bool
set_damaged(const struct sqlite *sq, const char *words, struct error *error_r)
{
	BUF_AUTO clean = BUF_INIT;

	str_sanitize(&clean, span_from_str(words), DAMAGE_WORDS_MAX);
	return directory_set_damaged(sq->path, buf_str(&clean), error_r);
}

/* SQLite's own words leave out what the system said. */
static const char *
system_words(const struct sqlite *sq, int code)
{
	int number = sqlite3_system_errno(sq->db);

	if (number == 0 || (code != SQLITE_CANTOPEN && code != SQLITE_IOERR))
		return NULL;
	return strerror(number);
}

/* To read takes room, too: for what readers and the writer share. */
static bool
is_full(const struct sqlite *sq, int code)
{
	int number = sqlite3_system_errno(sq->db);

	return code == SQLITE_IOERR && (number == ENOSPC || number == EDQUOT);
}

/* Says what SQLite says about its last failure. */
static bool
fail(const struct sqlite *sq, const char *doing, struct error *error_r)
{
	int code = sqlite3_errcode(sq->db) & 0xff;

	if (code == SQLITE_NOMEM)
		abort();
	if (is_damage(code))
		return set_damaged(sq, sqlite3_errmsg(sq->db), error_r);
	if (is_full(sq, code))
		return error_set(error_r, FAULT_LOCAL, "%s: cannot write: %s",
		    sq->path, sqlite3_errstr(SQLITE_FULL));
	const char *why = system_words(sq, code);
	return error_set(error_r, FAULT_LOCAL, "%s: cannot %s: %s%s%s%s",
	    sq->path, doing, sqlite3_errmsg(sq->db), why != NULL ? " (" : "",
	    why != NULL ? why : "", why != NULL ? ")" : "");
}

/* ---- statements ---- */

/* Ready to be bound, or NULL and an error. */
static sqlite3_stmt *
prepare(struct sqlite *sq, enum sql which, struct error *error_r)
{
	sqlite3_stmt **statement = &sq->statements[which];

	if (*statement == NULL &&
	    sqlite3_prepare_v3(sq->db, sql_texts[which], -1,
		SQLITE_PREPARE_PERSISTENT, statement, NULL) != SQLITE_OK) {
		fail(sq, "read its tables", error_r);
		return NULL;
	}
	return *statement;
}

/* Lets go of what was read and bound. */
static void
finish(sqlite3_stmt *statement)
{
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
}

static void
check_bound(int code)
{
	if (code == SQLITE_NOMEM)
		abort();
	assert(code == SQLITE_OK);
}

/* Borrowed until finish; NULL is NULL. */
static void
bind_text(sqlite3_stmt *statement, int at, const char *text)
{
	check_bound(sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC));
}

static void
bind_int(sqlite3_stmt *statement, int at, int64_t value)
{
	check_bound(sqlite3_bind_int64(statement, at, value));
}

static void
bind_field(sqlite3_stmt *statement, int at, const struct store_field *field,
    const void *row)
{
	const void *value = store_field_get(field, row);

	switch (field->type) {
	case FIELD_TEXT:
		bind_text(statement, at, *(const char *const *)value);
		break;
	case FIELD_U32:
		bind_int(statement, at, *(const uint32_t *)value);
		break;
	case FIELD_UNSIGNED:
		bind_int(statement, at, *(const unsigned *)value);
		break;
	case FIELD_U64:
		bind_int(statement, at, (int64_t) * (const uint64_t *)value);
		break;
	case FIELD_I64:
		bind_int(statement, at, *(const int64_t *)value);
		break;
	case FIELD_APPLY_STATE:
		bind_text(statement, at,
		    apply_state_name(*(const enum apply_state *)value));
		break;
	case FIELD_EFFECT_STATE:
		bind_text(statement, at,
		    effect_state_name(*(const enum effect_state *)value));
		break;
	case FIELD_QUEUE_STATE:
		bind_text(statement, at,
		    queue_state_name(*(const enum queue_state *)value));
		break;
	case FIELD_TYPES:
		break;
	}
}

/* From parameter 1 on. */
static void
bind_fields(
    sqlite3_stmt *statement, const struct store_fields *fields, const void *row)
{
	for (size_t i = 0; i < fields->count; i++)
		bind_field(statement, (int)i + 1, &fields->items[i], row);
}

static const char *
read_text(sqlite3_stmt *statement, int at)
{
	const void *text = sqlite3_column_text(statement, at);

	return text != NULL ? text : "";
}

static bool
read_field(
    sqlite3_stmt *statement, int at, const struct store_field *field, void *row)
{
	void *value = store_field_at(field, row);
	struct span name;

	switch (field->type) {
	case FIELD_TEXT:
		*(const char **)value = read_text(statement, at);
		break;
	case FIELD_U32:
		*(uint32_t *)value =
		    (uint32_t)sqlite3_column_int64(statement, at);
		break;
	case FIELD_UNSIGNED:
		*(unsigned *)value =
		    (unsigned)sqlite3_column_int64(statement, at);
		break;
	case FIELD_U64:
		*(uint64_t *)value =
		    (uint64_t)sqlite3_column_int64(statement, at);
		break;
	case FIELD_I64:
		*(int64_t *)value = sqlite3_column_int64(statement, at);
		break;
	case FIELD_APPLY_STATE:
		name = span_from_str(read_text(statement, at));
		return apply_state_parse(name, value);
	case FIELD_EFFECT_STATE:
		name = span_from_str(read_text(statement, at));
		return effect_state_parse(name, value);
	case FIELD_QUEUE_STATE:
		name = span_from_str(read_text(statement, at));
		return queue_state_parse(name, value);
	case FIELD_TYPES:
		break;
	}
	return true;
}

/* From column `at` on; the texts are SQLite's until its next step. False only
 * when a state has a name that we do not know. */
static bool
read_fields(const struct sqlite *sq, sqlite3_stmt *statement, int at,
    const struct store_fields *fields, void *row, struct error *error_r)
{
	for (size_t i = 0; i < fields->count; i++) {
		if (!read_field(statement, at + (int)i, &fields->items[i], row))
			return set_damaged(sq, "an unknown state", error_r);
	}
	return true;
}

/* Runs a statement that yields no rows, and finishes it. */
static bool
run(struct sqlite *sq, sqlite3_stmt *statement, struct error *error_r)
{
	bool ok = sqlite3_step(statement) == SQLITE_DONE;

	if (!ok)
		fail(sq, "write", error_r);
	finish(statement);
	return ok;
}

/* The next row: *row_r says whether there is one. Does not finish. */
static bool
step(struct sqlite *sq, sqlite3_stmt *statement, bool *row_r,
    struct error *error_r)
{
	int code = sqlite3_step(statement);

	if (code != SQLITE_ROW && code != SQLITE_DONE) {
		fail(sq, "read", error_r);
		return false;
	}
	*row_r = code == SQLITE_ROW;
	return true;
}

static bool
run_plain(struct sqlite *sq, enum sql which, struct error *error_r)
{
	sqlite3_stmt *statement = prepare(sq, which, error_r);

	return statement != NULL && run(sq, statement, error_r);
}

/* Of a statement whose parameters are the columns of one row. */
static bool
run_row(struct sqlite *sq, enum sql which, const struct store_fields *fields,
    const void *row, struct error *error_r)
{
	sqlite3_stmt *statement = prepare(sq, which, error_r);

	if (statement == NULL)
		return false;
	bind_fields(statement, fields, row);
	return run(sq, statement, error_r);
}

static bool
run_number(
    struct sqlite *sq, enum sql which, int64_t value, struct error *error_r)
{
	sqlite3_stmt *statement = prepare(sq, which, error_r);

	if (statement == NULL)
		return false;
	bind_int(statement, 1, value);
	return run(sq, statement, error_r);
}

/* ---- commit ---- */

static bool
set_cursor(struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	return run_row(
	    sq, SQL_SET_CURSOR, &store_cursor_fields, &op->cursor, error_r);
}

static bool
set_apply(struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	return run_row(
	    sq, SQL_SET_APPLY, &store_apply_fields, &op->apply, error_r);
}

static bool
judge_again(struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	return run_row(
	    sq, SQL_JUDGE_AGAIN, &store_message_fields, &op->message, error_r);
}

static bool
add_message(struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	return run_row(
	    sq, SQL_ADD_MESSAGE, &store_message_fields, &op->message, error_r);
}

static bool
add_effect(struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	return run_row(
	    sq, SQL_ADD_EFFECT, &store_effect_fields, &op->effect, error_r);
}

/* Binds the key and seq of an effect as parameters 1 to 5. */
static void
bind_effect_key(
    sqlite3_stmt *statement, const struct store_key *key, unsigned seq)
{
	bind_fields(statement, &store_key_fields, key);
	bind_int(statement, 5, seq);
}

static bool
set_effect(struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	const struct store_effect *effect = &op->effect;
	sqlite3_stmt *statement = prepare(sq, SQL_SET_EFFECT, error_r);

	if (statement == NULL)
		return false;
	bind_effect_key(statement, &effect->key, effect->seq);
	bind_text(statement, 6, effect_state_name(effect->state));
	bind_int(statement, 7, effect->attempts);
	bind_text(statement, 8, effect->detail);
	bind_int(statement, 9, effect->changed_unix);
	return run(sq, statement, error_r);
}

static bool
skip_effect(struct sqlite *sq, const struct store_queue_item *item,
    struct error *error_r)
{
	sqlite3_stmt *statement = prepare(sq, SQL_SKIP_EFFECT, error_r);

	if (statement == NULL)
		return false;
	bind_effect_key(statement, &item->source, item->seq);
	bind_text(statement, 6, STORE_FORWARDED_ALREADY);
	bind_int(statement, 7, item->queued_unix);
	return run(sq, statement, error_r);
}

/* Gives the effect of an item the outcome that the item's row has. */
static bool
settle(struct sqlite *sq, int64_t id, enum queue_state state,
    struct error *error_r)
{
	const struct store_outcome *outcome = &store_outcomes[state];
	sqlite3_stmt *statement;

	if (!outcome->settles)
		return true;
	statement = prepare(sq, SQL_SETTLE, error_r);
	if (statement == NULL)
		return false;
	bind_int(statement, 1, id);
	bind_text(statement, 2, effect_state_name(outcome->effect));
	return run(sq, statement, error_r);
}

struct twin {
	int64_t id;
	enum queue_state state;
	bool is_same; /* made for the same effect */
};

/* The row that has the key of the item. */
static bool
find_twin(struct sqlite *sq, const struct store_queue_item *item,
    struct twin *twin_r, struct error *error_r)
{
	static const struct store_field state_row = {
	    FIELD_QUEUE_STATE, offsetof(struct twin, state)};
	static const struct store_fields state_field = {&state_row, 1};
	sqlite3_stmt *statement = prepare(sq, SQL_FIND_TWIN, error_r);
	struct store_key key;
	bool ok, found = false;

	if (statement == NULL)
		return false;
	bind_text(statement, 1, item->key);
	ok = step(sq, statement, &found, error_r);
	assert(!ok || found);
	ok = ok &&
	     read_fields(sq, statement, 0, &store_key_fields, &key, error_r) &&
	     read_fields(sq, statement, 6, &state_field, twin_r, error_r);
	if (ok) {
		twin_r->is_same =
		    store_key_equal(&key, &item->source) &&
		    (unsigned)sqlite3_column_int64(statement, 4) == item->seq;
		twin_r->id = sqlite3_column_int64(statement, 5);
	}
	finish(statement);
	return ok;
}

/* The key is there already. The same item again changes nothing but that its
 * effect is as the item says; another message's effect is done with. */
static bool
refuse_twin(struct sqlite *sq, const struct store_queue_item *item,
    struct error *error_r)
{
	struct twin twin;

	if (!find_twin(sq, item, &twin, error_r))
		return false;
	return twin.is_same ? settle(sq, twin.id, twin.state, error_r)
			    : skip_effect(sq, item, error_r);
}

static bool
enqueue(struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	const struct store_queue_item *item = &op->item;
	sqlite3_stmt *statement;

	if (!run_row(sq, SQL_ADD_ITEM, &store_item_fields, item, error_r))
		return false;
	if (sqlite3_changes(sq->db) == 0)
		return refuse_twin(sq, item, error_r);
	statement = prepare(sq, SQL_ADD_ORIGINAL, error_r);
	if (statement == NULL)
		return false;
	bind_int(statement, 1, sqlite3_last_insert_rowid(sq->db));
	check_bound(sqlite3_bind_blob64(
	    statement, 2, op->bytes, item->original.len, SQLITE_STATIC));
	return run(sq, statement, error_r);
}

/* Whether the item is there and may get the new state. */
static bool
can_set_item(struct sqlite *sq, const struct store_queue_item *item,
    bool *can_r, struct error *error_r)
{
	sqlite3_stmt *statement = prepare(sq, SQL_GET_ITEM_STATE, error_r);
	enum queue_state state;
	bool ok, found;

	if (statement == NULL)
		return false;
	bind_int(statement, 1, item->id);
	ok = step(sq, statement, &found, error_r);
	if (ok)
		*can_r = found &&
			 queue_state_parse(
			     span_from_str(read_text(statement, 0)), &state) &&
			 store_can_follow(state, item->state);
	finish(statement);
	return ok;
}

static bool
set_item(struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	const struct store_queue_item *item = &op->item;
	sqlite3_stmt *statement = prepare(sq, SQL_SET_ITEM, error_r);

	if (statement == NULL)
		return false;
	bind_int(statement, 1, item->id);
	bind_text(statement, 2, queue_state_name(item->state));
	bind_int(statement, 3, item->attempts);
	bind_int(statement, 4, item->next_try_unix);
	bind_text(statement, 5, item->reply);
	bind_int(statement, 6, op->now_unix);
	return run(sq, statement, error_r);
}

static bool
set_queue(struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	const struct store_queue_item *item = &op->item;
	bool can;

	if (!can_set_item(sq, item, &can, error_r))
		return false;
	if (!can)
		return true;
	if (!set_item(sq, op, error_r))
		return false;
	if (store_outcomes[item->state].is_final &&
	    !run_number(sq, SQL_DROP_ORIGINAL, item->id, error_r))
		return false;
	return settle(sq, item->id, item->state, error_r);
}

static bool
add_hit(struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	const struct store_rule_stat stat = store_hit_stat(&op->hit);

	return run_row(sq, SQL_ADD_HIT, &store_hit_fields, &op->hit, error_r) &&
	       run_row(sq, SQL_ADD_RULE_STAT, &store_rule_stat_fields, &stat,
		   error_r);
}

static bool
add_rule_stat(
    struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	return run_row(sq, SQL_ADD_RULE_STAT, &store_rule_stat_fields,
	    &op->rule_stat, error_r);
}

static bool
forget_rule(struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	sqlite3_stmt *statement = prepare(sq, SQL_FORGET_RULE, error_r);

	if (statement == NULL)
		return false;
	bind_text(statement, 1, op->rule_stat.rule);
	return run(sq, statement, error_r);
}

static bool
add_sender(struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	return run_row(
	    sq, SQL_ADD_SENDER, &store_sender_fields, &op->sender, error_r);
}

static bool
set_fact(struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	return run_row(
	    sq, SQL_SET_FACT, &store_fact_fields, &op->fact, error_r);
}

typedef bool apply_fn(
    struct sqlite *sq, const struct store_op *op, struct error *error_r);
static apply_fn *const appliers[STORE_OP_KINDS] = {
    [STORE_SET_CURSOR] = set_cursor,
    [STORE_SET_APPLY] = set_apply,
    [STORE_JUDGE_AGAIN] = judge_again,
    [STORE_ADD_MESSAGE] = add_message,
    [STORE_ADD_EFFECT] = add_effect,
    [STORE_SET_EFFECT] = set_effect,
    [STORE_ENQUEUE] = enqueue,
    [STORE_SET_QUEUE] = set_queue,
    [STORE_ADD_HIT] = add_hit,
    [STORE_SET_FACT] = set_fact,
    [STORE_ADD_RULE_STAT] = add_rule_stat,
    [STORE_FORGET_RULE] = forget_rule,
    [STORE_ADD_SENDER] = add_sender,
};

static bool
apply_all(
    struct sqlite *sq, const struct store_batch *batch, struct error *error_r)
{
	LIST_EACH(pos, &batch->ops)
	{
		const struct store_op *op =
		    LIST_ITEM(pos, struct store_op, link);
		if (!appliers[op->kind](sq, op, error_r))
			return false;
	}
	return true;
}

/* Ends what SQL_BEGIN began. A full disk may have rolled back by itself. */
static bool
end_transaction(struct sqlite *sq, bool ok, struct error *error_r)
{
	ok = ok && run_plain(sq, SQL_COMMIT, error_r);
	if (!ok && sqlite3_get_autocommit(sq->db) == 0)
		run_plain(sq, SQL_ROLLBACK, NULL);
	return ok;
}

static bool
check_files(struct sqlite *sq, struct error *error_r)
{
	return directory_has_file(sq->path, &sq->database, error_r) &&
	       directory_has_file(sq->log_path, &sq->log, error_r);
}

static bool
begin_transaction(struct sqlite *sq, struct error *error_r)
{
	if (sq->is_readonly)
		return error_set(error_r, FAULT_LOCAL,
		    "%s was opened for reading only", sq->path);
	return run_plain(sq, SQL_BEGIN, error_r);
}

static bool
apply_each(struct sqlite *sq, const struct store_batch *const *batches,
    size_t count, struct error *error_r)
{
	for (size_t i = 0; i < count; i++)
		if (!apply_all(sq, batches[i], error_r))
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

static bool
execute(struct sqlite *sq, const char *sql, struct error *error_r)
{
	return sqlite3_exec(sq->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
	       fail(sq, "write", error_r);
}

/* Between transactions only. Such a pragma acts while it is prepared, so it
 * is no statement to keep. */
static bool
set_lazy(struct sqlite *sq, bool is_lazy, struct error *error_r)
{
	if (sq->is_lazy == is_lazy)
		return true;
	if (!execute(sq,
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
		return fail(sq, "check it", error_r);
	ok = step(sq, statement, &row, error_r);
	if (ok && row && strcmp(read_text(statement, 0), "ok") != 0)
		ok = set_damaged(sq, read_text(statement, 0), error_r);
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
	       begin_transaction(sq, error_r) &&
	       end_transaction(sq,
		   apply_each(sq, batches, count, error_r) &&
		       store_can_commit(store, error_r),
		   error_r);
}

/* ---- readers ---- */

static bool
sqlite_get_cursor(struct store *store, const char *account, const char *mailbox,
    struct store_cursor *cursor_r, bool *found_r, struct error *error_r)
{
	struct sqlite *sq = reader_of(store);
	sqlite3_stmt *statement = prepare(sq, SQL_GET_CURSOR, error_r);
	bool ok, found;

	if (statement == NULL)
		return false;
	bind_text(statement, 1, account);
	bind_text(statement, 2, mailbox);
	ok = step(sq, statement, &found, error_r);
	if (ok && found) {
		read_fields(
		    sq, statement, 0, &store_cursor_fields, cursor_r, NULL);
		cursor_r->account = account;
		cursor_r->mailbox = mailbox;
		buf_clear(&sq->judged);
		buf_add_str(&sq->judged, cursor_r->judged);
		cursor_r->judged = buf_str(&sq->judged);
	}
	if (ok)
		*found_r = found;
	finish(statement);
	return ok;
}

/* A walk over rows: `tell` reads one and calls the reader's function;
 * *more_r false ends it. */
struct walk {
	struct sqlite *sq;
	sqlite3_stmt *statement;
	union {
		store_apply_fn *apply;
		store_apply_count_fn *apply_count;
		store_effect_fn *effect;
		store_open_mailbox_fn *open_mailbox;
		store_history_fn *history;
		store_queue_fn *queue;
		store_hit_fn *hit;
		store_rule_stat_fn *rule_stat;
		store_sender_fn *sender;
		store_fact_fn *fact;
	} fn;
	void *ctx;
	const struct store_history_query *query;
	unsigned told; /* history: for the limit, with those skipped */
};
typedef bool tell_fn(struct walk *walk, bool *more_r, struct error *error_r);

static bool
walk_rows(struct walk *walk, tell_fn *tell, struct error *error_r)
{
	bool ok = true, more = true, row;

	while (ok && more) {
		ok = step(walk->sq, walk->statement, &row, error_r);
		if (!ok || !row)
			break;
		ok = tell(walk, &more, error_r);
	}
	finish(walk->statement);
	return ok;
}

static bool
tell_apply(struct walk *walk, bool *more_r, struct error *error_r)
{
	struct store_apply apply;

	if (!read_fields(walk->sq, walk->statement, 0, &store_apply_fields,
		&apply, error_r))
		return false;
	*more_r = walk->fn.apply(walk->ctx, &apply);
	return true;
}

static bool
sqlite_each_apply(struct store *store, const char *account, store_apply_fn *fn,
    void *ctx, struct error *error_r)
{
	struct sqlite *sq = reader_of(store);
	struct walk walk = {
	    .sq = sq,
	    .statement = prepare(sq, SQL_APPLIES, error_r),
	    .fn.apply = fn,
	    .ctx = ctx,
	};

	if (walk.statement == NULL)
		return false;
	bind_text(walk.statement, 1, account);
	return walk_rows(&walk, tell_apply, error_r);
}

static bool
tell_apply_count(struct walk *walk, bool *more_r, struct error *error_r)
{
	enum effect_state state;

	if (!effect_state_parse(
		span_from_str(read_text(walk->statement, 2)), &state))
		return set_damaged(walk->sq, "an unknown state", error_r);
	*more_r = walk->fn.apply_count(walk->ctx, read_text(walk->statement, 0),
	    read_text(walk->statement, 1), state,
	    (uint64_t)sqlite3_column_int64(walk->statement, 3));
	return true;
}

static bool
sqlite_count_apply(struct store *store, const struct store_apply *apply,
    store_apply_count_fn *fn, void *ctx, struct error *error_r)
{
	struct sqlite *sq = reader_of(store);
	int64_t first = (int64_t)apply->run * STORE_APPLY_SEQ;
	struct walk walk = {
	    .sq = sq,
	    .statement = prepare(sq, SQL_COUNT_APPLY, error_r),
	    .fn.apply_count = fn,
	    .ctx = ctx,
	};

	if (walk.statement == NULL)
		return false;
	bind_text(walk.statement, 1, apply->account);
	bind_text(walk.statement, 2, apply->mailbox);
	bind_int(walk.statement, 3, apply->uidvalidity);
	bind_int(walk.statement, 4, first);
	bind_int(walk.statement, 5, first + STORE_APPLY_SEQ);
	return walk_rows(&walk, tell_apply_count, error_r);
}

static bool
tell_open_effect(struct walk *walk, bool *more_r, struct error *error_r)
{
	struct store_effect effect;
	struct store_message message;
	int at = (int)store_effect_fields.count;

	if (!read_fields(walk->sq, walk->statement, 0, &store_effect_fields,
		&effect, error_r))
		return false;
	read_fields(walk->sq, walk->statement, at, &store_message_fields,
	    &message, NULL);
	message.key = effect.key; /* also when there is no message */
	*more_r = walk->fn.effect(walk->ctx, &effect, &message);
	return true;
}

static bool
sqlite_each_open_effect(struct store *store, const char *account,
    const char *mailbox, store_effect_fn *fn, void *ctx, struct error *error_r)
{
	struct sqlite *sq = reader_of(store);
	struct walk walk = {
	    .sq = sq,
	    .statement = prepare(sq, SQL_OPEN_EFFECTS, error_r),
	    .fn.effect = fn,
	    .ctx = ctx,
	};

	if (walk.statement == NULL)
		return false;
	bind_text(walk.statement, 1, account);
	bind_text(walk.statement, 2, mailbox);
	return walk_rows(&walk, tell_open_effect, error_r);
}

static bool
tell_open_mailbox(struct walk *walk, bool *more_r, struct error *error_r)
{
	(void)error_r;
	*more_r =
	    walk->fn.open_mailbox(walk->ctx, read_text(walk->statement, 0),
		(uint64_t)sqlite3_column_int64(walk->statement, 1));
	return true;
}

static bool
sqlite_each_open_mailbox(struct store *store, const char *account,
    store_open_mailbox_fn *fn, void *ctx, struct error *error_r)
{
	struct sqlite *sq = reader_of(store);
	struct walk walk = {
	    .sq = sq,
	    .statement = prepare(sq, SQL_OPEN_MAILBOXES, error_r),
	    .fn.open_mailbox = fn,
	    .ctx = ctx,
	};

	if (walk.statement == NULL)
		return false;
	bind_text(walk.statement, 1, account);
	return walk_rows(&walk, tell_open_mailbox, error_r);
}

struct effects {
	struct store_effect *rows; /* their texts are owned */
	size_t count, room;
};

static void
effects_done(struct effects *effects)
{
	for (size_t i = 0; i < effects->count; i++)
		store_fields_free(&store_effect_fields, &effects->rows[i]);
	free(effects->rows);
}

static void
effects_add(struct effects *effects, struct store_effect effect)
{
	if (effects->count == effects->room) {
		effects->room =
		    effects->room > 0 ? effects->room * 2 : EFFECTS_ROOM_MIN;
		effects->rows = xreallocarray(
		    effects->rows, effects->room, sizeof(*effects->rows));
	}
	store_fields_copy(&store_effect_fields, &effect);
	effects->rows[effects->count++] = effect;
}

static bool
read_effects(struct sqlite *sq, const struct store_key *key,
    struct effects *effects, struct error *error_r)
{
	sqlite3_stmt *statement = prepare(sq, SQL_HISTORY_EFFECTS, error_r);
	struct store_effect effect;
	bool ok, row = true;

	if (statement == NULL)
		return false;
	bind_fields(statement, &store_key_fields, key);
	while ((ok = step(sq, statement, &row, error_r)) && row) {
		ok = read_fields(
		    sq, statement, 0, &store_effect_fields, &effect, error_r);
		if (!ok)
			break;
		effects_add(effects, effect);
	}
	finish(statement);
	return ok;
}

static bool
tell_history(struct walk *walk, bool *more_r, struct error *error_r)
{
	__attribute__((cleanup(effects_done))) struct effects effects = {0};
	const struct store_history_query *query = walk->query;
	struct store_message message;

	read_fields(walk->sq, walk->statement, 0, &store_message_fields,
	    &message, NULL);
	if (!store_history_wants(query, &message))
		return true;
	if (!read_effects(walk->sq, &message.key, &effects, error_r))
		return false;
	if (!store_history_wants_effects(query, effects.rows, effects.count))
		return true;
	if (++walk->told <= query->skip)
		return true;
	*more_r =
	    walk->fn.history(
		walk->ctx, &message, effects.rows, effects.count) &&
	    (query->limit == 0 || walk->told - query->skip < query->limit);
	return true;
}

static bool
sqlite_each_history(struct store *store,
    const struct store_history_query *query, store_history_fn *fn, void *ctx,
    struct error *error_r)
{
	struct sqlite *sq = reader_of(store);
	struct walk walk = {
	    .sq = sq,
	    .statement = prepare(sq, SQL_HISTORY, error_r),
	    .fn.history = fn,
	    .ctx = ctx,
	    .query = query,
	};

	if (walk.statement == NULL)
		return false;
	bind_text(walk.statement, 1, query->account);
	bind_text(walk.statement, 2, query->mailbox);
	bind_int(walk.statement, 3, query->since_unix);
	return walk_rows(&walk, tell_history, error_r);
}

static bool
read_item(const struct sqlite *sq, sqlite3_stmt *statement,
    struct store_queue_item *item, struct error *error_r)
{
	*item =
	    (struct store_queue_item){.id = sqlite3_column_int64(statement, 0)};
	return read_fields(sq, statement, 1, &store_item_fields, item, error_r);
}

static void
forget_next(struct sqlite *sq)
{
	store_fields_free(&store_item_fields, &sq->next);
	buf_done(&sq->next_bytes);
}

/* Copies the row that the statement stands on into sq->next. */
static bool
keep_next(struct sqlite *sq, sqlite3_stmt *statement, struct error *error_r)
{
	int at = 1 + (int)store_item_fields.count;
	struct store_queue_item item;
	const void *bytes;

	if (!read_item(sq, statement, &item, error_r))
		return false;
	sq->next = item;
	store_fields_copy(&store_item_fields, &sq->next);
	bytes = sqlite3_column_blob(statement, at);
	if (bytes != NULL)
		buf_add(&sq->next_bytes, bytes,
		    (size_t)sqlite3_column_bytes(statement, at));
	sq->next.original = buf_span(&sq->next_bytes);
	return true;
}

static bool
find_next(struct sqlite *sq, enum sql which, const char *account,
    const struct store_but *but, bool *found_r, struct error *error_r)
{
	sqlite3_stmt *statement = prepare(sq, which, error_r);
	bool ok;

	if (statement == NULL)
		return false;
	bind_text(statement, 1, account);
	for (int i = 0; i < STORE_BUT_MAX; i++)
		bind_int(statement, 2 + i, but->ids[i]);
	ok = step(sq, statement, found_r, error_r) &&
	     (!*found_r || keep_next(sq, statement, error_r));
	finish(statement);
	return ok;
}

static bool
sqlite_queue_next(struct store *store, const char *account,
    const struct store_but *but, struct store_queue_item *item_r, bool *found_r,
    struct error *error_r)
{
	struct sqlite *sq = reader_of(store);
	bool found = false;

	forget_next(sq);
	if (!find_next(sq, SQL_NEXT_SENDING, account, but, &found, error_r) ||
	    (!found && !find_next(sq, SQL_NEXT_WAITING, account, but, &found,
			   error_r)))
		return false;
	*found_r = found;
	if (found)
		*item_r = sq->next;
	return true;
}

static bool
tell_item(struct walk *walk, bool *more_r, struct error *error_r)
{
	struct store_queue_item item;

	if (!read_item(walk->sq, walk->statement, &item, error_r))
		return false;
	*more_r = walk->fn.queue(walk->ctx, &item);
	return true;
}

static bool
sqlite_each_queued(struct store *store, const char *account, store_queue_fn *fn,
    void *ctx, struct error *error_r)
{
	struct sqlite *sq = reader_of(store);
	struct walk walk = {
	    .sq = sq,
	    .statement = prepare(sq, SQL_QUEUED, error_r),
	    .fn.queue = fn,
	    .ctx = ctx,
	};

	if (walk.statement == NULL)
		return false;
	bind_text(walk.statement, 1, account);
	return walk_rows(&walk, tell_item, error_r);
}

static bool
sqlite_each_forward(struct store *store, const char *account,
    const char *mailbox, store_queue_fn *fn, void *ctx, struct error *error_r)
{
	struct sqlite *sq = reader_of(store);
	struct walk walk = {
	    .sq = sq,
	    .statement = prepare(sq, SQL_FORWARDS, error_r),
	    .fn.queue = fn,
	    .ctx = ctx,
	};

	if (walk.statement == NULL)
		return false;
	bind_text(walk.statement, 1, account);
	bind_text(walk.statement, 2, mailbox);
	return walk_rows(&walk, tell_item, error_r);
}

static bool
sqlite_is_queued(struct store *store, const struct store_key *source,
    unsigned seq, bool *is_r, struct error *error_r)
{
	struct sqlite *sq = reader_of(store);
	sqlite3_stmt *statement = prepare(sq, SQL_IS_QUEUED, error_r);
	bool ok;

	if (statement == NULL)
		return false;
	bind_effect_key(statement, source, seq);
	ok = step(sq, statement, is_r, error_r);
	finish(statement);
	return ok;
}

static bool
tell_hit(struct walk *walk, bool *more_r, struct error *error_r)
{
	(void)error_r;
	*more_r = walk->fn.hit(walk->ctx, read_text(walk->statement, 0),
	    sqlite3_column_int64(walk->statement, 1));
	return true;
}

static bool
sqlite_each_hit(struct store *store, int64_t since_unix, store_hit_fn *fn,
    void *ctx, struct error *error_r)
{
	struct sqlite *sq = reader_of(store);
	struct walk walk = {
	    .sq = sq,
	    .statement = prepare(sq, SQL_HITS, error_r),
	    .fn.hit = fn,
	    .ctx = ctx,
	};

	if (walk.statement == NULL)
		return false;
	bind_int(walk.statement, 1, since_unix);
	return walk_rows(&walk, tell_hit, error_r);
}

static bool
tell_rule_stat(struct walk *walk, bool *more_r, struct error *error_r)
{
	struct store_rule_stat stat;

	if (!read_fields(walk->sq, walk->statement, 0, &store_rule_stat_fields,
		&stat, error_r))
		return false;
	*more_r = walk->fn.rule_stat(walk->ctx, &stat);
	return true;
}

static bool
sqlite_each_rule_stat(struct store *store, store_rule_stat_fn *fn, void *ctx,
    struct error *error_r)
{
	struct sqlite *sq = reader_of(store);
	struct walk walk = {
	    .sq = sq,
	    .statement = prepare(sq, SQL_RULE_STATS, error_r),
	    .fn.rule_stat = fn,
	    .ctx = ctx,
	};

	return walk.statement != NULL &&
	       walk_rows(&walk, tell_rule_stat, error_r);
}

static bool
tell_sender(struct walk *walk, bool *more_r, struct error *error_r)
{
	(void)error_r;
	*more_r = walk->fn.sender(walk->ctx, read_text(walk->statement, 0),
	    sqlite3_column_int64(walk->statement, 1));
	return true;
}

static bool
sqlite_each_sender(struct store *store, const char *account,
    store_sender_fn *fn, void *ctx, struct error *error_r)
{
	struct sqlite *sq = reader_of(store);
	struct walk walk = {
	    .sq = sq,
	    .statement = prepare(sq, SQL_SENDERS, error_r),
	    .fn.sender = fn,
	    .ctx = ctx,
	};

	if (walk.statement == NULL)
		return false;
	bind_text(walk.statement, 1, account);
	return walk_rows(&walk, tell_sender, error_r);
}

static bool
tell_fact(struct walk *walk, bool *more_r, struct error *error_r)
{
	(void)error_r;
	*more_r = walk->fn.fact(walk->ctx, read_text(walk->statement, 0),
	    read_text(walk->statement, 1));
	return true;
}

static bool
sqlite_each_fact(struct store *store, const char *account, store_fact_fn *fn,
    void *ctx, struct error *error_r)
{
	struct sqlite *sq = reader_of(store);
	struct walk walk = {
	    .sq = sq,
	    .statement = prepare(sq, SQL_FACTS, error_r),
	    .fn.fact = fn,
	    .ctx = ctx,
	};

	if (walk.statement == NULL)
		return false;
	bind_text(walk.statement, 1, account);
	return walk_rows(&walk, tell_fact, error_r);
}

static bool
sqlite_get_fact(struct store *store, const char *account, const char *name,
    char **value_r, struct error *error_r)
{
	struct sqlite *sq = reader_of(store);
	sqlite3_stmt *statement = prepare(sq, SQL_GET_FACT, error_r);
	bool ok, found;

	if (statement == NULL)
		return false;
	bind_text(statement, 1, account);
	bind_text(statement, 2, name);
	ok = step(sq, statement, &found, error_r);
	if (ok)
		*value_r = found ? xstrdup(read_text(statement, 0)) : NULL;
	finish(statement);
	return ok;
}

static bool
sqlite_measure_queue(
    struct store *store, struct store_queue_size *size_r, struct error *error_r)
{
	struct sqlite *sq = reader_of(store);
	sqlite3_stmt *statement = prepare(sq, SQL_MEASURE_QUEUE, error_r);
	bool ok, found;

	if (statement == NULL)
		return false;
	ok = step(sq, statement, &found, error_r);
	if (ok)
		*size_r = (struct store_queue_size){
		    .count = (uint64_t)sqlite3_column_int64(statement, 0),
		    .bytes = (uint64_t)sqlite3_column_int64(statement, 1),
		};
	finish(statement);
	return ok;
}

/* ---- prune ---- */

static bool
prune_all(struct sqlite *sq, int64_t before, struct error *error_r)
{
	return run_number(sq, SQL_PRUNE_MESSAGES, before, error_r) &&
	       run_number(sq, SQL_PRUNE_EFFECTS, before, error_r) &&
	       run_number(sq, SQL_PRUNE_HITS, before, error_r) &&
	       run_number(
		   sq, SQL_PRUNE_KEYS, before - STORE_KEY_KEEP_SEC, error_r) &&
	       run_number(sq, SQL_PRUNE_SENDERS, STORE_SENDERS_MAX, error_r);
}

/* The room that old mail and sent originals leave goes back to the disk. */
static bool
sqlite_prune(struct store *store, int64_t before_unix, struct error *error_r)
{
	struct sqlite *sq = sqlite_of(store);

	return check_files(sq, error_r) && end_doubt(sq, error_r) &&
	       set_lazy(sq, false, error_r) && begin_transaction(sq, error_r) &&
	       end_transaction(
		   sq, prune_all(sq, before_unix, error_r), error_r) &&
	       execute(sq, "PRAGMA incremental_vacuum", error_r);
}

/* ---- open ---- */

static const struct migration {
	int version; /* after it */
	const char *sql;
} migrations[] = {
    {1, SCHEMA_1},
    {2, SCHEMA_2 SCHEMA_APPLIES},
    {3, SCHEMA_3},
    {4, SCHEMA_4},
};

/* A number that a pragma or a count gives. */
static bool
read_number(
    struct sqlite *sq, const char *sql, int64_t *value_r, struct error *error_r)
{
	sqlite3_stmt *statement;
	bool ok, row;

	if (sqlite3_prepare_v2(sq->db, sql, -1, &statement, NULL) !=
	    SQLITE_OK) {
		fail(sq, "read", error_r);
		return false;
	}
	ok = step(sq, statement, &row, error_r);
	if (ok)
		*value_r = row ? sqlite3_column_int64(statement, 0) : 0;
	sqlite3_finalize(statement);
	return ok;
}

/* Looks only: a file that is not ours, or newer than us, stays as it is. */
static bool
read_version(struct sqlite *sq, int64_t *version_r, struct error *error_r)
{
	int64_t version, id, tables;

	if (!read_number(sq, "PRAGMA user_version", &version, error_r) ||
	    !read_number(sq, "PRAGMA application_id", &id, error_r) ||
	    !read_number(
		sq, "SELECT count(*) FROM sqlite_schema", &tables, error_r))
		return false;
	if (tables > 0 && id != SCHEMA_APPLICATION_ID)
		return error_set(error_r, FAULT_LOCAL,
		    "%s is a database of another program: move it away",
		    sq->path);
	if (version > STORE_SCHEMA_VERSION)
		return error_set(error_r, FAULT_LOCAL,
		    "%s was written by a newer belfry (schema %lld, this one"
		    " knows %d): install the newer one again, or move the file"
		    " away",
		    sq->path, (long long)version, STORE_SCHEMA_VERSION);
	if (version == 0 && !sq->is_new)
		return set_damaged(sq, "it holds nothing", error_r);
	*version_r = version;
	return true;
}

static bool
run_migration(
    struct sqlite *sq, const struct migration *migration, struct error *error_r)
{
	STR_AUTO version =
	    xasprintf("PRAGMA user_version = %d; PRAGMA application_id = %d;",
		migration->version, SCHEMA_APPLICATION_ID);

	return execute(sq, migration->sql, error_r) &&
	       execute(sq, version, error_r);
}

static bool
run_migrations(struct sqlite *sq, int64_t version, struct error *error_r)
{
	for (size_t i = 0; i < sizeof(migrations) / sizeof(migrations[0]);
	     i++) {
		if (version < migrations[i].version &&
		    !run_migration(sq, &migrations[i], error_r))
			return false;
	}
	return true;
}

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
		fail(sq, "bring its log into it", &sq->store.trouble);
	return SQLITE_OK;
}

/* All of them or none, by one transaction. */
static bool
migrate(struct sqlite *sq, int64_t version, struct error *error_r)
{
	return version == STORE_SCHEMA_VERSION ||
	       (begin_transaction(sq, error_r) &&
		   end_transaction(
		       sq, run_migrations(sq, version, error_r), error_r));
}

/* Only before the first table; and no log, so that it is one file. */
#define MAKER_PRAGMAS                                                          \
	"PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = DELETE;"      \
	"PRAGMA synchronous = FULL"

static bool
set_up_new(struct sqlite *sq, struct error *error_r)
{
	int64_t version = 0;

	return read_version(sq, &version, error_r) &&
	       execute(sq, MAKER_PRAGMAS, error_r) &&
	       migrate(sq, version, error_r);
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
	return read_version(sq, &version, error_r) &&
	       execute(sq, WRITER_PRAGMAS, error_r) &&
	       check_quickly(sq, error_r) && migrate(sq, version, error_r) &&
	       check_files(sq, error_r);
}

static bool
set_up_reader(struct sqlite *sq, struct error *error_r)
{
	int64_t version;

	if (!read_version(sq, &version, error_r))
		return false;
	if (version < STORE_SCHEMA_VERSION)
		return error_set(error_r, FAULT_LOCAL,
		    "%s is of an older belfry: start belfryd once", sq->path);
	return execute(
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
	forget_next(sq);
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
    .each_apply = sqlite_each_apply,
    .count_apply = sqlite_count_apply,
    .each_open_effect = sqlite_each_open_effect,
    .each_open_mailbox = sqlite_each_open_mailbox,
    .each_history = sqlite_each_history,
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
		return fail(sq, "open it", error_r);
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
