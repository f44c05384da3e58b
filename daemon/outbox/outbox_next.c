/*
 * outbox: what goes behind the item in hand.
 *
 *   item    in hand: its text or its dot is under way
 *   ahead   composed, to follow it; the session has the first of them, whose
 *           envelope goes with the dot of `item`
 *
 * So the next text is ready when the server asks for it, and the store knows
 * of several at once that they may be sent.
 */
#include "daemon/outbox/outbox_private.h"

#include <assert.h>

#include "daemon/base/xalloc.h"

_Static_assert(1 + OUTBOX_AHEAD_COUNT + OUTBOX_SENDING_MAX <= STORE_BUT_MAX,
    "all in hand can be left out");

static struct follower *
follower_of(struct list_link *link)
{
	return LIST_ITEM(link, struct follower, link);
}

static struct follower *
first_ahead(const struct outbox *o)
{
	return list_is_empty(&o->ahead) ? NULL : follower_of(o->ahead.next);
}

static void
free_follower(struct outbox *o, struct follower *follower)
{
	list_remove(&follower->link);
	o->ahead_count--;
	outbox_free_item(&follower->item);
	buf_done(&follower->text);
	free(follower);
}

void
outbox_take_follower(
    struct outbox *o, struct follower *follower, struct item *item_r)
{
	*item_r = follower->item;
	follower->item = (struct item){0};
	free_follower(o, follower);
}

bool
outbox_has_ahead(const struct outbox *o, int64_t id)
{
	LIST_EACH(pos, &o->ahead)
	if (follower_of(pos)->item.id == id)
		return true;
	return false;
}

/* ---- what follows ---- */

static size_t
text_len(const struct outbox *o)
{
	size_t len = 0;

	LIST_EACH(pos, &o->ahead)
	len += follower_of(pos)->text.len;
	return len;
}

static void
note_id(struct store_but *but, size_t *count, int64_t id)
{
	assert(*count < STORE_BUT_MAX);
	but->ids[(*count)++] = id;
}

/* Whatever the store may not know the end of yet. */
static struct store_but
all_in_hand(const struct outbox *o)
{
	struct store_but but = {{0}};
	size_t count = 0;

	note_id(&but, &count, o->item.id);
	LIST_EACH(pos, &o->ahead)
	note_id(&but, &count, follower_of(pos)->item.id);
	LIST_EACH(pos, &o->behind)
	note_id(&but, &count, LIST_ITEM(pos, struct settled, link)->item.id);
	return but;
}

void
outbox_want_next(struct outbox *o)
{
	if (o->stopping || o->wants_next || o->session == NULL ||
	    o->ahead_count >= OUTBOX_AHEAD_COUNT ||
	    !smtp_session_has_pipelining(o->session))
		return;
	o->wants_next = true;
	outbox_add_event(o, OUTBOX_LOAD)->but = all_in_hand(o);
}

static bool
is_in_hand(const struct outbox *o)
{
	return o->state == STATE_SENDING || o->state == STATE_JOURNAL ||
	       o->state == STATE_DOT;
}

/* What is not as it should be waits for its own turn, and is told then. */
static bool
may_follow(
    const struct outbox *o, const struct store_queue_item *item, usec_t now)
{
	return is_in_hand(o) && !o->stopping && o->session != NULL &&
	       !outbox_has_in_hand(o, item->id) &&
	       item->state == QUEUE_WAITING &&
	       outbox_due_in(o, item, now) == 0 &&
	       !span_starts(span_from_str(item->reply), STORE_CLAIMED) &&
	       text_len(o) + item->original.len <= OUTBOX_AHEAD_MAX &&
	       bans_reason(&o->bans, item->target, item->mode) == NULL;
}

/* As the session wants it. */
static struct smtp_message
message_of(
    const struct outbox *o, const struct follower *follower, struct strv *to)
{
	struct smtp_message message;

	outbox_address(o, &follower->item, &follower->text, to, &message);
	message.facts = &follower->facts;
	return message;
}

static bool
is_fit(const struct outbox *o, const struct follower *follower)
{
	STRV_AUTO to = STRV_INIT;
	struct smtp_message message = message_of(o, follower, &to);

	return smtp_session_fits(o->session, &message, NULL);
}

static bool
give_to_session(struct outbox *o, struct follower *follower)
{
	STRV_AUTO to = STRV_INIT;
	struct smtp_message message = message_of(o, follower, &to);

	if (!smtp_session_send_next(o->session, &message, NULL))
		return false;
	buf_done(&follower->text);
	return true;
}

/* One that is marked goes, whatever became known of its target since. */
void
outbox_advance(struct outbox *o)
{
	struct follower *first;

	while (!o->has_next && (first = first_ahead(o)) != NULL) {
		o->has_next = (first->item.mark != MARK_NONE ||
				  bans_reason(&o->bans, first->item.target,
				      first->item.mode) == NULL) &&
			      give_to_session(o, first);
		if (o->has_next || first->item.mark != MARK_NONE)
			return;
		free_follower(o, first);
	}
}

void
outbox_take_next(
    struct outbox *o, const struct store_queue_item *item, usec_t now)
{
	struct follower *follower;
	BUF_AUTO text = BUF_INIT;

	o->wants_next = false;
	if (item == NULL || !may_follow(o, item, now) ||
	    !outbox_compose(o, item, &text, NULL))
		return;
	follower = NEW(struct follower);
	outbox_copy_item(&follower->item, item);
	follower->text = text;
	text = (struct buf)BUF_INIT;
	follower->facts = canonical_measure(buf_span(&follower->text));
	list_add(&o->ahead, &follower->link);
	o->ahead_count++;
	if (!is_fit(o, follower)) { /* nor would it be the next time */
		free_follower(o, follower);
		return;
	}
	outbox_advance(o);
	if (o->ahead_count > 0)
		outbox_want_next(o);
}

bool
outbox_may_go_on(const struct outbox *o)
{
	return o->has_next && first_ahead(o)->item.mark == MARK_DONE &&
	       !o->item.is_claimed && !o->stopping && o->session != NULL;
}

bool
outbox_promote_next(struct outbox *o, usec_t now)
{
	if (!o->has_next)
		return false;
	outbox_take_follower(o, first_ahead(o), &o->item);
	o->has_next = false;
	outbox_enter(o, STATE_SENDING, now);
	return true;
}

void
outbox_forget_ahead(struct outbox *o)
{
	o->has_next = false;
	LIST_EACH(pos, &o->ahead)
	if (follower_of(pos)->item.mark == MARK_NONE)
		free_follower(o, follower_of(pos));
}

void
outbox_drop_ahead(struct outbox *o)
{
	o->has_next = false;
	while (o->ahead_count > 0)
		free_follower(o, first_ahead(o));
}

/* ---- their marks ---- */

/* Where each has to be looked for in Sent after a crash, not more than one. */
static unsigned
marks_max(const struct outbox *o)
{
	return o->config->files_sent ? 1 : OUTBOX_SENDING_MAX - 1;
}

static unsigned
count_marked(const struct outbox *o)
{
	unsigned count = 0;

	LIST_EACH(pos, &o->ahead)
	count += follower_of(pos)->item.mark != MARK_NONE;
	return count;
}

/* After a crash it would be sent again anyway. */
static bool
may_mark(const struct outbox *o, const struct follower *follower)
{
	return !o->stopping && o->session != NULL &&
	       follower->item.mark == MARK_NONE &&
	       strcmp(follower->item.unknown, "resend") == 0;
}

struct follower *
outbox_find_marked(const struct outbox *o)
{
	LIST_EACH(pos, &o->ahead)
	if (follower_of(pos)->item.mark != MARK_NONE)
		return follower_of(pos);
	return NULL;
}

bool
outbox_wants_marks(const struct outbox *o)
{
	if (count_marked(o) >= (marks_max(o) + 1) / 2)
		return false;
	LIST_EACH(pos, &o->ahead)
	if (may_mark(o, follower_of(pos)))
		return true;
	return false;
}

static void
set_mark(const struct outbox *o, struct item *item, struct store_batch *batch,
    bool is_back, usec_t now)
{
	BUF_AUTO reply = BUF_INIT;

	outbox_format_reply(item, &reply,
	    is_back ? SPAN("it was not its turn yet") : SPAN("being sent"));
	store_batch_set_queue(batch, item->id,
	    is_back ? QUEUE_WAITING : QUEUE_SENDING, item->attempts,
	    outbox_unix_at(o, now), buf_str(&reply), outbox_unix_at(o, now));
	item->mark = is_back ? MARK_BACK : MARK_WRITING;
}

void
outbox_mark_ahead(struct outbox *o, struct store_batch *batch, usec_t now)
{
	unsigned count = count_marked(o);

	LIST_EACH(pos, &o->ahead)
	{
		struct follower *follower = follower_of(pos);
		enum mark mark = follower->item.mark;

		if (o->session == NULL && mark != MARK_NONE) {
			set_mark(o, &follower->item, batch, true, now);
		} else if (mark == MARK_WRITING) { /* it failed before */
			set_mark(o, &follower->item, batch, false, now);
		} else if (may_mark(o, follower) && count < marks_max(o)) {
			set_mark(o, &follower->item, batch, false, now);
			count++;
		}
	}
}

void
outbox_note_marks(struct outbox *o, bool ok)
{
	LIST_EACH(pos, &o->ahead)
	{
		struct item *item = &follower_of(pos)->item;

		if (ok && item->mark == MARK_BACK)
			free_follower(o, follower_of(pos));
		else if (item->mark == MARK_WRITING)
			item->mark = ok ? MARK_DONE : MARK_NONE;
	}
}
