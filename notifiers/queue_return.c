/*
 * notifiers/queue: what was on a screen that is gone, or shown in an earlier
 * life.
 */
#include "daemon/base/xalloc.h"
#include "notifiers/queue_private.h"

void
queue_strip_shown(struct notify_queue *queue)
{
	size_t kept = 0;

	for (struct list_link *at = queue->shown.prev; at != &queue->shown;
	     at = at->prev) {
		struct request *request = queue_request_at(at);

		for (struct list_link *pos = request->entries.prev;
		     pos != &request->entries; pos = pos->prev) {
			struct entry *entry = queue_entry_at(pos);

			if (queue->returns && kept++ < QUEUE_KEEP_MAX)
				continue;
			if (entry->is_bare)
				return; /* and so are all before it */
			queue_make_bare(entry);
		}
	}
}

static void
wait_again(struct notify_queue *queue, struct request *request)
{
	struct list_link *front = queue->waiting.next;

	queue->shown_entries -= queue_count_entries(request);
	list_remove(&request->link);
	LIST_EACH(pos, &request->entries)
	{
		list_remove(pos);
		list_add(front, pos); /* that is: before it */
		queue->waiting_count++;
	}
	queue_free_request(request);
}

void
queue_take_back_shown(struct notify_queue *queue)
{
	/* The last first, so that the first comes to the front. */
	while (!list_is_empty(&queue->shown)) {
		struct request *last = queue_request_at(queue->shown.prev);

		if (queue->returns && !last->is_expired)
			wait_again(queue, last);
		else
			queue_leave_shown(queue, last);
	}
}

uint64_t
notify_queue_restore(
    struct notify_queue *queue, const struct notification *n, uint64_t request)
{
	struct request *shown = queue_find_request(&queue->shown, request);
	struct entry *entry = NEW(struct entry);

	if (shown == NULL) {
		shown = NEW(struct request);
		list_init(&shown->link);
		list_init(&shown->entries);
		shown->id = ++queue->last_id;
		list_add(&queue->shown, &shown->link);
	} else {
		shown->is_summary = true;
	}
	notification_init(&entry->n);
	notification_copy_sanitized(&entry->n, n);
	entry->n.id = ++queue->last_id;
	entry->is_settled = true;
	queue_make_bare(entry);
	list_add(&shown->entries, &entry->link);
	queue->shown_entries++;
	return shown->id;
}
