/*
 * A stream that outlives the daemon: who looks at it looks on when belfryd was
 * started anew.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "daemon/control/ctl_again.h"

/* Twice as long after each try that fails: a connection to a local socket costs
 * next to nothing. */
#define AGAIN_MSEC 200
#define AGAIN_MAX_MSEC 5000

struct again {
	struct ctl *ctl;
	const struct ctl_stream *stream;
	void *ctx;
	bool was_there; /* it has answered, some time */
	bool is_lost;	/* and then went, which was said */
	int wait_msec;
};

static int
on_line(void *ctx, const struct json *line)
{
	struct again *again = ctx;

	again->was_there = true;
	again->is_lost = false;
	again->wait_msec = AGAIN_MSEC;
	/* From here on its end is told by `lost`. */
	again->ctl->mute = !ctl_has(again->ctl, CTL_NO_RECONNECT);
	return again->stream->line(again->ctx, line);
}

/* It is not there, or does not answer, or its configuration is just being
 * written: all may pass. */
static bool
is_worth_another(const struct again *again, int code)
{
	return again->was_there && !ctl_has(again->ctl, CTL_NO_RECONNECT) &&
	       (code == EX_UNAVAILABLE || code == EX_TEMPFAIL ||
		   code == EX_CONFIG);
}

/* False: who read standard output has gone. */
static bool
wait_for_next(struct again *again)
{
	struct pollfd out = {.fd = STDOUT_FILENO}; /* for CTL_UNREAD */
	int left = again->wait_msec;

	again->wait_msec = again->wait_msec < AGAIN_MAX_MSEC / 2
			       ? again->wait_msec * 2
			       : AGAIN_MAX_MSEC;
	if (poll(&out, 1, left) > 0) {
		if ((out.revents & CTL_UNREAD) != 0)
			return false;
		poll(NULL, 0, left); /* it is none that can be watched */
	}
	return true;
}

static int
tell_lost(struct again *again, struct buf *why)
{
	if (again->is_lost)
		return -1;
	again->is_lost = true;
	return again->stream->lost(again->ctx, buf_str(why));
}

int
ctl_follow_again(struct ctl *ctl, const struct ctl_stream *stream, void *ctx)
{
	struct again again = {
	    .ctl = ctl, .stream = stream, .ctx = ctx, .wait_msec = AGAIN_MSEC};
	BUF_AUTO why = BUF_INIT;
	int code, told;

	ctl->said = &why;
	while (code = ctl_follow(ctl, stream->request(ctl), on_line, &again),
	    is_worth_another(&again, code)) {
		told = tell_lost(&again, &why);
		if (told < 0 && !wait_for_next(&again)) {
			raise(SIGPIPE);
			told = EX_IOERR;
		}
		if (told >= 0) {
			code = told;
			break;
		}
	}
	ctl->said = NULL;
	/* What was kept quiet, as it might have passed. */
	if (ctl->mute && code != EX_OK && code != EX_IOERR) {
		ctl->mute = false;
		ctl_fail(ctl, code, NULL, "%s", buf_str(&why));
	}
	ctl->mute = false;
	return code;
}
