#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/buf.h"
#include "daemon/base/xalloc.h"
#include "daemon/loop/http.h"
#include "tests/lib/looprun.h"

/* One request in a thread. */
struct site {
	int listener;
	unsigned port;
	const char *reply;
	size_t padding; /* bytes of body behind the reply */
	struct buf request;
	pthread_t thread;
};

static void *
serve(void *ctx)
{
	struct site *site = ctx;
	int fd = accept(site->listener, NULL, NULL);
	char data[4096];
	ssize_t len;

	while (strstr(buf_str(&site->request), "the body") == NULL &&
	       (len = recv(fd, data, sizeof(data), 0)) > 0)
		buf_add(&site->request, data, (size_t)len);
	send(fd, site->reply, strlen(site->reply), MSG_NOSIGNAL);
	memset(data, 'x', sizeof(data));
	for (size_t sent = 0; sent < site->padding; sent += sizeof(data))
		if (send(fd, data, sizeof(data), MSG_NOSIGNAL) < 0)
			break;
	close(fd);
	return NULL;
}

static void
site_start(struct site *site)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof(in);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	site->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(
	    bind(site->listener, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(listen(site->listener, 4), 0);
	assert_int_equal(
	    getsockname(site->listener, (struct sockaddr *)&in, &len), 0);
	site->port = ntohs(in.sin_port);
	assert_int_equal(pthread_create(&site->thread, NULL, serve, site), 0);
}

struct seen {
	struct loop *loop;
	unsigned status;
	struct buf body;
	struct error error;
};

static void
on_reply(void *ctx, const struct http_result *result)
{
	struct seen *seen = ctx;

	seen->status = result->status;
	buf_add_span(&seen->body, result->body);
	seen->error = result->error;
	loop_quit(seen->loop);
}

static struct seen
post(const char *url, const struct strv *headers)
{
	struct looprun run;
	struct seen seen = {.loop = looprun_init(&run)};

	http_post(seen.loop, url, headers, SPAN("the body"), on_reply, &seen);
	loop_run(seen.loop);
	looprun_done(&run);
	return seen;
}

static struct seen
post_to(struct site *site)
{
	STRV_AUTO headers = STRV_INIT;
	STR_AUTO url = NULL;
	struct seen seen;

	site_start(site);
	url = xasprintf("http://127.0.0.1:%u/topic", site->port);
	strv_add(&headers, "Title: hello");
	seen = post(url, &headers);
	pthread_join(site->thread, NULL);
	close(site->listener);
	return seen;
}

static void
test_post(void **state)
{
	struct site site = {
	    .reply = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok"};
	struct seen seen = post_to(&site);

	(void)state;
	assert_int_equal(seen.status, 201);
	assert_string_equal(buf_str(&seen.body), "ok");
	assert_true(
	    span_starts(buf_span(&site.request), "POST /topic HTTP/1.1\r\n"));
	assert_non_null(strstr(buf_str(&site.request), "\r\nTitle: hello\r\n"));
	assert_null(strstr(buf_str(&site.request), "Expect:"));
	buf_done(&site.request);
	buf_done(&seen.body);
}

static void
test_no_redirect(void **state)
{
	struct site site = {.reply = "HTTP/1.1 302 Found\r\n"
				     "Location: http://127.0.0.1:1/\r\n"
				     "Content-Length: 0\r\n\r\n"};
	struct seen seen = post_to(&site);

	(void)state;
	assert_int_equal(seen.status, 302);
	buf_done(&site.request);
	buf_done(&seen.body);
}

static void
test_reply_cut(void **state)
{
	struct site site = {
	    .reply = "HTTP/1.1 200 OK\r\n\r\n", .padding = 1 << 20};
	struct seen seen = post_to(&site);

	(void)state;
	assert_int_equal(seen.status, 200);
	assert_int_equal(seen.body.len, HTTP_REPLY_MAX);
	buf_done(&site.request);
	buf_done(&seen.body);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *url, *header;
		enum fault fault;
	} cases[] = {
	    {"http://192.0.2.1/", NULL, FAULT_CONFIG},
	    {"http://127.example.org/", NULL, FAULT_CONFIG},
	    {"file:///etc/passwd", NULL, FAULT_CONFIG},
	    {"ftp://127.0.0.1/", NULL, FAULT_CONFIG},
	    {"nonsense", NULL, FAULT_CONFIG},
	    {"", NULL, FAULT_CONFIG},
	    {"https://127.0.0.1:1/", "A: b\r\nEvil: c", FAULT_CONFIG},
	    {"https://127.0.0.1:1/", NULL, FAULT_RETRY},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		STRV_AUTO headers = STRV_INIT;
		struct seen seen;

		if (cases[i].header != NULL)
			strv_add(&headers, cases[i].header);
		seen = post(cases[i].url, &headers);
		if (seen.status != 0 || seen.error.fault != cases[i].fault ||
		    seen.error.text[0] == '\0')
			fail_msg("%s: %u %s", cases[i].url, seen.status,
			    seen.error.text);
		buf_done(&seen.body);
	}
}

static void
test_not_built(void **state)
{
	struct seen seen = post("https://127.0.0.1:1/", NULL);

	(void)state;
	assert_int_equal(seen.error.fault, FAULT_CONFIG);
	assert_non_null(strstr(seen.error.text, "without libcurl"));
	buf_done(&seen.body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_post),
	    cmocka_unit_test(test_no_redirect),
	    cmocka_unit_test(test_reply_cut),
	    cmocka_unit_test(test_refused),
	};
	const struct CMUnitTest without[] = {
	    cmocka_unit_test(test_not_built),
	};

	return http_is_available()
		   ? cmocka_run_group_tests(tests, NULL, NULL)
		   : cmocka_run_group_tests(without, NULL, NULL);
}
