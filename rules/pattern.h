/*
 * pattern: the door to PCRE2.
 *
 * A pattern is compiled once and is then immutable. Matching needs a room:
 * the working memory (match data, one stack for the machine code, the
 * limits) that all patterns of a rule set share; so a room and what is
 * matched in it belong to one thread.
 *
 * Patterns are written by the person and trusted to be what they want, but
 * not to be fast: the limits PATTERN_* of rules.h are always on, and nothing
 * inside a pattern can raise them (PCRE2 lets "(*LIMIT_MATCH=...)" lower the
 * caller's limit only). \C is refused; a callout has nobody to call.
 */
#ifndef BELFRY_RULES_PATTERN_H
#define BELFRY_RULES_PATTERN_H

#include "daemon/base/error.h"
#include "daemon/base/span.h"
#include "daemon/base/strv.h"

enum pattern_flag {
	PATTERN_CASE = 1,     /* c: letters compare with case */
	PATTERN_DOTALL = 2,   /* s: "." matches a line end, too */
	PATTERN_LINES = 4,    /* m: ^ and $ match at every line */
	PATTERN_EXTENDED = 8, /* x: blanks and # comments are skipped */
};

/* Bytes of a value that machine code may see, where it is linear in cases
 * in which the interpreter is not; without it RULE_SUBJECT_MAX counts. */
#define PATTERN_SUBJECT_JIT_MAX (64 * 1024)

struct pattern;
struct pattern_room;

enum pattern_result {
	PATTERN_NO,
	PATTERN_YES,
	/* A limit was met, or the value was too long to be seen whole and its
	 * beginning did not match: nobody knows. */
	PATTERN_LIMIT
};

/* NULL on failure; *offset_r is then the byte of `text` that is wrong.
 * `text` is copied; its length is at most RULE_PATTERN_MAX, its groups at most
 * RULE_GROUPS_MAX (else failure). */
struct pattern *pattern_compile(
    struct span text, unsigned flags, size_t *offset_r, struct error *error_r);
/* A pattern for exactly this valid UTF-8 text, case ignored as Unicode has
 * it; `is_whole`: the value must be nothing else. Never fails for a text of
 * at most RULE_PATTERN_MAX bytes, and sees all of a value, however long. */
struct pattern *pattern_compile_literal(struct span text, bool is_whole);
void pattern_free(struct pattern **pattern);
/* Texts of which one must be in a value that matches (rules/literals.h);
 * none: not known. A value without them is never tried. */
const struct strv *pattern_literals(const struct pattern *pattern);
/* Bytes of a value that are looked at. */
size_t pattern_subject_max(const struct pattern *pattern);

/* Every text that matches contains this character. False when that cannot be
 * told: there may be others that it must contain. */
bool pattern_needs(const struct pattern *pattern, char c);

/* Named groups, in the order of their names. A name can be there more than
 * once ("(?J)"); then at most one of them is set by a match. */
size_t pattern_name_count(const struct pattern *pattern);
const char *pattern_name(const struct pattern *pattern, size_t index);

/* Whether machine code does the work. Not where a hardened system refuses
 * executable memory: there the interpreter does it, with the same results. */
bool pattern_has_machine_code(const struct pattern *pattern);

struct pattern_room *pattern_room_new(void);
void pattern_room_free(struct pattern_room **room);

/*
 * A budget for the patterns of one message, and in it one for each rule: when
 * either is used up, pattern_match gives PATTERN_LIMIT. Rules have no clock,
 * so work is estimated, the same on every run: each match costs its bytes,
 * and as many steps as the smallest of some limits that lets it end, so at
 * times ten times too much. The interpreter costs more, and much more for
 * long values, in which it can go to each place from each place without any
 * limit of PCRE2 counting it. What a value surely lacks (pattern_literals)
 * and patterns of pattern_compile_literal cost nothing.
 *
 * A new room has no budget.
 */
void pattern_room_begin_message(struct pattern_room *room);
void pattern_room_begin_rule(struct pattern_room *room);
void pattern_room_end_message(struct pattern_room *room);

/* `subject` must be valid UTF-8 (it is not checked again). */
enum pattern_result pattern_match(const struct pattern *pattern,
    struct pattern_room *room, struct span subject);
/* After PATTERN_YES, before the next match in the room: the part of `subject`
 * that the named group has; false when the group took no part. */
bool pattern_get(const struct pattern *pattern, struct pattern_room *room,
    struct span subject, size_t index, struct span *value_r);

#endif
