/*
 * test-notifier: lines of the notifiers' protocol, and what webhooks send.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/random.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"
#include "notifiers/webhook.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
#define R "\xef\xbf\xbd"

/* ---- Lines ---- */

/* What is read, written again; NULL: it is not a line. */
static const struct {
	const char *name;
	struct span line;
	const char *again;
} lines[] = {
    {"ready", SPAN_INIT("ready\tversion=1\tcapabilities=body,actions"),
	"ready\tversion=1\tcapabilities=body,actions\n"},
    {"ready, with what its places begin with",
	SPAN_INIT("ready\tversion=1\tcapabilities=body\tplace=1-2.3-"),
	"ready\tversion=1\tcapabilities=body\tplace=1-2.3-\n"},
    {"ready, nothing said", SPAN_INIT("ready"), "ready\tversion=1\n"},
    {"another version", SPAN_INIT("ready\tversion=2"), NULL},
    {"shown", SPAN_INIT("shown\tid=1"), "shown\tid=1\n"},
    {"line feed", SPAN_INIT("shown\tid=1\n"), "shown\tid=1\n"},
    {"CR LF", SPAN_INIT("shown\tid=1\r\n"), "shown\tid=1\n"},
    {"largest id", SPAN_INIT("shown\tid=18446744073709551615"),
	"shown\tid=18446744073709551615\n"},
    {"id too large", SPAN_INIT("shown\tid=18446744073709551616"), NULL},
    {"id 0", SPAN_INIT("shown\tid=0"), NULL},
    {"id with a sign", SPAN_INIT("shown\tid=+1"), NULL},
    {"no id", SPAN_INIT("shown"), NULL},
    {"empty id", SPAN_INIT("shown\tid="), NULL},
    {"two ids", SPAN_INIT("shown\tid=1\tid=1"), NULL},
    {"unknown field", SPAN_INIT("shown\tid=1\tcolour=red"), "shown\tid=1\n"},
    {"field of another verb", SPAN_INIT("shown\tid=1\turgency=loud"),
	"shown\tid=1\n"},
    {"no equals", SPAN_INIT("shown\tid"), NULL},
    {"no name", SPAN_INIT("shown\tid=1\t=1"), NULL},
    {"empty field", SPAN_INIT("shown\tid=1\t"), NULL},
    {"two tabs", SPAN_INIT("shown\t\tid=1"), NULL},
    {"blank instead of tab", SPAN_INIT("shown id=1"), NULL},
    {"unknown verb", SPAN_INIT("bark\tid=1"), NULL},
    {"upper case", SPAN_INIT("SHOWN\tid=1"), NULL},
    {"nothing", SPAN_INIT(""), NULL},
    {"only an end", SPAN_INIT("\r\n"), NULL},
    {"failed", SPAN_INIT("failed\tid=7\treason=no luck"),
	"failed\tid=7\treason=no luck\n"},
    {"failed, empty reason", SPAN_INIT("failed\tid=7\treason="),
	"failed\tid=7\treason=\n"},
    {"failed without reason", SPAN_INIT("failed\tid=7"), "failed\tid=7\n"},
    {"equals in a value", SPAN_INIT("failed\tid=7\treason=a=b"),
	"failed\tid=7\treason=a=b\n"},
    {"closed", SPAN_INIT("closed\tid=2\treason=dismissed"),
	"closed\tid=2\treason=dismissed\n"},
    {"action", SPAN_INIT("action\tid=2\tkey=default"),
	"action\tid=2\tkey=default\n"},
    {"shown with a place", SPAN_INIT("shown\tid=2\tplace=1-2.3"),
	"shown\tid=2\tplace=1-2.3\n"},
    {"close with a place", SPAN_INIT("close\tid=2\tplace=1-2.3"),
	"close\tid=2\tplace=1-2.3\n"},
    {"action with a token", SPAN_INIT("action\tid=2\tkey=read\ttoken=a b"),
	"action\tid=2\tkey=read\ttoken=a b\n"},
    {"unavailable, and keeps", SPAN_INIT("unavailable\tkeeps=yes"),
	"unavailable\tkeeps=yes\n"},
    {"unavailable, and keeps not", SPAN_INIT("unavailable\tkeeps=no"),
	"unavailable\n"},
    {"unavailable", SPAN_INIT("unavailable\treason=no bus"),
	"unavailable\treason=no bus\n"},
    {"close", SPAN_INIT("close\tid=2"), "close\tid=2\n"},
    {"escapes", SPAN_INIT("unavailable\treason=a\\\\b\\tc\\rd\\ne"),
	"unavailable\treason=a\\\\b\\tc\\rd\\ne\n"},
    {"wrong escape", SPAN_INIT("unavailable\treason=\\x41"), NULL},
    {"half an escape", SPAN_INIT("unavailable\treason=a\\"), NULL},
    {"bytes that are not UTF-8", SPAN_INIT("unavailable\treason=\xff\xe4!"),
	"unavailable\treason=" R R "!\n"},
    {"controls", SPAN_INIT("unavailable\treason=\0\x1b[1m\x7f\xc2\x9b\ra"),
	"unavailable\treason=[1ma\n"},
    {"notify, all",
	SPAN_INIT("notify\tactions=default,read\tmessage-id=<a@b>\tsound=s\t"
		  "icon=i\tpreview=P\tcode=1234\turl=mid:a@b\t"
		  "body=B\ttitle=T\turgency=critical\tuid=12\t"
		  "uidvalidity=9\tmailbox=INBOX\taccount=work\t"
		  "id=1"),
	"notify\tid=1\taccount=work\tmailbox=INBOX\tuidvalidity=9\tuid=12\t"
	"urgency=critical\ttitle=T\tbody=B\tpreview=P\ticon=i\tsound=s\t"
	"message-id=<a@b>\turl=mid:a@b\tactions=default,read\n"},
    {"notify, hardly anything", SPAN_INIT("notify\tid=1"),
	"notify\tid=1\taccount=\tmailbox=\tuidvalidity=0\tuid=0\t"
	"urgency=normal\ttitle=\tbody=\tpreview=\ticon=\tsound=\t"
	"message-id=\turl=\tactions=\n"},
    {"notify, unknown urgency", SPAN_INIT("notify\tid=1\turgency=loud"), NULL},
    {"notify, uid too large", SPAN_INIT("notify\tid=1\tuid=4294967296"), NULL},
    {"notify, a wrong one at the end",
	SPAN_INIT("notify\tid=1\ttitle=T\tbody=B\tuid=x"), NULL},
};

static void
test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(lines); i++) {
		struct notifier_line line;
		BUF_AUTO again = BUF_INIT;

		if (notifier_line_parse(lines[i].line, &line)) {
			notifier_line_format(&again, &line);
			notifier_line_done(&line);
		}
		if (strcmp(buf_str(&again),
			lines[i].again != NULL ? lines[i].again : "") == 0)
			continue;
		print_error("case: %s: %s\n", lines[i].name, buf_str(&again));
		fail();
	}
}

static void
test_length(void **state)
{
	BUF_AUTO text = BUF_INIT;
	struct notifier_line line;

	(void)state;
	buf_add_str(&text, "unavailable\treason=");
	while (text.len < NOTIFIER_LINE_MAX)
		buf_add_char(&text, 'x');
	buf_add_char(&text, '\n');
	assert_true(notifier_line_parse(buf_span(&text), &line));
	notifier_line_done(&line);
	text.data[text.len - 1] = 'x';
	assert_false(notifier_line_parse(buf_span(&text), &line));
}

/* ---- Round trip of any bytes ---- */

#define ROUNDS 5000

static char *
random_string(struct random *random)
{
	BUF_AUTO text = BUF_INIT;
	uint64_t len = random_below(random, 20);

	while (text.len < len)
		buf_add_char(&text, (char)(1 + random_below(random, 255)));
	return buf_take_str(&text);
}

static void
random_line(struct random *random, struct notifier_line *line)
{
	struct notification *n = &line->n;

	line->verb = (enum notifier_verb)random_below(random, NOTIFIER_VERBS);
	n->id = 1 + random_next(random) / 2;
	n->uid = (uint32_t)random_next(random);
	n->uidvalidity = (uint32_t)random_next(random);
	n->urgency = (enum urgency)random_below(random, 3);
	n->account = random_string(random);
	n->mailbox = random_string(random);
	n->title = random_string(random);
	n->body = random_string(random);
	n->sound = random_string(random);
	n->icon = random_string(random);
	n->message_id = random_string(random);
	n->url = random_string(random);
	line->reason = random_string(random);
	line->key = random_string(random);
	line->capabilities = random_string(random);
}

/* Whatever is given, one line comes out that reads as it was written. */
static void
test_any_bytes(void **state)
{
	struct random random;

	(void)state;
	random_init(&random, 1);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct notifier_line line = {0}, read;
		BUF_AUTO first = BUF_INIT;
		BUF_AUTO second = BUF_INIT;

		random_line(&random, &line);
		notifier_line_format(&first, &line);
		assert_int_equal(
		    span_find(buf_span(&first), '\n'), first.len - 1);
		assert_true(utf8_is_valid(buf_span(&first)));
		assert_true(notifier_line_parse(buf_span(&first), &read));
		notifier_line_format(&second, &read);
		assert_string_equal(buf_str(&first), buf_str(&second));
		assert_int_equal(read.verb, line.verb);
		notifier_line_done(&line);
		notifier_line_done(&read);
	}
}

static void
test_values_survive(void **state)
{
	static const char text[] = "\\ \t\r\n = \xc3\xa4 \xf0\x9f\x94\x94";
	struct notifier_line line = {.verb = NOTIFIER_FAILED}, read;
	BUF_AUTO wire = BUF_INIT;

	(void)state;
	line.n.id = 3;
	line.reason = xstrdup(text);
	notifier_line_format(&wire, &line);
	assert_true(notifier_line_parse(buf_span(&wire), &read));
	assert_string_equal(read.reason, text);
	assert_int_equal(read.n.id, 3);
	notifier_line_done(&line);
	notifier_line_done(&read);
}

/* ---- Fit to be shown ---- */

static char *
repeat(const char *text, size_t times)
{
	BUF_AUTO buf = BUF_INIT;

	while (times-- > 0)
		buf_add_str(&buf, text);
	return buf_take_str(&buf);
}

/* The longest that can be: every character four bytes, or one that is
 * escaped. */
static void
test_sanitized_fits(void **state)
{
	static const char *const fillers[] = {
	    "\xf0\x9f\x94\x94", "\\", "\t", "\xff"};

	(void)state;
	for (size_t i = 0; i < LENGTH(fillers); i++) {
		struct notification n;
		struct notifier_line line = {.verb = NOTIFIER_NOTIFY};
		BUF_AUTO wire = BUF_INIT;

		notification_init(&n);
		n.id = UINT64_MAX;
		n.account = repeat(fillers[i], 5000);
		n.mailbox = repeat(fillers[i], 5000);
		n.title = repeat(fillers[i], 5000);
		n.body = repeat(fillers[i], 5000);
		n.sound = repeat(fillers[i], 5000);
		n.icon = repeat(fillers[i], 5000);
		n.message_id = repeat(fillers[i], 5000);
		n.url = repeat(
		    fillers[i], NOTIFICATION_URL_MAX / strlen(fillers[i]));
		notification_copy_sanitized(&line.n, &n);
		notifier_line_format(&wire, &line);
		assert_true(wire.len < NOTIFIER_LINE_MAX);
		assert_true(utf8_count(span_from_str(line.n.title)) <=
			    NOTIFICATION_TITLE_MAX + 1);
		assert_true(utf8_count(span_from_str(line.n.body)) <=
			    NOTIFICATION_BODY_MAX + 1);
		notification_done(&n);
		notifier_line_done(&line);
	}
}

static void
test_sanitized_of_nothing(void **state)
{
	struct notification none, clean;

	(void)state;
	notification_init(&none);
	notification_init(&clean);
	notification_copy_sanitized(&clean, &none);
	assert_string_equal(clean.title, "");
	assert_string_equal(clean.message_id, "");
	notification_done(&clean);
}

/* Half an address would open another message, or none. */
static void
test_long_url(void **state)
{
	static const char begin[] = "https://mail.example.org/";

	(void)state;
	for (size_t extra = 0; extra < 2; extra++) {
		STR_AUTO tail =
		    repeat("a", NOTIFICATION_URL_MAX - strlen(begin) + extra);
		STR_AUTO url = xasprintf("%s%s", begin, tail);
		const struct notification n = {.url = url};
		struct notification clean;

		notification_init(&clean);
		notification_copy_sanitized(&clean, &n);
		assert_string_equal(clean.url, extra == 0 ? url : "");
		notification_done(&clean);
	}
}

/* ---- Webhooks ---- */

static const struct {
	const char *name;
	struct span text;
	const char *json;
} strings[] = {
    {"empty", SPAN_INIT(""), "\"\""},
    {"plain", SPAN_INIT("Hello /"), "\"Hello /\""},
    {"quote, backslash", SPAN_INIT("\"\\"), "\"\\\"\\\\\""},
    {"short escapes", SPAN_INIT("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\""},
    {"controls", SPAN_INIT("\0\x01\x1f\x7f"),
	"\"\\u0000\\u0001\\u001f\\u007f\""},
    {"more than one byte", SPAN_INIT("\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x94"),
	"\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x94\""},
    {"not UTF-8", SPAN_INIT("\xff\xc3(\xed\xa0\x80"), "\"" R R "(" R R R "\""},
    {"cut", SPAN_INIT("a\xf0\x9f"), "\"a" R "\""},
};

static void
test_json_strings(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(strings); i++) {
		BUF_AUTO json = BUF_INIT;

		webhook_add_json_string(&json, strings[i].text);
		if (strcmp(buf_str(&json), strings[i].json) == 0)
			continue;
		print_error("case: %s: %s\n", strings[i].name, buf_str(&json));
		fail();
	}
}

#define LONG_TITLE                                                             \
	"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"     \
	"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"     \
	"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"

static const struct {
	const char *name;
	int format;
	enum urgency urgency;
	const char *title, *body;
	const char *given, *headers, *sent;
} webhooks[] = {
    {"json", WEBHOOK_JSON, URGENCY_NORMAL, "Ann", "Say \"hi\"", NULL,
	"Content-Type: application/json",
	"{\"title\":\"Ann\",\"body\":\"Say \\\"hi\\\"\","
	"\"urgency\":\"normal\",\"account\":\"work\",\"mailbox\":\"INBOX\","
	"\"message_id\":\"\",\"url\":\"\",\"uidvalidity\":9,\"uid\":"
	"4294967295}"},
    {"an unknown format is json", 17, URGENCY_LOW, "A", "B", NULL,
	"Content-Type: application/json",
	"{\"title\":\"A\",\"body\":\"B\","
	"\"urgency\":\"low\",\"account\":\"work\",\"mailbox\":\"INBOX\","
	"\"message_id\":\"\",\"url\":\"\",\"uidvalidity\":9,\"uid\":"
	"4294967295}"},
    {"ntfy", WEBHOOK_NTFY, URGENCY_CRITICAL, "Ann", "Hello", NULL,
	"Content-Type: text/plain; charset=utf-8|Priority: 5|Tags: envelope|"
	"Title: Ann",
	"Hello"},
    {"ntfy, the user's fields win", WEBHOOK_NTFY, URGENCY_LOW, "Ann", "Hello",
	"priority: 4",
	"priority: 4|Content-Type: text/plain; charset=utf-8|Tags: envelope|"
	"Title: Ann",
	"Hello"},
    {"ntfy, no text", WEBHOOK_NTFY, URGENCY_LOW, "Ann", "", NULL,
	"Content-Type: text/plain; charset=utf-8|Priority: 2|Tags: envelope",
	"Ann"},
    {"ntfy, title beyond ASCII", WEBHOOK_NTFY, URGENCY_NORMAL, "\xc3\xa4", "B",
	NULL,
	"Content-Type: text/plain; charset=utf-8|Priority: 3|Tags: envelope|"
	"Title: =?UTF-8?B?w6Q=?=",
	"B"},
    {"ntfy, a title that breaks out", WEBHOOK_NTFY, URGENCY_NORMAL, "a\r\nX: y",
	"B", NULL,
	"Content-Type: text/plain; charset=utf-8|Priority: 3|Tags: envelope|"
	"Title: =?UTF-8?B?YQ0KWDogeQ==?=",
	"B"},
    {"ntfy, a title that looks encoded", WEBHOOK_NTFY, URGENCY_NORMAL,
	"=?UTF-8?B?YQ==?=", "B", NULL,
	"Content-Type: text/plain; charset=utf-8|Priority: 3|Tags: envelope|"
	"Title: =?UTF-8?B?PT9VVEYtOD9CP1lRPT0/PQ==?=",
	"B"},
    {"ntfy, two words, cut between characters", WEBHOOK_NTFY, URGENCY_NORMAL,
	LONG_TITLE, "B", NULL,
	"Content-Type: text/plain; charset=utf-8|Priority: 3|Tags: envelope|"
	"Title: =?UTF-8?B?w6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6TD"
	"pMOkw6Q=?= =?UTF-8?B?w6Q=?=",
	"B"},
    {"gotify", WEBHOOK_GOTIFY, URGENCY_CRITICAL, "Ann", "Hello\nyou", NULL,
	"Content-Type: application/json",
	"{\"title\":\"Ann\",\"message\":\"Hello\\nyou\",\"priority\":8}"},
    {"gotify, no text", WEBHOOK_GOTIFY, URGENCY_LOW, "Ann", "", NULL,
	"Content-Type: application/json",
	"{\"title\":\"Ann\",\"message\":\"Ann\",\"priority\":2}"},
    {"gotify, the user's type", WEBHOOK_GOTIFY, URGENCY_NORMAL, "Ann", "B",
	"Content-type: application/json; charset=utf-8",
	"Content-type: application/json; charset=utf-8",
	"{\"title\":\"Ann\",\"message\":\"B\",\"priority\":5}"},
};

static void
test_webhooks(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(webhooks); i++) {
		const struct notification n = {
		    .account = (char *)(uintptr_t) "work",
		    .mailbox = (char *)(uintptr_t) "INBOX",
		    .uidvalidity = 9,
		    .uid = UINT32_MAX,
		    .urgency = webhooks[i].urgency,
		    .title = (char *)(uintptr_t)webhooks[i].title,
		    .body = (char *)(uintptr_t)webhooks[i].body,
		};
		STRV_AUTO headers = STRV_INIT;
		BUF_AUTO body = BUF_INIT;
		STR_AUTO joined = NULL;

		if (webhooks[i].given != NULL)
			strv_add(&headers, webhooks[i].given);
		webhook_format(webhooks[i].format, &n, NULL, &headers, &body);
		joined = strv_join(&headers, "|");
		if (strcmp(joined, webhooks[i].headers) == 0 &&
		    strcmp(buf_str(&body), webhooks[i].sent) == 0)
			continue;
		print_error("case: %s: %s\n%s\n", webhooks[i].name, joined,
		    buf_str(&body));
		fail();
	}
}

/* What a touch opens, as the services take it; nothing that is no address. */
static const struct {
	const char *name;
	int format;
	const char *url, *headers, *sent;
} clicks[] = {
    {"ntfy", WEBHOOK_NTFY, "mid:1@x",
	"Content-Type: text/plain; charset=utf-8|Priority: 3|Tags: envelope|"
	"Click: mid:1@x|Title: T",
	"B"},
    {"ntfy, a break", WEBHOOK_NTFY, "mid:1@x\r\nX: y",
	"Content-Type: text/plain; charset=utf-8|Priority: 3|Tags: envelope|"
	"Title: T",
	"B"},
    {"gotify", WEBHOOK_GOTIFY, "https://m/?a=\"",
	"Content-Type: application/json",
	"{\"title\":\"T\",\"message\":\"B\",\"priority\":5,\"extras\":"
	"{\"client::notification\":{\"click\":{\"url\":"
	"\"https://m/?a=\\\"\"}}}}"},
    {"gotify, none", WEBHOOK_GOTIFY, "", "Content-Type: application/json",
	"{\"title\":\"T\",\"message\":\"B\",\"priority\":5}"},
    {"JSON", WEBHOOK_JSON, "mid:1@x", "Content-Type: application/json",
	"{\"title\":\"T\",\"body\":\"B\",\"urgency\":\"normal\",\"account\":"
	"\"work\",\"mailbox\":\"Lists/x\",\"message_id\":\"\",\"url\":"
	"\"mid:1@x\",\"uidvalidity\":9,\"uid\":7}"},
};

static void
test_clicks(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(clicks); i++) {
		const struct notification n = {
		    .account = (char *)(uintptr_t) "work",
		    .mailbox = (char *)(uintptr_t) "Lists/x",
		    .uidvalidity = 9,
		    .uid = 7,
		    .urgency = URGENCY_NORMAL,
		    .title = (char *)(uintptr_t) "T",
		    .body = (char *)(uintptr_t) "B",
		    .url = (char *)(uintptr_t)clicks[i].url,
		};
		STRV_AUTO headers = STRV_INIT;
		BUF_AUTO body = BUF_INIT;
		STR_AUTO joined = NULL;

		webhook_format(clicks[i].format, &n, NULL, &headers, &body);
		joined = strv_join(&headers, "|");
		if (strcmp(joined, clicks[i].headers) == 0 &&
		    strcmp(buf_str(&body), clicks[i].sent) == 0)
			continue;
		print_error("case: %s: %s\n%s\n", clicks[i].name, joined,
		    buf_str(&body));
		fail();
	}
}

static const struct {
	const char *name, *text, *type, *sent;
} templates[] = {
    {"JSON", "{\"t\": \"${title}\", \"u\": ${uid}}", NULL,
	"{\"t\": \"a\\\"b\\\\\\n${body}\", \"u\": 12}"},
    {"a value is no template", "${title}", "Content-Type: text/plain",
	"a\"b\\\n${body}"},
    {"a form", "text=${title}&k=${key}&x=",
	"content-type: application/x-www-form-urlencoded",
	"text=a%22b%5C%0A%24%7Bbody%7D&k=key&x="},
    {"another kind of JSON", "\"${urgency}\"",
	"Content-Type: application/vnd.x+json", "\"critical\""},
    {"nothing to replace", "$title {} $", NULL, "$title {} $"},
    {"what is missing is empty", "[${preview}${message-id}]", NULL, "[]"},
    {"where to open it", "{\"u\": \"${url}\"}", NULL,
	"{\"u\": \"mid:a\\\"@b\"}"},
};

static void
test_templates(void **state)
{
	const struct notification n = {
	    .uid = 12,
	    .urgency = URGENCY_CRITICAL,
	    .title = (char *)(uintptr_t) "a\"b\\\n${body}",
	    .url = (char *)(uintptr_t) "mid:a\"@b",
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(templates); i++) {
		STRV_AUTO headers = STRV_INIT;
		BUF_AUTO body = BUF_INIT;

		if (templates[i].type != NULL)
			strv_add(&headers, templates[i].type);
		webhook_format_template(
		    templates[i].text, &n, "key", &headers, &body);
		if (strcmp(buf_str(&body), templates[i].sent) == 0 &&
		    headers.len == 1)
			continue;
		print_error("%s: %s\n", templates[i].name, buf_str(&body));
		fail();
	}
}

static void
test_wrong_templates(void **state)
{
	static const struct {
		const char *text;
		bool is_cancel;
		size_t offset; /* SIZE_MAX: it is right */
	} cases[] = {{"${title}${key}", false, SIZE_MAX},
	    {"ab${titel}", false, 2}, {"${title} ${body", false, 9},
	    {"${}", false, 0}, {"${id}", false, 0}, {"${id}", true, SIZE_MAX},
	    {"/${key}/${url}", true, 8}, {"${title}", true, 0}};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct error error = ERROR_INIT;
		size_t offset = SIZE_MAX;

		webhook_check_template(span_from_str(cases[i].text),
		    cases[i].is_cancel, &offset, &error);
		if (offset == cases[i].offset)
			continue;
		print_error("%s: at %zu\n", cases[i].text, offset);
		fail();
	}
}

static const struct {
	const char *name;
	int format;
	const char *url, *cancel, *key, *id, *result; /* NULL: none */
} cancels[] = {
    {"ntfy", WEBHOOK_NTFY, "https://n/a", NULL, "k", "7", "https://n/a/k"},
    {"ntfy, with a query", WEBHOOK_NTFY, "https://n/a/?auth=x", NULL, "k", NULL,
	"https://n/a/k"},
    {"gotify", WEBHOOK_GOTIFY, "https://g/message", NULL, "k", "7",
	"https://g/message/7"},
    {"gotify, a hostile id", WEBHOOK_GOTIFY, "https://g/message", NULL, "k",
	"../x?", "https://g/message/..%2Fx%3F"},
    {"gotify, an id that leads up", WEBHOOK_GOTIFY, "https://g/message", NULL,
	"k", "..", NULL},
    {"JSON, an id that leads up", WEBHOOK_JSON, "https://j/", "https://j/${id}",
	"k", "..", NULL},
    {"gotify, no id", WEBHOOK_GOTIFY, "https://g/message", NULL, "k", NULL,
	NULL},
    {"JSON", WEBHOOK_JSON, "https://j/", "https://j/${id}/${key}", "k", "a b",
	"https://j/a%20b/k"},
    {"JSON, no id came", WEBHOOK_JSON, "https://j/", "https://j/${id}", "k",
	NULL, NULL},
    {"JSON by key", WEBHOOK_JSON, "https://j/", "https://j/${key}", "k", NULL,
	"https://j/k"},
    {"JSON, none given", WEBHOOK_JSON, "https://j/", NULL, "k", "7", NULL},
};

static void
test_cancels(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(cancels); i++) {
		BUF_AUTO url = BUF_INIT;
		bool can = webhook_cancel_url(cancels[i].format, cancels[i].url,
		    cancels[i].cancel, cancels[i].key, cancels[i].id, &url);

		if (can == (cancels[i].result != NULL) &&
		    (!can || strcmp(buf_str(&url), cancels[i].result) == 0))
			continue;
		print_error("%s: %s\n", cancels[i].name, buf_str(&url));
		fail();
	}
}

/* Of the message alone, so that it is the same after a restart. */
static void
test_keys(void **state)
{
	struct notification n = {.account = (char *)(uintptr_t) "work",
	    .mailbox = (char *)(uintptr_t) "INBOX",
	    .uidvalidity = 9,
	    .uid = 1,
	    .id = 5};
	BUF_AUTO first = BUF_INIT, same = BUF_INIT, other = BUF_INIT;
	BUF_AUTO summary = BUF_INIT, later = BUF_INIT;

	(void)state;
	webhook_key(&n, 1, &first);
	n.id = 6;
	webhook_key(&n, 2, &same);
	assert_string_equal(buf_str(&first), buf_str(&same));
	assert_in_range(first.len, 20, 64);
	n.uid = 2;
	webhook_key(&n, 2, &other);
	assert_string_not_equal(buf_str(&first), buf_str(&other));
	n.uid = 0;
	webhook_key(&n, 2, &summary);
	webhook_key(&n, 3, &later);
	assert_string_not_equal(buf_str(&summary), buf_str(&later));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines),
	    cmocka_unit_test(test_length),
	    cmocka_unit_test(test_any_bytes),
	    cmocka_unit_test(test_values_survive),
	    cmocka_unit_test(test_sanitized_fits),
	    cmocka_unit_test(test_sanitized_of_nothing),
	    cmocka_unit_test(test_long_url),
	    cmocka_unit_test(test_json_strings),
	    cmocka_unit_test(test_webhooks),
	    cmocka_unit_test(test_clicks),
	    cmocka_unit_test(test_templates),
	    cmocka_unit_test(test_wrong_templates),
	    cmocka_unit_test(test_cancels),
	    cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
