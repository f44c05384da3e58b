/*
 * store/sqlite: the history: messages, each with its effects;
 * and the UIDs of a mailbox, by its key.
 */
#include <stdlib.h>

#include "daemon/base/xalloc.h"
#include "daemon/store/sqlite_private.h"

#define EFFECTS_ROOM_MIN 8

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
	sqlite3_stmt *statement = sql_prepare(sq, SQL_HISTORY_EFFECTS, error_r);
	struct store_effect effect;
	bool ok, row = true;

	if (statement == NULL)
		return false;
	sql_bind_fields(statement, &store_key_fields, key);
	while ((ok = sql_step(sq, statement, &row, error_r)) && row) {
		ok = sql_read_fields(
		    sq, statement, 0, &store_effect_fields, &effect, error_r);
		if (!ok)
			break;
		effects_add(effects, effect);
	}
	sql_finish(statement);
	return ok;
}

static bool
tell_history(struct walk *walk, bool *more_r, struct error *error_r)
{
	__attribute__((cleanup(effects_done))) struct effects effects = {0};
	const struct store_history_query *query = walk->query;
	struct store_message message;

	sql_read_fields(walk->sq, walk->statement, 0, &store_message_fields,
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

bool
sqlite_each_history(struct store *store,
    const struct store_history_query *query, store_history_fn *fn, void *ctx,
    struct error *error_r)
{
	struct sqlite *sq = sqlite_reader_of(store);
	struct walk walk = {
	    .sq = sq,
	    .statement = sql_prepare(sq, SQL_HISTORY, error_r),
	    .fn.history = fn,
	    .ctx = ctx,
	    .query = query,
	};

	if (walk.statement == NULL)
		return false;
	sql_bind_text(walk.statement, 1, query->account);
	sql_bind_text(walk.statement, 2, query->mailbox);
	sql_bind_int(walk.statement, 3, query->since_unix);
	return sqlite_walk(&walk, tell_history, error_r);
}

bool
sqlite_find_message(struct store *store, const struct store_key *key,
    store_history_fn *fn, void *ctx, struct error *error_r)
{
	static const struct store_history_query any = {.limit = 1};
	struct sqlite *sq = sqlite_reader_of(store);
	struct walk walk = {
	    .sq = sq,
	    .statement = sql_prepare(sq, SQL_MESSAGE, error_r),
	    .fn.history = fn,
	    .ctx = ctx,
	    .query = &any,
	};

	if (walk.statement == NULL)
		return false;
	sql_bind_fields(walk.statement, &store_key_fields, key);
	return sqlite_walk(&walk, tell_history, error_r);
}

static bool
tell_uid(struct walk *walk, bool *more_r, struct error *error_r)
{
	(void)error_r;
	*more_r = walk->fn.uid(
	    walk->ctx, (uint32_t)sqlite3_column_int64(walk->statement, 0));
	return true;
}

/* The second column says whether it is wanted. */
static bool
tell_uid_once(struct walk *walk, bool *more_r, struct error *error_r)
{
	uint32_t uid = (uint32_t)sqlite3_column_int64(walk->statement, 0);

	if (sqlite3_column_int(walk->statement, 1) == 0 || uid == walk->uid)
		return true;
	walk->uid = uid;
	return tell_uid(walk, more_r, error_r);
}

static bool
begin_uids(struct walk *walk, const struct store_key *from)
{
	if (walk->statement == NULL)
		return false;
	sql_bind_text(walk->statement, 1, from->account);
	sql_bind_text(walk->statement, 2, from->mailbox);
	sql_bind_int(walk->statement, 3, from->uidvalidity);
	sql_bind_int(walk->statement, 4, from->uid);
	sql_bind_int(walk->statement, 5, STORE_UIDS_MAX);
	return true;
}

bool
sqlite_each_judged(struct store *store, const struct store_key *from,
    store_uid_fn *fn, void *ctx, struct error *error_r)
{
	struct sqlite *sq = sqlite_reader_of(store);
	struct walk walk = {
	    .sq = sq,
	    .statement = sql_prepare(sq, SQL_JUDGED, error_r),
	    .fn.uid = fn,
	    .ctx = ctx,
	};

	return begin_uids(&walk, from) && sqlite_walk(&walk, tell_uid, error_r);
}

bool
sqlite_each_notified(struct store *store, const struct store_key *from,
    int64_t since_unix, store_uid_fn *fn, void *ctx, struct error *error_r)
{
	struct sqlite *sq = sqlite_reader_of(store);
	struct walk walk = {
	    .sq = sq,
	    .statement = sql_prepare(sq, SQL_NOTIFIED, error_r),
	    .fn.uid = fn,
	    .ctx = ctx,
	};

	if (!begin_uids(&walk, from))
		return false;
	sql_bind_int(walk.statement, 6, since_unix);
	return sqlite_walk(&walk, tell_uid_once, error_r);
}
