/*
 * The store's twin in memory: for tests and simulation. It keeps the same
 * contract with plain sorted tables, forgets all at the end of the process,
 * and fails only when told to (store_fail_commit).
 */
#include <assert.h>

#include "daemon/base/xalloc.h"
#include "daemon/store/store_private.h"
#include "daemon/store/table.h"

struct queue_row {
	struct store_queue_item item;
	char *bytes; /* owned: what item.original is over; may be NULL */
	int64_t changed_unix;
};

struct memory {
	struct store store;    /* the head */
	struct table cursors;  /* struct store_cursor */
	struct table applies;  /* struct store_apply */
	struct table messages; /* struct store_message */
	struct table effects;  /* struct store_effect */
	struct table open;     /* those of `effects` that are open */
	struct table keys;     /* struct queue_row, by key */
	struct table queue;    /* the same rows, by id */
	struct table hits;     /* struct store_hit */
	struct table facts;    /* struct store_fact */
	struct table stats;    /* struct store_rule_stat */
	struct table senders;  /* struct store_sender */
	int64_t last_id;
	struct queue_row next; /* what queue_next handed out */
};

static struct memory *
memory_of(struct store *store)
{
	return (struct memory *)(void *)store;
}

/* ---- orders ---- */

static int
compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int
compare_i64(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int
compare_pair(const char *a1, const char *a2, const char *b1, const char *b2)
{
	int order = strcmp(a1, b1);

	return order != 0 ? order : strcmp(a2, b2);
}

static int
compare_key(const struct store_key *a, const struct store_key *b)
{
	int order =
	    compare_pair(a->account, a->mailbox, b->account, b->mailbox);

	if (order == 0)
		order = compare_u64(a->uid, b->uid);
	return order != 0 ? order : compare_u64(a->uidvalidity, b->uidvalidity);
}

static int
compare_cursors(const void *a, const void *b)
{
	const struct store_cursor *x = a, *y = b;

	return compare_pair(x->account, x->mailbox, y->account, y->mailbox);
}

static int
compare_applies(const void *a, const void *b)
{
	const struct store_apply *x = a, *y = b;

	return compare_pair(x->account, x->mailbox, y->account, y->mailbox);
}

static int
compare_messages(const void *a, const void *b)
{
	const struct store_message *x = a, *y = b;

	return compare_key(&x->key, &y->key);
}

static int
compare_effects(const void *a, const void *b)
{
	const struct store_effect *x = a, *y = b;
	int order = compare_key(&x->key, &y->key);

	return order != 0 ? order : compare_u64(x->seq, y->seq);
}

static int
compare_queue_keys(const void *a, const void *b)
{
	const struct queue_row *x = a, *y = b;

	return strcmp(x->item.key, y->item.key);
}

static int
compare_ids(const void *a, const void *b)
{
	const struct queue_row *x = a, *y = b;

	return compare_i64(x->item.id, y->item.id);
}

static int
compare_hits(const void *a, const void *b)
{
	const struct store_hit *x = a, *y = b;

	return compare_i64(x->when_unix, y->when_unix);
}

static int
compare_facts(const void *a, const void *b)
{
	const struct store_fact *x = a, *y = b;

	return compare_pair(x->account, x->name, y->account, y->name);
}

static int
compare_stats(const void *a, const void *b)
{
	const struct store_rule_stat *x = a, *y = b;

	return strcmp(x->rule, y->rule);
}

static int
compare_senders(const void *a, const void *b)
{
	const struct store_sender *x = a, *y = b;

	return compare_pair(x->account, x->address, y->account, y->address);
}

/* Of one account, newest first. */
static int
compare_last(const void *a, const void *b)
{
	const struct store_sender *x = *(void *const *)a,
				  *y = *(void *const *)b;
	int order = compare_i64(y->last_unix, x->last_unix);

	return order != 0 ? order : strcmp(x->address, y->address);
}

/* Newest first. */
static int
compare_history(const void *a, const void *b)
{
	const struct store_message *x = *(void *const *)a,
				   *y = *(void *const *)b;
	int order = compare_i64(y->judged_unix, x->judged_unix);

	if (order == 0)
		order = compare_u64(y->key.uid, x->key.uid);
	if (order == 0)
		order = compare_pair(x->key.account, x->key.mailbox,
		    y->key.account, y->key.mailbox);
	return order != 0 ? order
			  : compare_u64(y->key.uidvalidity, x->key.uidvalidity);
}

/* ---- rows ---- */

static void *
copy_row(const struct store_fields *fields, const void *row, size_t size)
{
	void *copy = xmalloc(size);

	memcpy(copy, row, size);
	store_fields_copy(fields, copy);
	return copy;
}

static void
free_row(const struct store_fields *fields, void *row)
{
	store_fields_free(fields, row);
	free(row);
}

static void
free_rows(struct table *table, const struct store_fields *fields)
{
	for (size_t i = 0; i < table->count; i++)
		free_row(fields, table->rows[i]);
	table_done(table);
}

static void
drop_bytes(struct queue_row *row)
{
	free(row->bytes);
	row->bytes = NULL;
	row->item.original = SPAN_EMPTY;
}

static void
queue_row_done(struct queue_row *row)
{
	store_fields_free(&store_item_fields, &row->item);
	drop_bytes(row);
}

static void
copy_bytes(struct queue_row *row, struct span bytes)
{
	row->bytes = xmalloc(bytes.len + 1);
	if (bytes.len > 0)
		memcpy(row->bytes, bytes.data, bytes.len);
	row->item.original = span_from(row->bytes, bytes.len);
}

static void
replace_text(const char **text, const char *with)
{
	char *copy = xstrdup(with);

	free((char *)*text);
	*text = copy;
}

static void
memory_close(struct store *store)
{
	struct memory *memory = memory_of(store);

	free_rows(&memory->cursors, &store_cursor_fields);
	free_rows(&memory->applies, &store_apply_fields);
	free_rows(&memory->messages, &store_message_fields);
	free_rows(&memory->effects, &store_effect_fields);
	free_rows(&memory->hits, &store_hit_fields);
	free_rows(&memory->facts, &store_fact_fields);
	free_rows(&memory->stats, &store_rule_stat_fields);
	free_rows(&memory->senders, &store_sender_fields);
	for (size_t i = 0; i < memory->queue.count; i++) {
		queue_row_done(memory->queue.rows[i]);
		free(memory->queue.rows[i]);
	}
	queue_row_done(&memory->next);
	table_done(&memory->open);
	table_done(&memory->keys);
	table_done(&memory->queue);
	free(memory);
}

/* ---- commit ---- */

/* Adds, or replaces what is there. */
static void
put_row(struct table *table, const struct store_fields *fields, void *row)
{
	void *old = table_find(table, row);

	if (old != NULL) {
		table_remove(table, old);
		free_row(fields, old);
	}
	table_add(table, row);
}

static void
set_cursor(struct memory *memory, const struct store_op *op)
{
	put_row(&memory->cursors, &store_cursor_fields,
	    copy_row(&store_cursor_fields, &op->cursor, sizeof(op->cursor)));
}

static void
set_apply(struct memory *memory, const struct store_op *op)
{
	put_row(&memory->applies, &store_apply_fields,
	    copy_row(&store_apply_fields, &op->apply, sizeof(op->apply)));
}

static void
add_message(struct memory *memory, const struct store_op *op)
{
	if (table_find(&memory->messages, &op->message) == NULL)
		table_add(
		    &memory->messages, copy_row(&store_message_fields,
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
	replace_text(&row->rules, op->message.rules);
	replace_text(&row->observed, op->message.observed);
	replace_text(&row->warnings, op->message.warnings);
}

static void
add_effect(struct memory *memory, const struct store_op *op)
{
	struct store_effect *effect;

	if (table_find(&memory->effects, &op->effect) != NULL)
		return;
	effect = copy_row(&store_effect_fields, &op->effect, sizeof(*effect));
	table_add(&memory->effects, effect);
	if (store_effect_is_open(effect->state))
		table_add(&memory->open, effect);
}

/* The one place where an effect's state changes; NULL is allowed. */
static void
enter_effect(struct memory *memory, struct store_effect *effect,
    enum effect_state state, const char *detail, int64_t changed_unix)
{
	if (effect == NULL)
		return;
	table_remove(&memory->open, effect);
	effect->state = state;
	effect->changed_unix = changed_unix;
	replace_text(&effect->detail, detail);
	if (store_effect_is_open(state))
		table_add(&memory->open, effect);
}

static struct store_effect *
find_effect(struct memory *memory, const struct store_key *key, unsigned seq)
{
	const struct store_effect wanted = {.key = *key, .seq = seq};

	return table_find(&memory->effects, &wanted);
}

static void
set_effect(struct memory *memory, const struct store_op *op)
{
	struct store_effect *effect = table_find(&memory->effects, &op->effect);

	enter_effect(memory, effect, op->effect.state, op->effect.detail,
	    op->effect.changed_unix);
	if (effect != NULL)
		effect->attempts = op->effect.attempts;
}

static void
settle(struct memory *memory, const struct queue_row *row)
{
	const struct store_outcome *outcome = &store_outcomes[row->item.state];
	struct store_effect *effect;

	if (!outcome->settles)
		return;
	effect = find_effect(memory, &row->item.source, row->item.seq);
	enter_effect(memory, effect, outcome->effect, row->item.reply,
	    row->changed_unix);
	if (effect != NULL)
		effect->attempts = row->item.attempts;
}

/* The key is there already. The same item again changes nothing but that its
 * effect is as the item says; another message's effect is done with. */
static void
refuse_twin(struct memory *memory, const struct queue_row *row,
    const struct store_queue_item *item)
{
	if (store_key_equal(&row->item.source, &item->source) &&
	    row->item.seq == item->seq) {
		settle(memory, row);
		return;
	}
	enter_effect(memory, find_effect(memory, &item->source, item->seq),
	    EFFECT_SKIPPED, STORE_FORWARDED_ALREADY, item->queued_unix);
}

static void
enqueue(struct memory *memory, const struct store_op *op)
{
	const struct queue_row wanted = {.item.key = op->item.key};
	struct queue_row *row = table_find(&memory->keys, &wanted);

	if (row != NULL) {
		refuse_twin(memory, row, &op->item);
		return;
	}
	row = NEW(struct queue_row);
	row->item = op->item;
	row->item.id = ++memory->last_id;
	row->changed_unix = op->item.queued_unix;
	store_fields_copy(&store_item_fields, &row->item);
	copy_bytes(row, op->item.original);
	table_add(&memory->keys, row);
	table_add(&memory->queue, row);
}

static void
set_queue(struct memory *memory, const struct store_op *op)
{
	const struct queue_row wanted = {.item.id = op->item.id};
	struct queue_row *row = table_find(&memory->queue, &wanted);

	if (row == NULL || !store_can_follow(row->item.state, op->item.state))
		return;
	row->item.state = op->item.state;
	row->item.attempts = op->item.attempts;
	row->item.next_try_unix = op->item.next_try_unix;
	row->changed_unix = op->now_unix;
	replace_text(&row->item.reply, op->item.reply);
	if (store_outcomes[row->item.state].is_final)
		drop_bytes(row);
	settle(memory, row);
}

static void
count_rule(struct memory *memory, const struct store_rule_stat *add)
{
	struct store_rule_stat *stat = table_find(&memory->stats, add);

	if (stat == NULL) {
		table_add(&memory->stats,
		    copy_row(&store_rule_stat_fields, add, sizeof(*add)));
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
	free_row(&store_rule_stat_fields, stat);
}

static void
add_sender(struct memory *memory, const struct store_op *op)
{
	const struct store_sender *add = &op->sender;
	struct store_sender *sender = table_find(&memory->senders, add);

	if (sender == NULL) {
		table_add(&memory->senders,
		    copy_row(&store_sender_fields, add, sizeof(*add)));
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
	    copy_row(&store_hit_fields, &op->hit, sizeof(op->hit)));
}

static void
set_fact(struct memory *memory, const struct store_op *op)
{
	put_row(&memory->facts, &store_fact_fields,
	    copy_row(&store_fact_fields, &op->fact, sizeof(op->fact)));
}

typedef void apply_fn(struct memory *memory, const struct store_op *op);
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

/* No operation can fail, so all of them happen. */
static bool
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

/* ---- readers ---- */

static bool
memory_get_cursor(struct store *store, const char *account, const char *mailbox,
    struct store_cursor *cursor_r, bool *found_r, struct error *error_r)
{
	const struct store_cursor wanted = {
	    .account = account, .mailbox = mailbox};
	const struct store_cursor *cursor =
	    table_find(&memory_of(store)->cursors, &wanted);

	(void)error_r;
	*found_r = cursor != NULL;
	if (cursor == NULL)
		return true;
	*cursor_r = *cursor;
	cursor_r->account = account;
	cursor_r->mailbox = mailbox;
	return true;
}

static struct store_message
message_of(struct memory *memory, const struct store_key *key)
{
	const struct store_message nothing = {
	    .key = *key,
	    .message_id = "",
	    .from = "",
	    .subject = "",
	    .rules = "",
	    .observed = "",
	    .warnings = "",
	    .identity = "",
	};
	const struct store_message *message =
	    table_find(&memory->messages, &nothing);

	return message != NULL ? *message : nothing;
}

static bool
memory_each_apply(struct store *store, const char *account, store_apply_fn *fn,
    void *ctx, struct error *error_r)
{
	struct memory *memory = memory_of(store);

	(void)error_r;
	for (size_t i = 0; i < memory->applies.count; i++) {
		const struct store_apply *apply = memory->applies.rows[i];

		if ((account == NULL || strcmp(apply->account, account) == 0) &&
		    !fn(ctx, apply))
			break;
	}
	return true;
}

static bool
is_of_run(const struct store_effect *effect, const struct store_apply *apply)
{
	return strcmp(effect->key.account, apply->account) == 0 &&
	       strcmp(effect->key.mailbox, apply->mailbox) == 0 &&
	       effect->key.uidvalidity == apply->uidvalidity &&
	       effect->seq / STORE_APPLY_SEQ == apply->run;
}

static int
compare_kinds(const void *a, const void *b)
{
	const struct store_effect *x = *(void *const *)a,
				  *y = *(void *const *)b;
	int order = compare_pair(x->rule, x->kind, y->rule, y->kind);

	return order != 0 ? order
			  : strcmp(effect_state_name(x->state),
				effect_state_name(y->state));
}

static bool
memory_count_apply(struct store *store, const struct store_apply *apply,
    store_apply_count_fn *fn, void *ctx, struct error *error_r)
{
	struct memory *memory = memory_of(store);
	const struct table *table = &memory->effects;
	struct store_effect **rows = xcalloc(table->count + 1, sizeof(*rows));
	size_t count = 0, next;

	(void)error_r;
	for (size_t i = 0; i < table->count; i++)
		if (is_of_run(table->rows[i], apply))
			rows[count++] = table->rows[i];
	qsort(rows, count, sizeof(*rows), compare_kinds);
	for (size_t i = 0; i < count; i = next) {
		for (next = i + 1; next < count; next++)
			if (compare_kinds(&rows[i], &rows[next]) != 0)
				break;
		if (!fn(ctx, rows[i]->rule, rows[i]->kind, rows[i]->state,
			next - i))
			break;
	}
	free(rows);
	return true;
}

static bool
memory_each_open_effect(struct store *store, const char *account,
    const char *mailbox, store_effect_fn *fn, void *ctx, struct error *error_r)
{
	struct memory *memory = memory_of(store);
	const struct store_effect first = {
	    .key = {.account = account, .mailbox = mailbox}};

	(void)error_r;
	for (size_t i = table_search(&memory->open, &first);
	     i < memory->open.count; i++) {
		const struct store_effect *effect = memory->open.rows[i];
		const struct store_message message =
		    message_of(memory, &effect->key);

		if (strcmp(effect->key.account, account) != 0 ||
		    strcmp(effect->key.mailbox, mailbox) != 0 ||
		    !fn(ctx, effect, &message))
			break;
	}
	return true;
}

/* The rows of a mailbox lie together. */
static bool
memory_each_open_mailbox(struct store *store, const char *account,
    store_open_mailbox_fn *fn, void *ctx, struct error *error_r)
{
	struct memory *memory = memory_of(store);
	const struct store_effect first = {
	    .key = {.account = account, .mailbox = ""}};
	const char *mailbox = NULL;
	uint64_t count = 0;

	(void)error_r;
	for (size_t i = table_search(&memory->open, &first);
	     i < memory->open.count; i++) {
		const struct store_effect *effect = memory->open.rows[i];

		if (strcmp(effect->key.account, account) != 0)
			break;
		if (effect->state == EFFECT_STARTED &&
		    strcmp(effect->kind, "forward") == 0)
			continue;
		if (count > 0 && strcmp(effect->key.mailbox, mailbox) != 0) {
			if (!fn(ctx, mailbox, count))
				return true;
			count = 0;
		}
		mailbox = effect->key.mailbox;
		count++;
	}
	if (count > 0)
		fn(ctx, mailbox, count);
	return true;
}

static bool
is_wanted(const struct store_message *message,
    const struct store_history_query *query)
{
	return message->judged_unix >= query->since_unix &&
	       (query->account == NULL ||
		   strcmp(message->key.account, query->account) == 0) &&
	       (query->mailbox == NULL ||
		   strcmp(message->key.mailbox, query->mailbox) == 0) &&
	       store_history_wants(query, message);
}

/* The rows lie together; what fn gets are copies in one array. *told counts
 * the messages that the query wants. */
static bool
tell_history(struct memory *memory, const struct store_message *message,
    const struct store_history_query *query, unsigned *told,
    store_history_fn *fn, void *ctx)
{
	const struct store_effect first = {.key = message->key};
	size_t from = table_search(&memory->effects, &first), to = from;
	struct store_effect *effects;
	bool more = true;

	while (to < memory->effects.count &&
	       store_key_equal(
		   &((struct store_effect *)memory->effects.rows[to])->key,
		   &message->key))
		to++;
	effects = xcalloc(to - from + 1, sizeof(*effects));
	for (size_t i = from; i < to; i++)
		effects[i - from] =
		    *(struct store_effect *)memory->effects.rows[i];
	if (store_history_wants_effects(query, effects, to - from)) {
		if (++*told > query->skip)
			more = fn(ctx, message, effects, to - from);
	}
	free(effects);
	return more;
}

static bool
memory_each_history(struct store *store,
    const struct store_history_query *query, store_history_fn *fn, void *ctx,
    struct error *error_r)
{
	struct memory *memory = memory_of(store);
	void **found = xcalloc(memory->messages.count + 1, sizeof(*found));
	size_t count = 0;
	unsigned told = 0;

	(void)error_r;
	for (size_t i = 0; i < memory->messages.count; i++) {
		if (is_wanted(memory->messages.rows[i], query))
			found[count++] = memory->messages.rows[i];
	}
	qsort(found, count, sizeof(*found), compare_history);
	for (size_t i = 0; i < count; i++) {
		if (!tell_history(memory, found[i], query, &told, fn, ctx) ||
		    (query->limit > 0 && told >= query->skip &&
			told - query->skip >= query->limit))
			break;
	}
	free(found);
	return true;
}

/* Whether `row` is to be looked at before `best`, which may be NULL. */
static bool
is_sooner(const struct queue_row *row, const struct queue_row *best)
{
	if (best == NULL)
		return true;
	if (row->item.state != best->item.state)
		return row->item.state == QUEUE_SENDING;
	return row->item.state == QUEUE_WAITING &&
	       row->item.next_try_unix < best->item.next_try_unix;
}

static bool
is_but(const struct store_but *but, int64_t id)
{
	for (size_t i = 0; i < STORE_BUT_MAX; i++)
		if (but->ids[i] == id)
			return true;
	return false;
}

static bool
memory_queue_next(struct store *store, const char *account,
    const struct store_but *but, struct store_queue_item *item_r, bool *found_r,
    struct error *error_r)
{
	struct memory *memory = memory_of(store);
	const struct queue_row *best = NULL;

	(void)error_r;
	for (size_t i = 0; i < memory->queue.count; i++) {
		const struct queue_row *row = memory->queue.rows[i];

		if ((row->item.state == QUEUE_WAITING ||
			row->item.state == QUEUE_SENDING) &&
		    !is_but(but, row->item.id) &&
		    strcmp(row->item.account, account) == 0 &&
		    is_sooner(row, best))
			best = row;
	}
	queue_row_done(&memory->next);
	*found_r = best != NULL;
	if (best == NULL)
		return true;
	memory->next.item = best->item;
	store_fields_copy(&store_item_fields, &memory->next.item);
	copy_bytes(&memory->next, best->item.original);
	*item_r = memory->next.item;
	return true;
}

static bool
memory_each_queued(struct store *store, const char *account, store_queue_fn *fn,
    void *ctx, struct error *error_r)
{
	struct memory *memory = memory_of(store);

	(void)error_r;
	for (size_t i = 0; i < memory->queue.count; i++) {
		const struct queue_row *row = memory->queue.rows[i];
		struct store_queue_item item = row->item;

		item.original = SPAN_EMPTY;
		if ((account == NULL || strcmp(item.account, account) == 0) &&
		    !fn(ctx, &item))
			break;
	}
	return true;
}

static bool
is_over(const struct store_queue_item *item)
{
	return item->state == QUEUE_SENT || item->state == QUEUE_DROPPED;
}

static bool
memory_each_forward(struct store *store, const char *account,
    const char *mailbox, store_queue_fn *fn, void *ctx, struct error *error_r)
{
	struct memory *memory = memory_of(store);

	(void)error_r;
	for (size_t i = 0; i < memory->queue.count; i++) {
		const struct queue_row *row = memory->queue.rows[i];
		struct store_queue_item item = row->item;

		item.original = SPAN_EMPTY;
		if (!is_over(&item) &&
		    strcmp(item.source.account, account) == 0 &&
		    strcmp(item.source.mailbox, mailbox) == 0 &&
		    !fn(ctx, &item))
			break;
	}
	return true;
}

static bool
memory_is_queued(struct store *store, const struct store_key *source,
    unsigned seq, bool *is_r, struct error *error_r)
{
	struct memory *memory = memory_of(store);

	(void)error_r;
	*is_r = false;
	for (size_t i = 0; i < memory->queue.count; i++) {
		const struct store_queue_item *item =
		    &((const struct queue_row *)memory->queue.rows[i])->item;
		if (store_key_equal(&item->source, source) &&
		    item->seq == seq && !is_over(item))
			*is_r = true;
	}
	return true;
}

static bool
memory_each_hit(struct store *store, int64_t since_unix, store_hit_fn *fn,
    void *ctx, struct error *error_r)
{
	struct memory *memory = memory_of(store);
	const struct store_hit first = {.when_unix = since_unix};

	(void)error_r;
	for (size_t i = table_search(&memory->hits, &first);
	     i < memory->hits.count; i++) {
		const struct store_hit *hit = memory->hits.rows[i];

		if (!fn(ctx, hit->rule, hit->when_unix))
			break;
	}
	return true;
}

static bool
memory_each_rule_stat(struct store *store, store_rule_stat_fn *fn, void *ctx,
    struct error *error_r)
{
	struct memory *memory = memory_of(store);

	(void)error_r;
	for (size_t i = 0; i < memory->stats.count; i++) {
		if (!fn(ctx, memory->stats.rows[i]))
			break;
	}
	return true;
}

/* The senders of an account, newest first; the array is the caller's. `from`
 * is where the account's begin in the table. */
static struct store_sender **
sort_senders(
    struct memory *memory, const char *account, size_t from, size_t *count_r)
{
	struct table *table = &memory->senders;
	struct store_sender **sorted;
	size_t to = from;

	while (to < table->count &&
	       strcmp(((struct store_sender *)table->rows[to])->account,
		   account) == 0)
		to++;
	*count_r = to - from;
	sorted = xcalloc(to - from + 1, sizeof(*sorted));
	for (size_t i = from; i < to; i++)
		sorted[i - from] = table->rows[i];
	qsort(sorted, to - from, sizeof(*sorted), compare_last);
	return sorted;
}

static bool
memory_each_sender(struct store *store, const char *account,
    store_sender_fn *fn, void *ctx, struct error *error_r)
{
	struct memory *memory = memory_of(store);
	const struct store_sender first = {.account = account, .address = ""};
	struct store_sender **sorted;
	size_t count;

	(void)error_r;
	sorted = sort_senders(
	    memory, account, table_search(&memory->senders, &first), &count);
	for (size_t i = 0; i < count; i++) {
		if (!fn(ctx, sorted[i]->address, sorted[i]->last_unix))
			break;
	}
	free(sorted);
	return true;
}

static bool
memory_each_fact(struct store *store, const char *account, store_fact_fn *fn,
    void *ctx, struct error *error_r)
{
	const struct table *table = &memory_of(store)->facts;
	const struct store_fact first = {.account = account, .name = ""};

	(void)error_r;
	for (size_t i = table_search(table, &first); i < table->count; i++) {
		const struct store_fact *fact = table->rows[i];
		if (strcmp(fact->account, account) != 0 ||
		    !fn(ctx, fact->name, fact->value))
			break;
	}
	return true;
}

static bool
memory_get_fact(struct store *store, const char *account, const char *name,
    char **value_r, struct error *error_r)
{
	const struct store_fact wanted = {.account = account, .name = name};
	const struct store_fact *fact =
	    table_find(&memory_of(store)->facts, &wanted);

	(void)error_r;
	*value_r = fact != NULL ? xstrdup(fact->value) : NULL;
	return true;
}

static bool
memory_measure_queue(
    struct store *store, struct store_queue_size *size_r, struct error *error_r)
{
	const struct memory *memory = memory_of(store);
	struct store_queue_size size = {0};

	(void)error_r;
	for (size_t i = 0; i < memory->queue.count; i++) {
		const struct queue_row *row = memory->queue.rows[i];
		if (row->bytes == NULL)
			continue;
		size.count++;
		size.bytes += row->item.original.len;
	}
	*size_r = size;
	return true;
}

/* ---- prune ---- */

static bool
has_open_effect(const struct memory *memory, const struct store_key *key)
{
	const struct store_effect first = {.key = *key};
	size_t at = table_search(&memory->open, &first);

	return at < memory->open.count &&
	       store_key_equal(
		   &((struct store_effect *)memory->open.rows[at])->key, key);
}

static bool
has_queued(const struct memory *memory, const struct store_key *key)
{
	for (size_t i = 0; i < memory->queue.count; i++) {
		const struct queue_row *row = memory->queue.rows[i];

		if (!store_outcomes[row->item.state].is_final &&
		    store_key_equal(&row->item.source, key))
			return true;
	}
	return false;
}

static bool
is_needed(const struct memory *memory, const struct store_key *key)
{
	return has_open_effect(memory, key) || has_queued(memory, key);
}

/* Also for the effects of a message: they go with it. Effects without a
 * message go by their own time. */
static bool
is_message_kept(const struct memory *memory, const void *row, int64_t before)
{
	const struct store_message *message = row;

	return message->judged_unix >= before ||
	       is_needed(memory, &message->key);
}

static bool
is_effect_kept(const struct memory *memory, const void *row, int64_t before)
{
	const struct store_effect *effect = row;
	const struct store_message wanted = {.key = effect->key};
	const struct store_message *message =
	    table_find(&memory->messages, &wanted);

	if (message != NULL)
		return is_message_kept(memory, message, before);
	return effect->changed_unix >= before ||
	       is_needed(memory, &effect->key);
}

static bool
is_hit_kept(const struct memory *memory, const void *row, int64_t before)
{
	const struct store_hit *hit = row;

	(void)memory;
	return hit->when_unix >= before;
}

typedef bool is_kept_fn(
    const struct memory *memory, const void *row, int64_t before);

static void
prune_table(struct memory *memory, struct table *table,
    const struct store_fields *fields, is_kept_fn *is_kept, int64_t before)
{
	size_t kept = 0;

	for (size_t i = 0; i < table->count; i++) {
		if (is_kept(memory, table->rows[i], before))
			table->rows[kept++] = table->rows[i];
		else
			free_row(fields, table->rows[i]);
	}
	table->count = kept;
}

static void
prune_keys(struct memory *memory, int64_t before)
{
	size_t i = 0;

	while (i < memory->queue.count) {
		struct queue_row *row = memory->queue.rows[i];

		if (!store_outcomes[row->item.state].is_final ||
		    row->changed_unix >= before) {
			i++;
			continue;
		}
		table_remove(&memory->keys, row);
		table_remove(&memory->queue, row);
		queue_row_done(row);
		free(row);
	}
}

static void
prune_senders(struct memory *memory)
{
	size_t from = 0, count;

	while (from < memory->senders.count) {
		const struct store_sender *first = memory->senders.rows[from];
		struct store_sender **sorted =
		    sort_senders(memory, first->account, from, &count);

		from += count < STORE_SENDERS_MAX ? count : STORE_SENDERS_MAX;
		for (size_t i = STORE_SENDERS_MAX; i < count; i++) {
			table_remove(&memory->senders, sorted[i]);
			free_row(&store_sender_fields, sorted[i]);
		}
		free(sorted);
	}
}

static bool
memory_prune(struct store *store, int64_t before_unix, struct error *error_r)
{
	struct memory *memory = memory_of(store);

	(void)error_r;
	/* An effect that goes is never open, so `open` stays true. */
	prune_table(memory, &memory->effects, &store_effect_fields,
	    is_effect_kept, before_unix);
	prune_table(memory, &memory->messages, &store_message_fields,
	    is_message_kept, before_unix);
	prune_table(
	    memory, &memory->hits, &store_hit_fields, is_hit_kept, before_unix);
	prune_keys(memory, before_unix - STORE_KEY_KEEP_SEC);
	prune_senders(memory);
	return true;
}

static const struct store_class memory_class = {
    .close = memory_close,
    .commit = memory_commit,
    .get_cursor = memory_get_cursor,
    .each_apply = memory_each_apply,
    .count_apply = memory_count_apply,
    .each_open_effect = memory_each_open_effect,
    .each_open_mailbox = memory_each_open_mailbox,
    .each_history = memory_each_history,
    .queue_next = memory_queue_next,
    .each_queued = memory_each_queued,
    .each_forward = memory_each_forward,
    .is_queued = memory_is_queued,
    .each_hit = memory_each_hit,
    .each_rule_stat = memory_each_rule_stat,
    .each_sender = memory_each_sender,
    .each_fact = memory_each_fact,
    .get_fact = memory_get_fact,
    .measure_queue = memory_measure_queue,
    .prune = memory_prune,
};

struct store *
store_open_memory(void)
{
	struct memory *memory = NEW(struct memory);

	memory->store.class = &memory_class;
	memory->cursors = (struct table)TABLE_INIT(compare_cursors);
	memory->applies = (struct table)TABLE_INIT(compare_applies);
	memory->messages = (struct table)TABLE_INIT(compare_messages);
	memory->effects = (struct table)TABLE_INIT(compare_effects);
	memory->open = (struct table)TABLE_INIT(compare_effects);
	memory->keys = (struct table)TABLE_INIT(compare_queue_keys);
	memory->queue = (struct table)TABLE_INIT(compare_ids);
	memory->hits = (struct table)TABLE_INIT(compare_hits);
	memory->facts = (struct table)TABLE_INIT(compare_facts);
	memory->stats = (struct table)TABLE_INIT(compare_stats);
	memory->senders = (struct table)TABLE_INIT(compare_senders);
	return &memory->store;
}
