/*
 * sim-outbox [-v] [-s FIRST_SEED] [-n SEEDS]: the forward queue against a
 * model of a submission server, on a virtual clock, with seeded faults, for a
 * row of seeds ($SIM_SEEDS, else 300; tests/sim/seeds.h).
 *
 * What happens, by the seed: forwards are queued; links have latency, cut
 * their bytes anywhere, break, fall silent or are slower than patience; the
 * server defers, refuses, has quotas, hangs up at each step, with and without
 * having taken the message; logins are refused for a while; commits fail; the
 * daemon dies between any two steps and starts again on the same store; the
 * person tries, releases and drops forwards; some are claimed, and are this
 * machine's to send now and then only.
 *
 * Always: no dot that the journal does not know; no recipient named before
 * its time, nor of a claimed forward without asking whose it is; nothing tried
 * on that was refused for good; no connection within the back-off's floor; a
 * deadline while there is work. In the end, when the faults have stopped:
 * nothing is lost, and nothing was taken twice but where the server's word was
 * never heard, or the daemon died before it was written, and then as the same
 * bytes. Where the service files what it took in Sent, late or early, nothing
 * is taken twice at all, unless nobody could look there for a quarter of an
 * hour.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/outbox/outbox.h"
#include "daemon/wire/backoff.h"
#include "tests/sim/model_smtp.h"
#include "tests/sim/seeds.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ITEMS_MAX 60
#define RUN_USEC (12 * USEC_HOUR)  /* with faults */
#define CALM_USEC (80 * USEC_HOUR) /* without: the slowest ladder ends */
#define STEPS_MAX 400000
#define START_UNIX 1800000000
#define START_USEC (100 * USEC_SEC)
/* A copy is in Sent by then. */
#define FILING_USEC (OUTBOX_SENT_USEC - USEC_SEC)
#define RETRY_FLOOR_SEC 48 /* the first step of the ladder, less jitter */

struct totals {
	unsigned steps, items, taken, twice, kills, cuts, failed_commits;
	unsigned looks, seen;
	unsigned states[QUEUE_STATES];
};

struct item {
	const char *unknown;
	usec_t filed;	 /* when its copy is in Sent; 0: it is not on its way */
	bool is_blind;	 /* nobody could look there */
	bool refused;	 /* the server said 5xx to it */
	unsigned doubts; /* the link or the daemon died behind its dot */
	enum queue_state state; /* as of the last look into the store */
	int64_t next_try_unix;
	unsigned attempts;
	int64_t deferred_unix; /* the last time it was */
	int64_t id;
	bool by_hand; /* the person released or dropped it */
	bool is_claimed;
	bool is_ours;	/* so it was said, of this try */
	bool by_others; /* another machine sent it, or may have */
};

/* One direction of the link. */
struct pipe {
	struct buf bytes;
	usec_t next; /* when the next piece arrives; USEC_NEVER: nothing */
};

struct world {
	unsigned password; /* how often it was changed */
	struct random random;
	bool verbose, faulty;
	usec_t now;
	struct model_smtp model;
	struct store *store;
	struct outbox_config config;
	struct outbox *outbox;
	struct model_smtp_session *session; /* NULL: not connected */
	struct pipe up, down;
	size_t delivered; /* bytes of the session that arrived */
	bool silent;
	usec_t connect_at, not_before;
	struct store_batch *batch; /* being written; NULL: none */
	usec_t commit_at;
	int64_t asked; /* whose it is; 0: nothing is asked */
	usec_t claim_at;
	char *sought; /* owned: it is looked for; NULL: nothing is */
	usec_t sought_at;
	struct item items[ITEMS_MAX];
	unsigned item_count;
	usec_t next_happening, quiet_until;
	unsigned kill_in; /* events until the daemon dies; 0: it lives on */
	struct totals *totals;
	char why[500];
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

	if (w->why[0] != '\0')
		return; /* the first reason counts */
	va_start(args, format);
	vsnprintf(w->why, sizeof(w->why), format, args);
	va_end(args);
	note(w, "BROKEN: %s", w->why);
}

static bool
chance(struct world *w, unsigned percent)
{
	return random_below(&w->random, 100) < percent;
}

static int64_t
unix_now(const struct world *w)
{
	return START_UNIX + (int64_t)((w->now - START_USEC) / USEC_SEC);
}

/* ---- items ---- */

static struct item *
item_with(struct world *w, int64_t id)
{
	for (unsigned i = 0; i < w->item_count; i++)
		if (w->items[i].id == id)
			return &w->items[i];
	fail(w, "an unknown item: %lld", (long long)id);
	return &w->items[0];
}

/* "t7@example.net" */
static struct item *
item_of(struct world *w, const char *to)
{
	unsigned index = (unsigned)strtoul(to + 1, NULL, 10);

	if (index >= w->item_count) {
		fail(w, "an unknown recipient: %s", to);
		return &w->items[0];
	}
	return &w->items[index];
}

static bool
look_at_item(void *ctx, const struct store_queue_item *stored)
{
	struct world *w = ctx;
	struct item *item = item_of(w, stored->target);

	if (item->state == QUEUE_SENT && stored->state != QUEUE_SENT)
		fail(w, "%s was sent, and is now %s", stored->target,
		    queue_state_name(stored->state));
	if (stored->state == QUEUE_WAITING &&
	    stored->attempts > item->attempts &&
	    stored->next_try_unix < item->deferred_unix + RETRY_FLOOR_SEC)
		fail(w, "%s is to be tried again in %lld s", stored->target,
		    (long long)(stored->next_try_unix - item->deferred_unix));
	item->id = stored->id;
	item->attempts = stored->attempts;
	item->state = stored->state;
	item->next_try_unix = stored->next_try_unix;
	return true;
}

static void
look_at_store(struct world *w)
{
	store_each_queued(w->store, "work", look_at_item, w, NULL);
}

static bool
may_ask(void *ctx, const char *to)
{
	struct world *w = ctx;
	const struct item *item = item_of(w, to);

	look_at_store(w);
	note(w, "  server: RCPT %s (%s)", to, queue_state_name(item->state));
	if (item->is_claimed && !item->is_ours)
		fail(w, "%s is claimed, and nobody asked whose it is", to);
	/* That it may be sent is written with the outcome of the one before. */
	if (item->state == QUEUE_SENDING)
		return strcmp(item->unknown, "resend") == 0;
	return item->state == QUEUE_WAITING &&
	       item->next_try_unix <= unix_now(w);
}

static bool
may_end(void *ctx, const char *to)
{
	struct world *w = ctx;

	look_at_store(w);
	note(w, "  server: the dot for %s", to);
	return item_of(w, to)->state == QUEUE_SENDING;
}

static void
refused(void *ctx, const char *to)
{
	struct world *w = ctx;

	note(w, "  server: 5xx for %s", to);
	item_of(w, to)->refused = true;
}

static void
enqueue(struct world *w)
{
	static const char *const unknowns[] = {"resend", "hold", "drop"};
	unsigned index = w->item_count;
	struct store_batch *batch = store_batch_new();
	STR_AUTO to = xasprintf("t%u@example.net", index);
	STR_AUTO id = xasprintf("<k%u@example.org>", index);
	STR_AUTO original = xasprintf(
	    "From: bob@example.com\r\nSubject: #%u\r\n\r\nHello\n.\n..x\r\n.",
	    index);

	if (index == ITEMS_MAX) {
		store_batch_free(&batch);
		return;
	}
	w->item_count++;
	w->items[index].is_claimed = chance(w, 15);
	w->items[index].unknown =
	    unknowns[chance(w, 60) ? 0 : random_below(&w->random, 3)];
	const struct store_queue_item item = {
	    .key = id,
	    .source = {"work", "INBOX", 1, index + 1},
	    .account = "work",
	    .rule = "r",
	    .target = to,
	    .mode = chance(w, 70) ? "attach" : "redirect",
	    .unknown = w->items[index].unknown,
	    .message_id = id,
	    .subject = "s",
	    .queued_unix = unix_now(w),
	    .original = span_from_str(original),
	    .state = QUEUE_WAITING,
	    .next_try_unix = unix_now(w),
	    .reply = w->items[index].is_claimed ? STORE_CLAIMED : "",
	};
	store_batch_enqueue(batch, &item);
	store_commit(w->store, batch, NULL);
	store_batch_free(&batch);
	look_at_store(w);
	note(w, "queued %s (%s)", to, w->items[index].unknown);
	outbox_kick(w->outbox, w->now);
}

/* The link or the daemon dies: what was behind its dot is in doubt now. */
static void
doubt(struct world *w)
{
	look_at_store(w);
	for (unsigned i = 0; i < w->item_count; i++)
		w->items[i].doubts += w->items[i].state == QUEUE_SENDING;
}

/* ---- the link ---- */

/* Now and then slower than any patience. */
static usec_t
delay(struct world *w)
{
	if (w->faulty && chance(w, 1))
		return random_below(&w->random, 15 * USEC_MINUTE);
	return USEC_MSEC + random_below(&w->random, 300 * USEC_MSEC);
}

static void
clear_pipe(struct pipe *pipe)
{
	buf_clear(&pipe->bytes);
	pipe->next = USEC_NEVER;
}

static void
drop_link(struct world *w)
{
	model_smtp_session_free(&w->session);
	clear_pipe(&w->up);
	clear_pipe(&w->down);
	w->silent = false;
	w->connect_at = USEC_NEVER;
	w->delivered = 0;
}

static void
collect(struct world *w)
{
	if (w->session == NULL)
		return;
	struct span out = outbox_output(w->outbox);
	while (out.len > 0) {
		size_t part = 1 + (size_t)random_below(&w->random, out.len);
		buf_add(&w->up.bytes, out.data, part);
		outbox_sent(w->outbox, part);
		out = outbox_output(w->outbox);
	}
	struct buf *said = model_smtp_session_output(w->session);
	buf_add_span(&w->down.bytes, buf_span(said));
	buf_clear(said);
	if (w->up.bytes.len > 0 && w->up.next == USEC_NEVER)
		w->up.next = w->now + delay(w);
	if (w->down.bytes.len > 0 && w->down.next == USEC_NEVER)
		w->down.next = w->now + delay(w);
}

static struct buf
take_piece(struct world *w, struct pipe *pipe)
{
	struct buf piece = BUF_INIT;
	size_t len = pipe->bytes.len;

	if (chance(w, 30))
		len = 1 + (size_t)random_below(&w->random, len);
	buf_add(&piece, pipe->bytes.data, len);
	buf_consume(&pipe->bytes, len);
	pipe->next = USEC_NEVER;
	return piece;
}

static void
move_up(struct world *w)
{
	struct buf piece = take_piece(w, &w->up);

	if (!w->silent)
		model_smtp_session_feed(w->session, buf_span(&piece));
	buf_done(&piece);
}

static void
note_heard(struct world *w)
{
	size_t index, at = model_smtp_session_said(w->session, &index);

	if (index != SIZE_MAX && w->delivered >= at)
		w->model.taken[index].heard = true;
}

static void
move_down(struct world *w)
{
	struct buf piece = take_piece(w, &w->down);

	if (!w->silent) {
		w->delivered += piece.len;
		note_heard(w);
		outbox_feed(w->outbox, buf_span(&piece), w->now);
	}
	buf_done(&piece);
}

static void
end_link(struct world *w)
{
	drop_link(w);
	outbox_eof(w->outbox, w->now);
}

/* ---- the owner ---- */

static void
answer_load(struct world *w, const struct store_but *but)
{
	struct store_queue_item item;
	bool found = false;

	store_queue_next_but(w->store, "work", but, &item, &found, NULL);
	/* Queued after the look, and before its answer arrives. */
	if (!found && w->faulty && chance(w, 10))
		enqueue(w);
	outbox_item(w->outbox, found ? &item : NULL, w->now);
}

static void
answer_connect(struct world *w)
{
	drop_link(w);
	if (w->now < w->not_before)
		fail(w, "connects %llu us before the floor",
		    (unsigned long long)(w->not_before - w->now));
	w->connect_at = w->now + delay(w);
}

static void
finish_connect(struct world *w)
{
	struct error error = ERROR_INIT;

	w->connect_at = USEC_NEVER;
	if (w->faulty && chance(w, 15)) {
		error_set(&error, FAULT_RETRY, "connection refused");
		outbox_connect_failed(w->outbox, &error, w->now);
		return;
	}
	w->session = model_smtp_session_new(&w->model);
	outbox_connected(w->outbox, w->now);
}

static bool
write_batch(struct world *w, struct error *error_r)
{
	if (w->faulty && chance(w, 4)) {
		store_fail_commit(w->store, 1, false);
		w->totals->failed_commits++;
	}
	bool ok = store_commit(w->store, w->batch, error_r);
	store_batch_free(&w->batch);
	w->commit_at = USEC_NEVER;
	look_at_store(w);
	return ok;
}

static void
finish_commit(struct world *w)
{
	struct error error = ERROR_INIT;
	bool ok = write_batch(w, &error);

	outbox_committed(w->outbox, ok, &error, w->now);
}

/* A disk takes its time, and the world goes on. */
static void
answer_commit(struct world *w, struct outbox_event *event)
{
	if (w->batch != NULL)
		fail(w, "two commits at once");
	store_batch_free(&w->batch);
	w->batch = event->batch;
	event->batch = NULL;
	w->commit_at = w->now + (chance(w, 50) ? delay(w) : 0);
}

/* ---- claims ---- */

static void
answer_claim(struct world *w, const struct outbox_event *event)
{
	if (!item_with(w, event->id)->is_claimed)
		fail(w, "%s is nobody else's", event->target);
	w->asked = event->id;
	w->claim_at = w->now + delay(w);
}

static void
settled(struct world *w, const struct outbox_event *event)
{
	item_with(w, event->id)->is_ours = false; /* each try asks */
}

static void
finish_claim(struct world *w)
{
	static const enum outbox_claim claims[] = {OUTBOX_OURS, OUTBOX_OURS,
	    OUTBOX_OURS, OUTBOX_OTHERS, OUTBOX_OTHERS, OUTBOX_DONE,
	    OUTBOX_UNSURE};
	enum outbox_claim claim =
	    claims[w->faulty ? random_below(&w->random, COUNT(claims)) : 0];
	usec_t time = random_below(&w->random, 15 * USEC_MINUTE);
	struct item *item = item_with(w, w->asked);
	int64_t id = w->asked;

	w->asked = 0;
	w->claim_at = USEC_NEVER;
	item->is_ours = claim == OUTBOX_OURS;
	item->by_others =
	    item->by_others || claim == OUTBOX_DONE || claim == OUTBOX_UNSURE;
	note(w, "item %lld: claim %d", (long long)id, claim);
	outbox_claimed(w->outbox, id, claim,
	    claim == OUTBOX_OURS
		? usec_add(w->now, w->faulty ? time : USEC_HOUR)
		: time,
	    w->now);
}

/* ---- Sent ---- */

/* A look takes its time: it is answered by what is there then. */
static void
answer_seek(struct world *w, const struct outbox_event *event)
{
	free(w->sought);
	w->sought = xstrdup(event->message_id);
	w->sought_at = w->now + delay(w);
}

/* What was taken is filed by and by. */
static void
file_copies(struct world *w)
{
	for (size_t i = 0; i < w->model.taken_count; i++) {
		struct item *item = item_of(w, w->model.taken[i].to);
		if (item->filed == 0)
			item->filed =
			    w->now + random_below(&w->random, FILING_USEC);
	}
}

static enum outbox_sight
look_into_sent(struct world *w, const struct item *item)
{
	if (w->faulty && chance(w, 20))
		return OUTBOX_BLIND;
	return item->filed != 0 && item->filed <= w->now ? OUTBOX_SEEN
							 : OUTBOX_UNSEEN;
}

/* "<k7@example.org>" */
static void
finish_seek(struct world *w)
{
	enum outbox_sight sight = look_into_sent(w, item_of(w, w->sought + 1));
	char *sought = w->sought;

	note(w, "looked for %s in Sent: %d", sought, sight);
	w->sought = NULL;
	w->sought_at = USEC_NEVER;
	w->totals->looks++;
	w->totals->seen += sight == OUTBOX_SEEN;
	outbox_sought(w->outbox, sought, sight, "blind", w->now);
	free(sought);
}

static void
note_report(struct world *w, const struct outbox_event *event)
{
	if (strstr(event->text, "could not be looked at") != NULL)
		item_of(w, event->target)->is_blind = true;
	note(w, "%s %s: %s", outbox_report_name(event->report), event->target,
	    event->text);
	if (event->report == OUTBOX_DEFERRED)
		item_of(w, event->target)->deferred_unix = unix_now(w);
	if (event->report == OUTBOX_DEFERRED &&
	    strncmp(event->text, "55", 2) == 0)
		fail(w, "%s was refused for good, and is tried on: %s",
		    event->target, event->text);
	/* Trouble while the store would not write has a wait of its own. */
	if (event->report == OUTBOX_TROUBLE && event->fault != FAULT_LOCAL)
		w->not_before = usec_add(
		    w->now, backoff_floor(backoff_cause_of(event->fault)));
}

static void
give_password(struct world *w)
{
	STR_AUTO password = xasprintf("pass%u", w->password);

	outbox_secret(w->outbox, span_from_str(password), w->now);
}

static void
answer(struct world *w, struct outbox_event *event)
{
	switch (event->kind) {
	case OUTBOX_LOAD:
		answer_load(w, &event->but);
		break;
	case OUTBOX_CONNECT:
		answer_connect(w);
		break;
	case OUTBOX_DISCONNECT:
		doubt(w);
		drop_link(w);
		break;
	case OUTBOX_STARTTLS:
		fail(w, "asked for TLS on a link that is secure");
		break;
	case OUTBOX_SECRET:
		give_password(w);
		break;
	case OUTBOX_CLAIM:
		answer_claim(w, event);
		break;
	case OUTBOX_SETTLED:
		settled(w, event);
		break;
	case OUTBOX_COMMIT:
		answer_commit(w, event);
		break;
	case OUTBOX_SEEK:
		if (!w->config.files_sent)
			fail(w, "looks into a Sent that tells nothing");
		answer_seek(w, event);
		break;
	case OUTBOX_REPORT:
		note_report(w, event);
		break;
	}
}

/* ---- the daemon's life ---- */

static void
be_born(struct world *w)
{
	for (unsigned i = 0; i < w->item_count; i++)
		w->items[i].is_ours = false;
	w->claim_at = USEC_NEVER;
	w->config.seed = random_next(&w->random);
	w->outbox = outbox_new(&w->config, w->now);
	outbox_set_clock(w->outbox, unix_now(w), w->now);
	outbox_start(w->outbox, w->now);
}

/* What was heard and not written is as good as not heard. */
static void
excuse(struct world *w)
{
	for (size_t i = 0; i < w->model.taken_count; i++) {
		struct model_taken *taken = &w->model.taken[i];
		if (item_of(w, taken->to)->state != QUEUE_SENT)
			taken->excused = true;
	}
}

static void
kill_and_restart(struct world *w)
{
	note(w, "the daemon is killed");
	w->totals->kills++;
	w->not_before = 0; /* it forgets whom it must spare */
	if (w->batch != NULL && chance(w, 50))
		write_batch(w, NULL);
	store_batch_free(&w->batch);
	w->commit_at = USEC_NEVER;
	doubt(w);
	excuse(w);
	drop_link(w);
	w->sought_at = USEC_NEVER;
	outbox_free(&w->outbox);
	be_born(w);
}

static void
pump(struct world *w)
{
	struct outbox_event event;

	while (outbox_next_event(w->outbox, &event)) {
		bool killed = w->kill_in > 0 && --w->kill_in == 0;
		if (!killed || chance(w, 50))
			answer(w, &event);
		outbox_event_done(&event);
		if (killed)
			kill_and_restart(w);
	}
	collect(w);
}

/* ---- happenings ---- */

static void
cut(struct world *w)
{
	if (w->session == NULL)
		return;
	note(w, "the link breaks");
	w->totals->cuts++;
	end_link(w);
}

static void
silence(struct world *w)
{
	note(w, "the link falls silent");
	w->silent = w->session != NULL;
}

/* When they are good again, a person has set another password. */
static void
refuse_logins(struct world *w, bool refuses)
{
	w->password += w->model.refuse_logins && !refuses;
	w->model.refuse_logins = refuses;
}

static void
toggle_logins(struct world *w)
{
	refuse_logins(w, !w->model.refuse_logins);
	note(w, "logins are refused: %d", w->model.refuse_logins);
}

static void
doom(struct world *w)
{
	w->kill_in = 1 + (unsigned)random_below(&w->random, 15);
}

static void
burst(struct world *w)
{
	for (unsigned i = 0; i < 5; i++)
		enqueue(w);
}

static void
stop_and_start(struct world *w)
{
	note(w, "stopped and started");
	outbox_stop(w->outbox, w->now);
	pump(w); /* answers to what it asked before are of no use to it */
	outbox_start(w->outbox, w->now);
	w->not_before = 0;
}

/* The person, by belfryctl queue: retry, release or drop. What the outbox has
 * in hand is refused to them. */
static void
by_hand(struct world *w)
{
	struct item *item;
	struct store_batch *batch = store_batch_new();
	bool drop;

	look_at_store(w);
	item =
	    &w->items[random_below(&w->random, w->item_count + 1) % ITEMS_MAX];
	drop = item->state == QUEUE_HELD && chance(w, 50);
	if (item->id != 0 && !outbox_has_in_hand(w->outbox, item->id) &&
	    (item->state == QUEUE_WAITING || item->state == QUEUE_FAILED ||
		item->state == QUEUE_HELD)) {
		item->by_hand = item->by_hand || item->state == QUEUE_HELD;
		item->is_claimed = false; /* by the words below */
		store_batch_set_queue(batch, item->id,
		    drop ? QUEUE_DROPPED : QUEUE_WAITING,
		    item->state == QUEUE_WAITING ? item->attempts : 0,
		    unix_now(w), "by hand", unix_now(w));
		store_commit(w->store, batch, NULL);
		look_at_store(w);
		note(w, "the person %s one", drop ? "drops" : "sends");
		outbox_reload(w->outbox, w->now);
		outbox_kick(w->outbox, w->now);
		w->not_before = 0;
	}
	store_batch_free(&batch);
}

static const struct {
	void (*happen)(struct world *);
	unsigned weight;
} happenings[] = {{enqueue, 30}, {burst, 3}, {cut, 12}, {silence, 3},
    {toggle_logins, 2}, {doom, 14}, {by_hand, 25}, {stop_and_start, 1}};

static void
happen(struct world *w)
{
	unsigned total = 0, dice;
	size_t i = 0;

	for (size_t n = 0; n < COUNT(happenings); n++)
		total += happenings[n].weight;
	dice = (unsigned)random_below(&w->random, total);
	while (dice >= happenings[i].weight)
		dice -= happenings[i++].weight;
	happenings[i].happen(w);
	w->next_happening =
	    w->now + (chance(w, 60)
			     ? random_below(&w->random, 2 * USEC_SEC)
			     : random_below(&w->random, 20 * USEC_MINUTE));
}

static void
become_calm(struct world *w)
{
	note(w, "calm");
	w->faulty = false;
	w->model.trouble = 0;
	refuse_logins(w, false);
	w->next_happening = USEC_NEVER;
	w->kill_in = 0;
	w->quiet_until = w->now + CALM_USEC;
}

/* ---- time ---- */

static bool
has_work(const struct world *w)
{
	for (unsigned i = 0; i < w->item_count; i++)
		if (w->items[i].state == QUEUE_WAITING ||
		    w->items[i].state == QUEUE_SENDING)
			return true;
	return false;
}

static void
check_deadline(struct world *w)
{
	look_at_store(w);
	if (has_work(w) && outbox_deadline(w->outbox) == USEC_NEVER &&
	    w->batch == NULL)
		fail(w, "there is work, and no deadline (%s)",
		    outbox_state_name(w->outbox));
	if (w->model.broken[0] != '\0')
		fail(w, "%s", w->model.broken);
}

static void
serve_link(struct world *w)
{
	if (w->connect_at <= w->now)
		finish_connect(w);
	if (w->session != NULL && w->up.next <= w->now)
		move_up(w);
	if (w->session != NULL && w->down.next <= w->now)
		move_down(w);
	pump(w);
	if (w->session != NULL && model_smtp_session_is_over(w->session) &&
	    w->down.bytes.len == 0 && !w->silent)
		end_link(w);
}

static usec_t
next_time(struct world *w)
{
	usec_t next = usec_min(w->next_happening, w->quiet_until);

	next = usec_min(next, outbox_deadline(w->outbox));
	next = usec_min(next, usec_min(w->connect_at, w->commit_at));
	next = usec_min(next, usec_min(w->sought_at, w->claim_at));
	next = usec_min(next, usec_min(w->up.next, w->down.next));
	return next > w->now ? next : w->now;
}

static void
step(struct world *w)
{
	w->now = next_time(w);
	if (w->next_happening <= w->now)
		happen(w);
	pump(w);
	if (w->commit_at <= w->now)
		finish_commit(w);
	file_copies(w);
	if (w->sought_at <= w->now)
		finish_seek(w);
	if (w->claim_at <= w->now)
		finish_claim(w);
	serve_link(w);
	if (outbox_deadline(w->outbox) <= w->now)
		outbox_tick(w->outbox, w->now);
	pump(w);
	check_deadline(w);
	w->totals->steps++;
}

/* ---- what must be true in the end ---- */

static bool
may_have_ended(const struct item *item, unsigned taken)
{
	switch (item->state) {
	case QUEUE_SENT:
		return taken > 0;
	case QUEUE_FAILED:
		return item->refused;
	case QUEUE_HELD: /* as the rule says, or after too many doubts */
		return item->by_others ||
		       (item->doubts > 0 &&
			   (strcmp(item->unknown, "hold") == 0 ||
			       item->doubts > RETRY_UNKNOWN_MAX));
	case QUEUE_DROPPED:
		return item->by_hand || item->by_others ||
		       (item->doubts > 0 && strcmp(item->unknown, "drop") == 0);
	case QUEUE_WAITING:
	case QUEUE_SENDING:
	case QUEUE_STATES:
		break;
	}
	return false;
}

static void
check_item(struct world *w, unsigned index)
{
	const struct item *item = &w->items[index];
	STR_AUTO to = xasprintf("t%u@example.net", index);
	unsigned taken = model_smtp_count(&w->model, to);

	if (!may_have_ended(item, taken))
		fail(w, "%s (%s) is %s: taken %u times, %u doubts, %srefused",
		    to, item->unknown, queue_state_name(item->state), taken,
		    item->doubts, item->refused ? "" : "not ");
	if (taken > 1 && strcmp(item->unknown, "resend") != 0 && !item->by_hand)
		fail(w, "%s (%s) was taken %u times", to, item->unknown, taken);
	if (taken > 1 && w->config.files_sent && !item->by_hand &&
	    !item->is_blind)
		fail(w, "%s was taken %u times, and Sent would have told", to,
		    taken);
	if (taken > 1 && taken > item->doubts + 1)
		fail(w, "%s was taken %u times, with %u doubts", to, taken,
		    item->doubts);
	w->totals->twice += taken > 1;
	w->totals->states[item->state]++;
}

/* A second one: only when the first one's word never came through, and as
 * the same bytes. */
static void
check_twins(struct world *w)
{
	for (size_t i = 0; i < w->model.taken_count; i++) {
		const struct model_taken *first = &w->model.taken[i];
		for (size_t j = i + 1; j < w->model.taken_count; j++) {
			const struct model_taken *next = &w->model.taken[j];
			if (strcmp(first->to, next->to) != 0)
				continue;
			if (first->heard && !first->excused)
				fail(w, "%s again, though it was heard",
				    first->to);
			if (strcmp(first->text, next->text) != 0)
				fail(
				    w, "%s again, with other bytes", first->to);
		}
	}
}

static void
check_all(struct world *w)
{
	for (size_t i = 0; i < w->model.taken_count; i++) {
		const struct model_taken *taken = &w->model.taken[i];
		STR_AUTO id = xasprintf("Message-ID: <k%s", taken->to + 1);
		id[strcspn(id, "@")] = '\0';
		if (strstr(taken->text, id) == NULL)
			fail(w, "%s was taken without its Message-ID",
			    taken->to);
	}
	for (unsigned i = 0; i < w->item_count; i++)
		check_item(w, i);
	check_twins(w);
}

/* ---- a run ---- */

static void
set_up(struct world *w, uint64_t seed)
{
	random_init(&w->random, seed);
	w->now = START_USEC;
	w->store = store_open_memory();
	w->model = (struct model_smtp){
	    .traits =
		(unsigned)random_below(&w->random, 1u << MODEL_SMTP_TRAITS),
	    .random = &w->random,
	    .trouble = 1 + (unsigned)random_below(&w->random, 15),
	    .may_ask = may_ask,
	    .may_end = may_end,
	    .refused = refused,
	    .ctx = w,
	};
	w->config = (struct outbox_config){
	    .account = "work",
	    .from = "ann@example.org",
	    .files_sent = chance(w, 50),
	    .smtp = {.security = SMTP_SECURITY_TLS,
		.auth = SMTP_AUTH_PASSWORD,
		.user = "user",
		.host = "mail.example.net",
		.port = 465,
		.ehlo_name = "client.example.org"},
	};
	w->up.next = w->down.next = USEC_NEVER;
	w->connect_at = w->commit_at = w->sought_at = USEC_NEVER;
	w->quiet_until = USEC_NEVER;
	w->faulty = true;
	w->next_happening = w->now + USEC_SEC;
	be_born(w);
}

static void
tear_down(struct world *w)
{
	drop_link(w);
	buf_done(&w->up.bytes);
	buf_done(&w->down.bytes);
	outbox_free(&w->outbox);
	store_batch_free(&w->batch);
	free(w->sought);
	store_close(&w->store);
	model_smtp_done(&w->model);
}

static bool
play(void *ctx, const struct seeds_run *run)
{
	struct totals *totals = ctx;
	struct world *w = NEW(struct world);
	unsigned first_step = totals->steps;

	w->totals = totals;
	w->verbose = run->verbose;
	set_up(w, run->seed);
	usec_t end = w->now + RUN_USEC;
	while (w->why[0] == '\0' && w->now < end &&
	       totals->steps - first_step < STEPS_MAX)
		step(w);
	become_calm(w);
	while (w->why[0] == '\0' && w->now < w->quiet_until && has_work(w) &&
	       totals->steps - first_step < STEPS_MAX)
		step(w);
	if (totals->steps - first_step >= STEPS_MAX)
		fail(w, "too many steps: something spins");
	if (w->why[0] == '\0')
		check_all(w);
	bool good = w->why[0] == '\0';
	if (!good)
		printf(
		    "seed %llu: %s\n", (unsigned long long)run->seed, w->why);
	totals->items += w->item_count;
	totals->taken += (unsigned)w->model.taken_count;
	tear_down(w);
	free(w);
	return good;
}

static void
sum_up(const void *ctx)
{
	const struct totals *totals = ctx;

	printf("; %u steps, %u forwards, %u taken, %u of them twice, %u kills, "
	       "%u cuts, %u failed commits, %u looks into Sent, %u of them "
	       "found it;",
	    totals->steps, totals->items, totals->taken, totals->twice,
	    totals->kills, totals->cuts, totals->failed_commits, totals->looks,
	    totals->seen);
	for (enum queue_state state = 0; state < QUEUE_STATES; state++)
		printf(
		    " %u %s", totals->states[state], queue_state_name(state));
}

int
main(int argc, char **argv)
{
	struct totals totals = {0};
	const struct seeds_program program = {.name = "sim-outbox",
	    .scale = 1,
	    .seeds = 300,
	    .run = play,
	    .sum_up = sum_up,
	    .ctx = &totals};

	return seeds_main(&program, argc, argv);
}
