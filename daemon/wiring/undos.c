/*
 * belfryctl undo: finds in the history what rules did, and plans the opposite
 * as a run of each mailbox where the messages are now (account/undo.h).
 *
 * A request says how things stand, step by step; unless it is dry, it begins
 * what can be taken back and was not. A client that wants to see the end asks
 * again with a dry one.
 */
#include "daemon/control/json.h"
#include "daemon/wiring/undo_private.h"

/* What was begun is in the journal; of the others it is told why not. */
static void
close_searches(struct undoing *undoing)
{
	LIST_EACH(pos, &undoing->messages)
	{
		const struct told_message *told =
		    LIST_ITEM(pos, struct told_message, link);
		for (size_t i = 0; i < told->undo.count; i++) {
			const struct undo_step *step = &told->undo.steps[i];
			const struct step_state *state = &told->states[i];
			if (step->mover == NULL ||
			    !undoing_wants(undoing, step))
				continue;
			search_close(undoing->account, step->mover,
			    state->begins && state->standing == STANDING_REFUSED
				? state->words
				: NULL);
		}
	}
}

void
undo_begin_found(struct running_account *account, const char *mailbox)
{
	struct undoing undoing = {
	    .belfry = account->belfry,
	    .account = account,
	    .found = mailbox,
	};
	struct json *request = json_new_object();
	struct error error = ERROR_INIT;

	list_init(&undoing.messages);
	list_init(&undoing.earlier);
	if (undoing_gather(&undoing, request, &error)) {
		undoing_look(&undoing);
		undoing_begin_in(&undoing, mailbox);
		close_searches(&undoing);
	}
	json_free(&request);
	undoing_done(&undoing);
}

void
undo_search_again(struct running_account *account, const struct json *request)
{
	struct undoing undoing = {
	    .belfry = account->belfry,
	    .account = account,
	    .rule = json_get_str(request, "rule"),
	    .uid = (uint32_t)json_get_int(request, "uid", 0),
	    .resumes = true,
	};

	list_init(&undoing.messages);
	list_init(&undoing.earlier);
	if (undoing_gather(&undoing, request, NULL)) {
		undoing_look(&undoing);
		undoing_begin_searches(&undoing);
	}
	undoing_done(&undoing);
}

static struct running_account *
find_account(
    struct belfry *belfry, struct client *client, const struct json *request)
{
	const char *name = json_get_str(request, "account");
	struct running_account *account =
	    name != NULL ? accounts_find(belfry, name) : NULL;

	if (account == NULL)
		control_refuse_account(client, name);
	else if (account->paused)
		control_refuse(client, "belfryctl resume connects it again",
		    "the account %s is paused", name);
	else
		return account;
	return NULL;
}

void
undo_ask(
    struct belfry *belfry, struct client *client, const struct json *request)
{
	struct undoing undoing = {
	    .belfry = belfry,
	    .account = find_account(belfry, client, request),
	    .rule = json_get_str(request, "rule"),
	    .uid = (uint32_t)json_get_int(request, "uid", 0),
	    .request = request,
	};
	struct error error = ERROR_INIT;

	if (undoing.account == NULL)
		return;
	list_init(&undoing.messages);
	list_init(&undoing.earlier);
	if (!undoing_gather(&undoing, request, &error)) {
		control_refuse(client, NULL, "%s", error.text);
	} else {
		undoing_look(&undoing);
		if (!json_get_bool(request, "dry_run") && !belfry->dry_run)
			undoing_begin_all(&undoing);
		undoing_answer(&undoing, client);
	}
	undoing_done(&undoing);
}
