/* The server: keywords or a log, and what it lets happen. */
#include "tests/sim/sim_claim_private.h"

#include <string.h>

#include "daemon/base/xalloc.h"

void
touch(struct world *w, struct mail *m)
{
	m->modseq = ++w->modseq;
	m->stored = w->lab.now;
}

static int64_t
server_unix(const struct world *w)
{
	return (int64_t)(w->lab.now / USEC_SEC);
}

/* The same UIDs mean other messages when the mailbox was made anew. */
uint32_t
log_uid_of(const struct world *w, size_t i)
{
	return (uint32_t)((i + w->validity) % w->message_count) + 1;
}

void
compose_entry(const struct world *w, struct node *node)
{
	struct command *c = &node->command;
	struct imap_seqset uids = IMAP_SEQSET_INIT;

	if (!w->by_log || c->verb != VERB_STORE)
		return;
	c->log_validity = node->log_opened;
	for (size_t i = 0; i < w->message_count; i++)
		if (imap_seqset_has(&c->uids, (uint32_t)i + 1))
			imap_seqset_add(&uids, log_uid_of(w, i));
	claim_log_compose(node->log,
	    &(struct claim_log_store){.mailbox = SPAN("INBOX"),
		.uidvalidity = w->validity,
		.base = c->unchanged_since != 0 ? node->log_base : 0,
		.add = c->add,
		.uids = &uids,
		.words = c->keywords},
	    &c->entry);
	imap_seqset_done(&uids);
}

static void
append_entry(struct world *w, struct node *node)
{
	struct entry *e;

	w->entries =
	    xreallocarray(w->entries, w->entry_count + 1, sizeof(*w->entries));
	e = &w->entries[w->entry_count++];
	*e = (struct entry){
	    .uid = ++w->log_uid, .received_unix = server_unix(w)};
	buf_add_span(&e->text, buf_span(&node->command.entry));
}

static void
note_break(struct world *w, const struct node *node, size_t i)
{
	const struct command *c = &node->command;
	const char *own = lab_claim_name(number_of(w, node));

	if (!c->add && span_starts(span_from_str(c->keywords), CLAIM_PREFIX) &&
	    !span_starts(span_from_str(c->keywords), own))
		w->messages[i].broken = w->lab.now;
}

/* What the oracles know of it. */
static void
note_entry(struct world *w, struct node *node, size_t i)
{
	struct command *c = &node->command;
	struct mail *m = &w->messages[i];

	lab_say(&w->lab, "%zu appends for %zu: %c%s (%lu)", number_of(w, node),
	    i + 1, c->add ? '+' : '-', c->keywords,
	    (unsigned long)node->log_base);
	note_break(w, node, i);
	if (strcmp(c->keywords, LAB_MARK) == 0) {
		m->marked = usec_min(m->marked, w->lab.now);
		m->now.mark = true;
	} else if (c->add || strcmp(c->keywords, CLAIM_TICK) == 0) {
		node->claimed[i] = w->lab.now;
	}
}

static void
store_one(struct world *w, struct node *node, size_t i)
{
	struct command *c = &node->command;
	struct mail *m = &w->messages[i];
	char words[sizeof(c->keywords)];
	bool changed = false;

	if (c->unchanged_since != 0 && m->modseq > c->unchanged_since) {
		if (w->lab.now - m->stored > CLOSE_USEC || !chance(w, 60)) {
			imap_seqset_add(&node->modified, (uint32_t)i + 1);
			return;
		}
		w->doubles++;
	}
	note_break(w, node, i);
	if (c->add && strstr(c->keywords, LAB_MARK) == NULL)
		node->claimed[i] = w->lab.now;
	if (strcmp(c->keywords, LAB_MARK) == 0)
		m->marked = usec_min(m->marked, w->lab.now);
	if (!c->add && strcmp(c->keywords, CLAIM_TICK) == 0)
		node->claimed[i] = w->lab.now;
	lab_say(&w->lab, "%zu stores %zu: %c%s", number_of(w, node), i + 1,
	    c->add ? '+' : '-', c->keywords);
	strcpy(words, c->keywords);
	if (w->overwrites)
		m->now = node->view[i];
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
		changed |= *lab_keyword(&m->now, word) != c->add;
		*lab_keyword(&m->now, word) = c->add;
	}
	node->view[i] = m->now;
	if (changed)
		touch(w, m);
}

static void
move_one(struct world *w, struct node *node, size_t i)
{
	struct mail *m = &w->messages[i];

	note_effect(w, node, i);
	lab_say(&w->lab, "%zu moves %zu: %u", number_of(w, node), i + 1,
	    m->effects);
	if (m->effects > 1)
		lab_broken(&w->lab, "message %zu was moved twice", i + 1);
	m->leaves_at = usec_min(
	    m->leaves_at, w->lab.now + lab_between(&w->lab, 0, CLOSE_USEC));
}

static void
copy_one(struct world *w, struct node *node, size_t i)
{
	struct mail *m = &w->messages[i];

	note_effect(w, node, i);
	lab_say(&w->lab, "%zu copies %zu: %u", number_of(w, node), i + 1,
	    m->effects);
	if (m->effects > 1 &&
	    (m->marked < node->claimed[i] ||
		w->lab.now - m->owned < CLAIM_LEASE_USEC * 98 / 100))
		lab_broken(&w->lab, "message %zu was copied %u times", i + 1,
		    m->effects);
	m->owned = node->claimed[i];
}

/* An entry for a mailbox, or a log, that is gone. */
static bool
is_about_gone(const struct world *w, const struct command *c)
{
	return c->validity != w->validity ||
	       (c->log_validity != 0 && c->log_validity != w->log_validity);
}

/* Yahoo takes no message whose last line does not end (append-needs-crlf). */
static bool
is_taken(const struct world *w, const struct command *c)
{
	return !w->by_log || c->verb != VERB_STORE ||
	       span_ends_nocase(buf_span(&c->entry), "\r\n");
}

void
run_command(struct world *w, struct node *node)
{
	struct command *c = &node->command;

	c->run_at = USEC_NEVER;
	c->ok = (!w->faulty || !chance(w, 2)) && is_taken(w, c);
	if (c->ok && w->by_log && c->verb == VERB_STORE)
		append_entry(w, node);
	node->log_seen = w->entry_count;
	imap_seqset_done(&node->modified);
	for (size_t i = 0; c->ok && i < w->message_count; i++) {
		if (!w->messages[i].is_there ||
		    !imap_seqset_has(&c->uids, (uint32_t)i + 1))
			continue;
		if (c->verb == VERB_FETCH) {
			node->view[i] = w->messages[i].now;
			lab_say(&w->lab, "%zu reads %zu", number_of(w, node),
			    i + 1);
		}
		if (c->verb == VERB_STORE && w->by_log && is_about_gone(w, c))
			continue;
		if (c->verb == VERB_STORE && w->by_log)
			note_entry(w, node, i);
		else if (c->verb == VERB_STORE)
			store_one(w, node, i);
		else if (c->verb == VERB_MOVE)
			move_one(w, node, i);
		else if (c->verb == VERB_COPY)
			copy_one(w, node, i);
	}
	if (node->late) {
		node->late = false;
		imap_seqset_done(&c->uids);
	}
}

/* The connection it came from is dead, and its answer goes nowhere. */
void
run_ghost(struct world *w, struct node *node)
{
	struct node own = *node;

	lab_say(&w->lab, "%zu is a ghost:", number_of(w, node));
	w->ghosts++;
	node->late = false;
	node->command = own.ghost;
	node->modified = (struct imap_seqset)IMAP_SEQSET_INIT;
	memcpy(node->view, own.ghost_view, sizeof(node->view));
	run_command(w, node);
	node->ghost = node->command;
	imap_seqset_done(&node->modified);
	node->late = own.late;
	node->command = own.command;
	node->modified = own.modified;
	node->log_seen = own.log_seen;
	memcpy(node->view, own.view, sizeof(node->view));
}

/* What was done is not to be known by keywords or log any more. */
static void
lose_marks(struct world *w)
{
	w->lost = w->lab.now;
	for (size_t i = 0; i < w->message_count; i++) {
		struct mail *m = &w->messages[i];
		m->was_marked |= m->now.mark;
		m->now = (struct lab_keywords){0};
		m->before += m->effects;
		m->effects = 0;
		m->marked = USEC_NEVER;
	}
}

static void
break_links(struct world *w)
{
	w->anew++;
	for (size_t n = 0; n < w->node_count; n++)
		if (w->nodes[n].alive)
			lose_link(w, &w->nodes[n]);
}

/* With a new UIDVALIDITY. What is still said to the old one is in vain, but for
 * entries of the log. */
void
make_mailbox_anew(struct world *w)
{
	bool keeps = !w->by_log && chance(w, 50);

	lab_say(&w->lab, "the mailbox is made anew%s", keeps ? ", whole" : "");
	break_links(w);
	w->validity++;
	if (!keeps)
		lose_marks(w);
	w->modseq = 10;
	for (size_t i = 0; i < w->message_count; i++) {
		struct mail *m = &w->messages[i];
		m->is_there &= m->leaves_at == USEC_NEVER;
		m->modseq = 1 + random_below(&w->lab.random, 9);
	}
	for (size_t n = 0; n < w->node_count; n++) {
		struct node *node = &w->nodes[n];
		node->late = false;
		node->command.run_at = USEC_NEVER;
		if (!w->by_log)
			node->ghost.run_at = USEC_NEVER;
		if (node->alive)
			forget_claims(w, node);
	}
}

/* What was on its way to the old one comes to the new one. */
void
make_log_anew(struct world *w)
{
	lab_say(&w->lab, "the log is made anew");
	break_links(w);
	for (size_t i = 0; i < w->entry_count; i++)
		w->entries[i].is_gone = true;
	w->log_uid = 0;
	w->log_validity++;
	lose_marks(w);
}
