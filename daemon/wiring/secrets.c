#include "daemon/base/xalloc.h"
#include "daemon/wiring/belfry.h"
#include "daemon/wiring/tokens.h"

struct secret_wait {
	struct belfry *belfry;
	const struct config_account *account;
	secret_fn *fn;
	void *ctx;
	struct child *child;
	struct token_wait *token;
	struct loop_timer *timer; /* for sources that need no waiting */
};

static void
answer(struct secret_wait *wait, const struct secret *secret,
    const struct error *error)
{
	secret_fn *fn = wait->fn;
	void *ctx = wait->ctx;

	loop_timer_free(&wait->timer);
	free(wait);
	fn(ctx, secret, error);
}

static void
on_command(void *ctx, const struct child_result *result)
{
	struct secret_wait *wait = ctx;
	struct secret secret = SECRET_INIT;
	struct error error = ERROR_INIT;
	bool ok;

	wait->child = NULL;
	if (result->started)
		ok = secret_from_output(wait->account->secret.argv.items[0],
		    result->status, result->timed_out, result->output,
		    result->errors, &secret, &error);
	else
		ok = error_set(&error,
		    result->error.fault == FAULT_RETRY ? FAULT_RETRY
						       : FAULT_AUTH,
		    "%s", result->error.text);
	if (ok && wait->account->auth == CONFIG_AUTH_OAUTH2)
		ok = secret_check_token(wait->account->secret.argv.items[0],
		    secret_span(&secret), &error);
	if (!ok && wait->account->secret.kind == SECRET_COMMAND)
		error_prefix(&error, "%s",
		    wait->account->auth == CONFIG_AUTH_OAUTH2
			? "token_command"
			: "password_command");
	answer(wait, ok ? &secret : NULL, ok ? NULL : &error);
	secret_wipe(&secret);
}

static void
from_credential(struct secret_wait *wait)
{
	struct secret secret = SECRET_INIT;
	struct error error = ERROR_INIT;
	bool ok = secret_from_credential(getenv("CREDENTIALS_DIRECTORY"),
	    wait->account->secret.credential, &secret, &error);

	answer(wait, ok ? &secret : NULL, ok ? NULL : &error);
	secret_wipe(&secret);
}

static void
on_token(void *ctx, const struct secret *secret, const struct error *error)
{
	struct secret_wait *wait = ctx;

	wait->token = NULL;
	answer(wait, secret, error);
}

/* Not at once, so that nobody is called back inside the call that asked. */
static void
on_soon(void *ctx)
{
	struct secret_wait *wait = ctx;
	static const struct secret none = SECRET_INIT;

	switch (wait->account->secret.kind) {
	case SECRET_CREDENTIAL:
		from_credential(wait);
		break;
	case SECRET_LITERAL:
		answer(wait, &wait->account->secret.literal, NULL);
		break;
	case SECRET_NONE:
	case SECRET_COMMAND:
	case SECRET_KEYRING:
	case SECRET_SIGN_IN:
		answer(wait, &none, NULL);
		break;
	}
}

struct secret_wait *
secret_ask(struct belfry *belfry, const struct config_account *account,
    secret_fn *fn, void *ctx)
{
	struct secret_wait *wait = NEW(struct secret_wait);
	enum secret_kind kind = account->secret.kind;

	*wait = (struct secret_wait){
	    .belfry = belfry, .account = account, .fn = fn, .ctx = ctx};
	if (kind == SECRET_COMMAND || kind == SECRET_KEYRING) {
		const struct child_config config = {
		    .argv = &account->secret.argv,
		    .limit = SECRET_COMMAND_USEC,
		    .secret = true,
		};
		wait->child =
		    child_run(belfry->loop, &config, on_command, wait);
		return wait;
	}
	if (kind == SECRET_SIGN_IN) {
		struct running_account *running =
		    accounts_find(belfry, account->name);
		wait->token = token_wait_new(running->tokens, on_token, wait);
		return wait;
	}
	wait->timer = loop_timer_new(belfry->loop, on_soon, wait);
	loop_timer_set(wait->timer, loop_now());
	return wait;
}

void
secret_cancel(struct secret_wait **wait)
{
	if (*wait == NULL)
		return;
	child_cancel(&(*wait)->child);
	token_wait_cancel(&(*wait)->token);
	loop_timer_free(&(*wait)->timer);
	free(*wait);
	*wait = NULL;
}
