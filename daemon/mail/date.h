/*
 * mail/date: the date of a message, however it was written.
 *
 * RFC 5322 section 3.3 and its obsolete forms (4.3): comments anywhere, named
 * zones, two- and three-digit years, no weekday, no seconds; and what is seen
 * besides: month before day, year before month, asctime, hyphens, ISO 8601,
 * 12-hour clocks, "GMT+0200", zones with a colon or none at all.
 */
#ifndef BELFRY_MAIL_DATE_H
#define BELFRY_MAIL_DATE_H

#include "daemon/base/span.h"

/* Years outside are not believed: they are somebody's zero or overflow. */
#define DATE_YEAR_MIN 1900
#define DATE_YEAR_MAX 2199
/* No date is longer; more is not looked at. */
#define DATE_TEXT_MAX 512

/*
 * Seconds since 1970 in UTC. A zone that is missing, unknown or impossible
 * counts as UTC (RFC 5322 section 4.3: "-0000"), a missing time as midnight;
 * a wrong weekday does not count. False when no day, month and year can be
 * told, or when they or the time are impossible (31 February, 25:00); a date
 * of three bare numbers ("01/02/2024") is ambiguous, so none.
 */
bool date_parse(struct span text, int64_t *unix_r);

#endif
