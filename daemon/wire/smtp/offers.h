/*
 * smtp/offers: what a server says it can do (RFC 5321 section 4.1.1.1).
 */
#ifndef BELFRY_WIRE_SMTP_OFFERS_H
#define BELFRY_WIRE_SMTP_OFFERS_H

#include "daemon/base/span.h"

struct offers {
	bool starttls, pipelining, eightbit, utf8, chunking, size, auth;
	uint64_t size_limit; /* 0: none was given */
	unsigned mechanisms; /* bits 1 << enum sasl_mechanism */
};

/* `text` is that of a reply to EHLO, lines ended by LF. Unknown keywords and
 * mechanisms are ignored. */
void offers_parse(struct offers *offers_r, struct span text);

#endif
