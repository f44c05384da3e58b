/* rules: all rules in short, and what they did. */
#include <stdio.h>

#include "daemon/base/xalloc.h"
#include "daemon/config/document.h"
#include "daemon/config/reader.h"
#include "daemon/control/ctl_english.h"
#include "daemon/control/ctl_rule_stats.h"

/* The rules of the configuration, in the order of listing. */
struct listing {
	struct document document;
	struct rule_problems problems;
	const struct document_section **rules; /* owned; into document */
	size_t count;
	const struct rules *compiled;
	struct ctl_rule_stats stats;
	int64_t now_unix;
};

static void
listing_init(struct listing *listing, const struct config *config)
{
	const struct config_files *files = &config->files;

	*listing = (struct listing){
	    .document = DOCUMENT_INIT, .compiled = config->rules, .now_unix = ctl_now_unix()};
	for (size_t i = 0; i < files->count; i++)
		reader_parse(files->items[i]->path,
		    buf_span(&files->items[i]->text), &listing->document,
		    &listing->problems);
	listing->rules =
	    xcalloc(listing->document.count + 1, sizeof(*listing->rules));
	for (size_t i = 0; i < listing->document.count; i++) {
		struct document_section *section =
		    &listing->document.sections[i];
		if (strcmp(section->kind, section_kind_name(SECTION_RULE)) != 0)
			continue;
		document_fold(section, SECTION_RULE, &listing->problems);
		listing->rules[listing->count++] = section;
	}
	ctl_rule_stats_read(&listing->stats, config);
}

static void
listing_done(struct listing *listing)
{
	free(listing->rules);
	document_done(&listing->document);
	rule_problems_done(&listing->problems);
	ctl_rule_stats_done(&listing->stats);
}

/* ---- order ---- */

typedef uint64_t weight_fn(const struct store_rule_stat *stat);

static uint64_t
weigh_hits(const struct store_rule_stat *stat)
{
	return stat->hits;
}

static uint64_t
weigh_last(const struct store_rule_stat *stat)
{
	return (uint64_t)stat->last_hit_unix;
}

static uint64_t
weigh_time(const struct store_rule_stat *stat)
{
	return stat->nanoseconds;
}

static const struct order {
	const char *name;
	weight_fn *weigh;
} orders[] = {
    {"hits", weigh_hits},
    {"last", weigh_last},
    {"time", weigh_time},
};

struct weighed {
	const struct document_section *rule;
	uint64_t weight;
	size_t at; /* in the files */
};

static int
compare_weights(const void *a, const void *b)
{
	const struct weighed *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

static void
sort_listing(struct listing *listing, weight_fn *weigh)
{
	struct weighed *items = xcalloc(listing->count + 1, sizeof(*items));

	for (size_t i = 0; i < listing->count; i++) {
		const struct store_rule_stat *stat = ctl_rule_stats_find(
		    &listing->stats, listing->rules[i]->name);
		items[i] = (struct weighed){
		    .rule = listing->rules[i],
		    .weight = stat != NULL ? weigh(stat) : 0,
		    .at = i,
		};
	}
	qsort(items, listing->count, sizeof(*items), compare_weights);
	for (size_t i = 0; i < listing->count; i++)
		listing->rules[i] = items[i].rule;
	free(items);
}

/* NULL in *weigh_r: the order of the files. */
static int
read_order(const struct ctl *ctl, weight_fn **weigh_r)
{
	const char *name = ctl_get(ctl, "sort");

	*weigh_r = NULL;
	if (name == NULL || strcmp(name, "file") == 0)
		return EX_OK;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		if (strcmp(name, orders[i].name) == 0)
			*weigh_r = orders[i].weigh;
	if (*weigh_r == NULL)
		return ctl_fail(ctl, EX_USAGE,
		    "one of file, hits, last and time",
		    "--sort: there is no order `%s`", name);
	return EX_OK;
}

static bool
is_condition(const struct document_thing *thing)
{
	return thing->setting->type == SETTING_CONDITION;
}

/* ---- for people ---- */

static void
add_thing(struct buf *out, const struct document_thing *thing)
{
	buf_addf(out, "    %s%s", thing->setting->key,
	    is_condition(thing) ? " " : " = ");
	ctl_add_clean(out, thing->value, CTL_CELL_MAX);
	buf_add_char(out, '\n');
}

static void
add_rule(const struct ctl *ctl, struct buf *out, const struct listing *listing,
    const struct document_section *section)
{
	ctl_add_colored(ctl, out, CTL_BOLD, section->name);
	buf_add_str(out, "  (");
	ctl_add_clean(out, section->place.file, CTL_CELL_MAX);
	buf_addf(out, ":%u)\n", section->place.line);
	if (listing->stats.is_read) {
		buf_add_str(out, "    # ");
		ctl_rule_stats_add(
		    &listing->stats, section->name, listing->now_unix, out);
		buf_add_char(out, '\n');
	}
	if (ctl_has(ctl, "english")) {
		buf_add_str(out, "    ");
		ctl_english_add(out, listing->compiled, section->name);
		buf_add_char(out, '\n');
		return;
	}
	for (size_t i = 0; i < section->thing_count; i++)
		if (is_condition(&section->things[i]))
			add_thing(out, &section->things[i]);
	for (size_t i = 0; i < section->thing_count; i++)
		if (!is_condition(&section->things[i]))
			add_thing(out, &section->things[i]);
}

static int
list_text(const struct ctl *ctl, const struct listing *listing)
{
	BUF_AUTO out = BUF_INIT;

	for (size_t i = 0; i < listing->count; i++)
		add_rule(ctl, &out, listing, listing->rules[i]);
	if (listing->count == 0) {
		buf_add_str(
		    &out, "there is no rule: each new message is notified\n");
	} else if (!listing->stats.is_read) {
		buf_add_str(&out, "(no counts: ");
		ctl_add_clean(&out, listing->stats.error.text, CTL_TEXT_MAX);
		buf_add_str(&out, ")\n");
	}
	return ctl_finish(&out, EX_OK);
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
set_json(struct json *json, const char *name, struct json *value)
{
	if (value != NULL)
		json_set(json, name, value);
	else
		json_set_str(json, name, NULL);
}

static struct json *
rule_json(const struct listing *listing, const struct document_section *section)
{
	struct json *json = json_new_object();
	struct json *keys = json_new_object();
	BUF_AUTO english = BUF_INIT;

	json_set_str(json, "rule", section->name);
	json_set_str(json, "file", section->place.file);
	json_set_int(json, "line", section->place.line);
	for (size_t i = 0; i < section->thing_count; i++) {
		struct json *values = values_json(section, i);
		if (values != NULL)
			json_set(keys, section->things[i].setting->key, values);
	}
	json_set(json, "keys", keys);
	ctl_english_add(&english, listing->compiled, section->name);
	json_set_str(json, "english", buf_str(&english));
	set_json(json, "stats",
	    ctl_rule_stats_json(
		&listing->stats, section->name, listing->now_unix));
	return json;
}

static int
list_json(const struct listing *listing)
{
	struct json *document = json_new_object();
	struct json *rules = json_new_array();

	for (size_t i = 0; i < listing->count; i++)
		json_add(rules, rule_json(listing, listing->rules[i]));
	json_set_bool(document, "ok", true);
	json_set_str(document, "stats_error",
	    listing->stats.is_read ? NULL : listing->stats.error.text);
	json_set(document, "rules", rules);
	return ctl_finish_json(document, EX_OK);
}

int
ctl_rules(struct ctl *ctl)
{
	CTL_CONFIG_AUTO loaded = {0};
	struct listing listing;
	weight_fn *weigh;
	int code = read_order(ctl, &weigh);

	if (code == EX_OK)
		code = ctl_config_need(ctl, ctl->arguments[0], &loaded);
	if (code != EX_OK)
		return code;
	listing_init(&listing, loaded.config);
	if (weigh != NULL)
		sort_listing(&listing, weigh);
	code = ctl->json ? list_json(&listing) : list_text(ctl, &listing);
	listing_done(&listing);
	return code;
}
