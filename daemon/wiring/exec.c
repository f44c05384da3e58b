/*
 * Commands of rules: EXEC_MAX at once, the rest in turn. One that is likely to
 * follow is made ready while its intent is on its way to the disk, and begun
 * when the mailbox asks for it; for one that it does not ask for nothing has
 * happened.
 */
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/wiring/belfry.h"

/* The disk may take its time, the mailbox may have changed its mind: what was
 * prepared and not asked for so long is forgotten. */
#define PREPARED_USEC (2 * USEC_SEC)

struct exec {
	struct list_link link; /* in belfry::execs or prepared_execs */
	struct belfry *belfry;
	struct line *line;	 /* NULL: nobody listens any more */
	char *account, *mailbox; /* for the journal, then */
	struct mailbox_task *task;
	struct child *child;	   /* NULL while it waits */
	struct loop_timer *forget; /* prepared, until it is asked for */
};

static void
free_exec(struct exec *exec)
{
	struct mailbox_event holder = {.task = exec->task};

	list_remove(&exec->link);
	loop_timer_free(&exec->forget);
	child_cancel(&exec->child);
	mailbox_event_done(&holder);
	free(exec->account);
	free(exec->mailbox);
	free(exec);
}

/* "exit 0", "exit 3: what it said": for history and people. */
static void
describe(const struct child_result *result, struct buf *words)
{
	if (!result->started) {
		buf_add_str(words, result->error.text);
		return;
	}
	if (result->timed_out)
		buf_add_str(words, "took too long and was ended");
	else
		buf_addf(words, "exit %d", result->status);
	struct span said =
	    result->errors.len > 0 ? result->errors : result->output;
	said = span_trim(said);
	if (said.len > 0) {
		buf_add_str(words, ": ");
		str_sanitize(words, said, 500);
	}
}

static struct store_key
key_of(const struct exec *exec)
{
	return (struct store_key){
	    .account = exec->account,
	    .mailbox = exec->mailbox,
	    .uidvalidity = exec->task->uidvalidity,
	    .uid = exec->task->uid,
	};
}

/* The mailbox is gone (its account was changed or removed): the outcome goes
 * into the journal without it. */
static void
record(struct exec *exec, bool ok, const char *words)
{
	struct store_batch *batch = store_batch_new();
	const struct store_key key = key_of(exec);
	struct error error = ERROR_INIT;

	store_batch_set_effect(batch, &key, exec->task->seq,
	    ok ? EFFECT_DONE : EFFECT_FAILED, 1, words, loop_now_unix());
	if (!journal_commit_now(exec->belfry->journal, batch, &error))
		report_note(exec->belfry, true, "trouble", exec->account,
		    "journal: %s", error.text);
	store_batch_free(&batch);
}

static void start_next(struct belfry *belfry);

static void
on_end(void *ctx, const struct child_result *result)
{
	struct exec *exec = ctx;
	struct belfry *belfry = exec->belfry;
	BUF_AUTO words = BUF_INIT;
	bool ok = result->started && !result->timed_out && result->status == 0;

	/* Out of the list first, where without a child it would look as if it
	 * still waited for its turn. */
	list_remove(&exec->link);
	exec->child = NULL;
	belfry->exec_running--;
	describe(result, &words);
	if (exec->line != NULL) {
		struct running_account *owner = exec->line->owner;
		mailbox_task_done(exec->line->mailbox, exec->task->uidvalidity,
		    exec->task->uid, exec->task->seq,
		    ok ? EFFECT_DONE : EFFECT_FAILED, buf_str(&words),
		    loop_now());
		accounts_pump(owner);
	} else {
		record(exec, ok, buf_str(&words));
	}
	free_exec(exec);
	start_next(belfry);
	leave_if_done(belfry);
}

static struct child_config
config_of(const struct exec *exec)
{
	return (struct child_config){
	    .argv = &exec->task->action.argv,
	    .environment = &exec->task->environment,
	    .input = buf_span(&exec->task->input),
	    .limit = EXEC_USEC,
	};
}

static void
start(struct exec *exec)
{
	const struct child_config config = config_of(exec);

	exec->belfry->exec_running++;
	exec->child = child_run(exec->belfry->loop, &config, on_end, exec);
}

static void
start_next(struct belfry *belfry)
{
	LIST_EACH(pos, &belfry->execs)
	{
		struct exec *exec = LIST_ITEM(pos, struct exec, link);
		if (belfry->leaving || belfry->exec_running >= EXEC_MAX)
			return;
		if (exec->child == NULL)
			start(exec);
	}
}

static struct exec *
exec_new(struct line *line, struct mailbox_task *task, struct list_link *list)
{
	struct exec *exec = NEW(struct exec);

	exec->belfry = line->owner->belfry;
	exec->line = line;
	exec->task = task;
	exec->account = xstrdup(line->owner->config->name);
	exec->mailbox = xstrdup(mailbox_name(line->mailbox));
	list_add(list, &exec->link);
	return exec;
}

/* ---- prepared ---- */

static void
on_forget(void *ctx)
{
	free_exec(ctx);
}

static size_t
count_prepared(struct belfry *belfry)
{
	size_t count = 0;

	LIST_EACH(pos, &belfry->prepared_execs)
	count++;
	return count;
}

void
exec_prepare(struct line *line, struct mailbox_task *task)
{
	struct belfry *belfry = line->owner->belfry;
	struct exec *exec = exec_new(line, task, &belfry->prepared_execs);
	const struct child_config config = config_of(exec);

	if (belfry->leaving || count_prepared(belfry) > SPAWN_HELD_MAX) {
		free_exec(exec);
		return;
	}
	exec->forget = loop_timer_new(belfry->loop, on_forget, exec);
	loop_timer_set(exec->forget, usec_add(loop_now(), PREPARED_USEC));
	exec->child = child_prepare(belfry->loop, &config, on_end, exec);
}

static bool
is_same(const struct mailbox_task *one, const struct mailbox_task *other)
{
	return one->uidvalidity == other->uidvalidity &&
	       one->uid == other->uid && one->seq == other->seq;
}

/* What it would be given is what it was prepared with. */
static bool
has_same_words(const struct mailbox_task *one, const struct mailbox_task *other)
{
	return strv_equal(&one->action.argv, &other->action.argv) &&
	       strv_equal(&one->environment, &other->environment) &&
	       span_equal(buf_span(&one->input), buf_span(&other->input));
}

static struct exec *
find_prepared(const struct line *line, const struct mailbox_task *task)
{
	LIST_EACH(pos, &line->owner->belfry->prepared_execs)
	{
		struct exec *exec = LIST_ITEM(pos, struct exec, link);
		if (exec->line == line && is_same(exec->task, task))
			return exec;
	}
	return NULL;
}

/* True: it runs, and the task was taken. */
static bool
begin_prepared(struct line *line, struct mailbox_task *task)
{
	struct belfry *belfry = line->owner->belfry;
	struct exec *exec = find_prepared(line, task);
	struct mailbox_event holder = {.task = task};

	if (exec == NULL)
		return false;
	if (belfry->leaving || belfry->exec_running >= EXEC_MAX ||
	    !child_is_ready(exec->child) || !has_same_words(exec->task, task)) {
		free_exec(exec);
		return false;
	}
	child_begin(exec->child);
	loop_timer_free(&exec->forget);
	list_remove(&exec->link);
	list_add(&belfry->execs, &exec->link);
	belfry->exec_running++;
	mailbox_event_done(&holder);
	return true;
}

void
exec_run(struct line *line, struct mailbox_task *task)
{
	struct belfry *belfry = line->owner->belfry;

	if (begin_prepared(line, task))
		return;
	exec_new(line, task, &belfry->execs);
	start_next(belfry);
}

static void
forget_prepared(struct belfry *belfry, const struct line *line)
{
	LIST_EACH(pos, &belfry->prepared_execs)
	{
		struct exec *exec = LIST_ITEM(pos, struct exec, link);
		if (line == NULL || exec->line == line)
			free_exec(exec);
	}
}

void
exec_forget_line(struct line *line)
{
	forget_prepared(line->owner->belfry, line);
	LIST_EACH(pos, &line->owner->belfry->execs)
	{
		struct exec *exec = LIST_ITEM(pos, struct exec, link);
		if (exec->line == line)
			exec->line = NULL;
	}
}

void
exec_load(struct line *line)
{
	LIST_EACH(pos, &line->owner->belfry->execs)
	{
		struct exec *exec = LIST_ITEM(pos, struct exec, link);
		const struct mailbox_task *task = exec->task;
		if (exec->line == NULL &&
		    strcmp(exec->account, line->owner->config->name) == 0 &&
		    strcmp(exec->mailbox, mailbox_name(line->mailbox)) == 0 &&
		    mailbox_load_task(
			line->mailbox, task->uidvalidity, task->uid, task->seq))
			exec->line = line;
	}
}

/* A command that still waited for its turn never ran: it is planned again. One
 * that runs is ended, and nobody can tell what it did. */
static void
take_back(struct exec *exec)
{
	struct store_batch *batch;
	const struct store_key key = key_of(exec);

	if (exec->child != NULL)
		return;
	batch = store_batch_new();
	store_batch_set_effect(batch, &key, exec->task->seq, EFFECT_PLANNED, 0,
	    "", loop_now_unix());
	journal_note(exec->belfry->journal, batch);
}

void
exec_free_all(struct belfry *belfry)
{
	forget_prepared(belfry, NULL);
	LIST_EACH(pos, &belfry->execs)
	{
		struct exec *exec = LIST_ITEM(pos, struct exec, link);
		take_back(exec);
		free_exec(exec);
	}
}
