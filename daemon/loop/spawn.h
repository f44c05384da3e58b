/*
 * loop/spawn: starts a program: no shell, nothing inherited by accident.
 *
 * The child has its own session and process group, umask 077, default signal
 * dispositions and an empty signal mask, a rebuilt environment, $HOME (or /)
 * as its working directory, and no descriptors but 0, 1 and 2.
 */
#ifndef BELFRY_LOOP_SPAWN_H
#define BELFRY_LOOP_SPAWN_H

#include <sys/types.h>

#include "daemon/base/error.h"
#include "daemon/base/strv.h"

/* One argument or environment string; the kernel's own limit is 128 KiB. */
#define SPAWN_STRING_MAX (64 * 1024)
/* All of them together: far below the kernel's 2 MiB. */
#define SPAWN_TOTAL_MAX (512 * 1024)
#define SPAWN_ENV_VALUE_MAX 4096
/* Held at their gates at once: each of them has a thread. */
#define SPAWN_HELD_MAX 4

struct spawn {
	/* argv[0] is looked up in PATH if it has no '/'; relative parts of
	 * PATH are skipped. */
	const struct strv *argv;
	/* "NAME=value", added to the rebuilt environment and stronger; may be
	 * NULL. A value above SPAWN_ENV_VALUE_MAX bytes is cut and
	 * BELFRY_TRUNCATED=1 is added; one that begins with "() {", which old
	 * shells would run, gets a blank in front. */
	const struct strv *environment;
	int fds[3]; /* become 0, 1, 2; borrowed */
	/* -1, or the end for reading of a pipe; borrowed. All is made ready,
	 * and the program begins with the first byte that comes from there. If
	 * the pipe ends instead, as when we die, it never begins. */
	int gate;
};

/* Returns when the program runs, or cannot: FAULT_CONFIG names the command,
 * FAULT_RETRY is for want of processes or memory, or says that the gate was
 * closed. With a gate it is to be called in a thread, which waits here. */
bool spawn_start(
    const struct spawn *spawn, pid_t *pid_r, struct error *error_r);
/* Whether a command without a slash would be found. */
bool spawn_finds(const char *command);
/* The environment that spawn_start would build. */
void spawn_environment(struct strv *environment, const struct strv *additional);

#endif
