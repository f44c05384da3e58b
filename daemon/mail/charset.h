/*
 * mail/charset: bytes in any charset that mail uses, as UTF-8. The only user
 * of iconv.
 *
 * Charsets are known by a table; no other name ever reaches iconv, so no
 * header can make it load a converter that nobody writes mail in. Labels
 * mean what senders mean by them: "iso-8859-1" and "us-ascii" are
 * windows-1252, "gb2312" is GB18030, "ks_c_5601-1987" is UHC, and so on.
 */
#ifndef BELFRY_MAIL_CHARSET_H
#define BELFRY_MAIL_CHARSET_H

#include "daemon/base/buf.h"
#include "daemon/base/span.h"

#define CHARSET_NAME_MAX 64 /* bytes of a name looked at */
#define CHARSET_TAIL_MAX 7  /* bytes of a character that goes on */

/* A row of the table; constant, lives for ever. */
struct charset;
/* Converters opened so far: at most one a row, so a header that changes its
 * charset at every word costs no more than one that does not. */
struct charset_decoder;

/* By any of its names; case and punctuation do not count ("UTF8", "utf-8").
 * NULL when unknown. */
const struct charset *charset_find(struct span name);
/* UTF-7: it would let a header smuggle specials past whoever reads ASCII. */
bool charset_is_refused(const struct charset *charset);
/* ASCII: of bytes beyond it nothing is said. */
bool charset_is_ascii(const struct charset *charset);

/* For tests: the name and row at `index` of the table, NULL behind it. */
const char *charset_name(size_t index, const struct charset **charset_r);

struct charset_decoder *charset_decoder_new(void);
void charset_decoder_free(struct charset_decoder **decoder);

/*
 * Appends `bytes`, in `charset` (NULL: unknown, see charset_guess; never a
 * refused one), as valid UTF-8, controls included. Always begins in the
 * charset's initial state. What is malformed becomes U+FFFD; text declared
 * as UTF-8 that has not one character of it is guessed. Adds at most
 * 4 * bytes.len + 16 bytes.
 *
 * Returns how many bytes at the end (0 to CHARSET_TAIL_MAX) begin a
 * character that `bytes` does not finish. They were not converted: the caller
 * puts them before the bytes that follow, or adds one U+FFFD.
 */
size_t charset_decode(struct charset_decoder *decoder,
    const struct charset *charset, struct buf *buf, struct span bytes);

/* UTF-8, be it that some sequences are bad: these then become U+FFFD. */
bool charset_looks_utf8(struct span bytes);
/* What bytes that do not look like UTF-8 are in: one of those that guess.h
 * can tell, else windows-1252. Never NULL. */
const struct charset *charset_guess_other(struct span bytes);
void charset_add_windows_1252(struct buf *buf, struct span bytes);
/* The character of one byte; U+FFFD: none. */
uint32_t charset_windows_1252_code(unsigned char byte);
/* Appends bytes of no declared charset: UTF-8, or as charset_guess_other
 * says. */
void charset_guess(struct buf *buf, struct span bytes);

#endif
