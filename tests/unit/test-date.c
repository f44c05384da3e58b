/*
 * test-date: every shape of date that mail has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/str.h"
#include "daemon/mail/date.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
#define NONE INT64_MIN
/* 29 February 2024, 10:11:12 UTC */
#define LEAP INT64_C(1709201472)

static const struct {
	const char *text;
	int64_t seconds;
} dates[] = {
    /* clang-format off */
	{"Thu, 29 Feb 2024 10:11:12 +0000", LEAP},
	{"Thu, 29 Feb 2024 10:11:12 -0000", LEAP},
	{"29 Feb 2024 10:11:12 +0000", LEAP},
	{"Thu, 29 Feb 2024 10:11 +0000", LEAP - 12},
	{"Thu,29 Feb 2024 10:11:12 GMT", LEAP},
	{"Thu 29 Feb 2024 10:11:12 UT", LEAP},
	{"Thursday, 29 February 2024 10:11:12 Z", LEAP},
	{"thu, 29 FEB 2024 10:11:12 utc", LEAP},
	{"Mon, 29 Feb 2024 10:11:12 +0000", LEAP}, /* wrong weekday */
	{"Do, 29 Feb 2024 10:11:12 +0000", LEAP}, /* foreign weekday */
	{"Thu, 29 Feb 2024 12:11:12 +0200", LEAP},
	{"Thu, 29 Feb 2024 12:11:12 +0200 (CEST)", LEAP},
	{"Thu, 29 Feb 2024 12:11:12 +0200 CEST", LEAP},
	{"Thu, 29 Feb 2024 12:11:12 +02:00", LEAP},
	{"Thu, 29 Feb 2024 12:11:12 +2", LEAP},
	{"Thu, 29 Feb 2024 12:11:12 GMT+0200", LEAP},
	{"Thu, 29 Feb 2024 12:11:12 GMT+02:00", LEAP},
	{"Thu, 29 Feb 2024 12:11:12 0200", LEAP},
	{"Thu, 29 Feb 2024 04:41:12 -0530", LEAP},
	{"Thu, 29 Feb 2024 04:41:12 - 0530", LEAP},
	{"Thu, 29 Feb 2024 04:41:12 -530", LEAP},
	{"Thu, 29 Feb 2024 05:11:12 EST", LEAP},
	{"Thu, 29 Feb 2024 06:11:12 EDT", LEAP},
	{"Thu, 29 Feb 2024 04:11:12 CST", LEAP},
	{"Thu, 29 Feb 2024 05:11:12 CDT", LEAP},
	{"Thu, 29 Feb 2024 03:11:12 MST", LEAP},
	{"Thu, 29 Feb 2024 04:11:12 MDT", LEAP},
	{"Thu, 29 Feb 2024 02:11:12 PST", LEAP},
	{"Thu, 29 Feb 2024 03:11:12 PDT", LEAP},
	{"Thu, 29 Feb 2024 11:11:12 MET", LEAP},
	{"Thu, 29 Feb 2024 10:11:12 A", LEAP}, /* military: unknown */
	{"Thu, 29 Feb 2024 10:11:12 XYZ", LEAP},
	{"Thu, 29 Feb 2024 10:11:12 +9999", LEAP}, /* impossible: unknown */
	{"Thu, 29 Feb 2024 10:11:12", LEAP},
	{"29 Feb 24 10:11:12 GMT", LEAP},
	{"29 Feb 124 10:11:12 GMT", LEAP}, /* of a year-1900 */
	{"01 Jan 70 00:00:00 GMT", 0},
	{"31 Dec 69 23:59:59 GMT", -1},
	{"01 Jan 49 00:00:00 GMT", 2493072000},
	{"01 Jan 50 00:00:00 GMT", -631152000},
	{"01 Jan 00 00:00:00 GMT", 946684800},
	{"Thu (leap (day)), 29 (\\)) Feb 2024 (x) 10:11:12 (y) +0000", LEAP},
	{"Thu, 29 Feb 2024 10:11:12 +0000 (open", LEAP},
	{"Thu Feb 29 10:11:12 2024", LEAP}, /* asctime */
	{"Thu Feb 29 12:11:12 2024 +0200", LEAP},
	{"Thu Feb 29 02:11:12 PST 2024", LEAP}, /* date(1) */
	{"Feb 29, 2024 10:11:12", LEAP},
	{"Feb 29, 2024 10:11:12 AM", LEAP},
	{"Feb 29, 2024 10:11:12 pm", LEAP + 43200},
	{"Feb 29, 2024 12:11:12 AM", LEAP - 36000},
	{"Feb 29, 2024 12:11:12 PM", LEAP + 7200},
	{"2024 Feb 29 10:11:12", LEAP},
	{"29-Feb-2024 10:11:12 +0000", LEAP}, /* IMAP's INTERNALDATE */
	{"29-Feb-24 10:11:12 +0000", LEAP},
	{"2024-02-29T10:11:12Z", LEAP},
	{"2024-02-29T10:11:12.345Z", LEAP},
	{"2024-02-29 12:11:12 +0200", LEAP},
	{"2024-02-29T12:11:12+02:00", LEAP},
	{"2024/02/29 10:11:12", LEAP},
	{"Thu, 29 Feb 2024 10.11.12 +0000", LEAP},
	{"Thu, 29 Feb 2024  1:02:03 +0000", LEAP - 32949},
	{"\t Thu,  29\tFeb 2024 10:11:12 +0000 \r\n", LEAP},
	{"10:11:12 29 Feb 2024", LEAP},
	/* Blanks and comments (RFC 5322 section 4.3 and appendix A.6.3) */
	{"Thu, 29 Feb 2024 10(comment):   11  :  12 +0000", LEAP},
	{"Thu, 29 Feb 2024 10 : 11 +0000", LEAP - 12},
	{"Thu, 29 Feb 2024 10 :11:\t(a (b)) 12 (c) +0000", LEAP},
	{"29 Feb 2024 10 :", NONE},
	{"29 Feb 2024 10 : (11", NONE},
	{"29 Feb 2024", LEAP - 36672},
	{"29th Feb 2024 10:11:12", LEAP},
	{"29 Feb 2024 10:11:60", LEAP + 48}, /* a leap second */
	{"31 Dec 1899 00:00:00", NONE},
	{"Fri, 1 Jan 9999 00:00:00 +0000", NONE},
	{"30 Feb 2024 10:11:12", NONE},
	{"29 Feb 2023 10:11:12", NONE},
	{"0 Feb 2024 10:11:12", NONE},
	{"29 Feb 2024 24:00:00", NONE},
	{"29 Feb 2024 10:60:00", NONE},
	{"29 Feb 2024 10:11:61", NONE},
	{"29 Feb 2024 10:", NONE},
	{"29 Feb 2024 10:11:12 11:12:13", NONE},
	{"01/02/2024 10:11:12", NONE}, /* ambiguous */
	{"29 Foo 2024 10:11:12", NONE},
	{"2024-13-29 10:11:12", NONE},
	{"Feb 2024", NONE},
	{"10:11:12", NONE},
	{"1709201472", NONE},
	{"99999999999999999999", NONE},
	{"yesterday", NONE},
	{"(Thu, 29 Feb 2024 10:11:12)", NONE},
	{"", NONE},
    /* clang-format on */
};

static void
test_dates(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(dates); i++) {
		int64_t seconds = NONE;
		bool ok = date_parse(span_from_str(dates[i].text), &seconds);

		/* Untouched on failure. */
		if (ok != (dates[i].seconds != NONE) ||
		    seconds != dates[i].seconds) {
			print_error("case: %s: got %lld\n", dates[i].text,
			    (long long)seconds);
			fail();
		}
	}
}

/* Every day of 1900 to 2199 against counting. */
static void
test_calendar(void **state)
{
	static const int days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	static const char *const names[] = {"Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	int64_t want = INT64_C(-2208988800);

	(void)state;
	for (int year = DATE_YEAR_MIN; year <= DATE_YEAR_MAX; year++) {
		for (int day = 0; day < 31 * 12; day++) {
			bool leap = year % 4 == 0 && year % 100 != 0;
			int month = day / 31, last = days[month];
			BUF_AUTO text = BUF_INIT;
			int64_t got = 0;

			leap = leap || year % 400 == 0;
			if (day % 31 >= last + (month == 1 && leap))
				continue;
			buf_addf(&text, "%d %s %d", day % 31 + 1, names[month],
			    year);
			assert_true(date_parse(buf_span(&text), &got));
			assert_true(got == want);
			want += 86400;
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_dates),
	    cmocka_unit_test(test_calendar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
