/* The long-lived helpers of child.h. */
#include <signal.h>
#include <unistd.h>

#include "daemon/base/xalloc.h"
#include "daemon/loop/child.h"
#include "daemon/loop/pipes.h"
#include "daemon/loop/process.h"

/* One read's worth above the longest line. */
#define READ_AHEAD (16 * 1024)
/* Reads after its end: something that it left behind may write for ever. */
#define DRAIN_READS_MAX 64

struct helper {
	helper_line_fn *line;
	helper_end_fn *end;
	void *ctx;
	size_t line_max;
	struct process *process;
	int in_fd, out_fd; /* our ends, -1 when closed */
	struct loop_watch *in_watch, *out_watch;
	struct buf queue; /* to its standard input */
	struct buf lines; /* from its standard output */
	/* A callback is running: memory goes only when it is back. */
	bool busy;
	bool stopped;
};

static void
helper_free(struct helper *helper)
{
	loop_watch_free(&helper->in_watch);
	loop_watch_free(&helper->out_watch);
	pipe_close(&helper->in_fd);
	pipe_close(&helper->out_fd);
	buf_done(&helper->queue);
	buf_done(&helper->lines);
	free(helper);
}

/* Its output can be of no use any more; its end will be reported. */
static void
give_up(struct helper *helper)
{
	loop_watch_free(&helper->out_watch);
	pipe_close(&helper->out_fd);
	buf_clear(&helper->lines);
	process_signal(helper->process, SIGKILL);
}

/* Hands out whole lines. False: a line is too long. */
static bool
hand_out_lines(struct helper *helper)
{
	struct span rest = buf_span(&helper->lines);
	size_t end = 0;

	while (!helper->stopped && (end = span_find(rest, '\n')) != SIZE_MAX &&
	       end <= helper->line_max) {
		helper->line(helper->ctx, span_slice(rest, 0, end));
		rest = span_skip(rest, end + 1);
	}
	buf_consume(&helper->lines, helper->lines.len - rest.len);
	return helper->stopped || helper->lines.len <= helper->line_max;
}

static enum pipe_result
read_lines(struct helper *helper)
{
	enum pipe_result result = pipe_read(
	    helper->out_fd, &helper->lines, helper->line_max + READ_AHEAD);

	if (result == PIPE_MORE && !hand_out_lines(helper))
		give_up(helper);
	return result;
}

static void
on_lines(void *ctx, unsigned ready)
{
	struct helper *helper = ctx;

	(void)ready;
	helper->busy = true;
	if (read_lines(helper) == PIPE_END)
		give_up(helper); /* deaf and dumb helps nobody */
	helper->busy = false;
	if (helper->stopped)
		helper_free(helper);
}

static void
on_queue(void *ctx, unsigned ready)
{
	struct helper *helper = ctx;

	(void)ready;
	if (pipe_write(helper->in_fd, &helper->queue) == PIPE_END) {
		loop_watch_free(&helper->in_watch);
		pipe_close(&helper->in_fd);
		return;
	}
	if (helper->queue.len == 0)
		loop_watch_set(helper->in_watch, 0);
}

static void
on_exit_status(void *ctx, int status)
{
	struct helper *helper = ctx;

	helper->busy = true;
	for (int i = 0; i < DRAIN_READS_MAX && !helper->stopped &&
			helper->out_fd >= 0 && read_lines(helper) == PIPE_MORE;
	     i++)
		continue;
	helper->process = NULL;
	if (!helper->stopped)
		helper->end(helper->ctx, status);
	helper_free(helper);
}

static bool
open_pipes(struct helper *helper, struct spawn *spawn, struct error *error_r)
{
	int in[2], out[2];

	if (!pipe_open(in, 1, error_r))
		return false;
	helper->in_fd = in[1];
	spawn->fds[0] = in[0];
	if (!pipe_open(out, 0, error_r))
		return false;
	helper->out_fd = out[0];
	spawn->fds[1] = out[1];
	return true;
}

struct helper *
helper_start(struct loop *loop, const struct strv *argv, size_t line_max,
    helper_line_fn *line, helper_end_fn *end, void *ctx, struct error *error_r)
{
	struct spawn spawn = {argv, NULL, {-1, -1, STDERR_FILENO}, -1};
	struct helper *helper = NEW(struct helper);

	helper->line = line;
	helper->end = end;
	helper->ctx = ctx;
	helper->line_max = line_max;
	helper->in_fd = helper->out_fd = -1;
	if (open_pipes(helper, &spawn, error_r))
		helper->process = process_start(
		    loop, &spawn, on_exit_status, helper, error_r);
	pipe_close(&spawn.fds[0]);
	pipe_close(&spawn.fds[1]);
	if (helper->process == NULL) {
		helper_free(helper);
		return NULL;
	}
	helper->in_watch =
	    loop_watch_new(loop, helper->in_fd, on_queue, helper);
	helper->out_watch =
	    loop_watch_new(loop, helper->out_fd, on_lines, helper);
	loop_watch_set(helper->out_watch, LOOP_READ);
	return helper;
}

bool
helper_send(struct helper *helper, struct span text)
{
	if (helper->queue.len + text.len > HELPER_QUEUE_MAX)
		return false;
	buf_add_span(&helper->queue, text);
	if (helper->in_watch != NULL)
		loop_watch_set(helper->in_watch, LOOP_WRITE);
	return true;
}

void
helper_stop(struct helper **helper_ptr)
{
	struct helper *helper = *helper_ptr;

	if (helper == NULL)
		return;
	*helper_ptr = NULL;
	helper->stopped = true;
	loop_watch_free(&helper->in_watch);
	loop_watch_free(&helper->out_watch);
	pipe_close(&helper->in_fd);
	process_end(&helper->process, HELPER_TERM_USEC, CHILD_KILL_USEC);
	if (!helper->busy)
		helper_free(helper);
}
