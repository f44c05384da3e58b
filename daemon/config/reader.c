/*
 * The door to inih: see reader.h.
 *
 * inih pulls lines through hand_line, which reads on until a line is worth
 * handing over, and calls on_pair for each "key=v" it understood. `pending`
 * is the pair in between: inih must ask for no other line before it has
 * delivered that one.
 */
#include "daemon/config/reader.h"

#include <ini.h>
#include <stdio.h>

#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"
#include "daemon/config/problem.h"

/* What we write into inih's buffer: the longer of "[S]\n" and "key=v\n". */
#define HANDED_MAX (READER_SECTION_MAX + 4)

/* What a continuation line would continue. */
enum above {
	ABOVE_NOTHING, /* no key yet in this section */
	ABOVE_PAIR,
	ABOVE_BROKEN, /* a key that was refused: be silent */
};

struct reader {
	const char *file;
	struct span rest; /* of the text */
	unsigned line;	  /* the current one, from 1 */
	struct document *document;
	struct rule_problems *problems;
	struct document_section *section; /* NULL: keys have no home */
	bool is_skipping; /* in a section whose header was refused, or, before
			     the first one, after that was said once */
	enum above above;
	char handed_section[READER_SECTION_MAX + 1];
	char key[READER_KEY_MAX + 1]; /* of the pair above */
	bool has_pending;
	struct document_entry pending; /* key and value are borrowed */
	char *value;		       /* owned: pending.value */
	size_t handed, delivered;
	const char *broken; /* what inih did that it must not */
};

static struct rule_place
place_at(const struct reader *reader, struct span line, size_t offset)
{
	return (struct rule_place){reader->file, reader->line,
	    (unsigned)utf8_count(span_slice(line, 0, offset)) + 1};
}

#define complain(reader, line, offset, hint, ...)                              \
	problem_add((reader)->problems, false,                                 \
	    place_at((reader), (line), (offset)), (hint), __VA_ARGS__)

static bool
is_name_char(char c)
{
	return char_is_alnum(c) || (c != '\0' && strchr("_-.@+", c) != NULL);
}

static bool
is_key_char(char c)
{
	return char_is_alnum(c) || c == '_' || c == '-';
}

static struct span
trim_blanks(struct span s)
{
	while (s.len > 0 && char_is_blank(s.data[0]))
		s = span_skip(s, 1);
	while (s.len > 0 && char_is_blank(s.data[s.len - 1]))
		s.len--;
	return s;
}

static const char *
control_name(unsigned char c)
{
	switch (c) {
	case '\0':
		return "a NUL byte";
	case '\r':
		return "a carriage return inside a line";
	case '\f':
		return "a form feed";
	default:
		return "a control character";
	}
}

/* Each byte of the line, comments too: a file that an editor shows otherwise
 * than we read it is refused. */
static bool
check_bytes(const struct reader *reader, struct span line)
{
	for (size_t at = 0; at < line.len;) {
		bool is_valid = true;
		uint32_t code;
		size_t len = utf8_next(span_skip(line, at), &code, &is_valid);
		if (!is_valid) {
			complain(reader, line, at, "save the file as UTF-8",
			    "byte 0x%02x is not valid UTF-8",
			    (unsigned)(unsigned char)line.data[at]);
			return false;
		}
		if ((code < 0x20 && code != '\t') ||
		    (code >= 0x7f && code < 0xa0)) {
			complain(reader, line, at,
			    code == '\r' ? "end lines with LF or CRLF" : NULL,
			    "%s is not allowed",
			    control_name((unsigned char)code));
			return false;
		}
		at += len;
	}
	return true;
}

/* The next physical line without its end. */
static bool
next_line(struct reader *reader, struct span *line_r)
{
	struct span line;

	if (reader->rest.len == 0 || !span_split(&reader->rest, '\n', &line))
		return false;
	reader->line++;
	if (reader->line == 1 && span_starts(line, "\xef\xbb\xbf"))
		line = span_skip(line, 3);
	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	*line_r = line;
	return true;
}

/* ---- sections ---- */

/* From here to the next header nothing is kept. */
static void
skip_section(struct reader *reader)
{
	reader->section = NULL;
	reader->is_skipping = true;
	reader->above = ABOVE_BROKEN;
}

static bool
check_section_chars(
    const struct reader *reader, struct span line, struct span name)
{
	for (size_t i = 0; i < name.len; i++) {
		if (is_name_char(name.data[i]))
			continue;
		size_t at = (size_t)(name.data - line.data) + i;
		const char *hint = "use letters, digits and _ - . @ +";
		if (name.data[i] == '"' || name.data[i] == '\'')
			hint = "write the name without quotes";
		complain(reader, line, at, hint,
		    "this character is not allowed in a section's name");
		return false;
	}
	return true;
}

/* Splits what stands between the brackets. */
static bool
split_section(const struct reader *reader, struct span line, struct span inner,
    struct span *kind_r, struct span *name_r)
{
	size_t len = 0;

	if (inner.len == 0) {
		complain(reader, line, 0, NULL, "the section has no name");
		return false;
	}
	while (len < inner.len && !char_is_blank(inner.data[len]))
		len++;
	struct span kind = span_slice(inner, 0, len);
	struct span name = trim_blanks(span_skip(inner, len));
	if (!check_section_chars(reader, line, kind) ||
	    !check_section_chars(reader, line, name))
		return false;
	if (kind.len + 1 + name.len > READER_SECTION_MAX) {
		complain(reader, line, 0, NULL,
		    "the section's name is longer than %d bytes",
		    READER_SECTION_MAX);
		return false;
	}
	*kind_r = kind;
	*name_r = name;
	return true;
}

static bool
find_brackets(
    const struct reader *reader, struct span line, struct span *inner_r)
{
	size_t end = span_find(line, ']');

	if (end == SIZE_MAX) {
		complain(reader, line, line.len, NULL,
		    "the section is not closed by `]`");
		return false;
	}
	struct span behind = trim_blanks(span_skip(line, end + 1));
	if (behind.len > 0) {
		complain(reader, line, (size_t)(behind.data - line.data),
		    "comments stand on lines of their own",
		    "text behind the section's `]`");
		return false;
	}
	*inner_r = trim_blanks(span_slice(line, 1, end - 1));
	return true;
}

static bool
take_section(struct reader *reader, struct span line, char *out, size_t size)
{
	struct span inner, kind, name;

	if (!find_brackets(reader, line, &inner) ||
	    !split_section(reader, line, inner, &kind, &name)) {
		skip_section(reader);
		return false;
	}
	reader->section = document_add_section(
	    reader->document, kind, name, place_at(reader, line, 0));
	reader->is_skipping = false;
	reader->above = ABOVE_NOTHING;
	snprintf(reader->handed_section, sizeof(reader->handed_section),
	    "%.*s%s%.*s", SPAN_FMT(kind), name.len > 0 ? " " : "",
	    SPAN_FMT(name));
	snprintf(out, size, "[%s]\n", reader->handed_section);
	return true;
}

/* ---- pairs and continuations ---- */

/* Makes the entry that inih must deliver next. */
static bool
hand_pair(struct reader *reader, struct span line, struct span value,
    unsigned key_column, bool is_continuation, char *out, size_t size)
{
	document_free_value(&reader->value);
	reader->value = xstrdup_span(value);
	reader->pending = (struct document_entry){
	    .key = reader->key,
	    .value = reader->value,
	    .line = reader->line,
	    .key_column = key_column,
	    .column =
		place_at(reader, line, (size_t)(value.data - line.data)).column,
	    .is_continuation = is_continuation,
	};
	reader->has_pending = true;
	reader->handed++;
	snprintf(out, size, "%s=v\n", reader->key);
	return true;
}

static bool
check_key(const struct reader *reader, struct span line, struct span key)
{
	if (key.len == 0) {
		complain(reader, line, 0, NULL, "no key in front of `=`");
		return false;
	}
	for (size_t i = 0; i < key.len; i++) {
		if (is_key_char(key.data[i]))
			continue;
		complain(reader, line, i,
		    key.data[i] == ':' ? "only `=` separates key and value"
				       : NULL,
		    "this character is not allowed in a key");
		return false;
	}
	if (!char_is_alpha(key.data[0])) {
		complain(reader, line, 0, NULL, "a key starts with a letter");
		return false;
	}
	if (key.len > READER_KEY_MAX) {
		complain(reader, line, 0, NULL,
		    "the key is longer than %d bytes", READER_KEY_MAX);
		return false;
	}
	return true;
}

/* Where keys have no home: said once. */
static bool
has_home(struct reader *reader, struct span line)
{
	if (reader->section != NULL)
		return true;
	if (!reader->is_skipping)
		complain(reader, line, 0,
		    "begin with a section such as [account home]",
		    "a key before the first section");
	skip_section(reader);
	return false;
}

static bool
take_pair(struct reader *reader, struct span line, char *out, size_t size)
{
	size_t equals = span_find(line, '=');

	if (!has_home(reader, line))
		return false;
	reader->above = ABOVE_BROKEN;
	if (equals == SIZE_MAX) {
		bool has_colon = span_find(line, ':') != SIZE_MAX;
		complain(reader, line, 0,
		    has_colon ? "only `=` separates key and value"
			      : "a line that goes on with the one above begins "
				"with a blank",
		    "no `=`: expected `key = value`");
		return false;
	}
	struct span key = trim_blanks(span_slice(line, 0, equals));
	if (!check_key(reader, line, key))
		return false;
	reader->above = ABOVE_PAIR;
	snprintf(reader->key, sizeof(reader->key), "%.*s", SPAN_FMT(key));
	struct span value = trim_blanks(span_skip(line, equals + 1));
	if (value.len == 0)
		value = span_from(line.data + line.len, 0);
	return hand_pair(reader, line, value, 1, false, out, size);
}

static bool
take_continuation(
    struct reader *reader, struct span line, char *out, size_t size)
{
	struct span value = trim_blanks(line);
	size_t at = (size_t)(value.data - line.data);

	if (reader->above == ABOVE_BROKEN)
		return false;
	if (reader->above == ABOVE_NOTHING) {
		complain(reader, line, at,
		    "keys and sections start in the first column",
		    "an indented line, but there is no value above it to "
		    "continue");
		reader->above = ABOVE_BROKEN;
		return false;
	}
	if (value.data[0] == '#' || value.data[0] == ';') {
		complain(reader, line, at,
		    "a comment starts in the first column",
		    "an indented line continues the value above and cannot "
		    "start with `%c`",
		    value.data[0]);
		return false;
	}
	return hand_pair(reader, line, value, place_at(reader, line, at).column,
	    true, out, size);
}

/* ---- the two ends of inih ---- */

/* True: `out` has a line for inih. */
static bool
take_line(struct reader *reader, struct span line, char *out, size_t size)
{
	if (line.len > READER_LINE_MAX) {
		complain(reader, line, READER_LINE_MAX, NULL,
		    "the line is longer than %d bytes", READER_LINE_MAX);
		reader->above = ABOVE_BROKEN;
		return false;
	}
	if (!check_bytes(reader, line)) {
		reader->above = ABOVE_BROKEN;
		return false;
	}
	if (trim_blanks(line).len == 0)
		return false;
	switch (line.data[0]) {
	case '#':
	case ';':
		return false;
	case '[':
		return take_section(reader, line, out, size);
	case ' ':
	case '\t':
		return take_continuation(reader, line, out, size);
	default:
		return take_pair(reader, line, out, size);
	}
}

static char *
hand_line(char *out, int size, void *stream)
{
	struct reader *reader = stream;
	struct span line;

	if (reader->has_pending)
		reader->broken = "a pair was not delivered";
	if (size < HANDED_MAX + 1)
		reader->broken = "its line buffer is too small";
	while (reader->broken == NULL && !problem_is_full(reader->problems) &&
	       next_line(reader, &line))
		if (take_line(reader, line, out, (size_t)size))
			return out;
	return NULL;
}

static int
on_pair(void *user, const char *section, const char *name, const char *value)
{
	struct reader *reader = user;

	if (name == NULL) /* some builds announce sections */
		return 1;
	if (!reader->has_pending || value == NULL || strcmp(value, "v") != 0 ||
	    strcmp(name, reader->pending.key) != 0 ||
	    strcmp(section, reader->handed_section) != 0) {
		reader->broken = "a pair was delivered that was not handed";
		return 0;
	}
	document_add_entry(reader->section, &reader->pending);
	reader->has_pending = false;
	reader->delivered++;
	return 1;
}

void
reader_parse(const char *file, struct span text, struct document *document,
    struct rule_problems *problems)
{
	struct reader reader = {
	    .file = file,
	    .rest = text,
	    .document = document,
	    .problems = problems,
	};
	struct rule_place place = {file, 0, 0};

	if (text.len > READER_FILE_MAX) {
		problem_add(problems, false, place, NULL,
		    "the file is larger than %d MiB",
		    READER_FILE_MAX / (1024 * 1024));
		return;
	}
	int result = ini_parse_stream(hand_line, &reader, on_pair, &reader);
	if (reader.broken == NULL && result != 0)
		reader.broken = "it refused a line";
	if (reader.broken == NULL && reader.handed != reader.delivered)
		reader.broken = "pairs were lost";
	if (reader.broken != NULL)
		problem_add(problems, false, place, NULL,
		    "internal error: this build of inih cannot be used: %s",
		    reader.broken);
	document_free_value(&reader.value);
}
