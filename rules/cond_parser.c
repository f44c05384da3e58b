#include "rules/cond_parser.h"

#include "daemon/base/str.h"
#include "daemon/base/usec.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"
#include "rules/cond_lexer.h"
#include "rules/foreign.h"

/*
 *   line      = or-expr
 *   or-expr   = and-expr *( "or" and-expr )
 *   and-expr  = unary *( "and" unary )
 *   unary     = *"not" primary
 *   primary   = "(" or-expr ")" / "all" / test
 *   test      = field [ comparison ]
 *   comparison= ( "~" / "!~" ) pattern
 *             / "is" value *( "," value )
 *             / "has" value
 *             / "in" list *( "," list )
 *             / ( ">" / ">=" / "<" / "<=" ) number
 *   list      = "@" id / "@file:" path
 *   number    = 1*DIGIT [ unit ] / weekday
 *
 * Between pieces stands any number of blanks. cond_lexer.c has the rest.
 */

struct parser {
	struct cond_lexer lexer;
	const struct source *source;
	struct slots *slots;
	struct lists *lists;
	unsigned depth; /* of parentheses and `not` */
	size_t known;	/* bytes whose characters are counted, ... */
	size_t count;	/* ... which are so many */
};

static struct cond *parse_or(struct parser *parser);

/* Operators. */

enum {
	ON_TEXT = 1, /* also addresses and words */
	ON_NUMBER = 2,
};

/* Longer spellings stand before those they begin with. */
static const struct {
	const char *name;
	enum op op;
	unsigned on;
} operators[] = {
    {"!~", OP_NOT_MATCH, ON_TEXT},
    {"~", OP_MATCH, ON_TEXT},
    {">=", OP_GREATER_EQUAL, ON_NUMBER},
    {">", OP_GREATER, ON_NUMBER},
    {"<=", OP_LESS_EQUAL, ON_NUMBER},
    {"<", OP_LESS, ON_NUMBER},
    {"is", OP_IS, ON_TEXT | ON_NUMBER},
    {"has", OP_HAS, ON_TEXT},
    {"in", OP_IN, ON_TEXT},
};

#define OPERATOR_COUNT (sizeof(operators) / sizeof(*operators))

static const char *const operator_words[] = {
    "is", "has", "in", "and", "or", NULL};

/* Values. */

static const char *const weekdays[] = {
    "mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL};

static bool
parse_weekday(struct span text, int64_t *number_r)
{
	for (int i = 0; weekdays[i] != NULL; i++) {
		if (span_is_nocase(text, weekdays[i])) {
			*number_r = i + 1;
			return true;
		}
	}
	return false;
}

static bool
parse_plain(struct span text, int64_t *number_r)
{
	uint32_t number;

	if (!span_to_u32(text, &number))
		return false;
	*number_r = number;
	return true;
}

static bool
parse_hour(struct span text, int64_t *number_r)
{
	int64_t number;

	if (!parse_plain(text, &number) || number > 23)
		return false;
	*number_r = number;
	return true;
}

static bool
parse_size(struct span text, int64_t *number_r)
{
	uint64_t size;

	if (!size_parse(text, &size) || size > INT64_MAX)
		return false;
	*number_r = (int64_t)size;
	return true;
}

static bool
parse_time(struct span text, int64_t *number_r)
{
	usec_t time;

	if (!usec_parse(text, &time))
		return false;
	*number_r = (int64_t)(time / USEC_SEC);
	return true;
}

static const struct {
	bool (*parse)(struct span text, int64_t *number_r);
	const char *expected;
} units[] = {
    [UNIT_NONE] = {parse_plain, "a whole number"},
    [UNIT_SIZE] = {parse_size,
	"a size: a whole number and K, M, G or nothing, as in 10M"},
    [UNIT_TIME] = {parse_time,
	"a time: a whole number and s, m, h, d or w, as in 2d"},
    [UNIT_HOUR] = {parse_hour, "an hour from 0 to 23"},
    [UNIT_WEEKDAY] = {parse_weekday,
	"a day: mon, tue, wed, thu, fri, sat or sun"},
};

static bool
add_number(
    struct parser *parser, struct test *test, struct span text, size_t offset)
{
	enum field_unit unit = test->field->unit;
	STR_AUTO hint = NULL;
	int64_t number;

	if (!units[unit].parse(text, &number)) {
		hint = foreign_number_hint(unit, text);
		return source_error(parser->source, offset, hint,
		    "`%s` is compared with %s, not with `%.*s`",
		    test->field->name, units[unit].expected, SPAN_FMT(text));
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
fail_word(struct parser *parser, const struct test *test, struct span text,
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
check_text(struct parser *parser, const struct test *test, struct span text,
    size_t offset)
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
add_text(
    struct parser *parser, struct test *test, struct span text, size_t offset)
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
add_list_file(
    struct parser *parser, struct test *test, struct span path, size_t offset)
{
	if (path.len == 0 || path.data[0] != '/')
		return source_error(parser->source, offset, NULL,
		    "the file of a list needs a path that begins with /, as "
		    "in @file:/etc/belfry/vip");
	test_add_operand(test)->members = lists_add(parser->lists, path, true);
	return true;
}

static bool
add_list(
    struct parser *parser, struct test *test, struct span text, size_t offset)
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
warn_bare(struct parser *parser, struct span text, size_t offset)
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
check_bare(struct parser *parser, const struct test *test, struct span text,
    size_t offset)
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

/* As source_place, but a long line is counted once and not for each of its
 * values. */
static struct rule_place
place_of(struct parser *parser, size_t offset)
{
	struct rule_place place = parser->source->place;

	if (offset < parser->known)
		parser->known = parser->count = 0;
	parser->count += utf8_count(span_slice(
	    parser->source->text, parser->known, offset - parser->known));
	parser->known = offset;
	place.column += (unsigned)parser->count;
	return place;
}

static bool
add_operand(
    struct parser *parser, struct test *test, struct span text, size_t offset)
{
	if (test->op == OP_IN)
		return add_list(parser, test, text, offset);
	if (test->field->type == FIELD_NUMBER)
		return add_number(parser, test, text, offset);
	return add_text(parser, test, text, offset);
}

static bool
parse_operand(struct parser *parser, struct test *test)
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
	added->place = place_of(parser, offset);
	added->is_quoted = is_quoted;
	return true;
}

static bool
parse_operands(struct parser *parser, struct test *test)
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

static bool
parse_pattern(struct parser *parser, struct test *test)
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
	test->pattern_place = place_of(parser, lexed.offset);
	buf_done(&lexed.text);
	return test->pattern != NULL;
}

/* Tests. */

static bool
is_end_of_test(struct parser *parser)
{
	struct cond_lexer peek = parser->lexer;

	return lexer_is_at_end(&peek) || lexer_take(&peek, ')') ||
	       lexer_take_word(&peek, "and") || lexer_take_word(&peek, "or");
}

static bool
is_operator_next(struct parser *parser, const char *name)
{
	if (char_is_alpha(name[0]))
		return lexer_take_word(&parser->lexer, name);
	if (!span_starts(lexer_peek(&parser->lexer), name))
		return false;
	parser->lexer.pos += strlen(name);
	return true;
}

static const char *
expected_operators(const struct field *field)
{
	switch (field->type) {
	case FIELD_FACT:
		return "it is true or false and stands alone";
	case FIELD_NUMBER:
		return "it is a number: is, >, >=, < or <=";
	default:
		return "it is text: ~, !~, is, has or in";
	}
}

static unsigned
class_of(const struct field *field)
{
	switch (field->type) {
	case FIELD_FACT:
		return 0;
	case FIELD_NUMBER:
		return ON_NUMBER;
	default:
		return ON_TEXT;
	}
}

/* Signs end where a value begins: "=x" is a "=". */
static struct span
peek_operator(const struct parser *parser)
{
	struct span word = lexer_peek(&parser->lexer);
	size_t len = 0;

	while (len < word.len && strchr("=~!<>:&|", word.data[len]) != NULL)
		len++;
	if (len == 0 && word.len > 0 && strchr(",;#", word.data[0]) != NULL)
		len = 1;
	return len > 0 ? span_slice(word, 0, len) : word;
}

static const char *
operator_hint(const struct field *field, struct span word)
{
	const char *hint = foreign_hint(FOREIGN_OPERATOR, word);

	if (hint == NULL && field->type == FIELD_NUMBER && word.len > 0 &&
	    char_is_digit(word.data[0]))
		hint = "write an operator before the number, as in: size > 5M";
	return hint;
}

static bool
fail_operator(struct parser *parser, const struct field *field)
{
	struct span word = peek_operator(parser);
	const char *hint = operator_hint(field, word);

	if (field->type == FIELD_FACT)
		return source_error(parser->source, parser->lexer.pos, hint,
		    "`and`, `or` or the end of the line is expected here, not "
		    "`%.*s`: `%s` stands alone",
		    SPAN_FMT(word), field->name);
	if (hint != NULL)
		return source_error(parser->source, parser->lexer.pos, hint,
		    "unknown operator `%.*s`", SPAN_FMT(word));
	return source_error_near(parser->source, parser->lexer.pos, word,
	    operator_words, "unknown operator `%.*s` after `%s`; %s",
	    SPAN_FMT(word), field->name, expected_operators(field));
}

static const char *
misplaced_hint(const struct field *field, enum op op)
{
	if (strcmp(field->name, "attachment") == 0 && op != OP_IS)
		return "write `attachment.name` or `attachment.type`";
	if (field->type == FIELD_FACT)
		return "write it alone, or with `not` before it";
	if (field->type == FIELD_NUMBER && op == OP_IN)
		return "write `is`";
	return NULL;
}

static bool
parse_operator(struct parser *parser, struct test *test)
{
	size_t offset = parser->lexer.pos;

	for (size_t i = 0; i < OPERATOR_COUNT; i++) {
		if (!is_operator_next(parser, operators[i].name))
			continue;
		if ((operators[i].on & class_of(test->field)) == 0)
			return source_error(parser->source, offset,
			    misplaced_hint(test->field, operators[i].op),
			    "`%s` cannot be asked of `%s`; %s",
			    operators[i].name, test->field->name,
			    expected_operators(test->field));
		test->op = operators[i].op;
		return true;
	}
	return fail_operator(parser, test->field);
}

static bool
parse_comparison(struct parser *parser, struct test *test)
{
	lexer_skip_blanks(&parser->lexer);
	test->op = OP_EXISTS;
	if (is_end_of_test(parser))
		return true;
	if (!parse_operator(parser, test))
		return false;
	if (test->op == OP_MATCH || test->op == OP_NOT_MATCH)
		return parse_pattern(parser, test);
	return parse_operands(parser, test);
}

/* "from.name" is no row of the table: the row is "from". */
static const struct field *
find_with_part(struct span name, enum address_part *part_r)
{
	const struct field *field = field_find(name);
	size_t dot = span_find(name, '.');

	*part_r = PART_ADDR;
	if (field != NULL || dot == SIZE_MAX)
		return field;
	field = field_find(span_slice(name, 0, dot));
	if (field == NULL || field->type != FIELD_ADDRESS ||
	    !address_part_find(span_skip(name, dot + 1), part_r))
		return NULL;
	return field;
}

static bool
fail_unknown(const struct source *source, const struct lexed_field *lexed,
    const char *hint)
{
	bool is_near = str_nearest(lexed->name, field_names(false)) != NULL;
	STR_AUTO by_header = NULL;

	if (hint == NULL && !is_near && lexed->offset > 0) {
		hint = "each test begins with a field, as in: from is a, b; "
		       "a value that has ` and ` or ` or ` in it must be in "
		       "double quotes";
	} else if (hint == NULL && !is_near) {
		by_header =
		    xasprintf("if it is a header field, write header(%.*s)",
			SPAN_FMT(lexed->name));
		hint = by_header;
	}
	if (hint != NULL)
		return source_error(source, lexed->offset, hint,
		    "unknown field `%.*s`", SPAN_FMT(lexed->name));
	return source_error_near(source, lexed->offset, lexed->name,
	    field_names(false), "unknown field `%.*s`", SPAN_FMT(lexed->name));
}

static bool
fail_field(const struct source *source, const struct lexed_field *lexed)
{
	const char *hint = foreign_hint(FOREIGN_FIELD, lexed->name);

	if (span_is_nocase(lexed->name, "and") ||
	    span_is_nocase(lexed->name, "or"))
		return source_error(source, lexed->offset, NULL,
		    "a condition is expected here, not `%.*s`",
		    SPAN_FMT(lexed->name));
	if (span_is(lexed->name, "headers") && lexed->argument.data != NULL)
		hint = "write `header`";
	return fail_unknown(source, lexed, hint);
}

/* header :contains "subject" "x" */
static bool
is_sieve_next(struct parser *parser)
{
	lexer_skip_blanks(&parser->lexer);
	return span_starts(lexer_peek(&parser->lexer), ":");
}

static bool
check_field(struct parser *parser, const struct lexed_field *lexed,
    const struct field *field)
{
	const struct source *source = parser->source;

	if (field == NULL || field->is_variable_only)
		return fail_field(source, lexed);
	if (field->has_argument && lexed->argument.data == NULL)
		return source_error(source, lexed->offset,
		    is_sieve_next(parser)
			? "a test of Sieve is written as in: subject has "
			  "invoice"
			: NULL,
		    "`%s` needs the header's name, as in %s(X-Spam)",
		    field->name, field->name);
	if (!field->has_argument && lexed->argument.data != NULL)
		return source_error(source, lexed->argument_offset - 1, NULL,
		    "`%s` takes no name in parentheses", field->name);
	if (lexed->argument.data != NULL &&
	    strchr("\"'", lexed->argument.data[0]) != NULL)
		source_warn(source, lexed->argument_offset, "leave them out",
		    "the quotes are a part of the header's name");
	return true;
}

/* What cannot begin a field, and what is meant. */
static const struct {
	const char *text, *hint;
} starts[] = {
    {"!", "write `not` before it"},
    {"* ^", "a recipe of procmail is written as in: subject ~ /invoice/"},
    {"*", "write `all` for every message"},
    {"^", "write the field first, as in: subject ~ /^invoice/"},
    {"/", "write the field first, as in: subject ~ /invoice/"},
    {"$", "fields have no `$`"},
    {"\"", "write the field first, as in: subject is \"a and b\""},
    {"anyof(", "join conditions by `or`"},
    {"allof(", "join conditions by `and`"},
};

static bool
check_start(struct parser *parser)
{
	struct span rest = span_skip(parser->source->text, parser->lexer.pos);

	for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++)
		if (span_starts(rest, starts[i].text))
			return source_error(parser->source, parser->lexer.pos,
			    starts[i].hint,
			    "a field is expected here, as in: from is "
			    "ann@example.org");
	return true;
}

static bool
parse_field(struct parser *parser, struct test *test)
{
	const struct field *field;
	struct lexed_field lexed;
	enum address_part part;

	if (!check_start(parser) || !lexer_field(&parser->lexer, &lexed))
		return false;
	field = find_with_part(lexed.name, &part);
	if (!check_field(parser, &lexed, field))
		return false;
	test->field = field;
	test->part = part;
	test->slot = slots_add(parser->slots, field, part, lexed.argument);
	return true;
}

static void
keep_text(struct parser *parser, struct cond *cond, size_t start)
{
	struct span text =
	    span_slice(parser->source->text, start, parser->lexer.pos - start);

	cond->text = xstrdup_span(span_trim(text));
}

static struct cond *
parse_test(struct parser *parser)
{
	struct cond *cond = cond_new(COND_TEST);
	size_t start = parser->lexer.pos;

	/* Before its values: counting goes forward. */
	cond->place = place_of(parser, start);
	if (!parse_field(parser, &cond->test) ||
	    !parse_comparison(parser, &cond->test))
		cond_free(&cond);
	else
		keep_text(parser, cond, start);
	return cond;
}

static struct cond *
parse_all(struct parser *parser)
{
	struct cond *cond = cond_new(COND_ALL);

	cond->place = place_of(parser, parser->lexer.pos - strlen("all"));
	keep_text(parser, cond, parser->lexer.pos - strlen("all"));
	return cond;
}

/* The expression. */

static bool
go_deeper(struct parser *parser, size_t offset)
{
	if (++parser->depth <= RULE_NESTING_MAX)
		return true;
	return source_error(parser->source, offset, NULL,
	    "parentheses and `not` are nested more than %d deep",
	    RULE_NESTING_MAX);
}

static struct cond *
parse_group(struct parser *parser)
{
	size_t start = parser->lexer.pos - 1;
	struct cond *cond;

	if (!go_deeper(parser, start))
		return NULL;
	parser->lexer.open++;
	cond = parse_or(parser);
	parser->lexer.open--;
	parser->depth--;
	if (cond == NULL)
		return NULL;
	lexer_skip_blanks(&parser->lexer);
	if (!lexer_take(&parser->lexer, ')')) {
		if (lexer_is_at_end(&parser->lexer))
			source_error(parser->source, start, NULL,
			    "this parenthesis is not closed");
		else
			source_error(parser->source, parser->lexer.pos, NULL,
			    "`and`, `or` or `)` is expected here");
		cond_free(&cond);
	}
	return cond;
}

static struct cond *parse_unary(struct parser *parser);

static struct cond *
parse_not(struct parser *parser)
{
	struct cond *cond, *kid;

	if (!go_deeper(parser, parser->lexer.pos - strlen("not")))
		return NULL;
	kid = parse_unary(parser);
	parser->depth--;
	if (kid == NULL)
		return NULL;
	cond = cond_new(COND_NOT);
	cond_add(cond, kid);
	return cond;
}

static struct cond *
parse_unary(struct parser *parser)
{
	lexer_skip_blanks(&parser->lexer);
	if (lexer_take_word(&parser->lexer, "not"))
		return parse_not(parser);
	if (lexer_take(&parser->lexer, '('))
		return parse_group(parser);
	if (lexer_take_word(&parser->lexer, "all"))
		return parse_all(parser);
	return parse_test(parser);
}

/* One or more of `next`, joined by `word`. */
static struct cond *
parse_chain(struct parser *parser, enum cond_kind kind, const char *word,
    struct cond *(*next)(struct parser *))
{
	struct cond *first = next(parser), *chain = NULL;

	while (first != NULL) {
		struct cond *kid;

		lexer_skip_blanks(&parser->lexer);
		if (!lexer_take_word(&parser->lexer, word))
			break;
		if (chain == NULL) {
			chain = cond_new(kind);
			cond_add(chain, first);
			first = chain;
		}
		kid = next(parser);
		if (kid == NULL)
			cond_free(&first);
		else
			cond_add(chain, kid);
	}
	return first;
}

static struct cond *
parse_and(struct parser *parser)
{
	return parse_chain(parser, COND_AND, "and", parse_unary);
}

static struct cond *
parse_or(struct parser *parser)
{
	return parse_chain(parser, COND_OR, "or", parse_and);
}

static bool
check_end(struct parser *parser)
{
	struct cond_lexer *lexer = &parser->lexer;
	struct span rest;
	const char *hint;

	lexer_skip_blanks(lexer);
	if (lexer_is_at_end(lexer))
		return true;
	rest = lexer_peek(lexer);
	if (rest.data[0] == ')')
		return source_error(parser->source, lexer->pos, NULL,
		    "no parenthesis is open here");
	hint = rest.data[0] == '#' || rest.data[0] == ';'
		   ? "a comment needs a line of its own"
		   : foreign_hint(FOREIGN_OPERATOR, rest);
	return source_error(parser->source, lexer->pos, hint,
	    "`and`, `or` or the end of the line is expected here, not `%.*s`",
	    SPAN_FMT(rest));
}

struct cond *
cond_parse(
    const struct source *source, struct slots *slots, struct lists *lists)
{
	struct parser parser = {.lexer = {.source = source},
	    .source = source,
	    .slots = slots,
	    .lists = lists};
	struct cond *cond;

	if (!utf8_is_valid(source->text)) {
		source_error(source, 0, NULL, "this is not valid UTF-8");
		return NULL;
	}
	lexer_skip_blanks(&parser.lexer);
	if (lexer_is_at_end(&parser.lexer)) {
		source_error(source, 0, NULL,
		    "a condition is expected; for every message write `all`");
		return NULL;
	}
	cond = parse_or(&parser);
	if (cond != NULL && !check_end(&parser))
		cond_free(&cond);
	return cond;
}
