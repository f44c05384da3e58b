/*
 * mail/body: the words of a message's text part.
 */
#include "daemon/mail/body.h"

#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "daemon/mail/charset.h"
#include "daemon/mail/html.h"
#include "daemon/mail/mime_walk.h"
#include "daemon/mail/text.h"
#include "daemon/mail/transfer.h"

/* Where an HTML text says its charset, if it does. */
#define META_MAX 1024
#define CHARSET_WORD "charset"
/* Characters of a text that a preview looks at. */
#define PREVIEW_LOOK_MAX 2000
#define COMBINING_JOINER 0x34f
#define BOM "\xef\xbb\xbf"

/* ---- Charset ---- */

static bool
is_html(const struct part *part)
{
	return strcmp(part->type, "text/html") == 0 ||
	       strcmp(part->type, "application/xhtml+xml") == 0;
}

static size_t
charset_name_length(struct span s)
{
	size_t n = 0;

	while (n < s.len && (char_is_alnum(s.data[n]) || s.data[n] == '-' ||
				s.data[n] == '_'))
		n++;
	return n;
}

static struct span
skip_blanks(struct span s)
{
	while (s.len > 0 && (char_is_blank(s.data[0]) || s.data[0] == '\r' ||
				s.data[0] == '\n'))
		s = span_skip(s, 1);
	return s;
}

/* The name in `charset = "name"`, of what stands behind its first word; empty:
 * there is none. */
static struct span
take_charset_name(struct span s)
{
	s = skip_blanks(s);
	if (!span_starts(s, "="))
		return SPAN_EMPTY;
	s = skip_blanks(span_skip(s, 1));
	if (span_starts(s, "\"") || span_starts(s, "'"))
		s = span_skip(s, 1);
	s.len = charset_name_length(s);
	return s;
}

/* What <meta charset="..."> or its older form says; empty: nothing. Whoever
 * could read that in ASCII does not read UTF-16 (HTML standard, section
 * 13.2.3.2). */
static struct span
meta_charset(struct span html)
{
	struct span head = span_slice(html, 0, META_MAX);

	for (; head.len > 0; head = span_skip(head, 1)) {
		struct span name;

		if (!span_starts_nocase(head, CHARSET_WORD))
			continue;
		name = take_charset_name(
		    span_skip(head, sizeof(CHARSET_WORD) - 1));
		if (span_starts_nocase(name, "utf-16"))
			return SPAN("utf-8");
		if (charset_find(name) != NULL)
			return name;
	}
	return SPAN_EMPTY;
}

static const struct charset *
find_charset(struct span bytes, const struct part *part)
{
	const struct charset *charset =
	    charset_find(span_from_str(part->charset));

	if (is_html(part) &&
	    (part->charset[0] == '\0' || charset_is_ascii(charset))) {
		struct span name = meta_charset(bytes);
		if (name.len > 0)
			charset = charset_find(name);
	}
	return charset_is_refused(charset) ? NULL : charset;
}

/* A character that the end cuts is left out: `bytes` are often a beginning. */
static void
decode_charset(struct buf *utf8, struct span bytes, const struct part *part)
{
	struct charset_decoder *decoder = charset_decoder_new();

	charset_decode(decoder, find_charset(bytes, part), utf8, bytes);
	charset_decoder_free(&decoder);
	/* Better in a wrong charset than nothing. */
	if (utf8->len == 0)
		charset_guess(utf8, bytes);
}

/* ---- Text ---- */

/* Appends one line without its end. */
static void
add_clean_line(struct buf *text, struct span line)
{
	struct span piece;
	bool is_first = true;

	while (span_split(&line, '\t', &piece)) {
		if (!is_first)
			buf_add_char(text, '\t');
		text_add_clean(text, piece);
		is_first = false;
	}
}

/* Takes one line; its end is CRLF, LF or CR. */
static struct span
take_line(struct span *rest, bool *is_ended_r)
{
	size_t n = 0;
	struct span line;

	while (n < rest->len && rest->data[n] != '\n' && rest->data[n] != '\r')
		n++;
	line = span_slice(*rest, 0, n);
	*is_ended_r = n < rest->len;
	*rest = span_skip(*rest, n);
	*rest = span_skip(*rest, span_starts(*rest, "\r\n") ? 2 : 1);
	return line;
}

/* At most `max` bytes, and no part of a character. */
static struct span
cut(struct span utf8, size_t max)
{
	if (utf8.len <= max)
		return utf8;
	while (max > 0 && ((unsigned char)utf8.data[max] & 0xc0) == 0x80)
		max--;
	return span_slice(utf8, 0, max);
}

static void
add_clean_lines(struct buf *text, struct span utf8)
{
	size_t before = text->len;
	struct span added;
	bool is_ended;

	if (span_starts(utf8, BOM))
		utf8 = span_skip(utf8, sizeof(BOM) - 1);
	/* Line ends may shrink by half. */
	utf8 = cut(utf8, 2 * BODY_TEXT_MAX);
	while (utf8.len > 0) {
		struct span line = take_line(&utf8, &is_ended);

		add_clean_line(text, line);
		if (is_ended)
			buf_add_char(text, '\n');
	}
	added = span_skip(buf_span(text), before);
	buf_truncate(text, before + cut(added, BODY_TEXT_MAX).len);
}

void
body_add_text(struct buf *text, struct span raw, const struct part *part)
{
	BUF_AUTO bytes = BUF_INIT;
	BUF_AUTO utf8 = BUF_INIT;
	BUF_AUTO words = BUF_INIT;

	transfer_decode(
	    &bytes, span_slice(raw, 0, BODY_RAW_MAX), part->encoding);
	decode_charset(&utf8, buf_span(&bytes), part);
	if (is_html(part))
		html_add_text(&words, buf_span(&utf8), BODY_TEXT_MAX);
	add_clean_lines(text, buf_span(is_html(part) ? &words : &utf8));
}

/* ---- Preview ---- */

static bool
is_quote(struct span line)
{
	return span_starts(line, ">");
}

/* Does this line introduce what follows, a quote: "On ... wrote:"? */
static bool
is_introduction(struct span line, struct span rest)
{
	struct span next = SPAN_EMPTY;
	bool is_ended;

	if (!span_ends_nocase(line, ":"))
		return false;
	if (span_starts_nocase(line, "On ") && span_ends_nocase(line, "wrote:"))
		return true;
	while (rest.len > 0 && next.len == 0)
		next = span_trim(take_line(&rest, &is_ended));
	return is_quote(next);
}

/* Is this the line above a signature (RFC 3676 section 4.3)? */
static bool
is_signature(struct span line)
{
	return span_is(line, "-- ") || span_is(line, "--");
}

/* Appends the lines worth to be shown, each with a blank behind. */
static void
add_own_lines(struct buf *words, struct span text)
{
	bool is_ended;

	while (text.len > 0) {
		struct span line = take_line(&text, &is_ended);

		if (is_signature(line))
			return;
		line = span_trim(line);
		if (is_quote(line) || is_introduction(line, text))
			continue;
		buf_add_span(words, line);
		buf_add_char(words, ' ');
	}
}

/* No-break and ideographic spaces are blanks here. */
static bool
is_wide_blank(uint32_t code)
{
	return code == ' ' || code == 0xa0 || code == 0x3000 ||
	       (code >= 0x2000 && code <= 0x200a);
}

static void
add_collapsed(struct buf *words, struct span text)
{
	bool is_behind_blank = true;
	uint32_t code;
	size_t len;

	for (; text.len > 0; text = span_skip(text, len)) {
		len = utf8_next(text, &code, NULL);
		/* Mailings fill their previews up with it. */
		if (code == COMBINING_JOINER)
			continue;
		if (!is_wide_blank(code))
			utf8_add(words, code);
		else if (!is_behind_blank)
			buf_add_char(words, ' ');
		is_behind_blank = is_wide_blank(code);
	}
}

/* Appends what a person can see of `text`, in one line; false: nothing. */
static bool
add_shown(struct buf *preview, struct span text)
{
	size_t before = preview->len;
	BUF_AUTO seen = BUF_INIT;
	BUF_AUTO words = BUF_INIT;

	str_sanitize(&seen, text, PREVIEW_LOOK_MAX);
	add_collapsed(&words, buf_span(&seen));
	str_sanitize(preview, span_trim(buf_span(&words)), PREVIEW_CHARS_MAX);
	return preview->len > before;
}

void
body_add_preview(struct buf *preview, struct span text)
{
	BUF_AUTO own = BUF_INIT;

	add_own_lines(&own, text);
	if (!add_shown(preview, buf_span(&own)))
		add_shown(preview, text);
}

/* ---- Files ---- */

struct span
body_find_part(struct span message, const char *section)
{
	struct mime_walk *walk = mime_walk_new(message);
	struct span body = SPAN_EMPTY;
	struct mime_leaf leaf;

	for (size_t i = 0; i < STRUCTURE_PARTS_MAX; i++) {
		if (!mime_walk_next(walk, &leaf))
			break;
		if (strcmp(leaf.section, section) == 0) {
			body = leaf.body;
			break;
		}
	}
	mime_walk_free(&walk);
	return body;
}
