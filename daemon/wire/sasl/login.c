/*
 * LOGIN (draft-murchison-sasl-login): the server asks twice, the texts of
 * its questions differ between servers and mean nothing; their order counts.
 */
#include "daemon/wire/sasl/sasl_private.h"

static bool
step(const struct sasl_params *params, unsigned number, struct span challenge,
    struct buf *out)
{
	(void)challenge;
	if (number > 1)
		return false;
	buf_add_span(out, number == 0 ? params->user : params->secret);
	return true;
}

const struct sasl_class sasl_login = {.name = "LOGIN", .step = step};
