/*
 * sweep [-v] [-t TRAITS] [-k KIND -n POINT [-K KIND -N POINT]]: one fixed
 * story, a message of each kind, interrupted once at each place where it can
 * be, and twice at many.
 *
 * The story is played once without interruption, and what can be interrupted
 * is counted: commits, lines from the server, events that the owner answers.
 * Then it is played anew for each of them and each kind of interruption; and
 * for pairs, drawn with a fixed seed: what looks after the first is met by the
 * second.
 * However it was interrupted, in the end everything is done, and once. For
 * servers of several kinds; prints how many points were run, and each that
 * broke something, with the options that play it again.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/account/mailbox.h"
#include "daemon/base/random.h"
#include "daemon/base/xalloc.h"
#include "tests/lib/rules_text.h"
#include "tests/sim/model_imap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define START_UNIX 1800000000
#define START_USEC (100 * USEC_SEC)
#define END_USEC (START_USEC + 3 * USEC_DAY) /* the slowest ladder ends */
#define STEPS_MAX 100000
#define TASK_USEC (5 * USEC_SEC) /* how long a command runs */
#define TASKS_MAX 32
#define PLACES 2  /* interruptions of one story, at most */
#define PAIRS 700 /* stories with two, for each server */

/* ---- the story ---- */

enum kind {
	KIND_PLAIN,
	KIND_MOVE,
	KIND_MOVE_TOO, /* with the one before it in one command */
	KIND_TWIN,     /* the same bytes again: no Message-ID, same size */
	KIND_COPY,
	KIND_MARK,
	KIND_EXEC,
	KIND_FORWARD,
	KIND_ALL,
	KIND_CREATE,
	KIND_DELETE,
	KIND_MISSING,
	KIND_BODY, /* the text of every message is asked for, or only of it */
	KIND_ATTACHED,
	KIND_STRANGER,
	KIND_STRANGER_AGAIN,
	KINDS
};

static const char *const subjects[KINDS] = {
    [KIND_PLAIN] = "plain",
    [KIND_MOVE] = "tomove",
    [KIND_MOVE_TOO] = "tomove",
    [KIND_TWIN] = "tomove",
    [KIND_COPY] = "tocopy",
    [KIND_MARK] = "tomark",
    [KIND_EXEC] = "toexec",
    [KIND_FORWARD] = "toforward",
    [KIND_ALL] = "toall",
    [KIND_CREATE] = "tocreate",
    [KIND_DELETE] = "todelete",
    [KIND_MISSING] = "tomissing",
    [KIND_BODY] = "toread",
    [KIND_ATTACHED] = "toattach",
    [KIND_STRANGER] = "stranger",
    [KIND_STRANGER_AGAIN] = "stranger",
};

static const char rules_text[] =
    "[rule m]\nwhen = subject has tomove\nmove = A\n"
    "[rule c]\nwhen = subject has tocopy\ncopy = B\n"
    "[rule f]\nwhen = subject has tomark\nmark = flagged\n"
    "[rule e]\nwhen = subject has toexec\nexec = /bin/run\n"
    "[rule w]\nwhen = subject has toforward\nforward = boss@example.net\n"
    "[rule a]\nwhen = subject has toall\ncopy = B\nexec = /bin/run\n"
    "mark = answered\nmove = A\n"
    "[rule n]\nwhen = subject has tocreate\nmove = New\ncreate = yes\n"
    "[rule d]\nwhen = subject has todelete\ndelete = forever\n"
    "[rule x]\nwhen = subject has tomissing\nmove = Nowhere\n"
    "[rule t]\nwhen = attachment.name is report.pdf\ncopy = B\n"
    "[rule s]\nwhen = new-sender and from has stranger\nmark = answered\n";
static const char every_text[] = "[rule b]\nwhen = body has needle\nmove = A\n";
/* What is judged at once is written in chunks. */
static const char one_text[] =
    "[rule b]\nwhen = subject has toread and body has needle\nmove = A\n";

/* ---- interruptions ---- */

enum interruption {
	NOTHING,
	COMMIT_FAILS,	   /* nothing was written */
	KILL_IN_COMMIT,	   /* it was written, nobody hears of it */
	CUT_BEFORE_LINE,   /* the server acted, its answer is lost */
	CUT_AFTER_LINE,	   /* before the client's next command is sent */
	KILL_BEFORE_LINE,  /* as CUT, and the daemon's memory is gone too */
	KILL_BEFORE_EVENT, /* the owner never acted */
	KILL_AFTER_EVENT,
	INTERRUPTIONS
};

enum counter {
	COUNT_COMMITS,
	COUNT_LINES,
	COUNT_EVENTS,
	COUNTERS
};

static const struct {
	const char *name;
	enum counter counter;
} interruptions[INTERRUPTIONS] = {
    [NOTHING] = {"nothing", COUNT_EVENTS},
    [COMMIT_FAILS] = {"commit-fails", COUNT_COMMITS},
    [KILL_IN_COMMIT] = {"kill-in-commit", COUNT_COMMITS},
    [CUT_BEFORE_LINE] = {"cut-before-line", COUNT_LINES},
    [CUT_AFTER_LINE] = {"cut-after-line", COUNT_LINES},
    [KILL_BEFORE_LINE] = {"kill-before-line", COUNT_LINES},
    [KILL_BEFORE_EVENT] = {"kill-before-event", COUNT_EVENTS},
    [KILL_AFTER_EVENT] = {"kill-after-event", COUNT_EVENTS},
};

/* ---- the world ---- */

struct outside {
	uint32_t uidvalidity, uid;
	unsigned seq;
	usec_t at; /* USEC_NEVER: a free place */
};

struct place {
	enum interruption interruption;
	unsigned point; /* counts from 1 */
};

struct world {
	bool verbose;
	struct place places[PLACES];
	unsigned counts[COUNTERS];

	usec_t now;
	struct model model;
	struct store *store;
	struct rules *rules;
	struct limits *limits;
	struct senders *senders;
	struct strv identities;
	struct mailbox_config config;
	struct mailbox *mailbox;
	struct model_session *session; /* NULL: not connected */
	bool connecting, told;
	unsigned kills;
	struct outside outsides[TASKS_MAX];
	unsigned executed[KINDS], notified[KINDS];
	char why[400]; /* "": all is well */
};

static void note(const struct world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
note(const struct world *w, const char *format, ...)
{
	va_list args;

	if (!w->verbose)
		return;
	printf("%10.3f  ", (double)(w->now - START_USEC) / 1e6);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static void fail(struct world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
fail(struct world *w, const char *format, ...)
{
	va_list args;

	if (w->why[0] != '\0')
		return; /* the first reason counts */
	va_start(args, format);
	vsnprintf(w->why, sizeof(w->why), format, args);
	va_end(args);
}

/* Counts; whether this is the point to interrupt in this way. */
static bool
strikes(const struct world *w, enum interruption interruption)
{
	unsigned count = w->counts[interruptions[interruption].counter];

	for (size_t i = 0; i < PLACES; i++)
		if (w->places[i].interruption == interruption &&
		    w->places[i].point == count)
			return true;
	return false;
}

/* Folders as they are on the wire. */
static const char *
wire(const struct world *w, const char *name)
{
	static char text[100];

	snprintf(text, sizeof(text), "%s%s",
	    (w->model.traits & MODEL_DOT_PREFIX) ? "INBOX." : "", name);
	return text;
}

/* ---- life and death ---- */

static void
be_born(struct world *w)
{
	w->limits = limits_new();
	w->senders = senders_new();
	senders_load(w->senders, w->store, "sweep", NULL);
	w->config.senders = w->senders;
	w->config.chunk = 2;
	w->mailbox = mailbox_new(&w->config, w->rules, w->limits, w->now);
	mailbox_set_clock(w->mailbox,
	    START_UNIX + (int64_t)((w->now - START_USEC) / USEC_SEC), 0,
	    w->now);
	mailbox_start(w->mailbox, w->now);
}

static void
drop_link(struct world *w)
{
	model_session_free(&w->session);
	w->connecting = false;
}

static void
die(struct world *w)
{
	drop_link(w);
	for (size_t i = 0; i < TASKS_MAX; i++)
		w->outsides[i].at = USEC_NEVER;
	mailbox_free(&w->mailbox);
	limits_free(&w->limits);
	senders_free(&w->senders);
}

static void
kill_and_restart(struct world *w)
{
	note(w, "the daemon is killed");
	w->kills++;
	die(w);
	w->now += USEC_SEC;
	be_born(w);
}

static void
cut(struct world *w)
{
	note(w, "the link breaks");
	drop_link(w);
	mailbox_eof(w->mailbox, w->now);
}

/* ---- the owner ---- */

static bool
load_effect(void *ctx, const struct store_effect *effect,
    const struct store_message *message)
{
	mailbox_load_effect(ctx, effect, message);
	return true;
}

static void
answer_load(struct world *w)
{
	struct store_cursor cursor;
	bool found = false;

	store_get_cursor(w->store, "sweep", "INBOX", &cursor, &found, NULL);
	store_each_open_effect(
	    w->store, "sweep", "INBOX", load_effect, w->mailbox, NULL);
	mailbox_loaded(w->mailbox, found ? &cursor : NULL, w->now);
}

static void
answer_commit(struct world *w, const struct store_batch *batch)
{
	struct error error = ERROR_INIT;

	w->counts[COUNT_COMMITS]++;
	if (strikes(w, COMMIT_FAILS))
		store_fail_commit(w->store, 1, false);
	bool ok = store_commit(w->store, batch, &error);
	if (strikes(w, KILL_IN_COMMIT))
		kill_and_restart(w);
	else
		mailbox_committed(w->mailbox, ok, &error, w->now);
}

/* UIDs count from 1, in the order of the kinds. */
static enum kind
kind_of(struct world *w, uint32_t uid)
{
	if (uid == 0 || uid > KINDS) {
		fail(w, "a task for UID %u", uid);
		return KIND_PLAIN;
	}
	return (enum kind)(uid - 1);
}

static void
take_task(struct world *w, const struct mailbox_task *task, unsigned *times)
{
	size_t i = 0;

	times[kind_of(w, task->uid)]++;
	while (i < TASKS_MAX && w->outsides[i].at != USEC_NEVER)
		i++;
	if (i == TASKS_MAX)
		fail(w, "too many tasks at once");
	else
		w->outsides[i] = (struct outside){task->uidvalidity, task->uid,
		    task->seq, w->now + TASK_USEC};
}

static void
answer(struct world *w, const struct mailbox_event *event)
{
	switch (event->kind) {
	case MAILBOX_LOAD:
		answer_load(w);
		break;
	case MAILBOX_RECALL: /* this server rebuilds nothing */
		break;
	case MAILBOX_CONNECT:
		drop_link(w);
		w->connecting = true;
		break;
	case MAILBOX_DISCONNECT:
		drop_link(w);
		break;
	case MAILBOX_SECRET:
		mailbox_secret(w->mailbox, SPAN("secret"), w->now);
		break;
	case MAILBOX_COMMIT:
		answer_commit(w, event->batch);
		break;
	case MAILBOX_EXEC:
		take_task(w, event->task, w->executed);
		break;
	case MAILBOX_NOTIFY:
		take_task(w, event->task, w->notified);
		break;
	case MAILBOX_REPORT:
		note(w, "  %s %u: %s", report_kind_name(event->report->kind),
		    event->report->uid, event->report->text);
		break;
	case MAILBOX_STARTTLS:
	case MAILBOX_LOCKED_OUT:
	case MAILBOX_TOLD:
	case MAILBOX_LOST:
	case MAILBOX_HANDED:
	case MAILBOX_OVER_LIMIT:
	case MAILBOX_PROGRESS:
	case MAILBOX_EXPLAINED:
	case MAILBOX_FOUND:
	case MAILBOX_LEFT:
		fail(w, "event %d was not in the story", event->kind);
		break;
	case MAILBOX_FORWARD:
	case MAILBOX_QUEUED:
	case MAILBOX_FOLDERS:
	case MAILBOX_PROVEN:
	case MAILBOX_LOGIN_FAILED:
	case MAILBOX_CHANGED:
		break;
	}
}

static bool
pull(struct world *w)
{
	struct mailbox_event event;

	if (!mailbox_next_event(w->mailbox, &event, w->now))
		return false;
	w->counts[COUNT_EVENTS]++;
	if (strikes(w, KILL_BEFORE_EVENT)) {
		kill_and_restart(w);
	} else {
		answer(w, &event);
		if (strikes(w, KILL_AFTER_EVENT))
			kill_and_restart(w);
	}
	mailbox_event_done(&event);
	return true;
}

/* ---- the link ---- */

static bool
connect(struct world *w)
{
	if (!w->connecting)
		return false;
	w->connecting = false;
	w->session = model_session_new(&w->model);
	mailbox_connected(w->mailbox, w->now);
	return true;
}

static bool
move_up(struct world *w)
{
	struct span out = mailbox_output(w->mailbox);

	if (w->session == NULL || out.len == 0)
		return false;
	model_session_feed(w->session, out);
	mailbox_sent(w->mailbox, out.len);
	return true;
}

/* One line of the server. */
static bool
move_down(struct world *w)
{
	if (w->session == NULL)
		return false;
	model_session_poll(w->session);
	struct buf *said = model_session_output(w->session);
	if (said->len == 0)
		return false;
	w->counts[COUNT_LINES]++;
	if (strikes(w, CUT_BEFORE_LINE)) {
		cut(w);
	} else if (strikes(w, KILL_BEFORE_LINE)) {
		kill_and_restart(w);
	} else {
		size_t len = span_find(buf_span(said), '\n');
		STR_AUTO line = xstrdup_span(span_slice(
		    buf_span(said), 0, len == SIZE_MAX ? len : len + 1));
		buf_consume(said, strlen(line));
		mailbox_feed(w->mailbox, span_from_str(line), w->now);
		if (strikes(w, CUT_AFTER_LINE))
			cut(w);
	}
	return true;
}

/* ---- time ---- */

static void
end_tasks(struct world *w)
{
	for (size_t i = 0; i < TASKS_MAX; i++) {
		struct outside ended = w->outsides[i];
		if (ended.at > w->now)
			continue;
		w->outsides[i].at = USEC_NEVER;
		mailbox_task_done(w->mailbox, ended.uidvalidity, ended.uid,
		    ended.seq, EFFECT_DONE, "exit 0", w->now);
	}
}

static bool
pass_time(struct world *w)
{
	usec_t next = mailbox_deadline(w->mailbox);

	for (size_t i = 0; i < TASKS_MAX; i++)
		next = usec_min(next, w->outsides[i].at);
	if (next == USEC_NEVER) {
		fail(w, "nothing will ever happen again");
		return false;
	}
	if (next > w->now)
		w->now = next;
	end_tasks(w);
	if (mailbox_deadline(w->mailbox) <= w->now)
		mailbox_tick(w->mailbox, w->now);
	return true;
}

static void
add_body(struct buf *text, unsigned id)
{
	if (id == KIND_ATTACHED)
		buf_add_str(text, "\r\n" MODEL_BOUNDARY "\r\n");
	buf_addf(text, "\r\nBody%s\r\n", id == KIND_BODY ? ", needle" : "");
	if (id == KIND_ATTACHED)
		buf_add_str(text, MODEL_BOUNDARY
		    "\r\nContent-Type: "
		    "application/pdf\r\n\r\nAAAA\r\n" MODEL_BOUNDARY "--\r\n");
}

static void
deliver_all(struct world *w)
{
	for (unsigned id = 0; id < KINDS; id++) {
		BUF_AUTO text = BUF_INIT;

		buf_addf(&text,
		    "From: %s@example.org\r\nTo: ann@example.com\r\n"
		    "Subject: %s\r\n",
		    id >= KIND_STRANGER ? "stranger" : "sender", subjects[id]);
		if (id != KIND_TWIN && id != KIND_MOVE)
			buf_addf(
			    &text, "Message-ID: <m%u@example.org>\r\n", id);
		add_body(&text, id);
		model_deliver(&w->model, "INBOX", id, buf_str(&text));
	}
	w->told = true;
}

static bool
is_watching(const struct world *w)
{
	struct mailbox_status status;

	mailbox_get_status(w->mailbox, &status);
	return strcmp(status.state, "watching") == 0;
}

static bool
count_open(void *ctx, const struct store_effect *effect,
    const struct store_message *message)
{
	(void)message;
	*(unsigned *)ctx += strcmp(effect->kind, "forward") != 0;
	return true;
}

/* Everything was judged and nothing is open. */
static bool
is_settled(struct world *w)
{
	struct store_cursor cursor = {0};
	unsigned open = 0;
	bool found = false;

	if (!w->told || !is_watching(w))
		return false;
	store_get_cursor(w->store, "sweep", "INBOX", &cursor, &found, NULL);
	store_each_open_effect(
	    w->store, "sweep", "INBOX", count_open, &open, NULL);
	return open == 0 && found && cursor.next_uid > KINDS;
}

static void
play(struct world *w)
{
	for (unsigned i = 0; w->why[0] == '\0'; i++) {
		if (i == STEPS_MAX)
			fail(w, "too many steps: something spins");
		if (pull(w) || connect(w) || move_up(w) || move_down(w))
			continue;
		if (!w->told && is_watching(w)) {
			deliver_all(w);
			continue;
		}
		if (is_settled(w))
			return;
		if (w->now > END_USEC)
			fail(w, "it never settles");
		pass_time(w);
	}
}

/* ---- what must be true in the end ---- */

struct truth {
	unsigned judged[KINDS + 1], forwards[KINDS + 1];
	unsigned states[KINDS + 1][EFFECT_STATES];
};

static bool
note_message(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	struct truth *truth = ctx;
	uint32_t uid = message->key.uid <= KINDS ? message->key.uid : 0;

	truth->judged[uid]++;
	for (size_t i = 0; i < count; i++)
		truth->states[uid][effects[i].state]++;
	return true;
}

static bool
note_forward(void *ctx, const struct store_queue_item *item)
{
	struct truth *truth = ctx;

	truth->forwards[item->source.uid <= KINDS ? item->source.uid : 0]++;
	return true;
}

static void
expect(struct world *w, unsigned id, const char *what, unsigned have,
    unsigned want)
{
	if (have != want)
		fail(w, "#%u (%s): %s: %u, not %u", id, subjects[id], what,
		    have, want);
}

static void
check_places(struct world *w, unsigned id)
{
	static const struct {
		unsigned inbox, a, b, new;
	} places[KINDS] = {
	    [KIND_PLAIN] = {1, 0, 0, 0},
	    [KIND_MOVE] = {0, 1, 0, 0},
	    [KIND_MOVE_TOO] = {0, 1, 0, 0},
	    [KIND_TWIN] = {0, 1, 0, 0},
	    [KIND_COPY] = {1, 0, 1, 0},
	    [KIND_MARK] = {1, 0, 0, 0},
	    [KIND_EXEC] = {1, 0, 0, 0},
	    [KIND_FORWARD] = {1, 0, 0, 0},
	    [KIND_ALL] = {0, 1, 1, 0},
	    [KIND_CREATE] = {0, 0, 0, 1},
	    [KIND_DELETE] = {0, 0, 0, 0},
	    [KIND_MISSING] = {1, 0, 0, 0},
	    [KIND_BODY] = {0, 1, 0, 0},
	    [KIND_ATTACHED] = {1, 0, 1, 0},
	    [KIND_STRANGER] = {1, 0, 0, 0},
	    [KIND_STRANGER_AGAIN] = {1, 0, 0, 0},
	};
	struct model *model = &w->model;

	expect(w, id, "in INBOX", model_count(model, "INBOX", id, false),
	    places[id].inbox);
	expect(w, id, "in A", model_count(model, wire(w, "A"), id, false),
	    places[id].a);
	expect(w, id, "in B", model_count(model, wire(w, "B"), id, false),
	    places[id].b);
	expect(w, id, "in New", model_count(model, wire(w, "New"), id, false),
	    places[id].new);
}

static void
check_executed(struct world *w, unsigned id, const struct truth *truth)
{
	unsigned unknown = truth->states[id + 1][EFFECT_UNKNOWN];
	bool runs = id == KIND_EXEC || id == KIND_ALL;

	if (w->executed[id] > (runs ? 1 : 0))
		fail(w, "#%u was executed %u times", id, w->executed[id]);
	if (runs && w->executed[id] == 0 && unknown == 0)
		fail(w, "#%u was never executed, and nobody says so", id);
	if (unknown > 0 && w->kills == 0)
		fail(w, "#%u is unknown, though the daemon lives", id);
}

static void
check_flags(struct world *w)
{
	if (!model_has_flag(&w->model, "INBOX", KIND_MARK, "\\Flagged"))
		fail(w, "not flagged");
	if (!model_has_flag(&w->model, wire(w, "A"), KIND_ALL, "\\Answered"))
		fail(w, "not marked before its move");
	bool first =
	    model_has_flag(&w->model, "INBOX", KIND_STRANGER, "\\Answered");
	bool again = model_has_flag(
	    &w->model, "INBOX", KIND_STRANGER_AGAIN, "\\Answered");
	if (!first && !(again && w->model.any_order))
		fail(w, "the stranger was not new");
	if (first && again)
		fail(w, "the stranger was new twice");
	if (again && !w->model.any_order)
		fail(w, "the stranger was new the second time");
}

static void
check_message(struct world *w, unsigned id, const struct truth *truth)
{
	unsigned failed = truth->states[id + 1][EFFECT_FAILED] +
			  truth->states[id + 1][EFFECT_SKIPPED];

	expect(w, id, "judged", truth->judged[id + 1], 1);
	expect(w, id, "forwards", truth->forwards[id + 1], id == KIND_FORWARD);
	expect(w, id, "failed", failed, id == KIND_MISSING);
	check_places(w, id);
	check_executed(w, id, truth);
	if (w->notified[id] == 0 && id != KIND_DELETE)
		fail(w, "#%u was never notified", id);
	/* Rather twice than never, where nobody lived to write its outcome. */
	if (w->notified[id] > 1 + w->kills)
		fail(w, "#%u rang %u times", id, w->notified[id]);
}

static void
check(struct world *w)
{
	const struct store_history_query query = {.limit = 1000};
	struct truth truth = {0};

	store_each_history(w->store, &query, note_message, &truth, NULL);
	store_each_queued(w->store, "sweep", note_forward, &truth, NULL);
	for (unsigned id = 0; id < KINDS; id++)
		check_message(w, id, &truth);
	check_flags(w);
}

/* ---- runs ---- */

static void
set_up(struct world *w, uint64_t traits)
{
	struct rule_problems problems = {0};
	BUF_AUTO text = BUF_INIT;

	w->now = START_USEC;
	model_init(&w->model, traits);
	buf_addf(&text, "%s%s", rules_text,
	    w->model.any_order ? one_text : every_text);
	model_add(&w->model, wire(w, "A"));
	model_add(&w->model, wire(w, "B"));
	w->store = store_open_memory();
	w->rules = rules_from_text(buf_str(&text), &problems);
	rule_problems_done(&problems);
	if (w->rules == NULL) {
		fprintf(stderr, "the rules do not compile\n");
		exit(2);
	}
	strv_add(&w->identities, "ann@example.com");
	w->config = (struct mailbox_config){
	    .account = "sweep",
	    .name = "INBOX",
	    .imap = {.security = IMAP_SECURITY_TLS,
		.auth = IMAP_AUTH_PASSWORD,
		.user = "ann",
		.host = "mail.example.com",
		.port = 993,
		.client_version = "0"},
	    .identities = &w->identities,
	    .default_notification = true,
	    .notify = true,
	    .email = "ann@example.com",
	    .seed = 1,
	};
	for (size_t i = 0; i < TASKS_MAX; i++)
		w->outsides[i].at = USEC_NEVER;
	be_born(w);
}

static void
tear_down(struct world *w)
{
	die(w);
	rules_free(&w->rules);
	store_close(&w->store);
	model_done(&w->model);
	strv_done(&w->identities);
}

/* One story; `counts_r` is what could have been interrupted. */
static bool
run(uint64_t traits, const struct place *places, bool verbose,
    unsigned *counts_r)
{
	struct world *w = NEW(struct world);

	w->verbose = verbose;
	memcpy(w->places, places, sizeof(w->places));
	set_up(w, traits);
	play(w);
	if (w->why[0] == '\0')
		check(w);
	bool good = w->why[0] == '\0';
	if (!good)
		printf(
		    "sweep -v -t %llu -k %d -n %u -K %d -N %u (%s, %s): %s\n",
		    (unsigned long long)traits, (int)places[0].interruption,
		    places[0].point, (int)places[1].interruption,
		    places[1].point, interruptions[places[0].interruption].name,
		    interruptions[places[1].interruption].name, w->why);
	memcpy(counts_r, w->counts, sizeof(w->counts));
	tear_down(w);
	free(w);
	return good;
}

struct total {
	unsigned points, pairs, failed;
};

/* A place anywhere in a story that has so much to interrupt. */
static struct place
any_place(struct random *random, const unsigned *counts)
{
	struct place place;

	place.interruption =
	    (enum interruption)(1 + random_below(random, INTERRUPTIONS - 1));
	place.point =
	    1 + (unsigned)random_below(
		    random, counts[interruptions[place.interruption].counter]);
	return place;
}

static void
sweep_once(uint64_t traits, const unsigned *counts, struct total *total)
{
	unsigned ignored[COUNTERS];

	for (enum interruption kind = NOTHING + 1; kind < INTERRUPTIONS; kind++)
		for (unsigned n = 1; n <= counts[interruptions[kind].counter];
		     n++) {
			const struct place places[PLACES] = {{kind, n}};
			total->failed += !run(traits, places, false, ignored);
			total->points++;
		}
}

/* The second one soon after the first, or anywhere. */
static void
sweep_pairs(uint64_t traits, const unsigned *counts, struct total *total)
{
	unsigned after[COUNTERS];
	struct random random;

	random_init(&random, traits);
	for (unsigned i = 0; i < PAIRS; i++) {
		struct place places[PLACES] = {any_place(&random, counts)};
		if (!run(traits, places, false, after))
			continue; /* that was said already */
		places[1] = any_place(&random, after);
		if (random_below(&random, 2) == 0) {
			places[1].interruption = places[0].interruption;
			places[1].point = places[0].point + 1 +
					  (unsigned)random_below(&random, 40);
		}
		total->failed += !run(traits, places, false, after);
		total->pairs++;
	}
}

static void
sweep(uint64_t traits, struct total *total)
{
	static const struct place none[PLACES];
	unsigned counts[COUNTERS];

	total->failed += !run(traits, none, false, counts);
	sweep_once(traits, counts, total);
	sweep_pairs(traits, counts, total);
}

static const uint64_t servers[] = {
    MODEL_MOVE | MODEL_UIDPLUS | MODEL_IDLE,
    MODEL_UIDPLUS | MODEL_IDLE,
    MODEL_IDLE,
    MODEL_MOVE | MODEL_UIDPLUS | MODEL_NO_COPYUID | MODEL_IDLE,
    MODEL_MOVE | MODEL_UIDPLUS | MODEL_BARE_COPYUID | MODEL_CHATTY | MODEL_IDLE,
    MODEL_UIDPLUS | MODEL_NO_COPYUID | MODEL_NO_UIDNEXT | MODEL_NAMESPACE |
	MODEL_DOT_PREFIX,
};

struct options {
	uint64_t traits;
	bool verbose, single;
	struct place places[PLACES];
};

static bool
read_options(struct options *options, int argc, char **argv)
{
	struct place *places = options->places;
	int option;

	while ((option = getopt(argc, argv, "vt:k:n:K:N:")) != -1) {
		unsigned value =
		    optarg != NULL ? (unsigned)strtoul(optarg, NULL, 10) : 0;
		options->single = true;
		if (option == 'v')
			options->verbose = true;
		else if (option == 't')
			options->traits = strtoull(optarg, NULL, 10);
		else if (option == 'k' || option == 'K')
			places[option == 'K'].interruption =
			    value % INTERRUPTIONS;
		else if (option == 'n' || option == 'N')
			places[option == 'N'].point = value;
		else
			return false;
	}
	return true;
}

int
main(int argc, char **argv)
{
	struct options options = {.traits = servers[0]};
	unsigned counts[COUNTERS];
	struct total total = {0};

	if (!read_options(&options, argc, argv))
		return 2;
	if (options.single)
		return !run(
		    options.traits, options.places, options.verbose, counts);
	for (size_t i = 0; i < COUNT(servers); i++)
		sweep(servers[i], &total);
	printf("%u interruption points, %u pairs, %u failed\n", total.points,
	    total.pairs, total.failed);
	return total.failed > 0;
}
