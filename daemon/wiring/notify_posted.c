/*
 * wiring: what a webhook has posted, and taking it back, where the service can:
 * by requests of their own, which are tried a few times and then forgotten.
 *
 * What can be taken back is in the store until it was, so that a later life of
 * the daemon can do it (notify_shown.c).
 */
#include "daemon/control/json.h"
#include "daemon/wiring/notify_webhook.h"

/* Behind the last of these waits it is forgotten. */
static const usec_t cancel_waits[] = {
    10 * USEC_SEC, 30 * USEC_SEC, 2 * USEC_MINUTE, 10 * USEC_MINUTE};
#define CANCEL_WAITS (sizeof(cancel_waits) / sizeof(cancel_waits[0]))
#define POSTED_MAX QUEUE_SHOWN_MAX
/* To be taken back at a time; what is more stays for a later life. */
#define CANCELS_MAX QUEUE_SHOWN_MAX
/* In the store, in place of the key that is made of the message. */
#define OWN_KEY "m"

/* One message of a request that was taken, or is to be taken back. */
struct posted {
	struct list_link link;
	uint64_t request;
	char *key, *id; /* the service's; NULL: it gave none */
	bool is_own;	/* the key is the message's: not of a summary */
	char *account, *mailbox;
	uint32_t uidvalidity, uid;
	unsigned seq;
	unsigned waits; /* to be taken back */
};

static struct shown_message
message_of(const struct posted *posted)
{
	return (struct shown_message){posted->account, posted->mailbox,
	    posted->uidvalidity, posted->uid, posted->seq};
}

static void
free_posted(struct posted *posted)
{
	list_remove(&posted->link);
	free(posted->key);
	free(posted->id);
	free(posted->account);
	free(posted->mailbox);
	free(posted);
}

static struct posted *
first_of(struct list_link *list)
{
	return LIST_ITEM(list->next, struct posted, link);
}

/* ---- taking back ---- */

static bool
is_same_request(const struct posted *a, const struct posted *b)
{
	return strcmp(a->key, b->key) == 0 &&
	       (a->id == NULL) == (b->id == NULL) &&
	       (a->id == NULL || strcmp(a->id, b->id) == 0);
}

/* The first, and with it all that are taken back by the same request. */
static void
forget_first(struct notifier *notifier)
{
	struct webhook *webhook = notifier->webhook;
	struct list_link *cancels = &webhook->cancels;
	struct posted *first = first_of(cancels);

	for (struct list_link *pos = cancels->prev; pos != cancels;) {
		struct posted *posted = LIST_ITEM(pos, struct posted, link);
		pos = pos->prev;
		if (!is_same_request(posted, first))
			continue;
		const struct shown_message message = message_of(posted);
		shown_over(notifier, &message,
		    posted->is_own ? OWN_KEY : posted->key, posted->id);
		webhook->cancel_count--;
		if (posted != first)
			free_posted(posted);
	}
	free_posted(first);
}

static void cancel_next(struct notifier *notifier);

static void
on_cancel_again(void *ctx)
{
	struct notifier *notifier = ctx;

	notifier->webhook->cancel_waits = false;
	cancel_next(notifier);
}

/* The first is tried again later, and the others behind it. False: it was
 * tried often enough. */
static bool
wait_to_cancel(struct notifier *notifier, usec_t wanted)
{
	struct webhook *webhook = notifier->webhook;
	struct posted *first = first_of(&webhook->cancels);

	if (first->waits == CANCEL_WAITS)
		return false;
	usec_t wait = cancel_waits[first->waits++];
	if (wait < wanted)
		wait = wanted;
	webhook->cancel_waits = true;
	loop_timer_set(webhook->cancel_again, usec_add(loop_now(), wait));
	return true;
}

static void
on_cancelled(void *ctx, const struct http_result *result)
{
	struct notifier *notifier = ctx;
	struct webhook *webhook = notifier->webhook;
	struct token *token = &webhook->cancel;
	bool again = token_is_worth_another(token, result->status);

	webhook->cancelling = NULL;
	if (webhook_is_passing(result) &&
	    wait_to_cancel(notifier, result->retry_after))
		return;
	token->is_fresh = false;
	if (!again)
		forget_first(notifier);
	cancel_next(notifier);
}

static void
send_cancel(struct notifier *notifier, const struct error *error)
{
	struct webhook *webhook = notifier->webhook;
	const struct posted *first;
	struct strv headers = STRV_INIT;
	BUF_AUTO url = BUF_INIT;

	if (list_is_empty(&webhook->cancels))
		return;
	first = first_of(&webhook->cancels);
	/* A keyring that is locked, say, is opened some time. */
	if (error != NULL && wait_to_cancel(notifier, 0))
		return;
	if (error != NULL ||
	    !webhook_cancel_url(notifier->format, notifier->url,
		webhook->config.cancel_url, first->key, first->id, &url)) {
		forget_first(notifier);
		cancel_next(notifier);
		return;
	}
	strv_copy(&headers, &notifier->headers);
	token_add(notifier, &webhook->cancel, &headers);
	const struct http_request request = {.url = buf_str(&url),
	    .is_delete = true,
	    .headers = &headers,
	    .ca_file = webhook->config.tls_ca_file};
	webhook->cancelling = http_send(
	    notifier->notify->belfry->loop, &request, on_cancelled, notifier);
	buf_wipe(&url);
	token_wipe_headers(&headers);
}

static void
cancel_next(struct notifier *notifier)
{
	struct webhook *webhook = notifier->webhook;

	if (webhook->cancelling == NULL && webhook->cancel.child == NULL &&
	    !webhook->cancel_waits && !list_is_empty(&webhook->cancels))
		token_ask(&webhook->cancel);
}

void
posted_take_back(struct notifier *notifier, uint64_t request)
{
	struct webhook *webhook = notifier->webhook;

	LIST_EACH(pos, &webhook->posted)
	{
		struct posted *posted = LIST_ITEM(pos, struct posted, link);
		if (posted->request != request)
			continue;
		list_remove(&posted->link);
		webhook->posted_count--;
		if (webhook->cancel_count == CANCELS_MAX) {
			free_posted(posted);
			continue;
		}
		list_add(&webhook->cancels, &posted->link);
		webhook->cancel_count++;
	}
	cancel_next(notifier);
}

/* ---- what was posted ---- */

static char *
id_of_reply(struct span body)
{
	struct json *reply = json_parse(body, NULL);
	int64_t number = json_get_int(reply, "id", -1);
	const char *text = json_get_str(reply, "id");
	char *id = NULL;

	if (text != NULL)
		id = xstrdup(text);
	else if (number >= 0)
		id = xasprintf("%lld", (long long)number);
	json_free(&reply);
	return id;
}

static bool
can_take_back(const struct notifier *notifier, const char *key, const char *id)
{
	const struct webhook *webhook = notifier->webhook;
	BUF_AUTO url = BUF_INIT;
	bool can = (notifier->format != CONFIG_WEBHOOK_GOTIFY ||
		       webhook->cancel.argv.len > 0) &&
		   webhook_cancel_url(notifier->format, notifier->url,
		       webhook->config.cancel_url, key, id, &url);

	buf_wipe(&url);
	return can;
}

static struct posted *
add(struct notifier *notifier, uint64_t request, const char *key,
    const char *id, const struct shown_message *message)
{
	struct webhook *webhook = notifier->webhook;
	struct posted *posted = NEW(struct posted);

	posted->request = request;
	posted->key = xstrdup(key);
	posted->id = id != NULL ? xstrdup(id) : NULL;
	posted->account = xstrdup(message->account);
	posted->mailbox = xstrdup(message->mailbox);
	posted->uidvalidity = message->uidvalidity;
	posted->uid = message->uid;
	posted->seq = message->seq;
	list_add(&webhook->posted, &posted->link);
	if (++webhook->posted_count > POSTED_MAX) {
		webhook->posted_count--;
		free_posted(first_of(&webhook->posted));
	}
	return posted;
}

struct noting {
	struct notifier *notifier;
	const char *id;
};

static void
note_one(void *ctx, const struct notification *n)
{
	struct noting *noting = ctx;
	struct notifier *notifier = noting->notifier;
	const struct pending *pending = pending_find(notifier, n->id);
	const char *key = buf_str(&notifier->webhook->key);
	bool is_one = notifier->webhook->line.n.uid != 0;
	const struct shown_message message = {n->account, n->mailbox,
	    n->uidvalidity, n->uid,
	    pending != NULL ? pending->delivery->seq : 0};

	add(notifier, notifier->busy_id, key, noting->id, &message)->is_own =
	    is_one;
	if (n->uid != 0)
		shown_note(
		    notifier, &message, is_one ? OWN_KEY : key, noting->id);
}

/* Where a later one does not replace it, the one before goes: it said how many
 * there were then. */
static void
replace(struct notifier *notifier)
{
	if (notifier->format != CONFIG_WEBHOOK_NTFY)
		posted_take_back(notifier, notifier->busy_id);
}

void
posted_note(struct notifier *notifier, const struct http_result *result)
{
	char *id = id_of_reply(result->body);
	struct noting noting = {notifier, id};

	if (can_take_back(notifier, buf_str(&notifier->webhook->key), id)) {
		replace(notifier);
		/* Read while it was posted: it is taken back next. */
		if (notify_queue_each(notifier->queue, notifier->busy_id,
			note_one, &noting) == 0)
			note_one(&noting, &notifier->webhook->line.n);
	}
	free(id);
}

/* ---- of an earlier life ---- */

static uint64_t
find_request(const struct webhook *webhook, const char *key, const char *id)
{
	LIST_EACH(pos, &webhook->posted)
	{
		struct posted *posted = LIST_ITEM(pos, struct posted, link);
		bool is_its = posted->id == NULL
				  ? id == NULL
				  : id != NULL && strcmp(posted->id, id) == 0;
		if (is_its && strcmp(posted->key, key) == 0)
			return posted->request;
	}
	return 0;
}

void
posted_restore(struct notifier *notifier, const struct shown_message *message,
    const char *key, const char *id)
{
	const struct notification n = {.account = (char *)message->account,
	    .mailbox = (char *)message->mailbox,
	    .uidvalidity = message->uidvalidity,
	    .uid = message->uid};
	bool is_own = strcmp(key, OWN_KEY) == 0;
	BUF_AUTO own = BUF_INIT;
	uint64_t request;

	if (is_own)
		webhook_key(&n, 0, &own);
	else
		buf_add_str(&own, key);
	if (!can_take_back(notifier, buf_str(&own), id))
		return;
	request = notify_queue_restore(notifier->queue, &n,
	    find_request(notifier->webhook, buf_str(&own), id));
	add(notifier, request, buf_str(&own), id, message)->is_own = is_own;
}

/* ---- beginning and ending ---- */

void
posted_init(struct notifier *notifier)
{
	struct webhook *webhook = notifier->webhook;

	list_init(&webhook->posted);
	list_init(&webhook->cancels);
	webhook->cancel_again = loop_timer_new(
	    notifier->notify->belfry->loop, on_cancel_again, notifier);
	webhook->cancel.go_on = send_cancel;
}

void
posted_done(struct webhook *webhook)
{
	http_cancel(&webhook->cancelling);
	loop_timer_free(&webhook->cancel_again);
	token_done(&webhook->cancel);
	LIST_EACH(pos, &webhook->posted)
	free_posted(LIST_ITEM(pos, struct posted, link));
	LIST_EACH(pos, &webhook->cancels)
	free_posted(LIST_ITEM(pos, struct posted, link));
}
