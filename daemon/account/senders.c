/*
 * A hash table with open addressing. The keys are the first 64 bits of a
 * SHA-256, so that nobody can make an address that is taken for another.
 */
#include "daemon/account/senders.h"

#include <string.h>

#include "daemon/base/buf.h"
#include "daemon/base/digest.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

#define SLOTS_FIRST 64
/* Dropped at once when there are too many. */
#define SENDERS_DROP (SENDERS_MAX / 10)

struct slot {
	uint64_t key; /* 0: free */
	int64_t last_unix;
};

struct senders {
	struct slot *slots; /* slot_count of them, a power of two */
	size_t slot_count;
	size_t count;
};

struct senders *
senders_new(void)
{
	return NEW(struct senders);
}

void
senders_free(struct senders **senders)
{
	if (*senders == NULL)
		return;
	free((*senders)->slots);
	free(*senders);
	*senders = NULL;
}

size_t
senders_count(const struct senders *senders)
{
	return senders->count;
}

static uint64_t
key_of(struct span address)
{
	unsigned char digest[DIGEST_SIZE];
	BUF_AUTO lower = BUF_INIT;
	uint64_t key;

	for (size_t i = 0; i < address.len; i++)
		buf_add_char(&lower, char_to_lower(address.data[i]));
	const struct span piece = buf_span(&lower);
	digest_sha256(&piece, 1, digest);
	memcpy(&key, digest, sizeof(key));
	return key != 0 ? key : 1;
}

/* The slot of the key, or the free one where it belongs. There must be one. */
static struct slot *
find(const struct senders *senders, uint64_t key)
{
	size_t mask = senders->slot_count - 1;
	size_t at = (size_t)key & mask;

	while (senders->slots[at].key != 0 && senders->slots[at].key != key)
		at = (at + 1) & mask;
	return &senders->slots[at];
}

/* Into a table of this size, without `drop` of those that were last heard of
 * then or earlier. */
static void
rebuild(
    struct senders *senders, size_t slot_count, size_t drop, int64_t until_unix)
{
	struct slot *old = senders->slots;
	size_t old_count = senders->slot_count;

	senders->slots = xcalloc(slot_count, sizeof(*senders->slots));
	senders->slot_count = slot_count;
	senders->count = 0;
	for (size_t i = 0; i < old_count; i++) {
		if (old[i].key == 0)
			continue;
		if (drop > 0 && old[i].last_unix <= until_unix) {
			drop--;
			continue;
		}
		*find(senders, old[i].key) = old[i];
		senders->count++;
	}
	free(old);
}

static int
compare_times(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void
drop_oldest(struct senders *senders)
{
	int64_t *times = xcalloc(senders->count, sizeof(*times));
	size_t n = 0;

	for (size_t i = 0; i < senders->slot_count; i++) {
		if (senders->slots[i].key != 0)
			times[n++] = senders->slots[i].last_unix;
	}
	qsort(times, n, sizeof(*times), compare_times);
	int64_t until_unix = times[SENDERS_DROP - 1];
	free(times);
	rebuild(senders, senders->slot_count, SENDERS_DROP, until_unix);
}

static void
make_room(struct senders *senders)
{
	if (senders->count >= SENDERS_MAX)
		drop_oldest(senders);
	if (senders->slot_count == 0)
		rebuild(senders, SLOTS_FIRST, 0, 0);
	else if (senders->count * 2 >= senders->slot_count)
		rebuild(senders, senders->slot_count * 2, 0, 0);
}

void
senders_add(struct senders *senders, struct span address, int64_t when_unix)
{
	if (address.len == 0)
		return;
	uint64_t key = key_of(address);
	struct slot *slot = senders->count > 0 ? find(senders, key) : NULL;
	if (slot != NULL && slot->key != 0) {
		if (slot->last_unix < when_unix)
			slot->last_unix = when_unix;
		return;
	}
	make_room(senders);
	*find(senders, key) = (struct slot){.key = key, .last_unix = when_unix};
	senders->count++;
}

bool
senders_has(const struct senders *senders, struct span address)
{
	if (address.len == 0 || senders->count == 0)
		return false;
	return find(senders, key_of(address))->key != 0;
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
