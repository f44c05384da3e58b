#include "daemon/loop/process.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/base/xalloc.h"
#include "daemon/loop/pipes.h"
#include "daemon/loop/worker.h"

struct process {
	struct loop *loop;
	pid_t pid;	/* also its process group; 0: not known yet */
	process_fn *fn; /* NULL: nobody asks any more */
	process_failed_fn *failed;
	void *ctx;
	struct work *start; /* it is being made ready, held, or begun */
	int gate;	    /* our end, -1: it may begin */
	struct loop_signal *child_signal;
	/* While it is being ended: the next blow. */
	struct loop_timer *timer;
	struct loop_exit *at_free;
	usec_t kill_usec;
	bool termed;
};

static void
process_free(struct process *process)
{
	pipe_close(&process->gate);
	work_cancel(&process->start);
	loop_signal_free(&process->child_signal);
	loop_timer_free(&process->timer);
	loop_exit_free(&process->at_free);
	free(process);
}

static int
exit_status(const siginfo_t *info)
{
	return info->si_code == CLD_EXITED ? info->si_status
					   : 128 + info->si_status;
}

/* Some child ended; was it ours? */
static void
on_child_signal(void *ctx)
{
	struct process *process = ctx;
	siginfo_t info = {.si_pid = 0};
	pid_t pid = process->pid;

	if (pid == 0 ||
	    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
	    info.si_pid == 0)
		return;
	if (process->fn != NULL)
		process->fn(process->ctx, exit_status(&info));
	else
		kill(-pid, SIGKILL); /* what it left behind goes too */
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG);
	process_free(process);
}

static struct process *
process_new(struct loop *loop, process_fn *fn, void *ctx)
{
	struct process *process = NEW(struct process);

	process->loop = loop;
	process->fn = fn;
	process->ctx = ctx;
	process->gate = -1;
	/* Before the start, or a quick end would go unseen. */
	process->child_signal =
	    loop_signal_new(loop, SIGCHLD, on_child_signal, process);
	return process;
}

struct process *
process_start(struct loop *loop, const struct spawn *spawn, process_fn *fn,
    void *ctx, struct error *error_r)
{
	struct process *process = process_new(loop, fn, ctx);

	if (!spawn_start(spawn, &process->pid, error_r)) {
		process_free(process);
		return NULL;
	}
	return process;
}

/* ---- prepared ---- */

/* What the thread sees. */
struct start {
	struct strv argv, environment;
	struct spawn spawn; /* its descriptors are owned */
	pid_t pid;	    /* 0: see the error */
	struct error error;
};

static struct worker_pool starters =
    WORKER_POOL_INIT(starters, SPAWN_HELD_MAX, SPAWN_HELD_MAX, 1);

static void
close_all(struct spawn *spawn)
{
	for (int i = 0; i < 3; i++)
		pipe_close(&spawn->fds[i]);
	pipe_close(&spawn->gate);
}

/* Our copies of its ends must go, or no pipe would ever end. */
static void
run_start(void *job)
{
	struct start *start = job;
	pid_t pid;

	if (spawn_start(&start->spawn, &pid, &start->error))
		start->pid = pid;
	close_all(&start->spawn);
}

static void
free_start(void *job)
{
	struct start *start = job;

	close_all(&start->spawn);
	strv_done(&start->argv);
	strv_done(&start->environment);
	free(start);
}

static void
start_failed(struct process *process, const struct error *error)
{
	if (process->fn != NULL)
		process->failed(process->ctx, error);
	process_free(process);
}

/* It may have ended before anybody knew its number. */
static void
on_started(void *job, void *ctx)
{
	const struct start *start = job;
	struct process *process = ctx;

	process->start = NULL;
	if (start->pid == 0) {
		start_failed(process, &start->error);
		return;
	}
	process->pid = start->pid;
	if (process->termed)
		process_signal(process, SIGTERM);
	on_child_signal(process);
}

static const struct work_class start_class = {
    .run = run_start, .done = on_started, .free = free_start};

static struct start *
start_new(const struct spawn *spawn, int gate)
{
	struct start *start = NEW(struct start);

	strv_copy(&start->argv, spawn->argv);
	if (spawn->environment != NULL)
		strv_copy(&start->environment, spawn->environment);
	start->spawn = *spawn;
	start->spawn.argv = &start->argv;
	start->spawn.environment = &start->environment;
	start->spawn.gate = gate;
	return start;
}

struct process *
process_prepare(struct loop *loop, const struct spawn *spawn, process_fn *fn,
    process_failed_fn *failed, void *ctx, struct error *error_r)
{
	struct process *process;
	int gate[2];

	if (!pipe_open(gate, 1, error_r))
		return NULL;
	process = process_new(loop, fn, ctx);
	process->failed = failed;
	process->gate = gate[1];
	process->start = work_start(&starters, loop, &start_class, "",
	    start_new(spawn, gate[0]), process);
	return process;
}

bool
process_is_held(const struct process *process)
{
	return process->gate >= 0 && process->start != NULL &&
	       !work_is_waiting(process->start);
}

void
process_release(struct process *process)
{
	ssize_t len;

	if (process->gate < 0)
		return;
	/* A pipe of its own, and empty: it fails only if nobody reads. */
	do
		len = write(process->gate, "", 1);
	while (len < 0 && errno == EINTR);
	pipe_close(&process->gate);
	/* Where it was woken to run on this processor it waits for us, who
	 * have nothing as urgent. */
	sched_yield();
}

void
process_signal(const struct process *process, int signal_number)
{
	if (process->pid != 0)
		kill(-process->pid, signal_number);
}

static void
on_end_timer(void *ctx)
{
	struct process *process = ctx;

	process_signal(process, process->termed ? SIGKILL : SIGTERM);
	if (process->termed)
		return;
	process->termed = true;
	loop_timer_set(
	    process->timer, usec_add(loop_now(), process->kill_usec));
}

static void
on_loop_free(void *ctx)
{
	struct process *process = ctx;

	process_signal(process, SIGTERM);
	process_free(process);
}

void
process_end(struct process **process_ptr, usec_t term_usec, usec_t kill_usec)
{
	struct process *process = *process_ptr;

	if (process == NULL)
		return;
	*process_ptr = NULL;
	if (process->gate >= 0) {
		process_free(process);
		return;
	}
	process->fn = NULL;
	process->kill_usec = kill_usec;
	process->at_free = loop_at_free(process->loop, on_loop_free, process);
	process->timer = loop_timer_new(process->loop, on_end_timer, process);
	loop_timer_set(process->timer, usec_add(loop_now(), term_usec));
}

void
process_forget(struct process **process)
{
	if (*process != NULL)
		process_free(*process);
	*process = NULL;
}
