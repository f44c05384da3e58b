/*
 * outbox: what comes next.
 */
#include "daemon/outbox/outbox_private.h"

#include <stdio.h>

#include "daemon/mail/forward.h"

/* ---- trouble of the account --------------------------------------- */

/* A fresh token is worth one more try; everything else waits by cause. */
usec_t
outbox_wait_for(struct outbox *o, enum fault fault)
{
	if (fault == FAULT_AUTH && o->config->smtp.auth == SMTP_AUTH_OAUTH2 &&
	    !o->token_renewed) {
		o->token_renewed = true;
		return backoff_failed(&o->backoff, BACKOFF_NETWORK);
	}
	return backoff_failed(&o->backoff, backoff_cause_of(fault));
}

void
outbox_note_trouble(
    struct outbox *o, enum fault fault, const char *text, usec_t wait)
{
	snprintf(o->trouble, sizeof(o->trouble), "%s", text);
	o->trouble_fault = fault;
	if (wait > o->wait)
		o->wait = wait;
	outbox_report(o, OUTBOX_TROUBLE, text, fault, o->wait);
}

/* No item is to blame. */
void
outbox_fail_round(struct outbox *o, const struct error *error, usec_t now)
{
	outbox_drop_session(o);
	outbox_drop_item(o);
	outbox_note_trouble(
	    o, error->fault, error->text, outbox_wait_for(o, error->fault));
	outbox_next_round(o, now);
}

/* ---- rounds ------------------------------------------------------- */

void
outbox_close_politely(struct outbox *o, usec_t now)
{
	outbox_enter(o, STATE_CLOSING, now);
	smtp_session_quit(o->session, now);
}

void
outbox_put_back(struct outbox *o, usec_t now)
{
	outbox_drop_session(o);
	outbox_settle(o, QUEUE_WAITING, o->item.attempts, 0,
	    "stopped before it was sent", now);
}

/* What was to follow the item that is done with. False: there is something to
 * be written of it first. */
static bool
give_up_ahead(struct outbox *o, usec_t now)
{
	struct follower *marked = outbox_find_marked(o);

	if (o->has_next)
		outbox_drop_session(o);
	if (marked != NULL) {
		outbox_take_follower(o, marked, &o->item);
		outbox_put_back(o, now);
		return false;
	}
	outbox_drop_ahead(o);
	return true;
}

/* They come again when they are asked for. */
static bool
is_ahead_useless(const struct outbox *o)
{
	return o->stopping || o->wait > 0 || o->session == NULL || !o->has_next;
}

/* Nothing is in hand: what now? */
void
outbox_next_round(struct outbox *o, usec_t now)
{
	usec_t wait = o->wait;

	outbox_drop_item(o);
	if (is_ahead_useless(o) && !give_up_ahead(o, now))
		return;
	o->wait = 0;
	if (o->session != NULL && (o->stopping || wait > 0)) {
		o->wait = wait;
		outbox_close_politely(o, now);
	} else if (o->stopping) {
		outbox_enter(o, STATE_STOPPED, now);
	} else if (wait > 0) {
		outbox_rest_until(o, STATE_BACKOFF, usec_add(now, wait), now);
	} else if (outbox_promote_next(o, now)) {
		outbox_advance(o);
		outbox_want_next(o);
	} else if (o->session != NULL) {
		outbox_load(o, STATE_FETCHING, now);
	} else {
		outbox_load(o, STATE_LOADING, now);
	}
}

/* How long until the item may be tried; 0: now. */
usec_t
outbox_due_in(
    const struct outbox *o, const struct store_queue_item *item, usec_t now)
{
	int64_t seconds = item->next_try_unix - outbox_unix_at(o, now);

	if (seconds <= 0)
		return 0;
	/* Longer than any wait: the clock was set back since. */
	if (seconds > (int64_t)(RETRY_WAIT_MAX_USEC / USEC_SEC))
		return 0;
	return (usec_t)seconds * USEC_SEC;
}

/* Left by a crash, between the journal and the outcome. */
void
outbox_recover(
    struct outbox *o, const struct store_queue_item *item, usec_t now)
{
	static const struct smtp_event none = {.kind = SMTP_EVENT_FAILED};

	outbox_take_item(o, item);
	outbox_conclude(
	    o, SMTP_UNKNOWN, &none, "interrupted while it was sent", now);
}

void
outbox_look_at(
    struct outbox *o, const struct store_queue_item *item, usec_t now)
{
	usec_t wait;

	if (item == NULL) {
		outbox_rest_until(o, STATE_IDLE, USEC_NEVER, now);
		return;
	}
	wait = outbox_due_in(o, item, now);
	if (wait > 0) {
		outbox_rest_until(o, STATE_IDLE, usec_add(now, wait), now);
		return;
	}
	if (outbox_must_ask(o, item, now)) {
		outbox_ask(o, item, now);
		return;
	}
	outbox_enter(o, STATE_CONNECTING, now);
	outbox_add_event(o, OUTBOX_CONNECT);
}

bool
outbox_compose(const struct outbox *o, const struct store_queue_item *item,
    struct buf *out, struct error *error_r)
{
	const struct forward_request request = {
	    .from = o->config->from,
	    .to = item->target,
	    .message_id = item->message_id,
	    .date_unix = item->queued_unix,
	    .account = o->config->from,
	    .hop = 1,
	    .key = item->key,
	};

	if (strcmp(item->mode, "redirect") == 0)
		return forward_compose_redirect(
		    &request, item->original, out, error_r);
	if (strcmp(item->mode, "inline") == 0)
		return forward_compose_inline(
		    &request, item->original, out, error_r);
	return forward_compose_attach(&request, item->original,
	    smtp_session_has_8bitmime(o->session), out, error_r);
}

void
outbox_address(const struct outbox *o, const struct item *item,
    const struct buf *text, struct strv *to, struct smtp_message *message_r)
{
	strv_add(to, item->target);
	*message_r = (struct smtp_message){.from = o->config->from,
	    .recipients = to,
	    .bytes = buf_span(text),
	    .utf8_header = forward_has_8bit_header(buf_span(text))};
}

static void
send_item(struct outbox *o, const struct store_queue_item *item, usec_t now)
{
	static const struct smtp_event none = {.kind = SMTP_EVENT_RESULT};
	BUF_AUTO text = BUF_INIT;
	STRV_AUTO to = STRV_INIT;
	struct smtp_message message;
	struct error error = ERROR_INIT;
	const char *reason;

	outbox_take_item(o, item);
	reason = bans_reason(&o->bans, item->target, item->mode);
	if (reason != NULL) {
		outbox_refuse_untried(o, reason, now);
		return;
	}
	if (!outbox_compose(o, item, &text, &error)) {
		outbox_refuse(o, &none, error.text, now);
		return;
	}
	outbox_address(o, &o->item, &text, &to, &message);
	outbox_enter(o, STATE_SENDING, now);
	if (smtp_session_send(o->session, &message, now, &error))
		outbox_want_next(o);
	else if (error.fault == FAULT_RETRY)
		outbox_fail_round(o, &error, now);
	else
		outbox_refuse(o, &none, error.text, now);
}

void
outbox_fetch(struct outbox *o, const struct store_queue_item *item, usec_t now)
{
	if (item == NULL || outbox_due_in(o, item, now) > 0)
		outbox_close_politely(o, now);
	else if (outbox_must_ask(o, item, now))
		outbox_ask(o, item, now);
	else
		send_item(o, item, now);
}
