#include "daemon/loop/process.h"

#include <signal.h>
#include <sys/wait.h>

#include "daemon/base/xalloc.h"

struct process {
	struct loop *loop;
	pid_t pid;	/* also its process group */
	process_fn *fn; /* NULL: nobody asks any more */
	void *ctx;
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

	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
	    info.si_pid == 0)
		return;
	if (process->fn != NULL)
		process->fn(process->ctx, exit_status(&info));
	else
		kill(-pid, SIGKILL); /* what it left behind goes too */
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG);
	process_free(process);
}

struct process *
process_start(struct loop *loop, const struct spawn *spawn, process_fn *fn,
    void *ctx, struct error *error_r)
{
	struct process *process = NEW(struct process);

	process->loop = loop;
	process->fn = fn;
	process->ctx = ctx;
	/* Before the start, or a quick end would go unseen. */
	process->child_signal =
	    loop_signal_new(loop, SIGCHLD, on_child_signal, process);
	if (!spawn_start(spawn, &process->pid, error_r)) {
		process_free(process);
		return NULL;
	}
	return process;
}

void
process_signal(const struct process *process, int signal_number)
{
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
	process->fn = NULL;
	process->kill_usec = kill_usec;
	process->at_free = loop_at_free(process->loop, on_loop_free, process);
	process->timer = loop_timer_new(process->loop, on_end_timer, process);
	loop_timer_set(process->timer, usec_add(loop_now(), term_usec));
}
