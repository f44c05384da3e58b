/*
 * wiring: belfry-desktop, or a person's own program: a helper process that
 * speaks lines.
 */
#include "daemon/wiring/deeds.h"
#include "daemon/wiring/notify.h"

#include <stdlib.h>

#define HELPER_AGAIN_USEC (30 * USEC_SEC)

static void
come_up(struct notifier *notifier, const struct notifier_line *line)
{
	notifier->told_away = false;
	notifier->is_up = true;
	free(notifier->places);
	notifier->places = line->place != NULL ? xstrdup(line->place) : NULL;
	notify_queue_answer(notifier->queue, line, loop_now());
	shown_again(notifier);
}

static void
helper_gone(struct notifier *notifier, const char *why)
{
	notifier->is_up = false;
	notify_queue_set_available(notifier->queue, false, loop_now());
	notifier->again = usec_add(loop_now(), HELPER_AGAIN_USEC);
	notifier_tell_away(notifier, why);
}

static void
on_helper_line(void *ctx, struct span text)
{
	struct notifier *notifier = ctx;
	struct notifier_line line;

	if (!notifier_line_parse(text, &line))
		return;
	if (line.verb == NOTIFIER_READY) {
		come_up(notifier, &line);
	} else if (line.verb == NOTIFIER_UNAVAILABLE) {
		notifier->is_up = false;
		notify_queue_answer(notifier->queue, &line, loop_now());
		notifier_tell_away(
		    notifier, line.reason != NULL ? line.reason : "away");
	} else if (line.verb == NOTIFIER_ACTION) {
		notifier_chosen(notifier, &line);
	} else {
		places_note(notifier, &line);
		notify_queue_answer(notifier->queue, &line, loop_now());
	}
	notifier_line_done(&line);
	notifier_give_turn(notifier);
}

static void
on_helper_end(void *ctx, int status)
{
	struct notifier *notifier = ctx;
	STR_AUTO why = xasprintf("its program ended with %d", status);

	helper_stop(&notifier->helper);
	helper_gone(notifier, why);
	notifier_give_turn(notifier);
}

/* The installed helper, or the one that a test or a build tree names. */
static const char *
desktop_program(void)
{
	const char *named = getenv("BELFRY_DESKTOP");

	return named != NULL ? named : BELFRY_LIBEXECDIR "/belfry-desktop";
}

static void
start(struct notifier *notifier, const struct strv *argv)
{
	struct error error = ERROR_INIT;

	notifier->again = USEC_NEVER;
	notifier->helper = helper_start(notifier->notify->belfry->loop, argv,
	    NOTIFIER_LINE_MAX, on_helper_line, on_helper_end, notifier, &error);
	if (notifier->helper == NULL)
		helper_gone(notifier, error.text);
}

void
desktop_start(struct notifier *notifier)
{
	STRV_AUTO argv = STRV_INIT;

	notify_queue_set_returns(notifier->queue, true);
	strv_add(&argv, desktop_program());
	start(notifier, &argv);
}

void
program_start(struct notifier *notifier)
{
	start(notifier, &notifier->command);
}

void
desktop_show(struct notifier *notifier, const struct notifier_line *line)
{
	BUF_AUTO text = BUF_INIT;

	notifier_line_format(&text, line);
	if (notifier->helper == NULL ||
	    !helper_send(notifier->helper, buf_span(&text)))
		notifier_answer(notifier, line->n.id, NOTIFIER_FAILED,
		    "its program does not keep up");
}
