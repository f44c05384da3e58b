/*
 * explain ACCOUNT/MAILBOX/UID: the daemon fetches and judges the message, and
 * its answer is shown as that about a file.
 */
#include "daemon/base/xalloc.h"
#include "daemon/control/ctl_trace.h"

/* The daemon's own limit is shorter, and it has words for it. */
#define ANSWER_USEC (90 * USEC_SEC)

/* ---- the judgement, out of its JSON ---- */

static char *
text_of(const struct json *json, const char *name)
{
	const char *text = json_get_str(json, name);

	return xstrdup(text != NULL ? text : "");
}

static void
read_words(const struct json *array, struct strv *words)
{
	for (size_t i = 0; i < json_count(array); i++) {
		const char *word = json_str(json_at(array, i));
		strv_add(words, word != NULL ? word : "");
	}
}

static struct trace_condition
read_condition(const struct json *json)
{
	const char *kind = json_get_str(json, "kind");

	return (struct trace_condition){
	    .text = text_of(json, "condition"),
	    .values = text_of(json, "values"),
	    .result = json_get_bool(json, "result"),
	    .decided = json_get_bool(json, "decided"),
	    .is_unless = kind != NULL && strcmp(kind, "unless") == 0,
	    /* Neither true nor false. */
	    .is_open = json_is_nothing(json_get(json, "result")),
	};
}

static enum trace_outcome
read_outcome(const struct json *json)
{
	const char *name = json_get_str(json, "outcome");

	for (int i = 0; name != NULL && i <= TRACE_UNDECIDED; i++)
		if (strcmp(name, trace_outcome_name((enum trace_outcome)i)) ==
		    0)
			return (enum trace_outcome)i;
	return TRACE_UNDECIDED;
}

static void
read_captures(const struct json *json, struct strv *captures)
{
	const struct json *value;
	const char *name;

	for (size_t i = 0; (value = json_member(json, i, &name)) != NULL; i++)
		strv_take(captures,
		    xasprintf("%s=%s", name,
			json_str(value) != NULL ? json_str(value) : ""));
}

/* The ids are the document's. */
static void
read_trace(const struct json *rules, struct trace *trace)
{
	trace->rules = xcalloc(json_count(rules) + 1, sizeof(*trace->rules));
	for (size_t i = 0; i < json_count(rules); i++) {
		const struct json *json = json_at(rules, i);
		const struct json *list = json_get(json, "conditions");
		struct trace_rule *rule = &trace->rules[trace->count++];
		const char *id = json_get_str(json, "rule");

		rule->id = id != NULL ? id : "";
		rule->outcome = read_outcome(json);
		rule->conditions =
		    xcalloc(json_count(list) + 1, sizeof(*rule->conditions));
		for (size_t n = 0; n < json_count(list); n++)
			rule->conditions[rule->count++] =
			    read_condition(json_at(list, n));
		read_captures(json_get(json, "captures"), &rule->captures);
	}
}

static void
read_plan(const struct json *json, struct plan *plan)
{
	const struct json *actions = json_get(json, "actions");
	size_t count = json_count(actions);

	plan->actions = xcalloc(count + 1, sizeof(*plan->actions));
	for (size_t i = 0; i < count; i++) {
		const char *line = json_get_str(json_at(actions, i), "line");
		if (line != NULL && action_parse(span_from_str(line),
					&plan->actions[plan->count]))
			plan->count++;
	}
	read_words(json_get(json, "would"), &plan->would);
	read_words(json_get(json, "over_limit"), &plan->over_limit);
	read_words(json_get(json, "warnings"), &plan->warnings);
}

/* A message with just what is shown of it. */
static struct message *
read_message(const struct json *json)
{
	STR_AUTO from = text_of(json, "from");
	STR_AUTO subject = text_of(json, "subject");
	STR_AUTO header =
	    xasprintf("From: %s\r\nSubject: %s\r\n\r\n", from, subject);

	return message_new(span_from_str(header));
}

/* ---- showing it ---- */

static void
add_verdict(const struct ctl *ctl, const struct json *json, struct buf *out)
{
	const char *source = json_get_str(json, "source");
	STR_AUTO account = text_of(json, "account");
	STR_AUTO mailbox = text_of(json, "mailbox");
	struct ctl_message from = {
	    .source = source != NULL ? source : "", .index = 1};
	struct ctl_judgement judgement = {
	    .from = &from, .message = read_message(json)};
	const struct ctl_verdict verdict = {
	    .judgement = &judgement,
	    .is_verbose = ctl_has(ctl, "verbose"),
	    .is_expected = true,
	};

	plan_init(&judgement.plan);
	read_words(json_get(json, "flags"), &judgement.flags);
	judgement.facts = (struct facts){
	    .account = account,
	    .mailbox = mailbox,
	    .size = (uint64_t)json_get_int(json, "size", 0),
	    .received_unix = ctl_parse_time(json_get_str(json, "received")),
	    .flags = &judgement.flags,
	};
	read_trace(json_get(json, "rules"), &judgement.trace);
	read_plan(json_get(json, "plan"), &judgement.plan);
	ctl_trace_print(ctl, &verdict, out);
	trace_done(&judgement.trace);
	plan_done(&judgement.plan);
	strv_done(&judgement.flags);
	message_free(&judgement.message);
}

/* As `explain FILE` says it. */
static int
finish_json(const struct json *answer)
{
	struct json *document = json_new_object();
	struct json *messages = json_new_array();

	json_add(messages, json_copy_of(json_get(answer, "message")));
	json_set(document, "messages", messages);
	json_set(document, "errors", json_new_array());
	json_set_bool(document, "ok", true);
	return ctl_finish_json(document, EX_OK);
}

/* ---- asking ---- */

static int
set_place(const struct ctl *ctl, struct json *request)
{
	const char *argument = ctl->arguments[0];
	const char *first = strchr(argument, '/');
	const char *last = strrchr(argument, '/');
	uint32_t uid;

	if (first == argument || last == first + 1 ||
	    !span_to_u32(span_from_str(last + 1), &uid) || uid == 0)
		return ctl_fail(ctl, EX_USAGE,
		    "name a file, or ACCOUNT/MAILBOX/UID; `belfryctl history "
		    "--json` has the UIDs",
		    "there is no file %s, and it names no message on a "
		    "server",
		    argument);
	json_set_span(request, "account",
	    span_from(argument, (size_t)(first - argument)));
	json_set_span(request, "mailbox",
	    span_from(first + 1, (size_t)(last - first - 1)));
	json_set_int(request, "uid", uid);
	return EX_OK;
}

/* What is so is not to be as if it were otherwise. */
static int
check_options(const struct ctl *ctl)
{
	const struct ctl_option *options = ctl->command->options;

	for (size_t i = 0; options[i].name != NULL; i++)
		if (ctl->values[i] != NULL &&
		    strcmp(options[i].name, "verbose") != 0)
			return ctl_fail(ctl, EX_USAGE,
			    "save the message as a file and name that",
			    "--%s is for files only", options[i].name);
	return EX_OK;
}

/* The daemon is not believed. */
static int
fail_nothing(const struct ctl *ctl)
{
	return ctl_fail(ctl, EX_PROTOCOL, "is another program listening there?",
	    "the answer has no message in it");
}

int
ctl_explain_on_server(struct ctl *ctl)
{
	struct json *request = ctl_request(ctl), *answer = NULL;
	BUF_AUTO out = BUF_INIT;
	int code = check_options(ctl);

	if (code == EX_OK)
		code = set_place(ctl, request);
	if (code != EX_OK) {
		json_free(&request);
		return code;
	}
	if (ctl->timeout == 0)
		ctl->timeout = ANSWER_USEC;
	code = ctl_ask(ctl, request, &answer);
	if (code != EX_OK)
		return code;
	if (json_get(answer, "message") == NULL)
		code = fail_nothing(ctl);
	else if (ctl->json)
		code = finish_json(answer);
	else
		add_verdict(ctl, json_get(answer, "message"), &out);
	json_free(&answer);
	return ctl->json || code != EX_OK ? code : ctl_finish(&out, EX_OK);
}
