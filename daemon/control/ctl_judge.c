#include "daemon/control/ctl_judge.h"

#include <time.h>

#include "daemon/mail/body.h"
#include "daemon/mail/date.h"

/* A clock that is so much ahead is believed; more is a false date. */
#define AHEAD_SECONDS 86400

bool
ctl_judge_needs_whole(const struct ctl_judge *judge)
{
	struct rules_needs needs;

	rules_get_needs(judge->rules, NULL, &needs);
	return needs.structure || needs.body;
}

bool
ctl_judge_needs_received(const struct ctl_judge *judge)
{
	struct rules_needs needs;

	rules_get_needs(judge->rules, NULL, &needs);
	return needs.received;
}

/* ---- facts ---- */

/*
 * The server that took the message in wrote the first Received field, and its
 * date is what IMAP calls INTERNALDATE; a file's own time is lost when it is
 * copied.
 *
 *   received = *tokens ";" date-time        ; RFC 5321 section 4.4
 */
static int64_t
find_received(const struct ctl_judge *judge, const struct ctl_message *from,
    const struct message *message)
{
	struct span received, token = SPAN_EMPTY;
	int64_t when;

	if (judge->skips_received)
		return judge->now_unix;
	received = message_raw(message, "Received", 0);
	while (span_split(&received, ';', &token))
		;
	if (token.len > 0 && date_parse(span_trim(token), &when) &&
	    when <= judge->now_unix + AHEAD_SECONDS)
		return when;
	return from->received_unix != 0 ? from->received_unix : judge->now_unix;
}

/* What mail programs write into an mbox: "Status: RO", "X-Status: AF". */
static void
add_status(struct strv *flags, const struct message *message)
{
	static const struct {
		const char *field;
		char letter;
		const char *flag;
	} letters[] = {
	    {"Status", 'R', "\\Seen"},
	    {"X-Status", 'A', "\\Answered"},
	    {"X-Status", 'F', "\\Flagged"},
	    {"X-Status", 'T', "\\Draft"},
	    {"X-Status", 'D', "\\Deleted"},
	};

	for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++)
		if (span_find(message_raw(message, letters[i].field, 0),
			letters[i].letter) != SIZE_MAX)
			strv_add(flags, letters[i].flag);
}

static const struct strv *
find_flags(const struct ctl_judge *judge, struct ctl_judgement *j)
{
	if (judge->flags != NULL)
		return judge->flags;
	if (!j->from->is_mbox)
		return j->from->flags;
	add_status(&j->flags, j->message);
	return &j->flags;
}

static const char *
find_mailbox(const struct ctl_judge *judge, const struct ctl_message *from)
{
	if (judge->mailbox != NULL)
		return judge->mailbox;
	return from->mailbox != NULL ? from->mailbox : "INBOX";
}

static int
utc_offset_at(int64_t unix_time)
{
	time_t when = (time_t)unix_time;
	struct tm tm;

	return localtime_r(&when, &tm) != NULL ? (int)tm.tm_gmtoff : 0;
}

static void
fill_facts(const struct ctl_judge *judge, struct ctl_judgement *j)
{
	const struct config_account *account = judge->account;

	j->facts = (struct facts){
	    .message = j->message,
	    .account = account->name,
	    .mailbox = find_mailbox(judge, j->from),
	    .flags = find_flags(judge, j),
	    .size = j->from->size,
	    .received_unix = find_received(judge, j->from, j->message),
	    .now_unix = judge->now_unix,
	    .utc_offset = judge->utc_offset,
	    .utc_offset_at = utc_offset_at,
	    .identities = &account->identity,
	    .authserv = &account->authserv,
	    .watch = &account->watch,
	    .is_new_sender = judge->is_new_sender,
	    .default_notification = account->notify == CONFIG_NOTIFY_YES,
	    .escalate = &account->escalate,
	};
}

/* ---- more than the header ---- */

static void
read_parts(struct ctl_judgement *j)
{
	structure_parse(&j->structure, ctl_message_whole(j->from));
	j->facts.structure = &j->structure;
}

static void
read_body(struct ctl_judgement *j)
{
	struct span whole = ctl_message_whole(j->from);
	const struct part *part = structure_find_text(&j->structure);

	if (part != NULL) {
		struct span raw = body_find_part(whole, part->section);
		body_add_text(&j->body, span_slice(raw, 0, BODY_RAW_MAX), part);
	}
	j->facts.body = span_from(buf_str(&j->body), j->body.len);
}

/* False: there is nothing more to have. */
static bool
read_wanted(struct ctl_judgement *j, unsigned wants)
{
	if (wants != 0 && j->facts.structure == NULL)
		read_parts(j);
	else if ((wants & PLAN_WANTS_BODY) == 0 || j->facts.body.data != NULL)
		return false;
	if ((wants & PLAN_WANTS_BODY) != 0 && j->facts.body.data == NULL)
		read_body(j);
	return true;
}

/* ---- judging ---- */

static void
judge_once(const struct ctl_judge *judge, struct ctl_judgement *j,
    enum trace_outcome *outcomes)
{
	if (outcomes != NULL)
		rules_judge_outcomes(
		    judge->rules, &j->facts, &j->plan, outcomes);
	else
		rules_explain(judge->rules, &j->facts, &j->plan, &j->trace);
}

bool
ctl_judge_message(const struct ctl_judge *judge, const struct ctl_message *from,
    enum trace_outcome *outcomes, struct ctl_judgement *judgement_r,
    struct error *error_r)
{
	struct ctl_judgement *j = judgement_r;
	struct message *message = message_new(from->head);

	if (message_field_count(message) == 0) {
		message_free(&message);
		return error_set(
		    error_r, FAULT_LOCAL, "no message: it has no header");
	}
	*j = (struct ctl_judgement){.from = from, .message = message};
	structure_init(&j->structure);
	fill_facts(judge, j);
	judge_once(judge, j, outcomes);
	while (j->plan.wants != 0 && read_wanted(j, j->plan.wants)) {
		trace_done(&j->trace);
		plan_done(&j->plan);
		judge_once(judge, j, outcomes);
	}
	return true;
}

void
ctl_judgement_done(struct ctl_judgement *judgement)
{
	trace_done(&judgement->trace);
	plan_done(&judgement->plan);
	buf_done(&judgement->body);
	structure_done(&judgement->structure);
	strv_done(&judgement->flags);
	message_free(&judgement->message);
}
