/* The files of a configuration: see files.h. */
#include "daemon/config/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/secret.h"
#include "daemon/base/xalloc.h"
#include "daemon/config/problem.h"
#include "daemon/config/reader.h"

#define READ_SIZE 65536

static const char *
kind_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a folder";
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	case S_IFCHR:
	case S_IFBLK:
		return "a device";
	default:
		return "no regular file";
	}
}

static bool
check_kind(const char *path, const struct stat *st, struct error *error_r)
{
	if (!S_ISREG(st->st_mode))
		return error_set(error_r, FAULT_CONFIG, "%s is %s, not a file",
		    path, kind_name(st->st_mode));
	if (st->st_size > READER_FILE_MAX)
		return error_set(error_r, FAULT_CONFIG,
		    "%s is larger than %d MiB", path,
		    READER_FILE_MAX / (1024 * 1024));
	return true;
}

static int
open_regular(const char *path, struct stat *st_r, struct error *error_r)
{
	if (stat(path, st_r) < 0) {
		error_set(
		    error_r, FAULT_CONFIG, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (!check_kind(path, st_r, error_r))
		return -1;
	/* It may have been swapped since: never wait, and look again. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		error_set(
		    error_r, FAULT_CONFIG, "%s: %s", path, strerror(errno));
	} else if (fstat(fd, st_r) < 0 || !check_kind(path, st_r, error_r)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* A buffer that grows leaves what it held behind. */
static void
add_wiping(struct buf *text, struct span piece)
{
	struct buf bigger = BUF_INIT;

	if (text->cap - text->len <= piece.len) {
		buf_reserve(&bigger, 2 * (text->len + piece.len));
		buf_add_span(&bigger, buf_span(text));
		buf_wipe(text);
		*text = bigger;
	}
	buf_add_span(text, piece);
}

/* Up to one byte more than allowed, so that a growing file is noticed. */
static bool
read_text(int fd, const char *path, struct buf *text, struct error *error_r)
{
	char data[READ_SIZE]; /* there may be a password in it */
	ssize_t got = 1;

	while (got != 0 && text->len <= READER_FILE_MAX) {
		got = read(fd, data, sizeof(data));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		add_wiping(text, span_from(data, (size_t)got));
	}
	memory_wipe(data, sizeof(data));
	if (got < 0)
		return error_set(
		    error_r, FAULT_CONFIG, "%s: %s", path, strerror(errno));
	return got == 0 ||
	       error_set(error_r, FAULT_CONFIG, "%s is larger than %d MiB",
		   path, READER_FILE_MAX / (1024 * 1024));
}

bool
files_read_text(const char *path, struct buf *text_r, struct error *error_r)
{
	BUF_AUTO text = BUF_INIT;
	struct stat st;
	int fd = open_regular(path, &st, error_r);

	if (fd < 0)
		return false;
	bool done = read_text(fd, path, &text, error_r);
	close(fd);
	if (done) {
		*text_r = text;
		text = (struct buf)BUF_INIT;
	}
	return done;
}

bool
files_check_readable(const char *path, struct error *error_r)
{
	struct stat st;
	int fd = open_regular(path, &st, error_r);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

bool
files_check_private(const char *path, struct error *error_r)
{
	struct stat st;
	int fd = open_regular(path, &st, error_r);
	mode_t others;

	if (fd < 0)
		return false;
	close(fd);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return error_set(
		    error_r, FAULT_AUTH, "%s belongs to another user", path);
	others = st.st_uid == geteuid() ? 077 : 037;
	if ((st.st_mode & others) != 0)
		return error_set(error_r, FAULT_AUTH,
		    "%s can be read or written by others (mode %04o)", path,
		    st.st_mode & 07777);
	return true;
}

/* ---- the list ---- */

static struct config_file *
add_file(struct config_files *files, const char *path)
{
	struct config_file *file = NEW(struct config_file);

	file->path = xstrdup(path);
	files->items = xreallocarray(
	    files->items, files->count + 1, sizeof(struct config_file *));
	files->items[files->count++] = file;
	strv_add(&files->paths, path);
	return file;
}

void
files_add_text(struct config_files *files, const char *path, struct span text)
{
	struct config_file *file = add_file(files, path);

	buf_add_span(&file->text, text);
	file->is_private = true;
	file->is_mine = true;
}

void
files_done(struct config_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		buf_wipe(&files->items[i]->text);
		free(files->items[i]->path);
		free(files->items[i]);
	}
	free(files->items);
	strv_done(&files->paths);
	*files = (struct config_files){.count = 0};
}

void
files_forget_texts(struct config_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		buf_wipe(&files->items[i]->text);
}

const struct config_file *
files_find(const struct config_files *files, const char *path)
{
	for (size_t i = 0; path != NULL && i < files->count; i++)
		if (strcmp(files->items[i]->path, path) == 0)
			return files->items[i];
	return NULL;
}

struct span
files_line(const struct config_file *file, unsigned line)
{
	struct span rest = buf_span(&file->text), piece = SPAN_EMPTY;

	for (unsigned at = 0; at < line; at++)
		if (!span_split(&rest, '\n', &piece))
			return SPAN_EMPTY;
	if (line == 1 && span_starts(piece, "\xef\xbb\xbf"))
		piece = span_skip(piece, 3);
	if (piece.len > 0 && piece.data[piece.len - 1] == '\r')
		piece.len--;
	return piece;
}

/* ---- reading ---- */

/* Who may write the folder may replace the file, unless it is sticky. */
static bool
is_folder_open(const char *path)
{
	const char *slash = strrchr(path, '/');
	STR_AUTO folder = slash == NULL
			      ? xstrdup(".")
			      : xasprintf("%.*s/", (int)(slash - path), path);
	struct stat st;

	return stat(folder, &st) == 0 && (st.st_mode & 022) != 0 &&
	       (st.st_mode & S_ISVTX) == 0;
}

static void
check_owner(struct config_file *file, const struct stat *st,
    struct rule_problems *problems)
{
	struct rule_place place = {file->path, 0, 0};
	STR_AUTO hint = xasprintf("chmod o-w %s", file->path);

	file->mode = st->st_mode & 07777;
	file->is_mine = st->st_uid == geteuid();
	file->is_private = (st->st_mode & 077) == 0;
	file->is_folder_open = is_folder_open(file->path);
	if (!file->is_mine && st->st_uid != 0)
		problem_add(problems, false, place, NULL,
		    "the file belongs to another user");
	if ((st->st_mode & S_IWOTH) != 0)
		problem_add(problems, false, place, hint,
		    "everybody can write the file");
}

static void
read_file(struct config_files *files, const char *path,
    struct rule_problems *problems)
{
	struct error error = ERROR_INIT;
	struct stat st;
	struct config_file *file = add_file(files, path);
	int fd = open_regular(path, &st, &error);

	if (fd >= 0) {
		check_owner(file, &st, problems);
		read_text(fd, path, &file->text, &error);
		close(fd);
	}
	if (error.fault != FAULT_NONE)
		problem_add(problems, false, (struct rule_place){NULL, 0, 0},
		    NULL, "%s", error.text);
}

static int
is_conf_name(const struct dirent *entry)
{
	struct span name = span_from_str(entry->d_name);

	return !span_starts(name, ".") && name.len > 5 &&
	       span_is(span_skip(name, name.len - 5), ".conf");
}

static int
compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void
read_folder(struct config_files *files, const char *folder,
    struct rule_problems *problems)
{
	struct dirent **names = NULL;
	int count = scandir(folder, &names, is_conf_name, compare_names);

	if (count < 0 && errno != ENOENT && errno != ENOTDIR)
		problem_add(problems, false, (struct rule_place){NULL, 0, 0},
		    NULL, "%s: %s", folder, strerror(errno));
	if (count > CONFIG_FILES_MAX)
		problem_add(problems, false, (struct rule_place){NULL, 0, 0},
		    NULL, "%s has more than %d files", folder,
		    CONFIG_FILES_MAX);
	for (int i = 0; i < count; i++) {
		STR_AUTO path = xasprintf("%s/%s", folder, names[i]->d_name);
		if (i < CONFIG_FILES_MAX)
			read_file(files, path, problems);
		free(names[i]);
	}
	free(names);
}

void
files_read(struct config_files *files, const char *path,
    struct rule_problems *problems)
{
	const char *slash = strrchr(path, '/');
	STR_AUTO folder =
	    slash == NULL ? xstrdup("conf.d")
			  : xasprintf("%.*s/conf.d", (int)(slash - path), path);

	read_file(files, path, problems);
	if (!problem_has_errors(problems))
		read_folder(files, folder, problems);
}
