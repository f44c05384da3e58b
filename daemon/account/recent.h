/*
 * account/recent: a bounded set of names, each with the last time that it was
 * heard of.
 *
 * It holds a digest of each name, not the name: 16 bytes, twice that with the
 * free room of the table. Above RECENT_MAX the ones that were silent for
 * longest are dropped, a tenth of them at a time.
 */
#ifndef BELFRY_ACCOUNT_RECENT_H
#define BELFRY_ACCOUNT_RECENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/span.h"

#define RECENT_MAX 100000

struct recent;

struct recent *recent_new(void);
/* NULL-safe; clears the pointer. */
void recent_free(struct recent **recent);
/* Or renews when it was last heard of; never makes it older. An empty name
 * is not added. */
void recent_add(struct recent *recent, struct span name, int64_t when_unix);
/* False for an empty name. */
bool recent_has(const struct recent *recent, struct span name);

/* The same for who asks several sets, or several times: the name's digest,
 * whose making is most of the work; 0 for an empty name, and for no other. */
uint64_t recent_key(struct span name);
void recent_add_key(struct recent *recent, uint64_t key, int64_t when_unix);
bool recent_has_key(const struct recent *recent, uint64_t key);

size_t recent_count(const struct recent *recent);

#endif
