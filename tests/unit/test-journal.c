/* The journal's thread: order, neighbours, owners that go. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/wiring/journal.h"
#include "tests/lib/looprun.h"

#define OWNERS 20
#define EACH 15

struct world {
	struct looprun run;
	char directory[40];
	struct store *store;
	struct journal *journal;
	unsigned answers, failures, open;
};

struct owner {
	struct world *world;
	unsigned number, value, wanted;
	struct store_batch *batch;
};

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
set_up(struct world *w)
{
	struct error error = ERROR_INIT;

	*w = (struct world){.directory = "/tmp/belfry-journal-XXXXXX"};
	looprun_init(&w->run);
	assert_non_null(mkdtemp(w->directory));
	w->store = store_open_sqlite(w->directory, &error);
	if (w->store == NULL)
		fail_msg("%s", error.text);
	w->journal = journal_new(w->run.loop, w->store);
}

static void
tear_down(struct world *w)
{
	journal_free(&w->journal);
	store_close(&w->store);
	looprun_done(&w->run);
	nftw(w->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct store_batch *
fact(unsigned owner, unsigned value)
{
	struct store_batch *batch = store_batch_new();
	STR_AUTO name = xasprintf("o%u", owner);
	STR_AUTO text = xasprintf("%u", value);

	store_batch_set_fact(batch, "a", name, text);
	return batch;
}

static unsigned
value_of(struct world *w, unsigned owner)
{
	STR_AUTO name = xasprintf("o%u", owner);
	STR_AUTO value = NULL;

	assert_true(store_get_fact(w->store, "a", name, &value, NULL));
	return value != NULL ? (unsigned)atoi(value) : 0;
}

static void give(struct owner *owner);

/* What was answered is read at once; the next is given from the answer. */
static void
on_answer(void *ctx, bool ok, const struct error *error)
{
	struct owner *owner = ctx;
	struct world *w = owner->world;

	w->answers++;
	w->failures += !ok;
	assert_int_equal(ok, error->fault == FAULT_NONE);
	if (ok)
		assert_int_equal(value_of(w, owner->number), owner->value);
	store_batch_free(&owner->batch);
	if (owner->value < owner->wanted)
		give(owner);
	else if (--w->open == 0)
		loop_quit(w->run.loop);
}

static void
give(struct owner *owner)
{
	owner->batch = fact(owner->number, ++owner->value);
	journal_commit(owner->world->journal, owner->batch, on_answer, owner);
}

static void
begin(struct world *w, struct owner *owners, unsigned count, unsigned wanted)
{
	w->open = count;
	for (unsigned i = 0; i < count; i++) {
		owners[i] =
		    (struct owner){.world = w, .number = i, .wanted = wanted};
		give(&owners[i]);
	}
}

static void
test_many(void **state)
{
	struct owner owners[OWNERS];
	struct world w;

	(void)state;
	set_up(&w);
	begin(&w, owners, OWNERS, EACH);
	assert_true(journal_is_busy(w.journal));
	loop_run(w.run.loop);
	assert_int_equal(w.answers, OWNERS * EACH);
	assert_int_equal(w.failures, 0);
	assert_false(journal_is_busy(w.journal));
	assert_false(journal_is_stuck(w.journal, loop_now()));
	tear_down(&w);
}

/* Every seventh batch of a group fails, and only that. */
static void
test_neighbours(void **state)
{
	struct store_commit commits[OWNERS];
	struct store_batch *batches[OWNERS];

	(void)state;
	for (unsigned nth = 1; nth <= OWNERS; nth++) {
		struct world w;
		set_up(&w);
		store_fail_commit(w.store, nth, false);
		for (unsigned i = 0; i < OWNERS; i++) {
			batches[i] = fact(i, 1);
			commits[i] = (struct store_commit){
			    .batch = batches[i], .error = ERROR_INIT};
		}
		store_commit_many(w.store, commits, OWNERS);
		for (unsigned i = 0; i < OWNERS; i++) {
			assert_int_equal(commits[i].ok, i + 1 != nth);
			assert_int_equal(value_of(&w, i), i + 1 != nth);
			store_batch_free(&batches[i]);
		}
		tear_down(&w);
	}
}

/* An owner that goes is not answered; what it gave is there. */
static void
test_forget(void **state)
{
	struct owner owners[OWNERS];
	struct world w;

	(void)state;
	set_up(&w);
	begin(&w, owners, OWNERS, 1);
	for (unsigned i = 0; i < OWNERS; i += 2) {
		journal_forget(w.journal, &owners[i]);
		assert_int_equal(value_of(&w, i), 1);
		store_batch_free(&owners[i].batch);
		w.open--;
	}
	loop_run(w.run.loop);
	assert_int_equal(w.answers, OWNERS / 2);
	tear_down(&w);
}

static void
test_drain(void **state)
{
	struct owner owners[OWNERS];
	struct world w;

	(void)state;
	set_up(&w);
	begin(&w, owners, OWNERS, EACH);
	journal_drain(w.journal);
	assert_int_equal(w.answers, OWNERS * EACH);
	tear_down(&w);
}

/* Without anybody who waits: written all the same, before the end. */
static void
test_note(void **state)
{
	struct error error = ERROR_INIT;
	struct store_batch *batch;
	struct world w;

	(void)state;
	set_up(&w);
	for (unsigned i = 1; i <= EACH; i++)
		journal_note(w.journal, fact(1, i));
	journal_prune(w.journal, 0);
	assert_false(journal_is_busy(w.journal));
	batch = fact(2, 7);
	assert_true(journal_commit_now(w.journal, batch, &error));
	assert_int_equal(value_of(&w, 1), EACH);
	assert_int_equal(value_of(&w, 2), 7);
	store_fail_commit(w.store, 1, false);
	assert_false(journal_commit_now(w.journal, batch, &error));
	assert_string_equal(error.text, "the disk is full (injected)");
	store_batch_free(&batch);
	journal_note(w.journal, fact(3, 9));
	journal_free(&w.journal);
	assert_int_equal(value_of(&w, 3), 9);
	tear_down(&w);
}

static void
note_health(void *ctx, enum journal_health health, const char *words)
{
	static const char *const names[] = {"well", "uneasy: ", ""};

	buf_addf(ctx, "%s%s\n", names[health], words);
}

/* Told when it begins to fail, and when it works again, not each time. */
static void
test_health(void **state)
{
	struct store_batch *batch = fact(1, 1);
	BUF_AUTO told = BUF_INIT;
	struct world w;

	(void)state;
	set_up(&w);
	journal_on_health(w.journal, note_health, &told);
	assert_true(journal_commit_now(w.journal, batch, NULL));
	store_fail_commit(w.store, 1, true);
	assert_false(journal_commit_now(w.journal, batch, NULL));
	journal_note(w.journal, fact(2, 1));
	journal_drain(w.journal);
	assert_string_equal(buf_str(&told), "the disk is full (injected)\n");
	store_fail_commit(w.store, 0, false);
	journal_note(w.journal, fact(2, 1));
	journal_drain(w.journal);
	assert_true(journal_commit_now(w.journal, batch, NULL));
	assert_string_equal(
	    buf_str(&told), "the disk is full (injected)\nwell\n");
	store_batch_free(&batch);
	tear_down(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_neighbours),
	    cmocka_unit_test(test_forget),
	    cmocka_unit_test(test_drain),
	    cmocka_unit_test(test_note),
	    cmocka_unit_test(test_health),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
