/*
 * literals: what a pattern cannot do without.
 *
 *   pattern  = branch *( "|" branch )
 *   branch   = *( atom [ repeat ] )
 *   atom     = character / "\" escape / class / group / "." / "^" / "$"
 *   repeat   = ( "*" / "+" / "?" / "{" n [ "," [ m ] ] "}" ) [ "+" / "?" ]
 *
 * (pcre2pattern(3); PCRE2 has already taken the pattern, so only its meaning
 * is asked here.) A branch needs each of its atoms that is not optional: runs
 * of characters, or one of the literals of a group. The best of them stands
 * for the branch, one of each branch for the pattern. Where something could
 * change what follows - an option, a verb, a condition, a reference into the
 * pattern, a comment - the reader gives up.
 */
#include "rules/literals.h"

#include "daemon/base/buf.h"
#include "daemon/base/str.h"
#include "rules/pattern.h"

#define LONG_ENOUGH 12 /* a longer literal is hardly rarer */

struct reader {
	const char *pos, *end;
	bool is_lost; /* gave up */
};

/* How often an atom must be there. */
enum repeat {
	REPEAT_ONCE,
	REPEAT_MORE,
	REPEAT_OPTIONAL
};

/* A branch on its way. */
struct branch {
	struct strv best;
	struct buf run;
};

static void
give_up(struct reader *reader)
{
	reader->is_lost = true;
	reader->pos = reader->end;
}

static bool
is_at(const struct reader *reader, char c)
{
	return reader->pos < reader->end && *reader->pos == c;
}

static bool
take(struct reader *reader, char c)
{
	if (!is_at(reader, c))
		return false;
	reader->pos++;
	return true;
}

static bool
take_text(struct reader *reader, const char *text)
{
	struct span rest =
	    span_from(reader->pos, (size_t)(reader->end - reader->pos));

	if (!span_starts(rest, text))
		return false;
	reader->pos += strlen(text);
	return true;
}

/* ---- What is best ---- */

/* Long ones, then few; 0: nothing. */
static size_t
score(const struct strv *literals)
{
	size_t shortest = LONG_ENOUGH;

	if (literals->len == 0)
		return 0;
	for (size_t i = 0; i < literals->len; i++) {
		size_t len = strlen(literals->items[i]);

		shortest = len < shortest ? len : shortest;
	}
	return shortest * (LITERALS_MAX + 1) + LITERALS_MAX - literals->len;
}

/* Takes the items of `other`, whichever has to go. */
static void
keep_better(struct strv *best, struct strv *other)
{
	if (score(other) > score(best)) {
		strv_done(best);
		*best = *other;
		strv_init(other);
	}
	strv_done(other);
}

static void
end_run(struct branch *branch)
{
	STRV_AUTO one = STRV_INIT;

	if (branch->run.len >= LITERAL_MIN)
		strv_add_span(
		    &one, span_slice(buf_span(&branch->run), 0, LITERAL_MAX));
	keep_better(&branch->best, &one);
	buf_truncate(&branch->run, 0);
}

/* ---- Atoms ---- */

/* The text of a "{" that repeats; else the reader is lost: whether it is a
 * character depends on the version. */
static enum repeat
take_braces(struct reader *reader)
{
	unsigned least = 0;
	bool has_digit = false;

	while (reader->pos < reader->end && char_is_digit(*reader->pos)) {
		least |= *reader->pos != '0';
		has_digit = true;
		reader->pos++;
	}
	if (has_digit && take(reader, ','))
		while (reader->pos < reader->end && char_is_digit(*reader->pos))
			reader->pos++;
	if (!has_digit || !take(reader, '}'))
		give_up(reader);
	return least ? REPEAT_MORE : REPEAT_OPTIONAL;
}

static enum repeat
take_repeat(struct reader *reader)
{
	enum repeat repeat = REPEAT_ONCE;

	if (take(reader, '*') || take(reader, '?'))
		repeat = REPEAT_OPTIONAL;
	else if (take(reader, '+'))
		repeat = REPEAT_MORE;
	else if (take(reader, '{'))
		repeat = take_braces(reader);
	if (repeat != REPEAT_ONCE && !take(reader, '?'))
		take(reader, '+');
	return repeat;
}

static void
add_character(struct reader *reader, struct branch *branch, char c)
{
	enum repeat repeat = take_repeat(reader);

	if (repeat != REPEAT_OPTIONAL && c >= ' ' && c <= '~')
		buf_add_char(&branch->run, char_to_lower(c));
	else
		end_run(branch);
	if (repeat == REPEAT_MORE)
		end_run(branch);
}

/* Something that is no one character. */
static void
add_unknown(struct reader *reader, struct branch *branch)
{
	take_repeat(reader);
	end_run(branch);
}

/* Behind "\p" or "\P". */
static void
skip_property(struct reader *reader)
{
	if (!take(reader, '{')) {
		if (reader->pos < reader->end)
			reader->pos++;
		return;
	}
	while (reader->pos < reader->end && *reader->pos != '}')
		reader->pos++;
	if (!take(reader, '}'))
		give_up(reader);
}

/* Behind a backslash. */
static void
add_escape(struct reader *reader, struct branch *branch)
{
	/* Classes, places and control characters, one letter each. */
	static const char plain[] = "dDwWsShHvVNRXbBAzZGtnrfea";
	char c;

	if (reader->pos == reader->end) {
		give_up(reader);
		return;
	}
	c = *reader->pos++;
	if (!char_is_alnum(c)) {
		add_character(reader, branch, c);
		return;
	}
	if (c == 'p' || c == 'P')
		skip_property(reader);
	else if (strchr(plain, c) == NULL || (c == 'N' && is_at(reader, '{')))
		give_up(reader);
	add_unknown(reader, branch);
}

/* Behind "[:" inside of a class. */
static void
skip_posix_class(struct reader *reader)
{
	take(reader, '^');
	while (reader->pos < reader->end && char_is_alpha(*reader->pos))
		reader->pos++;
	if (!take_text(reader, ":]"))
		give_up(reader);
}

static void
skip_class_item(struct reader *reader)
{
	if (take_text(reader, "[:")) {
		skip_posix_class(reader);
	} else if (take_text(reader, "[.") || take_text(reader, "[=")) {
		give_up(reader);
	} else if (take(reader, '\\')) {
		if (is_at(reader, 'Q') || is_at(reader, 'E') ||
		    reader->pos == reader->end)
			give_up(reader);
		else
			reader->pos++;
	} else {
		reader->pos++;
	}
}

/* The only character of "[.]" or "[\.]"; NUL: there are others. */
static char
single_character(struct span inside)
{
	if (inside.len == 1)
		return inside.data[0] != '^' ? inside.data[0] : '\0';
	if (inside.len == 2 && inside.data[0] == '\\' &&
	    !char_is_alnum(inside.data[1]))
		return inside.data[1];
	return '\0';
}

/* Behind the "[". */
static void
add_class(struct reader *reader, struct branch *branch)
{
	const char *start = reader->pos;
	char single;

	take(reader, '^');
	/* Here a "]" is a character. */
	take(reader, ']');
	while (reader->pos < reader->end && *reader->pos != ']')
		skip_class_item(reader);
	if (reader->pos == reader->end) {
		give_up(reader);
		return;
	}
	single =
	    single_character(span_from(start, (size_t)(reader->pos - start)));
	reader->pos++;
	if (single != '\0')
		add_character(reader, branch, single);
	else
		add_unknown(reader, branch);
}

/* ---- Groups and branches ---- */

static void read_branches(struct reader *reader, struct strv *literals);

/* Behind "(?<", "(?'" or "(?P<". */
static void
skip_name(struct reader *reader, char end)
{
	while (reader->pos < reader->end &&
	       (char_is_alnum(*reader->pos) || *reader->pos == '_'))
		reader->pos++;
	if (!take(reader, end))
		give_up(reader);
}

/* Behind the "(": does it look around, so that its text may be elsewhere or
 * nowhere? */
static bool
take_group_kind(struct reader *reader)
{
	if (is_at(reader, '*'))
		give_up(reader);
	if (!take(reader, '?'))
		return false;
	if (take(reader, '=') || take(reader, '!') || take_text(reader, "<=") ||
	    take_text(reader, "<!"))
		return true;
	if (take(reader, ':') || take(reader, '>'))
		return false;
	if (take(reader, '<') || take_text(reader, "P<"))
		skip_name(reader, '>');
	else if (take(reader, '\''))
		skip_name(reader, '\'');
	else
		give_up(reader);
	return false;
}

static void
add_group(struct reader *reader, struct branch *branch)
{
	bool is_look = take_group_kind(reader);
	STRV_AUTO inside = STRV_INIT;

	end_run(branch);
	read_branches(reader, &inside);
	if (!take(reader, ')'))
		give_up(reader);
	if (take_repeat(reader) != REPEAT_OPTIONAL && !is_look)
		keep_better(&branch->best, &inside);
}

static void
add_atom(struct reader *reader, struct branch *branch)
{
	char c = *reader->pos++;

	switch (c) {
	case '\\':
		add_escape(reader, branch);
		break;
	case '[':
		add_class(reader, branch);
		break;
	case '(':
		add_group(reader, branch);
		break;
	case '.':
	case '^':
	case '$':
		add_unknown(reader, branch);
		break;
	case '*':
	case '+':
	case '?':
	case '{':
		give_up(reader); /* with nothing in front of it */
		break;
	default:
		add_character(reader, branch, c);
	}
}

/* The literals of one branch go into `literals`, which is empty. */
static void
read_branch(struct reader *reader, struct strv *literals)
{
	struct branch branch = {STRV_INIT, BUF_INIT};

	while (reader->pos < reader->end && *reader->pos != '|' &&
	       *reader->pos != ')')
		add_atom(reader, &branch);
	end_run(&branch);
	buf_done(&branch.run);
	*literals = branch.best;
}

/* One of each branch, or none when a branch has none. */
static void
read_branches(struct reader *reader, struct strv *literals)
{
	bool has_all = true;

	do {
		STRV_AUTO branch = STRV_INIT;

		read_branch(reader, &branch);
		has_all &= branch.len > 0;
		for (size_t i = 0; i < branch.len; i++)
			if (!strv_has(literals, branch.items[i]))
				strv_add(literals, branch.items[i]);
		has_all &= literals->len <= LITERALS_MAX;
		if (!has_all)
			strv_done(literals);
	} while (take(reader, '|'));
	if (!has_all)
		strv_done(literals);
}

void
literals_of_pattern(struct strv *literals, struct span text, unsigned flags)
{
	struct reader reader;

	if (text.len == 0 || (flags & PATTERN_EXTENDED) != 0)
		return;
	reader = (struct reader){text.data, text.data + text.len, false};
	read_branches(&reader, literals);
	if (reader.is_lost || reader.pos < reader.end)
		strv_done(literals);
}

void
literals_of_text(struct strv *literals, struct span text)
{
	struct branch branch = {STRV_INIT, BUF_INIT};

	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] >= ' ' && text.data[i] <= '~')
			buf_add_char(&branch.run, char_to_lower(text.data[i]));
		else
			end_run(&branch);
	}
	end_run(&branch);
	buf_done(&branch.run);
	*literals = branch.best;
}

/* ---- Asking ---- */

/* The first byte is rare, so that this is one call for most values. */
static bool
has_character(struct span value, struct span character)
{
	size_t at;

	while ((at = span_find(value, character.data[0])) != SIZE_MAX) {
		value = span_skip(value, at);
		if (span_equal(span_slice(value, 0, character.len), character))
			return true;
		value = span_skip(value, 1);
	}
	return false;
}

bool
literals_any_case(struct span value)
{
	return has_character(value, SPAN("\xc5\xbf")) ||
	       has_character(value, SPAN("\xe2\x84\xaa"));
}

bool
literals_may_match(const struct strv *literals, struct span value)
{
	for (size_t i = 0; i < literals->len; i++)
		if (span_contains_nocase(
			value, span_from_str(literals->items[i])))
			return true;
	return literals->len == 0 || literals_any_case(value);
}
