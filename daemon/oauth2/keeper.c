#include "daemon/oauth2/keeper.h"

#include <assert.h>

#include "daemon/base/xalloc.h"

struct oauth2_keeper {
	enum oauth2_keeper_state state;
	usec_t deadline; /* of the state */
	usec_t end;	 /* of the access token; 0: there is none */
	bool is_told;	 /* the person, of the loss */
	bool can_refresh;
	bool is_rejected;      /* by a server, though it should be good */
	usec_t doubted;	       /* when one was last refreshed for that; 0 */
	usec_t refreshed;      /* when the last refresh ended well; 0 */
	unsigned short_lives;  /* in a row */
	bool is_asked_to_wait; /* WAITING, by the provider itself */
	bool wants_refresh, wants_tell; /* events */
	struct random random;
	struct backoff backoff;
	struct error error;
};

struct oauth2_keeper *
oauth2_keeper_new(uint64_t seed)
{
	struct oauth2_keeper *keeper = NEW(struct oauth2_keeper);

	random_init(&keeper->random, seed);
	backoff_init(&keeper->backoff, &keeper->random);
	keeper->deadline = USEC_NEVER;
	error_set(&keeper->error, FAULT_AUTH, "nobody has signed in yet");
	return keeper;
}

void
oauth2_keeper_free(struct oauth2_keeper **keeper)
{
	free(*keeper);
	*keeper = NULL;
}

/* ---- states ---- */

usec_t
oauth2_keeper_ahead(usec_t life)
{
	return usec_min(OAUTH2_AHEAD_USEC, life / 5);
}

/* Of a server whose tokens live for seconds it is asked ever less often. */
static usec_t
least_wait(const struct oauth2_keeper *keeper)
{
	usec_t least = OAUTH2_LEAST_USEC;

	for (unsigned i = 1;
	     i < keeper->short_lives && least < OAUTH2_AHEAD_USEC; i++)
		least *= 2;
	return usec_min(least, OAUTH2_AHEAD_USEC);
}

/* The only place that assigns the state. */
static void
enter(struct oauth2_keeper *keeper, enum oauth2_keeper_state state,
    usec_t deadline)
{
	keeper->state = state;
	keeper->deadline = deadline;
	keeper->wants_refresh = state == OAUTH2_KEEPER_REFRESHING;
	keeper->is_asked_to_wait = false;
}

static void
begin_refresh(struct oauth2_keeper *keeper, usec_t now)
{
	if (keeper->is_rejected)
		keeper->doubted = now;
	enter(keeper, OAUTH2_KEEPER_REFRESHING, USEC_NEVER);
}

static bool
is_alive(const struct oauth2_keeper *keeper, usec_t now)
{
	return keeper->end != 0 && !keeper->is_rejected &&
	       usec_add(now, OAUTH2_TAIL_USEC) < keeper->end;
}

/* What is there is good: when is the next one made? */
static void
become_good(struct oauth2_keeper *keeper, int64_t left_sec, int64_t life_sec,
    bool can_refresh, usec_t now)
{
	usec_t left = left_sec > 0 ? (usec_t)left_sec * USEC_SEC : 0;
	usec_t life = life_sec > left_sec ? (usec_t)life_sec * USEC_SEC : left;
	usec_t when;

	keeper->end = left > 0 ? usec_add(now, left) : 0;
	keeper->is_told = false;
	keeper->can_refresh = can_refresh;
	keeper->is_rejected = false;
	keeper->wants_tell = false;
	keeper->error = (struct error)ERROR_INIT;
	when =
	    left > 0 ? usec_since(oauth2_keeper_ahead(life), keeper->end) : now;
	if (keeper->refreshed != 0 &&
	    when < usec_add(keeper->refreshed, least_wait(keeper)))
		when = usec_add(keeper->refreshed, least_wait(keeper));
	enter(keeper, OAUTH2_KEEPER_GOOD, can_refresh ? when : USEC_NEVER);
}

/* The person is told once of each loss. */
static void
become_lost(struct oauth2_keeper *keeper, enum oauth2_keeper_state state,
    const struct error *error)
{
	keeper->wants_tell = !keeper->is_told;
	keeper->is_told = true;
	keeper->error = *error;
	keeper->error.fault = FAULT_AUTH;
	enter(keeper, state, USEC_NEVER);
}

/* ---- what happened ---- */

void
oauth2_keeper_loaded(struct oauth2_keeper *keeper, int64_t left_sec,
    int64_t life_sec, bool can_refresh, const struct error *error, usec_t now)
{
	static const struct error none = {
	    FAULT_AUTH, "nobody has signed in yet"};

	if (keeper->state == OAUTH2_KEEPER_REFRESHING)
		return;
	backoff_succeeded(&keeper->backoff);
	if (can_refresh || left_sec > 0) {
		become_good(keeper, left_sec, life_sec, can_refresh, now);
		return;
	}
	keeper->end = 0;
	keeper->can_refresh = false;
	become_lost(
	    keeper, OAUTH2_KEEPER_ABSENT, error != NULL ? error : &none);
}

void
oauth2_keeper_refreshed(struct oauth2_keeper *keeper, int64_t left_sec,
    int64_t life_sec, bool can_refresh, usec_t now)
{
	assert(keeper->state == OAUTH2_KEEPER_REFRESHING);
	backoff_succeeded(&keeper->backoff);
	if ((usec_t)life_sec * USEC_SEC < OAUTH2_AHEAD_USEC)
		keeper->short_lives++;
	else
		keeper->short_lives = 0;
	keeper->refreshed = now;
	become_good(keeper, left_sec, life_sec, can_refresh, now);
}

static usec_t
wait_after(struct oauth2_keeper *keeper, enum oauth2_kind kind,
    const struct error *error, usec_t retry_after)
{
	enum backoff_cause cause = backoff_cause_of(error->fault);
	usec_t wait;

	if (kind == OAUTH2_GARBAGE)
		cause = BACKOFF_SERVER;
	/* A certificate that is refused is no credential of the person. */
	if (cause == BACKOFF_CREDENTIALS)
		cause = BACKOFF_SERVER;
	/* Who says how long knows best; less than is wise is not believed. */
	if (retry_after != 0)
		cause = BACKOFF_NETWORK;
	wait = backoff_failed(&keeper->backoff, cause);
	return wait > retry_after ? wait : retry_after;
}

void
oauth2_keeper_failed(struct oauth2_keeper *keeper, enum oauth2_kind kind,
    usec_t retry_after, const struct error *error, usec_t now)
{
	assert(keeper->state == OAUTH2_KEEPER_REFRESHING);
	if (kind == OAUTH2_LOST || kind == OAUTH2_REFUSED ||
	    kind == OAUTH2_DENIED || kind == OAUTH2_EXPIRED) {
		become_lost(keeper, OAUTH2_KEEPER_LOST, error);
		return;
	}
	keeper->error = *error;
	keeper->error.fault = FAULT_RETRY;
	enter(keeper, OAUTH2_KEEPER_WAITING,
	    usec_add(now, wait_after(keeper, kind, error, retry_after)));
	keeper->is_asked_to_wait = retry_after != 0;
}

/* Another one is on its way already. */
static bool
is_making_another(const struct oauth2_keeper *keeper)
{
	return keeper->state == OAUTH2_KEEPER_REFRESHING ||
	       keeper->state == OAUTH2_KEEPER_WAITING;
}

bool
oauth2_keeper_rejected(struct oauth2_keeper *keeper, usec_t now)
{
	bool is_recent = keeper->doubted != 0 &&
			 usec_since(keeper->doubted, now) < OAUTH2_DOUBT_USEC;
	bool may_begin = keeper->state == OAUTH2_KEEPER_GOOD &&
			 keeper->can_refresh && !is_recent;

	if (!may_begin && !is_making_another(keeper))
		return false;
	keeper->is_rejected = true;
	return true;
}

void
oauth2_keeper_retry(struct oauth2_keeper *keeper, usec_t now)
{
	keeper->doubted = 0;
	if (keeper->state == OAUTH2_KEEPER_LOST && keeper->can_refresh)
		begin_refresh(keeper, now);
}

void
oauth2_keeper_hint(struct oauth2_keeper *keeper, usec_t now)
{
	if (keeper->state == OAUTH2_KEEPER_WAITING && !keeper->is_asked_to_wait)
		begin_refresh(keeper, now);
	else
		oauth2_keeper_tick(keeper, now);
}

/* ---- asking ---- */

/* It was made a moment ago, and is not good for long: another one would be no
 * better. */
static bool
is_short_by_design(const struct oauth2_keeper *keeper, usec_t now)
{
	return keeper->state == OAUTH2_KEEPER_GOOD && !keeper->is_rejected &&
	       keeper->refreshed != 0 &&
	       usec_since(keeper->refreshed, now) < least_wait(keeper);
}

/* For as long as it lives at all. */
static enum oauth2_keeper_word
give_short(struct oauth2_keeper *keeper, usec_t now)
{
	if (now < keeper->end)
		return OAUTH2_KEEPER_GIVE;
	error_set(&keeper->error, FAULT_RETRY,
	    "the provider gives tokens that end at once");
	return OAUTH2_KEEPER_FAIL;
}

enum oauth2_keeper_word
oauth2_keeper_ask(struct oauth2_keeper *keeper, usec_t now)
{
	oauth2_keeper_tick(keeper, now);
	if (is_alive(keeper, now))
		return OAUTH2_KEEPER_GIVE;
	if (keeper->can_refresh && is_short_by_design(keeper, now))
		return give_short(keeper, now);
	if (keeper->state == OAUTH2_KEEPER_GOOD && keeper->can_refresh)
		begin_refresh(keeper, now);
	if (keeper->state == OAUTH2_KEEPER_REFRESHING)
		return OAUTH2_KEEPER_WAIT;
	if (keeper->state == OAUTH2_KEEPER_GOOD) {
		static const struct error ended = {FAULT_AUTH,
		    "the token has ended, and the provider gave none to "
		    "renew it with"};
		become_lost(keeper, OAUTH2_KEEPER_LOST, &ended);
	}
	return OAUTH2_KEEPER_FAIL;
}

enum oauth2_keeper_event
oauth2_keeper_next_event(struct oauth2_keeper *keeper)
{
	if (keeper->wants_tell) {
		keeper->wants_tell = false;
		return OAUTH2_KEEPER_TELL;
	}
	if (keeper->wants_refresh) {
		keeper->wants_refresh = false;
		return OAUTH2_KEEPER_REFRESH;
	}
	return OAUTH2_KEEPER_NOTHING;
}

usec_t
oauth2_keeper_deadline(const struct oauth2_keeper *keeper)
{
	return keeper->deadline;
}

void
oauth2_keeper_tick(struct oauth2_keeper *keeper, usec_t now)
{
	if (now >= keeper->deadline)
		begin_refresh(keeper, now);
}

/* ---- looking ---- */

enum oauth2_keeper_state
oauth2_keeper_state(const struct oauth2_keeper *keeper)
{
	return keeper->state;
}

const char *
oauth2_keeper_state_name(enum oauth2_keeper_state state)
{
	static const char *const names[OAUTH2_KEEPER_STATES] = {
	    [OAUTH2_KEEPER_ABSENT] = "login-needed",
	    [OAUTH2_KEEPER_GOOD] = "good",
	    [OAUTH2_KEEPER_REFRESHING] = "refreshing",
	    [OAUTH2_KEEPER_WAITING] = "waiting",
	    [OAUTH2_KEEPER_LOST] = "login-needed",
	};

	return names[state];
}

const struct error *
oauth2_keeper_error(const struct oauth2_keeper *keeper)
{
	return &keeper->error;
}

usec_t
oauth2_keeper_end(const struct oauth2_keeper *keeper)
{
	return keeper->end;
}
