/*
 * What a notifier says of what it was asked for.
 */
#include "daemon/base/xalloc.h"
#include "notifiers/queue_private.h"

struct request *
queue_find_request(const struct list_link *requests, uint64_t id)
{
	LIST_EACH(pos, requests)
	if (queue_request_at(pos)->id == id)
		return queue_request_at(pos);
	return NULL;
}

static void
forget_shown_above(struct notify_queue *queue, size_t max)
{
	while (queue->shown_entries > max)
		queue_leave_shown(queue, queue_request_at(queue->shown.next));
}

static void
on_shown(struct notify_queue *queue, const struct notifier_line *line)
{
	struct request *request = queue_find_request(&queue->asked, line->n.id);

	if (request == NULL)
		return;
	queue_settle_request(queue, request,
	    request->is_summary ? NOTIFY_SUMMARISED : NOTIFY_SHOWN, NULL);
	queue_leave_asked(queue, request);
	free(request->place);
	request->place = line->place != NULL ? xstrdup(line->place) : NULL;
	list_add(&queue->shown, &request->link);
	queue->shown_entries += queue_count_entries(request);
	queue_strip_shown(queue);
	forget_shown_above(queue, QUEUE_SHOWN_MAX);
}

void
queue_give_up(
    struct notify_queue *queue, struct request *request, const char *reason)
{
	queue_settle_request(queue, request, NOTIFY_GONE, reason);
	queue_leave_asked(queue, request);
	queue_free_request(request);
}

static void
on_failed(struct notify_queue *queue, const struct notifier_line *line)
{
	struct request *request = queue_find_request(&queue->asked, line->n.id);

	if (request != NULL)
		queue_give_up(queue, request,
		    line->reason != NULL ? line->reason
					 : "the notifier refused it");
}

static bool
is_expiry(const struct notify_queue *queue, const struct notifier_line *line)
{
	return queue->returns && line->reason != NULL &&
	       strcmp(line->reason, "expired") == 0;
}

/* What is closed without having been called shown was seen, too. A desktop may
 * list what expired (Plasma does): once read, it is to go from there. */
static void
on_closed(struct notify_queue *queue, const struct notifier_line *line)
{
	struct request *request;

	on_shown(queue, line);
	request = queue_find_request(&queue->shown, line->n.id);
	if (request == NULL)
		return;
	if (is_expiry(queue, line))
		request->is_expired = true;
	else
		queue_leave_shown(queue, request);
}

static void
on_ready(struct notify_queue *queue, const struct notifier_line *line)
{
	bool is_few = line->singles > 0 && line->singles < QUEUE_COALESCE_ABOVE;

	queue->singles = is_few ? line->singles : QUEUE_COALESCE_ABOVE;
	notify_queue_set_available(queue, true, queue->now);
}

static void
on_unavailable(struct notify_queue *queue, const struct notifier_line *line)
{
	if (!line->keeps)
		notify_queue_set_available(queue, false, queue->now);
	else if (queue->is_available)
		queue_become_unavailable(queue, true);
}

static void (*const on_answer[NOTIFIER_VERBS])(
    struct notify_queue *, const struct notifier_line *) = {
    [NOTIFIER_SHOWN] = on_shown,
    [NOTIFIER_FAILED] = on_failed,
    [NOTIFIER_CLOSED] = on_closed,
    [NOTIFIER_READY] = on_ready,
    [NOTIFIER_UNAVAILABLE] = on_unavailable,
};

void
notify_queue_answer(
    struct notify_queue *queue, const struct notifier_line *line, usec_t now)
{
	queue->now = now;
	if (on_answer[line->verb] != NULL)
		on_answer[line->verb](queue, line);
}

size_t
notify_queue_each(const struct notify_queue *queue, uint64_t id,
    notify_each_fn *fn, void *ctx)
{
	struct request *request = queue_find_request(&queue->shown, id);
	size_t count = 0;

	if (request == NULL)
		request = queue_find_request(&queue->asked, id);
	if (request == NULL)
		return 0;
	for (struct list_link *pos = request->entries.prev;
	     pos != &request->entries; pos = pos->prev, count++)
		fn(ctx, &queue_entry_at(pos)->n);
	return count;
}
