/*
 * notifiers/quiet_hours: when nothing but `critical` rings.
 *
 * Days and hours of the wall clock, in local time:
 *
 *	22:00-07:00			each night
 *	mon-fri 22:00-07:00, sat, sun	the nights of weekdays, and all weekend
 *	none				never
 *
 * Hours that end before they begin go on until the next day; the days say
 * when they begin. No clock in here: the caller says what local time it is,
 * which is Unix time plus the seconds that local time is ahead of UTC then.
 */
#ifndef BELFRY_NOTIFIERS_QUIET_HOURS_H
#define BELFRY_NOTIFIERS_QUIET_HOURS_H

#include "daemon/base/error.h"
#include "daemon/base/span.h"

#define QUIET_HOURS_MAX 16

struct quiet_hours {
	bool is_set; /* written by someone; `none` is, too */
	size_t count;
	struct quiet_range {
		unsigned first_day, last_day; /* monday is 0 */
		unsigned from, to;	      /* minutes of the day, to 1440 */
	} items[QUIET_HOURS_MAX];
};

/* False: *offset_r is where in the text it is wrong, the error says what. */
bool quiet_hours_parse(struct span text, struct quiet_hours *hours_r,
    size_t *offset_r, struct error *error_r);
bool quiet_hours_equal(
    const struct quiet_hours *a, const struct quiet_hours *b);
/* Whether they hold at this local time. */
bool quiet_hours_hold(const struct quiet_hours *hours, int64_t local);
/* Seconds, of a clock that goes on evenly, until that changes; 0: never. */
int64_t quiet_hours_left(const struct quiet_hours *hours, int64_t local);

#endif
