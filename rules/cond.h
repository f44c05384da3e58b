/*
 * cond: a condition as a tree. Immutable once parsed.
 */
#ifndef BELFRY_RULES_COND_H
#define BELFRY_RULES_COND_H

#include "rules/field.h"
#include "rules/members.h"
#include "rules/pattern.h"
#include "rules/rules.h"

enum op {
	OP_EXISTS, /* no operator */
	OP_MATCH,
	OP_NOT_MATCH,
	OP_IS,
	OP_HAS,
	OP_IN,
	OP_GREATER,
	OP_GREATER_EQUAL,
	OP_LESS,
	OP_LESS_EQUAL,
};

/* What a value is compared with; which member counts is the operator's and
 * the field's type's matter. */
struct operand {
	char *text;		 /* IS, HAS; owned */
	struct pattern *literal; /* the same, where it is not ASCII; owned */
	int64_t number;
	const struct members *members; /* IN; borrowed from the rules */
	struct rule_place place;       /* of its first character */
	bool is_quoted;
};

struct test {
	size_t slot; /* of the rules' slots */
	const struct field *field;
	enum address_part part;
	enum op op;
	struct operand *operands; /* owned; any of them will do */
	size_t operand_count;
	struct pattern *pattern; /* MATCH, NOT_MATCH; owned */
	char *pattern_text;	 /* as PCRE2 has it; owned */
	unsigned pattern_flags;	 /* enum pattern_flag */
	struct rule_place pattern_place; /* of pattern_text */
	/* For each named group of the pattern the number of the rule's
	 * capture; NULL where a match is not kept (below a `not`). */
	size_t *captures;
};

enum cond_kind {
	COND_ALL,
	COND_AND,
	COND_OR,
	COND_NOT,
	COND_TEST
};

struct cond {
	enum cond_kind kind;
	struct cond **kids; /* AND, OR: two or more; NOT: one */
	size_t kid_count;
	struct test test;	 /* COND_TEST */
	char *text;		 /* ALL and TEST: as written; owned */
	struct rule_place place; /* of its first character */
};

struct cond *cond_new(enum cond_kind kind);
void cond_free(struct cond **cond);
/* Takes `kid`. */
void cond_add(struct cond *cond, struct cond *kid);
/* Adds an empty operand. */
struct operand *test_add_operand(struct test *test);

#endif
