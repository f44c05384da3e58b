/*
 * sim/world: the daemon: what it asks for, its life and its death.
 */
#include "tests/sim/world_private.h"

#include <malloc.h>
#include <stdlib.h>

#include "daemon/base/xalloc.h"

#define START_UNIX 1800000000

int64_t
world_true_unix(const struct world *w)
{
	return START_UNIX + (int64_t)((w->now - START_USEC) / USEC_SEC);
}

int64_t
world_now_unix(const struct world *w)
{
	return world_true_unix(w) + w->clock_off;
}

static struct sent_message *
message_of_subject(struct world *w, const char *subject)
{
	const char *hash = strchr(subject, '#');
	unsigned id = hash != NULL ? (unsigned)atoi(hash + 1) : 0;

	if (id >= w->message_count) {
		world_fail(w, "a task for an unknown message: %s", subject);
		return &w->messages[0];
	}
	return &w->messages[id];
}

static void
take_task(struct world *w, struct mailbox *mailbox,
    const struct mailbox_task *task, bool is_exec)
{
	struct sent_message *message = message_of_subject(w, task->subject);
	struct outside *outside = NEW(struct outside);

	if (is_exec) {
		message->executed++;
		world_note(w, "runs for %s", task->subject);
		if (task->action.argv.len != 2 || task->input.len == 0)
			world_fail(
			    w, "a command without its argument or input");
	} else {
		message->notified++;
	}
	*outside = (struct outside){.mailbox = mailbox,
	    .uidvalidity = task->uidvalidity,
	    .uid = task->uid,
	    .seq = task->seq,
	    .at = w->now + random_below(&w->random, 20 * USEC_SEC),
	    .is_exec = is_exec};
	list_add(&w->outsides, &outside->link);
}

/* The last link takes the place of the visitor's. */
static void
let_go(struct world *w, struct mailbox *visitor)
{
	struct link *link = world_link_of(w, visitor);
	struct link *last = link;

	world_drop_link(link);
	buf_done(&link->up.bytes);
	buf_done(&link->down.bytes);
	while (last[1].mailbox != NULL)
		last++;
	*link = *last;
	*last = (struct link){0};
	LIST_EACH(pos, &w->outsides)
	{
		struct outside *outside = LIST_ITEM(pos, struct outside, link);
		if (outside->mailbox != visitor)
			continue;
		world_fail(w, "a visitor left before its command ended");
		list_remove(pos);
		free(outside);
	}
	if (world_is_writing(w, visitor))
		world_fail(w, "a visitor left before all was written");
	account_let_go(w->account, visitor);
}

static void
answer(struct world *w, struct mailbox *mailbox, struct mailbox_event *event)
{
	struct link *link = world_link_of(w, mailbox);

	switch (event->kind) {
	case MAILBOX_LOAD:
		world_answer_load(w, mailbox);
		break;
	case MAILBOX_RECALL:
		world_answer_recall(w, mailbox);
		break;
	case MAILBOX_CONNECT:
		world_answer_connect(w, link);
		break;
	case MAILBOX_DISCONNECT:
		world_drop_link(link);
		break;
	case MAILBOX_SECRET:
		mailbox_secret(mailbox, SPAN("secret"), w->now);
		break;
	case MAILBOX_COMMIT:
		world_begin_commit(w, mailbox, event->batch);
		break;
	case MAILBOX_EXEC:
		take_task(w, mailbox, event->task, true);
		break;
	case MAILBOX_NOTIFY:
		take_task(w, mailbox, event->task, false);
		break;
	case MAILBOX_REPORT:
		if (strstr(event->report->text, "too many to be news") != NULL)
			w->left_alone = true;
		world_note(w, "  %s %u: %s",
		    report_kind_name(event->report->kind), event->report->uid,
		    event->report->text);
		break;
	case MAILBOX_STARTTLS:
		if ((w->model.traits & MODEL_STARTTLS) == 0)
			world_fail(w, "asked for TLS on a link that is secure");
		model_session_secured(link->session);
		mailbox_tls_started(mailbox, w->now);
		break;
	case MAILBOX_PROVEN:
		world_resume_run(w);
		break;
	case MAILBOX_LEFT:
		let_go(w, mailbox);
		world_resume_run(w); /* the wiring looks every half minute */
		break;
	case MAILBOX_PREPARE:
	case MAILBOX_FORWARD:
	case MAILBOX_QUEUED:
	case MAILBOX_FOLDERS:
	case MAILBOX_LOGIN_FAILED:
	case MAILBOX_CHANGED:
	case MAILBOX_LOCKED_OUT:
	case MAILBOX_TOLD:
	case MAILBOX_LOST:
	case MAILBOX_HANDED:
	case MAILBOX_OVER_LIMIT:
	case MAILBOX_PROGRESS:
	case MAILBOX_EXPLAINED:
	case MAILBOX_FOUND:
	case MAILBOX_PREVIEWED:
		break;
	}
}

static bool
seed_limit(void *ctx, const char *rule, int64_t when_unix)
{
	limits_note(ctx, rule, when_unix);
	return true;
}

void
world_be_born(struct world *w)
{
	static const bool yes = true;

	w->model.refused_at = 0; /* whoever starts it says that all is well */
	w->model.in_a_row = 0;
	w->limits = limits_new();
	store_each_hit(w->store, 0, seed_limit, w->limits, NULL);
	w->other.works = false;
	w->senders = senders_new();
	senders_load(w->senders, w->store, "sim", NULL);
	w->config.mailbox.senders = w->senders;
	if (w->asks)
		w->claims = claims_new(CLAIM_AUTO, "here");
	w->config.mailbox.claims = w->claims;
	w->config.mailbox.ask_end_first =
	    (w->model.traits & MODEL_BEYOND_HANGS) != 0;
	w->config.mailbox.one_at_a_time = w->model.traits % 5 == 0;
	w->config.mailbox.await_idle_end = w->model.traits % 3 == 0;
	w->config.mailbox.chunk = 1 + w->model.traits / 7 % 4;
	w->config.mailbox.notes_beginnings = w->model.traits % 2 ? &yes : NULL;
	w->config.mailbox.seed = random_next(&w->random);
	w->account = account_new(&w->config, w->rules, w->limits, w->now);
	account_set_clock(w->account, world_now_unix(w), 0, w->now);
	memset(w->links, 0, sizeof(w->links));
	account_start(w->account, w->now);
}

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
static size_t
allocated(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}
#else
static size_t
allocated(void)
{
	return 0;
}
#endif

/* What it gives back is what it had. */
static void
free_account(struct world *w)
{
	size_t before = allocated(), after;

	account_free(&w->account);
	after = allocated();
	if (before > after && before - after > w->result->account_bytes)
		w->result->account_bytes = before - after;
	if (w->result->account_bytes > w->weather->account_bytes)
		world_fail(
		    w, "the account had %zu bytes", w->result->account_bytes);
}

void
world_die(struct world *w)
{
	for (size_t i = 0; i < ACCOUNT_MAILBOXES_MAX; i++) {
		model_session_free(&w->links[i].session);
		buf_done(&w->links[i].up.bytes);
		buf_done(&w->links[i].down.bytes);
	}
	LIST_EACH(pos, &w->outsides)
	{
		list_remove(pos);
		free(LIST_ITEM(pos, struct outside, link));
	}
	world_leave_writings(w);
	free_account(w);
	limits_free(&w->limits);
	senders_free(&w->senders);
	claims_free(&w->claims);
}

static void
kill_and_restart(struct world *w)
{
	world_note(w, "the daemon is killed");
	w->result->kills++;
	world_die(w);
	if (w->weather->is_chaos)
		world_be_down(w);
	world_be_born(w);
}

void
world_pump(struct world *w)
{
	struct account_event event;

	while (account_next_event(w->account, &event, w->now)) {
		bool killed = w->kill_in > 0 && --w->kill_in == 0;
		if (!killed || world_chance(w, 50))
			answer(w, event.mailbox, &event.event);
		mailbox_event_done(&event.event);
		if (killed)
			kill_and_restart(w);
	}
	for (size_t i = 0;
	     i < ACCOUNT_MAILBOXES_MAX && w->links[i].mailbox != NULL; i++)
		world_collect(w, &w->links[i]);
}

void
world_serve_outside(struct world *w, struct outside *outside)
{
	if (outside->at > w->now)
		return;
	list_remove(&outside->link);
	mailbox_task_done(outside->mailbox, outside->uidvalidity, outside->uid,
	    outside->seq, EFFECT_DONE, "exit 0", w->now);
	free(outside);
}
