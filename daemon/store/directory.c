#include "daemon/store/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/store/store.h"

#define DIRECTORY_MODE 0700
#define FILE_MODE 0600
#define LOCK_NAME "lock"
/* What a person who does without is told. */
#define DIRECTORY_ANEW                                                         \
	"start belfryd again: it then begins anew with the mail that arrives"  \
	" from then on, and knows nothing of what was done or waited"

char *
directory_strip(const char *directory)
{
	size_t len = strlen(directory);

	while (len > 1 && directory[len - 1] == '/')
		len--;
	return xstrdup_span(span_from(directory, len));
}

static bool
fail_file(const char *path, const char *doing, struct error *error_r)
{
	return error_set(error_r, FAULT_LOCAL, "%s: cannot %s: %s", path, doing,
	    strerror(errno));
}

/* Makes the directory, and those above it, for the owner only. */
static bool
make_directory(const char *path, struct error *error_r)
{
	STR_AUTO part = xstrdup(path);

	for (char *end = part + 1; *end != '\0'; end++) {
		if (*end != '/')
			continue;
		*end = '\0';
		if (mkdir(part, DIRECTORY_MODE) < 0 && errno != EEXIST)
			return fail_file(part, "make this folder", error_r);
		*end = '/';
	}
	if (mkdir(part, DIRECTORY_MODE) < 0 && errno != EEXIST)
		return fail_file(part, "make this folder", error_r);
	return true;
}

static bool
check_owner(const char *path, const struct stat *st, struct error *error_r)
{
	if (st->st_uid != geteuid())
		return error_set(error_r, FAULT_LOCAL,
		    "%s belongs to user %u, but belfry runs as user %u", path,
		    (unsigned)st->st_uid, (unsigned)geteuid());
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return error_set(error_r, FAULT_LOCAL,
		    "%s can be written by others (mode %04o): chmod 700 %s",
		    path, (unsigned)st->st_mode & 07777, path);
	return true;
}

/* An open descriptor of the directory, safe to use; or -1. */
static int
open_directory(const char *path, struct error *error_r)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR)) {
		error_set(error_r, FAULT_LOCAL,
		    "%s is not a folder of its own, but a file or a symbolic"
		    " link",
		    path);
		return -1;
	}
	if (fd < 0 || fstat(fd, &st) < 0) {
		fail_file(path, "open this folder", error_r);
	} else if (check_owner(path, &st, error_r)) {
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

bool
store_check_directory(const char *directory, struct error *error_r)
{
	int fd = open_directory(directory, error_r);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool
say_locked(const char *directory, int lock, struct error *error_r)
{
	char pid[16];
	ssize_t len = pread(lock, pid, sizeof(pid), 0);
	struct span text = span_trim(span_from(pid, len > 0 ? (size_t)len : 0));
	uint32_t number;

	if (!span_to_u32(text, &number))
		return error_set(error_r, FAULT_RETRY,
		    "%s is in use by another belfryd", directory);
	return error_set(error_r, FAULT_RETRY,
	    "%s is in use by another belfryd (pid %u)", directory,
	    (unsigned)number);
}

static bool
write_pid(int lock)
{
	char pid[16];
	int len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());

	return ftruncate(lock, 0) == 0 &&
	       pwrite(lock, pid, (size_t)len, 0) == len;
}

/* The lock's descriptor, or -1. It is never unlinked, so that two cannot hold
 * two files of one name. The kernel lets it go when the process ends. */
static int
take_lock(const char *directory, int folder, struct error *error_r)
{
	int lock = openat(folder, LOCK_NAME,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);

	if (lock < 0) {
		fail_file(directory, "write in this folder", error_r);
		return -1;
	}
	if (flock(lock, LOCK_EX | LOCK_NB) == 0 && write_pid(lock))
		return lock;
	if (errno == EWOULDBLOCK)
		say_locked(directory, lock, error_r);
	else
		fail_file(directory, "lock this folder", error_r);
	close(lock);
	return -1;
}

int
directory_enter(const char *directory, struct error *error_r)
{
	int folder, lock;

	if (!make_directory(directory, error_r))
		return -1;
	folder = open_directory(directory, error_r);
	if (folder < 0)
		return -1;
	lock = take_lock(directory, folder, error_r);
	close(folder);
	return lock;
}

/* ---- the database ---- */

static bool
has_bytes(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_size > 0;
}

/* It would be taken for the log of the database that is made now. */
static bool
check_no_log(const char *file, struct error *error_r)
{
	STR_AUTO log = xasprintf("%s-wal", file);
	STR_AUTO journal = xasprintf("%s-journal", file);
	const char *left = has_bytes(log)	? log
			   : has_bytes(journal) ? journal
						: NULL;

	if (left == NULL)
		return true;
	return error_set(error_r, FAULT_LOCAL,
	    "%s is not there, but %s is, which holds the last that was written"
	    " to it: put the first back beside it; or move the other away,"
	    " too, and " DIRECTORY_ANEW,
	    file, left);
}

bool
directory_find_database(
    const char *directory, bool *found_r, struct error *error_r)
{
	STR_AUTO file = xasprintf("%s/" DIRECTORY_DATABASE, directory);
	int fd = open(file, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT) {
		if (!check_no_log(file, error_r))
			return false;
		*found_r = false;
		return true;
	}
	if (fd < 0 || fstat(fd, &st) < 0) {
		fail_file(file, "open it", error_r);
		if (fd >= 0)
			close(fd);
		return false;
	}
	close(fd);
	if (st.st_size == 0)
		return directory_set_damaged(file, "it is empty", error_r);
	*found_r = true;
	return true;
}

bool
directory_set_damaged(
    const char *file, const char *words, struct error *error_r)
{
	return error_set(error_r, FAULT_LOCAL,
	    "%s is damaged (%s): put a good copy in its place; or move the file"
	    " away, and those beside it that are called like it, "
	    "and " DIRECTORY_ANEW,
	    file, words);
}

/* An interrupted start may have left one, with the journal of its making. */
char *
directory_begin_database(const char *directory, struct error *error_r)
{
	char *path = xasprintf("%s/" DIRECTORY_DATABASE ".new", directory);
	STR_AUTO journal = xasprintf("%s-journal", path);
	int fd;

	unlink(journal);
	unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    FILE_MODE);
	if (fd >= 0) {
		close(fd);
		return path;
	}
	fail_file(path, "make this file", error_r);
	free(path);
	return NULL;
}

bool
directory_finish_database(
    const char *directory, const char *path, struct error *error_r)
{
	STR_AUTO file = xasprintf("%s/" DIRECTORY_DATABASE, directory);
	int folder;
	bool ok;

	if (rename(path, file) < 0)
		return fail_file(file, "make this file", error_r);
	folder = open_directory(directory, error_r);
	if (folder < 0)
		return false;
	ok = fsync(folder) == 0 ||
	     fail_file(directory, "write in this folder", error_r);
	close(folder);
	return ok;
}

bool
directory_has_database(const char *directory, struct error *error_r)
{
	STR_AUTO file = xasprintf("%s/" DIRECTORY_DATABASE, directory);

	if (access(file, F_OK) == 0)
		return true;
	return error_set(error_r, FAULT_LOCAL,
	    errno == ENOENT ? "%s is not there: nothing was stored yet"
			    : "%s cannot be reached",
	    file);
}

bool
directory_has_file(
    const char *path, struct directory_file *file, struct error *error_r)
{
	struct stat now;
	bool is_there = stat(path, &now) == 0;

	if (is_there && file->number == 0)
		*file = (struct directory_file){now.st_dev, now.st_ino};
	if (file->number != 0 && (!is_there || now.st_ino != file->number ||
				     now.st_dev != file->device))
		return error_set(error_r, FAULT_LOCAL,
		    "%s was removed or replaced while belfryd uses it: put it "
		    "back, or start belfryd anew; nothing is done until then",
		    path);
	return true;
}
