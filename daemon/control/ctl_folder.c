#include "daemon/control/ctl_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/buf.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/wire/imap/utf7.h"

enum kind {
	PLAIN,
	MAILDIR,
	MH,
	BRANCH /* in a Maildir and none itself: it may have Maildirs in it */
};

/* A folder that is being walked; they stand on the stack, the inner ones
 * pointing at the outer. */
struct folder {
	const struct folder *outer;
	const struct ctl_folder_sink *sink;
	const char *path;
	const char *mailbox; /* "" for the one that was named */
	enum kind kind;
	int fd;
	unsigned depth;
	dev_t dev;
	ino_t ino;
};

/* Many names in few allocations. */
struct names {
	struct buf text; /* each ends with a NUL */
	const char **items;
	size_t count;
};

static void
complain(const struct folder *folder, const char *path, const char *what)
{
	struct error error = ERROR_INIT;

	error_set(&error, FAULT_LOCAL, "%s", what);
	folder->sink->unreadable(folder->sink->ctx, path, &error);
}

/* ---- names ---- */

static void
names_done(struct names *names)
{
	buf_done(&names->text);
	free(names->items);
}

static void
names_add(struct names *names, const char *name)
{
	buf_add(&names->text, name, strlen(name) + 1);
	names->count++;
}

static struct span
significant_digits(const char *name)
{
	struct span digits = span_from_str(name);

	while (digits.len > 1 && digits.data[0] == '0')
		digits = span_skip(digits, 1);
	return digits;
}

static bool
is_number(const char *name)
{
	while (char_is_digit(*name))
		if (*++name == '\0')
			return true;
	return false;
}

static int
compare(const void *a, const void *b)
{
	const char *one = *(const char *const *)a;
	const char *two = *(const char *const *)b;

	if (is_number(one) && is_number(two)) {
		struct span first = significant_digits(one);
		struct span second = significant_digits(two);
		if (first.len != second.len)
			return first.len < second.len ? -1 : 1;
		int order = span_compare(first, second);
		if (order != 0)
			return order;
	}
	return strcmp(one, two);
}

/* Points at the names, which do not move any more, in order. */
static void
names_sort(struct names *names)
{
	const char *at = buf_str(&names->text);

	names->items = xcalloc(names->count + 1, sizeof(*names->items));
	for (size_t i = 0; i < names->count; i++) {
		names->items[i] = at;
		at += strlen(at) + 1;
	}
	qsort(names->items, names->count, sizeof(*names->items), compare);
}

/* ---- what is in a folder ---- */

static mode_t
type_of(int fd, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type == DT_REG)
		return S_IFREG;
	if (entry->d_type == DT_DIR)
		return S_IFDIR;
	/* A link, or a file system that does not say. */
	if (fstatat(fd, entry->d_name, &st, 0) < 0)
		return 0;
	return st.st_mode & S_IFMT;
}

static bool
is_own_name(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Without an end, or links in a circle: then it is opened, and the reader
 * complains. */
static bool
is_broken_link(mode_t type, const struct dirent *entry)
{
	return type == 0 && entry->d_type == DT_LNK;
}

static bool
is_wanted_file(const struct folder *folder, const char *name)
{
	if (folder->kind == MH)
		return is_number(name);
	return folder->kind == PLAIN && name[0] != '.';
}

static bool
is_wanted_folder(const struct folder *folder, const char *name)
{
	static const char *const own[] = {"cur", "new", "tmp"};

	if (is_own_name(name))
		return false;
	if (folder->kind != MAILDIR)
		return name[0] != '.';
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (strcmp(name, own[i]) == 0)
			return false;
	return true;
}

/* False, after a complaint, when it cannot be read. */
static bool
list(const struct folder *folder, int fd, const char *path, bool is_inner,
    struct names *files, struct names *folders)
{
	DIR *dir = fdopendir(fd);
	const struct dirent *entry;

	if (dir == NULL) {
		complain(folder, path, strerror(errno));
		close(fd);
		return false;
	}
	while (files->count + folders->count < CTL_FOLDER_NAMES_MAX &&
	       (entry = readdir(dir)) != NULL) {
		mode_t type = type_of(fd, entry);
		bool is_file = is_inner ? entry->d_name[0] != '.'
					: is_wanted_file(folder, entry->d_name);
		bool is_readable =
		    type == S_IFREG || is_broken_link(type, entry);
		if (is_readable && is_file)
			names_add(files, entry->d_name);
		else if (type == S_IFDIR && !is_inner &&
			 is_wanted_folder(folder, entry->d_name))
			names_add(folders, entry->d_name);
	}
	if (files->count + folders->count >= CTL_FOLDER_NAMES_MAX)
		complain(folder, path, "too many files: the rest is left out");
	closedir(dir);
	names_sort(files);
	names_sort(folders);
	return true;
}

static void
give_files(
    const struct folder *folder, int fd, const char *path, struct names *files)
{
	BUF_AUTO whole = BUF_INIT;
	struct ctl_entry entry = {.is_maildir = folder->kind == MAILDIR};
	struct ctl_ahead *ahead = ctl_ahead_new(fd, files->items, files->count);

	if (folder->kind != PLAIN && folder->mailbox[0] != '\0')
		entry.mailbox = folder->mailbox;
	buf_addf(&whole, "%s/", path);
	size_t len = whole.len;
	for (size_t i = 0; i < files->count; i++) {
		buf_truncate(&whole, len);
		buf_add_str(&whole, files->items[i]);
		entry.path = buf_str(&whole);
		entry.file = ctl_ahead_next(ahead);
		folder->sink->entry(folder->sink->ctx, &entry);
	}
	ctl_ahead_free(&ahead);
}

/* cur or new of a Maildir. */
static void
read_inner(const struct folder *folder, const char *name)
{
	STR_AUTO path = xasprintf("%s/%s", folder->path, name);
	int fd = openat(folder->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct names files = {0}, none = {0};

	if (fd < 0) {
		complain(folder, path, strerror(errno));
		return;
	}
	int kept = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (list(folder, fd, path, true, &files, &none))
		give_files(folder, kept, path, &files);
	close(kept);
	names_done(&files);
	names_done(&none);
}

/* ---- folders in folders ---- */

static void enter(const struct folder *outer, const char *name);

static bool
has(int fd, const char *name, mode_t type)
{
	struct stat st;

	return fstatat(fd, name, &st, 0) == 0 && (st.st_mode & S_IFMT) == type;
}

static enum kind
kind_of(int fd)
{
	if (has(fd, "cur", S_IFDIR) && has(fd, "new", S_IFDIR))
		return MAILDIR;
	return has(fd, ".mh_sequences", S_IFREG) ? MH : PLAIN;
}

static bool
is_entered(const struct folder *folder)
{
	for (const struct folder *f = folder->outer; f != NULL; f = f->outer)
		if (f->dev == folder->dev && f->ino == folder->ino)
			return true;
	return false;
}

static void
read_own(const struct folder *folder)
{
	struct names files = {0}, folders = {0};
	int fd = fcntl(folder->fd, F_DUPFD_CLOEXEC, 0);

	if (folder->kind == MAILDIR) {
		read_inner(folder, "cur");
		read_inner(folder, "new");
	}
	if (list(folder, fd, folder->path, false, &files, &folders)) {
		give_files(folder, folder->fd, folder->path, &files);
		for (size_t i = 0; i < folders.count; i++)
			enter(folder, folders.items[i]);
	}
	names_done(&files);
	names_done(&folders);
}

static void
read_folder(struct folder *folder)
{
	struct stat st;

	if (folder->fd < 0 || fstat(folder->fd, &st) < 0) {
		complain(folder, folder->path, strerror(errno));
		return;
	}
	folder->dev = st.st_dev;
	folder->ino = st.st_ino;
	folder->kind = kind_of(folder->fd);
	if (folder->kind == PLAIN && folder->outer != NULL &&
	    (folder->outer->kind == MAILDIR || folder->outer->kind == BRANCH))
		folder->kind = BRANCH;
	if (folder->kind == PLAIN && folder->outer != NULL &&
	    folder->outer->kind == MH)
		folder->kind = MH;
	if (!is_entered(folder))
		read_own(folder);
}

/* ".Lists.lkml" is "Lists/lkml". */
static void
add_maildir_name(struct buf *mailbox, const char *name)
{
	BUF_AUTO plain = BUF_INIT;

	imap_utf7_decode(&plain, span_from_str(name + 1));
	for (size_t i = 0; i < plain.len; i++)
		buf_add_char(
		    mailbox, plain.data[i] == '.' ? '/' : plain.data[i]);
}

static char *
name_mailbox(const struct folder *outer, const char *name)
{
	struct buf mailbox = BUF_INIT;

	buf_add_str(&mailbox, outer->mailbox);
	if (mailbox.len > 0)
		buf_add_char(&mailbox, '/');
	if (outer->kind == MAILDIR && name[0] == '.')
		add_maildir_name(&mailbox, name);
	else
		imap_utf7_decode(&mailbox, span_from_str(name));
	return buf_take_str(&mailbox);
}

static void
enter(const struct folder *outer, const char *name)
{
	STR_AUTO path = xasprintf("%s/%s", outer->path, name);
	STR_AUTO mailbox = name_mailbox(outer, name);
	struct folder folder = {
	    .outer = outer,
	    .sink = outer->sink,
	    .path = path,
	    .mailbox = mailbox,
	    .depth = outer->depth + 1,
	};

	if (folder.depth > CTL_FOLDER_DEPTH_MAX) {
		complain(outer, path, "too deep: it is left out");
		return;
	}
	folder.fd = openat(outer->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	read_folder(&folder);
	if (folder.fd >= 0)
		close(folder.fd);
}

/* "box/" and "box" are one thing. */
static char *
trim_slashes(const char *path)
{
	struct span trimmed = span_from_str(path);

	while (trimmed.len > 1 && trimmed.data[trimmed.len - 1] == '/')
		trimmed.len--;
	return xstrdup_span(trimmed);
}

void
ctl_folder_walk(const char *path, const struct ctl_folder_sink *sink)
{
	STR_AUTO trimmed = trim_slashes(path);
	struct folder folder = {
	    .sink = sink,
	    .path = trimmed,
	    .mailbox = "",
	    .fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
	};

	read_folder(&folder);
	if (folder.fd >= 0)
		close(folder.fd);
}
