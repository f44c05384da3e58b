/*
 * loop/lane: one thread that does what waits, in its order, all of it at once.
 *
 * For what blocks and gains by company: a journal, whose sync costs the same
 * for one entry and for many. While the thread runs one group of jobs the
 * next one gathers.
 *
 * A job belongs to whoever gave it until `done` is called with it in the
 * loop's thread, or lane_forget has returned; then it is the giver's again.
 * Where no thread can be made, the jobs run in the loop's.
 */
#ifndef BELFRY_LOOP_LANE_H
#define BELFRY_LOOP_LANE_H

#include "daemon/base/list.h"
#include "daemon/loop/loop.h"

/* Jobs in one group. */
#define LANE_GROUP_MAX 64

/* The head of a giver's struct; nothing in it is the giver's business. */
struct lane_job {
	struct list_link link;
	bool is_run; /* guarded by the lane's lock */
	usec_t since;
};

struct lane_class {
	/* In the thread. Sees nothing but `ctx` and the jobs, 1 to
	 * LANE_GROUP_MAX. */
	void (*run)(void *ctx, struct lane_job **jobs, size_t count);
	/* In the loop's thread, one by one in their order; it may free the job,
	 * and use the lane in any way but to free it. */
	void (*done)(void *ctx, struct lane_job *job);
};

struct lane;

struct lane *lane_new(
    struct loop *loop, const struct lane_class *class, void *ctx);
/* Waits for all jobs; `done` is called for none of them any more, so there
 * should be none. NULL-safe. */
void lane_free(struct lane **lane);
void lane_add(struct lane *lane, struct lane_job *job);
/* Waits until the job was run; `done` is not called. */
void lane_forget(struct lane *lane, struct lane_job *job);
/* Waits until every job was run, also those that `done` adds, and calls `done`
 * for each before it returns. */
void lane_drain(struct lane *lane);
/* How long the oldest job that was not run has been there; 0: there is none. */
usec_t lane_age(struct lane *lane, usec_t now);

#endif
