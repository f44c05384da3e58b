/*
 * store/keeping: how late it is, for who forgets what is old.
 *
 * The wall clock of a machine may be years ahead until somebody sets it right.
 * What is thrown away by such a clock is gone for good: the keys by which no
 * message is forwarded twice, the history, forwards that wait for a person. So
 * the time that things are forgotten by is never later than the wall clock, and
 * follows it KEEPING_RATE times as fast as time passes at most, and a
 * KEEPING_LIFE_SEC more in each life of the daemon. Where the daemon was away
 * for long, things are kept for longer.
 *
 * By value. It outlives the daemon as a fact of the account "".
 */
#ifndef BELFRY_STORE_KEEPING_H
#define BELFRY_STORE_KEEPING_H

#include "daemon/base/buf.h"
#include "daemon/base/span.h"
#include "daemon/base/usec.h"

#define KEEPING_RATE 4
#define KEEPING_LIFE_SEC (24 * 60 * 60)
#define KEEPING_FACT "kept"
/* 2026: what was before has been kept by no Belfry. */
#define KEEPING_EPOCH_UNIX INT64_C(1767225600)

struct keeping {
	int64_t unix_seconds; /* ahead of the wall clock if that was set back */
	usec_t at;	      /* when it was looked at last */
};

/* `text`: of keeping_save; "", or anything else: the wall clock is believed,
 * as there is nothing yet that could be forgotten. */
void keeping_init(
    struct keeping *keeping, struct span text, int64_t now_unix, usec_t now);
void keeping_save(const struct keeping *keeping, struct buf *out);
/* The time to forget by. `now` never goes back. */
int64_t keeping_time(struct keeping *keeping, int64_t now_unix, usec_t now);
/* The time to note now with what is to be forgotten so long after: not earlier
 * than what keeping_time said or would say, as the clock may be set back for a
 * while. 0: nobody has told this machine the time. */
int64_t keeping_mark(struct keeping *keeping, int64_t now_unix, usec_t now);

#endif
