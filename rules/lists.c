#include "rules/lists.h"

#include "daemon/base/xalloc.h"

void
lists_done(struct lists *lists)
{
	for (size_t i = 0; i < lists->count; i++) {
		free(lists->items[i].name);
		members_done(lists->items[i].members);
		free(lists->items[i].members);
	}
	free(lists->items);
	strv_done(&lists->files);
	*lists = (struct lists){0};
}

struct members *
lists_find(const struct lists *lists, struct span name, bool is_file)
{
	for (size_t i = 0; i < lists->count; i++)
		if (lists->items[i].is_file == is_file &&
		    span_is(name, lists->items[i].name))
			return lists->items[i].members;
	return NULL;
}

struct members *
lists_add(struct lists *lists, struct span name, bool is_file)
{
	struct members *members = lists_find(lists, name, is_file);
	struct named_list *list;

	if (members != NULL)
		return members;
	if (lists->count == lists->cap) {
		lists->cap = lists->cap == 0 ? 8 : 2 * lists->cap;
		lists->items = xreallocarray(
		    lists->items, lists->cap, sizeof(*lists->items));
	}
	list = &lists->items[lists->count++];
	list->name = xstrdup_span(name);
	list->is_file = is_file;
	list->members = NEW(struct members);
	if (is_file)
		strv_add_span(&lists->files, name);
	return list->members;
}

void
lists_names(const struct lists *lists, struct strv *names_r)
{
	strv_init(names_r);
	for (size_t i = 0; i < lists->count; i++)
		if (!lists->items[i].is_file)
			strv_add(names_r, lists->items[i].name);
}
