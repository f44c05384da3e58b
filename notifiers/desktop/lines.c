/*
 * desktop/lines: the daemon's lines in, ours out.
 */
#include "notifiers/desktop/lines.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

#define READ_MAX 4096

/* ---- In ---- */

void
lines_done(struct lines *lines)
{
	buf_done(&lines->bytes);
	*lines = (struct lines){0};
}

bool
lines_fill(struct lines *lines, int fd)
{
	char bytes[READ_MAX];
	ssize_t len;

	buf_consume(&lines->bytes, lines->taken);
	lines->taken = 0;
	do
		len = read(fd, bytes, sizeof(bytes));
	while (len < 0 && errno == EINTR);
	if (len <= 0)
		return false;
	buf_add(&lines->bytes, bytes, (size_t)len);
	return true;
}

static struct span
rest_of(const struct lines *lines)
{
	return span_skip(buf_span(&lines->bytes), lines->taken);
}

/* What stands there cannot become a line any more. */
static void
skip_what_is_too_long(struct lines *lines)
{
	if (rest_of(lines).len > NOTIFIER_LINE_MAX)
		lines->is_skipping = true;
	if (lines->is_skipping)
		lines->taken = lines->bytes.len;
}

bool
lines_next(struct lines *lines, struct span *line_r)
{
	size_t end;

	while ((end = span_find(rest_of(lines), '\n')) != SIZE_MAX) {
		struct span line = span_slice(rest_of(lines), 0, end);
		bool is_rest = lines->is_skipping;

		lines->taken += end + 1;
		lines->is_skipping = false;
		if (is_rest || line.len > NOTIFIER_LINE_MAX)
			continue;
		*line_r = line;
		return true;
	}
	skip_what_is_too_long(lines);
	return false;
}

/* ---- Out ---- */

static void
write_all(struct span text)
{
	while (text.len > 0) {
		ssize_t len = write(STDOUT_FILENO, text.data, text.len);

		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0)
			_exit(0);
		text = span_skip(text, (size_t)len);
	}
}

static char *
cut(const char *text, size_t max_chars)
{
	BUF_AUTO kept = BUF_INIT;

	if (text == NULL)
		return NULL;
	str_sanitize(&kept, span_from_str(text), max_chars);
	return buf_take_str(&kept);
}

/* What comes from others on the bus is as long as they like, and the daemon
 * ends whom it hears a line above NOTIFIER_LINE_MAX from. */
static void
format_cut(struct buf *buf, const struct notifier_line *line)
{
	struct notifier_line short_line = *line;
	STR_AUTO reason = cut(line->reason, NOTIFICATION_FIELD_MAX);
	STR_AUTO names = cut(line->capabilities, NOTIFICATION_BODY_MAX);

	short_line.reason = reason;
	short_line.capabilities = names;
	if (line->token != NULL && strlen(line->token) > NOTIFICATION_URL_MAX)
		short_line.token = NULL;
	notifier_line_format(buf, &short_line);
}

void
lines_say(const struct notifier_line *line)
{
	static GMutex mutex;
	BUF_AUTO text = BUF_INIT;

	format_cut(&text, line);
	g_mutex_lock(&mutex);
	write_all(buf_span(&text));
	g_mutex_unlock(&mutex);
}

void
lines_tell(enum notifier_verb verb, uint64_t id, const char *text)
{
	struct notifier_line line = {.verb = verb};

	line.n.id = id;
	if (verb == NOTIFIER_ACTION)
		line.key = xstrdup(text);
	else
		line.reason = xstrdup(text);
	lines_say(&line);
	notifier_line_done(&line);
}
