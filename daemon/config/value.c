/* From text to members: see value.h. */
#include "daemon/config/value.h"

#include <assert.h>
#include <stdlib.h>

#include "daemon/base/base64.h"
#include "daemon/base/digest.h"
#include "daemon/base/eai.h"
#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"
#include "daemon/config/config.h"
#include "daemon/config/problem.h"
#include "daemon/config/syntax.h"
#include "daemon/config/test_message.h"
#include "daemon/mail/date.h"
#include "rules/escalate.h"
#include "rules/foreign.h"

struct value {
	const struct setting *setting;
	const struct document_thing *thing; /* NULL: the default */
	const char *text;		    /* all of it */
	struct rule_problems *problems;
};

typedef bool parse_fn(struct value *value, struct span text, void *member);
typedef void free_fn(void *member);

/* For `return fail(...)`. `at` is inside the value's text. */
#define fail(value, at, hint, ...)                                             \
	(complain((value), (at), (hint), __VA_ARGS__), false)

static void complain(const struct value *value, const char *at,
    const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void
complain(const struct value *value, const char *at, const char *hint,
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

static void
replace_string(char **member, struct span text)
{
	free(*member);
	*member = xstrdup_span(text);
}

/* ---- single values ---- */

static bool
parse_text(struct value *value, struct span text, void *member)
{
	(void)value;
	replace_string(member, text);
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

/* "5min" and "2 hours" are what people try first. */
static const char *
unit_hint(struct span text)
{
	size_t digits = 0;

	while (digits < text.len && char_is_digit(text.data[digits]))
		digits++;
	struct span unit = span_trim(span_skip(text, digits));
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
		BUF_AUTO type = BUF_INIT;
		setting_describe_type(value->setting, &type);
		return fail(value, text.data, unit_hint(text), "`%s` is a %s",
		    value->setting->key, buf_str(&type));
	}
	if (usec < value->setting->min || usec > value->setting->max)
		return fail_range(value, text);
	*(usec_t *)member = usec;
	return true;
}

/* Also as it goes on the wire; offsets behind an international domain's
 * beginning mean nothing in what was written. */
static bool
read_address(struct value *value, struct span text, struct buf *address)
{
	size_t offset, at = span_find(text, '@');
	const char *why;

	if (!eai_add_address(address, text, &why))
		return fail(value, text.data + (at == SIZE_MAX ? 0 : at + 1),
		    NULL, "not an address: %s", why);
	if (address_check(buf_span(address), &why, &offset))
		return true;
	if (offset > text.len || !span_equal(buf_span(address), text))
		offset = 0;
	return fail(value, text.data + offset, NULL, "not an address: %s", why);
}

static bool
check_address(struct value *value, struct span text)
{
	BUF_AUTO address = BUF_INIT;

	return read_address(value, text, &address);
}

static bool
parse_address(struct value *value, struct span text, void *member)
{
	BUF_AUTO address = BUF_INIT;

	if (!read_address(value, text, &address))
		return false;
	replace_string(member, buf_span(&address));
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
	replace_string(member, text);
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
	} else if (name.data[0] != '/' && span_find(name, '/') != SIZE_MAX) {
		return fail(value, text.data, "write a name, or a full path",
		    "the path of a command is not relative");
	}
	return true;
}

/* ---- lists ---- */

typedef bool item_fn(struct value *value, struct span item);

/*   list = item *( *WSP "," *WSP item ) [ *WSP "," ]                        */
static bool
parse_items(
    struct value *value, struct span text, struct strv *member, item_fn *check)
{
	struct span rest = text, piece;

	while (span_split(&rest, ',', &piece)) {
		struct span item = span_trim(piece);
		bool is_last = rest.data == NULL;
		if (item.len == 0 && is_last && member->len > 0)
			break;
		if (item.len == 0)
			return fail(value, piece.data, NULL,
			    "nothing stands between the commas");
		if (member->len >= VALUE_ITEMS_MAX)
			return fail(value, item.data, NULL,
			    "more than %d items", VALUE_ITEMS_MAX);
		if (!check(value, item))
			return false;
		strv_add_span(member, item);
	}
	return true;
}

static bool
parse_addresses(struct value *value, struct span text, void *member)
{
	struct strv *addresses = member;
	size_t before = addresses->len;

	if (!parse_items(value, text, member, check_address))
		return false;
	for (size_t i = before; i < addresses->len; i++) {
		BUF_AUTO address = BUF_INIT;
		read_address(
		    value, span_from_str(addresses->items[i]), &address);
		free(addresses->items[i]);
		addresses->items[i] = xstrdup(buf_str(&address));
	}
	return true;
}

static bool
check_word(struct value *value, struct span item)
{
	(void)value, (void)item;
	return true;
}

static bool
parse_words(struct value *value, struct span text, void *member)
{
	return parse_items(value, text, member, check_word);
}

static bool
check_host(struct value *value, struct span item)
{
	const char *why;
	size_t offset;

	if (host_check(item, &why, &offset))
		return true;
	return fail(
	    value, item.data + offset, NULL, "not a host name: %s", why);
}

static bool
parse_hosts(struct value *value, struct span text, void *member)
{
	return parse_items(value, text, member, check_host);
}

#define PIN_PREFIX "sha256:"

/* As loop/tls reads and writes them (RFC 7469 section 2.4). */
static bool
check_pin(struct value *value, struct span item)
{
	BUF_AUTO digest = BUF_INIT;

	if (span_starts(item, PIN_PREFIX) &&
	    base64_decode(&digest, span_skip(item, sizeof(PIN_PREFIX) - 1)) &&
	    digest.len == DIGEST_SIZE)
		return true;
	return fail(value, item.data,
	    "with any other key the login fails and names the server's",
	    "a key is " PIN_PREFIX " and 44 characters of base64");
}

static bool
parse_pins(struct value *value, struct span text, void *member)
{
	const struct strv *pins = member;

	if (!parse_items(value, text, member, check_pin))
		return false;
	return pins->len <= CONFIG_PINS_MAX ||
	       fail(value, text.data, NULL, "more than %d keys",
		   CONFIG_PINS_MAX);
}

static bool
check_mailbox(struct value *value, struct span item)
{
	static const char *const special[] = {"\\All", "\\Archive", "\\Drafts",
	    "\\Flagged", "\\Important", "\\Junk", "\\Sent", "\\Trash", NULL};

	if (item.data[0] == '/' || item.data[item.len - 1] == '/' ||
	    span_find_span(item, SPAN("//"), 0) != SIZE_MAX)
		return fail(value, item.data, NULL,
		    "a mailbox name has a name on each side of a `/`");
	if (item.data[0] != '\\')
		return true;
	for (size_t i = 0; special[i] != NULL; i++)
		if (span_is_nocase(item, special[i]))
			return true;
	const char *nearest = str_nearest(item, special);
	STR_AUTO hint =
	    nearest == NULL
		? xstrdup("there are \\All, \\Archive, \\Drafts, \\Flagged, "
			  "\\Important, \\Junk, \\Sent and \\Trash")
		: xasprintf("did you mean `%s`?", nearest);
	return fail(value, item.data, hint, "unknown special-use mailbox");
}

static bool
parse_mailboxes(struct value *value, struct span text, void *member)
{
	return parse_items(value, text, member, check_mailbox);
}

/* RFC 5322 2.2: printable ASCII but the colon. */
static bool
parse_header(struct value *value, struct span text, void *member)
{
	size_t colon = span_find(text, ':');
	struct strv *headers = member;

	if (colon == SIZE_MAX || colon == 0)
		return fail(value, text.data, NULL,
		    "a header field is written as `Name: value`");
	for (size_t i = 0; i < colon; i++)
		if (text.data[i] <= ' ' || text.data[i] > '~')
			return fail(value, text.data + i, NULL,
			    "this character is not allowed in the name of a "
			    "header field");
	if (headers->len >= VALUE_ITEMS_MAX)
		return fail(value, text.data, NULL, "more than %d fields",
		    VALUE_ITEMS_MAX);
	strv_add_span(headers, text);
	return true;
}

static bool
parse_escalation(struct value *value, struct span text, void *member)
{
	struct strv *escalations = member;
	struct action action;
	struct span names;

	action_init(&action, ACTION_NOTIFY);
	if (!escalate_parse(text, &names, &action))
		return fail(value, text.data, NULL,
		    "a notifier and a time from 10s to 7d are expected, as in "
		    "phone after 10m unless read");
	if (escalations->len >= VALUE_ITEMS_MAX)
		return fail(value, text.data, NULL, "more than %d of them",
		    VALUE_ITEMS_MAX);
	strv_add_span(escalations, text);
	return true;
}

static bool
add_item(struct value *value, struct span text, struct strv *items)
{
	if (items->len >= VALUE_ITEMS_MAX)
		return fail(value, text.data, NULL, "more than %d of them",
		    VALUE_ITEMS_MAX);
	strv_add_span(items, text);
	return true;
}

static bool
parse_line(struct value *value, struct span text, void *member)
{
	return add_item(value, text, member);
}

static bool
parse_attachment(struct value *value, struct span text, void *member)
{
	struct test_attachment attachment;

	if (!test_attachment_parse(text, &attachment))
		return fail(value, text.data,
		    "such as `invoice.pdf application/pdf 200K`",
		    "behind the name of an attachment come its type and its "
		    "size");
	return add_item(value, text, member);
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
	if (!date_parse(text, &seconds))
		return fail(value, text.data,
		    "such as 2026-11-21 10:30, or 2h for two hours ago",
		    "this is no time");
	*time = (struct config_time){false, seconds};
	return true;
}

/*   rates = rate *( "," rate ) ; rate = number "/" ( "hour" / "day" )       */
static bool
parse_rate(struct value *value, struct span item, struct config_rate *rate_r)
{
	struct span rest = item, number;
	uint32_t count;

	span_split(&rest, '/', &number);
	if (!span_to_u32(span_trim(number), &count) || count > 1000000)
		return fail(value, item.data, NULL,
		    "a limit is written as 20/hour or 100/day");
	struct span unit = span_trim(rest);
	if (span_is(unit, "hour"))
		rate_r->window = USEC_HOUR;
	else if (span_is(unit, "day"))
		rate_r->window = USEC_DAY;
	else
		return fail(value, unit.len > 0 ? unit.data : item.data,
		    "the units are `hour` and `day`",
		    "a limit is written as 20/hour or 100/day");
	rate_r->count = count;
	return true;
}

static bool
parse_rates(struct value *value, struct span text, void *member)
{
	struct config_rates rates = {.count = 0};
	struct span rest = text, piece;

	while (span_split(&rest, ',', &piece)) {
		struct config_rate rate;
		if (rates.count == CONFIG_RATES_MAX)
			return fail(value, piece.data, NULL,
			    "more than %d limits", CONFIG_RATES_MAX);
		if (!parse_rate(value, span_trim(piece), &rate))
			return false;
		rates.items[rates.count++] = rate;
	}
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

/* ---- URLs ---- */

struct scheme {
	const char *name;
	unsigned port;
	enum server_tls tls;
};

static const struct scheme imap_schemes[] = {
    {"imaps", 993, SERVER_TLS},
    {"imap", 143, SERVER_STARTTLS},
    {NULL, 0, SERVER_TLS},
};
static const struct scheme smtp_schemes[] = {
    {"smtps", 465, SERVER_TLS},
    {"submission", 587, SERVER_STARTTLS},
    {NULL, 0, SERVER_TLS},
};
static const struct scheme http_schemes[] = {
    {"https", 443, SERVER_TLS},
    {"http", 80, SERVER_PLAINTEXT},
    {NULL, 0, SERVER_TLS},
};

static const struct scheme https_schemes[] = {
    {"https", 443, SERVER_TLS},
    {NULL, 0, SERVER_TLS},
};

static bool
fail_scheme(struct value *value, struct span text, const struct scheme *schemes)
{
	if (schemes[1].name == NULL)
		return fail(value, text.data, NULL, "`%s` begins with %s://",
		    value->setting->key, schemes[0].name);
	STR_AUTO hint = xasprintf(
	    "write %s://HOST or %s://HOST", schemes[0].name, schemes[1].name);

	return fail(value, text.data, hint, "`%s` begins with %s:// or %s://",
	    value->setting->key, schemes[0].name, schemes[1].name);
}

/* A mail server's name as DNS and certificates have it (RFC 5890); false for
 * what has no such form. */
static bool
add_ascii_host(struct buf *ascii, struct span host)
{
	const char *why;
	size_t offset;

	return eai_add_address(ascii, host, &why) &&
	       host_check(buf_span(ascii), &why, &offset);
}

static bool
is_international(const struct value *value, struct span host)
{
	BUF_AUTO ascii = BUF_INIT;
	enum setting_type type = value->setting->type;

	return (type == SETTING_IMAP_URL || type == SETTING_SMTP_URL) &&
	       utf8_ascii_length(host) != host.len &&
	       add_ascii_host(&ascii, host);
}

/*   host = name / IPv4 / "[" IPv6 "]"                                        */
static bool
split_host(struct value *value, struct span text, struct span *host_r,
    struct span *rest_r)
{
	const char *why;
	size_t offset, len;

	if (span_starts(text, "[")) {
		len = span_find(text, ']');
		struct span host =
		    span_slice(text, 1, len == SIZE_MAX ? 0 : len - 1);
		if (!host_is_ipv6(host))
			return fail(value, text.data, NULL,
			    "not an IPv6 address in brackets");
		*host_r = host;
		*rest_r = span_skip(text, len + 1);
		return true;
	}
	for (len = 0; len < text.len; len++)
		if (strchr(":/", text.data[len]) != NULL)
			break;
	struct span host = span_slice(text, 0, len);
	if (!is_international(value, host) && !host_check(host, &why, &offset))
		return fail(value, text.data + offset,
		    host_is_ipv6(text) ? "an IPv6 address stands in brackets"
				       : NULL,
		    "%s", why);
	*host_r = host;
	*rest_r = span_skip(text, len);
	return true;
}

/*   port = 1*5DIGIT ; 1 to 65535                                            */
static bool
split_port(struct value *value, struct span *rest, unsigned *port_r)
{
	size_t len = 1;
	uint32_t port;

	if (!span_starts(*rest, ":"))
		return true;
	while (len < rest->len && rest->data[len] != '/')
		len++;
	struct span digits = span_slice(*rest, 1, len - 1);
	if (!span_to_u32(digits, &port) || port < 1 || port > 65535)
		return fail(value, rest->data, NULL,
		    "a port is a number from 1 to 65535");
	*port_r = port;
	*rest = span_skip(*rest, len);
	return true;
}

/*   url = scheme "://" host [ ":" port ] ...                                */
static bool
split_url(struct value *value, struct span text, const struct scheme *schemes,
    struct config_server *server_r, struct span *host_r, struct span *rest_r)
{
	size_t end = span_find_span(text, SPAN("://"), 0);
	struct span name = span_slice(text, 0, end == SIZE_MAX ? 0 : end);
	struct span rest = span_skip(text, end == SIZE_MAX ? 0 : end + 3);

	while (schemes->name != NULL && !span_is_nocase(name, schemes->name))
		schemes++;
	if (end == SIZE_MAX || schemes->name == NULL)
		return false;
	size_t at = span_find(rest, '@');
	if (at != SIZE_MAX && at < span_find(rest, '/')) {
		complain(value, rest.data,
		    "use the keys for user and secret of this section",
		    "no user or password in a URL");
		*host_r = SPAN_EMPTY;
		return true;
	}
	server_r->port = schemes->port;
	server_r->tls = schemes->tls;
	if (!split_host(value, rest, host_r, &rest) ||
	    !split_port(value, &rest, &server_r->port))
		*host_r = SPAN_EMPTY;
	*rest_r = rest;
	return true;
}

/* imap://host:993 waits for a greeting that never comes. */
static void
warn_port(struct value *value, struct span text, const struct scheme *schemes,
    const struct config_server *server)
{
	for (; schemes->name != NULL; schemes++) {
		if (schemes->port != server->port ||
		    schemes->tls == server->tls || value->thing == NULL)
			continue;
		STR_AUTO hint = xasprintf("write %s://", schemes->name);
		problem_add(value->problems, true,
		    document_place(
			value->thing, (size_t)(text.data - value->text)),
		    hint, "port %u is usually that of %s://", server->port,
		    schemes->name);
	}
}

static bool
parse_server(struct value *value, struct span text,
    const struct scheme *schemes, struct config_server *member)
{
	struct config_server server = {NULL, 0, SERVER_TLS};
	struct span host, rest = SPAN_EMPTY;

	if (!split_url(value, text, schemes, &server, &host, &rest))
		return fail_scheme(value, text, schemes);
	if (host.len == 0)
		return false;
	if (rest.len > 0 && !span_is(rest, "/"))
		return fail(
		    value, rest.data, NULL, "nothing may follow host and port");
	warn_port(value, text, schemes, &server);
	BUF_AUTO ascii = BUF_INIT;
	if (!host_is_ipv6(host) && add_ascii_host(&ascii, host))
		host = buf_span(&ascii);
	free(member->host);
	server.host = xstrdup_span(host);
	*member = server;
	return true;
}

static bool
parse_imap_url(struct value *value, struct span text, void *member)
{
	return parse_server(value, text, imap_schemes, member);
}

static bool
parse_smtp_url(struct value *value, struct span text, void *member)
{
	return parse_server(value, text, smtp_schemes, member);
}

static bool
parse_web_url(struct value *value, struct span text,
    const struct scheme *schemes, void *member)
{
	struct config_server server = {NULL, 0, SERVER_TLS};
	struct span host, rest = SPAN_EMPTY;

	if (!split_url(value, text, schemes, &server, &host, &rest))
		return fail_scheme(value, text, schemes);
	if (host.len == 0)
		return false;
	if (server.tls == SERVER_PLAINTEXT && !host_is_loopback(host))
		return fail(value, text.data, "write https://",
		    "http is for this machine only");
	for (size_t i = 0; i < rest.len; i++)
		if (rest.data[i] <= ' ' || rest.data[i] > '~')
			return fail(value, rest.data + i, NULL,
			    "this character is not allowed in a URL");
	replace_string(member, text);
	return true;
}

static bool
parse_http_url(struct value *value, struct span text, void *member)
{
	return parse_web_url(value, text, http_schemes, member);
}

static bool
parse_https_url(struct value *value, struct span text, void *member)
{
	return parse_web_url(value, text, https_schemes, member);
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
	parse_fn *parse; /* NULL: rules/ reads it */
	free_fn *free;
} types[SETTING_TYPES] = {
    [SETTING_TEXT] = {parse_text, free_string},
    [SETTING_BOOL] = {parse_bool, free_nothing},
    [SETTING_NUMBER] = {parse_number, free_nothing},
    [SETTING_DURATION] = {parse_duration, free_nothing},
    [SETTING_CHOICE] = {parse_choice, free_nothing},
    [SETTING_ADDRESS] = {parse_address, free_string},
    [SETTING_ADDRESSES] = {parse_addresses, free_strv},
    [SETTING_WORDS] = {parse_words, free_strv},
    [SETTING_HOSTS] = {parse_hosts, free_strv},
    [SETTING_PINS] = {parse_pins, free_strv},
    [SETTING_MAILBOXES] = {parse_mailboxes, free_strv},
    [SETTING_HEADER] = {parse_header, free_strv},
    [SETTING_LINE] = {parse_line, free_strv},
    [SETTING_ATTACHMENT] = {parse_attachment, free_strv},
    [SETTING_TIME] = {parse_time, free_nothing},
    [SETTING_IMAP_URL] = {parse_imap_url, free_server},
    [SETTING_SMTP_URL] = {parse_smtp_url, free_server},
    [SETTING_HTTP_URL] = {parse_http_url, free_string},
    [SETTING_HTTPS_URL] = {parse_https_url, free_string},
    [SETTING_PATH] = {parse_path, free_string},
    [SETTING_ARGV] = {parse_argv, free_strv},
    [SETTING_RATES] = {parse_rates, free_nothing},
    [SETTING_HOURS] = {parse_hours, free_nothing},
    [SETTING_ESCALATION] = {parse_escalation, free_strv},
    [SETTING_NAME] = {parse_name, free_string},
    [SETTING_SECRET] = {parse_secret, free_secret},
    [SETTING_CONDITION] = {NULL, free_nothing},
    [SETTING_RULE_TEXT] = {NULL, free_nothing},
};

static void *
member_of(const struct setting *setting, void *base)
{
	return (char *)base + setting->offset;
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
	    &value, span_from_str(thing->value), member_of(setting, base));
}

void
value_set_standard(const struct setting *setting, void *base)
{
	struct value value = {setting, NULL, setting->standard, NULL};

	if (setting->offset == SETTING_NO_OFFSET || setting->standard == NULL)
		return;
	bool done = types[setting->type].parse(
	    &value, span_from_str(setting->standard), member_of(setting, base));
	assert(done);
	(void)done;
}

void
value_free(const struct setting *setting, void *base)
{
	if (setting->offset != SETTING_NO_OFFSET)
		types[setting->type].free(member_of(setting, base));
}
