/*
 * notifiers/queue: what is not to be shown any more.
 */
#include "notifiers/queue_private.h"

bool
queue_is_same_message(
    const struct notification *a, const struct notification *b)
{
	return a->uid == b->uid && a->uidvalidity == b->uidvalidity &&
	       strcmp(a->account, b->account) == 0 &&
	       strcmp(a->mailbox, b->mailbox) == 0;
}

static void
withdraw_waiting(struct notify_queue *queue, const struct notification *key)
{
	LIST_EACH(pos, &queue->waiting)
	{
		struct entry *entry = queue_entry_at(pos);

		if (!queue_is_same_message(&entry->n, key))
			continue;
		queue_settle(queue, entry, NOTIFY_WITHDRAWN, NULL);
		queue_leave_waiting(queue, entry);
		queue_free_entry(entry);
	}
}

/* True if nothing is left that the request tells of; `removed_r` is the number
 * of entries that it lost. */
static bool
withdraw_entries(struct notify_queue *queue, struct request *request,
    const struct notification *key, bool tell, size_t *removed_r)
{
	size_t removed = 0;

	LIST_EACH(pos, &request->entries)
	{
		struct entry *entry = queue_entry_at(pos);

		if (!queue_is_same_message(&entry->n, key))
			continue;
		if (tell)
			queue_settle(queue, entry, NOTIFY_WITHDRAWN, NULL);
		queue_free_entry(entry);
		removed++;
	}
	*removed_r = removed;
	return removed > 0 && list_is_empty(&request->entries);
}

static void
withdraw_asked(struct notify_queue *queue, const struct notification *key)
{
	LIST_EACH(pos, &queue->asked)
	{
		struct request *request = queue_request_at(pos);
		size_t removed;
		bool is_empty =
		    withdraw_entries(queue, request, key, true, &removed);

		queue->asked_entries -= removed;
		if (!is_empty)
			continue;
		/* Requests are answered in order: it is closed as soon as it
		 * is shown, and the late answer to it is passed over. */
		queue_add_closing(queue, request);
		queue_leave_asked(queue, request);
		queue_free_request(request);
	}
}

static void
withdraw_shown(struct notify_queue *queue, const struct notification *key)
{
	LIST_EACH(pos, &queue->shown)
	{
		struct request *request = queue_request_at(pos);
		size_t removed;
		bool is_empty =
		    withdraw_entries(queue, request, key, false, &removed);

		queue->shown_entries -= removed;
		if (!is_empty)
			continue;
		queue_add_closing(queue, request);
		queue_leave_shown(queue, request);
	}
}

void
notify_queue_withdraw(struct notify_queue *queue, const char *account,
    const char *mailbox, uint32_t uidvalidity, uint32_t uid, usec_t now)
{
	const struct notification given = {
	    .account = (char *)(uintptr_t)account,
	    .mailbox = (char *)(uintptr_t)mailbox,
	    .uidvalidity = uidvalidity,
	    .uid = uid,
	};
	struct notification key;

	queue->now = now;
	if (uid == 0)
		return;
	notification_init(&key);
	notification_copy_sanitized(&key, &given);
	withdraw_waiting(queue, &key);
	withdraw_asked(queue, &key);
	withdraw_shown(queue, &key);
	notification_done(&key);
	if (queue->waiting_count == 0) {
		queue->dropped = 0;
		queue->was_quiet = false;
	}
}
