/*
 * wiring: what is due is handed to a notifier, what is settled is taken.
 */
#include "daemon/wiring/notify.h"

static void
pull_outcomes(struct notifier *notifier)
{
	struct notify_outcome outcome;

	while (notify_queue_outcome(notifier->queue, &outcome)) {
		struct pending *pending = pending_find(notifier, outcome.id);
		if (pending != NULL)
			pending_settle(pending, &outcome);
	}
}

void
notifier_answer(struct notifier *notifier, uint64_t id, enum notifier_verb verb,
    const char *reason)
{
	struct notifier_line line = {.verb = verb};

	notification_init(&line.n);
	line.n.id = id;
	if (reason != NULL)
		line.reason = xstrdup(reason);
	notify_queue_answer(notifier->queue, &line, loop_now());
	notifier_line_done(&line);
}

void
notifier_tell_away(struct notifier *notifier, const char *why)
{
	/* systemd ends the helpers, too. */
	if (!notifier->told_away && !notifier->notify->belfry->leaving)
		report_note(notifier->notify->belfry, false, "notifier-away",
		    NULL, "%s: %s; notifications wait for it", notifier->name,
		    why);
	notifier->told_away = true;
}

/* ---- the table of kinds ---- */

static const struct {
	void (*start)(struct notifier *); /* NULL: available at once */
	void (*again)(struct notifier *);
	void (*show)(struct notifier *, const struct notifier_line *);
	bool closes; /* understands CLOSE */
	bool one_at_a_time;
} types[] = {
    [CONFIG_NOTIFIER_DESKTOP] = {desktop_start, desktop_start, desktop_show,
	true, false},
    [CONFIG_NOTIFIER_EXEC] = {NULL, NULL, exec_show, false, true},
    [CONFIG_NOTIFIER_PROGRAM] = {program_start, program_start, desktop_show,
	true, false},
    [CONFIG_NOTIFIER_WEBHOOK] = {NULL, webhook_again, webhook_show, true, true},
    [CONFIG_NOTIFIER_JOURNAL] = {NULL, NULL, journal_show, false, false},
};

static bool
can_take(const struct notifier *notifier)
{
	return !types[notifier->type].one_at_a_time || notifier->busy_id == 0;
}

/* An hour that daylight saving time adds or takes is in between, if the offset
 * is another one then. */
static int64_t
end_of(int64_t now, int64_t left)
{
	return now + left -
	       (loop_utc_offset_at(now + left) - loop_utc_offset_at(now));
}

static void
note_change(struct notifier *notifier, int64_t now, int64_t local)
{
	int64_t left = quiet_hours_left(&notifier->quiet_hours, local);
	int64_t end = end_of(now, left);

	notifier->quiet_until_unix = left > 0 ? end : 0;
	notifier->quiet_change = USEC_NEVER;
	if (left > 0)
		notifier->quiet_change = usec_add(
		    loop_now(), (usec_t)(end > now ? end - now : 1) * USEC_SEC);
}

void
notifier_look_at_clock(struct notifier *notifier)
{
	int64_t now = loop_now_unix();
	int64_t local = now + loop_utc_offset();

	notifier->is_quiet = quiet_hours_hold(&notifier->quiet_hours, local);
	note_change(notifier, now, local);
	notify_queue_set_quiet(notifier->queue, notifier->is_quiet, loop_now());
}

void
notifier_give_turn(struct notifier *notifier)
{
	struct notifier_line line;

	while (
	    can_take(notifier) && notify_queue_next(notifier->queue, &line)) {
		if (line.verb == NOTIFIER_NOTIFY ||
		    types[notifier->type].closes)
			types[notifier->type].show(notifier, &line);
		notifier_line_done(&line);
	}
	pull_outcomes(notifier);
	loop_timer_set(notifier->timer,
	    usec_min(usec_min(notify_queue_deadline(notifier->queue),
			 notifier->again),
		notifier->quiet_change));
}

void
notifier_on_timer(void *ctx)
{
	struct notifier *notifier = ctx;

	if (notifier->again <= loop_now())
		types[notifier->type].again(notifier);
	if (notifier->quiet_change <= loop_now())
		notifier_look_at_clock(notifier);
	notify_queue_tick(notifier->queue, loop_now());
	notifier_give_turn(notifier);
}

void
notifier_begin(struct notifier *notifier)
{
	if (types[notifier->type].start != NULL)
		types[notifier->type].start(notifier);
	else
		notify_queue_set_available(notifier->queue, true, loop_now());
	notifier_give_turn(notifier);
}
