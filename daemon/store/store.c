/* What all implementations share: names, and the way to the right one. */
#include <assert.h>

#include "daemon/store/store_private.h"

static const char *const apply_names[APPLY_STATES] = {
    [APPLY_RUNNING] = "running",
    [APPLY_CANCELLING] = "cancelling",
    [APPLY_DONE] = "done",
    [APPLY_CANCELLED] = "cancelled",
    [APPLY_ENDED] = "ended",
};

static const char *const effect_names[EFFECT_STATES] = {
    [EFFECT_PLANNED] = "planned",
    [EFFECT_STARTED] = "started",
    [EFFECT_DONE] = "done",
    [EFFECT_FAILED] = "failed",
    [EFFECT_SKIPPED] = "skipped",
    [EFFECT_UNKNOWN] = "unknown",
};

static const char *const queue_names[QUEUE_STATES] = {
    [QUEUE_WAITING] = "waiting",
    [QUEUE_SENDING] = "sending",
    [QUEUE_SENT] = "sent",
    [QUEUE_FAILED] = "failed",
    [QUEUE_HELD] = "held",
    [QUEUE_DROPPED] = "dropped",
};

const struct store_outcome store_outcomes[QUEUE_STATES] = {
    [QUEUE_SENT] = {true, EFFECT_DONE, true},
    [QUEUE_FAILED] = {true, EFFECT_FAILED, false},
    [QUEUE_DROPPED] = {true, EFFECT_SKIPPED, true},
};

bool
store_can_follow(enum queue_state from, enum queue_state to)
{
	return !store_outcomes[from].is_final ||
	       (from == QUEUE_DROPPED && to == QUEUE_SENT);
}

bool
store_effect_is_open(enum effect_state state)
{
	return state == EFFECT_PLANNED || state == EFFECT_STARTED;
}

bool
store_key_equal(const struct store_key *a, const struct store_key *b)
{
	return a->uid == b->uid && a->uidvalidity == b->uidvalidity &&
	       strcmp(a->account, b->account) == 0 &&
	       strcmp(a->mailbox, b->mailbox) == 0;
}

static bool
has_word(const char *text, const char *word)
{
	static const char separators[] = " \n:";
	size_t len;

	for (; *text != '\0'; text += len) {
		text += strspn(text, separators);
		len = strcspn(text, separators);
		if (len > 0 && span_is(span_from(text, len), word))
			return true;
	}
	return false;
}

bool
store_history_wants(const struct store_history_query *query,
    const struct store_message *message)
{
	return (query->until_unix == 0 ||
		   message->judged_unix < query->until_unix) &&
	       (query->rule == NULL || has_word(message->rules, query->rule) ||
		   has_word(message->observed, query->rule)) &&
	       (!query->is_observed ||
		   (message->observed != NULL && *message->observed != '\0'));
}

bool
store_history_wants_effects(const struct store_history_query *query,
    const struct store_effect *effects, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if ((query->states & 1U << effects[i].state) != 0)
			return true;
	return query->states == 0;
}

struct store_rule_stat
store_hit_stat(const struct store_hit *hit)
{
	return (struct store_rule_stat){
	    .rule = hit->rule,
	    .hits = 1,
	    .last_hit_unix = hit->when_unix,
	    .since_unix = hit->when_unix,
	};
}

static size_t
find_name(const char *const *names, size_t count, struct span text)
{
	size_t i = 0;

	while (i < count && !span_is(text, names[i]))
		i++;
	return i;
}

const char *
apply_state_name(enum apply_state state)
{
	assert(state < APPLY_STATES);
	return apply_names[state];
}

bool
apply_is_unfinished(enum apply_state state)
{
	return state == APPLY_RUNNING || state == APPLY_CANCELLING;
}

bool
apply_state_parse(struct span text, enum apply_state *state_r)
{
	size_t i = find_name(apply_names, APPLY_STATES, text);

	if (i < APPLY_STATES)
		*state_r = (enum apply_state)i;
	return i < APPLY_STATES;
}

const char *
effect_state_name(enum effect_state state)
{
	assert(state < EFFECT_STATES);
	return effect_names[state];
}

bool
effect_state_parse(struct span text, enum effect_state *state_r)
{
	size_t i = find_name(effect_names, EFFECT_STATES, text);

	if (i < EFFECT_STATES)
		*state_r = (enum effect_state)i;
	return i < EFFECT_STATES;
}

const char *
queue_state_name(enum queue_state state)
{
	assert(state < QUEUE_STATES);
	return queue_names[state];
}

bool
queue_state_parse(struct span text, enum queue_state *state_r)
{
	size_t i = find_name(queue_names, QUEUE_STATES, text);

	if (i < QUEUE_STATES)
		*state_r = (enum queue_state)i;
	return i < QUEUE_STATES;
}

void
store_close(struct store **store)
{
	if (*store == NULL)
		return;
	(*store)->class->close(*store);
	*store = NULL;
}

/* Tests: whether this commit is to fail. */
static bool
fails_now(struct store *store)
{
	if (store->fail_in == 0 || --store->fail_in > 0)
		return false;
	if (store->fail_forever)
		store->fail_in = 1;
	return true;
}

bool
store_is_made(const struct store *store)
{
	return store->is_made;
}

const char *
store_trouble(const struct store *store)
{
	return store->trouble.text;
}

void
store_fail_commit(struct store *store, unsigned nth, bool forever)
{
	store->fail_in = nth;
	store->fail_forever = forever;
}

bool
store_can_commit(const struct store *store, struct error *error_r)
{
	return !store->is_failing ||
	       error_set(error_r, FAULT_LOCAL, "the disk is full (injected)");
}

static bool
commit_one(
    struct store *store, const struct store_batch *batch, struct error *error_r)
{
	store->is_failing = fails_now(store);
	return store->class->commit(store, &batch, 1, error_r);
}

bool
store_commit(
    struct store *store, const struct store_batch *batch, struct error *error_r)
{
	assert(!store->is_walking);
	return commit_one(store, batch, error_r);
}

/* Tests: whether one of the next `count` batches is to fail. None is counted:
 * they are when they are committed one by one. */
static bool
fails_within(const struct store *store, size_t count)
{
	return store->fail_in != 0 && store->fail_in <= count;
}

static bool
commit_together(
    struct store *store, const struct store_commit *commits, size_t count)
{
	const struct store_batch *batches[STORE_GROUP_MAX];

	if (count < 2 || fails_within(store, count))
		return false;
	for (size_t i = 0; i < count; i++)
		batches[i] = commits[i].batch;
	store->is_failing = false;
	if (!store->class->commit(store, batches, count, NULL))
		return false;
	if (store->fail_in != 0)
		store->fail_in -= (unsigned)count;
	return true;
}

void
store_commit_many(
    struct store *store, struct store_commit *commits, size_t count)
{
	bool together;

	assert(count <= STORE_GROUP_MAX);
	together = commit_together(store, commits, count);
	for (size_t i = 0; i < count; i++)
		commits[i].ok = together || commit_one(store, commits[i].batch,
						&commits[i].error);
}

/* Calls from inside of a callback would meet a cursor that is in use. */
static void
begin_walk(struct store *store)
{
	assert(!store->is_walking);
	store->is_walking = true;
}

static bool
end_walk(struct store *store, bool ok)
{
	store->is_walking = false;
	return ok;
}

bool
store_get_cursor(struct store *store, const char *account, const char *mailbox,
    struct store_cursor *cursor_r, bool *found_r, struct error *error_r)
{
	assert(!store->is_walking);
	return store->class->get_cursor(
	    store, account, mailbox, cursor_r, found_r, error_r);
}

bool
store_each_cursor(struct store *store, const char *account, store_cursor_fn *fn,
    void *ctx, struct error *error_r)
{
	begin_walk(store);
	return end_walk(
	    store, store->class->each_cursor(store, account, fn, ctx, error_r));
}

bool
store_next_account(struct store *store, const char *after, char **account_r,
    struct error *error_r)
{
	assert(!store->is_walking);
	return store->class->next_account(store, after, account_r, error_r);
}

bool
store_is_needed(struct store *store, const char *account, const char *mailbox,
    bool *is_r, struct error *error_r)
{
	assert(!store->is_walking);
	return store->class->is_needed(store, account, mailbox, is_r, error_r);
}

bool
store_find_message(struct store *store, const struct store_key *key,
    store_history_fn *fn, void *ctx, struct error *error_r)
{
	begin_walk(store);
	return end_walk(
	    store, store->class->find_message(store, key, fn, ctx, error_r));
}

bool
store_each_apply(struct store *store, const char *account, store_apply_fn *fn,
    void *ctx, struct error *error_r)
{
	begin_walk(store);
	return end_walk(
	    store, store->class->each_apply(store, account, fn, ctx, error_r));
}

bool
store_count_apply(struct store *store, const struct store_apply *apply,
    store_apply_count_fn *fn, void *ctx, struct error *error_r)
{
	begin_walk(store);
	return end_walk(
	    store, store->class->count_apply(store, apply, fn, ctx, error_r));
}

bool
store_each_open_effect(struct store *store, const char *account,
    const char *mailbox, store_effect_fn *fn, void *ctx, struct error *error_r)
{
	begin_walk(store);
	return end_walk(store, store->class->each_open_effect(
				   store, account, mailbox, fn, ctx, error_r));
}

bool
store_each_judged(struct store *store, const struct store_key *from,
    store_uid_fn *fn, void *ctx, struct error *error_r)
{
	begin_walk(store);
	return end_walk(
	    store, store->class->each_judged(store, from, fn, ctx, error_r));
}

bool
store_each_notified(struct store *store, const struct store_key *from,
    int64_t since_unix, store_uid_fn *fn, void *ctx, struct error *error_r)
{
	begin_walk(store);
	return end_walk(store, store->class->each_notified(
				   store, from, since_unix, fn, ctx, error_r));
}

bool
store_each_open_mailbox(struct store *store, const char *account,
    store_open_mailbox_fn *fn, void *ctx, struct error *error_r)
{
	begin_walk(store);
	return end_walk(store,
	    store->class->each_open_mailbox(store, account, fn, ctx, error_r));
}

bool
store_each_history(struct store *store, const struct store_history_query *query,
    store_history_fn *fn, void *ctx, struct error *error_r)
{
	begin_walk(store);
	return end_walk(
	    store, store->class->each_history(store, query, fn, ctx, error_r));
}

bool
store_queue_next(struct store *store, const char *account,
    struct store_queue_item *item_r, bool *found_r, struct error *error_r)
{
	static const struct store_but none = {0};

	return store_queue_next_but(
	    store, account, &none, item_r, found_r, error_r);
}

bool
store_queue_next_but(struct store *store, const char *account,
    const struct store_but *but, struct store_queue_item *item_r, bool *found_r,
    struct error *error_r)
{
	assert(!store->is_walking);
	return store->class->queue_next(
	    store, account, but, item_r, found_r, error_r);
}

bool
store_each_queued(struct store *store, const char *account, store_queue_fn *fn,
    void *ctx, struct error *error_r)
{
	begin_walk(store);
	return end_walk(
	    store, store->class->each_queued(store, account, fn, ctx, error_r));
}

bool
store_each_forward(struct store *store, const char *account,
    const char *mailbox, store_queue_fn *fn, void *ctx, struct error *error_r)
{
	begin_walk(store);
	return end_walk(store, store->class->each_forward(
				   store, account, mailbox, fn, ctx, error_r));
}

bool
store_is_queued(struct store *store, const struct store_key *source,
    unsigned seq, bool *is_r, struct error *error_r)
{
	assert(!store->is_walking);
	return store->class->is_queued(store, source, seq, is_r, error_r);
}

bool
store_each_hit(struct store *store, int64_t since_unix, store_hit_fn *fn,
    void *ctx, struct error *error_r)
{
	begin_walk(store);
	return end_walk(
	    store, store->class->each_hit(store, since_unix, fn, ctx, error_r));
}

bool
store_each_rule_stat(struct store *store, store_rule_stat_fn *fn, void *ctx,
    struct error *error_r)
{
	begin_walk(store);
	return end_walk(
	    store, store->class->each_rule_stat(store, fn, ctx, error_r));
}

bool
store_each_sender(struct store *store, const char *account, store_sender_fn *fn,
    void *ctx, struct error *error_r)
{
	begin_walk(store);
	return end_walk(
	    store, store->class->each_sender(store, account, fn, ctx, error_r));
}

bool
store_each_fact(struct store *store, const char *account, store_fact_fn *fn,
    void *ctx, struct error *error_r)
{
	begin_walk(store);
	return end_walk(
	    store, store->class->each_fact(store, account, fn, ctx, error_r));
}

bool
store_measure_queue(
    struct store *store, struct store_queue_size *size_r, struct error *error_r)
{
	assert(!store->is_walking);
	return store->class->measure_queue(store, size_r, error_r);
}

bool
store_queue_has_room(const struct store_queue_size *size, size_t more)
{
	return size->count < STORE_QUEUE_MAX &&
	       size->bytes <= STORE_QUEUE_BYTES_MAX &&
	       more <= STORE_QUEUE_BYTES_MAX - size->bytes;
}

bool
store_get_fact(struct store *store, const char *account, const char *name,
    char **value_r, struct error *error_r)
{
	assert(!store->is_walking);
	return store->class->get_fact(store, account, name, value_r, error_r);
}

bool
store_prune(struct store *store, int64_t before_unix, struct error *error_r)
{
	return store->class->prune(store, before_unix, error_r);
}
