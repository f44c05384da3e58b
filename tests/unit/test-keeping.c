/*
 * Forgetting by a clock that jumps: what is kept for 30 days is there for 30
 * days, whatever the wall clock said meanwhile, and the daemon that is killed
 * in between knows no better.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/base/xalloc.h"
#include "daemon/store/keeping.h"
#include "daemon/store/store.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define START_UNIX INT64_C(1800000000)
#define DAY INT64_C(86400)
#define YEAR (365 * DAY)
/* `history` of belfry.conf; keys stay STORE_KEY_KEEP_SEC longer. */
#define HISTORY_SEC DAY
#define STEPS_MAX 6

/* A life of the machine, in steps. */
struct step {
	int64_t hours; /* pass */
	int64_t set;   /* then the wall clock is wrong by so many seconds */
	bool is_killed;
};

static const struct {
	const char *name;
	struct step steps[STEPS_MAX];
	bool is_kept; /* the key, in the end */
} cases[] = {
    {"nothing happens for a month", {{29 * 24, 0, false}}, true},
    {"nothing happens for a year", {{365 * 24, 0, false}}, false},
    {"an hour forward, and back", {{1, 3600, false}, {24, 0, false}}, true},
    {"31 days forward, and back",
	{{1, 31 * DAY, false}, {3, 0, false}, {24, 0, false}}, true},
    {"31 days forward, killed, and back",
	{{1, 31 * DAY, true}, {3, 0, true}, {24, 0, false}}, true},
    {"31 days forward, killed again and again, and back",
	{{1, 31 * DAY, true}, {1, 31 * DAY, true}, {1, 31 * DAY, true},
	    {1, 31 * DAY, true}, {1, 0, true}, {24, 0, false}},
	true},
    {"31 days forward for three days, and back",
	{{1, 31 * DAY, false}, {3 * 24, 0, false}, {24, 0, false}}, true},
    {"ten years forward at the start, and back",
	{{0, 10 * YEAR, true}, {24, 0, false}, {24, 0, false}}, true},
    {"ten years back, and forward",
	{{1, -10 * YEAR, true}, {24, 0, true}, {24, 0, false}}, true},
    {"ten years back, and forgotten all the same",
	{{1, -10 * YEAR, true}, {24, 0, true}, {400 * 24, 0, false}}, false},
    {"the daemon was away for a year, and stays",
	{{365 * 24, 0, true}, {200 * 24, 0, false}}, false},
};

struct machine {
	struct store *store;
	struct keeping keeping;
	usec_t now;
	int64_t wrong_by;
};

static int64_t
wall(const struct machine *m)
{
	return START_UNIX + (int64_t)(m->now / USEC_SEC) + m->wrong_by;
}

static void
commit(struct machine *m, struct store_batch *batch)
{
	assert_true(store_commit(m->store, batch, NULL));
	store_batch_free(&batch);
}

/* As belfryd does it after its start, and once a day. */
static void
prune(struct machine *m)
{
	struct store_batch *batch = store_batch_new();
	BUF_AUTO text = BUF_INIT;
	int64_t time = keeping_time(&m->keeping, wall(m), m->now);

	assert_true(time <= wall(m));
	keeping_save(&m->keeping, &text);
	store_batch_set_fact(batch, "", KEEPING_FACT, buf_str(&text));
	commit(m, batch);
	assert_true(store_prune(m->store, time - HISTORY_SEC, NULL));
}

static void
begin_life(struct machine *m)
{
	STR_AUTO text = NULL;

	assert_true(store_get_fact(m->store, "", KEEPING_FACT, &text, NULL));
	keeping_init(&m->keeping, span_from_str(text), wall(m), m->now);
	prune(m);
}

static void
play(struct machine *m, const struct step *step)
{
	for (int64_t hour = 0; hour < step->hours; hour++) {
		m->now = usec_add(m->now, USEC_HOUR);
		if (hour % 24 == 23)
			prune(m);
	}
	m->wrong_by = step->set;
	if (step->is_killed)
		begin_life(m);
	else
		prune(m);
}

static void
enqueue(struct machine *m, uint32_t uid)
{
	struct store_batch *batch = store_batch_new();
	const struct store_queue_item item = {
	    .key = "key",
	    .source = {"work", "INBOX", 7, uid},
	    .account = "work",
	    .rule = "r",
	    .target = "to@x",
	    .mode = "attach",
	    .unknown = "resend",
	    .message_id = "<1@x>",
	    .subject = "",
	    .queued_unix = wall(m),
	    .state = QUEUE_WAITING,
	    .reply = "",
	};

	store_batch_enqueue(batch, &item);
	commit(m, batch);
}

static bool
note_waiting(void *ctx, const struct store_queue_item *item)
{
	bool *is_waiting = ctx;

	*is_waiting = item->state == QUEUE_WAITING;
	return !*is_waiting;
}

/* The message comes again: is it queued again? */
static bool
is_kept(struct machine *m)
{
	bool is_waiting = false;

	enqueue(m, 2);
	assert_true(
	    store_each_queued(m->store, NULL, note_waiting, &is_waiting, NULL));
	return !is_waiting;
}

static void
run_case(size_t index)
{
	struct machine m = {.store = store_open_memory()};
	struct store_batch *batch = store_batch_new();

	begin_life(&m);
	enqueue(&m, 1);
	store_batch_set_queue(batch, 1, QUEUE_SENT, 1, 0, "250 ok", wall(&m));
	commit(&m, batch);
	for (size_t i = 0; i < STEPS_MAX; i++)
		if (cases[index].steps[i].hours != 0 ||
		    cases[index].steps[i].set != 0)
			play(&m, &cases[index].steps[i]);
	if (is_kept(&m) != cases[index].is_kept)
		fail_msg("%s", cases[index].name);
	store_close(&m.store);
}

static void
test_jumps(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		run_case(i);
}

/* What a store may hold as that fact. */
static void
test_text(void **state)
{
	static const struct {
		const char *text;
		int64_t wanted;
	} rows[] = {
	    {"", START_UNIX},
	    {"x", START_UNIX},
	    {"-5", START_UNIX},
	    {"99999999999999999999", START_UNIX},
	    {"1800000000", START_UNIX},
	    {"1900000000", START_UNIX},
	    {"1799900000", 1799900000 + KEEPING_LIFE_SEC},
	    /* A machine without a clock begins in 1970. */
	    {"0", START_UNIX},
	    {"1700000000", START_UNIX},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct keeping keeping;

		keeping_init(
		    &keeping, span_from_str(rows[i].text), START_UNIX, 5);
		if (keeping_time(&keeping, START_UNIX, 5) != rows[i].wanted)
			fail_msg("\"%s\"", rows[i].text);
	}
}

/* Little by little it is as fast as at once. */
static void
test_fractions(void **state)
{
	struct keeping keeping;

	(void)state;
	keeping_init(&keeping, SPAN("1800000000"), INT64_MAX / 4, 0);
	for (usec_t now = 0; now <= 10 * USEC_SEC; now += USEC_SEC / 8)
		keeping_time(&keeping, INT64_MAX / 4, now);
	assert_int_equal(keeping.unix_seconds,
	    START_UNIX + KEEPING_LIFE_SEC + 10 * KEEPING_RATE);
}

/* The first life begins in 1970, until the network tells the time. */
static void
test_no_clock(void **state)
{
	struct keeping keeping;

	(void)state;
	keeping_init(&keeping, SPAN(""), 20, 0);
	assert_int_equal(keeping_time(&keeping, 50, 30 * USEC_SEC), 50);
	assert_int_equal(
	    keeping_time(&keeping, START_UNIX, 60 * USEC_SEC), START_UNIX);
}

/* What is noted while the clock is wrong is not old when it is right again. */
static void
test_mark(void **state)
{
	struct keeping keeping;

	(void)state;
	keeping_init(&keeping, SPAN(""), 20, 0);
	assert_int_equal(keeping_mark(&keeping, 50, 30 * USEC_SEC), 0);
	assert_int_equal(
	    keeping_mark(&keeping, START_UNIX, 60 * USEC_SEC), START_UNIX);
	assert_int_equal(keeping_mark(&keeping, 50, 90 * USEC_SEC), START_UNIX);
	assert_int_equal(keeping_time(&keeping, 50, 90 * USEC_SEC), 50);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_jumps),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_no_clock),
	    cmocka_unit_test(test_fractions),
	    cmocka_unit_test(test_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
