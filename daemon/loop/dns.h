/*
 * loop/dns: MX and SRV records of a domain: the door to libresolv, on worker
 * threads. The system's name servers are asked (resolv.conf(5)); names are
 * complete as they stand, no search list is used. What they answer is
 * unsigned: nobody may be trusted because of it.
 */
#ifndef BELFRY_LOOP_DNS_H
#define BELFRY_LOOP_DNS_H

#include "daemon/base/error.h"
#include "daemon/loop/loop.h"

/* More are ignored. */
#define DNS_RECORDS_MAX 20
#define DNS_HOST_SIZE 256
#define DNS_THREADS_MAX 2
#define DNS_SAME_MAX 2
/* Each name server is asked twice, with so much patience. */
#define DNS_TRY_SEC 2
#define DNS_TRIES 2
#define DNS_SERVERS_MAX 2 /* the first ones of resolv.conf */

enum dns_kind {
	DNS_MX,
	DNS_SRV
};

struct dns_record {
	unsigned priority;
	unsigned weight, port;	  /* SRV */
	char host[DNS_HOST_SIZE]; /* without the final dot; "" is the root */
};

struct dns_result {
	struct dns_record records[DNS_RECORDS_MAX];
	/* 0: there are none, or `error` says why nobody knows (FAULT_RETRY). */
	size_t count;
	struct error error;
};

struct dns;

/* Called once, from the loop; `result` is borrowed for the call; the dns is
 * freed after it. */
typedef void dns_fn(void *ctx, const struct dns_result *result);

struct dns *dns_ask(struct loop *loop, enum dns_kind kind, const char *name,
    dns_fn *fn, void *ctx);
/* Forgets it; a thread that waits is left to itself. NULL-safe. */
void dns_cancel(struct dns **dns);

#endif
