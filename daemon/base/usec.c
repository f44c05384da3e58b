/*
 * usec: time spans, sizes and dates as text.
 */
#include "daemon/base/usec.h"

#include <inttypes.h>

#include "daemon/base/str.h"

#define USEC_WEEK (7 * USEC_DAY)
#define PARSE_MAX (10000 * USEC_WEEK)

#define SECONDS_PER_DAY 86400
/* 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z: RFC 3339 has four digits
 * for the year. */
#define UNIX_FIRST INT64_C(-62167219200)
#define UNIX_LAST INT64_C(253402300799)

/* A letter behind a number, and what the number is multiplied with. */
struct unit {
	char letter;
	uint64_t factor;
};

static const struct unit time_units[] = {
    {'s', USEC_SEC},
    {'m', USEC_MINUTE},
    {'h', USEC_HOUR},
    {'d', USEC_DAY},
    {'w', USEC_WEEK},
};

static const struct unit size_units[] = {
    {'K', UINT64_C(1) << 10},
    {'M', UINT64_C(1) << 20},
    {'G', UINT64_C(1) << 30},
};

struct step {
	usec_t usec;
	const char *name;
	bool with_next; /* a second number of the next row is worth telling */
};

/* Largest first. */
static const struct step steps[] = {
    {USEC_DAY, "d", true},
    {USEC_HOUR, "h", true},
    {USEC_MINUTE, "min", true},
    {USEC_SEC, "s", false},
    {USEC_MSEC, "ms", false},
    {1, "us", false},
};

usec_t
usec_add(usec_t a, usec_t b)
{
	usec_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return USEC_NEVER;
	return sum;
}

usec_t
usec_since(usec_t a, usec_t b)
{
	return b > a ? b - a : 0;
}

usec_t
usec_min(usec_t a, usec_t b)
{
	return a < b ? a : b;
}

/* number = 1*DIGIT [ letter ], times the letter's factor or else `plain`. */
static bool
parse_with_unit(struct span text, const struct unit *units, size_t count,
    uint64_t plain, uint64_t *value_r)
{
	uint64_t factor = plain, number, value;
	char last = text.len > 0 ? char_to_lower(text.data[text.len - 1]) : '0';

	for (size_t i = 0; i < count; i++) {
		if (last == char_to_lower(units[i].letter)) {
			factor = units[i].factor;
			text.len--;
			break;
		}
	}
	if (!span_to_u64(text, &number) ||
	    __builtin_mul_overflow(number, factor, &value))
		return false;
	*value_r = value;
	return true;
}

static bool
is_number(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!char_is_digit(text.data[i]))
			return false;
	return text.len > 0;
}

bool
usec_parse(struct span text, usec_t *value_r)
{
	usec_t value;

	if (!parse_with_unit(text, time_units,
		sizeof(time_units) / sizeof(time_units[0]), USEC_SEC, &value) ||
	    value > PARSE_MAX || (value != 0 && is_number(text)))
		return false;
	*value_r = value;
	return true;
}

#define SUGGESTED_DIGITS_MAX 9

bool
usec_suggest_unit(struct buf *buf, struct span text)
{
	usec_t value;

	if (!is_number(text) || text.len > SUGGESTED_DIGITS_MAX ||
	    usec_parse(text, &value))
		return false;
	buf_addf(buf, "write %.*ss, %.*sm, %.*sh or %.*sd", SPAN_FMT(text),
	    SPAN_FMT(text), SPAN_FMT(text), SPAN_FMT(text));
	return true;
}

bool
size_parse(struct span text, uint64_t *bytes_r)
{
	return parse_with_unit(text, size_units,
	    sizeof(size_units) / sizeof(size_units[0]), 1, bytes_r);
}

static void
format_steps(struct buf *buf, usec_t value, const struct step *step)
{
	usec_t next;

	buf_addf(buf, "%" PRIu64 " %s", value / step->usec, step->name);
	if (!step->with_next)
		return;
	next = value % step->usec / step[1].usec;
	if (next > 0)
		buf_addf(buf, " %" PRIu64 " %s", next, step[1].name);
}

void
usec_format(struct buf *buf, usec_t value)
{
	const struct step *step = steps;

	if (value == USEC_NEVER || value == 0) {
		buf_add_str(buf, value == 0 ? "0 s" : "never");
		return;
	}
	while (value < step->usec)
		step++;
	format_steps(buf, value, step);
}

/*
 * The day, counted from 1970-01-01, in the proleptic Gregorian calendar: after
 * Hinnant's "civil_from_days", which counts in eras of 400 years that begin
 * on a 1 March, so that the leap day is the last of its year. By hand, because
 * gmtime_r reads the time zone's file on its first call.
 */
static void
split_day(int64_t day, int *year_r, int *month_r, int *mday_r)
{
	int64_t shifted = day + 719468;
	int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	int64_t in_era = shifted - era * 146097;
	int64_t year =
	    (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * in_year + 2) / 153; /* 0: March */

	*mday_r = (int)(in_year - (153 * month + 2) / 5 + 1);
	*month_r = (int)(month < 10 ? month + 3 : month - 9);
	*year_r = (int)(year + era * 400 + (*month_r <= 2));
}

void
unix_split(int64_t unix_seconds, struct unix_parts *parts_r)
{
	int64_t day, second;

	if (unix_seconds < UNIX_FIRST)
		unix_seconds = UNIX_FIRST;
	if (unix_seconds > UNIX_LAST)
		unix_seconds = UNIX_LAST;
	day = unix_seconds / SECONDS_PER_DAY;
	second = unix_seconds % SECONDS_PER_DAY;
	if (second < 0) {
		second += SECONDS_PER_DAY;
		day--;
	}
	split_day(day, &parts_r->year, &parts_r->month, &parts_r->day);
	/* 1970-01-01 was a Thursday, the fourth day of its week. */
	parts_r->weekday = (int)(((day + 3) % 7 + 7) % 7) + 1;
	parts_r->hour = (int)(second / 3600);
	parts_r->minute = (int)(second / 60 % 60);
	parts_r->second = (int)(second % 60);
}

void
unix_format(struct buf *buf, int64_t unix_seconds)
{
	struct unix_parts parts;

	unix_split(unix_seconds, &parts);
	buf_addf(buf, "%04d-%02d-%02dT%02d:%02d:%02dZ", parts.year, parts.month,
	    parts.day, parts.hour, parts.minute, parts.second);
}
