/*
 * loop/http: one HTTPS POST on a worker thread: the door to libcurl.
 * https only (http to loopback), no redirects, reply cut at HTTP_REPLY_MAX.
 * Built without libcurl every request fails with a sentence that says so.
 */
#ifndef BELFRY_LOOP_HTTP_H
#define BELFRY_LOOP_HTTP_H

#include "daemon/base/buf.h"
#include "daemon/base/error.h"
#include "daemon/base/strv.h"
#include "daemon/loop/loop.h"

#define HTTP_REPLY_MAX (64 * 1024)
#define HTTP_USEC (30 * USEC_SEC)

struct http;

struct http_result {
	unsigned status; /* 0: no reply; `error` says why */
	struct span body; /* borrowed for the call */
	struct error error;
};
typedef void http_fn(void *ctx, const struct http_result *result);

bool http_is_available(void);
struct http *http_post(struct loop *loop, const char *url,
    const struct strv *headers, struct span body, http_fn *fn, void *ctx);
void http_cancel(struct http **http);

#endif
