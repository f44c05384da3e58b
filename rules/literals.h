/*
 * literals: texts of which one must be in a value for a pattern to match it.
 *
 * Found by reading the pattern, with great care: what is not surely
 * understood gives none, and then the pattern has to be tried on every value.
 * All are lower case ASCII of LITERAL_MIN to LITERAL_MAX bytes and are looked
 * for without ASCII case.
 *
 * Two ASCII letters have a case partner that is not ASCII, and patterns that
 * ignore case know it: k is also U+212A, s is also U+017F. A value that has
 * one of these characters may match whatever it lacks (literals_any_case).
 */
#ifndef BELFRY_RULES_LITERALS_H
#define BELFRY_RULES_LITERALS_H

#include "daemon/base/span.h"
#include "daemon/base/strv.h"

#define LITERAL_MIN 3	/* bytes; shorter ones are in most values */
#define LITERAL_MAX 32	/* bytes; longer ones are cut */
#define LITERALS_MAX 32 /* of one pattern; more: none */

/* Adds nothing to `literals`, which is empty, when there are none. `text` is
 * a pattern that PCRE2 took, `flags` are enum pattern_flag. */
void literals_of_pattern(
    struct strv *literals, struct span text, unsigned flags);
/* The same of a text that must be in the value as it is, ASCII case aside (or
 * any case, where it is not ASCII). */
void literals_of_text(struct strv *literals, struct span text);

/* Could a value match? False: surely not. */
bool literals_may_match(const struct strv *literals, struct span value);
bool literals_any_case(struct span value);

#endif
