/*
 * oauth2/keeper: when an access token is made anew: an engine.
 *
 * It holds no token, only times: its owner tells what was loaded, and what came
 * of each refresh; it says when to begin one, and whether the token may be
 * used. One refresh at a time.
 *
 *   ABSENT      nobody has signed in: wait for oauth2_keeper_loaded
 *   GOOD        refreshed from oauth2_keeper_ahead(life) before its end
 *   REFRESHING  REFRESH was said: oauth2_keeper_refreshed or _failed follows
 *   WAITING     a refresh failed: again after a back-off by cause, or as long
 *               as the provider wants; the old token is used while it lives
 *   LOST        the permission ended, or the configuration is refused: nothing
 *               is asked until oauth2_keeper_loaded or oauth2_keeper_retry
 *
 * Order: after any call pull events until there are none, and re-arm one timer
 * at the deadline. Time is that of wire/engine.h.
 */
#ifndef BELFRY_OAUTH2_KEEPER_H
#define BELFRY_OAUTH2_KEEPER_H

#include "daemon/base/error.h"
#include "daemon/base/random.h"
#include "daemon/base/usec.h"
#include "daemon/oauth2/answer.h"
#include "daemon/wire/backoff.h"

/* A refresh begins so long before the end, or a fifth of the life. */
#define OAUTH2_AHEAD_USEC (5 * USEC_MINUTE)
/* A token that ends so soon is not given to a login any more. */
#define OAUTH2_TAIL_USEC (2 * USEC_SEC)
/* Between two refreshes, but after a refused token; doubled with each token
 * that lives no longer, up to OAUTH2_AHEAD_USEC. */
#define OAUTH2_LEAST_USEC (5 * USEC_SEC)
/* After a server refused a token that should be good: so long no other refresh
 * is made for that reason. */
#define OAUTH2_DOUBT_USEC (10 * USEC_MINUTE)

enum oauth2_keeper_state {
	OAUTH2_KEEPER_ABSENT,
	OAUTH2_KEEPER_GOOD,
	OAUTH2_KEEPER_REFRESHING,
	OAUTH2_KEEPER_WAITING,
	OAUTH2_KEEPER_LOST,
	OAUTH2_KEEPER_STATES
};

/* May a login have the token? */
enum oauth2_keeper_word {
	OAUTH2_KEEPER_GIVE,
	OAUTH2_KEEPER_WAIT, /* a refresh is under way: ask again after it */
	OAUTH2_KEEPER_FAIL, /* oauth2_keeper_error says why */
};

enum oauth2_keeper_event {
	OAUTH2_KEEPER_NOTHING,
	OAUTH2_KEEPER_REFRESH, /* do it */
	OAUTH2_KEEPER_TELL,    /* the person, once: oauth2_keeper_error */
};

struct oauth2_keeper;

struct oauth2_keeper *oauth2_keeper_new(uint64_t seed);
void oauth2_keeper_free(struct oauth2_keeper **keeper);

/* What is kept now: the seconds that the access token still has and once had,
 * and whether there is a refresh token; both 0 and false: nothing. The error
 * says why there is nothing (may be NULL). In REFRESHING it is not heard: the
 * end of the refresh tells better. */
void oauth2_keeper_loaded(struct oauth2_keeper *keeper, int64_t left_sec,
    int64_t life_sec, bool can_refresh, const struct error *error, usec_t now);
/* The end of a refresh: a token came; it may have come from another process,
 * which was faster. */
void oauth2_keeper_refreshed(struct oauth2_keeper *keeper, int64_t left_sec,
    int64_t life_sec, bool can_refresh, usec_t now);
/* ... or none. `retry_after` as the provider asks, or 0. */
void oauth2_keeper_failed(struct oauth2_keeper *keeper, enum oauth2_kind kind,
    usec_t retry_after, const struct error *error, usec_t now);
/* A server refused the token in a login. True: it is not given any more, and
 * who asks gets another one, or why there is none yet; he may ask at once. */
bool oauth2_keeper_rejected(struct oauth2_keeper *keeper, usec_t now);
/* The person changed something: what was LOST is tried once more. */
void oauth2_keeper_retry(struct oauth2_keeper *keeper, usec_t now);
/* The network may be back, or the machine slept: WAITING ends, unless the
 * provider itself asked for the wait. */
void oauth2_keeper_hint(struct oauth2_keeper *keeper, usec_t now);

enum oauth2_keeper_word oauth2_keeper_ask(
    struct oauth2_keeper *keeper, usec_t now);
enum oauth2_keeper_event oauth2_keeper_next_event(struct oauth2_keeper *keeper);
usec_t oauth2_keeper_deadline(const struct oauth2_keeper *keeper);
void oauth2_keeper_tick(struct oauth2_keeper *keeper, usec_t now);

enum oauth2_keeper_state oauth2_keeper_state(
    const struct oauth2_keeper *keeper);
/* "good", "login-needed", ...: for logs and JSON; a constant. */
const char *oauth2_keeper_state_name(enum oauth2_keeper_state state);
/* Of the last failure; FAULT_NONE after a success. */
const struct error *oauth2_keeper_error(const struct oauth2_keeper *keeper);
/* When the token ends; 0: there is none. */
usec_t oauth2_keeper_end(const struct oauth2_keeper *keeper);
/* So long before its end a token of that life is made anew. */
usec_t oauth2_keeper_ahead(usec_t life);

#endif
