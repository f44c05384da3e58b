/* Whether a condition goes on in the next line: see unfinished.h. */
#include "daemon/config/unfinished.h"

#include "daemon/base/str.h"

#define DELIMITERS "/#,%!"

typedef enum unfinished_state state_fn(struct unfinished *u, char c);

/* A quote opens only where a value may start: in 5" disk it is plain text. */
static bool
is_at_start(const struct unfinished *u)
{
	return u->previous == '\0' || char_is_blank(u->previous) ||
	       strchr("(,!", u->previous) != NULL;
}

static enum unfinished_state
on_plain(struct unfinished *u, char c)
{
	if (c == '(')
		u->depth++;
	else if (c == ')' && u->depth > 0)
		u->depth--;
	else if (c == '~')
		return UNFINISHED_TILDE;
	else if (c == '"' && is_at_start(u))
		return UNFINISHED_QUOTE;
	return UNFINISHED_PLAIN;
}

static enum unfinished_state
on_tilde(struct unfinished *u, char c)
{
	if (char_is_blank(c))
		return UNFINISHED_TILDE;
	if (c == '\0' || strchr(DELIMITERS, c) == NULL)
		return on_plain(u, c);
	u->delimiter = c;
	return UNFINISHED_PATTERN;
}

static enum unfinished_state
on_pattern(struct unfinished *u, char c)
{
	if (c == '\\')
		return UNFINISHED_PATTERN_ESCAPE;
	return c == u->delimiter ? UNFINISHED_PLAIN : UNFINISHED_PATTERN;
}

static enum unfinished_state
on_pattern_escape(struct unfinished *u, char c)
{
	(void)u, (void)c;
	return UNFINISHED_PATTERN;
}

static enum unfinished_state
on_quote(struct unfinished *u, char c)
{
	(void)u;
	if (c == '\\')
		return UNFINISHED_QUOTE_ESCAPE;
	return c == '"' ? UNFINISHED_PLAIN : UNFINISHED_QUOTE;
}

static enum unfinished_state
on_quote_escape(struct unfinished *u, char c)
{
	(void)u, (void)c;
	return UNFINISHED_QUOTE;
}

static state_fn *const states[] = {
    [UNFINISHED_PLAIN] = on_plain,
    [UNFINISHED_TILDE] = on_tilde,
    [UNFINISHED_PATTERN] = on_pattern,
    [UNFINISHED_PATTERN_ESCAPE] = on_pattern_escape,
    [UNFINISHED_QUOTE] = on_quote,
    [UNFINISHED_QUOTE_ESCAPE] = on_quote_escape,
};

static void
note_word(struct unfinished *u, char c)
{
	if (char_is_blank(c))
		return;
	u->has_comma = c == ',' && u->state == UNFINISHED_PLAIN;
	if (char_is_blank(u->previous))
		u->word_len = 0;
	if (u->word_len < sizeof(u->word))
		u->word[u->word_len++] = c;
}

static bool
ends_with_joint(const struct unfinished *u)
{
	struct span word = {u->word, u->word_len};

	return span_is(word, "and") || span_is(word, "or") ||
	       span_is(word, "not");
}

void
unfinished_feed(struct unfinished *u, struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		note_word(u, text.data[i]);
		u->state = states[u->state](u, text.data[i]);
		u->previous = text.data[i];
	}
}

bool
unfinished_is_open(const struct unfinished *u)
{
	return u->depth > 0 || u->has_comma || ends_with_joint(u) ||
	       u->state == UNFINISHED_PATTERN ||
	       u->state == UNFINISHED_PATTERN_ESCAPE ||
	       u->state == UNFINISHED_QUOTE ||
	       u->state == UNFINISHED_QUOTE_ESCAPE;
}
