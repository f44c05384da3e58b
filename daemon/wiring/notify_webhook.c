/*
 * wiring: an HTTPS request for each notification.
 */
#include "daemon/wiring/notify.h"
#include "notifiers/webhook.h"

#define WEBHOOK_AGAIN_USEC (60 * USEC_SEC)

/* Trouble that time may cure: what waits is asked for again later. */
static void
wait_for_webhook(struct notifier *notifier, uint64_t id, const char *why)
{
	notifier_answer(notifier, id, NOTIFIER_UNAVAILABLE, why);
	notifier->again = usec_add(loop_now(), WEBHOOK_AGAIN_USEC);
	notifier_tell_away(notifier, why);
}

void
webhook_again(struct notifier *notifier)
{
	notifier->again = USEC_NEVER;
	notify_queue_set_available(notifier->queue, true, loop_now());
}

static void
on_posted(void *ctx, const struct http_result *result)
{
	struct notifier *notifier = ctx;
	uint64_t id = notifier->busy_id;
	STR_AUTO words =
	    result->status != 0
		? xasprintf("the server answered %u", result->status)
		: xstrdup(result->error.text);

	notifier->http = NULL;
	notifier->busy_id = 0;
	if (result->status >= 200 && result->status < 300) {
		notifier->told_away = false;
		notifier_answer(notifier, id, NOTIFIER_SHOWN, NULL);
	} else if (result->status == 0 || result->status == 429 ||
		   result->status >= 500) {
		wait_for_webhook(notifier, id, words);
	} else {
		notifier_answer(notifier, id, NOTIFIER_FAILED, words);
	}
	notifier_give_turn(notifier);
}

void
webhook_show(struct notifier *notifier, const struct notifier_line *line)
{
	STRV_AUTO headers = STRV_INIT;
	BUF_AUTO body = BUF_INIT;

	strv_copy(&headers, &notifier->headers);
	webhook_format(notifier->format, &line->n, &headers, &body);
	notifier->busy_id = line->n.id;
	notifier->http = http_post(notifier->notify->belfry->loop,
	    notifier->url, &headers, buf_span(&body), on_posted, notifier);
}
