/*
 * utf8: RFC 3629, strictly.
 *
 *   UTF8-octets = *( UTF8-char )                            (section 4)
 *   UTF8-1      = %x00-7F
 *   UTF8-2      = %xC2-DF UTF8-tail
 *   UTF8-3      = %xE0 %xA0-BF UTF8-tail / %xE1-EC 2( UTF8-tail ) /
 *                 %xED %x80-9F UTF8-tail / %xEE-EF 2( UTF8-tail )
 *   UTF8-4      = %xF0 %x90-BF 2( UTF8-tail ) / %xF1-F3 3( UTF8-tail ) /
 *                 %xF4 %x80-8F 2( UTF8-tail )
 *   UTF8-tail   = %x80-BF
 *
 * Of a malformed sequence the longest part that could have begun a character
 * is skipped, which is what Unicode (chapter 3, "U+FFFD Substitution of
 * Maximal Subparts") and the web's decoders do.
 */
#include "daemon/base/utf8.h"

#define BLOCK 64 /* bytes looked at together */
#define CODE_MAX 0x10ffffu
#define SURROGATE_FIRST 0xd800u
#define SURROGATE_LAST 0xdfffu

/* A row of the grammar: lead bytes, and what the second byte may be. */
struct lead {
	unsigned char first, last;
	unsigned char second_first, second_last;
	unsigned char len;
};

/* clang-format off */
static const struct lead leads[] = {
	{0xc2, 0xdf, 0x80, 0xbf, 2},
	{0xe0, 0xe0, 0xa0, 0xbf, 3},
	{0xe1, 0xec, 0x80, 0xbf, 3},
	{0xed, 0xed, 0x80, 0x9f, 3},
	{0xee, 0xef, 0x80, 0xbf, 3},
	{0xf0, 0xf0, 0x90, 0xbf, 4},
	{0xf1, 0xf3, 0x80, 0xbf, 4},
	{0xf4, 0xf4, 0x80, 0x8f, 4},
};
/* clang-format on */

static const struct lead *
find_lead(unsigned char byte)
{
	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
		if (byte >= leads[i].first && byte <= leads[i].last)
			return &leads[i];
	}
	return NULL;
}

/* How many bytes at the front fit the row; lead->len: a whole character. */
static size_t
match_length(struct span s, const struct lead *lead)
{
	size_t n = 1;

	while (n < lead->len && n < s.len) {
		unsigned char byte = (unsigned char)s.data[n];
		unsigned char first = n == 1 ? lead->second_first : 0x80;
		unsigned char last = n == 1 ? lead->second_last : 0xbf;

		if (byte < first || byte > last)
			break;
		n++;
	}
	return n;
}

static uint32_t
decode(const char *data, size_t len)
{
	static const unsigned char lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t code = (unsigned char)data[0] & lead_bits[len];

	for (size_t i = 1; i < len; i++)
		code = code << 6 | ((unsigned char)data[i] & 0x3fu);
	return code;
}

size_t
utf8_next(struct span s, uint32_t *code_r, bool *valid_r)
{
	const struct lead *lead;
	size_t len = 1;

	if (s.len == 0)
		return 0;
	if ((unsigned char)s.data[0] < 0x80) {
		*code_r = (unsigned char)s.data[0];
		return 1;
	}
	lead = find_lead((unsigned char)s.data[0]);
	if (lead != NULL) {
		len = match_length(s, lead);
		if (len == lead->len) {
			*code_r = decode(s.data, len);
			return len;
		}
	}
	*code_r = UTF8_REPLACEMENT;
	if (valid_r != NULL)
		*valid_r = false;
	return len;
}

static void
add_byte(struct buf *buf, uint32_t byte)
{
	buf_add_char(buf, (char)(unsigned char)byte);
}

void
utf8_add(struct buf *buf, uint32_t code)
{
	if (code > CODE_MAX ||
	    (code >= SURROGATE_FIRST && code <= SURROGATE_LAST))
		code = UTF8_REPLACEMENT;

	if (code < 0x80) {
		add_byte(buf, code);
		return;
	}
	if (code < 0x800) {
		add_byte(buf, 0xc0 | code >> 6);
	} else if (code < 0x10000) {
		add_byte(buf, 0xe0 | code >> 12);
		add_byte(buf, 0x80 | (code >> 6 & 0x3f));
	} else {
		add_byte(buf, 0xf0 | code >> 18);
		add_byte(buf, 0x80 | (code >> 12 & 0x3f));
		add_byte(buf, 0x80 | (code >> 6 & 0x3f));
	}
	add_byte(buf, 0x80 | (code & 0x3f));
}

/* Of a known length and without a branch inside, so that compilers ask for
 * many bytes at once. */
static bool
is_ascii_block(const char *data)
{
	unsigned char all = 0;

	for (size_t i = 0; i < BLOCK; i++)
		all |= (unsigned char)data[i];
	return all < 0x80;
}

size_t
utf8_ascii_length(struct span s)
{
	uint64_t bytes;
	size_t len = 0;

	while (len + BLOCK <= s.len && is_ascii_block(s.data + len))
		len += BLOCK;
	for (; len + sizeof(bytes) <= s.len; len += sizeof(bytes)) {
		memcpy(&bytes, s.data + len, sizeof(bytes));
		if ((bytes & 0x8080808080808080u) != 0)
			break;
	}
	while (len < s.len && (unsigned char)s.data[len] < 0x80)
		len++;
	return len;
}

bool
utf8_is_valid(struct span s)
{
	bool valid = true;
	uint32_t code;

	s = span_skip(s, utf8_ascii_length(s));
	while (valid && s.len > 0) {
		s = span_skip(s, utf8_next(s, &code, &valid));
		s = span_skip(s, utf8_ascii_length(s));
	}
	return valid;
}

void
utf8_add_valid(struct buf *buf, struct span s)
{
	uint32_t code;

	while (s.len > 0) {
		size_t len = utf8_ascii_length(s);

		buf_add_span(buf, span_slice(s, 0, len));
		s = span_skip(s, len);
		if (s.len == 0)
			return;
		s = span_skip(s, utf8_next(s, &code, NULL));
		utf8_add(buf, code);
	}
}

size_t
utf8_count(struct span s)
{
	size_t count = 0, len;
	uint32_t code;

	while ((len = utf8_next(s, &code, NULL)) > 0) {
		count++;
		s = span_skip(s, len);
	}
	return count;
}
