/*
 * store/sqlite: cursors, runs, open effects, and what was learned: readers.
 */
#include "daemon/base/xalloc.h"
#include "daemon/store/sqlite_private.h"

bool
sqlite_walk(struct walk *walk, tell_fn *tell, struct error *error_r)
{
	bool ok = true, more = true, row;

	while (ok && more) {
		ok = sql_step(walk->sq, walk->statement, &row, error_r);
		if (!ok || !row)
			break;
		ok = tell(walk, &more, error_r);
	}
	sql_finish(walk->statement);
	return ok;
}

/* ---- a mailbox ---- */

bool
sqlite_get_cursor(struct store *store, const char *account, const char *mailbox,
    struct store_cursor *cursor_r, bool *found_r, struct error *error_r)
{
	struct sqlite *sq = sqlite_reader_of(store);
	sqlite3_stmt *statement = sql_prepare(sq, SQL_GET_CURSOR, error_r);
	bool ok, found;

	if (statement == NULL)
		return false;
	sql_bind_text(statement, 1, account);
	sql_bind_text(statement, 2, mailbox);
	ok = sql_step(sq, statement, &found, error_r);
	if (ok && found) {
		sql_read_fields(
		    sq, statement, 0, &store_cursor_fields, cursor_r, NULL);
		cursor_r->account = account;
		cursor_r->mailbox = mailbox;
		buf_clear(&sq->judged);
		buf_add_str(&sq->judged, cursor_r->judged);
		cursor_r->judged = buf_str(&sq->judged);
	}
	if (ok)
		*found_r = found;
	sql_finish(statement);
	return ok;
}

static bool
tell_cursor(struct walk *walk, bool *more_r, struct error *error_r)
{
	struct store_cursor cursor;

	(void)error_r;
	sql_read_fields(
	    walk->sq, walk->statement, 0, &store_cursor_fields, &cursor, NULL);
	*more_r = walk->fn.cursor(walk->ctx, &cursor);
	return true;
}

bool
sqlite_each_cursor(struct store *store, const char *account,
    store_cursor_fn *fn, void *ctx, struct error *error_r)
{
	struct sqlite *sq = sqlite_reader_of(store);
	struct walk walk = {
	    .sq = sq,
	    .statement = sql_prepare(sq, SQL_CURSORS, error_r),
	    .fn.cursor = fn,
	    .ctx = ctx,
	};

	if (walk.statement == NULL)
		return false;
	sql_bind_text(walk.statement, 1, account);
	return sqlite_walk(&walk, tell_cursor, error_r);
}

bool
sqlite_next_account(struct store *store, const char *after, char **account_r,
    struct error *error_r)
{
	struct sqlite *sq = sqlite_reader_of(store);
	sqlite3_stmt *statement = sql_prepare(sq, SQL_NEXT_ACCOUNT, error_r);
	bool ok, row;

	if (statement == NULL)
		return false;
	sql_bind_text(statement, 1, after);
	ok = sql_step(sq, statement, &row, error_r);
	if (ok)
		*account_r = sqlite3_column_type(statement, 0) == SQLITE_NULL
				 ? NULL
				 : xstrdup(sql_read_text(statement, 0));
	sql_finish(statement);
	return ok;
}

bool
sqlite_is_needed(struct store *store, const char *account, const char *mailbox,
    bool *is_r, struct error *error_r)
{
	struct sqlite *sq = sqlite_reader_of(store);
	sqlite3_stmt *statement = sql_prepare(sq,
	    mailbox != NULL ? SQL_IS_MAILBOX_NEEDED : SQL_IS_ACCOUNT_NEEDED,
	    error_r);
	bool ok, row;

	if (statement == NULL)
		return false;
	sql_bind_text(statement, 1, account);
	if (mailbox != NULL)
		sql_bind_text(statement, 2, mailbox);
	ok = sql_step(sq, statement, &row, error_r);
	if (ok)
		*is_r = sqlite3_column_int(statement, 0) != 0;
	sql_finish(statement);
	return ok;
}

static bool
tell_apply(struct walk *walk, bool *more_r, struct error *error_r)
{
	struct store_apply apply;

	if (!sql_read_fields(walk->sq, walk->statement, 0, &store_apply_fields,
		&apply, error_r))
		return false;
	*more_r = walk->fn.apply(walk->ctx, &apply);
	return true;
}

bool
sqlite_each_apply(struct store *store, const char *account, store_apply_fn *fn,
    void *ctx, struct error *error_r)
{
	struct sqlite *sq = sqlite_reader_of(store);
	struct walk walk = {
	    .sq = sq,
	    .statement = sql_prepare(sq, SQL_APPLIES, error_r),
	    .fn.apply = fn,
	    .ctx = ctx,
	};

	if (walk.statement == NULL)
		return false;
	sql_bind_text(walk.statement, 1, account);
	return sqlite_walk(&walk, tell_apply, error_r);
}

static bool
tell_apply_count(struct walk *walk, bool *more_r, struct error *error_r)
{
	enum effect_state state;

	if (!effect_state_parse(
		span_from_str(sql_read_text(walk->statement, 2)), &state))
		return sql_set_damaged(walk->sq, "an unknown state", error_r);
	*more_r =
	    walk->fn.apply_count(walk->ctx, sql_read_text(walk->statement, 0),
		sql_read_text(walk->statement, 1), state,
		(uint64_t)sqlite3_column_int64(walk->statement, 3));
	return true;
}

bool
sqlite_count_apply(struct store *store, const struct store_apply *apply,
    store_apply_count_fn *fn, void *ctx, struct error *error_r)
{
	struct sqlite *sq = sqlite_reader_of(store);
	int64_t first = (int64_t)apply->run * STORE_APPLY_SEQ;
	struct walk walk = {
	    .sq = sq,
	    .statement = sql_prepare(sq, SQL_COUNT_APPLY, error_r),
	    .fn.apply_count = fn,
	    .ctx = ctx,
	};

	if (walk.statement == NULL)
		return false;
	sql_bind_text(walk.statement, 1, apply->account);
	sql_bind_text(walk.statement, 2, apply->mailbox);
	sql_bind_int(walk.statement, 3, apply->uidvalidity);
	sql_bind_int(walk.statement, 4, first);
	sql_bind_int(walk.statement, 5, first + STORE_APPLY_SEQ);
	return sqlite_walk(&walk, tell_apply_count, error_r);
}

static bool
tell_open_effect(struct walk *walk, bool *more_r, struct error *error_r)
{
	struct store_effect effect;
	struct store_message message;
	int at = (int)store_effect_fields.count;

	if (!sql_read_fields(walk->sq, walk->statement, 0, &store_effect_fields,
		&effect, error_r))
		return false;
	sql_read_fields(walk->sq, walk->statement, at, &store_message_fields,
	    &message, NULL);
	message.key = effect.key; /* also when there is no message */
	*more_r = walk->fn.effect(walk->ctx, &effect, &message);
	return true;
}

bool
sqlite_each_open_effect(struct store *store, const char *account,
    const char *mailbox, store_effect_fn *fn, void *ctx, struct error *error_r)
{
	struct sqlite *sq = sqlite_reader_of(store);
	struct walk walk = {
	    .sq = sq,
	    .statement = sql_prepare(sq, SQL_OPEN_EFFECTS, error_r),
	    .fn.effect = fn,
	    .ctx = ctx,
	};

	if (walk.statement == NULL)
		return false;
	sql_bind_text(walk.statement, 1, account);
	sql_bind_text(walk.statement, 2, mailbox);
	return sqlite_walk(&walk, tell_open_effect, error_r);
}

static bool
tell_open_mailbox(struct walk *walk, bool *more_r, struct error *error_r)
{
	(void)error_r;
	*more_r =
	    walk->fn.open_mailbox(walk->ctx, sql_read_text(walk->statement, 0),
		(uint64_t)sqlite3_column_int64(walk->statement, 1));
	return true;
}

bool
sqlite_each_open_mailbox(struct store *store, const char *account,
    store_open_mailbox_fn *fn, void *ctx, struct error *error_r)
{
	struct sqlite *sq = sqlite_reader_of(store);
	struct walk walk = {
	    .sq = sq,
	    .statement = sql_prepare(sq, SQL_OPEN_MAILBOXES, error_r),
	    .fn.open_mailbox = fn,
	    .ctx = ctx,
	};

	if (walk.statement == NULL)
		return false;
	sql_bind_text(walk.statement, 1, account);
	return sqlite_walk(&walk, tell_open_mailbox, error_r);
}

/* ---- rules, senders, facts ---- */

static bool
tell_hit(struct walk *walk, bool *more_r, struct error *error_r)
{
	(void)error_r;
	*more_r = walk->fn.hit(walk->ctx, sql_read_text(walk->statement, 0),
	    sqlite3_column_int64(walk->statement, 1));
	return true;
}

bool
sqlite_each_hit(struct store *store, int64_t since_unix, store_hit_fn *fn,
    void *ctx, struct error *error_r)
{
	struct sqlite *sq = sqlite_reader_of(store);
	struct walk walk = {
	    .sq = sq,
	    .statement = sql_prepare(sq, SQL_HITS, error_r),
	    .fn.hit = fn,
	    .ctx = ctx,
	};

	if (walk.statement == NULL)
		return false;
	sql_bind_int(walk.statement, 1, since_unix);
	return sqlite_walk(&walk, tell_hit, error_r);
}

static bool
tell_rule_stat(struct walk *walk, bool *more_r, struct error *error_r)
{
	struct store_rule_stat stat;

	if (!sql_read_fields(walk->sq, walk->statement, 0,
		&store_rule_stat_fields, &stat, error_r))
		return false;
	*more_r = walk->fn.rule_stat(walk->ctx, &stat);
	return true;
}

bool
sqlite_each_rule_stat(struct store *store, store_rule_stat_fn *fn, void *ctx,
    struct error *error_r)
{
	struct sqlite *sq = sqlite_reader_of(store);
	struct walk walk = {
	    .sq = sq,
	    .statement = sql_prepare(sq, SQL_RULE_STATS, error_r),
	    .fn.rule_stat = fn,
	    .ctx = ctx,
	};

	return walk.statement != NULL &&
	       sqlite_walk(&walk, tell_rule_stat, error_r);
}

static bool
tell_sender(struct walk *walk, bool *more_r, struct error *error_r)
{
	(void)error_r;
	*more_r = walk->fn.sender(walk->ctx, sql_read_text(walk->statement, 0),
	    sqlite3_column_int64(walk->statement, 1));
	return true;
}

bool
sqlite_each_sender(struct store *store, const char *account,
    store_sender_fn *fn, void *ctx, struct error *error_r)
{
	struct sqlite *sq = sqlite_reader_of(store);
	struct walk walk = {
	    .sq = sq,
	    .statement = sql_prepare(sq, SQL_SENDERS, error_r),
	    .fn.sender = fn,
	    .ctx = ctx,
	};

	if (walk.statement == NULL)
		return false;
	sql_bind_text(walk.statement, 1, account);
	return sqlite_walk(&walk, tell_sender, error_r);
}

static bool
tell_fact(struct walk *walk, bool *more_r, struct error *error_r)
{
	(void)error_r;
	*more_r = walk->fn.fact(walk->ctx, sql_read_text(walk->statement, 0),
	    sql_read_text(walk->statement, 1));
	return true;
}

bool
sqlite_each_fact(struct store *store, const char *account, store_fact_fn *fn,
    void *ctx, struct error *error_r)
{
	struct sqlite *sq = sqlite_reader_of(store);
	struct walk walk = {
	    .sq = sq,
	    .statement = sql_prepare(sq, SQL_FACTS, error_r),
	    .fn.fact = fn,
	    .ctx = ctx,
	};

	if (walk.statement == NULL)
		return false;
	sql_bind_text(walk.statement, 1, account);
	return sqlite_walk(&walk, tell_fact, error_r);
}

bool
sqlite_get_fact(struct store *store, const char *account, const char *name,
    char **value_r, struct error *error_r)
{
	struct sqlite *sq = sqlite_reader_of(store);
	sqlite3_stmt *statement = sql_prepare(sq, SQL_GET_FACT, error_r);
	bool ok, found;

	if (statement == NULL)
		return false;
	sql_bind_text(statement, 1, account);
	sql_bind_text(statement, 2, name);
	ok = sql_step(sq, statement, &found, error_r);
	if (ok)
		*value_r = found ? xstrdup(sql_read_text(statement, 0)) : NULL;
	sql_finish(statement);
	return ok;
}
