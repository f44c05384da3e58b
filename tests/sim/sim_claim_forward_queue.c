/* The queue of one machine, and the submission server. */
#include "tests/sim/sim_claim_forward_private.h"

static usec_t
last_touched(const struct world *w, const struct message *m, size_t n)
{
	(void)w;
	return m->touched[n];
}

/* Accepted before: in which window? 0: in none. */
static unsigned
window_of(
    const struct world *w, const struct node *node, const struct message *m)
{
	size_t self = number_of(w, node);
	usec_t away = w->lab.now - last_touched(w, m, m->by);

	if (m->by == self && !m->heard)
		return 1;
	if (w->lab.now - node->said >
	    ALMOST(lease_of(w) - CLAIM_LEASE_USEC / 3))
		return 3;
	if (m->by != self && m->orphaned && !node->was_marked)
		return m->heard ? 2 : 1;
	if (m->by == self || node->was_marked || away < ALMOST(lease_of(w)))
		return 0;
	if (!m->heard)
		return 1;
	return away >= ALMOST(2 * lease_of(w)) ? 2 : 0;
}

static void
accept(struct world *w, struct node *node)
{
	struct message *m = &w->messages[node->item];
	unsigned window;

	lab_say(&w->lab, "%zu: %zu is accepted", number_of(w, node),
	    node->item + 1);
	if (m->accepted++ > 0) {
		window = window_of(w, node, m);
		w->twice[window]++;
		if (window == 0)
			lab_broken(&w->lab,
			    "message %zu again, by %zu after %zu",
			    node->item + 1, number_of(w, node), m->by);
	}
	m->by = number_of(w, node);
	m->heard = m->orphaned = false;
}

void
set_stage(struct node *node, enum stage stage, usec_t at)
{
	node->stage = stage;
	node->stage_at = at;
}

void
put_back(struct world *w, struct node *node, usec_t wait)
{
	if (node->ledger[node->item] <= SENDING)
		node->ledger[node->item] = QUEUED;
	node->due[node->item] = w->lab.now + wait;
	set_stage(node, STAGE_IDLE, USEC_NEVER);
}

static void
say_dot(struct world *w, struct node *node)
{
	if (w->faulty && chance(w, 20)) { /* the journal does not take it */
		put_back(w, node, lab_between(&w->lab, 0, USEC_HOUR));
		return;
	}
	node->ledger[node->item] = SENDING;
	node->said = w->lab.now;
	if (w->faulty && chance(w, 30)) { /* killed right before */
		die(w, node);
		return;
	}
	if (w->faulty && chance(w, 10)) /* ... or stopped */
		node->stopped_until =
		    w->lab.now + lab_between(&w->lab, 0, 2 * CLAIM_LEASE_USEC);
	set_stage(node, STAGE_DOT,
	    w->lab.now + lab_between(&w->lab, 0, 100 * USEC_MSEC));
}

void
end_dot(struct world *w, struct node *node)
{
	struct message *m = &w->messages[node->item];

	if (w->faulty && chance(w, 50)) { /* it is lost on its way */
		put_back(w, node, USEC_MINUTE);
		return;
	}
	if (w->faulty && chance(w, 100)) {
		put_back(w, node, lab_between(&w->lab, USEC_MINUTE, USEC_HOUR));
		return;
	}
	accept(w, node);
	if (w->faulty && chance(w, 30)) {
		die(w, node);
	} else if (w->faulty && chance(w, 50)) { /* the answer is lost */
		put_back(w, node, USEC_MINUTE);
	} else {
		node->ledger[node->item] = ACCEPTED;
		m->heard = true;
		set_stage(node, STAGE_IDLE, USEC_NEVER);
		if (w->faulty && chance(w, 50))
			die(w, node);
	}
}

/* The text is at the server: is it still ours? */
void
end_text(struct world *w, struct node *node)
{
	if (w->faulty && chance(w, 30))
		put_back(w, node, USEC_MINUTE);
	else if (clock_of(w, node) < node->fresh_until)
		say_dot(w, node);
	else
		set_stage(node, STAGE_RENEWING, USEC_NEVER);
}

void
note_ours(struct world *w, struct node *node, usec_t fresh_until)
{
	usec_t takes = lab_between(&w->lab, 10 * USEC_MSEC, USEC_SEC);

	node->fresh_until = fresh_until;
	if (w->faulty && chance(w, 50)) { /* a long text, a slow line */
		takes = lab_between(&w->lab, 0, 4 * CLAIM_LEASE_USEC);
		if (chance(w, 300)) /* and the mailbox cannot be reached */
			node->cut_until = w->lab.now + takes;
	}
	if (node->stage == STAGE_RENEWING)
		say_dot(w, node);
	else
		set_stage(node, STAGE_TEXT, w->lab.now + takes);
}

static void
give_up(struct world *w, struct node *node, const char *why)
{
	lab_say(
	    &w->lab, "%zu: %zu %s", number_of(w, node), node->item + 1, why);
	node->ledger[node->item] = OVER;
	set_stage(node, STAGE_IDLE, USEC_NEVER);
}

static void
on_gone(struct world *w, struct node *node)
{
	uint32_t uid = (uint32_t)node->item + 1;

	if (claim_has_lease(node->claim, uid, clock_of(w, node)))
		node->gone_is_ours[node->item] = true;
	if (node->gone_is_ours[node->item]) {
		note_ours(w, node, USEC_NEVER);
		return;
	}
	w->held++;
	give_up(w, node, "is gone, and held");
}

void
on_asked(struct world *w, struct node *node)
{
	uint32_t uid = (uint32_t)node->item + 1;
	usec_t until;

	node->errand = ERRAND_NONE;
	switch (claim_verdict(node->claim, uid)) {
	case CLAIM_WON:
		node->was_marked = w->messages[node->item].now.mark;
		node->errand = ERRAND_SAY;
		send_store(w, node, CLAIM_SENDING, true);
		return;
	case CLAIM_DONE:
		give_up(w, node, "was sent by another");
		break;
	case CLAIM_GONE:
		on_gone(w, node);
		break;
	default:
		until = claim_until(node->claim, uid);
		put_back(
		    w, node, USEC_SEC + usec_since(clock_of(w, node), until));
		break;
	}
	imap_seqset_done(&node->group);
}

void
on_said(struct world *w, struct node *node)
{
	node->errand = ERRAND_NONE;
	imap_seqset_done(&node->group);
	if (node->command.ok)
		note_ours(w, node,
		    claim_fresh_until(node->claim, (uint32_t)node->item + 1));
	else
		put_back(w, node, 30 * USEC_SEC);
}
