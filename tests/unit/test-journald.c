/* test-journald: entries for the journal, as a socket gets them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/loop/journald.h"

static char folder[] = "/tmp/belfry-journald-XXXXXX";
static char path[sizeof(folder) + 8];
static int fd;

static int
listen_there(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/socket", folder);
	memcpy(address.sun_path, path, sizeof(path));
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	return bind(fd, (struct sockaddr *)&address, sizeof(address));
}

static int
clean(void **state)
{
	(void)state;
	close(fd);
	unlink(path);
	return rmdir(folder);
}

static void
test_fields(void **state)
{
	static const struct journald_field fields[] = {
	    {"MESSAGE", "Ann: Lunch?"},
	    {"EMPTY", ""},
	    {"NOTHING", NULL},
	    {"BELFRY_TEXT", "one\ntwo=2"},
	    {"PRIORITY", "5"},
	};
	static const char entry[] = "MESSAGE=Ann: Lunch?\n"
				    "BELFRY_TEXT\n"
				    "\x09\0\0\0\0\0\0\0one\ntwo=2\n"
				    "PRIORITY=5\n";
	struct error error = ERROR_INIT;
	char got[200];

	(void)state;
	assert_true(journald_send(path, fields, 5, &error));
	assert_int_equal(recv(fd, got, sizeof(got), 0), sizeof(entry) - 1);
	assert_memory_equal(got, entry, sizeof(entry) - 1);
}

static void
test_syslog(void **state)
{
	struct error error = ERROR_INIT;
	char got[200] = "";

	(void)state;
	assert_true(syslog_send(path, 13, "Ann: Lunch?", &error));
	assert_true(recv(fd, got, sizeof(got) - 1, 0) > 0);
	assert_string_equal(got, "<13>belfry: Ann: Lunch?");
}

/* Nobody reads: it is refused, and nothing waits. */
static void
test_full(void **state)
{
	struct error error = ERROR_INIT;
	char got[200];
	unsigned sent = 0;

	(void)state;
	while (sent < 100000 && syslog_send(path, 13, "more", &error))
		sent++;
	assert_in_range(sent, 1, 99999);
	assert_int_equal(error.fault, FAULT_RETRY);
	while (recv(fd, got, sizeof(got), MSG_DONTWAIT) > 0)
		sent--;
	assert_int_equal(sent, 0);
}

static void
test_not_there(void **state)
{
	struct error error = ERROR_INIT;
	char longer[300];

	(void)state;
	assert_false(syslog_send("/nonexistent/log", 13, "x", &error));
	assert_non_null(strstr(error.text, "/nonexistent/log"));
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_false(journald_send(longer, NULL, 0, &error));
	assert_int_equal(error.fault, FAULT_CONFIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fields),
	    cmocka_unit_test(test_syslog),
	    cmocka_unit_test(test_full),
	    cmocka_unit_test(test_not_there),
	};

	return cmocka_run_group_tests(tests, listen_there, clean);
}
