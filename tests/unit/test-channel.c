#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/buf.h"
#include "daemon/base/xalloc.h"
#include "daemon/loop/channel.h"
#include "tests/lib/testca.h"

#define HOST "mail.example.org"
#define BIG (3 * 1024 * 1024)
/* Nothing here takes long; a test that hangs must end. */
#define GUARD_USEC (30 * USEC_SEC)

static struct testca *ca;
static SSL_CTX *good_context;
static char ca_path[] = "/tmp/belfry-test-ca-XXXXXX";

/*
 * A toy engine: lines in, one answer each. "tls" asks for TLS, and bytes
 * behind it in the same feed are an injection; "big" answers with BIG bytes;
 * "end" ends the test; anything else is answered with itself.
 */
struct toy {
	struct buf in, out, trace;
	bool want_tls, want_end;
	bool waits_for_tls;
	unsigned eofs, ticks, feeds;
	usec_t deadline;
};

static void
toy_line(struct toy *toy, struct span line)
{
	if (span_is(line, "tls")) {
		toy->want_tls = toy->waits_for_tls = true;
	} else if (span_is(line, "end")) {
		toy->want_end = true;
	} else if (span_is(line, "big")) {
		for (size_t i = 0; i < BIG; i++)
			buf_add_char(&toy->out, (char)('a' + i % 23));
	} else {
		buf_add_span(&toy->out, line);
		buf_add_char(&toy->out, '\n');
	}
	buf_add_span(&toy->trace, line);
	buf_add_char(&toy->trace, ' ');
}

static void
toy_feed(void *engine, struct span bytes, usec_t now)
{
	struct toy *toy = engine;
	size_t end;

	(void)now;
	toy->feeds++;
	buf_add_span(&toy->in, bytes);
	while ((end = span_find(buf_span(&toy->in), '\n')) != SIZE_MAX) {
		toy_line(toy, span_slice(buf_span(&toy->in), 0, end));
		buf_consume(&toy->in, end + 1);
		if (toy->waits_for_tls)
			break;
	}
	if (toy->waits_for_tls && toy->in.len > 0) {
		buf_add_str(&toy->trace, "injected ");
		toy->want_tls = false;
		toy->want_end = true;
	}
}

static void
toy_eof(void *engine, usec_t now)
{
	(void)now;
	((struct toy *)engine)->eofs++;
}

static struct span
toy_output(const void *engine)
{
	return buf_span(&((const struct toy *)engine)->out);
}

static void
toy_sent(void *engine, size_t len)
{
	buf_consume(&((struct toy *)engine)->out, len);
}

static usec_t
toy_deadline(const void *engine)
{
	return ((const struct toy *)engine)->deadline;
}

static void
toy_tick(void *engine, usec_t now)
{
	struct toy *toy = engine;

	assert_true(now >= toy->deadline);
	toy->ticks++;
	toy->deadline = USEC_NEVER;
}

static const struct engine_class toy_class = {
    "toy", toy_feed, toy_eof, toy_output, toy_sent, toy_deadline, toy_tick};

/* What a test looks at; the ways in which the owner may behave. */
struct world {
	struct loop *loop;
	struct loop_timer *guard;
	struct tls *tls;
	struct channel *channel;
	struct toy toy;
	struct error error;
	unsigned started;
	const char *host;
	bool free_in_pump, free_in_failed, free_in_started;
	bool quit_on_eof, quit_on_tick;
	/* The other side. */
	int peer;
	SSL_CTX *context;
	void (*play)(struct world *);
	struct buf heard;
	pthread_t thread;
	bool joined;
};

static void
on_pump(void *ctx)
{
	struct world *world = ctx;
	struct toy *toy = &world->toy;

	if (world->free_in_pump && toy->feeds > 0) {
		channel_free(&world->channel);
		loop_quit(world->loop);
		return;
	}
	if (toy->want_tls) {
		toy->want_tls = false;
		channel_start_tls(world->channel, world->tls, world->host);
	}
	if (toy->want_end || (world->quit_on_eof && toy->eofs > 0) ||
	    (world->quit_on_tick && toy->ticks > 0))
		loop_quit(world->loop);
}

static void
on_failed(void *ctx, const struct error *error)
{
	struct world *world = ctx;

	world->error = *error;
	if (world->free_in_failed)
		channel_free(&world->channel);
	loop_quit(world->loop);
}

static void
on_started(void *ctx)
{
	struct world *world = ctx;

	world->started++;
	world->toy.waits_for_tls = false;
	assert_true(channel_is_secure(world->channel));
	if (world->free_in_started) {
		channel_free(&world->channel);
		loop_quit(world->loop);
		return;
	}
	buf_add_str(&world->toy.out, "over tls\n");
}

static void
on_guard(void *ctx)
{
	(void)ctx;
	print_error("the test hangs\n");
	abort();
}

static void *
play(void *ctx)
{
	struct world *world = ctx;

	world->play(world);
	if (world->peer >= 0)
		close(world->peer);
	return NULL;
}

static void
world_init(struct world *world, void (*script)(struct world *))
{
	*world = (struct world){.play = script, .host = HOST};
	world->loop = loop_new();
	world->guard = loop_timer_new(world->loop, on_guard, NULL);
	loop_timer_set(world->guard, loop_now() + GUARD_USEC);
	world->tls = tls_new(ca_path, NULL, &world->error);
	assert_non_null(world->tls);
	world->context = good_context;
	world->toy.deadline = USEC_NEVER;
}

static void
world_open(struct world *world, usec_t handshake_usec)
{
	struct channel_config config = {
	    .loop = world->loop,
	    .class = &toy_class,
	    .engine = &world->toy,
	    .pump = on_pump,
	    .failed = on_failed,
	    .tls_started = on_started,
	    .ctx = world,
	    .handshake_usec = handshake_usec,
	};
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	world->peer = fds[1];
	world->channel = channel_new(&config, fds[0]);
	assert_int_equal(pthread_create(&world->thread, NULL, play, world), 0);
}

static void
world_run(struct world *world)
{
	loop_run(world->loop);
}

static void
world_join(struct world *world)
{
	if (!world->joined)
		pthread_join(world->thread, NULL);
	world->joined = true;
}

static void
world_done(struct world *world)
{
	channel_free(&world->channel);
	world_join(world);
	tls_free(&world->tls);
	loop_timer_free(&world->guard);
	loop_free(&world->loop);
	buf_done(&world->toy.in);
	buf_done(&world->toy.out);
	buf_done(&world->toy.trace);
	buf_done(&world->heard);
}

/* The other side's words, over plain sockets and TLS. */

static void
say(struct world *world, const char *text)
{
	if (send(world->peer, text, strlen(text), MSG_NOSIGNAL) < 0)
		return;
}

/* Until `text` was heard, or the end. */
static void
hear(struct world *world, SSL *ssl, const char *text)
{
	char data[4096];

	while (span_find_span(buf_span(&world->heard), span_from_str(text),
		   0) == SIZE_MAX) {
		ssize_t len = ssl != NULL
				  ? SSL_read(ssl, data, sizeof(data))
				  : recv(world->peer, data, sizeof(data), 0);

		if (len <= 0)
			return;
		buf_add(&world->heard, data, (size_t)len);
	}
}

static size_t
hear_bytes(struct world *world, SSL *ssl, size_t count)
{
	char data[4096];
	size_t total = 0;

	while (total < count) {
		ssize_t len = ssl != NULL
				  ? SSL_read(ssl, data, sizeof(data))
				  : recv(world->peer, data, sizeof(data), 0);

		if (len <= 0)
			break;
		for (ssize_t i = 0; i < len; i++)
			if (data[i] != (char)('a' + (total + (size_t)i) % 23))
				return 0;
		total += (size_t)len;
	}
	return total;
}

static SSL *
accept_tls(struct world *world)
{
	SSL *ssl = SSL_new(world->context);

	SSL_set_fd(ssl, world->peer);
	SSL_accept(ssl);
	return ssl;
}

/* Plain bytes. */

static void
play_bytewise(struct world *world)
{
	static const char text[] = "one\ntwo\nthree\nend\n";

	for (size_t i = 0; i < sizeof(text) - 1; i++)
		if (send(world->peer, &text[i], 1, MSG_NOSIGNAL) != 1)
			return;
	hear(world, NULL, "three\n");
}

static void
test_bytewise(void **state)
{
	struct world world;

	(void)state;
	world_init(&world, play_bytewise);
	world_open(&world, 0);
	world_run(&world);
	assert_string_equal(buf_str(&world.toy.trace), "one two three end ");
	assert_false(channel_is_secure(world.channel));
	world_join(&world);
	assert_string_equal(buf_str(&world.heard), "one\ntwo\nthree\n");
	world_done(&world);
}

static void
play_big(struct world *world)
{
	say(world, "big\n");
	if (hear_bytes(world, NULL, BIG) == BIG)
		say(world, "end\n");
	hear(world, NULL, "never");
}

/* Far more than a socket buffer: many short writes. */
static void
test_big_output(void **state)
{
	struct world world;

	(void)state;
	world_init(&world, play_big);
	world_open(&world, 0);
	world_run(&world);
	assert_string_equal(buf_str(&world.toy.trace), "big end ");
	assert_int_equal(world.toy.out.len, 0);
	world_done(&world);
}

static void
play_flood(struct world *world)
{
	for (int i = 0; i < 100; i++)
		say(world, "line\nline\nline\nline\nline\nline\nline\n");
	hear(world, NULL, "never");
}

static void
test_free_in_pump(void **state)
{
	struct world world;

	(void)state;
	world_init(&world, play_flood);
	world.free_in_pump = true;
	world_open(&world, 0);
	world_run(&world);
	assert_null(world.channel);
	assert_int_equal(world.toy.feeds, 1);
	world_done(&world);
}

static void
play_half_close(struct world *world)
{
	say(world, "last\n");
	shutdown(world->peer, SHUT_WR);
	hear(world, NULL, "never");
}

/* What the engine has to say after their end still goes out. */
static void
test_eof(void **state)
{
	struct world world;

	(void)state;
	world_init(&world, play_half_close);
	world.quit_on_eof = true;
	world_open(&world, 0);
	world_run(&world);
	assert_int_equal(world.toy.eofs, 1);
	assert_int_equal(world.error.fault, FAULT_NONE);
	channel_free(&world.channel);
	world_join(&world);
	assert_string_equal(buf_str(&world.heard), "last\n");
	world_done(&world);
}

static void
play_gone(struct world *world)
{
	say(world, "big\n");
	hear(world, NULL, "abc");
}

/* They vanish while we write. */
static void
check_gone(bool free_in_failed)
{
	struct world world;

	world_init(&world, play_gone);
	world.free_in_failed = free_in_failed;
	world_open(&world, 0);
	world_run(&world);
	assert_int_equal(world.error.fault, FAULT_RETRY);
	assert_non_null(strstr(world.error.text, "connection broke"));
	assert_int_equal(world.toy.eofs, free_in_failed ? 0 : 1);
	world_done(&world);
}

static void
test_gone(void **state)
{
	(void)state;
	check_gone(false);
	check_gone(true);
}

static void
play_silent(struct world *world)
{
	hear(world, NULL, "never");
}

static void
test_tick(void **state)
{
	struct world world;

	(void)state;
	world_init(&world, play_silent);
	world.quit_on_tick = true;
	world_open(&world, 0);
	/* A call of the owner's on the engine: the kick makes it count. */
	world.toy.deadline = loop_now() + 1000;
	channel_kick(world.channel);
	world_run(&world);
	assert_int_equal(world.toy.ticks, 1);
	world_done(&world);
}

/* TLS. */

static void
play_starttls(struct world *world)
{
	SSL *ssl;

	say(world, "tls\n");
	ssl = accept_tls(world);
	hear(world, ssl, "over tls\n");
	SSL_write(ssl, "big\n", 4);
	hear_bytes(world, ssl, BIG);
	/* Many records at once: OpenSSL holds what the socket hides. */
	for (int i = 0; i < 50; i++)
		SSL_write(ssl, "a\n", 2);
	SSL_write(ssl, "end\n", 4);
	hear(world, ssl, "never");
	SSL_free(ssl);
}

static void
test_starttls(void **state)
{
	struct world world;

	(void)state;
	world_init(&world, play_starttls);
	world_open(&world, 0);
	world_run(&world);
	assert_int_equal(world.error.fault, FAULT_NONE);
	assert_int_equal(world.started, 1);
	assert_true(channel_is_secure(world.channel));
	assert_true(span_starts(buf_span(&world.toy.trace), "tls big a a a"));
	assert_true(span_ends_nocase(buf_span(&world.toy.trace), "a a a end "));
	world_done(&world);
}

static void
play_implicit(struct world *world)
{
	SSL *ssl = accept_tls(world);

	SSL_write(ssl, "hi\nend\n", 7);
	hear(world, ssl, "hi\n");
	/* No close_notify. */
	SSL_set_quiet_shutdown(ssl, 1);
	SSL_free(ssl);
}

/* TLS from the first byte; then their end without close_notify. */
static void
test_implicit(void **state)
{
	struct world world;

	(void)state;
	world_init(&world, play_implicit);
	world_open(&world, 0);
	channel_start_tls(world.channel, world.tls, HOST);
	world_run(&world);
	assert_int_equal(world.started, 1);
	world.toy.want_end = false;
	world.quit_on_eof = true;
	if (world.toy.eofs == 0)
		world_run(&world);
	assert_int_equal(world.toy.eofs, 1);
	assert_int_equal(world.error.fault, FAULT_NONE);
	assert_string_equal(buf_str(&world.toy.trace), "hi end ");
	world_done(&world);
}

static void
test_free_in_started(void **state)
{
	struct world world;

	(void)state;
	world_init(&world, play_implicit);
	world.free_in_started = true;
	world_open(&world, 0);
	channel_start_tls(world.channel, world.tls, HOST);
	world_run(&world);
	assert_null(world.channel);
	world_done(&world);
}

static void
play_injected(struct world *world)
{
	say(world, "tls\n* evil\n");
	hear(world, NULL, "never");
}

/* One segment: the engine sees it, and no handshake begins. */
static void
test_injected_together(void **state)
{
	struct world world;

	(void)state;
	world_init(&world, play_injected);
	world_open(&world, 0);
	world_run(&world);
	assert_string_equal(buf_str(&world.toy.trace), "tls injected ");
	assert_int_equal(world.started, 0);
	world_done(&world);
}

static void
play_injected_later(struct world *world)
{
	say(world, "tls\n");
	/* Their handshake has begun: the engine cannot have these. */
	hear(world, NULL, "\x16\x03");
	say(world, "* OK evil\r\n");
	hear(world, NULL, "never");
}

static void
play_shut_in_handshake(struct world *world)
{
	hear(world, NULL, "\x16\x03");
	shutdown(world->peer, SHUT_WR);
	hear(world, NULL, "never");
}

static void
play_good(struct world *world)
{
	SSL *ssl = accept_tls(world);

	SSL_read(ssl, (char[1]){0}, 1);
	SSL_free(ssl);
}

struct failure_case {
	const char *name;
	void (*play)(struct world *);
	bool upgrade; /* the other side asks for TLS by "tls" */
	const char *host;
	usec_t handshake_usec;
	enum fault fault;
	const char *error;
};

static const struct failure_case failure_cases[] = {
    {"injected after", play_injected_later, true, HOST, 0, FAULT_PEER,
	"went on in plaintext after STARTTLS"},
    {"no TLS", play_flood, false, HOST, 0, FAULT_PEER, "STARTTLS port?"},
    {"half-close", play_shut_in_handshake, false, HOST, 0, FAULT_RETRY,
	"closed the connection"},
    {"silence", play_silent, false, HOST, 20 * USEC_MSEC, FAULT_RETRY,
	"not done after 20 ms"},
    {"wrong name", play_good, false, "other.example.org", 0, FAULT_AUTH,
	"it is for " HOST},
    {"bad host", play_silent, false, "b\xc3\xbc.example", 0, FAULT_CONFIG,
	"xn--"},
};

static bool
failure_case_holds(const struct failure_case *fcase, bool free_in_failed)
{
	struct world world;
	bool ok;

	world_init(&world, fcase->play);
	world.host = fcase->host;
	world.free_in_failed = free_in_failed;
	world_open(&world, fcase->handshake_usec);
	if (!fcase->upgrade)
		channel_start_tls(world.channel, world.tls, fcase->host);
	world_run(&world);
	ok = world.error.fault == fcase->fault &&
	     strstr(world.error.text, fcase->error) != NULL &&
	     world.toy.eofs == (free_in_failed ? 0 : 1) && world.started == 0 &&
	     (world.channel == NULL || !channel_is_secure(world.channel));
	if (!ok)
		print_error("%s: %s \"%s\", %u ends\n", fcase->name,
		    fault_name(world.error.fault), world.error.text,
		    world.toy.eofs);
	world_done(&world);
	return ok;
}

static void
test_failures(void **state)
{
	bool ok = true;

	(void)state;
	for (size_t i = 0; i < sizeof(failure_cases) / sizeof(failure_cases[0]);
	     i++) {
		ok = failure_case_holds(&failure_cases[i], false) && ok;
		ok = failure_case_holds(&failure_cases[i], true) && ok;
	}
	assert_true(ok);
}

static int
set_up(void **state)
{
	static const struct testca_want want = {
	    .common_name = "x", .names = "DNS:" HOST};
	int fd = mkstemp(ca_path);

	(void)state;
	ca = testca_new();
	good_context = testca_server(ca, &want);
	return fd >= 0 && close(fd) == 0 && testca_write(ca, ca_path) ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	unlink(ca_path);
	SSL_CTX_free(good_context);
	testca_free(&ca);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bytewise),
	    cmocka_unit_test(test_big_output),
	    cmocka_unit_test(test_free_in_pump),
	    cmocka_unit_test(test_eof),
	    cmocka_unit_test(test_gone),
	    cmocka_unit_test(test_tick),
	    cmocka_unit_test(test_starttls),
	    cmocka_unit_test(test_implicit),
	    cmocka_unit_test(test_free_in_started),
	    cmocka_unit_test(test_injected_together),
	    cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
