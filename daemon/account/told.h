/*
 * account/told: what a person was told today, so as not to say it again.
 *
 * Servers repeat their alerts at each login, and on each connection. Of
 * TOLD_MAX texts the oldest is forgotten first; a text counts as told for
 * TOLD_USEC. By value, zeroed at first; it has no memory of its own before the
 * first text. Texts are kept as digests.
 */
#ifndef BELFRY_ACCOUNT_TOLD_H
#define BELFRY_ACCOUNT_TOLD_H

#include "daemon/base/span.h"
#include "daemon/base/usec.h"

#define TOLD_MAX 16
#define TOLD_USEC USEC_DAY

struct told_item {
	uint64_t digest;
	usec_t at;
};

struct told {
	struct told_item *items; /* owned, TOLD_MAX; NULL: never had any */
	unsigned count, next;
};

void told_done(struct told *told);

/* Whether it was told within the day; if not, it is now. */
bool told_before(struct told *told, struct span text, usec_t now);

#endif
