/* The daemon: what its engines ask for, its death and its next life. */
#include "tests/sim/many_private.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/xalloc.h"

static bool
load_effect(void *ctx, const struct store_effect *effect,
    const struct store_message *message)
{
	mailbox_load_effect(ctx, effect, message);
	return true;
}

static void
answer_load(struct world *w, struct mailbox *mailbox)
{
	const char *name = mailbox_name(mailbox);
	struct store_cursor cursor;
	bool found = false;

	store_get_cursor(w->store, "sim", name, &cursor, &found, NULL);
	store_each_open_effect(
	    w->store, "sim", name, load_effect, mailbox, NULL);
	mailbox_load_facts(
	    mailbox, w->store, found ? &cursor : NULL, 0, w->now, NULL);
	mailbox_loaded(mailbox, found ? &cursor : NULL, w->now);
}

static void
answer_recall(struct world *w, struct mailbox *mailbox)
{
	struct recall *recall =
	    recall_load(w->store, "sim", mailbox_name(mailbox),
		START_UNIX + (int64_t)((w->now - START_USEC) / USEC_SEC),
		RECALL_KEEP_SEC, NULL);

	mailbox_recalled(mailbox, &recall, w->now);
}

static void
answer_commit(
    struct world *w, struct mailbox *mailbox, const struct store_batch *batch)
{
	struct error error = ERROR_INIT;

	if (w->faulty && chance(w, 2))
		store_fail_commit(w->store, 1, false);
	bool ok = store_commit(w->store, batch, &error);
	mailbox_committed(mailbox, ok, &error, w->now);
}

static void
take_task(
    struct world *w, struct mailbox *mailbox, const struct mailbox_task *task)
{
	const char *hash = strchr(task->subject, '#');
	unsigned id = hash != NULL ? (unsigned)atoi(hash + 1) : UINT32_MAX;
	struct outside *outside = NEW(struct outside);

	if (id >= w->message_count)
		fail(w, "a task for an unknown message: %s", task->subject);
	else
		w->messages[id].executed++;
	*outside = (struct outside){.mailbox = mailbox,
	    .uidvalidity = task->uidvalidity,
	    .uid = task->uid,
	    .seq = task->seq,
	    .at = w->now + random_below(&w->random, 20 * USEC_SEC)};
	list_add(&w->outsides, &outside->link);
}

static void
answer(struct world *w, struct account_event *event)
{
	struct mailbox *mailbox = event->mailbox;
	struct link *link = link_of(w, mailbox);

	switch (event->event.kind) {
	case MAILBOX_LOAD:
		answer_load(w, mailbox);
		break;
	case MAILBOX_RECALL:
		answer_recall(w, mailbox);
		break;
	case MAILBOX_CONNECT:
		drop_link(link);
		link->connect_at = w->now + delay(w);
		break;
	case MAILBOX_DISCONNECT:
		drop_link(link);
		break;
	case MAILBOX_STARTTLS:
		model_session_secured(link->session);
		mailbox_tls_started(mailbox, w->now);
		break;
	case MAILBOX_SECRET:
		mailbox_secret(mailbox, SPAN("secret"), w->now);
		break;
	case MAILBOX_COMMIT:
		answer_commit(w, mailbox, event->event.batch);
		break;
	case MAILBOX_EXEC:
		take_task(w, mailbox, event->event.task);
		break;
	case MAILBOX_REPORT:
		note(w, "  %s: %s %u: %s", mailbox_name(mailbox),
		    report_kind_name(event->event.report->kind),
		    event->event.report->uid, event->event.report->text);
		break;
	case MAILBOX_HANDED: {
		struct link *to = link_of(w, event->to), old = *to;
		if (to->session != NULL || to->connect_at != USEC_NEVER)
			fail(w, "%s has a connection already",
			    mailbox_name(event->to));
		w->moves++;
		*to = *link;
		to->mailbox = event->to;
		*link = old;
		link->mailbox = mailbox;
		break;
	}
	case MAILBOX_LEFT:
		note(w, "%s left", mailbox_name(mailbox));
		forget_link(w, mailbox);
		account_let_go(w->account, mailbox);
		break;
	case MAILBOX_TOLD:
	case MAILBOX_LOST:
	case MAILBOX_OVER_LIMIT:
		fail(w, "that was for the account alone");
		break;
	default:
		break;
	}
}

static bool
load_fact(void *ctx, const char *name, const char *value)
{
	account_set_fact(ctx, name, value);
	return true;
}

int64_t
now_unix(const struct world *w)
{
	return START_UNIX + w->clock_off +
	       (int64_t)((w->now - START_USEC) / USEC_SEC);
}

void
be_born(struct world *w)
{
	w->model.refused_at = 0;
	w->model.in_a_row = 0;
	w->limits = limits_new();
	w->other.works = false;
	w->senders = senders_new();
	w->config.mailbox.senders = w->senders;
	w->arrivals = arrivals_new();
	arrivals_load(w->arrivals, w->store, "sim", now_unix(w), NULL);
	w->config.mailbox.arrivals = w->arrivals;
	w->config.mailbox.seed = random_next(&w->random);
	w->account = account_new(&w->config, w->rules, w->limits, w->now);
	account_set_clock(w->account, now_unix(w), 0, w->now);
	store_each_fact(w->store, "sim", load_fact, w->account, NULL);
	w->is_changed = false;
	memset(w->links, 0, sizeof(w->links));
	account_start(w->account, w->now);
}

void
die(struct world *w)
{
	for (size_t i = 0; i < LINKS_MAX; i++) {
		model_session_free(&w->links[i].session);
		buf_done(&w->links[i].up.bytes);
		buf_done(&w->links[i].down.bytes);
	}
	LIST_EACH(pos, &w->outsides)
	{
		list_remove(pos);
		free(LIST_ITEM(pos, struct outside, link));
	}
	account_free(&w->account);
	limits_free(&w->limits);
	senders_free(&w->senders);
	arrivals_free(&w->arrivals);
}

void
pump(struct world *w)
{
	struct account_event event;

	while (account_next_event(w->account, &event, w->now)) {
		bool killed = w->kill_in > 0 && --w->kill_in == 0;
		if (!killed || chance(w, 50))
			answer(w, &event);
		mailbox_event_done(&event.event);
		if (!killed)
			continue;
		note(w, "the daemon is killed");
		w->kills++;
		die(w);
		be_born(w);
	}
	for (size_t i = 0; i < LINKS_MAX && w->links[i].mailbox != NULL; i++)
		collect(w, &w->links[i]);
}
