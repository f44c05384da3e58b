/*
 * mail/html: the words of an HTML text.
 *
 *   html    = *(text / entity / tag / comment / markup / raw)
 *   tag     = "<" ["/"] name *(blank / attribute) ">"
 *   comment = "<!--" *octet "-->"
 *   markup  = "<" ("!" / "?" / "/") *octet ">"
 *   raw     = <the tag of an element that holds no text> *octet "</" name
 *
 * After the HTML standard's tokenizer (sections 13.2.5 and 13.5), without a
 * tree. Where that swallows the rest of a text because something does not
 * end, this goes on behind the next ">". Whether an end exists at all is
 * searched once for each kind of it, so that the time stays linear.
 */
#include "daemon/mail/html.h"

#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "daemon/mail/html_entity.h"

#define NAME_MAX_LENGTH 16 /* of an element that counts */
/* A tag without end, so near the end of the text, was cut. */
#define CUT_TAG_MAX 256
/* So many tags with odd quotes, and quotes do not count in those to come. */
#define ODD_QUOTES_MAX 16

/* What stands between two visible characters; the greater one counts. */
enum gap {
	GAP_NONE,
	GAP_BLANK,
	GAP_LINE,
	GAP_PARAGRAPH
};

static const char *const gap_text[] = {"", " ", "\n", "\n\n"};

enum effect {
	EFFECT_NONE,
	EFFECT_CELL,  /* a blank */
	EFFECT_BLOCK, /* a line end in front and behind */
	EFFECT_BREAK, /* a line end; two make an empty line */
	EFFECT_PRE,   /* a block whose line ends count */
	EFFECT_RAW    /* no text up to its end tag */
};

/* Sorted by name. */
static const struct element {
	const char *name;
	enum effect effect;
} elements[] = {
    {"address", EFFECT_BLOCK},
    {"article", EFFECT_BLOCK},
    {"aside", EFFECT_BLOCK},
    {"blockquote", EFFECT_BLOCK},
    {"body", EFFECT_BLOCK},
    {"br", EFFECT_BREAK},
    {"caption", EFFECT_BLOCK},
    {"center", EFFECT_BLOCK},
    {"dd", EFFECT_BLOCK},
    {"details", EFFECT_BLOCK},
    {"div", EFFECT_BLOCK},
    {"dl", EFFECT_BLOCK},
    {"dt", EFFECT_BLOCK},
    {"fieldset", EFFECT_BLOCK},
    {"figcaption", EFFECT_BLOCK},
    {"figure", EFFECT_BLOCK},
    {"footer", EFFECT_BLOCK},
    {"form", EFFECT_BLOCK},
    {"h1", EFFECT_BLOCK},
    {"h2", EFFECT_BLOCK},
    {"h3", EFFECT_BLOCK},
    {"h4", EFFECT_BLOCK},
    {"h5", EFFECT_BLOCK},
    {"h6", EFFECT_BLOCK},
    {"header", EFFECT_BLOCK},
    {"hr", EFFECT_BLOCK},
    {"html", EFFECT_BLOCK},
    {"legend", EFFECT_BLOCK},
    {"li", EFFECT_BLOCK},
    {"main", EFFECT_BLOCK},
    {"nav", EFFECT_BLOCK},
    {"ol", EFFECT_BLOCK},
    {"option", EFFECT_BLOCK},
    {"p", EFFECT_BLOCK},
    {"pre", EFFECT_PRE},
    {"script", EFFECT_RAW},
    {"section", EFFECT_BLOCK},
    {"style", EFFECT_RAW},
    {"summary", EFFECT_BLOCK},
    {"table", EFFECT_BLOCK},
    {"tbody", EFFECT_BLOCK},
    {"td", EFFECT_CELL},
    {"tfoot", EFFECT_BLOCK},
    {"th", EFFECT_CELL},
    {"thead", EFFECT_BLOCK},
    {"title", EFFECT_RAW},
    {"tr", EFFECT_BLOCK},
    {"ul", EFFECT_BLOCK},
};

#define ELEMENT_COUNT (sizeof(elements) / sizeof(elements[0]))

struct reader {
	struct span rest;
	struct buf *text;
	size_t start, end; /* of what may be added to `text` */
	enum gap gap;
	bool in_pre;
	/* What is known not to come any more. */
	bool no_comment_end, no_tag_end;
	bool no_quote[2]; /* double, single */
	bool no_raw_end[ELEMENT_COUNT];
	unsigned odd_quotes;
};

/* ---- Writing ---- */

static void
widen_gap(struct reader *reader, enum gap gap)
{
	if (reader->gap < gap)
		reader->gap = gap;
}

static void
add_visible(struct reader *reader, struct span s)
{
	if (reader->text->len > reader->start)
		buf_add_str(reader->text, gap_text[reader->gap]);
	reader->gap = GAP_NONE;
	buf_add_span(reader->text, s);
}

static bool
is_full(const struct reader *reader)
{
	return reader->text->len >= reader->end;
}

/* Characters that take no room; sorted ranges. Joiners stay: they change the
 * letters beside them. */
static bool
is_invisible(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {{0xad, 0xad}, {0x34f, 0x34f}, {0x200b, 0x200b},
	    {0x2060, 0x2064}, {0xfeff, 0xfeff}};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	}
	return false;
}

/* Blanks of HTML, and what looks like one. */
static bool
is_blank(uint32_t code)
{
	return code == ' ' || (code >= '\t' && code <= '\r') || code == 0xa0 ||
	       (code >= 0x2000 && code <= 0x200a) || code == 0x3000;
}

/* `utf8` is the character. */
static void
add_char(struct reader *reader, uint32_t code, struct span utf8)
{
	if (code == '\n' && reader->in_pre)
		widen_gap(
		    reader, reader->gap >= GAP_LINE ? GAP_PARAGRAPH : GAP_LINE);
	else if (is_blank(code))
		widen_gap(reader, GAP_BLANK);
	else if (!is_invisible(code))
		add_visible(reader, utf8);
}

/* ---- Elements ---- */

static const struct element *
find_element(struct span name)
{
	size_t low = 0, high = ELEMENT_COUNT;
	char key[NAME_MAX_LENGTH + 1];

	if (name.len > NAME_MAX_LENGTH)
		return NULL;
	for (size_t i = 0; i < name.len; i++)
		key[i] = char_to_lower(name.data[i]);
	key[name.len] = '\0';
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(key, elements[middle].name);

		if (order == 0)
			return &elements[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* Moves behind the text of an element that holds none for people: in front
 * of its end tag, if it has one. */
static void
skip_raw(struct reader *reader, const struct element *element)
{
	bool *no_end = &reader->no_raw_end[element - elements];
	struct span rest = reader->rest;
	size_t len = strlen(element->name), at = 0;

	if (*no_end)
		return;
	while ((at = span_find_span(rest, SPAN("</"), at)) != SIZE_MAX) {
		struct span name = span_slice(rest, at + 2, len);

		if (span_is_nocase(name, element->name)) {
			reader->rest = span_skip(rest, at);
			return;
		}
		at += 2;
	}
	*no_end = true;
}

static void
apply(struct reader *reader, const struct element *element, bool is_end)
{
	switch (element->effect) {
	case EFFECT_NONE:
		break;
	case EFFECT_CELL:
		widen_gap(reader, GAP_BLANK);
		break;
	case EFFECT_BREAK:
		widen_gap(
		    reader, reader->gap >= GAP_LINE ? GAP_PARAGRAPH : GAP_LINE);
		break;
	case EFFECT_PRE:
		reader->in_pre = !is_end;
		widen_gap(reader, GAP_LINE);
		break;
	case EFFECT_BLOCK:
		widen_gap(reader, GAP_LINE);
		break;
	case EFFECT_RAW:
		if (!is_end)
			skip_raw(reader, element);
		break;
	}
}

/* ---- Markup ---- */

/* One byte that is no markup. */
static void
take_byte(struct reader *reader)
{
	add_visible(reader, span_slice(reader->rest, 0, 1));
	reader->rest = span_skip(reader->rest, 1);
}

/* The offset of the quote that ends the one at `at`, SIZE_MAX: it does not
 * end, and is no quote. */
static size_t
find_quote_end(struct reader *reader, size_t at)
{
	char quote = reader->rest.data[at];
	bool *no_quote = &reader->no_quote[quote == '\''];
	size_t end;

	if (*no_quote)
		return SIZE_MAX;
	end = span_find(span_skip(reader->rest, at + 1), quote);
	if (end == SIZE_MAX) {
		*no_quote = true;
		return SIZE_MAX;
	}
	return at + 1 + end;
}

/* The offset of the ">" of the tag at the front, where quotes hide one;
 * SIZE_MAX: none. A quote is one only as the begin of a value. */
static size_t
find_quoted_tag_end(struct reader *reader)
{
	struct span s = reader->rest;
	bool may_quote = false;

	for (size_t i = 1; i < s.len; i++) {
		char c = s.data[i];

		if (c == '>')
			return i;
		if (may_quote && (c == '"' || c == '\'')) {
			size_t end = find_quote_end(reader, i);

			if (end != SIZE_MAX)
				i = end;
		}
		may_quote = c == '=' || (may_quote && is_blank((uint32_t)c));
	}
	return SIZE_MAX;
}

/* The offset of the ">" of whatever begins with the "<" at the front. */
static size_t
find_tag_end(struct reader *reader)
{
	size_t end = SIZE_MAX;

	if (reader->no_tag_end)
		return SIZE_MAX;
	if (reader->odd_quotes < ODD_QUOTES_MAX) {
		end = find_quoted_tag_end(reader);
		reader->odd_quotes += end == SIZE_MAX;
	}
	if (end == SIZE_MAX)
		end = span_find(reader->rest, '>');
	reader->no_tag_end = end == SIZE_MAX;
	return end;
}

/* Takes the comment at the front; false: it does not end. */
static bool
take_comment(struct reader *reader)
{
	size_t end;

	if (reader->no_comment_end || !span_starts(reader->rest, "<!--"))
		return false;
	/* "<!-->" is one, too. */
	end = span_find_span(reader->rest, SPAN("-->"), 2);
	reader->no_comment_end = end == SIZE_MAX;
	if (end == SIZE_MAX)
		return false;
	reader->rest = span_skip(reader->rest, end + 3);
	return true;
}

static size_t
name_length(struct span s)
{
	size_t n = 0;

	while (n < s.len && char_is_alnum(s.data[n]))
		n++;
	return n;
}

/* Is the "<" at the front the begin of anything but text? */
static bool
is_markup(struct span s)
{
	char next = s.len > 1 ? s.data[1] : ' ';

	if (next == '/')
		return s.len > 2 &&
		       (char_is_alpha(s.data[2]) || s.data[2] == '>');
	return char_is_alpha(next) || next == '!' || next == '?';
}

/* What has no ">": dropped if the text was cut there, else text. */
static void
take_unfinished(struct reader *reader)
{
	struct span near = span_slice(reader->rest, 0, CUT_TAG_MAX);

	if (near.len == reader->rest.len ||
	    span_find_span(near, SPAN("=\""), 0) != SIZE_MAX) {
		reader->rest = SPAN_EMPTY;
		return;
	}
	take_byte(reader);
}

static void
take_tag(struct reader *reader, size_t end)
{
	struct span inside = span_skip(span_slice(reader->rest, 0, end), 1);
	bool is_end = span_starts(inside, "/");
	struct span name = span_skip(inside, is_end);
	const struct element *element;

	element = find_element(span_slice(name, 0, name_length(name)));
	reader->rest = span_skip(reader->rest, end + 1);
	if (element != NULL)
		apply(reader, element, is_end);
}

static void
take_markup(struct reader *reader)
{
	size_t end;

	if (!is_markup(reader->rest)) {
		take_byte(reader);
		return;
	}
	if (take_comment(reader))
		return;
	end = find_tag_end(reader);
	if (end == SIZE_MAX)
		take_unfinished(reader);
	else
		take_tag(reader, end);
}

/* ---- Text ---- */

static void
take_entity(struct reader *reader)
{
	BUF_AUTO utf8 = BUF_INIT;
	uint32_t code;
	size_t len = html_entity(reader->rest, &code);

	if (len == 0) {
		take_byte(reader);
		return;
	}
	utf8_add(&utf8, code);
	add_char(reader, code, buf_span(&utf8));
	reader->rest = span_skip(reader->rest, len);
}

/* Visible ASCII, most of all text. */
static size_t
plain_length(struct span s)
{
	size_t n = 0;

	while (n < s.len && s.data[n] > ' ' && s.data[n] <= '~' &&
	       s.data[n] != '<' && s.data[n] != '&')
		n++;
	return n;
}

static void
take_char(struct reader *reader)
{
	uint32_t code;
	size_t len = utf8_next(reader->rest, &code, NULL);

	add_char(reader, code, span_slice(reader->rest, 0, len));
	reader->rest = span_skip(reader->rest, len);
}

static void
take_one(struct reader *reader)
{
	size_t len = plain_length(reader->rest);

	if (len > 0) {
		add_visible(reader, span_slice(reader->rest, 0, len));
		reader->rest = span_skip(reader->rest, len);
	} else if (reader->rest.data[0] == '<') {
		take_markup(reader);
	} else if (reader->rest.data[0] == '&') {
		take_entity(reader);
	} else {
		take_char(reader);
	}
}

/* Cuts what is over at a character. */
static void
cut(struct buf *text, size_t len)
{
	if (text->len <= len)
		return;
	while (len > 0 && ((unsigned char)text->data[len] & 0xc0) == 0x80)
		len--;
	buf_truncate(text, len);
}

void
html_add_text(struct buf *text, struct span html, size_t max)
{
	struct reader reader = {.rest = html,
	    .text = text,
	    .start = text->len,
	    .end = text->len + max};

	while (reader.rest.len > 0 && !is_full(&reader))
		take_one(&reader);
	cut(text, reader.end);
}
