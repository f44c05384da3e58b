/*
 * mail/address_token: the scanner of addresses as they are really written.
 *
 * No byte is looked at twice but by a quote or a comment that never ends,
 * which is found out once; from then on such characters are ordinary.
 */
#ifndef BELFRY_MAIL_ADDRESS_TOKEN_H
#define BELFRY_MAIL_ADDRESS_TOKEN_H

#include "daemon/base/span.h"

enum address_token_kind {
	ADDRESS_TOKEN_END,
	ADDRESS_TOKEN_WORD, /* atom, dots included; domain literal; encoded word
			     */
	ADDRESS_TOKEN_QUOTED, /* text: what is between the quotes, still escaped
			       */
	ADDRESS_TOKEN_COMMENT, /* text: what is between the parentheses */
	ADDRESS_TOKEN_SPECIAL, /* one of < > , ; : @ */
};

struct address_token {
	enum address_token_kind kind;
	struct span text;
	bool after_blank; /* or after a comment */
	bool is_encoded;  /* a word that is an encoded word */
};

struct address_scanner {
	struct span rest;
	bool after_blank;
	bool has_open_quote, has_open_comment;
};

/* RFC 5322 section 3.2.3 without quotes, parentheses and brackets. */
static inline bool
address_is_special(char c)
{
	switch (c) {
	case '<':
	case '>':
	case ',':
	case ';':
	case ':':
	case '@':
		return true;
	default:
		return false;
	}
}

/* ADDRESS_TOKEN_END at the end, again and again. Texts are borrowed. */
struct address_token address_token_next(struct address_scanner *scanner);

#endif
