/*
 * width: how many columns of a terminal a text takes.
 *
 * East Asian wide characters and most emoji take two; combining marks and
 * format characters none. What is joined by U+200D counts as its parts, as
 * terminals draw it that do not know better.
 */
#ifndef BELFRY_BASE_WIDTH_H
#define BELFRY_BASE_WIDTH_H

#include "daemon/base/span.h"

/* UTF-8; malformed sequences take one column each. */
size_t width_of(struct span text);
/* How many bytes at the front take at most `columns`; what combines with the
 * last of them is among them. */
size_t width_cut(struct span text, size_t columns);

#endif
