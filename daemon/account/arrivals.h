/*
 * account/arrivals: messages that rules put into mailboxes, so that they are
 * not taken for news there.
 *
 * A rule that moves into a watched mailbox makes a message arrive in it. It was
 * judged already: if it were judged like any other, commands would run again,
 * it would ring twice, and two rules could send it to and fro for ever. So it
 * is judged once in each mailbox, and there only by the rules that were not
 * asked before, those which are for that mailbox and not for the earlier ones.
 *
 * What will arrive is known once its plan is durable, which is before the first
 * effect begins: the mailbox cannot hear of the message before its account
 * knows where it comes from.
 *
 * A message is known again by its Message-ID, sender, subject and size, as
 * after a crash (account/mailbox_verify.c). Without a Message-ID it is not: it
 * is judged as any that arrives.
 *
 * One set for all mailboxes of an account, filled from the history at start
 * and borrowed by the engine, as the senders are.
 */
#ifndef BELFRY_ACCOUNT_ARRIVALS_H
#define BELFRY_ACCOUNT_ARRIVALS_H

#include "daemon/base/error.h"
#include "daemon/base/strv.h"
#include "daemon/store/store.h"

/* What is older was seen by its mailbox long ago. */
#define ARRIVALS_KEEP_SEC (7 * 24 * 60 * 60)
/* Messages of the history that are read at start, the newest. */
#define ARRIVALS_LOAD_MAX 50000
/* Mailboxes that are remembered as places where something was judged. */
#define ARRIVALS_PLACES_MAX 500

struct arrivals;

struct arrivals *arrivals_new(void);
/* NULL-safe; clears the pointer. */
void arrivals_free(struct arrivals **arrivals);
/* Adds what the history of this account says, back to ARRIVALS_KEEP_SEC before
 * now. */
bool arrivals_load(struct arrivals *arrivals, struct store *store,
    const char *account, int64_t now_unix, struct error *error_r);
/* Adds what this batch, which is durable now, plans and judged. */
void arrivals_note(struct arrivals *arrivals, const struct store_batch *batch);

enum arrival {
	ARRIVAL_NEWS,	   /* nobody put it there */
	ARRIVAL_FORWARDED, /* a rule did */
	ARRIVAL_KNOWN,	   /* and it was judged there, too */
};
/*
 * What the message, which came into message->key.mailbox, is there. `names`
 * are the mailbox's: as a person writes it, and its special use. FORWARDED
 * adds the mailboxes where it was judged to *judged_r. Only the key and what a
 * message is known by are looked at.
 */
enum arrival arrivals_meet(const struct arrivals *arrivals,
    const struct store_message *message, const struct strv *names,
    struct strv *judged_r);

#endif
