/*
 * account/recall: what the history knows of an account's messages, to know them
 * again when the server gave them other UIDs (account/mailbox_rebuilt.c).
 *
 * A message is the same when Message-ID, sender and subject are, and its size
 * or the time of its arrival (INTERNALDATE): who moves a mailbox to another
 * server may keep only one of these two. Without a Message-ID both have to be.
 *
 * Made for one comparison, then freed. About 64 bytes a message.
 */
#ifndef BELFRY_ACCOUNT_RECALL_H
#define BELFRY_ACCOUNT_RECALL_H

#include "daemon/base/error.h"
#include "daemon/store/store.h"

/* Messages of the history that are read, the newest. */
#define RECALL_MAX 50000
/* What is older is not looked at: seconds. */
#define RECALL_KEEP_SEC (30 * 24 * 60 * 60)
/* So long before the last message that was judged one may have arrived that was
 * not: seconds. */
#define RECALL_MARGIN_SEC (24 * 60 * 60)
/* A fact, "contact MAILBOX": when it was met first. */
#define RECALL_CONTACT_FACT "contact"
/* In recall_since: there is nothing to go by. */
#define RECALL_NEVER INT64_MAX

struct recall;

/* Nothing is known: for who has no history. */
struct recall *recall_new(void);
/* NULL-safe; clears the pointer. */
void recall_free(struct recall **recall);
/* Reads the account's history, which is kept for `keep_sec`, and what is known
 * of the mailbox. NULL, with an error: the store cannot be read. */
struct recall *recall_load(struct store *store, const char *account,
    const char *mailbox, int64_t now_unix, int64_t keep_sec,
    struct error *error_r);
/* Adds a message that was judged in the mailbox, or elsewhere. */
void recall_note(
    struct recall *recall, const struct store_message *message, bool is_here);
/* Whether it was judged, by what a message is known by. */
bool recall_has(
    const struct recall *recall, const struct store_message *message);
/* What arrived before then was judged, or was there before us. */
int64_t recall_since(const struct recall *recall);

#endif
