/*
 * wiring/unused: with which time what is gone is marked, and by which it is
 * forgotten. What it needs of its neighbours stands here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "daemon/account/unused.h"
#include "daemon/base/xalloc.h"
#include "daemon/wiring/belfry.h"

#define START_UNIX INT64_C(1800000000)
#define NO_CLOCK_UNIX 20
#define DAY_SEC (24 * 60 * 60)

static usec_t now;
static int64_t now_unix;
static struct store *store;

usec_t
loop_now(void)
{
	return now;
}

int64_t
loop_now_unix(void)
{
	return now_unix;
}

/* It is not in the configuration any more. */
struct running_account *
accounts_find(struct belfry *belfry, const char *name)
{
	(void)belfry;
	(void)name;
	return NULL;
}

const struct config_account *
config_find_account(const struct config *config, const char *name)
{
	(void)config;
	(void)name;
	return NULL;
}

bool
journal_commit_now(struct journal *journal, const struct store_batch *batch,
    struct error *error_r)
{
	(void)journal;
	return store_commit(store, batch, error_r);
}

/* ---- a daemon ---- */

struct world {
	struct config config;
	struct belfry belfry;
};

static int
set_up(void **state)
{
	static struct world w;
	struct store_batch *batch = store_batch_new();

	store = store_open_memory();
	store_batch_set_cursor(batch, &(const struct store_cursor){
					  .account = "gone",
					  .mailbox = "INBOX",
					  .uidvalidity = 7,
					  .next_uid = 9,
				      });
	assert_true(store_commit(store, batch, NULL));
	store_batch_free(&batch);
	w = (struct world){.config.daemon.history = 90 * USEC_DAY};
	w.belfry.store = store;
	w.belfry.config = &w.config;
	now = USEC_HOUR;
	*state = &w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	free(w->belfry.unused_after);
	store_close(&store);
	return 0;
}

static void
begin(struct world *w, int64_t clock_unix)
{
	now_unix = clock_unix;
	keeping_init(&w->belfry.keeping, SPAN(""), clock_unix, now);
}

/* A round over all accounts, `seconds` later; the clock says that. */
static void
look(struct world *w, int64_t seconds, int64_t clock_unix)
{
	now = usec_add(now, (usec_t)seconds * USEC_SEC);
	now_unix = clock_unix;
	unused_begin(&w->belfry);
	while (w->belfry.unused_after != NULL)
		unused_tidy(&w->belfry);
}

static int64_t
marked(void)
{
	STR_AUTO value = NULL;

	assert_true(store_get_fact(store, "gone", UNUSED_FACT, &value, NULL));
	return value != NULL ? strtoll(value, NULL, 10) : 0;
}

static bool
is_known(void)
{
	struct store_cursor cursor;
	bool found;

	assert_true(
	    store_get_cursor(store, "gone", "INBOX", &cursor, &found, NULL));
	return found;
}

/* ---- the tests ---- */

/* A machine without a battery: nobody has told the time yet. */
static void
test_no_clock(void **state)
{
	struct world *w = *state;

	begin(w, NO_CLOCK_UNIX);
	look(w, 30, NO_CLOCK_UNIX + 30);
	assert_int_equal(marked(), 0);
	look(w, 30, START_UNIX);
	assert_int_equal(marked(), START_UNIX);
	look(w, DAY_SEC, START_UNIX + DAY_SEC);
	assert_true(is_known());
}

/* The clock is set back for a while: the mark is not as old as it says. */
static void
test_set_back(void **state)
{
	struct world *w = *state;

	begin(w, START_UNIX);
	look(w, 0, START_UNIX - 1000 * (int64_t)DAY_SEC);
	assert_int_equal(marked(), START_UNIX);
	look(w, DAY_SEC, START_UNIX + DAY_SEC);
	assert_true(is_known());
}

/* The clock is far ahead: what is marked by it is not forgotten when it is
 * right. And when the time has really passed, it is. */
static void
test_ahead(void **state)
{
	struct world *w = *state;
	int64_t day;

	begin(w, START_UNIX);
	look(w, 60, START_UNIX + 1000 * (int64_t)DAY_SEC);
	look(w, 60, START_UNIX + 1000 * (int64_t)DAY_SEC + 60);
	assert_true(is_known());
	look(w, 60, START_UNIX + 120);
	assert_true(is_known());
	for (day = 1; day <= 85; day++)
		look(w, DAY_SEC, START_UNIX + day * DAY_SEC);
	assert_true(is_known());
	for (; day <= 100; day++)
		look(w, DAY_SEC, START_UNIX + day * DAY_SEC);
	assert_false(is_known());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_no_clock, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_set_back, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_ahead, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
