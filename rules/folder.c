#include "rules/folder.h"

#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "rules/template.h"

const char *const folder_special_names[] = {
    "\\Archive", "\\Junk", "\\Trash", "\\Sent", NULL};

bool
folder_is_special(struct span name)
{
	for (const char *const *special = folder_special_names;
	     *special != NULL; special++)
		if (span_is(name, *special))
			return true;
	return false;
}

static const char *
check_component(struct span component)
{
	if (component.len == 0)
		return "a level of the folder's name is empty; names have no "
		       "/ at their ends and no two in a row";
	if (span_is(component, ".") || span_is(component, ".."))
		return "`.` and `..` are no names of folders";
	return NULL;
}

const char *
folder_check(struct span name)
{
	size_t levels = 0;
	struct span component;

	if (name.len == 0)
		return "a folder's name is expected";
	for (size_t i = 0; i < name.len; i++)
		if ((unsigned char)name.data[i] < ' ' || name.data[i] == 0x7f)
			return "a folder's name has no control characters";
	/* It could become the first character when a value is empty. */
	if (span_find(name, '\\') != SIZE_MAX)
		return "a folder's name has no \\, but for \\Archive, \\Junk, "
		       "\\Trash and \\Sent alone";
	while (span_split(&name, '/', &component)) {
		const char *problem = check_component(component);

		if (problem != NULL)
			return problem;
		if (++levels > TEMPLATE_LEVELS_MAX)
			return "a folder's name has at most 10 levels";
	}
	return NULL;
}

/* Of a component, but for blanks, which are trimmed in the end. */
static bool
is_at_start(const struct buf *buf)
{
	struct span before = span_trim(buf_span(buf));

	return before.len == 0 || before.data[before.len - 1] == '/';
}

static void
add_code(struct buf *buf, uint32_t code)
{
	if (code < 0x80 && strchr("/\\*%", (int)code) != NULL)
		return;
	/* A blank there would be trimmed, and what is behind it come first. */
	if (code == ' ' && is_at_start(buf))
		return;
	/* Namespaces of other users and of news begin so. */
	if ((code == '~' || code == '#') && is_at_start(buf))
		code = '_';
	utf8_add(buf, code);
}

void
folder_add_value(struct buf *buf, struct span value, size_t max)
{
	BUF_AUTO plain = BUF_INIT;
	struct span rest;
	uint32_t code;
	size_t len, start = buf->len;

	str_sanitize(&plain, value, TEMPLATE_FOLDER_MAX);
	rest = span_trim(buf_span(&plain));
	while ((len = utf8_next(rest, &code, NULL)) > 0) {
		if (buf->len - start + len > max)
			break;
		add_code(buf, code);
		rest = span_skip(rest, len);
	}
}

void
folder_add_clean(struct buf *buf, struct span name, bool is_open)
{
	struct span component;
	bool is_first = true;

	while (span_split(&name, '/', &component)) {
		component = span_trim(component);
		if (!is_first)
			buf_add_char(buf, '/');
		else if (is_open && span_is_nocase(component, "INBOX"))
			buf_add_char(buf, '_');
		is_first = false;
		if (component.len == 0 || span_is(component, ".") ||
		    span_is(component, "..")) {
			buf_add_char(buf, '_');
			continue;
		}
		buf_add_span(buf, component);
	}
	if (is_first)
		buf_add_char(buf, '_');
}
