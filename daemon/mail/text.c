/*
 * mail/text: what header text may be made of.
 */
#include "daemon/mail/text.h"

#include "daemon/base/str.h"
#include "daemon/base/utf8.h"

#define DEL 0x7f
#define BLOCK 64
#define EACH_BYTE 0x0101010101010101u
/* In UTF-8 the C1 controls are C2 80 to C2 9F. */
#define C1_LEAD 0xc2
#define C1_LAST 0x9f

size_t
text_unfold(char *data, size_t len)
{
	const char *end = data + len, *from = data, *lf;
	char *to = data;

	while ((lf = memchr(from, '\n', (size_t)(end - from))) != NULL) {
		size_t piece = (size_t)(lf - from);

		if (piece > 0 && from[piece - 1] == '\r')
			piece--;
		memmove(to, from, piece);
		to += piece;
		from = lf + 1;
	}
	memmove(to, from, (size_t)(end - from));
	return (size_t)(to - data) + (size_t)(end - from);
}

/* The length of the control character at the front, 0 when there is none. */
static size_t
control_length(struct span s)
{
	unsigned char first = (unsigned char)s.data[0];

	if (first == '\r' && s.len > 1 && s.data[1] == '\n')
		return 2;
	if (first < ' ' || first == DEL)
		return 1;
	if (first == C1_LEAD && s.len > 1 &&
	    (unsigned char)s.data[1] <= C1_LAST)
		return 2;
	return 0;
}

static bool
is_space(char c)
{
	return char_is_blank(c) || c == '\r' || c == '\n';
}

/* Whether all of BLOCK bytes are printable ASCII: without a branch inside and
 * of a known length, so that compilers ask for many bytes at once. */
static bool
is_printable_block(const char *data)
{
	unsigned char bad = 0;

	for (size_t i = 0; i < BLOCK; i++)
		bad |=
		    (unsigned char)((unsigned char)data[i] - ' ') > '~' - ' ';
	return bad == 0;
}

/* Eight bytes at once: below U+0020 the first difference borrows into the top
 * bit, DEL gets there by the sum. A carry or borrow into the neighbour comes
 * only from a byte that is refused anyway. */
static bool
are_printable(const char *data)
{
	uint64_t bytes;

	memcpy(&bytes, data, sizeof(bytes));
	return ((bytes | (bytes - EACH_BYTE * ' ') | (bytes + EACH_BYTE)) &
		   EACH_BYTE * 0x80) == 0;
}

/* How many bytes at the front are no control character. */
static size_t
clean_length(struct span s)
{
	size_t n = 0;

	while (n + sizeof(uint64_t) <= s.len && are_printable(s.data + n))
		n += sizeof(uint64_t);
	for (; n < s.len; n++) {
		unsigned char c = (unsigned char)s.data[n];

		/* Most bytes are done with here. */
		if (c >= ' ' && c != DEL && c != C1_LEAD)
			continue;
		if (control_length(span_skip(s, n)) > 0)
			return n;
	}
	return s.len;
}

bool
text_is_printable_ascii(struct span text)
{
	size_t i = 0;

	for (; i + BLOCK <= text.len; i += BLOCK) {
		if (!is_printable_block(text.data + i))
			return false;
	}
	for (; i + sizeof(uint64_t) <= text.len; i += sizeof(uint64_t)) {
		if (!are_printable(text.data + i))
			return false;
	}
	for (; i < text.len; i++) {
		if (text.data[i] < ' ' || text.data[i] >= DEL)
			return false;
	}
	return true;
}

static inline char
replace_tab(char c)
{
	return c == '\t' ? ' ' : c;
}

void
text_copy_tabs(char *restrict to, struct span text)
{
	const char *restrict from = text.data;
	size_t i = 0;

	/* As in is_printable_block. */
	for (; i + BLOCK <= text.len; i += BLOCK)
		for (size_t j = 0; j < BLOCK; j++)
			to[i + j] = replace_tab(from[i + j]);
	for (; i < text.len; i++)
		to[i] = replace_tab(from[i]);
}

void
text_add_clean(struct buf *buf, struct span utf8)
{
	while (utf8.len > 0) {
		size_t len = clean_length(utf8);

		buf_add_span(buf, span_slice(utf8, 0, len));
		utf8 = span_skip(utf8, len);
		if (utf8.len == 0)
			return;
		if (is_space(utf8.data[0]))
			buf_add_char(buf, ' ');
		else
			utf8_add(buf, UTF8_REPLACEMENT);
		utf8 = span_skip(utf8, control_length(utf8));
	}
}

bool
text_is_blank(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!is_space(text.data[i]))
			return false;
	}
	return true;
}
