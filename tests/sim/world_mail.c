/*
 * sim/world: the kinds of messages, their rules, and how they come.
 */
#include "tests/sim/world_private.h"

#include <stdio.h>
#include <time.h>

#include "daemon/base/xalloc.h"

#define OLD_MAX 20

static const struct {
	const char *word;
	const char *rule[5]; /* keys and values, "key = value" */
	const char *when;    /* NULL: the subject has the word */
} kinds[KINDS] = {
    [KIND_PLAIN] = {"plain", {NULL}, NULL},
    [KIND_MOVE] = {"tomove", {"move=A", NULL}, NULL},
    [KIND_COPY] = {"tocopy", {"copy=B", NULL}, NULL},
    [KIND_MARK] = {"tomark", {"mark=flagged", NULL}, NULL},
    [KIND_EXEC] = {"toexec", {"exec=/bin/run ${subject}", NULL}},
    [KIND_FORWARD] = {"toforward", {"forward=boss@example.net", NULL}, NULL},
    [KIND_ALL] = {"toall", {"copy=B", "exec=/bin/run ${subject}",
			       "mark=answered", "move=A", NULL}},
    [KIND_CREATE] = {"tocreate", {"move=New", "create=yes", NULL}, NULL},
    [KIND_MISSING] = {"tomissing", {"move=Nowhere", NULL}, NULL},
    [KIND_KEEP] = {"tokeep", {"copy=Nowhere", "move=A", NULL}, NULL},
    /* The text of every message is asked for. */
    [KIND_BODY] = {"toread", {"move=A", NULL}, "body has needle"},
    [KIND_ATTACHED] = {"toattach", {"copy=B", NULL},
	"attachment.name is report.pdf"},
    [KIND_STRANGER] = {"stranger", {"mark=flagged", NULL},
	"new-sender and from has stranger"},
};

const char *
world_kind_word(enum kind kind)
{
	return kinds[kind].word;
}

static void
add_rule(struct rules_builder *builder, enum kind kind, bool old)
{
	struct rule_line lines[8];
	struct rule_place place = {.file = "sim", .line = 1, .column = 1};
	char values[8][100], keys[8][20];
	size_t count = 0;

	if (old)
		snprintf(
		    values[0], sizeof(values[0]), "subject has old%d", kind);
	else if (kinds[kind].when != NULL)
		snprintf(values[0], sizeof(values[0]), "%s", kinds[kind].when);
	else
		snprintf(values[0], sizeof(values[0]), "subject has %s",
		    kinds[kind].word);
	lines[count++] = (struct rule_line){"when", values[0], place};
	for (size_t i = 0; kinds[kind].rule[i] != NULL; i++) {
		const char *equals = strchr(kinds[kind].rule[i], '=');
		snprintf(keys[count], sizeof(keys[count]), "%.*s",
		    (int)(equals - kinds[kind].rule[i]), kinds[kind].rule[i]);
		snprintf(
		    values[count], sizeof(values[count]), "%s", equals + 1);
		lines[count] =
		    (struct rule_line){keys[count], values[count], place};
		count++;
	}
	STR_AUTO id =
	    old ? xasprintf("old%d", kind) : xstrdup(kinds[kind].word);
	rules_builder_add_rule(builder, id, place, lines, count);
}

static struct rules *
finish_rules(struct rules_builder *builder)
{
	struct rule_problems problems = {0};
	struct rules *rules = rules_builder_finish(builder, &problems);

	for (size_t i = 0; i < problems.count; i++)
		fprintf(stderr, "rule: %s\n", problems.items[i].text);
	rule_problems_done(&problems);
	rules_builder_free(&builder);
	return rules;
}

struct rules *
world_make_rules(void)
{
	struct rules_builder *builder = rules_builder_new();

	for (enum kind kind = 0; kind < KINDS; kind++)
		if (kinds[kind].rule[0] != NULL)
			add_rule(builder, kind, false);
	for (enum kind kind = 0; kind < OLD_KINDS; kind++)
		if (kinds[kind].rule[0] != NULL)
			add_rule(builder, kind, true);
	return finish_rules(builder);
}

static void
add_idle_rule(struct rules_builder *builder, const char *id, const char *when)
{
	const struct rule_place place = {.file = "sim", .line = 1, .column = 1};
	const struct rule_line lines[] = {
	    {"when", when, place}, {"move", "A", place}};

	rules_builder_add_rule(builder, id, place, lines, 2);
}

struct rules *
world_make_other_rules(void)
{
	struct rules_builder *builder = rules_builder_new();

	add_idle_rule(builder, "none", "header(X-Nobody) has this");
	for (enum kind kind = OLD_KINDS; kind-- > 0;)
		if (kinds[kind].rule[0] != NULL)
			add_rule(builder, kind, true);
	for (enum kind kind = KINDS; kind-- > 0;)
		if (kinds[kind].rule[0] != NULL)
			add_rule(builder, kind, false);
	add_idle_rule(builder, "nobody", "cc has nobody@example.net");
	return finish_rules(builder);
}

void
world_add_old_rules(struct buf *rules)
{
	for (int kind = 0; kind < OLD_KINDS; kind++)
		if (kinds[kind].rule[0] != NULL)
			buf_addf(rules, "old%d ", kind);
}

/* Folders as they are on the wire. */
const char *
world_wire(const struct world *w, const char *name)
{
	return model_wire(&w->model, name);
}

/* Where the message came to. */
const char *
world_source_of(const struct world *w, unsigned id)
{
	return w->messages[id].old && w->visits ? world_wire(w, OLD_MAILBOX)
						: "INBOX";
}

void
world_deliver_old(struct world *w)
{
	unsigned count = 1 + (unsigned)random_below(&w->random, OLD_MAX);

	for (unsigned id = 0; id < count; id++) {
		struct sent_message *message = &w->messages[id];
		BUF_AUTO text = BUF_INIT;
		message->old = true;
		message->kind = (enum kind)random_below(&w->random, OLD_KINDS);
		buf_addf(&text,
		    "From: o%u@example.org\r\nSubject: old%d #%u\r\n"
		    "Message-ID: <o%u@example.org>\r\n\r\nBody\r\n",
		    id, message->kind, id, id);
		message->uid = model_deliver(
		    &w->model, world_source_of(w, id), id, buf_str(&text));
		message->uidvalidity =
		    model_find(&w->model, world_source_of(w, id))->uidvalidity;
	}
	w->message_count = count;
}

static void
add_body(struct buf *text, enum kind kind, unsigned id)
{
	if (kind == KIND_ATTACHED)
		buf_add_str(text, "\r\n" MODEL_BOUNDARY "\r\n");
	buf_addf(text, "\r\nBody %u%s\r\n", id,
	    kind == KIND_BODY ? " with a needle in it" : "");
	if (kind == KIND_ATTACHED)
		buf_add_str(text, MODEL_BOUNDARY
		    "\r\nContent-Type: "
		    "application/pdf\r\n\r\nAAAA\r\n" MODEL_BOUNDARY "--\r\n");
}

static uint32_t
known_validity(const struct world *w)
{
	struct store_cursor cursor = {0};
	bool found = false;

	store_get_cursor(w->store, "sim", "INBOX", &cursor, &found, NULL);
	return cursor.uidvalidity;
}

/* By the clock of the world, which is not the daemon's when that is wrong. */
static void
add_date(struct world *w, struct buf *text)
{
	time_t now = w->model.unix_now = world_true_unix(w);
	char date[60];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(
	    date, sizeof(date), "Date: %a, %d %b %Y %H:%M:%S +0000\r\n", &tm);
	buf_add_str(text, date);
}

static void
write_message(struct world *w, struct sent_message *message, unsigned id,
    struct buf *text)
{
	if (message->kind == KIND_STRANGER) {
		message->stranger = (unsigned)random_below(&w->random, 3);
		buf_addf(text, "From: stranger%u@example.org\r\n",
		    message->stranger);
	} else {
		buf_addf(
		    text, "From: \"Sender %u\" <s%u@example.org>\r\n", id, id);
	}
	buf_addf(text, "To: ann@example.com\r\nSubject: %s #%u\r\n",
	    kinds[message->kind].word, id);
	add_date(w, text);
	if (!world_chance(w, 15)) /* some have none */
		buf_addf(text, "Message-ID: <m%u@example.org>\r\n", id);
	add_body(text, message->kind, id);
}

static void
push(struct world *w)
{
	for (size_t i = 0; i < ACCOUNT_MAILBOXES_MAX; i++) {
		if (w->links[i].session == NULL)
			continue;
		model_session_poll(w->links[i].session);
		world_collect(w, &w->links[i]);
	}
}

void
world_deliver_kind(struct world *w, enum kind kind)
{
	unsigned id = w->message_count, all = w->weather->messages;
	BUF_AUTO text = BUF_INIT;

	if (id >= (w->faulty ? all - MESSAGES_LAST : all))
		return;
	struct sent_message *message = &w->messages[w->message_count++];
	message->kind = kind;
	write_message(w, message, id, &text);
	message->uid = model_deliver(&w->model, "INBOX", id, buf_str(&text));
	message->uidvalidity = model_find(&w->model, "INBOX")->uidvalidity;
	/* Before the daemon has seen that all is new there. */
	message->touched = message->uidvalidity != known_validity(w);
	world_note(w, "delivered %s #%u as UID %u", kinds[message->kind].word,
	    id, message->uid);
	push(w);
}

void
world_deliver(struct world *w)
{
	enum kind kind = (enum kind)random_below(&w->random, KINDS);

	if (w->weather->is_bulk && !world_chance(w, 1))
		kind = KIND_PLAIN;
	world_deliver_kind(w, kind);
}

void
world_deliver_late(struct world *w, uint32_t uid)
{
	unsigned id = w->message_count++;
	struct sent_message *message = &w->messages[id];
	BUF_AUTO text = BUF_INIT;

	message->kind = KIND_MOVE;
	write_message(w, message, id, &text);
	message->uid = uid;
	message->uidvalidity = model_find(&w->model, "INBOX")->uidvalidity;
	model_deliver_late(&w->model, "INBOX", uid, id, buf_str(&text));
	world_note(w, "#%u comes late, as UID %u", id, uid);
}
