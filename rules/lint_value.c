#include "rules/lint_value.h"

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "rules/pattern_text.h"

static bool
is_field(const struct test *test, const char *name)
{
	return strcmp(test->field->name, name) == 0;
}

static bool
has_char(struct span text, char c)
{
	return span_find(text, c) != SIZE_MAX;
}

static bool
is_part(const struct test *test, enum address_part part)
{
	return test->field->type == FIELD_ADDRESS && test->part == part;
}

/* A value that a person would take for an address, and nothing compares. */
static const char *
look_at_address(const struct test *test, struct span text, char **hint_r)
{
	const char *field = test->field->name;

	if (text.len == 0)
		return NULL;
	if (text.data[0] == '@') {
		*hint_r = xasprintf("write `%s.domain is %.*s`", field,
		    SPAN_FMT(span_skip(text, 1)));
		return "no address is a domain alone";
	}
	if (span_starts(text, "*@")) {
		*hint_r = xasprintf("write `%s.domain is %.*s`", field,
		    SPAN_FMT(span_skip(text, 2)));
		return "`is` knows no `*`";
	}
	if (has_char(text, '<') ||
	    (has_char(text, '@') && has_char(text, ' '))) {
		*hint_r =
		    xasprintf("the name is another field: %s.name", field);
		return "an address is compared without its name and brackets";
	}
	if (!has_char(text, '@') && has_char(text, '.') &&
	    !has_char(text, ' ')) {
		*hint_r = xasprintf(
		    "write `%s.domain is %.*s`", field, SPAN_FMT(text));
		return "an address has an `@` in it";
	}
	return NULL;
}

static const char *
look_at_part(const struct test *test, struct span text, char **hint_r)
{
	if (is_part(test, PART_ADDR))
		return look_at_address(test, text, hint_r);
	if (is_part(test, PART_USER) && has_char(text, '@')) {
		*hint_r = xasprintf(
		    "write `%s is %.*s`", test->field->name, SPAN_FMT(text));
		return "the user is only what stands before the `@`";
	}
	if (is_part(test, PART_DETAIL) && text.len > 0 && text.data[0] == '+') {
		*hint_r = xasprintf(
		    "leave out the `+`: %.*s", SPAN_FMT(span_skip(text, 1)));
		return "the detail is what stands behind the `+`";
	}
	return NULL;
}

static const char *
look_at_glob(const struct test *test, struct span text, char **hint_r)
{
	if (is_field(test, "attachment.name"))
		*hint_r = xstrdup("write a pattern, as in: attachment.name ~ "
				  "/\\.pdf$/");
	else if (is_field(test, "attachment.type"))
		*hint_r = xasprintf("write `attachment.type has %.*s`",
		    SPAN_FMT(span_slice(text, 0, span_find(text, '*'))));
	else if (is_field(test, "mailbox"))
		*hint_r = xasprintf(
		    "write `mailboxes = %.*s`, or a pattern", SPAN_FMT(text));
	else
		return NULL;
	return "`is` knows no `*`";
}

static const char *
look_at_value(const struct test *test, struct span text, char **hint_r)
{
	if (test->field->type == FIELD_ADDRESS)
		return look_at_part(test, text, hint_r);
	if (has_char(text, '*'))
		return look_at_glob(test, text, hint_r);
	if (is_field(test, "attachment.type") && !has_char(text, '/')) {
		*hint_r = xstrdup("as in: attachment.type is "
				  "application/pdf");
		return "a type has two parts and a `/` between them";
	}
	return NULL;
}

static bool
is_list_of_bare_domains(const struct members *members)
{
	if (members->domains.len > 0 || members->exact.len == 0)
		return false;
	for (size_t i = 0; i < members->exact.len; i++)
		if (strchr(members->exact.items[i], '@') != NULL ||
		    strchr(members->exact.items[i], '.') == NULL)
			return false;
	return true;
}

/* All values are impossible: the prover says what follows. */
static bool
has_possible(const struct theory *theory, const struct test *test)
{
	for (size_t i = 0; i < test->operand_count; i++) {
		STR_AUTO hint = NULL;

		if (theory_operand(theory, test, &test->operands[i], &hint) ==
		    NULL)
			return true;
	}
	return false;
}

static const char *
look_at_operand(const struct theory *theory, const struct test *test,
    const struct operand *operand, char **hint_r)
{
	const char *text = theory_operand(theory, test, operand, hint_r);

	if (text != NULL) {
		if (has_possible(theory, test))
			return text;
		free(*hint_r);
		*hint_r = NULL;
		return NULL;
	}
	if (test->op == OP_IN && is_part(test, PART_ADDR) &&
	    is_list_of_bare_domains(operand->members)) {
		*hint_r = xasprintf("write the members as @example.org, or "
				    "`%s.domain in`",
		    test->field->name);
		return "the members of this list are no addresses";
	}
	if (test->op != OP_IS || operand->is_quoted || operand->text == NULL)
		return NULL;
	return look_at_value(test, span_from_str(operand->text), hint_r);
}

/* What matches every text, and does not look like it. */
static const char *
look_at_pattern(const struct theory *theory, const struct test *test)
{
	const struct pattern_source source = {
	    test->pattern, test->pattern_text, test->pattern_flags};

	if (test->pattern == NULL || test->field->presence == FIELD_ONE ||
	    pattern_name_count(test->pattern) > 0 ||
	    pattern_text_is_idle(&source) ||
	    !pattern_text_matches_all(&source, theory->room))
		return NULL;
	return "the pattern matches every text: nothing in it is needed";
}

bool
lint_value(const struct theory *theory, const struct test *test, size_t index,
    struct lint_value *value_r)
{
	struct lint_value value = {0};

	if (index < test->operand_count) {
		value.place = test->operands[index].place;
		value.text = look_at_operand(
		    theory, test, &test->operands[index], &value.hint);
	} else {
		value.place = test->pattern_place;
		value.text = look_at_pattern(theory, test);
	}
	if (value.text == NULL)
		return false;
	*value_r = value;
	return true;
}
