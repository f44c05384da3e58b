/*
 * sim-claim-forward [-v] [-s FIRST_SEED] [-n SEEDS]: two to five machines that
 * want to forward the same messages, each once: the claim engine of each, and
 * a queue that asks before each try, against a model of the mailbox and of the
 * submission server, on a virtual clock. sim_claim.c is about all other kinds.
 *
 * What happens, by the seed: clocks that go wrong by one percent; commands,
 * texts and answers that take their time; servers that defer; links that break
 * before the dot, behind it, and in the middle of a STORE; machines that are
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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/xalloc.h"
#include "tests/sim/claim_lab.h"

#define MESSAGES_MAX 16
#define FAULTS_USEC (8 * USEC_HOUR)
#define ENDS_USEC (3 * USEC_DAY)
#define STEPS_MAX 3000000
/* As long as two clocks may disagree about a lease. */
#define ALMOST(usec) ((usec) / 100 * 96)

/* What a machine has on disk of a message. */
enum ledger {
	PLANNED,
	QUEUED,
	SENDING,  /* the dot may have been said */
	ACCEPTED, /* heard of; the mark may be missing */
	OVER
};

/* What is done at the mailbox. */
enum errand {
	ERRAND_NONE,
	ERRAND_CLAIM, /* what is planned, or the engine's renewal */
	ERRAND_ASK,   /* the same, before a try */
	ERRAND_SAY,   /* +belfry-s */
	ERRAND_MARK,
	ERRAND_RELEASE
};

/* What is done with the message in hand. */
enum stage {
	STAGE_IDLE,
	STAGE_ASKING,
	STAGE_TEXT, /* on its way, up to the dot */
	STAGE_RENEWING,
	STAGE_DOT
};

struct command {
	bool is_store, add;
	struct imap_seqset uids;
	uint64_t unchanged_since;
	char keywords[100];
	usec_t run_at, answer_at; /* USEC_NEVER: it has, or nothing is */
	bool ok;
};

struct message {
	bool is_there, taken; /* by a person */
	struct lab_keywords now;
	uint64_t modseq;
	usec_t touched[LAB_NODES_MAX]; /* the last STORE of each machine */
	/* the last time that it was accepted */
	unsigned accepted;
	size_t by;
	bool heard; /* on the disk of who sent it */
	/* Its claim was taken away by another after so long a silence that it
	 * counts as gone, whatever it does when it is back. */
	bool orphaned;
};

struct node {
	bool alive, for_ever;
	usec_t comes_back, stopped_until, cut_until;
	unsigned rate; /* of its clock, percent */
	struct claim *claim;
	enum errand errand;
	struct imap_seqset group;
	struct command command;
	struct imap_seqset modified;
	enum ledger ledger[MESSAGES_MAX];
	usec_t due[MESSAGES_MAX], renew[MESSAGES_MAX];
	bool gone_is_ours[MESSAGES_MAX];
	/* the queue */
	enum stage stage;
	size_t item;
	usec_t stage_at;
	usec_t fresh_until; /* by its clock */
	usec_t said;	    /* by nobody's: when it went on to the dot */
	bool was_marked;    /* then */
};

struct world {
	struct lab lab;
	bool faulty;
	usec_t now;
	uint64_t modseq;
	struct message messages[MESSAGES_MAX];
	size_t message_count;
	struct node nodes[LAB_NODES_MAX];
	size_t node_count;
	unsigned deaths, twice[4], held;
};

static bool
chance(struct world *w, unsigned permille)
{
	return random_below(&w->lab.random, 1000) < permille;
}

static size_t
number_of(const struct world *w, const struct node *node)
{
	return (size_t)(node - w->nodes);
}

static usec_t
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

/* ---- the mailbox ---- */

/* Of who sent it. */
static bool
takes_claim_of(const struct node *node, const struct message *m)
{
	char claim[] = CLAIM_PREFIX "0";

	claim[sizeof(claim) - 2] = (char)('0' + m->by);
	return !node->command.add && m->accepted > 0 && m->now.claims[m->by] &&
	       strstr(node->command.keywords, claim) != NULL;
}

static void
store_one(struct world *w, struct node *node, size_t i)
{
	struct command *c = &node->command;
	struct message *m = &w->messages[i];
	char words[sizeof(c->keywords)];
	bool changed = false;

	if (c->unchanged_since != 0 && m->modseq > c->unchanged_since) {
		imap_seqset_add(&node->modified, (uint32_t)i + 1);
		return;
	}
	if (takes_claim_of(node, m) && m->by != number_of(w, node) &&
	    w->lab.now - m->touched[m->by] >= ALMOST(2 * CLAIM_LEASE_USEC))
		m->orphaned = true;
	strcpy(words, c->keywords);
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
		changed |= *lab_keyword(&m->now, word) != c->add;
		*lab_keyword(&m->now, word) = c->add;
	}
	if (changed) {
		m->modseq = ++w->modseq;
		m->touched[number_of(w, node)] = w->lab.now;
	}
}

static void
run_command(struct world *w, struct node *node)
{
	struct command *c = &node->command;

	c->run_at = USEC_NEVER;
	c->ok = !w->faulty || !chance(w, 10);
	imap_seqset_done(&node->modified);
	for (size_t i = 0; c->ok && c->is_store && i < w->message_count; i++)
		if (w->messages[i].is_there &&
		    imap_seqset_has(&c->uids, (uint32_t)i + 1))
			store_one(w, node, i);
	lab_say(&w->lab, "%zu: %s%s", number_of(w, node),
	    c->is_store ? (c->add ? "+" : "-") : "reads", c->keywords);
}

static void
send_command(struct world *w, struct node *node, const struct imap_seqset *uids)
{
	struct command *c = &node->command;
	BUF_AUTO text = BUF_INIT;

	imap_seqset_format(&text, uids);
	imap_seqset_done(&c->uids);
	*c = (struct command){0};
	imap_seqset_parse(buf_span(&text), &c->uids);
	c->run_at =
	    w->lab.now + lab_between(&w->lab, USEC_MSEC, 100 * USEC_MSEC);
	if (w->faulty && chance(w, 20))
		c->run_at += lab_between(&w->lab, 0, 20 * USEC_SEC);
	c->answer_at =
	    c->run_at + lab_between(&w->lab, USEC_MSEC, 100 * USEC_MSEC);
}

static void
send_store(struct world *w, struct node *node, const char *words, bool add)
{
	send_command(w, node, &node->group);
	node->command.is_store = true;
	node->command.add = add;
	strcpy(node->command.keywords, words);
}

/* ---- life and death ---- */

static void
start(struct world *w, struct node *node)
{
	const char *keyword = lab_claim_name(number_of(w, node));

	node->claim = claim_new(&(struct claim_config){
	    .keyword = keyword, .seed = random_next(&w->lab.random)});
	node->alive = true;
	node->errand = ERRAND_NONE;
	node->stage = STAGE_IDLE;
	for (size_t i = 0; i < w->message_count; i++) {
		node->due[i] = node->renew[i] = w->lab.now;
		node->gone_is_ours[i] = false;
		if (node->ledger[i] == SENDING) /* nobody knows */
			node->ledger[i] = QUEUED;
	}
	lab_say(&w->lab, "%zu starts", number_of(w, node));
}

/* A command on its way may be carried out, or not. */
static void
drop_command(struct world *w, struct node *node)
{
	if (node->command.run_at != USEC_NEVER && chance(w, 500))
		run_command(w, node);
	node->command.run_at = node->command.answer_at = USEC_NEVER;
	imap_seqset_done(&node->group);
	node->errand = ERRAND_NONE;
}

static void
die(struct world *w, struct node *node)
{
	lab_say(&w->lab, "%zu dies", number_of(w, node));
	w->deaths++;
	drop_command(w, node);
	claim_free(&node->claim);
	node->alive = false;
	node->comes_back =
	    w->lab.now + lab_between(&w->lab, 0, 3 * CLAIM_LEASE_USEC);
}

static void
lose_link(struct world *w, struct node *node)
{
	drop_command(w, node);
	claim_interrupt(node->claim);
	node->cut_until =
	    w->lab.now + (chance(w, 200)
				 ? lab_between(&w->lab, 0, 3 * CLAIM_LEASE_USEC)
				 : lab_between(&w->lab, 0, USEC_MINUTE));
	lab_say(&w->lab, "%zu is cut off", number_of(w, node));
}

/* ---- the submission server, and the truth ---- */

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
	if (w->lab.now - node->said > ALMOST(CLAIM_LEASE_USEC / 3 * 2))
		return 3;
	if (m->by != self && m->orphaned && !node->was_marked)
		return m->heard ? 2 : 1;
	if (m->by == self || node->was_marked ||
	    away < ALMOST(CLAIM_LEASE_USEC))
		return 0;
	if (!m->heard)
		return 1;
	return away >= ALMOST(2 * CLAIM_LEASE_USEC) ? 2 : 0;
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

static void
set_stage(struct node *node, enum stage stage, usec_t at)
{
	node->stage = stage;
	node->stage_at = at;
}

static void
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

static void
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
static void
end_text(struct world *w, struct node *node)
{
	if (w->faulty && chance(w, 30))
		put_back(w, node, USEC_MINUTE);
	else if (clock_of(w, node) < node->fresh_until)
		say_dot(w, node);
	else
		set_stage(node, STAGE_RENEWING, USEC_NEVER);
}

/* ---- asking ---- */

static void
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

static void
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

static void
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

/* ---- errands ---- */

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

/* ---- time ---- */

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
	w->modseq = 10;
	w->node_count = 2 + random_below(&w->lab.random, LAB_NODES_MAX - 1);
	w->message_count = 1 + random_below(&w->lab.random, MESSAGES_MAX);
	for (size_t i = 0; i < w->message_count; i++)
		w->messages[i] = (struct message){.is_there = true,
		    .modseq = 1 + random_below(&w->lab.random, 9)};
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
	return steps;
}

int
main(int argc, char **argv)
{
	struct lab_options options;
	unsigned long failed = 0, steps = 0, messages = 0;
	unsigned long deaths = 0, held = 0, twice[4] = {0};

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
		held += w.held;
		for (size_t n = 1; n < 4; n++)
			twice[n] += w.twice[n];
	}
	printf("%lu seeds: %lu failed; %lu steps, %lu messages, %lu deaths, "
	       "%lu held; accepted again: %lu in W1, %lu in W2, %lu in W3\n",
	    options.count, failed, steps, messages, deaths, held, twice[1],
	    twice[2], twice[3]);
	return failed > 0;
}
