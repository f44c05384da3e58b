/*
 * mail/transfer: Content-Transfer-Encoding undone.
 *
 *   quoted-printable = *(line line-end) line
 *   line             = *(octet / "=" 2HEXDIG) *WSP ["=" *WSP]
 *   base64           = *(digit / foreign) ["=" ...] *base64-line
 *
 * (RFC 2045 sections 6.7 and 6.8.)
 */
#include "daemon/mail/transfer.h"

#include "daemon/base/base64.h"
#include "daemon/base/str.h"
#include "daemon/mail/text.h"

/* One foreign character in so many, and it is no base64. A line of a few
 * words has a blank every six letters or so. */
#define BASE64_FOREIGN_SHARE 16

static int
hex_value(char c)
{
	if (char_is_digit(c))
		return c - '0';
	c = char_to_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The length of the line end at the front; 0: none. */
static size_t
line_end_length(struct span s)
{
	if (s.len > 0 && s.data[0] == '\n')
		return 1;
	return span_starts(s, "\r\n") ? 2 : 0;
}

static size_t
blank_length(struct span s)
{
	size_t n = 0;

	while (n < s.len && char_is_blank(s.data[n]))
		n++;
	return n;
}

/* ---- Quoted-printable ---- */

/* What begins with "="; its length. */
static size_t
decode_equals(struct buf *bytes, struct span s)
{
	size_t blanks = blank_length(span_skip(s, 1));
	struct span behind = span_skip(s, 1 + blanks);
	int high = s.len > 2 ? hex_value(s.data[1]) : -1;
	int low = s.len > 2 ? hex_value(s.data[2]) : -1;

	if (high >= 0 && low >= 0) {
		buf_add_char(bytes, (char)(unsigned char)(high << 4 | low));
		return 3;
	}
	/* A soft line break; at the very end it was cut. */
	if (behind.len == 0 || line_end_length(behind) > 0)
		return 1 + blanks + line_end_length(behind);
	buf_add_char(bytes, '=');
	return 1;
}

/* Blanks, which are padding if the line ends behind them; their length. */
static size_t
decode_blanks(struct buf *bytes, struct span s)
{
	size_t n = blank_length(s);
	struct span behind = span_skip(s, n);

	if (behind.len > 0 && line_end_length(behind) == 0)
		buf_add_span(bytes, span_slice(s, 0, n));
	return n;
}

static void
decode_quoted_printable(struct buf *bytes, struct span s)
{
	while (s.len > 0) {
		size_t n = 0;

		while (
		    n < s.len && s.data[n] != '=' && !char_is_blank(s.data[n]))
			n++;
		buf_add_span(bytes, span_slice(s, 0, n));
		s = span_skip(s, n);
		if (s.len == 0)
			return;
		s = span_skip(s, s.data[0] == '=' ? decode_equals(bytes, s)
						  : decode_blanks(bytes, s));
	}
}

/* ---- Base64 ---- */

static bool
is_base64_char(char c)
{
	return char_is_alnum(c) || c == '+' || c == '/' || c == '=';
}

static size_t
count_foreign(struct span s)
{
	size_t count = 0;

	for (size_t i = 0; i < s.len; i++) {
		count += !is_base64_char(s.data[i]) && s.data[i] != '\r' &&
			 s.data[i] != '\n';
	}
	return count;
}

static struct span
take_line(struct span *rest)
{
	size_t end = span_find(*rest, '\n');
	struct span line = span_slice(*rest, 0, end);

	*rest = end == SIZE_MAX ? SPAN_EMPTY : span_skip(*rest, end + 1);
	return line;
}

/* Without a footer that a mailing list put behind the end. */
static struct span
without_footer(struct span s)
{
	struct span rest = span_skip(s, span_find(s, '='));

	while (rest.len > 0) {
		struct span line = span_trim(take_line(&rest));

		if (count_foreign(line) > 0)
			return span_slice(s, 0, (size_t)(line.data - s.data));
	}
	return s;
}

static void
decode_base64(struct buf *bytes, struct span s)
{
	struct span text = without_footer(s);

	if (count_foreign(span_trim(text)) <= text.len / BASE64_FOREIGN_SHARE)
		base64_decode_mail(bytes, text);
}

/* ---- Any ---- */

static const struct {
	const char *encoding;
	void (*decode)(struct buf *, struct span);
} decoders[] = {
    {"base64", decode_base64},
    {"quoted-printable", decode_quoted_printable},
};

void
transfer_decode(struct buf *bytes, struct span raw, const char *encoding)
{
	size_t before = bytes->len;

	for (size_t i = 0; i < sizeof(decoders) / sizeof(decoders[0]); i++) {
		if (strcmp(encoding, decoders[i].encoding) != 0)
			continue;
		decoders[i].decode(bytes, raw);
		/* Better as it stands than nothing. */
		if (bytes->len > before || text_is_blank(raw))
			return;
	}
	buf_add_span(bytes, raw);
}
