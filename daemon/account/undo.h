/*
 * account/undo: how to take back what rules did to one message. Decides, and
 * does nothing.
 *
 * What a move came to is in its outcome (undo_format_place): the UID and the
 * UIDVALIDITY of the message where it is now, by COPYUID (RFC 4315). Nobody
 * else's message has these, so that it is found again without looking. Where
 * the server did not say them (no UIDPLUS, or the link broke), the message is
 * lost: it is looked for first (mailbox_find), and what is found is added to
 * the outcome (undo_add_place). The effects of an undo are effects like any
 * other, of the message where it is now and of the rule UNDO_RULE, in a run of
 * that mailbox (struct store_apply) that judges nothing.
 */
#ifndef BELFRY_ACCOUNT_UNDO_H
#define BELFRY_ACCOUNT_UNDO_H

#include "daemon/store/store.h"
#include "rules/plan.h"

/* No rule of a person has such a name. */
#define UNDO_RULE "@undo"

struct undo_step {
	const struct store_effect *effect; /* borrowed: what was done */
	const char
	    *refusal; /* why it cannot be taken back; NULL: it can, by: */
	struct action action; /* owned */
	/* The message as it is now; `mailbox` as the effect has it ("\Trash"),
	 * borrowed from the effect's message or owned by `place`. UID 0: lost
	 * by the effect `mover`. */
	const struct store_effect *mover; /* NULL: it was not moved */
	const char *mailbox;
	uint32_t uidvalidity, uid;
	char *place;
};

struct undo {
	struct undo_step *steps; /* owned, in the order of doing */
	size_t count;
};

/* A step for each effect that was done or may have been; none for
 * notifications. All arguments are borrowed until undo_done. */
void undo_init(struct undo *undo, const struct store_message *message,
    const struct store_effect *effects, size_t count);
void undo_done(struct undo *undo);

/* " (UIDVALIDITY 17)", behind "UID 5 there" in the journal. */
void undo_format_place(struct buf *detail, uint32_t uidvalidity);
/* The whole of it, behind any other words of the detail. */
void undo_add_place(struct buf *detail, uint32_t uid, uint32_t uidvalidity);
/* Both out of a detail. False: the server did not say it. */
bool undo_read_place(
    const char *detail, uint32_t *uid_r, uint32_t *uidvalidity_r);
/* The folder that a move or a copy is aimed at, "\Trash" or as the rule has
 * it; NULL for other actions. */
const char *undo_target_of(const struct action *action);

/*
 * What was so before a mark: "was so before: \Seen", behind any other words of
 * its detail, from when it is planned on. Undo leaves that alone.
 */
/* The flags to add that were there, and those to remove that were not, with
 * blanks between them; NULL: none. Owned by the caller. */
char *undo_flags_before(const struct action *mark, const struct strv *flags);
void undo_format_before(struct buf *detail, const char *flags);
/* The same again, out of a detail. */
char *undo_read_before(const char *detail);

#endif
