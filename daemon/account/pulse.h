/*
 * account/pulse: how well an account was connected, hour by hour, for
 * `belfryctl report`.
 *
 * In memory is the hour that runs; the hours before it are a text, which the
 * owner keeps, oldest first:
 *
 *   pulse = hour *( ";" hour )
 *   hour  = number " " connects " " losses " " watched " " total
 *
 * The number counts hours since 1970, in UTC. `watched` and `total` are
 * seconds, of all mailboxes together: in how many of them a mailbox was
 * watched (being proven alive by the deadlines of mailbox.h), and in how many
 * it should have been.
 */
#ifndef BELFRY_ACCOUNT_PULSE_H
#define BELFRY_ACCOUNT_PULSE_H

#include "daemon/base/buf.h"

#define PULSE_HOURS_MAX (14 * 24) /* older ones are forgotten */

struct pulse_hour {
	uint32_t number;
	uint32_t connects; /* logins */
	uint32_t losses;   /* times that something was wrong */
	uint64_t watched, total;
};

/* By value; zeroed at first. */
struct pulse {
	struct pulse_hour now;
};

/* An hour is over when time goes into another one: `past` is then its text,
 * and is to be kept (pulse_append). True: it was. An hour in which nothing
 * was is left out. */
bool pulse_advance(
    struct pulse *pulse, int64_t now_unix, struct pulse_hour *past_r);
void pulse_connected(struct pulse *pulse);
void pulse_lost(struct pulse *pulse);
/* For `seconds` so many of so many mailboxes were watched. */
void pulse_watched(
    struct pulse *pulse, uint64_t seconds, size_t watched, size_t total);

/* Appends the hour to `kept` (a text as above, or ""), and drops the oldest
 * above PULSE_HOURS_MAX. An hour that is there already is added to. What is
 * not understood is dropped. The text is appended to `out`. */
void pulse_append(
    struct buf *out, struct span kept, const struct pulse_hour *hour);
/* Takes the next hour off the text. False at its end. */
bool pulse_next(struct span *kept, struct pulse_hour *hour_r);

#endif
