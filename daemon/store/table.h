/*
 * store/table: rows in order, by pointer.
 *
 * A sorted array: found in O(log n), added and removed by moving pointers.
 * Mail comes with growing UIDs, so most additions are at the end of their
 * mailbox. The rows are the caller's.
 */
#ifndef BELFRY_STORE_TABLE_H
#define BELFRY_STORE_TABLE_H

#include <stdbool.h>
#include <stddef.h>

typedef int table_compare_fn(const void *a, const void *b);

struct table {
	table_compare_fn *compare;
	void **rows; /* owned; what they point to is not */
	size_t count, room;
};

#define TABLE_INIT(compare)                                                    \
	{                                                                      \
		(compare), NULL, 0, 0                                          \
	}

/* Frees the array only. */
void table_done(struct table *table);
/* The index of the first row that is not before `row`; may be count. */
size_t table_search(const struct table *table, const void *row);
/* The row that compares equal, or NULL. */
void *table_find(const struct table *table, const void *row);
/* Adds behind its equals. */
void table_add(struct table *table, void *row);
/* Removes this very row; false if it is not there. */
bool table_remove(struct table *table, const void *row);

#endif
