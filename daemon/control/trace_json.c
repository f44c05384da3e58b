#include "daemon/control/trace_json.h"

#include "daemon/base/xalloc.h"

static struct json *
condition_json(const struct trace_condition *condition)
{
	struct json *json = json_new_object();

	json_set_str(json, "condition", condition->text);
	json_set_str(json, "values", condition->values);
	json_set_str(json, "kind", condition->is_unless ? "unless" : "when");
	if (condition->is_open)
		json_set_str(json, "result", NULL);
	else
		json_set_bool(json, "result", condition->result);
	json_set_bool(json, "decided", condition->decided);
	json_set_str(json, "file", condition->place.file);
	json_set_int(json, "line", condition->place.line);
	json_set_int(json, "column", condition->place.column);
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
	buf_clear(&words);
	action_format(&words, action);
	json_set_str(json, "line", buf_str(&words));
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

static struct json *
rules_json(const struct trace *trace)
{
	struct json *rules = json_new_array();

	for (size_t i = 0; i < trace->count; i++)
		json_add(rules, rule_json(&trace->rules[i]));
	return rules;
}

struct json *
trace_json(const struct trace_document *d)
{
	struct json *json = json_new_object();

	json_set_str(json, "source", d->source);
	json_set_int(json, "index", d->index);
	json_set_str(json, "account", d->account);
	json_set_str(json, "mailbox", d->mailbox);
	json_set_span(json, "message_id", message_id(d->message));
	json_set_span(json, "from", message_text(d->message, "From", 0));
	json_set_span(json, "subject", message_text(d->message, "Subject", 0));
	json_set_int(json, "size", (int64_t)d->size);
	json_set_time(json, "received", d->received_unix);
	json_set_strv(json, "flags", d->flags);
	if (d->trace != NULL)
		json_set(json, "rules", rules_json(d->trace));
	json_set(json, "plan", plan_json(d->plan));
	return json;
}
