/*
 * utf8: RFC 3629, strictly: no overlong forms, no surrogates, nothing above
 * U+10FFFF.
 */
#ifndef BELFRY_BASE_UTF8_H
#define BELFRY_BASE_UTF8_H

#include "daemon/base/buf.h"
#include "daemon/base/span.h"

#define UTF8_REPLACEMENT 0xfffdu

/*
 * Decodes the character at the front. Returns its length in bytes (1 to 4)
 * and sets *code_r; 0 when the span is empty; on a malformed sequence returns
 * the number of bytes to skip (at least 1) and sets *code_r to
 * UTF8_REPLACEMENT and *valid_r (may be NULL) to false. Otherwise *valid_r is
 * left alone, so that it collects over a loop: set it to true before.
 */
size_t utf8_next(struct span s, uint32_t *code_r, bool *valid_r);
/* Appends the character; an invalid code point becomes U+FFFD. */
void utf8_add(struct buf *buf, uint32_t code);
bool utf8_is_valid(struct span s);
/* How many bytes at the front are ASCII, found eight at a time: what mail
 * mostly is made of. */
size_t utf8_ascii_length(struct span s);
/* Appends `s` with malformed sequences replaced by U+FFFD. */
void utf8_add_valid(struct buf *buf, struct span s);
/* Characters, malformed sequences counted as one each. */
size_t utf8_count(struct span s);

#endif
