/*
 * mail/address_plain: most fields are this and nothing else, and then there is
 * nothing to think about; whatever is not, address.c reads from the begin.
 *
 *   list    = blanks mailbox *( blanks "," blanks mailbox ) blanks
 *   mailbox = [ words [" "] ] "<" word "@" word ">" / word "@" word
 *   words   = word *( " " word )
 *   word    = 1*<printable ASCII but specials; no "=?">
 */
#include "daemon/base/str.h"
#include "daemon/mail/address_builder.h"
#include "daemon/mail/address_token.h"
#include "daemon/mail/rfc2047.h"

static bool
is_plain_char(char c)
{
	switch (c) {
	case '"':
	case '(':
	case ')':
	case '[':
	case '\\':
	case ']':
		return false;
	default:
		return c > ' ' && c <= '~' && !address_is_special(c);
	}
}

/* The length of the word at the front. */
static size_t
word_length(struct span s)
{
	size_t len = 0;

	while (len < s.len && is_plain_char(s.data[len]))
		len++;
	return len;
}

static bool
take_plain(struct span *rest, size_t len, struct span *text_r)
{
	*text_r = span_slice(*rest, 0, len);
	*rest = span_skip(*rest, len);
	return len > 0;
}

static bool
take_char(struct span *rest, char c)
{
	if (rest->len == 0 || rest->data[0] != c)
		return false;
	*rest = span_skip(*rest, 1);
	return true;
}

static void
skip_blanks(struct span *rest)
{
	while (rest->len > 0 && char_is_blank(rest->data[0]))
		*rest = span_skip(*rest, 1);
}

struct plain {
	struct span name, user, domain;
};

/* Words with a blank between two; a blank behind them is taken, too. */
static struct span
take_words(struct span *rest)
{
	struct span words = span_slice(*rest, 0, 0), word;

	while (take_plain(rest, word_length(*rest), &word)) {
		words.len = (size_t)(word.data - words.data) + word.len;
		if (!take_char(rest, ' '))
			break;
	}
	return words;
}

/* Behind the local part. */
static bool
take_plain_domain(struct span *rest, struct plain *plain_r)
{
	return plain_r->user.len > 0 && take_char(rest, '@') &&
	       take_plain(rest, word_length(*rest), &plain_r->domain) &&
	       plain_r->domain.data[plain_r->domain.len - 1] != '.';
}

static bool
take_plain_mailbox(struct span *rest, struct plain *plain_r)
{
	struct span words = take_words(rest);

	if (!take_char(rest, '<')) {
		plain_r->name = span_slice(words, 0, 0);
		plain_r->user = words;
		/* No blank, neither inside nor in front of the "@". */
		return word_length(words) == words.len &&
		       words.data + words.len == rest->data &&
		       take_plain_domain(rest, plain_r);
	}
	plain_r->name = words;
	take_plain(rest, word_length(*rest), &plain_r->user);
	return take_plain_domain(rest, plain_r) && take_char(rest, '>');
}

static void
append_plain(struct address_builder *builder, const struct plain *plain)
{
	struct address_texts texts = {plain->name, plain->user, plain->domain,
	    span_from(
		plain->user.data, plain->user.len + 1 + plain->domain.len)};

	address_builder_add(builder, &texts);
}

bool
address_parse_plain(struct address_builder *builder, struct span text)
{
	struct plain plain;

	/* An encoded word could be anywhere. */
	if (text.len == 0 || rfc2047_may_have_word(text))
		return false;
	do {
		skip_blanks(&text);
		if (!take_plain_mailbox(&text, &plain))
			return false;
		append_plain(builder, &plain);
		skip_blanks(&text);
	} while (take_char(&text, ',') && !builder->list->is_truncated);
	return text.len == 0;
}
