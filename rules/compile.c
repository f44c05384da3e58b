/* From sections to a rule set. */
#include <assert.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "rules/lint.h"
#include "rules/program.h"
#include "rules/rule_keys.h"
#include "rules/source.h"

struct section {
	char *id; /* owned */
	bool is_list;
	struct rule_place place;
	struct rule_line *lines; /* owned; keys and values, too */
	size_t count;
};

struct rules_builder {
	struct section *sections;
	size_t count, cap;
	struct strv accounts, notifiers;
};

struct rules_builder *
rules_builder_new(void)
{
	return NEW(struct rules_builder);
}

static void
section_done(struct section *section)
{
	for (size_t i = 0; i < section->count; i++) {
		free((char *)section->lines[i].key);
		free((char *)section->lines[i].value);
	}
	free(section->lines);
	free(section->id);
}

void
rules_builder_free(struct rules_builder **builder)
{
	struct rules_builder *b = *builder;

	if (b == NULL)
		return;
	for (size_t i = 0; i < b->count; i++)
		section_done(&b->sections[i]);
	free(b->sections);
	strv_done(&b->accounts);
	strv_done(&b->notifiers);
	free(b);
	*builder = NULL;
}

static void
add_section(struct rules_builder *builder, bool is_list, const char *id,
    struct rule_place place, const struct rule_line *lines, size_t count)
{
	struct section *section;

	if (builder->count == builder->cap) {
		builder->cap = builder->cap == 0 ? 16 : 2 * builder->cap;
		builder->sections = xreallocarray(builder->sections,
		    builder->cap, sizeof(*builder->sections));
	}
	section = &builder->sections[builder->count++];
	*section = (struct section){.id = xstrdup(id),
	    .is_list = is_list,
	    .place = place,
	    .lines = xcalloc(count + 1, sizeof(*section->lines)),
	    .count = count};
	for (size_t i = 0; i < count; i++) {
		section->lines[i].key = xstrdup(lines[i].key);
		section->lines[i].value = xstrdup(lines[i].value);
		section->lines[i].place = lines[i].place;
	}
}

void
rules_builder_add_rule(struct rules_builder *builder, const char *id,
    struct rule_place place, const struct rule_line *lines, size_t count)
{
	add_section(builder, false, id, place, lines, count);
}

void
rules_builder_add_list(struct rules_builder *builder, const char *id,
    struct rule_place place, const struct rule_line *lines, size_t count)
{
	add_section(builder, true, id, place, lines, count);
}

void
rules_builder_add_account(struct rules_builder *builder, const char *name)
{
	strv_add(&builder->accounts, name);
}

void
rules_builder_add_notifier(struct rules_builder *builder, const char *name)
{
	strv_add(&builder->notifiers, name);
}

/* id = 1*40( %x61-7A / DIGIT / "_" / "-" ) */
static bool
check_id(const struct section *section, struct rule_problems *problems)
{
	size_t len =
	    strspn(section->id, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	if (len > 0 && len <= RULE_ID_MAX && section->id[len] == '\0')
		return true;
	rule_problems_add(problems, false, section->place, NULL,
	    "`%s` is no name for a %s: 1 to %d of a-z, 0-9, _ and - are "
	    "expected",
	    section->id, section->is_list ? "list" : "rule", RULE_ID_MAX);
	return false;
}

/* Lists. */

/* Ann <ann@example.org>, as an address book has it. */
static void
warn_of_name(const struct source *source)
{
	struct span text = source->text;
	size_t start = span_find(text, '<');
	STR_AUTO hint = NULL;
	struct span address;

	if (start == SIZE_MAX || start == 0 || text.data[text.len - 1] != '>')
		return;
	address = span_slice(text, start + 1, text.len - start - 2);
	if (span_find(address, '@') == SIZE_MAX)
		return;
	hint = xasprintf("write `%.*s`", SPAN_FMT(address));
	source_warn(source, 0, hint,
	    "an address is compared without its name and brackets");
}

static bool
add_member(struct members *members, const struct source *source)
{
	struct span text = source->text;

	if (text.len == 0 || span_is(text, "@"))
		return source_error(source, 0, NULL,
		    "an address, a @domain or another text is expected");
	if (span_starts(text, "@file:"))
		return source_error(source, 0,
		    "write it in the condition: from in @file:/path",
		    "a member is no file");
	if (span_starts(text, "*@"))
		return source_error(source, 0, "leave out the `*`",
		    "a whole domain is written @example.org");
	if (span_find(text, '@') != SIZE_MAX &&
	    span_find(text, ',') != SIZE_MAX)
		return source_error(source, span_find(text, ','),
		    "write one more line with `member =`", "one member a line");
	warn_of_name(source);
	members_add(members, text);
	return true;
}

static bool
compile_list(struct lists *lists, const struct section *section,
    struct rule_problems *problems)
{
	static const char *const keys[] = {"member", NULL};
	bool ok = check_id(section, problems);
	struct members *members;

	if (lists_find(lists, span_from_str(section->id), false) != NULL) {
		rule_problems_add(problems, false, section->place, NULL,
		    "there is a section [list %s] already", section->id);
		return false;
	}
	members = lists_add(lists, span_from_str(section->id), false);
	for (size_t i = 0; i < section->count; i++) {
		const struct rule_line *line = &section->lines[i];
		struct source source = {span_trim(span_from_str(line->value)),
		    line->place, problems};

		if (strcmp(line->key, "member") != 0)
			ok = source_error_near(&source, 0,
			    span_from_str(line->key), keys,
			    "unknown key `%s` in a [list] section", line->key);
		else if (!add_member(members, &source))
			ok = false;
	}
	members_seal(members);
	return ok;
}

/* Rules. */

static void
add_rule(struct rules *rules, struct rule *rule)
{
	if (rules->count == rules->cap) {
		rules->cap = rules->cap == 0 ? 16 : 2 * rules->cap;
		rules->items = xreallocarray(
		    rules->items, rules->cap, sizeof(struct rule *));
	}
	rules->items[rules->count++] = rule;
}

static bool
compile_rule(const struct rule_context *context, const struct section *section)
{
	struct rule *rule;

	if (!check_id(section, context->problems))
		return false;
	if (context->rules->count == RULES_MAX) {
		rule_problems_add(context->problems, false, section->place,
		    NULL, "more than %d rules", RULES_MAX);
		return false;
	}
	rule = NEW(struct rule);
	memcpy(rule->id, section->id, strlen(section->id) + 1);
	rule->place = section->place;
	if (!rule_compile(rule, context, section->lines, section->count)) {
		rule_free(&rule);
		return false;
	}
	add_rule(context->rules, rule);
	return true;
}

static int
compare_ids(const void *a, const void *b)
{
	const struct section *const *one = a, *const *two = b;
	int order = strcmp((*one)->id, (*two)->id);

	if (order != 0)
		return order;
	return *one < *two ? -1 : *one > *two;
}

/* Sorted, since there may be 10,000. */
static bool
check_unique(
    const struct rules_builder *builder, struct rule_problems *problems)
{
	const struct section **sorted =
	    xcalloc(builder->count + 1, sizeof(*sorted));
	size_t count = 0;
	bool ok = true;

	for (size_t i = 0; i < builder->count; i++)
		if (!builder->sections[i].is_list)
			sorted[count++] = &builder->sections[i];
	if (count > 1)
		qsort(sorted, count, sizeof(*sorted), compare_ids);
	for (size_t i = 1; i < count; i++) {
		if (strcmp(sorted[i - 1]->id, sorted[i]->id) != 0)
			continue;
		rule_problems_add(problems, false, sorted[i]->place, NULL,
		    "there is a section [rule %s] already", sorted[i]->id);
		ok = false;
	}
	free(sorted);
	return ok;
}

/* Problems in the order of the file. */

static size_t
file_rank(const struct rules_builder *builder, const char *file)
{
	for (size_t i = 0; i < builder->count; i++)
		if (builder->sections[i].place.file == file)
			return i;
	return builder->count;
}

static bool
is_before(const struct rules_builder *builder, const struct rule_problem *a,
    const struct rule_problem *b)
{
	if (a->place.file != b->place.file)
		return file_rank(builder, a->place.file) <
		       file_rank(builder, b->place.file);
	if (a->place.line != b->place.line)
		return a->place.line < b->place.line;
	return a->place.column < b->place.column;
}

/* By insertion: nearly sorted as they come. */
static void
sort_problems(const struct rules_builder *builder,
    struct rule_problems *problems, size_t from)
{
	for (size_t i = from + 1; i < problems->count; i++) {
		struct rule_problem problem = problems->items[i];
		size_t j = i;

		for (; j > from &&
		       is_before(builder, &problem, &problems->items[j - 1]);
		     j--)
			problems->items[j] = problems->items[j - 1];
		problems->items[j] = problem;
	}
}

struct rules *
rules_new_empty(void)
{
	struct rules *rules = NEW(struct rules);

	rules->room = pattern_room_new();
	rules->view = NEW(struct view);
	rules->header_lists = NEW(struct header_lists);
	return rules;
}

void
rules_free(struct rules **rules)
{
	struct rules *r = *rules;

	if (r == NULL)
		return;
	program_free(&r->program);
	view_done(r->view);
	free(r->view);
	for (size_t i = 0; i < r->count; i++)
		rule_free(&r->items[i]);
	free(r->items);
	slots_done(&r->slots);
	lists_done(&r->lists);
	pattern_room_free(&r->room);
	header_lists_free(&r->header_lists);
	free(r);
	*rules = NULL;
}

struct rules *
rules_builder_finish(
    struct rules_builder *builder, struct rule_problems *problems_r)
{
	struct rules *rules = rules_new_empty();
	const struct rule_context context = {
	    rules, &builder->accounts, &builder->notifiers, problems_r};
	size_t before = problems_r->count;
	bool ok = check_unique(builder, problems_r);

	/* Rules may name lists that stand behind them. */
	for (size_t i = 0; i < builder->count; i++)
		if (builder->sections[i].is_list &&
		    !compile_list(
			&rules->lists, &builder->sections[i], problems_r))
			ok = false;
	for (size_t i = 0; i < builder->count; i++)
		if (!builder->sections[i].is_list &&
		    !compile_rule(&context, &builder->sections[i]))
			ok = false;
	if (ok) {
		lint_rules(rules, &builder->accounts, problems_r);
		rules->program = program_new(rules);
	} else {
		rules_free(&rules);
	}
	sort_problems(builder, problems_r, before);
	return rules;
}
