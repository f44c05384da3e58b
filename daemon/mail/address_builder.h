/*
 * mail/address_builder: what parsers of addresses (address.c, and
 * address_plain.c for the most frequent form) put together.
 */
#ifndef BELFRY_MAIL_ADDRESS_BUILDER_H
#define BELFRY_MAIL_ADDRESS_BUILDER_H

#include "daemon/mail/address.h"

struct address_builder {
	struct address_list *list; /* borrowed; empty when it begins */
	size_t size;		   /* of its items, allocated */
};

/* Valid UTF-8 without control characters. */
struct address_texts {
	struct span name, user, domain, addr;
};

/* Copies the texts to the end of the list; nothing if name and addr are
 * empty. Behind ADDRESS_LIST_MAX the list is marked as truncated. */
void address_builder_add(
    struct address_builder *builder, const struct address_texts *texts);

/* address_plain.c: reads lists of plain mailboxes, as most fields are. False:
 * this is something else; what was read so far is in the list. */
bool address_parse_plain(struct address_builder *builder, struct span text);

#endif
