/*
 * test-random: repeatable numbers in range.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/random.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
#define DRAWS 10000

/* Published outputs of the two reference implementations. */
static void
test_known_answers(void **state)
{
	static const uint64_t splitmix_1234567[4] = {
	    6457827717110365317u,
	    3203168211198807973u,
	    9817491932198370423u,
	    4593380528125082431u,
	};
	static const uint64_t xoshiro_1_2_3_4[4] = {
	    11520,
	    0,
	    1509978240,
	    1215971899390074240u,
	};
	struct random random;

	(void)state;
	random_init(&random, 1234567);
	assert_memory_equal(
	    random.state, splitmix_1234567, sizeof(random.state));
	random = (struct random){{1, 2, 3, 4}};
	for (size_t i = 0; i < LENGTH(xoshiro_1_2_3_4); i++)
		assert_true(random_next(&random) == xoshiro_1_2_3_4[i]);
}

static void
test_repeats(void **state)
{
	struct random a, b, other;
	unsigned same = 0;

	(void)state;
	random_init(&a, 7);
	random_init(&b, 7);
	random_init(&other, 8);
	for (unsigned i = 0; i < 100; i++) {
		uint64_t value = random_next(&a);

		assert_true(value == random_next(&b));
		same += value == random_next(&other);
	}
	assert_int_equal(same, 0);
}

static const uint64_t bounds[] = {1, 2, 3, 7, 10, 64, 1000, UINT64_C(1) << 63,
    (UINT64_C(1) << 63) + 1, UINT64_MAX};

static void
test_below(void **state)
{
	struct random random;

	(void)state;
	random_init(&random, 1);
	assert_true(random_below(&random, 0) == 0);
	for (size_t i = 0; i < LENGTH(bounds); i++) {
		for (unsigned n = 0; n < DRAWS; n++)
			assert_true(
			    random_below(&random, bounds[i]) < bounds[i]);
	}
}

static void
test_below_reaches_all(void **state)
{
	unsigned seen[7] = {0};
	struct random random;

	(void)state;
	random_init(&random, 1);
	for (unsigned n = 0; n < 7 * 1000; n++)
		seen[random_below(&random, 7)]++;
	for (size_t i = 0; i < LENGTH(seen); i++)
		assert_in_range(seen[i], 850, 1150);
}

/* Of 2^64 values those of the lower third would come twice, were they not
 * drawn anew. */
static void
test_below_is_even(void **state)
{
	const uint64_t third = UINT64_C(1) << 62;
	struct random random;
	unsigned low = 0;

	(void)state;
	random_init(&random, 1);
	for (unsigned n = 0; n < DRAWS; n++)
		low += random_below(&random, 3 * third) < third;
	assert_in_range(low, DRAWS / 3 - 300, DRAWS / 3 + 300);
}

static const struct {
	const char *name;
	usec_t value;
	unsigned percent;
	usec_t least, most;
} jitters[] = {
    {"zero", 0, 20, 0, 0},
    {"no jitter", 1000, 0, 1000, 1000},
    {"20 percent", 2 * USEC_SEC, 20, 1600000, 2400000},
    {"all of it", 50, 100, 0, 100},
    {"smaller than a step", 3, 20, 3, 3},
    {"rounded down", 9, 20, 8, 10},
    {"never", USEC_NEVER, 20, USEC_NEVER, USEC_NEVER},
    {"nearly never", USEC_NEVER - 1, 100, USEC_NEVER / 4 * 3, USEC_NEVER},
};

static void
test_jitter(void **state)
{
	struct random random;

	(void)state;
	random_init(&random, 1);
	for (size_t i = 0; i < LENGTH(jitters); i++) {
		usec_t least = USEC_NEVER, most = 0, value;
		usec_t width = jitters[i].most - jitters[i].least;

		for (unsigned n = 0; n < DRAWS; n++) {
			value = random_jitter(
			    &random, jitters[i].value, jitters[i].percent);
			least = usec_min(least, value);
			most = value > most ? value : most;
		}
		/* Within, and to the ends, or nearly so. */
		if (least >= jitters[i].least && most <= jitters[i].most &&
		    least - jitters[i].least <= width / 50 &&
		    jitters[i].most - most <= width / 50)
			continue;
		print_error("case: %s: %llu to %llu\n", jitters[i].name,
		    (unsigned long long)least, (unsigned long long)most);
		fail();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_known_answers),
	    cmocka_unit_test(test_repeats),
	    cmocka_unit_test(test_below),
	    cmocka_unit_test(test_below_reaches_all),
	    cmocka_unit_test(test_below_is_even),
	    cmocka_unit_test(test_jitter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
