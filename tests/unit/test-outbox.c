/*
 * The outbox in a small world: a store in memory, a model of a submission
 * server, a clock. Each case is a message's whole life; the sweeps break the
 * link at each byte, the store at each commit, the daemon at each event.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "daemon/base/xalloc.h"
#include "daemon/outbox/outbox.h"
#include "daemon/wire/backoff.h"
#include "tests/lib/smtp-model.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define START_UNIX 1795295959
#define STEPS_MAX 200000

struct world {
	struct outbox_config config;
	struct store *store;
	struct outbox *outbox;
	usec_t now;
	int64_t clock_shift; /* seconds: somebody set the wall clock */
	/* The server. */
	struct smtp_model model;
	bool connected;
	const char *offers, *step, *reply; /* as in struct smtp_model */
	unsigned bad_connections;	   /* the first so many reply `reply` */
	bool has_other_secret;		   /* ... and then it is another one */
	bool hangs_up;
	unsigned refuse_connects; /* the first so many fail */
	size_t cut_in, cut_out;	  /* of the first connection */
	size_t bytes_in, bytes_out;
	unsigned connections;
	usec_t connected_at[100];
	unsigned messages;
	struct buf first; /* the first accepted message */
	bool twins_differ;
	/* The daemon dies after this event; 0: never. */
	unsigned die_at, events;
	/* While the store is at the n-th commit: the link breaks, or the
	 * outbox is stopped. */
	unsigned break_at_commit, stop_at_commit, commits;
	unsigned wait_at_commit; /* it is not told of this one */
	bool died_in_window;	 /* the dot was said, the outcome not written */
	/* What is seen in Sent: a letter a look, the last one from then on; u
	 * unseen, s seen, t the truth, b blind, n nowhere, - no answer. */
	const char *sights;
	unsigned looks;
	struct buf reports;
	/* Answers to CLAIM, one each, the last for ever: o ours for a quarter
	 * of an hour, O for ever, s for a second; w another's; d another
	 * machine sent it, u or may have; - no answer. */
	const char *claims;
	unsigned asked, settled;
	enum queue_state settled_as;
	bool may_be_sent;
	usec_t data_takes; /* from the text on its way to the next reply */
	unsigned known;	   /* failures that the person knows the cause of */
};

static const struct outbox_config default_config = {
    .account = "work",
    .from = "ann@example.org",
    .smtp = {.security = SMTP_SECURITY_TLS,
	.auth = SMTP_AUTH_PASSWORD,
	.user = "user",
	.host = "mail.example.net",
	.port = 465,
	.ehlo_name = "client.example.org"},
    .seed = 1,
};

static void
world_init(struct world *w)
{
	*w = (struct world){
	    .config = default_config,
	    .store = store_open_memory(),
	    .now = USEC_DAY,
	    .offers = "PIPELINING|8BITMIME|AUTH PLAIN XOAUTH2",
	};
	smtp_model_init(&w->model, w->offers);
}

static void
world_done(struct world *w)
{
	outbox_free(&w->outbox);
	store_close(&w->store);
	smtp_model_done(&w->model);
	buf_done(&w->first);
	buf_done(&w->reports);
}

static int64_t
world_unix(const struct world *w)
{
	return START_UNIX + (int64_t)(w->now / USEC_SEC) + w->clock_shift;
}

static void
enqueue_as(
    struct world *w, const char *key, const char *unknown, const char *reply)
{
	struct store_batch *batch = store_batch_new();
	STR_AUTO id = xasprintf("<%s@example.org>", key);
	const struct store_queue_item item = {
	    .key = key,
	    .source = {"work", "INBOX", 1, 1},
	    .account = "work",
	    .rule = "r",
	    .target = "to@example.net",
	    .mode = "attach",
	    .unknown = unknown,
	    .message_id = id,
	    .subject = "s",
	    .queued_unix = world_unix(w),
	    .original = SPAN("From: bob@example.com\r\nSubject: hi\r\n\r\n"
			     "\xc3\xa4\n.\n.\r\n"),
	    .state = QUEUE_WAITING,
	    .next_try_unix = world_unix(w),
	    .reply = reply,
	};

	store_batch_enqueue(batch, &item);
	assert_true(store_commit(w->store, batch, NULL));
	store_batch_free(&batch);
}

static void
enqueue(struct world *w, const char *key, const char *unknown)
{
	enqueue_as(w, key, unknown, "");
}

static void
start(struct world *w)
{
	w->outbox = outbox_new(&w->config, w->now);
	outbox_set_clock(w->outbox, world_unix(w), w->now);
	outbox_start(w->outbox, w->now);
}

/* ---- the owner ---------------------------------------------------- */

static void
answer_load(struct world *w, const struct store_but *but)
{
	struct store_queue_item item;
	bool found;

	assert_true(
	    store_queue_next_but(w->store, "work", but, &item, &found, NULL));
	outbox_item(w->outbox, found ? &item : NULL, w->now);
}

static void
answer_connect(struct world *w)
{
	struct error error = ERROR_INIT;
	bool bad;

	if (w->connections < COUNT(w->connected_at))
		w->connected_at[w->connections] = w->now;
	bad = w->connections < w->bad_connections;
	w->connections++;
	if (w->connections <= w->refuse_connects) {
		error_set(&error, FAULT_RETRY, "connection refused");
		outbox_connect_failed(w->outbox, &error, w->now);
		return;
	}
	smtp_model_done(&w->model);
	smtp_model_init(&w->model, w->offers);
	w->model.tls = w->config.smtp.security == SMTP_SECURITY_TLS;
	if (bad) {
		w->model.step = w->step;
		w->model.reply = w->reply;
		w->model.hangs_up = w->hangs_up;
	}
	w->bytes_in = w->bytes_out = 0;
	w->connected = true;
	smtp_model_greet(&w->model);
	outbox_connected(w->outbox, w->now);
}

static void
answer_commit(struct world *w, const struct outbox_event *event)
{
	struct error error = ERROR_INIT;
	bool ok = store_commit(w->store, event->batch, &error);

	w->commits++;
	if (w->commits == w->break_at_commit) {
		w->connected = false;
		outbox_eof(w->outbox, w->now);
	}
	if (w->commits == w->stop_at_commit)
		outbox_stop(w->outbox, w->now);
	if (w->commits != w->wait_at_commit)
		outbox_committed(w->outbox, ok, &error, w->now);
}

static void
answer_claim(struct world *w, const struct outbox_event *event)
{
	static const struct {
		char letter;
		enum outbox_claim claim;
		usec_t time;
	} rows[] = {
	    {'o', OUTBOX_OURS, 15 * USEC_MINUTE},
	    {'O', OUTBOX_OURS, USEC_NEVER},
	    {'s', OUTBOX_OURS, USEC_SEC},
	    {'w', OUTBOX_OTHERS, 10 * USEC_MINUTE},
	    {'d', OUTBOX_DONE, 0},
	    {'u', OUTBOX_UNSURE, 0},
	};
	char letter = *w->claims;

	w->asked++;
	assert_string_equal(event->source.mailbox, "INBOX");
	assert_int_equal(event->source.uid, 1);
	if (w->claims[1] != '\0')
		w->claims++;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].letter == letter)
			outbox_claimed(w->outbox, event->id, rows[i].claim,
			    rows[i].claim == OUTBOX_OURS
				? usec_add(w->now, rows[i].time)
				: rows[i].time,
			    w->now);
}

static void
note_settled(struct world *w, const struct outbox_event *event)
{
	w->settled++;
	w->settled_as = event->state;
	w->may_be_sent = event->may_be_sent;
}

static void
note_report(struct world *w, const struct outbox_event *event)
{
	w->known += event->is_known;
	buf_addf(&w->reports, "%s", outbox_report_name(event->report));
	if (event->retry_in != USEC_NEVER) {
		buf_add_str(&w->reports, " in ");
		usec_format(&w->reports, event->retry_in);
	}
	buf_addf(&w->reports, ": %s\n", event->text);
}

static void
answer_seek(struct world *w, const struct outbox_event *event)
{
	static const char letters[] = {[OUTBOX_SEEN] = 's',
	    [OUTBOX_UNSEEN] = 'u',
	    [OUTBOX_BLIND] = 'b',
	    [OUTBOX_NOWHERE] = 'n'};
	size_t last = strlen(w->sights) - 1;
	char sight = w->sights[w->looks < last ? w->looks : last];

	assert_false(w->connected);
	w->looks++;
	/* An answer to something else is none. */
	outbox_sought(
	    w->outbox, "<other@example.org>", OUTBOX_SEEN, "", w->now);
	if (sight == 't')
		sight = w->messages > 0 ? 's' : 'u';
	for (size_t i = 0; i < COUNT(letters); i++)
		if (letters[i] == sight)
			outbox_sought(w->outbox, event->message_id,
			    (enum outbox_sight)i, "no way", w->now);
}

static void
answer(struct world *w, const struct outbox_event *event)
{
	switch (event->kind) {
	case OUTBOX_LOAD:
		answer_load(w, &event->but);
		break;
	case OUTBOX_CONNECT:
		answer_connect(w);
		break;
	case OUTBOX_DISCONNECT:
		w->connected = false;
		break;
	case OUTBOX_STARTTLS:
		w->model.tls = true;
		outbox_tls_started(w->outbox, w->now);
		break;
	case OUTBOX_SECRET:
		outbox_secret(w->outbox,
		    w->has_other_secret && w->connections > w->bad_connections
			? SPAN("another")
			: SPAN("pass"),
		    w->now);
		break;
	case OUTBOX_CLAIM:
		answer_claim(w, event);
		break;
	case OUTBOX_COMMIT:
		answer_commit(w, event);
		break;
	case OUTBOX_SEEK:
		answer_seek(w, event);
		break;
	case OUTBOX_SETTLED:
		note_settled(w, event);
		break;
	case OUTBOX_REPORT:
		note_report(w, event);
		break;
	}
}

/* The daemon dies and is started again on the same store. */
static void
die(struct world *w)
{
	const char *state = outbox_state_name(w->outbox);

	w->died_in_window =
	    strcmp(state, "dot") == 0 || strcmp(state, "settling") == 0;
	outbox_free(&w->outbox);
	w->connected = false;
	w->now += USEC_SEC;
	start(w);
}

static bool
pull(struct world *w)
{
	struct outbox_event event;
	bool any = false;

	while (outbox_next_event(w->outbox, &event)) {
		any = true;
		if (++w->events == w->die_at) {
			outbox_event_done(&event);
			die(w);
			continue;
		}
		answer(w, &event);
		outbox_event_done(&event);
	}
	return any;
}

/* ---- the link ----------------------------------------------------- */

static void
count_messages(struct world *w, unsigned before)
{
	if (w->model.messages == before)
		return;
	if (w->messages++ == 0)
		buf_add_span(&w->first, buf_span(&w->model.message));
	else if (!span_equal(buf_span(&w->first), buf_span(&w->model.message)))
		w->twins_differ = true;
}

static size_t
up_to(size_t len, size_t done, size_t cut, unsigned connections)
{
	return cut > 0 && connections == 1 && done + len > cut ? cut - done
							       : len;
}

static bool
move_out(struct world *w)
{
	struct span out = outbox_output(w->outbox);
	size_t len = up_to(out.len, w->bytes_out, w->cut_out, w->connections);
	unsigned before = w->model.messages;

	if (!w->connected || out.len == 0 || w->model.closed)
		return false;
	if (len == 0) {
		w->connected = false;
		outbox_eof(w->outbox, w->now);
		return true;
	}
	if (span_find_span(out, SPAN("DATA\r\n"), 0) != SIZE_MAX)
		w->now += w->data_takes;
	smtp_model_feed(&w->model, span_slice(out, 0, len));
	outbox_sent(w->outbox, len);
	w->bytes_out += len;
	count_messages(w, before);
	return true;
}

static bool
move_in(struct world *w)
{
	struct span out = buf_span(&w->model.out);
	size_t len = up_to(out.len, w->bytes_in, w->cut_in, w->connections);

	if (!w->connected || (out.len == 0 && !w->model.closed))
		return false;
	if (len == 0) {
		w->connected = false;
		outbox_eof(w->outbox, w->now);
		return true;
	}
	w->bytes_in += len;
	outbox_feed(w->outbox, span_slice(out, 0, len), w->now);
	buf_consume(&w->model.out, len);
	return true;
}

static void
run(struct world *w, usec_t duration)
{
	usec_t end = w->now + duration, deadline;

	for (unsigned i = 0;; i++) {
		assert_true(i < STEPS_MAX);
		if (pull(w) || move_out(w) || move_in(w))
			continue;
		deadline = outbox_deadline(w->outbox);
		if (deadline > end)
			break;
		if (deadline > w->now)
			w->now = deadline;
		outbox_tick(w->outbox, w->now);
	}
	w->now = end;
}

static bool
find_first(void *ctx, const struct store_queue_item *item)
{
	*(enum queue_state *)ctx = item->state;
	return false;
}

static enum queue_state
state_of(struct world *w)
{
	enum queue_state state = QUEUE_STATES;

	assert_true(
	    store_each_queued(w->store, "work", find_first, &state, NULL));
	return state;
}

/* ---- lives of one message ----------------------------------------- */

struct life {
	const char *name;
	const char *unknown;
	const char *step, *reply; /* on the first connections */
	unsigned bad_connections;
	bool hangs_up;
	unsigned refuse_connects;
	usec_t duration;
	enum queue_state state;
	unsigned messages, connections; /* 0: any */
	const char *report; /* must stand in the reports; NULL: any */
};

static const struct life lives[] = {
    {"good", "resend", NULL, NULL, 0, false, 0, USEC_MINUTE, QUEUE_SENT, 1, 1,
	"sent: 250 2.0.0 queued as 42"},
    {"greylisted", "resend", "RCPT", "450 4.2.0 later\r\n", 2, false, 0,
	USEC_HOUR, QUEUE_SENT, 1, 3, "deferred in 5"},
    {"deferred for ever", "resend", "RCPT", "450 4.2.0 later\r\n", 99, false, 0,
	80 * USEC_HOUR, QUEUE_FAILED, 0, 0, "failed: 450 4.2.0 later"},
    {"refused recipient", "resend", "RCPT", "550 5.1.1 who\r\n", 1, false, 0,
	USEC_DAY, QUEUE_FAILED, 0, 1, "failed: 550 5.1.1 who"},
    {"refused text", "resend", "dot", "554 5.7.1 spam\r\n", 1, false, 0,
	USEC_DAY, QUEUE_FAILED, 0, 1, "failed: 554 5.7.1 spam"},
    {"network down for a while", "resend", NULL, NULL, 0, false, 7, USEC_HOUR,
	QUEUE_SENT, 1, 8, "trouble in 2 s"},
    {"wrong password", "resend", "AUTH", "535 5.7.8 no\r\n", 1, false, 0,
	30 * USEC_MINUTE, QUEUE_WAITING, 0, 1, "trouble in 1 h"},
    {"530 at MAIL", "resend", "MAIL", "530 5.7.0 login\r\n", 1, false, 0,
	30 * USEC_MINUTE, QUEUE_WAITING, 0, 1, NULL},
    {"quota", "resend", "RCPT", "550 5.4.5 limit\r\n", 3, false, 0, USEC_DAY,
	QUEUE_SENT, 1, 4, "trouble in 1 h"},
    {"421 at MAIL", "resend", "MAIL", "421 4.3.0 bye\r\n", 1, true, 0,
	USEC_HOUR, QUEUE_SENT, 1, 2, "deferred in "},
    {"no answer to the dot, resend", "resend", "dot", "", 1, true, 0, USEC_HOUR,
	QUEUE_SENT, 1, 2, "outcome unknown: the connection was closed"},
    {"no answer to the dot, hold", "hold", "dot", "", 1, true, 0, USEC_HOUR,
	QUEUE_HELD, 0, 1, "held: outcome unknown"},
    {"no answer to the dot, drop", "drop", "dot", "", 1, true, 0, USEC_HOUR,
	QUEUE_DROPPED, 0, 1, "dropped: outcome unknown"},
    {"never an answer to the dot", "resend", "dot", "", 99, true, 0, USEC_DAY,
	QUEUE_HELD, 0, 4, "held: outcome unknown"},
    {"silence after the dot", "resend", "dot", "", 1, false, 0, USEC_HOUR,
	QUEUE_SENT, 1, 2, "outcome unknown: no answer in time (dot)"},
    {"hangs up before the dot", "hold", "DATA", "", 1, true, 0, USEC_HOUR,
	QUEUE_SENT, 1, 2, NULL},
};

static bool
live(const struct life *c)
{
	struct world w;
	bool right;

	world_init(&w);
	w.step = c->step;
	w.reply = c->reply;
	w.bad_connections = c->bad_connections;
	w.hangs_up = c->hangs_up;
	w.refuse_connects = c->refuse_connects;
	enqueue(&w, "k1", c->unknown);
	start(&w);
	run(&w, c->duration);
	right = state_of(&w) == c->state && w.messages == c->messages &&
		(c->connections == 0 || w.connections == c->connections) &&
		(c->report == NULL ||
		    strstr(buf_str(&w.reports), c->report) != NULL);
	if (!right)
		print_error("%s: %s, %u messages, %u connections\n%s\n",
		    c->name, queue_state_name(state_of(&w)), w.messages,
		    w.connections, buf_str(&w.reports));
	world_done(&w);
	return right;
}

static void
test_lives(void **state)
{
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(lives); i++)
		failures += !live(&lives[i]);
	assert_int_equal(failures, 0);
}

/* ---- where the service files what it took ------------------------- */

struct sent_case {
	const char *name, *unknown, *sights;
	enum queue_state state;
	unsigned messages, looks;
	usec_t after; /* from the break to the end of the looks */
	const char *report;
};

/* The server takes the message, and its answer is lost. */
static const struct sent_case sent_cases[] = {
    {"there at once", "resend", "s", QUEUE_SENT, 1, 1, 0, "found in Sent"},
    {"there later", "resend", "uus", QUEUE_SENT, 1, 3, 20 * USEC_SEC,
	"found in Sent"},
    {"there at the last look", "hold", "uuuus", QUEUE_SENT, 1, 5,
	OUTBOX_SENT_USEC, "found in Sent"},
    {"never there", "resend", "u", QUEUE_SENT, 2, 5, OUTBOX_SENT_USEC,
	"outcome unknown: the connection was closed (it is "
	"not in Sent)"},
    {"never there, hold", "hold", "u", QUEUE_HELD, 1, 5, OUTBOX_SENT_USEC,
	"held: outcome unknown"},
    {"never there, drop", "drop", "u", QUEUE_DROPPED, 1, 5, OUTBOX_SENT_USEC,
	"dropped: outcome unknown"},
    {"blind for a while", "hold", "bbbs", QUEUE_SENT, 1, 4, 14 * USEC_SEC,
	"found in Sent"},
    {"blind for ever", "hold", "b", QUEUE_HELD, 1, 20, OUTBOX_BLIND_USEC,
	"(Sent could not be looked at: no way)"},
    {"the owner does not answer", "hold", "-s", QUEUE_SENT, 1, 2,
	OUTBOX_SEEK_USEC + OUTBOX_BLIND_WAIT_USEC, "found in Sent"},
    {"no such mailbox", "hold", "n", QUEUE_HELD, 1, 1, 0,
	"(Sent cannot be looked at: no way)"},
};

static bool
live_with_sent(const struct sent_case *c)
{
	struct world w;
	bool right, in_time;

	world_init(&w);
	w.config.files_sent = true;
	w.sights = c->sights;
	w.step = "dot";
	w.reply = "";
	w.bad_connections = 1;
	w.hangs_up = true;
	enqueue(&w, "k1", c->unknown);
	start(&w);
	run(&w, c->after == 0 ? USEC_SEC : c->after - USEC_SEC);
	in_time = c->after == 0 || state_of(&w) == QUEUE_SENDING;
	/* From one blind look to the next it is a minute at most. */
	run(&w, USEC_MINUTE + 2 * USEC_SEC);
	in_time = in_time && state_of(&w) != QUEUE_SENDING;
	run(&w, USEC_HOUR);
	right = in_time && state_of(&w) == c->state && w.looks == c->looks &&
		strstr(buf_str(&w.reports), c->report) != NULL &&
		w.messages + 1 == c->messages;
	if (!right)
		print_error("%s: %s, %u messages, %u looks\n%s\n", c->name,
		    queue_state_name(state_of(&w)), w.messages, w.looks,
		    buf_str(&w.reports));
	world_done(&w);
	return right;
}

static void
test_sent(void **state)
{
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(sent_cases); i++)
		failures += !live_with_sent(&sent_cases[i]);
	assert_int_equal(failures, 0);
}

/* Wherever the link breaks and the daemon dies: with a Sent that tells the
 * truth nothing comes twice, and nothing is lost. */
static void
sweep_with_sent(size_t in, size_t out, unsigned die_at, const char *unknown)
{
	struct world w;

	world_init(&w);
	w.config.files_sent = true;
	w.sights = "t";
	w.cut_in = in;
	w.cut_out = out;
	w.die_at = die_at;
	enqueue(&w, "k1", unknown);
	start(&w);
	run(&w, USEC_HOUR);
	if (w.messages > 1 ||
	    (strcmp(unknown, "resend") == 0 && state_of(&w) != QUEUE_SENT) ||
	    (w.messages == 1 && state_of(&w) != QUEUE_SENT))
		fail_msg("in %zu out %zu die at %u: %s, %u messages\n%s", in,
		    out, die_at, queue_state_name(state_of(&w)), w.messages,
		    buf_str(&w.reports));
	world_done(&w);
}

static void
test_sent_everywhere(void **state)
{
	(void)state;
	for (size_t n = 1; n < 900; n++) {
		sweep_with_sent(n, 0, 0, n % 2 == 0 ? "resend" : "hold");
		sweep_with_sent(0, n, 0, n % 2 == 0 ? "hold" : "resend");
	}
	for (unsigned n = 1; n < 30; n++) {
		sweep_with_sent(0, 0, n, "resend");
		sweep_with_sent(0, 0, n, "hold");
		sweep_with_sent(360, 0, n, "resend");
	}
}

/* Stopped while it looks, it is looked for at the next start. */
static void
test_sent_and_stop(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.config.files_sent = true;
	w.sights = "us";
	w.step = "dot";
	w.reply = "";
	w.bad_connections = 1;
	w.hangs_up = true;
	enqueue(&w, "k1", "hold");
	start(&w);
	run(&w, 2 * USEC_SEC);
	assert_string_equal(outbox_state_name(w.outbox), "looking in Sent");
	assert_true(outbox_has_in_hand(w.outbox, 1));
	outbox_stop(w.outbox, w.now);
	assert_true(outbox_is_resting(w.outbox));
	run(&w, USEC_MINUTE);
	assert_int_equal(state_of(&w), QUEUE_SENDING);
	assert_int_equal(w.looks, 1);
	outbox_start(w.outbox, w.now);
	run(&w, USEC_SEC);
	assert_int_equal(state_of(&w), QUEUE_SENT);
	world_done(&w);
}

/* ---- sweeps ------------------------------------------------------- */

/* A link cut anywhere: the message arrives, twice only where it had arrived
 * without our hearing of it, and then as the same bytes. */
static bool
sweep_cut(size_t in, size_t out)
{
	struct world w;
	bool more;

	world_init(&w);
	w.cut_in = in;
	w.cut_out = out;
	enqueue(&w, "k1", "resend");
	start(&w);
	run(&w, USEC_HOUR);
	if (state_of(&w) != QUEUE_SENT || w.messages < 1 || w.messages > 2 ||
	    w.twins_differ ||
	    (w.messages == 2 && strstr(buf_str(&w.reports), "unknown") == NULL))
		fail_msg("cut in %zu out %zu: %s, %u messages\n%s", in, out,
		    queue_state_name(state_of(&w)), w.messages,
		    buf_str(&w.reports));
	more = w.connections > 1 ||
	       (in > 0 ? w.bytes_in >= in : w.bytes_out >= out);
	world_done(&w);
	return more;
}

static void
test_cut_everywhere(void **state)
{
	size_t n = 1, m = 1;

	(void)state;
	while (sweep_cut(n, 0))
		n++;
	while (sweep_cut(0, m))
		m++;
	assert_true(n > 100 && m > 100);
}

/* With "hold", nothing is ever sent twice, wherever the link is cut. */
static void
test_hold_is_at_most_once(void **state)
{
	(void)state;
	for (size_t n = 1; n < 1200; n++) {
		struct world w;

		world_init(&w);
		w.cut_in = n % 2 == 0 ? n / 2 : 0;
		w.cut_out = n % 2 == 1 ? n : 0;
		enqueue(&w, "k1", "hold");
		start(&w);
		run(&w, USEC_HOUR);
		assert_true(w.messages <= 1);
		assert_true(state_of(&w) == QUEUE_HELD || w.messages == 1);
		world_done(&w);
	}
}

/* A store that fails: sent once all the same. */
static void
test_commit_fails(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 6; n++) {
		struct world w;

		world_init(&w);
		enqueue(&w, "k1", "resend");
		enqueue(&w, "k2", "resend");
		store_fail_commit(w.store, n, false);
		start(&w);
		run(&w, USEC_HOUR);
		if (w.messages != 2 || state_of(&w) != QUEUE_SENT)
			fail_msg("commit %u: %u messages\n%s", n, w.messages,
			    buf_str(&w.reports));
		world_done(&w);
	}
}

/* While the store does not work, no dot is said. */
static void
test_store_broken(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	enqueue(&w, "k1", "resend");
	store_fail_commit(w.store, 1, true);
	start(&w);
	run(&w, USEC_DAY);
	assert_int_equal(w.messages, 0);
	assert_true(w.connections > 10);
	store_fail_commit(w.store, 0, false);
	run(&w, USEC_HOUR);
	assert_int_equal(w.messages, 1);
	world_done(&w);
}

/* The daemon dies at each event: the message arrives; twice only when it
 * died between the dot and the written outcome. */
static void
test_die_everywhere(void **state)
{
	unsigned n = 1, twins = 0;

	(void)state;
	for (bool more = true; more; n++) {
		struct world w;

		world_init(&w);
		w.die_at = n;
		enqueue(&w, "k1", "resend");
		start(&w);
		run(&w, USEC_HOUR);
		if (state_of(&w) != QUEUE_SENT || w.messages < 1 ||
		    w.messages > (w.died_in_window ? 2u : 1u) || w.twins_differ)
			fail_msg("death at event %u: %s, %u messages\n%s", n,
			    queue_state_name(state_of(&w)), w.messages,
			    buf_str(&w.reports));
		twins += w.messages == 2;
		more = w.events >= n;
		world_done(&w);
	}
	assert_true(n > 8);
	assert_true(twins >= 1);
}

/* The same with "hold": never twice, and lost from sight never. */
static void
test_die_and_hold(void **state)
{
	unsigned held = 0;

	(void)state;
	for (unsigned n = 1; n < 20; n++) {
		struct world w;

		world_init(&w);
		w.die_at = n;
		enqueue(&w, "k1", "hold");
		start(&w);
		run(&w, USEC_HOUR);
		assert_true(w.messages <= 1);
		assert_true(state_of(&w) == QUEUE_HELD || w.messages == 1);
		held += state_of(&w) == QUEUE_HELD;
		world_done(&w);
	}
	assert_true(held > 0);
}

/* The link breaks while the store writes: before the dot the message is not
 * there, whatever the store says; after it the outcome is known. */
static void
test_break_in_commit(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 2; n++) {
		struct world w;

		world_init(&w);
		w.break_at_commit = n;
		enqueue(&w, "k1", "hold");
		enqueue(&w, "k2", "hold");
		start(&w);
		run(&w, USEC_HOUR);
		assert_int_equal(w.messages, 2);
		assert_int_equal(w.connections, n == 1 ? 3 : 2);
		assert_int_equal(state_of(&w), QUEUE_SENT);
		world_done(&w);
	}
}

/* Stopped with the dot on the tongue: it is not said. Stopped behind it: the
 * outcome is written. */
static void
test_stop_in_commit(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 2; n++) {
		struct world w;

		world_init(&w);
		w.stop_at_commit = n;
		enqueue(&w, "k1", "hold");
		start(&w);
		run(&w, USEC_HOUR);
		assert_true(outbox_is_resting(w.outbox));
		assert_int_equal(w.messages, n == 1 ? 0 : 1);
		assert_int_equal(
		    state_of(&w), n == 1 ? QUEUE_WAITING : QUEUE_SENT);
		world_done(&w);
	}
}

/* ---- the rest ----------------------------------------------------- */

static void enqueue_item(struct world *w, const char *key, const char *target,
    const char *mode, struct span original);

static void
test_many_on_one_connection(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	for (int i = 0; i < 20; i++) {
		STR_AUTO key = xasprintf("k%d", i);

		enqueue(&w, key, "resend");
	}
	start(&w);
	run(&w, USEC_MINUTE);
	assert_int_equal(w.messages, 20);
	assert_int_equal(w.connections, 1);
	assert_false(w.connected);
	assert_string_equal(outbox_state_name(w.outbox), "idle");
	assert_true(outbox_deadline(w.outbox) == USEC_NEVER);
	enqueue(&w, "late", "resend");
	outbox_kick(w.outbox, w.now);
	run(&w, USEC_MINUTE);
	assert_int_equal(w.messages, 21);
	world_done(&w);
}

/* Outcomes are written together, and with them that those which follow may be
 * sent, where a crash may have them sent again; otherwise each is written by
 * itself, and the dot waits. Where Sent would be looked at after a crash, one
 * is marked, with the outcome of the one before the last. */
static void
test_commits_of_many(void **state)
{
	static const struct {
		const char *offers, *unknown;
		bool files_sent;
		unsigned commits;
	} cases[] = {
	    {"PIPELINING|8BITMIME|AUTH PLAIN", "resend", false, 6},
	    {"PIPELINING|8BITMIME|AUTH PLAIN", "resend", true, 12},
	    {"PIPELINING|8BITMIME|AUTH PLAIN", "hold", false, 20},
	    {"8BITMIME|AUTH PLAIN", "resend", false, 20},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct world w;

		world_init(&w);
		w.offers = cases[i].offers;
		w.config.files_sent = cases[i].files_sent;
		for (int k = 0; k < 10; k++) {
			STR_AUTO key = xasprintf("k%d", k);

			enqueue(&w, key, cases[i].unknown);
		}
		start(&w);
		run(&w, USEC_MINUTE);
		assert_int_equal(w.messages, 10);
		assert_int_equal(w.connections, 1);
		assert_int_equal(w.commits, cases[i].commits);
		world_done(&w);
	}
}

/* More are sent while outcomes are written, as many as are marked; what else
 * becomes of the last is looked at when that is so, and not before. */
static void
test_written_while_the_next_is_sent(void **state)
{
	static const struct {
		bool files_sent;
		unsigned sending;
	} cases[] = {{false, 8}, {true, 2}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct world w;

		world_init(&w);
		w.config.files_sent = cases[i].files_sent;
		/* One may be sent; those behind it; outcomes. */
		w.wait_at_commit = 3;
		for (int k = 0; k < 24; k++) {
			STR_AUTO key = xasprintf("k%d", k);

			enqueue(&w, key, "resend");
		}
		start(&w);
		run(&w, USEC_SEC);
		assert_int_equal(w.messages, cases[i].sending);
		assert_int_equal(w.commits, 3);
		assert_string_equal(outbox_state_name(w.outbox), "dot");
		/* It has been answered; even a broken link waits. */
		w.connected = false;
		outbox_eof(w.outbox, w.now);
		run(&w, USEC_SEC);
		assert_int_equal(w.commits, 3);
		outbox_committed(w.outbox, true, NULL, w.now);
		run(&w, USEC_HOUR);
		assert_int_equal(w.messages, 24);
		assert_null(strstr(buf_str(&w.reports), "unknown"));
		world_done(&w);
	}
}

/* An outcome that others do not join is written soon, and that cannot be
 * written is tried again; nothing of it is forgotten meanwhile. */
static void
test_written_alone(void **state)
{
	static const struct error full = {FAULT_LOCAL, "the disk is full"};
	struct world w;

	(void)state;
	world_init(&w);
	w.wait_at_commit = 3;
	enqueue(&w, "k0", "resend");
	enqueue(&w, "k1", "resend");
	w.data_takes = OUTBOX_GROUP_USEC / 2; /* each */
	start(&w);
	run(&w, USEC_SEC);
	assert_int_equal(w.commits, 3);
	outbox_committed(w.outbox, false, &full, w.now);
	run(&w, OUTBOX_STORE_USEC - USEC_SEC);
	assert_int_equal(w.commits, 3);
	run(&w, USEC_MINUTE);
	assert_int_equal(w.messages, 2);
	assert_true(w.commits > 3);
	assert_non_null(strstr(buf_str(&w.reports), "the disk is full"));
	assert_string_equal(outbox_state_name(w.outbox), "idle");
	world_done(&w);
}

static bool
count_sent(void *ctx, const struct store_queue_item *item)
{
	*(unsigned *)ctx += item->state == QUEUE_SENT;
	return true;
}

/* ... also when the next one's answer is long in coming. */
static void
test_written_soon(void **state)
{
	unsigned sent = 0;
	struct world w;

	(void)state;
	world_init(&w);
	for (int k = 0; k < 4; k++) {
		STR_AUTO key = xasprintf("k%d", k);

		enqueue(&w, key, "resend");
	}
	start(&w);
	while (strstr(buf_str(&w.reports), "sent: ") == NULL)
		if (!pull(&w) && !move_out(&w) && !move_in(&w))
			outbox_tick(w.outbox, w.now);
	w.connected = false; /* silence */
	run(&w, OUTBOX_GROUP_USEC);
	store_each_queued(w.store, "work", count_sent, &sent, NULL);
	assert_int_equal(sent, 1);
	world_done(&w);
}

/* What follows is bounded in bytes, too. */
static void
test_ahead_is_bounded(void **state)
{
	BUF_AUTO original = BUF_INIT;
	struct world w;

	(void)state;
	world_init(&w);
	buf_add_str(&original, "From: a@b\r\n\r\n");
	while (original.len < OUTBOX_AHEAD_MAX / 5 * 3)
		buf_add_str(&original, "line\r\n");
	for (int k = 0; k < 5; k++) {
		STR_AUTO key = xasprintf("k%d", k);

		enqueue_item(
		    &w, key, "to@example.net", "attach", buf_span(&original));
	}
	w.wait_at_commit = 1;
	start(&w);
	run(&w, USEC_SEC);
	/* In hand; the session has the next; one more is ready. */
	assert_true(outbox_has_in_hand(w.outbox, 3));
	assert_false(outbox_has_in_hand(w.outbox, 4));
	outbox_committed(w.outbox, true, NULL, w.now);
	run(&w, USEC_MINUTE);
	assert_int_equal(w.messages, 5);
	world_done(&w);
}

/* What the server does not take fails in its turn, and the rest goes over the
 * same connection. */
static void
test_ahead_is_looked_at(void **state)
{
	BUF_AUTO big = BUF_INIT;
	struct world w;

	(void)state;
	world_init(&w);
	w.offers = "PIPELINING|8BITMIME|SIZE 5000|AUTH PLAIN";
	buf_add_str(&big, "From: a@b\r\n\r\n");
	while (big.len < 6000)
		buf_add_str(&big, "line\r\n");
	for (int k = 0; k < 6; k++) {
		STR_AUTO key = xasprintf("k%d", k);

		enqueue_item(&w, key, "to@example.net", "attach",
		    k == 3 ? buf_span(&big) : SPAN("From: a@b\r\n\r\nx\r\n"));
	}
	start(&w);
	run(&w, USEC_MINUTE);
	assert_int_equal(w.messages, 5);
	assert_int_equal(w.connections, 1);
	assert_non_null(
	    strstr(buf_str(&w.reports), "the mail server takes 5000"));
	world_done(&w);
}

/* What was to follow waits again when the link broke before its turn; it is
 * not as if it might have been sent. */
static void
test_mark_is_taken_back(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.step = "dot";
	w.reply = "";
	w.bad_connections = 1;
	w.hangs_up = true;
	for (int k = 0; k < 3; k++) {
		STR_AUTO key = xasprintf("k%d", k);

		enqueue(&w, key, k == 0 ? "hold" : "resend");
	}
	start(&w);
	run(&w, USEC_HOUR);
	assert_int_equal(w.messages, 2);
	assert_non_null(strstr(buf_str(&w.reports), "held: outcome unknown"));
	assert_null(strstr(buf_str(&w.reports), "interrupted"));
	world_done(&w);
}

static bool
count_sending(void *ctx, const struct store_queue_item *item)
{
	*(unsigned *)ctx += item->state == QUEUE_SENDING;
	return true;
}

/* Stopped while any of their commits is under way: nothing is left as if it
 * might have been sent, and nothing goes twice. */
static void
test_stop_among_many(void **state)
{
	(void)state;
	for (unsigned nth = 1; nth < 8; nth++) {
		unsigned sending = 0;
		struct world w;

		world_init(&w);
		w.stop_at_commit = nth;
		for (int k = 0; k < 4; k++) {
			STR_AUTO key = xasprintf("k%d", k);

			enqueue(&w, key, k == 2 ? "hold" : "resend");
		}
		start(&w);
		run(&w, USEC_MINUTE);
		if (!outbox_is_resting(w.outbox) && w.commits >= nth)
			fail_msg("stopped at commit %u: %s", nth,
			    outbox_state_name(w.outbox));
		store_each_queued(
		    w.store, "work", count_sending, &sending, NULL);
		assert_int_equal(sending, 0);
		w.stop_at_commit = 0;
		outbox_start(w.outbox, w.now);
		run(&w, USEC_HOUR);
		assert_int_equal(w.messages, 4);
		world_done(&w);
	}
}

/* Laws of time: trouble waits longer and longer, and neither a new item nor
 * a restart of the queue cuts that short; a reload does. */
static void
test_floor(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.step = "AUTH";
	w.reply = "535 5.7.8 no\r\n";
	w.bad_connections = 99;
	enqueue(&w, "k1", "resend");
	start(&w);
	run(&w, 10 * USEC_HOUR);
	assert_true(w.connections >= 8 && w.connections <= 13);
	for (unsigned i = 1; i < w.connections; i++)
		assert_true(w.connected_at[i] - w.connected_at[i - 1] >=
			    backoff_floor(BACKOFF_CREDENTIALS));
	outbox_kick(w.outbox, w.now);
	run(&w, 1);
	w.bad_connections = 0;
	outbox_reload(w.outbox, w.now);
	run(&w, USEC_MINUTE);
	assert_int_equal(w.messages, 1);
	world_done(&w);
}

/* No login is made with what was refused, though the server would take it now:
 * only with another secret. */
static void
test_refused_secret(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.step = "AUTH";
	w.reply = "535 5.7.8 no\r\n";
	w.bad_connections = 1;
	enqueue(&w, "k1", "resend");
	start(&w);
	assert_false(outbox_wants_secret(w.outbox));
	run(&w, 9 * USEC_HOUR);
	assert_int_equal(w.messages, 0);
	assert_int_equal(state_of(&w), QUEUE_WAITING);
	assert_true(outbox_wants_secret(w.outbox));
	assert_true(outbox_has_refused(w.outbox, SPAN("pass")));
	assert_false(outbox_has_refused(w.outbox, SPAN("other")));
	w.has_other_secret = true;
	run(&w, 2 * USEC_HOUR);
	assert_int_equal(w.messages, 1);
	assert_false(outbox_wants_secret(w.outbox));
	assert_false(outbox_has_refused(w.outbox, SPAN("pass")));
	world_done(&w);
}

/* "Not now" is no word about the password. */
static void
test_login_later(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.step = "AUTH";
	w.reply = "454 4.7.0 not now\r\n";
	w.bad_connections = 1;
	enqueue(&w, "k1", "resend");
	start(&w);
	run(&w, 30 * USEC_SEC);
	assert_false(outbox_wants_secret(w.outbox));
	run(&w, 9 * USEC_HOUR);
	assert_int_equal(w.messages, 1);
	world_done(&w);
}

/* A service that took the password before refuses it, by mistake: one more
 * login is made with it, and no third one. */
static void
test_good_before(void **state)
{
	for (unsigned refusals = 1; refusals <= 2; refusals++) {
		struct world w;

		(void)state;
		world_init(&w);
		enqueue(&w, "k1", "resend");
		start(&w);
		run(&w, USEC_MINUTE);
		assert_int_equal(w.messages, 1);
		run(&w, USEC_HOUR); /* the connection ends */
		w.step = "AUTH";
		w.reply = "535 5.7.8 no\r\n";
		w.bad_connections = w.connections + refusals;
		enqueue(&w, "k2", "resend");
		outbox_kick(w.outbox, w.now);
		run(&w, 9 * USEC_HOUR);
		assert_int_equal(w.messages, refusals == 1 ? 2 : 1);
		outbox_reload(w.outbox, w.now);
		run(&w, USEC_MINUTE);
		assert_int_equal(w.messages, 2);
		world_done(&w);
	}
}

/* A token that is refused is worth one more try with a fresh one. */
static void
test_token(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.config.smtp.auth = SMTP_AUTH_OAUTH2;
	w.step = "AUTH";
	w.reply = "535 5.7.8 no\r\n";
	w.bad_connections = 99;
	enqueue(&w, "k1", "resend");
	start(&w);
	run(&w, 30 * USEC_MINUTE);
	assert_int_equal(w.connections, 2);
	w.has_other_secret = true;
	w.bad_connections = 0;
	run(&w, USEC_HOUR);
	assert_int_equal(w.messages, 1);
	world_done(&w);
}

/* The wall clock jumps while an item waits: no flood, no early end, and no
 * wait of years. */
static void
test_clock_jumps(void **state)
{
	static const int64_t shifts[] = {-7 * 86400, 7 * 86400, -3600};

	(void)state;
	for (size_t i = 0; i < COUNT(shifts); i++) {
		struct world w;

		world_init(&w);
		w.step = "RCPT";
		w.reply = "450 4.2.0 later\r\n";
		w.bad_connections = 1;
		enqueue(&w, "k1", "resend");
		start(&w);
		run(&w, 10 * USEC_SEC);
		w.clock_shift = shifts[i];
		outbox_set_clock(w.outbox, world_unix(&w), w.now);
		run(&w, 3 * USEC_HOUR);
		if (w.messages != 1 || w.connections != 2)
			fail_msg("shift %zu: %u messages, %u connections", i,
			    w.messages, w.connections);
		world_done(&w);
	}
}

/* Stopping says no new dot; one that was said is seen to its end. */
static void
test_stop(void **state)
{
	(void)state;
	for (unsigned steps = 0; steps < 60; steps++) {
		struct world w;

		world_init(&w);
		enqueue(&w, "k1", "resend");
		start(&w);
		for (unsigned i = 0; i < steps; i++)
			if (!pull(&w) && !move_out(&w) && !move_in(&w) &&
			    outbox_deadline(w.outbox) <= w.now)
				outbox_tick(w.outbox, w.now);
		outbox_stop(w.outbox, w.now);
		run(&w, USEC_MINUTE);
		assert_true(outbox_is_resting(w.outbox));
		assert_false(w.connected);
		assert_true(outbox_deadline(w.outbox) == USEC_NEVER);
		assert_int_equal(state_of(&w) == QUEUE_SENT, w.messages == 1);
		assert_true(state_of(&w) != QUEUE_SENDING);
		outbox_start(w.outbox, w.now);
		run(&w, USEC_HOUR);
		assert_int_equal(w.messages, 1);
		world_done(&w);
	}
}

/* One item that is queued in this mode, and goes by this key and target. */
static void
enqueue_item(struct world *w, const char *key, const char *target,
    const char *mode, struct span original)
{
	struct store_batch *batch = store_batch_new();
	struct store_queue_item item = {
	    .key = key,
	    .source = {"work", "INBOX", 1, 1},
	    .account = "work",
	    .rule = "r",
	    .target = target,
	    .mode = mode,
	    .unknown = "resend",
	    .message_id = "<1@example.org>",
	    .subject = "s",
	    .original = original,
	    .state = QUEUE_WAITING,
	    .reply = "",
	};

	store_batch_enqueue(batch, &item);
	assert_true(store_commit(w->store, batch, NULL));
	store_batch_free(&batch);
}

/* The life of one item that is queued in this mode. */
static void
live_item(struct world *w, const char *mode, struct span original)
{
	enqueue_item(w, "k", "to@example.net", mode, original);
	start(w);
	run(w, USEC_MINUTE);
}

#define MAIL SPAN("From: a@b\r\n\r\nhi\r\n")

/* A server that sends its users' own mail only is not asked again. */
static void
test_redirect_is_given_up(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.step = "MAIL";
	w.reply = "550 5.7.60 no permission to send as this sender\r\n";
	w.bad_connections = 1;
	enqueue_item(&w, "a", "to@example.net", "redirect", MAIL);
	start(&w);
	run(&w, USEC_MINUTE);
	assert_non_null(strstr(buf_str(&w.reports), "own address only"));
	enqueue_item(&w, "b", "to@example.net", "redirect", MAIL);
	enqueue_item(&w, "c", "to@example.net", "attach", MAIL);
	outbox_kick(w.outbox, w.now);
	run(&w, USEC_MINUTE);
	/* The second was not tried, and its failure is known; others go. */
	assert_int_equal(w.messages, 1);
	assert_int_equal(w.known, 1);
	assert_non_null(strstr(buf_str(&w.reports), "not tried: the server"));
	/* The person has looked. */
	enqueue_item(&w, "d", "to@example.net", "redirect", MAIL);
	outbox_reload(w.outbox, w.now);
	run(&w, USEC_MINUTE);
	assert_int_equal(w.messages, 2);
	world_done(&w);
}

/* An address that is refused three times in a row gets no more mail. */
static void
test_target_is_given_up(void **state)
{
	static const char *const keys[] = {"a", "b", "c", "d", "e"};
	struct world w;

	(void)state;
	world_init(&w);
	w.step = "RCPT";
	w.reply = "550 5.1.1 nobody\r\n";
	w.bad_connections = 3;
	start(&w);
	for (size_t i = 0; i < COUNT(keys); i++) {
		enqueue_item(&w, keys[i], "to@example.net", "attach", MAIL);
		outbox_kick(w.outbox, w.now);
		run(&w, USEC_MINUTE);
	}
	assert_int_equal(w.known, 2);
	assert_int_equal(w.messages, 0);
	/* Another address is served. */
	enqueue_item(&w, "f", "other@example.net", "attach", MAIL);
	enqueue_item(&w, "g", "to@example.net", "attach", MAIL);
	outbox_kick(w.outbox, w.now);
	run(&w, USEC_MINUTE);
	assert_int_equal(w.known, 3);
	assert_int_equal(w.messages, 1);
	world_done(&w);
}

/* Refusals of a text say nothing of the address. */
static void
test_texts_are_refused(void **state)
{
	static const char *const keys[] = {"a", "b", "c", "d"};
	struct world w;

	(void)state;
	world_init(&w);
	w.step = "dot";
	w.reply = "554 5.7.1 spam\r\n";
	w.bad_connections = 3;
	start(&w);
	for (size_t i = 0; i < COUNT(keys); i++) {
		enqueue_item(&w, keys[i], "to@example.net", "attach", MAIL);
		outbox_kick(w.outbox, w.now);
		run(&w, USEC_MINUTE);
	}
	assert_int_equal(w.known, 0);
	assert_int_equal(w.messages, 1);
	world_done(&w);
}

static bool
note_attempts(void *ctx, const struct store_queue_item *item)
{
	*(unsigned *)ctx = item->attempts;
	return false;
}

/* The account waits, and the forward has lost no try; quotas are waited for
 * longer each time. */
static void
test_trouble_costs_no_try(void **state)
{
	static const struct {
		const char *step, *reply;
		usec_t waits[3];
	} cases[] = {
	    {"MAIL", "530 5.7.0 login\r\n", {USEC_HOUR, USEC_HOUR, USEC_HOUR}},
	    {"RCPT", "550 5.4.5 limit\r\n",
		{USEC_HOUR, 2 * USEC_HOUR, 4 * USEC_HOUR}},
	    {"dot", "554 5.2.0 SubmissionQuotaExceeded\r\n",
		{USEC_HOUR, 2 * USEC_HOUR, 4 * USEC_HOUR}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		unsigned attempts = 99;
		struct world w;

		world_init(&w);
		w.step = cases[i].step;
		w.reply = cases[i].reply;
		w.bad_connections = 99;
		enqueue(&w, "k", "resend");
		start(&w);
		run(&w, 20 * USEC_HOUR);
		assert_true(w.connections >= 4);
		for (unsigned n = 0; n < 3; n++)
			assert_in_range(
			    w.connected_at[n + 1] - w.connected_at[n],
			    cases[i].waits[n] / 4 * 3,
			    cases[i].waits[n] / 4 * 5);
		assert_int_equal(state_of(&w), QUEUE_WAITING);
		store_each_queued(
		    w.store, "work", note_attempts, &attempts, NULL);
		assert_int_equal(attempts, 0);
		world_done(&w);
	}
}

static void
test_redirect(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	live_item(&w, "redirect", SPAN("From: a@b\r\nBcc: x\r\n\r\nhi\r\n"));
	assert_int_equal(w.messages, 1);
	assert_non_null(strstr(buf_str(&w.first),
	    "Resent-To: to@example.net\r\nResent-Message-ID: "
	    "<1@example.org>\r\nFrom: a@b\r\n\r\nhi\r\n"));
	world_done(&w);
}

static void
test_inline(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.offers = "AUTH PLAIN";
	live_item(&w, "inline", SPAN("From: \xc3\xa4@b\r\n\r\nh\xc3\xa4\r\n"));
	assert_int_equal(w.messages, 1);
	assert_non_null(
	    strstr(buf_str(&w.first), "Content-Transfer-Encoding: base64"));
	assert_null(strstr(buf_str(&w.first), "message/rfc822"));
	assert_null(strstr(buf_str(&w.first), "octet-stream"));
	/* The envelope is from the account, which bounces come to. */
	assert_non_null(
	    strstr(buf_str(&w.model.commands), "MAIL FROM:<ann@example.org>"));
	world_done(&w);
}

/* What cannot be redirected as it is, is a dead letter with a reason. */
static const struct {
	const char *name, *offers;
	struct span original;
	const char *reason;
} redirects_refused[] = {
    {"8-bit", "PIPELINING|AUTH PLAIN", SPAN_INIT("From: a@b\r\n\r\n\xe4\r\n"),
	"the message has 8-bit text and the mail server no 8BITMIME"},
    {"8-bit header", "8BITMIME|AUTH PLAIN",
	SPAN_INIT("From: \xc3\xa4@b\r\n\r\nhi\r\n"),
	"the message needs SMTPUTF8, which the mail server lacks"},
    {"NUL", "8BITMIME|AUTH PLAIN", SPAN_INIT("From: a@b\r\n\r\n\0\r\n"),
	"the message contains a NUL byte"},
    {"no header", "8BITMIME|AUTH PLAIN", SPAN_INIT(" folded\r\n\r\nhi\r\n"),
	"the message begins with no header field"},
    {"too large", "SIZE 100|AUTH PLAIN", SPAN_INIT("From: a@b\r\n\r\nhi\r\n"),
	"the mail server takes 100"},
};

static void
test_redirect_refused(void **state)
{
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(redirects_refused); i++) {
		struct world w;

		world_init(&w);
		w.offers = redirects_refused[i].offers;
		live_item(&w, "redirect", redirects_refused[i].original);
		if (w.messages != 0 ||
		    strstr(buf_str(&w.reports), "failed") == NULL ||
		    strstr(buf_str(&w.reports), redirects_refused[i].reason) ==
			NULL) {
			print_error("%s: %s\n", redirects_refused[i].name,
			    buf_str(&w.reports));
			failures++;
		}
		world_done(&w);
	}
	assert_int_equal(failures, 0);
}

/* An address beyond ASCII, where the server takes it and where not. */
static void
test_eai(void **state)
{
	static const struct span original =
	    SPAN_INIT("From: \xc3\xa4@b\r\n\r\nhi\r\n");

	(void)state;
	for (unsigned has_utf8 = 0; has_utf8 < 2; has_utf8++) {
		struct world w;

		world_init(&w);
		w.offers = has_utf8 ? "8BITMIME|SMTPUTF8|AUTH PLAIN"
				    : "8BITMIME|AUTH PLAIN";
		enqueue_item(
		    &w, "1", "j\xc3\xbcrgen@example.net", "attach", original);
		start(&w);
		run(&w, USEC_MINUTE);
		assert_int_equal(w.messages, has_utf8);
		if (has_utf8)
			assert_non_null(strstr(
			    buf_str(&w.first), "Content-Type: message/global"));
		else
			assert_non_null(strstr(buf_str(&w.reports),
			    "failed: an address has letters beyond ASCII, and "
			    "the mail server no SMTPUTF8"));
		world_done(&w);
	}
}

/* The header may be UTF-8 where the server says so. */
static void
test_redirect_utf8(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.offers = "8BITMIME|SMTPUTF8|AUTH PLAIN";
	live_item(&w, "redirect", SPAN("From: \xc3\xa4@b\r\n\r\nhi\r\n"));
	assert_int_equal(w.messages, 1);
	world_done(&w);
}

/* ---- claimed items ------------------------------------------------ */

static const struct claimed_life {
	const char *name, *unknown, *claims;
	usec_t data_takes, duration;
	enum queue_state state;
	unsigned messages, asked, settled;
	const char *report; /* NULL: any */
} claimed_lives[] = {
    {"ours", "resend", "o", 0, USEC_MINUTE, QUEUE_SENT, 1, 1, 1, "sent: 250"},
    {"ours for good", "resend", "O", USEC_HOUR, 2 * USEC_HOUR, QUEUE_SENT, 1, 1,
	1, NULL},
    {"another's, then ours", "resend", "wo", 0, USEC_HOUR, QUEUE_SENT, 1, 2, 2,
	NULL},
    {"another's for ever", "resend", "w", 0, 65 * USEC_MINUTE, QUEUE_WAITING, 0,
	7, 7, NULL},
    {"another sent it", "resend", "d", 0, USEC_HOUR, QUEUE_DROPPED, 0, 1, 1,
	"dropped: another machine sent it"},
    {"another may have sent it", "resend", "u", 0, USEC_HOUR, QUEUE_HELD, 0, 1,
	1, "held: outcome unknown"},
    {"another may have sent it: ask", "hold", "u", 0, USEC_HOUR, QUEUE_HELD, 0,
	1, 1, "held: outcome unknown"},
    {"another may have sent it: drop", "drop", "u", 0, USEC_HOUR, QUEUE_DROPPED,
	0, 1, 1, "dropped: outcome unknown"},
    {"no answer, then ours", "resend", "-o", 0, USEC_HOUR, QUEUE_SENT, 1, 2, 2,
	NULL},
    {"too old at the dot, and renewed", "resend", "so", 2 * USEC_SEC, USEC_HOUR,
	QUEUE_SENT, 1, 2, 1, NULL},
    {"too old at the dot, and lost", "resend", "swo", 2 * USEC_SEC, USEC_HOUR,
	QUEUE_SENT, 1, 3, 2, NULL},
    {"too old at the dot, and another sent it", "resend", "sd", 2 * USEC_SEC,
	USEC_HOUR, QUEUE_DROPPED, 0, 2, 1, "dropped: another machine sent it"},
    {"too old at the dot, and no answer", "resend", "s-o", 2 * USEC_SEC,
	USEC_HOUR, QUEUE_SENT, 1, 3, 2, NULL},
};

static bool
live_claimed(const struct claimed_life *c)
{
	struct world w;
	bool right;

	world_init(&w);
	w.claims = c->claims;
	w.data_takes = c->data_takes;
	enqueue_as(&w, "k1", c->unknown, STORE_CLAIMED);
	start(&w);
	run(&w, c->duration);
	right = state_of(&w) == c->state && w.messages == c->messages &&
		w.asked == c->asked && w.settled == c->settled &&
		w.settled_as == c->state && !w.may_be_sent &&
		(c->report == NULL ||
		    strstr(buf_str(&w.reports), c->report) != NULL);
	if (!right)
		print_error(
		    "%s: %s, %u messages, asked %u, settled %u as %s\n%s\n",
		    c->name, queue_state_name(state_of(&w)), w.messages,
		    w.asked, w.settled, queue_state_name(w.settled_as),
		    buf_str(&w.reports));
	world_done(&w);
	return right;
}

static void
test_claimed(void **state)
{
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(claimed_lives); i++)
		failures += !live_claimed(&claimed_lives[i]);
	assert_int_equal(failures, 0);
}

/* A daemon that is alone asks nobody. */
static void
test_not_claimed(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.claims = "d";
	enqueue(&w, "k1", "resend");
	start(&w);
	run(&w, USEC_HOUR);
	assert_int_equal(state_of(&w), QUEUE_SENT);
	assert_int_equal(w.asked + w.settled, 0);
	world_done(&w);
}

/* Nobody knows whether it arrived: it is asked again whose it is, before it is
 * sent again. */
static void
test_claimed_and_unknown(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.step = "dot";
	w.reply = "";
	w.bad_connections = 1;
	w.hangs_up = true;
	w.claims = "od";
	enqueue_as(&w, "k1", "resend", STORE_CLAIMED);
	start(&w);
	run(&w, 10 * USEC_SEC);
	assert_int_equal(w.settled, 1);
	assert_int_equal(w.settled_as, QUEUE_WAITING);
	assert_true(w.may_be_sent);
	run(&w, USEC_HOUR);
	assert_int_equal(state_of(&w), QUEUE_DROPPED);
	assert_int_equal(w.asked, 2);
	assert_int_equal(w.messages, 0);
	world_done(&w);
}

/* Also by a daemon that finds it SENDING after a crash. */
static void
test_claimed_die_everywhere(void **state)
{
	(void)state;
	for (unsigned at = 1;; at++) {
		struct world w;
		unsigned events, messages;

		world_init(&w);
		w.die_at = at;
		w.claims = "o";
		enqueue_as(&w, "k1", "resend", STORE_CLAIMED);
		start(&w);
		run(&w, USEC_HOUR);
		events = w.events;
		messages = w.messages;
		assert_int_equal(state_of(&w), QUEUE_SENT);
		assert_int_equal(messages, w.died_in_window ? 2 : 1);
		/* Once for each life that sent. */
		assert_in_range(w.asked, messages, messages + 1);
		world_done(&w);
		if (events < at)
			break;
		assert_in_range(at, 1, 100);
	}
}

static usec_t
wait_of(struct random *random, unsigned times)
{
	return retry_wait(random, times, false);
}

static usec_t
pause_of(struct random *random, unsigned times)
{
	return retry_pause(random, times);
}

/* Each wait is its step, give or take a fifth. */
static void
assert_steps(struct random *random,
    usec_t (*wait)(struct random *random, unsigned times), const usec_t *steps,
    unsigned count)
{
	for (unsigned i = 0; i < 100 * count; i++) {
		usec_t step = steps[i % count];
		usec_t got = wait(random, i % count + 1);

		assert_in_range(got, step / 5 * 4, step / 5 * 6);
	}
}

static void
test_retry(void **state)
{
	struct random random;
	BUF_AUTO reply = BUF_INIT;

	(void)state;
	random_init(&random, 1);
	for (unsigned i = 0; i < 100; i++) {
		assert_true(retry_wait(&random, i, false) >= 48 * USEC_SEC);
		assert_true(retry_wait(&random, i, true) >= RETRY_SLOW_USEC);
		assert_true(
		    retry_wait(&random, i, false) <= RETRY_WAIT_MAX_USEC);
		assert_true(retry_pause(&random, i) >= USEC_HOUR);
		assert_true(retry_pause(&random, i) <= 29 * USEC_HOUR);
	}
	assert_steps(&random, wait_of,
	    (const usec_t[]){1 * USEC_MINUTE, 5 * USEC_MINUTE, 15 * USEC_MINUTE,
		30 * USEC_MINUTE, USEC_HOUR, USEC_HOUR, USEC_HOUR},
	    7);
	assert_steps(&random, pause_of,
	    (const usec_t[]){USEC_HOUR, 2 * USEC_HOUR, 4 * USEC_HOUR,
		8 * USEC_HOUR, 16 * USEC_HOUR, 24 * USEC_HOUR, 24 * USEC_HOUR},
	    7);
	assert_false(retry_is_over(7, 0, 1000000));
	assert_false(retry_is_over(8, 0, 48 * 3600 - 1));
	assert_true(retry_is_over(8, 0, 48 * 3600));
	assert_int_equal(retry_unknown_count(SPAN("450 later")), 0);
	assert_int_equal(retry_unknown_count(SPAN("[unknown x] a")), 0);
	retry_format_reply(&reply, 3, SPAN("450 later"));
	assert_string_equal(buf_str(&reply), "[unknown 3] 450 later");
	assert_int_equal(retry_unknown_count(buf_span(&reply)), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_retry),
	    cmocka_unit_test(test_lives),
	    cmocka_unit_test(test_claimed),
	    cmocka_unit_test(test_not_claimed),
	    cmocka_unit_test(test_claimed_and_unknown),
	    cmocka_unit_test(test_claimed_die_everywhere),
	    cmocka_unit_test(test_many_on_one_connection),
	    cmocka_unit_test(test_commits_of_many),
	    cmocka_unit_test(test_written_while_the_next_is_sent),
	    cmocka_unit_test(test_written_alone),
	    cmocka_unit_test(test_written_soon),
	    cmocka_unit_test(test_ahead_is_bounded),
	    cmocka_unit_test(test_ahead_is_looked_at),
	    cmocka_unit_test(test_mark_is_taken_back),
	    cmocka_unit_test(test_stop_among_many),
	    cmocka_unit_test(test_sent),
	    cmocka_unit_test(test_sent_everywhere),
	    cmocka_unit_test(test_sent_and_stop),
	    cmocka_unit_test(test_cut_everywhere),
	    cmocka_unit_test(test_hold_is_at_most_once),
	    cmocka_unit_test(test_commit_fails),
	    cmocka_unit_test(test_store_broken),
	    cmocka_unit_test(test_die_everywhere),
	    cmocka_unit_test(test_die_and_hold),
	    cmocka_unit_test(test_break_in_commit),
	    cmocka_unit_test(test_stop_in_commit),
	    cmocka_unit_test(test_floor),
	    cmocka_unit_test(test_refused_secret),
	    cmocka_unit_test(test_login_later),
	    cmocka_unit_test(test_good_before),
	    cmocka_unit_test(test_token),
	    cmocka_unit_test(test_clock_jumps),
	    cmocka_unit_test(test_stop),
	    cmocka_unit_test(test_redirect_is_given_up),
	    cmocka_unit_test(test_target_is_given_up),
	    cmocka_unit_test(test_texts_are_refused),
	    cmocka_unit_test(test_trouble_costs_no_try),
	    cmocka_unit_test(test_redirect),
	    cmocka_unit_test(test_redirect_refused),
	    cmocka_unit_test(test_inline),
	    cmocka_unit_test(test_redirect_utf8),
	    cmocka_unit_test(test_eai),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
