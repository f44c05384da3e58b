/*
 * account: the mailboxes of one account, and what they must agree on.
 *
 * One connection per watched mailbox. The first one logs in alone; the others
 * follow once it has proven that login and catch-up work, so that a wrong
 * password is tried once and not once per mailbox. A refusal of the
 * credentials or the certificate stops all of them until account_start (a
 * reload, a changed secret) or, slowly, the back-off of the one that was
 * refused. Patterns among the watched names are expanded from the first list
 * of folders.
 */
#ifndef BELFRY_ACCOUNT_ACCOUNT_H
#define BELFRY_ACCOUNT_ACCOUNT_H

#include "daemon/account/mailbox.h"

#define ACCOUNT_MAILBOXES_MAX 100
#define ACCOUNT_CONNECTIONS 8 /* default budget */

struct account_config {
	struct mailbox_config mailbox; /* all but `name`; borrowed */
	const struct strv *watch;      /* names and patterns; borrowed */
	unsigned connections;	       /* 0: ACCOUNT_CONNECTIONS */
};

struct account_event {
	struct mailbox *mailbox;
	struct mailbox_event event; /* mailbox_event_done */
};

struct account;

struct account *account_new(const struct account_config *config,
    const struct rules *rules, struct limits *limits, usec_t now);
void account_free(struct account **account);

void account_set_clock(
    struct account *account, int64_t now_unix, int utc_offset, usec_t now);
void account_set_rules(struct account *account, const struct rules *rules);
/* Begins, or tries again at once what waits or was locked out. */
void account_start(struct account *account, usec_t now);
void account_stop(struct account *account, usec_t now);
/* Everything of this account must prove itself and catch up. */
void account_hint(struct account *account, usec_t now);

/* Grows when patterns are expanded; a mailbox stays until the account is
 * freed. */
size_t account_count(const struct account *account);
struct mailbox *account_mailbox(const struct account *account, size_t index);

/* The next event of any mailbox. FOLDERS, PROVEN and LOCKED_OUT have been
 * acted on already; they are passed on for the log. */
bool account_next_event(
    struct account *account, struct account_event *event_r, usec_t now);
/* All mailboxes are stopped. */
bool account_is_resting(const struct account *account);
/* Set while the credentials are refused: the words. */
const char *account_lockout(const struct account *account);

#endif
