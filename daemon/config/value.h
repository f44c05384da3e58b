/*
 * config/value: from the text of a value to the member of a struct.
 */
#ifndef BELFRY_CONFIG_VALUE_H
#define BELFRY_CONFIG_VALUE_H

#include "daemon/config/document.h"

#define VALUE_ITEMS_MAX 10000 /* of one list */

/*
 * Parses the thing's value into `base` + the setting's offset, or reports why
 * not, at the very character. Lists are added to, anything else is replaced.
 * Settings without an offset are left alone.
 */
bool value_parse(const struct document_thing *thing, void *base,
    struct rule_problems *problems);
/* Puts the setting's default there, if it has one. */
void value_set_standard(const struct setting *setting, void *base);
/* Frees (and wipes) what the member owns; not the part that it is in. */
void value_free(const struct setting *setting, void *base);

/* A path as written: "~/" means $HOME, and a relative one begins in the
 * folder of `file`. Malloc'ed. */
char *value_expand_path(struct span path, const char *file);

#endif
