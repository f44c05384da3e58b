/*
 * account/judging: which messages are being judged at the moment, and by whom.
 *
 * Two connections may see the same message at the same time, in two mailboxes.
 * The first one begins; the other waits until the plan of the first is durable
 * or was dropped, and then knows what was asked there (account/arrivals.h).
 *
 * One for all mailboxes of an account. It holds what is in their windows and in
 * their commits, about 32 bytes a message, and nothing else: each begin has one
 * end.
 */
#ifndef BELFRY_ACCOUNT_JUDGING_H
#define BELFRY_ACCOUNT_JUDGING_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/span.h"

struct judging;

struct judging *judging_new(void);
/* NULL-safe; clears the pointer. */
void judging_free(struct judging **judging);
/* False: another one is at it. `who` is compared only. It may begin with the
 * same message twice, and ends twice then. An empty name is nobody's: true. */
bool judging_begin(
    struct judging *judging, struct span identity, const void *who);
/* Of whoever began. A name that is not there changes nothing. */
void judging_end(struct judging *judging, struct span identity);
bool judging_is_by_other(
    const struct judging *judging, struct span identity, const void *who);
/* How many messages. */
size_t judging_count(const struct judging *judging);

#endif
