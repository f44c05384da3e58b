/*
 * account/breaker: the circuit breaker of forwards.
 *
 * A loop that no header betrays shows itself by this: the same subject to the
 * same target, again and again. After BREAKER_SAME_MAX of them within
 * BREAKER_WINDOW_USEC such forwards stop for BREAKER_OPEN_USEC; others go on.
 * Who allows many forwards an hour means many: then it is half of these, and
 * above BREAKER_RECENT_MAX it never happens.
 * "Re: Fwd:" in front of a subject, its case and its blanks do not make it
 * another one.
 *
 * By value, zeroed at first, but for same_max; only digests are kept. Memory,
 * from the first forward on, is BREAKER_RECENT_MAX forwards and
 * BREAKER_OPEN_MAX open ones, the oldest is forgotten first. A restart forgets
 * nothing: the owner keeps breaker_save's text in the store, as a fact of the
 * account, with each forward and whenever something is stopped.
 */
#ifndef BELFRY_ACCOUNT_BREAKER_H
#define BELFRY_ACCOUNT_BREAKER_H

#include "daemon/base/buf.h"
#include "daemon/base/span.h"
#include "daemon/base/usec.h"

#define BREAKER_SAME_MAX 10
#define BREAKER_WINDOW_USEC (10 * USEC_MINUTE)
#define BREAKER_OPEN_USEC (60 * USEC_MINUTE)
#define BREAKER_RECENT_MAX 128
#define BREAKER_OPEN_MAX 16
#define BREAKER_FACT "breaker"

struct breaker_mark {
	uint64_t digest; /* 0: none */
	usec_t until;	 /* it counts */
};

struct breaker_marks {
	struct breaker_mark recent[BREAKER_RECENT_MAX];
	struct breaker_mark open[BREAKER_OPEN_MAX];
	unsigned next_recent, next_open;
};

struct breaker {
	struct breaker_marks *marks; /* owned; NULL: nothing was forwarded */
	unsigned same_max;	     /* more than BREAKER_SAME_MAX; else that */
};

void breaker_done(struct breaker *breaker);

/* Appends what counts now, as text. */
void breaker_save(const struct breaker *breaker, struct buf *out,
    int64_t now_unix, usec_t now);
/* Adds what was saved and counts still. What cannot be read is left out, and a
 * time that no window reaches (the clock was set back) is cut. */
void breaker_load(
    struct breaker *breaker, struct span text, int64_t now_unix, usec_t now);
/* How many subjects are stopped, and until when the last of them is. */
unsigned breaker_count_open(
    const struct breaker *breaker, usec_t *until_r, usec_t now);

/* A person knows better: what is stopped goes on, and is counted from the
 * beginning. How many subjects these were. */
unsigned breaker_resume(struct breaker *breaker, usec_t now);

/* Whether such a forward may be; it is not counted. */
bool breaker_allows(struct breaker *breaker, struct span target,
    struct span subject, usec_t now);
/* It was queued. */
void breaker_note(struct breaker *breaker, struct span target,
    struct span subject, usec_t now);

#endif
