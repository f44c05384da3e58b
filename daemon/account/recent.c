/*
 * A hash table with open addressing. The keys are the first 64 bits of a
 * SHA-256, so that nobody can make a name that is taken for another.
 */
#include "daemon/account/recent.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/digest.h"
#include "daemon/base/xalloc.h"

#define SLOTS_FIRST 8
/* Dropped at once when there are too many. */
#define RECENT_DROP (RECENT_MAX / 10)

struct slot {
	uint64_t key; /* 0: free */
	int64_t last_unix;
};

struct recent {
	struct slot *slots; /* slot_count of them, a power of two */
	size_t slot_count;
	size_t count;
};

struct recent *
recent_new(void)
{
	return NEW(struct recent);
}

void
recent_free(struct recent **recent)
{
	if (*recent == NULL)
		return;
	free((*recent)->slots);
	free(*recent);
	*recent = NULL;
}

size_t
recent_count(const struct recent *recent)
{
	return recent->count;
}

uint64_t
recent_key(struct span name)
{
	unsigned char digest[DIGEST_SIZE];
	uint64_t key;

	if (name.len == 0)
		return 0;
	digest_sha256(&name, 1, digest);
	memcpy(&key, digest, sizeof(key));
	return key != 0 ? key : 1;
}

/* The slot of the key, or the free one where it belongs. There must be one. */
static struct slot *
find(const struct recent *recent, uint64_t key)
{
	size_t mask = recent->slot_count - 1;
	size_t at = (size_t)key & mask;

	while (recent->slots[at].key != 0 && recent->slots[at].key != key)
		at = (at + 1) & mask;
	return &recent->slots[at];
}

/* Into a table of this size, without `drop` of those that were last heard of
 * then or earlier. */
static void
rebuild(
    struct recent *recent, size_t slot_count, size_t drop, int64_t until_unix)
{
	struct slot *old = recent->slots;
	size_t old_count = recent->slot_count;

	recent->slots = xcalloc(slot_count, sizeof(*recent->slots));
	recent->slot_count = slot_count;
	recent->count = 0;
	for (size_t i = 0; i < old_count; i++) {
		if (old[i].key == 0)
			continue;
		if (drop > 0 && old[i].last_unix <= until_unix) {
			drop--;
			continue;
		}
		*find(recent, old[i].key) = old[i];
		recent->count++;
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
drop_oldest(struct recent *recent)
{
	int64_t *times = xcalloc(recent->count, sizeof(*times));
	size_t n = 0;

	for (size_t i = 0; i < recent->slot_count; i++) {
		if (recent->slots[i].key != 0)
			times[n++] = recent->slots[i].last_unix;
	}
	qsort(times, n, sizeof(*times), compare_times);
	int64_t until_unix = times[RECENT_DROP - 1];
	free(times);
	rebuild(recent, recent->slot_count, RECENT_DROP, until_unix);
}

static void
make_room(struct recent *recent)
{
	if (recent->count >= RECENT_MAX)
		drop_oldest(recent);
	if (recent->slot_count == 0)
		rebuild(recent, SLOTS_FIRST, 0, 0);
	else if (recent->count * 2 >= recent->slot_count)
		rebuild(recent, recent->slot_count * 2, 0, 0);
}

void
recent_add_key(struct recent *recent, uint64_t key, int64_t when_unix)
{
	if (key == 0)
		return;
	struct slot *slot = recent->count > 0 ? find(recent, key) : NULL;
	if (slot != NULL && slot->key != 0) {
		if (slot->last_unix < when_unix)
			slot->last_unix = when_unix;
		return;
	}
	make_room(recent);
	*find(recent, key) = (struct slot){.key = key, .last_unix = when_unix};
	recent->count++;
}

bool
recent_has_key(const struct recent *recent, uint64_t key)
{
	if (key == 0 || recent->count == 0)
		return false;
	return find(recent, key)->key != 0;
}

void
recent_add(struct recent *recent, struct span name, int64_t when_unix)
{
	recent_add_key(recent, recent_key(name), when_unix);
}

bool
recent_has(const struct recent *recent, struct span name)
{
	return recent->count > 0 && recent_has_key(recent, recent_key(name));
}
