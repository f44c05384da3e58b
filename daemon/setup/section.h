/*
 * setup/section: one section of a configuration, changed as text.
 *
 * What is not told to change stays byte for byte: comments, blank lines, other
 * keys and their order, the kind of line ends. A key that is set anew keeps its
 * place; a new one stands behind the section's last key; a new section stands
 * at the end of the file. What lines mean is config/reader's business; the text
 * here is one that it takes.
 */
#ifndef BELFRY_SETUP_SECTION_H
#define BELFRY_SETUP_SECTION_H

#include "daemon/base/buf.h"

/* `value` NULL: the key goes, with the lines that continue it. */
struct section_change {
	const char *key, *value;
};

/* Appends the whole text with the section [kind name] changed. Keys that may be
 * repeated are replaced by the one value. Values have no line ends. */
void section_set(struct buf *out, struct span text, const char *kind,
    const char *name, const struct section_change *changes, size_t count);
/* The section's lines, from its header to the last line of its last key;
 * empty: there is none. A part of `text`. */
struct span section_find(struct span text, const char *kind, const char *name);

#endif
