/*
 * secret: a password or token on its way through the house.
 */
#include "daemon/base/secret.h"

#include <assert.h>

#include "daemon/base/xalloc.h"

void
secret_set(struct secret *secret, struct span bytes)
{
	/* Copied first: `bytes` may be the secret's own. */
	char *copy = bytes.len > 0 ? xstrdup_span(bytes) : NULL;

	assert(bytes.len <= SECRET_MAX);

	secret_wipe(secret);
	secret->bytes = copy;
	secret->len = bytes.len;
}

void
secret_wipe(struct secret *secret)
{
	memory_wipe(secret->bytes, secret->len);
	free(secret->bytes);
	*secret = (struct secret)SECRET_INIT;
}

struct span
secret_span(const struct secret *secret)
{
	return (struct span){secret->bytes, secret->len};
}

void
memory_wipe(void *data, size_t len)
{
	if (len > 0)
		explicit_bzero(data, len);
}
