/*
 * many [-v] [-s FIRST_SEED] [-n SEEDS]: an account of many mailboxes on few
 * connections, in a simulated world with faults, for a row of seeds: a tenth
 * of $SIM_SEEDS, else 12 (tests/sim/seeds.h).
 *
 * By the seed: one to four connections are configured, the server has NOTIFY or
 * not, and the server may allow
 * fewer, now and then; mailboxes are made, deleted and made again while their
 * pattern is watched; messages come to any of them; links break or fall silent,
 * the server says BYE, commits fail, the daemon is killed and starts again on
 * its store.
 *
 * Then the faults stop. Each message that arrived in a mailbox that was there,
 * and stayed, must have been judged, once, and its command run once or known
 * to be lost, also when a rule moved it into another watched mailbox; in calm
 * weather nothing waits longer than the mailbox's turn.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/account/account.h"
#include "daemon/base/random.h"
#include "daemon/base/xalloc.h"
#include "daemon/config/presets.h"
#include "tests/lib/rules_text.h"
#include "tests/sim/model_imap.h"
#include "tests/sim/seeds.h"

#define LINKS_MAX (ACCOUNT_MAILBOXES_MAX + ACCOUNT_VISITORS_MAX)
#define BOXES_MAX 40
#define MESSAGES_MAX 200
#define RUN_USEC (8 * USEC_HOUR)
/* A day until a connection more is tried; the others have settled sooner. */
#define CALM_USEC (30 * USEC_HOUR)
#define LOOK_USEC (3 * USEC_HOUR)
#define PATIENT_PERCENT 5
#define STEPS_MAX 600000
#define START_UNIX 1800000000
#define START_USEC (100 * USEC_SEC)
#define POLL_USEC (3 * USEC_MINUTE)
/* Besides its interval: a round of the others, each for a minute at most. */
#define BOUND_USEC (5 * USEC_MINUTE)

struct message {
	unsigned box;
	uint32_t uid, uidvalidity;
	bool moves, hops; /* to Target; into a watched mailbox */
	bool is_twin;	  /* in another mailbox, too (labels) */
	bool lost;	  /* its mailbox was deleted: anything may be true */
	unsigned executed;
};

struct pipe {
	struct buf bytes;
	usec_t next;
};

struct link {
	struct mailbox *mailbox;
	struct model_session *session;
	struct pipe up, down;
	usec_t connect_at;
	bool silent;
};

struct outside {
	struct list_link link;
	struct mailbox *mailbox;
	uint32_t uidvalidity, uid;
	unsigned seq;
	usec_t at;
};

struct world {
	struct random random;
	bool verbose, faulty, ok, in_contact;
	bool is_stingy, is_patient; /* what this seed's world does */
	char why[500];
	usec_t now, next_happening;
	unsigned steps, kills, budget;
	struct model model;
	struct store *store;
	struct rules *rules;
	struct limits *limits;
	struct senders *senders;
	struct arrivals *arrivals;
	struct strv watch, identities, authserv;
	struct account_config config;
	struct account *account;
	struct link links[LINKS_MAX];
	struct list_link outsides;
	char names[BOXES_MAX][40];
	bool there[BOXES_MAX], remade[BOXES_MAX];
	unsigned box_count;
	struct message messages[MESSAGES_MAX];
	unsigned message_count, kill_in, moves;
	int64_t clock_off; /* seconds that the wall clock is wrong */
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

/* How it stands. */
static void
show(struct world *w)
{
	for (size_t i = 0; i < account_count(w->account); i++) {
		struct mailbox_status status;
		mailbox_get_status(account_mailbox(w->account, i), &status);
		note(w, "  %s is %s: %s", status.name, status.state,
		    status.trouble);
	}
}

static void fail(struct world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
fail(struct world *w, const char *format, ...)
{
	va_list args;

	if (!w->ok)
		return;
	w->ok = false;
	va_start(args, format);
	vsnprintf(w->why, sizeof(w->why), format, args);
	va_end(args);
	note(w, "BROKEN: %s", w->why);
	show(w);
}

static bool
chance(struct world *w, unsigned percent)
{
	return random_below(&w->random, 100) < percent;
}

static usec_t
delay(struct world *w)
{
	return USEC_MSEC + random_below(&w->random, 200 * USEC_MSEC);
}

/* ---- links ---- */

/* Nobody's link is the first that is free. `hint`: where it may be. */
static struct link *
link_near(struct world *w, struct mailbox *mailbox, size_t hint)
{
	size_t i = w->links[hint].mailbox == mailbox ? hint : 0;

	while (w->links[i].mailbox != NULL && w->links[i].mailbox != mailbox)
		i++;
	if (w->links[i].mailbox == NULL) {
		w->links[i] = (struct link){.mailbox = mailbox};
		w->links[i].connect_at = USEC_NEVER;
		w->links[i].up.next = w->links[i].down.next = USEC_NEVER;
	}
	return &w->links[i];
}

static struct link *
link_of(struct world *w, struct mailbox *mailbox)
{
	return link_near(w, mailbox, 0);
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
}

static void
schedule(struct world *w, struct pipe *pipe)
{
	if (pipe->bytes.len > 0 && pipe->next == USEC_NEVER)
		pipe->next = w->now + delay(w);
}

static void
collect(struct world *w, struct link *link)
{
	if (link->session == NULL)
		return;
	for (struct span out = mailbox_output(link->mailbox); out.len > 0;
	     out = mailbox_output(link->mailbox)) {
		buf_add_span(&link->up.bytes, out);
		mailbox_sent(link->mailbox, out.len);
	}
	struct buf *said = model_session_output(link->session);
	buf_add_span(&link->down.bytes, buf_span(said));
	buf_clear(said);
	schedule(w, &link->up);
	schedule(w, &link->down);
}

static struct buf
take_piece(struct world *w, struct pipe *pipe)
{
	struct buf piece = BUF_INIT;
	size_t len = pipe->bytes.len;

	if (chance(w, 20))
		len = 1 + random_below(&w->random, len);
	buf_add(&piece, pipe->bytes.data, len);
	buf_consume(&pipe->bytes, len);
	pipe->next = USEC_NEVER;
	return piece;
}

static void
end_link(struct world *w, struct link *link)
{
	drop_link(link);
	mailbox_eof(link->mailbox, w->now);
}

static void
finish_connect(struct world *w, struct link *link)
{
	struct error error = ERROR_INIT;

	link->connect_at = USEC_NEVER;
	if (w->faulty && chance(w, 10)) {
		error_set(&error, FAULT_RETRY, "connection refused");
		mailbox_connect_failed(link->mailbox, &error, w->now);
		return;
	}
	link->session = model_session_new(&w->model);
	mailbox_connected(link->mailbox, w->now);
}

static void
serve_link(struct world *w, struct link *link)
{
	BUF_AUTO piece = BUF_INIT;

	if (link->connect_at <= w->now)
		finish_connect(w, link);
	if (link->session != NULL && link->up.next <= w->now) {
		piece = take_piece(w, &link->up);
		if (!link->silent)
			model_session_feed(link->session, buf_span(&piece));
	}
	if (link->session != NULL && link->down.next <= w->now) {
		buf_done(&piece);
		piece = take_piece(w, &link->down);
		if (!link->silent)
			mailbox_feed(link->mailbox, buf_span(&piece), w->now);
	}
	if (link->session == NULL)
		return;
	model_session_poll(link->session);
	collect(w, link);
	if (model_session_is_over(link->session) && link->down.bytes.len == 0 &&
	    !link->silent)
		end_link(w, link);
}

/* ---- answering the daemon ---- */

static bool
load_effect(void *ctx, const struct store_effect *effect,
    const struct store_message *message)
{
	mailbox_load_effect(ctx, effect, message);
	return true;
}

static void
answer_load(struct world *w, struct mailbox *mailbox)
{
	const char *name = mailbox_name(mailbox);
	struct store_cursor cursor;
	bool found = false;

	store_get_cursor(w->store, "sim", name, &cursor, &found, NULL);
	store_each_open_effect(
	    w->store, "sim", name, load_effect, mailbox, NULL);
	mailbox_load_facts(mailbox, w->store, w->now, NULL);
	mailbox_loaded(mailbox, found ? &cursor : NULL, w->now);
}

static void
answer_recall(struct world *w, struct mailbox *mailbox)
{
	struct recall *recall =
	    recall_load(w->store, "sim", mailbox_name(mailbox),
		START_UNIX + (int64_t)((w->now - START_USEC) / USEC_SEC),
		RECALL_KEEP_SEC, NULL);

	mailbox_recalled(mailbox, &recall, w->now);
}

static void
answer_commit(
    struct world *w, struct mailbox *mailbox, const struct store_batch *batch)
{
	struct error error = ERROR_INIT;

	if (w->faulty && chance(w, 2))
		store_fail_commit(w->store, 1, false);
	bool ok = store_commit(w->store, batch, &error);
	mailbox_committed(mailbox, ok, &error, w->now);
}

static void
take_task(
    struct world *w, struct mailbox *mailbox, const struct mailbox_task *task)
{
	const char *hash = strchr(task->subject, '#');
	unsigned id = hash != NULL ? (unsigned)atoi(hash + 1) : UINT32_MAX;
	struct outside *outside = NEW(struct outside);

	if (id >= w->message_count)
		fail(w, "a task for an unknown message: %s", task->subject);
	else
		w->messages[id].executed++;
	*outside = (struct outside){.mailbox = mailbox,
	    .uidvalidity = task->uidvalidity,
	    .uid = task->uid,
	    .seq = task->seq,
	    .at = w->now + random_below(&w->random, 20 * USEC_SEC)};
	list_add(&w->outsides, &outside->link);
}

static void
answer(struct world *w, struct account_event *event)
{
	struct mailbox *mailbox = event->mailbox;
	struct link *link = link_of(w, mailbox);

	switch (event->event.kind) {
	case MAILBOX_LOAD:
		answer_load(w, mailbox);
		break;
	case MAILBOX_RECALL:
		answer_recall(w, mailbox);
		break;
	case MAILBOX_CONNECT:
		drop_link(link);
		link->connect_at = w->now + delay(w);
		break;
	case MAILBOX_DISCONNECT:
		drop_link(link);
		break;
	case MAILBOX_STARTTLS:
		model_session_secured(link->session);
		mailbox_tls_started(mailbox, w->now);
		break;
	case MAILBOX_SECRET:
		mailbox_secret(mailbox, SPAN("secret"), w->now);
		break;
	case MAILBOX_COMMIT:
		answer_commit(w, mailbox, event->event.batch);
		break;
	case MAILBOX_EXEC:
		take_task(w, mailbox, event->event.task);
		break;
	case MAILBOX_REPORT:
		note(w, "  %s: %s %u: %s", mailbox_name(mailbox),
		    report_kind_name(event->event.report->kind),
		    event->event.report->uid, event->event.report->text);
		break;
	case MAILBOX_HANDED: {
		struct link *to = link_of(w, event->to), old = *to;
		if (to->session != NULL || to->connect_at != USEC_NEVER)
			fail(w, "%s has a connection already",
			    mailbox_name(event->to));
		w->moves++;
		*to = *link;
		to->mailbox = event->to;
		*link = old;
		link->mailbox = mailbox;
		break;
	}
	case MAILBOX_TOLD:
	case MAILBOX_LOST:
	case MAILBOX_OVER_LIMIT:
		fail(w, "that was for the account alone");
		break;
	default:
		break;
	}
}

/* ---- the daemon's life ---- */

static bool
load_fact(void *ctx, const char *name, const char *value)
{
	account_set_fact(ctx, name, value);
	return true;
}

static int64_t
now_unix(const struct world *w)
{
	return START_UNIX + w->clock_off +
	       (int64_t)((w->now - START_USEC) / USEC_SEC);
}

static void
be_born(struct world *w)
{
	w->model.refused_at = 0;
	w->model.in_a_row = 0;
	w->limits = limits_new();
	w->senders = senders_new();
	w->config.mailbox.senders = w->senders;
	w->arrivals = arrivals_new();
	arrivals_load(w->arrivals, w->store, "sim", now_unix(w), NULL);
	w->config.mailbox.arrivals = w->arrivals;
	w->config.mailbox.seed = random_next(&w->random);
	w->account = account_new(&w->config, w->rules, w->limits, w->now);
	account_set_clock(w->account, now_unix(w), 0, w->now);
	store_each_fact(w->store, "sim", load_fact, w->account, NULL);
	memset(w->links, 0, sizeof(w->links));
	account_start(w->account, w->now);
}

static void
die(struct world *w)
{
	for (size_t i = 0; i < LINKS_MAX; i++) {
		model_session_free(&w->links[i].session);
		buf_done(&w->links[i].up.bytes);
		buf_done(&w->links[i].down.bytes);
	}
	LIST_EACH(pos, &w->outsides)
	{
		list_remove(pos);
		free(LIST_ITEM(pos, struct outside, link));
	}
	account_free(&w->account);
	limits_free(&w->limits);
	senders_free(&w->senders);
	arrivals_free(&w->arrivals);
}

static void
pump(struct world *w)
{
	struct account_event event;

	while (account_next_event(w->account, &event, w->now)) {
		bool killed = w->kill_in > 0 && --w->kill_in == 0;
		if (!killed || chance(w, 50))
			answer(w, &event);
		mailbox_event_done(&event.event);
		if (!killed)
			continue;
		note(w, "the daemon is killed");
		w->kills++;
		die(w);
		be_born(w);
	}
	for (size_t i = 0; i < LINKS_MAX && w->links[i].mailbox != NULL; i++)
		collect(w, &w->links[i]);
}

/* ---- what happens ---- */

static const char *
wire(const struct world *w, unsigned box)
{
	return model_wire(&w->model, w->names[box]);
}

static unsigned
connections(const struct world *w)
{
	unsigned count = 0;

	for (size_t i = 0; i < LINKS_MAX && w->links[i].mailbox != NULL; i++)
		count += w->links[i].session != NULL ||
			 w->links[i].connect_at != USEC_NEVER;
	return count;
}

/* The server says what is the same. */
static bool
has_twins(const struct world *w)
{
	const struct personality *personality = w->model.personality;

	return personality != NULL && personality->post != NULL &&
	       ((w->model.traits & MODEL_LABELS) != 0 ||
		   strstr(personality->post, "OBJECTID") != NULL);
}

/* A label, or two: at the same moment. */
static void
label(struct world *w, unsigned box, unsigned id)
{
	unsigned other = (unsigned)random_below(
	    &w->random, chance(w, 50) ? 3 : w->box_count);

	if (!has_twins(w) || other == box || !w->there[other] || chance(w, 50))
		return;
	w->messages[id].is_twin = true;
	model_label(&w->model, wire(w, box), id, wire(w, other));
	note(w, "#%u is in %s, too", id, w->names[other]);
}

static void
deliver(struct world *w)
{
	unsigned id = w->message_count;
	unsigned box = (unsigned)random_below(&w->random, w->box_count);
	struct message *message = &w->messages[id];
	BUF_AUTO text = BUF_INIT;

	if (chance(w, 40)) /* some have more traffic than others */
		box %= 3;
	if (id == MESSAGES_MAX || !w->there[box])
		return;
	w->message_count++;
	*message = (struct message){
	    .box = box, .moves = chance(w, 40), .lost = w->remade[box]};
	message->hops = !message->moves && id % 4 == 3;
	buf_addf(&text,
	    "From: s%u@example.org\r\nSubject: %s #%u\r\n"
	    "Message-ID: <m%u@example.org>\r\n\r\nHello.\r\n",
	    id,
	    message->moves  ? "tomove"
	    : message->hops ? "tohop"
			    : "toexec",
	    id, id);
	message->uidvalidity = model_find(&w->model, wire(w, box))->uidvalidity;
	message->uid =
	    model_deliver(&w->model, wire(w, box), id, buf_str(&text));
	note(w, "#%u came to %s as UID %u", id, w->names[box], message->uid);
	label(w, box, id);
	for (size_t i = 0; i < LINKS_MAX; i++) {
		if (w->links[i].session == NULL)
			continue;
		model_session_poll(w->links[i].session);
		collect(w, &w->links[i]);
	}
}

static void
burst(struct world *w)
{
	for (unsigned i = 0; i < 10; i++)
		deliver(w);
}

static void
cut(struct world *w)
{
	note(w, "links break");
	for (size_t i = 0; i < LINKS_MAX; i++)
		if (w->links[i].session != NULL && chance(w, 60))
			end_link(w, &w->links[i]);
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
	note(w, "links fall silent");
	for (size_t i = 0; i < LINKS_MAX; i++)
		if (w->links[i].session != NULL && chance(w, 50))
			fall_silent(&w->links[i]);
}

static void
bye(struct world *w)
{
	note(w, "the server says BYE");
	for (size_t i = 0; i < LINKS_MAX; i++)
		if (w->links[i].session != NULL)
			model_session_bye(w->links[i].session);
}

static void
doom(struct world *w)
{
	w->kill_in = 1 + (unsigned)random_below(&w->random, 80);
}

static void
add_box(struct world *w, const char *name)
{
	snprintf(w->names[w->box_count], sizeof(w->names[0]), "%s", name);
	w->there[w->box_count++] = true;
	if (strcmp(name, "INBOX") != 0)
		model_add(&w->model, model_wire(&w->model, name));
}

static void
make_box(struct world *w)
{
	char name[40];

	if (w->box_count == BOXES_MAX)
		return;
	snprintf(name, sizeof(name), "Lists/new%u", w->box_count);
	note(w, "%s is made", name);
	add_box(w, name);
}

static void
forget_messages(struct world *w, unsigned box)
{
	for (unsigned i = 0; i < w->message_count; i++)
		if (w->messages[i].box == box)
			w->messages[i].lost = true;
}

/* One of the pattern: and some come back under their old name. */
static void
delete_box(struct world *w)
{
	unsigned box = (unsigned)random_below(&w->random, w->box_count);

	if (strncmp(w->names[box], "Lists/", 6) != 0)
		return;
	if (!w->there[box]) {
		note(w, "%s is made again", w->names[box]);
		model_add(&w->model, wire(w, box));
		w->there[box] = true;
		/* With another UIDVALIDITY: what comes before that is seen
		 * need not be judged. */
		w->remade[box] = true;
		return;
	}
	note(w, "%s is deleted", w->names[box]);
	forget_messages(w, box);
	model_delete(&w->model, wire(w, box));
	w->there[box] = false;
}

static void
limit(struct world *w)
{
	if (!w->is_stingy)
		return;
	w->model.logins_max = (unsigned)random_below(&w->random, w->budget + 1);
	w->is_patient = true;
	note(w, "the server allows %u connections", w->model.logins_max);
}

static void
hint(struct world *w)
{
	account_hint(w->account, w->now);
}

static void
stop_and_go(struct world *w)
{
	note(w, "paused");
	account_stop(w->account, w->now);
	pump(w);
	note(w, "resumed");
	w->model.refused_at = 0;
	w->model.in_a_row = 0;
	account_start(w->account, w->now);
}

static void
jump_clock(struct world *w)
{
	w->clock_off = (int64_t)random_below(&w->random, 4 * 60 * 60) -
		       (int64_t)2 * 60 * 60;
	note(w, "the clock is wrong by %lld s", (long long)w->clock_off);
}

static void
start_again(struct world *w)
{
	note(w, "a person starts the account");
	w->model.refused_at = 0;
	w->model.in_a_row = 0;
	account_start(w->account, w->now);
}

static const struct {
	void (*happen)(struct world *);
	unsigned weight;
} happenings[] = {{deliver, 50}, {burst, 3}, {cut, 8}, {silence, 3}, {bye, 4},
    {doom, 8}, {make_box, 3}, {delete_box, 5}, {limit, 2}, {hint, 3},
    {stop_and_go, 2}, {jump_clock, 2}, {start_again, 1}};

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
	    w->now + (chance(w, 40)
			     ? random_below(&w->random, 3 * USEC_SEC)
			     : random_below(&w->random, 15 * USEC_MINUTE));
}

/* ---- time ---- */

static usec_t
next_time(struct world *w)
{
	usec_t next = w->next_happening;

	for (size_t i = 0; i < account_count(w->account); i++) {
		struct mailbox *mailbox = account_mailbox(w->account, i);
		const struct link *link = link_near(w, mailbox, i);
		next = usec_min(next, mailbox_deadline(mailbox));
		next = usec_min(next, link->connect_at);
		next = usec_min(next, link->up.next);
		next = usec_min(next, link->down.next);
	}
	LIST_EACH(pos, &w->outsides)
	next = usec_min(next, LIST_ITEM(pos, struct outside, link)->at);
	return next > w->now ? next : w->now;
}

static void
serve_outsides(struct world *w)
{
	LIST_EACH(pos, &w->outsides)
	{
		struct outside *outside = LIST_ITEM(pos, struct outside, link);
		if (outside->at > w->now)
			continue;
		list_remove(&outside->link);
		mailbox_task_done(outside->mailbox, outside->uidvalidity,
		    outside->uid, outside->seq, EFFECT_DONE, "exit 0", w->now);
		free(outside);
	}
}

static void
check_step(struct world *w)
{
	for (size_t i = 0; i < account_count(w->account); i++) {
		struct mailbox *mailbox = account_mailbox(w->account, i);
		if (mailbox_deadline(mailbox) == USEC_NEVER &&
		    !mailbox_is_resting(mailbox) &&
		    link_near(w, mailbox, i)->connect_at == USEC_NEVER)
			fail(w, "%s has no deadline", mailbox_name(mailbox));
	}
	/* While roles change one may still say goodbye. */
	if (connections(w) > w->budget + 1)
		fail(w, "%u connections, of %u", connections(w), w->budget);
	if (w->model.broken != NULL)
		fail(w, "%s", w->model.broken);
}

/* An open session may have something to say at any time. */
static bool
is_due(const struct world *w, const struct link *link)
{
	return link->session != NULL || link->connect_at <= w->now ||
	       mailbox_deadline(link->mailbox) <= w->now;
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
	account_set_clock(w->account, now_unix(w), 0, w->now);
	if (w->next_happening <= w->now)
		happen(w);
	pump(w);
	for (size_t i = 0; i < account_count(w->account); i++) {
		struct mailbox *mailbox = account_mailbox(w->account, i);
		struct link *link = link_near(w, mailbox, i);
		unsigned lives = w->kills;
		if (!is_due(w, link))
			continue;
		serve_link(w, link);
		pump(w);
		if (w->kills != lives)
			break; /* it was killed */
		if (mailbox_deadline(mailbox) <= w->now)
			mailbox_tick(mailbox, w->now);
		pump(w);
	}
	serve_outsides(w);
	pump(w);
	check_step(w);
	w->steps++;
}

static void
run_until(struct world *w, usec_t when)
{
	usec_t before = w->next_happening;

	while (w->ok && w->now < when && w->steps < STEPS_MAX) {
		if (!w->faulty)
			w->next_happening = USEC_NEVER;
		if (next_time(w) > when)
			break;
		step(w);
	}
	if (w->now < when && w->ok)
		w->now = when;
	w->next_happening = w->faulty ? before : USEC_NEVER;
	if (w->steps >= STEPS_MAX)
		fail(w, "too many steps: something spins");
}

static void
run_faulty(struct world *w, usec_t when)
{
	while (w->ok && w->now < when && w->steps < STEPS_MAX)
		step(w);
	if (w->steps >= STEPS_MAX)
		fail(w, "too many steps: something spins");
}

/* ---- what must be true ---- */

struct truth {
	struct world *w;
	unsigned judged[MESSAGES_MAX], unknown[MESSAGES_MAX];
};

static bool
notes(void *ctx, const struct store_message *row,
    const struct store_effect *effects, size_t count)
{
	struct truth *truth = ctx;
	const char *hash = strchr(row->subject, '#');
	unsigned id = hash != NULL ? (unsigned)atoi(hash + 1) : MESSAGES_MAX;

	if (id >= truth->w->message_count)
		return true;
	const struct message *message = &truth->w->messages[id];
	if (strcmp(row->key.mailbox, truth->w->names[message->box]) == 0 &&
	    row->key.uid == message->uid &&
	    row->key.uidvalidity == message->uidvalidity)
		truth->judged[id]++;
	for (size_t i = 0; i < count; i++)
		truth->unknown[id] += effects[i].state == EFFECT_UNKNOWN;
	return true;
}

static void
check_message(struct world *w, unsigned id, const struct truth *truth)
{
	const struct message *message = &w->messages[id];
	const char *box = wire(w, message->box);

	if (truth->judged[id] != 1)
		fail(w, "#%u (%s, UID %u) was judged %u times", id, box,
		    message->uid, truth->judged[id]);
	if (!message->moves && message->executed + truth->unknown[id] == 0)
		fail(w, "#%u (%s): its command was forgotten", id, box);
	if (message->executed > 1)
		fail(w, "#%u (%s): executed %u times", id, box,
		    message->executed);
	/* From where it stands first, or was seen first. */
	if (message->moves && message->is_twin &&
	    model_count(
		&w->model, model_wire(&w->model, "Target"), id, false) != 1)
		fail(w, "#%u (%s): was not moved", id, box);
	if (message->moves && !message->is_twin &&
	    (model_count(
		 &w->model, model_wire(&w->model, "Target"), id, false) != 1 ||
		model_count(&w->model, box, id, false) != 0))
		fail(w, "#%u (%s): was not moved, or not once", id, box);
}

static void
check_all(struct world *w)
{
	const struct store_history_query query = {.limit = 100000};
	struct truth truth = {.w = w};

	store_each_history(w->store, &query, notes, &truth, NULL);
	for (unsigned id = 0; id < w->message_count && w->ok; id++) {
		if (!w->messages[id].lost)
			check_message(w, id, &truth);
		else if (w->messages[id].executed > 1)
			fail(w, "#%u: executed twice", id);
	}
}

static void
check_watched(struct world *w)
{
	for (unsigned box = 0; box < w->box_count; box++) {
		bool found = !w->there[box];
		for (size_t i = 0; i < account_count(w->account); i++) {
			struct mailbox_status status;
			mailbox_get_status(
			    account_mailbox(w->account, i), &status);
			if (strcmp(status.name, w->names[box]) != 0)
				continue;
			found = true;
			if (!w->there[box])
				continue;
			if (strcmp(status.state, "waiting") == 0 ||
			    strcmp(status.state, "stopped") == 0)
				fail(w, "%s is %s in calm weather (%s)",
				    status.name, status.state, status.trouble);
			if (w->now - status.proven >
			    MAILBOX_RENEW_USEC + BOUND_USEC)
				fail(w, "%s was not heard of for %llu s",
				    status.name,
				    (unsigned long long)((w->now -
							     status.proven) /
							 USEC_SEC));
		}
		if (!found)
			fail(w, "nobody watches %s", w->names[box]);
	}
}

/* In calm weather no message waits for longer than its mailbox's turn. Where
 * IDLE pushes nothing, what rests in it has its turn when IDLE is renewed. */
static void
check_turns(struct world *w)
{
	unsigned first = w->message_count;
	usec_t turn = (w->model.traits & MODEL_SILENT_IDLE) != 0
			  ? MAILBOX_RENEW_USEC
			  : POLL_USEC;

	for (unsigned i = 0; i < 12; i++)
		deliver(w);
	run_until(w, w->now + turn + BOUND_USEC);
	check_all(w);
	if (judging_count(arrivals_judging(w->arrivals)) != 0)
		fail(w, "somebody judges in calm weather");
	note(w, "%u messages in calm weather", w->message_count - first);
}

/* ---- a run ---- */

static const char *const rules_text = "[rule e]\n"
				      "when = subject has toexec\n"
				      "exec = /bin/run\n"
				      "[rule m]\n"
				      "when = subject has tomove\n"
				      "move = Target\n"
				      "[rule h]\n"
				      "when = subject has tohop\n"
				      "exec = /bin/run\n"
				      "move = Archive\n";

/* Some of what is odd makes messages invisible for a while, or for ever. */
#define UNSUITABLE                                                             \
	(MODEL_UIDS_CHANGE | MODEL_UIDNEXT_REWINDS | MODEL_NO_MORE_FOLDERS)

static void
choose_server(struct world *w, const struct personality *personality)
{
	uint64_t traits = MODEL_MOVE | MODEL_UIDPLUS;

	if (chance(w, 80))
		traits |= MODEL_IDLE;
	if (chance(w, 20))
		traits |= MODEL_NO_UIDNEXT;
	if (chance(w, 20))
		traits |= MODEL_CHATTY;
	model_init(&w->model, traits);
	if (personality == NULL && chance(w, 20))
		personality = personality_find("gmail");
	else if (personality == NULL && chance(w, 50))
		personality = personality_at(
		    random_below(&w->random, personality_count()));
	if (personality != NULL && (personality->traits & UNSUITABLE) == 0)
		model_become(&w->model, personality);
	note(w, "the server is %s",
	    w->model.personality != NULL ? w->model.personality->name
					 : "of its own kind");
	w->model.notifies = chance(w, 40);
}

/* What the daemon knows of the server before it meets it. */
static void
prepare(struct world *w)
{
	const struct personality *personality = w->model.personality;
	uint32_t quirks = personality != NULL ? personality->quirks : 0;
	struct mailbox_config *config = &w->config.mailbox;

	config->chunk = 1 + w->model.traits / 7 % 4;
	config->check_noop = (quirks & QUIRK_IDLE_SILENT) != 0;
	config->ask_end_first = (quirks & QUIRK_FETCH_BEYOND_HANGS) != 0;
	config->imap.id_before_select = (quirks & QUIRK_ID_FIRST) != 0;
	config->imap.enable_condstore = (quirks & QUIRK_BAD_MODSEQ) == 0;
	if ((w->model.traits & MODEL_STARTTLS) != 0)
		config->imap.security = IMAP_SECURITY_STARTTLS;
	if ((quirks & QUIRK_FEW_CONNECTIONS) != 0)
		w->config.connections = w->budget = 1;
}

static void
set_up(struct world *w, const struct seeds_run *run)
{
	struct rule_problems problems = {0};
	char name[40];

	random_init(&w->random, run->seed);
	w->now = START_USEC;
	w->ok = true;
	w->is_stingy = chance(w, 20);
	w->is_patient = chance(w, PATIENT_PERCENT);
	w->budget = 1 + (unsigned)random_below(&w->random, 4);
	choose_server(w, run->personality);
	model_add(&w->model, model_wire(&w->model, "Target"));
	add_box(w, "INBOX");
	add_box(w, "Archive");
	for (unsigned i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "Lists/l%u", i);
		add_box(w, name);
	}
	list_init(&w->outsides);
	w->store = store_open_memory();
	w->rules = rules_from_text(rules_text, &problems);
	rule_problems_done(&problems);
	strv_add(&w->watch, "INBOX");
	strv_add(&w->watch, "Archive");
	strv_add(&w->watch, "Lists/*");
	if ((w->model.traits & MODEL_LABELS) != 0)
		strv_add(&w->watch, MODEL_ALL_MAIL);
	strv_add(&w->identities, "ann@example.com");
	w->config = (struct account_config){
	    .mailbox = {.account = "sim",
		.imap = {.security = IMAP_SECURITY_TLS,
		    .auth = IMAP_AUTH_PASSWORD,
		    .user = "ann",
		    .host = "mail.example.com",
		    .port = 993,
		    .client_version = "0"},
		.identities = &w->identities,
		.authserv = &w->authserv,
		.watch = &w->watch,
		.poll = POLL_USEC,
		.email = "ann@example.com"},
	    .watch = &w->watch,
	    .connections = w->budget,
	};
	w->next_happening = USEC_NEVER;
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

static bool
notes_open(void *ctx, const struct store_effect *effect,
    const struct store_message *message)
{
	(void)effect;
	(void)message;
	*(bool *)ctx = true;
	return false;
}

static void
settle(struct world *w)
{
	usec_t end = w->now + CALM_USEC;
	bool is_open = true;

	while (w->ok && w->now < end && (is_open || w->is_patient)) {
		run_until(w, usec_min(end, w->now + LOOK_USEC));
		is_open = false;
		for (unsigned i = 0; i < w->box_count && !is_open; i++)
			store_each_open_effect(w->store, "sim", w->names[i],
			    notes_open, &is_open, NULL);
	}
}

struct totals {
	unsigned long steps, messages, moves, kills;
};

static void
add_up(struct totals *totals, const struct world *w)
{
	totals->steps += w->steps;
	totals->messages += w->message_count;
	totals->moves += w->moves;
	totals->kills += w->kills;
}

static bool
run(void *ctx, const struct seeds_run *run)
{
	struct world *w = NEW(struct world);
	bool is_good;

	w->verbose = run->verbose;
	set_up(w, run);
	pump(w);
	run_until(w, w->now + 20 * USEC_MINUTE); /* first contact */
	check_watched(w);
	w->faulty = w->model.moody = true;
	w->next_happening = w->now + USEC_SEC;
	run_faulty(w, w->now + RUN_USEC);
	note(w, "calm");
	w->faulty = false;
	w->kill_in = 0;
	w->model.logins_max =
	    w->model.personality != NULL ? w->model.personality->logins_max : 0;
	w->model.moody = false;
	if (w->model.in_a_row > 0 || account_lockout(w->account) != NULL)
		start_again(w);
	pump(w);
	settle(w);
	if (w->ok)
		check_all(w);
	if (w->ok)
		check_watched(w);
	if (w->ok)
		check_turns(w);
	tear_down(w);
	is_good = w->ok;
	if (!is_good)
		printf(
		    "seed %llu: %s\n", (unsigned long long)run->seed, w->why);
	add_up(ctx, w);
	free(w);
	return is_good;
}

static void
sum_up(const void *ctx)
{
	const struct totals *totals = ctx;

	printf("; %lu steps, %lu messages, %lu kills, the connection moved %lu "
	       "times",
	    totals->steps, totals->messages, totals->kills, totals->moves);
}

int
main(int argc, char **argv)
{
	struct totals totals = {0};
	const struct seeds_program program = {.name = "many",
	    .scale = 10,
	    .seeds = 12,
	    .run = run,
	    .sum_up = sum_up,
	    .ctx = &totals};

	return seeds_main(&program, argc, argv);
}
