/*
 * loop/heap: which timer is due first. A binary heap of intrusive items; an
 * item knows its place, so that it can be moved or taken out anywhere in
 * O(log n). Holds nothing but pointers; items belong to the caller.
 */
#ifndef BELFRY_LOOP_HEAP_H
#define BELFRY_LOOP_HEAP_H

#include <stddef.h>

#include "daemon/base/usec.h"

struct heap_item {
	usec_t when;
	size_t place; /* 1-based; 0: in no heap */
};

struct heap {
	struct heap_item **items; /* owned array, items[0] is unused */
	size_t len;
	size_t cap;
};

#define HEAP_INIT                                                              \
	{                                                                      \
		NULL, 0, 0                                                     \
	}

void heap_done(struct heap *heap);
/* Adds the item, or moves it if it is in the heap already. */
void heap_set(struct heap *heap, struct heap_item *item, usec_t when);
/* Harmless on an item that is in no heap. */
void heap_remove(struct heap *heap, struct heap_item *item);
/* The item that is due first, or NULL. */
struct heap_item *heap_first(const struct heap *heap);

#endif
