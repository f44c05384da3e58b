#include "daemon/account/arrivals.h"

#include <stdlib.h>

#include "daemon/account/recent.h"
#include "daemon/base/buf.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/code.h"
#include "rules/plan.h"

/* Most names are no longer. */
#define NAME_LIKELY 255

/* What is known of a message and a mailbox. */
#define WAS_PUT 'p'    /* a rule has put it there, or will */
#define WAS_JUDGED 'j' /* it was judged there */
/* ... and of what the server calls an identity. */
#define IS_JUDGED 'J' /* it was judged there */
#define ANYWHERE ""

struct arrivals {
	struct recent *known;
	struct strv places; /* mailboxes where something was judged */
	struct judging *judging;
};

struct arrivals *
arrivals_new(void)
{
	struct arrivals *arrivals = NEW(struct arrivals);

	arrivals->known = recent_new();
	arrivals->judging = judging_new();
	return arrivals;
}

void
arrivals_free(struct arrivals **arrivals)
{
	if (*arrivals == NULL)
		return;
	recent_free(&(*arrivals)->known);
	judging_free(&(*arrivals)->judging);
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

/* The store has codes from before they were hidden (mailbox_code.c). */
static void
add_subject(struct buf *name, const char *subject)
{
	code_mask(span_from_str(subject), name);
	buf_add_char(name, '\0');
}

/* What a message is known by, wherever it is. */
static void
know(struct buf *known_by, const struct store_message *message)
{
	buf_reserve(known_by, NAME_LIKELY);
	add_piece(known_by, message->message_id);
	add_piece(known_by, message->from);
	add_subject(known_by, message->subject);
	buf_add(known_by, &message->size, sizeof(message->size));
}

/* INBOX has one name. */
static uint64_t
key_of(char what, const char *mailbox, const struct buf *known_by)
{
	bool is_inbox = span_is_nocase(span_from_str(mailbox), "INBOX");
	BUF_AUTO name = BUF_INIT;

	buf_reserve(&name, NAME_LIKELY);
	buf_add_char(&name, what);
	add_piece(&name, is_inbox ? "INBOX" : mailbox);
	buf_add_span(&name, buf_span(known_by));
	return recent_key(buf_span(&name));
}

static bool
has(const struct arrivals *arrivals, char what, const char *mailbox,
    const struct buf *known_by)
{
	return recent_count(arrivals->known) > 0 &&
	       recent_has_key(arrivals->known, key_of(what, mailbox, known_by));
}

static struct span
identity_of(const struct store_message *message)
{
	return span_from_str(
	    message->identity != NULL ? message->identity : "");
}

static void
name_identity(struct buf *name, const char *mailbox, struct span identity)
{
	bool is_inbox = span_is_nocase(span_from_str(mailbox), "INBOX");

	buf_reserve(name, NAME_LIKELY);
	buf_add_char(name, IS_JUDGED);
	add_piece(name, is_inbox ? "INBOX" : mailbox);
	buf_add_span(name, identity);
}

static void
add_identity(struct arrivals *arrivals, const char *mailbox,
    const struct store_message *message)
{
	BUF_AUTO name = BUF_INIT;

	name_identity(&name, mailbox, identity_of(message));
	recent_add(arrivals->known, buf_span(&name), message->judged_unix);
}

static bool
has_identity(
    const struct arrivals *arrivals, const char *mailbox, struct span identity)
{
	BUF_AUTO name = BUF_INIT;

	if (identity.len == 0 || recent_count(arrivals->known) == 0)
		return false;
	name_identity(&name, mailbox, identity);
	return recent_has(arrivals->known, buf_span(&name));
}

bool
arrivals_was_judged(const struct arrivals *arrivals, const char *identity)
{
	return has_identity(arrivals, ANYWHERE, span_from_str(identity));
}

struct judging *
arrivals_judging(struct arrivals *arrivals)
{
	return arrivals->judging;
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
add_targets(struct arrivals *arrivals, const struct buf *known_by,
    int64_t when_unix, const struct store_effect *effects, size_t count)
{
	bool added = false;

	for (size_t i = 0; i < count; i++) {
		struct action action;
		if (!action_parse(span_from_str(effects[i].action), &action))
			continue;
		const char *target = target_of(&action);
		if (target != NULL) {
			recent_add_key(arrivals->known,
			    key_of(WAS_PUT, target, known_by), when_unix);
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

static void
note_identity(struct arrivals *arrivals, const struct store_message *message)
{
	if (identity_of(message).len == 0)
		return;
	add_identity(arrivals, message->key.mailbox, message);
	add_identity(arrivals, ANYWHERE, message);
	add_place(arrivals, message->key.mailbox);
}

static void
note_judged(struct arrivals *arrivals, const char *mailbox, uint64_t key,
    int64_t when_unix)
{
	recent_add_key(arrivals->known, key, when_unix);
	add_place(arrivals, mailbox);
}

/* Those without an identity matter only where a rule puts them somewhere. */
static bool
note_message(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	struct arrivals *arrivals = ctx;
	const char *mailbox = message->key.mailbox;
	BUF_AUTO known_by = BUF_INIT;

	note_identity(arrivals, message);
	if (message->message_id[0] == '\0')
		return true;
	know(&known_by, message);
	if (add_targets(
		arrivals, &known_by, message->judged_unix, effects, count) ||
	    has(arrivals, WAS_PUT, mailbox, &known_by))
		note_judged(arrivals, mailbox,
		    key_of(WAS_JUDGED, mailbox, &known_by),
		    message->judged_unix);
	return true;
}

static bool
end_judging(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	struct arrivals *arrivals = ctx;

	(void)effects;
	(void)count;
	judging_end(arrivals->judging, identity_of(message));
	return true;
}

void
arrivals_note(struct arrivals *arrivals, const struct store_batch *batch)
{
	store_batch_each_plan(batch, note_message, arrivals);
	store_batch_each_plan(batch, end_judging, arrivals);
}

void
arrivals_drop(struct arrivals *arrivals, const struct store_batch *batch)
{
	store_batch_each_plan(batch, end_judging, arrivals);
}

/* ---- the history ---- */

/* The history gives the last first: this one arrived where no older one is
 * known yet that was put there. */
struct arrived {
	uint64_t put, judged; /* keys */
	int64_t when_unix;
	char *mailbox; /* owned */
};

struct loading {
	struct arrivals *arrivals;
	int64_t since_unix;	 /* of what has no identity */
	struct arrived *arrived; /* owned */
	size_t count, room;
};

static void
put_off(struct loading *loading, const struct store_message *message,
    const struct buf *known_by)
{
	const char *mailbox = message->key.mailbox;

	if (loading->count == loading->room) {
		loading->room = loading->room > 0 ? loading->room * 2 : 64;
		loading->arrived = xreallocarray(
		    loading->arrived, loading->room, sizeof(*loading->arrived));
	}
	loading->arrived[loading->count++] = (struct arrived){
	    .put = key_of(WAS_PUT, mailbox, known_by),
	    .judged = key_of(WAS_JUDGED, mailbox, known_by),
	    .when_unix = message->judged_unix,
	    .mailbox = xstrdup(mailbox),
	};
}

static bool
load_message(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	struct loading *loading = ctx;
	struct arrivals *arrivals = loading->arrivals;
	const char *mailbox = message->key.mailbox;
	BUF_AUTO known_by = BUF_INIT;

	if (message->judged_unix < loading->since_unix &&
	    identity_of(message).len == 0)
		return true;
	note_identity(arrivals, message);
	if (message->message_id[0] == '\0')
		return true;
	know(&known_by, message);
	if (add_targets(
		arrivals, &known_by, message->judged_unix, effects, count))
		note_judged(arrivals, mailbox,
		    key_of(WAS_JUDGED, mailbox, &known_by),
		    message->judged_unix);
	else
		put_off(loading, message, &known_by);
	return true;
}

static void
note_arrived(struct loading *loading)
{
	struct arrivals *arrivals = loading->arrivals;

	for (size_t i = 0; i < loading->count; i++) {
		struct arrived *arrived = &loading->arrived[i];
		if (recent_has_key(arrivals->known, arrived->put))
			note_judged(arrivals, arrived->mailbox, arrived->judged,
			    arrived->when_unix);
		free(arrived->mailbox);
	}
	free(loading->arrived);
}

bool
arrivals_load(struct arrivals *arrivals, struct store *store,
    const char *account, int64_t now_unix, struct error *error_r)
{
	const struct store_history_query query = {
	    .account = account,
	    .since_unix = now_unix - ARRIVALS_IDENTITY_KEEP_SEC,
	    .limit = ARRIVALS_LOAD_MAX,
	};
	struct loading loading = {
	    .arrivals = arrivals, .since_unix = now_unix - ARRIVALS_KEEP_SEC};
	bool ok =
	    store_each_history(store, &query, load_message, &loading, error_r);

	note_arrived(&loading);
	return ok;
}

static bool
has_any(const struct arrivals *arrivals, char what, const struct strv *names,
    const struct buf *known_by)
{
	for (size_t i = 0; i < names->len; i++)
		if (has(arrivals, what, names->items[i], known_by))
			return true;
	return false;
}

static enum arrival
meet_put(const struct arrivals *arrivals, const struct store_message *message,
    const struct buf *known_by, const struct strv *names)
{
	if (message->message_id[0] == '\0' ||
	    !has_any(arrivals, WAS_PUT, names, known_by))
		return ARRIVAL_NEWS;
	return has(arrivals, WAS_JUDGED, message->key.mailbox, known_by)
		   ? ARRIVAL_KNOWN
		   : ARRIVAL_FORWARDED;
}

static enum arrival
meet_identity(
    const struct arrivals *arrivals, const struct store_message *message)
{
	struct span identity = identity_of(message);

	if (!has_identity(arrivals, ANYWHERE, identity))
		return ARRIVAL_NEWS;
	if (!has_identity(arrivals, message->key.mailbox, identity))
		return ARRIVAL_FORWARDED;
	return identity.data[0] == IDENTITY_MESSAGE ? ARRIVAL_KNOWN
						    : ARRIVAL_NEWS;
}

enum arrival
arrivals_meet(const struct arrivals *arrivals,
    const struct store_message *message, const struct strv *names,
    struct strv *judged_r)
{
	BUF_AUTO known_by = BUF_INIT;
	enum arrival put, same;

	if (recent_count(arrivals->known) == 0)
		return ARRIVAL_NEWS;
	know(&known_by, message);
	put = meet_put(arrivals, message, &known_by, names);
	same = meet_identity(arrivals, message);
	if (put == ARRIVAL_KNOWN || same == ARRIVAL_KNOWN)
		return ARRIVAL_KNOWN;
	for (size_t i = 0; i < arrivals->places.len; i++) {
		const char *place = arrivals->places.items[i];
		if ((put == ARRIVAL_FORWARDED &&
			has(arrivals, WAS_JUDGED, place, &known_by)) ||
		    (same == ARRIVAL_FORWARDED &&
			has_identity(arrivals, place, identity_of(message))))
			strv_add(judged_r, place);
	}
	return put == ARRIVAL_NEWS ? same : put;
}
