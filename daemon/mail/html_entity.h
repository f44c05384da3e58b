/*
 * mail/html_entity: "&eacute;" and "&#233;".
 */
#ifndef BELFRY_MAIL_HTML_ENTITY_H
#define BELFRY_MAIL_HTML_ENTITY_H

#include "daemon/base/span.h"

/*
 * The character that the entity at the front of `s` ("&amp;", "&#xe9;", with
 * or without its semicolon) stands for, and its length; 0: there is none.
 * A number that stands for no character gives U+FFFD. Any number of digits is
 * read, each once.
 */
size_t html_entity(struct span s, uint32_t *code_r);

#endif
