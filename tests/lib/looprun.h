/*
 * looprun: a loop for a test, with a guard: a test that hangs ends.
 */
#ifndef BELFRY_TESTS_LIB_LOOPRUN_H
#define BELFRY_TESTS_LIB_LOOPRUN_H

#include <stdio.h>
#include <stdlib.h>

#include "daemon/loop/loop.h"

#define LOOPRUN_GUARD_USEC (60 * USEC_SEC)

struct looprun {
	struct loop *loop;
	struct loop_timer *guard;
};

static inline void
looprun_guard(void *ctx)
{
	(void)ctx;
	fputs("the test hangs\n", stderr);
	abort();
}

static inline struct loop *
looprun_init(struct looprun *run)
{
	run->loop = loop_new();
	run->guard = loop_timer_new(run->loop, looprun_guard, NULL);
	loop_timer_set(run->guard, loop_now() + LOOPRUN_GUARD_USEC);
	return run->loop;
}

static inline void
looprun_done(struct looprun *run)
{
	loop_timer_free(&run->guard);
	loop_free(&run->loop);
}

#endif
