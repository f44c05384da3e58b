/*
 * sim/world: the account engine against a model server, on a virtual clock,
 * with seeded faults. A seed is a run: the same seed gives the same run.
 *
 * What happens, by the seed: messages of several kinds arrive (each kind is
 * met by another rule); links have latency, cut their bytes anywhere, break,
 * or fall silent; the machine sleeps, with all its timers due and all its
 * links half-open at the end; the network changes; the server says BYE, runs
 * out of quota, refuses logins, loses IDLE, leaves out UIDNEXT or COPYUID, or
 * has neither MOVE nor UIDPLUS; another client removes messages; a run is begun
 * over messages that were there before first contact, in the watched mailbox or
 * in one that is only visited; the n-th commit fails; the daemon dies between
 * any two steps and starts again on the same store. In some worlds it looks for
 * other machines, for which a message must be appended; and one joins, and does
 * nothing.
 *
 * In "chaos" there is more: the server answers NO in the middle, leaves out
 * messages, tells one twice or in pieces, lets others act between two lines,
 * moves a part, copies when nobody waits any more (model_imap.h); the daemon
 * stays down for hours while mail comes, is read and removed; rules change, the
 * disk is full, the clock is wrong by days. What is judged is the same, and
 * nothing that was dealt with while the daemon was down rings.
 *
 * Then the faults stop, time goes on, and everything must have settled.
 *
 * "storm" is twelve hours of that, and "nat" one in which silent links are
 * forgotten on the way, as in some of the others; "year" is a year of an
 * account, with nights in which the machine sleeps, and "month" a twelfth of
 * it; in a "flood" 100,000 messages come while it does.
 */
#ifndef BELFRY_SIM_WORLD_H
#define BELFRY_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/sim/personality.h"

/* How long, how much, and what happens: world_happen.c. */
struct weather;
/* NULL: there is none of this name. */
const struct weather *world_weather_find(const char *name);

struct world_options {
	uint64_t seed;
	const struct weather *weather;	       /* NULL: a storm */
	bool verbose;			       /* print what happens */
	const struct personality *personality; /* NULL: by the seed */
};

struct world_result {
	bool ok;
	char why[1000];
	unsigned steps, messages, kills, cuts, failed_commits, logins;
	size_t account_bytes; /* the most that it had when it died */
};

void world_run(
    const struct world_options *options, struct world_result *result_r);

#endif
