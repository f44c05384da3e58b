/*
 * secret: a password or token on its way through the house.
 *
 * The owner wipes it. There is no function that prints it, and no engine
 * puts it into an event, an error or a trace.
 */
#ifndef BELFRY_BASE_SECRET_H
#define BELFRY_BASE_SECRET_H

#include "daemon/base/span.h"

/* An access token may have several KB (RFC 4954 section 4 allows 12,288). */
#define SECRET_MAX 16384

struct secret {
	char *bytes; /* owned, `len` bytes and a NUL; NULL when empty */
	size_t len;
};

#define SECRET_INIT {NULL, 0}

/* Copies, and wipes the old. At most SECRET_MAX bytes: the caller has checked
 * (asserted). `bytes` may be a part of the secret itself. */
void secret_set(struct secret *secret, struct span bytes);
void secret_wipe(struct secret *secret);
struct span secret_span(const struct secret *secret);
/* Overwrites memory in a way the compiler does not remove. */
void memory_wipe(void *data, size_t len);

#endif
