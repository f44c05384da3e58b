#include "daemon/control/ctl_messages.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "daemon/base/buf.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/message.h"

/* Longer lines come in pieces. */
#define PIECE_MAX (16 * 1024)

struct reading {
	ctl_message_fn *fn;
	ctl_unreadable_fn *unreadable;
	void *ctx;
	struct ctl_message message; /* the one being read */
	struct buf head;
	bool in_body, is_begun;
};

static void
complain(const struct reading *r, const char *path, const char *what)
{
	struct error error = ERROR_INIT;

	error_set(&error, FAULT_LOCAL, "%s", what);
	r->unreadable(r->ctx, path, &error);
}

/* ---- one file ---- */

static void
begin_message(struct reading *r)
{
	r->is_begun = true;
	r->in_body = false;
	r->message.index++;
	r->message.size = 0;
	buf_clear(&r->head);
}

static void
end_message(struct reading *r)
{
	if (!r->is_begun)
		return;
	r->is_begun = false;
	r->message.head = buf_span(&r->head);
	r->fn(r->ctx, &r->message);
}

static bool
is_blank_line(struct span piece)
{
	return span_is(piece, "\n") || span_is(piece, "\r\n");
}

/* One line, or a piece of a long one. */
static void
add_piece(struct reading *r, struct span piece, bool is_line_start)
{
	bool has_lf = piece.len > 0 && piece.data[piece.len - 1] == '\n';
	bool has_cr = piece.len > 1 && piece.data[piece.len - 2] == '\r';

	r->message.size += piece.len + (has_lf && !has_cr ? 1 : 0);
	if (r->in_body)
		return;
	if (r->head.len + piece.len <= MESSAGE_HEADER_MAX)
		buf_add_span(&r->head, piece);
	r->in_body = is_line_start && is_blank_line(piece);
}

/* Up to a line end, or as much as fits; empty at the end of the file. */
static struct span
read_piece(FILE *file, char *piece)
{
	size_t len = 0;
	int c = 0;

	while (len < PIECE_MAX && c != '\n' && (c = getc_unlocked(file)) != EOF)
		piece[len++] = (char)c;
	return span_from(piece, len);
}

/* "From ann@example.org Mon Jan  1 00:00:00 2024": a time tells it from a
 * sentence that begins so. */
static bool
is_from_line(struct span piece)
{
	size_t colon = span_find(piece, ':');

	return span_starts(piece, "From ") && colon != SIZE_MAX &&
	       colon + 1 < piece.len && char_is_digit(piece.data[colon - 1]) &&
	       char_is_digit(piece.data[colon + 1]);
}

static void
read_lines(struct reading *r, FILE *file)
{
	char bytes[PIECE_MAX];
	bool is_first = true, is_start = true, after_blank = true;
	bool is_mbox = false;
	struct span piece;

	while ((piece = read_piece(file, bytes)).len > 0) {
		bool is_from = is_start && is_from_line(piece);
		if (is_first)
			is_mbox = is_from;
		if (is_first || (is_mbox && is_from && after_blank)) {
			end_message(r);
			begin_message(r);
		}
		if (!is_from || !is_mbox || !after_blank)
			add_piece(r, piece, is_start);
		after_blank = is_start && is_blank_line(piece);
		is_start = piece.data[piece.len - 1] == '\n';
		is_first = false;
	}
	end_message(r);
}

/* Maildir: "name:2,FRS". */
static void
add_flags(struct strv *flags, const char *path)
{
	static const char letters[] = "DFRST";
	static const char *const names[] = {
	    "\\Draft", "\\Flagged", "\\Answered", "\\Seen", "\\Deleted"};
	const char *info = strstr(path, ":2,");

	for (size_t i = 0; info != NULL && letters[i] != '\0'; i++)
		if (strchr(info + 3, letters[i]) != NULL)
			strv_add(flags, names[i]);
}

static void
read_stream(struct reading *r, const char *path, FILE *file, int64_t when)
{
	STRV_AUTO flags = STRV_INIT;

	add_flags(&flags, path);
	r->message = (struct ctl_message){
	    .source = path,
	    .received_unix = when,
	    .flags = &flags,
	};
	read_lines(r, file);
	if (ferror(file))
		complain(r, path, strerror(errno));
	else if (r->message.index == 0)
		complain(r, path, "the file is empty");
}

static void
read_file(struct reading *r, const char *path, int64_t when)
{
	FILE *file = fopen(path, "re");

	if (file == NULL) {
		complain(r, path, strerror(errno));
		return;
	}
	read_stream(r, path, file, when);
	fclose(file);
}

/* ---- folders ---- */

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void
read_folder(struct reading *r, const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, is_visible, alphasort);

	if (count < 0) {
		complain(r, path, strerror(errno));
		return;
	}
	for (int i = 0; i < count; i++) {
		STR_AUTO name = xasprintf("%s/%s", path, entries[i]->d_name);
		struct stat st;
		if (stat(name, &st) == 0 && S_ISREG(st.st_mode))
			read_file(r, name, (int64_t)st.st_mtime);
		free(entries[i]);
	}
	free(entries);
}

static bool
is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void
read_maildir_or_folder(struct reading *r, const char *path)
{
	STR_AUTO cur = xasprintf("%s/cur", path);
	STR_AUTO fresh = xasprintf("%s/new", path);

	if (!is_folder(cur) || !is_folder(fresh)) {
		read_folder(r, path);
		return;
	}
	read_folder(r, cur);
	read_folder(r, fresh);
}

static void
read_path(struct reading *r, const char *path)
{
	struct stat st;

	if (strcmp(path, "-") == 0)
		read_stream(r, path, stdin, 0);
	else if (stat(path, &st) < 0)
		complain(r, path, strerror(errno));
	else if (S_ISDIR(st.st_mode))
		read_maildir_or_folder(r, path);
	else
		read_file(r, path, (int64_t)st.st_mtime);
}

void
ctl_messages_read(const char *path, ctl_message_fn *fn,
    ctl_unreadable_fn *unreadable, void *ctx)
{
	struct reading reading = {
	    .fn = fn, .unreadable = unreadable, .ctx = ctx};

	read_path(&reading, path);
	buf_done(&reading.head);
}
