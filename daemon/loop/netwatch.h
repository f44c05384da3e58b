/*
 * loop/netwatch: tells when connections may be dead without knowing it: the
 * machine slept, its wall clock was set, its network changed.
 *
 * Sleep: CLOCK_BOOTTIME counts it, CLOCK_MONOTONIC does not. That is looked
 * at whenever the wall clock was set (a timerfd with TFD_TIMER_CANCEL_ON_SET,
 * which a resume cancels, too) and every NETWATCH_LOOK_USEC; a process that
 * was stopped for long counts as having slept. Network: rtnetlink, what
 * loop/netnews finds worth telling; a burst is told once, NETWATCH_QUIET_USEC
 * after it began. Nothing is ever sent to any other machine.
 *
 * Where the kernel has no such thing, or refuses it, less is told.
 */
#ifndef BELFRY_LOOP_NETWATCH_H
#define BELFRY_LOOP_NETWATCH_H

#include "daemon/loop/loop.h"

#define NETWATCH_QUIET_USEC USEC_SEC
#define NETWATCH_LOOK_USEC (30 * USEC_SEC)
/* So much that nobody counted, or so much too late: it slept. */
#define NETWATCH_SLEPT_USEC USEC_SEC
#define NETWATCH_LATE_USEC (20 * USEC_SEC)

enum netwatch_news {
	NETWATCH_SUSPENDED,
	NETWATCH_CLOCK_CHANGED,
	NETWATCH_NETWORK_CHANGED,
	NETWATCH_NEWS
};
/* For people: "the machine slept". */
const char *netwatch_news_words(enum netwatch_news news);

struct netwatch;

/* From the loop; the netwatch may be freed in it. */
typedef void netwatch_fn(void *ctx, enum netwatch_news news);

struct netwatch_config {
	struct loop *loop;
	netwatch_fn *fn;
	void *ctx;
	/* For tests: time since boot with and without sleep. NULL: the clocks
	 * of the system. */
	void (*clocks)(void *ctx, usec_t *boot_r, usec_t *awake_r);
};

struct netwatch *netwatch_new(const struct netwatch_config *config);
void netwatch_free(struct netwatch **watch);
/* Whether this is the address (of IPv4 or IPv6) of a socket here, and no
 * address of this machine any more: nothing can come to it. False where that
 * is not known. */
struct sockaddr;
bool netwatch_is_gone(
    const struct netwatch *watch, const struct sockaddr *address);
/* Looks at the clocks now; may call `fn`. */
void netwatch_look(struct netwatch *watch);

#endif
