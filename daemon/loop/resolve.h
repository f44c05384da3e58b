/*
 * loop/resolve: host names to addresses, with getaddrinfo on threads: the
 * system's resolver, /etc/hosts and nsswitch included. An address as host
 * resolves to itself without asking anybody.
 */
#ifndef BELFRY_LOOP_RESOLVE_H
#define BELFRY_LOOP_RESOLVE_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "daemon/base/buf.h"
#include "daemon/base/error.h"
#include "daemon/loop/loop.h"

/* More answers are ignored. */
#define RESOLVE_ADDRESSES_MAX 8
/* Lookups at once, and of the same name. */
#define RESOLVE_THREADS_MAX 8
#define RESOLVE_SAME_MAX 2

struct resolve_address {
	int family;
	socklen_t len;
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} sockaddr;
};

struct resolve_result {
	/* In the resolver's order (RFC 6724), then families alternating (RFC
	 * 8305 section 4). */
	struct resolve_address addresses[RESOLVE_ADDRESSES_MAX];
	size_t count; /* 0: `error` says why: FAULT_RETRY, or
		       * FAULT_CONFIG for what is no host name */
	struct error error;
};

struct resolve;

/* Called once, from the loop; `result` is borrowed for the call; the resolve
 * is freed after it. */
typedef void resolve_fn(void *ctx, const struct resolve_result *result);

struct resolve *resolve_start(struct loop *loop, const char *host,
    unsigned port, resolve_fn *fn, void *ctx);
/* Forgets it; a thread that waits for DNS is left to itself. NULL-safe. */
void resolve_cancel(struct resolve **resolve);

/* "192.0.2.1", "2001:db8::1": without the port. */
void resolve_format(const struct resolve_address *address, struct buf *buf);

#endif
