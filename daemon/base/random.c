/*
 * random: xoshiro256** 1.0 by Blackman and Vigna (public domain), seeded by
 * their splitmix64.
 */
#include "daemon/base/random.h"

#include <assert.h>

static uint64_t
splitmix64(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint64_t
rotate_left(uint64_t x, unsigned by)
{
	return (x << by) | (x >> (64 - by));
}

void
random_init(struct random *random, uint64_t seed)
{
	for (size_t i = 0; i < 4; i++)
		random->state[i] = splitmix64(&seed);
}

uint64_t
random_next(struct random *random)
{
	uint64_t *s = random->state;
	uint64_t result = rotate_left(s[1] * 5, 7) * 9;
	uint64_t shifted = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = rotate_left(s[3], 45);
	return result;
}

uint64_t
random_below(struct random *random, uint64_t bound)
{
	uint64_t uneven, value;

	if (bound == 0)
		return 0;
	/* 2^64 mod bound: so many values at the low end would come once too
	 * often. */
	uneven = -bound % bound;
	do
		value = random_next(random);
	while (value < uneven);
	return value % bound;
}

usec_t
random_jitter(struct random *random, usec_t value, unsigned percent)
{
	usec_t reach;

	assert(percent <= 100);
	if (value == USEC_NEVER)
		return value;
	reach = value / 100 * percent + value % 100 * percent / 100;
	/* Above half of the range 2 * reach would wrap: no such time is
	 * real. */
	if (reach > UINT64_MAX / 4)
		reach = UINT64_MAX / 4;
	return usec_add(value - reach, random_below(random, 2 * reach + 1));
}
