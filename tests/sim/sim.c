/*
 * sim [-v] [-s FIRST_SEED] [-n SEEDS]: runs the simulated world for a row of
 * seeds ($SIM_SEEDS, else 300); prints each seed that breaks an invariant, so
 * that `sim -v -s SEED -n 1` replays it, and ends with 1 if there was one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/sim/world.h"

int
main(int argc, char **argv)
{
	struct world_options options = {.seed = 1};
	struct world_result total = {0};
	const char *wanted = getenv("SIM_SEEDS");
	unsigned long count = wanted != NULL ? strtoul(wanted, NULL, 10) : 300;
	unsigned failed = 0;
	int option;

	while ((option = getopt(argc, argv, "vs:n:")) != -1) {
		if (option == 'v')
			options.verbose = true;
		else if (option == 's')
			options.seed = strtoull(optarg, NULL, 10);
		else if (option == 'n')
			count = strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	uint64_t first = options.seed;
	for (unsigned long i = 0; i < count; i++, options.seed++) {
		struct world_result result;
		world_run(&options, &result);
		if (!result.ok) {
			printf("seed %llu: %s\n",
			    (unsigned long long)options.seed, result.why);
			failed++;
		}
		total.steps += result.steps;
		total.messages += result.messages;
		total.kills += result.kills;
		total.cuts += result.cuts;
		total.failed_commits += result.failed_commits;
		total.logins += result.logins;
	}
	printf("%lu seeds from %llu: %u failed; %u steps, %u messages, "
	       "%u kills, %u cuts, %u failed commits, %u logins\n",
	    count, (unsigned long long)first, failed, total.steps,
	    total.messages, total.kills, total.cuts, total.failed_commits,
	    total.logins);
	return failed > 0;
}
