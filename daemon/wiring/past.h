/*
 * wiring/past: messages of the history, copied, as the store cannot be asked
 * anything else while it tells of them.
 */
#ifndef BELFRY_WIRING_PAST_H
#define BELFRY_WIRING_PAST_H

#include "daemon/store/store.h"

struct past {
	struct store_message message;
	struct store_effect *effects; /* owned, and all strings */
	size_t count;
};

void past_copy(struct past *past, const struct store_message *message,
    const struct store_effect *effects, size_t count);
void past_done(struct past *past);
/* The message with this key. False: the history does not know it, or cannot be
 * read. */
bool past_find(
    struct store *store, const struct store_key *key, struct past *past_r);

#endif
