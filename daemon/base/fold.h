/*
 * fold: one form for texts that people take for the same.
 */
#ifndef BELFRY_BASE_FOLD_H
#define BELFRY_BASE_FOLD_H

#include "daemon/base/buf.h"
#include "daemon/base/span.h"

/* Unicode's simple case folding (version 14), without the rules of any
 * language: letters that differ in case only have the same. */
uint32_t fold_code(uint32_t code);
/* Appends each character folded; malformed sequences become U+FFFD. */
void fold_add(struct buf *buf, struct span text);

/*
 * Appends a domain name with its labels in Unicode (RFC 5890): those that
 * begin with "xn--" are decoded (RFC 3492), and stay as they are when they
 * cannot be. For comparing only: it does not ask whether a label may be
 * registered.
 */
void fold_add_domain(struct buf *buf, struct span domain);

#endif
