/*
 * outbox/retry: when a message is tried again, and when no more.
 */
#ifndef BELFRY_OUTBOX_RETRY_H
#define BELFRY_OUTBOX_RETRY_H

#include "daemon/base/random.h"
#include "daemon/base/span.h"

/* A deferred message is given up after this long, but never before it was
 * tried so often: a machine that slept for a week has tried nothing. */
#define RETRY_GIVE_UP_USEC (48 * USEC_HOUR)
#define RETRY_TRIES_MIN 8
/* What a server that asks for patience gets at least. */
#define RETRY_SLOW_USEC (5 * USEC_MINUTE)
/* No wait between two tries of a message is longer. A next try that lies
 * further ahead was written before the clock was set back. */
#define RETRY_WAIT_MAX_USEC (72 * USEC_MINUTE)
/* How often a message may be sent again after nobody can tell whether it
 * arrived; then it is held for the person to decide. */
#define RETRY_UNKNOWN_MAX 3

/* The wait after the `attempts`-th try (from 1): 1, 5, 15, 30, 60 minutes,
 * then an hour each, jittered by 20 percent. `slow`: RETRY_SLOW_USEC at
 * least. */
usec_t retry_wait(struct random *random, unsigned attempts, bool slow);
/* The account's rest after the `times`-th (from 1) quota in a row: 1, 2, 4,
 * 8, 16, 24 hours, jittered upwards only. */
usec_t retry_pause(struct random *random, unsigned times);
bool retry_is_over(unsigned attempts, int64_t queued_unix, int64_t now_unix);

/* The number of unknown outcomes is kept in front of the reply that the store
 * remembers: "[unknown 2] 450 later". 0 when there is none. */
unsigned retry_unknown_count(struct span reply);
/* Appends `text` with that number in front; nothing in front for 0. */
void retry_format_reply(struct buf *out, unsigned unknown, struct span text);

#endif
