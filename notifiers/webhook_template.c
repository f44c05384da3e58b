/*
 * notifiers/webhook: keys, templates, and what takes a notification back.
 *
 *   template = *( char / "${" name "}" )
 */
#include "daemon/base/digest.h"
#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"
#include "notifiers/webhook.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
#define KEY_DIGITS 32

static const char *const names[] = {"title", "body", "preview", "urgency",
    "account", "mailbox", "uid", "message-id", "url", "key", NULL};

void
webhook_key(const struct notification *n, uint64_t run, struct buf *key)
{
	STR_AUTO number = xasprintf("%u %u", n->uidvalidity, n->uid);
	STR_AUTO once = n->uid != 0
			    ? xstrdup("")
			    : xasprintf("%llu %llu", (unsigned long long)run,
				  (unsigned long long)n->id);
	const struct span pieces[] = {span_from_str(n->account),
	    span_from_str(n->mailbox), span_from_str(number),
	    span_from_str(once)};
	BUF_AUTO digest = BUF_INIT;

	digest_key(&digest, pieces, LENGTH(pieces));
	buf_addf(key, "belfry-%.*s", KEY_DIGITS, buf_str(&digest));
}

/* ---- templates ---- */

/* Takes the text up to the next variable, and its name (data NULL: none
 * follows). False: the name does not end. */
static bool
next_variable(struct span *rest, struct span *before_r, struct span *name_r)
{
	size_t at = span_find_span(*rest, SPAN("${"), 0), end;

	*name_r = SPAN_EMPTY;
	*before_r = at == SIZE_MAX ? *rest : span_slice(*rest, 0, at);
	if (at == SIZE_MAX) {
		*rest = SPAN_EMPTY;
		return true;
	}
	*rest = span_skip(*rest, at + 2);
	end = span_find(*rest, '}');
	if (end == SIZE_MAX)
		return false;
	*name_r = span_slice(*rest, 0, end);
	*rest = span_skip(*rest, end + 1);
	return true;
}

/* What takes a notification back knows the place of it, and no message. */
static bool
is_name(struct span name, bool is_cancel)
{
	if (is_cancel)
		return span_is(name, "id") || span_is(name, "key");
	for (size_t i = 0; names[i] != NULL; i++)
		if (span_is(name, names[i]))
			return true;
	return false;
}

bool
webhook_check_template(
    struct span text, bool is_cancel, size_t *offset_r, struct error *error_r)
{
	struct span rest = text, before, name;

	while (rest.len > 0) {
		size_t start = (size_t)(rest.data - text.data);

		if (!next_variable(&rest, &before, &name)) {
			*offset_r = start + before.len;
			return error_set(
			    error_r, FAULT_CONFIG, "`${` without its `}`");
		}
		if (name.data != NULL && !is_name(name, is_cancel)) {
			*offset_r = start + before.len;
			return error_set(error_r, FAULT_CONFIG,
			    "there is no variable ${%.*s}", SPAN_FMT(name));
		}
	}
	return true;
}

static void
add_json(struct buf *out, struct span value)
{
	BUF_AUTO quoted = BUF_INIT;

	webhook_add_json_string(&quoted, value);
	buf_add(out, quoted.data + 1, quoted.len - 2);
}

static void
add_percent(struct buf *out, struct span value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.data[i];

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		    (c >= 'a' && c <= 'z') ||
		    (c != '\0' && strchr("-._~", c) != NULL))
			buf_add_char(out, (char)c);
		else
			buf_addf(out, "%%%02X", c);
	}
}

static void (*const escapes[])(struct buf *, struct span) = {
    [WEBHOOK_IN_JSON] = add_json,
    [WEBHOOK_IN_FORM] = add_percent,
    [WEBHOOK_AS_IS] = utf8_add_valid,
};

void
webhook_expand(struct span text, enum webhook_escape escape,
    const struct notification *n, const char *key, const char *id,
    struct buf *out)
{
	STR_AUTO uid = xasprintf("%u", n->uid);
	const char *const values[] = {n->title, n->body, n->preview,
	    urgency_name(n->urgency), n->account, n->mailbox, uid,
	    n->message_id, n->url, key};
	struct span rest = text, before, name;

	_Static_assert(LENGTH(values) + 1 == LENGTH(names),
	    "every variable has its value");
	while (rest.len > 0 && next_variable(&rest, &before, &name)) {
		const char *value = span_is(name, "id") ? id : NULL;

		buf_add_span(out, before);
		for (size_t i = 0; names[i] != NULL; i++)
			if (span_is(name, names[i]))
				value = values[i];
		if (value != NULL)
			escapes[escape](out, span_from_str(value));
	}
}

enum webhook_escape
webhook_escape_of(const struct strv *headers)
{
	for (size_t i = 0; i < headers->len; i++) {
		struct span rest = span_from_str(headers->items[i]), name;

		span_split(&rest, ':', &name);
		if (!span_is_nocase(span_trim(name), "Content-Type"))
			continue;
		rest = span_trim(rest);
		if (span_starts_nocase(
			rest, "application/x-www-form-urlencoded"))
			return WEBHOOK_IN_FORM;
		if (!span_starts_nocase(rest, "application/"))
			return WEBHOOK_AS_IS;
	}
	return WEBHOOK_IN_JSON;
}

/* ---- taking back ---- */

static bool
add_below(const char *url, const char *name, struct buf *out)
{
	struct span rest = span_from_str(url), path;

	if (name == NULL || *name == '\0')
		return false;
	span_split(&rest, '?', &path);
	while (path.len > 0 && path.data[path.len - 1] == '/')
		path = span_slice(path, 0, path.len - 1);
	buf_add_span(out, path);
	buf_add_char(out, '/');
	add_percent(out, span_from_str(name));
	return true;
}

bool
webhook_cancel_url(int format, const char *url, const char *cancel_url,
    const char *key, const char *id, struct buf *out)
{
	static const struct notification nothing = {.account = NULL};

	/* RFC 3986 section 5.2.4: it would be a place above. */
	if (id != NULL && (strcmp(id, ".") == 0 || strcmp(id, "..") == 0))
		id = NULL;
	if (format == WEBHOOK_NTFY)
		return add_below(url, key, out);
	if (format == WEBHOOK_GOTIFY)
		return add_below(url, id, out);
	if (cancel_url == NULL ||
	    (id == NULL && span_find_span(span_from_str(cancel_url),
			       SPAN("${id}"), 0) != SIZE_MAX))
		return false;
	webhook_expand(
	    span_from_str(cancel_url), WEBHOOK_IN_FORM, &nothing, key, id, out);
	return true;
}

char *
webhook_token_header(int format, struct span token)
{
	return xasprintf(format == WEBHOOK_GOTIFY
			     ? "X-Gotify-Key: %.*s"
			     : "Authorization: Bearer %.*s",
	    SPAN_FMT(token));
}
