#include "daemon/account/undo.h"

#include "daemon/base/xalloc.h"

#define PLACE_UID "UID "
#define PLACE_BEHIND "; "
#define PLACE_THERE " there (UIDVALIDITY "

void
undo_format_place(struct buf *detail, uint32_t uidvalidity)
{
	buf_addf(detail, " (UIDVALIDITY %u)", uidvalidity);
}

void
undo_add_place(struct buf *detail, uint32_t uid, uint32_t uidvalidity)
{
	buf_addf(detail, "%s" PLACE_UID "%u there",
	    detail->len > 0 ? PLACE_BEHIND : "", uid);
	undo_format_place(detail, uidvalidity);
}

#define BEFORE "was so before: "

char *
undo_flags_before(const struct action *mark, const struct strv *flags)
{
	STRV_AUTO before = STRV_INIT;

	if (mark->kind != ACTION_MARK)
		return NULL;
	for (size_t i = 0; i < mark->add.len; i++)
		if (strv_has_nocase(flags, span_from_str(mark->add.items[i])))
			strv_add(&before, mark->add.items[i]);
	for (size_t i = 0; i < mark->remove.len; i++)
		if (!strv_has_nocase(
			flags, span_from_str(mark->remove.items[i])))
			strv_add(&before, mark->remove.items[i]);
	return before.len > 0 ? strv_join(&before, " ") : NULL;
}

void
undo_format_before(struct buf *detail, const char *flags)
{
	buf_addf(detail, "%s" BEFORE "%s", detail->len > 0 ? "; " : "", flags);
}

char *
undo_read_before(const char *detail)
{
	const char *at = strstr(detail, BEFORE);

	return at != NULL ? xstrdup(at + strlen(BEFORE)) : NULL;
}

/* Behind the last of other words, if there are any. */
static const char *
skip_words(const char *detail)
{
	const char *at = detail, *next;

	while ((next = strstr(at, PLACE_BEHIND PLACE_UID)) != NULL)
		at = next + strlen(PLACE_BEHIND);
	return at;
}

/*
 * detail = [words "; "] place / *1words
 * place  = "UID " number " there (UIDVALIDITY " number ")"
 */
bool
undo_read_place(const char *detail, uint32_t *uid_r, uint32_t *validity_r)
{
	struct span text = span_from_str(skip_words(detail)), number;
	uint32_t uid, validity;

	if (!span_starts(text, PLACE_UID))
		return false;
	text = span_skip(text, strlen(PLACE_UID));
	number = span_from(text.data, strcspn(text.data, " "));
	text = span_skip(text, number.len);
	if (!span_to_u32(number, &uid) || !span_starts(text, PLACE_THERE))
		return false;
	text = span_skip(text, strlen(PLACE_THERE));
	number = span_from(text.data, strcspn(text.data, ")"));
	if (!span_to_u32(number, &validity) || uid == 0 || validity == 0)
		return false;
	*uid_r = uid;
	*validity_r = validity;
	return true;
}

/* ---- where the message went ---- */

const char *
undo_target_of(const struct action *action)
{
	static const char *const uses[ACTION_KINDS] = {
	    [ACTION_ARCHIVE] = "\\Archive",
	    [ACTION_TRASH] = "\\Trash",
	    [ACTION_JUNK] = "\\Junk",
	};

	return uses[action->kind] != NULL ? uses[action->kind] : action->target;
}

/* False: nobody knows, and it cannot be looked for. */
static bool
set_place(struct undo_step *step, const struct action *done,
    const struct store_message *message)
{
	if (undo_target_of(done) == NULL || (!undo_read_place(step->effect->detail,
					    &step->uid, &step->uidvalidity) &&
					   message->message_id[0] == '\0'))
		return false;
	step->mover = step->effect;
	step->place = xstrdup(undo_target_of(done));
	step->mailbox = step->place;
	return true;
}

/* ---- the opposite of each action ---- */

typedef const char *undo_fn(struct undo_step *step, const struct action *done,
    const struct store_message *message);

static const char nowhere[] =
    "the server did not say where it is now, and it has no Message-ID to look "
    "for; `belfryctl history` says where it was put";

static const char *
undo_move(struct undo_step *step, const struct action *done,
    const struct store_message *message)
{
	if (message->message_id[0] == '\0')
		return "it has no Message-ID: back there it would be taken "
		       "for new mail";
	if (!set_place(step, done, message))
		return nowhere;
	action_init(&step->action, ACTION_MOVE);
	step->action.target = xstrdup(message->key.mailbox);
	return NULL;
}

/* Nothing is deleted for good, a copy neither. */
static const char *
undo_copy(struct undo_step *step, const struct action *done,
    const struct store_message *message)
{
	if (!set_place(step, done, message))
		return nowhere;
	action_init(&step->action, ACTION_TRASH);
	return NULL;
}

static bool
has_word(const char *words, const char *word)
{
	struct span rest = span_from_str(words != NULL ? words : ""), one;

	while (span_split(&rest, ' ', &one))
		if (span_is(one, word))
			return true;
	return false;
}

/* But for what was so before. */
static void
add_all(struct strv *to, const struct strv *from, const char *before)
{
	for (size_t i = 0; i < from->len; i++)
		if (!has_word(before, from->items[i]))
			strv_add(to, from->items[i]);
}

static const char *
undo_mark(struct undo_step *step, const struct action *done,
    const struct store_message *message)
{
	STR_AUTO before = undo_read_before(step->effect->detail);
	STRV_AUTO add = STRV_INIT, remove = STRV_INIT;

	add_all(&add, &done->remove, before);
	add_all(&remove, &done->add, before);
	if (add.len == 0 && remove.len == 0)
		return "it was so before";
	step->mailbox = message->key.mailbox;
	step->uidvalidity = message->key.uidvalidity;
	step->uid = message->key.uid;
	action_init(&step->action, ACTION_MARK);
	strv_copy(&step->action.add, &add);
	strv_copy(&step->action.remove, &remove);
	return NULL;
}

static const char *
refuse_forward(struct undo_step *step, const struct action *done,
    const struct store_message *message)
{
	(void)step;
	(void)done;
	(void)message;
	return "what was sent cannot be called back";
}

static const char *
refuse_exec(struct undo_step *step, const struct action *done,
    const struct store_message *message)
{
	(void)step;
	(void)done;
	(void)message;
	return "Belfry does not know what the command did";
}

static const char *
refuse_label(struct undo_step *step, const struct action *done,
    const struct store_message *message)
{
	(void)step;
	(void)done;
	(void)message;
	return "labels stay: take it off in the mail program";
}

static const char *
refuse_delete(struct undo_step *step, const struct action *done,
    const struct store_message *message)
{
	(void)step;
	(void)done;
	(void)message;
	return "it was deleted for good";
}

static undo_fn *const opposites[ACTION_KINDS] = {
    [ACTION_COPY] = undo_copy,
    [ACTION_FORWARD] = refuse_forward,
    [ACTION_EXEC] = refuse_exec,
    [ACTION_MARK] = undo_mark,
    [ACTION_LABEL] = refuse_label,
    [ACTION_MOVE] = undo_move,
    [ACTION_ARCHIVE] = undo_move,
    [ACTION_TRASH] = undo_move,
    [ACTION_JUNK] = undo_move,
    [ACTION_DELETE] = refuse_delete,
};

/* ---- all of a message ---- */

static bool
was_done(const struct store_effect *effect)
{
	return effect->state == EFFECT_DONE || effect->state == EFFECT_UNKNOWN;
}

static void
add_step(struct undo *undo, const struct store_message *message,
    const struct store_effect *effect)
{
	struct undo_step *step = &undo->steps[undo->count];
	struct action done;

	if (!was_done(effect) || strcmp(effect->rule, UNDO_RULE) == 0 ||
	    !action_parse(span_from_str(effect->action), &done))
		return;
	if (opposites[done.kind] != NULL) {
		*step = (struct undo_step){.effect = effect};
		step->refusal = opposites[done.kind](step, &done, message);
		undo->count++;
	}
	action_done(&done);
}

/* What was marked before it was moved is where it was moved to. */
static void
follow_move(struct undo *undo)
{
	const struct undo_step *move = NULL;

	for (size_t i = 0; i < undo->count; i++)
		if (undo->steps[i].refusal == NULL &&
		    undo->steps[i].action.kind == ACTION_MOVE)
			move = &undo->steps[i];
	for (size_t i = 0; move != NULL && i < undo->count; i++) {
		struct undo_step *step = &undo->steps[i];
		if (step->refusal != NULL || step->action.kind != ACTION_MARK)
			continue;
		step->mover = move->mover;
		step->mailbox = move->mailbox;
		step->uidvalidity = move->uidvalidity;
		step->uid = move->uid;
	}
}

void
undo_init(struct undo *undo, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	undo->steps = xcalloc(count + 1, sizeof(*undo->steps));
	undo->count = 0;
	for (size_t i = 0; i < count; i++)
		add_step(undo, message, &effects[i]);
	follow_move(undo);
}

void
undo_done(struct undo *undo)
{
	for (size_t i = 0; i < undo->count; i++) {
		struct undo_step *step = &undo->steps[i];
		if (step->refusal == NULL)
			action_done(&step->action);
		free(step->place);
	}
	free(undo->steps);
	*undo = (struct undo){0};
}
