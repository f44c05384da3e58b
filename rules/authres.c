#include "rules/authres.h"

#include "daemon/base/str.h"

/*
 * RFC 8601 section 2.2:
 *   authres-payload = [CFWS] authserv-id [ CFWS authres-version ]
 *                     ( no-result / 1*resinfo ) [CFWS]
 *   resinfo         = [CFWS] ";" methodspec [ CFWS reasonspec ]
 *                     [ CFWS 1*propspec ]
 *   methodspec      = [CFWS] method [CFWS] "=" [CFWS] result
 *   method          = Keyword [ [CFWS] "/" [CFWS] method-version ]
 */

/* Returns the offset behind the comment that begins at `pos`. */
static size_t
skip_comment(struct span s, size_t pos)
{
	size_t depth = 0;

	for (; pos < s.len; pos++) {
		if (s.data[pos] == '\\')
			pos++;
		else if (s.data[pos] == '(')
			depth++;
		else if (s.data[pos] == ')' && --depth == 0)
			return pos + 1;
	}
	return s.len;
}

/* Copies a quoted string without its quotes; what could end a result in the
 * plain text becomes "_". */
static size_t
copy_quoted(struct buf *buf, struct span s, size_t pos)
{
	for (pos++; pos < s.len && s.data[pos] != '"'; pos++) {
		if (s.data[pos] == '\\' && pos + 1 < s.len)
			pos++;
		if (char_is_alnum(s.data[pos]) || s.data[pos] == '.' ||
		    s.data[pos] == '-' || s.data[pos] == '@')
			buf_add_char(buf, s.data[pos]);
		else
			buf_add_char(buf, '_');
	}
	return pos + 1;
}

static void
clean(struct buf *buf, struct span s)
{
	size_t pos = 0;

	while (pos < s.len) {
		if (s.data[pos] == '(') {
			pos = skip_comment(s, pos);
			buf_add_char(buf, ' ');
		} else if (s.data[pos] == '"') {
			pos = copy_quoted(buf, s, pos);
		} else {
			buf_add_char(buf, s.data[pos++]);
		}
	}
}

static struct span
first_word(struct span s)
{
	size_t len = 0;

	s = span_trim(s);
	while (len < s.len && !char_is_blank(s.data[len]))
		len++;
	return span_slice(s, 0, len);
}

void
authres_init(struct authres *authres, struct span field)
{
	struct span piece;

	buf_init(&authres->text);
	clean(&authres->text, field);
	authres->host = SPAN_EMPTY;
	authres->rest = buf_span(&authres->text);
	if (span_split(&authres->rest, ';', &piece))
		authres->host = first_word(piece);
	/* A result where the host should be: no host wrote this. */
	if (span_find(authres->host, '=') != SIZE_MAX)
		authres->host = SPAN_EMPTY;
}

void
authres_done(struct authres *authres)
{
	buf_done(&authres->text);
}

bool
authres_next(
    struct authres *authres, struct span *method_r, struct span *result_r)
{
	struct span piece;

	while (span_split(&authres->rest, ';', &piece)) {
		size_t equals = span_find(piece, '=');
		struct span method, result;
		size_t slash;

		if (equals == SIZE_MAX)
			continue;
		method = span_slice(piece, 0, equals);
		slash = span_find(method, '/');
		if (slash != SIZE_MAX)
			method = span_slice(method, 0, slash);
		method = span_trim(method);
		result = first_word(span_skip(piece, equals + 1));
		/* "a b = c" is a property without its method. */
		if (method.len == 0 || result.len == 0 ||
		    first_word(method).len != method.len)
			continue;
		*method_r = method;
		*result_r = result;
		return true;
	}
	return false;
}
