/*
 * ctl_missed: what was judged while `belfryctl watch` could not listen, from
 * the daemon's history, as lines like those of the daemon.
 *
 * A message comes once: not again if its line was there before, nor if the
 * daemon says it after its line was made here.
 */
#ifndef BELFRY_CONTROL_CTL_MISSED_H
#define BELFRY_CONTROL_CTL_MISSED_H

#include "daemon/control/ctl.h"

/* Judged messages that are remembered; the oldest are forgotten. */
#define CTL_MISSED_KNOWN_MAX 1000
/* As many as the daemon gives in one answer: the newest. */
#define CTL_MISSED_MAX 1000

struct ctl_missed;

struct ctl_missed *ctl_missed_new(void);
void ctl_missed_free(struct ctl_missed **missed);
/* A line of the daemon. False: it was told already. */
bool ctl_missed_note(struct ctl_missed *missed, const struct json *line);
/* Asks for what was judged since, and calls `fn` for each, the oldest first.
 * *is_all_r: false if there may be more, or the daemon did not say. Returns the
 * exit code of `fn` that ended it, else -1. */
int ctl_missed_each(struct ctl_missed *missed, const struct ctl *ctl,
    int64_t since_unix, ctl_line_fn *fn, void *ctx, bool *is_all_r);

#endif
