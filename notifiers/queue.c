/*
 * notifiers/queue: what is shown when.
 *
 * A notification is an `entry`, what is asked of the notifier a `request`:
 * one entry, or several under a summary. An entry is in one place at a time:
 *
 *	waiting -> request in asked -> request in shown -> freed
 *
 * and has its outcome when it leaves `asked` (or is dropped before). Requests
 * in `asked` that are to be asked again are taken apart and their entries go
 * back to the front of `waiting`.
 */
#include "notifiers/queue.h"

#include <assert.h>

#include "daemon/base/list.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

#define REASON_MAX 200 /* characters */

struct entry {
	struct list_link link;
	struct notification n;
	bool is_bare; /* its texts are forgotten */
};

struct request {
	struct list_link link;
	uint64_t id;
	struct list_link entries; /* struct entry::link; never empty */
	unsigned dropped;	  /* counted, but gone before */
	bool is_summary;
	usec_t deadline; /* of the answer */
};

struct closing {
	struct list_link link;
	uint64_t id;
};

struct outcome {
	struct list_link link;
	uint64_t id;
	enum notify_fate fate;
	char *reason;
};

struct notify_queue {
	usec_t now;
	uint64_t last_id;
	bool is_available;
	struct list_link waiting;  /* struct entry::link, the oldest first */
	struct list_link asked;	   /* struct request::link */
	struct list_link shown;	   /* struct request::link */
	struct list_link closings; /* struct closing::link */
	struct list_link outcomes; /* struct outcome::link */
	size_t waiting_count, asked_count, asked_entries, shown_entries;
	unsigned dropped; /* since the last summary */
	/* The window: how many are shown at once in it, until when. */
	usec_t window_end, window_usec;
	unsigned quota;
	char *lent_reason;
};

/* ---- Entries, requests, outcomes ---- */

static struct entry *
entry_at(struct list_link *link)
{
	return LIST_ITEM(link, struct entry, link);
}

static struct request *
request_at(struct list_link *link)
{
	return LIST_ITEM(link, struct request, link);
}

static void
free_entry(struct entry *entry)
{
	list_remove(&entry->link);
	notification_done(&entry->n);
	free(entry);
}

static void
free_request(struct request *request)
{
	LIST_EACH(pos, &request->entries)
	free_entry(entry_at(pos));
	list_remove(&request->link);
	free(request);
}

static size_t
count_entries(const struct request *request)
{
	size_t count = 0;

	LIST_EACH(pos, &request->entries)
	count++;
	return count;
}

/* Forgets the texts, which takes nearly all its memory. */
static void
make_bare(struct entry *entry)
{
	char **texts[] = {&entry->n.title, &entry->n.body, &entry->n.sound,
	    &entry->n.icon, &entry->n.message_id};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		free(*texts[i]);
		*texts[i] = NULL;
	}
	strv_done(&entry->n.via);
	entry->is_bare = true;
}

static void
settle(struct notify_queue *queue, uint64_t id, enum notify_fate fate,
    const char *reason)
{
	struct outcome *outcome = NEW(struct outcome);
	BUF_AUTO words = BUF_INIT;

	outcome->id = id;
	outcome->fate = fate;
	if (fate == NOTIFY_GONE) {
		str_sanitize(&words, span_from_str(reason), REASON_MAX);
		outcome->reason = buf_take_str(&words);
	}
	list_add(&queue->outcomes, &outcome->link);
}

static void
settle_request(struct notify_queue *queue, struct request *request,
    enum notify_fate fate, const char *reason)
{
	LIST_EACH(pos, &request->entries)
	settle(queue, entry_at(pos)->n.id, fate, reason);
}

static void
leave_waiting(struct notify_queue *queue, struct entry *entry)
{
	list_remove(&entry->link);
	queue->waiting_count--;
}

static void
leave_asked(struct notify_queue *queue, struct request *request)
{
	list_remove(&request->link);
	queue->asked_count--;
	queue->asked_entries -= count_entries(request);
}

static void
leave_shown(struct notify_queue *queue, struct request *request)
{
	queue->shown_entries -= count_entries(request);
	free_request(request);
}

static void
add_closing(struct notify_queue *queue, uint64_t id)
{
	struct closing *closing = NEW(struct closing);

	closing->id = id;
	list_add(&queue->closings, &closing->link);
}

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
	free_entry(entry_at(pos));
	LIST_EACH(pos, &queue->asked)
	free_request(request_at(pos));
	LIST_EACH(pos, &queue->shown)
	free_request(request_at(pos));
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
	if (entry_at(pos)->n.urgency != URGENCY_CRITICAL)
		return entry_at(pos);
	return entry_at(queue->waiting.next);
}

static void
drop_above(struct notify_queue *queue, size_t max)
{
	while (queue->waiting_count > max) {
		struct entry *entry = least_wanted(queue);

		settle(queue, entry->n.id, NOTIFY_GONE,
		    "too many notifications waited; a summary counts it");
		leave_waiting(queue, entry);
		free_entry(entry);
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
		struct entry *entry = entry_at(pos);

		if (above-- <= QUEUE_KEEP_MAX)
			return;
		if (!entry->is_bare && entry->n.urgency != URGENCY_CRITICAL)
			make_bare(entry);
	}
}

static void
keep_bounds(struct notify_queue *queue)
{
	drop_above(
	    queue, queue->is_available ? QUEUE_MERGE_MAX : QUEUE_KEEP_MAX);
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
	entry->n.id = ++queue->last_id;
	list_add(&queue->waiting, &entry->link);
	queue->waiting_count++;
	keep_bounds(queue);
	return queue->last_id;
}

static bool
is_same(const struct notification *a, const struct notification *b)
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
		struct entry *entry = entry_at(pos);

		if (!is_same(&entry->n, key))
			continue;
		settle(queue, entry->n.id, NOTIFY_GONE, "withdrawn");
		leave_waiting(queue, entry);
		free_entry(entry);
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
		struct entry *entry = entry_at(pos);

		if (!is_same(&entry->n, key))
			continue;
		if (tell)
			settle(queue, entry->n.id, NOTIFY_GONE, "withdrawn");
		free_entry(entry);
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
		struct request *request = request_at(pos);
		size_t removed;
		bool is_empty =
		    withdraw_entries(queue, request, key, true, &removed);

		queue->asked_entries -= removed;
		if (!is_empty)
			continue;
		/* Requests are answered in order: it is closed as soon as it
		 * is shown, and the late answer to it is passed over. */
		add_closing(queue, request->id);
		leave_asked(queue, request);
		free_request(request);
	}
}

static void
withdraw_shown(struct notify_queue *queue, const struct notification *key)
{
	LIST_EACH(pos, &queue->shown)
	{
		struct request *request = request_at(pos);
		size_t removed;
		bool is_empty =
		    withdraw_entries(queue, request, key, false, &removed);

		queue->shown_entries -= removed;
		if (!is_empty)
			continue;
		add_closing(queue, request->id);
		leave_shown(queue, request);
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
	if (queue->waiting_count == 0)
		queue->dropped = 0;
}

/* ---- There or away ---- */

/* To the front, in the order of before. */
static void
wait_again(struct notify_queue *queue, struct request *request)
{
	struct list_link *front = queue->waiting.next;

	queue->dropped += request->dropped;
	leave_asked(queue, request);
	LIST_EACH(pos, &request->entries)
	{
		list_remove(pos);
		list_add(front, pos); /* that is: before it */
		queue->waiting_count++;
	}
	free_request(request);
}

static void
become_unavailable(struct notify_queue *queue)
{
	/* The last first, so that the first comes to the front. */
	while (!list_is_empty(&queue->asked))
		wait_again(queue, request_at(queue->asked.prev));
	while (!list_is_empty(&queue->shown))
		leave_shown(queue, request_at(queue->shown.next));
	free_closings(queue);
	keep_bounds(queue);
}

void
notify_queue_set_available(
    struct notify_queue *queue, bool available, usec_t now)
{
	queue->now = now;
	if (available == queue->is_available)
		return;
	queue->is_available = available;
	if (!available)
		become_unavailable(queue);
}

/* ---- Answers ---- */

static struct request *
find_request(struct list_link *requests, uint64_t id)
{
	LIST_EACH(pos, requests)
	if (request_at(pos)->id == id)
		return request_at(pos);
	return NULL;
}

static void
forget_shown_above(struct notify_queue *queue, size_t max)
{
	while (queue->shown_entries > max)
		leave_shown(queue, request_at(queue->shown.next));
}

static void
on_shown(struct notify_queue *queue, const struct notifier_line *line)
{
	struct request *request = find_request(&queue->asked, line->n.id);

	if (request == NULL)
		return;
	settle_request(queue, request,
	    request->is_summary ? NOTIFY_SUMMARISED : NOTIFY_SHOWN, NULL);
	leave_asked(queue, request);
	LIST_EACH(pos, &request->entries)
	make_bare(entry_at(pos));
	list_add(&queue->shown, &request->link);
	queue->shown_entries += count_entries(request);
	forget_shown_above(queue, QUEUE_SHOWN_MAX);
}

static void
give_up(struct notify_queue *queue, struct request *request, const char *reason)
{
	settle_request(queue, request, NOTIFY_GONE, reason);
	leave_asked(queue, request);
	free_request(request);
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
		leave_shown(queue, request);
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
	(void)line;
	notify_queue_set_available(queue, false, queue->now);
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
	    has_room_to_ask(queue))
		deadline = queue->window_end;
	LIST_EACH(pos, &queue->asked)
	deadline = usec_min(deadline, request_at(pos)->deadline);
	return deadline;
}

void
notify_queue_tick(struct notify_queue *queue, usec_t now)
{
	queue->now = now;
	LIST_EACH(pos, &queue->asked)
	{
		struct request *request = request_at(pos);

		if (request->deadline <= now)
			give_up(queue, request, "the notifier did not answer");
	}
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

/* ---- Summaries ---- */

/* Only an account or mailbox that all have is named. */
static void
keep_common(char **name, const char *other)
{
	if (strcmp(*name, other) == 0)
		return;
	free(*name);
	*name = xstrdup("");
}

static void
add_summary_line(struct buf *body, const struct notification *n)
{
	BUF_AUTO line = BUF_INIT;

	buf_addf(&line, "%s%s%s", n->title, n->title[0] != '\0' ? ": " : "",
	    n->body);
	if (body->len > 0)
		buf_add_char(body, '\n');
	str_sanitize(body, buf_span(&line), QUEUE_SUMMARY_LINE_MAX);
}

/* The newest first: servers show the first lines of a long text. */
static char *
summary_body(const struct request *request, size_t total)
{
	BUF_AUTO body = BUF_INIT;
	size_t lines = 0;

	for (struct list_link *pos = request->entries.prev;
	     pos != &request->entries && lines < QUEUE_SUMMARY_LINES;
	     pos = pos->prev) {
		if (entry_at(pos)->is_bare)
			continue;
		add_summary_line(&body, &entry_at(pos)->n);
		lines++;
	}
	if (lines > 0 && lines < total)
		buf_addf(&body, "\nand %zu more", total - lines);
	return buf_take_str(&body);
}

static void
fill_summary(const struct request *request, struct notification *n)
{
	struct entry *newest = entry_at(request->entries.prev);
	size_t total = request->dropped;
	bool all_messages = true;

	notification_copy(n, &newest->n);
	LIST_EACH(pos, &request->entries)
	{
		const struct notification *each = &entry_at(pos)->n;

		keep_common(&n->account, each->account);
		keep_common(&n->mailbox, each->mailbox);
		if (each->urgency > n->urgency)
			n->urgency = each->urgency;
		all_messages = all_messages && each->uid != 0;
		total++;
	}
	free(n->title);
	free(n->body);
	free(n->message_id);
	n->id = request->id;
	n->uidvalidity = n->uid = 0;
	n->title = xasprintf("%zu %s%s%s%s", total,
	    all_messages ? "new message" : "notification",
	    total == 1 ? "" : "s", n->account[0] != '\0' ? " in " : "",
	    n->account);
	n->body = summary_body(request, total);
	n->message_id = xstrdup("");
	if (n->sound == NULL)
		n->sound = xstrdup("");
	if (n->icon == NULL)
		n->icon = xstrdup("");
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
	leave_waiting(queue, entry);
	list_add(&request->entries, &entry->link);
}

static void
ask(struct notify_queue *queue, struct request *request)
{
	list_add(&queue->asked, &request->link);
	queue->asked_count++;
	queue->asked_entries += count_entries(request);
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
	take_entry(queue, request, entry_at(pos));
	fill_summary(request, &line_r->n);
	ask(queue, request);
	open_window(queue, 0, is_flood ? twice : QUEUE_WINDOW_USEC);
}

static struct entry *
first_critical(struct notify_queue *queue)
{
	LIST_EACH(pos, &queue->waiting)
	if (entry_at(pos)->n.urgency == URGENCY_CRITICAL)
		return entry_at(pos);
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
	if (entry_at(pos)->is_bare)
		return true;
	return false;
}

static bool
want_summary(const struct notify_queue *queue)
{
	return queue->waiting_count > QUEUE_COALESCE_ABOVE ||
	       queue->dropped > 0 || has_bare(queue);
}

/* Only called when no critical one waits any more. */
static bool
next_plain(struct notify_queue *queue, struct notifier_line *line_r)
{
	if (queue->waiting_count == 0 ||
	    (is_window_open(queue) && queue->quota == 0))
		return false;
	if (want_summary(queue)) {
		ask_summary(queue, line_r);
	} else {
		spend(queue);
		ask_single(queue, entry_at(queue->waiting.next), line_r);
	}
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
	return queue->waiting_count + queue->asked_entries;
}
