#include "daemon/loop/netwatch.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/timerfd.h>
#endif

#include "daemon/base/xalloc.h"
#include "daemon/loop/netnews.h"

/* One read of the netlink socket: the kernel's messages are smaller. */
#define DATAGRAM_SIZE (32 * 1024)

struct netwatch {
	struct netwatch_config config;
	usec_t slept; /* boot - awake, at the last look */
	usec_t next_look;
	struct loop_timer *look, *quiet;
	int clock_fd, net_fd; /* -1: not to be had */
	struct loop_watch *clock, *net;
	struct netnews news;
	unsigned dump; /* index of the next thing to ask for */
	bool burst;    /* told when `quiet` fires */
};

const char *
netwatch_news_words(enum netwatch_news news)
{
	static const char *const words[NETWATCH_NEWS] = {
	    [NETWATCH_SUSPENDED] = "the machine slept",
	    [NETWATCH_CLOCK_CHANGED] = "the clock was set",
	    [NETWATCH_NETWORK_CHANGED] = "the network changed",
	};

	return words[news];
}

/* ---- clocks ---- */

static usec_t
read_clock(clockid_t id)
{
	struct timespec now = {0, 0};

	clock_gettime(id, &now);
	return (usec_t)now.tv_sec * USEC_SEC + (usec_t)now.tv_nsec / 1000;
}

/* Read one after the other: awake first, so that the difference is never too
 * small by more than the time between. */
static void
read_clocks(struct netwatch *watch, usec_t *boot_r, usec_t *awake_r)
{
	if (watch->config.clocks != NULL) {
		watch->config.clocks(watch->config.ctx, boot_r, awake_r);
		return;
	}
	*awake_r = read_clock(CLOCK_MONOTONIC);
	*boot_r = loop_now();
}

/* Whether it slept since the last look. */
static bool
has_slept(struct netwatch *watch)
{
	usec_t boot, awake;

	read_clocks(watch, &boot, &awake);
	usec_t slept = usec_since(awake, boot);
	bool is_late = boot > usec_add(watch->next_look, NETWATCH_LATE_USEC);
	bool grew = slept > usec_add(watch->slept, NETWATCH_SLEPT_USEC);

	watch->slept = slept;
	watch->next_look = usec_add(boot, NETWATCH_LOOK_USEC);
	return grew || is_late;
}

void
netwatch_look(struct netwatch *watch)
{
	bool slept = has_slept(watch);

	loop_timer_set(watch->look, usec_add(loop_now(), NETWATCH_LOOK_USEC));
	if (slept)
		watch->config.fn(watch->config.ctx, NETWATCH_SUSPENDED);
}

static void
on_look(void *ctx)
{
	netwatch_look(ctx);
}

#ifdef __linux__
/* Far away; only its cancellation is of interest. ECANCELED: the clock was set
 * once more before this, and the timer is armed all the same. */
static bool
arm_clock(int fd)
{
	const struct itimerspec never = {
	    .it_value = {.tv_sec = (time_t)INT32_MAX * 4}};

	return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET,
		   &never, NULL) == 0 ||
	       errno == ECANCELED;
}

static void
on_clock(void *ctx, unsigned ready)
{
	struct netwatch *watch = ctx;
	uint64_t expirations;

	(void)ready;
	if (read(watch->clock_fd, &expirations, sizeof(expirations)) >= 0 ||
	    errno != ECANCELED)
		return;
	if (!arm_clock(watch->clock_fd))
		loop_watch_set(watch->clock, 0);
	watch->config.fn(watch->config.ctx,
	    has_slept(watch) ? NETWATCH_SUSPENDED : NETWATCH_CLOCK_CHANGED);
}

static void
open_clock(struct netwatch *watch)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);

	watch->clock_fd = fd;
	if (fd < 0 || !arm_clock(fd))
		return;
	watch->clock = loop_watch_new(watch->config.loop, fd, on_clock, watch);
	loop_watch_set(watch->clock, LOOP_READ);
}

/* ---- network ---- */

/* What is there already is no news: addresses, then links. */
static void
ask_next(struct netwatch *watch)
{
	static const unsigned short wanted[] = {RTM_GETADDR, RTM_GETLINK};
	struct {
		struct nlmsghdr head;
		struct rtgenmsg body;
	} request;

	if (watch->dump >= sizeof(wanted) / sizeof(wanted[0]))
		return;
	memset(&request, 0, sizeof(request));
	request.head.nlmsg_len = NLMSG_LENGTH(sizeof(request.body));
	request.head.nlmsg_type = wanted[watch->dump++];
	request.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request.body.rtgen_family = AF_UNSPEC;
	if (send(watch->net_fd, &request, request.head.nlmsg_len, 0) < 0)
		watch->news.dumped = false; /* then it is news, once */
}

/* Whether there was something to read; `changed_r` is only ever made true. */
static bool
read_net(struct netwatch *watch, bool *changed_r)
{
	char bytes[DATAGRAM_SIZE];
	ssize_t len = recv(watch->net_fd, bytes, sizeof(bytes), 0);

	if (len < 0 && errno == ENOBUFS) {
		netnews_lost(&watch->news);
		*changed_r = true; /* nobody knows what was lost */
		return true;
	}
	if (len <= 0)
		return len < 0 && errno == EINTR;
	if (netnews_read(&watch->news, span_from(bytes, (size_t)len)))
		*changed_r = true;
	return true;
}

static void
on_net(void *ctx, unsigned ready)
{
	struct netwatch *watch = ctx;
	bool changed = false;

	(void)ready;
	while (read_net(watch, &changed))
		continue;
	if (watch->news.dumped) {
		watch->news.dumped = false;
		ask_next(watch);
	}
	if (!changed || watch->burst)
		return;
	watch->burst = true;
	loop_timer_set(watch->quiet, usec_add(loop_now(), NETWATCH_QUIET_USEC));
}

/* The header has a number for it, and no bit. */
#define IPV6_RULE_GROUP (1U << (RTNLGRP_IPV6_RULE - 1))

static void
open_net(struct netwatch *watch)
{
	const struct sockaddr_nl address = {.nl_family = AF_NETLINK,
	    .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
			 RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE |
			 RTMGRP_IPV4_RULE | IPV6_RULE_GROUP};
	int fd = socket(
	    AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);

	watch->net_fd = fd;
	if (fd < 0 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return;
	watch->net = loop_watch_new(watch->config.loop, fd, on_net, watch);
	loop_watch_set(watch->net, LOOP_READ);
	ask_next(watch);
}
#else
static void
open_clock(struct netwatch *watch)
{
	watch->clock_fd = -1;
}

static void
open_net(struct netwatch *watch)
{
	watch->net_fd = -1;
}
#endif

bool
netwatch_is_gone(const struct netwatch *watch, const struct sockaddr *address)
{
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	if (address->sa_family == AF_INET) {
		memcpy(&four, address, sizeof(four));
		return netnews_is_gone(&watch->news, AF_INET,
		    span_from(&four.sin_addr, sizeof(four.sin_addr)));
	}
	if (address->sa_family != AF_INET6)
		return false;
	memcpy(&six, address, sizeof(six));
	return netnews_is_gone(&watch->news, AF_INET6,
	    span_from(&six.sin6_addr, sizeof(six.sin6_addr)));
}

static void
on_quiet(void *ctx)
{
	struct netwatch *watch = ctx;

	watch->burst = false;
	watch->config.fn(watch->config.ctx, NETWATCH_NETWORK_CHANGED);
}

/* ---- life ---- */

struct netwatch *
netwatch_new(const struct netwatch_config *config)
{
	struct netwatch *watch = NEW(struct netwatch);

	watch->config = *config;
	watch->next_look = USEC_NEVER; /* nothing is late yet */
	has_slept(watch);
	watch->look = loop_timer_new(config->loop, on_look, watch);
	watch->quiet = loop_timer_new(config->loop, on_quiet, watch);
	loop_timer_set(watch->look, usec_add(loop_now(), NETWATCH_LOOK_USEC));
	open_clock(watch);
	open_net(watch);
	return watch;
}

static void
close_fd(struct loop_watch **watch, int fd)
{
	loop_watch_free(watch);
	if (fd >= 0)
		close(fd);
}

void
netwatch_free(struct netwatch **watch)
{
	struct netwatch *w = *watch;

	if (w == NULL)
		return;
	close_fd(&w->clock, w->clock_fd);
	close_fd(&w->net, w->net_fd);
	loop_timer_free(&w->look);
	loop_timer_free(&w->quiet);
	free(w);
	*watch = NULL;
}
