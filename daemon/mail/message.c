/*
 * mail/message: what rules and people see of a message's header.
 *
 *   fields   = *(field / bad-line)
 *   field    = name *WSP ":" body *(line-end WSP body)
 *   name     = 1*%d33-57 / %d59-126                    ; RFC 5322 section 2.2
 *   line-end = *CR LF
 *
 * One copy is made of the header; unfolding happens inside of it, so raw
 * values are spans of the copy.
 */
#include "daemon/mail/message.h"

#include "daemon/base/buf.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/charset.h"
#include "daemon/mail/date.h"
#include "daemon/mail/rfc2047.h"
#include "daemon/mail/text.h"

#define FIELDS_FIRST 16

struct field {
	struct span name, raw; /* of message->data */
	struct buf text;
	struct address_list addresses;
	bool has_text, has_addresses;
};

struct message {
	char *data; /* owned; unfolded in place */
	struct field *fields;
	size_t count, size;
	struct buf id;
	bool has_id;
	size_t bad_lines;
	bool is_truncated;
};

/* Takes one line with its end from `rest`. */
static struct span
take_line(struct span *rest)
{
	size_t end = span_find(*rest, '\n');
	size_t len = end == SIZE_MAX ? rest->len : end + 1;
	struct span line = span_slice(*rest, 0, len);

	*rest = span_skip(*rest, len);
	return line;
}

static bool
is_line_end(struct span line)
{
	while (line.len > 0 && line.data[0] == '\r')
		line = span_skip(line, 1);
	return line.len == 1 && line.data[0] == '\n';
}

/* The bytes in front of the first empty line, or the limit. */
static struct span
find_header(struct span bytes, bool *is_truncated_r)
{
	struct span rest = span_slice(bytes, 0, MESSAGE_HEADER_MAX);

	while (rest.len > 0) {
		struct span line = take_line(&rest);

		if (is_line_end(line))
			return span_slice(
			    bytes, 0, (size_t)(line.data - bytes.data));
	}
	if (bytes.len > MESSAGE_HEADER_MAX)
		*is_truncated_r = true;
	return span_slice(bytes, 0, MESSAGE_HEADER_MAX);
}

static struct span
trim_end(struct span s)
{
	while (s.len > 0 && char_is_blank(s.data[s.len - 1]))
		s.len--;
	return s;
}

/* The field's name in front of the colon at `colon`; empty: no name. */
static struct span
field_name(struct span line, size_t colon)
{
	struct span name = trim_end(span_slice(line, 0, colon));

	for (size_t i = 0; i < name.len; i++) {
		if (name.data[i] <= ' ' || name.data[i] > '~')
			return SPAN_EMPTY;
	}
	return name;
}

static struct field *
append_field(struct message *message)
{
	if (message->count == message->size) {
		message->size =
		    message->size == 0 ? FIELDS_FIRST : message->size * 2;
		message->fields = xreallocarray(
		    message->fields, message->size, sizeof(*message->fields));
	}
	message->fields[message->count] = (struct field){0};
	return &message->fields[message->count++];
}

/* One field with its folds, or a line that is none. */
static void
add_lines(struct message *message, struct span lines, bool is_first)
{
	size_t colon = span_find(lines, ':');
	struct span name = SPAN_EMPTY;
	struct field *field;
	char *body;
	size_t len;

	if (colon != SIZE_MAX)
		name = field_name(lines, colon);
	if (name.len == 0) {
		if (!is_first || !span_starts(lines, "From "))
			message->bad_lines++;
		return;
	}
	if (message->count == MESSAGE_FIELDS_MAX) {
		message->is_truncated = true;
		return;
	}
	field = append_field(message);
	field->name = name;
	body = message->data + (lines.data - message->data) + colon + 1;
	len = text_unfold(body, lines.len - colon - 1);
	field->raw = span_trim(span_from(body, len));
	if (field->raw.data == NULL)
		field->raw = span_from(body, 0);
}

static void
scan(struct message *message, struct span header)
{
	struct span rest = header;
	bool is_first = true;

	while (rest.len > 0 && !message->is_truncated) {
		struct span lines = take_line(&rest);

		while (rest.len > 0 && char_is_blank(rest.data[0]))
			lines.len += take_line(&rest).len;
		add_lines(message, lines, is_first);
		is_first = false;
	}
}

struct message *
message_new(struct span bytes)
{
	struct message *message = NEW(struct message);
	bool is_cut = false;
	struct span header = find_header(bytes, &is_cut);

	message->data = xstrdup_span(header);
	scan(message, span_from(message->data, header.len));
	message->is_truncated |= is_cut;
	return message;
}

void
message_free(struct message **message)
{
	if (*message == NULL)
		return;
	for (size_t i = 0; i < (*message)->count; i++) {
		buf_done(&(*message)->fields[i].text);
		address_list_done(&(*message)->fields[i].addresses);
	}
	free((*message)->fields);
	buf_done(&(*message)->id);
	free((*message)->data);
	free(*message);
	*message = NULL;
}

bool
message_is_truncated(const struct message *message)
{
	return message->is_truncated;
}

size_t
message_bad_line_count(const struct message *message)
{
	return message->bad_lines;
}

size_t
message_field_count(const struct message *message)
{
	return message->count;
}

struct span
message_field_name(const struct message *message, size_t field)
{
	return field < message->count ? message->fields[field].name
				      : SPAN_EMPTY;
}

size_t
message_count(const struct message *message, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < message->count; i++)
		count += span_is_nocase(message->fields[i].name, name);
	return count;
}

/* The index-th field of this name, or NULL. */
static struct field *
find_field(const struct message *message, const char *name, size_t index)
{
	for (size_t i = 0; i < message->count; i++) {
		if (span_is_nocase(message->fields[i].name, name) &&
		    index-- == 0)
			return &message->fields[i];
	}
	return NULL;
}

struct span
message_raw(const struct message *message, const char *name, size_t index)
{
	const struct field *field = find_field(message, name, index);

	return field != NULL ? field->raw : SPAN_EMPTY;
}

static struct span
field_text(struct field *field)
{
	if (!field->has_text) {
		rfc2047_decode(&field->text, field->raw);
		field->has_text = true;
	}
	/* An empty value is there, so its data is not NULL. */
	return span_from(buf_str(&field->text), field->text.len);
}

struct span
message_text(struct message *message, const char *name, size_t index)
{
	struct field *field = find_field(message, name, index);

	return field != NULL ? field_text(field) : SPAN_EMPTY;
}

struct span
message_field_raw(const struct message *message, size_t field)
{
	return field < message->count ? message->fields[field].raw : SPAN_EMPTY;
}

struct span
message_field_text(struct message *message, size_t field)
{
	return field < message->count ? field_text(&message->fields[field])
				      : SPAN_EMPTY;
}

const struct address_list *
message_addresses(struct message *message, const char *name, size_t index)
{
	static const struct address_list none = {NULL, 0, false};
	struct field *field = find_field(message, name, index);

	if (field == NULL)
		return &none;
	if (!field->has_addresses) {
		address_list_parse(field->raw, &field->addresses);
		field->has_addresses = true;
	}
	return &field->addresses;
}

bool
message_date(struct message *message, int64_t *unix_r)
{
	return date_parse(message_raw(message, "Date", 0), unix_r);
}

/* From the first "<" to the ">" behind it; without such, all of it. */
static struct span
cut_id(struct span raw)
{
	size_t start = span_find(raw, '<'), end;

	if (start == SIZE_MAX)
		return raw;
	end = span_find(span_skip(raw, start), '>');
	return end == SIZE_MAX ? raw : span_slice(raw, start, end + 1);
}

struct span
message_id(struct message *message)
{
	BUF_AUTO utf8 = BUF_INIT;

	if (!message->has_id) {
		charset_guess(
		    &utf8, cut_id(message_raw(message, "Message-ID", 0)));
		text_add_clean(&message->id, buf_span(&utf8));
		message->has_id = true;
	}
	return buf_span(&message->id);
}
