/*
 * ctl_again: a stream of the daemon (ctl_follow) that goes on when belfryd was
 * started anew.
 *
 * That it is not there at first is an error as for every command. Once it has
 * answered its end is told by `lost`, and it is looked for again: after a
 * fifth of a second, then each time twice as long, up to five seconds, for as
 * long as somebody reads standard output. With CTL_NO_RECONNECT among the
 * command's options, and given, its end is an error, too.
 */
#ifndef BELFRY_CONTROL_CTL_AGAIN_H
#define BELFRY_CONTROL_CTL_AGAIN_H

#include "daemon/control/ctl.h"

#define CTL_NO_RECONNECT "no-reconnect"

struct ctl_stream {
	/* Made anew for each try; taken. */
	struct json *(*request)(const struct ctl *ctl);
	ctl_line_fn *line;
	/* Said once for each time that it was lost, for these words. An exit
	 * code >= 0 ends it. */
	int (*lost)(void *ctx, const char *why);
};

/* The exit code; what is wrong was said. */
int ctl_follow_again(
    struct ctl *ctl, const struct ctl_stream *stream, void *ctx);

#endif
