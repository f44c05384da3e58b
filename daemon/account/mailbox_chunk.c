/*
 * Chunks: what was judged is written while the rest of its window arrives, so
 * that only the last chunk is waited for before the first command.
 *
 * A server may answer in any order. So the cursor goes only as far as nothing
 * below it can be missing, and what was judged above it is written beside it:
 * after an interruption the window is asked for once more, and those are left
 * out.
 *
 * Nothing is done before its window has ended: the chunks of a window need not
 * be on disk for their own sake (store_batch_set_lazy), as the sync of its last
 * transaction is theirs, too. What a killed daemon leaves of one is all there,
 * cursor and plans, or not at all.
 */
#include <assert.h>

#include "daemon/account/mailbox_private.h"

/* With more ranges of UIDs, of at most 22 bytes each, the window is written at
 * its end only. What is left above the cursor then was read from the store, and
 * has no more. */
#define RANGES_MAX (STORE_JUDGED_MAX / 22)

bool
mailbox_chunk_has(const struct mailbox *mb, uint32_t uid)
{
	return imap_seqset_has(&mb->above, uid);
}

/* What was judged of a window that was interrupted, and is behind the cursor
 * that was read now, comes in no window again: it is no late message. */
void
mailbox_chunk_begin(struct mailbox *mb, const struct store_cursor *cursor)
{
	if (cursor != NULL)
		mailbox_audit_note_below(
		    mb, cursor->uidvalidity, &mb->above, cursor->next_uid);
	imap_seqset_done(&mb->above);
	mb->unwritten = 0;
	if (cursor != NULL && span_from_str(cursor->judged).len > 0)
		imap_seqset_parse(span_from_str(cursor->judged), &mb->above);
}

/* Behind what was judged without a gap. */
static uint32_t
reach(const struct mailbox *mb)
{
	for (size_t i = 0; i < mb->above.count; i++) {
		struct imap_range range = mb->above.ranges[i];
		if (range.first <= mb->cursor && range.last >= mb->cursor)
			return range.last + 1;
	}
	return mb->cursor;
}

/* Those from there on: adds up to RANGES_MAX ranges. */
static void
format_above(const struct mailbox *mb, uint32_t next_uid, struct buf *judged)
{
	for (size_t i = 0; i < mb->above.count; i++) {
		struct imap_range range = mb->above.ranges[i];
		if (range.last < next_uid)
			continue;
		if (range.first < next_uid)
			range.first = next_uid;
		if (judged->len > 0)
			buf_add_char(judged, ',');
		buf_addf(judged, "%u", range.first);
		if (range.last > range.first)
			buf_addf(judged, ":%u", range.last);
	}
}

static void
add_cursor(struct mailbox *mb, struct store_batch *batch, uint32_t next_uid)
{
	BUF_AUTO judged = BUF_INIT;

	format_above(mb, next_uid, &judged);
	assert(judged.len <= STORE_JUDGED_MAX);
	store_batch_set_cursor(batch, &(const struct store_cursor){
					  .account = mb->config->account,
					  .mailbox = mb->name,
					  .uidvalidity = mb->cursor_validity,
					  .next_uid = next_uid,
					  .modseq = mb->modseq,
					  .judged = buf_str(&judged),
				      });
	mb->unwritten = 0;
}

/*
 * Not while a message waits for its text: its sender may be new, and what the
 * same one wrote after it was judged as mail from somebody who is known.
 */
static bool
is_due(const struct mailbox *mb)
{
	unsigned least =
	    mb->config->chunk != 0 ? mb->config->chunk : MAILBOX_CHUNK;

	return mb->state == MAILBOX_SWEEPING && !mb->config->dry_run &&
	       mb->unwritten >= least && list_is_empty(&mb->commits) &&
	       !mailbox_body_is_awaited(mb) && mb->above.count <= RANGES_MAX;
}

static void
write_chunk(struct mailbox *mb)
{
	struct store_batch *batch = mb->plan;

	mb->plan = store_batch_new();
	store_batch_set_lazy(batch, true);
	add_cursor(mb, batch, reach(mb));
	mailbox_twin_write(mb, batch);
	mailbox_commit(mb, COMMIT_PLAN, batch);
}

void
mailbox_chunk_note(struct mailbox *mb, uint32_t uid)
{
	if (mb->is_late)
		return;
	imap_seqset_add(&mb->above, uid);
	mb->unwritten++;
	if (is_due(mb))
		write_chunk(mb);
}

void
mailbox_chunk_pass(struct mailbox *mb, uint32_t uid)
{
	if (!mb->is_late)
		imap_seqset_add(&mb->above, uid);
}

void
mailbox_chunk_end(struct mailbox *mb, struct store_batch *batch)
{
	imap_seqset_drop_below(&mb->above, mb->cursor);
	add_cursor(mb, batch, mb->cursor);
}
