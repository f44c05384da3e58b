/*
 * test-store-sqlite: what only a store on a disk can meet: other processes,
 * other people's folders, damage, a full disk, and kill -9.
 *
 * The contract itself is in test-store.c.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* unshare */
#endif
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "daemon/base/random.h"
#include "daemon/base/xalloc.h"
#include "daemon/store/store.h"
#include "daemon/store/wal.h"

#define KILL_ROUNDS 30
#define NOBODY 65534

static char base[] = "/tmp/belfry-sqlite-XXXXXX";
static char *directory; /* base/state: of this test */

static void
remove_tree(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		STR_AUTO name = xasprintf("%s/%s", path, entry->d_name);

		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlink(name) < 0 && errno == EISDIR)
			remove_tree(name);
	}
	if (dir != NULL)
		closedir(dir);
	rmdir(path);
}

static int
set_up(void **state)
{
	(void)state;
	directory = xasprintf("%s/state", base);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	remove_tree(directory);
	unlink(directory); /* a link, or a file */
	free(directory);
	directory = NULL;
	return 0;
}

static struct store *
must_open(void)
{
	struct error error = ERROR_INIT;
	struct store *store = store_open_sqlite(directory, &error);

	if (store == NULL)
		fail_msg("open: %s", error.text);
	return store;
}

/* ---- other processes, told by a pipe ---- */

typedef void child_fn(struct buf *out);

/* Runs fn in a process of its own; what it wrote, to be freed. */
static char *
in_child(child_fn *fn)
{
	BUF_AUTO out = BUF_INIT;
	char bytes[256];
	ssize_t len;
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		fn(&out);
		len = write(ends[1], buf_str(&out), out.len);
		buf_done(&out);
		_exit(len < 0);
	}
	close(ends[1]);
	while ((len = read(ends[0], bytes, sizeof(bytes))) > 0)
		buf_add(&out, bytes, (size_t)len);
	close(ends[0]);
	waitpid(pid, NULL, 0);
	return buf_take_str(&out);
}

/* "open", or why not. */
static void
try_open(struct buf *out)
{
	struct error error = ERROR_INIT;
	struct store *store = store_open_sqlite(directory, &error);

	buf_add_str(out, store != NULL ? "open" : error.text);
	if (store == NULL && error.fault != FAULT_LOCAL)
		buf_add_str(out, " (not FAULT_LOCAL)");
	store_close(&store);
}

static void
try_open_as_nobody(struct buf *out)
{
	if (geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
		buf_add_str(out, "cannot become nobody");
	else
		try_open(out);
}

/* ---- what is refused ---- */

static void
make_store(void)
{
	struct store *store = must_open();
	struct store_batch *batch = store_batch_new();

	for (int64_t i = 0; i < 200; i++)
		store_batch_add_hit(batch, "lists", i);
	assert_true(store_commit(store, batch, NULL));
	store_batch_free(&batch);
	store_close(&store);
}

static void
write_at(const char *name, off_t at, const char *bytes, size_t len)
{
	STR_AUTO path = xasprintf("%s/%s", directory, name);
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, at), (ssize_t)len);
	close(fd);
}

static void
prepare_group_writable(void)
{
	assert_int_equal(mkdir(directory, 0700), 0);
	assert_int_equal(chmod(directory, 0770), 0);
}

static void
prepare_world_writable(void)
{
	assert_int_equal(mkdir(directory, 0700), 0);
	assert_int_equal(chmod(directory, 0777), 0);
}

static void
prepare_symlink(void)
{
	assert_int_equal(symlink(base, directory), 0);
}

static void
prepare_file(void)
{
	int fd = open(directory, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static void
prepare_foreign(void)
{
	assert_int_equal(mkdir(directory, 0700), 0);
	assert_int_equal(chown(directory, NOBODY, NOBODY), 0);
}

static void
prepare_readonly(void)
{
	assert_int_equal(mkdir(directory, 0700), 0);
	if (geteuid() == 0)
		assert_int_equal(chown(directory, NOBODY, NOBODY), 0);
	assert_int_equal(chmod(directory, 0500), 0);
}

static void
prepare_database_link(void)
{
	STR_AUTO path = xasprintf("%s/state.db", directory);

	assert_int_equal(mkdir(directory, 0700), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
}

/* The header of a database: user_version is at 60, application_id at 68. */
static void
prepare_newer(void)
{
	const char next = STORE_SCHEMA_VERSION + 1;

	make_store();
	write_at("state.db", 63, &next, 1);
}

static void
prepare_other_program(void)
{
	make_store();
	write_at("state.db", 68, "abcd", 4);
}

static void
prepare_no_database(void)
{
	make_store();
	write_at("state.db", 0, "From: somebody else", 19);
}

static void
prepare_flipped_page(void)
{
	char noise[4096];

	make_store();
	memset(noise, 0xa5, sizeof(noise));
	for (off_t page = 2; page < 12; page++)
		write_at("state.db", page * 4096, noise, sizeof(noise));
}

static void
prepare_truncated(void)
{
	STR_AUTO path = xasprintf("%s/state.db", directory);

	make_store();
	assert_int_equal(truncate(path, 3 * 4096), 0);
}

/* An empty file: what a file system leaves that lost what was in it. */
static void
prepare_emptied(void)
{
	STR_AUTO path = xasprintf("%s/state.db", directory);

	make_store();
	assert_int_equal(truncate(path, 0), 0);
}

/* With its log, which SQLite alone would throw away. */
static void
prepare_emptied_with_log(void)
{
	prepare_emptied();
	write_at("state.db-wal", 0, "what was written last", 21);
}

static void
prepare_log_alone(void)
{
	STR_AUTO path = xasprintf("%s/state.db", directory);

	prepare_emptied_with_log();
	assert_int_equal(unlink(path), 0);
}

static void
prepare_journal_alone(void)
{
	STR_AUTO path = xasprintf("%s/state.db", directory);

	make_store();
	write_at("state.db-journal", 0, "what was there before", 21);
	assert_int_equal(unlink(path), 0);
}

static void
prepare_cut_header(void)
{
	STR_AUTO path = xasprintf("%s/state.db", directory);

	make_store();
	assert_int_equal(truncate(path, 50), 0);
}

static void
prepare_no_tables(void)
{
	STR_AUTO path = xasprintf("%s/state.db", directory);
	sqlite3 *db;

	make_store();
	assert_int_equal(unlink(path), 0);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE t (a); DROP TABLE t",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
}

static const struct refusal {
	const char *name;
	void (*prepare)(void);
	child_fn *open;
	const char *words[3];
} refusals[] = {
    {"group-writable", prepare_group_writable, try_open,
	{"/state can be written by others (mode 0770)", "chmod 700"}},
    {"world-writable", prepare_world_writable, try_open,
	{"/state can be written by others (mode 0777)", "chmod 700"}},
    {"symbolic link", prepare_symlink, try_open,
	{"/state is not a folder", "symbolic link"}},
    {"a file", prepare_file, try_open, {"/state is not a folder"}},
    {"another user's", prepare_foreign, try_open,
	{"/state belongs to user 65534", "runs as user 0"}},
    {"read-only", prepare_readonly, try_open_as_nobody,
	{"/state: cannot write in this folder", "Permission denied"}},
    {"database is a link", prepare_database_link, try_open,
	{"/state.db: cannot open it: "}},
    {"newer schema", prepare_newer, try_open,
	{"/state.db was written by a newer belfry",
	    "schema 6, this one knows 5", "move the file away"}},
    {"another program's", prepare_other_program, try_open,
	{"/state.db is a database of another program"}},
    {"no database", prepare_no_database, try_open,
	{"/state.db is damaged (file is not a database)", "move the file away",
	    "begins anew"}},
    {"flipped pages", prepare_flipped_page, try_open,
	{"/state.db is damaged (", "move the file away"}},
    {"truncated", prepare_truncated, try_open,
	{"/state.db is damaged (", "move the file away"}},
    {"emptied", prepare_emptied, try_open,
	{"/state.db is damaged (it is empty)", "move the file away",
	    "begins anew"}},
    {"emptied, with its log", prepare_emptied_with_log, try_open,
	{"/state.db is damaged (it is empty)"}},
    {"the log alone", prepare_log_alone, try_open,
	{"/state.db is not there, but ", "/state.db-wal is,", "begins anew"}},
    {"a journal alone", prepare_journal_alone, try_open,
	{"/state.db is not there, but ", "/state.db-journal is,"}},
    {"within its header", prepare_cut_header, try_open,
	{"/state.db is damaged ("}},
    {"no tables", prepare_no_tables, try_open,
	{"/state.db is damaged (it holds nothing)"}},
};

static bool
is_refused(const struct refusal *r)
{
	STR_AUTO words = in_child(r->open);
	bool ok = true;

	for (size_t i = 0; i < 3 && r->words[i] != NULL; i++)
		ok = ok && strstr(words, r->words[i]) != NULL;
	ok = ok && strstr(words, "FAULT_LOCAL") == NULL;
	if (!ok)
		print_error("%s: %s\n", r->name, words);
	return ok;
}

/* Refused, and refused again, because nothing was changed. */
static void
test_refusals(void **state)
{
	unsigned failures = 0;

	assert_int_equal(chmod(base, 0755), 0);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (refusals[i].prepare == prepare_foreign && geteuid() != 0)
			continue;
		refusals[i].prepare();
		failures += !is_refused(&refusals[i]);
		failures += !is_refused(&refusals[i]);
		tear_down(state);
		set_up(state);
	}
	if (failures > 0)
		fail_msg("%u refusals failed", failures);
}

/* ---- bytes that are not what they were ---- */

static bool
skip_message(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	(void)ctx;
	(void)message;
	(void)effects;
	(void)count;
	return true;
}

/* Whatever the file holds: an error, or it works; never a crash. */
static void
try_to_use(struct buf *out)
{
	const struct store_history_query query = {0};
	struct error error = ERROR_INIT;
	struct store *store = store_open_sqlite(directory, &error);
	struct store_batch *batch = store_batch_new();

	store_batch_add_hit(batch, "lists", 1000);
	if (store != NULL &&
	    store_each_history(store, &query, skip_message, NULL, &error) &&
	    store_commit(store, batch, &error) &&
	    store_prune(store, 10, &error))
		buf_add_str(out, "works");
	else
		buf_add_str(out, error.text);
	store_batch_free(&batch);
	store_close(&store);
}

static void
add_full_message(struct store *store, unsigned i)
{
	struct store_batch *batch = store_batch_new();
	const struct store_key key = {"work", "INBOX", 1, i};

	store_batch_add_message(
	    batch, &(const struct store_message){.key = key,
		       .message_id = "<a@b>",
		       .from = "Ann",
		       .subject = "A message that has to be found again",
		       .rules = "lists",
		       .observed = "",
		       .warnings = ""});
	store_batch_add_effect(batch, &(const struct store_effect){.key = key,
					  .rule = "lists",
					  .kind = "move",
					  .action = "move Lists",
					  .state = EFFECT_DONE,
					  .detail = "UID 5 there"});
	assert_true(store_commit(store, batch, NULL));
	store_batch_free(&batch);
}

/* Wherever it is cut off. */
static void
test_cuts(void **state)
{
	STR_AUTO path = xasprintf("%s/state.db", directory);
	struct stat st;

	(void)state;
	make_store();
	assert_int_equal(stat(path, &st), 0);
	for (off_t size = st.st_size - 4096; size >= 0; size -= 4096) {
		assert_int_equal(truncate(path, size), 0);
		STR_AUTO said = in_child(try_open);
		if (strstr(said, "/state.db is damaged (") == NULL)
			fail_msg("%lld bytes: %s", (long long)size, said);
	}
}

/* A start that was interrupted while it made the database. */
static void
test_begun_database(void **state)
{
	STR_AUTO path = xasprintf("%s/state.db.new", directory);
	struct store *store;

	(void)state;
	assert_int_equal(mkdir(directory, 0700), 0);
	write_at("state.db.new", 0, "SQLite format 3", 15);
	write_at("state.db.new-journal", 0, "something", 9);
	store = must_open();
	assert_true(store_is_made(store));
	store_close(&store);
	assert_int_equal(access(path, F_OK), -1);
	store = must_open();
	assert_false(store_is_made(store));
	store_close(&store);
}

#define FLIPS 150

static void
test_flips(void **state)
{
	struct store *store = must_open();
	STR_AUTO path = xasprintf("%s/state.db", directory);
	unsigned works = 0, failures = 0;
	struct random random;
	struct stat st;
	int fd;

	(void)state;
	for (unsigned i = 1; i <= 50; i++)
		add_full_message(store, i);
	store_close(&store);
	random_init(&random, 1);
	fd = open(path, O_RDONLY);
	assert_int_equal(fstat(fd, &st), 0);
	STR_AUTO whole = xcalloc(1, (size_t)st.st_size);
	assert_int_equal(
	    pread(fd, whole, (size_t)st.st_size, 0), (ssize_t)st.st_size);
	close(fd);
	for (unsigned i = 0; i < FLIPS; i++) {
		off_t at = (off_t)random_below(&random, (uint64_t)st.st_size);
		char bad = (char)(whole[at] ^ (1 << random_below(&random, 8)));
		write_at("state.db", at, &bad, 1);
		STR_AUTO said = in_child(try_to_use);
		works += strcmp(said, "works") == 0;
		if (strcmp(said, "works") != 0 &&
		    strstr(said, "/state.db") == NULL) {
			print_error("at %lld: '%s'\n", (long long)at, said);
			failures++;
		}
		assert_int_equal(truncate(path, st.st_size), 0);
		write_at("state.db", 0, whole, (size_t)st.st_size);
	}
	assert_int_equal(failures, 0);
	assert_true(works > 0 && works < FLIPS);
}

static void
test_makes_private_files(void **state)
{
	static const char *const names[] = {
	    "", "/lock", "/state.db", "/state.db-wal", "/state.db-shm"};
	STR_AUTO parent = directory;
	mode_t old = umask(0);
	struct store *store;
	struct stat st;

	(void)state;
	directory = xasprintf("%s/deep/er///", parent);
	store = must_open();
	umask(old);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		STR_AUTO path = xasprintf("%s/deep/er%s", parent, names[i]);

		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, i == 0 ? 0700 : 0600);
	}
	assert_true(store_check_directory(parent, NULL));
	store_close(&store);
	free(directory);
	directory = xstrdup(parent);
}

static void
test_second_is_refused(void **state)
{
	struct store *store = must_open();
	STR_AUTO pid = xasprintf("(pid %ld)", (long)getpid());
	STR_AUTO words = in_child(try_open);
	struct error error = ERROR_INIT;

	(void)state;
	if (strstr(words, "/state is in use by another belfryd") == NULL ||
	    strstr(words, pid) == NULL)
		fail_msg("%s", words);
	/* Also in the same process; and it has not lost its lock by that. */
	assert_null(store_open_sqlite(directory, &error));
	assert_non_null(strstr(error.text, pid));
	STR_AUTO again = in_child(try_open);
	assert_string_equal(again, words);
	store_close(&store);
	STR_AUTO later = in_child(try_open);
	assert_string_equal(later, "open");
}

/* ---- readers ---- */

static bool
count_hit(void *ctx, const char *rule, int64_t when)
{
	(void)rule;
	(void)when;
	++*(unsigned *)ctx;
	return true;
}

static void
count_hits(struct buf *out)
{
	struct error error = ERROR_INIT;
	struct store *store = store_open_sqlite_readonly(directory, &error);
	unsigned count = 0;

	if (store == NULL) {
		buf_add_str(out, error.text);
		return;
	}
	if (store_each_hit(store, 0, count_hit, &count, &error))
		buf_addf(out, "%u hits", count);
	else
		buf_add_str(out, error.text);
	store_close(&store);
}

static void
write_beside(struct buf *out)
{
	struct error error = ERROR_INIT;
	struct store *store = store_open_sqlite_readonly(directory, &error);
	struct store_batch *batch = store_batch_new();

	store_batch_add_hit(batch, "lists", 1);
	buf_addf(out, "%d %d", store_commit(store, batch, &error),
	    store_prune(store, INT64_MAX, &error));
	buf_addf(out, " %s", error.text);
	store_batch_free(&batch);
	store_close(&store);
}

static void
commit_hit(struct store *store)
{
	struct store_batch *batch = store_batch_new();

	store_batch_add_hit(batch, "lists", 1);
	assert_true(store_commit(store, batch, NULL));
	store_batch_free(&batch);
}

static void
test_readers(void **state)
{
	struct store *store;

	(void)state;
	STR_AUTO nothing = in_child(count_hits);
	assert_non_null(strstr(nothing, "nothing was stored yet"));
	assert_int_equal(access(directory, F_OK), -1);
	store = must_open();
	commit_hit(store);
	STR_AUTO one = in_child(count_hits);
	assert_string_equal(one, "1 hits");
	commit_hit(store);
	STR_AUTO two = in_child(count_hits);
	assert_string_equal(two, "2 hits");
	STR_AUTO refused = in_child(write_beside);
	assert_ptr_equal(strstr(refused, "0 0 "), refused);
	assert_non_null(strstr(refused, "was opened for reading only"));
	store_close(&store);
	STR_AUTO later = in_child(count_hits);
	assert_string_equal(later, "2 hits");
	prepare_newer();
	STR_AUTO newer = in_child(count_hits);
	assert_non_null(strstr(newer, "newer belfry"));
}

/* A walk sees one state of the store, whatever is committed meanwhile by the
 * daemon. */
static bool
commit_meanwhile(void *ctx, const char *rule, int64_t when)
{
	(void)rule;
	(void)when;
	commit_hit(*(struct store **)ctx);
	return true;
}

static void
test_writer_beside_reader(void **state)
{
	struct store *store = must_open(), *reader;
	unsigned count = 0;

	(void)state;
	commit_hit(store);
	commit_hit(store);
	reader = store_open_sqlite_readonly(directory, NULL);
	assert_non_null(reader);
	assert_true(store_each_hit(reader, 0, commit_meanwhile, &store, NULL));
	assert_true(store_each_hit(reader, 0, count_hit, &count, NULL));
	assert_int_equal(count, 4);
	store_close(&reader);
	store_close(&store);
}

/* ---- a full disk ---- */

/* One message with a body: the file must grow. */
static struct store_batch *
big_batch(unsigned n)
{
	static char bytes[20000];
	struct store_batch *batch = store_batch_new();
	STR_AUTO key = xasprintf("key %u", n);
	const struct store_cursor cursor = {
	    .account = "work", .mailbox = "INBOX", .next_uid = n + 1};
	const struct store_queue_item item = {
	    .key = key,
	    .account = "work",
	    .next_try_unix = -(int64_t)n,
	    .original = {bytes, sizeof(bytes)},
	};

	store_batch_set_cursor(batch, &cursor);
	store_batch_enqueue(batch, &item);
	return batch;
}

static bool
commit_big(struct store *store, unsigned n, struct error *error)
{
	struct store_batch *batch = big_batch(n);
	bool ok = store_commit(store, batch, error);

	store_batch_free(&batch);
	return ok;
}

static bool
count_item(void *ctx, const struct store_queue_item *item)
{
	(void)item;
	++*(unsigned *)ctx;
	return true;
}

/* Whether the cursor and the queue both know `count` commits. */
static bool
agrees(struct store *store, unsigned count)
{
	struct store_queue_item item;
	struct store_cursor cursor = {0};
	unsigned items = 0;
	bool found, queued;

	return store_get_cursor(
		   store, "work", "INBOX", &cursor, &found, NULL) &&
	       store_each_queued(store, NULL, count_item, &items, NULL) &&
	       store_queue_next(store, "work", &item, &queued, NULL) &&
	       cursor.next_uid == count && items == count && found == queued &&
	       (count == 0 || item.next_try_unix == -(int64_t)(count - 1));
}

/* Commits until it fails, thrice; then `relieve`s and goes on. */
static void
fill_up(struct buf *out, void (*relieve)(void))
{
	struct error error = ERROR_INIT;
	struct store *store = store_open_sqlite(directory, &error);
	unsigned count = 0;

	while (
	    store != NULL && count < 1000 && commit_big(store, count, &error))
		count++;
	for (unsigned i = 0; store != NULL && i < 2; i++) {
		if (!agrees(store, count) || commit_big(store, count, NULL))
			buf_add_str(out, "does not stay as it was; ");
	}
	relieve();
	if (store != NULL &&
	    (!commit_big(store, count, NULL) || !agrees(store, count + 1)))
		buf_add_str(out, "does not go on; ");
	store_close(&store);
	buf_addf(out, "%s after %s: %s", count < 1000 ? "failed" : "never",
	    count > 0 ? "some" : "none", error.text);
	store = store_open_sqlite(directory, &error);
	if (store == NULL || !agrees(store, count + 1))
		buf_addf(out, "; not there later: %s", error.text);
	store_close(&store);
}

static void
set_size_limit(rlim_t limit)
{
	struct rlimit now;

	getrlimit(RLIMIT_FSIZE, &now);
	now.rlim_cur = limit;
	setrlimit(RLIMIT_FSIZE, &now);
}

static void
lift_size_limit(void)
{
	set_size_limit(RLIM_INFINITY);
}

static void
fill_up_to_limit(struct buf *out)
{
	signal(SIGXFSZ, SIG_IGN);
	set_size_limit(700 * 1024);
	fill_up(out, lift_size_limit);
}

static void
remount_larger(void)
{
	mount("none", directory, "tmpfs", MS_REMOUNT, "size=8m");
}

/* A file system of its own, that nobody else sees and that ends with us. */
static void
fill_up_disk(struct buf *out)
{
	if (mkdir(directory, 0700) < 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", directory, "tmpfs", 0, "size=900k,mode=700") < 0)
		buf_add_str(out, "cannot mount");
	else
		fill_up(out, remount_larger);
}

static void
test_file_too_large(void **state)
{
	STR_AUTO words = in_child(fill_up_to_limit);

	(void)state;
	if (strstr(words, "failed after some: ") != words ||
	    strstr(words, "/state.db: cannot write: ") == NULL ||
	    strstr(words, "; ") != NULL)
		fail_msg("%s", words);
}

static void
test_full_disk(void **state)
{
	STR_AUTO words = in_child(fill_up_disk);

	(void)state;
	if (strcmp(words, "cannot mount") == 0)
		skip();
	if (strstr(words, "failed after some: ") != words ||
	    strstr(words, "/state.db: cannot write: ") == NULL ||
	    strstr(words, "is full") == NULL || strstr(words, "; ") != NULL)
		fail_msg("%s", words);
}

/* ---- what is gone is gone ---- */

/* Whether the file, which SQLite has closed, still has the words. */
static bool
has_words(const char *words)
{
	STR_AUTO path = xasprintf("%s/state.db", directory);
	FILE *file = fopen(path, "r");
	BUF_AUTO bytes = BUF_INIT;
	char part[4096];
	size_t len;

	assert_non_null(file);
	while ((len = fread(part, 1, sizeof(part), file)) > 0)
		buf_add(&bytes, part, len);
	fclose(file);
	return span_find_span(buf_span(&bytes), span_from_str(words), 0) !=
	       SIZE_MAX;
}

static void
enqueue_repeated(struct store *store, const char *words, size_t times)
{
	struct store_batch *batch = store_batch_new();
	struct store_queue_item item = {.key = "k", .account = "work"};
	BUF_AUTO bytes = BUF_INIT;

	while (times-- > 0)
		buf_add_str(&bytes, words);
	item.original = buf_span(&bytes);
	store_batch_enqueue(batch, &item);
	assert_true(store_commit(store, batch, NULL));
	store_batch_free(&batch);
}

static void
settle_first(enum queue_state outcome)
{
	struct store *store = must_open();
	struct store_batch *batch = store_batch_new();

	store_batch_set_queue(batch, 1, outcome, 1, 0, "250 ok", 5);
	assert_true(store_commit(store, batch, NULL));
	store_batch_free(&batch);
	store_close(&store);
}

static const struct {
	const char *name;
	size_t times; /* the words, in one message */
	enum queue_state outcome;
	bool expected; /* they are found */
} traces[] = {
    {"waiting", 1, QUEUE_WAITING, true},
    {"held", 1, QUEUE_HELD, true},
    {"failed", 9999, QUEUE_FAILED, true},
    {"sent", 1, QUEUE_SENT, false},
    {"sent, many pages", 9999, QUEUE_SENT, false},
    {"dropped", 1, QUEUE_DROPPED, false},
    {"dropped, many pages", 9999, QUEUE_DROPPED, false},
};

static void
test_traces(void **state)
{
	static const char words[] = "for your eyes only ";

	for (size_t i = 0; i < sizeof(traces) / sizeof(traces[0]); i++) {
		struct store *store = must_open();

		enqueue_repeated(store, words, traces[i].times);
		store_close(&store);
		assert_true(has_words(words));
		settle_first(traces[i].outcome);
		if (has_words(words) != traces[i].expected)
			fail_msg("%s: %s", traces[i].name,
			    traces[i].expected ? "lost" : "still there");
		tear_down(state);
		set_up(state);
	}
}

/* ---- kill -9 ---- */

/* Goes on where the store says, telling each commit that is done. */
static void
commit_for_ever(int out)
{
	struct store *store = store_open_sqlite(directory, NULL);
	struct store_cursor cursor = {0};
	bool found;

	if (store == NULL ||
	    !store_get_cursor(store, "work", "INBOX", &cursor, &found, NULL))
		_exit(1);
	for (unsigned n = cursor.next_uid; commit_big(store, n, NULL); n++) {
		if (write(out, &n, sizeof(n)) != sizeof(n))
			break;
	}
	_exit(1);
}

/* Kills the child a moment after its first commits; the last commit that it
 * told of, or UINT_MAX. */
static unsigned
kill_a_writer(struct random *random)
{
	unsigned last = UINT32_MAX, n;
	int ends[2], status;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		commit_for_ever(ends[1]);
	close(ends[1]);
	if (read(ends[0], &n, sizeof(n)) == sizeof(n)) {
		last = n;
		usleep((useconds_t)random_below(random, 20000));
	}
	kill(pid, SIGKILL);
	while (read(ends[0], &n, sizeof(n)) == sizeof(n))
		last = n;
	close(ends[0]);
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return last;
}

static void
test_kill(void **state)
{
	struct random random;

	(void)state;
	random_init(&random, 9);
	for (unsigned round = 0; round < KILL_ROUNDS; round++) {
		unsigned last = kill_a_writer(&random);
		struct store *store = must_open();
		struct store_cursor cursor = {0};
		bool found;

		assert_true(store_get_cursor(
		    store, "work", "INBOX", &cursor, &found, NULL));
		/* What was told is there; one more may be. */
		if (cursor.next_uid != last + 1 && cursor.next_uid != last + 2)
			fail_msg("round %u: told %u, found %u", round, last,
			    cursor.next_uid);
		if (!agrees(store, cursor.next_uid))
			fail_msg("round %u: cursor and queue differ", round);
		store_close(&store);
	}
}

/* ---- the log ---- */

#define LARGE_ITEM (256 * 1024)
#define LARGE_ITEMS 40
#define ROWS_PER_ITEM 50

/* More than SQLite's cache, so that pages reach the log before the end of
 * their transaction, and some of them again. */
static struct store_batch *
large_batch(void)
{
	struct store_batch *batch = store_batch_new();
	STR_AUTO bytes = xcalloc(1, LARGE_ITEM);

	for (unsigned i = 0; i < LARGE_ITEMS; i++) {
		STR_AUTO key = xasprintf("key %u", i);
		memset(bytes, 'a' + (int)i % 26, LARGE_ITEM);
		store_batch_enqueue(
		    batch, &(const struct store_queue_item){.key = key,
			       .source = {"work", "INBOX", 1, i},
			       .account = "work",
			       .original = span_from(bytes, LARGE_ITEM)});
		for (unsigned row = 0; row < ROWS_PER_ITEM; row++) {
			const struct store_key message = {
			    "work", "INBOX", 1, i + row * LARGE_ITEMS};
			store_batch_add_message(
			    batch, &(const struct store_message){
				       .key = message, .subject = key});
		}
	}
	return batch;
}

static void
commit_and_say(struct store *store, struct store_batch *batch, struct buf *out)
{
	struct error error = ERROR_INIT;

	if (!store_commit(store, batch, &error))
		buf_add_str(out, error.text);
	store_batch_free(&batch);
}

/* These leave without closing: what is not in the files now is lost. */

static void
write_small(struct buf *out)
{
	struct store *store = store_open_sqlite(directory, NULL);
	struct store_batch *batch = store_batch_new();

	store_batch_set_lazy(batch, true);
	store_batch_set_fact(batch, "work", "last", "lazy");
	store_batch_add_hit(batch, "lists", 5);
	commit_and_say(store, batch, out);
}

static void
write_large(struct buf *out)
{
	struct store *store = store_open_sqlite(directory, NULL);

	commit_and_say(store, large_batch(), out);
}

static bool
count_message(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	(void)message;
	(void)effects;
	(void)count;
	++*(unsigned *)ctx;
	return true;
}

static void
test_small_transaction(void **state)
{
	STR_AUTO said = in_child(write_small);
	STR_AUTO log = xasprintf("%s/state.db-wal", directory);
	STR_AUTO fact = NULL;
	struct store *store;
	struct stat st;

	(void)state;
	assert_string_equal(said, "");
	assert_int_equal(stat(log, &st), 0);
	assert_int_equal(st.st_size, WAL_STEP);
	store = must_open();
	assert_true(store_get_fact(store, "work", "last", &fact, NULL));
	assert_non_null(fact);
	assert_string_equal(fact, "lazy");
	store_close(&store);
}

static void
test_large_transaction(void **state)
{
	const struct store_history_query all = {.account = "work"};
	STR_AUTO said = in_child(write_large);
	struct store_queue_item item = {0};
	unsigned items = 0, messages = 0;
	struct store *store;
	bool found;

	(void)state;
	assert_string_equal(said, "");
	store = must_open();
	assert_true(
	    store_each_history(store, &all, count_message, &messages, NULL));
	assert_int_equal(messages, LARGE_ITEMS * ROWS_PER_ITEM);
	assert_true(store_each_queued(store, NULL, count_item, &items, NULL));
	assert_int_equal(items, LARGE_ITEMS);
	assert_true(store_queue_next(store, "work", &item, &found, NULL));
	assert_true(found);
	assert_int_equal(item.original.len, LARGE_ITEM);
	assert_int_equal(item.original.data[LARGE_ITEM - 1], 'a');
	store_close(&store);
}

/* ---- files of older versions ---- */

static const struct piece {
	off_t at;
	size_t len;
	const char *bytes;
} version_1[] =
    {
#include "tests/unit/store-version-1.inc"
},
  version_2[] = {
#include "tests/unit/store-version-2.inc"
};
#define VERSION_1_SIZE (18 * 4096)
#define VERSION_2_SIZE (24 * 4096)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
prepare_version(const struct piece *pieces, size_t count, off_t size)
{
	STR_AUTO path = xasprintf("%s/state.db", directory);

	assert_int_equal(mkdir(directory, 0700), 0);
	for (size_t i = 0; i < count; i++)
		write_at(
		    "state.db", pieces[i].at, pieces[i].bytes, pieces[i].len);
	assert_int_equal(truncate(path, size), 0);
}

static bool
say_stat(void *ctx, const struct store_rule_stat *stat)
{
	buf_addf(ctx, "%s %llu@%lld since %lld; ", stat->rule,
	    (unsigned long long)stat->hits, (long long)stat->last_hit_unix,
	    (long long)stat->since_unix);
	return true;
}

static bool
say_effect(void *ctx, const struct store_effect *effect,
    const struct store_message *message)
{
	buf_addf(ctx, "%u %s %s %s; ", message->key.uid, message->subject,
	    effect->action, effect_state_name(effect->state));
	return true;
}

static bool
say_sender(void *ctx, const char *address, int64_t last)
{
	buf_addf(ctx, "%s@%lld; ", address, (long long)last);
	return true;
}

/* All that the file holds. */
static char *
tell_store(struct store *store)
{
	struct store_cursor cursor = {0};
	struct store_queue_item item = {0};
	BUF_AUTO out = BUF_INIT;
	char *fact = NULL;
	unsigned hits = 0;
	bool found;

	assert_true(
	    store_get_cursor(store, "work", "INBOX", &cursor, &found, NULL));
	assert_true(found);
	assert_true(store_queue_next(store, "work", &item, &found, NULL));
	assert_true(found);
	assert_true(store_get_fact(store, "work", "idle", &fact, NULL));
	assert_true(store_each_hit(store, 0, count_hit, &hits, NULL));
	buf_addf(&out, "%u; %s %.*s; idle %s; %u hits; ", cursor.next_uid,
	    item.target, SPAN_FMT(item.original), fact, hits);
	free(fact);
	assert_true(store_each_open_effect(
	    store, "work", "INBOX", say_effect, &out, NULL));
	assert_true(store_each_rule_stat(store, say_stat, &out, NULL));
	assert_true(store_each_sender(store, "work", say_sender, &out, NULL));
	return buf_take_str(&out);
}

#define OLD_CONTENT                                                            \
	"42; bob@example.org the bytes; idle 9m; 3 hits; "                     \
	"41 hello forward \"bob@example.org\" started; "                       \
	"boss 1@20 since 20; lists 2@50 since 30; "

/* All is there, nothing is counted twice, and what is new works. */
static void
test_version_1(void **state)
{
	struct store *store;
	struct store_batch *batch = store_batch_new();

	(void)state;
	prepare_version(version_1, COUNT(version_1), VERSION_1_SIZE);
	STR_AUTO before = in_child(count_hits);
	assert_non_null(strstr(before, "of an older belfry"));
	store = must_open();
	STR_AUTO first = tell_store(store);
	assert_string_equal(first, OLD_CONTENT);
	store_batch_add_sender(batch, "work", "ann@x", 60);
	assert_true(store_commit(store, batch, NULL));
	store_batch_free(&batch);
	store_close(&store);
	store = must_open();
	STR_AUTO again = tell_store(store);
	assert_string_equal(again, OLD_CONTENT "ann@x@60; ");
	store_close(&store);
	STR_AUTO later = in_child(count_hits);
	assert_string_equal(later, "3 hits");
}

static bool
say_history(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	buf_addf(ctx, "%s/%u %s (%s)", message->key.mailbox, message->key.uid,
	    message->subject, message->rules);
	for (size_t i = 0; i < count; i++)
		buf_addf(ctx, " #%u %s %s", effects[i].seq, effects[i].action,
		    effect_state_name(effects[i].state));
	buf_add_str(ctx, "; ");
	return true;
}

/* Tables whose rows are their index: all rows came along, and are found. */
static void
test_version_2(void **state)
{
	const struct store_history_query all = {.account = "work"};
	BUF_AUTO history = BUF_INIT;
	struct store *store;

	(void)state;
	prepare_version(version_2, COUNT(version_2), VERSION_2_SIZE);
	STR_AUTO before = in_child(count_hits);
	assert_non_null(strstr(before, "of an older belfry"));
	store = must_open();
	STR_AUTO first = tell_store(store);
	assert_string_equal(first,
	    "42; bob@example.org the bytes; idle 9m; 3 hits; "
	    "41 hello forward \"bob@example.org\" started; "
	    "41 hello move Lists planned; "
	    "boss 1@20 since 20; lists 2@50 since 30; eve@x@60; ann@x@50; ");
	assert_true(
	    store_each_history(store, &all, say_history, &history, NULL));
	assert_string_equal(buf_str(&history),
	    "INBOX/41 hello (lists) #0 forward \"bob@example.org\" started"
	    " #1 move Lists planned; INBOX/40 before (); "
	    "Lists/9 old (boss) #0 copy Boss done; ");
	assert_true(store_prune(store, 25, NULL)); /* what is old goes */
	buf_clear(&history);
	assert_true(
	    store_each_history(store, &all, say_history, &history, NULL));
	assert_null(strstr(buf_str(&history), "Lists/9"));
	store_close(&store);
	STR_AUTO later = in_child(count_hits);
	assert_string_equal(later, "2 hits");
}

/* ---- files that go while they are used ---- */

static bool
try_commit(struct store *store, uint32_t next, struct error *error_r)
{
	struct store_batch *batch = store_batch_new();
	bool ok;

	store_batch_set_cursor(batch,
	    &(const struct store_cursor){"work", "INBOX", 7, next, 0, NULL});
	ok = store_commit(store, batch, error_r);
	store_batch_free(&batch);
	return ok;
}

/* The database, or its log, is moved away, and something else may be put in
 * its place: nothing is committed until it is back. */
static void
go_and_come_back(const char *name, bool is_replaced)
{
	struct store *store = must_open();
	struct error error = ERROR_INIT;
	STR_AUTO path = xasprintf("%s/%s", directory, name);
	STR_AUTO away = xasprintf("%s/away", directory);
	struct store_cursor cursor;
	bool found;

	assert_true(try_commit(store, 1, NULL));
	assert_int_equal(rename(path, away), 0);
	if (is_replaced) {
		FILE *file = fopen(path, "w");
		assert_non_null(file);
		fclose(file);
	}
	for (unsigned i = 0; i < 3; i++) {
		error = (struct error)ERROR_INIT;
		assert_false(try_commit(store, 2, &error));
		assert_int_equal(error.fault, FAULT_LOCAL);
		assert_non_null(strstr(error.text, path));
		assert_non_null(
		    strstr(error.text, "was removed or replaced while"));
	}
	assert_int_equal(rename(away, path), 0);
	assert_true(try_commit(store, 3, NULL));
	assert_true(
	    store_get_cursor(store, "work", "INBOX", &cursor, &found, NULL));
	assert_int_equal(cursor.next_uid, 3);
	store_close(&store);
}

static void
test_removed_files(void **state)
{
	(void)state;
	go_and_come_back("state.db", false);
	go_and_come_back("state.db", true);
	go_and_come_back("state.db-wal", false);
	go_and_come_back("state.db-wal", true);
}

/* Before anything was committed, too. */
static void
test_removed_at_once(void **state)
{
	struct store *store = must_open();
	STR_AUTO path = xasprintf("%s/state.db", directory);

	(void)state;
	assert_int_equal(unlink(path), 0);
	assert_false(try_commit(store, 2, NULL));
	store_close(&store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_refusals),
	    TEST(test_cuts),
	    TEST(test_begun_database),
	    TEST(test_flips),
	    TEST(test_makes_private_files),
	    TEST(test_second_is_refused),
	    TEST(test_readers),
	    TEST(test_writer_beside_reader),
	    TEST(test_file_too_large),
	    TEST(test_full_disk),
	    TEST(test_traces),
	    TEST(test_small_transaction),
	    TEST(test_large_transaction),
	    TEST(test_version_1),
	    TEST(test_version_2),
	    TEST(test_kill),
	    TEST(test_removed_files),
	    TEST(test_removed_at_once),
	};
	int failed;

	if (mkdtemp(base) == NULL)
		return 1;
	failed = cmocka_run_group_tests_name("sqlite", tests, NULL, NULL);
	remove_tree(base);
	return failed;
}
