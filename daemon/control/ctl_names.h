/*
 * ctl_names: what a shell may complete a word to.
 *
 * Kinds: accounts and rules (of the configuration, which may have errors),
 * mailboxes, places (ACCOUNT/MAILBOX) and forwards (numbers), which the daemon
 * is asked for, and providers.
 */
#ifndef BELFRY_CONTROL_CTL_NAMES_H
#define BELFRY_CONTROL_CTL_NAMES_H

#include "daemon/control/ctl.h"

/* Appends the names of this kind, one to a line, none with a control
 * character; nothing where they cannot be found out. False: there is no such
 * kind. */
bool ctl_names_add(const struct ctl *ctl, const char *kind, struct buf *out);

#endif
