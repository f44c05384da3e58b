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
		if (queue_entry_at(pos)->is_bare ||
		    queue_entry_at(pos)->n.is_private)
			continue;
		add_summary_line(&body, &queue_entry_at(pos)->n);
		lines++;
	}
	if (lines > 0 && lines < total)
		buf_addf(&body, "\nand %zu more", total - lines);
	return buf_take_str(&body);
}

static char *
summary_title(const char *account, size_t total, bool all_messages)
{
	const char *what = all_messages ? "message" : "notification";
	const char *in = account[0] != '\0' ? " in " : "";

	if (total == 1 && all_messages)
		return xasprintf("New message%s%s", in, account);
	return xasprintf("%zu %s%s%s%s%s", total, all_messages ? "new " : "",
	    what, total == 1 ? "" : "s", in, account);
}

static void
set_text(char **text, char *taken)
{
	free(*text);
	*text = taken;
}

/* A one-time code is a thing to know of a message, too. */
static char *
without_copy(const char *actions)
{
	struct span rest = span_from_str(actions), key;
	BUF_AUTO left = BUF_INIT;

	while (span_split(&rest, ',', &key))
		if (!span_is(key, NOTIFY_COPY))
			buf_addf(&left, "%s%.*s", left.len > 0 ? "," : "",
			    SPAN_FMT(key));
	return buf_take_str(&left);
}

void
queue_make_private(struct notification *n)
{
	bool is_silent = n->sound[0] == '\0';

	set_text(&n->title, summary_title(n->account, 1, true));
	set_text(&n->body, xstrdup(""));
	set_text(&n->preview, xstrdup(""));
	set_text(&n->code, NULL);
	set_text(&n->icon, xstrdup(NOTIFICATION_ICON));
	set_text(&n->sound, xstrdup(is_silent ? "" : NOTIFICATION_SOUND));
	set_text(&n->actions, without_copy(n->actions));
}

void
queue_hide_message(struct notification *n)
{
	set_text(&n->message_id, xstrdup(""));
	set_text(&n->url, xstrdup(""));
	set_text(&n->mailbox, xstrdup(""));
	n->uidvalidity = n->uid = 0;
}

/* Opening is for the newest, reading for all; what takes away many messages
 * at one click is not offered. */
static void
set_actions(struct notification *n, bool any_open, bool any_read, size_t total)
{
	if (total == 1)
		return;
	free(n->actions);
	n->actions = xasprintf("%s%s%s", any_open ? NOTIFY_OPEN : "",
	    any_open && any_read ? "," : "", any_read ? NOTIFY_READ_ALL : "");
}

void
queue_fill_summary(const struct request *request, struct notification *n)
{
	struct entry *newest = queue_entry_at(request->entries.prev);
	size_t total = request->dropped;
	bool all_messages = true, any_open = false, any_read = false;

	notification_copy(n, &newest->n);
	LIST_EACH(pos, &request->entries)
	{
		const struct notification *each = &queue_entry_at(pos)->n;

		keep_common(&n->account, each->account);
		keep_common(&n->mailbox, each->mailbox);
		if (each->urgency > n->urgency)
			n->urgency = each->urgency;
		all_messages = all_messages && each->uid != 0;
		any_open = any_open || notification_offers(each, NOTIFY_OPEN);
		any_read = any_read || notification_offers(each, NOTIFY_READ);
		total++;
	}
	free(n->title);
	free(n->body);
	free(n->preview);
	free(n->message_id);
	free(n->code);
	n->id = request->id;
	if (total != 1)
		n->uidvalidity = n->uid = 0;
	n->title = summary_title(n->account, total, all_messages);
	n->body = summary_body(request, total);
	n->preview = xstrdup("");
	n->message_id = xstrdup("");
	n->code = NULL;
	if (n->is_private)
		queue_hide_message(n);
	set_actions(n, any_open, any_read, total);
	if (n->sound == NULL)
		n->sound = xstrdup("");
	if (n->icon == NULL)
		n->icon = xstrdup("");
}
