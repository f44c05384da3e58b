/*
 * loop/worker: jobs that block (name resolution, HTTPS), off the loop.
 *
 * A pool runs at most `threads_max` jobs at once, and at most `key_max` of
 * the same key, so that one dead name server or web host cannot take all
 * threads; the others wait in order. Threads are made when needed and end
 * when there is nothing to do, all but `threads_kept` of them, for jobs that
 * are short and have somebody wait for them. Pools are static and live for
 * ever; several loops may use one.
 *
 * A job runs in a thread, then `done` is called with it in the loop's thread,
 * then it is freed. A cancelled job is freed in whichever thread has it; if
 * it is running it runs to its end for nobody.
 */
#ifndef BELFRY_LOOP_WORKER_H
#define BELFRY_LOOP_WORKER_H

#include <pthread.h>

#include "daemon/base/list.h"
#include "daemon/loop/loop.h"

struct worker_pool {
	unsigned threads_max, key_max, threads_kept;
	pthread_mutex_t lock;	  /* guards all below, and every job's state */
	struct list_link waiting; /* struct work::link */
	struct list_link running; /* struct work::link */
	pthread_cond_t added;	  /* for a thread that has nothing to do */
	unsigned threads;
	unsigned idle, called; /* of them: who wait, and who were woken */
};

#define WORKER_POOL_INIT(pool, threads, per_key, kept)                         \
	{                                                                      \
		(threads), (per_key), (kept), PTHREAD_MUTEX_INITIALIZER,       \
		    {&(pool).waiting, &(pool).waiting},                        \
		    {&(pool).running, &(pool).running},                        \
		    PTHREAD_COND_INITIALIZER, 0, 0, 0                          \
	}

struct work_class {
	/* In a thread: sees nothing but the job. */
	void (*run)(void *job);
	/* In the loop's thread; `ctx` is the owner's. */
	void (*done)(void *job, void *ctx);
	/* In any thread. */
	void (*free)(void *job);
};

struct work;

/* Takes the job. `key` is copied. */
struct work *work_start(struct worker_pool *pool, struct loop *loop,
    const struct work_class *class, const char *key, void *job, void *ctx);
/* No thread has it yet. */
bool work_is_waiting(const struct work *work);
/* `done` is not called any more; needed before the loop is freed. In `done`
 * and after it the work is gone. NULL-safe. */
void work_cancel(struct work **work);

#endif
