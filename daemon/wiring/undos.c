/*
 * belfryctl undo: finds in the history what rules did, and plans the opposite
 * as a run of each mailbox where the messages are now (account/undo.h).
 *
 * A request says how things stand, step by step; unless it is dry, it begins
 * what can be taken back and was not. A client that wants to see the end asks
 * again with a dry one.
 */
#include <limits.h>

#include "daemon/base/xalloc.h"
#include "daemon/control/json.h"
#include "daemon/wiring/undos.h"

/* One message of the history, copied: the store cannot be asked anything else
 * while it tells. */
struct told_message {
	struct list_link link; /* in undoing::messages, the newest first */
	struct store_message message;
	struct store_effect *effects; /* owned, and their strings */
	size_t count;
	struct undo undo;
	struct step_state *states; /* of undo.steps */
};

/* How a step stands. */
enum standing {
	STANDING_REFUSED, /* it cannot be taken back */
	STANDING_OPEN,	  /* it can */
	STANDING_BEGUN,	  /* it is under way */
	STANDING_UNDONE,
	STANDING_FAILED, /* it was tried */
	STANDINGS
};
static const char *const standing_names[STANDINGS] = {
    [STANDING_REFUSED] = "refused",
    [STANDING_OPEN] = "open",
    [STANDING_BEGUN] = "begun",
    [STANDING_UNDONE] = "undone",
    [STANDING_FAILED] = "failed",
};

struct step_state {
	enum standing standing;
	char *words;   /* owned: why, or what came of it */
	char *mailbox; /* owned: where the message is, as the store has it */
	bool begins;
};

struct undoing {
	struct belfry *belfry;
	struct running_account *account;
	const char *rule;
	uint32_t uid;		   /* 0: any */
	const char *found;	   /* only what was looked for in this mailbox,
				      and found; NULL: whatever it is */
	struct list_link messages; /* struct told_message::link */
	struct list_link earlier;  /* the same: what was taken back before */
	size_t count;
};

/* ---- copies of the history ---- */

static char **
texts_of(struct store_message *m, size_t i)
{
	const char **const texts[] = {&m->key.account, &m->key.mailbox,
	    &m->message_id, &m->from, &m->subject, &m->rules, &m->observed,
	    &m->warnings};

	return i < sizeof(texts) / sizeof(texts[0]) ? (char **)texts[i] : NULL;
}

static struct told_message *
copy_message(const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	struct told_message *told = NEW(struct told_message);
	char **text;

	told->message = *message;
	for (size_t i = 0; (text = texts_of(&told->message, i)) != NULL; i++)
		*text = xstrdup(*text);
	told->effects = xcalloc(count + 1, sizeof(*told->effects));
	told->count = count;
	for (size_t i = 0; i < count; i++) {
		struct store_effect *effect = &told->effects[i];
		*effect = effects[i];
		effect->key = told->message.key;
		effect->rule = xstrdup(effect->rule);
		effect->kind = xstrdup(effect->kind);
		effect->action = xstrdup(effect->action);
		effect->detail = xstrdup(effect->detail);
	}
	return told;
}

static void
free_message(struct told_message *told)
{
	char **text;

	list_remove(&told->link);
	for (size_t i = 0; told->states != NULL && i < told->undo.count; i++) {
		free(told->states[i].words);
		free(told->states[i].mailbox);
	}
	free(told->states);
	undo_done(&told->undo);
	for (size_t i = 0; (text = texts_of(&told->message, i)) != NULL; i++)
		free(*text);
	for (size_t i = 0; i < told->count; i++) {
		free((char *)told->effects[i].rule);
		free((char *)told->effects[i].kind);
		free((char *)told->effects[i].action);
		free((char *)told->effects[i].detail);
	}
	free(told->effects);
	free(told);
}

static void
undoing_done(struct undoing *undoing)
{
	LIST_EACH(pos, &undoing->messages)
	free_message(LIST_ITEM(pos, struct told_message, link));
	LIST_EACH(pos, &undoing->earlier)
	free_message(LIST_ITEM(pos, struct told_message, link));
}

static bool
has_rule(const struct store_effect *effects, size_t count, const char *rule)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(effects[i].rule, rule) == 0)
			return true;
	return false;
}

static bool
note_message(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	struct undoing *undoing = ctx;
	struct told_message *told;

	if ((undoing->uid != 0 && message->key.uid != undoing->uid) ||
	    (undoing->rule != NULL &&
		!has_rule(effects, count, undoing->rule)) ||
	    (undoing->found != NULL && !search_has_found(undoing->account,
					   &message->key, undoing->found)))
		return true;
	told = copy_message(message, effects, count);
	list_add(&undoing->messages, &told->link);
	undo_init(&told->undo, &told->message, told->effects, told->count);
	told->states = xcalloc(told->undo.count + 1, sizeof(*told->states));
	return ++undoing->count < UNDO_MAX;
}

static bool
note_earlier(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	struct undoing *undoing = ctx;

	if (has_rule(effects, count, UNDO_RULE))
		list_add(&undoing->earlier,
		    &copy_message(message, effects, count)->link);
	return true;
}

/* ---- how each step stands ---- */

/* The last effect that was to take this back; NULL: none was. */
static const struct store_effect *
find_earlier(const struct undoing *undoing, const struct undo_step *step,
    const char *mailbox)
{
	const struct store_key key = {undoing->account->config->name, mailbox,
	    step->uidvalidity, step->uid};
	const char *kind = action_name(step->action.kind);
	const struct store_effect *last = NULL;

	LIST_EACH(pos, &undoing->earlier)
	{
		const struct told_message *told =
		    LIST_ITEM(pos, struct told_message, link);
		const struct store_key *other = &told->message.key;
		if (other->uid != key.uid ||
		    other->uidvalidity != key.uidvalidity ||
		    strcmp(other->mailbox, key.mailbox) != 0)
			continue;
		for (size_t i = 0; i < told->count; i++)
			if (strcmp(told->effects[i].rule, UNDO_RULE) == 0 &&
			    strcmp(told->effects[i].kind, kind) == 0)
				last = &told->effects[i];
	}
	return last;
}

static enum standing
standing_of(const struct store_effect *earlier)
{
	static const enum standing standings[EFFECT_STATES] = {
	    [EFFECT_PLANNED] = STANDING_BEGUN,
	    [EFFECT_STARTED] = STANDING_BEGUN,
	    [EFFECT_DONE] = STANDING_UNDONE,
	    [EFFECT_FAILED] = STANDING_FAILED,
	    [EFFECT_SKIPPED] = STANDING_FAILED,
	    [EFFECT_UNKNOWN] = STANDING_FAILED,
	};

	return earlier != NULL ? standings[earlier->state] : STANDING_OPEN;
}

/* Of a request's rule, or of what was found. */
static bool
is_wanted(const struct undoing *undoing, const struct undo_step *step)
{
	if (undoing->found != NULL)
		return search_is_found(undoing->account, step, undoing->found);
	return undoing->rule == NULL ||
	       strcmp(step->effect->rule, undoing->rule) == 0;
}

/* A mailbox that is not in the list of folders may be newer than that. */
static bool
find_mailbox(const struct undoing *undoing, const char *name,
    struct buf *mailbox, struct error *error_r)
{
	struct error error = ERROR_INIT;

	if (account_find_mailbox(
		undoing->account->account, name, mailbox, &error))
		return true;
	if (error.fault != FAULT_CONFIG || name[0] == '\\') {
		*error_r = error;
		return false;
	}
	buf_clear(mailbox);
	buf_add_str(mailbox, name);
	return true;
}

static enum standing
standing_of_search(const struct undoing *undoing, const struct undo_step *step,
    const char **words_r)
{
	static const enum standing standings[] = {
	    [SEARCH_NONE] = STANDING_OPEN,
	    [SEARCH_WAITING] = STANDING_BEGUN,
	    [SEARCH_ASKED] = STANDING_BEGUN,
	    [SEARCH_FOUND] = STANDING_BEGUN,
	    [SEARCH_FAILED] = STANDING_FAILED,
	};
	enum search_state state =
	    search_get(undoing->account, step->mover, words_r);

	if (state == SEARCH_NONE && step->uid == 0)
		*words_r = "the server did not say where it is now: it is "
			   "looked for by its Message-ID, size and date";
	return standings[state];
}

static void
look_at(const struct undoing *undoing, const struct undo_step *step,
    struct step_state *state)
{
	struct error error = ERROR_INIT;
	BUF_AUTO mailbox = BUF_INIT;
	const struct store_effect *earlier = NULL;
	const char *words = "";

	if (step->refusal != NULL) {
		state->words = xstrdup(step->refusal);
		return;
	}
	if (!find_mailbox(undoing, step->mailbox, &mailbox, &error)) {
		state->words = xstrdup(error.text);
		return;
	}
	state->mailbox = xstrdup(buf_str(&mailbox));
	if (step->uid != 0)
		earlier = find_earlier(undoing, step, state->mailbox);
	state->standing = standing_of(earlier);
	if (earlier != NULL)
		words = earlier->detail;
	else if (step->mover != NULL && undoing->found == NULL)
		state->standing = standing_of_search(undoing, step, &words);
	state->words = xstrdup(words);
}

static void
look_at_all(struct undoing *undoing)
{
	LIST_EACH(pos, &undoing->messages)
	{
		struct told_message *told =
		    LIST_ITEM(pos, struct told_message, link);
		for (size_t i = 0; i < told->undo.count; i++)
			look_at(
			    undoing, &told->undo.steps[i], &told->states[i]);
	}
}

/* ---- the answer ---- */

static struct json *
step_json(const struct told_message *told, size_t i)
{
	const struct undo_step *step = &told->undo.steps[i];
	const struct step_state *state = &told->states[i];
	struct json *json = json_new_object();
	BUF_AUTO did = BUF_INIT, opposite = BUF_INIT;
	struct action action;

	if (action_parse(span_from_str(step->effect->action), &action)) {
		action_describe(&did, &action);
		action_done(&action);
	}
	if (step->refusal == NULL)
		action_describe(&opposite, &step->action);
	json_set_str(json, "rule", step->effect->rule);
	json_set_str(json, "action", step->effect->kind);
	json_set_str(json, "what", buf_str(&did));
	json_set_str(
	    json, "undo", step->refusal == NULL ? buf_str(&opposite) : NULL);
	json_set_str(json, "in", state->mailbox);
	json_set_str(json, "state", standing_names[state->standing]);
	json_set_str(json, "detail", state->words);
	return json;
}

static struct json *
message_json(const struct undoing *undoing, const struct told_message *told)
{
	struct json *json = json_new_object(), *steps = json_new_array();
	const struct store_message *message = &told->message;

	json_set_time(json, "judged", message->judged_unix);
	json_set_str(json, "account", message->key.account);
	json_set_str(json, "mailbox", message->key.mailbox);
	json_set_int(json, "uidvalidity", message->key.uidvalidity);
	json_set_int(json, "uid", message->key.uid);
	json_set_str(json, "message_id", message->message_id);
	json_set_str(json, "from", message->from);
	json_set_str(json, "subject", message->subject);
	for (size_t i = 0; i < told->undo.count; i++)
		if (is_wanted(undoing, &told->undo.steps[i]))
			json_add(steps, step_json(told, i));
	json_set(json, "steps", steps);
	return json;
}

static void
answer(const struct undoing *undoing, struct client *client)
{
	struct json *json = json_new_object(), *messages = json_new_array();

	LIST_EACH(pos, &undoing->messages)
	{
		const struct told_message *told =
		    LIST_ITEM(pos, struct told_message, link);
		if (told->undo.count > 0)
			json_add(messages, message_json(undoing, told));
	}
	json_set(json, "messages", messages);
	control_reply(client, json);
}

/* ---- beginning: a run for each mailbox ---- */

struct run {
	struct undoing *undoing;
	const char *mailbox;
	struct store_apply row;
	struct store_batch *batch;
	size_t count; /* steps */
};

static bool
note_run(void *ctx, const struct store_apply *apply)
{
	struct store_apply *last = ctx;

	if (strcmp(apply->mailbox, last->mailbox) == 0) {
		last->run = apply->run;
		last->state = apply->state;
	}
	return true;
}

/* The number of the next run; false: one is under way. */
static bool
number_run(struct run *run)
{
	const char *account = run->undoing->account->config->name;
	struct store_apply last = {
	    .mailbox = run->mailbox, .state = APPLY_DONE};

	if (!store_each_apply(
		run->undoing->belfry->store, account, note_run, &last, NULL) ||
	    apply_is_unfinished(last.state) ||
	    last.run >= UINT_MAX / STORE_APPLY_SEQ - 1)
		return false;
	run->row = (struct store_apply){
	    .account = account,
	    .mailbox = run->mailbox,
	    .run = last.run + 1,
	    .first_uid = 1,
	    .next_uid = 1,
	    .end_uid = 1,
	    .rules = "",
	    .detail = "",
	    .started_unix = loop_now_unix(),
	    .changed_unix = loop_now_unix(),
	};
	return true;
}

static bool
may_begin(const struct run *run, const struct told_message *told, size_t i)
{
	const struct step_state *state = &told->states[i];
	const struct undo_step *step = &told->undo.steps[i];

	return is_wanted(run->undoing, step) && !state->begins &&
	       step->uid != 0 && state->mailbox != NULL &&
	       (state->standing == STANDING_OPEN ||
		   state->standing == STANDING_FAILED) &&
	       strcmp(state->mailbox, run->mailbox) == 0 &&
	       (run->row.uidvalidity == 0 ||
		   run->row.uidvalidity == step->uidvalidity);
}

/* The message as it is now. Of its old place nothing changes, but that the
 * mailbox there knows that it was judged: store_batch_each_plan. */
static void
add_message(struct run *run, const struct told_message *told,
    const struct undo_step *step)
{
	struct store_message now = told->message;

	store_batch_add_message(run->batch, &told->message);
	for (size_t i = 0; i < told->count; i++)
		store_batch_add_effect(run->batch, &told->effects[i]);
	now.key.mailbox = run->mailbox;
	now.key.uidvalidity = step->uidvalidity;
	now.key.uid = step->uid;
	now.judged_unix = loop_now_unix();
	now.rules = UNDO_RULE;
	now.observed = now.warnings = "";
	store_batch_add_message(run->batch, &now);
}

static void
add_step(struct run *run, struct told_message *told, size_t i)
{
	const struct undo_step *step = &told->undo.steps[i];
	BUF_AUTO text = BUF_INIT;

	if (run->row.uidvalidity == 0)
		run->row.uidvalidity = step->uidvalidity;
	action_format(&text, &step->action);
	add_message(run, told, step);
	store_batch_add_effect(
	    run->batch, &(const struct store_effect){
			    .key = {run->row.account, run->mailbox,
				step->uidvalidity, step->uid},
			    .seq = run->row.run * STORE_APPLY_SEQ + (unsigned)i,
			    .rule = UNDO_RULE,
			    .kind = action_name(step->action.kind),
			    .action = buf_str(&text),
			    .state = EFFECT_PLANNED,
			    .detail = "",
			    .changed_unix = loop_now_unix(),
			});
	told->states[i].begins = true;
	run->count++;
}

static bool
give(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	struct run *run = ctx;
	struct line *line =
	    accounts_find_line(run->undoing->account, run->mailbox);

	if (strcmp(message->rules, UNDO_RULE) != 0 || line == NULL)
		return true;
	for (size_t i = 0; i < count; i++)
		mailbox_give_effect(line->mailbox, &effects[i], message);
	return true;
}

/* Where there is no connection now it begins with the next one, as any run
 * does (apply_resume). */
static void
hand_over(struct run *run)
{
	struct running_account *account = run->undoing->account;

	arrivals_note(account->arrivals, run->batch);
	store_batch_each_plan(run->batch, give, run);
	account_apply(account->account, &run->row, false, loop_now(), NULL);
}

static void
tell_steps(const struct run *run, enum standing standing, const char *words)
{
	LIST_EACH(pos, &run->undoing->messages)
	{
		struct told_message *told =
		    LIST_ITEM(pos, struct told_message, link);
		for (size_t i = 0; i < told->undo.count; i++) {
			struct step_state *state = &told->states[i];
			if (!state->begins ||
			    strcmp(state->mailbox, run->mailbox) != 0)
				continue;
			free(state->words);
			state->words = xstrdup(words);
			state->standing = standing;
		}
	}
}

static void
begin_in(struct undoing *undoing, const char *mailbox)
{
	struct run run = {.undoing = undoing, .mailbox = mailbox};
	struct error error = ERROR_INIT;
	bool is_free = number_run(&run);

	run.batch = store_batch_new();
	LIST_EACH(pos, &undoing->messages)
	{
		struct told_message *told =
		    LIST_ITEM(pos, struct told_message, link);
		for (size_t i = 0; i < told->undo.count; i++)
			if (may_begin(&run, told, i))
				add_step(&run, told, i);
	}
	run.row.total = run.count;
	store_batch_set_apply(run.batch, &run.row);
	if (run.count == 0) {
		/* Nothing there, or nothing that is known to be there. */
	} else if (!is_free) {
		tell_steps(&run, STANDING_REFUSED,
		    "another run is under way where the message is now: when "
		    "it is over, ask again");
	} else if (!journal_commit_now(
		       undoing->belfry->journal, run.batch, &error)) {
		tell_steps(&run, STANDING_REFUSED, error.text);
	} else {
		tell_steps(&run, STANDING_BEGUN, "");
		hand_over(&run);
	}
	store_batch_free(&run.batch);
}

/* What nobody knows the place of is looked for. */
static void
begin_search(struct undoing *undoing, struct told_message *told, size_t i)
{
	const struct undo_step *step = &told->undo.steps[i];
	struct step_state *state = &told->states[i];

	if (!is_wanted(undoing, step) || state->mailbox == NULL ||
	    step->uid != 0 ||
	    (state->standing != STANDING_OPEN &&
		state->standing != STANDING_FAILED))
		return;
	search_add(undoing->account, &told->message, step->mover,
	    state->mailbox, undoing->rule);
	state->standing = STANDING_BEGUN;
}

static void
begin_searches(struct undoing *undoing)
{
	LIST_EACH(pos, &undoing->messages)
	{
		struct told_message *told =
		    LIST_ITEM(pos, struct told_message, link);
		for (size_t i = 0; i < told->undo.count; i++)
			begin_search(undoing, told, i);
	}
	search_run(undoing->account);
}

/* Each mailbox once. */
static void
begin_all(struct undoing *undoing)
{
	STRV_AUTO mailboxes = STRV_INIT;

	LIST_EACH(pos, &undoing->messages)
	{
		struct told_message *told =
		    LIST_ITEM(pos, struct told_message, link);
		for (size_t i = 0; i < told->undo.count; i++)
			if (told->states[i].mailbox != NULL &&
			    !strv_has(&mailboxes, told->states[i].mailbox))
				strv_add(&mailboxes, told->states[i].mailbox);
	}
	for (size_t i = 0; i < mailboxes.len; i++)
		begin_in(undoing, mailboxes.items[i]);
	begin_searches(undoing);
	accounts_pump(undoing->account);
}

/* ---- the request ---- */

static bool
gather(
    struct undoing *undoing, const struct json *request, struct error *error_r)
{
	struct store *store = undoing->belfry->store;
	const struct store_history_query query = {
	    .account = undoing->account->config->name,
	    .mailbox = json_get_str(request, "mailbox"),
	    .since_unix = json_get_int(request, "since", 0),
	};
	const struct store_history_query all = {.account = query.account};

	return store_each_history(
		   store, &query, note_message, undoing, error_r) &&
	       store_each_history(store, &all, note_earlier, undoing, error_r);
}

/* What was begun is in the journal; of the others it is told why not. */
static void
close_searches(struct undoing *undoing)
{
	LIST_EACH(pos, &undoing->messages)
	{
		const struct told_message *told =
		    LIST_ITEM(pos, struct told_message, link);
		for (size_t i = 0; i < told->undo.count; i++) {
			const struct undo_step *step = &told->undo.steps[i];
			const struct step_state *state = &told->states[i];
			if (step->mover == NULL || !is_wanted(undoing, step))
				continue;
			search_close(undoing->account, step->mover,
			    state->begins && state->standing == STANDING_REFUSED
				? state->words
				: NULL);
		}
	}
}

void
undo_begin_found(struct running_account *account, const char *mailbox)
{
	struct undoing undoing = {
	    .belfry = account->belfry,
	    .account = account,
	    .found = mailbox,
	};
	struct json *request = json_new_object();
	struct error error = ERROR_INIT;

	list_init(&undoing.messages);
	list_init(&undoing.earlier);
	if (gather(&undoing, request, &error)) {
		look_at_all(&undoing);
		begin_in(&undoing, mailbox);
		close_searches(&undoing);
	}
	json_free(&request);
	undoing_done(&undoing);
}

static struct running_account *
find_account(
    struct belfry *belfry, struct client *client, const struct json *request)
{
	const char *name = json_get_str(request, "account");
	struct running_account *account =
	    name != NULL ? accounts_find(belfry, name) : NULL;

	if (account == NULL)
		control_refuse(client, "belfryctl status lists them",
		    "there is no account %s", name != NULL ? name : "");
	else if (account->paused)
		control_refuse(client, "belfryctl resume connects it again",
		    "the account %s is paused", name);
	else
		return account;
	return NULL;
}

void
undo_ask(
    struct belfry *belfry, struct client *client, const struct json *request)
{
	struct undoing undoing = {
	    .belfry = belfry,
	    .account = find_account(belfry, client, request),
	    .rule = json_get_str(request, "rule"),
	    .uid = (uint32_t)json_get_int(request, "uid", 0),
	};
	struct error error = ERROR_INIT;

	if (undoing.account == NULL)
		return;
	list_init(&undoing.messages);
	list_init(&undoing.earlier);
	if (!gather(&undoing, request, &error)) {
		control_refuse(client, NULL, "%s", error.text);
	} else {
		look_at_all(&undoing);
		if (!json_get_bool(request, "dry_run") && !belfry->dry_run)
			begin_all(&undoing);
		answer(&undoing, client);
	}
	undoing_done(&undoing);
}
