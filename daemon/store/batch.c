/* Batches: plain data, copied. */
#include <assert.h>
#include <stddef.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/store/store_private.h"

struct store_batch *
store_batch_new(void)
{
	struct store_batch *batch = NEW(struct store_batch);

	list_init(&batch->ops);
	return batch;
}

/* Of what is allocated; the next is twice as large. */
#define BLOCK_FIRST 1024
#define BLOCK_MOST (64 * 1024)

struct store_block {
	struct store_block *next;
	size_t size, used; /* of `bytes` */
	max_align_t bytes[];
};

static size_t
next_size(const struct store_block *block, size_t len)
{
	size_t size = block == NULL ? BLOCK_FIRST : 2 * block->size;

	if (size > BLOCK_MOST)
		size = BLOCK_MOST;
	return size > len ? size : len;
}

/* Lives as long as the batch. */
static void *
take(struct store_batch *batch, size_t len, size_t align)
{
	struct store_block *block = batch->blocks;
	size_t at =
	    block != NULL ? (block->used + align - 1) & ~(align - 1) : 0;

	if (block == NULL || at > block->size || len > block->size - at) {
		size_t size = next_size(block, len);
		block = xmalloc(sizeof(*block) + size);
		*block =
		    (struct store_block){.next = batch->blocks, .size = size};
		batch->blocks = block;
		at = 0;
	}
	block->used = at + len;
	return (char *)block->bytes + at;
}

static const char *
copy_text(void *ctx, struct span text)
{
	char *copy = take(ctx, text.len + 1, 1);

	if (text.len > 0)
		memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	return copy;
}

static void
free_bytes(struct store_batch *batch)
{
	LIST_EACH(pos, &batch->ops)
	free(LIST_ITEM(pos, struct store_op, link)->bytes);
}

void
store_batch_free(struct store_batch **batch)
{
	if (*batch == NULL)
		return;
	if ((*batch)->has_bytes)
		free_bytes(*batch);
	while ((*batch)->blocks != NULL) {
		struct store_block *block = (*batch)->blocks;
		(*batch)->blocks = block->next;
		free(block);
	}
	free(*batch);
	*batch = NULL;
}

void
store_batch_set_lazy(struct store_batch *batch, bool is_lazy)
{
	batch->is_lazy = is_lazy;
}

bool
store_batch_is_empty(const struct store_batch *batch)
{
	return batch->count == 0;
}

size_t
store_batch_count(const struct store_batch *batch)
{
	return batch->count;
}

static void
clean(struct store_batch *batch, const struct store_fields *fields, void *row)
{
	store_fields_clean(fields, row, copy_text, batch);
}

static struct store_op *
add_op(struct store_batch *batch, enum store_op_kind kind)
{
	struct store_op *op =
	    take(batch, sizeof(*op), _Alignof(struct store_op));

	memset(op, 0, sizeof(*op));
	op->kind = kind;
	list_add(&batch->ops, &op->link);
	batch->count++;
	return op;
}

void
store_batch_set_cursor(
    struct store_batch *batch, const struct store_cursor *cursor)
{
	struct store_op *op = add_op(batch, STORE_SET_CURSOR);

	op->cursor = *cursor;
	clean(batch, &store_cursor_fields, &op->cursor);
}

void
store_batch_set_apply(
    struct store_batch *batch, const struct store_apply *apply)
{
	struct store_op *op = add_op(batch, STORE_SET_APPLY);

	assert(apply->state < APPLY_STATES);
	op->apply = *apply;
	clean(batch, &store_apply_fields, &op->apply);
}

static void
put_message(struct store_batch *batch, enum store_op_kind kind,
    const struct store_message *message)
{
	struct store_op *op = add_op(batch, kind);

	op->message = *message;
	clean(batch, &store_message_fields, &op->message);
}

void
store_batch_add_message(
    struct store_batch *batch, const struct store_message *message)
{
	put_message(batch, STORE_ADD_MESSAGE, message);
}

void
store_batch_judge_again(
    struct store_batch *batch, const struct store_message *message)
{
	put_message(batch, STORE_JUDGE_AGAIN, message);
}

void
store_batch_add_effect(
    struct store_batch *batch, const struct store_effect *effect)
{
	struct store_op *op = add_op(batch, STORE_ADD_EFFECT);

	assert(effect->state < EFFECT_STATES);
	op->effect = *effect;
	clean(batch, &store_effect_fields, &op->effect);
}

void
store_batch_set_effect(struct store_batch *batch, const struct store_key *key,
    unsigned seq, enum effect_state state, unsigned attempts,
    const char *detail, int64_t changed_unix)
{
	struct store_op *op = add_op(batch, STORE_SET_EFFECT);

	assert(state < EFFECT_STATES);
	op->effect = (struct store_effect){
	    .key = *key,
	    .seq = seq,
	    .state = state,
	    .attempts = attempts,
	    .detail = detail,
	    .changed_unix = changed_unix,
	};
	clean(batch, &store_effect_fields, &op->effect);
}

void
store_batch_enqueue(
    struct store_batch *batch, const struct store_queue_item *item)
{
	struct store_op *op = add_op(batch, STORE_ENQUEUE);

	assert(item->original.len <= STORE_MESSAGE_MAX);
	assert(item->state < QUEUE_STATES);
	op->item = *item;
	clean(batch, &store_item_fields, &op->item);
	op->bytes = xmalloc(item->original.len + 1);
	batch->has_bytes = true;
	if (item->original.len > 0)
		memcpy(op->bytes, item->original.data, item->original.len);
	op->item.original = span_from(op->bytes, item->original.len);
}

void
store_batch_set_queue(struct store_batch *batch, int64_t id,
    enum queue_state state, unsigned attempts, int64_t next_try_unix,
    const char *reply, int64_t now_unix)
{
	struct store_op *op = add_op(batch, STORE_SET_QUEUE);

	assert(state < QUEUE_STATES);
	op->item = (struct store_queue_item){
	    .id = id,
	    .state = state,
	    .attempts = attempts,
	    .next_try_unix = next_try_unix,
	    .reply = reply,
	};
	op->now_unix = now_unix;
	clean(batch, &store_item_fields, &op->item);
}

void
store_batch_add_hit(
    struct store_batch *batch, const char *rule, int64_t when_unix)
{
	struct store_op *op = add_op(batch, STORE_ADD_HIT);

	op->hit = (struct store_hit){.rule = rule, .when_unix = when_unix};
	clean(batch, &store_hit_fields, &op->hit);
}

void
store_batch_set_fact(struct store_batch *batch, const char *account,
    const char *name, const char *value)
{
	struct store_op *op = add_op(batch, STORE_SET_FACT);

	op->fact = (struct store_fact){
	    .account = account, .name = name, .value = value};
	clean(batch, &store_fact_fields, &op->fact);
}

void
store_batch_forget_fact(
    struct store_batch *batch, const char *account, const char *name)
{
	struct store_op *op = add_op(batch, STORE_FORGET_FACT);

	op->fact = (struct store_fact){.account = account, .name = name};
	clean(batch, &store_fact_fields, &op->fact);
}

static void
forget_place(struct store_batch *batch, enum store_op_kind kind,
    const char *account, const char *mailbox)
{
	struct store_op *op = add_op(batch, kind);

	op->place =
	    (struct store_place){.account = account, .mailbox = mailbox};
	clean(batch, &store_place_fields, &op->place);
}

void
store_batch_forget_mailbox(
    struct store_batch *batch, const char *account, const char *mailbox)
{
	forget_place(batch, STORE_FORGET_MAILBOX, account, mailbox);
}

void
store_batch_forget_account(struct store_batch *batch, const char *account)
{
	forget_place(batch, STORE_FORGET_ACCOUNT, account, NULL);
}

void
store_batch_add_rule_stat(
    struct store_batch *batch, const struct store_rule_stat *stat)
{
	struct store_op *op = add_op(batch, STORE_ADD_RULE_STAT);

	op->rule_stat = *stat;
	clean(batch, &store_rule_stat_fields, &op->rule_stat);
}

void
store_batch_add_rule_time(struct store_batch *batch, const char *rule,
    uint64_t messages, uint64_t nanoseconds, int64_t when_unix)
{
	const struct store_rule_stat stat = {
	    .rule = rule,
	    .judged = messages,
	    .nanoseconds = nanoseconds,
	    .since_unix = when_unix,
	};

	store_batch_add_rule_stat(batch, &stat);
}

void
store_batch_forget_rule(struct store_batch *batch, const char *rule)
{
	struct store_op *op = add_op(batch, STORE_FORGET_RULE);

	op->rule_stat = (struct store_rule_stat){.rule = rule};
	clean(batch, &store_rule_stat_fields, &op->rule_stat);
}

void
store_batch_add_sender(struct store_batch *batch, const char *account,
    const char *address, int64_t when_unix)
{
	struct store_op *op;

	if (address == NULL || *address == '\0')
		return;
	op = add_op(batch, STORE_ADD_SENDER);
	op->sender = (struct store_sender){
	    .account = account,
	    .address = address,
	    .first_unix = when_unix,
	    .last_unix = when_unix,
	};
	clean(batch, &store_sender_fields, &op->sender);
	for (char *at = (char *)op->sender.address; *at != '\0'; at++)
		*at = char_to_lower(*at);
}

void
store_batch_each_sender(
    const struct store_batch *batch, store_sender_fn *fn, void *ctx)
{
	LIST_EACH(pos, &batch->ops)
	{
		const struct store_op *op =
		    LIST_ITEM(pos, struct store_op, link);
		if (op->kind == STORE_ADD_SENDER &&
		    !fn(ctx, op->sender.address, op->sender.last_unix))
			break;
	}
}

void
store_batch_each_hit(
    const struct store_batch *batch, store_hit_fn *fn, void *ctx)
{
	LIST_EACH(pos, &batch->ops)
	{
		const struct store_op *op =
		    LIST_ITEM(pos, struct store_op, link);
		if (op->kind == STORE_ADD_HIT &&
		    !fn(ctx, op->hit.rule, op->hit.when_unix))
			break;
	}
}

/* The effects behind the message's op, up to the next message; returns how
 * many. Their strings are borrowed. */
static size_t
effects_behind(const struct store_batch *batch, const struct list_link *pos,
    struct store_effect *effects)
{
	const struct store_op *message = LIST_ITEM(pos, struct store_op, link);
	size_t count = 0;

	for (pos = pos->next; pos != &batch->ops; pos = pos->next) {
		const struct store_op *op =
		    LIST_ITEM(pos, struct store_op, link);
		if (op->kind == STORE_ADD_MESSAGE ||
		    op->kind == STORE_JUDGE_AGAIN)
			break;
		if (op->kind == STORE_ADD_EFFECT &&
		    store_key_equal(&op->effect.key, &message->message.key))
			effects[count++] = op->effect;
	}
	return count;
}

void
store_batch_each_plan(
    const struct store_batch *batch, store_history_fn *fn, void *ctx)
{
	struct store_effect *effects =
	    xcalloc(batch->count + 1, sizeof(*effects));

	LIST_EACH(pos, &batch->ops)
	{
		const struct store_op *op =
		    LIST_ITEM(pos, struct store_op, link);
		if (op->kind != STORE_ADD_MESSAGE &&
		    op->kind != STORE_JUDGE_AGAIN)
			continue;
		size_t count = effects_behind(batch, pos, effects);
		if (!fn(ctx, &op->message, effects, count))
			break;
	}
	free(effects);
}

/* ---- in words ---- */

static void
describe_rule_stat(struct buf *out, const struct store_rule_stat *stat)
{
	const struct {
		const char *name;
		uint64_t count;
	} counts[] = {
	    {"hits", stat->hits},
	    {"observed", stat->observed},
	    {"limited", stat->limited},
	    {"judged", stat->judged},
	    {"nanoseconds", stat->nanoseconds},
	};

	buf_addf(out, "stat %s", stat->rule);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (counts[i].count > 0)
			buf_addf(out, " %s %llu", counts[i].name,
			    (unsigned long long)counts[i].count);
}

static void
describe_key(struct buf *out, const char *verb, const struct store_key *key)
{
	buf_addf(out, "%s %s/%s/%u/%u", verb, key->account, key->mailbox,
	    key->uidvalidity, key->uid);
}

static void
describe_apply(struct buf *out, const struct store_apply *apply)
{
	buf_addf(out, "apply %s/%s/%u run %u %s %u to %u looked %llu",
	    apply->account, apply->mailbox, apply->uidvalidity, apply->run,
	    apply_state_name(apply->state), apply->next_uid, apply->end_uid,
	    (unsigned long long)apply->looked);
	if (apply->left_out > 0)
		buf_addf(out, " left out %llu (%s)",
		    (unsigned long long)apply->left_out, apply->left_uids);
	if (apply->detail[0] != '\0')
		buf_addf(out, ": %s", apply->detail);
}

static void
describe_op(struct buf *out, const struct store_op *op)
{
	switch (op->kind) {
	case STORE_SET_CURSOR:
		buf_addf(out, "cursor %s/%s/%u next %u", op->cursor.account,
		    op->cursor.mailbox, op->cursor.uidvalidity,
		    op->cursor.next_uid);
		if (op->cursor.judged[0] != '\0')
			buf_addf(out, " and %s", op->cursor.judged);
		break;
	case STORE_SET_APPLY:
		describe_apply(out, &op->apply);
		break;
	case STORE_JUDGE_AGAIN:
		describe_key(out, "again", &op->message.key);
		buf_addf(out, " rules \"%s\"", op->message.rules);
		break;
	case STORE_ADD_MESSAGE:
		describe_key(out, "message", &op->message.key);
		buf_addf(out, " rules \"%s\"", op->message.rules);
		break;
	case STORE_ADD_EFFECT:
		describe_key(out, "effect", &op->effect.key);
		buf_addf(out, "#%u %s", op->effect.seq, op->effect.action);
		if (op->effect.state != EFFECT_PLANNED)
			buf_addf(
			    out, " %s", effect_state_name(op->effect.state));
		break;
	case STORE_SET_EFFECT:
		describe_key(out, "set", &op->effect.key);
		buf_addf(out, "#%u %s", op->effect.seq,
		    effect_state_name(op->effect.state));
		break;
	case STORE_ENQUEUE:
		describe_key(out, "enqueue", &op->item.source);
		buf_addf(out, "#%u to %s", op->item.seq, op->item.target);
		if (strcmp(op->item.mode, "attach") != 0)
			buf_addf(out, " as %s", op->item.mode);
		break;
	case STORE_SET_QUEUE:
		buf_addf(out, "queue %lld %s", (long long)op->item.id,
		    queue_state_name(op->item.state));
		break;
	case STORE_ADD_HIT:
		buf_addf(out, "hit %s", op->hit.rule);
		break;
	case STORE_SET_FACT:
		buf_addf(out, "fact %s %s", op->fact.name, op->fact.value);
		break;
	case STORE_FORGET_FACT:
		buf_addf(out, "no fact %s", op->fact.name);
		break;
	case STORE_ADD_RULE_STAT:
		describe_rule_stat(out, &op->rule_stat);
		break;
	case STORE_FORGET_RULE:
		buf_addf(out, "forget %s", op->rule_stat.rule);
		break;
	case STORE_FORGET_MAILBOX:
		buf_addf(out, "no mailbox %s", op->place.mailbox);
		break;
	case STORE_FORGET_ACCOUNT:
		buf_addf(out, "no account %s", op->place.account);
		break;
	case STORE_ADD_SENDER:
		buf_addf(out, "sender %s %s", op->sender.account,
		    op->sender.address);
		break;
	case STORE_OP_KINDS:
		break;
	}
	buf_add_char(out, '\n');
}

void
store_batch_describe(const struct store_batch *batch, struct buf *out)
{
	LIST_EACH(pos, &batch->ops)
	describe_op(out, LIST_ITEM(pos, struct store_op, link));
}
