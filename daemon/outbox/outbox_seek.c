/*
 * outbox: was it taken? Where the service files what it took in \Sent, its
 * copy there says so.
 *
 * The item stays SENDING in the store until this is over; a daemon that ends
 * meanwhile looks again. A copy may come later than the answer that was lost:
 * there are several looks. What is not there after the last one was not taken,
 * and the item's rule decides, as it does where nobody could look.
 */
#include "daemon/outbox/outbox_private.h"

#include <stdio.h>

#include "daemon/base/xalloc.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* From one look to the next, OUTBOX_SENT_USEC in all. */
static const usec_t waits[] = {
    5 * USEC_SEC, 15 * USEC_SEC, 40 * USEC_SEC, 60 * USEC_SEC};

void
outbox_seek_again(struct outbox *o, usec_t now)
{
	outbox_enter(o, STATE_SEEKING, now);
	outbox_add_event(o, OUTBOX_SEEK)->message_id =
	    xstrdup(o->item.message_id);
}

void
outbox_seek_begin(struct outbox *o, const char *reply, usec_t now)
{
	BUF_AUTO text = BUF_INIT;

	outbox_drop_session(o);
	o->seek_since = now;
	o->seek_looks = 0;
	o->seek_wait = OUTBOX_BLIND_WAIT_USEC;
	snprintf(o->seek_reply, sizeof(o->seek_reply), "%s", reply);
	buf_addf(&text, "outcome unknown: %.500s; looking for it in Sent",
	    o->seek_reply);
	outbox_report(o, OUTBOX_SOUGHT, buf_str(&text), FAULT_NONE, USEC_NEVER);
	outbox_seek_again(o, now);
}

static void
give_up(struct outbox *o, const char *why, usec_t now)
{
	char reply[REPLY_MAX];

	snprintf(reply, sizeof(reply), "%.400s (%.200s)", o->seek_reply, why);
	outbox_settle_unknown(o, reply, now);
}

static void
on_seen(struct outbox *o, const char *words, usec_t now)
{
	static const char reply[] = "the answer was lost; found in Sent";

	(void)words;
	bans_note_accepted(&o->bans, o->item.target);
	outbox_report(o, OUTBOX_SENT, reply, FAULT_NONE, USEC_NEVER);
	outbox_settle(o, QUEUE_SENT, o->item.attempts + 1, 0, reply, now);
}

static void
on_unseen(struct outbox *o, const char *words, usec_t now)
{
	usec_t wait = o->seek_looks < COUNT(waits) ? waits[o->seek_looks] : 0;

	(void)words;
	o->seek_looks++;
	if (wait > 0)
		outbox_rest_until(o, STATE_UNSEEN, usec_add(now, wait), now);
	else
		give_up(o, "it is not in Sent", now);
}

static void
on_blind(struct outbox *o, const char *words, usec_t now)
{
	usec_t wait = o->seek_wait;
	BUF_AUTO why = BUF_INIT;

	o->seek_wait = usec_min(2 * wait, OUTBOX_BLIND_WAIT_MAX_USEC);
	if (usec_since(o->seek_since, now) < OUTBOX_BLIND_USEC) {
		outbox_rest_until(o, STATE_UNSEEN, usec_add(now, wait), now);
		return;
	}
	buf_addf(&why, "Sent could not be looked at: %s", words);
	give_up(o, buf_str(&why), now);
}

static void
on_nowhere(struct outbox *o, const char *words, usec_t now)
{
	BUF_AUTO why = BUF_INIT;

	buf_addf(&why, "Sent cannot be looked at: %s", words);
	give_up(o, buf_str(&why), now);
}

void
outbox_seek_late(struct outbox *o, usec_t now)
{
	on_blind(o, "no answer in time", now);
}

void
outbox_sought(struct outbox *o, const char *message_id, enum outbox_sight sight,
    const char *words, usec_t now)
{
	static void (*const acts[])(
	    struct outbox * o, const char *words, usec_t now) = {
	    [OUTBOX_SEEN] = on_seen,
	    [OUTBOX_UNSEEN] = on_unseen,
	    [OUTBOX_BLIND] = on_blind,
	    [OUTBOX_NOWHERE] = on_nowhere,
	};

	if (o->state != STATE_SEEKING ||
	    strcmp(message_id, o->item.message_id) != 0)
		return;
	acts[sight](o, words, now);
	outbox_pump(o, now);
}
