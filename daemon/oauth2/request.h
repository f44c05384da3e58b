/*
 * oauth2/request: what is said to an authorization server.
 *
 * Forms (application/x-www-form-urlencoded, RFC 6749 appendix B) for its token
 * and device endpoints, and the address that the person's browser opens. All
 * of them are appended; what holds a secret is the caller's to wipe.
 */
#ifndef BELFRY_OAUTH2_REQUEST_H
#define BELFRY_OAUTH2_REQUEST_H

#include "daemon/base/buf.h"
#include "daemon/oauth2/provider.h"

#define OAUTH2_FORM_TYPE "Content-Type: application/x-www-form-urlencoded"
#define OAUTH2_ACCEPT "Accept: application/json"

/* Random bytes behind a state and a verifier (RFC 7636 section 4.1). */
#define OAUTH2_STATE_BYTES 16
#define OAUTH2_VERIFIER_BYTES 32

/* Who asks whom; all borrowed. */
struct oauth2_client {
	const struct oauth2_provider *provider; /* never NULL */
	const char *id;
	struct span secret; /* empty: a public client */
	const char *scope, *user;
	const char *authorize_url, *token_url, *device_url; /* or NULL */
};

/* RFC 4648 section 5, without padding: fit for a state or a verifier. */
void oauth2_add_base64url(struct buf *out, struct span bytes);
/* Without telling by the time it takes where they differ. */
bool oauth2_is_same(struct span a, struct span b);

/* RFC 6749 section 4.1.1, RFC 7636 section 4.3. */
void oauth2_add_authorize_url(struct buf *out,
    const struct oauth2_client *client, const char *redirect_uri,
    struct span state, struct span verifier);
/* RFC 6749 section 4.1.3, RFC 7636 section 4.5. */
void oauth2_add_code_form(struct buf *out, const struct oauth2_client *client,
    const char *redirect_uri, struct span code, struct span verifier);
/* RFC 6749 section 6. */
void oauth2_add_refresh_form(struct buf *out,
    const struct oauth2_client *client, struct span refresh_token);
/* RFC 8628 sections 3.1 and 3.4. */
void oauth2_add_device_form(
    struct buf *out, const struct oauth2_client *client);
void oauth2_add_poll_form(struct buf *out, const struct oauth2_client *client,
    struct span device_code);

/* A value out of a query or form: percent signs and "+" undone. False: it is
 * not well-formed, or has a control character in it. */
bool oauth2_decode(struct span text, struct buf *out);

#endif
