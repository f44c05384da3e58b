/*
 * xalloc: allocation that cannot fail.
 *
 * Every size that another party can influence is bounded before it comes
 * here, so running out of memory means that the machine is in trouble: the
 * process says so and aborts. Free with free().
 */
#ifndef BELFRY_BASE_XALLOC_H
#define BELFRY_BASE_XALLOC_H

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include "daemon/base/span.h"

#define NEW(type) ((type *)xcalloc(1, sizeof(type)))

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
/* Overflow of count * size ends the process. */
void *xreallocarray(void *old, size_t count, size_t size);
/* NULL in, NULL out. */
char *xstrdup(const char *str);
/* A C string of the span's bytes (up to an embedded NUL, if any, for str
 * functions; all bytes are copied). */
char *xstrdup_span(struct span span);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Cleanup attribute for malloc'ed strings: STR_AUTO name = xstrdup(...); */
void xfree_str(char **str);
#define STR_AUTO __attribute__((cleanup(xfree_str))) char *

#endif
