/*
 * sim-claim [-v] [-f] [-s FIRST_SEED] [-n SEEDS]: two to five machines that
 * want to do the same with the same messages, each of it once, against a model
 * of the server, on a virtual clock. `sim-claim -v -s SEED -n 1` replays a
 * seed; -f ends with the first that fails.
 *
 * What happens, by the seed: commands and answers take their time; the server
 * lets conditional STOREs win that come close behind another (as Dovecot does
 * in new mailboxes), or has no mod-sequences, and may write keywords over those
 * of another session (as Courier does), or keeps no keywords, so that a log
 * decides; two MOVEs at once both succeed; a
 * person marks messages, and takes them away; the journal takes an intent, or
 * an outcome, only later; answers come that nobody asked for; connections end
 * with a command under way, and stay away for up to 1.6 leases; a STORE that
 * was under way then comes to the server up to a minute later, when the next
 * connection acts; the mailbox is made anew, with another UIDVALIDITY and with
 * or without its keywords, and so is the log, where it comes to the new one;
 * machines stand still before they hear an answer, or between deciding and
 * acting, for less than the lease leaves them; they die at each step, and come
 * back after up to 1.6 leases, or never. Who comes back does so often at the
 * very moment when its claim is taken over. Each machine has a clock of its
 * own, which is wrong and goes too fast or too slow.
 *
 * Always: a message is moved once; a command runs once. A copy is made once,
 * and again only by who took over a claim that was old, as its mark was not
 * there. But who claimed before claims were lost may act beside who claimed
 * after that. In the end, when the faults have stopped: all of it was done, and
 * nobody waits; and soon, where nothing went wrong.
 */
#include "tests/sim/sim_claim_private.h"

#include <stdio.h>
#include <stdlib.h>

bool
chance(struct world *w, unsigned percent)
{
	return random_below(&w->lab.random, 100) < percent;
}

/* The machine's clock. */
usec_t
clock_of(const struct world *w, const struct node *node)
{
	int64_t passed = (int64_t)(w->lab.now - LAB_START_USEC);

	return w->lab.now + node->ahead +
	       (usec_t)(passed * node->drift / 1000000);
}

/* When its clock will say `then`. */
usec_t
world_time(const struct world *w, const struct node *node, usec_t then)
{
	return w->lab.now + usec_since(clock_of(w, node), then);
}

/* Mostly short, sometimes for long. */
usec_t
still(struct world *w)
{
	if (!w->modseqs && chance(w, 50))
		return CLAIM_SETTLE_USEC +
		       lab_between(&w->lab, 0, 2 * USEC_SEC);
	return chance(w, 50) ? lab_between(&w->lab, 0, 10 * USEC_SEC)
			     : lab_between(&w->lab, 0, STILL_USEC);
}

/* How long a machine is away. */
usec_t
absence(struct world *w)
{
	if (chance(w, 50))
		return lab_between(&w->lab, 0, CLAIM_LEASE_USEC * 16 / 10);
	/* Others find the claim old about then. */
	return CLAIM_LEASE_USEC - 20 * USEC_SEC +
	       lab_between(&w->lab, 0, 40 * USEC_SEC);
}

size_t
number_of(const struct world *w, const struct node *node)
{
	return (size_t)(node - w->nodes);
}

static usec_t
next_of(const struct world *w, const struct node *node)
{
	usec_t next = usec_min(node->command.run_at, node->ghost.run_at);
	usec_t own = USEC_NEVER;

	if (!node->alive)
		return node->for_ever ? next : usec_min(next, node->comes_back);
	if (node->stage != STAGE_REST)
		own = node->command.answer_at;
	else if (node->late)
		return next;
	for (size_t i = 0; node->stage == STAGE_REST && i < w->message_count;
	     i++)
		if (node->ledger[i] == PLANNED || node->ledger[i] == STARTED)
			own = usec_min(own, node->not_before[i]);
	if (own != USEC_NEVER && own < node->still_until)
		own = node->still_until;
	return usec_min(next, own);
}

/* Who only waits lives longer, or nobody would ever see a lease end. */
static unsigned
death_rate(const struct node *node)
{
	bool waits =
	    node->stage == STAGE_REST ||
	    (node->stage == STAGE_CLAIM && node->command.verb == VERB_FETCH);

	return waits ? 2 : 60;
}

/* Most is at stake between winning and being done. */
static unsigned
loss_rate(const struct world *w, const struct node *node)
{
	bool acts = node->stage == STAGE_EFFECT || node->stage == STAGE_MARK;

	if (node->stage == STAGE_MARK && w->haunted > 50)
		return 3 * w->loose;
	return acts ? w->loose : 10;
}

static void
step(struct world *w, struct node *node)
{
	bool runs = node->command.run_at <= w->lab.now;

	if (node->ghost.run_at <= w->lab.now) {
		run_ghost(w, node);
		return;
	}
	if (!node->alive && !runs) {
		if (node->comes_back <= w->lab.now && !node->for_ever)
			start(w, node);
		return;
	}
	if (runs && (!node->alive || node->late)) {
		run_command(w, node);
		return;
	}
	/* Also before the server has what it said. */
	if (w->faulty &&
	    random_below(&w->lab.random, 1000) < death_rate(node)) {
		die(w, node);
		return;
	}
	if (w->faulty &&
	    random_below(&w->lab.random, 1000) < loss_rate(w, node)) {
		lose_link(w, node);
		return;
	}
	if (runs)
		run_command(w, node);
	else if (node->stage == STAGE_REST)
		act(w, node);
	else if (node->command.answer_at <= w->lab.now)
		on_answer(w, node);
}

static void
server_goes_on(struct world *w)
{
	if (w->faulty && random_below(&w->lab.random, 1000) == 0)
		make_mailbox_anew(w);
	if (w->faulty && w->by_log && random_below(&w->lab.random, 1000) == 0)
		make_log_anew(w);
	for (size_t i = 0; i < w->message_count; i++) {
		struct mail *m = &w->messages[i];
		if (m->leaves_at <= w->lab.now)
			m->is_there = false;
		if (w->faulty && m->is_there &&
		    random_below(&w->lab.random, 5000) == 0) {
			m->seen = !m->seen;
			touch(w, m);
		}
		if (w->faulty && m->is_there &&
		    random_below(&w->lab.random, 20000) == 0) {
			lab_say(&w->lab, "a person takes %zu away", i + 1);
			m->is_there = false;
			m->taken = true;
		}
	}
}

static bool
is_over(const struct world *w)
{
	for (size_t n = 0; n < w->node_count; n++) {
		const struct node *node = &w->nodes[n];
		if (node->for_ever)
			continue;
		if (!node->alive || node->stage != STAGE_REST)
			return false;
		for (size_t i = 0; i < w->message_count; i++)
			if (node->ledger[i] <= STARTED)
				return false;
	}
	return true;
}

static void
calm_down(struct world *w)
{
	w->faulty = false;
	if (chance(w, 30)) {
		struct node *node =
		    &w->nodes[random_below(&w->lab.random, w->node_count)];
		if (node->alive)
			die(w, node);
		node->for_ever = true;
		lab_say(&w->lab, "%zu is gone for ever", number_of(w, node));
	}
}

/* A command that was marked is not repeated, whatever became of its machine.
 */
static bool
is_excused(const struct world *w, size_t i)
{
	bool gone = false;

	for (size_t n = 0; n < w->node_count; n++)
		gone |= w->nodes[n].for_ever && w->nodes[n].ledger[i] != DONE;
	return w->messages[i].unknown || w->messages[i].taken ||
	       (gone &&
		   (w->messages[i].now.mark || w->messages[i].was_marked) &&
		   w->messages[i].kind == KIND_EXEC);
}

static void
check_end(struct world *w)
{
	if (!is_over(w))
		lab_broken(&w->lab, "somebody still waits");
	if (w->calm && w->lab.now > LAB_START_USEC + SOON_USEC)
		lab_broken(&w->lab, "it took long");
	for (size_t i = 0; i < w->message_count; i++)
		if (w->messages[i].effects + w->messages[i].before == 0 &&
		    !is_excused(w, i))
			lab_broken(&w->lab, "message %zu was lost", i + 1);
}

static void
make(struct world *w)
{
	w->faulty = chance(w, 80);
	w->calm = !w->faulty;
	w->slow = chance(w, 50) ? 2 : 30;
	w->sleepy = chance(w, 50) ? 1 : 15;
	w->loose = chance(w, 50) ? 10 : 100;
	w->haunted = chance(w, 50) ? 50 : 95;
	w->modseqs = chance(w, 50);
	w->overwrites = !w->modseqs && chance(w, 70);
	w->by_log = w->modseqs && chance(w, 50);
	w->modseq = 10;
	w->validity = w->log_validity = 1;
	w->node_count = 2 + random_below(&w->lab.random, LAB_NODES_MAX - 1);
	w->message_count =
	    1 + random_below(&w->lab.random, chance(w, 70) ? 3 : MESSAGES_MAX);
	w->ends = LAB_START_USEC + (w->modseqs ? 2U : 12U) * USEC_DAY;
	for (size_t i = 0; i < w->message_count; i++)
		w->messages[i] = (struct mail){.is_there = true,
		    .kind = (enum kind)random_below(&w->lab.random, KINDS),
		    .leaves_at = USEC_NEVER,
		    .marked = USEC_NEVER,
		    .modseq = 1 + random_below(&w->lab.random, 9)};
	for (size_t n = 0; n < w->node_count; n++) {
		w->nodes[n].command.run_at = USEC_NEVER;
		w->nodes[n].command.answer_at = USEC_NEVER;
		w->nodes[n].ghost.run_at = USEC_NEVER;
		start(w, &w->nodes[n]);
	}
}

static unsigned
run(struct world *w)
{
	unsigned steps = 0;
	bool was_faulty;

	make(w);
	was_faulty = w->faulty;
	while (w->lab.why[0] == '\0' && steps++ < STEPS_MAX && !is_over(w)) {
		usec_t next = USEC_NEVER;
		struct node *first = NULL;
		for (size_t n = 0; n < w->node_count; n++)
			if (next_of(w, &w->nodes[n]) < next) {
				first = &w->nodes[n];
				next = next_of(w, first);
			}
		if (first == NULL || next > w->ends)
			break;
		if (next > w->lab.now)
			w->lab.now = next;
		server_goes_on(w);
		step(w, first);
		if (was_faulty && w->faulty &&
		    w->lab.now > LAB_START_USEC + FAULTS_USEC)
			calm_down(w);
	}
	check_end(w);
	for (size_t n = 0; n < w->node_count; n++) {
		claim_free(&w->nodes[n].claim);
		claim_log_free(&w->nodes[n].log);
		imap_seqset_done(&w->nodes[n].group);
		imap_seqset_done(&w->nodes[n].modified);
		imap_seqset_done(&w->nodes[n].command.uids);
		buf_done(&w->nodes[n].command.entry);
		imap_seqset_done(&w->nodes[n].ghost.uids);
		buf_done(&w->nodes[n].ghost.entry);
	}
	for (size_t i = 0; i < w->entry_count; i++)
		buf_done(&w->entries[i].text);
	free(w->entries);
	return steps;
}

int
main(int argc, char **argv)
{
	struct lab_options options;
	unsigned long failed = 0, steps = 0, messages = 0;
	unsigned long deaths = 0, doubles = 0, again = 0, left = 0, unknown = 0;
	unsigned long ghosts = 0, anew = 0;

	if (!lab_options(argc, argv, &options))
		return 2;
	for (unsigned long i = 0;
	     i < options.count && !(options.first && failed); i++) {
		struct world w = {0};
		lab_begin(&w.lab, options.seed + i, options.verbose);
		steps += run(&w);
		if (w.lab.why[0] != '\0') {
			printf("seed %lu: %s\n", options.seed + i, w.lab.why);
			failed++;
		}
		messages += w.message_count;
		deaths += w.deaths;
		doubles += w.doubles;
		ghosts += w.ghosts;
		anew += w.anew;
		left += w.again;
		unknown += w.unknown;
		for (size_t m = 0; m < w.message_count; m++)
			again += w.messages[m].effects > 1;
	}
	printf("%lu seeds: %lu failed; %lu steps, %lu messages, %lu deaths, "
	       "%lu times made anew, %lu STOREs of dead connections, %lu "
	       "STOREs that should not "
	       "have won, %lu copied again, %lu "
	       "commands found not to have run, %lu unknown\n",
	    options.count, failed, steps, messages, deaths, anew, ghosts,
	    doubles, again, left, unknown);
	return failed > 0;
}
