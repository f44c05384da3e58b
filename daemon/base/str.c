/*
 * str: strings as people see them.
 */
#include "daemon/base/str.h"

#include "daemon/base/utf8.h"

#define ELLIPSIS 0x2026u

/* str_nearest compares no longer words: no name of ours is longer. */
#define NEAREST_WORD_MAX 64
#define NEAREST_EDITS_MAX 3

struct range {
	uint32_t first, last;
};

/* Looked up in this order: what is not in a table is kept. */
static const struct range blanks[] = {
    {'\t', '\n'}, {'\r', '\r'},
    {0x2028, 0x2029}, /* line and paragraph separator */
};

static const struct range vanishing[] = {
    {0x0000, 0x001f},	/* C0 */
    {0x007f, 0x009f},	/* DEL, C1 */
    {0x00ad, 0x00ad},	/* soft hyphen */
    {0x061c, 0x061c},	/* Arabic letter mark */
    {0x180e, 0x180e},	/* Mongolian vowel separator */
    {0x200b, 0x200f},	/* zero-width, marks of direction */
    {0x202a, 0x202e},	/* embeddings and overrides of direction */
    {0x2060, 0x206f},	/* invisible operators, isolates */
    {0xfeff, 0xfeff},	/* byte order mark */
    {0xfff9, 0xfffb},	/* interlinear annotation */
    {0xe0000, 0xe007f}, /* tags */
};

#define IN_RANGES(code, ranges)                                                \
	is_in_ranges((code), (ranges), sizeof(ranges) / sizeof((ranges)[0]))

static bool
is_in_ranges(uint32_t code, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	}
	return false;
}

/*
 * Takes the next character that a person will see from `rest`; a run of line
 * ends and tabs counts as one blank. False when there is none any more.
 */
static bool
next_visible(struct span *rest, bool *in_run, uint32_t *code_r)
{
	uint32_t code;
	size_t len;

	while ((len = utf8_next(*rest, &code, NULL)) > 0) {
		*rest = span_skip(*rest, len);
		if (IN_RANGES(code, blanks)) {
			if (*in_run)
				continue;
			*in_run = true;
			*code_r = ' ';
			return true;
		}
		if (IN_RANGES(code, vanishing))
			continue;
		*in_run = false;
		*code_r = code;
		return true;
	}
	return false;
}

/* Bytes at the front that are characters for themselves, and are kept. */
static size_t
plain_length(struct span text)
{
	size_t len = 0;

	while (len < text.len && text.data[len] >= ' ' && text.data[len] < 0x7f)
		len++;
	return len;
}

/* Most text is plain: what is, is copied as it stands. */
static size_t
add_plain(struct buf *buf, struct span *text, size_t max)
{
	size_t len = plain_length(span_slice(*text, 0, max));

	if (len > 0)
		buf_add(buf, text->data, len);
	*text = span_skip(*text, len);
	return len;
}

void
str_sanitize(struct buf *buf, struct span text, size_t max_chars)
{
	size_t kept = add_plain(buf, &text, max_chars);
	bool in_run = false;
	uint32_t code;

	while (next_visible(&text, &in_run, &code)) {
		if (kept == max_chars) {
			utf8_add(buf, ELLIPSIS);
			return;
		}
		utf8_add(buf, code);
		kept++;
		if (!in_run)
			kept += add_plain(buf, &text, max_chars - kept);
	}
}

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static bool
same_char(char a, char b)
{
	return char_to_lower(a) == char_to_lower(b);
}

/*
 * Insertions, deletions, substitutions and swaps of neighbours (optimal
 * string alignment) that make `b` of `a`, neither longer than
 * NEAREST_WORD_MAX. Row i of the textbook's matrix is rows[i % 3]: a swap
 * looks two rows back.
 */
static unsigned
count_edits(struct span a, struct span b)
{
	unsigned rows[3][NEAREST_WORD_MAX + 1];

	for (size_t j = 0; j <= b.len; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a.len; i++) {
		unsigned *row = rows[i % 3];
		const unsigned *up = rows[(i + 2) % 3];
		const unsigned *up2 = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b.len; j++) {
			bool same = same_char(a.data[i - 1], b.data[j - 1]);

			row[j] = least(up[j] + 1, row[j - 1] + 1);
			row[j] = least(row[j], up[j - 1] + !same);
			if (i > 1 && j > 1 &&
			    same_char(a.data[i - 1], b.data[j - 2]) &&
			    same_char(a.data[i - 2], b.data[j - 1]))
				row[j] = least(row[j], up2[j - 2] + 1);
		}
	}
	return rows[a.len % 3][b.len];
}

const char *
str_nearest(struct span word, const char *const *candidates)
{
	const char *nearest = NULL;
	unsigned best, edits;

	if (word.len == 0 || word.len > NEAREST_WORD_MAX)
		return NULL;
	/* One more than allowed, so that the first in reach wins. */
	best = least((unsigned)word.len / 3, NEAREST_EDITS_MAX);
	best = (best > 0 ? best : 1) + 1;
	for (; *candidates != NULL; candidates++) {
		struct span candidate = span_from_str(*candidates);

		if (candidate.len > NEAREST_WORD_MAX)
			continue;
		edits = count_edits(word, candidate);
		if (edits < best) {
			best = edits;
			nearest = *candidates;
		}
	}
	return nearest;
}

/* Not <ctype.h>: that one depends on the locale. */
