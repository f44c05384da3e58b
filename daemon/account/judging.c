#include "daemon/account/judging.h"

#include "daemon/account/recent.h"
#include "daemon/base/xalloc.h"

/* Lists of a few messages each, in the largest windows. */
#define BUCKETS 1024

struct turn {
	struct turn *next;
	uint64_t key;
	const void *who;
	size_t begun; /* so often */
};

struct judging {
	struct turn **buckets; /* owned; NULL while there is none */
	size_t count;
};

struct judging *
judging_new(void)
{
	return NEW(struct judging);
}

void
judging_free(struct judging **judging)
{
	struct judging *old = *judging;

	if (old == NULL)
		return;
	*judging = NULL;
	for (size_t i = 0; old->buckets != NULL && i < BUCKETS; i++) {
		while (old->buckets[i] != NULL) {
			struct turn *turn = old->buckets[i];
			old->buckets[i] = turn->next;
			free(turn);
		}
	}
	free(old->buckets);
	free(old);
}

/* Where the turn hangs, or would: it may be NULL. */
static struct turn **
find(const struct judging *judging, uint64_t key)
{
	struct turn **at = &judging->buckets[key % BUCKETS];

	while (*at != NULL && (*at)->key != key)
		at = &(*at)->next;
	return at;
}

bool
judging_begin(struct judging *judging, struct span identity, const void *who)
{
	uint64_t key = recent_key(identity);

	if (key == 0)
		return true;
	if (judging->buckets == NULL)
		judging->buckets = xcalloc(BUCKETS, sizeof(*judging->buckets));
	struct turn **at = find(judging, key);
	if (*at == NULL) {
		*at = NEW(struct turn);
		(*at)->key = key;
		(*at)->who = who;
		judging->count++;
	}
	if ((*at)->who != who)
		return false;
	(*at)->begun++;
	return true;
}

void
judging_end(struct judging *judging, struct span identity)
{
	uint64_t key = recent_key(identity);
	struct turn **at, *turn;

	if (key == 0 || judging->buckets == NULL)
		return;
	at = find(judging, key);
	turn = *at;
	if (turn == NULL || --turn->begun > 0)
		return;
	*at = turn->next;
	free(turn);
	if (--judging->count > 0)
		return;
	free(judging->buckets);
	judging->buckets = NULL;
}

bool
judging_is_by_other(
    const struct judging *judging, struct span identity, const void *who)
{
	uint64_t key = recent_key(identity);

	if (key == 0 || judging->buckets == NULL)
		return false;
	const struct turn *turn = *find(judging, key);
	return turn != NULL && turn->who != who;
}

size_t
judging_count(const struct judging *judging)
{
	return judging->count;
}
