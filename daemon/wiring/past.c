/*
 * wiring/past: messages of the history, copied.
 */
#include "daemon/wiring/past.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/xalloc.h"

static char **
texts_of(struct store_message *m, size_t i)
{
	const char **const texts[] = {&m->key.account, &m->key.mailbox,
	    &m->message_id, &m->from, &m->subject, &m->rules, &m->observed,
	    &m->warnings, &m->identity};

	return i < sizeof(texts) / sizeof(texts[0]) ? (char **)texts[i] : NULL;
}

void
past_copy(struct past *past, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	char **text;

	past->message = *message;
	for (size_t i = 0; (text = texts_of(&past->message, i)) != NULL; i++)
		*text = xstrdup(*text);
	past->effects = xcalloc(count + 1, sizeof(*past->effects));
	past->count = count;
	for (size_t i = 0; i < count; i++) {
		struct store_effect *effect = &past->effects[i];
		*effect = effects[i];
		effect->key = past->message.key;
		effect->rule = xstrdup(effect->rule);
		effect->kind = xstrdup(effect->kind);
		effect->action = xstrdup(effect->action);
		effect->detail = xstrdup(effect->detail);
	}
}

void
past_done(struct past *past)
{
	char **text;

	for (size_t i = 0; (text = texts_of(&past->message, i)) != NULL; i++)
		free(*text);
	for (size_t i = 0; i < past->count; i++) {
		free((char *)past->effects[i].rule);
		free((char *)past->effects[i].kind);
		free((char *)past->effects[i].action);
		free((char *)past->effects[i].detail);
	}
	free(past->effects);
	*past = (struct past){0};
}

static bool
note_message(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	past_copy(ctx, message, effects, count);
	return false;
}

bool
past_find(struct store *store, const struct store_key *key, struct past *past_r)
{
	struct past past = {0};

	store_find_message(store, key, note_message, &past, NULL);
	if (past.effects == NULL)
		return false;
	*past_r = past;
	return true;
}
