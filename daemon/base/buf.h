/*
 * buf: bytes that grow.
 *
 * Always NUL-terminated behind `len` once something was added, so that
 * buf_str() is a C string if the content has no NUL of its own. Growing may
 * move the bytes: spans of a buf are valid until the next call that adds or
 * consumes. The caller bounds the size before adding; running out of memory
 * ends the process.
 */
#ifndef BELFRY_BASE_BUF_H
#define BELFRY_BASE_BUF_H

#include <stdarg.h>

#include "daemon/base/span.h"

struct buf {
	char *data; /* owned; NULL while empty and never used */
	size_t len;
	size_t cap;
};

#define BUF_INIT                                                               \
	{                                                                      \
		NULL, 0, 0                                                     \
	}
/* Declares a buf that is freed when it goes out of scope. */
#define BUF_AUTO __attribute__((cleanup(buf_done))) struct buf

void buf_init(struct buf *buf);
/* Frees the bytes; the buf is empty and usable again. */
void buf_done(struct buf *buf);
/* As buf_done, but overwrites the bytes first: for secrets. Up to 64 KiB
 * growing leaves no copy behind either. */
void buf_wipe(struct buf *buf);

/* Makes room for so many more bytes at once. */
void buf_reserve(struct buf *buf, size_t more);
/* `data` is not inside the buf itself (asserted): growing may move it. */
void buf_add(struct buf *buf, const void *data, size_t len);
void buf_add_span(struct buf *buf, struct span span);
void buf_add_str(struct buf *buf, const char *str);
void buf_add_char(struct buf *buf, char c);
void buf_addf(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
/* In decimal; for what is said for every message. */
void buf_add_number(struct buf *buf, uint64_t number);

/* Removes `len` bytes from the front; `len` must not exceed buf->len. */
void buf_consume(struct buf *buf, size_t len);
/* Shortens to `len`, which must not exceed buf->len. Keeps the memory. */
void buf_truncate(struct buf *buf, size_t len);
/* Empties; gives memory above 64 KiB back. */
void buf_clear(struct buf *buf);

struct span buf_span(const struct buf *buf);
/* Never NULL; "" for an empty buf. Borrowed as a span is. */
const char *buf_str(const struct buf *buf);
/* The bytes as a malloc'ed C string, taken by the caller; buf is empty. */
char *buf_take_str(struct buf *buf);

#endif
