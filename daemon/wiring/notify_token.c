/*
 * wiring: the token that a webhook sends along: what its command printed, asked
 * for again when the service refuses it.
 */
#include "daemon/wiring/notify_webhook.h"

static void
on_token(void *ctx, const struct child_result *result)
{
	struct token *token = ctx;
	struct error error = ERROR_INIT;
	bool ok = false;

	token->child = NULL;
	if (result->started)
		ok = secret_from_output(token->argv.items[0], result->status,
		    result->timed_out, result->output, result->errors,
		    &token->secret, &error);
	else
		error = result->error;
	token->is_fresh = ok;
	token->go_on(token->notifier, ok ? NULL : &error);
}

void
token_ask(struct token *token)
{
	const struct child_config config = {
	    .argv = &token->argv,
	    .limit = SECRET_COMMAND_USEC,
	    .secret = true,
	};

	if (token->argv.len == 0 || token->secret.len > 0)
		token->go_on(token->notifier, NULL);
	else
		token->child = child_run(token->notifier->notify->belfry->loop,
		    &config, on_token, token);
}

bool
token_is_worth_another(struct token *token, unsigned status)
{
	bool is_refused = status == 401 || status == 403;

	if (!is_refused || token->secret.len == 0 || token->is_fresh)
		return false;
	secret_wipe(&token->secret);
	return true;
}

void
token_wipe_headers(struct strv *headers)
{
	for (size_t i = 0; i < headers->len; i++)
		memory_wipe(headers->items[i], strlen(headers->items[i]));
	strv_done(headers);
}

/* Gotify wants another one for posting. */
void
token_add(const struct notifier *notifier, const struct token *token,
    struct strv *headers)
{
	struct span name, rest;
	struct strv others = STRV_INIT;

	if (token->secret.len == 0)
		return;
	char *field =
	    webhook_token_header(notifier->format, secret_span(&token->secret));
	rest = span_from_str(field);
	span_split(&rest, ':', &name);
	STR_AUTO prefix = xasprintf("%.*s:", (int)name.len, name.data);
	for (size_t i = 0; i < headers->len; i++)
		if (!span_starts_nocase(
			span_from_str(headers->items[i]), prefix))
			strv_add(&others, headers->items[i]);
	strv_take(&others, field);
	token_wipe_headers(headers);
	*headers = others;
}

void
token_init(struct token *token, struct notifier *notifier,
    const struct strv *argv,
    void (*go_on)(struct notifier *, const struct error *))
{
	token->notifier = notifier;
	token->go_on = go_on;
	strv_copy(&token->argv, argv);
}

void
token_done(struct token *token)
{
	child_cancel(&token->child);
	secret_wipe(&token->secret);
	strv_done(&token->argv);
}
