/*
 * mail/date: the date of a message, however it was written.
 *
 *   date-time   = [ day-of-week "," ] day month year time [zone]
 *   time        = 2DIGIT [CFWS] ":" [CFWS] 2DIGIT
 *                 [ [CFWS] ":" [CFWS] 2DIGIT ]
 *   zone        = ("+" / "-") 4DIGIT / "UT" / "GMT" / "EST" ...
 *
 * (RFC 5322 sections 3.3 and 4.3). What is read here is any order of these
 * parts: the text is cut into tokens, and each token is what it looks like.
 * Of bare numbers, those of three and more digits and those above 31 are a
 * year; of the others the first is the day, the second a short year.
 */
#include "daemon/mail/date.h"

#include "daemon/base/str.h"

#define UNSET (-1)
#define WORD_MIN 3 /* letters that tell a month or a weekday */
#define DIGITS_MAX 9
#define MINUTE_SEC 60
#define HOUR_SEC (60 * MINUTE_SEC)
#define DAY_SEC ((int64_t)24 * HOUR_SEC)

struct parts {
	int year, month, day; /* UNSET until seen; month from 0 */
	int hour, minute, second;
	bool has_time, has_zone;
	bool is_pm, is_am;
	int zone; /* seconds east of UTC */
};

/* What is left of the text. */
struct cursor {
	struct span rest;
};

static const char *const months[] = {"january", "february", "march", "april",
    "may", "june", "july", "august", "september", "october", "november",
    "december"};

static const char *const weekdays[] = {"monday", "tuesday", "wednesday",
    "thursday", "friday", "saturday", "sunday"};

/* RFC 5322 section 4.3, and those whose meaning nobody disputes. The single
 * letters of RFC 822 were defined with the wrong sign: they are UTC. */
struct zone {
	const char *name;
	int hours;
	int minutes;
};

static const struct zone zones[] = {
    {"ut", 0, 0},
    {"utc", 0, 0},
    {"gmt", 0, 0},
    {"z", 0, 0},
    {"wet", 0, 0},
    {"est", -5, 0},
    {"edt", -4, 0},
    {"cst", -6, 0},
    {"cdt", -5, 0},
    {"mst", -7, 0},
    {"mdt", -6, 0},
    {"pst", -8, 0},
    {"pdt", -7, 0},
    {"ast", -4, 0},
    {"adt", -3, 0},
    {"nst", -3, -30},
    {"ndt", -2, -30},
    {"hst", -10, 0},
    {"akst", -9, 0},
    {"akdt", -8, 0},
    {"bst", 1, 0},
    {"met", 1, 0},
    {"mez", 1, 0},
    {"cet", 1, 0},
    {"mest", 2, 0},
    {"mesz", 2, 0},
    {"cest", 2, 0},
    {"eet", 2, 0},
    {"eest", 3, 0},
    {"west", 1, 0},
    {"msk", 3, 0},
    {"jst", 9, 0},
    {"kst", 9, 0},
    {"hkt", 8, 0},
    {"aest", 10, 0},
    {"aedt", 11, 0},
    {"nzst", 12, 0},
    {"nzdt", 13, 0},
};

static char
peek(const struct cursor *cursor)
{
	return cursor->rest.len > 0 ? cursor->rest.data[0] : '\0';
}

static char
peek_second(const struct cursor *cursor)
{
	return cursor->rest.len > 1 ? cursor->rest.data[1] : '\0';
}

static void
skip(struct cursor *cursor, size_t len)
{
	cursor->rest = span_skip(cursor->rest, len);
}

/* Skips a comment; one without end goes to the end. */
static void
skip_comment(struct cursor *cursor)
{
	size_t depth = 0;

	while (cursor->rest.len > 0) {
		char c = peek(cursor);

		skip(cursor, c == '\\' && cursor->rest.len > 1 ? 2 : 1);
		if (c == '(')
			depth++;
		else if (c == ')' && --depth == 0)
			return;
	}
}

static void
skip_filling(struct cursor *cursor)
{
	while (char_is_blank(peek(cursor)) || peek(cursor) == '(') {
		if (peek(cursor) == '(')
			skip_comment(cursor);
		else
			skip(cursor, 1);
	}
}

static struct span
take_while(struct cursor *cursor, bool (*fits)(char))
{
	size_t n = 0;
	struct span taken;

	while (n < cursor->rest.len && fits(cursor->rest.data[n]))
		n++;
	taken = span_slice(cursor->rest, 0, n);
	skip(cursor, n);
	return taken;
}

/* Digits at the front as a number; false: none, or too many. */
static bool
take_number(struct cursor *cursor, int *number_r, size_t *digits_r)
{
	struct span digits = take_while(cursor, char_is_digit);
	uint32_t value;

	if (digits.len > DIGITS_MAX || !span_to_u32(digits, &value))
		return false;
	*number_r = (int)value;
	*digits_r = digits.len;
	return true;
}

/* Is the word this name, or begins it with at least three letters? */
static bool
is_word(struct span word, const char *name)
{
	struct span front = span_slice(span_from_str(name), 0, word.len);

	return word.len >= WORD_MIN && span_equal_nocase(word, front);
}

static int
find_word(struct span word, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (is_word(word, names[i]))
			return (int)i;
	}
	return UNSET;
}

#define FIND_WORD(word, names)                                                 \
	find_word((word), (names), sizeof(names) / sizeof((names)[0]))

static void
set_named_zone(struct parts *parts, struct span word)
{
	if (parts->has_zone)
		return;
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		if (!span_is_nocase(word, zones[i].name))
			continue;
		parts->zone =
		    zones[i].hours * HOUR_SEC + zones[i].minutes * MINUTE_SEC;
		parts->has_zone = true;
	}
}

/* Foreign weekdays, "at", unknown zones: no trouble. */
static void
on_word(struct parts *parts, struct cursor *cursor)
{
	struct span word = take_while(cursor, char_is_alpha);
	int month = FIND_WORD(word, months);

	if (parts->month == UNSET && month != UNSET)
		parts->month = month;
	else if (span_is_nocase(word, "pm"))
		parts->is_pm = true;
	else if (span_is_nocase(word, "am"))
		parts->is_am = true;
	else if (FIND_WORD(word, weekdays) == UNSET)
		set_named_zone(parts, word);
}

static void
set_zone(struct parts *parts, int sign, int hours, int minutes)
{
	parts->has_zone = true;
	parts->zone = 0;
	if (hours < 24 && minutes < 60)
		parts->zone = sign * (hours * HOUR_SEC + minutes * MINUTE_SEC);
}

/* "+0200", "-530", "+2", "+02:00", "- 0400", at the sign. */
static void
on_zone(struct parts *parts, struct cursor *cursor)
{
	int sign = peek(cursor) == '-' ? -1 : 1;
	int hours, minutes = 0;
	size_t digits;

	skip(cursor, 1);
	take_while(cursor, char_is_blank);
	if (!take_number(cursor, &hours, &digits))
		return;
	if (digits <= 2 && peek(cursor) == ':') {
		skip(cursor, 1);
		if (!take_number(cursor, &minutes, &digits))
			return;
	} else if (digits > 2) {
		minutes = hours % 100;
		hours /= 100;
	}
	set_zone(parts, sign, hours, minutes);
}

/* Moves behind the colon, or full stop, that more digits follow. Around a
 * colon may be blanks and comments (RFC 5322 section 4.3). */
static bool
take_separator(struct cursor *cursor, char separator)
{
	struct cursor behind = *cursor;

	if (separator == ':')
		skip_filling(&behind);
	if (peek(&behind) != separator)
		return false;
	skip(&behind, 1);
	if (separator == ':')
		skip_filling(&behind);
	if (!char_is_digit(peek(&behind)))
		return false;
	*cursor = behind;
	return true;
}

/* Behind the hours and the separator. */
static bool
on_time(struct parts *parts, struct cursor *cursor, int hour, char separator)
{
	size_t digits;

	if (parts->has_time)
		return false;
	parts->has_time = true;
	parts->hour = hour;
	if (!take_number(cursor, &parts->minute, &digits))
		return false;
	if (!take_separator(cursor, separator))
		return true;
	if (!take_number(cursor, &parts->second, &digits))
		return false;
	/* Parts of a second. */
	if ((peek(cursor) == '.' || peek(cursor) == ',') &&
	    char_is_digit(peek_second(cursor))) {
		skip(cursor, 1);
		take_while(cursor, char_is_digit);
	}
	return true;
}

/* RFC 5322 section 4.3: 00 to 49 are of this century, 50 to 999 of the
 * last. */
static int
full_year(int year, size_t digits)
{
	if (digits <= 2)
		return year < 50 ? year + 2000 : year + 1900;
	return digits == 3 ? year + 1900 : year;
}

static bool
on_bare_number(struct parts *parts, int number, size_t digits)
{
	bool is_year = digits > 2 || number > 31;

	if (parts->day == UNSET && !is_year)
		parts->day = number;
	else if (parts->year == UNSET)
		parts->year = full_year(number, digits);
	else if (parts->has_time && !parts->has_zone && digits == 4)
		set_zone(parts, 1, number / 100, number % 100); /* no sign */
	else
		return false;
	return true;
}

/* "2024-02-29" or "2024/02/29" behind the year, at the separator. */
static bool
on_iso(struct parts *parts, struct cursor *cursor, int year)
{
	char separator = peek(cursor);
	size_t digits;
	int month;

	if (parts->year != UNSET || parts->day != UNSET)
		return false;
	parts->year = year;
	skip(cursor, 1);
	if (!take_number(cursor, &month, &digits) || peek(cursor) != separator)
		return false;
	skip(cursor, 1);
	parts->month = month - 1;
	if (!take_number(cursor, &parts->day, &digits))
		return false;
	if (char_to_lower(peek(cursor)) == 't')
		skip(cursor, 1);
	return true;
}

static bool
is_iso_next(const struct parts *parts, const struct cursor *cursor)
{
	char c = peek(cursor);

	return char_is_digit(peek_second(cursor)) && (c == '-' || c == '/') &&
	       !parts->has_time && parts->month == UNSET;
}

static bool
on_number(struct parts *parts, struct cursor *cursor)
{
	size_t digits;
	int number;

	if (!take_number(cursor, &number, &digits))
		return false;
	if (digits <= 2 && take_separator(cursor, ':'))
		return on_time(parts, cursor, number, ':');
	/* "10.30" is none where it can be the 10th of a 30th month. */
	if (digits <= 2 && parts->month != UNSET && take_separator(cursor, '.'))
		return on_time(parts, cursor, number, '.');
	if (digits == 4 && is_iso_next(parts, cursor))
		return on_iso(parts, cursor, number);
	return on_bare_number(parts, number, digits);
}

/* One token. Before the time a hyphen joins the parts of a date
 * ("02-Jan-2024"), behind it it is a zone's sign. */
static bool
on_token(struct parts *parts, struct cursor *cursor)
{
	char c = peek(cursor);

	if (char_is_digit(c))
		return on_number(parts, cursor);
	if (char_is_alpha(c))
		on_word(parts, cursor);
	else if (c == '(')
		skip_comment(cursor);
	else if (c == '+' || (c == '-' && parts->has_time))
		on_zone(parts, cursor);
	else
		skip(cursor, 1);
	return true;
}

static int
days_in_month(int year, int month)
{
	static const int days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month] + (month == 1 && is_leap);
}

/* Twelve-hour clock: 12 am is midnight, 12 pm noon. */
static void
fix_hour(struct parts *parts)
{
	if (!parts->is_am && !parts->is_pm)
		return;
	if (parts->hour == 12)
		parts->hour = 0;
	if (parts->is_pm && parts->hour < 12)
		parts->hour += 12;
}

/* A leap second counts as the next. */
static bool
is_possible(const struct parts *parts)
{
	if (parts->year < DATE_YEAR_MIN || parts->year > DATE_YEAR_MAX)
		return false;
	if (parts->month < 0 || parts->month > 11)
		return false;
	if (parts->day < 1 ||
	    parts->day > days_in_month(parts->year, parts->month))
		return false;
	return parts->hour < 24 && parts->minute < 60 && parts->second <= 60;
}

/* Days since 1970, counted in years that begin in March, so that the leap
 * day is the last. */
static int64_t
days_since_1970(int year, int month, int day)
{
	int64_t y = month < 2 ? year - 1 : year;
	int64_t m = month < 2 ? month + 10 : month - 2;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day -
	       719469;
}

bool
date_parse(struct span text, int64_t *unix_r)
{
	struct parts parts = {.year = UNSET, .month = UNSET, .day = UNSET};
	struct cursor cursor = {span_slice(text, 0, DATE_TEXT_MAX)};

	while (cursor.rest.len > 0) {
		if (!on_token(&parts, &cursor))
			return false;
	}
	fix_hour(&parts);
	if (!is_possible(&parts))
		return false;
	*unix_r =
	    days_since_1970(parts.year, parts.month, parts.day) * DAY_SEC +
	    parts.hour * HOUR_SEC + parts.minute * MINUTE_SEC + parts.second -
	    parts.zone;
	return true;
}
