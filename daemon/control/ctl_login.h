/*
 * ctl_login: a sign-in, also as a part of `belfryctl setup`.
 */
#ifndef BELFRY_CONTROL_CTL_LOGIN_H
#define BELFRY_CONTROL_CTL_LOGIN_H

#include "daemon/control/ctl.h"

/* Whether a token is kept for this account, for this client and user. */
bool ctl_login_is_done(
    const struct config_account *account, const char *state_directory);
/* Lets the person sign in, and keeps the token. EX_OK, or it was said why not:
 * the exit code. */
int ctl_login_in_setup(struct ctl *ctl, const struct config_account *account,
    const char *state_directory);
/* What was kept goes, as the account is not written after all. */
void ctl_login_take_back(
    const struct config_account *account, const char *state_directory);

#endif
