#include "daemon/loop/worker.h"

#include <signal.h>
#include <string.h>

#include "daemon/base/xalloc.h"

/* getaddrinfo and libcurl are content with far less than the usual 8 MB. */
#define WORKER_STACK (512 * 1024)

/*
 * Who owns a work: its pool while it waits or runs; the loop's posted call
 * after that. `cancelled` is written and read under the pool's lock.
 */
struct work {
	struct list_link link;
	struct worker_pool *pool;
	struct loop *loop;
	const struct work_class *class;
	char *key;
	void *job;
	void *ctx;
	bool waiting;
	bool cancelled;
};

static void
work_free(struct work *work)
{
	work->class->free(work->job);
	free(work->key);
	free(work);
}

/* In the loop's thread. */
static void
on_done(void *ctx)
{
	struct work *work = ctx;
	bool cancelled;

	pthread_mutex_lock(&work->pool->lock);
	cancelled = work->cancelled;
	pthread_mutex_unlock(&work->pool->lock);
	if (!cancelled)
		work->class->done(work->job, work->ctx);
	work_free(work);
}

static unsigned
running_with_key(const struct worker_pool *pool, const char *key)
{
	unsigned count = 0;

	LIST_EACH(link, &pool->running)
	if (strcmp(LIST_ITEM(link, struct work, link)->key, key) == 0)
		count++;
	return count;
}

/* The first that may run now, moved to the running ones; or NULL. */
static struct work *
take(struct worker_pool *pool)
{
	LIST_EACH(link, &pool->waiting)
	{
		struct work *work = LIST_ITEM(link, struct work, link);

		if (running_with_key(pool, work->key) >= pool->key_max)
			continue;
		list_remove(&work->link);
		list_add(&pool->running, &work->link);
		work->waiting = false;
		return work;
	}
	return NULL;
}

/* The lock is held: a cancel cannot come between the look and the post, so
 * the loop is still there. */
static bool
hand_over(struct work *work)
{
	list_remove(&work->link);
	if (work->cancelled)
		return false;
	loop_post(work->loop, on_done, work);
	return true;
}

/* What a thread does next; NULL: it ends. The lock is held. */
static struct work *
next(struct worker_pool *pool)
{
	struct work *work;

	while ((work = take(pool)) == NULL && pool->idle < pool->threads_kept) {
		pool->idle++;
		while (pool->called == 0)
			pthread_cond_wait(&pool->added, &pool->lock);
		pool->called--;
	}
	return work;
}

static void *
worker(void *ctx)
{
	struct worker_pool *pool = ctx;
	struct work *work;

	pthread_mutex_lock(&pool->lock);
	while ((work = next(pool)) != NULL) {
		pthread_mutex_unlock(&pool->lock);
		work->class->run(work->job);
		pthread_mutex_lock(&pool->lock);
		if (!hand_over(work))
			work_free(work);
	}
	pool->threads--;
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* Signals are the loop's. */
static bool
start_thread(struct worker_pool *pool)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;
	bool ok;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, WORKER_STACK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ok = pthread_create(&thread, &attributes, worker, pool) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return ok;
}

/* Without a thread the job waits for the next call. */
static void
add_thread(struct worker_pool *pool)
{
	if (start_thread(pool))
		return;
	pthread_mutex_lock(&pool->lock);
	pool->threads--;
	pthread_mutex_unlock(&pool->lock);
}

struct work *
work_start(struct worker_pool *pool, struct loop *loop,
    const struct work_class *class, const char *key, void *job, void *ctx)
{
	struct work *work = NEW(struct work);
	bool is_short, has_idle;

	work->pool = pool;
	work->loop = loop;
	work->class = class;
	work->key = xstrdup(key);
	work->job = job;
	work->ctx = ctx;
	work->waiting = true;
	pthread_mutex_lock(&pool->lock);
	list_add(&pool->waiting, &work->link);
	has_idle = pool->idle > 0;
	pool->idle -= has_idle;
	pool->called += has_idle;
	is_short = !has_idle && pool->threads < pool->threads_max;
	pool->threads += is_short;
	pthread_mutex_unlock(&pool->lock);
	/* Not before: it would wait for the lock. */
	if (has_idle)
		pthread_cond_signal(&pool->added);
	if (is_short)
		add_thread(pool);
	return work;
}

bool
work_is_waiting(const struct work *work)
{
	bool waiting;

	pthread_mutex_lock(&work->pool->lock);
	waiting = work->waiting;
	pthread_mutex_unlock(&work->pool->lock);
	return waiting;
}

void
work_cancel(struct work **work_ptr)
{
	struct work *work = *work_ptr;
	struct worker_pool *pool;
	bool waiting;

	if (work == NULL)
		return;
	*work_ptr = NULL;
	pool = work->pool;
	pthread_mutex_lock(&pool->lock);
	waiting = work->waiting;
	work->cancelled = true;
	if (waiting)
		list_remove(&work->link);
	pthread_mutex_unlock(&pool->lock);
	if (waiting)
		work_free(work);
}
