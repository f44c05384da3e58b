/* Times as people and the daemon write them. */
#include <stdio.h>
#include <time.h>

#include "daemon/base/str.h"
#include "daemon/control/ctl.h"

int64_t
ctl_now_unix(void)
{
	return (int64_t)time(NULL);
}

/* As many digits as `len`, no sign and no blank. */
static bool
take_number(const char **text, int len, int *value_r)
{
	int value = 0;

	for (int i = 0; i < len; i++) {
		if ((*text)[i] < '0' || (*text)[i] > '9')
			return false;
		value = value * 10 + ((*text)[i] - '0');
	}
	*text += len;
	*value_r = value;
	return true;
}

/* The same, with a character before it. */
static bool
take_part(const char **text, char before, int *value_r)
{
	const char *rest = *text + 1;

	if (**text != before || !take_number(&rest, 2, value_r))
		return false;
	*text = rest;
	return true;
}

static int
days_in(int year, int month)
{
	static const int days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month == 2 && is_leap ? 29 : days[month - 1];
}

/* date = 4DIGIT "-" 2DIGIT "-" 2DIGIT [ ( "T" / " " ) 2DIGIT ":" 2DIGIT
 *        [ ":" 2DIGIT ] [ "Z" ] ] */
static bool
parse_date(const char *text, struct tm *tm_r, bool *is_utc_r)
{
	struct tm tm = {.tm_isdst = -1};
	bool has_clock = false;

	if (!take_number(&text, 4, &tm.tm_year) ||
	    !take_part(&text, '-', &tm.tm_mon) ||
	    !take_part(&text, '-', &tm.tm_mday))
		return false;
	if (take_part(&text, 'T', &tm.tm_hour) ||
	    take_part(&text, ' ', &tm.tm_hour)) {
		has_clock = take_part(&text, ':', &tm.tm_min);
		if (!has_clock)
			return false;
		take_part(&text, ':', &tm.tm_sec);
	}
	*is_utc_r = has_clock && *text == 'Z';
	if (*is_utc_r)
		text++;
	if (*text != '\0' || tm.tm_mon < 1 || tm.tm_mon > 12 ||
	    tm.tm_mday < 1 || tm.tm_mday > days_in(tm.tm_year, tm.tm_mon) ||
	    tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	*tm_r = tm;
	return true;
}

int64_t
ctl_parse_time(const char *text)
{
	struct tm tm;
	bool is_utc;

	if (text == NULL || !parse_date(text, &tm, &is_utc) || !is_utc)
		return 0;
	return (int64_t)timegm(&tm);
}

static struct tm
local_time(int64_t unix_seconds)
{
	time_t when = (time_t)unix_seconds;
	struct tm tm = {0};

	localtime_r(&when, &tm);
	return tm;
}

/* "today" and "yesterday": the beginning of the day, in local time. */
static bool
parse_day(const char *text, int64_t now_unix, int64_t *unix_r)
{
	struct tm tm = local_time(now_unix);

	if (strcmp(text, "yesterday") == 0)
		tm.tm_mday--;
	else if (strcmp(text, "today") != 0)
		return false;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	*unix_r = (int64_t)mktime(&tm);
	return true;
}

bool
ctl_parse_since(const char *text, int64_t now_unix, int64_t *unix_r)
{
	usec_t ago;
	struct tm tm;
	bool is_utc;

	/* "0" is a time, but no ago. */
	if (usec_parse(span_from_str(text), &ago) &&
	    text[strlen(text) - 1] > '9') {
		*unix_r = now_unix - (int64_t)(ago / USEC_SEC);
		return true;
	}
	if (parse_day(text, now_unix, unix_r))
		return true;
	if (!parse_date(text, &tm, &is_utc))
		return false;
	*unix_r = (int64_t)(is_utc ? timegm(&tm) : mktime(&tm));
	return true;
}

void
ctl_add_time(struct buf *out, int64_t unix_seconds)
{
	struct tm tm = local_time(unix_seconds);
	char text[64];

	if (unix_seconds != 0 &&
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm) > 0)
		buf_add_str(out, text);
}

void
ctl_add_day(struct buf *out, int64_t unix_seconds, bool has_hour)
{
	struct tm tm = local_time(unix_seconds);
	char text[64];

	if (strftime(text, sizeof(text),
		has_hour ? "%a %-d %b %H:%M" : "%a %-d %b", &tm) > 0)
		buf_add_str(out, text);
}

int64_t
ctl_midnight(int64_t unix_seconds, int days_later)
{
	struct tm tm = local_time(unix_seconds);

	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_mday += days_later;
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm);
}

int
ctl_hour_of(int64_t unix_seconds)
{
	return local_time(unix_seconds).tm_hour;
}

void
ctl_add_clock(struct buf *out, int64_t unix_seconds)
{
	struct tm tm = local_time(unix_seconds);
	char text[64];

	if (strftime(text, sizeof(text), "%H:%M:%S", &tm) > 0)
		buf_add_str(out, text);
}

void
ctl_add_ago(struct buf *out, int64_t unix_seconds, int64_t now_unix)
{
	if (unix_seconds == 0) {
		buf_add_str(out, "never");
		return;
	}
	int64_t ago = now_unix > unix_seconds ? now_unix - unix_seconds : 0;
	usec_format(out, (usec_t)ago * USEC_SEC);
	buf_add_str(out, " ago");
}
