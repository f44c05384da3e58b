/*
 * account/deed: what a person does to one message.
 */
#include "daemon/account/deed.h"

#include <string.h>

#include "daemon/account/undo.h"
#include "daemon/base/xalloc.h"
#include "notifiers/notifier.h"

/* ---- the buttons ---- */

static const struct deed_kind kinds[] = {
    {NOTIFY_READ, ACTION_MARK, "marked as read"},
    {NOTIFY_READ_ALL, ACTION_MARK, "marked as read"},
    {NOTIFY_ARCHIVE, ACTION_ARCHIVE, "archived"},
    {NOTIFY_TRASH, ACTION_TRASH, "put into the trash"},
};

const struct deed_kind *
deed_find(const char *key)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].key, key) == 0)
			return &kinds[i];
	return NULL;
}

void
deed_fill_action(const struct deed_kind *kind, struct action *action_r)
{
	action_init(action_r, kind->action);
	if (kind->action == ACTION_MARK)
		strv_add(&action_r->add, "\\Seen");
}

/* ---- where the message is ---- */

void
deed_place_done(struct deed_place *place)
{
	free(place->mailbox);
	*place = (struct deed_place){0};
}

static bool
takes_away(enum action_kind kind)
{
	return kind >= ACTION_MOVE && kind <= ACTION_DELETE;
}

/* It went where this says. NULL, or why nobody knows where that is. */
static const char *
follow(const struct store_effect *effect, const struct action *action,
    struct deed_place *place)
{
	const char *target = undo_target_of(action);

	if (action->kind == ACTION_DELETE || target == NULL)
		return "it was deleted for good";
	deed_place_done(place);
	place->mailbox = xstrdup(target);
	if (!undo_read_place(effect->detail, &place->uid, &place->uidvalidity))
		place->mover = effect;
	return NULL;
}

/* "it is there already" is no move. */
static bool
was_moved(const struct store_effect *effect, const struct action *action)
{
	return takes_away(action->kind) &&
	       (effect->state == EFFECT_DONE ||
		   effect->state == EFFECT_UNKNOWN) &&
	       strcmp(effect->detail, "it is there already") != 0;
}

const char *
deed_find_place(const struct store_key *key, const struct store_effect *effects,
    size_t count, struct deed_place *place_r)
{
	struct deed_place place = {.mailbox = xstrdup(key->mailbox),
	    .uidvalidity = key->uidvalidity,
	    .uid = key->uid};
	const char *why = NULL;

	for (size_t i = 0; i < count && why == NULL; i++) {
		struct action action;

		if (!action_parse(span_from_str(effects[i].action), &action))
			continue;
		if (was_moved(&effects[i], &action))
			why = follow(&effects[i], &action, &place);
		action_done(&action);
	}
	if (why == NULL)
		*place_r = place;
	else
		deed_place_done(&place);
	return why;
}

unsigned
deed_next_seq(const struct store_effect *effects, size_t count)
{
	unsigned next = 0;

	for (size_t i = 0; i < count; i++)
		if (effects[i].seq < STORE_APPLY_SEQ && effects[i].seq >= next)
			next = effects[i].seq + 1;
	return next;
}
