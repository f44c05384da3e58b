#include "tests/sim/claim_lab.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEEDS 300

static const char *const names[LAB_NODES_MAX] = {CLAIM_PREFIX "0",
    CLAIM_PREFIX "1", CLAIM_PREFIX "2", CLAIM_PREFIX "3", CLAIM_PREFIX "4"};

void
lab_begin(struct lab *lab, uint64_t seed, bool verbose)
{
	*lab = (struct lab){.verbose = verbose, .now = LAB_START_USEC};
	random_init(&lab->random, seed);
}

void
lab_say(const struct lab *lab, const char *format, ...)
{
	va_list args;

	if (!lab->verbose)
		return;
	printf("%10.3f ", (double)(lab->now - LAB_START_USEC) / USEC_SEC);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

void
lab_broken(struct lab *lab, const char *format, ...)
{
	va_list args;

	if (lab->why[0] != '\0')
		return;
	va_start(args, format);
	vsnprintf(lab->why, sizeof(lab->why), format, args);
	va_end(args);
}

usec_t
lab_between(struct lab *lab, usec_t least, usec_t most)
{
	return least + random_below(&lab->random, most - least + 1);
}

const char *
lab_claim_name(size_t n)
{
	return names[n];
}

bool *
lab_keyword(struct lab_keywords *keywords, const char *word)
{
	if (strcmp(word, CLAIM_TICK) == 0)
		return &keywords->tick;
	if (strcmp(word, CLAIM_SENDING) == 0)
		return &keywords->sending;
	if (strcmp(word, LAB_MARK) == 0)
		return &keywords->mark;
	return &keywords->claims[word[strlen(CLAIM_PREFIX)] - '0'];
}

void
lab_tell(struct claim *claim, uint32_t uid, uint64_t modseq,
    const struct lab_keywords *keywords, bool seen)
{
	struct span flags[LAB_NODES_MAX + 4];
	size_t count = 0;

	for (size_t n = 0; n < LAB_NODES_MAX; n++)
		if (keywords->claims[n])
			flags[count++] = span_from_str(names[n]);
	if (keywords->tick)
		flags[count++] = SPAN(CLAIM_TICK);
	if (keywords->sending)
		flags[count++] = SPAN(CLAIM_SENDING);
	if (keywords->mark)
		flags[count++] = SPAN(LAB_MARK);
	if (seen)
		flags[count++] = SPAN("\\Seen");
	claim_on_message(claim, uid, modseq, flags, count);
}

bool
lab_options(int argc, char **argv, struct lab_options *options_r)
{
	const char *wanted = getenv("SIM_SEEDS");
	struct lab_options options = {.seed = 1,
	    .count = wanted != NULL ? strtoul(wanted, NULL, 10) : SEEDS};
	int option;

	while ((option = getopt(argc, argv, "vfs:n:")) != -1) {
		if (option == 'v')
			options.verbose = true;
		else if (option == 'f')
			options.first = true;
		else if (option == 's')
			options.seed = strtoul(optarg, NULL, 10);
		else if (option == 'n')
			options.count = strtoul(optarg, NULL, 10);
		else
			return false;
	}
	*options_r = options;
	return true;
}
