/*
 * mail-dump: prints what libmail reads in the given files, one JSON value a
 * line, for mail-vs-python.py.
 *
 *   {"file": PATH, "bad_lines": N, "date": SECONDS or null, "id": TEXT,
 *    "text": SECTION or null, "body": TEXT, "is_truncated": BOOL, "parts":
 *       [{"section": TEXT, "type": TEXT, "charset": TEXT, "encoding": TEXT,
 *         "name": TEXT, "size": N, "is_attachment": BOOL}, ...]}
 *   {"name": TEXT, "raw": BYTES, "text": TEXT, "addresses":
 *       [[NAME, USER, DOMAIN, ADDR], ...], "date": SECONDS or null}
 *
 * BYTES have one character (U+0000 to U+00FF) a byte. Every field is also
 * read as addresses and as a date, whatever its name.
 */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/base/buf.h"
#include "daemon/mail/body.h"
#include "daemon/mail/date.h"
#include "daemon/mail/message.h"
#include "daemon/mail/structure.h"

#define READ_SIZE 65536

static void
add_json_char(struct buf *out, char c, bool is_bytes)
{
	unsigned char byte = (unsigned char)c;

	if (byte < ' ' || c == '"' || c == '\\' || (is_bytes && byte >= 0x7f))
		buf_addf(out, "\\u%04x", byte);
	else
		buf_add_char(out, c);
}

static void
add_json(struct buf *out, struct span text, bool is_bytes)
{
	buf_add_char(out, '"');
	for (size_t i = 0; i < text.len; i++)
		add_json_char(out, text.data[i], is_bytes);
	buf_add_char(out, '"');
}

static void
add_date(struct buf *out, struct span raw)
{
	int64_t seconds;

	if (date_parse(raw, &seconds))
		buf_addf(out, "%" PRId64, seconds);
	else
		buf_add_str(out, "null");
}

static void
add_address(struct buf *out, const struct address *address)
{
	const char *const parts[] = {
	    address->name, address->user, address->domain, address->addr};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		buf_add_str(out, i == 0 ? "[" : ", ");
		add_json(out, span_from_str(parts[i]), false);
	}
	buf_add_char(out, ']');
}

static void
add_addresses(struct buf *out, struct span raw)
{
	struct address_list list;

	address_list_parse(raw, &list);
	buf_add_char(out, '[');
	for (size_t i = 0; i < list.count; i++) {
		if (i > 0)
			buf_add_str(out, ", ");
		add_address(out, &list.items[i]);
	}
	buf_add_char(out, ']');
	address_list_done(&list);
}

static void
add_field(struct buf *out, struct message *message, size_t field)
{
	struct span raw = message_field_raw(message, field);

	buf_add_str(out, "{\"name\": ");
	add_json(out, message_field_name(message, field), true);
	buf_add_str(out, ", \"raw\": ");
	add_json(out, raw, true);
	buf_add_str(out, ", \"text\": ");
	add_json(out, message_field_text(message, field), false);
	buf_add_str(out, ", \"addresses\": ");
	add_addresses(out, raw);
	buf_add_str(out, ", \"date\": ");
	add_date(out, raw);
	buf_add_str(out, "}\n");
}

static const char *
bool_name(bool value)
{
	return value ? "true" : "false";
}

static void
add_part(struct buf *out, const struct part *part)
{
	const struct {
		const char *key, *value;
	} texts[] = {{"section", part->section}, {"type", part->type},
	    {"charset", part->charset}, {"encoding", part->encoding},
	    {"name", part->name}};

	buf_add_char(out, '{');
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		buf_addf(out, "\"%s\": ", texts[i].key);
		add_json(out, span_from_str(texts[i].value), false);
		buf_add_str(out, ", ");
	}
	buf_addf(out, "\"size\": %" PRIu64 ", \"is_attachment\": %s}",
	    part->size, bool_name(part->is_attachment));
}

static void
add_body(struct buf *out, struct span bytes, const struct part *part)
{
	BUF_AUTO text = BUF_INIT;

	buf_add_str(out, ", \"text\": ");
	if (part == NULL) {
		buf_add_str(out, "null, \"body\": \"\"");
		return;
	}
	add_json(out, span_from_str(part->section), false);
	buf_add_str(out, ", \"body\": ");
	body_add_text(&text, body_find_part(bytes, part->section), part);
	add_json(out, buf_span(&text), false);
}

static void
add_structure(struct buf *out, struct span bytes)
{
	struct structure structure;

	structure_init(&structure);
	structure_parse(&structure, bytes);
	add_body(out, bytes, structure_find_text(&structure));
	buf_addf(out, ", \"is_truncated\": %s, \"parts\": [",
	    bool_name(structure.is_truncated));
	for (size_t i = 0; i < structure.count; i++) {
		if (i > 0)
			buf_add_str(out, ", ");
		add_part(out, &structure.parts[i]);
	}
	buf_add_char(out, ']');
	structure_done(&structure);
}

static void
dump(const char *path, struct span bytes)
{
	struct message *message = message_new(bytes);
	BUF_AUTO out = BUF_INIT;

	buf_add_str(&out, "{\"file\": ");
	add_json(&out, span_from_str(path), true);
	buf_addf(&out, ", \"bad_lines\": %zu, \"date\": ",
	    message_bad_line_count(message));
	add_date(&out, message_raw(message, "Date", 0));
	buf_add_str(&out, ", \"id\": ");
	add_json(&out, message_id(message), false);
	add_structure(&out, bytes);
	buf_add_str(&out, "}\n");
	for (size_t i = 0; i < message_field_count(message); i++)
		add_field(&out, message, i);
	fwrite(out.data, 1, out.len, stdout);
	message_free(&message);
}

static bool
read_file(const char *path, struct buf *bytes)
{
	FILE *file = fopen(path, "rb");
	char piece[READ_SIZE];
	size_t len;

	if (file == NULL)
		return false;
	while ((len = fread(piece, 1, sizeof(piece), file)) > 0)
		buf_add(bytes, piece, len);
	fclose(file);
	return true;
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		BUF_AUTO bytes = BUF_INIT;

		if (!read_file(argv[i], &bytes)) {
			perror(argv[i]);
			return 1;
		}
		dump(argv[i], buf_span(&bytes));
	}
	return 0;
}
