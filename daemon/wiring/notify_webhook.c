/*
 * wiring: an HTTPS request for each notification.
 *
 * One at a time is posted. Where that fails for a while the notification goes
 * back to its queue, and all wait for the next try, which comes by a ladder, or
 * when the server says (Retry-After). What is refused for good is told once,
 * until something is taken again.
 */
#include "daemon/wiring/notify_webhook.h"

/* A phone that is away for longer has other worries. */
#define WEBHOOK_KEEP_USEC USEC_DAY

static const usec_t ladder[] = {10 * USEC_SEC, 30 * USEC_SEC, USEC_MINUTE,
    2 * USEC_MINUTE, 5 * USEC_MINUTE, 10 * USEC_MINUTE, 30 * USEC_MINUTE};
#define LADDER_TOP (sizeof(ladder) / sizeof(ladder[0]) - 1)

/* ---- posting ---- */

bool
webhook_is_passing(const struct http_result *result)
{
	return (result->status == 0 && result->error.fault != FAULT_CONFIG) ||
	       result->status == 408 || result->status == 425 ||
	       result->status == 429 || result->status >= 500;
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
	if (token_is_worth_another(&webhook->post, result->status)) {
		token_ask(&webhook->post);
		return;
	}
	webhook->post.is_fresh = false;
	if (result->status >= 200 && result->status < 300) {
		uint64_t id = notifier->busy_id;

		posted_note(notifier, result);
		notifier->told_away = webhook->told_refused = false;
		notifier->busy_id = 0;
		webhook->rung = 0;
		notifier_answer(notifier, id, NOTIFIER_SHOWN, NULL);
	} else if (webhook_is_passing(result)) {
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
	token_add(notifier, &webhook->post, &headers);
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
	token_wipe_headers(&headers);
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
		posted_take_back(notifier, line->n.id);
		return;
	}
	notifier->busy_id = line->n.id;
	notification_copy(&webhook->line.n, &line->n);
	if (!webhook->config.click) {
		free(webhook->line.n.url);
		webhook->line.n.url = NULL;
	}
	token_ask(&webhook->post);
}

/* ---- beginning and ending ---- */

/* Only Gotify does not let one token do both. */
static const struct strv *
cancel_command(const struct config_notifier *config)
{
	return config->cancel_token_command.len > 0 ||
		       config->format == CONFIG_WEBHOOK_GOTIFY
		   ? &config->cancel_token_command
		   : &config->token_command;
}

void
webhook_new(struct notifier *notifier, const struct config_notifier *config)
{
	struct webhook *webhook = NEW(struct webhook);

	notifier->webhook = webhook;
	webhook->config.body = xstrdup(config->body);
	webhook->config.cancel_url = xstrdup(config->cancel_url);
	webhook->config.tls_ca_file = xstrdup(config->tls_ca_file);
	webhook->config.click = config->click;
	token_init(&webhook->post, notifier, &config->token_command, post);
	token_init(&webhook->cancel, notifier, cancel_command(config), NULL);
	notification_init(&webhook->line.n);
	webhook->run = (uint64_t)loop_now_unix();
	posted_init(notifier);
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
		   webhook->config.click == config->click &&
		   strv_equal(&webhook->post.argv, &config->token_command) &&
		   strv_equal(&webhook->cancel.argv, cancel_command(config)));
}

void
webhook_free(struct webhook **webhook_ptr)
{
	struct webhook *webhook = *webhook_ptr;

	if (webhook == NULL)
		return;
	*webhook_ptr = NULL;
	token_done(&webhook->post);
	posted_done(webhook);
	notifier_line_done(&webhook->line);
	buf_done(&webhook->key);
	free(webhook->config.body);
	free(webhook->config.cancel_url);
	free(webhook->config.tls_ca_file);
	free(webhook);
}
