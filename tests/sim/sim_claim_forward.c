/*
 * sim-claim-forward [-v] [-s FIRST_SEED] [-n SEEDS]: two to five machines that
 * want to forward the same messages, each once: the claim engine of each, and
 * a queue that asks before each try, against a model of the mailbox and of the
 * submission server, on a virtual clock. sim_claim.c is about all other kinds.
 *
 * What happens, by the seed: clocks that go wrong by one percent; commands,
 * texts and answers that take their time; servers that defer; links that break
 * before the dot, behind it, and in the middle of a STORE; a server that lets
 * conditional STOREs win that come close behind another, or has no
 * mod-sequences and writes all keywords that a session knows, or keeps no
 * keywords, so that a log decides; a journal that
 * takes an intent only later; machines that are
 * cut off from the mailbox, or stopped, for up to three leases; machines that
 * die at each step and come back with their queue after up to three leases, or
 * never; a person who takes messages away.
 *
 * Always: a message that was accepted is accepted again only
 *   W1  by who never heard of it, or, when the lease was over, by another
 *   W2  by another, when who heard of it did not store the mark for two leases
 *   W3  by who was stopped between its look at the claim and the dot
 * In the end, when the faults have stopped: all were accepted, but for those
 * that a person took away, and nobody waits.
 */
#include "tests/sim/sim_claim_forward_private.h"

#include <stdio.h>
#include <string.h>

bool
chance(struct world *w, unsigned permille)
{
	return random_below(&w->lab.random, 1000) < permille;
}

size_t
number_of(const struct world *w, const struct node *node)
{
	return (size_t)(node - w->nodes);
}

usec_t
clock_of(const struct world *w, const struct node *node)
{
	return w->lab.now / 100 * node->rate;
}

/* A span of its clock, by nobody's. */
static usec_t
true_span(const struct node *node, usec_t span)
{
	return span / node->rate * 100;
}

/* What was planned and won is in the queue; what was renewed is known. */
static void
share_out(struct world *w, struct node *node)
{
	for (size_t i = 0; i < w->message_count; i++) {
		uint32_t uid = (uint32_t)i + 1;
		if (!imap_seqset_has(&node->group, uid))
			continue;
		enum claim_verdict verdict = claim_verdict(node->claim, uid);
		usec_t until = claim_until(node->claim, uid);
		node->renew[i] =
		    w->lab.now +
		    true_span(node, CLAIM_LEASE_USEC / 3 + USEC_SEC);
		if (node->ledger[i] != PLANNED)
			continue;
		if (verdict == CLAIM_WON)
			node->ledger[i] = QUEUED;
		else if (verdict == CLAIM_WAIT)
			node->due[i] =
			    w->lab.now +
			    true_span(
				node, usec_since(clock_of(w, node), until));
		else
			node->ledger[i] = OVER;
	}
	imap_seqset_done(&node->group);
	node->errand = ERRAND_NONE;
}

static void
go_on_claiming(struct world *w, struct node *node)
{
	struct claim_command command;

	if (!claim_command(node->claim, &command, clock_of(w, node))) {
		if (node->errand == ERRAND_ASK)
			on_asked(w, node);
		else
			share_out(w, node);
		return;
	}
	send_command(w, node, command.uids);
	node->command.is_store = command.is_store;
	node->command.unchanged_since = command.unchanged_since;
	node->command.add = command.add;
	if (command.is_store)
		strcpy(node->command.keywords, command.keywords);
}

static void
begin_claim(struct world *w, struct node *node, enum errand errand)
{
	node->errand = errand;
	claim_begin(node->claim, &node->group, LAB_MARK, clock_of(w, node));
	go_on_claiming(w, node);
}

static void
on_answer(struct world *w, struct node *node)
{
	struct command *c = &node->command;

	c->answer_at = USEC_NEVER;
	if (node->errand == ERRAND_SAY) {
		on_said(w, node);
		return;
	}
	if (node->errand == ERRAND_MARK && c->ok) {
		char words[100];
		snprintf(words, sizeof(words), "%s %s %s",
		    claim_keyword(node->claim), CLAIM_TICK, CLAIM_SENDING);
		node->errand = ERRAND_RELEASE;
		send_store(w, node, words, false);
		return;
	}
	if (node->errand == ERRAND_MARK || node->errand == ERRAND_RELEASE) {
		for (size_t i = 0; c->ok && i < w->message_count; i++)
			if (imap_seqset_has(&node->group, (uint32_t)i + 1)) {
				node->ledger[i] = OVER;
				claim_forget(node->claim, (uint32_t)i + 1);
			}
		imap_seqset_done(&node->group);
		node->errand = ERRAND_NONE;
		return;
	}
	for (size_t i = 0; i < w->message_count; i++)
		if (w->messages[i].is_there && !c->is_store && c->ok &&
		    imap_seqset_has(&c->uids, (uint32_t)i + 1))
			lab_tell(node->claim, (uint32_t)i + 1,
			    w->messages[i].modseq, &w->messages[i].now, false);
	if (node->modified.count > 0)
		claim_on_modified(node->claim, &node->modified);
	claim_on_done(node->claim, c->ok, clock_of(w, node));
	go_on_claiming(w, node);
}

static bool
gather(
    struct world *w, struct node *node, enum ledger ledger, const usec_t *times)
{
	imap_seqset_done(&node->group);
	for (size_t i = 0; i < w->message_count; i++)
		if (node->ledger[i] == ledger &&
		    (times == NULL || times[i] <= w->lab.now) &&
		    (ledger == ACCEPTED || !node->gone_is_ours[i]))
			imap_seqset_add(&node->group, (uint32_t)i + 1);
	return node->group.count > 0;
}

/* Marks first; then what the queue waits for; then what is planned, and claims
 * that grow old. */
static bool
begin_errand(struct world *w, struct node *node)
{
	if (gather(w, node, ACCEPTED, NULL)) {
		node->errand = ERRAND_MARK;
		send_store(w, node, LAB_MARK, true);
	} else if (node->stage == STAGE_ASKING ||
		   node->stage == STAGE_RENEWING) {
		imap_seqset_done(&node->group);
		imap_seqset_add(&node->group, (uint32_t)node->item + 1);
		begin_claim(w, node, ERRAND_ASK);
	} else if (gather(w, node, PLANNED, node->due) ||
		   gather(w, node, QUEUED, node->renew)) {
		begin_claim(w, node, ERRAND_CLAIM);
	} else {
		return false;
	}
	return true;
}

static bool
begin_try(struct world *w, struct node *node)
{
	for (size_t i = 0; i < w->message_count; i++)
		if (node->ledger[i] == QUEUED && node->due[i] <= w->lab.now) {
			node->item = i;
			if (node->gone_is_ours[i]) {
				note_ours(w, node, USEC_NEVER);
				return true;
			}
			set_stage(
			    node, STAGE_ASKING, w->lab.now + 2 * USEC_MINUTE);
			return true;
		}
	return false;
}

static usec_t
next_errand(const struct world *w, const struct node *node)
{
	usec_t next = USEC_NEVER;
	bool asks =
	    node->stage == STAGE_ASKING || node->stage == STAGE_RENEWING;

	for (size_t i = 0; i < w->message_count; i++) {
		if (node->ledger[i] == ACCEPTED)
			return w->lab.now;
		if (node->ledger[i] == PLANNED)
			next = usec_min(next, node->due[i]);
		if (node->ledger[i] == QUEUED && !node->gone_is_ours[i])
			next = usec_min(next, node->renew[i]);
	}
	return asks ? w->lab.now : next;
}

static usec_t
next_of(const struct world *w, const struct node *node)
{
	usec_t next = node->command.run_at, mine = USEC_NEVER;

	if (!node->alive)
		return node->for_ever ? next : usec_min(next, node->comes_back);
	if (node->errand != ERRAND_NONE) {
		mine = node->command.answer_at;
	} else {
		mine = next_errand(w, node);
		mine = mine < node->cut_until ? node->cut_until : mine;
	}
	if (node->stage == STAGE_IDLE) {
		for (size_t i = 0; i < w->message_count; i++)
			if (node->ledger[i] == QUEUED)
				mine = usec_min(mine, node->due[i]);
	} else {
		mine = usec_min(mine, node->stage_at);
	}
	mine = mine < node->stopped_until ? node->stopped_until : mine;
	return usec_min(next, mine);
}

/* Who only waits lives longer, or nobody would ever see a lease end. */
static bool
suffers(struct world *w, struct node *node)
{
	bool waits = node->errand == ERRAND_NONE && node->stage == STAGE_IDLE;

	if (!w->faulty)
		return false;
	if (chance(w, waits ? 1 : 10))
		die(w, node);
	else if (chance(w, 8))
		lose_link(w, node);
	else if (chance(w, 2))
		node->stopped_until =
		    w->lab.now + lab_between(&w->lab, 0, 2 * CLAIM_LEASE_USEC);
	else
		return false;
	return true;
}

static void
step(struct world *w, struct node *node)
{
	if (node->command.run_at <= w->lab.now) {
		run_command(w, node);
		return;
	}
	if (!node->alive) {
		if (node->comes_back <= w->lab.now && !node->for_ever)
			start(w, node);
		return;
	}
	if (node->stopped_until > w->lab.now || suffers(w, node))
		return;
	if (node->errand != ERRAND_NONE &&
	    node->command.answer_at <= w->lab.now)
		on_answer(w, node);
	else if (node->stage == STAGE_TEXT && node->stage_at <= w->lab.now)
		end_text(w, node);
	else if (node->stage == STAGE_DOT && node->stage_at <= w->lab.now)
		end_dot(w, node);
	else if (node->stage == STAGE_ASKING && node->stage_at <= w->lab.now &&
		 node->errand != ERRAND_ASK && node->errand != ERRAND_SAY)
		put_back(w, node, USEC_MINUTE);
	else if (node->stage == STAGE_IDLE && begin_try(w, node))
		return;
	else if (node->errand == ERRAND_NONE && node->cut_until <= w->lab.now)
		begin_errand(w, node);
	else if (node->stage == STAGE_ASKING && node->stage_at <= w->lab.now)
		node->stage_at = w->lab.now + USEC_MINUTE;
}

static bool
is_over(const struct world *w)
{
	for (size_t n = 0; n < w->node_count; n++)
		for (size_t i = 0; i < w->message_count; i++)
			if (!w->nodes[n].for_ever &&
			    (!w->nodes[n].alive ||
				w->nodes[n].ledger[i] != OVER))
				return false;
	return true;
}

static void
calm_down(struct world *w)
{
	w->faulty = false;
	for (size_t n = 0; n < w->node_count; n++)
		w->nodes[n].cut_until = w->nodes[n].stopped_until = 0;
	if (chance(w, 300)) {
		struct node *node =
		    &w->nodes[random_below(&w->lab.random, w->node_count)];
		if (node->alive)
			die(w, node);
		node->for_ever = true;
		lab_say(&w->lab, "%zu is gone for ever", number_of(w, node));
	}
}

static void
check_end(struct world *w)
{
	if (!is_over(w))
		lab_broken(&w->lab, "somebody still waits");
	for (size_t i = 0; i < w->message_count; i++)
		if (w->messages[i].accepted == 0 && !w->messages[i].taken)
			lab_broken(&w->lab, "message %zu was lost", i + 1);
}

static void
make(struct world *w)
{
	w->faulty = chance(w, 800);
	w->modseqs = chance(w, 700);
	w->by_log = w->modseqs && chance(w, 400);
	w->log = claim_log_new("nobody");
	w->log_uid = 1; /* a machine's message */
	w->modseq = 10;
	w->node_count = 2 + random_below(&w->lab.random, LAB_NODES_MAX - 1);
	w->message_count = 1 + random_below(&w->lab.random, MESSAGES_MAX);
	for (size_t i = 0; i < w->message_count; i++)
		w->messages[i] = (struct message){.is_there = true,
		    .modseq =
			w->by_log ? 1 : 1 + random_below(&w->lab.random, 9)};
	for (size_t n = 0; n < w->node_count; n++) {
		w->nodes[n].rate =
		    99 + (unsigned)random_below(&w->lab.random, 3);
		w->nodes[n].command.run_at = USEC_NEVER;
		w->nodes[n].command.answer_at = USEC_NEVER;
		start(w, &w->nodes[n]);
	}
}

static void
person_acts(struct world *w)
{
	struct message *m =
	    &w->messages[random_below(&w->lab.random, w->message_count)];

	if (!w->faulty || random_below(&w->lab.random, 20000) != 0)
		return;
	lab_say(&w->lab, "a person takes one away");
	m->is_there = false;
	m->taken = true;
}

static unsigned
run(struct world *w)
{
	unsigned steps = 0;

	make(w);
	while (w->lab.why[0] == '\0' && steps++ < STEPS_MAX && !is_over(w)) {
		usec_t next = USEC_NEVER;
		struct node *first = NULL;
		for (size_t n = 0; n < w->node_count; n++)
			if (next_of(w, &w->nodes[n]) < next) {
				first = &w->nodes[n];
				next = next_of(w, first);
			}
		if (first == NULL || next > LAB_START_USEC + ENDS_USEC)
			break;
		if (next > w->lab.now)
			w->lab.now = next;
		person_acts(w);
		step(w, first);
		if (w->faulty && w->lab.now > LAB_START_USEC + FAULTS_USEC)
			calm_down(w);
	}
	check_end(w);
	for (size_t n = 0; n < w->node_count; n++) {
		claim_free(&w->nodes[n].claim);
		imap_seqset_done(&w->nodes[n].group);
		imap_seqset_done(&w->nodes[n].modified);
		imap_seqset_done(&w->nodes[n].command.uids);
	}
	claim_log_free(&w->log);
	return steps;
}

int
main(int argc, char **argv)
{
	struct lab_options options;
	unsigned long failed = 0, steps = 0, messages = 0;
	unsigned long doubles = 0, deaths = 0, held = 0, twice[4] = {0};

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
		held += w.held;
		for (size_t n = 1; n < 4; n++)
			twice[n] += w.twice[n];
	}
	printf("%lu seeds: %lu failed; %lu steps, %lu messages, %lu deaths, "
	       "%lu STOREs that should not have won, %lu held; accepted again: "
	       "%lu in W1, %lu in W2, %lu in W3\n",
	    options.count, failed, steps, messages, deaths, doubles, held,
	    twice[1], twice[2], twice[3]);
	return failed > 0;
}
