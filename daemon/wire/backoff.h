/*
 * backoff: when to try again, by cause.
 *
 * Each cause has its own ladder (in backoff.c, a table): network trouble is
 * retried fast (2 s, 5 s, 10 s, 30 s, 1 min, 5 min), limits and throttling
 * slowly (1, 5, 15 min), credentials and certificates once an hour, a peer
 * that breaks the protocol or is in trouble from 30 s to 15 min. Every wait is
 * jittered by 20 percent with the caller's seeded generator. Only
 * backoff_succeeded (a finished catch-up, an accepted message) starts the
 * ladders anew: a connection that merely opened does not.
 */
#ifndef BELFRY_WIRE_BACKOFF_H
#define BELFRY_WIRE_BACKOFF_H

#include "daemon/base/error.h"
#include "daemon/base/random.h"
#include "daemon/base/usec.h"

enum backoff_cause {
	BACKOFF_NETWORK,
	BACKOFF_LIMIT,
	BACKOFF_CREDENTIALS,
	BACKOFF_SERVER,
	BACKOFF_CAUSES
};

struct backoff {
	struct random *random; /* borrowed */
	unsigned step[BACKOFF_CAUSES];
};

void backoff_init(struct backoff *backoff, struct random *random);
/* The wait before the next try after a failure of this cause. */
usec_t backoff_failed(struct backoff *backoff, enum backoff_cause cause);
void backoff_succeeded(struct backoff *backoff);
/* The ladder of one cause starts anew: it may be over. */
void backoff_restart(struct backoff *backoff, enum backoff_cause cause);
/* FAULT_RETRY and FAULT_LOCAL: network; FAULT_AUTH, FAULT_CONFIG:
 * credentials; FAULT_LIMIT: limit; FAULT_PEER: server. */
enum backoff_cause backoff_cause_of(enum fault fault);
/* The shortest wait that this cause can ever give, jitter included: the
 * floor that tests hold the daemon to. */
usec_t backoff_floor(enum backoff_cause cause);

#endif
