/* Host names and addresses: see syntax.h. */
#include "daemon/config/syntax.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "daemon/base/eai.h"
#include "daemon/base/str.h"
#include "daemon/base/utf8.h"

static bool
refuse(const char *why, size_t offset, const char **why_r, size_t *offset_r)
{
	*why_r = why;
	*offset_r = offset;
	return false;
}

/* ---- hosts ---- */

#define ADDRESS_TEXT_SIZE 64 /* longer than any IP address */

static bool
parse_ip(int family, struct span host, void *address_r)
{
	char text[ADDRESS_TEXT_SIZE];

	if (host.len == 0 || host.len >= sizeof(text) ||
	    memchr(host.data, '\0', host.len) != NULL)
		return false;
	memcpy(text, host.data, host.len);
	text[host.len] = '\0';
	return inet_pton(family, text, address_r) == 1;
}

bool
host_is_ipv6(struct span host)
{
	struct in6_addr address;

	return parse_ip(AF_INET6, host, &address);
}

bool
host_is_loopback(struct span host)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (span_is_nocase(host, "localhost"))
		return true;
	if (parse_ip(AF_INET, host, &v4))
		return (ntohl(v4.s_addr) >> 24) == 127;
	return parse_ip(AF_INET6, host, &v6) && IN6_IS_ADDR_LOOPBACK(&v6);
}

static const char *
label_trouble(struct span label)
{
	if (label.len == 0)
		return "a host name has no empty parts, and no dot at its end";
	if (label.len > HOST_LABEL_MAX)
		return "a part of a host name has at most 63 characters";
	if (label.data[0] == '-' || label.data[label.len - 1] == '-')
		return "a part of a host name neither begins nor ends with a "
		       "hyphen";
	return NULL;
}

/* 127.1 and 0x7f.1 are addresses to some resolvers: never a name. */
static bool
looks_numeric(struct span label)
{
	if (span_starts_nocase(label, "0x"))
		return true;
	for (size_t i = 0; i < label.len; i++)
		if (!char_is_digit(label.data[i]))
			return false;
	return true;
}

static bool
check_host_chars(struct span host, const char **why_r, size_t *offset_r)
{
	for (size_t i = 0; i < host.len; i++) {
		char c = host.data[i];
		if ((unsigned char)c >= 0x80)
			return refuse("write an international host name in its "
				      "xn-- form",
			    i, why_r, offset_r);
		if (!char_is_alnum(c) && c != '-' && c != '.')
			return refuse("this character is not allowed in a host "
				      "name",
			    i, why_r, offset_r);
	}
	return true;
}

bool
host_check(struct span host, const char **why_r, size_t *offset_r)
{
	struct span rest = host, label = SPAN_EMPTY;
	struct in_addr v4;

	if (host.len == 0)
		return refuse("the host name is missing", 0, why_r, offset_r);
	if (host.len > HOST_NAME_MAX_BYTES)
		return refuse("a host name has at most 253 characters", 0,
		    why_r, offset_r);
	if (!check_host_chars(host, why_r, offset_r))
		return false;
	if (parse_ip(AF_INET, host, &v4))
		return true;
	while (span_split(&rest, '.', &label)) {
		const char *trouble = label_trouble(label);
		if (trouble != NULL)
			return refuse(trouble, (size_t)(label.data - host.data),
			    why_r, offset_r);
	}
	if (looks_numeric(label))
		return refuse("this is neither a host name nor an IP address",
		    0, why_r, offset_r);
	return true;
}

/* ---- addresses ---- */

static bool
is_atext(char c)
{
	return char_is_alnum(c) || (unsigned char)c >= 0x80 ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool
check_dot_atom(struct span local, const char **why_r, size_t *offset_r)
{
	for (size_t i = 0; i < local.len; i++) {
		bool is_dot = local.data[i] == '.';
		if (is_dot &&
		    (i == 0 || i + 1 == local.len || local.data[i - 1] == '.'))
			return refuse("a dot stands between two characters", i,
			    why_r, offset_r);
		if (!is_dot && !is_atext(local.data[i]))
			return refuse("this character is not allowed in an "
				      "address",
			    i, why_r, offset_r);
	}
	return true;
}

static bool
check_quoted(struct span local, const char **why_r, size_t *offset_r)
{
	for (size_t i = 1; i + 1 < local.len; i++) {
		if (local.data[i] == '\\')
			i++;
		if (i + 1 >= local.len || (unsigned char)local.data[i] < 0x20 ||
		    (local.data[i] == '"' && local.data[i - 1] != '\\'))
			return refuse("the quoted part does not end here", i,
			    why_r, offset_r);
	}
	return true;
}

/* The last `@`: a quoted local part may contain others. */
static size_t
find_at(struct span address)
{
	for (size_t i = address.len; i > 0; i--)
		if (address.data[i - 1] == '@')
			return i - 1;
	return SIZE_MAX;
}

static bool
check_local(struct span local, const char **why_r, size_t *offset_r)
{
	bool is_quoted = local.len >= 2 && local.data[0] == '"' &&
			 local.data[local.len - 1] == '"';

	if (local.len == 0)
		return refuse(
		    "nothing stands in front of the `@`", 0, why_r, offset_r);
	if (local.len > ADDRESS_LOCAL_MAX)
		return refuse("the part in front of the `@` has at most 64 "
			      "characters",
		    0, why_r, offset_r);
	if (utf8_ascii_length(local) != local.len && !eai_is_clean(local))
		return refuse("a character in front of the `@` is not allowed "
			      "in an address",
		    0, why_r, offset_r);
	return is_quoted ? check_quoted(local, why_r, offset_r)
			 : check_dot_atom(local, why_r, offset_r);
}

bool
address_check(struct span address, const char **why_r, size_t *offset_r)
{
	size_t at = find_at(address), offset;
	const char *why;

	if (at == SIZE_MAX)
		return refuse("an address has an `@`", 0, why_r, offset_r);
	if (address.len > ADDRESS_MAX)
		return refuse("an address has at most 254 characters", 0, why_r,
		    offset_r);
	if (!check_local(span_slice(address, 0, at), why_r, offset_r))
		return false;
	if (!host_check(span_skip(address, at + 1), &why, &offset))
		return refuse(why, at + 1 + offset, why_r, offset_r);
	return true;
}
