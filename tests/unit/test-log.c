#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/buf.h"
#include "daemon/base/xalloc.h"
#include "daemon/loop/log.h"
#include "daemon/loop/sd_notify.h"

static void
on_line(void *ctx, enum log_level level, const char *line)
{
	struct buf *buf = ctx;

	buf_addf(buf, "%d:%s", level, line);
}

static const struct {
	const char *name, *value, *line;
} value_cases[] = {
    {"plain", "work", "1:info done key=work"},
    {"blank", "a b", "1:info done key=\"a b\""},
    {"quote", "a\"b", "1:info done key=\"a\\\"b\""},
    {"backslash", "a\\b", "1:info done key=\"a\\\\b\""},
    {"equals", "a=b", "1:info done key=\"a=b\""},
    {"forged line", "a\nerror evil", "1:info done key=\"a error evil\""},
    {"terminal", "\x1b[31mred", "1:info done key=[31mred"},
    {"not UTF-8", "\xff", "1:info done key=\xef\xbf\xbd"},
    {"empty", "", "1:info done"},
    {"none", NULL, "1:info done"},
};

static void
test_values(void **state)
{
	bool ok = true;

	(void)state;
	for (size_t i = 0; i < sizeof(value_cases) / sizeof(value_cases[0]);
	     i++) {
		BUF_AUTO buf = BUF_INIT;

		log_capture(on_line, &buf);
		log_event(
		    LOG_LEVEL_INFO, "done", "key", value_cases[i].value, NULL);
		log_capture(NULL, NULL);
		if (strcmp(buf_str(&buf), value_cases[i].line) != 0) {
			print_error(
			    "%s: %s\n", value_cases[i].name, buf_str(&buf));
			ok = false;
		}
	}
	assert_true(ok);
}

static void
test_levels(void **state)
{
	enum log_level level = LOG_LEVEL_ERROR;
	BUF_AUTO buf = BUF_INIT;

	(void)state;
	assert_false(log_level_parse(SPAN("loud"), &level));
	assert_int_equal(level, LOG_LEVEL_ERROR);
	for (unsigned i = 0; i < LOG_LEVEL_COUNT; i++) {
		assert_true(log_level_parse(
		    span_from_str(log_level_name((enum log_level)i)), &level));
		assert_int_equal(level, i);
	}
	log_capture(on_line, &buf);
	log_event(LOG_LEVEL_DEBUG, "hidden", NULL);
	log_set_level(LOG_LEVEL_ERROR);
	log_event(LOG_LEVEL_WARNING, "hidden", NULL);
	log_event(
	    LOG_LEVEL_ERROR, "shown", "a", "1", "b", NULL, "c", "3", NULL);
	log_set_level(LOG_LEVEL_INFO);
	log_capture(NULL, NULL);
	assert_string_equal(buf_str(&buf), "4:error shown a=1 c=3");
}

/* What goes to standard error, with the journal behind it or not. */
static void
logged_line(char *line, size_t size, bool journal)
{
	int before = dup(STDERR_FILENO);
	struct stat info;
	STR_AUTO stream = NULL;
	int fds[2];
	ssize_t len;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fstat(fds[1], &info), 0);
	stream = xasprintf("%llu:%llu", (unsigned long long)info.st_dev,
	    (unsigned long long)info.st_ino + (journal ? 0 : 1));
	setenv("JOURNAL_STREAM", stream, 1);
	dup2(fds[1], STDERR_FILENO);
	log_event(LOG_LEVEL_WARNING, "slow", "account", "work", NULL);
	dup2(before, STDERR_FILENO);
	close(before);
	close(fds[1]);
	len = read(fds[0], line, size - 1);
	line[len > 0 ? len : 0] = '\0';
	close(fds[0]);
	unsetenv("JOURNAL_STREAM");
}

static void
test_stderr(void **state)
{
	char line[200];

	(void)state;
	logged_line(line, sizeof(line), true);
	assert_string_equal(line, "<4>warning slow account=work\n");
	logged_line(line, sizeof(line), false);
	assert_int_equal(line[10], 'T');
	assert_string_equal(line + 20, " warning slow account=work\n");
}

static void
check_datagram(int fd, const char *text)
{
	char data[300] = "";
	ssize_t len = recv(fd, data, sizeof(data) - 1, MSG_DONTWAIT);

	assert_int_equal(len, strlen(text));
	assert_string_equal(data, text);
}

static void
test_sd_notify(void **state)
{
	char dir[] = "/tmp/belfry-test-notify-XXXXXX";
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char data[300] = "";

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/n", dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	setenv("NOTIFY_SOCKET", un.sun_path, 1);
	sd_notify_ready();
	check_datagram(fd, "READY=1");
	sd_notify_status("%d live\nREADY=0", 3);
	check_datagram(fd, "STATUS=3 live READY=0");
	sd_notify_stopping();
	check_datagram(fd, "STOPPING=1");
	sd_notify_watchdog();
	check_datagram(fd, "WATCHDOG=1");
	sd_notify_reloading();
	assert_true(recv(fd, data, sizeof(data) - 1, MSG_DONTWAIT) > 0);
	assert_true(
	    span_starts(span_from_str(data), "RELOADING=1\nMONOTONIC_USEC="));
	unsetenv("NOTIFY_SOCKET");
	sd_notify_ready();
	assert_true(recv(fd, data, sizeof(data), MSG_DONTWAIT) < 0);
	close(fd);
	unlink(un.sun_path);
	rmdir(dir);
}

static void
test_watchdog(void **state)
{
	STR_AUTO pid = xasprintf("%d", (int)getpid());

	(void)state;
	assert_true(sd_notify_watchdog_interval() == USEC_NEVER);
	setenv("WATCHDOG_USEC", "30000000", 1);
	assert_true(sd_notify_watchdog_interval() == 15 * USEC_SEC);
	setenv("WATCHDOG_PID", pid, 1);
	assert_true(sd_notify_watchdog_interval() == 15 * USEC_SEC);
	setenv("WATCHDOG_PID", "1", 1);
	assert_true(sd_notify_watchdog_interval() == USEC_NEVER);
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_levels),
	    cmocka_unit_test(test_stderr),
	    cmocka_unit_test(test_sd_notify),
	    cmocka_unit_test(test_watchdog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
