/*
 * store/memory, inside: what its parts share. memory.c (opening, closing),
 * memory_row.c (rows: their orders, what they own), memory_write.c (what a
 * batch does), memory_read.c and memory_queue.c (what is told),
 * memory_prune.c. As the files of sqlite*.c, one for one where it can be.
 */
#ifndef BELFRY_STORE_MEMORY_PRIVATE_H
#define BELFRY_STORE_MEMORY_PRIVATE_H

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

static inline struct memory *
memory_of(struct store *store)
{
	return (struct memory *)(void *)store;
}

/* memory_row.c: orders of tables, named for their rows. */
int memory_compare_cursors(const void *a, const void *b);
int memory_compare_applies(const void *a, const void *b);
int memory_compare_messages(const void *a, const void *b);
int memory_compare_effects(const void *a, const void *b);
int memory_compare_queue_keys(const void *a, const void *b);
int memory_compare_ids(const void *a, const void *b);
int memory_compare_hits(const void *a, const void *b);
int memory_compare_facts(const void *a, const void *b);
int memory_compare_stats(const void *a, const void *b);
int memory_compare_senders(const void *a, const void *b);
/* For qsort: pointers to rows. Senders of one account, and messages; newest
 * first. */
int memory_compare_last(const void *a, const void *b);
int memory_compare_history(const void *a, const void *b);
/* By the first of two strings, then by the second. */
int memory_compare_pair(
    const char *a1, const char *a2, const char *b1, const char *b2);

/* With copies of its texts. */
void *memory_row_copy(
    const struct store_fields *fields, const void *row, size_t size);
void memory_row_free(const struct store_fields *fields, void *row);
/* What it owns; not the row itself. */
void memory_queue_row_done(struct queue_row *row);
void memory_drop_bytes(struct queue_row *row);
void memory_copy_bytes(struct queue_row *row, struct span bytes);
/* Frees the old one. */
void memory_replace_text(const char **text, const char *with);

/* memory_write.c */
/* The one place where an effect's state changes; NULL is allowed. */
void memory_enter_effect(struct memory *memory, struct store_effect *effect,
    enum effect_state state, const char *detail, int64_t changed_unix);
/* NULL: there is none. */
struct store_effect *memory_find_effect(
    struct memory *memory, const struct store_key *key, unsigned seq);
/* memory_prune.c */
void memory_forget_mailbox(struct memory *memory, const struct store_op *op);
void memory_forget_account(struct memory *memory, const struct store_op *op);
/* memory_queue.c: the operations that the queue knows about. */
void memory_enqueue(struct memory *memory, const struct store_op *op);
void memory_set_queue(struct memory *memory, const struct store_op *op);
/* memory_read.c: the senders of an account, newest first; the array is the
 * caller's. `from` is where the account's begin in the table. */
struct store_sender **memory_sort_senders(
    struct memory *memory, const char *account, size_t from, size_t *count_r);

/* The calls of the class: store.h. */
bool memory_commit(struct store *store,
    const struct store_batch *const *batches, size_t count,
    struct error *error_r);
bool memory_get_cursor(struct store *store, const char *account,
    const char *mailbox, struct store_cursor *cursor_r, bool *found_r,
    struct error *error_r);
bool memory_each_cursor(struct store *store, const char *account,
    store_cursor_fn *fn, void *ctx, struct error *error_r);
bool memory_next_account(struct store *store, const char *after,
    char **account_r, struct error *error_r);
bool memory_is_needed(struct store *store, const char *account,
    const char *mailbox, bool *is_r, struct error *error_r);
bool memory_find_message(struct store *store, const struct store_key *key,
    store_history_fn *fn, void *ctx, struct error *error_r);
bool memory_each_apply(struct store *store, const char *account,
    store_apply_fn *fn, void *ctx, struct error *error_r);
bool memory_count_apply(struct store *store, const struct store_apply *apply,
    store_apply_count_fn *fn, void *ctx, struct error *error_r);
bool memory_each_open_effect(struct store *store, const char *account,
    const char *mailbox, store_effect_fn *fn, void *ctx, struct error *error_r);
bool memory_each_open_mailbox(struct store *store, const char *account,
    store_open_mailbox_fn *fn, void *ctx, struct error *error_r);
bool memory_each_history(struct store *store,
    const struct store_history_query *query, store_history_fn *fn, void *ctx,
    struct error *error_r);
bool memory_each_judged(struct store *store, const struct store_key *from,
    store_uid_fn *fn, void *ctx, struct error *error_r);
bool memory_each_notified(struct store *store, const struct store_key *from,
    int64_t since_unix, store_uid_fn *fn, void *ctx, struct error *error_r);
bool memory_queue_next(struct store *store, const char *account,
    const struct store_but *but, struct store_queue_item *item_r, bool *found_r,
    struct error *error_r);
bool memory_each_queued(struct store *store, const char *account,
    store_queue_fn *fn, void *ctx, struct error *error_r);
bool memory_each_forward(struct store *store, const char *account,
    const char *mailbox, store_queue_fn *fn, void *ctx, struct error *error_r);
bool memory_is_queued(struct store *store, const struct store_key *source,
    unsigned seq, bool *is_r, struct error *error_r);
bool memory_each_hit(struct store *store, int64_t since_unix, store_hit_fn *fn,
    void *ctx, struct error *error_r);
bool memory_each_rule_stat(struct store *store, store_rule_stat_fn *fn,
    void *ctx, struct error *error_r);
bool memory_each_sender(struct store *store, const char *account,
    store_sender_fn *fn, void *ctx, struct error *error_r);
bool memory_each_fact(struct store *store, const char *account,
    store_fact_fn *fn, void *ctx, struct error *error_r);
bool memory_get_fact(struct store *store, const char *account, const char *name,
    char **value_r, struct error *error_r);
bool memory_measure_queue(struct store *store, struct store_queue_size *size_r,
    struct error *error_r);
bool memory_prune(
    struct store *store, int64_t before_unix, struct error *error_r);

#endif
