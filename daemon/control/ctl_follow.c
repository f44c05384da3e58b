/* status --follow: how everything is, again whenever it changes. */
#include <stdio.h>
#include <unistd.h>

#include "daemon/control/ctl_again.h"
#include "daemon/control/ctl_bar.h"
#include "daemon/control/ctl_status.h"

/* The daemon says something more often than that (wiring/control.c). */
#define SILENCE_USEC (60 * USEC_SEC)
/* A bar is shown for as long as the session lasts, and the daemon may come
 * later. */
#define AGAIN_SECONDS 5
#define AGAIN_HINT "it is looked for again and again"
/* Home, and what is below goes; then the status is written over itself. */
#define CLEAR_SCREEN "\033[H\033[2J\033[3J"

struct following {
	struct ctl *ctl;
	const struct ctl_bar *bar; /* NULL: none */
	struct buf last;	   /* line of the bar */
	struct buf why;		   /* it is off */
	unsigned same;		   /* times that it came again */
};

/* So many of the daemon's lines without a change, and it is said again: this
 * is how we find that the bar is gone. */
#define SAME_MAX 6

static int
show_bar(struct following *following, const struct json *answer)
{
	BUF_AUTO line = BUF_INIT;

	ctl_bar_add(following->bar, &line, answer, buf_str(&following->why));
	if (strcmp(buf_str(&line), buf_str(&following->last)) == 0 &&
	    ++following->same < SAME_MAX)
		return -1;
	following->same = 0;
	buf_clear(&following->last);
	buf_add_span(&following->last, buf_span(&line));
	return ctl_write(&line) ? -1 : EX_IOERR;
}

static int
on_status(void *ctx, const struct json *answer)
{
	struct following *following = ctx;
	const struct ctl *ctl = following->ctl;
	BUF_AUTO out = BUF_INIT;

	if (following->bar != NULL)
		return show_bar(following, answer);
	if (ctl->json) {
		json_print(answer, &out, false);
		buf_add_char(&out, '\n');
	} else {
		if (isatty(STDOUT_FILENO))
			buf_add_str(&out, CLEAR_SCREEN);
		else if (following->same++ > 0)
			buf_add_char(&out, '\n');
		ctl_status_print(ctl, &out, answer);
	}
	return ctl_write(&out) ? -1 : EX_IOERR;
}

/* What is on a terminal is not true any more. */
static int
on_lost(void *ctx, const char *why)
{
	const struct following *following = ctx;
	const struct ctl *ctl = following->ctl;
	struct json *line;
	BUF_AUTO out = BUF_INIT;

	if (ctl->json) {
		line = json_new_object();
		json_set_bool(line, "ok", false);
		json_set_str(line, "error", why);
		json_set_str(line, "hint", AGAIN_HINT);
		json_print(line, &out, false);
		json_free(&line);
	} else {
		if (isatty(STDOUT_FILENO))
			buf_add_str(&out, CLEAR_SCREEN);
		ctl_add_clean(&out, why, CTL_TEXT_MAX);
		buf_add_str(&out, "; " AGAIN_HINT);
		ctl_fold(&out, ctl_columns());
	}
	buf_add_char(&out, '\n');
	return ctl_write(&out) ? -1 : EX_IOERR;
}

static struct json *
make_request(const struct ctl *ctl)
{
	struct json *request = ctl_request(ctl);

	json_set_bool(request, "follow", true);
	return request;
}

/* From the beginning on it waits for the daemon, and says so on the bar. */
static int
follow_for_bar(struct following *following)
{
	struct ctl *ctl = following->ctl;
	int code;

	ctl->mute = true;
	ctl->said = &following->why;
	while ((code = ctl_follow(ctl, make_request(ctl), on_status,
		    following)) != EX_IOERR) {
		int shown = show_bar(following, NULL);
		if (shown >= 0 || ctl_has(ctl, CTL_NO_RECONNECT)) {
			code = shown >= 0 ? shown : code;
			break;
		}
		sleep(AGAIN_SECONDS);
	}
	ctl->said = NULL;
	return code;
}

int
ctl_status_follow(struct ctl *ctl, const struct ctl_bar *bar)
{
	static const struct ctl_stream stream = {
	    make_request, on_status, on_lost};
	struct following following = {.ctl = ctl, .bar = bar};
	int code;

	ctl->silence = SILENCE_USEC;
	code = bar != NULL ? follow_for_bar(&following)
			   : ctl_follow_again(ctl, &stream, &following);
	buf_done(&following.last);
	buf_done(&following.why);
	return code;
}
