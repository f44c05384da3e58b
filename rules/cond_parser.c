#include "rules/cond_parser_private.h"

#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"
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
static struct cond *parse_or(struct cond_parser *parser);

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

struct rule_place
cond_parser_place(struct cond_parser *parser, size_t offset)
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

/* Tests. */

static bool
is_end_of_test(struct cond_parser *parser)
{
	struct cond_lexer peek = parser->lexer;

	return lexer_is_at_end(&peek) || lexer_take(&peek, ')') ||
	       lexer_take_word(&peek, "and") || lexer_take_word(&peek, "or");
}

static bool
is_operator_next(struct cond_parser *parser, const char *name)
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
peek_operator(const struct cond_parser *parser)
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
fail_operator(struct cond_parser *parser, const struct field *field)
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
parse_operator(struct cond_parser *parser, struct test *test)
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
parse_comparison(struct cond_parser *parser, struct test *test)
{
	lexer_skip_blanks(&parser->lexer);
	test->op = OP_EXISTS;
	if (is_end_of_test(parser))
		return true;
	if (!parse_operator(parser, test))
		return false;
	if (test->op == OP_MATCH || test->op == OP_NOT_MATCH)
		return cond_parse_pattern(parser, test);
	return cond_parse_operands(parser, test);
}

static void
keep_text(struct cond_parser *parser, struct cond *cond, size_t start)
{
	struct span text =
	    span_slice(parser->source->text, start, parser->lexer.pos - start);

	cond->text = xstrdup_span(span_trim(text));
}

static struct cond *
parse_test(struct cond_parser *parser)
{
	struct cond *cond = cond_new(COND_TEST);
	size_t start = parser->lexer.pos;

	/* Before its values: counting goes forward. */
	cond->place = cond_parser_place(parser, start);
	if (!cond_parse_field(parser, &cond->test) ||
	    !parse_comparison(parser, &cond->test))
		cond_free(&cond);
	else
		keep_text(parser, cond, start);
	return cond;
}

static struct cond *
parse_all(struct cond_parser *parser)
{
	struct cond *cond = cond_new(COND_ALL);

	cond->place =
	    cond_parser_place(parser, parser->lexer.pos - strlen("all"));
	keep_text(parser, cond, parser->lexer.pos - strlen("all"));
	return cond;
}

/* The expression. */

static bool
go_deeper(struct cond_parser *parser, size_t offset)
{
	if (++parser->depth <= RULE_NESTING_MAX)
		return true;
	return source_error(parser->source, offset, NULL,
	    "parentheses and `not` are nested more than %d deep",
	    RULE_NESTING_MAX);
}

static struct cond *
parse_group(struct cond_parser *parser)
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

static struct cond *parse_unary(struct cond_parser *parser);

static struct cond *
parse_not(struct cond_parser *parser)
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
parse_unary(struct cond_parser *parser)
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
parse_chain(struct cond_parser *parser, enum cond_kind kind, const char *word,
    struct cond *(*next)(struct cond_parser *))
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
parse_and(struct cond_parser *parser)
{
	return parse_chain(parser, COND_AND, "and", parse_unary);
}

static struct cond *
parse_or(struct cond_parser *parser)
{
	return parse_chain(parser, COND_OR, "or", parse_and);
}

static bool
check_end(struct cond_parser *parser)
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
	struct cond_parser parser = {.lexer = {.source = source},
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
