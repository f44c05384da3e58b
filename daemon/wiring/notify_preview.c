/*
 * wiring: what a notification also says of a message: how its text begins, and
 * that there is a one-time code in it.
 *
 * The beginning is asked for on the connection of the mailbox, and only when
 * the desktop would show it by itself; the notification waits for it, but not
 * for long. The same of what is shown again after a restart; and there the
 * subject, too, if the store did not keep the one-time code that is in it. Of a
 * message that a rule took away the mailbox has asked before that
 * (account/mailbox_preview.c).
 */
#include "daemon/mail/code.h"
#include "daemon/wiring/deeds.h"
#include "daemon/wiring/notify.h"

/* A slow server, or a connection that is being made again. */
#define PREVIEW_USEC (3 * USEC_SEC)
/* More at once become a summary, and none of them waits any longer. */
#define PREVIEWS_MAX QUEUE_COALESCE_ABOVE

struct waiting {
	struct list_link link; /* in notify::previews */
	struct delivery *delivery;
	enum mailbox_preview_kind kind;
	bool tells; /* how it begins */
	struct loop_timer *timer;
};

static void
note_code(struct delivery *delivery, const char *text)
{
	struct notification *n = &delivery->n;
	BUF_AUTO code = BUF_INIT;
	char *actions;

	if (n->is_private || !copy_can(delivery->notify->belfry) ||
	    !code_find(
		span_from_str(delivery->subject), span_from_str(text), &code))
		return;
	n->code = xstrdup(buf_str(&code));
	actions = xasprintf("%s%s%s", n->actions,
	    n->actions[0] != '\0' ? "," : "", NOTIFY_COPY);
	free(n->actions);
	n->actions = actions;
	buf_wipe(&code);
}

/* What the store did not keep, now that the server has said it again. */
static void
show_code(struct delivery *delivery, const struct mailbox_previewed *previewed)
{
	STRV_AUTO codes = STRV_INIT;

	code_list(span_from_str(previewed->subject),
	    span_from_str(previewed->text), &codes);
	code_show(&delivery->subject, &codes);
	code_show(&delivery->n.title, &codes);
	code_show(&delivery->n.body, &codes);
}

static void
send_on(struct delivery *delivery)
{
	if (delivery->returns != NULL)
		places_return(delivery);
	else
		delivery_send(delivery);
}

/* ---- those that wait ---- */

static void
send_it(struct waiting *waiting, const struct mailbox_previewed *previewed)
{
	struct delivery *delivery = waiting->delivery;

	if (previewed != NULL && delivery->is_hidden)
		show_code(delivery, previewed);
	if (previewed != NULL && waiting->tells)
		delivery->n.preview = xstrdup(previewed->preview);
	note_code(delivery, previewed != NULL ? previewed->text : "");
	list_remove(&waiting->link);
	loop_timer_free(&waiting->timer);
	free(waiting);
	send_on(delivery);
}

static void
cancel(const struct waiting *waiting)
{
	const struct delivery *delivery = waiting->delivery;

	mailbox_preview_cancel(delivery->line->mailbox, delivery->uidvalidity,
	    delivery->uid, waiting->kind);
}

static void
give_up(struct waiting *waiting)
{
	cancel(waiting);
	send_it(waiting, NULL);
}

/* Its line goes. It stays in the journal, and whoever has the mailbox next
 * rings; but what was on a screen before comes back as it was. */
static void
drop(struct waiting *waiting)
{
	struct delivery *delivery = waiting->delivery;

	if (delivery->returns != NULL) {
		give_up(waiting);
		return;
	}
	cancel(waiting);
	list_remove(&waiting->link);
	loop_timer_free(&waiting->timer);
	free(waiting);
	delivery_forget(delivery);
}

static void
on_timer(void *ctx)
{
	give_up(ctx);
}

static bool
is_of(const struct waiting *waiting, const struct line *line,
    uint32_t uidvalidity, uint32_t uid)
{
	const struct delivery *delivery = waiting->delivery;

	return delivery->line == line && delivery->uid == uid &&
	       delivery->uidvalidity == uidvalidity;
}

static struct waiting *
find(const struct notify *notify, const struct line *line, uint32_t uidvalidity,
    uint32_t uid)
{
	LIST_EACH(pos, &notify->previews)
	{
		struct waiting *waiting = LIST_ITEM(pos, struct waiting, link);
		if (is_of(waiting, line, uidvalidity, uid))
			return waiting;
	}
	return NULL;
}

static size_t
count_waiting(const struct notify *notify)
{
	size_t count = 0;

	LIST_EACH(pos, &notify->previews)
	count++;
	return count;
}

/* ---- whether it is asked for ---- */

static bool
would_show(const struct delivery *delivery)
{
	const struct notify *notify = delivery->notify;

	LIST_EACH(pos, &notify->notifiers)
	{
		struct notifier *notifier =
		    LIST_ITEM(pos, struct notifier, link);
		if (notifier->type == CONFIG_NOTIFIER_DESKTOP &&
		    notifier_is_for(notifier, delivery) &&
		    notify_queue_would_show(
			notifier->queue, delivery->n.urgency, loop_now()))
			return true;
	}
	return false;
}

static bool
is_wanted(const struct delivery *delivery, const struct action *action)
{
	return notify_account(delivery->line)->preview &&
	       !delivery->n.is_private && action->text == NULL &&
	       (delivery->returns != NULL || would_show(delivery));
}

/* What a rule took away was asked before that, or nobody can. */
static void
send_now(struct delivery *delivery, const struct mailbox_task *task)
{
	bool is_told =
	    task->preview != NULL && is_wanted(delivery, &task->action);

	if (is_told)
		delivery->n.preview = xstrdup(task->preview);
	note_code(delivery, is_told ? task->text : "");
	send_on(delivery);
}

/* ---- asking ---- */

static enum mailbox_preview_kind
kind_of(const struct delivery *delivery)
{
	if (delivery->is_hidden)
		return PREVIEW_ANEW;
	return code_wants_text(delivery->subject) ? PREVIEW_TEXT
						  : PREVIEW_BEGINNING;
}

/* False: it cannot be asked. */
static bool
ask(struct delivery *delivery, bool tells)
{
	struct notify *notify = delivery->notify;
	enum mailbox_preview_kind kind = kind_of(delivery);
	struct waiting *waiting;

	if (count_waiting(notify) >= PREVIEWS_MAX)
		notify_preview_forget(notify, NULL);
	if (!mailbox_preview(delivery->line->mailbox, delivery->uidvalidity,
		delivery->uid, kind, loop_now()))
		return false;
	waiting = NEW(struct waiting);
	waiting->delivery = delivery;
	waiting->kind = kind;
	waiting->tells = tells;
	waiting->timer =
	    loop_timer_new(notify->belfry->loop, on_timer, waiting);
	loop_timer_set(waiting->timer, usec_add(loop_now(), PREVIEW_USEC));
	list_add(&notify->previews, &waiting->link);
	return true;
}

void
delivery_send_with_preview(
    struct delivery *delivery, const struct mailbox_task *task)
{
	bool tells = is_wanted(delivery, &task->action);

	if (task->moved_to != NULL || (!tells && !delivery->is_hidden) ||
	    !ask(delivery, tells))
		send_now(delivery, task);
}

void
delivery_send_clear(struct delivery *delivery)
{
	struct line *line = delivery->line;

	if (line != NULL && delivery->is_hidden && ask(delivery, false))
		accounts_pump(line->owner);
	else
		delivery_send(delivery);
}

void
notify_previewed(struct line *line, const struct mailbox_previewed *previewed)
{
	struct waiting *waiting = find(line->owner->belfry->notify, line,
	    previewed->uidvalidity, previewed->uid);

	if (previewed->kind >= PREVIEW_HEADER)
		exec_content(line, previewed);
	else if (waiting != NULL)
		send_it(waiting, previewed);
}

void
notify_preview_over(struct line *line, uint32_t uidvalidity, uint32_t uid)
{
	/* Two rules may tell of it, and two screens have shown it before. */
	LIST_EACH(pos, &line->owner->belfry->notify->previews)
	{
		struct waiting *waiting = LIST_ITEM(pos, struct waiting, link);
		if (is_of(waiting, line, uidvalidity, uid))
			give_up(waiting);
	}
}

void
notify_preview_forget(struct notify *notify, const struct line *line)
{
	LIST_EACH(pos, &notify->previews)
	{
		struct waiting *waiting = LIST_ITEM(pos, struct waiting, link);
		if (line == NULL)
			give_up(waiting);
		else if (waiting->delivery->line == line)
			drop(waiting);
	}
}
