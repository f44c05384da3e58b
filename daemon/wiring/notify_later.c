/*
 * wiring: escalations. Their time counts from when the message was judged, so
 * that a restart does not begin it anew; they are effects in the journal that
 * stay planned until they have rung or are not needed any more.
 *
 * Of a paused account nothing rings before it goes on. Where the server cannot
 * be asked whether the message was read, as behind a suspend, it is waited for,
 * but not for long: an alarm is better too loud than missed.
 */
#include "daemon/wiring/notify.h"

#define OFFLINE_MAX_USEC (2 * USEC_MINUTE)
#define AGAIN_USEC (5 * USEC_SEC)

static void
look(struct delivery *delivery)
{
	struct line *line = delivery->line;

	if (line == NULL)
		return;
	mailbox_look_after(line->mailbox, loop_now());
	accounts_pump(line->owner);
}

static bool
must_wait(const struct delivery *delivery)
{
	const struct line *line = delivery->line;
	struct mailbox_status status;

	if (line == NULL)
		return false;
	if (line->owner->paused)
		return true;
	mailbox_get_status(line->mailbox, &status);
	return delivery->unless_read && status.watch == WATCH_NOT &&
	       loop_now() < delivery->ring_by;
}

/* False: too many wait. */
static bool
wait_until(struct delivery *delivery, usec_t due)
{
	const struct escalation_message message = {delivery->n.account,
	    delivery->n.mailbox, delivery->uidvalidity, delivery->uid};

	return escalations_add(delivery->notify->escalations, &message, due,
	    delivery->unless_read, delivery, loop_now());
}

static void
ring(struct delivery *delivery)
{
	if (must_wait(delivery) &&
	    wait_until(delivery, usec_add(loop_now(), AGAIN_USEC)))
		return;
	list_remove(&delivery->later);
	delivery_send_clear(delivery);
}

static void
cancel(struct delivery *delivery)
{
	list_remove(&delivery->later);
	delivery_drop(
	    delivery, "not escalated: the message was read, moved or deleted");
}

static void (*const steps[])(struct delivery *) = {
    [ESCALATION_LOOK] = look,
    [ESCALATION_RING] = ring,
    [ESCALATION_CANCELLED] = cancel,
};

static void
on_time(void *ctx)
{
	struct notify *notify = ctx;
	struct escalation_event event;

	while (escalations_next(notify->escalations, loop_now(), &event))
		steps[event.step](event.ctx);
	loop_timer_set(
	    notify->escalating, escalations_deadline(notify->escalations));
}

void
later_start(struct notify *notify)
{
	list_init(&notify->later);
	notify->escalations = escalations_new();
	notify->escalating =
	    loop_timer_new(notify->belfry->loop, on_time, notify);
}

/* They stay in the journal. */
void
later_free(struct notify *notify)
{
	LIST_EACH(pos, &notify->later)
	delivery_forget(LIST_ITEM(pos, struct delivery, later));
	loop_timer_free(&notify->escalating);
	escalations_free(&notify->escalations);
}

static usec_t
time_of(const struct mailbox_task *task)
{
	int64_t after = task->action.after;
	int64_t left = task->judged_unix + after - loop_now_unix();

	/* A clock that was set back does not make it later than it is. */
	if (left > after)
		left = after;
	return usec_add(loop_now(), left > 0 ? (usec_t)left * USEC_SEC : 0);
}

void
later_send(struct delivery *delivery, const struct mailbox_task *task)
{
	struct notify *notify = delivery->notify;
	usec_t due = time_of(task);

	delivery->is_escalation = true;
	delivery->unless_read = task->action.unless_read;
	delivery->ring_by = usec_add(due, OFFLINE_MAX_USEC);
	list_add(&notify->later, &delivery->later);
	if (!wait_until(delivery, due))
		ring(delivery); /* better too early than never */
	loop_timer_set(
	    notify->escalating, escalations_deadline(notify->escalations));
}

/* Ends by the timer: who withdraws is in the middle of something. */
void
later_withdraw(struct notify *notify, const char *account, const char *mailbox,
    uint32_t uidvalidity, uint32_t uid)
{
	const struct escalation_message message = {
	    account, mailbox, uidvalidity, uid};

	escalations_withdraw(notify->escalations, &message);
	loop_timer_set(
	    notify->escalating, escalations_deadline(notify->escalations));
}

void
later_forget_line(struct notify *notify, const struct line *line)
{
	LIST_EACH(pos, &notify->later)
	{
		struct delivery *delivery =
		    LIST_ITEM(pos, struct delivery, later);
		if (delivery->line != line)
			continue;
		escalations_forget(notify->escalations, delivery);
		delivery_forget(delivery);
	}
}

size_t
notify_count_later(const struct belfry *belfry)
{
	return escalations_count(belfry->notify->escalations);
}
