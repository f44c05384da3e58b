/*
 * wiring: one notification on its way to several notifiers.
 */
#include "daemon/control/json.h"
#include "daemon/wiring/notify.h"

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

void
delivery_forget(struct delivery *delivery)
{
	list_remove(&delivery->later);
	free(delivery->words);
	free(delivery->from);
	free(delivery->subject);
	free(delivery->rule);
	free(delivery->returns);
	buf_done(&delivery->header);
	strv_done(&delivery->except);
	notification_done(&delivery->n);
	free(delivery);
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
	delivery_forget(delivery);
	if (line != NULL)
		accounts_pump(line->owner);
}

static const char *const fate_words[] = {
    [NOTIFY_SHOWN] = "shown",
    [NOTIFY_SUMMARISED] = "shown in a summary",
    [NOTIFY_GONE] = "not shown",
    [NOTIFY_WITHDRAWN] = "not needed any more",
};

static struct shown_message
message_of(const struct delivery *delivery)
{
	return (struct shown_message){delivery->n.account, delivery->n.mailbox,
	    delivery->uidvalidity, delivery->uid, delivery->seq};
}

static bool
is_of(const struct delivery *delivery, const struct shown_message *message)
{
	return delivery->line != NULL && delivery->uid == message->uid &&
	       delivery->seq == message->seq &&
	       delivery->uidvalidity == message->uidvalidity &&
	       strcmp(delivery->n.account, message->account) == 0 &&
	       strcmp(delivery->n.mailbox, message->mailbox) == 0;
}

bool
delivery_is_elsewhere(
    const struct notifier *notifier, const struct shown_message *message)
{
	LIST_EACH(pos, &notifier->notify->pending)
	{
		const struct pending *other =
		    LIST_ITEM(pos, struct pending, link);
		if (other->notifier != notifier &&
		    is_of(other->delivery, message))
			return true;
	}
	return false;
}

/* Others have it still before them: should this life end, it must not ring here
 * again. */
static void
note_shown(const struct pending *pending)
{
	const struct delivery *delivery = pending->delivery;
	const struct shown_message message = message_of(delivery);

	if (delivery->line != NULL && delivery->uid != 0 &&
	    !shown_is_noted(pending->notifier, delivery) &&
	    delivery_is_elsewhere(pending->notifier, &message))
		shown_note(pending->notifier, &message, NULL, NULL);
}

void
pending_settle(struct pending *pending, const struct notify_outcome *outcome)
{
	struct delivery *delivery = pending->delivery;
	bool shown =
	    outcome->fate == NOTIFY_SHOWN || outcome->fate == NOTIFY_SUMMARISED;

	if (shown || delivery->words == NULL) {
		free(delivery->words);
		delivery->words = xasprintf("notification %s by %s%s%s",
		    fate_words[outcome->fate], pending->notifier->name,
		    shown || outcome->reason == NULL ? "" : ": ",
		    shown || outcome->reason == NULL ? "" : outcome->reason);
	}
	delivery->shown = delivery->shown || shown;
	delivery->unwanted =
	    delivery->unwanted || outcome->fate == NOTIFY_WITHDRAWN;
	if (shown)
		note_shown(pending);
	list_remove(&pending->link);
	free(pending);
	if (--delivery->open == 0)
		end_delivery(delivery);
}

struct pending *
pending_find(struct notifier *notifier, uint64_t id)
{
	LIST_EACH(pos, &notifier->notify->pending)
	{
		struct pending *pending = LIST_ITEM(pos, struct pending, link);
		if (pending->notifier == notifier && pending->id == id)
			return pending;
	}
	return NULL;
}

/* ---- adding ---- */

bool
notifier_is_for(
    const struct notifier *notifier, const struct delivery *delivery)
{
	const struct notification *n = &delivery->n;

	if (delivery->is_escalation)
		return strv_has(&n->via, notifier->name);
	if ((int)n->urgency < notifier->least)
		return false;
	if (n->via.len > 0)
		return strv_has(&n->via, notifier->name);
	return !strv_has(&delivery->except, notifier->name);
}

struct delivery *
delivery_new(struct notify *notify)
{
	struct delivery *delivery = NEW(struct delivery);

	delivery->notify = notify;
	notification_init(&delivery->n);
	list_init(&delivery->later);
	return delivery;
}

void
delivery_drop(struct delivery *delivery, const char *words)
{
	delivery->unwanted = true;
	delivery->words = xstrdup(words);
	end_delivery(delivery);
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

static void
note_earlier(const struct notifier *notifier, struct delivery *delivery)
{
	free(delivery->words);
	delivery->words = xasprintf("notification shown by %s", notifier->name);
	delivery->shown = true;
}

void
delivery_send(struct delivery *delivery)
{
	struct notify *notify = delivery->notify;
	const struct notification *n = &delivery->n;

	delivery->open++; /* until all have it */
	LIST_EACH(pos, &notify->notifiers)
	{
		struct notifier *notifier =
		    LIST_ITEM(pos, struct notifier, link);
		if (!notifier_is_for(notifier, delivery) ||
		    has_it(notifier, delivery))
			continue;
		if (shown_is_noted(notifier, delivery)) {
			note_earlier(notifier, delivery);
			continue;
		}
		struct pending *pending = NEW(struct pending);
		pending->notifier = notifier;
		pending->delivery = delivery;
		pending->id = notify_queue_add(notifier->queue, n, loop_now());
		list_add(&notify->pending, &pending->link);
		delivery->open++;
	}
	LIST_EACH(pos, &notify->notifiers)
	notifier_give_turn(LIST_ITEM(pos, struct notifier, link));
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
