/*
 * store/memory: the queue of forwards: what is put into it, and what is told of
 * it.
 */
#include <string.h>

#include "daemon/base/xalloc.h"
#include "daemon/store/memory_private.h"

/* ---- commit ---- */

static void
settle(struct memory *memory, const struct queue_row *row)
{
	const struct store_outcome *outcome = &store_outcomes[row->item.state];
	struct store_effect *effect;

	if (!outcome->settles)
		return;
	effect = memory_find_effect(memory, &row->item.source, row->item.seq);
	memory_enter_effect(memory, effect, outcome->effect, row->item.reply,
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
	memory_enter_effect(memory,
	    memory_find_effect(memory, &item->source, item->seq),
	    EFFECT_SKIPPED, STORE_FORWARDED_ALREADY, item->queued_unix);
}

void
memory_enqueue(struct memory *memory, const struct store_op *op)
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
	memory_copy_bytes(row, op->item.original);
	table_add(&memory->keys, row);
	table_add(&memory->queue, row);
}

void
memory_set_queue(struct memory *memory, const struct store_op *op)
{
	const struct queue_row wanted = {.item.id = op->item.id};
	struct queue_row *row = table_find(&memory->queue, &wanted);

	if (row == NULL || !store_can_follow(row->item.state, op->item.state))
		return;
	row->item.state = op->item.state;
	row->item.attempts = op->item.attempts;
	row->item.next_try_unix = op->item.next_try_unix;
	row->changed_unix = op->now_unix;
	memory_replace_text(&row->item.reply, op->item.reply);
	if (store_outcomes[row->item.state].is_final)
		memory_drop_bytes(row);
	settle(memory, row);
}

/* ---- readers ---- */

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

bool
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
	memory_queue_row_done(&memory->next);
	*found_r = best != NULL;
	if (best == NULL)
		return true;
	memory->next.item = best->item;
	store_fields_copy(&store_item_fields, &memory->next.item);
	memory_copy_bytes(&memory->next, best->item.original);
	*item_r = memory->next.item;
	return true;
}

bool
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

bool
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

bool
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

bool
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
