/*
 * From files to a configuration:
 *
 * files -> reader -> document -> settings (one struct a section) -> account,
 * notifier, test -> rules. Each step adds to the same list of problems; only
 * at the end is decided whether there is a configuration.
 */
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/config/echo.h"
#include "daemon/config/loader.h"
#include "daemon/config/problem.h"
#include "daemon/config/reader.h"
#include "daemon/config/syntax.h"
#include "daemon/config/value.h"

const char loader_no_account[] = "there is no [account NAME] section";

/* ---- a section's settings ---- */

void
loader_set_standards(
    enum section_kind kind, const struct document_section *section, void *base)
{
	for (size_t i = 0; settings_at(i) != NULL; i++) {
		const struct setting *setting = settings_at(i);
		bool is_set = false;
		if (setting->section != kind)
			continue;
		for (size_t j = 0; section != NULL && j < section->thing_count;
		     j++)
			is_set |= section->things[j].setting == setting;
		if (!is_set)
			value_set_standard(setting, base);
	}
}

void
loader_fill(struct loader *l, enum section_kind kind,
    const struct document_section *section, void *base)
{
	loader_set_standards(kind, section, base);
	for (size_t i = 0; i < section->thing_count; i++)
		value_parse(&section->things[i], base, l->problems);
}

const struct document_thing *
loader_find_thing(const struct document_section *section, const char *key)
{
	for (size_t i = 0; i < section->thing_count; i++)
		if (strcmp(section->things[i].setting->key, key) == 0)
			return &section->things[i];
	return NULL;
}

/* ---- sections ---- */

static load_fn *const load_section[SECTION_KINDS] = {
    [SECTION_DAEMON] = load_daemon,
    [SECTION_ACCOUNT] = load_account,
    [SECTION_NOTIFIER] = load_notifier,
    [SECTION_LIST] = load_list,
    [SECTION_RULE] = load_rule,
    [SECTION_TEST] = load_test,
};

/* [a-z0-9_-]: what rules and tests are called, also in X- headers, file
 * names and commands. Accounts and notifiers may have more. */
static bool
is_plain_id(const char *name)
{
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") ==
	       strlen(name);
}

/* [rule Boss] is [rule boss]. */
static char *
name_hint(const struct document_section *section)
{
	if (strcmp(section->kind, "daemon") == 0)
		return xstrdup("write [daemon]");
	if (*section->name == '\0')
		return xasprintf("such as [%s home]", section->kind);
	STR_AUTO lower = xstrdup(section->name);
	for (char *c = lower; *c != '\0'; c++)
		*c = char_to_lower(*c);
	return is_plain_id(lower) && strlen(lower) <= RULE_ID_MAX
		   ? xasprintf("write [%s %s]", section->kind, lower)
		   : NULL;
}

static bool
check_name(const struct loader *l, const struct document_section *section,
    enum section_kind kind)
{
	const char *name = section->name, *text = NULL;
	bool may_be_any = kind == SECTION_ACCOUNT || kind == SECTION_NOTIFIER;

	if (!section_kind_has_name(kind))
		text = *name == '\0' ? NULL : "this section has no name";
	else if (*name == '\0')
		text = "this section needs a name behind its kind";
	else if (strlen(name) > RULE_ID_MAX)
		text = "a section's name has at most 40 characters";
	else if (!may_be_any && !is_plain_id(name))
		text = "names of rules, lists and tests have only the "
		       "characters a-z 0-9 _ -";
	if (text == NULL)
		return true;
	STR_AUTO hint = name_hint(section);
	problem_add(l->problems, false, section->place, hint, "%s", text);
	return false;
}

static void
read_section(struct loader *l, struct document_section *section)
{
	enum section_kind kind;
	const char *nearest = NULL;

	if (!section_kind_parse(
		span_from_str(section->kind), &kind, &nearest)) {
		STR_AUTO hint =
		    nearest == NULL
			? NULL
			: xasprintf("did you mean [%s%s%s]?", nearest,
			      *section->name != '\0' ? " " : "", section->name);
		problem_add(l->problems, false, section->place, hint,
		    "unknown section [%s]", section->kind);
		return;
	}
	if (!check_name(l, section, kind))
		return;
	document_fold(section, kind, l->problems);
	if (!section->is_duplicate)
		load_section[kind](l, section);
}

/* ---- all of it ---- */

static void
read_documents(struct loader *l)
{
	const struct config_files *files = &l->config->files;

	for (size_t i = 0; i < files->count; i++)
		reader_parse(files->items[i]->path,
		    buf_span(&files->items[i]->text), &l->document,
		    l->problems);
	document_check_duplicates(&l->document, l->problems);
	if (l->document.count > CONFIG_SECTIONS_MAX)
		problem_add(l->problems, false, (struct rule_place){NULL, 0, 0},
		    NULL, "more than %d sections", CONFIG_SECTIONS_MAX);
}

static void
check_whole(struct loader *l)
{
	struct config *c = l->config;

	load_check_test_accounts(l);
	load_check_escalations(l);
	if (c->account_count > 0 || problem_has_errors(l->problems))
		return;
	problem_add(l->problems, false,
	    (struct rule_place){c->files.items[0]->path, 0, 0},
	    "add one, with `email` and a secret such as `keyring = yes`", "%s",
	    loader_no_account);
}

static void
read_all(struct loader *l)
{
	loader_set_standards(SECTION_DAEMON, NULL, &l->config->daemon);
	read_documents(l);
	if (l->document.count <= CONFIG_SECTIONS_MAX)
		for (size_t i = 0; i < l->document.count; i++)
			read_section(l, &l->document.sections[i]);
	load_default_notifier(l);
	load_quiet_hours(l->config);
	check_whole(l);
	load_finish_rules(l);
	if (l->config->rules != NULL && l->may_read &&
	    !problem_has_errors(l->problems))
		load_list_files(l);
}

/* Takes the config with its files. */
static struct config *
load(struct config *config, bool may_read, struct config_report *report)
{
	struct loader l = {
	    .config = config,
	    .document = DOCUMENT_INIT,
	    .problems = &report->problems,
	    .builder = rules_builder_new(),
	    .may_read = may_read,
	};

	if (!problem_has_errors(l.problems)) /* every file could be read */
		read_all(&l);
	rules_builder_free(&l.builder);
	document_done(&l.document);
	problem_sort(&report->problems, &config->files.paths);
	echo_problems(&config->files, report);
	if (!problem_has_errors(&report->problems))
		return config;
	report->files = config->files;
	config->files = (struct config_files){.count = 0};
	config_free(&config);
	return NULL;
}

struct config *
config_load(const char *path, struct config_report *report_r)
{
	struct config *config = NEW(struct config);

	*report_r = (struct config_report){.echoes = STRV_INIT};
	files_read(&config->files, path, &report_r->problems);
	return load(config, true, report_r);
}

struct config *
config_parse(const char *path, struct span text, struct config_report *report_r)
{
	struct config *config = NEW(struct config);

	*report_r = (struct config_report){.echoes = STRV_INIT};
	files_add_text(&config->files, path, text);
	return load(config, false, report_r);
}
