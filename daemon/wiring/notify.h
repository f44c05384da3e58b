/*
 * wiring/notify: what the files of the notifiers share.
 *
 * A notification is a `delivery`, and for each notifier that it is for a
 * `pending` until the notifier's queue has its outcome; with the last of them
 * the delivery ends and its mailbox is answered.
 *
 *   notify.c          which notifiers there are
 *   notify_turns.c    handing out what is due
 *   notify_deliver.c  one notification on its way to several notifiers
 *   notify_mail.c     from a message, and from Belfry itself
 *   notify_preview.c  how the message begins
 *   notify_later.c    escalations
 *   notify_shown.c    what was shown, for a later life
 *   notify_places.c   where on a screen, and showing it again
 *   notify_moved.c    what a rule had moved, and is shown: is it read?
 *   notify_desktop.c, notify_exec.c, notify_webhook.c, notify_journal.c
 *                     the kinds
 */
#ifndef BELFRY_WIRING_NOTIFY_H
#define BELFRY_WIRING_NOTIFY_H

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/loop/http.h"
#include "daemon/wiring/belfry.h"
#include "notifiers/escalation.h"
#include "notifiers/shown.h"

struct notify {
	struct belfry *belfry;
	struct list_link notifiers; /* struct notifier::link */
	struct list_link pending;   /* struct pending::link */
	struct list_link later;	    /* struct delivery::later */
	struct list_link previews;  /* of notify_preview.c */
	struct list_link records;   /* of notify_shown.c */
	uint64_t next_serial;
	struct list_link moved;	    /* of notify_moved.c, with these: */
	struct loop_timer *moved_timer;
	usec_t moved_wait, moved_looked; /* looked 0: never */
	struct escalations *escalations; /* of struct delivery */
	struct loop_timer *escalating;
	bool notes_headers; /* for a command's standard input */
};

struct notifier {
	struct list_link link;
	struct notify *notify;
	char *name;
	int type;  /* enum config_notifier_type */
	int least; /* enum urgency */
	struct strv command, headers;
	usec_t timeout;
	char *url;
	int format;
	struct notify_queue *queue;
	struct helper *helper;
	bool is_up;   /* the helper has said `ready` */
	char *places; /* of what it shows from now on; NULL: it did not say */
	struct child *child;
	int input;		     /* enum config_notifier_input */
	struct command *command_now; /* exec: of busy_id; NULL: it runs */
	struct http *http;
	struct webhook *webhook; /* NULL: another kind */
	uint64_t busy_id; /* exec, webhook: what is under way; 0: nothing */
	struct loop_timer *timer;
	usec_t again; /* when a notifier that is away is tried again */
	bool told_away;
	struct quiet_hours quiet_hours;
	bool is_quiet;
	usec_t quiet_change;	  /* when that is to be looked at */
	int64_t quiet_until_unix; /* 0: as things are, for ever */
};

/* What a mailbox waits for: one entry for each notifier that has it. */
struct pending {
	struct list_link link;
	struct notifier *notifier;
	uint64_t id; /* in that notifier's queue */
	struct delivery *delivery;
};

/* One notification on its way to one or several notifiers. */
struct delivery {
	struct list_link later; /* in notify::later, or in no list */
	struct line *line;	/* NULL: nobody waits */
	uint32_t uidvalidity, uid;
	unsigned seq;
	unsigned open;	    /* notifiers that have not answered */
	bool is_escalation; /* rings whatever urgency its notifier wants */
	bool unless_read;   /* of an escalation */
	usec_t ring_by; /* the same: even if nobody knows whether it is read */
	bool shown, unwanted; /* unwanted: as configured, or by now */
	/* As mailbox_task's; what it takes to show it can be asked. */
	bool is_hidden;
	char *returns; /* shown again, by this notifier alone; NULL: it is new
			*/
	char *words;
	struct strv except;	     /* without `via`: not these notifiers */
	char *from, *subject, *rule; /* of a message, else "" */
	struct buf header;     /* the same; empty: it did not come along */
	struct notification n; /* for reports, and for other notifiers */
	struct notify *notify;
};

/* notify_turns.c */
/* Hands out what is due, takes what is settled, sets the timer. */
void notifier_give_turn(struct notifier *notifier);
/* The timer of a notifier; ctx is the notifier. */
void notifier_on_timer(void *ctx);
/* Starts its helper, or makes it available at once. */
void notifier_begin(struct notifier *notifier);
/* Looks whether it is quiet now: the hours began or ended, the clock was set,
 * daylight saving time came. */
void notifier_look_at_clock(struct notifier *notifier);
/* An answer that a notifier without a protocol of its own would give. */
void notifier_answer(struct notifier *notifier, uint64_t id,
    enum notifier_verb verb, const char *reason);
/* Says once that a notifier is away. */
void notifier_tell_away(struct notifier *notifier, const char *why);

struct shown_message {
	const char *account, *mailbox;
	uint32_t uidvalidity, uid;
	unsigned seq;
};

/* notify_deliver.c */
struct delivery *delivery_new(struct notify *notify);
/* Gives it to every notifier that it is for and that has it not. Takes the
 * delivery. */
void delivery_send(struct delivery *delivery);
bool notifier_is_for(
    const struct notifier *notifier, const struct delivery *delivery);
/* What became of it in one notifier; frees the pending one. */
void pending_settle(
    struct pending *pending, const struct notify_outcome *outcome);
struct pending *pending_find(struct notifier *notifier, uint64_t id);
/* Another notifier has this message still before it. */
bool delivery_is_elsewhere(
    const struct notifier *notifier, const struct shown_message *message);

/* The delivery ends without any notifier, for this reason; frees it. */
void delivery_drop(struct delivery *delivery, const char *words);
/* Nobody hears of it; frees it. */
void delivery_forget(struct delivery *delivery);

/* notify_later.c */
void later_start(struct notify *notify);
void later_free(struct notify *notify);
/* Sends it when its time has come; takes the delivery. */
void later_send(struct delivery *delivery, const struct mailbox_task *task);
void later_withdraw(struct notify *notify, const char *account,
    const char *mailbox, uint32_t uidvalidity, uint32_t uid);
void later_forget_line(struct notify *notify, const struct line *line);
/* notify_shown.c */
/* It was shown; with a key (as notifiers/shown.h) it can be taken back. */
void shown_note(const struct notifier *notifier,
    const struct shown_message *message, const char *key, const char *id);
/* It was taken back. */
void shown_over(const struct notifier *notifier,
    const struct shown_message *message, const char *key, const char *id);
/* It is not shown any more, by whatever key. */
void shown_forget(
    const struct notifier *notifier, const struct shown_message *message);
/* Each message that a rule had moved, and a helper has on a screen. `fn` must not show or
 * withdraw anything. */
typedef void shown_moved_fn(void *ctx, const struct shown_message *message);
void shown_each_moved(
    const struct notify *notify, shown_moved_fn *fn, void *ctx);
/* The same key, another id. */
void shown_mark(const struct notifier *notifier,
    const struct shown_message *message, const char *id);
/* The message was read, or is gone: what a helper shows of it is forgotten. */
void shown_withdraw(const struct notifier *notifier, const char *account,
    const char *mailbox, uint32_t uidvalidity, uint32_t uid);
/* Whether this notifier has shown it, maybe in an earlier life. */
bool shown_is_noted(
    const struct notifier *notifier, const struct delivery *delivery);
/* The helper is up: what it had shown before this life, of mailboxes that know
 * what was read meanwhile, is shown again. */
void shown_again(struct notifier *notifier);
/* A new notifier takes over what one of its name has shown. */
void shown_restore(struct notifier *notifier);
void shown_free(struct notify *notify);

/* notify_places.c */
/* SHOWN or CLOSED, of a helper; before its queue gets it. */
void places_note(
    const struct notifier *notifier, const struct notifier_line *line);
/* Of one record: which requests stand for its places. */
#define PLACES_MAX SHOWN_ITEMS_MAX
struct places {
	struct place {
		const char *place; /* borrowed */
		uint64_t request;
	} items[PLACES_MAX];
	size_t count;
};
void places_restore(struct notifier *notifier,
    const struct shown_message *message, const struct shown_item *item,
    struct places *places);
/* As far as the helper, which is up, is of the session where it was shown. */
bool places_is_on_screen(
    const struct notifier *notifier, const struct shown_item *item);
/* Whether it may be shown again: not what expired; and what a rule had moved,
 * of which nobody knows whether it was read, only if it is on the screen. */
bool places_is_due(
    const struct notifier *notifier, const struct shown_item *item);
/* It is unread, as far as its mailbox knows. What is not on the screen any more
 * and older than PLACES_AGE_MAX_SEC stays away. */
#define PLACES_AGE_MAX_SEC ((int64_t)24 * 60 * 60)
void places_show_again(struct notifier *notifier, struct line *line,
    const struct shown_message *message, const struct shown_item *item);
/* It is shown now; frees it. */
void places_return(struct delivery *delivery);
/* This id (notifiers/shown.h) says that a rule had moved it. */
bool places_is_moved(const char *id);

/* notify_moved.c */
void moved_start(struct notify *notify);
void moved_done(struct notify *notify);
/* Such a one is on a screen now, or was before this life. */
void moved_note_shown(struct notify *notify);

/* notify_mail.c */
/* What a notification of the message says. */
void notify_fill(
    struct line *line, const struct mailbox_task *task, struct notification *n);
/* It hides a one-time code, which the server can be asked for, and is wanted.
 */
bool notify_can_clear(
    const struct mailbox_task *task, const struct notification *n);
/* As the configuration is now: an account whose connections need not change
 * runs on with an older one. */
const struct config_account *notify_account(const struct line *line);

/* notify_preview.c */
/* As delivery_send, as soon as it is known how the message begins, and what
 * was hidden, where that is wanted. */
void delivery_send_with_preview(
    struct delivery *delivery, const struct mailbox_task *task);
/* The same of one that came out of the store, and whose time has come. */
void delivery_send_clear(struct delivery *delivery);
/* No longer waited for: the message was read; the line goes (NULL: there are
 * too many). */
void notify_preview_over(struct line *line, uint32_t uidvalidity, uint32_t uid);
void notify_preview_forget(struct notify *notify, const struct line *line);

/* The kinds, each with what it does with a request (NOTIFY or CLOSE). */
void desktop_start(struct notifier *notifier);
void program_start(struct notifier *notifier);
void desktop_show(struct notifier *notifier, const struct notifier_line *line);
void exec_show(struct notifier *notifier, const struct notifier_line *line);
/* The message that its command waits for came; nobody will fetch it. */
void exec_content(struct line *line, const struct mailbox_previewed *previewed);
void exec_forget_content(struct notify *notify, const struct line *line);
/* What was to run does not. */
void exec_forget(struct notifier *notifier);
void webhook_new(
    struct notifier *notifier, const struct config_notifier *config);
void webhook_free(struct webhook **webhook);
bool webhook_is_same(
    const struct notifier *notifier, const struct config_notifier *config);
void webhook_again(struct notifier *notifier);
void webhook_show(struct notifier *notifier, const struct notifier_line *line);
/* What an earlier life has posted, and can be taken back. */
void posted_restore(struct notifier *notifier,
    const struct shown_message *message, const char *key, const char *id);
void journal_show(struct notifier *notifier, const struct notifier_line *line);

#endif
