/* test, explain: what would the rules do with these messages? */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/xalloc.h"
#include "daemon/control/ctl_table.h"
#include "daemon/control/ctl_trace.h"

#define OUTCOMES (TRACE_FAILED + 1)

/* Where no account is configured, as in a file of rules alone. */
static const struct config_account nobody = {
    .name = (char *)(uintptr_t) "test",
    .notify = CONFIG_NOTIFY_YES,
};

struct testing {
	const struct ctl *ctl;
	const struct config *config;
	const struct config_account *account;
	const char *mailbox;
	int64_t now_unix;
	int utc_offset;
	struct buf out;
	struct json *errors; /* of files, for JSON */
	/* For the summary. */
	size_t messages, unreadable;
	size_t (*outcomes)[OUTCOMES]; /* by rule */
	size_t actions[ACTION_KINDS];
	bool is_summary, is_output_broken;
};

/* ---- one message ---- */

static void
count(struct testing *t, const struct plan *plan, const struct trace *trace)
{
	for (size_t i = 0; i < trace->count; i++)
		t->outcomes[i][trace->rules[i].outcome]++;
	for (size_t i = 0; i < plan->count; i++)
		t->actions[plan->actions[i].kind]++;
}

/* Messages are written as they come: there may be many. */
static void
show(struct testing *t, const struct ctl_verdict *verdict)
{
	if (t->is_summary)
		return;
	if (t->ctl->json) {
		struct json *json = ctl_trace_json(verdict);
		buf_add_str(&t->out, t->messages > 1 ? ",\n" : "\n");
		json_print(json, &t->out, false);
		json_free(&json);
	} else {
		ctl_trace_print(t->ctl, verdict, &t->out);
	}
	if (!t->is_output_broken)
		t->is_output_broken = !ctl_write(&t->out);
}

static void
on_message(void *ctx, const struct ctl_message *from)
{
	struct testing *t = ctx;
	struct message *message = message_new(from->head);
	struct plan plan;
	struct trace trace;
	const struct facts facts = {
	    .message = message,
	    .account = t->account->name,
	    .mailbox = t->mailbox,
	    .flags = from->flags,
	    .size = from->size,
	    .received_unix =
		from->received_unix != 0 ? from->received_unix : t->now_unix,
	    .now_unix = t->now_unix,
	    .utc_offset = t->utc_offset,
	    .identities = &t->account->identity,
	    .authserv = &t->account->authserv,
	    .default_notification = t->account->notify == CONFIG_NOTIFY_YES,
	};

	rules_explain(t->config->rules, &facts, &plan, &trace);
	t->messages++;
	count(t, &plan, &trace);
	const struct ctl_verdict verdict = {
	    .from = from,
	    .message = message,
	    .account = t->account->name,
	    .mailbox = t->mailbox,
	    .plan = &plan,
	    .trace = &trace,
	};
	show(t, &verdict);
	trace_done(&trace);
	plan_done(&plan);
	message_free(&message);
}

static void
on_unreadable(void *ctx, const char *source, const struct error *error)
{
	struct testing *t = ctx;

	t->unreadable++;
	if (!t->ctl->json) {
		ctl_fail(
		    t->ctl, EX_NOINPUT, NULL, "%s: %s", source, error->text);
		return;
	}
	struct json *json = json_new_object();
	json_set_str(json, "source", source);
	json_set_str(json, "error", error->text);
	json_add(t->errors, json);
}

/* ---- the summary ---- */

static struct json *
summary_json(const struct testing *t)
{
	struct json *json = json_new_object();
	struct json *rules = json_new_array();
	struct json *actions = json_new_object();

	json_set_int(json, "messages", (int64_t)t->messages);
	for (size_t i = 0; i < rules_count(t->config->rules); i++) {
		struct json *rule = json_new_object();
		json_set_str(rule, "rule", rules_id(t->config->rules, i));
		for (int j = 0; j < OUTCOMES; j++)
			json_set_int(rule,
			    trace_outcome_name((enum trace_outcome)j),
			    (int64_t)t->outcomes[i][j]);
		json_add(rules, rule);
	}
	for (int i = 0; i < ACTION_KINDS; i++)
		json_set_int(actions, action_name((enum action_kind)i),
		    (int64_t)t->actions[i]);
	json_set(json, "rules", rules);
	json_set(json, "actions", actions);
	return json;
}

static void
add_summary(struct testing *t)
{
	static const enum trace_outcome shown[] = {TRACE_MATCHED,
	    TRACE_OBSERVED, TRACE_VETOED, TRACE_FAILED, TRACE_NOT_MATCHED};
	const size_t columns = sizeof(shown) / sizeof(*shown);
	struct ctl_table table;

	ctl_add_count(&t->out, t->messages, "message");
	buf_add_char(&t->out, '\n');
	ctl_table_init(&table, columns + 1);
	ctl_table_add(&table, "RULE");
	for (size_t j = 0; j < columns; j++)
		ctl_table_add(&table, trace_outcome_name(shown[j]));
	for (size_t i = 0; i < rules_count(t->config->rules); i++) {
		ctl_table_add(&table, rules_id(t->config->rules, i));
		for (size_t j = 0; j < columns; j++)
			ctl_table_add_int(
			    &table, (int64_t)t->outcomes[i][shown[j]]);
	}
	ctl_table_print(&table, &t->out, "  ");
	ctl_table_done(&table);
	for (int i = 0; i < ACTION_KINDS; i++)
		if (t->actions[i] > 0)
			buf_addf(&t->out, "  %s: %zu\n",
			    action_name((enum action_kind)i), t->actions[i]);
}

/* ---- all ---- */

/* EX_OK, or it was said why not. */
static int
choose_account(struct testing *t, const struct config *accounts)
{
	const char *name = ctl_get(t->ctl, "account");

	t->account =
	    accounts->account_count > 0 ? &accounts->accounts[0] : &nobody;
	if (name == NULL)
		return EX_OK;
	t->account = config_find_account(accounts, name);
	if (t->account == NULL)
		return ctl_fail(t->ctl, EX_USAGE, NULL,
		    "the configuration has no account %s", name);
	return EX_OK;
}

static void
set_clock(struct testing *t)
{
	time_t now = (time_t)ctl_now_unix();
	struct tm tm;

	t->now_unix = (int64_t)now;
	if (localtime_r(&now, &tm) != NULL)
		t->utc_offset = (int)tm.tm_gmtoff;
}

static void
read_all(struct testing *t)
{
	if (t->ctl->json)
		buf_add_str(&t->out, t->is_summary ? "{" : "{\"messages\": [");
	for (int i = 0; i < t->ctl->argument_count; i++)
		ctl_messages_read(
		    t->ctl->arguments[i], on_message, on_unreadable, t);
}

static void
add_end(struct testing *t)
{
	if (!t->ctl->json) {
		if (t->is_summary)
			add_summary(t);
		return;
	}
	struct json *summary = summary_json(t);
	buf_add_str(
	    &t->out, t->is_summary ? "\n\"errors\": " : "\n],\n\"errors\": ");
	json_print(t->errors, &t->out, false);
	buf_add_str(&t->out, ",\n\"summary\": ");
	json_print(summary, &t->out, false);
	buf_addf(
	    &t->out, ",\n\"ok\": %s}\n", t->unreadable == 0 ? "true" : "false");
	json_free(&summary);
}

static int
run(struct testing *t)
{
	t->mailbox = ctl_get(t->ctl, "mailbox");
	if (t->mailbox == NULL)
		t->mailbox = "INBOX";
	t->outcomes =
	    xcalloc(rules_count(t->config->rules) + 1, sizeof(*t->outcomes));
	t->errors = json_new_array();
	set_clock(t);
	read_all(t);
	add_end(t);
	if (!t->is_output_broken)
		t->is_output_broken = !ctl_write(&t->out);
	free(t->outcomes);
	json_free(&t->errors);
	buf_done(&t->out);
	if (t->is_output_broken)
		return EX_IOERR;
	return t->unreadable > 0 ? EX_NOINPUT : EX_OK;
}

static int
judge_by(const struct ctl *ctl, const struct config *rules,
    const struct config *accounts)
{
	struct testing testing = {
	    .ctl = ctl,
	    .config = rules,
	    .is_summary = ctl_has(ctl, "summary"),
	};
	int code = choose_account(&testing, accounts);

	return code == EX_OK ? run(&testing) : code;
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
	uint32_t uid;

	return slash != NULL && strchr(argument, '/') != slash &&
	       span_to_u32(span_from_str(slash + 1), &uid) &&
	       access(argument, F_OK) != 0;
}

int
ctl_explain(struct ctl *ctl)
{
	if (is_on_server(ctl->arguments[0]))
		return ctl_fail(ctl, EX_UNAVAILABLE,
		    "save the message as a file and name that",
		    "messages on the server: not supported yet");
	return ctl_test(ctl);
}
