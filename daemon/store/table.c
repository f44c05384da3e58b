/* Rows in order, by pointer. */
#include "daemon/store/table.h"

#include <string.h>

#include "daemon/base/xalloc.h"

#define TABLE_ROOM_MIN 16

void
table_done(struct table *table)
{
	free(table->rows);
	table->rows = NULL;
	table->count = table->room = 0;
}

/* The first row that is not before `row`, or, with `behind`, that is after
 * it. */
static size_t
bisect(const struct table *table, const void *row, bool behind)
{
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = table->compare(table->rows[middle], row);

		if (order < 0 || (behind && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t
table_search(const struct table *table, const void *row)
{
	return bisect(table, row, false);
}

void *
table_find(const struct table *table, const void *row)
{
	size_t at = table_search(table, row);

	if (at == table->count || table->compare(table->rows[at], row) != 0)
		return NULL;
	return table->rows[at];
}

void
table_add(struct table *table, void *row)
{
	size_t at = bisect(table, row, true);

	if (table->count == table->room) {
		table->room =
		    table->room > 0 ? table->room * 2 : TABLE_ROOM_MIN;
		table->rows = xreallocarray(
		    table->rows, table->room, sizeof(*table->rows));
	}
	memmove(&table->rows[at + 1], &table->rows[at],
	    (table->count - at) * sizeof(*table->rows));
	table->rows[at] = row;
	table->count++;
}

bool
table_remove(struct table *table, const void *row)
{
	size_t at = table_search(table, row);

	while (at < table->count && table->rows[at] != row &&
	       table->compare(table->rows[at], row) == 0)
		at++;
	if (at == table->count || table->rows[at] != row)
		return false;
	table->count--;
	memmove(&table->rows[at], &table->rows[at + 1],
	    (table->count - at) * sizeof(*table->rows));
	return true;
}
