#include "daemon/control/ctl_trace.h"

#include <inttypes.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/control/ctl_table.h"

/* ---- for people ---- */

static void
add_line(struct buf *out, const char *label, struct span text)
{
	buf_addf(out, "    %-9s", label);
	str_sanitize(out, text, CTL_CELL_MAX);
	buf_add_char(out, '\n');
}

static void
add_header(const struct ctl *ctl, struct buf *out, const struct ctl_verdict *v)
{
	BUF_AUTO source = BUF_INIT;
	BUF_AUTO facts = BUF_INIT;

	ctl_add_clean(&source, v->from->source, CTL_TEXT_MAX);
	if (v->from->index > 1)
		buf_addf(&source, " (message %u)", v->from->index);
	ctl_add_colored(ctl, out, CTL_BOLD, buf_str(&source));
	buf_add_char(out, '\n');
	add_line(out, "From:", message_text(v->message, "From", 0));
	add_line(out, "Subject:", message_text(v->message, "Subject", 0));
	buf_addf(&facts, "%s/%s, %" PRIu64 " bytes", v->account, v->mailbox,
	    v->from->size);
	add_line(out, "Judged:", buf_span(&facts));
}

static enum ctl_color
outcome_color(enum trace_outcome outcome)
{
	static const enum ctl_color colors[] = {
	    [TRACE_MATCHED] = CTL_GOOD,
	    [TRACE_OBSERVED] = CTL_GOOD,
	    [TRACE_NOT_MATCHED] = CTL_PLAIN,
	    [TRACE_VETOED] = CTL_PLAIN,
	    [TRACE_NOT_APPLICABLE] = CTL_DIM,
	    [TRACE_NOT_REACHED] = CTL_DIM,
	    [TRACE_OVER_LIMIT] = CTL_BAD,
	    [TRACE_FAILED] = CTL_BAD,
	};

	return colors[outcome];
}

static void
add_condition(struct ctl_table *table, const struct trace_condition *condition)
{
	ctl_table_add(table, condition->decided ? "*" : " ");
	ctl_table_add(table, condition->result ? "yes" : "no");
	ctl_table_add(table, condition->text);
	ctl_table_add(table, condition->values);
}

static void
add_rule(const struct ctl *ctl, struct buf *out, const struct trace_rule *rule)
{
	struct ctl_table table;

	buf_addf(out, "  rule %s: ", rule->id);
	ctl_add_colored(ctl, out, outcome_color(rule->outcome),
	    trace_outcome_name(rule->outcome));
	buf_add_char(out, '\n');
	ctl_table_init(&table, 4);
	for (size_t i = 0; i < rule->count; i++)
		add_condition(&table, &rule->conditions[i]);
	ctl_table_print(&table, out, "   ");
	ctl_table_done(&table);
	for (size_t i = 0; i < rule->captures.len; i++)
		add_line(
		    out, "capture", span_from_str(rule->captures.items[i]));
}

static void
add_action(struct buf *out, const struct action *action)
{
	BUF_AUTO words = BUF_INIT;

	action_describe(&words, action);
	buf_add_str(out, "    ");
	ctl_add_clean(out, buf_str(&words), CTL_TEXT_MAX);
	if (action->rule[0] != '\0')
		buf_addf(out, " (rule %s)\n", action->rule);
	else
		buf_add_str(out, " (by default)\n");
}

static void
add_words(struct buf *out, const char *label, const struct strv *words)
{
	for (size_t i = 0; i < words->len; i++) {
		buf_addf(out, "  %s: ", label);
		ctl_add_clean(out, words->items[i], CTL_TEXT_MAX);
		buf_add_char(out, '\n');
	}
}

static void
add_plan(const struct ctl *ctl, struct buf *out, const struct plan *plan)
{
	buf_add_str(out, "  ");
	ctl_add_colored(ctl, out, CTL_BOLD,
	    plan->count > 0 ? "plan:" : "plan: nothing is done");
	buf_add_char(out, '\n');
	for (size_t i = 0; i < plan->count; i++)
		add_action(out, &plan->actions[i]);
	add_words(out, "only observed", &plan->would);
	add_words(out, "over its limit", &plan->over_limit);
	add_words(out, "warning", &plan->warnings);
}

void
ctl_trace_print(
    const struct ctl *ctl, const struct ctl_verdict *verdict, struct buf *out)
{
	add_header(ctl, out, verdict);
	for (size_t i = 0; i < verdict->trace->count; i++)
		add_rule(ctl, out, &verdict->trace->rules[i]);
	add_plan(ctl, out, verdict->plan);
	buf_add_char(out, '\n');
}

/* ---- JSON ---- */

static struct json *
condition_json(const struct trace_condition *condition)
{
	struct json *json = json_new_object();

	json_set_str(json, "condition", condition->text);
	json_set_str(json, "values", condition->values);
	json_set_bool(json, "result", condition->result);
	json_set_bool(json, "decided", condition->decided);
	json_set_str(json, "file", condition->place.file);
	json_set_int(json, "line", condition->place.line);
	return json;
}

static struct json *
captures_json(const struct strv *captures)
{
	struct json *json = json_new_object();

	for (size_t i = 0; i < captures->len; i++) {
		struct span value = span_from_str(captures->items[i]), name;
		span_split(&value, '=', &name);
		STR_AUTO key = xstrdup_span(name);
		json_set_span(json, key, value);
	}
	return json;
}

static struct json *
rule_json(const struct trace_rule *rule)
{
	struct json *json = json_new_object();
	struct json *conditions = json_new_array();

	json_set_str(json, "rule", rule->id);
	json_set_str(json, "outcome", trace_outcome_name(rule->outcome));
	for (size_t i = 0; i < rule->count; i++)
		json_add(conditions, condition_json(&rule->conditions[i]));
	json_set(json, "conditions", conditions);
	json_set(json, "captures", captures_json(&rule->captures));
	return json;
}

static struct json *
action_json(const struct action *action)
{
	struct json *json = json_new_object();
	BUF_AUTO words = BUF_INIT;

	action_describe(&words, action);
	json_set_str(
	    json, "rule", action->rule[0] != '\0' ? action->rule : NULL);
	json_set_str(json, "action", action_name(action->kind));
	json_set_str(json, "target", action->target);
	json_set_str(json, "what", buf_str(&words));
	return json;
}

static struct json *
plan_json(const struct plan *plan)
{
	struct json *json = json_new_object();
	struct json *actions = json_new_array();

	for (size_t i = 0; i < plan->count; i++)
		json_add(actions, action_json(&plan->actions[i]));
	json_set(json, "actions", actions);
	json_set_strv(json, "matched", &plan->matched);
	json_set_strv(json, "observed", &plan->observed);
	json_set_strv(json, "would", &plan->would);
	json_set_strv(json, "over_limit", &plan->over_limit);
	json_set_strv(json, "warnings", &plan->warnings);
	json_set_bool(json, "quiet", plan->quiet);
	json_set_bool(json, "cut", plan->is_cut);
	return json;
}

struct json *
ctl_trace_json(const struct ctl_verdict *v)
{
	struct json *json = json_new_object();
	struct json *rules = json_new_array();

	json_set_str(json, "source", v->from->source);
	json_set_int(json, "index", v->from->index);
	json_set_str(json, "account", v->account);
	json_set_str(json, "mailbox", v->mailbox);
	json_set_span(json, "message_id", message_id(v->message));
	json_set_span(json, "from", message_text(v->message, "From", 0));
	json_set_span(json, "subject", message_text(v->message, "Subject", 0));
	json_set_int(json, "size", (int64_t)v->from->size);
	json_set_strv(json, "flags", v->from->flags);
	for (size_t i = 0; i < v->trace->count; i++)
		json_add(rules, rule_json(&v->trace->rules[i]));
	json_set(json, "rules", rules);
	json_set(json, "plan", plan_json(v->plan));
	return json;
}
