/*
 * queue_private: what the files of the queue share.
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
#ifndef BELFRY_NOTIFIERS_QUEUE_PRIVATE_H
#define BELFRY_NOTIFIERS_QUEUE_PRIVATE_H

#include "daemon/base/list.h"
#include "notifiers/queue.h"

struct entry {
	struct list_link link;
	usec_t since; /* it was added */
	struct notification n;
	bool is_bare;	   /* its texts are forgotten */
	bool is_settled;   /* its outcome came out; shown again since then */
	uint64_t replaces; /* a closing that is held until then; 0: none */
};

struct request {
	struct list_link link;
	uint64_t id;
	struct list_link entries; /* struct entry::link; never empty */
	unsigned dropped;	  /* counted, but gone before */
	bool is_summary;
	bool is_expired;  /* of one that was shown: off the screen by itself */
	bool is_restored; /* shown in an earlier life, or run of the program */
	char *place;	  /* of one that was shown, as the notifier said it */
	usec_t deadline;  /* of the answer */
};

struct closing {
	struct list_link link;
	uint64_t id;
	char *place;  /* NULL: the notifier knows it by its id */
	bool is_held; /* until what replaces it does not wait any more */
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
	bool is_available, is_quiet;
	usec_t keep;		   /* 0: for ever */
	bool was_quiet;		   /* what waits since then is summed up */
	bool returns, is_private;  /* notify_queue_set_... */
	struct list_link waiting;  /* struct entry::link, the oldest first */
	struct list_link asked;	   /* struct request::link */
	struct list_link shown;	   /* struct request::link */
	struct list_link closings; /* struct closing::link */
	struct list_link outcomes; /* struct outcome::link */
	size_t waiting_count, asked_count, asked_entries, shown_entries;
	unsigned singles; /* that are shown by themselves in a window */
	unsigned dropped; /* since the last summary */
	/* The window: how many are shown at once in it, until when. */
	usec_t window_end, window_usec;
	unsigned quota;
	char *lent_reason;
};

static inline struct entry *
queue_entry_at(struct list_link *link)
{
	return LIST_ITEM(link, struct entry, link);
}

static inline struct request *
queue_request_at(struct list_link *link)
{
	return LIST_ITEM(link, struct request, link);
}

static inline bool
queue_is_window_open(const struct notify_queue *queue)
{
	return queue->now < queue->window_end;
}

static inline bool
queue_has_room_to_ask(const struct notify_queue *queue)
{
	return queue->is_available && queue->asked_count < QUEUE_ASKED_MAX;
}

/* ---- queue.c ---- */

/* `keeps`: what is shown stays so. */
void queue_become_unavailable(struct notify_queue *queue, bool keeps);
/* As it may be shown, with a new id. */
void queue_fill_entry(struct notify_queue *queue, struct entry *entry,
    const struct notification *n);
/* Of those that wait. */
void queue_keep_bounds(struct notify_queue *queue);

/* ---- queue_withdraw.c ---- */

bool queue_is_same_message(
    const struct notification *a, const struct notification *b);

/* ---- queue_answer.c ---- */

struct request *queue_find_request(
    const struct list_link *requests, uint64_t id);
/* It is not asked for again. */
void queue_give_up(
    struct notify_queue *queue, struct request *request, const char *reason);

/* ---- queue_parts.c ---- */

void queue_free_entry(struct entry *entry);
void queue_free_request(struct request *request);
size_t queue_count_entries(const struct request *request);
/* Forgets the texts, which takes nearly all its memory. */
void queue_make_bare(struct entry *entry);

/* The outcome of one that had none yet, or of all in a request; the reason,
 * made fit to be shown, counts for NOTIFY_GONE only. */
void queue_settle(struct notify_queue *queue, struct entry *entry,
    enum notify_fate fate, const char *reason);
void queue_settle_request(struct notify_queue *queue, struct request *request,
    enum notify_fate fate, const char *reason);

/* Out of a list, with its counts; leave_shown frees it, too. What one that
 * waited replaces is closed. */
void queue_leave_waiting(struct notify_queue *queue, struct entry *entry);
void queue_leave_asked(struct notify_queue *queue, struct request *request);
void queue_leave_shown(struct notify_queue *queue, struct request *request);
/* Of one that was shown; its place goes with it. */
struct closing *queue_add_closing(
    struct notify_queue *queue, struct request *request);
void queue_free_closing(struct closing *closing);

/* ---- queue_return.c ---- */

/* Only the newest that are shown keep what they need to be shown again. */
void queue_strip_shown(struct notify_queue *queue);
/* What is shown waits again, in front of all others; of what does not, only
 * what has a place is known still. */
void queue_take_back_shown(struct notify_queue *queue);

/* ---- queue_summary.c ---- */

/* Takes away what a private one must not say, and what its rule wants but the
 * urgency. `n` was made fit to be shown. */
void queue_make_private(struct notification *n);
/* The same of what the notifier gets of it: where the message is, and which
 * one. Its buttons find it by the entry. */
void queue_hide_message(struct notification *n);

/* Writes the notification of a request that counts several. `n` was
 * initialised. */
void queue_fill_summary(const struct request *request, struct notification *n);

#endif
