#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/buf.h"
#include "daemon/loop/tls.h"
#include "tests/lib/testca.h"

#define HOST "mail.example.org"

static struct testca *ca;
static char ca_path[] = "/tmp/belfry-test-ca-XXXXXX";
/* The same authority in another file. */
static char other_ca_path[] = "/tmp/belfry-test-ca-XXXXXX";

/* A server in a thread: shakes hands, says hello, and ends. */
struct server {
	SSL_CTX *context; /* NULL: speaks `plain` instead */
	struct span plain;
	bool silent_end;  /* no close_notify */
	bool on_loopback; /* by TCP, which has an address */
	int fd;
	pthread_t thread;
};

static void
speak_tls(struct server *server)
{
	SSL *ssl = SSL_new(server->context);
	char byte;

	SSL_set_fd(ssl, server->fd);
	if (SSL_accept(ssl) == 1) {
		SSL_write(ssl, "hello", 5);
		SSL_read(ssl, &byte, 1);
		if (!server->silent_end)
			SSL_shutdown(ssl);
	}
	SSL_free(ssl);
}

static void *
serve(void *ctx)
{
	struct server *server = ctx;
	char drain[4096];

	if (server->context != NULL)
		speak_tls(server);
	else if (write(server->fd, server->plain.data, server->plain.len) >= 0)
		while (recv(server->fd, drain, sizeof(drain), 0) ==
		       (ssize_t)sizeof(drain))
			continue;
	close(server->fd);
	return NULL;
}

static void
tcp_pair(int fds[2])
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	struct sockaddr *any = (struct sockaddr *)&address;
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, any, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, any, &len), 0);
	fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fds[0], any, len), 0);
	fds[1] = accept(listener, NULL, NULL);
	assert_true(fds[1] >= 0);
	close(listener);
}

/* The client's end. */
static int
server_start(struct server *server)
{
	int fds[2];

	if (server->on_loopback)
		tcp_pair(fds);
	else
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	server->fd = fds[1];
	assert_int_equal(
	    pthread_create(&server->thread, NULL, serve, server), 0);
	return fds[0];
}

static void
server_join(struct server *server)
{
	pthread_join(server->thread, NULL);
}

static struct tls *
trusting(void)
{
	struct error error = ERROR_INIT;
	struct tls *tls = tls_new(ca_path, NULL, &error);

	if (tls == NULL)
		fail_msg("%s", error.text);
	return tls;
}

/* The socket blocks, so that no call wants anything. */
static struct tls_session *
session_on(struct tls *tls, int fd, const char *host)
{
	struct error error = ERROR_INIT;
	struct tls_session *session = tls_session_new(tls, fd, host, &error);

	if (session == NULL)
		fail_msg("%s", error.text);
	return session;
}

struct trust_case {
	const char *name;
	const char *host;
	struct testca_want want;
	const char *error; /* NULL: trusted; otherwise a part of it */
};

static const struct trust_case trust_cases[] = {
    {"good", HOST, {"x", "DNS:mail.example.org", 0, 0, false}, NULL},
    {"upper case", HOST, {"x", "DNS:MAIL.Example.ORG", 0, 0, false}, NULL},
    {"final dot configured", "mail.example.org.",
	{"x", "DNS:mail.example.org", 0, 0, false}, NULL},
    {"wildcard", HOST, {"x", "DNS:*.example.org", 0, 0, false}, NULL},
    {"international name", "mail.xn--bcher-kva.example",
	{"x", "DNS:mail.XN--bcher-kva.example", 0, 0, false}, NULL},
    {"another international name", "mail.xn--bcher-kva.example",
	{"x", "DNS:mail.xn--bchen-kva.example", 0, 0, false},
	"cannot be trusted"},
    {"wildcard within an international label", "xn--bcher-kva.example.org",
	{"x", "DNS:xn--*.example.org", 0, 0, false}, "cannot be trusted"},
    {"address", "127.0.0.1", {"x", "IP:127.0.0.1", 0, 0, false}, NULL},
    {"IPv6 address", "::1", {"x", "IP:::1", 0, 0, false}, NULL},
    {"self-signed", HOST, {"own", "DNS:mail.example.org", 0, 0, true},
	"tls_ca_file"},
    {"wrong name", HOST, {"x", "DNS:other.example.org", 0, 0, false},
	"it is for other.example.org"},
    {"common name only", HOST, {HOST, NULL, 0, 0, false},
	"a common name is not enough"},
    {"expired", HOST, {"x", "DNS:mail.example.org", -9, -8, false},
	"is this machine's clock right?"},
    {"not yet valid", HOST, {"x", "DNS:mail.example.org", 5, 9, false},
	"is this machine's clock right?"},
    {"partial wildcard", HOST, {"x", "DNS:m*.example.org", 0, 0, false},
	"cannot be trusted"},
    {"wildcard above a domain", "example.org", {"x", "DNS:*.org", 0, 0, false},
	"cannot be trusted"},
    {"wildcard two labels", "a.b.example.org",
	{"x", "DNS:*.example.org", 0, 0, false}, "cannot be trusted"},
    {"wildcard no label", "example.org",
	{"x", "DNS:*.example.org", 0, 0, false}, "cannot be trusted"},
    {"address as DNS name", "127.0.0.1", {"x", "DNS:127.0.0.1", 0, 0, false},
	"cannot be trusted"},
    {"other address", "127.0.0.1", {"x", "IP:127.0.0.2", 0, 0, false},
	"it is for 127.0.0.2"},
};

static bool
trust_case_holds(const struct trust_case *tcase)
{
	struct server server = {.context = testca_server(ca, &tcase->want)};
	int fd = server_start(&server);
	struct tls *tls = trusting();
	struct tls_session *session = session_on(tls, fd, tcase->host);
	struct error error = ERROR_INIT;
	enum tls_result result = tls_handshake(session, &error);
	bool ok;

	if (tcase->error == NULL)
		ok = result == TLS_DONE;
	else
		ok = result == TLS_FAILED && error.fault == FAULT_AUTH &&
		     strstr(error.text, tcase->error) != NULL &&
		     strstr(error.text, "subject \"CN=") != NULL &&
		     strstr(error.text, "issuer \"CN=") != NULL;
	if (!ok)
		print_error("%s: result %d, fault %s, \"%s\"\n", tcase->name,
		    result, fault_name(error.fault), error.text);
	tls_close(session);
	tls_session_free(&session);
	tls_free(&tls);
	close(fd);
	server_join(&server);
	SSL_CTX_free(server.context);
	return ok;
}

static void
test_trust(void **state)
{
	bool ok = true;

	(void)state;
	for (size_t i = 0; i < sizeof(trust_cases) / sizeof(trust_cases[0]);
	     i++)
		ok = trust_case_holds(&trust_cases[i]) && ok;
	assert_true(ok);
}

static const struct {
	const char *name;
	struct span says;
	enum fault fault;
	const char *error;
} plain_cases[] = {
    {"IMAP greeting", SPAN_INIT("* OK ready\r\n"), FAULT_PEER,
	"STARTTLS port?"},
    {"SMTP greeting", SPAN_INIT("220 mx.example.org ESMTP\r\n"), FAULT_PEER,
	"STARTTLS port?"},
    {"SSH banner", SPAN_INIT("SSH-2.0-OpenSSH_9.2\r\n"), FAULT_PEER,
	"STARTTLS port?"},
    {"HTTP page", SPAN_INIT("HTTP/1.1 400 Bad Request\r\n\r\n"), FAULT_PEER,
	"STARTTLS port?"},
    {"end", SPAN_INIT(""), FAULT_RETRY, "closed the connection"},
    {"end inside", SPAN_INIT("\x16\x03\x03\x00"), FAULT_RETRY,
	"closed the connection"},
    {"alert: version", SPAN_INIT("\x15\x03\x01\x00\x02\x02\x46"), FAULT_PEER,
	"no TLS version"},
    {"alert: handshake", SPAN_INIT("\x15\x03\x03\x00\x02\x02\x28"), FAULT_PEER,
	"every cipher"},
};

static void
test_no_tls(void **state)
{
	bool ok = true;

	(void)state;
	for (size_t i = 0; i < sizeof(plain_cases) / sizeof(plain_cases[0]);
	     i++) {
		struct server server = {.plain = plain_cases[i].says};
		int fd = server_start(&server);
		struct tls *tls = trusting();
		struct tls_session *session = session_on(tls, fd, HOST);
		struct error error = ERROR_INIT;

		if (tls_handshake(session, &error) != TLS_FAILED ||
		    error.fault != plain_cases[i].fault ||
		    strstr(error.text, plain_cases[i].error) == NULL) {
			print_error("%s: %s, \"%s\"\n", plain_cases[i].name,
			    fault_name(error.fault), error.text);
			ok = false;
		}
		tls_session_free(&session);
		tls_free(&tls);
		close(fd);
		server_join(&server);
	}
	assert_true(ok);
}

/* Reads the greeting (and with it the tickets), then ends. */
static bool
visit(struct tls *tls, SSL_CTX *context, bool silent_end, const char *host)
{
	struct server server = {.context = context, .silent_end = silent_end};
	int fd = server_start(&server);
	struct tls_session *session = session_on(tls, fd, host);
	struct error error = ERROR_INIT;
	BUF_AUTO text = BUF_INIT;
	char data[16];
	size_t len = 0;
	bool resumed;

	if (tls_handshake(session, &error) != TLS_DONE)
		fail_msg("%s", error.text);
	assert_int_equal(
	    tls_read(session, data, sizeof(data), &len, &error), TLS_DONE);
	assert_int_equal(len, 5);
	assert_memory_equal(data, "hello", 5);
	resumed = tls_is_resumed(session);
	tls_describe(session, &text);
	assert_int_equal(strstr(buf_str(&text), ", resumed") != NULL, resumed);
	assert_int_equal(tls_write(session, "x", 1, &len, &error), TLS_DONE);
	/* With close_notify or without: an end is an end. */
	assert_int_equal(
	    tls_read(session, data, sizeof(data), &len, &error), TLS_EOF);
	tls_session_free(&session);
	close(fd);
	server_join(&server);
	return resumed;
}

/* "sha256:" and 32 bytes that no key has. */
#define WRONG_PIN "sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static void
check_refused(struct tls *tls, SSL_CTX *context, struct error *error)
{
	struct server server = {.context = context};
	int fd = server_start(&server);
	struct tls_session *session = session_on(tls, fd, HOST);

	assert_int_equal(tls_handshake(session, error), TLS_FAILED);
	tls_session_free(&session);
	close(fd);
	server_join(&server);
}

static void
check_resumption(int max_version)
{
	struct testca_want want = {
	    "x", "DNS:mail.example.org,DNS:other.example.org", 0, 0, false};
	SSL_CTX *context = testca_server(ca, &want);
	struct tls *tls = trusting(), *same = trusting();
	struct tls *other = tls_new(other_ca_path, NULL, NULL);
	struct tls *pinned = trusting();
	struct error error = ERROR_INIT;

	SSL_CTX_set_max_proto_version(context, max_version);
	assert_false(visit(tls, context, true, HOST));
	/* Again and again, also after ends without close_notify. */
	assert_true(visit(tls, context, true, HOST));
	assert_true(visit(tls, context, false, HOST));
	assert_true(visit(tls, context, true, HOST));
	assert_false(visit(tls, context, true, "other.example.org"));
	/* Of another account that trusts the same, but no other; a pin that
	 * does not fit refuses what could be resumed. */
	assert_true(visit(same, context, true, HOST));
	assert_false(visit(other, context, true, HOST));
	assert_true(tls_add_pin(pinned, WRONG_PIN, NULL));
	check_refused(pinned, context, &error);
	assert_int_equal(error.fault, FAULT_AUTH);
	tls_free(&tls);
	/* It outlives whoever began it. */
	assert_true(visit(same, context, true, HOST));
	tls_free(&same);
	tls_free(&other);
	tls_free(&pinned);
	SSL_CTX_free(context);
}

static void
test_resumption(void **state)
{
	(void)state;
	check_resumption(TLS1_3_VERSION);
	check_resumption(TLS1_2_VERSION);
}

/* The policy may go while its sessions live: a reload. */
static void
test_policy_freed_first(void **state)
{
	struct testca_want want = {"x", "DNS:mail.example.org", 0, 0, false};
	struct server server = {.context = testca_server(ca, &want)};
	int fd = server_start(&server);
	struct tls *tls = trusting();
	struct tls_session *session = session_on(tls, fd, HOST);
	struct error error = ERROR_INIT;

	(void)state;
	tls_free(&tls);
	assert_null(tls);
	assert_int_equal(tls_handshake(session, &error), TLS_DONE);
	tls_close(session);
	tls_session_free(&session);
	close(fd);
	server_join(&server);
	SSL_CTX_free(server.context);
}

static enum tls_result
handshake_with_pin(
    SSL_CTX *context, const char *pin, struct buf *pin_r, struct error *error_r)
{
	struct server server = {.context = context};
	int fd = server_start(&server);
	struct tls *tls = trusting();
	struct tls_session *session = session_on(tls, fd, HOST);
	struct tls_peer peer;
	enum tls_result result;

	if (pin != NULL)
		assert_true(tls_add_pin(tls, pin, NULL));
	result = tls_handshake(session, error_r);
	assert_true(tls_peer_get(session, &peer));
	assert_string_equal(buf_str(&peer.subject), "CN=x");
	assert_string_equal(buf_str(&peer.issuer), "CN=Belfry Test CA");
	assert_string_equal(buf_str(&peer.names), HOST);
	buf_clear(pin_r);
	buf_add_span(pin_r, buf_span(&peer.pin));
	tls_peer_done(&peer);
	tls_close(session);
	tls_session_free(&session);
	tls_free(&tls);
	close(fd);
	server_join(&server);
	return result;
}

static void
test_pin(void **state)
{
	struct testca_want want = {"x", "DNS:mail.example.org", 0, 0, false};
	SSL_CTX *context = testca_server(ca, &want);
	SSL_CTX *rotated = testca_server(ca, &want);
	struct error error = ERROR_INIT;
	BUF_AUTO pin = BUF_INIT;
	BUF_AUTO new_pin = BUF_INIT;

	(void)state;
	assert_int_equal(
	    handshake_with_pin(context, NULL, &pin, &error), TLS_DONE);
	assert_int_equal(
	    handshake_with_pin(context, buf_str(&pin), &new_pin, &error),
	    TLS_DONE);
	assert_int_equal(
	    handshake_with_pin(rotated, buf_str(&pin), &new_pin, &error),
	    TLS_FAILED);
	assert_int_equal(error.fault, FAULT_AUTH);
	assert_non_null(strstr(error.text, buf_str(&pin)));
	assert_non_null(strstr(error.text, buf_str(&new_pin)));
	SSL_CTX_free(context);
	SSL_CTX_free(rotated);
}

static void
test_bad_policy(void **state)
{
	struct error error = ERROR_INIT;
	struct tls *tls = trusting();

	(void)state;
	assert_null(tls_new("/does/not/exist", NULL, &error));
	assert_int_equal(error.fault, FAULT_CONFIG);
	assert_non_null(strstr(error.text, "No such file"));
	assert_null(tls_new("/etc/passwd", NULL, &error));
	assert_non_null(strstr(error.text, "PEM"));
	assert_null(tls_new(ca_path, "1.1", &error));
	assert_int_equal(error.fault, FAULT_CONFIG);
	assert_null(tls_session_new(tls, 0, "bücher.example", &error));
	assert_int_equal(error.fault, FAULT_CONFIG);
	assert_null(tls_session_new(tls, 0, "", &error));
	assert_false(tls_add_pin(tls, "sha256:AAAA", &error));
	assert_false(tls_add_pin(tls, "md5:AAAA", &error));
	tls_free(&tls);
}

static void
test_no_trust_store(void **state)
{
	struct error error = ERROR_INIT;

	(void)state;
	setenv("SSL_CERT_FILE", "/does/not/exist", 1);
	setenv("SSL_CERT_DIR", "/does/not/exist", 1);
	assert_null(tls_new(NULL, NULL, &error));
	assert_int_equal(error.fault, FAULT_CONFIG);
	assert_non_null(strstr(error.text, "ca-certificates"));
	setenv("SSL_CERT_FILE", ca_path, 1);
	for (int i = 0; i < 2; i++) {
		struct tls *one = tls_new(NULL, NULL, &error);
		struct tls *two = tls_new(NULL, "1.3", &error);

		assert_non_null(one);
		assert_non_null(two);
		tls_free(&one);
		tls_free(&two);
	}
	unsetenv("SSL_CERT_FILE");
	unsetenv("SSL_CERT_DIR");
}

static void
test_old_tls(void **state)
{
	struct testca_want want = {"x", "DNS:mail.example.org", 0, 0, false};
	struct server server = {.context = testca_server(ca, &want)};
	struct error error = ERROR_INIT;
	struct tls *tls = tls_new(ca_path, "1.3", &error);
	struct tls_session *session;
	int fd;

	(void)state;
	SSL_CTX_set_max_proto_version(server.context, TLS1_2_VERSION);
	fd = server_start(&server);
	session = session_on(tls, fd, HOST);
	assert_int_equal(tls_handshake(session, &error), TLS_FAILED);
	assert_int_equal(error.fault, FAULT_PEER);
	assert_non_null(strstr(error.text, "no TLS version"));
	tls_session_free(&session);
	tls_free(&tls);
	close(fd);
	server_join(&server);
	SSL_CTX_free(server.context);
}

static int
set_up(void **state)
{
	int fd = mkstemp(ca_path), other = mkstemp(other_ca_path);

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	ca = testca_new();
	if (fd < 0 || close(fd) != 0 || other < 0 || close(other) != 0)
		return -1;
	return testca_write(ca, ca_path) && testca_write(ca, other_ca_path)
		   ? 0
		   : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	unlink(ca_path);
	unlink(other_ca_path);
	testca_free(&ca);
	return 0;
}

/* A certificate that a program here made itself, for another name, and ended:
 * a pin, the place, and whether it is trusted. */
static const struct bridge_case {
	const char *name;
	bool on_loopback;
	const char *pin; /* "": the right one; NULL: none */
	enum tls_result result;
	enum tls_flaw flaw;
} bridge_cases[] = {
    {"no pin", true, NULL, TLS_FAILED, TLS_FLAW_SELF_SIGNED},
    {"the pin", true, "", TLS_DONE, TLS_FLAW_NONE},
    {"no pin after one that had", true, NULL, TLS_FAILED, TLS_FLAW_SELF_SIGNED},
    {"another pin", true, "sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	TLS_FAILED, TLS_FLAW_WRONG_PIN},
    {"the pin, from elsewhere", false, "", TLS_FAILED, TLS_FLAW_SELF_SIGNED},
};

static bool
bridge_case_holds(
    const struct bridge_case *bcase, SSL_CTX *context, struct buf *pin)
{
	struct server server = {
	    .context = context, .on_loopback = bcase->on_loopback};
	int fd = server_start(&server);
	struct tls *tls = trusting();
	struct tls_session *session;
	struct error error = ERROR_INIT;
	struct tls_peer peer;
	enum tls_result result;
	bool ok;

	if (bcase->pin != NULL)
		assert_true(tls_add_pin(tls,
		    *bcase->pin != '\0' ? bcase->pin : buf_str(pin), NULL));
	session = session_on(tls, fd, HOST);
	result = tls_handshake(session, &error);
	assert_true(tls_peer_get(session, &peer));
	ok = result == bcase->result && peer.flaw == bcase->flaw &&
	     peer.is_loopback == bcase->on_loopback && !tls_is_resumed(session);
	if (!ok)
		print_error("%s: result %d, flaw %d, \"%s\"\n", bcase->name,
		    result, peer.flaw, error.text);
	buf_clear(pin);
	buf_add_span(pin, buf_span(&peer.pin));
	tls_peer_done(&peer);
	tls_close(session);
	tls_session_free(&session);
	tls_free(&tls);
	close(fd);
	server_join(&server);
	return ok;
}

static void
test_bridge(void **state)
{
	struct testca_want want = {"x", "DNS:bridge.example", -9, -8, true};
	SSL_CTX *context = testca_server(ca, &want);
	BUF_AUTO pin = BUF_INIT;
	bool ok = true;

	(void)state;
	for (size_t i = 0; i < sizeof(bridge_cases) / sizeof(*bridge_cases);
	     i++)
		ok &= bridge_case_holds(&bridge_cases[i], context, &pin);
	assert_true(ok);
	SSL_CTX_free(context);
}

/* Who was known by a certificate is nobody else's: neither the one who shows
 * none, nor the one who shows another, resumes that session. */
static void
check_own(int max_version, char paths[4][32])
{
	struct testca_want want = {"x", "DNS:mail.example.org", 0, 0, false};
	SSL_CTX *context = testca_server(ca, &want);
	struct tls_policy one = {ca_path, NULL, paths[0], paths[1]};
	struct tls_policy two = {ca_path, NULL, paths[2], paths[3]};
	struct tls *first = tls_new_as(&one, NULL), *nobody = trusting();
	struct tls *second = tls_new_as(&two, NULL);
	int64_t from, until;

	SSL_CTX_set_max_proto_version(context, max_version);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	assert_int_equal(
	    SSL_CTX_load_verify_locations(context, ca_path, NULL), 1);
	assert_false(visit(first, context, true, HOST));
	assert_true(visit(first, context, true, HOST));
	assert_false(visit(nobody, context, true, HOST));
	assert_false(visit(second, context, true, HOST));
	assert_true(visit(second, context, true, HOST));
	tls_get_own_validity(first, &from, &until);
	assert_true(from < until);
	tls_get_own_validity(nobody, &from, &until);
	assert_int_equal(until, 0);
	tls_free(&first);
	tls_free(&second);
	tls_free(&nobody);
	SSL_CTX_free(context);
}

static void
test_own_certificate(void **state)
{
	struct testca_want want = {"client", NULL, 0, 0, false};
	char paths[4][32];
	struct error error = ERROR_INIT;
	struct tls_policy policy = {ca_path, NULL, paths[0], paths[3]};

	(void)state;
	for (int i = 0; i < 4; i++) {
		strcpy(paths[i], "/tmp/belfry-test-own-XXXXXX");
		close(mkstemp(paths[i]));
	}
	assert_true(testca_write_server(ca, &want, paths[0], paths[1]));
	assert_true(testca_write_server(ca, &want, paths[2], paths[3]));
	check_own(TLS1_2_VERSION, paths);
	check_own(TLS1_3_VERSION, paths);
	assert_null(tls_new_as(&policy, &error));
	assert_int_equal(error.fault, FAULT_CONFIG);
	assert_non_null(strstr(error.text, "is not the key of"));
	for (int i = 0; i < 4; i++)
		unlink(paths[i]);
}

#define DAY (24 * 60 * 60)

static void
test_ends_soon(void **state)
{
	static const struct {
		int64_t from, until; /* days from now */
		bool soon;
	} cases[] = {{-60, 30, false}, {-60, 15, false}, {-60, 13, true},
	    {-400, -1, true}, {-3, 4, false}, {-5, 2, true}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(
		    tls_ends_soon(cases[i].from * DAY, cases[i].until * DAY, 0),
		    cases[i].soon);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_trust),
	    cmocka_unit_test(test_bridge),
	    cmocka_unit_test(test_ends_soon),
	    cmocka_unit_test(test_no_tls),
	    cmocka_unit_test(test_resumption),
	    cmocka_unit_test(test_own_certificate),
	    cmocka_unit_test(test_policy_freed_first),
	    cmocka_unit_test(test_pin),
	    cmocka_unit_test(test_bad_policy),
	    cmocka_unit_test(test_no_trust_store),
	    cmocka_unit_test(test_old_tls),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
