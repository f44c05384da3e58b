/* What happens to it. */
#include "tests/sim/many_private.h"

#include <stdio.h>
#include <string.h>

#include "daemon/account/unused.h"

/* Until what is gone is forgotten. */
#define UNUSED_KEEP_SEC (20 * 60)
#define EMPTY_EVERY 8 /* happenings */

const char *
wire(const struct world *w, unsigned box)
{
	return model_wire(&w->model, w->names[box]);
}

/* Whoever is not wanted any more says goodbye, while others begin. */
static bool
is_leaving(const struct mailbox *mailbox)
{
	struct mailbox_status status;

	mailbox_get_status(mailbox, &status);
	return strcmp(status.state, "logging out") == 0;
}

unsigned
connections(const struct world *w)
{
	unsigned count = 0;

	for (size_t i = 0; i < LINKS_MAX && w->links[i].mailbox != NULL; i++)
		count += !is_leaving(w->links[i].mailbox) &&
			 (w->links[i].session != NULL ||
			     w->links[i].connect_at != USEC_NEVER);
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

static bool
is_junk(const struct world *w, unsigned box)
{
	return strcmp(w->names[box], "\\Junk") == 0;
}

/* A label, or two: at the same moment. */
static void
label(struct world *w, unsigned box, unsigned id)
{
	unsigned other = (unsigned)random_below(
	    &w->random, chance(w, 50) ? 3 : w->box_count);

	if (!has_twins(w) || other == box || !w->there[other] || chance(w, 50))
		return;
	if ((w->model.traits & MODEL_LABELS) != 0 &&
	    (is_junk(w, box) || is_junk(w, other)))
		return; /* what is there is nowhere else */
	w->messages[id].is_twin = true;
	w->messages[id].other = other;
	model_label(&w->model, wire(w, box), id, wire(w, other));
	note(w, "#%u is in %s, too", id, w->names[other]);
}

static void
push(struct world *w)
{
	for (size_t i = 0; i < LINKS_MAX; i++) {
		if (w->links[i].session == NULL)
			continue;
		model_session_poll(w->links[i].session);
		collect(w, &w->links[i]);
	}
}

static enum kind
choose_kind(struct world *w, unsigned id)
{
	if (chance(w, 60))
		return KIND_MOVE + id / 3 % (KINDS - KIND_MOVE);
	return id % 4 == 3 ? KIND_HOP : KIND_EXEC;
}

static void
put_in(struct world *w, unsigned id)
{
	struct message *message = &w->messages[id];
	const char *box = wire(w, message->box);
	BUF_AUTO text = BUF_INIT;

	buf_addf(&text,
	    "From: s%u@example.org\r\nSubject: %s #%u\r\n"
	    "Message-ID: <m%u@example.org>\r\n\r\nHello.\r\n",
	    id, many_kinds[message->kind].word, id, id);
	message->uidvalidity = model_find(&w->model, box)->uidvalidity;
	message->uid = model_deliver(&w->model, box, id, buf_str(&text));
	note(w, "#%u came to %s as UID %u", id, w->names[message->box],
	    message->uid);
}

void
deliver(struct world *w)
{
	unsigned id = w->message_count;
	unsigned box = (unsigned)random_below(&w->random, w->box_count);

	if (chance(w, 40)) /* some have more traffic than others */
		box %= 3;
	if (id == MESSAGES_MAX || !w->there[box])
		return;
	w->message_count++;
	w->messages[id] = (struct message){
	    .kind = choose_kind(w, id), .box = box, .lost = w->remade[box]};
	put_in(w, id);
	label(w, box, id);
	push(w);
}

/* What rules would do, if they were asked. */
void
deliver_old(struct world *w)
{
	bool hides = (w->model.traits & MODEL_PARTIAL_VIEW) != 0;

	for (unsigned id = 0; id < (hides ? OLD_HIDDEN : OLD); id++) {
		w->messages[id] = (struct message){
		    .is_old = true, .kind = id % KINDS, .box = hides ? 0 : id};
		w->message_count++;
		put_in(w, id);
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

void
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

void
add_box(struct world *w, const char *name)
{
	snprintf(w->names[w->box_count], sizeof(w->names[0]), "%s", name);
	w->there[w->box_count++] = true;
	if (model_find(&w->model, model_wire(&w->model, name)) == NULL)
		model_add(&w->model, model_wire(&w->model, name));
}

void
make_box(struct world *w)
{
	char name[40];

	if (w->box_count == BOXES_MAX)
		return;
	snprintf(name, sizeof(name), "Lists/new%u", w->box_count);
	note(w, "%s is made", name);
	add_box(w, name);
	push(w);
}

const char *
target_of(const struct world *w, const struct message *message)
{
	const char *target = many_kinds[message->kind].target;

	return target != NULL ? model_wire(&w->model, target)
			      : wire(w, message->box);
}

static bool
is_settled(struct world *w, unsigned id)
{
	const struct message *message = &w->messages[id];

	return many_kinds[message->kind].executes
		   ? message->executed > 0
		   : model_count(&w->model, target_of(w, message), id, false) >
			 0;
}

/* Also one that may have been judged there, as a twin: what was planned for it
 * goes with the mailbox. */
static void
forget_messages(struct world *w, unsigned box)
{
	for (unsigned i = 0; i < w->message_count; i++) {
		struct message *message = &w->messages[i];
		if (message->box == box ||
		    (message->is_twin && message->other == box &&
			!is_settled(w, i)))
			message->lost = true;
	}
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

void
start_again(struct world *w)
{
	note(w, "a person starts the account");
	w->model.refused_at = 0;
	w->model.in_a_row = 0;
	account_start(w->account, w->now);
}

/* ---- the person, and what is watched ---- */

static void
reload(struct world *w, const struct strv *watch)
{
	account_set_watch(w->account, watch, w->now);
	w->model.refused_at = 0;
	w->model.in_a_row = 0;
	account_start(w->account, w->now);
}

void
restore_watch(struct world *w)
{
	if (!w->is_changed)
		return;
	note(w, "watched is what was");
	w->is_changed = false;
	reload(w, &w->watch);
	pump(w);
}

/* In another order, and some of it not: until what happens next: what is not
 * watched for long may be forgotten. Sometimes it is put back at once. Thrown
 * with dice of their own, so that the other worlds stay what they are. */
static void
change_watch(struct world *w)
{
	struct strv changed = STRV_INIT, rest = STRV_INIT;

	if (!w->changes_watch || random_below(&w->changes, 4) > 0)
		return;
	strv_copy(&rest, &w->watch);
	for (size_t left = rest.len; left > 0; left--) {
		size_t at = random_below(&w->changes, left);
		char *name = rest.items[at];
		if (random_below(&w->changes, 3) > 0)
			strv_add(&changed, name);
		rest.items[at] = rest.items[left - 1];
		rest.items[left - 1] = name;
	}
	note(w, "watched are %zu of %zu", changed.len, w->watch.len);
	w->is_changed = true;
	/* Of one alone nobody asks which message it is (mailbox_twin.c). */
	if (changed.len > 1)
		reload(w, &changed);
	if (random_below(&w->changes, 2) > 0)
		pump(w);
	if (random_below(&w->changes, 3) == 0)
		restore_watch(w);
	strv_done(&changed);
	strv_done(&rest);
}

static const struct {
	void (*happen)(struct world *);
	unsigned weight;
} happenings[] = {{deliver, 50}, {burst, 3}, {cut, 8}, {silence, 3}, {bye, 4},
    {doom, 8}, {make_box, 3}, {delete_box, 5}, {limit, 2}, {hint, 3},
    {stop_and_go, 2}, {jump_clock, 2}, {start_again, 1}};

/* What the server does by itself, now and then. */
static void
empty_trash(struct world *w)
{
	const char *trash = model_wire(&w->model, "\\Trash");

	if ((w->model.traits & MODEL_EMPTIES_TRASH) == 0 ||
	    ++w->happened % EMPTY_EVERY != 0)
		return;
	note(w, "the server empties its trash");
	for (unsigned id = 0; id < w->message_count; id++) {
		w->messages[id].is_emptied |=
		    model_count(&w->model, trash, id, false) > 0;
		model_remove(&w->model, trash, id);
	}
	push(w);
}

/* What is gone for a while is forgotten, and nothing else: without the dice,
 * so that worlds stay what they are. */
static void
forget_unused(struct world *w)
{
	int64_t now_unix = START_UNIX + (int64_t)(w->now / USEC_SEC);
	struct store_batch *batch = store_batch_new();
	const struct unused_look look = {
	    .store = w->store,
	    .name = "sim",
	    .is_configured = true,
	    .account = w->account,
	    .now_unix = now_unix,
	    .before_unix = now_unix - UNUSED_KEEP_SEC,
	    .now = w->now,
	};
	bool more;

	unused_look(&look, batch, &more, NULL);
	if (!store_batch_is_empty(batch))
		store_commit(w->store, batch, NULL);
	store_batch_free(&batch);
}

void
happen(struct world *w)
{
	unsigned total = 0, dice;
	size_t i = 0;

	restore_watch(w);
	forget_unused(w);
	empty_trash(w);
	change_watch(w);
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
