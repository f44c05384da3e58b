/*
 * A disk whose syncs fail, and a power cut: what a commit has returned for is
 * there, whichever sync it was that failed.
 *
 * A VFS below the store's own has a copy of each file, the disk: what was
 * written reaches it with a sync that works. After one that fails the system
 * takes what was written for written; here it forgets it at once, as a page
 * cache may, and shows what the disk has. (Linux does so: the error is told
 * once, and the pages are clean.) The daemon is a child that dies; what it
 * leaves is the disk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "daemon/base/random.h"
#include "daemon/base/xalloc.h"
#include "daemon/store/store.h"

#define DISK_SUFFIX ".disk"
#define PAGE 4096
#define PAGES_MAX 16384
/* Some lives are longer than SQLite lets the log grow without a checkpoint. */
#define COMMITS 300
#define TEXT 3000

static char *base, *directory;

/* ---- the disk ---- */

struct lying {
	sqlite3_file file;
	sqlite3_file *real;
	int disk;
	bool is_log;
	bool is_dirty[PAGES_MAX];
};

static sqlite3_vfs *system_vfs;
/* Of all files: the syncs from the first to the last fail, counted from 1. */
static unsigned syncs, first_bad, last_bad;
static unsigned checkpoint; /* the last of these that was the database's */
/* The log's last sync failed. */
static bool is_doubted;
/* After a sync that failed so many writes fail, too (if any do, what is in
 * memory stays there a while). */
static unsigned bad_writes_each, bad_writes;
static unsigned commits_max = COMMITS; /* of a life */

static struct lying *
lying_of(sqlite3_file *file)
{
	return (struct lying *)(void *)file;
}

static void
copy_page(struct lying *lying, size_t number, bool to_disk)
{
	sqlite3_int64 at = (sqlite3_int64)number * PAGE, size = 0;
	char page[PAGE] = {0};

	lying->real->pMethods->xFileSize(lying->real, &size);
	if (at >= size)
		return;
	int len = size - at < PAGE ? (int)(size - at) : PAGE;
	if (to_disk) {
		lying->real->pMethods->xRead(lying->real, page, len, at);
		assert_int_equal(
		    pwrite(lying->disk, page, (size_t)len, at), len);
	} else {
		assert_true(pread(lying->disk, page, (size_t)len, at) >= 0);
		lying->real->pMethods->xWrite(lying->real, page, len, at);
	}
}

static int
lying_sync(sqlite3_file *file, int flags)
{
	struct lying *lying = lying_of(file);
	bool is_bad;

	(void)flags;
	syncs++;
	is_bad = syncs >= first_bad && syncs <= last_bad;
	if (lying->is_log)
		is_doubted = is_bad;
	else
		checkpoint = syncs;
	if (is_bad)
		bad_writes = bad_writes_each;
	for (size_t i = 0; i < PAGES_MAX; i++) {
		if (lying->is_dirty[i] && (!is_bad || bad_writes == 0))
			copy_page(lying, i, !is_bad);
		lying->is_dirty[i] = false;
	}
	return is_bad ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int
lying_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
	struct lying *lying = lying_of(file);

	if (bad_writes > 0) {
		bad_writes--;
		return SQLITE_IOERR_WRITE;
	}
	for (sqlite3_int64 i = at / PAGE; i <= (at + len - 1) / PAGE; i++)
		lying->is_dirty[i] = true;
	return lying->real->pMethods->xWrite(lying->real, bytes, len, at);
}

static int
lying_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct lying *lying = lying_of(file);

	assert_int_equal(ftruncate(lying->disk, size), 0);
	return lying->real->pMethods->xTruncate(lying->real, size);
}

static int
lying_close(sqlite3_file *file)
{
	close(lying_of(file)->disk);
	return lying_of(file)->real->pMethods->xClose(lying_of(file)->real);
}

#define PASS(name, parameters, ...)                                            \
	static int lying_##name parameters                                     \
	{                                                                      \
		sqlite3_file *real = lying_of(file)->real;                     \
		return real->pMethods->x##name(real, ##__VA_ARGS__);           \
	}
PASS(Read, (sqlite3_file * file, void *to, int len, sqlite3_int64 at), to, len,
    at)
PASS(FileSize, (sqlite3_file * file, sqlite3_int64 *size), size)
PASS(Lock, (sqlite3_file * file, int level), level)
PASS(Unlock, (sqlite3_file * file, int level), level)
PASS(CheckReservedLock, (sqlite3_file * file, int *is), is)
PASS(FileControl, (sqlite3_file * file, int what, void *at), what, at)
static int
lying_SectorSize(sqlite3_file *file)
{
	sqlite3_file *real = lying_of(file)->real;

	return real->pMethods->xSectorSize(real);
}
static int
lying_DeviceCharacteristics(sqlite3_file *file)
{
	sqlite3_file *real = lying_of(file)->real;

	return real->pMethods->xDeviceCharacteristics(real);
}
PASS(ShmMap,
    (sqlite3_file * file, int page, int size, int extend, void volatile **at),
    page, size, extend, at)
PASS(ShmLock, (sqlite3_file * file, int from, int count, int flags), from,
    count, flags)
static void
lying_ShmBarrier(sqlite3_file *file)
{
	lying_of(file)->real->pMethods->xShmBarrier(lying_of(file)->real);
}
PASS(ShmUnmap, (sqlite3_file * file, int deletes), deletes)

static const sqlite3_io_methods lying_methods = {
    .iVersion = 2,
    .xClose = lying_close,
    .xRead = lying_Read,
    .xWrite = lying_write,
    .xTruncate = lying_truncate,
    .xSync = lying_sync,
    .xFileSize = lying_FileSize,
    .xLock = lying_Lock,
    .xUnlock = lying_Unlock,
    .xCheckReservedLock = lying_CheckReservedLock,
    .xFileControl = lying_FileControl,
    .xSectorSize = lying_SectorSize,
    .xDeviceCharacteristics = lying_DeviceCharacteristics,
    .xShmMap = lying_ShmMap,
    .xShmLock = lying_ShmLock,
    .xShmBarrier = lying_ShmBarrier,
    .xShmUnmap = lying_ShmUnmap,
};

static int
lying_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
    int *flags_r)
{
	struct lying *lying = lying_of(file);
	bool is_kept = (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_DB)) != 0;
	int code;

	(void)vfs;
	if (!is_kept)
		return system_vfs->xOpen(
		    system_vfs, name, file, flags, flags_r);
	STR_AUTO disk = xasprintf("%s" DISK_SUFFIX, name);
	*lying = (struct lying){.real = (sqlite3_file *)(void *)(lying + 1),
	    .is_log = (flags & SQLITE_OPEN_WAL) != 0};
	code = system_vfs->xOpen(system_vfs, name, lying->real, flags, flags_r);
	if (code != SQLITE_OK)
		return code;
	/* The database was made under this name, and got its own then. */
	STR_AUTO made = xasprintf("%s.new" DISK_SUFFIX, name);
	rename(made, disk);
	lying->disk = open(disk, O_RDWR | O_CREAT, 0600);
	assert_true(lying->disk >= 0);
	lying->file.pMethods = &lying_methods;
	return SQLITE_OK;
}

/* The system's for everybody who asks for it from now on. */
static void
make_liar(void)
{
	static sqlite3_vfs vfs;

	system_vfs = sqlite3_vfs_find(NULL);
	vfs = *system_vfs;
	vfs.pNext = NULL;
	vfs.zName = "liar";
	vfs.szOsFile += (int)sizeof(struct lying);
	vfs.xOpen = lying_open;
	sqlite3_vfs_register(&vfs, 1);
}

/* ---- a life ---- */

/* What became of each commit; shared with the child. */
struct life {
	enum {
		NOT_TRIED,
		FAILED,
		LAZY,
		DONE
	} commits[COMMITS];
	unsigned syncs, checkpoint;
	unsigned failures;
	bool was_uneasy; /* what a checkpoint could not do was told */
	char words[200]; /* the first failure's, or what is wrong */
	bool is_wrong;
};

static bool
has_fact(struct store *store, unsigned number)
{
	STR_AUTO name = xasprintf("f%u", number);
	struct error error = ERROR_INIT;
	char *value = NULL;
	bool has;

	if (!store_get_fact(store, "a", name, &value, &error))
		fail_msg("read: %s", error.text);
	has = value != NULL && strlen(value) == TEXT;
	free(value);
	return has;
}

static bool
commit(
    struct store *store, unsigned number, bool is_lazy, struct error *error_r)
{
	STR_AUTO name = xasprintf("f%u", number);
	char text[TEXT + 1];
	struct store_batch *batch = store_batch_new();
	bool ok;

	memset(text, 'a' + (int)(number % 26), TEXT);
	text[TEXT] = '\0';
	store_batch_set_fact(batch, "a", name, text);
	store_batch_set_lazy(batch, is_lazy);
	ok = store_commit(store, batch, error_r);
	store_batch_free(&batch);
	return ok;
}

static void
say_wrong(struct life *life, const char *words, unsigned number)
{
	life->is_wrong = true;
	snprintf(life->words, sizeof(life->words), "%s %u", words, number);
}

static void
live(struct life *life, uint64_t seed)
{
	struct random random;
	struct store *store = store_open_sqlite(directory, NULL);

	random_init(&random, seed);
	for (unsigned i = 0; store != NULL && i < commits_max; i++) {
		bool is_lazy = random_below(&random, 3) > 0;
		struct error error = ERROR_INIT;
		bool was_doubted = is_doubted;
		if (commit(store, i, is_lazy, &error)) {
			if (was_doubted && is_doubted)
				say_wrong(life, "it believed the log at", i);
			life->commits[i] = is_lazy ? LAZY : DONE;
		} else {
			life->commits[i] = FAILED;
			if (life->failures++ == 0)
				snprintf(life->words, sizeof(life->words), "%s",
				    error.text);
		}
		life->was_uneasy |= store_trouble(store)[0] != '\0';
		/* Soon after it, before a checkpoint mends what it lost. */
		if (life->commits[i] == DONE && life->failures > 0 &&
		    seed % 2 == 0)
			break;
		unsigned old = (unsigned)random_below(&random, i + 1);
		if (has_fact(store, old) != (life->commits[old] > FAILED) &&
		    !life->is_wrong)
			say_wrong(life, "alive, it does not know of", old);
	}
	life->syncs = syncs;
	life->checkpoint = checkpoint;
	if (store != NULL && life->commits[COMMITS - 1] == FAILED)
		say_wrong(life, "it never went on", COMMITS);
	if (store != NULL && life->commits[COMMITS - 1] > FAILED &&
	    store_trouble(store)[0] != '\0' && syncs > last_bad + 8)
		say_wrong(life, "it is still uneasy after", COMMITS);
}

/* What is on the disk now. */
static void
cut_power(void)
{
	static const char *const names[] = {"state.db", "state.db-wal"};
	STR_AUTO shared = xasprintf("%s/state.db-shm", directory);

	for (size_t i = 0; i < 2; i++) {
		STR_AUTO path = xasprintf("%s/%s", directory, names[i]);
		STR_AUTO disk = xasprintf("%s" DISK_SUFFIX, path);
		rename(disk, path);
	}
	unlink(shared);
}

static void
clear(void)
{
	static const char *const names[] = {"lock", "state.db", "state.db-wal",
	    "state.db-shm", "state.db" DISK_SUFFIX, "state.db-wal" DISK_SUFFIX};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		STR_AUTO path = xasprintf("%s/%s", directory, names[i]);
		unlink(path);
	}
	rmdir(directory);
}

/* All that is certain is there, and of what is lazy none is lost that comes
 * before another one. */
static void
check_disk(struct life *life)
{
	struct error error = ERROR_INIT;
	struct store *store = store_open_sqlite(directory, &error);
	bool must = false;

	if (store == NULL) {
		life->is_wrong = true;
		snprintf(life->words, sizeof(life->words), "%s", error.text);
		return;
	}
	for (unsigned i = COMMITS; i > 0 && !life->is_wrong; i--) {
		bool was_done = life->commits[i - 1] > FAILED;
		bool is_there = has_fact(store, i - 1);
		if (life->commits[i - 1] == DONE || (was_done && is_there))
			must = true;
		if (was_done && must && !is_there)
			say_wrong(life, "the disk lost commit", i - 1);
	}
	store_close(&store);
}

static void
run(struct life *life, uint64_t seed, unsigned first, unsigned last)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		syncs = 0;
		bad_writes_each = (unsigned)(seed % 3);
		first_bad = first;
		last_bad = last;
		live(life, seed);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	if (!life->is_wrong && life->syncs > 0) {
		cut_power();
		check_disk(life);
	}
	clear();
}

/* ---- tests ---- */

static struct life *
new_life(void)
{
	void *memory = mmap(NULL, sizeof(struct life), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(memory != MAP_FAILED);
	return memory;
}

/* Without a fault: how many syncs there are, and that the model is right. */
static void
test_good_disk(void **state)
{
	struct life *life = new_life();

	(void)state;
	run(life, 1, 0, 0);
	if (life->is_wrong || life->failures > 0)
		fail_msg("%s", life->words);
	assert_true(life->syncs > COMMITS / 5);
	munmap(life, sizeof(*life));
}

/* The n-th sync, alone, and with some behind it. */
static void
test_each_sync(void **state)
{
	static const unsigned lengths[] = {1, 5};
	unsigned told = 0, lives = 0;

	(void)state;
	for (unsigned n = 8; n < 120; n += 1 + n / 7) {
		for (size_t i = 0; i < 2; i++) {
			struct life *life = new_life();
			run(life, n, n, n + lengths[i] - 1);
			if (life->is_wrong)
				fail_msg("sync %u to %u: %s", n,
				    n + lengths[i] - 1, life->words);
			if (life->failures == 0 && !life->was_uneasy &&
			    life->syncs >= n)
				fail_msg("sync %u: nobody was told", n);
			told += life->failures > 0;
			lives++;
			if (life->failures > 0 &&
			    strstr(life->words, "state.db: cannot write: ") ==
				NULL)
				fail_msg("%s", life->words);
			munmap(life, sizeof(*life));
		}
	}
	if (told < lives / 2)
		fail_msg("%u of %u told", told, lives);
}

/* The sync of a checkpoint, whose commit has worked: of the log, the one before
 * it, too. Nothing is lost, and it is told. */
static void
test_checkpoint(void **state)
{
	struct life *life = new_life();
	unsigned at;

	(void)state;
	run(life, 1, 0, 0);
	at = life->checkpoint;
	assert_true(at > 20);
	for (unsigned n = at - 1; n <= at; n++) {
		memset(life, 0, sizeof(*life));
		run(life, 1, n, n);
		if (life->is_wrong || !life->was_uneasy)
			fail_msg("sync %u: %s", n, life->words);
	}
	munmap(life, sizeof(*life));
}

/* The very first commits of a life are as certain as later ones. */
static void
test_first_commits(void **state)
{
	unsigned certain = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 12; seed++) {
		struct life *life = new_life();
		commits_max = 1 + (unsigned)(seed % 2);
		run(life, seed, 0, 0);
		commits_max = COMMITS;
		if (life->is_wrong)
			fail_msg("seed %llu: %s", (unsigned long long)seed,
			    life->words);
		certain += life->commits[0] == DONE;
		munmap(life, sizeof(*life));
	}
	assert_true(certain > 0);
}

#define MANY 1200

/* More than SQLite keeps in memory, so that it must read what is damaged. */
static void
live_on_damage(struct life *life)
{
	struct store *store = store_open_sqlite(directory, NULL);
	STR_AUTO path = xasprintf("%s/state.db", directory);
	struct error error = ERROR_INIT;
	char noise[PAGE];
	int fd;

	for (unsigned i = 0; i < MANY; i++)
		commit(store, i, i % 100 > 0, NULL);
	memset(noise, 0xa5, sizeof(noise));
	fd = open(path, O_WRONLY);
	for (off_t page = 40; page < 400; page++)
		if (pwrite(fd, noise, sizeof(noise), page * PAGE) < 0)
			say_wrong(life, "cannot write", 0);
	close(fd);
	first_bad = last_bad = syncs + 1;
	if (commit(store, MANY, false, &error))
		say_wrong(life, "the sync did not fail", syncs);
	if (commit(store, MANY + 1, false, &error))
		say_wrong(life, "nobody looked it through", syncs);
	else
		snprintf(life->words, sizeof(life->words), "%s", error.text);
}

/* After a sync that failed nothing is committed until the database was looked
 * through: what the disk lost may be seen there. */
static void
test_looked_through(void **state)
{
	struct life *life = new_life();
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		live_on_damage(life);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	clear();
	if (life->is_wrong ||
	    strstr(life->words, "state.db is damaged") == NULL)
		fail_msg("%s", life->words);
	munmap(life, sizeof(*life));
}

static int
set_up(void **state)
{
	char name[] = "/tmp/belfry-sync-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(name));
	base = xstrdup(name);
	directory = xasprintf("%s/state", base);
	make_liar();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	rmdir(base);
	free(directory);
	free(base);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good_disk),
	    cmocka_unit_test(test_each_sync),
	    cmocka_unit_test(test_checkpoint),
	    cmocka_unit_test(test_first_commits),
	    cmocka_unit_test(test_looked_through),
	};

	return cmocka_run_group_tests_name("sync", tests, set_up, tear_down);
}
