/*
 * imap/utf7: mailbox names in modified UTF-7 (RFC 3501 section 5.1.3).
 */
#ifndef BELFRY_WIRE_IMAP_UTF7_H
#define BELFRY_WIRE_IMAP_UTF7_H

#include "daemon/base/buf.h"

/* Appends the name on the wire. False: not valid UTF-8, or a NUL, CR or LF
 * inside; buf is untouched. */
bool imap_utf7_encode(struct buf *buf, struct span utf8);
/* Appends UTF-8 for display and comparison. A name that is not valid
 * modified UTF-7 (Yandex leaves `&` as it is, some servers send UTF-8) is
 * appended as it stands, made valid UTF-8. Returns false then. */
bool imap_utf7_decode(struct buf *buf, struct span name);

#endif
