/*
 * store, inside: what an implementation is, and what a batch is made of.
 */
#ifndef BELFRY_STORE_PRIVATE_H
#define BELFRY_STORE_PRIVATE_H

#include "daemon/base/list.h"
#include "daemon/store/fields.h"

enum store_op_kind {
	STORE_SET_CURSOR,
	STORE_SET_APPLY,
	STORE_JUDGE_AGAIN,
	STORE_ADD_MESSAGE,
	STORE_ADD_EFFECT,
	STORE_SET_EFFECT,
	STORE_ENQUEUE,
	STORE_SET_QUEUE,
	STORE_ADD_HIT,
	STORE_SET_FACT,
	STORE_FORGET_FACT,
	STORE_ADD_RULE_STAT,
	STORE_FORGET_RULE,
	STORE_ADD_SENDER,
	STORE_FORGET_MAILBOX,
	STORE_FORGET_ACCOUNT,
	STORE_OP_KINDS
};

/* It and the strings of its row lie in the batch's blocks. */
struct store_op {
	struct list_link link;
	enum store_op_kind kind;
	union {
		struct store_cursor cursor;
		struct store_apply apply;
		struct store_message message; /* ADD and AGAIN */
		struct store_effect effect;   /* ADD and SET */
		struct store_queue_item item; /* ENQUEUE and SET: id, state,
						 attempts, next try, reply */
		struct store_hit hit;
		struct store_fact fact;
		struct store_rule_stat rule_stat; /* FORGET: its rule */
		struct store_sender sender;
		struct store_place place; /* FORGET_MAILBOX and _ACCOUNT */
	};
	int64_t now_unix; /* SET_QUEUE */
	char *bytes;	  /* owned: the original of ENQUEUE */
};

/* Operations and their strings, one behind the other: there are some ten
 * strings for each message. */
struct store_block;

struct store_batch {
	struct list_link ops;	    /* struct store_op::link */
	struct store_block *blocks; /* owned; the first has room */
	bool has_bytes;		    /* some op has */
	size_t count;
	bool is_lazy; /* store_batch_set_lazy */
};

/* What a state of a queue item means for the rest. */
struct store_outcome {
	bool settles; /* the effect that it fulfils becomes `effect` */
	enum effect_state effect;
	bool is_final; /* the bytes go; see store_can_follow */
};
extern const struct store_outcome store_outcomes[QUEUE_STATES];

/* The detail of an effect whose message was queued before. */
#define STORE_FORWARDED_ALREADY "forwarded already"

/* Whether an item may go from one state to the other: what was sent or
 * dropped has no bytes any more, so it stays; but "sent" is the truth even
 * if somebody dropped it meanwhile. */
bool store_can_follow(enum queue_state from, enum queue_state to);
bool store_effect_is_open(enum effect_state state);
bool store_key_equal(const struct store_key *a, const struct store_key *b);
/* What of a query no index helps with: all of it that the message says, but
 * account, mailbox and the beginning of the time; and what its effects say. */
bool store_history_wants(const struct store_history_query *query,
    const struct store_message *message);
bool store_history_wants_effects(const struct store_history_query *query,
    const struct store_effect *effects, size_t count);

/* What a hit adds to the stat of its rule, which is borrowed. */
struct store_rule_stat store_hit_stat(const struct store_hit *hit);

/* To be asked at the last moment before a commit is true: false and an error
 * when a test wants it to fail. */
bool store_can_commit(const struct store *store, struct error *error_r);

struct store_class {
	void (*close)(struct store *store);
	/* All of the batches in one transaction, or none. */
	bool (*commit)(struct store *store,
	    const struct store_batch *const *batches, size_t count,
	    struct error *error_r);
	bool (*get_cursor)(struct store *store, const char *account,
	    const char *mailbox, struct store_cursor *cursor_r, bool *found_r,
	    struct error *error_r);
	bool (*each_cursor)(struct store *store, const char *account,
	    store_cursor_fn *fn, void *ctx, struct error *error_r);
	bool (*next_account)(struct store *store, const char *after,
	    char **account_r, struct error *error_r);
	bool (*is_needed)(struct store *store, const char *account,
	    const char *mailbox, bool *is_r, struct error *error_r);
	bool (*each_apply)(struct store *store, const char *account,
	    store_apply_fn *fn, void *ctx, struct error *error_r);
	bool (*count_apply)(struct store *store,
	    const struct store_apply *apply, store_apply_count_fn *fn,
	    void *ctx, struct error *error_r);
	bool (*each_open_effect)(struct store *store, const char *account,
	    const char *mailbox, store_effect_fn *fn, void *ctx,
	    struct error *error_r);
	bool (*each_open_mailbox)(struct store *store, const char *account,
	    store_open_mailbox_fn *fn, void *ctx, struct error *error_r);
	bool (*each_history)(struct store *store,
	    const struct store_history_query *query, store_history_fn *fn,
	    void *ctx, struct error *error_r);
	bool (*find_message)(struct store *store, const struct store_key *key,
	    store_history_fn *fn, void *ctx, struct error *error_r);
	bool (*each_judged)(struct store *store, const struct store_key *from,
	    store_uid_fn *fn, void *ctx, struct error *error_r);
	bool (*each_notified)(struct store *store, const struct store_key *from,
	    int64_t since_unix, store_uid_fn *fn, void *ctx,
	    struct error *error_r);
	bool (*queue_next)(struct store *store, const char *account,
	    const struct store_but *but, struct store_queue_item *item_r,
	    bool *found_r, struct error *error_r);
	bool (*each_queued)(struct store *store, const char *account,
	    store_queue_fn *fn, void *ctx, struct error *error_r);
	bool (*each_forward)(struct store *store, const char *account,
	    const char *mailbox, store_queue_fn *fn, void *ctx,
	    struct error *error_r);
	bool (*is_queued)(struct store *store, const struct store_key *source,
	    unsigned seq, bool *is_r, struct error *error_r);
	bool (*each_hit)(struct store *store, int64_t since_unix,
	    store_hit_fn *fn, void *ctx, struct error *error_r);
	bool (*each_rule_stat)(struct store *store, store_rule_stat_fn *fn,
	    void *ctx, struct error *error_r);
	bool (*each_sender)(struct store *store, const char *account,
	    store_sender_fn *fn, void *ctx, struct error *error_r);
	bool (*each_fact)(struct store *store, const char *account,
	    store_fact_fn *fn, void *ctx, struct error *error_r);
	bool (*get_fact)(struct store *store, const char *account,
	    const char *name, char **value_r, struct error *error_r);
	bool (*measure_queue)(struct store *store,
	    struct store_queue_size *size_r, struct error *error_r);
	bool (*prune)(
	    struct store *store, int64_t before_unix, struct error *error_r);
};

/* The head of each implementation's struct. */
struct store {
	const struct store_class *class;
	unsigned fail_in; /* batches until one fails; 0: none */
	bool fail_forever;
	bool is_failing;      /* this commit is to fail */
	bool is_made;	      /* there was none when it was opened */
	struct error trouble; /* store_trouble */
	bool is_walking; /* inside of a callback: no other call is allowed; the
			    reading thread's own */
};

#endif
