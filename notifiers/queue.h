/*
 * notifiers/queue: what is shown when, as an engine without bytes.
 *
 * Takes notifications, gives requests to the notifiers. Several within a
 * short window become one summary above QUEUE_COALESCE_ABOVE. While a
 * notifier is unavailable up to QUEUE_KEEP_MAX wait for it (the oldest give
 * way to a count). `critical` is never merged.
 */
#ifndef BELFRY_NOTIFIERS_QUEUE_H
#define BELFRY_NOTIFIERS_QUEUE_H

#include "notifiers/notifier.h"

#define QUEUE_WINDOW_USEC (3 * USEC_SEC)
#define QUEUE_COALESCE_ABOVE 5
#define QUEUE_KEEP_MAX 20

struct notify_queue;

struct notify_queue *notify_queue_new(void);
void notify_queue_free(struct notify_queue **queue);
/* Copies. Assigns and returns the id. */
uint64_t notify_queue_add(struct notify_queue *queue,
    const struct notification *n, usec_t now);
/* Withdraws it: never shown if it waits, closed if it is shown. */
void notify_queue_withdraw(struct notify_queue *queue, const char *account,
    const char *mailbox, uint32_t uidvalidity, uint32_t uid, usec_t now);
void notify_queue_set_available(struct notify_queue *queue, bool available,
    usec_t now);
/* An answer of the notifier. */
void notify_queue_answer(struct notify_queue *queue,
    const struct notifier_line *line, usec_t now);
usec_t notify_queue_deadline(const struct notify_queue *queue);
void notify_queue_tick(struct notify_queue *queue, usec_t now);
/* The next request (NOTIFY or CLOSE) to hand to the notifiers; the caller
 * frees it with notifier_line_done. */
bool notify_queue_next(struct notify_queue *queue,
    struct notifier_line *line_r);
size_t notify_queue_waiting(const struct notify_queue *queue);

#endif
