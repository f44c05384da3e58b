/*
 * strv: a vector of owned C strings, always terminated by a NULL item, so
 * that `items` is an argv. `items` is never NULL after strv_add.
 */
#ifndef BELFRY_BASE_STRV_H
#define BELFRY_BASE_STRV_H

#include "daemon/base/span.h"

struct strv {
	char **items; /* owned, len + 1 of them; NULL while empty */
	size_t len;
	size_t cap;
};

#define STRV_INIT {NULL, 0, 0}
#define STRV_AUTO __attribute__((cleanup(strv_done))) struct strv

void strv_init(struct strv *v);
void strv_done(struct strv *v);
/* Copies `str`. */
void strv_add(struct strv *v, const char *str);
void strv_add_span(struct strv *v, struct span span);
/* Takes a malloc'ed string. */
void strv_take(struct strv *v, char *str);
/* dst, which was initialised, loses its old items. */
void strv_copy(struct strv *dst, const struct strv *src);
bool strv_has(const struct strv *v, const char *str);
bool strv_has_nocase(const struct strv *v, struct span s);
bool strv_equal(const struct strv *a, const struct strv *b);
/* Items joined by `separator`; malloc'ed. */
char *strv_join(const struct strv *v, const char *separator);

#endif
