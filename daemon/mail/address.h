/*
 * mail/address: RFC 5322 section 3.4 addresses as they are really written.
 *
 * Comments, quoted strings, groups, obsolete routes, missing brackets,
 * encoded words in names (also inside quotes, where they must not be),
 * 8-bit names, and lists such as ";;;;". Linear time, no recursion.
 *
 * Everything is valid UTF-8 without control characters. Only names are
 * RFC 2047-decoded: an encoded word inside an address stays as it is.
 * "john@x.org (John Doe)" has the comment as its name. In "a@b <c@d>" the
 * address is c@d and "a@b" its name. A group's name is dropped, its members
 * are kept. "root" is a user without domain; "John Doe" alone is a name
 * without user and domain.
 */
#ifndef BELFRY_MAIL_ADDRESS_H
#define BELFRY_MAIL_ADDRESS_H

#include "daemon/base/span.h"

#define ADDRESS_LIST_MAX 20000 /* addresses kept of one field */

/* All four stand in one piece of memory, which the list owns. */
struct address {
	char *name;   /* decoded display name, valid UTF-8; "" when none */
	char *user;   /* local part, unquoted, case kept */
	char *domain; /* as written, a trailing dot removed; "" when none */
	char *addr;   /* user@domain, the user quoted if it must be; or, when
		       * it is no address at all, what stood there */
};

struct address_list {
	struct address *items; /* owned */
	size_t count;
	bool is_truncated;
};

/* `text` is the raw, unfolded field body. Never fails; what is no address
 * gives none. */
void address_list_parse(struct span text, struct address_list *list_r);
void address_list_done(struct address_list *list);
/* The part behind the first '+' of the local part; "" when none. Borrowed. */
const char *address_detail(const struct address *address);

#endif
