/*
 * What the journal holds as open in a mailbox that nobody watches: the person
 * took it out of the configuration, or it was deleted or renamed on the server,
 * while something was planned or begun there.
 *
 * A mailbox that is there is visited once, by a run that judges nothing
 * (planned_run.h), as if it were watched still. What that leaves (where the
 * server does not let it be opened, for example), and all of a
 * mailbox that is gone, comes to an end here: a move or a copy that was begun
 * is looked for in its target, by Message-ID, size and date; what is not there,
 * and what nobody can tell of, is unknown; what was not begun is skipped. A
 * mailbox that is watched may come back: what was not begun there waits for
 * that, and what is not found for PATIENCE_SEC.
 */
#include "daemon/account/folders.h"
#include "daemon/account/undo.h"
#include "daemon/base/xalloc.h"
#include "daemon/control/json.h"
#include "daemon/wiring/belfry.h"
#include "daemon/wiring/planned_run.h"

/* From when it was begun. */
#define PATIENCE_SEC (24 * 60 * 60)
/* What is not found in the meantime is looked for again so often. */
#define PATIENT_USEC USEC_HOUR
/* The journal is asked no more often: accounts connect again and again. */
#define LOOK_USEC (20 * USEC_SEC)
/* An answer that has not come by then will not. */
#define ANSWER_USEC (10 * USEC_MINUTE)
/* Belongs to no rule. */
#define LEFT_RULE "@left"

struct left_open {
	struct strv visited;	/* mailboxes, since something was open there */
	struct list_link asked; /* struct sought::link */
	usec_t asked_at, next_look, patient_until;
};

/* One action that is looked for in its target. */
struct sought {
	struct list_link link;
	bool is_asked;	      /* now; the others wait for their turn */
	bool is_gone;	      /* its mailbox; else a visit did not end it */
	struct store_key key; /* owned, as the strings below */
	unsigned seq;
	int64_t begun_unix;
	char *target, *message_id;
	uint64_t size;
	int64_t received_unix;
};

enum place {
	PLACE_WATCHED, /* it is taken care of, or nobody knows yet */
	PLACE_BUSY,    /* a run is under way there */
	PLACE_THERE,   /* nobody watches it */
	PLACE_MISSING, /* it is watched, and not there: it may come back */
	PLACE_GONE,
};

static struct sought *
sought_of(struct list_link *link)
{
	return LIST_ITEM(link, struct sought, link);
}

static void
sought_free(struct sought *sought)
{
	list_remove(&sought->link);
	free((char *)sought->key.account);
	free((char *)sought->key.mailbox);
	free(sought->target);
	free(sought->message_id);
	free(sought);
}

static void
forget_asked(struct left_open *left)
{
	LIST_EACH(pos, &left->asked)
	sought_free(sought_of(pos));
}

struct left_open *
left_open_new(void)
{
	struct left_open *left = NEW(struct left_open);

	list_init(&left->asked);
	return left;
}

void
left_open_free(struct left_open **left)
{
	if (*left == NULL)
		return;
	forget_asked(*left);
	strv_done(&(*left)->visited);
	free(*left);
	*left = NULL;
}

/* ---- where it is ---- */

static bool
is_watched(const struct running_account *account, const char *mailbox)
{
	for (size_t i = 0; i < account_count(account->account); i++)
		if (!account_is_twin(account->account, i) &&
		    strcmp(mailbox_name(account_mailbox(account->account, i)),
			mailbox) == 0)
			return true;
	return false;
}

static bool
is_listed(const struct folders *folders, const char *mailbox)
{
	struct error error = ERROR_INIT;
	BUF_AUTO wire = BUF_INIT;

	return folders_wire_name(folders, mailbox, &wire, &error) &&
	       folders_find(folders, buf_span(&wire)) != NULL;
}

struct run_search {
	const char *mailbox;
	bool found;
};

static bool
look_for_run(void *ctx, const struct store_apply *apply)
{
	struct run_search *search = ctx;

	search->found = apply_is_unfinished(apply->state) &&
			strcmp(apply->mailbox, search->mailbox) == 0;
	return !search->found;
}

static bool
has_run(const struct running_account *account, const char *mailbox)
{
	struct run_search search = {.mailbox = mailbox};

	store_each_apply(account->belfry->store, account->config->name,
	    look_for_run, &search, NULL);
	for (size_t i = 0; i < account_visitor_count(account->account); i++)
		if (strcmp(mailbox_name(account_visitor(account->account, i)),
			mailbox) == 0)
			return true;
	return search.found;
}

static enum place
place_of(const struct running_account *account, const char *mailbox)
{
	const struct folders *folders = account_folders(account->account);
	bool watched = is_watched(account, mailbox);

	if (folders == NULL || folders->count == 0)
		return PLACE_WATCHED;
	if (is_listed(folders, mailbox))
		return watched			   ? PLACE_WATCHED
		       : has_run(account, mailbox) ? PLACE_BUSY
						   : PLACE_THERE;
	return watched ? PLACE_MISSING : PLACE_GONE;
}

/* ---- a visit ---- */

static bool
note_first(void *ctx, const struct store_effect *effect,
    const struct store_message *message)
{
	uint32_t *uidvalidity = ctx;

	(void)message;
	*uidvalidity = effect->key.uidvalidity;
	return false;
}

static void
visit(struct running_account *account, const char *mailbox)
{
	struct planned_run run;
	struct error error = ERROR_INIT;
	uint32_t uidvalidity = 0;

	store_each_open_effect(account->belfry->store, account->config->name,
	    mailbox, note_first, &uidvalidity, NULL);
	if (uidvalidity != 0 &&
	    planned_run_begin(&run, account, mailbox, LEFT_RULE)) {
		run.row.uidvalidity = uidvalidity;
		if (planned_run_commit(&run, &error)) {
			strv_add(&account->left_open->visited, mailbox);
			report_note(account->belfry, false, "left-open",
			    account->config->name,
			    "something was begun or planned in %s, which is "
			    "not watched any more: it is visited to finish "
			    "that",
			    mailbox);
		}
	}
	planned_run_done(&run);
}

/* ---- what nobody can do any more ---- */

/* Otherwise it is there, and a visit did not come to its end. */
static bool
is_gone(enum place place)
{
	return place == PLACE_MISSING || place == PLACE_GONE;
}

static void
settle(struct running_account *account, struct store_batch *batch,
    const struct store_key *key, unsigned seq, enum effect_state state,
    const char *words)
{
	store_batch_set_effect(
	    batch, key, seq, state, 0, words, loop_now_unix());
	report_note(account->belfry, state == EFFECT_UNKNOWN, "left-open",
	    account->config->name, "%s/%u: %s: %s", key->mailbox, key->uid,
	    effect_state_name(state), words);
}

struct reading {
	struct running_account *account;
	enum place place;
	struct store_batch *batch;
	struct left_open *left;
};

static void
look_for(struct reading *reading, const struct store_effect *effect,
    const struct store_message *message, const struct action *action)
{
	struct sought *sought = NEW(struct sought);

	*sought = (struct sought){
	    .key = {xstrdup(effect->key.account), xstrdup(effect->key.mailbox),
		effect->key.uidvalidity, effect->key.uid},
	    .is_gone = is_gone(reading->place),
	    .seq = effect->seq,
	    .begun_unix = effect->changed_unix,
	    .target = xstrdup(undo_target_of(action)),
	    .message_id = xstrdup(message->message_id),
	    .size = message->size,
	    .received_unix = message->received_unix,
	};
	list_add(&reading->left->asked, &sought->link);
}

static bool
makes_copy(const struct action *action)
{
	return (action->kind == ACTION_COPY ||
		   (action->kind >= ACTION_MOVE &&
		       action->kind < ACTION_DELETE)) &&
	       undo_target_of(action) != NULL;
}

static void
end_begun(struct reading *reading, const struct store_effect *effect,
    const struct store_message *message)
{
	struct action action;
	bool is_known = action_parse(span_from_str(effect->action), &action);

	if (is_known && action.kind == ACTION_FORWARD)
		; /* the queue has it */
	else if (is_known && makes_copy(&action) &&
		 message->message_id[0] != '\0')
		look_for(reading, effect, message, &action);
	else
		settle(reading->account, reading->batch, &effect->key,
		    effect->seq, EFFECT_UNKNOWN,
		    is_gone(reading->place)
			? "it was begun, and its mailbox is gone"
			: "it was begun, and a visit to its mailbox did not "
			  "finish it");
	if (is_known)
		action_done(&action);
}

static bool
end_one(void *ctx, const struct store_effect *effect,
    const struct store_message *message)
{
	struct reading *reading = ctx;

	if (effect->state == EFFECT_STARTED)
		end_begun(reading, effect, message);
	else if (reading->place != PLACE_MISSING)
		settle(reading->account, reading->batch, &effect->key,
		    effect->seq, EFFECT_SKIPPED,
		    is_gone(reading->place)
			? "its mailbox is gone"
			: "a visit to its mailbox could not do it");
	return true;
}

static void
note(struct running_account *account, struct store_batch *batch)
{
	if (store_batch_is_empty(batch))
		store_batch_free(&batch);
	else
		journal_note(account->belfry->journal, batch);
}

static void
end_all(struct running_account *account, const char *mailbox, enum place place)
{
	struct reading reading = {.account = account,
	    .place = place,
	    .batch = store_batch_new(),
	    .left = account->left_open};

	store_each_open_effect(account->belfry->store, account->config->name,
	    mailbox, end_one, &reading, NULL);
	note(account, reading.batch);
}

/* ---- looking in the target ---- */

static void
answer(struct running_account *account, struct sought *sought, bool is_there)
{
	struct store_batch *batch = store_batch_new();
	int64_t age = loop_now_unix() - sought->begun_unix;
	BUF_AUTO words = BUF_INIT;

	buf_addf(&words,
	    sought->is_gone ? "%s is gone" : "a visit to %s did not finish it",
	    sought->key.mailbox);
	buf_addf(&words, is_there ? "; found in %s" : ", and it is not in %s",
	    sought->target);
	if (is_there)
		settle(account, batch, &sought->key, sought->seq, EFFECT_DONE,
		    buf_str(&words));
	else if (place_of(account, sought->key.mailbox) != PLACE_MISSING ||
		 age >= PATIENCE_SEC)
		settle(account, batch, &sought->key, sought->seq,
		    EFFECT_UNKNOWN, buf_str(&words));
	else
		account->left_open->patient_until =
		    usec_add(loop_now(), PATIENT_USEC);
	note(account, batch);
	sought_free(sought);
}

/* Those with the same target as the first, as many as may be asked for. False:
 * there is no such target, and the first has had its answer. */
static bool
ask(struct running_account *account)
{
	struct list_link *all = &account->left_open->asked;
	struct mailbox_wanted wanted[MAILBOX_FINDS_MAX];
	struct sought *first = sought_of(all->next);
	struct error error = ERROR_INIT;
	BUF_AUTO mailbox = BUF_INIT;
	size_t count = 0;

	LIST_EACH(pos, all)
	{
		struct sought *sought = sought_of(pos);
		sought->is_asked = count < MAILBOX_FINDS_MAX &&
				   strcmp(sought->target, first->target) == 0;
		if (sought->is_asked)
			wanted[count++] = (struct mailbox_wanted){
			    .message_id = sought->message_id,
			    .is_exact = true,
			    .size = sought->size,
			    .received_unix = sought->received_unix,
			};
	}
	account->left_open->asked_at = loop_now();
	if (account_find_mailbox(
		account->account, first->target, &mailbox, &error) &&
	    account_seek(account->account, buf_str(&mailbox), wanted, count,
		loop_now(), &error) != NULL)
		return true;
	if (error.fault == FAULT_RETRY) {
		forget_asked(account->left_open); /* the next look */
		return true;
	}
	answer(account, first, false);
	return false;
}

static bool
has_asked(const struct left_open *left)
{
	LIST_EACH(pos, &left->asked)
	if (sought_of(pos)->is_asked)
		return true;
	return false;
}

static void
ask_next(struct running_account *account)
{
	struct left_open *left = account->left_open;

	while (!list_is_empty(&left->asked) && !has_asked(left))
		if (ask(account))
			return;
}

static bool
is_answer(const struct running_account *account, const struct sought *sought,
    const char *mailbox, const struct mailbox_found *found)
{
	struct error error = ERROR_INIT;
	BUF_AUTO target = BUF_INIT;

	return sought->is_asked &&
	       strcmp(sought->message_id, found->message_id) == 0 &&
	       sought->size == found->size &&
	       sought->received_unix == found->received_unix &&
	       account_find_mailbox(
		   account->account, sought->target, &target, &error) &&
	       strcmp(buf_str(&target), mailbox) == 0;
}

void
left_open_found(struct line *line, const struct mailbox_found *found)
{
	struct running_account *account = line->owner;
	STR_AUTO mailbox = xstrdup(mailbox_name(line->mailbox));

	LIST_EACH(pos, &account->left_open->asked)
	{
		struct sought *sought = sought_of(pos);
		if (!is_answer(account, sought, mailbox, found))
			continue;
		if (found->error.fault != FAULT_NONE)
			sought_free(sought); /* the next look */
		else
			answer(account, sought, found->count > 0);
	}
	ask_next(account);
}

/* ---- looking for all of that ---- */

static bool
note_mailbox(void *ctx, const char *mailbox, uint64_t count)
{
	struct strv *mailboxes = ctx;

	(void)count;
	strv_add(mailboxes, mailbox);
	return true;
}

static bool
has_name(const struct strv *names, const char *name)
{
	for (size_t i = 0; i < names->len; i++)
		if (strcmp(names->items[i], name) == 0)
			return true;
	return false;
}

static void
forget_visits(struct left_open *left, const struct strv *open)
{
	struct strv kept = STRV_INIT;

	for (size_t i = 0; i < left->visited.len; i++)
		if (has_name(open, left->visited.items[i]))
			strv_add(&kept, left->visited.items[i]);
	strv_done(&left->visited);
	left->visited = kept;
}

static void
look_at(struct running_account *account, const char *mailbox)
{
	enum place place = place_of(account, mailbox);

	if (place == PLACE_WATCHED || place == PLACE_BUSY ||
	    (place == PLACE_MISSING &&
		loop_now() < account->left_open->patient_until))
		return;
	if (place == PLACE_THERE &&
	    !has_name(&account->left_open->visited, mailbox))
		visit(account, mailbox);
	else
		end_all(account, mailbox, place);
}

void
left_open_look(struct running_account *account)
{
	struct belfry *belfry = account->belfry;
	struct left_open *left = account->left_open;
	STRV_AUTO open = STRV_INIT;

	if (belfry->dry_run || belfry->leaving || account->paused ||
	    loop_now() < left->next_look)
		return;
	left->next_look = usec_add(loop_now(), LOOK_USEC);
	if (!list_is_empty(&left->asked)) {
		if (usec_since(left->asked_at, loop_now()) < ANSWER_USEC)
			return;
		forget_asked(left);
	}
	store_each_open_mailbox(
	    belfry->store, account->config->name, note_mailbox, &open, NULL);
	forget_visits(left, &open);
	for (size_t i = 0; i < open.len; i++)
		look_at(account, open.items[i]);
	ask_next(account);
}

/* ---- for status ---- */

static const char *const place_words[] = {
    [PLACE_BUSY] = "is not watched any more, and is visited to finish that",
    [PLACE_THERE] = "is not watched any more",
    [PLACE_MISSING] = "is not on the server now",
    [PLACE_GONE] = "is gone",
};

struct opened {
	struct strv names;
	struct json *counts; /* in the same order */
};

static bool
note_count(void *ctx, const char *mailbox, uint64_t count)
{
	struct opened *opened = ctx;
	struct json *json = json_new_object();

	strv_add(&opened->names, mailbox);
	json_set_str(json, "mailbox", mailbox);
	json_set_int(json, "actions", (int64_t)count);
	json_add(opened->counts, json);
	return true;
}

struct json *
left_open_status(const struct running_account *account)
{
	struct opened opened = {.counts = json_new_array()};
	struct json *list = json_new_array();

	store_each_open_mailbox(account->belfry->store, account->config->name,
	    note_count, &opened, NULL);
	for (size_t i = 0; i < opened.names.len; i++) {
		const char *mailbox = opened.names.items[i];
		enum place place = place_of(account, mailbox);
		/* What another run has planned there is not left open. */
		if (place == PLACE_WATCHED ||
		    (place == PLACE_BUSY &&
			!has_name(&account->left_open->visited, mailbox)))
			continue;
		struct json *one = json_copy_of(json_at(opened.counts, i));
		json_set_str(one, "what", place_words[place]);
		json_add(list, one);
	}
	strv_done(&opened.names);
	json_free(&opened.counts);
	return list;
}
