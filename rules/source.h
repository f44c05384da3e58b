/*
 * source: one line of a rule while it is compiled, and the place of each of
 * its bytes. Everything that reads the language reports through here, so
 * that every problem has a file, a line and a column.
 */
#ifndef BELFRY_RULES_SOURCE_H
#define BELFRY_RULES_SOURCE_H

#include "rules/rules.h"

struct source {
	struct span text;	 /* the value; borrowed */
	struct rule_place place; /* of its first character */
	struct rule_problems *problems;
};

/* The place of the byte at `offset`. */
struct rule_place source_place(const struct source *source, size_t offset);
/* Adds an error; `hint` may be NULL. Returns false, for `return ...`. */
bool source_error(const struct source *source, size_t offset, const char *hint,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
void source_warn(const struct source *source, size_t offset, const char *hint,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* As source_error, with "did you mean `...`?" when a candidate is near.
 * `candidates` ends with NULL. */
bool source_error_near(const struct source *source, size_t offset,
    struct span word, const char *const *candidates, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#endif
