#include "daemon/outbox/outbox_private.h"

#include "daemon/base/xalloc.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct state_row {
	const char *name;
	void (*late)(struct outbox *o, usec_t now);
	usec_t limit;
};

static const struct state_row state_rows[];

/* ---- events ------------------------------------------------------- */

struct outbox_event *
outbox_add_event(struct outbox *o, enum outbox_event_kind kind)
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
	free(event->message_id);
	free(event->source.mailbox);
	free(event->source.rule);
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
	    [OUTBOX_SOUGHT] = "sought",
	    [OUTBOX_TROUBLE] = "trouble",
	};
	_Static_assert(COUNT(names) == OUTBOX_REPORT_KINDS, "one name each");

	return names[kind];
}

struct outbox_event *
outbox_report(struct outbox *o, enum outbox_report_kind kind, const char *text,
    enum fault fault, usec_t retry_in)
{
	struct outbox_event *event;
	bool of_item = kind != OUTBOX_TROUBLE;

	if (o->event_count - o->event_first >= OUTBOX_EVENTS_MAX)
		return NULL;
	event = outbox_add_event(o, OUTBOX_REPORT);
	event->report = kind;
	event->id = of_item ? o->item.id : 0;
	event->target = xstrdup(of_item ? o->item.target : "");
	event->text = xstrdup(text);
	event->fault = fault;
	event->retry_in = retry_in;
	return event;
}

/* ---- the one door to each state, and what it needs ---------------- */

/* The only function that assigns the state. */
void
outbox_enter(struct outbox *o, enum state next, usec_t now)
{
	o->state = next;
	o->deadline = usec_add(now, state_rows[next].limit);
}

void
outbox_rest_until(
    struct outbox *o, enum state next, usec_t deadline, usec_t now)
{
	outbox_enter(o, next, now);
	o->deadline = deadline;
}

void
outbox_load(struct outbox *o, enum state next, usec_t now)
{
	o->kicked = false;
	outbox_enter(o, next, now);
	outbox_add_event(o, OUTBOX_LOAD);
}

void
outbox_free_item(struct item *item)
{
	free(item->key);
	free(item->target);
	free(item->mode);
	free(item->unknown);
	free(item->message_id);
	free(item->source.mailbox);
	free(item->source.rule);
	*item = (struct item){0};
}

void
outbox_drop_item(struct outbox *o)
{
	outbox_free_item(&o->item);
}

void
outbox_copy_item(struct item *item_r, const struct store_queue_item *item)
{
	struct span reply = span_from_str(item->reply);
	bool is_claimed = span_starts(reply, STORE_CLAIMED);

	if (is_claimed)
		reply = span_skip(reply, strlen(STORE_CLAIMED));
	*item_r = (struct item){
	    .id = item->id,
	    .key = xstrdup(item->key),
	    .target = xstrdup(item->target),
	    .mode = xstrdup(item->mode),
	    .unknown = xstrdup(item->unknown),
	    .message_id = xstrdup(item->message_id),
	    .queued_unix = item->queued_unix,
	    .attempts = item->attempts,
	    .unknown_count = retry_unknown_count(reply),
	    .is_claimed = is_claimed,
	    .source =
		{
		    .mailbox = xstrdup(item->source.mailbox),
		    .rule = xstrdup(item->rule),
		    .uidvalidity = item->source.uidvalidity,
		    .uid = item->source.uid,
		    .seq = item->seq,
		    .queued_unix = item->queued_unix,
		},
	};
}

void
outbox_format_reply(const struct item *item, struct buf *out, struct span text)
{
	if (item->is_claimed)
		buf_add_str(out, STORE_CLAIMED);
	retry_format_reply(out, item->unknown_count, text);
}

void
outbox_take_item(struct outbox *o, const struct store_queue_item *item)
{
	outbox_drop_item(o);
	outbox_copy_item(&o->item, item);
}

void
outbox_drop_session(struct outbox *o)
{
	if (o->session == NULL)
		return;
	smtp_session_free(&o->session);
	o->has_held = false;
	outbox_forget_ahead(o);
	outbox_add_event(o, OUTBOX_DISCONNECT);
}

int64_t
outbox_unix_at(const struct outbox *o, usec_t when)
{
	return o->clock_unix +
	       (int64_t)(usec_since(o->clock_at, when) / USEC_SEC);
}

/* Rounded up: a wait is never cut short. */
int64_t
outbox_unix_after(const struct outbox *o, usec_t now, usec_t wait)
{
	return outbox_unix_at(o, now) +
	       (int64_t)((wait + USEC_SEC - 1) / USEC_SEC);
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
	outbox_load(o, STATE_LOADING, now);
}

static void
late_connect(struct outbox *o, usec_t now)
{
	struct error error = ERROR_INIT;

	error_set(&error, FAULT_RETRY, "connecting takes too long");
	outbox_add_event(o, OUTBOX_DISCONNECT);
	outbox_fail_round(o, &error, now);
}

static void
late_settle(struct outbox *o, usec_t now)
{
	outbox_commit_outcome(o, now);
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
	[STATE_CLAIMING]   = {"claiming", outbox_late_claim, OUTBOX_CLAIM_USEC},
	[STATE_SENDING]    = {"sending", never_late, USEC_NEVER},
	[STATE_RENEWING]   = {"renewing", outbox_late_claim, OUTBOX_CLAIM_USEC},
	[STATE_JOURNAL]    = {"journal", never_late, USEC_NEVER},
	[STATE_DOT]        = {"dot", never_late, USEC_NEVER},
	[STATE_SETTLING]   = {"settling", late_settle, USEC_NEVER},
	[STATE_CLOSING]    = {"closing", never_late, USEC_NEVER},
	[STATE_SEEKING]    = {"looking in Sent", outbox_seek_late,
	    OUTBOX_SEEK_USEC},
	[STATE_UNSEEN]     = {"looking in Sent", outbox_seek_again, USEC_NEVER},
};
/* clang-format on */
_Static_assert(COUNT(state_rows) == STATE_COUNT, "one row per state");

bool
outbox_has_in_hand(const struct outbox *o, int64_t id)
{
	return o->item.id == id || outbox_has_ahead(o, id) ||
	       outbox_has_behind(o, id);
}

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
	outbox_pump(o, now);
}

void
outbox_eof(struct outbox *o, usec_t now)
{
	if (o->session != NULL)
		smtp_session_eof(o->session, now);
	outbox_pump(o, now);
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
	usec_t own = usec_min(o->deadline, outbox_write_at(o));

	if (o->session == NULL)
		return own;
	return usec_min(own, smtp_session_deadline(o->session));
}

void
outbox_tick(struct outbox *o, usec_t now)
{
	if (o->session != NULL)
		smtp_session_tick(o->session, now);
	outbox_pump(o, now);
	if (now >= o->deadline)
		state_rows[o->state].late(o, now);
	outbox_pump(o, now);
}

/* ---- answers ------------------------------------------------------ */

void
outbox_item(struct outbox *o, const struct store_queue_item *item, usec_t now)
{
	if (o->wants_next) {
		outbox_take_next(o, item, now);
		return;
	}
	if (o->state != STATE_LOADING && o->state != STATE_FETCHING)
		return;
	if (item != NULL && item->state == QUEUE_SENDING)
		outbox_recover(o, item, now);
	else if (o->state == STATE_LOADING)
		outbox_look_at(o, item, now);
	else
		outbox_fetch(o, item, now);
	if (o->state == STATE_IDLE && o->kicked)
		outbox_load(o, STATE_LOADING, now);
	outbox_pump(o, now);
}

void
outbox_load_failed(struct outbox *o, const struct error *error, usec_t now)
{
	if (o->wants_next) /* it will be missed when its turn comes */
		outbox_take_next(o, NULL, now);
	else if (o->state == STATE_LOADING || o->state == STATE_FETCHING)
		outbox_fail_round(o, error, now);
}

void
outbox_connected(struct outbox *o, usec_t now)
{
	struct smtp_session_config config = o->config->smtp;

	if (o->state != STATE_CONNECTING)
		return;
	config.no_scram = config.no_scram || o->no_scram;
	o->transport.fault = FAULT_NONE;
	o->session = smtp_session_new(&config, now);
	outbox_enter(o, STATE_LOGIN, now);
	outbox_pump(o, now);
}

void
outbox_connect_failed(struct outbox *o, const struct error *error, usec_t now)
{
	if (o->state == STATE_CONNECTING) {
		outbox_fail_round(o, error, now);
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
	outbox_pump(o, now);
}

void
outbox_once(struct outbox *o, const struct sasl_once *once)
{
	if (o->session != NULL)
		smtp_session_once(o->session, once);
}

void
outbox_secret_failed(struct outbox *o, const struct error *error, usec_t now)
{
	if (o->state == STATE_LOGIN)
		outbox_fail_round(o, error, now);
}

/* "May be sent" is in the store, or not. */
static void
journal_committed(
    struct outbox *o, bool ok, const struct error *error, usec_t now)
{
	if (o->is_lost) {
		outbox_lose_item(o, &o->lost, now);
	} else if (!ok) {
		outbox_fail_round(o, error, now);
	} else if (o->stopping || !outbox_is_ours(o, now)) {
		outbox_put_back(o, now);
	} else {
		outbox_enter(o, STATE_DOT, now);
		smtp_session_finish(o->session, now);
	}
}

static void
outcome_committed(
    struct outbox *o, bool ok, const struct error *error, usec_t now)
{
	if (ok) {
		outbox_note_marks(o, true);
		outbox_tell_settled(o);
		outbox_next_round(o, now);
		return;
	}
	outbox_report(
	    o, OUTBOX_TROUBLE, error->text, error->fault, OUTBOX_STORE_USEC);
	o->deadline = usec_add(now, OUTBOX_STORE_USEC);
}

void
outbox_committed(
    struct outbox *o, bool ok, const struct error *error, usec_t now)
{
	static const struct error unnamed = {FAULT_LOCAL, "cannot write"};

	if (error == NULL)
		error = &unnamed;
	if (o->writes_behind)
		outbox_behind_committed(o, ok, error, now);
	else if (o->state == STATE_JOURNAL)
		journal_committed(o, ok, error, now);
	else if (o->state == STATE_SETTLING)
		outcome_committed(o, ok, error, now);
	outbox_pump(o, now);
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
		outbox_load(o, STATE_LOADING, now);
}

void
outbox_stop(struct outbox *o, usec_t now)
{
	o->stopping = true;
	if (outbox_is_behind(o)) { /* again when that is written */
		outbox_pump(o, now);
		return;
	}
	switch (o->state) {
	case STATE_CONNECTING:
		outbox_add_event(o, OUTBOX_DISCONNECT);
		outbox_enter(o, STATE_STOPPED, now);
		break;
	case STATE_SENDING: /* no dot: the item is still WAITING, or again */
		if (o->item.mark == MARK_DONE) {
			outbox_put_back(o, now);
			break;
		}
		outbox_drop_session(o);
		outbox_drop_item(o);
		outbox_enter(o, STATE_STOPPED, now);
		break;
	case STATE_IDLE:
	case STATE_BACKOFF:
	case STATE_LOADING:
	case STATE_LOGIN:
	case STATE_SEEKING: /* it stays SENDING: looked for at the next start */
	case STATE_UNSEEN:
	case STATE_CLAIMING:
	case STATE_RENEWING:
		outbox_drop_session(o);
		outbox_drop_item(o);
		outbox_drop_ahead(o);
		outbox_enter(o, STATE_STOPPED, now);
		break;
	case STATE_FETCHING:
		outbox_close_politely(o, now);
		break;
	default: /* ends by itself */
		break;
	}
	outbox_pump(o, now);
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
		outbox_load(o, STATE_LOADING, now);
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
	outbox_load(o, STATE_LOADING, now);
}

void
outbox_reload(struct outbox *o, usec_t now)
{
	backoff_succeeded(&o->backoff);
	o->pauses = 0;
	o->token_renewed = false;
	o->is_locked = o->is_forgiven = false;
	o->wait = 0;
	bans_clear(&o->bans);
	if (o->state == STATE_BACKOFF || o->state == STATE_IDLE)
		outbox_load(o, STATE_LOADING, now);
}

struct outbox *
outbox_new(const struct outbox_config *config, usec_t now)
{
	struct outbox *o = NEW(struct outbox);

	o->config = config;
	list_init(&o->ahead);
	list_init(&o->behind);
	random_init(&o->random, config->seed);
	backoff_init(&o->backoff, &o->random);
	o->clock_at = now;
	outbox_enter(o, STATE_STOPPED, now);
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
	outbox_drop_item(o);
	outbox_drop_ahead(o);
	outbox_drop_behind(o);
	bans_clear(&o->bans);
	free(o->events);
	free(o);
	*outbox = NULL;
}

ENGINE_CLASS(outbox, "outbox");
