/*
 * account/told: what a person was told today, so as not to say it again.
 *
 * Servers repeat their alerts at each login, and on each connection. Of
 * TOLD_MAX texts the oldest is forgotten first; a text counts as told for
 * TOLD_USEC. By value, zeroed at first, no destructor; texts are kept as
 * digests.
 */
#ifndef BELFRY_ACCOUNT_TOLD_H
#define BELFRY_ACCOUNT_TOLD_H

#include "daemon/base/span.h"
#include "daemon/base/usec.h"

#define TOLD_MAX 16
#define TOLD_USEC USEC_DAY

struct told {
	struct {
		uint64_t digest;
		usec_t at;
	} items[TOLD_MAX];
	unsigned count, next;
};

/* Whether it was told within the day; if not, it is now. */
bool told_before(struct told *told, struct span text, usec_t now);

#endif
