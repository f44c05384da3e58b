/* What others ask of a compiled rule set. */
#include <assert.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "rules/rule.h"

size_t
rules_count(const struct rules *rules)
{
	return rules->count;
}

const char *
rules_id(const struct rules *rules, size_t index)
{
	assert(index < rules->count);
	return rules->items[index]->id;
}

const struct strv *
rules_list_files(const struct rules *rules)
{
	return &rules->lists.files;
}

bool
rules_set_list_file(struct rules *rules, const char *path, struct span text)
{
	struct members *members =
	    lists_find(&rules->lists, span_from_str(path), true);

	return members == NULL ||
	       members_set_text(members, text, RULES_LIST_MEMBERS_MAX);
}

/* Needs. */

void
rules_needs_done(struct rules_needs *needs)
{
	strv_done(&needs->headers);
	needs->all_headers = false;
}

static void
need_header(struct rules_needs *needs, const char *header)
{
	if (!strv_has_nocase(&needs->headers, span_from_str(header)))
		strv_add(&needs->headers, header);
}

static void
need_slot(struct rules_needs *needs, const struct rules *rules, size_t index)
{
	const struct slot *slot = &rules->slots.items[index];

	if (slot->field->wants_all_headers)
		needs->all_headers = true;
	if (slot->field->wants != 0)
		needs->structure = true;
	if ((slot->field->wants & PLAN_WANTS_BODY) != 0)
		needs->body = true;
	if (slot->field->wants_sender)
		needs->sender = true;
	if (slot->field->wants_received)
		needs->received = true;
	if (slot->argument != NULL)
		need_header(needs, slot->argument);
	for (size_t i = 0;
	     slot->field->headers != NULL && slot->field->headers[i] != NULL;
	     i++)
		need_header(needs, slot->field->headers[i]);
}

static void
need_cond(struct rules_needs *needs, const struct rules *rules,
    const struct cond *cond)
{
	if (cond->kind == COND_TEST)
		need_slot(needs, rules, cond->test.slot);
	for (size_t i = 0; i < cond->kid_count; i++)
		need_cond(needs, rules, cond->kids[i]);
}

static void
need_template(struct rules_needs *needs, const struct rules *rules,
    const struct template *template)
{
	size_t slot;

	for (size_t i = 0;
	     template != NULL && template_get_slot(template, i, &slot); i++)
		if (slot != SIZE_MAX)
			need_slot(needs, rules, slot);
}

static void
need_rule(struct rules_needs *needs, const struct rules *rules,
    const struct rule *rule)
{
	for (size_t i = 0; i < rule->when_count; i++)
		need_cond(needs, rules, rule->when[i]);
	for (size_t i = 0; i < rule->unless_count; i++)
		need_cond(needs, rules, rule->unless[i]);
	for (size_t i = 0; i < rule->blueprint_count; i++) {
		const struct blueprint *blueprint = &rule->blueprints[i];

		need_template(needs, rules, blueprint->target);
		for (size_t j = 0; j < blueprint->argc; j++)
			need_template(needs, rules, blueprint->argv[j]);
		need_template(needs, rules, blueprint->title);
		need_template(needs, rules, blueprint->text);
	}
}

void
rules_get_needs(
    const struct rules *rules, const char *account, struct rules_needs *needs_r)
{
	static const char *const always[] = {
	    "From", "Subject", "Date", "Message-ID"};

	*needs_r = (struct rules_needs){.headers = STRV_INIT};
	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
		need_header(needs_r, always[i]);
	for (size_t i = 0; i < rules->count; i++)
		if (rule_applies(rules->items[i], account, NULL))
			need_rule(needs_r, rules, rules->items[i]);
}

/* What an account may lack. */

static bool
acts_for(const struct rule *rule, const char *account)
{
	return !rule->is_observing && rule_applies(rule, account, NULL);
}

const struct rule_place *
rules_find_forward(const struct rules *rules, const char *account)
{
	for (size_t i = 0; i < rules->count; i++)
		if (acts_for(rules->items[i], account) &&
		    rule_find_blueprint(rules->items[i], ACTION_FORWARD) !=
			NULL)
			return &rules->items[i]->place;
	return NULL;
}

static bool
is_redirecting(const struct rule *rule)
{
	const struct blueprint *forward =
	    rule_find_blueprint(rule, ACTION_FORWARD);

	return forward != NULL && forward->fixed.mode == FORWARD_REDIRECT;
}

const struct rule_place *
rules_find_redirect(const struct rules *rules, const char *account)
{
	for (size_t i = 0; i < rules->count; i++)
		if (acts_for(rules->items[i], account) &&
		    is_redirecting(rules->items[i]))
			return &rules->items[i]->as_place;
	return NULL;
}

static const struct rule_place *
find_auth(const struct cond *cond)
{
	const struct rule_place *found = NULL;

	if (cond->kind == COND_TEST)
		return span_starts(
			   span_from_str(cond->test.field->name), "auth.")
			   ? &cond->place
			   : NULL;
	for (size_t i = 0; i < cond->kid_count && found == NULL; i++)
		found = find_auth(cond->kids[i]);
	return found;
}

static const struct rule_place *
find_auth_in(struct cond *const *conds, size_t count)
{
	const struct rule_place *found = NULL;

	for (size_t i = 0; i < count && found == NULL; i++)
		found = find_auth(conds[i]);
	return found;
}

const struct rule_place *
rules_find_auth(const struct rules *rules, const char *account)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = rules->items[i];
		const struct rule_place *found;

		if (!acts_for(rule, account))
			continue;
		found = find_auth_in(rule->when, rule->when_count);
		if (found == NULL)
			found = find_auth_in(rule->unless, rule->unless_count);
		if (found != NULL)
			return found;
	}
	return NULL;
}
