/*
 * wiring/discovery: setup/discover's questions, asked: DNS, HTTPS, and who
 * answers on a port. In a loop of its own, until all is known.
 */
#ifndef BELFRY_WIRING_DISCOVERY_H
#define BELFRY_WIRING_DISCOVERY_H

#include "daemon/setup/discover.h"

/* One document. */
#define DISCOVERY_FETCH_USEC (10 * USEC_SEC)
/* All of it: somebody waits. */
#define DISCOVERY_USEC (45 * USEC_SEC)

struct discovery_config {
	const char *address;
	const char *ca_file; /* NULL: the system's */
	bool ask_list;	     /* Thunderbird's list, too */
	/* May this host, on another site, be asked? NULL: no. */
	bool (*consent)(void *ctx, const char *host, const char *url);
	/* What is asked now, for a person who waits; may be NULL. */
	void (*asking)(void *ctx, const struct discover_step *step);
	void *ctx;
};

/* NULL and FAULT_CONFIG: no address, or the CA file is none. Else the engine
 * at its end, with what was found, or not; the caller frees it. It ends early
 * (result->is_stopped) where no name server answers, which the root's name
 * tells from a domain whose records are broken, and at DISCOVERY_USEC. */
struct discover *discovery_run(
    const struct discovery_config *config, struct error *error_r);

#endif
