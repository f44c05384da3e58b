#include "rules/trace.h"

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

#define TRACE_VALUES_MAX 5	 /* shown of one condition */
#define TRACE_VALUE_CHARS_MAX 80 /* of one value */

static const char *const outcome_names[] = {
    [TRACE_MATCHED] = "matched",
    [TRACE_NOT_MATCHED] = "not matched",
    [TRACE_VETOED] = "vetoed",
    [TRACE_NOT_APPLICABLE] = "not applicable",
    [TRACE_NOT_REACHED] = "not reached",
    [TRACE_OBSERVED] = "observed",
    [TRACE_OVER_LIMIT] = "over limit",
    [TRACE_FAILED] = "failed",
    [TRACE_UNDECIDED] = "undecided",
};

const char *
trace_outcome_name(enum trace_outcome outcome)
{
	return outcome_names[outcome];
}

void
trace_done(struct trace *trace)
{
	for (size_t i = 0; i < trace->count; i++) {
		struct trace_rule *rule = &trace->rules[i];

		for (size_t j = 0; j < rule->count; j++) {
			free(rule->conditions[j].text);
			free(rule->conditions[j].values);
		}
		free(rule->conditions);
		strv_done(&rule->captures);
	}
	free(trace->rules);
	*trace = (struct trace){0};
}

void
trace_begin(struct trace *trace, const struct rules *rules)
{
	if (trace == NULL)
		return;
	trace->rules = xcalloc(rules->count + 1, sizeof(*trace->rules));
	trace->count = 0;
}

void
trace_rule(struct trace *trace, const struct rule *rule)
{
	if (trace == NULL)
		return;
	trace->rules[trace->count++].id = rule->id;
	trace->is_unless = false;
}

static char *
show_values(const struct values *values)
{
	struct buf text = BUF_INIT;

	if (values == NULL)
		return xstrdup("");
	for (size_t i = 0; i < values->count && i < TRACE_VALUES_MAX; i++) {
		if (i > 0)
			buf_add_str(&text, ", ");
		str_sanitize(&text, values->items[i], TRACE_VALUE_CHARS_MAX);
	}
	if (values->count > TRACE_VALUES_MAX)
		buf_addf(
		    &text, ", and %zu more", values->count - TRACE_VALUES_MAX);
	return buf_take_str(&text);
}

void
trace_condition(struct trace *trace, const struct cond *cond,
    const struct values *values, bool result)
{
	struct trace_condition *condition;
	struct trace_rule *rule;

	if (trace == NULL)
		return;
	rule = &trace->rules[trace->count - 1];
	rule->conditions = xreallocarray(
	    rule->conditions, rule->count + 1, sizeof(*rule->conditions));
	condition = &rule->conditions[rule->count++];
	condition->text = xstrdup(cond->text);
	condition->values = show_values(values);
	condition->result = result;
	condition->is_open = false;
	condition->is_unless = trace->is_unless;
	condition->decided = false;
	condition->place = cond->place;
}

/* NULL: none was noted of this rule, or nobody wants to know. */
static struct trace_condition *
last_condition(struct trace *trace)
{
	struct trace_rule *rule;

	if (trace == NULL)
		return NULL;
	rule = &trace->rules[trace->count - 1];
	return rule->count > 0 ? &rule->conditions[rule->count - 1] : NULL;
}

void
trace_open(struct trace *trace)
{
	struct trace_condition *last = last_condition(trace);

	if (last != NULL)
		last->is_open = true;
}

void
trace_unless(struct trace *trace)
{
	if (trace != NULL)
		trace->is_unless = true;
}

void
trace_decided(struct trace *trace)
{
	struct trace_condition *last = last_condition(trace);

	if (last != NULL)
		last->decided = true;
}

void
trace_outcome(struct trace *trace, const struct rule *rule,
    enum trace_outcome outcome, const struct span *captures)
{
	struct trace_rule *entry;

	if (trace == NULL)
		return;
	entry = &trace->rules[trace->count - 1];
	entry->outcome = outcome;
	for (size_t i = 0; i < rule->captures.names.len; i++) {
		BUF_AUTO text = BUF_INIT;

		if (captures == NULL || captures[i].data == NULL)
			continue;
		buf_addf(&text, "%s=", rule->captures.names.items[i]);
		str_sanitize(&text, captures[i], TRACE_VALUE_CHARS_MAX);
		strv_add_span(&entry->captures, buf_span(&text));
	}
}
