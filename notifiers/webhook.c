/*
 * notifiers/webhook: a notification as the body of an HTTP POST.
 */
#include "notifiers/webhook.h"

#include "daemon/base/base64.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

/* RFC 2047 section 2: an encoded word has at most 75 characters, of which
 * "=?UTF-8?B?" and "?=" take 12; 63 base64 characters hold 45 bytes. */
#define WORD_BYTES_MAX 45

/* ---- JSON ---- */

/*
 *   string    = %x22 *char %x22
 *   char      = unescaped / "\" ( %x22 / "\" / "b" / "f" / "n" / "r" / "t" /
 *               "u" 4HEXDIG )
 *   unescaped = %x20-21 / %x23-5B / %x5D-10FFFF
 */
static const char short_escapes[0x5d] = {
    ['"'] = '"',
    ['\\'] = '\\',
    ['\b'] = 'b',
    ['\f'] = 'f',
    ['\n'] = 'n',
    ['\r'] = 'r',
    ['\t'] = 't',
};

static void
add_json_char(struct buf *buf, uint32_t code)
{
	if (code < LENGTH(short_escapes) && short_escapes[code] != '\0') {
		buf_add_char(buf, '\\');
		buf_add_char(buf, short_escapes[code]);
	} else if (code < 0x20 || code == 0x7f) {
		buf_addf(buf, "\\u%04x", (unsigned)code);
	} else {
		utf8_add(buf, code);
	}
}

void
webhook_add_json_string(struct buf *buf, struct span text)
{
	uint32_t code;
	size_t len;

	buf_add_char(buf, '"');
	while ((len = utf8_next(text, &code, NULL)) > 0) {
		add_json_char(buf, code);
		text = span_skip(text, len);
	}
	buf_add_char(buf, '"');
}

static void
add_member(struct buf *body, const char *name, const char *value)
{
	if (body->data[body->len - 1] != '{')
		buf_add_char(body, ',');
	webhook_add_json_string(body, span_from_str(name));
	buf_add_char(body, ':');
	webhook_add_json_string(body, span_from_str(value));
}

/* ---- Header fields ---- */

static bool
has_header(const struct strv *headers, const char *name)
{
	for (size_t i = 0; i < headers->len; i++) {
		struct span field = span_from_str(headers->items[i]);
		size_t colon = span_find(field, ':');

		if (colon != SIZE_MAX &&
		    span_is_nocase(span_slice(field, 0, colon), name))
			return true;
	}
	return false;
}

static void
add_header(struct strv *headers, const char *name, const char *value)
{
	if (!has_header(headers, name))
		strv_take(headers, xasprintf("%s: %s", name, value));
}

static bool
is_plain(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < 0x20 || text.data[i] >= 0x7f)
			return false;
	return span_find_span(text, SPAN("=?"), 0) == SIZE_MAX;
}

/* As many whole characters as one encoded word holds. */
static size_t
word_length(struct span text)
{
	size_t total = 0, len;
	uint32_t code;

	while ((len = utf8_next(text, &code, NULL)) > 0 &&
	       total + len <= WORD_BYTES_MAX) {
		total += len;
		text = span_skip(text, len);
	}
	return total;
}

/* RFC 2047, so that nothing but visible ASCII is in a header field. */
static void
add_encoded_words(struct buf *buf, struct span text)
{
	while (text.len > 0) {
		size_t len = word_length(text);

		if (buf->len > 0)
			buf_add_char(buf, ' ');
		buf_add_str(buf, "=?UTF-8?B?");
		base64_encode(buf, span_slice(text, 0, len));
		buf_add_str(buf, "?=");
		text = span_skip(text, len);
	}
}

/* ---- The formats ---- */

static void
format_json(
    const struct notification *n, struct strv *headers, struct buf *body)
{
	add_header(headers, "Content-Type", "application/json");
	buf_add_char(body, '{');
	add_member(body, "title", n->title);
	add_member(body, "body", n->body);
	add_member(body, "urgency", urgency_name(n->urgency));
	add_member(body, "account", n->account);
	add_member(body, "mailbox", n->mailbox);
	add_member(body, "message_id", n->message_id);
	add_member(body, "url", n->url);
	buf_addf(body, ",\"uidvalidity\":%u,\"uid\":%u}",
	    (unsigned)n->uidvalidity, (unsigned)n->uid);
}

static const char *
text_or_title(const struct notification *n)
{
	return n->body != NULL && n->body[0] != '\0' ? n->body : n->title;
}

/* What a touch opens. */
static bool
has_url(const struct notification *n)
{
	return n->url != NULL && n->url[0] != '\0' &&
	       is_plain(span_from_str(n->url));
}

/* An empty text would be shown as "triggered": then the title is the text. */
static void
format_ntfy(
    const struct notification *n, struct strv *headers, struct buf *body)
{
	static const char *const priorities[] = {"2", "3", "5"};
	struct span title = span_from_str(n->title);
	BUF_AUTO words = BUF_INIT;

	add_header(headers, "Content-Type", "text/plain; charset=utf-8");
	add_header(headers, "Priority", priorities[n->urgency]);
	add_header(headers, "Tags", "envelope");
	if (has_url(n))
		add_header(headers, "Click", n->url);
	if (text_or_title(n) != n->title && title.len > 0) {
		if (is_plain(title))
			buf_add_span(&words, title);
		else
			add_encoded_words(&words, title);
		add_header(headers, "Title", buf_str(&words));
	}
	utf8_add_valid(body, span_from_str(text_or_title(n)));
}

/* An empty message is refused. */
static void
format_gotify(
    const struct notification *n, struct strv *headers, struct buf *body)
{
	static const unsigned priorities[] = {2, 5, 8};

	add_header(headers, "Content-Type", "application/json");
	buf_add_char(body, '{');
	add_member(body, "title", n->title);
	add_member(body, "message", text_or_title(n));
	buf_addf(body, ",\"priority\":%u", priorities[n->urgency]);
	if (has_url(n)) {
		buf_add_str(body, ",\"extras\":{\"client::notification\":"
				  "{\"click\":{");
		add_member(body, "url", n->url);
		buf_add_str(body, "}}}");
	}
	buf_add_char(body, '}');
}

static void (*const formats[])(
    const struct notification *, struct strv *, struct buf *) = {
    [WEBHOOK_JSON] = format_json,
    [WEBHOOK_NTFY] = format_ntfy,
    [WEBHOOK_GOTIFY] = format_gotify,
};

void
webhook_format(int format, const struct notification *n, const char *key,
    struct strv *headers, struct buf *body)
{
	if (format < 0 || (size_t)format >= LENGTH(formats))
		format = WEBHOOK_JSON;
	if (format == WEBHOOK_NTFY && key != NULL)
		add_header(headers, "X-Sequence-ID", key);
	formats[format](n, headers, body);
}

void
webhook_format_template(const char *text, const struct notification *n,
    const char *key, struct strv *headers, struct buf *body)
{
	webhook_expand(span_from_str(text), webhook_escape_of(headers), n, key,
	    NULL, body);
	add_header(headers, "Content-Type", "application/json");
}
