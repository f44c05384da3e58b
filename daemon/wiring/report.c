/* What happened: one line in the log, one line of JSON for who watches. */
#include <stdarg.h>

#include "daemon/base/xalloc.h"
#include "daemon/control/json.h"
#include "daemon/loop/log.h"
#include "daemon/mail/code.h"
#include "daemon/wiring/belfry.h"
#include "daemon/wiring/tokens.h"

/* How loud each kind is. */
static const enum log_level mailbox_levels[REPORT_KINDS] = {
    [REPORT_CONNECTED] = LOG_LEVEL_INFO,
    [REPORT_WATCHING] = LOG_LEVEL_INFO,
    [REPORT_FIRST_CONTACT] = LOG_LEVEL_NOTICE,
    [REPORT_JUDGED] = LOG_LEVEL_INFO,
    [REPORT_KNOWN] = LOG_LEVEL_INFO,
    [REPORT_DONE] = LOG_LEVEL_INFO,
    [REPORT_REFUSED] = LOG_LEVEL_WARNING,
    [REPORT_TROUBLE] = LOG_LEVEL_WARNING,
    [REPORT_WARNING] = LOG_LEVEL_WARNING,
    [REPORT_ALERT] = LOG_LEVEL_WARNING,
};

static const enum log_level outbox_levels[OUTBOX_REPORT_KINDS] = {
    [OUTBOX_SENT] = LOG_LEVEL_INFO,
    [OUTBOX_DEFERRED] = LOG_LEVEL_WARNING,
    [OUTBOX_FAILED] = LOG_LEVEL_ERROR,
    [OUTBOX_HELD] = LOG_LEVEL_WARNING,
    [OUTBOX_DROPPED] = LOG_LEVEL_WARNING,
    [OUTBOX_SOUGHT] = LOG_LEVEL_WARNING,
    [OUTBOX_TROUBLE] = LOG_LEVEL_WARNING,
};

static struct json *
begin(const char *event, const char *account)
{
	struct json *line = json_new_object();

	json_set_time(line, "time", loop_now_unix());
	json_set_str(line, "event", event);
	json_set_str(line, "account", account);
	return line;
}

static void
set_wait(struct json *line, usec_t wait)
{
	if (wait != USEC_NEVER)
		json_set_int(line, "retry_in_s", (int64_t)(wait / USEC_SEC));
}

/* ---- what many say at once ---- */

/* The others are of one mailbox, or want a person to see to one account. */
static bool
is_of_server(const struct mailbox_report *report)
{
	switch (report->kind) {
	case REPORT_CONNECTED:
	case REPORT_WATCHING:
	case REPORT_ALERT:
		return true;
	case REPORT_TROUBLE:
		return report->fault != FAULT_AUTH &&
		       report->fault != FAULT_CONFIG;
	default:
		return false;
	}
}

/* False: it is counted. */
static bool
is_named(struct line *line, const struct mailbox_report *report)
{
	const struct config_server *imap = &line->owner->config->imap;
	struct belfry *belfry = line->owner->belfry;
	bool stays = report->kind == REPORT_TROUBLE;
	STR_AUTO server = xasprintf("%s:%u", imap->host, imap->port);
	STR_AUTO name = xasprintf(
	    "%s/%s", line->owner->config->name, mailbox_name(line->mailbox));
	const struct crowd_words words = {
	    .kind = report->kind,
	    .server = server,
	    /* Who logged in says his name. */
	    .text = report->kind == REPORT_CONNECTED ? "" : report->text,
	    .name = name,
	};

	if (stays)
		crowd_leave(&belfry->crowds, &line->crowd);
	if (!is_of_server(report))
		return true;
	bool is_named = crowd_says(
	    &belfry->crowds, stays ? &line->crowd : NULL, &words, loop_now());
	loop_timer_set(belfry->crowds_timer, crowds_deadline(&belfry->crowds));
	return is_named;
}

static void
log_crowd(struct crowd_summary *crowd)
{
	STR_AUTO count = xasprintf(
	    "%u %s", crowd->count, crowd->is_still ? "still" : "more");
	const char *of = crowd->is_still ? "hint" : "of";

	if (crowd->is_still)
		buf_add_str(&crowd->names, "`belfryctl status` names them");
	if (crowd->unnamed > 0)
		buf_addf(&crowd->names, " and %u others", crowd->unnamed);
	log_event(mailbox_levels[crowd->kind],
	    report_kind_name((enum report_kind)crowd->kind), "server",
	    crowd->server, "mailboxes", count, "what", crowd->text, of,
	    buf_str(&crowd->names), NULL);
	crowd_summary_done(crowd);
}

static void
log_crowds(struct belfry *belfry, usec_t now)
{
	struct crowd_summary crowd;

	while (crowds_next(&belfry->crowds, &crowd, now))
		log_crowd(&crowd);
}

static void
on_crowds(void *ctx)
{
	struct belfry *belfry = ctx;

	log_crowds(belfry, loop_now());
	loop_timer_set(belfry->crowds_timer, crowds_deadline(&belfry->crowds));
}

void
report_start(struct belfry *belfry)
{
	crowds_init(&belfry->crowds);
	belfry->crowds_timer = loop_timer_new(belfry->loop, on_crowds, belfry);
}

void
report_free(struct belfry *belfry)
{
	if (belfry->crowds_timer == NULL)
		return;
	loop_timer_free(&belfry->crowds_timer);
	log_crowds(belfry, USEC_NEVER);
	crowds_done(&belfry->crowds);
}

void
report_forget_line(struct line *line)
{
	crowd_leave(&line->owner->belfry->crowds, &line->crowd);
}

static bool
is_locked(const struct mailbox_report *report)
{
	return report->kind == REPORT_TROUBLE && report->fault == FAULT_AUTH &&
	       report->retry_in == USEC_NEVER;
}

/* An outage is told once, and its end by the next login. But a login that was
 * refused once more, in the same words, is not tried any more. */
static enum log_level
level_of(struct line *line, const struct mailbox_report *report)
{
	struct crowds *crowds = &line->owner->belfry->crowds;
	bool is_again = report->is_same && !is_locked(report);
	bool is_told = is_again ? crowd_repeats(crowds, &line->crowd)
				: is_named(line, report);

	if (report->kind == REPORT_WATCHING)
		crowd_leave(crowds, &line->crowd);
	return is_told ? mailbox_levels[report->kind] : LOG_LEVEL_DEBUG;
}

/* ---- one mailbox ---- */

void
report_set_subject(struct json *json, const char *subject)
{
	BUF_AUTO masked = BUF_INIT;

	code_mask(span_from_str(subject), &masked);
	json_set_str(json, "subject", buf_str(&masked));
}

/* For who has only the log; NULL: nobody has to do anything. */
static const char *
cure_of(const struct line *line, const struct mailbox_report *report)
{
	if (!is_locked(report))
		return NULL;
	return tokens_are_lost(line->owner->tokens)
		   ? "sign in: belfryctl login"
		   : "put it right, then: belfryctl reload";
}

void
report_mailbox(struct line *line, const struct mailbox_report *report)
{
	const char *account = line->owner->config->name;
	const char *mailbox = mailbox_name(line->mailbox);
	const char *kind = report_kind_name(report->kind);
	STR_AUTO uid = report->uid != 0 ? xasprintf("%u", report->uid) : NULL;
	BUF_AUTO wait = BUF_INIT;

	if (!report->is_same)
		pulses_report(line->owner, report->kind);
	if (report->retry_in != USEC_NEVER)
		usec_format(&wait, report->retry_in);
	log_event(level_of(line, report), kind, "account", account, "mailbox",
	    mailbox, "uid", uid, "rules", report->rules, "from", report->from,
	    "subject", report->subject, "what", report->text, "retry_in",
	    buf_str(&wait), "hint", cure_of(line, report), NULL);

	control_changed(line->owner->belfry);
	if (!control_is_watched(line->owner->belfry))
		return;
	struct json *json = begin(kind, account);
	json_set_str(json, "mailbox", mailbox);
	if (report->uid != 0)
		json_set_int(json, "uid", report->uid);
	json_set_str(json, "text", report->text);
	if (report->kind == REPORT_JUDGED) {
		json_set_str(json, "from", report->from);
		json_set_str(json, "subject", report->subject);
		json_set_str(json, "rules", report->rules);
	}
	set_wait(json, report->retry_in);
	control_broadcast(line->owner->belfry, json);
}

/* What the log and a notification say of trouble with sending. */
static void
add_trouble_cure(struct buf *cure, const struct running_account *account,
    const struct outbox_event *event)
{
	const char *name = account->config->name;

	if (tokens_are_lost(account->tokens))
		buf_addf(cure, "sign in: belfryctl login %s", name);
	else if (event->fault == FAULT_AUTH && account->sender != NULL &&
		 outbox_wants_secret(sender_outbox(account->sender)))
		queue_add_cure(cure, account->config);
	else if (event->fault == FAULT_CONFIG || event->fault == FAULT_PEER ||
		 (event->fault == FAULT_AUTH &&
		     event->retry_in >= REPORT_LONG_USEC))
		buf_addf(cure, "what to do says: belfryctl doctor %s", name);
}

void
report_add_cure(struct buf *cure, const struct running_account *account,
    const struct outbox_event *event)
{
	long long id = (long long)event->id;

	switch (event->report) {
	case OUTBOX_TROUBLE:
		add_trouble_cure(cure, account, event);
		break;
	case OUTBOX_FAILED:
		buf_addf(cure,
		    "to try it anew: belfryctl queue retry %lld; to give it "
		    "up: belfryctl queue drop %lld",
		    id, id);
		break;
	case OUTBOX_HELD:
		buf_addf(cure,
		    "look whether it arrived; to send it again: belfryctl "
		    "queue release %lld; to give it up: belfryctl queue drop "
		    "%lld",
		    id, id);
		break;
	default:
		break;
	}
}

void
report_outbox(struct running_account *account, const struct outbox_event *event)
{
	STR_AUTO kind =
	    xasprintf("forward-%s", outbox_report_name(event->report));
	BUF_AUTO wait = BUF_INIT;
	BUF_AUTO cure = BUF_INIT;

	if (event->retry_in != USEC_NEVER)
		usec_format(&wait, event->retry_in);
	report_add_cure(&cure, account, event);
	log_event(outbox_levels[event->report], kind, "account",
	    account->config->name, "to", event->target, "what", event->text,
	    "retry_in", buf_str(&wait), "hint", buf_str(&cure), NULL);

	struct json *json = begin(kind, account->config->name);
	json_set_str(json, "to", event->target);
	json_set_str(json, "text", event->text);
	set_wait(json, event->retry_in);
	control_broadcast(account->belfry, json);
}

void
report_note(struct belfry *belfry, bool is_trouble, const char *kind,
    const char *account, const char *format, ...)
{
	BUF_AUTO text = BUF_INIT;
	va_list args;

	va_start(args, format);
	buf_vaddf(&text, format, args);
	va_end(args);
	log_event(is_trouble ? LOG_LEVEL_ERROR : LOG_LEVEL_NOTICE, kind,
	    "account", account, "what", buf_str(&text), NULL);
	struct json *json = begin(kind, account);
	json_set_str(json, "text", buf_str(&text));
	control_broadcast(belfry, json);
}

/* It rings when it begins, and once a day: a full disk may have room now and
 * then. */
static void
ring_journal(struct belfry *belfry, const char *words)
{
	STR_AUTO text = xasprintf(
	    "%s. Until that is mended no mail is moved, forwarded or announced,"
	    " and no command runs; then all goes on by itself",
	    words);

	if (!told_before(&belfry->told, span_from_str(words), loop_now()))
		notify_say(belfry, NULL, URGENCY_CRITICAL,
		    "Belfry cannot write its journal", text);
}

/* At the end of the daemon's life there is nobody to tell. */
void
report_journal(void *ctx, enum journal_health health, const char *words)
{
	struct belfry *belfry = ctx;

	if (belfry->notify == NULL || belfry->leaving)
		return;
	switch (health) {
	case JOURNAL_WELL:
		report_note(belfry, false, "journal", NULL,
		    "it can be written again: all goes on");
		break;
	case JOURNAL_UNEASY:
		report_note(belfry, true, "journal", NULL,
		    "%s; nothing is lost, and it is tried again, but look after"
		    " that disk",
		    words);
		break;
	case JOURNAL_FAILING:
		report_note(belfry, true, "journal", NULL, "%s", words);
		ring_journal(belfry, words);
		break;
	}
	control_changed(belfry);
}
