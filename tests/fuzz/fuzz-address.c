/*
 * fuzz-address: every string of an address is clean UTF-8 of bounded size, and
 * an address written from what was read is read as the same.
 */
#include <stdint.h>
#include <stdlib.h>

#include "daemon/base/buf.h"
#include "daemon/base/utf8.h"
#include "daemon/mail/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

/* Valid UTF-8 without control characters. */
static bool
is_clean(struct span text)
{
	bool valid = true;
	uint32_t code;
	size_t len;

	while ((len = utf8_next(text, &code, &valid)) > 0) {
		if (!valid || code < ' ' || (code >= 0x7f && code < 0xa0))
			return false;
		text = span_skip(text, len);
	}
	return true;
}

static bool
is_clean_str(const char *str)
{
	return is_clean(span_from_str(str));
}

static void
check_round_trip(const struct address *address)
{
	struct address_list list;
	BUF_AUTO text = BUF_INIT;

	buf_addf(&text, "<%s>", address->addr);
	address_list_parse(buf_span(&text), &list);
	require(list.count == 1);
	require(strcmp(list.items[0].user, address->user) == 0);
	require(strcmp(list.items[0].domain, address->domain) == 0);
	require(strcmp(list.items[0].addr, address->addr) == 0);
	require(strcmp(list.items[0].name, "") == 0);
	address_list_done(&list);
}

/* A domain that a domain can look like; others come out as they stood. */
static bool
is_plain_domain(const char *domain)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
	size_t len = strlen(domain);

	return len > 0 && domain[len - 1] != '.' &&
	       strspn(domain, plain) == len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct address_list list;
	size_t total = 0;

	address_list_parse(span_from(data, size), &list);
	require(list.count <= ADDRESS_LIST_MAX);
	for (size_t i = 0; i < list.count; i++) {
		const struct address *address = &list.items[i];

		require(is_clean_str(address->name));
		require(is_clean_str(address->user));
		require(is_clean_str(address->domain));
		require(is_clean_str(address->addr));
		require(*address->name != '\0' || *address->addr != '\0');
		total += strlen(address->name) + strlen(address->user) +
			 strlen(address->domain) + strlen(address->addr);
		if (is_plain_domain(address->domain) && *address->user != '\0')
			check_round_trip(address);
	}
	/* Name and comment 4 times, user twice and with quotes. */
	require(total <= 16 * size + 64 * list.count);
	address_list_done(&list);
	return 0;
}
