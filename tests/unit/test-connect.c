#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/buf.h"
#include "daemon/loop/connect.h"
#include "daemon/loop/shunned.h"
#include "tests/lib/looprun.h"

struct seen {
	struct loop *loop;
	struct connect *connect;
	int fd;
	struct error error;
	unsigned calls;
};

static void
on_connected(void *ctx, int fd, const struct error *error)
{
	struct seen *seen = ctx;

	seen->calls++;
	seen->fd = fd;
	if (error != NULL)
		seen->error = *error;
	connect_cancel(&seen->connect); /* too late, and harmless */
	loop_quit(seen->loop);
}

static struct resolve_address
address_of(const char *text, unsigned port)
{
	struct resolve_address address = {.family = AF_INET};
	struct sockaddr_in *in = &address.sockaddr.in;

	address.len = sizeof(*in);
	in->sin_family = AF_INET;
	in->sin_port = htons((uint16_t)port);
	assert_int_equal(inet_pton(AF_INET, text, &in->sin_addr), 1);
	return address;
}

/* A listener on loopback; its port. `backlog` < 0: bound, not listening, so
 * that connections are refused. */
static int
listen_on(const char *address, int backlog, unsigned *port_r)
{
	struct resolve_address bound = address_of(address, 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, &bound.sockaddr.any, bound.len), 0);
	if (backlog >= 0)
		assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, &bound.sockaddr.any, &bound.len), 0);
	*port_r = ntohs(bound.sockaddr.in.sin_port);
	return fd;
}

static int
option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	getsockopt(fd, level, name, &value, &len);
	return value;
}

static void
test_live(void **state)
{
	struct looprun run;
	struct seen seen = {.loop = looprun_init(&run), .fd = -1};
	unsigned port;
	int listener = listen_on("127.0.0.1", 8, &port);

	(void)state;
	seen.connect =
	    connect_start(seen.loop, "127.0.0.1", port, on_connected, &seen);
	loop_run(seen.loop);
	assert_true(seen.fd >= 0);
	assert_int_equal(seen.calls, 1);
	assert_int_equal(option(seen.fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(option(seen.fd, IPPROTO_TCP, TCP_KEEPIDLE),
	    CONNECT_KEEPALIVE_IDLE_SEC);
	assert_int_equal(option(seen.fd, IPPROTO_TCP, TCP_USER_TIMEOUT),
	    CONNECT_UNACKED_MSEC);
	assert_int_not_equal(option(seen.fd, IPPROTO_TCP, TCP_NODELAY), 0);
	close(seen.fd);
	close(listener);
	looprun_done(&run);
}

static void
test_refused(void **state)
{
	struct looprun run;
	struct seen seen = {.loop = looprun_init(&run), .fd = 7};
	unsigned port;
	int listener = listen_on("127.0.0.1", -1, &port);
	BUF_AUTO text = BUF_INIT;

	(void)state;
	buf_addf(&text,
	    "cannot connect to 127.0.0.1 port %u: "
	    "127.0.0.1: Connection refused",
	    port);
	seen.connect =
	    connect_start(seen.loop, "127.0.0.1", port, on_connected, &seen);
	loop_run(seen.loop);
	assert_int_equal(seen.fd, -1);
	assert_int_equal(seen.error.fault, FAULT_RETRY);
	assert_string_equal(seen.error.text, buf_str(&text));
	close(listener);
	looprun_done(&run);
}

/* A listener whose queue is full answers nothing: a black hole. */
static int
black_hole(unsigned *port_r, int fillers[static 4])
{
	int listener = listen_on("127.0.0.2", 0, port_r);
	struct resolve_address address = address_of("127.0.0.2", *port_r);

	for (int i = 0; i < 4; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)!connect(fillers[i], &address.sockaddr.any, address.len);
	}
	return listener;
}

/* Refused and silent addresses stand in front of the live one. */
static void
test_race(void **state)
{
	struct looprun run;
	struct seen seen = {.loop = looprun_init(&run), .fd = -1};
	struct resolve_result addresses = {.count = 3};
	unsigned hole_port, dead_port, live_port;
	int fillers[4];
	int hole = black_hole(&hole_port, fillers);
	int dead = listen_on("127.0.0.3", -1, &dead_port);
	int live = listen_on("127.0.0.1", 8, &live_port);
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);

	(void)state;
	addresses.addresses[0] = address_of("127.0.0.2", hole_port);
	addresses.addresses[1] = address_of("127.0.0.3", dead_port);
	addresses.addresses[2] = address_of("127.0.0.1", live_port);
	seen.connect = connect_start_addresses(seen.loop, "mail.example.org",
	    live_port, &addresses, on_connected, &seen);
	loop_run(seen.loop);
	assert_true(seen.fd >= 0);
	assert_int_equal(
	    getpeername(seen.fd, (struct sockaddr *)&peer, &len), 0);
	assert_int_equal(ntohs(peer.sin_port), live_port);
	close(seen.fd);
	for (int i = 0; i < 4; i++)
		close(fillers[i]);
	close(hole);
	close(dead);
	close(live);
	looprun_done(&run);
}

static int
listen_on_six(unsigned port)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
	    .sin6_port = htons((uint16_t)port),
	    .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	if (fd >= 0 && (bind(fd, (struct sockaddr *)&in6, sizeof(in6)) != 0 ||
			   listen(fd, 8) != 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
family_that_wins(
    struct seen *seen, const char *host, const struct resolve_result *addresses)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);

	seen->fd = -1;
	seen->connect = connect_start_addresses(
	    seen->loop, host, 993, addresses, on_connected, seen);
	loop_run(seen->loop);
	assert_true(seen->fd >= 0);
	assert_int_equal(
	    getpeername(seen->fd, (struct sockaddr *)&peer, &len), 0);
	close(seen->fd);
	return peer.ss_family;
}

/* IPv6 stands in front; what worked goes first the next time. */
static void
test_winner_is_remembered(void **state)
{
	struct looprun run;
	struct seen seen = {.loop = looprun_init(&run), .fd = -1};
	struct resolve_result addresses = {.count = 2};
	unsigned port;
	int four = listen_on("127.0.0.1", 8, &port), six;

	(void)state;
	addresses.addresses[0] = (struct resolve_address){.family = AF_INET6,
	    .len = sizeof(struct sockaddr_in6),
	    .sockaddr.in6 = {.sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT}};
	addresses.addresses[1] = address_of("127.0.0.1", port);
	assert_int_equal(
	    family_that_wins(&seen, "a.example", &addresses), AF_INET);
	six = listen_on_six(port);
	if (six >= 0) {
		assert_int_equal(
		    family_that_wins(&seen, "a.example", &addresses), AF_INET);
		assert_int_equal(
		    family_that_wins(&seen, "b.example", &addresses), AF_INET6);
		close(six);
		assert_int_equal(
		    family_that_wins(&seen, "b.example", &addresses), AF_INET);
	}
	close(four);
	looprun_done(&run);
	if (six < 0)
		skip();
}

static unsigned
port_that_wins(struct seen *seen, const struct resolve_result *addresses)
{
	struct resolve_address peer;

	seen->fd = -1;
	seen->connect = connect_start_addresses(
	    seen->loop, "c.example", 993, addresses, on_connected, seen);
	loop_run(seen->loop);
	assert_true(seen->fd >= 0);
	shunned_peer(seen->fd, &peer);
	close(seen->fd);
	return ntohs(peer.sockaddr.in.sin_port);
}

/* Who took the connection and was of no use goes last, also where it won the
 * last race; of several the one that was tried last. */
static void
test_shunned_goes_last(void **state)
{
	struct looprun run;
	struct seen seen = {.loop = looprun_init(&run), .fd = -1};
	struct resolve_result addresses = {.count = 3};
	struct resolve_address nobody = {0};
	usec_t now = loop_now();
	unsigned ports[3];
	int fds[3];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		fds[i] = listen_on("127.0.0.1", 8, &ports[i]);
		addresses.addresses[i] = address_of("127.0.0.1", ports[i]);
	}
	assert_int_equal(port_that_wins(&seen, &addresses), ports[0]);
	shunned_add(&nobody, now);
	assert_int_equal(port_that_wins(&seen, &addresses), ports[0]);
	shunned_add(&addresses.addresses[0], now - 2);
	assert_int_equal(port_that_wins(&seen, &addresses), ports[1]);
	shunned_add(&addresses.addresses[1], now - 3);
	assert_int_equal(port_that_wins(&seen, &addresses), ports[2]);
	shunned_add(&addresses.addresses[2], now);
	assert_int_equal(port_that_wins(&seen, &addresses), ports[1]);
	shunned_forget(&addresses.addresses[0]);
	assert_int_equal(port_that_wins(&seen, &addresses), ports[0]);
	/* Not for ever ... */
	shunned_add(&addresses.addresses[0], now - 1);
	struct resolve_result sorted = addresses;
	shunned_sort(&sorted, now);
	assert_memory_equal(&sorted.addresses[1], &addresses.addresses[0],
	    sizeof(sorted.addresses[1]));
	sorted = addresses;
	shunned_sort(&sorted, now - 1 + SHUNNED_USEC);
	assert_memory_equal(&sorted.addresses[0], &addresses.addresses[0],
	    sizeof(sorted.addresses[0]));
	/* ... and the oldest makes room. */
	for (unsigned i = 0; i < SHUNNED_MAX; i++) {
		struct resolve_address other = address_of("192.0.2.1", 1 + i);
		shunned_add(&other, now);
	}
	assert_int_equal(port_that_wins(&seen, &addresses), ports[0]);
	for (size_t i = 0; i < 3; i++)
		close(fds[i]);
	looprun_done(&run);
}

static void
on_quit(void *ctx)
{
	loop_quit(ctx);
}

static void
test_cancel(void **state)
{
	struct looprun run;
	struct seen seen = {.loop = looprun_init(&run), .fd = -1};
	struct loop_timer *timer =
	    loop_timer_new(seen.loop, on_quit, seen.loop);
	unsigned port;
	int fillers[4];
	int hole = black_hole(&port, fillers);

	(void)state;
	/* While it resolves. */
	seen.connect =
	    connect_start(seen.loop, "127.0.0.2", port, on_connected, &seen);
	connect_cancel(&seen.connect);
	connect_cancel(&seen.connect);
	/* While it connects. */
	seen.connect =
	    connect_start(seen.loop, "127.0.0.2", port, on_connected, &seen);
	loop_timer_set(timer, loop_now() + 100 * USEC_MSEC);
	loop_run(seen.loop);
	connect_cancel(&seen.connect);
	assert_int_equal(seen.calls, 0);
	for (int i = 0; i < 4; i++)
		close(fillers[i]);
	close(hole);
	loop_timer_free(&timer);
	looprun_done(&run);
}

static void
test_bad_host(void **state)
{
	static const struct {
		const char *host;
		enum fault fault;
	} cases[] = {
	    {"", FAULT_CONFIG},
	    {"b\xc3\xbc"
	     "cher.example",
		FAULT_CONFIG},
	    {"a b", FAULT_CONFIG},
	    {"a\nb", FAULT_CONFIG},
	    {"256.256.256.256.invalid", FAULT_RETRY},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct looprun run;
		struct seen seen = {.loop = looprun_init(&run), .fd = -1};

		seen.connect = connect_start(
		    seen.loop, cases[i].host, 993, on_connected, &seen);
		loop_run(seen.loop);
		if (seen.fd != -1 || seen.error.fault != cases[i].fault)
			fail_msg("%s: %s", cases[i].host, seen.error.text);
		looprun_done(&run);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_live),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_race),
	    cmocka_unit_test(test_winner_is_remembered),
	    cmocka_unit_test(test_shunned_goes_last),
	    cmocka_unit_test(test_cancel),
	    cmocka_unit_test(test_bad_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
