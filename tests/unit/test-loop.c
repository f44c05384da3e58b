#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/buf.h"
#include "daemon/base/random.h"
#include "daemon/loop/heap.h"
#include "daemon/loop/worker.h"
#include "tests/lib/looprun.h"

/* The heap. */

#define ITEMS 300

static void
test_heap_order(void **state)
{
	struct heap heap = HEAP_INIT;
	struct heap_item items[ITEMS];
	struct random random;
	struct heap_item *first;
	usec_t before = 0;
	size_t count = 0, removed = 0;

	(void)state;
	memset(items, 0, sizeof(items));
	random_init(&random, 7);
	assert_null(heap_first(&heap));
	for (size_t round = 0; round < 3; round++)
		for (size_t i = 0; i < ITEMS; i++)
			heap_set(&heap, &items[i], random_below(&random, 99));
	for (size_t i = 0; i < ITEMS; i += 7, removed++) {
		heap_remove(&heap, &items[i]);
		heap_remove(&heap, &items[i]);
	}
	while ((first = heap_first(&heap)) != NULL) {
		assert_true(first->when >= before);
		before = first->when;
		heap_remove(&heap, first);
		count++;
	}
	assert_int_equal(count, ITEMS - removed);
	heap_done(&heap);
}

/* Clocks. */

/* The same all the time, also when a second ends: then differences of the
 * clocks show. */
static void
test_unix_of(void **state)
{
	struct timespec began, wall;
	int64_t first[200];

	(void)state;
	assert_int_equal(clock_gettime(CLOCK_REALTIME, &began), 0);
	usec_t when = loop_now() - (usec_t)began.tv_nsec / 1000 - 100;
	for (usec_t i = 0; i < 200; i++)
		first[i] = loop_unix_of(when + i);
	assert_true(first[0] >= began.tv_sec - 1);
	assert_true(first[199] <= began.tv_sec);
	do {
		for (usec_t i = 0; i < 200; i++)
			assert_int_equal(loop_unix_of(when + i), first[i]);
		assert_int_equal(clock_gettime(CLOCK_REALTIME, &wall), 0);
	} while (wall.tv_sec == began.tv_sec || wall.tv_nsec < 20000000);
}

/* Timers. */

struct ring {
	struct loop *loop;
	struct loop_timer *timers[4];
	struct buf order;
};

static void
ring_a(void *ctx)
{
	buf_add_char(&((struct ring *)ctx)->order, 'a');
}

static void
ring_b(void *ctx)
{
	struct ring *ring = ctx;

	buf_add_char(&ring->order, 'b');
	/* Its own, and one that is due at the same moment. */
	loop_timer_free(&ring->timers[1]);
	loop_timer_free(&ring->timers[2]);
}

static void
ring_never(void *ctx)
{
	(void)ctx;
	fail_msg("a freed timer fired");
}

static void
ring_last(void *ctx)
{
	struct ring *ring = ctx;

	buf_add_char(&ring->order, 'z');
	/* Set to the past for ever: must not shut out anything. */
	loop_timer_set(ring->timers[3], 0);
	if (ring->order.len > 10)
		loop_quit(ring->loop);
}

static void
test_timers(void **state)
{
	struct looprun run;
	struct ring ring = {.loop = looprun_init(&run)};

	(void)state;
	ring.timers[0] = loop_timer_new(ring.loop, ring_a, &ring);
	ring.timers[1] = loop_timer_new(ring.loop, ring_b, &ring);
	ring.timers[2] = loop_timer_new(ring.loop, ring_never, &ring);
	ring.timers[3] = loop_timer_new(ring.loop, ring_last, &ring);
	loop_timer_set(ring.timers[3], 4);
	loop_timer_set(ring.timers[2], 3);
	loop_timer_set(ring.timers[0], 1);
	loop_timer_set(ring.timers[1], 2);
	loop_run(ring.loop);
	assert_true(span_starts(buf_span(&ring.order), "abzzzz"));
	loop_timer_free(&ring.timers[0]);
	loop_timer_free(&ring.timers[3]);
	buf_done(&ring.order);
	looprun_done(&run);
}

static void
test_quit_before_run(void **state)
{
	struct looprun run;
	struct loop *loop = looprun_init(&run);

	(void)state;
	loop_quit(loop);
	loop_run(loop);
	looprun_done(&run);
}

/* Descriptors: a watch frees another that is ready in the same round. */

struct pair {
	struct loop *loop;
	struct loop_watch *watches[2];
	unsigned calls;
};

static void
on_either(void *ctx, unsigned ready)
{
	struct pair *pair = ctx;

	assert_int_equal(ready, LOOP_READ);
	pair->calls++;
	loop_watch_free(&pair->watches[0]);
	loop_watch_free(&pair->watches[1]);
	loop_quit(pair->loop);
}

static void
test_watch_frees(void **state)
{
	struct looprun run;
	struct pair pair = {.loop = looprun_init(&run)};
	int fds[2][2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pipe(fds[i]), 0);
		assert_int_equal(write(fds[i][1], "x", 1), 1);
		pair.watches[i] =
		    loop_watch_new(pair.loop, fds[i][0], on_either, &pair);
		loop_watch_set(pair.watches[i], LOOP_READ);
	}
	loop_run(pair.loop);
	assert_int_equal(pair.calls, 1);
	for (int i = 0; i < 2; i++) {
		close(fds[i][0]);
		close(fds[i][1]);
	}
	looprun_done(&run);
}

/* Signals: a storm is one call, and the callback may free its own. */

struct storm {
	struct loop *loop;
	struct loop_signal *sig, *other;
	unsigned calls, others;
};

static void
on_storm(void *ctx)
{
	struct storm *storm = ctx;

	storm->calls++;
	loop_signal_free(&storm->sig);
}

static void
on_other(void *ctx)
{
	struct storm *storm = ctx;

	storm->others++;
	loop_quit(storm->loop);
}

static void
test_signals(void **state)
{
	struct looprun run;
	struct storm storm = {.loop = looprun_init(&run)};

	(void)state;
	storm.sig = loop_signal_new(storm.loop, SIGUSR1, on_storm, &storm);
	storm.other = loop_signal_new(storm.loop, SIGUSR1, on_other, &storm);
	for (int i = 0; i < 100; i++)
		raise(SIGUSR1);
	loop_run(storm.loop);
	assert_int_equal(storm.calls, 1);
	assert_int_equal(storm.others, 1);
	loop_signal_free(&storm.other);
	looprun_done(&run);
}

/* Posts from threads. */

#define THREADS 4
#define POSTS 500

struct counter {
	struct loop *loop;
	unsigned count;
};

static void
on_count(void *ctx)
{
	struct counter *counter = ctx;

	if (++counter->count == THREADS * POSTS)
		loop_quit(counter->loop);
}

static void *
post_many(void *ctx)
{
	struct counter *counter = ctx;

	for (int i = 0; i < POSTS; i++)
		loop_post(counter->loop, on_count, counter);
	return NULL;
}

static void
test_posts(void **state)
{
	struct looprun run;
	struct counter counter = {looprun_init(&run), 0};
	pthread_t threads[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, post_many, &counter), 0);
	loop_run(counter.loop);
	assert_int_equal(counter.count, THREADS * POSTS);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	looprun_done(&run);
}

static void
test_posts_at_free(void **state)
{
	struct looprun run;
	struct counter counter = {looprun_init(&run), 0};

	(void)state;
	loop_post(counter.loop, on_count, &counter);
	looprun_done(&run);
	assert_int_equal(counter.count, 1);
}

/* Workers. */

static struct worker_pool pool = WORKER_POOL_INIT(pool, 3, 1, 0);
static unsigned at_once, at_once_max, freed;
static pthread_mutex_t job_lock = PTHREAD_MUTEX_INITIALIZER;

static void
job_run(void *job)
{
	(void)job;
	pthread_mutex_lock(&job_lock);
	if (++at_once > at_once_max)
		at_once_max = at_once;
	pthread_mutex_unlock(&job_lock);
	usleep(1000);
	pthread_mutex_lock(&job_lock);
	at_once--;
	pthread_mutex_unlock(&job_lock);
}

static void
job_done(void *job, void *ctx)
{
	struct counter *counter = ctx;

	assert_non_null(job);
	counter->count++;
	if (counter->count == 10)
		loop_quit(counter->loop);
}

static void
job_free(void *job)
{
	pthread_mutex_lock(&job_lock);
	freed++;
	pthread_mutex_unlock(&job_lock);
	free(job);
}

static const struct work_class job_class = {job_run, job_done, job_free};

static void
test_workers(void **state)
{
	struct looprun run;
	struct counter counter = {looprun_init(&run), 0};
	struct work *cancelled[10];

	(void)state;
	/* One key: one at a time, though there are three threads. */
	for (int i = 0; i < 10; i++) {
		work_start(&pool, counter.loop, &job_class, "same", malloc(1),
		    &counter);
		cancelled[i] = work_start(&pool, counter.loop, &job_class,
		    "same", malloc(1), &counter);
	}
	for (int i = 0; i < 10; i++)
		work_cancel(&cancelled[i]);
	loop_run(counter.loop);
	assert_int_equal(at_once_max, 1);
	assert_int_equal(counter.count, 10);
	looprun_done(&run);
	assert_int_equal(freed, 20);
}

#define MEETINGS 200

static struct worker_pool keeping = WORKER_POOL_INIT(keeping, 3, 3, 1);

static void
meet_run(void *job)
{
	pthread_barrier_wait(job);
}

static void
meet_done(void *job, void *ctx)
{
	struct counter *counter = ctx;

	(void)job;
	if (++counter->count % 2 == 0)
		loop_quit(counter->loop);
}

static void
meet_free(void *job)
{
	(void)job;
}

static const struct work_class meet_class = {meet_run, meet_done, meet_free};

static bool
has_kept(unsigned threads)
{
	bool has;

	pthread_mutex_lock(&keeping.lock);
	has = keeping.threads == threads && keeping.idle == threads;
	pthread_mutex_unlock(&keeping.lock);
	return has;
}

/* The thread that was kept takes one of two jobs, which wait for each other;
 * the other one needs a thread of its own, which ends. */
static void
test_kept_thread(void **state)
{
	struct looprun run;
	struct counter counter = {looprun_init(&run), 0};
	pthread_barrier_t meeting;

	(void)state;
	pthread_barrier_init(&meeting, NULL, 2);
	for (int i = 0; i < MEETINGS; i++) {
		for (int j = 0; j < 2; j++)
			work_start(&keeping, counter.loop, &meet_class, "same",
			    &meeting, &counter);
		loop_run(counter.loop);
	}
	assert_int_equal(counter.count, 2 * MEETINGS);
	looprun_done(&run);
	pthread_barrier_destroy(&meeting);
	while (!has_kept(1))
		usleep(1000);
}

/* Daylight saving time ended in between. */
static void
test_utc_offset(void **state)
{
	(void)state;
	setenv("TZ", "Europe/Berlin", 1);
	assert_int_equal(loop_utc_offset_at(1792886399), 7200);
	assert_int_equal(loop_utc_offset_at(1792890000), 3600);
	setenv("TZ", "UTC0", 1);
	assert_int_equal(loop_utc_offset_at(1792886399), 0);
	unsetenv("TZ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_unix_of),
	    cmocka_unit_test(test_heap_order),
	    cmocka_unit_test(test_timers),
	    cmocka_unit_test(test_quit_before_run),
	    cmocka_unit_test(test_watch_frees),
	    cmocka_unit_test(test_signals),
	    cmocka_unit_test(test_posts),
	    cmocka_unit_test(test_posts_at_free),
	    cmocka_unit_test(test_workers),
	    cmocka_unit_test(test_kept_thread),
	    cmocka_unit_test(test_utc_offset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
