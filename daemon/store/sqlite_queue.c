/*
 * store/sqlite: the queue of forwards: what is put into it, and what is told of
 * it.
 */
#include <assert.h>
#include <stddef.h>

#include "daemon/store/sqlite_private.h"

/* ---- commit ---- */

static bool
skip_effect(struct sqlite *sq, const struct store_queue_item *item,
    struct error *error_r)
{
	sqlite3_stmt *statement = sql_prepare(sq, SQL_SKIP_EFFECT, error_r);

	if (statement == NULL)
		return false;
	sql_bind_effect_key(statement, &item->source, item->seq);
	sql_bind_text(statement, 6, STORE_FORWARDED_ALREADY);
	sql_bind_int(statement, 7, item->queued_unix);
	return sql_run(sq, statement, error_r);
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
	statement = sql_prepare(sq, SQL_SETTLE, error_r);
	if (statement == NULL)
		return false;
	sql_bind_int(statement, 1, id);
	sql_bind_text(statement, 2, effect_state_name(outcome->effect));
	return sql_run(sq, statement, error_r);
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
	sqlite3_stmt *statement = sql_prepare(sq, SQL_FIND_TWIN, error_r);
	struct store_key key;
	bool ok, found = false;

	if (statement == NULL)
		return false;
	sql_bind_text(statement, 1, item->key);
	ok = sql_step(sq, statement, &found, error_r);
	assert(!ok || found);
	ok = ok &&
	     sql_read_fields(
		 sq, statement, 0, &store_key_fields, &key, error_r) &&
	     sql_read_fields(sq, statement, 6, &state_field, twin_r, error_r);
	if (ok) {
		twin_r->is_same =
		    store_key_equal(&key, &item->source) &&
		    (unsigned)sqlite3_column_int64(statement, 4) == item->seq;
		twin_r->id = sqlite3_column_int64(statement, 5);
	}
	sql_finish(statement);
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

bool
sqlite_enqueue(
    struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	const struct store_queue_item *item = &op->item;
	sqlite3_stmt *statement;

	if (!sql_run_row(sq, SQL_ADD_ITEM, &store_item_fields, item, error_r))
		return false;
	if (sqlite3_changes(sq->db) == 0)
		return refuse_twin(sq, item, error_r);
	statement = sql_prepare(sq, SQL_ADD_ORIGINAL, error_r);
	if (statement == NULL)
		return false;
	sql_bind_int(statement, 1, sqlite3_last_insert_rowid(sq->db));
	sql_check_bound(sqlite3_bind_blob64(
	    statement, 2, op->bytes, item->original.len, SQLITE_STATIC));
	return sql_run(sq, statement, error_r);
}

/* Whether the item is there and may get the new state. */
static bool
can_set_item(struct sqlite *sq, const struct store_queue_item *item,
    bool *can_r, struct error *error_r)
{
	sqlite3_stmt *statement = sql_prepare(sq, SQL_GET_ITEM_STATE, error_r);
	enum queue_state state;
	bool ok, found;

	if (statement == NULL)
		return false;
	sql_bind_int(statement, 1, item->id);
	ok = sql_step(sq, statement, &found, error_r);
	if (ok)
		*can_r =
		    found &&
		    queue_state_parse(
			span_from_str(sql_read_text(statement, 0)), &state) &&
		    store_can_follow(state, item->state);
	sql_finish(statement);
	return ok;
}

static bool
set_item(struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	const struct store_queue_item *item = &op->item;
	sqlite3_stmt *statement = sql_prepare(sq, SQL_SET_ITEM, error_r);

	if (statement == NULL)
		return false;
	sql_bind_int(statement, 1, item->id);
	sql_bind_text(statement, 2, queue_state_name(item->state));
	sql_bind_int(statement, 3, item->attempts);
	sql_bind_int(statement, 4, item->next_try_unix);
	sql_bind_text(statement, 5, item->reply);
	sql_bind_int(statement, 6, op->now_unix);
	return sql_run(sq, statement, error_r);
}

bool
sqlite_set_queue(
    struct sqlite *sq, const struct store_op *op, struct error *error_r)
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
	    !sql_run_number(sq, SQL_DROP_ORIGINAL, item->id, error_r))
		return false;
	return settle(sq, item->id, item->state, error_r);
}

/* ---- readers ---- */

static bool
read_item(const struct sqlite *sq, sqlite3_stmt *statement,
    struct store_queue_item *item, struct error *error_r)
{
	*item =
	    (struct store_queue_item){.id = sqlite3_column_int64(statement, 0)};
	return sql_read_fields(
	    sq, statement, 1, &store_item_fields, item, error_r);
}

void
sqlite_forget_next(struct sqlite *sq)
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
	sqlite3_stmt *statement = sql_prepare(sq, which, error_r);
	bool ok;

	if (statement == NULL)
		return false;
	sql_bind_text(statement, 1, account);
	for (int i = 0; i < STORE_BUT_MAX; i++)
		sql_bind_int(statement, 2 + i, but->ids[i]);
	ok = sql_step(sq, statement, found_r, error_r) &&
	     (!*found_r || keep_next(sq, statement, error_r));
	sql_finish(statement);
	return ok;
}

bool
sqlite_queue_next(struct store *store, const char *account,
    const struct store_but *but, struct store_queue_item *item_r, bool *found_r,
    struct error *error_r)
{
	struct sqlite *sq = sqlite_reader_of(store);
	bool found = false;

	sqlite_forget_next(sq);
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

bool
sqlite_each_queued(struct store *store, const char *account, store_queue_fn *fn,
    void *ctx, struct error *error_r)
{
	struct sqlite *sq = sqlite_reader_of(store);
	struct walk walk = {
	    .sq = sq,
	    .statement = sql_prepare(sq, SQL_QUEUED, error_r),
	    .fn.queue = fn,
	    .ctx = ctx,
	};

	if (walk.statement == NULL)
		return false;
	sql_bind_text(walk.statement, 1, account);
	return sqlite_walk(&walk, tell_item, error_r);
}

bool
sqlite_each_forward(struct store *store, const char *account,
    const char *mailbox, store_queue_fn *fn, void *ctx, struct error *error_r)
{
	struct sqlite *sq = sqlite_reader_of(store);
	struct walk walk = {
	    .sq = sq,
	    .statement = sql_prepare(sq, SQL_FORWARDS, error_r),
	    .fn.queue = fn,
	    .ctx = ctx,
	};

	if (walk.statement == NULL)
		return false;
	sql_bind_text(walk.statement, 1, account);
	sql_bind_text(walk.statement, 2, mailbox);
	return sqlite_walk(&walk, tell_item, error_r);
}

bool
sqlite_is_queued(struct store *store, const struct store_key *source,
    unsigned seq, bool *is_r, struct error *error_r)
{
	struct sqlite *sq = sqlite_reader_of(store);
	sqlite3_stmt *statement = sql_prepare(sq, SQL_IS_QUEUED, error_r);
	bool ok;

	if (statement == NULL)
		return false;
	sql_bind_effect_key(statement, source, seq);
	ok = sql_step(sq, statement, is_r, error_r);
	sql_finish(statement);
	return ok;
}

bool
sqlite_measure_queue(
    struct store *store, struct store_queue_size *size_r, struct error *error_r)
{
	struct sqlite *sq = sqlite_reader_of(store);
	sqlite3_stmt *statement = sql_prepare(sq, SQL_MEASURE_QUEUE, error_r);
	bool ok, found;

	if (statement == NULL)
		return false;
	ok = sql_step(sq, statement, &found, error_r);
	if (ok)
		*size_r = (struct store_queue_size){
		    .count = (uint64_t)sqlite3_column_int64(statement, 0),
		    .bytes = (uint64_t)sqlite3_column_int64(statement, 1),
		};
	sql_finish(statement);
	return ok;
}
