/*
 * loop: the one event loop (libevent_core), timers, file descriptors,
 * signals, and the clock.
 *
 * This folder is the edge: the only place that touches sockets, processes,
 * threads and clocks. Callbacks run in the loop's thread, never from inside
 * the call that asked for them, and may free anything of this header, their
 * own timer, watch or signal included. It sees base and wire/engine.h and
 * nothing else of the house.
 */
#ifndef BELFRY_LOOP_LOOP_H
#define BELFRY_LOOP_LOOP_H

#include "daemon/base/usec.h"

struct loop;
struct loop_timer;
struct loop_watch;
struct loop_signal;
struct loop_exit;

enum {
	LOOP_READ = 1,
	LOOP_WRITE = 2
};

typedef void loop_fn(void *ctx);
typedef void loop_watch_fn(void *ctx, unsigned ready);

/* Also ignores SIGPIPE, for the whole process: a closed peer is an error
 * code here, not a death. Ends the process if the kernel refuses the few
 * descriptors it needs. */
struct loop *loop_new(void);
/* Everything made with the loop must be freed before, except what said
 * loop_at_free. Functions posted and not yet called are called now. */
void loop_free(struct loop **loop);
/* Until loop_quit; at once if that was called before. */
void loop_run(struct loop *loop);
void loop_quit(struct loop *loop);

/* CLOCK_BOOTTIME, fresh at each call. */
usec_t loop_now(void);
int64_t loop_now_unix(void);
/* What the wall clock said then: the same at each call, unless it was set. */
int64_t loop_unix_of(usec_t when);
/* Seconds east of UTC, of local time now. */
int loop_utc_offset(void);
/* The same of another time. */
int loop_utc_offset_at(int64_t unix_time);

struct loop_timer *loop_timer_new(struct loop *loop, loop_fn *fn, void *ctx);
void loop_timer_free(struct loop_timer **timer);
/* An absolute time of loop_now; USEC_NEVER disarms; the past fires soon.
 * Fires once. Time that the machine slept counts: what became due meanwhile
 * fires on waking. */
void loop_timer_set(struct loop_timer *timer, usec_t when);

/* Level-triggered. `fd` stays the caller's; free the watch before closing
 * it. A new watch is interested in nothing. */
struct loop_watch *loop_watch_new(
    struct loop *loop, int fd, loop_watch_fn *fn, void *ctx);
void loop_watch_free(struct loop_watch **watch);
void loop_watch_set(struct loop_watch *watch, unsigned interest);

/* Several may wait for the same signal. A storm of signals is one call. */
struct loop_signal *loop_signal_new(
    struct loop *loop, int signal_number, loop_fn *fn, void *ctx);
void loop_signal_free(struct loop_signal **sig);

/* Calls `fn` in the loop's thread soon, from any thread: how worker threads
 * hand their results over. In order; the only call of this header that other
 * threads may make. */
void loop_post(struct loop *loop, loop_fn *fn, void *ctx);

/* Calls `fn` at loop_free, newest first: for what outlives its owner's
 * interest, such as a process that is being ended. `fn` frees it, with
 * loop_exit_free; so does who is done before. */
struct loop_exit *loop_at_free(struct loop *loop, loop_fn *fn, void *ctx);
void loop_exit_free(struct loop_exit **exit_call);

#endif
