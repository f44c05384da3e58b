/*
 * plan-check: whether what a rule wants done stays what the rule's author
 * wrote, whatever stands in the message.
 *
 * A set of rules puts captures and variables into every place that takes one:
 * folders, labels, arguments, title and text of a notification. One of them is
 * judged on a message, and what comes out is followed to each border: the
 * journal's line, the name on the wire and the command that holds it, the
 * line for a notifier, the header of a forward. Used by the unit test and the
 * fuzz target.
 */
#ifndef BELFRY_TESTS_LIB_PLAN_CHECK_H
#define BELFRY_TESTS_LIB_PLAN_CHECK_H

#include "daemon/base/buf.h"
#include "daemon/base/span.h"

struct plan_check;

/* Ends the process when a rule is refused. */
struct plan_check *plan_check_new(void);
void plan_check_free(struct plan_check **check);
size_t plan_check_count(const struct plan_check *check);
/* Judges the message by rule `index` alone. NULL, or what is wrong, borrowed
 * until the next call. `acted_r`: the rule matched. */
const char *plan_check_run(
    struct plan_check *check, size_t index, struct span message, bool *acted_r);

#endif
