/*
 * ctl_progress: how far a run came, on standard error: a line that is drawn
 * again and again on a terminal, else a line every few seconds.
 */
#ifndef BELFRY_CONTROL_CTL_PROGRESS_H
#define BELFRY_CONTROL_CTL_PROGRESS_H

#include "daemon/control/ctl.h"

#define CTL_PROGRESS_LINES_USEC (5 * USEC_SEC)

struct ctl_progress;

/* `verb`: "applying"; borrowed. */
struct ctl_progress *ctl_progress_new(const char *verb);
/* A line of the daemon's answer (control/session.h). */
void ctl_progress_show(struct ctl_progress *progress, const struct json *line);
/* Takes the line away. NULL-safe. */
void ctl_progress_free(struct ctl_progress **progress);

/* What is known of the speed: how far it came since we look. */
struct ctl_speed {
	double seconds;
	int64_t messages;
	double share; /* of all: 0 to 1 */
};
/* How far the run is: 0 to 1; below 0: not known. By messages, where it is
 * known how many there are, else by UIDs. */
double ctl_progress_share(const struct json *line);
/* The line itself: `width` columns at most, without a bar when `bar` is
 * false. */
void ctl_progress_format(struct buf *out, const char *verb,
    const struct json *line, struct ctl_speed speed, size_t width, bool bar);

#endif
