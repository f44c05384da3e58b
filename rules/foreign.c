#include "rules/foreign.h"

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

struct foreign {
	enum foreign_kind kind;
	const char *word, *hint;
};

static const struct foreign table[] = {
    {FOREIGN_OPERATOR, "=", "to compare, write `is`"},
    {FOREIGN_OPERATOR, "==", "to compare, write `is`"},
    {FOREIGN_OPERATOR, "equals", "to compare, write `is`"},
    {FOREIGN_OPERATOR, "!=", "write `not` before the field and `is` behind it"},
    {FOREIGN_OPERATOR, "<>", "write `not` before the field and `is` behind it"},
    {FOREIGN_OPERATOR, "=~", "for a pattern, write `~ /.../`"},
    {FOREIGN_OPERATOR, "matches", "for a pattern, write `~ /.../`"},
    {FOREIGN_OPERATOR, "regex", "for a pattern, write `~ /.../`"},
    {FOREIGN_OPERATOR, "like", "for a pattern, write `~ /.../`"},
    {FOREIGN_OPERATOR, "startswith", "write `~ /^.../`"},
    {FOREIGN_OPERATOR, "endswith", "write `~ /...$/`"},
    {FOREIGN_OPERATOR, "contains", "write `has`"},
    {FOREIGN_OPERATOR, "includes", "write `has`"},
    {FOREIGN_OPERATOR, "exists", "write the field alone"},
    {FOREIGN_OPERATOR, "&&", "write `and`"},
    {FOREIGN_OPERATOR, "||", "write `or`"},
    {FOREIGN_OPERATOR, "AND", "write `and`"},
    {FOREIGN_OPERATOR, "OR", "write `or`"},
    {FOREIGN_OPERATOR, "not", "write `not` before the field"},

    {FOREIGN_FIELD, "NOT", "write `not`, in small letters"},
    {FOREIGN_FIELD, "address", "write `from`, `to` or `rcpt`"},
    {FOREIGN_FIELD, "recipient", "write `rcpt`"},
    {FOREIGN_FIELD, "delivered-to", "write `rcpt`, or header(Delivered-To)"},
    {FOREIGN_FIELD, "date", "write `sent` or `age`, as in: age > 2d"},
    {FOREIGN_FIELD, "received", "write `age`, as in: age > 2d"},
    {FOREIGN_FIELD, "time", "write `hour`, as in: hour >= 20"},
    {FOREIGN_FIELD, "day", "write `weekday`, as in: weekday is sat, sun"},
    {FOREIGN_FIELD, "folder", "write `mailbox`"},
    {FOREIGN_FIELD, "list", "write `list-id`, or `bulk` for any list"},
    {FOREIGN_FIELD, "headers", "write `any-header`"},
    {FOREIGN_FIELD, "spf", "write `auth.spf`"},
    {FOREIGN_FIELD, "dkim", "write `auth.dkim`"},
    {FOREIGN_FIELD, "dmarc", "write `auth.dmarc`"},
    {FOREIGN_FIELD, "read", "write `flag is read`"},
    {FOREIGN_FIELD, "seen", "write `flag is read`"},
    {FOREIGN_FIELD, "unread", "write `not flag is read`"},
    {FOREIGN_FIELD, "flagged", "write `flag is flagged`"},
    {FOREIGN_FIELD, "any", "write `all` for every message"},
    {FOREIGN_FIELD, "true", "write `all` for every message"},
    {FOREIGN_FIELD, "always", "write `all` for every message"},
    {FOREIGN_FIELD, "*", "write `all` for every message"},

    {FOREIGN_VARIABLE, "year", "write ${date.year}"},
    {FOREIGN_VARIABLE, "month", "write ${date.month}"},
    {FOREIGN_VARIABLE, "day", "write ${date.day}"},
    {FOREIGN_VARIABLE, "hour", "write ${date.hour}"},

    {FOREIGN_BOOL, "true", "write `yes`"},
    {FOREIGN_BOOL, "on", "write `yes`"},
    {FOREIGN_BOOL, "1", "write `yes`"},
    {FOREIGN_BOOL, "false", "write `no`"},
    {FOREIGN_BOOL, "off", "write `no`"},
    {FOREIGN_BOOL, "0", "write `no`"},

    {FOREIGN_MARK, "seen", "write `read`"},
    {FOREIGN_MARK, "unseen", "write `unread`"},
    {FOREIGN_MARK, "\\seen", "write `read`"},
    {FOREIGN_MARK, "flag", "write `flagged`"},
    {FOREIGN_MARK, "star", "write `flagged`"},
    {FOREIGN_MARK, "starred", "write `flagged`"},
    {FOREIGN_MARK, "\\flagged", "write `flagged`"},
    {FOREIGN_MARK, "replied", "write `answered`"},
    {FOREIGN_MARK, "\\answered", "write `answered`"},
};

const char *
foreign_hint(enum foreign_kind kind, struct span word)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (table[i].kind == kind &&
		    span_is_nocase(word, table[i].word))
			return table[i].hint;
	return NULL;
}

/* Units that people try. */
static const struct {
	enum field_unit unit;
	const char *word, *ours;
} unit_words[] = {
    {UNIT_SIZE, "b", ""},
    {UNIT_SIZE, "byte", ""},
    {UNIT_SIZE, "bytes", ""},
    {UNIT_SIZE, "k", "K"},
    {UNIT_SIZE, "kb", "K"},
    {UNIT_SIZE, "kib", "K"},
    {UNIT_SIZE, "m", "M"},
    {UNIT_SIZE, "mb", "M"},
    {UNIT_SIZE, "mib", "M"},
    {UNIT_SIZE, "g", "G"},
    {UNIT_SIZE, "gb", "G"},
    {UNIT_SIZE, "gib", "G"},
    {UNIT_TIME, "s", "s"},
    {UNIT_TIME, "sec", "s"},
    {UNIT_TIME, "second", "s"},
    {UNIT_TIME, "seconds", "s"},
    {UNIT_TIME, "m", "m"},
    {UNIT_TIME, "min", "m"},
    {UNIT_TIME, "mins", "m"},
    {UNIT_TIME, "minute", "m"},
    {UNIT_TIME, "minutes", "m"},
    {UNIT_TIME, "h", "h"},
    {UNIT_TIME, "hr", "h"},
    {UNIT_TIME, "hour", "h"},
    {UNIT_TIME, "hours", "h"},
    {UNIT_TIME, "d", "d"},
    {UNIT_TIME, "day", "d"},
    {UNIT_TIME, "days", "d"},
    {UNIT_TIME, "w", "w"},
    {UNIT_TIME, "week", "w"},
    {UNIT_TIME, "weeks", "w"},
};

static char *
weekday_hint(struct span text)
{
	static const char *const days[] = {
	    "mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL};
	struct span start = span_slice(text, 0, 3);

	for (size_t i = 0; days[i] != NULL; i++)
		if (span_is_nocase(start, days[i]))
			return xasprintf("did you mean `%s`?", days[i]);
	return NULL;
}

char *
foreign_number_hint(enum field_unit unit, struct span text)
{
	size_t digits = 0;
	struct span word;

	if (unit == UNIT_WEEKDAY)
		return weekday_hint(text);
	while (digits < text.len && char_is_digit(text.data[digits]))
		digits++;
	word = span_trim(span_skip(text, digits));
	if (digits == 0)
		return NULL;
	for (size_t i = 0; i < sizeof(unit_words) / sizeof(*unit_words); i++)
		if (unit_words[i].unit == unit &&
		    span_is_nocase(word, unit_words[i].word))
			return xasprintf("did you mean `%.*s%s`?", (int)digits,
			    text.data, unit_words[i].ours);
	return NULL;
}
