/*
 * store: what must survive: cursors, journal, forward queue, history.
 *
 * The law: nothing that changes the world happens before its intent is
 * here, and nothing is forgotten before its outcome is. Changes are gathered
 * in a batch (plain data, no I/O) and committed as one transaction: all of
 * it, or nothing and an error. Two implementations keep this contract:
 * sqlite.c (WAL, synchronous FULL) and memory.c (tests and simulation; can
 * be told to fail at the n-th commit).
 *
 * Keys. An effect is one action of one message. Its key is (account,
 * mailbox, uidvalidity, uid, seq), seq counting the actions of the plan from
 * 0: known before the commit, the same after a restart. Mailbox names are
 * as a person writes them (UTF-8, '/' between levels), the account is its
 * section's name.
 *
 * States of an effect:
 *
 *   PLANNED --> STARTED --> DONE | FAILED | UNKNOWN
 *      \------------------> DONE | FAILED | SKIPPED
 *
 * Idempotent effects (mark) go from PLANNED to DONE directly. The others are
 * made STARTED before the first byte that could change the world: after a
 * crash, a STARTED one is verified with the server (copy, move), or becomes
 * UNKNOWN and is shown (exec).
 *
 * Texts are made valid UTF-8 and cut at STORE_TEXT_MAX bytes, between
 * characters; NULL is stored as "".
 *
 * Calls: two threads may use a store of SQLite at the same time, one that
 * writes (store_commit_many, store_prune) and one that reads (all the others
 * but store_commit, which is both: for as long as there is one thread only).
 * They have a connection each and do not wait for each other. What a commit
 * has returned for, every reading call that begins later sees. The store in
 * memory is for one thread.
 *
 * A commit in SQLite lasts as long as the disk's sync (milliseconds; on a file
 * that another program holds 2 s at most, then it fails). After a failed call
 * the store can be used as before.
 *
 * Durability. What a commit has returned for survives the death of the
 * process, and a power cut, too, unless the batch is lazy: of those a power
 * cut may take the last ones back, as if they had not been committed; never
 * one and not the lazy ones after it, and none before a batch that is not
 * lazy, whose sync is theirs. So a batch may be lazy if all of it would come
 * again from what is left:
 *
 *   outcome of move, copy, label, mark   it is STARTED, and verified with the
 *                         server, or PLANNED, and a repetition changes nothing
 *   how far a run came    as above, of its last actions
 *   how long rules take   statistics
 *
 * and must not be if it says what nobody can find out later: the cursor with
 * its plans, STARTED, the queue of forwards, the outcome of a command.
 */
#ifndef BELFRY_STORE_STORE_H
#define BELFRY_STORE_STORE_H

#include "daemon/base/buf.h"
#include "daemon/base/error.h"
#include "daemon/base/usec.h"

#define STORE_TEXT_MAX 4096
#define STORE_MESSAGE_MAX (64 * 1024 * 1024) /* one queued message, bytes */
#define STORE_SCHEMA_VERSION 5
#define STORE_JUDGED_MAX 1000
#define STORE_KEY_KEEP_SEC (30 * 24 * 60 * 60)
/* Of one account: the oldest go at store_prune, and only so. */
#define STORE_SENDERS_MAX 100000

struct store_cursor {
	const char *account, *mailbox;
	uint32_t uidvalidity;
	uint32_t next_uid; /* every UID below it is judged */
	uint64_t modseq;   /* 0: none known */
	/* Of those from there on, the judged ones, as an IMAP set of at most
	 * STORE_JUDGED_MAX bytes; "" (and, where it is set, NULL): none. */
	const char *judged;
};

enum apply_state {
	APPLY_RUNNING,
	APPLY_CANCELLING, /* by a person; what was begun is finished */
	APPLY_DONE,
	APPLY_CANCELLED,
	APPLY_ENDED, /* it could not go on: see the detail */
	APPLY_STATES
};
const char *apply_state_name(enum apply_state state);
bool apply_state_parse(struct span text, enum apply_state *state_r);
/* RUNNING or CANCELLING. */
bool apply_is_unfinished(enum apply_state state);

/*
 * A run over messages that are already there (belfryctl apply). Each mailbox
 * has one row, of its last run. How far it came is written in the transaction
 * of the plans that this made, so that no message is judged twice by a run.
 *
 * The effects of run n have the seqs from n * STORE_APPLY_SEQ on; those of
 * live mail, which are below, and of other runs stay what they are.
 */
#define STORE_APPLY_SEQ 1000
struct store_apply {
	const char *account, *mailbox;
	unsigned run; /* counts the runs of this mailbox from 1 */
	enum apply_state state;
	uint32_t uidvalidity;		/* 0: it has not begun */
	uint32_t first_uid;		/* where it began, */
	uint32_t next_uid, end_uid;	/* [next, end) is not judged yet */
	int64_t since_unix, until_unix; /* of INTERNALDATE; 0: any */
	const char *rules;		/* ids, blank-separated; "": all */
	unsigned notify;		/* 1: `notify` of rules rings */
	uint64_t total;			/* messages to look at; 0: not known */
	uint64_t looked, matched, observed;
	uint64_t busy; /* left out: live judging is not done with them */
	const char *detail;
	int64_t started_unix, changed_unix;
	uint64_t left_out; /* not looked at: the server does not give them */
	const char *left_uids; /* the first of them, "17,23:25"; may be "" */
};

enum effect_state {
	EFFECT_PLANNED,
	EFFECT_STARTED,
	EFFECT_DONE,
	EFFECT_FAILED,
	EFFECT_SKIPPED, /* the message was gone, or a brake held it */
	EFFECT_UNKNOWN, /* started, and nobody can tell: shown, not repeated */
	EFFECT_STATES
};
const char *effect_state_name(enum effect_state state);
bool effect_state_parse(struct span text, enum effect_state *state_r);

struct store_key {
	const char *account, *mailbox;
	uint32_t uidvalidity, uid;
};

/* A judged message, for the history and to reconcile after a crash. */
struct store_message {
	struct store_key key;
	const char *message_id;	    /* may be "" */
	const char *from, *subject; /* decoded */
	uint64_t size;
	int64_t received_unix, judged_unix;
	const char *rules;    /* matched rule ids, blank-separated */
	const char *observed; /* as rules, of those that only watch; or their
				 lines "rule: what it would do" */
	const char *warnings; /* sentences, one a line */
	/* What the server calls it in all mailboxes of the account
	 * (account/arrivals.h); "": nothing. */
	const char *identity;
};

struct store_effect {
	struct store_key key;
	unsigned seq;
	const char *rule;
	const char *kind;   /* action_name */
	const char *action; /* action_format */
	enum effect_state state;
	unsigned attempts;
	const char *detail; /* outcome in words, exit status, new UID */
	int64_t changed_unix;
};

enum queue_state {
	QUEUE_WAITING, /* to be sent at next_try_unix */
	QUEUE_SENDING, /* the final dot may have been said */
	QUEUE_SENT,
	QUEUE_FAILED, /* dead letter: kept until dropped */
	QUEUE_HELD,   /* outcome unknown, and the rule says ask */
	QUEUE_DROPPED,
	QUEUE_STATES
};
const char *queue_state_name(enum queue_state state);
bool queue_state_parse(struct span text, enum queue_state *state_r);

struct store_queue_item {
	int64_t id; /* given by the store */
	/* One forward per account, message and target: digest_key of what
	 * identifies it. A second item with the same key is not added; the
	 * effect it was to fulfil becomes SKIPPED, "forwarded already". */
	const char *key;
	struct store_key source;
	unsigned seq;			     /* of the effect it fulfils */
	const char *account, *rule, *target; /* account sends it */
	const char *mode;	/* "attach", "redirect", "inline" */
	const char *unknown;	/* "resend", "hold", "drop" */
	const char *message_id; /* of the new message, with brackets */
	const char *subject;	/* of the original, for lists */
	int64_t queued_unix;	/* also its Date */
	struct span original;	/* the message's bytes; empty in lists */
	enum queue_state state;
	unsigned attempts;
	int64_t next_try_unix;
	/* The last reply in words. One that begins with STORE_CLAIMED was
	 * claimed (account/claim.h): before it is sent, its claim is looked
	 * at. */
	const char *reply;
};
#define STORE_CLAIMED "[claimed] "

/*
 * What a rule did since `since_unix`, when it was first heard of. As an
 * argument it is what to add: the numbers are added up, of the times the
 * latest stays, and since_unix is that of a rule which is not there yet.
 */
struct store_rule_stat {
	const char *rule;
	uint64_t hits;	       /* it acted */
	int64_t last_hit_unix; /* 0: never */
	uint64_t observed;     /* it would have acted: mode = observe */
	uint64_t limited;      /* it would have acted: over its limit */
	/* Of a sample of messages: how many, and how long they took. */
	uint64_t judged, nanoseconds;
	int64_t since_unix;
};

/* Batches: everything given is copied. */
struct store_batch;
struct store_batch *store_batch_new(void);
void store_batch_free(struct store_batch **batch);
bool store_batch_is_empty(const struct store_batch *batch);
void store_batch_set_cursor(
    struct store_batch *batch, const struct store_cursor *cursor);
/* Adding a message that is there already changes nothing. */
void store_batch_add_message(
    struct store_batch *batch, const struct store_message *message);
/* The same of one that may be there: it gets the new judgement (when, rules,
 * observed, warnings). */
void store_batch_judge_again(
    struct store_batch *batch, const struct store_message *message);
void store_batch_set_apply(
    struct store_batch *batch, const struct store_apply *apply);
/* Adding an effect that is there already changes nothing. */
void store_batch_add_effect(
    struct store_batch *batch, const struct store_effect *effect);
/* Setting an effect that is not there changes nothing. */
void store_batch_set_effect(struct store_batch *batch,
    const struct store_key *key, unsigned seq, enum effect_state state,
    unsigned attempts, const char *detail, int64_t changed_unix);
/* With a key that is there already: see struct store_queue_item. The very same
 * item again (same effect) changes nothing, but an outcome that the first had
 * meanwhile is given to the effect once more. */
void store_batch_enqueue(
    struct store_batch *batch, const struct store_queue_item *item);
/* SENT and DROPPED remove the original's bytes; the row stays for the key.
 * SENT, FAILED, DROPPED also settle the effect it fulfils, in the same
 * transaction: DONE, FAILED, SKIPPED, with the reply as its detail. What is
 * SENT stays so, and DROPPED can become SENT only; other changes of such an
 * item, or of one that is not there, change nothing. */
void store_batch_set_queue(struct store_batch *batch, int64_t id,
    enum queue_state state, unsigned attempts, int64_t next_try_unix,
    const char *reply, int64_t now_unix);
/* Notes that a rule acted (for `limit =`), and counts it in its stat. */
void store_batch_add_hit(
    struct store_batch *batch, const char *rule, int64_t when_unix);
/* Adds to what is known of a rule. With nothing but a name and since_unix the
 * rule is heard of. */
void store_batch_add_rule_stat(
    struct store_batch *batch, const struct store_rule_stat *stat);
/* The same, only of time: `messages` took it so long. */
void store_batch_add_rule_time(struct store_batch *batch, const char *rule,
    uint64_t messages, uint64_t nanoseconds, int64_t when_unix);
/* The rule is gone, and with it its stat; its hits stay for `limit =`. */
void store_batch_forget_rule(struct store_batch *batch, const char *rule);
/* Mail from this address (any case; stored in ASCII lower case) was judged:
 * adds it, or renews when it was last. Without an address: nothing. */
void store_batch_add_sender(struct store_batch *batch, const char *account,
    const char *address, int64_t when_unix);
/* A learned fact: any small value under (account, name). */
void store_batch_set_fact(struct store_batch *batch, const char *account,
    const char *name, const char *value);
/* There is none of that name any more. */
void store_batch_forget_fact(
    struct store_batch *batch, const char *account, const char *name);
/*
 * A mailbox that is gone, or an account (account/unused.h): its cursor and its
 * last run, or all that is known of it but history and queue, at most
 * STORE_FORGET_MAX senders at a time, and the facts last. Nothing of one that
 * store_is_needed.
 */
#define STORE_FORGET_MAX 2000
void store_batch_forget_mailbox(
    struct store_batch *batch, const char *account, const char *mailbox);
void store_batch_forget_account(struct store_batch *batch, const char *account);
/* How many operations; and the operations in words, one a line, for tests. */
size_t store_batch_count(const struct store_batch *batch);
void store_batch_describe(const struct store_batch *batch, struct buf *out);

/* The senders that were added, in their order; false ends the walk. */
typedef bool store_sender_fn(void *ctx, const char *address, int64_t last_unix);
void store_batch_each_sender(
    const struct store_batch *batch, store_sender_fn *fn, void *ctx);
/* The messages that were added, or judged again, in their order, each with the
 * effects that were added behind it: as store_each_history gives them. */
typedef bool store_history_fn(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count);
void store_batch_each_plan(
    const struct store_batch *batch, store_history_fn *fn, void *ctx);
/* The hits that were added, in their order; false ends the walk. */
typedef bool store_hit_fn(void *ctx, const char *rule, int64_t when_unix);
void store_batch_each_hit(
    const struct store_batch *batch, store_hit_fn *fn, void *ctx);

struct store;

/* Opens, or makes, `directory`/state.db; takes the lock of the directory.
 * FAULT_RETRY: another daemon has it (its pid). FAULT_LOCAL: a newer
 * schema, a corrupt file (it is left as it is), a directory that others can
 * write, that is a symbolic link or another user's. */
struct store *store_open_sqlite(const char *directory, struct error *error_r);
/* There was no database when it was opened, nor a part of one (which is an
 * error): what was done, or waited, before is not known. */
bool store_is_made(const struct store *store);
/*
 * Of the writing thread: what the disk refused beside the commits, which have
 * worked: their way from the log into the database, which is tried again with
 * a later one. "": nothing, or it has worked since. Valid until the next call
 * that writes.
 */
const char *store_trouble(const struct store *store);
/* Whether store_open_sqlite would take the directory, which must be there: a
 * folder, no symbolic link, ours, and writable by nobody else. */
bool store_check_directory(const char *directory, struct error *error_r);
/* For belfryctl beside a daemon, running or not: takes no lock, makes no
 * file, and every commit is refused. FAULT_LOCAL when nothing was stored yet,
 * and as above. */
struct store *store_open_sqlite_readonly(
    const char *directory, struct error *error_r);
/* For tests and simulation: forgotten when closed. */
struct store *store_open_memory(void);
/* NULL-safe. */
void store_close(struct store **store);

/* The batch may be lazy: see above. A new one is not. */
void store_batch_set_lazy(struct store_batch *batch, bool is_lazy);

/* All or nothing. The batch stays the caller's. */
bool store_commit(struct store *store, const struct store_batch *batch,
    struct error *error_r);

/* Several at the price of one: in one transaction, and if that fails each in
 * its own, in their order, so that none fails for another's sake. */
#define STORE_GROUP_MAX 64
struct store_commit {
	const struct store_batch *batch;
	bool ok;	    /* the answer; if not: */
	struct error error; /* must be ERROR_INIT before */
};
void store_commit_many(
    struct store *store, struct store_commit *commits, size_t count);

/* Readers. The callbacks get rows whose strings are borrowed for the call;
 * returning false ends the walk. A callback must not call the store (asserted).
 * All return false with error_r only when the store cannot be read. */
bool store_get_cursor(struct store *store, const char *account,
    const char *mailbox, struct store_cursor *cursor_r, bool *found_r,
    struct error *error_r); /* Its names are the arguments'; `judged` lives
			       until the next call of this function, or a
			       commit. */
/* All of the account, by mailbox. */
typedef bool store_cursor_fn(void *ctx, const struct store_cursor *cursor);
bool store_each_cursor(struct store *store, const char *account,
    store_cursor_fn *fn, void *ctx, struct error *error_r);
/* The first account, by name, behind this one of which there is a cursor, a
 * run, a fact or a sender: malloc'ed, or NULL in *account_r. */
bool store_next_account(struct store *store, const char *after,
    char **account_r, struct error *error_r);
/* Whether of the mailbox (NULL: of any, and of the account itself) there is
 * history, an effect, a forward that is neither SENT nor DROPPED or, of the
 * mailbox, a run that has not ended. */
bool store_is_needed(struct store *store, const char *account,
    const char *mailbox, bool *is_r, struct error *error_r);
/* Effects PLANNED or STARTED of this mailbox and its message rows (empty but
 * for the key where there is none), of every uidvalidity, in order of uid,
 * seq. */
typedef bool store_effect_fn(void *ctx, const struct store_effect *effect,
    const struct store_message *message);
bool store_each_open_effect(struct store *store, const char *account,
    const char *mailbox, store_effect_fn *fn, void *ctx, struct error *error_r);
/* The mailboxes of the account with such effects, and how many; those of
 * forwards that are STARTED, which the queue has, are not counted. By name. */
typedef bool store_open_mailbox_fn(
    void *ctx, const char *mailbox, uint64_t count);
bool store_each_open_mailbox(struct store *store, const char *account,
    store_open_mailbox_fn *fn, void *ctx, struct error *error_r);
/* The runs of `account` (NULL: of every one), by account and mailbox. */
typedef bool store_apply_fn(void *ctx, const struct store_apply *apply);
bool store_each_apply(struct store *store, const char *account,
    store_apply_fn *fn, void *ctx, struct error *error_r);
/* What became of the actions of a run: how many of each rule, kind and state,
 * in the order of their names. Reads all effects of the mailbox. */
typedef bool store_apply_count_fn(void *ctx, const char *rule, const char *kind,
    enum effect_state state, uint64_t count);
bool store_count_apply(struct store *store, const struct store_apply *apply,
    store_apply_count_fn *fn, void *ctx, struct error *error_r);
/* Messages judged last first, then by falling uid, each with all its effects
 * in order of seq: one call per message. */
struct store_history_query {
	const char *account, *mailbox, *rule; /* NULL: any; an id in
						 rules or observed */
	int64_t since_unix, until_unix;	      /* [since, until); 0: any */
	unsigned states;  /* has an effect in one of them: bits of 1 <<
			     enum effect_state; 0: any */
	bool is_observed; /* a rule in observe mode would have done something */
	unsigned skip;	  /* so many of those that are wanted */
	unsigned limit;	  /* 0: none */
};
bool store_each_history(struct store *store,
    const struct store_history_query *query, store_history_fn *fn, void *ctx,
    struct error *error_r);
/* The same of one message; nothing, if it is not there. */
bool store_find_message(struct store *store, const struct store_key *key,
    store_history_fn *fn, void *ctx, struct error *error_r);
/*
 * UIDs of a mailbox, the highest first, each once: `from` names it, with its
 * UIDVALIDITY and the lowest UID that is wanted. At most STORE_UIDS_MAX rows
 * are looked at, those with the highest UIDs, however long the history is.
 */
#define STORE_UIDS_MAX 5000
typedef bool store_uid_fn(void *ctx, uint32_t uid);
/* Of judged messages. */
bool store_each_judged(struct store *store, const struct store_key *from,
    store_uid_fn *fn, void *ctx, struct error *error_r);
/* Of those with a notification that was done since then; rows are effects. */
bool store_each_notified(struct store *store, const struct store_key *from,
    int64_t since_unix, store_uid_fn *fn, void *ctx, struct error *error_r);
/* The next item that `account` must look at: SENDING first (left by a
 * crash), else WAITING with the earliest next_try_unix. Includes the
 * original's bytes. *item_r's strings live until the next call of this
 * function on the store. */
bool store_queue_next(struct store *store, const char *account,
    struct store_queue_item *item_r, bool *found_r, struct error *error_r);
/* The same, but for the items with these ids (0: none). */
#define STORE_BUT_MAX 20
struct store_but {
	int64_t ids[STORE_BUT_MAX];
};
bool store_queue_next_but(struct store *store, const char *account,
    const struct store_but *but, struct store_queue_item *item_r, bool *found_r,
    struct error *error_r);
/* All items of `account` (NULL: of every one), whatever their state, by id;
 * without their bytes. */
typedef bool store_queue_fn(void *ctx, const struct store_queue_item *item);
bool store_each_queued(struct store *store, const char *account,
    store_queue_fn *fn, void *ctx, struct error *error_r);
/* Those made of messages of this mailbox that are neither SENT nor DROPPED. */
bool store_each_forward(struct store *store, const char *account,
    const char *mailbox, store_queue_fn *fn, void *ctx, struct error *error_r);
/* Whether an item that fulfils this effect is there, and neither SENT nor
 * DROPPED. */
bool store_is_queued(struct store *store, const struct store_key *source,
    unsigned seq, bool *is_r, struct error *error_r);
/* By time, then as they were added. */
bool store_each_hit(struct store *store, int64_t since_unix, store_hit_fn *fn,
    void *ctx, struct error *error_r);
/* By name. A rule that was never heard of is not among them; names that begin
 * with '@' are of counters that are no rules. */
typedef bool store_rule_stat_fn(void *ctx, const struct store_rule_stat *stat);
bool store_each_rule_stat(struct store *store, store_rule_stat_fn *fn,
    void *ctx, struct error *error_r);
/* The last to write first, then by address; more than STORE_SENDERS_MAX only
 * until the next store_prune. */
bool store_each_sender(struct store *store, const char *account,
    store_sender_fn *fn, void *ctx, struct error *error_r);
/* All facts of the account, by name. */
typedef bool store_fact_fn(void *ctx, const char *name, const char *value);
bool store_each_fact(struct store *store, const char *account,
    store_fact_fn *fn, void *ctx, struct error *error_r);
/* Malloc'ed value, or NULL in *value_r when there is none. */
bool store_get_fact(struct store *store, const char *account, const char *name,
    char **value_r, struct error *error_r);
/*
 * How much of the queue has its text still, of all accounts: a few
 * milliseconds where it is long. Who adds to the queue asks before whether
 * there is room; the store does not refuse.
 */
#define STORE_QUEUE_MAX 10000
#define STORE_QUEUE_BYTES_MAX (UINT64_C(1024) * 1024 * 1024)
struct store_queue_size {
	uint64_t count, bytes;
};
bool store_measure_queue(struct store *store, struct store_queue_size *size_r,
    struct error *error_r);
bool store_queue_has_room(const struct store_queue_size *size, size_t more);
/* Removes what is older: messages without an open effect and without an item
 * that waits, is being sent, is held or failed, with their effects; hits; and
 * the keys of items that were SENT or DROPPED STORE_KEY_KEEP_SEC before that.
 * Of senders, whatever their age, all above STORE_SENDERS_MAX of an account.
 * One transaction. */
bool store_prune(
    struct store *store, int64_t before_unix, struct error *error_r);

/* Tests: the n-th batch from now fails (1: the next); `forever`: and all
 * after it. Works for both kinds; 0 switches it off. */
void store_fail_commit(struct store *store, unsigned nth, bool forever);

#endif
