/*
 * Running the [test] sections: see config.h.
 *
 *   expect = item *( "," item )
 *   item   = "none" / rule-id / action [ 1*WSP object ] / "quiet"
 *
 * When rule ids are given, just these rules must match; an action must be in
 * the plan; `none` is: no rule matches.
 */
#include "daemon/config/config.h"

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/config/echo.h"
#include "daemon/config/problem.h"
#include "daemon/config/test_message.h"

/* What a judgement must be compared with, and what came out. */
struct verdict {
	const struct config *config;
	const struct config_test *test;
	struct strv matched;  /* ids, also of rules that only observe */
	struct strv expected; /* ids */
	bool expects_none;
	struct plan plan;
};

static void
judge(struct verdict *v, const struct test_message *message, int64_t now_unix)
{
	const struct config_test *test = v->test;
	const struct config_account *account = &v->config->accounts[0];

	if (test->account != NULL)
		account = config_find_account(v->config, test->account);
	struct facts facts = {
	    .account = account->name,
	    .mailbox = test->mailbox,
	    .identities = &account->identity,
	    .authserv = &account->authserv,
	    .watch = &account->watch,
	    .default_notification = account->notify == CONFIG_NOTIFY_YES,
	    .escalate = &account->escalate,
	};
	test_message_tell(message, test, now_unix, &facts);
	rules_judge(v->config->rules, &facts, &v->plan);
	strv_copy(&v->matched, &v->plan.matched);
	for (size_t i = 0; i < v->plan.observed.len; i++)
		strv_add(&v->matched, v->plan.observed.items[i]);
}

/* ---- what is expected of actions ---- */

static const struct mark_word {
	const char *word, *flag;
	bool is_removed;
} mark_words[] = {
    {"read", "\\Seen", false},
    {"unread", "\\Seen", true},
    {"flagged", "\\Flagged", false},
    {"answered", "\\Answered", false},
};

static bool
is_marked(const struct action *action, struct span word)
{
	for (size_t i = 0; i < sizeof(mark_words) / sizeof(mark_words[0]); i++)
		if (span_is(word, mark_words[i].word))
			return strv_has(mark_words[i].is_removed
					    ? &action->remove
					    : &action->add,
			    mark_words[i].flag);
	if (span_starts(word, "-"))
		return strv_has_nocase(&action->remove, span_skip(word, 1));
	return strv_has_nocase(&action->add, word);
}

static bool
is_object(const struct action *action, struct span object)
{
	static const char *const urgencies[] = {"low", "normal", "critical"};

	if (object.len == 0)
		return true;
	if (action->kind == ACTION_MARK)
		return is_marked(action, object);
	if (action->kind == ACTION_NOTIFY)
		return span_is(object, urgencies[action->urgency]);
	return action->target != NULL && span_is(object, action->target);
}

/* ACTION_KINDS: no action. */
static enum action_kind
find_action(struct span word)
{
	int kind = 0;

	while (kind < ACTION_KINDS &&
	       !span_is(word, action_name((enum action_kind)kind)))
		kind++;
	return (enum action_kind)kind;
}

static bool
plan_has(const struct plan *plan, enum action_kind kind, struct span object)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->actions[i].kind == kind &&
		    is_object(&plan->actions[i], object))
			return true;
	return false;
}

/* ---- items ---- */

static bool
is_rule(const struct config *config, struct span id)
{
	for (size_t i = 0; i < rules_count(config->rules); i++)
		if (span_is(id, rules_id(config->rules, i)))
			return true;
	return false;
}

static const char *
nearest_rule(const struct config *config, struct span word)
{
	size_t count = rules_count(config->rules);
	const char **ids = xcalloc(count + 1, sizeof(*ids));

	for (size_t i = 0; i < count; i++)
		ids[i] = rules_id(config->rules, i);
	const char *nearest = str_nearest(word, ids);
	free(ids);
	return nearest;
}

static void
complain(const struct verdict *v, struct config_report *report,
    const char *hint, const char *text)
{
	problem_add(&report->problems, false, v->test->expect_place, hint,
	    "test %s: %s", v->test->name, text);
}

static bool
unknown_item(struct verdict *v, struct span word, struct config_report *report)
{
	const char *nearest = nearest_rule(v->config, word);
	STR_AUTO hint =
	    nearest == NULL ? NULL : xasprintf("did you mean `%s`?", nearest);
	STR_AUTO text =
	    xasprintf("`%.*s` is neither a rule nor an action", SPAN_FMT(word));

	complain(v, report, hint, text);
	return false;
}

/* "move to Lists (rule lkml), notify": what is done in fact. */
static void
describe_plan(const struct verdict *v, struct buf *words)
{
	for (size_t i = 0; i < v->plan.count; i++) {
		const struct action *action = &v->plan.actions[i];
		buf_add_str(words, i > 0 ? ", " : "");
		action_describe(words, action);
		if (action->rule[0] != '\0')
			buf_addf(words, " (rule %s)", action->rule);
	}
	if (v->plan.count == 0)
		buf_add_str(words, "nothing");
	if (v->plan.quiet)
		buf_add_str(words, ", quiet");
	for (size_t i = 0; i < v->plan.would.len; i++)
		buf_addf(words, "; only observed: %s", v->plan.would.items[i]);
}

static bool
item_missing(struct verdict *v, struct span item, struct config_report *report)
{
	BUF_AUTO words = BUF_INIT;

	describe_plan(v, &words);
	STR_AUTO text = xasprintf(
	    "`%.*s` is not done; what is: %s", SPAN_FMT(item), buf_str(&words));
	complain(v, report, NULL, text);
	return false;
}

/* Which rules are expected; false: the item is nothing that is known. */
static bool
read_item(struct verdict *v, struct span item, struct config_report *report)
{
	struct span word = span_slice(item, 0, span_find(item, ' '));

	if (span_is(item, "none"))
		v->expects_none = true;
	else if (is_rule(v->config, item))
		strv_add_span(&v->expected, item);
	else if (!span_is(item, "quiet") && find_action(word) == ACTION_KINDS)
		return unknown_item(v, word, report);
	return true;
}

/* Rules are compared by check_rules, all at once. */
static bool
check_item(struct verdict *v, struct span item, struct config_report *report)
{
	struct span object = item, word;
	bool is_done;

	if (span_is(item, "none") || is_rule(v->config, item))
		return true;
	span_split(&object, ' ', &word);
	is_done = span_is(item, "quiet") ? v->plan.quiet
					 : plan_has(&v->plan, find_action(word),
					       span_trim(object));
	return is_done || item_missing(v, item, report);
}

static bool
check_rules(struct verdict *v, struct config_report *report)
{
	bool is_same = v->expected.len == v->matched.len;

	if (v->expected.len == 0 && !v->expects_none)
		return true;
	for (size_t i = 0; i < v->expected.len; i++)
		is_same =
		    is_same && strv_has(&v->matched, v->expected.items[i]);
	if (is_same)
		return true;
	STR_AUTO got = strv_join(&v->matched, ", ");
	STR_AUTO want = strv_join(&v->expected, ", ");
	STR_AUTO warnings = strv_join(&v->plan.warnings, "; ");
	STR_AUTO text = xasprintf("expected %s, but %s matched%s%s",
	    v->expected.len == 0 ? "no rule" : want,
	    v->matched.len == 0 ? "no rule" : got,
	    *warnings != '\0' ? "; " : "", warnings);
	complain(v, report, NULL, text);
	return false;
}

typedef bool item_fn(
    struct verdict *v, struct span item, struct config_report *report);

static bool
each_item(struct verdict *v, item_fn *fn, struct config_report *report)
{
	struct span rest = span_from_str(v->test->expect), item;

	while (span_split(&rest, ',', &item)) {
		item = span_trim(item);
		if (item.len > 0 && !fn(v, item, report))
			return false;
	}
	return true;
}

/* Where the wrong rules match, their actions are no news. */
static bool
check_items(struct verdict *v, struct config_report *report)
{
	return each_item(v, read_item, report) && check_rules(v, report) &&
	       each_item(v, check_item, report);
}

/* ---- all ---- */

static bool
run_test(const struct config *config, const struct config_test *test,
    int64_t now_unix, struct config_report *report)
{
	struct verdict v = {.config = config, .test = test};
	struct error error = ERROR_INIT;
	struct test_message message;
	bool passed = false;

	if (test_message_read(&message, test, &error)) {
		judge(&v, &message, now_unix);
		passed = check_items(&v, report);
		plan_done(&v.plan);
	} else {
		problem_add(&report->problems, false, test->message_place, NULL,
		    "test %s: %s", test->name, error.text);
	}
	test_message_done(&message);
	strv_done(&v.matched);
	strv_done(&v.expected);
	return passed;
}

size_t
config_run_tests(
    const struct config *config, int64_t now_unix, struct config_report *report)
{
	size_t failed = 0;

	for (size_t i = 0; i < config->test_count; i++)
		if (!run_test(config, &config->tests[i], now_unix, report))
			failed++;
	echo_problems(&config->files, report);
	return failed;
}
