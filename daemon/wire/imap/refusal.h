/*
 * imap/refusal: what a NO, a BAD or a BYE means, and what follows from it.
 *
 * Read from the response code (RFC 5530) and from the text, by tables of what
 * servers really say. Codes come first, but for one case: many servers dress
 * a limit up as a refusal of the credentials, or as something else that it is
 * not, and only the text tells ("Too many simultaneous connections"). A server
 * without codes is known by its words alone.
 *
 * What is to be done is a matter of the kind:
 *
 *   kind         connection                     an action on a message
 *   UNTOLD       network ladder; at login one   failed
 *                more try, then as CREDENTIALS
 *   CREDENTIALS  one try, then a person         failed
 *   ACCOUNT      limit ladder                   failed
 *   UNAVAILABLE  server ladder                  tried again
 *   LIMIT        limit ladder, or as long as    tried again
 *                the server says
 *   QUOTA        limit ladder                   held back for an hour
 *   MISSING      slowly                         made, or failed
 *   RIGHTS       slowly                         failed, and not tried again
 *   STATE        network ladder                 NOOP, and again at once, for
 *                                               fewer where they were too many
 *   SERVER       15 minutes                     again in 15 minutes
 *   CLIENT       server ladder                  failed, not repeated
 *   GOODBYE      network ladder                 (BYE only)
 *
 * No state, no allocation; spans are borrowed for the call.
 */
#ifndef BELFRY_WIRE_IMAP_REFUSAL_H
#define BELFRY_WIRE_IMAP_REFUSAL_H

#include "daemon/wire/backoff.h"
#include "daemon/wire/imap/response.h"

enum imap_refusal_kind {
	IMAP_REFUSAL_NONE,   /* it was none: OK, or a fault of our own */
	IMAP_REFUSAL_UNTOLD, /* neither code nor text tells */
	IMAP_REFUSAL_CREDENTIALS,
	IMAP_REFUSAL_ACCOUNT, /* let in, but there is no mailbox behind it */
	IMAP_REFUSAL_UNAVAILABLE,
	IMAP_REFUSAL_LIMIT, /* too many, too fast, in use elsewhere */
	IMAP_REFUSAL_QUOTA, /* the target is full */
	IMAP_REFUSAL_MISSING,
	IMAP_REFUSAL_RIGHTS,
	IMAP_REFUSAL_STATE,  /* somebody expunged: look, and go on */
	IMAP_REFUSAL_SERVER, /* broken over there */
	IMAP_REFUSAL_CLIENT, /* the command is wrong, or not supported */
	IMAP_REFUSAL_GOODBYE,
	IMAP_REFUSAL_KINDS
};

/* No server makes us wait longer than this. */
#define IMAP_REFUSAL_WAIT_MAX (15 * USEC_MINUTE)

struct imap_refusal {
	enum imap_refusal_kind kind;
	enum fault fault;
	enum backoff_cause cause;
	usec_t wait; /* at least this long before the next try; 0: not told */
};

/* `at_login`: what is said to AUTHENTICATE and LOGIN, or instead of them. */
struct imap_refusal imap_refusal_read(
    const struct imap_response *response, bool at_login);
/* Whether it is the command that is refused, and no other use of it would fare
 * better: BAD, or NO that says so (go-imap to MOVE, where its store has none).
 */
bool imap_refusal_is_of_command(const struct imap_response *response);
/* Only its fault. */
enum fault imap_fault_of(const struct imap_response *response, bool at_login);
/* "credentials", "limit", ...: a constant. */
const char *imap_refusal_name(enum imap_refusal_kind kind);

#endif
