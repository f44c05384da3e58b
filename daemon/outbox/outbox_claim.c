/*
 * outbox: whose the item in hand is to send, where several machines watch the
 * account.
 *
 *   CLAIMING -> ours: the round begins again, and finds it so
 *            -> another's, or not to be seen: it waits
 *            -> sent, or perhaps sent, by another: settled
 *   RENEWING    the same, with the text at the server and the dot not said;
 *               what is not ours any more ends with the connection
 */
#include "daemon/outbox/outbox_private.h"

#include "daemon/base/xalloc.h"

/* An answer that is good for no time is none. */
#define AGAIN_USEC USEC_SEC

static bool
is_known_ours(const struct outbox *o, int64_t id, usec_t now)
{
	return o->ours == id && now < o->ours_till;
}

bool
outbox_must_ask(
    const struct outbox *o, const struct store_queue_item *item, usec_t now)
{
	return span_starts(span_from_str(item->reply), STORE_CLAIMED) &&
	       !is_known_ours(o, item->id, now);
}

bool
outbox_is_ours(const struct outbox *o, usec_t now)
{
	return !o->item.is_claimed || is_known_ours(o, o->item.id, now);
}

static struct outbox_event *
add_claim_event(struct outbox *o, enum outbox_event_kind kind)
{
	struct outbox_event *event = outbox_add_event(o, kind);

	event->id = o->item.id;
	event->target = xstrdup(o->item.target);
	event->source = o->item.source;
	event->source.mailbox = xstrdup(o->item.source.mailbox);
	event->source.rule = xstrdup(o->item.source.rule);
	event->resends = strcmp(o->item.unknown, "resend") == 0;
	return event;
}

void
outbox_ask(struct outbox *o, const struct store_queue_item *item, usec_t now)
{
	outbox_take_item(o, item);
	outbox_enter(o, STATE_CLAIMING, now);
	add_claim_event(o, OUTBOX_CLAIM);
}

void
outbox_ask_again(struct outbox *o, usec_t now)
{
	outbox_enter(o, STATE_RENEWING, now);
	add_claim_event(o, OUTBOX_CLAIM);
}

void
outbox_tell_settled(struct outbox *o)
{
	struct outbox_event *event;

	if (!o->item.is_claimed)
		return;
	event = add_claim_event(o, OUTBOX_SETTLED);
	event->state = o->outcome.state;
	event->may_be_sent = o->item.unknown_count > 0;
	o->ours = 0; /* each try asks */
}

/* ---- answers ---- */

static void
go_on(struct outbox *o, usec_t till, usec_t now)
{
	o->ours = o->item.id;
	o->ours_till = till;
	if (o->state == STATE_RENEWING) {
		outbox_commit_sending(o, now);
		return;
	}
	outbox_drop_item(o);
	outbox_load(
	    o, o->session != NULL ? STATE_FETCHING : STATE_LOADING, now);
}

static void
wait_for_others(struct outbox *o, usec_t wait, usec_t now)
{
	outbox_settle(o, QUEUE_WAITING, o->item.attempts, wait,
	    "waits: the message is claimed by another machine, or cannot be "
	    "looked at now",
	    now);
}

void
outbox_claimed(struct outbox *o, int64_t id, enum outbox_claim claim,
    usec_t time, usec_t now)
{
	if ((o->state != STATE_CLAIMING && o->state != STATE_RENEWING) ||
	    o->item.id != id)
		return;
	if (claim == OUTBOX_OURS && time <= now) {
		claim = OUTBOX_OTHERS;
		time = AGAIN_USEC;
	}
	/* What has the text without a dot cannot be used for another. */
	if (claim != OUTBOX_OURS && o->state == STATE_RENEWING)
		outbox_drop_session(o);
	if (claim == OUTBOX_OURS)
		go_on(o, time, now);
	else if (claim == OUTBOX_OTHERS)
		wait_for_others(o, time, now);
	else if (claim == OUTBOX_DONE)
		outbox_give_up_claimed(o, now);
	else
		outbox_hold_unsure(o, now);
	outbox_pump(o, now);
}

void
outbox_late_claim(struct outbox *o, usec_t now)
{
	outbox_claimed(o, o->item.id, OUTBOX_OTHERS, OUTBOX_CLAIM_USEC, now);
}
