/*
 * wiring: an HTTPS request for each notification.
 *
 * One at a time is posted. Where that fails for a while the notification goes
 * back to its queue, and all wait for the next try, which comes by a ladder, or
 * when the server says (Retry-After). What is refused for good is told once,
 * until something is taken again. What was taken can be taken back, where the
 * service can, as long as this daemon runs: by requests of their own, which
 * are tried a few times and then forgotten.
 */
#include "daemon/control/json.h"
#include "daemon/wiring/notify.h"
#include "notifiers/webhook.h"

/* A phone that is away for longer has other worries. */
#define WEBHOOK_KEEP_USEC USEC_DAY
#define WEBHOOK_CANCEL_TRIES 5
#define WEBHOOK_CANCEL_AGAIN_USEC (30 * USEC_SEC)
#define WEBHOOK_POSTED_MAX QUEUE_SHOWN_MAX

static const usec_t ladder[] = {10 * USEC_SEC, 30 * USEC_SEC, USEC_MINUTE,
    2 * USEC_MINUTE, 5 * USEC_MINUTE, 10 * USEC_MINUTE, 30 * USEC_MINUTE};
#define LADDER_TOP (sizeof(ladder) / sizeof(ladder[0]) - 1)

/* Something that was taken, or is to be taken back. */
struct posted {
	struct list_link link;
	uint64_t request;
	char *key, *id; /* the service's; NULL: it gave none */
	unsigned tries;
};

struct token {
	struct notifier *notifier;
	struct strv argv; /* empty: none is needed */
	struct secret secret;
	bool is_fresh; /* not refused yet, nor accepted */
	struct child *child;
	/* The error is NULL when the token is there. */
	void (*go_on)(struct notifier *notifier, const struct error *error);
};

struct webhook {
	struct config_notifier config; /* url, body, ...: copies */
	struct token post, cancel;
	struct notifier_line line; /* being posted */
	struct buf key;
	uint64_t run;
	size_t rung; /* of the ladder */
	bool told_refused;
	struct list_link posted; /* struct posted::link, the oldest first */
	size_t posted_count;
	struct list_link cancels; /* struct posted::link */
	struct http *cancelling;
	struct loop_timer *cancel_again;
};

/* ---- tokens ---- */

static void
on_token(void *ctx, const struct child_result *result)
{
	struct token *token = ctx;
	struct error error = ERROR_INIT;
	bool ok = false;

	token->child = NULL;
	if (result->started)
		ok = secret_from_output(token->argv.items[0], result->status,
		    result->timed_out, result->output, result->errors,
		    &token->secret, &error);
	else
		error = result->error;
	token->is_fresh = ok;
	token->go_on(token->notifier, ok ? NULL : &error);
}

/* Goes on at once, or when the command has printed it. */
static void
with_token(struct token *token)
{
	const struct child_config config = {
	    .argv = &token->argv,
	    .limit = SECRET_COMMAND_USEC,
	    .secret = true,
	};

	if (token->argv.len == 0 || token->secret.len > 0)
		token->go_on(token->notifier, NULL);
	else
		token->child = child_run(token->notifier->notify->belfry->loop,
		    &config, on_token, token);
}

/* Another one may do: this was an old one. */
static bool
is_worth_another(struct token *token, unsigned status)
{
	bool is_refused = status == 401 || status == 403;

	if (!is_refused || token->secret.len == 0 || token->is_fresh)
		return false;
	secret_wipe(&token->secret);
	return true;
}

static void
wipe_headers(struct strv *headers)
{
	for (size_t i = 0; i < headers->len; i++)
		memory_wipe(headers->items[i], strlen(headers->items[i]));
	strv_done(headers);
}

/* In place of one that the person wrote, which Gotify wants for posting. */
static void
add_token(const struct notifier *notifier, const struct token *token,
    struct strv *headers)
{
	struct span name, rest;
	struct strv others = STRV_INIT;

	if (token->secret.len == 0)
		return;
	char *field =
	    webhook_token_header(notifier->format, secret_span(&token->secret));
	rest = span_from_str(field);
	span_split(&rest, ':', &name);
	STR_AUTO prefix = xasprintf("%.*s:", (int)name.len, name.data);
	for (size_t i = 0; i < headers->len; i++)
		if (!span_starts_nocase(
			span_from_str(headers->items[i]), prefix))
			strv_add(&others, headers->items[i]);
	strv_take(&others, field);
	wipe_headers(headers);
	*headers = others;
}

/* ---- taking back ---- */

static void
free_posted(struct posted *posted)
{
	list_remove(&posted->link);
	free(posted->key);
	free(posted->id);
	free(posted);
}

static void cancel_next(void *ctx);

static bool
is_passing(const struct http_result *result)
{
	return (result->status == 0 && result->error.fault != FAULT_CONFIG) ||
	       result->status == 408 || result->status == 425 ||
	       result->status == 429 || result->status >= 500;
}

static void
on_cancelled(void *ctx, const struct http_result *result)
{
	struct notifier *notifier = ctx;
	struct webhook *webhook = notifier->webhook;
	struct posted *first =
	    LIST_ITEM(webhook->cancels.next, struct posted, link);
	struct token *token =
	    webhook->cancel.argv.len > 0 ? &webhook->cancel : &webhook->post;
	bool again = is_worth_another(token, result->status);

	webhook->cancelling = NULL;
	if (is_passing(result) && ++first->tries < WEBHOOK_CANCEL_TRIES) {
		usec_t wait = WEBHOOK_CANCEL_AGAIN_USEC;
		if (result->retry_after > wait)
			wait = result->retry_after;
		loop_timer_set(
		    webhook->cancel_again, usec_add(loop_now(), wait));
		return;
	}
	token->is_fresh = false;
	if (!again)
		free_posted(first);
	cancel_next(notifier);
}

static void
send_cancel(struct notifier *notifier, const struct error *error)
{
	struct webhook *webhook = notifier->webhook;
	struct posted *first;
	struct strv headers = STRV_INIT;
	BUF_AUTO url = BUF_INIT;

	if (list_is_empty(&webhook->cancels))
		return;
	first = LIST_ITEM(webhook->cancels.next, struct posted, link);
	if (error != NULL ||
	    !webhook_cancel_url(notifier->format, notifier->url,
		webhook->config.cancel_url, first->key, first->id, &url)) {
		free_posted(first);
		cancel_next(notifier);
		return;
	}
	strv_copy(&headers, &notifier->headers);
	add_token(notifier,
	    webhook->cancel.argv.len > 0 ? &webhook->cancel : &webhook->post,
	    &headers);
	const struct http_request request = {.url = buf_str(&url),
	    .is_delete = true,
	    .headers = &headers,
	    .ca_file = webhook->config.tls_ca_file};
	webhook->cancelling = http_send(
	    notifier->notify->belfry->loop, &request, on_cancelled, notifier);
	buf_wipe(&url);
	wipe_headers(&headers);
}

static void
cancel_next(void *ctx)
{
	struct notifier *notifier = ctx;
	struct webhook *webhook = notifier->webhook;

	if (webhook->cancelling == NULL && webhook->cancel.child == NULL &&
	    !list_is_empty(&webhook->cancels))
		with_token(&webhook->cancel);
}

static void
take_back(struct notifier *notifier, uint64_t request)
{
	struct webhook *webhook = notifier->webhook;

	LIST_EACH(pos, &webhook->posted)
	{
		struct posted *posted = LIST_ITEM(pos, struct posted, link);
		if (posted->request != request)
			continue;
		list_remove(&posted->link);
		list_add(&webhook->cancels, &posted->link);
		webhook->posted_count--;
	}
	cancel_next(notifier);
}

/* ---- posting ---- */

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

static void
note_posted(struct notifier *notifier, const struct http_result *result)
{
	struct webhook *webhook = notifier->webhook;
	struct posted *posted = NEW(struct posted);
	BUF_AUTO url = BUF_INIT;

	posted->request = notifier->busy_id;
	posted->key = xstrdup(buf_str(&webhook->key));
	posted->id = id_of_reply(result->body);
	list_add(&webhook->posted, &posted->link);
	webhook->posted_count++;
	if ((notifier->format == WEBHOOK_GOTIFY &&
		webhook->cancel.argv.len == 0) ||
	    !webhook_cancel_url(notifier->format, notifier->url,
		webhook->config.cancel_url, posted->key, posted->id, &url) ||
	    webhook->posted_count > WEBHOOK_POSTED_MAX) {
		webhook->posted_count--;
		free_posted(LIST_ITEM(webhook->posted_count < WEBHOOK_POSTED_MAX
					  ? webhook->posted.prev
					  : webhook->posted.next,
		    struct posted, link));
	}
	buf_wipe(&url);
}

/* Trouble that time may cure: what waits is asked for again later. */
static void
wait_for_webhook(struct notifier *notifier, usec_t wanted, const char *why)
{
	struct webhook *webhook = notifier->webhook;
	struct notifier_line line = {
	    .verb = NOTIFIER_UNAVAILABLE, .keeps = true};
	usec_t wait = ladder[webhook->rung];

	notifier->busy_id = 0;
	if (webhook->rung < LADDER_TOP)
		webhook->rung++;
	if (wanted > 0)
		wait = wanted;
	notify_queue_answer(notifier->queue, &line, loop_now());
	notifier->again = usec_add(loop_now(), wait);
	notifier_tell_away(notifier, why);
}

static void
refuse(struct notifier *notifier, const char *why)
{
	struct webhook *webhook = notifier->webhook;
	uint64_t id = notifier->busy_id;

	notifier->busy_id = 0;
	if (!webhook->told_refused)
		report_note(notifier->notify->belfry, true, "notifier-refused",
		    NULL,
		    "%s: %s; this notification is lost, look at `url`, "
		    "`header` and the token",
		    notifier->name, why);
	webhook->told_refused = true;
	notifier_answer(notifier, id, NOTIFIER_FAILED, why);
}

static void
on_posted(void *ctx, const struct http_result *result)
{
	struct notifier *notifier = ctx;
	struct webhook *webhook = notifier->webhook;
	STR_AUTO words =
	    result->status != 0
		? xasprintf("the server answered %u", result->status)
		: xstrdup(result->error.text);

	notifier->http = NULL;
	if (is_worth_another(&webhook->post, result->status)) {
		with_token(&webhook->post);
		return;
	}
	webhook->post.is_fresh = false;
	if (result->status >= 200 && result->status < 300) {
		uint64_t id = notifier->busy_id;

		note_posted(notifier, result);
		notifier->told_away = webhook->told_refused = false;
		notifier->busy_id = 0;
		webhook->rung = 0;
		notifier_answer(notifier, id, NOTIFIER_SHOWN, NULL);
	} else if (is_passing(result)) {
		wait_for_webhook(notifier, result->retry_after, words);
	} else {
		refuse(notifier, words);
	}
	notifier_give_turn(notifier);
}

static void
post(struct notifier *notifier, const struct error *error)
{
	struct webhook *webhook = notifier->webhook;
	const struct notification *n = &webhook->line.n;
	struct strv headers = STRV_INIT;
	BUF_AUTO body = BUF_INIT;

	if (error != NULL) {
		wait_for_webhook(notifier, 0, error->text);
		notifier_give_turn(notifier);
		return;
	}
	strv_copy(&headers, &notifier->headers);
	add_token(notifier, &webhook->post, &headers);
	buf_clear(&webhook->key);
	webhook_key(n, webhook->run, &webhook->key);
	if (webhook->config.body != NULL)
		webhook_format_template(webhook->config.body, n,
		    buf_str(&webhook->key), &headers, &body);
	else
		webhook_format(notifier->format, n, buf_str(&webhook->key),
		    &headers, &body);
	const struct http_request request = {.url = notifier->url,
	    .headers = &headers,
	    .body = buf_span(&body),
	    .ca_file = webhook->config.tls_ca_file};
	notifier->http = http_send(
	    notifier->notify->belfry->loop, &request, on_posted, notifier);
	wipe_headers(&headers);
}

void
webhook_again(struct notifier *notifier)
{
	notifier->again = USEC_NEVER;
	notify_queue_set_available(notifier->queue, true, loop_now());
}

void
webhook_show(struct notifier *notifier, const struct notifier_line *line)
{
	struct webhook *webhook = notifier->webhook;

	if (line->verb == NOTIFIER_CLOSE) {
		take_back(notifier, line->n.id);
		return;
	}
	notifier->busy_id = line->n.id;
	notification_copy(&webhook->line.n, &line->n);
	with_token(&webhook->post);
}

/* ---- beginning and ending ---- */

static void
token_init(struct token *token, struct notifier *notifier,
    const struct strv *argv,
    void (*go_on)(struct notifier *, const struct error *))
{
	token->notifier = notifier;
	token->go_on = go_on;
	strv_copy(&token->argv, argv);
}

static void
token_done(struct token *token)
{
	child_cancel(&token->child);
	secret_wipe(&token->secret);
	strv_done(&token->argv);
}

void
webhook_new(struct notifier *notifier, const struct config_notifier *config)
{
	struct webhook *webhook = NEW(struct webhook);

	notifier->webhook = webhook;
	webhook->config.body = xstrdup(config->body);
	webhook->config.cancel_url = xstrdup(config->cancel_url);
	webhook->config.tls_ca_file = xstrdup(config->tls_ca_file);
	token_init(&webhook->post, notifier, &config->token_command, post);
	token_init(&webhook->cancel, notifier, &config->cancel_token_command,
	    send_cancel);
	notification_init(&webhook->line.n);
	webhook->run = (uint64_t)loop_now_unix();
	list_init(&webhook->posted);
	list_init(&webhook->cancels);
	webhook->cancel_again = loop_timer_new(
	    notifier->notify->belfry->loop, cancel_next, notifier);
	notify_queue_set_keep(notifier->queue, WEBHOOK_KEEP_USEC);
}

static bool
is_text(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

bool
webhook_is_same(
    const struct notifier *notifier, const struct config_notifier *config)
{
	const struct webhook *webhook = notifier->webhook;

	return webhook == NULL ||
	       (is_text(webhook->config.body, config->body) &&
		   is_text(webhook->config.cancel_url, config->cancel_url) &&
		   is_text(webhook->config.tls_ca_file, config->tls_ca_file) &&
		   strv_equal(&webhook->post.argv, &config->token_command) &&
		   strv_equal(
		       &webhook->cancel.argv, &config->cancel_token_command));
}

void
webhook_free(struct webhook **webhook_ptr)
{
	struct webhook *webhook = *webhook_ptr;

	if (webhook == NULL)
		return;
	*webhook_ptr = NULL;
	http_cancel(&webhook->cancelling);
	loop_timer_free(&webhook->cancel_again);
	token_done(&webhook->post);
	token_done(&webhook->cancel);
	LIST_EACH(pos, &webhook->posted)
	free_posted(LIST_ITEM(pos, struct posted, link));
	LIST_EACH(pos, &webhook->cancels)
	free_posted(LIST_ITEM(pos, struct posted, link));
	notifier_line_done(&webhook->line);
	buf_done(&webhook->key);
	free(webhook->config.body);
	free(webhook->config.cancel_url);
	free(webhook->config.tls_ca_file);
	free(webhook);
}
