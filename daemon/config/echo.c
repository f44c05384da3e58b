/* Source lines without secrets: see echo.h. */
#include "daemon/config/echo.h"

#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "daemon/config/settings.h"

/* Where a line stands: found by reading from the top. */
struct where {
	bool has_kind;
	enum section_kind kind;
	struct span key; /* of the pair; empty: none */
	struct span line;
};

static bool
is_key_char(char c)
{
	return char_is_alnum(c) || c == '_' || c == '-';
}

static struct span
leading_key(struct span line)
{
	size_t len = 0;

	while (len < line.len && is_key_char(line.data[len]))
		len++;
	return span_slice(line, 0, len);
}

static void
pass_section(struct where *where, struct span line)
{
	struct span rest = span_trim(span_skip(line, 1));
	const char *nearest;

	where->key = SPAN_EMPTY;
	where->has_kind =
	    section_kind_parse(leading_key(rest), &where->kind, &nearest);
}

static void
pass_line(struct where *where, struct span line)
{
	where->line = line;
	if (line.len == 0 || strchr(" \t\r#;", line.data[0]) != NULL)
		return;
	if (line.data[0] == '[')
		pass_section(where, line);
	else
		where->key = leading_key(line);
}

static struct where
find_line(const struct config_file *file, unsigned number)
{
	struct where where = {.has_kind = false};
	struct span rest = buf_span(&file->text), line;

	for (unsigned at = 1; at <= number; at++) {
		if (!span_split(&rest, '\n', &line)) {
			where.line = SPAN_EMPTY;
			break;
		}
		if (at == 1 && span_starts(line, "\xef\xbb\xbf"))
			line = span_skip(line, 3);
		pass_line(&where, line);
	}
	return where;
}

static bool
may_show(const struct where *where)
{
	const struct setting *setting = NULL;

	if (where->has_kind)
		setting = settings_find(where->kind, where->key);
	return setting != NULL && (setting->flags & SETTING_HIDDEN) == 0;
}

/* imaps://ann:secret@host is an error, and so is ann:secret@host: show no more
 * than imaps://, or the key. */
static struct span
without_userinfo(struct span line, bool is_url)
{
	size_t at = span_find_span(line, SPAN("://"), 0);
	size_t equals = span_find(line, '=');

	if (at != SIZE_MAX)
		return span_find(span_skip(line, at), '@') == SIZE_MAX
			   ? line
			   : span_slice(line, 0, at + 3);
	if (!is_url || span_find(line, '@') == SIZE_MAX)
		return line;
	return span_slice(line, 0, equals == SIZE_MAX ? 0 : equals + 1);
}

static bool
is_url(const struct where *where)
{
	const struct setting *setting = NULL;

	if (where->has_kind)
		setting = settings_find(where->kind, where->key);
	return setting != NULL && (setting->type == SETTING_IMAP_URL ||
				      setting->type == SETTING_SMTP_URL ||
				      setting->type == SETTING_HTTP_URL ||
				      setting->type == SETTING_HTTPS_URL);
}

/* Whether a hidden key stands here with a "=" behind it; its length. */
static size_t
hidden_key_length(struct span text)
{
	struct span key = leading_key(text);
	struct span rest = span_trim(span_skip(text, key.len));

	if (!span_starts(rest, "="))
		return 0;
	for (size_t i = 0; settings_at(i) != NULL; i++)
		if ((settings_at(i)->flags & SETTING_HIDDEN) != 0 &&
		    span_is(key, settings_at(i)->key))
			return key.len;
	return 0;
}

/* A hidden key is one, too, where it has no business: behind a section's
 * header or another value, or indented. */
static struct span
without_hidden(struct span line)
{
	for (size_t i = 0; i < line.len; i++) {
		size_t len = 0;
		if (i == 0 || !is_key_char(line.data[i - 1]))
			len = hidden_key_length(span_skip(line, i));
		if (len > 0)
			return span_slice(line, 0, i + len);
	}
	return line;
}

static void
add_shown(struct buf *buf, const struct where *where, struct span line)
{
	struct span shown =
	    without_hidden(without_userinfo(line, is_url(where)));

	utf8_add_valid(buf, shown);
	if (shown.len == line.len)
		return;
	buf_add_str(
	    buf, span_ends_nocase(shown, "://") || shown.len == 0 ? "…" : " …");
}

void
echo_line(struct buf *buf, const struct config_files *files,
    const struct rule_place *place)
{
	const struct config_file *file = files_find(files, place->file);

	if (file == NULL || place->line == 0)
		return;
	struct where where = find_line(file, place->line);
	struct span line = where.line;
	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	if (line.len == 0 || line.data[0] == '#' || line.data[0] == ';')
		return;
	bool is_continuation = char_is_blank(line.data[0]);
	if (line.data[0] == '[' || may_show(&where)) {
		add_shown(buf, &where, line);
	} else if (!is_continuation && where.key.len > 0 &&
		   where.key.len < line.len) {
		buf_add_span(buf, where.key);
		buf_add_str(buf, " …");
	}
}

void
echo_problems(const struct config_files *files, struct config_report *report)
{
	for (size_t i = report->echoes.len; i < report->problems.count; i++) {
		BUF_AUTO echo = BUF_INIT;
		echo_line(&echo, files, &report->problems.items[i].place);
		strv_add(&report->echoes, buf_str(&echo));
	}
}
