#include "daemon/account/arrivals.h"

#include "daemon/account/recent.h"
#include "daemon/base/buf.h"
#include "daemon/base/xalloc.h"
#include "rules/plan.h"

/* Most names are no longer. */
#define NAME_LIKELY 255

/* What is known of a message and a mailbox. */
#define WAS_PUT 'p'    /* a rule has put it there, or will */
#define WAS_JUDGED 'j' /* it was judged there */

struct arrivals {
	struct recent *known;
	struct strv places; /* mailboxes where something was judged */
};

struct arrivals *
arrivals_new(void)
{
	struct arrivals *arrivals = NEW(struct arrivals);

	arrivals->known = recent_new();
	return arrivals;
}

void
arrivals_free(struct arrivals **arrivals)
{
	if (*arrivals == NULL)
		return;
	recent_free(&(*arrivals)->known);
	strv_done(&(*arrivals)->places);
	free(*arrivals);
	*arrivals = NULL;
}

/* With its NUL, which is in none of them. */
static void
add_piece(struct buf *name, const char *text)
{
	buf_add(name, text, strlen(text) + 1);
}

/* INBOX has one name. */
static void
name_of(struct buf *name, char what, const char *mailbox,
    const struct store_message *message)
{
	bool is_inbox = span_is_nocase(span_from_str(mailbox), "INBOX");

	buf_reserve(name, NAME_LIKELY);
	buf_add_char(name, what);
	add_piece(name, is_inbox ? "INBOX" : mailbox);
	add_piece(name, message->message_id);
	add_piece(name, message->from);
	add_piece(name, message->subject);
	buf_add(name, &message->size, sizeof(message->size));
}

static void
add(struct arrivals *arrivals, char what, const char *mailbox,
    const struct store_message *message)
{
	BUF_AUTO name = BUF_INIT;

	name_of(&name, what, mailbox, message);
	recent_add(arrivals->known, buf_span(&name), message->judged_unix);
}

static bool
has(const struct arrivals *arrivals, char what, const char *mailbox,
    const struct store_message *message)
{
	BUF_AUTO name = BUF_INIT;

	if (recent_count(arrivals->known) == 0)
		return false;
	name_of(&name, what, mailbox, message);
	return recent_has(arrivals->known, buf_span(&name));
}

/* Where the action puts the message: a mailbox as the rule writes it, or a
 * special use; NULL: nowhere. */
static const char *
target_of(const struct action *action)
{
	static const char *const special[ACTION_KINDS] = {
	    [ACTION_ARCHIVE] = "\\Archive",
	    [ACTION_TRASH] = "\\Trash",
	    [ACTION_JUNK] = "\\Junk",
	};

	if (special[action->kind] != NULL)
		return special[action->kind];
	if (action->kind == ACTION_COPY || action->kind == ACTION_MOVE)
		return action->target;
	return NULL;
}

/* True: some effect puts the message somewhere. */
static bool
add_targets(struct arrivals *arrivals, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	bool added = false;

	for (size_t i = 0; i < count; i++) {
		struct action action;
		if (!action_parse(span_from_str(effects[i].action), &action))
			continue;
		const char *target = target_of(&action);
		if (target != NULL) {
			add(arrivals, WAS_PUT, target, message);
			added = true;
		}
		action_done(&action);
	}
	return added;
}

static void
add_place(struct arrivals *arrivals, const char *mailbox)
{
	if (arrivals->places.len < ARRIVALS_PLACES_MAX &&
	    !strv_has(&arrivals->places, mailbox))
		strv_add(&arrivals->places, mailbox);
}

/* Most messages are put nowhere; where they were judged does not matter. */
static bool
note_message(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	struct arrivals *arrivals = ctx;
	const char *mailbox = message->key.mailbox;

	if (message->message_id[0] == '\0')
		return true;
	if (add_targets(arrivals, message, effects, count) ||
	    has(arrivals, WAS_PUT, mailbox, message)) {
		add(arrivals, WAS_JUDGED, mailbox, message);
		add_place(arrivals, mailbox);
	}
	return true;
}

void
arrivals_note(struct arrivals *arrivals, const struct store_batch *batch)
{
	store_batch_each_plan(batch, note_message, arrivals);
}

/* Twice: the history gives the last first, and where a message arrived is
 * understood only with what put it there. */
bool
arrivals_load(struct arrivals *arrivals, struct store *store,
    const char *account, int64_t now_unix, struct error *error_r)
{
	const struct store_history_query query = {
	    .account = account,
	    .since_unix = now_unix - ARRIVALS_KEEP_SEC,
	    .limit = ARRIVALS_LOAD_MAX,
	};

	return store_each_history(
		   store, &query, note_message, arrivals, error_r) &&
	       store_each_history(
		   store, &query, note_message, arrivals, error_r);
}

static bool
has_any(const struct arrivals *arrivals, char what, const struct strv *names,
    const struct store_message *message)
{
	for (size_t i = 0; i < names->len; i++)
		if (has(arrivals, what, names->items[i], message))
			return true;
	return false;
}

enum arrival
arrivals_meet(const struct arrivals *arrivals,
    const struct store_message *message, const struct strv *names,
    struct strv *judged_r)
{
	if (message->message_id[0] == '\0' ||
	    !has_any(arrivals, WAS_PUT, names, message))
		return ARRIVAL_NEWS;
	if (has(arrivals, WAS_JUDGED, message->key.mailbox, message))
		return ARRIVAL_KNOWN;
	for (size_t i = 0; i < arrivals->places.len; i++) {
		const char *place = arrivals->places.items[i];
		if (has(arrivals, WAS_JUDGED, place, message))
			strv_add(judged_r, place);
	}
	return ARRIVAL_FORWARDED;
}
