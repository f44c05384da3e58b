/*
 * mail/html: the words of an HTML text.
 *
 * No browser: tags, comments, declarations, scripts, styles and the title go,
 * entities are decoded, everything else is text. Blocks and <br> are line
 * ends, cells are apart by a blank, blanks are collapsed (but for line ends
 * in <pre>); characters that nobody sees (soft hyphen, zero-width space, ...)
 * go, a no-break space is a blank. What is hidden by styles is not known.
 */
#ifndef BELFRY_MAIL_HTML_H
#define BELFRY_MAIL_HTML_H

#include "daemon/base/buf.h"
#include "daemon/base/span.h"

/*
 * Appends the text of `html`, which is valid UTF-8, as valid UTF-8 without
 * blanks at its ends: at most `max` bytes, no character cut. A tag, comment,
 * script or quote that does not end hides no more than up to the next ">";
 * what follows the last ">" and "<" is always text. Linear in time.
 */
void html_add_text(struct buf *text, struct span html, size_t max);

#endif
