/*
 * outbox: what became of the item in hand.
 */
#include "daemon/outbox/outbox_private.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- the outcome of an item --------------------------------------- */

void
outbox_commit_outcome(struct outbox *o, usec_t now)
{
	struct store_batch *batch = store_batch_new();

	store_batch_set_queue(batch, o->item.id, o->outcome.state,
	    o->outcome.attempts, o->outcome.next_try_unix, o->outcome.reply,
	    outbox_unix_at(o, now));
	outbox_mark_ahead(o, batch, now);
	outbox_enter(o, STATE_SETTLING, now);
	outbox_add_event(o, OUTBOX_COMMIT)->batch = batch;
}

static void
note_outcome(struct outbox *o, enum queue_state state, unsigned attempts,
    usec_t wait, const char *reply, usec_t now)
{
	BUF_AUTO text = BUF_INIT;

	outbox_format_reply(&o->item, &text, span_from_str(reply));
	o->outcome = (struct outcome){
	    .state = state,
	    .attempts = attempts,
	    .next_try_unix = outbox_unix_after(o, now, wait),
	};
	snprintf(
	    o->outcome.reply, sizeof(o->outcome.reply), "%s", buf_str(&text));
}

void
outbox_settle(struct outbox *o, enum queue_state state, unsigned attempts,
    usec_t wait, const char *reply, usec_t now)
{
	note_outcome(o, state, attempts, wait, reply, now);
	outbox_commit_outcome(o, now);
}

static void
on_accepted(struct outbox *o, const struct smtp_event *event, const char *reply,
    usec_t now)
{
	(void)event;
	backoff_succeeded(&o->backoff);
	o->pauses = 0;
	/* Not when the session is ready: some servers refuse a token as late
	 * as MAIL, and a fresh one each time would be a tight loop. */
	o->token_renewed = false;
	o->was_good = true;
	o->is_forgiven = false;
	o->trouble[0] = '\0';
	bans_note_accepted(&o->bans, o->item.target);
	outbox_report(o, OUTBOX_SENT, reply, FAULT_NONE, USEC_NEVER);
	note_outcome(o, QUEUE_SENT, o->item.attempts + 1, 0, reply, now);
	if (!outbox_trail(o, now))
		outbox_commit_outcome(o, now);
}

/* What this refusal says of those to come. */
static void
note_ban(struct outbox *o, const struct smtp_event *event)
{
	if (o->item.is_target_refused && !event->is_about_sender)
		bans_note_refused(&o->bans, o->item.target);
	if (event->is_about_sender && strcmp(o->item.mode, "redirect") == 0)
		o->bans.no_redirect = true;
}

void
outbox_refuse_untried(struct outbox *o, const char *reason, usec_t now)
{
	struct outbox_event *event =
	    outbox_report(o, OUTBOX_FAILED, reason, FAULT_NONE, USEC_NEVER);

	if (event != NULL)
		event->is_known = true;
	outbox_settle(o, QUEUE_FAILED, o->item.attempts, 0, reason, now);
}

void
outbox_refuse(struct outbox *o, const struct smtp_event *event,
    const char *reply, usec_t now)
{
	note_ban(o, event);
	outbox_report(o, OUTBOX_FAILED, reply, FAULT_NONE, USEC_NEVER);
	outbox_settle(o, QUEUE_FAILED, o->item.attempts + 1, 0, reply, now);
}

static void
on_deferred(struct outbox *o, const struct smtp_event *event, const char *reply,
    usec_t now)
{
	unsigned attempts = o->item.attempts + 1;
	usec_t wait = retry_wait(&o->random, attempts, event->slow);

	if (retry_is_over(
		attempts, o->item.queued_unix, outbox_unix_at(o, now))) {
		outbox_refuse(o, event, reply, now);
		return;
	}
	outbox_report(o, OUTBOX_DEFERRED, reply, FAULT_NONE, wait);
	outbox_settle(o, QUEUE_WAITING, attempts, wait, reply, now);
}

/* The account's trouble, not the item's: it keeps its tries. */
static void
on_credentials(struct outbox *o, const struct smtp_event *event,
    const char *reply, usec_t now)
{
	outbox_drop_session(o);
	outbox_note_refusal(o, event);
	outbox_note_trouble(
	    o, FAULT_AUTH, reply, outbox_wait_for(o, FAULT_AUTH));
	outbox_settle(o, QUEUE_WAITING, o->item.attempts, 0, reply, now);
}

static void
on_paused(struct outbox *o, const struct smtp_event *event, const char *reply,
    usec_t now)
{
	(void)event;
	outbox_drop_session(o);
	outbox_note_trouble(
	    o, FAULT_LIMIT, reply, retry_pause(&o->random, ++o->pauses));
	outbox_settle(o, QUEUE_WAITING, o->item.attempts, 0, reply, now);
}

static void
resend(struct outbox *o, const char *reply, usec_t now)
{
	unsigned attempts = o->item.attempts + 1;
	usec_t wait = retry_wait(&o->random, attempts, false);

	outbox_report(o, OUTBOX_DEFERRED, reply, FAULT_NONE, wait);
	outbox_settle(o, QUEUE_WAITING, attempts, wait, reply, now);
}

static void
hold(struct outbox *o, const char *reply, usec_t now)
{
	outbox_report(o, OUTBOX_HELD, reply, FAULT_NONE, USEC_NEVER);
	outbox_settle(o, QUEUE_HELD, o->item.attempts + 1, 0, reply, now);
}

static void
drop(struct outbox *o, const char *reply, usec_t now)
{
	outbox_report(o, OUTBOX_DROPPED, reply, FAULT_NONE, USEC_NEVER);
	outbox_settle(o, QUEUE_DROPPED, o->item.attempts + 1, 0, reply, now);
}

void
outbox_give_up_claimed(struct outbox *o, usec_t now)
{
	static const char words[] = "another machine sent it";

	outbox_report(o, OUTBOX_DROPPED, words, FAULT_NONE, USEC_NEVER);
	outbox_settle(o, QUEUE_DROPPED, o->item.attempts, 0, words, now);
}

void
outbox_hold_unsure(struct outbox *o, usec_t now)
{
	static const char words[] =
	    "outcome unknown: another machine may have sent it";

	if (strcmp(o->item.unknown, "drop") == 0)
		drop(o, words, now);
	else
		hold(o, words, now);
}

static const struct {
	const char *word;
	void (*act)(struct outbox *o, const char *reply, usec_t now);
} unknown_rows[] = {
    {"resend", resend},
    {"hold", hold},
    {"drop", drop},
};

void
outbox_settle_unknown(struct outbox *o, const char *reply, usec_t now)
{
	void (*act)(struct outbox *, const char *, usec_t) = resend;
	char text[REPLY_MAX];

	o->item.unknown_count++;
	snprintf(text, sizeof(text), "outcome unknown: %.500s", reply);
	for (size_t i = 0; i < COUNT(unknown_rows); i++)
		if (strcmp(o->item.unknown, unknown_rows[i].word) == 0)
			act = unknown_rows[i].act;
	if (act == resend && o->item.unknown_count > RETRY_UNKNOWN_MAX)
		act = hold;
	act(o, text, now);
}

static void
on_unknown(struct outbox *o, const struct smtp_event *event, const char *reply,
    usec_t now)
{
	(void)event;
	if (o->config->files_sent)
		outbox_seek_begin(o, reply, now);
	else
		outbox_settle_unknown(o, reply, now);
}

void
outbox_conclude(struct outbox *o, enum smtp_class class,
    const struct smtp_event *event, const char *reply, usec_t now)
{
	static void (*const acts[])(struct outbox * o,
	    const struct smtp_event *event, const char *reply, usec_t now) = {
	    [SMTP_ACCEPTED] = on_accepted,
	    [SMTP_DEFERRED] = on_deferred,
	    [SMTP_REFUSED] = outbox_refuse,
	    [SMTP_CREDENTIALS] = on_credentials,
	    [SMTP_PAUSED] = on_paused,
	    [SMTP_UNKNOWN] = on_unknown,
	};
	_Static_assert(COUNT(acts) == SMTP_CLASSES, "one act each");

	acts[class](o, event, reply, now);
}
