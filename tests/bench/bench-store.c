/*
 * bench-store: what a commit costs.
 *
 *	bench-store [folder] [seconds]
 *
 * Journals messages (a cursor, a message, two effects and a hit: five rows)
 * in batches of several sizes, into the memory and into SQLite, and prints
 * rows a second beside a floor measured on the same disk in the same run:
 * the bytes of the same rows appended to a file with one write and one
 * fdatasync a batch, which no journal can beat by much. The ratio is what
 * counts; disks differ. Nothing passes or fails.
 */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/xalloc.h"
#include "daemon/store/store.h"

#define ROWS_OF_MESSAGE 5
#define BYTES_OF_MESSAGE 600 /* its rows in SQLite, about */
#define SECONDS 1.0

static const unsigned batches[] = {1, 10, 100};

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
add_message(struct store_batch *batch, uint32_t uid)
{
	const struct store_key key = {"work", "INBOX", 7, uid};
	const struct store_message message = {
	    .key = key,
	    .message_id = "<20261121204300.1234@mail.example.org>",
	    .from = "Ann Example <ann@example.org>",
	    .subject = "The minutes of the meeting of last week",
	    .size = 12345,
	    .judged_unix = uid,
	    .rules = "lists boss",
	};
	struct store_effect effect = {
	    .key = key,
	    .rule = "lists",
	    .kind = "move",
	    .action = "move \"Lists/Belfry\"",
	};

	store_batch_add_message(batch, &message);
	store_batch_add_effect(batch, &effect);
	effect.seq = 1;
	store_batch_add_effect(batch, &effect);
	store_batch_add_hit(batch, "lists", uid);
}

static struct store_batch *
make_batch(unsigned messages, uint32_t *uid)
{
	struct store_batch *batch = store_batch_new();
	struct store_cursor cursor = {
	    .account = "work", .mailbox = "INBOX", .uidvalidity = 7};

	for (unsigned i = 0; i < messages; i++) {
		cursor.next_uid = ++*uid + 1;
		store_batch_set_cursor(batch, &cursor);
		add_message(batch, *uid);
	}
	return batch;
}

/* Messages a second. */
static double
measure_store(struct store *store, unsigned messages, double seconds)
{
	double start = now(), end;
	static uint32_t uid;
	unsigned done = 0;

	do {
		struct store_batch *batch = make_batch(messages, &uid);
		struct error error = ERROR_INIT;

		if (!store_commit(store, batch, &error)) {
			fprintf(stderr, "bench-store: %s\n", error.text);
			exit(1);
		}
		store_batch_free(&batch);
		done += messages;
	} while ((end = now()) - start < seconds);
	return done / (end - start);
}

static double
measure_floor(int fd, unsigned messages, double seconds)
{
	size_t len = (size_t)messages * BYTES_OF_MESSAGE;
	double start = now(), end;
	char *bytes = xcalloc(1, len);
	unsigned done = 0;

	do {
		if (write(fd, bytes, len) != (ssize_t)len ||
		    fdatasync(fd) < 0) {
			perror("bench-store");
			exit(1);
		}
		done += messages;
	} while ((end = now()) - start < seconds);
	free(bytes);
	return done / (end - start);
}

static void
remove_files(const char *folder)
{
	static const char *const names[] = {
	    "state.db", "state.db-wal", "state.db-shm", "lock", "floor"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		STR_AUTO path = xasprintf("%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
}

static void
print_batch(
    struct store *sqlite, int floor_fd, unsigned messages, double seconds)
{
	struct store *memory = store_open_memory();
	double floor = measure_floor(floor_fd, messages, seconds);
	double disk = measure_store(sqlite, messages, seconds);
	double ram = measure_store(memory, messages, seconds);

	printf("%5u  %10.0f  %10.0f  %6.2f  %12.0f\n", messages,
	    floor * ROWS_OF_MESSAGE, disk * ROWS_OF_MESSAGE, disk / floor,
	    ram * ROWS_OF_MESSAGE);
	store_close(&memory);
}

static bool
ignore_message(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	(void)message;
	(void)effects;
	(void)count;
	++*(unsigned *)ctx;
	return true;
}

/* What grows with the age of the file. */
static void
print_old_file(const char *folder)
{
	const struct store_history_query last = {.limit = 20};
	double start = now(), opened, told, pruned;
	struct store *store = store_open_sqlite(folder, NULL);
	unsigned count = 0;

	opened = now();
	store_each_history(store, &last, ignore_message, &count, NULL);
	told = now();
	store_prune(store, INT64_MAX / 2, NULL);
	pruned = now();
	printf("open and check %.1f ms, last %u messages %.2f ms,"
	       " prune %.1f ms\n",
	    (opened - start) * 1e3, count, (told - opened) * 1e3,
	    (pruned - told) * 1e3);
	store_close(&store);
}

int
main(int argc, char **argv)
{
	double seconds = argc > 2 ? strtod(argv[2], NULL) : SECONDS;
	STR_AUTO folder =
	    xasprintf("%s/bench-store-XXXXXX", argc > 1 ? argv[1] : "/tmp");
	STR_AUTO path = NULL;
	struct error error = ERROR_INIT;
	struct store *store;
	int fd;

	if (mkdtemp(folder) == NULL)
		return 1;
	path = xasprintf("%s/floor", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	store = store_open_sqlite(folder, &error);
	if (fd < 0 || store == NULL) {
		fprintf(stderr, "bench-store: %s\n", error.text);
		return 1;
	}
	printf("rows a second\n%5s  %10s  %10s  %6s  %12s\n", "batch", "floor",
	    "sqlite", "ratio", "memory");
	for (size_t i = 0; i < sizeof(batches) / sizeof(batches[0]); i++)
		print_batch(store, fd, batches[i], seconds);
	store_close(&store);
	print_old_file(folder);
	close(fd);
	remove_files(folder);
	return 0;
}
