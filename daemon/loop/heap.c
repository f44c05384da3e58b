#include "daemon/loop/heap.h"

#include "daemon/base/xalloc.h"

static void
put(struct heap *heap, size_t place, struct heap_item *item)
{
	heap->items[place] = item;
	item->place = place;
}

static void
sift_up(struct heap *heap, struct heap_item *item)
{
	size_t place = item->place;

	while (place > 1 && heap->items[place / 2]->when > item->when) {
		put(heap, place, heap->items[place / 2]);
		place /= 2;
	}
	put(heap, place, item);
}

static void
sift_down(struct heap *heap, struct heap_item *item)
{
	size_t place = item->place;

	for (;;) {
		size_t child = place * 2;

		if (child > heap->len)
			break;
		if (child < heap->len &&
		    heap->items[child + 1]->when < heap->items[child]->when)
			child++;
		if (heap->items[child]->when >= item->when)
			break;
		put(heap, place, heap->items[child]);
		place = child;
	}
	put(heap, place, item);
}

void
heap_done(struct heap *heap)
{
	for (size_t i = 1; i <= heap->len; i++)
		heap->items[i]->place = 0;
	free(heap->items);
	*heap = (struct heap)HEAP_INIT;
}

void
heap_set(struct heap *heap, struct heap_item *item, usec_t when)
{
	item->when = when;
	if (item->place == 0) {
		if (heap->len + 1 >= heap->cap) {
			heap->cap = heap->cap == 0 ? 64 : heap->cap * 2;
			heap->items = xreallocarray(
			    heap->items, heap->cap, sizeof(heap->items[0]));
		}
		put(heap, ++heap->len, item);
	}
	sift_up(heap, item);
	sift_down(heap, item);
}

void
heap_remove(struct heap *heap, struct heap_item *item)
{
	struct heap_item *last;

	if (item->place == 0)
		return;
	last = heap->items[heap->len--];
	if (last != item) {
		put(heap, item->place, last);
		sift_up(heap, last);
		sift_down(heap, last);
	}
	item->place = 0;
}

struct heap_item *
heap_first(const struct heap *heap)
{
	return heap->len == 0 ? NULL : heap->items[1];
}
