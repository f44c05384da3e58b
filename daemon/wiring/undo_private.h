/*
 * One request of belfryctl undo, inside: what its files share.
 *
 *   undos.c          what is asked
 *   undo_gather.c    the messages of the history that it is about
 *   undo_standing.c  how each step stands
 *   undo_begin.c     what can be taken back is begun
 *   undo_answer.c    what is told
 */
#ifndef BELFRY_WIRING_UNDO_PRIVATE_H
#define BELFRY_WIRING_UNDO_PRIVATE_H

#include "daemon/wiring/past.h"
#include "daemon/wiring/undos.h"

/* One message of the history. */
struct told_message {
	struct list_link link; /* in undoing::messages, the newest first */
	struct past past;
	struct undo undo;
	struct step_state *states; /* of undo.steps */
};

/* How a step stands. */
enum standing {
	STANDING_REFUSED, /* it cannot be taken back */
	STANDING_OPEN,	  /* it can */
	STANDING_BEGUN,	  /* it is under way */
	STANDING_UNDONE,
	STANDING_FAILED, /* it was tried */
	STANDINGS
};

struct step_state {
	enum standing standing;
	char *words;   /* owned: why, or what came of it */
	char *mailbox; /* owned: where the message is, as the store has it */
	bool begins;
};

struct undoing {
	struct belfry *belfry;
	struct running_account *account;
	const char *rule;
	uint32_t uid;		   /* 0: any */
	const char *found;	   /* only what was looked for in this mailbox,
				      and found; NULL: whatever it is */
	struct list_link messages; /* struct told_message::link */
	struct list_link earlier;  /* the same: what was taken back before */
	size_t count;
	const struct json *request; /* to be remembered; NULL: it is */
	bool resumes;		    /* what an earlier life was asked for */
};

/* undo_gather.c */
/* Lists must be empty. */
bool undoing_gather(
    struct undoing *undoing, const struct json *request, struct error *error_r);
void undoing_done(struct undoing *undoing);

/* undo_standing.c */
void undoing_look(struct undoing *undoing);
/* Of a request's rule, or of what was found. */
bool undoing_wants(const struct undoing *undoing, const struct undo_step *step);

/* undo_begin.c */
/* In one mailbox, what is known to be there. */
void undoing_begin_in(struct undoing *undoing, const char *mailbox);
/* Looks for the rest. */
void undoing_begin_searches(struct undoing *undoing);
void undoing_begin_all(struct undoing *undoing);

/* undo_answer.c */
void undoing_answer(const struct undoing *undoing, struct client *client);

#endif
