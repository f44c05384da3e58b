#include "rules/evaluate.h"

#include "daemon/base/str.h"

static enum verdict
verdict_of(bool holds)
{
	return holds ? VERDICT_YES : VERDICT_NO;
}

/* Comparing. */

static void
keep_captures(
    struct evaluation *evaluation, const struct test *test, struct span value)
{
	size_t count = pattern_name_count(test->pattern);

	for (size_t i = 0; test->captures != NULL && i < count; i++) {
		struct span *capture = &evaluation->captures[test->captures[i]];

		/* An earlier line has the name already. */
		if (capture->data == NULL)
			pattern_get(
			    test->pattern, evaluation->room, value, i, capture);
	}
}

static enum verdict
match_pattern(struct evaluation *evaluation, const struct test *test,
    const struct values *values)
{
	for (size_t i = 0; i < values->count; i++) {
		struct span value = values->items[i];

		/* A set capture is told from an unset one by its data. */
		if (value.data == NULL)
			value = SPAN("");
		switch (pattern_match(test->pattern, evaluation->room, value)) {
		case PATTERN_YES:
			keep_captures(evaluation, test, value);
			return VERDICT_YES;
		case PATTERN_LIMIT:
			return VERDICT_FAILED;
		case PATTERN_NO:
			break;
		}
	}
	return VERDICT_NO;
}

/* For what is not ASCII the pattern library knows the cases of letters. */
static bool
is_text_equal(struct evaluation *evaluation, const struct test *test,
    const struct operand *operand, struct span value)
{
	struct span text = span_from_str(operand->text);

	if (operand->literal != NULL)
		return pattern_match(operand->literal, evaluation->room,
			   value) == PATTERN_YES;
	if (test->op == OP_HAS)
		return span_contains_nocase(value, text);
	return span_equal_nocase(value, text);
}

static bool
is_number_in_order(const struct test *test, int64_t value, int64_t number)
{
	switch (test->op) {
	case OP_GREATER:
		return value > number;
	case OP_GREATER_EQUAL:
		return value >= number;
	case OP_LESS:
		return value < number;
	case OP_LESS_EQUAL:
		return value <= number;
	default:
		return value == number;
	}
}

static bool
is_operand_met(struct evaluation *evaluation, const struct test *test,
    const struct operand *operand, const struct values *values, size_t index)
{
	if (test->field->type == FIELD_NUMBER)
		return is_number_in_order(
		    test, values->number, operand->number);
	if (test->op == OP_IN)
		return members_has(operand->members, values->items[index],
		    test->part == PART_DOMAIN);
	return is_text_equal(evaluation, test, operand, values->items[index]);
}

/* Any value with any operand. */
static bool
is_any_operand_met(struct evaluation *evaluation, const struct test *test,
    const struct values *values)
{
	for (size_t i = 0; i < values->count; i++)
		for (size_t j = 0; j < test->operand_count; j++)
			if (is_operand_met(evaluation, test, &test->operands[j],
				values, i))
				return true;
	return false;
}

static bool
does_exist(const struct test *test, const struct values *values)
{
	if (test->field->type == FIELD_FACT)
		return values->is_true;
	for (size_t i = 0; i < values->count; i++)
		if (span_trim(values->items[i]).len > 0)
			return true;
	return false;
}

static enum verdict
evaluate_op(struct evaluation *evaluation, const struct test *test,
    const struct values *values)
{
	enum verdict verdict;

	switch (test->op) {
	case OP_EXISTS:
		return verdict_of(does_exist(test, values));
	case OP_MATCH:
		return match_pattern(evaluation, test, values);
	case OP_NOT_MATCH:
		verdict = match_pattern(evaluation, test, values);
		if (verdict == VERDICT_FAILED)
			return verdict;
		return verdict_of(verdict == VERDICT_NO);
	default:
		return verdict_of(is_any_operand_met(evaluation, test, values));
	}
}

/* The tree. */

static enum verdict
leave_open(
    struct evaluation *evaluation, const struct cond *cond, unsigned missing)
{
	evaluation->wants |= missing;
	if (cond->test.captures != NULL)
		evaluation->is_capture_open = true;
	trace_condition(evaluation->trace, cond, NULL, false);
	trace_open(evaluation->trace);
	return VERDICT_OPEN;
}

static enum verdict
evaluate_test(struct evaluation *evaluation, const struct cond *cond)
{
	unsigned missing = view_missing(evaluation->view, cond->test.slot);
	const struct values *values;
	enum verdict verdict;

	if (missing != 0)
		return leave_open(evaluation, cond, missing);
	values = view_get(evaluation->view, cond->test.slot);
	verdict = evaluate_op(evaluation, &cond->test, values);
	trace_condition(
	    evaluation->trace, cond, values, verdict == VERDICT_YES);
	return verdict;
}

static enum verdict evaluate(
    struct evaluation *evaluation, const struct cond *cond);

static enum verdict
evaluate_not(struct evaluation *evaluation, const struct cond *cond)
{
	static const enum verdict opposite[] = {
	    [VERDICT_NO] = VERDICT_YES,
	    [VERDICT_YES] = VERDICT_NO,
	    [VERDICT_FAILED] = VERDICT_FAILED,
	    [VERDICT_OPEN] = VERDICT_OPEN,
	};

	return opposite[evaluate(evaluation, cond->kids[0])];
}

static enum verdict
evaluate_and(struct evaluation *evaluation, const struct cond *cond)
{
	bool is_open = false;

	for (size_t i = 0; i < cond->kid_count; i++) {
		enum verdict verdict = evaluate(evaluation, cond->kids[i]);

		if (verdict == VERDICT_NO)
			return VERDICT_NO;
		if (verdict == VERDICT_FAILED)
			return is_open ? VERDICT_OPEN : VERDICT_FAILED;
		is_open |= verdict == VERDICT_OPEN;
	}
	return is_open ? VERDICT_OPEN : VERDICT_YES;
}

/* What it captured before it turned out not to hold is no capture. */
static enum verdict
evaluate_branch(struct evaluation *evaluation, const struct cond *cond)
{
	struct span before[RULE_CAPTURES_MAX];
	size_t size = evaluation->capture_count * sizeof(before[0]);
	enum verdict verdict;

	memcpy(before, evaluation->captures, size);
	verdict = evaluate(evaluation, cond);
	if (verdict == VERDICT_NO)
		memcpy(evaluation->captures, before, size);
	return verdict;
}

static enum verdict
evaluate_or(struct evaluation *evaluation, const struct cond *cond)
{
	bool is_open = false;

	for (size_t i = 0; i < cond->kid_count; i++) {
		enum verdict verdict =
		    evaluate_branch(evaluation, cond->kids[i]);

		if (verdict == VERDICT_YES &&
		    !(is_open && evaluation->is_capture_open))
			return VERDICT_YES;
		if (verdict == VERDICT_YES || verdict == VERDICT_FAILED)
			return is_open ? VERDICT_OPEN : verdict;
		is_open |= verdict == VERDICT_OPEN;
	}
	return is_open ? VERDICT_OPEN : VERDICT_NO;
}

static enum verdict
evaluate(struct evaluation *evaluation, const struct cond *cond)
{
	switch (cond->kind) {
	case COND_ALL:
		trace_condition(evaluation->trace, cond, NULL, true);
		return VERDICT_YES;
	case COND_TEST:
		return evaluate_test(evaluation, cond);
	case COND_NOT:
		return evaluate_not(evaluation, cond);
	case COND_AND:
		return evaluate_and(evaluation, cond);
	case COND_OR:
		return evaluate_or(evaluation, cond);
	}
	return VERDICT_NO;
}

/* All lines must hold. */
static enum verdict
evaluate_when(struct evaluation *evaluation, const struct rule *rule)
{
	bool is_open = false;

	for (size_t i = 0; i < rule->when_count; i++) {
		enum verdict verdict = evaluate(evaluation, rule->when[i]);

		if (verdict == VERDICT_NO)
			return VERDICT_NO;
		if (verdict == VERDICT_FAILED)
			return is_open ? VERDICT_OPEN : VERDICT_FAILED;
		is_open |= verdict == VERDICT_OPEN;
	}
	return is_open ? VERDICT_OPEN : VERDICT_YES;
}

/* Any line vetoes. `verdict` is that of the `when` lines. */
static enum verdict
evaluate_unless(struct evaluation *evaluation, const struct rule *rule,
    enum verdict verdict)
{
	trace_unless(evaluation->trace);
	for (size_t i = 0; i < rule->unless_count; i++) {
		enum verdict veto = evaluate(evaluation, rule->unless[i]);

		if (veto == VERDICT_YES) {
			evaluation->is_vetoed = true;
			return VERDICT_NO;
		}
		if (veto == VERDICT_FAILED)
			return verdict == VERDICT_OPEN ? verdict : veto;
		if (veto == VERDICT_OPEN)
			verdict = VERDICT_OPEN;
	}
	return verdict;
}

enum verdict
evaluate_rule(struct evaluation *evaluation, const struct rule *rule)
{
	enum verdict verdict;

	evaluation->capture_count = rule->captures.names.len;
	memset(evaluation->captures, 0,
	    evaluation->capture_count * sizeof(*evaluation->captures));
	evaluation->is_vetoed = false;
	evaluation->is_capture_open = false;
	evaluation->wants = 0;
	pattern_room_begin_rule(evaluation->room);
	verdict = evaluate_when(evaluation, rule);
	if (verdict == VERDICT_YES || verdict == VERDICT_OPEN)
		verdict = evaluate_unless(evaluation, rule, verdict);
	trace_decided(evaluation->trace);
	return verdict;
}
