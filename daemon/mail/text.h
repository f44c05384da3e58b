/*
 * mail/text: what header text may be made of.
 *
 * Clean text is valid UTF-8 without control characters: no NUL, CR, LF or
 * escape, whether it stood in the header or came out of an encoded word, can
 * reach a rule, a log, a command's argument or another protocol.
 */
#ifndef BELFRY_MAIL_TEXT_H
#define BELFRY_MAIL_TEXT_H

#include "daemon/base/buf.h"
#include "daemon/base/span.h"

/* Unfolds (RFC 5322 section 2.2.3) in place: takes CRLF and LF out, keeps the
 * blank behind them. Returns the new length. A CR alone stays. */
size_t text_unfold(char *data, size_t len);

/* Appends `utf8`, which is valid UTF-8, cleaned: CRLF, CR, LF and TAB are one
 * blank each; every other C0 or C1 control and DEL is U+FFFD. Adds at most
 * 3 * utf8.len bytes. */
void text_add_clean(struct buf *buf, struct span utf8);

/* Nothing but U+0020 to U+007E: clean as it is. */
bool text_is_printable_ascii(struct span text);
/* Copies text.len bytes, each tab as a blank. `to` is elsewhere. */
void text_copy_tabs(char *restrict to, struct span text);
/* Nothing but blanks, tabs, CR and LF (or nothing at all). */
bool text_is_blank(struct span text);

#endif
