/*
 * imap/bodystructure: the parts of a message, from the value of a FETCH's
 * BODYSTRUCTURE or of the older BODY (RFC 9051 section 7.5.2).
 *
 * A walk yields the leaves, in the order of the message: all parts that are no
 * multipart. An attached message is a leaf; what is inside it is not looked
 * at. What a server leaves out or sends as nonsense is empty or 0, and a part
 * that cannot be read at all still counts for the section numbers of those
 * behind it.
 *
 * Everything is borrowed from the response, with its lifetime.
 */
#ifndef BELFRY_WIRE_IMAP_BODYSTRUCTURE_H
#define BELFRY_WIRE_IMAP_BODYSTRUCTURE_H

#include "daemon/wire/imap/response.h"

/* Multiparts inside of each other; what is deeper is left out. */
#define IMAP_STRUCTURE_DEPTH_MAX 32
/* "65536." for each level, and a NUL. */
#define IMAP_SECTION_SIZE (IMAP_STRUCTURE_DEPTH_MAX * 6 + 1)

struct imap_leaf {
	char section[IMAP_SECTION_SIZE]; /* "1.2"; "1" for the only part */
	struct span type, subtype;	 /* in any case */
	const struct imap_value *params; /* param_count names and values */
	size_t param_count;
	struct span disposition; /* empty: none, or not told (BODY) */
	const struct imap_value *disposition_params;
	size_t disposition_param_count;
	struct span encoding;
	bool has_id;	 /* Content-ID */
	bool is_related; /* inside a multipart/related */
	uint64_t size;	 /* bytes as transferred; 0: not told, or bogus */
};

/* In the caller's memory; no cleanup. */
struct imap_bodystructure {
	const struct imap_value *single; /* not yielded yet */
	struct {
		const struct imap_value *list;
		size_t next; /* child */
		bool is_related;
	} levels[IMAP_STRUCTURE_DEPTH_MAX];
	size_t depth;
	bool is_cut; /* there was more than IMAP_STRUCTURE_DEPTH_MAX */
};

/* False: no structure (NIL, an empty list, not a list). */
bool imap_bodystructure_begin(
    struct imap_bodystructure *walk, const struct imap_value *value);
bool imap_bodystructure_next(
    struct imap_bodystructure *walk, struct imap_leaf *leaf_r);

/* Takes the next parameter off a leaf's: *params and *count move on. Without
 * a name it is stepped over; a value that is none is empty. */
bool imap_param_next(const struct imap_value **params, size_t *count,
    struct span *name_r, struct span *value_r);

#endif
