#include "daemon/account/senders.h"

#include "daemon/account/recent.h"
#include "daemon/base/buf.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

_Static_assert(SENDERS_MAX == RECENT_MAX, "the set holds what the store does");

struct senders {
	struct recent *known;
};

struct senders *
senders_new(void)
{
	struct senders *senders = NEW(struct senders);

	senders->known = recent_new();
	return senders;
}

void
senders_free(struct senders **senders)
{
	if (*senders == NULL)
		return;
	recent_free(&(*senders)->known);
	free(*senders);
	*senders = NULL;
}

size_t
senders_count(const struct senders *senders)
{
	return recent_count(senders->known);
}

static void
add_lower(struct buf *lower, struct span address)
{
	for (size_t i = 0; i < address.len; i++)
		buf_add_char(lower, char_to_lower(address.data[i]));
}

void
senders_add(struct senders *senders, struct span address, int64_t when_unix)
{
	BUF_AUTO lower = BUF_INIT;

	add_lower(&lower, address);
	recent_add(senders->known, buf_span(&lower), when_unix);
}

bool
senders_has(const struct senders *senders, struct span address)
{
	BUF_AUTO lower = BUF_INIT;

	add_lower(&lower, address);
	return recent_has(senders->known, buf_span(&lower));
}

static bool
add_stored(void *ctx, const char *address, int64_t last_unix)
{
	senders_add(ctx, span_from_str(address), last_unix);
	return true;
}

bool
senders_load(struct senders *senders, struct store *store, const char *account,
    struct error *error_r)
{
	return store_each_sender(store, account, add_stored, senders, error_r);
}
