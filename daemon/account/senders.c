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

uint64_t
senders_key(struct span address)
{
	BUF_AUTO lower = BUF_INIT;

	buf_add_span(&lower, address);
	for (size_t i = 0; i < lower.len; i++)
		lower.data[i] = char_to_lower(lower.data[i]);
	return recent_key(buf_span(&lower));
}

void
senders_add_key(struct senders *senders, uint64_t key, int64_t when_unix)
{
	recent_add_key(senders->known, key, when_unix);
}

bool
senders_has_key(const struct senders *senders, uint64_t key)
{
	return recent_has_key(senders->known, key);
}

void
senders_add(struct senders *senders, struct span address, int64_t when_unix)
{
	senders_add_key(senders, senders_key(address), when_unix);
}

bool
senders_has(const struct senders *senders, struct span address)
{
	return senders_has_key(senders, senders_key(address));
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
