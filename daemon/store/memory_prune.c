/*
 * store/memory: what is old, and needed by nobody, goes.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/xalloc.h"
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

/* ---- accounts and mailboxes that are gone ---- */

/* Of rows that begin with an account: see struct store_place. */
static bool
is_of(const struct store_place *row, const char *account, const char *mailbox)
{
	return strcmp(row->account, account) == 0 &&
	       (mailbox == NULL || strcmp(row->mailbox, mailbox) == 0);
}

static bool
is_of_key(const struct store_key *key, const char *account, const char *mailbox)
{
	return is_of(&(const struct store_place){key->account, key->mailbox},
	    account, mailbox);
}

static bool
has_history(
    const struct memory *memory, const char *account, const char *mailbox)
{
	for (size_t i = 0; i < memory->messages.count; i++) {
		const struct store_message *row = memory->messages.rows[i];
		if (is_of_key(&row->key, account, mailbox))
			return true;
	}
	for (size_t i = 0; i < memory->effects.count; i++) {
		const struct store_effect *row = memory->effects.rows[i];
		if (is_of_key(&row->key, account, mailbox))
			return true;
	}
	return false;
}

static bool
has_forward(
    const struct memory *memory, const char *account, const char *mailbox)
{
	for (size_t i = 0; i < memory->queue.count; i++) {
		const struct queue_row *row = memory->queue.rows[i];
		if (store_outcomes[row->item.state].is_final)
			continue;
		if (is_of_key(&row->item.source, account, mailbox) ||
		    (mailbox == NULL &&
			strcmp(row->item.account, account) == 0))
			return true;
	}
	return false;
}

static bool
has_unfinished_run(
    const struct memory *memory, const char *account, const char *mailbox)
{
	const struct store_apply wanted = {
	    .account = account, .mailbox = mailbox};
	const struct store_apply *apply =
	    mailbox != NULL ? table_find(&memory->applies, &wanted) : NULL;

	return apply != NULL && apply_is_unfinished(apply->state);
}

bool
memory_is_needed(struct store *store, const char *account, const char *mailbox,
    bool *is_r, struct error *error_r)
{
	const struct memory *memory = memory_of(store);

	(void)error_r;
	*is_r = has_history(memory, account, mailbox) ||
		has_forward(memory, account, mailbox) ||
		has_unfinished_run(memory, account, mailbox);
	return true;
}

static bool
is_needed_place(struct memory *memory, const char *account, const char *mailbox)
{
	bool is;

	memory_is_needed(&memory->store, account, mailbox, &is, NULL);
	return is;
}

/* At most so many; false: there are more. Account and mailbox, or what is in
 * its place, are the first of the row. */
static bool
forget_rows(struct table *table, const struct store_fields *fields,
    const char *account, const char *mailbox, size_t most)
{
	size_t kept = 0, gone = 0;
	bool all = true;

	for (size_t i = 0; i < table->count; i++) {
		struct store_place place = {
		    .account = *(const char *const *)store_field_get(
			&fields->items[0], table->rows[i]),
		    .mailbox = *(const char *const *)store_field_get(
			&fields->items[1], table->rows[i])};
		bool is = is_of(&place, account, mailbox);
		if (is && gone < most) {
			memory_row_free(fields, table->rows[i]);
			gone++;
			continue;
		}
		all = all && !is;
		table->rows[kept++] = table->rows[i];
	}
	table->count = kept;
	return all;
}

void
memory_forget_mailbox(struct memory *memory, const struct store_op *op)
{
	const char *account = op->place.account, *mailbox = op->place.mailbox;

	if (is_needed_place(memory, account, mailbox))
		return;
	forget_rows(
	    &memory->cursors, &store_cursor_fields, account, mailbox, SIZE_MAX);
	forget_rows(
	    &memory->applies, &store_apply_fields, account, mailbox, SIZE_MAX);
}

void
memory_forget_account(struct memory *memory, const struct store_op *op)
{
	const char *account = op->place.account;

	if (is_needed_place(memory, account, NULL))
		return;
	forget_rows(
	    &memory->cursors, &store_cursor_fields, account, NULL, SIZE_MAX);
	forget_rows(
	    &memory->applies, &store_apply_fields, account, NULL, SIZE_MAX);
	if (forget_rows(&memory->senders, &store_sender_fields, account, NULL,
		STORE_FORGET_MAX))
		forget_rows(&memory->facts, &store_fact_fields, account, NULL,
		    SIZE_MAX);
}

static void
note_next(const struct table *table, const struct store_fields *fields,
    const char *after, const char **next)
{
	for (size_t i = 0; i < table->count; i++) {
		const char *name = *(const char *const *)store_field_get(
		    &fields->items[0], table->rows[i]);
		if (strcmp(name, after) > 0 &&
		    (*next == NULL || strcmp(name, *next) < 0))
			*next = name;
	}
}

bool
memory_next_account(struct store *store, const char *after, char **account_r,
    struct error *error_r)
{
	const struct memory *memory = memory_of(store);
	const char *next = NULL;

	(void)error_r;
	note_next(&memory->cursors, &store_cursor_fields, after, &next);
	note_next(&memory->applies, &store_apply_fields, after, &next);
	note_next(&memory->facts, &store_fact_fields, after, &next);
	note_next(&memory->senders, &store_sender_fields, after, &next);
	*account_r = next != NULL ? xstrdup(next) : NULL;
	return true;
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
