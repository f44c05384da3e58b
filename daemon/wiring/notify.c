/*
 * The notifiers: one queue for each, so that a phone that cannot be reached
 * does not hold back the desktop.
 *
 *   desktop   belfry-desktop, a helper process that is started again when it
 *             ends
 *   exec      a command for each notification
 *   webhook   an HTTPS request for each
 *   program   a person's own helper process
 *   journal   an entry in systemd's journal
 */
#include <stdlib.h>

#include "daemon/control/json.h"
#include "daemon/wiring/notify.h"

/* What is shown stays as it is. */
static void
set_privacy(struct notifier *notifier, const struct config_notifier *config)
{
	notify_queue_set_private(
	    notifier->queue, config->privacy == CONFIG_PRIVACY_COUNT);
}

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
	notifier->input = config->input;
	notifier->url = xstrdup(config->url);
	strv_copy(&notifier->command, &config->command);
	strv_copy(&notifier->headers, &config->headers);
	notifier->queue = notify_queue_new();
	set_privacy(notifier, config);
	notifier->again = USEC_NEVER;
	notifier->quiet_hours = config->quiet_hours;
	notifier->timer =
	    loop_timer_new(notify->belfry->loop, notifier_on_timer, notifier);
	list_add(&notify->notifiers, &notifier->link);
	notifier_look_at_clock(notifier);
	if (config->type == CONFIG_NOTIFIER_WEBHOOK)
		webhook_new(notifier, config);
	shown_restore(notifier);
	notifier_begin(notifier);
}

static bool
is_same(const struct notifier *notifier, const struct config_notifier *config)
{
	return strcmp(notifier->name, config->name) == 0 &&
	       notifier->type == config->type &&
	       notifier->least == config->urgency &&
	       notifier->format == config->format &&
	       notifier->timeout == config->timeout &&
	       notifier->input == config->input &&
	       strcmp(notifier->url != NULL ? notifier->url : "",
		   config->url != NULL ? config->url : "") == 0 &&
	       strv_equal(&notifier->command, &config->command) &&
	       strv_equal(&notifier->headers, &config->headers) &&
	       webhook_is_same(notifier, config);
}

/* One that is away is looked for at once: the person may have mended it. */
static void
keep_notifier(struct notify *notify, struct notifier *notifier,
    const struct config_notifier *config)
{
	list_remove(&notifier->link);
	list_add(&notify->notifiers, &notifier->link);
	notifier->quiet_hours = config->quiet_hours;
	notifier_look_at_clock(notifier);
	if (notifier->again != USEC_NEVER)
		notifier->again = loop_now();
	notifier_give_turn(notifier);
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
		set_privacy(notifier, config);
		keep_notifier(notify, notifier, config);
		return;
	}
	add_notifier(notify, config);
}

/* The one that nobody wrote, for a service of the system: no person is there
 * who could see it. */
static bool
has_no_session(const struct config_notifier *config)
{
	return config->type == CONFIG_NOTIFIER_DESKTOP &&
	       config->place.line == 0 && getenv("BELFRY_DESKTOP") == NULL &&
	       getenv("DBUS_SESSION_BUS_ADDRESS") == NULL &&
	       getenv("XDG_RUNTIME_DIR") == NULL && getenv("DISPLAY") == NULL;
}

static bool
wants_headers(const struct notify *notify)
{
	LIST_EACH(pos, &notify->notifiers)
	{
		const struct notifier *notifier =
		    LIST_ITEM(pos, struct notifier, link);
		if (notifier->type == CONFIG_NOTIFIER_EXEC &&
		    notifier->input != CONFIG_INPUT_TEXT)
			return true;
	}
	return false;
}

static void
add_all(struct notify *notify, struct list_link *old)
{
	const struct config *config = notify->belfry->config;

	for (size_t i = 0; i < config->notifier_count; i++)
		if (config->notifiers[i].enabled &&
		    !has_no_session(&config->notifiers[i]))
			keep_or_add(notify, old, &config->notifiers[i]);
	notify->notes_headers = wants_headers(notify);
}

static void
free_notifier(struct notifier *notifier)
{
	helper_stop(&notifier->helper);
	exec_forget(notifier);
	child_cancel(&notifier->child);
	http_cancel(&notifier->http);
	webhook_free(&notifier->webhook);
	loop_timer_free(&notifier->timer);
	notify_queue_free(&notifier->queue);
	strv_done(&notifier->command);
	strv_done(&notifier->headers);
	free(notifier->name);
	free(notifier->url);
	free(notifier->places);
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
		pending_settle(pending, &lost);
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
		pending_settle(pending, &lost);
		return;
	}
	list_remove(&pending->link);
	free(pending);
	delivery->open--;
	delivery_send(delivery);
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
	later_start(notify);
	moved_start(notify);
	list_init(&notify->previews);
	list_init(&notify->records);
	belfry->notify = notify;
	add_all(notify, &none);
	return true;
}

void
notify_free(struct notify **notify)
{
	if (*notify == NULL)
		return;
	notify_preview_forget(*notify, NULL);
	drop_pending(*notify);
	later_free(*notify);
	moved_done(*notify);
	LIST_EACH(pos, &(*notify)->notifiers)
	free_notifier(LIST_ITEM(pos, struct notifier, link));
	shown_free(*notify);
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
	LIST_EACH(pos, &belfry->accounts)
	notify_look_at_account(LIST_ITEM(pos, struct running_account, link));
}

static bool
has_desktop(const struct notify *notify)
{
	LIST_EACH(pos, &notify->notifiers)
	if (LIST_ITEM(pos, struct notifier, link)->type ==
	    CONFIG_NOTIFIER_DESKTOP)
		return true;
	return false;
}

void
notify_look_at_account(struct running_account *account)
{
	const struct config_account *config =
	    config_find_account(account->belfry->config, account->config->name);

	account->notes_beginnings = config != NULL && config->preview &&
				    config->privacy != CONFIG_PRIVACY_COUNT &&
				    has_desktop(account->belfry->notify);
}

const bool *
notify_notes_headers(const struct belfry *belfry)
{
	return &belfry->notify->notes_headers;
}

void
notify_look_at_clock(struct belfry *belfry)
{
	LIST_EACH(pos, &belfry->notify->notifiers)
	{
		struct notifier *notifier =
		    LIST_ITEM(pos, struct notifier, link);
		notifier_look_at_clock(notifier);
		notifier_give_turn(notifier);
	}
}

/* ---- status ---- */

static const char *
state_of(const struct notifier *notifier)
{
	if (notifier->told_away)
		return "away";
	return notifier->is_quiet ? "quiet" : "ready";
}

struct json *
notify_status(const struct belfry *belfry)
{
	struct json *list = json_new_array();

	LIST_EACH(pos, &belfry->notify->notifiers)
	{
		const struct notifier *notifier =
		    LIST_ITEM(pos, struct notifier, link);
		struct json *json = json_new_object();
		json_set_str(json, "notifier", notifier->name);
		json_set_str(json, "state", state_of(notifier));
		json_set_int(json, "waiting",
		    (int64_t)notify_queue_waiting(notifier->queue));
		json_set_time(json, "quiet_until",
		    notifier->is_quiet ? notifier->quiet_until_unix : 0);
		json_add(list, json);
	}
	return list;
}
