/*
 * wiring/sign_in: a person signs in, and a token is kept: for belfryctl.
 *
 * Takes as long as the person takes, in an event loop of its own, up to a
 * limit. Nothing is kept before the provider gave a token; then it replaces
 * what was kept before.
 */
#ifndef BELFRY_WIRING_SIGN_IN_H
#define BELFRY_WIRING_SIGN_IN_H

#include "daemon/wiring/token_file.h"

#define SIGN_IN_USEC (5 * USEC_MINUTE)

/* What the person is to do. Strings are borrowed. */
struct sign_in_task {
	enum oauth2_flow flow;
	const char *url; /* to be opened; by a device: where the code goes */
	bool is_opened;	 /* the browser was started */
	/* Of a device only. */
	const char *complete_url; /* with the code in it; or NULL */
	const char *user_code;
	int64_t life_sec;
};

struct sign_in_config {
	const struct config_account *account; /* with SECRET_SIGN_IN */
	const char *path;		      /* of the file */
	enum oauth2_flow flow;		      /* one that the account has */
	bool opens;    /* the browser, where there is one */
	unsigned port; /* 0: any */
	usec_t limit;  /* 0: SIGN_IN_USEC */
	void (*task)(void *ctx, const struct sign_in_task *task);
	void *ctx;
};

struct sign_in_result {
	int64_t expires_unix; /* the first token */
	bool can_renew;
	char *missing; /* of the scope, what was not granted; or NULL. Owned */
};

/* Whether the account has that way. */
bool sign_in_has(const struct config_account *account, enum oauth2_flow flow);
bool sign_in_run(const struct sign_in_config *config,
    struct sign_in_result *result_r, struct error *error_r);

#endif
