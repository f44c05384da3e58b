/*
 * imap/seqset: sets of UIDs as ranges (RFC 9051 sequence-set). Ranges stay
 * ranges: a server that says 1:4294967295 costs one entry.
 */
#ifndef BELFRY_WIRE_IMAP_SEQSET_H
#define BELFRY_WIRE_IMAP_SEQSET_H

#include "daemon/base/buf.h"

#define IMAP_SEQSET_RANGES_MAX 10000

struct imap_range {
	uint32_t first, last; /* first <= last */
};

struct imap_seqset {
	struct imap_range *ranges; /* owned, ascending, merged */
	size_t count, cap;
};

#define IMAP_SEQSET_INIT                                                       \
	{                                                                      \
		NULL, 0, 0                                                     \
	}

void imap_seqset_done(struct imap_seqset *set);
/* `uid` must not be 0. Cheapest in ascending order. */
void imap_seqset_add(struct imap_seqset *set, uint32_t uid);
/* Removes all below `uid`. */
void imap_seqset_drop_below(struct imap_seqset *set, uint32_t uid);
bool imap_seqset_has(const struct imap_seqset *set, uint32_t uid);
uint64_t imap_seqset_size(const struct imap_seqset *set);
/* "1:3,7". Round trip with imap_seqset_parse. */
void imap_seqset_format(struct buf *buf, const struct imap_seqset *set);
/* Accepts ranges in any order and direction; `*` and 0 are errors, as is a
 * set of more than IMAP_SEQSET_RANGES_MAX ranges. What *set_r held before is
 * overwritten, not freed. */
bool imap_seqset_parse(struct span text, struct imap_seqset *set_r);

/*
 * Takes the next range off a set in text, as it stands there: neither sorted
 * nor merged. 1: *range_r is set; 0: the end; -1: not a range. An empty piece
 * is not a range; an exhausted `rest` has data NULL.
 */
int imap_range_next(struct span *rest, struct imap_range *range_r);
/* UIDs in the range. */
uint64_t imap_range_size(struct imap_range range);

#endif
