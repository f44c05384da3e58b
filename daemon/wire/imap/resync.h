/*
 * imap/resync: what a server says of changes since a mod-sequence, of UIDs
 * that are gone, and of those that it found. Sets are parsed, and the caller's:
 * imap_seqset_done. One of more than IMAP_SEQSET_RANGES_MAX ranges is not
 * parsed: the caller must ask in another way.
 */
#ifndef BELFRY_WIRE_IMAP_RESYNC_H
#define BELFRY_WIRE_IMAP_RESYNC_H

#include "daemon/wire/imap/response.h"
#include "daemon/wire/imap/seqset.h"

/* * VANISHED (EARLIER) 300:310,405 (RFC 7162 section 3.2.10). What vanished
 * earlier was never counted by this session: EXISTS stays. */
struct imap_vanished {
	bool earlier;
	struct imap_seqset uids; /* owned */
};
/* Whether the response is VANISHED, whatever stands in it. */
bool imap_is_vanished(const struct imap_response *response);
/* False when it is not, or has no set. */
bool imap_vanished_parse(
    const struct imap_response *response, struct imap_vanished *vanished_r);

/* [MODIFIED 7,9] (RFC 7162 section 3.1.3): what UNCHANGEDSINCE left alone. */
bool imap_modified_parse(
    const struct imap_response *response, struct imap_seqset *uids_r);

/* SEARCH and ESEARCH (RFC 4731): adds what was found; an ESEARCH replaces what
 * was there. False when the response is neither. */
bool imap_search_parse(
    const struct imap_response *response, struct imap_seqset *found);

#endif
