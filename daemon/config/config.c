/*
 * The configuration as a whole: see config.h.
 *
 * files -> reader -> document -> settings (one struct a section) -> account,
 * notifier, test -> rules. Each step adds to the same list of problems; only
 * at the end is decided whether there is a configuration.
 */
#include "daemon/config/config.h"
#include "notifiers/open.h"
#include "notifiers/webhook.h"

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/config/account.h"
#include "daemon/config/document.h"
#include "daemon/config/echo.h"
#include "daemon/config/files.h"
#include "daemon/config/forwards.h"
#include "daemon/config/problem.h"
#include "daemon/config/reader.h"
#include "daemon/config/syntax.h"
#include "daemon/config/value.h"
#include "rules/escalate.h"

/* The notifier that is there without being named. */
#define DEFAULT_NOTIFIER "desktop"

/* ---- freeing ---- */

static void
free_members(enum section_kind kind, void *base)
{
	for (size_t i = 0; settings_at(i) != NULL; i++)
		if (settings_at(i)->section == kind)
			value_free(settings_at(i), base);
}

static void
account_done(struct config_account *account)
{
	account_forget_written(account);
	free_members(SECTION_ACCOUNT, account);
	free(account->oauth2);
	secret_source_done(&account->secret);
	free(account->name);
	free(account->domain);
	free(account->other_user);
}

const char *
config_other_smtp_user(const struct config_account *account)
{
	if (account->other_user == NULL || account->smtp.host == NULL ||
	    strcmp(account->smtp_user, account->other_user) == 0)
		return NULL;
	return account->smtp_user;
}

void
config_free(struct config **config)
{
	struct config *c = *config;

	if (c == NULL)
		return;
	*config = NULL;
	free_members(SECTION_DAEMON, &c->daemon);
	for (size_t i = 0; i < c->account_count; i++)
		account_done(&c->accounts[i]);
	for (size_t i = 0; i < c->notifier_count; i++) {
		free_members(SECTION_NOTIFIER, &c->notifiers[i]);
		free(c->notifiers[i].name);
	}
	for (size_t i = 0; i < c->test_count; i++) {
		free_members(SECTION_TEST, &c->tests[i]);
		free(c->tests[i].name);
	}
	free(c->accounts);
	free(c->notifiers);
	free(c->tests);
	rules_free(&c->rules);
	files_done(&c->files);
	free(c);
}

/* ---- sections ---- */

/* Said only where nothing else is wrong. */
static const char no_account[] = "there is no [account NAME] section";

struct loader {
	struct config *config;
	struct document document;
	struct rule_problems *problems;
	struct rules_builder *builder;
	bool may_read; /* other files than those of the configuration */
};

static void
set_standards(
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

static void
fill(struct loader *l, enum section_kind kind,
    const struct document_section *section, void *base)
{
	set_standards(kind, section, base);
	for (size_t i = 0; i < section->thing_count; i++)
		value_parse(&section->things[i], base, l->problems);
}

static const struct document_thing *
find_thing(const struct document_section *section, const char *key)
{
	for (size_t i = 0; i < section->thing_count; i++)
		if (strcmp(section->things[i].setting->key, key) == 0)
			return &section->things[i];
	return NULL;
}

static void
add_unknown_variable(
    struct loader *l, const struct document_thing *thing, struct span name)
{
	STR_AUTO written = xstrdup_span(name);
	const char *nearest = open_nearest(name);
	bool is_known = nearest != NULL && !span_is(name, nearest);
	STR_AUTO hint = xasprintf("there is ${%s}; belfry.conf(5) lists all",
	    is_known ? nearest : "message-id");
	const char *at = strstr(thing->value, written);
	size_t offset = at != NULL ? (size_t)(at - thing->value) : 0;

	problem_add(l->problems, false, document_place(thing, offset), hint,
	    "`%s` knows no variable \"%s\"", thing->setting->key, written);
}

/* Its variables. */
static void
check_open_command(struct loader *l, const struct document_section *section,
    const struct strv *command)
{
	const struct document_thing *thing =
	    find_thing(section, "open_command");
	struct span name;

	for (size_t i = 0; thing != NULL && i < command->len; i++) {
		if (open_check(command->items[i], &name))
			continue;
		add_unknown_variable(l, thing, name);
		return;
	}
}

/* ${url} is what is made of it. */
static void
check_webmail(struct loader *l, const struct document_section *section)
{
	const struct document_thing *thing = find_thing(section, "webmail");
	struct span name;

	if (thing == NULL)
		return;
	if (!open_is_webmail(thing->value))
		problem_add(l->problems, false, document_place(thing, 0),
		    "it begins with https:// and has no blanks; write other "
		    "characters than those of ASCII as %XX",
		    "`webmail` is not the address of a page");
	else if (!open_check_webmail(thing->value, &name))
		add_unknown_variable(l, thing, name);
}

static void
load_daemon(struct loader *l, const struct document_section *section)
{
	fill(l, SECTION_DAEMON, section, &l->config->daemon);
	check_open_command(l, section, &l->config->daemon.open_command);
}

/* A file that is not there is no error: the other accounts can do without. A
 * secret that others can read is one. */
static void
check_file(struct loader *l, const struct config_account *account,
    const struct document_thing *thing, const char *path,
    bool (*is_well)(const char *path, struct error *error_r))
{
	struct error error = ERROR_INIT;
	STR_AUTO hint = NULL;

	if (!l->may_read || thing == NULL || path == NULL ||
	    is_well(path, &error))
		return;
	if (error.fault == FAULT_AUTH)
		hint = xasprintf("chmod 600 %s", path);
	problem_add(l->problems, hint == NULL, document_place(thing, 0), hint,
	    hint == NULL ? "account %s cannot connect: %s"
			 : "account %s: the key in %s",
	    account->name, error.text);
}

static void
check_certificates(struct loader *l, const struct config_account *account,
    const struct document_section *section)
{
	const struct document_thing *cert = find_thing(section, "tls_cert");
	const struct document_thing *key = find_thing(section, "tls_key");

	check_file(l, account, find_thing(section, "tls_ca_file"),
	    account->tls_ca_file, files_check_readable);
	if (key != NULL)
		check_file(
		    l, account, cert, account->tls_cert, files_check_readable);
	check_file(l, account, key != NULL ? key : cert, account->tls_key,
	    files_check_private);
}

static void
load_account(struct loader *l, const struct document_section *section)
{
	struct config *c = l->config;
	struct config_account account = {
	    .name = xstrdup(section->name),
	    .place = section->place,
	};

	fill(l, SECTION_ACCOUNT, section, &account);
	account_finish(&account, section,
	    files_find(&c->files, section->place.file), l->problems);
	check_certificates(l, &account, section);
	check_open_command(l, section, &account.open_command);
	check_webmail(l, section);
	c->accounts =
	    xreallocarray(c->accounts, c->account_count + 1, sizeof(account));
	c->accounts[c->account_count++] = account;
	rules_builder_add_account(l->builder, section->name);
}

/* ---- notifiers ---- */

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
	const struct document_thing *thing = find_thing(section, key);
	struct error error = ERROR_INIT;
	size_t at;

	if (thing == NULL)
		return;
	if (notifier->format != CONFIG_WEBHOOK_JSON)
		problem_add(l->problems, false, thing->key_place, NULL,
		    "`%s` goes with `format = json`", key);
	else if (!webhook_check_template(span_from_str(thing->value),
		     strcmp(key, "cancel_url") == 0, &at, &error))
		problem_add(l->problems, false, document_place(thing, at), NULL,
		    "%s", error.text);
}

static void
check_notifier(struct loader *l, const struct config_notifier *notifier,
    const struct document_section *section)
{
	size_t count = sizeof(notifier_keys) / sizeof(notifier_keys[0]);

	check_template(l, notifier, section, "body");
	check_template(l, notifier, section, "cancel_url");

	if (notifier->type == CONFIG_NOTIFIER_NONE) {
		if (find_thing(section, "type") == NULL)
			problem_add(l->problems, false, section->place,
			    "add `type = desktop`, exec, program, webhook or "
			    "journal",
			    "notifier %s has no `type`", section->name);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const struct notifier_key *row = &notifier_keys[i];
		const struct document_thing *thing =
		    find_thing(section, row->key);
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

static void
load_notifier(struct loader *l, const struct document_section *section)
{
	struct config_notifier notifier = {
	    .name = xstrdup(section->name),
	    .place = section->place,
	};

	fill(l, SECTION_NOTIFIER, section, &notifier);
	check_notifier(l, &notifier, section);
	add_notifier(l, &notifier);
}

/* A phone does not silence the desktop: that one is there unless a section
 * says what becomes of it. */
static void
add_default_notifier(struct loader *l)
{
	const struct config *c = l->config;

	for (size_t i = 0; i < c->notifier_count; i++)
		if (c->notifiers[i].type == CONFIG_NOTIFIER_DESKTOP ||
		    strcmp(c->notifiers[i].name, DEFAULT_NOTIFIER) == 0)
			return;
	struct config_notifier notifier = {.name = xstrdup(DEFAULT_NOTIFIER)};
	set_standards(SECTION_NOTIFIER, NULL, &notifier);
	notifier.type = CONFIG_NOTIFIER_DESKTOP;
	add_notifier(l, &notifier);
}

/* When all sections were read, as they may come in any order. */
static void
inherit_quiet_hours(struct config *c)
{
	for (size_t i = 0; i < c->notifier_count; i++)
		if (!c->notifiers[i].quiet_hours.is_set)
			c->notifiers[i].quiet_hours = c->daemon.quiet_hours;
}

/* ---- tests ---- */

/* A file has text and attachments of its own. */
static void
check_parts(struct loader *l, const struct document_section *section)
{
	static const char *const keys[] = {"body", "attachment"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct document_thing *thing =
		    find_thing(section, keys[i]);
		if (thing != NULL)
			problem_add(l->problems, false, thing->key_place, NULL,
			    "test %s: `%s` is for tests with `header` lines",
			    section->name, keys[i]);
	}
}

static void
load_test(struct loader *l, const struct document_section *section)
{
	struct config *c = l->config;
	struct config_test test = {
	    .name = xstrdup(section->name),
	    .place = section->place,
	};
	const struct document_thing *expect = find_thing(section, "expect");

	fill(l, SECTION_TEST, section, &test);
	if (expect == NULL)
		problem_add(l->problems, false, section->place, NULL,
		    "test %s has no `expect`", section->name);
	else
		test.expect_place = document_place(expect, 0);
	bool has_headers = find_thing(section, "header") != NULL;
	const struct document_thing *message = find_thing(section, "message");
	bool has_message = message != NULL;
	if (has_message)
		test.message_place = document_place(message, 0);
	if (has_headers == has_message)
		problem_add(l->problems, false, section->place, NULL,
		    "test %s needs either `header` lines or a `message`",
		    section->name);
	if (has_message)
		check_parts(l, section);
	c->tests = xreallocarray(c->tests, c->test_count + 1, sizeof(test));
	c->tests[c->test_count++] = test;
}

static void
check_test_accounts(struct loader *l)
{
	for (size_t i = 0; i < l->config->test_count; i++) {
		const struct config_test *test = &l->config->tests[i];
		if (test->account != NULL &&
		    config_find_account(l->config, test->account) == NULL)
			problem_add(l->problems, false, test->place, NULL,
			    "test %s: there is no account of that name",
			    test->name);
	}
}

/* ---- rules and lists ---- */

typedef void add_fn(struct rules_builder *builder, const char *id,
    struct rule_place place, const struct rule_line *lines, size_t count);

/* Conditions whose key is misspelt, which is reported: as conditions they are
 * checked all the same, and are not missed. */
static size_t
add_misspelt(const struct document_section *section, struct rule_line *lines)
{
	size_t count = 0;

	for (size_t i = 0; i < section->entry_count; i++) {
		const struct document_entry *entry = &section->entries[i];
		const char *nearest;

		if (entry->is_continuation || *entry->value == '\0' ||
		    settings_find(SECTION_RULE, span_from_str(entry->key)) !=
			NULL)
			continue;
		nearest =
		    settings_nearest(SECTION_RULE, span_from_str(entry->key));
		if (nearest != NULL && strcmp(nearest, "when") == 0)
			lines[count++] = (struct rule_line){.key = "when",
			    .value = entry->value,
			    .place = {section->place.file, entry->line,
				entry->column}};
	}
	return count;
}

static void
hand_lines(
    struct loader *l, const struct document_section *section, add_fn *add)
{
	struct rule_line *lines = xcalloc(
	    section->thing_count + section->entry_count + 1, sizeof(*lines));
	size_t count = section->thing_count;

	for (size_t i = 0; i < section->thing_count; i++)
		lines[i] = (struct rule_line){
		    .key = section->things[i].setting->key,
		    .value = section->things[i].value,
		    .place = document_place(&section->things[i], 0),
		};
	if (add == rules_builder_add_rule)
		count += add_misspelt(section, lines + count);
	add(l->builder, section->name, section->place, lines, count);
	free(lines);
}

static void
load_list(struct loader *l, const struct document_section *section)
{
	hand_lines(l, section, rules_builder_add_list);
}

static void
load_rule(struct loader *l, const struct document_section *section)
{
	hand_lines(l, section, rules_builder_add_rule);
}

/* The rules count columns in the joined value. */
static void
correct_place(const struct document *document, struct rule_place *place)
{
	for (size_t i = 0; i < document->count; i++) {
		const struct document_section *section = &document->sections[i];
		if (place->file == NULL ||
		    strcmp(section->place.file, place->file) != 0 ||
		    section->place.line > place->line)
			continue;
		for (size_t j = 0; j < section->thing_count; j++) {
			const struct document_thing *thing =
			    &section->things[j];
			if (thing->pieces[0].line != place->line)
				continue;
			*place = document_true_place(thing, *place);
			return;
		}
	}
}

/* What the rules count on, and the account may lack. */
static void
check_reliance(struct loader *l, const struct config_account *account)
{
	const struct rules *rules = l->config->rules;
	const struct rule_place *auth = rules_find_auth(rules, account->name);

	STR_AUTO authserv = xasprintf(
	    "add to [account %s] `authserv =` and the host that its server "
	    "writes first in Authentication-Results",
	    account->name);
	if (auth != NULL && account->authserv.len == 0)
		problem_add(l->problems, true, *auth, authserv,
		    "auth.* is never true for account %s: it has no `authserv`",
		    account->name);
}

static void
check_account(struct loader *l, const struct config_account *account)
{
	if (!account->enabled)
		return;
	check_reliance(l, account);
}

static void
finish_rules(struct loader *l)
{
	size_t before = l->problems->count;

	l->config->rules = rules_builder_finish(l->builder, l->problems);
	for (size_t i = 0;
	     l->config->rules != NULL && i < l->config->account_count; i++)
		check_account(l, &l->config->accounts[i]);
	if (l->config->rules != NULL)
		forwards_check(l->config, l->problems);
	for (size_t i = before; i < l->problems->count; i++)
		correct_place(&l->document, &l->problems->items[i].place);
	if (l->config->rules == NULL && !problem_has_errors(l->problems))
		rule_problems_add(l->problems, false,
		    (struct rule_place){NULL, 0, 0}, NULL,
		    "internal error: the rules were refused without a reason");
}

/* ---- all of it ---- */

typedef void load_fn(struct loader *l, const struct document_section *section);

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
static void
check_escalations(struct loader *l)
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

static void
check_whole(struct loader *l)
{
	struct config *c = l->config;

	check_test_accounts(l);
	check_escalations(l);
	if (c->account_count > 0 || problem_has_errors(l->problems))
		return;
	problem_add(l->problems, false,
	    (struct rule_place){c->files.items[0]->path, 0, 0},
	    "add one, with `email` and a secret such as `keyring = yes`", "%s",
	    no_account);
}

bool
config_read_list(struct config *config, const char *path, struct error *error_r)
{
	BUF_AUTO text = BUF_INIT;
	STR_AUTO full = value_expand_path(
	    span_from_str(path), config->files.items[0]->path);

	if (!files_read_text(full, &text, error_r))
		return false;
	if (!rules_set_list_file(config->rules, path, buf_span(&text)))
		return error_set(error_r, FAULT_CONFIG,
		    "%s has more than %d members", full,
		    RULES_LIST_MEMBERS_MAX);
	return true;
}

/* Where `name` stands in the text as a whole; SIZE_MAX: nowhere. A path goes
 * on to a blank, a comma or a parenthesis, unless a quote ends it. */
static size_t
find_whole(struct span text, struct span name)
{
	size_t at = span_find_span(text, name, 0);

	while (at != SIZE_MAX) {
		size_t end = at + name.len;

		if (end >= text.len ||
		    strchr(" \t\n,)\"", text.data[end]) != NULL)
			return at;
		at = span_find_span(text, name, end);
	}
	return SIZE_MAX;
}

/* Where a condition names the list file; no place when it is not found. */
static struct rule_place
place_of_list(const struct loader *l, const char *path)
{
	STR_AUTO name = xasprintf("@file:%s", path);

	for (size_t i = 0; i < l->document.count; i++) {
		const struct document_section *section =
		    &l->document.sections[i];
		for (size_t j = 0; j < section->thing_count; j++) {
			const struct document_thing *thing =
			    &section->things[j];
			size_t at = find_whole(
			    span_from_str(thing->value), span_from_str(name));
			if (thing->setting->type == SETTING_CONDITION &&
			    at != SIZE_MAX)
				return document_place(thing, at);
		}
	}
	return (struct rule_place){NULL, 0, 0};
}

static void
read_lists(struct loader *l)
{
	const struct strv *paths = rules_list_files(l->config->rules);

	for (size_t i = 0; paths != NULL && i < paths->len; i++) {
		struct error error = ERROR_INIT;
		if (!config_read_list(l->config, paths->items[i], &error))
			problem_add(l->problems, false,
			    place_of_list(l, paths->items[i]), NULL,
			    "the list cannot be read: %s", error.text);
	}
}

static void
read_all(struct loader *l)
{
	set_standards(SECTION_DAEMON, NULL, &l->config->daemon);
	read_documents(l);
	if (l->document.count <= CONFIG_SECTIONS_MAX)
		for (size_t i = 0; i < l->document.count; i++)
			read_section(l, &l->document.sections[i]);
	add_default_notifier(l);
	inherit_quiet_hours(l->config);
	check_whole(l);
	finish_rules(l);
	if (l->config->rules != NULL && l->may_read &&
	    !problem_has_errors(l->problems))
		read_lists(l);
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

void
config_forget_texts(struct config *config)
{
	files_forget_texts(&config->files);
}

/* ---- reports ---- */

void
config_report_done(struct config_report *report)
{
	rule_problems_done(&report->problems);
	strv_done(&report->echoes);
	files_done(&report->files);
}

bool
config_report_lacks_only_account(const struct config_report *report)
{
	for (size_t i = 0; i < report->problems.count; i++)
		if (strcmp(report->problems.items[i].text, no_account) == 0)
			return true;
	return false;
}

bool
config_report_has_errors(const struct config_report *report)
{
	return problem_has_errors(&report->problems);
}

void
config_print_problems(const struct config_report *report, struct buf *buf)
{
	for (size_t i = 0; i < report->problems.count; i++) {
		const char *echo =
		    i < report->echoes.len ? report->echoes.items[i] : "";
		problem_format(
		    buf, &report->problems.items[i], span_from_str(echo));
	}
}

/* ---- looking up ---- */

const struct config_account *
config_find_account(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->account_count; i++)
		if (strcmp(config->accounts[i].name, name) == 0)
			return &config->accounts[i];
	return NULL;
}

const struct config_notifier *
config_find_notifier(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->notifier_count; i++)
		if (strcmp(config->notifiers[i].name, name) == 0)
			return &config->notifiers[i];
	return NULL;
}

const char *
config_tls_version(const struct config_account *account)
{
	return account->tls_min == 3 ? "1.3" : "1.2";
}

bool
config_by_password(const struct config_account *account)
{
	return account->auth == CONFIG_AUTH_PASSWORD ||
	       account->auth == CONFIG_AUTH_PLAIN ||
	       account->auth == CONFIG_AUTH_SCRAM;
}

bool
config_read_lists(struct config *config, struct error *error_r)
{
	const struct strv *paths = rules_list_files(config->rules);
	bool done = true;

	for (size_t i = 0; paths != NULL && i < paths->len; i++)
		if (!config_read_list(
			config, paths->items[i], done ? error_r : NULL)) {
			if (done)
				error_prefix(error_r, "list");
			done = false;
		}
	return done;
}
