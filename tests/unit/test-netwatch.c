#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#ifdef __linux__
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#endif

#include "daemon/base/buf.h"
#include "daemon/loop/netnews.h"
#include "daemon/loop/netwatch.h"
#include "tests/lib/looprun.h"

#ifdef __linux__
/* ---- what is news ---- */

static void
pad(struct buf *out)
{
	while (out->len % 4 != 0)
		buf_add_char(out, '\0');
}

static void
add_attribute(struct buf *out, unsigned type, const void *data, size_t len)
{
	struct rtattr head = {.rta_len = (unsigned short)(sizeof(head) + len),
	    .rta_type = (unsigned short)type};

	buf_add(out, (const char *)&head, sizeof(head));
	buf_add(out, data, len);
	pad(out);
}

static void
add_message(struct buf *out, unsigned type, unsigned flags, struct span body)
{
	struct nlmsghdr head = {
	    .nlmsg_len = (unsigned)(sizeof(head) + body.len),
	    .nlmsg_type = (unsigned short)type,
	    .nlmsg_flags = (unsigned short)flags};

	buf_add(out, (const char *)&head, sizeof(head));
	buf_add_span(out, body);
	pad(out);
}

static int
family_of(const char *address)
{
	return strchr(address, ':') != NULL ? AF_INET6 : AF_INET;
}

static void
add_ip(struct buf *out, unsigned type, const char *address)
{
	unsigned char bytes[16];
	int family = family_of(address);

	assert_int_equal(inet_pton(family, address, bytes), 1);
	add_attribute(out, type, bytes, family == AF_INET6 ? 16 : 4);
}

static void
add_address(struct buf *out, unsigned type, unsigned flags, const char *address,
    unsigned char scope)
{
	struct ifaddrmsg head = {
	    .ifa_family = (unsigned char)family_of(address),
	    .ifa_prefixlen = 24,
	    .ifa_scope = scope,
	    .ifa_index = 2};
	BUF_AUTO body = BUF_INIT;

	buf_add(&body, (const char *)&head, sizeof(head));
	add_ip(&body, IFA_ADDRESS, address);
	add_message(out, type, flags, buf_span(&body));
}

static void
add_route(struct buf *out, unsigned type, const char *to, unsigned char table)
{
	struct rtmsg head = {
	    .rtm_family = AF_INET, .rtm_table = table, .rtm_type = RTN_UNICAST};
	BUF_AUTO body = BUF_INIT;

	if (to != NULL)
		head.rtm_family = (unsigned char)family_of(to);
	buf_add(&body, (const char *)&head, sizeof(head));
	if (to != NULL)
		add_ip(&body, RTA_DST, to);
	add_message(out, type, 0, buf_span(&body));
}

static void
add_link(struct buf *out, unsigned type, unsigned flags, bool in_bridge)
{
	struct ifinfomsg head = {.ifi_index = 3, .ifi_flags = flags};
	BUF_AUTO body = BUF_INIT;
	int master = 7;

	buf_add(&body, (const char *)&head, sizeof(head));
	if (in_bridge)
		add_attribute(&body, IFLA_MASTER, &master, sizeof(master));
	add_message(out, type, 0, buf_span(&body));
}

/* One after the other, with one memory. */
enum {
	ADDRESS,
	ROUTE,
	LINK,
	BRIDGE_PORT,
	RULE
};
static const struct {
	const char *name;
	int kind;
	unsigned type, flags;
	const char *what;
	unsigned char scope; /* or table */
	bool is_news;
} cases[] = {
    {"address of a dump", ADDRESS, RTM_NEWADDR, NLM_F_MULTI, "192.0.2.9",
	RT_SCOPE_UNIVERSE, false},
    {"told again", ADDRESS, RTM_NEWADDR, 0, "192.0.2.9", RT_SCOPE_UNIVERSE,
	false},
    {"gone", ADDRESS, RTM_DELADDR, 0, "192.0.2.9", RT_SCOPE_UNIVERSE, true},
    {"gone already", ADDRESS, RTM_DELADDR, 0, "192.0.2.9", RT_SCOPE_UNIVERSE,
	false},
    {"back", ADDRESS, RTM_NEWADDR, 0, "192.0.2.9", RT_SCOPE_UNIVERSE, true},
    {"IPv6", ADDRESS, RTM_NEWADDR, 0, "2001:db8::1", RT_SCOPE_UNIVERSE, true},
    {"link-local scope", ADDRESS, RTM_NEWADDR, 0, "192.0.2.10", RT_SCOPE_LINK,
	false},
    {"link-local address", ADDRESS, RTM_NEWADDR, 0, "fe80::1",
	RT_SCOPE_UNIVERSE, false},
    {"loopback", ADDRESS, RTM_NEWADDR, 0, "127.0.0.1", RT_SCOPE_UNIVERSE,
	false},
    {"default route", ROUTE, RTM_NEWROUTE, 0, NULL, RT_TABLE_MAIN, true},
    {"default route gone", ROUTE, RTM_DELROUTE, 0, NULL, RT_TABLE_MAIN, true},
    {"route of a VPN", ROUTE, RTM_NEWROUTE, 0, "10.0.0.0", 200, true},
    {"local table", ROUTE, RTM_NEWROUTE, 0, "192.0.2.9", RT_TABLE_LOCAL, false},
    {"multicast", ROUTE, RTM_NEWROUTE, 0, "ff00::", RT_TABLE_MAIN, false},
    {"fe80::/64", ROUTE, RTM_NEWROUTE, 0, "fe80::", RT_TABLE_MAIN, false},
    {"rule of a VPN", RULE, RTM_NEWRULE, 0, "10.0.0.0", 200, true},
    {"rule gone", RULE, RTM_DELRULE, 0, "2001:db8::", 200, true},
    {"link down", LINK, RTM_NEWLINK, IFF_UP, NULL, 0, false},
    {"link up", LINK, RTM_NEWLINK, IFF_UP | IFF_RUNNING, NULL, 0, true},
    {"still up", LINK, RTM_NEWLINK, IFF_UP | IFF_RUNNING, NULL, 0, false},
    {"gone", LINK, RTM_DELLINK, IFF_UP | IFF_RUNNING, NULL, 0, true},
    {"up again, at first", LINK, RTM_NEWLINK, IFF_UP | IFF_RUNNING, NULL, 0,
	true},
    {"cable pulled", LINK, RTM_NEWLINK, IFF_UP, NULL, 0, true},
    {"still pulled", LINK, RTM_NEWLINK, IFF_UP, NULL, 0, false},
    {"up again", LINK, RTM_NEWLINK, IFF_UP | IFF_RUNNING, NULL, 0, true},
    {"loopback up", LINK, RTM_NEWLINK, IFF_UP | IFF_RUNNING | IFF_LOOPBACK,
	NULL, 0, false},
    {"container", BRIDGE_PORT, RTM_NEWLINK, IFF_UP | IFF_RUNNING, NULL, 0,
	false},
};

static void
add_case(struct buf *out, size_t i)
{
	switch (cases[i].kind) {
	case ADDRESS:
		add_address(out, cases[i].type, cases[i].flags, cases[i].what,
		    cases[i].scope);
		break;
	case RULE: /* begins as a route does */
	case ROUTE:
		add_route(out, cases[i].type, cases[i].what, cases[i].scope);
		break;
	default:
		add_link(out, cases[i].type, cases[i].flags,
		    cases[i].kind == BRIDGE_PORT);
	}
}

static void
test_news(void **state)
{
	struct netnews news = {.count = 0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		BUF_AUTO bytes = BUF_INIT;
		add_case(&bytes, i);
		if (netnews_read(&news, buf_span(&bytes)) == cases[i].is_news)
			continue;
		print_error("case %zu: %s\n", i, cases[i].name);
		fail();
	}
}

/* All in one datagram, and every prefix of it. */
static void
test_cut(void **state)
{
	BUF_AUTO bytes = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		add_case(&bytes, i);
	for (size_t len = 0; len <= bytes.len; len++) {
		struct netnews news = {.count = 0};
		char *copy = malloc(len + 1);
		memcpy(copy, bytes.data, len);
		bool found = netnews_read(&news, span_from(copy, len));
		if (len == bytes.len)
			assert_true(found);
		assert_false(found && len < 16);
		free(copy);
	}
}

static void
read_address(struct netnews *news, unsigned type, const char *address)
{
	BUF_AUTO bytes = BUF_INIT;

	add_address(&bytes, type, 0, address, RT_SCOPE_UNIVERSE);
	netnews_read(news, buf_span(&bytes));
}

static bool
is_gone(const struct netnews *news, const char *address)
{
	unsigned char bytes[16];
	int family = family_of(address);

	assert_int_equal(inet_pton(family, address, bytes), 1);
	return netnews_is_gone(news, (unsigned)family,
	    span_from(bytes, family == AF_INET ? 4 : 16));
}

/* Only what was seen to go is gone. */
static void
test_gone(void **state)
{
	struct netnews news = {.count = 0};
	char text[20];

	(void)state;
	assert_false(is_gone(&news, "192.0.2.9"));
	read_address(&news, RTM_DELADDR, "192.0.2.9");
	assert_false(is_gone(&news, "192.0.2.9"));
	read_address(&news, RTM_NEWADDR, "192.0.2.9");
	read_address(&news, RTM_NEWADDR, "2001:db8::1");
	assert_false(is_gone(&news, "192.0.2.9"));
	read_address(&news, RTM_DELADDR, "192.0.2.9");
	read_address(&news, RTM_DELADDR, "2001:db8::1");
	assert_true(is_gone(&news, "192.0.2.9"));
	assert_true(is_gone(&news, "2001:db8::1"));
	assert_false(is_gone(&news, "192.0.2.10"));
	assert_false(is_gone(&news, "0.0.0.0"));
	assert_false(is_gone(&news, "::"));
	/* It comes back, perhaps unheard. */
	read_address(&news, RTM_NEWADDR, "2001:db8::1");
	assert_false(is_gone(&news, "2001:db8::1"));
	netnews_lost(&news);
	assert_false(is_gone(&news, "192.0.2.9"));
	/* The last ones are remembered. */
	for (unsigned i = 0; i < NETNEWS_GONE_MAX + 1; i++) {
		snprintf(text, sizeof(text), "10.0.0.%u", i + 1);
		read_address(&news, RTM_NEWADDR, text);
		read_address(&news, RTM_DELADDR, text);
		assert_true(is_gone(&news, text));
	}
	assert_false(is_gone(&news, "10.0.0.1"));
	assert_true(is_gone(&news, "10.0.0.2"));
}

static void
test_many(void **state)
{
	struct netnews news = {.count = 0};

	(void)state;
	for (unsigned i = 0; i < NETNEWS_KNOWN_MAX + 10; i++) {
		BUF_AUTO bytes = BUF_INIT;
		char text[20];
		snprintf(text, sizeof(text), "10.0.%u.%u", i / 250, i % 250);
		add_address(&bytes, RTM_NEWADDR, 0, text, RT_SCOPE_UNIVERSE);
		assert_true(netnews_read(&news, buf_span(&bytes)));
	}
	assert_int_equal(news.count, NETNEWS_KNOWN_MAX);
}
#endif

/* ---- clocks ---- */

struct seen {
	struct loop *loop;
	usec_t boot, awake;
	unsigned told[NETWATCH_NEWS];
	bool quits;
};

static void
clocks(void *ctx, usec_t *boot_r, usec_t *awake_r)
{
	const struct seen *seen = ctx;

	*boot_r = seen->boot;
	*awake_r = seen->awake;
}

static void
on_news(void *ctx, enum netwatch_news news)
{
	struct seen *seen = ctx;

	assert_non_null(netwatch_news_words(news));
	seen->told[news]++;
	if (seen->quits)
		loop_quit(seen->loop);
}

static void
pass(struct seen *seen, struct netwatch *watch, usec_t awake, usec_t slept)
{
	seen->awake += awake;
	seen->boot += awake + slept;
	netwatch_look(watch);
}

static void
test_sleep(void **state)
{
	struct looprun run;
	struct seen seen = {.loop = looprun_init(&run),
	    .boot = 5 * USEC_DAY,
	    .awake = 2 * USEC_DAY};
	const struct netwatch_config config = {
	    .loop = seen.loop, .fn = on_news, .ctx = &seen, .clocks = clocks};
	struct netwatch *watch = netwatch_new(&config);

	(void)state;
	pass(&seen, watch, 30 * USEC_SEC, 0);
	pass(&seen, watch, 31 * USEC_SEC, USEC_MSEC);
	assert_int_equal(seen.told[NETWATCH_SUSPENDED], 0);
	pass(&seen, watch, USEC_SEC, 8 * USEC_HOUR);
	assert_int_equal(seen.told[NETWATCH_SUSPENDED], 1);
	pass(&seen, watch, USEC_SEC, 0);
	assert_int_equal(seen.told[NETWATCH_SUSPENDED], 1);
	pass(&seen, watch, 10 * USEC_SEC, 5 * USEC_SEC);
	assert_int_equal(seen.told[NETWATCH_SUSPENDED], 2);
	/* It was stopped, and nobody counted. */
	pass(&seen, watch, 10 * USEC_MINUTE, 0);
	assert_int_equal(seen.told[NETWATCH_SUSPENDED], 3);
	netwatch_free(&watch);
	looprun_done(&run);
}

/* ---- a clock that is set ---- */

#ifdef __linux__
/*
 * The machine's own clock is not to be touched, and no namespace has one of
 * its own: the linker puts these in front of the three calls (--wrap). The
 * timer is an eventfd, and to write to it is to set the clock: what is waiting
 * wakes up, and read says ECANCELED, as a timerfd does.
 */
static struct {
	bool is_on;
	int fd;
	unsigned armed;
	bool is_set_again; /* before it is armed */
} fake = {.fd = -1};

int __real_timerfd_create(int clock, int flags);
int __wrap_timerfd_create(int clock, int flags);
int __real_timerfd_settime(
    int fd, int flags, const struct itimerspec *new, struct itimerspec *old);
int __wrap_timerfd_settime(
    int fd, int flags, const struct itimerspec *new, struct itimerspec *old);
ssize_t __real_read(int fd, void *data, size_t len);
ssize_t __wrap_read(int fd, void *data, size_t len);

int
__wrap_timerfd_create(int clock, int flags)
{
	if (!fake.is_on || clock != CLOCK_REALTIME)
		return __real_timerfd_create(clock, flags);
	assert_true(flags & TFD_NONBLOCK);
	fake.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	fake.armed = 0;
	return fake.fd;
}

int
__wrap_timerfd_settime(
    int fd, int flags, const struct itimerspec *new, struct itimerspec *old)
{
	if (fd != fake.fd)
		return __real_timerfd_settime(fd, flags, new, old);
	assert_int_equal(flags, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET);
	assert_true(new->it_value.tv_sec > 0);
	fake.armed++;
	if (!fake.is_set_again)
		return 0;
	fake.is_set_again = false;
	errno = ECANCELED;
	return -1;
}

ssize_t
__wrap_read(int fd, void *data, size_t len)
{
	ssize_t got = __real_read(fd, data, len);

	if (fd != fake.fd || got < 0)
		return got;
	errno = ECANCELED;
	return -1;
}

static void
set_clock(struct seen *seen)
{
	assert_int_equal(eventfd_write(fake.fd, 1), 0);
	loop_run(seen->loop);
}

static void
test_clock_set(void **state)
{
	struct looprun run;
	struct seen seen = {.loop = looprun_init(&run),
	    .boot = loop_now(),
	    .awake = loop_now(),
	    .quits = true};
	const struct netwatch_config config = {
	    .loop = seen.loop, .fn = on_news, .ctx = &seen, .clocks = clocks};
	(void)state;
	fake.is_on = true;
	struct netwatch *watch = netwatch_new(&config);
	assert_int_equal(fake.armed, 1);
	set_clock(&seen);
	assert_int_equal(seen.told[NETWATCH_CLOCK_CHANGED], 1);
	assert_int_equal(fake.armed, 2);
	/* Set twice: the next time is heard all the same. */
	fake.is_set_again = true;
	set_clock(&seen);
	set_clock(&seen);
	assert_int_equal(seen.told[NETWATCH_CLOCK_CHANGED], 3);
	/* Set because the machine slept: that is told, once. */
	seen.boot += USEC_HOUR;
	set_clock(&seen);
	assert_int_equal(seen.told[NETWATCH_SUSPENDED], 1);
	assert_int_equal(seen.told[NETWATCH_CLOCK_CHANGED], 3);
	assert_int_equal(fake.armed, 5);
	netwatch_free(&watch);
	looprun_done(&run);
	fake.is_on = false;
	fake.fd = -1;
}
#endif

/* ---- a network of our own ---- */

static void
test_network(void **state)
{
#ifdef __linux__
	struct looprun run;
	struct seen seen = {.quits = true};

	(void)state;
	if (unshare(CLONE_NEWNET) != 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		skip();
	if (system("ip link add belfry0 type veth peer name belfry1 "
		   "2>/dev/null") != 0)
		skip();
	seen.loop = looprun_init(&run);
	const struct netwatch_config config = {
	    .loop = seen.loop, .fn = on_news, .ctx = &seen};
	struct netwatch *watch = netwatch_new(&config);
	const char *const commands[] = {
	    "ip link set belfry0 up && ip link set belfry1 up",
	    "ip addr add 192.0.2.1/24 dev belfry0",
	    "ip route add default via 192.0.2.254",
	    "ip addr del 192.0.2.1/24 dev belfry0",
	};
	for (unsigned i = 0; i < 4; i++) {
		if (system(commands[i]) != 0)
			fail_msg("%s", commands[i]);
		loop_run(seen.loop);
		assert_int_equal(seen.told[NETWATCH_NETWORK_CHANGED], i + 1);
	}
	const char *const rules[] = {
	    "ip rule add from 192.0.2.1 table 77 2>/dev/null",
	    "ip -6 rule add from 2001:db8::1 table 77 2>/dev/null",
	};
	unsigned told = 4;
	for (unsigned i = 0; i < 2; i++) {
		if (system(rules[i]) != 0)
			continue; /* this kernel has none */
		loop_run(seen.loop);
		assert_int_equal(seen.told[NETWATCH_NETWORK_CHANGED], ++told);
	}
	assert_int_equal(seen.told[NETWATCH_SUSPENDED], 0);
	assert_int_equal(seen.told[NETWATCH_CLOCK_CHANGED], 0);
	netwatch_free(&watch);
	looprun_done(&run);
#else
	(void)state;
	skip();
#endif
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef __linux__
	    cmocka_unit_test(test_news), cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_gone), cmocka_unit_test(test_many),
	    cmocka_unit_test(test_clock_set),
#endif
	    cmocka_unit_test(test_sleep),
	    cmocka_unit_test(test_network), /* the last: it leaves the world */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
