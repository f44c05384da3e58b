/*
 * notifiers/open: what is run to open a message: the arguments.
 *
 * In the arguments of a command, and in a webmail's address,
 *
 *   ${url}         mid:... (RFC 2392), or the webmail's address
 *   ${message-id}  without its angle brackets
 *   ${account} ${email} ${mailbox} ${uid}
 *
 * are replaced; an argument stays one argument. In addresses what is put in is
 * percent-encoded (RFC 3986 section 2.1).
 */
#ifndef BELFRY_NOTIFIERS_OPEN_H
#define BELFRY_NOTIFIERS_OPEN_H

#include "daemon/base/buf.h"
#include "daemon/base/error.h"
#include "daemon/base/strv.h"

struct open_message {
	const char *message_id; /* with brackets; "" when there is none */
	const char *account, *email, *mailbox;
	uint32_t uid;
	const char *webmail; /* the provider's address; NULL: none */
};

/* Where a browser or a mail program finds it. False: it has no Message-ID, or
 * one that is none. `url` may be NULL. */
bool open_url(const struct open_message *message, struct buf *url);
/* `argv` gets the arguments. False, with words for a person: something that
 * the command asks for is not there, or would be taken for an option. */
bool open_expand(const struct strv *command, const struct open_message *message,
    struct strv *argv, struct error *error_r);
/* Whether all variables of an argument are known. False: `name_r` is the one
 * that is not, in the argument; empty when a brace is missing. */
bool open_check(const char *argument, struct span *name_r);
/* Whether it is an address that a browser takes, once its variables have their
 * values. */
bool open_is_webmail(const char *form);
/* As open_check; ${url} is none here. */
bool open_check_webmail(const char *form, struct span *name_r);
/* Whether it is about a place, which another folder is not. */
bool open_names_place(const char *form);
/* What there is instead of a misspelled one; a constant. */
const char *open_nearest(struct span name);

#endif
