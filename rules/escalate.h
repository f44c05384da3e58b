/*
 * rules/escalate: who is rung later, as it is written in a rule or an account.
 */
#ifndef BELFRY_RULES_ESCALATE_H
#define BELFRY_RULES_ESCALATE_H

#include "daemon/base/buf.h"
#include "rules/plan.h"

/*
 *   escalate = names 1*WSP "after" 1*WSP time [ 1*WSP "unless read" ]
 *   names    = notifier *( "," notifier )
 *
 * False: it is nothing of the kind, or no time from ESCALATE_MIN_SEC to
 * ESCALATE_MAX_SEC. Else the action has `after` and `unless_read`, and
 * names_r is a part of the text.
 */
bool escalate_parse(
    struct span text, struct span *names_r, struct action *action);
/* Of what is refused: what to write if only the unit of the time is missing,
 * in `buf`; else NULL. */
const char *escalate_hint(struct span text, struct buf *buf);
/* The next of the names, trimmed. */
bool escalate_next_name(struct span *names, struct span *name_r);

#endif
