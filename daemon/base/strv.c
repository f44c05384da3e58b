/*
 * strv: a vector of owned C strings.
 */
#include "daemon/base/strv.h"

#include <assert.h>

#include "daemon/base/buf.h"
#include "daemon/base/xalloc.h"

#define CAP_FIRST 3 /* most have one or two */

void
strv_init(struct strv *v)
{
	*v = (struct strv)STRV_INIT;
}

void
strv_done(struct strv *v)
{
	for (size_t i = 0; i < v->len; i++)
		free(v->items[i]);
	free(v->items);
	strv_init(v);
}

void
strv_add(struct strv *v, const char *str)
{
	strv_take(v, xstrdup(str));
}

void
strv_add_span(struct strv *v, struct span span)
{
	strv_take(v, xstrdup_span(span));
}

void
strv_take(struct strv *v, char *str)
{
	assert(str != NULL);

	if (v->len + 1 >= v->cap) {
		v->cap = v->cap > 0 ? v->cap * 2 : CAP_FIRST;
		v->items = xreallocarray(v->items, v->cap, sizeof(char *));
	}
	v->items[v->len++] = str;
	v->items[v->len] = NULL;
}

void
strv_copy(struct strv *dst, const struct strv *src)
{
	struct strv copy = STRV_INIT;

	for (size_t i = 0; i < src->len; i++)
		strv_add(&copy, src->items[i]);
	strv_done(dst);
	*dst = copy;
}

bool
strv_has(const struct strv *v, const char *str)
{
	for (size_t i = 0; i < v->len; i++) {
		if (strcmp(v->items[i], str) == 0)
			return true;
	}
	return false;
}

bool
strv_has_nocase(const struct strv *v, struct span s)
{
	for (size_t i = 0; i < v->len; i++) {
		if (span_is_nocase(s, v->items[i]))
			return true;
	}
	return false;
}

bool
strv_equal(const struct strv *a, const struct strv *b)
{
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++) {
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	}
	return true;
}

char *
strv_join(const struct strv *v, const char *separator)
{
	struct buf buf = BUF_INIT;

	for (size_t i = 0; i < v->len; i++) {
		if (i > 0)
			buf_add_str(&buf, separator);
		buf_add_str(&buf, v->items[i]);
	}
	return buf_take_str(&buf);
}
