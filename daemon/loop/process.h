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

/* It could not be started: as spawn_start says. The process is freed after
 * it. */
typedef void process_failed_fn(void *ctx, const struct error *error);

/*
 * The same, made ready in a thread, and begun with process_release: for what
 * may not begin yet. If we die before that, or it is ended, it never begins.
 * `spawn` is copied, its descriptors are taken, and it has no gate. NULL and
 * the error: the descriptors are still the caller's. `failed` may be called
 * before process_release, too.
 */
struct process *process_prepare(struct loop *loop, const struct spawn *spawn,
    process_fn *fn, process_failed_fn *failed, void *ctx,
    struct error *error_r);
/* As long as it is held; not before a thread has it. */
bool process_is_held(const struct process *process);
void process_release(struct process *process);
/* A signal to the whole group; none as long as it has not begun. */
void process_signal(const struct process *process, int signal_number);
/*
 * Forgets it: `fn` is not called any more. The group gets TERM after
 * `term_usec` and KILL `kill_usec` later, in the background; what is still
 * running when the loop is freed gets TERM then. NULL-safe.
 */
void process_end(struct process **process, usec_t term_usec, usec_t kill_usec);
/* Forgets it and lets it run, at the end of our own life: nobody waits for it.
 * NULL-safe. */
void process_forget(struct process **process);

#endif
