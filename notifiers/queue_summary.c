/*
 * notifiers/queue: one notification that counts several.
 */
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "notifiers/queue_private.h"

/* Only an account or mailbox that all have is named. */
static void
keep_common(char **name, const char *other)
{
	if (strcmp(*name, other) == 0)
		return;
	free(*name);
	*name = xstrdup("");
}

static void
add_summary_line(struct buf *body, const struct notification *n)
{
	BUF_AUTO line = BUF_INIT;

	buf_addf(&line, "%s%s%s", n->title, n->title[0] != '\0' ? ": " : "",
	    n->body);
	if (body->len > 0)
		buf_add_char(body, '\n');
	str_sanitize(body, buf_span(&line), QUEUE_SUMMARY_LINE_MAX);
}

/* The newest first: servers show the first lines of a long text. */
static char *
summary_body(const struct request *request, size_t total)
{
	BUF_AUTO body = BUF_INIT;
	size_t lines = 0;

	for (struct list_link *pos = request->entries.prev;
	     pos != &request->entries && lines < QUEUE_SUMMARY_LINES;
	     pos = pos->prev) {
		if (queue_entry_at(pos)->is_bare)
			continue;
		add_summary_line(&body, &queue_entry_at(pos)->n);
		lines++;
	}
	if (lines > 0 && lines < total)
		buf_addf(&body, "\nand %zu more", total - lines);
	return buf_take_str(&body);
}

void
queue_fill_summary(const struct request *request, struct notification *n)
{
	struct entry *newest = queue_entry_at(request->entries.prev);
	size_t total = request->dropped;
	bool all_messages = true;

	notification_copy(n, &newest->n);
	LIST_EACH(pos, &request->entries)
	{
		const struct notification *each = &queue_entry_at(pos)->n;

		keep_common(&n->account, each->account);
		keep_common(&n->mailbox, each->mailbox);
		if (each->urgency > n->urgency)
			n->urgency = each->urgency;
		all_messages = all_messages && each->uid != 0;
		total++;
	}
	free(n->title);
	free(n->body);
	free(n->message_id);
	n->id = request->id;
	n->uidvalidity = n->uid = 0;
	n->title = xasprintf("%zu %s%s%s%s", total,
	    all_messages ? "new message" : "notification",
	    total == 1 ? "" : "s", n->account[0] != '\0' ? " in " : "",
	    n->account);
	n->body = summary_body(request, total);
	n->message_id = xstrdup("");
	if (n->sound == NULL)
		n->sound = xstrdup("");
	if (n->icon == NULL)
		n->icon = xstrdup("");
}
