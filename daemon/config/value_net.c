#include "daemon/config/value_private.h"

#include <stdlib.h>

#include "daemon/base/base64.h"
#include "daemon/base/digest.h"
#include "daemon/base/eai.h"
#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"
#include "daemon/config/config.h"
#include "daemon/config/problem.h"
#include "daemon/config/syntax.h"

/* ---- addresses, hosts and keys ---- */

/* Also as it goes on the wire; offsets behind an international domain's
 * beginning mean nothing in what was written. */
static bool
read_address(struct value *value, struct span text, struct buf *address)
{
	size_t offset, at = span_find(text, '@');
	const char *why;

	if (!eai_add_address(address, text, &why))
		return fail(value, text.data + (at == SIZE_MAX ? 0 : at + 1),
		    NULL, "not an address: %s", why);
	if (address_check(buf_span(address), &why, &offset))
		return true;
	if (offset > text.len || !span_equal(buf_span(address), text))
		offset = 0;
	return fail(value, text.data + offset, NULL, "not an address: %s", why);
}

static bool
check_address(struct value *value, struct span text)
{
	BUF_AUTO address = BUF_INIT;

	return read_address(value, text, &address);
}

bool
value_parse_address(struct value *value, struct span text, void *member)
{
	BUF_AUTO address = BUF_INIT;

	if (!read_address(value, text, &address))
		return false;
	value_replace(member, buf_span(&address));
	return true;
}

bool
value_parse_addresses(struct value *value, struct span text, void *member)
{
	struct strv *addresses = member;
	size_t before = addresses->len;

	if (!value_parse_items(value, text, member, check_address))
		return false;
	for (size_t i = before; i < addresses->len; i++) {
		BUF_AUTO address = BUF_INIT;
		read_address(
		    value, span_from_str(addresses->items[i]), &address);
		free(addresses->items[i]);
		addresses->items[i] = xstrdup(buf_str(&address));
	}
	return true;
}

static bool
check_host(struct value *value, struct span item)
{
	const char *why;
	size_t offset;

	if (host_check(item, &why, &offset))
		return true;
	return fail(
	    value, item.data + offset, NULL, "not a host name: %s", why);
}

bool
value_parse_hosts(struct value *value, struct span text, void *member)
{
	return value_parse_items(value, text, member, check_host);
}

#define PIN_PREFIX "sha256:"

/* As loop/tls reads and writes them (RFC 7469 section 2.4). */
static bool
check_pin(struct value *value, struct span item)
{
	BUF_AUTO digest = BUF_INIT;

	if (span_starts(item, PIN_PREFIX) &&
	    base64_decode(&digest, span_skip(item, sizeof(PIN_PREFIX) - 1)) &&
	    digest.len == DIGEST_SIZE)
		return true;
	return fail(value, item.data,
	    "with any other key the login fails and names the server's",
	    "a key is " PIN_PREFIX " and 44 characters of base64");
}

bool
value_parse_pins(struct value *value, struct span text, void *member)
{
	const struct strv *pins = member;

	if (!value_parse_items(value, text, member, check_pin))
		return false;
	return pins->len <= CONFIG_PINS_MAX ||
	       fail(value, text.data, NULL, "more than %d keys",
		   CONFIG_PINS_MAX);
}

/* ---- URLs ---- */

struct scheme {
	const char *name;
	unsigned port;
	enum server_tls tls;
};

static const struct scheme imap_schemes[] = {
    {"imaps", 993, SERVER_TLS},
    {"imap", 143, SERVER_STARTTLS},
    {NULL, 0, SERVER_TLS},
};
static const struct scheme smtp_schemes[] = {
    {"smtps", 465, SERVER_TLS},
    {"submission", 587, SERVER_STARTTLS},
    {NULL, 0, SERVER_TLS},
};
static const struct scheme http_schemes[] = {
    {"https", 443, SERVER_TLS},
    {"http", 80, SERVER_PLAINTEXT},
    {NULL, 0, SERVER_TLS},
};

static const struct scheme https_schemes[] = {
    {"https", 443, SERVER_TLS},
    {NULL, 0, SERVER_TLS},
};

static bool
fail_scheme(struct value *value, struct span text, const struct scheme *schemes)
{
	if (schemes[1].name == NULL)
		return fail(value, text.data, NULL, "`%s` begins with %s://",
		    value->setting->key, schemes[0].name);
	STR_AUTO hint = xasprintf(
	    "write %s://HOST or %s://HOST", schemes[0].name, schemes[1].name);

	return fail(value, text.data, hint, "`%s` begins with %s:// or %s://",
	    value->setting->key, schemes[0].name, schemes[1].name);
}

/* A mail server's name as DNS and certificates have it (RFC 5890); false for
 * what has no such form. */
static bool
add_ascii_host(struct buf *ascii, struct span host)
{
	const char *why;
	size_t offset;

	return eai_add_address(ascii, host, &why) &&
	       host_check(buf_span(ascii), &why, &offset);
}

static bool
is_international(const struct value *value, struct span host)
{
	BUF_AUTO ascii = BUF_INIT;
	enum setting_type type = value->setting->type;

	return (type == SETTING_IMAP_URL || type == SETTING_SMTP_URL) &&
	       utf8_ascii_length(host) != host.len &&
	       add_ascii_host(&ascii, host);
}

/*   host = name / IPv4 / "[" IPv6 "]"                                        */
static bool
split_host(struct value *value, struct span text, struct span *host_r,
    struct span *rest_r)
{
	const char *why;
	size_t offset, len;

	if (span_starts(text, "[")) {
		len = span_find(text, ']');
		struct span host =
		    span_slice(text, 1, len == SIZE_MAX ? 0 : len - 1);
		if (!host_is_ipv6(host))
			return fail(value, text.data, NULL,
			    "not an IPv6 address in brackets");
		*host_r = host;
		*rest_r = span_skip(text, len + 1);
		return true;
	}
	for (len = 0; len < text.len; len++)
		if (strchr(":/", text.data[len]) != NULL)
			break;
	struct span host = span_slice(text, 0, len);
	if (!is_international(value, host) && !host_check(host, &why, &offset))
		return fail(value, text.data + offset,
		    host_is_ipv6(text) ? "an IPv6 address stands in brackets"
				       : NULL,
		    "%s", why);
	*host_r = host;
	*rest_r = span_skip(text, len);
	return true;
}

/*   port = 1*5DIGIT ; 1 to 65535                                            */
static bool
split_port(struct value *value, struct span *rest, unsigned *port_r)
{
	size_t len = 1;
	uint32_t port;

	if (!span_starts(*rest, ":"))
		return true;
	while (len < rest->len && rest->data[len] != '/')
		len++;
	struct span digits = span_slice(*rest, 1, len - 1);
	if (!span_to_u32(digits, &port) || port < 1 || port > 65535)
		return fail(value, rest->data, NULL,
		    "a port is a number from 1 to 65535");
	*port_r = port;
	*rest = span_skip(*rest, len);
	return true;
}

/*   url = scheme "://" host [ ":" port ] ...                                */
static bool
split_url(struct value *value, struct span text, const struct scheme *schemes,
    struct config_server *server_r, struct span *host_r, struct span *rest_r)
{
	size_t end = span_find_span(text, SPAN("://"), 0);
	struct span name = span_slice(text, 0, end == SIZE_MAX ? 0 : end);
	struct span rest = span_skip(text, end == SIZE_MAX ? 0 : end + 3);

	while (schemes->name != NULL && !span_is_nocase(name, schemes->name))
		schemes++;
	if (end == SIZE_MAX || schemes->name == NULL)
		return false;
	size_t at = span_find(rest, '@');
	if (at != SIZE_MAX && at < span_find(rest, '/')) {
		value_complain(value, rest.data,
		    "use the keys for user and secret of this section",
		    "no user or password in a URL");
		*host_r = SPAN_EMPTY;
		return true;
	}
	server_r->port = schemes->port;
	server_r->tls = schemes->tls;
	if (!split_host(value, rest, host_r, &rest) ||
	    !split_port(value, &rest, &server_r->port))
		*host_r = SPAN_EMPTY;
	*rest_r = rest;
	return true;
}

/* imap://host:993 waits for a greeting that never comes. */
static void
warn_port(struct value *value, struct span text, const struct scheme *schemes,
    const struct config_server *server)
{
	for (; schemes->name != NULL; schemes++) {
		if (schemes->port != server->port ||
		    schemes->tls == server->tls || value->thing == NULL)
			continue;
		STR_AUTO hint = xasprintf("write %s://", schemes->name);
		problem_add(value->problems, true,
		    document_place(
			value->thing, (size_t)(text.data - value->text)),
		    hint, "port %u is usually that of %s://", server->port,
		    schemes->name);
	}
}

static bool
parse_server(struct value *value, struct span text,
    const struct scheme *schemes, struct config_server *member)
{
	struct config_server server = {NULL, 0, SERVER_TLS};
	struct span host, rest = SPAN_EMPTY;

	if (!split_url(value, text, schemes, &server, &host, &rest))
		return fail_scheme(value, text, schemes);
	if (host.len == 0)
		return false;
	if (rest.len > 0 && !span_is(rest, "/"))
		return fail(
		    value, rest.data, NULL, "nothing may follow host and port");
	warn_port(value, text, schemes, &server);
	BUF_AUTO ascii = BUF_INIT;
	if (!host_is_ipv6(host) && add_ascii_host(&ascii, host))
		host = buf_span(&ascii);
	free(member->host);
	server.host = xstrdup_span(host);
	*member = server;
	return true;
}

bool
value_parse_imap_url(struct value *value, struct span text, void *member)
{
	return parse_server(value, text, imap_schemes, member);
}

bool
value_parse_smtp_url(struct value *value, struct span text, void *member)
{
	return parse_server(value, text, smtp_schemes, member);
}

static bool
parse_web_url(struct value *value, struct span text,
    const struct scheme *schemes, void *member)
{
	struct config_server server = {NULL, 0, SERVER_TLS};
	struct span host, rest = SPAN_EMPTY;

	if (!split_url(value, text, schemes, &server, &host, &rest))
		return fail_scheme(value, text, schemes);
	if (host.len == 0)
		return false;
	if (server.tls == SERVER_PLAINTEXT && !host_is_loopback(host))
		return fail(value, text.data, "write https://",
		    "http is for this machine only");
	for (size_t i = 0; i < rest.len; i++)
		if (rest.data[i] <= ' ' || rest.data[i] > '~')
			return fail(value, rest.data + i, NULL,
			    "this character is not allowed in a URL");
	value_replace(member, text);
	return true;
}

bool
value_parse_http_url(struct value *value, struct span text, void *member)
{
	return parse_web_url(value, text, http_schemes, member);
}

bool
value_parse_https_url(struct value *value, struct span text, void *member)
{
	return parse_web_url(value, text, https_schemes, member);
}
