/*
 * notifier: one notification, and the text protocol of notifiers.
 *
 * Notifiers get requests as lines of text on standard input and answer with
 * lines on standard output, so that anyone can write one in any language
 * (belfry-notifier(7)). A request is one line: a verb and tab-separated
 * "name=value" fields; in values backslash, tab, CR and LF are written as
 * \\ \t \r \n. All values are valid UTF-8 without other controls.
 *
 *   notify  id=1 account=work mailbox=INBOX uid=12 urgency=normal
 *           title=... body=... icon=... sound=... message-id=...
 *   close   id=1
 *
 * Answers:
 *
 *   ready   version=1 capabilities=body,actions
 *   shown   id=1
 *   failed  id=1 reason=...
 *   closed  id=1 reason=dismissed
 *   action  id=1 key=default
 *   unavailable reason=...      the service is away; keep and send again
 *                               after the next `ready`
 */
#ifndef BELFRY_NOTIFIERS_NOTIFIER_H
#define BELFRY_NOTIFIERS_NOTIFIER_H

#include "daemon/base/buf.h"
#include "daemon/base/usec.h"
#include "rules/plan.h"

#define NOTIFICATION_TITLE_MAX 200 /* characters */
#define NOTIFICATION_BODY_MAX 1000
#define NOTIFIER_LINE_MAX (16 * 1024)

struct notification {
	uint64_t id; /* counts up from 1 in the daemon */
	char *account, *mailbox; /* owned, as all strings here */
	uint32_t uidvalidity, uid; /* 0: no single message (a summary) */
	enum urgency urgency;
	char *title, *body;
	char *sound, *icon, *message_id; /* "" when none */
	struct strv via; /* notifier names; empty: all */
};

void notification_init(struct notification *n);
void notification_done(struct notification *n);
void notification_copy(struct notification *dst,
    const struct notification *src);

/* Lines of the protocol, both ways; format and parse are inverse. */
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
	struct notification n; /* id, and for notify all fields */
	char *reason, *key, *capabilities; /* owned; NULL when absent */
};
void notifier_line_done(struct notifier_line *line);
void notifier_line_format(struct buf *buf, const struct notifier_line *line);
bool notifier_line_parse(struct span text, struct notifier_line *line_r);

#endif
