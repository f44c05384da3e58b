/* What many say at once is said once, and nobody stays hidden. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/account/crowd.h"
#include "daemon/base/xalloc.h"

#define MANY 1000
#define RESTARTS "the server said BYE: it restarts"

struct world {
	struct crowds crowds;
	struct crowd_member members[MANY];
	usec_t now;
};

static int
setup(void **state)
{
	struct world *w = NEW(struct world);

	crowds_init(&w->crowds);
	w->now = 5 * USEC_SEC;
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < MANY; i++)
		crowd_leave(&w->crowds, &w->members[i]);
	crowds_done(&w->crowds);
	assert_int_equal(w->crowds.count, 0);
	free(w);
	return 0;
}

static bool
say(struct world *w, unsigned who, const char *server, const char *text)
{
	STR_AUTO name = xasprintf("u%u", who);
	const struct crowd_words words = {
	    .kind = 1, .server = server, .text = text, .name = name};

	return crowd_says(&w->crowds, &w->members[who], &words, w->now);
}

static unsigned
say_all(struct world *w, unsigned from, unsigned until)
{
	unsigned named = 0;

	for (unsigned i = from; i < until; i++)
		named += say(w, i, "a:993", RESTARTS);
	return named;
}

/* How many the summary counts; 0: there is none now. */
static unsigned
summed_up(struct world *w)
{
	struct crowd_summary summary;
	unsigned count;

	if (!crowds_next(&w->crowds, &summary, w->now))
		return 0;
	count = summary.count;
	crowd_summary_done(&summary);
	assert_false(crowds_next(&w->crowds, &summary, w->now));
	return count;
}

static unsigned
next_summary(struct world *w)
{
	usec_t due = crowds_deadline(&w->crowds);

	assert_true(due != USEC_NEVER);
	w->now = due - 1;
	assert_int_equal(summed_up(w), 0);
	w->now = due;
	return summed_up(w);
}

static void
test_few_are_named(void **state)
{
	struct world *w = *state;

	assert_int_equal(say_all(w, 0, CROWD_NAMED), CROWD_NAMED);
	assert_int_equal(next_summary(w), 0);
	assert_true(crowds_deadline(&w->crowds) == USEC_NEVER);
	assert_int_equal(w->crowds.count, 0);
}

static void
test_many_are_counted(void **state)
{
	struct world *w = *state;
	struct crowd_summary summary;

	assert_int_equal(say_all(w, 0, MANY), CROWD_NAMED);
	/* Another server, other words: another matter. */
	assert_true(say(w, 0, "b:993", RESTARTS));
	assert_true(say(w, 1, "a:993", "connection refused"));
	w->now = usec_add(w->now, CROWD_WAIT_USEC);
	assert_true(crowds_next(&w->crowds, &summary, w->now));
	assert_int_equal(summary.kind, 1);
	assert_string_equal(summary.server, "a:993");
	assert_string_equal(summary.text, RESTARTS);
	assert_int_equal(summary.count, MANY - CROWD_NAMED);
	assert_true(span_starts(buf_span(&summary.names), "u5, u6, u7, "));
	assert_true(summary.names.len < CROWD_NAMES_MAX + 10);
	assert_in_range(summary.unnamed, 1, MANY);
	crowd_summary_done(&summary);
	assert_false(crowds_next(&w->crowds, &summary, w->now));
}

static void
test_summaries_get_rare(void **state)
{
	struct world *w = *state;
	unsigned summaries = 0;

	say_all(w, 0, CROWD_NAMED);
	for (unsigned second = 0; second < 24 * 60 * 60; second++) {
		unsigned who = CROWD_NAMED + second % (MANY - CROWD_NAMED);
		assert_false(say(w, who, "a:993", RESTARTS));
		summaries += summed_up(w) > 0;
		w->now = usec_add(w->now, USEC_SEC);
	}
	assert_in_range(summaries, 24, 32);
}

/* All but three are well again; these say the same as before. */
static void
test_the_last_are_named(void **state)
{
	struct world *w = *state;

	say_all(w, 0, MANY);
	assert_false(crowd_repeats(&w->crowds, &w->members[MANY - 1]));
	assert_int_equal(next_summary(w), MANY - CROWD_NAMED);
	assert_int_equal(next_summary(w), 0);
	/* Too many: they are counted later, and `status` has their names. */
	assert_false(crowd_repeats(&w->crowds, &w->members[MANY - 1]));
	for (unsigned i = 0; i < MANY - 3; i++)
		crowd_leave(&w->crowds, &w->members[i]);
	/* Who was named is not named again. */
	assert_false(crowd_repeats(&w->crowds, &w->members[0]));
	for (unsigned i = MANY - 3; i < MANY; i++) {
		assert_true(crowd_repeats(&w->crowds, &w->members[i]));
		assert_false(crowd_repeats(&w->crowds, &w->members[i]));
	}
	assert_int_equal(w->crowds.count, 0);
}

/* Too many to be named: they are counted once more, and only once. */
static void
test_many_are_left(void **state)
{
	struct world *w = *state;
	struct crowd_summary summary;

	say_all(w, 0, MANY);
	assert_int_equal(next_summary(w), MANY - CROWD_NAMED);
	assert_int_equal(next_summary(w), 0);
	for (unsigned i = 0; i < MANY - 7; i++)
		crowd_leave(&w->crowds, &w->members[i]);
	w->now = crowds_deadline(&w->crowds);
	assert_true(crowds_next(&w->crowds, &summary, w->now));
	assert_true(summary.is_still);
	assert_int_equal(summary.count, 7);
	assert_int_equal(summary.names.len, 0);
	assert_string_equal(summary.text, RESTARTS);
	crowd_summary_done(&summary);
	assert_true(crowds_deadline(&w->crowds) == USEC_NEVER);
	/* Each is named as soon as they are few. */
	for (unsigned i = MANY - 7; i < MANY - 5; i++)
		crowd_leave(&w->crowds, &w->members[i]);
	assert_true(crowd_repeats(&w->crowds, &w->members[MANY - 1]));
}

static void
test_named_again_after_quiet(void **state)
{
	struct world *w = *state;

	say_all(w, 0, MANY / 2);
	assert_int_equal(next_summary(w), MANY / 2 - CROWD_NAMED);
	assert_int_equal(next_summary(w), 0);
	assert_true(say(w, MANY - 1, "a:993", RESTARTS));
	assert_int_equal(next_summary(w), 0);
}

static void
test_numbers_are_alike(void **state)
{
	struct world *w = *state;
	unsigned named = 0;

	for (unsigned i = 0; i < 100; i++) {
		STR_AUTO text = xasprintf("session <k%u@x> was ended", i);
		named += say(w, i, "a:993", text);
	}
	assert_int_equal(named, CROWD_NAMED);
	assert_int_equal(w->crowds.count, 1);
}

static void
test_once(void **state)
{
	struct world *w = *state;
	const struct crowd_words words = {
	    .kind = 2, .server = "a:993", .text = "connected", .name = "u1"};
	unsigned named = 0;

	for (unsigned i = 0; i < 100; i++)
		named += crowd_says(&w->crowds, NULL, &words, w->now);
	assert_int_equal(named, CROWD_NAMED);
	assert_int_equal(next_summary(w), 100 - CROWD_NAMED);
	assert_int_equal(next_summary(w), 0);
	assert_int_equal(w->crowds.count, 0);
}

static void
test_bounded(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < MANY; i++) {
		STR_AUTO server = xasprintf("%u:993", i);
		assert_true(say(w, i, server, RESTARTS));
	}
	assert_int_equal(w->crowds.count, CROWDS_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_few_are_named, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_many_are_counted, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_summaries_get_rare, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_the_last_are_named, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_many_are_left, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_named_again_after_quiet, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_numbers_are_alike, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_once, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
