/*
 * span: a borrowed piece of bytes: pointer and length, no terminator.
 *
 * A span never owns. Its bytes live as long as the header of whoever handed
 * it out says. Zero is a length like any other; `data` may be NULL only when
 * `len` is 0. All functions accept such a span.
 */
#ifndef BELFRY_BASE_SPAN_H
#define BELFRY_BASE_SPAN_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const char *data;
	size_t len;
};

/* A span over a string literal, usable in static initialisers. */
#define SPAN_INIT(literal)                                                     \
	{                                                                      \
		(literal), sizeof(literal) - 1                                 \
	}
#define SPAN(literal) ((struct span)SPAN_INIT(literal))
#define SPAN_EMPTY ((struct span){NULL, 0})
/* For printf: printf("%.*s", SPAN_FMT(s)). */
#define SPAN_FMT(s) (int)(s).len, ((s).data != NULL ? (s).data : "")

/* `str` may be NULL: the empty span. */
static inline struct span
span_from_str(const char *str)
{
	if (str == NULL)
		return SPAN_EMPTY;
	return (struct span){str, strlen(str)};
}

static inline struct span
span_from(const void *data, size_t len)
{
	assert(data != NULL || len == 0);
	return (struct span){(const char *)data, len};
}

static inline bool
span_equal(struct span a, struct span b)
{
	return a.len == b.len &&
	       (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* For span_equal_nocase: both have `len` bytes. */
bool span_bytes_equal_nocase(const char *a, const char *b, size_t len);

/* ASCII letters compare without case (RFC 9051 section 9: ABNF strings).
 * Inline, like those below: most are asked of words of another length, by a
 * literal whose own length the compiler knows. */
static inline bool
span_equal_nocase(struct span a, struct span b)
{
	return a.len == b.len && span_bytes_equal_nocase(a.data, b.data, a.len);
}

static inline bool
span_is(struct span s, const char *str)
{
	return span_equal(s, span_from_str(str));
}

static inline bool
span_is_nocase(struct span s, const char *str)
{
	return span_equal_nocase(s, span_from_str(str));
}

/* Order as memcmp, then the shorter first. */
int span_compare(struct span a, struct span b);

/* Offset of the first `c`, or SIZE_MAX. */
size_t span_find(struct span s, char c);
/* Offset of the first `needle` from `from` on, or SIZE_MAX. */
size_t span_find_span(struct span s, struct span needle, size_t from);
bool span_contains_nocase(struct span s, struct span needle);
/* How many of the first bytes are neither CR nor LF. */
size_t span_line_length(struct span s);

static inline struct span
span_skip(struct span s, size_t n)
{
	if (n > s.len)
		n = s.len;
	/* To add even 0 to NULL is undefined. */
	if (n == 0)
		return s;
	return (struct span){s.data + n, s.len - n};
}

/* The part from `start` of at most `len` bytes; both are clamped. */
static inline struct span
span_slice(struct span s, size_t start, size_t len)
{
	s = span_skip(s, start);
	if (s.len > len)
		s.len = len;
	return s;
}

static inline bool
span_starts(struct span s, const char *prefix)
{
	struct span p = span_from_str(prefix);

	return span_equal(span_slice(s, 0, p.len), p);
}

static inline bool
span_starts_nocase(struct span s, const char *prefix)
{
	struct span p = span_from_str(prefix);

	return span_equal_nocase(span_slice(s, 0, p.len), p);
}

bool span_ends_nocase(struct span s, const char *suffix);

/* Without blanks, tabs, CR and LF at both ends. */
struct span span_trim(struct span s);

/*
 * Takes from `rest` what stands before the first `sep` (all of it if there is
 * none) and moves `rest` behind the separator. False when `rest` was already
 * exhausted; an exhausted rest has data NULL.
 */
bool span_split(struct span *rest, char sep, struct span *piece_r);

/*
 * A decimal number that fills the whole span (1 to 20 digits). False on
 * anything else, and on overflow; `value_r` is then untouched.
 */
bool span_to_u64(struct span s, uint64_t *value_r);
bool span_to_u32(struct span s, uint32_t *value_r);

#endif
