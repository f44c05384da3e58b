/*
 * undo: how each step stands.
 */
#include "daemon/base/xalloc.h"
#include "daemon/wiring/planned_run.h"
#include "daemon/wiring/undo_private.h"

/* The last effect that was to take this back; NULL: none was. */
static const struct store_effect *
find_earlier(const struct undoing *undoing, const struct undo_step *step,
    const char *mailbox)
{
	const struct store_key key = {undoing->account->config->name, mailbox,
	    step->uidvalidity, step->uid};
	const char *kind = action_name(step->action.kind);
	const struct store_effect *last = NULL;

	LIST_EACH(pos, &undoing->earlier)
	{
		const struct told_message *told =
		    LIST_ITEM(pos, struct told_message, link);
		const struct store_key *other = &told->past.message.key;
		if (other->uid != key.uid ||
		    other->uidvalidity != key.uidvalidity ||
		    strcmp(other->mailbox, key.mailbox) != 0)
			continue;
		for (size_t i = 0; i < told->past.count; i++)
			if (strcmp(told->past.effects[i].rule, UNDO_RULE) ==
				0 &&
			    strcmp(told->past.effects[i].kind, kind) == 0)
				last = &told->past.effects[i];
	}
	return last;
}

static enum standing
standing_of(const struct store_effect *earlier)
{
	static const enum standing standings[EFFECT_STATES] = {
	    [EFFECT_PLANNED] = STANDING_BEGUN,
	    [EFFECT_STARTED] = STANDING_BEGUN,
	    [EFFECT_DONE] = STANDING_UNDONE,
	    [EFFECT_FAILED] = STANDING_FAILED,
	    [EFFECT_SKIPPED] = STANDING_FAILED,
	    [EFFECT_UNKNOWN] = STANDING_FAILED,
	};

	return earlier != NULL ? standings[earlier->state] : STANDING_OPEN;
}

/* Of a request's rule, or of what was found. */
bool
undoing_wants(const struct undoing *undoing, const struct undo_step *step)
{
	if (undoing->found != NULL)
		return search_is_found(undoing->account, step, undoing->found);
	return undoing->rule == NULL ||
	       strcmp(step->effect->rule, undoing->rule) == 0;
}

static enum standing
standing_of_search(const struct undoing *undoing, const struct undo_step *step,
    const char **words_r)
{
	static const enum standing standings[] = {
	    [SEARCH_NONE] = STANDING_OPEN,
	    [SEARCH_WAITING] = STANDING_BEGUN,
	    [SEARCH_ASKED] = STANDING_BEGUN,
	    [SEARCH_FOUND] = STANDING_BEGUN,
	    [SEARCH_FAILED] = STANDING_FAILED,
	};
	enum search_state state =
	    search_get(undoing->account, step->mover, words_r);

	if (state == SEARCH_NONE && step->uid == 0)
		*words_r = "the server did not say where it is now: it is "
			   "looked for by its Message-ID, size and date";
	return standings[state];
}

static void
look_at(const struct undoing *undoing, const struct undo_step *step,
    struct step_state *state)
{
	struct error error = ERROR_INIT;
	BUF_AUTO mailbox = BUF_INIT;
	const struct store_effect *earlier = NULL;
	const char *words = "";

	if (step->refusal != NULL) {
		state->words = xstrdup(step->refusal);
		return;
	}
	if (!planned_find_mailbox(
		undoing->account, step->mailbox, &mailbox, &error)) {
		state->words = xstrdup(error.text);
		return;
	}
	state->mailbox = xstrdup(buf_str(&mailbox));
	if (step->uid != 0)
		earlier = find_earlier(undoing, step, state->mailbox);
	state->standing = standing_of(earlier);
	if (earlier != NULL)
		words = earlier->detail;
	else if (step->mover != NULL && undoing->found == NULL)
		state->standing = standing_of_search(undoing, step, &words);
	state->words = xstrdup(words);
}

void
undoing_look(struct undoing *undoing)
{
	LIST_EACH(pos, &undoing->messages)
	{
		struct told_message *told =
		    LIST_ITEM(pos, struct told_message, link);
		for (size_t i = 0; i < told->undo.count; i++)
			look_at(
			    undoing, &told->undo.steps[i], &told->states[i]);
	}
}
