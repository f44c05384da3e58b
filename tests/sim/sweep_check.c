/*
 * sim/sweep: what must be true in the end.
 */
#include "tests/sim/sweep_private.h"

#include <stdio.h>

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
		sweep_fail(w, "#%u (%s): %s: %u, not %u", id,
		    sweep_subjects[id], what, have, want);
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
	expect(w, id, "in A", model_count(model, sweep_wire(w, "A"), id, false),
	    places[id].a);
	expect(w, id, "in B", model_count(model, sweep_wire(w, "B"), id, false),
	    places[id].b);
	expect(w, id, "in New",
	    model_count(model, sweep_wire(w, "New"), id, false),
	    places[id].new);
}

static void
check_executed(struct world *w, unsigned id, const struct truth *truth)
{
	unsigned unknown = truth->states[id + 1][EFFECT_UNKNOWN];
	bool runs = id == KIND_EXEC || id == KIND_ALL;

	if (w->executed[id] > (runs ? 1 : 0))
		sweep_fail(w, "#%u was executed %u times", id, w->executed[id]);
	if (runs && w->executed[id] == 0 && unknown == 0)
		sweep_fail(w, "#%u was never executed, and nobody says so", id);
	if (unknown > 0 && w->kills == 0)
		sweep_fail(w, "#%u is unknown, though the daemon lives", id);
}

static void
check_flags(struct world *w)
{
	if (!model_has_flag(&w->model, "INBOX", KIND_MARK, "\\Flagged"))
		sweep_fail(w, "not flagged");
	if (!model_has_flag(
		&w->model, sweep_wire(w, "A"), KIND_ALL, "\\Answered"))
		sweep_fail(w, "not marked before its move");
	bool first =
	    model_has_flag(&w->model, "INBOX", KIND_STRANGER, "\\Answered");
	bool again = model_has_flag(
	    &w->model, "INBOX", KIND_STRANGER_AGAIN, "\\Answered");
	if (!first && !(again && w->model.any_order))
		sweep_fail(w, "the stranger was not new");
	if (first && again)
		sweep_fail(w, "the stranger was new twice");
	if (again && !w->model.any_order)
		sweep_fail(w, "the stranger was new the second time");
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
		sweep_fail(w, "#%u was never notified", id);
	/* Rather twice than never, where nobody lived to write its outcome. */
	if (w->notified[id] > 1 + w->kills)
		sweep_fail(w, "#%u rang %u times", id, w->notified[id]);
}

void
sweep_check(struct world *w)
{
	const struct store_history_query query = {.limit = 1000};
	struct truth truth = {0};

	store_each_history(w->store, &query, note_message, &truth, NULL);
	store_each_queued(w->store, "sweep", note_forward, &truth, NULL);
	for (unsigned id = 0; id < KINDS; id++)
		check_message(w, id, &truth);
	check_flags(w);
}
