/* Times as people write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "daemon/control/ctl.h"

/* 2026-03-29 12:00 in Berlin, whose clocks were put forward at 2:00. */
#define NOW 1774778400
#define NOTHING INT64_MIN

static const struct {
	const char *text;
	int64_t unix_seconds; /* NOTHING: it is no time */
} cases[] = {
    {"2h", NOW - 2 * 3600},
    {"1w", NOW - 7 * 86400},
    {"0s", NOW},
    {"today", 1774738800},
    {"yesterday", 1774652400},
    {"2026-03-28", 1774652400},
    {"2026-03-28 10:30", 1774690200},
    {"2026-03-28 10:30:07", 1774690207},
    {"2026-03-28T10:30", 1774690200},
    {"2026-03-28T10:30:00Z", 1774693800},
    {"2026-03-29 04:00", 1774749600},
    {"2024-02-29", 1709161200},
    {"2000-02-29", 951778800},
    {"", NOTHING},
    {"5", NOTHING},
    {"0", NOTHING},
    {"-2h", NOTHING},
    {"+2h", NOTHING},
    {"2 h", NOTHING},
    {"1.5h", NOTHING},
    {"2y", NOTHING},
    {"99999999999999999999h", NOTHING},
    {"now", NOTHING},
    {"Today", NOTHING},
    {"2026-02-29", NOTHING},
    {"1900-02-29", NOTHING},
    {"2026-04-31", NOTHING},
    {"2026-00-10", NOTHING},
    {"2026-13-01", NOTHING},
    {"2026-03-00", NOTHING},
    {"2026-3-1", NOTHING},
    {"2026-03- 1", NOTHING},
    {"2026-03--1", NOTHING},
    {"+026-03-01", NOTHING},
    {"26-03-01", NOTHING},
    {"2026-03-28 24:00", NOTHING},
    {"2026-03-28 10:60", NOTHING},
    {"2026-03-28 10:30:61", NOTHING},
    {"2026-03-28 10", NOTHING},
    {"2026-03-28 1030", NOTHING},
    {"2026-03-28  10:30", NOTHING},
    {"2026-03-28T", NOTHING},
    {"2026-03-28Z", NOTHING},
    {"2026-03-28T10:30:00+01:00", NOTHING},
    {"2026-03-28T10:30:00.5Z", NOTHING},
    {"2026-03-28T10:30:00Zx", NOTHING},
    {"2026-03-28x", NOTHING},
};

static void
what_people_write(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int64_t got = NOTHING;
		bool is_time = ctl_parse_since(cases[i].text, NOW, &got);
		if (is_time == (cases[i].unix_seconds != NOTHING) &&
		    got == cases[i].unix_seconds)
			continue;
		print_error("[%s]: %lld\n", cases[i].text, (long long)got);
		fail();
	}
}

static void
what_the_daemon_writes(void **state)
{
	(void)state;
	assert_int_equal(ctl_parse_time("2026-03-29T10:00:00Z"), NOW);
	assert_int_equal(ctl_parse_time("2026-03-29T10:00:00"), 0);
	assert_int_equal(ctl_parse_time("2026-03-32T10:00:00Z"), 0);
	assert_int_equal(ctl_parse_time(NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_people_write),
	    cmocka_unit_test(what_the_daemon_writes),
	};

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
