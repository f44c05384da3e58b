/*
 * store/memory: the operations of a batch.
 */
#include "daemon/store/memory_private.h"

/* Adds, or replaces what is there. */
static void
put_row(struct table *table, const struct store_fields *fields, void *row)
{
	void *old = table_find(table, row);

	if (old != NULL) {
		table_remove(table, old);
		memory_row_free(fields, old);
	}
	table_add(table, row);
}

static void
set_cursor(struct memory *memory, const struct store_op *op)
{
	put_row(&memory->cursors, &store_cursor_fields,
	    memory_row_copy(
		&store_cursor_fields, &op->cursor, sizeof(op->cursor)));
}

static void
set_apply(struct memory *memory, const struct store_op *op)
{
	put_row(&memory->applies, &store_apply_fields,
	    memory_row_copy(
		&store_apply_fields, &op->apply, sizeof(op->apply)));
}

static void
add_message(struct memory *memory, const struct store_op *op)
{
	if (table_find(&memory->messages, &op->message) == NULL)
		table_add(
		    &memory->messages, memory_row_copy(&store_message_fields,
					   &op->message, sizeof(op->message)));
}

static void
judge_again(struct memory *memory, const struct store_op *op)
{
	struct store_message *row = table_find(&memory->messages, &op->message);

	if (row == NULL) {
		add_message(memory, op);
		return;
	}
	row->judged_unix = op->message.judged_unix;
	memory_replace_text(&row->rules, op->message.rules);
	memory_replace_text(&row->observed, op->message.observed);
	memory_replace_text(&row->warnings, op->message.warnings);
}

static void
add_effect(struct memory *memory, const struct store_op *op)
{
	struct store_effect *effect;

	if (table_find(&memory->effects, &op->effect) != NULL)
		return;
	effect =
	    memory_row_copy(&store_effect_fields, &op->effect, sizeof(*effect));
	table_add(&memory->effects, effect);
	if (store_effect_is_open(effect->state))
		table_add(&memory->open, effect);
}

void
memory_enter_effect(struct memory *memory, struct store_effect *effect,
    enum effect_state state, const char *detail, int64_t changed_unix)
{
	if (effect == NULL)
		return;
	table_remove(&memory->open, effect);
	effect->state = state;
	effect->changed_unix = changed_unix;
	memory_replace_text(&effect->detail, detail);
	if (store_effect_is_open(state))
		table_add(&memory->open, effect);
}

struct store_effect *
memory_find_effect(
    struct memory *memory, const struct store_key *key, unsigned seq)
{
	const struct store_effect wanted = {.key = *key, .seq = seq};

	return table_find(&memory->effects, &wanted);
}

static void
set_effect(struct memory *memory, const struct store_op *op)
{
	struct store_effect *effect = table_find(&memory->effects, &op->effect);

	memory_enter_effect(memory, effect, op->effect.state, op->effect.detail,
	    op->effect.changed_unix);
	if (effect != NULL)
		effect->attempts = op->effect.attempts;
}

static void
count_rule(struct memory *memory, const struct store_rule_stat *add)
{
	struct store_rule_stat *stat = table_find(&memory->stats, add);

	if (stat == NULL) {
		table_add(
		    &memory->stats, memory_row_copy(&store_rule_stat_fields,
					add, sizeof(*add)));
		return;
	}
	stat->hits += add->hits;
	if (add->last_hit_unix > stat->last_hit_unix)
		stat->last_hit_unix = add->last_hit_unix;
	stat->observed += add->observed;
	stat->limited += add->limited;
	stat->judged += add->judged;
	stat->nanoseconds += add->nanoseconds;
}

static void
add_rule_stat(struct memory *memory, const struct store_op *op)
{
	count_rule(memory, &op->rule_stat);
}

static void
forget_rule(struct memory *memory, const struct store_op *op)
{
	void *stat = table_find(&memory->stats, &op->rule_stat);

	if (stat == NULL)
		return;
	table_remove(&memory->stats, stat);
	memory_row_free(&store_rule_stat_fields, stat);
}

static void
add_sender(struct memory *memory, const struct store_op *op)
{
	const struct store_sender *add = &op->sender;
	struct store_sender *sender = table_find(&memory->senders, add);

	if (sender == NULL) {
		table_add(&memory->senders,
		    memory_row_copy(&store_sender_fields, add, sizeof(*add)));
		return;
	}
	if (add->first_unix < sender->first_unix)
		sender->first_unix = add->first_unix;
	if (add->last_unix > sender->last_unix)
		sender->last_unix = add->last_unix;
}

static void
add_hit(struct memory *memory, const struct store_op *op)
{
	const struct store_rule_stat stat = store_hit_stat(&op->hit);

	count_rule(memory, &stat);
	table_add(&memory->hits,
	    memory_row_copy(&store_hit_fields, &op->hit, sizeof(op->hit)));
}

static void
set_fact(struct memory *memory, const struct store_op *op)
{
	put_row(&memory->facts, &store_fact_fields,
	    memory_row_copy(&store_fact_fields, &op->fact, sizeof(op->fact)));
}

static void
forget_fact(struct memory *memory, const struct store_op *op)
{
	void *fact = table_find(&memory->facts, &op->fact);

	if (fact == NULL)
		return;
	table_remove(&memory->facts, fact);
	memory_row_free(&store_fact_fields, fact);
}

typedef void apply_fn(struct memory *memory, const struct store_op *op);
static apply_fn *const appliers[STORE_OP_KINDS] = {
    [STORE_SET_CURSOR] = set_cursor,
    [STORE_SET_APPLY] = set_apply,
    [STORE_JUDGE_AGAIN] = judge_again,
    [STORE_ADD_MESSAGE] = add_message,
    [STORE_ADD_EFFECT] = add_effect,
    [STORE_SET_EFFECT] = set_effect,
    [STORE_ENQUEUE] = memory_enqueue,
    [STORE_SET_QUEUE] = memory_set_queue,
    [STORE_ADD_HIT] = add_hit,
    [STORE_SET_FACT] = set_fact,
    [STORE_FORGET_FACT] = forget_fact,
    [STORE_ADD_RULE_STAT] = add_rule_stat,
    [STORE_FORGET_RULE] = forget_rule,
    [STORE_ADD_SENDER] = add_sender,
    [STORE_FORGET_MAILBOX] = memory_forget_mailbox,
    [STORE_FORGET_ACCOUNT] = memory_forget_account,
};

/* No operation can fail, so all of them happen. */
bool
memory_commit(struct store *store, const struct store_batch *const *batches,
    size_t count, struct error *error_r)
{
	if (!store_can_commit(store, error_r))
		return false;
	for (size_t i = 0; i < count; i++) {
		LIST_EACH(pos, &batches[i]->ops)
		{
			const struct store_op *op =
			    LIST_ITEM(pos, struct store_op, link);
			appliers[op->kind](memory_of(store), op);
		}
	}
	return true;
}
