/*
 * sim/world: the store: what is loaded, and what is written at once, late, or
 * never.
 */
#include "tests/sim/world_private.h"

#include <stdlib.h>

#include "daemon/base/xalloc.h"

static bool
load_effect(void *ctx, const struct store_effect *effect,
    const struct store_message *message)
{
	mailbox_load_effect(ctx, effect, message);
	return true;
}

static bool
load_apply(void *ctx, const struct store_apply *apply)
{
	if (apply_is_unfinished(apply->state) &&
	    strcmp(apply->mailbox, mailbox_name(ctx)) == 0)
		mailbox_load_apply(ctx, apply);
	return true;
}

void
world_answer_load(struct world *w, struct mailbox *mailbox)
{
	struct store_cursor cursor;
	bool found = false;

	store_get_cursor(
	    w->store, "sim", mailbox_name(mailbox), &cursor, &found, NULL);
	mailbox_load_facts(
	    mailbox, w->store, found ? &cursor : NULL, 0, w->now, NULL);
	store_each_open_effect(
	    w->store, "sim", mailbox_name(mailbox), load_effect, mailbox, NULL);
	store_each_apply(w->store, "sim", load_apply, mailbox, NULL);
	mailbox_loaded(mailbox, found ? &cursor : NULL, w->now);
}

void
world_answer_recall(struct world *w, struct mailbox *mailbox)
{
	struct recall *recall = recall_load(w->store, "sim",
	    mailbox_name(mailbox), world_now_unix(w), RECALL_KEEP_SEC, NULL);

	mailbox_recalled(mailbox, &recall, w->now);
}

static bool
write_batch(
    struct world *w, const struct store_batch *batch, struct error *error)
{
	bool ok;

	if (w->in_contact &&
	    ((w->faulty && world_chance(w, 3)) || w->now < w->full_until)) {
		store_fail_commit(w->store, 1, false);
		w->result->failed_commits++;
	}
	ok = store_commit(w->store, batch, error);
	if (ok)
		w->in_contact = true;
	return ok;
}

static void
answer_commit(
    struct world *w, struct mailbox *mailbox, const struct store_batch *batch)
{
	struct error error = ERROR_INIT;
	bool ok = write_batch(w, batch, &error);

	mailbox_committed(mailbox, ok, &error, w->now);
}

/* Most writes take milliseconds, some take very long. */
void
world_begin_commit(
    struct world *w, struct mailbox *mailbox, const struct store_batch *batch)
{
	struct writing *writing;
	usec_t most = world_chance(w, 5) ? 40 * USEC_SEC : 20 * USEC_MSEC;

	if (!w->slow_disk) {
		answer_commit(w, mailbox, batch);
		return;
	}
	writing = NEW(struct writing);
	writing->mailbox = mailbox;
	writing->batch = batch;
	writing->at = w->now + random_below(&w->random, most);
	list_add(&w->writings, &writing->link);
}

static void
serve_writing(struct world *w, struct writing *writing)
{
	struct mailbox *mailbox = writing->mailbox;
	const struct store_batch *batch = writing->batch;

	list_remove(&writing->link);
	free(writing);
	if (world_link_of(w, mailbox)->doubted != 0) /* it could not look */
		world_link_of(w, mailbox)->doubted = w->now;
	answer_commit(w, mailbox, batch);
}

bool
world_is_writing(const struct world *w, const struct mailbox *mailbox)
{
	LIST_EACH(pos, &w->writings)
	if (LIST_ITEM(pos, struct writing, link)->mailbox == mailbox)
		return true;
	return false;
}

/* The daemon dies: what was on its way is on disk, or it is not. */
void
world_leave_writings(struct world *w)
{
	LIST_EACH(pos, &w->writings)
	{
		struct writing *writing = LIST_ITEM(pos, struct writing, link);
		if (world_chance(w, 50))
			write_batch(w, writing->batch, NULL);
		list_remove(pos);
		free(writing);
	}
}

static struct writing *
next_writing(const struct world *w)
{
	LIST_EACH(pos, &w->writings)
	{
		struct writing *writing = LIST_ITEM(pos, struct writing, link);
		if (writing->at <= w->now)
			return writing;
	}
	return NULL;
}

/* An answer may begin another, and end the daemon with all of them. */
void
world_serve_writings(struct world *w)
{
	struct writing *writing;

	while ((writing = next_writing(w)) != NULL) {
		serve_writing(w, writing);
		world_pump(w);
	}
}
