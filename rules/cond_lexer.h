/*
 * cond_lexer: the pieces of a condition. What a piece is depends on where it
 * stands (a value may hold blanks and almost anything), so the parser asks
 * for the piece it expects.
 *
 * A call that returns false has reported an error, unless it says otherwise.
 */
#ifndef BELFRY_RULES_COND_LEXER_H
#define BELFRY_RULES_COND_LEXER_H

#include "daemon/base/buf.h"
#include "rules/source.h"

struct cond_lexer {
	const struct source *source;
	size_t pos;    /* the next byte */
	unsigned open; /* parentheses of the expression */
};

/* A field as it is written: name and argument. */
struct lexed_field {
	size_t offset;
	struct span name;
	struct span argument; /* data NULL: no parentheses */
	size_t argument_offset;
};

struct lexed_pattern {
	size_t offset;	 /* of the first byte behind the delimiter */
	struct span raw; /* as written, delimiters with their backslash */
	struct buf text; /* as PCRE2 gets it */
	unsigned flags;
};

void lexer_skip_blanks(struct cond_lexer *lexer);
bool lexer_is_at_end(const struct cond_lexer *lexer);
/* Takes the character if it is next. Never an error. */
bool lexer_take(struct cond_lexer *lexer, char c);
/* Takes the word if it is next and ends there. Never an error. */
bool lexer_take_word(struct cond_lexer *lexer, const char *word);
/* What is next, for a message: up to a blank. */
struct span lexer_peek(const struct cond_lexer *lexer);

bool lexer_field(struct cond_lexer *lexer, struct lexed_field *field_r);
/* On success the caller frees pattern_r->text. */
bool lexer_pattern(struct cond_lexer *lexer, struct lexed_pattern *pattern_r);
/*
 * A value, without its quotes. `is_list`: a comma ends it, too. On success
 * `text` has it and *offset_r is where it began.
 */
bool lexer_value(struct cond_lexer *lexer, bool is_list, struct buf *text,
    size_t *offset_r, bool *is_quoted_r);

#endif
