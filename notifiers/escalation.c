/*
 * notifiers/escalation: notifications that come later.
 *
 *   WAITING --look_at--> LOOKING --due--> gone, with RING
 *       \-------- withdraw -------------> CANCELLED, gone
 */
#include "notifiers/escalation.h"

#include "daemon/base/list.h"
#include "daemon/base/xalloc.h"

#include <string.h>

enum state {
	STATE_WAITING,
	STATE_LOOKING,
	STATE_CANCELLED
};

struct escalation {
	struct list_link link;
	enum state state;
	char *account, *mailbox;
	uint32_t uidvalidity, uid;
	usec_t look_at, due;
	bool unless_read;
	void *ctx;
};

struct escalations {
	struct list_link items; /* struct escalation::link */
	size_t count;
};

static struct escalation *
item_at(struct list_link *link)
{
	return LIST_ITEM(link, struct escalation, link);
}

static void
free_item(struct escalations *escalations, struct escalation *item)
{
	list_remove(&item->link);
	escalations->count--;
	free(item->account);
	free(item->mailbox);
	free(item);
}

struct escalations *
escalations_new(void)
{
	struct escalations *escalations = NEW(struct escalations);

	list_init(&escalations->items);
	return escalations;
}

void
escalations_free(struct escalations **escalations)
{
	if (*escalations == NULL)
		return;
	LIST_EACH(pos, &(*escalations)->items)
	free_item(*escalations, item_at(pos));
	free(*escalations);
	*escalations = NULL;
}

bool
escalations_add(struct escalations *escalations,
    const struct escalation_message *message, usec_t due, bool unless_read,
    void *ctx, usec_t now)
{
	usec_t soonest = usec_add(now, ESCALATION_LOOK_USEC);
	struct escalation *item;

	if (escalations->count == ESCALATIONS_MAX)
		return false;
	item = NEW(struct escalation);
	item->account = xstrdup(message->account);
	item->mailbox = xstrdup(message->mailbox);
	item->uidvalidity = message->uidvalidity;
	item->uid = message->uid;
	item->unless_read = unless_read;
	item->ctx = ctx;
	item->due = due < soonest ? soonest : due;
	item->look_at = item->due - ESCALATION_LOOK_USEC;
	if (!unless_read) { /* nothing to look for, nothing to wait for */
		item->due = due;
		item->look_at = due;
		item->state = STATE_LOOKING;
	}
	list_add(&escalations->items, &item->link);
	escalations->count++;
	return true;
}

static bool
is_about(
    const struct escalation *item, const struct escalation_message *message)
{
	return item->uid == message->uid &&
	       item->uidvalidity == message->uidvalidity &&
	       strcmp(item->account, message->account) == 0 &&
	       strcmp(item->mailbox, message->mailbox) == 0;
}

void
escalations_withdraw(
    struct escalations *escalations, const struct escalation_message *message)
{
	LIST_EACH(pos, &escalations->items)
	if (item_at(pos)->unless_read && is_about(item_at(pos), message))
		item_at(pos)->state = STATE_CANCELLED;
}

void
escalations_forget(struct escalations *escalations, const void *ctx)
{
	LIST_EACH(pos, &escalations->items)
	if (item_at(pos)->ctx == ctx)
		free_item(escalations, item_at(pos));
}

static usec_t
time_of(const struct escalation *item)
{
	static const usec_t at_once = 0;

	switch (item->state) {
	case STATE_WAITING:
		return item->look_at;
	case STATE_LOOKING:
		return item->due;
	case STATE_CANCELLED:
		break;
	}
	return at_once;
}

bool
escalations_next(struct escalations *escalations, usec_t now,
    struct escalation_event *event_r)
{
	static const enum escalation_step steps[] = {
	    [STATE_WAITING] = ESCALATION_LOOK,
	    [STATE_LOOKING] = ESCALATION_RING,
	    [STATE_CANCELLED] = ESCALATION_CANCELLED,
	};

	LIST_EACH(pos, &escalations->items)
	{
		struct escalation *item = item_at(pos);

		if (time_of(item) > now)
			continue;
		*event_r = (struct escalation_event){
		    .step = steps[item->state], .ctx = item->ctx};
		/* Found late: there is still time to look. */
		if (item->state == STATE_WAITING) {
			usec_t soonest = usec_add(now, ESCALATION_LOOK_USEC);
			item->due = item->due < soonest ? soonest : item->due;
			item->state = STATE_LOOKING;
		} else {
			free_item(escalations, item);
		}
		return true;
	}
	return false;
}

usec_t
escalations_deadline(const struct escalations *escalations)
{
	usec_t deadline = USEC_NEVER;

	for (struct list_link *pos = escalations->items.next;
	     pos != &escalations->items; pos = pos->next)
		deadline = usec_min(deadline, time_of(item_at(pos)));
	return deadline;
}

size_t
escalations_count(const struct escalations *escalations)
{
	return escalations->count;
}
