/* What must be true. */
#include "tests/sim/many_private.h"

#include <stdlib.h>
#include <string.h>

struct truth {
	struct world *w;
	unsigned judged[MESSAGES_MAX], unknown[MESSAGES_MAX];
	bool elsewhere[MESSAGES_MAX]; /* where it came it was known already */
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
	    row->key.uidvalidity == message->uidvalidity) {
		truth->judged[id]++;
		truth->elsewhere[id] = row->rules[0] == '\0';
	}
	for (size_t i = 0; i < count; i++)
		truth->unknown[id] += effects[i].state == EFFECT_UNKNOWN;
	return true;
}

/* What is in INBOX is in All Mail, too, and may be seen there first. */
static bool
has_labels(const struct world *w)
{
	return (w->model.traits & MODEL_LABELS) != 0;
}

static void
check_message(struct world *w, unsigned id, const struct truth *truth)
{
	const struct message *message = &w->messages[id];
	const char *box = wire(w, message->box);
	bool is_twin =
	    message->is_twin || (has_labels(w) && truth->elsewhere[id]);

	if (truth->judged[id] != 1)
		fail(w, "#%u (%s, UID %u) was judged %u times", id, box,
		    message->uid, truth->judged[id]);
	if (!message->moves && message->executed + truth->unknown[id] == 0)
		fail(w, "#%u (%s): its command was forgotten", id, box);
	if (message->executed > 1)
		fail(w, "#%u (%s): executed %u times", id, box,
		    message->executed);
	/* From where it stands first, or was seen first. */
	if (message->moves && is_twin &&
	    model_count(
		&w->model, model_wire(&w->model, "Target"), id, false) != 1)
		fail(w, "#%u (%s): was not moved", id, box);
	if (message->moves && !is_twin &&
	    (model_count(
		 &w->model, model_wire(&w->model, "Target"), id, false) != 1 ||
		model_count(&w->model, box, id, false) != 0))
		fail(w, "#%u (%s): was not moved, or not once", id, box);
}

void
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

void
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

/* What is made while its pattern is watched is found after one renewal of
 * IDLE or two, and what is deleted is not watched any more. */
static void
check_made(struct world *w)
{
	make_box(w);
	run_until(w, w->now + FOUND_USEC);
	check_watched(w);
}

/* In calm weather no message waits for longer than its mailbox's turn. Where
 * IDLE pushes nothing, what rests in it has its turn when IDLE is renewed. */
void
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
	check_made(w);
	if (judging_count(arrivals_judging(w->arrivals)) != 0)
		fail(w, "somebody judges in calm weather");
	note(w, "%u messages in calm weather", w->message_count - first);
}

/* What NOTIFY tells is seen long before its mailbox would be asked for. */
void
check_pushes(struct world *w)
{
	const uint64_t unsuitable = MODEL_SILENT_IDLE | MODEL_IDLE_DIES |
				    MODEL_STATUS_EMPTY | MODEL_LABELS;

	if (!w->model.notifies || (w->model.traits & MODEL_IDLE) == 0 ||
	    (w->model.traits & unsuitable) != 0)
		return;
	note(w, "what is told is seen soon");
	bye(w); /* with the next connection it tells again */
	run_until(w, w->now + FOUND_USEC);
	for (unsigned i = 0; i < 6 && w->ok; i++) {
		deliver(w);
		run_until(w, w->now + PUSHED_USEC);
		check_all(w);
	}
	make_box(w);
	run_until(w, w->now + PUSHED_USEC);
	check_watched(w);
}

/* Who is refused a connection does not try for it again and again, but a day
 * later. */
void
check_limit(struct world *w)
{
	unsigned before = w->model.limited;

	if (w->budget < 2 || w->model.logins_max != 0)
		return;
	note(w, "one connection is allowed");
	w->model.logins_max = 1;
	bye(w);
	run_until(w, w->now + 4 * USEC_HOUR);
	check_watched(w);
	if (w->model.limited - before > w->budget)
		fail(w, "refused %u times, with a budget of %u",
		    w->model.limited - before, w->budget);
	w->model.logins_max = 0;
	run_until(w, w->now + 25 * USEC_HOUR);
	if (w->model.logged_in < 2)
		fail(w, "one more connection was never tried");
}
