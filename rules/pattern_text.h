/*
 * pattern_text: what the text of a pattern says about it, for warnings.
 *
 * PCRE2 tells little about a compiled pattern, so these read the text. They
 * know the common constructs; where a text has another, they know nothing
 * and return false. The text is one that pattern_compile has taken.
 */
#ifndef BELFRY_RULES_PATTERN_TEXT_H
#define BELFRY_RULES_PATTERN_TEXT_H

#include "rules/pattern.h"

struct pattern_source {
	const struct pattern *pattern;
	const char *text;
	unsigned flags; /* enum pattern_flag */
};

/* It matches every text without line ends. */
bool pattern_text_matches_all(
    const struct pattern_source *source, struct pattern_room *room);
/* It says nothing but that: written as ".*" or "^" or "". */
bool pattern_text_is_idle(const struct pattern_source *source);
/* It can match nothing: something stands behind the `$`, or before the `^`,
 * at *offset_r. */
bool pattern_text_is_dead(
    const struct pattern_source *source, size_t *offset_r);
/* Every text that matches has this ASCII character in it. */
bool pattern_text_needs(const struct pattern_source *source, char c);
/* A match may leave the named group unset. */
bool pattern_text_may_lack(
    const struct pattern_source *source, const char *name);
/* Whether it matches a text is the same for every case of its letters. */
bool pattern_text_ignores_case(const struct pattern_source *source);

#endif
