/*
 * The store's twin in memory: for tests and simulation. It keeps the same
 * contract with plain sorted tables, forgets all at the end of the process,
 * and fails only when told to (store_fail_commit).
 */
#include <stdlib.h>

#include "daemon/base/xalloc.h"
#include "daemon/store/memory_private.h"

static void
free_rows(struct table *table, const struct store_fields *fields)
{
	for (size_t i = 0; i < table->count; i++)
		memory_row_free(fields, table->rows[i]);
	table_done(table);
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
		memory_queue_row_done(memory->queue.rows[i]);
		free(memory->queue.rows[i]);
	}
	memory_queue_row_done(&memory->next);
	table_done(&memory->open);
	table_done(&memory->keys);
	table_done(&memory->queue);
	free(memory);
}

static const struct store_class memory_class = {
    .close = memory_close,
    .commit = memory_commit,
    .get_cursor = memory_get_cursor,
    .each_cursor = memory_each_cursor,
    .next_account = memory_next_account,
    .is_needed = memory_is_needed,
    .find_message = memory_find_message,
    .each_apply = memory_each_apply,
    .count_apply = memory_count_apply,
    .each_open_effect = memory_each_open_effect,
    .each_open_mailbox = memory_each_open_mailbox,
    .each_history = memory_each_history,
    .each_judged = memory_each_judged,
    .each_notified = memory_each_notified,
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
	memory->cursors = (struct table)TABLE_INIT(memory_compare_cursors);
	memory->applies = (struct table)TABLE_INIT(memory_compare_applies);
	memory->messages = (struct table)TABLE_INIT(memory_compare_messages);
	memory->effects = (struct table)TABLE_INIT(memory_compare_effects);
	memory->open = (struct table)TABLE_INIT(memory_compare_effects);
	memory->keys = (struct table)TABLE_INIT(memory_compare_queue_keys);
	memory->queue = (struct table)TABLE_INIT(memory_compare_ids);
	memory->hits = (struct table)TABLE_INIT(memory_compare_hits);
	memory->facts = (struct table)TABLE_INIT(memory_compare_facts);
	memory->stats = (struct table)TABLE_INIT(memory_compare_stats);
	memory->senders = (struct table)TABLE_INIT(memory_compare_senders);
	return &memory->store;
}
