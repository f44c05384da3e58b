#include "daemon/control/ctl_mbox.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/date.h"

#define WINDOW (256 * 1024)   /* bytes read at once */
#define PIECE_MAX (16 * 1024) /* a longer line comes in pieces */

/* The bytes that were read and not looked at: from start to end. */
struct window {
	int fd;
	char *data;
	size_t start, end;
	bool is_over;
	struct error *error;
	bool is_broken;
};

struct splitter {
	ctl_mbox_fn *fn;
	void *ctx;
	size_t keep;
	struct buf bytes;
	struct ctl_mbox_message message;
	bool is_begun, in_body;
};

/* ---- lines ---- */

static void
fill(struct window *window)
{
	ssize_t count;

	if (window->fd < 0) {
		window->is_over = true;
		return;
	}
	memmove(window->data, window->data + window->start,
	    window->end - window->start);
	window->end -= window->start;
	window->start = 0;
	do
		count = read(window->fd, window->data + window->end,
		    WINDOW - window->end);
	while (count < 0 && errno == EINTR);
	if (count < 0) {
		window->is_broken = true;
		error_set(window->error, FAULT_LOCAL, "%s", strerror(errno));
	}
	if (count > 0)
		window->end += (size_t)count;
	else
		window->is_over = true;
}

/* Up to a line end, or PIECE_MAX; empty at the end. Valid until the next. */
static struct span
take_piece(struct window *window)
{
	struct span rest;
	size_t end;

	for (;;) {
		rest = span_from(
		    window->data + window->start, window->end - window->start);
		rest = span_slice(rest, 0, PIECE_MAX);
		end = span_find(rest, '\n');
		if (end != SIZE_MAX)
			rest.len = end + 1;
		if (end != SIZE_MAX || rest.len == PIECE_MAX || window->is_over)
			break;
		fill(window);
	}
	window->start += rest.len;
	return rest;
}

static bool
ends_line(struct span piece)
{
	return piece.data[piece.len - 1] == '\n';
}

static bool
is_blank_line(struct span piece)
{
	return span_is(piece, "\n") || span_is(piece, "\r\n");
}

/* ---- the line between messages ---- */

static bool
is_weekday(struct span word)
{
	static const char names[] = "Mon Tue Wed Thu Fri Sat Sun";

	return word.len == 3 &&
	       span_find_span(SPAN(names), word, 0) != SIZE_MAX;
}

bool
ctl_mbox_is_from_line(struct span line, int64_t *unix_r)
{
	struct span rest = line, word;
	int64_t when;

	if (!span_starts(line, "From "))
		return false;
	span_split(&rest, ' ', &word);
	while (span_split(&rest, ' ', &word)) {
		if (!is_weekday(word))
			continue;
		/* With a year and a time, or it is a sentence. */
		if (span_find(rest, ':') == SIZE_MAX ||
		    !date_parse(span_trim(rest), &when))
			return false;
		*unix_r = when;
		return true;
	}
	return false;
}

/* ---- messages ---- */

static void
begin_message(struct splitter *s, int64_t received_unix)
{
	s->is_begun = true;
	s->in_body = false;
	s->message.index++;
	s->message.size = 0;
	s->message.received_unix = received_unix;
	buf_clear(&s->bytes);
}

static void
end_message(struct splitter *s)
{
	if (!s->is_begun)
		return;
	s->is_begun = false;
	s->message.bytes = buf_span(&s->bytes);
	s->fn(s->ctx, &s->message);
}

/* ">From " and ">>From " lose one. */
static struct span
unquote(struct span line)
{
	size_t depth = 0;

	while (depth < line.len && line.data[depth] == '>')
		depth++;
	if (depth > 0 && span_starts(span_skip(line, depth), "From "))
		return span_skip(line, 1);
	return line;
}

/* One line, or a piece of a long one. */
static void
add_piece(struct splitter *s, struct span piece, bool is_line_start)
{
	if (is_line_start && s->message.is_mbox && s->in_body)
		piece = unquote(piece);
	bool has_lf = piece.len > 0 && ends_line(piece);
	bool has_cr = piece.len > 1 && piece.data[piece.len - 2] == '\r';

	s->message.size += piece.len + (has_lf && !has_cr ? 1 : 0);
	size_t limit = s->in_body ? s->keep : CTL_MBOX_HEAD_MAX;
	if (s->bytes.len < limit)
		buf_add_span(
		    &s->bytes, span_slice(piece, 0, limit - s->bytes.len));
	s->in_body |= is_line_start && is_blank_line(piece);
}

static void
split(struct splitter *s, struct window *window)
{
	bool is_start = true, after_blank = true;
	int64_t when = 0;
	struct span piece = take_piece(window);

	if (piece.len == 0)
		return;
	s->message.is_mbox = ctl_mbox_is_from_line(piece, &when);
	if (!s->message.is_mbox)
		begin_message(s, 0);
	for (; piece.len > 0; piece = take_piece(window)) {
		if (s->message.is_mbox && is_start && after_blank &&
		    ctl_mbox_is_from_line(piece, &when)) {
			end_message(s);
			begin_message(s, when);
		} else {
			add_piece(s, piece, is_start);
		}
		after_blank = is_start && is_blank_line(piece);
		is_start = ends_line(piece);
	}
	end_message(s);
}

bool
ctl_mbox_read(int fd, struct span already, size_t keep, ctl_mbox_fn *fn,
    void *ctx, struct error *error_r)
{
	struct error error = ERROR_INIT;
	struct window window = {
	    .fd = fd, .data = xmalloc(WINDOW), .error = &error};
	struct splitter splitter = {.fn = fn, .ctx = ctx, .keep = keep};

	already = span_slice(already, 0, WINDOW);
	if (already.len > 0)
		memcpy(window.data, already.data, already.len);
	window.end = already.len;
	split(&splitter, &window);
	buf_done(&splitter.bytes);
	free(window.data);
	if (window.is_broken)
		*error_r = error;
	return !window.is_broken;
}
