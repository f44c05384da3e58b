/*
 * store/directory: the folder that a store lives in, and the lock on it.
 *
 * The folder belongs to one daemon at a time and to one user: it is mode 0700
 * when made here, and refused when it is a symbolic link, another user's, or
 * writable by others. All calls fail with FAULT_LOCAL and words for a person,
 * but for a folder that another daemon has: that is FAULT_RETRY.
 */
#ifndef BELFRY_STORE_DIRECTORY_H
#define BELFRY_STORE_DIRECTORY_H

#include <sys/types.h>

#include "daemon/base/error.h"

#define DIRECTORY_DATABASE "state.db"

/* The path without slashes at its end: with one, a symbolic link would be
 * followed. Owned by the caller; what the calls below want. */
char *directory_strip(const char *path);
/*
 * Makes the folder and those above it, and takes its lock. Returns the lock's
 * descriptor, owned by the caller, or -1: closing it lets go.
 */
int directory_enter(const char *directory, struct error *error_r);
/* Only looks. */
bool directory_has_database(const char *directory, struct error *error_r);

/*
 * Of a folder whose lock is held: whether there is a database. An error when
 * there is only a part of one: an empty file, or a log without its file. As a
 * database is put there whole, such a part was whole once, and to begin anew
 * instead is for a person to decide.
 */
bool directory_find_database(
    const char *directory, bool *found_r, struct error *error_r);
/* The database to be is made under another name, where an empty file of mode
 * 0600 is now: owned by the caller; NULL and an error. */
char *directory_begin_database(const char *directory, struct error *error_r);
/* Gives it its name, durably. */
bool directory_finish_database(
    const char *directory, const char *path, struct error *error_r);

/* Says that the database cannot be read, and what to do. False. */
bool directory_set_damaged(
    const char *file, const char *words, struct error *error_r);

/* Which file a name means; zeroed: not known yet. */
struct directory_file {
	dev_t device;
	ino_t number;
};
/*
 * Whether the name still means the file that it meant at the first call. What
 * is written into a file that was removed, or that another one took the place
 * of, is gone with the process: nothing may be done on the strength of that.
 */
bool directory_has_file(
    const char *path, struct directory_file *file, struct error *error_r);

#endif
