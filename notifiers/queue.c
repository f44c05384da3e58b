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
	return queue;
}

static void
free_closings(struct notify_queue *queue)
{
	LIST_EACH(pos, &queue->closings)
	{
		list_remove(pos);
		free(LIST_ITEM(pos, struct closing, link));
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

static void
keep_bounds(struct notify_queue *queue)
{
	bool merges =
	    queue->is_available || queue->is_quiet || queue->was_quiet;

	drop_above(queue, merges ? QUEUE_MERGE_MAX : QUEUE_KEEP_MAX);
	strip_oldest(queue);
}

/* ---- What goes in ---- */

uint64_t
notify_queue_add(
    struct notify_queue *queue, const struct notification *n, usec_t now)
{
	struct entry *entry = NEW(struct entry);

	queue->now = now;
	notification_init(&entry->n);
	notification_copy_sanitized(&entry->n, n);
	entry->n.is_private =
	    n->uid != 0 && (n->is_private || queue->is_private);
	if (entry->n.is_private)
		queue_make_private(&entry->n);
	entry->n.id = ++queue->last_id;
	entry->since = now;
	list_add(&queue->waiting, &entry->link);
	queue->waiting_count++;
	keep_bounds(queue);
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

static void
become_unavailable(struct notify_queue *queue, bool keeps)
{
	queue->is_available = false;
	/* The last first, so that the first comes to the front. */
	while (!list_is_empty(&queue->asked))
		wait_again(queue, queue_request_at(queue->asked.prev));
	if (!keeps) {
		free_closings(queue);
		queue_take_back_shown(queue);
	}
	keep_bounds(queue);
}

void
notify_queue_set_available(
    struct notify_queue *queue, bool available, usec_t now)
{
	queue->now = now;
	if (available)
		queue->is_available = true;
	else if (queue->is_available || !list_is_empty(&queue->shown))
		become_unavailable(queue, false);
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

/* ---- Answers ---- */

static struct request *
find_request(const struct list_link *requests, uint64_t id)
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
	struct request *request = find_request(&queue->asked, line->n.id);

	if (request == NULL)
		return;
	queue_settle_request(queue, request,
	    request->is_summary ? NOTIFY_SUMMARISED : NOTIFY_SHOWN, NULL);
	queue_leave_asked(queue, request);
	list_add(&queue->shown, &request->link);
	queue->shown_entries += queue_count_entries(request);
	queue_strip_shown(queue);
	forget_shown_above(queue, QUEUE_SHOWN_MAX);
}

static void
give_up(struct notify_queue *queue, struct request *request, const char *reason)
{
	queue_settle_request(queue, request, NOTIFY_GONE, reason);
	queue_leave_asked(queue, request);
	queue_free_request(request);
}

static void
on_failed(struct notify_queue *queue, const struct notifier_line *line)
{
	struct request *request = find_request(&queue->asked, line->n.id);

	if (request != NULL)
		give_up(queue, request,
		    line->reason != NULL ? line->reason
					 : "the notifier refused it");
}

/* What is closed without having been called shown was seen, too. */
static void
on_closed(struct notify_queue *queue, const struct notifier_line *line)
{
	struct request *request;

	on_shown(queue, line);
	request = find_request(&queue->shown, line->n.id);
	if (request != NULL)
		queue_leave_shown(queue, request);
}

static void
on_ready(struct notify_queue *queue, const struct notifier_line *line)
{
	(void)line;
	notify_queue_set_available(queue, true, queue->now);
}

static void
on_unavailable(struct notify_queue *queue, const struct notifier_line *line)
{
	if (!line->keeps)
		notify_queue_set_available(queue, false, queue->now);
	else if (queue->is_available)
		become_unavailable(queue, true);
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
	struct request *request = find_request(&queue->shown, id);
	size_t count = 0;

	if (request == NULL)
		request = find_request(&queue->asked, id);
	if (request == NULL)
		return 0;
	for (struct list_link *pos = request->entries.prev;
	     pos != &request->entries; pos = pos->prev, count++)
		fn(ctx, &queue_entry_at(pos)->n);
	return count;
}

/* ---- Time ---- */

static bool
is_window_open(const struct notify_queue *queue)
{
	return queue->now < queue->window_end;
}

static bool
has_room_to_ask(const struct notify_queue *queue)
{
	return queue->is_available && queue->asked_count < QUEUE_ASKED_MAX;
}

usec_t
notify_queue_deadline(const struct notify_queue *queue)
{
	usec_t deadline = USEC_NEVER;

	if (queue->waiting_count > 0 && is_window_open(queue) &&
	    !queue->is_quiet && has_room_to_ask(queue))
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
			give_up(queue, request, "the notifier did not answer");
	}
	drop_old(queue);
}

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
	if (!is_window_open(queue))
		open_window(queue, QUEUE_COALESCE_ABOVE, QUEUE_WINDOW_USEC);
	queue->quota--;
}

bool
notify_queue_would_show(
    const struct notify_queue *queue, enum urgency urgency, usec_t now)
{
	if (!has_room_to_ask(queue) || queue->is_private)
		return false;
	return urgency == URGENCY_CRITICAL ||
	       (!queue->is_quiet && queue->waiting_count == 0 &&
		   queue->dropped == 0 &&
		   (now >= queue->window_end || queue->quota > 0));
}

/* ---- What goes out ---- */

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
		const struct notification *n =
		    &queue_entry_at(queue_request_at(pos)->entries.next)->n;

		if (n->is_private && n->urgency != URGENCY_CRITICAL &&
		    strcmp(n->account, entry->n.account) == 0)
			return queue_request_at(pos);
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

static bool
next_closing(struct notify_queue *queue, struct notifier_line *line_r)
{
	struct closing *closing;

	if (list_is_empty(&queue->closings))
		return false;
	closing = LIST_ITEM(queue->closings.next, struct closing, link);
	line_r->verb = NOTIFIER_CLOSE;
	line_r->n.id = closing->id;
	list_remove(&closing->link);
	free(closing);
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

static bool
want_summary(const struct notify_queue *queue)
{
	return queue->waiting_count > QUEUE_COALESCE_ABOVE ||
	       (queue->was_quiet && queue->waiting_count > 1) ||
	       queue->dropped > 0 || has_bare(queue);
}

/* Only called when no critical one waits any more. */
static bool
next_plain(struct notify_queue *queue, struct notifier_line *line_r)
{
	if (queue->waiting_count == 0 || queue->is_quiet ||
	    (is_window_open(queue) && queue->quota == 0))
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

	if (!has_room_to_ask(queue))
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
