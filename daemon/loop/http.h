/*
 * loop/http: one HTTPS request on a worker thread: the door to libcurl.
 *
 * https only (http to loopback, for a POST), no redirects, no cookies,
 * certificates verified, reply cut at HTTP_REPLY_MAX. Built without libcurl
 * every request fails with a sentence that says so. At most HTTP_THREADS_MAX
 * run at once, HTTP_SAME_MAX to one URL; the others wait.
 */
#ifndef BELFRY_LOOP_HTTP_H
#define BELFRY_LOOP_HTTP_H

#include "daemon/base/buf.h"
#include "daemon/base/error.h"
#include "daemon/base/strv.h"
#include "daemon/loop/loop.h"

#define HTTP_REPLY_MAX (64 * 1024)
#define HTTP_USEC (30 * USEC_SEC)
#define HTTP_THREADS_MAX 4
#define HTTP_SAME_MAX 2
#define HTTP_RETRY_AFTER_MAX (24 * USEC_HOUR) /* more is not believed */

struct http;

struct http_result {
	unsigned status;      /* 0: no reply; `error` says why */
	struct span body;     /* borrowed for the call */
	struct span location; /* of a redirect, a whole URL; borrowed */
	bool is_cut;	      /* there was more than HTTP_REPLY_MAX */
	usec_t retry_after;   /* the wait that the server asks for, or 0 */
	/* FAULT_CONFIG: the URL or a header is not allowed, no libcurl;
	 * FAULT_AUTH: the certificate; FAULT_RETRY: anything else. */
	struct error error;
};
typedef void http_fn(void *ctx, const struct http_result *result);

bool http_is_available(void);
/* `headers`: "Name: value" each, may be NULL; one with a line break in it is
 * refused. All is copied. `fn` is called once, from the loop; the http is
 * freed after it. */
struct http *http_post(struct loop *loop, const char *url,
    const struct strv *headers, struct span body, http_fn *fn, void *ctx);
/* The same with all that a service may want. Borrowed for the call. */
struct http_request {
	const char *url;
	bool is_delete; /* DELETE, without a body; else POST */
	const struct strv *headers;
	struct span body;
	const char *ca_file; /* NULL: the system's store */
	bool only_https;     /* not even to this machine in the clear */
};
struct http *http_send(struct loop *loop, const struct http_request *request,
    http_fn *fn, void *ctx);
/* https only, to this machine, too. `ca_file` NULL: the system's store. The
 * rest is as with http_post. */
struct http *http_get(struct loop *loop, const char *url, const char *ca_file,
    usec_t limit, http_fn *fn, void *ctx);
/* Forgets it; the request may still reach the server. NULL-safe. */
void http_cancel(struct http **http);

#endif
