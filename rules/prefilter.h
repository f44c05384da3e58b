/*
 * prefilter: looks for many texts in a value at once.
 *
 * Each needle is known by three neighbouring bytes of it, the rarest. A value
 * is read once; where its bytes are among those of a needle, the needle is
 * compared. So the cost is that of the value, not of the needles, and memory
 * is some 100 bytes a needle. A value made to meet needles at every place
 * costs PREFILTER_COMPARES_MAX comparisons, and then anything could be in it.
 */
#ifndef BELFRY_RULES_PREFILTER_H
#define BELFRY_RULES_PREFILTER_H

#include "daemon/base/span.h"
#include "rules/literals.h"

/* Of one value, beside one for every byte. */
#define PREFILTER_COMPARES_MAX 20000

struct prefilter;

struct prefilter *prefilter_new(void);
void prefilter_free(struct prefilter **prefilter);
/* `needle` is lower case ASCII of LITERAL_MIN to LITERAL_MAX bytes; `id` is
 * what is found with it. The same needle may have many ids. */
void prefilter_add(struct prefilter *prefilter, struct span needle, size_t id);
/* After the last prefilter_add, before the first search. */
void prefilter_seal(struct prefilter *prefilter);
/* Sets the bits of all ids with a needle that is in `value` (case
 * ignored). False: all of them could be (literals_any_case, or gave up). */
bool prefilter_search(
    const struct prefilter *prefilter, struct span value, uint64_t *found);

/* Sets of numbers as bits. */
static inline void
bits_set(uint64_t *bits, size_t number)
{
	bits[number / 64] |= (uint64_t)1 << number % 64;
}

static inline bool
bits_has(const uint64_t *bits, size_t number)
{
	return (bits[number / 64] >> number % 64 & 1) != 0;
}

#endif
