/*
 * test-usec: spans of time, sizes and dates, as numbers and as text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/usec.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
#define UNTOUCHED 42

static const struct {
	struct span text;
	bool ok;
	usec_t value;
} times[] = {
    {SPAN_INIT("0"), true, 0},
    {SPAN_INIT("90"), false, 0}, /* of what? */
    {SPAN_INIT("00"), true, 0},
    {SPAN_INIT("0s"), true, 0},
    {SPAN_INIT("90s"), true, 90 * USEC_SEC},
    {SPAN_INIT("90S"), true, 90 * USEC_SEC},
    {SPAN_INIT("15m"), true, 15 * USEC_MINUTE},
    {SPAN_INIT("2h"), true, 2 * USEC_HOUR},
    {SPAN_INIT("3d"), true, 3 * USEC_DAY},
    {SPAN_INIT("1w"), true, 7 * USEC_DAY},
    {SPAN_INIT("10000w"), true, 70000 * USEC_DAY},
    {SPAN_INIT("10001w"), false, 0},
    {SPAN_INIT("6048000000s"), true, 70000 * USEC_DAY},
    {SPAN_INIT("6048000001s"), false, 0},
    {SPAN_INIT("18446744073709551615"), false, 0},
    {SPAN_INIT("30500568904944w"), false, 0}, /* wraps to a small value */
    {SPAN_INIT(""), false, 0},
    {SPAN_INIT("s"), false, 0},
    {SPAN_INIT("1x"), false, 0},
    {SPAN_INIT("1 m"), false, 0},
    {SPAN_INIT(" 1m"), false, 0},
    {SPAN_INIT("1m "), false, 0},
    {SPAN_INIT("-1m"), false, 0},
    {SPAN_INIT("1.5h"), false, 0},
    {SPAN_INIT("1h30m"), false, 0},
    {SPAN_INIT("1ms"), false, 0},
    {SPAN_INIT("1m\0"), false, 0},
};

static const struct {
	struct span text;
	bool ok;
	uint64_t value;
} sizes[] = {
    {SPAN_INIT("0"), true, 0},
    {SPAN_INIT("123"), true, 123},
    {SPAN_INIT("10K"), true, 10240},
    {SPAN_INIT("10k"), true, 10240},
    {SPAN_INIT("25M"), true, 26214400},
    {SPAN_INIT("2G"), true, UINT64_C(2147483648)},
    {SPAN_INIT("18446744073709551615"), true, UINT64_MAX},
    {SPAN_INIT("17179869183G"), true, UINT64_C(17179869183) << 30},
    {SPAN_INIT("17179869184G"), false, 0},
    {SPAN_INIT("18446744073709551616"), false, 0},
    {SPAN_INIT(""), false, 0},
    {SPAN_INIT("K"), false, 0},
    {SPAN_INIT("1KB"), false, 0},
    {SPAN_INIT("1T"), false, 0},
    {SPAN_INIT("1.5M"), false, 0},
    {SPAN_INIT("-1"), false, 0},
    {SPAN_INIT("1 M"), false, 0},
};

static void
check_parsed(struct span text, bool ok, bool expected_ok, uint64_t value,
    uint64_t expected)
{
	if (ok != expected_ok ||
	    value != (expected_ok ? expected : UNTOUCHED)) {
		print_error("case: \"%.*s\"\n", SPAN_FMT(text));
		fail();
	}
}

static void
test_parse(void **state)
{
	uint64_t value;
	bool ok;

	(void)state;
	for (size_t i = 0; i < LENGTH(times); i++) {
		value = UNTOUCHED;
		ok = usec_parse(times[i].text, &value);
		check_parsed(
		    times[i].text, ok, times[i].ok, value, times[i].value);
	}
	for (size_t i = 0; i < LENGTH(sizes); i++) {
		value = UNTOUCHED;
		ok = size_parse(sizes[i].text, &value);
		check_parsed(
		    sizes[i].text, ok, sizes[i].ok, value, sizes[i].value);
	}
}

static void
test_suggestion(void **state)
{
	BUF_AUTO words = BUF_INIT;

	(void)state;
	assert_true(usec_suggest_unit(&words, SPAN("90")));
	assert_string_equal(buf_str(&words), "write 90s, 90m, 90h or 90d");
	buf_clear(&words);
	assert_false(usec_suggest_unit(&words, SPAN("90s")));
	assert_false(usec_suggest_unit(&words, SPAN("soon")));
	assert_false(usec_suggest_unit(&words, SPAN("-5")));
	assert_false(usec_suggest_unit(&words, SPAN("0")));
	assert_false(usec_suggest_unit(&words, SPAN("1234567890")));
	assert_false(usec_suggest_unit(&words, SPAN_EMPTY));
	assert_string_equal(buf_str(&words), "");
}

static void
check_text(const struct buf *buf, const char *expected)
{
	if (!span_is(buf_span(buf), expected)) {
		print_error("case: %s: got \"%s\"\n", expected, buf_str(buf));
		fail();
	}
}

static const struct {
	usec_t value;
	const char *text;
} formats[] = {
    {0, "0 s"},
    {1, "1 us"},
    {999, "999 us"},
    {450 * USEC_MSEC, "450 ms"},
    {USEC_SEC - 1, "999 ms"},
    {USEC_SEC, "1 s"},
    {59 * USEC_SEC + 999 * USEC_MSEC, "59 s"},
    {USEC_MINUTE, "1 min"},
    {90 * USEC_SEC, "1 min 30 s"},
    {9 * USEC_MINUTE, "9 min"},
    {USEC_HOUR, "1 h"},
    {90 * USEC_MINUTE, "1 h 30 min"},
    {USEC_HOUR + 59 * USEC_SEC, "1 h"},
    {USEC_DAY - 1, "23 h 59 min"},
    {3 * USEC_DAY + 2 * USEC_HOUR, "3 d 2 h"},
    {3 * USEC_DAY + 59 * USEC_MINUTE, "3 d"},
    {USEC_NEVER - 1, "213503982 d 8 h"},
    {USEC_NEVER, "never"},
};

static void
test_format(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(formats); i++) {
		BUF_AUTO buf = BUF_INIT;

		usec_format(&buf, formats[i].value);
		check_text(&buf, formats[i].text);
	}
}

static const struct {
	int64_t unix_seconds;
	const char *text;
} dates[] = {
    {0, "1970-01-01T00:00:00Z"},
    {-1, "1969-12-31T23:59:59Z"},
    {951782399, "2000-02-28T23:59:59Z"},
    {951782400, "2000-02-29T00:00:00Z"},
    {951868800, "2000-03-01T00:00:00Z"},
    {1078012800, "2004-02-29T00:00:00Z"},
    {4107542400, "2100-03-01T00:00:00Z"},
    {4107542399, "2100-02-28T23:59:59Z"},
    {2147483648, "2038-01-19T03:14:08Z"},
    {1795293780, "2026-11-21T20:43:00Z"},
    {1798761599, "2026-12-31T23:59:59Z"},
    {-62135596800, "0001-01-01T00:00:00Z"},
    {-62167219200, "0000-01-01T00:00:00Z"},
    {-62167219201, "0000-01-01T00:00:00Z"},
    {253402300799, "9999-12-31T23:59:59Z"},
    {253402300800, "9999-12-31T23:59:59Z"},
    {INT64_MIN, "0000-01-01T00:00:00Z"},
    {INT64_MAX, "9999-12-31T23:59:59Z"},
};

static void
test_dates(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(dates); i++) {
		BUF_AUTO buf = BUF_INIT;

		unix_format(&buf, dates[i].unix_seconds);
		check_text(&buf, dates[i].text);
	}
}

/* Text order is time order over every day of 800 years. */
static void
test_dates_ascend(void **state)
{
	BUF_AUTO last = BUF_INIT;
	BUF_AUTO text = BUF_INIT;

	(void)state;
	for (int64_t day = -146097; day < 146097; day++) {
		buf_truncate(&text, 0);
		unix_format(&text, day * 86400);
		assert_true(span_compare(buf_span(&last), buf_span(&text)) < 0);
		buf_truncate(&last, 0);
		buf_add_span(&last, buf_span(&text));
	}
}

static const struct {
	int64_t unix_seconds;
	int weekday, hour, minute, second;
} weekdays[] = {
    {0, 4, 0, 0, 0},		/* Thursday */
    {-1, 3, 23, 59, 59},	/* Wednesday */
    {-3 * 86400, 1, 0, 0, 0},	/* Monday */
    {-4 * 86400, 7, 0, 0, 0},	/* Sunday */
    {951782399, 1, 23, 59, 59}, /* 2000-02-28 */
    {951782400, 2, 0, 0, 0},	/* 2000-02-29 */
    {1795293780, 6, 20, 43, 0}, /* 2026-11-21 */
    {INT64_MIN, 6, 0, 0, 0},	/* 0000-01-01 */
};

static void
test_weekdays(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(weekdays); i++) {
		struct unix_parts parts;

		unix_split(weekdays[i].unix_seconds, &parts);
		if (parts.weekday == weekdays[i].weekday &&
		    parts.hour == weekdays[i].hour &&
		    parts.minute == weekdays[i].minute &&
		    parts.second == weekdays[i].second)
			continue;
		print_error("%lld\n", (long long)weekdays[i].unix_seconds);
		fail();
	}
}

static void
test_arithmetic(void **state)
{
	(void)state;
	assert_true(usec_add(1, 2) == 3);
	assert_true(usec_add(USEC_NEVER, 0) == USEC_NEVER);
	assert_true(usec_add(1, USEC_NEVER) == USEC_NEVER);
	assert_true(usec_add(USEC_NEVER - 1, 2) == USEC_NEVER);
	assert_true(usec_since(3, 5) == 2);
	assert_true(usec_since(5, 5) == 0);
	assert_true(usec_since(5, 3) == 0);
	assert_true(usec_min(3, USEC_NEVER) == 3);
	assert_true(usec_min(5, 3) == 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse),
	    cmocka_unit_test(test_suggestion),
	    cmocka_unit_test(test_format),
	    cmocka_unit_test(test_dates),
	    cmocka_unit_test(test_dates_ascend),
	    cmocka_unit_test(test_weekdays),
	    cmocka_unit_test(test_arithmetic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
