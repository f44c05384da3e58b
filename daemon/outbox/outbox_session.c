/*
 * outbox: what the SMTP session says.
 */
#include "daemon/outbox/outbox_private.h"

#include <stdio.h>

/* ---- what the session says ---------------------------------------- */

static void
on_session_starttls(
    struct outbox *o, const struct smtp_event *event, usec_t now)
{
	(void)event;
	(void)now;
	outbox_add_event(o, OUTBOX_STARTTLS);
}

static void
on_session_secret(struct outbox *o, const struct smtp_event *event, usec_t now)
{
	(void)event;
	(void)now;
	outbox_add_event(o, OUTBOX_SECRET);
}

static void
on_session_ready(struct outbox *o, const struct smtp_event *event, usec_t now)
{
	(void)event;
	if (smtp_session_is_scram_useless(o->session))
		o->no_scram = true;
	outbox_next_round(o, now);
}

static void
on_session_recipient(
    struct outbox *o, const struct smtp_event *event, usec_t now)
{
	(void)now;
	/* There is one: the result will say the same. */
	o->item.is_target_refused = event->class == SMTP_REFUSED;
}

void
outbox_commit_sending(struct outbox *o, usec_t now)
{
	struct store_batch *batch = store_batch_new();
	BUF_AUTO reply = BUF_INIT;

	outbox_format_reply(&o->item, &reply, SPAN("being sent"));
	store_batch_set_queue(batch, o->item.id, QUEUE_SENDING,
	    o->item.attempts, outbox_unix_at(o, now), buf_str(&reply),
	    outbox_unix_at(o, now));
	o->is_lost = false;
	outbox_enter(o, STATE_JOURNAL, now);
	outbox_add_event(o, OUTBOX_COMMIT)->batch = batch;
}

static void
on_session_commit(struct outbox *o, const struct smtp_event *event, usec_t now)
{
	(void)event;
	if (o->item.mark == MARK_DONE && o->stopping) {
		outbox_put_back(o, now);
	} else if (o->item.mark == MARK_DONE) { /* with an earlier one */
		outbox_enter(o, STATE_DOT, now);
		smtp_session_finish(o->session, now);
	} else if (!outbox_is_ours(o, now)) {
		outbox_ask_again(o, now);
	} else {
		outbox_commit_sending(o, now);
	}
}

static void
on_session_result(struct outbox *o, const struct smtp_event *event, usec_t now)
{
	char reply[REPLY_MAX];

	snprintf(reply, sizeof(reply), "%u %s%s%s%s", event->code, event->text,
	    event->advice != NULL ? " (" : "",
	    event->advice != NULL ? event->advice : "",
	    event->advice != NULL ? ")" : "");
	outbox_conclude(o, event->class, event, reply, now);
}

static void
on_session_closed(struct outbox *o, const struct smtp_event *event, usec_t now)
{
	usec_t wait = o->wait;

	(void)event;
	outbox_drop_session(o);
	if (o->state != STATE_CLOSING)
		return;
	/* Nothing was due a moment ago: when is it? */
	o->wait = wait;
	outbox_next_round(o, now);
}

/* The link broke with the message in hand. */
void
outbox_lose_item(struct outbox *o, const struct smtp_event *event, usec_t now)
{
	outbox_note_trouble(o, event->error.fault, event->error.text,
	    outbox_wait_for(o, event->error.fault));
	outbox_conclude(o, event->class, event, event->error.text, now);
}

static void
on_session_failed(struct outbox *o, const struct smtp_event *event, usec_t now)
{
	struct smtp_event failed = *event;

	/* The transport knows better what happened to it. */
	if (o->transport.fault != FAULT_NONE)
		failed.error = o->transport;
	else if (event->advice != NULL && event->error.fault == FAULT_AUTH)
		error_set(&failed.error, event->error.fault, "%s (%s)",
		    event->error.text, event->advice);
	o->transport.fault = FAULT_NONE;
	if (failed.error.fault == FAULT_AUTH)
		outbox_note_refusal(o, event);
	outbox_drop_session(o);
	switch (o->state) {
	case STATE_SENDING:
	case STATE_DOT:
		outbox_lose_item(o, &failed, now);
		break;
	case STATE_JOURNAL: /* what is in the store must be known first */
		o->is_lost = true;
		o->lost = failed;
		break;
	case STATE_SETTLING:
		outbox_note_trouble(o, failed.error.fault, failed.error.text,
		    outbox_wait_for(o, failed.error.fault));
		break;
	default:
		outbox_fail_round(o, &failed.error, now);
		break;
	}
}

static bool
next_event(struct outbox *o, struct smtp_event *event_r)
{
	if (!o->has_held) {
		if (!smtp_session_next_event(o->session, &o->held))
			return false;
		o->has_held = true;
	}
	if (outbox_must_hold(o, &o->held))
		return false;
	*event_r = o->held;
	o->has_held = false;
	return true;
}

/* Every call that may have moved the session ends here. */
void
outbox_pump(struct outbox *o, usec_t now)
{
	static void (*const acts[])(
	    struct outbox * o, const struct smtp_event *event, usec_t now) = {
	    [SMTP_EVENT_STARTTLS] = on_session_starttls,
	    [SMTP_EVENT_SECRET] = on_session_secret,
	    [SMTP_EVENT_READY] = on_session_ready,
	    [SMTP_EVENT_RECIPIENT] = on_session_recipient,
	    [SMTP_EVENT_COMMIT] = on_session_commit,
	    [SMTP_EVENT_RESULT] = on_session_result,
	    [SMTP_EVENT_CLOSED] = on_session_closed,
	    [SMTP_EVENT_FAILED] = on_session_failed,
	};
	struct smtp_event event;

	/* What the session says of the next item waits until the outcome of
	 * the one before it is written. */
	while (o->session != NULL &&
	       !(o->state == STATE_SETTLING && o->ahead_count > 0) &&
	       next_event(o, &event))
		acts[event.kind](o, &event, now);
	outbox_write_behind(o, now);
}
