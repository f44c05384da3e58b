/*
 * fuzz-date: a date is none, or one between the years we believe; written in
 * the standard form it is read as the same.
 */
#include <stdint.h>
#include <stdlib.h>

#include <time.h>

#include "daemon/base/buf.h"
#include "daemon/mail/date.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

/* 1900-01-01 and 2200-01-01, and a day for the zone. */
#define FIRST (INT64_C(-2208988800) - 86400)
#define LAST (INT64_C(7258118400) + 86400)

static void
check_round_trip(int64_t seconds)
{
	time_t when = (time_t)seconds;
	int64_t again = 0;
	char text[64];
	struct tm tm;

	require(gmtime_r(&when, &tm) != NULL);
	require(strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S +0000",
		    &tm) > 0);
	if (tm.tm_year + 1900 < DATE_YEAR_MIN ||
	    tm.tm_year + 1900 > DATE_YEAR_MAX)
		return;
	require(date_parse(span_from_str(text), &again));
	require(again == seconds);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int64_t seconds = 0;

	if (!date_parse(span_from(data, size), &seconds)) {
		require(seconds == 0);
		return 0;
	}
	require(seconds >= FIRST && seconds <= LAST);
	check_round_trip(seconds);
	return 0;
}
