/*
 * wiring: a line in the log for each notification.
 */
#include "daemon/loop/log.h"
#include "daemon/wiring/notify.h"

void
journal_show(struct notifier *notifier, const struct notifier_line *line)
{
	log_event(LOG_LEVEL_NOTICE, "notification", "account", line->n.account,
	    "mailbox", line->n.mailbox, "title", line->n.title, "body",
	    line->n.body, NULL);
	notifier_answer(notifier, line->n.id, NOTIFIER_SHOWN, NULL);
}
