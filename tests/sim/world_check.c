/*
 * sim/world: what must be true in the end.
 */
#include "tests/sim/world_private.h"

#include <stdlib.h>

#include "daemon/base/xalloc.h"

/* Of each message, by the world's number. */
struct truth {
	struct world *w;
	struct fate {
		unsigned unknown, forwards, judged;
		unsigned again;	  /* in the history under another UID */
		unsigned carried; /* ... because it went on so */
	} * fates;		  /* owned */
};

static bool
is_at(const struct world *w, unsigned id, const struct store_key *key)
{
	const struct sent_message *message = &w->messages[id];
	const char *mailbox = message->old ? world_old_mailbox(w) : "INBOX";

	return message->uid == key->uid &&
	       message->uidvalidity == key->uidvalidity &&
	       strcmp(mailbox, key->mailbox) == 0;
}

/* message_count: none. */
static unsigned
find_message(const struct world *w, const struct store_key *key)
{
	unsigned id = 0;

	while (id < w->message_count && !is_at(w, id, key))
		id++;
	return id;
}

/* By its subject: message_count: none. */
static unsigned
find_judged(const struct world *w, const struct store_message *message)
{
	const char *hash = strchr(message->subject, '#');
	unsigned id =
	    hash != NULL ? (unsigned)atoi(hash + 1) : w->message_count;

	return id < w->message_count ? id : w->message_count;
}

static bool
counts_forward(void *ctx, const struct store_queue_item *item)
{
	struct truth *truth = ctx;
	unsigned id = find_message(truth->w, &item->source);

	if (id < truth->w->message_count)
		truth->fates[id].forwards++;
	return true;
}

/* The server rebuilt the mailbox, and its work goes on under its new UID. */
static bool
is_carried(const struct store_effect *effects, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strstr(effects[i].detail, "it goes on as UID") != NULL)
			return true;
	return false;
}

/* The folder was full, and the message was judged two days before: that is not
 * tried again. */
static bool
is_given_up(const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	const int64_t age = MAILBOX_GIVE_UP_USEC / USEC_SEC;

	for (size_t i = 0; i < count; i++)
		if (effects[i].state == EFFECT_FAILED &&
		    strstr(effects[i].detail, "full") != NULL &&
		    effects[i].changed_unix - message->judged_unix > age)
			return true;
	return false;
}

static bool
notes_judged(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	struct truth *truth = ctx;
	unsigned id = find_judged(truth->w, message);

	if (id == truth->w->message_count)
		return true;
	truth->fates[id].carried += is_carried(effects, count);
	if (!is_at(truth->w, id, &message->key)) {
		truth->fates[id].again++;
		return true;
	}
	truth->fates[id].judged++;
	if (is_given_up(message, effects, count))
		truth->w->messages[id].touched = true;
	for (size_t i = 0; i < count; i++)
		truth->fates[id].unknown += effects[i].state == EFFECT_UNKNOWN;
	return true;
}

static void
expect(struct world *w, unsigned id, const char *what, unsigned have,
    unsigned want)
{
	if (have != want)
		world_fail(w, "#%u (%s): %s: %u, not %u", id,
		    world_kind_word(w->messages[id].kind), what, have, want);
}

static unsigned
in_inbox(struct world *w, unsigned id)
{
	return model_count(&w->model, world_source_of(w, id), id, false);
}

static void
check_moved(struct world *w, unsigned id, const char *folder)
{
	expect(w, id, folder,
	    model_count(&w->model, world_wire(w, folder), id, false), 1);
	expect(w, id, "left in INBOX", in_inbox(w, id), 0);
}

static void
check_executed(struct world *w, unsigned id, const struct truth *truth)
{
	const struct sent_message *message = &w->messages[id];

	if (message->executed > 1)
		world_fail(
		    w, "#%u was executed %u times", id, message->executed);
	if (w->result->kills == 0 && truth->fates[id].unknown > 0)
		world_fail(
		    w, "#%u: nobody knows what became of its command", id);
	if (message->executed == 0 && truth->fates[id].unknown == 0)
		world_fail(w, "#%u was never executed, and nobody says so", id);
}

static bool
sees_structure(const struct world *w)
{
	return (w->model.traits & MODEL_BLIND) == 0;
}

/* After an answer that could not be read, less is asked for. */
static bool
may_see_less(const struct world *w)
{
	return (w->model.traits & (MODEL_STINGY | MODEL_NONSENSE)) != 0 ||
	       (w->model.attacks & MODEL_TORN_FETCH) != 0;
}

static bool
was_new(struct world *w, unsigned id)
{
	return model_has_flag(&w->model, "INBOX", id, "\\Flagged");
}

/* They are judged in another order than that of their UIDs. */
static bool
judges_in_any_order(const struct world *w)
{
	return w->model.any_order ||
	       (w->model.attacks & (MODEL_LEFT_OUT | MODEL_TORN_FETCH)) != 0;
}

/*
 * The first message of each stranger was new, and no other; or just one, where
 * they may be judged in any order. Not so where another client touched one:
 * nobody knows whether it was judged; nor where it changed the flags of the one
 * that is new, before it was marked, perhaps.
 */
static void
check_stranger(struct world *w, unsigned id)
{
	bool any_order = judges_in_any_order(w);
	unsigned end = any_order ? w->message_count : id;
	unsigned news = was_new(w, id), before = 0;

	/* What UIDNEXT went back behind is judged late: a run may have met its
	 * sender before. */
	if (w->weather->is_chaos &&
	    (w->model.traits & MODEL_UIDNEXT_REWINDS) != 0)
		return;
	for (unsigned i = 0; i < end; i++) {
		if (i == id || w->messages[i].kind != KIND_STRANGER ||
		    w->messages[i].stranger != w->messages[id].stranger)
			continue;
		if (w->messages[i].touched ||
		    (any_order && w->messages[i].flagged))
			return;
		before += i < id;
		news += any_order && was_new(w, i);
	}
	if ((any_order || before == 0) && w->messages[id].flagged)
		return;
	expect(w, id, "new", news, any_order || before == 0);
}

static void
check_message(struct world *w, unsigned id, const struct truth *truth)
{
	const struct sent_message *message = &w->messages[id];

	if (truth->fates[id].judged == 0 && message->left_out)
		return;
	if (truth->fates[id].judged !=
	    (!message->old || message->kind != KIND_PLAIN))
		world_fail(w, "#%u (UID %u) was judged %u times", id,
		    message->uid, truth->fates[id].judged);
	switch (message->kind) {
	case KIND_PLAIN:
		if (message->notified == 0 && !message->old && !message->seen)
			world_fail(w, "#%u was never notified", id);
		break;
	case KIND_MOVE:
		check_moved(w, id, "A");
		break;
	case KIND_CREATE:
		if ((w->model.traits & MODEL_NO_MORE_FOLDERS) != 0)
			expect(w, id, "in INBOX", in_inbox(w, id), 1);
		else
			check_moved(w, id, "New");
		break;
	case KIND_COPY:
		expect(w, id, "copies",
		    model_count(&w->model, world_wire(w, "B"), id, false), 1);
		expect(w, id, "in INBOX", in_inbox(w, id), 1);
		break;
	case KIND_MARK:
		if (!w->messages[id].flagged &&
		    !model_has_flag(
			&w->model, world_source_of(w, id), id, "\\Flagged"))
			world_fail(w, "#%u was not flagged", id);
		break;
	case KIND_EXEC:
		check_executed(w, id, truth);
		break;
	case KIND_FORWARD:
		expect(w, id, "forwards", truth->fates[id].forwards, 1);
		break;
	case KIND_ALL:
		check_executed(w, id, truth);
		check_moved(w, id, "A");
		expect(w, id, "copies",
		    model_count(&w->model, world_wire(w, "B"), id, false), 1);
		if (!w->messages[id].flagged &&
		    !model_has_flag(
			&w->model, world_wire(w, "A"), id, "\\Answered"))
			world_fail(w, "#%u was not marked before its move", id);
		break;
	case KIND_MISSING:
	case KIND_KEEP: /* its copy failed: it must not be moved away */
		expect(w, id, "in INBOX", in_inbox(w, id), 1);
		break;
	case KIND_BODY: /* a server may refuse to give it */
		if (!sees_structure(w) || may_see_less(w))
			break;
		check_moved(w, id, "A");
		break;
	case KIND_ATTACHED:
		if ((w->model.traits & MODEL_NONSENSE) != 0)
			break;
		expect(w, id, "copies",
		    model_count(&w->model, world_wire(w, "B"), id, false),
		    sees_structure(w));
		break;
	case KIND_STRANGER:
		check_stranger(w, id);
		break;
	case KINDS:
		break;
	}
	/* A notification whose outcome could not be written is shown again. */
	if (message->old && message->notified > 0)
		world_fail(w, "#%u rang, and is old", id);
	if (message->notified >
	    1 + w->result->kills + w->result->failed_commits)
		world_fail(w, "#%u rang %u times", id, message->notified);
}

/* In any of the mailboxes. */
static void
check_not_lost(struct world *w, unsigned id)
{
	LIST_EACH(pos, &w->model.mailboxes)
	{
		const char *name =
		    LIST_ITEM(pos, struct model_mailbox, link)->name;
		if (model_count(&w->model, name, id, false) > 0)
			return;
	}
	if (!w->messages[id].removed)
		world_fail(w, "#%u is lost", id);
}

/* Whatever another client did, and whatever was rebuilt. */
static void
check_at_most_once(struct world *w, unsigned id, const struct truth *truth)
{
	static const char *const folders[] = {"A", "B", "New"};
	const struct fate *fate = &truth->fates[id];

	for (size_t i = 0; i < 3; i++)
		if (model_count(
			&w->model, world_wire(w, folders[i]), id, false) > 1)
			world_fail(
			    w, "#%u is in %s more than once", id, folders[i]);
	if (w->messages[id].executed > 1)
		world_fail(w, "#%u was executed %u times", id,
		    w->messages[id].executed);
	if (fate->judged + fate->again > 1 + fate->carried)
		world_fail(w, "#%u was judged %u times, %u under another UID",
		    id, fate->judged + fate->again, fate->again);
	if (truth->fates[id].judged > 1 || truth->fates[id].forwards > 1)
		world_fail(w, "#%u was judged %u times, and forwarded %u times",
		    id, truth->fates[id].judged, truth->fates[id].forwards);
}

static bool
finds_open(void *ctx, const struct store_effect *effect,
    const struct store_message *message)
{
	struct world *w = ctx;

	(void)message;
	if (strcmp(effect->kind, "forward") != 0)
		world_fail(w, "UID %u: %s is still %s", effect->key.uid,
		    effect->action, effect_state_name(effect->state));
	return true;
}

static void
learn(struct world *w, struct truth *truth)
{
	const struct store_history_query query = {.limit = UINT32_MAX};
	static const char *const mailboxes[] = {"INBOX", OLD_MAILBOX};

	store_each_history(w->store, &query, notes_judged, truth, NULL);
	store_each_queued(w->store, "sim", counts_forward, truth, NULL);
	for (size_t i = 0; i < 2; i++)
		if (i == 0 || !w->run_ended) /* nobody comes there again */
			store_each_open_effect(
			    w->store, "sim", mailboxes[i], finds_open, w, NULL);
}

/* Nobody comes back for what a run was not told of, and says so. */
static void
note_left_out(struct world *w, const struct store_apply *apply)
{
	struct imap_seqset uids;
	unsigned count = 0;

	if (apply->left_out == 0)
		return;
	if (!imap_seqset_parse(span_from_str(apply->left_uids), &uids)) {
		world_fail(w, "no UIDs: %s", apply->left_uids);
		return;
	}
	for (unsigned id = 0; id < w->message_count; id++) {
		struct sent_message *message = &w->messages[id];
		const struct store_key key = {.mailbox = apply->mailbox,
		    .uidvalidity = apply->uidvalidity,
		    .uid = message->uid};
		bool is_left =
		    is_at(w, id, &key) && imap_seqset_has(&uids, message->uid);
		message->left_out = is_left && message->old;
		count += is_left;
	}
	imap_seqset_done(&uids);
	if ((w->model.attacks & (MODEL_LEFT_OUT | MODEL_TORN_FETCH)) == 0 ||
	    (!w->was_rebuilt && count != apply->left_out))
		world_fail(w, "%llu were left out, and that are %s",
		    (unsigned long long)apply->left_out, apply->left_uids);
}

static bool
is_done(void *ctx, const struct store_apply *apply)
{
	struct world *w = ctx;

	note_left_out(w, apply);
	if (apply->state == APPLY_ENDED && w->was_rebuilt) {
		w->run_ended = true;
		for (unsigned id = 0; id < w->message_count; id++)
			w->messages[id].touched |= w->messages[id].old;
		return true;
	}
	if (apply->state != APPLY_DONE)
		world_fail(w, "the run is %s: %s",
		    apply_state_name(apply->state), apply->detail);
	return true;
}

bool
world_was_judged(struct world *w, unsigned id)
{
	struct truth truth = {.w = w,
	    .fates = xcalloc(w->message_count + 1, sizeof(*truth.fates))};

	learn(w, &truth);
	bool was = truth.fates[id].judged > 0;
	free(truth.fates);
	return was;
}

/* What this machine has put there for others. */
static void
check_own_record(struct world *w)
{
	struct model_mailbox *mailbox =
	    model_find(&w->model, world_wire(w, CLAIMS_MAILBOX));

	if (!w->asks || (w->model.traits & MODEL_NO_MORE_FOLDERS) != 0)
		return;
	if (mailbox == NULL ||
	    model_count(&w->model, mailbox->name, MODEL_APPENDED, false) == 0)
		world_fail(w, "no other machine could know of this one");
}

void
world_check_all(struct world *w)
{
	struct truth truth = {.w = w,
	    .fates = xcalloc(w->message_count + 1, sizeof(*truth.fates))};

	store_each_apply(w->store, "sim", is_done, w, NULL);
	learn(w, &truth);
	if (account_visitor_count(w->account) > 0)
		world_fail(w, "a visitor does not leave");
	check_own_record(w);
	for (unsigned id = 0; id < w->message_count; id++) {
		check_at_most_once(w, id, &truth);
		check_not_lost(w, id);
		if (w->messages[id].dealt &&
		    w->messages[id].kind == KIND_PLAIN &&
		    w->messages[id].notified > 0)
			world_fail(w, "#%u rang, and was dealt with", id);
		if (!w->messages[id].touched)
			check_message(w, id, &truth);
	}
	free(truth.fates);
}
