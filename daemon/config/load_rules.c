/*
 * [rule NAME] and [list NAME]: what the rules' own compiler is given, and where
 * what it says of them stands in the files.
 */
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/config/forwards.h"
#include "daemon/config/loader.h"
#include "daemon/config/problem.h"

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

void
load_list(struct loader *l, const struct document_section *section)
{
	hand_lines(l, section, rules_builder_add_list);
}

void
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

void
load_finish_rules(struct loader *l)
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

/* ---- the files of lists ---- */

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

void
load_list_files(struct loader *l)
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
