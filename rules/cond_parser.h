/*
 * cond_parser: one `when` or `unless` line.
 */
#ifndef BELFRY_RULES_COND_PARSER_H
#define BELFRY_RULES_COND_PARSER_H

#include "rules/cond.h"
#include "rules/lists.h"
#include "rules/source.h"
#include "rules/view.h"

/* Returns NULL after reporting an error. What the line asks for is added to
 * `slots`, files of names to `lists`. */
struct cond *cond_parse(
    const struct source *source, struct slots *slots, struct lists *lists);

#endif
