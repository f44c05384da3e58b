/*
 * cond_parser_private: one line on its way into conditions, among
 * cond_parser.c (tests and how they are joined), cond_field.c and
 * cond_value.c. What returns false has reported why.
 */
#ifndef BELFRY_RULES_COND_PARSER_PRIVATE_H
#define BELFRY_RULES_COND_PARSER_PRIVATE_H

#include "rules/cond_lexer.h"
#include "rules/cond_parser.h"

struct cond_parser {
	struct cond_lexer lexer;
	const struct source *source;
	struct slots *slots;
	struct lists *lists;
	unsigned depth; /* of parentheses and `not` */
	size_t known;	/* bytes whose characters are counted, ... */
	size_t count;	/* ... which are so many */
};

/* As source_place, but a long line is counted once and not for each of its
 * values. */
struct rule_place cond_parser_place(struct cond_parser *parser, size_t offset);

/* field, into the test's field, part and slot */
bool cond_parse_field(struct cond_parser *parser, struct test *test);

/* What stands behind the test's operator: values, lists, numbers, ... */
bool cond_parse_operands(struct cond_parser *parser, struct test *test);

/* ... or a pattern. */
bool cond_parse_pattern(struct cond_parser *parser, struct test *test);

#endif
