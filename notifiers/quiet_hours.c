/*
 * notifiers/quiet_hours: when nothing but `critical` rings.
 *
 *   hours = "none" / item *( "," item )
 *   item  = days [ 1*WSP times ] / times
 *   days  = day [ "-" day ]                  ; may go over the weekend
 *   times = time "-" time
 *   time  = 1*2DIGIT ":" 2DIGIT              ; to 24:00
 */
#include "notifiers/quiet_hours.h"

#define DAYS 7
#define DAY_MINUTES (24 * 60)
#define WEEK_MINUTES (DAYS * DAY_MINUTES)

static const char *const day_names[DAYS] = {
    "mon", "tue", "wed", "thu", "fri", "sat", "sun"};

/* ---- reading ---- */

static bool
parse_day(struct span text, unsigned *day_r)
{
	for (unsigned i = 0; i < DAYS; i++) {
		if (span_is_nocase(text, day_names[i])) {
			*day_r = i;
			return true;
		}
	}
	return false;
}

static bool
parse_days(struct span text, struct quiet_range *range)
{
	struct span first;
	bool is_range = span_find(text, '-') != SIZE_MAX;

	span_split(&text, '-', &first);
	if (!parse_day(span_trim(first), &range->first_day))
		return false;
	range->last_day = range->first_day;
	return !is_range || parse_day(span_trim(text), &range->last_day);
}

static bool
parse_time(struct span text, unsigned *minute_r)
{
	struct span hour;
	uint32_t hours, minutes;

	text = span_trim(text);
	if (!span_split(&text, ':', &hour) || text.len != 2 || hour.len == 0 ||
	    hour.len > 2 || !span_to_u32(hour, &hours) ||
	    !span_to_u32(text, &minutes) || minutes > 59 ||
	    hours * 60 + minutes > DAY_MINUTES)
		return false;
	*minute_r = hours * 60 + minutes;
	return true;
}

static bool
parse_times(struct span text, struct quiet_range *range)
{
	struct span from;

	return span_split(&text, '-', &from) &&
	       parse_time(from, &range->from) && parse_time(text, &range->to) &&
	       range->from != range->to && range->from < DAY_MINUTES;
}

/* Where the times begin: at the first digit; SIZE_MAX: there are none. */
static size_t
find_times(struct span item)
{
	for (size_t i = 0; i < item.len; i++)
		if (item.data[i] >= '0' && item.data[i] <= '9')
			return i;
	return SIZE_MAX;
}

static bool
parse_item(struct span item, struct quiet_range *range_r)
{
	size_t at = find_times(item);
	struct span days =
	    span_trim(span_slice(item, 0, at == SIZE_MAX ? item.len : at));

	*range_r = (struct quiet_range){0, DAYS - 1, 0, DAY_MINUTES};
	if (days.len == 0 && at == SIZE_MAX)
		return false;
	if (days.len > 0 && !parse_days(days, range_r))
		return false;
	return at == SIZE_MAX || parse_times(span_skip(item, at), range_r);
}

bool
quiet_hours_parse(struct span text, struct quiet_hours *hours_r,
    size_t *offset_r, struct error *error_r)
{
	struct quiet_hours hours = {.is_set = true};
	struct span rest = text, item;

	if (span_is_nocase(span_trim(text), "none")) {
		*hours_r = hours;
		return true;
	}
	while (span_split(&rest, ',', &item)) {
		size_t offset = (size_t)(item.data - text.data);

		item = span_trim(item);
		if (item.len > 0)
			offset = (size_t)(item.data - text.data);
		if (hours.count == QUIET_HOURS_MAX) {
			*offset_r = offset;
			return error_set(error_r, FAULT_CONFIG,
			    "more than %d hours", QUIET_HOURS_MAX);
		}
		if (!parse_item(item, &hours.items[hours.count++])) {
			*offset_r = offset;
			return error_set(error_r, FAULT_CONFIG,
			    "`%.*s` is neither days, hours, nor both",
			    SPAN_FMT(item));
		}
	}
	if (hours.count == 0) {
		*offset_r = 0;
		return error_set(error_r, FAULT_CONFIG, "hours are expected");
	}
	*hours_r = hours;
	return true;
}

/* ---- asking ---- */

bool
quiet_hours_equal(const struct quiet_hours *a, const struct quiet_hours *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct quiet_range *x = &a->items[i], *y = &b->items[i];

		if (x->first_day != y->first_day ||
		    x->last_day != y->last_day || x->from != y->from ||
		    x->to != y->to)
			return false;
	}
	return true;
}

static bool
begins_on(const struct quiet_range *range, unsigned day)
{
	if (range->first_day <= range->last_day)
		return day >= range->first_day && day <= range->last_day;
	return day >= range->first_day || day <= range->last_day;
}

static bool
range_holds(const struct quiet_range *range, unsigned day, unsigned minute)
{
	unsigned yesterday = (day + DAYS - 1) % DAYS;

	if (range->from < range->to)
		return begins_on(range, day) && minute >= range->from &&
		       minute < range->to;
	return (begins_on(range, day) && minute >= range->from) ||
	       (begins_on(range, yesterday) && minute < range->to);
}

static bool
hold_in(const struct quiet_hours *hours, unsigned week_minute)
{
	for (size_t i = 0; i < hours->count; i++)
		if (range_holds(&hours->items[i], week_minute / DAY_MINUTES,
			week_minute % DAY_MINUTES))
			return true;
	return false;
}

/* 1970 began on a Thursday. */
static unsigned
minute_of_week(int64_t local)
{
	int64_t minutes = local / 60 - (local % 60 < 0) + 3 * DAY_MINUTES;
	int64_t in_week = minutes % WEEK_MINUTES;

	return (unsigned)(in_week < 0 ? in_week + WEEK_MINUTES : in_week);
}

bool
quiet_hours_hold(const struct quiet_hours *hours, int64_t local)
{
	return hold_in(hours, minute_of_week(local));
}

int64_t
quiet_hours_left(const struct quiet_hours *hours, int64_t local)
{
	unsigned now = minute_of_week(local);
	bool holds = hold_in(hours, now);
	int64_t second = ((local % 60) + 60) % 60;

	if (hours->count == 0)
		return 0;
	for (unsigned i = 1; i <= WEEK_MINUTES; i++)
		if (hold_in(hours, (now + i) % WEEK_MINUTES) != holds)
			return (int64_t)i * 60 - second;
	return 0;
}
