/*
 * buf: bytes that grow.
 *
 * Invariant: data is NULL and cap is 0, or cap > len and data[len] is NUL.
 */
#include "daemon/base/buf.h"

#include <assert.h>
#include <stdio.h>

#include "daemon/base/secret.h"
#include "daemon/base/xalloc.h"

/* The first allocation is for what is there, as most hold one short text all
 * their life, in the allocator's sizes: 24, 40, 56... The second is this. */
#define CAP_SECOND 64
#define CAP_LEAST 24
#define CAP_STEP 16
/* buf_clear gives more than this back. */
#define CAP_KEPT 65536
/* Up to this size growing wipes the old bytes, so that buf_wipe leaves no
 * copy behind; no secret is larger (SECRET_MAX, in base64). */
#define CAP_WIPED 65536

void
buf_init(struct buf *buf)
{
	*buf = (struct buf)BUF_INIT;
}

void
buf_done(struct buf *buf)
{
	free(buf->data);
	buf_init(buf);
}

void
buf_wipe(struct buf *buf)
{
	/* All of cap: what was consumed still stands behind len. */
	memory_wipe(buf->data, buf->cap);
	buf_done(buf);
}

static size_t
next_cap(size_t cap, size_t needed)
{
	size_t doubled;

	if (cap == 0 && needed <= CAP_LEAST)
		return CAP_LEAST;
	if (cap == 0 && needed < CAP_SECOND)
		return needed + (CAP_LEAST + CAP_SECOND - needed) % CAP_STEP;
	if (cap < CAP_SECOND)
		cap = CAP_SECOND;
	while (cap < needed) {
		if (__builtin_mul_overflow(cap, 2u, &doubled))
			return needed;
		cap = doubled;
	}
	return cap;
}

static void
grow_to(struct buf *buf, size_t cap)
{
	char *data;

	if (buf->cap > CAP_WIPED) {
		buf->data = xreallocarray(buf->data, cap, 1);
		buf->cap = cap;
		return;
	}
	data = xmalloc(cap);
	if (buf->data != NULL) {
		memcpy(data, buf->data, buf->len + 1);
		memory_wipe(buf->data, buf->cap);
		free(buf->data);
	}
	buf->data = data;
	buf->cap = cap;
}

/* And for a NUL behind them. */
void
buf_reserve(struct buf *buf, size_t more)
{
	size_t needed;

	/* SIZE_MAX cannot be had: the allocator ends the process. */
	if (__builtin_add_overflow(buf->len, more, &needed) ||
	    __builtin_add_overflow(needed, 1u, &needed))
		needed = SIZE_MAX;
	if (needed > buf->cap)
		grow_to(buf, next_cap(buf->cap, needed));
}

static void
set_len(struct buf *buf, size_t len)
{
	assert(len < buf->cap);
	buf->len = len;
	buf->data[len] = '\0';
}

static bool
is_inside(const struct buf *buf, const char *data)
{
	uintptr_t start = (uintptr_t)buf->data, at = (uintptr_t)data;

	return buf->data != NULL && at >= start && at < start + buf->cap;
}

void
buf_add(struct buf *buf, const void *data, size_t len)
{
	assert(data != NULL || len == 0);
	assert(len == 0 || !is_inside(buf, data));

	buf_reserve(buf, len);
	if (len > 0)
		memcpy(buf->data + buf->len, data, len);
	set_len(buf, buf->len + len);
}

void
buf_add_span(struct buf *buf, struct span span)
{
	buf_add(buf, span.data, span.len);
}

void
buf_add_str(struct buf *buf, const char *str)
{
	buf_add_span(buf, span_from_str(str));
}

void
buf_add_char(struct buf *buf, char c)
{
	buf_reserve(buf, 1);
	buf->data[buf->len] = c;
	set_len(buf, buf->len + 1);
}

void
buf_addf(struct buf *buf, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	buf_vaddf(buf, format, args);
	va_end(args);
}

void
buf_vaddf(struct buf *buf, const char *format, va_list args)
{
	size_t room = buf->cap - buf->len;
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(
	    room > 0 ? buf->data + buf->len : NULL, room, format, again);
	va_end(again);
	assert(len >= 0);

	if ((size_t)len >= room) {
		buf_reserve(buf, (size_t)len);
		(void)vsnprintf(
		    buf->data + buf->len, (size_t)len + 1, format, args);
	}
	set_len(buf, buf->len + (size_t)len);
}

void
buf_add_number(struct buf *buf, uint64_t number)
{
	char digits[20]; /* of 2^64 - 1 */
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	buf_add(buf, digits + at, sizeof(digits) - at);
}

void
buf_consume(struct buf *buf, size_t len)
{
	assert(len <= buf->len);

	if (len == 0)
		return;
	memmove(buf->data, buf->data + len, buf->len - len);
	set_len(buf, buf->len - len);
}

void
buf_truncate(struct buf *buf, size_t len)
{
	assert(len <= buf->len);

	if (buf->data != NULL)
		set_len(buf, len);
}

void
buf_clear(struct buf *buf)
{
	if (buf->cap > CAP_KEPT)
		buf_done(buf);
	else
		buf_truncate(buf, 0);
}

struct span
buf_span(const struct buf *buf)
{
	return (struct span){buf->data, buf->len};
}

const char *
buf_str(const struct buf *buf)
{
	return buf->data != NULL ? buf->data : "";
}

char *
buf_take_str(struct buf *buf)
{
	char *str = buf->data != NULL ? buf->data : xstrdup("");

	buf_init(buf);
	return str;
}
