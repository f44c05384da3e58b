#include "daemon/control/ctl_progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"

#define WIDTH_DEFAULT 80
#define WIDTH_MIN 20
#define BAR_MAX 30
/* No guess before this. */
#define GUESS_SECONDS 2.0
#define SHARE_MIN 0.01

struct ctl_progress {
	const char *verb;
	bool is_terminal;
	usec_t started, shown;
	bool has_first; /* a run that was joined began earlier */
	struct ctl_speed first;
};

static usec_t
now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (usec_t)now.tv_sec * USEC_SEC + (usec_t)now.tv_nsec / 1000;
}

struct ctl_progress *
ctl_progress_new(const char *verb)
{
	struct ctl_progress *progress = NEW(struct ctl_progress);
	const char *term = getenv("TERM");

	progress->verb = verb;
	progress->is_terminal =
	    isatty(STDERR_FILENO) && term != NULL && strcmp(term, "dumb") != 0;
	progress->started = now_usec();
	return progress;
}

static void
wipe_line(void)
{
	fputs("\r\033[K", stderr);
}

void
ctl_progress_free(struct ctl_progress **progress)
{
	if (*progress == NULL)
		return;
	if ((*progress)->is_terminal && (*progress)->shown != 0)
		wipe_line();
	free(*progress);
	*progress = NULL;
}

static size_t
terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return WIDTH_DEFAULT;
	return size.ws_col;
}

/* ---- the line ---- */

double
ctl_progress_share(const struct json *line)
{
	int64_t total = json_get_int(line, "total", 0);
	int64_t looked = json_get_int(line, "looked", 0);
	int64_t first = json_get_int(line, "first_uid", 0);
	int64_t next = json_get_int(line, "next_uid", 0);
	int64_t end = json_get_int(line, "end_uid", 0);
	double share = -1;

	if (end > 0 && next >= end)
		return 1;
	if (total > 0)
		share = (double)looked / (double)total;
	else if (end > first)
		share = (double)(next - first) / (double)(end - first);
	return share > 1 ? 1 : share;
}

static void
add_bar(struct buf *out, double share, size_t room)
{
	size_t cells = room > 12 ? room - 10 : 0;

	if (cells == 0 || share < 0)
		return;
	if (cells > BAR_MAX)
		cells = BAR_MAX;
	size_t full = (size_t)(share * (double)cells);
	buf_add_str(out, " [");
	for (size_t i = 0; i < cells; i++)
		buf_add_char(out, i < full ? '#' : '.');
	buf_add_char(out, ']');
}

static void
add_counts(struct buf *out, const struct json *line)
{
	int64_t total = json_get_int(line, "total", 0);
	int64_t looked = json_get_int(line, "looked", 0);
	int64_t failed = json_get_int(line, "failed", 0);

	buf_addf(out, " %" PRId64, looked);
	if (total >= looked && total > 0)
		buf_addf(out, " of %" PRId64, total);
	buf_addf(out, ", %" PRId64 " matched, %" PRId64 " done",
	    json_get_int(line, "matched", 0), json_get_int(line, "done", 0));
	if (failed > 0)
		buf_addf(out, ", %" PRId64 " failed", failed);
}

static void
add_speed(struct buf *out, double share, struct ctl_speed speed)
{
	if (speed.seconds < GUESS_SECONDS || speed.messages <= 0)
		return;
	buf_addf(out, ", %.0f/s", (double)speed.messages / speed.seconds);
	if (speed.share <= SHARE_MIN || share >= 1)
		return;
	buf_add_str(out, ", ");
	usec_format(out,
	    (usec_t)(speed.seconds * (1 - share) / speed.share) * USEC_SEC);
	buf_add_str(out, " left");
}

/* What holds it up, in the daemon's words. */
static bool
add_trouble(struct buf *out, const struct json *line)
{
	const char *phase = json_get_str(line, "phase");
	const char *trouble = json_get_str(line, "trouble");

	if (phase == NULL || strcmp(phase, "connecting") != 0)
		return false;
	buf_add_str(out, " waits for the server");
	if (trouble != NULL) {
		buf_add_str(out, ": ");
		str_sanitize(out, span_from_str(trouble), CTL_CELL_MAX);
	}
	return true;
}

/* Cuts at characters. */
static void
cut(struct buf *out, size_t width)
{
	size_t end = 0, count = 0, len;
	uint32_t code;

	while (count < width && (len = utf8_next(span_skip(buf_span(out), end),
				     &code, NULL)) > 0) {
		end += len;
		count++;
	}
	buf_truncate(out, end);
}

void
ctl_progress_format(struct buf *out, const char *verb, const struct json *line,
    struct ctl_speed speed, size_t width, bool bar)
{
	double share = ctl_progress_share(line);
	BUF_AUTO rest = BUF_INIT;

	buf_add_str(out, verb);
	if (!add_trouble(&rest, line)) {
		if (share >= 0)
			buf_addf(&rest, " %3d%%", (int)(share * 100));
		add_counts(&rest, line);
		add_speed(&rest, share, speed);
		if (bar && width > out->len + rest.len)
			add_bar(out, share, width - out->len - rest.len);
	}
	buf_add_span(out, buf_span(&rest));
	cut(out, width);
}

static void
draw(struct ctl_progress *progress, const struct json *line, usec_t now)
{
	const struct ctl_speed speed = {
	    .seconds =
		(double)usec_since(progress->started, now) / (double)USEC_SEC,
	    .messages =
		json_get_int(line, "looked", 0) - progress->first.messages,
	    .share = ctl_progress_share(line) - progress->first.share,
	};
	size_t width = progress->is_terminal ? terminal_width() : SIZE_MAX;
	BUF_AUTO text = BUF_INIT;

	ctl_progress_format(&text, progress->verb, line, speed,
	    width > WIDTH_MIN ? width - 1 : WIDTH_MIN, progress->is_terminal);
	if (progress->is_terminal)
		fprintf(stderr, "\r%s\033[K", buf_str(&text));
	else
		fprintf(stderr, "%s\n", buf_str(&text));
	fflush(stderr);
}

void
ctl_progress_show(struct ctl_progress *progress, const struct json *line)
{
	usec_t now = now_usec();

	if (!progress->has_first) {
		progress->has_first = true;
		progress->first.messages = json_get_int(line, "looked", 0);
		progress->first.share = ctl_progress_share(line);
		if (progress->first.share < 0)
			progress->first.share = 0;
	}
	if (!progress->is_terminal &&
	    usec_since(
		progress->shown != 0 ? progress->shown : progress->started,
		now) < CTL_PROGRESS_LINES_USEC)
		return;
	progress->shown = now;
	draw(progress, line, now);
}
