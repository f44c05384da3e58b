/*
 * span: a borrowed piece of bytes.
 *
 * Every function guards `len` 0 before it touches `data`: handing NULL to
 * memcmp, or adding 0 to NULL, is undefined even for no bytes. memmem (POSIX
 * since 2024) comes with _GNU_SOURCE from config.h.
 */

#include "daemon/base/span.h"

#include "daemon/base/str.h"

/* Digits of UINT64_MAX. */
#define U64_DIGITS_MAX 20
/* Longer than most lines of mail. */
#define LINE_PIECE 256

/* Most bytes are equal as they are, or differ for good. */
bool
span_bytes_equal_nocase(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (a[i] != b[i] && char_to_lower(a[i]) != char_to_lower(b[i]))
			return false;
	}
	return true;
}

bool
span_ends_nocase(struct span s, const char *suffix)
{
	struct span p = span_from_str(suffix);

	if (s.len < p.len)
		return false;
	return span_equal_nocase(span_skip(s, s.len - p.len), p);
}

int
span_compare(struct span a, struct span b)
{
	size_t common = a.len < b.len ? a.len : b.len;
	int order = common > 0 ? memcmp(a.data, b.data, common) : 0;

	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

size_t
span_find(struct span s, char c)
{
	const char *found;

	if (s.len == 0)
		return SIZE_MAX;
	found = memchr(s.data, c, s.len);
	return found != NULL ? (size_t)(found - s.data) : SIZE_MAX;
}

/* Piece by piece: text without LF would be searched to its end at each CR. */
size_t
span_line_length(struct span s)
{
	for (size_t at = 0; at < s.len; at += LINE_PIECE) {
		struct span piece = span_slice(s, at, LINE_PIECE);
		size_t end = span_find(piece, '\n');

		if (end != SIZE_MAX)
			piece.len = end;
		size_t cr = span_find(piece, '\r');
		if (cr != SIZE_MAX)
			return at + cr;
		if (end != SIZE_MAX)
			return at + end;
	}
	return s.len;
}

size_t
span_find_span(struct span s, struct span needle, size_t from)
{
	const char *found;

	if (from > s.len)
		return SIZE_MAX;
	if (needle.len == 0)
		return from;
	if (s.len == 0)
		return SIZE_MAX;
	found = memmem(s.data + from, s.len - from, needle.data, needle.len);
	return found != NULL ? (size_t)(found - s.data) : SIZE_MAX;
}

bool
span_contains_nocase(struct span s, struct span needle)
{
	char lower, upper;

	if (needle.len == 0)
		return true;
	lower = char_to_lower(needle.data[0]);
	upper = char_to_upper(needle.data[0]);
	for (size_t i = 0; i + needle.len <= s.len; i++) {
		if ((s.data[i] == lower || s.data[i] == upper) &&
		    span_bytes_equal_nocase(
			s.data + i, needle.data, needle.len))
			return true;
	}
	return false;
}

static bool
is_trimmed(char c)
{
	return char_is_blank(c) || c == '\r' || c == '\n';
}

struct span
span_trim(struct span s)
{
	size_t start = 0;

	while (start < s.len && is_trimmed(s.data[start]))
		start++;
	while (s.len > start && is_trimmed(s.data[s.len - 1]))
		s.len--;
	return span_skip(s, start);
}

bool
span_split(struct span *rest, char sep, struct span *piece_r)
{
	size_t at;

	if (rest->data == NULL)
		return false;
	at = span_find(*rest, sep);
	if (at == SIZE_MAX) {
		*piece_r = *rest;
		*rest = SPAN_EMPTY;
		return true;
	}
	*piece_r = span_slice(*rest, 0, at);
	/* Behind a last separator an empty piece is still to come, so `data`
	 * stays set. */
	*rest = span_skip(*rest, at + 1);
	return true;
}

bool
span_to_u64(struct span s, uint64_t *value_r)
{
	uint64_t value = 0;

	if (s.len == 0 || s.len > U64_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (!char_is_digit(s.data[i]))
			return false;
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(
			value, (uint64_t)(s.data[i] - '0'), &value))
			return false;
	}
	*value_r = value;
	return true;
}

bool
span_to_u32(struct span s, uint32_t *value_r)
{
	uint64_t value;

	if (!span_to_u64(s, &value) || value > UINT32_MAX)
		return false;
	*value_r = (uint32_t)value;
	return true;
}
