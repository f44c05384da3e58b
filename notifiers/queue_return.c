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

	/* It may hang there still, if only our program has ended. */
	if (request->place != NULL)
		queue_add_closing(queue, request);
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

/* By its place a later run of the program can close it, too. */
static void
keep_place(struct request *request)
{
	request->is_restored = true;
	LIST_EACH(pos, &request->entries)
	queue_make_bare(queue_entry_at(pos));
}

void
queue_take_back_shown(struct notify_queue *queue)
{
	struct list_link *at = queue->shown.prev;

	/* The last first, so that the first comes to the front. */
	while (at != &queue->shown) {
		struct request *request = queue_request_at(at);

		at = at->prev;
		if (request->is_restored)
			continue; /* its texts come with notify_queue_return */
		if (queue->returns && !request->is_expired)
			wait_again(queue, request);
		else if (request->place != NULL)
			keep_place(request);
		else
			queue_leave_shown(queue, request);
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
		shown->is_restored = true;
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

void
notify_queue_set_place(
    struct notify_queue *queue, uint64_t id, const char *place, bool is_expired)
{
	struct request *request = queue_find_request(&queue->shown, id);

	if (request == NULL)
		return;
	free(request->place);
	request->place = xstrdup(place);
	request->is_expired = is_expired;
}

static struct entry *
find_restored(struct request *request, const struct notification *n)
{
	if (!request->is_restored || request->is_expired)
		return NULL;
	LIST_EACH(pos, &request->entries)
	if (queue_is_same_message(&queue_entry_at(pos)->n, n))
		return queue_entry_at(pos);
	return NULL;
}

static void
show_again(struct notify_queue *queue, struct request *request,
    struct entry *entry, const struct notification *n)
{
	list_remove(&entry->link);
	queue->shown_entries--;
	queue_fill_entry(queue, entry, n);
	list_add(&queue->waiting, &entry->link);
	queue->waiting_count++;
	if (!list_is_empty(&request->entries))
		return;
	/* In quiet hours the old one stays, so that it can be seen. */
	entry->replaces = request->id;
	queue_add_closing(queue, request)->is_held = true;
	queue_leave_shown(queue, request);
}

bool
notify_queue_return(
    struct notify_queue *queue, const struct notification *n, usec_t now)
{
	struct notification key;
	bool found = false;

	queue->now = now;
	notification_init(&key);
	notification_copy_sanitized(&key, n);
	LIST_EACH(pos, &queue->shown)
	{
		struct request *request = queue_request_at(pos);
		struct entry *entry = find_restored(request, &key);

		if (entry == NULL || found)
			continue;
		show_again(queue, request, entry, n);
		found = true;
	}
	notification_done(&key);
	if (found)
		queue_keep_bounds(queue);
	return found;
}
