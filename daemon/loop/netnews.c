#include "daemon/loop/netnews.h"

#include <string.h>

#ifdef __linux__
#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

/* One message: its payload behind the header. */
struct message {
	unsigned type;
	bool is_dump;
	struct span body;
};

/* ---- what there is ---- */

/* Not the bytes behind them. */
static bool
is_same(const struct netnews_thing *a, const struct netnews_thing *b)
{
	return a->link == b->link && a->family == b->family &&
	       a->prefix == b->prefix &&
	       memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

static size_t
find(const struct netnews *news, const struct netnews_thing *thing)
{
	size_t i = 0;

	while (i < news->count && !is_same(&news->known[i], thing))
		i++;
	return i;
}

static bool
is_address(const struct netnews_thing *thing, unsigned family,
    const void *address, size_t len)
{
	return thing->family != 0 && thing->family == family &&
	       memcmp(thing->address, address, len) == 0;
}

static void
note_gone(struct netnews *news, const struct netnews_thing *thing)
{
	if (thing->family == 0)
		return;
	news->gone[news->next_gone] = *thing;
	news->next_gone = (news->next_gone + 1) % NETNEWS_GONE_MAX;
}

static void
note_back(struct netnews *news, const struct netnews_thing *thing)
{
	for (size_t i = 0; i < NETNEWS_GONE_MAX; i++)
		if (is_address(&news->gone[i], thing->family, thing->address,
			sizeof(thing->address)))
			news->gone[i].family = 0;
}

/* False: it was there. */
static bool
learn(struct netnews *news, const struct netnews_thing *thing)
{
	note_back(news, thing);
	if (find(news, thing) < news->count)
		return false;
	if (news->count < NETNEWS_KNOWN_MAX)
		news->known[news->count++] = *thing;
	return true;
}

static bool
forget(struct netnews *news, const struct netnews_thing *thing)
{
	size_t at = find(news, thing);

	if (at == news->count)
		return news->count == NETNEWS_KNOWN_MAX;
	note_gone(news, thing);
	news->known[at] = news->known[--news->count];
	return true;
}

/* ---- attributes: length, type, value, padded to four bytes ---- */

static struct span
attribute(struct span rest, unsigned wanted)
{
	struct rtattr head;

	while (rest.len >= sizeof(head)) {
		memcpy(&head, rest.data, sizeof(head));
		if (head.rta_len < sizeof(head) || head.rta_len > rest.len)
			break;
		if ((head.rta_type & NLA_TYPE_MASK) == wanted)
			return span_slice(
			    rest, sizeof(head), head.rta_len - sizeof(head));
		rest = span_skip(rest, RTA_ALIGN((size_t)head.rta_len));
	}
	return SPAN_EMPTY;
}

static bool
stays_on_link(unsigned family, struct span address)
{
	const unsigned char *bytes = (const unsigned char *)address.data;

	if (address.len < 4)
		return false;
	if (family == AF_INET6)
		return bytes[0] == 0xff ||
		       (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80);
	return bytes[0] >= 224 || bytes[0] == 127 ||
	       (bytes[0] == 169 && bytes[1] == 254);
}

/* ---- a function for each kind of message ---- */

static bool
read_address(struct netnews *news, const struct message *message)
{
	struct netnews_thing thing;
	struct ifaddrmsg head;

	if (message->body.len < sizeof(head))
		return false;
	memcpy(&head, message->body.data, sizeof(head));
	struct span rest = span_skip(message->body, NLMSG_ALIGN(sizeof(head)));
	struct span address = attribute(rest, IFA_LOCAL);
	if (address.len == 0)
		address = attribute(rest, IFA_ADDRESS);
	if (head.ifa_scope >= RT_SCOPE_LINK || address.len == 0 ||
	    stays_on_link(head.ifa_family, address))
		return false;
	memset(&thing, 0, sizeof(thing));
	thing.link = (int)head.ifa_index;
	thing.family = head.ifa_family;
	thing.prefix = head.ifa_prefixlen;
	memcpy(thing.address, address.data,
	    address.len < sizeof(thing.address) ? address.len
						: sizeof(thing.address));
	return message->type == RTM_NEWADDR ? learn(news, &thing)
					    : forget(news, &thing);
}

static bool
read_route(struct netnews *news, const struct message *message)
{
	struct rtmsg head;

	(void)news;
	if (message->body.len < sizeof(head))
		return false;
	memcpy(&head, message->body.data, sizeof(head));
	struct span rest = span_skip(message->body, NLMSG_ALIGN(sizeof(head)));
	if (head.rtm_table == RT_TABLE_LOCAL ||
	    (head.rtm_flags & RTM_F_CLONED) != 0 ||
	    (head.rtm_type != RTN_UNICAST && head.rtm_type != RTN_UNREACHABLE &&
		head.rtm_type != RTN_BLACKHOLE &&
		head.rtm_type != RTN_PROHIBIT))
		return false;
	return !stays_on_link(head.rtm_family, attribute(rest, RTA_DST));
}

/* Also that it goes down: the IPv4 routes that go with it are not told. */
static bool
read_link(struct netnews *news, const struct message *message)
{
	const unsigned up = IFF_UP | IFF_RUNNING;
	struct netnews_thing thing;
	struct ifinfomsg head;

	if (message->body.len < sizeof(head))
		return false;
	memcpy(&head, message->body.data, sizeof(head));
	struct span rest = span_skip(message->body, NLMSG_ALIGN(sizeof(head)));
	if ((head.ifi_flags & IFF_LOOPBACK) != 0 ||
	    attribute(rest, IFLA_MASTER).len > 0)
		return false;
	memset(&thing, 0, sizeof(thing));
	thing.link = head.ifi_index;
	if (message->type == RTM_NEWLINK && (head.ifi_flags & up) == up)
		return learn(news, &thing);
	return forget(news, &thing);
}

/* Which table of routes is for whom: some VPNs change nothing else. */
static bool
read_rule(struct netnews *news, const struct message *message)
{
	(void)news;
	(void)message;
	return true;
}

static const struct {
	unsigned type;
	bool (*read)(struct netnews *, const struct message *);
} readers[] = {
    {RTM_NEWADDR, read_address},
    {RTM_DELADDR, read_address},
    {RTM_NEWROUTE, read_route},
    {RTM_DELROUTE, read_route},
    {RTM_NEWLINK, read_link},
    {RTM_DELLINK, read_link},
    {RTM_NEWRULE, read_rule},
    {RTM_DELRULE, read_rule},
};

static bool
read_message(struct netnews *news, const struct message *message)
{
	if (message->type == NLMSG_DONE || message->type == NLMSG_ERROR)
		news->dumped = true;
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		if (readers[i].type == message->type)
			return readers[i].read(news, message) &&
			       !message->is_dump;
	return false;
}

bool
netnews_read(struct netnews *news, struct span rest)
{
	struct nlmsghdr head;
	bool found = false;

	while (rest.len >= sizeof(head)) {
		memcpy(&head, rest.data, sizeof(head));
		if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > rest.len)
			break;
		const struct message message = {
		    .type = head.nlmsg_type,
		    .is_dump = (head.nlmsg_flags & NLM_F_MULTI) != 0,
		    .body = span_slice(rest, NLMSG_HDRLEN,
			head.nlmsg_len - (size_t)NLMSG_HDRLEN),
		};
		found = read_message(news, &message) || found;
		rest = span_skip(rest, NLMSG_ALIGN((size_t)head.nlmsg_len));
	}
	return found;
}

void
netnews_lost(struct netnews *news)
{
	memset(news->gone, 0, sizeof(news->gone));
}

bool
netnews_is_gone(
    const struct netnews *news, unsigned family, struct span address)
{
	bool is_gone = false;

	if (address.len > sizeof(news->gone[0].address))
		return false;
	for (size_t i = 0; i < NETNEWS_GONE_MAX; i++)
		is_gone |= is_address(
		    &news->gone[i], family, address.data, address.len);
	/* Another link may have it. */
	for (size_t i = 0; is_gone && i < news->count; i++)
		is_gone = !is_address(
		    &news->known[i], family, address.data, address.len);
	return is_gone;
}
#else
bool
netnews_read(struct netnews *news, struct span datagram)
{
	(void)news;
	(void)datagram;
	return false;
}

void
netnews_lost(struct netnews *news)
{
	(void)news;
}

bool
netnews_is_gone(
    const struct netnews *news, unsigned family, struct span address)
{
	(void)news;
	(void)family;
	(void)address;
	return false;
}
#endif
