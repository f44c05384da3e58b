/*
 * account/deed: what a person does to one message by the button of its
 * notification. Decides, and does nothing.
 *
 * The message is looked for in the history: since it was shown, a rule or
 * another button may have moved it, and then it has the UID that COPYUID told.
 * Where the server did not tell it (no UIDPLUS), the message is looked for in
 * its new mailbox first (mailbox_find).
 * A deed becomes an effect like any other, of the message where it is now and
 * of the "rule" DEED_RULE. It needs no claim: what a person does to his mail
 * is done, whoever else watches it.
 */
#ifndef BELFRY_ACCOUNT_DEED_H
#define BELFRY_ACCOUNT_DEED_H

#include "daemon/store/store.h"
#include "rules/plan.h"

/* No rule of a person has such a name. */
#define DEED_RULE "@person"

/* What a button does, by its key (notifiers/notifier.h). */
struct deed_kind {
	const char *key;
	enum action_kind action;
	const char *words; /* "It was not " ...: "archived" */
};
/* NULL: no button that acts on the server has this key. */
const struct deed_kind *deed_find(const char *key);
void deed_fill_action(const struct deed_kind *kind, struct action *action_r);

/* Where the message is. */
struct deed_place {
	char *mailbox; /* owned; as an effect has it ("\Trash") */
	uint32_t uidvalidity, uid;
	/* UID 0: it is to be looked for, as this effect took it there, and
	 * nobody said what it is called now. Borrowed; else NULL. */
	const struct store_effect *mover;
};
/* Follows what was done to the message with `key`. NULL, or why it cannot be
 * found; then nothing is set. */
const char *deed_find_place(const struct store_key *key,
    const struct store_effect *effects, size_t count,
    struct deed_place *place_r);
void deed_place_done(struct deed_place *place);
/* The next free seq below STORE_APPLY_SEQ. */
unsigned deed_next_seq(const struct store_effect *effects, size_t count);

#endif
