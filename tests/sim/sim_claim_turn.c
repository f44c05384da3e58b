/* A machine asks for claims, and what it makes of the verdicts. */
#include "tests/sim/sim_claim_private.h"

#include <string.h>

#include "daemon/mail/message.h"

/* Listed, and not repeated. */
void
settle_unknown(struct world *w, struct node *node, size_t i)
{
	lab_say(&w->lab, "%zu does not know whether %zu ran",
	    number_of(w, node), i + 1);
	node->ledger[i] = UNKNOWN;
	w->messages[i].unknown = true;
	w->unknown++;
}

/* What the look says of a command of an earlier life, as mailbox_left.c has
 * it. True: its mark is to be stored. */
static bool
settle_left(struct world *w, struct node *node, size_t i)
{
	struct mail *m = &w->messages[i];
	enum claim_verdict verdict =
	    claim_verdict(node->claim, (uint32_t)i + 1);

	switch (verdict) {
	case CLAIM_DONE:
	case CLAIM_GONE:
		settle_unknown(w, node, i);
		if (verdict == CLAIM_DONE && m->marked == USEC_NEVER)
			lab_broken(&w->lab, "%zu is said to be marked", i + 1);
		if (node->command.ok && m->is_there &&
		    m->now.claims[number_of(w, node)])
			lab_broken(&w->lab, "the claim of %zu was left", i + 1);
		return false;
	case CLAIM_LEFT:
	case CLAIM_FOREIGN:
		if (!w->modseqs)
			return true;
		lab_say(&w->lab, "%zu knows that %zu did not run",
		    number_of(w, node), i + 1);
		node->ledger[i] = PLANNED;
		node->mine[i] = true;
		w->again++;
		return false;
	case CLAIM_MISSING: /* or another just removed it */
		return true;
	default:
		node->not_before[i] = world_time(
		    w, node, claim_until(node->claim, (uint32_t)i + 1));
		return false;
	}
}

static void
share_out_left(struct world *w, struct node *node)
{
	struct imap_seqset unmarked = IMAP_SEQSET_INIT;

	for (size_t i = 0; i < w->message_count; i++)
		if (imap_seqset_has(&node->group, (uint32_t)i + 1) &&
		    settle_left(w, node, i))
			imap_seqset_add(&unmarked, (uint32_t)i + 1);
	imap_seqset_done(&node->group);
	node->group = unmarked;
	node->stage = unmarked.count > 0 ? STAGE_MARK : STAGE_REST;
	if (unmarked.count > 0)
		send_store(w, node, LAB_MARK, true);
	else
		node->looks = false;
}

/* It is marked, and our claim is gone: another has taken over, or claims were
 * lost. */
static void
settle_marked(struct world *w, struct node *node, size_t i)
{
	const struct mail *m = &w->messages[i];
	bool others = !w->modseqs || w->anew > 0 || m->effects > 0 ||
		      m->broken >= node->claimed[i];

	for (size_t n = 0; n < w->node_count; n++)
		others |= w->nodes[n].claimed[i] > node->claimed[i];
	if (!others)
		lab_broken(&w->lab, "%zu takes its mark of %zu for another's",
		    number_of(w, node), i + 1);
	settle_unknown(w, node, i);
}

/* The engine is done: what became of each? */
static void
share_out(struct world *w, struct node *node)
{
	struct imap_seqset won = IMAP_SEQSET_INIT;

	for (size_t i = 0; i < w->message_count; i++) {
		uint32_t uid = (uint32_t)i + 1;
		if (!imap_seqset_has(&node->group, uid))
			continue;
		enum claim_verdict verdict = claim_verdict(node->claim, uid);
		if (verdict == CLAIM_WON)
			imap_seqset_add(&won, uid);
		else if (verdict == CLAIM_WAIT)
			node->not_before[i] =
			    world_time(w, node, claim_until(node->claim, uid));
		else if (verdict == CLAIM_DONE && node->mine[i])
			settle_marked(w, node, i);
		else
			node->ledger[i] = DONE;
		if (verdict == CLAIM_UNKNOWN)
			lab_broken(&w->lab, "no verdict of %u", uid);
	}
	imap_seqset_done(&node->group);
	node->group = won;
	if (won.count > 0)
		begin_effect(w, node);
	else
		node->stage = STAGE_REST;
}

static void
go_on_claiming(struct world *w, struct node *node)
{
	struct claim_command command;

	if (!claim_command(node->claim, &command, clock_of(w, node))) {
		if (node->looks)
			share_out_left(w, node);
		else
			share_out(w, node);
		return;
	}
	node->stage = STAGE_CLAIM;
	send_command(
	    w, node, command.is_store ? VERB_STORE : VERB_FETCH, command.uids);
	node->command.unchanged_since = command.unchanged_since;
	node->command.add = command.add;
	if (command.is_store)
		strcpy(node->command.keywords, command.keywords);
	compose_entry(w, node);
}

/* One machine's reading of the log, as far as it was when FETCH ran. */
static void
read_log(struct world *w, struct node *node)
{
	struct imap_seqset stale = IMAP_SEQSET_INIT;
	uint32_t from;

	claim_log_open(node->log, w->log_validity, clock_of(w, node));
	node->log_opened = w->log_validity;
	from = claim_log_from(node->log);
	for (size_t i = 0; i < node->log_seen; i++) {
		const struct entry *e = &w->entries[i];
		if (e->is_gone || e->uid < from)
			continue;
		struct message *message = message_new(buf_span(&e->text));
		struct span line = message_raw(message, CLAIM_LOG_HEADER, 0);
		claim_log_read(node->log, e->uid, e->received_unix, &line, 1);
		message_free(&message);
	}
	claim_log_read_end(node->log);
	node->log_base = claim_log_position(node->log);
	if (claim_log_is_disordered(node->log))
		lab_broken(&w->lab, "the log is in disorder");
	claim_log_get_stale(node->log, &stale);
	for (size_t i = 0; i < w->entry_count; i++)
		if (!w->entries[i].is_gone &&
		    imap_seqset_has(&stale, w->entries[i].uid))
			w->entries[i].is_gone = true;
	imap_seqset_done(&stale);
}

static void
tell_log(const struct world *w, struct node *node, size_t i)
{
	struct span words[CLAIM_LOG_WORDS_MAX];
	uint32_t changed;
	size_t count = claim_log_words(node->log, SPAN("INBOX"), w->validity,
	    log_uid_of(w, i), words, &changed);

	claim_on_message(node->claim, (uint32_t)i + 1,
	    (uint64_t)claim_log_validity(node->log) << 32 | changed, words,
	    count);
}

/* FETCH is answered as things stand when the command runs; here, a little
 * later: no worse, as it is what the server knows. */
static void
answer_claim(struct world *w, struct node *node)
{
	struct command *c = &node->command;

	if (w->by_log && c->verb == VERB_FETCH && c->ok) {
		read_log(w, node);
		if (claim_log_is_void(node->log, clock_of(w, node)))
			c->ok = false;
		for (size_t i = 0; c->ok && i < w->message_count; i++)
			if (w->messages[i].is_there &&
			    imap_seqset_has(&c->uids, (uint32_t)i + 1))
				tell_log(w, node, i);
	}
	for (size_t i = 0; !w->by_log && i < w->message_count; i++)
		if (w->messages[i].is_there &&
		    ((c->verb == VERB_FETCH && c->ok &&
			 imap_seqset_has(&c->uids, (uint32_t)i + 1)) ||
			chance(w, 2)))
			lab_tell(node->claim, (uint32_t)i + 1,
			    w->modseqs ? w->messages[i].modseq : 0,
			    &w->messages[i].now, w->messages[i].seen);
	if (node->modified.count > 0)
		claim_on_modified(node->claim, &node->modified);
	claim_on_done(node->claim, c->ok, clock_of(w, node));
	go_on_claiming(w, node);
}

void
on_answer(struct world *w, struct node *node)
{
	node->command.answer_at = USEC_NEVER;
	if (node->stage == STAGE_CLAIM)
		answer_claim(w, node);
	else if (node->stage == STAGE_LOOK)
		looked(w, node);
	else if (node->stage == STAGE_MARK)
		marked(w, node);
	else if (node->stage == STAGE_EFFECT)
		effected(w, node);
	else if (node->stage == STAGE_RELEASE)
		released(w, node);
}

/* The next group of those that want the same. False: nothing is to be done. */
static bool
gather(struct world *w, struct node *node, enum ledger ledger)
{
	bool any = false;

	imap_seqset_done(&node->group);
	for (size_t i = 0; i < w->message_count; i++) {
		if (node->ledger[i] != ledger ||
		    node->not_before[i] > w->lab.now)
			continue;
		if (any && (w->messages[i].kind != node->kind ||
			       node->mine[i] != node->is_mine))
			continue;
		node->is_mine = node->mine[i];
		node->kind = w->messages[i].kind;
		any = true;
		imap_seqset_add(&node->group, (uint32_t)i + 1);
		if (chance(w, 20))
			break;
	}
	return any;
}

void
act(struct world *w, struct node *node)
{
	if (gather(w, node, STARTED) && node->kind == KIND_EXEC) {
		node->looks = true;
		claim_begin(
		    node->claim, &node->group, LAB_MARK, clock_of(w, node));
		claim_only_look(node->claim);
		go_on_claiming(w, node);
	} else if (node->group.count > 0) {
		node->stage = STAGE_LOOK;
		send_command(w, node, VERB_FETCH, &node->group);
	} else if (gather(w, node, PLANNED)) {
		claim_begin(node->claim, &node->group,
		    node->kind == KIND_MOVE ? "" : LAB_MARK, clock_of(w, node));
		if (node->is_mine)
			claim_expect_mark(node->claim);
		go_on_claiming(w, node);
	}
}
