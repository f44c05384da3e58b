/*
 * mail/rfc2047: encoded words, read as senders write them, written as the
 * RFC asks.
 */
#ifndef BELFRY_MAIL_RFC2047_H
#define BELFRY_MAIL_RFC2047_H

#include "daemon/base/buf.h"
#include "daemon/base/span.h"

#define RFC2047_LINE_MAX 76 /* section 2: a line with an encoded word */
#define RFC2047_WORD_MAX 75 /* section 2: an encoded word, as we write it */

/*
 * Appends the text of an unfolded header value as clean UTF-8 (see text.h).
 * Encoded words count wherever they stand, with or without blanks around
 * them, at any length; blanks between two of them vanish; a character may be
 * split between two of the same charset. Wrong padding, stray characters and
 * unknown charsets are read as well as can be; a word that cannot be read, or
 * is in UTF-7, stays as it was. 8-bit text outside of words is guessed (see
 * charset.h). What was decoded is not decoded again.
 *
 * Linear in time. Adds at most 4 * value.len + 16 bytes; adds something
 * whenever the value is more than blanks and empty encoded words.
 */
void rfc2047_decode(struct buf *buf, struct span value);
/* Decodes to itself, so nothing need be done: printable ASCII without the
 * begin of an encoded word. Most values are. */
bool rfc2047_is_plain(struct span value);
/* The offset, `from` or behind it, of what may have to be decoded: the begin
 * of an encoded word (its "?"), a byte that is no ASCII, an ESC. SIZE_MAX:
 * there is none, and the text is the value with controls replaced. */
size_t rfc2047_find_hard(struct span value, size_t from);
/* The begin of an encoded word is in it. */
bool rfc2047_may_have_word(struct span value);

/* The length of the encoded word, without blanks inside, at the front of
 * `text`; 0 when there is none. Amortised linear over a text. */
size_t rfc2047_word_length(struct span text);

/*
 * Appends `utf8` as the value of an unstructured field or as a phrase,
 * folded by CRLF and a blank so that no line is longer than 76 characters;
 * `first_column` is where the first one begins ("Subject: ": 9). ASCII text
 * that can be folded stays as it is; anything else becomes encoded words in
 * UTF-8 (B or Q, the shorter), none of which splits a character. The text is
 * cleaned first (see text.h), invalid UTF-8 becomes U+FFFD.
 *
 * rfc2047_decode of the result, unfolded and trimmed, gives the cleaned text
 * back.
 */
void rfc2047_encode(struct buf *buf, struct span utf8, size_t first_column);

#endif
