/*
 * Marks: flags and keywords (RFC 9051 section 6.4.6).
 */
#include "daemon/account/mailbox_private.h"

/* RFC 9051 PERMANENTFLAGS. One that may keep anything (\*) and names no flag
 * of its own, as go-imap's first servers do, has not said what it does with
 * these: it is asked. */
static bool
is_permanent(const struct mailbox *mb, const char *flag)
{
	struct span flags, word;

	if (mb->permanent_flags == NULL || (flag[0] != '\\' && mb->any_keyword))
		return true;
	flags = span_trim(span_from_str(mb->permanent_flags));
	if (span_is(flags, "\\*"))
		return true;
	while (span_split(&flags, ' ', &word))
		if (span_is_nocase(word, flag))
			return true;
	return false;
}

/* Only flags that this mailbox keeps. */
static void
keep_permanent(const struct mailbox *mb, const struct strv *flags,
    struct strv *kept, struct buf *lost)
{
	for (size_t i = 0; i < flags->len; i++) {
		const char *flag = flags->items[i];
		if (is_permanent(mb, flag))
			strv_add(kept, flag);
		else
			buf_addf(lost, "%s%s", lost->len > 0 ? ", " : "", flag);
	}
}

/* False when no flag was left to send. */
static bool
send_flags(struct mailbox *mb, enum op_step step, const char *items,
    const struct strv *flags, usec_t now)
{
	struct imap_command command;
	STRV_AUTO kept = STRV_INIT;

	keep_permanent(mb, flags, &kept, &mb->op->refusal);
	if (kept.len == 0)
		return false;
	mb->op->step = step;
	mailbox_begin_command(mb, &command, "UID STORE");
	imap_command_seqset(&command, &mb->op->uids);
	mailbox_guard_add(mb, &command);
	imap_command_raw(&command, items);
	imap_command_flags(&command, &kept);
	mailbox_send(mb, &command, now);
	return true;
}

static void
finish_mark(struct mailbox *mb, usec_t now)
{
	BUF_AUTO words = BUF_INIT;

	if (mb->op->refusal.len > 0) {
		buf_addf(&words, "this mailbox does not keep %s",
		    buf_str(&mb->op->refusal));
		mailbox_op_settle(mb,
		    mb->op->found ? EFFECT_DONE : EFFECT_FAILED,
		    buf_str(&words), now);
		return;
	}
	mailbox_op_settle(mb, EFFECT_DONE, "", now);
}

static void
send_unstore(struct mailbox *mb, usec_t now)
{
	if (mb->op->action.remove.len == 0 ||
	    !send_flags(
		mb, OP_UNSTORE, "-FLAGS.SILENT", &mb->op->action.remove, now))
		finish_mark(mb, now);
}

/* A button, or another client, is a person; a rule is not. */
static bool
reads_by_rule(const struct mailbox *mb)
{
	const struct op *op = mb->op;

	return op->count > 0 && !mailbox_job_current(op->jobs[0])->by_person &&
	       strv_has_nocase(&op->action.add, SPAN("\\Seen"));
}

void
mailbox_mark_begin(struct mailbox *mb, usec_t now)
{
	/* Before the server can tell of it. */
	if (reads_by_rule(mb))
		mailbox_follow_mark(mb, &mb->op->uids, true);
	if (mb->op->action.add.len == 0 ||
	    !send_flags(
		mb, OP_STORE, "+FLAGS.SILENT", &mb->op->action.add, now))
		send_unstore(mb, now);
}

/* [MESSAGELIMIT n uid]: only those from this UID on were marked. */
static void
leave_out_unmarked(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct imap_seqset done = IMAP_SEQSET_INIT;

	if (!span_is_nocase(response->code, "MESSAGELIMIT") ||
	    response->code_count < 2)
		return;
	for (size_t i = 0; i < mb->op->count; i++) {
		uint32_t uid = mb->op->jobs[i]->key.uid;
		if (uid >= imap_value_number(&response->code_values[1]))
			imap_seqset_add(&done, uid);
	}
	mailbox_op_leave_out(mb, &done, "the server did not mark it", now);
}

void
mailbox_mark_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	bool reads = mb->op->step == OP_STORE && reads_by_rule(mb);

	if (reads)
		mailbox_follow_mark(mb, &mb->op->uids, false);
	if (!mailbox_guard_settle(mb, response, now)) {
		mailbox_op_finish(mb, now);
		return;
	}
	if (response->status != IMAP_OK) {
		mailbox_op_refuse(mb, response, now);
		return;
	}
	mb->op->found = true;
	leave_out_unmarked(mb, response, now);
	if (reads)
		mailbox_follow_mark(mb, &mb->op->uids, true);
	if (mb->op->uids.count == 0)
		mailbox_op_finish(mb, now);
	else if (mb->op->step == OP_STORE)
		send_unstore(mb, now);
	else
		finish_mark(mb, now);
}
