/*
 * What a notifier is asked for, and when: the windows, in which what comes is
 * shown by itself, or waits to be merged.
 */
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "notifiers/queue_private.h"

/* The one place where windows open. */
static void
open_window(struct notify_queue *queue, unsigned quota, usec_t length)
{
	queue->window_usec = length;
	queue->window_end = usec_add(queue->now, length);
	queue->quota = quota;
}

static void
spend(struct notify_queue *queue)
{
	if (!queue_is_window_open(queue))
		open_window(queue, queue->singles, QUEUE_WINDOW_USEC);
	queue->quota--;
}

bool
notify_queue_would_show(
    const struct notify_queue *queue, enum urgency urgency, usec_t now)
{
	if (queue->is_private || queue->asked_count >= QUEUE_ASKED_MAX)
		return false;
	if (urgency == URGENCY_CRITICAL)
		return true;
	if (queue->is_quiet || queue->dropped > 0)
		return false;
	if (!queue->is_available)
		return queue->waiting_count < queue->singles;
	return queue->waiting_count == 0 &&
	       (now >= queue->window_end || queue->quota > 0);
}

static struct request *
new_request(struct notify_queue *queue)
{
	struct request *request = NEW(struct request);

	list_init(&request->link);
	list_init(&request->entries);
	request->deadline = usec_add(queue->now, QUEUE_ANSWER_USEC);
	return request;
}

static void
take_entry(
    struct notify_queue *queue, struct request *request, struct entry *entry)
{
	queue_leave_waiting(queue, entry);
	list_add(&request->entries, &entry->link);
}

static void
ask(struct notify_queue *queue, struct request *request)
{
	list_add(&queue->asked, &request->link);
	queue->asked_count++;
	queue->asked_entries += queue_count_entries(request);
}

static void
ask_single(struct notify_queue *queue, struct entry *entry,
    struct notifier_line *line_r)
{
	struct request *request = new_request(queue);

	request->id = entry->n.id;
	take_entry(queue, request, entry);
	notification_copy(&line_r->n, &entry->n);
	if (entry->n.is_private)
		queue_hide_message(&line_r->n);
	ask(queue, request);
}

static void
ask_summary(struct notify_queue *queue, struct notifier_line *line_r)
{
	struct request *request = new_request(queue);
	bool is_flood =
	    queue->window_end > 0 &&
	    usec_since(queue->window_end, queue->now) < queue->window_usec;
	usec_t twice = usec_min(2 * queue->window_usec, QUEUE_FLOOD_USEC);

	request->id = ++queue->last_id;
	request->is_summary = true;
	request->dropped = queue->dropped;
	queue->dropped = 0;
	LIST_EACH(pos, &queue->waiting)
	take_entry(queue, request, queue_entry_at(pos));
	queue_fill_summary(request, &line_r->n);
	ask(queue, request);
	open_window(queue, 0, is_flood ? twice : QUEUE_WINDOW_USEC);
}

/* The one that says how many there are of the account, if it is shown. */
static struct request *
find_private(struct notify_queue *queue, const struct entry *entry)
{
	LIST_EACH(pos, &queue->shown)
	{
		struct request *request = queue_request_at(pos);
		const struct notification *n =
		    &queue_entry_at(request->entries.next)->n;

		if (!request->is_expired && !request->is_restored &&
		    n->is_private && n->urgency != URGENCY_CRITICAL &&
		    strcmp(n->account, entry->n.account) == 0)
			return request;
	}
	return NULL;
}

/* All that wait of the account, in one: the shown one, or a new one. */
static void
ask_private(struct notify_queue *queue, const struct entry *first,
    struct notifier_line *line_r)
{
	struct request *request = find_private(queue, first);
	STR_AUTO account = xstrdup(first->n.account);

	if (request != NULL) {
		list_remove(&request->link);
		queue->shown_entries -= queue_count_entries(request);
		request->deadline = usec_add(queue->now, QUEUE_ANSWER_USEC);
	} else {
		request = new_request(queue);
		request->id = ++queue->last_id;
	}
	LIST_EACH(pos, &queue->waiting)
	{
		struct entry *entry = queue_entry_at(pos);

		if (entry->n.is_private &&
		    strcmp(entry->n.account, account) == 0)
			take_entry(queue, request, entry);
	}
	request->is_summary = queue_count_entries(request) > 1;
	queue_fill_summary(request, &line_r->n);
	ask(queue, request);
	open_window(queue, 0, QUEUE_WINDOW_USEC);
}

static struct entry *
first_private(struct notify_queue *queue)
{
	LIST_EACH(pos, &queue->waiting)
	if (queue_entry_at(pos)->n.is_private)
		return queue_entry_at(pos);
	return NULL;
}

static struct entry *
first_critical(struct notify_queue *queue)
{
	LIST_EACH(pos, &queue->waiting)
	if (queue_entry_at(pos)->n.urgency == URGENCY_CRITICAL)
		return queue_entry_at(pos);
	return NULL;
}

static struct closing *
first_closing(struct notify_queue *queue)
{
	LIST_EACH(pos, &queue->closings)
	{
		struct closing *closing = LIST_ITEM(pos, struct closing, link);

		if (!closing->is_held)
			return closing;
	}
	return NULL;
}

static bool
next_closing(struct notify_queue *queue, struct notifier_line *line_r)
{
	struct closing *closing = first_closing(queue);

	/* Before it is there it does not know what its places are. */
	if (closing == NULL || (closing->place != NULL && !queue->is_available))
		return false;
	line_r->verb = NOTIFIER_CLOSE;
	line_r->n.id = closing->id;
	line_r->place = closing->place;
	closing->place = NULL;
	queue_free_closing(closing);
	return true;
}

static bool
has_bare(const struct notify_queue *queue)
{
	LIST_EACH(pos, &queue->waiting)
	if (queue_entry_at(pos)->is_bare)
		return true;
	return false;
}

/* Behind a window in which all its singles were shown, a notifier that shows
 * few has room for one more. */
static size_t
room_for_singles(const struct notify_queue *queue)
{
	bool is_behind =
	    queue->window_end > 0 && queue->quota == 0 &&
	    usec_since(queue->window_end, queue->now) < queue->window_usec;

	return queue->singles < QUEUE_COALESCE_ABOVE && is_behind
		   ? 1
		   : queue->singles;
}

static bool
want_summary(const struct notify_queue *queue)
{
	return queue->waiting_count > room_for_singles(queue) ||
	       (queue->was_quiet && queue->waiting_count > 1) ||
	       queue->dropped > 0 || has_bare(queue);
}

/* Only called when no critical one waits any more. */
static bool
next_plain(struct notify_queue *queue, struct notifier_line *line_r)
{
	if (queue->waiting_count == 0 || queue->is_quiet ||
	    (queue_is_window_open(queue) && queue->quota == 0))
		return false;
	struct entry *hidden = first_private(queue);
	if (hidden != NULL) {
		ask_private(queue, hidden, line_r);
	} else if (want_summary(queue)) {
		ask_summary(queue, line_r);
	} else {
		spend(queue);
		ask_single(queue, queue_entry_at(queue->waiting.next), line_r);
	}
	queue->was_quiet = false;
	return true;
}

static bool
next_notify(struct notify_queue *queue, struct notifier_line *line_r)
{
	struct entry *critical;

	if (!queue_has_room_to_ask(queue))
		return false;
	line_r->verb = NOTIFIER_NOTIFY;
	critical = first_critical(queue);
	if (critical == NULL)
		return next_plain(queue, line_r);
	ask_single(queue, critical, line_r);
	return true;
}

bool
notify_queue_next(struct notify_queue *queue, struct notifier_line *line_r)
{
	struct notifier_line line = {0};

	notification_init(&line.n);
	if (!next_closing(queue, &line) && !next_notify(queue, &line))
		return false;
	*line_r = line;
	return true;
}
