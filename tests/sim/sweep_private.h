/*
 * sim/sweep, inside: what its parts share: sweep.c (which interruptions,
 * where), sweep_world.c (the story, as it is played), sweep_check.c (what must
 * be true in the end).
 */
#ifndef BELFRY_SIM_SWEEP_PRIVATE_H
#define BELFRY_SIM_SWEEP_PRIVATE_H

#include "daemon/account/mailbox.h"
#include "tests/sim/model_imap.h"

#define START_UNIX 1800000000
#define START_USEC (100 * USEC_SEC)
#define TASKS_MAX 32
#define PLACES 2 /* interruptions of one story, at most */

enum kind {
	KIND_PLAIN,
	KIND_MOVE,
	KIND_MOVE_TOO, /* with the one before it in one command */
	KIND_TWIN,     /* the same bytes again: no Message-ID, same size */
	KIND_COPY,
	KIND_MARK,
	KIND_EXEC,
	KIND_FORWARD,
	KIND_ALL,
	KIND_CREATE,
	KIND_DELETE,
	KIND_MISSING,
	KIND_BODY, /* the text of every message is asked for, or only of it */
	KIND_ATTACHED,
	KIND_STRANGER,
	KIND_STRANGER_AGAIN,
	KINDS
};

enum interruption {
	NOTHING,
	COMMIT_FAILS,	   /* nothing was written */
	KILL_IN_COMMIT,	   /* it was written, nobody hears of it */
	CUT_BEFORE_LINE,   /* the server acted, its answer is lost */
	CUT_AFTER_LINE,	   /* before the client's next command is sent */
	KILL_BEFORE_LINE,  /* as CUT, and the daemon's memory is gone too */
	KILL_BEFORE_EVENT, /* the owner never acted */
	KILL_AFTER_EVENT,
	INTERRUPTIONS
};

enum counter {
	COUNT_COMMITS,
	COUNT_LINES,
	COUNT_EVENTS,
	COUNTERS
};

struct outside {
	uint32_t uidvalidity, uid;
	unsigned seq;
	usec_t at; /* USEC_NEVER: a free place */
};

struct place {
	enum interruption interruption;
	unsigned point; /* counts from 1 */
};

struct world {
	bool verbose;
	struct place places[PLACES];
	unsigned counts[COUNTERS];

	usec_t now;
	struct model model;
	struct store *store;
	struct rules *rules;
	struct limits *limits;
	struct senders *senders;
	struct strv identities;
	struct mailbox_config config;
	struct mailbox *mailbox;
	struct model_session *session; /* NULL: not connected */
	bool connecting, told;
	unsigned kills;
	struct outside outsides[TASKS_MAX];
	unsigned executed[KINDS], notified[KINDS];
	char why[400]; /* "": all is well */
};

/* sweep_world.c */
void sweep_fail(struct world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
const char *sweep_wire(const struct world *w, const char *name);
void sweep_be_born(struct world *w);
void sweep_die(struct world *w);
void sweep_play(struct world *w);
extern const char *const sweep_subjects[KINDS];
extern const struct sweep_row {
	const char *name;
	enum counter counter;
} sweep_interruptions[INTERRUPTIONS];

/* sweep_check.c */
void sweep_check(struct world *w);

#endif
