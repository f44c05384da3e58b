/*
 * notifiers/shown: what was shown, as a text.
 */
#include "notifiers/shown.h"

#include <string.h>

#include "daemon/base/xalloc.h"

static void
free_item(struct shown_item *item)
{
	free(item->key);
	free(item->id);
}

static void
clear(struct shown *shown)
{
	for (size_t i = 0; i < shown->count; i++)
		free_item(&shown->items[i]);
	shown->count = 0;
	shown->uidvalidity = 0;
}

void
shown_done(struct shown *shown)
{
	clear(shown);
	free(shown->items);
	shown->items = NULL;
}

static void
remove_at(struct shown *shown, size_t index)
{
	free_item(&shown->items[index]);
	shown->count--;
	memmove(&shown->items[index], &shown->items[index + 1],
	    (shown->count - index) * sizeof(*shown->items));
}

static bool
is_name(struct span text)
{
	static const char extra[] = "-_.";

	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		bool is_plain = (c >= '0' && c <= '9') ||
				(c >= 'a' && c <= 'z') ||
				(c >= 'A' && c <= 'Z');
		if (!is_plain && memchr(extra, c, sizeof(extra) - 1) == NULL)
			return false;
	}
	return text.len > 0 && text.len <= SHOWN_NAME_MAX;
}

/* ---- adding and removing ---- */

static size_t
find(const struct shown *shown, uint32_t uid, unsigned seq)
{
	for (size_t i = 0; i < shown->count; i++)
		if (shown->items[i].uid == uid && shown->items[i].seq == seq)
			return i;
	return SIZE_MAX;
}

bool
shown_has(
    const struct shown *shown, uint32_t uidvalidity, uint32_t uid, unsigned seq)
{
	return shown->uidvalidity == uidvalidity &&
	       find(shown, uid, seq) != SIZE_MAX;
}

const struct shown_item *
shown_get(
    const struct shown *shown, uint32_t uidvalidity, uint32_t uid, unsigned seq)
{
	return shown_has(shown, uidvalidity, uid, seq)
		   ? &shown->items[find(shown, uid, seq)]
		   : NULL;
}

static char *
name_or_null(const char *name)
{
	return name != NULL && is_name(span_from_str(name)) ? xstrdup(name)
							    : NULL;
}

void
shown_add(struct shown *shown, uint32_t uidvalidity, uint32_t uid, unsigned seq,
    const char *key, const char *id)
{
	size_t index;

	if (shown->uidvalidity != uidvalidity)
		clear(shown);
	shown->uidvalidity = uidvalidity;
	if (shown->items == NULL)
		shown->items = xcalloc(SHOWN_ITEMS_MAX, sizeof(*shown->items));
	index = find(shown, uid, seq);
	if (index != SIZE_MAX)
		remove_at(shown, index);
	else if (shown->count == SHOWN_ITEMS_MAX)
		remove_at(shown, 0);
	struct shown_item *item = &shown->items[shown->count++];
	*item = (struct shown_item){.uid = uid, .seq = seq};
	item->key = name_or_null(key);
	item->id = item->key != NULL ? name_or_null(id) : NULL;
}

static bool
is_same(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

bool
shown_remove(struct shown *shown, uint32_t uidvalidity, uint32_t uid,
    unsigned seq, const char *key, const char *id)
{
	size_t index = find(shown, uid, seq);

	if (shown->uidvalidity != uidvalidity || index == SIZE_MAX ||
	    !is_same(shown->items[index].key, key) ||
	    !is_same(shown->items[index].id, id))
		return false;
	remove_at(shown, index);
	return true;
}

/* ---- as a text ---- */

/* "0" is no UID, and a number has no sign. */
static bool
read_number(struct span text, uint32_t *number_r)
{
	return text.len > 0 && span_to_u32(text, number_r);
}

static void
parse_item(struct shown *shown, struct span text)
{
	struct span number, uid, key;
	uint32_t message, seq;
	STR_AUTO key_text = NULL;
	STR_AUTO id_text = NULL;

	if (!span_split(&text, '=', &number) ||
	    !span_split(&number, '.', &uid) || !read_number(uid, &message) ||
	    message == 0 || !read_number(number, &seq))
		return;
	if (span_split(&text, ':', &key) && key.len > 0) {
		key_text = xstrdup_span(key);
		if (text.len > 0)
			id_text = xstrdup_span(text);
	}
	shown_add(shown, shown->uidvalidity, message, seq, key_text, id_text);
}

void
shown_parse(struct span text, struct shown *shown)
{
	struct span word;
	uint32_t validity;

	clear(shown);
	if (text.len > SHOWN_TEXT_MAX || !span_split(&text, ' ', &word) ||
	    !read_number(word, &validity) || validity == 0)
		return;
	shown->uidvalidity = validity;
	while (span_split(&text, ' ', &word))
		parse_item(shown, word);
}

static void
format_item(const struct shown_item *item, struct buf *out)
{
	buf_addf(out, " %u.%u", item->uid, item->seq);
	if (item->key != NULL)
		buf_addf(out, "=%s", item->key);
	if (item->id != NULL)
		buf_addf(out, ":%s", item->id);
}

void
shown_format(const struct shown *shown, struct buf *out)
{
	BUF_AUTO all = BUF_INIT;
	size_t before = out->len, from = 0, head;
	struct span text;

	buf_addf(out, "%u", shown->uidvalidity);
	head = out->len - before;
	for (size_t i = 0; i < shown->count; i++)
		format_item(&shown->items[i], &all);
	text = buf_span(&all);
	/* The oldest give way; each begins with a blank. */
	while (text.len - from + head > SHOWN_TEXT_MAX) {
		size_t next = span_find(span_skip(text, from + 1), ' ');
		from = next == SIZE_MAX ? text.len : from + 1 + next;
	}
	buf_add_span(out, span_skip(text, from));
}
