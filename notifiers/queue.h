/*
 * notifiers/queue: what is shown when, as an engine without bytes.
 *
 * Takes notifications, gives requests to one notifier. The rules:
 *
 * - A single message rings at once. Within a window of QUEUE_WINDOW_USEC,
 *   which the first one opens, QUEUE_COALESCE_ABOVE are shown so; the others
 *   wait for its end. If more than QUEUE_COALESCE_ABOVE wait then, they become
 *   one summary, and while that goes on each window is twice as long as the
 *   one before, up to QUEUE_FLOOD_USEC.
 * - A notifier that says so in its `ready` (struct notifier_line) has fewer
 *   singles in a window, and of what waits for its end more than one is a
 *   summary: so that all of a burst can be seen.
 * - Those of a mailbox wait in the order of their UIDs, however late one comes.
 * - `critical` is never merged nor delayed.
 * - A notifier that is slow to ask for the next one finds what came in the
 *   meantime merged by the same rule.
 * - While the notifier is unavailable QUEUE_KEEP_MAX wait for it; the oldest
 *   that is not critical gives way (GONE), and is counted in the summary that
 *   is then shown. The count is forgotten if all others are withdrawn.
 * - What the notifier was asked for and has not answered when it becomes
 *   unavailable is asked for again. What it does not answer within
 *   QUEUE_ANSWER_USEC is GONE. At most QUEUE_ASKED_MAX are unanswered at a
 *   time.
 *
 * In quiet hours all but `critical` wait, QUEUE_MERGE_MAX of them, so that each
 * can still be withdrawn. Behind them the notifier is asked for one summary of
 * what then waits; for a single one as for any other.
 *
 * Of more than QUEUE_KEEP_MAX waiting ones the texts of the oldest are
 * forgotten, as they can only be counted; more than QUEUE_MERGE_MAX do not
 * wait at all. What was shown is remembered, for withdrawal, until the
 * notifier closes it, becomes unavailable (what has a place is remembered then,
 * too), or QUEUE_SHOWN_MAX newer ones were shown. What expired on a screen
 * (notify_queue_set_returns) is still withdrawn, but not shown again.
 *
 * - What was on the screen of a notifier that lost it
 * (notify_queue_set_returns) waits to be shown again; of more than
 * QUEUE_KEEP_MAX the oldest are only counted.
 * - Private ones (struct notification) of an account become one notification
 *   that says how many there are, and replaces the one before as long as that
 *   is shown. Critical ones are shown by themselves, and say no more.
 */
#ifndef BELFRY_NOTIFIERS_QUEUE_H
#define BELFRY_NOTIFIERS_QUEUE_H

#include "notifiers/notifier.h"

#define QUEUE_WINDOW_USEC (3 * USEC_SEC)
#define QUEUE_FLOOD_USEC (12 * USEC_SEC)
#define QUEUE_COALESCE_ABOVE 5
#define QUEUE_KEEP_MAX 20
#define QUEUE_MERGE_MAX 1000
#define QUEUE_ASKED_MAX 20
#define QUEUE_ANSWER_USEC (60 * USEC_SEC)
#define QUEUE_SHOWN_MAX 1000	  /* notifications, also those in summaries */
#define QUEUE_SUMMARY_LINES 5	  /* of the newest, in a summary's text */
#define QUEUE_SUMMARY_LINE_MAX 80 /* characters */

struct notify_queue;

/* A new queue believes its notifier to be unavailable. */
struct notify_queue *notify_queue_new(void);
void notify_queue_free(struct notify_queue **queue);
/* A notifier that says when what it shows is closed: whatever was shown when
 * it becomes unavailable, and does not say `keeps`, is shown again. */
void notify_queue_set_returns(struct notify_queue *queue, bool returns);
/* All that is added from now on is private, if it is of a message. */
void notify_queue_set_private(struct notify_queue *queue, bool is_private);
/* Whether one of this urgency that came now would be shown by itself, with all
 * it says, and at once; or as soon as the notifier is there, if no others came
 * until then. */
bool notify_queue_would_show(
    const struct notify_queue *queue, enum urgency urgency, usec_t now);
/* Copies, and makes the strings fit to be shown. Assigns and returns the
 * id. */
uint64_t notify_queue_add(
    struct notify_queue *queue, const struct notification *n, usec_t now);
/* What was shown in an earlier life: a request that is shown, with this message
 * (account, mailbox, UIDs); returns its id. `request` not 0: another message of
 * that one. */
uint64_t notify_queue_restore(
    struct notify_queue *queue, const struct notification *n, uint64_t request);
/* Where that request is (struct notifier_line), and whether it has expired
 * there; `id` as of notify_queue_restore. When it is withdrawn, a CLOSE has
 * the place. */
void notify_queue_set_place(struct notify_queue *queue, uint64_t id,
    const char *place, bool is_expired);
/* A message that was restored, and did not expire, is shown again, as if it had
 * come now, and what showed it is closed behind that; nothing comes out. False:
 * there is none (any more). */
bool notify_queue_return(
    struct notify_queue *queue, const struct notification *n, usec_t now);
/* Withdraws it: never shown if it waits, closed if it is shown; a summary is
 * closed with the last that it counts. `uid` 0 withdraws nothing. */
void notify_queue_withdraw(struct notify_queue *queue, const char *account,
    const char *mailbox, uint32_t uidvalidity, uint32_t uid, usec_t now);
void notify_queue_set_available(
    struct notify_queue *queue, bool available, usec_t now);
/* So long one waits for a notifier that is away; then it is GONE. Else for
 * ever. */
void notify_queue_set_keep(struct notify_queue *queue, usec_t keep);
/* Quiet hours begin, or end. A new queue has none. */
void notify_queue_set_quiet(
    struct notify_queue *queue, bool is_quiet, usec_t now);
/* An answer of the notifier. READY and UNAVAILABLE are as set_available. An
 * answer to what was not asked is passed over. */
void notify_queue_answer(
    struct notify_queue *queue, const struct notifier_line *line, usec_t now);
/* Calls `fn` for each notification that is behind what is shown, or was asked
 * for, with this id: one, or those that a summary counts, the newest first.
 * Their account, mailbox, UIDs, message_id, actions and code are there, other
 * texts may be forgotten. Returns how many. `fn` must not call the queue. */
typedef void notify_each_fn(void *ctx, const struct notification *n);
size_t notify_queue_each(const struct notify_queue *queue, uint64_t id,
    notify_each_fn *fn, void *ctx);
usec_t notify_queue_deadline(const struct notify_queue *queue);
void notify_queue_tick(struct notify_queue *queue, usec_t now);
/* The next request (NOTIFY or CLOSE) to hand to the notifier; the caller
 * frees it with notifier_line_done. Time is that of the last call that had
 * it. A summary has an id of its own, uid 0, and LF between the lines of its
 * text. */
bool notify_queue_next(
    struct notify_queue *queue, struct notifier_line *line_r);
/*
 * What became of notifications that were added: each id comes out exactly
 * once, in any order. SHOWN: the notifier said so. SUMMARISED: a summary that
 * counts it was shown. WITHDRAWN: before it was shown. GONE: it was dropped
 * (too many waited), or refused by the notifier; `reason` says it (else NULL).
 * Borrowed until the next call.
 */
enum notify_fate {
	NOTIFY_SHOWN,
	NOTIFY_SUMMARISED,
	NOTIFY_GONE,
	NOTIFY_WITHDRAWN
};
struct notify_outcome {
	uint64_t id;
	enum notify_fate fate;
	const char *reason;
};
bool notify_queue_outcome(
    struct notify_queue *queue, struct notify_outcome *outcome_r);
/* How many have not yet come out. */
size_t notify_queue_waiting(const struct notify_queue *queue);

#endif
