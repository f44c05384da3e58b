/*
 * imap/command: the only code that can put a command on the wire.
 *
 *   string  = quoted / literal                       (RFC 9051 section 9)
 *   quoted  = DQUOTE *(7-bit byte but CR LF NUL, "\" before DQUOTE and "\")
 *             DQUOTE
 *   literal = "{" number ["+"] "}" CRLF *OCTET                 (RFC 7888)
 *   atom    = 1*(printable ASCII but SP "(" ")" "{" "%" "*" DQUOTE "\" "]")
 */
#include "daemon/wire/imap/command.h"

#include <assert.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

#define KEYWORD_MAX 128
/* LITERAL- (RFC 7888 section 5) allows no longer ones without waiting. */
#define LITERAL_MINUS_MAX 4096

static bool
is_constant_text(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text < 0x20 || *text > 0x7e)
			return false;
	}
	return true;
}

static bool
is_atom_char(char c)
{
	return c > 0x20 && c < 0x7f && strchr("(){%*\"\\]", c) == NULL;
}

static bool
is_atom(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!is_atom_char(s.data[i]))
			return false;
	}
	return s.len > 0;
}

void
imap_command_init(struct imap_command *command, const char *name)
{
	assert(is_constant_text(name) && name[0] != '\0');

	*command = (struct imap_command){.text = BUF_INIT};
	buf_add_str(&command->text, name);
}

void
imap_command_done(struct imap_command *command)
{
	if (command->secret)
		buf_wipe(&command->text);
	else
		buf_done(&command->text);
	free(command->cuts);
	*command = (struct imap_command){.text = BUF_INIT};
}

/* The blank in front of an argument. */
static void
begin_argument(struct imap_command *command)
{
	if (!command->joined)
		buf_add_char(&command->text, ' ');
	command->joined = false;
}

static void
end_argument(struct imap_command *command)
{
	size_t line = command->text.len - command->literal_bytes;

	if (line > IMAP_COMMAND_LINE_MAX)
		command->invalid = true;
}

void
imap_command_raw(struct imap_command *command, const char *text)
{
	size_t len = strlen(text);

	assert(len > 0 && is_constant_text(text));

	if (text[0] == ')' || text[0] == ']')
		command->joined = true;
	begin_argument(command);
	buf_add(&command->text, text, len);
	command->joined = text[len - 1] == '(' || text[len - 1] == '[';
	end_argument(command);
}

void
imap_command_number(struct imap_command *command, uint64_t number)
{
	begin_argument(command);
	buf_add_number(&command->text, number);
	end_argument(command);
}

void
imap_command_seqset(struct imap_command *command, const struct imap_seqset *set)
{
	if (set->count == 0)
		command->invalid = true;
	begin_argument(command);
	imap_seqset_format(&command->text, set);
	end_argument(command);
}

static bool
fits_quoted(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[i];

		if (c >= 0x80 || c == '\r' || c == '\n')
			return false;
	}
	return true;
}

static void
add_quoted(struct imap_command *command, struct span s)
{
	buf_add_char(&command->text, '"');
	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] == '"' || s.data[i] == '\\')
			buf_add_char(&command->text, '\\');
		buf_add_char(&command->text, s.data[i]);
	}
	buf_add_char(&command->text, '"');
}

static void
add_cut(struct imap_command *command)
{
	command->cuts = xreallocarray(
	    command->cuts, command->cut_count + 1, sizeof(*command->cuts));
	command->cuts[command->cut_count++] = command->text.len;
}

static void
add_literal(struct imap_command *command, struct span s)
{
	bool wait = !command->literal_plus || s.len > LITERAL_MINUS_MAX;

	if (wait && command->cut_count == IMAP_COMMAND_PARTS_MAX) {
		command->invalid = true;
		return;
	}
	buf_addf(&command->text, "{%zu%s}\r\n", s.len, wait ? "" : "+");
	if (wait)
		add_cut(command);
	buf_add_span(&command->text, s);
	command->literal_bytes += s.len;
}

void
imap_command_string(struct imap_command *command, struct span string)
{
	if (span_find(string, '\0') != SIZE_MAX) {
		command->invalid = true;
		return;
	}
	begin_argument(command);
	if (fits_quoted(string))
		add_quoted(command, string);
	else
		add_literal(command, string);
	end_argument(command);
}

void
imap_command_mailbox(struct imap_command *command, struct span wire_name)
{
	if (span_is_nocase(wire_name, "INBOX"))
		imap_command_raw(command, "INBOX");
	else
		imap_command_string(command, wire_name);
}

bool
imap_is_keyword(struct span word)
{
	return word.len <= KEYWORD_MAX && is_atom(word);
}

static bool
is_flag(struct span word)
{
	if (span_starts(word, "\\"))
		word = span_skip(word, 1);
	return imap_is_keyword(word);
}

/* " (a b c)", each word checked. */
static void
add_words(struct imap_command *command, const struct strv *words,
    bool (*is_good)(struct span))
{
	begin_argument(command);
	buf_add_char(&command->text, '(');
	for (size_t i = 0; i < words->len; i++) {
		struct span word = span_from_str(words->items[i]);

		if (!is_good(word)) {
			command->invalid = true;
			continue;
		}
		if (i > 0)
			buf_add_char(&command->text, ' ');
		buf_add_span(&command->text, word);
	}
	buf_add_char(&command->text, ')');
	end_argument(command);
}

void
imap_command_flags(struct imap_command *command, const struct strv *flags)
{
	add_words(command, flags, is_flag);
}

/* RFC 5322 section 3.6.8: a field name has no colon. */
static bool
is_field_name(struct span word)
{
	return is_atom(word) && span_find(word, ':') == SIZE_MAX;
}

void
imap_command_header_fields(
    struct imap_command *command, const struct strv *names)
{
	if (names->len == 0)
		command->invalid = true;
	add_words(command, names, is_field_name);
}
