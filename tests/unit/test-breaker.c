/* The circuit breaker of forwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/account/breaker.h"

#define TO SPAN("boss@example.net")

/* How many of `count` such forwards, `gap` apart, are let through. */
static unsigned
let_through(struct breaker *breaker, const char *subject, unsigned count,
    usec_t gap, usec_t *now)
{
	unsigned passed = 0;

	for (unsigned i = 0; i < count; i++) {
		*now += gap;
		if (!breaker_allows(breaker, TO, span_from_str(subject), *now))
			continue;
		breaker_note(breaker, TO, span_from_str(subject), *now);
		passed++;
	}
	return passed;
}

static void
test_same_subjects(void **state)
{
	struct breaker breaker = {0};
	usec_t now = USEC_HOUR;

	(void)state;
	assert_int_equal(
	    let_through(&breaker, "Build failed", 30, USEC_SEC, &now),
	    BREAKER_SAME_MAX);
	/* Others go on, to the same and to other targets. */
	assert_true(breaker_allows(&breaker, TO, SPAN("Build fixed"), now));
	assert_true(breaker_allows(
	    &breaker, SPAN("ann@example.net"), SPAN("Build failed"), now));
	/* The same in another dress does not. */
	assert_false(breaker_allows(&breaker, SPAN("Boss@Example.NET"),
	    SPAN("Re: FWD:  build\t failed "), now));
	/* It stays open for its time, asked or not, then counts anew. */
	assert_false(breaker_allows(&breaker, TO, SPAN("Build failed"),
	    now + BREAKER_OPEN_USEC - USEC_MINUTE));
	now += BREAKER_OPEN_USEC;
	assert_int_equal(
	    let_through(&breaker, "Build failed", 30, USEC_SEC, &now),
	    BREAKER_SAME_MAX);
	breaker_done(&breaker);
}

/* Who allows more an hour gets more through. */
static void
test_more_allowed(void **state)
{
	struct breaker breaker = {.same_max = 50};
	struct breaker wide = {.same_max = BREAKER_RECENT_MAX + 1};
	usec_t now = USEC_HOUR;

	(void)state;
	assert_int_equal(
	    let_through(&breaker, "Build failed", 80, USEC_SEC, &now), 50);
	assert_int_equal(
	    let_through(&wide, "Build failed", 500, USEC_SEC, &now), 500);
	breaker_done(&breaker);
	breaker_done(&wide);
}

static void
test_slow_ones_pass(void **state)
{
	struct breaker breaker = {0};
	usec_t now = USEC_HOUR;

	(void)state;
	assert_int_equal(let_through(&breaker, "Daily report", 200,
			     BREAKER_WINDOW_USEC / BREAKER_SAME_MAX, &now),
	    200);
	breaker_done(&breaker);
}

/* Many subjects push the oldest out, and no more. */
static void
test_bounded(void **state)
{
	struct breaker breaker = {0};
	usec_t now = USEC_HOUR;
	char subject[2] = "a";

	(void)state;
	for (; subject[0] <= 'z'; subject[0]++)
		assert_int_equal(let_through(&breaker, subject, 20, 0, &now),
		    BREAKER_SAME_MAX);
	breaker_done(&breaker);
}

/* A restart, with a clock of its own, changes nothing. */
static void
test_restart(void **state)
{
	struct breaker breaker = {0}, next = {0}, third = {0};
	usec_t now = USEC_HOUR, later = USEC_MINUTE, until;
	BUF_AUTO text = BUF_INIT;

	(void)state;
	breaker_save(&breaker, &text, 1800000000, now);
	assert_string_equal(buf_str(&text), "");
	let_through(&breaker, "Build failed", 30, USEC_SEC, &now);
	let_through(&breaker, "Daily", BREAKER_SAME_MAX - 2, USEC_SEC, &now);
	breaker_save(&breaker, &text, 1800000000, now);
	/* Five minutes later: the one is stopped, the other counts on. */
	breaker_load(&next, buf_span(&text), 1800000300, later);
	assert_int_equal(breaker_count_open(&next, &until, later), 1);
	assert_true(until > later + 50 * USEC_MINUTE);
	assert_true(until < later + 56 * USEC_MINUTE);
	assert_false(breaker_allows(&next, TO, SPAN("Build failed"), later));
	assert_int_equal(let_through(&next, "Daily", 30, USEC_SEC, &later), 2);
	assert_int_equal(breaker_count_open(&next, &until, later), 2);
	/* Half an hour later the window of those that were counted is over. */
	breaker_load(&third, buf_span(&text), 1800001800, later);
	assert_false(breaker_allows(&third, TO, SPAN("Build failed"), later));
	assert_int_equal(let_through(&third, "Daily", 30, USEC_SEC, &later),
	    BREAKER_SAME_MAX);
	breaker_done(&breaker);
	breaker_done(&next);
	breaker_done(&third);
}

/* What others wrote, or nobody; a clock that was set back. */
static void
test_load_nonsense(void **state)
{
	static const char *const texts[] = {"", " ", "o", "o/", "o1", "o/2",
	    "x1/1800000600", "o0/1800000600", "o1/1800000000", "o1/x", "ox/9",
	    "o1/18446744073709551616", "-1/1800000600"};
	usec_t until;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct breaker breaker = {0};
		breaker_load(&breaker, span_from_str(texts[i]), 1800000000, 5);
		assert_int_equal(breaker_count_open(&breaker, &until, 5), 0);
		breaker_done(&breaker);
	}
	struct breaker breaker = {0};
	breaker_load(&breaker, SPAN("o1/1900000000"), 1800000000, 5);
	assert_int_equal(breaker_count_open(&breaker, &until, 5), 1);
	assert_true(until == 5 + BREAKER_OPEN_USEC);
	breaker_done(&breaker);
}

/* A person lets it go on: as many may go as at first, and then it stops again;
 * what was not stopped is counted on. */
static void
test_resume(void **state)
{
	struct breaker breaker = {0}, next = {0};
	BUF_AUTO text = BUF_INIT;
	usec_t now = USEC_HOUR, until;

	(void)state;
	assert_int_equal(breaker_resume(&breaker, now), 0);
	let_through(&breaker, "Build failed", 30, USEC_SEC, &now);
	let_through(&breaker, "Daily", BREAKER_SAME_MAX - 2, USEC_SEC, &now);
	assert_int_equal(breaker_resume(&breaker, now), 1);
	assert_int_equal(breaker_resume(&breaker, now), 0);
	assert_int_equal(breaker_count_open(&breaker, &until, now), 0);
	assert_true(breaker_allows(&breaker, TO, SPAN("Build failed"), now));
	/* Nor is it stopped by what a restart reads. */
	breaker_save(&breaker, &text, 1800000000, now);
	breaker_load(&next, buf_span(&text), 1800000000, now);
	assert_int_equal(let_through(&next, "Build failed", 30, USEC_SEC, &now),
	    BREAKER_SAME_MAX);
	assert_int_equal(let_through(&next, "Daily", 30, USEC_SEC, &now), 2);
	breaker_done(&breaker);
	breaker_done(&next);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_restart),
	    cmocka_unit_test(test_resume),
	    cmocka_unit_test(test_load_nonsense),
	    cmocka_unit_test(test_same_subjects),
	    cmocka_unit_test(test_more_allowed),
	    cmocka_unit_test(test_slow_ones_pass),
	    cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
