/*
 * sim/world: how often a server is tried that is not to be had.
 *
 * For two hours each: there is no connection to it; it says BYE to each
 * SELECT, so that no catch-up ends; it says BYE to whoever rests, so that each
 * does.
 */
#include "tests/sim/world_private.h"

#define TRIES_USEC (2 * USEC_HOUR)
/* The ladder goes up to 5 minutes, less a fifth; a few before that. */
#define TRIES_MOST 40 /* connections */
/* A minute each, but for those that may be made in a row. */
#define LOGINS_MOST (TRIES_USEC / MAILBOX_LOGIN_USEC + MAILBOX_LOGIN_BURST + 10)
/* ... or the next try, which may be that far off. */
#define RETURN_USEC (8 * USEC_MINUTE)

static void
check_count(struct world *w, const char *what, unsigned count, unsigned most)
{
	world_note(w, "%u %s in two hours", count, what);
	if (count > most)
		world_fail(w, "%u %s in two hours, as the server is away",
		    count, what);
}

static void
come_back(struct world *w)
{
	w->model.hangs_up = HANGS_UP_NEVER;
	world_rest(w, RETURN_USEC);
}

void
world_check_tries(struct world *w)
{
	unsigned before = w->connects;

	world_note(w, "the server is away");
	world_say_bye(w);
	w->down_until = usec_add(w->now, TRIES_USEC);
	world_rest(w, TRIES_USEC);
	check_count(w, "connections", w->connects - before, TRIES_MOST);
	come_back(w);

	world_note(w, "the server lets nobody stay");
	before = w->model.logins;
	w->model.hangs_up = HANGS_UP_AT_SELECT;
	world_say_bye(w);
	world_rest(w, TRIES_USEC);
	check_count(w, "logins", w->model.logins - before, TRIES_MOST);
	come_back(w);

	world_note(w, "the server lets nobody rest");
	before = w->model.logins;
	w->model.hangs_up = HANGS_UP_AT_REST;
	world_say_bye(w);
	world_rest(w, TRIES_USEC);
	check_count(w, "logins", w->model.logins - before, LOGINS_MOST);
	come_back(w);
}
