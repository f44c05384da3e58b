/*
 * sim/seeds: what the simulations share: their options, the row of seeds, and
 * the seeds that once broke something, which every run plays first.
 *
 *   PROGRAM [-v] [-s FIRST_SEED] [-n SEEDS] [--personality NAME | --each]
 *           [--list]
 *
 * Without -n the row has $SIM_SEEDS seeds, scaled to what one of them costs in
 * this program. With -s nothing is played but the row, so that
 * `PROGRAM -v -s SEED -n 1` replays a failure; -f ends it at the first one that
 * fails. --personality fixes the server
 * (tests/sim/personality.h), which is chosen by the seed else; --each plays the
 * row once for each of them, and no regressions; --list prints the names of
 * all. --weather is for `sim` alone (tests/sim/world.h).
 */
#ifndef BELFRY_SIM_SEEDS_H
#define BELFRY_SIM_SEEDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/personality.h"

struct seeds_run {
	uint64_t seed;
	bool verbose;
	const struct personality *personality; /* NULL: by the seed */
	const char *weather;		       /* NULL: the usual one */
};

struct seeds_program {
	const char *name; /* as in the list of regressions */
	/* $SIM_SEEDS is divided by it, and there is one seed at least. */
	unsigned scale;
	unsigned long seeds; /* without $SIM_SEEDS */
	/* Plays one run; says why on standard output when it is broken. */
	bool (*run)(void *ctx, const struct seeds_run *run);
	/* Prints the sums, to the end of a line; NULL: none. */
	void (*sum_up)(const void *ctx);
	void *ctx;
};

/* Returns what main returns: 0, 1 when a run failed, 2 for bad options. */
int seeds_main(const struct seeds_program *program, int argc, char **argv);

#endif
