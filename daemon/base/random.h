/*
 * random: seeded, repeatable random numbers for jitter and for tests
 * (xoshiro256**). Not for secrets. The state belongs to the caller.
 */
#ifndef BELFRY_BASE_RANDOM_H
#define BELFRY_BASE_RANDOM_H

#include <stdint.h>

#include "daemon/base/usec.h"

struct random {
	uint64_t state[4];
};

void random_init(struct random *random, uint64_t seed);
uint64_t random_next(struct random *random);
/* Uniform in [0, bound); 0 for bound 0. */
uint64_t random_below(struct random *random, uint64_t bound);
/* `value` changed by at most `percent` percent up or down. */
usec_t random_jitter(struct random *random, usec_t value, unsigned percent);

#endif
