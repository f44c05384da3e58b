/*
 * mail/rfc2047: encoded words.
 *
 *   encoded-word = "=?" charset ["*" language] "?" encoding "?" text "?="
 *   charset      = 1*<any character but blanks, controls, "?" and "=">
 *   encoding     = "B" / "Q"                 ; any case
 *   text         = *<any octet; ends at the first "?=">
 *
 * (RFC 2047 section 2, RFC 2231 section 5; more is allowed than there.) A
 * text also ends, and then there was no word, where another "=?" begins: so
 * each byte is looked at by one attempt only, and a word that lost its end
 * does not swallow the next.
 */
#include "daemon/mail/rfc2047.h"

#include "daemon/base/base64.h"
#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "daemon/mail/charset.h"
#include "daemon/mail/text.h"

#define WORD_INTRO "=?utf-8?q?"
#define WORD_INTRO_B "=?utf-8?b?"
#define WORD_END "?="
#define ESC '\x1b' /* behind it could be Japanese */
#define BLOCK 64   /* bytes looked at together */
#define WORD_FRAME (sizeof(WORD_INTRO) - 1 + sizeof(WORD_END) - 1)
/* A line that has less room than a frame and one character is left alone. */
#define WORD_TEXT_MIN 12

/* A parsed word; the spans point into the value. */
struct word {
	struct span charset; /* without the language */
	struct span text;
	struct span whole;
	char encoding; /* 'b' or 'q' */
};

/* ---- Reading ---- */

/* Takes the charset with its "?" from `rest`. */
static bool
take_charset(struct span *rest, struct span *charset_r)
{
	size_t n = 0;
	struct span charset;

	while (n < rest->len && n <= CHARSET_NAME_MAX &&
	       (unsigned char)rest->data[n] > ' ' && rest->data[n] != '?' &&
	       rest->data[n] != '=')
		n++;
	if (n == 0 || n >= rest->len || rest->data[n] != '?')
		return false;
	charset = span_slice(*rest, 0, n);
	*rest = span_skip(*rest, n + 1);
	n = span_find(charset, '*');
	*charset_r = n == SIZE_MAX ? charset : span_slice(charset, 0, n);
	return true;
}

static bool
take_encoding(struct span *rest, char *encoding_r)
{
	char encoding;

	if (rest->len < 2 || rest->data[1] != '?')
		return false;
	encoding = char_to_lower(rest->data[0]);
	if (encoding != 'b' && encoding != 'q')
		return false;
	*rest = span_skip(*rest, 2);
	*encoding_r = encoding;
	return true;
}

/* The length of the text in front of "?="; SIZE_MAX: none. */
static size_t
find_text_end(struct span rest, bool with_blanks)
{
	for (size_t i = 0; i + 1 < rest.len; i++) {
		char c = rest.data[i], next = rest.data[i + 1];

		if (c == '?' && next == '=')
			return i;
		/* "=?=" is the padding of base64 and the end. */
		if (c == '=' && next == '?' &&
		    !(i + 2 < rest.len && rest.data[i + 2] == '='))
			return SIZE_MAX;
		if (!with_blanks && (unsigned char)c <= ' ')
			return SIZE_MAX;
	}
	return SIZE_MAX;
}

/* `value` begins with "=?". */
static bool
parse_word(struct span value, bool with_blanks, struct word *word_r)
{
	struct span rest = span_skip(value, 2);
	struct word word;
	size_t len;

	if (!take_charset(&rest, &word.charset) ||
	    !take_encoding(&rest, &word.encoding))
		return false;
	len = find_text_end(rest, with_blanks);
	if (len == SIZE_MAX)
		return false;
	word.text = span_slice(rest, 0, len);
	len += (size_t)(rest.data - value.data) + 2;
	word.whole = span_slice(value, 0, len);
	*word_r = word;
	return true;
}

size_t
rfc2047_word_length(struct span text)
{
	struct word word;

	if (!span_starts(text, "=?") || !parse_word(text, false, &word))
		return 0;
	return word.whole.len;
}

static int
hex_value(char c)
{
	if (char_is_digit(c))
		return c - '0';
	c = char_to_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A byte written as "=XX" at the front, or -1. */
static int
quoted_byte(struct span s)
{
	int high, low;

	if (s.len < 3 || s.data[0] != '=')
		return -1;
	high = hex_value(s.data[1]);
	low = hex_value(s.data[2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static void
decode_q(struct buf *buf, struct span text)
{
	while (text.len > 0) {
		int byte = quoted_byte(text);

		if (byte >= 0)
			buf_add_char(buf, (char)(unsigned char)byte);
		else
			buf_add_char(
			    buf, text.data[0] == '_' ? ' ' : text.data[0]);
		text = span_skip(text, byte >= 0 ? 3 : 1);
	}
}

/* The way through one value. */
struct decoder {
	struct buf text;  /* what was decoded, not cleaned yet */
	struct buf bytes; /* of one word, its charset not decoded yet */
	struct buf tail;  /* the begin of a character that the last word cut */
	const struct charset *tail_charset;
	struct charset_decoder *charsets;    /* made when first needed */
	bool is_utf8;			     /* 8-bit text outside of words */
	const struct charset *plain_charset; /* of that, if it is not */
	bool after_word; /* the last thing was an encoded word */
};

static void
flush_tail(struct decoder *decoder)
{
	if (decoder->tail.len > 0)
		utf8_add(&decoder->text, UTF8_REPLACEMENT);
	buf_truncate(&decoder->tail, 0);
}

static struct charset_decoder *
get_charsets(struct decoder *decoder)
{
	if (decoder->charsets == NULL)
		decoder->charsets = charset_decoder_new();
	return decoder->charsets;
}

static void
add_guessed(struct decoder *decoder, struct span plain)
{
	if (charset_decode(get_charsets(decoder), decoder->plain_charset,
		&decoder->text, plain) > 0)
		utf8_add(&decoder->text, UTF8_REPLACEMENT);
}

/* Text outside of words. */
static void
add_plain(struct decoder *decoder, struct span plain)
{
	if (plain.len == 0)
		return;
	flush_tail(decoder);
	if (decoder->is_utf8)
		utf8_add_valid(&decoder->text, plain);
	else
		add_guessed(decoder, plain);
	decoder->after_word = false;
}

/* Fills decoder->bytes; false when the word must stay as it is. */
static bool
decode_transfer(struct decoder *decoder, const struct word *word)
{
	buf_truncate(&decoder->bytes, 0);
	if (word->encoding == 'b')
		base64_decode_mail(&decoder->bytes, word->text);
	else
		decode_q(&decoder->bytes, word->text);
	return decoder->bytes.len > 0 || word->text.len == 0;
}

/* Puts the tail of the word before in front of this one's bytes. */
static void
join_tail(struct decoder *decoder, const struct charset *charset)
{
	if (decoder->tail.len == 0)
		return;
	if (charset == NULL || decoder->tail_charset != charset) {
		flush_tail(decoder);
		return;
	}
	buf_add_span(&decoder->tail, buf_span(&decoder->bytes));
	buf_truncate(&decoder->bytes, 0);
	buf_add_span(&decoder->bytes, buf_span(&decoder->tail));
	buf_truncate(&decoder->tail, 0);
}

static void
decode_charset(struct decoder *decoder, const struct charset *charset)
{
	struct span bytes;
	size_t tail;

	join_tail(decoder, charset);
	bytes = buf_span(&decoder->bytes);
	tail = charset_decode(
	    get_charsets(decoder), charset, &decoder->text, bytes);
	if (tail > 0)
		buf_add_span(
		    &decoder->tail, span_skip(bytes, bytes.len - tail));
	decoder->tail_charset = charset;
}

/* `plain` stands between the last thing and the word; both are added. False
 * when the word cannot be read: then nothing was. */
static bool
add_word(struct decoder *decoder, struct span plain, const struct word *word)
{
	const struct charset *charset = charset_find(word->charset);
	size_t before;

	if (charset_is_refused(charset) || !decode_transfer(decoder, word))
		return false;
	if (!decoder->after_word || !text_is_blank(plain))
		add_plain(decoder, plain);
	before = decoder->text.len;
	decode_charset(decoder, charset);
	decoder->after_word = true;
	/* Nothing but escapes of its charset: show them, never nothing. */
	if (decoder->text.len == before && decoder->tail.len == 0 &&
	    word->text.len > 0)
		add_plain(decoder, word->whole);
	return true;
}

static void
decode_value(struct decoder *decoder, struct span value)
{
	size_t from = 0, pos = 0;
	struct word word;

	while ((pos = span_find_span(value, SPAN("=?"), pos)) != SIZE_MAX) {
		struct span plain = span_slice(value, from, pos - from);

		if (parse_word(span_skip(value, pos), true, &word) &&
		    add_word(decoder, plain, &word)) {
			pos += word.whole.len;
			from = pos;
		} else {
			pos += 2;
		}
	}
	add_plain(decoder, span_skip(value, from));
	flush_tail(decoder);
}

static void
decode_hard(struct buf *buf, struct span value)
{
	struct decoder decoder = {.is_utf8 = charset_looks_utf8(value)};

	if (!decoder.is_utf8)
		decoder.plain_charset = charset_guess_other(value);
	decode_value(&decoder, value);
	text_add_clean(buf, buf_span(&decoder.text));
	charset_decoder_free(&decoder.charsets);
	buf_done(&decoder.text);
	buf_done(&decoder.bytes);
	buf_done(&decoder.tail);
}

/* What is worth a closer look: 8-bit, an ESC, a "?". Of a known length and
 * without a branch inside, so that compilers ask for many bytes at once. */
static bool
is_easy_block(const char *data)
{
	unsigned char hard = 0;

	for (size_t i = 0; i < BLOCK; i++)
		hard |= (unsigned char)((data[i] & '\x80') | (data[i] == ESC) |
					(data[i] == '?'));
	return hard == 0;
}

static bool
is_hard_at(struct span value, size_t at)
{
	char c = value.data[at];

	if (c == '?')
		return at > 0 && value.data[at - 1] == '=';
	return c == ESC || (unsigned char)c >= 0x80;
}

size_t
rfc2047_find_hard(struct span value, size_t from)
{
	for (size_t end; from < value.len; from = end) {
		end = value.len;
		if (end - from >= BLOCK) {
			end = from + BLOCK;
			if (is_easy_block(value.data + from))
				continue;
		}
		for (; from < end; from++)
			if (is_hard_at(value, from))
				return from;
	}
	return SIZE_MAX;
}

/* Of the two characters that a word begins with, "?" is the rarer. */
bool
rfc2047_may_have_word(struct span value)
{
	size_t at;

	while ((at = span_find(value, '?')) != SIZE_MAX) {
		if (at > 0 && value.data[at - 1] == '=')
			return true;
		value = span_skip(value, at + 1);
	}
	return false;
}

bool
rfc2047_is_plain(struct span value)
{
	return text_is_printable_ascii(value) && !rfc2047_may_have_word(value);
}

void
rfc2047_decode(struct buf *buf, struct span value)
{
	if (rfc2047_is_plain(value)) {
		buf_add_span(buf, value);
		return;
	}
	/* Folded with a tab, most of the others. */
	if (rfc2047_find_hard(value, 0) == SIZE_MAX) {
		text_add_clean(buf, value);
		return;
	}
	decode_hard(buf, value);
}

/* ---- Writing ---- */

/* What may stand in a Q word even inside a phrase (section 5 (3)). */
static bool
is_q_safe(char c)
{
	return char_is_alnum(c) || (c != '\0' && strchr("!*+-/", c) != NULL);
}

static size_t
q_length(struct span bytes)
{
	size_t len = 0;

	for (size_t i = 0; i < bytes.len; i++) {
		char c = bytes.data[i];

		len += is_q_safe(c) || c == ' ' ? 1 : 3;
	}
	return len;
}

static size_t
b_length(struct span bytes)
{
	return (bytes.len + 2) / 3 * 4;
}

static void
add_q(struct buf *buf, struct span bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		char c = bytes.data[i];

		if (c == ' ')
			buf_add_char(buf, '_');
		else if (is_q_safe(c))
			buf_add_char(buf, c);
		else
			buf_addf(buf, "=%02X", (unsigned char)c);
	}
}

/* The longest front of whole characters whose encoding has at most `room`. */
static struct span
take_fitting(struct span *rest, size_t room, size_t (*length)(struct span))
{
	struct span piece = span_slice(*rest, 0, 0);
	uint32_t code;

	for (;;) {
		size_t len =
		    utf8_next(span_skip(*rest, piece.len), &code, NULL);
		struct span longer = span_slice(*rest, 0, piece.len + len);

		if (len == 0 || length(longer) > room)
			break;
		piece = longer;
	}
	*rest = span_skip(*rest, piece.len);
	return piece;
}

static void
encode_words(struct buf *buf, struct span utf8, size_t column)
{
	bool as_b = b_length(utf8) < q_length(utf8);

	while (utf8.len > 0) {
		size_t room = RFC2047_WORD_MAX;

		if (column + WORD_FRAME + WORD_TEXT_MIN > RFC2047_LINE_MAX) {
			buf_add_str(buf, "\r\n ");
			column = 1;
		}
		if (room > RFC2047_LINE_MAX - column)
			room = RFC2047_LINE_MAX - column;
		room -= WORD_FRAME;
		buf_add_str(buf, as_b ? WORD_INTRO_B : WORD_INTRO);
		if (as_b)
			base64_encode(buf, take_fitting(&utf8, room, b_length));
		else
			add_q(buf, take_fitting(&utf8, room, q_length));
		buf_add_str(buf, WORD_END);
		column = RFC2047_LINE_MAX;
	}
}

/* The length of the blanks and the word behind them at the front. */
static size_t
chunk_length(struct span text)
{
	size_t n = 0;

	while (n < text.len && text.data[n] == ' ')
		n++;
	while (n < text.len && text.data[n] != ' ')
		n++;
	return n;
}

static bool
is_plain(struct span text)
{
	if (!rfc2047_is_plain(text))
		return false;
	return text.len == 0 ||
	       (text.data[0] != ' ' && text.data[text.len - 1] != ' ');
}

/* Folds at blanks. False, and nothing added, when a word is too long. */
static bool
fold_plain(struct buf *buf, struct span text, size_t column)
{
	size_t start = buf->len;

	while (text.len > 0) {
		size_t len = chunk_length(text);

		if (column + len > RFC2047_LINE_MAX && text.data[0] == ' ') {
			buf_add_str(buf, "\r\n");
			column = 0;
		}
		if (column + len > RFC2047_LINE_MAX) {
			buf_truncate(buf, start);
			return false;
		}
		buf_add_span(buf, span_slice(text, 0, len));
		text = span_skip(text, len);
		column += len;
	}
	return true;
}

void
rfc2047_encode(struct buf *buf, struct span utf8, size_t first_column)
{
	BUF_AUTO valid = BUF_INIT;
	BUF_AUTO clean = BUF_INIT;

	utf8_add_valid(&valid, utf8);
	text_add_clean(&clean, buf_span(&valid));
	if (!is_plain(buf_span(&clean)) ||
	    !fold_plain(buf, buf_span(&clean), first_column))
		encode_words(buf, buf_span(&clean), first_column);
}
