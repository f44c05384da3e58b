#include "daemon/control/ctl_summary.h"

#include <inttypes.h>

#include "daemon/base/xalloc.h"
#include "daemon/control/ctl_table.h"

void
ctl_summary_init(struct ctl_summary *summary, const struct rules *rules)
{
	*summary = (struct ctl_summary){.rules = rules};
	summary->outcomes =
	    xcalloc(rules_count(rules) + 1, sizeof(*summary->outcomes));
}

void
ctl_summary_done(struct ctl_summary *summary)
{
	free(summary->outcomes);
	*summary = (struct ctl_summary){0};
}

void
ctl_summary_count(struct ctl_summary *summary,
    const enum trace_outcome *outcomes, const struct plan *plan)
{
	size_t count = rules_count(summary->rules);

	summary->messages++;
	for (size_t i = 0; i < count; i++)
		summary->outcomes[i][outcomes[i]]++;
	for (size_t i = 0; i < plan->count; i++)
		summary->actions[plan->actions[i].kind]++;
}

/* ---- for people ---- */

static bool
is_column_shown(const struct ctl_summary *summary, size_t outcome)
{
	if (outcome == TRACE_MATCHED || outcome == TRACE_NOT_MATCHED)
		return true;
	for (size_t i = 0; i < rules_count(summary->rules); i++)
		if (summary->outcomes[i][outcome] > 0)
			return true;
	return false;
}

static void
add_rules(const struct ctl_summary *summary, struct buf *out)
{
	size_t shown[CTL_OUTCOMES], columns = 0;
	struct ctl_table table;

	for (size_t i = 0; i < CTL_OUTCOMES; i++)
		if (is_column_shown(summary, i))
			shown[columns++] = i;
	ctl_table_init(&table, columns + 1);
	ctl_table_add(&table, "RULE");
	for (size_t i = 0; i < columns; i++)
		ctl_table_add(
		    &table, trace_outcome_name((enum trace_outcome)shown[i]));
	for (size_t i = 0; i < rules_count(summary->rules); i++) {
		ctl_table_add(&table, rules_id(summary->rules, i));
		for (size_t j = 0; j < columns; j++)
			ctl_table_add_int(
			    &table, (int64_t)summary->outcomes[i][shown[j]]);
	}
	ctl_table_print(&table, out, "  ");
	ctl_table_done(&table);
}

void
ctl_summary_print(const struct ctl_summary *summary, struct buf *out)
{
	ctl_add_count(out, (size_t)summary->messages, "message");
	if (summary->unreadable > 0)
		buf_addf(out, ", %" PRIu64 " unreadable", summary->unreadable);
	if (summary->unexpected > 0)
		buf_addf(
		    out, ", %" PRIu64 " not as expected", summary->unexpected);
	buf_add_char(out, '\n');
	if (rules_count(summary->rules) > 0)
		add_rules(summary, out);
	for (int i = 0; i < ACTION_KINDS; i++)
		if (summary->actions[i] > 0)
			buf_addf(out, "  %s: %" PRIu64 "\n",
			    action_name((enum action_kind)i),
			    summary->actions[i]);
}

/* ---- JSON ---- */

static struct json *
rules_json(const struct ctl_summary *summary)
{
	struct json *rules = json_new_array();

	for (size_t i = 0; i < rules_count(summary->rules); i++) {
		struct json *rule = json_new_object();
		json_set_str(rule, "rule", rules_id(summary->rules, i));
		for (int j = 0; j < CTL_OUTCOMES; j++)
			json_set_int(rule,
			    trace_outcome_name((enum trace_outcome)j),
			    (int64_t)summary->outcomes[i][j]);
		json_add(rules, rule);
	}
	return rules;
}

struct json *
ctl_summary_json(const struct ctl_summary *summary)
{
	struct json *json = json_new_object();
	struct json *actions = json_new_object();

	for (int i = 0; i < ACTION_KINDS; i++)
		json_set_int(actions, action_name((enum action_kind)i),
		    (int64_t)summary->actions[i]);
	json_set_int(json, "messages", (int64_t)summary->messages);
	json_set_int(json, "unreadable", (int64_t)summary->unreadable);
	json_set_int(json, "unexpected", (int64_t)summary->unexpected);
	json_set(json, "rules", rules_json(summary));
	json_set(json, "actions", actions);
	return json;
}
