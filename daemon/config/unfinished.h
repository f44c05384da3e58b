/*
 * config/unfinished: whether a condition goes on in the next line.
 *
 * Fed with the pieces of a condition in order, it knows whether a
 * parenthesis, a pattern or a quoted value is still open, or whether it ends
 * with what no condition ends with: a comma, `and`, `or` or `not`. It is no
 * parser: it knows just enough of the rule language to find the ends.
 */
#ifndef BELFRY_CONFIG_UNFINISHED_H
#define BELFRY_CONFIG_UNFINISHED_H

#include "daemon/base/span.h"

enum unfinished_state {
	UNFINISHED_PLAIN,
	UNFINISHED_TILDE, /* behind `~`: a delimiter opens a pattern */
	UNFINISHED_PATTERN,
	UNFINISHED_PATTERN_ESCAPE,
	UNFINISHED_QUOTE,
	UNFINISHED_QUOTE_ESCAPE,
};

struct unfinished {
	enum unfinished_state state;
	unsigned depth; /* open parentheses */
	char delimiter; /* of the open pattern */
	char previous;	/* the character before, '\0' at the start */
	char word[4];	/* the start of the last word */
	unsigned word_len;
	bool has_comma; /* one stands last, and closes no pattern */
};

#define UNFINISHED_INIT                                                        \
	{                                                                      \
		.state = UNFINISHED_PLAIN                                      \
	}

void unfinished_feed(struct unfinished *u, struct span text);
bool unfinished_is_open(const struct unfinished *u);

#endif
