/* The token of an account that signs in by itself: is there one, for what, how
 * long, and can it be renewed? */
#include "daemon/base/xalloc.h"
#include "daemon/wiring/checkup_private.h"
#include "daemon/wiring/token_renew.h"

/* A renewal waits for the lock, a command, and the provider. */
#define PATIENCE_TIMES 5

struct renewal {
	struct checkup *checkup;
	bool done;
	enum oauth2_kind kind;
	int64_t left;
	struct error error;
};

static void
on_renewed(void *ctx, const struct token_renewal *result)
{
	struct renewal *renewal = ctx;

	renewal->done = true;
	renewal->kind = result->kind;
	renewal->error = result->error;
	if (result->token != NULL) {
		secret_set(&renewal->checkup->secret,
		    secret_span(&result->token->access));
		renewal->left =
		    oauth2_token_left(result->token, loop_now_unix());
	}
	checkup_wake(renewal->checkup);
}

static void
renew(struct renewal *renewal, const char *path, struct span old)
{
	struct checkup *checkup = renewal->checkup;
	const struct token_renew_config config = {
	    .loop = checkup->loop,
	    .account = checkup->account,
	    .path = path,
	    .old = old,
	    .done = on_renewed,
	    .ctx = renewal,
	};
	struct token_renew *renew = token_renew_start(&config);

	for (int i = 0; i < PATIENCE_TIMES && !renewal->done; i++)
		checkup_wait(checkup, &renewal->done);
	if (renewal->done)
		return;
	token_renew_cancel(&renew);
	renewal->kind = OAUTH2_BUSY;
	error_set(&renewal->error, FAULT_RETRY,
	    "the provider did not answer in time");
}

static void
tell_bad(struct checkup *checkup, const char *tried, const char *text)
{
	struct doctor_facts facts =
	    checkup_facts(checkup, DOCTOR_HERE, DOCTOR_SECRET);

	facts.fault = FAULT_AUTH;
	facts.text = text;
	checkup_bad(checkup, &facts, tried, text);
}

static void
tell_good(struct checkup *checkup, const char *tried, int64_t left,
    bool is_renewed, bool can_renew)
{
	BUF_AUTO life = BUF_INIT;

	usec_format(&life, (usec_t)left * USEC_SEC);
	checkup_good(checkup, DOCTOR_HERE, DOCTOR_SECRET, tried,
	    "%s, good for %s%s", is_renewed ? "renewed" : "there",
	    buf_str(&life), can_renew ? "" : "; it cannot be renewed");
}

/* What was not granted, and what could not be renewed now, do not hinder the
 * login. */
static bool
look(struct checkup *checkup, const char *tried, const char *path,
    const struct oauth2_token *token)
{
	struct renewal renewal = {.checkup = checkup};
	int64_t left = oauth2_token_left(token, loop_now_unix());
	bool can_renew = token->refresh.len > 0;
	STR_AUTO missing = oauth2_token_missing(token);

	if (can_renew && (left == 0 || !checkup->config->is_new))
		renew(&renewal, path, secret_span(&token->access));
	else
		secret_set(&checkup->secret, secret_span(&token->access));
	if (renewal.error.fault != FAULT_NONE)
		tell_bad(checkup, tried, renewal.error.text);
	else if (!renewal.done && left == 0)
		tell_bad(checkup, tried,
		    "the token has ended, and the provider gave none to renew "
		    "it with");
	else
		tell_good(checkup, tried, renewal.done ? renewal.left : left,
		    renewal.done, can_renew);
	if (missing != NULL) {
		STR_AUTO text = xasprintf("not granted: %s", missing);
		tell_bad(checkup, "scope", text);
	}
	if (renewal.kind == OAUTH2_BUSY || renewal.kind == OAUTH2_GARBAGE)
		secret_set(&checkup->secret, secret_span(&token->access));
	return checkup->secret.len > 0 &&
	       (left > 0 || renewal.kind == OAUTH2_TOKEN);
}

bool
checkup_token(struct checkup *checkup)
{
	STR_AUTO path = token_file_path(
	    checkup->config->state_directory, checkup->account->name);
	STR_AUTO tried = xasprintf(
	    "sign-in at %s", checkup->account->oauth2->provider->name);
	struct oauth2_token token = OAUTH2_TOKEN_INIT;
	struct error error = ERROR_INIT;
	bool ok = token_file_read(path, checkup->account, &token, &error);

	if (ok)
		ok = look(checkup, tried, path, &token);
	else
		tell_bad(checkup, tried, error.text);
	oauth2_token_done(&token);
	return ok;
}
