#include "rules/pattern_text.h"

#include <string.h>

#include "daemon/base/str.h"

#define GROUPS_MAX 64 /* of a text that is read */

struct group {
	size_t parent;
	const char *name; /* of a named group, else NULL */
	size_t name_len;
	bool is_optional; /* may be left out, or must not match */
	bool has_branches;
};

/* The first group is the whole pattern. */
struct scan {
	struct group groups[GROUPS_MAX];
	size_t count, open;
	bool has_assertion; /* also ^ and $ */
	size_t dead;	    /* of the text; SIZE_MAX: nothing is */
	bool needs[128];    /* characters outside of groups and classes */
};

/* Behind "[": the first byte behind the class; 0 where it has no end. */
static size_t
skip_class(const char *text, size_t pos)
{
	if (text[pos] == '^')
		pos++;
	if (text[pos] == ']')
		pos++;
	while (text[pos] != '\0' && text[pos] != ']') {
		if (text[pos] == '\\' && text[pos + 1] != '\0')
			pos++;
		else if (text[pos] == '[')
			return 0; /* [[:alpha:]], or worse */
		pos++;
	}
	return text[pos] == ']' ? pos + 1 : 0;
}

/* Letters behind a backslash that take a character of the value. */
static bool
is_class_letter(char c)
{
	return c != '\0' && strchr("dDwWsShHvVNR", c) != NULL;
}

static bool
is_quantifier(char c)
{
	return c == '?' || c == '*' || c == '+' || c == '{';
}

static bool
is_optional_quantifier(const char *text)
{
	return text[0] == '?' || text[0] == '*' ||
	       (text[0] == '{' && (text[1] == '0' || text[1] == ','));
}

/* At a piece that must take a character: a letter, a digit or a class. */
static bool
needs_character(const char *text)
{
	size_t len = 1;

	if (text[0] == '\\' && is_class_letter(text[1]) && text[1] != 'R')
		len = 2;
	else if (!char_is_alnum(text[0]) && text[0] != ' ')
		return false;
	return !is_optional_quantifier(text + len);
}

static size_t
name_len(const char *text)
{
	size_t len = 0;

	while (char_is_alnum(text[len]) || text[len] == '_')
		len++;
	return len;
}

/* Behind "(?"; 0 where it is something else. */
static size_t
open_special(struct scan *scan, const char *text, size_t pos)
{
	struct group *group = &scan->groups[scan->open];
	char end = '>';

	if (text[pos] == ':')
		return pos + 1;
	if (text[pos] == '=' || text[pos] == '!') {
		group->is_optional = text[pos] == '!';
		scan->has_assertion = true;
		return pos + 1;
	}
	if (text[pos] == '<' &&
	    (text[pos + 1] == '=' || text[pos + 1] == '!')) {
		group->is_optional = text[pos + 1] == '!';
		scan->has_assertion = true;
		return pos + 2;
	}
	if (text[pos] == 'P' && text[pos + 1] == '<')
		pos++;
	if (text[pos] == '\'')
		end = '\'';
	else if (text[pos] != '<')
		return 0;
	group->name = text + pos + 1;
	group->name_len = name_len(group->name);
	if (group->name_len == 0 || group->name[group->name_len] != end)
		return 0;
	return pos + 1 + group->name_len + 1;
}

/* Behind "(". */
static size_t
open_group(struct scan *scan, const char *text, size_t pos)
{
	if (scan->count == GROUPS_MAX || text[pos] == '*')
		return 0;
	scan->groups[scan->count] = (struct group){.parent = scan->open};
	scan->open = scan->count++;
	if (text[pos] != '?')
		return pos;
	return open_special(scan, text, pos + 1);
}

/* Behind ")". */
static size_t
close_group(struct scan *scan, const char *text, size_t pos)
{
	struct group *group = &scan->groups[scan->open];

	if (scan->open == 0)
		return 0;
	if (is_optional_quantifier(text + pos))
		group->is_optional = true;
	scan->open = group->parent;
	return pos;
}

/* Behind "\". */
static size_t
skip_escape(struct scan *scan, const char *text, size_t pos)
{
	char c = text[pos];

	if (c == 'b' || c == 'B' || c == 'A' || c == 'z' || c == 'Z') {
		scan->has_assertion = true;
		return pos + 1;
	}
	if (is_class_letter(c) || c == 't' || c == 'n' || c == 'r')
		return pos + 1;
	/* \Q, \x, \p, \1, \K and so on. */
	return char_is_alnum(c) || c == '\0' ? 0 : pos + 1;
}

static void
note_anchor(struct scan *scan, const char *text, size_t pos)
{
	scan->has_assertion = true;
	if (scan->open != 0 || scan->dead != SIZE_MAX)
		return;
	if (text[pos] == '$' && needs_character(text + pos + 1))
		scan->dead = pos;
	if (text[pos] == '^' && pos > 0 && char_is_alnum(text[pos - 1]) &&
	    (pos == 1 || text[pos - 2] != '\\') &&
	    !is_quantifier(text[pos + 1]))
		scan->dead = pos;
}

/* A literal at `pos` that cannot be left out. */
static void
note_literal(struct scan *scan, const char *text, size_t pos)
{
	static const char letters[] = "nrt", controls[] = "\n\r\t";
	unsigned char c = (unsigned char)text[pos];
	size_t end = pos + 1;

	if (c == '\\') {
		const char *letter = strchr(letters, text[pos + 1]);

		if (text[pos + 1] == '\0' || letter == NULL)
			return;
		c = (unsigned char)controls[letter - letters];
		end++;
	} else if (strchr(".[]()|^$?*+{}", c) != NULL) {
		return;
	}
	if (scan->open == 0 && c < 128 && !is_optional_quantifier(text + end))
		scan->needs[c] = true;
}

/* The piece at `pos`: the first byte behind it, 0 for something unknown. */
static size_t
scan_piece(struct scan *scan, const char *text, size_t pos)
{
	switch (text[pos]) {
	case '\\':
		return skip_escape(scan, text, pos + 1);
	case '[':
		return skip_class(text, pos + 1);
	case '(':
		return open_group(scan, text, pos + 1);
	case ')':
		return close_group(scan, text, pos + 1);
	case '|':
		scan->groups[scan->open].has_branches = true;
		return pos + 1;
	case '^':
	case '$':
		note_anchor(scan, text, pos);
		return pos + 1;
	default:
		return pos + 1;
	}
}

/* False where the text has something unknown. */
static bool
scan_text(struct scan *scan, const struct pattern_source *source)
{
	size_t pos = 0;

	*scan = (struct scan){.count = 1, .dead = SIZE_MAX};
	if ((source->flags & PATTERN_EXTENDED) != 0)
		return false;
	while (source->text[pos] != '\0') {
		note_literal(scan, source->text, pos);
		pos = scan_piece(scan, source->text, pos);
		if (pos == 0)
			return false;
	}
	return scan->open == 0;
}

static bool
is_one_of(const char *text, const char *const *texts)
{
	for (; *texts != NULL; texts++)
		if (strcmp(text, *texts) == 0)
			return true;
	return false;
}

bool
pattern_text_is_idle(const struct pattern_source *source)
{
	static const char *const idle[] = {"", "^", "$", ".*", "^.*", ".*$",
	    "^.*$", ".*?", "(.*)", "^(.*)$", "\\A", NULL};

	return is_one_of(source->text, idle);
}

/*
 * What matches the empty text and asks for nothing around it matches at the
 * beginning of every text; "^" before it changes nothing.
 */
bool
pattern_text_matches_all(
    const struct pattern_source *source, struct pattern_room *room)
{
	struct pattern_source rest = *source;
	struct scan scan;

	if (pattern_text_is_idle(source))
		return true;
	if (!scan_text(&scan, source))
		return false;
	if (source->text[0] == '^' && !scan.groups[0].has_branches) {
		rest.text++;
		if (!scan_text(&scan, &rest))
			return false;
	}
	return !scan.has_assertion &&
	       pattern_match(source->pattern, room, SPAN("")) == PATTERN_YES;
}

bool
pattern_text_is_dead(const struct pattern_source *source, size_t *offset_r)
{
	struct scan scan;

	if ((source->flags & PATTERN_LINES) != 0 || !scan_text(&scan, source) ||
	    scan.groups[0].has_branches || scan.dead == SIZE_MAX)
		return false;
	*offset_r = scan.dead;
	return true;
}

bool
pattern_text_needs(const struct pattern_source *source, char c)
{
	struct scan scan;

	if (pattern_needs(source->pattern, c))
		return true;
	return scan_text(&scan, source) && !scan.groups[0].has_branches &&
	       scan.needs[(unsigned char)c & 0x7f];
}

static bool
is_named(const struct group *group, const char *name)
{
	return group->name != NULL && strlen(name) == group->name_len &&
	       memcmp(group->name, name, group->name_len) == 0;
}

/* Itself may be left out, or one that it stands in, or the branch. */
static bool
may_lack(const struct scan *scan, size_t index)
{
	while (index != 0) {
		if (scan->groups[index].is_optional)
			return true;
		index = scan->groups[index].parent;
		if (scan->groups[index].has_branches)
			return true;
	}
	return false;
}

bool
pattern_text_may_lack(const struct pattern_source *source, const char *name)
{
	struct scan scan;
	size_t found = 0;

	if (!scan_text(&scan, source))
		return false;
	for (size_t i = 1; i < scan.count; i++) {
		if (!is_named(&scan.groups[i], name))
			continue;
		if (found != 0)
			return false; /* "(?J)": one of them may be set */
		found = i;
	}
	return found != 0 && may_lack(&scan, found);
}

bool
pattern_text_ignores_case(const struct pattern_source *source)
{
	struct scan scan;

	return (source->flags & PATTERN_CASE) == 0 && scan_text(&scan, source);
}
