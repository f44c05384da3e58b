/*
 * loop/process: a running child process: its end, and how to bring it about.
 *
 * Waits by pid, never for "any child": other parts of the program may have
 * children of their own.
 */
#ifndef BELFRY_LOOP_PROCESS_H
#define BELFRY_LOOP_PROCESS_H

#include <sys/types.h>

#include "daemon/loop/loop.h"
#include "daemon/loop/spawn.h"

struct process;

/* It ended: exit code, or 128 + signal. Called once; the pid is still
 * reserved during the call, so a signal to the group cannot hit a stranger.
 * The process is freed after it. */
typedef void process_fn(void *ctx, int status);

struct process *process_start(struct loop *loop, const struct spawn *spawn,
    process_fn *fn, void *ctx, struct error *error_r);
/* A signal to the whole group. */
void process_signal(const struct process *process, int signal_number);
/*
 * Forgets it: `fn` is not called any more. The group gets TERM after
 * `term_usec` and KILL `kill_usec` later, in the background; what is still
 * running when the loop is freed gets TERM then. NULL-safe.
 */
void process_end(struct process **process, usec_t term_usec, usec_t kill_usec);

#endif
