/*
 * eai: mail addresses beyond ASCII (RFC 6531), as they go on the wire.
 *
 * A domain is always sent in ASCII (A-labels, RFC 5890), which every server
 * takes. A local part has no such form: it needs SMTPUTF8.
 */
#ifndef BELFRY_BASE_EAI_H
#define BELFRY_BASE_EAI_H

#include "daemon/base/buf.h"
#include "daemon/base/span.h"

/*
 * Appends the address with its domain in A-labels, letters beyond ASCII made
 * small before; nothing else is looked at, and an address whose domain is ASCII
 * is appended as it is. Unicode's normal forms are not made: a letter that
 * stands with a combining mark is refused, as it would be another name. False,
 * with the reason (a constant), and nothing is appended.
 */
bool eai_add_address(struct buf *buf, struct span address, const char **why_r);
/* Whether text can be part of an address: UTF-8, nothing that is invisible,
 * breaks a line or is a blank. */
bool eai_is_clean(struct span text);

#endif
