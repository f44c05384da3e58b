/*
 * str: strings as people see them.
 */
#ifndef BELFRY_BASE_STR_H
#define BELFRY_BASE_STR_H

#include "daemon/base/buf.h"
#include "daemon/base/span.h"

/*
 * Appends `text` fit for a terminal, a log line or a notification: invalid
 * UTF-8 becomes U+FFFD; a run of CR, LF, TAB and U+2028/9 becomes one blank;
 * other C0/C1 controls, bidi controls (U+200E/F, 202A-202E, 2066-2069, 061C)
 * and invisible characters (zero-width, soft hyphen, tags) vanish. At most
 * `max_chars` characters are kept; behind a cut stands one "…" more.
 */
void str_sanitize(struct buf *buf, struct span text, size_t max_chars);

/*
 * The candidate nearest to `word` (Damerau-Levenshtein, ASCII case ignored),
 * or NULL if none is within a third of the word's length (at least 1, at
 * most 3 edits). `candidates` ends with NULL. Ties: the first. Words above 64
 * bytes are near to nothing.
 */
const char *str_nearest(struct span word, const char *const *candidates);

/* Of ASCII, whatever the locale; inline, for they are asked of every byte. */
static inline bool
char_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
char_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
char_is_alnum(char c)
{
	return char_is_alpha(c) || char_is_digit(c);
}

/* Blank or tab. */
static inline bool
char_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline char
char_to_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static inline char
char_to_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

#endif
