#include "rules/cond_parser_private.h"

#include "daemon/base/xalloc.h"
#include "rules/cond_number.h"
#include "rules/foreign.h"

static bool
add_number(struct cond_parser *parser, struct test *test, struct span text,
    size_t offset)
{
	enum field_unit unit = test->field->unit;
	STR_AUTO hint = NULL;
	int64_t number;

	if (!cond_number_parse(unit, text, &number)) {
		hint = foreign_number_hint(unit, text);
		return source_error(parser->source, offset, hint,
		    "`%s` is compared with %s, not with `%.*s`",
		    test->field->name, cond_number_expected(unit),
		    SPAN_FMT(text));
	}
	test_add_operand(test)->number = number;
	return true;
}

static bool
is_ascii(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] >= 0x80)
			return false;
	return true;
}

static bool
has_word(const char *const *words, struct span text)
{
	for (; *words != NULL; words++)
		if (span_is_nocase(text, *words))
			return true;
	return false;
}

/* `flag` and the results of auth.* have a fixed set of words. */
static bool
fail_word(struct cond_parser *parser, const struct test *test, struct span text,
    size_t offset)
{
	const char *const *words = test->field->words;
	bool is_flag = strcmp(test->field->name, "flag") == 0;
	const char *hint = is_flag ? foreign_hint(FOREIGN_FLAG, text) : NULL;
	BUF_AUTO all = BUF_INIT;

	if (is_flag && hint == NULL)
		hint = foreign_hint(FOREIGN_MARK, text);
	for (size_t i = 0; words[i] != NULL; i++) {
		if (i > 0)
			buf_add_str(&all, words[i + 1] == NULL ? " or " : ", ");
		buf_add_str(&all, words[i]);
	}
	if (hint != NULL)
		return source_error(parser->source, offset, hint,
		    "`%s` is %s, never `%.*s`", test->field->name,
		    buf_str(&all), SPAN_FMT(text));
	return source_error_near(parser->source, offset, text, words,
	    "`%s` is %s, never `%.*s`", test->field->name, buf_str(&all),
	    SPAN_FMT(text));
}

static bool
check_text(struct cond_parser *parser, const struct test *test,
    struct span text, size_t offset)
{
	const struct source *source = parser->source;

	if (text.len > RULE_PATTERN_MAX)
		return source_error(source, offset, NULL,
		    "a value has at most %d bytes", RULE_PATTERN_MAX);
	if (text.len == 0 && test->op == OP_HAS)
		return source_error(
		    source, offset, NULL, "every value has an empty text");
	if (test->op == OP_IS && test->field->words != NULL &&
	    !has_word(test->field->words, text))
		return fail_word(parser, test, text, offset);
	return true;
}

static bool
add_text(struct cond_parser *parser, struct test *test, struct span text,
    size_t offset)
{
	struct operand *operand;

	if (!check_text(parser, test, text, offset))
		return false;
	operand = test_add_operand(test);
	operand->text = xstrdup_span(text);
	if (!is_ascii(text))
		operand->literal =
		    pattern_compile_literal(text, test->op == OP_IS);
	return true;
}

static bool
add_list_file(struct cond_parser *parser, struct test *test, struct span path,
    size_t offset)
{
	if (path.len == 0 || path.data[0] != '/')
		return source_error(parser->source, offset, NULL,
		    "the file of a list needs a path that begins with /, as "
		    "in @file:/etc/belfry/vip");
	test_add_operand(test)->members = lists_add(parser->lists, path, true);
	return true;
}

static bool
add_list(struct cond_parser *parser, struct test *test, struct span text,
    size_t offset)
{
	STRV_AUTO names = STRV_INIT;
	const struct members *members;

	if (text.len < 2 || text.data[0] != '@')
		return source_error(parser->source, offset,
		    lists_find(parser->lists, text, false) != NULL
			? "before the list's name stands an `@`"
		    : text.len > 0 && text.data[0] == '/'
			? "before the path of a file stands `@file:`"
			: "to compare with values, write `is`",
		    "`in` is followed by a list, as in @vip or "
		    "@file:/etc/belfry/vip");
	if (span_starts(text, "@file:"))
		return add_list_file(parser, test, span_skip(text, 6), offset);
	text = span_skip(text, 1);
	members = lists_find(parser->lists, text, false);
	if (members != NULL) {
		test_add_operand(test)->members = members;
		return true;
	}
	lists_names(parser->lists, &names);
	if (names.len == 0)
		return source_error(parser->source, offset, NULL,
		    "there is no section [list %.*s]", SPAN_FMT(text));
	return source_error_near(parser->source, offset + 1, text,
	    (const char *const *)names.items, "there is no section [list %.*s]",
	    SPAN_FMT(text));
}

/* The first `)` that closes no `(` of the text; SIZE_MAX: none. */
static size_t
find_stray_parenthesis(struct span text)
{
	size_t depth = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '(')
			depth++;
		else if (text.data[i] == ')' && depth-- == 0)
			return i;
	}
	return SIZE_MAX;
}

/* Things in an unquoted value that may be meant otherwise. */
static void
warn_bare(struct cond_parser *parser, struct span text, size_t offset)
{
	size_t stray = find_stray_parenthesis(text);
	size_t comment = span_find_span(text, SPAN(" # "), 0);

	if (stray != SIZE_MAX)
		source_warn(parser->source, offset + stray,
		    "if it is meant, put the value in quotes",
		    "no parenthesis is open here: this one is a part of the "
		    "value");
	if (text.len > 2 && text.data[0] == '/' &&
	    text.data[text.len - 1] == '/')
		source_warn(parser->source, offset,
		    "for a pattern, write `~`; if it is none, put the value in "
		    "quotes",
		    "the slashes are a part of the value");
	if (text.len > 1 && text.data[0] == '\'' &&
	    text.data[text.len - 1] == '\'')
		source_warn(parser->source, offset,
		    "write double quotes, or no quotes",
		    "the single quotes are a part of the value");
	if (span_starts(text, "\xe2\x80\x9c") ||
	    span_starts(text, "\xe2\x80\x9e") || span_starts(text, "\xc2\xab"))
		source_warn(parser->source, offset,
		    "write straight double quotes: \"...\"",
		    "these quotes are a part of the value");
	if (span_find_span(text, SPAN("${"), 0) != SIZE_MAX)
		source_warn(parser->source, offset,
		    "if it is meant, put the value in quotes",
		    "a condition has no variables: this is compared as it is");
	if (comment != SIZE_MAX)
		source_warn(parser->source, offset + comment + 1,
		    "a comment needs a line of its own; if it is none, put the "
		    "value in quotes",
		    "this is a part of the value");
}

/* Things in an unquoted value that are surely meant otherwise. */
static bool
check_bare(struct cond_parser *parser, const struct test *test,
    struct span text, size_t offset)
{
	static const char *const joints[] = {" AND ", " OR ", " && ", " || "};
	const struct source *source = parser->source;

	if (span_starts(text, "not "))
		return source_error(source, offset,
		    "if the value begins with `not`, put it in quotes",
		    "write `not` before the field: not %s is ...",
		    test->field->name);
	for (size_t i = 0; i < sizeof(joints) / sizeof(*joints); i++) {
		size_t at = span_find_span(text, span_from_str(joints[i]), 0);

		if (at != SIZE_MAX)
			return source_error(source, offset + at + 1,
			    "if it belongs to the value, put the value in "
			    "quotes",
			    "write `and` and `or`, in small letters");
	}
	if (test->op == OP_HAS && span_find(text, ',') != SIZE_MAX)
		source_warn(source, offset,
		    "put the value in quotes, or join two tests with `or`",
		    "`has` takes one text; the comma is a part of it");
	warn_bare(parser, text, offset);
	return true;
}

static bool
add_operand(struct cond_parser *parser, struct test *test, struct span text,
    size_t offset)
{
	if (test->op == OP_IN)
		return add_list(parser, test, text, offset);
	if (test->field->type == FIELD_NUMBER)
		return add_number(parser, test, text, offset);
	return add_text(parser, test, text, offset);
}

static bool
parse_operand(struct cond_parser *parser, struct test *test)
{
	struct operand *added;
	BUF_AUTO text = BUF_INIT;
	bool is_quoted;
	size_t offset;

	lexer_skip_blanks(&parser->lexer);
	if (!lexer_value(
		&parser->lexer, test->op != OP_HAS, &text, &offset, &is_quoted))
		return false;
	if (!is_quoted && !check_bare(parser, test, buf_span(&text), offset))
		return false;
	if (!add_operand(parser, test, buf_span(&text), offset))
		return false;
	added = &test->operands[test->operand_count - 1];
	added->place = cond_parser_place(parser, offset);
	added->is_quoted = is_quoted;
	return true;
}

bool
cond_parse_operands(struct cond_parser *parser, struct test *test)
{
	bool is_list = test->op == OP_IS || test->op == OP_IN;

	do {
		if (!parse_operand(parser, test))
			return false;
		lexer_skip_blanks(&parser->lexer);
	} while (is_list && lexer_take(&parser->lexer, ','));
	return true;
}

/* The byte of the line that byte `offset` of the pattern's text came from. */
static size_t
offset_in_line(const struct lexed_pattern *lexed, size_t offset)
{
	char delimiter = lexed->raw.data[-1];
	bool keep = lexed->raw.len == lexed->text.len;
	size_t i = 0;

	for (size_t seen = 0; i < lexed->raw.len && seen < offset; seen++) {
		if (!keep && lexed->raw.data[i] == '\\' &&
		    i + 1 < lexed->raw.len &&
		    lexed->raw.data[i + 1] == delimiter)
			i++;
		i++;
	}
	return lexed->offset + i;
}

bool
cond_parse_pattern(struct cond_parser *parser, struct test *test)
{
	struct error error = ERROR_INIT;
	struct lexed_pattern lexed;
	size_t offset = 0;

	lexer_skip_blanks(&parser->lexer);
	if (!lexer_pattern(&parser->lexer, &lexed))
		return false;
	test->pattern = pattern_compile(
	    buf_span(&lexed.text), lexed.flags, &offset, &error);
	if (test->pattern == NULL)
		source_error(parser->source, offset_in_line(&lexed, offset),
		    NULL, "in the pattern: %s", error.text);
	test->pattern_text = xstrdup_span(buf_span(&lexed.text));
	test->pattern_flags = lexed.flags;
	test->pattern_place = cond_parser_place(parser, lexed.offset);
	buf_done(&lexed.text);
	return test->pattern != NULL;
}
