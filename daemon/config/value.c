/* From text to members: see value.h. */
#include "daemon/config/value_private.h"

#include <assert.h>
#include <stdlib.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/config/config.h"
#include "daemon/config/problem.h"
#include "daemon/config/syntax.h"
#include "daemon/mail/date.h"
#include "rules/foreign.h"

typedef void free_fn(void *member);

void
value_complain(const struct value *value, const char *at, const char *hint,
    const char *format, ...)
{
	BUF_AUTO text = BUF_INIT;
	va_list args;

	assert(value->thing != NULL && "a default must parse");
	va_start(args, format);
	buf_vaddf(&text, format, args);
	va_end(args);
	problem_add(value->problems, false,
	    document_place(value->thing, (size_t)(at - value->text)), hint,
	    "%s", buf_str(&text));
}

void
value_replace(char **member, struct span text)
{
	free(*member);
	*member = xstrdup_span(text);
}

/* ---- single values ---- */

static bool
parse_text(struct value *value, struct span text, void *member)
{
	(void)value;
	value_replace(member, text);
	return true;
}

static const struct setting_choice *
find_choice(const struct setting_choice *choices, struct span word)
{
	for (; choices->word != NULL; choices++)
		if (span_is(word, choices->word))
			return choices;
	return NULL;
}

static bool
fail_choice(struct value *value, struct span text)
{
	const char *nearest = setting_choice_nearest(value->setting, text);
	BUF_AUTO words = BUF_INIT;
	STR_AUTO near =
	    nearest == NULL ? NULL : xasprintf("did you mean `%s`?", nearest);
	const char *hint = near;

	if (hint == NULL && value->setting->type == SETTING_BOOL)
		hint = foreign_hint(FOREIGN_BOOL, text);
	setting_choice_list(value->setting, &words);
	return fail(value, text.data, hint, "`%s` is %s", value->setting->key,
	    buf_str(&words));
}

static bool
parse_choice(struct value *value, struct span text, void *member)
{
	const struct setting_choice *choice =
	    find_choice(value->setting->choices, text);

	if (choice == NULL)
		return fail_choice(value, text);
	if (choice->later != NULL)
		return fail(value, text.data, NULL, "%s", choice->later);
	*(int *)member = choice->value;
	return true;
}

static bool
parse_bool(struct value *value, struct span text, void *member)
{
	if (!span_is(text, "yes") && !span_is(text, "no"))
		return fail_choice(value, text);
	*(bool *)member = span_is(text, "yes");
	return true;
}

static bool
fail_range(struct value *value, struct span text)
{
	BUF_AUTO type = BUF_INIT;

	setting_describe_type(value->setting, &type);
	return fail(value, text.data, NULL, "`%s` is a %s", value->setting->key,
	    buf_str(&type));
}

static bool
parse_number(struct value *value, struct span text, void *member)
{
	uint64_t number;

	if (!span_to_u64(text, &number) || number < value->setting->min ||
	    number > value->setting->max)
		return fail_range(value, text);
	*(unsigned *)member = (unsigned)number;
	return true;
}

/* "5min" and "2 hours" are what people try first; `number`, for "5". */
static const char *
unit_hint(struct span text, struct buf *number)
{
	size_t digits = 0;

	while (digits < text.len && char_is_digit(text.data[digits]))
		digits++;
	struct span unit = span_trim(span_skip(text, digits));
	if (usec_suggest_unit(number, text))
		return buf_str(number);
	if (digits == 0 || unit.len == 0)
		return NULL;
	switch (char_to_lower(unit.data[0])) {
	case 's':
		return "the unit of seconds is `s`, as in 90s";
	case 'm':
		return "the unit of minutes is `m`, as in 15m";
	case 'h':
		return "the unit of hours is `h`, as in 2h";
	case 'd':
		return "the unit of days is `d`, as in 3d";
	case 'w':
		return "the unit of weeks is `w`, as in 1w";
	default:
		return "the units are s, m, h, d and w";
	}
}

static bool
parse_duration(struct value *value, struct span text, void *member)
{
	usec_t usec;

	if (!usec_parse(text, &usec)) {
		BUF_AUTO type = BUF_INIT, hint = BUF_INIT;
		setting_describe_type(value->setting, &type);
		return fail(value, text.data, unit_hint(text, &hint),
		    "`%s` is a %s", value->setting->key, buf_str(&type));
	}
	if (usec < value->setting->min || usec > value->setting->max)
		return fail_range(value, text);
	*(usec_t *)member = usec;
	return true;
}

static bool
parse_name(struct value *value, struct span text, void *member)
{
	for (size_t i = 0; i < text.len; i++)
		if (!char_is_alnum(text.data[i]) &&
		    strchr("_-.", text.data[i]) == NULL)
			return fail(value, text.data + i, NULL,
			    "this character is not allowed in `%s`",
			    value->setting->key);
	if (text.data[0] == '.' || text.len > 255)
		return fail(value, text.data, NULL,
		    "`%s` does not start with a dot and has at most 255 "
		    "characters",
		    value->setting->key);
	value_replace(member, text);
	return true;
}

char *
value_expand_path(struct span path, const char *file)
{
	const char *home = getenv("HOME");
	const char *slash = strrchr(file, '/');

	if (span_starts(path, "/"))
		return xstrdup_span(path);
	if (span_starts(path, "~/") && home != NULL)
		return xasprintf("%s%.*s", home, SPAN_FMT(span_skip(path, 1)));
	if (slash == NULL)
		return xstrdup_span(path);
	return xasprintf(
	    "%.*s/%.*s", (int)(slash - file), file, SPAN_FMT(path));
}

static bool
parse_path(struct value *value, struct span text, void *member)
{
	assert(value->thing != NULL);
	if (span_starts(text, "~") && !span_starts(text, "~/"))
		return fail(value, text.data, "write ~/ or a full path",
		    "the home of another user is not looked up");
	free(*(char **)member);
	*(char **)member =
	    value_expand_path(text, value->thing->key_place.file);
	return true;
}

static bool
parse_secret(struct value *value, struct span text, void *member)
{
	if (text.len > SECRET_MAX)
		return fail(value, text.data, NULL,
		    "a secret has at most %d bytes", SECRET_MAX);
	secret_set(member, text);
	return true;
}

/* A name is looked up in PATH when it is run; a path must be a full one, as
 * the daemon has no working directory to speak of. "~/" is expanded. */
static bool
parse_argv(struct value *value, struct span text, void *member)
{
	struct error error = ERROR_INIT;
	struct strv *argv = member;
	size_t offset;

	strv_done(argv);
	if (!argv_split(text, argv, &offset, &error))
		return fail(value, text.data + offset, NULL, "%s", error.text);
	struct span name = span_from_str(argv->items[0]);
	if (span_starts(name, "~/")) {
		char *path = value_expand_path(name, "");
		free(argv->items[0]);
		argv->items[0] = path;
	} else if (!span_starts(name, "/") &&
		   span_find(name, '/') != SIZE_MAX) {
		return fail(value, text.data, "write a name, or a full path",
		    "the path of a command is not relative");
	}
	return true;
}

static bool
parse_time(struct value *value, struct span text, void *member)
{
	struct config_time *time = member;
	usec_t ago;
	int64_t seconds;

	if (usec_parse(text, &ago)) {
		*time = (struct config_time){true, (int64_t)(ago / USEC_SEC)};
		return true;
	}
	if (!date_parse(text, &seconds)) {
		BUF_AUTO hint = BUF_INIT;
		return fail(value, text.data,
		    usec_suggest_unit(&hint, text)
			? buf_str(&hint)
			: "such as 2026-11-21 10:30, or 2h for two hours ago",
		    "this is no time");
	}
	*time = (struct config_time){false, seconds};
	return true;
}

/*   rates = rate *( "," rate ) ; rate = number "/" ( "hour" / "day" )       */
static bool
parse_rate(struct value *value, struct span item, struct config_rates *rates)
{
	struct span rest = item, number;
	unsigned *limit;
	uint32_t count;

	span_split(&rest, '/', &number);
	if (!span_to_u32(span_trim(number), &count) || count > 1000000)
		return fail(value, item.data, NULL,
		    "a limit is written as 20/hour or 100/day");
	struct span unit = span_trim(rest);
	if (span_is(unit, "hour"))
		limit = &rates->hour;
	else if (span_is(unit, "day"))
		limit = &rates->day;
	else
		return fail(value, unit.len > 0 ? unit.data : item.data,
		    "the units are `hour` and `day`",
		    "a limit is written as 20/hour or 100/day");
	if (*limit != 0)
		return fail(value, item.data, "leave one of them out",
		    "there are two limits of one %.*s", (int)unit.len,
		    unit.data);
	*limit = count;
	return true;
}

static bool
parse_rates(struct value *value, struct span text, void *member)
{
	struct config_rates rates = {.hour = 0};
	struct span rest = text, piece;

	while (span_split(&rest, ',', &piece))
		if (!parse_rate(value, span_trim(piece), &rates))
			return false;
	*(struct config_rates *)member = rates;
	return true;
}

static bool
parse_hours(struct value *value, struct span text, void *member)
{
	struct error error = ERROR_INIT;
	size_t at;

	if (!quiet_hours_parse(text, member, &at, &error))
		return fail(value, text.data + at,
		    "such as 22:00-07:00, or mon-fri 22:00-07:00, sat, sun",
		    "%s", error.text);
	return true;
}

/* ---- the table of types ---- */

static void
free_nothing(void *member)
{
	(void)member;
}

static void
free_string(void *member)
{
	document_free_value(member);
}

static void
free_strv(void *member)
{
	strv_done(member);
}

static void
free_server(void *member)
{
	struct config_server *server = member;

	free(server->host);
	server->host = NULL;
}

static void
free_secret(void *member)
{
	secret_wipe(member);
}

static const struct type_row {
	value_fn *parse; /* NULL: rules/ reads it */
	free_fn *free;
} types[SETTING_TYPES] = {
    [SETTING_TEXT] = {parse_text, free_string},
    [SETTING_BOOL] = {parse_bool, free_nothing},
    [SETTING_NUMBER] = {parse_number, free_nothing},
    [SETTING_DURATION] = {parse_duration, free_nothing},
    [SETTING_CHOICE] = {parse_choice, free_nothing},
    [SETTING_ADDRESS] = {value_parse_address, free_string},
    [SETTING_ADDRESSES] = {value_parse_addresses, free_strv},
    [SETTING_WORDS] = {value_parse_words, free_strv},
    [SETTING_HOSTS] = {value_parse_hosts, free_strv},
    [SETTING_PINS] = {value_parse_pins, free_strv},
    [SETTING_MAILBOXES] = {value_parse_mailboxes, free_strv},
    [SETTING_HEADER] = {value_parse_header, free_strv},
    [SETTING_LINE] = {value_parse_line, free_strv},
    [SETTING_ATTACHMENT] = {value_parse_attachment, free_strv},
    [SETTING_TIME] = {parse_time, free_nothing},
    [SETTING_IMAP_URL] = {value_parse_imap_url, free_server},
    [SETTING_SMTP_URL] = {value_parse_smtp_url, free_server},
    [SETTING_HTTP_URL] = {value_parse_http_url, free_string},
    [SETTING_HTTPS_URL] = {value_parse_https_url, free_string},
    [SETTING_PATH] = {parse_path, free_string},
    [SETTING_ARGV] = {parse_argv, free_strv},
    [SETTING_RATES] = {parse_rates, free_nothing},
    [SETTING_HOURS] = {parse_hours, free_nothing},
    [SETTING_ESCALATION] = {value_parse_escalation, free_strv},
    [SETTING_NAME] = {parse_name, free_string},
    [SETTING_SECRET] = {parse_secret, free_secret},
    [SETTING_CONDITION] = {NULL, free_nothing},
    [SETTING_RULE_TEXT] = {NULL, free_nothing},
};

static void **
part_of(const struct setting *setting, void *base)
{
	return (void **)((char *)base + setting->part_offset);
}

/* NULL: it is in a part that does not exist. */
static void *
find_member(const struct setting *setting, void *base)
{
	if (setting->part_size != 0)
		base = *part_of(setting, base);
	return base != NULL ? (char *)base + setting->offset : NULL;
}

static void *
make_member(const struct setting *setting, void *base)
{
	if (setting->part_size != 0 && *part_of(setting, base) == NULL)
		*part_of(setting, base) = xcalloc(1, setting->part_size);
	return find_member(setting, base);
}

bool
value_parse(const struct document_thing *thing, void *base,
    struct rule_problems *problems)
{
	const struct setting *setting = thing->setting;
	struct value value = {setting, thing, thing->value, problems};

	if (setting->offset == SETTING_NO_OFFSET)
		return true;
	return types[setting->type].parse(
	    &value, span_from_str(thing->value), make_member(setting, base));
}

void
value_set_standard(const struct setting *setting, void *base)
{
	struct value value = {setting, NULL, setting->standard, NULL};

	if (setting->offset == SETTING_NO_OFFSET || setting->standard == NULL)
		return;
	bool done = types[setting->type].parse(&value,
	    span_from_str(setting->standard), make_member(setting, base));
	assert(done);
	(void)done;
}

void
value_free(const struct setting *setting, void *base)
{
	void *member = setting->offset != SETTING_NO_OFFSET
			   ? find_member(setting, base)
			   : NULL;

	if (member != NULL)
		types[setting->type].free(member);
}
