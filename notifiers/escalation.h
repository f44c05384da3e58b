/*
 * notifiers/escalation: notifications that come later, unless somebody has
 * read the message by then; as an engine without a clock.
 *
 * Each has its time. A while before it (ESCALATION_LOOK_USEC, or at once if it
 * is due sooner: the machine slept, the daemon was restarted) comes LOOK: the
 * caller finds out whether the message is still unread, and says
 * escalations_withdraw if not. Then RING, or CANCELLED.
 *
 * They are kept in the journal as effects that are planned, so that nothing
 * here has to be written down.
 */
#ifndef BELFRY_NOTIFIERS_ESCALATION_H
#define BELFRY_NOTIFIERS_ESCALATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/usec.h"

#define ESCALATION_LOOK_USEC (5 * USEC_SEC)
/* Waiting at a time; more are refused. */
#define ESCALATIONS_MAX 5000

struct escalations;

/* Which message it is about. */
struct escalation_message {
	const char *account, *mailbox;
	uint32_t uidvalidity, uid;
};

enum escalation_step {
	ESCALATION_LOOK,
	ESCALATION_RING,
	ESCALATION_CANCELLED
};

struct escalation_event {
	enum escalation_step step;
	void *ctx; /* as it was added; after RING and CANCELLED it is gone */
};

struct escalations *escalations_new(void);
void escalations_free(struct escalations **escalations);
/* False: too many wait. `unless_read`: withdraw cancels it. Copies. */
bool escalations_add(struct escalations *escalations,
    const struct escalation_message *message, usec_t due, bool unless_read,
    void *ctx, usec_t now);
/* The message was read, moved or deleted. */
void escalations_withdraw(
    struct escalations *escalations, const struct escalation_message *message);
/* Forgets one without an event; of what was not added, nothing. */
void escalations_forget(struct escalations *escalations, const void *ctx);
/* False: nothing is to be done yet. */
bool escalations_next(struct escalations *escalations, usec_t now,
    struct escalation_event *event_r);
usec_t escalations_deadline(const struct escalations *escalations);
size_t escalations_count(const struct escalations *escalations);

#endif
