#include "tests/sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/account/account.h"
#include "daemon/base/random.h"
#include "daemon/base/xalloc.h"
#include "daemon/config/presets.h"
#include "tests/sim/model_imap.h"

#define MESSAGES_MAX 121	   /* one is kept for the end */
#define RUN_USEC (12 * USEC_HOUR)  /* with faults */
#define CALM_USEC (60 * USEC_HOUR) /* without: the slowest ladder ends */
#define LOOK_USEC (4 * USEC_HOUR)  /* the calm ends when all is settled */
#define PATIENT_PERCENT 15	   /* ... and in these seeds never sooner */
#define STEPS_MAX 400000
#define START_UNIX 1800000000
/* Kinds that old messages can have: the first ones; their rules have ids and
 * words of their own, so that a run by these judges nothing else. */
#define OLD_KINDS (KIND_KEEP + 1)
#define OLD_MAX 20
#define OLD_MAILBOX "Old"
#define START_USEC (100 * USEC_SEC)

/* What a kind of message is met by, and what must be true of it at the end. */
enum kind {
	KIND_PLAIN,
	KIND_MOVE,
	KIND_COPY,
	KIND_MARK,
	KIND_EXEC,
	KIND_FORWARD,
	KIND_ALL,
	KIND_CREATE,
	KIND_MISSING,
	KIND_KEEP,
	KIND_BODY,
	KIND_ATTACHED,
	KIND_STRANGER,
	KINDS
};

static const struct {
	const char *word;
	const char *rule[5]; /* keys and values, "key = value" */
	const char *when;    /* NULL: the subject has the word */
} kinds[KINDS] = {
    [KIND_PLAIN] = {"plain", {NULL}, NULL},
    [KIND_MOVE] = {"tomove", {"move=A", NULL}, NULL},
    [KIND_COPY] = {"tocopy", {"copy=B", NULL}, NULL},
    [KIND_MARK] = {"tomark", {"mark=flagged", NULL}, NULL},
    [KIND_EXEC] = {"toexec", {"exec=/bin/run ${subject}", NULL}},
    [KIND_FORWARD] = {"toforward", {"forward=boss@example.net", NULL}, NULL},
    [KIND_ALL] = {"toall", {"copy=B", "exec=/bin/run ${subject}",
			       "mark=answered", "move=A", NULL}},
    [KIND_CREATE] = {"tocreate", {"move=New", "create=yes", NULL}, NULL},
    [KIND_MISSING] = {"tomissing", {"move=Nowhere", NULL}, NULL},
    [KIND_KEEP] = {"tokeep", {"copy=Nowhere", "move=A", NULL}, NULL},
    /* The text of every message is asked for. */
    [KIND_BODY] = {"toread", {"move=A", NULL}, "body has needle"},
    [KIND_ATTACHED] = {"toattach", {"copy=B", NULL},
	"attachment.name is report.pdf"},
    [KIND_STRANGER] = {"stranger", {"mark=flagged", NULL},
	"new-sender and from has stranger"},
};

struct sent_message {
	enum kind kind;
	uint32_t uidvalidity, uid;
	unsigned stranger; /* which one wrote it */
	bool touched;	   /* another client removed it: anything may be true */
	bool flagged; /* ... set a flag: after a break no other may be set */
	bool seen;    /* ... or read it: nobody need ring */
	unsigned executed, notified;
	bool old; /* there before first contact */
};

/* One direction of a link. */
struct pipe {
	struct buf bytes;
	usec_t next; /* when the next piece arrives; USEC_NEVER: nothing */
};

struct link {
	struct mailbox *mailbox;
	struct model_session *session; /* NULL: not connected */
	struct pipe up, down;
	usec_t connect_at; /* a CONNECT is under way */
	bool silent;	   /* half-open: nothing arrives any more */
	usec_t last_connect, free_until;
	usec_t doubted; /* a hint came and it is silent; 0: not */
};

/* A command or notification that ends later. */
struct outside {
	struct list_link link;
	struct mailbox *mailbox;
	uint32_t uidvalidity, uid;
	unsigned seq;
	usec_t at;
	bool is_exec;
};

/* A batch on its way to a slow disk. */
struct writing {
	struct list_link link;
	struct mailbox *mailbox;
	const struct store_batch *batch;
	usec_t at;
};

struct world {
	struct random random;
	bool verbose, faulty;
	bool slow_disk; /* commits are answered later */
	usec_t now;
	struct model model;
	struct store *store;
	struct rules *rules;
	struct limits *limits;
	struct senders *senders;
	struct strv watch, identities, authserv;
	struct account_config config;
	struct account *account;
	struct link links[ACCOUNT_MAILBOXES_MAX];
	struct list_link outsides; /* struct outside::link */
	struct list_link writings; /* struct writing::link */
	struct sent_message messages[MESSAGES_MAX];
	unsigned message_count;
	bool visits; /* the old messages are where nobody watches */
	bool requested;
	usec_t next_happening, quiet_until;
	bool in_contact;
	bool immortal;	 /* this seed's daemon is never killed */
	bool is_patient; /* this seed's calm is as long as can be */
	bool was_rebuilt, run_ended;
	bool rebuilds;	   /* this seed's UIDVALIDITY changes now and then */
	int64_t clock_off; /* seconds that the wall clock is wrong */
	unsigned kill_in;  /* steps until the daemon dies; 0: it lives on */
	struct world_result *result;
};

static void note(struct world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
note(struct world *w, const char *format, ...)
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

	if (!w->result->ok)
		return; /* the first reason counts */
	w->result->ok = false;
	va_start(args, format);
	vsnprintf(w->result->why, sizeof(w->result->why), format, args);
	va_end(args);
	note(w, "BROKEN: %s", w->result->why);
}

static bool
chance(struct world *w, unsigned percent)
{
	return random_below(&w->random, 100) < percent;
}

static usec_t
delay(struct world *w)
{
	return USEC_MSEC + random_below(&w->random, 400 * USEC_MSEC);
}

/* ---- rules ---- */

static void
add_rule(struct rules_builder *builder, enum kind kind, bool old)
{
	struct rule_line lines[8];
	struct rule_place place = {.file = "sim", .line = 1, .column = 1};
	char values[8][100], keys[8][20];
	size_t count = 0;

	if (old)
		snprintf(
		    values[0], sizeof(values[0]), "subject has old%d", kind);
	else if (kinds[kind].when != NULL)
		snprintf(values[0], sizeof(values[0]), "%s", kinds[kind].when);
	else
		snprintf(values[0], sizeof(values[0]), "subject has %s",
		    kinds[kind].word);
	lines[count++] = (struct rule_line){"when", values[0], place};
	for (size_t i = 0; kinds[kind].rule[i] != NULL; i++) {
		const char *equals = strchr(kinds[kind].rule[i], '=');
		snprintf(keys[count], sizeof(keys[count]), "%.*s",
		    (int)(equals - kinds[kind].rule[i]), kinds[kind].rule[i]);
		snprintf(
		    values[count], sizeof(values[count]), "%s", equals + 1);
		lines[count] =
		    (struct rule_line){keys[count], values[count], place};
		count++;
	}
	STR_AUTO id =
	    old ? xasprintf("old%d", kind) : xstrdup(kinds[kind].word);
	rules_builder_add_rule(builder, id, place, lines, count);
}

static struct rules *
make_rules(void)
{
	struct rules_builder *builder = rules_builder_new();
	struct rule_problems problems = {0};

	for (enum kind kind = 0; kind < KINDS; kind++)
		if (kinds[kind].rule[0] != NULL)
			add_rule(builder, kind, false);
	for (enum kind kind = 0; kind < OLD_KINDS; kind++)
		if (kinds[kind].rule[0] != NULL)
			add_rule(builder, kind, true);
	struct rules *rules = rules_builder_finish(builder, &problems);
	for (size_t i = 0; i < problems.count; i++)
		fprintf(stderr, "rule: %s\n", problems.items[i].text);
	rule_problems_done(&problems);
	rules_builder_free(&builder);
	return rules;
}

/* ---- links ---- */

static struct link *
link_of(struct world *w, struct mailbox *mailbox)
{
	size_t i = 0;

	while (i + 1 < ACCOUNT_MAILBOXES_MAX && w->links[i].mailbox != NULL &&
	       w->links[i].mailbox != mailbox)
		i++;
	if (w->links[i].mailbox == NULL) {
		w->links[i] = (struct link){.mailbox = mailbox};
		w->links[i].connect_at = USEC_NEVER;
		w->links[i].up.next = w->links[i].down.next = USEC_NEVER;
	}
	return &w->links[i];
}

static void
drop_link(struct link *link)
{
	if (link->session != NULL && link->down.bytes.len > 0)
		model_session_unheard(link->session);
	model_session_free(&link->session);
	buf_clear(&link->up.bytes);
	buf_clear(&link->down.bytes);
	link->up.next = link->down.next = link->connect_at = USEC_NEVER;
	link->silent = false;
	link->doubted = 0;
}

static void
schedule(struct world *w, struct pipe *pipe)
{
	if (pipe->bytes.len > 0 && pipe->next == USEC_NEVER)
		pipe->next = w->now + delay(w);
}

/* Takes what both ends have to say. */
static void
collect(struct world *w, struct link *link)
{
	if (link->session == NULL)
		return;
	struct span out = mailbox_output(link->mailbox);
	while (out.len > 0) {
		size_t part = 1 + random_below(&w->random, out.len);
		buf_add(&link->up.bytes, out.data, part);
		mailbox_sent(link->mailbox, part);
		out = mailbox_output(link->mailbox);
	}
	struct buf *said = model_session_output(link->session);
	buf_add_span(&link->down.bytes, buf_span(said));
	buf_clear(said);
	schedule(w, &link->up);
	schedule(w, &link->down);
}

/* One random piece of what is under way. */
static struct buf
take_piece(struct world *w, struct pipe *pipe)
{
	struct buf piece = BUF_INIT;
	size_t len = pipe->bytes.len;

	if (chance(w, 30))
		len = 1 + random_below(&w->random, len);
	buf_add(&piece, pipe->bytes.data, len);
	buf_consume(&pipe->bytes, len);
	pipe->next = USEC_NEVER;
	return piece;
}

static void
move_up(struct world *w, struct link *link)
{
	struct buf piece = take_piece(w, &link->up);

	if (!link->silent)
		model_session_feed(link->session, buf_span(&piece));
	buf_done(&piece);
}

static void
end_link(struct world *w, struct link *link)
{
	struct mailbox *mailbox = link->mailbox;

	drop_link(link);
	mailbox_eof(mailbox, w->now);
}

static void
move_down(struct world *w, struct link *link)
{
	struct buf piece = take_piece(w, &link->down);

	if (!link->silent)
		mailbox_feed(link->mailbox, buf_span(&piece), w->now);
	buf_done(&piece);
}

/* ---- answering the daemon ---- */

static void
answer_connect(struct world *w, struct link *link)
{
	usec_t floor = backoff_floor(BACKOFF_NETWORK);

	drop_link(link);
	if (link->last_connect != 0 && w->now > link->free_until &&
	    w->now < usec_add(link->last_connect, floor / 2))
		fail(w, "connects again after %llu us",
		    (unsigned long long)(w->now - link->last_connect));
	link->last_connect = w->now;
	link->connect_at = w->now + delay(w);
}

static void
finish_connect(struct world *w, struct link *link)
{
	struct error error = ERROR_INIT;

	link->connect_at = USEC_NEVER;
	if (w->faulty && chance(w, 20)) {
		error_set(&error, FAULT_RETRY, "connection refused");
		mailbox_connect_failed(link->mailbox, &error, w->now);
		return;
	}
	link->session = model_session_new(&w->model);
	mailbox_connected(link->mailbox, w->now);
}

static bool
load_effect(void *ctx, const struct store_effect *effect,
    const struct store_message *message)
{
	mailbox_load_effect(ctx, effect, message);
	return true;
}

static bool
load_apply(void *ctx, const struct store_apply *apply)
{
	if (apply_is_unfinished(apply->state) &&
	    strcmp(apply->mailbox, mailbox_name(ctx)) == 0)
		mailbox_load_apply(ctx, apply);
	return true;
}

static void
answer_load(struct world *w, struct mailbox *mailbox)
{
	struct store_cursor cursor;
	STR_AUTO renew = NULL;
	bool found = false;

	store_get_fact(w->store, "sim", MAILBOX_RENEW_FACT, &renew, NULL);
	if (renew != NULL)
		mailbox_load_renewal(
		    mailbox, strtoull(renew, NULL, 10) * USEC_SEC, w->now);
	store_get_cursor(
	    w->store, "sim", mailbox_name(mailbox), &cursor, &found, NULL);
	store_each_open_effect(
	    w->store, "sim", mailbox_name(mailbox), load_effect, mailbox, NULL);
	store_each_apply(w->store, "sim", load_apply, mailbox, NULL);
	mailbox_loaded(mailbox, found ? &cursor : NULL, w->now);
}

static int64_t
now_unix(const struct world *w)
{
	return START_UNIX + w->clock_off +
	       (int64_t)((w->now - START_USEC) / USEC_SEC);
}

static void
answer_recall(struct world *w, struct mailbox *mailbox)
{
	struct recall *recall = recall_load(w->store, "sim",
	    mailbox_name(mailbox), now_unix(w), RECALL_KEEP_SEC, NULL);

	mailbox_recalled(mailbox, &recall, w->now);
}

static bool
write_batch(
    struct world *w, const struct store_batch *batch, struct error *error)
{
	bool ok;

	if (w->faulty && w->in_contact && chance(w, 3)) {
		store_fail_commit(w->store, 1, false);
		w->result->failed_commits++;
	}
	ok = store_commit(w->store, batch, error);
	if (ok)
		w->in_contact = true;
	return ok;
}

static void
answer_commit(
    struct world *w, struct mailbox *mailbox, const struct store_batch *batch)
{
	struct error error = ERROR_INIT;
	bool ok = write_batch(w, batch, &error);

	mailbox_committed(mailbox, ok, &error, w->now);
}

/* Most writes take milliseconds, some take very long. */
static void
begin_commit(
    struct world *w, struct mailbox *mailbox, const struct store_batch *batch)
{
	struct writing *writing;
	usec_t most = chance(w, 5) ? 40 * USEC_SEC : 20 * USEC_MSEC;

	if (!w->slow_disk) {
		answer_commit(w, mailbox, batch);
		return;
	}
	writing = NEW(struct writing);
	writing->mailbox = mailbox;
	writing->batch = batch;
	writing->at = w->now + random_below(&w->random, most);
	list_add(&w->writings, &writing->link);
}

static void
serve_writing(struct world *w, struct writing *writing)
{
	struct mailbox *mailbox = writing->mailbox;
	const struct store_batch *batch = writing->batch;

	list_remove(&writing->link);
	free(writing);
	if (link_of(w, mailbox)->doubted != 0) /* it could not look */
		link_of(w, mailbox)->doubted = w->now;
	answer_commit(w, mailbox, batch);
}

static bool
is_writing(const struct world *w, const struct mailbox *mailbox)
{
	LIST_EACH(pos, &w->writings)
	if (LIST_ITEM(pos, struct writing, link)->mailbox == mailbox)
		return true;
	return false;
}

/* The daemon dies: what was on its way is on disk, or it is not. */
static void
leave_writings(struct world *w)
{
	LIST_EACH(pos, &w->writings)
	{
		struct writing *writing = LIST_ITEM(pos, struct writing, link);
		if (chance(w, 50))
			write_batch(w, writing->batch, NULL);
		list_remove(pos);
		free(writing);
	}
}

static struct sent_message *
message_of_subject(struct world *w, const char *subject)
{
	const char *hash = strchr(subject, '#');
	unsigned id = hash != NULL ? (unsigned)atoi(hash + 1) : 0;

	if (id >= w->message_count) {
		fail(w, "a task for an unknown message: %s", subject);
		return &w->messages[0];
	}
	return &w->messages[id];
}

static void
take_task(struct world *w, struct mailbox *mailbox,
    const struct mailbox_task *task, bool is_exec)
{
	struct sent_message *message = message_of_subject(w, task->subject);
	struct outside *outside = NEW(struct outside);

	if (is_exec) {
		message->executed++;
		note(w, "runs for %s", task->subject);
		if (task->action.argv.len != 2 || task->input.len == 0)
			fail(w, "a command without its argument or input");
	} else {
		message->notified++;
	}
	*outside = (struct outside){.mailbox = mailbox,
	    .uidvalidity = task->uidvalidity,
	    .uid = task->uid,
	    .seq = task->seq,
	    .at = w->now + random_below(&w->random, 20 * USEC_SEC),
	    .is_exec = is_exec};
	list_add(&w->outsides, &outside->link);
}

/* ---- runs over old messages ---- */

static const char *
old_mailbox(const struct world *w)
{
	return w->visits ? OLD_MAILBOX : "INBOX";
}

static void
add_old_rules(struct buf *rules)
{
	for (int kind = 0; kind < OLD_KINDS; kind++)
		if (kinds[kind].rule[0] != NULL)
			buf_addf(rules, "old%d ", kind);
}

static bool
is_unfinished(void *ctx, const struct store_apply *apply)
{
	*(bool *)ctx = apply_is_unfinished(apply->state);
	return true;
}

/* As the wiring does after a login: whoever has the run already goes on. */
static void
resume_run(struct world *w)
{
	struct store_apply apply = {.account = "sim",
	    .mailbox = old_mailbox(w),
	    .run = 1,
	    .detail = ""};
	struct error error = ERROR_INIT;
	BUF_AUTO rules = BUF_INIT;
	bool unfinished = false;

	store_each_apply(w->store, "sim", is_unfinished, &unfinished, NULL);
	if (!unfinished)
		return;
	add_old_rules(&rules);
	apply.rules = buf_str(&rules);
	if (account_apply(w->account, &apply, false, w->now, &error) == NULL)
		note(w, "the run waits: %s", error.text);
}

static void
request_run(struct world *w)
{
	struct store_apply apply = {
	    .account = "sim", .mailbox = old_mailbox(w), .run = 1};
	struct store_batch *batch = store_batch_new();
	BUF_AUTO rules = BUF_INIT;

	if (!w->requested) {
		note(w, "a run is asked for in %s", apply.mailbox);
		w->requested = true;
		add_old_rules(&rules);
		apply.rules = buf_str(&rules);
		store_batch_set_apply(batch, &apply);
		store_commit(w->store, batch, NULL);
		resume_run(w);
	}
	store_batch_free(&batch);
}

/* The last link takes the place of the visitor's. */
static void
let_go(struct world *w, struct mailbox *visitor)
{
	struct link *link = link_of(w, visitor);
	struct link *last = link;

	drop_link(link);
	buf_done(&link->up.bytes);
	buf_done(&link->down.bytes);
	while (last[1].mailbox != NULL)
		last++;
	*link = *last;
	*last = (struct link){0};
	LIST_EACH(pos, &w->outsides)
	{
		struct outside *outside = LIST_ITEM(pos, struct outside, link);
		if (outside->mailbox != visitor)
			continue;
		fail(w, "a visitor left before its command ended");
		list_remove(pos);
		free(outside);
	}
	if (is_writing(w, visitor))
		fail(w, "a visitor left before all was written");
	account_let_go(w->account, visitor);
}

static void
answer(struct world *w, struct mailbox *mailbox, struct mailbox_event *event)
{
	struct link *link = link_of(w, mailbox);

	switch (event->kind) {
	case MAILBOX_LOAD:
		answer_load(w, mailbox);
		break;
	case MAILBOX_RECALL:
		answer_recall(w, mailbox);
		break;
	case MAILBOX_CONNECT:
		answer_connect(w, link);
		break;
	case MAILBOX_DISCONNECT:
		drop_link(link);
		break;
	case MAILBOX_SECRET:
		mailbox_secret(mailbox, SPAN("secret"), w->now);
		break;
	case MAILBOX_COMMIT:
		begin_commit(w, mailbox, event->batch);
		break;
	case MAILBOX_EXEC:
		take_task(w, mailbox, event->task, true);
		break;
	case MAILBOX_NOTIFY:
		take_task(w, mailbox, event->task, false);
		break;
	case MAILBOX_REPORT:
		note(w, "  %s %u: %s", report_kind_name(event->report->kind),
		    event->report->uid, event->report->text);
		break;
	case MAILBOX_STARTTLS:
		if ((w->model.traits & MODEL_STARTTLS) == 0)
			fail(w, "asked for TLS on a link that is secure");
		model_session_secured(link->session);
		mailbox_tls_started(mailbox, w->now);
		break;
	case MAILBOX_PROVEN:
		resume_run(w);
		break;
	case MAILBOX_LEFT:
		let_go(w, mailbox);
		resume_run(w); /* the wiring looks every half minute */
		break;
	case MAILBOX_QUEUED:
	case MAILBOX_FOLDERS:
	case MAILBOX_LOGIN_FAILED:
	case MAILBOX_CHANGED:
	case MAILBOX_LOCKED_OUT:
	case MAILBOX_TOLD:
	case MAILBOX_LOST:
	case MAILBOX_HANDED:
	case MAILBOX_OVER_LIMIT:
	case MAILBOX_PROGRESS:
	case MAILBOX_EXPLAINED:
	case MAILBOX_FOUND:
		break;
	}
}

/* ---- the daemon's life ---- */

static bool
seed_limit(void *ctx, const char *rule, int64_t when_unix)
{
	limits_note(ctx, rule, when_unix);
	return true;
}

static void
be_born(struct world *w)
{
	w->model.refused_at = 0; /* whoever starts it says that all is well */
	w->model.in_a_row = 0;
	w->limits = limits_new();
	store_each_hit(w->store, 0, seed_limit, w->limits, NULL);
	w->senders = senders_new();
	senders_load(w->senders, w->store, "sim", NULL);
	w->config.mailbox.senders = w->senders;
	w->config.mailbox.ask_end_first =
	    (w->model.traits & MODEL_BEYOND_HANGS) != 0;
	w->config.mailbox.one_at_a_time = w->model.traits % 5 == 0;
	w->config.mailbox.await_idle_end = w->model.traits % 3 == 0;
	w->config.mailbox.seed = random_next(&w->random);
	w->account = account_new(&w->config, w->rules, w->limits, w->now);
	account_set_clock(w->account, now_unix(w), 0, w->now);
	memset(w->links, 0, sizeof(w->links));
	account_start(w->account, w->now);
}

static void
die(struct world *w)
{
	for (size_t i = 0; i < ACCOUNT_MAILBOXES_MAX; i++) {
		model_session_free(&w->links[i].session);
		buf_done(&w->links[i].up.bytes);
		buf_done(&w->links[i].down.bytes);
	}
	LIST_EACH(pos, &w->outsides)
	{
		list_remove(pos);
		free(LIST_ITEM(pos, struct outside, link));
	}
	leave_writings(w);
	account_free(&w->account);
	limits_free(&w->limits);
	senders_free(&w->senders);
}

static void
kill_and_restart(struct world *w)
{
	note(w, "the daemon is killed");
	w->result->kills++;
	die(w);
	be_born(w);
}

static void
pump(struct world *w)
{
	struct account_event event;

	while (account_next_event(w->account, &event, w->now)) {
		bool killed = w->kill_in > 0 && --w->kill_in == 0;
		if (!killed || chance(w, 50))
			answer(w, event.mailbox, &event.event);
		mailbox_event_done(&event.event);
		if (killed)
			kill_and_restart(w);
	}
	for (size_t i = 0;
	     i < ACCOUNT_MAILBOXES_MAX && w->links[i].mailbox != NULL; i++)
		collect(w, &w->links[i]);
}

/* ---- happenings ---- */

/* Folders as they are on the wire. */
static const char *
wire(const struct world *w, const char *name)
{
	return model_wire(&w->model, name);
}

/* Where the message came to. */
static const char *
source_of(const struct world *w, unsigned id)
{
	return w->messages[id].old && w->visits ? wire(w, OLD_MAILBOX)
						: "INBOX";
}

static void
deliver_old(struct world *w)
{
	unsigned count = 1 + (unsigned)random_below(&w->random, OLD_MAX);

	for (unsigned id = 0; id < count; id++) {
		struct sent_message *message = &w->messages[id];
		BUF_AUTO text = BUF_INIT;
		message->old = true;
		message->kind = (enum kind)random_below(&w->random, OLD_KINDS);
		buf_addf(&text,
		    "From: o%u@example.org\r\nSubject: old%d #%u\r\n"
		    "Message-ID: <o%u@example.org>\r\n\r\nBody\r\n",
		    id, message->kind, id, id);
		message->uid = model_deliver(
		    &w->model, source_of(w, id), id, buf_str(&text));
		message->uidvalidity =
		    model_find(&w->model, source_of(w, id))->uidvalidity;
	}
	w->message_count = count;
}

static void
add_body(struct buf *text, enum kind kind, unsigned id)
{
	if (kind == KIND_ATTACHED)
		buf_add_str(text, "\r\n" MODEL_BOUNDARY "\r\n");
	buf_addf(text, "\r\nBody %u%s\r\n", id,
	    kind == KIND_BODY ? " with a needle in it" : "");
	if (kind == KIND_ATTACHED)
		buf_add_str(text, MODEL_BOUNDARY
		    "\r\nContent-Type: "
		    "application/pdf\r\n\r\nAAAA\r\n" MODEL_BOUNDARY "--\r\n");
}

static uint32_t
known_validity(const struct world *w)
{
	struct store_cursor cursor = {0};
	bool found = false;

	store_get_cursor(w->store, "sim", "INBOX", &cursor, &found, NULL);
	return cursor.uidvalidity;
}

static void
deliver(struct world *w)
{
	unsigned id = w->message_count;
	BUF_AUTO text = BUF_INIT;

	if (id >= (w->faulty ? MESSAGES_MAX - 1 : MESSAGES_MAX))
		return;
	struct sent_message *message = &w->messages[w->message_count++];
	message->kind = (enum kind)random_below(&w->random, KINDS);
	if (message->kind == KIND_STRANGER) {
		message->stranger = (unsigned)random_below(&w->random, 3);
		buf_addf(&text, "From: stranger%u@example.org\r\n",
		    message->stranger);
	} else {
		buf_addf(
		    &text, "From: \"Sender %u\" <s%u@example.org>\r\n", id, id);
	}
	buf_addf(&text,
	    "To: ann@example.com\r\n"
	    "Subject: %s #%u\r\nDate: Tue, 17 Nov 2026 10:00:00 +0000\r\n",
	    kinds[message->kind].word, id);
	if (!chance(w, 15)) /* some have none */
		buf_addf(&text, "Message-ID: <m%u@example.org>\r\n", id);
	add_body(&text, message->kind, id);
	message->uid = model_deliver(&w->model, "INBOX", id, buf_str(&text));
	message->uidvalidity = model_find(&w->model, "INBOX")->uidvalidity;
	/* Before the daemon has seen that all is new there. */
	message->touched = message->uidvalidity != known_validity(w);
	note(w, "delivered %s #%u as UID %u", kinds[message->kind].word, id,
	    message->uid);
	for (size_t i = 0; i < ACCOUNT_MAILBOXES_MAX; i++) {
		if (w->links[i].session == NULL)
			continue;
		model_session_poll(w->links[i].session);
		collect(w, &w->links[i]);
	}
}

static void
cut(struct world *w)
{
	for (size_t i = 0; i < ACCOUNT_MAILBOXES_MAX; i++)
		if (w->links[i].session != NULL && chance(w, 70)) {
			note(w, "the link breaks");
			w->result->cuts++;
			end_link(w, &w->links[i]);
		}
}

/* What is on its way down never arrives. */
static void
fall_silent(struct link *link)
{
	if (link->down.bytes.len > 0)
		model_session_unheard(link->session);
	link->silent = true;
}

static void
silence(struct world *w)
{
	for (size_t i = 0; i < ACCOUNT_MAILBOXES_MAX; i++)
		if (w->links[i].session != NULL) {
			note(w, "the link falls silent");
			fall_silent(&w->links[i]);
		}
}

/* The machine slept, or the network changed: whatever is silent by now must
 * be found out at once. */
static void
hint(struct world *w)
{
	for (size_t i = 0; i < ACCOUNT_MAILBOXES_MAX; i++) {
		/* It may try at once, and begin anew. */
		w->links[i].free_until =
		    usec_add(w->now, 2 * MAILBOX_HINT_USEC);
		if (w->links[i].session != NULL && w->links[i].silent &&
		    w->links[i].doubted == 0)
			w->links[i].doubted = w->now;
	}
	account_hint(w->account, w->now);
}

static void
change_network(struct world *w)
{
	unsigned count = 1 + (unsigned)random_below(&w->random, 4);

	note(w, "the network changes");
	if (chance(w, 50))
		silence(w);
	while (count-- > 0)
		hint(w);
}

/* All timers are due at once, and the other end knows nothing of it. */
static void
suspend(struct world *w)
{
	usec_t slept = random_below(&w->random, 3 * USEC_HOUR);

	note(w, "the machine sleeps");
	silence(w);
	if (chance(w, 50))
		deliver(w);
	w->now = usec_add(w->now, slept);
	for (size_t i = 0; i < ACCOUNT_MAILBOXES_MAX; i++)
		w->links[i].doubted = 0;
	hint(w);
}

static void
bye(struct world *w)
{
	for (size_t i = 0; i < ACCOUNT_MAILBOXES_MAX; i++)
		if (w->links[i].session != NULL)
			model_session_bye(w->links[i].session);
}

static void
other_client(struct world *w)
{
	if (w->message_count == 0)
		return;
	unsigned id = (unsigned)random_below(&w->random, w->message_count);
	note(w, "another client removes #%u", id);
	w->messages[id].touched = true;
	model_remove(&w->model, source_of(w, id), id);
}

static void
toggle_quota(struct world *w)
{
	w->model.overquota = !w->model.overquota;
	note(w, "over quota: %d", w->model.overquota);
}

static void
doom(struct world *w)
{
	if (!w->immortal)
		w->kill_in = 1 + (unsigned)random_below(&w->random, 60);
}

static void
burst(struct world *w)
{
	for (unsigned i = 0; i < 8; i++)
		deliver(w);
}

/* Reads, or puts a keyword to, some of what is there. */
static void
other_flags(struct world *w)
{
	unsigned id = (unsigned)random_below(&w->random, w->message_count);
	bool reads = chance(w, 50);

	note(w, "another client %s #%u", reads ? "reads" : "labels", id);
	if (reads)
		w->messages[id].seen = true;
	w->messages[id].flagged = true;
	model_flag(
	    &w->model, source_of(w, id), id, reads ? "\\Seen" : "$Label");
}

/* Whatever is there gets another UID, and what was planned for the old ones is
 * not done. */
static void
rebuild(struct world *w)
{
	if (!w->rebuilds)
		return;
	note(w, "the mailbox is rebuilt");
	w->was_rebuilt = true;
	for (unsigned id = 0; id < w->message_count; id++)
		if (strcmp(source_of(w, id), "INBOX") == 0 &&
		    model_count(&w->model, "INBOX", id, false) +
			    model_count(&w->model, "INBOX", id, true) >
			0)
			w->messages[id].touched = true;
	model_rebuild(&w->model, "INBOX");
}

static void
jump_clock(struct world *w)
{
	w->clock_off = (int64_t)random_below(&w->random, 12 * 60 * 60) -
		       (int64_t)6 * 60 * 60;
	note(w, "the clock is wrong by %lld s", (long long)w->clock_off);
	account_set_clock(w->account, now_unix(w), 0, w->now);
}

static void
start_again(struct world *w)
{
	note(w, "a person starts the account");
	w->model.refused_at = 0;
	w->model.in_a_row = 0;
	for (size_t i = 0; i < ACCOUNT_MAILBOXES_MAX; i++) {
		struct link *link = &w->links[i];
		usec_t until = usec_add(w->now, USEC_SEC);
		if (link->free_until < until)
			link->free_until = until;
	}
	account_start(w->account, w->now);
}

static void
reload(struct world *w)
{
	note(w, "the rules are read again");
	account_set_rules(w->account, w->rules);
}

static const struct {
	void (*happen)(struct world *);
	unsigned weight;
} happenings[] = {{deliver, 40}, {burst, 4}, {cut, 10}, {silence, 4}, {bye, 5},
    {other_client, 4}, {request_run, 4}, {reload, 3}, {toggle_quota, 2},
    {doom, 12}, {suspend, 4}, {change_network, 6}, {other_flags, 6},
    {rebuild, 3}, {jump_clock, 3}, {start_again, 1}};

static void
happen(struct world *w)
{
	unsigned total = 0, dice;
	size_t i = 0;

	for (size_t n = 0; n < sizeof(happenings) / sizeof(happenings[0]); n++)
		total += happenings[n].weight;
	dice = (unsigned)random_below(&w->random, total);
	while (dice >= happenings[i].weight)
		dice -= happenings[i++].weight;
	happenings[i].happen(w);
	w->next_happening =
	    w->now + (chance(w, 50)
			     ? random_below(&w->random, 3 * USEC_SEC)
			     : random_below(&w->random, 20 * USEC_MINUTE));
}

static void
become_calm(struct world *w)
{
	request_run(w);
	note(w, "calm");
	w->faulty = false;
	w->next_happening = USEC_NEVER;
	w->model.overquota = false;
	w->model.moody = false;
	if (w->model.in_a_row > 0 || account_lockout(w->account) != NULL)
		start_again(w);
	w->kill_in = 0;
}

/* ---- time ---- */

/* Watched ones, then visitors. */
static struct mailbox *
nth_mailbox(const struct world *w, size_t index)
{
	size_t watched = account_count(w->account);

	return index < watched ? account_mailbox(w->account, index)
			       : account_visitor(w->account, index - watched);
}

static size_t
mailbox_total(const struct world *w)
{
	return account_count(w->account) + account_visitor_count(w->account);
}

static usec_t
next_of_link(const struct link *link)
{
	usec_t next = link->connect_at;

	next = usec_min(next, link->up.next);
	return usec_min(next, link->down.next);
}

static usec_t
next_time(struct world *w)
{
	usec_t next = usec_min(w->next_happening, w->quiet_until);

	for (size_t i = 0; i < mailbox_total(w); i++) {
		struct mailbox *mailbox = nth_mailbox(w, i);
		next = usec_min(next, mailbox_deadline(mailbox));
		next = usec_min(next, next_of_link(link_of(w, mailbox)));
	}
	LIST_EACH(pos, &w->outsides)
	next = usec_min(next, LIST_ITEM(pos, struct outside, link)->at);
	LIST_EACH(pos, &w->writings)
	next = usec_min(next, LIST_ITEM(pos, struct writing, link)->at);
	return next > w->now ? next : w->now;
}

static void
serve_link(struct world *w, struct link *link)
{
	if (link->connect_at <= w->now)
		finish_connect(w, link);
	if (link->session != NULL && link->up.next <= w->now)
		move_up(w, link);
	if (link->session != NULL && link->down.next <= w->now)
		move_down(w, link);
	if (link->session == NULL)
		return;
	model_session_poll(link->session);
	collect(w, link);
	if (model_session_is_over(link->session) && link->down.bytes.len == 0 &&
	    !link->silent)
		end_link(w, link);
}

static void
serve_outside(struct world *w, struct outside *outside)
{
	if (outside->at > w->now)
		return;
	list_remove(&outside->link);
	mailbox_task_done(outside->mailbox, outside->uidvalidity, outside->uid,
	    outside->seq, EFFECT_DONE, "exit 0", w->now);
	free(outside);
}

static const char *
state_of(const struct mailbox *mailbox)
{
	struct mailbox_status status;

	mailbox_get_status(mailbox, &status);
	return status.state;
}

/* A mailbox that waits for nobody and has no deadline would never move. */
static void
check_deadlines(struct world *w)
{
	for (size_t i = 0; i < mailbox_total(w); i++) {
		struct mailbox *mailbox = nth_mailbox(w, i);
		if (mailbox_deadline(mailbox) == USEC_NEVER &&
		    !mailbox_is_resting(mailbox) && !is_writing(w, mailbox) &&
		    link_of(w, mailbox)->connect_at == USEC_NEVER)
			fail(w, "%s has no deadline (%s)",
			    mailbox_name(mailbox), state_of(mailbox));
		if (mailbox_is_stuck(mailbox, w->now))
			fail(w, "%s is stuck (%s)", mailbox_name(mailbox),
			    state_of(mailbox));
	}
}

/* The proof, the pace of hints, and a little. */
static void
check_proofs(struct world *w)
{
	const usec_t most = IMAP_PROOF_USEC + MAILBOX_HINT_USEC + USEC_SEC;

	for (size_t i = 0;
	     i < ACCOUNT_MAILBOXES_MAX && w->links[i].mailbox != NULL; i++) {
		struct link *link = &w->links[i];
		if (link->doubted != 0 && !is_writing(w, link->mailbox) &&
		    w->now > usec_add(link->doubted, most))
			fail(w, "a dead link is still believed");
	}
}

static struct writing *
next_writing(const struct world *w)
{
	LIST_EACH(pos, &w->writings)
	{
		struct writing *writing = LIST_ITEM(pos, struct writing, link);
		if (writing->at <= w->now)
			return writing;
	}
	return NULL;
}

/* An answer may begin another, and end the daemon with all of them. */
static void
serve_writings(struct world *w)
{
	struct writing *writing;

	while ((writing = next_writing(w)) != NULL) {
		serve_writing(w, writing);
		pump(w);
	}
}

static void
step(struct world *w)
{
	usec_t next = next_time(w);

	if (next == USEC_NEVER) {
		fail(w, "nothing will ever happen again");
		return;
	}
	w->now = w->model.now = next;
	if (w->next_happening <= w->now)
		happen(w);
	for (size_t i = 0; i < mailbox_total(w); i++) {
		struct mailbox *mailbox = nth_mailbox(w, i);
		serve_link(w, link_of(w, mailbox));
		if (mailbox_deadline(mailbox) <= w->now)
			mailbox_tick(mailbox, w->now);
	}
	/* Events are pulled after each call: a LOAD that waits must not meet
	 * an outcome that is not written. */
	pump(w);
	LIST_EACH(pos, &w->outsides)
	serve_outside(w, LIST_ITEM(pos, struct outside, link));
	pump(w);
	serve_writings(w);
	check_deadlines(w);
	check_proofs(w);
	if (w->model.broken != NULL)
		fail(w, "%s", w->model.broken);
	w->result->steps++;
}

/* ---- what must be true in the end ---- */

/* Of each message, by the world's number. */
struct truth {
	struct world *w;
	unsigned unknown[MESSAGES_MAX], forwards[MESSAGES_MAX];
	unsigned judged[MESSAGES_MAX];
};

/* MESSAGES_MAX: none. */
static unsigned
find_message(const struct world *w, const struct store_key *key)
{
	const char *old = old_mailbox(w);

	for (unsigned id = 0; id < w->message_count; id++) {
		const struct sent_message *message = &w->messages[id];
		if (message->uid == key->uid &&
		    message->uidvalidity == key->uidvalidity &&
		    strcmp(message->old ? old : "INBOX", key->mailbox) == 0)
			return id;
	}
	return MESSAGES_MAX;
}

static bool
counts_forward(void *ctx, const struct store_queue_item *item)
{
	struct truth *truth = ctx;
	unsigned id = find_message(truth->w, &item->source);

	if (id < MESSAGES_MAX)
		truth->forwards[id]++;
	return true;
}

static bool
notes_judged(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	struct truth *truth = ctx;
	unsigned id = find_message(truth->w, &message->key);

	if (id == MESSAGES_MAX)
		return true;
	truth->judged[id]++;
	for (size_t i = 0; i < count; i++)
		truth->unknown[id] += effects[i].state == EFFECT_UNKNOWN;
	return true;
}

static void
expect(struct world *w, unsigned id, const char *what, unsigned have,
    unsigned want)
{
	if (have != want)
		fail(w, "#%u (%s): %s: %u, not %u", id,
		    kinds[w->messages[id].kind].word, what, have, want);
}

static unsigned
in_inbox(struct world *w, unsigned id)
{
	return model_count(&w->model, source_of(w, id), id, false);
}

static void
check_moved(struct world *w, unsigned id, const char *folder)
{
	expect(w, id, folder,
	    model_count(&w->model, wire(w, folder), id, false), 1);
	expect(w, id, "left in INBOX", in_inbox(w, id), 0);
}

static void
check_executed(struct world *w, unsigned id, const struct truth *truth)
{
	const struct sent_message *message = &w->messages[id];

	if (message->executed > 1)
		fail(w, "#%u was executed %u times", id, message->executed);
	if (w->result->kills == 0 && truth->unknown[id] > 0)
		fail(w, "#%u: nobody knows what became of its command", id);
	if (message->executed == 0 && truth->unknown[id] == 0)
		fail(w, "#%u was never executed, and nobody says so", id);
}

static bool
sees_structure(const struct world *w)
{
	return (w->model.traits & MODEL_BLIND) == 0;
}

/* After an answer that could not be read, less is asked for. */
static bool
may_see_less(const struct world *w)
{
	return (w->model.traits & (MODEL_STINGY | MODEL_NONSENSE)) != 0;
}

/* The first message of each stranger was new, and no other. */
static void
check_stranger(struct world *w, unsigned id)
{
	bool was_flagged = model_has_flag(&w->model, "INBOX", id, "\\Flagged");
	bool is_first = true;

	for (unsigned i = 0; i < id; i++) {
		if (w->messages[i].kind != KIND_STRANGER ||
		    w->messages[i].stranger != w->messages[id].stranger)
			continue;
		if (w->messages[i].touched)
			return; /* nobody knows whether it was judged */
		is_first = false;
	}
	if (is_first && w->messages[id].flagged)
		return; /* ... before it was marked, perhaps */
	expect(w, id, "new", was_flagged, is_first);
}

static void
check_message(struct world *w, unsigned id, const struct truth *truth)
{
	const struct sent_message *message = &w->messages[id];

	if (truth->judged[id] != (!message->old || message->kind != KIND_PLAIN))
		fail(w, "#%u (UID %u) was judged %u times", id, message->uid,
		    truth->judged[id]);
	switch (message->kind) {
	case KIND_PLAIN:
		if (message->notified == 0 && !message->old && !message->seen)
			fail(w, "#%u was never notified", id);
		break;
	case KIND_MOVE:
		check_moved(w, id, "A");
		break;
	case KIND_CREATE:
		if ((w->model.traits & MODEL_NO_MORE_FOLDERS) != 0)
			expect(w, id, "in INBOX", in_inbox(w, id), 1);
		else
			check_moved(w, id, "New");
		break;
	case KIND_COPY:
		expect(w, id, "copies",
		    model_count(&w->model, wire(w, "B"), id, false), 1);
		expect(w, id, "in INBOX", in_inbox(w, id), 1);
		break;
	case KIND_MARK:
		if (!w->messages[id].flagged &&
		    !model_has_flag(
			&w->model, source_of(w, id), id, "\\Flagged"))
			fail(w, "#%u was not flagged", id);
		break;
	case KIND_EXEC:
		check_executed(w, id, truth);
		break;
	case KIND_FORWARD:
		expect(w, id, "forwards", truth->forwards[id], 1);
		break;
	case KIND_ALL:
		check_executed(w, id, truth);
		check_moved(w, id, "A");
		expect(w, id, "copies",
		    model_count(&w->model, wire(w, "B"), id, false), 1);
		if (!w->messages[id].flagged &&
		    !model_has_flag(&w->model, wire(w, "A"), id, "\\Answered"))
			fail(w, "#%u was not marked before its move", id);
		break;
	case KIND_MISSING:
	case KIND_KEEP: /* its copy failed: it must not be moved away */
		expect(w, id, "in INBOX", in_inbox(w, id), 1);
		break;
	case KIND_BODY: /* a server may refuse to give it */
		if (!sees_structure(w) || may_see_less(w))
			break;
		check_moved(w, id, "A");
		break;
	case KIND_ATTACHED:
		if ((w->model.traits & MODEL_NONSENSE) != 0)
			break;
		expect(w, id, "copies",
		    model_count(&w->model, wire(w, "B"), id, false),
		    sees_structure(w));
		break;
	case KIND_STRANGER:
		check_stranger(w, id);
		break;
	case KINDS:
		break;
	}
	/* A notification whose outcome could not be written is shown again. */
	if (message->old && message->notified > 0)
		fail(w, "#%u rang, and is old", id);
	if (message->notified >
	    1 + w->result->kills + w->result->failed_commits)
		fail(w, "#%u rang %u times", id, message->notified);
}

/* What another client removed: nothing may have been doubled all the same. */
static void
check_touched(struct world *w, unsigned id, const struct truth *truth)
{
	static const char *const folders[] = {"A", "B", "New"};

	for (size_t i = 0; i < 3; i++)
		if (model_count(&w->model, wire(w, folders[i]), id, false) > 1)
			fail(w, "#%u is in %s more than once", id, folders[i]);
	if (w->messages[id].executed > 1)
		fail(w, "#%u was executed %u times", id,
		    w->messages[id].executed);
	if (truth->judged[id] > 1 || truth->forwards[id] > 1)
		fail(w, "#%u was judged %u times, and forwarded %u times", id,
		    truth->judged[id], truth->forwards[id]);
}

static bool
finds_open(void *ctx, const struct store_effect *effect,
    const struct store_message *message)
{
	struct world *w = ctx;

	(void)message;
	if (strcmp(effect->kind, "forward") != 0)
		fail(w, "UID %u: %s is still %s", effect->key.uid,
		    effect->action, effect_state_name(effect->state));
	return true;
}

static void
learn(struct world *w, struct truth *truth)
{
	const struct store_history_query query = {.limit = 100000};
	static const char *const mailboxes[] = {"INBOX", OLD_MAILBOX};

	store_each_history(w->store, &query, notes_judged, truth, NULL);
	store_each_queued(w->store, "sim", counts_forward, truth, NULL);
	for (size_t i = 0; i < 2; i++)
		if (i == 0 || !w->run_ended) /* nobody comes there again */
			store_each_open_effect(
			    w->store, "sim", mailboxes[i], finds_open, w, NULL);
}

/* For good: a rebuilt mailbox, and a visitor whose login was refused. */
static bool
may_end_run(const struct world *w)
{
	return w->was_rebuilt ||
	       (w->model.personality != NULL && w->model.personality->locks);
}

static bool
is_done(void *ctx, const struct store_apply *apply)
{
	struct world *w = ctx;

	if (apply->state == APPLY_ENDED && may_end_run(w)) {
		w->run_ended = true;
		for (unsigned id = 0; id < w->message_count; id++)
			w->messages[id].touched |= w->messages[id].old;
		return true;
	}
	if (apply->state != APPLY_DONE)
		fail(w, "the run is %s: %s", apply_state_name(apply->state),
		    apply->detail);
	return true;
}

static void
check_all(struct world *w)
{
	struct truth truth = {.w = w};

	store_each_apply(w->store, "sim", is_done, w, NULL);
	learn(w, &truth);
	if (account_visitor_count(w->account) > 0)
		fail(w, "a visitor does not leave");
	for (unsigned id = 0; id < w->message_count; id++) {
		if (w->messages[id].touched)
			check_touched(w, id, &truth);
		else
			check_message(w, id, &truth);
	}
}

/* ---- a run ---- */

/* Half of them count changes, half of these have QRESYNC: not by the dice, so
 * that all else stays as it was. */
static uint64_t
counting(uint64_t traits)
{
	uint64_t dice = traits * UINT64_C(0x9e3779b97f4a7c15) >> 40;
	uint64_t found = (dice & 4) != 0 ? MODEL_LIST_STATUS : 0;

	if ((dice & 1) != 0)
		found |= MODEL_CONDSTORE;
	if ((dice & 3) == 3)
		found |= MODEL_QRESYNC;
	return found;
}

static uint64_t
choose_traits(struct world *w)
{
	uint64_t traits = random_below(&w->random, 1u << MODEL_TRAITS);

	if (chance(w, 30)) /* a good server, often */
		traits = MODEL_MOVE | MODEL_UIDPLUS | MODEL_IDLE;
	if ((traits & MODEL_DOT_PREFIX) != 0)
		traits |= MODEL_NAMESPACE;
	if (chance(w, 60)) /* each of them blinds half of all servers */
		traits &= ~MODEL_BLIND;
	for (unsigned i = 0; i < 3; i++)
		if (chance(w, 30))
			traits |=
			    MODEL_BIT(MODEL_TRAITS +
				      random_below(&w->random,
					  MODEL_ODD_TRAITS - MODEL_TRAITS));
	return traits | counting(traits);
}

/* A server that somebody has met, or one of all kinds of oddities. */
static void
choose_server(struct world *w, const struct world_options *options)
{
	const struct personality *personality = options->personality;

	model_init(&w->model, choose_traits(w));
	if (personality == NULL && chance(w, 50))
		personality = personality_at(
		    random_below(&w->random, personality_count()));
	if (personality != NULL)
		model_become(&w->model, personality);
	note(w, "the server is %s (%llx)",
	    personality != NULL ? personality->name : "of its own kind",
	    (unsigned long long)w->model.traits);
	w->model.logins_max = 0; /* a visitor is the second one */
	w->rebuilds =
	    (w->model.traits & MODEL_UIDS_CHANGE) != 0 || chance(w, 8);
}

/* What the daemon knows of the server before it meets it. */
static void
prepare(struct world *w)
{
	const struct personality *personality = w->model.personality;
	uint32_t quirks = personality != NULL ? personality->quirks : 0;
	struct mailbox_config *config = &w->config.mailbox;

	config->check_noop = (quirks & QUIRK_IDLE_SILENT) != 0;
	config->imap.id_before_select = (quirks & QUIRK_ID_FIRST) != 0 ||
					(w->model.traits & MODEL_ID_FIRST) != 0;
	config->imap.enable_condstore = (quirks & QUIRK_BAD_MODSEQ) == 0;
	if ((w->model.traits & MODEL_STARTTLS) != 0)
		config->imap.security = IMAP_SECURITY_STARTTLS;
}

static void
set_up(struct world *w, const struct world_options *options)
{
	random_init(&w->random, options->seed);
	w->immortal = chance(w, 20);
	w->is_patient = chance(w, PATIENT_PERCENT);
	w->verbose = options->verbose;
	w->now = START_USEC;
	choose_server(w, options);
	model_add(&w->model, wire(w, "A"));
	model_add(&w->model, wire(w, "B"));
	model_add(&w->model, wire(w, OLD_MAILBOX));
	w->visits = chance(w, 50);
	deliver_old(w);
	list_init(&w->outsides);
	list_init(&w->writings);
	w->slow_disk = chance(w, 50);
	w->store = store_open_memory();
	w->rules = make_rules();
	strv_add(&w->watch, "INBOX");
	strv_add(&w->identities, "ann@example.com");
	w->config = (struct account_config){
	    .mailbox =
		{
		    .account = "sim",
		    .imap = {.security = IMAP_SECURITY_TLS,
			.auth = IMAP_AUTH_PASSWORD,
			.user = "ann",
			.host = "mail.example.com",
			.port = 993,
			.client_version = "0"},
		    .identities = &w->identities,
		    .authserv = &w->authserv,
		    .default_notification = true,
		    .notify = true,
		    .email = "ann@example.com",
		},
	    .watch = &w->watch,
	};
	w->quiet_until = w->next_happening = USEC_NEVER;
	prepare(w);
	be_born(w);
}

static void
tear_down(struct world *w)
{
	die(w);
	rules_free(&w->rules);
	store_close(&w->store);
	model_done(&w->model);
	strv_done(&w->watch);
	strv_done(&w->identities);
	strv_done(&w->authserv);
}

/* Until the daemon knows the mailbox: what is there before stays as it is. */
static void
wait_for_contact(struct world *w)
{
	pump(w);
	while (!w->in_contact && w->result->ok && w->result->steps < 10000)
		step(w);
	if (!w->in_contact)
		fail(w, "no first contact");
}

/* In calm weather a push is heard at once, and what no server pushes is found
 * at the next renewal or poll. */
static void
check_push(struct world *w)
{
	struct mailbox_status status;
	unsigned id = w->message_count;
	bool pushes =
	    (w->model.traits & MODEL_IDLE) != 0 &&
	    (w->model.traits & (MODEL_SILENT_IDLE | MODEL_IDLE_DIES)) == 0;

	if (id >= MESSAGES_MAX)
		return;
	deliver(w);
	w->quiet_until = w->now + (pushes ? USEC_MINUTE : 10 * USEC_MINUTE);
	if ((w->model.traits & MODEL_STINGY) != 0)
		w->quiet_until = w->now + USEC_HOUR;
	while (w->result->ok && w->now < w->quiet_until &&
	       w->result->steps < STEPS_MAX)
		step(w);
	mailbox_get_status(account_mailbox(w->account, 0), &status);
	if (status.next_uid <= w->messages[id].uid)
		fail(w, "#%u came in calm weather and was not heard", id);
	w->quiet_until = w->now + 2 * USEC_HOUR; /* let it settle */
	while (w->result->ok && w->now < w->quiet_until &&
	       w->result->steps < STEPS_MAX)
		step(w);
}

static bool
notes_open(void *ctx, const struct store_effect *effect,
    const struct store_message *message)
{
	(void)message;
	if (strcmp(effect->kind, "forward") != 0)
		*(bool *)ctx = true;
	return true;
}

static bool
is_settled(struct world *w)
{
	bool is_open = account_visitor_count(w->account) > 0 ||
		       !list_is_empty(&w->outsides);

	store_each_open_effect(
	    w->store, "sim", "INBOX", notes_open, &is_open, NULL);
	store_each_open_effect(
	    w->store, "sim", OLD_MAILBOX, notes_open, &is_open, NULL);
	if (!is_open)
		store_each_apply(
		    w->store, "sim", is_unfinished, &is_open, NULL);
	return !is_open;
}

/* Most worlds do not wait for the slowest ladder when nobody stands on it. */
static void
settle(struct world *w)
{
	usec_t end = usec_add(w->now, CALM_USEC);

	while (w->result->ok && w->now < end && w->result->steps < STEPS_MAX) {
		w->quiet_until = usec_min(end, usec_add(w->now, LOOK_USEC));
		resume_run(w); /* as the wiring does now and then */
		pump(w);
		while (w->result->ok && w->now < w->quiet_until &&
		       w->result->steps < STEPS_MAX)
			step(w);
		if (!w->is_patient && is_settled(w))
			return;
	}
}

void
world_run(const struct world_options *options, struct world_result *result_r)
{
	struct world *w = NEW(struct world);

	*result_r = (struct world_result){.ok = true};
	w->result = result_r;
	set_up(w, options);
	if (w->rules == NULL)
		fail(w, "the rules do not compile");
	else
		wait_for_contact(w);
	w->faulty = w->model.moody = true;
	w->next_happening = w->now + USEC_SEC;
	usec_t end = w->now + RUN_USEC;
	while (result_r->ok && w->now < end && result_r->steps < STEPS_MAX)
		step(w);
	become_calm(w);
	settle(w);
	if (result_r->ok)
		check_push(w);
	if (result_r->ok && result_r->steps >= STEPS_MAX)
		fail(w, "too many steps: something spins");
	if (result_r->ok)
		check_all(w);
	result_r->messages = w->message_count;
	result_r->logins = w->model.logins;
	tear_down(w);
	free(w);
}
