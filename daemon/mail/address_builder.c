#include "daemon/mail/address_builder.h"

#include "daemon/base/xalloc.h"

#define ITEMS_FIRST 4

static char *
put(char **room, struct span text)
{
	char *put = *room;

	if (text.len > 0)
		memcpy(put, text.data, text.len);
	put[text.len] = '\0';
	*room = put + text.len + 1;
	return put;
}

/* The name is the first in the memory of all. */
static struct address
make_address(const struct address_texts *texts)
{
	struct address address;
	char *room = xmalloc(texts->name.len + texts->user.len +
			     texts->domain.len + texts->addr.len + 4);

	address.name = put(&room, texts->name);
	address.user = put(&room, texts->user);
	address.domain = put(&room, texts->domain);
	address.addr = put(&room, texts->addr);
	return address;
}

static void
make_room(struct address_builder *builder)
{
	struct address_list *list = builder->list;

	if (list->count < builder->size)
		return;
	builder->size = builder->size == 0 ? ITEMS_FIRST : builder->size * 2;
	list->items =
	    xreallocarray(list->items, builder->size, sizeof(*list->items));
}

void
address_builder_add(
    struct address_builder *builder, const struct address_texts *texts)
{
	struct address_list *list = builder->list;

	if (texts->name.len == 0 && texts->addr.len == 0)
		return;
	if (list->count == ADDRESS_LIST_MAX) {
		list->is_truncated = true;
		return;
	}
	make_room(builder);
	list->items[list->count++] = make_address(texts);
}

void
address_list_done(struct address_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].name);
	free(list->items);
	*list = (struct address_list){NULL, 0, false};
}
