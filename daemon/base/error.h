/*
 * error: what went wrong, and what to do about it.
 *
 * A function that can fail returns bool (true: done) and takes a last
 * argument `struct error *error_r`, which it fills on failure only and which
 * may be NULL. The text is one sentence part without a full stop; on the way
 * up each level puts its context in front: "account work: login: ...".
 * Text that came from outside is sanitised (str_sanitize) before it enters.
 */
#ifndef BELFRY_BASE_ERROR_H
#define BELFRY_BASE_ERROR_H

#include <stdbool.h>

/* What the supervisor should do. */
enum fault {
	FAULT_NONE,
	FAULT_RETRY,  /* network or passing trouble: try again, backing off */
	FAULT_AUTH,   /* credentials: tell the person, wait for a change */
	FAULT_PEER,   /* the other side broke the protocol: reconnect slowly */
	FAULT_LIMIT,  /* a named limit was met: say which */
	FAULT_CONFIG, /* the person's configuration is wrong: say where */
	FAULT_LOCAL,  /* this machine: disk, memory, files */
	FAULT_COUNT
};

#define ERROR_TEXT_SIZE 512

struct error {
	enum fault fault;
	char text[ERROR_TEXT_SIZE]; /* always terminated; cut if too long */
};

#define ERROR_INIT                                                             \
	{                                                                      \
		FAULT_NONE, ""                                                 \
	}

/* Both accept NULL. error_set returns false, for `return error_set(...)`. */
bool error_set(struct error *error, enum fault fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts the formatted words and ": " in front of the text. */
void error_prefix(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* An error of which nobody knows how long it stays: for owners that have none
 * most of the time. NULL is none; the owner forgets it at its end. */
void error_keep(struct error **kept, const struct error *error);
void error_forget(struct error **kept);
/* FAULT_NONE and "" for NULL. The text is borrowed. */
enum fault error_kept_fault(const struct error *kept);
const char *error_kept_text(const struct error *kept);

/* "retry", "auth", ... for logs and JSON; a constant. */
const char *fault_name(enum fault fault);

#endif
