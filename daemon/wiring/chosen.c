/*
 * wiring/chosen: a button, or a click.
 *
 * Each is looked up by the id in the queue: what was not offered with what is
 * shown now, or is shown no more, does nothing.
 */
#include "daemon/wiring/deeds.h"
#include "daemon/wiring/notify.h"

#define CHOSEN_MAX QUEUE_SHOWN_MAX /* behind one summary */

/* Copies, the newest first: doing things changes the queue. */
struct chosen {
	struct notification *items;
	size_t count;
};

static void
note(void *ctx, const struct notification *n)
{
	struct chosen *chosen = ctx;

	if (chosen->count == CHOSEN_MAX)
		return;
	chosen->items = xreallocarray(
	    chosen->items, chosen->count + 1, sizeof(*chosen->items));
	notification_init(&chosen->items[chosen->count]);
	notification_copy(&chosen->items[chosen->count++], n);
}

static void
chosen_done(struct chosen *chosen)
{
	for (size_t i = 0; i < chosen->count; i++)
		notification_done(&chosen->items[i]);
	free(chosen->items);
}

/* ---- what each key does ---- */

typedef void chosen_fn(struct belfry *belfry, const struct chosen *chosen,
    const struct notifier_line *line);

static void
do_open(struct belfry *belfry, const struct chosen *chosen,
    const struct notifier_line *line)
{
	for (size_t i = 0; i < chosen->count; i++) {
		if (!notification_offers(&chosen->items[i], NOTIFY_OPEN))
			continue;
		open_message(belfry, &chosen->items[i], line->token);
		return;
	}
}

static void
do_deed(struct belfry *belfry, const struct chosen *chosen,
    const struct notifier_line *line)
{
	if (chosen->count == 1 &&
	    notification_offers(&chosen->items[0], line->key))
		deed_do(belfry, &chosen->items[0], line->key);
}

static void
do_deed_to_all(struct belfry *belfry, const struct chosen *chosen,
    const struct notifier_line *line)
{
	if (chosen->count == 1) /* then it was not offered */
		return;
	for (size_t i = 0; i < chosen->count; i++)
		if (notification_offers(&chosen->items[i], NOTIFY_READ))
			deed_do(belfry, &chosen->items[i], line->key);
}

static void
do_copy(struct belfry *belfry, const struct chosen *chosen,
    const struct notifier_line *line)
{
	if (chosen->count == 1 &&
	    notification_offers(&chosen->items[0], line->key))
		copy_code(belfry, &chosen->items[0]);
}

static const struct {
	const char *key;
	chosen_fn *act;
} keys[] = {
    {NOTIFY_OPEN, do_open},
    {NOTIFY_READ, do_deed},
    {NOTIFY_READ_ALL, do_deed_to_all},
    {NOTIFY_ARCHIVE, do_deed},
    {NOTIFY_TRASH, do_deed},
    {NOTIFY_COPY, do_copy},
};

void
notifier_chosen(struct notifier *notifier, const struct notifier_line *line)
{
	struct chosen chosen = {0};

	notify_queue_each(notifier->queue, line->n.id, note, &chosen);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (line->key != NULL && strcmp(line->key, keys[i].key) == 0)
			keys[i].act(notifier->notify->belfry, &chosen, line);
	chosen_done(&chosen);
}
