/* What child.h says of a command that is made ready before it may begin. */
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/buf.h"
#include "daemon/base/xalloc.h"
#include "daemon/loop/child.h"
#include "tests/lib/looprun.h"

#define SHORT_USEC (2 * USEC_MSEC)
#define SETTLE_USEC (200 * USEC_MSEC)

static char *mark; /* a file that the command makes */

struct held {
	struct looprun looprun;
	struct loop *loop;
	struct loop_timer *timer;
	struct strv args;
	struct child *child;
	unsigned ends;
	bool started;
	int status;
	struct buf output;
};

static void
on_quit(void *ctx)
{
	loop_quit(ctx);
}

static void
on_result(void *ctx, const struct child_result *result)
{
	struct held *held = ctx;

	held->ends++;
	held->started = result->started;
	held->status = result->status;
	buf_add_span(&held->output, result->output);
	held->child = NULL;
	loop_quit(held->loop);
}

static void
run_for(struct held *held, usec_t time)
{
	loop_timer_set(held->timer, usec_add(loop_now(), time));
	loop_run(held->loop);
}

static void
held_init(struct held *held, const char *command, const char *input)
{
	struct child_config config = {.argv = &held->args,
	    .input = span_from_str(input),
	    .limit = USEC_NEVER};

	*held = (struct held){.args = STRV_INIT};
	held->loop = looprun_init(&held->looprun);
	held->timer = loop_timer_new(held->loop, on_quit, held->loop);
	strv_add(&held->args, command);
	strv_add(&held->args, "-c");
	strv_take(&held->args, xasprintf("touch %s; cat", mark));
	unlink(mark);
	held->child = child_prepare(held->loop, &config, on_result, held);
}

static void
held_done(struct held *held)
{
	loop_timer_free(&held->timer);
	looprun_done(&held->looprun);
	strv_done(&held->args);
	buf_done(&held->output);
}

static bool
is_marked(void)
{
	struct stat info;

	return stat(mark, &info) == 0;
}

static bool
has_children(void)
{
	return waitpid(-1, NULL, WNOHANG) == 0;
}

/* Until it waits at its gate, by what the system says. */
static void
await_child(struct held *held)
{
	while (!child_is_ready(held->child) || !has_children())
		run_for(held, SHORT_USEC);
	run_for(held, SETTLE_USEC);
}

static void
test_begins(void **state)
{
	struct held held;

	(void)state;
	held_init(&held, "sh", "a message");
	await_child(&held);
	assert_true(child_is_ready(held.child));
	assert_false(is_marked());
	child_begin(held.child);
	assert_false(child_is_ready(held.child));
	loop_run(held.loop);
	assert_int_equal(held.ends, 1);
	assert_true(held.started);
	assert_int_equal(held.status, 0);
	assert_string_equal(buf_str(&held.output), "a message");
	assert_true(is_marked());
	assert_false(has_children());
	held_done(&held);
}

/* Whatever the thread has done of it so far. */
static void
test_begins_at_once(void **state)
{
	struct held held;

	(void)state;
	held_init(&held, "sh", "");
	while (!child_is_ready(held.child))
		run_for(&held, 0);
	child_begin(held.child);
	loop_run(held.loop);
	assert_int_equal(held.ends, 1);
	assert_int_equal(held.status, 0);
	assert_true(is_marked());
	held_done(&held);
}

static void
test_cancel(void **state)
{
	struct held held;

	(void)state;
	held_init(&held, "sh", "");
	await_child(&held);
	child_cancel(&held.child);
	assert_null(held.child);
	while (has_children())
		run_for(&held, SHORT_USEC);
	run_for(&held, SETTLE_USEC);
	assert_false(is_marked());
	assert_int_equal(held.ends, 0);
	held_done(&held);
}

/* It was begun, and nobody wants it before its number is known: it is ended. */
static void
test_cancel_after_begin(void **state)
{
	struct held held;

	(void)state;
	held_init(&held, "sleep", "");
	strv_done(&held.args);
	child_cancel(&held.child);
	strv_add(&held.args, "sleep");
	strv_add(&held.args, "100");
	struct child_config config = {.argv = &held.args, .limit = USEC_NEVER};
	held.child = child_prepare(held.loop, &config, on_result, &held);
	await_child(&held);
	child_begin(held.child);
	child_cancel(&held.child);
	while (has_children())
		run_for(&held, SHORT_USEC);
	assert_int_equal(held.ends, 0);
	held_done(&held);
}

/* Its number, which nobody is told. */
static pid_t
find_child(void)
{
	char text[64] = "";
	glob_t found;

	assert_int_equal(
	    glob("/proc/self/task/*/children", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc && text[0] == '\0'; i++) {
		FILE *file = fopen(found.gl_pathv[i], "r");
		if (file == NULL)
			continue; /* the thread has ended */
		if (fgets(text, sizeof(text), file) == NULL)
			text[0] = '\0';
		fclose(file);
	}
	globfree(&found);
	return (pid_t)strtol(text, NULL, 10);
}

static void
test_is_killed(void **state)
{
	struct held held;
	pid_t pid;

	(void)state;
	held_init(&held, "sh", "");
	await_child(&held);
	pid = find_child();
	if (pid == 0) { /* a system that does not tell */
		child_cancel(&held.child);
		held_done(&held);
		skip();
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	run_for(&held, SETTLE_USEC);
	assert_false(child_is_ready(held.child));
	child_cancel(&held.child);
	assert_false(is_marked());
	assert_int_equal(held.ends, 0);
	held_done(&held);
}

static void
test_not_found(void **state)
{
	struct held held;

	(void)state;
	held_init(&held, "no-such-command", "");
	run_for(&held, SETTLE_USEC);
	assert_false(child_is_ready(held.child));
	assert_int_equal(held.ends, 0);
	child_cancel(&held.child);
	held_done(&held);
}

/* More than there are threads for: those that wait are not ready. */
static void
test_many(void **state)
{
	struct held held;
	struct child *more[SPAWN_HELD_MAX];
	unsigned ready = 0;

	(void)state;
	held_init(&held, "sh", "");
	struct child_config config = {.argv = &held.args, .limit = USEC_NEVER};
	for (unsigned i = 0; i < SPAWN_HELD_MAX; i++)
		more[i] = child_prepare(held.loop, &config, on_result, &held);
	run_for(&held, SETTLE_USEC);
	for (unsigned i = 0; i < SPAWN_HELD_MAX; i++)
		ready += child_is_ready(more[i]);
	assert_int_equal(ready + child_is_ready(held.child), SPAWN_HELD_MAX);
	for (unsigned i = 0; i < SPAWN_HELD_MAX; i++)
		child_cancel(&more[i]);
	child_cancel(&held.child);
	while (has_children())
		run_for(&held, SHORT_USEC);
	assert_false(is_marked());
	held_done(&held);
}

/* The daemon is killed while its command waits: it never begins. */
static void
test_our_death(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	unlink(mark);
	pid = fork();
	if (pid == 0) {
		struct held held;
		held_init(&held, "sh", "");
		await_child(&held);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	usleep(2 * SETTLE_USEC);
	assert_false(is_marked());
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_begins),
	    cmocka_unit_test(test_begins_at_once),
	    cmocka_unit_test(test_cancel),
	    cmocka_unit_test(test_cancel_after_begin),
	    cmocka_unit_test(test_is_killed),
	    cmocka_unit_test(test_not_found),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_our_death),
	};
	int failed;

	mark = xasprintf("/tmp/belfry-held-%d", (int)getpid());
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(mark);
	free(mark);
	return failed;
}
