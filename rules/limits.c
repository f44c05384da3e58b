#include "daemon/base/xalloc.h"
#include "rules/rules.h"

/* Times kept of one rule: no `limit =` asks for more. */
#define LIMITS_TIMES_MAX 1000

struct entry {
	char rule[RULE_ID_MAX + 1];
	int64_t *times; /* owned; oldest first as they were noted */
	size_t count, cap;
};

struct limits {
	struct entry *entries; /* sorted by rule */
	size_t count, cap;
};

struct limits *
limits_new(void)
{
	return NEW(struct limits);
}

void
limits_free(struct limits **limits)
{
	struct limits *l = *limits;

	if (l == NULL)
		return;
	for (size_t i = 0; i < l->count; i++)
		free(l->entries[i].times);
	free(l->entries);
	free(l);
	*limits = NULL;
}

/* The first entry that is not before `rule`. */
static size_t
find(const struct limits *limits, const char *rule)
{
	size_t low = 0, high = limits->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(limits->entries[middle].rule, rule) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
is_at(const struct limits *limits, size_t index, const char *rule)
{
	return index < limits->count &&
	       strcmp(limits->entries[index].rule, rule) == 0;
}

static struct entry *
insert(struct limits *limits, size_t index, const char *rule)
{
	struct entry *entry;

	if (limits->count == limits->cap) {
		limits->cap = limits->cap == 0 ? 8 : 2 * limits->cap;
		limits->entries = xreallocarray(
		    limits->entries, limits->cap, sizeof(*limits->entries));
	}
	entry = &limits->entries[index];
	memmove(entry + 1, entry, (limits->count - index) * sizeof(*entry));
	limits->count++;
	*entry = (struct entry){0};
	memcpy(entry->rule, rule, strnlen(rule, RULE_ID_MAX));
	return entry;
}

/* The oldest of too many; what no window reaches may be reached again when the
 * clock is set back. */
static void
forget_oldest(struct entry *entry)
{
	size_t old = entry->count - (LIMITS_TIMES_MAX - 1);

	entry->count -= old;
	memmove(entry->times, entry->times + old,
	    entry->count * sizeof(*entry->times));
}

void
limits_note(struct limits *limits, const char *rule, int64_t when_unix)
{
	size_t index = find(limits, rule);
	struct entry *entry;

	if (is_at(limits, index, rule))
		entry = &limits->entries[index];
	else
		entry = insert(limits, index, rule);
	if (entry->count >= LIMITS_TIMES_MAX)
		forget_oldest(entry);
	if (entry->count == entry->cap) {
		entry->cap = entry->cap == 0 ? 8 : 2 * entry->cap;
		entry->times = xreallocarray(
		    entry->times, entry->cap, sizeof(*entry->times));
	}
	entry->times[entry->count++] = when_unix;
}

void
limits_take_back(struct limits *limits, const char *rule, int64_t when_unix)
{
	size_t index = find(limits, rule), at;
	struct entry *entry;

	if (!is_at(limits, index, rule))
		return;
	entry = &limits->entries[index];
	at = entry->count;
	while (at > 0 && entry->times[at - 1] != when_unix)
		at--;
	if (at == 0)
		return;
	memmove(&entry->times[at - 1], &entry->times[at],
	    (entry->count - at) * sizeof(*entry->times));
	entry->count--;
}

bool
limits_allow(const struct limits *limits, const char *rule, unsigned count,
    usec_t window, int64_t now_unix)
{
	int64_t seconds = (int64_t)(window / USEC_SEC);
	size_t index = find(limits, rule);
	const struct entry *entry;
	unsigned used = 0;

	if (!is_at(limits, index, rule))
		return count > 0;
	entry = &limits->entries[index];
	for (size_t i = 0; i < entry->count; i++) {
		int64_t ago = now_unix - entry->times[i];

		/* A clock that was set back must not open the gate, nor shut
		 * it for longer than the window. */
		if (ago < seconds && ago > -seconds)
			used++;
	}
	return used < count;
}
