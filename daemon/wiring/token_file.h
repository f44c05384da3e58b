/*
 * wiring/token_file: what `belfryctl login` and belfryd keep of a permission:
 * one file for each account, in the folder oauth2 of the state directory.
 *
 * Folder 0700, file 0600, of this user alone. A new token replaces the file as
 * a whole, and is on the disk before anybody uses it: what the provider has
 * made invalid by then is of no use to anyone. Who asks the provider for a new
 * one holds the lock, so that two processes never spend the same refresh token.
 */
#ifndef BELFRY_WIRING_TOKEN_FILE_H
#define BELFRY_WIRING_TOKEN_FILE_H

#include <sys/types.h>

#include "daemon/config/config.h"
#include "daemon/oauth2/token.h"

/* Whom a token of this account is for; borrows from it and from `secret`. */
struct oauth2_client token_client(
    const struct config_account *account, struct span secret);

/* Malloc'ed. Accounts may have any name: "/" is written as "%2F". */
char *token_file_path(const char *state_directory, const char *account);

/* Which file it was; zeroed: none. */
struct token_mark {
	ino_t number;
	struct timespec changed;
};
/* Whether the path means another file since, and takes note of it. */
bool token_file_has_changed(const char *path, struct token_mark *mark);

/* False: it cannot be read, is damaged, or others could have read it
 * (FAULT_LOCAL); or nobody has signed in, also where what is there was made
 * for another client, server, scope or user (FAULT_AUTH). */
bool token_file_read(const char *path, const struct config_account *account,
    struct oauth2_token *token_r, struct error *error_r);
/* Under the lock, as a renewal would bring it back: blocks for as long as
 * token_file_wait_lock. False, too, where there is none (FAULT_AUTH). */
bool token_file_remove(const char *path, struct error *error_r);

/* Makes the folder. The descriptor, which holds the lock until it is closed;
 * or -1: FAULT_RETRY when another process has it, else FAULT_LOCAL. */
int token_file_lock(const char *path, struct error *error_r);
/* The same; blocks for up to TOKEN_LOCK_USEC. */
#define TOKEN_LOCK_USEC (60 * USEC_SEC)
int token_file_wait_lock(const char *path, struct error *error_r);

/* Room on the disk for a token that is about to be asked for. Under the lock:
 * what a process that was killed left behind is removed. */
struct token_draft {
	char *path, *temporary; /* owned */
	int fd;
};
bool token_draft_begin(
    struct token_draft *draft_r, const char *path, struct error *error_r);
/* Makes the file of it; blocks until it is on the disk. On failure it can be
 * called again. */
bool token_draft_commit(
    struct token_draft *draft, struct span text, struct error *error_r);
/* In any case; what was not committed vanishes. */
void token_draft_done(struct token_draft *draft);

#endif
