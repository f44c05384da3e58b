/*
 * ctl_messages: messages from files, folders and standard input.
 *
 * A path is "-", a message, an mbox (it begins with "From "), a Maildir (its
 * cur and new are read), or a folder of these files. Of each message the
 * header is kept, at most MESSAGE_HEADER_MAX bytes; the rest is counted.
 */
#ifndef BELFRY_CONTROL_CTL_MESSAGES_H
#define BELFRY_CONTROL_CTL_MESSAGES_H

#include "daemon/base/error.h"
#include "daemon/base/strv.h"

struct ctl_message {
	const char *source; /* the file; "-" */
	unsigned index;	    /* within the file, from 1 */
	struct span head;   /* the header block, with the empty line */
	uint64_t size;	    /* as an IMAP server would count: lines end CRLF */
	int64_t received_unix;	  /* of the file; 0: unknown */
	const struct strv *flags; /* of a Maildir's file name */
};

/* All of it is borrowed for the call. */
typedef void ctl_message_fn(void *ctx, const struct ctl_message *message);
/* A file that cannot be read; the others are. */
typedef void ctl_unreadable_fn(
    void *ctx, const char *source, const struct error *error);

void ctl_messages_read(const char *path, ctl_message_fn *fn,
    ctl_unreadable_fn *unreadable, void *ctx);

#endif
