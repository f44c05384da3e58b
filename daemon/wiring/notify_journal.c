/*
 * wiring: an entry in systemd's journal for each notification; without it in
 * the syslog; without that in the log.
 */
#include "daemon/loop/journald.h"
#include "daemon/loop/log.h"
#include "daemon/wiring/notify.h"

/* What `journalctl MESSAGE_ID=...` finds. */
#define ENTRY_ID "c1f0a9f6d7a34d0ab3d6ce2b0b9a7e55"
/* LOG_USER * 8, of syslog(3). */
#define FACILITY_USER 8

static const struct {
	int number;
	const char *text;
} priorities[] = {
    [URGENCY_LOW] = {6, "6"},
    [URGENCY_NORMAL] = {5, "5"},
    [URGENCY_CRITICAL] = {2, "2"},
};

static bool
to_journal(const struct notification *n, const char *message)
{
	STR_AUTO uid = n->uid != 0 ? xasprintf("%u", n->uid) : NULL;
	const struct journald_field fields[] = {
	    {"MESSAGE", message},
	    {"PRIORITY", priorities[n->urgency].text},
	    {"SYSLOG_IDENTIFIER", "belfry"},
	    {"MESSAGE_ID", ENTRY_ID},
	    {"BELFRY_ACCOUNT", n->account},
	    {"BELFRY_MAILBOX", n->mailbox},
	    {"BELFRY_UID", uid},
	    {"BELFRY_URGENCY", urgency_name(n->urgency)},
	    {"BELFRY_TITLE", n->title},
	    {"BELFRY_TEXT", n->body},
	    {"BELFRY_MESSAGE_ID", n->message_id},
	};

	return journald_send(
	    NULL, fields, sizeof(fields) / sizeof(fields[0]), NULL);
}

void
journal_show(struct notifier *notifier, const struct notifier_line *line)
{
	const struct notification *n = &line->n;
	STR_AUTO message = xasprintf(
	    "%s%s%s", n->title, *n->body != '\0' ? ": " : "", n->body);

	if (!to_journal(n, message) &&
	    !syslog_send(NULL, FACILITY_USER + priorities[n->urgency].number,
		message, NULL))
		log_event(LOG_LEVEL_NOTICE, "notification", "account",
		    n->account, "mailbox", n->mailbox, "title", n->title,
		    "body", n->body, NULL);
	notifier_answer(notifier, n->id, NOTIFIER_SHOWN, NULL);
}
