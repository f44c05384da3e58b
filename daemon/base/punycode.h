/*
 * punycode: RFC 3492, for one label of a domain name (RFC 5890).
 */
#ifndef BELFRY_BASE_PUNYCODE_H
#define BELFRY_BASE_PUNYCODE_H

#include "daemon/base/buf.h"
#include "daemon/base/span.h"

#define PUNYCODE_LABEL_MAX 63 /* bytes, RFC 1035 */

/* Appends "xn--..." in Unicode. False, and nothing is appended: it is none, or
 * not decodable. */
bool punycode_decode_label(struct buf *buf, struct span label);
/* Appends UTF-8 as "xn--...". False, and nothing is appended: malformed UTF-8,
 * only ASCII, or longer than PUNYCODE_LABEL_MAX. Case and normal forms are the
 * caller's business. */
bool punycode_encode_label(struct buf *buf, struct span label);

#endif
