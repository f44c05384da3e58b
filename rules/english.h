/*
 * english: a rule as one English sentence, for people who want to read what
 * they wrote.
 *
 * It says no more and no less than the rule. `and` and `or` are told apart by
 * "either", "both" and, deeper down, parentheses; a `not` before several
 * conditions is said of each of them.
 */
#ifndef BELFRY_RULES_ENGLISH_H
#define BELFRY_RULES_ENGLISH_H

#include "daemon/base/buf.h"
#include "rules/rules.h"

/* Appends the sentence with its full stop; one line without control
 * characters. `index` is below rules_count. */
void rule_english(struct buf *buf, const struct rules *rules, size_t index);

#endif
