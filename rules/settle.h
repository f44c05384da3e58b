/*
 * settle: makes one plan of what several rules want.
 */
#ifndef BELFRY_RULES_SETTLE_H
#define BELFRY_RULES_SETTLE_H

#include "rules/rules.h"

/* Takes the action into the plan, in the order of the rules. */
void settle_add(struct plan *plan, struct action *action);
/*
 * Sorts by kind (stable), drops what is there twice or contradicts (the
 * first rule wins, a warning says so), merges notifications, adds the
 * default notification, cuts at PLAN_ACTIONS_MAX.
 */
void settle_plan(struct plan *plan, const struct facts *facts);

#endif
