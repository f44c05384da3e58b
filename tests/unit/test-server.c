#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/xalloc.h"
#include "daemon/loop/server.h"
#include "tests/lib/looprun.h"

static char root[] = "/tmp/belfry-test-server-XXXXXX";
static char *dir, *path;

struct clients {
	struct loop *loop;
	int fds[SERVER_CLIENTS_MAX + 8];
	unsigned count, wanted;
};

static void
on_client(void *ctx, int fd)
{
	struct clients *clients = ctx;

	clients->fds[clients->count++] = fd;
	if (clients->count == clients->wanted)
		loop_quit(clients->loop);
}

static int
connect_to(const char *where)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strncpy(un.sun_path, where, sizeof(un.sun_path) - 1);
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0)
		return fd;
	close(fd);
	return -1;
}

static mode_t
mode_of(const char *where)
{
	struct stat info;

	assert_int_equal(lstat(where, &info), 0);
	return info.st_mode & 07777;
}

static void
test_serves(void **state)
{
	struct looprun run;
	struct clients clients = {.loop = looprun_init(&run), .wanted = 1};
	struct error error = ERROR_INIT;
	struct server *server =
	    server_new(clients.loop, path, on_client, &clients, &error);
	int fd;

	(void)state;
	if (server == NULL)
		fail_msg("%s", error.text);
	assert_int_equal(mode_of(path), 0600);
	assert_int_equal(mode_of(dir), 0700);
	fd = connect_to(path);
	assert_true(fd >= 0);
	loop_run(clients.loop);
	assert_true(fcntl(clients.fds[0], F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(clients.fds[0], F_GETFD) & FD_CLOEXEC);
	close(clients.fds[0]);
	close(fd);
	server_free(&server);
	assert_int_equal(access(path, F_OK), -1);
	looprun_done(&run);
}

static void
on_closed(void *ctx, unsigned ready)
{
	(void)ready;
	loop_quit(ctx);
}

/* Waits until the server closes it, unserved. */
static void
check_turned_away(struct clients *clients)
{
	int fd = connect_to(path);
	struct loop_watch *watch =
	    loop_watch_new(clients->loop, fd, on_closed, clients->loop);
	char byte;

	loop_watch_set(watch, LOOP_READ);
	loop_run(clients->loop);
	assert_true(recv(fd, &byte, 1, 0) <= 0);
	loop_watch_free(&watch);
	close(fd);
	assert_int_equal(clients->count, SERVER_CLIENTS_MAX);
}

/* Those above the limit are closed; room comes back. */
static void
test_limit(void **state)
{
	struct looprun run;
	struct clients clients = {.loop = looprun_init(&run)};
	struct server *server =
	    server_new(clients.loop, path, on_client, &clients, NULL);
	int fds[SERVER_CLIENTS_MAX + 1];

	(void)state;
	for (int i = 0; i <= SERVER_CLIENTS_MAX; i++) {
		if (i == SERVER_CLIENTS_MAX) {
			check_turned_away(&clients);
			close(clients.fds[7]);
		}
		clients.wanted = (unsigned)i + 1;
		fds[i] = connect_to(path);
		assert_true(fds[i] >= 0);
		loop_run(clients.loop);
	}
	for (int i = 0; i <= SERVER_CLIENTS_MAX; i++) {
		close(fds[i]);
		if (i != 7)
			close(clients.fds[i]);
	}
	server_free(&server);
	looprun_done(&run);
}

static void
check_refused(const char *where, const char *text)
{
	struct looprun run;
	struct loop *loop = looprun_init(&run);
	struct error error = ERROR_INIT;
	struct server *server =
	    server_new(loop, where, on_client, NULL, &error);

	assert_null(server);
	assert_int_equal(error.fault, FAULT_LOCAL);
	if (strstr(error.text, text) == NULL)
		fail_msg("%s", error.text);
	looprun_done(&run);
}

static void
test_second_daemon(void **state)
{
	struct looprun run;
	struct clients clients = {.loop = looprun_init(&run)};
	struct server *server =
	    server_new(clients.loop, path, on_client, &clients, NULL);

	(void)state;
	assert_non_null(server);
	check_refused(path, "another belfryd serves it");
	assert_int_equal(access(path, F_OK), 0);
	server_free(&server);
	looprun_done(&run);
}

/* What a crash leaves behind. */
static void
test_stale(void **state)
{
	struct looprun run;
	struct clients clients = {.loop = looprun_init(&run)};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct server *server;

	(void)state;
	strncpy(un.sun_path, path, sizeof(un.sun_path) - 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	close(fd);
	assert_int_equal(access(path, F_OK), 0);
	server = server_new(clients.loop, path, on_client, &clients, NULL);
	assert_non_null(server);
	server_free(&server);
	looprun_done(&run);
}

static void
test_foreign(void **state)
{
	STR_AUTO far = xasprintf("%s/%0100d", dir, 1);
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	(void)state;
	close(fd);
	check_refused(path, "not a socket");
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
	assert_int_equal(symlink("/tmp/elsewhere", path), 0);
	check_refused(path, "not a socket");
	unlink(path);
	check_refused(far, "too long");
	check_refused("/nonexistent/a/b", "No such file");
	chmod(dir, 0777);
	check_refused(path, "chmod go-w");
	chmod(dir, 0700);
}

/* Somebody else's socket at our path is not ours to remove. */
static void
test_replaced(void **state)
{
	struct looprun run;
	struct clients clients = {.loop = looprun_init(&run)};
	struct server *server =
	    server_new(clients.loop, path, on_client, &clients, NULL);
	int fd;

	(void)state;
	unlink(path);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	server_free(&server);
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
	looprun_done(&run);
}

static int
set_up(void **state)
{
	(void)state;
	if (mkdtemp(root) == NULL)
		return -1;
	dir = xasprintf("%s/belfry", root);
	path = xasprintf("%s/control", dir);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	rmdir(dir);
	rmdir(root);
	free(dir);
	free(path);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_serves),
	    cmocka_unit_test(test_limit),
	    cmocka_unit_test(test_second_daemon),
	    cmocka_unit_test(test_stale),
	    cmocka_unit_test(test_foreign),
	    cmocka_unit_test(test_replaced),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
