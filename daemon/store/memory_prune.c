/*
 * store/memory: what is old, and needed by nobody, goes.
 */
#include <stdlib.h>

#include "daemon/store/memory_private.h"

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
			memory_row_free(fields, table->rows[i]);
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
		memory_queue_row_done(row);
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
		    memory_sort_senders(memory, first->account, from, &count);

		from += count < STORE_SENDERS_MAX ? count : STORE_SENDERS_MAX;
		for (size_t i = STORE_SENDERS_MAX; i < count; i++) {
			table_remove(&memory->senders, sorted[i]);
			memory_row_free(&store_sender_fields, sorted[i]);
		}
		free(sorted);
	}
}

bool
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
