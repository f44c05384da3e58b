/*
 * config/forwards: what rules that forward count on, and an account may lack
 * or must not have: a server, one that takes mail of somebody else for `as =
 * redirect`, a target that is not oneself, no way back.
 */
#ifndef BELFRY_CONFIG_FORWARDS_H
#define BELFRY_CONFIG_FORWARDS_H

#include "daemon/config/config.h"

/* Of all enabled accounts; adds errors and warnings. Needs the rules. */
void forwards_check(
    const struct config *config, struct rule_problems *problems);

#endif
