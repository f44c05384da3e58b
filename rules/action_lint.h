/*
 * action_lint: what people write in an action that the rules take and that is
 * hardly meant: quotes around a folder's name, the `$1` of other languages, a
 * shell where there is none, and a shell that would run what a mail says.
 * Warnings only.
 */
#ifndef BELFRY_RULES_ACTION_LINT_H
#define BELFRY_RULES_ACTION_LINT_H

#include "rules/source.h"
#include "rules/template.h"

/* The value of copy, move or label. */
void action_lint_folder(const struct source *source);
/* The arguments of exec, the command first, as template_show writes them. */
void action_lint_command(
    const struct source *source, const struct strv *arguments);

#endif
