/*
 * undo: the messages of the history that a request is about, copied.
 */
#include "daemon/base/xalloc.h"
#include "daemon/control/json.h"
#include "daemon/wiring/undo_private.h"

static struct told_message *
copy_message(const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	struct told_message *told = NEW(struct told_message);

	past_copy(&told->past, message, effects, count);
	return told;
}

static void
free_message(struct told_message *told)
{
	list_remove(&told->link);
	for (size_t i = 0; told->states != NULL && i < told->undo.count; i++) {
		free(told->states[i].words);
		free(told->states[i].mailbox);
	}
	free(told->states);
	undo_done(&told->undo);
	past_done(&told->past);
	free(told);
}

void
undoing_done(struct undoing *undoing)
{
	LIST_EACH(pos, &undoing->messages)
	free_message(LIST_ITEM(pos, struct told_message, link));
	LIST_EACH(pos, &undoing->earlier)
	free_message(LIST_ITEM(pos, struct told_message, link));
}

static bool
has_rule(const struct store_effect *effects, size_t count, const char *rule)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(effects[i].rule, rule) == 0)
			return true;
	return false;
}

static bool
note_message(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	struct undoing *undoing = ctx;
	struct told_message *told;

	if ((undoing->uid != 0 && message->key.uid != undoing->uid) ||
	    (undoing->rule != NULL &&
		!has_rule(effects, count, undoing->rule)) ||
	    (undoing->found != NULL && !search_has_found(undoing->account,
					   &message->key, undoing->found)))
		return true;
	told = copy_message(message, effects, count);
	list_add(&undoing->messages, &told->link);
	undo_init(&told->undo, &told->past.message, told->past.effects,
	    told->past.count);
	told->states = xcalloc(told->undo.count + 1, sizeof(*told->states));
	return ++undoing->count < UNDO_MAX;
}

static bool
note_earlier(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	struct undoing *undoing = ctx;

	if (has_rule(effects, count, UNDO_RULE))
		list_add(&undoing->earlier,
		    &copy_message(message, effects, count)->link);
	return true;
}

bool
undoing_gather(
    struct undoing *undoing, const struct json *request, struct error *error_r)
{
	struct store *store = undoing->belfry->store;
	const struct store_history_query query = {
	    .account = undoing->account->config->name,
	    .mailbox = json_get_str(request, "mailbox"),
	    .since_unix = json_get_int(request, "since", 0),
	    .until_unix = json_get_int(request, "until", 0),
	};
	const struct store_history_query all = {.account = query.account};

	return store_each_history(
		   store, &query, note_message, undoing, error_r) &&
	       store_each_history(store, &all, note_earlier, undoing, error_r);
}
