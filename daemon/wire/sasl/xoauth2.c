/*
 * XOAUTH2, as Google and Microsoft publish it. ^A is one byte 0x01:
 *
 *   response = "user=" user ^A "auth=Bearer " token ^A ^A
 *
 * A challenge is the error as JSON; an empty answer lets the server say NO.
 */
#include "daemon/wire/sasl/sasl_private.h"

static bool
start(const struct sasl_params *params, struct buf *out)
{
	buf_add_str(out, "user=");
	buf_add_span(out, params->user);
	buf_add_str(out, "\001auth=Bearer ");
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
	(void)out;
	return number == 0;
}

const struct sasl_class sasl_xoauth2 = {
    .name = "XOAUTH2", .start = start, .step = step};
