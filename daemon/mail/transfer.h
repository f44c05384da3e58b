/*
 * mail/transfer: Content-Transfer-Encoding undone (RFC 2045 section 6), for
 * text and as broken as it comes.
 */
#ifndef BELFRY_MAIL_TRANSFER_H
#define BELFRY_MAIL_TRANSFER_H

#include "daemon/base/buf.h"
#include "daemon/base/span.h"

/*
 * Appends the bytes that `raw`, a body or its beginning, stands for. `encoding`
 * is in lower case; one that is unknown is none. At most raw.len bytes; one at
 * least when `raw` has more than blanks and line ends. Linear in time.
 *
 * Quoted-printable: an "=" without two hexadecimal digits or a line end stays;
 * blanks at a line's end vanish. Base64: foreign characters are skipped; what
 * has too many of them is no base64 and stays as it is; behind padding comes
 * more base64 or, from the first line that is none, nothing.
 */
void transfer_decode(struct buf *bytes, struct span raw, const char *encoding);

#endif
