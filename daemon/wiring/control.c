/* The daemon's side of belfryctl: one function a command. */
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/control/session.h"
#include "daemon/loop/server.h"
#include "daemon/wiring/belfry.h"
#include "daemon/wiring/tokens.h"

#include <stdarg.h>

/* Messages in one answer of `history`. */
#define HISTORY_MAX 1000

/* Who follows the status hears of a change so soon, and otherwise so often: it
 * has times in it that go on by themselves. */
#define STATUS_SOON_USEC (200 * USEC_MSEC)
#define STATUS_EVERY_USEC (10 * USEC_SEC)

struct control {
	struct belfry *belfry;
	struct server *server;
	struct list_link clients; /* struct client::link */
	/* The next status for those who follow it; NULL: nobody ever did. */
	struct loop_timer *status;
	usec_t status_at;
};

struct client {
	struct list_link link;
	struct control *control;
	struct control_session *session;
	struct channel *channel;
	bool watches;		  /* what happens */
	bool follows;		  /* the status */
	void (*leave)(void *ctx); /* who waits with it; or NULL */
	void *leave_ctx;
};

static void
free_client(struct client *client)
{
	if (client->leave != NULL)
		client->leave(client->leave_ctx);
	list_remove(&client->link);
	channel_free(&client->channel);
	control_session_free(&client->session);
	free(client);
}

/* ---- for those who answer later ---- */

void
control_on_leave(struct client *client, void (*leave)(void *ctx), void *ctx)
{
	client->leave = leave;
	client->leave_ctx = ctx;
}

void
control_reply(struct client *client, struct json *answer)
{
	control_on_leave(client, NULL, NULL);
	control_session_reply(client->session, answer, loop_now());
	if (client->channel != NULL)
		channel_kick(client->channel);
}

void
control_refuse(struct client *client, const char *hint, const char *format, ...)
{
	BUF_AUTO text = BUF_INIT;
	va_list args;

	va_start(args, format);
	buf_vaddf(&text, format, args);
	va_end(args);
	control_on_leave(client, NULL, NULL);
	control_session_refuse(
	    client->session, hint, loop_now(), "%s", buf_str(&text));
	if (client->channel != NULL)
		channel_kick(client->channel);
}

#define NAME_SAID_MAX 60 /* characters, of what was asked for */
#define NAMES_SAID_MAX 20

static void
add_name(struct buf *names, size_t index, const char *name)
{
	if (index < NAMES_SAID_MAX)
		buf_addf(names, "%s%s", index > 0 ? ", " : "", name);
	else if (index == NAMES_SAID_MAX)
		buf_add_str(names, " and more");
}

static void
refuse_name(
    struct client *client, const char *kind, const char *name, const char *hint)
{
	BUF_AUTO clean = BUF_INIT;

	str_sanitize(&clean, span_from_str(name), NAME_SAID_MAX);
	control_refuse(client, hint, "there is no %s %s", kind,
	    clean.len > 0 ? buf_str(&clean) : "\"\"");
}

void
control_refuse_account(struct client *client, const char *name)
{
	const struct config *config = client->control->belfry->config;
	BUF_AUTO hint = BUF_INIT;

	buf_add_str(&hint, "the configuration has ");
	for (size_t i = 0; i < config->account_count; i++)
		add_name(&hint, i, config->accounts[i].name);
	if (config->account_count == 0)
		buf_add_str(&hint, "none");
	refuse_name(client, "account", name, buf_str(&hint));
}

bool
control_has_rule(const struct belfry *belfry, const char *id)
{
	const struct rules *rules = belfry->config->rules;

	for (size_t i = 0; i < rules_count(rules); i++)
		if (strcmp(rules_id(rules, i), id) == 0)
			return true;
	return false;
}

void
control_refuse_rule(struct client *client, const char *id)
{
	const struct rules *rules = client->control->belfry->config->rules;
	BUF_AUTO hint = BUF_INIT;

	buf_add_str(&hint, "the configuration has ");
	for (size_t i = 0; i < rules_count(rules); i++)
		add_name(&hint, i, rules_id(rules, i));
	if (rules_count(rules) == 0)
		buf_add_str(&hint, "none");
	refuse_name(client, "rule", id, buf_str(&hint));
}

void
control_line(struct client *client, struct json *line)
{
	control_session_line(client->session, line, loop_now());
	if (client->channel != NULL)
		channel_kick(client->channel);
}

/* ---- history ---- */

static struct json *
history_effect(const struct store_effect *effect)
{
	struct json *json = json_new_object();
	struct action action;
	BUF_AUTO words = BUF_INIT;

	json_set_str(json, "rule", effect->rule);
	json_set_str(json, "action", effect->kind);
	if (action_parse(span_from_str(effect->action), &action)) {
		action_describe(&words, &action);
		action_done(&action);
	}
	json_set_str(json, "what", buf_str(&words));
	json_set_str(json, "state", effect_state_name(effect->state));
	json_set_str(json, "detail", effect->detail);
	json_set_time(json, "changed", effect->changed_unix);
	return json;
}

static bool
add_history(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	struct json *json = json_new_object();
	struct json *list = json_new_array();

	json_set_time(json, "judged", message->judged_unix);
	json_set_time(json, "received", message->received_unix);
	json_set_str(json, "account", message->key.account);
	json_set_str(json, "mailbox", message->key.mailbox);
	json_set_int(json, "uidvalidity", message->key.uidvalidity);
	json_set_int(json, "uid", message->key.uid);
	json_set_str(json, "message_id", message->message_id);
	json_set_str(json, "from", message->from);
	report_set_subject(json, message->subject);
	json_set_str(json, "rules", message->rules);
	json_set_str(json, "observed", message->observed);
	json_set_str(json, "warnings", message->warnings);
	for (size_t i = 0; i < count; i++)
		json_add(list, history_effect(&effects[i]));
	json_set(json, "effects", list);
	json_add(ctx, json);
	return true;
}

/* Those named in the list, as bits; 0 for none. */
static unsigned
effect_states_of(const struct json *names)
{
	unsigned states = 0;
	enum effect_state state;

	for (size_t i = 0; i < json_count(names); i++) {
		const char *name = json_str(json_at(names, i));
		if (name != NULL &&
		    effect_state_parse(span_from_str(name), &state))
			states |= 1U << state;
	}
	return states;
}

/* What the history has of an account or a rule that is not in the configuration
 * any more is shown; where it has nothing, the name may be a wrong one. */
static bool
is_wrong_name(struct client *client, const struct store_history_query *query)
{
	const struct belfry *belfry = client->control->belfry;

	if (query->account != NULL &&
	    config_find_account(belfry->config, query->account) == NULL)
		control_refuse_account(client, query->account);
	else if (query->rule != NULL && query->rule[0] != '@' &&
		 !control_has_rule(belfry, query->rule))
		control_refuse_rule(client, query->rule);
	else
		return false;
	return true;
}

static void
do_history(struct client *client, const struct json *request)
{
	struct belfry *belfry = client->control->belfry;
	int64_t limit = json_get_int(request, "limit", 20);
	const struct store_history_query query = {
	    .account = json_get_str(request, "account"),
	    .mailbox = json_get_str(request, "mailbox"),
	    .rule = json_get_str(request, "rule"),
	    .since_unix = json_get_int(request, "since", 0),
	    .until_unix = json_get_int(request, "until", 0),
	    .states = effect_states_of(json_get(request, "outcomes")),
	    .is_observed = json_get_bool(request, "observed"),
	    .skip = (unsigned)json_get_int(request, "skip", 0),
	    .limit = limit > 0 && limit < HISTORY_MAX ? (unsigned)limit
						      : HISTORY_MAX,
	};
	struct json *answer = json_new_object();
	struct json *messages = json_new_array();
	struct error error = ERROR_INIT;
	bool ok = store_each_history(
	    belfry->store, &query, add_history, messages, &error);
	bool is_empty = json_count(messages) == 0;

	json_set(answer, "messages", messages);
	if (ok && is_empty && is_wrong_name(client, &query)) {
		json_free(&answer);
		return;
	}
	if (ok) {
		control_session_reply(client->session, answer, loop_now());
		return;
	}
	json_free(&answer);
	control_session_refuse(
	    client->session, NULL, loop_now(), "%s", error.text);
}

/* ---- the others ---- */

static void
set_status_time(struct control *control, usec_t when)
{
	control->status_at = when;
	loop_timer_set(control->status, when);
}

static void
give_status(void *ctx)
{
	struct control *control = ctx;
	struct json *status = status_of(control->belfry);
	usec_t next = USEC_NEVER;

	json_set_bool(status, "ok", true);
	LIST_EACH(pos, &control->clients)
	{
		struct client *client = LIST_ITEM(pos, struct client, link);
		if (!client->follows)
			continue;
		control_line(client, json_copy_of(status));
		next = loop_now() + STATUS_EVERY_USEC;
	}
	set_status_time(control, next);
	json_free(&status);
}

/* Many changes that come together are one. */
void
control_changed(struct belfry *belfry)
{
	struct control *control = belfry->control;
	usec_t soon;

	if (control == NULL || control->status == NULL ||
	    control->status_at == USEC_NEVER)
		return;
	soon = loop_now() + STATUS_SOON_USEC;
	if (control->status_at > soon)
		set_status_time(control, soon);
}

static void
do_status(struct client *client, const struct json *request)
{
	struct control *control = client->control;

	if (!json_get_bool(request, "follow")) {
		control_session_reply(
		    client->session, status_of(control->belfry), loop_now());
		return;
	}
	client->follows = true;
	if (control->status == NULL)
		control->status =
		    loop_timer_new(control->belfry->loop, give_status, control);
	set_status_time(control, loop_now());
}

static void
do_watch(struct client *client, const struct json *request)
{
	struct json *line = json_new_object();

	(void)request;
	client->watches = true;
	json_set_bool(line, "ok", true);
	json_set_time(line, "time", loop_now_unix());
	json_set_str(line, "event", "hello");
	json_set_str(line, "version", PACKAGE_VERSION);
	control_session_line(client->session, line, loop_now());
}

static void
do_reload(struct client *client, const struct json *request)
{
	BUF_AUTO problems = BUF_INIT;

	(void)request;
	if (!reload_config(client->control->belfry, &problems)) {
		struct json *answer = json_new_object();
		json_set_str(answer, "problems", buf_str(&problems));
		json_set_bool(answer, "reloaded", false);
		control_session_reply(client->session, answer, loop_now());
		return;
	}
	struct json *answer = json_new_object();
	json_set_bool(answer, "reloaded", true);
	json_set_str(answer, "problems", buf_str(&problems));
	control_session_reply(client->session, answer, loop_now());
}

static void
do_notify(struct client *client, const struct json *request)
{
	const char *text = json_get_str(request, "text");

	notify_say(client->control->belfry, NULL, URGENCY_NORMAL, "Belfry",
	    text != NULL ? text : "This is how Belfry rings.");
	control_session_reply(client->session, json_new_object(), loop_now());
}

static void
do_login(struct client *client, const struct json *request)
{
	tokens_ask(client->control->belfry, client, request);
}

static void
do_pause(struct client *client, const struct json *request)
{
	pause_ask(client->control->belfry, client, request);
}

static void
do_resume(struct client *client, const struct json *request)
{
	resume_ask(client->control->belfry, client, request);
}

static void
do_probe(struct client *client, const struct json *request)
{
	probe_ask(client->control->belfry, client, request);
}

static void
do_report(struct client *client, const struct json *request)
{
	(void)request;
	pulses_ask(client->control->belfry, client);
}

static void
do_queue(struct client *client, const struct json *request)
{
	queue_ask(client->control->belfry, client, request);
}

static void
do_mailboxes(struct client *client, const struct json *request)
{
	mailboxes_ask(client->control->belfry, client, request);
}

static void
do_explain(struct client *client, const struct json *request)
{
	explain_ask(client->control->belfry, client, request);
}

static void
do_apply(struct client *client, const struct json *request)
{
	apply_ask(client->control->belfry, client, request);
}

static void
do_undo(struct client *client, const struct json *request)
{
	undo_ask(client->control->belfry, client, request);
}

static const struct {
	const char *name;
	void (*answer)(struct client *, const struct json *);
} commands[] = {
    {"status", do_status},
    {"history", do_history},
    {"queue", do_queue},
    {"report", do_report},
    {"watch", do_watch},
    {"reload", do_reload},
    {"notify", do_notify},
    {"login", do_login},
    {"pause", do_pause},
    {"resume", do_resume},
    {"mailboxes", do_mailboxes},
    {"explain", do_explain},
    {"probe", do_probe},
    {"apply", do_apply},
    {"undo", do_undo},
};

static void
on_request(struct client *client, const struct control_event *event)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(event->command, commands[i].name) == 0) {
			commands[i].answer(client, event->request);
			return;
		}
	}
	BUF_AUTO name = BUF_INIT;
	str_sanitize(&name, span_from_str(event->command), 40);
	control_session_refuse(client->session,
	    "belfryctl and belfryd must be of the same release", loop_now(),
	    "the daemon knows no command %s", buf_str(&name));
}

static void
pump(void *ctx)
{
	struct client *client = ctx;
	struct control_event event;

	while (control_session_next_event(client->session, &event)) {
		if (event.kind == CONTROL_CLOSED) {
			free_client(client);
			return;
		}
		on_request(client, &event);
	}
}

static void
on_client(void *ctx, int fd)
{
	struct control *control = ctx;
	struct client *client = NEW(struct client);

	client->control = control;
	client->session = control_session_new(loop_now());
	const struct channel_config config = {
	    .loop = control->belfry->loop,
	    .class = &control_session_class,
	    .engine = client->session,
	    .pump = pump,
	    .ctx = client,
	};
	list_add(&control->clients, &client->link);
	client->channel = channel_new(&config, fd);
}

bool
control_is_watched(const struct belfry *belfry)
{
	if (belfry->control == NULL)
		return false;
	LIST_EACH(pos, &belfry->control->clients)
	{
		if (LIST_ITEM(pos, struct client, link)->watches)
			return true;
	}
	return false;
}

void
control_broadcast(struct belfry *belfry, struct json *line)
{
	BUF_AUTO text = BUF_INIT;

	json_print(line, &text, false);
	control_changed(belfry);
	if (belfry->control != NULL) {
		LIST_EACH(pos, &belfry->control->clients)
		{
			struct client *client =
			    LIST_ITEM(pos, struct client, link);
			if (!client->watches)
				continue;
			control_session_line(client->session,
			    json_parse(buf_span(&text), NULL), loop_now());
			channel_kick(client->channel);
		}
	}
	json_free(&line);
}

bool
control_start(struct belfry *belfry, struct error *error_r)
{
	struct control *control = NEW(struct control);

	control->belfry = belfry;
	list_init(&control->clients);
	control->server = server_new(
	    belfry->loop, belfry->control_path, on_client, control, error_r);
	if (control->server == NULL) {
		free(control);
		return false;
	}
	belfry->control = control;
	return true;
}

void
control_free(struct control **control)
{
	if (*control == NULL)
		return;
	LIST_EACH(pos, &(*control)->clients)
	free_client(LIST_ITEM(pos, struct client, link));
	server_free(&(*control)->server);
	loop_timer_free(&(*control)->status);
	free(*control);
	*control = NULL;
}
