/*
 * backoff: when to try again, by cause.
 */
#include "daemon/wire/backoff.h"

#include <assert.h>

#define STEPS_MAX 6
#define JITTER_PERCENT 20

/* The last step is repeated. */
struct ladder {
	unsigned count;
	usec_t waits[STEPS_MAX];
};

static const struct ladder ladders[BACKOFF_CAUSES] = {
    [BACKOFF_NETWORK] = {6,
	{2 * USEC_SEC, 5 * USEC_SEC, 10 * USEC_SEC, 30 * USEC_SEC,
	    1 * USEC_MINUTE, 5 * USEC_MINUTE}},
    [BACKOFF_LIMIT] = {3, {1 * USEC_MINUTE, 5 * USEC_MINUTE, 15 * USEC_MINUTE}},
    [BACKOFF_CREDENTIALS] = {1, {1 * USEC_HOUR}},
    [BACKOFF_SERVER] = {5, {30 * USEC_SEC, 1 * USEC_MINUTE, 2 * USEC_MINUTE,
			       5 * USEC_MINUTE, 15 * USEC_MINUTE}},
};

void
backoff_init(struct backoff *backoff, struct random *random)
{
	backoff->random = random;
	backoff_succeeded(backoff);
}

usec_t
backoff_failed(struct backoff *backoff, enum backoff_cause cause)
{
	const struct ladder *ladder;
	unsigned *step;
	usec_t wait;

	assert((unsigned)cause < BACKOFF_CAUSES);
	ladder = &ladders[cause];
	step = &backoff->step[cause];
	wait = ladder->waits[*step];
	if (*step + 1 < ladder->count)
		(*step)++;
	return random_jitter(backoff->random, wait, JITTER_PERCENT);
}

void
backoff_succeeded(struct backoff *backoff)
{
	for (unsigned cause = 0; cause < BACKOFF_CAUSES; cause++)
		backoff->step[cause] = 0;
}

void
backoff_restart(struct backoff *backoff, enum backoff_cause cause)
{
	assert((unsigned)cause < BACKOFF_CAUSES);
	backoff->step[cause] = 0;
}

enum backoff_cause
backoff_cause_of(enum fault fault)
{
	static const enum backoff_cause causes[FAULT_COUNT] = {
	    [FAULT_NONE] = BACKOFF_NETWORK,
	    [FAULT_RETRY] = BACKOFF_NETWORK,
	    [FAULT_AUTH] = BACKOFF_CREDENTIALS,
	    [FAULT_PEER] = BACKOFF_SERVER,
	    [FAULT_LIMIT] = BACKOFF_LIMIT,
	    [FAULT_CONFIG] = BACKOFF_CREDENTIALS,
	    [FAULT_LOCAL] = BACKOFF_NETWORK,
	};

	assert((unsigned)fault < FAULT_COUNT);
	return causes[fault];
}

usec_t
backoff_floor(enum backoff_cause cause)
{
	assert((unsigned)cause < BACKOFF_CAUSES);
	return ladders[cause].waits[0] / 100 * (100 - JITTER_PERCENT);
}
