/*
 * account/mailbox: one watched mailbox and its connection, an engine over
 * the IMAP session; or one that is only visited (enum mailbox_visit).
 *
 * It connects, logs in, selects, and then goes round for ever: catch up,
 * judge, commit, act, wait for news. Events from the server are hints; the
 * truth is the catch-up, which compares the stored cursor with the mailbox
 * and runs after SELECT, after each hint, at each renewal of IDLE, and at
 * each poll.
 *
 * Everything it needs from the world is an event that the owner answers:
 *
 *   LOAD         mailbox_load_effect for each open effect,
 *                mailbox_load_forward for each claimed one in the queue,
 *                mailbox_load_apply for an unfinished run, then
 *                mailbox_loaded
 *   RECALL       the server rebuilt the mailbox: mailbox_recalled, with what
 *                recall_load gives
 *   CONNECT      mailbox_connected, or mailbox_connect_failed; again while
 *                under way: anew
 *   STARTTLS     mailbox_tls_started
 *   SECRET       mailbox_secret, or mailbox_secret_failed; also without a
 *                connection, to see whether there is another one
 *   COMMIT       make the batch durable, then mailbox_committed
 *   PROGRESS     a run over old messages came further, or ended:
 *                mailbox_get_apply
 *   EXPLAINED    the answer to mailbox_explain
 *   FOUND        the answer to mailbox_find
 *   PREVIEWED    the answer to mailbox_preview
 *   LEFT         a visitor's, or a dismissed one's, last event: free it
 *   EXEC         run the command, then mailbox_task_done
 *   PREPARE      a hint, behind the COMMIT of its intent: this EXEC is likely
 *                to follow soon, and what is made ready for it now is time
 *                gained; nothing may begin, and nobody is to be answered
 *   NOTIFY       hand to the notifiers, then mailbox_task_done once shown
 *   DISCONNECT   close the transport (its bytes and end do not matter now)
 *   CHANGED      a message that NOTIFY told of was read, or is gone: withdraw
 *                the notification
 *   QUEUED       a forward was queued: wake the outbox; if it was claimed
 *                (with a UID), and is not in the queue, as the same was there
 *                before: mailbox_forward_settled
 *   FORWARD      the answer to mailbox_ask_forward
 *   FOLDERS      the account's mailboxes are known: mailbox_folders
 *   PROVEN       a login and a catch-up were finished
 *   LOGIN_FAILED a login was made in vain, for whatever cause: no other
 *                mailbox of the account logs in before the time it bears,
 *                MAILBOX_LOGIN_USEC or as long as the server asks for
 *   LOCKED_OUT   credentials or certificate refused: stop the account
 *   REPORT       a sentence for log, watch and demo
 *
 * and, between an account and its mailboxes (nobody else sees these):
 *
 *   TOLD         what the server said of another mailbox: mailbox_told
 *   LOST         the connection that it was lent is gone
 *   OVER_LIMIT   the server allows fewer connections
 *
 * Order of the laws: plan and cursor are one transaction; no effect starts
 * before its intent is committed; what is not idempotent is committed as
 * STARTED before its first byte (with the plan itself, where nothing has to be
 * asked before it: mailbox_intent.c) and verified after any doubt; after every
 * connection the open effects are loaded from the store anew, so that a
 * broken link and a killed daemon are the same case.
 */
#ifndef BELFRY_ACCOUNT_MAILBOX_H
#define BELFRY_ACCOUNT_MAILBOX_H

#include "daemon/account/arrivals.h"
#include "daemon/account/breaker.h"
#include "daemon/account/claims.h"
#include "daemon/account/folders.h"
#include "daemon/account/recall.h"
#include "daemon/account/senders.h"
#include "daemon/account/tally.h"
#include "daemon/store/store.h"
#include "daemon/wire/backoff.h"
#include "daemon/wire/imap/session.h"
#include "rules/rules.h"

/* New messages judged in one go: each window costs a sync of the disk and two
 * round trips, and each group of equal actions in it a command; about a
 * kilobyte of memory a message. Where a connection is lost meanwhile the next
 * window is half as large, down to the smallest. */
#define MAILBOX_WINDOW 5000
#define MAILBOX_WINDOW_MIN 250
/* As soon as so many were judged, and the store has nothing else to do, they
 * are written while the rest of the window arrives. */
#define MAILBOX_CHUNK 200
/* Old ones, of a run: news wait no longer than for these. */
#define MAILBOX_REVIEW 200
/* Open jobs (messages with something left to do); above it no catch-up. */
#define MAILBOX_JOBS_MAX 1000
/* Those that wait for another machine, or for a forward to be sent, are not
 * counted among these, up to so many. */
#define MAILBOX_WAITING_MAX 10000
/* Of forwards and commands that wait for another machine each is looked at by
 * itself: one in so long, that news have their turn. */
#define MAILBOX_LOOK_EACH_USEC (250 * USEC_MSEC)
/* Where so few messages are new, all of their headers are fetched if a rule
 * has a command: what it is given is there then, and its intent goes to disk
 * with the plan. */
#define MAILBOX_FEW 4
/* A longer header is not kept for it, but fetched when its turn comes. */
#define MAILBOX_KEPT_HEADER_MAX (64 * 1024)
/* Operations under way together. (Outlook.com has been seen to say BAD to more
 * than 25 commands.) */
#define MAILBOX_IN_FLIGHT_MAX 16
/* STATUS of other mailboxes under way together; news of the open one wait for
 * no more than these. */
#define MAILBOX_STATUS_MAX 8
/* Outcomes that wait for those of other actions, to be written together. */
#define MAILBOX_OUTCOMES_MAX 1000
/* UIDs in one command: at most 11 bytes each, of a line's 8,000. */
#define MAILBOX_GROUP_MAX 500
/* Header bytes of one message that are looked at; the rest is dropped. */
#define MAILBOX_HEADER_MAX (1024 * 1024)
/* Memory of messages that wait for their text part before they are judged;
 * what does not fit is asked for in the next round. More than one message
 * can have. */
#define MAILBOX_READING_MAX (4 * 1024 * 1024)
/* A whole message for forward or exec is smaller than this, else the action
 * fails. */
#define MAILBOX_MESSAGE_MAX (32 * 1024 * 1024)
/* IDLE renewal, and the poll where there is no IDLE. */
#define MAILBOX_RENEW_USEC (9 * USEC_MINUTE)
#define MAILBOX_POLL_USEC (2 * USEC_MINUTE)
/* Each connection that dies in silence shortens the renewal, down to this. */
#define MAILBOX_RENEW_SURE_USEC (150 * USEC_SEC)
/* ... or, where none outlives a single one, or silence kills often (see
 * mailbox_proof.c), to this: firewalls forget silent connections after a
 * minute, and hardly any after less than half of it; more often would be
 * polling. */
#define MAILBOX_RENEW_MIN_USEC (30 * USEC_SEC)
/* TCP's own question, which costs the server nothing, comes before it. */
#define MAILBOX_KEEPALIVE_MIN_USEC (15 * USEC_SEC)
#define MAILBOX_KEEPALIVE_USEC USEC_MINUTE
/* What was learned is a fact of the account in the store: seconds, since when
 * (of the wall clock), and how often in a row a longer one was tried in vain.
 */
#define MAILBOX_RENEW_FACT "renew"
/* A fact of the mailbox, "waiting MAILBOX": UIDVALIDITY, and UIDs below the
 * cursor that are not judged yet, as another mailbox has the message, too. */
#define MAILBOX_WAITING_FACT "waiting"
/* Another one, "audit MAILBOX": see mailbox_audit.c. */
#define MAILBOX_AUDIT_FACT "audit"
/* Hints that follow each other faster are acted on once. */
#define MAILBOX_HINT_USEC (5 * USEC_SEC)
/* An action that the server refuses for the moment is tried again for this
 * long after its message was judged, and so often at least: the clock may be
 * put right by days, and the machine be off. */
#define MAILBOX_GIVE_UP_USEC (2 * USEC_DAY)
#define MAILBOX_GIVE_UP_TRIES 24
/* Commands of rules handed to the owner and not answered; the others stay
 * PLANNED, and on the server. */
#define MAILBOX_COMMANDS_MAX 16
/* Words for the person (ALERT) passed on from one connection. */
#define MAILBOX_ALERTS_MAX 10
/* Bytes of a Message-ID that are kept: as long as a line may be. */
#define MAILBOX_MESSAGE_ID_MAX 998
/* From a login that failed to the next one, of the same account; and, in the
 * long run, between those of one mailbox that succeed ... */
#define MAILBOX_LOGIN_USEC USEC_MINUTE
/* ... of which so many may be made in a row. */
#define MAILBOX_LOGIN_BURST 10
/* After refused credentials: how often the source of the secret is asked
 * whether it gives another one. */
#define MAILBOX_LOOK_USEC USEC_HOUR
/* A session that lived as long was no failure, when the server says BYE. */
#define MAILBOX_LONG_USEC (10 * USEC_MINUTE)
/* Actions held back because their target is full, or because the server does
 * not allow them; of more, the newest. */
#define MAILBOX_SUSPENDED_MAX 16
/* Messages whose notification may be withdrawn; of more, the newest. */
#define MAILBOX_FOLLOWED_MAX 500
/* A mailbox without a connection is asked for at most this often, and at least
 * as often as `poll` says. */
#define MAILBOX_ASK_MIN_USEC USEC_MINUTE
/* When others wait for the connection it stays at most about so long. */
#define MAILBOX_VISIT_USEC USEC_MINUTE
/* How long the owner may take for CONNECT and STARTTLS. */
#define MAILBOX_CONNECT_USEC (120 * USEC_SEC)
/* ... and how long it may wait before it begins. */
#define MAILBOX_QUEUE_USEC USEC_HOUR
/* So long after its deadline a mailbox that was not woken is stuck. */
#define MAILBOX_STUCK_USEC USEC_MINUTE

/* Questions (mailbox_explain) that wait for their answer. */
#define MAILBOX_QUESTIONS_MAX 8
/* The same of mailbox_find. */
#define MAILBOX_FINDS_MAX 50
/* The same of mailbox_preview, and the bytes of a text part that are fetched
 * for one, as they are encoded: mailings begin with a lot of style. */
#define MAILBOX_PREVIEWS_MAX 8
/* Messages about to be taken away that are asked how they begin; of more at
 * once none is, as a summary is made of them. */
#define MAILBOX_EARLY_PREVIEWS_MAX 5
#define MAILBOX_PREVIEW_RAW_MAX (32 * 1024)
/* Bytes of the text that come with it. */
#define MAILBOX_PREVIEW_TEXT_MAX (8 * 1024)
/* Messages with one Message-ID that are looked at, of one that must be exact.
 */
#define MAILBOX_TWINS_MAX 50

/*
 * A visitor is no watcher: it comes for a run or for questions, has no cursor,
 * catches up with nothing, and logs out when it has no more to do. It comes
 * once: when it rests, it has said LEFT. A network that fails is tried again
 * as long as it has a run; a refusal of the mailbox ends that. When the login
 * is refused it leaves, and the run waits in the store.
 */
enum mailbox_visit {
	VISIT_NONE, /* it watches */
	VISIT_LOOK, /* EXAMINE: changes nothing, loads nothing */
	VISIT_ACT,  /* loads and does what runs planned, nothing else */
};

/*
 * The name that the server may want instead of imap.user. After a password was
 * refused, the one more try is made with it, and with LOGIN where that is
 * offered: there are servers that refuse AUTHENTICATE PLAIN and take LOGIN.
 * Shared by all mailboxes of an account.
 */
struct mailbox_other_login {
	const char *user;
	/* To be named beside it, as it is not that of SMTP; NULL: it is. */
	const char *smtp_user;
	bool works; /* let in by it: from now on only that */
};

/* What all mailboxes of an account have in common. */
struct mailbox_config {
	const char *account; /* its section's name */
	struct imap_session_config imap;
	struct mailbox_other_login *other; /* borrowed; NULL: none */
	const struct strv *identities;	   /* addresses that are me */
	const struct strv *authserv; /* trusted Authentication-Results hosts */
	/* Of the account, for `new-sender`; NULL: nobody is new. */
	struct senders *senders;
	/* Of the account; NULL: whatever arrives is judged. */
	struct arrivals *arrivals;
	const struct strv *watch; /* names and patterns; NULL: everything */
	/* Of the account: other machines; NULL: there are none. */
	struct claims *claims;
	bool default_notification;
	const struct strv *escalate; /* as of facts, borrowed; NULL: none */
	bool notify;		     /* false: no rule notifies either */
	usec_t renew, poll;	     /* 0: the defaults */
	bool ask_end_first;  /* never FETCH above the last UID: it hangs */
	unsigned chunk;	     /* messages; 0: MAILBOX_CHUNK */
	unsigned jobs_max;   /* 0: MAILBOX_JOBS_MAX */
	bool one_at_a_time;  /* it cannot have several commands at once */
	bool await_idle_end; /* nor one together with DONE */
	bool check_noop;     /* NOOP at each renewal: IDLE stops silently */
	unsigned forwards_hour, forwards_day; /* caps; 0: none */
	unsigned targets_hour, targets_day;   /* the same, of one address */
	struct breaker *breaker; /* the account's, borrowed; NULL: none */
	struct store_queue_size *queue; /* as of late; borrowed; NULL: no bound
					 */
	const char *forward_domain;	/* of Message-IDs; NULL: from email */
	const char *email;
	uint64_t seed;
	struct rules_meter *meter; /* borrowed; NULL: nothing is measured */
	/* Of struct facts. */
	int (*utc_offset_at)(int64_t unix_time);
	/* Notifications want the header block, which after a move nobody can
	 * fetch: as MAILBOX_FEW. Borrowed, and may change; NULL: no. */
	const bool *notes_headers;
	/* Notifications say how their message begins: of one that is about to
	 * be taken away it is asked before that. Borrowed, and may change;
	 * NULL: no. */
	const bool *notes_beginnings;
	bool dry_run; /* judge and report, change nothing */
};

struct mailbox_which {
	const char *name; /* as a person writes it */
	unsigned number;  /* no two of an account wait for the same times */
	enum mailbox_visit visit;
};

enum mailbox_event_kind {
	MAILBOX_LOAD,
	MAILBOX_RECALL,
	MAILBOX_CONNECT,
	MAILBOX_DISCONNECT,
	MAILBOX_STARTTLS,
	MAILBOX_SECRET,
	MAILBOX_COMMIT,
	MAILBOX_EXEC,
	MAILBOX_PREPARE,
	MAILBOX_NOTIFY,
	MAILBOX_CHANGED,
	MAILBOX_QUEUED,
	MAILBOX_FORWARD,
	MAILBOX_FOLDERS,
	MAILBOX_PROVEN,
	MAILBOX_LOGIN_FAILED,
	MAILBOX_LOCKED_OUT,
	MAILBOX_REPORT,
	MAILBOX_TOLD,
	MAILBOX_LOST,
	MAILBOX_HANDED,
	MAILBOX_OVER_LIMIT,
	MAILBOX_PROGRESS,
	MAILBOX_EXPLAINED,
	MAILBOX_FOUND,
	MAILBOX_PREVIEWED,
	MAILBOX_LEFT,
};

enum report_kind {
	REPORT_CONNECTED,
	REPORT_WATCHING,
	REPORT_FIRST_CONTACT,
	REPORT_JUDGED,	/* text: what the plan is; rules, from, subject */
	REPORT_KNOWN,	/* a rule put it here: it is not judged again */
	REPORT_DONE,	/* an action was done */
	REPORT_REFUSED, /* an action failed or was skipped: why */
	REPORT_TROUBLE, /* connection or store: what, and the next try */
	REPORT_WARNING,
	REPORT_ALERT, /* the server's own words for the person */
	REPORT_KINDS
};
const char *report_kind_name(enum report_kind kind);

struct mailbox_report {
	enum report_kind kind;
	uint32_t uid; /* 0: none */
	char *text;
	char *from, *subject, *rules; /* JUDGED; else NULL. The subject is
					 without a one-time code */
	bool for_person;	      /* deserves a notification */
	bool is_same;	  /* TROUBLE: as before, and no catch-up between */
	enum fault fault; /* TROUBLE */
	usec_t retry_in;  /* TROUBLE: the wait; USEC_NEVER: none planned */
};

/* A piece of work for the outside: a command or a notification. */
struct mailbox_task {
	uint32_t uidvalidity, uid;
	unsigned seq;
	struct action action;
	/* exec: header block or message; notify: the header block, where it
	 * came with the message */
	struct buf input;
	struct strv environment; /* exec: BELFRY_...=... */
	char *from, *subject, *message_id;
	/* In the subject, or what the action says, asterisks stand for a
	 * one-time code, as it was out of the store (mailbox_code.c). */
	bool is_hidden;
	/* notify: where rules have put it before ("\Trash", or a folder), or
	 * NULL; whether they have marked it as read. */
	char *moved_to;
	bool is_read;
	/* The same: how it began before that (struct mailbox_previewed); NULL:
	 * it was not asked. */
	char *preview, *text;
	int64_t judged_unix; /* from when on an escalation counts */
};

/* What the rules say of one message. */
struct mailbox_explained {
	uint32_t uid;
	struct error error; /* with a fault: no answer, and nothing below */
	struct message *message;
	struct strv flags;
	uint64_t size;
	int64_t received_unix;
	struct plan plan;
	struct trace trace; /* borrows from the rules */
};

/*
 * What is looked for. A Message-ID may be that of several messages, as it is
 * the sender's: one that must be `exact` has, besides it, the same size and the
 * same date of arrival (what a copy keeps), or, where none has both, one of
 * them; and is not marked as deleted.
 */
struct mailbox_wanted {
	const char *message_id;
	bool is_exact;
	uint64_t size;
	int64_t received_unix;
};

/* What a notification wants of a message. */
enum mailbox_preview_kind {
	PREVIEW_BEGINNING, /* a server's PREVIEW (RFC 8970) is enough */
	PREVIEW_TEXT,	   /* it is not */
	PREVIEW_ANEW,	   /* the same, with the subject before it */
	PREVIEW_HEADER,	   /* its header block, as it came */
	PREVIEW_MESSAGE,   /* all of it */
};

struct mailbox_previewed {
	enum mailbox_preview_kind kind; /* as it was asked for */
	uint32_t uidvalidity, uid;
	/* BEGINNING, TEXT: */
	char *preview; /* one line; "" when there is no text, or none came */
	char *text;    /* the beginning itself; the same */
	char *subject; /* ANEW: as people read it; the same */
	/* HEADER, MESSAGE: empty when nothing came */
	struct buf content;
};

/* Where a message is. */
struct mailbox_found {
	char *message_id; /* as it was asked for; owned */
	bool is_exact;	  /* the same, with the next two */
	uint64_t size;
	int64_t received_unix;
	struct error error; /* with a fault: nobody could look */
	uint32_t uidvalidity;
	size_t count; /* messages that are as it was asked for */
	uint32_t uid; /* the last of them; 0: there is none */
	size_t read;  /* so many of them are read; only of an exact one */
};

/*
 * A forward that was claimed, and is in the queue. Its claim is held, and its
 * message is not taken away, until mailbox_forward_settled.
 */
struct mailbox_forward {
	int64_t id;		   /* to ask by */
	const char *rule, *target; /* borrowed for the call */
	uint32_t uidvalidity, uid;
	unsigned seq;
	int64_t queued_unix;
	bool resends; /* what may have been sent is sent again */
};

enum forward_answer {
	FORWARD_OURS,	/* may be sent until `wait`, a time */
	FORWARD_OTHERS, /* ask again after `wait` */
	FORWARD_DONE,	/* another machine did it */
	FORWARD_UNSURE, /* another machine may have done it */
};

enum forward_end {
	FORWARD_OVER,	 /* sent, or given up */
	FORWARD_AGAIN,	 /* it was not sent, and is tried again */
	FORWARD_PERHAPS, /* it may have been sent, and is tried again */
};

enum mailbox_change {
	CHANGE_READ,
	CHANGE_GONE, /* deleted or moved, not by a rule of ours */
};

/* What the server said of a mailbox that is not open. */
struct mailbox_news {
	uint32_t uidvalidity, uidnext; /* 0: not told */
	uint64_t modseq;	       /* HIGHESTMODSEQ; 0: not told */
	bool refused;		       /* it would not tell */
	bool pushed;		       /* nobody had asked */
};

struct mailbox_event {
	enum mailbox_event_kind kind;
	/* COMMIT: borrowed until the answer; what belongs to no mailbox may be
	 * added. */
	struct store_batch *batch;
	struct mailbox_task *task; /* EXEC, PREPARE, NOTIFY */
	enum mailbox_change change;
	uint32_t uidvalidity, uid; /* CHANGED, QUEUED */
	unsigned seq;		   /* QUEUED */
	int64_t id;		   /* FORWARD: as it was asked */
	enum forward_answer answer;
	struct mailbox_report *report;
	struct mailbox_explained *explained;
	struct mailbox_found *found;
	struct mailbox_previewed *previewed;
	struct error error; /* LOCKED_OUT, LOGIN_FAILED */
	char *name;	    /* TOLD: whose news these are */
	struct mailbox_news news;
	/* LOST, LOGIN_FAILED: before the next try; FORWARD: of enum
	 * forward_answer */
	usec_t wait;
};
/* Frees what the event owns. */
void mailbox_event_done(struct mailbox_event *event);

struct mailbox;

extern const struct engine_class mailbox_class;

/* `config` and everything it points to, the name, `rules` and `limits` are
 * borrowed until the mailbox is freed (rules: until mailbox_set_rules). Idle
 * until mailbox_start. */
struct mailbox *mailbox_new(const struct mailbox_config *config,
    const struct mailbox_which *which, const struct rules *rules,
    struct limits *limits, usec_t now);
void mailbox_free(struct mailbox **mailbox);

/* The engine's calls: wire/engine.h. */
void mailbox_feed(struct mailbox *mb, struct span bytes, usec_t now);
void mailbox_eof(struct mailbox *mb, usec_t now);
struct span mailbox_output(const struct mailbox *mb);
void mailbox_sent(struct mailbox *mb, size_t len);
usec_t mailbox_deadline(const struct mailbox *mb);
void mailbox_tick(struct mailbox *mb, usec_t now);
bool mailbox_has_event(const struct mailbox *mb);
/* Events are the caller's: mailbox_event_done. */
bool mailbox_next_event(
    struct mailbox *mb, struct mailbox_event *event_r, usec_t now);

/* The wall clock and local time; call it before the first mailbox_start and
 * whenever it may have changed. */
void mailbox_set_clock(
    struct mailbox *mb, int64_t now_unix, int utc_offset, usec_t now);
void mailbox_set_rules(struct mailbox *mb, const struct rules *rules);
/* Begins, or tries at once instead of waiting for the back-off. While it logs
 * out: begins again after that. */
void mailbox_start(struct mailbox *mb, usec_t now);
/* Logs out and rests until mailbox_start. A last DISCONNECT follows. */
void mailbox_stop(struct mailbox *mb, usec_t now);
/* Nobody wants it any more: logs out, and says LEFT, as a visitor does. */
void mailbox_dismiss(struct mailbox *mb, usec_t now);
/*
 * One that was dismissed, or is a visitor, is wanted for `visit` from now on:
 * what it has handed out and not written yet stays its own. It ends what it is
 * doing, and is begun like a new one. False: it has said LEFT.
 */
bool mailbox_become(struct mailbox *mb, enum mailbox_visit visit, usec_t now);
/* The answer to CONNECT or SECRET: not before then. Also later, as long as no
 * secret was given; else it does nothing. */
void mailbox_hold(struct mailbox *mb, usec_t until, usec_t now);
/*
 * The machine slept, the network changed: the connection proves itself within
 * IMAP_PROOF_USEC, by whatever it is doing or by the end of IDLE, and catches
 * up; connecting begins anew; a wait for the network ends. A flood of hints
 * counts as one in MAILBOX_HINT_USEC.
 */
void mailbox_hint(struct mailbox *mb, usec_t now);

/* ---- messages that are there already ---- */

/*
 * A run over them, upwards by UID, between news: in a watched mailbox those
 * below the cursor, for a visitor those below UIDNEXT. `apply` is copied: a
 * new one (uidvalidity 0; it must be in the store), or one that the store
 * remembers. `is_dry`: judged and counted; nothing is stored or done.
 * False: there is a run already, see mailbox_get_apply.
 */
bool mailbox_apply(struct mailbox *mb, const struct store_apply *apply,
    bool is_dry, usec_t now);
/* What is planned is skipped; what was begun is finished first. */
void mailbox_apply_cancel(struct mailbox *mb, usec_t now);

/* Borrowed until the next call. */
struct mailbox_apply_status {
	const struct store_apply *apply;
	bool is_dry;
	bool is_judged;		   /* only actions are left */
	size_t open, waiting;	   /* messages with something left to do; of
				      these: to be tried again later */
	uint64_t done, failed;	   /* actions, since the daemon runs */
	const struct tally *tally; /* since the daemon runs */
};
/* The present run, or the last one; false: there was none. */
bool mailbox_get_apply(const struct mailbox *mb,
    struct mailbox_apply_status *status_r, usec_t now);

/* Judges one message for people: EXPLAINED follows, as soon as there is a
 * connection. False: MAILBOX_QUESTIONS_MAX are open. */
bool mailbox_explain(struct mailbox *mb, uint32_t uid, usec_t now);
/* Nobody waits for it any more. */
void mailbox_explain_cancel(struct mailbox *mb, uint32_t uid);
void mailbox_explained_free(struct mailbox_explained **explained);

/* Looks for a message: FOUND follows, as soon as there is a connection. False:
 * MAILBOX_FINDS_MAX are asked for. */
bool mailbox_find(
    struct mailbox *mb, const struct mailbox_wanted *wanted, usec_t now);
void mailbox_found_free(struct mailbox_found **found);

/* Asks how the text of a message begins, or for the message: PREVIEWED follows,
 * as soon as there is a connection. False: MAILBOX_PREVIEWS_MAX are asked for.
 */
bool mailbox_preview(struct mailbox *mb, uint32_t uidvalidity, uint32_t uid,
    enum mailbox_preview_kind kind, usec_t now);
/* Nobody waits for it any more. */
void mailbox_preview_cancel(struct mailbox *mb, uint32_t uidvalidity,
    uint32_t uid, enum mailbox_preview_kind kind);
void mailbox_previewed_free(struct mailbox_previewed **previewed);

/*
 * One connection for several mailboxes: mailbox_rove.c, for account.c.
 *
 * A parked mailbox has no connection (one that has logs out first). It is
 * asked for by whoever has one when it is due, gets the answer with
 * mailbox_told, and says when it wants to be visited: at first, when there
 * are news, and when something is left to do. mailbox_start gives it a
 * connection of its own.
 */
void mailbox_park(struct mailbox *mb, usec_t now);
bool mailbox_is_parked(const struct mailbox *mb);
/* The connection that it has, when it has one, is lent: when it is lost, it
 * parks and says LOST. */
void mailbox_set_shared(struct mailbox *mb, bool is_guest);
/* Its news are pushed to another one's connection (NOTIFY). */
void mailbox_set_pushed(struct mailbox *mb, bool is_pushed, usec_t now);
/* It is to be asked for now, or will be that soon. */
bool mailbox_is_due(const struct mailbox *mb, usec_t soon, usec_t now);
/* Whether these were news. */
bool mailbox_told(
    struct mailbox *mb, const struct mailbox_news *news, usec_t now);
/* The same of one that is open on a connection of its own. */
void mailbox_told_open(
    struct mailbox *mb, const struct mailbox_news *news, usec_t now);
bool mailbox_wants_visit(const struct mailbox *mb, usec_t *since_r);
/* Connected, and nothing to do: may be asked, and left at once. */
bool mailbox_is_at_rest(const struct mailbox *mb);
/* Asks for others, by name: a TOLD for each. Only at rest. */
void mailbox_ask(struct mailbox *mb, const struct strv *names, usec_t now);
/*
 * Asks the server to tell of these by itself (NOTIFY, RFC 5465), a TOLD for
 * each time it does, and of new mailboxes. Only at rest. The connection may
 * refuse that, or give up later.
 */
enum mailbox_push {
	PUSH_UNTRIED,
	PUSH_ON,
	PUSH_OFF
};
void mailbox_notify(struct mailbox *mb, const struct strv *names, usec_t now);
enum mailbox_push mailbox_get_push(const struct mailbox *mb);
/* Whether it tells of just these, or would not. */
bool mailbox_has_notify(const struct mailbox *mb, const struct strv *names);
/* Asks for the list of folders, before it rests again: FOLDERS. */
void mailbox_list_again(struct mailbox *mb, usec_t now);
/* At rest: its turn comes no later than that. */
void mailbox_renew_by(struct mailbox *mb, usec_t at);
/* The connection is wanted elsewhere. When it is free ... */
void mailbox_leave(struct mailbox *mb, usec_t now);
bool mailbox_has_left(const struct mailbox *mb);
/* ... it goes to a parked mailbox, or stays. All events of both must have been
 * pulled; the owner moves the transport. */
void mailbox_hand_over(struct mailbox *from, struct mailbox *to, usec_t now);
/* A parked one gets a connection of its own, after a wait. */
void mailbox_start_in(struct mailbox *mb, usec_t wait, usec_t now);
/* Logged in, and not on its way out. */
bool mailbox_is_connected(const struct mailbox *mb);
/* The server would push its news. */
bool mailbox_can_idle(const struct mailbox *mb);
/* It was made after the folders were listed the last time, at `since`: without
 * a cursor, it is judged from its first message of that time on. */
void mailbox_begin_early(struct mailbox *mb, int64_t since_unix);
/* A fact of the account, for the store. */
void mailbox_learn(struct mailbox *mb, const char *name, const char *value);
/* All of it was said: COMMIT. */
void mailbox_learned(struct mailbox *mb);

/* An effect of a run that this mailbox did not plan (account/undo.h), which is
 * in the store; before mailbox_apply with that run. What is not loaded yet
 * comes with LOAD. */
void mailbox_give_effect(struct mailbox *mb, const struct store_effect *effect,
    const struct store_message *message);

/* The same of one that belongs to no run, of a message that was judged here
 * (account/deed.h): it is done as soon as possible. */
void mailbox_do(struct mailbox *mb, const struct store_effect *effect,
    const struct store_message *message, usec_t now);

/* ---- forwards in the queue that were claimed: mailbox_forward.c ---- */

/* May it be sent now? FORWARD follows, unless the connection is not there for
 * longer than OUTBOX_CLAIM_USEC. When it says OURS, the message says that it
 * may have been sent (CLAIM_SENDING). */
void mailbox_ask_forward(
    struct mailbox *mb, const struct mailbox_forward *forward, usec_t now);
/* One that this mailbox does not know of is none of its. */
void mailbox_forward_settled(struct mailbox *mb, uint32_t uidvalidity,
    uint32_t uid, unsigned seq, enum forward_end end, usec_t now);
/* `is_over`: of an earlier life, which may have ended before the message was
 * marked. */
void mailbox_load_forward(struct mailbox *mb,
    const struct mailbox_forward *forward, bool is_over, usec_t now);

/* Answers. */
void mailbox_load_apply(struct mailbox *mb, const struct store_apply *apply);
void mailbox_load_effect(struct mailbox *mb, const struct store_effect *effect,
    const struct store_message *message);
void mailbox_loaded(struct mailbox *mb, const struct store_cursor *cursor,
    usec_t now); /* NULL: no cursor yet */
/* Before mailbox_loaded, with the same cursor: the facts that are its own,
 * whatever the store has of them. The history may have forgotten what was
 * before `kept_unix`. False: the store cannot be read. */
bool mailbox_load_facts(struct mailbox *mb, struct store *store,
    const struct store_cursor *cursor, int64_t kept_unix, usec_t now,
    struct error *error_r);
/* One of them each: MAILBOX_RENEW_FACT, MAILBOX_WAITING_FACT,
 * MAILBOX_AUDIT_FACT. */
void mailbox_load_renewal(struct mailbox *mb, struct span text, usec_t now);
void mailbox_load_waiting(struct mailbox *mb, struct span text, usec_t now);
/* True: mailbox_load_judged follows for each message from `audit.first` on that
 * the history has. False: it is not needed, or what was judged since that look
 * may be forgotten, and the next one only finds out who is there. */
bool mailbox_load_audit(
    struct mailbox *mb, struct span text, int64_t kept_unix);
/* Before mailbox_load_effect: what an engine that was freed since had handed
 * out of this mailbox is still under way. False: it is none of its; else
 * mailbox_task_done follows. */
bool mailbox_load_task(
    struct mailbox *mb, uint32_t uidvalidity, uint32_t uid, unsigned seq);
/* Of this message there is a notification: it is followed. `by_rule`: when it is
 * read, a rule has done that, and no person need have. */
void mailbox_load_shown(struct mailbox *mb, uint32_t uidvalidity, uint32_t uid,
    bool by_rule);
/* `by_rule` of it: whether the history says that a rule marked the message as
 * read. What cannot be read says nothing. */
bool mailbox_was_read_by_rule(
    struct store *store, const struct store_key *key);
void mailbox_load_judged(struct mailbox *mb, uint32_t uid);
void mailbox_load_failed(
    struct mailbox *mb, const struct error *error, usec_t now);
/* Takes *recall. */
void mailbox_recalled(struct mailbox *mb, struct recall **recall, usec_t now);
void mailbox_connected(struct mailbox *mb, usec_t now);
/* Between CONNECT and the answer: the owner has not begun yet, because too
 * many connect at once; or (false) it has now. */
void mailbox_connect_waits(struct mailbox *mb, bool waits, usec_t now);
/* Also while connected: the transport's own words before its eof. */
void mailbox_connect_failed(
    struct mailbox *mb, const struct error *error, usec_t now);
void mailbox_tls_started(struct mailbox *mb, usec_t now);
/* As imap_session_once: before mailbox_secret. */
void mailbox_once(struct mailbox *mb, const struct sasl_once *once);
void mailbox_secret(struct mailbox *mb, struct span secret, usec_t now);
void mailbox_secret_failed(
    struct mailbox *mb, const struct error *error, usec_t now);
void mailbox_committed(
    struct mailbox *mb, bool ok, const struct error *error, usec_t now);
/* `state`: DONE, FAILED or SKIPPED, with words. */
/* Finds out soon whether the messages that NOTIFY told of are still unread;
 * CHANGED says which are not. */
void mailbox_look_after(struct mailbox *mb, usec_t now);
void mailbox_task_done(struct mailbox *mb, uint32_t uidvalidity, uint32_t uid,
    unsigned seq, enum effect_state state, const char *detail, usec_t now);

/* After how much silence TCP should ask whether its connection lives. */
usec_t mailbox_keepalive(const struct mailbox *mb);

/* A warning in the mailbox's name: a REPORT event. */
void mailbox_warn(struct mailbox *mb, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* How it is heard of. */
enum mailbox_watch {
	WATCH_NOT,    /* not at the moment */
	WATCH_IDLE,   /* a connection of its own, in IDLE */
	WATCH_NOTIFY, /* pushed to a connection that it shares */
	WATCH_POLL,
	WATCH_KINDS
};
const char *mailbox_watch_name(enum mailbox_watch watch);

/* For `status`. Strings are borrowed until the next call. */
struct mailbox_status {
	const char *name, *state;
	usec_t since;	     /* when the state was entered */
	usec_t proven;	     /* the last byte from the server; 0: never */
	usec_t next_try;     /* USEC_NEVER unless waiting */
	const char *trouble; /* the last error's words, "" after a catch-up */
	enum fault fault;
	uint32_t uidvalidity, next_uid;
	size_t jobs;		 /* messages with something left to do */
	bool idle;		 /* the server pushes */
	usec_t next_proof;	 /* renewal or poll; USEC_NEVER: not resting */
	usec_t renew, renew_set; /* IDLE: learned, and configured */
	unsigned missed;	 /* times news came that were not pushed */
	bool deaf;		 /* so many that the server is polled, too */
	bool is_connected;	 /* at the moment: others may be, soon */
	enum mailbox_watch watch;
	usec_t every;  /* POLL: so often; else 0 */
	size_t unread; /* messages that rang and are not read yet, of the newest
			  MAILBOX_FOLLOWED_MAX */
};
void mailbox_get_status(
    const struct mailbox *mb, struct mailbox_status *status_r);
/* Its deadline is long over, or it has none and does not rest: a fault of
 * ours, or of who should have called mailbox_tick. */
bool mailbox_is_stuck(const struct mailbox *mb, usec_t now);
/* Its login was refused, and it is about to make the one more that decides. */
bool mailbox_tries_login_again(const struct mailbox *mb);
/* Stopped, and not on its way anywhere. */
bool mailbox_is_resting(const struct mailbox *mb);
const char *mailbox_name(const struct mailbox *mb);
const struct folders *mailbox_folders(const struct mailbox *mb);
/* The wire name; only after the first login, else NULL. */
const char *mailbox_wire_name(const struct mailbox *mb);

#endif
