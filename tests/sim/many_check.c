/* What must be true. */
#include "tests/sim/many_private.h"

#include <stdlib.h>
#include <string.h>

struct truth {
	struct world *w;
	unsigned judged[MESSAGES_MAX], unknown[MESSAGES_MAX];
	bool anywhere[MESSAGES_MAX];  /* by a rule of its own */
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
	truth->anywhere[id] |= row->rules[0] != '\0';
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

/* Of a twin where labels are: what is thrown away in one mailbox is gone from
 * the other ones before these see it. */
static bool
went_before(struct world *w, unsigned id, const struct truth *truth)
{
	const struct message *message = &w->messages[id];

	return has_labels(w) && truth->anywhere[id] &&
	       (message->kind == KIND_DELETE ||
		   model_is_outcast(
		       model_find(&w->model, target_of(w, message))));
}

/* Where there are no labels, a twin is a copy: of two, one may have been in the
 * target before. */
static bool
stays_too(const struct world *w, const struct message *message)
{
	const char *target = target_of(w, message);

	return message->is_twin && !has_labels(w) &&
	       (strcmp(wire(w, message->box), target) == 0 ||
		   strcmp(wire(w, message->other), target) == 0);
}

/* From where it stands first, or was seen first. */
static void
check_place(struct world *w, unsigned id, const struct truth *truth)
{
	const struct message *message = &w->messages[id];
	const char *box = wire(w, message->box);
	const char *target = target_of(w, message);
	bool is_twin =
	    message->is_twin || (has_labels(w) && truth->elsewhere[id]);
	bool is_away = message->kind == KIND_DELETE || message->is_emptied;
	unsigned most = message->kind == KIND_DELETE && !is_twin ? 0 : 1;
	unsigned there = model_count(&w->model, target, id, false);

	if (strcmp(box, target) != 0 && !is_twin &&
	    model_count(&w->model, box, id, false) != 0)
		fail(w, "#%u (%s) is there still, and not in %s", id, box,
		    target);
	if (stays_too(w, message))
		most++;
	if (there > most || (there == 0 && !is_away))
		fail(w, "#%u (%s) is in %s %u times", id, box, target, there);
}

/* What is deleted is in the trash at most, where labels are. */
static void
check_deleted(struct world *w, unsigned id)
{
	if (has_labels(w) && w->messages[id].kind == KIND_DELETE &&
	    model_count(&w->model, MODEL_ALL_MAIL, id, false) != 0)
		fail(w, "#%u was deleted, and is in All Mail", id);
}

/* What holds copies only, and is not watched, is as it was. */
static void
check_copies(struct world *w, unsigned id)
{
	static const char *const names[] = {"All Mail", "Labels/work"};

	if ((w->model.traits & MODEL_COPIES) == 0 ||
	    strcmp(wire(w, w->messages[id].box), "INBOX") != 0)
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (model_find(&w->model, names[i]) != NULL &&
		    model_count(&w->model, names[i], id, false) != 1)
			fail(w, "#%u is not in %s once", id, names[i]);
}

static void
check_old(struct world *w, unsigned id, const struct truth *truth)
{
	const char *box = wire(w, w->messages[id].box);

	if (truth->judged[id] > 0 || w->messages[id].executed > 0)
		fail(w, "#%u was there before, and was judged", id);
	if (model_count(&w->model, box, id, false) != 1)
		fail(w, "#%u was there before, and is not any more", id);
}

/* Nobody need have seen it. */
static void
check_hidden(struct world *w, unsigned id, const struct truth *truth)
{
	if (truth->judged[id] > 1 || w->messages[id].executed > 1)
		fail(w, "#%u was hidden for a while, and judged %u times", id,
		    truth->judged[id]);
}

static void
check_message(struct world *w, unsigned id, const struct truth *truth)
{
	const struct message *message = &w->messages[id];
	const char *box = wire(w, message->box);

	if (message->is_old) {
		check_old(w, id, truth);
		return;
	}
	if (model_was_hidden(&w->model, box, id)) {
		check_hidden(w, id, truth);
		return;
	}
	if (truth->judged[id] != 1 && !went_before(w, id, truth))
		fail(w, "#%u (%s, UID %u) was judged %u times", id, box,
		    message->uid, truth->judged[id]);
	if (many_kinds[message->kind].executes &&
	    message->executed + truth->unknown[id] == 0)
		fail(w, "#%u (%s): its command was forgotten", id, box);
	if (message->executed > 1)
		fail(w, "#%u (%s): executed %u times", id, box,
		    message->executed);
	check_place(w, id, truth);
	check_deleted(w, id);
	check_copies(w, id);
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
