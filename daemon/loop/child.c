#include "daemon/loop/child.h"

#include <assert.h>
#include <signal.h>
#include <string.h>

#include "daemon/base/xalloc.h"
#include "daemon/loop/pipes.h"
#include "daemon/loop/process.h"

/* Reads of what was printed before the end; a child of the child may go on
 * printing for ever. */
#define DRAIN_READS_MAX 64

#define SECRET_ROOM (16 * 1024)

enum stage {
	NOT_STARTED,
	HELD,
	RUNNING,
	TERMED,
	KILLED,
};

enum {
	IN,
	OUT,
	ERR,
	PIPES
};

struct child {
	struct loop *loop;
	child_fn *fn;
	void *ctx;
	enum stage stage;
	usec_t limit;
	struct process *process;
	struct loop_timer *timer;
	int fds[PIPES]; /* our ends, -1 when closed */
	struct loop_watch *watches[PIPES];
	struct buf input, output, errors;
	struct error error;
	bool secret;
	bool finishing; /* `fn` is running: child_cancel comes too late */
};

static void
close_pipe(struct child *child, int which)
{
	loop_watch_free(&child->watches[which]);
	pipe_close(&child->fds[which]);
}

static void
child_free(struct child *child)
{
	for (int i = 0; i < PIPES; i++)
		close_pipe(child, i);
	loop_timer_free(&child->timer);
	if (child->secret) {
		buf_wipe(&child->input);
		buf_wipe(&child->output);
		buf_wipe(&child->errors);
	}
	buf_done(&child->input);
	buf_done(&child->output);
	buf_done(&child->errors);
	free(child);
}

static void
finish(struct child *child, int status)
{
	struct child_result result = {
	    .started = child->stage != NOT_STARTED,
	    .timed_out = child->stage == TERMED || child->stage == KILLED,
	    .status = status,
	    .output = buf_span(&child->output),
	    .errors = buf_span(&child->errors),
	    .error = child->error,
	};

	child->finishing = true;
	child->fn(child->ctx, &result);
	child_free(child);
}

/* What it prints. */

static enum pipe_result
read_output(struct child *child, int which)
{
	struct buf *buf = which == OUT ? &child->output : &child->errors;

	return pipe_read(child->fds[which], buf, CHILD_OUTPUT_MAX);
}

static void
drain(struct child *child, int which)
{
	if (child->fds[which] < 0)
		return;
	for (int i = 0; i < DRAIN_READS_MAX; i++)
		if (read_output(child, which) != PIPE_MORE)
			break;
}

static void
on_output(void *ctx, unsigned ready)
{
	struct child *child = ctx;

	(void)ready;
	if (read_output(child, OUT) == PIPE_END)
		close_pipe(child, OUT);
}

static void
on_errors(void *ctx, unsigned ready)
{
	struct child *child = ctx;

	(void)ready;
	if (read_output(child, ERR) == PIPE_END)
		close_pipe(child, ERR);
}

static void
on_input(void *ctx, unsigned ready)
{
	struct child *child = ctx;

	(void)ready;
	/* A command that does not read its input is no error. */
	if (pipe_write(child->fds[IN], &child->input) == PIPE_END ||
	    child->input.len == 0)
		close_pipe(child, IN);
}

/* Its end. */

static void
on_exit_status(void *ctx, int status)
{
	struct child *child = ctx;

	if (child->stage == TERMED || child->stage == KILLED)
		process_signal(child->process, SIGKILL);
	child->process = NULL;
	if (child->stage == HELD)
		return; /* killed before it began: it is not ready */
	drain(child, OUT);
	drain(child, ERR);
	finish(child, status);
}

/* Only here does the stage change. */
static void
enter(struct child *child, enum stage stage)
{
	child->stage = stage;
	if (stage == NOT_STARTED)
		loop_timer_set(child->timer, 0);
	else if (stage != HELD)
		loop_timer_set(child->timer,
		    usec_add(loop_now(),
			stage == RUNNING ? child->limit : CHILD_KILL_USEC));
}

/* Of one that was prepared. Who holds it sees that it is not ready. */
static void
on_failure(void *ctx, const struct error *error)
{
	struct child *child = ctx;

	child->process = NULL;
	child->error = *error;
	if (child->stage != HELD)
		enter(child, NOT_STARTED);
}

static void
on_timer(void *ctx)
{
	struct child *child = ctx;

	switch (child->stage) {
	case HELD:
		break;
	case NOT_STARTED:
		finish(child, 0);
		break;
	case RUNNING:
		process_signal(child->process, SIGTERM);
		enter(child, TERMED);
		break;
	case TERMED:
		process_signal(child->process, SIGKILL);
		enter(child, KILLED);
		break;
	case KILLED:
		/* It hangs inside the kernel: nobody waits for it here. */
		process_end(&child->process, 0, CHILD_KILL_USEC);
		finish(child, 128 + SIGKILL);
		break;
	}
}

static bool
open_pipes(struct child *child, struct spawn *spawn)
{
	bool ok = true;

	for (int i = 0; i < PIPES && ok; i++) {
		int ours = i == IN ? 1 : 0;
		int fds[2];

		ok = pipe_open(fds, ours, &child->error);
		child->fds[i] = fds[ours];
		spawn->fds[i] = fds[1 - ours];
	}
	return ok;
}

static void
begin_process(struct child *child, struct spawn *spawn, bool held)
{
	if (held)
		child->process = process_prepare(child->loop, spawn,
		    on_exit_status, on_failure, child, &child->error);
	else
		child->process = process_start(
		    child->loop, spawn, on_exit_status, child, &child->error);
	if (held && child->process != NULL)
		return; /* they were taken */
	for (int i = 0; i < PIPES; i++)
		pipe_close(&spawn->fds[i]);
}

static bool
start(struct child *child, const struct child_config *config, bool held)
{
	static loop_watch_fn *const watchers[PIPES] = {
	    on_input, on_output, on_errors};
	struct spawn spawn = {
	    config->argv, config->environment, {-1, -1, -1}, -1};

	if (open_pipes(child, &spawn)) {
		begin_process(child, &spawn, held);
	} else {
		for (int i = 0; i < PIPES; i++)
			pipe_close(&spawn.fds[i]);
	}
	if (child->process == NULL)
		return false;
	for (int i = 0; i < PIPES; i++) {
		child->watches[i] = loop_watch_new(
		    child->loop, child->fds[i], watchers[i], child);
		loop_watch_set(
		    child->watches[i], i == IN ? LOOP_WRITE : LOOP_READ);
	}
	return true;
}

static struct child *
child_new(struct loop *loop, const struct child_config *config, child_fn *fn,
    void *ctx, bool held)
{
	struct child *child = NEW(struct child);

	child->loop = loop;
	child->fn = fn;
	child->ctx = ctx;
	child->limit = config->limit;
	child->secret = config->secret;
	child->timer = loop_timer_new(loop, on_timer, child);
	for (int i = 0; i < PIPES; i++)
		child->fds[i] = -1;
	buf_add_span(&child->input, config->input);
	/* Room at once, so that no growing leaves copies behind. */
	if (config->secret)
		buf_addf(&child->output, "%*s", SECRET_ROOM, "");
	buf_truncate(&child->output, 0);
	bool ok = start(child, config, held);
	if (held)
		enter(child, HELD);
	else
		enter(child, ok ? RUNNING : NOT_STARTED);
	return child;
}

struct child *
child_run(struct loop *loop, const struct child_config *config, child_fn *fn,
    void *ctx)
{
	return child_new(loop, config, fn, ctx, false);
}

struct child *
child_prepare(struct loop *loop, const struct child_config *config,
    child_fn *fn, void *ctx)
{
	return child_new(loop, config, fn, ctx, true);
}

bool
child_is_ready(const struct child *child)
{
	return child->stage == HELD && child->process != NULL &&
	       process_is_held(child->process);
}

void
child_begin(struct child *child)
{
	assert(child_is_ready(child));
	process_release(child->process);
	enter(child, RUNNING);
}

void
child_forget(struct child **child_ptr)
{
	struct child *child = *child_ptr;

	if (child == NULL)
		return;
	*child_ptr = NULL;
	if (child->finishing)
		return;
	process_forget(&child->process);
	child_free(child);
}

void
child_cancel(struct child **child_ptr)
{
	struct child *child = *child_ptr;

	if (child == NULL)
		return;
	*child_ptr = NULL;
	if (child->finishing)
		return;
	if (child->process != NULL) {
		process_signal(child->process, SIGTERM);
		process_end(&child->process, 0, CHILD_KILL_USEC);
	}
	child_free(child);
}

void
child_describe(const struct child_result *result, struct buf *buf)
{
	if (!result->started)
		buf_add_str(buf, result->error.text);
	else if (result->timed_out)
		buf_add_str(buf, "took longer than its time limit");
	else if (result->status > 128 && result->status < 128 + NSIG)
		buf_addf(buf, "killed by signal %d (%s)", result->status - 128,
		    strsignal(result->status - 128));
	else
		buf_addf(buf, "exit code %d", result->status);
}
