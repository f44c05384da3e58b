/*
 * outbox: what came before the item in hand, and is written while that is
 * sent: that it was accepted, and of those that follow, that they may be sent.
 *
 * A server has its disk write one message, meanwhile this one's journal writes
 * of several at once. It waits for OUTBOX_GROUP of them, but no longer than
 * OUTBOX_GROUP_USEC, nor when the link would have to wait for it.
 */
#include "daemon/outbox/outbox_private.h"

#include "daemon/base/xalloc.h"

static struct settled *
settled_of(struct list_link *link)
{
	return LIST_ITEM(link, struct settled, link);
}

static void
free_settled(struct outbox *o, struct settled *settled)
{
	list_remove(&settled->link);
	o->behind_count--;
	outbox_free_item(&settled->item);
	free(settled);
}

bool
outbox_has_behind(const struct outbox *o, int64_t id)
{
	LIST_EACH(pos, &o->behind)
	if (settled_of(pos)->item.id == id)
		return true;
	return false;
}

void
outbox_drop_behind(struct outbox *o)
{
	LIST_EACH(pos, &o->behind)
	free_settled(o, settled_of(pos));
}

bool
outbox_trail(struct outbox *o, usec_t now)
{
	struct settled *settled;

	if (!outbox_may_go_on(o))
		return false;
	settled = NEW(struct settled);
	settled->item = o->item;
	settled->outcome = o->outcome;
	o->item = (struct item){0};
	if (o->behind_count++ == 0)
		o->behind_since = now;
	list_add(&o->behind, &settled->link);
	outbox_promote_next(o, now);
	outbox_advance(o);
	return true;
}

bool
outbox_is_behind(const struct outbox *o)
{
	return o->writes_behind || o->behind_count > 0;
}

bool
outbox_must_hold(const struct outbox *o, const struct smtp_event *event)
{
	if (!outbox_is_behind(o) || event->kind == SMTP_EVENT_RECIPIENT)
		return false;
	if (event->kind == SMTP_EVENT_COMMIT)
		return o->stopping || o->item.mark != MARK_DONE;
	return event->kind != SMTP_EVENT_RESULT ||
	       event->class != SMTP_ACCEPTED || !outbox_may_go_on(o);
}

/* ---- writing ---- */

/* The item in hand is in the store as SENDING, so another may be. */
static bool
may_mark_now(const struct outbox *o)
{
	return o->state == STATE_DOT ||
	       (o->state == STATE_SENDING && o->item.mark == MARK_DONE);
}

usec_t
outbox_write_at(const struct outbox *o)
{
	bool wants_marks = may_mark_now(o) && outbox_wants_marks(o);
	usec_t when = 0;

	if (o->writes_behind || (o->behind_count == 0 && !wants_marks))
		return USEC_NEVER;
	if (!wants_marks && o->behind_count < OUTBOX_GROUP && !o->stopping &&
	    !(o->has_held && outbox_must_hold(o, &o->held)))
		when = usec_add(o->behind_since, OUTBOX_GROUP_USEC);
	return when > o->write_after ? when : o->write_after;
}

void
outbox_write_behind(struct outbox *o, usec_t now)
{
	struct store_batch *batch;

	if (now < outbox_write_at(o))
		return;
	batch = store_batch_new();
	LIST_EACH(pos, &o->behind)
	{
		struct settled *settled = settled_of(pos);
		const struct outcome *outcome = &settled->outcome;

		store_batch_set_queue(batch, settled->item.id, outcome->state,
		    outcome->attempts, outcome->next_try_unix, outcome->reply,
		    outbox_unix_at(o, now));
		settled->is_writing = true;
	}
	outbox_mark_ahead(o, batch, now);
	o->writes_behind = true;
	outbox_add_event(o, OUTBOX_COMMIT)->batch = batch;
	outbox_want_next(o);
}

static void
forget_written(struct outbox *o, usec_t now)
{
	LIST_EACH(pos, &o->behind)
	if (settled_of(pos)->is_writing)
		free_settled(o, settled_of(pos));
	o->behind_since = now;
}

void
outbox_behind_committed(
    struct outbox *o, bool ok, const struct error *error, usec_t now)
{
	o->writes_behind = false;
	outbox_note_marks(o, ok);
	if (ok) {
		forget_written(o, now);
	} else {
		outbox_report(o, OUTBOX_TROUBLE, error->text, error->fault,
		    OUTBOX_STORE_USEC);
		o->write_after = usec_add(now, OUTBOX_STORE_USEC);
	}
	outbox_pump(o, now);
	if (o->stopping && o->state == STATE_SENDING && !outbox_is_behind(o))
		outbox_stop(o, now);
}
