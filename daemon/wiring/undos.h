/*
 * Between undos.c, which begins what takes things back, and undo_search.c,
 * which looks for messages whose new place the server did not say.
 */
#ifndef BELFRY_WIRING_UNDOS_H
#define BELFRY_WIRING_UNDOS_H

#include "daemon/account/undo.h"
#include "daemon/wiring/belfry.h"

enum search_state {
	SEARCH_NONE,	/* nobody looks, and nobody did of late */
	SEARCH_WAITING, /* to be asked */
	SEARCH_ASKED,
	SEARCH_FOUND, /* in the journal; to be begun at once */
	SEARCH_FAILED,
};

/* Of the message that this effect moved or copied. *words_r: why not;
 * borrowed; "" unless FAILED. */
enum search_state search_get(const struct running_account *account,
    const struct store_effect *effect, const char **words_r);
/* Looks for it in `mailbox`, as the store has its name, soon (search_run).
 * `rule`: of the request, NULL: any. */
void search_add(struct running_account *account,
    const struct store_message *message, const struct store_effect *effect,
    const char *mailbox, const char *rule);
/* Asks for what waits. */
void search_run(struct running_account *account);
/* Was it found in this mailbox, for this step's rule? */
bool search_is_found(const struct running_account *account,
    const struct undo_step *step, const char *mailbox);
/* The same of any effect of a message. */
bool search_has_found(const struct running_account *account,
    const struct store_key *key, const char *mailbox);
/* Begun; or, with words, it cannot be. */
void search_close(struct running_account *account,
    const struct store_effect *effect, const char *words);

/* Something is looked for. */
bool search_is_open(const struct running_account *account);

/* Another life of the daemon looks for what this request is about. False: it
 * could not be written down. */
#define UNDO_REQUEST_MAX 480 /* bytes, of JSON */
bool undo_remember(struct running_account *account, const struct json *request,
    struct error *error_r);
/* Some search has ended. */
void undo_searched(struct running_account *account);
/* Looks for what is not found yet of a request of an earlier life. */
void undo_search_again(
    struct running_account *account, const struct json *request);

/* What was found in this mailbox is taken back, and closed. */
void undo_begin_found(struct running_account *account, const char *mailbox);

#endif
