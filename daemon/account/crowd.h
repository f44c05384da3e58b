/*
 * account/crowd: what many mailboxes say at once is said once.
 *
 * A server that restarts is the same trouble for each of its accounts. The
 * first CROWD_NAMED who say it within a time are named, each in its own line;
 * the others are counted, and told together: after CROWD_WAIT_USEC, then, as
 * long as more come, after longer and longer times. After one of these without
 * anybody new the next is named again.
 *
 * Nobody stays hidden. Who was only counted is a member of the crowd until it
 * says something else, or is well again (crowd_leave); those who repeat
 * themselves when the crowd is over, and CROWD_NAMED or fewer are left, are
 * named then. When more are left, they are counted once more, after
 * CROWD_STILL_USEC.
 *
 * The same is: the same kind, from the same server, in the same words, where
 * words with digits are all alike, as sessions are numbered.
 *
 * An engine without bytes: time goes in, summaries and a deadline come out.
 */
#ifndef BELFRY_ACCOUNT_CROWD_H
#define BELFRY_ACCOUNT_CROWD_H

#include <stdbool.h>

#include "daemon/base/buf.h"
#include "daemon/base/list.h"
#include "daemon/base/usec.h"

#define CROWD_NAMED 5
#define CROWD_WAIT_USEC (10 * USEC_SEC)
#define CROWD_WAIT_MAX_USEC USEC_HOUR
#define CROWD_STILL_USEC USEC_HOUR
/* Crowds at a time; of one more everybody is named. */
#define CROWDS_MAX 64
/* Bytes of the names in a summary. */
#define CROWD_NAMES_MAX 600

struct crowd;

/* Of whoever says things; zeroed at first. */
struct crowd_member {
	struct crowd *crowd; /* where it was only counted; NULL: nowhere */
};

struct crowds {
	struct list_link all; /* struct crowd::link */
	unsigned count;
};

/* Who says what; borrowed for the call. */
struct crowd_words {
	unsigned kind; /* the owner's */
	const char *server, *text;
	const char *name; /* its own */
};

/* Those who were counted since the last one, or (is_still) are left long after
 * it: without names. */
struct crowd_summary {
	unsigned kind;
	const char *server, *text; /* the last one's words; borrowed until the
				      next call of any function */
	unsigned count;
	struct buf names; /* of the first of them, with commas */
	unsigned unnamed; /* so many more */
	bool is_still;
};
void crowd_summary_done(struct crowd_summary *summary);

void crowds_init(struct crowds *crowds);
/* Members must have left. */
void crowds_done(struct crowds *crowds);

/* Whether it is to be named; false: it was counted, and is a member. A member
 * of another crowd leaves that. NULL: it says so once, and no member is. */
bool crowd_says(struct crowds *crowds, struct crowd_member *member,
    const struct crowd_words *words, usec_t now);
/* It says the same as before: whether it is to be named now, as it was not
 * then. It is no member any more then. */
bool crowd_repeats(struct crowds *crowds, struct crowd_member *member);
/* It is well, or no more. */
void crowd_leave(struct crowds *crowds, struct crowd_member *member);

/* USEC_NEVER: none. */
usec_t crowds_deadline(const struct crowds *crowds);
/* The next summary that is due; false: none is. */
bool crowds_next(
    struct crowds *crowds, struct crowd_summary *summary_r, usec_t now);

#endif
