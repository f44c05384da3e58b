/*
 * authres: the Authentication-Results field (RFC 8601 section 2.2).
 *
 * Anybody can write such a field into a message; only the name of the host
 * that wrote it, checked against a list, makes it worth reading.
 */
#ifndef BELFRY_RULES_AUTHRES_H
#define BELFRY_RULES_AUTHRES_H

#include "daemon/base/buf.h"
#include "daemon/base/strv.h"

/* One field, read. Comments and quoting are gone, so that what a sender put
 * into them cannot pass for a result. */
struct authres {
	struct buf text;
	struct span host; /* authserv-id; all spans are of `text` */
	struct span rest;
};

/* `field` is the raw, unfolded field body. Always succeeds; a field that is
 * none has an empty host and no results. */
void authres_init(struct authres *authres, struct span field);
void authres_done(struct authres *authres);
/* The next result, as "dkim" and "pass"; false when there is none left. */
bool authres_next(
    struct authres *authres, struct span *method_r, struct span *result_r);

#endif
