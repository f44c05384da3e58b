#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/buf.h"
#include "daemon/base/random.h"
#include "daemon/base/xalloc.h"
#include "daemon/loop/child.h"
#include "tests/lib/looprun.h"

struct seen {
	struct loop *loop;
	struct child *child;
	bool started, timed_out, cancel_inside;
	int status;
	struct buf output, errors, text;
	struct error error;
};

static void
on_result(void *ctx, const struct child_result *result)
{
	struct seen *seen = ctx;

	seen->started = result->started;
	seen->timed_out = result->timed_out;
	seen->status = result->status;
	buf_add_span(&seen->output, result->output);
	buf_add_span(&seen->errors, result->errors);
	child_describe(result, &seen->text);
	seen->error = result->error;
	if (seen->cancel_inside)
		child_cancel(&seen->child);
	loop_quit(seen->loop);
}

static void
seen_done(struct seen *seen)
{
	buf_done(&seen->output);
	buf_done(&seen->errors);
	buf_done(&seen->text);
}

/* Runs argv (NULL-terminated) to its end. */
static struct seen
run(const char *const *argv, const struct strv *environment, struct span input,
    usec_t limit)
{
	struct looprun loop_run_state;
	struct seen seen = {.loop = looprun_init(&loop_run_state)};
	STRV_AUTO args = STRV_INIT;
	struct child_config config = {&args, environment, input, limit, true};

	for (; *argv != NULL; argv++)
		strv_add(&args, *argv);
	seen.cancel_inside = true;
	seen.child = child_run(seen.loop, &config, on_result, &seen);
	loop_run(seen.loop);
	looprun_done(&loop_run_state);
	return seen;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})
#define SH(script) ARGV("sh", "-c", script)

/* Shell text arrives as data, byte for byte, one argument each. */
static void
test_argv(void **state)
{
	struct seen seen =
	    run(ARGV("printf", "[%s]", "$(touch /tmp/x)", "`id`", "; rm", "-rf",
		    "a\nb", "() { :;}; id", "", "*"),
		NULL, SPAN_EMPTY, USEC_NEVER);

	(void)state;
	assert_true(seen.started);
	assert_int_equal(seen.status, 0);
	assert_string_equal(buf_str(&seen.output),
	    "[$(touch /tmp/x)][`id`][; rm][-rf][a\nb][() { :;}; id][][*]");
	seen_done(&seen);
}

static void
test_environment(void **state)
{
	STRV_AUTO environment = STRV_INIT;
	BUF_AUTO big = BUF_INIT;
	struct seen seen;

	(void)state;
	setenv("CANARY_SECRET", "sing", 1);
	setenv("HOME", "/tmp", 1);
	strv_add(&environment, "BELFRY_SUBJECT=() { :;}; touch /tmp/x");
	strv_add(&environment, "HOME=/elsewhere");
	buf_addf(&big, "BELFRY_BIG=%1000000d", 1);
	strv_add(&environment, buf_str(&big));
	seen = run(SH("env; pwd"), &environment, SPAN_EMPTY, USEC_NEVER);
	assert_int_equal(seen.status, 0);
	assert_null(strstr(buf_str(&seen.output), "CANARY"));
	assert_non_null(strstr(
	    buf_str(&seen.output), "BELFRY_SUBJECT= () { :;}; touch /tmp/x\n"));
	assert_non_null(strstr(buf_str(&seen.output), "HOME=/elsewhere\n"));
	assert_null(strstr(buf_str(&seen.output), "HOME=/tmp\n"));
	assert_non_null(strstr(buf_str(&seen.output), "BELFRY_TRUNCATED=1\n"));
	assert_non_null(strstr(buf_str(&seen.output), "PATH=/"));
	assert_true(seen.output.len < 3 * SPAWN_ENV_VALUE_MAX);
	assert_true(span_ends_nocase(buf_span(&seen.output), "\n/tmp\n"));
	seen_done(&seen);
}

static void
add_hostile(struct random *random, struct buf *out)
{
	static const char *const pieces[] = {"\n", "=", "() { :;}; id", "$(id)",
	    "`id`", "\nBELFRY_RULE=other", "\nLD_PRELOAD=/tmp/x.so", "\xff",
	    "'", "\"", "\\", "\x1b[31m", "a", "\xc3\xa4", "PATH=/tmp", " ",
	    ";"};

	for (uint64_t n = random_below(random, 8); n > 0; n--)
		buf_add_str(out, pieces[random_below(random, COUNT(pieces))]);
}

/* Of the values of NUL-separated assignments: those that are ours. */
static void
check_assignments(struct span all, const struct strv *given)
{
	size_t found = 0;
	struct span one;

	while (span_split(&all, '\0', &one)) {
		bool is_given = false;
		for (size_t i = 0; i < given->len; i++)
			is_given = is_given || span_is(one, given->items[i]);
		found += is_given;
		if (!is_given &&
		    (span_starts(one, "BELFRY_") || span_starts(one, "LD_") ||
			span_starts(one, "CANARY") ||
			span_starts(one, "BASH_ENV") ||
			span_find(one, '\n') != SIZE_MAX))
			fail_msg("leaked: %.*s", SPAN_FMT(one));
	}
	assert_int_equal(found, given->len);
}

/* Whatever mail says, a command gets exactly what it is given: each value
 * whole, nothing that a value pretends to be, and nothing of ours. */
static void
test_environment_of_anything(void **state)
{
	static const char *const names[] = {"ACCOUNT", "MAILBOX", "UID", "RULE",
	    "FROM", "SUBJECT", "MESSAGE_ID"};
	struct random random;

	(void)state;
	random_init(&random, 1);
	setenv("CANARY_SECRET", "sing", 1);
	setenv("BELFRY_SUBJECT", "of another", 1);
	setenv("BELFRY_STALE", "of another", 1);
	setenv("BASH_ENV", "/tmp/x", 1);
	setenv("LD_LIBRARY_PATH", "/tmp/x", 1);
	for (unsigned n = 0; n < 60; n++) {
		STRV_AUTO given = STRV_INIT, wanted = STRV_INIT;
		for (size_t i = 0; i < COUNT(names); i++) {
			BUF_AUTO value = BUF_INIT;
			add_hostile(&random, &value);
			strv_take(&given, xasprintf("BELFRY_%s=%s", names[i],
					      buf_str(&value)));
			strv_take(&wanted,
			    xasprintf("BELFRY_%s=%s%s", names[i],
				span_starts(buf_span(&value), "() {") ? " "
								      : "",
				buf_str(&value)));
		}
		struct seen seen =
		    run(ARGV("env", "-0"), &given, SPAN_EMPTY, USEC_NEVER);
		assert_int_equal(seen.status, 0);
		check_assignments(buf_span(&seen.output), &wanted);
		seen_done(&seen);
	}
	unsetenv("BELFRY_SUBJECT");
	unsetenv("BELFRY_STALE");
	unsetenv("BASH_ENV");
	unsetenv("LD_LIBRARY_PATH");
}

/* Only 0, 1, 2; default signals; umask 077; its own session. Signals 32 and 33
 * are libc's own, which lets nobody change them. */
static void
test_inherits_nothing(void **state)
{
	static const char script[] =
	    /* No pipe here: the shell itself would hold its ends. */
	    "ls /proc/$$/fd; umask; "
	    "set -- $(grep -E 'SigIgn|SigBlk' /proc/$$/status); "
	    "echo $1 $((0x$2)) $3 $((0x$4 & ~0x180000000)); "
	    "test $(cut -d' ' -f6 /proc/$$/stat) = $$ && "
	    "echo own session";
	int leaked = open("/dev/null", O_RDONLY); /* no O_CLOEXEC */
	struct seen seen;

	(void)state;
	signal(SIGUSR2, SIG_IGN);
	seen = run(SH(script), NULL, SPAN_EMPTY, USEC_NEVER);
	close(leaked);
	assert_string_equal(buf_str(&seen.output),
	    "0\n1\n2\n0077\nSigBlk: 0 SigIgn: 0\nown session\n");
	seen_done(&seen);
	signal(SIGUSR2, SIG_DFL);
}

static void
test_input(void **state)
{
	BUF_AUTO input = BUF_INIT;
	struct seen seen;

	(void)state;
	for (int i = 0; i < 300000; i++)
		buf_add_char(&input, 'x');
	seen = run(ARGV("wc", "-c"), NULL, buf_span(&input), USEC_NEVER);
	assert_string_equal(buf_str(&seen.output), "300000\n");
	seen_done(&seen);
	/* One that does not read is no error. */
	seen = run(ARGV("true"), NULL, buf_span(&input), USEC_NEVER);
	assert_int_equal(seen.status, 0);
	seen_done(&seen);
}

static void
test_output_cap(void **state)
{
	struct seen seen = run(SH("yes | head -c 1000000; echo oops >&2"), NULL,
	    SPAN_EMPTY, USEC_NEVER);

	(void)state;
	assert_int_equal(seen.status, 0);
	assert_int_equal(seen.output.len, CHILD_OUTPUT_MAX);
	assert_string_equal(buf_str(&seen.errors), "oops\n");
	seen_done(&seen);
}

static const struct {
	const char *name;
	const char *script;
	int status;
	const char *text;
} end_cases[] = {
    {"code", "exit 3", 3, "exit code 3"},
    {"signal", "kill -9 $$", 128 + SIGKILL, "killed by signal 9"},
    {"SIGPIPE is not ignored", "kill -PIPE $$; exit 0", 128 + SIGPIPE,
	"signal 13"},
    {"background holds the pipes", "sleep 3 & exit 0", 0, "exit code 0"},
};

static void
test_ends(void **state)
{
	bool ok = true;

	(void)state;
	for (size_t i = 0; i < sizeof(end_cases) / sizeof(end_cases[0]); i++) {
		struct seen seen =
		    run(SH(end_cases[i].script), NULL, SPAN_EMPTY, USEC_NEVER);

		if (seen.status != end_cases[i].status ||
		    strstr(buf_str(&seen.text), end_cases[i].text) == NULL) {
			print_error("%s: %d \"%s\"\n", end_cases[i].name,
			    seen.status, buf_str(&seen.text));
			ok = false;
		}
		seen_done(&seen);
	}
	assert_true(ok);
}

/* The time limit takes the whole group along. */
static void
test_limit(void **state)
{
	struct seen seen = run(
	    SH("sleep 30 & echo $!; wait"), NULL, SPAN_EMPTY, 50 * USEC_MSEC);
	pid_t grandchild = (pid_t)atol(buf_str(&seen.output));

	(void)state;
	assert_true(seen.timed_out);
	assert_int_equal(seen.status, 128 + SIGTERM);
	assert_true(grandchild > 0);
	/* Gone, or a zombie of init's that waits to be collected. */
	for (int i = 0; kill(grandchild, 0) == 0 && i < 1000; i++) {
		BUF_AUTO path = BUF_INIT;
		char line[256] = "";
		FILE *file;

		buf_addf(&path, "/proc/%d/stat", (int)grandchild);
		file = fopen(buf_str(&path), "r");
		if (file == NULL || fgets(line, sizeof(line), file) == NULL ||
		    strstr(line, ") Z ") != NULL)
			i = 1000;
		if (file != NULL)
			fclose(file);
		usleep(1000);
		assert_int_not_equal(i, 999);
	}
	seen_done(&seen);
}

/* One that ignores TERM gets KILL. */
static void
test_limit_kill(void **state)
{
	struct seen seen = run(SH("trap '' TERM; while :; do sleep 1; done"),
	    NULL, SPAN_EMPTY, 50 * USEC_MSEC);

	(void)state;
	assert_true(seen.timed_out);
	assert_int_equal(seen.status, 128 + SIGKILL);
	seen_done(&seen);
}

static void
test_cannot_start(void **state)
{
	static char huge[200 * 1024];
	static const struct {
		const char *command, *error;
		enum fault fault;
	} cases[] = {
	    {"belfry-no-such-command",
		"command \"belfry-no-such-command\" was not found in PATH",
		FAULT_CONFIG},
	    {"/does/not/exist", "\"/does/not/exist\": No such file",
		FAULT_CONFIG},
	    {"/etc/passwd", "\"/etc/passwd\": Permission denied", FAULT_CONFIG},
	    {"", "not found", FAULT_CONFIG},
	    {huge, "an argument has", FAULT_LIMIT},
	};

	(void)state;
	memset(huge, 'x', sizeof(huge) - 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct seen seen =
		    run(ARGV(cases[i].command), NULL, SPAN_EMPTY, USEC_NEVER);

		if (seen.started || seen.error.fault != cases[i].fault ||
		    strstr(seen.error.text, cases[i].error) == NULL)
			fail_msg("%s: %s", cases[i].command, seen.error.text);
		seen_done(&seen);
	}
}

/* "." and empty parts of PATH are not looked at. */
static void
test_relative_path(void **state)
{
	char dir[] = "/tmp/belfry-test-path-XXXXXX";
	STR_AUTO before = strdup(getenv("PATH"));
	struct seen seen;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	fd = open("belfry-trap", O_CREAT | O_WRONLY, 0700);
	assert_int_equal(write(fd, "#!/bin/sh\n", 10), 10);
	close(fd);
	setenv("PATH", ".::/nonexistent", 1);
	seen = run(ARGV("belfry-trap"), NULL, SPAN_EMPTY, USEC_NEVER);
	setenv("PATH", before, 1);
	assert_false(seen.started);
	seen_done(&seen);
	unlink("belfry-trap");
	assert_int_equal(chdir("/"), 0);
	rmdir(dir);
}

static void
on_never(void *ctx, const struct child_result *result)
{
	(void)ctx;
	(void)result;
	fail_msg("called after cancel");
}

static void
on_quit(void *ctx)
{
	loop_quit(ctx);
}

static void
test_cancel(void **state)
{
	struct looprun looprun;
	struct loop *loop = looprun_init(&looprun);
	struct loop_timer *timer = loop_timer_new(loop, on_quit, loop);
	STRV_AUTO args = STRV_INIT;
	struct child_config config = {.argv = &args, .limit = USEC_NEVER};
	struct child *child;

	(void)state;
	strv_add(&args, "sleep");
	strv_add(&args, "30");
	child = child_run(loop, &config, on_never, NULL);
	child_cancel(&child);
	assert_null(child);
	child_cancel(&child);
	loop_timer_set(timer, loop_now() + 50 * USEC_MSEC);
	loop_run(loop);
	/* One more, which is still there when the loop goes. */
	child = child_run(loop, &config, on_never, NULL);
	child_cancel(&child);
	loop_timer_free(&timer);
	looprun_done(&looprun);
}

/* Helpers. */

struct talk {
	struct loop *loop;
	struct helper *helper;
	struct buf lines;
	int status;
	bool ended, stop_in_line;
};

static void
on_line(void *ctx, struct span line)
{
	struct talk *talk = ctx;

	buf_addf(&talk->lines, "[%.*s]", SPAN_FMT(line));
	if (span_is(line, "again"))
		assert_true(helper_send(talk->helper, SPAN("bye\n")));
	if (talk->stop_in_line) {
		helper_stop(&talk->helper);
		loop_quit(talk->loop);
	}
}

static void
on_end(void *ctx, int status)
{
	struct talk *talk = ctx;

	talk->ended = true;
	talk->status = status;
	talk->helper = NULL;
	loop_quit(talk->loop);
}

static struct talk
talk_to(const char *script, struct span words, bool stop_in_line)
{
	struct looprun looprun;
	struct talk talk = {
	    .loop = looprun_init(&looprun), .stop_in_line = stop_in_line};
	STRV_AUTO args = STRV_INIT;
	struct error error = ERROR_INIT;

	strv_add(&args, "sh");
	strv_add(&args, "-c");
	strv_add(&args, script);
	talk.helper =
	    helper_start(talk.loop, &args, 20, on_line, on_end, &talk, &error);
	assert_non_null(talk.helper);
	assert_true(helper_send(talk.helper, words));
	loop_run(talk.loop);
	helper_stop(&talk.helper);
	looprun_done(&looprun);
	return talk;
}

static const struct {
	const char *name, *script;
	const char *lines;
	int status;
} helper_cases[] = {
    {"lines", "while read a; do echo \"$a\"; test $a = bye && exit 4; done",
	"[one][again][bye]", 4},
    {"last words", "read a; echo \"$a\"; exit 0", "[one]", 0},
    {"no line end", "printf abc; exit 0", "", 0},
    {"empty lines", "echo; echo; exit 1", "[][]", 1},
    {"line too long", "echo ok; echo 123456789012345678901; sleep 30", "[ok]",
	128 + SIGKILL},
    {"line without end", "printf 123456789012345678901; sleep 30", "",
	128 + SIGKILL},
    {"longest line", "echo 12345678901234567890; exit 0",
	"[12345678901234567890]", 0},
    {"dumb", "exec >&-; sleep 30", "", 128 + SIGKILL},
    {"crash", "kill -SEGV $$", "", 128 + SIGSEGV},
};

static void
test_helper(void **state)
{
	bool ok = true;

	(void)state;
	for (size_t i = 0; i < sizeof(helper_cases) / sizeof(helper_cases[0]);
	     i++) {
		struct talk talk = talk_to(
		    helper_cases[i].script, SPAN("one\nagain\n"), false);

		if (!talk.ended || talk.status != helper_cases[i].status ||
		    strcmp(buf_str(&talk.lines), helper_cases[i].lines) != 0) {
			print_error("%s: %d \"%s\"\n", helper_cases[i].name,
			    talk.status, buf_str(&talk.lines));
			ok = false;
		}
		buf_done(&talk.lines);
	}
	assert_true(ok);
}

static void
test_helper_stop(void **state)
{
	struct talk talk = talk_to("echo a; echo b; cat", SPAN("one\n"), true);

	(void)state;
	assert_false(talk.ended);
	assert_string_equal(buf_str(&talk.lines), "[a]");
	buf_done(&talk.lines);
}

static void
test_helper_queue(void **state)
{
	struct looprun looprun;
	struct talk talk = {.loop = looprun_init(&looprun)};
	struct error error = ERROR_INIT;
	STRV_AUTO args = STRV_INIT;
	unsigned taken = 0;

	(void)state;
	strv_add(&args, "belfry-no-such-helper");
	assert_null(
	    helper_start(talk.loop, &args, 20, on_line, on_end, &talk, &error));
	assert_int_equal(error.fault, FAULT_CONFIG);
	free(args.items[0]);
	args.items[0] = strdup("cat");
	talk.helper =
	    helper_start(talk.loop, &args, 20, on_line, on_end, &talk, &error);
	while (helper_send(talk.helper, SPAN("0123456789abcde\n")))
		taken++;
	assert_int_equal(taken, HELPER_QUEUE_MAX / 16);
	helper_stop(&talk.helper);
	looprun_done(&looprun);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_argv),
	    cmocka_unit_test(test_environment),
	    cmocka_unit_test(test_environment_of_anything),
	    cmocka_unit_test(test_inherits_nothing),
	    cmocka_unit_test(test_input),
	    cmocka_unit_test(test_output_cap),
	    cmocka_unit_test(test_ends),
	    cmocka_unit_test(test_limit),
	    cmocka_unit_test(test_limit_kill),
	    cmocka_unit_test(test_cannot_start),
	    cmocka_unit_test(test_relative_path),
	    cmocka_unit_test(test_cancel),
	    cmocka_unit_test(test_helper),
	    cmocka_unit_test(test_helper_stop),
	    cmocka_unit_test(test_helper_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
