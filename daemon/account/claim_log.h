/*
 * account/claim_log: claims where the server keeps no keywords. No I/O.
 *
 * What would be keywords on messages are entries of a log: messages that each
 * machine appends to CLAIMS_MAILBOX. The server gives them ascending UIDs, and
 * so puts all of them into one order, which all machines read alike. An entry
 * has one or several header lines
 *
 *   X-Belfry-Claim: NODE LOG BOX VALIDITY BASE SIGN SET WORDS
 *
 * "for the messages SET (UIDs) of the mailbox BOX (a digest of its name) with
 * this UIDVALIDITY: add (SIGN +) or remove (-) the WORDS (joined by commas)";
 * with a BASE that is not 0 only for those that no entry with a UID above BASE
 * has changed. BASE is how far its writer had read, in the log with the
 * UIDVALIDITY LOG: an entry that comes to another one, as it was on its way
 * when the log was made anew, says nothing there. This is a conditional STORE,
 * so that the claim (claim.h) works as with mod-sequences: who reads its own
 * claim and no other acts.
 *
 * Two machines agree as both see all that was appended in front of an entry,
 * as long as nobody has removed it. So claims are removed after a day by the
 * server's clock and not before, when whoever has read what was there before
 * them believes its reading no more (a third of a lease, claim.h); marks after
 * a month. An entry that turns up in front of what was read long before shows
 * that the server keeps no order: claim_log_is_disordered.
 *
 * Another UIDVALIDITY voids all claims: nobody gets one for a lease then.
 */
#ifndef BELFRY_ACCOUNT_CLAIM_LOG_H
#define BELFRY_ACCOUNT_CLAIM_LOG_H

#include "daemon/base/strv.h"
#include "daemon/base/usec.h"
#include "daemon/wire/imap/seqset.h"

#define CLAIM_LOG_HEADER "X-Belfry-Claim"
/* Claims, and what says that something was done, are removed when newer
 * entries are so much younger. */
#define CLAIM_LOG_CLAIM_SEC (24 * 60 * 60)
#define CLAIM_LOG_MARK_SEC (30 * 24 * 60 * 60)
/* Entries of machines that do not come back: later by so much. */
#define CLAIM_LOG_OTHERS_SEC (24 * 60 * 60)
/* Lines that are kept in memory; the oldest go first. */
#define CLAIM_LOG_LINES_MAX 10000
/* Bytes of a SET: lines stay below 998 (RFC 5322 section 2.1.1). */
#define CLAIM_LOG_SET_MAX 700
/* Entries that are read again each time, to see that nothing came late. */
#define CLAIM_LOG_OVERLAP 30
#define CLAIM_LOG_WORDS_MAX 16 /* on one message; more are not seen */

struct claim_log;

struct claim_log *claim_log_new(const char *node); /* copied */
void claim_log_free(struct claim_log **log);

/* The log was opened at `now`. */
void claim_log_open(struct claim_log *log, uint32_t uidvalidity, usec_t now);
uint32_t claim_log_validity(const struct claim_log *log); /* 0: not opened */
/* Claims were lost: nobody gets one yet. */
bool claim_log_is_void(const struct claim_log *log, usec_t now);
/* Read from this UID on: each message once, then the end. */
uint32_t claim_log_from(const struct claim_log *log);
/* `lines` (count) of one message: what CLAIM_LOG_HEADER says there. */
void claim_log_read(struct claim_log *log, uint32_t uid, int64_t received_unix,
    const struct span *lines, size_t count);
void claim_log_read_end(struct claim_log *log);
/* So far it was read: what is appended behind it is news. At least 1. */
uint32_t claim_log_position(const struct claim_log *log);
bool claim_log_is_disordered(const struct claim_log *log);

/* The words on a message, borrowed; returns how many, at most
 * CLAIM_LOG_WORDS_MAX. *changed_r: the UID of the last entry that changed
 * them, 1 for none. */
size_t claim_log_words(const struct claim_log *log, struct span mailbox,
    uint32_t uidvalidity, uint32_t uid,
    struct span words_r[static CLAIM_LOG_WORDS_MAX], uint32_t *changed_r);

struct claim_log_store {
	struct span mailbox; /* wire name */
	uint32_t uidvalidity;
	uint32_t base; /* 0: in any case */
	bool add;
	const struct imap_seqset *uids;
	const char *words; /* blank-separated */
};
/* A message for APPEND. */
void claim_log_compose(const struct claim_log *log,
    const struct claim_log_store *store, struct buf *message);
/* What may be removed: adds to `stale`. */
void claim_log_get_stale(
    const struct claim_log *log, struct imap_seqset *stale);

#endif
