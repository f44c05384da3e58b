/*
 * mail/body: the words of a message's text part.
 */
#ifndef BELFRY_MAIL_BODY_H
#define BELFRY_MAIL_BODY_H

#include "daemon/base/buf.h"
#include "daemon/mail/structure.h"

/* Bytes of the encoded part that are looked at: what is fetched. */
#define BODY_RAW_MAX (96 * 1024)
/* Bytes of text that are kept. */
#define BODY_TEXT_MAX (64 * 1024)
#define PREVIEW_CHARS_MAX 200

/*
 * Appends the text of `raw`, the bytes of `part` or their beginning: transfer
 * encoding undone (RFC 2045; quoted-printable and base64 as broken as they
 * come), in UTF-8 by the part's charset (unknown: guessed), line ends as one
 * LF, control characters but TAB and LF U+FFFD. HTML becomes its text: tags,
 * comments, style and script away, entities decoded, blocks and <br> are line
 * ends, blanks collapsed. format=flowed lines are left as they are. At most
 * BODY_TEXT_MAX bytes, no character cut in two. Never fails.
 */
void body_add_text(struct buf *text, struct span raw, const struct part *part);

/* Appends the beginning of a body text in one line, for a notification:
 * blanks collapsed, quotes (lines with ">") and "On ... wrote:" left out as
 * long as there is something else, at most PREVIEW_CHARS_MAX characters, then
 * an ellipsis. */
void body_add_preview(struct buf *preview, struct span text);

/* The bytes of the part `section` inside a whole message, for tests of files:
 * empty when it is not there. */
struct span body_find_part(struct span message, const char *section);

#endif
