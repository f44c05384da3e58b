/*
 * wiring/deeds: what a person chose in a notification.
 */
#ifndef BELFRY_WIRING_DEEDS_H
#define BELFRY_WIRING_DEEDS_H

#include "daemon/wiring/belfry.h"

/* deeds.c */
/* Does what the button `key` says to the message, on the server; tells the
 * person when that cannot be. Other keys do nothing. */
void deed_do(
    struct belfry *belfry, const struct notification *n, const char *key);
/* A message that was looked for was found, or not; `line` is free to go, and
 * answers nobody any more. */
void deeds_found(struct line *line, const struct mailbox_found *found);
void deeds_left(struct line *line);
void deeds_free_all(struct belfry *belfry);

/* opens.c */
/* Programs under way at once; more are not started. */
#define OPENS_MAX 16
/* Where it can be opened from afar: in the webmail, else the inbox there, else
 * by a mail program; adds nothing if nobody can. */
void open_add_url(const struct config_account *account,
    const struct notification *n, struct buf *url);
/* Whether a click on it has anything to open. */
bool open_can(const struct belfry *belfry, const struct notification *n);
/* Runs `open_command` for the message; `token`: of the compositor, or NULL. */
void open_message(
    struct belfry *belfry, const struct notification *n, const char *token);
/* Whether a one-time code can be copied here. */
bool copy_can(const struct belfry *belfry);
void copy_code(struct belfry *belfry, const struct notification *n);
void opens_free_all(struct belfry *belfry);

/* chosen.c */
/* What the person chose in a notification of this notifier. */
struct notifier;
void notifier_chosen(
    struct notifier *notifier, const struct notifier_line *line);

#endif
