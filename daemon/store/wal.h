/*
 * store/wal: how SQLite's write-ahead log reaches the disk.
 *
 * SQLite writes each page of a transaction with two calls, and lets its log
 * grow with every one, so that each sync must write the file's new size, too.
 * What a message is judged to need waits for that sync. Here is a VFS (a shim
 * over the system's own) that gathers the pages of a transaction and writes
 * them with one call, and lets the log grow in large steps, over zeros, which
 * SQLite takes for the end of the log. All other files are the system's.
 *
 * Nothing is held back longer than SQLite may rely on: what was gathered is
 * written with the page that ends the transaction, whose failure is then the
 * transaction's, and before the log is read, synced, cut or asked for its
 * size.
 *
 * A sync that fails is told once; the system then takes for written what it
 * could not write, and may lose it without another word. What SQLite gives up
 * with the transaction is written anew by the next one. But what was committed
 * lazily before it is believed, and everything behind a hole in the log is lost
 * with it: so that is kept in memory until a sync has worked, and written once
 * more after one that did not. Until then the log is doubted.
 */
#ifndef BELFRY_STORE_WAL_H
#define BELFRY_STORE_WAL_H

#include <stdbool.h>

/* The largest single write. */
#define WAL_GATHER_MAX (64 * 1024)
/* The log's size is a multiple, so 4 MiB, where sqlite.c has it end. */
#define WAL_STEP (512 * 1024)

/* The name for sqlite3_open_v2. */
const char *wal_vfs(void);

struct sqlite3;

/* Between transactions: what is committed from now on is not synced with its
 * commit (about as much as SQLite lets the log hold before it syncs it). */
void wal_set_lazy(struct sqlite3 *db, bool is_lazy);
/* A sync has failed, and none has worked since. */
bool wal_is_doubted(struct sqlite3 *db);
/* Of a doubted log: tries whether the disk takes it now. SQLite's code. */
int wal_settle(struct sqlite3 *db);

#endif
