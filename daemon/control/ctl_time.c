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

/* date = 4DIGIT "-" 2DIGIT "-" 2DIGIT [ ( "T" / " " ) 2DIGIT ":" 2DIGIT
 *        [ ":" 2DIGIT ] ] [ "Z" ] */
static bool
parse_date(const char *text, struct tm *tm_r, bool *is_utc_r)
{
	struct tm tm = {.tm_isdst = -1};
	int used = 0, more = 0;
	char joint = ' ';

	if (sscanf(text, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		&used) != 3)
		return false;
	text += used;
	if (sscanf(text, "%c%2d:%2d%n", &joint, &tm.tm_hour, &tm.tm_min,
		&more) == 3 &&
	    (joint == 'T' || joint == ' ')) {
		text += more;
		more = 0;
		if (sscanf(text, ":%2d%n", &tm.tm_sec, &more) == 1)
			text += more;
	}
	*is_utc_r = *text == 'Z';
	if (*text == 'Z')
		text++;
	if (*text != '\0' || tm.tm_mon < 1 || tm.tm_mon > 12 ||
	    tm.tm_mday < 1 || tm.tm_mday > 31)
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

	if (usec_parse(span_from_str(text), &ago)) {
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
