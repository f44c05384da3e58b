/*
 * account: the mailboxes of one account, and what they must agree on.
 *
 * Each watched mailbox has a connection of its own, as long as `connections`
 * lasts; the last connection serves all others (account_rove.c). A server that
 * refuses so many is believed for a day. The first one logs in alone; the
 * others follow once it has proven that login and catch-up work, so that a
 * wrong password is tried once and not once per mailbox; where a refusal
 * deserves a second try, one of them makes it for all. A refusal of the
 * credentials or the certificate stops all of them until account_start (a
 * reload, a changed secret) or, slowly, the back-off of the one that was
 * refused. Patterns among the watched names are expanded from the list of
 * folders, which is read again at each login and about every ten minutes, for
 * which IDLE is renewed sooner where it must (a long list: every hour):
 * mailboxes come and go (account_watch.c).
 *
 * Mailboxes that nobody watches are visited for runs and questions
 * (mailbox.h), once somebody has logged in since the account was started: with
 * a connection of the budget, or when the shared one comes. When the login of
 * one is refused no other comes for an hour, or until somebody is let in again.
 */
#ifndef BELFRY_ACCOUNT_ACCOUNT_H
#define BELFRY_ACCOUNT_ACCOUNT_H

#include "daemon/account/mailbox.h"

#define ACCOUNT_MAILBOXES_MAX 100
#define ACCOUNT_CONNECTIONS 8 /* default budget */
#define ACCOUNT_VISITORS_MAX 4
/* The folders are listed again so often, where there are patterns: a little
 * less than IDLE is renewed, so that it costs no wake-up of its own ... */
#define ACCOUNT_LIST_USEC (8 * USEC_MINUTE)
/* ... where it is renewed seldom, so much later ... */
#define ACCOUNT_LIST_LATE_USEC (2 * USEC_MINUTE)
/* ... and where the list is long: */
#define ACCOUNT_LIST_LONG 300
#define ACCOUNT_LIST_LONG_USEC USEC_HOUR
/* ... and where one of a pattern cannot be asked for, so long after the last
 * time: it may have another name now. */
#define ACCOUNT_LIST_AGAIN_USEC USEC_MINUTE
/* So often one connection asks whether the mailboxes of the others are still
 * those that are open there: when IDLE is renewed, too. */
#define ACCOUNT_LOOK_USEC (8 * USEC_MINUTE)

struct account_config {
	struct mailbox_config mailbox; /* borrowed */
	const struct strv *watch;      /* names and patterns; copied */
	unsigned connections;	       /* 0: ACCOUNT_CONNECTIONS */
};

struct account_event {
	struct mailbox *mailbox;
	struct mailbox_event event; /* mailbox_event_done */
	/* HANDED: the transport of `mailbox` is that of this one from now on,
	 * which has none. */
	struct mailbox *to;
};

struct account;

struct account *account_new(const struct account_config *config,
    const struct rules *rules, struct limits *limits, usec_t now);
void account_free(struct account **account);
/* As it was given. */
const struct account_config *account_get_config(const struct account *account);

void account_set_clock(
    struct account *account, int64_t now_unix, int utc_offset, usec_t now);
void account_set_rules(struct account *account, const struct rules *rules);
/* Other names and patterns: mailboxes that are watched no longer log out, new
 * ones begin once the account has logged in, and the others do not notice, as
 * long as the connections suffice. Nothing, when they are the same. */
void account_set_watch(
    struct account *account, const struct strv *watch, usec_t now);
/* What was learned in earlier lives: each fact of the account in the store,
 * before account_start. */
void account_set_fact(
    struct account *account, const char *name, const char *value);
/* Begins, or tries again at once what waits or was locked out. */
void account_start(struct account *account, usec_t now);
void account_stop(struct account *account, usec_t now);
/* Everything of this account must prove itself and catch up. */
void account_hint(struct account *account, usec_t now);

/* Grows when patterns are expanded; a mailbox stays until it has said LEFT, or
 * the account is freed. */
size_t account_count(const struct account *account);
struct mailbox *account_mailbox(const struct account *account, size_t index);
/* It was of a pattern and is not there any more, or nobody wants it watched:
 * it only waits for its return, or for its end. */
bool account_is_gone(const struct account *account, size_t index);

/* The same, as another name of `watch` means the same mailbox. */
bool account_is_twin(const struct account *account, size_t index);

/* Whether the mailbox is watched, or `watch` names it, or is this pattern. */
bool account_uses(const struct account *account, const char *mailbox);
/* What account_uses denies is not there, or not wanted: the folders were listed
 * in the last ACCOUNT_SURE_USEC, if that matters, and for the names and
 * patterns of now, and there was room for all that match. */
#define ACCOUNT_SURE_USEC USEC_DAY
bool account_knows_its_mailboxes(const struct account *account, usec_t now);

/* Facts: "pattern P", with when it was seen first; "old M": by then M was there
 * (account_watch.c). */
#define ACCOUNT_PATTERN_FACT "pattern"
#define ACCOUNT_OLD_FACT "old"

/* The list of folders, as some mailbox of the account read it last; NULL: there
 * was no login yet. Borrowed until the next call. */
const struct folders *account_folders(const struct account *account);
/* The watched mailbox with this name on the wire; NULL: there is none. */
struct mailbox *account_find_wire(
    const struct account *account, const char *wire);
/*
 * What a person calls a mailbox, as it is called in the store: the watched
 * one's name, else that of the list of folders. False, with words: there is
 * none (FAULT_CONFIG), or nobody knows yet (FAULT_RETRY).
 */
bool account_find_mailbox(const struct account *account, const char *name,
    struct buf *name_r, struct error *error_r);
/*
 * Gives the run to the mailbox, watched or visited; one that has it already
 * goes on (not a dry one: they are all different). NULL, with words:
 * FAULT_RETRY: not now.
 */
struct mailbox *account_apply(struct account *account,
    const struct store_apply *apply, bool is_dry, usec_t now,
    struct error *error_r);
/* Gives the effect, which is in the store, to the watched mailbox of its key
 * (mailbox_do). False: nobody watches it. */
bool account_do(struct account *account, const struct store_effect *effect,
    const struct store_message *message, usec_t now);
/* The same with a question; EXPLAINED follows. */
struct mailbox *account_explain(struct account *account, const char *mailbox,
    uint32_t uid, usec_t now, struct error *error_r);
/* The same with messages to be looked for, at most MAILBOX_FINDS_MAX; a FOUND
 * for each follows. */
struct mailbox *account_seek(struct account *account, const char *mailbox,
    const struct mailbox_wanted *wanted, size_t count, usec_t now,
    struct error *error_r);
/* For the watched mailbox of this name (mailbox.h). False: there is none; then
 * *is_known_r says whether that is certain. */
bool account_ask_forward(struct account *account, const char *mailbox,
    const struct mailbox_forward *forward, bool *is_known_r, usec_t now);
void account_forward_settled(struct account *account, const char *mailbox,
    uint32_t uidvalidity, uint32_t uid, unsigned seq, enum forward_end end,
    usec_t now);
/* Frees a visitor, or a mailbox that is not watched any more, which has said
 * LEFT. */
void account_let_go(struct account *account, struct mailbox *visitor);
size_t account_visitor_count(const struct account *account);
struct mailbox *account_visitor(const struct account *account, size_t index);

/* The next event of any mailbox. FOLDERS, PROVEN and LOCKED_OUT have been
 * acted on already; they are passed on for the log. */
bool account_next_event(
    struct account *account, struct account_event *event_r, usec_t now);
/* All mailboxes are stopped. */
bool account_is_resting(const struct account *account);
/* Set while the credentials are refused: the words. */
const char *account_lockout(const struct account *account);

#endif
