/* The format of the log: https://www.sqlite.org/fileformat2.html#walformat */
#include "daemon/store/wal.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "daemon/base/xalloc.h"

#define VFS_NAME "belfry"
#define FRAME_HEADER_SIZE 24

/* Of the log's bytes: what a sync that fails may lose. */
struct kept {
	struct kept *next;
	sqlite3_int64 at;
	size_t len;
	char bytes[];
};

struct wal {
	sqlite3_file file;  /* the head, which SQLite knows */
	sqlite3_file *real; /* the system's, behind this struct */
	bool keeps;	    /* what is written is not synced by its commit */
	bool is_doubted;    /* a sync failed, and none has worked since */
	struct kept *kept;  /* owned; what was written since the last sync */
	char *bytes;	    /* gathered; owned; NULL until there are some */
	size_t len;
	sqlite3_int64 at;   /* where they go */
	bool is_last;	    /* the frame that came last ends a transaction */
	sqlite3_int64 size; /* of the file, at least; -1: not known */
};

static sqlite3_vfs *real_vfs; /* the system's */

static struct wal *
wal_of(sqlite3_file *file)
{
	return (struct wal *)(void *)file;
}

/* ---- what is not known to be on the disk ---- */

static void
forget_kept(struct wal *wal)
{
	while (wal->kept != NULL) {
		struct kept *next = wal->kept->next;
		free(wal->kept);
		wal->kept = next;
	}
}

/* What is cut off is not missed. */
static void
cut_kept(struct wal *wal, sqlite3_int64 size)
{
	for (struct kept **at = &wal->kept; *at != NULL;) {
		struct kept *kept = *at;
		if (kept->at < size) {
			if (kept->at + (sqlite3_int64)kept->len > size)
				kept->len = (size_t)(size - kept->at);
			at = &kept->next;
			continue;
		}
		*at = kept->next;
		free(kept);
	}
}

/* What is kept is what the file has there, always. */
static void
renew(struct kept *kept, const char *bytes, size_t len, sqlite3_int64 at)
{
	sqlite3_int64 end = at + (sqlite3_int64)len;
	sqlite3_int64 kept_end = kept->at + (sqlite3_int64)kept->len;
	sqlite3_int64 from = at > kept->at ? at : kept->at;
	sqlite3_int64 to = end < kept_end ? end : kept_end;

	if (from < to)
		memcpy(kept->bytes + (from - kept->at), bytes + (from - at),
		    (size_t)(to - from));
}

static void
keep(struct wal *wal, const char *bytes, size_t len, sqlite3_int64 at)
{
	struct kept *kept;

	for (kept = wal->kept; kept != NULL; kept = kept->next)
		renew(kept, bytes, len, at);
	if (!wal->keeps)
		return;
	kept = xmalloc(sizeof(*kept) + len);
	kept->next = wal->kept;
	kept->at = at;
	kept->len = len;
	memcpy(kept->bytes, bytes, len);
	wal->kept = kept;
}

/* All that reaches the file, but for the zeros behind its end. */
static int
put(struct wal *wal, const void *bytes, int amount, sqlite3_int64 at)
{
	int code = wal->real->pMethods->xWrite(wal->real, bytes, amount, at);

	if (code == SQLITE_OK)
		keep(wal, bytes, (size_t)amount, at);
	return code;
}

/*
 * After a sync that failed the system takes what it could not write for
 * written, and the next sync says nothing of it, though it is on no disk: so
 * it is written once more.
 */
static int
put_again(struct wal *wal)
{
	for (const struct kept *kept = wal->kept; kept != NULL;
	     kept = kept->next) {
		int code = wal->real->pMethods->xWrite(
		    wal->real, kept->bytes, (int)kept->len, kept->at);
		if (code != SQLITE_OK)
			return code;
	}
	return SQLITE_OK;
}

/* At once after a failure, too: what the system believes to be written it may
 * drop, and read the disk instead. */
static int
sync_all(struct wal *wal, int flags)
{
	int code = wal->is_doubted ? put_again(wal) : SQLITE_OK;

	if (code == SQLITE_OK)
		code = wal->real->pMethods->xSync(wal->real, flags);
	wal->is_doubted = code != SQLITE_OK;
	if (code == SQLITE_OK)
		forget_kept(wal);
	else
		put_again(wal);
	return code;
}

/* ---- gathering ---- */

/*
 * Lets the file be larger than what it holds. That it may fail is why it is
 * not tried twice: the log grows with each write, then.
 */
static void
grow(struct wal *wal, sqlite3_int64 end)
{
	sqlite3_int64 goal = (end + WAL_STEP - 1) / WAL_STEP * WAL_STEP;

	if (wal->size < 0 &&
	    wal->real->pMethods->xFileSize(wal->real, &wal->size) != SQLITE_OK)
		return;
	if (end < wal->size)
		return;
	memset(wal->bytes, 0, WAL_GATHER_MAX);
	wal->size = goal;
	while (end < goal) {
		sqlite3_int64 left = goal - end;
		int len = left < WAL_GATHER_MAX ? (int)left : WAL_GATHER_MAX;
		if (wal->real->pMethods->xWrite(
			wal->real, wal->bytes, len, end) != SQLITE_OK)
			return;
		end += len;
	}
}

/* Writes what was gathered, and forgets it: after a failure SQLite gives the
 * whole transaction up. */
static int
flush(struct wal *wal)
{
	size_t len = wal->len;
	int code;

	wal->len = 0;
	wal->is_last = false;
	if (len == 0)
		return SQLITE_OK;
	code = put(wal, wal->bytes, (int)len, wal->at);
	if (code == SQLITE_OK)
		grow(wal, wal->at + (sqlite3_int64)len);
	return code;
}

static void
gather(struct wal *wal, const void *bytes, size_t len)
{
	if (wal->bytes == NULL)
		wal->bytes = xmalloc(WAL_GATHER_MAX);
	memcpy(wal->bytes + wal->len, bytes, len);
	wal->len += len;
}

/* A frame's header: page number, then the size of the database if the frame
 * is the last one of its transaction, or 0. */
static bool
ends_transaction(const void *header)
{
	static const char none[4];

	return memcmp((const char *)header + 4, none, sizeof(none)) != 0;
}

/*
 * Frames are a header and a page each, and follow each other. What follows
 * nothing that was gathered is gathered if it begins a transaction of several
 * frames; all else is rare (the log's own header, a frame of the transaction
 * that is mended), and written at once.
 */
static int
wal_write(sqlite3_file *file, const void *bytes, int amount, sqlite3_int64 at)
{
	struct wal *wal = wal_of(file);
	size_t len = (size_t)amount;
	bool is_header = len == FRAME_HEADER_SIZE;
	bool is_last = is_header && ends_transaction(bytes);
	bool follows = wal->len > 0 && at == wal->at + (sqlite3_int64)wal->len;
	int code = SQLITE_OK;

	if (!follows || wal->len + len > WAL_GATHER_MAX) {
		bool had_last = follows && wal->is_last;
		code = flush(wal);
		wal->is_last = had_last;
		wal->at = at;
	}
	if (code != SQLITE_OK)
		return code;
	if ((!follows && (!is_header || is_last)) || len > WAL_GATHER_MAX)
		return put(wal, bytes, amount, at);
	gather(wal, bytes, len);
	if (!is_header && wal->is_last)
		return flush(wal);
	wal->is_last = is_last;
	return SQLITE_OK;
}

static int
wal_read(sqlite3_file *file, void *bytes, int amount, sqlite3_int64 at)
{
	struct wal *wal = wal_of(file);
	int code = flush(wal);

	return code == SQLITE_OK
		   ? wal->real->pMethods->xRead(wal->real, bytes, amount, at)
		   : code;
}

static int
wal_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct wal *wal = wal_of(file);
	int code = flush(wal);

	wal->size = -1;
	if (code == SQLITE_OK)
		cut_kept(wal, size);
	return code == SQLITE_OK
		   ? wal->real->pMethods->xTruncate(wal->real, size)
		   : code;
}

static int
wal_sync(sqlite3_file *file, int flags)
{
	struct wal *wal = wal_of(file);
	int code = flush(wal);

	return code == SQLITE_OK ? sync_all(wal, flags) : code;
}

static int
wal_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	struct wal *wal = wal_of(file);
	int code = flush(wal);

	return code == SQLITE_OK
		   ? wal->real->pMethods->xFileSize(wal->real, size)
		   : code;
}

static int
wal_close(sqlite3_file *file)
{
	struct wal *wal = wal_of(file);

	flush(wal);
	forget_kept(wal);
	free(wal->bytes);
	return wal->real->pMethods->xClose(wal->real);
}

/* A log is never locked: the database is. */
static int
wal_lock(sqlite3_file *file, int level)
{
	(void)file;
	(void)level;
	return SQLITE_OK;
}

static int
wal_check_lock(sqlite3_file *file, int *is_locked)
{
	(void)file;
	*is_locked = 0;
	return SQLITE_OK;
}

static int
wal_control(sqlite3_file *file, int what, void *argument)
{
	sqlite3_file *real = wal_of(file)->real;

	return real->pMethods->xFileControl(real, what, argument);
}

static int
wal_sector_size(sqlite3_file *file)
{
	sqlite3_file *real = wal_of(file)->real;

	return real->pMethods->xSectorSize(real);
}

static int
wal_characteristics(sqlite3_file *file)
{
	sqlite3_file *real = wal_of(file)->real;

	return real->pMethods->xDeviceCharacteristics(real);
}

static const sqlite3_io_methods wal_methods = {
    .iVersion = 1, /* no memory mapping */
    .xClose = wal_close,
    .xRead = wal_read,
    .xWrite = wal_write,
    .xTruncate = wal_truncate,
    .xSync = wal_sync,
    .xFileSize = wal_file_size,
    .xLock = wal_lock,
    .xUnlock = wal_lock,
    .xCheckReservedLock = wal_check_lock,
    .xFileControl = wal_control,
    .xSectorSize = wal_sector_size,
    .xDeviceCharacteristics = wal_characteristics,
};

static int
open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
    int *flags_r)
{
	struct wal *wal = wal_of(file);
	int code;

	(void)vfs;
	if ((flags & SQLITE_OPEN_WAL) == 0)
		return real_vfs->xOpen(real_vfs, name, file, flags, flags_r);
	*wal =
	    (struct wal){.real = (sqlite3_file *)(void *)(wal + 1), .size = -1};
	code = real_vfs->xOpen(real_vfs, name, wal->real, flags, flags_r);
	if (code == SQLITE_OK)
		wal->file.pMethods = &wal_methods;
	return code;
}

/* ---- for sqlite.c ---- */

/* The log of a connection; NULL: it was not used yet. */
static struct wal *
log_of(struct sqlite3 *db)
{
	sqlite3_file *file = NULL;

	if (sqlite3_file_control(
		db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file) != SQLITE_OK ||
	    file == NULL || file->pMethods != &wal_methods)
		return NULL;
	return wal_of(file);
}

void
wal_set_lazy(struct sqlite3 *db, bool is_lazy)
{
	struct wal *wal = log_of(db);

	if (wal != NULL)
		wal->keeps = is_lazy;
}

bool
wal_is_doubted(struct sqlite3 *db)
{
	const struct wal *wal = log_of(db);

	return wal != NULL && wal->is_doubted;
}

int
wal_settle(struct sqlite3 *db)
{
	return wal_sync(&log_of(db)->file, SQLITE_SYNC_NORMAL);
}

/* The rest of the VFS is the system's, which looks at nothing in it but what
 * is copied here. */
const char *
wal_vfs(void)
{
	static sqlite3_vfs vfs;

	if (real_vfs != NULL)
		return VFS_NAME;
	/* Else it counts its memory under a lock, at each malloc and free. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	real_vfs = sqlite3_vfs_find(NULL);
	if (real_vfs == NULL)
		return NULL;
	vfs = *real_vfs;
	vfs.pNext = NULL;
	vfs.zName = VFS_NAME;
	vfs.szOsFile = real_vfs->szOsFile + (int)sizeof(struct wal);
	vfs.xOpen = open_file;
	sqlite3_vfs_register(&vfs, 0);
	return VFS_NAME;
}
