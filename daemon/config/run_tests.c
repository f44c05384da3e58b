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
#include "daemon/config/files.h"
#include "daemon/config/problem.h"

/* What a judgement must be compared with, and what came out. */
struct verdict {
	const struct config *config;
	const struct config_test *test;
	struct strv matched;  /* ids, also of rules that only observe */
	struct strv expected; /* ids */
	bool expects_none;
	struct plan plan;
};

/* ---- the message ---- */

static bool
read_message(
    const struct config_test *test, struct buf *text, struct error *error_r)
{
	if (test->message != NULL)
		return files_read_text(test->message, text, error_r);
	for (size_t i = 0; i < test->headers.len; i++)
		buf_addf(text, "%s\r\n", test->headers.items[i]);
	buf_add_str(text, "\r\n");
	return true;
}

static void
judge(struct verdict *v, struct span text, int64_t now_unix)
{
	static const struct strv no_flags = STRV_INIT;
	const struct config_test *test = v->test;
	const struct config_account *account = &v->config->accounts[0];

	if (test->account != NULL)
		account = config_find_account(v->config, test->account);
	struct message *message = message_new(text);
	struct facts facts = {
	    .message = message,
	    .account = account->name,
	    .mailbox = test->mailbox,
	    .flags = &no_flags,
	    .size = text.len,
	    .received_unix = now_unix,
	    .now_unix = now_unix,
	    .identities = &account->identity,
	    .authserv = &account->authserv,
	    .default_notification = account->notify == CONFIG_NOTIFY_YES,
	};
	rules_judge(v->config->rules, &facts, &v->plan);
	strv_copy(&v->matched, &v->plan.matched);
	for (size_t i = 0; i < v->plan.observed.len; i++)
		strv_add(&v->matched, v->plan.observed.items[i]);
	message_free(&message);
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

static bool
check_item(struct verdict *v, struct span item, struct config_report *report)
{
	struct span rest = item, word;

	span_split(&rest, ' ', &word);
	struct span object = span_trim(rest);
	enum action_kind kind = find_action(word);
	if (span_is(item, "none")) {
		v->expects_none = true;
		return true;
	}
	if (is_rule(v->config, item)) {
		strv_add_span(&v->expected, item);
		return true;
	}
	bool is_quiet = span_is(item, "quiet");
	if (!is_quiet && kind == ACTION_KINDS)
		return unknown_item(v, word, report);
	if (is_quiet ? v->plan.quiet : plan_has(&v->plan, kind, object))
		return true;
	STR_AUTO text = xasprintf("`%.*s` is not done", SPAN_FMT(item));
	complain(v, report, NULL, text);
	return false;
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
	STR_AUTO text = xasprintf("expected %s, but %s matched",
	    v->expected.len == 0 ? "no rule" : want,
	    v->matched.len == 0 ? "no rule" : got);
	complain(v, report, NULL, text);
	return false;
}

static bool
check_items(struct verdict *v, struct config_report *report)
{
	struct span rest = span_from_str(v->test->expect), item;

	while (span_split(&rest, ',', &item)) {
		item = span_trim(item);
		if (item.len > 0 && !check_item(v, item, report))
			return false;
	}
	return check_rules(v, report);
}

/* ---- all ---- */

static bool
run_test(const struct config *config, const struct config_test *test,
    int64_t now_unix, struct config_report *report)
{
	struct verdict v = {.config = config, .test = test};
	struct error error = ERROR_INIT;
	BUF_AUTO text = BUF_INIT;

	if (!read_message(test, &text, &error)) {
		problem_add(&report->problems, false, test->message_place, NULL,
		    "test %s: %s", test->name, error.text);
		return false;
	}
	judge(&v, buf_span(&text), now_unix);
	bool passed = check_items(&v, report);
	plan_done(&v.plan);
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
