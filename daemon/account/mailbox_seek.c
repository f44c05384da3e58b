/*
 * Are there other machines? A look into CLAIMS_MAILBOX (claims.h), and, where
 * there are, the proof of what the server can do.
 *
 *   STATUS -> it is as it was: over
 *          -> (CREATE) SELECT -> FETCH -> the own message is missing or old:
 *                                         APPEND, and SELECT again
 *                                      -> remove what is stale
 *                                      -> prove -> back to our mailbox
 *
 * What a server announces is not believed: it is tried on the own message. A
 * conditional STORE with the right mod-sequence must succeed and one with an
 * old one must not, and the keyword must still be there after SELECT. Where no
 * keyword is kept, two entries of the log are appended, and must be there in
 * that order, behind all that was there, also after SELECT.
 */
#include <stdlib.h>

#include "daemon/account/mailbox_private.h"
#include "daemon/base/xalloc.h"

/* Messages of CLAIMS_MAILBOX that are looked at. */
#define RECORDS_MAX 500
/* APPEND, SELECT and FETCH again, until the own message is seen. */
#define APPENDS_MAX 2

void
mailbox_seek_done(struct mailbox *mb)
{
	if (mb->seek == NULL)
		return;
	buf_done(&mb->seek->wire);
	free(mb->seek);
	mb->seek = NULL;
}

/* ---- coming back ---- */

static void
leave(struct mailbox *mb, usec_t now)
{
	claims_look_end(mb->config->claims);
	if (mb->op->elsewhere) {
		mb->op->step = OP_SEEK_BACK;
		mailbox_select(mb, now);
		return;
	}
	claims_unlock(mb->config->claims, mb);
	mailbox_claim_begin(mb, now);
}

void
mailbox_seek_back(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (!mailbox_verify_is_back(mb, response, now))
		return;
	claims_unlock(mb->config->claims, mb);
	mailbox_claim_begin(mb, now);
}

static void
warn(struct mailbox *mb, const char *why)
{
	mailbox_report(mb, REPORT_WARNING, 0,
	    "the folder " CLAIMS_MAILBOX " cannot be used (%s): whether other "
	    "machines act on this account, too, is not known; if they do, "
	    "write claim = leader for one of them and claim = standby for the "
	    "others",
	    why);
}

/* Without the mailbox there is no way to know. */
static void
give_up(struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	BUF_AUTO words = BUF_INIT;

	mailbox_refusal_words(response, &words);
	if (claims_refuse(mb->config->claims, buf_span(&words), now))
		warn(mb, buf_str(&words));
	leave(mb, now);
}

/* ---- looking ---- */

static void
send_named(struct mailbox *mb, enum op_step step, const char *name,
    const char *items, usec_t now)
{
	struct imap_command command;

	mb->op->step = step;
	mailbox_begin_command(mb, &command, name);
	imap_command_mailbox(&command, buf_span(&mb->seek->wire));
	if (items != NULL)
		imap_command_raw(&command, items);
	mailbox_send(mb, &command, now);
}

void
mailbox_seek_begin(struct mailbox *mb, usec_t now)
{
	struct error error = ERROR_INIT;

	mailbox_seek_done(mb);
	mb->seek = NEW(struct seek);
	mb->op->sought = true;
	mb->seek->began = now;
	if (!claims_look_begin(mb->config->claims, now)) {
		warn(mb, "the connection ended each time it was looked for");
		leave(mb, now);
		return;
	}
	if (!folders_wire_name(
		&mb->folders, CLAIMS_MAILBOX, &mb->seek->wire, &error)) {
		claims_refuse(
		    mb->config->claims, span_from_str(error.text), now);
		leave(mb, now);
		return;
	}
	send_named(mb, OP_SEEK_STATUS, "STATUS",
	    "(MESSAGES UIDNEXT UIDVALIDITY)", now);
}

void
mailbox_seek_note_status(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct imap_mailbox_status status;

	(void)now;
	if (!imap_status_parse(response, &status) ||
	    !span_equal(status.name, buf_span(&mb->seek->wire)))
		return;
	mb->seek->validity = status.uidvalidity;
	mb->seek->uidnext = status.uidnext;
	mb->seek->messages = status.messages;
}

static void
send_select(struct mailbox *mb, usec_t now)
{
	mb->op->elsewhere = true;
	mb->seek->any_keyword = true; /* unless it says otherwise */
	mb->seek->exists = 0;
	send_named(mb, OP_SEEK_SELECT, "SELECT", NULL, now);
}

void
mailbox_seek_status_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct seek *seek = mb->seek;

	if (response->status != IMAP_OK)
		send_named(mb, OP_SEEK_CREATE, "CREATE", NULL, now);
	else if (claims_note_status(mb->config->claims, seek->validity,
		     seek->uidnext, seek->messages, seek->began))
		leave(mb, now);
	else
		send_select(mb, now);
}

/* NO may mean that another machine has just made it: SELECT decides. */
void
mailbox_seek_created(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	(void)response;
	send_select(mb, now);
}

static bool
has_atom(const struct imap_response *response, const char *atom)
{
	if (response->code_count == 0 ||
	    response->code_values[0].kind != IMAP_LIST)
		return false;
	const struct imap_value *list = &response->code_values[0];
	for (size_t i = 0; i < list->count; i++)
		if (imap_value_is(&list->items[i], atom))
			return true;
	return false;
}

void
mailbox_seek_note_select(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	(void)now;
	if (response->has_number && span_is_nocase(response->name, "EXISTS"))
		mb->seek->exists = response->number;
	if (span_is_nocase(response->code, "PERMANENTFLAGS"))
		mb->seek->any_keyword = has_atom(response, "\\*");
}

static void read_over(struct mailbox *mb, usec_t now);

void
mailbox_seek_selected(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct imap_command command;

	if (response->status != IMAP_OK) {
		give_up(mb, response, now);
		return;
	}
	claims_read_begin(mb->config->claims, now);
	if (mb->seek->exists == 0) {
		read_over(mb, now);
		return;
	}
	mb->op->step = OP_SEEK_READ;
	mailbox_begin_command(mb, &command, "UID FETCH");
	imap_command_raw(&command,
	    "1:* (UID INTERNALDATE "
	    "BODY.PEEK[HEADER.FIELDS (" CLAIMS_HEADER ")])");
	mb->seek->records = 0;
	mailbox_send(mb, &command, now);
}

void
mailbox_seek_note_record(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct imap_fetch fetch;

	(void)now;
	if (!imap_fetch_parse(response, &fetch) || fetch.uid == 0 ||
	    !fetch.has_header)
		return;
	struct message *message = message_new(fetch.header);
	struct span value = message_raw(message, CLAIMS_HEADER, 0);
	if (value.len > 0 && mb->seek->records++ < RECORDS_MAX)
		claims_read(mb->config->claims, fetch.uid,
		    fetch.internaldate_unix, value);
	message_free(&message);
}

static void
send_append(struct mailbox *mb, usec_t now)
{
	struct imap_command command;
	BUF_AUTO text = BUF_INIT;

	mb->seek->appends++;
	claims_compose(mb->config->claims, mailbox_unix(mb, now), &text);
	mb->op->step = OP_SEEK_APPEND;
	mailbox_begin_command(mb, &command, "APPEND");
	imap_command_mailbox(&command, buf_span(&mb->seek->wire));
	imap_command_raw(&command, "(\\Seen)");
	imap_command_string(&command, buf_span(&text));
	mailbox_send(mb, &command, now);
}

void
mailbox_seek_appended(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (response->status == IMAP_OK)
		send_select(mb, now);
	else
		give_up(mb, response, now);
}

void
mailbox_seek_read_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (response->status == IMAP_OK)
		read_over(mb, now);
	else
		give_up(mb, response, now);
}

/* ---- proving ---- */

/* Each is one command on the own message. */
static const struct proof_step {
	const char *store; /* NULL: FETCH */
	bool conditional;
} proof_steps[] = {
    {"-FLAGS.SILENT (" CLAIM_TICK ")", false},
    {NULL, false},
    {"+FLAGS.SILENT (" CLAIM_TICK ")", true},
    {"-FLAGS.SILENT (" CLAIM_TICK ")", true}, /* must not succeed */
    {NULL, false}, /* after SELECT: is it still there? */
    {"-FLAGS.SILENT (" CLAIM_TICK ")", false},
};
#define PROOF_STEPS (sizeof(proof_steps) / sizeof(proof_steps[0]))
#define STEP_READ 1
#define STEP_RIGHT 2
#define STEP_STALE 3
#define STEP_AGAIN 4

static void
prove_on(struct mailbox *mb, usec_t now)
{
	const struct proof_step *step = &proof_steps[mb->seek->step];
	struct imap_command command;

	mb->op->step = OP_SEEK_PROVE;
	mailbox_begin_command(
	    mb, &command, step->store != NULL ? "UID STORE" : "UID FETCH");
	imap_command_number(&command, claims_own_uid(mb->config->claims));
	if (step->store == NULL) {
		mb->seek->has_tick = false;
		imap_command_raw(&command, mb->seek->has_modseqs
					       ? "(UID FLAGS MODSEQ)"
					       : "(UID FLAGS)");
	} else {
		if (step->conditional && mb->seek->has_modseqs)
			buf_addf(&command.text, " (UNCHANGEDSINCE %llu)",
			    (unsigned long long)mb->seek->modseq);
		imap_command_raw(&command, step->store);
	}
	mailbox_send(mb, &command, now);
}

static void
proven(struct mailbox *mb, enum claims_ladder ladder, usec_t now)
{
	claims_set_ladder(mb->config->claims, ladder);
	leave(mb, now);
}

/* A box that no mailbox has: the machines' names are told apart by it. */
#define PROOF_BOX SPAN("")
#define PROOF_UID 1

/* First a tick is added, then it is removed. */
static void
append_proof(struct mailbox *mb, usec_t now)
{
	struct imap_seqset uids = IMAP_SEQSET_INIT;

	imap_seqset_add(&uids, PROOF_UID);
	mailbox_log_append(mb, OP_SEEK_LOG,
	    &(struct claim_log_store){.mailbox = PROOF_BOX,
		.uidvalidity = mb->seek->proof,
		.add = mb->seek->step == 0,
		.uids = &uids,
		.words = mb->seek->step == 0 ? CLAIM_TICK " " CLAIM_SENDING
					     : CLAIM_TICK},
	    now);
	imap_seqset_done(&uids);
}

/* Read, as far as there is any, so that what is behind it is known. */
static void
prove_log(struct mailbox *mb, usec_t now)
{
	mb->seek->step = 0;
	mb->seek->proof = (uint32_t)random_next(&mb->random) | 1;
	append_proof(mb, now);
}

static void
disproven(struct mailbox *mb, usec_t now)
{
	mailbox_log_warn(mb);
	proven(mb, LADDER_FIRST, now);
}

void
mailbox_seek_logged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (response->status != IMAP_OK)
		give_up(mb, response, now); /* it tells nothing of the order */
	else if (mb->seek->step++ == 0)
		append_proof(mb, now);
	else
		send_named(mb, OP_SEEK_RELOG, "SELECT", NULL, now);
}

void
mailbox_seek_relogged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (response->status == IMAP_OK)
		mailbox_log_send_read(mb, OP_SEEK_RELOOK, now);
	else
		give_up(mb, response, now);
}

/* What the second entry left, and nothing else: both are there, and in this
 * order. */
void
mailbox_seek_relooked(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct span words[CLAIM_LOG_WORDS_MAX];
	struct claim_log *log = claims_log(mb->config->claims);
	uint32_t changed;

	claim_log_read_end(log);
	size_t count = claim_log_words(
	    log, PROOF_BOX, mb->seek->proof, PROOF_UID, words, &changed);
	if (response->status == IMAP_OK && count == 1 &&
	    span_is(words[0], CLAIM_SENDING) &&
	    changed > claims_own_uid(mb->config->claims) &&
	    !claim_log_is_disordered(log))
		proven(mb, LADDER_LOG, now);
	else
		disproven(mb, now);
}

void
mailbox_seek_note_proof(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct imap_fetch fetch;

	(void)now;
	if (!imap_fetch_parse(response, &fetch) ||
	    fetch.uid != claims_own_uid(mb->config->claims) || !fetch.has_flags)
		return;
	if (mb->seek->step == STEP_READ)
		mb->seek->modseq = fetch.modseq;
	mb->seek->has_tick = false;
	for (size_t i = 0; i < fetch.flag_count; i++)
		if (imap_value_is(&fetch.flags[i], CLAIM_TICK))
			mb->seek->has_tick = true;
}

/* What the answer of this step says against mod-sequences. */
static bool
disproves_modseqs(
    const struct mailbox *mb, const struct imap_response *response)
{
	bool modified = span_is_nocase(response->code, "MODIFIED");

	switch (mb->seek->step) {
	case STEP_READ:
		return mb->seek->modseq == 0;
	case STEP_RIGHT:
		return modified || response->status != IMAP_OK;
	case STEP_STALE:
		return !modified;
	default:
		return false;
	}
}

void
mailbox_seek_proof_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct seek *seek = mb->seek;

	if (seek->has_modseqs && disproves_modseqs(mb, response)) {
		seek->has_modseqs = false; /* once more, without them */
		seek->step = 0;
		prove_on(mb, now);
		return;
	}
	if (seek->step == STEP_AGAIN)
		seek->kept = seek->has_tick;
	seek->step++;
	if (seek->step == STEP_STALE && !seek->has_modseqs)
		seek->step++;
	if (seek->step == STEP_AGAIN)
		send_named(mb, OP_SEEK_AGAIN, "SELECT", NULL, now);
	else if (seek->step < PROOF_STEPS)
		prove_on(mb, now);
	else if (!seek->kept)
		prove_log(mb, now);
	else
		proven(mb, seek->has_modseqs ? LADDER_MODSEQ : LADDER_KEYWORD,
		    now);
}

void
mailbox_seek_again_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (response->status == IMAP_OK)
		prove_on(mb, now);
	else
		give_up(mb, response, now);
}

/* ---- what was read ---- */

static void
prove_or_leave(struct mailbox *mb, usec_t now)
{
	if (claims_others(mb->config->claims) == 0 ||
	    claims_ladder(mb->config->claims) != LADDER_UNPROVEN) {
		leave(mb, now);
		return;
	}
	if (!mb->seek->any_keyword) {
		prove_log(mb, now);
		return;
	}
	mb->seek->step = 0;
	mb->seek->has_modseqs = mailbox_can(mb, IMAP_CAP_CONDSTORE);
	prove_on(mb, now);
}

static void
read_over(struct mailbox *mb, usec_t now)
{
	struct seek *seek = mb->seek;
	struct imap_command command;
	bool is_good =
	    claims_read_end(mb->config->claims, mailbox_unix(mb, now));

	if (!is_good && seek->appends < APPENDS_MAX) {
		send_append(mb, now);
		return;
	}
	/* Appended, and not to be seen: it would be appended for ever. */
	if (claims_own_uid(mb->config->claims) == 0) {
		if (claims_refuse(mb->config->claims,
			SPAN("what is put there is not to be seen"), now))
			warn(mb, "what is put there is not to be seen");
		leave(mb, now);
		return;
	}
	claims_read_as(
	    mb->config->claims, seek->validity, seek->uidnext, seek->messages);
	claims_add_stale(mb->config->claims);
	if (claims_stale(mb->config->claims)->count == 0) {
		prove_or_leave(mb, now);
		return;
	}
	mb->op->step = OP_SEEK_DELETE;
	mailbox_begin_command(mb, &command, "UID STORE");
	imap_command_seqset(&command, claims_stale(mb->config->claims));
	imap_command_raw(&command, "+FLAGS.SILENT (\\Deleted)");
	mailbox_send(mb, &command, now);
}

void
mailbox_seek_deleted(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct imap_command command;

	(void)response;
	mb->op->step = OP_SEEK_EXPUNGE;
	/* Nothing is in this folder but what Belfry put there: here alone
	 * EXPUNGE without UIDs does no harm. */
	if (mailbox_can(mb, IMAP_CAP_UIDPLUS)) {
		mailbox_begin_command(mb, &command, "UID EXPUNGE");
		imap_command_seqset(&command, claims_stale(mb->config->claims));
	} else {
		mailbox_begin_command(mb, &command, "EXPUNGE");
	}
	mailbox_send(mb, &command, now);
}

void
mailbox_seek_expunged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	(void)response;
	prove_or_leave(mb, now);
}
