/*
 * oauth2/callback: what comes to the loopback redirect (RFC 8252 section 7.3).
 *
 * A browser brings the answer of the authorization server as a query (RFC 6749
 * section 4.1.2); anything else on this machine may connect, too, and say what
 * it likes. Only an answer with our state counts.
 */
#ifndef BELFRY_OAUTH2_CALLBACK_H
#define BELFRY_OAUTH2_CALLBACK_H

#include "daemon/base/buf.h"
#include "daemon/base/error.h"
#include "daemon/base/secret.h"
#include "daemon/oauth2/answer.h"

/* Bytes of a request, with its header. */
#define OAUTH2_CALLBACK_MAX (16 * 1024)

enum oauth2_callback_kind {
	OAUTH2_CALLBACK_MORE,	 /* it is not whole yet */
	OAUTH2_CALLBACK_FOREIGN, /* not an answer, or not to us: it is refused,
				    and the answer still awaited */
	OAUTH2_CALLBACK_CODE,
	OAUTH2_CALLBACK_FAILED, /* the server says so: `why`, `error` */
};

struct oauth2_callback {
	enum oauth2_callback_kind kind;
	unsigned status; /* of HTTP, for what is FOREIGN */
	struct secret code;
	enum oauth2_kind why;
	struct error error;
};

#define OAUTH2_CALLBACK_INIT                                                   \
	{                                                                      \
		.code = SECRET_INIT                                            \
	}

/* `request` is all that has come on one connection so far. */
void oauth2_callback_read(
    struct span request, struct span state, struct oauth2_callback *callback_r);
void oauth2_callback_done(struct oauth2_callback *callback);

/* The page for the browser, as a whole answer of HTTP. Nothing from outside is
 * in it. */
void oauth2_add_page(
    struct buf *out, unsigned status, const char *title, const char *text);

#endif
