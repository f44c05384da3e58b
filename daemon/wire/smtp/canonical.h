/*
 * smtp/canonical: message text as SMTP may carry it.
 *
 * Lines end in CRLF and nothing else: a CR without LF and an LF without CR
 * become CRLF, so that no receiver can see an end of the message where there
 * is none (SMTP smuggling, VU#302671). Text that does not end in CRLF gets
 * one; empty text stays empty. A dot at the start of a line is doubled
 * (RFC 5321 section 4.5.2).
 *
 * Streaming: the state carries over the edges of the pieces, and the result
 * does not depend on where they lie.
 */
#ifndef BELFRY_WIRE_SMTP_CANONICAL_H
#define BELFRY_WIRE_SMTP_CANONICAL_H

#include "daemon/base/buf.h"
#include "daemon/base/span.h"

#define CANONICAL_LINE_MAX 998 /* RFC 5321 4.5.3.1.6, without CRLF */

struct canonical {
	enum {
		CANONICAL_LINE_START,
		CANONICAL_IN_LINE,
		CANONICAL_CR
	} at;
	bool stuff; /* double the dots */
};

void canonical_init(struct canonical *c, bool stuff);
/* Appends at most twice the length of `bytes`, and one byte. */
void canonical_add(struct canonical *c, struct span bytes, struct buf *out);
/* Completes the last line. The object is as after canonical_init. */
void canonical_finish(struct canonical *c, struct buf *out);

/* What the session must know of a text before it sends it. */
struct canonical_facts {
	uint64_t size;	    /* canonical, not stuffed: SIZE= of RFC 1870 */
	uint64_t rewritten; /* bare CR and LF: a signature over them breaks */
	bool has_nul;
	bool has_8bit;
	bool has_long_line; /* of more than CANONICAL_LINE_MAX bytes */
};

struct canonical_facts canonical_measure(struct span text);

#endif
