/*
 * mail/code: the one-time code in a message that was sent for its sake.
 *
 * A code is four to eight digits, in one piece or in two that are equally long
 * ("123 456", "123-456"), with at most "G-" in front; not a year, an amount, a
 * date, or part of a longer number. It stands near words that announce one, in
 * one of some twenty languages, and these are not "postal code" or the like.
 * Of several the nearest to such words counts; the subject comes first.
 */
#ifndef BELFRY_MAIL_CODE_H
#define BELFRY_MAIL_CODE_H

#include <stdbool.h>

#include "daemon/base/buf.h"
#include "daemon/base/strv.h"

#define CODE_DIGITS_MIN 4
#define CODE_DIGITS_MAX 8
/* Bytes between the words and the code, whichever is first. */
#define CODE_DISTANCE_MAX 120
/* Bytes of a text that are looked at. */
#define CODE_TEXT_MAX (8 * 1024)

/* Appends the digits. False: there is none. Both are UTF-8; `text` is the
 * beginning of the message's own. */
bool code_find(struct span subject, struct span text, struct buf *code);
/* The subject announces a code and has none: it is in the text. */
bool code_wants_text(const char *subject);

/* ---- hiding ---- */

/* Appends the subject, with asterisks for the digits of a code that it has, and
 * of what else may be one: as it may stand in a log. What was masked has none
 * any more. */
void code_mask(struct span subject, struct buf *masked);
/* Adds the codes that code_mask hides, then that of the text. */
void code_list(struct span subject, struct span text, struct strv *codes);
/* Appends another text, in which these are hidden ... */
void code_hide(struct span text, const struct strv *codes, struct buf *out);
/* ... and shows them again: asterisks that fit one of them become its digits.
 * `text` is malloc'ed, and replaced; NULL stays. */
void code_show(char **text, const struct strv *codes);
/* Asterisks are in it that may stand for a code. */
bool code_is_hidden(const char *text);

#endif
