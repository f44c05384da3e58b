#include "daemon/setup/section.h"

#include "daemon/base/str.h"

/* More than the keys of any section. */
#define CHANGES_MAX 64

enum line_kind {
	LINE_OTHER, /* blank, or a comment */
	LINE_HEADER,
	LINE_KEY,
	LINE_MORE, /* goes on with the key above */
};

static struct span
without_end(struct span line)
{
	while (line.len > 0 && strchr("\r\n", line.data[line.len - 1]) != NULL)
		line.len--;
	return line;
}

/* The next line with its end. */
static bool
next_line(struct span *rest, struct span *line_r)
{
	size_t end = span_find(*rest, '\n');

	if (rest->len == 0)
		return false;
	*line_r = span_slice(*rest, 0, end == SIZE_MAX ? rest->len : end + 1);
	*rest = span_skip(*rest, line_r->len);
	return true;
}

static enum line_kind
kind_of(struct span line)
{
	line = without_end(line);
	if (span_starts(line, "\xef\xbb\xbf"))
		line = span_skip(line, 3);
	if (span_trim(line).len == 0 || strchr("#;", line.data[0]) != NULL)
		return LINE_OTHER;
	if (line.data[0] == '[')
		return LINE_HEADER;
	return char_is_blank(line.data[0]) ? LINE_MORE : LINE_KEY;
}

/* "[ kind  name ]" */
static bool
is_header_of(struct span line, const char *kind, const char *name)
{
	size_t begin = span_find(line, '['), end = span_find(line, ']');

	if (begin == SIZE_MAX || end == SIZE_MAX || end < begin)
		return false;
	struct span inner =
	    span_trim(span_slice(line, begin + 1, end - begin - 1));
	size_t len = strlen(kind);
	return inner.len > len && span_starts(inner, kind) &&
	       char_is_blank(inner.data[len]) &&
	       span_is(span_trim(span_skip(inner, len)), name);
}

struct span
section_find(struct span text, const char *kind, const char *name)
{
	struct span rest = text, line;
	const char *begin = NULL, *end = NULL;

	while (next_line(&rest, &line)) {
		enum line_kind what = kind_of(line);
		bool is_ours =
		    what == LINE_HEADER && is_header_of(line, kind, name);
		if (what == LINE_HEADER && begin != NULL)
			break;
		if (is_ours)
			begin = line.data;
		if (begin != NULL && what != LINE_OTHER)
			end = line.data + line.len;
	}
	return begin == NULL ? SPAN_EMPTY
			     : span_from(begin, (size_t)(end - begin));
}

/* ---- changing ---- */

struct editor {
	struct buf *out;
	struct buf others; /* comments and blanks since the last key */
	const struct section_change *changes;
	size_t count;
	bool is_set[CHANGES_MAX];
	bool is_ours;	  /* in the section */
	bool is_dropping; /* the lines of a key that is set anew, or goes */
	bool is_found;
	const char *line_end;
};

static void
add_key(struct editor *editor, const struct section_change *change)
{
	buf_addf(editor->out, "%s = %s%s", change->key, change->value,
	    editor->line_end);
}

/* A last line without an end gets one. */
static void
end_line(struct editor *editor)
{
	if (editor->out->len > 0 &&
	    editor->out->data[editor->out->len - 1] != '\n')
		buf_add_str(editor->out, editor->line_end);
}

static void
flush_others(struct editor *editor)
{
	buf_add_span(editor->out, buf_span(&editor->others));
	buf_truncate(&editor->others, 0);
}

/* The keys that the section did not have, behind its last one. */
static void
close_section(struct editor *editor)
{
	for (size_t i = 0; editor->is_ours && i < editor->count; i++) {
		if (editor->is_set[i] || editor->changes[i].value == NULL)
			continue;
		end_line(editor);
		add_key(editor, &editor->changes[i]);
	}
	flush_others(editor);
	editor->is_ours = false;
}

static const struct section_change *
find_change(const struct editor *editor, struct span line)
{
	struct span key = span_trim(span_slice(line, 0, span_find(line, '=')));

	for (size_t i = 0; i < editor->count; i++)
		if (span_is(key, editor->changes[i].key))
			return &editor->changes[i];
	return NULL;
}

static bool
has_value(struct span line, const struct section_change *change)
{
	size_t equals = span_find(line, '=');

	return equals != SIZE_MAX && change->value != NULL &&
	       span_is(span_trim(span_skip(line, equals + 1)), change->value);
}

static void
take_key(struct editor *editor, struct span line)
{
	const struct section_change *change = find_change(editor, line);

	editor->is_dropping = change != NULL;
	flush_others(editor);
	if (change == NULL) {
		buf_add_span(editor->out, line);
		return;
	}
	size_t i = (size_t)(change - editor->changes);
	if (change->value != NULL && !editor->is_set[i]) {
		if (has_value(line, change))
			buf_add_span(editor->out, line);
		else
			add_key(editor, change);
	}
	editor->is_set[i] = true;
}

static void
take_header(
    struct editor *editor, struct span line, const char *kind, const char *name)
{
	close_section(editor);
	buf_add_span(editor->out, line);
	editor->is_dropping = false;
	editor->is_ours = !editor->is_found && is_header_of(line, kind, name);
	editor->is_found = editor->is_found || editor->is_ours;
}

static void
take_line(
    struct editor *editor, struct span line, const char *kind, const char *name)
{
	enum line_kind what = kind_of(line);

	if (what == LINE_HEADER)
		take_header(editor, line, kind, name);
	else if (!editor->is_ours)
		buf_add_span(editor->out, line);
	else if (what == LINE_KEY)
		take_key(editor, line);
	else if (what == LINE_OTHER)
		buf_add_span(&editor->others, line);
	else if (!editor->is_dropping) {
		flush_others(editor);
		buf_add_span(editor->out, line);
	}
}

static void
add_section(struct editor *editor, const char *kind, const char *name)
{
	end_line(editor);
	if (editor->out->len > 0)
		buf_add_str(editor->out, editor->line_end);
	buf_addf(editor->out, "[%s %s]%s", kind, name, editor->line_end);
	for (size_t i = 0; i < editor->count; i++)
		if (editor->changes[i].value != NULL)
			add_key(editor, &editor->changes[i]);
}

void
section_set(struct buf *out, struct span text, const char *kind,
    const char *name, const struct section_change *changes, size_t count)
{
	struct editor editor = {
	    .out = out,
	    .changes = changes,
	    .count = count,
	    .line_end = span_find_span(text, SPAN("\r\n"), 0) != SIZE_MAX
			    ? "\r\n"
			    : "\n",
	};
	struct span rest = text, line;

	assert(count <= CHANGES_MAX);
	while (next_line(&rest, &line))
		take_line(&editor, line, kind, name);
	close_section(&editor);
	if (!editor.is_found)
		add_section(&editor, kind, name);
	/* The old text may have had a secret in a comment. */
	buf_wipe(&editor.others);
	buf_done(&editor.others);
}
