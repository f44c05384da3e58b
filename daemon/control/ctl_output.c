/* What the commands print with. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/base/str.h"
#include "daemon/control/ctl.h"

static void
add_clean_lines(struct buf *out, const char *text, const char *indent)
{
	struct span rest = span_from_str(text), line;

	while (span_split(&rest, '\n', &line)) {
		if (line.len == 0 && rest.data == NULL)
			break;
		buf_add_str(out, indent);
		str_sanitize(out, line, CTL_TEXT_MAX);
		buf_add_char(out, '\n');
	}
}

/* Everything else is one document; these are one to a line. */
static bool
is_stream(const struct ctl *ctl)
{
	return ctl->command != NULL &&
	       (ctl->command->run == ctl_watch || ctl_has(ctl, "follow"));
}

static int
fail_json(const struct ctl *ctl, int code, const char *hint, const char *text)
{
	struct json *document = json_new_object();
	BUF_AUTO out = BUF_INIT;

	json_set_bool(document, "ok", false);
	json_set_str(document, "error", text);
	json_set_str(document, "hint", hint);
	json_print(document, &out, !is_stream(ctl));
	buf_add_char(&out, '\n');
	json_free(&document);
	return ctl_finish(&out, code);
}

int
ctl_fail(
    const struct ctl *ctl, int code, const char *hint, const char *format, ...)
{
	BUF_AUTO text = BUF_INIT;
	BUF_AUTO out = BUF_INIT;
	va_list args;

	va_start(args, format);
	buf_vaddf(&text, format, args);
	va_end(args);
	if (ctl->said != NULL) {
		buf_clear(ctl->said);
		buf_add_span(ctl->said, buf_span(&text));
	}
	if (ctl->mute)
		return code;
	if (ctl->json)
		return fail_json(ctl, code, hint, buf_str(&text));
	buf_add_str(&out, "belfryctl: ");
	add_clean_lines(&out, buf_str(&text), "");
	if (hint != NULL)
		add_clean_lines(&out, hint, "    ");
	fflush(stdout);
	fputs(buf_str(&out), stderr);
	return code;
}

int
ctl_fail_time(
    const struct ctl *ctl, const char *name, const char *text, const char *hint)
{
	BUF_AUTO write = BUF_INIT;
	bool is_bare = usec_suggest_unit(&write, span_from_str(text));

	return ctl_fail(ctl, EX_USAGE, is_bare ? buf_str(&write) : hint,
	    "%s%s%s is no time%s", name != NULL ? name : "",
	    name != NULL ? ": " : "", text,
	    is_bare ? ": its unit is missing" : "");
}

bool
ctl_write(struct buf *out)
{
	bool ok =
	    out->len == 0 || fwrite(out->data, 1, out->len, stdout) == out->len;

	buf_clear(out);
	if (ok && fflush(stdout) == 0)
		return true;
	fprintf(stderr, "belfryctl: standard output: %s\n", strerror(errno));
	return false;
}

int
ctl_finish(struct buf *out, int code)
{
	return ctl_write(out) ? code : EX_IOERR;
}

int
ctl_finish_json(struct json *document, int code)
{
	BUF_AUTO out = BUF_INIT;

	json_print(document, &out, true);
	buf_add_char(&out, '\n');
	json_free(&document);
	return ctl_finish(&out, code);
}

void
ctl_close_up(void)
{
	static const struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
}

void
ctl_add_clean(struct buf *out, const char *text, size_t max_chars)
{
	str_sanitize(out, span_from_str(text), max_chars);
}

void
ctl_add_colored(
    const struct ctl *ctl, struct buf *out, enum ctl_color color, const char *s)
{
	static const char *const codes[] = {
	    [CTL_PLAIN] = "0",
	    [CTL_BOLD] = "1",
	    [CTL_GOOD] = "32",
	    [CTL_BAD] = "31",
	    [CTL_DIM] = "2",
	};

	if (ctl->color && color != CTL_PLAIN)
		buf_addf(out, "\033[%sm%s\033[0m", codes[color], s);
	else
		buf_add_str(out, s);
}

void
ctl_add_count(struct buf *out, size_t count, const char *thing)
{
	buf_addf(out, "%zu %s%s", count, thing, count == 1 ? "" : "s");
}
