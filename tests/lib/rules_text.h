/*
 * rules_text: a rule set out of text in the form of the configuration file,
 * for tests of rules/. It knows no more than sections, keys, continuation
 * lines (each one more thing) and comments; the real reader is
 * daemon/config.
 */
#ifndef BELFRY_TESTS_LIB_RULES_TEXT_H
#define BELFRY_TESTS_LIB_RULES_TEXT_H

#include "rules/rules.h"

/* [rule ID], [list ID], [account ID] and [notifier ID] count; other sections
 * are passed over. Problems have the file "test". NULL when there was an
 * error. */
struct rules *rules_from_text(
    const char *text, struct rule_problems *problems_r);
/* "3:8: text (hint)" for each problem, a line each, warnings with "warning: "
 * in front. */
void rules_problems_show(struct buf *buf, const struct rule_problems *problems);
/* "copy to A; move to B" or "nothing". */
void rules_plan_show(struct buf *buf, const struct plan *plan);

#endif
