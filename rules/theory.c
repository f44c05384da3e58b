#include "rules/theory.h"

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "rules/pattern_text.h"

static enum certainty
certainty_of(bool holds)
{
	return holds ? CERTAIN_YES : CERTAIN_NO;
}

static bool
is_field(const struct test *test, const char *name)
{
	return strcmp(test->field->name, name) == 0;
}

static bool
is_address_part(const struct test *test, enum address_part part)
{
	return test->field->type == FIELD_ADDRESS && test->part == part;
}

static bool
is_ascii(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] >= 0x80)
			return false;
	return true;
}

/* One value. */

/* The library of patterns knows more cases of letters than we do. */
static enum certainty
operand_value(
    const struct test *test, const struct operand *operand, struct span value)
{
	struct span text = span_from_str(operand->text);
	bool holds = test->op == OP_IS ? span_equal_nocase(value, text)
				       : span_contains_nocase(value, text);

	if (!is_ascii(value) && (!holds || is_ascii(text)))
		return CERTAIN_NOT_KNOWN;
	if (!holds && !is_ascii(text))
		return CERTAIN_NOT_KNOWN;
	return certainty_of(holds);
}

static enum certainty
any_operand_value(const struct test *test, struct span value)
{
	enum certainty all = CERTAIN_NO;

	for (size_t i = 0; i < test->operand_count; i++) {
		enum certainty one =
		    operand_value(test, &test->operands[i], value);

		if (one == CERTAIN_YES)
			return one;
		if (one == CERTAIN_NOT_KNOWN)
			all = one;
	}
	return all;
}

static bool
is_from_file(const struct theory *theory, const struct members *members)
{
	const struct lists *lists = &theory->rules->lists;

	for (size_t i = 0; i < lists->count; i++)
		if (lists->items[i].members == members)
			return lists->items[i].is_file;
	return true;
}

/* Files change. */
static enum certainty
in_lists(
    const struct theory *theory, const struct test *test, struct span value)
{
	enum certainty all = CERTAIN_NO;

	for (size_t i = 0; i < test->operand_count; i++) {
		const struct members *members = test->operands[i].members;

		if (is_from_file(theory, members) || !is_ascii(value))
			all = CERTAIN_NOT_KNOWN;
		else if (members_has(members, value, test->part == PART_DOMAIN))
			return CERTAIN_YES;
	}
	return all;
}

static enum certainty
matches(const struct theory *theory, const struct test *test, struct span value)
{
	const struct pattern_source source = {
	    test->pattern, test->pattern_text, test->pattern_flags};

	if (!is_ascii(value) || !pattern_text_ignores_case(&source))
		return CERTAIN_NOT_KNOWN;
	switch (pattern_match(test->pattern, theory->room, value)) {
	case PATTERN_YES:
		return CERTAIN_YES;
	case PATTERN_NO:
		return CERTAIN_NO;
	case PATTERN_LIMIT:
		break;
	}
	return CERTAIN_NOT_KNOWN;
}

enum certainty
theory_value(
    const struct theory *theory, const struct test *test, struct span value)
{
	switch (test->op) {
	case OP_EXISTS:
		return certainty_of(span_trim(value).len > 0);
	case OP_IS:
	case OP_HAS:
		return any_operand_value(test, value);
	case OP_IN:
		return in_lists(theory, test, value);
	case OP_MATCH:
	case OP_NOT_MATCH:
		return matches(theory, test, value);
	default:
		return CERTAIN_NOT_KNOWN;
	}
}

/* Numbers. */

static struct number_set
all_numbers(const struct field *field)
{
	bool has_none = field->presence == FIELD_MAYBE;

	switch (field->unit) {
	case UNIT_HOUR:
		return number_set_range(0, 23, has_none);
	case UNIT_WEEKDAY:
		return number_set_range(1, 7, has_none);
	case UNIT_TIME: /* clocks differ: it may be yet to come */
		return number_set_range(INT64_MIN, INT64_MAX, has_none);
	default:
		return number_set_range(0, INT64_MAX, has_none);
	}
}

static bool
add_numbers(struct number_set *set, const struct test *test)
{
	for (size_t i = 0; i < test->operand_count; i++)
		if (!number_set_add(set, test->operands[i].number,
			test->operands[i].number))
			return false;
	return true;
}

static bool
numbers_of(const struct test *test, struct number_set *set)
{
	int64_t n = test->operand_count > 0 ? test->operands[0].number : 0;

	switch (test->op) {
	case OP_EXISTS:
		return number_set_add(set, INT64_MIN, INT64_MAX);
	case OP_GREATER:
		return n == INT64_MAX || number_set_add(set, n + 1, INT64_MAX);
	case OP_GREATER_EQUAL:
		return number_set_add(set, n, INT64_MAX);
	case OP_LESS:
		return n == INT64_MIN || number_set_add(set, INT64_MIN, n - 1);
	case OP_LESS_EQUAL:
		return number_set_add(set, INT64_MIN, n);
	default:
		return add_numbers(set, test);
	}
}

bool
theory_numbers(const struct test *test, struct number_set *all_r,
    struct number_set *passing_r)
{
	struct number_set all, passing = {0};

	if (test->field->type != FIELD_NUMBER ||
	    test->field->presence == FIELD_MANY)
		return false;
	all = all_numbers(test->field);
	if (!numbers_of(test, &passing) ||
	    !number_set_intersect(&passing, &all))
		return false;
	*all_r = all;
	*passing_r = passing;
	return true;
}

/* One test alone. */

/* Mail text is cleaned of these before it is compared. */
static bool
has_clean_values(const struct test *test)
{
	return test->field->type == FIELD_ADDRESS ||
	       is_field(test, "subject") || is_field(test, "list-id") ||
	       is_field(test, "header") || is_field(test, "any-header");
}

static const char *
operand_of_domain(const struct test *test, struct span text, char **hint_r)
{
	size_t at = span_find(text, '@');

	if (at == SIZE_MAX || text.data[0] == '[')
		return NULL;
	if (at == 0 && text.len > 1)
		*hint_r = xasprintf(
		    "leave out the `@`: %.*s", SPAN_FMT(span_skip(text, 1)));
	else if (at > 0 && at + 1 < text.len)
		*hint_r = xasprintf("for one address, write `%s is %.*s`",
		    test->field->name, SPAN_FMT(text));
	return "a domain has no `@` in it";
}

static const char *
operand_of_account(const struct theory *theory, struct span text, char **hint_r)
{
	const char *near;

	if (theory->accounts->len == 0 ||
	    strv_has_nocase(theory->accounts, text))
		return NULL;
	near = str_nearest(text, (const char *const *)theory->accounts->items);
	if (near != NULL)
		*hint_r = xasprintf("did you mean `%s`?", near);
	return "there is no account of this name";
}

static const char *
operand_of_keyword(struct span text, char **hint_r)
{
	if (text.len > 0 && text.data[0] == '\\') {
		*hint_r = xstrdup("for these, write `flag is read` or the "
				  "like");
		return "no keyword begins with a backslash";
	}
	return span_find(text, ' ') != SIZE_MAX ? "no keyword has a blank"
						: NULL;
}

static const char *
operand_of_auto_submitted(struct span text, char **hint_r)
{
	if (!span_is_nocase(text, "no"))
		return NULL;
	*hint_r = xstrdup("write `not auto-submitted`");
	return "`no` counts as if the field were missing";
}

const char *
theory_operand(const struct theory *theory, const struct test *test,
    const struct operand *operand, char **hint_r)
{
	struct span text = span_from_str(operand->text);

	*hint_r = NULL;
	if (operand->text == NULL || (test->op != OP_IS && test->op != OP_HAS))
		return NULL;
	if (is_address_part(test, PART_DOMAIN) && !operand->is_quoted)
		return operand_of_domain(test, text, hint_r);
	if (test->op != OP_IS)
		return NULL;
	if (is_field(test, "account"))
		return operand_of_account(theory, text, hint_r);
	if (is_field(test, "keyword"))
		return operand_of_keyword(text, hint_r);
	if (is_field(test, "auto-submitted"))
		return operand_of_auto_submitted(text, hint_r);
	return NULL;
}

/* All values are impossible; the first says why. */
static bool
has_no_operand(const struct theory *theory, struct expr_node *node)
{
	const struct test *test = &node->cond->test;

	for (size_t i = test->operand_count; i-- > 0;) {
		STR_AUTO hint = NULL;
		const char *reason =
		    theory_operand(theory, test, &test->operands[i], &hint);

		if (reason == NULL)
			return false;
		if (i > 0)
			continue;
		node->reason = reason;
		node->place = test->operands[i].place;
		node->hint = hint;
		hint = NULL;
	}
	return test->operand_count > 0;
}

static bool
has_no_member(const struct theory *theory, struct expr_node *node)
{
	const struct test *test = &node->cond->test;
	bool is_domain = is_address_part(test, PART_DOMAIN);
	bool any = false;

	for (size_t i = 0; i < test->operand_count; i++) {
		const struct members *members = test->operands[i].members;

		if (is_from_file(theory, members) || members->domains.len > 0)
			return false;
		for (size_t j = 0; j < members->exact.len; j++) {
			if (!is_domain ||
			    strchr(members->exact.items[j], '@') == NULL ||
			    members->exact.items[j][0] == '[')
				return false;
			any = true;
		}
	}
	node->reason = any ? "the list has only addresses, which are no domains"
			   : "the list has no members";
	node->place = test->operands[0].place;
	if (any)
		node->hint = xasprintf(
		    "to compare addresses, write `%s in`", test->field->name);
	return true;
}

/* `flag` has one of a few words. */
static bool
has_no_word(const struct theory *theory, struct expr_node *node)
{
	const struct test *test = &node->cond->test;

	if (!is_field(test, "flag"))
		return false;
	for (size_t i = 0; test->field->words[i] != NULL; i++)
		if (theory_value(theory, test,
			span_from_str(test->field->words[i])) != CERTAIN_NO)
			return false;
	node->reason =
	    "there are only read, flagged, answered, draft and deleted";
	return true;
}

/* The account's name is one of a few, too. */
static bool
has_no_account(const struct theory *theory, struct expr_node *node)
{
	const struct test *test = &node->cond->test;

	if (!is_field(test, "account") || theory->accounts->len == 0)
		return false;
	for (size_t i = 0; i < theory->accounts->len; i++)
		if (theory_value(theory, test,
			span_from_str(theory->accounts->items[i])) !=
		    CERTAIN_NO)
			return false;
	node->reason = "no account has such a name";
	return true;
}

static bool
is_dead_pattern(struct expr_node *node)
{
	const struct test *test = &node->cond->test;
	const struct pattern_source source = {
	    test->pattern, test->pattern_text, test->pattern_flags};
	size_t offset = 0;

	node->place = test->pattern_place;
	if (has_clean_values(test) && (pattern_text_needs(&source, '\n') ||
					  pattern_text_needs(&source, '\r') ||
					  pattern_text_needs(&source, '\t'))) {
		node->reason = "text of a header has no line ends and no tabs "
			       "when it is compared";
		node->hint = xstrdup("for any blank, write `\\s`");
		return true;
	}
	if (is_address_part(test, PART_DOMAIN) &&
	    pattern_text_needs(&source, '@')) {
		node->reason = "a domain has no `@` in it";
		return true;
	}
	if (!pattern_text_is_dead(&source, &offset))
		return false;
	node->place.column += (unsigned)offset;
	node->reason = test->pattern_text[offset] == '$'
			   ? "something stands behind the `$`, which is the "
			     "end of the text"
			   : "something stands before the `^`, which is the "
			     "beginning of the text";
	node->hint = xasprintf("for the character itself, write `\\%c`",
	    test->pattern_text[offset]);
	return true;
}

static bool
is_pattern_for_all(const struct theory *theory, struct expr_node *node)
{
	const struct test *test = &node->cond->test;
	const struct pattern_source source = {
	    test->pattern, test->pattern_text, test->pattern_flags};

	if (test->field->presence != FIELD_ONE ||
	    !pattern_text_matches_all(&source, theory->room))
		return false;
	node->reason = "the pattern matches every text";
	return true;
}

static const char *
number_reason(const struct field *field)
{
	switch (field->unit) {
	case UNIT_HOUR:
		return "hours go from 0 to 23";
	case UNIT_WEEKDAY:
		return "days go from mon to sun";
	default:
		return "no message has less than 0";
	}
}

static enum certainty
number_alone(struct expr_node *node)
{
	const struct test *test = &node->cond->test;
	struct number_set all, passing;

	if (!theory_numbers(test, &all, &passing))
		return CERTAIN_NOT_KNOWN;
	node->reason = test->op == OP_EXISTS ? "every message has this"
					     : number_reason(test->field);
	if (number_set_is_empty(&passing))
		return CERTAIN_NO;
	return number_set_is_within(&all, &passing) ? CERTAIN_YES
						    : CERTAIN_NOT_KNOWN;
}

static enum certainty
text_alone(const struct theory *theory, struct expr_node *node)
{
	const struct test *test = &node->cond->test;

	if (test->field->type == FIELD_FACT)
		return CERTAIN_NOT_KNOWN;
	if (test->op == OP_EXISTS) {
		node->reason = "every message has this";
		return test->field->presence == FIELD_ONE ? CERTAIN_YES
							  : CERTAIN_NOT_KNOWN;
	}
	if (test->op == OP_IN)
		return has_no_member(theory, node) ? CERTAIN_NO
						   : CERTAIN_NOT_KNOWN;
	if (test->pattern != NULL) {
		if (is_pattern_for_all(theory, node))
			return CERTAIN_YES;
		if (is_dead_pattern(node))
			return CERTAIN_NO;
	} else if (has_no_operand(theory, node)) {
		return CERTAIN_NO;
	}
	node->place = node->cond->place;
	if (has_no_word(theory, node) || has_no_account(theory, node))
		return CERTAIN_NO;
	return CERTAIN_NOT_KNOWN;
}

enum certainty
theory_alone(const struct theory *theory, struct expr_node *node)
{
	if (node->cond == NULL || node->is_judged)
		return node->alone;
	node->is_judged = true;
	node->place = node->cond->place;
	node->alone = node->cond->test.field->type == FIELD_NUMBER
			  ? number_alone(node)
			  : text_alone(theory, node);
	return node->alone;
}

/* Two tests. */

/* Every value of a's slot is one of b's, in the same form. */
static bool
is_same_slot(const struct test *a, const struct test *b)
{
	if (a->slot == b->slot)
		return true;
	return is_field(b, "rcpt") && a->part == b->part &&
	       (is_field(a, "to") || is_field(a, "cc") || is_field(a, "bcc"));
}

/* local-part "@" domain without anything that an address could hide in. */
static bool
is_plain_address(struct span text, size_t *at_r)
{
	size_t at = span_find(text, '@');

	if (at == SIZE_MAX || at == 0 || at + 1 >= text.len)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (i != at && !char_is_alnum(text.data[i]) &&
		    text.data[i] != '-' &&
		    (text.data[i] != '.' || i == 0 || i + 1 == text.len))
			return false;
	*at_r = at;
	return true;
}

/* What `from is ann@example.org` says of from.user and from.domain. */
static bool
part_of_operand(const struct test *a, const struct operand *operand,
    const struct test *b, struct span *part_r)
{
	struct span text = span_from_str(operand->text);
	size_t at;

	if (a->part == b->part) {
		*part_r = text;
		return true;
	}
	if (a->part != PART_ADDR || !is_plain_address(text, &at))
		return false;
	if (b->part == PART_DOMAIN)
		*part_r = span_skip(text, at + 1);
	else if (b->part == PART_USER)
		*part_r = span_slice(text, 0, at);
	else
		return false;
	return true;
}

static bool
is_same_field(const struct test *a, const struct test *b)
{
	if (is_same_slot(a, b))
		return true;
	if (a->field->type != FIELD_ADDRESS || b->field->type != FIELD_ADDRESS)
		return false;
	return a->field == b->field ||
	       (is_field(b, "rcpt") &&
		   (is_field(a, "to") || is_field(a, "cc") ||
		       is_field(a, "bcc")));
}

/* a is `is`: each of its values passes b. */
static bool
is_implies(
    const struct theory *theory, const struct test *a, const struct test *b)
{
	if (a->field->type == FIELD_NUMBER || !is_same_field(a, b))
		return false;
	for (size_t i = 0; i < a->operand_count; i++) {
		struct span value;

		if (!part_of_operand(a, &a->operands[i], b, &value) ||
		    theory_value(theory, b, value) != CERTAIN_YES)
			return false;
	}
	return a->operand_count > 0;
}

/* a is `has`: whatever contains its text passes b. */
static bool
has_implies(const struct test *a, const struct test *b)
{
	struct span text = span_from_str(a->operands[0].text);

	if (!is_same_slot(a, b))
		return false;
	if (b->op == OP_EXISTS)
		return span_trim(text).len > 0;
	return b->op == OP_HAS &&
	       is_ascii(text) == is_ascii(span_from_str(b->operands[0].text)) &&
	       span_contains_nocase(text, span_from_str(b->operands[0].text));
}

/* a is `in`: its lists are among b's. */
static bool
in_implies(const struct test *a, const struct test *b)
{
	if (!is_same_slot(a, b))
		return false;
	if (b->op == OP_EXISTS)
		return true;
	if (b->op != OP_IN)
		return false;
	for (size_t i = 0; i < a->operand_count; i++) {
		bool found = false;

		for (size_t j = 0; j < b->operand_count && !found; j++)
			found =
			    a->operands[i].members == b->operands[j].members;
		if (!found)
			return false;
	}
	return true;
}

static bool
number_implies(const struct test *a, const struct test *b)
{
	struct number_set all, one, two;

	return a->slot == b->slot && theory_numbers(a, &all, &one) &&
	       theory_numbers(b, &all, &two) &&
	       number_set_is_within(&one, &two);
}

/* The header that a test asks for makes mail bulk. */
static bool
makes_bulk(const struct theory *theory, const struct test *test)
{
	static const char *const names[] = {
	    "List-Id", "List-Post", "List-Unsubscribe"};
	const struct slot *slot = &theory->rules->slots.items[test->slot];

	if (is_field(test, "list-id"))
		return true;
	if (!is_field(test, "header") && !is_field(test, "raw"))
		return false;
	for (size_t i = 0; i < 3; i++)
		if (span_is_nocase(span_from_str(slot->argument), names[i]))
			return true;
	return false;
}

/* Only a message with an attachment has what the test asks for. */
static bool
needs_attachment(const struct test *test)
{
	const struct number_set some = number_set_range(1, INT64_MAX, false);
	struct number_set all, passing;

	if (is_field(test, "attachment.count"))
		return theory_numbers(test, &all, &passing) &&
		       number_set_is_within(&passing, &some);
	return is_field(test, "attachment.name") ||
	       is_field(test, "attachment.type") ||
	       is_field(test, "attachment.size");
}

bool
theory_implies(
    const struct theory *theory, const struct test *a, const struct test *b)
{
	if (is_field(b, "bulk"))
		return makes_bulk(theory, a);
	if (is_field(b, "attachment"))
		return needs_attachment(a);
	if (a->field->type == FIELD_NUMBER || b->field->type == FIELD_NUMBER)
		return number_implies(a, b);
	switch (a->op) {
	case OP_IS:
		return is_implies(theory, a, b);
	case OP_HAS:
		return has_implies(a, b);
	case OP_IN:
		return in_implies(a, b);
	case OP_MATCH:
	case OP_NOT_MATCH:
		/* The same pattern on more addresses. */
		return a->slot != b->slot && is_same_slot(a, b) &&
		       b->pattern != NULL &&
		       a->pattern_flags == b->pattern_flags &&
		       strcmp(a->pattern_text, b->pattern_text) == 0;
	default:
		return a->op == OP_EXISTS && b->op == OP_EXISTS &&
		       a->field->type == FIELD_ADDRESS && is_same_slot(a, b);
	}
}

/* a is `is`, and no value of it passes b. */
static bool
is_excludes(
    const struct theory *theory, const struct test *a, const struct test *b)
{
	if (a->op != OP_IS)
		return false;
	for (size_t i = 0; i < a->operand_count; i++)
		if (theory_value(theory, b,
			span_from_str(a->operands[i].text)) != CERTAIN_NO)
			return false;
	return a->operand_count > 0;
}

bool
theory_excludes(
    const struct theory *theory, const struct test *a, const struct test *b)
{
	struct number_set all, one, two;

	if (a->slot != b->slot || a->field->presence == FIELD_MANY)
		return false;
	if (theory_numbers(a, &all, &one) && theory_numbers(b, &all, &two))
		return number_set_intersect(&one, &two) &&
		       number_set_is_empty(&one);
	if (a->field->type == FIELD_NUMBER)
		return false;
	return is_excludes(theory, a, b) || is_excludes(theory, b, a);
}
