#include "rules/rule_keys_private.h"

/* What is right line by line, but not together. */

static const char *const moves[] = {
    "move", "archive", "trash", "junk", "delete"};

bool
rule_check_moves(const struct rule_context *context,
    const struct rule_line *lines, size_t count)
{
	const char *first = NULL;

	for (size_t i = 0; i < count; i++) {
		for (size_t m = 0; m < sizeof(moves) / sizeof(*moves); m++) {
			struct source source =
			    rule_job_source(context, &lines[i]);

			if (strcmp(lines[i].key, moves[m]) != 0)
				continue;
			if (first != NULL && strcmp(first, moves[m]) != 0)
				return source_error(&source, 0, NULL,
				    "a rule cannot have both `%s` and `%s`",
				    first, moves[m]);
			first = moves[m];
		}
	}
	return true;
}

static bool
rings_at_once(const struct rule *rule)
{
	const struct blueprint *first =
	    rule_find_blueprint(rule, ACTION_NOTIFY);

	return first != NULL && first->fixed.after == 0;
}

static bool
waits_for_reader(const struct rule *rule)
{
	for (size_t i = 0; i < rule->blueprint_count; i++)
		if (rule->blueprints[i].fixed.unless_read)
			return true;
	return false;
}

/* What a rule moves is not looked after where it went. */
static void
check_escalation(const struct rule *rule, struct rule_problems *problems)
{
	const struct blueprint *mark = rule_find_blueprint(rule, ACTION_MARK);

	if (!waits_for_reader(rule))
		return;
	if (mark != NULL && strv_has_nocase(&mark->fixed.add, SPAN("\\Seen")))
		rule_problems_add(problems, true, rule->place, NULL,
		    "rule %s marks the message as read, so it never escalates",
		    rule->id);
	else if (rule_find_move(rule) != NULL)
		rule_problems_add(problems, true, rule->place, NULL,
		    "rule %s moves the message, and nobody looks there whether "
		    "it was read: it escalates in any case",
		    rule->id);
}

bool
rule_check_together(const struct rule *rule, const struct rule_context *context)
{
	struct rule_problems *problems = context->problems;

	if (rule->is_quiet && rings_at_once(rule)) {
		rule_problems_add(problems, false, rule->place, NULL,
		    "rule %s is both quiet and notifies", rule->id);
		return false;
	}
	if (rule->blueprint_count == 0 && !rule->is_quiet && !rule->stops)
		rule_problems_add(problems, true, rule->place, NULL,
		    "rule %s does nothing: it has no action and no stop",
		    rule->id);
	check_escalation(rule, problems);
	return true;
}

/* What the variables of its actions need to know. */

static unsigned
template_wants(const struct template *template, const struct slots *slots)
{
	unsigned wants = 0;
	size_t slot;

	for (size_t i = 0;
	     template != NULL && template_get_slot(template, i, &slot); i++)
		if (slot != SIZE_MAX)
			wants |= slots->items[slot].field->wants;
	return wants;
}

unsigned
rule_find_wants(const struct rule *rule, const struct slots *slots)
{
	unsigned wants = 0;

	for (size_t i = 0; i < rule->blueprint_count; i++) {
		const struct blueprint *blueprint = &rule->blueprints[i];

		wants |= template_wants(blueprint->target, slots) |
			 template_wants(blueprint->title, slots) |
			 template_wants(blueprint->text, slots);
		for (size_t j = 0; j < blueprint->argc; j++)
			wants |= template_wants(blueprint->argv[j], slots);
	}
	return wants;
}
