/*
 * mail/mime_walk: the leaves of a message's bytes, one after the other
 * (RFC 2045, RFC 2046 section 5.1), with the section numbers that IMAP gives
 * them (RFC 9051 section 6.4.5).
 *
 * A walk looks at each line once, keeps nothing but the multiparts it is in,
 * and takes what is malformed as IMAP servers do:
 *
 *   a line belongs to the innermost multipart whose boundary it begins with,
 *   or to the one with the longest boundary of several that fit;
 *   an outer boundary ends what is inside, even without its own end;
 *   a part header may end without an empty line, at a boundary;
 *   a multipart without a boundary parameter, or in which its boundary never
 *   comes, has one leaf: its whole text. (Servers see an empty part there,
 *   of the same section.)
 *
 * Boundaries inside of an attached message are known, so that they cannot be
 * mistaken for outer ones, but it is one leaf.
 */
#ifndef BELFRY_MAIL_MIME_WALK_H
#define BELFRY_MAIL_MIME_WALK_H

#include "daemon/base/span.h"
#include "daemon/mail/message.h"
#include "daemon/mail/mime_field.h"

#define MIME_DEPTH_MAX 32     /* multiparts and messages inside of each other */
#define MIME_BOUNDARY_MAX 998 /* bytes of a boundary compared */

/* One leaf; all borrowed from the walk until its next call. */
struct mime_leaf {
	const char *section;
	const struct message *header;
	const struct mime_field *type; /* Content-Type; empty: text/plain */
	bool is_message;  /* message/rfc822, be it only by default */
	struct span body; /* of the message's bytes */
	uint64_t size;	  /* of the body with CRLF for each LF */
	bool is_related;  /* inside a multipart/related, however deep */
};

struct mime_walk;

/* `message` is borrowed as long as the walk lives. */
struct mime_walk *mime_walk_new(struct span message);
void mime_walk_free(struct mime_walk **walk);
/* The next leaf; false: there is none. */
bool mime_walk_next(struct mime_walk *walk, struct mime_leaf *leaf_r);
/* So far a multipart was too deep, and what is in it passed over. */
bool mime_walk_is_truncated(const struct mime_walk *walk);

#endif
