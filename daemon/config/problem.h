/*
 * config/problem: problems of a configuration, collected and shown.
 *
 * All readers of the configuration report through problem_add, which stops
 * counting at PROBLEMS_MAX: a file of rubbish must not become a larger heap
 * of complaints. Warnings count by themselves: they hide no error, and are
 * none however many they are. Nothing here, and no caller, puts a value of a
 * secret key into a text.
 */
#ifndef BELFRY_CONFIG_PROBLEM_H
#define BELFRY_CONFIG_PROBLEM_H

#include "daemon/base/buf.h"
#include "rules/rules.h"

#define PROBLEMS_MAX 100
/* Characters of a source line that are shown around the caret. */
#define PROBLEM_EXCERPT_MAX 100

/* As rule_problems_add; after PROBLEMS_MAX errors, or warnings, one last of
 * them says that more are not shown, and the rest is dropped. */
void problem_add(struct rule_problems *problems, bool is_warning,
    struct rule_place place, const char *hint, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Whether more errors would be dropped: loops over foreign input may stop. */
bool problem_is_full(const struct rule_problems *problems);
bool problem_has_errors(const struct rule_problems *problems);
/* By file (in the order of `files`), line and column; stable. */
void problem_sort(struct rule_problems *problems, const struct strv *files);

/*
 * Appends "file:line:column: error: text", and, where `source` (the text of
 * the line, without its end) is not empty, the line, a caret, and the hint.
 * `source` must already be free of secrets.
 */
void problem_format(
    struct buf *buf, const struct rule_problem *problem, struct span source);

#endif
