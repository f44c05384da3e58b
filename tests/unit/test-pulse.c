/* Hours of connections: counted, kept as a text, and read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/account/pulse.h"

#define HOUR 3600

static void
test_counts(void **state)
{
	struct pulse pulse = {0};
	struct pulse_hour past;

	(void)state;
	assert_false(pulse_advance(&pulse, 10 * HOUR, &past));
	pulse_connected(&pulse);
	pulse_lost(&pulse);
	pulse_connected(&pulse);
	pulse_watched(&pulse, 30, 2, 3);
	pulse_watched(&pulse, 30, 3, 3);
	assert_false(pulse_advance(&pulse, 10 * HOUR + 3599, &past));
	assert_true(pulse_advance(&pulse, 11 * HOUR, &past));
	assert_int_equal(past.number, 10);
	assert_int_equal(past.connects, 2);
	assert_int_equal(past.losses, 1);
	assert_int_equal(past.watched, 150);
	assert_int_equal(past.total, 180);
	/* Nothing was in this one, and a clock may go back. */
	assert_false(pulse_advance(&pulse, 9 * HOUR, &past));
	assert_int_equal(pulse.now.number, 9);
}

static const struct {
	const char *name, *kept, *wanted;
	struct pulse_hour hour;
} cases[] = {
    {"the first", "", "5 1 0 9 10", {5, 1, 0, 9, 10}},
    {"behind others", "3 1 1 1 1;4 2 2 2 2", "3 1 1 1 1;4 2 2 2 2;5 1 0 9 10",
	{5, 1, 0, 9, 10}},
    {"once more", "4 2 2 2 2;5 1 1 1 1", "4 2 2 2 2;5 2 1 10 11",
	{5, 1, 0, 9, 10}},
    {"the clock went back", "4 2 2 2 2;9 1 1 1 1", "4 2 2 2 2;5 1 0 9 10",
	{5, 1, 0, 9, 10}},
    {"the oldest goes", "64 1 1 1 1;65 1 1 1 1", "65 1 1 1 1;400 1 0 9 10",
	{400, 1, 0, 9, 10}},
    {"nonsense goes", "x;;4 2 2;4 2 2 3 2;4 2 2 2 2 2;-4 1 1 1 1;3 1 1 1 1",
	"3 1 1 1 1;5 1 0 9 10", {5, 1, 0, 9, 10}},
};

static void
test_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		BUF_AUTO text = BUF_INIT;
		pulse_append(
		    &text, span_from_str(cases[i].kept), &cases[i].hour);
		if (strcmp(buf_str(&text), cases[i].wanted) != 0) {
			print_error("%s: %s\n", cases[i].name, buf_str(&text));
			fail();
		}
	}
}

static void
test_is_bounded(void **state)
{
	BUF_AUTO kept = BUF_INIT;
	struct pulse_hour hour;
	size_t count = 0;

	(void)state;
	for (uint32_t i = 1; i <= 2 * PULSE_HOURS_MAX; i++) {
		BUF_AUTO text = BUF_INIT;
		const struct pulse_hour one = {i, 1, 2, 3, 4};
		pulse_append(&text, buf_span(&kept), &one);
		buf_clear(&kept);
		buf_add_span(&kept, buf_span(&text));
	}
	struct span rest = buf_span(&kept);
	while (pulse_next(&rest, &hour)) {
		assert_int_equal(hour.number, PULSE_HOURS_MAX + 1 + count);
		count++;
	}
	assert_int_equal(count, PULSE_HOURS_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_counts),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
