/*
 * imap/seqset: sets of UIDs as ranges.
 *
 *   sequence-set = seq-range *("," seq-range)      (RFC 9051 section 9)
 *   seq-range    = nz-number [":" nz-number]       ; 4:2 is 2:4; no "*"
 */
#include "daemon/wire/imap/seqset.h"

#include "daemon/base/xalloc.h"

#define RANGES_FIRST 8

void
imap_seqset_done(struct imap_seqset *set)
{
	free(set->ranges);
	*set = (struct imap_seqset)IMAP_SEQSET_INIT;
}

/* Index of the first range whose end is not below `uid`. */
static size_t
find_range(const struct imap_seqset *set, uint32_t uid)
{
	size_t low = 0, high = set->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->ranges[middle].last < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
make_room(struct imap_seqset *set)
{
	if (set->count < set->cap)
		return;
	set->cap = set->cap == 0 ? RANGES_FIRST : set->cap * 2;
	set->ranges =
	    xreallocarray(set->ranges, set->cap, sizeof(set->ranges[0]));
}

static void
insert_range(struct imap_seqset *set, size_t at, struct imap_range range)
{
	make_room(set);
	memmove(&set->ranges[at + 1], &set->ranges[at],
	    (set->count - at) * sizeof(set->ranges[0]));
	set->ranges[at] = range;
	set->count++;
}

static void
remove_range(struct imap_seqset *set, size_t at)
{
	set->count--;
	memmove(&set->ranges[at], &set->ranges[at + 1],
	    (set->count - at) * sizeof(set->ranges[0]));
}

/* Ranges meet when no UID lies between them. */
static bool
meets(struct imap_range a, struct imap_range b)
{
	return a.last >= b.first || a.last + 1 == b.first;
}

void
imap_seqset_add(struct imap_seqset *set, uint32_t uid)
{
	struct imap_range one = {uid, uid};
	size_t at = find_range(set, uid);
	bool before = at > 0 && meets(set->ranges[at - 1], one);
	bool behind = at < set->count && meets(one, set->ranges[at]);

	if (behind && set->ranges[at].first <= uid)
		return;
	if (before && behind) {
		set->ranges[at - 1].last = set->ranges[at].last;
		remove_range(set, at);
	} else if (before) {
		set->ranges[at - 1].last = uid;
	} else if (behind) {
		set->ranges[at].first = uid;
	} else {
		insert_range(set, at, one);
	}
}

void
imap_seqset_drop_below(struct imap_seqset *set, uint32_t uid)
{
	size_t at = find_range(set, uid);

	if (at > 0)
		memmove(set->ranges, &set->ranges[at],
		    (set->count - at) * sizeof(set->ranges[0]));
	set->count -= at;
	if (set->count > 0 && set->ranges[0].first < uid)
		set->ranges[0].first = uid;
}

bool
imap_seqset_has(const struct imap_seqset *set, uint32_t uid)
{
	size_t at = find_range(set, uid);

	return at < set->count && set->ranges[at].first <= uid;
}

uint64_t
imap_seqset_size(const struct imap_seqset *set)
{
	uint64_t size = 0;

	for (size_t i = 0; i < set->count; i++)
		size += imap_range_size(set->ranges[i]);
	return size;
}

void
imap_seqset_format(struct buf *buf, const struct imap_seqset *set)
{
	for (size_t i = 0; i < set->count; i++) {
		struct imap_range range = set->ranges[i];

		if (i > 0)
			buf_add_char(buf, ',');
		buf_add_number(buf, range.first);
		if (range.last == range.first)
			continue;
		buf_add_char(buf, ':');
		buf_add_number(buf, range.last);
	}
}

uint64_t
imap_range_size(struct imap_range range)
{
	return (uint64_t)range.last - range.first + 1;
}

static bool
parse_range(struct span text, struct imap_range *range_r)
{
	struct span first;
	uint32_t a, b;

	if (!span_split(&text, ':', &first) || !span_to_u32(first, &a))
		return false;
	b = a;
	if (text.data != NULL && !span_to_u32(text, &b))
		return false;
	if (a == 0 || b == 0)
		return false;
	*range_r = (struct imap_range){a < b ? a : b, a < b ? b : a};
	return true;
}

int
imap_range_next(struct span *rest, struct imap_range *range_r)
{
	struct span piece;

	if (!span_split(rest, ',', &piece))
		return 0;
	return parse_range(piece, range_r) ? 1 : -1;
}

static int
compare_ranges(const void *a, const void *b)
{
	uint32_t x = ((const struct imap_range *)a)->first;
	uint32_t y = ((const struct imap_range *)b)->first;

	return (x > y) - (x < y);
}

static void
sort_and_merge(struct imap_seqset *set)
{
	size_t kept = 0;

	qsort(set->ranges, set->count, sizeof(set->ranges[0]), compare_ranges);
	for (size_t i = 1; i < set->count; i++) {
		struct imap_range *last = &set->ranges[kept];
		struct imap_range range = set->ranges[i];

		if (!meets(*last, range))
			set->ranges[++kept] = range;
		else if (range.last > last->last)
			last->last = range.last;
	}
	set->count = kept + 1;
}

bool
imap_seqset_parse(struct span text, struct imap_seqset *set_r)
{
	__attribute__((cleanup(imap_seqset_done))) struct imap_seqset set =
	    IMAP_SEQSET_INIT;
	struct imap_range range;
	int more;

	while ((more = imap_range_next(&text, &range)) > 0) {
		if (set.count == IMAP_SEQSET_RANGES_MAX)
			return false;
		insert_range(&set, set.count, range);
	}
	if (more < 0 || set.count == 0)
		return false;
	sort_and_merge(&set);
	*set_r = set;
	set = (struct imap_seqset)IMAP_SEQSET_INIT;
	return true;
}
