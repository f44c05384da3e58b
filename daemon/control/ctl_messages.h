/*
 * ctl_messages: messages from files, folders and standard input.
 *
 * A path is "-", a message, an mbox (ctl_mbox.h), or a folder: a Maildir with
 * the mailboxes in it, one of MH, or any folder of these files (ctl_folder.h).
 * A FIFO that is named itself is read as standard input is; other things that
 * are no files are refused without being opened for long.
 *
 * Of a file no more is read than its header, in pieces of CTL_AHEAD_BYTES
 * (ctl_ahead.h), and what it takes to know its size; ctl_message_whole reads
 * the rest where rules want it.
 */
#ifndef BELFRY_CONTROL_CTL_MESSAGES_H
#define BELFRY_CONTROL_CTL_MESSAGES_H

#include "daemon/base/error.h"
#include "daemon/base/strv.h"

/* Bytes of one message that are looked at; what is behind them only counts
 * for its size. */
#define CTL_MESSAGE_MAX (64 * 1024 * 1024)

struct ctl_letter;

struct ctl_message {
	const char *source;  /* the file; "-" */
	unsigned index;	     /* within the file, from 1 */
	const char *mailbox; /* of the folder it lies in, where that has one
				below the folder that was named; or NULL */
	struct span head;    /* the header block, with the empty line and maybe
				more */
	uint64_t size;	     /* as an IMAP server would count: lines end CRLF */
	/* Of a Maildir's file name, of the line "From ", or of the file; 0:
	 * unknown. */
	int64_t received_unix;
	const struct strv *flags; /* of a Maildir's file name */
	bool is_mbox;
	struct ctl_letter *letter;
};

struct ctl_messages_sink {
	/* All of the message is borrowed for the call. */
	void (*message)(void *ctx, const struct ctl_message *message);
	/* A file that cannot be read; the others are. */
	void (*unreadable)(
	    void *ctx, const char *source, const struct error *error);
	void *ctx;
	/* ctl_message_whole will be called: keep the messages of streams. */
	bool keeps_whole;
};

void ctl_messages_read(const char *path, const struct ctl_messages_sink *sink);
/* The message up to CTL_MESSAGE_MAX bytes, or the part of it that could be
 * read. Afterwards `message->head` is no longer valid. */
struct span ctl_message_whole(const struct ctl_message *message);

#endif
