/*
 * The files of `in @file:` lists, read again when they change.
 *
 * They are looked at whenever an account gets its turn, so before what a
 * server announces is fetched and judged, and every TIDY_USEC. Looking is a
 * stat: it sees a file that was replaced by rename, on any file system, and
 * one that comes back.
 */
#include <errno.h>
#include <sys/stat.h>

#include "daemon/base/xalloc.h"
#include "daemon/wiring/belfry.h"

/* Not more often. */
#define LOOK_USEC (10 * USEC_MSEC)
/* A file that was changed just before it was read may change again without
 * being any newer: clocks of file systems tick slowly. */
#define FRESH_SEC 2

/* What a file looks like from outside. */
struct look {
	int error; /* errno of stat; 0: it is there */
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

struct list_file {
	const char *path; /* the rules' */
	struct look look; /* when it was read last */
	bool is_known;	  /* look is set */
	bool is_fresh;	  /* to be read once more */
	bool is_bad;	  /* said so */
};

struct list_files {
	struct list_file *files;
	size_t count;
	usec_t next_look;
};

/* A configuration has read its files itself, but nobody knows what they looked
 * like then: they are read once more. */
void
list_files_reset(struct belfry *belfry)
{
	const struct strv *paths = rules_list_files(belfry->config->rules);
	struct list_files *lists;

	list_files_free(&belfry->list_files);
	lists = belfry->list_files = NEW(struct list_files);
	lists->count = paths != NULL ? paths->len : 0;
	lists->files = xcalloc(lists->count + 1, sizeof(*lists->files));
	for (size_t i = 0; i < lists->count; i++)
		lists->files[i].path = paths->items[i];
}

void
list_files_free(struct list_files **lists)
{
	if (*lists == NULL)
		return;
	free((*lists)->files);
	free(*lists);
	*lists = NULL;
}

static struct look
look_at(const char *path)
{
	struct look look = {0};
	struct stat st;

	if (stat(path, &st) < 0) {
		look.error = errno;
		return look;
	}
	look.device = st.st_dev;
	look.inode = st.st_ino;
	look.size = st.st_size;
	look.modified = st.st_mtim;
	look.changed = st.st_ctim;
	return look;
}

static bool
is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool
is_same(const struct look *a, const struct look *b)
{
	return a->error == b->error && a->device == b->device &&
	       a->inode == b->inode && a->size == b->size &&
	       is_same_time(&a->modified, &b->modified) &&
	       is_same_time(&a->changed, &b->changed);
}

static void
complain(struct belfry *belfry, struct list_file *file, const char *text)
{
	if (!file->is_bad)
		report_note(belfry, true, "list-trouble", NULL,
		    "list: %s; what it held before is used", text);
	file->is_bad = true;
}

/* What is not there any more keeps its members, and is said once. */
static void
read_file(struct belfry *belfry, struct list_file *file)
{
	struct error error = ERROR_INIT;

	if (!config_read_list(belfry->config, file->path, &error)) {
		complain(belfry, file, error.text);
		return;
	}
	if (file->is_bad)
		report_note(belfry, false, "list-read", NULL,
		    "list: %s can be read again", file->path);
	file->is_bad = false;
}

static void
look_again(struct belfry *belfry, struct list_file *file)
{
	struct look look = look_at(file->path);
	int64_t age = loop_now_unix() - (int64_t)look.changed.tv_sec;
	bool is_changed = !file->is_known || !is_same(&look, &file->look);

	if (!is_changed && (!file->is_fresh || age < FRESH_SEC))
		return;
	file->is_fresh = is_changed && look.error == 0 && age < FRESH_SEC;
	file->is_known = true;
	file->look = look;
	read_file(belfry, file);
}

void
list_files_refresh(struct belfry *belfry)
{
	struct list_files *lists = belfry->list_files;
	usec_t now = loop_now();

	if (now < lists->next_look)
		return;
	lists->next_look = usec_add(now, LOOK_USEC);
	for (size_t i = 0; i < lists->count; i++)
		look_again(belfry, &lists->files[i]);
}
