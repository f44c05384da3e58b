/*
 * Claims where the server keeps no keywords: what claim.h asks for is read
 * from and written to the log in CLAIMS_MAILBOX (claim_log.h).
 *
 *   read   (SELECT it) -> NOOP, FETCH of what is new: told to the claim
 *   store  APPEND, whatever mailbox is open
 *   over   SELECT our own mailbox -> which of them are there? -> share out
 *
 * A message that another machine moved away was released after that; so who
 * wins it then opens the mailbox after the move.
 */
#include "daemon/account/mailbox_private.h"
#include "daemon/base/xalloc.h"

/* Lines of one entry that are read. */
#define ENTRY_LINES_MAX 32

bool
mailbox_log_is_used(const struct mailbox *mb)
{
	return mb->claim != NULL && mb->claims_by_log;
}

static struct claim_log *
log_of(const struct mailbox *mb)
{
	return claims_log(mb->config->claims);
}

/* Its name, as of the folders that are known; a server that has let us put our
 * message there has it. */
static void
find_wire(struct mailbox *mb)
{
	struct error error = ERROR_INIT;

	if (mb->seek == NULL)
		mb->seek = NEW(struct seek);
	buf_clear(&mb->seek->wire);
	folders_wire_name(
	    &mb->folders, CLAIMS_MAILBOX, &mb->seek->wire, &error);
}

/* ---- writing ---- */

void
mailbox_log_append(struct mailbox *mb, enum op_step step,
    const struct claim_log_store *store, usec_t now)
{
	struct imap_command command;
	BUF_AUTO text = BUF_INIT;

	find_wire(mb);
	claim_log_compose(log_of(mb), store, &text);
	mb->op->step = step;
	mailbox_begin_command(mb, &command, "APPEND");
	imap_command_mailbox(&command, buf_span(&mb->seek->wire));
	imap_command_raw(&command, "(\\Seen)");
	imap_command_string(&command, buf_span(&text));
	mailbox_send(mb, &command, now);
}

void
mailbox_log_store(struct mailbox *mb, enum op_step step,
    const struct claim_command *wanted, usec_t now)
{
	mailbox_log_append(mb, step,
	    &(struct claim_log_store){
		.mailbox = buf_span(&mb->wire),
		.uidvalidity = mb->uidvalidity,
		.base = wanted->unchanged_since != 0 ? mb->log_base : 0,
		.add = wanted->add,
		.uids = wanted->uids,
		.words = wanted->keywords,
	    },
	    now);
}

/* ---- reading ---- */

void
mailbox_log_send_read(struct mailbox *mb, enum op_step step, usec_t now)
{
	struct imap_command command;

	mb->op->step = step;
	mailbox_begin_command(mb, &command, "UID FETCH");
	buf_addf(
	    &command.text, " %lu:*", (unsigned long)claim_log_from(log_of(mb)));
	imap_command_raw(&command,
	    "(UID INTERNALDATE "
	    "BODY.PEEK[HEADER.FIELDS (" CLAIM_LOG_HEADER ")])");
	mailbox_send(mb, &command, now);
}

void
mailbox_log_fetch(struct mailbox *mb, usec_t now)
{
	struct imap_command command;

	if (!mb->op->elsewhere) {
		find_wire(mb);
		mb->op->elsewhere = true;
		mb->op->step = OP_LOG_SELECT;
		mailbox_begin_command(mb, &command, "SELECT");
		imap_command_mailbox(&command, buf_span(&mb->seek->wire));
		mailbox_send(mb, &command, now);
		return;
	}
	/* So that the server looks at what other connections did. */
	mailbox_begin_command(mb, &command, "NOOP");
	mailbox_send(mb, &command, now);
	mailbox_log_send_read(mb, OP_LOG_READ, now);
}

void
mailbox_log_note_select(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (span_is_nocase(response->code, "UIDVALIDITY") &&
	    response->code_count > 0)
		claim_log_open(log_of(mb),
		    (uint32_t)imap_value_number(&response->code_values[0]),
		    now);
}

void
mailbox_log_selected(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (response->status == IMAP_OK)
		mailbox_log_send_read(mb, OP_LOG_READ, now);
	else
		mailbox_claim_log_read(mb, false, now);
}

void
mailbox_log_note_entry(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct span lines[ENTRY_LINES_MAX];
	struct imap_fetch fetch;
	size_t count = 0;

	(void)now;
	if (!imap_fetch_parse(response, &fetch) || fetch.uid == 0 ||
	    !fetch.has_header)
		return;
	struct message *message = message_new(fetch.header);
	while (count < ENTRY_LINES_MAX) {
		struct span line =
		    message_raw(message, CLAIM_LOG_HEADER, count);
		if (line.data == NULL)
			break;
		lines[count++] = line;
	}
	claim_log_read(
	    log_of(mb), fetch.uid, fetch.internaldate_unix, lines, count);
	message_free(&message);
}

/* The same UID of another log is another entry: a claim there is not one that
 * nobody has touched since. */
static void
tell(struct mailbox *mb, uint32_t uid)
{
	uint64_t validity = claim_log_validity(log_of(mb));
	struct span words[CLAIM_LOG_WORDS_MAX];
	uint32_t changed;
	size_t count = claim_log_words(log_of(mb), buf_span(&mb->wire),
	    mb->uidvalidity, uid, words, &changed);

	claim_on_message(
	    mb->claim, uid, validity << 32 | changed, words, count);
}

void
mailbox_log_warn(struct mailbox *mb)
{
	mailbox_report(mb, REPORT_WARNING, 0,
	    "the server keeps neither keywords nor the order of what is put "
	    "into " CLAIMS_MAILBOX ", so the machine that was here first acts: "
	    "write claim = leader for one of them and claim = standby for the "
	    "others");
}

/* A log without an order decides nothing. */
static bool
is_good(struct mailbox *mb, usec_t now)
{
	if (claim_log_is_disordered(log_of(mb))) {
		claims_set_ladder(mb->config->claims, LADDER_FIRST);
		mailbox_log_warn(mb);
		return false;
	}
	return !claim_log_is_void(log_of(mb), now);
}

void
mailbox_log_read_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	const struct imap_seqset *uids = &mb->op->uids;
	bool ok = response->status == IMAP_OK;

	claim_log_read_end(log_of(mb));
	ok = ok && is_good(mb, now);
	mb->log_base = claim_log_position(log_of(mb));
	for (size_t i = 0; ok && i < uids->count; i++)
		for (uint32_t uid = uids->ranges[i].first;; uid++) {
			tell(mb, uid);
			if (uid == uids->ranges[i].last)
				break;
		}
	mailbox_claim_log_read(mb, ok, now);
}

/* ---- back in our mailbox ---- */

void
mailbox_log_leave(struct mailbox *mb, usec_t now)
{
	mb->op->step = OP_LOG_BACK;
	mailbox_select(mb, now);
}

void
mailbox_log_back(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (!mailbox_verify_is_back(mb, response, now))
		return;
	imap_seqset_done(&mb->op->seen);
	mailbox_op_send_uids(
	    mb, OP_LOG_PRESENT, "UID FETCH", "(UID FLAGS)", now);
}

void
mailbox_log_note_present(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct imap_fetch fetch;

	(void)now;
	if (imap_fetch_parse(response, &fetch) && fetch.uid != 0 &&
	    !mailbox_claim_is_taken(mb, &fetch))
		imap_seqset_add(&mb->op->seen, fetch.uid);
}

void
mailbox_log_present_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	const struct imap_seqset *uids = &mb->op->uids;
	bool ok = response->status == IMAP_OK;

	for (size_t i = 0; ok && i < uids->count; i++)
		for (uint32_t uid = uids->ranges[i].first;; uid++) {
			if (!imap_seqset_has(&mb->op->seen, uid))
				claim_set_gone(mb->claim, uid);
			if (uid == uids->ranges[i].last)
				break;
		}
	imap_seqset_done(&mb->op->seen);
	mailbox_claim_share_out(mb, now);
}
