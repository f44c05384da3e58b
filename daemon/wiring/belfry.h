/*
 * wiring: where engines meet the edge.
 *
 * This folder and belfryd.c are the only ones that know everyone. There is no
 * thinking here: each file takes the needs of one kind of engine and answers
 * them with the loop, the store and the configuration.
 *
 *   accounts.c   mailboxes: connections, secrets, commits, commands
 *   alive.c      proofs of life: ours to systemd, and of connections to us
 *   certificates.c those that end soon
 *   gate.c       how many connections begin at once
 *   outboxes.c   the forward queue's connections
 *   probes.c     belfryctl probe
 *   mailboxes.c  belfryctl mailboxes
 *   queues.c     belfryctl queue
 *   deeds.c      buttons of notifications that act on the server
 *   opens.c      programs that open messages, or copy codes
 *   chosen.c     which of them a click is for
 *   planned_run.c  runs that do what somebody planned
 *   past.c       messages of the history
 *   notify.c     the notifiers: helper processes, commands, webhooks, journal;
 *                see notify.h
 *   transport.c  a connection to an account's server
 *   exec.c       commands of rules
 *   login.c      what a login takes
 *   machine.c    its name among other machines
 *   secrets.c    passwords and tokens
 *   tokens.c     tokens that are renewed here; see tokens.h
 *   report.c     what happened, to the log and to who watches
 *   control.c    answers for belfryctl
 *   applies.c    runs over messages that are there already
 *   left_open.c  what was open in mailboxes that nobody watches any more
 *   undos.c, undo_*.c  what rules did, taken back
 *   queues.c, queue_retry.c  what a person does to forwards
 *   status.c     how everything is
 *   pulses.c     how well accounts were connected
 *   pauses.c     accounts that a person holds
 *   explains.c   what the rules say of a message on the server
 *   journal.c    what is to be written, by a thread
 *   reload.c     a new configuration
 *   list_files.c files of lists, read again when they change
 *   rule_stats.c what rules do, and how long they take
 */
#ifndef BELFRY_WIRING_BELFRY_H
#define BELFRY_WIRING_BELFRY_H

#include "daemon/account/account.h"
#include "daemon/account/breaker.h"
#include "daemon/account/crowd.h"
#include "daemon/account/pulse.h"
#include "daemon/account/told.h"
#include "daemon/base/list.h"
#include "daemon/config/config.h"
#include "daemon/loop/channel.h"
#include "daemon/loop/child.h"
#include "daemon/loop/connect.h"
#include "daemon/loop/loop.h"
#include "daemon/outbox/outbox.h"
#include "daemon/store/keeping.h"
#include "daemon/store/store.h"
#include "daemon/wiring/journal.h"
#include "notifiers/queue.h"
#include "rules/rules.h"

/* A command of a rule may run this long. */
#define EXEC_USEC (60 * USEC_SEC)
/* Commands of rules at once; more wait their turn. */
#define EXEC_MAX 16
/* Time for LOGOUT and QUIT at the end. */
#define GOODBYE_USEC (3 * USEC_SEC)
/* And for a token that a provider was asked for: its answer takes HTTP_USEC at
 * most, and then it is written. Below systemd's TimeoutStopSec. */
#define GOODBYE_TOKEN_USEC (40 * USEC_SEC)
#define GOODBYE_LOOK_USEC (100 * USEC_MSEC)
/* List files and the clock are looked at this often at least. */
#define TIDY_USEC (30 * USEC_SEC)
/* Logins and catch-ups leave holes in the heap, a tenth of it: whole pages go
 * back, soon after the start, as all may have logged in then or not, and each
 * time after twice as long, up to this. */
#define TRIM_USEC USEC_HOUR
/* Finished messages and hits are forgotten after `history`. */
#define PRUNE_USEC USEC_DAY
/* One message in so many is judged with a clock beside it. */
#define RULE_STATS_EVERY 32

struct belfry;
struct json;
struct tokens;

/* Of one of an account's servers, as it was seen last; or the account's own,
 * `tls_cert`. */
struct certificate {
	int64_t from_unix, until_unix; /* 0: none was seen */
	int64_t told_unix;	       /* the one that the person knows of */
};
enum {
	CERTIFICATE_IMAP,
	CERTIFICATE_SMTP,
	CERTIFICATE_OWN,
	CERTIFICATES
};

/* One account as it runs. */
struct running_account {
	struct list_link link; /* in belfry::accounts */
	struct belfry *belfry;
	const struct config_account *config; /* of the current configuration */
	struct tls *tls;
	struct tokens *tokens; /* NULL: not signed in by itself */
	struct account *account;
	struct mailbox_other_login
	    other;		       /* the name that the server may want */
	struct senders *senders;       /* whose mail was judged before */
	struct arrivals *arrivals;     /* what rules put into mailboxes */
	struct claims *claims;	       /* other machines */
	struct list_link unmarked;     /* of forwards.c */
	struct list_link searches;     /* of undo_search.c */
	bool undoing, is_undo_resumed; /* of undo_again.c */
	struct left_open *left_open;
	struct list_link lines; /* struct line::link */
	usec_t hint_at;		/* it must prove itself then; 0: it need not */
	bool pumping;
	bool paused;	      /* by the person: a reload does not change that */
	int64_t paused_until; /* 0: until it is resumed */
	struct loop_timer *unpause; /* NULL: no end is set */
	struct told told;	    /* to the person, today */
	bool told_person;	/* that it is locked out; until it is let in */
	struct breaker breaker; /* of forwards */
	bool notes_beginnings;	/* notify_look_at_account */
	struct pulse pulse;
	struct sender *sender; /* NULL: no submission server */
	struct certificate certificates[CERTIFICATES];
};

/* One mailbox and what it is connected to. */
struct line {
	struct list_link link; /* in running_account::lines */
	struct running_account *owner;
	struct mailbox *mailbox; /* the account's */
	struct transport *transport;
	struct crowd_member crowd; /* of report.c */
};

struct belfry {
	struct loop *loop;
	struct store *store;	 /* for reading */
	struct journal *journal; /* and for writing */
	struct told told;	 /* to the person, of that */
	struct crowds crowds;	 /* of report.c: who says the same */
	struct loop_timer *crowds_timer;
	struct config *config;
	struct list_link held; /* struct held_config::link, also the current */
	struct limits *limits;
	struct store_queue_size queue; /* at the last look, and added since */
	struct keeping keeping;	       /* the time to forget by */
	char *unused_after; /* owned: of unused.c; NULL: no round */
	struct rules_meter *meter;     /* NULL: nothing is measured */
	struct list_files *list_files;
	char *config_path;
	char *state_directory, *control_path;
	bool dry_run, verbose;
	bool leaving;
	struct list_link accounts; /* struct running_account::link */
	struct list_link not_started; /* of not_started.c */
	struct list_link execs;	   /* struct exec::link, running and waiting */
	struct list_link prepared_execs; /* ... that nobody asked for yet */
	unsigned exec_running;
	struct list_link deeds;	    /* of deeds.c: what waits for another run */
	struct list_link opens;	    /* of opens.c: programs that are running */
	struct list_link questions; /* struct question::link */
	struct list_link probings;  /* struct probing::link */
	struct list_link followers; /* struct follower::link */
	struct notify *notify;
	struct control *control;
	struct alive *alive;
	struct gate *gate;
	struct loop_timer *tidy, *goodbye;
	usec_t leave_by; /* once leaving: whatever is under way */
	bool waits_for_token;
	usec_t started, next_prune, next_trim;
	usec_t looked; /* at how well all are connected */
};

/* accounts.c */
/* Opens the account's TLS policy and starts it. False: it cannot run, for which
 * not_started.c has the reason; the others do. */
bool accounts_start(struct belfry *belfry, const struct config_account *config);
void accounts_stop(struct running_account *account);
/* Its file of certificates may have changed: for connections from now on. */
void accounts_read_certificates(struct running_account *account);
/* Gives every engine its turn: after anything that was done to one. */
void accounts_pump(struct running_account *account);
void accounts_free(struct running_account **account);
struct running_account *accounts_find(struct belfry *belfry, const char *name);
/* The line of a mailbox by name; NULL. */
struct line *accounts_find_line(
    struct running_account *account, const char *mailbox);
/* At the end of the daemon's life: quits the loop once everybody has said
 * goodbye. */
void leave_if_done(struct belfry *belfry);
/* The wall clock may have moved. */
void accounts_set_clock(struct belfry *belfry);

/* not_started.c: accounts that could not be started. */
/* Says why, unless it was the same before. */
void not_started_note(struct belfry *belfry,
    const struct config_account *config, const struct error *error);
/* Tries them again. */
void not_started_tidy(struct belfry *belfry);
/* Forgets them, before a reload tries all, and at the end. */
void not_started_clear(struct belfry *belfry);
void not_started_add_status(struct belfry *belfry, struct json *accounts);

/* alive.c */
void alive_start(struct belfry *belfry);
void alive_free(struct alive **alive);
/* Every mailbox proves that it lives, soon. */
void alive_hint(struct belfry *belfry);

/* exec.c */
/* Runs it, or lets it wait; takes the task. */
void exec_run(struct line *line, struct mailbox_task *task);
/* Takes the task, which exec_run may ask for soon. */
void exec_prepare(struct line *line, struct mailbox_task *task);
/* The line goes: its commands run on, and nobody listens ... */
void exec_forget_line(struct line *line);
/* ... until one comes that has the same mailbox: as part of LOAD. */
void exec_load(struct line *line);
void exec_free_all(struct belfry *belfry);

/* certificates.c */
struct json;
/* On a new connection. */
void certificates_seen(struct running_account *account,
    const struct config_server *server, const struct tls_session *tls);
/* From time to time. */
/* One's own, when it was read. */
void certificates_look_at_own(struct running_account *account);
void certificates_tidy(struct belfry *belfry);
/* For `status`. */
struct json *certificates_status(const struct running_account *account);

/* unused.c */
/* Behind each pruning; then, every TIDY_USEC: */
void unused_begin(struct belfry *belfry);
void unused_tidy(struct belfry *belfry);

/* machine.c */
/* Appends what this machine is called among those that watch the account. */
void machine_name(struct belfry *belfry, const char *account, struct buf *name);

/* secrets.c */
struct secret_wait;
/* Called once from the loop; the secret is borrowed. */
typedef void secret_fn(
    void *ctx, const struct secret *secret, const struct error *error);
struct secret_wait *secret_ask(struct belfry *belfry,
    const struct config_account *account, secret_fn *fn, void *ctx);
void secret_cancel(struct secret_wait **wait);

/* outboxes.c */
struct sender *sender_new(struct running_account *account);
void sender_free(struct sender **sender);
/* Something was queued. */
void sender_kick(struct sender *sender);
/* The configuration was reloaded: credentials are tried again. */
void sender_reload(struct sender *sender);
/* A forward is to be tried at once, whatever the account waits for. */
void sender_retry(struct sender *sender);
/* The network may be back. */
void sender_hint(struct sender *sender);

/* For who asks whether the secret that was refused is still the same. */
enum sender_secret {
	SENDER_SECRET_OTHER,   /* it is another one */
	SENDER_SECRET_REFUSED, /* it is the same */
	SENDER_SECRET_FAILED,  /* it cannot be read: `error` */
	SENDER_SECRET_GONE,    /* the account goes: nothing may be done now */
};
typedef void sender_secret_fn(void *ctx, struct running_account *account,
    enum sender_secret what, const struct error *error);
/* Reads it, then calls `fn` once from the loop. False: somebody asks already.
 */
bool sender_look_at_secret(
    struct sender *sender, sender_secret_fn *fn, void *ctx);
/* What was found in \Sent. */
void sender_found(struct sender *sender, const struct mailbox_found *found);
void sender_stop(struct sender *sender);
/* After sender_stop. */
void sender_start(struct sender *sender);
void sender_set_clock(struct sender *sender);
const struct outbox *sender_outbox(const struct sender *sender);

/* The answer to CLAIM. */
void sender_claimed(
    struct sender *sender, int64_t id, enum outbox_claim claim, usec_t time);

/* forwards.c */
/* Before the account is started. */
void forwards_start(struct running_account *account);
void forwards_free(struct running_account *account);
/* As answer to LOAD. */
bool forwards_load(struct line *line, struct error *error_r);
/* CLAIM, its answer, SETTLED; QUEUED. */
void forward_ask(
    struct running_account *account, const struct outbox_event *event);
void forward_answer(
    struct running_account *account, const struct mailbox_event *event);
void forward_settled(
    struct running_account *account, const struct outbox_event *event);
void forward_queued(struct line *line, const struct mailbox_event *event);
/* By the person; the owner pumps then. */
void forward_dropped(
    struct belfry *belfry, const struct store_queue_item *item);

/* notify.c */
bool notify_start(struct belfry *belfry, struct error *error_r);
void notify_free(struct notify **notify);
/* Takes the task; answers the mailbox when it was shown, or could not be. */
void notify_task(struct line *line, struct mailbox_task *task);
/* The message was read or went elsewhere: its notification goes, too. */
void notify_withdraw(
    struct line *line, uint32_t uidvalidity, uint32_t uid, const char *why);
/* From Belfry itself, about an account (may be NULL). */
void notify_say(struct belfry *belfry, const char *account,
    enum urgency urgency, const char *title, const char *body);
/* The answer to mailbox_preview. */
void notify_previewed(
    struct line *line, const struct mailbox_previewed *previewed);
void notify_forget_line(struct line *line);
/* The configuration changed. */
void notify_reload(struct belfry *belfry);
/* A fact of the account, out of the store; false: it is none of notifiers. */
bool notify_load_fact(struct belfry *belfry, const char *account,
    const char *name, const char *value);
/* As part of LOAD: tells the mailbox what was shown of it and may have to be
 * taken back. */
void notify_load(struct line *line);
/* The mailbox knows what was read meanwhile: what a screen showed of the rest
 * before this life is shown again. */
void notify_proven(struct line *line);
/* One that a rule had moved was looked for (notify_moved.c); `line` is free to
 * go, and answers nobody any more. */
void moved_found(struct line *line, const struct mailbox_found *found);
void moved_left(struct line *line);
/* Sets its notes_beginnings: whether a desktop shows how messages begin. When
 * it starts; notify_reload does so for all. */
void notify_look_at_account(struct running_account *account);
/* Whether a notifier wants the header block of messages; lives as long as
 * belfry::notify, and changes with the configuration. */
const bool *notify_notes_headers(const struct belfry *belfry);
/* The wall clock may have moved. */
void notify_look_at_clock(struct belfry *belfry);
/* How many escalations wait. */
size_t notify_count_later(const struct belfry *belfry);
/* What each is doing, for `belfryctl status`; the caller's. */
struct json *notify_status(const struct belfry *belfry);

/* report.c: what many mailboxes of a server say at once is one line of the log
 * (account/crowd.h). */
void report_start(struct belfry *belfry);
void report_free(struct belfry *belfry);
void report_forget_line(struct line *line);
/* As it may be kept: without a one-time code (mail/code.h). */
void report_set_subject(struct json *json, const char *subject);
void report_mailbox(struct line *line, const struct mailbox_report *report);
void report_outbox(
    struct running_account *account, const struct outbox_event *event);
/* Trouble that lasts: a person should know of it. */
#define REPORT_LONG_USEC (10 * USEC_MINUTE)
/* What a person can do; nothing, where it ends by itself. */
void report_add_cure(struct buf *cure, const struct running_account *account,
    const struct outbox_event *event);
/* What concerns no mailbox. `kind` is a word for JSON. */
void report_note(struct belfry *belfry, bool is_trouble, const char *kind,
    const char *account, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* For journal_on_health: `ctx` is the belfry. */
void report_journal(void *ctx, enum journal_health health, const char *words);

/* explains.c */
#define EXPLAIN_USEC (60 * USEC_SEC)
#define EXPLAINS_MAX 16
struct json;
struct client;
/* Answers when the message was judged, or says why not. */
void explain_ask(
    struct belfry *belfry, struct client *client, const struct json *request);
void explain_answer(struct line *line, struct mailbox_explained *explained);
/* The line goes. */
void explain_forget_line(struct line *line);

/* probes.c */
/* The mailbox that is made for it, and deleted. */
#define PROBE_MAILBOX "Belfry-Probe"
/* Answers when the message has come, or not. One at a time for an account. */
void probe_ask(
    struct belfry *belfry, struct client *client, const struct json *request);
void probe_forget_account(struct running_account *account);

/* mailboxes.c */
/* The folders of one account, or of all, as they were listed last. */
void mailboxes_ask(
    struct belfry *belfry, struct client *client, const struct json *request);

/* queues.c */
/* Lists the forwards, or does to some of them what the person asks. */
void queue_ask(
    struct belfry *belfry, struct client *client, const struct json *request);
/* Forwards that failed or are held do not stay for ever. */
#define QUEUE_DEAD_KEEP_SEC (30 * 24 * 60 * 60)
#define QUEUE_DEAD_MAX 1000
/* By the time to forget by. */
void queue_tidy(struct belfry *belfry, int64_t time_unix);
/* The same as queue_ask, without a look at anything first. `refused`: the
 * accounts whose forwards are left as they are (queue_retry.c), each with
 * "account", "words" and "hint"; NULL: none. Not out of the request: that is
 * the client's. */
void queue_do(struct belfry *belfry, struct client *client,
    const struct json *request, const struct json *refused);

/* queue_retry.c */
/* queue_do, but where the server refused the password and it is the same
 * still. */
void queue_retry(
    struct belfry *belfry, struct client *client, const struct json *request);
/* What the person can do about it: "change ..., then: belfryctl ...". */
void queue_add_cure(struct buf *out, const struct config_account *account);
/* Looks how large the queue is, for those who add to it. */
void queue_measure(struct belfry *belfry);

/* pulses.c */
/* Every TIDY_USEC. */
void pulses_tick(struct belfry *belfry);
void pulses_report(struct running_account *account, enum report_kind kind);
/* At the end: what of this hour is known is kept. */
void pulses_flush(struct running_account *account);
/* The command of belfryctl. */
void pulses_ask(struct belfry *belfry, struct client *client);

/* status.c */
struct json *status_of(struct belfry *belfry);
/* Of its forwards alone. */
struct json *status_of_queue(const struct running_account *account);

/* pauses.c */
/* Before its first start. True: it is not to be started, as a person paused
 * it. */
bool pauses_restore(struct running_account *account);
/* The commands of belfryctl. */
void pause_ask(
    struct belfry *belfry, struct client *client, const struct json *request);
void resume_ask(
    struct belfry *belfry, struct client *client, const struct json *request);

/* applies.c */
#define FOLLOWERS_MAX 16
#define APPLY_RULES_MAX 50
/* A line of progress to each client is not sent more often. */
#define APPLY_PROGRESS_USEC (250 * USEC_MSEC)
/* Begins, joins or cancels a run; lines follow until it is over. */
void apply_ask(
    struct belfry *belfry, struct client *client, const struct json *request);
void apply_progress(struct line *line);
/* The line goes: what is not stored ends. */
void apply_forget_line(struct line *line);
/* A visitor leaves; its run may have to wait. */
void apply_left(struct line *line);
/* Gives unfinished runs to their mailboxes, where that is possible now. */
void apply_resume(struct running_account *account);
/* As answer to LOAD. */
bool apply_load(struct line *line, struct error *error_r);
/* From time to time, and when accounts may have gone or come. */
void apply_tidy(struct belfry *belfry);

/* left_open.c */
struct left_open *left_open_new(void);
void left_open_free(struct left_open **left);
/* When the account is connected, and from time to time. */
void left_open_look(struct running_account *account);
void left_open_found(struct line *line, const struct mailbox_found *found);
/* For `status`. */
struct json *left_open_status(const struct running_account *account);

/* undos.c */
/* Messages of one request, the newest. */
#define UNDO_MAX 1000
void undo_ask(
    struct belfry *belfry, struct client *client, const struct json *request);
/* undo_search.c */
void undo_found(struct line *line, const struct mailbox_found *found);
/* The line goes. */
void undo_left(struct line *line);
/* The account goes. */
void undo_forget(struct running_account *account);
/* undo_again.c */
/* The account is connected. */
void undo_resume(struct running_account *account);

/* control.c */
/* A client that waits. Each takes the json; the first two end it. */
void control_reply(struct client *client, struct json *answer);
void control_refuse(struct client *client, const char *hint, const char *format,
    ...) __attribute__((format(printf, 3, 4)));
/* There is no such one; the hint says which there are. NULL: none was named. */
void control_refuse_account(struct client *client, const char *name);
void control_refuse_rule(struct client *client, const char *id);
bool control_has_rule(const struct belfry *belfry, const char *id);
void control_line(struct client *client, struct json *line);
/* Called once when the client goes, answered or not; NULL: nobody. */
void control_on_leave(
    struct client *client, void (*leave)(void *ctx), void *ctx);
/* What `status` tells may have changed; control_broadcast says so, too. */
void control_changed(struct belfry *belfry);
/* Whether anybody watches: thousands of lines for nobody take their time. */
bool control_is_watched(const struct belfry *belfry);
/* A line for everybody who watches (taken). */
void control_broadcast(struct belfry *belfry, struct json *line);
bool control_start(struct belfry *belfry, struct error *error_r);
void control_free(struct control **control);

/* list_files.c */
/* Of another configuration; also the first. */
void list_files_reset(struct belfry *belfry);
/* Reads what has changed; cheap, and to be called before anything is judged. */
void list_files_refresh(struct belfry *belfry);
void list_files_free(struct list_files **lists);

/* rule_stats.c */
/* Also loads. */
void rule_stats_start(struct belfry *belfry);
/* The store hears of the rules that are loaded, and forgets others. */
void rule_stats_load(struct belfry *belfry);
/* Adds what was measured since the last time. */
void rule_stats_add_times(struct belfry *belfry, struct store_batch *batch);
/* The same with a commit of its own; before rules are freed. */
void rule_stats_flush(struct belfry *belfry);

/* reload.c */
/* Loads and checks the configuration again; on any error the old one stays
 * and `problems` has the text. */
bool reload_config(struct belfry *belfry, struct buf *problems);
/* How it is now, to systemd. */
void reload_tell_status(const struct belfry *belfry);
/* Owns the configuration until no account borrows from it. */
void reload_hold(struct belfry *belfry, struct config *config);
void reload_release(struct belfry *belfry);

#endif
