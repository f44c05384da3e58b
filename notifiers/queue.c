/*
 * notifiers/queue: what is shown when.
 */
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "notifiers/queue_private.h"

/* ---- Beginning and end ---- */

struct notify_queue *
notify_queue_new(void)
{
	struct notify_queue *queue = NEW(struct notify_queue);

	list_init(&queue->waiting);
	list_init(&queue->asked);
	list_init(&queue->shown);
	list_init(&queue->closings);
	list_init(&queue->outcomes);
	queue->window_usec = QUEUE_WINDOW_USEC;
	queue->singles = QUEUE_COALESCE_ABOVE;
	return queue;
}

static void
free_closings(struct notify_queue *queue)
{
	LIST_EACH(pos, &queue->closings)
	queue_free_closing(LIST_ITEM(pos, struct closing, link));
}

/* The notifier that knew their ids is gone; places hold for the next one. */
static void
drop_closings_by_id(struct notify_queue *queue)
{
	LIST_EACH(pos, &queue->closings)
	{
		struct closing *closing = LIST_ITEM(pos, struct closing, link);

		if (closing->place == NULL)
			queue_free_closing(closing);
	}
}

static void
free_outcomes(struct notify_queue *queue)
{
	LIST_EACH(pos, &queue->outcomes)
	{
		struct outcome *outcome = LIST_ITEM(pos, struct outcome, link);

		list_remove(pos);
		free(outcome->reason);
		free(outcome);
	}
}

void
notify_queue_free(struct notify_queue **queue_ptr)
{
	struct notify_queue *queue = *queue_ptr;

	if (queue == NULL)
		return;
	*queue_ptr = NULL;
	LIST_EACH(pos, &queue->waiting)
	queue_free_entry(queue_entry_at(pos));
	LIST_EACH(pos, &queue->asked)
	queue_free_request(queue_request_at(pos));
	LIST_EACH(pos, &queue->shown)
	queue_free_request(queue_request_at(pos));
	free_closings(queue);
	free_outcomes(queue);
	free(queue->lent_reason);
	free(queue);
}

/* ---- Bounds ---- */

/* The oldest that is not critical, else the oldest. */
static struct entry *
least_wanted(struct notify_queue *queue)
{
	LIST_EACH(pos, &queue->waiting)
	if (queue_entry_at(pos)->n.urgency != URGENCY_CRITICAL)
		return queue_entry_at(pos);
	return queue_entry_at(queue->waiting.next);
}

static void
drop_above(struct notify_queue *queue, size_t max)
{
	while (queue->waiting_count > max) {
		struct entry *entry = least_wanted(queue);

		queue_settle(queue, entry, NOTIFY_GONE,
		    "too many notifications waited; a summary counts it");
		queue_leave_waiting(queue, entry);
		queue_free_entry(entry);
		queue->dropped++;
	}
}

/* All but the newest QUEUE_KEEP_MAX lose their texts. */
static void
strip_oldest(struct notify_queue *queue)
{
	size_t above = queue->waiting_count;

	LIST_EACH(pos, &queue->waiting)
	{
		struct entry *entry = queue_entry_at(pos);

		if (above-- <= QUEUE_KEEP_MAX)
			return;
		if (!entry->is_bare && entry->n.urgency != URGENCY_CRITICAL)
			queue_make_bare(entry);
	}
}

void
queue_keep_bounds(struct notify_queue *queue)
{
	bool merges =
	    queue->is_available || queue->is_quiet || queue->was_quiet;

	drop_above(queue, merges ? QUEUE_MERGE_MAX : QUEUE_KEEP_MAX);
	strip_oldest(queue);
}

/* ---- What goes in ---- */

void
queue_fill_entry(struct notify_queue *queue, struct entry *entry,
    const struct notification *n)
{
	notification_copy_sanitized(&entry->n, n);
	entry->n.is_private =
	    n->uid != 0 && (n->is_private || queue->is_private);
	if (entry->n.is_private)
		queue_make_private(&entry->n);
	entry->n.id = ++queue->last_id;
	entry->since = queue->now;
	entry->is_bare = false;
}

/* Of one mailbox, and newer. */
static bool
is_behind(const struct entry *entry, const struct notification *n)
{
	const struct notification *other = &entry->n;

	return n->uid != 0 && other->uid > n->uid &&
	       other->uidvalidity == n->uidvalidity &&
	       strcmp(other->mailbox, n->mailbox) == 0 &&
	       strcmp(other->account, n->account) == 0;
}

/* Who waited for its preview may come behind newer ones that had none. */
static struct list_link *
place_of(struct notify_queue *queue, const struct notification *n)
{
	struct list_link *place = &queue->waiting;

	while (place->prev != &queue->waiting &&
	       is_behind(queue_entry_at(place->prev), n))
		place = place->prev;
	return place;
}

uint64_t
notify_queue_add(
    struct notify_queue *queue, const struct notification *n, usec_t now)
{
	struct entry *entry = NEW(struct entry);

	queue->now = now;
	notification_init(&entry->n);
	queue_fill_entry(queue, entry, n);
	list_add(place_of(queue, &entry->n), &entry->link);
	queue->waiting_count++;
	queue_keep_bounds(queue);
	return queue->last_id;
}

/* ---- There or away ---- */

/* To the front, in the order of before. */
static void
wait_again(struct notify_queue *queue, struct request *request)
{
	struct list_link *front = queue->waiting.next;

	queue->dropped += request->dropped;
	queue_leave_asked(queue, request);
	LIST_EACH(pos, &request->entries)
	{
		list_remove(pos);
		list_add(front, pos); /* that is: before it */
		queue->waiting_count++;
	}
	queue_free_request(request);
}

void
queue_become_unavailable(struct notify_queue *queue, bool keeps)
{
	queue->is_available = false;
	/* The last first, so that the first comes to the front. */
	while (!list_is_empty(&queue->asked))
		wait_again(queue, queue_request_at(queue->asked.prev));
	if (!keeps) {
		drop_closings_by_id(queue);
		queue_take_back_shown(queue);
	}
	queue_keep_bounds(queue);
}

void
notify_queue_set_available(
    struct notify_queue *queue, bool available, usec_t now)
{
	queue->now = now;
	if (available)
		queue->is_available = true;
	else if (queue->is_available || !list_is_empty(&queue->shown))
		queue_become_unavailable(queue, false);
}

void
notify_queue_set_returns(struct notify_queue *queue, bool returns)
{
	queue->returns = returns;
}

void
notify_queue_set_private(struct notify_queue *queue, bool is_private)
{
	queue->is_private = is_private;
}

void
notify_queue_set_keep(struct notify_queue *queue, usec_t keep)
{
	queue->keep = keep;
}

static void
drop_old(struct notify_queue *queue)
{
	if (queue->is_available || queue->is_quiet || queue->keep == 0)
		return;
	LIST_EACH(pos, &queue->waiting)
	{
		struct entry *entry = queue_entry_at(pos);

		if (usec_since(entry->since, queue->now) < queue->keep)
			continue;
		queue_settle(queue, entry, NOTIFY_GONE,
		    "the notifier was away for too long");
		queue_leave_waiting(queue, entry);
		queue_free_entry(entry);
	}
}

void
notify_queue_set_quiet(struct notify_queue *queue, bool is_quiet, usec_t now)
{
	queue->now = now;
	if (is_quiet == queue->is_quiet)
		return;
	queue->is_quiet = is_quiet;
	queue->was_quiet = !is_quiet && queue->waiting_count > 0;
}

/* ---- Time ---- */

usec_t
notify_queue_deadline(const struct notify_queue *queue)
{
	usec_t deadline = USEC_NEVER;

	if (queue->waiting_count > 0 && queue_is_window_open(queue) &&
	    !queue->is_quiet && queue_has_room_to_ask(queue))
		deadline = queue->window_end;
	LIST_EACH(pos, &queue->asked)
	deadline = usec_min(deadline, queue_request_at(pos)->deadline);
	return deadline;
}

void
notify_queue_tick(struct notify_queue *queue, usec_t now)
{
	queue->now = now;
	LIST_EACH(pos, &queue->asked)
	{
		struct request *request = queue_request_at(pos);

		if (request->deadline <= now)
			queue_give_up(
			    queue, request, "the notifier did not answer");
	}
	drop_old(queue);
}

/* ---- What became of them ---- */

bool
notify_queue_outcome(
    struct notify_queue *queue, struct notify_outcome *outcome_r)
{
	struct outcome *outcome;

	if (list_is_empty(&queue->outcomes))
		return false;
	outcome = LIST_ITEM(queue->outcomes.next, struct outcome, link);
	free(queue->lent_reason);
	queue->lent_reason = outcome->reason;
	*outcome_r = (struct notify_outcome){
	    outcome->id, outcome->fate, outcome->reason};
	list_remove(&outcome->link);
	free(outcome);
	return true;
}

size_t
notify_queue_waiting(const struct notify_queue *queue)
{
	size_t count = 0;

	LIST_EACH(pos, &queue->waiting)
	count += !queue_entry_at(pos)->is_settled;
	LIST_EACH(pos, &queue->asked)
	LIST_EACH(entry, &queue_request_at(pos)->entries)
	count += !queue_entry_at(entry)->is_settled;
	return count;
}
