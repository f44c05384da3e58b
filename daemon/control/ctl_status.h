/*
 * ctl_status: what the forms of `status` share.
 */
#ifndef BELFRY_CONTROL_CTL_STATUS_H
#define BELFRY_CONTROL_CTL_STATUS_H

#include "daemon/control/ctl.h"

/* Somebody has to look at it. */
bool ctl_status_is_trouble(const struct json *account);
/* What is the trouble, in words, a mailbox's before the forwards'; "" when
 * there is none. */
void ctl_status_add_trouble(struct buf *out, const struct json *account);
/* Whether any account is in trouble. */
bool ctl_status_is_bad(const struct json *answer);
/* The whole of it, for people. */
void ctl_status_print(
    const struct ctl *ctl, struct buf *out, const struct json *answer);
/* As it changes, for ever: for people, in JSON, or for a bar (NULL: none). */
struct ctl_bar;
int ctl_status_follow(struct ctl *ctl, const struct ctl_bar *bar);

#endif
