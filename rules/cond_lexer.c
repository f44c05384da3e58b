#include "rules/cond_lexer.h"

#include "daemon/base/str.h"
#include "rules/pattern.h"

/*
 *   field     = name [ "." name ] [ "(" field-name ")" ]
 *   name      = ALPHA *( ALPHA / DIGIT / "-" )
 *   pattern   = delim *( pchar / "\" delim ) delim *flag
 *   delim     = "/" / "#" / "," / "%" / "!"    ; the same at both ends
 *   flag      = "c" / "s" / "m" / "x"
 *   value     = quoted / bare
 *   quoted    = DQUOTE *( qchar / "\" DQUOTE / "\" "\" ) DQUOTE
 *   bare      = 1*bchar    ; ends before " and ", " or ", in a list before
 *                          ; a comma, before the ")" that closes a "(" of
 *                          ; the expression, and at the end of the line;
 *                          ; blanks at both ends do not count
 */
#define DELIMITERS "/#,%!"

static char
at(const struct cond_lexer *lexer, size_t pos)
{
	return pos < lexer->source->text.len ? lexer->source->text.data[pos]
					     : '\0';
}

void
lexer_skip_blanks(struct cond_lexer *lexer)
{
	while (char_is_blank(at(lexer, lexer->pos)))
		lexer->pos++;
}

bool
lexer_is_at_end(const struct cond_lexer *lexer)
{
	return lexer->pos >= lexer->source->text.len;
}

bool
lexer_take(struct cond_lexer *lexer, char c)
{
	if (lexer_is_at_end(lexer) || at(lexer, lexer->pos) != c)
		return false;
	lexer->pos++;
	return true;
}

static bool
is_name_char(char c)
{
	return char_is_alnum(c) || c == '-' || c == '.' || c == '_';
}

/* Whether `word` stands at `pos` and nothing that would prolong it. */
static bool
is_word_at(const struct cond_lexer *lexer, size_t pos, const char *word)
{
	size_t len = strlen(word);

	return span_is(span_slice(lexer->source->text, pos, len), word) &&
	       !is_name_char(at(lexer, pos + len));
}

bool
lexer_take_word(struct cond_lexer *lexer, const char *word)
{
	if (!is_word_at(lexer, lexer->pos, word))
		return false;
	lexer->pos += strlen(word);
	return true;
}

struct span
lexer_peek(const struct cond_lexer *lexer)
{
	size_t end = lexer->pos;

	while (end < lexer->source->text.len && !char_is_blank(at(lexer, end)))
		end++;
	return span_slice(lexer->source->text, lexer->pos, end - lexer->pos);
}

/* RFC 5322 section 3.6.8: printable ASCII but the colon. */
static bool
is_field_name(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] <= ' ' || s.data[i] > '~' || s.data[i] == ':')
			return false;
	return s.len > 0;
}

/* Not header(X-Any:). */
static bool
check_header_name(const struct source *source, struct span name, size_t offset)
{
	if (!is_field_name(name))
		return source_error(source, offset,
		    name.len > 1 && span_find(name, ':') == name.len - 1
			? "leave out the colon"
			: NULL,
		    "a header's name is expected here, as in header(X-Spam)");
	return true;
}

static bool
lex_argument(struct cond_lexer *lexer, struct lexed_field *field)
{
	const struct source *source = lexer->source;
	size_t start = lexer->pos + 1;
	size_t len = span_find(span_skip(source->text, start), ')');
	struct span name;

	if (len == SIZE_MAX)
		return source_error(source, lexer->pos, NULL,
		    "`)` is missing behind the header's name");
	name = span_trim(span_slice(source->text, start, len));
	if (!check_header_name(source, name, start))
		return false;
	field->argument = name;
	field->argument_offset = start;
	lexer->pos = start + len + 1;
	return true;
}

bool
lexer_field(struct cond_lexer *lexer, struct lexed_field *field_r)
{
	struct lexed_field field = {.offset = lexer->pos};
	size_t end = lexer->pos;

	while (is_name_char(at(lexer, end)))
		end++;
	if (end == lexer->pos)
		return source_error(lexer->source, lexer->pos, NULL,
		    lexer_is_at_end(lexer)
			? "a field is expected here, but the line ends"
			: "a field is expected here, as in: from is "
			  "ann@example.org");
	field.name =
	    span_slice(lexer->source->text, lexer->pos, end - lexer->pos);
	lexer->pos = end;
	if (at(lexer, end) == '(' && !lex_argument(lexer, &field))
		return false;
	*field_r = field;
	return true;
}

static const struct {
	char letter;
	enum pattern_flag flag;
} flag_letters[] = {
    {'c', PATTERN_CASE},
    {'s', PATTERN_DOTALL},
    {'m', PATTERN_LINES},
    {'x', PATTERN_EXTENDED},
};

static unsigned
flag_of(char letter)
{
	for (size_t i = 0; i < sizeof(flag_letters) / sizeof(*flag_letters);
	     i++)
		if (flag_letters[i].letter == letter)
			return flag_letters[i].flag;
	return 0;
}

/* What may follow a pattern or a quoted value. */
static bool
is_end_of_piece(const struct cond_lexer *lexer)
{
	char c = at(lexer, lexer->pos);

	return lexer_is_at_end(lexer) || char_is_blank(c) || c == ')';
}

/* Nothing but letters until the end of the piece. */
static bool
is_last_flag(const struct cond_lexer *lexer)
{
	size_t pos = lexer->pos;

	while (char_is_alpha(at(lexer, pos)))
		pos++;
	return pos >= lexer->source->text.len || char_is_blank(at(lexer, pos));
}

static bool
lex_flags(struct cond_lexer *lexer, unsigned *flags)
{
	while (!is_end_of_piece(lexer)) {
		char c = at(lexer, lexer->pos);
		unsigned flag = flag_of(c);

		if (flag == 0 && (c == 'i' || c == 'I'))
			return source_error(lexer->source, lexer->pos,
			    "leave it out",
			    "patterns ignore case anyway; there is no flag "
			    "`%c`",
			    c);
		if (flag == 0 && (c == 'g' || c == 'u') && is_last_flag(lexer))
			return source_error(lexer->source, lexer->pos,
			    "leave it out", "there is no flag `%c`", c);
		if (is_word_at(lexer, lexer->pos, "and") ||
		    is_word_at(lexer, lexer->pos, "or"))
			return source_error(lexer->source, lexer->pos, NULL,
			    "a blank is missing before `%s`",
			    c == 'a' ? "and" : "or");
		if (flag == 0)
			return source_error(lexer->source, lexer->pos,
			    "inside a pattern, write its delimiter with a "
			    "backslash",
			    "the pattern ends before this; its flags are c, s, "
			    "m and x");
		*flags |= flag;
		lexer->pos++;
	}
	return true;
}

/*
 * The backslash before a delimiter goes away, so that a delimiter which means
 * something in patterns ("," in "{1,2}") can be written at all; but "#" would
 * begin a comment with the flag x.
 */
static void
unescape(struct lexed_pattern *pattern, char delimiter)
{
	bool keep = delimiter == '#' && (pattern->flags & PATTERN_EXTENDED);
	struct span raw = pattern->raw;

	for (size_t i = 0; i < raw.len; i++) {
		if (raw.data[i] == '\\' && i + 1 < raw.len) {
			if (raw.data[i + 1] != delimiter || keep)
				buf_add_char(&pattern->text, '\\');
			i++;
		}
		buf_add_char(&pattern->text, raw.data[i]);
	}
}

bool
lexer_pattern(struct cond_lexer *lexer, struct lexed_pattern *pattern_r)
{
	struct lexed_pattern pattern = {.text = BUF_INIT};
	char delimiter = at(lexer, lexer->pos);
	size_t start = lexer->pos + 1, end = start;

	if (delimiter == '\0' || strchr(DELIMITERS, delimiter) == NULL)
		return source_error(lexer->source, lexer->pos,
		    delimiter == '='   ? "the operator is `~` alone"
		    : delimiter == '"' ? "write slashes instead of the quotes"
				       : "put it between two slashes: /.../",
		    "a pattern is expected here, as in /invoice/; its "
		    "delimiter is one of / # , %% !");
	while (end < lexer->source->text.len && at(lexer, end) != delimiter)
		end += at(lexer, end) == '\\' ? 2 : 1;
	if (end >= lexer->source->text.len)
		return source_error(lexer->source, lexer->pos, NULL,
		    "the pattern has no end: `%c` is missing", delimiter);
	pattern.offset = start;
	pattern.raw = span_slice(lexer->source->text, start, end - start);
	lexer->pos = end + 1;
	if (!lex_flags(lexer, &pattern.flags))
		return false;
	unescape(&pattern, delimiter);
	*pattern_r = pattern;
	return true;
}

static bool
lex_quoted(struct cond_lexer *lexer, bool is_list, struct buf *text)
{
	size_t start = lexer->pos++;

	while (!lexer_is_at_end(lexer) && at(lexer, lexer->pos) != '"') {
		char next = at(lexer, lexer->pos + 1);

		if (at(lexer, lexer->pos) == '\\' &&
		    (next == '"' || next == '\\'))
			lexer->pos++;
		buf_add_char(text, at(lexer, lexer->pos++));
	}
	if (!lexer_take(lexer, '"'))
		return source_error(
		    lexer->source, start, NULL, "the quotes are not closed");
	if (is_end_of_piece(lexer) || (is_list && at(lexer, lexer->pos) == ','))
		return true;
	return source_error(lexer->source, lexer->pos, NULL,
	    "after the closing quotes, `and`, `or` or the end is expected");
}

/* " and " or " or ", with nothing behind at the end of the line. */
static bool
is_joint(const struct cond_lexer *lexer, size_t pos)
{
	size_t len;

	if (!char_is_blank(at(lexer, pos)))
		return false;
	pos++;
	if (is_word_at(lexer, pos, "and"))
		len = 3;
	else if (is_word_at(lexer, pos, "or"))
		len = 2;
	else
		return false;
	return pos + len >= lexer->source->text.len ||
	       char_is_blank(at(lexer, pos + len));
}

static size_t
end_of_bare(const struct cond_lexer *lexer, bool is_list)
{
	size_t pos, depth = 0;

	for (pos = lexer->pos; pos < lexer->source->text.len; pos++) {
		char c = at(lexer, pos);

		if ((is_list && c == ',') || is_joint(lexer, pos))
			break;
		if (c == '(')
			depth++;
		if (c != ')')
			continue;
		if (depth == 0 && lexer->open > 0)
			break;
		if (depth > 0)
			depth--;
	}
	return pos;
}

bool
lexer_value(struct cond_lexer *lexer, bool is_list, struct buf *text,
    size_t *offset_r, bool *is_quoted_r)
{
	size_t start = lexer->pos, end;
	struct span bare;

	*offset_r = start;
	*is_quoted_r = at(lexer, start) == '"';
	if (*is_quoted_r)
		return lex_quoted(lexer, is_list, text);
	end = end_of_bare(lexer, is_list);
	bare = span_trim(span_slice(lexer->source->text, start, end - start));
	if (bare.len == 0)
		return source_error(
		    lexer->source, start, NULL, "a value is expected here");
	buf_add_span(text, bare);
	lexer->pos = end;
	return true;
}
