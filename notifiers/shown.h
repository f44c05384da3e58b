/*
 * notifiers/shown: what a notifier has shown of a mailbox's messages, for a
 * later life of the daemon: that it does not ring once more for what had only
 * to wait for another notifier, and can still take back what it sent.
 *
 * A text for the store, at most SHOWN_TEXT_MAX bytes:
 *
 *	shown = uidvalidity *( SP item )
 *	item  = uid "." seq [ "=" key [ ":" id ] ]
 *	key   = 1*64( ALPHA / DIGIT / "-" / "_" / "." )     ; id likewise
 *
 * `seq` is the notification's place in the plan (daemon/store/store.h). With a
 * key it can be taken back; items with the same key and id are one summary.
 * Of what does not fit, the newest stay.
 */
#ifndef BELFRY_NOTIFIERS_SHOWN_H
#define BELFRY_NOTIFIERS_SHOWN_H

#include "daemon/base/buf.h"

#define SHOWN_FACT "shown" /* "shown NOTIFIER MAILBOX" */
#define SHOWN_TEXT_MAX 4000
#define SHOWN_ITEMS_MAX 400
#define SHOWN_NAME_MAX 64 /* bytes of a key, or an id */

struct shown_item {
	uint32_t uid;
	unsigned seq;
	char *key, *id; /* owned; NULL: none */
};

struct shown {
	uint32_t uidvalidity;
	struct shown_item *items; /* owned; the oldest first */
	size_t count;
};

/* All zero is empty. */
void shown_done(struct shown *shown);
/* Replaces what it has. What is no such text is nothing. */
void shown_parse(struct span text, struct shown *shown);
/* Appends it. */
void shown_format(const struct shown *shown, struct buf *out);
/* Those of another UIDVALIDITY are forgotten; the same message and seq is
 * replaced. A key or id that the text cannot hold counts as none. */
void shown_add(struct shown *shown, uint32_t uidvalidity, uint32_t uid,
    unsigned seq, const char *key, const char *id);
bool shown_has(const struct shown *shown, uint32_t uidvalidity, uint32_t uid,
    unsigned seq);
/* NULL: it is not there. */
const struct shown_item *shown_get(const struct shown *shown,
    uint32_t uidvalidity, uint32_t uid, unsigned seq);
/* What was taken back; false: it is not there, or with another key or id
 * (NULL: none), as it was replaced. */
bool shown_remove(struct shown *shown, uint32_t uidvalidity, uint32_t uid,
    unsigned seq, const char *key, const char *id);

#endif
