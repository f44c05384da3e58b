/*
 * config/echo: the source line that is shown under a problem, without what
 * must not be shown.
 *
 * Shown whole are section headers, and lines whose key is known and not
 * hidden. Of any other line (a misspelt `password`, one without `=`) only the
 * key is shown, of comments nothing; a URL with an `@` ends at its scheme, and
 * any line at a hidden key that has a `=` behind it.
 */
#ifndef BELFRY_CONFIG_ECHO_H
#define BELFRY_CONFIG_ECHO_H

#include "daemon/config/files.h"

/* Appends the line, or nothing. */
void echo_line(struct buf *buf, const struct config_files *files,
    const struct rule_place *place);

/* Notes the lines of all problems that have none yet. */
void echo_problems(
    const struct config_files *files, struct config_report *report);

#endif
