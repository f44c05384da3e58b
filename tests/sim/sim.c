/*
 * sim [-v] [-s FIRST_SEED] [-n SEEDS] [--weather NAME]: runs the simulated
 * world for a row of seeds ($SIM_SEEDS, else 300; tests/sim/seeds.h); prints
 * each seed that breaks an invariant.
 */
#include <stdio.h>

#include "tests/sim/seeds.h"
#include "tests/sim/world.h"

struct totals {
	unsigned long steps, messages, kills, cuts, failed_commits, logins;
	size_t account_bytes;
};

static bool
run(void *ctx, const struct seeds_run *run)
{
	const struct world_options options = {
	    .seed = run->seed,
	    .verbose = run->verbose,
	    .personality = run->personality,
	    .weather =
		run->weather != NULL ? world_weather_find(run->weather) : NULL,
	};
	struct totals *totals = ctx;
	struct world_result result;

	if (run->weather != NULL && options.weather == NULL) {
		printf("there is no weather %s\n", run->weather);
		return false;
	}
	world_run(&options, &result);
	if (!result.ok)
		printf("seed %llu: %s\n", (unsigned long long)run->seed,
		    result.why);
	totals->steps += result.steps;
	totals->messages += result.messages;
	totals->kills += result.kills;
	totals->cuts += result.cuts;
	totals->failed_commits += result.failed_commits;
	totals->logins += result.logins;
	if (totals->account_bytes < result.account_bytes)
		totals->account_bytes = result.account_bytes;
	return result.ok;
}

static void
sum_up(const void *ctx)
{
	const struct totals *totals = ctx;

	printf("; %lu steps, %lu messages, %lu kills, %lu cuts, %lu failed "
	       "commits, %lu logins; %zu KiB",
	    totals->steps, totals->messages, totals->kills, totals->cuts,
	    totals->failed_commits, totals->logins,
	    totals->account_bytes / 1024);
}

int
main(int argc, char **argv)
{
	struct totals totals = {0};
	const struct seeds_program program = {.name = "sim",
	    .scale = 1,
	    .seeds = 300,
	    .run = run,
	    .sum_up = sum_up,
	    .ctx = &totals};

	return seeds_main(&program, argc, argv);
}
