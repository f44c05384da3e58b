/* A machine: its life, and what it does with what it won. */
#include "tests/sim/sim_claim_private.h"

#include <stdio.h>
#include <string.h>

void
send_command(struct world *w, struct node *node, enum verb verb,
    const struct imap_seqset *uids)
{
	struct command *c = &node->command;
	BUF_AUTO text = BUF_INIT;

	imap_seqset_format(&text, uids);
	imap_seqset_done(&c->uids);
	buf_done(&c->entry);
	*c = (struct command){.verb = verb, .validity = w->validity};
	imap_seqset_parse(buf_span(&text), &c->uids);
	c->run_at =
	    w->lab.now + lab_between(&w->lab, USEC_MSEC, 40 * USEC_MSEC);
	if (w->faulty && chance(w, w->slow))
		c->run_at += lab_between(&w->lab, 0,
		    w->modseqs ? 20 * USEC_SEC
			       : CLAIM_SETTLE_USEC - CLAIM_READING_USEC -
				     100 * USEC_MSEC);
	c->answer_at =
	    c->run_at + lab_between(&w->lab, USEC_MSEC, 40 * USEC_MSEC);
	if (w->faulty && chance(w, w->sleepy))
		node->still_until = w->lab.now + still(w);
}

/* What it decided to do it may do later. */
static void
send_effect(struct world *w, struct node *node)
{
	if (w->faulty && chance(w, w->slow)) {
		usec_t wait = still(w);
		node->command.run_at += wait;
		node->command.answer_at += wait;
	}
}

void
send_store(struct world *w, struct node *node, const char *keywords, bool add)
{
	send_command(w, node, VERB_STORE, &node->group);
	node->command.add = add;
	strcpy(node->command.keywords, keywords);
	compose_entry(w, node);
}

/* Once more than before: but what was claimed before claims were lost is not
 * held against anybody. */
void
note_effect(struct world *w, struct node *node, size_t i)
{
	struct mail *m = &w->messages[i];

	if (node->claimed[i] <= w->lost)
		m->before++;
	else
		m->effects++;
}

/* Of a mailbox that is another one now, or in a new life. */
void
forget_claims(struct world *w, struct node *node)
{
	claim_free(&node->claim);
	node->claim = claim_new(&(struct claim_config){
	    .keyword = lab_claim_name(number_of(w, node)),
	    .step = w->modseqs ? CLAIM_BY_MODSEQ : CLAIM_BY_KEYWORD,
	    .seed = random_next(&w->lab.random)});
}

void
start(struct world *w, struct node *node)
{
	node->ahead = lab_between(&w->lab, 0, 100 * USEC_DAY);
	node->drift =
	    (int64_t)random_below(&w->lab.random, 2 * DRIFT_MAX) - DRIFT_MAX;
	forget_claims(w, node);
	node->log = claim_log_new(lab_claim_name(number_of(w, node)));
	node->log_opened = 0;
	node->alive = true;
	node->stage = STAGE_REST;
	for (size_t i = 0; i < w->message_count; i++)
		node->not_before[i] = w->lab.now;
	lab_say(&w->lab, "%zu starts", number_of(w, node));
}

/* It goes on without the connection that it was said on. */
static void
leave_ghost(struct world *w, struct node *node)
{
	imap_seqset_done(&node->ghost.uids);
	buf_done(&node->ghost.entry);
	node->ghost = node->command;
	memcpy(node->ghost_view, node->view, sizeof(node->view));
	if (w->modseqs && chance(w, w->haunted))
		node->ghost.run_at += lab_between(&w->lab, 0, GHOST_USEC);
	node->command = (struct command){.run_at = USEC_NEVER};
}

/* What a death or a lost link leaves behind. */
static void
drop_command(struct world *w, struct node *node)
{
	bool goes_on =
	    node->command.run_at != USEC_NEVER && chance(w, w->haunted);

	if (goes_on && node->command.verb == VERB_STORE) {
		leave_ghost(w, node);
		goes_on = false;
	}
	node->command.answer_at = USEC_NEVER;
	node->late = goes_on;
	if (!node->late)
		node->command.run_at = USEC_NEVER;
	node->still_until = 0;
}

void
die(struct world *w, struct node *node)
{
	lab_say(&w->lab, "%zu dies", number_of(w, node));
	w->deaths++;
	drop_command(w, node);
	claim_free(&node->claim);
	claim_log_free(&node->log);
	imap_seqset_done(&node->group);
	node->looks = false;
	node->alive = false;
	node->comes_back = w->lab.now + absence(w);
}

void
lose_link(struct world *w, struct node *node)
{
	usec_t away = chance(w, 60) ? USEC_SEC : absence(w);

	lab_say(&w->lab, "%zu loses its link", number_of(w, node));
	drop_command(w, node);
	for (size_t i = 0; i < w->message_count; i++) {
		node->not_before[i] = w->lab.now + away;
		if (w->messages[i].kind == KIND_EXEC && !node->looks &&
		    imap_seqset_has(&node->group, (uint32_t)i + 1) &&
		    node->ledger[i] == STARTED) {
			node->ledger[i] = PLANNED; /* it did not run */
			node->mine[i] = true;
		}
	}
	claim_interrupt(node->claim);
	imap_seqset_done(&node->group);
	node->looks = false;
	node->stage = STAGE_REST;
}

static void
set_ledger(struct node *node, enum ledger ledger)
{
	for (size_t i = 0; i < MESSAGES_MAX; i++)
		if (imap_seqset_has(&node->group, (uint32_t)i + 1))
			node->ledger[i] = ledger;
}

static void
run_execs(struct world *w, struct node *node)
{
	for (size_t i = 0; i < w->message_count; i++) {
		if (!imap_seqset_has(&node->group, (uint32_t)i + 1))
			continue;
		lab_say(&w->lab, "%zu runs %zu", number_of(w, node), i + 1);
		note_effect(w, node, i);
		if (w->messages[i].effects > 1)
			lab_broken(
			    &w->lab, "the command of %zu ran twice", i + 1);
	}
	/* Dead before that is written, or when it could not be. */
	if (!w->faulty || chance(w, 97))
		set_ledger(node, DONE);
	else
		die(w, node);
}

/* The journal does not take it: what was won waits, and is tried again. */
static bool
intent_fails(struct world *w, struct node *node)
{
	if (!w->faulty || !chance(w, 3))
		return false;
	lab_say(&w->lab, "%zu cannot write its intent", number_of(w, node));
	for (size_t i = 0; i < w->message_count; i++)
		if (imap_seqset_has(&node->group, (uint32_t)i + 1))
			node->not_before[i] =
			    w->lab.now + lab_between(&w->lab, 0, absence(w));
	imap_seqset_done(&node->group);
	node->stage = STAGE_REST;
	return true;
}

void
begin_effect(struct world *w, struct node *node)
{
	if (intent_fails(w, node))
		return;
	if (node->kind == KIND_EXEC) {
		set_ledger(node, STARTED);
		node->stage = STAGE_MARK;
		send_store(w, node, LAB_MARK, true);
	} else {
		node->stage = STAGE_EFFECT;
		set_ledger(node, STARTED);
		send_command(w, node,
		    node->kind == KIND_MOVE ? VERB_MOVE : VERB_COPY,
		    &node->group);
	}
	send_effect(w, node);
}

void
looked(struct world *w, struct node *node)
{
	for (size_t i = 0; i < w->message_count; i++) {
		struct mail *m = &w->messages[i];
		if (!imap_seqset_has(&node->group, (uint32_t)i + 1))
			continue;
		if (m->kind == KIND_MOVE)
			node->ledger[i] = m->is_there ? PLANNED : DONE;
		else if (m->effects + m->before == 0)
			node->ledger[i] = PLANNED;
	}
	/* A copy that is there is marked now, late. */
	struct imap_seqset left = IMAP_SEQSET_INIT;
	for (size_t i = 0; i < w->message_count; i++)
		if (imap_seqset_has(&node->group, (uint32_t)i + 1) &&
		    node->ledger[i] == STARTED)
			imap_seqset_add(&left, (uint32_t)i + 1);
	imap_seqset_done(&node->group);
	node->group = left;
	node->kind = KIND_COPY;
	node->stage = left.count > 0 ? STAGE_MARK : STAGE_REST;
	if (left.count > 0)
		send_store(w, node, LAB_MARK, true);
}

static void
release(struct world *w, struct node *node)
{
	node->stage = STAGE_RELEASE;
	char words[100];
	snprintf(words, sizeof(words), "%s %s", claim_keyword(node->claim),
	    CLAIM_TICK);
	send_store(w, node, words, false);
}

void
marked(struct world *w, struct node *node)
{
	if (!node->command.ok) {
		send_store(w, node, LAB_MARK, true);
		return;
	}
	if (node->looks) {
		for (size_t i = 0; i < w->message_count; i++)
			if (imap_seqset_has(&node->group, (uint32_t)i + 1))
				settle_unknown(w, node, i);
	} else if (node->kind == KIND_EXEC) {
		run_execs(w, node);
	} else {
		set_ledger(node, DONE);
	}
	node->looks = false;
	if (node->alive)
		release(w, node);
}

void
effected(struct world *w, struct node *node)
{
	if (!node->command.ok) {
		set_ledger(node, PLANNED);
		imap_seqset_done(&node->group);
		node->stage = STAGE_REST;
		return;
	}
	if (node->kind == KIND_COPY) {
		node->stage = STAGE_MARK;
		send_store(w, node, LAB_MARK, true);
		return;
	}
	set_ledger(node, DONE);
	node->stage = STAGE_REST;
}

void
released(struct world *w, struct node *node)
{
	for (size_t i = 0; i < w->message_count; i++)
		if (imap_seqset_has(&node->group, (uint32_t)i + 1))
			claim_forget(node->claim, (uint32_t)i + 1);
	imap_seqset_done(&node->group);
	node->stage = STAGE_REST;
}
