/*
 * sim/world: what happens in chaos only: a server that attacks, a daemon that
 * is down for hours while mail comes and is dealt with, other rules, a full
 * disk, a clock that is wrong by days.
 */
#include "tests/sim/world_private.h"

#define DOWN_MAX 8 /* so much happens meanwhile */
#define DOWN_USEC (2 * USEC_HOUR)
#define DAYS 10 /* that the clock is wrong */

static void
act(void *ctx)
{
	world_let_others_act(ctx);
}

void
world_choose_attacks(struct world *w, uint64_t seed)
{
	random_init(&w->model.dice, seed);
	for (unsigned i = 0; i < MODEL_ATTACKS; i++)
		if (random_below(&w->model.dice, 100) < 35)
			w->model.attacks |= 1u << i;
	w->model.others = act;
	w->model.ctx = w;
	world_note(w, "it attacks: %x", w->model.attacks);
}

void
world_deal(struct world *w, unsigned id)
{
	struct sent_message *message = &w->messages[id];

	message->dealt |= w->is_down && message->notified == 0;
}

void
world_be_down(struct world *w)
{
	unsigned count = (unsigned)random_below(&w->random, DOWN_MAX);

	if (world_chance(w, 30))
		return;
	w->is_down = true;
	for (unsigned i = 0; i < count; i++) {
		w->now += random_below(&w->random, DOWN_USEC);
		w->model.now = w->now;
		model_do_belated(&w->model);
		if (world_chance(w, 5))
			world_make_anew(w);
		else
			world_let_others_act(w);
	}
	w->is_down = false;
	world_note(w, "it is started again");
}

void
world_fill_disk(struct world *w)
{
	world_note(w, "the disk is full");
	w->full_until = w->now + random_below(&w->random, 20 * USEC_MINUTE);
}

/* What was planned by the old ones is done. */
void
world_change_rules(struct world *w)
{
	struct rules *old = w->rules;

	world_note(w, "other rules are read");
	w->rules =
	    world_chance(w, 50) ? world_make_rules() : world_make_other_rules();
	account_set_rules(w->account, w->rules);
	rules_free(&old);
}

void
world_lose_days(struct world *w)
{
	const int64_t day = 24 * 60 * 60;

	w->clock_off =
	    ((int64_t)random_below(&w->random, 2 * DAYS) - DAYS) * day;
	world_note(w, "the clock is wrong by %lld s", (long long)w->clock_off);
	account_set_clock(w->account, world_now_unix(w), 0, w->now);
}
