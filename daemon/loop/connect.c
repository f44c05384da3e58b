#include "daemon/loop/connect.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/xalloc.h"
#include "daemon/loop/shunned.h"

/* One address in the race. */
struct runner {
	struct connect *connect;
	int fd; /* -1: not started, or out of the race */
	struct loop_watch *watch;
};

struct connect {
	struct loop *loop;
	char *host;
	unsigned port;
	connect_fn *fn;
	void *ctx;
	struct resolve *resolve; /* while names are looked up */
	struct loop_timer *timer;
	usec_t deadline;
	struct resolve_result addresses;
	struct runner runners[CONNECT_ADDRESSES_MAX];
	size_t started;
	size_t running;
	struct error error; /* of the last that failed */
	bool finishing;	    /* `fn` is running: connect_cancel comes too late */
};

/* ---- who won the last race to a host (RFC 8305 section 3.2) ---- */

struct winner {
	char host[256];
	int family;
};

/* Only the loop's thread connects. */
static struct winner winners[CONNECT_WINNERS_MAX];
static size_t next_winner;

static struct winner *
find_winner(const char *host)
{
	for (size_t i = 0; i < CONNECT_WINNERS_MAX; i++)
		if (winners[i].family != 0 &&
		    strcmp(winners[i].host, host) == 0)
			return &winners[i];
	return NULL;
}

static void
note_winner(const char *host, int family)
{
	struct winner *winner = find_winner(host);

	if (strlen(host) >= sizeof(winner->host))
		return;
	if (winner == NULL)
		winner = &winners[next_winner++ % CONNECT_WINNERS_MAX];
	strcpy(winner->host, host);
	winner->family = family;
}

/* The first address of the family that won goes in front. */
static void
prefer_winner(const char *host, struct resolve_result *addresses)
{
	const struct winner *winner = find_winner(host);
	size_t i = 0;

	while (winner != NULL && i < addresses->count &&
	       addresses->addresses[i].family != winner->family)
		i++;
	if (winner == NULL || i == addresses->count)
		return;
	struct resolve_address first = addresses->addresses[i];
	memmove(&addresses->addresses[1], &addresses->addresses[0],
	    i * sizeof(first));
	addresses->addresses[0] = first;
}

/* Who was of no use lately goes last, even where it won. */
static void
set_order(struct connect *connect)
{
	prefer_winner(connect->host, &connect->addresses);
	shunned_sort(&connect->addresses, loop_now());
}

static void
leave_race(struct runner *runner)
{
	loop_watch_free(&runner->watch);
	if (runner->fd >= 0)
		close(runner->fd);
	runner->fd = -1;
}

static void
connect_free(struct connect *connect)
{
	resolve_cancel(&connect->resolve);
	for (size_t i = 0; i < CONNECT_ADDRESSES_MAX; i++)
		leave_race(&connect->runners[i]);
	loop_timer_free(&connect->timer);
	free(connect->host);
	free(connect);
}

static void
finish(struct connect *connect, int fd, const struct error *error)
{
	connect->finishing = true;
	connect->fn(connect->ctx, fd, error);
	connect_free(connect);
}

static void
fail(struct connect *connect, enum fault fault, const char *reason)
{
	struct error error;

	error_set(&error, fault, "cannot connect to %s port %u: %s",
	    connect->host, connect->port, reason);
	finish(connect, -1, &error);
}

static void
set_options(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
	    {IPPROTO_TCP, TCP_NODELAY, 1},
	    {SOL_SOCKET, SO_KEEPALIVE, 1},
#ifdef TCP_KEEPIDLE
	    {IPPROTO_TCP, TCP_KEEPIDLE, CONNECT_KEEPALIVE_IDLE_SEC},
	    {IPPROTO_TCP, TCP_KEEPINTVL, CONNECT_KEEPALIVE_STEP_SEC},
	    {IPPROTO_TCP, TCP_KEEPCNT, CONNECT_KEEPALIVE_COUNT},
#endif
#ifdef TCP_USER_TIMEOUT
	    {IPPROTO_TCP, TCP_USER_TIMEOUT, CONNECT_UNACKED_MSEC},
#endif
	};

	/* A kernel without one of them still has a connection. */
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		setsockopt(fd, options[i].level, options[i].name,
		    &options[i].value, sizeof(options[i].value));
}

static void
runner_failed(struct runner *runner, int number)
{
	struct connect *connect = runner->connect;
	BUF_AUTO address = BUF_INIT;

	resolve_format(
	    &connect->addresses.addresses[runner - connect->runners], &address);
	error_set(&connect->error, FAULT_RETRY, "%s: %s", buf_str(&address),
	    strerror(number));
	leave_race(runner);
	connect->running--;
}

static void go_on(struct connect *connect);

static void
on_writable(void *ctx, unsigned ready)
{
	struct runner *runner = ctx;
	struct connect *connect = runner->connect;
	socklen_t len = sizeof(int);
	int number = 0, fd = runner->fd;

	(void)ready;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &len) != 0)
		number = errno;
	if (number != 0) {
		runner_failed(runner, number);
		go_on(connect);
		return;
	}
	loop_watch_free(&runner->watch);
	runner->fd = -1; /* it is the caller's now */
	note_winner(connect->host,
	    connect->addresses.addresses[runner - connect->runners].family);
	finish(connect, fd, NULL);
}

static bool
begin(int fd, const struct resolve_address *address)
{
	return connect(fd, &address->sockaddr.any, address->len) == 0 ||
	       errno == EINPROGRESS;
}

/* Sends the next address into the race. False: it fell at once. */
static bool
start_runner(struct connect *connect)
{
	size_t index = connect->started++;
	const struct resolve_address *address =
	    &connect->addresses.addresses[index];
	struct runner *runner = &connect->runners[index];

	connect->running++;
	runner->fd = socket(
	    address->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (runner->fd >= 0)
		set_options(runner->fd);
	if (runner->fd < 0 || !begin(runner->fd, address)) {
		runner_failed(runner, errno);
		return false;
	}
	/* Connected now or later: it becomes writable. */
	runner->watch =
	    loop_watch_new(connect->loop, runner->fd, on_writable, runner);
	loop_watch_set(runner->watch, LOOP_WRITE);
	return true;
}

/* One more runner, if there is one; or the end. */
static void
go_on(struct connect *connect)
{
	size_t count = connect->addresses.count;

	while (connect->started < count && !start_runner(connect))
		continue;
	if (connect->running == 0)
		fail(connect, FAULT_RETRY, connect->error.text);
	else if (connect->started == count)
		loop_timer_set(connect->timer, connect->deadline);
	else
		loop_timer_set(connect->timer,
		    usec_min(connect->deadline,
			usec_add(loop_now(), CONNECT_RACE_USEC)));
}

static void
on_timer(void *ctx)
{
	struct connect *connect = ctx;
	BUF_AUTO reason = BUF_INIT;

	if (loop_now() < connect->deadline) {
		go_on(connect);
		return;
	}
	buf_add_str(&reason, connect->resolve != NULL
				 ? "no answer from DNS within "
				 : "no answer within ");
	usec_format(&reason, CONNECT_USEC);
	fail(connect, FAULT_RETRY, buf_str(&reason));
}

static void
on_resolved(void *ctx, const struct resolve_result *result)
{
	struct connect *connect = ctx;

	connect->resolve = NULL;
	connect->addresses = *result;
	set_order(connect);
	if (result->count == 0)
		finish(connect, -1, &connect->addresses.error);
	else
		go_on(connect);
}

static struct connect *
make(struct loop *loop, const char *host, unsigned port, connect_fn *fn,
    void *ctx)
{
	struct connect *connect = NEW(struct connect);

	connect->loop = loop;
	connect->host = xstrdup(host);
	connect->port = port;
	connect->fn = fn;
	connect->ctx = ctx;
	connect->timer = loop_timer_new(loop, on_timer, connect);
	connect->deadline = usec_add(loop_now(), CONNECT_USEC);
	for (size_t i = 0; i < CONNECT_ADDRESSES_MAX; i++)
		connect->runners[i] = (struct runner){connect, -1, NULL};
	return connect;
}

struct connect *
connect_start(struct loop *loop, const char *host, unsigned port,
    connect_fn *fn, void *ctx)
{
	struct connect *connect = make(loop, host, port, fn, ctx);

	loop_timer_set(connect->timer, connect->deadline);
	connect->resolve =
	    resolve_start(loop, host, port, on_resolved, connect);
	return connect;
}

struct connect *
connect_start_addresses(struct loop *loop, const char *host, unsigned port,
    const struct resolve_result *addresses, connect_fn *fn, void *ctx)
{
	struct connect *connect = make(loop, host, port, fn, ctx);

	assert(addresses->count > 0);
	connect->addresses = *addresses;
	set_order(connect);
	/* The race begins from the loop, like everything else. */
	loop_timer_set(connect->timer, 0);
	return connect;
}

void
connect_cancel(struct connect **connect)
{
	if (*connect == NULL)
		return;
	if (!(*connect)->finishing)
		connect_free(*connect);
	*connect = NULL;
}
