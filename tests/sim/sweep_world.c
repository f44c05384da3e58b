/*
 * sim/sweep: one mailbox, its owner, its server and its time.
 */
#include "tests/sim/sweep_private.h"

#include <stdarg.h>
#include <stdio.h>

#include "daemon/base/xalloc.h"

#define END_USEC (START_USEC + 3 * USEC_DAY) /* the slowest ladder ends */
#define STEPS_MAX 100000
#define TASK_USEC (5 * USEC_SEC) /* how long a command runs */

const char *const sweep_subjects[KINDS] = {
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

const struct sweep_row sweep_interruptions[INTERRUPTIONS] = {
    [NOTHING] = {"nothing", COUNT_EVENTS},
    [COMMIT_FAILS] = {"commit-fails", COUNT_COMMITS},
    [KILL_IN_COMMIT] = {"kill-in-commit", COUNT_COMMITS},
    [CUT_BEFORE_LINE] = {"cut-before-line", COUNT_LINES},
    [CUT_AFTER_LINE] = {"cut-after-line", COUNT_LINES},
    [KILL_BEFORE_LINE] = {"kill-before-line", COUNT_LINES},
    [KILL_BEFORE_EVENT] = {"kill-before-event", COUNT_EVENTS},
    [KILL_AFTER_EVENT] = {"kill-after-event", COUNT_EVENTS},
};

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

void
sweep_fail(struct world *w, const char *format, ...)
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
	unsigned count = w->counts[sweep_interruptions[interruption].counter];

	for (size_t i = 0; i < PLACES; i++)
		if (w->places[i].interruption == interruption &&
		    w->places[i].point == count)
			return true;
	return false;
}

/* Folders as they are on the wire. */
const char *
sweep_wire(const struct world *w, const char *name)
{
	static char text[100];

	snprintf(text, sizeof(text), "%s%s",
	    (w->model.traits & MODEL_DOT_PREFIX) ? "INBOX." : "", name);
	return text;
}

void
sweep_be_born(struct world *w)
{
	w->limits = limits_new();
	w->senders = senders_new();
	senders_load(w->senders, w->store, "sweep", NULL);
	w->config.senders = w->senders;
	w->config.chunk = 2;
	w->mailbox =
	    mailbox_new(&w->config, &(struct mailbox_which){.name = "INBOX"},
		w->rules, w->limits, w->now);
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

void
sweep_die(struct world *w)
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
	sweep_die(w);
	w->now += USEC_SEC;
	sweep_be_born(w);
}

static void
cut(struct world *w)
{
	note(w, "the link breaks");
	drop_link(w);
	mailbox_eof(w->mailbox, w->now);
}

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
		sweep_fail(w, "a task for UID %u", uid);
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
		sweep_fail(w, "too many tasks at once");
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
	case MAILBOX_PREVIEWED:
	case MAILBOX_LEFT:
		sweep_fail(w, "event %d was not in the story", event->kind);
		break;
	case MAILBOX_PREPARE:
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
		sweep_fail(w, "nothing will ever happen again");
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
		    id >= KIND_STRANGER ? "stranger" : "sender",
		    sweep_subjects[id]);
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

void
sweep_play(struct world *w)
{
	for (unsigned i = 0; w->why[0] == '\0'; i++) {
		if (i == STEPS_MAX)
			sweep_fail(w, "too many steps: something spins");
		if (pull(w) || connect(w) || move_up(w) || move_down(w))
			continue;
		if (!w->told && is_watching(w)) {
			deliver_all(w);
			continue;
		}
		if (is_settled(w))
			return;
		if (w->now > END_USEC)
			sweep_fail(w, "it never settles");
		pass_time(w);
	}
}
