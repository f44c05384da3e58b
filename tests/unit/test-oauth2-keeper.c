/*
 * oauth2/keeper: when a token is made anew, and when nobody is asked any more.
 * Cases are conversations with a clock.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/oauth2/keeper.h"

#define START (1000 * USEC_SEC)
#define HOUR 3600

static struct oauth2_keeper *
keeper_with(int64_t left, int64_t life)
{
	struct oauth2_keeper *keeper = oauth2_keeper_new(7);

	oauth2_keeper_loaded(keeper, left, life, true, NULL, START);
	return keeper;
}

static usec_t
at(int64_t seconds)
{
	return START + (usec_t)seconds * USEC_SEC;
}

static const struct error lost = {FAULT_AUTH, "invalid_grant"};
static const struct error network = {FAULT_RETRY, "no route"};
static const struct error busy = {FAULT_LIMIT, "HTTP 429"};

static void
expect_event(struct oauth2_keeper *keeper, enum oauth2_keeper_event event)
{
	assert_int_equal(oauth2_keeper_next_event(keeper), event);
	if (event != OAUTH2_KEEPER_NOTHING)
		assert_int_equal(
		    oauth2_keeper_next_event(keeper), OAUTH2_KEEPER_NOTHING);
}

/* ---- ahead of the end ---- */

static void
test_ahead(void **state)
{
	static const struct {
		int64_t life, ahead;
	} cases[] = {
	    {3600, 300}, {5400, 300}, {1500, 300}, {600, 120}, {100, 20}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct oauth2_keeper *keeper =
		    keeper_with(cases[i].life, cases[i].life);
		usec_t when = at(cases[i].life - cases[i].ahead);
		assert_true(oauth2_keeper_deadline(keeper) == when);
		oauth2_keeper_tick(keeper, when - 1);
		expect_event(keeper, OAUTH2_KEEPER_NOTHING);
		oauth2_keeper_tick(keeper, when);
		expect_event(keeper, OAUTH2_KEEPER_REFRESH);
		/* The old one is good while the new one is fetched. */
		assert_int_equal(
		    oauth2_keeper_ask(keeper, when), OAUTH2_KEEPER_GIVE);
		oauth2_keeper_refreshed(
		    keeper, cases[i].life, cases[i].life, true, when);
		assert_int_equal(
		    oauth2_keeper_ask(keeper, when), OAUTH2_KEEPER_GIVE);
		oauth2_keeper_free(&keeper);
	}
}

static void
test_dead_at_start(void **state)
{
	struct oauth2_keeper *keeper = keeper_with(0, HOUR);

	(void)state;
	assert_true(oauth2_keeper_deadline(keeper) <= START);
	assert_int_equal(oauth2_keeper_ask(keeper, START), OAUTH2_KEEPER_WAIT);
	expect_event(keeper, OAUTH2_KEEPER_REFRESH);
	assert_int_equal(oauth2_keeper_ask(keeper, START), OAUTH2_KEEPER_WAIT);
	expect_event(keeper, OAUTH2_KEEPER_NOTHING);
	oauth2_keeper_refreshed(keeper, HOUR, HOUR, true, START);
	assert_int_equal(oauth2_keeper_ask(keeper, START), OAUTH2_KEEPER_GIVE);
	oauth2_keeper_free(&keeper);
}

/* The machine slept beyond the end. */
static void
test_sleep(void **state)
{
	struct oauth2_keeper *keeper = keeper_with(HOUR, HOUR);

	(void)state;
	assert_int_equal(
	    oauth2_keeper_ask(keeper, at(9 * HOUR)), OAUTH2_KEEPER_WAIT);
	expect_event(keeper, OAUTH2_KEEPER_REFRESH);
	oauth2_keeper_free(&keeper);
}

/* A server whose tokens live a second is asked ever less often. */
static void
test_short_lives(void **state)
{
	struct oauth2_keeper *keeper = keeper_with(0, 1);
	usec_t now = START;
	int count = 0;

	(void)state;
	while (now < START + USEC_DAY) {
		oauth2_keeper_tick(keeper, now);
		if (oauth2_keeper_next_event(keeper) == OAUTH2_KEEPER_REFRESH) {
			oauth2_keeper_refreshed(keeper, 1, 1, true, now);
			count++;
		}
		assert_true(oauth2_keeper_deadline(keeper) >=
			    usec_add(now, OAUTH2_LEAST_USEC));
		now = oauth2_keeper_deadline(keeper);
	}
	assert_in_range(count, 288, 300); /* every five minutes, and a few */
	oauth2_keeper_free(&keeper);
}

/* Those who wait for it get it, as no other one would be better; and who comes
 * too late does not have the server asked sooner. */
static void
test_short_life_asked_for(void **state)
{
	struct oauth2_keeper *keeper = keeper_with(0, 1);

	(void)state;
	assert_int_equal(oauth2_keeper_ask(keeper, START), OAUTH2_KEEPER_WAIT);
	expect_event(keeper, OAUTH2_KEEPER_REFRESH);
	oauth2_keeper_refreshed(keeper, 1, 1, true, START);
	assert_int_equal(oauth2_keeper_ask(keeper, START), OAUTH2_KEEPER_GIVE);
	assert_int_equal(oauth2_keeper_ask(keeper, at(2)), OAUTH2_KEEPER_FAIL);
	assert_int_equal(oauth2_keeper_error(keeper)->fault, FAULT_RETRY);
	expect_event(keeper, OAUTH2_KEEPER_NOTHING);
	/* Refused, another one is worth it. */
	assert_true(oauth2_keeper_rejected(keeper, at(3)));
	assert_int_equal(oauth2_keeper_ask(keeper, at(3)), OAUTH2_KEEPER_WAIT);
	expect_event(keeper, OAUTH2_KEEPER_REFRESH);
	oauth2_keeper_refreshed(keeper, 0, 0, true, at(3));
	assert_int_equal(oauth2_keeper_ask(keeper, at(3)), OAUTH2_KEEPER_FAIL);
	expect_event(keeper, OAUTH2_KEEPER_NOTHING);
	assert_int_equal(
	    oauth2_keeper_ask(keeper, oauth2_keeper_deadline(keeper)),
	    OAUTH2_KEEPER_WAIT);
	expect_event(keeper, OAUTH2_KEEPER_REFRESH);
	oauth2_keeper_free(&keeper);
}

/* ---- nobody signed in, or not any more ---- */

static void
test_absent(void **state)
{
	struct oauth2_keeper *keeper = oauth2_keeper_new(1);

	(void)state;
	oauth2_keeper_loaded(keeper, 0, 0, false, NULL, START);
	expect_event(keeper, OAUTH2_KEEPER_TELL);
	assert_int_equal(oauth2_keeper_ask(keeper, START), OAUTH2_KEEPER_FAIL);
	assert_int_equal(oauth2_keeper_error(keeper)->fault, FAULT_AUTH);
	oauth2_keeper_loaded(keeper, 0, 0, false, NULL, at(1));
	expect_event(keeper, OAUTH2_KEEPER_NOTHING); /* once */
	oauth2_keeper_loaded(keeper, HOUR, HOUR, true, NULL, at(2));
	assert_int_equal(oauth2_keeper_ask(keeper, at(2)), OAUTH2_KEEPER_GIVE);
	assert_int_equal(oauth2_keeper_error(keeper)->fault, FAULT_NONE);
	oauth2_keeper_free(&keeper);
}

static void
test_lost(void **state)
{
	struct oauth2_keeper *keeper = keeper_with(HOUR, HOUR);
	usec_t now = at(HOUR - 300);

	(void)state;
	oauth2_keeper_tick(keeper, now);
	expect_event(keeper, OAUTH2_KEEPER_REFRESH);
	oauth2_keeper_failed(keeper, OAUTH2_LOST, 0, &lost, now);
	expect_event(keeper, OAUTH2_KEEPER_TELL);
	assert_true(oauth2_keeper_deadline(keeper) == USEC_NEVER);
	/* What lives is used; then nobody is asked, however long. */
	assert_int_equal(oauth2_keeper_ask(keeper, now), OAUTH2_KEEPER_GIVE);
	for (int i = 0; i < 1000; i++) {
		now = at(HOUR + i * HOUR);
		assert_int_equal(
		    oauth2_keeper_ask(keeper, now), OAUTH2_KEEPER_FAIL);
		oauth2_keeper_hint(keeper, now);
		oauth2_keeper_tick(keeper, now);
		expect_event(keeper, OAUTH2_KEEPER_NOTHING);
	}
	assert_string_equal(oauth2_keeper_error(keeper)->text, lost.text);
	/* After a reload, once more; it is no news to the person. */
	oauth2_keeper_retry(keeper, now);
	expect_event(keeper, OAUTH2_KEEPER_REFRESH);
	oauth2_keeper_failed(keeper, OAUTH2_LOST, 0, &lost, now);
	expect_event(keeper, OAUTH2_KEEPER_NOTHING);
	/* After a sign-in all is well. */
	oauth2_keeper_loaded(keeper, HOUR, HOUR, true, NULL, now);
	assert_int_equal(oauth2_keeper_ask(keeper, now), OAUTH2_KEEPER_GIVE);
	oauth2_keeper_free(&keeper);
}

/* Without a refresh token it ends. */
static void
test_no_refresh_token(void **state)
{
	struct oauth2_keeper *keeper = oauth2_keeper_new(1);

	(void)state;
	oauth2_keeper_loaded(keeper, HOUR, HOUR, false, NULL, START);
	assert_int_equal(oauth2_keeper_ask(keeper, START), OAUTH2_KEEPER_GIVE);
	assert_int_equal(
	    oauth2_keeper_ask(keeper, at(HOUR)), OAUTH2_KEEPER_FAIL);
	expect_event(keeper, OAUTH2_KEEPER_TELL);
	oauth2_keeper_free(&keeper);
}

/* ---- passing trouble ---- */

static const struct failure_case {
	const char *name;
	enum oauth2_kind kind;
	const struct error *error;
	int64_t retry_after, least, most; /* seconds, of the first wait */
} failure_cases[] = {
    {"network", OAUTH2_BUSY, &network, 0, 1, 3},
    {"throttled", OAUTH2_BUSY, &busy, 0, 48, 72},
    {"throttled, and told", OAUTH2_BUSY, &busy, 500, 500, 500},
    {"told less than is wise", OAUTH2_BUSY, &busy, 1, 1, 3},
    {"garbage", OAUTH2_GARBAGE, &network, 0, 24, 36},
};

static void
test_failures(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(failure_cases) / sizeof(*failure_cases);
	     i++) {
		const struct failure_case *c = &failure_cases[i];
		struct oauth2_keeper *keeper = keeper_with(HOUR, HOUR);
		usec_t now = at(HOUR - 300), wait;
		oauth2_keeper_tick(keeper, now);
		expect_event(keeper, OAUTH2_KEEPER_REFRESH);
		oauth2_keeper_failed(keeper, c->kind,
		    (usec_t)c->retry_after * USEC_SEC, c->error, now);
		expect_event(keeper, OAUTH2_KEEPER_NOTHING);
		wait = usec_since(now, oauth2_keeper_deadline(keeper));
		if (wait < (usec_t)c->least * USEC_SEC ||
		    wait > (usec_t)c->most * USEC_SEC)
			fail_msg(
			    "%s: %u s", c->name, (unsigned)(wait / USEC_SEC));
		assert_int_equal(
		    oauth2_keeper_ask(keeper, now), OAUTH2_KEEPER_GIVE);
		/* Dead meanwhile: it fails, and is asked no sooner. */
		if (c->retry_after > 300) {
			assert_int_equal(oauth2_keeper_ask(keeper, at(HOUR)),
			    OAUTH2_KEEPER_FAIL);
			oauth2_keeper_hint(keeper, at(HOUR));
			expect_event(keeper, OAUTH2_KEEPER_NOTHING);
		}
		now = oauth2_keeper_deadline(keeper);
		oauth2_keeper_tick(keeper, now);
		expect_event(keeper, OAUTH2_KEEPER_REFRESH);
		oauth2_keeper_free(&keeper);
	}
}

static void
test_hint(void **state)
{
	struct oauth2_keeper *keeper = keeper_with(0, HOUR);

	(void)state;
	oauth2_keeper_ask(keeper, START);
	expect_event(keeper, OAUTH2_KEEPER_REFRESH);
	oauth2_keeper_failed(keeper, OAUTH2_BUSY, 0, &network, START);
	assert_int_equal(oauth2_keeper_ask(keeper, START), OAUTH2_KEEPER_FAIL);
	assert_int_equal(oauth2_keeper_error(keeper)->fault, FAULT_RETRY);
	oauth2_keeper_hint(keeper, START + 1);
	expect_event(keeper, OAUTH2_KEEPER_REFRESH);
	oauth2_keeper_free(&keeper);
}

/* ---- a server that refuses a good token ---- */

static void
test_rejected(void **state)
{
	struct oauth2_keeper *keeper = keeper_with(HOUR, HOUR);

	(void)state;
	oauth2_keeper_rejected(keeper, at(10));
	oauth2_keeper_rejected(keeper, at(11)); /* on another connection */
	expect_event(keeper, OAUTH2_KEEPER_NOTHING);
	assert_int_equal(oauth2_keeper_ask(keeper, at(60)), OAUTH2_KEEPER_WAIT);
	expect_event(keeper, OAUTH2_KEEPER_REFRESH);
	oauth2_keeper_refreshed(keeper, HOUR, HOUR, true, at(61));
	assert_int_equal(oauth2_keeper_ask(keeper, at(61)), OAUTH2_KEEPER_GIVE);
	/* The new one as well: no third. */
	oauth2_keeper_rejected(keeper, at(62));
	assert_int_equal(
	    oauth2_keeper_ask(keeper, at(120)), OAUTH2_KEEPER_GIVE);
	expect_event(keeper, OAUTH2_KEEPER_NOTHING);
	/* Much later it may have been taken back anew. */
	oauth2_keeper_rejected(keeper, at(2000));
	assert_int_equal(
	    oauth2_keeper_ask(keeper, at(2000)), OAUTH2_KEEPER_WAIT);
	expect_event(keeper, OAUTH2_KEEPER_REFRESH);
	/* A token that was refused is not used while no other comes. */
	oauth2_keeper_failed(keeper, OAUTH2_BUSY, 0, &network, at(2001));
	assert_int_equal(
	    oauth2_keeper_ask(keeper, at(2001)), OAUTH2_KEEPER_FAIL);
	oauth2_keeper_free(&keeper);
}

/* It is refused while the next one is fetched already: nobody gets it again,
 * neither before that comes nor when it does not. */
static void
test_rejected_meanwhile(void **state)
{
	struct oauth2_keeper *keeper = keeper_with(HOUR, HOUR);
	usec_t now = at(HOUR - 300);

	(void)state;
	oauth2_keeper_tick(keeper, now);
	expect_event(keeper, OAUTH2_KEEPER_REFRESH);
	assert_true(oauth2_keeper_rejected(keeper, now));
	assert_int_equal(oauth2_keeper_ask(keeper, now), OAUTH2_KEEPER_WAIT);
	expect_event(keeper, OAUTH2_KEEPER_NOTHING);
	oauth2_keeper_refreshed(keeper, HOUR, HOUR, true, now);
	assert_int_equal(oauth2_keeper_ask(keeper, now), OAUTH2_KEEPER_GIVE);
	now += (HOUR - 300) * USEC_SEC;
	oauth2_keeper_tick(keeper, now);
	expect_event(keeper, OAUTH2_KEEPER_REFRESH);
	oauth2_keeper_failed(keeper, OAUTH2_BUSY, 0, &busy, now);
	assert_int_equal(oauth2_keeper_ask(keeper, now), OAUTH2_KEEPER_GIVE);
	assert_true(oauth2_keeper_rejected(keeper, now));
	assert_int_equal(oauth2_keeper_ask(keeper, now), OAUTH2_KEEPER_FAIL);
	assert_int_equal(oauth2_keeper_error(keeper)->fault, FAULT_RETRY);
	now = oauth2_keeper_deadline(keeper);
	oauth2_keeper_tick(keeper, now);
	expect_event(keeper, OAUTH2_KEEPER_REFRESH);
	oauth2_keeper_free(&keeper);
}

/* A minute after the machine began, with a token that ends soon. */
static void
test_boot(void **state)
{
	struct oauth2_keeper *keeper = oauth2_keeper_new(7);

	(void)state;
	oauth2_keeper_loaded(keeper, 10, HOUR, true, NULL, USEC_MINUTE);
	oauth2_keeper_tick(keeper, USEC_MINUTE);
	expect_event(keeper, OAUTH2_KEEPER_REFRESH);
	oauth2_keeper_free(&keeper);
}

/* Whatever happens, in any order: never two refreshes at once, and a keeper
 * that is not LOST or ABSENT has a deadline or a refresh under way. */
static void
test_any_order(void **state)
{
	struct random random;

	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct oauth2_keeper *keeper = keeper_with(HOUR, HOUR);
		usec_t now = START;
		bool is_running = false;
		random_init(&random, seed);
		for (int i = 0; i < 300; i++) {
			enum oauth2_keeper_event event;
			now += random_below(&random, 600) * USEC_SEC;
			int64_t life = (int64_t)random_below(&random, 4000);
			switch (random_below(&random, 7)) {
			case 0:
				oauth2_keeper_ask(keeper, now);
				break;
			case 1:
				oauth2_keeper_rejected(keeper, now);
				break;
			case 2:
				oauth2_keeper_hint(keeper, now);
				break;
			case 3:
				oauth2_keeper_loaded(
				    keeper, life, life, true, NULL, now);
				break;
			case 4:
				oauth2_keeper_retry(keeper, now);
				break;
			case 5:
				if (is_running)
					oauth2_keeper_failed(keeper,
					    life % 3 == 0 ? OAUTH2_LOST
							  : OAUTH2_BUSY,
					    0, &network, now);
				is_running = false;
				break;
			default:
				if (is_running)
					oauth2_keeper_refreshed(
					    keeper, life, life, true, now);
				is_running = false;
				break;
			}
			while ((event = oauth2_keeper_next_event(keeper)) !=
			       OAUTH2_KEEPER_NOTHING) {
				if (event == OAUTH2_KEEPER_TELL)
					continue;
				assert_false(is_running);
				is_running = true;
			}
			assert_true(
			    is_running == (oauth2_keeper_state(keeper) ==
					      OAUTH2_KEEPER_REFRESHING));
			assert_true(
			    is_running ||
			    oauth2_keeper_state(keeper) == OAUTH2_KEEPER_LOST ||
			    oauth2_keeper_deadline(keeper) != USEC_NEVER);
		}
		oauth2_keeper_free(&keeper);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ahead),
	    cmocka_unit_test(test_dead_at_start),
	    cmocka_unit_test(test_sleep),
	    cmocka_unit_test(test_short_lives),
	    cmocka_unit_test(test_short_life_asked_for),
	    cmocka_unit_test(test_absent),
	    cmocka_unit_test(test_lost),
	    cmocka_unit_test(test_no_refresh_token),
	    cmocka_unit_test(test_failures),
	    cmocka_unit_test(test_hint),
	    cmocka_unit_test(test_rejected),
	    cmocka_unit_test(test_rejected_meanwhile),
	    cmocka_unit_test(test_boot),
	    cmocka_unit_test(test_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
