/*
 * wiring/planned_run: a run of a mailbox that judges nothing, and does what
 * somebody planned: undo, or a person's hand.
 *
 * For messages of the history that are in that mailbox now. Committed, it is
 * handed to the mailbox; where there is no connection now it begins with the
 * next one, as any run does (apply_resume).
 */
#ifndef BELFRY_WIRING_PLANNED_RUN_H
#define BELFRY_WIRING_PLANNED_RUN_H

#include "daemon/wiring/belfry.h"
#include "daemon/wiring/past.h"

struct planned_run {
	struct running_account *account; /* borrowed, as the next two */
	const char *mailbox, *rule;
	struct store_apply row;
	struct store_batch *batch;
	unsigned count; /* effects */
};

/* False: another run of the mailbox is under way; nothing is to be committed
 * then. planned_run_done in any case. */
bool planned_run_begin(struct planned_run *run, struct running_account *account,
    const char *mailbox, const char *rule);
/* One effect of the message that is now `uid` there; all must have the same
 * `uidvalidity`. `seq` counts those of this message. */
void planned_run_add(struct planned_run *run, const struct past *past,
    uint32_t uidvalidity, uint32_t uid, const struct action *action,
    unsigned seq);
bool planned_run_commit(struct planned_run *run, struct error *error_r);
void planned_run_done(struct planned_run *run);

/* What a mailbox is called in the store. One that is not in the list of folders
 * may be newer than that, and is called as it is written. */
bool planned_find_mailbox(const struct running_account *account,
    const char *name, struct buf *mailbox, struct error *error_r);
/* Adds the message as it is now. Of its old place nothing changes, but that
 * the mailbox there knows that it was judged: store_batch_each_plan. */
void planned_add_message(struct store_batch *batch, const struct past *past,
    const struct store_key *key, const char *rule);

#endif
