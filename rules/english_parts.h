/* What the files of english share. */
#ifndef BELFRY_RULES_ENGLISH_PARTS_H
#define BELFRY_RULES_ENGLISH_PARTS_H

#include "rules/english.h"
#include "rules/rule.h"

#define ENGLISH_TEXT_MAX 200 /* characters of one value */
#define ENGLISH_LIST_MAX 4   /* members of a list that are named */

/* "that is", "whose subject", or "it is", "its subject". */
enum english_voice {
	VOICE_RELATIVE,
	VOICE_PRONOUN
};

/* A value as it is, and in double quotes. */
void english_add(struct buf *buf, const char *text);
void english_quote(struct buf *buf, const char *text);
/* "", " or ", ", " between the items of a list. */
void english_joint(
    struct buf *buf, size_t index, size_t count, const char *word);
/* "2 days", "1 hour". */
void english_time(struct buf *buf, int64_t seconds);

/* One test, with what it is said of. */
void english_test(struct buf *buf, const struct rules *rules,
    const struct cond *cond, bool is_negated, enum english_voice voice);
/* All lines, joined by "and" (`when`) or "or" (`unless`). */
void english_conditions(struct buf *buf, const struct rules *rules,
    struct cond *const *conds, size_t count, bool is_or,
    enum english_voice voice);
/* "flag it, and notify". */
void english_actions(
    struct buf *buf, const struct rules *rules, const struct rule *rule);

#endif
