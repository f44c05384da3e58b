/*
 * ctl_mbox: a stream of bytes, as one message or as the messages of an mbox.
 *
 * An mbox begins with a line "From ", a sender and a date (RFC 4155), and so
 * does each message in it, behind an empty line. In its messages one ">" is
 * taken from lines that begin with any number of them and "From " (mboxrd;
 * where mboxo wrote it, the same but for lines that were quoted already).
 * Content-Length is not believed: it is wrong in every second mbox.
 *
 * Memory: one message at most, and of that its header up to CTL_MBOX_HEAD_MAX
 * bytes, or `keep` bytes of all of it if that is more.
 */
#ifndef BELFRY_CONTROL_CTL_MBOX_H
#define BELFRY_CONTROL_CTL_MBOX_H

#include "daemon/base/buf.h"
#include "daemon/base/error.h"
#include "daemon/mail/message.h"

/* One more than rules see, so that they see that it was cut. */
#define CTL_MBOX_HEAD_MAX (MESSAGE_HEADER_MAX + 1)

/* Borrowed for the call. */
struct ctl_mbox_message {
	unsigned index;	       /* from 1 */
	struct span bytes;     /* the header and what was kept of the rest */
	uint64_t size;	       /* of all of it, lines ending CRLF */
	int64_t received_unix; /* of the "From " line; 0: none */
	bool is_mbox;	       /* else the stream is one message */
};

typedef void ctl_mbox_fn(void *ctx, const struct ctl_mbox_message *message);

/* "From ann@example.org Mon Jan  1 00:00:00 2024": a date tells it from a
 * sentence that begins so. */
bool ctl_mbox_is_from_line(struct span line, int64_t *unix_r);
/* Reads `fd` to its end (-1: there is no more), behind the bytes that were
 * read already. False: it
 * cannot be read further; what came before was given. */
bool ctl_mbox_read(int fd, struct span already, size_t keep, ctl_mbox_fn *fn,
    void *ctx, struct error *error_r);

#endif
