/*
 * oauth2/provider: whose permission is asked for, and where.
 *
 * A row is what the provider has published; every value of it can be replaced
 * in the configuration. Belfry has no client id of its own: that is the
 * person's.
 */
#ifndef BELFRY_OAUTH2_PROVIDER_H
#define BELFRY_OAUTH2_PROVIDER_H

#include "daemon/base/span.h"

/* How the person signs in. */
enum oauth2_flow {
	OAUTH2_BROWSER, /* RFC 8252, with PKCE (RFC 7636) */
	OAUTH2_DEVICE,	/* RFC 8628: a code, typed in at any browser */
};

/* Bytes of a client id, user, token URL or scope that the file of a token keeps
 * (oauth2/token.h): no longer one may be. */
#define OAUTH2_KEPT_MAX 2048

/* What stands for the tenant in an address of the table. */
#define OAUTH2_TENANT "{tenant}"

/* Static, all of it. */
struct oauth2_provider {
	const char *id;	  /* for `oauth2_provider =`, and preset::oauth */
	const char *name; /* for people */
	const char *authorize_url, *token_url;
	const char *device_url; /* NULL: there is none for mail */
	const char *scope;	/* IMAP, SMTP, and a refresh token */
	const char *extra;	/* "name=value&...", for the browser; NULL */
	const char *tenant;	/* the usual one; NULL: there are none */
	enum oauth2_flow flow;	/* the better one */
	/* The host of the redirect: 127.0.0.1, or "localhost" where only that
	 * may have any port. */
	const char *redirect_host;
	const char *register_url; /* where a client id is made; NULL */
};

/* The table: NULL behind its end. */
const struct oauth2_provider *oauth2_providers_at(size_t index);
/* By id, ASCII case ignored. NULL: none. */
const struct oauth2_provider *oauth2_providers_find(struct span id);
const char *oauth2_providers_nearest(struct span id);

#endif
