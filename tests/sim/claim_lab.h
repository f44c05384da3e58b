/*
 * sim/claim_lab: what the simulations of several machines have in common, of
 * claims (sim_claim.c) and of claimed forwards (sim_claim_forward.c): chance, a
 * clock, words, and how a machine is told of a message's keywords.
 */
#ifndef BELFRY_SIM_CLAIM_LAB_H
#define BELFRY_SIM_CLAIM_LAB_H

#include "daemon/account/claim.h"

#define LAB_NODES_MAX 5
#define LAB_MARK "belfry-f-test"
#define LAB_START_USEC (100 * USEC_SEC)

struct lab {
	struct random random;
	bool verbose;
	usec_t now;
	char why[300]; /* what was broken first; "": nothing */
};

void lab_begin(struct lab *lab, uint64_t seed, bool verbose);
/* One line of the story, if it is wanted. */
void lab_say(const struct lab *lab, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void lab_broken(struct lab *lab, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
usec_t lab_between(struct lab *lab, usec_t least, usec_t most);

/* The name of machine `n`, as claim_config.keyword. */
const char *lab_claim_name(size_t n);

/* Keywords of one message. */
struct lab_keywords {
	bool claims[LAB_NODES_MAX], tick, sending, mark;
};

/* The one that is called so. */
bool *lab_keyword(struct lab_keywords *keywords, const char *word);
/* claim_on_message; with a \Seen, too. */
void lab_tell(struct claim *claim, uint32_t uid, uint64_t modseq,
    const struct lab_keywords *keywords, bool seen);

struct lab_options {
	unsigned long seed, count; /* $SIM_SEEDS, or 300 */
	bool verbose, first;	   /* -f: ends with the first that fails */
};
/* False: they are wrong. */
bool lab_options(int argc, char **argv, struct lab_options *options_r);

#endif
