/*
 * store/memory: rows: their orders, and what they own.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/xalloc.h"
#include "daemon/store/memory_private.h"

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

int
memory_compare_pair(
    const char *a1, const char *a2, const char *b1, const char *b2)
{
	int order = strcmp(a1, b1);

	return order != 0 ? order : strcmp(a2, b2);
}

static int
compare_key(const struct store_key *a, const struct store_key *b)
{
	int order =
	    memory_compare_pair(a->account, a->mailbox, b->account, b->mailbox);

	if (order == 0)
		order = compare_u64(a->uid, b->uid);
	return order != 0 ? order : compare_u64(a->uidvalidity, b->uidvalidity);
}

int
memory_compare_cursors(const void *a, const void *b)
{
	const struct store_cursor *x = a, *y = b;

	return memory_compare_pair(
	    x->account, x->mailbox, y->account, y->mailbox);
}

int
memory_compare_applies(const void *a, const void *b)
{
	const struct store_apply *x = a, *y = b;

	return memory_compare_pair(
	    x->account, x->mailbox, y->account, y->mailbox);
}

int
memory_compare_messages(const void *a, const void *b)
{
	const struct store_message *x = a, *y = b;

	return compare_key(&x->key, &y->key);
}

int
memory_compare_effects(const void *a, const void *b)
{
	const struct store_effect *x = a, *y = b;
	int order = compare_key(&x->key, &y->key);

	return order != 0 ? order : compare_u64(x->seq, y->seq);
}

int
memory_compare_queue_keys(const void *a, const void *b)
{
	const struct queue_row *x = a, *y = b;

	return strcmp(x->item.key, y->item.key);
}

int
memory_compare_ids(const void *a, const void *b)
{
	const struct queue_row *x = a, *y = b;

	return compare_i64(x->item.id, y->item.id);
}

int
memory_compare_hits(const void *a, const void *b)
{
	const struct store_hit *x = a, *y = b;

	return compare_i64(x->when_unix, y->when_unix);
}

int
memory_compare_facts(const void *a, const void *b)
{
	const struct store_fact *x = a, *y = b;

	return memory_compare_pair(x->account, x->name, y->account, y->name);
}

int
memory_compare_stats(const void *a, const void *b)
{
	const struct store_rule_stat *x = a, *y = b;

	return strcmp(x->rule, y->rule);
}

int
memory_compare_senders(const void *a, const void *b)
{
	const struct store_sender *x = a, *y = b;

	return memory_compare_pair(
	    x->account, x->address, y->account, y->address);
}

/* Of one account, newest first. */
int
memory_compare_last(const void *a, const void *b)
{
	const struct store_sender *x = *(void *const *)a,
				  *y = *(void *const *)b;
	int order = compare_i64(y->last_unix, x->last_unix);

	return order != 0 ? order : strcmp(x->address, y->address);
}

/* Newest first. */
int
memory_compare_history(const void *a, const void *b)
{
	const struct store_message *x = *(void *const *)a,
				   *y = *(void *const *)b;
	int order = compare_i64(y->judged_unix, x->judged_unix);

	if (order == 0)
		order = compare_u64(y->key.uid, x->key.uid);
	if (order == 0)
		order = memory_compare_pair(x->key.account, x->key.mailbox,
		    y->key.account, y->key.mailbox);
	return order != 0 ? order
			  : compare_u64(y->key.uidvalidity, x->key.uidvalidity);
}

/* ---- what they own ---- */

void *
memory_row_copy(const struct store_fields *fields, const void *row, size_t size)
{
	void *copy = xmalloc(size);

	memcpy(copy, row, size);
	store_fields_copy(fields, copy);
	return copy;
}

void
memory_row_free(const struct store_fields *fields, void *row)
{
	store_fields_free(fields, row);
	free(row);
}

void
memory_drop_bytes(struct queue_row *row)
{
	free(row->bytes);
	row->bytes = NULL;
	row->item.original = SPAN_EMPTY;
}

void
memory_queue_row_done(struct queue_row *row)
{
	store_fields_free(&store_item_fields, &row->item);
	memory_drop_bytes(row);
}

void
memory_copy_bytes(struct queue_row *row, struct span bytes)
{
	row->bytes = xmalloc(bytes.len + 1);
	if (bytes.len > 0)
		memcpy(row->bytes, bytes.data, bytes.len);
	row->item.original = span_from(row->bytes, bytes.len);
}

void
memory_replace_text(const char **text, const char *with)
{
	char *copy = xstrdup(with);

	free((char *)*text);
	*text = copy;
}
