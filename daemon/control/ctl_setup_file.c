/* setup: the configuration file, read and replaced whole. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/xalloc.h"
#include "daemon/config/files.h"
#include "daemon/config/paths.h"
#include "daemon/control/ctl_setup.h"

#define FOLDER_MODE 0700
#define FILE_MODE 0600

static char *
folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return xstrdup(".");
	return slash == path
		   ? xstrdup("/")
		   : xstrdup_span(span_from(path, (size_t)(slash - path)));
}

/* Nobody's file but the one who is asked: a system's configuration that this
 * user cannot write is left alone. */
static char *
choose_path(const struct ctl *ctl)
{
	char *found = config_find_path(ctl->config, NULL);
	char *own = config_own_path();

	if (ctl->config != NULL || own == NULL) {
		free(own);
		return found;
	}
	if (found != NULL) {
		STR_AUTO folder = folder_of(found);
		if (access(folder, W_OK) == 0) {
			free(own);
			return found;
		}
	}
	free(found);
	return own;
}

/* The file itself, where the path is a symbolic link. Malloc'ed. */
static char *
follow(const char *path)
{
	char *real = realpath(path, NULL);

	return real != NULL ? real : xstrdup(path);
}

int
setup_read_file(struct setup *setup)
{
	struct setup_file *file = &setup->file;
	struct error error = ERROR_INIT;
	struct stat st;

	file->name = choose_path(setup->ctl);
	if (file->name == NULL)
		return ctl_fail(setup->ctl, EX_CONFIG,
		    "name the configuration file with -c FILE",
		    "no place for a configuration: $HOME is not set");
	file->mode = FILE_MODE;
	file->path = follow(file->name);
	if (stat(file->path, &st) != 0)
		return errno == ENOENT
			   ? EX_OK
			   : ctl_fail(setup->ctl, EX_NOINPUT, NULL, "%s: %s",
				 file->path, strerror(errno));
	file->is_there = true;
	file->mode = st.st_mode & 07777;
	if (!files_read_text(file->path, &file->text, &error))
		return ctl_fail(setup->ctl, EX_NOINPUT, NULL, "%s", error.text);
	return EX_OK;
}

/* ---- replacing ---- */

static bool
make_folders(const char *path, struct error *error_r)
{
	STR_AUTO folder = folder_of(path);

	if (access(folder, F_OK) == 0)
		return true;
	if (!make_folders(folder, error_r))
		return false;
	if (mkdir(folder, FOLDER_MODE) != 0 && errno != EEXIST)
		return error_set(error_r, FAULT_LOCAL, "cannot make %s: %s",
		    folder, strerror(errno));
	return true;
}

static bool
write_all(int fd, struct span text)
{
	while (text.len > 0) {
		ssize_t wrote = write(fd, text.data, text.len);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return false;
		text = span_skip(text, (size_t)wrote);
	}
	return true;
}

/* Owner and mode as they were; a file with a password is for its owner. */
static bool
take_over(const struct setup *setup, int fd)
{
	unsigned mode = setup->file.mode;
	struct stat st;

	if (setup->kind == SETUP_SECRET_FILE)
		mode &= ~077u;
	if (stat(setup->file.path, &st) == 0 &&
	    (st.st_uid != geteuid() || st.st_gid != getegid()) &&
	    fchown(fd, st.st_uid, st.st_gid) != 0)
		return false;
	return fchmod(fd, mode) == 0;
}

bool
setup_prepare_file(const struct setup *setup, struct span text,
    char **temporary_r, struct error *error_r)
{
	const char *path = setup->file.path;

	if (!make_folders(path, error_r))
		return false;
	STR_AUTO folder = folder_of(path);
	char *temporary = xasprintf("%s/.belfry-setup-XXXXXX", folder);
	int fd = mkostemp(temporary, O_CLOEXEC);
	bool ok = fd >= 0 && take_over(setup, fd) && write_all(fd, text) &&
		  fsync(fd) == 0;
	int why = errno;
	if (fd >= 0)
		close(fd);
	if (!ok) {
		if (fd >= 0)
			unlink(temporary);
		free(temporary);
		return error_set(error_r, FAULT_LOCAL, "cannot write in %s: %s",
		    folder, strerror(why));
	}
	*temporary_r = temporary;
	return true;
}

bool
setup_replace_file(
    const struct setup *setup, const char *temporary, struct error *error_r)
{
	STR_AUTO folder = folder_of(setup->file.path);

	if (rename(temporary, setup->file.path) != 0) {
		int why = errno;
		unlink(temporary);
		return error_set(error_r, FAULT_LOCAL, "cannot replace %s: %s",
		    setup->file.path, strerror(why));
	}
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	return true;
}
