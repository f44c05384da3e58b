/*
 * sim/world: steps of time, and what must be true after each.
 */
#include "tests/sim/world_private.h"

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
next_time(struct world *w)
{
	usec_t next = usec_min(w->next_happening, w->quiet_until);

	next = usec_min(next, model_next_belated(&w->model));

	for (size_t i = 0; i < mailbox_total(w); i++) {
		struct mailbox *mailbox = nth_mailbox(w, i);
		next = usec_min(next, mailbox_deadline(mailbox));
		next = usec_min(
		    next, world_next_of_link(world_link_of(w, mailbox)));
	}
	LIST_EACH(pos, &w->outsides)
	next = usec_min(next, LIST_ITEM(pos, struct outside, link)->at);
	LIST_EACH(pos, &w->writings)
	next = usec_min(next, LIST_ITEM(pos, struct writing, link)->at);
	return next > w->now ? next : w->now;
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
		    !mailbox_is_resting(mailbox) &&
		    !world_is_writing(w, mailbox) &&
		    world_link_of(w, mailbox)->connect_at == USEC_NEVER)
			world_fail(w, "%s has no deadline (%s)",
			    mailbox_name(mailbox), state_of(mailbox));
		if (mailbox_is_stuck(mailbox, w->now))
			world_fail(w, "%s is stuck (%s)", mailbox_name(mailbox),
			    state_of(mailbox));
	}
}

void
world_step(struct world *w)
{
	usec_t next = next_time(w);

	if (next == USEC_NEVER) {
		world_fail(w, "nothing will ever happen again");
		return;
	}
	w->now = w->model.now = next;
	w->model.unix_now = world_true_unix(w);
	if (w->joins <= w->now)
		world_join(w);
	model_do_belated(&w->model);
	if (w->next_happening <= w->now)
		world_happen(w);
	for (size_t i = 0; i < mailbox_total(w); i++) {
		struct mailbox *mailbox = nth_mailbox(w, i);
		world_serve_link(w, world_link_of(w, mailbox));
		if (mailbox_deadline(mailbox) <= w->now)
			mailbox_tick(mailbox, w->now);
	}
	/* Events are pulled after each call: a LOAD that waits must not meet
	 * an outcome that is not written. */
	world_pump(w);
	LIST_EACH(pos, &w->outsides)
	world_serve_outside(w, LIST_ITEM(pos, struct outside, link));
	world_pump(w);
	world_serve_writings(w);
	check_deadlines(w);
	world_check_proofs(w);
	if (w->model.broken != NULL)
		world_fail(w, "%s", w->model.broken);
	w->result->steps++;
}
