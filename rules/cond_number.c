#include "rules/cond_number.h"

#include "daemon/base/str.h"
#include "daemon/base/usec.h"

static const char *const weekdays[] = {
    "mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL};

static bool
parse_weekday(struct span text, int64_t *number_r)
{
	for (int i = 0; weekdays[i] != NULL; i++) {
		if (span_is_nocase(text, weekdays[i])) {
			*number_r = i + 1;
			return true;
		}
	}
	return false;
}

static bool
parse_plain(struct span text, int64_t *number_r)
{
	uint32_t number;

	if (!span_to_u32(text, &number))
		return false;
	*number_r = number;
	return true;
}

static bool
parse_hour(struct span text, int64_t *number_r)
{
	int64_t number;

	if (!parse_plain(text, &number) || number > 23)
		return false;
	*number_r = number;
	return true;
}

static bool
parse_size(struct span text, int64_t *number_r)
{
	uint64_t size;

	if (!size_parse(text, &size) || size > INT64_MAX)
		return false;
	*number_r = (int64_t)size;
	return true;
}

static bool
parse_time(struct span text, int64_t *number_r)
{
	usec_t time;

	if (!usec_parse(text, &time))
		return false;
	*number_r = (int64_t)(time / USEC_SEC);
	return true;
}

static const struct {
	bool (*parse)(struct span text, int64_t *number_r);
	const char *expected;
} units[] = {
    [UNIT_NONE] = {parse_plain, "a whole number"},
    [UNIT_SIZE] = {parse_size,
	"a size: a whole number and K, M, G or nothing, as in 10M"},
    [UNIT_TIME] = {parse_time,
	"a time: a whole number and s, m, h, d or w, as in 2d"},
    [UNIT_HOUR] = {parse_hour, "an hour from 0 to 23"},
    [UNIT_WEEKDAY] = {parse_weekday,
	"a day: mon, tue, wed, thu, fri, sat or sun"},
};

bool
cond_number_parse(enum field_unit unit, struct span text, int64_t *number_r)
{
	return units[unit].parse(text, number_r);
}

const char *
cond_number_expected(enum field_unit unit)
{
	return units[unit].expected;
}
