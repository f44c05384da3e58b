#include "daemon/loop/shunned.h"

#include <string.h>

static struct shunned {
	struct resolve_address address;
	usec_t since; /* 0: none */
} rows[SHUNNED_MAX];

/* Not flow labels and the like. */
static bool
is_same(const struct resolve_address *a, const struct resolve_address *b)
{
	if (a->family != b->family)
		return false;
	if (a->family == AF_INET)
		return a->sockaddr.in.sin_port == b->sockaddr.in.sin_port &&
		       a->sockaddr.in.sin_addr.s_addr ==
			   b->sockaddr.in.sin_addr.s_addr;
	return a->sockaddr.in6.sin6_port == b->sockaddr.in6.sin6_port &&
	       memcmp(&a->sockaddr.in6.sin6_addr, &b->sockaddr.in6.sin6_addr,
		   sizeof(struct in6_addr)) == 0;
}

static struct shunned *
find(const struct resolve_address *address)
{
	for (size_t i = 0; i < SHUNNED_MAX; i++)
		if (rows[i].since != 0 && is_same(&rows[i].address, address))
			return &rows[i];
	return NULL;
}

/* 0: not any more, or never. */
static usec_t
shunned_since(const struct resolve_address *address, usec_t now)
{
	const struct shunned *row = find(address);

	return row != NULL && now < usec_add(row->since, SHUNNED_USEC)
		   ? row->since
		   : 0;
}

void
shunned_peer(int fd, struct resolve_address *address_r)
{
	socklen_t len = sizeof(address_r->sockaddr);

	memset(address_r, 0, sizeof(*address_r));
	if (getpeername(fd, &address_r->sockaddr.any, &len) != 0)
		return;
	int family = address_r->sockaddr.any.sa_family;
	if (family != AF_INET && family != AF_INET6)
		return;
	address_r->family = family;
	address_r->len = len;
}

void
shunned_add(const struct resolve_address *address, usec_t now)
{
	struct shunned *row = find(address);

	if (address->family == 0)
		return;
	for (size_t i = 0; row == NULL && i < SHUNNED_MAX; i++)
		if (rows[i].since == 0)
			row = &rows[i];
	if (row == NULL) {
		row = &rows[0];
		for (size_t i = 1; i < SHUNNED_MAX; i++)
			if (rows[i].since < row->since)
				row = &rows[i];
	}
	row->address = *address;
	row->since = now == 0 ? 1 : now;
}

void
shunned_forget(const struct resolve_address *address)
{
	struct shunned *row = find(address);

	if (row != NULL)
		row->since = 0;
}

/* By insertion: stable, and there are few. */
void
shunned_sort(struct resolve_result *result, usec_t now)
{
	for (size_t i = 1; i < result->count; i++) {
		struct resolve_address address = result->addresses[i];
		usec_t since = shunned_since(&address, now);
		size_t at = i;

		while (at > 0 &&
		       shunned_since(&result->addresses[at - 1], now) > since) {
			result->addresses[at] = result->addresses[at - 1];
			at--;
		}
		result->addresses[at] = address;
	}
}
