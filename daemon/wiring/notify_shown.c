/*
 * wiring: what notifiers have shown is kept in the store, so that a daemon that
 * is started again does not ring once more where it rang, and can take back
 * what was posted. It is a fact of the account for each mailbox and notifier:
 *
 *	"shown NOTIFIER MAILBOX" = notifiers/shown.h
 *
 * Written are what can be taken back, and what one notifier has shown while
 * another one has it still before it: of all others the outcome in the journal
 * says enough. When nothing of that is left, the fact goes.
 */
#include "daemon/wiring/notify.h"
#include "notifiers/shown.h"

struct record {
	struct list_link link; /* in notify::records */
	char *account, *mailbox, *notifier;
	struct shown shown;
	bool is_old; /* of an earlier life, and not shown again in this one */
	bool is_proven; /* its mailbox knows what was read meanwhile */
};

static struct record *
find(const struct notify *notify, const char *account, const char *mailbox,
    const char *notifier)
{
	LIST_EACH(pos, &notify->records)
	{
		struct record *record = LIST_ITEM(pos, struct record, link);
		if (strcmp(record->account, account) == 0 &&
		    strcmp(record->mailbox, mailbox) == 0 &&
		    strcmp(record->notifier, notifier) == 0)
			return record;
	}
	return NULL;
}

static struct record *
find_or_add(struct notify *notify, const char *account, const char *mailbox,
    const char *notifier)
{
	struct record *record = find(notify, account, mailbox, notifier);

	if (record != NULL)
		return record;
	record = NEW(struct record);
	record->account = xstrdup(account);
	record->mailbox = xstrdup(mailbox);
	record->notifier = xstrdup(notifier);
	list_add(&notify->records, &record->link);
	return record;
}

/* A power cut may take the last ones back: then it rings once more. */
static void
write_down(struct notify *notify, const struct record *record)
{
	struct store_batch *batch = store_batch_new();
	STR_AUTO name =
	    xasprintf(SHOWN_FACT " %s %s", record->notifier, record->mailbox);
	BUF_AUTO value = BUF_INIT;

	shown_format(&record->shown, &value);
	store_batch_set_lazy(batch, true);
	if (record->shown.count == 0)
		store_batch_forget_fact(batch, record->account, name);
	else
		store_batch_set_fact(
		    batch, record->account, name, buf_str(&value));
	journal_note(notify->belfry->journal, batch);
}

void
shown_note(const struct notifier *notifier, const struct shown_message *message,
    const char *key, const char *id)
{
	struct record *record = find_or_add(notifier->notify, message->account,
	    message->mailbox, notifier->name);

	shown_add(&record->shown, message->uidvalidity, message->uid,
	    message->seq, key, id);
	write_down(notifier->notify, record);
}

void
shown_over(const struct notifier *notifier, const struct shown_message *message,
    const char *key, const char *id)
{
	struct record *record = find(notifier->notify, message->account,
	    message->mailbox, notifier->name);

	if (record != NULL && shown_remove(&record->shown, message->uidvalidity,
				  message->uid, message->seq, key, id))
		write_down(notifier->notify, record);
}

static const struct shown_item *
get(const struct notifier *notifier, const struct shown_message *message,
    struct record **record_r)
{
	*record_r = find(notifier->notify, message->account, message->mailbox,
	    notifier->name);
	return *record_r != NULL
		   ? shown_get(&(*record_r)->shown, message->uidvalidity,
			 message->uid, message->seq)
		   : NULL;
}

void
shown_forget(
    const struct notifier *notifier, const struct shown_message *message)
{
	struct record *record;
	const struct shown_item *item = get(notifier, message, &record);

	if (item == NULL || item->key == NULL)
		return;
	STR_AUTO key = xstrdup(item->key);
	STR_AUTO id = item->id != NULL ? xstrdup(item->id) : NULL;
	shown_over(notifier, message, key, id);
}

void
shown_mark(const struct notifier *notifier, const struct shown_message *message,
    const char *id)
{
	struct record *record;
	const struct shown_item *item = get(notifier, message, &record);

	if (item == NULL || item->key == NULL)
		return;
	STR_AUTO key = xstrdup(item->key);
	shown_note(notifier, message, key, id);
}

static bool
is_helper(const struct notifier *notifier)
{
	return notifier->type == CONFIG_NOTIFIER_DESKTOP ||
	       notifier->type == CONFIG_NOTIFIER_PROGRAM;
}

void
shown_withdraw(const struct notifier *notifier, const char *account,
    const char *mailbox, uint32_t uidvalidity, uint32_t uid)
{
	const struct record *record =
	    is_helper(notifier)
		? find(notifier->notify, account, mailbox, notifier->name)
		: NULL;

	if (record == NULL || record->shown.uidvalidity != uidvalidity)
		return;
	for (size_t i = record->shown.count; i-- > 0;) {
		const struct shown_message message = {account, mailbox,
		    uidvalidity, uid, record->shown.items[i].seq};
		if (record->shown.items[i].uid == uid)
			shown_forget(notifier, &message);
	}
}

static void
each_moved(const struct notifier *notifier, const struct record *record,
    shown_moved_fn *fn, void *ctx)
{
	for (size_t i = 0; i < record->shown.count; i++) {
		const struct shown_item *item = &record->shown.items[i];
		const struct shown_message message = {record->account,
		    record->mailbox, record->shown.uidvalidity, item->uid,
		    item->seq};
		if (item->key != NULL && places_is_moved(item->id) &&
		    places_is_on_screen(notifier, item))
			fn(ctx, &message);
	}
}

void
shown_each_moved(const struct notify *notify, shown_moved_fn *fn, void *ctx)
{
	LIST_EACH(pos, &notify->records)
	{
		const struct record *record =
		    LIST_ITEM(pos, struct record, link);
		LIST_EACH(at, &notify->notifiers)
		{
			const struct notifier *notifier =
			    LIST_ITEM(at, struct notifier, link);
			if (strcmp(notifier->name, record->notifier) == 0)
				each_moved(notifier, record, fn, ctx);
		}
	}
}

bool
shown_is_noted(const struct notifier *notifier, const struct delivery *delivery)
{
	const struct record *record;

	if (delivery->line == NULL || delivery->uid == 0)
		return false;
	record = find(notifier->notify, delivery->n.account,
	    delivery->n.mailbox, notifier->name);
	return record != NULL &&
	       shown_has(&record->shown, delivery->uidvalidity, delivery->uid,
		   delivery->seq);
}

/* ---- of an earlier life ---- */

static void
restore(struct notifier *notifier, const struct record *record)
{
	struct places places = {.count = 0};

	if (notifier->type != CONFIG_NOTIFIER_WEBHOOK && !is_helper(notifier))
		return;
	for (size_t i = 0; i < record->shown.count; i++) {
		const struct shown_item *item = &record->shown.items[i];
		const struct shown_message message = {record->account,
		    record->mailbox, record->shown.uidvalidity, item->uid,
		    item->seq};
		if (item->key != NULL && is_helper(notifier))
			places_restore(notifier, &message, item, &places);
		else if (item->key != NULL)
			posted_restore(notifier, &message, item->key, item->id);
	}
}

static bool
is_for(const struct record *record, const struct notifier *notifier,
    const struct line *line)
{
	return record->is_old &&
	       strcmp(record->notifier, notifier->name) == 0 &&
	       strcmp(record->account, line->owner->config->name) == 0 &&
	       strcmp(record->mailbox, mailbox_name(line->mailbox)) == 0;
}

/* The newest, as many as would wait for a screen that was away; the others stay
 * as they are. */
static void
show_again(
    struct notifier *notifier, struct line *line, const struct record *record)
{
	size_t count = record->shown.count;
	size_t first = count;

	for (size_t kept = 0; first > 0 && kept < QUEUE_KEEP_MAX; first--)
		kept +=
		    places_is_due(notifier, &record->shown.items[first - 1]);
	for (size_t i = first; i < count; i++) {
		const struct shown_item *item = &record->shown.items[i];
		const struct shown_message message = {record->account,
		    record->mailbox, record->shown.uidvalidity, item->uid,
		    item->seq};
		if (places_is_due(notifier, item))
			places_show_again(notifier, line, &message, item);
	}
}

/* What is on the screen still only a helper that is up can say. */
static void
look(struct notifier *notifier, struct line *line)
{
	LIST_EACH(pos, &notifier->notify->records)
	{
		struct record *record = LIST_ITEM(pos, struct record, link);
		if (!notifier->is_up || !record->is_proven ||
		    !is_for(record, notifier, line))
			continue;
		record->is_old = false;
		show_again(notifier, line, record);
	}
}

void
shown_again(struct notifier *notifier)
{
	if (notifier->type != CONFIG_NOTIFIER_DESKTOP)
		return;
	LIST_EACH(pos, &notifier->notify->belfry->accounts)
	{
		struct running_account *account =
		    LIST_ITEM(pos, struct running_account, link);
		LIST_EACH(at, &account->lines)
		look(notifier, LIST_ITEM(at, struct line, link));
		accounts_pump(account);
	}
}

void
notify_proven(struct line *line)
{
	struct notify *notify = line->owner->belfry->notify;

	LIST_EACH(pos, &notify->notifiers)
	{
		struct notifier *notifier =
		    LIST_ITEM(pos, struct notifier, link);
		if (notifier->type != CONFIG_NOTIFIER_DESKTOP)
			continue;
		LIST_EACH(at, &notify->records)
		{
			struct record *record =
			    LIST_ITEM(at, struct record, link);
			record->is_proven =
			    record->is_proven || is_for(record, notifier, line);
		}
		look(notifier, line);
		notifier_give_turn(notifier);
	}
}

void
shown_restore(struct notifier *notifier)
{
	LIST_EACH(pos, &notifier->notify->records)
	{
		const struct record *record =
		    LIST_ITEM(pos, struct record, link);
		if (strcmp(record->notifier, notifier->name) == 0)
			restore(notifier, record);
	}
}

bool
notify_load_fact(struct belfry *belfry, const char *account, const char *name,
    const char *value)
{
	struct notify *notify = belfry->notify;
	struct span rest = span_from_str(name), word;
	struct record *record;

	if (!span_split(&rest, ' ', &word) || !span_is(word, SHOWN_FACT) ||
	    !span_split(&rest, ' ', &word))
		return false;
	STR_AUTO notifier_name = xstrdup_span(word);
	STR_AUTO mailbox = xstrdup_span(rest);
	if (find(notify, account, mailbox, notifier_name) != NULL)
		return true; /* what is known in this life is newer */
	record = find_or_add(notify, account, mailbox, notifier_name);
	shown_parse(span_from_str(value), &record->shown);
	record->is_old = true;
	LIST_EACH(pos, &notify->notifiers)
	{
		struct notifier *notifier =
		    LIST_ITEM(pos, struct notifier, link);
		if (strcmp(notifier->name, notifier_name) == 0)
			restore(notifier, record);
	}
	return true;
}

static void
load_shown(struct line *line, uint32_t uidvalidity, uint32_t uid)
{
	const struct store_key key = {line->owner->config->name,
	    mailbox_name(line->mailbox), uidvalidity, uid};

	mailbox_load_shown(line->mailbox, uidvalidity, uid,
	    mailbox_was_read_by_rule(line->owner->belfry->store, &key));
}

void
notify_load(struct line *line)
{
	LIST_EACH(pos, &line->owner->belfry->notify->records)
	{
		const struct record *record =
		    LIST_ITEM(pos, struct record, link);
		const struct shown *shown = &record->shown;
		if (strcmp(record->account, line->owner->config->name) != 0 ||
		    strcmp(record->mailbox, mailbox_name(line->mailbox)) != 0)
			continue;
		for (size_t i = 0; i < shown->count; i++)
			if (shown->items[i].key != NULL &&
			    !places_is_moved(shown->items[i].id))
				load_shown(line, shown->uidvalidity,
				    shown->items[i].uid);
	}
}

void
shown_free(struct notify *notify)
{
	LIST_EACH(pos, &notify->records)
	{
		struct record *record = LIST_ITEM(pos, struct record, link);
		list_remove(&record->link);
		shown_done(&record->shown);
		free(record->account);
		free(record->mailbox);
		free(record->notifier);
		free(record);
	}
}
