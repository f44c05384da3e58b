/*
 * ctl_english: the sentence of a rule that is known by its name.
 */
#ifndef BELFRY_CONTROL_CTL_ENGLISH_H
#define BELFRY_CONTROL_CTL_ENGLISH_H

#include "daemon/base/buf.h"
#include "rules/rules.h"

/* Appends it; nothing when there is no such rule. */
void ctl_english_add(
    struct buf *out, const struct rules *rules, const char *id);

#endif
