/*
 * xalloc: allocation that cannot fail.
 *
 * The one place below loop/ that may write to standard error: a process out
 * of memory has nobody left to hand an error to.
 */
#include "daemon/base/xalloc.h"

#include <stdio.h>

static _Noreturn void
die_out_of_memory(void)
{
	static const char message[] = "belfry: out of memory\n";

	/* Nothing here may allocate. */
	(void)fputs(message, stderr);
	abort();
}

/* A size of 0 still gives a pointer that is not NULL. */
static void *
check_allocated(void *memory)
{
	if (memory == NULL)
		die_out_of_memory();
	return memory;
}

void *
xmalloc(size_t size)
{
	return check_allocated(malloc(size > 0 ? size : 1));
}

void *
xcalloc(size_t count, size_t size)
{
	if (count == 0 || size == 0)
		count = size = 1;
	return check_allocated(calloc(count, size));
}

void *
xreallocarray(void *old, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		die_out_of_memory();
	return check_allocated(realloc(old, total > 0 ? total : 1));
}

char *
xstrdup(const char *str)
{
	return str != NULL ? xstrdup_span(span_from_str(str)) : NULL;
}

char *
xstrdup_span(struct span span)
{
	char *copy;

	if (span.len == SIZE_MAX)
		die_out_of_memory();
	copy = xmalloc(span.len + 1);
	if (span.len > 0)
		memcpy(copy, span.data, span.len);
	copy[span.len] = '\0';
	return copy;
}

static __attribute__((format(printf, 1, 0))) char *
xvasprintf(const char *format, va_list args)
{
	va_list again;
	char *str;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len < 0)
		die_out_of_memory();
	str = xmalloc((size_t)len + 1);
	(void)vsnprintf(str, (size_t)len + 1, format, args);
	return str;
}

char *
xasprintf(const char *format, ...)
{
	va_list args;
	char *str;

	va_start(args, format);
	str = xvasprintf(format, args);
	va_end(args);
	return str;
}

void
xfree_str(char **str)
{
	free(*str);
	*str = NULL;
}
