#include "daemon/wire/smtp/reply.h"

#include "daemon/base/str.h"

/* The text of a reply as a person may get it, before sanitising. */
#define REPLY_PLAIN_MAX 4096

void
smtp_parser_init(struct smtp_parser *parser)
{
	*parser = (struct smtp_parser){0};
	buf_init(&parser->input);
	buf_init(&parser->text);
}

void
smtp_parser_done(struct smtp_parser *parser)
{
	buf_done(&parser->input);
	buf_done(&parser->text);
	smtp_parser_init(parser);
}

void
smtp_parser_feed(struct smtp_parser *parser, struct span bytes)
{
	if (parser->broken)
		return;
	if (parser->used > 0) {
		buf_consume(&parser->input, parser->used);
		parser->used = 0;
	}
	buf_add_span(&parser->input, bytes);
}

bool
smtp_parser_has_rest(const struct smtp_parser *parser)
{
	return parser->used < parser->input.len ||
	       (parser->lines > 0 && !parser->done);
}

static int
broken(struct smtp_parser *parser, enum fault fault, const char *text,
    struct error *error_r)
{
	if (!parser->broken) {
		parser->broken = true;
		error_set(&parser->error, fault, "%s", text);
		buf_clear(&parser->input);
		parser->used = 0;
		parser->lines = 0;
	}
	if (error_r != NULL)
		*error_r = parser->error;
	return -1;
}

/*
 * RFC 5321 section 4.2:
 *   Reply-line = *( Reply-code "-" [ textstring ] CRLF )
 *                Reply-code [ SP [ textstring ] ] CRLF
 *   Reply-code = %x32-35 %x30-35 %x30-39
 * The second digit is taken as any digit: some servers invent 39x, 56x.
 */
static bool
parse_line(
    struct span line, unsigned *code_r, bool *last_r, struct span *text_r)
{
	if (line.len < 3 || line.data[0] < '2' || line.data[0] > '5' ||
	    !char_is_digit(line.data[1]) || !char_is_digit(line.data[2]))
		return false;
	if (line.len > 3 && line.data[3] != ' ' && line.data[3] != '-')
		return false;
	if (span_find(line, '\0') != SIZE_MAX)
		return false;
	*code_r = (unsigned)(line.data[0] - '0') * 100 +
		  (unsigned)(line.data[1] - '0') * 10 +
		  (unsigned)(line.data[2] - '0');
	*last_r = line.len == 3 || line.data[3] == ' ';
	*text_r = span_skip(line, 4);
	return true;
}

/*
 * RFC 3463 section 2: class "." subject "." detail, at the front of the text
 * and followed by a blank or nothing. The class must be the reply's own
 * (RFC 2034 section 4); a code that contradicts it is mere text.
 */
static bool
parse_number(struct span *rest, unsigned *value_r)
{
	size_t n = 0;
	unsigned value = 0;

	while (n < rest->len && n < 3 && char_is_digit(rest->data[n]))
		value = value * 10 + (unsigned)(rest->data[n++] - '0');
	if (n == 0)
		return false;
	*value_r = value;
	*rest = span_skip(*rest, n);
	return true;
}

/* Length of the enhanced code at the front of `text`, 0 when there is none. */
static size_t
parse_enhanced(
    struct span text, unsigned code, struct smtp_enhanced *enhanced_r)
{
	struct smtp_enhanced e;
	struct span rest = text;

	if (!parse_number(&rest, &e.class) || !span_starts(rest, "."))
		return 0;
	rest = span_skip(rest, 1);
	if (!parse_number(&rest, &e.subject) || !span_starts(rest, "."))
		return 0;
	rest = span_skip(rest, 1);
	if (!parse_number(&rest, &e.detail))
		return 0;
	if (rest.len > 0 && !char_is_blank(rest.data[0]))
		return 0;
	if (e.class != code / 100 || e.class == 3)
		return 0;
	*enhanced_r = e;
	return text.len - rest.len;
}

static void
make_reply(struct smtp_parser *parser, struct smtp_reply *reply_r)
{
	struct span rest = buf_span(&parser->text), line;

	parser->done = true;
	*reply_r = (struct smtp_reply){
	    .code = parser->code,
	    .text = buf_span(&parser->text),
	    .lines = parser->lines,
	};
	/* The last line's wins nothing over the first's: they must agree. */
	while (span_split(&rest, '\n', &line))
		if (parse_enhanced(line, parser->code, &reply_r->enhanced) > 0)
			break;
}

/* 1: that was the last line of a reply. 0: go on. -1: malformed. */
static int
add_line(struct smtp_parser *parser, struct span line, struct error *error_r)
{
	unsigned code;
	bool last;
	struct span text;

	if (!parse_line(line, &code, &last, &text))
		return broken(parser, FAULT_PEER,
		    "malformed reply from the mail server", error_r);
	if (parser->lines > 0 && code != parser->code)
		return broken(parser, FAULT_PEER,
		    "the code changes inside one reply", error_r);
	if (parser->lines >= SMTP_REPLY_LINES_MAX)
		return broken(
		    parser, FAULT_LIMIT, "a reply has too many lines", error_r);
	parser->code = code;
	parser->lines++;
	buf_add_span(&parser->text, text);
	buf_add_char(&parser->text, '\n');
	return last ? 1 : 0;
}

/* Takes one line, without its end, from the input. */
static int
next_line(
    struct smtp_parser *parser, struct span *line_r, struct error *error_r)
{
	struct span rest = span_skip(buf_span(&parser->input), parser->used);
	size_t end = span_find(rest, '\n');
	struct span line;

	if (end == SIZE_MAX && rest.len <= SMTP_LINE_MAX)
		return 0;
	if (end > SMTP_LINE_MAX)
		return broken(
		    parser, FAULT_LIMIT, "a reply line is too long", error_r);
	line = span_slice(rest, 0, end);
	parser->used += end + 1;
	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	*line_r = line;
	return 1;
}

int
smtp_parser_next(struct smtp_parser *parser, struct smtp_reply *reply_r,
    struct error *error_r)
{
	struct span line = SPAN_EMPTY;
	int result;

	if (parser->broken)
		return broken(parser, FAULT_PEER, "", error_r);
	if (parser->done) {
		buf_clear(&parser->text);
		parser->lines = 0;
		parser->done = false;
	}
	for (;;) {
		result = next_line(parser, &line, error_r);
		if (result != 1)
			return result;
		result = add_line(parser, line, error_r);
		if (result < 0)
			return -1;
		if (result == 1) {
			make_reply(parser, reply_r);
			return 1;
		}
	}
}

void
smtp_reply_format(
    const struct smtp_reply *reply, struct buf *out, size_t max_chars)
{
	BUF_AUTO plain = BUF_INIT;
	struct span rest = reply->text, line;
	struct smtp_enhanced e;
	size_t skip;
	bool seen = false;

	while (plain.len < REPLY_PLAIN_MAX && span_split(&rest, '\n', &line)) {
		skip = parse_enhanced(line, reply->code, &e);
		if (skip > 0 && seen)
			line = span_skip(line, skip);
		seen = seen || skip > 0;
		line = span_trim(line);
		if (line.len == 0)
			continue;
		if (plain.len > 0)
			buf_add_char(&plain, ' ');
		buf_add_span(&plain, line);
	}
	str_sanitize(out, buf_span(&plain), max_chars);
}
