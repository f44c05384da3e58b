/*
 * outbox: what goes behind the item in hand, and what came before it.
 *
 *   trailing   was accepted; its outcome is being written
 *   item       in hand: its text or its dot is under way
 *   next       the session has it, its envelope goes with the dot of `item`
 *   after      composed, to become `next`
 *
 * While a server has its disk write one message, this one's journal has the
 * outcome of the one before written, and that the next may be sent.
 */
#include "daemon/outbox/outbox_private.h"

/* ---- what follows ---- */

void
outbox_want_next(struct outbox *o)
{
	if (o->stopping || o->wants_next || o->after.id != 0 ||
	    !smtp_session_has_pipelining(o->session))
		return;
	o->wants_next = true;
	outbox_add_event(o, OUTBOX_LOAD)->but =
	    (struct store_but){{o->item.id, o->next.id, o->trailing.id}};
}

static bool
is_in_hand(const struct outbox *o)
{
	return o->state == STATE_SENDING || o->state == STATE_JOURNAL ||
	       o->state == STATE_DOT;
}

/* What is not as it should be waits for its own turn, and is told then. */
static bool
may_follow(
    const struct outbox *o, const struct store_queue_item *item, usec_t now)
{
	return is_in_hand(o) && !o->stopping && o->session != NULL &&
	       !outbox_has_in_hand(o, item->id) &&
	       item->state == QUEUE_WAITING &&
	       outbox_due_in(o, item, now) == 0 &&
	       !span_starts(span_from_str(item->reply), STORE_CLAIMED) &&
	       item->original.len <= OUTBOX_AHEAD_MAX &&
	       bans_reason(&o->bans, item->target, item->mode) == NULL;
}

static void
drop_after(struct outbox *o)
{
	outbox_free_item(&o->after);
	buf_done(&o->after_text);
}

/* `after` becomes `next`, if it still may. */
static void
advance(struct outbox *o)
{
	STRV_AUTO to = STRV_INIT;
	struct smtp_message message;

	if (o->after.id == 0 || o->next.id != 0)
		return;
	outbox_address(o, &o->after, &o->after_text, &to, &message);
	if (bans_reason(&o->bans, o->after.target, o->after.mode) == NULL &&
	    smtp_session_send_next(o->session, &message, NULL)) {
		o->next = o->after;
		o->after = (struct item){0};
	}
	drop_after(o);
}

void
outbox_take_next(
    struct outbox *o, const struct store_queue_item *item, usec_t now)
{
	BUF_AUTO text = BUF_INIT;

	o->wants_next = false;
	if (item == NULL || !may_follow(o, item, now) ||
	    !outbox_compose(o, item, &text, NULL))
		return;
	outbox_copy_item(&o->after, item);
	buf_add_span(&o->after_text, buf_span(&text));
	if (o->next.id != 0)
		return;
	advance(o);
	if (o->next.id == 0) /* and it would not be taken the next time */
		return;
	outbox_mark_ahead(o, now);
	outbox_want_next(o);
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
outbox_follow(struct outbox *o, usec_t now)
{
	advance(o);
	outbox_mark_ahead(o, now);
	outbox_want_next(o);
}

void
outbox_forget_next(struct outbox *o)
{
	if (!o->next.is_marked) /* else the store has to hear of it */
		outbox_free_item(&o->next);
	drop_after(o);
}

/* ---- its mark ---- */

/* The link broke before its turn came. */
static void
unmark_next(struct outbox *o, struct store_batch *batch, usec_t now)
{
	BUF_AUTO reply = BUF_INIT;

	outbox_format_reply(&o->next, &reply, SPAN("it was not its turn yet"));
	store_batch_set_queue(batch, o->next.id, QUEUE_WAITING,
	    o->next.attempts, outbox_unix_at(o, now), buf_str(&reply),
	    outbox_unix_at(o, now));
	o->next.is_unmarked = true;
}

/* After a crash it would be sent again anyway. */
static bool
may_mark_next(const struct outbox *o)
{
	return o->next.id != 0 && !o->stopping && o->session != NULL &&
	       strcmp(o->next.unknown, "resend") == 0;
}

void
outbox_mark_next(struct outbox *o, struct store_batch *batch, usec_t now)
{
	BUF_AUTO reply = BUF_INIT;

	if (o->next.id != 0 && o->session == NULL) {
		unmark_next(o, batch, now);
		return;
	}
	if (!may_mark_next(o))
		return;
	outbox_format_reply(&o->next, &reply, SPAN("being sent"));
	store_batch_set_queue(batch, o->next.id, QUEUE_SENDING,
	    o->next.attempts, outbox_unix_at(o, now), buf_str(&reply),
	    outbox_unix_at(o, now));
	o->next.is_marked = true;
}

/* ---- written while the item in hand is sent ---- */

static void
write_behind(struct outbox *o, usec_t now)
{
	struct store_batch *batch = store_batch_new();

	if (o->trailing.id != 0)
		store_batch_set_queue(batch, o->trailing.id, o->outcome.state,
		    o->outcome.attempts, o->outcome.next_try_unix,
		    o->outcome.reply, outbox_unix_at(o, now));
	outbox_mark_next(o, batch, now);
	o->writes_behind = true;
	o->write_again = USEC_NEVER;
	outbox_add_event(o, OUTBOX_COMMIT)->batch = batch;
}

void
outbox_mark_ahead(struct outbox *o, usec_t now)
{
	bool is_written = o->state == STATE_DOT ||
			  (o->state == STATE_SENDING && o->item.is_marked);

	if (is_written && !o->writes_behind && !o->next.is_marked &&
	    may_mark_next(o))
		write_behind(o, now);
}

bool
outbox_trail(struct outbox *o, usec_t now)
{
	if (!o->next.is_marked || o->item.is_claimed || o->stopping ||
	    o->session == NULL)
		return false;
	o->trailing = o->item;
	o->item = (struct item){0};
	outbox_promote_next(o, now);
	advance(o);
	write_behind(o, now);
	outbox_want_next(o);
	return true;
}

void
outbox_tick_behind(struct outbox *o, usec_t now)
{
	if (o->writes_behind && now >= o->write_again)
		write_behind(o, now);
}

void
outbox_behind_committed(
    struct outbox *o, bool ok, const struct error *error, usec_t now)
{
	if (!ok && o->trailing.id != 0) {
		outbox_report(o, OUTBOX_TROUBLE, error->text, error->fault,
		    OUTBOX_STORE_USEC);
		o->write_again = usec_add(now, OUTBOX_STORE_USEC);
		return;
	}
	if (!ok)
		o->next.is_marked = false;
	outbox_free_item(&o->trailing);
	o->writes_behind = false;
	outbox_pump(o, now);
	if (o->stopping && o->state == STATE_SENDING && !o->writes_behind)
		outbox_stop(o, now);
}

bool
outbox_must_hold(const struct outbox *o, const struct smtp_event *event)
{
	if (!o->writes_behind || event->kind == SMTP_EVENT_RECIPIENT)
		return false;
	return event->kind != SMTP_EVENT_COMMIT || o->stopping;
}
