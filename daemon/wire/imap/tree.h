/*
 * imap/tree: the values of one response whose end is already known.
 *
 * Internal to the response lexer. The lexer finds where a response ends and
 * where its literals stand; the tree makes values of it. A tree is kept from
 * response to response for its memory.
 */
#ifndef BELFRY_WIRE_IMAP_TREE_H
#define BELFRY_WIRE_IMAP_TREE_H

#include "daemon/wire/imap/response.h"

/* One literal; offsets from the beginning of the response. */
struct imap_literal {
	size_t head; /* of "{", or of the "~" in front of it */
	size_t data;
	size_t len;
};

/* A whole response without its last line end. */
struct imap_frame {
	char *bytes; /* quoted strings are unescaped in place */
	size_t len;
	const struct imap_literal *literals; /* ascending */
	size_t literal_count;
};

/* What the words at the front say; see imap_head_parse. */
struct imap_head {
	enum imap_response_kind kind;
	struct span tag;
	enum imap_status status;
	size_t rest; /* where text (status, continuation) or data begins */
};

struct imap_tree {
	/* Owned. `open` holds values whose list is not closed yet, `closed`
	 * the items of closed lists, each list's together. */
	struct imap_value *open, *closed;
	size_t open_count, open_cap;
	size_t closed_count, closed_cap;
	bool too_deep; /* the last one was malformed by its nesting only */
};

/*
 * Reads the front of a response: which kind it is, and whether human text
 * follows, in which no literal can stand. False: malformed. Reads no further
 * than the first line, so the line may lack its literals still.
 */
bool imap_head_parse(struct span line, struct imap_head *head_r);
/* Offset of the "]" that closes the response code whose "[" is at `from`,
 * quoted strings respected; SIZE_MAX if there is none. */
size_t imap_code_end(struct span line, size_t from);
/* Of decimal digits, any number of them. Saturates. */
uint64_t imap_digits_value(struct span digits);

void imap_tree_init(struct imap_tree *tree);
void imap_tree_done(struct imap_tree *tree);
/* Forgets the values; gives the room of large responses back. */
void imap_tree_clear(struct imap_tree *tree);
/*
 * False: malformed. What response_r points to is borrowed from the tree and
 * the frame until the next call with either.
 */
bool imap_tree_parse(struct imap_tree *tree, const struct imap_frame *frame,
    struct imap_response *response_r);

#endif
