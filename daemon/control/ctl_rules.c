/* rules: all rules in short. */
#include <stdio.h>

#include "daemon/config/document.h"
#include "daemon/config/reader.h"
#include "daemon/control/ctl.h"

/* Calls `fn` for each rule of the configuration, in order. */
typedef void rule_fn(void *ctx, const struct document_section *section);

static void
each_rule(const struct config *config, rule_fn *fn, void *ctx)
{
	DOCUMENT_AUTO document = DOCUMENT_INIT;
	struct rule_problems problems = {0};

	for (size_t i = 0; i < config->files.count; i++)
		reader_parse(config->files.items[i]->path,
		    buf_span(&config->files.items[i]->text), &document,
		    &problems);
	for (size_t i = 0; i < document.count; i++) {
		struct document_section *section = &document.sections[i];
		if (strcmp(section->kind, section_kind_name(SECTION_RULE)) != 0)
			continue;
		document_fold(section, SECTION_RULE, &problems);
		fn(ctx, section);
	}
	rule_problems_done(&problems);
}

static bool
is_condition(const struct document_thing *thing)
{
	return thing->setting->type == SETTING_CONDITION;
}

/* ---- for people ---- */

struct printing {
	const struct ctl *ctl;
	struct buf out;
};

static void
add_thing(struct buf *out, const struct document_thing *thing)
{
	buf_addf(out, "    %s%s", thing->setting->key,
	    is_condition(thing) ? " " : " = ");
	ctl_add_clean(out, thing->value, CTL_CELL_MAX);
	buf_add_char(out, '\n');
}

static void
print_rule(void *ctx, const struct document_section *section)
{
	struct printing *p = ctx;

	ctl_add_colored(p->ctl, &p->out, CTL_BOLD, section->name);
	buf_add_str(&p->out, "  (");
	ctl_add_clean(&p->out, section->place.file, CTL_CELL_MAX);
	buf_addf(&p->out, ":%u)\n", section->place.line);
	for (size_t i = 0; i < section->thing_count; i++)
		if (is_condition(&section->things[i]))
			add_thing(&p->out, &section->things[i]);
	for (size_t i = 0; i < section->thing_count; i++)
		if (!is_condition(&section->things[i]))
			add_thing(&p->out, &section->things[i]);
}

/* ---- JSON ---- */

/* All things with this key, at the first of them; NULL at the others. */
static struct json *
values_json(const struct document_section *section, size_t first)
{
	const struct setting *setting = section->things[first].setting;
	struct json *list;

	for (size_t i = 0; i < first; i++)
		if (section->things[i].setting == setting)
			return NULL;
	list = json_new_array();
	for (size_t i = first; i < section->thing_count; i++)
		if (section->things[i].setting == setting)
			json_add_str(list, section->things[i].value);
	return list;
}

static void
add_json(void *ctx, const struct document_section *section)
{
	struct json *json = json_new_object();
	struct json *keys = json_new_object();

	json_set_str(json, "rule", section->name);
	json_set_str(json, "file", section->place.file);
	json_set_int(json, "line", section->place.line);
	for (size_t i = 0; i < section->thing_count; i++) {
		struct json *values = values_json(section, i);
		if (values != NULL)
			json_set(keys, section->things[i].setting->key, values);
	}
	json_set(json, "keys", keys);
	json_add(ctx, json);
}

static int
list_json(const struct config *config)
{
	struct json *document = json_new_object();
	struct json *rules = json_new_array();

	each_rule(config, add_json, rules);
	json_set_bool(document, "ok", true);
	json_set(document, "rules", rules);
	return ctl_finish_json(document, EX_OK);
}

int
ctl_rules(struct ctl *ctl)
{
	CTL_CONFIG_AUTO loaded = {0};
	struct printing printing = {.ctl = ctl};
	int code = ctl_config_need(ctl, ctl->arguments[0], &loaded);

	if (code != EX_OK)
		return code;
	if (ctl->json)
		return list_json(loaded.config);
	each_rule(loaded.config, print_rule, &printing);
	if (printing.out.len == 0)
		buf_add_str(&printing.out,
		    "there is no rule: each new message is notified\n");
	code = ctl_finish(&printing.out, EX_OK);
	buf_done(&printing.out);
	return code;
}
