#include "daemon/wiring/token_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/xalloc.h"
#include "daemon/control/json.h"
#include "daemon/loop/loop.h"

#define FOLDER "oauth2"
#define FOLDER_MODE 0700
#define FILE_MODE 0600
#define SUFFIX ".XXXXXX" /* longer than that of the lock */
/* So much is there before a token is asked for. */
#define ROOM_BYTES (64 * 1024)
#define LOCK_LOOK_NSEC 100000000L

struct oauth2_client
token_client(const struct config_account *account, struct span secret)
{
	const struct config_oauth2 *oauth2 = account->oauth2;

	return (struct oauth2_client){
	    .provider = oauth2->provider,
	    .id = oauth2->client_id,
	    .secret = secret,
	    .scope = oauth2->scope,
	    .user = account->user,
	    .authorize_url = oauth2->authorize_url,
	    .token_url = oauth2->token_url,
	    .device_url = oauth2->device_url,
	};
}

/* No name leads into another folder, and no two mean one file. */
char *
token_file_path(const char *state_directory, const char *account)
{
	BUF_AUTO path = BUF_INIT;

	buf_addf(&path, "%s/" FOLDER "/", state_directory);
	for (const char *c = account; *c != '\0'; c++)
		if (*c == '/' || *c == '%')
			buf_addf(&path, "%%%02X", (unsigned)*c);
		else
			buf_add_char(&path, *c);
	buf_add_str(&path, ".json");
	return buf_take_str(&path);
}

static char *
folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return xstrdup_span(span_from(path, (size_t)(slash - path)));
}

static bool
fail(const char *path, const char *what, struct error *error_r)
{
	return error_set(error_r, FAULT_LOCAL, "%s: cannot %s: %s", path, what,
	    strerror(errno));
}

/* ---- reading ---- */

bool
token_file_has_changed(const char *path, struct token_mark *mark)
{
	struct token_mark now = {.number = 0};
	struct stat st;

	if (lstat(path, &st) == 0)
		now = (struct token_mark){st.st_ino, st.st_ctim};
	bool is_same = now.number == mark->number &&
		       now.changed.tv_sec == mark->changed.tv_sec &&
		       now.changed.tv_nsec == mark->changed.tv_nsec;
	*mark = now;
	return !is_same;
}

static bool
check_file(const char *path, int fd, struct error *error_r)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return fail(path, "look at it", error_r);
	if (!S_ISREG(st.st_mode))
		return error_set(error_r, FAULT_LOCAL, "%s is no file", path);
	if (st.st_uid != geteuid())
		return error_set(error_r, FAULT_LOCAL,
		    "%s belongs to user %u, and this is user %u", path,
		    (unsigned)st.st_uid, (unsigned)geteuid());
	if ((st.st_mode & 077) != 0)
		return error_set(error_r, FAULT_LOCAL,
		    "%s can be read or written by others (mode %04o): chmod "
		    "600 %s",
		    path, (unsigned)st.st_mode & 07777, path);
	return true;
}

static bool
read_all(const char *path, int fd, struct buf *text, struct error *error_r)
{
	char piece[4096];
	ssize_t got;
	bool ok = true;

	while (ok && (got = read(fd, piece, sizeof(piece))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			ok = fail(path, "read it", error_r);
		else if (text->len + (size_t)got > OAUTH2_FILE_MAX)
			ok = error_set(
			    error_r, FAULT_LOCAL, "%s is too long", path);
		else
			buf_add(text, piece, (size_t)got);
	}
	memory_wipe(piece, sizeof(piece));
	return ok;
}

static bool
read_token(const char *path, struct oauth2_token *token, struct error *error_r)
{
	int fd = open(
	    path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct buf text = BUF_INIT;

	json_wipe_memory();
	if (fd < 0 && errno == ENOENT)
		return error_set(
		    error_r, FAULT_AUTH, "nobody has signed in yet");
	if (fd < 0)
		return fail(path, "open it", error_r);
	bool ok = check_file(path, fd, error_r) &&
		  read_all(path, fd, &text, error_r) &&
		  oauth2_token_parse(buf_span(&text), token, error_r);
	close(fd);
	buf_wipe(&text);
	return ok;
}

bool
token_file_read(const char *path, const struct config_account *account,
    struct oauth2_token *token_r, struct error *error_r)
{
	struct oauth2_client client = token_client(account, SPAN_EMPTY);
	struct oauth2_token token = OAUTH2_TOKEN_INIT;
	struct error error = ERROR_INIT;
	bool ok = read_token(path, &token, &error);

	if (ok && !oauth2_token_fits(&token, &client))
		ok = error_set(&error, FAULT_AUTH,
		    "the client id, server, scope or user was changed since "
		    "the sign-in");
	if (ok) {
		*token_r = token;
		return true;
	}
	oauth2_token_done(&token);
	return error_set(error_r, error.fault, "%s", error.text);
}

/* ---- the folder, and its lock ---- */

/* Where root signs in for a daemon that is another user, what it makes is that
 * user's; but no file that he has put in its place by another name. */
static bool
give_to_owner(const char *path, int fd)
{
	STR_AUTO folder = folder_of(path);
	struct stat st, own;

	if (geteuid() != 0 || stat(folder, &st) != 0 || st.st_uid == 0)
		return true;
	if (fstat(fd, &own) != 0)
		return false;
	if (!S_ISDIR(own.st_mode) && own.st_nlink != 1) {
		errno = EMLINK;
		return false;
	}
	return fchown(fd, st.st_uid, st.st_gid) == 0;
}

/* With those above it. */
static bool
make_folder(const char *folder, struct error *error_r)
{
	STR_AUTO above = folder_of(folder);

	if (access(folder, F_OK) == 0)
		return true;
	if (*above != '\0' && !make_folder(above, error_r))
		return false;
	if (mkdir(folder, FOLDER_MODE) != 0 && errno != EEXIST)
		return fail(folder, "make this folder", error_r);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool ok = fd >= 0 && give_to_owner(folder, fd);
	if (!ok)
		fail(folder, "open this folder", error_r);
	if (fd >= 0)
		close(fd);
	return ok;
}

/* Others could put a file of their own into it. */
static bool
check_folder(const char *folder, struct error *error_r)
{
	struct stat st;

	if (lstat(folder, &st) != 0)
		return fail(folder, "look at this folder", error_r);
	if (!S_ISDIR(st.st_mode) || (st.st_mode & 022) != 0 ||
	    (st.st_uid != geteuid() && geteuid() != 0))
		return error_set(error_r, FAULT_LOCAL,
		    "%s must be a folder of your own that nobody else can "
		    "write in: chmod 700 %s",
		    folder, folder);
	return true;
}

int
token_file_lock(const char *path, struct error *error_r)
{
	STR_AUTO name = xasprintf("%s.lock", path);
	STR_AUTO folder = folder_of(path);
	int fd;

	if (!make_folder(folder, error_r) || !check_folder(folder, error_r))
		return -1;
	fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	if (fd < 0 || !give_to_owner(name, fd))
		fail(name, "open it", error_r);
	else if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	else if (errno == EWOULDBLOCK)
		error_set(error_r, FAULT_RETRY,
		    "another process renews the token just now");
	else
		fail(name, "lock it", error_r);
	if (fd >= 0)
		close(fd);
	return -1;
}

/* The daemon may be at it just now. */
int
token_file_wait_lock(const char *path, struct error *error_r)
{
	usec_t end = usec_add(loop_now(), TOKEN_LOCK_USEC);
	const struct timespec moment = {0, LOCK_LOOK_NSEC};
	struct error error = ERROR_INIT;
	int lock;

	while ((lock = token_file_lock(path, &error)) < 0 &&
	       error.fault == FAULT_RETRY && loop_now() < end)
		nanosleep(&moment, NULL);
	if (lock < 0)
		error_set(error_r, error.fault, "%s", error.text);
	return lock;
}

/* ---- writing ---- */

/* NAME.json.XXXXXX, and not the token of an account with such a name */
static bool
is_leftover(const char *name, const char *base)
{
	size_t len = strlen(base);

	return strncmp(name, base, len) == 0 && name[len] == '.' &&
	       strlen(name) == len + strlen(SUFFIX) &&
	       strchr(name + len + 1, '.') == NULL;
}

static void
remove_leftovers(const char *path)
{
	STR_AUTO folder = folder_of(path);
	const char *base = path + strlen(folder) + 1;
	DIR *entries = opendir(folder);
	struct dirent *entry;

	while (entries != NULL && (entry = readdir(entries)) != NULL)
		if (is_leftover(entry->d_name, base))
			unlinkat(dirfd(entries), entry->d_name, 0);
	if (entries != NULL)
		closedir(entries);
}

bool
token_draft_begin(
    struct token_draft *draft_r, const char *path, struct error *error_r)
{
	char *temporary = xasprintf("%s" SUFFIX, path);

	remove_leftovers(path);
	int fd = mkostemp(temporary, O_CLOEXEC); /* of mode 0600 */
	int why = fd < 0 || !give_to_owner(temporary, fd)
		      ? errno
		      : posix_fallocate(fd, 0, ROOM_BYTES);

	if (why == 0) {
		*draft_r = (struct token_draft){xstrdup(path), temporary, fd};
		return true;
	}
	if (fd >= 0) {
		close(fd);
		unlink(temporary);
	}
	errno = why;
	free(temporary);
	return fail(path, "make room for a new token", error_r);
}

static bool
write_all(int fd, struct span text)
{
	off_t at = 0;

	while (text.len > 0) {
		ssize_t wrote = pwrite(fd, text.data, text.len, at);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return false;
		at += wrote;
		text = span_skip(text, (size_t)wrote);
	}
	return ftruncate(fd, at) == 0 && fsync(fd) == 0;
}

static bool
sync_folder(const char *path)
{
	STR_AUTO folder = folder_of(path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

bool
token_draft_commit(
    struct token_draft *draft, struct span text, struct error *error_r)
{
	if (draft->temporary != NULL &&
	    (!write_all(draft->fd, text) ||
		rename(draft->temporary, draft->path) != 0))
		return fail(draft->path, "write it", error_r);
	free(draft->temporary);
	draft->temporary = NULL;
	return sync_folder(draft->path) ||
	       fail(draft->path, "write its folder", error_r);
}

void
token_draft_done(struct token_draft *draft)
{
	if (draft->path == NULL)
		return;
	if (draft->temporary != NULL)
		unlink(draft->temporary);
	if (draft->fd >= 0)
		close(draft->fd);
	free(draft->temporary);
	free(draft->path);
	*draft = (struct token_draft){.fd = -1};
}

/* ---- forgetting ---- */

static bool
remove_file(const char *path, struct error *error_r)
{
	if (unlink(path) == 0) {
		sync_folder(path); /* else it is back after a power cut */
		return true;
	}
	if (errno == ENOENT)
		return error_set(error_r, FAULT_AUTH, "nobody has signed in");
	return fail(path, "remove it", error_r);
}

bool
token_file_remove(const char *path, struct error *error_r)
{
	struct error error = ERROR_INIT;
	struct stat st;
	int lock = -1;

	if (lstat(path, &st) == 0)
		lock = token_file_wait_lock(path, &error);
	/* A lock that cannot be had otherwise keeps nobody from it. */
	if (error.fault == FAULT_RETRY)
		return error_set(error_r, error.fault, "%s", error.text);
	bool ok = remove_file(path, error_r);
	if (lock >= 0)
		close(lock);
	return ok;
}
