/*
 * imap/command: the only code that can put a command on the wire.
 *
 * A command is built from typed arguments; each knows how it must be
 * written. A string becomes a quoted string when it is 7-bit without CR, LF
 * and NUL, else a literal (non-synchronising where LITERAL+ or LITERAL-
 * allows it). A NUL cannot be written: the command is then marked invalid,
 * and imap_session_send refuses it.
 *
 * One blank is put in front of each argument by the adding function, but not
 * where raw text ended with "(" or "[", and not before raw text that begins
 * with ")" or "]":
 *
 *   raw("(UID BODY.PEEK[HEADER.FIELDS"), header_fields({"To"}), raw("])")
 *   writes  (UID BODY.PEEK[HEADER.FIELDS (To)])
 *
 * An argument that cannot be written marks the command invalid: its text is
 * then not the command that was meant, and must not be sent.
 */
#ifndef BELFRY_WIRE_IMAP_COMMAND_H
#define BELFRY_WIRE_IMAP_COMMAND_H

#include "daemon/base/buf.h"
#include "daemon/base/strv.h"
#include "daemon/wire/imap/seqset.h"

#define IMAP_COMMAND_LINE_MAX 8000 /* longest line without literals */
#define IMAP_COMMAND_PARTS_MAX 16

/* Where the text is cut for a literal: the rest waits for the server's "+"
 * unless the literal is non-synchronising. */
struct imap_command {
	struct buf text;
	size_t *cuts; /* owned; offsets behind "{n}CRLF"; NULL: none */
	size_t cut_count;
	bool invalid;
	bool secret; /* its text must be wiped and never traced */
	/* Set by the caller before arguments are added, when the server has
	 * LITERAL+ or LITERAL-. Literals above 4096 bytes wait all the same:
	 * LITERAL- wants it. */
	bool literal_plus;
	size_t literal_bytes; /* in text */
	bool joined;	      /* no blank before the next argument */
};

/* `name`: "SELECT", "UID FETCH", ... */
void imap_command_init(struct imap_command *command, const char *name);
void imap_command_done(struct imap_command *command);
/* Atoms, parentheses, fetch items: the program's own constant text only,
 * printable ASCII and not empty (assert). */
void imap_command_raw(struct imap_command *command, const char *text);
void imap_command_number(struct imap_command *command, uint64_t number);
/* An empty set marks the command invalid. */
void imap_command_seqset(
    struct imap_command *command, const struct imap_seqset *set);
void imap_command_string(struct imap_command *command, struct span string);
/* `wire_name` is in modified UTF-7 already; INBOX is written as INBOX. */
void imap_command_mailbox(struct imap_command *command, struct span wire_name);
/* (\Seen $Junk ...): words that are no flag atoms mark it invalid. */
void imap_command_flags(struct imap_command *command, const struct strv *flags);
/* (Subject From List-Id): field names must be atoms, and at least one, else
 * invalid. */
void imap_command_header_fields(
    struct imap_command *command, const struct strv *names);
/* Whether `word` can be a keyword (an atom, at most 128 bytes). */
bool imap_is_keyword(struct span word);

#endif
