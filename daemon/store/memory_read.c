/*
 * store/memory: what is told of mailboxes, of the history, and of what was
 * learned.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/xalloc.h"
#include "daemon/store/memory_private.h"

/* ---- a mailbox ---- */

bool
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

bool
memory_each_cursor(struct store *store, const char *account,
    store_cursor_fn *fn, void *ctx, struct error *error_r)
{
	const struct table *table = &memory_of(store)->cursors;
	const struct store_cursor first = {.account = account, .mailbox = ""};

	(void)error_r;
	for (size_t i = table_search(table, &first); i < table->count; i++) {
		const struct store_cursor *cursor = table->rows[i];
		if (strcmp(cursor->account, account) != 0 || !fn(ctx, cursor))
			break;
	}
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

bool
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
	int order = memory_compare_pair(x->rule, x->kind, y->rule, y->kind);

	return order != 0 ? order
			  : strcmp(effect_state_name(x->state),
				effect_state_name(y->state));
}

bool
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

bool
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
bool
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

/* ---- the history ---- */

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

bool
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
	qsort(found, count, sizeof(*found), memory_compare_history);
	for (size_t i = 0; i < count; i++) {
		if (!tell_history(memory, found[i], query, &told, fn, ctx) ||
		    (query->limit > 0 && told >= query->skip &&
			told - query->skip >= query->limit))
			break;
	}
	free(found);
	return true;
}

bool
memory_find_message(struct store *store, const struct store_key *key,
    store_history_fn *fn, void *ctx, struct error *error_r)
{
	static const struct store_history_query any = {.limit = 1};
	struct memory *memory = memory_of(store);
	const struct store_message wanted = {.key = *key};
	const struct store_message *message =
	    table_find(&memory->messages, &wanted);
	unsigned told = 0;

	(void)error_r;
	if (message != NULL)
		tell_history(memory, message, &any, &told, fn, ctx);
	return true;
}

static bool
is_from(const struct store_key *key, const struct store_key *from)
{
	return strcmp(key->account, from->account) == 0 &&
	       strcmp(key->mailbox, from->mailbox) == 0 &&
	       key->uidvalidity == from->uidvalidity && key->uid >= from->uid;
}

bool
memory_each_judged(struct store *store, const struct store_key *from,
    store_uid_fn *fn, void *ctx, struct error *error_r)
{
	struct memory *memory = memory_of(store);
	unsigned rows = 0;

	(void)error_r;
	for (size_t i = memory->messages.count; i > 0; i--) {
		const struct store_message *message =
		    memory->messages.rows[i - 1];
		if (!is_from(&message->key, from))
			continue;
		if (rows++ == STORE_UIDS_MAX || !fn(ctx, message->key.uid))
			break;
	}
	return true;
}

bool
memory_each_notified(struct store *store, const struct store_key *from,
    int64_t since_unix, store_uid_fn *fn, void *ctx, struct error *error_r)
{
	struct memory *memory = memory_of(store);
	uint32_t told = 0;
	unsigned rows = 0;

	(void)error_r;
	for (size_t i = memory->effects.count; i > 0; i--) {
		const struct store_effect *effect = memory->effects.rows[i - 1];
		if (!is_from(&effect->key, from))
			continue;
		if (rows++ == STORE_UIDS_MAX)
			break;
		if (strcmp(effect->kind, "notify") != 0 ||
		    effect->state != EFFECT_DONE ||
		    effect->changed_unix < since_unix ||
		    effect->key.uid == told)
			continue;
		told = effect->key.uid;
		if (!fn(ctx, told))
			break;
	}
	return true;
}

/* ---- rules, senders, facts ---- */

bool
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

bool
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

struct store_sender **
memory_sort_senders(
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
	qsort(sorted, to - from, sizeof(*sorted), memory_compare_last);
	return sorted;
}

bool
memory_each_sender(struct store *store, const char *account,
    store_sender_fn *fn, void *ctx, struct error *error_r)
{
	struct memory *memory = memory_of(store);
	const struct store_sender first = {.account = account, .address = ""};
	struct store_sender **sorted;
	size_t count;

	(void)error_r;
	sorted = memory_sort_senders(
	    memory, account, table_search(&memory->senders, &first), &count);
	for (size_t i = 0; i < count; i++) {
		if (!fn(ctx, sorted[i]->address, sorted[i]->last_unix))
			break;
	}
	free(sorted);
	return true;
}

bool
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

bool
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
