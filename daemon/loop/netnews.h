/*
 * loop/netnews: what the kernel's routing messages (rtnetlink(7)) mean for
 * connections that exist: whether the way to the world may have changed.
 *
 * News are: an address of this machine came or went, a route came or went, or a
 * rule that says who takes which routes; a link came up or went down. No news
 * are: what stays on the link (fe80::/10, multicast), the table of local
 * addresses, loopback, ports of a bridge (containers come and go all day), and
 * an address that is only told again (routers advertise it every few minutes).
 * To tell these apart it remembers what there is, at most NETNEWS_KNOWN_MAX
 * addresses and links; above it, everything is news.
 *
 * No I/O in here. Only on Linux; elsewhere nothing is ever news.
 */
#ifndef BELFRY_LOOP_NETNEWS_H
#define BELFRY_LOOP_NETNEWS_H

#include <stdbool.h>

#include "daemon/base/span.h"

#define NETNEWS_KNOWN_MAX 256
#define NETNEWS_GONE_MAX 8

struct netnews_thing {
	int link;
	unsigned char family; /* 0: the link itself, which is up */
	unsigned char prefix;
	unsigned char address[16];
};

struct netnews {
	struct netnews_thing known[NETNEWS_KNOWN_MAX];
	size_t count;
	bool dumped; /* a dump has ended: cleared by who asked for it */
	/* Addresses that went last, the oldest first to be forgotten. */
	struct netnews_thing gone[NETNEWS_GONE_MAX];
	size_t next_gone;
};

/* One datagram, which may hold several messages; those of a dump are only
 * learned. Anything malformed ends it. */
bool netnews_read(struct netnews *news, struct span datagram);
/* Datagrams were lost: an address that went may have come back. */
void netnews_lost(struct netnews *news);
/* Whether this address of this machine was seen to go, and not to come back. */
bool netnews_is_gone(
    const struct netnews *news, unsigned family, struct span address);

#endif
