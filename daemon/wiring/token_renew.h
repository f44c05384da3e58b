/*
 * wiring/token_renew: one access token made anew, or taken from who was faster:
 * for belfryd and for `belfryctl doctor`.
 *
 * Takes the lock of the file and reads it again; then asks the provider, and
 * gives the token only when it is on the disk. A disk that refuses it is tried
 * again for as long as it takes, as what the provider gave may be the only one.
 */
#ifndef BELFRY_WIRING_TOKEN_RENEW_H
#define BELFRY_WIRING_TOKEN_RENEW_H

#include "daemon/loop/loop.h"
#include "daemon/wiring/token_file.h"

struct token_renewal {
	enum oauth2_kind kind;		  /* OAUTH2_TOKEN: a good one */
	const struct oauth2_token *token; /* borrowed; NULL: none */
	bool is_anothers;   /* another process had asked for it already */
	usec_t retry_after; /* as the provider wants, or 0 */
	struct error error;
};

struct token_renew;

/* Called once, from the loop; the renew is freed after it. */
typedef void token_renew_fn(void *ctx, const struct token_renewal *renewal);
/* The disk does not take it; it goes on. */
typedef void token_trouble_fn(void *ctx, const struct error *error);

struct token_renew_config {
	struct loop *loop;
	const struct config_account *account; /* as long as it runs */
	const char *path;		      /* copied */
	/* The access token that is not wanted any more; copied. Any other one
	 * in the file that lives is a new one. */
	struct span old;
	token_renew_fn *done;
	token_trouble_fn *trouble; /* may be NULL */
	void *ctx;
};

struct token_renew *token_renew_start(const struct token_renew_config *config);
/* Whether a provider was asked, for anybody, and its answer is not on the disk
 * yet: it may be the only token, and the loop should go on. */
bool token_renew_any_asking(void);
/* Neither `done` nor `trouble` is called any more, and the account may go. One
 * that is asking goes on to its end, or that of the loop. NULL-safe. */
void token_renew_cancel(struct token_renew **renew);

#endif
