/*
 * Sequence sets. Oracle: a set is ascending and merged, comes back when it is
 * written and read again, and holds what the ranges of the text hold.
 */
#include <assert.h>

#include "daemon/wire/imap/seqset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_order(const struct imap_seqset *set)
{
	for (size_t i = 0; i < set->count; i++) {
		struct imap_range range = set->ranges[i];

		assert(range.first > 0 && range.first <= range.last);
		if (i > 0)
			assert(range.first > set->ranges[i - 1].last &&
			       range.first - set->ranges[i - 1].last > 1);
	}
}

static void
check_members(const struct imap_seqset *set, struct span text)
{
	struct imap_range range;
	uint64_t size = 0;

	while (imap_range_next(&text, &range) > 0) {
		assert(imap_seqset_has(set, range.first));
		assert(imap_seqset_has(set, range.last));
		size += imap_range_size(range);
	}
	assert(imap_seqset_size(set) <= size);
	assert(!imap_seqset_has(set, 0));
}

static void
check_round_trip(const struct imap_seqset *set)
{
	struct imap_seqset again = IMAP_SEQSET_INIT;
	struct buf text = BUF_INIT;

	imap_seqset_format(&text, set);
	assert(imap_seqset_parse(buf_span(&text), &again));
	assert(again.count == set->count);
	assert(memcmp(again.ranges, set->ranges,
		   set->count * sizeof(set->ranges[0])) == 0);
	imap_seqset_done(&again);
	buf_done(&text);
}

/* Adding the ends of all ranges one by one changes nothing. */
static void
check_add(struct imap_seqset *set)
{
	uint64_t size = imap_seqset_size(set);
	size_t count = set->count;

	for (size_t i = 0; i < count; i++) {
		imap_seqset_add(set, set->ranges[i].first);
		imap_seqset_add(set, set->ranges[i].last);
	}
	assert(set->count == count && imap_seqset_size(set) == size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct imap_seqset set = IMAP_SEQSET_INIT;
	struct span text = span_from(data, size);

	if (!imap_seqset_parse(text, &set)) {
		assert(set.ranges == NULL);
		return 0;
	}
	check_order(&set);
	check_members(&set, text);
	check_round_trip(&set);
	check_add(&set);
	imap_seqset_done(&set);
	return 0;
}
