/*
 * notifier: one notification, and the text protocol of notifiers.
 *
 * Notifiers get requests as lines of text on standard input and answer with
 * lines on standard output, so that anyone can write one in any language
 * (belfry-notifiers(7)). A line is a verb and "name=value" fields, each behind
 * a tab; in values backslash, tab, CR and LF are written as \\ \t \r \n.
 * Values are UTF-8 without other controls. Unknown fields are passed over, so
 * that new ones can come.
 *
 *   notify  id=1 account=work mailbox=INBOX uidvalidity=9 uid=12
 *           urgency=normal title=... body=... preview=... icon=...
 *           sound=... message-id=... url=... actions=default,read,trash
 *   close   id=1 place=...
 *
 * Answers:
 *
 *   ready   version=1 capabilities=body,actions singles=2
 *   shown   id=1 place=...      place: for a close in a later life
 *   failed  id=1 reason=...
 *   closed  id=1 reason=dismissed
 *   action  id=1 key=default token=...
 *   unavailable reason=...      the service is away; keep and send again
 *                               after the next `ready`; keeps=yes: what is
 *                               shown stays so
 */
#ifndef BELFRY_NOTIFIERS_NOTIFIER_H
#define BELFRY_NOTIFIERS_NOTIFIER_H

#include "daemon/base/buf.h"
#include "daemon/base/usec.h"
#include "rules/plan.h"

#define NOTIFICATION_TITLE_MAX 200 /* characters */
#define NOTIFICATION_BODY_MAX 1000
#define NOTIFICATION_PREVIEW_MAX 250
#define NOTIFICATION_FIELD_MAX 250 /* of every other string */
#define NOTIFICATION_URL_MAX 1000  /* bytes; a longer address is left out */
/* Where no rule asks for others: names of the themes. */
#define NOTIFICATION_ICON "mail-unread"
#define NOTIFICATION_SOUND "message-new-email"
#define NOTIFIER_LINE_MAX (16 * 1024)
/* Characters of a place: letters, digits, and "-_."; else it counts as none. */
#define NOTIFIER_PLACE_MAX 64

struct notification {
	uint64_t id;		   /* counts up from 1 in the daemon */
	char *account, *mailbox;   /* owned, as all strings here */
	uint32_t uidvalidity, uid; /* 0: no single message (a summary) */
	unsigned seq; /* in the message's plan; in no line of the protocol */
	enum urgency urgency;
	char *title, *body;
	char *preview;			 /* of the text; "" when none */
	char *sound, *icon, *message_id; /* "" when none */
	char *url;     /* where a browser or mail program finds it; "": none */
	char *actions; /* keys that may be answered, with commas */
	char *code;    /* a one-time code; in no line of the protocol */
	bool is_private; /* of a message: nothing but numbers is said of it */
	bool is_moved;	 /* by a rule: it is not in that mailbox */
	struct strv via; /* notifier names; empty: all */
};

/* All strings NULL, which counts as "" everywhere. */
void notification_init(struct notification *n);
void notification_done(struct notification *n);
/* dst, which was initialised, loses what it held. */
void notification_copy(
    struct notification *dst, const struct notification *src);
/* As notification_copy, but every string is made fit to be shown
 * (str_sanitize) and cut to the limits above; none is NULL then. A line made
 * of it is shorter than NOTIFIER_LINE_MAX. */
void notification_copy_sanitized(
    struct notification *dst, const struct notification *src);
/* Whether `key` is one of its actions. */
bool notification_offers(const struct notification *n, const char *key);
/* "low", "normal", "critical": a constant. */
const char *urgency_name(enum urgency urgency);

/* Keys of actions (notify's `actions`, action's `key`). */
#define NOTIFY_OPEN "default"	   /* a click on the notification itself */
#define NOTIFY_READ "read"	   /* mark it as read */
#define NOTIFY_READ_ALL "read-all" /* all that a summary counts */
#define NOTIFY_ARCHIVE "archive"
#define NOTIFY_TRASH "trash"
#define NOTIFY_COPY "copy" /* the one-time code, to the clipboard */

/* Lines of the protocol, both ways. */
enum notifier_verb {
	NOTIFIER_NOTIFY,
	NOTIFIER_CLOSE,
	NOTIFIER_READY,
	NOTIFIER_SHOWN,
	NOTIFIER_FAILED,
	NOTIFIER_CLOSED,
	NOTIFIER_ACTION,
	NOTIFIER_UNAVAILABLE,
	NOTIFIER_VERBS
};
struct notifier_line {
	enum notifier_verb verb;
	struct notification n; /* id, and for notify all fields but via */
	char *reason, *key, *capabilities; /* owned; NULL when absent */
	char *token; /* of an action, for the window that opens; the same */
	char *place; /* of a close: maybe of another life; of a READY: what the
			places of all it shows begin with; the same */
	bool keeps;  /* of UNAVAILABLE: what is shown stays so */
	uint32_t singles; /* of READY: so many by themselves, with one summary,
			     are shown well; 0: it does not say */
};
void notifier_line_done(struct notifier_line *line);
/* Appends the line with its LF. What may not be in a value is left out or,
 * if it is malformed UTF-8, becomes U+FFFD. */
void notifier_line_format(struct buf *buf, const struct notifier_line *line);
/*
 * Reads a line; CR and LF at its end do not count. False on an unknown verb,
 * a missing id, a field that comes twice or has a wrong value, a wrong escape,
 * and above NOTIFIER_LINE_MAX bytes. What format wrote is read as it was
 * (strings of a notify that were NULL as ""). Free with notifier_line_done.
 */
bool notifier_line_parse(struct span text, struct notifier_line *line_r);

#endif
