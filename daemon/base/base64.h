/*
 * base64: RFC 4648 section 4.
 */
#ifndef BELFRY_BASE_BASE64_H
#define BELFRY_BASE_BASE64_H

#include "daemon/base/buf.h"
#include "daemon/base/span.h"

/* Appends one line, padded. */
void base64_encode(struct buf *buf, struct span bytes);
/* Appends lines of 76 characters, each ended by CRLF (RFC 2045 6.8). */
void base64_encode_mime(struct buf *buf, struct span bytes);
/* Strict: the alphabet, right padding, spare bits zero (RFC 4648 section 3.5),
 * nothing else. False: buf untouched. */
bool base64_decode(struct buf *buf, struct span text);
/* Tolerant, as mail needs it: skips foreign characters, accepts missing or
 * early padding (which starts a new group). Never fails. */
void base64_decode_mail(struct buf *buf, struct span text);

#endif
