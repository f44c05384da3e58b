/*
 * sim/world: a run over old messages.
 */
#include "tests/sim/world_private.h"

const char *
world_old_mailbox(const struct world *w)
{
	return w->visits ? OLD_MAILBOX : "INBOX";
}

bool
world_is_unfinished(void *ctx, const struct store_apply *apply)
{
	*(bool *)ctx = apply_is_unfinished(apply->state);
	return true;
}

/* As the wiring does after a login: whoever has the run already goes on. */
void
world_resume_run(struct world *w)
{
	struct store_apply apply = {.account = "sim",
	    .mailbox = world_old_mailbox(w),
	    .run = 1,
	    .detail = ""};
	struct error error = ERROR_INIT;
	BUF_AUTO rules = BUF_INIT;
	bool unfinished = false;

	store_each_apply(
	    w->store, "sim", world_is_unfinished, &unfinished, NULL);
	if (!unfinished)
		return;
	world_add_old_rules(&rules);
	apply.rules = buf_str(&rules);
	if (account_apply(w->account, &apply, false, w->now, &error) == NULL)
		world_note(w, "the run waits: %s", error.text);
}

void
world_request_run(struct world *w)
{
	struct store_apply apply = {
	    .account = "sim", .mailbox = world_old_mailbox(w), .run = 1};
	struct store_batch *batch = store_batch_new();
	BUF_AUTO rules = BUF_INIT;

	if (!w->requested) {
		world_note(w, "a run is asked for in %s", apply.mailbox);
		w->requested = true;
		world_add_old_rules(&rules);
		apply.rules = buf_str(&rules);
		store_batch_set_apply(batch, &apply);
		store_commit(w->store, batch, NULL);
		world_resume_run(w);
	}
	store_batch_free(&batch);
}
