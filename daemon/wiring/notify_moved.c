/*
 * wiring: what a rule had moved, and a notification shows: whether it is read
 * by now, or gone, nobody tells, as a rule's target is mostly watched by
 * nobody. So it is looked for there while its notification is on a screen, as
 * a button would (deeds.c): by a visitor, that searches for all of a mailbox
 * and logs out, or on the connection of the mailbox if it has one.
 *
 * That is done MOVED_FIRST_USEC after it was shown, and then ever more seldom,
 * down to MOVED_LAST_USEC: so long the notification may stay, at most, when the
 * message is read. What was never found there is not believed to be gone.
 */
#include "daemon/account/deed.h"
#include "daemon/wiring/notify.h"
#include "daemon/wiring/past.h"
#include "daemon/wiring/planned_run.h"

#define MOVED_FIRST_USEC (10 * USEC_SEC)
#define MOVED_LAST_USEC (15 * USEC_MINUTE)
/* Between two looks, however many new ones come. */
#define MOVED_PAUSE_USEC USEC_MINUTE
/* At a time, the newest: as many as one visitor looks for. */
#define MOVED_MAX MAILBOX_FINDS_MAX

struct moved {
	struct list_link link;
	char *account, *mailbox; /* where it was judged */
	uint32_t uidvalidity, uid;
	struct mailbox_wanted wanted; /* its id is owned; NULL: not known yet */
	const struct mailbox *asked;  /* it looks; only to compare */
	bool is_shown;		      /* when it was looked for last */
	bool is_due;		      /* this look has not come to it yet */
	bool was_found;
	bool was_marked; /* as read, by a rule: then that says nothing */
};

static void
moved_free(struct moved *moved)
{
	list_remove(&moved->link);
	free((char *)(uintptr_t)moved->wanted.message_id);
	free(moved->account);
	free(moved->mailbox);
	free(moved);
}

static struct moved *
find_or_add(struct notify *notify, const struct shown_message *message)
{
	struct moved *moved;

	LIST_EACH(pos, &notify->moved)
	{
		moved = LIST_ITEM(pos, struct moved, link);
		if (moved->uid == message->uid &&
		    moved->uidvalidity == message->uidvalidity &&
		    strcmp(moved->account, message->account) == 0 &&
		    strcmp(moved->mailbox, message->mailbox) == 0)
			return moved;
	}
	moved = NEW(struct moved);
	moved->account = xstrdup(message->account);
	moved->mailbox = xstrdup(message->mailbox);
	moved->uidvalidity = message->uidvalidity;
	moved->uid = message->uid;
	list_add(&notify->moved, &moved->link);
	return moved;
}

static void
note_shown(void *ctx, const struct shown_message *message)
{
	find_or_add(ctx, message)->is_shown = true;
}

/* Those that were not on a screen any more when they were looked for last. */
static void
forget_gone(struct notify *notify)
{
	LIST_EACH(pos, &notify->moved)
	{
		struct moved *moved = LIST_ITEM(pos, struct moved, link);
		if (moved->is_shown)
			moved->is_shown = false;
		else
			moved_free(moved);
	}
}

/* Those that are on a screen now; of too many the oldest are not due. False:
 * there is none. */
static bool
gather(struct notify *notify)
{
	size_t count = 0, passed = 0;

	forget_gone(notify);
	shown_each_moved(notify, note_shown, notify);
	LIST_EACH(pos, &notify->moved)
	count += LIST_ITEM(pos, struct moved, link)->is_shown;
	LIST_EACH(pos, &notify->moved)
	{
		struct moved *moved = LIST_ITEM(pos, struct moved, link);
		moved->is_due = moved->is_shown && count - passed <= MOVED_MAX;
		passed += moved->is_shown;
	}
	return count > 0;
}

/* ---- looking ---- */

static bool
was_marked(const struct past *past)
{
	bool marked = false;

	for (size_t i = 0; i < past->count && !marked; i++) {
		struct action action;

		if (past->effects[i].state != EFFECT_DONE ||
		    !action_parse(
			span_from_str(past->effects[i].action), &action))
			continue;
		marked = action.kind == ACTION_MARK &&
			 strv_has_nocase(&action.add, SPAN("\\Seen"));
		action_done(&action);
	}
	return marked;
}

/* The mailbox where it is now, as the history knows, and by what it is looked
 * for there; false: by nothing, or it is where it was. */
static bool
read_place(
    struct running_account *account, struct moved *moved, struct buf *mailbox)
{
	const struct store_key key = {
	    moved->account, moved->mailbox, moved->uidvalidity, moved->uid};
	struct deed_place place;
	struct past past;
	bool known;

	if (!past_find(account->belfry->store, &key, &past))
		return false;
	if (moved->wanted.message_id == NULL)
		moved->wanted = (struct mailbox_wanted){
		    .message_id = xstrdup(past.message.message_id),
		    .is_exact = true,
		    .size = past.message.size,
		    .received_unix = past.message.received_unix};
	moved->was_marked = was_marked(&past);
	known = moved->wanted.message_id[0] != '\0' &&
		deed_find_place(&key, past.effects, past.count, &place) == NULL;
	past_done(&past);
	if (!known)
		return false;
	known = strcmp(place.mailbox, moved->mailbox) != 0 &&
		planned_find_mailbox(account, place.mailbox, mailbox, NULL);
	deed_place_done(&place);
	return known;
}

struct group {
	char *mailbox;
	struct moved *items[MOVED_MAX];
	struct mailbox_wanted wanted[MOVED_MAX];
	size_t count;
};

/* All of the account that are in one mailbox: that of the first. */
static void
take_group(
    struct notify *notify, struct running_account *account, struct group *group)
{
	LIST_EACH(pos, &notify->moved)
	{
		struct moved *moved = LIST_ITEM(pos, struct moved, link);
		BUF_AUTO mailbox = BUF_INIT;

		if (!moved->is_due || moved->asked != NULL ||
		    strcmp(moved->account, account->config->name) != 0)
			continue;
		if (!read_place(account, moved, &mailbox)) {
			moved->is_due = false;
			continue;
		}
		if (group->mailbox == NULL)
			group->mailbox = xstrdup(buf_str(&mailbox));
		if (strcmp(group->mailbox, buf_str(&mailbox)) != 0)
			continue;
		moved->is_due = false;
		group->items[group->count] = moved;
		group->wanted[group->count++] = moved->wanted;
	}
}

/* False: there is none left. What cannot be asked now waits for the next
 * time. */
static bool
ask_group(struct notify *notify, struct running_account *account)
{
	struct group group = {.count = 0};
	const struct mailbox *asked;

	take_group(notify, account, &group);
	if (group.count == 0)
		return false;
	asked = account_seek(account->account, group.mailbox, group.wanted,
	    group.count, loop_now(), NULL);
	for (size_t i = 0; i < group.count; i++)
		group.items[i]->asked = asked;
	free(group.mailbox);
	return true;
}

static void
look(struct notify *notify)
{
	LIST_EACH(pos, &notify->belfry->accounts)
	{
		struct running_account *account =
		    LIST_ITEM(pos, struct running_account, link);
		bool asked = false;

		if (account->paused)
			continue;
		while (ask_group(notify, account))
			asked = true;
		if (asked)
			accounts_pump(account);
	}
}

static void
on_timer(void *ctx)
{
	struct notify *notify = ctx;

	if (!gather(notify))
		return;
	notify->moved_looked = loop_now();
	look(notify);
	loop_timer_set(
	    notify->moved_timer, usec_add(loop_now(), notify->moved_wait));
	notify->moved_wait = usec_min(2 * notify->moved_wait, MOVED_LAST_USEC);
}

void
moved_note_shown(struct notify *notify)
{
	usec_t at = usec_add(loop_now(), MOVED_FIRST_USEC);

	if (notify->moved_looked != 0 &&
	    at < usec_add(notify->moved_looked, MOVED_PAUSE_USEC))
		at = usec_add(notify->moved_looked, MOVED_PAUSE_USEC);
	notify->moved_wait = 2 * MOVED_FIRST_USEC;
	loop_timer_set(notify->moved_timer, at);
}

/* ---- the answer ---- */

static void
withdraw(struct notify *notify, const struct moved *moved, const char *why)
{
	struct running_account *account =
	    accounts_find(notify->belfry, moved->account);
	struct line *line = account != NULL
				? accounts_find_line(account, moved->mailbox)
				: NULL;

	if (line != NULL)
		notify_withdraw(line, moved->uidvalidity, moved->uid, why);
}

static void
take_answer(struct notify *notify, struct moved *moved,
    const struct mailbox_found *found)
{
	moved->asked = NULL;
	if (found->error.fault != FAULT_NONE)
		return;
	if (found->count > 0 && found->count == found->read &&
	    !moved->was_marked)
		withdraw(notify, moved, "read, where a rule had moved it");
	else if (found->count == 0 && moved->was_found)
		withdraw(notify, moved, "gone from where a rule had moved it");
	moved->was_found = found->count > 0;
}

void
moved_found(struct line *line, const struct mailbox_found *found)
{
	struct notify *notify = line->owner->belfry->notify;

	LIST_EACH(pos, &notify->moved)
	{
		struct moved *moved = LIST_ITEM(pos, struct moved, link);
		if (moved->asked == line->mailbox &&
		    moved->wanted.size == found->size &&
		    moved->wanted.received_unix == found->received_unix &&
		    strcmp(moved->wanted.message_id, found->message_id) == 0)
			take_answer(notify, moved, found);
	}
}

void
moved_left(struct line *line)
{
	struct notify *notify = line->owner->belfry->notify;

	if (notify == NULL)
		return;
	LIST_EACH(pos, &notify->moved)
	{
		struct moved *moved = LIST_ITEM(pos, struct moved, link);
		if (moved->asked == line->mailbox)
			moved->asked = NULL;
	}
}

/* ---- beginning and ending ---- */

void
moved_start(struct notify *notify)
{
	list_init(&notify->moved);
	notify->moved_wait = MOVED_FIRST_USEC;
	notify->moved_timer =
	    loop_timer_new(notify->belfry->loop, on_timer, notify);
}

void
moved_done(struct notify *notify)
{
	LIST_EACH(pos, &notify->moved)
	moved_free(LIST_ITEM(pos, struct moved, link));
	loop_timer_free(&notify->moved_timer);
}
