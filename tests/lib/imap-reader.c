/*
 * imap-reader: a strict server's view of a command.
 */
#include "tests/lib/imap-reader.h"

#include "daemon/base/buf.h"
#include "daemon/base/str.h"

struct reader {
	const struct imap_command *command;
	struct span rest;
	size_t cut; /* of those seen so far */
	struct strv *tokens;
};

static void
add_token(struct reader *reader, const char *kind, struct span text)
{
	BUF_AUTO token = BUF_INIT;

	buf_add_str(&token, kind);
	buf_add_span(&token, text);
	strv_add_span(reader->tokens, buf_span(&token));
}

static bool
take(struct reader *reader, const char *text)
{
	if (!span_starts(reader->rest, text))
		return false;
	reader->rest = span_skip(reader->rest, strlen(text));
	return true;
}

static size_t
offset(const struct reader *reader)
{
	return reader->command->text.len - reader->rest.len;
}

static bool
read_quoted(struct reader *reader)
{
	BUF_AUTO text = BUF_INIT;

	while (reader->rest.len > 0) {
		char c;

		if (take(reader, "\"")) {
			add_token(reader, "'", buf_span(&text));
			return true;
		}
		if (take(reader, "\\") && !span_starts(reader->rest, "\"") &&
		    !span_starts(reader->rest, "\\"))
			return false;
		c = reader->rest.data[0];
		if (c == '\0' || c == '\r' || c == '\n' || (c & 0x80) != 0)
			return false;
		buf_add_char(&text, c);
		reader->rest = span_skip(reader->rest, 1);
	}
	return false;
}

/* Behind the "{". */
static bool
read_literal(struct reader *reader)
{
	const struct imap_command *command = reader->command;
	uint64_t len = 0;
	bool wait;

	while (reader->rest.len > 0 && char_is_digit(reader->rest.data[0])) {
		len = len * 10 + (uint64_t)(reader->rest.data[0] - '0');
		reader->rest = span_skip(reader->rest, 1);
	}
	wait = !take(reader, "+");
	if (!take(reader, "}\r\n") || len > reader->rest.len)
		return false;
	if (!wait && (!command->literal_plus || len > 4096))
		return false;
	if (wait && (reader->cut == command->cut_count ||
			command->cuts[reader->cut++] != offset(reader)))
		return false;
	add_token(reader, "'", span_slice(reader->rest, 0, (size_t)len));
	reader->rest = span_skip(reader->rest, (size_t)len);
	return true;
}

/* Flags and sections are read as atoms too. */
static bool
read_atom(struct reader *reader)
{
	struct span rest = reader->rest;
	size_t len = 0;

	while (len < rest.len && rest.data[len] > 0x20 &&
	       rest.data[len] < 0x7f &&
	       strchr("(){%\"]", rest.data[len]) == NULL)
		len++;
	if (len == 0)
		return false;
	add_token(reader, "=", span_slice(rest, 0, len));
	reader->rest = span_skip(rest, len);
	return true;
}

static bool
read_token(struct reader *reader)
{
	if (take(reader, "\""))
		return read_quoted(reader);
	if (take(reader, "{"))
		return read_literal(reader);
	return read_atom(reader);
}

/* Opening and closing brackets, and the blank that must stand elsewhere. */
bool
imap_read_command(const struct imap_command *command, struct strv *tokens)
{
	struct reader reader = {command, buf_span(&command->text), 0, tokens};
	bool joined = true;

	while (reader.rest.len > 0) {
		if (take(&reader, ")")) {
			add_token(&reader, ")", SPAN_EMPTY);
			joined = false;
			continue;
		}
		if (take(&reader, "]")) {
			add_token(&reader, "]", SPAN_EMPTY);
			joined = false;
			continue;
		}
		if (!joined && !take(&reader, " "))
			return false;
		joined = take(&reader, "(");
		if (joined)
			add_token(&reader, "(", SPAN_EMPTY);
		else if (!read_token(&reader))
			return false;
	}
	return reader.cut == command->cut_count;
}
