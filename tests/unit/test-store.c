/*
 * test-store: one contract, two stores.
 *
 * A case is a script: operations, "commit", and questions whose answers are
 * compared with what is expected. Every case runs against the memory and
 * against SQLite; a box is written account/mailbox/uidvalidity.
 *
 *	cursor BOX NEXT MODSEQ		message BOX UID JUDGED RULES
 *	again BOX UID JUDGED RULES	apply BOX RUN STATE NEXT END RULES
 *	effect BOX UID SEQ STATE	set BOX UID SEQ STATE TRIES TIME WORDS
 *	enqueue KEY BOX UID SEQ ACCOUNT TRY BYTES
 *	queue ID STATE TRIES TRY TIME WORDS
 *	hit RULE TIME			fact ACCOUNT NAME VALUE
 *	stat RULE OBSERVED LIMITED TIME	time RULE MESSAGES NANOSECONDS TIME
 *	forget RULE			sender ACCOUNT TIME ADDRESS
 *	commit				prune TIME
 *	nofact ACCOUNT NAME
 *	?cursor BOX  ?open BOX  ?history ACCOUNT MAILBOX RULE SINCE LIMIT
 *	    [UNTIL [STATE | observed | - [SKIP]]]
 *	?next ACCOUNT  ?queued ACCOUNT  ?hits SINCE  ?fact ACCOUNT NAME
 *	?stats  ?senders ACCOUNT  ?applies ACCOUNT  ?counts BOX RUN
 *	nomailbox BOX  noaccount ACCOUNT  ?cursors ACCOUNT  ?accounts
 *	?needed ACCOUNT[/MAILBOX]  ?message BOX UID
 *	?judged BOX UID  ?notified BOX UID SINCE
 *
 * "-" is "any"; TIMEs are seconds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/xalloc.h"
#include "daemon/store/store.h"

#define WORD 64

struct box {
	char account[WORD], mailbox[WORD];
	uint32_t uidvalidity;
};

struct player {
	struct store *store;
	struct store_batch *batch;
	struct buf answers;
	unsigned uids; /* told by the question under way */
};

static struct store_key
key_of(const struct box *box, uint32_t uid)
{
	return (struct store_key){
	    .account = box->account,
	    .mailbox = box->mailbox,
	    .uidvalidity = box->uidvalidity,
	    .uid = uid,
	};
}

#define BOX "%63[^/]/%63[^/]/%u"
#define BOX_R(box) (box).account, (box).mailbox, &(box).uidvalidity

/* A script is ours: a line that is not understood is a bug of the test. */
static void
expect_words(const char *line, int count, int wanted)
{
	if (count < wanted)
		fail_msg("script: %s", line);
}

static enum effect_state
effect_state_of(const char *name)
{
	enum effect_state state = EFFECT_STATES;

	assert_true(effect_state_parse(span_from_str(name), &state));
	return state;
}

/* ---- operations ---- */

static void
play_cursor(struct player *player, const char *line)
{
	struct box box;
	struct store_cursor cursor = {0};
	unsigned long long modseq;
	char judged[WORD] = "";

	expect_words(line,
	    sscanf(line, "cursor " BOX " %u %llu %63s", BOX_R(box),
		&cursor.next_uid, &modseq, judged),
	    5);
	cursor.judged = judged[0] != '\0' ? judged : NULL;
	cursor.account = box.account;
	cursor.mailbox = box.mailbox;
	cursor.uidvalidity = box.uidvalidity;
	cursor.modseq = modseq;
	store_batch_set_cursor(player->batch, &cursor);
}

static void
play_message(struct player *player, const char *line)
{
	struct box box;
	char rules[WORD] = "";
	unsigned uid;
	long long judged;

	expect_words(line,
	    sscanf(line, "message " BOX " %u %lld %63[^\n]", BOX_R(box), &uid,
		&judged, rules),
	    5);
	const struct store_message message = {
	    .key = key_of(&box, uid),
	    .message_id = "<1@x>",
	    .from = "Ann",
	    .subject = rules,
	    .size = UINT64_MAX,
	    .received_unix = -judged,
	    .judged_unix = judged,
	    .rules = rules,
	    .observed = "watched",
	    .warnings = NULL,
	};
	store_batch_add_message(player->batch, &message);
}

static void
play_again(struct player *player, const char *line)
{
	struct box box;
	char rules[WORD] = "";
	unsigned uid;
	long long judged;

	expect_words(line,
	    sscanf(line, "again " BOX " %u %lld %63[^\n]", BOX_R(box), &uid,
		&judged, rules),
	    5);
	const struct store_message message = {
	    .key = key_of(&box, uid),
	    .message_id = "<1@x>",
	    .from = "Ann",
	    .subject = rules,
	    .size = UINT64_MAX,
	    .received_unix = -judged,
	    .judged_unix = judged,
	    .rules = rules,
	    .observed = "watched",
	};
	store_batch_judge_again(player->batch, &message);
}

static void
play_apply(struct player *player, const char *line)
{
	struct box box;
	struct store_apply apply = {0};
	char state[WORD], rules[WORD] = "";

	expect_words(line,
	    sscanf(line, "apply " BOX " %u %63s %u %u %63[^\n]", BOX_R(box),
		&apply.run, state, &apply.next_uid, &apply.end_uid, rules),
	    7);
	assert_true(apply_state_parse(span_from_str(state), &apply.state));
	apply.account = box.account;
	apply.mailbox = box.mailbox;
	apply.uidvalidity = box.uidvalidity;
	apply.rules = rules;
	apply.first_uid = UINT32_MAX;
	apply.since_unix = -1;
	apply.until_unix = INT64_MAX;
	apply.notify = 1;
	apply.total = apply.looked = 3;
	apply.matched = 2;
	apply.observed = apply.busy = apply.left_out = 1;
	apply.left_uids = "17";
	apply.started_unix = apply.changed_unix = 5;
	store_batch_set_apply(player->batch, &apply);
}

static void
play_effect(struct player *player, const char *line)
{
	struct box box;
	char state[WORD], kind[WORD] = "move";
	unsigned uid, seq;
	int words = sscanf(line, "effect " BOX " %u %u %63s %63s", BOX_R(box),
	    &uid, &seq, state, kind);

	expect_words(line, words == 7 ? 6 : words, 6);
	const struct store_effect effect = {
	    .key = key_of(&box, uid),
	    .seq = seq,
	    .rule = "lists",
	    .kind = kind,
	    .action = "move \"Lists\"",
	    .state = effect_state_of(state),
	    .attempts = 1,
	    .detail = "as planned",
	    .changed_unix = 10,
	};
	store_batch_add_effect(player->batch, &effect);
}

static void
play_set(struct player *player, const char *line)
{
	struct box box;
	char state[WORD], words[WORD] = "";
	unsigned uid, seq, attempts;
	long long changed;

	expect_words(line,
	    sscanf(line, "set " BOX " %u %u %63s %u %lld %63[^\n]", BOX_R(box),
		&uid, &seq, state, &attempts, &changed, words),
	    8);
	const struct store_key key = key_of(&box, uid);

	store_batch_set_effect(player->batch, &key, seq, effect_state_of(state),
	    attempts, words, changed);
}

static void
play_enqueue(struct player *player, const char *line)
{
	struct box box;
	char key[WORD], account[WORD], bytes[WORD] = "";
	unsigned uid, seq;
	long long next;

	expect_words(line,
	    sscanf(line, "enqueue %63s " BOX " %u %u %63s %lld %63[^\n]", key,
		BOX_R(box), &uid, &seq, account, &next, bytes),
	    8);
	const struct store_queue_item item = {
	    .key = key,
	    .source = key_of(&box, uid),
	    .seq = seq,
	    .account = account,
	    .rule = "boss",
	    .target = "ann@example.org",
	    .mode = "attach",
	    .unknown = "resend",
	    .message_id = "<2@x>",
	    .subject = "hello",
	    .queued_unix = 20,
	    .original = span_from_str(bytes),
	    .state = QUEUE_WAITING,
	    .next_try_unix = next,
	    .reply = "",
	};
	store_batch_enqueue(player->batch, &item);
}

static void
play_queue(struct player *player, const char *line)
{
	char name[WORD], words[WORD] = "";
	enum queue_state state = QUEUE_STATES;
	unsigned attempts;
	long long id, next, now;

	expect_words(line,
	    sscanf(line, "queue %lld %63s %u %lld %lld %63[^\n]", &id, name,
		&attempts, &next, &now, words),
	    5);
	assert_true(queue_state_parse(span_from_str(name), &state));
	store_batch_set_queue(
	    player->batch, id, state, attempts, next, words, now);
}

static void
play_hit(struct player *player, const char *line)
{
	char rule[WORD];
	long long when;

	expect_words(line, sscanf(line, "hit %63s %lld", rule, &when), 2);
	store_batch_add_hit(player->batch, rule, when);
}

static void
play_nofact(struct player *player, const char *line)
{
	char account[WORD], name[WORD];

	expect_words(line, sscanf(line, "nofact %63s %63s", account, name), 2);
	store_batch_forget_fact(player->batch, account, name);
}

static void
play_fact(struct player *player, const char *line)
{
	char account[WORD], name[WORD], value[WORD] = "";

	expect_words(line,
	    sscanf(line, "fact %63s %63s %63[^\n]", account, name, value), 2);
	store_batch_set_fact(player->batch, account, name, value);
}

static void
play_stat(struct player *player, const char *line)
{
	char rule[WORD];
	unsigned observed, limited;
	long long when;

	expect_words(line,
	    sscanf(
		line, "stat %63s %u %u %lld", rule, &observed, &limited, &when),
	    4);
	const struct store_rule_stat stat = {
	    .rule = rule,
	    .observed = observed,
	    .limited = limited,
	    .since_unix = when,
	};
	store_batch_add_rule_stat(player->batch, &stat);
}

static void
play_time(struct player *player, const char *line)
{
	char rule[WORD];
	unsigned long long messages, nanoseconds;
	long long when;

	expect_words(line,
	    sscanf(line, "time %63s %llu %llu %lld", rule, &messages,
		&nanoseconds, &when),
	    4);
	store_batch_add_rule_time(
	    player->batch, rule, messages, nanoseconds, when);
}

static void
play_forget(struct player *player, const char *line)
{
	char rule[WORD];

	expect_words(line, sscanf(line, "forget %63s", rule), 1);
	store_batch_forget_rule(player->batch, rule);
}

static void
play_sender(struct player *player, const char *line)
{
	char account[WORD], address[WORD] = "";
	long long when;

	expect_words(line,
	    sscanf(line, "sender %63s %lld %63s", account, &when, address), 2);
	store_batch_add_sender(player->batch, account, address, when);
}

static bool
commit(struct player *player, struct error *error)
{
	bool ok = store_commit(player->store, player->batch, error);

	store_batch_free(&player->batch);
	player->batch = store_batch_new();
	return ok;
}

static void
play_nomailbox(struct player *player, const char *line)
{
	struct box box;

	expect_words(line, sscanf(line, "nomailbox " BOX, BOX_R(box)), 3);
	store_batch_forget_mailbox(player->batch, box.account, box.mailbox);
}

static void
play_noaccount(struct player *player, const char *line)
{
	char account[WORD];

	expect_words(line, sscanf(line, "noaccount %63s", account), 1);
	store_batch_forget_account(player->batch, account);
}

static void
play_commit(struct player *player, const char *line)
{
	struct error error = ERROR_INIT;

	(void)line;
	if (!commit(player, &error))
		buf_addf(&player->answers, "failed: %s\n", error.text);
}

static void
play_prune(struct player *player, const char *line)
{
	struct error error = ERROR_INIT;
	long long before;

	expect_words(line, sscanf(line, "prune %lld", &before), 1);
	if (!store_prune(player->store, before, &error))
		fail_msg("prune: %s", error.text);
}

/* ---- questions ---- */

static void
ask_cursor(struct player *player, const char *line)
{
	struct store_cursor cursor;
	struct box box;
	bool found;

	expect_words(line, sscanf(line, "?cursor " BOX, BOX_R(box)), 2);
	assert_true(store_get_cursor(
	    player->store, box.account, box.mailbox, &cursor, &found, NULL));
	if (!found) {
		buf_addf(&player->answers, "no cursor\n");
		return;
	}
	assert_ptr_equal(cursor.account, box.account);
	assert_ptr_equal(cursor.mailbox, box.mailbox);
	buf_addf(&player->answers, "%s/%s/%u next %u modseq %llu%s%s\n",
	    cursor.account, cursor.mailbox, cursor.uidvalidity, cursor.next_uid,
	    (unsigned long long)cursor.modseq,
	    cursor.judged[0] != '\0' ? " and " : "", cursor.judged);
}

static bool
say_cursor(void *ctx, const struct store_cursor *cursor)
{
	struct player *player = ctx;

	buf_addf(&player->answers, "%s/%s/%u next %u\n", cursor->account,
	    cursor->mailbox, cursor->uidvalidity, cursor->next_uid);
	return true;
}

static void
ask_cursors(struct player *player, const char *line)
{
	char account[WORD];

	expect_words(line, sscanf(line, "?cursors %63s", account), 1);
	assert_true(store_each_cursor(
	    player->store, account, say_cursor, player, NULL));
}

/* Every account, one after the other. */
static void
ask_accounts(struct player *player, const char *line)
{
	char *after = xstrdup(""), *next;

	(void)line;
	for (;;) {
		assert_true(
		    store_next_account(player->store, after, &next, NULL));
		free(after);
		if (next == NULL)
			break;
		buf_addf(&player->answers, "%s;", next);
		after = next;
	}
	buf_add_char(&player->answers, '\n');
}

static void
ask_needed(struct player *player, const char *line)
{
	char account[WORD], mailbox[WORD];
	int count = sscanf(line, "?needed %63[^/]/%63s", account, mailbox);
	bool is;

	expect_words(line, count, 1);
	assert_true(store_is_needed(player->store, account,
	    count == 2 ? mailbox : NULL, &is, NULL));
	buf_addf(&player->answers, "%s\n", is ? "needed" : "not needed");
}

static void
say_effect(struct player *player, const struct store_effect *effect)
{
	assert_string_equal(effect->rule, "lists");
	assert_string_equal(effect->kind, "move");
	assert_string_equal(effect->action, "move \"Lists\"");
	buf_addf(&player->answers, "%u#%u %s %u@%lld %s\n", effect->key.uid,
	    effect->seq, effect_state_name(effect->state), effect->attempts,
	    (long long)effect->changed_unix, effect->detail);
}

static bool
say_open_effect(void *ctx, const struct store_effect *effect,
    const struct store_message *message)
{
	struct player *player = ctx;

	assert_string_equal(message->key.account, effect->key.account);
	assert_string_equal(message->key.mailbox, effect->key.mailbox);
	assert_int_equal(message->key.uidvalidity, effect->key.uidvalidity);
	assert_int_equal(message->key.uid, effect->key.uid);
	assert_string_equal(message->warnings, "");
	buf_addf(&player->answers, "[%s%s] ", message->from, message->rules);
	say_effect(player, effect);
	return true;
}

static void
ask_open(struct player *player, const char *line)
{
	struct box box;

	expect_words(line, sscanf(line, "?open " BOX, BOX_R(box)), 2);
	assert_true(store_each_open_effect(player->store, box.account,
	    box.mailbox, say_open_effect, player, NULL));
}

static bool
say_open_mailbox(void *ctx, const char *mailbox, uint64_t count)
{
	struct player *player = ctx;

	buf_addf(&player->answers, "%s %u\n", mailbox, (unsigned)count);
	return count < 9;
}

/* False after the first three. */
static bool
say_uid(void *ctx, uint32_t uid)
{
	struct player *player = ctx;

	buf_addf(&player->answers, "%u\n", uid);
	return ++player->uids < 3;
}

static void
ask_judged(struct player *player, const char *line)
{
	struct box box;
	unsigned uid;

	expect_words(
	    line, sscanf(line, "?judged " BOX " %u", BOX_R(box), &uid), 4);
	const struct store_key from = key_of(&box, uid);
	player->uids = 0;
	assert_true(
	    store_each_judged(player->store, &from, say_uid, player, NULL));
}

static void
ask_notified(struct player *player, const char *line)
{
	struct box box;
	unsigned uid;
	long long since;

	expect_words(line,
	    sscanf(line, "?notified " BOX " %u %lld", BOX_R(box), &uid, &since),
	    5);
	const struct store_key from = key_of(&box, uid);
	player->uids = 0;
	assert_true(store_each_notified(
	    player->store, &from, since, say_uid, player, NULL));
}

static void
ask_mailboxes(struct player *player, const char *line)
{
	char account[WORD];

	expect_words(line, sscanf(line, "?mailboxes %63s", account), 1);
	assert_true(store_each_open_mailbox(
	    player->store, account, say_open_mailbox, player, NULL));
}

static bool
say_message(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	struct player *player = ctx;

	assert_string_equal(message->message_id, "<1@x>");
	assert_string_equal(message->from, "Ann");
	assert_true(message->size == UINT64_MAX);
	assert_string_equal(message->warnings, "");
	buf_addf(&player->answers, "%s/%s/%u/%u @%lld %s", message->key.account,
	    message->key.mailbox, message->key.uidvalidity, message->key.uid,
	    (long long)message->judged_unix, message->rules);
	/* What was judged again keeps what it is. */
	if (message->received_unix != -message->judged_unix)
		buf_addf(&player->answers, " was %s", message->subject);
	else
		assert_string_equal(message->subject, message->rules);
	buf_add_char(&player->answers, '\n');
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(
		    effects[i].key.account, message->key.account);
		buf_add_str(&player->answers, "  ");
		say_effect(player, &effects[i]);
	}
	return true;
}

static const char *
or_any(const char *word)
{
	return strcmp(word, "-") == 0 ? NULL : word;
}

static void
ask_history(struct player *player, const char *line)
{
	char account[WORD], mailbox[WORD], rule[WORD], outcome[WORD] = "";
	unsigned limit;
	long long since, until = 0;
	enum effect_state state;
	unsigned skip = 0;
	int count = sscanf(line, "?history %63s %63s %63s %lld %u %lld %63s %u",
	    account, mailbox, rule, &since, &limit, &until, outcome, &skip);

	expect_words(line, count < 5 ? count : 5, 5);
	const bool has_state =
	    effect_state_parse(span_from_str(outcome), &state);
	const struct store_history_query query = {
	    .until_unix = until,
	    .skip = skip,
	    .states = has_state ? 1U << state : 0,
	    .is_observed = strcmp(outcome, "observed") == 0,
	    .account = or_any(account),
	    .mailbox = or_any(mailbox),
	    .rule = or_any(rule),
	    .since_unix = since,
	    .limit = limit,
	};
	assert_true(store_each_history(
	    player->store, &query, say_message, player, NULL));
}

static void
ask_message(struct player *player, const char *line)
{
	struct box box;
	unsigned uid;

	expect_words(
	    line, sscanf(line, "?message " BOX " %u", BOX_R(box), &uid), 4);
	const struct store_key key = key_of(&box, uid);
	assert_true(store_find_message(
	    player->store, &key, say_message, player, NULL));
}

static bool
say_item(void *ctx, const struct store_queue_item *item)
{
	struct player *player = ctx;

	assert_string_equal(item->rule, "boss");
	assert_string_equal(item->target, "ann@example.org");
	assert_string_equal(item->mode, "attach");
	assert_string_equal(item->unknown, "resend");
	assert_string_equal(item->message_id, "<2@x>");
	assert_string_equal(item->subject, "hello");
	assert_int_equal(item->queued_unix, 20);
	buf_addf(&player->answers, "%lld %s %s/%s/%u/%u#%u %s %s %u@%lld",
	    (long long)item->id, item->key, item->source.account,
	    item->source.mailbox, item->source.uidvalidity, item->source.uid,
	    item->seq, item->account, queue_state_name(item->state),
	    item->attempts, (long long)item->next_try_unix);
	if (item->reply[0] != '\0')
		buf_addf(&player->answers, " \"%s\"", item->reply);
	if (item->original.len > 0)
		buf_addf(&player->answers, " <%.*s>", SPAN_FMT(item->original));
	buf_add_char(&player->answers, '\n');
	return true;
}

static bool
say_apply(void *ctx, const struct store_apply *apply)
{
	struct player *player = ctx;

	assert_int_equal(apply->first_uid, UINT32_MAX);
	assert_true(apply->since_unix == -1);
	assert_true(apply->until_unix == INT64_MAX);
	assert_int_equal(apply->notify, 1);
	assert_true(apply->total == 3 && apply->looked == 3);
	assert_true(apply->matched == 2);
	assert_true(apply->observed == 1 && apply->busy == 1);
	assert_true(apply->left_out == 1);
	assert_string_equal(apply->left_uids, "17");
	assert_true(apply->started_unix == 5 && apply->changed_unix == 5);
	assert_string_equal(apply->detail, "");
	buf_addf(&player->answers, "%s/%s/%u run %u %s %u to %u%s%s\n",
	    apply->account, apply->mailbox, apply->uidvalidity, apply->run,
	    apply_state_name(apply->state), apply->next_uid, apply->end_uid,
	    apply->rules[0] != '\0' ? " " : "", apply->rules);
	return true;
}

static void
ask_applies(struct player *player, const char *line)
{
	char account[WORD];

	expect_words(line, sscanf(line, "?applies %63s", account), 1);
	assert_true(store_each_apply(
	    player->store, or_any(account), say_apply, player, NULL));
}

static bool
say_count(void *ctx, const char *rule, const char *kind,
    enum effect_state state, uint64_t count)
{
	struct player *player = ctx;

	buf_addf(&player->answers, "%s %s %s %llu\n", rule, kind,
	    effect_state_name(state), (unsigned long long)count);
	return true;
}

static void
ask_counts(struct player *player, const char *line)
{
	struct box box;
	struct store_apply apply = {0};

	expect_words(line,
	    sscanf(line, "?counts " BOX " %u", BOX_R(box), &apply.run), 4);
	apply.account = box.account;
	apply.mailbox = box.mailbox;
	apply.uidvalidity = box.uidvalidity;
	assert_true(
	    store_count_apply(player->store, &apply, say_count, player, NULL));
}

static void
ask_next(struct player *player, const char *line)
{
	struct store_queue_item item;
	char account[WORD];
	bool found;

	expect_words(line, sscanf(line, "?next %63s", account), 1);
	assert_true(
	    store_queue_next(player->store, account, &item, &found, NULL));
	if (found)
		say_item(player, &item);
	else
		buf_add_str(&player->answers, "nothing\n");
}

static void
ask_queued(struct player *player, const char *line)
{
	char account[WORD];

	expect_words(line, sscanf(line, "?queued %63s", account), 1);
	assert_true(store_each_queued(
	    player->store, or_any(account), say_item, player, NULL));
}

static bool
say_hit(void *ctx, const char *rule, int64_t when)
{
	struct player *player = ctx;

	buf_addf(&player->answers, "%s@%lld\n", rule, (long long)when);
	return true;
}

static void
ask_hits(struct player *player, const char *line)
{
	long long since;

	expect_words(line, sscanf(line, "?hits %lld", &since), 1);
	assert_true(
	    store_each_hit(player->store, since, say_hit, player, NULL));
}

static void
ask_measure(struct player *player, const char *line)
{
	struct store_queue_size size;

	(void)line;
	assert_true(store_measure_queue(player->store, &size, NULL));
	buf_addf(&player->answers, "%llu of %llu bytes\n",
	    (unsigned long long)size.count, (unsigned long long)size.bytes);
}

static void
ask_fact(struct player *player, const char *line)
{
	char account[WORD], name[WORD], *value;

	expect_words(line, sscanf(line, "?fact %63s %63s", account, name), 2);
	assert_true(store_get_fact(player->store, account, name, &value, NULL));
	buf_addf(&player->answers, "%s\n", value != NULL ? value : "no fact");
	free(value);
}

static bool
say_stat(void *ctx, const struct store_rule_stat *stat)
{
	struct player *player = ctx;

	buf_addf(&player->answers,
	    "%s hits %llu@%lld observed %llu limited %llu time %llu/%llu"
	    " since %lld\n",
	    stat->rule, (unsigned long long)stat->hits,
	    (long long)stat->last_hit_unix, (unsigned long long)stat->observed,
	    (unsigned long long)stat->limited,
	    (unsigned long long)stat->nanoseconds,
	    (unsigned long long)stat->judged, (long long)stat->since_unix);
	return true;
}

static void
ask_stats(struct player *player, const char *line)
{
	(void)line;
	assert_true(
	    store_each_rule_stat(player->store, say_stat, player, NULL));
}

static bool
say_sender(void *ctx, const char *address, int64_t last)
{
	struct player *player = ctx;

	buf_addf(&player->answers, "%s@%lld\n", address, (long long)last);
	return true;
}

static void
ask_senders(struct player *player, const char *line)
{
	char account[WORD];

	expect_words(line, sscanf(line, "?senders %63s", account), 1);
	assert_true(store_each_sender(
	    player->store, account, say_sender, player, NULL));
}

static const struct {
	const char *word;
	void (*play)(struct player *player, const char *line);
} words[] = {
    {"cursor", play_cursor},
    {"message", play_message},
    {"again", play_again},
    {"apply", play_apply},
    {"effect", play_effect},
    {"set", play_set},
    {"enqueue", play_enqueue},
    {"queue", play_queue},
    {"hit", play_hit},
    {"fact", play_fact},
    {"nofact", play_nofact},
    {"stat", play_stat},
    {"time", play_time},
    {"forget", play_forget},
    {"sender", play_sender},
    {"nomailbox", play_nomailbox},
    {"noaccount", play_noaccount},
    {"commit", play_commit},
    {"prune", play_prune},
    {"?cursor", ask_cursor},
    {"?cursors", ask_cursors},
    {"?accounts", ask_accounts},
    {"?needed", ask_needed},
    {"?message", ask_message},
    {"?open", ask_open},
    {"?mailboxes", ask_mailboxes},
    {"?applies", ask_applies},
    {"?counts", ask_counts},
    {"?history", ask_history},
    {"?judged", ask_judged},
    {"?notified", ask_notified},
    {"?next", ask_next},
    {"?queued", ask_queued},
    {"?hits", ask_hits},
    {"?fact", ask_fact},
    {"?measure", ask_measure},
    {"?stats", ask_stats},
    {"?senders", ask_senders},
};

static void
play_line(struct player *player, struct span line)
{
	STR_AUTO text = xstrdup_span(line);
	struct span word = span_slice(line, 0, span_find(line, ' '));

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (span_is(word, words[i].word)) {
			words[i].play(player, text);
			return;
		}
	}
	fail_msg("script: %s", text);
}

static void
play(struct player *player, const char *script)
{
	struct span rest = span_from_str(script), line;

	while (span_split(&rest, '\n', &line)) {
		if (line.len > 0)
			play_line(player, line);
	}
}

/* ---- the two stores ---- */

static char *directory;
static bool is_sqlite;

/* In memory, if there is such a folder: what is tested is the contract, and
 * a disk needs long for thousands of commits. */
static bool
make_directory(void)
{
	const char *parent =
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	directory = xasprintf("%s/belfry-store-XXXXXX", parent);
	return mkdtemp(directory) != NULL;
}

static void
open_store(struct player *player)
{
	struct error error = ERROR_INIT;

	player->store = is_sqlite ? store_open_sqlite(directory, &error)
				  : store_open_memory();
	if (player->store == NULL)
		fail_msg("open: %s", error.text);
}

static void
remove_files(void)
{
	static const char *const names[] = {
	    "state.db", "state.db-wal", "state.db-shm", "lock"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		STR_AUTO path = xasprintf("%s/%s", directory, names[i]);
		unlink(path);
	}
}

static void
player_init(struct player *player)
{
	*player = (struct player){.batch = store_batch_new()};
	open_store(player);
}

static void
player_done(struct player *player)
{
	store_close(&player->store);
	assert_null(player->store);
	store_batch_free(&player->batch);
	buf_done(&player->answers);
	if (is_sqlite)
		remove_files();
}

/* What SQLite wrote is there after a restart; the memory just goes on. */
static void
reopen(struct player *player)
{
	if (!is_sqlite)
		return;
	store_close(&player->store);
	open_store(player);
}

/* ---- cases ---- */

struct contract_case {
	const char *name, *script, *expected;
};

static const struct contract_case cases[] = {
#include "tests/unit/store-cases.h"
};

/* With `again`, the store is closed and opened behind every commit. */
static bool
run_case(const struct contract_case *c, bool again)
{
	struct player player;
	struct span rest = span_from_str(c->script), line;
	bool ok;

	player_init(&player);
	while (span_split(&rest, '\n', &line)) {
		if (line.len == 0)
			continue;
		play_line(&player, line);
		if (again && span_is(line, "commit"))
			reopen(&player);
	}
	ok = strcmp(buf_str(&player.answers), c->expected) == 0;
	if (!ok)
		print_error("%s, %s%s:\nexpected:\n%sgot:\n%s", c->name,
		    is_sqlite ? "sqlite" : "memory", again ? ", reopened" : "",
		    c->expected, buf_str(&player.answers));
	player_done(&player);
	return ok;
}

static void
test_contract(void **state)
{
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		failures += !run_case(&cases[i], false);
		failures += is_sqlite && !run_case(&cases[i], true);
	}
	if (failures > 0)
		fail_msg("%u cases failed", failures);
}

/* ---- a commit fails ---- */

/* A day: every batch changes something that every other kind of question
 * sees. `asked` are all the questions. */
static const char *const day[] = {
    "cursor work/INBOX/7 100 5\n",
    "cursor work/INBOX/7 101 5\nmessage work/INBOX/7 100 50 lists\n"
    "effect work/INBOX/7 100 0 planned\n",
    "set work/INBOX/7 100 0 done 1 51 moved\nhit lists 51\n",
    "cursor work/INBOX/7 102 6 104:105,107\nmessage work/INBOX/7 101 60 boss\n"
    "effect work/INBOX/7 101 0 planned\neffect work/INBOX/7 101 1 planned\n",
    "set work/INBOX/7 101 0 started 1 61 queued\n"
    "enqueue k1 work/INBOX/7 101 0 work 61 bytes\n",
    "set work/INBOX/7 101 1 failed 3 62 refused\nfact work idle 29m\n",
    "queue 1 sending 1 61 63\n",
    "queue 1 sent 1 61 64 250 ok\nhit boss 64\n",
    "cursor work/INBOX/7 103 7\nmessage work/INBOX/7 102 70 boss\n"
    "effect work/INBOX/7 102 0 planned\n",
    "set work/INBOX/7 102 0 started 1 71 queued\n"
    "enqueue k1 work/INBOX/7 102 0 work 71 bytes\n",
    "fact work idle 9m\n",
    "sender work 75 ann@example.org\n",
    "time lists 3 900 76\nstat boss 1 1 76\n",
    "forget boss\n",
    "cursor work/INBOX/8 1 0\nmessage work/INBOX/8 1 80 lists\n",
};
#define DAY_COMMITS (sizeof(day) / sizeof(day[0]))

static char *
ask_all(struct player *player)
{
	BUF_AUTO answers = BUF_INIT;

	buf_clear(&player->answers);
	play(player,
	    "?cursor work/INBOX/0\n?open work/INBOX/0\n?history - - - 0 0\n"
	    "?next work\n?queued -\n?hits 0\n?fact work idle\n"
	    "?stats\n?senders work\n");
	buf_add_span(&answers, buf_span(&player->answers));
	return buf_take_str(&answers);
}

/* Commits the n-th batch, which must change something. */
static void
commit_batch(struct player *player, size_t n)
{
	STR_AUTO before = ask_all(player);
	struct error error = ERROR_INIT;

	play(player, day[n]);
	if (!commit(player, &error))
		fail_msg("commit %zu: %s", n, error.text);
	STR_AUTO after = ask_all(player);
	assert_string_not_equal(before, after);
}

static void
commit_nothing(struct player *player, size_t n)
{
	STR_AUTO before = ask_all(player);
	struct error error = ERROR_INIT;

	play(player, day[n]);
	assert_false(commit(player, &error));
	assert_int_equal(error.fault, FAULT_LOCAL);
	assert_string_not_equal(error.text, "");
	STR_AUTO after = ask_all(player);
	assert_string_equal(before, after);
	reopen(player);
	STR_AUTO later = ask_all(player);
	assert_string_equal(before, later);
}

static void
test_fault_sweep(void **state)
{
	STR_AUTO whole = NULL;

	(void)state;
	for (size_t bad = DAY_COMMITS + 1; bad-- > 0;) {
		struct player player;

		player_init(&player);
		store_fail_commit(player.store, (unsigned)bad + 1, false);
		for (size_t n = 0; n < DAY_COMMITS; n++) {
			if (n == bad)
				commit_nothing(&player, n);
			commit_batch(&player, n);
		}
		/* The first round fails nowhere. */
		STR_AUTO end = ask_all(&player);
		if (whole == NULL)
			whole = xstrdup(end);
		assert_string_equal(end, whole);
		player_done(&player);
	}
}

static void
test_fails_for_ever(void **state)
{
	struct player player;

	(void)state;
	player_init(&player);
	store_fail_commit(player.store, 2, true);
	play(&player, "hit a 1\ncommit\n");
	for (unsigned i = 0; i < 3; i++) {
		play(&player, "hit b 2\n");
		assert_false(commit(&player, NULL));
	}
	store_fail_commit(player.store, 0, false);
	play(&player, "hit c 3\ncommit\n?hits 0\n");
	assert_string_equal(buf_str(&player.answers), "a@1\nc@3\n");
	player_done(&player);
}

/* ---- texts and bytes ---- */

static bool
keep_subject(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	(void)effects;
	assert_int_equal(count, 0);
	buf_add_str(ctx, message->subject);
	return true;
}

static const struct {
	const char *name;
	const char *unit; /* repeated */
	size_t count;
	size_t expected; /* bytes kept */
} texts[] = {
    {"short", "x", 1, 1},
    {"at the limit", "x", STORE_TEXT_MAX, STORE_TEXT_MAX},
    {"one too long", "x", STORE_TEXT_MAX + 1, STORE_TEXT_MAX},
    {"cut between characters", "\u20ac", 2000, 4095},
    {"malformed grows", "\xff", 10, 30},
    {"malformed grows beyond", "\xff", 4000, 4095},
};

static void
test_texts(void **state)
{
	const struct store_history_query all = {.limit = 1};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		BUF_AUTO text = BUF_INIT, kept = BUF_INIT;
		struct player player;

		for (size_t n = 0; n < texts[i].count; n++)
			buf_add_str(&text, texts[i].unit);
		player_init(&player);
		const struct store_message message = {
		    .key = {.account = "a", .mailbox = "b"},
		    .subject = buf_str(&text),
		};
		store_batch_add_message(player.batch, &message);
		assert_true(commit(&player, NULL));
		assert_true(store_each_history(
		    player.store, &all, keep_subject, &kept, NULL));
		if (kept.len != texts[i].expected)
			fail_msg("%s: %zu bytes", texts[i].name, kept.len);
		player_done(&player);
	}
}

/* NULs, and more than one page of SQLite. */
static void
test_bytes(void **state)
{
	const size_t sizes[] = {0, 1, 5000, 3 * 1024 * 1024};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct player player;
		struct store_queue_item item = {.key = "k", .account = "work"};
		char *bytes = xcalloc(1, sizes[i] + 1);
		bool found;

		for (size_t n = 0; n < sizes[i]; n++)
			bytes[n] = (char)(n % 251);
		player_init(&player);
		item.original = span_from(bytes, sizes[i]);
		store_batch_enqueue(player.batch, &item);
		assert_true(commit(&player, NULL));
		assert_true(store_queue_next(
		    player.store, "work", &item, &found, NULL));
		assert_true(found);
		assert_true(
		    span_equal(item.original, span_from(bytes, sizes[i])));
		free(bytes);
		player_done(&player);
	}
}

/* What was handed out lives until the next such call, not only until the
 * item changes. */
static void
test_next_lives(void **state)
{
	struct player player;
	struct store_queue_item item, other;
	bool found;

	(void)state;
	player_init(&player);
	play(&player, "enqueue k work/INBOX/7 1 0 work 5 bytes\ncommit\n");
	assert_true(
	    store_queue_next(player.store, "work", &item, &found, NULL));
	assert_true(found);
	play(&player, "queue 1 sent 2 0 9 250 thanks\ncommit\nprune 9999999\n"
		      "?queued -\n");
	assert_string_equal(buf_str(&player.answers), "");
	assert_string_equal(item.reply, "");
	assert_true(span_is(item.original, "bytes"));
	assert_true(
	    store_queue_next(player.store, "work", &other, &found, NULL));
	assert_false(found);
	player_done(&player);
}

/* A key forbids a second forward until it is old enough to be pruned. */
static void
test_key_is_kept(void **state)
{
	static const struct {
		long long after_sec;
		bool queued;
	} ages[] = {
	    {STORE_KEY_KEEP_SEC - 1, false},
	    {STORE_KEY_KEEP_SEC + 1, true},
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct player player;
		struct store_queue_item item;
		bool found;

		player_init(&player);
		play(&player, "enqueue k work/INBOX/7 1 0 work 5 bytes\n"
			      "commit\nqueue 1 sent 1 0 1000 250 ok\ncommit\n");
		STR_AUTO later = xasprintf(
		    "prune %lld\nenqueue k work/INBOX/7 2 0 work 5 again\n"
		    "commit\n",
		    1000 + ages[i].after_sec);
		play(&player, later);
		assert_true(store_queue_next(
		    player.store, "work", &item, &found, NULL));
		assert_int_equal(found, ages[i].queued);
		player_done(&player);
	}
}

/* ---- forwards by what they are made of ---- */

static bool
count_item(void *ctx, const struct store_queue_item *item)
{
	assert_int_equal(item->source.uid, 1);
	assert_int_equal(item->original.len, 0);
	++*(unsigned *)ctx;
	return true;
}

static void
check_source(struct player *player, unsigned seq, bool is_there)
{
	const struct store_key key = {"work", "INBOX", 7, 1};
	bool found = !is_there;

	assert_true(store_is_queued(player->store, &key, seq, &found, NULL));
	assert_int_equal(found, is_there);
}

static unsigned
count_forwards(struct player *player, const char *mailbox)
{
	unsigned count = 0;

	assert_true(store_each_forward(
	    player->store, "work", mailbox, count_item, &count, NULL));
	return count;
}

static void
test_forwards_of_a_message(void **state)
{
	struct player player;

	(void)state;
	player_init(&player);
	check_source(&player, 0, false);
	play(&player, "enqueue k work/INBOX/7 1 0 work 5 bytes\n"
		      "enqueue l work/INBOX/7 1 2 work 5 bytes\n"
		      "enqueue m work/Other/7 1 0 work 5 bytes\ncommit\n");
	check_source(&player, 0, true);
	check_source(&player, 1, false);
	check_source(&player, 2, true);
	assert_int_equal(count_forwards(&player, "INBOX"), 2);
	assert_int_equal(count_forwards(&player, "Other"), 1);
	assert_int_equal(count_forwards(&player, "Third"), 0);
	play(&player, "queue 1 failed 1 0 1000 550 no\ncommit\n");
	check_source(&player, 0, true);
	play(&player, "queue 1 dropped 1 0 1000 gone\n"
		      "queue 2 sent 1 0 1000 250 ok\ncommit\n");
	check_source(&player, 0, false);
	check_source(&player, 2, false);
	assert_int_equal(count_forwards(&player, "INBOX"), 0);
	player_done(&player);
}

/* ---- walks end when the reader has enough ---- */

static bool
stop_effect(void *ctx, const struct store_effect *effect,
    const struct store_message *message)
{
	(void)effect;
	(void)message;
	return ++*(unsigned *)ctx < 2;
}

static bool
stop_history(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	(void)message;
	(void)effects;
	(void)count;
	return ++*(unsigned *)ctx < 2;
}

static bool
stop_item(void *ctx, const struct store_queue_item *item)
{
	(void)item;
	return ++*(unsigned *)ctx < 2;
}

static bool
stop_hit(void *ctx, const char *rule, int64_t when)
{
	(void)rule;
	(void)when;
	return ++*(unsigned *)ctx < 2;
}

static bool
stop_stat(void *ctx, const struct store_rule_stat *stat)
{
	(void)stat;
	return ++*(unsigned *)ctx < 2;
}

static bool
stop_sender(void *ctx, const char *address, int64_t last)
{
	(void)address;
	(void)last;
	return ++*(unsigned *)ctx < 2;
}

static void
test_walks_end(void **state)
{
	const struct store_history_query all = {0};
	struct player player;
	unsigned count = 0;

	(void)state;
	player_init(&player);
	for (char uid = '1'; uid <= '4'; uid++) {
		STR_AUTO script = xasprintf(
		    "message w/I/7 %c 1 r\neffect w/I/7 %c 0 planned\n"
		    "enqueue %c w/I/7 %c 0 w 1 b\nhit r%c 1\n"
		    "sender w 1 a%c@x\ncommit\n",
		    uid, uid, uid, uid, uid, uid);
		play(&player, script);
	}
	assert_true(store_each_open_effect(
	    player.store, "w", "I", stop_effect, &count, NULL));
	assert_int_equal(count, 2);
	count = 0;
	assert_true(
	    store_each_history(player.store, &all, stop_history, &count, NULL));
	assert_int_equal(count, 2);
	count = 0;
	assert_true(
	    store_each_queued(player.store, NULL, stop_item, &count, NULL));
	assert_int_equal(count, 2);
	count = 0;
	assert_true(store_each_hit(player.store, 0, stop_hit, &count, NULL));
	assert_int_equal(count, 2);
	count = 0;
	assert_true(
	    store_each_rule_stat(player.store, stop_stat, &count, NULL));
	assert_int_equal(count, 2);
	count = 0;
	assert_true(
	    store_each_sender(player.store, "w", stop_sender, &count, NULL));
	assert_int_equal(count, 2);
	player_done(&player);
}

/* ---- more senders than are kept ---- */

#define SENDERS_TOO_MANY 3

static bool
check_sender(void *ctx, const char *address, int64_t last)
{
	int64_t *told = ctx;
	STR_AUTO expected = xasprintf("%06lld@x", (long long)last);

	assert_string_equal(address, expected);
	assert_true(last == STORE_SENDERS_MAX + SENDERS_TOO_MANY - 1 - *told);
	++*told;
	return true;
}

static bool
count_sender(void *ctx, const char *address, int64_t last)
{
	int64_t *told = ctx;

	(void)address;
	(void)last;
	++*told;
	return true;
}

static void
add_senders(struct player *player, const char *account, int64_t count)
{
	for (int64_t i = 0; i < count; i++) {
		STR_AUTO address = xasprintf("%06lld@x", (long long)i);
		store_batch_add_sender(player->batch, account, address, i);
	}
	assert_true(commit(player, NULL));
}

/* The oldest go, of this account only, and at prune only. */
static void
test_queue_has_room(void **state)
{
	struct store_queue_size size = {
	    .count = STORE_QUEUE_MAX - 1, .bytes = STORE_QUEUE_BYTES_MAX - 5};

	(void)state;
	assert_true(store_queue_has_room(&size, 5));
	assert_false(store_queue_has_room(&size, 6));
	size.count++;
	assert_false(store_queue_has_room(&size, 0));
	size = (struct store_queue_size){.bytes = STORE_QUEUE_BYTES_MAX + 1};
	assert_false(store_queue_has_room(&size, 0));
}

static void
test_senders_max(void **state)
{
	static const int64_t all = STORE_SENDERS_MAX + SENDERS_TOO_MANY;
	struct player player;
	int64_t told = 0;

	(void)state;
	player_init(&player);
	add_senders(&player, "w", all);
	play(&player, "sender v 0 ann@x\nsender x 0 ann@x\ncommit\n");
	assert_true(
	    store_each_sender(player.store, "w", check_sender, &told, NULL));
	assert_int_equal(told, all);
	play(&player, "prune 0\n?senders v\n?senders x\n");
	assert_string_equal(buf_str(&player.answers), "ann@x@0\nann@x@0\n");
	for (unsigned i = 0; i < 2; i++) {
		told = 0;
		assert_true(store_each_sender(
		    player.store, "w", check_sender, &told, NULL));
		assert_int_equal(told, STORE_SENDERS_MAX);
		play(&player, "prune 0\n"); /* again: nothing to do */
	}
	player_done(&player);
}

/* So many senders at a time, and the facts when all are gone. */
static void
test_senders_forgotten(void **state)
{
	struct player player;

	(void)state;
	player_init(&player);
	add_senders(&player, "w", 2 * STORE_FORGET_MAX + 1);
	play(&player, "fact w idle 9m\nsender v 0 ann@x\ncommit\n");
	for (int64_t left = 2 * STORE_FORGET_MAX + 1; left > 0;) {
		int64_t told = 0;
		play(&player, "?fact w idle\nnoaccount w\ncommit\n");
		left = left > STORE_FORGET_MAX ? left - STORE_FORGET_MAX : 0;
		assert_true(store_each_sender(
		    player.store, "w", count_sender, &told, NULL));
		assert_int_equal(told, left);
	}
	play(&player, "?fact w idle\n?accounts\n");
	assert_string_equal(
	    buf_str(&player.answers), "9m\n9m\n9m\nno fact\nv;\n");
	player_done(&player);
}

static bool
count_uid(void *ctx, uint32_t uid)
{
	unsigned *lowest = ctx;

	assert_true(*lowest == 0 || uid == *lowest - 1);
	*lowest = uid;
	return true;
}

/* One more than is looked at: the lowest is left out. */
static void
test_uids_max(void **state)
{
	static const unsigned top = STORE_UIDS_MAX + 1;
	struct player player;
	struct store_key key = {.account = "w", .mailbox = "I"};
	unsigned lowest = 0;

	(void)state;
	player_init(&player);
	for (key.uid = 1; key.uid <= top; key.uid++) {
		const struct store_message message = {.key = key};
		const struct store_effect effect = {
		    .key = key, .kind = "notify", .state = EFFECT_DONE};
		store_batch_add_message(player.batch, &message);
		store_batch_add_effect(player.batch, &effect);
	}
	play(&player, "commit\n");
	key.uid = 1;
	assert_true(
	    store_each_judged(player.store, &key, count_uid, &lowest, NULL));
	assert_int_equal(lowest, 2);
	lowest = 0;
	assert_true(store_each_notified(
	    player.store, &key, 0, count_uid, &lowest, NULL));
	assert_int_equal(lowest, 2);
	player_done(&player);
}

/* ---- batches ---- */

static void
test_batch(void **state)
{
	struct store_batch *batch = store_batch_new(), *none = NULL;
	struct store *no_store = NULL;
	char account[] = "work";
	const struct store_cursor cursor = {
	    .account = account, .mailbox = "INBOX", .next_uid = 9};
	BUF_AUTO described = BUF_INIT;

	(void)state;
	assert_true(store_batch_is_empty(batch));
	store_batch_set_cursor(batch, &cursor);
	account[0] = 'X'; /* it has a copy */
	store_batch_set_fact(batch, "work", "idle", NULL);
	store_batch_add_sender(batch, "work", NULL, 1);
	store_batch_add_sender(batch, "work", "", 1);
	assert_false(store_batch_is_empty(batch));
	assert_int_equal(store_batch_count(batch), 2);
	store_batch_describe(batch, &described);
	assert_string_equal(
	    buf_str(&described), "cursor work/INBOX/0 next 9\nfact idle \n");
	buf_clear(&described);
	store_batch_free(&batch);
	batch = store_batch_new();
	store_batch_add_sender(batch, "work", "Ann@Example.ORG", 1);
	store_batch_add_rule_time(batch, "lists", 32, 900, 1);
	store_batch_add_rule_stat(
	    batch, &(struct store_rule_stat){.rule = "boss", .limited = 1});
	store_batch_forget_rule(batch, "old");
	store_batch_describe(batch, &described);
	assert_string_equal(buf_str(&described),
	    "sender work ann@example.org\n"
	    "stat lists judged 32 nanoseconds 900\n"
	    "stat boss limited 1\nforget old\n");
	store_batch_free(&batch);
	assert_null(batch);
	store_batch_free(&none);
	store_close(&no_store);
}

static void
test_names(void **state)
{
	enum effect_state effect;
	enum queue_state queue;

	(void)state;
	for (unsigned i = 0; i < EFFECT_STATES; i++) {
		const char *name = effect_state_name((enum effect_state)i);
		assert_true(effect_state_parse(span_from_str(name), &effect));
		assert_int_equal(effect, i);
	}
	for (unsigned i = 0; i < QUEUE_STATES; i++) {
		const char *name = queue_state_name((enum queue_state)i);
		assert_true(queue_state_parse(span_from_str(name), &queue));
		assert_int_equal(queue, i);
	}
	assert_false(effect_state_parse(SPAN("Done"), &effect));
	assert_false(queue_state_parse(SPAN(""), &queue));
}

int
main(void)
{
	const struct CMUnitTest contract[] = {
	    cmocka_unit_test(test_contract),
	    cmocka_unit_test(test_fault_sweep),
	    cmocka_unit_test(test_fails_for_ever),
	    cmocka_unit_test(test_texts),
	    cmocka_unit_test(test_bytes),
	    cmocka_unit_test(test_next_lives),
	    cmocka_unit_test(test_forwards_of_a_message),
	    cmocka_unit_test(test_key_is_kept),
	    cmocka_unit_test(test_walks_end),
	    cmocka_unit_test(test_senders_max),
	    cmocka_unit_test(test_senders_forgotten),
	    cmocka_unit_test(test_uids_max),
	};
	const struct CMUnitTest plain[] = {
	    cmocka_unit_test(test_batch),
	    cmocka_unit_test(test_queue_has_room),
	    cmocka_unit_test(test_names),
	};
	int failed;

	if (!make_directory())
		return 1;
	failed = cmocka_run_group_tests_name("store", plain, NULL, NULL);
	failed += cmocka_run_group_tests_name("memory", contract, NULL, NULL);
	is_sqlite = true;
	failed += cmocka_run_group_tests_name("sqlite", contract, NULL, NULL);
	remove_files();
	rmdir(directory);
	free(directory);
	return failed;
}
