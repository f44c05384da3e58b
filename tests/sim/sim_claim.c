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
 * with a command under way, and stay away for up to 1.6 leases; machines stand
 * still before they hear an answer, or between deciding and acting, for less
 * than the lease leaves them; they die at each step, and come back after up to
 * 1.6 leases, or never. Who comes back does so often at the very moment when
 * its claim is taken over. Each machine has a clock of its own, which is wrong
 * and goes too fast or too slow.
 *
 * Always: a message is moved once; a command runs once. A copy is made once,
 * and again only by who took over a claim that was old, as its mark was not
 * there. In the end, when the faults have stopped: all of it was done, and
 * nobody waits; and soon, where nothing went wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/account/claim_log.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/message.h"
#include "tests/sim/claim_lab.h"

#define MESSAGES_MAX 40
#define CLOSE_USEC (100 * USEC_MSEC) /* two at once */
#define FAULTS_USEC (4 * USEC_HOUR)
#define STEPS_MAX 2000000
/* How long a machine stands still at most: two thirds of a lease, but for what
 * clocks are wrong. */
#define STILL_USEC (CLAIM_LEASE_USEC * 6 / 10)
/* A clock goes so much too fast or too slow, in millionths. */
#define DRIFT_MAX 5000
/* Without faults all is done so soon. */
#define SOON_USEC (10 * USEC_MINUTE)

enum kind {
	KIND_MOVE,
	KIND_COPY,
	KIND_EXEC,
	KINDS
};

/* What a machine has on disk of a message. */
enum ledger {
	PLANNED,
	STARTED,
	DONE,
	UNKNOWN
};

/* What a machine is doing. */
enum stage {
	STAGE_REST,
	STAGE_CLAIM,  /* a command of the engine */
	STAGE_LOOK,   /* after a crash: was it done? */
	STAGE_MARK,   /* +mark: before a command, after a copy */
	STAGE_EFFECT, /* MOVE, COPY */
	STAGE_RELEASE,
};

enum verb {
	VERB_FETCH,
	VERB_STORE,
	VERB_MOVE,
	VERB_COPY
};

struct command {
	enum verb verb;
	struct imap_seqset uids;
	uint64_t unchanged_since;
	bool add;
	char keywords[100];
	usec_t run_at, answer_at; /* USEC_NEVER: it has, or nothing is */
	bool ok;
	struct buf entry; /* of the log, as it was sent */
};

struct mail {
	enum kind kind;
	bool is_there;
	usec_t leaves_at; /* of a MOVE under way; USEC_NEVER: none */
	struct lab_keywords now;
	bool seen;
	uint64_t modseq;
	usec_t stored;
	unsigned effects;
	usec_t owned;  /* who acted on it last had its claim from then */
	usec_t marked; /* USEC_NEVER: not yet */
	bool unknown;
	bool taken; /* by a person */
};

/* Of the log, where there are no keywords. */
struct entry {
	uint32_t uid;
	int64_t received_unix;
	struct buf text;
	bool is_gone;
};

struct node {
	struct claim_log *log;
	uint32_t log_base;
	size_t log_seen; /* entries that were there when the FETCH ran */
	struct lab_keywords view[MESSAGES_MAX]; /* as its session was told */
	bool alive, for_ever;			/* dead, and stays so */
	usec_t comes_back;
	struct claim *claim;
	enum stage stage;
	enum kind kind; /* of the group */
	bool is_mine;
	struct imap_seqset group;
	struct command command;
	struct imap_seqset modified;
	enum ledger ledger[MESSAGES_MAX];
	bool mine[MESSAGES_MAX]; /* on disk: if it is marked, then by us */
	bool looks;		 /* at what an earlier life left of commands */
	usec_t not_before[MESSAGES_MAX];
	bool late; /* its last life's command still runs at `command.run_at` */
	usec_t still_until;	      /* it stands still */
	usec_t claimed[MESSAGES_MAX]; /* its claim was stored or renewed then */
	usec_t ahead;		      /* its clock */
	int64_t drift;
};

struct world {
	struct lab lab;
	bool faulty, modseqs;
	bool calm;	       /* it was never faulty */
	unsigned slow, sleepy; /* percent of the commands */
	unsigned loose;	       /* links: lost in so many of 1000 steps */
	bool by_log;	       /* no keywords */
	struct entry *entries;
	size_t entry_count;
	bool overwrites; /* a STORE writes all keywords its session knows */
	usec_t now, ends;
	uint64_t modseq;
	struct mail messages[MESSAGES_MAX];
	size_t message_count;
	struct node nodes[LAB_NODES_MAX];
	size_t node_count;
	unsigned deaths, doubles;
	unsigned again, unknown; /* commands that a death left: not run; perhaps
				  */
};

static bool
chance(struct world *w, unsigned percent)
{
	return random_below(&w->lab.random, 100) < percent;
}

/* The machine's clock. */
static usec_t
clock_of(const struct world *w, const struct node *node)
{
	int64_t passed = (int64_t)(w->lab.now - LAB_START_USEC);

	return w->lab.now + node->ahead +
	       (usec_t)(passed * node->drift / 1000000);
}

/* When its clock will say `then`. */
static usec_t
world_time(const struct world *w, const struct node *node, usec_t then)
{
	return w->lab.now + usec_since(clock_of(w, node), then);
}

/* Mostly short, sometimes for long. */
static usec_t
still(struct world *w)
{
	if (!w->modseqs && chance(w, 50))
		return CLAIM_SETTLE_USEC +
		       lab_between(&w->lab, 0, 2 * USEC_SEC);
	return chance(w, 50) ? lab_between(&w->lab, 0, 10 * USEC_SEC)
			     : lab_between(&w->lab, 0, STILL_USEC);
}

/* How long a machine is away. */
static usec_t
absence(struct world *w)
{
	if (chance(w, 50))
		return lab_between(&w->lab, 0, CLAIM_LEASE_USEC * 16 / 10);
	/* Others find the claim old about then. */
	return CLAIM_LEASE_USEC - 20 * USEC_SEC +
	       lab_between(&w->lab, 0, 40 * USEC_SEC);
}

static size_t
number_of(const struct world *w, const struct node *node)
{
	return (size_t)(node - w->nodes);
}

/* ---- the server ---- */

static void
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

static void
compose_entry(const struct world *w, struct node *node)
{
	struct command *c = &node->command;

	if (!w->by_log || c->verb != VERB_STORE)
		return;
	claim_log_compose(node->log,
	    &(struct claim_log_store){.mailbox = SPAN("INBOX"),
		.uidvalidity = 1,
		.base = c->unchanged_since != 0 ? node->log_base : 0,
		.add = c->add,
		.uids = &c->uids,
		.words = c->keywords},
	    &c->entry);
}

static void
append_entry(struct world *w, struct node *node)
{
	struct entry *e;

	w->entries =
	    xreallocarray(w->entries, w->entry_count + 1, sizeof(*w->entries));
	e = &w->entries[w->entry_count];
	*e = (struct entry){
	    .uid = (uint32_t)++w->entry_count, .received_unix = server_unix(w)};
	buf_add_span(&e->text, buf_span(&node->command.entry));
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

	m->effects++;
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

	m->effects++;
	lab_say(&w->lab, "%zu copies %zu: %u", number_of(w, node), i + 1,
	    m->effects);
	if (m->effects > 1 &&
	    (m->marked < node->claimed[i] ||
		w->lab.now - m->owned < CLAIM_LEASE_USEC * 98 / 100))
		lab_broken(&w->lab, "message %zu was copied %u times", i + 1,
		    m->effects);
	m->owned = node->claimed[i];
}

static void
run_command(struct world *w, struct node *node)
{
	struct command *c = &node->command;

	c->run_at = USEC_NEVER;
	c->ok = !w->faulty || !chance(w, 2);
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

/* ---- a machine ---- */

static void
send_command(struct world *w, struct node *node, enum verb verb,
    const struct imap_seqset *uids)
{
	struct command *c = &node->command;
	BUF_AUTO text = BUF_INIT;

	imap_seqset_format(&text, uids);
	imap_seqset_done(&c->uids);
	buf_done(&c->entry);
	*c = (struct command){.verb = verb};
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

static void
send_store(struct world *w, struct node *node, const char *keywords, bool add)
{
	send_command(w, node, VERB_STORE, &node->group);
	node->command.add = add;
	strcpy(node->command.keywords, keywords);
	compose_entry(w, node);
}

static void
start(struct world *w, struct node *node)
{
	const char *keyword = lab_claim_name(number_of(w, node));

	node->ahead = lab_between(&w->lab, 0, 100 * USEC_DAY);
	node->drift =
	    (int64_t)random_below(&w->lab.random, 2 * DRIFT_MAX) - DRIFT_MAX;
	node->claim = claim_new(&(struct claim_config){.keyword = keyword,
	    .step = w->modseqs ? CLAIM_BY_MODSEQ : CLAIM_BY_KEYWORD,
	    .seed = random_next(&w->lab.random)});
	node->log = claim_log_new(keyword);
	node->alive = true;
	node->stage = STAGE_REST;
	for (size_t i = 0; i < w->message_count; i++)
		node->not_before[i] = w->lab.now;
	lab_say(&w->lab, "%zu starts", number_of(w, node));
}

/* What a death or a lost link leaves behind. */
static void
drop_command(struct world *w, struct node *node)
{
	node->command.answer_at = USEC_NEVER;
	node->late = node->command.run_at != USEC_NEVER && chance(w, 50);
	if (!node->late)
		node->command.run_at = USEC_NEVER;
	node->still_until = 0;
}

static void
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

static void
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
		if (++w->messages[i].effects > 1)
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

static void
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

/* Listed, and not repeated. */
static void
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
		node->mine[i] = verdict == CLAIM_LEFT;
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
	uint32_t from = claim_log_from(node->log);

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
		if (imap_seqset_has(&stale, w->entries[i].uid))
			w->entries[i].is_gone = true;
	imap_seqset_done(&stale);
}

static void
tell_log(struct node *node, size_t i)
{
	struct span words[CLAIM_LOG_WORDS_MAX];
	uint32_t changed;
	size_t count = claim_log_words(
	    node->log, SPAN("INBOX"), 1, (uint32_t)i + 1, words, &changed);

	claim_on_message(node->claim, (uint32_t)i + 1, changed, words, count);
}

/* FETCH is answered as things stand when the command runs; here, a little
 * later: no worse, as it is what the server knows. */
static void
answer_claim(struct world *w, struct node *node)
{
	struct command *c = &node->command;

	if (w->by_log && c->verb == VERB_FETCH && c->ok) {
		read_log(w, node);
		for (size_t i = 0; i < w->message_count; i++)
			if (w->messages[i].is_there &&
			    imap_seqset_has(&c->uids, (uint32_t)i + 1))
				tell_log(node, i);
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

static void
looked(struct world *w, struct node *node)
{
	for (size_t i = 0; i < w->message_count; i++) {
		struct mail *m = &w->messages[i];
		if (!imap_seqset_has(&node->group, (uint32_t)i + 1))
			continue;
		if (m->kind == KIND_MOVE)
			node->ledger[i] = m->is_there ? PLANNED : DONE;
		else if (m->effects == 0)
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

static void
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

static void
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

static void
released(struct world *w, struct node *node)
{
	for (size_t i = 0; i < w->message_count; i++)
		if (imap_seqset_has(&node->group, (uint32_t)i + 1))
			claim_forget(node->claim, (uint32_t)i + 1);
	imap_seqset_done(&node->group);
	node->stage = STAGE_REST;
}

static void
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

static void
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

static usec_t
next_of(const struct world *w, const struct node *node)
{
	usec_t next = node->command.run_at;

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

	return acts ? w->loose : 10;
}

static void
step(struct world *w, struct node *node)
{
	bool runs = node->command.run_at <= w->lab.now;

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
	       (gone && w->messages[i].now.mark &&
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
		if (w->messages[i].effects == 0 && !is_excused(w, i))
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
	w->modseqs = chance(w, 50);
	w->overwrites = !w->modseqs && chance(w, 70);
	w->by_log = w->modseqs && chance(w, 50);
	w->modseq = 10;
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
		left += w.again;
		unknown += w.unknown;
		for (size_t m = 0; m < w.message_count; m++)
			again += w.messages[m].effects > 1;
	}
	printf("%lu seeds: %lu failed; %lu steps, %lu messages, %lu deaths, "
	       "%lu STOREs that should not have won, %lu copied again, %lu "
	       "commands found not to have run, %lu unknown\n",
	    options.count, failed, steps, messages, deaths, doubles, again,
	    left, unknown);
	return failed > 0;
}
