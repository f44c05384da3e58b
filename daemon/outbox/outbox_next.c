/*
 * outbox: the item behind the one in hand, whose envelope goes with its dot.
 */
#include "daemon/outbox/outbox_private.h"

void
outbox_want_next(struct outbox *o)
{
	if (o->stopping || o->wants_next ||
	    !smtp_session_has_pipelining(o->session))
		return;
	o->wants_next = true;
	outbox_add_event(o, OUTBOX_LOAD)->but = o->item.id;
}

static bool
is_in_hand(const struct outbox *o)
{
	return o->state == STATE_SENDING || o->state == STATE_JOURNAL ||
	       o->state == STATE_DOT;
}

/* What is not as it should be waits for its own turn, and is told then. */
void
outbox_take_next(
    struct outbox *o, const struct store_queue_item *item, usec_t now)
{
	BUF_AUTO text = BUF_INIT;
	STRV_AUTO to = STRV_INIT;
	struct smtp_message message;

	o->wants_next = false;
	if (item == NULL || !is_in_hand(o) || o->stopping ||
	    o->session == NULL || item->id == o->item.id ||
	    item->state != QUEUE_WAITING || outbox_due_in(o, item, now) > 0 ||
	    span_starts(span_from_str(item->reply), STORE_CLAIMED) ||
	    item->original.len > OUTBOX_AHEAD_MAX ||
	    bans_reason(&o->bans, item->target, item->mode) != NULL)
		return;
	if (outbox_compose(o, item, &text, &to, &message, NULL) &&
	    smtp_session_send_next(o->session, &message, NULL))
		outbox_copy_item(&o->next, item);
}

bool
outbox_promote_next(struct outbox *o, usec_t now)
{
	if (o->next.id == 0)
		return false;
	o->item = o->next;
	o->next = (struct item){0};
	outbox_enter(o, STATE_SENDING, now);
	return true;
}

void
outbox_mark_next(struct outbox *o, struct store_batch *batch, usec_t now)
{
	BUF_AUTO reply = BUF_INIT;

	if (o->next.id == 0 || o->stopping ||
	    strcmp(o->next.unknown, "resend") != 0)
		return;
	outbox_format_reply(&o->next, &reply, SPAN("being sent"));
	store_batch_set_queue(batch, o->next.id, QUEUE_SENDING,
	    o->next.attempts, outbox_unix_at(o, now), buf_str(&reply),
	    outbox_unix_at(o, now));
	o->next.is_marked = true;
}
