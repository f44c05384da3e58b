#include "rules/foreign.h"

#include "daemon/base/str.h"
#include "daemon/base/usec.h"
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

    {FOREIGN_OPERATOR, ":", "write `has` or `is`; fields have no colon"},
    {FOREIGN_OPERATOR, "&", "write `and`"},
    {FOREIGN_OPERATOR, "|", "write `or`"},
    {FOREIGN_OPERATOR, ",", "join conditions by `and` or `or`"},
    {FOREIGN_OPERATOR, "=>", "write `>=`"},
    {FOREIGN_OPERATOR, "=<", "write `<=`"},
    {FOREIGN_OPERATOR, "#", "a comment needs a line of its own"},
    {FOREIGN_OPERATOR, ";", "a comment needs a line of its own"},
    {FOREIGN_OPERATOR, "starts", "write `~ /^.../`"},
    {FOREIGN_OPERATOR, "begins", "write `~ /^.../`"},
    {FOREIGN_OPERATOR, "ends", "write `~ /...$/`"},
    {FOREIGN_OPERATOR, "isn't",
	"write `not` before the field and `is` behind it"},
    {FOREIGN_OPERATOR, "does",
	"write `not` before the field and `has` behind it"},
    {FOREIGN_OPERATOR, "doesn't",
	"write `not` before the field and `has` behind it"},
    {FOREIGN_OPERATOR, "hasn't",
	"write `not` before the field and `has` behind it"},
    {FOREIGN_OPERATOR, "larger", "write `>`"},
    {FOREIGN_OPERATOR, "bigger", "write `>`"},
    {FOREIGN_OPERATOR, "greater", "write `>`"},
    {FOREIGN_OPERATOR, "more", "write `>`"},
    {FOREIGN_OPERATOR, "over", "write `>`"},
    {FOREIGN_OPERATOR, "above", "write `>`"},
    {FOREIGN_OPERATOR, "older", "write `>`"},
    {FOREIGN_OPERATOR, "after", "write `>=`"},
    {FOREIGN_OPERATOR, "smaller", "write `<`"},
    {FOREIGN_OPERATOR, "less", "write `<`"},
    {FOREIGN_OPERATOR, "under", "write `<`"},
    {FOREIGN_OPERATOR, "below", "write `<`"},
    {FOREIGN_OPERATOR, "newer", "write `<`"},
    {FOREIGN_OPERATOR, "younger", "write `<`"},
    {FOREIGN_OPERATOR, "before", "write `<`"},
    {FOREIGN_OPERATOR, "between",
	"write two conditions, as in: hour >= 8 and hour <= 17"},
    {FOREIGN_OPERATOR, "unless", "write a line of its own: unless = ..."},

    {FOREIGN_FIELD, "if", "leave it out: the line is the condition"},
    {FOREIGN_FIELD, "when", "leave it out: the line is the condition"},
    {FOREIGN_FIELD, "unless", "write a line of its own: unless = ..."},
    {FOREIGN_FIELD, "allof", "join conditions by `and`"},
    {FOREIGN_FIELD, "anyof", "join conditions by `or`"},
    {FOREIGN_FIELD, "exists", "write the field alone"},
    {FOREIGN_FIELD, "is", "the field comes first, as in: flag is read"},
    {FOREIGN_FIELD, "has", "the field comes first, as in: subject has invoice"},
    {FOREIGN_FIELD, "in", "the field comes first, as in: from in @vip"},
    {FOREIGN_FIELD, "everything", "write `all` for every message"},
    {FOREIGN_FIELD, "text", "write `body`"},
    {FOREIGN_FIELD, "content", "write `body`"},
    {FOREIGN_FIELD, "body.text", "write `body`"},
    {FOREIGN_FIELD, "message", "write `body`, or the field that is meant"},
    {FOREIGN_FIELD, "domain", "write `from.domain`"},
    {FOREIGN_FIELD, "user", "write `from.user`"},
    {FOREIGN_FIELD, "from.local", "write `from.user`"},
    {FOREIGN_FIELD, "from.localpart", "write `from.user`"},
    {FOREIGN_FIELD, "from.host", "write `from.domain`"},
    {FOREIGN_FIELD, "from.email", "write `from`"},
    {FOREIGN_FIELD, "to.local", "write `to.user`"},
    {FOREIGN_FIELD, "to.localpart", "write `to.user`"},
    {FOREIGN_FIELD, "to.host", "write `to.domain`"},
    {FOREIGN_FIELD, "to.email", "write `to`"},
    {FOREIGN_FIELD, "to.plus", "write `to.detail`"},
    {FOREIGN_FIELD, "to.tag", "write `to.detail`"},
    {FOREIGN_FIELD, "older_than", "write `age`, as in: age > 2d"},
    {FOREIGN_FIELD, "newer_than", "write `age`, as in: age < 2d"},
    {FOREIGN_FIELD, "larger", "write `size`, as in: size > 10M"},
    {FOREIGN_FIELD, "smaller", "write `size`, as in: size < 10M"},
    {FOREIGN_FIELD, "deliveredto", "write `rcpt`, or header(Delivered-To)"},
    {FOREIGN_FIELD, "spam", "write header(X-Spam-Flag) is yes"},
    {FOREIGN_FIELD, "mailing-list", "write `list-id`, or `bulk` for any list"},
    {FOREIGN_FIELD, "envelope-to", "write `rcpt`, or header(Envelope-To)"},
    {FOREIGN_FIELD, "name", "write `from.name`"},
    {FOREIGN_FIELD, "auth", "write `auth.dmarc`, `auth.dkim` or `auth.spf`"},
    {FOREIGN_FIELD, "me", "write `to-me` or `cc-me`"},
    {FOREIGN_FIELD, "precedence", "write `bulk`, or header(Precedence)"},
    {FOREIGN_FIELD, "importance", "write header(Importance)"},
    {FOREIGN_FIELD, "priority", "write header(X-Priority)"},
    {FOREIGN_FIELD, "envelope", "write header(Return-Path)"},
    {FOREIGN_FIELD, "return-path", "write header(Return-Path)"},
    {FOREIGN_FIELD, "filename", "write `attachment.name`"},
    {FOREIGN_FIELD, "attachment.filename", "write `attachment.name`"},
    {FOREIGN_FIELD, "attachment.mime", "write `attachment.type`"},
    {FOREIGN_FIELD, "attachment.ext",
	"write a pattern, as in: attachment.name ~ /\\.pdf$/"},
    {FOREIGN_FIELD, "date.hour", "write `hour`, as in: hour >= 20"},
    {FOREIGN_FIELD, "tag", "write `keyword`"},
    {FOREIGN_FIELD, "label", "write `keyword`"},
    {FOREIGN_FIELD, "new", "write `new-sender`, or `not flag is read`"},

    {FOREIGN_FLAG, "unread", "write `not flag is read`"},
    {FOREIGN_FLAG, "unseen", "write `not flag is read`"},
    {FOREIGN_FLAG, "new", "write `not flag is read`"},
    {FOREIGN_FLAG, "unflagged", "write `not flag is flagged`"},
    {FOREIGN_FLAG, "unanswered", "write `not flag is answered`"},

    {FOREIGN_NOTIFY, "high", "write `critical`"},
    {FOREIGN_NOTIFY, "urgent", "write `critical`"},
    {FOREIGN_NOTIFY, "important", "write `critical`"},
    {FOREIGN_NOTIFY, "medium", "write `normal`"},

    {FOREIGN_KEY, "fileinto", "write `move`"},
    {FOREIGN_KEY, "folder", "write `move`"},
    {FOREIGN_KEY, "file", "write `move`"},
    {FOREIGN_KEY, "discard", "write `trash = yes`"},
    {FOREIGN_KEY, "spam", "write `junk = yes`"},
    {FOREIGN_KEY, "keep", "leave it out: what no rule moves stays"},
    {FOREIGN_KEY, "redirect", "write `forward`, and `as = redirect`"},
    {FOREIGN_KEY, "run", "write `exec`"},
    {FOREIGN_KEY, "script", "write `exec`"},
    {FOREIGN_KEY, "command", "write `exec`"},
    {FOREIGN_KEY, "pipe", "write `exec`"},
    {FOREIGN_KEY, "star", "write `mark = flagged`"},
    {FOREIGN_KEY, "skip_inbox", "write `archive = yes`"},
    {FOREIGN_KEY, "mark_read", "write `mark = read`"},
    {FOREIGN_KEY, "silent", "write `quiet = yes`"},
    {FOREIGN_KEY, "mute", "write `quiet = yes`"},
    {FOREIGN_KEY, "flag", "write `mark`"},
    {FOREIGN_KEY, "addflag", "write `mark`"},
    {FOREIGN_KEY, "setflag", "write `mark`"},
    {FOREIGN_KEY, "keyword", "write `mark`"},
    {FOREIGN_KEY, "tag", "write `mark`"},
    {FOREIGN_KEY, "if", "write `when`"},
    {FOREIGN_KEY, "where", "write `when`"},
    {FOREIGN_KEY, "match", "write `when`"},
    {FOREIGN_KEY, "condition", "write `when`"},
    {FOREIGN_KEY, "action", "each action is a key, as in: move = Folder"},
    {FOREIGN_KEY, "priority", "write `urgency`"},
    {FOREIGN_KEY, "disabled", "write `enabled = no`"},
    {FOREIGN_KEY, "dry_run", "write `mode = observe`"},

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

    {FOREIGN_MARK, "not", "to remove a mark, write `-` before it: -flagged"},
    {FOREIGN_MARK, "no", "leave the line out if it is not wanted"},
    {FOREIGN_MARK, "and", "separate words by blanks"},
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
    {UNIT_SIZE, "kilobytes", "K"},
    {UNIT_SIZE, "megabyte", "M"},
    {UNIT_SIZE, "megabytes", "M"},
    {UNIT_SIZE, "gigabytes", "G"},
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

static const struct {
	enum field_unit unit;
	const char *word;
	unsigned count;
	const char *ours;
} long_units[] = {
    {UNIT_TIME, "mo", 30, "d"},
    {UNIT_TIME, "month", 30, "d"},
    {UNIT_TIME, "months", 30, "d"},
    {UNIT_TIME, "y", 365, "d"},
    {UNIT_TIME, "yr", 365, "d"},
    {UNIT_TIME, "year", 365, "d"},
    {UNIT_TIME, "years", 365, "d"},
    {UNIT_SIZE, "t", 1024, "G"},
    {UNIT_SIZE, "tb", 1024, "G"},
};

/* "1y", "2 months": units of which one is several of ours. */
static char *
long_unit_hint(enum field_unit unit, struct span digits, struct span word)
{
	uint32_t number;

	if (!span_to_u32(digits, &number) || number > 1000)
		return NULL;
	for (size_t i = 0; i < sizeof(long_units) / sizeof(*long_units); i++)
		if (long_units[i].unit == unit &&
		    span_is_nocase(word, long_units[i].word))
			return xasprintf("write `%u%s`",
			    number * long_units[i].count, long_units[i].ours);
	return NULL;
}

/* "mon-fri", "Monday - Friday": days go from mon to sun. */
static char *
weekday_range_hint(const char *first, const char *last)
{
	if (strcmp(first, "mon") == 0)
		return xasprintf("write `weekday <= %s`", last);
	if (strcmp(last, "sun") == 0)
		return xasprintf("write `weekday >= %s`", first);
	return xasprintf(
	    "write `weekday >= %s and weekday <= %s`", first, last);
}

static const char *
find_day(struct span text)
{
	static const char *const days[] = {
	    "mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL};
	struct span start = span_slice(text, 0, 3);

	for (size_t i = 0; days[i] != NULL; i++)
		if (span_is_nocase(start, days[i]))
			return days[i];
	return NULL;
}

static char *
weekday_hint(struct span text)
{
	size_t dash = span_find(text, '-');
	const char *first, *last = NULL;

	if (span_is_nocase(text, "weekend"))
		return xstrdup("write `sat, sun`");
	first = find_day(text);
	if (first == NULL)
		return NULL;
	if (dash != SIZE_MAX)
		last = find_day(span_trim(span_skip(text, dash + 1)));
	if (last != NULL)
		return weekday_range_hint(first, last);
	return xasprintf("did you mean `%s`?", first);
}

/* "20:00", "5pm", "8-17". */
static char *
hour_hint(struct span text)
{
	size_t digits = 0;
	uint32_t hour = 0;
	struct span rest;

	while (digits < text.len && char_is_digit(text.data[digits]))
		digits++;
	if (!span_to_u32(span_slice(text, 0, digits), &hour) || hour > 23)
		return NULL;
	rest = span_trim(span_skip(text, digits));
	if (span_is_nocase(rest, "pm") && hour < 12)
		hour += 12;
	if (span_starts(rest, "-"))
		return xasprintf("write `hour >= %u and hour <= ...`", hour);
	return xasprintf("did you mean `%u`?", hour);
}

char *
foreign_number_hint(enum field_unit unit, struct span text)
{
	BUF_AUTO hint = BUF_INIT;
	size_t digits = 0;
	struct span word;

	if (unit == UNIT_WEEKDAY)
		return weekday_hint(text);
	if (text.len > 0 && strchr("<>=", text.data[0]) != NULL)
		return xstrdup("one operator is enough");
	if (unit == UNIT_HOUR)
		return hour_hint(text);
	while (digits < text.len && char_is_digit(text.data[digits]))
		digits++;
	word = span_trim(span_skip(text, digits));
	if (digits == 0)
		return NULL;
	if (unit == UNIT_TIME && usec_suggest_unit(&hint, text))
		return buf_take_str(&hint);
	for (size_t i = 0; i < sizeof(unit_words) / sizeof(*unit_words); i++)
		if (unit_words[i].unit == unit &&
		    span_is_nocase(word, unit_words[i].word))
			return xasprintf("did you mean `%.*s%s`?", (int)digits,
			    text.data, unit_words[i].ours);
	return long_unit_hint(unit, span_slice(text, 0, digits), word);
}
