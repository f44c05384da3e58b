/* belfryctl queue: the forwards, listed, tried again, released, dropped. */
#include "daemon/base/xalloc.h"
#include "daemon/control/json.h"
#include "daemon/wiring/belfry.h"

#define BIT(state) (1u << (state))

/* What a person may do to a forward. */
struct queue_act {
	const char *name;
	unsigned from; /* states it may be in */
	unsigned all;  /* those that "all" means */
	enum queue_state to;
	const char *reply; /* NULL: the last one stays */
};

/* clang-format off */
static const struct queue_act acts[] = {
	{"retry", BIT(QUEUE_WAITING) | BIT(QUEUE_FAILED),
	    BIT(QUEUE_WAITING) | BIT(QUEUE_FAILED), QUEUE_WAITING, NULL},
	/* Nobody knows whether it arrived; the person has decided. */
	{"release", BIT(QUEUE_HELD), BIT(QUEUE_HELD), QUEUE_WAITING,
	    "released"},
	{"drop", BIT(QUEUE_WAITING) | BIT(QUEUE_FAILED) | BIT(QUEUE_HELD),
	    BIT(QUEUE_FAILED) | BIT(QUEUE_HELD), QUEUE_DROPPED,
	    "dropped by belfryctl"},
};
/* clang-format on */

/* Why a state does not allow an act, and what would. */
static const struct {
	const char *words, *hint;
} refusals[QUEUE_STATES] = {
    [QUEUE_WAITING] = {"is waiting, not held", "belfryctl queue retry"},
    [QUEUE_SENDING] = {"is being sent just now", "ask again in a while"},
    [QUEUE_SENT] = {"was sent", NULL},
    [QUEUE_FAILED] = {"has failed, and is not held", "belfryctl queue retry"},
    [QUEUE_HELD] = {"is held: nobody knows whether it arrived",
	"belfryctl queue release sends it again"},
    [QUEUE_DROPPED] = {"was dropped, and its text is gone", NULL},
};

/* One walk over the queue. */
struct walk {
	struct belfry *belfry;
	const struct json *ids; /* NULL: see `states` */
	unsigned states;
	const struct queue_act *act; /* NULL: they are only shown */
	struct json *items;
	bool *found; /* one for each id */
	struct store_batch *batch;
	struct buf refusal;
	const char *hint;
	bool in_full;
	const char *account; /* NULL: all */
	/* Accounts that cannot now, and why (queue_retry.c); or NULL. */
	const struct json *refused;
};

/* The n-th of the ids asked for; 0: that is no number. */
static int64_t
id_at(const struct json *ids, size_t index)
{
	const char *text = json_str(json_at(ids, index));
	uint32_t id = 0;

	if (text != NULL)
		span_to_u32(span_from_str(text), &id);
	return id;
}

/* Without what is the machine's own. */
static const char *
reply_words(const struct store_queue_item *item)
{
	struct span reply = span_from_str(item->reply);

	return span_starts(reply, STORE_CLAIMED)
		   ? item->reply + strlen(STORE_CLAIMED)
		   : item->reply;
}

static struct json *
describe(const struct walk *walk, const struct store_queue_item *item)
{
	struct json *json = json_new_object();

	json_set_int(json, "id", item->id);
	json_set_str(json, "account", item->account);
	json_set_str(json, "to", item->target);
	json_set_str(json, "rule", item->rule);
	report_set_subject(json, item->subject);
	json_set_str(json, "message_id", item->message_id);
	json_set_str(json, "state", queue_state_name(item->state));
	json_set_int(json, "attempts", item->attempts);
	json_set_time(json, "queued", item->queued_unix);
	json_set_time(json, "next_try",
	    item->state == QUEUE_WAITING ? item->next_try_unix : 0);
	json_set_str(json, "reply", reply_words(item));
	if (!walk->in_full)
		return json;
	json_set_str(json, "as", item->mode);
	json_set_str(json, "unknown", item->unknown);
	json_set_str(json, "mailbox", item->source.mailbox);
	json_set_int(json, "uidvalidity", item->source.uidvalidity);
	json_set_int(json, "uid", item->source.uid);
	return json;
}

static bool
is_of_refused(const struct walk *walk, const struct store_queue_item *item)
{
	for (size_t i = 0; i < json_count(walk->refused); i++)
		if (strcmp(json_get_str(json_at(walk->refused, i), "account"),
			item->account) == 0)
			return true;
	return false;
}

static bool
is_wanted(struct walk *walk, const struct store_queue_item *item)
{
	size_t i;

	if (is_of_refused(walk, item))
		return false;
	if (walk->ids == NULL)
		return (BIT(item->state) & walk->states) != 0;
	for (i = 0; i < json_count(walk->ids); i++)
		if (id_at(walk->ids, i) == item->id)
			return walk->found[i] = true;
	return false;
}

/* The engine has it in hand, though the store does not know it yet. */
static bool
is_in_hand(struct belfry *belfry, const struct store_queue_item *item)
{
	struct running_account *account = accounts_find(belfry, item->account);

	return account != NULL && account->sender != NULL &&
	       outbox_has_in_hand(sender_outbox(account->sender), item->id);
}

static void
refuse(struct walk *walk, int64_t id, enum queue_state state)
{
	if (walk->refusal.len > 0)
		return; /* the first reason counts */
	buf_addf(&walk->refusal, "forward %lld %s", (long long)id,
	    refusals[state].words);
	walk->hint = refusals[state].hint;
}

static void
act_on(struct walk *walk, struct store_queue_item *item)
{
	const struct queue_act *act = walk->act;
	int64_t now = loop_now_unix();

	if (item->state == QUEUE_SENDING || is_in_hand(walk->belfry, item)) {
		/* "all" means those that rest. */
		if (walk->ids != NULL)
			refuse(walk, item->id, QUEUE_SENDING);
		return;
	}
	if ((BIT(item->state) & act->from) == 0) {
		refuse(walk, item->id, item->state);
		return;
	}
	/* A dead letter begins anew; who sends it, the person has decided. */
	if (item->state != QUEUE_WAITING) {
		item->attempts = 0;
		item->reply = reply_words(item);
	}
	item->state = act->to;
	item->next_try_unix = now;
	if (act->reply != NULL)
		item->reply = act->reply;
	store_batch_set_queue(walk->batch, item->id, item->state,
	    item->attempts, now, item->reply, now);
	json_add(walk->items, describe(walk, item));
}

static bool
visit(void *ctx, const struct store_queue_item *item)
{
	struct walk *walk = ctx;
	struct store_queue_item changed = *item;

	if (!is_wanted(walk, item))
		return true;
	if (walk->act != NULL)
		act_on(walk, &changed);
	else
		json_add(walk->items, describe(walk, item));
	return true;
}

/* An id that is nowhere. */
static void
check_found(struct walk *walk)
{
	for (size_t i = 0; walk->ids != NULL && i < json_count(walk->ids); i++)
		if (!walk->found[i] && walk->refusal.len == 0) {
			buf_addf(&walk->refusal, "there is no forward %lld",
			    (long long)id_at(walk->ids, i));
			walk->hint = "belfryctl queue lists them";
		}
}

static bool
tell_dropped(void *ctx, const struct store_queue_item *item)
{
	const struct walk *walk = ctx;

	for (size_t i = 0; i < json_count(walk->items); i++)
		if (json_get_int(json_at(walk->items, i), "id", 0) == item->id)
			forward_dropped(walk->belfry, item);
	return true;
}

/* What was claimed for them is not any more. */
static void
tell_mailboxes(struct walk *walk)
{
	if (walk->act == NULL || walk->act->to != QUEUE_DROPPED)
		return;
	store_each_queued(walk->belfry->store, NULL, tell_dropped, walk, NULL);
	LIST_EACH(pos, &walk->belfry->accounts)
	accounts_pump(LIST_ITEM(pos, struct running_account, link));
}

/* The senders hear of what is due now. Who asks for a try knows of the
 * account's trouble, and does not mean to wait for its end. */
static void
wake(const struct walk *walk)
{
	if (walk->act == NULL || walk->act->to != QUEUE_WAITING ||
	    json_count(walk->items) == 0)
		return;
	LIST_EACH(pos, &walk->belfry->accounts)
	{
		struct running_account *account =
		    LIST_ITEM(pos, struct running_account, link);
		if (account->sender == NULL)
			continue;
		for (size_t i = 0; i < json_count(walk->items); i++)
			if (strcmp(json_get_str(
				       json_at(walk->items, i), "account"),
				account->config->name) == 0) {
				sender_retry(account->sender);
				break;
			}
	}
}

/* Of subjects that are stopped (account/breaker.h). NULL: none is. */
static struct json *
describe_stopped(const struct running_account *account)
{
	usec_t until, now = loop_now();
	unsigned count = breaker_count_open(&account->breaker, &until, now);
	struct json *json;

	if (count == 0)
		return NULL;
	json = json_new_object();
	json_set_str(json, "account", account->config->name);
	json_set_int(json, "subjects", count);
	json_set_int(json, "for_s", (int64_t)((until - now) / USEC_SEC));
	return json;
}

/* `name`: NULL: of all accounts. */
static struct json *
describe_all_stopped(const struct belfry *belfry, const char *name)
{
	struct json *list = json_new_array();

	LIST_EACH(pos, &belfry->accounts)
	{
		const struct running_account *account =
		    LIST_ITEM(pos, struct running_account, link);
		struct json *stopped = describe_stopped(account);
		if (stopped != NULL &&
		    (name == NULL || strcmp(name, account->config->name) == 0))
			json_add(list, stopped);
		else
			json_free(&stopped);
	}
	return list;
}

/* NULL: nothing waits, or there is no trouble. */
static struct json *
describe_wait(const struct running_account *account)
{
	struct json *json, *status = status_of_queue(account);
	const char *trouble = json_get_str(status, "trouble");
	int64_t next = json_get_int(status, "next_try_in_s", -1);

	if (trouble == NULL || json_get_int(status, "waiting", 0) == 0) {
		json_free(&status);
		return NULL;
	}
	json = json_new_object();
	json_set_str(json, "account", account->config->name);
	json_set_str(json, "trouble", trouble);
	json_set_str(json, "cure", json_get_str(status, "cure"));
	if (next >= 0)
		json_set_int(json, "next_try_in_s", next);
	json_free(&status);
	return json;
}

/* What accounts wait for to end, though forwards are due. */
static struct json *
describe_all_waits(const struct belfry *belfry, const char *name)
{
	struct json *wait, *list = json_new_array();

	LIST_EACH(pos, &belfry->accounts)
	{
		const struct running_account *account =
		    LIST_ITEM(pos, struct running_account, link);
		if (name != NULL && strcmp(name, account->config->name) != 0)
			continue;
		wait = describe_wait(account);
		if (wait != NULL)
			json_add(list, wait);
	}
	return list;
}

static void
answer(struct walk *walk, struct client *client, bool ok,
    const struct error *error)
{
	struct json *json;

	if (walk->refusal.len > 0 || !ok) {
		control_refuse(client, ok ? walk->hint : NULL, "%s",
		    ok ? buf_str(&walk->refusal) : error->text);
		return;
	}
	if (json_count(walk->items) == 0 && json_count(walk->refused) > 0) {
		const struct json *first = json_at(walk->refused, 0);
		control_refuse(client, json_get_str(first, "hint"), "%s",
		    json_get_str(first, "words"));
		return;
	}
	wake(walk);
	tell_mailboxes(walk);
	queue_measure(walk->belfry);
	json = json_new_object();
	json_set(json, "items", walk->items);
	walk->items = NULL;
	if (json_count(walk->refused) > 0)
		json_set(json, "refused", json_copy_of(walk->refused));
	if (!walk->in_full) {
		json_set(json, "stopped",
		    describe_all_stopped(walk->belfry, walk->account));
		json_set(json, "waits",
		    describe_all_waits(walk->belfry, walk->account));
	}
	control_reply(client, json);
}

/* All or nothing: one forward that cannot be is a reason to do none. */
static void
run(struct walk *walk, struct client *client, const char *account)
{
	struct error error = ERROR_INIT;
	bool ok;

	walk->items = json_new_array();
	walk->batch = store_batch_new();
	walk->found = xcalloc(json_count(walk->ids) + 1, sizeof(bool));
	buf_init(&walk->refusal);
	ok = store_each_queued(
	    walk->belfry->store, account, visit, walk, &error);
	if (ok)
		check_found(walk);
	if (ok && walk->refusal.len == 0 && !store_batch_is_empty(walk->batch))
		ok = journal_commit_now(
		    walk->belfry->journal, walk->batch, &error);
	answer(walk, client, ok, &error);
	json_free(&walk->items);
	store_batch_free(&walk->batch);
	free(walk->found);
	buf_done(&walk->refusal);
}

static const struct queue_act *
find_act(const char *name)
{
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (strcmp(acts[i].name, name) == 0)
			return &acts[i];
	return NULL;
}

/* In memory and in the store, which the next life reads. */
static void
resume_account(struct running_account *account, struct store_batch *batch)
{
	BUF_AUTO text = BUF_INIT;
	unsigned count = breaker_resume(&account->breaker, loop_now());

	breaker_save(&account->breaker, &text, loop_now_unix(), loop_now());
	store_batch_set_fact(
	    batch, account->config->name, BREAKER_FACT, buf_str(&text));
	if (count > 0)
		report_note(account->belfry, false, "resumed",
		    account->config->name,
		    "forwards of %u subject%s go on, as a person wants", count,
		    count == 1 ? "" : "s");
}

static void
resume_stopped(struct belfry *belfry, struct client *client, const char *name)
{
	struct json *json, *stopped = describe_all_stopped(belfry, name);
	struct store_batch *batch = store_batch_new();
	struct error error = ERROR_INIT;

	for (size_t i = 0; i < json_count(stopped); i++)
		resume_account(
		    accounts_find(
			belfry, json_get_str(json_at(stopped, i), "account")),
		    batch);
	if (!store_batch_is_empty(batch) &&
	    !journal_commit_now(belfry->journal, batch, &error)) {
		json_free(&stopped);
		control_refuse(client, NULL, "%s", error.text);
	} else {
		json = json_new_object();
		json_set(json, "resumed", stopped);
		control_reply(client, json);
	}
	store_batch_free(&batch);
}

void
queue_do(struct belfry *belfry, struct client *client,
    const struct json *request, const struct json *refused)
{
	const char *name = json_get_str(request, "action");
	struct walk walk = {
	    .belfry = belfry,
	    .ids = json_get(request, "ids"),
	    .act = name != NULL ? find_act(name) : NULL,
	    .in_full = name != NULL,
	    .account = json_get_str(request, "account"),
	    .refused = refused,
	};

	if (walk.account != NULL &&
	    accounts_find(belfry, walk.account) == NULL) {
		control_refuse_account(client, walk.account);
		return;
	}
	if (name != NULL && strcmp(name, "resume") == 0) {
		resume_stopped(belfry, client, walk.account);
		return;
	}

	if (name != NULL && walk.act == NULL && strcmp(name, "show") != 0) {
		control_refuse(client, NULL,
		    "nothing called %.20s can be "
		    "done to a forward",
		    name);
		return;
	}
	/* Those that are at their end are kept only so that nothing goes
	 * twice. */
	walk.states = walk.act != NULL
			  ? walk.act->all
			  : ~(BIT(QUEUE_SENT) | BIT(QUEUE_DROPPED));
	run(&walk, client, walk.account);
}

void
queue_ask(
    struct belfry *belfry, struct client *client, const struct json *request)
{
	const char *name = json_get_str(request, "action");

	if (name != NULL && strcmp(name, "retry") == 0)
		queue_retry(belfry, client, request);
	else
		queue_do(belfry, client, request, NULL);
}

/* ---- what nobody looks at ------------------------------------------ */

struct sweep {
	struct belfry *belfry;
	struct store_batch *batch;
	size_t dead; /* failed or held, and not given up */
	int64_t time_unix;
};

static bool
is_dead(const struct store_queue_item *item)
{
	return item->state == QUEUE_FAILED || item->state == QUEUE_HELD;
}

static bool
count_dead(void *ctx, const struct store_queue_item *item)
{
	struct sweep *sweep = ctx;

	sweep->dead += is_dead(item);
	return true;
}

/* By id, so the oldest come first. */
static bool
give_up_old(void *ctx, const struct store_queue_item *item)
{
	struct sweep *sweep = ctx;
	int64_t now = loop_now_unix();

	if (!is_dead(item) ||
	    (sweep->dead <= QUEUE_DEAD_MAX &&
		sweep->time_unix - item->queued_unix < QUEUE_DEAD_KEEP_SEC))
		return true;
	sweep->dead--;
	store_batch_set_queue(sweep->batch, item->id, QUEUE_DROPPED,
	    item->attempts, now, "given up: nobody looked at it", now);
	report_note(sweep->belfry, false, "forward-dropped", item->account,
	    "the forward to %s that %s was given up: nobody looked at it",
	    item->target,
	    item->state == QUEUE_HELD ? "was held" : "had failed");
	return true;
}

void
queue_measure(struct belfry *belfry)
{
	struct error error = ERROR_INIT;

	if (!store_measure_queue(belfry->store, &belfry->queue, &error))
		report_note(belfry, true, "trouble", NULL,
		    "how large the forward queue is cannot be read: %s",
		    error.text);
}

void
queue_tidy(struct belfry *belfry, int64_t time_unix)
{
	struct sweep sweep = {.belfry = belfry, .time_unix = time_unix};
	struct error error = ERROR_INIT;

	sweep.batch = store_batch_new();
	if (store_each_queued(
		belfry->store, NULL, count_dead, &sweep, &error) &&
	    store_each_queued(
		belfry->store, NULL, give_up_old, &sweep, &error) &&
	    !store_batch_is_empty(sweep.batch))
		journal_note(belfry->journal, sweep.batch);
	else
		store_batch_free(&sweep.batch);
}
