/*
 * list: an intrusive, doubly linked ring.
 *
 * A struct that wants to be in a list has a `struct list_link`; the list's
 * head is a struct list_link of its own. Heads and members say in a comment
 * what they hold: `struct list_link jobs; // struct job::link`.
 */
#ifndef BELFRY_BASE_LIST_H
#define BELFRY_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_link {
	struct list_link *prev, *next;
};

/* The struct of `type` whose member `member` is at `link`. */
#define LIST_ITEM(link, type, member)                                          \
	((type *)(void *)((char *)(link)-offsetof(type, member)))
/* Walks; the current link may be removed inside the loop. */
#define LIST_EACH(pos, head)                                                   \
	for (struct list_link *pos = (head)->next, *pos##_next = pos->next;    \
	     pos != (head); pos = pos##_next, pos##_next = pos->next)

static inline void
list_init(struct list_link *head)
{
	head->prev = head->next = head;
}

static inline bool
list_is_empty(const struct list_link *head)
{
	return head->next == head;
}

/* Adds at the end. */
static inline void
list_add(struct list_link *head, struct list_link *link)
{
	link->prev = head->prev;
	link->next = head;
	head->prev->next = link;
	head->prev = link;
}

/* Takes the first out; there is one. */
static inline struct list_link *
list_take_first(struct list_link *head)
{
	struct list_link *first = head->next;

	head->next = first->next;
	first->next->prev = head;
	list_init(first);
	return first;
}

/* Removes from whichever list it is in; harmless on an initialised link. */
static inline void
list_remove(struct list_link *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

#endif
