#include "daemon/outbox/outbox.h"

#include <assert.h>
#include <stdio.h>

#include "daemon/base/xalloc.h"
#include "daemon/mail/forward.h"
#include "daemon/wire/backoff.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define REPLY_MAX 600 /* code, text of an event, and the mark */

enum state {
	STATE_STOPPED,
	STATE_IDLE,	  /* nothing is due */
	STATE_BACKOFF,	  /* the account is in trouble */
	STATE_LOADING,	  /* is anything due? */
	STATE_CONNECTING, /* until outbox_connected */
	STATE_LOGIN,	  /* until the session is ready */
	STATE_FETCHING,	  /* the session is ready: for which item? */
	STATE_SENDING,	  /* the session has the message */
	STATE_JOURNAL,	  /* "the dot may be said" is being written */
	STATE_DOT,	  /* the dot was said */
	STATE_SETTLING,	  /* the outcome is being written */
	STATE_CLOSING,	  /* QUIT was said */
	STATE_COUNT
};

/* The item in hand, without its bytes. */
struct item {
	int64_t id; /* 0: none */
	char *key, *target, *mode, *unknown, *message_id;
	int64_t queued_unix;
	unsigned attempts;
	unsigned unknown_count;
};

/* What is to be written about it. */
struct outcome {
	enum queue_state state;
	unsigned attempts;
	int64_t next_try_unix;
	char reply[REPLY_MAX];
};

struct outbox {
	const struct outbox_config *config;
	struct random random;
	struct backoff backoff;

	enum state state;
	usec_t deadline;
	bool stopping;
	bool kicked; /* something was queued while it was busy */

	int64_t clock_unix;
	usec_t clock_at;

	struct smtp_session *session; /* NULL: not connected */
	struct error
	    transport;	    /* its own words, for the failure that follows */
	bool token_renewed; /* the second login with a fresh token */
	unsigned pauses;    /* quotas in a row */
	usec_t wait;	    /* before the next round; 0: none */
	char trouble[ERROR_TEXT_SIZE];
	enum fault trouble_fault;
	usec_t next_hint; /* the next one counts from then on */

	struct item item;
	struct outcome outcome;
	bool is_lost; /* the session died while the journal was written */
	struct smtp_event lost;

	struct outbox_event *events; /* owned, a queue */
	size_t event_first, event_count, event_cap;
};

struct state_row {
	const char *name;
	void (*late)(struct outbox *o, usec_t now);
	usec_t limit;
};

static const struct state_row state_rows[];
static void next_round(struct outbox *o, usec_t now);

/* ---- events ------------------------------------------------------- */

static struct outbox_event *
add_event(struct outbox *o, enum outbox_event_kind kind)
{
	struct outbox_event *event;

	if (o->event_first > 0 && o->event_first == o->event_count)
		o->event_first = o->event_count = 0;
	if (o->event_count == o->event_cap) {
		o->event_cap = o->event_cap > 0 ? 2 * o->event_cap : 8;
		o->events =
		    xreallocarray(o->events, o->event_cap, sizeof(*o->events));
	}
	event = &o->events[o->event_count++];
	*event = (struct outbox_event){.kind = kind, .retry_in = USEC_NEVER};
	return event;
}

bool
outbox_next_event(struct outbox *o, struct outbox_event *event_r)
{
	if (o->event_first == o->event_count)
		return false;
	*event_r = o->events[o->event_first++];
	return true;
}

void
outbox_event_done(struct outbox_event *event)
{
	store_batch_free(&event->batch);
	free(event->target);
	free(event->text);
	*event = (struct outbox_event){.kind = event->kind};
}

const char *
outbox_report_name(enum outbox_report_kind kind)
{
	static const char *const names[] = {
	    [OUTBOX_SENT] = "sent",
	    [OUTBOX_DEFERRED] = "deferred",
	    [OUTBOX_FAILED] = "failed",
	    [OUTBOX_HELD] = "held",
	    [OUTBOX_DROPPED] = "dropped",
	    [OUTBOX_TROUBLE] = "trouble",
	};
	_Static_assert(COUNT(names) == OUTBOX_REPORT_KINDS, "one name each");

	return names[kind];
}

static void
report(struct outbox *o, enum outbox_report_kind kind, const char *text,
    enum fault fault, usec_t retry_in)
{
	struct outbox_event *event;
	bool of_item = kind != OUTBOX_TROUBLE;

	if (o->event_count - o->event_first >= OUTBOX_EVENTS_MAX)
		return;
	event = add_event(o, OUTBOX_REPORT);
	event->report = kind;
	event->id = of_item ? o->item.id : 0;
	event->target = xstrdup(of_item ? o->item.target : "");
	event->text = xstrdup(text);
	event->fault = fault;
	event->retry_in = retry_in;
}

/* ---- the one door to each state, and what it needs ---------------- */

/* The only function that assigns the state. */
static void
enter(struct outbox *o, enum state next, usec_t now)
{
	o->state = next;
	o->deadline = usec_add(now, state_rows[next].limit);
}

static void
rest_until(struct outbox *o, enum state next, usec_t deadline, usec_t now)
{
	enter(o, next, now);
	o->deadline = deadline;
}

static void
load(struct outbox *o, enum state next, usec_t now)
{
	o->kicked = false;
	enter(o, next, now);
	add_event(o, OUTBOX_LOAD);
}

static void
drop_item(struct outbox *o)
{
	free(o->item.key);
	free(o->item.target);
	free(o->item.mode);
	free(o->item.unknown);
	free(o->item.message_id);
	o->item = (struct item){0};
}

static void
take_item(struct outbox *o, const struct store_queue_item *item)
{
	drop_item(o);
	o->item = (struct item){
	    .id = item->id,
	    .key = xstrdup(item->key),
	    .target = xstrdup(item->target),
	    .mode = xstrdup(item->mode),
	    .unknown = xstrdup(item->unknown),
	    .message_id = xstrdup(item->message_id),
	    .queued_unix = item->queued_unix,
	    .attempts = item->attempts,
	    .unknown_count = retry_unknown_count(span_from_str(item->reply)),
	};
}

static void
drop_session(struct outbox *o)
{
	if (o->session == NULL)
		return;
	smtp_session_free(&o->session);
	add_event(o, OUTBOX_DISCONNECT);
}

static int64_t
unix_at(const struct outbox *o, usec_t when)
{
	return o->clock_unix +
	       (int64_t)(usec_since(o->clock_at, when) / USEC_SEC);
}

/* Rounded up: a wait is never cut short. */
static int64_t
unix_after(const struct outbox *o, usec_t now, usec_t wait)
{
	return unix_at(o, now) + (int64_t)((wait + USEC_SEC - 1) / USEC_SEC);
}

/* ---- trouble of the account --------------------------------------- */

/* A fresh token is worth one more try; everything else waits by cause. */
static usec_t
wait_for(struct outbox *o, enum fault fault)
{
	if (fault == FAULT_AUTH && o->config->smtp.auth == SMTP_AUTH_OAUTH2 &&
	    !o->token_renewed) {
		o->token_renewed = true;
		return backoff_failed(&o->backoff, BACKOFF_NETWORK);
	}
	return backoff_failed(&o->backoff, backoff_cause_of(fault));
}

static void
note_trouble(struct outbox *o, enum fault fault, const char *text, usec_t wait)
{
	snprintf(o->trouble, sizeof(o->trouble), "%s", text);
	o->trouble_fault = fault;
	if (wait > o->wait)
		o->wait = wait;
	report(o, OUTBOX_TROUBLE, text, fault, o->wait);
}

/* No item is to blame. */
static void
fail_round(struct outbox *o, const struct error *error, usec_t now)
{
	drop_session(o);
	drop_item(o);
	note_trouble(o, error->fault, error->text, wait_for(o, error->fault));
	next_round(o, now);
}

/* ---- the outcome of an item --------------------------------------- */

static void
commit_outcome(struct outbox *o, usec_t now)
{
	struct store_batch *batch = store_batch_new();

	store_batch_set_queue(batch, o->item.id, o->outcome.state,
	    o->outcome.attempts, o->outcome.next_try_unix, o->outcome.reply,
	    unix_at(o, now));
	enter(o, STATE_SETTLING, now);
	add_event(o, OUTBOX_COMMIT)->batch = batch;
}

static void
settle(struct outbox *o, enum queue_state state, unsigned attempts, usec_t wait,
    const char *reply, usec_t now)
{
	BUF_AUTO text = BUF_INIT;

	retry_format_reply(&text, o->item.unknown_count, span_from_str(reply));
	o->outcome = (struct outcome){
	    .state = state,
	    .attempts = attempts,
	    .next_try_unix = unix_after(o, now, wait),
	};
	snprintf(
	    o->outcome.reply, sizeof(o->outcome.reply), "%s", buf_str(&text));
	commit_outcome(o, now);
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
	o->trouble[0] = '\0';
	report(o, OUTBOX_SENT, reply, FAULT_NONE, USEC_NEVER);
	settle(o, QUEUE_SENT, o->item.attempts + 1, 0, reply, now);
}

static void
on_refused(struct outbox *o, const struct smtp_event *event, const char *reply,
    usec_t now)
{
	(void)event;
	report(o, OUTBOX_FAILED, reply, FAULT_NONE, USEC_NEVER);
	settle(o, QUEUE_FAILED, o->item.attempts + 1, 0, reply, now);
}

static void
on_deferred(struct outbox *o, const struct smtp_event *event, const char *reply,
    usec_t now)
{
	unsigned attempts = o->item.attempts + 1;
	usec_t wait = retry_wait(&o->random, attempts, event->slow);

	if (retry_is_over(attempts, o->item.queued_unix, unix_at(o, now))) {
		on_refused(o, event, reply, now);
		return;
	}
	report(o, OUTBOX_DEFERRED, reply, FAULT_NONE, wait);
	settle(o, QUEUE_WAITING, attempts, wait, reply, now);
}

/* The account's trouble, not the item's: it keeps its tries. */
static void
on_credentials(struct outbox *o, const struct smtp_event *event,
    const char *reply, usec_t now)
{
	(void)event;
	drop_session(o);
	note_trouble(o, FAULT_AUTH, reply, wait_for(o, FAULT_AUTH));
	settle(o, QUEUE_WAITING, o->item.attempts, 0, reply, now);
}

static void
on_paused(struct outbox *o, const struct smtp_event *event, const char *reply,
    usec_t now)
{
	(void)event;
	drop_session(o);
	note_trouble(
	    o, FAULT_LIMIT, reply, retry_pause(&o->random, ++o->pauses));
	settle(o, QUEUE_WAITING, o->item.attempts, 0, reply, now);
}

static void
resend(struct outbox *o, const char *reply, usec_t now)
{
	unsigned attempts = o->item.attempts + 1;
	usec_t wait = retry_wait(&o->random, attempts, false);

	report(o, OUTBOX_DEFERRED, reply, FAULT_NONE, wait);
	settle(o, QUEUE_WAITING, attempts, wait, reply, now);
}

static void
hold(struct outbox *o, const char *reply, usec_t now)
{
	report(o, OUTBOX_HELD, reply, FAULT_NONE, USEC_NEVER);
	settle(o, QUEUE_HELD, o->item.attempts + 1, 0, reply, now);
}

static void
drop(struct outbox *o, const char *reply, usec_t now)
{
	report(o, OUTBOX_DROPPED, reply, FAULT_NONE, USEC_NEVER);
	settle(o, QUEUE_DROPPED, o->item.attempts + 1, 0, reply, now);
}

static const struct {
	const char *word;
	void (*act)(struct outbox *o, const char *reply, usec_t now);
} unknown_rows[] = {
    {"resend", resend},
    {"hold", hold},
    {"drop", drop},
};

static void
on_unknown(struct outbox *o, const struct smtp_event *event, const char *reply,
    usec_t now)
{
	void (*act)(struct outbox *, const char *, usec_t) = resend;
	char text[REPLY_MAX];

	(void)event;
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
conclude(struct outbox *o, enum smtp_class class,
    const struct smtp_event *event, const char *reply, usec_t now)
{
	static void (*const acts[])(struct outbox * o,
	    const struct smtp_event *event, const char *reply, usec_t now) = {
	    [SMTP_ACCEPTED] = on_accepted,
	    [SMTP_DEFERRED] = on_deferred,
	    [SMTP_REFUSED] = on_refused,
	    [SMTP_CREDENTIALS] = on_credentials,
	    [SMTP_PAUSED] = on_paused,
	    [SMTP_UNKNOWN] = on_unknown,
	};
	_Static_assert(COUNT(acts) == SMTP_CLASSES, "one act each");

	acts[class](o, event, reply, now);
}

/* ---- rounds ------------------------------------------------------- */

static void
close_politely(struct outbox *o, usec_t now)
{
	enter(o, STATE_CLOSING, now);
	smtp_session_quit(o->session, now);
}

/* Nothing is in hand: what now? */
static void
next_round(struct outbox *o, usec_t now)
{
	usec_t wait = o->wait;

	drop_item(o);
	o->wait = 0;
	if (o->session != NULL && (o->stopping || wait > 0)) {
		o->wait = wait;
		close_politely(o, now);
	} else if (o->stopping) {
		enter(o, STATE_STOPPED, now);
	} else if (wait > 0) {
		rest_until(o, STATE_BACKOFF, usec_add(now, wait), now);
	} else if (o->session != NULL) {
		load(o, STATE_FETCHING, now);
	} else {
		load(o, STATE_LOADING, now);
	}
}

/* How long until the item may be tried; 0: now. */
static usec_t
due_in(const struct outbox *o, const struct store_queue_item *item, usec_t now)
{
	int64_t seconds = item->next_try_unix - unix_at(o, now);

	if (seconds <= 0)
		return 0;
	/* Longer than any wait: the clock was set back since. */
	if (seconds > (int64_t)(RETRY_WAIT_MAX_USEC / USEC_SEC))
		return 0;
	return (usec_t)seconds * USEC_SEC;
}

/* Left by a crash, between the journal and the outcome. */
static void
recover(struct outbox *o, const struct store_queue_item *item, usec_t now)
{
	static const struct smtp_event none = {.kind = SMTP_EVENT_FAILED};

	take_item(o, item);
	on_unknown(o, &none, "interrupted while it was sent", now);
}

static void
look_at(struct outbox *o, const struct store_queue_item *item, usec_t now)
{
	usec_t wait;

	if (item == NULL) {
		rest_until(o, STATE_IDLE, USEC_NEVER, now);
		return;
	}
	wait = due_in(o, item, now);
	if (wait > 0) {
		rest_until(o, STATE_IDLE, usec_add(now, wait), now);
		return;
	}
	enter(o, STATE_CONNECTING, now);
	add_event(o, OUTBOX_CONNECT);
}

/* A redirected message keeps its header as it is. */
static bool
needs_utf8_header(const struct store_queue_item *item, struct span text)
{
	return strcmp(item->mode, "redirect") == 0 &&
	       forward_has_8bit_header(text);
}

static bool
compose(const struct outbox *o, const struct store_queue_item *item,
    struct buf *out, struct error *error_r)
{
	const struct forward_request request = {
	    .from = o->config->from,
	    .to = item->target,
	    .message_id = item->message_id,
	    .date_unix = item->queued_unix,
	    .account = o->config->from,
	    .hop = 1,
	    .key = item->key,
	};

	if (strcmp(item->mode, "redirect") == 0)
		return forward_compose_redirect(
		    &request, item->original, out, error_r);
	if (strcmp(item->mode, "inline") == 0)
		return forward_compose_inline(
		    &request, item->original, out, error_r);
	return forward_compose_attach(&request, item->original,
	    smtp_session_has_8bitmime(o->session), out, error_r);
}

static void
send_item(struct outbox *o, const struct store_queue_item *item, usec_t now)
{
	static const struct smtp_event none = {.kind = SMTP_EVENT_RESULT};
	BUF_AUTO text = BUF_INIT;
	STRV_AUTO to = STRV_INIT;
	struct smtp_message message;
	struct error error = ERROR_INIT;

	take_item(o, item);
	strv_add(&to, item->target);
	if (!compose(o, item, &text, &error)) {
		on_refused(o, &none, error.text, now);
		return;
	}
	message = (struct smtp_message){.from = o->config->from,
	    .recipients = &to,
	    .bytes = buf_span(&text),
	    .utf8_header = needs_utf8_header(item, buf_span(&text))};
	enter(o, STATE_SENDING, now);
	if (smtp_session_send(o->session, &message, now, &error))
		return;
	if (error.fault == FAULT_RETRY)
		fail_round(o, &error, now);
	else
		on_refused(o, &none, error.text, now);
}

static void
fetch(struct outbox *o, const struct store_queue_item *item, usec_t now)
{
	if (item == NULL || due_in(o, item, now) > 0)
		close_politely(o, now);
	else
		send_item(o, item, now);
}

/* ---- what the session says ---------------------------------------- */

static void
on_session_starttls(
    struct outbox *o, const struct smtp_event *event, usec_t now)
{
	(void)event;
	(void)now;
	add_event(o, OUTBOX_STARTTLS);
}

static void
on_session_secret(struct outbox *o, const struct smtp_event *event, usec_t now)
{
	(void)event;
	(void)now;
	add_event(o, OUTBOX_SECRET);
}

static void
on_session_ready(struct outbox *o, const struct smtp_event *event, usec_t now)
{
	(void)event;
	next_round(o, now);
}

static void
on_session_recipient(
    struct outbox *o, const struct smtp_event *event, usec_t now)
{
	/* There is one: the result will say the same. */
	(void)o;
	(void)event;
	(void)now;
}

static void
on_session_commit(struct outbox *o, const struct smtp_event *event, usec_t now)
{
	struct store_batch *batch = store_batch_new();
	BUF_AUTO reply = BUF_INIT;

	(void)event;
	retry_format_reply(&reply, o->item.unknown_count, SPAN("being sent"));
	store_batch_set_queue(batch, o->item.id, QUEUE_SENDING,
	    o->item.attempts, unix_at(o, now), buf_str(&reply),
	    unix_at(o, now));
	o->is_lost = false;
	enter(o, STATE_JOURNAL, now);
	add_event(o, OUTBOX_COMMIT)->batch = batch;
}

static void
on_session_result(struct outbox *o, const struct smtp_event *event, usec_t now)
{
	char reply[REPLY_MAX];

	snprintf(reply, sizeof(reply), "%u %s", event->code, event->text);
	conclude(o, event->class, event, reply, now);
}

static void
on_session_closed(struct outbox *o, const struct smtp_event *event, usec_t now)
{
	usec_t wait = o->wait;

	(void)event;
	drop_session(o);
	if (o->state != STATE_CLOSING)
		return;
	/* Nothing was due a moment ago: when is it? */
	o->wait = wait;
	next_round(o, now);
}

/* The link broke with the message in hand. */
static void
lose_item(struct outbox *o, const struct smtp_event *event, usec_t now)
{
	note_trouble(o, event->error.fault, event->error.text,
	    wait_for(o, event->error.fault));
	conclude(o, event->class, event, event->error.text, now);
}

static void
on_session_failed(struct outbox *o, const struct smtp_event *event, usec_t now)
{
	struct smtp_event failed = *event;

	/* The transport knows better what happened to it. */
	if (o->transport.fault != FAULT_NONE)
		failed.error = o->transport;
	o->transport.fault = FAULT_NONE;
	drop_session(o);
	switch (o->state) {
	case STATE_SENDING:
	case STATE_DOT:
		lose_item(o, &failed, now);
		break;
	case STATE_JOURNAL: /* what is in the store must be known first */
		o->is_lost = true;
		o->lost = failed;
		break;
	case STATE_SETTLING:
		note_trouble(o, failed.error.fault, failed.error.text,
		    wait_for(o, failed.error.fault));
		break;
	default:
		fail_round(o, &failed.error, now);
		break;
	}
}

/* Every call that may have moved the session ends here. */
static void
pump(struct outbox *o, usec_t now)
{
	static void (*const acts[])(
	    struct outbox * o, const struct smtp_event *event, usec_t now) = {
	    [SMTP_EVENT_STARTTLS] = on_session_starttls,
	    [SMTP_EVENT_SECRET] = on_session_secret,
	    [SMTP_EVENT_READY] = on_session_ready,
	    [SMTP_EVENT_RECIPIENT] = on_session_recipient,
	    [SMTP_EVENT_COMMIT] = on_session_commit,
	    [SMTP_EVENT_RESULT] = on_session_result,
	    [SMTP_EVENT_CLOSED] = on_session_closed,
	    [SMTP_EVENT_FAILED] = on_session_failed,
	};
	struct smtp_event event;

	while (
	    o->session != NULL && smtp_session_next_event(o->session, &event))
		acts[event.kind](o, &event, now);
}

/* ---- time --------------------------------------------------------- */

static void
never_late(struct outbox *o, usec_t now)
{
	(void)o;
	(void)now;
}

static void
late_rest(struct outbox *o, usec_t now)
{
	load(o, STATE_LOADING, now);
}

static void
late_connect(struct outbox *o, usec_t now)
{
	struct error error = ERROR_INIT;

	error_set(&error, FAULT_RETRY, "connecting takes too long");
	add_event(o, OUTBOX_DISCONNECT);
	fail_round(o, &error, now);
}

static void
late_settle(struct outbox *o, usec_t now)
{
	commit_outcome(o, now);
}

/* clang-format off */
static const struct state_row state_rows[] = {
	[STATE_STOPPED]    = {"stopped", never_late, USEC_NEVER},
	[STATE_IDLE]       = {"idle", late_rest, USEC_NEVER},
	[STATE_BACKOFF]    = {"backoff", late_rest, USEC_NEVER},
	[STATE_LOADING]    = {"loading", never_late, USEC_NEVER},
	[STATE_CONNECTING] = {"connecting", late_connect, OUTBOX_CONNECT_USEC},
	/* In these the session has the deadline. */
	[STATE_LOGIN]      = {"login", never_late, USEC_NEVER},
	[STATE_FETCHING]   = {"fetching", never_late, USEC_NEVER},
	[STATE_SENDING]    = {"sending", never_late, USEC_NEVER},
	[STATE_JOURNAL]    = {"journal", never_late, USEC_NEVER},
	[STATE_DOT]        = {"dot", never_late, USEC_NEVER},
	[STATE_SETTLING]   = {"settling", late_settle, USEC_NEVER},
	[STATE_CLOSING]    = {"closing", never_late, USEC_NEVER},
};
/* clang-format on */
_Static_assert(COUNT(state_rows) == STATE_COUNT, "one row per state");

const char *
outbox_state_name(const struct outbox *o)
{
	return state_rows[o->state].name;
}

usec_t
outbox_next_try(const struct outbox *o)
{
	return o->state == STATE_IDLE || o->state == STATE_BACKOFF ? o->deadline
								   : USEC_NEVER;
}

const char *
outbox_trouble(const struct outbox *o)
{
	return o->trouble;
}

/* ---- the engine's calls ------------------------------------------- */

void
outbox_feed(struct outbox *o, struct span bytes, usec_t now)
{
	if (o->session != NULL)
		smtp_session_feed(o->session, bytes, now);
	pump(o, now);
}

void
outbox_eof(struct outbox *o, usec_t now)
{
	if (o->session != NULL)
		smtp_session_eof(o->session, now);
	pump(o, now);
}

struct span
outbox_output(const struct outbox *o)
{
	return o->session != NULL ? smtp_session_output(o->session)
				  : SPAN_EMPTY;
}

void
outbox_sent(struct outbox *o, size_t len)
{
	if (o->session != NULL)
		smtp_session_sent(o->session, len);
}

usec_t
outbox_deadline(const struct outbox *o)
{
	if (o->session == NULL)
		return o->deadline;
	return usec_min(o->deadline, smtp_session_deadline(o->session));
}

void
outbox_tick(struct outbox *o, usec_t now)
{
	if (o->session != NULL)
		smtp_session_tick(o->session, now);
	pump(o, now);
	if (now >= o->deadline)
		state_rows[o->state].late(o, now);
	pump(o, now);
}

/* ---- answers ------------------------------------------------------ */

void
outbox_item(struct outbox *o, const struct store_queue_item *item, usec_t now)
{
	if (o->state != STATE_LOADING && o->state != STATE_FETCHING)
		return;
	if (item != NULL && item->state == QUEUE_SENDING)
		recover(o, item, now);
	else if (o->state == STATE_LOADING)
		look_at(o, item, now);
	else
		fetch(o, item, now);
	if (o->state == STATE_IDLE && o->kicked)
		load(o, STATE_LOADING, now);
	pump(o, now);
}

void
outbox_load_failed(struct outbox *o, const struct error *error, usec_t now)
{
	if (o->state == STATE_LOADING || o->state == STATE_FETCHING)
		fail_round(o, error, now);
}

void
outbox_connected(struct outbox *o, usec_t now)
{
	if (o->state != STATE_CONNECTING)
		return;
	o->transport.fault = FAULT_NONE;
	o->session = smtp_session_new(&o->config->smtp, now);
	enter(o, STATE_LOGIN, now);
	pump(o, now);
}

void
outbox_connect_failed(struct outbox *o, const struct error *error, usec_t now)
{
	if (o->state == STATE_CONNECTING) {
		fail_round(o, error, now);
	} else if (o->session != NULL) {
		o->transport = *error;
		outbox_eof(o, now);
	}
}

void
outbox_tls_started(struct outbox *o, usec_t now)
{
	if (o->session != NULL)
		smtp_session_tls_started(o->session, now);
	pump(o, now);
}

void
outbox_secret(struct outbox *o, struct span secret, usec_t now)
{
	if (o->session != NULL)
		smtp_session_secret(o->session, secret, now);
	pump(o, now);
}

void
outbox_secret_failed(struct outbox *o, const struct error *error, usec_t now)
{
	if (o->state == STATE_LOGIN)
		fail_round(o, error, now);
}

/* "May be sent" is in the store, or not. */
static void
journal_committed(
    struct outbox *o, bool ok, const struct error *error, usec_t now)
{
	if (o->is_lost) {
		lose_item(o, &o->lost, now);
	} else if (!ok) {
		fail_round(o, error, now);
	} else if (o->stopping) {
		drop_session(o);
		settle(o, QUEUE_WAITING, o->item.attempts, 0,
		    "stopped before it was sent", now);
	} else {
		enter(o, STATE_DOT, now);
		smtp_session_finish(o->session, now);
	}
}

static void
outcome_committed(
    struct outbox *o, bool ok, const struct error *error, usec_t now)
{
	if (ok) {
		next_round(o, now);
		return;
	}
	report(o, OUTBOX_TROUBLE, error->text, error->fault, OUTBOX_STORE_USEC);
	o->deadline = usec_add(now, OUTBOX_STORE_USEC);
}

void
outbox_committed(
    struct outbox *o, bool ok, const struct error *error, usec_t now)
{
	static const struct error unnamed = {FAULT_LOCAL, "cannot write"};

	if (error == NULL)
		error = &unnamed;
	if (o->state == STATE_JOURNAL)
		journal_committed(o, ok, error, now);
	else if (o->state == STATE_SETTLING)
		outcome_committed(o, ok, error, now);
	pump(o, now);
}

/* ---- life --------------------------------------------------------- */

void
outbox_set_clock(struct outbox *o, int64_t now_unix, usec_t now)
{
	o->clock_unix = now_unix;
	o->clock_at = now;
}

void
outbox_start(struct outbox *o, usec_t now)
{
	o->stopping = false;
	if (o->state == STATE_STOPPED)
		load(o, STATE_LOADING, now);
}

void
outbox_stop(struct outbox *o, usec_t now)
{
	o->stopping = true;
	switch (o->state) {
	case STATE_CONNECTING:
		add_event(o, OUTBOX_DISCONNECT);
		enter(o, STATE_STOPPED, now);
		break;
	case STATE_IDLE:
	case STATE_BACKOFF:
	case STATE_LOADING:
	case STATE_LOGIN:
	case STATE_SENDING: /* no dot: the item is still WAITING */
		drop_session(o);
		drop_item(o);
		enter(o, STATE_STOPPED, now);
		break;
	case STATE_FETCHING:
		close_politely(o, now);
		break;
	default: /* ends by itself */
		break;
	}
	pump(o, now);
}

bool
outbox_is_resting(const struct outbox *o)
{
	return o->state == STATE_STOPPED;
}

void
outbox_kick(struct outbox *o, usec_t now)
{
	if (o->state == STATE_IDLE)
		load(o, STATE_LOADING, now);
	else
		o->kicked = true;
}

void
outbox_hint(struct outbox *o, usec_t now)
{
	if (o->state != STATE_BACKOFF || now < o->next_hint ||
	    backoff_cause_of(o->trouble_fault) != BACKOFF_NETWORK)
		return;
	o->next_hint = usec_add(now, OUTBOX_HINT_USEC);
	backoff_restart(&o->backoff, BACKOFF_NETWORK);
	o->wait = 0;
	load(o, STATE_LOADING, now);
}

void
outbox_reload(struct outbox *o, usec_t now)
{
	backoff_succeeded(&o->backoff);
	o->pauses = 0;
	o->token_renewed = false;
	o->wait = 0;
	if (o->state == STATE_BACKOFF || o->state == STATE_IDLE)
		load(o, STATE_LOADING, now);
}

struct outbox *
outbox_new(const struct outbox_config *config, usec_t now)
{
	struct outbox *o = NEW(struct outbox);

	o->config = config;
	random_init(&o->random, config->seed);
	backoff_init(&o->backoff, &o->random);
	o->clock_at = now;
	enter(o, STATE_STOPPED, now);
	return o;
}

void
outbox_free(struct outbox **outbox)
{
	struct outbox *o = *outbox;
	struct outbox_event event;

	if (o == NULL)
		return;
	while (outbox_next_event(o, &event))
		outbox_event_done(&event);
	smtp_session_free(&o->session);
	drop_item(o);
	free(o->events);
	free(o);
	*outbox = NULL;
}

ENGINE_CLASS(outbox, "outbox");
