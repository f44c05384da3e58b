/*
 * folder: names of folders as rules write them: "/" between levels, UTF-8.
 */
#ifndef BELFRY_RULES_FOLDER_H
#define BELFRY_RULES_FOLDER_H

#include "daemon/base/buf.h"
#include "daemon/base/span.h"

/* Bytes that every variable of a name has for itself at least. */
#define FOLDER_VALUE_MIN 8

/* \Archive and so on (RFC 6154), spelled so; ends with NULL. */
extern const char *const folder_special_names[];
bool folder_is_special(struct span name);
/* What is wrong with a name as it is written in a rule; NULL: nothing. */
const char *folder_check(struct span name);
/* Appends a value so that it is a part of one component and nothing else; at
 * most `max` bytes. It may come out empty. */
void folder_add_value(struct buf *buf, struct span value, size_t max);
/* Appends a name whose values have been put in: each component gets a form
 * that no server takes for something else. `is_open`: there are values in the
 * first one, which then is not INBOX (RFC 9051 section 5.1). */
void folder_add_clean(struct buf *buf, struct span name, bool is_open);

#endif
