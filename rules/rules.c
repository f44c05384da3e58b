/* What others ask of a compiled rule set. */
#include <assert.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "rules/rule.h"

#define HEADERS_FIRST 64 /* a power of two */

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
header_lists_free(struct header_lists **lists)
{
	struct header_lists *old = *lists;

	if (old == NULL)
		return;
	*lists = NULL;
	for (size_t i = 0; i < old->count; i++) {
		strv_done(old->items[i]);
		free(old->items[i]);
	}
	free(old->items);
	free(old);
}

/* The same list, kept; takes `names`. */
static const struct strv *
keep_headers(struct header_lists *lists, struct strv *names)
{
	for (size_t i = 0; i < lists->count; i++) {
		if (!strv_equal(lists->items[i], names))
			continue;
		strv_done(names);
		return lists->items[i];
	}
	if (lists->count == lists->cap) {
		lists->cap = lists->cap == 0 ? 1 : 2 * lists->cap;
		lists->items = xreallocarray(
		    lists->items, lists->cap, sizeof(*lists->items));
	}
	struct strv *kept = NEW(struct strv);
	*kept = *names;
	*names = (struct strv)STRV_INIT;
	lists->items[lists->count++] = kept;
	return kept;
}

/* On the way through all rules, which may ask the same ten thousand times. */
struct collector {
	const struct rules *rules;
	struct rules_needs *needs;
	struct strv headers;
	bool *has_slot; /* owned */
	size_t *table;	/* number + 1 of a header, by hash; owned; 0: free */
	size_t table_size;
};

static size_t *
find_header(const struct collector *collector, struct span name)
{
	char **headers = collector->headers.items;
	size_t hash = message_name_hash(name);

	for (;; hash++) {
		size_t *place =
		    &collector->table[hash & (collector->table_size - 1)];

		if (*place == 0 || span_is_nocase(name, headers[*place - 1]))
			return place;
	}
}

/* At most half of the table is taken. */
static void
grow_table(struct collector *collector)
{
	struct strv *headers = &collector->headers;

	collector->table_size = collector->table_size == 0
				    ? HEADERS_FIRST
				    : 2 * collector->table_size;
	free(collector->table);
	collector->table =
	    xcalloc(collector->table_size, sizeof(*collector->table));
	for (size_t i = 0; i < headers->len; i++)
		*find_header(collector, span_from_str(headers->items[i])) =
		    i + 1;
}

static void
need_header(struct collector *collector, const char *header)
{
	struct strv *headers = &collector->headers;
	size_t *place;

	if (2 * (headers->len + 1) > collector->table_size)
		grow_table(collector);
	place = find_header(collector, span_from_str(header));
	if (*place != 0)
		return;
	strv_add(headers, header);
	*place = headers->len;
}

static void
need_slot(struct collector *collector, size_t index)
{
	const struct slot *slot = &collector->rules->slots.items[index];
	struct rules_needs *needs = collector->needs;

	if (collector->has_slot[index])
		return;
	collector->has_slot[index] = true;
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
		need_header(collector, slot->argument);
	for (size_t i = 0;
	     slot->field->headers != NULL && slot->field->headers[i] != NULL;
	     i++)
		need_header(collector, slot->field->headers[i]);
}

static void
need_cond(struct collector *collector, const struct cond *cond)
{
	if (cond->kind == COND_TEST)
		need_slot(collector, cond->test.slot);
	for (size_t i = 0; i < cond->kid_count; i++)
		need_cond(collector, cond->kids[i]);
}

static void
need_template(struct collector *collector, const struct template *template)
{
	size_t slot;

	for (size_t i = 0;
	     template != NULL && template_get_slot(template, i, &slot); i++)
		if (slot != SIZE_MAX)
			need_slot(collector, slot);
}

static void
need_rule(struct collector *collector, const struct rule *rule)
{
	for (size_t i = 0; i < rule->when_count; i++)
		need_cond(collector, rule->when[i]);
	for (size_t i = 0; i < rule->unless_count; i++)
		need_cond(collector, rule->unless[i]);
	for (size_t i = 0; i < rule->blueprint_count; i++) {
		const struct blueprint *blueprint = &rule->blueprints[i];

		if (blueprint->fixed.kind == ACTION_EXEC &&
		    !blueprint->fixed.stdin_message)
			collector->needs->command = true;
		need_template(collector, blueprint->target);
		for (size_t j = 0; j < blueprint->argc; j++)
			need_template(collector, blueprint->argv[j]);
		need_template(collector, blueprint->title);
		need_template(collector, blueprint->text);
	}
}

/* An atom (RFC 9051 section 9), of what RFC 5322 allows. */
static bool
is_plain_name(const char *name)
{
	return strpbrk(name, "(){%*\"\\]") == NULL;
}

static bool
can_be_asked_for(const struct strv *names)
{
	size_t len = 0;

	for (size_t i = 0; i < names->len; i++) {
		len += strlen(names->items[i]) + 1;
		if (!is_plain_name(names->items[i]))
			return false;
	}
	return len <= RULES_HEADER_NAMES_MAX;
}

void
rules_get_needs(
    const struct rules *rules, const char *account, struct rules_needs *needs_r)
{
	static const char *const always[] = {
	    "From", "Subject", "Date", "Message-ID"};
	struct collector collector = {.rules = rules,
	    .needs = needs_r,
	    .has_slot =
		xcalloc(rules->slots.count + 1, sizeof(*collector.has_slot))};

	*needs_r = (struct rules_needs){.headers = NULL};
	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
		need_header(&collector, always[i]);
	for (size_t i = 0; i < rules->count; i++)
		if (rule_applies(rules->items[i], account, NULL))
			need_rule(&collector, rules->items[i]);
	if (!can_be_asked_for(&collector.headers))
		needs_r->all_headers = true;
	needs_r->headers =
	    keep_headers(rules->header_lists, &collector.headers);
	free(collector.has_slot);
	free(collector.table);
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

/* Appends "\\Trash" and so on; nothing for a folder by name, or none. */
static void
add_special_folder(const struct blueprint *blueprint, struct buf *name)
{
	static const char *const special[ACTION_KINDS] = {
	    [ACTION_ARCHIVE] = "\\Archive",
	    [ACTION_TRASH] = "\\Trash",
	    [ACTION_JUNK] = "\\Junk",
	};
	enum action_kind kind = blueprint->fixed.kind;

	if (special[kind] != NULL)
		buf_add_str(name, special[kind]);
	else if ((kind == ACTION_COPY || kind == ACTION_MOVE) &&
		 (!template_get_fixed(blueprint->target, name) ||
		     *buf_str(name) != '\\'))
		buf_clear(name);
}

void
rules_each_special_folder(const struct rules *rules, const char *account,
    rules_folder_fn *fn, void *ctx)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = rules->items[i];
		if (!acts_for(rule, account))
			continue;
		for (size_t j = 0; j < rule->blueprint_count; j++) {
			BUF_AUTO name = BUF_INIT;
			add_special_folder(&rule->blueprints[j], &name);
			if (name.len > 0)
				fn(ctx, rule->id, buf_str(&name));
		}
	}
}

void
rules_each_forward(const struct rules *rules, const char *account,
    rules_forward_fn *fn, void *ctx)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = rules->items[i];
		if (!acts_for(rule, account))
			continue;
		for (size_t j = 0; j < rule->blueprint_count; j++)
			if (rule->blueprints[j].fixed.kind == ACTION_FORWARD)
				fn(ctx, &rule->place, rule->id,
				    rule->blueprints[j].fixed.target);
	}
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
