/*
 * shadow: rules that leave a later one nothing to do.
 *
 * Rules that stop or move are kept under what one of their conditions asks
 * for, so that a later rule meets only those that may stand in its light.
 */
#ifndef BELFRY_RULES_SHADOW_H
#define BELFRY_RULES_SHADOW_H

#include "rules/prover.h"

#define SHADOW_CANDIDATES_MAX 64 /* earlier rules that one is compared with */
#define SHADOW_KEY_RULES_MAX 16	 /* rules kept under one key */
#define SHADOW_KEYS_MAX 64	 /* keys of one rule */

struct shadow {
	const struct rule *rule; /* the earlier one */
	bool stops;		 /* else it moves, as the later one would */
};

struct shadow_entry {
	const struct rule *rule;
	unsigned *when, *unless; /* literals; owned */
	size_t seen;		 /* the last search that came here */
};
struct shadow_link {
	size_t hash, entry, next; /* next: 1 + index; 0: none */
};

struct shadows {
	struct shadow_entry *entries; /* owned */
	size_t count, cap;
	struct shadow_link *links; /* owned */
	size_t link_count, link_cap;
	size_t *buckets; /* owned; 1 + index */
	size_t bucket_count;
	size_t searches;
};

void shadows_init(struct shadows *shadows);
void shadows_done(struct shadows *shadows);
/* The prover knows all that is true where `rule` acts. */
bool shadows_find(struct shadows *shadows, struct prover *prover,
    const struct rule *rule, struct shadow *shadow_r);
/* Keeps the rule if it can shadow a later one. */
void shadows_add(
    struct shadows *shadows, struct prover *prover, const struct rule *rule);

#endif
