/*
 * account/unused: what is known of accounts and mailboxes that are gone, and
 * when it is forgotten.
 *
 * The history forgets by itself (store_prune). What else the store knows of a
 * mailbox (its cursor, its last run, its facts) and of an account (the same of
 * all its mailboxes, its facts and senders) would stay for ever. So from time
 * to time each account in the store is looked at:
 *
 *   - An account that is not in the configuration, and a mailbox that is
 *     certainly not watched, gets a mark, a fact with the time: "unused" or
 *     "unused MAILBOX". Certainly means that the account could have told:
 *     where it was not let in, nothing is known.
 *   - What is used again loses its mark, and all is as before.
 *   - What has had a mark for as long as the history is kept is forgotten, but
 *     for what the store needs (store_is_needed: history, which can be undone,
 *     effects, forwards, runs), and where the last run is younger than that.
 *
 * A pattern of `watch` is a mailbox here: it has facts, too. The time is that
 * of store/keeping.h, so that a clock that is wrong takes nothing away.
 *
 * Bounded: a look marks or forgets UNUSED_STEPS_MAX mailboxes at most.
 */
#ifndef BELFRY_ACCOUNT_UNUSED_H
#define BELFRY_ACCOUNT_UNUSED_H

#include "daemon/account/account.h"

#define UNUSED_FACT "unused"
#define UNUSED_STEPS_MAX 200

struct unused_look {
	struct store *store;
	const char *name; /* the account's; not "" */
	bool is_configured;
	/* NULL: it cannot run, and nothing is known of its mailboxes. */
	const struct account *account;
	int64_t now_unix;    /* of marks that are made */
	int64_t before_unix; /* what has been marked before is forgotten */
	usec_t now;
};

/* Adds what is to be written; *more_r: there is more, to be looked for when
 * that was written. False: the store cannot be read. */
bool unused_look(const struct unused_look *look, struct store_batch *batch,
    bool *more_r, struct error *error_r);

#endif
