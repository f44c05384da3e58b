/*
 * The notifiers: one queue for each, so that a phone that cannot be reached
 * does not hold back the desktop.
 *
 *   desktop   belfry-desktop, a helper process that is started again when it
 *             ends
 *   exec      a command for each notification
 *   webhook   an HTTPS request for each
 *   journal   a line in the log
 */
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/control/json.h"
#include "daemon/loop/http.h"
#include "daemon/loop/log.h"
#include "daemon/wiring/belfry.h"
#include "notifiers/webhook.h"

#include <stdlib.h>

#define HELPER_AGAIN_USEC (30 * USEC_SEC)
#define WEBHOOK_AGAIN_USEC (60 * USEC_SEC)

struct notify {
	struct belfry *belfry;
	struct list_link notifiers; /* struct notifier::link */
	struct list_link pending;   /* struct pending::link */
	uint64_t next_serial;
};

struct notifier {
	struct list_link link;
	struct notify *notify;
	char *name;
	int type;  /* enum config_notifier_type */
	int least; /* enum urgency */
	struct strv command, headers;
	usec_t timeout;
	char *url;
	int format;
	struct notify_queue *queue;
	struct helper *helper;
	struct child *child;
	struct http *http;
	uint64_t busy_id; /* exec, webhook: what is under way; 0: nothing */
	struct loop_timer *timer;
	usec_t again; /* when a notifier that is away is tried again */
	bool told_away;
};

/* What a mailbox waits for: one entry for each notifier that has it. */
struct pending {
	struct list_link link;
	struct notifier *notifier;
	uint64_t id; /* in that notifier's queue */
	struct delivery *delivery;
};

/* One notification on its way to one or several notifiers. */
struct delivery {
	struct line *line; /* NULL: nobody waits */
	uint32_t uidvalidity, uid;
	unsigned seq;
	unsigned open;	      /* notifiers that have not answered */
	bool shown, unwanted; /* unwanted: by any notifier, as configured */
	char *words;
	struct notification n; /* for reports, and for other notifiers */
	struct notify *notify;
};

static void give_turn(struct notifier *notifier);

/* ---- the end of a notification ---- */

static void
broadcast(const struct delivery *delivery)
{
	struct json *line = json_new_object();

	json_set_time(line, "time", loop_now_unix());
	json_set_str(line, "event", "notified");
	json_set_str(line, "account",
	    delivery->n.account[0] != '\0' ? delivery->n.account : NULL);
	if (delivery->uid != 0)
		json_set_int(line, "uid", delivery->uid);
	json_set_bool(line, "shown", delivery->shown);
	json_set_str(line, "title", delivery->n.title);
	json_set_str(line, "body", delivery->n.body);
	json_set_str(line, "text", delivery->words);
	control_broadcast(delivery->notify->belfry, line);
}

static void
end_delivery(struct delivery *delivery)
{
	struct line *line = delivery->line;

	broadcast(delivery);
	if (line != NULL)
		mailbox_task_done(line->mailbox, delivery->uidvalidity,
		    delivery->uid, delivery->seq,
		    delivery->shown || delivery->unwanted ? EFFECT_DONE
							  : EFFECT_SKIPPED,
		    delivery->words, loop_now());
	free(delivery->words);
	notification_done(&delivery->n);
	free(delivery);
	if (line != NULL)
		accounts_pump(line->owner);
}

static const char *const fate_words[] = {
    [NOTIFY_SHOWN] = "shown",
    [NOTIFY_SUMMARISED] = "shown in a summary",
    [NOTIFY_GONE] = "not shown",
};

static void
settle(struct pending *pending, const struct notify_outcome *outcome)
{
	struct delivery *delivery = pending->delivery;
	bool shown = outcome->fate != NOTIFY_GONE;

	if (shown || delivery->words == NULL) {
		free(delivery->words);
		delivery->words = xasprintf("notification %s by %s%s%s",
		    fate_words[outcome->fate], pending->notifier->name,
		    shown || outcome->reason == NULL ? "" : ": ",
		    shown || outcome->reason == NULL ? "" : outcome->reason);
	}
	delivery->shown = delivery->shown || shown;
	list_remove(&pending->link);
	free(pending);
	if (--delivery->open == 0)
		end_delivery(delivery);
}

static struct pending *
find_pending(struct notifier *notifier, uint64_t id)
{
	LIST_EACH(pos, &notifier->notify->pending)
	{
		struct pending *pending = LIST_ITEM(pos, struct pending, link);
		if (pending->notifier == notifier && pending->id == id)
			return pending;
	}
	return NULL;
}

static void
pull_outcomes(struct notifier *notifier)
{
	struct notify_outcome outcome;

	while (notify_queue_outcome(notifier->queue, &outcome)) {
		struct pending *pending = find_pending(notifier, outcome.id);
		if (pending != NULL)
			settle(pending, &outcome);
	}
}

/* An answer that a notifier without a protocol of its own would give. */
static void
answer(struct notifier *notifier, uint64_t id, enum notifier_verb verb,
    const char *reason)
{
	struct notifier_line line = {.verb = verb};

	notification_init(&line.n);
	line.n.id = id;
	if (reason != NULL)
		line.reason = xstrdup(reason);
	notify_queue_answer(notifier->queue, &line, loop_now());
	notifier_line_done(&line);
}

/* Says once that a notifier is away. */
static void
tell_away(struct notifier *notifier, const char *why)
{
	if (!notifier->told_away)
		report_note(notifier->notify->belfry, false, "notifier-away",
		    NULL, "%s: %s; notifications wait for it", notifier->name,
		    why);
	notifier->told_away = true;
}

/* ---- desktop: a helper process ---- */

static void
helper_gone(struct notifier *notifier, const char *why)
{
	notify_queue_set_available(notifier->queue, false, loop_now());
	notifier->again = usec_add(loop_now(), HELPER_AGAIN_USEC);
	tell_away(notifier, why);
}

static void
on_helper_line(void *ctx, struct span text)
{
	struct notifier *notifier = ctx;
	struct notifier_line line;

	if (!notifier_line_parse(text, &line))
		return;
	if (line.verb == NOTIFIER_READY) {
		notifier->told_away = false;
		notify_queue_set_available(notifier->queue, true, loop_now());
	} else if (line.verb == NOTIFIER_UNAVAILABLE) {
		notify_queue_set_available(notifier->queue, false, loop_now());
		if (!notifier->told_away)
			report_note(notifier->notify->belfry, false,
			    "notifier-away", NULL,
			    "%s: %s; notifications wait for it", notifier->name,
			    line.reason != NULL ? line.reason : "away");
		notifier->told_away = true;
	} else {
		notify_queue_answer(notifier->queue, &line, loop_now());
	}
	notifier_line_done(&line);
	give_turn(notifier);
}

static void
on_helper_end(void *ctx, int status)
{
	struct notifier *notifier = ctx;
	STR_AUTO why = xasprintf("belfry-desktop ended with %d", status);

	helper_stop(&notifier->helper);
	helper_gone(notifier, why);
	give_turn(notifier);
}

/* The installed helper, or the one that a test or a build tree names. */
static const char *
desktop_program(void)
{
	const char *named = getenv("BELFRY_DESKTOP");

	return named != NULL ? named : BELFRY_LIBEXECDIR "/belfry-desktop";
}

static void
start_helper(struct notifier *notifier)
{
	STRV_AUTO argv = STRV_INIT;
	struct error error = ERROR_INIT;

	notifier->again = USEC_NEVER;
	strv_add(&argv, desktop_program());
	notifier->helper = helper_start(notifier->notify->belfry->loop, &argv,
	    NOTIFIER_LINE_MAX, on_helper_line, on_helper_end, notifier, &error);
	if (notifier->helper == NULL)
		helper_gone(notifier, error.text);
}

static void
send_to_helper(struct notifier *notifier, const struct notifier_line *line)
{
	BUF_AUTO text = BUF_INIT;

	notifier_line_format(&text, line);
	if (notifier->helper == NULL ||
	    !helper_send(notifier->helper, buf_span(&text)))
		answer(notifier, line->n.id, NOTIFIER_FAILED,
		    "the desktop notifier does not keep up");
}

/* ---- exec ---- */

static void
on_command_end(void *ctx, const struct child_result *result)
{
	struct notifier *notifier = ctx;
	uint64_t id = notifier->busy_id;
	BUF_AUTO words = BUF_INIT;

	notifier->child = NULL;
	notifier->busy_id = 0;
	if (result->started && !result->timed_out && result->status == 0) {
		answer(notifier, id, NOTIFIER_SHOWN, NULL);
	} else {
		buf_addf(&words, "the command failed (%d): ", result->status);
		str_sanitize(&words,
		    result->started ? result->errors
				    : span_from_str(result->error.text),
		    200);
		answer(notifier, id, NOTIFIER_FAILED, buf_str(&words));
	}
	give_turn(notifier);
}

static void
add_variable(struct strv *environment, const char *name, const char *value)
{
	strv_take(environment, xasprintf("BELFRY_%s=%s", name, value));
}

static void
run_command(struct notifier *notifier, const struct notifier_line *line)
{
	STRV_AUTO environment = STRV_INIT;
	BUF_AUTO input = BUF_INIT;
	const struct notification *n = &line->n;
	STR_AUTO uid = xasprintf("%u", n->uid);
	static const char *const urgencies[] = {"low", "normal", "critical"};

	buf_addf(&input, "%s\n%s\n", n->title, n->body);
	add_variable(&environment, "ACCOUNT", n->account);
	add_variable(&environment, "MAILBOX", n->mailbox);
	add_variable(&environment, "UID", uid);
	add_variable(&environment, "TITLE", n->title);
	add_variable(&environment, "TEXT", n->body);
	add_variable(&environment, "URGENCY", urgencies[n->urgency]);
	add_variable(&environment, "MESSAGE_ID", n->message_id);
	const struct child_config config = {
	    .argv = &notifier->command,
	    .environment = &environment,
	    .input = buf_span(&input),
	    .limit = notifier->timeout,
	};
	notifier->busy_id = n->id;
	notifier->child = child_run(
	    notifier->notify->belfry->loop, &config, on_command_end, notifier);
}

/* ---- webhook ---- */

/* Trouble that time may cure: what waits is asked for again later. */
static void
wait_for_webhook(struct notifier *notifier, uint64_t id, const char *why)
{
	answer(notifier, id, NOTIFIER_UNAVAILABLE, why);
	notifier->again = usec_add(loop_now(), WEBHOOK_AGAIN_USEC);
	tell_away(notifier, why);
}

static void
webhook_again(struct notifier *notifier)
{
	notifier->again = USEC_NEVER;
	notify_queue_set_available(notifier->queue, true, loop_now());
}

static void
on_posted(void *ctx, const struct http_result *result)
{
	struct notifier *notifier = ctx;
	uint64_t id = notifier->busy_id;
	STR_AUTO words =
	    result->status != 0
		? xasprintf("the server answered %u", result->status)
		: xstrdup(result->error.text);

	notifier->http = NULL;
	notifier->busy_id = 0;
	if (result->status >= 200 && result->status < 300) {
		notifier->told_away = false;
		answer(notifier, id, NOTIFIER_SHOWN, NULL);
	} else if (result->status == 0 || result->status == 429 ||
		   result->status >= 500) {
		wait_for_webhook(notifier, id, words);
	} else {
		answer(notifier, id, NOTIFIER_FAILED, words);
	}
	give_turn(notifier);
}

static void
post(struct notifier *notifier, const struct notifier_line *line)
{
	STRV_AUTO headers = STRV_INIT;
	BUF_AUTO body = BUF_INIT;

	strv_copy(&headers, &notifier->headers);
	webhook_format(notifier->format, &line->n, &headers, &body);
	notifier->busy_id = line->n.id;
	notifier->http = http_post(notifier->notify->belfry->loop,
	    notifier->url, &headers, buf_span(&body), on_posted, notifier);
}

/* ---- journal ---- */

static void
write_line(struct notifier *notifier, const struct notifier_line *line)
{
	log_event(LOG_LEVEL_NOTICE, "notification", "account", line->n.account,
	    "mailbox", line->n.mailbox, "title", line->n.title, "body",
	    line->n.body, NULL);
	answer(notifier, line->n.id, NOTIFIER_SHOWN, NULL);
}

/* ---- the table of kinds ---- */

static const struct {
	void (*start)(struct notifier *); /* NULL: available at once */
	void (*again)(struct notifier *);
	void (*show)(struct notifier *, const struct notifier_line *);
	bool closes; /* understands CLOSE */
	bool one_at_a_time;
} types[] = {
    [CONFIG_NOTIFIER_DESKTOP] = {start_helper, start_helper, send_to_helper,
	true, false},
    [CONFIG_NOTIFIER_EXEC] = {NULL, NULL, run_command, false, true},
    [CONFIG_NOTIFIER_WEBHOOK] = {NULL, webhook_again, post, false, true},
    [CONFIG_NOTIFIER_JOURNAL] = {NULL, NULL, write_line, false, false},
};

static bool
can_take(const struct notifier *notifier)
{
	return !types[notifier->type].one_at_a_time || notifier->busy_id == 0;
}

/* Hands out what is due, takes what is settled, sets the timer. */
static void
give_turn(struct notifier *notifier)
{
	struct notifier_line line;

	while (
	    can_take(notifier) && notify_queue_next(notifier->queue, &line)) {
		if (line.verb == NOTIFIER_NOTIFY ||
		    types[notifier->type].closes)
			types[notifier->type].show(notifier, &line);
		notifier_line_done(&line);
	}
	pull_outcomes(notifier);
	loop_timer_set(notifier->timer,
	    usec_min(notify_queue_deadline(notifier->queue), notifier->again));
}

static void
on_timer(void *ctx)
{
	struct notifier *notifier = ctx;

	if (notifier->again <= loop_now())
		types[notifier->type].again(notifier);
	notify_queue_tick(notifier->queue, loop_now());
	give_turn(notifier);
}

/* ---- adding ---- */

static bool
is_for(const struct notifier *notifier, const struct notification *n)
{
	if ((int)n->urgency < notifier->least)
		return false;
	return n->via.len == 0 || strv_has(&n->via, notifier->name);
}

static struct delivery *
new_delivery(struct notify *notify)
{
	struct delivery *delivery = NEW(struct delivery);

	delivery->notify = notify;
	notification_init(&delivery->n);
	return delivery;
}

static bool
has_it(const struct notifier *notifier, const struct delivery *delivery)
{
	LIST_EACH(pos, &delivery->notify->pending)
	{
		const struct pending *pending =
		    LIST_ITEM(pos, struct pending, link);
		if (pending->notifier == notifier &&
		    pending->delivery == delivery)
			return true;
	}
	return false;
}

/* Gives it to every notifier that it is for and that has it not. Takes the
 * delivery. */
static void
deliver(struct delivery *delivery)
{
	struct notify *notify = delivery->notify;
	const struct notification *n = &delivery->n;

	delivery->open++; /* until all have it */
	LIST_EACH(pos, &notify->notifiers)
	{
		struct notifier *notifier =
		    LIST_ITEM(pos, struct notifier, link);
		if (!is_for(notifier, n) || has_it(notifier, delivery))
			continue;
		struct pending *pending = NEW(struct pending);
		pending->notifier = notifier;
		pending->delivery = delivery;
		pending->id = notify_queue_add(notifier->queue, n, loop_now());
		list_add(&notify->pending, &pending->link);
		delivery->open++;
	}
	LIST_EACH(pos, &notify->notifiers)
	give_turn(LIST_ITEM(pos, struct notifier, link));
	if (--delivery->open > 0)
		return;
	if (delivery->words == NULL) {
		delivery->unwanted = true;
		delivery->words =
		    xstrdup("not shown: no notifier is set up for this "
			    "notification");
	}
	end_delivery(delivery);
}

static char *
or_default(const char *given, const char *fallback)
{
	return xstrdup(given != NULL ? given : fallback);
}

/* The sender as people say it: the name in `Name <address>`, else all of it.
 * A name that looks like an address of its own is shown with the true one. */
static char *
sender_of(const char *from)
{
	struct span all = span_from_str(from), name;
	size_t bracket = span_find_span(all, SPAN(" <"), 0);

	if (bracket == SIZE_MAX || !span_ends_nocase(all, ">"))
		return xstrdup(from);
	name = span_trim(span_slice(all, 0, bracket));
	if (name.len > 2 && name.data[0] == '"' &&
	    name.data[name.len - 1] == '"')
		name = span_slice(name, 1, name.len - 2);
	if (name.len == 0 || span_find(name, '@') != SIZE_MAX)
		return xstrdup(from);
	return xstrdup_span(name);
}

static void
tell_withdrawn(struct line *line, uint32_t uid, const char *why)
{
	struct json *json = json_new_object();

	json_set_time(json, "time", loop_now_unix());
	json_set_str(json, "event", "withdrawn");
	json_set_str(json, "account", line->owner->config->name);
	json_set_str(json, "mailbox", mailbox_name(line->mailbox));
	json_set_int(json, "uid", uid);
	json_set_str(json, "text", why);
	control_broadcast(line->owner->belfry, json);
}

void
notify_withdraw(
    struct line *line, uint32_t uidvalidity, uint32_t uid, const char *why)
{
	struct notify *notify = line->owner->belfry->notify;

	tell_withdrawn(line, uid, why);
	LIST_EACH(pos, &notify->notifiers)
	{
		struct notifier *notifier =
		    LIST_ITEM(pos, struct notifier, link);
		notify_queue_withdraw(notifier->queue,
		    line->owner->config->name, mailbox_name(line->mailbox),
		    uidvalidity, uid, loop_now());
		give_turn(notifier);
	}
}

void
notify_task(struct line *line, struct mailbox_task *task)
{
	const struct action *action = &task->action;
	struct delivery *delivery = new_delivery(line->owner->belfry->notify);
	struct mailbox_event holder = {.task = task};
	struct notification *n = &delivery->n;

	n->account = xstrdup(line->owner->config->name);
	n->mailbox = xstrdup(mailbox_name(line->mailbox));
	n->uidvalidity = task->uidvalidity;
	n->uid = task->uid;
	n->urgency = action->urgency;
	n->title = action->title != NULL ? xstrdup(action->title)
					 : sender_of(task->from);
	n->body = or_default(action->text, task->subject);
	n->sound = or_default(action->sound, "message-new-email");
	n->icon = or_default(action->icon, "mail-unread");
	n->message_id = xstrdup(task->message_id);
	strv_copy(&n->via, &action->via);
	delivery->line = line;
	delivery->uidvalidity = task->uidvalidity;
	delivery->uid = task->uid;
	delivery->seq = task->seq;
	deliver(delivery);
	mailbox_event_done(&holder);
}

void
notify_say(struct belfry *belfry, const char *account, enum urgency urgency,
    const char *title, const char *body)
{
	struct delivery *delivery = new_delivery(belfry->notify);
	struct notification *n = &delivery->n;

	n->account = xstrdup(account != NULL ? account : "");
	n->mailbox = xstrdup("");
	n->urgency = urgency;
	n->title = xstrdup(title);
	n->body = xstrdup(body);
	n->sound = xstrdup("");
	n->icon = xstrdup("mail-unread");
	n->message_id = xstrdup("");
	deliver(delivery);
}

void
notify_forget_line(struct line *line)
{
	struct notify *notify = line->owner->belfry->notify;

	if (notify == NULL)
		return;
	LIST_EACH(pos, &notify->pending)
	{
		struct pending *pending = LIST_ITEM(pos, struct pending, link);
		struct delivery *delivery = pending->delivery;
		if (delivery->line != line)
			continue;
		notify_queue_withdraw(pending->notifier->queue,
		    line->owner->config->name, mailbox_name(line->mailbox),
		    delivery->uidvalidity, delivery->uid, loop_now());
	}
	LIST_EACH(pos, &notify->pending)
	{
		struct pending *pending = LIST_ITEM(pos, struct pending, link);
		if (pending->delivery->line == line)
			pending->delivery->line = NULL;
	}
}

/* ---- beginning and ending ---- */

static void
add_notifier(struct notify *notify, const struct config_notifier *config)
{
	struct notifier *notifier = NEW(struct notifier);

	notifier->notify = notify;
	notifier->name = xstrdup(config->name);
	notifier->type = config->type;
	notifier->least = config->urgency;
	notifier->format = config->format;
	notifier->timeout = config->timeout;
	notifier->url = xstrdup(config->url);
	strv_copy(&notifier->command, &config->command);
	strv_copy(&notifier->headers, &config->headers);
	notifier->queue = notify_queue_new();
	notifier->again = USEC_NEVER;
	notifier->timer =
	    loop_timer_new(notify->belfry->loop, on_timer, notifier);
	list_add(&notify->notifiers, &notifier->link);
	if (types[notifier->type].start != NULL)
		types[notifier->type].start(notifier);
	else
		notify_queue_set_available(notifier->queue, true, loop_now());
	give_turn(notifier);
}

static bool
is_same(const struct notifier *notifier, const struct config_notifier *config)
{
	return strcmp(notifier->name, config->name) == 0 &&
	       notifier->type == config->type &&
	       notifier->least == config->urgency &&
	       notifier->format == config->format &&
	       notifier->timeout == config->timeout &&
	       strcmp(notifier->url != NULL ? notifier->url : "",
		   config->url != NULL ? config->url : "") == 0 &&
	       strv_equal(&notifier->command, &config->command) &&
	       strv_equal(&notifier->headers, &config->headers);
}

/* One that is away is looked for at once: the person may have mended it. */
static void
keep_notifier(struct notify *notify, struct notifier *notifier)
{
	list_remove(&notifier->link);
	list_add(&notify->notifiers, &notifier->link);
	if (notifier->again != USEC_NEVER)
		notifier->again = loop_now();
	give_turn(notifier);
}

/* The one of `old` that is as the configuration wants it, or a new one. */
static void
keep_or_add(struct notify *notify, struct list_link *old,
    const struct config_notifier *config)
{
	LIST_EACH(pos, old)
	{
		struct notifier *notifier =
		    LIST_ITEM(pos, struct notifier, link);
		if (!is_same(notifier, config))
			continue;
		keep_notifier(notify, notifier);
		return;
	}
	add_notifier(notify, config);
}

/* Without any [notifier] section there is the desktop. */
static void
add_all(struct notify *notify, struct list_link *old)
{
	const struct config *config = notify->belfry->config;
	static const struct config_notifier desktop = {
	    .name = (char *)(uintptr_t) "desktop",
	    .type = CONFIG_NOTIFIER_DESKTOP,
	    .enabled = true,
	};

	for (size_t i = 0; i < config->notifier_count; i++)
		if (config->notifiers[i].enabled)
			keep_or_add(notify, old, &config->notifiers[i]);
	if (config->notifier_count == 0)
		keep_or_add(notify, old, &desktop);
}

static void
free_notifier(struct notifier *notifier)
{
	helper_stop(&notifier->helper);
	child_cancel(&notifier->child);
	http_cancel(&notifier->http);
	loop_timer_free(&notifier->timer);
	notify_queue_free(&notifier->queue);
	strv_done(&notifier->command);
	strv_done(&notifier->headers);
	free(notifier->name);
	free(notifier->url);
	list_remove(&notifier->link);
	free(notifier);
}

/* What was not shown stays in the journal and is shown after the restart. */
static void
drop_pending(struct notify *notify)
{
	const struct notify_outcome lost = {
	    .fate = NOTIFY_GONE, .reason = "the daemon ended"};

	while (!list_is_empty(&notify->pending)) {
		struct pending *pending =
		    LIST_ITEM(notify->pending.next, struct pending, link);
		pending->delivery->line = NULL;
		settle(pending, &lost);
	}
}

/* Its notifier goes: what nobody has shown yet is given to those that came. */
static void
pass_on(struct pending *pending)
{
	const struct notify_outcome lost = {
	    .fate = NOTIFY_GONE, .reason = "the notifiers were changed"};
	struct delivery *delivery = pending->delivery;

	if (delivery->shown) {
		settle(pending, &lost);
		return;
	}
	list_remove(&pending->link);
	free(pending);
	delivery->open--;
	deliver(delivery);
}

static struct pending *
first_pending(struct notifier *notifier)
{
	LIST_EACH(pos, &notifier->notify->pending)
	{
		struct pending *pending = LIST_ITEM(pos, struct pending, link);
		if (pending->notifier == notifier)
			return pending;
	}
	return NULL;
}

/* From the front each time: with each that is passed on, others may settle. */
static void
retire(struct notifier *notifier)
{
	struct pending *pending;

	while ((pending = first_pending(notifier)) != NULL)
		pass_on(pending);
	free_notifier(notifier);
}

bool
notify_start(struct belfry *belfry, struct error *error_r)
{
	struct notify *notify = NEW(struct notify);

	struct list_link none;

	(void)error_r;
	notify->belfry = belfry;
	list_init(&none);
	list_init(&notify->notifiers);
	list_init(&notify->pending);
	belfry->notify = notify;
	add_all(notify, &none);
	return true;
}

void
notify_free(struct notify **notify)
{
	if (*notify == NULL)
		return;
	drop_pending(*notify);
	LIST_EACH(pos, &(*notify)->notifiers)
	free_notifier(LIST_ITEM(pos, struct notifier, link));
	free(*notify);
	*notify = NULL;
}

void
notify_reload(struct belfry *belfry)
{
	struct notify *notify = belfry->notify;
	struct list_link old;

	list_init(&old);
	while (!list_is_empty(&notify->notifiers)) {
		struct list_link *link = notify->notifiers.next;
		list_remove(link);
		list_add(&old, link);
	}
	add_all(notify, &old);
	LIST_EACH(pos, &old)
	retire(LIST_ITEM(pos, struct notifier, link));
}
