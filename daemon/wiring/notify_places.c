/*
 * wiring: what helpers have on a screen, and where: for a later life of the
 * daemon, which can close that, and shows what is unread still again, by
 * notifications whose buttons do something.
 *
 * Only a helper that says a place with `shown` is remembered so
 * (belfry-notifiers(7)). The place is the key of notifiers/shown.h; its id says
 * what became of it:
 *
 *	(none)     it is on the screen
 *	-expired   it went by itself; the service may list it still
 *	-moved     a rule had moved the message: nobody knows whether it is read
 */
#include "daemon/account/deed.h"
#include "daemon/mail/code.h"
#include "daemon/wiring/notify.h"
#include "daemon/wiring/past.h"

#define EXPIRED "-expired"
#define MOVED "-moved"

bool
places_is_moved(const char *id)
{
	return id != NULL && strcmp(id, MOVED) == 0;
}

static bool
is_expired(const char *id)
{
	return id != NULL && strcmp(id, EXPIRED) == 0;
}

/* ---- what the helper says ---- */

static struct shown_message
message_of(const struct notification *n)
{
	return (struct shown_message){
	    n->account, n->mailbox, n->uidvalidity, n->uid, n->seq};
}

struct noting {
	const struct notifier *notifier;
	const struct notifier_line *line;
};

static void
note_shown(void *ctx, const struct notification *n)
{
	const struct noting *noting = ctx;
	const struct shown_message message = message_of(n);

	if (n->uid == 0)
		return;
	shown_note(noting->notifier, &message, noting->line->place,
	    n->is_moved ? MOVED : NULL);
	if (n->is_moved)
		moved_note_shown(noting->notifier->notify);
}

/* While another notifier has it still before it, the effect is open, and a
 * later life would ring once more. */
static void
forget(const struct notifier *notifier, const struct shown_message *message)
{
	if (delivery_is_elsewhere(notifier, message))
		shown_note(notifier, message, NULL, NULL);
	else
		shown_forget(notifier, message);
}

static void
note_closed(void *ctx, const struct notification *n)
{
	const struct noting *noting = ctx;
	const struct shown_message message = message_of(n);
	const char *reason = noting->line->reason;
	bool expired = noting->notifier->type == CONFIG_NOTIFIER_DESKTOP &&
		       reason != NULL && strcmp(reason, "expired") == 0;

	if (n->uid == 0)
		return;
	if (expired && !n->is_moved)
		shown_mark(noting->notifier, &message, EXPIRED);
	else
		forget(noting->notifier, &message);
}

void
places_note(const struct notifier *notifier, const struct notifier_line *line)
{
	struct noting noting = {notifier, line};

	if (line->verb == NOTIFIER_SHOWN && line->place != NULL)
		notify_queue_each(
		    notifier->queue, line->n.id, note_shown, &noting);
	else if (line->verb == NOTIFIER_CLOSED)
		notify_queue_each(
		    notifier->queue, line->n.id, note_closed, &noting);
}

/* ---- of an earlier life ---- */

void
places_restore(struct notifier *notifier, const struct shown_message *message,
    const struct shown_item *item, struct places *places)
{
	const struct notification n = {
	    .account = (char *)(uintptr_t)message->account,
	    .mailbox = (char *)(uintptr_t)message->mailbox,
	    .uidvalidity = message->uidvalidity,
	    .uid = message->uid,
	    .seq = message->seq,
	    .is_moved = places_is_moved(item->id)};
	uint64_t request = 0;

	for (size_t i = 0; i < places->count; i++)
		if (strcmp(places->items[i].place, item->key) == 0)
			request = places->items[i].request;
	if (request == 0 && places->count == PLACES_MAX)
		return;
	if (request != 0) {
		notify_queue_restore(notifier->queue, &n, request);
		return;
	}
	request = notify_queue_restore(notifier->queue, &n, 0);
	notify_queue_set_place(
	    notifier->queue, request, item->key, is_expired(item->id));
	places->items[places->count++] =
	    (struct place){.place = item->key, .request = request};
}

bool
places_is_on_screen(
    const struct notifier *notifier, const struct shown_item *item)
{
	return notifier->is_up && notifier->places != NULL &&
	       span_starts(span_from_str(item->key), notifier->places);
}

bool
places_is_due(const struct notifier *notifier, const struct shown_item *item)
{
	return item->key != NULL && !is_expired(item->id) &&
	       (!places_is_moved(item->id) ||
		   places_is_on_screen(notifier, item));
}

/* As the history has it: with a one-time code hidden. */
static bool
read_task(struct line *line, const struct shown_message *message,
    struct mailbox_task *task, int64_t *judged_unix_r)
{
	const struct store_key key = {message->account, message->mailbox,
	    message->uidvalidity, message->uid};
	struct deed_place place = {0};
	struct past past;
	bool found = false;

	if (!past_find(line->owner->belfry->store, &key, &past))
		return false;
	for (size_t i = 0; i < past.count && !found; i++)
		found = past.effects[i].seq == message->seq &&
			action_parse(span_from_str(past.effects[i].action),
			    &task->action);
	task->from = xstrdup(past.message.from);
	task->subject = xstrdup(past.message.subject);
	task->message_id = xstrdup(past.message.message_id);
	if (deed_find_place(&key, past.effects, past.count, &place) != NULL)
		task->moved_to = xstrdup(""); /* it is gone for good */
	else if (strcmp(place.mailbox, key.mailbox) != 0)
		task->moved_to = xstrdup(place.mailbox);
	deed_place_done(&place);
	*judged_unix_r = past.message.judged_unix;
	past_done(&past);
	task->is_hidden =
	    code_is_hidden(task->subject) ||
	    (task->action.title != NULL &&
		code_is_hidden(task->action.title)) ||
	    (task->action.text != NULL && code_is_hidden(task->action.text));
	task->uidvalidity = message->uidvalidity;
	task->uid = message->uid;
	task->seq = message->seq;
	return found && task->action.kind == ACTION_NOTIFY;
}

static struct delivery *
delivery_of(const struct notifier *notifier, struct line *line,
    const struct mailbox_task *task)
{
	struct delivery *delivery = delivery_new(notifier->notify);

	notify_fill(line, task, &delivery->n);
	free(delivery->n.sound); /* it has been heard */
	delivery->n.sound = xstrdup("");
	delivery->line = line;
	delivery->uidvalidity = task->uidvalidity;
	delivery->uid = task->uid;
	delivery->seq = task->seq;
	delivery->subject = xstrdup(task->subject);
	delivery->is_hidden = notify_can_clear(task, &delivery->n);
	delivery->returns = xstrdup(notifier->name);
	return delivery;
}

void
places_show_again(struct notifier *notifier, struct line *line,
    const struct shown_message *message, const struct shown_item *item)
{
	struct mailbox_task *task = NEW(struct mailbox_task);
	struct mailbox_event holder = {.task = task};
	int64_t judged;

	if (read_task(line, message, task, &judged) &&
	    (places_is_on_screen(notifier, item) ||
		loop_now_unix() - judged <= PLACES_AGE_MAX_SEC))
		delivery_send_with_preview(
		    delivery_of(notifier, line, task), task);
	mailbox_event_done(&holder);
}

/* It may have been read while its message was asked how it begins. */
void
places_return(struct delivery *delivery)
{
	LIST_EACH(pos, &delivery->notify->notifiers)
	{
		struct notifier *notifier =
		    LIST_ITEM(pos, struct notifier, link);
		if (strcmp(notifier->name, delivery->returns) != 0)
			continue;
		notify_queue_return(notifier->queue, &delivery->n, loop_now());
		notifier_give_turn(notifier);
	}
	delivery_forget(delivery);
}
