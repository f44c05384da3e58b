/* test, explain: what would the rules do with these messages? */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/control/ctl_summary.h"
#include "daemon/control/ctl_trace.h"

#define ERRORS_MAX 1000		/* unreadable files that JSON names */
#define WRITE_BYTES (64 * 1024) /* written at once */

/* Where no account is configured, as in a file of rules alone. */
static const struct config_account nobody = {
    .name = (char *)(uintptr_t) "test",
    .notify = CONFIG_NOTIFY_YES,
};

struct testing {
	const struct ctl *ctl;
	const struct config *config;
	struct ctl_judge judge;
	struct strv flags;    /* of --flags */
	struct strv expected; /* rules of --expect */
	bool expects, is_summary, is_brief, is_verbose;
	struct buf out;
	struct json *errors;	      /* of files, for JSON */
	enum trace_outcome *outcomes; /* of one message */
	struct ctl_summary summary;
	bool is_output_broken;
};

static void
write_out(struct testing *t)
{
	if (!t->is_output_broken)
		t->is_output_broken = !ctl_write(&t->out);
	else
		buf_clear(&t->out);
}

/* ---- one message ---- */

/* Exactly the expected rules matched; in observe mode counts, too. */
static bool
is_expected(const struct testing *t, const struct plan *plan)
{
	size_t count = plan->matched.len + plan->observed.len;

	if (!t->expects)
		return true;
	for (size_t i = 0; i < t->expected.len; i++)
		if (!strv_has(&plan->matched, t->expected.items[i]) &&
		    !strv_has(&plan->observed, t->expected.items[i]))
			return false;
	return count == t->expected.len;
}

static void
show(struct testing *t, const struct ctl_verdict *verdict)
{
	if (t->ctl->json) {
		struct json *json = ctl_trace_json(verdict);
		if (t->expects)
			json_set_bool(json, "expected", verdict->is_expected);
		buf_add_str(&t->out, t->summary.messages > 1 ? ",\n" : "\n");
		json_print(json, &t->out, false);
		json_free(&json);
	} else {
		ctl_trace_print(t->ctl, verdict, &t->out);
	}
	if (t->out.len >= WRITE_BYTES)
		write_out(t);
}

/* Without a trace they are there already. */
static void
copy_outcomes(struct testing *t, const struct trace *trace)
{
	for (size_t i = 0; i < trace->count; i++)
		t->outcomes[i] = trace->rules[i].outcome;
}

static void
on_unreadable(void *ctx, const char *source, const struct error *error)
{
	struct testing *t = ctx;

	t->summary.unreadable++;
	if (!t->ctl->json) {
		write_out(t);
		ctl_fail(
		    t->ctl, EX_NOINPUT, NULL, "%s: %s", source, error->text);
	} else if (t->summary.unreadable <= ERRORS_MAX) {
		struct json *json = json_new_object();
		json_set_str(json, "source", source);
		json_set_str(json, "error", error->text);
		json_add(t->errors, json);
	}
}

static void
on_message(void *ctx, const struct ctl_message *from)
{
	struct testing *t = ctx;
	struct error error = ERROR_INIT;
	struct ctl_judgement judgement;

	if (!ctl_judge_message(&t->judge, from,
		t->is_summary || t->is_brief ? t->outcomes : NULL, &judgement,
		&error)) {
		on_unreadable(t, from->source, &error);
		return;
	}
	copy_outcomes(t, &judgement.trace);
	ctl_summary_count(&t->summary, t->outcomes, &judgement.plan);
	const struct ctl_verdict verdict = {
	    .judgement = &judgement,
	    .is_brief = t->is_brief,
	    .is_verbose = t->is_verbose,
	    .is_expected = is_expected(t, &judgement.plan),
	};
	if (!verdict.is_expected)
		t->summary.unexpected++;
	if (!t->is_summary && !t->is_output_broken)
		show(t, &verdict);
	ctl_judgement_done(&judgement);
}

/* ---- options ---- */

/* EX_OK, or it was said why not. */
static int
choose_account(struct testing *t, const struct config *accounts)
{
	const char *name = ctl_get(t->ctl, "account");

	t->judge.account =
	    accounts->account_count > 0 ? &accounts->accounts[0] : &nobody;
	if (name == NULL)
		return EX_OK;
	t->judge.account = config_find_account(accounts, name);
	if (t->judge.account == NULL)
		return ctl_fail(t->ctl, EX_USAGE, NULL,
		    "the configuration has no account %s", name);
	return EX_OK;
}

static int
set_clock(struct testing *t)
{
	int64_t now_unix = ctl_now_unix();
	int code = ctl_get_time(t->ctl, "now", &now_unix);
	struct tm tm;

	if (code != EX_OK)
		return code;
	time_t now = (time_t)now_unix;
	t->judge.now_unix = now_unix;
	if (localtime_r(&now, &tm) != NULL)
		t->judge.utc_offset = (int)tm.tm_gmtoff;
	return EX_OK;
}

/* A comma list, or blanks between the words. */
static void
split_words(struct strv *words, const char *text)
{
	size_t len;

	for (text += strspn(text, ", "); *text != '\0';
	     text += len + strspn(text + len, ", ")) {
		len = strcspn(text, ", ");
		strv_add_span(words, span_from(text, len));
	}
}

static const char *
flag_of(const char *word)
{
	static const char *const flags[][2] = {
	    {"read", "\\Seen"},
	    {"flagged", "\\Flagged"},
	    {"answered", "\\Answered"},
	    {"draft", "\\Draft"},
	    {"deleted", "\\Deleted"},
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (span_is_nocase(span_from_str(word), flags[i][0]))
			return flags[i][1];
	return word;
}

static void
set_flags(struct testing *t)
{
	STRV_AUTO words = STRV_INIT;
	const char *text = ctl_get(t->ctl, "flags");

	if (text == NULL)
		return;
	split_words(&words, text);
	for (size_t i = 0; i < words.len; i++)
		if (strcmp(words.items[i], "unread") != 0)
			strv_add(&t->flags, flag_of(words.items[i]));
	t->judge.flags = &t->flags;
}

static const char *
nearest_rule(const struct rules *rules, const char *word)
{
	size_t count = rules_count(rules);
	const char **ids = xcalloc(count + 1, sizeof(*ids));

	for (size_t i = 0; i < count; i++)
		ids[i] = rules_id(rules, i);
	const char *nearest = str_nearest(span_from_str(word), ids);
	free(ids);
	return nearest;
}

static bool
is_rule(const struct rules *rules, const char *word)
{
	for (size_t i = 0; i < rules_count(rules); i++)
		if (strcmp(rules_id(rules, i), word) == 0)
			return true;
	return false;
}

static int
set_expected(struct testing *t)
{
	const char *text = ctl_get(t->ctl, "expect");

	t->expects = text != NULL;
	if (!t->expects || strcmp(text, "none") == 0)
		return EX_OK;
	split_words(&t->expected, text);
	for (size_t i = 0; i < t->expected.len; i++) {
		const char *word = t->expected.items[i];
		if (is_rule(t->config->rules, word))
			continue;
		const char *nearest = nearest_rule(t->config->rules, word);
		STR_AUTO hint =
		    nearest != NULL
			? xasprintf("did you mean `%s`?", nearest)
			: xstrdup("rules with commas between them, or none");
		return ctl_fail(t->ctl, EX_USAGE, hint,
		    "--expect: there is no rule %s", word);
	}
	return EX_OK;
}

static int
read_wishes(struct testing *t, const struct config *accounts)
{
	int code = choose_account(t, accounts);

	t->is_summary = ctl_has(t->ctl, "summary");
	t->is_brief = ctl_has(t->ctl, "brief");
	t->is_verbose = ctl_has(t->ctl, "verbose");
	t->judge.rules = t->config->rules;
	t->judge.mailbox = ctl_get(t->ctl, "mailbox");
	t->judge.is_new_sender = ctl_has(t->ctl, "new-sender");
	t->judge.skips_received =
	    t->is_summary && !ctl_judge_needs_received(&t->judge);
	set_flags(t);
	if (code == EX_OK)
		code = set_clock(t);
	if (code == EX_OK)
		code = set_expected(t);
	return code;
}

/* ---- all ---- */

static void
read_all(struct testing *t)
{
	const struct ctl_messages_sink sink = {
	    .message = on_message,
	    .unreadable = on_unreadable,
	    .ctx = t,
	    .keeps_whole = ctl_judge_needs_whole(&t->judge),
	};

	if (t->ctl->json)
		buf_add_str(&t->out, t->is_summary ? "{" : "{\"messages\": [");
	for (int i = 0; i < t->ctl->argument_count; i++)
		ctl_messages_read(t->ctl->arguments[i], &sink);
}

static bool
is_ok(const struct testing *t)
{
	return t->summary.unreadable == 0 && t->summary.unexpected == 0;
}

static void
add_end(struct testing *t)
{
	if (!t->ctl->json) {
		if (t->is_summary)
			ctl_summary_print(&t->summary, &t->out);
		return;
	}
	struct json *summary = ctl_summary_json(&t->summary);
	buf_add_str(
	    &t->out, t->is_summary ? "\n\"errors\": " : "\n],\n\"errors\": ");
	json_print(t->errors, &t->out, false);
	buf_add_str(&t->out, ",\n\"summary\": ");
	json_print(summary, &t->out, false);
	buf_addf(&t->out, ",\n\"ok\": %s}\n", is_ok(t) ? "true" : "false");
	json_free(&summary);
}

static int
exit_code(const struct testing *t)
{
	if (t->is_output_broken)
		return EX_IOERR;
	if (t->summary.unreadable > 0)
		return EX_NOINPUT;
	return t->summary.unexpected > 0 ? CTL_EXIT_TROUBLE : EX_OK;
}

static int
run(struct testing *t)
{
	ctl_summary_init(&t->summary, t->config->rules);
	t->outcomes =
	    xcalloc(rules_count(t->config->rules) + 1, sizeof(*t->outcomes));
	t->errors = json_new_array();
	read_all(t);
	add_end(t);
	write_out(t);
	int code = exit_code(t);
	free(t->outcomes);
	json_free(&t->errors);
	buf_done(&t->out);
	ctl_summary_done(&t->summary);
	return code;
}

static int
judge_by(const struct ctl *ctl, const struct config *rules,
    const struct config *accounts)
{
	struct testing testing = {.ctl = ctl, .config = rules};
	int code = read_wishes(&testing, accounts);

	if (code == EX_OK)
		code = run(&testing);
	strv_done(&testing.flags);
	strv_done(&testing.expected);
	return code;
}

/* With --rules FILE the accounts are still those of the configuration, where
 * there is one. */
static int
judge_by_file(const struct ctl *ctl, const char *path)
{
	CTL_CONFIG_AUTO usual = {0};
	CTL_CONFIG_AUTO loaded = {0};
	static const struct config nothing = {0};
	int code = EX_OK;

	if (ctl->config != NULL)
		code = ctl_config_need(ctl, NULL, &usual);
	else
		ctl_config_try(&usual);
	if (code == EX_OK)
		code = ctl_rules_file_load(ctl, path, usual.config, &loaded);
	if (code != EX_OK)
		return code;
	const struct config *accounts =
	    usual.config != NULL ? usual.config : &nothing;
	return judge_by(ctl, loaded.config, accounts);
}

int
ctl_test(struct ctl *ctl)
{
	CTL_CONFIG_AUTO loaded = {0};

	if (ctl_has(ctl, "rules"))
		return judge_by_file(ctl, ctl_get(ctl, "rules"));
	int code = ctl_config_need(ctl, NULL, &loaded);
	if (code != EX_OK)
		return code;
	return judge_by(ctl, loaded.config, loaded.config);
}

/* ACCOUNT/MAILBOX/UID, unless a file is called so. */
static bool
is_on_server(const char *argument)
{
	const char *slash = strrchr(argument, '/');

	return slash != NULL && strchr(argument, '/') != slash &&
	       argument[0] != '/' && argument[0] != '.' &&
	       access(argument, F_OK) != 0;
}

int
ctl_explain(struct ctl *ctl)
{
	if (is_on_server(ctl->arguments[0]))
		return ctl_explain_on_server(ctl);
	return ctl_test(ctl);
}
