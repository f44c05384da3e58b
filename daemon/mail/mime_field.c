/*
 * mail/mime_field: a value and parameters.
 *
 *   field     = value ["/" subtype] *(1*";" [parameter])
 *   parameter = name "=" (token / quoted-string)
 *   value, subtype, name = token
 *
 * (RFC 2045 section 5.1, with RFC 5322 CFWS between any two.) More is read:
 *
 *   a semicolon may lack wherever a token and "=" follow;
 *   a value without quotes goes on, blanks and all, to the next semicolon,
 *   but for a comment at its end and for what looks like a parameter;
 *   a quote that does not end does so at the next semicolon;
 *   a backslash is one unless a quote or a backslash follows it, for names
 *   of files on Windows.
 */
#include "daemon/mail/mime_field.h"

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

#define PARAMS_FIRST 4

struct parser {
	struct span rest;
	char *out; /* the next free byte of field->text */
	struct mime_field *field;
};

static bool
is_space(char c)
{
	return char_is_blank(c) || c == '\r' || c == '\n';
}

static bool
is_at(const struct parser *parser, char c)
{
	return parser->rest.len > 0 && parser->rest.data[0] == c;
}

static void
skip(struct parser *parser, size_t len)
{
	parser->rest = span_skip(parser->rest, len);
}

/* The length of the comment at the front, all of it if it does not end. */
static size_t
comment_length(struct span s)
{
	size_t depth = 0, i;

	for (i = 0; i < s.len; i++) {
		if (s.data[i] == '\\')
			i++;
		else if (s.data[i] == '(')
			depth++;
		else if (s.data[i] == ')' && --depth == 0)
			return i + 1;
	}
	return s.len;
}

/* Blanks, comments, and the bytes in `also`. */
static void
skip_filling(struct parser *parser, const char *also)
{
	while (parser->rest.len > 0) {
		char c = parser->rest.data[0];

		if (c == '(')
			skip(parser, comment_length(parser->rest));
		else if (is_space(c) || (c != '\0' && strchr(also, c) != NULL))
			skip(parser, 1);
		else
			return;
	}
}

/* What may stand in a type or a name. More than a token: whoever writes
 * "x@y/z" means it. */
static bool
is_name_char(char c)
{
	return !is_space(c) && (c == '\0' || strchr("/;=,\"(", c) == NULL);
}

static size_t
name_length(struct span s)
{
	size_t n = 0;

	while (n < s.len && is_name_char(s.data[n]))
		n++;
	return n;
}

static struct span
keep(struct parser *parser, struct span s)
{
	struct span kept = span_from(parser->out, s.len);

	if (s.len > 0)
		memcpy(parser->out, s.data, s.len);
	parser->out += s.len;
	return kept;
}

static struct span
take_name(struct parser *parser)
{
	struct span name =
	    span_slice(parser->rest, 0, name_length(parser->rest));

	skip(parser, name.len);
	return keep(parser, name);
}

/* ---- Values ---- */

/* The offset of the quote that ends the string at the front, SIZE_MAX: none.
 */
static size_t
find_end_quote(struct span s)
{
	for (size_t i = 1; i < s.len; i++) {
		if (s.data[i] == '\\')
			i++;
		else if (s.data[i] == '"')
			return i;
	}
	return SIZE_MAX;
}

static struct span
unquote(struct parser *parser, struct span s)
{
	char *start = parser->out;

	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] == '\\' && i + 1 < s.len &&
		    (s.data[i + 1] == '"' || s.data[i + 1] == '\\'))
			i++;
		*parser->out++ = s.data[i];
	}
	return span_from(start, (size_t)(parser->out - start));
}

static struct span
take_quoted(struct parser *parser)
{
	size_t end = find_end_quote(parser->rest), behind = end;
	struct span value;

	if (end != SIZE_MAX)
		behind++;
	else
		end = behind = span_find(parser->rest, ';');
	value = span_skip(span_slice(parser->rest, 0, end), 1);
	skip(parser, behind);
	return unquote(parser, value);
}

/* Does a parameter begin here, behind a blank, although no semicolon stands
 * in front? */
static bool
is_param_ahead(struct span s)
{
	size_t n = name_length(s);

	return n > 0 && n < s.len && s.data[n] == '=';
}

/* Is the comment at the front the last thing before a semicolon? */
static bool
is_last_comment(struct span s, size_t *len_r)
{
	size_t len = comment_length(s);
	struct span rest = span_skip(s, len);

	*len_r = len;
	while (rest.len > 0 && is_space(rest.data[0]))
		rest = span_skip(rest, 1);
	return rest.len == 0 || rest.data[0] == ';' || rest.data[0] == '(';
}

/* Behind the blanks at the front of `s`, does the value go on? The length of
 * what belongs to it, 0 when it ends here. */
static size_t
length_of_more(struct span s)
{
	size_t n = 0, comment;

	while (n < s.len && is_space(s.data[n]))
		n++;
	s = span_skip(s, n);
	if (s.len == 0 || s.data[0] == ';' || is_param_ahead(s))
		return 0;
	if (s.data[0] != '(')
		return n + 1;
	return is_last_comment(s, &comment) ? 0 : n + comment;
}

static struct span
take_unquoted(struct parser *parser)
{
	struct span s = parser->rest;
	size_t n = 0;

	while (n < s.len && s.data[n] != ';') {
		size_t more = 1;

		if (is_space(s.data[n]))
			more = length_of_more(span_skip(s, n));
		if (more == 0)
			break;
		n += more;
	}
	skip(parser, n);
	return keep(parser, span_trim(span_slice(s, 0, n)));
}

/* ---- Parameters ---- */

static void
add_param(struct mime_field *field, struct mime_param param)
{
	size_t count = field->param_count;

	/* Full when the count is a power of two. */
	if (count == 0 || (count >= PARAMS_FIRST && (count & (count - 1)) == 0))
		field->params = xreallocarray(field->params,
		    count == 0 ? PARAMS_FIRST : count * 2,
		    sizeof(*field->params));
	field->params[field->param_count++] = param;
}

static void
parse_param(struct parser *parser, struct span name)
{
	struct mime_param param = {name, SPAN_EMPTY};

	skip(parser, 1);
	skip_filling(parser, "");
	param.value =
	    is_at(parser, '"') ? take_quoted(parser) : take_unquoted(parser);
	if (name.len > 0)
		add_param(parser->field, param);
}

static void
parse_params(struct parser *parser)
{
	while (parser->field->param_count < MIME_PARAMS_MAX) {
		struct span name;

		skip_filling(parser, ";,/\"");
		if (parser->rest.len == 0)
			return;
		name = take_name(parser);
		skip_filling(parser, "");
		if (is_at(parser, '='))
			parse_param(parser, name);
	}
}

static void
parse_value(struct parser *parser)
{
	struct span value;

	skip_filling(parser, ";\"");
	value = take_name(parser);
	skip_filling(parser, "");
	/* A field that begins with a parameter. */
	if (is_at(parser, '=')) {
		parse_param(parser, value);
		return;
	}
	parser->field->value = value;
	if (is_at(parser, '/')) {
		skip(parser, 1);
		skip_filling(parser, "");
		parser->field->subtype = take_name(parser);
	}
}

void
mime_field_parse(struct span raw, struct mime_field *field_r)
{
	struct parser parser = {.rest = raw, .field = field_r};

	*field_r = (struct mime_field){0};
	/* Each byte is kept once at most. */
	field_r->text = xmalloc(raw.len + 1);
	parser.out = field_r->text;
	parse_value(&parser);
	parse_params(&parser);
}

void
mime_field_done(struct mime_field *field)
{
	free(field->params);
	free(field->text);
	*field = (struct mime_field){0};
}
