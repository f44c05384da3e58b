/*
 * Forwards that were claimed: the outbox asks the mailbox that the message is
 * in whose they are to send, and tells it what became of them.
 */
#include "daemon/base/xalloc.h"
#include "daemon/wiring/belfry.h"

/* What the last life settled in its last hour may not be marked yet. */
#define UNMARKED_SEC (60 * 60)
#define UNMARKED_MAX 500
/* The mailbox is not known yet. */
#define UNKNOWN_USEC (30 * USEC_SEC)

struct unmarked {
	struct list_link link;
	int64_t settled_unix;
	char *mailbox, *rule, *target; /* owned */
	uint32_t uidvalidity, uid;
	unsigned seq;
};

static bool
is_claimed(const struct store_queue_item *item)
{
	return span_starts(span_from_str(item->reply), STORE_CLAIMED);
}

static struct mailbox_forward
forward_of(const struct store_queue_item *item)
{
	return (struct mailbox_forward){
	    .id = item->id,
	    .rule = item->rule,
	    .target = item->target,
	    .uidvalidity = item->source.uidvalidity,
	    .uid = item->source.uid,
	    .seq = item->seq,
	    .queued_unix = item->queued_unix,
	    .resends = strcmp(item->unknown, "resend") == 0,
	};
}

/* ---- of the last life ---- */

static void
unmarked_free(struct unmarked *old)
{
	list_remove(&old->link);
	free(old->mailbox);
	free(old->rule);
	free(old->target);
	free(old);
}

void
forwards_free(struct running_account *account)
{
	LIST_EACH(pos, &account->unmarked)
	unmarked_free(LIST_ITEM(pos, struct unmarked, link));
}

static bool
is_settled(enum queue_state state)
{
	return state != QUEUE_WAITING && state != QUEUE_SENDING;
}

static bool
find_last(void *ctx, const struct store_queue_item *item)
{
	int64_t *last = ctx;

	/* When it is settled there is no wait. */
	if (is_claimed(item) && is_settled(item->state) &&
	    item->next_try_unix > *last)
		*last = item->next_try_unix;
	return true;
}

struct gathering {
	struct running_account *account;
	int64_t since_unix;
	size_t count;
};

static bool
gather(void *ctx, const struct store_queue_item *item)
{
	struct gathering *gathering = ctx;
	struct unmarked *new;

	if (!is_claimed(item) || !is_settled(item->state) ||
	    item->next_try_unix < gathering->since_unix)
		return true;
	new = NEW(struct unmarked);
	new->mailbox = xstrdup(item->source.mailbox);
	new->rule = xstrdup(item->rule);
	new->target = xstrdup(item->target);
	new->uidvalidity = item->source.uidvalidity;
	new->uid = item->source.uid;
	new->seq = item->seq;
	list_add(&gathering->account->unmarked, &new->link);
	return ++gathering->count < UNMARKED_MAX;
}

/* What cannot be read now is not marked: another machine finds its claim, and
 * waits for a lease. */
void
forwards_start(struct running_account *account)
{
	struct store *store = account->belfry->store;
	const char *name = account->config->name;
	struct gathering gathering = {.account = account};

	list_init(&account->unmarked);
	if (account->claims == NULL)
		return;
	store_each_queued(store, name, find_last, &gathering.since_unix, NULL);
	if (gathering.since_unix == 0)
		return;
	gathering.since_unix -= UNMARKED_SEC;
	store_each_queued(store, name, gather, &gathering, NULL);
}

/* ---- loading ---- */

static bool
load(void *ctx, const struct store_queue_item *item)
{
	struct line *line = ctx;
	const struct mailbox_forward forward = forward_of(item);

	if (is_claimed(item) && !is_settled(item->state))
		mailbox_load_forward(
		    line->mailbox, &forward, false, loop_now());
	return true;
}

static void
load_unmarked(struct line *line)
{
	LIST_EACH(pos, &line->owner->unmarked)
	{
		struct unmarked *old = LIST_ITEM(pos, struct unmarked, link);
		const struct mailbox_forward forward = {
		    .rule = old->rule,
		    .target = old->target,
		    .uidvalidity = old->uidvalidity,
		    .uid = old->uid,
		    .seq = old->seq,
		};
		if (strcmp(old->mailbox, mailbox_name(line->mailbox)) != 0)
			continue;
		mailbox_load_forward(line->mailbox, &forward, true, loop_now());
		unmarked_free(old);
	}
}

bool
forwards_load(struct line *line, struct error *error_r)
{
	struct running_account *owner = line->owner;

	if (owner->claims == NULL)
		return true;
	load_unmarked(line);
	return store_each_forward(owner->belfry->store, owner->config->name,
	    mailbox_name(line->mailbox), load, line, error_r);
}

/* ---- between the two ---- */

void
forward_ask(struct running_account *account, const struct outbox_event *event)
{
	const struct mailbox_forward forward = {
	    .id = event->id,
	    .rule = event->source.rule,
	    .target = event->target,
	    .uidvalidity = event->source.uidvalidity,
	    .uid = event->source.uid,
	    .seq = event->source.seq,
	    .queued_unix = event->source.queued_unix,
	    .resends = event->resends,
	};
	bool is_known;

	if (account_ask_forward(account->account, event->source.mailbox,
		&forward, &is_known, loop_now()))
		accounts_pump(account);
	else
		sender_claimed(account->sender, event->id,
		    is_known ? OUTBOX_UNSURE : OUTBOX_OTHERS, UNKNOWN_USEC);
}

void
forward_answer(
    struct running_account *account, const struct mailbox_event *event)
{
	static const enum outbox_claim claims[] = {
	    [FORWARD_OURS] = OUTBOX_OURS,
	    [FORWARD_OTHERS] = OUTBOX_OTHERS,
	    [FORWARD_DONE] = OUTBOX_DONE,
	    [FORWARD_UNSURE] = OUTBOX_UNSURE,
	};

	if (account->sender != NULL)
		sender_claimed(account->sender, event->id,
		    claims[event->answer], event->wait);
}

void
forward_settled(
    struct running_account *account, const struct outbox_event *event)
{
	enum forward_end end = is_settled(event->state) ? FORWARD_OVER
			       : event->may_be_sent	? FORWARD_PERHAPS
							: FORWARD_AGAIN;

	account_forward_settled(account->account, event->source.mailbox,
	    event->source.uidvalidity, event->source.uid, event->source.seq,
	    end, loop_now());
	accounts_pump(account);
}

void
forward_dropped(struct belfry *belfry, const struct store_queue_item *item)
{
	struct running_account *account = accounts_find(belfry, item->account);

	if (account != NULL)
		account_forward_settled(account->account, item->source.mailbox,
		    item->source.uidvalidity, item->source.uid, item->seq,
		    FORWARD_OVER, loop_now());
}

void
forward_queued(struct line *line, const struct mailbox_event *event)
{
	struct running_account *owner = line->owner;
	const struct store_key source = {owner->config->name,
	    mailbox_name(line->mailbox), event->uidvalidity, event->uid};
	bool is_there = true;

	if (event->uid == 0)
		return;
	if (store_is_queued(
		owner->belfry->store, &source, event->seq, &is_there, NULL) &&
	    !is_there)
		mailbox_forward_settled(line->mailbox, event->uidvalidity,
		    event->uid, event->seq, FORWARD_OVER, loop_now());
}
