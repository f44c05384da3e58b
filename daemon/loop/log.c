#include "daemon/loop/log.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/buf.h"
#include "daemon/base/str.h"
#include "daemon/base/usec.h"
#include "daemon/loop/loop.h"

static const struct {
	const char *name;
	char priority; /* of syslog(3) */
} levels[] = {
    [LOG_LEVEL_DEBUG] = {"debug", '7'},
    [LOG_LEVEL_INFO] = {"info", '6'},
    [LOG_LEVEL_NOTICE] = {"notice", '5'},
    [LOG_LEVEL_WARNING] = {"warning", '4'},
    [LOG_LEVEL_ERROR] = {"error", '3'},
};

_Static_assert(sizeof(levels) / sizeof(levels[0]) == LOG_LEVEL_COUNT,
    "a row for each level");

static struct {
	enum log_level level;
	log_fn *capture;
	void *capture_ctx;
} state = {LOG_LEVEL_INFO, NULL, NULL};

bool
log_level_parse(struct span text, enum log_level *level_r)
{
	for (unsigned i = 0; i < LOG_LEVEL_COUNT; i++) {
		if (!span_is_nocase(text, levels[i].name))
			continue;
		*level_r = (enum log_level)i;
		return true;
	}
	return false;
}

const char *
log_level_name(enum log_level level)
{
	return levels[level].name;
}

void
log_set_level(enum log_level level)
{
	state.level = level;
}

bool
log_is_on(enum log_level level)
{
	return level >= state.level;
}

void
log_capture(log_fn *fn, void *ctx)
{
	state.capture = fn;
	state.capture_ctx = ctx;
}

/* systemd names device and inode of the stream it gave us; standard error
 * may have been redirected since. */
static bool
stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat info;
	BUF_AUTO ours = BUF_INIT;

	if (stream == NULL || fstat(STDERR_FILENO, &info) != 0)
		return false;
	buf_addf(&ours, "%llu:%llu", (unsigned long long)info.st_dev,
	    (unsigned long long)info.st_ino);
	return span_is(buf_span(&ours), stream);
}

static bool
needs_quotes(struct span value)
{
	for (size_t i = 0; i < value.len; i++)
		if (strchr(" \"=\\", value.data[i]) != NULL)
			return true;
	return false;
}

static void
add_pair(struct buf *line, const char *key, const char *value)
{
	BUF_AUTO clean = BUF_INIT;

	str_sanitize(&clean, span_from_str(value), LOG_VALUE_CHARS_MAX);
	buf_addf(line, " %s=", key);
	if (!needs_quotes(buf_span(&clean))) {
		buf_add_span(line, buf_span(&clean));
		return;
	}
	buf_add_char(line, '"');
	for (size_t i = 0; i < clean.len; i++) {
		if (clean.data[i] == '"' || clean.data[i] == '\\')
			buf_add_char(line, '\\');
		buf_add_char(line, clean.data[i]);
	}
	buf_add_char(line, '"');
}

/* One write: lines of two processes do not mix. */
static void
put(enum log_level level, struct span line)
{
	BUF_AUTO text = BUF_INIT;
	struct span rest;
	ssize_t len;

	if (stderr_is_journal()) {
		buf_addf(&text, "<%c>", levels[level].priority);
	} else {
		unix_format(&text, loop_now_unix());
		buf_add_char(&text, ' ');
	}
	buf_add_span(&text, line);
	buf_add_char(&text, '\n');
	for (rest = buf_span(&text); rest.len > 0;
	     rest = span_skip(rest, (size_t)len)) {
		len = write(STDERR_FILENO, rest.data, rest.len);
		if (len < 0 && errno == EINTR)
			len = 0;
		else if (len < 0)
			break; /* there is no one to tell */
	}
}

void
log_event(enum log_level level, const char *message, ...)
{
	BUF_AUTO line = BUF_INIT;
	va_list args;
	const char *key;

	assert(level < LOG_LEVEL_COUNT);
	if (!log_is_on(level))
		return;
	buf_addf(&line, "%s %s", levels[level].name, message);
	va_start(args, message);
	while ((key = va_arg(args, const char *)) != NULL) {
		const char *value = va_arg(args, const char *);

		if (value != NULL && value[0] != '\0')
			add_pair(&line, key, value);
	}
	va_end(args);
	if (state.capture != NULL)
		state.capture(state.capture_ctx, level, buf_str(&line));
	else
		put(level, buf_span(&line));
}
