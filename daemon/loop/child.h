/*
 * loop/child: runs a command, never through a shell.
 *
 * The child gets its own session, a rebuilt environment (PATH, HOME, LANG,
 * USER, XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS, DISPLAY,
 * WAYLAND_DISPLAY, XAUTHORITY and the like where set, and what the caller
 * adds; loop/spawn has the list), default signals, umask 077 and no
 * descriptors but 0, 1, 2; it runs in $HOME. At the time limit its process
 * group gets TERM, and KILL three seconds later. Output is kept up to
 * CHILD_OUTPUT_MAX bytes each; the rest is read and dropped.
 *
 * It has ended when the command itself has: what it left in the background
 * is not waited for (after a time limit it is killed).
 */
#ifndef BELFRY_LOOP_CHILD_H
#define BELFRY_LOOP_CHILD_H

#include "daemon/base/buf.h"
#include "daemon/base/error.h"
#include "daemon/base/strv.h"
#include "daemon/loop/loop.h"
#include "daemon/loop/spawn.h"

#define CHILD_OUTPUT_MAX (64 * 1024)
/* A longer value is cut and BELFRY_TRUNCATED=1 added: execve has limits. */
#define CHILD_ENV_VALUE_MAX SPAWN_ENV_VALUE_MAX
#define CHILD_KILL_USEC (3 * USEC_SEC)

struct child;

struct child_config {
	const struct strv
	    *argv; /* argv[0] is looked up in PATH if it has no '/' */
	const struct strv *environment; /* "NAME=value", added; may be NULL */
	struct span input;		/* given on standard input, copied */
	usec_t limit;			/* USEC_NEVER: none */
	/* `input`, `output` and `errors` are wiped when freed: a secret. */
	bool secret;
};

struct child_result {
	bool started; /* false: `error` says why it could not be run */
	bool timed_out;
	int status; /* exit code, or 128 + signal; 0 if not started */
	struct span output, errors; /* borrowed for the call */
	struct error error;
};

typedef void child_fn(void *ctx, const struct child_result *result);

/* Runs one command to its end. `fn` is called once, from the loop; the child
 * is freed after it, so forget it there. Never NULL. */
struct child *child_run(struct loop *loop, const struct child_config *config,
    child_fn *fn, void *ctx);
/*
 * The same, made ready while it may not begin yet, which it does not before
 * child_begin, or never if we die: for what waits for its intent to be on
 * disk. At most SPAWN_HELD_MAX at once.
 */
struct child *child_prepare(struct loop *loop,
    const struct child_config *config, child_fn *fn, void *ctx);
/* False: it is not ready (yet, or something failed): child_cancel it, and
 * child_run says why, if it fails again. */
bool child_is_ready(const struct child *child);
/* Begins what is ready. */
void child_begin(struct child *child);
/* Forgets it and lets it run on: `fn` is not called any more. NULL-safe. */
void child_forget(struct child **child);
/* Kills the group and forgets: `fn` is not called any more. NULL-safe. */
void child_cancel(struct child **child);
/* Appends "exit code 3", "killed by signal 9 (Killed)", "took longer than
 * its time limit" or why it did not start: for people. Not for a plain
 * success. */
void child_describe(const struct child_result *result, struct buf *buf);

/*
 * A long-lived helper that speaks lines on its standard input and output
 * (belfry-desktop). Lines longer than `line_max` end it: it is killed, and
 * `end` called. Its standard error is ours.
 */
struct helper;

#define HELPER_QUEUE_MAX (256 * 1024)
#define HELPER_TERM_USEC (2 * USEC_SEC)

/* Without the line's end. Borrowed for the call. */
typedef void helper_line_fn(void *ctx, struct span line);
/* It ended: exit code or 128 + signal. Called once, after its last line;
 * the helper is freed after it, so forget it there. */
typedef void helper_end_fn(void *ctx, int status);
/* NULL and the error if it cannot be started; `end` is then not called. */
struct helper *helper_start(struct loop *loop, const struct strv *argv,
    size_t line_max, helper_line_fn *line, helper_end_fn *end, void *ctx,
    struct error *error_r);
/* Queues text for its standard input. False: its queue is full
 * (HELPER_QUEUE_MAX), nothing was queued. */
bool helper_send(struct helper *helper, struct span text);
/* Forgets it; neither `line` nor `end` is called any more. Closes its input,
 * TERM after two seconds, KILL three seconds later, all in the background;
 * NULL-safe. May be called in `line`. */
void helper_stop(struct helper **helper);

#endif
