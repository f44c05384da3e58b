/*
 * oauth2/token: what is kept of a permission, as a file has it.
 *
 * One JSON document: the tokens, how long the access token lives, and whom
 * they are for. A token that was made for another client id, server, scope or
 * user is none of this account's (oauth2_token_fits).
 */
#ifndef BELFRY_OAUTH2_TOKEN_H
#define BELFRY_OAUTH2_TOKEN_H

#include "daemon/oauth2/answer.h"
#include "daemon/oauth2/request.h"

#define OAUTH2_FILE_MAX (128 * 1024) /* bytes */
#define OAUTH2_FILE_VERSION 1

/* Strings are owned. */
struct oauth2_token {
	struct secret access, refresh;	     /* either may be empty */
	int64_t obtained_unix, expires_unix; /* the access token */
	char *granted;			     /* scope; NULL: as asked for */
	/* Whom it is for. */
	char *client_id, *token_url, *scope, *user;
};

#define OAUTH2_TOKEN_INIT                                                      \
	{                                                                      \
		.access = SECRET_INIT, .refresh = SECRET_INIT                  \
	}

void oauth2_token_done(struct oauth2_token *token);
/* A copy of its own. */
void oauth2_token_copy(
    struct oauth2_token *token_r, const struct oauth2_token *from);

/* Appends the document; wipe it. */
void oauth2_token_format(const struct oauth2_token *token, struct buf *out);
/* False: it is no such document (FAULT_LOCAL). */
bool oauth2_token_parse(
    struct span text, struct oauth2_token *token_r, struct error *error_r);

/* Whether it is for that client and user. */
bool oauth2_token_fits(
    const struct oauth2_token *token, const struct oauth2_client *client);
/* What an answer of the kind OAUTH2_TOKEN makes of it (RFC 6749 section 6: no
 * new refresh token means that the old one stays). */
void oauth2_token_renew(struct oauth2_token *token,
    const struct oauth2_answer *answer, int64_t now_unix);
/* The same of a sign-in: for this client and user from now on. */
void oauth2_token_take(struct oauth2_token *token,
    const struct oauth2_answer *answer, const struct oauth2_client *client,
    int64_t now_unix);
/* Seconds that the access token still has; 0: none, or the clock was turned
 * back to before it was made, and nobody knows. */
int64_t oauth2_token_left(const struct oauth2_token *token, int64_t now_unix);
/* Of the scope that was asked for, what was not granted; malloc'ed. NULL: all
 * was, or nobody knows. */
char *oauth2_token_missing(const struct oauth2_token *token);
/* Seconds that it had when it was made. */
int64_t oauth2_token_life(const struct oauth2_token *token);

#endif
