/*
 * test-backoff: the ladders, their jitter, and what starts them anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/wire/backoff.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
#define STEPS_MAX 8
#define SEEDS 200

static const struct {
	const char *name;
	enum backoff_cause cause;
	usec_t seconds[STEPS_MAX]; /* the last ones repeat */
} ladders[] = {
    {"network", BACKOFF_NETWORK, {2, 5, 10, 30, 60, 300, 300, 300}},
    {"limit", BACKOFF_LIMIT, {60, 300, 900, 900, 900, 900, 900, 900}},
    {"credentials", BACKOFF_CREDENTIALS,
	{3600, 3600, 3600, 3600, 3600, 3600, 3600, 3600}},
    {"server", BACKOFF_SERVER, {30, 60, 120, 300, 900, 900, 900, 900}},
};

static void
check_wait(const char *name, usec_t wait, usec_t seconds)
{
	usec_t middle = seconds * USEC_SEC;

	if (wait < middle / 100 * 80 || wait > middle / 100 * 120) {
		print_error("case: %s: %llu us is not about %llu s\n", name,
		    (unsigned long long)wait, (unsigned long long)seconds);
		fail();
	}
}

static void
test_ladders(void **state)
{
	struct backoff backoff;
	struct random random;

	(void)state;
	assert_int_equal(LENGTH(ladders), BACKOFF_CAUSES);
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		random_init(&random, seed);
		backoff_init(&backoff, &random);
		for (size_t i = 0; i < LENGTH(ladders); i++) {
			for (size_t n = 0; n < STEPS_MAX; n++)
				check_wait(ladders[i].name,
				    backoff_failed(&backoff, ladders[i].cause),
				    ladders[i].seconds[n]);
		}
	}
}

static void
test_floor(void **state)
{
	struct backoff backoff;
	struct random random;

	(void)state;
	for (size_t i = 0; i < LENGTH(ladders); i++) {
		usec_t floor = backoff_floor(ladders[i].cause);
		usec_t least = USEC_NEVER;

		for (uint64_t seed = 0; seed < SEEDS; seed++) {
			random_init(&random, seed);
			backoff_init(&backoff, &random);
			least = usec_min(
			    least, backoff_failed(&backoff, ladders[i].cause));
		}
		/* A floor, and not far below what is seen. */
		assert_true(least >= floor && least < floor + floor / 10);
	}
}

/* One ladder does not move another; success moves all to their start. */
static void
test_independent(void **state)
{
	struct backoff backoff;
	struct random random;

	(void)state;
	random_init(&random, 1);
	backoff_init(&backoff, &random);
	backoff_failed(&backoff, BACKOFF_NETWORK);
	backoff_failed(&backoff, BACKOFF_NETWORK);
	check_wait("other", backoff_failed(&backoff, BACKOFF_LIMIT), 60);
	check_wait("third", backoff_failed(&backoff, BACKOFF_NETWORK), 10);
	backoff_succeeded(&backoff);
	check_wait("anew", backoff_failed(&backoff, BACKOFF_NETWORK), 2);
	check_wait("anew too", backoff_failed(&backoff, BACKOFF_LIMIT), 60);
}

static void
test_waits_differ(void **state)
{
	usec_t waits[SEEDS];
	unsigned same = 0;

	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct backoff backoff;
		struct random random;

		random_init(&random, seed);
		backoff_init(&backoff, &random);
		waits[seed] = backoff_failed(&backoff, BACKOFF_NETWORK);
		for (uint64_t other = 0; other < seed; other++)
			same += waits[seed] == waits[other];
	}
	/* Accounts that failed together do not come back together. */
	assert_true(same < 3);
}

static const struct {
	enum fault fault;
	enum backoff_cause cause;
} causes[] = {
    {FAULT_RETRY, BACKOFF_NETWORK},
    {FAULT_LOCAL, BACKOFF_NETWORK},
    {FAULT_AUTH, BACKOFF_CREDENTIALS},
    {FAULT_CONFIG, BACKOFF_CREDENTIALS},
    {FAULT_LIMIT, BACKOFF_LIMIT},
    {FAULT_PEER, BACKOFF_SERVER},
};

static void
test_causes(void **state)
{
	(void)state;
	assert_int_equal(LENGTH(causes), FAULT_COUNT - 1);
	for (size_t i = 0; i < LENGTH(causes); i++)
		assert_int_equal(
		    backoff_cause_of(causes[i].fault), causes[i].cause);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ladders),
	    cmocka_unit_test(test_floor),
	    cmocka_unit_test(test_independent),
	    cmocka_unit_test(test_waits_differ),
	    cmocka_unit_test(test_causes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
