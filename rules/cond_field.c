#include "rules/cond_parser_private.h"

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "rules/foreign.h"

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
is_sieve_next(struct cond_parser *parser)
{
	lexer_skip_blanks(&parser->lexer);
	return span_starts(lexer_peek(&parser->lexer), ":");
}

static bool
check_field(struct cond_parser *parser, const struct lexed_field *lexed,
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
check_start(struct cond_parser *parser)
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

bool
cond_parse_field(struct cond_parser *parser, struct test *test)
{
	const struct field *field;
	struct lexed_field lexed;
	enum address_part part;

	if (!check_start(parser) || !lexer_field(&parser->lexer, &lexed))
		return false;
	field = field_find_part(lexed.name, &part);
	if (!check_field(parser, &lexed, field))
		return false;
	test->field = field;
	test->part = part;
	test->slot = slots_add(parser->slots, field, part, lexed.argument);
	return true;
}
