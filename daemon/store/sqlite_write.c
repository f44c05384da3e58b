/*
 * store/sqlite: the operations of a batch.
 */
#include "daemon/store/sqlite_private.h"

static bool
set_cursor(struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	return sql_run_row(
	    sq, SQL_SET_CURSOR, &store_cursor_fields, &op->cursor, error_r);
}

static bool
set_apply(struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	return sql_run_row(
	    sq, SQL_SET_APPLY, &store_apply_fields, &op->apply, error_r);
}

static bool
judge_again(struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	return sql_run_row(
	    sq, SQL_JUDGE_AGAIN, &store_message_fields, &op->message, error_r);
}

static bool
add_message(struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	return sql_run_row(
	    sq, SQL_ADD_MESSAGE, &store_message_fields, &op->message, error_r);
}

static bool
add_effect(struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	return sql_run_row(
	    sq, SQL_ADD_EFFECT, &store_effect_fields, &op->effect, error_r);
}

static bool
set_effect(struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	const struct store_effect *effect = &op->effect;
	sqlite3_stmt *statement = sql_prepare(sq, SQL_SET_EFFECT, error_r);

	if (statement == NULL)
		return false;
	sql_bind_effect_key(statement, &effect->key, effect->seq);
	sql_bind_text(statement, 6, effect_state_name(effect->state));
	sql_bind_int(statement, 7, effect->attempts);
	sql_bind_text(statement, 8, effect->detail);
	sql_bind_int(statement, 9, effect->changed_unix);
	return sql_run(sq, statement, error_r);
}

static bool
add_hit(struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	const struct store_rule_stat stat = store_hit_stat(&op->hit);

	return sql_run_row(
		   sq, SQL_ADD_HIT, &store_hit_fields, &op->hit, error_r) &&
	       sql_run_row(sq, SQL_ADD_RULE_STAT, &store_rule_stat_fields,
		   &stat, error_r);
}

static bool
add_rule_stat(
    struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	return sql_run_row(sq, SQL_ADD_RULE_STAT, &store_rule_stat_fields,
	    &op->rule_stat, error_r);
}

static bool
forget_rule(struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	sqlite3_stmt *statement = sql_prepare(sq, SQL_FORGET_RULE, error_r);

	if (statement == NULL)
		return false;
	sql_bind_text(statement, 1, op->rule_stat.rule);
	return sql_run(sq, statement, error_r);
}

static bool
add_sender(struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	return sql_run_row(
	    sq, SQL_ADD_SENDER, &store_sender_fields, &op->sender, error_r);
}

static bool
set_fact(struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	return sql_run_row(
	    sq, SQL_SET_FACT, &store_fact_fields, &op->fact, error_r);
}

static bool
forget_fact(struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	sqlite3_stmt *statement = sql_prepare(sq, SQL_FORGET_FACT, error_r);

	if (statement == NULL)
		return false;
	sql_bind_text(statement, 1, op->fact.account);
	sql_bind_text(statement, 2, op->fact.name);
	return sql_run(sq, statement, error_r);
}

/* The place's account, and what else the statement needs. */
static bool
forget(struct sqlite *sq, enum sql which, const struct store_op *op,
    bool has_mailbox, struct error *error_r)
{
	sqlite3_stmt *statement = sql_prepare(sq, which, error_r);

	if (statement == NULL)
		return false;
	sql_bind_text(statement, 1, op->place.account);
	if (has_mailbox)
		sql_bind_text(statement, 2, op->place.mailbox);
	else if (which == SQL_FORGET_SENDERS)
		sql_bind_int(statement, 2, STORE_FORGET_MAX);
	return sql_run(sq, statement, error_r);
}

static bool
forget_mailbox(
    struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	return forget(sq, SQL_FORGET_CURSOR, op, true, error_r) &&
	       forget(sq, SQL_FORGET_RUN, op, true, error_r);
}

static bool
forget_account(
    struct sqlite *sq, const struct store_op *op, struct error *error_r)
{
	return forget(sq, SQL_FORGET_CURSORS, op, false, error_r) &&
	       forget(sq, SQL_FORGET_RUNS, op, false, error_r) &&
	       forget(sq, SQL_FORGET_SENDERS, op, false, error_r) &&
	       forget(sq, SQL_FORGET_FACTS, op, false, error_r);
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
    [STORE_ENQUEUE] = sqlite_enqueue,
    [STORE_SET_QUEUE] = sqlite_set_queue,
    [STORE_ADD_HIT] = add_hit,
    [STORE_SET_FACT] = set_fact,
    [STORE_FORGET_FACT] = forget_fact,
    [STORE_ADD_RULE_STAT] = add_rule_stat,
    [STORE_FORGET_RULE] = forget_rule,
    [STORE_ADD_SENDER] = add_sender,
    [STORE_FORGET_MAILBOX] = forget_mailbox,
    [STORE_FORGET_ACCOUNT] = forget_account,
};

bool
sqlite_apply(
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
