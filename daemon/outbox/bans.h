/*
 * outbox/bans: what is not tried any more until the person has looked.
 *
 * A server that takes no mail from the address of somebody else gets no other
 * redirected message; an address that was refused BANS_REFUSED_MAX times in a
 * row gets no more mail. Both would cost the account's good name, and no try
 * would fare better. Of BANS_TARGETS_MAX addresses the oldest is forgotten.
 */
#ifndef BELFRY_OUTBOX_BANS_H
#define BELFRY_OUTBOX_BANS_H

#include <stdbool.h>

#define BANS_REFUSED_MAX 3
#define BANS_TARGETS_MAX 16

struct bans {
	bool no_redirect;
	struct {
		char *target;
		unsigned refused;
	} targets[BANS_TARGETS_MAX];
	unsigned next;
};

/* Zeroed is empty; also makes it so. */
void bans_clear(struct bans *bans);
/* Why such a message is not tried; NULL: it may be. A constant. */
const char *bans_reason(
    const struct bans *bans, const char *target, const char *mode);
/* The address was refused (RCPT). */
void bans_note_refused(struct bans *bans, const char *target);
void bans_note_accepted(struct bans *bans, const char *target);

#endif
