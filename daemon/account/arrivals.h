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
 * Some servers show one message in several mailboxes, and say that it is one:
 * Gmail in each of its labels, by X-GM-MSGID; others by an EMAILID (RFC 8474),
 * the same in each copy. What was judged in one of them is, in another one, as
 * what a rule put there. Such an identity begins with IDENTITY_MESSAGE or
 * IDENTITY_CONTENT. Of the second kind two messages of one mailbox may have the
 * same, and both are news; of the first there is only one, which left it and
 * came back.
 *
 * One set for all mailboxes of an account, filled from the history at start
 * and borrowed by the engine, as the senders are.
 */
#ifndef BELFRY_ACCOUNT_ARRIVALS_H
#define BELFRY_ACCOUNT_ARRIVALS_H

#include "daemon/account/judging.h"
#include "daemon/base/error.h"
#include "daemon/base/strv.h"
#include "daemon/store/store.h"

/* What is older was seen by its mailbox long ago. */
#define ARRIVALS_KEEP_SEC (7 * 24 * 60 * 60)
/* The same of what has an identity: a label may be given much later. */
#define ARRIVALS_IDENTITY_KEEP_SEC (30 * 24 * 60 * 60)
#define IDENTITY_MESSAGE 'g'
#define IDENTITY_CONTENT 'e'
/* Messages of the history that are read at start, the newest. */
#define ARRIVALS_LOAD_MAX 50000
/* Mailboxes that are remembered as places where something was judged. */
#define ARRIVALS_PLACES_MAX 500

struct arrivals;

struct arrivals *arrivals_new(void);
/* NULL-safe; clears the pointer. */
void arrivals_free(struct arrivals **arrivals);
/* Adds what the history of this account says, back to ARRIVALS_KEEP_SEC before
 * now, or to ARRIVALS_IDENTITY_KEEP_SEC. */
bool arrivals_load(struct arrivals *arrivals, struct store *store,
    const char *account, int64_t now_unix, struct error *error_r);
/* Adds what this batch, which is durable now, plans and judged. Whoever was
 * judging its messages has ended. */
void arrivals_note(struct arrivals *arrivals, const struct store_batch *batch);
/* It will never be durable: the end, too. */
void arrivals_drop(struct arrivals *arrivals, const struct store_batch *batch);
/* Who judges what now. Borrowed. */
struct judging *arrivals_judging(struct arrivals *arrivals);
/* Whether what the server calls so was judged anywhere. */
bool arrivals_was_judged(const struct arrivals *arrivals, const char *identity);

enum arrival {
	ARRIVAL_NEWS,	   /* nobody put it there */
	ARRIVAL_FORWARDED, /* a rule did, or it is elsewhere, too */
	ARRIVAL_KNOWN,	   /* and it was judged there, too */
};
/*
 * What the message, which came into message->key.mailbox, is there. `names`
 * are the mailbox's: as a person writes it, and its special use. FORWARDED
 * adds the mailboxes where it was judged to *judged_r. Only the key, the
 * identity and what a message is known by are looked at.
 */
enum arrival arrivals_meet(const struct arrivals *arrivals,
    const struct store_message *message, const struct strv *names,
    struct strv *judged_r);

#endif
