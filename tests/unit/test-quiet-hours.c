/*
 * test-quiet-hours: reading them, and whether they hold.
 *
 * Times are local, as "sat 06:59"; 2026-11-16 is the Monday they belong to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "notifiers/quiet_hours.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
#define MONDAY INT64_C(1794787200) /* 2026-11-16 00:00 */
#define DAY (24 * 60 * 60)

static int64_t
local_time(const char *text)
{
	static const char days[] = "montuewedthufrisatsun";
	char day[4] = "";
	unsigned hour, minute;

	assert_int_equal(sscanf(text, "%3s %u:%u", day, &hour, &minute), 3);
	return MONDAY + (strstr(days, day) - days) / 3 * DAY + hour * 3600 +
	       minute * 60;
}

static const struct {
	const char *hours, *when;
	bool holds;
	int left; /* minutes */
} cases[] = {
    {"22:00-07:00", "mon 21:59", false, 1},
    {"22:00-07:00", "mon 22:00", true, 540},
    {"22:00-07:00", "tue 00:00", true, 420},
    {"22:00-07:00", "tue 06:59", true, 1},
    {"22:00-07:00", "tue 07:00", false, 900},
    {"22:00-07:00", "sun 23:00", true, 480},
    {"22:00-07:00", "mon 03:00", true, 240},
    {"9:00-12:30", "wed 12:29", true, 1},
    {"9:00-12:30", "wed 12:30", false, 1230},
    {"22:00-24:00", "wed 23:59", true, 1},
    {"22:00-00:00", "wed 23:59", true, 1},
    {"22:00-24:00", "thu 00:00", false, 1320},
    {"00:00-24:00", "thu 12:00", true, 0},
    {"sat", "fri 23:59", false, 1},
    {"sat", "sat 00:00", true, 1440},
    {"sat, sun", "sat 12:00", true, 2160},
    {"SAT , Sun", "sun 23:59", true, 1},
    {"sat, sun", "mon 00:00", false, 7200},
    {"fri-mon", "sun 12:00", true, 2160},
    {"fri-mon", "tue 00:00", false, 4320},
    {"mon-fri 22:00-07:00, sat, sun", "fri 22:30", true, 2970},
    {"mon-fri 22:00-07:00, sat, sun", "sun 23:59", true, 1},
    {"mon-fri 22:00-07:00, sat, sun", "mon 00:00", false, 1320},
    {"mon-fri 22:00-07:00", "sat 06:59", true, 1},
    {"mon-fri 22:00-07:00", "mon 06:59", false, 901},
    {"mon - fri 22:00 - 07:00", "tue 06:00", true, 60},
    {"mon 12:00-13:00, mon 12:30-14:00", "mon 12:00", true, 120},
    {"mon 12:00-13:00,mon 13:00-14:00", "mon 12:00", true, 120},
    {"none", "mon 12:00", false, 0},
    {"mon-sun", "mon 12:00", true, 0},
};

static void
test_hold(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct quiet_hours hours;
		struct error error = ERROR_INIT;
		int64_t when = local_time(cases[i].when), left;
		size_t at;

		if (!quiet_hours_parse(
			span_from_str(cases[i].hours), &hours, &at, &error)) {
			print_error("%s: %s\n", cases[i].hours, error.text);
			fail();
		}
		left = quiet_hours_left(&hours, when);
		if (quiet_hours_hold(&hours, when) == cases[i].holds &&
		    left == cases[i].left * 60)
			continue;
		print_error("%s at %s: %s, %d min left\n", cases[i].hours,
		    cases[i].when,
		    quiet_hours_hold(&hours, when) ? "quiet" : "not quiet",
		    (int)(left / 60));
		fail();
	}
}

static const struct {
	const char *text;
	size_t offset;
} refused[] = {
    {"", 0},
    {"22:00", 0},
    {"22:00-", 0},
    {"22-07", 0},
    {"22:00-22:00", 0},
    {"24:00-07:00", 0},
    {"22:60-07:00", 0},
    {"25:00-07:00", 0},
    {"22:00-24:01", 0},
    {"222:00-07:00", 0},
    {"22:0-07:00", 0},
    {"-1:00-07:00", 0},
    {"monday", 0},
    {"mon-", 0},
    {"mon-funday 1:00-2:00", 0},
    {"sat,", 4},
    {"sat, 22:00-7", 5},
    {"sat, none", 5},
    {"sat 1:00-2:00 3:00-4:00", 0},
    {"1:00-2:00 sat", 0},
    {"sat,sat,sat,sat,sat,sat,sat,sat,sat,sat,sat,sat,sat,sat,sat,sat,sun", 64},
};

static void
test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(refused); i++) {
		struct quiet_hours hours;
		struct error error = ERROR_INIT;
		size_t at = SIZE_MAX;

		if (!quiet_hours_parse(
			span_from_str(refused[i].text), &hours, &at, &error) &&
		    at == refused[i].offset && error.text[0] != '\0')
			continue;
		print_error("\"%s\": at %zu\n", refused[i].text, at);
		fail();
	}
}

static void
test_before_1970_and_seconds(void **state)
{
	struct quiet_hours hours;
	struct error error = ERROR_INIT;
	size_t at;

	(void)state;
	/* 1969-12-31 was a Wednesday. */
	assert_true(quiet_hours_parse(SPAN("wed"), &hours, &at, &error));
	assert_true(quiet_hours_hold(&hours, -1));
	assert_false(quiet_hours_hold(&hours, 0));
	assert_int_equal(quiet_hours_left(&hours, -1), 1);
	assert_int_equal(
	    quiet_hours_left(&hours, local_time("wed 23:59") + 59), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hold),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_before_1970_and_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
