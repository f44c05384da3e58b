/*
 * wiring/tokens: the token of one account that signs in by itself (the engine
 * oauth2/keeper), joined with its file, the provider, and those who log in.
 */
#ifndef BELFRY_WIRING_TOKENS_H
#define BELFRY_WIRING_TOKENS_H

#include "daemon/wiring/belfry.h"

struct json;
struct client;
struct token_wait;

/* NULL: the account has its token from elsewhere, or none. All calls below
 * take NULL, and then do nothing. */
struct tokens *tokens_new(struct running_account *account);
void tokens_free(struct tokens **tokens);

/* `fn` is called once from the loop: with a token that is good now, or why
 * there is none. */
struct token_wait *token_wait_new(
    struct tokens *tokens, secret_fn *fn, void *ctx);
void token_wait_cancel(struct token_wait **wait);

/* A server refused it in a login. */
void tokens_rejected(struct tokens *tokens);
/* The configuration was read again: what was given up is tried once more. */
void tokens_reload(struct tokens *tokens);
/* The network may be back, or the machine slept. */
void tokens_hint(struct tokens *tokens);

/* The person has to sign in, and was told so. */
bool tokens_are_lost(const struct tokens *tokens);
/* For `status`; the caller's. Null for NULL. */
struct json *tokens_status(const struct tokens *tokens);
/* The command of belfryctl: there is another file now, or none. */
void tokens_ask(
    struct belfry *belfry, struct client *client, const struct json *request);

#endif
