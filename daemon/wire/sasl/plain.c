/*
 * PLAIN (RFC 4616 section 2):
 *
 *   message = [authzid] UTF8NUL authcid UTF8NUL passwd
 *
 * No authzid: some servers refuse one even when it is the same user.
 */
#include "daemon/wire/sasl/sasl_private.h"

static bool
start(const struct sasl_params *params, struct buf *out)
{
	buf_add_char(out, '\0');
	buf_add_span(out, params->user);
	buf_add_char(out, '\0');
	buf_add_span(out, params->secret);
	return true;
}

const struct sasl_class sasl_plain = {.name = "PLAIN", .start = start};
