/*
 * belfryctl undo: finds in the history what rules did, and plans the opposite
 * as a run of each mailbox where the messages are now (account/undo.h).
 *
 * A request says how things stand, step by step; unless it is dry, it begins
 * what can be taken back and was not. A client that wants to see the end asks
 * again with a dry one.
 */
#include "daemon/wiring/undos.h"
#include "daemon/base/xalloc.h"
#include "daemon/control/json.h"
#include "daemon/wiring/planned_run.h"

/* One message of the history. */
struct told_message {
	struct list_link link; /* in undoing::messages, the newest first */
	struct past past;
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
	const struct json *request; /* to be remembered; NULL: it is */
	bool resumes;		    /* what an earlier life was asked for */
};

/* ---- copies of the history ---- */

static struct told_message *
copy_message(const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	struct told_message *told = NEW(struct told_message);

	past_copy(&told->past, message, effects, count);
	return told;
}

static void
free_message(struct told_message *told)
{
	list_remove(&told->link);
	for (size_t i = 0; told->states != NULL && i < told->undo.count; i++) {
		free(told->states[i].words);
		free(told->states[i].mailbox);
	}
	free(told->states);
	undo_done(&told->undo);
	past_done(&told->past);
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
	undo_init(&told->undo, &told->past.message, told->past.effects,
	    told->past.count);
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
		const struct store_key *other = &told->past.message.key;
		if (other->uid != key.uid ||
		    other->uidvalidity != key.uidvalidity ||
		    strcmp(other->mailbox, key.mailbox) != 0)
			continue;
		for (size_t i = 0; i < told->past.count; i++)
			if (strcmp(told->past.effects[i].rule, UNDO_RULE) ==
				0 &&
			    strcmp(told->past.effects[i].kind, kind) == 0)
				last = &told->past.effects[i];
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
	if (!planned_find_mailbox(
		undoing->account, step->mailbox, &mailbox, &error)) {
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
	const struct store_message *message = &told->past.message;

	json_set_time(json, "judged", message->judged_unix);
	json_set_str(json, "account", message->key.account);
	json_set_str(json, "mailbox", message->key.mailbox);
	json_set_int(json, "uidvalidity", message->key.uidvalidity);
	json_set_int(json, "uid", message->key.uid);
	json_set_str(json, "message_id", message->message_id);
	json_set_str(json, "from", message->from);
	report_set_subject(json, message->subject);
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
	struct planned_run planned;
};

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
	       (run->planned.row.uidvalidity == 0 ||
		   run->planned.row.uidvalidity == step->uidvalidity);
}

static void
add_step(struct run *run, struct told_message *told, size_t i)
{
	const struct undo_step *step = &told->undo.steps[i];

	planned_run_add(&run->planned, &told->past, step->uidvalidity,
	    step->uid, &step->action, (unsigned)i);
	told->states[i].begins = true;
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
	bool is_free = planned_run_begin(
	    &run.planned, undoing->account, mailbox, UNDO_RULE);

	LIST_EACH(pos, &undoing->messages)
	{
		struct told_message *told =
		    LIST_ITEM(pos, struct told_message, link);
		for (size_t i = 0; i < told->undo.count; i++)
			if (may_begin(&run, told, i))
				add_step(&run, told, i);
	}
	if (run.planned.count == 0)
		; /* nothing there, or nothing that is known to be there */
	else if (!is_free)
		tell_steps(&run, STANDING_REFUSED,
		    "another run is under way where the message is now: when "
		    "it is over, ask again");
	else if (!planned_run_commit(&run.planned, &error))
		tell_steps(&run, STANDING_REFUSED, error.text);
	else
		tell_steps(&run, STANDING_BEGUN, "");
	planned_run_done(&run.planned);
}

/* What an earlier life has found, and maybe not begun to take back: it may lie
 * elsewhere by now. */
static bool
was_found(
    const struct undoing *undoing, const struct told_message *told, size_t i)
{
	return undoing->resumes && told->undo.steps[i].mover != NULL &&
	       told->past.message.message_id[0] != '\0' &&
	       told->states[i].standing == STANDING_OPEN;
}

/* What nobody knows the place of is looked for. */
static bool
wants_search(
    const struct undoing *undoing, const struct told_message *told, size_t i)
{
	const struct undo_step *step = &told->undo.steps[i];
	const struct step_state *state = &told->states[i];

	return is_wanted(undoing, step) && state->mailbox != NULL &&
	       (step->uid == 0 || was_found(undoing, told, i)) &&
	       (state->standing == STANDING_OPEN ||
		   state->standing == STANDING_FAILED);
}

static bool
wants_any_search(const struct undoing *undoing)
{
	LIST_EACH(pos, &undoing->messages)
	{
		const struct told_message *told =
		    LIST_ITEM(pos, struct told_message, link);
		for (size_t i = 0; i < told->undo.count; i++)
			if (wants_search(undoing, told, i))
				return true;
	}
	return false;
}

/* `refusal`: why not; NULL: it is. */
static void
begin_search(struct undoing *undoing, struct told_message *told, size_t i,
    const char *refusal)
{
	struct step_state *state = &told->states[i];

	if (!wants_search(undoing, told, i))
		return;
	state->standing = refusal != NULL ? STANDING_REFUSED : STANDING_BEGUN;
	if (refusal != NULL) {
		free(state->words);
		state->words = xstrdup(refusal);
		return;
	}
	search_add(undoing->account, &told->past.message,
	    told->undo.steps[i].mover, state->mailbox, undoing->rule);
}

/* Written down before it is begun. */
static void
begin_searches(struct undoing *undoing)
{
	struct error error = ERROR_INIT;
	bool ok = undoing->request == NULL || !wants_any_search(undoing) ||
		  undo_remember(undoing->account, undoing->request, &error);

	LIST_EACH(pos, &undoing->messages)
	{
		struct told_message *told =
		    LIST_ITEM(pos, struct told_message, link);
		for (size_t i = 0; i < told->undo.count; i++)
			begin_search(undoing, told, i, ok ? NULL : error.text);
	}
	search_run(undoing->account);
	undo_searched(undoing->account);
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
	    .until_unix = json_get_int(request, "until", 0),
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

void
undo_search_again(struct running_account *account, const struct json *request)
{
	struct undoing undoing = {
	    .belfry = account->belfry,
	    .account = account,
	    .rule = json_get_str(request, "rule"),
	    .uid = (uint32_t)json_get_int(request, "uid", 0),
	    .resumes = true,
	};

	list_init(&undoing.messages);
	list_init(&undoing.earlier);
	if (gather(&undoing, request, NULL)) {
		look_at_all(&undoing);
		begin_searches(&undoing);
	}
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
	    .request = request,
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
