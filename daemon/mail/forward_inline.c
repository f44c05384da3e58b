/* The text of a message in a new one: forward_compose_inline. */
#include "daemon/base/base64.h"
#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "daemon/mail/body.h"
#include "daemon/mail/forward_private.h"
#include "daemon/mail/transfer.h"

#define NAME_CHARS_MAX 100 /* of a file name that is sent */
#define NAME_LINE_CHARS 60 /* of its encoded form, per line */
#define TOKEN_MAX 78	   /* of a type, a subtype, a charset */
#define OTHER_TYPE "application/octet-stream"

/* ---- the text ------------------------------------------------------ */

static void
add_quoted_line(struct buf *out, struct span line)
{
	bool is_quote = line.len > 0 && line.data[0] == '>';

	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	buf_add_str(out, line.len == 0 || is_quote ? ">" : "> ");
	buf_add_span(out, line);
	buf_add_str(out, "\r\n");
}

static void
add_quoted(struct buf *out, struct span text)
{
	struct span line;

	while (text.len > 0 && text.data[text.len - 1] == '\n')
		text.len--;
	while (span_split(&text, '\n', &line))
		add_quoted_line(out, line);
}

static void
add_words(struct buf *out, struct span original, const struct part *part)
{
	struct span raw = SPAN_EMPTY;
	BUF_AUTO text = BUF_INIT;

	if (part != NULL) {
		raw = body_find_part(original, part->section);
		body_add_text(&text, raw, part);
	}
	if (span_trim(buf_span(&text)).len == 0) {
		buf_add_str(out, "(The message has no text.)\r\n");
		return;
	}
	add_quoted(out, buf_span(&text));
	/* A character that does not fit is not cut. */
	if (raw.len > BODY_RAW_MAX || text.len + 4 > BODY_TEXT_MAX)
		buf_add_str(out, "\r\n(The rest of the text is left out.)\r\n");
}

static void
make_text(struct buf *out, struct message *m, struct span original,
    const struct structure *structure, bool is_cut)
{
	static const char *const names[] = {
	    "From", "To", "Cc", "Subject", "Date"};

	buf_add_str(out, "This message was forwarded by a rule.\r\n\r\n");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		forward_add_summary_line(out, m, names[i]);
	buf_add_str(out, "\r\n");
	add_words(out, original, structure_find_text(structure));
	if (is_cut)
		buf_add_str(out, "\r\n(Some attachments are left out.)\r\n");
}

/* ---- attachments --------------------------------------------------- */

/* RFC 2045 section 5.1: token, and no wider than a line. */
static bool
is_token(struct span s)
{
	static const char others[] = "!#$&+-^_.";

	for (size_t i = 0; i < s.len; i++)
		if (!char_is_alnum(s.data[i]) &&
		    (s.data[i] == '\0' || strchr(others, s.data[i]) == NULL))
			return false;
	return s.len > 0 && s.len <= TOKEN_MAX;
}

/* RFC 2046 section 5: neither a multipart nor a message may be base64. */
static bool
is_usable_type(struct span type)
{
	size_t slash = span_find(type, '/');

	return slash != SIZE_MAX && is_token(span_slice(type, 0, slash)) &&
	       is_token(span_skip(type, slash + 1)) &&
	       !span_starts(type, "multipart/") &&
	       !span_starts(type, "message/");
}

static void
add_type(struct buf *out, const struct part *part)
{
	struct span charset = span_from_str(part->charset);
	bool is_usable = is_usable_type(span_from_str(part->type));

	buf_addf(out, "Content-Type: %s", is_usable ? part->type : OTHER_TYPE);
	if (is_usable && span_starts(span_from_str(part->type), "text/") &&
	    is_token(charset))
		buf_addf(out, ";\r\n charset=%.*s", SPAN_FMT(charset));
	buf_add_str(out, "\r\n");
}

/* A file name, not a path: neither separators nor what no line may hold. */
static void
clean_name(struct buf *clean, struct span name)
{
	BUF_AUTO raw = BUF_INIT;

	str_sanitize(&raw, name, NAME_CHARS_MAX);
	for (size_t i = 0; i < raw.len; i++) {
		char c = buf_str(&raw)[i];
		buf_add_char(clean, c == '/' || c == '\\' ? '_' : c);
	}
}

static bool
is_plain_name(struct span name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!char_is_alnum(name.data[i]) &&
		    strchr("-_. ", name.data[i]) == NULL)
			return false;
	return name.len <= NAME_LINE_CHARS;
}

/* RFC 2231 sections 3 and 4: filename*0*=utf-8''%41...; filename*1*=... */
static void
add_encoded_name(struct buf *out, struct span name)
{
	unsigned piece = 0;
	size_t column = NAME_LINE_CHARS;

	for (size_t i = 0; i < name.len; i++) {
		if (column >= NAME_LINE_CHARS) {
			buf_addf(out, ";\r\n filename*%u*=%s", piece,
			    piece == 0 ? "utf-8''" : "");
			piece++;
			column = 0;
		}
		if (char_is_alnum(name.data[i])) {
			buf_add_char(out, name.data[i]);
			column++;
		} else {
			buf_addf(out, "%%%02X",
			    (unsigned)(unsigned char)name.data[i]);
			column += 3;
		}
	}
}

static void
add_disposition(struct buf *out, const struct part *part)
{
	BUF_AUTO name = BUF_INIT;

	clean_name(&name, span_trim(span_from_str(part->name)));
	buf_add_str(out, "Content-Disposition: attachment");
	if (is_plain_name(buf_span(&name)) && name.len > 0)
		buf_addf(out, ";\r\n filename=\"%s\"", buf_str(&name));
	else
		add_encoded_name(out, buf_span(&name));
	buf_add_str(out, "\r\n");
}

/* The boundary was chosen before the content was decoded. */
static bool
is_plain_message(
    const struct part *part, struct span content, const char *boundary)
{
	struct forward_shape shape = forward_measure(content);

	return strcmp(part->type, "message/rfc822") == 0 && !shape.has_nul &&
	       !shape.has_8bit && !shape.has_long_line &&
	       span_find_span(content, span_from_str(boundary), 0) == SIZE_MAX;
}

static void
add_attachment(struct buf *out, const struct part *part, struct span original,
    const char *boundary)
{
	BUF_AUTO content = BUF_INIT;

	transfer_decode(
	    &content, body_find_part(original, part->section), part->encoding);
	if (is_plain_message(part, buf_span(&content), boundary)) {
		buf_add_str(out, "Content-Type: message/rfc822\r\n");
		add_disposition(out, part);
		buf_add_str(out, "\r\n");
		buf_add_span(out, buf_span(&content));
		return;
	}
	add_type(out, part);
	add_disposition(out, part);
	buf_add_str(out, "Content-Transfer-Encoding: base64\r\n\r\n");
	base64_encode_mime(out, buf_span(&content));
}

/* ---- all of it ------------------------------------------------------ */

static void
add_attachments(struct buf *out, const struct structure *structure,
    struct span original, const char *boundary)
{
	size_t count = 0;

	for (size_t i = 0;
	     i < structure->count && count < FORWARD_INLINE_PARTS_MAX; i++) {
		if (!structure->parts[i].is_attachment)
			continue;
		buf_addf(out, "\r\n--%s\r\n", boundary);
		add_attachment(out, &structure->parts[i], original, boundary);
		count++;
	}
}

static void
compose(const struct forward_request *request, struct span original,
    const struct structure *structure, struct buf *out)
{
	size_t count = structure_count_attachments(structure);
	struct message *m = message_new(original);
	BUF_AUTO text = BUF_INIT;
	char boundary[FORWARD_BOUNDARY_SIZE];

	make_text(&text, m, original, structure,
	    count > FORWARD_INLINE_PARTS_MAX || structure->is_truncated);
	forward_choose_boundary(
	    boundary, request->key, buf_span(&text), original);
	forward_add_header(out, request, m, boundary);
	buf_addf(out, "--%s\r\n", boundary);
	forward_add_text_part(out, buf_span(&text));
	add_attachments(out, structure, original, boundary);
	buf_addf(out, "\r\n--%s--\r\n", boundary);
	message_free(&m);
}

bool
forward_compose_inline(const struct forward_request *request,
    struct span original, struct buf *out, struct error *error_r)
{
	struct structure structure;
	bool has_content;

	if (!forward_check_request(request, original, error_r))
		return false;
	structure_init(&structure);
	structure_parse(&structure, original);
	has_content = structure_find_text(&structure) != NULL ||
		      structure_count_attachments(&structure) > 0;
	if (has_content)
		compose(request, original, &structure, out);
	structure_done(&structure);
	return has_content ||
	       forward_compose_attach(request, original, false, out, error_r);
}
