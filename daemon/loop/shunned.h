/*
 * loop/shunned: addresses where somebody took the connection, and then was of
 * no use: a node that hangs behind its balancer, a way that loses all large
 * packets (IPv6 in a tunnel). A race of addresses cannot tell: such a one wins
 * it each time, and the others, which live, are never asked.
 *
 * Whoever was not served says so; for SHUNNED_USEC the address is tried behind
 * all others of its host, and of several shunned ones the one that was shunned
 * first goes first. With no other address nothing changes. Of the process, for
 * the loop's thread only.
 */
#ifndef BELFRY_LOOP_SHUNNED_H
#define BELFRY_LOOP_SHUNNED_H

#include "daemon/base/usec.h"
#include "daemon/loop/resolve.h"

#define SHUNNED_USEC (15 * USEC_MINUTE)
/* More make the oldest forgotten. */
#define SHUNNED_MAX 32

/* Who is at the other end of a connected socket; `family` is 0 where nobody
 * can tell any more. */
void shunned_peer(int fd, struct resolve_address *address_r);
/* Does nothing for an address without a family. */
void shunned_add(const struct resolve_address *address, usec_t now);
/* It served. */
void shunned_forget(const struct resolve_address *address);
void shunned_sort(struct resolve_result *result, usec_t now);

#endif
