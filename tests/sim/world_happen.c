/*
 * sim/world: what happens, by the dice.
 */
#include "tests/sim/world_private.h"

#define FLOOD 100000

static void
cut(struct world *w)
{
	for (size_t i = 0; i < ACCOUNT_MAILBOXES_MAX; i++)
		if (w->links[i].session != NULL && world_chance(w, 70)) {
			world_note(w, "the link breaks");
			w->result->cuts++;
			world_end_link(w, &w->links[i]);
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
			world_note(w, "the link falls silent");
			fall_silent(&w->links[i]);
		}
}

/* A queue in the network, or a server that is busy: for longer, sometimes, than
 * anybody waits. Not before the login, as it must be known when a refusal was
 * heard. */
static void
stall(struct world *w)
{
	usec_t until = w->now + random_below(&w->random, 3 * USEC_MINUTE);

	for (size_t i = 0; i < ACCOUNT_MAILBOXES_MAX; i++)
		if (w->links[i].session != NULL &&
		    model_session_is_logged_in(w->links[i].session)) {
			world_note(w, "the link stalls");
			world_stall_link(&w->links[i], until);
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

	world_note(w, "the network changes");
	if (world_chance(w, 50))
		silence(w);
	while (count-- > 0)
		hint(w);
}

static void
fall_asleep(struct world *w)
{
	world_note(w, "the machine sleeps");
	silence(w);
}

/* All timers are due at once, and the other end knows nothing of it. */
static void
wake_up(struct world *w, usec_t slept)
{
	w->now = usec_add(w->now, slept);
	for (size_t i = 0; i < ACCOUNT_MAILBOXES_MAX; i++)
		w->links[i].doubted = 0;
	hint(w);
}

static void
suspend(struct world *w)
{
	usec_t slept = random_below(&w->random, 3 * USEC_HOUR);

	fall_asleep(w);
	if (world_chance(w, 50))
		world_deliver(w);
	wake_up(w, slept);
}

void
world_say_bye(struct world *w)
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
	bool moves = world_chance(w, 50);
	world_note(w, "another client %s #%u", moves ? "moves" : "removes", id);
	w->messages[id].touched = true;
	w->messages[id].removed |= !moves;
	world_deal(w, id);
	if (moves)
		model_move(&w->model, world_source_of(w, id), id,
		    world_wire(w, OTHERS_MAILBOX));
	else
		model_remove(&w->model, world_source_of(w, id), id);
}

static void
toggle_quota(struct world *w)
{
	w->model.overquota = !w->model.overquota;
	world_note(w, "over quota: %d", w->model.overquota);
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
		world_deliver(w);
}

/* Reads, or puts a keyword to, some of what is there. */
static void
other_flags(struct world *w)
{
	unsigned id = (unsigned)random_below(&w->random, w->message_count);
	bool reads = world_chance(w, 50);

	world_note(w, "another client %s #%u", reads ? "reads" : "labels", id);
	if (reads) {
		w->messages[id].seen = true;
		world_deal(w, id);
	}
	w->messages[id].flagged = true;
	model_flag(
	    &w->model, world_source_of(w, id), id, reads ? "\\Seen" : "$Label");
}

/* Whatever is there gets another UID, and what was planned for the old ones is
 * not done. */
void
world_make_anew(struct world *w)
{
	if (!w->rebuilds)
		return;
	world_note(w, "the mailbox is rebuilt");
	w->was_rebuilt = true;
	for (unsigned id = 0; id < w->message_count; id++)
		if (strcmp(world_source_of(w, id), "INBOX") == 0 &&
		    model_count(&w->model, "INBOX", id, false) +
			    model_count(&w->model, "INBOX", id, true) >
			0)
			w->messages[id].touched = true;
	model_rebuild(&w->model, "INBOX");
}

/* Later than this one, so that nothing is left to it; as soon as there is a
 * place to say so. */
void
world_join(struct world *w)
{
	const char *name = world_wire(w, CLAIMS_MAILBOX);
	long long now_unix = world_true_unix(w);
	BUF_AUTO text = BUF_INIT;

	if (model_count(&w->model, name, MODEL_APPENDED, false) == 0)
		return;
	world_note(w, "another machine joins");
	buf_addf(&text,
	    "From: b@localhost\r\n" CLAIMS_HEADER ": there %lld %lld\r\n\r\n",
	    now_unix, now_unix);
	model_deliver(&w->model, name, MODEL_APPENDED - 1, buf_str(&text));
	w->joins = USEC_NEVER;
}

static void
jump_clock(struct world *w)
{
	w->clock_off = (int64_t)random_below(&w->random, 12 * 60 * 60) -
		       (int64_t)6 * 60 * 60;
	world_note(w, "the clock is wrong by %lld s", (long long)w->clock_off);
	account_set_clock(w->account, world_now_unix(w), 0, w->now);
}

static void
start_again(struct world *w)
{
	world_note(w, "a person starts the account");
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
	world_note(w, "the rules are read again");
	account_set_rules(w->account, w->rules);
}

void
world_let_others_act(struct world *w)
{
	switch (random_below(&w->random, 4)) {
	case 0:
		other_client(w);
		break;
	case 1:
		other_flags(w);
		break;
	default:
		world_deliver(w);
	}
}

/* All sessions end, and no new ones begin for a while. */
static void
restart_server(struct world *w)
{
	world_note(w, "the server is restarted");
	world_say_bye(w);
	w->down_until =
	    usec_add(w->now, random_below(&w->random, 10 * USEC_MINUTE));
}

/* ---- weathers ---- */

static const struct happening storm[] = {{world_deliver, 40}, {burst, 4},
    {cut, 10}, {silence, 4}, {stall, 4}, {world_say_bye, 5},
    {restart_server, 1}, {other_client, 4}, {world_request_run, 4}, {reload, 3},
    {toggle_quota, 2}, {doom, 12}, {suspend, 4}, {change_network, 6},
    {other_flags, 6}, {world_make_anew, 3}, {jump_clock, 3}, {start_again, 1},
    {NULL, 0}};

static const struct happening seasons[] = {{world_deliver, 120}, {burst, 2},
    {cut, 10}, {silence, 6}, {stall, 6}, {world_say_bye, 4},
    {restart_server, 4}, {other_client, 8}, {world_request_run, 1}, {reload, 2},
    {toggle_quota, 2}, {doom, 6}, {suspend, 6}, {change_network, 20},
    {other_flags, 16}, {jump_clock, 2}, {start_again, 1}, {NULL, 0}};

static const struct happening chaos[] = {{world_deliver, 40}, {burst, 6},
    {cut, 10}, {silence, 4}, {stall, 4}, {world_say_bye, 5},
    {restart_server, 2}, {other_client, 6}, {world_request_run, 4}, {reload, 3},
    {toggle_quota, 2}, {doom, 16}, {suspend, 4}, {change_network, 6},
    {other_flags, 8}, {world_make_anew, 3}, {jump_clock, 2}, {start_again, 1},
    {world_fill_disk, 3}, {world_change_rules, 4}, {world_lose_days, 2},
    {NULL, 0}};

static const struct happening after_flood[] = {{world_deliver, 4}, {cut, 4},
    {world_say_bye, 2}, {restart_server, 1}, {doom, 4}, {change_network, 4},
    {NULL, 0}};

static const struct weather weathers[] = {
    {.name = "storm",
	.happenings = storm,
	.run = 12 * USEC_HOUR,
	.pause = 20 * USEC_MINUTE,
	.messages = 138,
	.steps = 400000,
	.account_bytes = 1024 * 1024,
	.forgets = 10},
    {.name = "nat",
	.happenings = storm,
	.run = 12 * USEC_HOUR,
	.pause = 20 * USEC_MINUTE,
	.messages = 138,
	.steps = 400000,
	.account_bytes = 1024 * 1024,
	.forgets = 100},
    {.name = "chaos",
	.happenings = chaos,
	.run = 12 * USEC_HOUR,
	.pause = 20 * USEC_MINUTE,
	.messages = 180,
	.steps = 400000,
	.account_bytes = 1024 * 1024,
	.is_chaos = true,
	.forgets = 10},
    {.name = "year",
	.happenings = seasons,
	.run = 365 * USEC_DAY,
	.pause = 3 * USEC_HOUR,
	.messages = 8000,
	.steps = 40000000,
	.account_bytes = 4 * 1024 * 1024,
	.has_nights = true,
	.forgets = 10},
    {.name = "month",
	.happenings = seasons,
	.run = 30 * USEC_DAY,
	.pause = 3 * USEC_HOUR,
	.messages = 1000,
	.steps = 4000000,
	.account_bytes = 4 * 1024 * 1024,
	.has_nights = true,
	.forgets = 10},
    {.name = "flood",
	.happenings = after_flood,
	.run = 12 * USEC_HOUR,
	.pause = USEC_HOUR,
	.messages = FLOOD + 200,
	.steps = 40000000,
	.account_bytes = 16 * 1024 * 1024,
	.is_bulk = true,
	.forgets = 10},
};

const struct weather *
world_weather_default(void)
{
	return &weathers[0];
}

const struct weather *
world_weather_find(const char *name)
{
	for (size_t i = 0; i < sizeof(weathers) / sizeof(weathers[0]); i++)
		if (strcmp(weathers[i].name, name) == 0)
			return &weathers[i];
	return NULL;
}

/* At eleven in the evening, for eight hours; some mail comes meanwhile. In the
 * morning a person sees to what only a person can mend. */
static void
sleep_through_night(struct world *w)
{
	unsigned count = (unsigned)random_below(&w->random, 6);

	w->next_night += USEC_DAY;
	world_note(w, "a night");
	fall_asleep(w);
	while (count-- > 0)
		world_deliver(w);
	wake_up(w, 8 * USEC_HOUR);
	w->model.overquota = false;
	w->memory = 0;
	if (account_lockout(w->account) != NULL)
		start_again(w);
}

static void
flood(struct world *w)
{
	world_note(w, "a flood");
	fall_asleep(w);
	for (unsigned i = 0; i < FLOOD; i++)
		world_deliver(w);
	wake_up(w, USEC_HOUR);
}

static const struct happening *
choose_happening(struct world *w)
{
	const struct happening *chosen = w->weather->happenings;
	unsigned total = 0, dice;

	for (const struct happening *h = chosen; h->weight > 0; h++)
		total += h->weight;
	dice = (unsigned)random_below(&w->random, total);
	while (dice >= chosen->weight)
		dice -= (chosen++)->weight;
	return chosen;
}

void
world_happen(struct world *w)
{
	if (w->weather->has_nights && w->next_night <= w->now)
		sleep_through_night(w);
	else if (w->weather->is_bulk && w->message_count < FLOOD)
		flood(w);
	else
		choose_happening(w)->happen(w);
	w->next_happening =
	    w->now + (world_chance(w, 50)
			     ? random_below(&w->random, 3 * USEC_SEC)
			     : random_below(&w->random, w->weather->pause));
}

void
world_become_calm(struct world *w)
{
	world_request_run(w);
	world_note(w, "calm");
	w->faulty = false;
	w->next_happening = USEC_NEVER;
	w->model.overquota = false;
	w->model.moody = false;
	w->full_until = 0;
	if (w->model.in_a_row > 0 || account_lockout(w->account) != NULL)
		start_again(w);
	w->kill_in = 0;
}
