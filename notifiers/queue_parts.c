/*
 * notifiers/queue: entries, requests, outcomes and their lists.
 */
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "notifiers/queue_private.h"

#define REASON_MAX 200 /* characters */

void
queue_free_entry(struct entry *entry)
{
	list_remove(&entry->link);
	notification_done(&entry->n);
	free(entry);
}

void
queue_free_request(struct request *request)
{
	LIST_EACH(pos, &request->entries)
	queue_free_entry(queue_entry_at(pos));
	list_remove(&request->link);
	free(request->place);
	free(request);
}

size_t
queue_count_entries(const struct request *request)
{
	size_t count = 0;

	LIST_EACH(pos, &request->entries)
	count++;
	return count;
}

void
queue_make_bare(struct entry *entry)
{
	char **texts[] = {&entry->n.title, &entry->n.body, &entry->n.preview,
	    &entry->n.sound, &entry->n.icon};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		free(*texts[i]);
		*texts[i] = NULL;
	}
	strv_done(&entry->n.via);
	entry->is_bare = true;
}

void
queue_settle(struct notify_queue *queue, struct entry *entry,
    enum notify_fate fate, const char *reason)
{
	struct outcome *outcome;
	BUF_AUTO words = BUF_INIT;

	if (entry->is_settled)
		return;
	entry->is_settled = true;
	outcome = NEW(struct outcome);
	outcome->id = entry->n.id;
	outcome->fate = fate;
	if (fate == NOTIFY_GONE) {
		str_sanitize(&words, span_from_str(reason), REASON_MAX);
		outcome->reason = buf_take_str(&words);
	}
	list_add(&queue->outcomes, &outcome->link);
}

void
queue_settle_request(struct notify_queue *queue, struct request *request,
    enum notify_fate fate, const char *reason)
{
	LIST_EACH(pos, &request->entries)
	queue_settle(queue, queue_entry_at(pos), fate, reason);
}

static void
release_closing(struct notify_queue *queue, uint64_t id)
{
	LIST_EACH(pos, &queue->closings)
	{
		struct closing *closing = LIST_ITEM(pos, struct closing, link);

		if (closing->id == id)
			closing->is_held = false;
	}
}

void
queue_leave_waiting(struct notify_queue *queue, struct entry *entry)
{
	if (entry->replaces != 0)
		release_closing(queue, entry->replaces);
	entry->replaces = 0;
	list_remove(&entry->link);
	queue->waiting_count--;
}

void
queue_leave_asked(struct notify_queue *queue, struct request *request)
{
	list_remove(&request->link);
	queue->asked_count--;
	queue->asked_entries -= queue_count_entries(request);
}

void
queue_leave_shown(struct notify_queue *queue, struct request *request)
{
	queue->shown_entries -= queue_count_entries(request);
	queue_free_request(request);
}

struct closing *
queue_add_closing(struct notify_queue *queue, struct request *request)
{
	struct closing *closing = NEW(struct closing);

	closing->id = request->id;
	closing->place = request->place;
	request->place = NULL;
	list_add(&queue->closings, &closing->link);
	return closing;
}

void
queue_free_closing(struct closing *closing)
{
	list_remove(&closing->link);
	free(closing->place);
	free(closing);
}
