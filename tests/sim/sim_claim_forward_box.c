/* The mailbox, and who dies or loses it. */
#include "tests/sim/sim_claim_forward_private.h"

#include <string.h>

#include "daemon/mail/message.h"

usec_t
lease_of(const struct world *w)
{
	return w->modseqs ? CLAIM_LEASE_USEC : CLAIM_SLOW_LEASE_USEC;
}

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
		if (w->lab.now - m->stored > CLOSE_USEC || !chance(w, 600)) {
			imap_seqset_add(&node->modified, (uint32_t)i + 1);
			return;
		}
		w->doubles++;
	}
	if (takes_claim_of(node, m) && m->by != number_of(w, node) &&
	    w->lab.now - m->touched[m->by] >= ALMOST(2 * lease_of(w)))
		m->orphaned = true;
	if (!w->modseqs)
		m->now = node->view[i];
	strcpy(words, c->keywords);
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
		changed |= *lab_keyword(&m->now, word) != c->add;
		*lab_keyword(&m->now, word) = c->add;
	}
	node->view[i] = m->now;
	if (changed) {
		m->stored = w->lab.now;
		m->modseq = ++w->modseq;
		m->touched[number_of(w, node)] = w->lab.now;
	}
}

/* The server gives the entry its place. */
static void
append(struct world *w, struct node *node)
{
	struct command *c = &node->command;
	struct claim_log *own =
	    claim_log_new(lab_claim_name(number_of(w, node)));
	BUF_AUTO text = BUF_INIT;

	claim_log_compose(own,
	    &(struct claim_log_store){.mailbox = SPAN("INBOX"),
		.uidvalidity = 1,
		.base = c->unchanged_since != 0 ? node->log_base : 0,
		.add = c->add,
		.uids = &c->uids,
		.words = c->keywords},
	    &text);
	struct message *message = message_new(buf_span(&text));
	struct span line = message_raw(message, CLAIM_LOG_HEADER, 0);
	claim_log_read(
	    w->log, ++w->log_uid, (int64_t)(w->lab.now / USEC_SEC), &line, 1);
	claim_log_read_end(w->log);
	message_free(&message);
	claim_log_free(&own);
}

/* What the log says of it now; if that is new, by the last entry. */
static void
note_entry(struct world *w, struct node *node, size_t i)
{
	struct message *m = &w->messages[i];
	struct lab_keywords before = m->now;
	struct span words[CLAIM_LOG_WORDS_MAX];
	uint32_t changed;
	size_t count = claim_log_words(
	    w->log, SPAN("INBOX"), 1, (uint32_t)i + 1, words, &changed);
	bool takes = takes_claim_of(node, m) && m->by != number_of(w, node);

	m->modseq = changed;
	if (changed != w->log_uid)
		return;
	m->now = (struct lab_keywords){0};
	for (size_t n = 0; n < count; n++) {
		char word[100] = "";
		memcpy(word, words[n].data, words[n].len);
		*lab_keyword(&m->now, word) = true;
	}
	if (takes && before.claims[m->by] && !m->now.claims[m->by] &&
	    w->lab.now - m->touched[m->by] >= ALMOST(2 * lease_of(w)))
		m->orphaned = true;
	m->touched[number_of(w, node)] = w->lab.now;
}

void
run_command(struct world *w, struct node *node)
{
	struct command *c = &node->command;

	c->run_at = USEC_NEVER;
	c->ok = !w->faulty || !chance(w, 10);
	imap_seqset_done(&node->modified);
	if (c->ok && w->by_log && c->is_store)
		append(w, node);
	else if (c->ok && w->by_log)
		node->log_base = w->log_uid;
	for (size_t i = 0; c->ok && i < w->message_count; i++) {
		if (!w->messages[i].is_there ||
		    !imap_seqset_has(&c->uids, (uint32_t)i + 1))
			continue;
		if (c->is_store && w->by_log)
			note_entry(w, node, i);
		else if (c->is_store)
			store_one(w, node, i);
		else
			node->view[i] = w->messages[i].now;
	}
	lab_say(&w->lab, "%zu: %s%s", number_of(w, node),
	    c->is_store ? (c->add ? "+" : "-") : "reads", c->keywords);
}

void
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
		c->run_at += lab_between(&w->lab, 0,
		    w->modseqs ? 20 * USEC_SEC
			       : CLAIM_SETTLE_USEC - CLAIM_READING_USEC -
				     300 * USEC_MSEC);
	c->answer_at =
	    c->run_at + lab_between(&w->lab, USEC_MSEC, 100 * USEC_MSEC);
}

void
send_store(struct world *w, struct node *node, const char *words, bool add)
{
	send_command(w, node, &node->group);
	node->command.is_store = true;
	node->command.add = add;
	strcpy(node->command.keywords, words);
}

void
start(struct world *w, struct node *node)
{
	const char *keyword = lab_claim_name(number_of(w, node));

	node->claim = claim_new(&(struct claim_config){.keyword = keyword,
	    .step = w->modseqs ? CLAIM_BY_MODSEQ : CLAIM_BY_KEYWORD,
	    .seed = random_next(&w->lab.random)});
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

void
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

void
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
