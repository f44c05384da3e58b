#include "tests/sim/seeds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * What a seed means changes with every change of a world: then it is one more
 * run like any other. What keeps the fault out for good is named behind it.
 */
static const struct {
	const char *program;
	uint64_t seed;
	const char *what;
} regressions[] = {
    /* A mailbox that lost its own connection to a limit, and was watched over
     * the shared one, was "waiting" until its next message. */
    {"many", 62, "waiting in calm weather"},
    {"many", 221, "waiting in calm weather"},
};

struct row {
	uint64_t first;
	unsigned long count;
	bool verbose, is_alone;
};

static unsigned long
default_count(const struct seeds_program *program)
{
	const char *wanted = getenv("SIM_SEEDS");
	unsigned long count;

	if (wanted == NULL)
		return program->seeds;
	count = strtoul(wanted, NULL, 10) / program->scale;
	return count > 0 ? count : 1;
}

static bool
read_options(struct row *row, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "vs:n:")) != -1) {
		if (option == 'v') {
			row->verbose = true;
		} else if (option == 's') {
			row->first = strtoull(optarg, NULL, 10);
			row->is_alone = true;
		} else if (option == 'n') {
			row->count = strtoul(optarg, NULL, 10);
		} else {
			return false;
		}
	}
	return true;
}

static unsigned long
play(const struct seeds_program *program, uint64_t seed, bool verbose)
{
	bool is_good = program->run(program->ctx, seed, verbose);

	fflush(stdout);
	return !is_good;
}

static unsigned long
play_regressions(const struct seeds_program *program, bool verbose)
{
	unsigned long failed = 0;

	for (size_t i = 0; i < COUNT(regressions); i++) {
		if (strcmp(regressions[i].program, program->name) != 0)
			continue;
		if (play(program, regressions[i].seed, verbose) == 0)
			continue;
		printf("again: %s\n", regressions[i].what);
		failed++;
	}
	return failed;
}

int
seeds_main(const struct seeds_program *program, int argc, char **argv)
{
	struct row row = {.first = 1, .count = default_count(program)};
	unsigned long failed = 0;

	if (!read_options(&row, argc, argv))
		return 2;
	if (!row.is_alone)
		failed += play_regressions(program, row.verbose);
	for (unsigned long i = 0; i < row.count; i++)
		failed += play(program, row.first + i, row.verbose);
	printf("%lu seeds from %llu: %lu failed", row.count,
	    (unsigned long long)row.first, failed);
	if (program->sum_up != NULL)
		program->sum_up(program->ctx);
	putchar('\n');
	return failed > 0;
}
