/*
 * oauth_error: what an OAuth challenge says (RFC 7628 section 3.2.2):
 *
 *   {"status":"invalid_token","scope":"...","openid-configuration":"..."}
 *
 * Google and Microsoft put a number there: {"status":"400",...}. Only this
 * one member is looked for; it goes to a log, so it is kept to characters
 * that need no escaping.
 */
#include "daemon/base/str.h"
#include "daemon/wire/sasl/sasl.h"

#define STATUS_MAX 64

static struct span
skip_space(struct span s)
{
	while (s.len > 0 && strchr(" \t\r\n", s.data[0]) != NULL &&
	       s.data[0] != '\0')
		s = span_skip(s, 1);
	return s;
}

static bool
is_status_char(char c)
{
	return char_is_alnum(c) || c == '_' || c == '-' || c == '.';
}

/* After `"status"`: [ws] ":" [ws] [DQUOTE] value [DQUOTE] */
static bool
parse_value(struct span rest, struct span *status_r)
{
	bool quoted;
	size_t len = 0;

	rest = skip_space(rest);
	if (!span_starts(rest, ":"))
		return false;
	rest = skip_space(span_skip(rest, 1));
	quoted = span_starts(rest, "\"");
	if (quoted)
		rest = span_skip(rest, 1);
	while (len < rest.len && is_status_char(rest.data[len]))
		len++;
	if (len == 0 || len > STATUS_MAX)
		return false;
	if (quoted && !span_starts(span_skip(rest, len), "\""))
		return false;
	*status_r = span_slice(rest, 0, len);
	return true;
}

bool
sasl_oauth_error(struct span challenge, struct span *status_r)
{
	static const struct span key = SPAN_INIT("\"status\"");
	size_t at = 0;

	while ((at = span_find_span(challenge, key, at)) != SIZE_MAX) {
		at += key.len;
		if (parse_value(span_skip(challenge, at), status_r))
			return true;
	}
	return false;
}
