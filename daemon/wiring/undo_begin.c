/*
 * undo: what can be taken back is begun, as a run of each mailbox.
 */
#include "daemon/base/xalloc.h"
#include "daemon/wiring/planned_run.h"
#include "daemon/wiring/undo_private.h"

struct run {
	struct undoing *undoing;
	const char *mailbox;
	struct planned_run planned;
};

static bool
may_begin(const struct run *run, const struct told_message *told, size_t i)
{
	const struct step_state *state = &told->states[i];
	const struct undo_step *step = &told->undo.steps[i];

	return undoing_wants(run->undoing, step) && !state->begins &&
	       step->uid != 0 && state->mailbox != NULL &&
	       (state->standing == STANDING_OPEN ||
		   state->standing == STANDING_FAILED) &&
	       strcmp(state->mailbox, run->mailbox) == 0 &&
	       (run->planned.row.uidvalidity == 0 ||
		   run->planned.row.uidvalidity == step->uidvalidity);
}

static void
add_step(struct run *run, struct told_message *told, size_t i)
{
	const struct undo_step *step = &told->undo.steps[i];

	planned_run_add(&run->planned, &told->past, step->uidvalidity,
	    step->uid, &step->action, (unsigned)i);
	told->states[i].begins = true;
}

static void
tell_steps(const struct run *run, enum standing standing, const char *words)
{
	LIST_EACH(pos, &run->undoing->messages)
	{
		struct told_message *told =
		    LIST_ITEM(pos, struct told_message, link);
		for (size_t i = 0; i < told->undo.count; i++) {
			struct step_state *state = &told->states[i];
			if (!state->begins ||
			    strcmp(state->mailbox, run->mailbox) != 0)
				continue;
			free(state->words);
			state->words = xstrdup(words);
			state->standing = standing;
		}
	}
}

void
undoing_begin_in(struct undoing *undoing, const char *mailbox)
{
	struct run run = {.undoing = undoing, .mailbox = mailbox};
	struct error error = ERROR_INIT;
	bool is_free = planned_run_begin(
	    &run.planned, undoing->account, mailbox, UNDO_RULE);

	LIST_EACH(pos, &undoing->messages)
	{
		struct told_message *told =
		    LIST_ITEM(pos, struct told_message, link);
		for (size_t i = 0; i < told->undo.count; i++)
			if (may_begin(&run, told, i))
				add_step(&run, told, i);
	}
	if (run.planned.count == 0)
		; /* nothing there, or nothing that is known to be there */
	else if (!is_free)
		tell_steps(&run, STANDING_REFUSED,
		    "another run is under way where the message is now: when "
		    "it is over, ask again");
	else if (!planned_run_commit(&run.planned, &error))
		tell_steps(&run, STANDING_REFUSED, error.text);
	else
		tell_steps(&run, STANDING_BEGUN, "");
	planned_run_done(&run.planned);
}

/* What an earlier life has found, and maybe not begun to take back: it may lie
 * elsewhere by now. */
static bool
was_found(
    const struct undoing *undoing, const struct told_message *told, size_t i)
{
	return undoing->resumes && told->undo.steps[i].mover != NULL &&
	       told->past.message.message_id[0] != '\0' &&
	       told->states[i].standing == STANDING_OPEN;
}

/* What nobody knows the place of is looked for. */
static bool
wants_search(
    const struct undoing *undoing, const struct told_message *told, size_t i)
{
	const struct undo_step *step = &told->undo.steps[i];
	const struct step_state *state = &told->states[i];

	return undoing_wants(undoing, step) && state->mailbox != NULL &&
	       (step->uid == 0 || was_found(undoing, told, i)) &&
	       (state->standing == STANDING_OPEN ||
		   state->standing == STANDING_FAILED);
}

static bool
wants_any_search(const struct undoing *undoing)
{
	LIST_EACH(pos, &undoing->messages)
	{
		const struct told_message *told =
		    LIST_ITEM(pos, struct told_message, link);
		for (size_t i = 0; i < told->undo.count; i++)
			if (wants_search(undoing, told, i))
				return true;
	}
	return false;
}

/* `refusal`: why not; NULL: it is. */
static void
begin_search(struct undoing *undoing, struct told_message *told, size_t i,
    const char *refusal)
{
	struct step_state *state = &told->states[i];

	if (!wants_search(undoing, told, i))
		return;
	state->standing = refusal != NULL ? STANDING_REFUSED : STANDING_BEGUN;
	if (refusal != NULL) {
		free(state->words);
		state->words = xstrdup(refusal);
		return;
	}
	search_add(undoing->account, &told->past.message,
	    told->undo.steps[i].mover, state->mailbox, undoing->rule);
}

/* Written down before it is begun. */
void
undoing_begin_searches(struct undoing *undoing)
{
	struct error error = ERROR_INIT;
	bool ok = undoing->request == NULL || !wants_any_search(undoing) ||
		  undo_remember(undoing->account, undoing->request, &error);

	LIST_EACH(pos, &undoing->messages)
	{
		struct told_message *told =
		    LIST_ITEM(pos, struct told_message, link);
		for (size_t i = 0; i < told->undo.count; i++)
			begin_search(undoing, told, i, ok ? NULL : error.text);
	}
	search_run(undoing->account);
	undo_searched(undoing->account);
}

/* Each mailbox once. */
void
undoing_begin_all(struct undoing *undoing)
{
	STRV_AUTO mailboxes = STRV_INIT;

	LIST_EACH(pos, &undoing->messages)
	{
		struct told_message *told =
		    LIST_ITEM(pos, struct told_message, link);
		for (size_t i = 0; i < told->undo.count; i++)
			if (told->states[i].mailbox != NULL &&
			    !strv_has(&mailboxes, told->states[i].mailbox))
				strv_add(&mailboxes, told->states[i].mailbox);
	}
	for (size_t i = 0; i < mailboxes.len; i++)
		undoing_begin_in(undoing, mailboxes.items[i]);
	undoing_begin_searches(undoing);
	accounts_pump(undoing->account);
}
