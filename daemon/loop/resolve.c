#include "daemon/loop/resolve.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/loop/worker.h"

#define HOST_MAX 253 /* RFC 1035 section 3.1, as text */
#define HOST_SHOWN_MAX 100

struct resolve {
	resolve_fn *fn;
	void *ctx;
	struct work *work;
};

/* What the thread sees. */
struct job {
	char *host;
	unsigned port;
	struct resolve_result result;
};

static struct worker_pool pool =
    WORKER_POOL_INIT(pool, RESOLVE_THREADS_MAX, RESOLVE_SAME_MAX, 0);

static bool
take_address(const struct addrinfo *info, struct resolve_address *address_r)
{
	if ((info->ai_family != AF_INET && info->ai_family != AF_INET6) ||
	    info->ai_addrlen > sizeof(address_r->sockaddr))
		return false;
	address_r->family = info->ai_family;
	address_r->len = info->ai_addrlen;
	memcpy(&address_r->sockaddr, info->ai_addr, info->ai_addrlen);
	return true;
}

/* The next of `list` whose family is `family` (or is not, if `other`), from
 * *at on. */
static const struct addrinfo *
next_of(const struct addrinfo **at, int family, bool other)
{
	const struct addrinfo *info = *at;

	while (info != NULL && (info->ai_family == family) == other)
		info = info->ai_next;
	*at = info == NULL ? NULL : info->ai_next;
	return info;
}

/* RFC 8305 section 4: the families take turns, so that one dead family costs
 * one step. */
static void
interleave(const struct addrinfo *list, struct resolve_result *result)
{
	int family = list->ai_family;
	const struct addrinfo *same = list, *other = list;
	bool turn = false;

	while ((same != NULL || other != NULL) &&
	       result->count < RESOLVE_ADDRESSES_MAX) {
		const struct addrinfo *info =
		    next_of(turn ? &other : &same, family, turn);

		turn = !turn;
		if (info != NULL &&
		    take_address(info, &result->addresses[result->count]))
			result->count++;
	}
}

static void
set_failure(struct job *job, int code)
{
	BUF_AUTO host = BUF_INIT;
	const char *reason = gai_strerror(code);

	str_sanitize(&host, span_from_str(job->host), HOST_SHOWN_MAX);
	if (code == EAI_NONAME)
		reason = "no such host in DNS";
	error_set(&job->result.error, FAULT_RETRY, "cannot resolve %s: %s",
	    buf_str(&host), reason);
}

static bool
host_is_plain(struct span host)
{
	if (host.len == 0 || host.len > HOST_MAX)
		return false;
	for (size_t i = 0; i < host.len; i++)
		if (!char_is_alnum(host.data[i]) &&
		    strchr("-._:%", host.data[i]) == NULL)
			return false;
	return true;
}

static void
run(void *ctx)
{
	struct job *job = ctx;
	struct addrinfo hints = {
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICSERV,
	};
	struct addrinfo *list = NULL;
	char port[8];
	int code;

	if (!host_is_plain(span_from_str(job->host))) {
		error_set(&job->result.error, FAULT_CONFIG,
		    "the server's name has a character that no host name has, "
		    "is empty or too long: write international names in their "
		    "xn-- form");
		return;
	}
	snprintf(port, sizeof(port), "%u", job->port & 0xffff);
	code = getaddrinfo(job->host, port, &hints, &list);
	if (code != 0) {
		set_failure(job, code);
		return;
	}
	interleave(list, &job->result);
	freeaddrinfo(list);
	if (job->result.count == 0)
		set_failure(job, EAI_NONAME);
}

static void
done(void *ctx, void *owner)
{
	struct job *job = ctx;
	struct resolve *resolve = owner;

	resolve->fn(resolve->ctx, &job->result);
	free(resolve);
}

static void
job_free(void *ctx)
{
	struct job *job = ctx;

	free(job->host);
	free(job);
}

static const struct work_class resolve_class = {run, done, job_free};

struct resolve *
resolve_start(struct loop *loop, const char *host, unsigned port,
    resolve_fn *fn, void *ctx)
{
	struct resolve *resolve = NEW(struct resolve);
	struct job *job = NEW(struct job);

	job->host = xstrdup(host);
	job->port = port;
	resolve->fn = fn;
	resolve->ctx = ctx;
	resolve->work =
	    work_start(&pool, loop, &resolve_class, host, job, resolve);
	return resolve;
}

void
resolve_cancel(struct resolve **resolve)
{
	if (*resolve == NULL)
		return;
	work_cancel(&(*resolve)->work);
	free(*resolve);
	*resolve = NULL;
}

void
resolve_format(const struct resolve_address *address, struct buf *buf)
{
	char text[NI_MAXHOST];

	if (getnameinfo(&address->sockaddr.any, address->len, text,
		sizeof(text), NULL, 0, NI_NUMERICHOST) == 0)
		buf_add_str(buf, text);
}
