/*
 * account/senders: whose mail was judged before, for `new-sender`.
 *
 * One set for all mailboxes of an account, filled from the store at start and
 * borrowed by the engine, as the limits are. ASCII case does not count. What is
 * kept of an address, and what is dropped above SENDERS_MAX: account/recent.h.
 */
#ifndef BELFRY_ACCOUNT_SENDERS_H
#define BELFRY_ACCOUNT_SENDERS_H

#include "daemon/base/error.h"
#include "daemon/base/span.h"
#include "daemon/store/store.h"

#define SENDERS_MAX STORE_SENDERS_MAX

struct senders;

struct senders *senders_new(void);
void senders_free(struct senders **senders);
/* Adds what the store knows of this account. */
bool senders_load(struct senders *senders, struct store *store,
    const char *account, struct error *error_r);
/* Or renews when it was last heard of; never makes it older. An empty address
 * is not added. */
void senders_add(
    struct senders *senders, struct span address, int64_t when_unix);
/* False for an empty address. */
bool senders_has(const struct senders *senders, struct span address);
/* The same of an address that several sets are asked for; 0: it is empty. */
uint64_t senders_key(struct span address);
void senders_add_key(struct senders *senders, uint64_t key, int64_t when_unix);
bool senders_has_key(const struct senders *senders, uint64_t key);
size_t senders_count(const struct senders *senders);

#endif
