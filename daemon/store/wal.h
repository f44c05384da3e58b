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
 */
#ifndef BELFRY_STORE_WAL_H
#define BELFRY_STORE_WAL_H

/* The largest single write. */
#define WAL_GATHER_MAX (64 * 1024)
/* The log's size is a multiple, so 4 MiB, where sqlite.c has it end. */
#define WAL_STEP (512 * 1024)

/* The name for sqlite3_open_v2. */
const char *wal_vfs(void);

#endif
