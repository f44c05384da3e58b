/*
 * OAUTHBEARER (RFC 7628 section 3.1, gs2-header of RFC 5801). ^A is one byte
 * 0x01:
 *
 *   response = "n,a=" saslname "," ^A ["host=" host ^A] ["port=" port ^A]
 *              "auth=Bearer " token ^A ^A
 *   saslname = user with "=" written as "=3D" and "," as "=2C"
 *
 * A challenge is the error as JSON; the answer is one ^A (section 3.2.3).
 */
#include "daemon/wire/sasl/sasl_private.h"

static bool
start(const struct sasl_params *params, struct buf *out)
{
	buf_add_str(out, "n,a=");
	sasl_add_name(out, params->user);
	buf_add_str(out, ",\001");
	if (params->host.len > 0) {
		buf_add_str(out, "host=");
		buf_add_span(out, params->host);
		buf_add_char(out, '\001');
	}
	if (params->port > 0)
		buf_addf(out, "port=%u\001", params->port);
	buf_add_str(out, "auth=Bearer ");
	buf_add_span(out, params->secret);
	buf_add_str(out, "\001\001");
	return true;
}

static bool
step(const struct sasl_params *params, unsigned number, struct span challenge,
    struct buf *out)
{
	(void)params;
	(void)challenge;
	if (number > 0)
		return false;
	buf_add_char(out, '\001');
	return true;
}

const struct sasl_class sasl_oauthbearer = {
    .name = "OAUTHBEARER", .start = start, .step = step};
