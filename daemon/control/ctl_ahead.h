/*
 * ctl_ahead: the beginnings of the files of a folder, read ahead.
 *
 * Opening and reading a file costs as much time as judging what is in it, so
 * a thread does the one while its owner does the other. It holds
 * CTL_AHEAD_BATCH files, twice: no more are open or in memory. Files come in
 * the order of their names in the list. Where no thread can be had, the owner
 * reads by itself.
 */
#ifndef BELFRY_CONTROL_CTL_AHEAD_H
#define BELFRY_CONTROL_CTL_AHEAD_H

#include <stdbool.h>
#include <stddef.h>

#define CTL_AHEAD_BYTES (16 * 1024) /* of one file */
#define CTL_AHEAD_BATCH 32	    /* files */

struct ctl_ahead_file {
	const char *name;
	int fd;	   /* -1: it is over, and closed; or it has an error */
	int error; /* errno, or 0 */
	char *data;
	size_t len;
	bool is_over; /* `data` is all of it */
};

struct ctl_ahead;

/* `folder` stays open, and the names stay, as long as it lives. */
struct ctl_ahead *ctl_ahead_new(
    int folder, const char *const *names, size_t count);
/* Closes what was not taken. */
void ctl_ahead_free(struct ctl_ahead **ahead);
/* The next file; called `count` times at most. Borrowed until the next call,
 * but for `fd`, which is the caller's to close. */
const struct ctl_ahead_file *ctl_ahead_next(struct ctl_ahead *ahead);

#endif
