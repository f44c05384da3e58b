/*
 * base64: RFC 4648 section 4.
 *
 *   text  = *group [ last ]
 *   group = 4digit
 *   last  = 2digit "==" / 3digit "="
 *   digit = ALPHA / DIGIT / "+" / "/"
 */
#include "daemon/base/base64.h"

/* RFC 2045 section 6.8: no line is longer. */
#define MIME_LINE_CHARS 76
#define MIME_LINE_BYTES (MIME_LINE_CHARS / 4 * 3)

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvw"
			     "xyz0123456789+/";

/* Up to four digits on their way to three bytes. */
struct group {
	uint32_t bits;
	unsigned count;
};

static int
digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

static void
encode_group(struct buf *buf, struct span bytes)
{
	uint32_t bits = 0;
	char text[4];

	for (size_t i = 0; i < 3; i++) {
		bits <<= 8;
		if (i < bytes.len)
			bits |= (unsigned char)bytes.data[i];
	}
	for (size_t i = 0; i < 4; i++)
		text[i] = digits[bits >> (18 - 6 * i) & 63];
	for (size_t i = bytes.len + 1; i < 4; i++)
		text[i] = '=';
	buf_add(buf, text, sizeof(text));
}

void
base64_encode(struct buf *buf, struct span bytes)
{
	for (; bytes.len > 0; bytes = span_skip(bytes, 3))
		encode_group(buf, span_slice(bytes, 0, 3));
}

void
base64_encode_mime(struct buf *buf, struct span bytes)
{
	for (; bytes.len > 0; bytes = span_skip(bytes, MIME_LINE_BYTES)) {
		base64_encode(buf, span_slice(bytes, 0, MIME_LINE_BYTES));
		buf_add_str(buf, "\r\n");
	}
}

/* Writes the whole bytes of a group of 2 to 4 digits (a single digit has
 * none) and starts a new one. */
static void
flush_group(struct buf *buf, struct group *group)
{
	uint32_t bits = group->bits << 6 * (4 - group->count);

	for (unsigned i = 1; i < group->count; i++) {
		buf_add_char(buf, (char)(unsigned char)(bits >> 16 & 0xff));
		bits <<= 8;
	}
	*group = (struct group){0, 0};
}

static void
decode_digit(struct buf *buf, struct group *group, int value)
{
	group->bits = group->bits << 6 | (uint32_t)value;
	if (++group->count == 4)
		flush_group(buf, group);
}

/* The digits in front of the padding, or SIZE_MAX if this is not base64. */
static size_t
count_digits(struct span text)
{
	/* Bits behind the last whole byte, by the number of "=". */
	static const int spare_bits[] = {0, 0x03, 0x0f};
	size_t padding = 0;

	if (text.len % 4 != 0)
		return SIZE_MAX;
	if (text.len == 0)
		return 0;
	while (padding < 2 && text.data[text.len - 1 - padding] == '=')
		padding++;
	text.len -= padding;
	for (size_t i = 0; i < text.len; i++) {
		if (digit_value(text.data[i]) < 0)
			return SIZE_MAX;
	}
	/* RFC 4648 section 3.5: only then is there one text for each bytes. */
	if (digit_value(text.data[text.len - 1]) & spare_bits[padding])
		return SIZE_MAX;
	return text.len;
}

bool
base64_decode(struct buf *buf, struct span text)
{
	size_t count = count_digits(text);
	struct group group = {0, 0};

	if (count == SIZE_MAX)
		return false;
	for (size_t i = 0; i < count; i++)
		decode_digit(buf, &group, digit_value(text.data[i]));
	flush_group(buf, &group);
	return true;
}

void
base64_decode_mail(struct buf *buf, struct span text)
{
	struct group group = {0, 0};

	for (size_t i = 0; i < text.len; i++) {
		int value = digit_value(text.data[i]);

		if (value >= 0)
			decode_digit(buf, &group, value);
		else if (text.data[i] == '=')
			flush_group(buf, &group);
	}
	flush_group(buf, &group);
}
