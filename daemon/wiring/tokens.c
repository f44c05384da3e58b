#include "daemon/wiring/tokens.h"

#include "daemon/base/xalloc.h"
#include "daemon/control/json.h"
#include "daemon/oauth2/keeper.h"
#include "daemon/wiring/token_renew.h"

/* Somebody may have signed in where belfryctl did not reach us. */
#define LOOK_USEC (30 * USEC_SEC)

struct tokens {
	struct running_account *account;
	struct oauth2_keeper *keeper;
	struct loop_timer *timer;
	char *path;
	struct token_mark mark;
	struct oauth2_token token; /* as the file has it */
	struct token_renew *renew;
	struct list_link waits; /* struct token_wait::link */
	bool was_missing;	/* somebody asked in vain */
	bool was_rejected;	/* a server wants another one */
	bool told_disk;		/* the person, that it takes no token */
};

struct token_wait {
	struct list_link link;
	secret_fn *fn;
	void *ctx;
};

static void turn(struct tokens *tokens);

/* ---- what is kept ---- */

/* What the person can do about it. */
static void
add_advice(
    const struct tokens *tokens, enum oauth2_kind kind, struct error *error)
{
	const char *name = tokens->account->config->name;
	STR_AUTO text = xstrdup(error->text);

	if (kind == OAUTH2_REFUSED)
		error_set(error, error->fault,
		    "%.380s: correct the oauth2_... lines, then `belfryctl "
		    "reload`, or run `belfryctl login %s`",
		    text, name);
	else
		error_set(error, error->fault,
		    "%.420s: run `belfryctl login %s`", text, name);
}

static void
load(struct tokens *tokens)
{
	struct error error = ERROR_INIT;
	struct oauth2_token *token = &tokens->token;

	oauth2_token_done(token);
	if (token_file_read(
		tokens->path, tokens->account->config, token, &error))
		oauth2_keeper_loaded(tokens->keeper,
		    oauth2_token_left(token, loop_now_unix()),
		    oauth2_token_life(token), token->refresh.len > 0, NULL,
		    loop_now());
	else {
		add_advice(tokens, OAUTH2_LOST, &error);
		oauth2_keeper_loaded(
		    tokens->keeper, 0, 0, false, &error, loop_now());
	}
}

/* Somebody signed in, or `doctor` renewed it. */
static bool
load_if_changed(struct tokens *tokens)
{
	if (tokens->renew != NULL ||
	    !token_file_has_changed(tokens->path, &tokens->mark))
		return false;
	load(tokens);
	return true;
}

/* ---- a renewal ---- */

static void
note(const struct tokens *tokens, bool is_trouble, const char *text)
{
	report_note(tokens->account->belfry, is_trouble, "sign-in",
	    tokens->account->config->name, "%s", text);
}

static void
on_trouble(void *ctx, const struct error *error)
{
	struct tokens *tokens = ctx;
	const char *name = tokens->account->config->name;

	if (tokens->told_disk)
		return;
	tokens->told_disk = true;
	note(tokens, true, error->text);
	STR_AUTO title = xasprintf("Belfry: no token can be kept for %s", name);
	notify_say(tokens->account->belfry, name, URGENCY_CRITICAL, title,
	    error->text);
}

static void
note_failure(struct tokens *tokens, const struct token_renewal *renewal)
{
	struct error error = renewal->error;

	if (renewal->kind == OAUTH2_LOST || renewal->kind == OAUTH2_REFUSED)
		add_advice(tokens, renewal->kind, &error);
	oauth2_keeper_failed(tokens->keeper, renewal->kind,
	    renewal->retry_after, &error, loop_now());
	if (oauth2_keeper_state(tokens->keeper) == OAUTH2_KEEPER_WAITING)
		note(tokens, true, error.text);
}

/* Those that could not log in meanwhile need not wait any longer. */
static void
hint(struct running_account *account)
{
	if (account->paused)
		return;
	account_hint(account->account, loop_now());
	if (account->sender != NULL)
		sender_hint(account->sender);
	accounts_pump(account);
}

static void
on_renewed(void *ctx, const struct token_renewal *renewal)
{
	struct tokens *tokens = ctx;

	bool was_missing = tokens->was_missing;

	tokens->renew = NULL;
	token_file_has_changed(tokens->path, &tokens->mark);
	if (renewal->kind == OAUTH2_TOKEN) {
		struct oauth2_token *token = &tokens->token;
		oauth2_token_done(token);
		oauth2_token_copy(token, renewal->token);
		tokens->told_disk = false;
		oauth2_keeper_refreshed(tokens->keeper,
		    oauth2_token_left(token, loop_now_unix()),
		    oauth2_token_life(token), token->refresh.len > 0,
		    loop_now());
	} else {
		note_failure(tokens, renewal);
	}
	control_changed(tokens->account->belfry);
	turn(tokens);
	if (was_missing && renewal->kind == OAUTH2_TOKEN) {
		tokens->was_missing = false;
		hint(tokens->account);
	}
}

static void
begin_renewal(struct tokens *tokens)
{
	const struct token_renew_config config = {
	    .loop = tokens->account->belfry->loop,
	    .account = tokens->account->config,
	    .path = tokens->path,
	    .old = secret_span(&tokens->token.access),
	    .done = on_renewed,
	    .trouble = on_trouble,
	    .ctx = tokens,
	};

	tokens->renew = token_renew_start(&config);
}

static void
tell_person(const struct tokens *tokens)
{
	const char *name = tokens->account->config->name;
	const char *text = oauth2_keeper_error(tokens->keeper)->text;
	STR_AUTO title = xasprintf("Belfry: sign in to %s", name);

	note(tokens, true, text);
	notify_say(
	    tokens->account->belfry, name, URGENCY_CRITICAL, title, text);
	control_changed(tokens->account->belfry);
}

/* ---- those who wait ---- */

static void
answer(struct token_wait *wait, const struct secret *secret,
    const struct error *error)
{
	secret_fn *fn = wait->fn;
	void *ctx = wait->ctx;

	list_remove(&wait->link);
	free(wait);
	fn(ctx, secret, error);
}

/* What the person has to do is said once, not by each connection. */
static void
answer_failure(struct tokens *tokens, struct token_wait *wait)
{
	static const struct error lost = {
	    FAULT_AUTH, "waiting for you to sign in"};

	tokens->was_missing = true;
	answer(wait, NULL,
	    tokens_are_lost(tokens) ? &lost
				    : oauth2_keeper_error(tokens->keeper));
}

/* Answers may bring new questions: these have their own turn. */
static void
serve(struct tokens *tokens)
{
	enum oauth2_keeper_word word;
	size_t count = 0;

	LIST_EACH(pos, &tokens->waits)
	count++;
	for (; count > 0 && !list_is_empty(&tokens->waits); count--) {
		struct token_wait *wait =
		    LIST_ITEM(tokens->waits.next, struct token_wait, link);
		word = oauth2_keeper_ask(tokens->keeper, loop_now());
		if (word == OAUTH2_KEEPER_WAIT)
			return;
		if (word == OAUTH2_KEEPER_GIVE)
			answer(wait, &tokens->token.access, NULL);
		else
			answer_failure(tokens, wait);
	}
}

static void
turn(struct tokens *tokens)
{
	enum oauth2_keeper_event event;

	serve(tokens);
	while ((event = oauth2_keeper_next_event(tokens->keeper)) !=
	       OAUTH2_KEEPER_NOTHING) {
		if (event == OAUTH2_KEEPER_REFRESH)
			begin_renewal(tokens);
		else
			tell_person(tokens);
	}
	loop_timer_set(tokens->timer,
	    tokens_are_lost(tokens) ? usec_add(loop_now(), LOOK_USEC)
				    : oauth2_keeper_deadline(tokens->keeper));
	leave_if_done(tokens->account->belfry);
}

/* As after a reload: it logs in at once. */
static void
begin_anew(struct running_account *account)
{
	if (account->paused)
		return;
	account_start(account->account, loop_now());
	if (account->sender != NULL)
		sender_reload(account->sender);
	accounts_pump(account);
}

static void
on_timer(void *ctx)
{
	struct tokens *tokens = ctx;
	bool was_lost = tokens_are_lost(tokens);

	load_if_changed(tokens);
	oauth2_keeper_tick(tokens->keeper, loop_now());
	turn(tokens);
	bool is_found = was_lost && !tokens_are_lost(tokens);
	/* A new token that is refused as well is no news. */
	if (is_found)
		tokens->account->told_person = false;
	if (tokens->was_rejected || is_found) {
		tokens->was_rejected = false;
		begin_anew(tokens->account);
	}
}

struct token_wait *
token_wait_new(struct tokens *tokens, secret_fn *fn, void *ctx)
{
	struct token_wait *wait = NEW(struct token_wait);

	wait->fn = fn;
	wait->ctx = ctx;
	list_add(&tokens->waits, &wait->link);
	loop_timer_set(tokens->timer, loop_now());
	return wait;
}

void
token_wait_cancel(struct token_wait **wait)
{
	if (*wait == NULL)
		return;
	list_remove(&(*wait)->link);
	free(*wait);
	*wait = NULL;
}

/* ---- its life ---- */

struct tokens *
tokens_new(struct running_account *account)
{
	struct tokens *tokens;
	uint64_t seed = loop_now();

	if (account->config->secret.kind != SECRET_SIGN_IN)
		return NULL;
	json_wipe_memory();
	tokens = NEW(struct tokens);
	tokens->account = account;
	list_init(&tokens->waits);
	tokens->keeper = oauth2_keeper_new(seed);
	tokens->timer = loop_timer_new(account->belfry->loop, on_timer, tokens);
	tokens->path = token_file_path(
	    account->belfry->state_directory, account->config->name);
	token_file_has_changed(tokens->path, &tokens->mark);
	load(tokens);
	/* From the loop: nobody is told anything before all is there. */
	loop_timer_set(tokens->timer, loop_now());
	return tokens;
}

void
tokens_free(struct tokens **tokens_ptr)
{
	struct tokens *tokens = *tokens_ptr;

	if (tokens == NULL)
		return;
	*tokens_ptr = NULL;
	assert(list_is_empty(&tokens->waits));
	token_renew_cancel(&tokens->renew);
	loop_timer_free(&tokens->timer);
	oauth2_keeper_free(&tokens->keeper);
	oauth2_token_done(&tokens->token);
	free(tokens->path);
	free(tokens);
}

void
tokens_rejected(struct tokens *tokens)
{
	if (tokens == NULL ||
	    !oauth2_keeper_rejected(tokens->keeper, loop_now()))
		return;
	/* Not from inside the login that was refused. */
	tokens->was_rejected = true;
	loop_timer_set(tokens->timer, loop_now());
}

void
tokens_reload(struct tokens *tokens)
{
	if (tokens == NULL)
		return;
	if (!load_if_changed(tokens))
		oauth2_keeper_retry(tokens->keeper, loop_now());
	turn(tokens);
}

void
tokens_hint(struct tokens *tokens)
{
	if (tokens == NULL)
		return;
	oauth2_keeper_hint(tokens->keeper, loop_now());
	turn(tokens);
}

bool
tokens_are_lost(const struct tokens *tokens)
{
	enum oauth2_keeper_state state;

	if (tokens == NULL)
		return false;
	state = oauth2_keeper_state(tokens->keeper);
	return state == OAUTH2_KEEPER_LOST || state == OAUTH2_KEEPER_ABSENT;
}

/* ---- for the person ---- */

struct json *
tokens_status(const struct tokens *tokens)
{
	struct json *json = json_new_object();
	const struct error *error = oauth2_keeper_error(tokens->keeper);
	usec_t end = oauth2_keeper_end(tokens->keeper);

	json_set_str(json, "state",
	    oauth2_keeper_state_name(oauth2_keeper_state(tokens->keeper)));
	json_set_time(json, "expires", end != 0 ? loop_unix_of(end) : 0);
	json_set_str(
	    json, "trouble", error->text[0] != '\0' ? error->text : NULL);
	return json;
}

void
tokens_ask(
    struct belfry *belfry, struct client *client, const struct json *request)
{
	const char *name = json_get_str(request, "account");
	struct running_account *account =
	    name != NULL ? accounts_find(belfry, name) : NULL;

	if (account == NULL || account->tokens == NULL) {
		control_refuse(client, "belfryctl reload",
		    "belfryd does not know yet that this account signs in so");
		return;
	}
	load_if_changed(account->tokens);
	turn(account->tokens);
	account->told_person = false;
	begin_anew(account);
	control_reply(client, json_new_object());
}
