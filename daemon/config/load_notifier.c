/*
 * [notifier NAME], and what names one.
 */
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/config/loader.h"
#include "daemon/config/problem.h"
#include "notifiers/webhook.h"
#include "rules/escalate.h"

/* The notifier that is there without being named. */
#define DEFAULT_NOTIFIER "desktop"

#define FOR(type) (1U << (type))

static const struct notifier_key {
	const char *key;
	unsigned types;	     /* FOR(enum config_notifier_type) */
	const char *missing; /* a hint where it is required; NULL: it is not */
} notifier_keys[] = {
    {"command", FOR(CONFIG_NOTIFIER_EXEC) | FOR(CONFIG_NOTIFIER_PROGRAM),
	"add `command = PROGRAM ARGUMENTS`"},
    {"timeout", FOR(CONFIG_NOTIFIER_EXEC), NULL},
    {"stdin", FOR(CONFIG_NOTIFIER_EXEC), NULL},
    {"url", FOR(CONFIG_NOTIFIER_WEBHOOK), "add `url = https://...`"},
    {"format", FOR(CONFIG_NOTIFIER_WEBHOOK), NULL},
    {"header", FOR(CONFIG_NOTIFIER_WEBHOOK), NULL},
    {"body", FOR(CONFIG_NOTIFIER_WEBHOOK), NULL},
    {"cancel_url", FOR(CONFIG_NOTIFIER_WEBHOOK), NULL},
    {"token_command", FOR(CONFIG_NOTIFIER_WEBHOOK), NULL},
    {"cancel_token_command", FOR(CONFIG_NOTIFIER_WEBHOOK), NULL},
    {"tls_ca_file", FOR(CONFIG_NOTIFIER_WEBHOOK), NULL},
    {"click", FOR(CONFIG_NOTIFIER_WEBHOOK), NULL},
};

/* Templates are for `format = json`, and have variables that exist. */
static void
check_template(struct loader *l, const struct config_notifier *notifier,
    const struct document_section *section, const char *key)
{
	const struct document_thing *thing = loader_find_thing(section, key);
	bool is_cancel = strcmp(key, "cancel_url") == 0;
	struct error error = ERROR_INIT;
	size_t at;

	if (thing == NULL)
		return;
	if (notifier->format != CONFIG_WEBHOOK_JSON)
		problem_add(l->problems, false, thing->key_place, NULL,
		    "`%s` goes with `format = json`", key);
	else if (!webhook_check_template(
		     span_from_str(thing->value), is_cancel, &at, &error))
		problem_add(l->problems, false, document_place(thing, at),
		    is_cancel ? "there are ${id} and ${key}" : NULL, "%s",
		    error.text);
}

static void
check_notifier(struct loader *l, const struct config_notifier *notifier,
    const struct document_section *section)
{
	size_t count = sizeof(notifier_keys) / sizeof(notifier_keys[0]);

	check_template(l, notifier, section, "body");
	check_template(l, notifier, section, "cancel_url");

	if (notifier->type == CONFIG_NOTIFIER_NONE) {
		if (loader_find_thing(section, "type") == NULL)
			problem_add(l->problems, false, section->place,
			    "add `type = desktop`, exec, program, webhook or "
			    "journal",
			    "notifier %s has no `type`", section->name);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const struct notifier_key *row = &notifier_keys[i];
		const struct document_thing *thing =
		    loader_find_thing(section, row->key);
		bool is_its = (row->types & FOR(notifier->type)) != 0;
		if (thing != NULL && !is_its)
			problem_add(l->problems, false, thing->key_place, NULL,
			    "`%s` is not for a notifier of this type",
			    row->key);
		if (thing == NULL && is_its && row->missing != NULL)
			problem_add(l->problems, false, section->place,
			    row->missing, "notifier %s has no `%s`",
			    section->name, row->key);
	}
}

static void
add_notifier(struct loader *l, const struct config_notifier *notifier)
{
	struct config *c = l->config;

	c->notifiers = xreallocarray(
	    c->notifiers, c->notifier_count + 1, sizeof(*notifier));
	c->notifiers[c->notifier_count++] = *notifier;
	rules_builder_add_notifier(l->builder, notifier->name);
}

void
load_notifier(struct loader *l, const struct document_section *section)
{
	struct config_notifier notifier = {
	    .name = xstrdup(section->name),
	    .place = section->place,
	};

	loader_fill(l, SECTION_NOTIFIER, section, &notifier);
	check_notifier(l, &notifier, section);
	add_notifier(l, &notifier);
}

/* A phone does not silence the desktop: that one is there unless a section
 * says what becomes of it. */
void
load_default_notifier(struct loader *l)
{
	const struct config *c = l->config;

	for (size_t i = 0; i < c->notifier_count; i++)
		if (c->notifiers[i].type == CONFIG_NOTIFIER_DESKTOP ||
		    strcmp(c->notifiers[i].name, DEFAULT_NOTIFIER) == 0)
			return;
	struct config_notifier notifier = {.name = xstrdup(DEFAULT_NOTIFIER)};
	loader_set_standards(SECTION_NOTIFIER, NULL, &notifier);
	notifier.type = CONFIG_NOTIFIER_DESKTOP;
	add_notifier(l, &notifier);
}

/* When all sections were read, as they may come in any order. */
void
load_quiet_hours(struct config *c)
{
	for (size_t i = 0; i < c->notifier_count; i++)
		if (!c->notifiers[i].quiet_hours.is_set)
			c->notifiers[i].quiet_hours = c->daemon.quiet_hours;
}

/* ---- escalation ---- */

static bool
has_notifier(const struct config *config, struct span name)
{
	for (size_t i = 0; i < config->notifier_count; i++)
		if (span_is(name, config->notifiers[i].name))
			return true;
	return false;
}

static void
check_escalation(struct loader *l, const struct document_thing *thing)
{
	struct action action;
	struct span names, name;

	action_init(&action, ACTION_NOTIFY);
	if (!escalate_parse(span_from_str(thing->value), &names, &action))
		return; /* that was said */
	while (escalate_next_name(&names, &name))
		if (!has_notifier(l->config, name))
			problem_add(l->problems, false,
			    document_place(
				thing, (size_t)(name.data - thing->value)),
			    NULL, "there is no section [notifier %.*s]",
			    SPAN_FMT(name));
}

/* A notifier may be written behind the account. */
void
load_check_escalations(struct loader *l)
{
	for (size_t i = 0; i < l->document.count; i++) {
		const struct document_section *section =
		    &l->document.sections[i];
		for (size_t j = 0; j < section->thing_count; j++)
			if (section->things[j].setting->type ==
			    SETTING_ESCALATION)
				check_escalation(l, &section->things[j]);
	}
}
