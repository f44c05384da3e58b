/*
 * expr: conditions in a form in which they can be compared.
 *
 * Every condition of a rule set becomes a literal: the number of a node, and
 * whether it is negated. Nodes are kept once: two conditions that say the
 * same, in whatever order and with however many `not`, are one literal. A
 * node is "true", a test, or an `and` of literals (`or` is an `and` under
 * two `not`).
 *
 *   literal = 2 * node + negated
 *
 * The conditions and the rules are borrowed and must not change.
 */
#ifndef BELFRY_RULES_EXPR_H
#define BELFRY_RULES_EXPR_H

#include "rules/cond.h"

#define EXPR_TRUE 0u
#define EXPR_FALSE 1u
#define EXPR_NOT(literal) ((literal) ^ 1u)
#define EXPR_IS_NEGATED(literal) (((literal)&1u) != 0)

/* What a test is for every message, whatever other tests say. */
enum certainty {
	CERTAIN_NOT_KNOWN,
	CERTAIN_NO,
	CERTAIN_YES
};

struct expr_node {
	const struct cond *cond; /* the first test that says so, or NULL */
	unsigned *kids;		 /* of an `and`: two or more; owned */
	size_t kid_count;
	bool has_pattern;	 /* can meet a limit of patterns */
	bool is_judged;		 /* `alone` and `reason` are known */
	enum certainty alone;	 /* of a test */
	const char *reason;	 /* for it; static, or NULL */
	struct rule_place place; /* of what the reason is about */
	char *hint;		 /* owned, or NULL */
	char *key;		 /* owned */
	size_t next;		 /* of the same bucket; 0: none */
};

struct exprs {
	struct expr_node *nodes; /* owned; the first is "true" */
	size_t count, cap;
	size_t *buckets; /* owned */
	size_t bucket_count;
};

void exprs_init(struct exprs *exprs);
void exprs_done(struct exprs *exprs);
/* Of the condition as the tree has it, not below what stands above it. */
unsigned expr_of(struct exprs *exprs, const struct cond *cond);
/* The node of a literal; valid until the next expr_of. */
struct expr_node *expr_node(const struct exprs *exprs, unsigned literal);

/* FNV-1a, for tables of keys. */
size_t expr_hash(struct span key);

#endif
