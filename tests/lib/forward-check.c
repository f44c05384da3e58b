#include "tests/lib/forward-check.h"

#include "daemon/base/base64.h"

static const struct {
	const char *name;
	bool required;
} fields[] = {
    {"Date", true},
    {"From", true},
    {"To", true},
    {"Reply-To", false},
    {"Subject", true},
    {"Message-ID", true},
    {"In-Reply-To", false},
    {"References", false},
    {"Auto-Submitted", true},
    {"X-Belfry-Forward", true},
    {"MIME-Version", true},
    {"Content-Type", true},
};
#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

/* Takes one CRLF line; false: there is none. */
static bool
take_line(struct span *rest, struct span *line_r)
{
	size_t end = span_find_span(*rest, SPAN("\r\n"), 0);

	if (end == SIZE_MAX)
		return false;
	*line_r = span_slice(*rest, 0, end);
	*rest = span_skip(*rest, end + 2);
	return true;
}

static const char *
check_line(struct span line)
{
	if (line.len > 998)
		return "a header line is too long";
	for (size_t i = 0; i < line.len; i++)
		if (line.data[i] < ' ' || line.data[i] > '~')
			return "a header line has a control or 8-bit byte";
	if (line.data[0] == ' ' && span_trim(line).len == 0)
		return "a folded line is blank";
	return NULL;
}

static const char *
count_field(struct span line, unsigned counts[FIELD_COUNT])
{
	struct span name = span_slice(line, 0, span_find(line, ':'));

	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (span_is(name, fields[i].name)) {
			counts[i]++;
			return NULL;
		}
	return "a field that nobody asked for";
}

static const char *
check_header(struct span *rest)
{
	unsigned counts[FIELD_COUNT] = {0};
	const char *wrong = NULL;
	struct span line;

	while (wrong == NULL) {
		if (!take_line(rest, &line))
			return "the header does not end";
		if (line.len == 0)
			break;
		wrong = check_line(line);
		if (wrong == NULL && line.data[0] != ' ')
			wrong = count_field(line, counts);
	}
	for (size_t i = 0; wrong == NULL && i < FIELD_COUNT; i++)
		if (counts[i] > 1 || (fields[i].required && counts[i] == 0))
			wrong = "a field is missing or double";
	return wrong;
}

/* Splits at lines that begin with the boundary (RFC 2046 section 5.1.1). */
static const char *
split_parts(struct span body, struct span boundary, struct span parts[2])
{
	BUF_AUTO mark = BUF_INIT;
	size_t at = 0, start = 0, count = 0;

	buf_add_str(&mark, "--");
	buf_add_span(&mark, boundary);
	while ((at = span_find_span(body, buf_span(&mark), at)) != SIZE_MAX) {
		if (count == 0 && at != 0)
			return "a preamble";
		if (count > 0 && (at < 2 || body.data[at - 2] != '\r'))
			return "a boundary inside a line";
		if (count > 0 && count <= 2)
			parts[count - 1] =
			    span_slice(body, start, at - 2 - start);
		count++;
		at += mark.len;
		start = at + 2;
	}
	if (count != 3)
		return "not two parts";
	return span_is(span_skip(body, start - 2), "--\r\n")
		   ? NULL
		   : "no closing boundary";
}

static bool
needs_encoding(struct span s, bool eightbit_ok)
{
	size_t line = 0;
	bool in_header = true;

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[i];

		if (c == '\n' && i > 0 && s.data[i - 1] == '\r')
			continue;
		if (c == '\r' || c == '\n') {
			in_header = in_header && line > 0;
			line = 0;
		} else if (++line > 998 || c == 0 ||
			   (c > 127 && (in_header || !eightbit_ok))) {
			return true;
		}
	}
	return false;
}

static const char *
check_original(struct span part, struct span original, bool eightbit_ok)
{
	size_t end = span_find_span(part, SPAN("\r\n\r\n"), 0);
	struct span head = span_slice(part, 0, end);
	struct span body = span_skip(part, end + 4);
	bool encoded = needs_encoding(original, eightbit_ok);
	BUF_AUTO decoded = BUF_INIT;

	if (encoded != span_starts(head, "Content-Type: application/octet-"
					 "stream; name=\"message.eml\"\r\n"))
		return "the wrong kind of part";
	if (!encoded)
		return span_equal(body, original) ? NULL : "another original";
	base64_decode_mail(&decoded, body);
	return span_equal(buf_span(&decoded), original)
		   ? NULL
		   : "another original, encoded";
}

const char *
forward_check_header(
    struct span composed, struct span *boundary_r, struct span *body_r)
{
	static const char start[] =
	    "\r\nContent-Type: multipart/mixed;\r\n boundary=\"";
	struct span rest = composed, boundary;
	const char *wrong = check_header(&rest);
	size_t at = span_find_span(composed, span_from_str(start), 0);

	if (wrong != NULL)
		return wrong;
	boundary = span_skip(composed, at + sizeof(start) - 1);
	*boundary_r = span_slice(boundary, 0, span_find(boundary, '"'));
	*body_r = rest;
	return NULL;
}

const char *
forward_check(struct span composed, struct span original, bool eightbit_ok)
{
	struct span rest, boundary, parts[2] = {{0}};
	const char *wrong = forward_check_header(composed, &boundary, &rest);

	if (wrong == NULL)
		wrong = split_parts(rest, boundary, parts);
	if (wrong == NULL)
		wrong = check_original(parts[1], original, eightbit_ok);
	return wrong;
}

/* ---- inline -------------------------------------------------------- */

/* At the header of a part. */
static const char *
check_part(struct span part)
{
	static const char *const names[] = {"Content-Type: ",
	    "Content-Transfer-Encoding: ", "Content-Disposition: "};
	struct span line;

	while (take_line(&part, &line)) {
		bool is_known = false;

		if (line.len == 0)
			return NULL;
		if (check_line(line) != NULL)
			return check_line(line);
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			is_known = is_known || span_starts(line, names[i]);
		if (line.data[0] != ' ' && !is_known)
			return "a part's field that nobody asked for";
	}
	return "a part's header does not end";
}

static const char *
check_parts(struct span body, struct span boundary)
{
	BUF_AUTO mark = BUF_INIT;
	size_t at = 0;

	buf_add_str(&mark, "--");
	buf_add_span(&mark, boundary);
	if (!span_starts(body, buf_str(&mark)))
		return "a preamble";
	while ((at = span_find_span(body, buf_span(&mark), at)) != SIZE_MAX) {
		struct span rest = span_skip(body, at + mark.len);
		const char *wrong;

		if (at > 0 && body.data[at - 1] != '\n')
			return "a boundary inside a line";
		if (span_is(rest, "--\r\n"))
			return NULL;
		if (!span_starts(rest, "\r\n"))
			return "a boundary with something behind it";
		wrong = check_part(span_skip(rest, 2));
		if (wrong != NULL)
			return wrong;
		at += mark.len;
	}
	return "no closing boundary";
}

const char *
forward_check_inline(struct span composed)
{
	struct span boundary, body;
	const char *wrong = forward_check_header(composed, &boundary, &body);

	if (wrong == NULL && needs_encoding(composed, false))
		wrong = "bytes that are not 7bit";
	return wrong == NULL ? check_parts(body, boundary) : wrong;
}
