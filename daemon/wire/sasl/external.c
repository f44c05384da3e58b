/*
 * EXTERNAL (RFC 4422 appendix A): who we are is known from below, such as
 * from the TLS client certificate. The response is the authzid, empty to
 * take the one that the server derives.
 */
#include "daemon/wire/sasl/sasl_private.h"

static bool
start(const struct sasl_params *params, struct buf *out)
{
	buf_add_span(out, params->user);
	return true;
}

const struct sasl_class sasl_external = {.name = "EXTERNAL", .start = start};
