#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#include "daemon/loop/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#ifdef HAVE_LIBCURL
#include <curl/curl.h>
#endif

#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/loop/worker.h"

struct http {
	http_fn *fn;
	void *ctx;
	struct work *work;
};

/* What the thread sees. */
struct job {
	bool is_get, is_delete, only_https;
	usec_t retry_after;
	char *url;
	char *ca_file; /* or NULL */
	usec_t limit;
	struct strv headers;
	struct buf body;
	struct buf reply;
	struct buf location;
	bool is_cut;
	unsigned status;
	struct error error;
};

static struct worker_pool pool =
    WORKER_POOL_INIT(pool, HTTP_THREADS_MAX, HTTP_SAME_MAX, 0);

#ifdef HAVE_LIBCURL

/* The house says what it is, not which version. */
#define USER_AGENT "belfry"

static void
start_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* 127.0.0.0/8, but not a name that only begins like it. */
static bool
is_loopback(const char *host)
{
	struct span name = span_from_str(host);
	struct in_addr address;

	if (inet_pton(AF_INET, host, &address) == 1)
		return (ntohl(address.s_addr) >> 24) == IN_LOOPBACKNET;
	return span_is_nocase(name, "localhost") || span_is(name, "[::1]");
}

/* Which scheme the URL has, and whether it is allowed. */
static bool
check_url(
    const char *url, bool only_https, bool *loopback_r, struct error *error_r)
{
	CURLU *parts = curl_url();
	char *scheme = NULL, *host = NULL;
	bool ok =
	    parts != NULL &&
	    curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK;

	if (!ok)
		error_set(error_r, FAULT_CONFIG, "this is not a URL");
	else if (!only_https && strcmp(scheme, "http") == 0 &&
		 is_loopback(host))
		*loopback_r = true;
	else if (strcmp(scheme, "https") == 0)
		*loopback_r = false;
	else
		ok = error_set(error_r, FAULT_CONFIG,
		    only_https
			? "only https:// is allowed"
			: "only https:// is allowed (http:// to this machine)");
	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(parts);
	return ok;
}

static bool
check_headers(const struct strv *headers, struct error *error_r)
{
	for (size_t i = 0; i < headers->len; i++)
		if (strpbrk(headers->items[i], "\r\n") != NULL ||
		    strchr(headers->items[i], ':') == NULL)
			return error_set(error_r, FAULT_CONFIG,
			    "a header is \"Name: value\" on one line");
	return true;
}

/* Keeps what fits, then ends the transfer. */
static size_t
on_reply(char *data, size_t size, size_t count, void *ctx)
{
	struct job *job = ctx;
	size_t len = size * count;
	size_t room = HTTP_REPLY_MAX - job->reply.len;

	buf_add(&job->reply, data, len < room ? len : room);
	job->is_cut = len > room;
	return len <= room ? len : 0;
}

static void
set_body(CURL *curl, const struct job *job)
{
	curl_easy_setopt(curl, CURLOPT_POST, 1L);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, buf_str(&job->body));
	curl_easy_setopt(
	    curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)job->body.len);
}

static void
set_options(
    CURL *curl, struct job *job, struct curl_slist *headers, bool loopback)
{
	curl_easy_setopt(curl, CURLOPT_URL, job->url);
	curl_easy_setopt(
	    curl, CURLOPT_PROTOCOLS_STR, loopback ? "http" : "https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(job->limit / 1000));
	if (job->ca_file != NULL)
		curl_easy_setopt(curl, CURLOPT_CAINFO, job->ca_file);
	if (job->is_delete)
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "DELETE");
	else if (!job->is_get)
		set_body(curl, job);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, USER_AGENT);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_reply);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, job);
	if (loopback)
		curl_easy_setopt(curl, CURLOPT_PROXY, "");
}

static void
set_curl_error(struct job *job, CURLcode code, const char *detail)
{
	BUF_AUTO text = BUF_INIT;
	enum fault fault = FAULT_RETRY;

	if (code == CURLE_PEER_FAILED_VERIFICATION)
		fault = FAULT_AUTH;
	str_sanitize(&text,
	    span_from_str(
		detail[0] != '\0' ? detail : curl_easy_strerror(code)),
	    200);
	error_set(&job->error, fault, "%s", buf_str(&text));
}

static usec_t
retry_after(CURL *curl)
{
	curl_off_t wait = 0;

	curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &wait);
	if (wait <= 0 || (usec_t)wait > HTTP_RETRY_AFTER_MAX / USEC_SEC)
		return 0;
	return (usec_t)wait * USEC_SEC;
}

static void
perform(CURL *curl, struct job *job, bool loopback)
{
	/* "Expect: 100-continue" costs a second where it is not known. */
	struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
	char detail[CURL_ERROR_SIZE] = "", *location = NULL;
	long status = 0;
	CURLcode code;

	for (size_t i = 0; i < job->headers.len; i++)
		headers = curl_slist_append(headers, job->headers.items[i]);
	set_options(curl, job, headers, loopback);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &location);
	job->retry_after = retry_after(curl);
	if (location != NULL)
		buf_add_str(&job->location, location);
	/* A reply cut at our limit is a reply. */
	if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && job->is_cut))
		job->status = (unsigned)status;
	else
		set_curl_error(job, code, detail);
	curl_slist_free_all(headers);
}

static void
run(void *ctx)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct job *job = ctx;
	bool loopback = false;
	CURL *curl;

	pthread_once(&once, start_curl);
	if (!check_url(job->url, job->only_https, &loopback, &job->error) ||
	    !check_headers(&job->headers, &job->error))
		return;
	curl = curl_easy_init();
	if (curl == NULL) {
		error_set(&job->error, FAULT_LOCAL, "libcurl did not start");
		return;
	}
	perform(curl, job, loopback);
	curl_easy_cleanup(curl);
}

bool
http_is_available(void)
{
	return true;
}

#else

static void
run(void *ctx)
{
	struct job *job = ctx;

	error_set(&job->error, FAULT_CONFIG,
	    "this Belfry was built without libcurl, so it cannot speak HTTPS");
}

bool
http_is_available(void)
{
	return false;
}

#endif

static void
done(void *ctx, void *owner)
{
	struct job *job = ctx;
	struct http *http = owner;
	struct http_result result = {
	    .status = job->status,
	    .body = buf_span(&job->reply),
	    .location = buf_span(&job->location),
	    .is_cut = job->is_cut,
	    .retry_after = job->retry_after,
	    .error = job->error,
	};

	http->fn(http->ctx, &result);
	free(http);
}

static void
job_free(void *ctx)
{
	struct job *job = ctx;

	/* Each of these may hold a token. */
	memory_wipe(job->url, strlen(job->url));
	for (size_t i = 0; i < job->headers.len; i++)
		memory_wipe(
		    job->headers.items[i], strlen(job->headers.items[i]));
	free(job->url);
	free(job->ca_file);
	buf_done(&job->location);
	strv_done(&job->headers);
	buf_wipe(&job->body);
	buf_wipe(&job->reply);
	buf_done(&job->body);
	buf_done(&job->reply);
	free(job);
}

static const struct work_class http_class = {run, done, job_free};

/* Takes the job. */
static struct http *
start(struct loop *loop, struct job *job, http_fn *fn, void *ctx)
{
	struct http *http = NEW(struct http);

	http->fn = fn;
	http->ctx = ctx;
	http->work = work_start(&pool, loop, &http_class, job->url, job, http);
	return http;
}

struct http *
http_send(struct loop *loop, const struct http_request *request, http_fn *fn,
    void *ctx)
{
	struct job *job = NEW(struct job);

	job->url = xstrdup(request->url);
	job->is_delete = request->is_delete;
	job->only_https = request->only_https;
	job->ca_file = xstrdup(request->ca_file);
	job->limit = HTTP_USEC;
	if (request->headers != NULL)
		strv_copy(&job->headers, request->headers);
	buf_add_span(&job->body, request->body);
	return start(loop, job, fn, ctx);
}

struct http *
http_post(struct loop *loop, const char *url, const struct strv *headers,
    struct span body, http_fn *fn, void *ctx)
{
	const struct http_request request = {
	    .url = url, .headers = headers, .body = body};

	return http_send(loop, &request, fn, ctx);
}

struct http *
http_get(struct loop *loop, const char *url, const char *ca_file, usec_t limit,
    http_fn *fn, void *ctx)
{
	struct job *job = NEW(struct job);

	job->is_get = job->only_https = true;
	job->url = xstrdup(url);
	job->ca_file = xstrdup(ca_file);
	job->limit = limit;
	return start(loop, job, fn, ctx);
}

void
http_cancel(struct http **http)
{
	if (*http == NULL)
		return;
	work_cancel(&(*http)->work);
	free(*http);
	*http = NULL;
}
