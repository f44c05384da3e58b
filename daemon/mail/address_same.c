#include "daemon/mail/address_same.h"

#include "daemon/base/buf.h"
#include "daemon/base/eai.h"

/* What stands in front of the last '@'; all of it where there is none. */
static struct span
user_of(struct span address)
{
	size_t at = address.len;

	while (at > 0 && address.data[at - 1] != '@')
		at--;
	return at > 0 ? span_slice(address, 0, at - 1) : address;
}

/* A detail alone ("+x@example.org") is none. */
static struct span
without_detail(struct span user)
{
	size_t len = 0;

	while (len < user.len && user.data[len] != '+')
		len++;
	return len > 0 ? span_slice(user, 0, len) : user;
}

/* With its domain in ASCII, where it has such a form. */
static void
add_plain(struct buf *buf, struct span address)
{
	const char *why;

	if (!eai_add_address(buf, address, &why))
		buf_add_span(buf, address);
}

bool
address_same(struct span a, struct span b)
{
	BUF_AUTO one = BUF_INIT, other = BUF_INIT;

	add_plain(&one, a);
	add_plain(&other, b);
	const struct span user = user_of(buf_span(&one));
	const struct span user_b = user_of(buf_span(&other));

	return span_equal_nocase(
		   without_detail(user), without_detail(user_b)) &&
	       span_equal_nocase(span_skip(buf_span(&one), user.len),
		   span_skip(buf_span(&other), user_b.len));
}

bool
address_same_as_any(const struct strv *addresses, struct span address)
{
	for (size_t i = 0; addresses != NULL && i < addresses->len; i++)
		if (address_same(span_from_str(addresses->items[i]), address))
			return true;
	return false;
}
