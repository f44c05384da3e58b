#include "daemon/loop/lane.h"

#include <pthread.h>
#include <signal.h>

#include "daemon/base/xalloc.h"

#define LANE_STACK (512 * 1024)

struct lane {
	struct loop *loop;
	const struct lane_class *class;
	void *ctx;
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock;	   /* guards all below, and jobs */
	pthread_cond_t added, run; /* something waits; a group was run */
	struct list_link waiting;  /* struct lane_job::link */
	struct list_link running;
	struct list_link finished; /* `done` is to be called */
	unsigned posts;		   /* calls of on_finished on their way */
	bool is_ending, is_dead;
};

static struct lane_job *
first_of(struct list_link *list)
{
	return list_is_empty(list)
		   ? NULL
		   : LIST_ITEM(list->next, struct lane_job, link);
}

static void
lane_destroy(struct lane *lane)
{
	pthread_mutex_destroy(&lane->lock);
	pthread_cond_destroy(&lane->added);
	pthread_cond_destroy(&lane->run);
	free(lane);
}

/* ---- in the loop's thread ---- */

static struct lane_job *
take_finished(struct lane *lane)
{
	struct lane_job *job;

	pthread_mutex_lock(&lane->lock);
	job = first_of(&lane->finished);
	if (job != NULL)
		list_remove(&job->link);
	pthread_mutex_unlock(&lane->lock);
	return job;
}

static void
deliver(struct lane *lane)
{
	struct lane_job *job;

	while ((job = take_finished(lane)) != NULL)
		lane->class->done(lane->ctx, job);
}

/* The loop calls it even after the lane is gone. */
static void
on_finished(void *ctx)
{
	struct lane *lane = ctx;
	bool is_last;

	pthread_mutex_lock(&lane->lock);
	lane->posts--;
	is_last = lane->is_dead && lane->posts == 0;
	pthread_mutex_unlock(&lane->lock);
	if (is_last)
		lane_destroy(lane);
	else if (!lane->is_dead)
		deliver(lane);
}

/* ---- in the thread; all of these hold the lock ---- */

/* Moves what waits, or the first of it, to `running`. */
static size_t
take_group(struct lane *lane, struct lane_job **jobs)
{
	size_t count = 0;

	while (count < LANE_GROUP_MAX && !list_is_empty(&lane->waiting)) {
		struct lane_job *job = first_of(&lane->waiting);
		list_remove(&job->link);
		list_add(&lane->running, &job->link);
		jobs[count++] = job;
	}
	return count;
}

static void
finish_group(struct lane *lane, struct lane_job **jobs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		list_remove(&jobs[i]->link);
		jobs[i]->is_run = true;
		list_add(&lane->finished, &jobs[i]->link);
	}
	pthread_cond_broadcast(&lane->run);
	lane->posts++;
}

static void
run_group(struct lane *lane)
{
	struct lane_job *jobs[LANE_GROUP_MAX];
	size_t count = take_group(lane, jobs);

	pthread_mutex_unlock(&lane->lock);
	lane->class->run(lane->ctx, jobs, count);
	pthread_mutex_lock(&lane->lock);
	finish_group(lane, jobs, count);
	/* The loop would wake up to wait for the lock. */
	pthread_mutex_unlock(&lane->lock);
	loop_post(lane->loop, on_finished, lane);
	pthread_mutex_lock(&lane->lock);
}

static void *
lane_thread(void *ctx)
{
	struct lane *lane = ctx;

	pthread_mutex_lock(&lane->lock);
	for (;;) {
		while (list_is_empty(&lane->waiting) && !lane->is_ending)
			pthread_cond_wait(&lane->added, &lane->lock);
		if (list_is_empty(&lane->waiting))
			break;
		run_group(lane);
	}
	pthread_mutex_unlock(&lane->lock);
	return NULL;
}

/* ---- in the loop's thread again ---- */

/* Signals are the loop's. */
static void
start_thread(struct lane *lane)
{
	pthread_attr_t attributes;
	sigset_t all, before;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, LANE_STACK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	lane->has_thread =
	    pthread_create(&lane->thread, &attributes, lane_thread, lane) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
}

struct lane *
lane_new(struct loop *loop, const struct lane_class *class, void *ctx)
{
	struct lane *lane = NEW(struct lane);

	lane->loop = loop;
	lane->class = class;
	lane->ctx = ctx;
	list_init(&lane->waiting);
	list_init(&lane->running);
	list_init(&lane->finished);
	pthread_mutex_init(&lane->lock, NULL);
	pthread_cond_init(&lane->added, NULL);
	pthread_cond_init(&lane->run, NULL);
	start_thread(lane);
	return lane;
}

void
lane_free(struct lane **lane_ptr)
{
	struct lane *lane = *lane_ptr;
	bool is_posted;

	if (lane == NULL)
		return;
	*lane_ptr = NULL;
	pthread_mutex_lock(&lane->lock);
	lane->is_ending = true;
	pthread_cond_signal(&lane->added);
	pthread_mutex_unlock(&lane->lock);
	if (lane->has_thread)
		pthread_join(lane->thread, NULL);
	lane->is_dead = true;
	is_posted = lane->posts > 0;
	if (!is_posted)
		lane_destroy(lane);
}

void
lane_add(struct lane *lane, struct lane_job *job)
{
	pthread_mutex_lock(&lane->lock);
	job->is_run = false;
	job->since = loop_now();
	list_add(&lane->waiting, &job->link);
	if (!lane->has_thread)
		run_group(lane);
	pthread_mutex_unlock(&lane->lock);
	/* Not before: it would wake up to wait for the lock. */
	pthread_cond_signal(&lane->added);
}

void
lane_forget(struct lane *lane, struct lane_job *job)
{
	pthread_mutex_lock(&lane->lock);
	while (!job->is_run)
		pthread_cond_wait(&lane->run, &lane->lock);
	list_remove(&job->link);
	pthread_mutex_unlock(&lane->lock);
}

/* Waits until a group was run; false: there is nothing to wait for. */
static bool
wait_for_group(struct lane *lane)
{
	bool is_busy;

	pthread_mutex_lock(&lane->lock);
	is_busy =
	    !list_is_empty(&lane->waiting) || !list_is_empty(&lane->running);
	while (
	    list_is_empty(&lane->finished) &&
	    (!list_is_empty(&lane->waiting) || !list_is_empty(&lane->running)))
		pthread_cond_wait(&lane->run, &lane->lock);
	is_busy = is_busy || !list_is_empty(&lane->finished);
	pthread_mutex_unlock(&lane->lock);
	return is_busy;
}

void
lane_drain(struct lane *lane)
{
	while (wait_for_group(lane))
		deliver(lane);
}

usec_t
lane_age(struct lane *lane, usec_t now)
{
	struct lane_job *job;
	usec_t age;

	pthread_mutex_lock(&lane->lock);
	job = first_of(&lane->running);
	if (job == NULL)
		job = first_of(&lane->waiting);
	age = job != NULL ? usec_since(job->since, now) : 0;
	pthread_mutex_unlock(&lane->lock);
	return age;
}
