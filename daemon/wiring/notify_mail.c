/*
 * wiring: notifications of messages, and from Belfry itself.
 */
#include "daemon/control/json.h"
#include "daemon/wiring/deeds.h"
#include "daemon/wiring/notify.h"

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

const struct config_account *
notify_account(const struct line *line)
{
	const struct config_account *now = config_find_account(
	    line->owner->belfry->config, line->owner->config->name);

	return now != NULL ? now : line->owner->config;
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
	later_withdraw(notify, line->owner->config->name,
	    mailbox_name(line->mailbox), uidvalidity, uid);
	notify_preview_over(line, uidvalidity, uid);
	LIST_EACH(pos, &notify->notifiers)
	{
		struct notifier *notifier =
		    LIST_ITEM(pos, struct notifier, link);
		notify_queue_withdraw(notifier->queue,
		    line->owner->config->name, mailbox_name(line->mailbox),
		    uidvalidity, uid, loop_now());
		shown_withdraw(notifier, line->owner->config->name,
		    mailbox_name(line->mailbox), uidvalidity, uid);
		notifier_give_turn(notifier);
	}
}

/* ---- what may be done with it ---- */

static void
offer(struct buf *actions, const char *key)
{
	buf_addf(actions, "%s%s", actions->len > 0 ? "," : "", key);
}

/* The account has such a folder, and the message is not there already. */
static bool
can_move(struct line *line, const struct mailbox_task *task, const char *use)
{
	const struct folders *folders = account_folders(line->owner->account);
	const char *where = task->moved_to != NULL
				? task->moved_to
				: mailbox_name(line->mailbox);
	BUF_AUTO target = BUF_INIT, here = BUF_INIT;

	return folders != NULL &&
	       folders_wire_name(folders, use, &target, NULL) &&
	       folders_wire_name(folders, where, &here, NULL) &&
	       !span_equal(buf_span(&target), buf_span(&here));
}

static void
set_actions(
    struct line *line, const struct mailbox_task *task, struct notification *n)
{
	struct belfry *belfry = line->owner->belfry;
	bool acts = !belfry->dry_run &&
		    (task->moved_to == NULL || task->moved_to[0] != '\0');
	BUF_AUTO actions = BUF_INIT;

	if (open_can(belfry, n))
		offer(&actions, NOTIFY_OPEN);
	if (acts && !task->is_read)
		offer(&actions, NOTIFY_READ);
	if (acts && can_move(line, task, "\\Archive"))
		offer(&actions, NOTIFY_ARCHIVE);
	if (acts && can_move(line, task, "\\Trash"))
		offer(&actions, NOTIFY_TRASH);
	n->actions = buf_take_str(&actions);
}

void
notify_fill(
    struct line *line, const struct mailbox_task *task, struct notification *n)
{
	const struct action *action = &task->action;
	BUF_AUTO url = BUF_INIT;

	n->account = xstrdup(line->owner->config->name);
	n->mailbox = xstrdup(mailbox_name(line->mailbox));
	n->uidvalidity = task->uidvalidity;
	n->uid = task->uid;
	n->seq = task->seq;
	n->is_moved = task->moved_to != NULL;
	n->urgency = action->urgency;
	n->title = action->title != NULL ? xstrdup(action->title)
					 : sender_of(task->from);
	n->body = or_default(action->text, task->subject);
	n->sound = or_default(action->sound, NOTIFICATION_SOUND);
	n->icon = or_default(action->icon, NOTIFICATION_ICON);
	n->message_id = xstrdup(task->message_id);
	n->is_private = notify_account(line)->privacy == CONFIG_PRIVACY_COUNT;
	strv_copy(&n->via, &action->via);
	open_add_url(notify_account(line), n, &url);
	n->url = buf_take_str(&url);
	set_actions(line, task, n);
}

bool
notify_can_clear(const struct mailbox_task *task, const struct notification *n)
{
	return task->is_hidden && task->moved_to == NULL && !n->is_private;
}

void
notify_task(struct line *line, struct mailbox_task *task)
{
	const struct action *action = &task->action;
	struct delivery *delivery = delivery_new(line->owner->belfry->notify);
	struct mailbox_event holder = {.task = task};

	notify_fill(line, task, &delivery->n);
	delivery->line = line;
	delivery->uidvalidity = task->uidvalidity;
	delivery->uid = task->uid;
	delivery->seq = task->seq;
	strv_copy(&delivery->except, &action->except);
	delivery->from = xstrdup(task->from);
	delivery->subject = xstrdup(task->subject);
	delivery->rule = xstrdup(action->rule);
	delivery->is_hidden = notify_can_clear(task, &delivery->n);
	buf_add_span(&delivery->header, buf_span(&task->input));
	if (action->after > 0)
		later_send(delivery, task);
	else
		delivery_send_with_preview(delivery, task);
	mailbox_event_done(&holder);
}

void
notify_say(struct belfry *belfry, const char *account, enum urgency urgency,
    const char *title, const char *body)
{
	struct delivery *delivery = delivery_new(belfry->notify);
	struct notification *n = &delivery->n;

	n->account = xstrdup(account != NULL ? account : "");
	n->mailbox = xstrdup("");
	n->urgency = urgency;
	n->title = xstrdup(title);
	n->body = xstrdup(body);
	n->sound = xstrdup("");
	n->icon = xstrdup(NOTIFICATION_ICON);
	n->message_id = xstrdup("");
	delivery_send(delivery);
}

struct going {
	struct notifier *notifier;
	const struct line *line;
};

static void
note_running(void *ctx, const struct notification *n)
{
	const struct going *going = ctx;
	const struct pending *pending = pending_find(going->notifier, n->id);

	if (pending == NULL || pending->delivery->line != going->line)
		return;
	const struct delivery *delivery = pending->delivery;
	const struct shown_message message = {n->account, n->mailbox,
	    delivery->uidvalidity, delivery->uid, delivery->seq};
	shown_note(going->notifier, &message, NULL, NULL);
}

/* A command that runs will have rung: whoever has the mailbox next does not let
 * it ring again. At the end of the daemon it is ended, and nobody can tell. */
static void
note_all_running(struct notify *notify, const struct line *line)
{
	LIST_EACH(pos, &notify->notifiers)
	{
		struct notifier *notifier =
		    LIST_ITEM(pos, struct notifier, link);
		struct going going = {notifier, line};
		if (notifier->type == CONFIG_NOTIFIER_EXEC &&
		    notifier->child != NULL && !notify->belfry->leaving)
			notify_queue_each(notifier->queue, notifier->busy_id,
			    note_running, &going);
	}
}

void
notify_forget_line(struct line *line)
{
	struct notify *notify = line->owner->belfry->notify;

	if (notify == NULL)
		return;
	note_all_running(notify, line);
	notify_preview_forget(notify, line);
	exec_forget_content(notify, line);
	later_forget_line(notify, line);
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
