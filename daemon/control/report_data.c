#include "daemon/control/report_data.h"

#include "daemon/base/xalloc.h"
#include "daemon/control/ctl.h"

#define HOUR 3600
#define OTHERS "(others)"
#define DEFAULT "(default)" /* what no rule wants */

const int64_t report_delays[REPORT_DELAYS] = {
    1, 2, 5, 10, 30, 60, 300, 3600, INT64_MAX};

/* ---- time ---- */

/* The beginning of the slot that `when` lies in, `step` slots further. */
static int64_t
slot_begin(int64_t when, bool is_hourly, int step)
{
	return is_hourly ? when - when % HOUR + (int64_t)step * HOUR
			 : ctl_midnight(when, step);
}

void
report_init(struct report *report, int64_t from, int64_t to)
{
	bool is_hourly = to - from <= (int64_t)REPORT_HOURLY_MAX * HOUR;
	int64_t begin = slot_begin(from, is_hourly, 0);

	if (!is_hourly && to - begin > (REPORT_SLOTS_MAX - 2) * 24LL * HOUR)
		begin = slot_begin(to, false, -(REPORT_SLOTS_MAX - 2));
	*report = (struct report){
	    .from = begin,
	    .to = to,
	    .is_hourly = is_hourly,
	};
	while (begin < to && report->slot_count < REPORT_SLOTS_MAX) {
		report->slots[report->slot_count++].begin = begin;
		begin = slot_begin(begin, is_hourly, 1);
	}
}

void
report_done(struct report *report)
{
	for (size_t i = 0; i < report->rule_count; i++)
		free(report->rules[i].name);
	free(report->rules);
	for (size_t i = 0; i < report->account_count; i++) {
		free(report->accounts[i].name);
		free(report->accounts[i].hours);
	}
	free(report->accounts);
	*report = (struct report){0};
}

/* NULL: it lies outside. */
static struct report_slot *
slot_of(struct report *report, int64_t when)
{
	size_t from = 0, to = report->slot_count;

	if (when < report->from || when >= report->to)
		return NULL;
	while (to - from > 1) {
		size_t middle = from + (to - from) / 2;
		if (report->slots[middle].begin <= when)
			from = middle;
		else
			to = middle;
	}
	return to > from ? &report->slots[from] : NULL;
}

/* ---- messages ---- */

static struct report_rule *
rule_of(struct report *report, struct span name)
{
	struct report_rule *rule;

	for (size_t i = 0; i < report->rule_count; i++)
		if (span_is(name, report->rules[i].name))
			return &report->rules[i];
	if (report->rule_count >= REPORT_RULES_MAX && !span_is(name, OTHERS))
		return rule_of(report, SPAN(OTHERS));
	report->rules = xreallocarray(
	    report->rules, report->rule_count + 1, sizeof(*report->rules));
	rule = &report->rules[report->rule_count++];
	*rule = (struct report_rule){.name = xstrdup_span(name)};
	return rule;
}

static struct report_account *
account_of(struct report *report, const char *name)
{
	struct report_account *account;

	for (size_t i = 0; i < report->account_count; i++)
		if (strcmp(report->accounts[i].name, name) == 0)
			return &report->accounts[i];
	report->accounts = xreallocarray(report->accounts,
	    report->account_count + 1, sizeof(*report->accounts));
	account = &report->accounts[report->account_count++];
	*account = (struct report_account){.name = xstrdup(name)};
	return account;
}

static void
add_delay(struct report *report, int64_t received, int64_t rang)
{
	size_t i = 0;

	report->notifications++;
	if (received == 0 || rang == 0)
		return;
	while (rang - received > report_delays[i])
		i++;
	report->delays[i]++;
}

static bool
is_word(const char *text, const char *word)
{
	return text != NULL && strcmp(text, word) == 0;
}

static bool
has_rule(const struct json *effect)
{
	const char *name = json_get_str(effect, "rule");

	return name != NULL && *name != '\0';
}

static void
add_effect(struct report *report, struct report_slot *slot,
    const struct json *effect, int64_t received)
{
	const char *state = json_get_str(effect, "state");
	const char *name = json_get_str(effect, "rule");
	struct report_rule *rule = rule_of(
	    report, has_rule(effect) ? span_from_str(name) : SPAN(DEFAULT));
	size_t at = (size_t)(slot - report->slots);

	report->actions++;
	slot->actions++;
	if (is_word(state, "done")) {
		rule->done++;
		if (is_word(json_get_str(effect, "action"), "notify"))
			add_delay(report, received,
			    ctl_parse_time(json_get_str(effect, "changed")));
	} else if (is_word(state, "failed") || is_word(state, "unknown")) {
		rule->failed++;
		rule->failed_by_slot[at]++;
		slot->failed++;
		report->failed++;
	} else if (is_word(state, "skipped")) {
		rule->skipped++;
	} else {
		rule->open++;
	}
}

void
report_add_message(struct report *report, const struct json *message)
{
	int64_t judged = ctl_parse_time(json_get_str(message, "judged"));
	int64_t received = ctl_parse_time(json_get_str(message, "received"));
	const struct json *effects = json_get(message, "effects");
	const char *account = json_get_str(message, "account");
	struct report_slot *slot = slot_of(report, judged);
	struct span rules = span_from_str(json_get_str(message, "rules"));
	struct span name;
	bool has_default = false;

	if (slot == NULL)
		return;
	size_t at = (size_t)(slot - report->slots);
	report->messages++;
	slot->mail++;
	account_of(report, account != NULL ? account : "")->messages++;
	while (span_split(&rules, ' ', &name)) {
		if (name.len == 0)
			continue;
		struct report_rule *rule = rule_of(report, name);
		rule->messages++;
		rule->by_slot[at]++;
	}
	for (size_t i = 0; i < json_count(effects); i++) {
		add_effect(report, slot, json_at(effects, i), received);
		has_default |= !has_rule(json_at(effects, i));
	}
	/* Once, however often it rings. */
	if (has_default)
		rule_of(report, SPAN(DEFAULT))->by_slot[at]++;
}

/* ---- accounts ---- */

static struct report_hour
hour_of(const struct json *json)
{
	return (struct report_hour){
	    .begin = ctl_parse_time(json_get_str(json, "hour")),
	    .connects = json_get_int(json, "connects", 0),
	    .losses = json_get_int(json, "losses", 0),
	    .watched = json_get_int(json, "watched_s", 0),
	    .total = json_get_int(json, "total_s", 0),
	};
}

void
report_add_account(struct report *report, const struct json *json)
{
	const char *name = json_get_str(json, "account");
	const struct json *hours = json_get(json, "hours");
	struct report_account *account =
	    account_of(report, name != NULL ? name : "");

	free(account->hours);
	account->hours =
	    xcalloc(json_count(hours) + 1, sizeof(*account->hours));
	account->hour_count = 0;
	for (size_t i = 0; i < json_count(hours); i++) {
		struct report_hour hour = hour_of(json_at(hours, i));
		if (hour.begin + HOUR > report->from && hour.begin < report->to)
			account->hours[account->hour_count++] = hour;
	}
}

/* ---- the order ---- */

static unsigned
weight_of(const struct report_rule *rule)
{
	return rule->messages > 0 ? rule->messages
				  : rule->done + rule->failed + rule->open;
}

static int
compare_rules(const void *a, const void *b)
{
	const struct report_rule *left = a, *right = b;

	if (weight_of(left) != weight_of(right))
		return weight_of(left) < weight_of(right) ? 1 : -1;
	return strcmp(left->name, right->name);
}

static int
compare_accounts(const void *a, const void *b)
{
	const struct report_account *left = a, *right = b;

	return strcmp(left->name, right->name);
}

void
report_sort(struct report *report)
{
	if (report->rule_count > 0)
		qsort(report->rules, report->rule_count, sizeof(*report->rules),
		    compare_rules);
	if (report->account_count > 0)
		qsort(report->accounts, report->account_count,
		    sizeof(*report->accounts), compare_accounts);
}
