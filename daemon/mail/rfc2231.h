/*
 * mail/rfc2231: the values of parameters, decoded.
 *
 * RFC 2231 as it is written (name*=charset'lang'%XX, name*0, name*1*, ...)
 * and what most mail has instead: encoded words in quotes (RFC 2047, which
 * forbids it), and raw 8-bit bytes.
 */
#ifndef BELFRY_MAIL_RFC2231_H
#define BELFRY_MAIL_RFC2231_H

#include "daemon/base/buf.h"
#include "daemon/mail/mime_field.h"

#define RFC2231_SEGMENTS_MAX 64 /* continuations read, name*0 to name*63 */

/*
 * Appends the value of the parameter `name` (ASCII case ignored) as clean
 * text (see text.h). False, and nothing appended: there is none, or it is
 * empty in every form.
 *
 * The forms, best first: name*, name*0 and on, name. Continuations are put in
 * order; gaps are closed, the first of two with one number counts. Only
 * segments whose name ends in "*" are percent-decoded, all of them in the
 * charset of the first; no charset, or an unknown one, is guessed. A percent
 * sign without two hexadecimal digits stays. Without any such segment the
 * value is read as rfc2047_decode reads a header.
 *
 * Adds at most 4 bytes for each of the values and 16.
 */
bool rfc2231_decode(struct buf *buf, const struct mime_param *params,
    size_t param_count, const char *name);

#endif
