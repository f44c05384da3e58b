/*
 * mail/rfc2231: the values of parameters, decoded.
 *
 *   parameter = name [section] ["*"] "=" value
 *   section   = "*" 1*2DIGIT
 *   initial   = [charset] "'" [language] "'" *(char / percent)
 *   percent   = "%" 2HEXDIG
 *
 * (RFC 2231 sections 3 and 4; leading zeros are allowed.) Bytes of all
 * segments are joined before the charset is undone: a character may be split
 * between two.
 */
#include "daemon/mail/rfc2231.h"

#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "daemon/mail/charset.h"
#include "daemon/mail/rfc2047.h"
#include "daemon/mail/text.h"

struct segment {
	struct span value; /* data NULL: none */
	bool is_extended;
};

/* What is there of one parameter. */
struct forms {
	struct span plain;    /* name=      data NULL: none */
	struct span extended; /* name*= */
	struct segment segments[RFC2231_SEGMENTS_MAX];
};

static int
hex_value(char c)
{
	if (char_is_digit(c))
		return c - '0';
	c = char_to_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void
add_percent_decoded(struct buf *buf, struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		int high = -1, low = -1;

		if (s.data[i] == '%' && i + 2 < s.len) {
			high = hex_value(s.data[i + 1]);
			low = hex_value(s.data[i + 2]);
		}
		if (high < 0 || low < 0) {
			buf_add_char(buf, s.data[i]);
			continue;
		}
		buf_add_char(buf, (char)(unsigned char)(high << 4 | low));
		i += 2;
	}
}

/* Takes charset'language' from the front of an initial value; the whole stays
 * when it has none. */
static struct span
take_charset(struct span *value)
{
	size_t first = span_find(*value, '\''), second;
	struct span charset;

	if (first == SIZE_MAX)
		return SPAN_EMPTY;
	second = span_find(span_skip(*value, first + 1), '\'');
	if (second == SIZE_MAX)
		return SPAN_EMPTY;
	charset = span_slice(*value, 0, first);
	*value = span_skip(*value, first + 1 + second + 1);
	return charset;
}

static void
add_decoded(struct buf *buf, struct span bytes, struct span charset_name)
{
	const struct charset *charset = charset_find(charset_name);
	struct charset_decoder *decoder = charset_decoder_new();
	BUF_AUTO utf8 = BUF_INIT;

	if (charset_is_refused(charset))
		charset = NULL;
	if (charset_decode(decoder, charset, &utf8, bytes) > 0)
		utf8_add(&utf8, UTF8_REPLACEMENT);
	charset_decoder_free(&decoder);
	text_add_clean(buf, buf_span(&utf8));
}

static void
add_extended(struct buf *buf, struct span value)
{
	struct span charset = take_charset(&value);
	BUF_AUTO bytes = BUF_INIT;

	add_percent_decoded(&bytes, value);
	add_decoded(buf, buf_span(&bytes), charset);
}

static void
add_segments(struct buf *buf, const struct forms *forms)
{
	struct span charset = SPAN_EMPTY;
	bool is_extended = false, is_first = true;
	BUF_AUTO bytes = BUF_INIT;

	for (size_t i = 0; i < RFC2231_SEGMENTS_MAX; i++) {
		struct segment segment = forms->segments[i];

		if (segment.value.data == NULL)
			continue;
		if (segment.is_extended && is_first)
			charset = take_charset(&segment.value);
		is_first = false;
		is_extended |= segment.is_extended;
		if (segment.is_extended)
			add_percent_decoded(&bytes, segment.value);
		else
			buf_add_span(&bytes, segment.value);
	}
	if (is_extended)
		add_decoded(buf, buf_span(&bytes), charset);
	else
		rfc2047_decode(buf, buf_span(&bytes));
}

/* `suffix` is what stands behind "name*" in a parameter's name. */
static void
sort_in(struct forms *forms, struct span suffix, struct span value)
{
	struct segment *segment;
	bool is_extended = span_ends_nocase(suffix, "*");
	uint32_t number;

	if (suffix.len == 0) {
		if (forms->extended.data == NULL)
			forms->extended = value;
		return;
	}
	if (is_extended)
		suffix.len--;
	if (!span_to_u32(suffix, &number) || number >= RFC2231_SEGMENTS_MAX)
		return;
	segment = &forms->segments[number];
	if (segment->value.data == NULL)
		*segment = (struct segment){value, is_extended};
}

static void
collect(struct forms *forms, const struct mime_param *params, size_t count,
    const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < count; i++) {
		struct span suffix = span_skip(params[i].name, len);
		struct span value = params[i].value;

		if (!span_starts_nocase(params[i].name, name))
			continue;
		/* An empty value tells nothing; another form may. */
		if (value.len == 0)
			continue;
		if (suffix.len == 0 && forms->plain.data == NULL)
			forms->plain = value;
		else if (span_starts(suffix, "*"))
			sort_in(forms, span_skip(suffix, 1), value);
	}
}

bool
rfc2231_decode(struct buf *buf, const struct mime_param *params,
    size_t param_count, const char *name)
{
	struct forms forms = {0};
	size_t before = buf->len;

	collect(&forms, params, param_count, name);
	if (forms.extended.data != NULL)
		add_extended(buf, forms.extended);
	if (buf->len == before)
		add_segments(buf, &forms);
	if (buf->len == before)
		rfc2047_decode(buf, forms.plain);
	return buf->len > before;
}
