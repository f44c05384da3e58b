#include "daemon/mail/address_token.h"

#include "daemon/base/str.h"
#include "daemon/mail/rfc2047.h"

static bool
is_space(char c)
{
	return char_is_blank(c) || c == '\r' || c == '\n';
}

/* The offset of the quote that ends the string at the front. */
static size_t
find_quote_end(struct span s)
{
	for (size_t i = 1; i < s.len; i++) {
		if (s.data[i] == '\\')
			i++;
		else if (s.data[i] == '"')
			return i;
	}
	return SIZE_MAX;
}

static size_t
find_comment_end(struct span s)
{
	size_t depth = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] == '\\')
			i++;
		else if (s.data[i] == '(')
			depth++;
		else if (s.data[i] == ')' && --depth == 0)
			return i;
	}
	return SIZE_MAX;
}

/* The length of a domain literal at the front, 0 when there is none. Stops
 * at the next "[", so that no byte is looked at twice. */
static size_t
literal_length(struct span s)
{
	for (size_t i = 1; i < s.len; i++) {
		char c = s.data[i];

		if (c == ']')
			return i + 1;
		if (c == '[' || c == '<' || c == '>' || c == ',' || is_space(c))
			return 0;
	}
	return 0;
}

/* Does an atom end in front of this? */
static bool
ends_atom(const struct address_scanner *scanner, struct span s)
{
	switch (s.data[0]) {
	case '"':
		return !scanner->has_open_quote;
	case '(':
		return !scanner->has_open_comment;
	case '=':
		return s.len > 1 && s.data[1] == '?';
	case '[':
		return true;
	default:
		return is_space(s.data[0]) || address_is_special(s.data[0]);
	}
}

static struct address_token
take(struct address_scanner *scanner, enum address_token_kind kind, size_t skip,
    size_t len)
{
	struct address_token token = {kind,
	    span_slice(scanner->rest, skip, len), scanner->after_blank, false};

	scanner->rest = span_skip(scanner->rest, len + 2 * skip);
	scanner->after_blank = kind == ADDRESS_TOKEN_COMMENT;
	return token;
}

static struct address_token
take_word(struct address_scanner *scanner)
{
	struct span rest = scanner->rest;
	size_t len = rfc2047_word_length(rest);
	struct address_token token;

	if (len > 0) {
		token = take(scanner, ADDRESS_TOKEN_WORD, 0, len);
		token.is_encoded = true;
		return token;
	}
	if (rest.data[0] == '[')
		len = literal_length(rest);
	if (len == 0)
		len = 1;
	while (len < rest.len && !ends_atom(scanner, span_skip(rest, len)))
		len++;
	return take(scanner, ADDRESS_TOKEN_WORD, 0, len);
}

/* At a quote. */
static struct address_token
take_quoted(struct address_scanner *scanner)
{
	size_t end = find_quote_end(scanner->rest);

	if (end != SIZE_MAX)
		return take(scanner, ADDRESS_TOKEN_QUOTED, 1, end - 1);
	scanner->has_open_quote = true;
	return take_word(scanner);
}

/* At an opening parenthesis. */
static struct address_token
take_comment(struct address_scanner *scanner)
{
	size_t end = find_comment_end(scanner->rest);

	if (end != SIZE_MAX)
		return take(scanner, ADDRESS_TOKEN_COMMENT, 1, end - 1);
	scanner->has_open_comment = true;
	return take_word(scanner);
}

struct address_token
address_token_next(struct address_scanner *scanner)
{
	char c;

	while (scanner->rest.len > 0 && is_space(scanner->rest.data[0])) {
		scanner->after_blank = true;
		scanner->rest = span_skip(scanner->rest, 1);
	}
	if (scanner->rest.len == 0)
		return (struct address_token){.kind = ADDRESS_TOKEN_END};
	c = scanner->rest.data[0];
	if (address_is_special(c))
		return take(scanner, ADDRESS_TOKEN_SPECIAL, 0, 1);
	if (c == '"' && !scanner->has_open_quote)
		return take_quoted(scanner);
	if (c == '(' && !scanner->has_open_comment)
		return take_comment(scanner);
	return take_word(scanner);
}
