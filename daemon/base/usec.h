/*
 * usec: the one type of time.
 *
 * Engines get `now` in microseconds of a clock that never goes back and that
 * counts while the machine sleeps (CLOCK_BOOTTIME); where zero lies is of no
 * meaning. Wall-clock times are `int64_t` seconds since 1970 in UTC and are
 * called `..._unix`.
 */
#ifndef BELFRY_BASE_USEC_H
#define BELFRY_BASE_USEC_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/buf.h"
#include "daemon/base/span.h"

typedef uint64_t usec_t;

#define USEC_NEVER UINT64_MAX
#define USEC_MSEC ((usec_t)1000)
#define USEC_SEC ((usec_t)1000000)
#define USEC_MINUTE (60 * USEC_SEC)
#define USEC_HOUR (60 * USEC_MINUTE)
#define USEC_DAY (24 * USEC_HOUR)

/* a + b; USEC_NEVER when either is, or on overflow. */
usec_t usec_add(usec_t a, usec_t b);
/* b - a, 0 when b is not after a. */
usec_t usec_since(usec_t a, usec_t b);
usec_t usec_min(usec_t a, usec_t b);

/*
 * "90s", "15m", "2h", "3d", "1w": a whole number and one unit, or "0". False on
 * anything else and above 10,000 weeks: what "5" means nobody can tell who has
 * not read the manual.
 */
bool usec_parse(struct span text, usec_t *value_r);
/* Where only the unit is missing, what to write: "write 5s, 5m, 5h or 5d". Else
 * false, and nothing is added. */
bool usec_suggest_unit(struct buf *buf, struct span text);
/* "9 min", "1 h 30 min", "450 ms", "never": for people; rounded down. */
void usec_format(struct buf *buf, usec_t value);
/* "123", "10K", "25M", "2G" in steps of 1024 bytes. False on anything else and
 * on overflow. */
bool size_parse(struct span text, uint64_t *bytes_r);

/* A time of UTC taken apart, for a calendar: day from 1, weekday from 1 for
 * Monday to 7. Local time is that of a time with its offset added. Outside of
 * the years 0 to 9999: the nearest within. */
struct unix_parts {
	int year, month, day, weekday;
	int hour, minute, second;
};
void unix_split(int64_t unix_seconds, struct unix_parts *parts_r);
/* RFC 3339 in UTC, "2026-11-21T20:43:00Z", for logs and JSON; the
 * years as above. */
void unix_format(struct buf *buf, int64_t unix_seconds);

#endif
